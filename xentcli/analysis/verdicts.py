"""Apply each rule of a check to the figures and rows of a run."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Iterator, Sequence
from typing import Any

from xentcli.analysis.evidence import Evidence
from xentcli.analysis.limits import Limit, Rules
from xentcli.analysis.regressions import regression_check
from xentcli.report.check import Check
from xentcli.report.report import Report

__all__ = ["checks_of", "limit_check", "overall"]


def checks_of(rules: Rules, evidence: Evidence) -> Iterator[Check]:
    """Yield the verdict of each rule: limits first, then groups, regressions and warnings."""
    for limit in rules.limits:
        if not limit.each:
            yield limit_check(evidence.report, limit)
    for limit in rules.limits:
        if limit.each:
            yield from _each(evidence.sliced, limit, rules.min_rows)
    for regression in rules.regressions:
        yield regression_check(regression, evidence, strict=rules.strict)
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
