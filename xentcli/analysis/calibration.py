"""calibration(): how well predicted probabilities agree with frequencies, and the gain from rescaling them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from operator import itemgetter
from typing import Any

from xentcli.analysis.caveats import CLUSTERED, no_floor, no_spread
from xentcli.analysis.details import reliability
from xentcli.analysis.fit import Fit as Found
from xentcli.analysis.fit import check_repeatable, fitted
from xentcli.analysis.score import Tallied, details_named, diagnosed_report, opened, retried
from xentcli.analysis.state import Keep
from xentcli.analysis.student import interval_of
from xentcli.analysis.summary import errors_of
from xentcli.engine.scorer import Scorer
from xentcli.engine.tasks import on_engine
from xentcli.errors import DataError, UsageError
from xentcli.extras import needed
from xentcli.pairing import Feed
from xentcli.records import record, replace
from xentcli.report.calibration import CalibrationReport, Fit, GroupCalibration
from xentcli.report.parts import Interval
from xentcli.report.report import Report
from xentcli.scoring.kinds import KINDS
from xentcli.scoring.metrics import find, wanted
from xentcli.settings import Settings, takes_options
from xentcli.tallies.bins import BINS, Calibration, expected_error
from xentcli.tallies.fit import Gain
from xentcli.tallies.groups import named
from xentcli.tallies.moments import Moments
from xentcli.typed import typed

__all__ = ["FITS", "MOST_BINS", "Calibrated", "calibration"]

FITS = ("none", "temperature", "logit")
MOST_BINS = 1000


@takes_options("calibration")
@on_engine
def calibration(
    predictions: Any,
    labels: Any = None,
    settings: Settings | None = None,
    *,
    bins: int = BINS,
    fit: str | None = None,
    decompose: bool = False,
    details: Collection[str] = (),
    state: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    progress: Callable[[int, float | None], None] | None = None,
    **options: Any,
) -> CalibrationReport:
    """Compare what predictions say with how often they are right, and find the temperature that suits them best.

    The gap is the mean confidence (the probability of the predicted class) less the accuracy. The fit minimises the
    cost of softmax(ln q / T); of two classes that of slope x logit + intercept (D. R. Cox, Biometrika 45, 1958). The
    expected calibration error is over equal-width bins of the confidence, (i/bins, (i+1)/bins].

    Parameters
    ----------
    predictions, labels, settings, details, state, threads, engine, scheduler, progress, options
        As ``score`` takes them; the files are read up to six times, or once without a fit.
    bins
        How many bins the confidence has, at most 1000.
    fit
        "temperature", "logit" (two classes), or "none" [default: "logit" for two classes, else "temperature"].
    decompose
        Whether the score is decomposed by isotonic regression (needs SciPy; holds n doubles a class).

    Returns
    -------
    CalibrationReport of plain values, losses in the unit of `base`.

    Raises
    ------
    UsageError, DataError, FileError, NoVerdict
        As ``score`` does; UsageError for kinds without a distribution, DataError for a stream that is to be fitted.

    Examples
    --------
    >>> report = calibration([[0.6, 0.4]] * 8 + [[0.4, 0.6]] * 2, [0] * 9 + [1], fit="temperature")
    >>> report.verdict, round(report.gap, 6), round(report.fit.temperature, 6)
    ('underconfident', -0.3, 0.184535)
    """
    chosen = Settings.chosen(settings, options, calibration)
    count, method = typed("bins", bins, "int"), typed("fit", fit, "str | None")
    decompose = typed("decompose", decompose, "bool")
    if not 1 <= count <= MOST_BINS:
        raise UsageError(f"--bins is from 1 to {MOST_BINS:,}, not {count:,}")
    if method not in (None, *FITS):
        raise UsageError(f"--fit is one of {', '.join(FITS)}, not {method!r}")
    _check(chosen, decompose=decompose)
    # Calibration has its own bins.
    detailed = details_named(details) - {"reliability"}
    keep = None if state is None else Keep.to(state, chosen, (predictions, labels), "calibration", bins=count)

    def attempt(whole: bool) -> CalibrationReport:
        feed = opened(predictions, labels, chosen, whole=whole, hashed=keep is not None)
        logit = _logit(feed, method)
        if method != "none" or decompose:
            check_repeatable(feed, "a decomposition" if method == "none" else "a fit")
        metrics = wanted((find("gap"), find("ece")))
        wants: dict[str, Any] = {"fit": method != "none", "details": detailed, "contents": keep is not None}
        scorer = Scorer(feed.plan, None, metrics, calibration=True, bins=count, **wants)
        report, tallied = diagnosed_report(scorer, feed, metrics, threads=threads, progress=progress, keep=keep)
        found = None
        if method != "none":
            found = fitted(feed, logit=logit, first=tallied.bundle["slopes"], threads=threads)
        made = Calibrated(tallied, report, count).document(found)
        if decompose:
            from xentcli.analysis.decomposition import decomposed

            made = replace(made, decomposition=decomposed(feed, threads))
        return made

    return retried(attempt, predictions, labels)


def _check(settings: Settings, *, decompose: bool) -> None:
    """Refuse kinds without a distribution, and to decompose a loss that is no score (UsageError)."""
    if not KINDS[settings.kind].labelled:
        raise UsageError(f"--kind {settings.kind} has no calibration: it holds no distribution over classes")
    if decompose and (settings.label_smoothing or settings.has_class_weights):
        raise UsageError("--decompose does not go with --label-smoothing or --class-weight")
    if decompose:
        needed("scipy.optimize", "stats")


def _logit(feed: Feed, method: str | None) -> bool:
    """Whether a slope and an intercept are fitted; raises DataError if requested for other than two classes."""
    two = len(feed.plan.classes) == 2 and not feed.plan.settings.multilabel
    if method == "logit" and not two:
        raise DataError("--fit logit needs two classes, or one column", advice="--fit temperature")
    return two and method in (None, "logit")


@record(frozen=True, eq=False)
class Calibrated:
    """The parts of a document, from tallies, their report, and the number of bins."""

    tallied: Tallied
    report: Report
    count: int

    @property
    def _tally(self) -> Calibration:
        tally: Calibration = self.tallied.bundle["calibration"]
        return tally

    @property
    def _level(self) -> float:
        return self.tallied.plan.settings.confidence

    def document(self, found: Found | None) -> CalibrationReport:
        """Return the document with a fit (None if none was requested)."""
        report, soft = self.report, self.tallied.total.soft
        reasons = dict(report.undefined)
        if found is not None and found.fit is None:
            reasons["fit"] = found.reason
        error = None if soft else expected_error([sums for _, sums in self.tallied.bundle["bins"]])
        gap = None if soft else self._tally.gap.mean.value
        interval = None if soft else self._interval(self._tally.gap, self._tally.clusters, "gap")
        return CalibrationReport(
            report=replace(report, undefined=reasons),
            confidence=None if soft else self._tally.confidence.value,
            gap=gap,
            gap_interval=interval,
            verdict=_word(interval),
            fit=None if found is None or found.fit is None or found.gain is None else self._fit(found, found.gain),
            ece=report.ece,
            ece_floor=report.ece_floor,
            ece_floor_95=report.ece_floor_95,
            mce=None if error is None else error[1],
            ece_by_class=None if soft else self._by_class(),
            bin_count=self.count,
            bins=() if soft else reliability(self.tallied.plan, self.tallied.bundle, self.count),
            by=() if soft else tuple(self._by()),
        )

    def _interval(self, moments: Moments, clusters: Any, name: str, unit: float = 1.0) -> Interval | None:
        """The interval of a mean over rows, clustered if there are clusters."""
        units, noun, error = moments.rows, "rows", moments.standard_error
        if self.report.clusters is not None:
            units, noun = self.report.clusters, "clusters"
            error = clusters[name].standard_error_between
        width = 1.0 if name == "gap" else math.inf
        return interval_of(
            moments.mean.value, error, units, self._level, unit=unit, noun=noun, least=-width, most=width
        )

    def _fit(self, found: Found, gain: Gain) -> Fit:
        unit, fit = self.tallied.plan.settings.nats_per_unit, found.fit
        assert fit is not None
        parameters = 1 if fit.slope is None else 2
        return Fit(
            method="temperature" if fit.slope is None else "logit",
            temperature=fit.temperature,
            slope=fit.slope,
            intercept=fit.intercept,
            cost_before=self.report.cost,
            cost_after=gain.after.value / unit,
            gain=gain.gain.mean.value / unit,
            interval=self._interval(gain.gain, gain.clusters, "gain", unit),
            optimism=parameters / self.tallied.total.scored / unit,
        )

    def _by_class(self) -> dict[str, float]:
        found: dict[int, list[Any]] = {}
        for (place, _), sums in self._tally.by_class:
            found.setdefault(place, []).append(sums)
        errors = {place: expected_error(found[place]) for place in sorted(found)}
        return {self.tallied.plan.classes[place]: error[0] for place, error in errors.items() if error is not None}

    def _by(self) -> Iterator[GroupCalibration]:
        costs = iter(self.report.by)
        for columns, groups, bins in zip(
            self.tallied.plan.slice_columns, self._tally.by.each, self._tally.bins_by.each, strict=True
        ):
            each: dict[Any, list[Any]] = {}
            for key, sums in bins:
                each.setdefault(key[0], []).append(sums)
            for name, part in sorted(groups, key=itemgetter(0)):
                yield self._group(named(columns, name), part, each[name], next(costs).cost)

    def _group(self, group: dict[str, str], part: Mapping[str, Any], bins: list[Any], cost: float) -> GroupCalibration:
        gap: Moments = part["gap"]
        # Rows within a group are as dependent as all rows: with clusters their number says nothing.
        clustered = self.report.clusters is not None
        interval = None if clustered else self._interval(gap, None, "gap")
        undefined = {"interval": CLUSTERED} if clustered else no_spread(gap.rows, None, figures=("interval",))
        ece, floor, floor_95 = errors_of(self.tallied.plan, bins)
        if (reason := no_floor(self.tallied.plan)) is not None:
            undefined |= dict.fromkeys(("ece_floor", "ece_floor_95"), reason)
        return GroupCalibration(
            group=group,
            examples=gap.rows,
            cost=cost,
            confidence=part["confidence"].value,
            accuracy=part["right"].value,
            gap=gap.mean.value,
            interval=interval,
            verdict=_word(interval),
            ece=ece,
            ece_floor=floor,
            ece_floor_95=floor_95,
            undefined=undefined,
        )


def _word(interval: Interval | None) -> str | None:
    """Return the verdict from the interval of the gap."""
    if interval is None:
        return None
    return "overconfident" if interval.low > 0 else "underconfident" if interval.high < 0 else "neither"
