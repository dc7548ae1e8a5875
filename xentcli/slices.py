"""What is kept of a batch by group: per slice, per class, per cluster; and the worst rows."""

from __future__ import annotations

import heapq
import itertools
import operator
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import numpy as np

from xentcli.arrays import Floats, Ints, distinct
from xentcli.errors import FileError
from xentcli.exact import (
    UNIT_BITS,
    ExactSum,
    grouped_product_units,
    grouped_units,
    moderate,
    product_units_by_group,
    root,
    units_by_group,
    wide,
    wide_product,
)
from xentcli.readers.source import Coded
from xentcli.records import record
from xentcli.tallies import Mean, Moments, zeros

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "Clusters",
    "Details",
    "Keys",
    "Slice",
    "Slices",
    "Worst",
    "WorstRow",
    "coded",
    "crossed",
    "joined_keys",
    "least_of",
    "moments_by_group",
    "step_of",
]

K = TypeVar("K", bound=Hashable)
Keys = tuple[list[Any], Ints]
"""Distinct keys in the order in which they occur, and the place of each row's key among them."""
_STEP_BITS = 47
FEW_ROWS, MANY_ROWS, ROWS_FOR_EACH = 1 << 17, 1 << 21, 256
"""So many rows are tallied by key at once: more for more groups, each of which takes the time of a hundred rows."""
_ONE = 0x3FF << (52 - _STEP_BITS)


@record(frozen=True)
class Slice:
    """The rows of one group: the moments of the loss, and the mean of what is right."""

    cost: Moments = Moments()
    right: Mean = Mean()

    def merge(self, other: Slice) -> Slice:
        """Return the rows of both."""
        return Slice(self.cost.merge(other.cost), self.right.merge(other.right))


@record(frozen=True)
class Slices(Generic[K]):
    """A Slice for each group that occurs."""

    groups: Mapping[K, Slice] = field(default_factory=dict)

    @classmethod
    def empty(cls) -> Self:
        """Return no groups."""
        return cls()

    @classmethod
    def of(cls, keys: Sequence[K] | Ints, loss: Floats, right: Floats | None, weight: Floats | None) -> Slices[K]:
        """Tally losses (f8[n]) and what is right (f8[n], or None) of rows whose groups are `keys` (n of them)."""
        return cls.by(coded(keys), loss, weight, right)

    @classmethod
    def by(cls, keys: Keys, loss: Floats, weight: Floats | None, right: Floats | None = None) -> Self:
        """Tally rows whose keys are found already."""
        names, codes = keys
        costs = moments_by_group(loss, weight, codes, len(names))
        rights = [Mean()] * len(names) if right is None else means_by_group(right, weight, codes, len(names))
        return cls({name: Slice(cost, mean) for name, cost, mean in zip(names, costs, rights, strict=True)})

    def merge(self, other: Slices[K]) -> Slices[K]:
        """Return the groups of both."""
        if not other.groups:
            return self
        groups = dict(self.groups)
        for name, slice_ in other.groups.items():
            groups[name] = groups[name].merge(slice_) if name in groups else slice_
        return Slices(groups)


@record(frozen=True)
class Clusters:
    """The sums of each cluster, for a standard error that takes only clusters as independent.

    With r_c = sum over the cluster of (a_i - m b_i), the standard error is
    sqrt(C/(C-1) sum r_c^2) / sum b (the ratio estimator over clusters; W. G. Cochran,
    Sampling Techniques, 1977, chapter 9A).
    """

    sums: Mapping[str, Mean] = field(default_factory=dict)

    @classmethod
    def empty(cls) -> Self:
        """Return no clusters."""
        return cls()

    @classmethod
    def by(cls, keys: Keys, loss: Floats, weight: Floats | None) -> Self:
        """Tally losses (f8[n]) with their weights by cluster."""
        names, codes = keys
        return cls(dict(zip(names, means_by_group(loss, weight, codes, len(names)), strict=True)))

    def merge(self, other: Clusters) -> Clusters:
        """Return the clusters of both."""
        sums = dict(self.sums)
        for name, mean in other.sums.items():
            sums[name] = sums[name].merge(mean) if name in sums else mean
        return Clusters(sums)

    @property
    def standard_error(self) -> float | None:
        """The standard error of the mean; None for fewer than two clusters or an infinite loss."""
        means = self.sums.values()
        if len(means) < 2 or not all(mean.a.all_finite for mean in means):
            return None
        # Fewer bits are multiplied sooner.
        one, two = zeros(*(mean.a.units for mean in means)), zeros(*(mean.b.units for mean in means))
        parts = [(mean.a.units >> one, mean.b.units >> two) for mean in means]
        a, b = (sum(part) for part in zip(*parts, strict=True))
        residuals = sum((x * b - a * y) ** 2 for x, y in parts)
        return root(len(parts) * residuals, (len(parts) - 1) * b**4, 2 * (one - two)) if b else None


