"""The score of predictions as miscalibration, discrimination and uncertainty, by isotonic regression (CORP).

T. Dimitriadis, T. Gneiting and A. Jordan, PNAS 118, 2021: the best calibrated version of a probability is the isotonic
regression of the outcome on it. With the mean scores S of the predictions, S_c of that version and S_r of the constant
frequency, miscalibration = S - S_c, discrimination = S_r - S_c, uncertainty = S_r, so that
S = miscalibration - discrimination + uncertainty.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from xentcli.arrays import Floats
from xentcli.engine.passes import batches_again
from xentcli.errors import DataError
from xentcli.extras import needed
from xentcli.pairing import Feed
from xentcli.report.calibration import Component
from xentcli.scoring.losses import Workings

__all__ = ["decomposed"]

Score = Callable[[Floats, Floats], Floats]
"""Maps q and y (f8[n] each) to the scores of the rows, f8[n]."""


def decomposed(feed: Feed, threads: int | None) -> tuple[Component, ...]:
    """Decompose the log and Brier scores of a binary problem, or the Brier score of several classes.

    Each of several classes is decomposed against the rest: their Brier scores add up to that of the rows, log scores do
    not. Needs memory for three doubles per row and class, and the loss of each row.

    Raises UsageError without SciPy.
    """
    plan = feed.plan
    q, y, weight, loss = _columns(feed, threads)
    binary = len(plan.classes) == 2 and not plan.settings.multilabel
    if binary:
        unit = plan.settings.nats_per_unit
        return (
            # 1 - q loses digits of a small probability of the other class, and may be 0.
            _component(plan.classes[1], "log", q[:, 1], y[:, 1], weight, _log_score, loss, unit),
            _component(plan.classes[1], "brier_halved", q[:, 1], y[:, 1], weight, _brier),
        )
    measure = "brier_halved" if plan.settings.multilabel else "brier"
    each = [_component(name, measure, q[:, c], y[:, c], weight, _brier) for c, name in enumerate(plan.classes)]
    share = len(each) if plan.settings.multilabel else 1
    names = ("score", "miscalibration", "discrimination", "uncertainty")
    whole = (math.fsum(getattr(part, name) for part in each) / share for name in names)
    return (Component("all", measure, *whole), *each)


def _columns(feed: Feed, threads: int | None) -> tuple[Floats, Floats, Floats, Floats]:
    """Class probabilities and targets (f8[n, k] each), weights and losses (f8[n] each)."""
    parts = [_of(work) for work in map(Workings, batches_again(feed, threads))]
    q, y, weight, loss = (np.concatenate(each) for each in zip(*parts, strict=True))
    kept = weight > 0
    return q[kept], y[kept], weight[kept], loss[kept]


def _of(work: Workings) -> tuple[Floats, Floats, Floats, Floats]:
    batch = work.batch
    weight = np.ones(len(batch.rows)) if batch.mass is None else batch.mass
    if batch.multilabel:
        assert work.distribution is not None
        if batch.present is not None:
            raise DataError("--decompose needs a label in each column of each row")
        return work.columns.probabilities[:, 1].reshape(-1, batch.classes), work.distribution, weight, work.raw_loss
    return np.clip(work.probabilities, 0.0, 1.0), work.spread_target, weight, work.raw_loss


def _component(
    name: str,
    measure: str,
    q: Floats,
    y: Floats,
    weight: Floats,
    score: Score,
    scores: Floats | None = None,
    unit: float = 1.0,
) -> Component:
    """Decompose the mean of `score`; `scores` (f8[n]) are more precise values of score(q, y), if known."""
    places, first = np.unique(q, return_inverse=True)
    mass = np.bincount(first, weights=weight, minlength=len(places))
    mean = np.bincount(first, weights=weight * y, minlength=len(places)) / mass
    recalibrated = needed("scipy.optimize", "stats").isotonic_regression(mean, weights=mass).x[first]
    total = math.fsum(weight)
    constant = np.full(len(y), math.fsum(weight * y) / total)
    each = (score(q, y) if scores is None else scores, score(recalibrated, y), score(constant, y))
    plain, best, prior = (math.fsum(weight * rows) / total / unit for rows in each)
    return Component(name, measure, plain, plain - best, prior - best, prior)


def _brier(q: Floats, y: Floats) -> Floats:
    difference = q - y
    return difference * difference


def _log_score(q: Floats, y: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        yes, no = np.log(q), np.log1p(-q)
        return 0.0 - np.where(y > 0, y * yes, 0.0) - np.where(y < 1, (1 - y) * no, 0.0)
