"""Sums of doubles that are exact: correctly rounded, free of order, mergeable.

Every finite double is an integer times a power of two, so a sum of doubles, and of
products of up to four, is an integer in units of 2**-4400. That integer is kept
whole; it is rounded once, when the value is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from xentcli.arrays import Floats, Ints, distinct
from xentcli.records import record, replace

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "UNIT_BITS",
    "ExactSum",
    "Wide",
    "grouped_product_units",
    "grouped_sums",
    "grouped_units",
    "moderate",
    "product_units_by_group",
    "ratio",
    "root",
    "two_product",
    "units_by_group",
    "wide",
    "wide_product",
]

# The lowest bit of a product of two products of subnormals is 2**-4296.
UNIT_BITS = 4400
_UNIT = 1 << UNIT_BITS
_SPLIT = 26
# A bin of bincount adds parts below 2**27 and is exact up to 2**53.
_CHUNK = 1 << 25
_MOST_EXTRACTIONS = 6
_SOME = 64

Wide = tuple[Floats, Ints]
"""Doubles as significands and exponents, so that products neither overflow nor underflow."""


def wide(x: Floats) -> Wide:
    """Return finite doubles as significands of [0.5, 1) and exponents."""
    mantissa, exponent = np.frexp(x)
    return mantissa, exponent


def wide_product(x: Floats, y: Floats) -> Wide:
    """Return finite ``x * y``, each rounded to 53 bits at any size.

    >>> mantissa, exponent = wide_product(np.array([1e-300]), np.array([1e-300]))
    >>> int(exponent[0])
    -1993
    """
    (mx, ex), (my, ey) = wide(x), wide(y)
    mantissa, exponent = wide(mx * my)
    return mantissa, exponent + ex + ey


@record(frozen=True)
class ExactSum:
    """The exact sum of any number of doubles. ``ExactSum()`` is the empty sum.

    Infinities and NaNs are counted apart, so that the finite part is never lost.

    >>> total = ExactSum().add([1e308, 1.0, -1e308]).merge(ExactSum().add([2.0**-1074]))
    >>> total.value
    1.0
    >>> ExactSum().add([0.1] * 10).value == 1.0   # the doubles nearest 0.1 sum to this
    True
    """

    units: int = 0
    positive_infinities: int = 0
    negative_infinities: int = 0
    nans: int = 0

    def add(self, values: npt.ArrayLike) -> ExactSum:
        """Return the sum with all `values` (any shape, float64) added."""
        array = np.asarray(values, dtype=np.float64).ravel()
        finite = np.isfinite(array)
        if finite.all():
            return replace(self, units=self.units + _units(array))
        odd = array[~finite]
        return ExactSum(
            self.units + _units(array[finite]),
            self.positive_infinities + int((odd == np.inf).sum()),
            self.negative_infinities + int((odd == -np.inf).sum()),
            self.nans + int(np.isnan(odd).sum()),
        )

    def add_products(self, x: Floats, y: Floats) -> ExactSum:
        """Return the sum with every ``x[i] * y[i]`` added, without rounding a product.

        `x` and `y` are finite float64 of one shape. The product of the significands
        is taken as two doubles whose sum is exact (T. J. Dekker, Numerische
        Mathematik 18, 1971); the exponents are added as integers, so that nothing
        overflows or underflows on the way.
        """
        if not (moderate(x) and moderate(y)):
            return self.add_wide_products(wide(x), wide(y))
        product, error = two_product(x, y)
        return replace(self, units=self.units + _units(product.ravel()) + _units(error.ravel()))

    def add_wide(self, x: Wide) -> ExactSum:
        """Return the sum with all of `x` added."""
        return replace(self, units=self.units + _sum_units(*x))

    def add_wide_products(self, x: Wide, y: Wide) -> ExactSum:
        """Return the sum with every ``x[i] * y[i]`` added, without rounding a product."""
        (mx, ex), (my, ey) = x, y
        product, error = two_product(mx, my)
        exponents = ex + ey
        units = self.units
        for part in (product, error):
            mantissa, exponent = np.frexp(part)
            units += _sum_units(mantissa, exponent + exponents)
        return replace(self, units=units)

    def merge(self, other: ExactSum) -> ExactSum:
        """Return the sum over both."""
        return ExactSum(
            self.units + other.units,
            self.positive_infinities + other.positive_infinities,
            self.negative_infinities + other.negative_infinities,
            self.nans + other.nans,
        )

    @property
    def all_finite(self) -> bool:
        """Whether no infinity and no NaN was added."""
        return not (self.positive_infinities or self.negative_infinities or self.nans)

    @property
    def finite(self) -> float:
        """The double nearest to the sum of the finite values."""
        return ratio(self.units, _UNIT)

    @property
    def value(self) -> float:
        """The double nearest to the sum, as IEEE 754 has it when some are not finite."""
        if self.nans or (self.positive_infinities and self.negative_infinities):
            return math.nan
        if self.positive_infinities:
            return math.inf
        if self.negative_infinities:
            return -math.inf
        return self.finite


def ratio(numerator: int, denominator: int) -> float:
    """Divide two integers of any size, rounded once; beyond the doubles it is infinite.

    >>> ratio(1, 3)
    0.3333333333333333
    >>> ratio(10**400, 1)
    inf
    """
    try:
        return numerator / denominator
    except OverflowError:
        return math.inf if (numerator < 0) == (denominator < 0) else -math.inf


def root(numerator: int, denominator: int, power: int = 0) -> float:
    """Return sqrt(2**power * numerator / denominator) of integers of any size, numerator >= 0.

    >>> root(2, 1), root(1, 1, 2), root(10**800, 1)
    (1.4142135623730951, 2.0, inf)
    """
    if not numerator:
        return 0.0
    numerator, denominator = _shifted(numerator, denominator, power)
    # 128 bits of the root, from an even shift, are rounded once.
    shift = (256 + denominator.bit_length() - numerator.bit_length()) // 2
    over, under = _shifted(numerator, denominator, 2 * shift)
    found = math.isqrt(over // under)
    return ratio(*_shifted(found, 1, -shift))


def _shifted(numerator: int, denominator: int, power: int) -> tuple[int, int]:
    """The integers of 2**power * numerator / denominator."""
    return (numerator << power, denominator) if power >= 0 else (numerator, denominator << -power)


def units_by_group(x: Wide, codes: Ints, groups: int) -> Sequence[int]:
    """Sum ``x`` by group, codes (i8[n]) from 0 to `groups` - 1: each sum an integer in units."""
    return _bin_units(*x, codes, groups)


def product_units_by_group(x: Wide, y: Wide, codes: Ints, groups: int) -> Sequence[int]:
    """Sum ``x * y`` by group without rounding a product: each sum an integer in units."""
    (mx, ex), (my, ey) = x, y
    totals = [0] * groups
    for part in two_product(mx, my):
        mantissa, exponent = np.frexp(part)
        for group, units in enumerate(_bin_units(mantissa, exponent + ex + ey, codes, groups)):
            totals[group] += units
    return totals


def grouped_sums(values: Floats, codes: Ints) -> dict[int, ExactSum]:
    """Sum finite `values` (f8[n]) by group: the exact sum for each code (i8[n]) that occurs.

    >>> {c: s.value for c, s in grouped_sums(np.array([1.0, 2.0, 4.0]), np.array([7, 0, 7])).items()}
    {0: 2.0, 7: 5.0}
    """
    groups, _, places = distinct(codes)
    units = grouped_units(values, places, len(groups))
    return {code: ExactSum(unit) for code, unit in zip(groups.tolist(), units, strict=True)}


def two_product(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return the product rounded, and its rounding error: exact where both are `moderate`."""
    product = x * y
    x_high, x_low = _halves(x)
    y_high, y_low = (x_high, x_low) if y is x else _halves(y)
    error = x_high * y_high
    error -= product
    error += x_high * y_low
    error += x_low * y_high
    x_low *= y_low
    error += x_low
    return product, error


