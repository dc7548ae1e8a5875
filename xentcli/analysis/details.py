"""From tallies to what drawings and pages show: the distribution of losses, bins of confidence, the confusion."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from operator import itemgetter

import numpy as np

from xentcli.analysis.caveats import no_floor
from xentcli.analysis.student import normal_quantile
from xentcli.pairing import Plan
from xentcli.report.details import MOST_CLASSES, LossBin, Losses
from xentcli.report.parts import Bin, Interval
from xentcli.tallies.bundle import Bundle
from xentcli.tallies.confusion import Confusion
from xentcli.tallies.moments import Moments
from xentcli.tallies.scores import Scores
from xentcli.tallies.tail import least_of, step_of

__all__ = ["confusion", "finite_tail", "losses", "reliability", "worst_part"]

_MOST_BINS = 80
_DOUBLING = 32
"""Steps of the tail."""
_QUARTERS = (0, 6, 13, 22)
"""Where the quarters of a doubling begin: the steps nearest to 2**(1/4), 2**(1/2) and 2**(3/4)."""
_LEAST = int(step_of(np.array([2.0**-10]))[0])
"""Losses below 2**-10 nats share the first bin."""
_INFINITE = int(step_of(np.array([np.inf]))[0])


def finite_tail(bundle: Bundle) -> dict[int, Moments]:
    """Return the moments of the finite losses of each step of the tail, by step."""
    return {step: part["cost"] for step, part in sorted(bundle["tail"]) if part["cost"].mean.a.all_finite}


def worst_part(tail: Mapping[int, Moments]) -> tuple[Moments, int]:
    """Return the largest 1 % of finite losses, rounded up to whole steps of the tail, and the least step of them."""
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
    """The bins that have rows: of a quarter of a doubling, or wider by powers of 2 where these would be too many."""
    width = 1
    while _quarter(max(tail, default=_LEAST)) // width >= _MOST_BINS:
        width *= 2
    found: dict[int, Moments] = {}
    for step, part in tail.items():
        place = max(_quarter(step) // width, -1)
        found[place] = found[place].merge(part) if place in found else part
    cost = total.cost.mean
    return [
        LossBin(
            0.0 if place < 0 else _edge(place * width) / unit,
            _edge((place + 1) * width if place >= 0 else 0) / unit,
            part.rows,
            part.mean.share_of(cost) if cost.a.all_finite else None,
        )
        for place, part in sorted(found.items())
    ]


def _quarter(step: int) -> int:
    """The quarter of a doubling that a step is in, counted from the end of the first bin."""
    doublings, rest = divmod(step - _LEAST, _DOUBLING)
    return len(_QUARTERS) * doublings + bisect_right(_QUARTERS, rest) - 1


def _edge(quarter: int) -> float:
    """The least loss of a quarter, in nats."""
    doublings, place = divmod(quarter, len(_QUARTERS))
    return least_of(min(_LEAST + _DOUBLING * doublings + _QUARTERS[place], _INFINITE))


def _median(tail: Mapping[int, Moments], rows: int) -> float:
    """The loss in nats that half of the rows are below: its place within a step is taken to be its place in rank."""
    before, half = 0, rows / 2
    for step in sorted(tail):
        count = tail[step].rows
        if before + count >= half:
            low, high = least_of(step), least_of(step + 1)
            # All zeros, and what is as good as zero, are in the first step.
            return low if step == 0 else low + (high - low) * (half - before) / count
        before += count
    return math.inf


def confusion(bundle: Bundle, classes: int) -> tuple[tuple[int, ...], ...] | None:
    """Return for each true class the rows of each predicted one; None for many classes, or rows without one label."""
    found: Confusion | None = bundle["confusion"]
    total: Scores = bundle["scores"]
    if found is None or not found.classes or not 0 < classes <= MOST_CLASSES or found.pairs.rows != total.scored:
        return None
    counts = np.zeros((classes, classes), dtype=np.int64)
    counts[found.pairs.true, found.pairs.predicted] = found.pairs.counts
    return tuple(map(tuple, counts.tolist()))


def reliability(plan: Plan, bundle: Bundle, count: int) -> tuple[Bin, ...]:
    """Return those of `count` bins of the confidence that have rows."""
    level, plain = plan.settings.confidence, no_floor(plan) is None
    found = []
    for index, sums in sorted(bundle["bins"], key=itemgetter(0)):
        rows, right = int(sums["spread"].b.value), sums["right"].value
        interval = _wilson(right, rows, level) if plain else None
        found.append(Bin(index / count, (index + 1) / count, rows, sums["confidence"].value, right, interval))
    return tuple(found)


def _wilson(share: float, rows: int, level: float) -> Interval:
    """Return Wilson's interval of a share of independent rows (E. B. Wilson, JASA 22, 1927)."""
    z = normal_quantile((1 + level) / 2)
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    return Interval(level, max(0.0, middle - half), min(1.0, middle + half))
