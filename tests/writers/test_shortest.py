"""Doubles as text: what repr gives for each."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.laws import settings
from xentcli.writers import shortest as writer
from xentcli.writers.shortest import shortest

laws = settings(deadline=None, max_examples=300)
short = st.builds(lambda n, e: n / 10**e, st.integers(-(10**6), 10**17), st.integers(0, 30))
long = st.builds(lambda n, e: float(f"{n}e{e}"), st.integers(1, 10**18), st.integers(-60, 20))
beside = st.builds(
    lambda base, e, way: math.nextafter(float(base) ** e, way),
    st.sampled_from([2, 10]),
    st.integers(-45, 20),
    st.sampled_from([0.0, math.inf]),
)
doubles = st.one_of(st.floats(), st.floats(0, 1), short, long, beside)


@laws
@given(st.lists(doubles, max_size=40))
@example([0.0, -0.0, 1.0, math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308])
@example([1e16, 9999999999999998.0, 1e15, 123456789012345680.0, 1e22, 1e23, 9007199254740993.0])
@example([0.1, 1e-4, 9.999999999999999e-05, 1e-5, 1.5e-7, 2.5, 0.5, 0.25, 12.0, 120.5])
@example([5e-324] * 3)
@example([0.3] * 3)
def test_doubles_are_what_repr_says(values: list[float]) -> None:
    assert shortest(np.array(values, dtype=np.float64)) == list(map(repr, values))


RANDOM = np.random.default_rng(17)
MANY = {
    "of equal chance": RANDOM.random(60_000),
    "losses": -np.log(RANDOM.random(60_000)),
    "of every size": RANDOM.integers(0, 2**64, 60_000, dtype=np.uint64).view(np.float64),
    "tiny": np.exp(-RANDOM.exponential(12, 60_000)),
    "floats": RANDOM.random(60_000, dtype=np.float32).astype(np.float64),
    "of six places": np.round(RANDOM.random(60_000) * 30, 6),
    "powers of two": 2.0 ** RANDOM.integers(-140, 56, 20_000),
    "powers of ten": 10.0 ** RANDOM.integers(-41, 18, 20_000),
    "whole": RANDOM.integers(0, 10**17, 60_000).astype(np.float64),
}


@pytest.mark.parametrize("values", MANY.values(), ids=MANY)
def test_many_doubles_are_what_repr_says(values: np.ndarray) -> None:
    assert shortest(values) == list(map(repr, values.tolist()))


@pytest.mark.parametrize("values", [MANY["of equal chance"], MANY["losses"], MANY["floats"]], ids=["q", "loss", "f4"])
def test_hardly_any_double_is_left_to_repr(values: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[float] = []

    def watched(value: float) -> str:
        left.append(value)
        return repr(value)

    monkeypatch.setattr(writer, "repr", watched, raising=False)
    shortest(values)
    assert len(left) < len(values) / 200


def test_no_values_are_no_texts() -> None:
    assert shortest(np.empty(0)) == []
