"""Exact sums of many groups at once: what `exact` does of all rows, with an array in place of each integer."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from xentcli.arrays import Flags, Floats, Ints, distinct, two_product
from xentcli.records import record, replace
from xentcli.tallies.exact import UNIT_BITS, ExactSum, Wide, bins, extracted, moderate, wide

__all__ = ["LIMB", "GroupSums", "grouped_sums"]

LIMB = 32
_ONES = (1 << LIMB) - 1


@record(frozen=True, eq=False)
class GroupSums:
    """The exact sum of each of n groups; ``ExactSum`` is that of one.

    Attributes
    ----------
    limbs
        i8[l, n]: the finite part of the sum of group g is sum_j limbs[j, g] * 2**(32 (low + j)).
        Limbs may have any sign. What is tallied of some rows adds less than 2**42 to one, so
        that millions of tallies are merged before one is too large.
    low
        The place of the lowest limb.
    odd
        i8[3, n]: how many infinities, negative infinities and NaNs; None where there are none.

    >>> sums = GroupSums.of(np.array([1e300, 2.0, 2.0**-1074]), np.array([1, 0, 1]), 2)
    >>> [sums[group].value for group in range(2)]
    [2.0, 1e+300]
    """

    limbs: Ints
    low: int = 0
    odd: Ints | None = None

    @classmethod
    def of_counts(cls, counts: Ints) -> GroupSums:
        """Return whole numbers (i8[n]) as sums."""
        return cls(_limbs([(0, counts)], len(counts))[0])

    @classmethod
    def of(cls, x: Floats, codes: Ints, groups: int) -> GroupSums:
        """Sum ``x`` (f8[m]) by group, codes (i8[m]) from 0 to `groups` - 1."""
        finite = np.isfinite(x)
        if finite.all():
            return cls(*_limbs(_layers(x, codes, groups), groups))
        kinds = (np.isposinf(x), np.isneginf(x), np.isnan(x))
        odd = np.array([np.bincount(codes[kind], minlength=groups) for kind in kinds], dtype=np.int64)
        return replace(cls.of(np.where(finite, x, 0.0), codes, groups), odd=odd)

    @classmethod
    def of_products(cls, x: Floats, y: Floats, codes: Ints, groups: int) -> GroupSums:
        """Sum finite ``x * y`` by group without rounding a product."""
        if not (moderate(x) and moderate(y)):
            return cls.of_wide_products(wide(x), wide(y), codes, groups)
        layers = (layer for part in two_product(x, y) for layer in _layers(part, codes, groups))
        return cls(*_limbs(layers, groups))

    @classmethod
    def of_wide(cls, x: Wide, codes: Ints, groups: int) -> GroupSums:
        """Sum ``x`` by group."""
        return cls(*_limbs(bins(*x, codes, groups), groups))

    @classmethod
    def of_wide_products(cls, x: Wide, y: Wide, codes: Ints, groups: int) -> GroupSums:
        """Sum ``x * y`` by group without rounding a product."""
        (mx, ex), (my, ey) = x, y
        parts = [np.frexp(part) for part in two_product(mx, my)]
        layers = (layer for m, e in parts for layer in bins(m, e + ex + ey, codes, groups))
        return cls(*_limbs(layers, groups))

    @classmethod
    def joined(cls, parts: Sequence[GroupSums], places: Sequence[Ints], groups: int) -> GroupSums:
        """Return the sums over all parts, whose groups stand at these places (i8[n] each, none twice) of `groups`."""
        low = min(part.low for part in parts)
        high = max(part.low + len(part.limbs) for part in parts)
        limbs = np.zeros((high - low, groups), dtype=np.int64)
        odd = np.zeros((3, groups), dtype=np.int64) if any(part.odd is not None for part in parts) else None
        for part, where in zip(parts, places, strict=True):
            for limb, more in zip(limbs[part.low - low :], part.limbs, strict=False):
                limb[where] += more
            if odd is not None and part.odd is not None:
                odd[:, where] += part.odd
        return cls(limbs, low, odd)

    def __len__(self) -> int:
        """Return the number of groups."""
        count: int = self.limbs.shape[1]
        return count

    def __getitem__(self, group: int) -> ExactSum:
        """Return the sum of a group."""
        some = GroupSums(self.limbs[:, group : group + 1], self.low)
        odd = () if self.odd is None else self.odd[:, group].tolist()
        (units,), power = some.units()
        # Below 2**-4400 there are zeros alone.
        shift = power + UNIT_BITS
        return ExactSum(units << shift if shift >= 0 else units >> -shift, *odd)

    @property
    def finite(self) -> Flags:
        """bool[n]: whether no infinity and no NaN was added."""
        return np.ones(len(self), dtype=bool) if self.odd is None else np.equal(self.odd.sum(axis=0), 0)

    def units(self, low: int | None = None) -> tuple[list[int], int]:
        """Return the finite part of each sum as an integer in units of a power of two, and that power.

        It is that of the lowest limb, or of one further down at the place `low`.
        """
        low = self.low if low is None else low
        # Two limbs to a word, the last of which is the sign and its repetition.
        below = self.low - low
        if not below and len(self.limbs) == 1:
            return self.limbs[0].tolist(), LIMB * low
        carried = np.zeros((2 * ((below + len(self.limbs) + 3) // 2), len(self)), dtype=np.int64)
        carried[below : below + len(self.limbs)] = self.limbs
        for lower, upper in itertools.pairwise(carried):
            upper += lower >> LIMB
            lower &= _ONES
        words = carried[::2] | carried[1::2] << LIMB
        units = words[-1].tolist()
        for word in words[-2::-1].view(np.uint64):
            units = [upper << 2 * LIMB | lower for upper, lower in zip(units, word.tolist(), strict=True)]
        return units, LIMB * low


def grouped_sums(values: Floats, codes: Ints) -> dict[int, ExactSum]:
    """Sum finite `values` (f8[n]) by group: the exact sum for each code (i8[n]) that occurs.

    >>> {c: s.value for c, s in grouped_sums(np.array([1.0, 2.0, 4.0]), np.array([7, 0, 7])).items()}
    {0: 2.0, 7: 5.0}
    """
    groups, _, places = distinct(codes)
    sums = GroupSums.of(values, places, len(groups))
    return {code: sums[place] for place, code in enumerate(groups.tolist())}


def _layers(x: Floats, codes: Ints, groups: int) -> Iterator[tuple[int, Ints]]:
    """Yield powers of two, and how often each is in a part of the sum of each group: i8[groups], below 2**54."""
    for step, coarse in extracted(x):
        if step is None:
            yield from bins(*wide(coarse), codes, groups)
        else:
            sums = np.bincount(codes, weights=coarse, minlength=groups)
            yield step, np.ldexp(sums, -step).astype(np.int64)


def _limbs(layers: Iterable[tuple[int, Ints]], groups: int) -> tuple[Ints, int]:
    """The limbs that layers add up to, and the place of the lowest."""
    found: dict[int, Ints] = {}

    def add(place: int, part: Ints) -> None:
        if place in found:
            found[place] += part
        elif part.any():
            found[place] = part.copy()

    for step, sums in layers:
        place, shift = divmod(step, LIMB)
        low, high = (sums & _ONES) << shift, (sums >> LIMB) << shift
        add(place, low & _ONES)
        add(place + 1, (low >> LIMB) + (high & _ONES))
        add(place + 2, high >> LIMB)
    first, last = min(found, default=0), max(found, default=0)
    limbs = np.zeros((last - first + 1, groups), dtype=np.int64)
    for place, part in found.items():
        limbs[place - first] = part
    return limbs, first
