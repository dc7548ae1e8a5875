"""What is known of each row, and what a score keeps of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field

import numpy as np

from xentcli.arrays import Flags, Floats, Ints
from xentcli.records import record
from xentcli.scoring import losses
from xentcli.scoring.losses import Workings
from xentcli.scoring.metrics import METRICS, Metric
from xentcli.tallies.exact import ExactSum
from xentcli.tallies.infinite import Clipping, Infinite
from xentcli.tallies.moments import Mean, Moments, quotient
from xentcli.tallies.shares import ClassShares
from xentcli.tallies.tally import Tally

__all__ = ["Figures", "Scores"]


@record(frozen=True, eq=False)
class Figures:
    """What is known of each of some rows; the predictions themselves are let go.

    Attributes
    ----------
    rows, weight, mass
        i8[n], the row numbers; f8[n], the weights, or None where all are 1; f8[n], what the rows add
        to the denominator, or None where that is their weight.
    index, predicted, soft
        i8[n], i8[n], bool[n]: the class with most of the target, the predicted class, and
        whether the target is spread.
    loss, raw_loss
        f8[n]: the loss, and that before clipping; None where nothing is clipped.
    means
        f8[n] for each metric that is a mean over rows.
    shares, deviation, certain, binary
        As in Scores.
    """

    rows: Ints
    weight: Floats | None
    index: Ints
    predicted: Ints
    soft: Flags
    loss: Floats
    raw_loss: Floats | None
    means: Mapping[str, Floats]
    shares: ClassShares
    deviation: float | None
    certain: frozenset[float | None]
    binary: bool
    mass: Floats | None = None

    @classmethod
    def of(cls, work: Workings, extra: Sequence[Metric] = ()) -> Figures:
        """Compute them of a batch; `extra` are metrics beside those of the table."""
        batch = work.batch
        labelled = batch.target is not None
        soft = work.soft
        some = bool(soft.any())
        means = {
            metric.name: per_example(metric, work)
            for metric in (*METRICS.values(), *extra)
            if metric.per_example and labelled and (some or metric.per_example != "entropy")
        }
        return cls(
            batch.rows,
            batch.weight,
            work.index,
            work.predicted,
            soft,
            work.loss,
            None if work.clip is None else work.raw_loss,
            means,
            ClassShares.of(work) if labelled else ClassShares(),
            batch.deviation,
            frozenset(_certain(batch.predictions[:, -1])) if batch.binary else frozenset(),
            batch.binary,
            None if batch.free is None else batch.mass,
        )

    @classmethod
    def joined(cls, pieces: Sequence[Figures]) -> Figures:
        """Return the figures of all rows of some pieces, of which there is one at least."""
        if len(pieces) == 1:
            return pieces[0]
        first = pieces[0]
        names = dict.fromkeys(name for piece in pieces for name in piece.means)
        weights = [np.ones(len(p.loss)) if p.weight is None else p.weight for p in pieces]
        masses = [weight if p.mass is None else p.mass for p, weight in zip(pieces, weights, strict=True)]
        raw = [p.raw_loss for p in pieces if p.raw_loss is not None]
        shares = ClassShares()
        for piece in pieces:
            shares = shares.merge(piece.shares)
        return cls(
            np.concatenate([p.rows for p in pieces]),
            None if all(p.weight is None for p in pieces) else np.concatenate(weights),
            np.concatenate([p.index for p in pieces]),
            np.concatenate([p.predicted for p in pieces]),
            np.concatenate([p.soft for p in pieces]),
            np.concatenate([p.loss for p in pieces]),
            np.concatenate(raw) if raw else None,
            # Pieces of hard labels only have no target entropy to add.
            {name: np.concatenate([p.means.get(name, np.zeros(len(p.loss))) for p in pieces]) for name in names},
            shares,
            max((p.deviation for p in pieces if p.deviation is not None), default=None),
            frozenset(value for p in pieces for value in p.certain),
            first.binary,
            None if all(p.mass is None for p in pieces) else np.concatenate(masses),
        )


@record(frozen=True)
class Scores(Tally):
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
    certain
        Which of 0 and 1 one column is; None stands for all else.
    column
        Whether there is one column.
    ignored_labels
        Which of the labels to ignore occur.
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
    certain: frozenset[float | None] = frozenset()
    column: bool = False
    ignored_labels: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        figures: Figures,
        *,
        read: int,
        ignored: int = 0,
        underflows: int = 0,
        ignored_labels: frozenset[str] = frozenset(),
    ) -> Scores:
        """Tally rows, of which `read` were read and `ignored` left out for their label."""
        loss, weight, mass = figures.loss, figures.weight, figures.mass
        cost = Moments.of(loss, weight, mass)
        below = weight if mass is None else mass
        means = {name: _mean_of(values, below, cost) for name, values in figures.means.items()}
        return cls(
            read,
            ignored,
            read - ignored - len(loss),
            underflows,
            cost,
            means,
            figures.shares,
            Infinite.of(loss, weight if mass is None else mass, figures.rows),
            Clipping.of(loss, figures.raw_loss, weight, mass),
            bool(figures.soft.any()),
            figures.deviation,
            figures.certain,
            figures.binary,
            ignored_labels,
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
            self.certain | other.certain,
            self.column or other.column,
            self.ignored_labels | other.ignored_labels,
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
        weight = self.cost.mean.b.without(self.infinite.weight)
        return quotient(self.cost.mean.a.times(1), weight) if weight else None

    @property
    def standard_error_of_the_rest(self) -> float | None:
        """The standard error of the mean loss of the rows whose loss is finite; None for fewer than two."""
        cost = self.cost
        mean = Mean(cost.mean.a.times(1), cost.mean.b.without(self.infinite.weight))
        return Moments(mean, self.scored - self.infinite.count, cost.aa, cost.ab, cost.bb).standard_error


def per_example(metric: Metric, work: Workings) -> Floats:
    """f8[n]: what a metric is the mean of."""
    given = metric.per_example
    assert given is not None
    function = given if callable(given) else getattr(losses, given)
    return work.figure(function, *(() if metric.argument is None else (metric.argument,)))


def _mean_of(values: Floats, weight: Floats | None, cost: Moments) -> Mean:
    """The mean of a metric of rows, over the weight that the cost has."""
    total = ExactSum.of(values) if weight is None else ExactSum.of_weighted(values, weight)
    return Mean(total, cost.mean.b)


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
