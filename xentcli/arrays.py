"""The types of arrays, under names of their own, and what occurs in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

__all__ = ["Array", "Bytes", "Flags", "Floats", "Ints", "Words", "distinct"]

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]
    Words = npt.NDArray[np.uint64]
    Bytes = npt.NDArray[np.uint8]
    Array = npt.NDArray[np.generic]
else:
    Floats = Ints = Flags = Words = Bytes = Array = np.ndarray


def distinct(values: Array) -> tuple[Array, Ints, Ints]:
    """Return the values that occur, sorted, the first place of each, and of each place which value it has.

    ``numpy.unique`` does the same, and loads ``numpy.ma`` for it, a twentieth of a short run.

    >>> [part.tolist() for part in distinct(np.array([7, 5, 7]))]
    [[5, 7], [1, 0], [1, 0, 1]]
    """
    flat = values.reshape(-1)
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    new = np.ones(len(flat), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    places = np.empty(len(flat), dtype=np.int64)
    places[order] = np.cumsum(new) - 1
    return ordered[new], order[new], places
