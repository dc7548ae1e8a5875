"""Sums of doubles that are exact: correctly rounded, independent of order, mergeable.

Every finite double is an integer times a power of two, and so is a sum of doubles or of their
products. That integer is kept whole; it is rounded once, when the value is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Self

import numpy as np

from xentcli.arrays import Flags, Floats, Ints, distinct, two_product
from xentcli.records import record
from xentcli.tallies.tally import Tally

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "ALL",
    "LEAST_NORMAL",
    "Among",
    "ExactSum",
    "Layers",
    "Summed",
    "Wide",
    "common",
    "moderate",
    "ratio",
    "root",
    "rounded",
    "wide",
    "wide_product",
]

LEAST_NORMAL = 2.0**-1022
_SPLIT = 26
# A bin of bincount adds parts below 2**27 and is exact up to 2**53.
_CHUNK = 1 << 25
_MOST_BITS = 1 << 14
_MOST_EXTRACTIONS = 6
_MOST_BINS = 1 << 22
_SOME = 64
_FEW_ROWS = 2048
"""Up to this many rows the calls of NumPy take most of the time of a sum."""

Wide = tuple[Floats, Ints]
"""Doubles as (significand, exponent), so that products neither overflow nor underflow."""
Layers = Iterable[tuple[int, Sequence[int] | Ints]]
"""Pairs (p, one integer below 2**54 per group): the sum of a group is that of integer * 2**p over all layers."""


@record(frozen=True, eq=False)
class Among:
    """Which group each row belongs to: `codes` (i8[n]) from 0 to `count` - 1, or None if all rows are one group."""

    codes: Ints | None = None
    count: int = 1

    def codes_of(self, rows: int) -> Ints | None:
        """Return the codes of n rows."""
        return self.codes

    def of(self, rows: Flags) -> Among:
        """Return the groups of some rows (bool[n])."""
        return self if self.codes is None else Among(self.codes[rows], self.count)

    def rows(self, rows: int) -> Ints:
        """i8[count]: how many of n rows each group has."""
        return np.array([rows]) if self.codes is None else np.bincount(self.codes, minlength=self.count)

    def sums(self, values: Floats, step: int) -> Sequence[int] | Ints:
        """For each group the sum, in units of 2**step, of values (f8[n]) that are multiples of it.

        Any partial sum is an exact double.
        """
        if self.codes is None:
            # A third of the time of bincount, which would slow a score of one column by 15 %.
            return (int(math.ldexp(np.add.reduce(values), -step)),)
        sums = np.bincount(self.codes, weights=values, minlength=self.count)
        return np.ldexp(sums, -step).astype(np.int64)


ALL = Among()


@record(frozen=True, eq=False)
class _Vectors(Among):
    """Groups of consecutive rows, all of one length; their codes are seldom needed."""

    def codes_of(self, rows: int) -> Ints:
        """i8[n]: the group of each of n rows."""
        return np.arange(self.count).repeat(rows // self.count)

    def sums(self, values: Floats, step: int) -> Sequence[int] | Ints:
        """For each vector the sum."""
        each = np.add.reduce(values.reshape(self.count, -1), axis=1).tolist()
        return [int(math.ldexp(total, -step)) for total in each]


class Summed:
    """Constructors shared by the exact sum of all rows (`ExactSum`) and those of each group (`GroupSums`)."""

    @classmethod
    def folded(cls, layers: Layers, among: Among, odd: Ints | None = None) -> Self:
        """Return the sums of layers; `odd` (i8[3, groups]) counts infinities, negative infinities and NaNs."""
        raise NotImplementedError

    @classmethod
    def of_counts(cls, counts: Ints) -> Self:
        """Return whole numbers (i8[groups]) as sums."""
        return cls.folded([(0, counts)], Among(None, len(counts)))

    @property
    def all_finite(self) -> bool:
        """Whether no infinity and no NaN was added."""
        raise NotImplementedError

    @classmethod
    def of(cls, values: npt.ArrayLike, among: Among = ALL) -> Self:
        """Return the sums of values (any shape, float64)."""
        x = np.asarray(values, dtype=np.float64).ravel()
        top = _largest(x)
        if top < math.inf:
            return cls.folded(_layers(x, top, among), among)
        finite = np.where(np.isfinite(x), x, 0.0)
        return cls.folded(_layers(finite, _largest(finite), among), among, _odd(x, among))

    @classmethod
    def of_weighted(cls, values: Floats, weight: Floats | None, among: Among = ALL) -> Self:
        """Return the sums of weight x value, each product rounded to 53 bits; weights are finite, None for 1 each."""
        if weight is None:
            return cls.of(values, among)
        finite = np.isfinite(values)
        odd = None
        if not finite.all():
            odd = _odd(values, among)
            values = np.where(finite, values, 0.0)
        if moderate(values) and moderate(weight):
            product = values * weight
            return cls.folded(_layers(product, _largest(product), among), among, odd)
        return cls.folded(_bins(*wide_product(values, weight), among), among, odd)

    @classmethod
    def of_products(cls, x: Floats, y: Floats, among: Among = ALL) -> Self:
        """Return the sums of finite x * y (f8[n] each) without rounding a product.

        A product is taken as two doubles whose sum is exact (T. J. Dekker, Numerische Mathematik 18, 1971).
        """
        if not (moderate(x) and (y is x or moderate(y))):
            return cls.of_wide_products(wide(x), wide(y), among)
        parts = two_product(x, y)
        return cls.folded((layer for part in parts for layer in _layers(part, _largest(part), among)), among)

    @classmethod
    def of_wide_products(cls, x: Wide, y: Wide, among: Among = ALL) -> Self:
        """Return the sums of x * y without rounding a product; exponents are added as integers."""
        (mx, ex), (my, ey) = x, y
        parts = [np.frexp(part) for part in two_product(mx, my)]
        return cls.folded((layer for m, e in parts for layer in _bins(m, e + ex + ey, among)), among)


@record(frozen=True)
class ExactSum(Tally, Summed):
    """The exact sum of any number of doubles. ``ExactSum()`` is the empty sum.

    The finite part is ``units * 2**power`` with odd `units`, or 0 * 2**0. `odd` counts infinities,
    negative infinities and NaNs, so that the finite part is never lost.

    >>> total = ExactSum.of([1e308, 1.0, -1e308]).merge(ExactSum.of([2.0**-1074]))
    >>> total.value
    1.0
    >>> ExactSum.of([0.1] * 10).value == 1.0   # the doubles nearest 0.1 sum to this
    True
    """

    units: int = 0
    power: int = 0
    odd: tuple[int, int, int] = (0, 0, 0)

    @property
    def is_sound(self) -> bool:
        """Whether products of doubles can sum to this: an integer with a larger power would exhaust the memory."""
        small = abs(self.power) <= _MOST_BITS and self.units.bit_length() <= _MOST_BITS
        return small and (self.units % 2 == 1 or not (self.units or self.power)) and min(self.odd) >= 0

    @classmethod
    def made(cls, units: int, power: int, odd: tuple[int, int, int] = (0, 0, 0)) -> Self:
        """Return the sum units * 2**power in normal form."""
        zeros = (units & -units).bit_length() - 1
        return cls(units >> zeros, power + zeros, odd) if units else cls(0, 0, odd)

    @classmethod
    def of_counts(cls, counts: Ints) -> Self:
        """Return a whole number (i8[1]) as a sum."""
        return cls.made(int(counts[0]), 0)

    @classmethod
    def exactly(cls, number: float) -> Self:
        """Return a finite number as a sum."""
        units, denominator = number.as_integer_ratio()
        return cls.made(units, 1 - denominator.bit_length())

    @classmethod
    def folded(cls, layers: Layers, among: Among, odd: Ints | None = None) -> Self:
        """Return the sum of layers of one group."""
        units = low = 0
        for step, sums in layers:
            if step < low:
                units <<= low - step
                low = step
            units += int(sums[0]) << (step - low)
        return cls.made(units, low) if odd is None else cls.made(units, low, tuple(odd[:, 0].tolist()))

    @classmethod
    def of_each(cls, vectors: Sequence[Floats]) -> list[Self]:
        """Return the sum of each of several vectors (f8[n]): for few rows in one pass, a third of the time.

        >>> [total.value for total in ExactSum.of_each([np.array([0.5, 1e300]), np.array([1.0, 2.0])])]
        [1e+300, 3.0]
        """
        if len(vectors[0]) <= _FEW_ROWS:
            x, count = np.concatenate(vectors), len(vectors)
            among = _Vectors(None, count)
            if (top := _largest(x)) < math.inf:
                layers = list(_layers(x, top, among))
                low = min([step for step, _ in layers], default=0)
                units = [0] * count
                for step, sums in layers:
                    units = [one + (int(more) << step - low) for one, more in zip(units, sums, strict=True)]
                return [cls.made(each, low) for each in units]
        return [cls.of(vector) for vector in vectors]

    def merge(self, other: ExactSum) -> ExactSum:
        """Return the sum over both."""
        (a, b), power = common(self, other)
        one, two = self.odd, other.odd
        return ExactSum.made(a + b, power, (one[0] + two[0], one[1] + two[1], one[2] + two[2]))

    def times(self, count: int) -> ExactSum:
        """Return `count` times the finite part."""
        return ExactSum.made(count * self.units, self.power)

    def without(self, other: ExactSum) -> ExactSum:
        """Return the difference of the finite parts."""
        return self.times(1).merge(other.times(-1))

    def over(self, *divisors: ExactSum | float) -> float:
        """Return the double nearest to this sum over the product of others, which are finite and not 0.

        >>> huge = ExactSum.of([1e308, 1e308])
        >>> huge.value, huge.over(4.0)
        (inf, 5e+307)
        """
        if not self.all_finite:
            return self.value
        sums = [each if isinstance(each, ExactSum) else ExactSum.exactly(each) for each in divisors]
        power = self.power - sum(each.power for each in sums)
        return ratio(*_shifted(self.units, math.prod(each.units for each in sums), power))

    def __bool__(self) -> bool:
        """Return whether the finite part is not 0."""
        return self.units != 0

    @property
    def all_finite(self) -> bool:
        """Whether no infinity and no NaN was added."""
        return not any(self.odd)

    @property
    def finite(self) -> float:
        """The double nearest to the sum of the finite values."""
        return rounded(self.units, self.power)

    @property
    def value(self) -> float:
        """The double nearest to the sum, as IEEE 754 has it when some are not finite."""
        positive, negative, nans = self.odd
        if nans or (positive and negative):
            return math.nan
        if positive or negative:
            return math.inf if positive else -math.inf
        return self.finite


def common(*sums: ExactSum) -> tuple[list[int], int]:
    """Return the finite parts of sums as integers in units of a power of two, and that power."""
    power = min((total.power for total in sums if total.units), default=0)
    return [total.units << (total.power - power) if total.units else 0 for total in sums], power


def wide(x: Floats) -> Wide:
    """Return finite doubles as significands in [0.5, 1) and exponents."""
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
    # A subnormal result may have been rounded twice.
    return found if abs(found) >= LEAST_NORMAL or not units else ratio(*_shifted(units, 1, power))


def root(numerator: int, denominator: int, power: int = 0) -> float:
    """Return sqrt(2**power * numerator / denominator) of integers of any size, numerator >= 0.

    >>> root(2, 1), root(1, 1, 2), root(10**800, 1)
    (1.4142135623730951, 2.0, inf)
    """
    if not numerator:
        return 0.0
    # Compute 128 bits of the root, then round once.
    shift = (256 + denominator.bit_length() - numerator.bit_length() - power) // 2
    over, under = _shifted(numerator, denominator, power + 2 * shift)
    return rounded(math.isqrt(over // under), -shift)


def _shifted(numerator: int, denominator: int, power: int) -> tuple[int, int]:
    """The integers of 2**power * numerator / denominator."""
    return (numerator << power, denominator) if power >= 0 else (numerator, denominator << -power)


def moderate(x: Floats) -> bool:
    """Whether products of any two of these, and their rounding errors, are 0 or normal doubles."""
    size = np.abs(x)
    if not np.maximum.reduce(size, initial=0.0) < 2.0**400:
        return False
    return bool(np.minimum.reduce(size, initial=1.0) > 2.0**-400 or ((size == 0) | (size > 2.0**-400)).all())


def _odd(x: Floats, among: Among) -> Ints:
    """i8[3, groups]: how many infinities, negative infinities and NaNs."""
    kinds = (np.isposinf(x), np.isneginf(x), np.isnan(x))
    return np.array([among.of(kind).rows(int(np.count_nonzero(kind))) for kind in kinds], dtype=np.int64)


def _largest(x: Floats) -> float:
    """The largest absolute value; NaN if any is NaN, 0 if there are none."""
    return float(max(np.maximum.reduce(x), -np.minimum.reduce(x))) if len(x) else 0.0


def _layers(x: Floats, top: float, among: Among) -> Iterator[tuple[int, Sequence[int] | Ints]]:
    """Yield the layers of finite x (f8[n]), whose largest absolute value is `top`.

    Adding and subtracting a large anchor rounds each value to a multiple of 2**step, coarse enough
    that every sum of these multiples is an exact double. The remainders are summed in the same way
    (error-free extraction: S. M. Rump, T. Ogita and S. Oishi, SIAM Journal on Scientific Computing
    31, 2008). If the magnitudes differ too much, the rest is summed in bins by exponent.
    """
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
        yield step, among.sums(coarse, step)
        x = np.subtract(x, coarse, out=left)
        # The rest is at most half a step; its first values usually show that it is not all 0.
        top = math.ldexp(0.5, step) if np.logical_or.reduce(x[:_SOME]) or np.logical_or.reduce(x[_SOME:]) else 0.0
    yield from _bins(*wide(x), among)


def _bins(mantissa: Floats, exponent: Ints, among: Among) -> Layers:
    """Yield the layers of mantissa * 2**exponent.

    Each significand is split into two whole numbers; bincount adds up to _CHUNK of these without
    rounding, in one bin per exponent and group.
    """
    codes, groups = among.codes_of(len(mantissa)), among.count
    for start in range(0, len(mantissa), _CHUNK):
        part = slice(start, start + _CHUNK)
        yield from _binned(mantissa[part], exponent[part], None if codes is None else codes[part], groups)


def _binned(mantissa: Floats, exponent: Ints, group: Ints | None, groups: int) -> Iterator[tuple[int, Ints]]:
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
    """An array of `count` zeros with the values at their places."""
    result = np.zeros(count, dtype=np.int64)
    result[places] = values
    return result
