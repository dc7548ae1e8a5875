"""Detect from the confusion matrix that prediction columns are in another order than the class names."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from xentcli.arrays import Flags, Floats, Ints, distinct
from xentcli.tallies.confusion import Pairs

__all__ = ["better_order"]

Cycle = tuple[int, ...]
"""A cycle of columns: each holds the class of the next one, the last that of the first."""
_ODDS, _SURE, _SURE_OF_EACH = 3.0, 13.0, 8.0
"""Evidence required for a cycle of c among K columns: odds of 3 each, and a log-likelihood ratio of 13 + c ln K; of
8 + c ln K where each class of the cycle has more rows right."""


def better_order(pairs: Pairs, classes: int) -> list[int] | None:
    """Return the class that each column stands for, if some are clearly exchanged, or None.

    With n(t, p) the rows of true class t and predicted class p, columns p and t are
    exchanged where n(t,p) n(p,t) >= 9 n(p,p) n(t,t), more rows are right with them
    exchanged, and the likelihood ratio exceeds e^13 for each of the K^2 pairs, or e^8 where more rows of t and more
    of p are right: a model that never predicts one class only seems to exchange it. Cycles of three and more columns
    likewise.

    For any model that separates two classes at all, n(t,p) n(p,t) / (n(p,p) n(t,t)) is below 1:
    the class frequencies that it assumes cancel.
    """
    table = _Table(pairs, classes)
    if not table.has_larger:
        return None
    candidates = {*table.pairs(), *filter(table.is_sure, table.cycles())}
    ranked = sorted((table.gain(cycle), cycle) for cycle in candidates)
    order, taken = list(range(classes)), set[int]()
    for _, cycle in reversed(ranked):
        if taken.isdisjoint(cycle):
            taken.update(cycle)
            for column, stands_for in _edges(cycle):
                order[column] = stands_for
    return order if taken else None


class _Table:
    """A sparse confusion matrix."""

    def __init__(self, pairs: Pairs, classes: int) -> None:
        self._true, self._predicted, self._counts = pairs.true, pairs.predicted, pairs.counts
        self._classes = classes
        self._codes = pairs.true * classes + pairs.predicted

    @property
    def has_larger(self) -> bool:
        """Whether a class has more rows in another column than in its own: so has one of every cycle that is sure."""
        own = np.zeros(self._classes, dtype=np.int64)
        right = self._true == self._predicted
        own[self._true[right]] = self._counts[right]
        return bool((self._counts > own[self._true]).any())

    def _at(self, true: Ints, predicted: Ints) -> Ints:
        """i8[m]: the number of rows of each pair."""
        codes = true * self._classes + predicted
        places = np.minimum(np.searchsorted(self._codes, codes), len(self._codes) - 1)
        found: Ints = np.where(self._codes[places] == codes, self._counts[places], 0)
        return found

    def pairs(self) -> Iterator[Cycle]:
        """Yield the pairs of columns that are clearly exchanged."""
        # The log-likelihood ratio of n rows is at most n ln 2, and the larger count is at least n / 4.
        least = 0.999 * (_SURE_OF_EACH + 2 * math.log(self._classes)) / (4 * math.log(2))
        many = np.flatnonzero((self._counts >= least) & (self._true != self._predicted))
        if not len(many):
            return
        t, p = self._true[many], self._predicted[many]
        a, b = np.divmod(distinct(np.minimum(t, p) * self._classes + np.maximum(t, p))[0], self._classes)
        there, here = np.stack([self._at(a, b), self._at(b, a)]), np.stack([self._at(a, a), self._at(b, b)])
        sure = _sure(there, here, self._classes)
        yield from zip(a[sure].tolist(), b[sure].tolist(), strict=True)

    def cycles(self) -> Iterator[Cycle]:
        """Yield cycles of columns in which most rows of each column have the class of the next."""
        most = np.zeros(self._classes, dtype=np.int64)
        np.maximum.at(most, self._predicted, self._counts)
        largest = np.flatnonzero(self._counts == most[self._predicted])
        next_ = dict(zip(self._predicted[largest].tolist(), self._true[largest].tolist(), strict=True))
        next_ = {column: stands_for for column, stands_for in next_.items() if column != stands_for}
        seen: set[int] = set()
        for start in next_:
            path: list[int] = []
            column = start
            while column in next_ and column not in seen:
                seen.add(column)
                path.append(column)
                column = next_[column]
            if column in path[:-1]:
                cycle = path[path.index(column) :]
                first = cycle.index(min(cycle))
                yield (*cycle[first:], *cycle[:first])

    def _counts_of(self, cycle: Cycle) -> tuple[Ints, Ints]:
        """i8[m] each: for each class of a cycle, its rows in the column that stands for it, and in its own."""
        columns, stand_for = (np.array(side) for side in zip(*_edges(cycle), strict=True))
        return self._at(stand_for, columns), self._at(stand_for, stand_for)

    def gain(self, cycle: Cycle) -> int:
        """Return how many more rows are right if each column of a cycle stands for the next class."""
        there, here = self._counts_of(cycle)
        return int(there.sum() - here.sum())

    def is_sure(self, cycle: Cycle) -> bool:
        """Whether the columns of a cycle clearly stand for the next classes."""
        there, here = self._counts_of(cycle)
        return bool(_sure(there[:, None], here[:, None], self._classes)[0])


def _sure(there: Ints, here: Ints, classes: int) -> Flags:
    """bool[m]: whether columns stand for the next class of their cycle, from counts i8[c, m] by class, of m cycles."""
    length = len(there)
    log_odds = np.log((there + 0.5) / (here + 0.5)).sum(axis=0)
    sure: Flags = (there.sum(axis=0) > here.sum(axis=0)) & (log_odds >= length * math.log(_ODDS))
    sure &= (there > 0).all(axis=0)
    required = np.where((there > here).all(axis=0), _SURE_OF_EACH, _SURE) + length * math.log(classes)
    # Most are ruled out by the ratio to even shares of each class, which have odds of 1 too.
    sure[sure] = _against_even(there[:, sure], here[:, sure]) >= 0.999 * required[sure]
    if sure.any():
        sure[sure] = _evidence(there[:, sure], here[:, sure]) >= required[sure]
    return sure


def _against_even(there: Ints, here: Ints) -> Floats:
    """f8[m]: the log-likelihood ratio against equal shares, which is at least `_evidence`; `there` has no zeros."""
    half = (there + here) / 2
    ratio: Floats = (there * np.log(there / half) + here * np.log(np.maximum(here, 1) / half)).sum(axis=0)
    return ratio


def _evidence(there: Ints, here: Ints) -> Floats:
    """f8[m]: the log-likelihood ratio against odds of 1, for counts i8[c, m]; `there` has no zeros.

    With odds of 1 the most likely counts are there - x and here + x, where x makes the product of
    their ratios 1; for two columns this is the G test of a 2 x 2 table.
    """
    low, high = np.zeros(there.shape[1]), there.min(axis=0).astype(np.float64)
    with np.errstate(divide="ignore"):
        for _ in range(60):
            x = (low + high) / 2
            above = np.log((there - x) / (here + x)).sum(axis=0) > 0
            low, high = np.where(above, x, low), np.where(above, high, x)
    x = low
    own = here * np.log(np.maximum(here, 1) / np.maximum(here + x, 1e-300))
    ratio: Floats = (there * np.log(there / (there - x)) + own).sum(axis=0)
    return ratio


def _edges(cycle: Cycle) -> Iterator[tuple[int, int]]:
    yield from zip(cycle, (*cycle[1:], cycle[0]), strict=True)
