"""Sums over the numbers of each row, whose bits do not depend on neighbouring rows.

Rows of few numbers are summed column by column: a loop over three numbers costs more than
the sum.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from xentcli.arrays import Array, Floats, Ints

__all__ = ["FEW", "column_sums", "columns_of", "first_largest", "rounding", "row_dots", "row_sums"]

FEW = 24
"""Up to this row length, summing column by column is faster, including the transpose."""

_FEW_ROWS = 512
_SPAN = 8192
"""Products per BLAS call: longer sums lose digits, and BLAS might split them among threads."""
_MANY = 1024
"""Longer sums are as fast without BLAS, and more accurate."""


def row_sums(values: Floats, out: Floats | None = None) -> Floats:
    """Sum each row of f8[n, k]: f8[n], in `out` if given.

    >>> row_sums(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [3.0, 7.0]
    """
    columns = values.shape[1]
    if columns <= FEW:
        return column_sums(columns_of(values), out, own=True)
    return row_dots(values, np.ones(columns), out) if columns <= _MANY and _steady() else _added(values, out)


def row_dots(x: Floats, y: Floats, out: Floats | None = None) -> Floats:
    """Sum the products ``x * y`` of each row, f8[n, k] and f8[n, k] or f8[k]: f8[n], in `out` if given.

    >>> row_dots(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([10.0, 1.0])).tolist()
    [12.0, 34.0]
    """
    if x.shape[1] <= FEW or not _steady():
        return row_sums(x * y, out)
    total: Floats = np.vecdot(x[:, :_SPAN], y[..., :_SPAN], out=out)
    for begin in range(_SPAN, x.shape[1], _SPAN):
        some = slice(begin, begin + _SPAN)
        total += np.vecdot(x[:, some], y[..., some])
    return total


def columns_of(values: Array) -> Floats:
    """Turn rows of numbers (n, k) into columns: f8[k, n], a copy.

    >>> columns_of(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    columns = np.empty(values.shape[::-1])
    np.copyto(columns, values.T)
    return columns


def column_sums(columns: Floats, out: Floats | None = None, *, own: bool = False) -> Floats:
    """Sum f8[k, n] over the columns, halves on halves: f8[n], in `out` if given; with `own` they are written over.

    >>> column_sums(np.array([[1.0, 3.0], [2.0, 4.0], [0.5, 0.25]])).tolist()
    [3.5, 7.25]
    """
    count = len(columns)
    while count > 1:
        half = count // 2
        first, last = columns[:half], columns[count - half : count]
        if own:
            np.add(first, last, first)
        else:
            sums = np.empty((count - half, columns.shape[1]))
            np.add(first, last, sums[:half])
            if count % 2:
                sums[half] = columns[half]
            columns, own = sums, True
        count -= half
    total: Floats = columns[0]
    if out is None:
        return total
    out[:] = total
    return out


def first_largest(columns: Floats, out: Ints) -> None:
    """Find for each row of f8[k, n], k < 256, the first column that has its largest number; any where one is NaN.

    It is what argmax says, which takes five times as long for many rows of few numbers, and for few rows a fifth.

    >>> found = np.empty(2, dtype=np.int64)
    >>> first_largest(np.array([[1.0, 3.0], [2.0, 4.0], [2.0, 0.0]]), found)
    >>> found.tolist()
    [1, 1]
    """
    count = len(columns)
    if columns.shape[1] <= _FEW_ROWS:
        columns.argmax(axis=0, out=out)
        return
    largest = columns == np.maximum.reduce(columns, axis=0)
    # Earlier columns get higher numbers, so that the maximum of a row belongs to its first largest column.
    points = largest.view(np.uint8) * np.arange(count, 0, -1, dtype=np.uint8)[:, None]
    np.subtract(count, np.maximum.reduce(points, axis=0), out=out, dtype=np.int64)


def rounding(columns: int) -> float:
    """Return the largest rounding error of a row sum near 1."""
    return (columns + 1) * 2.0**-52


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
