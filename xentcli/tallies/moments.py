"""What is kept of a batch: frozen, mergeable, exact.

Every tally has ``empty()``, an identity, and ``merge``, which is associative and
commutative. They hold integers and exact sums; ratios are derived at the end, so
that neither block size nor order can change a bit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Protocol, Self

import numpy as np

from xentcli.arrays import Floats, Ints, two_product
from xentcli.records import record
from xentcli.scoring.losses import Workings
from xentcli.tallies.exact import LEAST_NORMAL, UNIT_BITS, ExactSum, moderate, ratio, root, rounded, wide, wide_product
from xentcli.tallies.sums import grouped_sums

__all__ = ["ClassShares", "Clipping", "Infinite", "Mean", "Moments", "Tally", "divided", "error_of", "zeros"]

FIRST_ROWS = 10


class Tally(Protocol):
    """What every tally can do."""

    @classmethod
    def empty(cls) -> Self:
        """Return the tally of no rows: merging it changes nothing."""
        ...

    def merge(self, other: Self) -> Self:
        """Return the tally of the rows of both."""
        ...


@record(frozen=True)
class Mean:
    """A weighted mean: sum a / sum b with a = weight x value, b = weight, or the `mass` given for it."""

    a: ExactSum = ExactSum()
    b: ExactSum = ExactSum()

    @classmethod
    def empty(cls) -> Self:
        """Return the mean of nothing."""
        return cls()

    @classmethod
    def of(cls, values: Floats, weight: Floats | None, mass: Floats | None = None) -> Mean:
        """Tally values (f8[n]) with their weights (f8[n], None for 1 each); `mass` is b where it is not that."""
        if weight is None:
            return cls(ExactSum().add(values), _whole(len(values)))
        return cls(_weighted(values, weight), ExactSum().add(weight if mass is None else mass))

    def merge(self, other: Mean) -> Mean:
        """Return the mean over both."""
        return Mean(self.a.merge(other.a), self.b.merge(other.b))

    @property
    def value(self) -> float:
        """One division of two correctly rounded sums; NaN for no weight.

        Where a sum is beyond the normal doubles, the exact sums are divided instead.
        """
        if not self.b.units:
            return math.nan
        return divided(self.a.units, self.b.units) if self.a.all_finite else self.a.value

    def share_of(self, whole: Mean, problems: int = 1) -> float | None:
        """Return sum a / (problems x sum a of `whole`), rounded once; None where that is 0 or not finite."""
        known = whole.a.units and whole.a.all_finite
        return ratio(self.a.units, problems * whole.a.units) if known else None


@record(frozen=True)
class Moments:
    """A mean with what its standard error needs; the products are those of finite values.

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

    @classmethod
    def empty(cls) -> Self:
        """Return the moments of nothing."""
        return cls()

    @classmethod
    def of(cls, values: Floats, weight: Floats | None, mass: Floats | None = None) -> Moments:
        """Tally values (f8[n]) with their weights (f8[n], None for 1 each); `mass` is b where it is not that."""
        return cls.with_means(values, {}, weight, mass)[0]

    @classmethod
    def with_means(
        cls, values: Floats, others: Mapping[str, Floats], weight: Floats | None, mass: Floats | None = None
    ) -> tuple[Moments, dict[str, Mean]]:
        """Tally values as `of` does, and of the same rows the means of others (f8[n] each), weighted by b."""
        if weight is not None or not moderate(values):
            b = weight if mass is None else mass
            return cls._of(values, weight, mass), {name: Mean.of(other, b) for name, other in others.items()}
        vectors = (values, *two_product(values, values), *others.values())
        first, product, error, *rest = map(ExactSum().add, vectors)
        count = _whole(len(values))
        moments = cls(Mean(first, count), len(values), product.merge(error), ExactSum(first.units), count)
        return moments, {name: Mean(total, count) for name, total in zip(others, rest, strict=True)}

    @classmethod
    def _of(cls, values: Floats, weight: Floats | None, mass: Floats | None) -> Moments:
        mean = Mean.of(values, weight, mass)
        finite = np.isfinite(values)
        kept = values if finite.all() else values[finite]
        if weight is None:
            return cls(
                mean, len(values), ExactSum().add_products(kept, kept), ExactSum(mean.a.units), _whole(len(kept))
            )
        a, b = wide_product(kept, weight[finite]), wide((weight if mass is None else mass)[finite])
        aa, ab, bb = (ExactSum().add_wide_products(x, y) for x, y in ((a, a), (a, b), (b, b)))
        return cls(mean, len(values), aa, ab, bb)

    def merge(self, other: Moments) -> Moments:
        """Return the moments over both."""
        return Moments(
            self.mean.merge(other.mean),
            self.rows + other.rows,
            self.aa.merge(other.aa),
            self.ab.merge(other.ab),
            self.bb.merge(other.bb),
        )

    @property
    def standard_error(self) -> float | None:
        """The standard error of the mean; None for fewer than two rows or an infinite loss."""
        if not self.mean.a.all_finite:
            return None
        sums, products = (self.mean.a.units, self.mean.b.units), (self.aa.units, self.ab.units, self.bb.units)
        # Integers of thousands of bits are slow, and most of these bits are zeros.
        one, two = zeros(*sums), zeros(*products)
        a, b = (units >> one for units in sums)
        aa, ab, bb = (units >> two for units in products)
        return error_of(self.rows, a, b, aa, ab, bb, UNIT_BITS + two - 2 * one)


