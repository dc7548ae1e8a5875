"""Figures of each row of a block, and Scores: the basic tally of all rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field

import numpy as np

from xentcli.arrays import Flags, Floats, Ints
from xentcli.records import cached_property, record, replace
from xentcli.scoring.losses import Workings
from xentcli.scoring.measures import measured
from xentcli.scoring.metrics import Metric, wanted
from xentcli.tallies.exact import ExactSum, moderate
from xentcli.tallies.infinite import Clipping, Infinite
from xentcli.tallies.left_out import LeftOut
from xentcli.tallies.moments import Mean, Moments, quotient
from xentcli.tallies.shares import ClassShares
from xentcli.tallies.tally import Tally

__all__ = ["Figures", "Scores"]

_NOTHING = LeftOut()


@record(frozen=True, eq=False)
class Figures:
    """The figures of each row of a block, without the predictions.

    Attributes
    ----------
    rows, weight, mass
        i8[n], the row numbers; f8[n], the weights, or None if all are 1; f8[n], the contributions of the
        rows to the denominator, or None if these are the weights.
    index, predicted, soft
        i8[n], i8[n], bool[n]: the class with the largest target, the predicted class, and
        whether the target is soft.
    loss, raw_loss
        f8[n]: the loss, and the loss before clipping; None if nothing is clipped.
    means
        f8[n] for each metric that is a mean over rows.
    shares, deviation, certain, binary
        As in Scores.
    """

    rows: Ints
    weight: Floats | None
    index: Ints
    predicted: Ints
    soft: Flags
    loss: Floats
    raw_loss: Floats | None
    means: Mapping[str, Floats]
    shares: ClassShares
    deviation: float | None
    certain: frozenset[float | None]
    binary: bool
    mass: Floats | None = None

    @classmethod
    def of(cls, work: Workings, metrics: Iterable[Metric] | None = None) -> Figures:
        """Compute the figures of a batch, with those of some mean metrics (default: the usual ones)."""
        batch = work.batch
        labelled = batch.target is not None
        soft = work.soft
        some = work.some_soft
        means = {
            metric.name: measured(metric, work)
            for metric in (wanted() if metrics is None else metrics)
            if metric.per_example
            and (labelled or not metric.labelled)
            and (some or not metric.soft)
            and (batch.reference is not None or not metric.of_reference)
        }
        return cls(
            batch.rows,
            batch.weight,
            work.index,
            work.predicted,
            soft,
            work.loss,
            None if batch.recipe.clip is None else work.raw_loss,
            means,
            ClassShares.of(work) if labelled else ClassShares(),
            batch.deviation,
            frozenset(_certain(batch.predictions[:, -1])) if batch.binary else frozenset(),
            batch.binary,
            None if batch.free is None else batch.mass,
        )

    @cached_property
    def some_soft(self) -> bool:
        """Whether some target is spread over classes."""
        return bool(np.logical_or.reduce(self.soft))

    @property
    def below(self) -> Floats | None:
        """f8[n]: the contribution of each row to the denominator; None if all are 1."""
        return self.weight if self.mass is None else self.mass

    @classmethod
    def joined(cls, pieces: Sequence[Figures]) -> Figures:
        """Return the figures of the rows of at least one piece."""
        if len(pieces) == 1:
            return pieces[0]
        first = pieces[0]
        names = dict.fromkeys(name for piece in pieces for name in piece.means)
        weights = [np.ones(len(p.loss)) if p.weight is None else p.weight for p in pieces]
        masses = [weight if p.mass is None else p.mass for p, weight in zip(pieces, weights, strict=True)]
        raw = [p.raw_loss for p in pieces if p.raw_loss is not None]
        shares = ClassShares()
        for piece in pieces:
            shares = shares.merge(piece.shares)
        return cls(
            np.concatenate([p.rows for p in pieces]),
            None if all(p.weight is None for p in pieces) else np.concatenate(weights),
            np.concatenate([p.index for p in pieces]),
            np.concatenate([p.predicted for p in pieces]),
            np.concatenate([p.soft for p in pieces]),
            np.concatenate([p.loss for p in pieces]),
            np.concatenate(raw) if raw else None,
            # Pieces with hard labels only lack metrics of soft targets, which are 0 there.
            {name: np.concatenate([p.means.get(name, np.zeros(len(p.loss))) for p in pieces]) for name in names},
            shares,
            max((p.deviation for p in pieces if p.deviation is not None), default=None),
            frozenset(value for p in pieces for value in p.certain),
            first.binary,
            None if all(p.mass is None for p in pieces) else np.concatenate(masses),
        )


@record(frozen=True)
class Scores(Tally):
    """The basic tally of a score: row counts, the loss, and sums for mean metrics.

    Attributes
    ----------
    read, left_out, zero_weight, underflows
        Rows read; rows left out, by reason; rows of weight 0; numerals below the smallest double, read as 0.
    cost, sums
        The moments of the loss; for each mean metric, the sum of weight x value.
    soft
        Whether some target is spread over classes.
    deviation
        The largest distance of a row sum from 1; None for kinds without a row sum.
    certain
        For one column of predictions: which of 0 and 1 occur; None stands for any other value.
    column
        Whether there is one column.
    """

    read: int = 0
    left_out: LeftOut = LeftOut()
    zero_weight: int = 0
    underflows: int = 0
    cost: Moments = Moments()
    sums: Mapping[str, ExactSum] = field(default_factory=dict)
    classes: ClassShares = field(default_factory=ClassShares)
    infinite: Infinite = Infinite()
    clipping: Clipping = Clipping()
    soft: bool = False
    deviation: float | None = None
    certain: frozenset[float | None] = frozenset()
    column: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether every row read is scored, left out, or has weight 0."""
        counts = (self.read, self.zero_weight, self.underflows, self.left_out.rows)
        return min(counts) >= 0 and self.read == self.scored + self.zero_weight + self.left_out.rows

    def renumbered(self, moved: Callable[[int], int]) -> Scores:
        """Return the tally with other numbers of the rows of infinite loss."""
        return replace(self, infinite=self.infinite.renumbered(moved))

    @classmethod
    def of(cls, figures: Figures, *, read: int, left_out: LeftOut = _NOTHING, underflows: int = 0) -> Scores:
        """Tally the figures of the scored rows among `read` rows."""
        loss, weight, mass = figures.loss, figures.weight, figures.mass
        below, means = figures.below, figures.means.values()
        if weight is None and moderate(loss):
            (cost, sums), infinite = Moments.of_finite(loss, [*means]), Infinite()
        else:
            cost, sums = Moments.of(loss, weight, mass), [ExactSum.of_weighted(values, below) for values in means]
            infinite = Infinite.of(loss, below, figures.rows)
        return cls(
            read,
            left_out,
            read - left_out.rows - len(loss),
            underflows,
            cost,
            dict(zip(figures.means, sums, strict=True)),
            figures.shares,
            infinite,
            Clipping.of(loss, figures.raw_loss, weight, mass),
            figures.some_soft,
            figures.deviation,
            figures.certain,
            figures.binary,
        )

    @cached_property
    def means(self) -> Mapping[str, Mean]:
        """The mean of each metric."""
        return {name: Mean(total, self.cost.mean.b) for name, total in self.sums.items()}

    @property
    def scored(self) -> int:
        """How many rows have a positive weight."""
        return self.cost.rows

    @property
    def soft_rows(self) -> int:
        """The number of soft targets; 0 with --multilabel."""
        return self.scored - int(self.classes.counts.sum()) if self.soft and not self.classes.pairs else 0

    @cached_property
    def cost_of_the_rest(self) -> float | None:
        """The mean loss of the rows whose loss is finite; None where there are none."""
        if not self.infinite.count:
            return self.cost.mean.value if self.cost.mean.b else None
        weight = self.cost.mean.b.without(self.infinite.weight)
        return quotient(self.cost.mean.a.times(1), weight) if weight else None

    @cached_property
    def standard_error_of_the_rest(self) -> float | None:
        """The standard error of the mean loss of the rows whose loss is finite; None for fewer than two."""
        cost = self.cost
        if not self.infinite.count:
            return cost.standard_error
        mean = Mean(cost.mean.a.times(1), cost.mean.b.without(self.infinite.weight))
        return Moments(mean, self.scored - self.infinite.count, cost.aa, cost.ab, cost.bb).standard_error


def _certain(q: Floats) -> Iterator[float | None]:
    zeros, ones = int(np.count_nonzero(q == 0)), int(np.count_nonzero(q == 1))
    yield from (0.0,) * bool(zeros) + (1.0,) * bool(ones)
    if zeros + ones < len(q):
        yield None
