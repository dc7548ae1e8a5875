"""Means and moments of many groups at once; ``Mean`` and ``Moments`` are those of one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from xentcli.arrays import Floats, Ints
from xentcli.records import record, replace
from xentcli.tallies.exact import UNIT_BITS, moderate, ratio, wide, wide_product
from xentcli.tallies.moments import Mean, Moments, divided, error_of
from xentcli.tallies.sums import LIMB, GroupSums

__all__ = ["GroupMeans", "GroupMoments"]


@record(frozen=True, eq=False)
class GroupMeans:
    """A weighted mean for each of n groups: sums a / sums b with a = weight x value, b = weight.

    >>> means = GroupMeans.of(np.array([1.0, 2.0, 6.0]), None, np.array([0, 1, 1]), 2)
    >>> means.values, means[1].value
    ([1.0, 4.0], 4.0)
    """

    a: GroupSums
    b: GroupSums

    @classmethod
    def of(
        cls, values: Floats, weight: Floats | None, codes: Ints, groups: int, mass: Floats | None = None
    ) -> GroupMeans:
        """Tally values (f8[m]) by group, codes (i8[m]) from 0, with weights and mass as `Mean.of` has them."""
        if weight is None:
            counts = np.bincount(codes, minlength=groups)
            return cls(GroupSums.of(values, codes, groups), GroupSums.of_counts(counts))
        b = GroupSums.of(weight if mass is None else mass, codes, groups)
        finite = np.isfinite(values)
        if finite.all():
            return cls(_weighted(values, weight, codes, groups), b)
        odd = GroupSums.of(np.where(finite, 0.0, values), codes, groups).odd
        return cls(replace(_weighted(np.where(finite, values, 0.0), weight, codes, groups), odd=odd), b)

    @classmethod
    def joined(cls, parts: Sequence[GroupMeans], places: Sequence[Ints], groups: int) -> GroupMeans:
        """Return the means over all parts, whose groups stand at these places (i8[n] each) of `groups`."""
        return cls(
            GroupSums.joined([part.a for part in parts], places, groups),
            GroupSums.joined([part.b for part in parts], places, groups),
        )

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.a)

    def __getitem__(self, group: int) -> Mean:
        """Return the mean of a group."""
        return Mean(self.a[group], self.b[group])

    @property
    def values(self) -> list[float]:
        """The mean of each group; NaN for no weight."""
        (a, power_a), (b, power_b) = self.a.units(), self.b.units()
        means = [divided(x, y, power_a, power_b) if y else math.nan for x, y in zip(a, b, strict=True)]
        for group in np.flatnonzero(~self.a.finite).tolist():
            means[group] = self[group].value
        return means

    def shares_of(self, whole: Mean) -> list[float | None]:
        """Return `Mean.share_of` of each group; `whole` is the mean over all groups."""
        if not whole.a.units or not whole.a.all_finite:
            return [None] * len(self)
        sums, power = self.a.units()
        # The whole is a sum of such units too.
        units = whole.a.units >> (power + UNIT_BITS)
        return [ratio(one, units) for one in sums]


@record(frozen=True, eq=False)
class GroupMoments:
    """A mean for each of n groups, with what its standard error needs.

    >>> moments = GroupMoments.of(np.array([1.0, 2.0, 6.0]), None, np.array([0, 0, 0]), 1)
    >>> moments.standard_errors
    [1.5275252316519468]
    """

    mean: GroupMeans
    rows: Ints
    aa: GroupSums
    ab: GroupSums
    bb: GroupSums

    @classmethod
    def of(
        cls, values: Floats, weight: Floats | None, codes: Ints, groups: int, mass: Floats | None = None
    ) -> GroupMoments:
        """Tally values (f8[m]) by group, codes (i8[m]) from 0, with weights and mass as `Mean.of` has them."""
        mean = GroupMeans.of(values, weight, codes, groups, mass)
        rows = np.bincount(codes, minlength=groups)
        finite = np.isfinite(values)
        if not finite.all():
            values, codes = values[finite], codes[finite]
            weight = None if weight is None else weight[finite]
            mass = None if mass is None else mass[finite]
        if weight is None:
            aa = GroupSums.of_products(values, values, codes, groups)
            kept = mean.b if finite.all() else GroupSums.of_counts(np.bincount(codes, minlength=groups))
            return cls(mean, rows, aa, replace(mean.a, odd=None), kept)
        with np.errstate(over="ignore", under="ignore"):
            product = values * weight
        below = weight if mass is None else mass
        if moderate(values) and moderate(weight) and moderate(product):
            pairs = ((product, product), (product, below), (below, below))
            return cls(mean, rows, *(GroupSums.of_products(x, y, codes, groups) for x, y in pairs))
        a, b = wide_product(values, weight), wide(below)
        return cls(mean, rows, *(GroupSums.of_wide_products(x, y, codes, groups) for x, y in ((a, a), (a, b), (b, b))))

    @classmethod
    def joined(cls, parts: Sequence[GroupMoments], places: Sequence[Ints], groups: int) -> GroupMoments:
        """Return the moments over all parts, whose groups stand at these places (i8[n] each) of `groups`."""
        rows = np.zeros(groups, dtype=np.int64)
        for part, where in zip(parts, places, strict=True):
            rows[where] += part.rows
        return cls(
            GroupMeans.joined([part.mean for part in parts], places, groups),
            rows,
            GroupSums.joined([part.aa for part in parts], places, groups),
            GroupSums.joined([part.ab for part in parts], places, groups),
            GroupSums.joined([part.bb for part in parts], places, groups),
        )

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.rows)

    def __getitem__(self, group: int) -> Moments:
        """Return the moments of a group."""
        products = (sums[group] for sums in (self.aa, self.ab, self.bb))
        return Moments(self.mean[group], int(self.rows[group]), *products)

    @property
    def standard_errors(self) -> list[float | None]:
        """The standard error of each mean; None for fewer than two rows or an infinite value."""
        one, two = self.mean.a.low, self.mean.b.low
        square = min(self.aa.low - 2 * one, self.ab.low - one - two, self.bb.low - 2 * two)
        products = ((self.aa, 2 * one), (self.ab, one + two), (self.bb, 2 * two))
        (a, _), (b, _) = self.mean.a.units(), self.mean.b.units()
        aa, ab, bb = (sums.units(low + square)[0] for sums, low in products)
        power = LIMB * (square + 2 * one - 2 * two)
        sums = zip(self.mean.a.finite.tolist(), self.rows.tolist(), a, b, aa, ab, bb, strict=True)
        return [error_of(n, x, y, xx, xy, yy, power) if known else None for known, n, x, y, xx, xy, yy in sums]


def _weighted(values: Floats, weight: Floats, codes: Ints, groups: int) -> GroupSums:
    """The sums of weight x value, each product rounded once."""
    if moderate(values) and moderate(weight):
        return GroupSums.of(values * weight, codes, groups)
    return GroupSums.of_wide(wide_product(values, weight), codes, groups)
