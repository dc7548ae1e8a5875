"""What is kept of a batch by group: per slice, per class, per cluster; and the worst rows."""

from __future__ import annotations

import heapq
import itertools
import operator
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import field
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np

from xentcli.arrays import Floats, Ints, distinct
from xentcli.columns.texts import Texts
from xentcli.columns.vocabulary import Vocabulary
from xentcli.errors import FileError
from xentcli.readers.source import Coded
from xentcli.records import record
from xentcli.tallies.exact import ExactSum, root
from xentcli.tallies.grouped import GroupMeans, GroupMoments
from xentcli.tallies.moments import Mean, Moments, zeros

__all__ = [
    "Clusters",
    "Details",
    "GroupName",
    "Keyed",
    "Keys",
    "Slice",
    "Slices",
    "Worst",
    "WorstRow",
    "coded",
    "crossed",
    "joined_keys",
    "least_of",
    "named",
    "step_of",
]

K = TypeVar("K", bound=Hashable)
Keys = tuple[Sequence[Any], Ints]
"""Distinct keys, and the place of each row's key among them."""
GroupName = str | tuple[str, ...]
"""What a group of --by is called: the text of its column, or those of several columns."""
_STEP_BITS = 47
_MANY, _AT_LEAST = 1 << 14, 1 << 8
"""So many groups of tallies wait at least before they are brought together; a tally counts as so many at least."""
_ONE = 0x3FF << (52 - _STEP_BITS)


@record(frozen=True)
class Slice:
    """The rows of one group: the moments of the loss, and the mean of what is right."""

    cost: Moments = Moments()
    right: Mean = Mean()

    def merge(self, other: Slice) -> Slice:
        """Return the rows of both."""
        return Slice(self.cost.merge(other.cost), self.right.merge(other.right))


@record(frozen=True, eq=False)
class Slices(Generic[K]):
    """The rows of each group that occurs: the moments of the loss, and the mean of what is right, if that was asked."""

    names: Sequence[K] = ()
    cost: GroupMoments | None = None
    right: GroupMeans | None = None

    @classmethod
    def empty(cls) -> Self:
        """Return no groups."""
        return cls()

    @classmethod
    def of(
        cls,
        keys: Sequence[K] | Ints,
        loss: Floats,
        right: Floats | None,
        weight: Floats | None,
        mass: Floats | None = None,
    ) -> Slices[K]:
        """Tally losses (f8[n]) and what is right (f8[n], or None) of rows whose groups are `keys` (n of them)."""
        return cls.by(coded(keys), loss, weight, mass, right)

    @classmethod
    def by(
        cls, keys: Keys, loss: Floats, weight: Floats | None, mass: Floats | None = None, right: Floats | None = None
    ) -> Self:
        """Tally rows whose keys are found already; weight and mass as `Mean.of` has them."""
        names, codes = keys
        cost = GroupMoments.of(loss, weight, codes, len(names), mass)
        b = weight if mass is None else mass
        return cls(names, cost, None if right is None else GroupMeans.of(right, b, codes, len(names)))

    @classmethod
    def joined(cls, parts: Sequence[Slices[K]], places: Sequence[Ints], names: Sequence[K]) -> Self:
        """Return the groups of all parts, which stand at these places (i8[n] each) among `names`."""
        costs = [part.cost for part in parts if part.cost is not None]
        rights = [part.right for part in parts if part.right is not None]
        right = GroupMeans.joined(rights, places, len(names)) if len(rights) == len(parts) else None
        return cls(names, GroupMoments.joined(costs, places, len(names)), right)

    def merge(self, other: Slices[K]) -> Slices[K]:
        """Return the groups of both."""
        return _merged(self, other)

    @property
    def groups(self) -> Mapping[K, Slice]:
        """The groups one by one."""
        cost, right = self.cost, self.right
        if cost is None:
            return {}
        means = (Mean() if right is None else right[place] for place in range(len(cost)))
        return {
            name: Slice(cost[place], mean) for place, (name, mean) in enumerate(zip(self.names, means, strict=True))
        }

    def __eq__(self, other: object) -> bool:
        """Compare the groups, whatever their order."""
        return self.groups == other.groups if isinstance(other, Slices) else NotImplemented


@record(frozen=True, eq=False)
class Clusters:
    """The sums of each cluster, for a standard error that takes only clusters as independent.

    With r_c = sum over the cluster of (a_i - m b_i), the standard error is
    sqrt(C/(C-1) sum r_c^2) / sum b (the ratio estimator over clusters; W. G. Cochran,
    Sampling Techniques, 1977, chapter 9A).
    """

    names: Sequence[str] = ()
    means: GroupMeans | None = None

    @classmethod
    def empty(cls) -> Self:
        """Return no clusters."""
        return cls()

    @classmethod
    def by(cls, keys: Keys, loss: Floats, weight: Floats | None, mass: Floats | None = None) -> Self:
        """Tally losses (f8[n]) by cluster; weight and mass as `Mean.of` has them."""
        names, codes = keys
        return cls(names, GroupMeans.of(loss, weight, codes, len(names), mass))

    @classmethod
    def joined(cls, parts: Sequence[Clusters], places: Sequence[Ints], names: Sequence[str]) -> Self:
        """Return the clusters of all parts, which stand at these places (i8[n] each) among `names`."""
        means = [part.means for part in parts if part.means is not None]
        return cls(names, GroupMeans.joined(means, places, len(names)))

    def merge(self, other: Clusters) -> Clusters:
        """Return the clusters of both."""
        return _merged(self, other)

    @property
    def sums(self) -> Mapping[str, Mean]:
        """The clusters one by one."""
        return {} if self.means is None else {name: self.means[place] for place, name in enumerate(self.names)}

    def __eq__(self, other: object) -> bool:
        """Compare the clusters, whatever their order."""
        return self.sums == other.sums if isinstance(other, Clusters) else NotImplemented

    @property
    def standard_error(self) -> float | None:
        """The standard error of the mean; None for fewer than two clusters or an infinite loss."""
        if self.means is None or len(self.means) < 2 or not self.means.a.finite.all():
            return None
        (sums, power_a), (weights, power_b) = self.means.a.units(), self.means.b.units()
        # Fewer bits are multiplied sooner.
        one, two = zeros(*sums), zeros(*weights)
        parts = [(a >> one, b >> two) for a, b in zip(sums, weights, strict=True)]
        a, b = (sum(part) for part in zip(*parts, strict=True))
        residuals = sum((x * b - a * y) ** 2 for x, y in parts)
        power = 2 * (power_a + one - power_b - two)
        return root(len(parts) * residuals, (len(parts) - 1) * b**4, power) if b else None


