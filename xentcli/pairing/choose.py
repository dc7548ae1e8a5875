"""Choose the prediction columns among those without a role, by the names of the labels, confirmed by row sums."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from xentcli.arrays import Flags, Floats, Ints
from xentcli.columns.column import Coded, Values
from xentcli.columns.missing import is_missing
from xentcli.columns.numerals import hundredths, in_points, number
from xentcli.columns.texts import Texts
from xentcli.pairing.alignment import PartQueue
from xentcli.pairing.columns import Found, groups_of
from xentcli.readers.source import Pick
from xentcli.records import cached_property, record
from xentcli.settings import Settings

__all__ = ["LOOK_AT", "Head", "families", "probabilities"]

LOOK_AT = 100
_ENOUGH = 20_000
"""Numbers read to see whether rows sum to 1; with many columns, few rows suffice."""
_MOST_RUNS = 300
"""With more columns, runs of neighbouring columns are not tried."""


@record(frozen=True, eq=False)
class Head:
    """The first rows of columns that could be predictions.

    Attributes
    ----------
    found
        The columns.
    q
        f8[n, columns]: their numbers after --scale; NaN if a cell is not a number.
    rows
        i8[n]: the indices of these rows; rows of weight 0 or with an ignored label are skipped.
    tolerance
        Tolerance of a row sum of 1.
    words
        bool[columns]: whether a column has a cell that is neither a number nor a missing value.
    """

    found: Found
    q: Floats
    rows: Ints
    tolerance: float
    words: Flags

    @classmethod
    def of(cls, found: Found, queue: PartQueue, settings: Settings, counted: Flags | None) -> Head:
        """Read the first rows without consuming them; `counted` (None: all) says which of them count."""
        limit = max(4, min(LOOK_AT, _ENOUGH // len(found.columns)))
        picks = {f"{column}": Pick((column,), "values") for column in found.columns}
        decimal = found.source.traits.decimal
        words = np.zeros(len(picks), dtype=bool)
        pieces = []
        for rows in queue.look(picks, limit):
            if rows.count:
                columns = [rows.values[role] for role in picks]
                pieces.append(np.column_stack([_numbers(values, decimal) for values in columns]))
                words |= [_has_words(values, decimal) for values in columns]
        values = np.concatenate(pieces) if pieces else np.empty((0, len(picks)))
        counting = np.arange(len(values)) if counted is None else np.flatnonzero(counted[: len(values)])
        if settings.skip_missing:
            absent = np.isnan(values)
            counting = counting[~absent[counting][:, ~absent.all(axis=0)].any(axis=1)]
        return cls(found, probabilities(values[counting], settings), counting, settings.sum_tolerance, words)

    def off(self, places: Sequence[int]) -> Flags:
        """bool[rows]: whether the columns at these places do not sum to 1."""
        sums: Floats = np.add.reduce(self.q[:, list(places)], axis=1)
        return np.logical_not(np.abs(sums - 1) <= self.tolerance)

    def all_are_nearer(self, places: Sequence[int]) -> bool:
        """Whether all columns are in [0, 1], and their worst row sum is at least as close to 1 as that of `places`."""
        if not len(self.q) or not self._shares.all():
            return False
        every, some = (np.abs(q.sum(axis=1) - 1).max() for q in (self.q, self.q[:, list(places)]))
        return bool(every <= some + 1e-9)

    def sums_to_1(self, places: Sequence[int]) -> bool:
        """Whether these are two or more columns in [0, 1] that sum to 1 in every row."""
        chosen = len(places) > 1 and bool(len(self.q)) and bool(self._shares[list(places)].all())
        return chosen and not bool(self.off(places).any())

    @cached_property
    def _shares(self) -> Flags:
        """bool[columns]: whether a column lies in [0, 1]."""
        inside = (self.q >= -self.tolerance) & (self.q <= 1 + self.tolerance)
        shares: Flags = np.logical_and.reduce(inside, axis=0)
        return shares

    @property
    def shares(self) -> list[int]:
        """The places of the columns that lie in [0, 1]."""
        return np.flatnonzero(self._shares).tolist()

    @property
    def only_graded(self) -> tuple[int, ...]:
        """The only column from 0 to 1 with other values than the two, of three the one between; else none.

        Of two one may be the confidence of the other.
        """
        graded = [place for place in self.shares if not np.isin(self.q[:, place], (0, 1)).all()]
        if len(graded) == 3:
            # An estimate with the limits of its interval.
            low, high = self.q[:, graded].min(axis=1), self.q[:, graded].max(axis=1)
            between = [p for p in graded if ((low < self.q[:, p]) & (self.q[:, p] < high)).all()]
            graded = between or graded
        for place, other in (graded, graded[::-1]) if len(graded) == 2 else ():
            # A probability beside the confidence that is made of it.
            if np.allclose(np.maximum(self.q[:, place], 1 - self.q[:, place]), self.q[:, other], rtol=0, atol=1e-5):
                graded = [place]
        return tuple(graded) if len(graded) == 1 else ()

    @property
    def without_text(self) -> list[int]:
        """The places of the columns with a number, or with missing values only (they may be missing predictions)."""
        return np.flatnonzero(~np.isnan(self.q).all(axis=0) | ~self.words).tolist()

    def columns(self, places: Sequence[int]) -> tuple[int, ...]:
        """The columns at some places."""
        return tuple(self.found.columns[place] for place in places)

    def names(self, places: Sequence[int]) -> tuple[str, ...]:
        """The names of the columns at some places."""
        return tuple(self.found.names[place] for place in places)

    @property
    def is_mixed(self) -> bool:
        """Whether a column has numbers and other cells."""
        none = np.isnan(self.q)
        return bool((none.any(axis=0) & ~none.all(axis=0)).any())

    def is_distinct(self, name: str) -> bool:
        """Whether no number of a column occurs twice."""
        values = self.q[:, self.found.names.index(name)]
        return bool((np.diff(np.sort(values)) != 0).all())

    def named(self, labels: Sequence[Collection[str]]) -> list[tuple[int, ...]]:
        """Return the sets of columns named like all labels; only those that sum to 1, if there are any.

        Their values lie in [0, 1], and of nested sets only the larger is returned. A set is dropped if a column of
        the same family has an impossible number: that number must be reported, not skipped.
        """
        if not self.found.source.names:
            return []
        numbers = self.without_text
        each = (places for names in labels for places in families(self.names(numbers), names))
        kin = dict.fromkeys(tuple(numbers[place] for place in places) for places in each if len(places) > 1)
        faulty = [{*places} for places in kin if not self._shares[list(places)].all()]
        every = [places for places in kin if not any({*places} <= other for other in faulty)]
        sets = [places for places in every if self.sums_to_1(places)] or list(every)
        return [places for places in sets if not any(set(places) < set(other) for other in sets)]

    @property
    def summing(self) -> tuple[int, ...]:
        """The set of columns that sums to 1, if any: a list, all in [0, 1], all of these but one, or neighbours.

        With an infinite or missing number there is none: it must be reported, not skipped.
        """
        if np.isinf(self.q).any() or np.isnan(self.q[:, ~self.words]).any():
            return ()
        groups = groups_of(self.found.source).values()
        lists = [tuple(self.found.columns.index(c) for c in g) for g in groups if {*g} <= {*self.found.columns}]
        sets = [places for places in lists if self.sums_to_1(places)]
        shares = self.shares
        if not sets and self.sums_to_1(shares):
            sets = [tuple(shares)]
        if not sets and len(shares) > 2:
            sets = [(*shares[:out], *shares[out + 1 :]) for out in self._spare(shares)]
        if not sets and len(shares) > 3:
            sets = self._runs(shares)
        return sets[0] if len(sets) == 1 else ()

    def _spare(self, shares: list[int]) -> list[int]:
        """The columns that can be left out one at a time so that the others sum to 1."""
        q = self.q[:, shares]
        rest = q.sum(axis=1, keepdims=True) - q
        return np.flatnonzero((np.abs(rest - 1) <= self.tolerance).all(axis=0)).tolist()

    def _runs(self, shares: list[int]) -> list[tuple[int, ...]]:
        """The longest runs of neighbouring columns in [0, 1] that sum to 1."""
        total = np.pad(self.q[:, shares[:_MOST_RUNS]].cumsum(axis=1), ((0, 0), (1, 0)))
        found: list[tuple[int, ...]] = []
        for first in range(total.shape[1] - 2):
            fits = (np.abs(total[:, first + 2 :] - total[:, [first]] - 1) <= self.tolerance).all(axis=0)
            found += [tuple(shares[first : first + 2 + end]) for end in np.flatnonzero(fits).tolist()]
        longest = max(map(len, found), default=0)
        return [places for places in found if len(places) == longest]


def probabilities(values: Values, settings: Settings) -> Floats:
    """Return numbers as the probabilities that are to sum to 1: after --scale, and exp() of log-probabilities."""
    q = np.asarray(settings.recipe().scaled(np.asarray(values, dtype=np.float64)), dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.exp(q) if settings.kind == "logprobs" else q


def _numbers(values: Values, decimal: str) -> Floats:
    """f8[n]: a column as numbers; NaN if a cell is not a number."""
    if isinstance(values, Coded | list | Texts):
        cells = (number(in_points(hundredths(text, decimal), decimal)) for text in values)
        return np.array([np.nan if value is None else value for value in cells], dtype=np.float64)
    return np.asarray(values, dtype=np.float64)


def _has_words(values: Values, decimal: str) -> bool:
    """Whether a column has a text that is neither a number nor a missing value."""
    if not isinstance(values, Coded | list | Texts):
        return False
    texts = set(values.distinct) if isinstance(values, Coded) else set(values)
    return any(number(in_points(hundredths(t, decimal), decimal)) is None and not is_missing(t) for t in texts)


def families(names: Sequence[str], labels: Collection[str]) -> Iterator[tuple[int, ...]]:
    """Yield each set of columns (as places) named like all labels, exactly or between a common prefix and suffix.

    With affixes, all columns that have them form a set too, as do all columns whose names are numbers if the labels
    are numbers: a class may have no rows.

    >>> list(families(["id", "p_red", "p_blue", "p_grey", "red", "blue"], {"red", "blue"}))
    [(1, 2, 3), (1, 2), (4, 5)]
    >>> list(families(["id", "0", "1", "2"], {"0", "1"}))
    [(1, 2, 3), (1, 2)]
    """
    places = {name: place for place, name in enumerate(names)}
    longest = max(labels, key=len, default="")
    ends = dict.fromkeys(
        (name[:at], name[at + len(longest) :])
        for name in names
        for at in range(len(name))
        if longest and name.startswith(longest, at)
    )
    for before, after in ends:
        found = [places.get(f"{before}{label}{after}", -1) for label in labels]
        if -1 in found:
            continue
        if before or after:
            least = len(before) + len(after)
            alike = (place for name, place in places.items() if name.startswith(before) and name.endswith(after))
            yield tuple(place for place in alike if len(names[place]) > least)
        elif all(label.isdecimal() for label in labels):
            yield tuple(place for name, place in places.items() if name.isdecimal())
        yield tuple(sorted(found))
