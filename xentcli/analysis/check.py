"""check(): the figures of a run against limits and a baseline, and the verdict."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from xentcli.analysis.blame import reasons_of
from xentcli.analysis.limits import Limit, Regression, Rules, is_row_mean, parse_limit, parse_regression
from xentcli.analysis.model_rows import Runs
from xentcli.analysis.score import score
from xentcli.analysis.verdicts import Evidence, checks_of, limit_check, overall
from xentcli.errors import UsageError, shown
from xentcli.records import replace
from xentcli.report.check import CheckReport
from xentcli.report.per_example import PerExample, Sink
from xentcli.report.report import Report
from xentcli.scoring.kinds import KINDS
from xentcli.scoring.metrics import find
from xentcli.settings import Settings, takes_options

__all__ = ["Limit", "check", "judge", "parse_limit", "parse_regression"]

_EXPLAINING = 3
"""How many of the worst rows may explain a failure."""


@takes_options("check")
def check(
    predictions: Any,
    labels: Any = None,
    settings: Settings | None = None,
    *,
    max: Mapping[str, float] | None = None,
    min: Mapping[str, float] | None = None,
    max_each: Mapping[str, float] | None = None,
    min_each: Mapping[str, float] | None = None,
    min_rows: int | None = None,
    baseline: str | os.PathLike[str] | None = None,
    max_regression: Mapping[str, str | float] | None = None,
    strict: bool = False,
    fail_on_warning: str | Sequence[str] | None = None,
    write_baseline: str | os.PathLike[str] | None = None,
    limits: Sequence[Limit | Regression] = (),
    sink: Callable[[PerExample], None] | Sink | None = None,
    metrics_needed: Sequence[str] = (),
    details: Collection[str] = (),
    threads: int | None = None,
    progress: Callable[[int, float | None], None] | None = None,
    **options: Any,
) -> CheckReport:
    """Score predictions, and check metrics against limits and a baseline.

    Parameters
    ----------
    predictions, labels, settings, sink, metrics_needed, details, threads, progress, options
        As ``score`` takes them.
    max, min
        Largest and smallest allowed value by metric, in the unit of the report.
    max_each, min_each
        The same for every group of `by`, by metric or METRIC@GROUP, a glob.
    min_rows
        Groups with fewer rows are listed without a verdict [default: 1].
    baseline
        A file that `write_baseline` wrote, a report in JSON, a file of losses, or old predictions.
    max_regression
        By metric how much worse than the baseline it may be: ``"2%"`` or a number. It fails where the whole interval of
        the paired mean of new_i - f old_i - allowed is on the bad side (f is 1.02 for ``"2%"``); without rows in the
        baseline the figures decide.
    strict
        A regression passes only where the whole interval is on the good side, else it is inconclusive.
    fail_on_warning
        Codes of warnings that fail, or "all".
    write_baseline
        Where to write the baseline of this run.
    limits
        Further limits.

    Returns
    -------
    CheckReport
        Its verdict is "pass", "fail", "inconclusive" or "no_verdict"; infinite and undefined values never pass.

    Raises
    ------
    UsageError
        Without a limit, or with one on a metric that the kind does not have.
    DataError
        Where the baseline has other labels, classes, unit or rows.
    FileError
        Where it is not there, or the new one cannot be written.

    Examples
    --------
    >>> check([[0.9, 0.1], [0.2, 0.8]], [0, 1], max={"cost": 0.2}, min={"accuracy": 0.9}).verdict
    'pass'
    """
    chosen = Settings.chosen(settings, options, check)
    given = {"max": max, "min": min, "max_each": max_each, "min_each": min_each}
    rules = Rules.of(limits, given, max_regression, fail_on_warning, min_rows, strict)
    old, made = _path("baseline", baseline), _path("write_baseline", write_baseline)
    rules.check(chosen, old, written=made is not None)
    if old is not None:
        from xentcli.analysis.against import check_there

        check_there(old, predictions, labels)
    if made is not None:
        _check_written(made, (predictions, labels, old, *chosen.files_named()))
    needed = list(dict.fromkeys([*metrics_needed, *rules.metrics]))
    beside: dict[str, Any] = {"threads": threads, "progress": progress}
    sliced = _sliced(chosen, rules)
    if old is None and made is None:
        report = score(predictions, labels, sliced, sink=sink, metrics_needed=sorted(needed), details=details, **beside)
        return _judged(rules, Evidence(_shown(report, chosen), report, chosen))
    # A check without a baseline starts faster without these.
    from xentcli.analysis import baseline as files
    from xentcli.analysis.against import compared

    runs = Runs.of(sliced, _kept(chosen, needed), files.HASH)
    also = None if sink is None else Sink.of(sink)
    new = runs.run("run", predictions, labels, sliced, fit=False, needed=needed, also=also, details=details, **beside)
    whole, report = new.scores, _shown(new.scores, chosen)
    new.report = report
    paired = [rule.metric for rule in rules.regressions]
    against = None if old is None else compared(old, runs, new, labels, paired, **beside)
    result = _judged(rules, Evidence(report, whole, chosen, runs, new, against))
    if made is not None:
        files.write(made, runs, new)
    return replace(result, written=made)


def _check_written(path: str, inputs: Sequence[Any]) -> None:
    """Refuse a baseline that is no .npz file, or that would replace what is read."""
    if not path.endswith(".npz"):
        raise UsageError(f"--write-baseline {shown(path)}: a baseline is an .npz file")
    read = (os.path.realpath(given) for given in inputs if isinstance(given, str | os.PathLike))
    if os.path.realpath(path) in read:
        raise UsageError(f"--write-baseline {shown(path)} is an input; it would be overwritten")


def _kept(settings: Settings, needed: Sequence[str]) -> tuple[str, ...]:
    """The metrics beside the cost whose rows are kept: those that a baseline may be asked for."""
    usual = ("brier", "accuracy") if KINDS[settings.kind].labelled else ()
    asked = [metric.name for metric in map(find, needed) if is_row_mean(metric)]
    shown = [metric.name for metric in settings.shown_metrics if is_row_mean(metric)]
    return tuple(name for name in dict.fromkeys((*usual, *asked, *shown)) if name != "cost")


def _path(option: str, value: Any) -> str | None:
    """The path that an option gives.

    Raises
    ------
    UsageError
        For anything else, such as an array.
    """
    if value is None or isinstance(value, str | os.PathLike):
        return None if value is None else os.fspath(value)
    raise UsageError(
        f"{option} is the path of a file, not {shown(value)}",
        advice="compare({'old': ..., 'new': ...}, labels) compares predictions in memory",
    )


def _sliced(settings: Settings, rules: Rules) -> Settings:
    """The settings with the metrics that groups are held to, and with the slices that may explain a failure."""
    # Smoothed soft targets have no costs by class.
    explaining = KINDS[settings.kind].labelled and not settings.multilabel and not settings.label_smoothing
    by_class = settings.by_class or explaining
    each = [limit.metric for limit in rules.limits if limit.each and limit.metric != "cost"]
    names = [metric.name for metric in settings.named_metrics]
    metrics = tuple(dict.fromkeys((*names, *each))) if each else settings.metrics
    return replace(settings, by_class=by_class, worst=settings.worst or _EXPLAINING, metrics=metrics)


def _shown(report: Report, settings: Settings) -> Report:
    """The report with the slices, and of these the metrics, that were asked for."""
    ours = ("by_class", "worst", "metrics")
    kept = {name: value for name, value in report.options.items() if name not in ours}
    asked = {name: value for name, value in settings.changed().items() if name in ours}
    shown = tuple(metric.name for metric in settings.shown_metrics)

    def without(part: Any) -> Any:
        return replace(part, metrics={name: value for name, value in part.metrics.items() if name in shown})

    return replace(
        report,
        by=tuple(map(without, report.by)),
        by_class=tuple(map(without, report.by_class)) if settings.by_class else (),
        worst=report.worst if settings.worst else (),
        shown=shown,
        options=kept | asked,
    )


def _judged(rules: Rules, evidence: Evidence) -> CheckReport:
    checks = tuple(checks_of(rules, evidence))
    info = None if evidence.against is None else evidence.against.info
    return CheckReport(evidence.report, overall(checks), checks, info, tuple(reasons_of(checks, evidence)))


def judge(report: Report, limits: Sequence[Limit]) -> CheckReport:
    """Check a report against limits, comparing doubles exactly."""
    checks = tuple(limit_check(report, limit) for limit in limits)
    return CheckReport(report, overall(checks), checks)