def _halves(x: Floats) -> tuple[Floats, Floats]:
    """The upper 26 bits of significands, and the rest (G. W. Veltkamp's splitting)."""
    scaled = x * 134217729.0
    high: Floats = scaled - x
    np.subtract(scaled, high, out=high)
    return high, x - high


def moderate(x: Floats) -> bool:
    """Whether no product of two of these, nor the error of one, leaves the normal doubles; 0 may be among them."""
    size = np.abs(x)
    if not np.maximum.reduce(size, initial=0.0) < 2.0**400:
        return False
    return bool(np.minimum.reduce(size, initial=1.0) > 2.0**-400 or ((size == 0) | (size > 2.0**-400)).all())


def _units(x: Floats) -> int:
    """Sum finite doubles (f8[n]): an integer in units.

    Adding and taking away a large anchor rounds each to a multiple of a power of two, so
    coarse that their sum is a double too; what is left is summed in the same way (the
    error-free extraction of S. M. Rump, T. Ogita and S. Oishi, SIAM Journal on Scientific
    Computing 31, 2008). Values that differ too much in size go into bins by exponent.
    """
    total = 0
    for step, coarse in _extracted(x):
        if step is None:
            return total + _sum_units(*wide(coarse))
        total += int(math.ldexp(float(np.add.reduce(coarse)), -step)) << (step + UNIT_BITS)
    return total


