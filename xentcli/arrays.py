"""The types of arrays, under names of their own; at run time each is numpy.ndarray."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

__all__ = ["Array", "Bytes", "Flags", "Floats", "Ints", "Words"]

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
