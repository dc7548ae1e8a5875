"""Limits on metrics, and the verdict: the check of a model in CI."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from xentcli.analysis.score import score
from xentcli.columns.numerals import number
from xentcli.errors import UsageError, shown
from xentcli.records import record
from xentcli.report.check import Check, CheckReport
from xentcli.report.per_example import PerExample, Sink
from xentcli.report.report import Report
from xentcli.scoring.kinds import KINDS
from xentcli.scoring.metrics import find
from xentcli.settings import Settings
from xentcli.typed import typed

__all__ = ["Limit", "check", "judge", "parse_limit"]


@record(frozen=True)
class Limit:
    """A metric must be at most, or at least, a value."""

    metric: str
    bound: Literal["max", "min"]
    value: float

    def __post_init__(self) -> None:
        """Refuse a limit that is not finite."""
        if not math.isfinite(self.value):
            raise UsageError(f"--{self.bound} {self.metric}: {shown(self.value)} is not a finite number")


def parse_limit(text: str, bound: Literal["max", "min"]) -> Limit:
    """Read ``METRIC=X``.

    Raises
    ------
    UsageError
        For another form, an unknown metric, or a limit that is not finite.

    >>> parse_limit("log_loss=0.5", "max")
    Limit(metric='cost', bound='max', value=0.5)
    """
    name, equals, given = text.partition("=")
    if not equals:
        raise UsageError(f"--{bound} takes METRIC=X, such as cost=0.5, not {shown(text)}")
    value = number(given)
    if value is None:
        raise UsageError(f"--{bound} {name}: {shown(given)} is not a finite number")
    return Limit(find(name).name, bound, value)


def check(
    predictions: Any,
    labels: Any = None,
    settings: Settings | None = None,
    *,
    max: Mapping[str, float] | None = None,
    min: Mapping[str, float] | None = None,
    limits: Sequence[Limit] = (),
    sink: Callable[[PerExample], None] | Sink | None = None,
    metrics_needed: Sequence[str] = (),
    threads: int | None = None,
    progress: Callable[[int, float | None], None] | None = None,
    **options: Any,
) -> CheckReport:
    """Score predictions and check metrics against limits.

    Parameters
    ----------
    predictions, labels, settings, sink, metrics_needed, threads, progress, options
        As ``score`` takes them.
    max, min
        Largest and smallest allowed value by metric.
    limits
        Further limits.

    Returns
    -------
    CheckReport
        Its verdict is "pass", "fail" or "no_verdict"; infinite and undefined values never pass.

    Raises
    ------
    UsageError
        Without a limit, or with one on a metric that the kind does not have.

    Examples
    --------
    >>> check([[0.9, 0.1], [0.2, 0.8]], [0, 1], max={"cost": 0.2}, min={"accuracy": 0.9}).verdict
    'pass'
    """
    chosen = Settings.chosen(settings, options)
    all_limits = [
        *(Limit(find(name).name, "max", value) for name, value in _limits("max", max).items()),
        *(Limit(find(name).name, "min", value) for name, value in _limits("min", min).items()),
        *limits,
    ]
    if not all_limits:
        raise UsageError("nothing to check", advice="--max cost=0.5 or --min accuracy=0.9 sets a limit")
    for limit in all_limits:
        if find(limit.metric).labelled and not KINDS[chosen.kind].labelled:
            raise UsageError(f"--kind {chosen.kind} has no {limit.metric}: there are no labels")
    needed = {*metrics_needed, *(limit.metric for limit in all_limits)}
    beside: dict[str, Any] = {"sink": sink, "threads": threads, "progress": progress}
    return judge(score(predictions, labels, chosen, metrics_needed=sorted(needed), **beside), all_limits)


def _limits(name: str, given: Mapping[str, float] | None) -> dict[str, float]:
    found: dict[str, float] | None = typed(name, given, "Mapping[str, float] | None")
    return found or {}


def judge(report: Report, limits: Sequence[Limit]) -> CheckReport:
    """Check a report against limits, comparing doubles exactly."""
    checks = tuple(_judged(report, limit) for limit in limits)
    verdicts = {check.verdict for check in checks}
    verdict = next((v for v in ("fail", "no_verdict") if v in verdicts), "pass")
    return CheckReport(report, verdict, checks)


def _judged(report: Report, limit: Limit) -> Check:
    value = report.value(limit.metric)
    margin = None
    if value is None:
        verdict = "no_verdict"
    else:
        margin = limit.value - value if limit.bound == "max" else value - limit.value
        held = value <= limit.value if limit.bound == "max" else value >= limit.value
        verdict = "pass" if held and math.isfinite(value) else "fail"
    name = f"{limit.bound} {limit.metric}"
    return Check(name, limit.metric, None, value, limit.value, margin=margin, verdict=verdict, bound=limit.bound)
