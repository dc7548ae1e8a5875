"""Differences between models: tallies over all rows, and tests and intervals derived from them."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import field
from functools import partial
from typing import Any, TypeVar

import numpy as np

from xentcli.analysis.model_rows import WEIGHT, ModelRows
from xentcli.analysis.row_store import blocks
from xentcli.analysis.student import interval_of, normal_quantile, two_sided_p
from xentcli.arrays import Flags, Floats, Ints
from xentcli.columns.keys import coded
from xentcli.engine.ordered import mapped, worker_count
from xentcli.given import Given
from xentcli.records import cached_property, record
from xentcli.report.parts import Interval
from xentcli.tallies.groups import Groups
from xentcli.tallies.moments import Mean, Moments
from xentcli.tallies.paired import Paired, differences
from xentcli.tallies.tail import signed_step_of
from xentcli.tallies.tally import Tally

__all__ = ["Common", "Difference", "Part", "columns_of", "holm", "parts_of"]

_AT_ONCE = 1 << 15
_ALL = slice(None)
K = TypeVar("K", bound=Hashable)
_MUCH = 1 << 22
"""With more differences, starting workers saves time."""
Column = tuple[Floats, int]
"""The rows of a model, and the index of a column."""
POWER = 0.8
"""The probability with which the detectable change is found."""


@record(frozen=True)
class Part:
    """A metric on some rows: its mean for the reference and for a model, and the moments of the differences."""

    old: Mean
    new: Mean
    change: Moments


@record(frozen=True, eq=False)
class Common:
    """The rows that are compared, block by block: those that every model has, with a positive weight.

    Attributes
    ----------
    models
        The models, the reference first.
    clusters
        i8[n]: the cluster of each row of the reference; None without --cluster.
    only
        bool[n]: the rows of the reference that may be compared; None for all.
    """

    models: Sequence[ModelRows]
    clusters: Ints | None = None
    only: Flags | None = None

    @cached_property
    def _blocks(self) -> list[tuple[slice, Flags | slice, int, bool]]:
        """For each block: its rows, which are compared, how many these are, and whether all have weight 1."""
        found: list[tuple[slice, Flags | slice, int, bool]] = []
        regions = [model.rows for model in self.models]
        for part in blocks(len(regions[0]), _AT_ONCE):
            count, kept = part.stop - part.start, np.ones(part.stop - part.start, dtype=bool)
            for rows in regions:
                weight = rows[part, WEIGHT]
                kept[: len(weight)] &= weight > 0
                kept[len(weight) :] = False
            if self.only is not None:
                kept &= self.only[part]
            some: Flags | slice = _ALL if kept.all() else kept
            weight = regions[0][part, WEIGHT][some]
            found.append((part, some, count if some is _ALL else len(weight), bool((weight == 1).all())))
        return found

    def blocks(self) -> Iterator[tuple[slice, Flags | slice]]:
        """Yield slices of rows, and which of them are compared (bool[m], or a slice of all)."""
        for part, kept, _, _ in self._blocks:
            yield part, kept

    def columns(self, part: slice, kept: Flags | slice, columns: Sequence[Column]) -> list[Floats]:
        """Return f8[m] for each column of some rows of a block."""
        return [rows[part, column][kept] for rows, column in columns]

    def weights(self, part: slice, kept: Flags | slice) -> Floats | None:
        """f8[m]: the weights of the compared rows of a block; None if all are 1."""
        if self._blocks[part.start // _AT_ONCE][3]:
            return None
        weight: Floats = self.models[0].rows[part, WEIGHT][kept]
        return None if (weight == 1).all() else weight

    def means(self, columns: Sequence[Column]) -> list[Mean]:
        """Return the mean of some columns over the rows that are compared."""
        totals = [Mean() for _ in columns]
        for part, kept in self.blocks():
            weight = self.weights(part, kept)
            values = self.columns(part, kept, columns)
            totals = [total.merge(Mean.of(v, weight)) for total, v in zip(totals, values, strict=True)]
        return totals

    @cached_property
    def count(self) -> int:
        """The number of compared rows."""
        return sum(count for _, _, count, _ in self._blocks)

    def differences(self, pairs: Sequence[tuple[Column, Column]], threads: int | None = None) -> list[Difference]:
        """Return the difference of each pair of columns, the old one first."""
        found = [Difference() for _ in pairs]
        much = len(self.models[0].rows) * len(pairs) > _MUCH
        parts = mapped(partial(_differences_of, self, pairs), list(self.blocks()), worker_count(threads) if much else 1)
        for part in parts:
            found = [one.merge(other) for one, other in zip(found, part, strict=True)]
        return found

    def by_group(self, old: Column, new: Column, groups: Floats) -> Groups[int]:
        """Return by group the old and new mean, and the moments of the change; `groups` (f8[n]) are -1 for none."""
        total: Groups[int] = Groups()
        for part, kept in self.blocks():
            there = groups[part] >= 0
            kept = there if isinstance(kept, slice) else kept & there
            keys = coded(groups[part][kept].astype(np.int64))
            before, after = self.columns(part, kept, (old, new))
            values = {"old": before, "new": after, "change": differences(before, after)}
            total = total.merge(Groups.tallied(keys, self.weights(part, kept), None, "change", **values))
        return total

    def spread(self, old: Column, new: Column) -> Groups[int]:
        """Return the moments of the differences by signed_step_of(), without rows that are infinite in both."""
        total: Groups[int] = Groups()
        for part, kept in self.blocks():
            change, weight = differences(*self.columns(part, kept, (old, new))), self.weights(part, kept)
            if (both := np.isnan(change)).any():
                change, weight = change[~both], None if weight is None else weight[~both]
            total = total.merge(Groups.tallied(coded(signed_step_of(change)), weight, None, "change", change=change))
        return total

    def largest(self, old: Column, new: Column, mean: float, count: int) -> list[tuple[int, float]]:
        """Return the rows (from 0) with the largest |w (d - mean)|, with that value, in descending order."""
        found: list[tuple[int, float]] = []
        for part, kept in self.blocks():
            change = differences(*self.columns(part, kept, (old, new))) - mean
            weight = self.weights(part, kept)
            with np.errstate(over="ignore"):
                size = np.abs(change if weight is None else change * weight)
            # A product that overflows is not the infinite change of a row.
            size[np.isinf(size) & np.isfinite(change)] = np.finfo(np.float64).max
            size[np.isnan(size)] = -1
            # Includes ties with the last wanted row; the first rows among ties are kept.
            least = np.partition(size, len(size) - count)[len(size) - count] if count < len(size) else -np.inf
            places = np.flatnonzero(size >= least)
            places = places[np.argsort(-size[places], kind="stable")[:count]]
            rows = (places if isinstance(kept, slice) else np.flatnonzero(kept)[places]) + part.start
            found = sorted(
                [*found, *zip(rows.tolist(), size[places].tolist(), strict=True)], key=lambda r: (-r[1], r[0])
            )
            found = found[:count]
        return found


def parts_of(groups: Groups[K]) -> dict[K, Part]:
    """Return the Part of each group by name."""
    return {name: Part(**sums) for name, sums in groups}


def _differences_of(
    common: Common, pairs: Sequence[tuple[Column, Column]], block: tuple[slice, Flags | slice]
) -> list[Difference]:
    """The difference of each pair of columns in one block."""
    part, kept = block
    weight, clusters = common.weights(part, kept), common.clusters
    found = []
    for pair in pairs:
        old, new = common.columns(part, kept, pair)
        groups: Groups[int] = Groups()
        if clusters is not None:
            change = np.nan_to_num(differences(old, new), nan=0.0, posinf=np.inf, neginf=-np.inf)
            groups = Groups.tallied(coded(clusters[part][kept]), weight, change=change)
        found.append(Difference(Paired.of(old, new, weight), groups))
    return found


@record(frozen=True)
class Difference(Tally):
    """The difference of a metric between two models; the independent units are rows or clusters."""

    paired: Paired = field(default_factory=Paired)
    clusters: Groups[Any] = field(default_factory=Groups)

    @property
    def units(self) -> int:
        """The number of rows or clusters."""
        return len(self.clusters.names) if self.clusters.pieces else self.paired.moments.rows

    @property
    def change(self) -> float | None:
        """The mean of new - old."""
        return self.paired.change

    @property
    def standard_error(self) -> float | None:
        """The paired standard error of the change; None for fewer than two units or an infinite change."""
        if self.change is None:
            return None
        if not self.clusters.pieces:
            return self.paired.moments.standard_error
        between: float | None = self.clusters["change"].standard_error_between
        return between

    @property
    def p_value(self) -> float | None:
        """The two-sided p of Student's t with units - 1 degrees; None without a standard error."""
        error, change = self.standard_error, self.change
        if error is None or change is None:
            return None
        if not error:
            return 0.0 if change else 1.0
        return two_sided_p(change / error, self.units - 1)

    def interval(self, level: float, unit: float, width: float = math.inf) -> Interval | None:
        """Return the interval of the change, in units of `unit` nats, within -width and width."""
        if self.change is None:
            return None
        noun = "clusters" if self.clusters.pieces else "rows"
        bounds = {"least": -width, "most": width}
        return interval_of(self.change, self.standard_error, self.units, level, unit=unit, noun=noun, **bounds)

    def detectable(self, level: float) -> float | None:
        """Return the change detected with probability POWER: (z of the level + z of the power) x standard error."""
        error = self.standard_error
        return None if error is None else (normal_quantile((1 + level) / 2) + normal_quantile(POWER)) * error

    def verdict(self, better: str, level: float, p: float | None) -> str:
        """Return "better" or "worse" if p is below 1 - level or the change is infinite, else "no difference"."""
        change = self.change
        if not change or (p is None and np.isfinite(change)) or (p is not None and p >= 1 - level):
            return "no difference"
        return "better" if (change < 0) == (better == "lower") else "worse"


def columns_of(spec: str, group: str | tuple[str, ...]) -> list[str]:
    """Return the names of the columns of a --by; there are several if a group is a tuple."""
    return [spec.column] if isinstance(spec, Given) else spec.split(",") if isinstance(group, tuple) else [spec]


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values adjusted for their number (S. Holm, Scandinavian Journal of Statistics 6, 1979); None stays.

    >>> holm([0.01, 0.04, None, 0.03])
    [0.03, 0.06, None, 0.06]
    """
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    least = 0.0
    for rank, (p, place) in enumerate(known):
        least = max(least, min(1.0, (len(known) - rank) * p))
        adjusted[place] = least
    return adjusted
