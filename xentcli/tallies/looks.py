"""Properties of the predictions themselves, for the diagnoses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Self

import numpy as np

from xentcli.arrays import Flags, Floats, Ints
from xentcli.records import record
from xentcli.scoring.batch import Batch
from xentcli.scoring.losses import Workings
from xentcli.scoring.rows import row_sums
from xentcli.tallies.confusion import MOST_CLASSES, Counts, counted
from xentcli.tallies.moments import Mean
from xentcli.tallies.tally import Tally

__all__ = ["Looks", "half_width", "least_other", "sure_codes"]

_FEW, _FEW_COLUMNS = 8, 64
"""Rows, and columns of them, that are looked at first: as a rule one number of these rules a property out."""
_SLACK = 1e-6
_WIDEST = math.exp(1 + 3 * _SLACK)
"""The largest ratio of two numbers of a softmax of probabilities."""
_Few = Sequence[Sequence[float]]
_BITS = 47
"""Number of low bits of a double that are dropped for its bin: 32 bins per power of two."""
_CERTAIN: Mapping[str, tuple[float, float]] = {
    "probs": (0.0, 1.0),
    "true-probs": (0.0, 1.0),
    "logprobs": (-np.inf, 0.0),
    "true-logprobs": (-np.inf, 0.0),
}
"""For each kind, how predictions express the probabilities 0 and 1."""


@record(frozen=True)
class Looks(Tally):
    """Properties shared by the predictions of all rows so far; one row can rule a property out.

    Attributes
    ----------
    hard
        Whether every prediction is 0 or 1.
    probable
        Whether the logits of every row would be valid probabilities.
    twice
        The mean confidence if every row could be the softmax of probabilities, else None.
    sure
        The codes of `sure_codes` if one column of probabilities is never below 0.5, else None.
    """

    hard: bool = True
    probable: bool = True
    twice: Mean | None = Mean()
    sure: Counts | None = field(default_factory=Counts)

    @classmethod
    def nothing(cls) -> Self:
        """Return the value with every property ruled out, for predictions that could not be examined."""
        return cls(False, False, None, None)

    @property
    def settled(self) -> bool:
        """Whether every property is ruled out."""
        return not (self.hard or self.probable or self.twice is not None or self.sure is not None)

    @classmethod
    def of(cls, work: Workings) -> Looks:
        """Examine rows."""
        batch = work.batch
        few: _Few = batch.values[:_FEW].astype(np.float64, copy=False)[:, :_FEW_COLUMNS].tolist()
        codes = None
        if _sure(batch, few):
            hard = ~work.soft
            codes = sure_codes(batch.predictions[hard, -1], work.index[hard])
        return cls(
            _hard(batch, few),
            _probable(batch, few),
            Mean.of(work.confidence, None) if _twice(batch, few) else None,
            None if codes is None else Counts((counted(codes),)),
        )

    def merge(self, other: Looks) -> Looks:
        """Return the properties that the rows of both share."""
        twice = None if self.twice is None or other.twice is None else self.twice.merge(other.twice)
        sure = None if self.sure is None or other.sure is None else self.sure.merge(other.sure)
        return Looks(self.hard and other.hard, self.probable and other.probable, twice, sure)


def sure_codes(probabilities: Floats, positive: Ints | Flags) -> Ints:
    """Return i8[n]: 2 x bin + positive, where bin is that of 1 - q (f8[n], from 0 to 0.5)."""
    bins = (1 - probabilities).view(np.int64) >> _BITS
    return 2 * bins + positive


def least_other(bins: Ints) -> Floats:
    """Return the least 1 - q of each bin; for the bin of 0, half the least 1 - q of a double q below 1."""
    return np.maximum((bins << _BITS).view(np.float64), 2.0**-54)


def half_width(bins: Ints) -> Floats:
    """Return half the width of each bin; 0 for the bins of 0 and 0.5, which hold a single value."""
    least, next_ = ((at << _BITS).view(np.float64) for at in (bins, bins + 1))
    return np.where((least == 0) | (least == 0.5), 0, (next_ - least) / 2)


def _hard(batch: Batch, few: _Few) -> bool:
    """Whether every probability is 0 or 1."""
    low, high = _CERTAIN.get(batch.kind, (None, None))
    if low is None or any(q not in (low, high) for row in few for q in row):
        return False
    q = batch.predictions
    return bool(np.logical_and.reduce((q == low) | (q == high), axis=None))


def _sure(batch: Batch, few: _Few) -> bool:
    """Whether no probability of one column is below 0.5."""
    if batch.kind != "probs" or not batch.binary or batch.multilabel or any(row[-1] < 0.5 for row in few):
        return False
    return bool((batch.predictions[:, -1] >= 0.5).all())


def _probable(batch: Batch, few: _Few) -> bool:
    """Whether the logits of every row would be valid probabilities."""
    if batch.kind != "logits" or any(not 0 <= z < 1.01 for row in few for z in row):
        return False
    z = batch.predictions
    if batch.binary or batch.multilabel:
        return bool(((z >= 0) & (z <= 1)).all())
    with np.errstate(over="ignore", invalid="ignore"):
        return bool((z >= 0).all() and (np.abs(row_sums(z) - 1) <= 0.001).all())


def _twice(batch: Batch, few: _Few) -> bool:
    """Whether each row is the softmax of some probabilities p.

    Then ln q = p - c, and sum p = 1 gives p = ln q - mean(ln q) + 1/K, which must lie from 0 to 1.
    """
    if batch.target is None or batch.multilabel or batch.kind != "probs" or batch.binary:
        return False
    if batch.classes > MOST_CLASSES or any(not 0 < max(row) <= _WIDEST * min(row) for row in few):
        return False
    return _is_softmax_of_probabilities(batch.predictions)


def _is_softmax_of_probabilities(q: Floats) -> bool:
    low = np.minimum.reduce(q, axis=1)
    # Most rows have a ratio above e between the largest and the smallest: no logarithm is needed.
    near = np.maximum.reduce(q, axis=1) <= _WIDEST * low
    if not np.logical_and.reduce((low > 0) & near):
        return False
    logs = np.log(q)
    p = logs - logs.mean(axis=1, keepdims=True) + 1 / q.shape[1]
    return bool((p >= -_SLACK).all() and (p <= 1 + _SLACK).all())
