"""Tallies for fitting a temperature: exact sums of the derivatives of the losses, and the gain of a fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

import numpy as np

from xentcli.columns.keys import Keys
from xentcli.records import record
from xentcli.scoring.batch import Batch
from xentcli.scoring.losses import Workings
from xentcli.scoring.slopes import Slopes, with_logit, with_temperature
from xentcli.tallies.exact import ExactSum
from xentcli.tallies.groups import Groups
from xentcli.tallies.moments import Mean, Moments
from xentcli.tallies.tally import Tally

__all__ = ["BEGIN", "Fitted", "Gain", "Points", "SlopeSums"]


@record(frozen=True)
class Points:
    """Where to evaluate derivatives: values of beta = 1/T, and pairs (slope, intercept) on the logit."""

    betas: tuple[float, ...] = ()
    logits: tuple[tuple[float, float], ...] = ()


BEGIN = Points((1.0,), tuple((np.exp(1.5 * step).item(), 0.0) for step in range(-4, 5)))
"""Starting points of a fit: beta = 1, and for two classes, where they are cheap, slopes from 1/400 to 400."""


@record(frozen=True)
class SlopeSums(Tally):
    """Sums of slopes over all rows, by "beta INDEX ORDER", "logit INDEX ORDER", and of BEGIN "end INDEX".

    Attributes
    ----------
    infinite
        How many rows have an infinite loss at every temperature.
    weight
        The sum of the weights.
    """

    sums: Mapping[str, ExactSum] = field(default_factory=dict)
    weight: ExactSum = ExactSum()
    infinite: int = 0

    @classmethod
    def of(cls, work: Workings, points: Points) -> SlopeSums:
        """Tally rows at these points."""
        work = work.columns if work.batch.multilabel else work
        slopes, weight = Slopes(work), work.batch.weight
        values = {f"end {index}": each for index, each in enumerate(slopes.ends() if points == BEGIN else ())}
        for index, beta in enumerate(points.betas):
            values |= {f"beta {index} {order}": each for order, each in enumerate(slopes.at(beta))}
        if work.batch.classes == 2:
            for index, place in enumerate(points.logits):
                values |= {f"logit {index} {order}": each for order, each in enumerate(slopes.at_logit(*place))}
        sums = {name: ExactSum.of_weighted(each, weight) for name, each in values.items()}
        rows = len(work.batch.rows)
        return cls(sums, ExactSum.of(np.ones(rows) if weight is None else weight), slopes.infinite)

    def means(self, what: str, index: int) -> list[float]:
        """Return the mean slopes of each order at a point; NaN where one is not finite."""
        names = (f"{what} {index} {order}" for order in range(10))
        return [self.sums[name].over(self.weight) for name in names if name in self.sums]


@record(frozen=True)
class Fitted:
    """A temperature, or a slope and an intercept on the logit."""

    temperature: float | None = None
    slope: float | None = None
    intercept: float | None = None

    def of(self, batch: Batch) -> Batch:
        """Return the batch with this fit applied."""
        if self.temperature is not None:
            return with_temperature(batch, self.temperature)
        assert self.slope is not None and self.intercept is not None
        return with_logit(batch, self.slope, self.intercept)


@record(frozen=True)
class Gain(Tally):
    """The effect of a fit: the mean loss after it, and the moments of the decrease of each row's loss."""

    after: Mean = Mean()
    gain: Moments = Moments()
    clusters: Groups[str] = field(default_factory=Groups)

    @classmethod
    def of(cls, batch: Batch, fit: Fitted, clusters: Keys | None = None) -> Gain:
        """Tally rows, with the keys of their clusters."""
        before, after = Workings(batch).loss, Workings(fit.of(batch)).loss
        with np.errstate(invalid="ignore"):
            # A row that is infinite in both gains nothing.
            gain = np.where(before == after, 0.0, before - after)
        weight, mass = batch.weight, None if batch.free is None else batch.mass
        return cls(
            Mean.of(after, weight, mass),
            Moments.of(gain, weight, mass),
            Groups() if clusters is None else Groups.tallied(clusters, weight, mass, gain=gain),
        )