@record(frozen=True)
class WorstRow:
    """A row and its loss, with what a person wants to see beside it."""

    loss: float
    row: int
    id: str | None = None
    label: str | None = None
    predicted: str | None = None
    probability: float | None = None
    predicted_probability: float | None = None
    shown: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[float, int]:
        """Sorts the worst first; of equal losses the first row."""
        return -self.loss, self.row


@record(frozen=True)
class Worst:
    """The rows of the largest loss, the worst first, at most `most` of them."""

    most: int = 0
    rows: tuple[WorstRow, ...] = ()

    @classmethod
    def empty(cls) -> Self:
        """Return no rows."""
        return cls()

    def merge(self, other: Worst) -> Worst:
        """Return the worst of both."""
        most = max(self.most, other.most)
        rows = heapq.merge(self.rows, other.rows, key=operator.attrgetter("rank"))
        return Worst(most, tuple(row for row, _ in zip(rows, range(most), strict=False)))


@record(frozen=True)
class Details:
    """All that was asked for beside the figures: slices, classes, clusters, the worst rows, the bytes, the tail.

    tail has the rows by the size of their loss, 32 steps to a doubling: see `step_of`.
    """

    by: tuple[Slices[tuple[str, ...]], ...] = ()
    by_class: Slices[int] = field(default_factory=Slices)
    clusters: Clusters = field(default_factory=Clusters)
    worst: Worst = Worst()
    bytes: ExactSum = ExactSum()
    tail: Slices[int] = field(default_factory=Slices)

    @classmethod
    def empty(cls) -> Self:
        """Return the details of no rows."""
        return cls()

    def merge(self, other: Details) -> Details:
        """Return the details over both."""
        pairs = itertools.zip_longest(self.by, other.by, fillvalue=Slices[tuple[str, ...]]())
        return Details(
            tuple(one.merge(two) for one, two in pairs),
            self.by_class.merge(other.by_class),
            self.clusters.merge(other.clusters),
            self.worst.merge(other.worst),
            self.bytes.merge(other.bytes),
            self.tail.merge(other.tail),
        )


def step_of(loss: Floats) -> Ints:
    """i8[n]: the step that a loss from 0 up is on; the bits of a double, 32 steps to a doubling.

    >>> step_of(np.array([1.0, 1.01, 2.0])).tolist() == [_ONE, _ONE, _ONE + 32]
    True
    """
    steps: Ints = np.maximum(loss, 0.0).view(np.int64) >> _STEP_BITS
    return steps


def least_of(step: int) -> float:
    """Return the least loss on a step.

    >>> least_of(_ONE), least_of(_ONE + 16)
    (1.0, 1.5)
    """
    return float(np.array([step << _STEP_BITS]).view(np.float64)[0])


def coded(keys: Any) -> tuple[list[Any], Ints]:
    """Return the distinct keys in the order in which they occur, and the place of each row's key there.

    `keys` are a sequence, an array of whole numbers, or a column that is coded already.

    >>> names, codes = coded(["b", "a", "b"])
    >>> names, codes.tolist()
    (['b', 'a'], [0, 1, 0])
    """
    if isinstance(keys, np.ndarray):
        found, first, places = distinct(keys)
        return _in_order(found.tolist(), first, places)
    if isinstance(keys, Coded):
        found, first, places = distinct(keys.codes)
        return _in_order([keys.distinct[code] for code in found.tolist()], first, places)
    places_: dict[Any, int] = {}
    codes = np.fromiter((places_.setdefault(key, len(places_)) for key in keys), dtype=np.int64, count=len(keys))
    return list(places_), codes


def _in_order(names: list[Any], first: Ints, places: Ints) -> tuple[list[Any], Ints]:
    """Bring names into the order of their first rows."""
    order = np.argsort(first)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return [names[place] for place in order.tolist()], rank[places]


def crossed(columns: Sequence[Keys]) -> Keys:
    """Return the keys of several columns together: tuples.

    >>> names, codes = crossed([(["a", "b"], np.array([0, 1, 0])), (["x"], np.array([0, 0, 0]))])
    >>> names, codes.tolist()
    ([('a', 'x'), ('b', 'x')], [0, 1, 0])
    """
    if len(columns) == 1:
        return [(name,) for name in columns[0][0]], columns[0][1]
    code = columns[0][1]
    for names, codes in columns[1:]:
        code = code * len(names) + codes
    _, first, places = distinct(code)
    picked = [[names[place] for place in codes[first].tolist()] for names, codes in columns]
    return _in_order(list(zip(*picked, strict=True)), first, places)


def joined_keys(pieces: Sequence[Keys]) -> Keys:
    """Return the keys of the rows of several pieces."""
    if len(pieces) == 1:
        return pieces[0]
    places: dict[Any, int] = {}
    codes = [_placed(keys, places) for keys in pieces]
    return list(places), np.concatenate(codes)


def _placed(keys: Keys, places: dict[Any, int]) -> Ints:
    """The place of each row's key among all that were met, to which new ones are added."""
    names, codes = keys
    moved = np.array([places.setdefault(name, len(places)) for name in names], dtype=np.int64)
    return moved[codes] if len(names) else codes


