"""Sums over the numbers of each row, of which the bits do not depend on the rows beside it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from xentcli.arrays import Floats

__all__ = ["row_dots", "row_sums"]

_SPAN = 8192
"""So many products are summed at once: a longer sum would lose digits, and BLAS might cut it for its own threads."""
_FEW = 1024
"""Sums of more are as fast without BLAS, and keep more digits."""


def row_sums(values: Floats, out: Floats | None = None) -> Floats:
    """Sum each row of f8[n, k]: f8[n], in `out` if given.

    >>> row_sums(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [3.0, 7.0]
    """
    columns = values.shape[1]
    return row_dots(values, np.ones(columns), out) if columns <= _FEW and _steady() else _added(values, out)


def row_dots(x: Floats, y: Floats, out: Floats | None = None) -> Floats:
    """Sum the products ``x * y`` of each row, f8[n, k] and f8[n, k] or f8[k]: f8[n], in `out` if given.

    >>> row_dots(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([10.0, 1.0])).tolist()
    [12.0, 34.0]
    """
    if not _steady():
        return _added(x * y, out)
    total: Floats = np.vecdot(x[:, :_SPAN], y[..., :_SPAN], out=out)
    for begin in range(_SPAN, x.shape[1], _SPAN):
        some = slice(begin, begin + _SPAN)
        total += np.vecdot(x[:, some], y[..., some])
    return total


def _added(values: Floats, out: Floats | None) -> Floats:
    sums: Floats = np.add.reduce(values, axis=1, out=out)
    return sums


@lru_cache(maxsize=1)
def _steady() -> bool:
    """Whether the dot product of BLAS is the same wherever a vector lies: it is seen, since old processors differ.

    Of few numbers it takes half of the time of a sum, of products a third; it came with NumPy 2.0.
    """
    if not hasattr(np, "vecdot"):
        return False
    numbers = np.sqrt(np.arange(1.0, 280.0))
    room = np.empty(300)
    for count in (9, 33, 100, 279):
        found = set()
        for at in range(8):
            there = room[at : at + count]
            there[:] = numbers[:count]
            found.add(float(np.vecdot(there, there)))
        if len(found) > 1:
            return False
    return True
