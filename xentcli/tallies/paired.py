"""Paired: the tally of the differences between two models on the same rows."""

from __future__ import annotations

from typing import Self

import numpy as np

from xentcli.arrays import Floats
from xentcli.records import record
from xentcli.tallies.moments import Moments
from xentcli.tallies.tally import Tally

__all__ = ["Paired", "differences"]


def differences(old: Floats, new: Floats) -> Floats:
    """Return new - old (f8[n]): +-inf where one of them is infinite, NaN where both are.

    >>> differences(np.array([1.0, np.inf, np.inf]), np.array([0.5, 1.0, np.inf])).tolist()
    [-0.5, -inf, nan]
    """
    with np.errstate(invalid="ignore"):
        return new - old


@record(frozen=True)
class Paired(Tally):
    """The mean difference of two models, and on how many rows each has the smaller value.

    Attributes
    ----------
    moments
        Of the differences d_i = new_i - old_i, without the rows where both are infinite.
    below, above, ties
        Rows with d_i < 0, d_i > 0, and d_i = 0 to the bit, or both infinite.
    both_infinite
        Rows where both are infinite.
    """

    moments: Moments = Moments()
    below: int = 0
    above: int = 0
    ties: int = 0
    both_infinite: int = 0

    @classmethod
    def of(cls, old: Floats, new: Floats, weight: Floats | None) -> Self:
        """Tally rows: the values of both models and the weights (f8[n]), None where all are 1.

        >>> Paired.of(np.array([1.0, 2.0, 4.0]), np.array([1.0, 1.0, 1.0]), None).moments.mean.value
        -1.3333333333333333
        """
        change = differences(old, new)
        both = np.isnan(change)
        infinite = int(both.sum())
        if infinite:
            change, weight = change[~both], None if weight is None else weight[~both]
        below, above = int((change < 0).sum()), int((change > 0).sum())
        ties = len(change) - below - above + infinite
        return cls(Moments.of(change, weight), below, above, ties, infinite)

    @property
    def change(self) -> float | None:
        """The mean difference; None where both are infinite in a row, or infinite differences have both signs."""
        value = self.moments.mean.value
        return None if self.both_infinite or np.isnan(value) else value
