"""Check target distributions, and convert counts of votes to shares."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xentcli.arrays import Flags, Floats
from xentcli.errors import DataError, Place
from xentcli.scoring.rows import rounding, row_sums

__all__ = ["shares", "target_checked"]

_VOTES = "counts of votes? --votes divides each row by its sum"
_NONE = "a row without a class? --ignore-label 0 skips rows of zeros"


def target_checked(target: Floats, tolerance: float, where: Callable[[int, int | None], Place]) -> Floats:
    """Check target distributions, f8[n, k]: from 0 to 1, each row summing to 1 within `tolerance`.

    Raises DataError at the first row that is no distribution.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        sums = row_sums(target)
        good = np.abs(sums - 1) <= tolerance + rounding(target.shape[1])
        if not np.minimum.reduce(target, axis=None, initial=0.0) >= 0:
            good &= target.min(axis=1) >= 0
    if good.all():
        return target
    row = int(np.argmin(good))
    values = target[row]
    counted = bool(np.all(_whole(target)))
    odd = np.flatnonzero(~((values >= 0) & (values <= 1 + tolerance)))
    if len(odd):
        raise DataError(
            f"{values[odd[0]]:.6g} is not a target probability; one-hot and soft targets lie from 0 to 1",
            place=where(row, int(odd[0])),
            advice=(_VOTES * counted, "one label column: --label NAME"),
        )
    raise DataError(
        f"the targets sum to {sums[row]:.6g}; a one-hot or soft target sums to 1",
        place=where(row, None),
        advice=(
            _NONE * (not values.any()),
            "one label column: --label NAME",
            "a yes or no in each column: --multilabel" * (not (target > 1).any()),
            _VOTES * (counted and bool(values.any())),
        ),
    )


def shares(counts: Floats, where: Callable[[int, int | None], Place]) -> Floats:
    """Return counts of votes, f8[n, k], divided by their row sums; each share is rounded once.

    Raises DataError at the first row with a number that is no count, or without a vote.

    >>> shares(np.array([[3.0, 1.0], [0.0, 5.0]]), lambda row, column: Place()).tolist()
    [[0.75, 0.25], [0.0, 1.0]]
    """
    good = _whole(counts)
    if not good.all():
        row, column = (int(place) for place in np.argwhere(~good)[0])
        raise DataError(
            f"{counts[row, column]:.6g} is not a count of votes (--votes)",
            place=where(row, column),
            advice="shares that sum to 1 are read without --votes",
        )
    sums = row_sums(counts)
    if not sums.all():
        raise DataError("a row without a vote (--votes)", place=where(int(np.argmin(sums)), None), advice=_NONE)
    return counts / sums[:, None]


def _whole(values: Floats) -> Flags:
    """Whether each value is a whole number from 0 up."""
    found: Flags = np.isfinite(values) & (values >= 0) & (values == np.floor(values))
    return found