@record(frozen=True, eq=False)
class ClassShares:
    """How much of the target falls on each class: sum_i w_i W_c y_ic.

    counts (i8[K], or of length 0) holds the rows of each hard label; masses holds the sums,
    where they are not simply those counts. With `pairs` each column is a problem of two
    classes, of which the codes 2 c and 2 c + 1 are those of column c.
    """

    counts: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    masses: Mapping[int, ExactSum] | None = None
    pairs: bool = False

    @classmethod
    def empty(cls) -> Self:
        """Return the shares of no rows."""
        return cls()

    @classmethod
    def of(cls, work: Workings) -> ClassShares:
        """Tally the targets of a batch."""
        if work.batch.multilabel:
            return cls._of_columns(work.columns, work.batch.classes)
        batch, soft = work.batch, work.soft
        some = bool(soft.any())
        counts = np.bincount(work.index[~soft] if some else work.index, minlength=batch.classes).astype(np.int64)
        # With per_row the weight of a row does not contain that of its class.
        spread = some or batch.per_row
        if batch.weight is None and not spread:
            return cls(counts)
        weight = np.ones(len(soft)) if batch.mass is None else batch.mass
        if not spread:
            return cls(counts, grouped_sums(weight, work.index))
        mass = weight[:, None] * work.class_shares
        codes = np.broadcast_to(np.arange(batch.classes), mass.shape)
        return cls(counts, grouped_sums(mass.ravel(), codes.ravel()))

    @classmethod
    def _of_columns(cls, work: Workings, columns: int) -> ClassShares:
        """Tally n x k binary rows."""
        column = np.tile(np.arange(columns), len(work.index) // columns)
        counts = np.bincount((2 * column + work.index)[~work.soft], minlength=2 * columns).astype(np.int64)
        if work.batch.weight is None and not work.soft.any():
            return cls(counts, None, True)
        assert work.distribution is not None
        weight = np.ones(len(column)) if work.batch.weight is None else work.batch.weight
        codes = 2 * column[:, None] + np.arange(2)
        return cls(counts, grouped_sums((weight[:, None] * work.distribution).ravel(), codes.ravel()), True)

    def merge(self, other: ClassShares) -> ClassShares:
        """Return the shares over both."""
        longer, shorter = sorted((self.counts, other.counts), key=len, reverse=True)
        counts = longer.copy()
        counts[: len(shorter)] += shorter
        pairs = self.pairs or other.pairs
        if self.masses is None and other.masses is None:
            return ClassShares(counts, None, pairs)
        masses = dict(self.by_class())
        for code, mass in other.by_class().items():
            masses[code] = masses[code].merge(mass) if code in masses else mass
        return ClassShares(counts, masses, pairs)

    def by_class(self) -> Mapping[int, ExactSum]:
        """Return the exact weight on each class that has any."""
        if self.masses is not None:
            return self.masses
        return {int(c): _whole(int(self.counts[c])) for c in np.flatnonzero(self.counts)}

    def __eq__(self, other: object) -> bool:
        """Compare by what was tallied."""
        if not isinstance(other, ClassShares):
            return NotImplemented
        return self.counts.tolist() == other.counts.tolist() and self.by_class() == other.by_class()

    def best_constant(self, weight: ExactSum) -> float:
        """Return the least cost of a constant prediction, in nats, of rows whose weights sum to `weight`.

        The mass of class c is m_c = sum_i w_i W_c y_ic. A constant prediction f costs
        -sum_c m_c ln f_c / sum b, which is least where f_c is m_c / sum m (J. W. Gibbs):
        the entropy of these shares times sum m / sum b. That factor is 1 but for targets that
        do not sum to 1, and for losses with class weights over a denominator without them.
        """
        mass = sum(mass.units for mass in self.by_class().values())
        if self.pairs or mass == weight.units or not weight.units:
            return self.entropy
        return self.entropy * ratio(mass, weight.units)

    @property
    def entropy(self) -> float:
        """-sum_c f_c ln f_c of the class frequencies f, in nats; of pairs the mean over the columns."""
        if self.masses is None:
            masses = {code: int(self.counts[code]) for code in np.flatnonzero(self.counts).tolist()}
        else:
            masses = {code: mass.units for code, mass in self.masses.items()}
        if not self.pairs:
            return _entropy(list(masses.values()))
        columns = [_entropy([masses.get(code, 0), masses.get(code + 1, 0)]) for code in range(0, len(self.counts), 2)]
        return math.fsum(columns) / len(columns)

    @property
    def error_of_constant(self) -> float:
        """The share of wrong predictions if always the most frequent class is predicted; of pairs the mean."""
        if not self.pairs:
            return 1 - int(self.counts.max()) / int(self.counts.sum())
        columns = self.counts.reshape(-1, 2)
        return float(np.mean(columns.min(axis=1) / columns.sum(axis=1)))


@record(frozen=True)
class Infinite:
    """The rows whose loss is infinite: how many, the first of them, their weight."""

    count: int = 0
    first: tuple[int, ...] = ()
    weight: ExactSum = ExactSum()

    @classmethod
    def empty(cls) -> Self:
        """Return no such rows."""
        return cls()

    @classmethod
    def of(cls, loss: Floats, weight: Floats | None, rows: Ints) -> Infinite:
        """Tally the infinite of the losses (f8[n]) of these rows (i8[n]); `weight` is b (f8[n]), None for 1 each."""
        where = np.flatnonzero(np.isinf(loss))
        if not len(where):
            return cls()
        mass = _whole(len(where)) if weight is None else ExactSum().add(weight[where])
        return cls(len(where), tuple(sorted(rows[where].tolist())[:FIRST_ROWS]), mass)

    def merge(self, other: Infinite) -> Infinite:
        """Return the rows of both."""
        return Infinite(
            self.count + other.count,
            tuple(sorted(self.first + other.first)[:FIRST_ROWS]),
            self.weight.merge(other.weight),
        )


@record(frozen=True)
class Clipping:
    """What clipping changed: the rows, their part of the cost, and the cost without."""

    count: int = 0
    changed: ExactSum = ExactSum()
    without: Mean = Mean()

    @classmethod
    def empty(cls) -> Self:
        """Return the clipping of no rows."""
        return cls()

    @classmethod
    def of(cls, loss: Floats, raw_loss: Floats | None, weight: Floats | None, mass: Floats | None = None) -> Clipping:
        """Tally losses (f8[n]) and those before clipping, None where nothing is clipped; weights as in `Mean.of`."""
        if raw_loss is None:
            return cls()
        changed = loss != raw_loss
        part = Mean.of(loss[changed], None if weight is None else weight[changed])
        return cls(int(changed.sum()), part.a, Mean.of(raw_loss, weight, mass))

    def merge(self, other: Clipping) -> Clipping:
        """Return the clipping over both."""
        return Clipping(self.count + other.count, self.changed.merge(other.changed), self.without.merge(other.without))


def zeros(*units: int) -> int:
    """How many zeros all of some integers end with; 0 of zeros."""
    together = 0
    for unit in units:
        together |= unit
    return (together & -together).bit_length() - 1 if together else 0


def divided(a: int, b: int, power_a: int = -UNIT_BITS, power_b: int = -UNIT_BITS) -> float:
    """Divide two sums in units of powers of two, each correctly rounded; exactly where one is no normal double."""
    one, two = rounded(a, power_a), rounded(b, power_b)
    if (LEAST_NORMAL <= abs(one) < math.inf or not a) and LEAST_NORMAL <= abs(two) < math.inf:
        return one / two
    power = power_a - power_b
    return ratio(a << power, b) if power >= 0 else ratio(a, b << -power)


def error_of(rows: int, a: int, b: int, aa: int, ab: int, bb: int, power: int) -> float | None:
    """The standard error of a mean, as `Moments` has it, times 2**(-power / 2), by the integers of its sums.

    Those of products are in the unit of one factor times that of the other. None for fewer than two rows or no weight.
    """
    if rows < 2 or not b:
        return None
    residuals = aa * b * b - 2 * a * b * ab + a * a * bb
    return root(rows * residuals, (rows - 1) * b**4, power)


def _entropy(masses: Sequence[int]) -> float:
    total = sum(masses)
    return math.fsum(_surprise(mass, total) for mass in masses if mass) + 0.0 if total else math.nan


def _surprise(mass: int, total: int) -> float:
    """-f ln f of the share f; near 1 the logarithm is that of what is missing."""
    share = ratio(mass, total)
    if not share:
        return 0.0
    return -share * (math.log1p(-ratio(total - mass, total)) if 2 * mass > total else math.log(share))


def _whole(count: int) -> ExactSum:
    return ExactSum(count << UNIT_BITS)


def _weighted(values: Floats, weight: Floats) -> ExactSum:
    """The sum of weight x value; infinite values are counted, not multiplied."""
    finite = np.isfinite(values)
    odd = ExactSum().add(values[~finite])
    return odd.merge(ExactSum().add_wide(wide_product(values[finite], weight[finite])))