class Grouped(Protocol):
    """What is tallied by group."""

    @property
    def names(self) -> Sequence[Any]:
        """The groups that occur."""
        ...

    @classmethod
    def empty(cls) -> Self:
        """Return no groups."""
        ...

    @classmethod
    def joined(cls, parts: Sequence[Any], places: Sequence[Ints], names: Sequence[Any]) -> Self:
        """Return the groups of all parts, which stand at these places among `names`."""
        ...


G = TypeVar("G", bound=Grouped)


class Keyed(Generic[G]):
    """What was tallied by group of some rows after others, brought together now and then.

    Parameters
    ----------
    kind
        What is tallied.
    limit, what
        How many groups there may be, and what a message calls them.
    """

    def __init__(self, kind: type[G], limit: int, what: str) -> None:
        self._kind: type[G] = kind
        self._limit, self._what = limit, what
        self._names = Vocabulary()
        self._parts: list[G] = []
        self._places: list[Ints] = []
        self._waiting = 0

    def add(self, part: G) -> None:
        """Add the groups of further rows.

        Raises
        ------
        FileError
            For more groups than the limit, naming the option that raises it.
        """
        self._parts.append(part)
        self._places.append(self._names.add(part.names))
        if len(self._names) > self._limit:
            raise FileError(
                f"{self._what} has more than {self._limit:,} groups",
                advice="--max-groups N allows more; each takes memory",
            )
        self._waiting += max(len(part.names), _AT_LEAST)
        if self._waiting > max(_MANY, 2 * len(self._names)):
            self._join()

    def _join(self) -> None:
        whole = self._kind.joined(self._parts, self._places, self._names.names)
        self._parts, self._places, self._waiting = [whole], [np.arange(len(self._names))], 0

    def finish(self) -> G:
        """Return all groups."""
        if not len(self._names):
            return self._kind.empty()
        self._join()
        return self._parts[0]


def _merged(one: G, two: G) -> G:
    """The groups of both."""
    both = Keyed(type(one), len(one.names) + len(two.names), "")
    for part in (one, two):
        if part.names:
            both.add(part)
    return both.finish()


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

    by: tuple[Slices[GroupName], ...] = ()
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
        pairs = itertools.zip_longest(self.by, other.by, fillvalue=Slices[GroupName]())
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


def named(columns: Sequence[str], name: GroupName) -> dict[str, str]:
    """Return the text of each column by which a group is called.

    >>> named(["site"], "north"), named(["site", "day"], ("north", "2"))
    ({'site': 'north'}, {'site': 'north', 'day': '2'})
    """
    return dict(zip(columns, name if isinstance(name, tuple) else (name,), strict=True))


def coded(keys: Any) -> Keys:
    """Return the distinct keys, and the place of each row's key among them.

    `keys` are a sequence, an array of whole numbers, or a column that is coded already.

    >>> names, codes = coded(["b", "a", "b"])
    >>> names, codes.tolist()
    (['b', 'a'], [0, 1, 0])
    """
    if isinstance(keys, np.ndarray):
        found, _, places = distinct(keys)
        return found.tolist(), places
    if isinstance(keys, Coded):
        found, _, places = distinct(keys.codes)
        if isinstance(keys.distinct, Texts):
            return keys.distinct.take(found.astype(np.int64)), places
        return [keys.distinct[code] for code in found.tolist()], places
    vocabulary = Vocabulary()
    codes = vocabulary.add(keys)
    return vocabulary.names, codes


def crossed(columns: Sequence[Keys]) -> Keys:
    """Return the keys of several columns together: tuples; those of one column as they are.

    >>> names, codes = crossed([(["a", "b"], np.array([0, 1, 0])), (["x"], np.array([0, 0, 0]))])
    >>> names, codes.tolist()
    ([('a', 'x'), ('b', 'x')], [0, 1, 0])
    """
    if len(columns) == 1:
        return columns[0]
    code = columns[0][1]
    for names, codes in columns[1:]:
        code = code * len(names) + codes
    _, first, places = distinct(code)
    picked = [[names[place] for place in codes[first].tolist()] for names, codes in columns]
    return list(zip(*picked, strict=True)), places


def joined_keys(pieces: Sequence[Keys]) -> Keys:
    """Return the keys of the rows of several pieces."""
    if len(pieces) == 1:
        return pieces[0]
    vocabulary = Vocabulary()
    codes = [vocabulary.add(names)[codes] for names, codes in pieces]
    return vocabulary.names, np.concatenate(codes)
