"""Weighted means and their standard errors: of all rows, or of each group.

Ratios are derived at the end from exact sums, so that neither block size nor order can change a bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from xentcli.arrays import Floats, Ints, two_product
from xentcli.records import cached_property, record
from xentcli.tallies.exact import (
    ALL,
    LEAST_NORMAL,
    Among,
    ExactSum,
    Summed,
    common,
    moderate,
    root,
    wide,
    wide_product,
)
from xentcli.tallies.sums import GroupSums
from xentcli.tallies.tally import Tally

__all__ = ["GroupMeans", "GroupMoments", "Mean", "Moments", "quotient"]


class _Averaged:
    """Constructor shared by means of all rows and of each group: sum a / sum b with a = weight x value, b = weight."""

    sums: ClassVar[type[Summed]]

    @classmethod
    def of(cls, values: Floats, weight: Floats | None, mass: Floats | None = None, among: Among = ALL) -> Self:
        """Tally values (f8[n]) with their weights (f8[n], None for 1 each); `mass` is b where it is not the weight."""
        make: Callable[..., Self] = cls
        b = weight if mass is None else mass
        below = cls.sums.of_counts(among.rows(len(values))) if b is None else cls.sums.of(b, among)
        return make(cls.sums.of_weighted(values, weight, among), below)


@record(frozen=True)
class Mean(Tally, _Averaged):
    """A weighted mean of all rows."""

    a: ExactSum = ExactSum()
    b: ExactSum = ExactSum()
    sums: ClassVar[type[Summed]] = ExactSum

    @cached_property
    def value(self) -> float:
        """The quotient of the two correctly rounded sums; NaN if the weight is 0."""
        if not self.b:
            return math.nan
        return quotient(self.a, self.b) if self.a.all_finite else self.a.value

    def share_of(self, whole: Mean, problems: int = 1) -> float | None:
        """Return sum a / (`problems` x sum a of `whole`), finite values only; None if the divisor is 0."""
        return self.a.times(1).over(whole.a.times(problems)) if whole.a else None

    def rest_of(self, whole: Mean, problems: int = 1) -> Mean:
        """Return the mean of the finite values of `problems` x `whole` minus these rows."""
        return Mean(whole.a.times(problems).without(self.a), whole.b.times(problems).without(self.b))


@record(frozen=True, eq=False)
class GroupMeans(_Averaged):
    """A weighted mean for each of n groups.

    >>> means = GroupMeans.of(np.array([1.0, 2.0, 6.0]), None, among=Among(np.array([0, 1, 1]), 2))
    >>> [mean.value for mean in means]
    [1.0, 4.0]
    """

    a: GroupSums
    b: GroupSums
    sums: ClassVar[type[Summed]] = GroupSums

    @property
    def is_sound(self) -> bool:
        """Whether both sums have the same groups."""
        return len(self.a) == len(self.b)

    @classmethod
    def joined(cls, parts: Sequence[GroupMeans], places: Sequence[Ints], groups: int) -> GroupMeans:
        """Return the means of `groups` groups over all parts; group i of a part is group places[i] (i8[n])."""
        return cls(*(GroupSums.joined(sums, places, groups) for sums in zip(*((p.a, p.b) for p in parts), strict=True)))

    def take(self, places: Ints) -> GroupMeans:
        """Return the means of some groups (i8[m])."""
        return GroupMeans(self.a.take(places), self.b.take(places))

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.a)

    def __iter__(self) -> Iterator[Mean]:
        """Yield the mean of each group."""
        return map(Mean, self.a, self.b)

    @property
    def standard_error_between(self) -> float | None:
        """The standard error of the mean of all rows if groups are independent, and rows within one are not.

        With r_c = sum over group c of (a_i - m b_i) and m = sum a / sum b it is
        sqrt(C/(C-1) sum r_c^2) / sum b (the ratio estimator over clusters; W. G. Cochran, Sampling
        Techniques, 1977, chapter 9A); None for fewer than two groups, no weight or an infinite value.
        """
        if len(self) < 2 or not self.a.finite.all():
            return None
        (sums, power_a), (weights, power_b) = self.a.units(), self.b.units()
        a, b = sum(sums), sum(weights)
        residuals = sum((x * b - a * y) ** 2 for x, y in zip(sums, weights, strict=True))
        return root(len(self) * residuals, (len(self) - 1) * b**4, 2 * (power_a - power_b)) if b else None


class _Spread:
    """Constructor shared by moments of all rows and of each group; products are summed over finite values only."""

    means: ClassVar[type[_Averaged]]

    @classmethod
    def of(cls, values: Floats, weight: Floats | None, mass: Floats | None = None, among: Among = ALL) -> Self:
        """Tally values (f8[n]) with their weights (f8[n], None for 1 each); `mass` is b where it is not the weight."""
        make: Callable[..., Self] = cls
        mean: Any = cls.means.of(values, weight, mass, among)
        sums, rows = cls.means.sums, among.rows(len(values))
        count = rows if sums is GroupSums else int(rows[0])
        kept = mean
        if not mean.a.all_finite:
            finite = np.isfinite(values)
            values, among = values[finite], among.of(finite)
            weight, mass = (None if of is None else of[finite] for of in (weight, mass))
            kept = cls.means.of(values, weight, mass, among)
        if weight is None:
            return make(mean, count, sums.of_products(values, values, among), kept.a, kept.b)
        with np.errstate(over="ignore", under="ignore"):
            product, below = values * weight, weight if mass is None else mass
        if moderate(values) and moderate(weight) and moderate(product):
            pairs = ((product, product), (product, below), (below, below))
            return make(mean, count, *(sums.of_products(x, y, among) for x, y in pairs))
        a, b = wide_product(values, weight), wide(below)
        return make(mean, count, *(sums.of_wide_products(x, y, among) for x, y in ((a, a), (a, b), (b, b))))


@record(frozen=True)
class Moments(Tally, _Spread):
    """A mean with the sums that its standard error needs; products are summed over finite values only.

    With r_i = a_i - m b_i and m = sum a / sum b, the standard error is
    sqrt(n/(n-1) sum r_i^2) / sum b (the ratio estimator; W. G. Cochran, Sampling
    Techniques, 1977, chapter 6). The sums are exact, so that the variance is formed
    from integers and rounded once: it is never negative by rounding.

    >>> Moments.of(np.array([1.0, 2.0, 6.0]), None).standard_error
    1.5275252316519468
    """

    mean: Mean = Mean()
    rows: int = 0
    aa: ExactSum = ExactSum()
    ab: ExactSum = ExactSum()
    bb: ExactSum = ExactSum()
    means: ClassVar[type[_Averaged]] = Mean

    @property
    def is_sound(self) -> bool:
        """Whether there are 0 rows or more."""
        return self.rows >= 0

    @classmethod
    def of_finite(cls, values: Floats, others: Sequence[Floats]) -> tuple[Self, list[ExactSum]]:
        """Tally moderate values (f8[n]) of weight 1, and return the sums of `others` (f8[n] each) too."""
        total, high, low, *sums = ExactSum.of_each([values, *two_product(values, values), *others])
        count = len(values)
        rows = ExactSum.of_counts(np.array([count]))
        return cls(Mean(total, rows), count, high.merge(low), total, rows), sums

    @cached_property
    def standard_error(self) -> float | None:
        """The standard error of the mean; None for fewer than two rows or an infinite value."""
        if self.rows < 2 or not self.mean.b or not self.mean.a.all_finite:
            return None
        (a, b), one = common(self.mean.a, self.mean.b)
        (aa, ab, bb), two = common(self.aa, self.ab, self.bb)
        residuals = aa * b * b - 2 * a * b * ab + a * a * bb
        return root(self.rows * residuals, (self.rows - 1) * b**4, two - 2 * one)


@record(frozen=True, eq=False)
class GroupMoments(_Spread):
    """A mean for each of n groups, with the sums that its standard error needs.

    >>> moments = GroupMoments.of(np.array([1.0, 2.0, 6.0]), None, among=Among(np.array([0, 0, 0]), 1))
    >>> [moment.standard_error for moment in moments]
    [1.5275252316519468]
    """

    mean: GroupMeans
    rows: Ints
    aa: GroupSums
    ab: GroupSums
    bb: GroupSums
    means: ClassVar[type[_Averaged]] = GroupMeans

    @property
    def is_sound(self) -> bool:
        """Whether all sums have the same groups, each with rows."""
        same = self.rows.shape == (len(self.mean),) and all(len(of) == len(self) for of in (self.aa, self.ab, self.bb))
        return same and bool((self.rows >= 0).all())

    @classmethod
    def joined(cls, parts: Sequence[GroupMoments], places: Sequence[Ints], groups: int) -> GroupMoments:
        """Return the moments of `groups` groups over all parts; group i of a part is group places[i] (i8[n])."""
        rows = np.zeros(groups, dtype=np.int64)
        for part, where in zip(parts, places, strict=True):
            rows[where] += part.rows
        mean = GroupMeans.joined([part.mean for part in parts], places, groups)
        products = zip(*((part.aa, part.ab, part.bb) for part in parts), strict=True)
        return cls(mean, rows, *(GroupSums.joined(sums, places, groups) for sums in products))

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.rows)

    def __iter__(self) -> Iterator[Moments]:
        """Yield the moments of each group."""
        return map(Moments, self.mean, self.rows.tolist(), self.aa, self.ab, self.bb)


def quotient(a: ExactSum, b: ExactSum) -> float:
    """Divide two sums: as correctly rounded doubles, or exactly if one is not a normal double."""
    one, two = a.finite, b.finite
    if (LEAST_NORMAL <= abs(one) < math.inf or not a) and LEAST_NORMAL <= abs(two) < math.inf:
        return one / two
    return a.over(b)
