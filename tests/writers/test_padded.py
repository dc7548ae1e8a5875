"""Columns of padded text: what Python would write of each value, whatever stands beside it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from xentcli.arrays import Bytes
from xentcli.writers import padded
from xentcli.writers.padded import blanked, decimals, put_together, runs, texts, whole_numbers

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


def lines(column: Bytes) -> list[str]:
    return put_together([column]).decode().splitlines()


@laws
@given(st.lists(doubles, max_size=40))
@example([0.0, -0.0, 1.0, math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308])
@example([1e16, 9999999999999998.0, 1e15, 123456789012345680.0, 1e22, 1e23, 9007199254740993.0])
@example([0.1, 1e-4, 9.999999999999999e-05, 1e-5, 1.5e-7, 2.5, 0.5, 0.25, 12.0, 120.5])
@example([5e-324] * 3)
@example([0.3] * 3)
def test_doubles_are_what_repr_says(values: list[float]) -> None:
    assert lines(decimals(np.array(values, dtype=np.float64))) == list(map(repr, values))


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
    assert lines(decimals(values)) == list(map(repr, values.tolist()))


@pytest.mark.parametrize("values", [MANY["of equal chance"], MANY["losses"], MANY["floats"]], ids=["q", "loss", "f4"])
def test_hardly_any_double_is_left_to_repr(values: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[float] = []

    def watched(value: float) -> str:
        left.append(value)
        return repr(value)

    monkeypatch.setattr(padded, "repr", watched, raising=False)
    decimals(values)
    assert len(left) < len(values) / 200


@laws
@given(st.integers(0, 10**12), st.integers(0, 120))
@example(0, 1)
@example(99_999, 3)
def test_whole_numbers_count_on(first: int, count: int) -> None:
    assert lines(whole_numbers(first, count)) == [str(n) for n in range(first, first + count)]


anything = st.text(st.characters(exclude_characters="\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029"), max_size=12)


@laws
@given(st.lists(st.tuples(anything, doubles, st.booleans()), min_size=1, max_size=30))
def test_columns_stand_beside_each_other(rows: list[tuple[str, float, bool]]) -> None:
    names, values, empty = map(list, zip(*rows, strict=True))
    columns = [texts(names), blanked(decimals(np.array(values)), np.array(empty)), whole_numbers(1, len(rows))]
    expected = "".join(
        f"{name.encode(errors='backslashreplace').decode()},{'' if none else repr(value)},{row}\n"
        for row, (name, value, none) in enumerate(rows, 1)
    )
    assert put_together(columns).decode() == expected


@laws
@given(st.lists(st.integers(0, 3000), max_size=60), st.integers(1, 5000))
def test_runs_are_all_rows_in_order_and_none_is_large(lengths: list[int], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(padded, "_MOST_BYTES", most)
        found = list(runs(np.array(lengths, dtype=np.int64)))
    assert [row for some in found for row in range(some.start, some.stop)] == list(range(len(lengths)))
    for some in found:
        rows = some.stop - some.start
        assert rows == 1 or rows * 4 * max(lengths[some]) <= most


def test_one_long_text_makes_few_runs() -> None:
    lengths = np.full(50_000, 5)
    lengths[31_234] = 1 << 20
    assert len(list(runs(lengths))) < 40


def test_a_nul_and_half_a_pair_stay_in_their_cell() -> None:
    assert put_together([texts(["a\0", "", "\0", "\ud800é"])]) == b"a\0\n\n\0\n\\ud800\xc3\xa9\n"


def test_no_rows_are_no_text() -> None:
    assert put_together([whole_numbers(1, 0), texts([]), decimals(np.empty(0))]) == b""
