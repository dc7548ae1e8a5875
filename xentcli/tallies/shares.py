"""ClassShares: the weight of the targets on each class, and the cost of always predicting these frequencies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import field

import numpy as np

from xentcli.arrays import Floats, Ints
from xentcli.records import cached_property, record
from xentcli.scoring.losses import Workings
from xentcli.tallies.exact import ExactSum, common, ratio
from xentcli.tallies.sums import grouped_sums
from xentcli.tallies.tally import Tally

__all__ = ["ClassShares", "spread_masses"]


@record(frozen=True, eq=False)
class ClassShares(Tally):
    """The weight of the targets on each class: sum_i w_i W_c y_ic.

    `counts` (i8[K], or of length 0) are the rows with each hard label. `masses` are the sums if they
    differ from the counts. With `pairs` (--multilabel) column c is a binary problem whose classes
    have the codes 2 c and 2 c + 1; `weighted` says that the masses include class weights, which
    the weights of the rows then do not.
    """

    counts: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    masses: Mapping[int, ExactSum] | None = None
    pairs: bool = False
    weighted: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether rows are counted by class."""
        return self.counts.ndim == 1 and bool((self.counts >= 0).all()) and all(c >= 0 for c in self.masses or ())

    @classmethod
    def of(cls, work: Workings) -> ClassShares:
        """Tally the targets of a batch."""
        if work.batch.multilabel:
            return cls._of_columns(work.columns, work.batch.columns_of_cells, work.batch.classes)
        batch, soft = work.batch, work.soft
        some = work.some_soft
        counts = np.bincount(work.index[~soft] if some else work.index, minlength=batch.classes).astype(np.int64)
        # With per_row the weight of a row does not include that of its class.
        spread = some or batch.recipe.per_row
        if batch.weight is None and not spread:
            return cls(counts)
        weight = np.ones(len(soft)) if batch.mass is None else batch.mass
        if not spread:
            return cls(counts, grouped_sums(weight, work.index))
        mass = weight[:, None] * work.class_shares
        codes = np.broadcast_to(np.arange(batch.classes), mass.shape)
        return cls(counts, grouped_sums(mass.ravel(), codes.ravel()))

    @classmethod
    def _of_columns(cls, work: Workings, column: Ints, columns: int) -> ClassShares:
        """Tally the cells of --multilabel; `column` (i8[m]) is the column of each."""
        counts = np.bincount((2 * column + work.index)[~work.soft], minlength=2 * columns).astype(np.int64)
        weighted = work.batch.positive is not None
        if work.batch.weight is None and not work.soft.any() and not weighted:
            return cls(counts, None, True)
        weight = np.ones(len(column)) if work.batch.weight is None else work.batch.weight
        codes = 2 * column[:, None] + np.arange(2)
        masses = grouped_sums((weight[:, None] * work.class_shares).ravel(), codes.ravel())
        return cls(counts, masses, True, weighted)

    def merge(self, other: ClassShares) -> ClassShares:
        """Return the shares over both."""
        longer, shorter = sorted((self.counts, other.counts), key=len, reverse=True)
        counts = longer.copy()
        counts[: len(shorter)] += shorter
        pairs, weighted = self.pairs or other.pairs, self.weighted or other.weighted
        if self.masses is None and other.masses is None:
            return ClassShares(counts, None, pairs, weighted)
        masses = dict(self.by_class())
        for code, mass in other.by_class().items():
            masses[code] = masses[code].merge(mass) if code in masses else mass
        return ClassShares(counts, masses, pairs, weighted)

    def by_class(self) -> Mapping[int, ExactSum]:
        """Return the exact weight on each class with a weight."""
        if self.masses is not None:
            return self.masses
        return {c: ExactSum.made(int(self.counts[c]), 0) for c in np.flatnonzero(self.counts).tolist()}

    def __eq__(self, other: object) -> bool:
        """Compare by what was tallied."""
        if not isinstance(other, ClassShares):
            return NotImplemented
        return self.counts.tolist() == other.counts.tolist() and self.by_class() == other.by_class()

    def best_constant(self, weight: ExactSum) -> float:
        """Return the lowest cost of a constant prediction, in nats, for rows whose weights sum to `weight`.

        The mass of class c is m_c = sum_i w_i W_c y_ic. A constant prediction f costs
        -sum_c m_c ln f_c / sum b, which is least where f_c is m_c / sum m (J. W. Gibbs):
        the entropy of these shares times sum m / sum b. That factor is 1 unless targets do not sum
        to 1, or the losses have class weights and the denominator does not.
        """
        units, power = self._common
        mass, problems = ExactSum.made(sum(units.values()), power), len(self.counts) // 2 if self.pairs else 1
        same = (mass.units, mass.power) == (weight.units, weight.power)
        if (self.pairs and not self.weighted) or same or not weight:
            return self.entropy
        # If all targets have class weight 0, the cost is 0.
        return self.entropy * mass.over(weight, problems) if mass else 0.0

    @cached_property
    def _common(self) -> tuple[dict[int, int], int]:
        """The weight on each class as an integer multiple of 2**power, and the power."""
        if self.masses is None:
            return {c: count for c, count in enumerate(self.counts.tolist()) if count}, 0
        units, power = common(*self.masses.values())
        return dict(zip(self.masses, units, strict=True)), power

    @cached_property
    def entropy(self) -> float:
        """-sum_c f_c ln f_c of the class frequencies f, in nats; with `pairs` the mean over the columns."""
        masses, _ = self._common
        if not self.pairs:
            return _entropy(list(masses.values()))
        columns = [_entropy([masses.get(code, 0), masses.get(code + 1, 0)]) for code in range(0, len(self.counts), 2)]
        sizes = [masses.get(code, 0) + masses.get(code + 1, 0) for code in range(0, len(self.counts), 2)]
        if len(set(sizes)) == 1:
            return math.fsum(columns) / len(columns)
        # Columns are weighted by their cells, as in the mean over rows.
        each = zip(columns, sizes, strict=True)
        return math.fsum(entropy * ratio(size, sum(sizes)) for entropy, size in each if size)

    @property
    def error_of_constant(self) -> float:
        """The error rate of always predicting the most frequent class; with `pairs` the mean over the columns."""
        if not self.pairs:
            return 1 - int(self.counts.max()) / int(self.counts.sum())
        columns = self.counts.reshape(-1, 2)
        return float(np.mean(columns.min(axis=1) / columns.sum(axis=1)))


