"""check(): compare the figures of a run with limits and a baseline, and give a verdict."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from xentcli.analysis.blame import reasons_of
from xentcli.analysis.limits import Limit, Regression, Rules, is_row_mean, parse_limit, parse_regression
from xentcli.analysis.model_rows import ModelRows, Runs
from xentcli.analysis.score import is_stream, names_of, scored
from xentcli.analysis.verdicts import Evidence, checks_of, overall
from xentcli.attempts import attempted
from xentcli.engine.tasks import on_engine
from xentcli.errors import UsageError, shown
from xentcli.readers import same_file
from xentcli.records import replace
from xentcli.report.check import CheckReport, Reason
from xentcli.report.per_example import PerExample, Sink
from xentcli.report.report import Report
from xentcli.scoring.kinds import KINDS
from xentcli.scoring.metrics import find
from xentcli.settings import Settings, takes_options
from xentcli.urls import hidden

if TYPE_CHECKING:
    from xentcli.analysis.state import Keep

__all__ = ["Limit", "check", "judged", "parse_limit", "parse_regression", "with_metrics_of"]


_MOST_OF_STREAM = 1 << 22
"""Rows of a stream kept in memory to explain a failure; failures of longer streams are not explained."""


@takes_options("check")
@on_engine
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
    state: str | os.PathLike[str] | None = None,
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
    predictions, labels, settings, sink, metrics_needed, details, threads, engine, scheduler, progress, options
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
    state
        A file to write the exact sums and the limits of the run to, from which ``merge`` makes the verdict on several.
    limits
        Further limits.

    Returns
    -------
    CheckReport
        Its verdict is "pass", "fail", "inconclusive" or "no_verdict"; infinite and undefined values never pass. As a
        truth value it is whether it passed. The inputs are read again for what explains a failure, up to 67 million
        rows; of a stream up to 4 million are kept.

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
    _check_files(old, made, chosen, (predictions, labels))
    needed = list(dict.fromkeys([*names_of(metrics_needed), *rules.metrics]))
    run: dict[str, Any] = {"threads": threads, "progress": progress}
    keep = None if state is None else _kept_state(state, chosen, rules, (predictions, labels, old))
    if old is None and made is None and not any(map(is_stream, (predictions, labels, *chosen.files_named()))):
        beside: dict[str, Any] = {"sink": sink, "metrics_needed": sorted(needed), "details": details, "keep": keep}
        report, _ = scored(predictions, labels, with_metrics_of(chosen, rules), **beside, **run)
        return judged(rules, report, chosen, again=partial(_read_again, predictions, labels, chosen, **run))
    # A check without rows to keep starts faster without these.
    from xentcli.analysis import baseline as files
    from xentcli.analysis.against import compared

    sliced = with_metrics_of(chosen, rules)
    runs = Runs.of(sliced, _kept(chosen, needed), files.HASH)
    runs.most = _MOST_OF_STREAM if old is None and made is None else None
    kept: dict[str, Any] = {"also": None if sink is None else Sink.of(sink), "details": details, "keep": keep}
    new = runs.run("run", predictions, labels, sliced, fit=False, needed=needed, **kept, **run)
    whole, new.report = new.scores, _shown(new.scores, chosen)
    paired = [rule.metric for rule in rules.regressions]
    against = None if old is None else compared(old, runs, new, labels, paired, **run)
    result = _judged(rules, Evidence(new.report, whole, chosen, runs, new if runs.keeps_all else None, against))
    if made is not None:
        files.write(made, runs, new)
    return replace(result, written=made)


def _check_files(old: str | None, made: str | None, settings: Settings, inputs: Sequence[Any]) -> None:
    """Refuse a baseline that is not there, and one that cannot be written."""
    if old is not None:
        from xentcli.analysis.against import check_there

        check_there(old, *inputs)
    if made is not None:
        _check_written(made, (*inputs, old, *settings.files_named()))


def _kept_state(state: Any, settings: Settings, rules: Rules, inputs: Sequence[Any]) -> Keep:
    """Return the writer of the state; raises UsageError with --max-regression, which needs the rows of all runs."""
    from xentcli.analysis.state import Keep

    if rules.regressions:
        raise UsageError(
            "--state has sums, and --max-regression pairs rows",
            advice=(
                "xent compare OLD NEW --state FILE compares runs over parts of the rows",
                "--max cost=X is a limit",
            ),
        )
    return Keep.to(state, settings, inputs, "check", rules=rules, given=settings)


def _check_written(path: str, inputs: Sequence[Any]) -> None:
    """Refuse to write a baseline that is not named .npz, or that would replace an input."""
    if not path.endswith(".npz"):
        raise UsageError(f"--write-baseline {shown(path)}: a baseline is an .npz file")
    if any(isinstance(given, str | os.PathLike) and same_file(path, given) for given in inputs):
        raise UsageError(f"--write-baseline {shown(path)} is an input; it would be overwritten")


def _kept(settings: Settings, needed: Sequence[str]) -> tuple[str, ...]:
    """The metrics whose rows are kept in addition to the loss: those that a regression may name later."""
    usual = ("brier", "accuracy") if KINDS[settings.kind].labelled else ()
    asked = [metric.name for metric in map(find, needed) if is_row_mean(metric)]
    shown = [metric.name for metric in settings.shown_metrics if is_row_mean(metric)]
    return tuple(name for name in dict.fromkeys((*usual, *asked, *shown)) if name != "cost")


def _path(option: str, value: Any) -> str | None:
    """The path that an option gives; raises UsageError for anything else, such as an array."""
    if value is None or isinstance(value, str | os.PathLike):
        return None if value is None else hidden(os.fspath(value))
    raise UsageError(
        f"{option} is the path of a file, not {shown(value)}",
        advice="compare({'old': ..., 'new': ...}, labels) compares predictions in memory",
    )


def with_metrics_of(settings: Settings, rules: Rules) -> Settings:
    """Return settings extended by the metrics in limits of groups."""
    each = {limit.metric: limit.option for limit in rules.limits if limit.each and limit.metric != "cost"}
    for metric, option in each.items():
        names = [metric.name for metric in settings.named_metrics]
        try:
            settings = replace(settings, metrics=tuple(dict.fromkeys((*names, metric))))
        except UsageError as error:
            raise UsageError(error.message.replace("--metrics", option), advice=error.advice) from None
    return settings


def _read_again(
    predictions: Any, labels: Any, settings: Settings, metrics: tuple[str, ...], **beside: Any
) -> tuple[Runs, ModelRows]:
    """Read the inputs again for the rows that explain a failure; keeping them would slow down every run."""
    runs = Runs.of(settings, metrics)
    return runs, runs.run("run", predictions, labels, settings, fit=False, needed=metrics, **beside)


def _shown(report: Report, settings: Settings) -> Report:
    """The report with only the requested metrics of groups."""
    kept = {name: value for name, value in report.options.items() if name != "metrics"}
    asked = {name: value for name, value in settings.changed().items() if name == "metrics"}
    shown = tuple(metric.name for metric in settings.shown_metrics)

    def without(part: Any) -> Any:
        return replace(part, metrics={name: value for name, value in part.metrics.items() if name in shown})

    by, by_class = (tuple(map(without, parts)) for parts in (report.by, report.by_class))
    return replace(report, by=by, by_class=by_class, shown=shown, options=kept | asked)


def judged(rules: Rules, report: Report, settings: Settings, **further: Any) -> CheckReport:
    """Return the verdict on a report that has the metrics in limits of groups; `further` are fields of Evidence."""
    return _judged(rules, Evidence(_shown(report, settings), report, settings, **further))


def _judged(rules: Rules, evidence: Evidence) -> CheckReport:
    checks = tuple(checks_of(rules, evidence))
    info = None if evidence.against is None else evidence.against.info
    none: tuple[Reason, ...] = ()
    reasons = attempted(lambda: tuple(reasons_of(checks, evidence)), none)
    return CheckReport(evidence.report, overall(checks), checks, info, reasons)
