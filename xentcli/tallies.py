"""What is kept of a batch: frozen, mergeable, exact.

Every tally has ``empty()``, an identity, and ``merge``, which is associative and
commutative. They hold integers and exact sums; ratios are derived at the end, so
that neither block size nor order can change a bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

import numpy as np

from xentcli import losses
from xentcli.batch import Batch, Floats, Ints, row_sums
from xentcli.exact import UNIT_BITS, ExactSum, grouped_sums, ratio, root, wide, wide_product
from xentcli.losses import Workings
from xentcli.metrics import METRICS, Metric

__all__ = ["ClassShares", "Clipping", "Infinite", "Mean", "Moments", "Scores", "Tally", "per_example"]

FIRST_ROWS = 10
_LEAST_NORMAL = 2.0**-1022


class Tally(Protocol):
    """What every tally can do."""

    @classmethod
    def empty(cls) -> Self:
        """Return the tally of no rows: merging it changes nothing."""
        ...

    def merge(self, other: Self) -> Self:
        """Return the tally of the rows of both."""
        ...


@dataclass(frozen=True)
class Mean:
    """A weighted mean: sum a / sum b with a = weight x value, b = weight."""

    a: ExactSum = ExactSum()
    b: ExactSum = ExactSum()

    @classmethod
    def empty(cls) -> Self:
        """Return the mean of nothing."""
        return cls()

    @classmethod
    def of(cls, values: Floats, weight: Floats | None) -> Mean:
        """Tally values (f8[n]) with their weights (f8[n], or None for 1 each)."""
        if weight is None:
            return cls(ExactSum().add(values), _whole(len(values)))
        return cls(_weighted(values, weight), ExactSum().add(weight))

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
        return _divided(self.a.units, self.b.units) if self.a.all_finite else self.a.value


@dataclass(frozen=True)
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
    def of(cls, values: Floats, weight: Floats | None) -> Moments:
        """Tally values (f8[n]) with their weights (f8[n], or None for 1 each)."""
        mean = Mean.of(values, weight)
        finite = np.isfinite(values)
        kept = values[finite]
        if weight is None:
            return cls(
                mean, len(values), ExactSum().add_products(kept, kept), ExactSum(mean.a.units), _whole(len(kept))
            )
        a, b = wide_product(kept, weight[finite]), wide(weight[finite])
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
        n, a, b = self.rows, self.mean.a, self.mean.b.units
        if n < 2 or not b or not a.all_finite:
            return None
        residuals = self.aa.units * b * b - 2 * a.units * b * self.ab.units + a.units * a.units * self.bb.units
        return root(n * residuals << UNIT_BITS, (n - 1) * b**4)


@dataclass(frozen=True, eq=False)
class ClassShares:
    """How much of the target falls on each class.

    counts (i8[K], or of length 0) holds the hard labels; masses holds the weights,
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
        counts = np.bincount(work.index[~soft], minlength=batch.classes).astype(np.int64)
        if batch.weight is None and not soft.any():
            return cls(counts)
        weight = np.ones(len(soft)) if batch.weight is None else batch.weight
        if not soft.any():
            return cls(counts, grouped_sums(weight, work.index))
        assert work.distribution is not None
        mass = weight[:, None] * work.distribution
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

    @property
    def entropy(self) -> float:
        """-sum_c f_c ln f_c of the class frequencies f, in nats: the cost of always saying f; of pairs the mean."""
        masses = {code: mass.units for code, mass in self.by_class().items()}
        if not self.pairs:
            return _entropy(list(masses.values()))
        columns = [_entropy([masses.get(code, 0), masses.get(code + 1, 0)]) for code in range(0, len(self.counts), 2)]
        return math.fsum(columns) / len(columns)


@dataclass(frozen=True)
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
        """Tally the infinite of the losses (f8[n]) of these rows (i8[n])."""
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


@dataclass(frozen=True)
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
    def of(cls, work: Workings) -> Clipping:
        """Tally a batch; nothing where no clipping was asked for."""
        if work.clip is None:
            return cls()
        weight = work.batch.weight
        changed = work.loss != work.raw_loss
        part = Mean.of(work.loss[changed], None if weight is None else weight[changed])
        return cls(int(changed.sum()), part.a, Mean.of(work.raw_loss, weight))

    def merge(self, other: Clipping) -> Clipping:
        """Return the clipping over both."""
        return Clipping(self.count + other.count, self.changed.merge(other.changed), self.without.merge(other.without))


