"""Verdicts of --max-regression: by paired rows, or by totals if the baseline has no rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from xentcli.analysis.evidence import Evidence
from xentcli.analysis.limits import Regression
from xentcli.analysis.model_rows import ModelRows
from xentcli.analysis.student import interval_of
from xentcli.records import replace
from xentcli.report.check import Check
from xentcli.report.parts import Interval
from xentcli.scoring.metrics import find
from xentcli.tallies.joint import Excess, Joint

__all__ = ["Outcome", "paired_outcome", "regression_check"]

_EQUAL = 1e-12


def regression_check(rule: Regression, evidence: Evidence, *, strict: bool) -> Check:
    """Return the verdict of a regression, with its margin and what it was compared with."""
    against = evidence.against
    assert against is not None
    name = f"max-regression {rule.metric}"
    if against.rows is None:
        return _of_figures(name, rule, evidence, against.report or {})
    return _of_rows(name, rule, evidence, against.rows, strict=strict)


def _of_figures(name: str, rule: Regression, evidence: Evidence, report: Mapping[str, Any]) -> Check:
    """Compare totals alone; a relative difference up to 1e-12 counts as equal."""
    value, given = evidence.report.value(rule.metric), report.get(rule.metric)
    base = None if given is None or math.isnan(float(given)) else float(given)
    if value is None or base is None:
        whose = "run" if value is None else "baseline"
        reason = f"undefined in the {whose}"
        return Check(name, rule.metric, None, value, None, base, **_about(rule), reason=reason)
    limit = _limit_of(rule, base)
    close = math.isclose(value, limit, rel_tol=_EQUAL, abs_tol=_EQUAL)
    held = math.isfinite(value) and (close or (value <= limit if rule.bound == "max" else value >= limit))
    return Check(
        name, rule.metric, None, value, limit, base, _minus(value, base), None, _margin(rule, value, limit),
        "pass" if held else "fail", **_about(rule),
    )  # fmt: skip


def _about(rule: Regression) -> dict[str, Any]:
    return {"bound": rule.bound, "rule": "regression", "allowed": rule.text}


def _limit_of(rule: Regression, base: float) -> float:
    return float(rule.factor * Fraction(base) + rule.allowed) if math.isfinite(base) else base


def _minus(one: float, other: float) -> float:
    return 0.0 if one == other else one - other


def _margin(rule: Regression, value: float, limit: float) -> float:
    return _minus(limit, value) if rule.bound == "max" else _minus(value, limit)


def _of_rows(name: str, rule: Regression, evidence: Evidence, old: ModelRows, *, strict: bool) -> Check:
    """Judge by the interval of the mean of new_i - f old_i - allowed."""
    assert evidence.new is not None
    column, unit, level = evidence.column(rule.metric), evidence.unit(rule.metric), evidence.settings.confidence
    common = evidence.common
    joint = Joint()
    for part, kept in common.blocks():
        before, after = common.columns(part, kept, [(old.rows, column), (evidence.new.rows, column)])
        clusters = None if common.clusters is None else common.clusters[part][kept]
        joint = joint.merge(Joint.of(before, after, common.weights(part, kept), clusters))
    bases = common.means([(old.rows, column)])
    value, base = evidence.report.value(rule.metric), bases[0].value / unit
    about = {**_about(rule), "rows": common.count}
    if value is None or joint.new_infinite or joint.old_infinite:
        return _infinite(name, rule, value, base, joint, about)
    change, outcome = joint.excess(), paired_outcome(joint, rule, level, unit=unit, strict=strict)
    given = (name, rule.metric, None, value, _limit_of(rule, base), base, change.mean / unit)
    if outcome.interval is None:
        reason = f"only {change.units} {'row' if common.clusters is None else 'cluster'}: there is no interval"
        return Check(*given, margin=outcome.margin, **about, reason=reason)
    interval, within = _interval(change, level, unit, find(rule.metric).width), outcome.interval
    about |= {"margin_interval": within, "reason": outcome.reason}
    return Check(*given, interval, outcome.margin, outcome.verdict, **about)


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


def _infinite(
    name: str, rule: Regression, value: float | None, base: float, joint: Joint, about: Mapping[str, Any]
) -> Check:
    """A run with an infinite loss fails; one without, where the baseline has some, is better by infinity."""
    if value is None:
        return Check(name, rule.metric, None, None, None, base, **about, reason="undefined in the run")
    failed = bool(joint.new_infinite)
    change = None if joint.new_infinite and joint.old_infinite else value - base
    limit = _limit_of(rule, base)
    verdict = "fail" if failed else "pass"
    return Check(
        name, rule.metric, None, value, limit, base, change, None, -math.inf if failed else math.inf, verdict, **about
    )
