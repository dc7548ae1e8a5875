"""Whether a threshold of the probability tells the rows of two classes apart, for the diagnosis of predicted labels."""

from __future__ import annotations

import math
from typing import Self

import numpy as np

from xentcli.records import record
from xentcli.scoring.losses import Workings
from xentcli.tallies.exact import ExactSum
from xentcli.tallies.tally import Tally

__all__ = ["Cut"]


@record(frozen=True)
class Cut(Tally):
    """The gap between the rows of two classes, if there is one, and the probability of a gap.

    Attributes
    ----------
    apart
        Whether every row of class 1 has a larger probability of it than all rows of class 0.
    low, high
        That probability: the largest of a row of class 0, and the smallest of one of class 1.
    doubt
        The sum of -ln max(q, 1 - q), the least cost that any labels of these rows can have.
    rows
        How many rows were examined.
    """

    apart: bool = True
    low: float = -math.inf
    high: float = math.inf
    doubt: ExactSum = ExactSum()
    rows: int = 0

    @classmethod
    def nothing(cls) -> Self:
        """Return the tally of rows that no threshold tells apart."""
        return cls(False, 0.0, 0.0)

    @property
    def settled(self) -> bool:
        """Whether no threshold tells the rows apart."""
        return not self.apart

    @classmethod
    def of(cls, work: Workings) -> Self:
        """Examine rows; only those of two classes have a threshold."""
        batch = work.batch
        if batch.target is None or batch.multilabel or batch.classes != 2 or work.some_soft:
            return cls.nothing()
        positive = work.index == 1
        q = np.where(positive, work.truth, 1 - work.truth)
        low = float(np.max(q, initial=-math.inf, where=~positive))
        high = float(np.min(q, initial=math.inf, where=positive))
        if not low < high:
            return cls.nothing()
        with np.errstate(divide="ignore"):
            return cls(True, low, high, ExactSum.of(-np.log(np.minimum(work.confidence, 1))), len(batch.rows))

    def merge(self, other: Self) -> Self:
        """Return the gap of the rows of both."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        if not (self.apart and other.apart and low < high):
            return self.nothing()
        return type(self)(True, low, high, self.doubt.merge(other.doubt), self.rows + other.rows)

    @property
    def log_chance(self) -> float:
        """A bound of ln P(a gap), if the labels were drawn by the probabilities: there are n + 1 thresholds."""
        return min(0.0, math.log(self.rows + 1) - self.doubt.value)
