"""Exact sums by group against fractions."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.laws import settings
from tests.tallies.test_exact import ANY, FINITE, array, fraction, kept, wild
from xentcli.tallies import exact
from xentcli.tallies.exact import Among, ExactSum
from xentcli.tallies.sums import GroupSums, grouped_sums

modest = settings(deadline=None, max_examples=60)
GROUPS = 4
ROWS = st.lists(st.tuples(ANY, st.integers(0, GROUPS - 1)), max_size=30)


def sums_of(rows: list[tuple[float, int]]) -> GroupSums:
    return GroupSums.of([x for x, _ in rows], Among(np.array([g for _, g in rows], dtype=np.int64), GROUPS))


def alone(rows: list[tuple[float, int]]) -> list[ExactSum]:
    return [ExactSum.of([x for x, group in rows if group == place]) for place in range(GROUPS)]


@modest
@given(ROWS)
@example([(-1.0, 0), (1e300, 1), (-1e-300, 1), (math.inf, 2), (math.nan, 2), (-math.inf, 3)])
def test_each_group_has_the_sum_of_its_rows(rows: list[tuple[float, int]]) -> None:
    found = sums_of(rows)
    assert list(found) == alone(rows)
    assert found.finite.tolist() == [total.all_finite for total in alone(rows)]
    units, power = found.units()
    assert [unit * Fraction(2) ** power for unit in units] == [kept(total) for total in alone(rows)]


@modest
@given(st.lists(ROWS, min_size=1, max_size=4))
def test_sums_are_joined_at_the_places_of_their_groups(parts: list[list[tuple[float, int]]]) -> None:
    places = [np.roll(np.arange(GROUPS) + 1, shift) for shift in range(len(parts))]
    found = GroupSums.joined([sums_of(rows) for rows in parts], places, GROUPS + 2)
    moved = [(x, int(where[group])) for rows, where in zip(parts, places, strict=True) for x, group in rows]
    for place in range(GROUPS + 2):
        assert list(found)[place] == ExactSum.of([x for x, group in moved if group == place])


def test_many_merges_of_the_largest_sums_are_exact() -> None:
    some = GroupSums.of(np.full(40_000, 1.7e308), Among(np.zeros(40_000, dtype=np.int64), 1))
    found = some
    for _ in range(12):
        found = GroupSums.joined([found] * 32, [np.zeros(1, dtype=np.int64)] * 32, 1)
        if found.limbs.max() > 2**56:
            break
    (whole,), (part,) = found, some
    times = int(whole.over(part))
    assert times >= 2**15 and whole == part.times(times)


@pytest.mark.parametrize("most", [0, exact._MOST_BINS])
def test_values_of_all_sizes_are_summed_in_bins_that_are_as_many_as_there_are(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "_MOST_BINS", most)
    rng = np.random.default_rng(1)
    values, codes = rng.standard_normal(600) * 2.0 ** rng.integers(-1040, 1000, 600), rng.integers(0, 500, 600)
    found = GroupSums.of(values, Among(codes, 500))
    assert len(found) == 500
    for group, total in enumerate(found):
        assert total == ExactSum.of(values[codes == group])


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.floats(-1e3, 1e3), st.integers(0, 2)),
        max_size=12,
    )
)
@example([(1e300, 1e2, 0), (-1e300, 1e2, 0), (5e-324, 1e-300, 0), (1e-200, 1e-200, 1)])
@example([(0.1, 3.0, 2), (0.2, 0.7, 2), (1e10, 1e-9, 0)])
def test_products_by_group_are_the_sums_of_fractions(rows: list[tuple[float, float, int]]) -> None:
    x, y = (array([row[place] for row in rows]) for place in (0, 1))
    codes = np.array([group for *_, group in rows], dtype=np.int64)
    found = GroupSums.of_products(x, y, Among(codes, 3))
    want = [
        sum((Fraction(a) * Fraction(b) for a, b, group in rows if group == place), Fraction(0)) for place in range(3)
    ]
    assert [kept(total) for total in found] == want


@modest
@given(st.lists(st.tuples(FINITE, st.sampled_from([-3, 0, 1, 7, 2**62])), max_size=40))
def test_grouped_sums_are_exact_in_each_group_that_occurs(pairs: list[tuple[float, int]]) -> None:
    values = array([pair[0] for pair in pairs])
    codes = np.array([pair[1] for pair in pairs], dtype=np.int64)
    sums: dict[int, Any] = grouped_sums(values, codes)
    assert set(sums) == {pair[1] for pair in pairs}
    for code, total in sums.items():
        assert kept(total) == fraction([value for value, group in pairs if group == code])


def test_a_hundred_thousand_values_in_two_hundred_groups_sum_exactly() -> None:
    rng = np.random.default_rng(7)
    values, codes = wild(rng, 100_000), rng.integers(0, 200, 100_000)
    sums = grouped_sums(values, codes)
    assert set(sums) == set(range(200))
    for code in range(200):
        assert kept(sums[code]) == fraction(values[codes == code].tolist())