@dataclass(frozen=True)
class Scores:
    """All that a score keeps.

    Attributes
    ----------
    read, ignored, zero_weight, underflows
        Rows read; rows whose label is ignored; rows of weight 0; numerals below the smallest double, read as 0.
    cost, means
        The moments of the loss, and a mean for each metric that names a function.
    soft
        Whether some target is spread over classes.
    deviation
        The largest distance of a row sum from 1; None where rows have no sum.
    odd_logits
        Whether some row given as logits could not be a row of probabilities.
    certain
        Which of 0 and 1 one column is; None stands for all else.
    column
        Whether there is one column.
    """

    read: int = 0
    ignored: int = 0
    zero_weight: int = 0
    underflows: int = 0
    cost: Moments = Moments()
    means: Mapping[str, Mean] = field(default_factory=dict)
    classes: ClassShares = field(default_factory=ClassShares)
    infinite: Infinite = Infinite()
    clipping: Clipping = Clipping()
    soft: bool = False
    deviation: float | None = None
    odd_logits: bool = False
    certain: frozenset[float | None] = frozenset()
    column: bool = False

    @classmethod
    def empty(cls) -> Self:
        """Return the scores of no rows."""
        return cls()

    @classmethod
    def of(
        cls, work: Workings, *, read: int, ignored: int = 0, underflows: int = 0, extra: Sequence[Metric] = ()
    ) -> Scores:
        """Tally a batch, of which `read` rows were read and `ignored` left out for their label.

        `extra` are metrics beside those of the table.
        """
        batch, weight = work.batch, work.batch.weight
        labelled = batch.target is not None
        soft = bool(work.soft.any())
        means = {
            metric.name: Mean.of(per_example(metric, work), weight)
            for metric in (*METRICS.values(), *extra)
            if metric.per_example and labelled and (soft or metric.per_example != "entropy")
        }
        return cls(
            read,
            ignored,
            read - ignored - len(batch.rows),
            underflows,
            Moments.of(work.loss, weight),
            means,
            ClassShares.of(work) if labelled else ClassShares(),
            Infinite.of(work.loss, weight, batch.rows),
            Clipping.of(work),
            soft,
            batch.deviation,
            batch.kind == "logits" and not _all_probabilities(batch),
            frozenset(_certain(batch.predictions[:, -1])) if batch.binary else frozenset(),
            batch.binary,
        )

    def merge(self, other: Scores) -> Scores:
        """Return the scores over both."""
        names = [*self.means, *(name for name in other.means if name not in self.means)]
        return Scores(
            self.read + other.read,
            self.ignored + other.ignored,
            self.zero_weight + other.zero_weight,
            self.underflows + other.underflows,
            self.cost.merge(other.cost),
            {name: _mean(self, name).merge(_mean(other, name)) for name in names},
            self.classes.merge(other.classes),
            self.infinite.merge(other.infinite),
            self.clipping.merge(other.clipping),
            self.soft or other.soft,
            _largest(self.deviation, other.deviation),
            self.odd_logits or other.odd_logits,
            self.certain | other.certain,
            self.column or other.column,
        )

    @classmethod
    def merged(cls, parts: Iterable[Scores]) -> Scores:
        """Return the scores over all parts."""
        total = cls.empty()
        for part in parts:
            total = total.merge(part)
        return total

    @property
    def scored(self) -> int:
        """How many rows have a positive weight."""
        return self.cost.rows

    @property
    def soft_rows(self) -> int:
        """How many targets are spread over classes, where a row has one."""
        return self.scored - int(self.classes.counts.sum()) if self.soft and not self.classes.pairs else 0

    @property
    def cost_of_the_rest(self) -> float | None:
        """The mean loss of the rows whose loss is finite; None where there are none."""
        weight = self.cost.mean.b.units - self.infinite.weight.units
        return _divided(self.cost.mean.a.units, weight) if weight else None


def per_example(metric: Metric, work: Workings) -> Floats:
    """f8[n]: what a metric is the mean of."""
    assert metric.per_example is not None
    function = getattr(losses, metric.per_example)
    return work.figure(function, *(() if metric.argument is None else (metric.argument,)))


def _divided(numerator: int, denominator: int) -> float:
    """One division of two sums in units, each correctly rounded; of the exact sums where one is no normal double."""
    sums = ratio(numerator, 1 << UNIT_BITS), ratio(denominator, 1 << UNIT_BITS)
    if all(
        _LEAST_NORMAL <= abs(value) < math.inf or not units
        for value, units in zip(sums, (numerator, denominator), strict=True)
    ):
        return sums[0] / sums[1]
    return ratio(numerator, denominator)


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


def _mean(scores: Scores, name: str) -> Mean:
    """The mean of a metric; a batch of hard labels only has no target entropy to add."""
    return scores.means.get(name, Mean(ExactSum(), scores.cost.mean.b))


def _largest(one: float | None, other: float | None) -> float | None:
    return max((value for value in (one, other) if value is not None), default=None)


def _certain(q: Floats) -> Iterator[float | None]:
    zeros, ones = int(np.count_nonzero(q == 0)), int(np.count_nonzero(q == 1))
    yield from (0.0,) * bool(zeros) + (1.0,) * bool(ones)
    if zeros + ones < len(q):
        yield None


def _all_probabilities(batch: Batch) -> bool:
    """Whether rows given as logits could all be probabilities; the first row usually says no."""
    logits = batch.predictions
    if batch.binary or batch.multilabel:
        return bool(((logits >= 0) & (logits <= 1)).all())
    with np.errstate(over="ignore", invalid="ignore"):
        return all(
            bool((rows >= 0).all() and (np.abs(row_sums(rows) - 1) <= 0.001).all()) for rows in (logits[:1], logits)
        )
