"""Properties of the predictions themselves, for the diagnoses."""

from __future__ import annotations

from collections.abc import Mapping
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

_FEW = 8
_BITS = 47
"""Low bits of a double that its bin leaves out: there are 32 bins from each power of two to the next."""
_CERTAIN: Mapping[str, tuple[float, float]] = {
    "probs": (0.0, 1.0),
    "true-probs": (0.0, 1.0),
    "logprobs": (-np.inf, 0.0),
    "true-logprobs": (-np.inf, 0.0),
}
"""The values of the probabilities 0 and 1 in predictions of each kind."""


@record(frozen=True)
class Looks(Tally):
    """Properties that the predictions of all rows share; any row can rule one out.

    Attributes
    ----------
    hard
        Whether every prediction is 0 or 1.
    probable
        Whether every row of logits could be probabilities.
    twice
        The mean confidence where every row could be the softmax of probabilities, else None.
    sure
        The codes of `sure_codes` where one column of probabilities is never below 0.5, else None.
    """

    hard: bool = True
    probable: bool = True
    twice: Mean | None = Mean()
    sure: Counts | None = field(default_factory=Counts)

    @classmethod
    def nothing(cls) -> Self:
        """Return the properties of predictions that could not be examined: none."""
        return cls(False, False, None, None)

    @property
    def settled(self) -> bool:
        """Whether every property is ruled out."""
        return not (self.hard or self.probable or self.twice is not None or self.sure is not None)

    @classmethod
    def of(cls, work: Workings) -> Looks:
        """Examine rows; the first few usually rule out everything."""
        few = cls._at(work.of_rows(np.arange(min(_FEW, len(work.batch.rows)))), cls())
        return few if few.settled else cls._at(work, few)

    @classmethod
    def _at(cls, work: Workings, open_: Looks) -> Looks:
        """Examine rows for the properties that are not yet ruled out."""
        batch = work.batch
        twice = open_.twice is not None and _twice(batch)
        sure = open_.sure is not None and _sure(batch)
        hard = ~work.soft
        codes = sure_codes(batch.predictions[hard, -1], work.index[hard]) if sure else None
        return cls(
            open_.hard and _hard(batch),
            open_.probable and _probable(batch),
            Mean.of(work.confidence, None) if twice else None,
            None if codes is None else Counts((counted(codes),)),
        )

    def merge(self, other: Looks) -> Looks:
        """Return the properties that the rows of both share."""
        twice = None if self.twice is None or other.twice is None else self.twice.merge(other.twice)
        sure = None if self.sure is None or other.sure is None else self.sure.merge(other.sure)
        return Looks(self.hard and other.hard, self.probable and other.probable, twice, sure)


def sure_codes(probabilities: Floats, positive: Ints | Flags) -> Ints:
    """Return the code of each row, i8[n]: twice the bin of 1 - q (f8[n], from 0 to 0.5), and whether it is positive."""
    bins = (1 - probabilities).view(np.int64) >> _BITS
    return 2 * bins + positive


def least_other(bins: Ints) -> Floats:
    """Return the least 1 - q of each bin; of the bin of 0 half of the least that a double q below 1 has."""
    return np.maximum((bins << _BITS).view(np.float64), 2.0**-54)


def half_width(bins: Ints) -> Floats:
    """Return half the width of each bin; 0 for those of 0 and 0.5, where all values are alike."""
    least, next_ = ((at << _BITS).view(np.float64) for at in (bins, bins + 1))
    return np.where((least == 0) | (least == 0.5), 0, (next_ - least) / 2)


def _hard(batch: Batch) -> bool:
    """Whether every probability is 0 or 1; the first rows usually say no."""
    if batch.kind not in _CERTAIN:
        return False
    low, high = _CERTAIN[batch.kind]

    return all(bool(((q == low) | (q == high)).all()) for q in (batch.predictions[:_FEW], batch.predictions))


def _sure(batch: Batch) -> bool:
    """Whether no probability of one column is below 0.5; the first rows usually say no."""
    if batch.kind != "probs" or not batch.binary or batch.multilabel:
        return False
    return bool((batch.predictions[:, -1] >= 0.5).all())


def _probable(batch: Batch) -> bool:
    """Whether every row given as logits could be probabilities; the first row usually says no."""
    logits = batch.predictions
    if batch.kind != "logits":
        return False
    if batch.binary or batch.multilabel:
        return bool(((logits >= 0) & (logits <= 1)).all())
    with np.errstate(over="ignore", invalid="ignore"):
        return all(
            bool((rows >= 0).all() and (np.abs(row_sums(rows) - 1) <= 0.001).all()) for rows in (logits[:1], logits)
        )


def _twice(batch: Batch) -> bool:
    """Whether each row is the softmax of some probabilities p; the first rows usually say no.

    Then ln q = p - c, and sum p = 1 gives p = ln q - mean(ln q) + 1/K, which must lie from 0 to 1.
    """
    if batch.target is None or batch.multilabel or batch.kind != "probs" or batch.binary:
        return False
    if batch.classes > MOST_CLASSES:
        return False
    slack, q = 1e-6, batch.predictions
    for rows in (q[:_FEW], q):
        if (rows <= 0).any():
            return False
        logs = np.log(rows)
        p = logs - logs.mean(axis=1, keepdims=True) + 1 / batch.classes
        if (p < -slack).any() or (p > 1 + slack).any():
            return False
    return True
