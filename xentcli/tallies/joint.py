"""Two figures of the same rows: the mean of new_i - f old_i for any factor f, exactly."""

from __future__ import annotations

from dataclasses import field
from fractions import Fraction
from typing import Self

import numpy as np

from xentcli.arrays import Floats, Ints
from xentcli.columns.keys import coded
from xentcli.records import record
from xentcli.tallies.exact import ExactSum, ratio, root
from xentcli.tallies.groups import Groups
from xentcli.tallies.tally import Tally

__all__ = ["Excess", "Joint"]


@record(frozen=True)
class Excess:
    """The mean of new_i - f old_i minus the allowance, and its standard error.

    Attributes
    ----------
    mean
        Correctly rounded.
    standard_error
        None for fewer than two units.
    units
        How many independent rows or clusters there are.
    """

    mean: float
    standard_error: float | None
    units: int


@record(frozen=True)
class Joint(Tally):
    """The sums of a = weight x new, b = weight x old and c = weight, and of their products, of finite values.

    Products a and b are rounded once, as in ``Moments``; everything after is exact.

    Attributes
    ----------
    clusters
        The means of the new and old figure of each cluster; empty where rows are independent.
    new_infinite, old_infinite
        Rows where new is infinite, and where old is; neither is in the sums.
    """

    a: ExactSum = ExactSum()
    b: ExactSum = ExactSum()
    c: ExactSum = ExactSum()
    aa: ExactSum = ExactSum()
    ab: ExactSum = ExactSum()
    bb: ExactSum = ExactSum()
    ac: ExactSum = ExactSum()
    bc: ExactSum = ExactSum()
    cc: ExactSum = ExactSum()
    rows: int = 0
    clusters: Groups[int] = field(default_factory=Groups)
    new_infinite: int = 0
    old_infinite: int = 0

    @classmethod
    def of(cls, old: Floats, new: Floats, weight: Floats | None, clusters: Ints | None = None) -> Self:
        """Tally rows: both figures and the weights (f8[n], None for 1 each), and the clusters (i8[n]).

        >>> joint = Joint.of(np.array([1.0, 2.0]), np.array([1.5, 2.0]), None)
        >>> joint.excess().mean, joint.excess(Fraction(11, 10)).mean
        (0.25, 0.1)
        """
        c = np.ones(len(new)) if weight is None else weight
        with np.errstate(over="ignore"):
            a, b = new * c, old * c
        lost = [int(np.isinf(of).sum()) for of in (a, b)]
        if any(lost):
            kept = np.isfinite(a) & np.isfinite(b)
            a, b, c, new, old = (of[kept] for of in (a, b, c, new, old))
            weight = None if weight is None else weight[kept]
            clusters = None if clusters is None else clusters[kept]
        aa, ab, bb, ac, bc, cc = (
            ExactSum.of_products(x, y) for x, y in ((a, a), (a, b), (b, b), (a, c), (b, c), (c, c))
        )
        groups = Groups[int]() if clusters is None else Groups.tallied(coded(clusters), weight, new=new, old=old)
        one, two, three = map(ExactSum.of, (a, b, c))
        return cls(one, two, three, aa, ab, bb, ac, bc, cc, len(a), groups, *lost)

    def excess(self, factor: Fraction = Fraction(1), allowed: Fraction = Fraction(0)) -> Excess:
        """Return the mean of new - factor x old - allowed, with its standard error.

        With d_i = a_i - f b_i and m = sum d / sum c, the error is sqrt(n/(n-1) sum (d_i - m c_i)^2) / sum c, and over
        clusters that of the sums of each (the ratio estimator; W. G. Cochran, Sampling Techniques, 1977). All in
        integers, each rounded once.
        """
        a, b, c = map(_exact, (self.a, self.b, self.c))
        mean = (a - factor * b) / c
        if self.clusters.pieces:
            units, squares = len(self.clusters.names), self._between(factor, mean)
        else:
            aa, ab, bb, ac, bc, cc = map(_exact, (self.aa, self.ab, self.bb, self.ac, self.bc, self.cc))
            units = self.rows
            squares = aa - 2 * factor * ab + factor**2 * bb - 2 * mean * (ac - factor * bc) + mean**2 * cc
        error = None
        if units > 1:
            variance = squares * units / ((units - 1) * c * c)
            error = root(variance.numerator, variance.denominator)
        beyond = mean - allowed
        return Excess(ratio(beyond.numerator, beyond.denominator), error, units)

    def _between(self, factor: Fraction, mean: Fraction) -> Fraction:
        """The sum of the squared residuals of the clusters."""
        new, old = self.clusters["new"], self.clusters["old"]
        residuals = (
            _exact(x) - factor * _exact(y) - mean * _exact(w) for x, y, w in zip(new.a, old.a, new.b, strict=True)
        )
        return sum((each * each for each in residuals), Fraction(0))


def _exact(total: ExactSum) -> Fraction:
    return Fraction(total.units) * Fraction(2) ** total.power
