"""What occurs in an array."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from xentcli.arrays import distinct

WHOLE = ["?", "i1", "u1", "<i2", ">i4", "i8", "u8"]


@given(values=st.sampled_from([*WHOLE, "f4", "f8"]).flatmap(lambda dtype: arrays.arrays(dtype, st.integers(0, 40))))
def test_it_is_what_numpy_finds(values: Any) -> None:
    values[np.isnan(values)] = 0
    found, first, places = distinct(values)
    expected = np.unique(values, return_index=True, return_inverse=True)
    assert [part.tolist() for part in (found, first, places)] == [part.tolist() for part in expected]
    assert found.dtype == values.dtype and first.dtype == places.dtype == np.int64


@pytest.mark.parametrize("span", [3, 1024, 5000, 1 << 40])
@pytest.mark.parametrize("low", [-(1 << 62), -7, 0, (1 << 63) - (1 << 41)])
def test_near_and_far_from_each_other_and_from_zero(low: int, span: int) -> None:
    random = np.random.default_rng(5)
    values = low + random.integers(0, span, 3000)
    found, first, places = distinct(values)
    expected = np.unique(values, return_index=True, return_inverse=True)
    assert all((mine == other).all() for mine, other in zip((found, first, places), expected, strict=True))
