"""What drawings and pages show beside the figures of a score."""

from __future__ import annotations

from collections.abc import Sequence

from xentcli.records import record
from xentcli.report.document import Count, Finite, Number, Table, records_table
from xentcli.report.parts import Bin, ClassSlice, WorstExample

__all__ = [
    "COMPARED",
    "DETAILS",
    "MOST_CLASSES",
    "WORST",
    "ComparisonDetails",
    "Details",
    "DifferenceBin",
    "Differences",
    "LossBin",
    "Losses",
]

MOST_CLASSES = 30
"""The most classes of a confusion."""
WORST = 10
"""How many of the worst rows a page shows."""


@record(frozen=True)
class LossBin:
    """The rows whose loss is `low` or more, and less than `high`.

    Attributes
    ----------
    low
        0 in the first bin, which has negative losses too
    share
        of the cost; None where that is 0 or infinite
    """

    low: Number
    high: Number
    rows: Count
    share: Finite | None


@record(frozen=True)
class Losses:
    """How the losses of the rows are distributed, in the unit of the report; infinite ones are in no bin.

    Attributes
    ----------
    bins
        those that have rows, counted exactly: the first ends at 2**-10 nats, then about four to a doubling, fewer where
        losses span many
    median
        half of the rows have a smaller loss; from steps of 1/32 of a doubling, so off by 3 % at most
    tail_from
        the least loss of the largest 1 % of finite losses, rounded up to whole steps of 1/32 of a doubling; None where
        that is all
    tail_rows
        how many they are
    tail_share
        their part of the cost; None where that is 0 or infinite
    """

    bins: tuple[LossBin, ...]
    median: Number
    tail_from: Number | None
    tail_rows: Count
    tail_share: Finite | None


@record(frozen=True)
class Details:
    """What drawings (--plot) and pages (-o FILE.html) show beside the figures; what neither needs is None or empty.

    Attributes
    ----------
    losses
        the distribution of the losses
    by_class
        as --by-class, in the order of the classes
    worst
        as --worst 10
    reliability
        bins of the confidence that have rows; empty where targets are soft
    confusion
        for each true class the rows of each predicted class, both in the order of the classes; None for more than 30
        classes, and where rows have not one label
    """

    losses: Losses | None = None
    by_class: tuple[ClassSlice, ...] = ()
    worst: tuple[WorstExample, ...] = ()
    reliability: tuple[Bin, ...] = ()
    confusion: tuple[tuple[Count, ...], ...] | None = None

    def tables(self, unit: str, classes: Sequence[str]) -> list[Table]:
        """Return a table for each detail there is; `classes` are those of the report, `unit` that of its losses."""
        bins = () if self.losses is None else self.losses.bins
        slices = {"losses": bins, "classes": self.by_class, "worst rows": self.worst, "bins": self.reliability}
        found = [records_table(title, rows, unit) for title, rows in slices.items() if rows]
        if self.confusion is not None:
            rows = tuple((name, *row) for name, row in zip(classes, self.confusion, strict=True))
            found.append(Table("confusion", ("true class", *classes), rows))
        return found


DETAILS = ("losses", "by_class", "worst", "reliability", "confusion")
"""The names of the details, by which they are asked for."""


@record(frozen=True)
class DifferenceBin:
    """The rows whose difference is between two ends: both below 0, both above it, or around 0.

    Attributes
    ----------
    low, high
        the ends; the one that is nearer to 0 is in, the other is not, and around 0 neither
    contribution
        to the change: the sum of these differences over the weight of all rows
    """

    low: Number
    high: Number
    rows: Count
    contribution: Number


@record(frozen=True)
class Differences:
    """How the differences of the rows' losses, model - reference, are distributed, in the unit of the comparison.

    Attributes
    ----------
    bins
        those that have rows, counted exactly and mirrored about 0: the one around 0 ends at 2**-10 nats or less, the
        others are about four or two to a doubling, fewer where differences span many; infinite ones are in no bin
    median
        half of the rows have a smaller difference; from steps of 1/32 of a doubling, so off by 3 % at most
    tail_from
        the least size of the largest 1 % of finite differences of either sign, rounded up to whole steps of 1/32 of a
        doubling; None where that is all
    tail_rows
        how many they are
    tail_contribution
        to the change
    reference_infinite, model_infinite
        rows whose loss is infinite in that model alone
    """

    reference: str
    model: str
    bins: tuple[DifferenceBin, ...]
    median: Number
    tail_from: Number | None
    tail_rows: Count
    tail_contribution: Number
    reference_infinite: Count
    model_infinite: Count


@record(frozen=True)
class ComparisonDetails:
    """What drawings (--plot) and pages (-o FILE.html) of a comparison show beside its figures.

    Attributes
    ----------
    differences
        of each model from the reference
    """

    differences: tuple[Differences, ...] = ()

    def tables(self, unit: str) -> list[Table]:
        """Return the bins of all models as a table; `unit` is that of the losses."""
        rows = [(one.model, part) for one in self.differences for part in one.bins]
        if not rows:
            return []
        made = records_table("differences", [part for _, part in rows], unit)
        named = tuple((model, *cells) for (model, _), cells in zip(rows, made.rows, strict=True))
        return [Table(made.title, ("model", *made.columns), named)]


COMPARED = ("differences",)
"""The names of the details of a comparison."""
