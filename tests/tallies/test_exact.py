"""Exact sums against integers and fractions, which cannot round."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

import mpmath as mp
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.laws import settings
from xentcli.tallies.exact import ExactSum, ratio, root, rounded, wide, wide_product

Floats = npt.NDArray[np.float64]

LARGEST = float(np.finfo(np.float64).max)
TINY = 5e-324

thorough = settings(deadline=None, max_examples=200)
modest = settings(deadline=None, max_examples=60)

FINITE = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**53), 2**53).map(lambda n: n * TINY),
    st.integers(-1074, 1023).map(lambda e: math.ldexp(1.0, e)),
    st.sampled_from([LARGEST, -LARGEST, math.nextafter(LARGEST, 0), 0.1, -0.1, 0.0, -0.0, 2.0**970, -(2.0**969)]),
)
ANY = st.one_of(FINITE, st.sampled_from([math.inf, -math.inf, math.nan]))
LISTS = st.lists(FINITE, max_size=40)
PAIRS = st.lists(st.tuples(FINITE, FINITE), max_size=30)
SUMS = st.lists(ANY, max_size=10).map(lambda values: ExactSum.of(values))


def array(values: Sequence[float]) -> Floats:
    return np.array(values, dtype=np.float64)


def nearest(exact: Fraction) -> float:
    """The double nearest to a fraction; infinite beyond the doubles."""
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def fraction(values: Iterable[float]) -> Fraction:
    """The sum in integers: a finite double is n/d with d a power of two up to 2**1074."""
    total = 0
    for value in values:
        numerator, denominator = value.as_integer_ratio()
        total += numerator * ((1 << 1074) // denominator)
    return Fraction(total, 1 << 1074)


def products(x: Floats, y: Floats) -> Fraction:
    total = 0
    for one, other in zip(x.tolist(), y.tolist(), strict=True):
        (a, b), (c, d) = one.as_integer_ratio(), other.as_integer_ratio()
        total += a * c * ((1 << 2148) // (b * d))
    return Fraction(total, 1 << 2148)


def kept(total: ExactSum) -> Fraction:
    """What the sum holds, before any rounding."""
    return total.units * Fraction(2) ** total.power


def wild(rng: np.random.Generator, n: int) -> Floats:
    """Doubles over the whole range of exponents, subnormals among them."""
    bits = rng.integers(0, 2**64, n, dtype=np.uint64)
    values = bits.view(np.float64)
    result: Floats = np.where(np.isfinite(values), values, 1.5)
    result[::7] = np.ldexp(rng.random(len(result[::7])), -1060)
    return result


@thorough
@given(LISTS)
@example([LARGEST, LARGEST, -LARGEST])
@example([TINY, -LARGEST, TINY, LARGEST])
@example([1.0, 2.0**-53, 2.0**-1074])
def test_the_value_is_the_double_nearest_to_the_exact_sum(values: list[float]) -> None:
    total = ExactSum.of(values)
    assert kept(total) == fraction(values)
    assert total.value == total.finite == nearest(fraction(values))


@pytest.mark.parametrize("place", [0, 63, 64, 65, 199])
@pytest.mark.parametrize("small", [2.0**-80, -(2.0**-140), 2.0**-600, TINY])
def test_one_small_number_among_many_whole_ones_counts_wherever_it_stands(place: int, small: float) -> None:
    values = [3.0] * 200
    values[place] += 0.5
    values.insert(place, small)
    assert kept(ExactSum.of(values)) == fraction(values)
    assert kept(ExactSum.of(np.negative(values))) == -fraction(values)


@thorough
@given(st.lists(st.floats(-1e300, 1e300), max_size=40))
def test_the_value_is_that_of_fsum(values: list[float]) -> None:
    assert ExactSum.of(values).value == math.fsum(values)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([LARGEST, 2.0**969], LARGEST),
        ([LARGEST, math.nextafter(2.0**970, 0)], LARGEST),
        ([LARGEST, 2.0**970], math.inf),  # half way to the next power of two: ties to even, which is beyond
        ([LARGEST, LARGEST], math.inf),
        ([-LARGEST, -(2.0**970)], -math.inf),
        ([LARGEST, LARGEST, -LARGEST], LARGEST),
        ([TINY], TINY),
        ([TINY] * 3, 3 * TINY),
        ([1.0, 2.0**-53], 1.0),  # ties to even
        ([1.0, 2.0**-53, TINY], 1.0 + 2.0**-52),
        ([1.0 + 2.0**-52, 2.0**-53], 1.0 + 2.0**-51),
        ([], 0.0),
    ],
)
def test_rounding_is_to_nearest_even_and_overflows_to_infinity(values: list[float], expected: float) -> None:
    assert ExactSum.of(values).value == expected


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_hundred_thousand_doubles_of_all_sizes_sum_exactly(seed: int) -> None:
    values = wild(np.random.default_rng(seed), 100_000)
    total = ExactSum.of(values)
    assert kept(total) == fraction(values.tolist())
    shuffled = np.random.default_rng(seed).permutation(values)
    assert ExactSum.of(shuffled) == total


def test_a_hundred_thousand_equal_doubles_fill_one_bin_exactly() -> None:
    for value in (math.nextafter(1.0, 0), -LARGEST, 0.1, TINY):
        assert kept(ExactSum.of(np.full(100_000, value))) == 100_000 * Fraction(value)


def test_values_of_any_shape_and_memory_order_are_added() -> None:
    values = wild(np.random.default_rng(4), 60)
    total = ExactSum.of(values)
    grid = values.reshape(3, 4, 5)
    assert ExactSum.of(grid) == ExactSum.of(np.asfortranarray(grid)) == total
    assert ExactSum.of(values[::-1]) == ExactSum.of(values[::2]).merge(ExactSum.of(values[1::2])) == total
    assert ExactSum.of(2.5) == ExactSum.of([2.5])


@thorough
@given(PAIRS)
@example([(LARGEST, LARGEST), (-LARGEST, LARGEST), (TINY, TINY)])
@example([(TINY, LARGEST), (TINY, -0.75)])
@example([(math.nextafter(1, 0), math.nextafter(1, 0)), (-1.0, 1.0)])
def test_products_are_added_without_rounding(pairs: list[tuple[float, float]]) -> None:
    x, y = array([pair[0] for pair in pairs]), array([pair[1] for pair in pairs])
    total = ExactSum.of_products(x, y)
    exact = sum((Fraction(one) * Fraction(other) for one, other in pairs), Fraction(0))
    assert kept(total) == exact
    assert total.value == nearest(exact)


@pytest.mark.parametrize("seed", [5, 6])
def test_a_hundred_thousand_products_of_all_sizes_sum_exactly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = wild(rng, 100_000), wild(rng, 100_000)
    exact = products(x, y)
    assert kept(ExactSum.of_products(x, y)) == exact


@thorough
@given(st.lists(ANY, max_size=20))
def test_infinities_and_nan_are_counted_apart_from_the_finite_part(values: list[float]) -> None:
    total = ExactSum.of(values)
    nans = sum(value != value for value in values)
    assert total.odd == (values.count(math.inf), values.count(-math.inf), nans)
    finite = [value for value in values if math.isfinite(value)]
    assert kept(total) == fraction(finite)
    assert total.finite == nearest(fraction(finite))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, math.inf], math.inf),
        ([-LARGEST, -LARGEST, math.inf], math.inf),
        ([1.0, -math.inf, -math.inf], -math.inf),
        ([math.inf, -math.inf], math.nan),
        ([math.nan], math.nan),
        ([math.nan, math.inf], math.nan),
    ],
)
def test_the_value_with_odd_numbers_is_that_of_ieee_754(values: list[float], expected: float) -> None:
    assert np.array_equal(ExactSum.of(values).value, expected, equal_nan=True)


@modest
@given(SUMS, SUMS, SUMS)
def test_merging_is_associative_and_commutative_and_the_empty_sum_is_its_identity(
    a: ExactSum, b: ExactSum, c: ExactSum
) -> None:
    assert a.merge(b) == b.merge(a)
    assert a.merge(b).merge(c) == a.merge(b.merge(c))
    assert a.merge(ExactSum()) == ExactSum().merge(a) == a


@modest
@given(st.lists(ANY, max_size=30), st.lists(st.integers(0, 30), max_size=4))
def test_any_split_equals_the_whole(values: list[float], cuts: list[int]) -> None:
    whole = ExactSum.of(values)
    merged = ExactSum()
    edges = [0, *sorted(cuts), len(values)]
    for start, stop in itertools.pairwise(edges):
        merged = merged.merge(ExactSum.of(values[start:stop]))
    assert merged == whole
    assert merged.units % 2 or (merged.units, merged.power) == (0, 0)


def test_summing_leaves_the_array_alone() -> None:
    values = array([0.3, math.inf])
    ExactSum.of(values)
    ExactSum.of_products(values[:1], values[:1])
    ExactSum.of_weighted(values, values[:1])
    assert values.tolist() == [0.3, math.inf]


@modest
@given(LISTS, st.lists(FINITE.filter(bool), min_size=1, max_size=3))
@example([LARGEST, LARGEST], [4.0])
@example([LARGEST, LARGEST], [LARGEST, 0.5])
@example([TINY, TINY], [3.0, TINY])
def test_a_sum_over_others_is_rounded_once(values: list[float], divisors: list[float]) -> None:
    found = ExactSum.of(values).over(*(ExactSum.of(one) for one in divisors))
    assert found == nearest(fraction(values) / math.prod(map(Fraction, divisors)))


@pytest.mark.parametrize("odd", [math.inf, -math.inf, math.nan])
def test_a_sum_that_is_not_finite_stays_so_over_others(odd: float) -> None:
    found = ExactSum.of([1.0, odd]).over(ExactSum.of(3.0))
    assert np.array_equal(found, odd, equal_nan=True)


@modest
@given(LISTS, LISTS, st.integers(-5, 5))
def test_differences_multiples_and_ratios_are_exact(one: list[float], other: list[float], times: int) -> None:
    a, b = ExactSum.of(one), ExactSum.of(other)
    assert kept(a.without(b)) == fraction(one) - fraction(other)
    assert kept(a.times(times)) == times * fraction(one)
    assert bool(a) == (fraction(one) != 0)
    if b:
        assert a.over(b) == nearest(fraction(one) / fraction(other))


@modest
@given(st.integers(), st.integers(min_value=1), st.integers(-2300, 2300))
def test_a_ratio_of_integers_is_rounded_once(numerator: int, denominator: int, shift: int) -> None:
    if shift > 0:
        numerator <<= shift
    else:
        denominator <<= -shift
    assert ratio(numerator, denominator) == nearest(Fraction(numerator, denominator))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_ratio_beyond_the_doubles_is_infinite_with_its_sign(sign: int) -> None:
    assert ratio(sign * 10**400, 1) == sign * math.inf
    assert ratio(10**400, sign) == sign * math.inf
    assert ratio(sign * 10**400, sign) == math.inf


@modest
@given(st.integers(0), st.integers(min_value=1), st.integers(-9000, 9000))
@example(1, 1, -2100)
@example(3, 1, -2140)
@example(2, 1, 0)
@example(0, 7, 0)
@example(1, 1, 2047)
def test_a_root_is_that_of_the_exact_quotient(numerator: int, denominator: int, shift: int) -> None:
    if shift > 0:
        numerator <<= shift
    else:
        denominator <<= -shift
    with mp.workdps(60):
        exact = mp.sqrt(mp.mpf(numerator) / mp.mpf(denominator))
        got = root(numerator, denominator)
        if exact > mp.mpf(LARGEST) * 1.01:
            assert got == math.inf
        elif exact < mp.mpf(LARGEST):
            assert abs(mp.mpf(got) - exact) <= mp.mpf(float(np.spacing(got))) * mp.mpf("0.5000001")


@thorough
@given(FINITE, FINITE)
@example(LARGEST, -LARGEST)
@example(TINY, TINY)
def test_a_wide_product_is_rounded_to_53_bits_at_any_size(x: float, y: float) -> None:
    mantissa, exponent = wide_product(array([x]), array([y]))
    exact = Fraction(x) * Fraction(y)
    got = Fraction(float(mantissa[0])) * Fraction(2) ** int(exponent[0])
    assert abs(got - exact) <= abs(exact) * Fraction(1, 2**53)
    assert mantissa[0] == 0 or 0.5 <= abs(mantissa[0]) < 1
    assert kept(ExactSum.of_weighted(array([x]), array([y]))) == got
    assert kept(ExactSum.of_wide_products((mantissa, exponent), wide(array([x])))) == got * Fraction(x)
    assert kept(ExactSum.of_wide_products((mantissa, exponent), (mantissa, exponent))) == got * got


@modest
@given(st.lists(ANY, max_size=6))
def test_a_sum_is_all_finite_unless_an_infinity_or_nan_was_added(values: list[float]) -> None:
    assert ExactSum.of(values).all_finite == all(map(math.isfinite, values))


@pytest.mark.parametrize("change", [[0.5], [TINY], [-math.inf]])
def test_sums_that_differ_are_not_equal(change: list[float]) -> None:
    total = ExactSum.of([1.0, 2.0])
    assert total.merge(ExactSum.of(change)) != total


@modest
@given(st.integers(-(2**1200), 2**1200), st.integers(-2300, 1100))
@example((1 << 53) + 1, -1075)
@example(3, -1075)
@example(1, -1075)
@example((1 << 54) - 1, 970)
@example(0, 5000)
def test_units_of_any_power_are_rounded_once(units: int, power: int) -> None:
    assert rounded(units, power) == nearest(units * Fraction(2) ** power)


def test_a_root_of_any_size_is_the_nearest_double() -> None:
    for bits in (0, 1, 255, 256, 257, 511, 512, 1021, 2047):
        for more in (0, 1, 3):
            number = (1 << bits) + more
            with mp.workprec(4000):
                assert root(number, 1) == float(mp.sqrt(mp.mpf(number)))
                assert root(1, number) == float(1 / mp.sqrt(mp.mpf(number)))
