"""Derive the details for drawings and pages from tallies: loss distribution, reliability bins, confusion."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from operator import itemgetter

import numpy as np

from xentcli.analysis.caveats import no_floor
from xentcli.analysis.student import normal_quantile
from xentcli.pairing import Plan
from xentcli.records import cached_property, record
from xentcli.report.details import MOST_CLASSES, DifferenceBin, Differences, LossBin, Losses
from xentcli.report.parts import Bin, Interval
from xentcli.tallies.bundle import Bundle
from xentcli.tallies.confusion import Confusion
from xentcli.tallies.groups import Groups
from xentcli.tallies.moments import Mean, Moments
from xentcli.tallies.scores import Scores
from xentcli.tallies.tail import least_of, step_of

__all__ = ["confusion", "finite_tail", "largest_step", "losses", "paired_differences", "reliability", "worst_part"]

_MOST_BINS = 80
_DOUBLING = 32
"""Steps of the tail."""
_QUARTERS = (0, 6, 13, 22)
"""The steps at which the quarters of a doubling begin: nearest to 2**(1/4), 2**(1/2) and 2**(3/4)."""
_LEAST = int(step_of(np.array([2.0**-10]))[0])
"""Losses below 2**-10 nats share the first bin."""
_INFINITE = int(step_of(np.array([np.inf]))[0])


def finite_tail(bundle: Bundle) -> dict[int, Moments]:
    """Return the moments of the finite losses by step."""
    return {step: part["cost"] for step, part in sorted(bundle["tail"]) if part["cost"].mean.a.all_finite}


def worst_part(tail: Mapping[int, Moments]) -> tuple[Moments, int]:
    """Return the largest 1 % of finite losses, rounded up to whole steps, and the lowest of these steps."""
    wanted = -(-sum(part.rows for part in tail.values()) // 100)
    part, least = Moments(), 0
    for step in sorted(tail, reverse=True):
        if part.rows >= wanted:
            break
        part, least = part.merge(tail[step]), step
    return part, least


def losses(bundle: Bundle, unit: float) -> Losses:
    """Return the distribution of the losses, each divided by `unit` nats."""
    total: Scores = bundle["scores"]
    tail, cost = finite_tail(bundle), total.cost.mean
    part, least = worst_part(tail)
    everything = part.rows == sum(moments.rows for moments in tail.values())
    return Losses(
        bins=tuple(_bins(tail, total, unit)),
        median=_median(tail, total.scored) / unit,
        tail_from=None if everything else least_of(least) / unit,
        tail_rows=part.rows,
        tail_share=part.mean.share_of(cost) if cost.a.all_finite else None,
    )


def _bins(tail: Mapping[int, Moments], total: Scores, unit: float) -> list[LossBin]:
    """The bins that have rows; the first holds all losses below 2**-10 nats."""
    edges = _Edges(_LEAST, max(tail, default=_LEAST), _MOST_BINS)
    cost = total.cost.mean
    return [
        LossBin(
            edges.below(place) / unit,
            edges.below(place + 1) / unit,
            part.rows,
            part.mean.share_of(cost) if cost.a.all_finite else None,
        )
        for place, part in edges.binned(tail)
    ]


@record(frozen=True)
class _Edges:
    """Bin edges a quarter of a doubling apart, or wider by a power of 2 if there would be more than `most` bins.

    Bin 0 holds the steps below `least`, a power of 2; the largest step is `largest`.
    """

    least: int
    largest: int
    most: int

    @cached_property
    def _width(self) -> int:
        width = 1
        while self._quarter(self.largest) // width >= self.most:
            width *= 2
        return width

    def _quarter(self, step: int) -> int:
        """The quarter of a doubling that contains a step, counted from the end of the first bin."""
        doublings, rest = divmod(step - self.least, _DOUBLING)
        return len(_QUARTERS) * doublings + bisect_right(_QUARTERS, rest) - 1

    def place(self, step: int) -> int:
        """The bin of a step; negative steps have negative bins."""
        size = max(self._quarter(abs(step)) // self._width + 1, 0)
        return -size if step < 0 else size

    def binned(self, steps: Mapping[int, Moments]) -> list[tuple[int, Moments]]:
        """Each nonempty bin, with the merged moments of its steps."""
        found: dict[int, Moments] = {}
        for step, part in steps.items():
            place = self.place(step)
            found[place] = found[place].merge(part) if place in found else part
        return sorted(found.items())

    def below(self, place: int) -> float:
        """The lower end of a bin, in nats."""
        if not place:
            return 0.0
        doublings, quarter = divmod((place - 1) * self._width, len(_QUARTERS))
        return least_of(min(self.least + _DOUBLING * doublings + _QUARTERS[quarter], _INFINITE))

    def ends(self, place: int) -> tuple[float, float]:
        """Both ends of a bin of differences, in nats."""
        size = abs(place)
        near, far = self.below(size), self.below(size + 1)
        return (near, far) if place > 0 else (-far, far) if not place else (-far, -near)


def _median(tail: Mapping[int, Moments], rows: int) -> float:
    """The median loss in nats; rows not in `tail` have an infinite loss."""
    step, part = _halfway(tail, rows / 2)
    return math.inf if step is None else _within(step, part)


def _median_difference(spread: Mapping[int, Moments]) -> float:
    """The median difference in nats."""
    step, part = _halfway(spread, sum(of.rows for of in spread.values()) / 2)
    if step is None:
        return math.nan
    return math.copysign(_within(abs(step), 1 - part if step < 0 else part), step)


def _halfway(steps: Mapping[int, Moments], half: float) -> tuple[int | None, float]:
    """The step with the middle row, and the fraction of its rows below that row; None if there are too few rows."""
    before = 0
    for step in sorted(steps):
        count = steps[step].rows
        if before + count >= half:
            return step, (half - before) / count
        before += count
    return None, 0.0


def _within(step: int, part: float) -> float:
    """The loss in nats below which a fraction of the rows of a step lies, by linear interpolation."""
    low = least_of(step)
    # All zeros, and what is as good as zero, are in the first step.
    return low if step in (0, _INFINITE) else low + (least_of(step + 1) - low) * part


def largest_step(spread: Groups[int]) -> int:
    """Return the largest absolute step of finite differences; 0 if there is none."""
    return max((size for step in spread.names if (size := abs(step)) != _INFINITE), default=0)


def paired_differences(
    reference: str, model: str, spread: Mapping[int, Moments], whole: Mean, last: int, unit: float
) -> Differences:
    """Return the distribution of differences, each divided by `unit` nats.

    `spread` has their moments by signed_step_of(), `whole` is the mean over all rows, and `last` is the largest_step()
    over all models, which share their bins.
    """
    finite = {step: part for step, part in spread.items() if abs(step) != _INFINITE}
    sizes: dict[int, Moments] = {}
    for step, part in finite.items():
        sizes[abs(step)] = sizes[abs(step)].merge(part) if abs(step) in sizes else part
    tail, least = worst_part(sizes)
    # A power of 2 below a thousandth of the largest, so that small differences have bins too.
    first = max(min(_LEAST, (last // _DOUBLING - 10) * _DOUBLING), _DOUBLING) if last else _LEAST
    edges = _Edges(first, last, _MOST_BINS // 2)

    def contribution(part: Moments) -> float:
        return part.mean.a.over(whole.b) / unit if part.mean.a else 0.0

    bins = []
    for place, part in edges.binned(finite):
        low, high = edges.ends(place)
        bins.append(DifferenceBin(low / unit, high / unit, part.rows, contribution(part)))

    return Differences(
        reference=reference,
        model=model,
        bins=tuple(bins),
        median=_median_difference(spread) / unit,
        tail_from=None if tail.rows == sum(part.rows for part in sizes.values()) else least_of(least) / unit,
        tail_rows=tail.rows,
        tail_contribution=contribution(tail),
        reference_infinite=spread[-_INFINITE].rows if -_INFINITE in spread else 0,
        model_infinite=spread[_INFINITE].rows if _INFINITE in spread else 0,
    )


def confusion(bundle: Bundle, classes: int) -> tuple[tuple[int, ...], ...] | None:
    """Return the confusion matrix; None for many classes, or rows without exactly one label."""
    found: Confusion | None = bundle["confusion"]
    total: Scores = bundle["scores"]
    if found is None or not found.classes or not 0 < classes <= MOST_CLASSES or found.pairs.rows != total.scored:
        return None
    counts = np.zeros((classes, classes), dtype=np.int64)
    counts[found.pairs.true, found.pairs.predicted] = found.pairs.counts
    return tuple(map(tuple, counts.tolist()))


def reliability(plan: Plan, bundle: Bundle, count: int) -> tuple[Bin, ...]:
    """Return the nonempty bins among `count` bins of confidence."""
    level, plain = plan.settings.confidence, no_floor(plan) is None
    found = []
    for index, sums in sorted(bundle["bins"], key=itemgetter(0)):
        rows, right = int(sums["spread"].b.value), sums["right"].value
        interval = _wilson(right, rows, level) if plain else None
        found.append(Bin(index / count, (index + 1) / count, rows, sums["confidence"].value, right, interval))
    return tuple(found)


def _wilson(share: float, rows: int, level: float) -> Interval:
    """Return Wilson's interval for a share of independent rows (E. B. Wilson, JASA 22, 1927)."""
    z = normal_quantile((1 + level) / 2)
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    return Interval(level, max(0.0, middle - half), min(1.0, middle + half))
