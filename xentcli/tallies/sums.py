"""GroupSums: exact sums of many groups at once, as arrays of 32-bit limbs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Self

import numpy as np

from xentcli.arrays import Flags, Floats, Ints, distinct
from xentcli.records import record
from xentcli.tallies.exact import Among, ExactSum, Layers, Summed

__all__ = ["GroupSums", "grouped_sums"]

_LIMB, _MOST_LIMBS = 32, 1 << 9
_ONES = (1 << _LIMB) - 1


@record(frozen=True, eq=False)
class GroupSums(Summed):
    """The exact sums of n groups; ``ExactSum`` is the sum of one.

    Attributes
    ----------
    limbs
        i8[l, n]: the finite part of the sum of group g is sum_j limbs[j, g] * 2**(32 (low + j)).
        Limbs may have any sign. One block of rows adds less than 2**42 to a limb, so that
        millions of blocks can be merged before one overflows.
    low
        The place of the lowest limb.
    odd
        i8[3, n]: counts of infinities, negative infinities and NaNs; None if there are none.

    >>> sums = GroupSums.of([1e300, 2.0, 2.0**-1074], Among(np.array([1, 0, 1]), 2))
    >>> [total.value for total in sums]
    [2.0, 1e+300]
    """

    limbs: Ints
    low: int = 0
    odd: Ints | None = None

    @property
    def is_sound(self) -> bool:
        """Whether the shapes agree, and doubles can sum to this."""
        two = self.limbs.ndim == 2 and 0 < len(self.limbs) <= _MOST_LIMBS and abs(self.low) <= _MOST_LIMBS
        return two and (self.odd is None or (self.odd.shape == (3, len(self)) and bool((self.odd >= 0).all())))

    @classmethod
    def folded(cls, layers: Layers, among: Among, odd: Ints | None = None) -> Self:
        """Return the sums of layers."""
        return cls(*_limbs(layers, among.count), odd)

    @classmethod
    def joined(cls, parts: Sequence[GroupSums], places: Sequence[Ints], groups: int) -> GroupSums:
        """Return the sums of `groups` groups over all parts; group i of a part is group places[i] (i8[n], distinct)."""
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

    def take(self, places: Ints) -> GroupSums:
        """Return the sums of some groups."""
        return GroupSums(self.limbs[:, places], self.low, None if self.odd is None else self.odd[:, places])

    def __iter__(self) -> Iterator[ExactSum]:
        """Yield the sum of each group."""
        units, power = self.units()
        if self.odd is None:
            return (ExactSum.made(one, power) for one in units)
        return (ExactSum.made(one, power, tuple(odd)) for one, odd in zip(units, self.odd.T.tolist(), strict=True))

    @property
    def all_finite(self) -> bool:
        """Whether no infinity and no NaN was added to any."""
        return self.odd is None or not self.odd.any()

    @property
    def finite(self) -> Flags:
        """bool[n]: whether no infinity and no NaN was added."""
        return np.ones(len(self), dtype=bool) if self.odd is None else np.equal(self.odd.sum(axis=0), 0)

    def units(self) -> tuple[list[int], int]:
        """Return the finite part of each sum as an integer multiple of 2**power, and the power."""
        if len(self.limbs) == 1:
            return self.limbs[0].tolist(), _LIMB * self.low
        # Pack two 32-bit limbs per word; the top one is sign extension.
        carried = np.zeros((2 * ((len(self.limbs) + 3) // 2), len(self)), dtype=np.int64)
        carried[: len(self.limbs)] = self.limbs
        for lower, upper in itertools.pairwise(carried):
            upper += lower >> _LIMB
            lower &= _ONES
        words = carried[::2] | carried[1::2] << _LIMB
        units = words[-1].tolist()
        for word in words[-2::-1].view(np.uint64):
            units = [upper << 2 * _LIMB | lower for upper, lower in zip(units, word.tolist(), strict=True)]
        return units, _LIMB * self.low


def grouped_sums(values: Floats, codes: Ints) -> dict[int, ExactSum]:
    """Return the exact sum of finite `values` (f8[n]) for each distinct code (i8[n]).

    >>> {c: s.value for c, s in grouped_sums(np.array([1.0, 2.0, 4.0]), np.array([7, 0, 7])).items()}
    {0: 2.0, 7: 5.0}
    """
    groups, _, places = distinct(codes)
    return dict(zip(groups.tolist(), GroupSums.of(values, Among(places, len(groups))), strict=True))


def _limbs(layers: Layers, groups: int) -> tuple[Ints, int]:
    """The limbs of the sum of layers, and the place of the lowest."""
    found: dict[int, Ints] = {}

    def add(place: int, part: Ints) -> None:
        if place in found:
            found[place] += part
        elif part.any():
            found[place] = part.copy()

    for step, layer in layers:
        sums = np.asarray(layer)
        place, shift = divmod(step, _LIMB)
        low, high = (sums & _ONES) << shift, (sums >> _LIMB) << shift
        add(place, low & _ONES)
        add(place + 1, (low >> _LIMB) + (high & _ONES))
        add(place + 2, high >> _LIMB)
    first, last = min(found, default=0), max(found, default=0)
    limbs = np.zeros((last - first + 1, groups), dtype=np.int64)
    for place, part in found.items():
        limbs[place - first] = part
    return limbs, first