def _extracted(x: Floats) -> Iterator[tuple[int | None, Floats]]:
    """Yield multiples of 2**step, any sums of which are doubles, and at the end, without a step, what is left.

    What is yielded is written over when the next is asked for.
    """
    top = float(max(np.maximum.reduce(x), -np.minimum.reduce(x))) if len(x) else 0.0
    coarse, left = np.empty((2, len(x)))
    for _ in range(_MOST_EXTRACTIONS):
        if not top:
            return
        exponent = math.frexp(top)[1]
        if not -900 < exponent < 900:
            break
        step = exponent + len(x).bit_length() - 52
        anchor = math.ldexp(1.5, 52 + step)
        np.add(x, anchor, out=coarse)
        coarse -= anchor
        yield step, coarse
        x = np.subtract(x, coarse, out=left)
        # What was rounded off is half a step at most; usually the first of it say that there is some.
        top = math.ldexp(0.5, step) if x[:_SOME].any() or x.any() else 0.0
    yield None, x


def grouped_units(x: Floats, codes: Ints, groups: int) -> list[int]:
    """Sum finite ``x`` (f8[n]) by group, codes (i8[n]) from 0 to `groups` - 1: each sum an integer in units."""
    totals = [0] * groups
    for step, coarse in _extracted(x):
        if step is None:
            found = _bin_units(*wide(coarse), codes, groups)
            return [one + two for one, two in zip(totals, found, strict=True)]
        sums = np.ldexp(np.bincount(codes, weights=coarse, minlength=groups), -step).astype(np.int64)
        for group in np.flatnonzero(sums).tolist():
            totals[group] += int(sums[group]) << (step + UNIT_BITS)
    return totals


def grouped_product_units(x: Floats, y: Floats, codes: Ints, groups: int) -> list[int]:
    """Sum finite ``x * y`` by group without rounding a product: each sum an integer in units."""
    if not (moderate(x) and moderate(y)):
        return list(product_units_by_group(wide(x), wide(y), codes, groups))
    pairs = zip(*(grouped_units(part, codes, groups) for part in two_product(x, y)), strict=True)
    return [one + two for one, two in pairs]


def _sum_units(mantissa: Floats, exponent: Ints) -> int:
    total = 0
    for start in range(0, len(mantissa), _CHUNK):
        part = slice(start, start + _CHUNK)
        total += _bin_units(mantissa[part], exponent[part], None, 1)[0]
    return total


def _bin_units(mantissa: Floats, exponent: Ints, group: Ints | None, groups: int) -> Sequence[int]:
    """Sum ``mantissa * 2**exponent`` by group, each sum an integer in units.

    The significand is cut into two whole numbers that bincount adds without rounding,
    one bin for each exponent and group; the few bins are shifted and added as integers.
    """
    totals = [0] * groups
    if not len(mantissa):
        return totals
    lowest = int(exponent.min())
    width = int(exponent.max()) - lowest + 1
    bins = exponent.astype(np.int64) - lowest
    if group is not None:
        bins += group * width
    scaled = mantissa * float(1 << (2 * _SPLIT + 1))
    high = np.trunc(scaled * (1.0 / (1 << _SPLIT)))
    low = scaled - high * float(1 << _SPLIT)
    sums_high = np.bincount(bins, weights=high)
    sums_low = np.bincount(bins, weights=low)
    for index in np.flatnonzero((sums_high != 0) | (sums_low != 0)).tolist():
        owner, offset = divmod(index, width)
        shift = lowest + offset - (2 * _SPLIT + 1) + UNIT_BITS
        totals[owner] += ((int(sums_high[index]) << _SPLIT) + int(sums_low[index])) << shift
    return totals
