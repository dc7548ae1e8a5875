"""Sums of doubles that are exact: correctly rounded, free of order, mergeable.

Every finite double is an integer times a power of two, so a sum of doubles, and of
products of up to four, is an integer in units of 2**-4400. That integer is kept
whole; it is rounded once, when the value is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from xentcli.arrays import Floats, Ints, distinct, two_product
from xentcli.records import record, replace

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "LEAST_NORMAL",
    "UNIT_BITS",
    "ExactSum",
    "Wide",
    "bins",
    "extracted",
    "moderate",
    "ratio",
    "root",
    "rounded",
    "wide",
    "wide_product",
]

# The lowest bit of a product of two products of subnormals is 2**-4296.
UNIT_BITS = 4400
LEAST_NORMAL = 2.0**-1022
_SPLIT = 26
# A bin of bincount adds parts below 2**27 and is exact up to 2**53.
_CHUNK = 1 << 25
_MOST_EXTRACTIONS = 6
_MOST_BINS = 1 << 22
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
        return rounded(self.units, -UNIT_BITS)

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

    def over(self, *divisors: ExactSum | float) -> float:
        """Return the double nearest to this sum over the product of others, which are finite and not 0.

        >>> huge = ExactSum().add([1e308, 1e308])
        >>> huge.value, huge.over(4.0)
        (inf, 5e+307)
        """
        if not self.all_finite:
            return self.value
        sums = [each if isinstance(each, ExactSum) else ExactSum().add(each) for each in divisors]
        return ratio(self.units << UNIT_BITS * (len(sums) - 1), math.prod(each.units for each in sums))


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


def rounded(units: int, power: int) -> float:
    """Return the double nearest to ``units * 2**power``.

    >>> rounded(3, -1), rounded(2**60 + 1, 0), rounded(1, 1024), rounded(3, -1075)
    (1.5, 1.152921504606847e+18, inf, 1e-323)
    """
    try:
        found = math.ldexp(float(units), power)
    except OverflowError:
        found = 0.0
    # Among the subnormal doubles it was rounded twice.
    return found if abs(found) >= LEAST_NORMAL or not units else ratio(*_shifted(units, 1, power))


def root(numerator: int, denominator: int, power: int = 0) -> float:
    """Return sqrt(2**power * numerator / denominator) of integers of any size, numerator >= 0.

    >>> root(2, 1), root(1, 1, 2), root(10**800, 1)
    (1.4142135623730951, 2.0, inf)
    """
    if not numerator:
        return 0.0
    # 128 bits of the root are rounded once.
    shift = (256 + denominator.bit_length() - numerator.bit_length() - power) // 2
    over, under = _shifted(numerator, denominator, power + 2 * shift)
    return rounded(math.isqrt(over // under), -shift)


def _shifted(numerator: int, denominator: int, power: int) -> tuple[int, int]:
    """The integers of 2**power * numerator / denominator."""
    return (numerator << power, denominator) if power >= 0 else (numerator, denominator << -power)


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
    for step, coarse in extracted(x):
        if step is None:
            return total + _sum_units(*wide(coarse))
        total += int(math.ldexp(float(np.add.reduce(coarse)), -step)) << (step + UNIT_BITS)
    return total


def extracted(x: Floats) -> Iterator[tuple[int | None, Floats]]:
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


def _sum_units(mantissa: Floats, exponent: Ints) -> int:
    total = 0
    for start in range(0, len(mantissa), _CHUNK):
        part = slice(start, start + _CHUNK)
        for step, sums in bins(mantissa[part], exponent[part], None, 1):
            total += int(sums[0]) << (step + UNIT_BITS)
    return total


def bins(mantissa: Floats, exponent: Ints, group: Ints | None, groups: int) -> Iterator[tuple[int, Ints]]:
    """Yield powers of two, and how often each is in a part of ``sum(mantissa * 2**exponent)``, by group: i8[groups].

    A significand is cut into two whole numbers that bincount adds without rounding, for up
    to 2**25 of them; there is one bin for each exponent and group.
    """
    if not len(mantissa):
        return
    lowest = int(exponent.min())
    width = int(exponent.max()) - lowest + 1
    places = exponent.astype(np.int64) - lowest
    if group is not None:
        places *= groups
        places += group
    found: Ints | None = None
    if width * groups > max(_MOST_BINS, len(places)):
        values, _, places = distinct(places)
        found = values.astype(np.int64)
    scaled = mantissa * float(1 << (2 * _SPLIT + 1))
    high = np.trunc(scaled * (1.0 / (1 << _SPLIT)))
    low = scaled - high * float(1 << _SPLIT)
    edges = np.arange(width + 1) * groups if found is None else np.searchsorted(found, np.arange(width + 1) * groups)
    for part, step in ((high, lowest - _SPLIT - 1), (low, lowest - 2 * _SPLIT - 1)):
        sums = np.bincount(places, weights=part, minlength=width * groups if found is None else 0).astype(np.int64)
        for offset in np.flatnonzero(np.logical_or.reduceat(sums, edges[:-1])).tolist():
            some = slice(*edges[offset : offset + 2])
            yield step + offset, sums[some] if found is None else _spread(found[some] % groups, sums[some], groups)


def _spread(places: Ints, values: Ints, count: int) -> Ints:
    """The values at their places among `count`, 0 elsewhere."""
    result = np.zeros(count, dtype=np.int64)
    result[places] = values
    return result