def spread_masses(work: Workings) -> tuple[Ints, Ints, Floats]:
    """Return the nonzero elements of the targets: row (i8[m], from 0), class and mass of each.

    The classes are the codes of ClassShares: with --multilabel 2 c and 2 c + 1 of column c.
    """
    batch = work.batch
    if not batch.multilabel:
        mass = work.class_shares if batch.mass is None else batch.mass[:, None] * work.class_shares
        rows, classes = np.nonzero(mass)
        return rows, classes, mass[rows, classes]
    cells, columns = work.columns, batch.columns_of_cells
    every = np.arange(batch.classes * len(batch.rows)) // batch.classes
    row = every if batch.present is None else every[batch.present.ravel()]
    shares = cells.class_shares
    mass = shares if cells.batch.weight is None else cells.batch.weight[:, None] * shares
    at, second = np.nonzero(mass)
    return row[at], 2 * columns[at] + second, mass[at, second]


def _entropy(masses: Sequence[int]) -> float:
    total = sum(masses)
    return math.fsum(_surprise(mass, total) for mass in masses if mass) + 0.0 if total else math.nan


def _surprise(mass: int, total: int) -> float:
    """-f ln f of the share f = mass / total; by log1p of 1 - f if f is above 1/2."""
    share = ratio(mass, total)
    if not share:
        return 0.0
    return -share * (math.log1p(-ratio(total - mass, total)) if 2 * mass > total else math.log(share))