def means_by_group(values: Floats, weight: Floats | None, codes: Ints, groups: int) -> list[Mean]:
    """Return a Mean for each group."""
    if not np.isfinite(values).all():
        means = means_by_group(_finite(values), weight, codes, groups)
        for group, rows in _rows_not_finite(values, codes):
            means[group] = Mean.of(values[rows], _of(weight, rows))
        return means
    if weight is None:
        counts = np.bincount(codes, minlength=groups).tolist()
        a = grouped_units(values, codes, groups)
        return [Mean(ExactSum(x), ExactSum(count << UNIT_BITS)) for x, count in zip(a, counts, strict=True)]
    if moderate(values) and moderate(weight):
        a = grouped_units(values * weight, codes, groups)
    else:
        a = list(units_by_group(wide_product(values, weight), codes, groups))
    b = grouped_units(weight, codes, groups)
    return [Mean(ExactSum(x), ExactSum(y)) for x, y in zip(a, b, strict=True)]


def moments_by_group(values: Floats, weight: Floats | None, codes: Ints, groups: int) -> list[Moments]:
    """Return the Moments of each group, the same as those of its rows alone."""
    if not np.isfinite(values).all():
        moments = moments_by_group(_finite(values), weight, codes, groups)
        for group, rows in _rows_not_finite(values, codes):
            moments[group] = Moments.of(values[rows], _of(weight, rows))
        return moments
    means = means_by_group(values, weight, codes, groups)
    counts = np.bincount(codes, minlength=groups).tolist()
    if weight is None:
        aa = grouped_product_units(values, values, codes, groups)
        return [
            Moments(mean, count, ExactSum(x), mean.a, mean.b) for mean, count, x in zip(means, counts, aa, strict=True)
        ]
    with np.errstate(over="ignore", under="ignore"):
        product = values * weight
    if moderate(values) and moderate(weight) and moderate(product):
        pairs = ((product, product), (product, weight), (weight, weight))
        products = [grouped_product_units(x, y, codes, groups) for x, y in pairs]
    else:
        a, b = wide_product(values, weight), wide(weight)
        products = [list(product_units_by_group(x, y, codes, groups)) for x, y in ((a, a), (a, b), (b, b))]
    return [
        Moments(mean, count, *map(ExactSum, sums)) for mean, count, *sums in zip(means, counts, *products, strict=True)
    ]


G = TypeVar("G", Slices[tuple[str, ...]], Clusters)


class Keyed(Generic[G]):
    """Rows with a key each, tallied when many have come: groups that are many cost little for each row.

    Parameters
    ----------
    tally
        The tally of no rows.
    limit, what
        How many groups there may be, and what a message calls them.
    """

    def __init__(self, tally: G, limit: int, what: str) -> None:
        self._tally: G = tally
        self._limit, self._what = limit, what
        self._places: dict[Any, int] = {}
        self._waiting: list[tuple[npt.NDArray[np.int32], Floats, Floats | None]] = []
        self._rows = 0

    def add(self, keys: Keys, loss: Floats, weight: Floats | None) -> None:
        """Add rows: the distinct keys and the place of each row's (i8[n]), losses and weights (f8[n]).

        Raises
        ------
        FileError
            For more groups than the limit, naming the option that raises it.
        """
        places = _placed(keys, self._places)
        if len(self._places) > self._limit:
            raise FileError(
                f"{self._what} has more than {self._limit:,} groups",
                advice="--max-groups N allows more; each takes memory",
            )
        # Half the size is enough for their number, and they wait for long.
        self._waiting.append((places.astype(np.int32), loss, weight))
        self._rows += len(loss)
        if self._rows >= min(max(FEW_ROWS, ROWS_FOR_EACH * len(self._places)), MANY_ROWS):
            self.finish()

    def finish(self) -> G:
        """Tally what waits; return all groups."""
        if self._rows:
            codes, _, places = distinct(np.concatenate([part for part, _, _ in self._waiting]))
            loss = np.concatenate([part for _, part, _ in self._waiting])
            weights = [np.ones(len(part)) if weight is None else weight for _, part, weight in self._waiting]
            weight = None if all(w is None for _, _, w in self._waiting) else np.concatenate(weights)
            names = list(self._places)
            found = self._tally.by(([names[code] for code in codes.tolist()], places), loss, weight)
            self._tally = self._tally.merge(found)
        self._waiting, self._rows = [], 0
        return self._tally


def _finite(values: Floats) -> Floats:
    """The values, with 0 in place of those that are not finite."""
    return np.where(np.isfinite(values), values, 0.0)


def _rows_not_finite(values: Floats, codes: Ints) -> Iterator[tuple[int, Ints]]:
    """Yield each group in which a value is not finite, and all of its rows."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    for group in distinct(codes[~np.isfinite(values)])[0].tolist():
        first, last = np.searchsorted(ordered, (group, group + 1))
        yield group, order[first:last]


def _of(weight: Floats | None, rows: Ints) -> Floats | None:
    return None if weight is None else weight[rows]
