"""Steps of losses, 32 per doubling: one pass over the rows then finds the largest losses and quantiles."""

from __future__ import annotations

import numpy as np

from xentcli.arrays import Floats, Ints

__all__ = ["least_of", "signed_step_of", "step_of"]

_STEP_BITS = 47
_ONE = 0x3FF << (52 - _STEP_BITS)


def step_of(loss: Floats) -> Ints:
    """i8[n]: the step of each loss from 0 up: the upper bits of a double, 32 steps to a doubling.

    >>> step_of(np.array([1.0, 1.01, 2.0])).tolist() == [_ONE, _ONE, _ONE + 32]
    True
    """
    steps: Ints = np.maximum(loss, 0.0).view(np.int64) >> _STEP_BITS
    return steps


def signed_step_of(difference: Floats) -> Ints:
    """i8[n]: the step of the size of each difference, negative below 0.

    >>> signed_step_of(np.array([-1.0, -0.0, 2.0])).tolist() == [-_ONE, 0, _ONE + 32]
    True
    """
    steps = step_of(np.abs(difference))
    return np.where(difference < 0, -steps, steps)


def least_of(step: int) -> float:
    """Return the smallest loss in a step.

    >>> least_of(_ONE), least_of(_ONE + 16)
    (1.0, 1.5)
    """
    return float(np.array([step << _STEP_BITS]).view(np.float64)[0])
