"""Apply each rule of a check to the figures and rows of a run: limits, regressions from a baseline, warnings."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from xentcli.analysis.limits import Limit, Regression, Rules
from xentcli.analysis.model_rows import LOSS, ModelRows, Runs
from xentcli.analysis.pairs import Common
from xentcli.analysis.student import interval_of
from xentcli.records import cached_property, record, replace
from xentcli.report.check import Check
from xentcli.report.parts import Interval
from xentcli.report.report import Report
from xentcli.scoring.metrics import find
from xentcli.settings import Settings
from xentcli.tallies.joint import Excess, Joint

if TYPE_CHECKING:
    from xentcli.analysis.against import Against

__all__ = ["Evidence", "Outcome", "checks_of", "limit_check", "overall", "paired_outcome"]

_MOST = 1 << 26
"""Maximum number of rows read again; more would fill a temporary file of gigabytes."""
_EQUAL = 1e-12


@record(frozen=True, eq=False)
class Evidence:
    """What the rules are applied to.

    Attributes
    ----------
    sliced
        The report with the metrics of groups that have limits.
    runs, new
        The rows of the run; None if no rule needs them.
    again
        Reads the inputs again for the rows of the run, with some metrics; None if they cannot be read again.
    """

    report: Report
    sliced: Report
    settings: Settings
    runs: Runs | None = None
    new: ModelRows | None = None
    against: Against | None = None
    again: Callable[[tuple[str, ...]], tuple[Runs, ModelRows]] | None = None

    def with_rows(self, metrics: tuple[str, ...]) -> Evidence | None:
        """Return the evidence with the rows of the run, read again if not kept; None if that is impossible."""
        if self.new is not None:
            return self
        if self.again is None or self.report.examples.read > _MOST:
            return None
        runs, new = self.again(metrics)
        return replace(self, runs=runs, new=new)

    @cached_property
    def common(self) -> Common:
        """The rows of the run, and of the baseline if it has any."""
        assert self.new is not None and self.runs is not None
        old = None if self.against is None else self.against.rows
        return Common([self.new] if old is None else [self.new, old], self.runs.clusters)

    def column(self, metric: str) -> int:
        """The column of a metric among the figures of the rows."""
        assert self.runs is not None
        return LOSS if metric == "cost" else 2 + self.runs.metrics.index(metric)

    def unit(self, metric: str) -> float:
        """The nats per unit of a metric."""
        return self.settings.nats_per(find(metric))


def checks_of(rules: Rules, evidence: Evidence) -> Iterator[Check]:
    """Yield the verdict of each rule: limits first, then groups, regressions and warnings."""
    for limit in rules.limits:
        if not limit.each:
            yield limit_check(evidence.report, limit)
    for limit in rules.limits:
        if limit.each:
            yield from _each(evidence.sliced, limit, rules.min_rows)
    for regression in rules.regressions:
        yield _regression_check(regression, evidence, strict=rules.strict)
    for code in rules.warnings:
        yield _warning_check(evidence.report, code)


def overall(checks: Sequence[Check]) -> str:
    """Return the overall verdict: the first of fail, inconclusive and no_verdict that occurs, else pass.

    Groups that are too small are not counted.
    """
    verdicts = {check.verdict for check in checks if check.group is None or check.limit is not None}
    return next((verdict for verdict in ("fail", "inconclusive", "no_verdict") if verdict in verdicts), "pass")


def limit_check(report: Report, limit: Limit) -> Check:
    """Compare a figure with a limit, as exact doubles; a value that is not finite fails."""
    value = report.value(limit.metric)
    reason = report.undefined.get(limit.metric, "undefined") if value is None else ""
    name = f"{limit.bound} {limit.metric}"
    return Check(name, limit.metric, None, value, limit.value, bound=limit.bound, reason=reason, **_held(value, limit))


def _held(value: float | None, limit: Limit) -> dict[str, Any]:
    if value is None:
        return {}
    highest = limit.bound == "max"
    held = math.isfinite(value) and (value <= limit.value if highest else value >= limit.value)
    margin = limit.value - value if highest else value - limit.value
    return {"margin": margin, "verdict": "pass" if held else "fail"}


def _each(report: Report, limit: Limit, min_rows: int) -> Iterator[Check]:
    """Yield a verdict for each matching group, and one more if no group has a verdict."""
    some = False
    option = f"{limit.bound}-each {limit.metric}"
    for part in report.by:
        if not fnmatch.fnmatchcase(", ".join(part.group.values()), limit.pattern):
            continue
        value = part.cost if limit.metric == "cost" else part.metrics[limit.metric]
        name = f"{option} {{{', '.join(f'{column}: {cell}' for column, cell in part.group.items())}}}"
        about: dict[str, Any] = {"bound": limit.bound, "rule": "each", "rows": part.examples}
        if part.examples < min_rows:
            reason = f"fewer than {min_rows:,} rows (--min-rows)"
            yield Check(name, limit.metric, part.group, value, None, **about, reason=reason)
            continue
        some = True
        reason = (part.undefined.get(limit.metric) or _undefined(report, limit.metric)) if value is None else ""
        yield Check(name, limit.metric, part.group, value, limit.value, **about, reason=reason, **_held(value, limit))
    if not some:
        fits = "" if limit.pattern == "*" else f" that matches {limit.pattern}"
        reason = f"there is no group{fits} with {min_rows:,} rows or more" if min_rows > 1 else f"no group{fits}"
        name = option if limit.pattern == "*" else f"{option} @{limit.pattern}"
        yield Check(name, limit.metric, None, None, limit.value, bound=limit.bound, rule="each", reason=reason)


def _undefined(report: Report, metric: str) -> str:
    """Why a figure of a group is undefined: for the same reason as overall, or for lack of rows or classes."""
    lacking = dict.fromkeys(("skill", "nce"), "all its labels are one class")
    return report.undefined.get(metric) or lacking.get(metric, "undefined")


def _warning_check(report: Report, code: str) -> Check:
    met = [warning.code for warning in report.warnings if code in ("all", warning.code)]
    verdict = "fail" if met else "pass"
    name, count = f"fail-on-warning {code}", float(len(met))
    about: dict[str, Any] = {"rule": "warning", "reason": ", ".join(dict.fromkeys(met))}
    return Check(name, "warnings", None, count, 0.0, margin=0.0 - count, verdict=verdict, **about)


def _regression_check(rule: Regression, evidence: Evidence, *, strict: bool) -> Check:
    """Return the verdict of a regression, with its margin and what it was compared with."""
    against, value = evidence.against, evidence.report.value(rule.metric)
    assert against is not None
    about: dict[str, Any] = {"bound": rule.bound, "rule": "regression", "allowed": rule.text}
    check = Check(f"max-regression {rule.metric}", rule.metric, None, value, None, **about)
    if against.rows is None:
        return _of_figures(check, rule, (against.report or {}).get(rule.metric))
    return _of_rows(check, rule, evidence, against.rows, strict=strict)


def _of_figures(check: Check, rule: Regression, given: Any) -> Check:
    """Compare totals alone; a relative difference up to 1e-12 counts as equal."""
    value, base = check.value, None if given is None or math.isnan(float(given)) else float(given)
    check = replace(check, baseline=base)
    if value is None or base is None:
        return replace(check, reason=f"undefined in the {'run' if value is None else 'baseline'}")
    limit = _limit_of(rule, base)
    close = math.isclose(value, limit, rel_tol=_EQUAL, abs_tol=_EQUAL)
    held = math.isfinite(value) and (close or (value <= limit if rule.bound == "max" else value >= limit))
    margin = _minus(limit, value) if rule.bound == "max" else _minus(value, limit)
    return replace(check, limit=limit, change=_minus(value, base), margin=margin, verdict="pass" if held else "fail")


def _limit_of(rule: Regression, base: float) -> float:
    return float(rule.factor * Fraction(base) + rule.allowed) if math.isfinite(base) else base


def _minus(one: float, other: float) -> float:
    return 0.0 if one == other else one - other


def _of_rows(check: Check, rule: Regression, evidence: Evidence, old: ModelRows, *, strict: bool) -> Check:
    """Judge by the interval of the mean of new_i - f old_i - allowed."""
    assert evidence.new is not None
    column, unit, level = evidence.column(rule.metric), evidence.unit(rule.metric), evidence.settings.confidence
    common = evidence.common
    joint = Joint()
    for part, kept in common.blocks():
        before, after = common.columns(part, kept, [(old.rows, column), (evidence.new.rows, column)])
        clusters = None if common.clusters is None else common.clusters[part][kept]
        joint = joint.merge(Joint.of(before, after, common.weights(part, kept), clusters))
    base = common.means([(old.rows, column)])[0].value / unit
    check = replace(check, baseline=base, rows=common.count)
    if check.value is None:
        return replace(check, reason="undefined in the run")
    check = replace(check, limit=_limit_of(rule, base))
    if joint.new_infinite or joint.old_infinite:
        return _infinite(check, joint)
    change, outcome = joint.excess(), paired_outcome(joint, rule, level, unit=unit, strict=strict)
    check = replace(check, change=change.mean / unit, margin=outcome.margin)
    if outcome.interval is None:
        noun = "row" if common.clusters is None else "cluster"
        return replace(check, reason=f"only {change.units} {noun}: there is no interval")
    interval = _interval(change, level, unit, find(rule.metric).width)
    reason, verdict = outcome.reason, outcome.verdict
    return replace(check, interval=interval, margin_interval=outcome.interval, verdict=verdict, reason=reason)


class Outcome(NamedTuple):
    """The verdict of a regression, its margin (negative if exceeded), the interval of the margin, and what decided."""

    verdict: str
    margin: float
    interval: Interval | None
    reason: str = ""


def paired_outcome(joint: Joint, rule: Regression, level: float, *, unit: float = 1.0, strict: bool = False) -> Outcome:
    """Return the outcome by the mean of new - f old - allowed, in units of `unit` nats.

    It fails where the whole interval is on the bad side, and with `strict` passes only where the whole is on the good
    side; without an interval, of one row or cluster, there is no verdict.

    >>> from xentcli.analysis.limits import parse_regression
    >>> import numpy as np
    >>> old = np.array([0.1, 0.2, 0.3, 0.4])
    >>> paired_outcome(Joint.of(old, old + [0.1, 0.2, 0.1, 0.2], None), parse_regression("cost=2%"), 0.95).verdict
    'fail'
    """
    found = joint.excess(rule.factor, rule.allowed * Fraction(unit))
    inside = found if rule.bound == "min" else replace(found, mean=_minus(0.0, found.mean))
    margin = inside.mean / unit
    if found.standard_error is None:
        return Outcome("no_verdict", margin, None)
    within = _interval(inside, level, unit)
    if within.high < 0:
        return Outcome("fail", margin, within)
    if strict and within.low < 0:
        return Outcome("inconclusive", margin, within, "a larger regression is not excluded (--strict)")
    return Outcome("pass", margin, within, "within chance" if margin < 0 else "")


def _interval(found: Excess, level: float, unit: float, width: float = math.inf) -> Interval:
    bounds = {"least": -width, "most": width}
    interval = interval_of(found.mean, found.standard_error, found.units, level, unit=unit, noun="", **bounds)
    assert interval is not None
    return interval


def _infinite(check: Check, joint: Joint) -> Check:
    """A run with an infinite loss fails; one without, where the baseline has some, is better by infinity."""
    assert check.value is not None and check.baseline is not None
    failed = bool(joint.new_infinite)
    change = None if failed and joint.old_infinite else check.value - check.baseline
    return replace(check, change=change, margin=-math.inf if failed else math.inf, verdict="fail" if failed else "pass")
