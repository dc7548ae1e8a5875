"""The rows that may be the farthest from a mean, whatever it is; and the most changed rows."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws import LONG, settings
from xentcli.tallies.outermost import Changed, MostChanged, Outermost

WEIGHTS = st.sampled_from([0.25, 0.3, 1.0, 1.0, 2.5, 1e-300, 1e300])
VALUES = st.one_of(st.sampled_from([0.0, -0.0, 0.1, -0.1, 2.0, np.inf, np.nan]), st.floats(-3, 3, width=16))
ROWS = st.lists(st.tuples(WEIGHTS, VALUES), min_size=1, max_size=40)


def farthest(rows: list[tuple[float, float]], mean: float) -> int:
    """The number of the row of the largest |w (d - mean)| in exact fractions, the first of equal corners."""
    sizes = {i: abs(Fraction(w) * (Fraction(d) - Fraction(mean))) for i, (w, d) in enumerate(rows, 1) if np.isfinite(d)}
    return min(sizes, key=lambda i: (-sizes[i], i))


@settings(deadline=None, max_examples=300 if LONG else 100, derandomize=True)
@given(rows=ROWS, mean=st.floats(-3, 3), cut=st.integers(0, 40), unit=st.booleans())
def test_the_farthest_row_is_found_in_any_two_parts(
    rows: list[tuple[float, float]], mean: float, cut: int, unit: bool
) -> None:
    rows = [(1.0 if unit else w, d) for w, d in rows]
    if not any(np.isfinite(d) for _, d in rows):
        return
    weight, values = np.array([w for w, _ in rows]), np.array([d for _, d in rows])
    numbers = np.arange(1, len(rows) + 1)
    parts = [slice(0, cut), slice(cut, None)]
    one = Outermost.of(values, None if unit else weight)
    two, three = (Outermost.of(values[p], None if unit else weight[p], numbers[p]) for p in parts)
    assert two.merge(three) == three.merge(two) == one
    assert Outermost.from_plain(one.to_plain()) == one
    found, size = one.farthest(mean)
    exact = [
        abs(Fraction(w) * (Fraction(d) - Fraction(mean)))
        for w, d in (rows[r - 1] for r in (found, farthest(rows, mean)))
    ]
    assert exact[0] == exact[1]
    assert size == abs((rows[found - 1][1] - mean) * rows[found - 1][0])


@pytest.mark.parametrize("kind", ["cloud", "ties", "one weight", "a line"])
def test_of_many_rows_few_are_kept(kind: str) -> None:
    rng = np.random.default_rng(4)
    weight, values = rng.random(50_000) + 0.1, rng.normal(size=50_000)
    if kind == "ties":
        values = np.maximum(values, 0)
    elif kind == "one weight":
        weight[:] = 2.5
    elif kind == "a line":
        values[:] = 0.3
    found = Outermost.of(values, weight)
    assert len(found.corners) < 60
    for mean in (-5.0, 0.0, 0.1, 7.0):
        assert found.farthest(mean)[1] == pytest.approx(np.abs(weight * (values - mean)).max(), rel=1e-15)


def test_the_most_changed_rows_of_parts_are_those_of_all() -> None:
    rows = [
        Changed(size, row, row, None, None, 0.0, size, 1.0) for row, size in enumerate([1.0, 3.0, 2.0, 3.0, 0.5], 1)
    ]
    parts = [MostChanged(2, tuple(sorted(some, key=lambda r: r.rank)[:2])) for some in (rows[:2], rows[2:4], rows[4:])]
    for one, two, three in ((0, 1, 2), (2, 1, 0)):
        whole = parts[one].merge(parts[two]).merge(parts[three])
        assert [row.row for row in whole.rows] == [2, 4]
    assert [row.number for row in whole.moved(lambda row: row, lambda number: number + 7).rows] == [9, 11]
