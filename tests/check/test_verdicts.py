"""The verdict of every kind of limit: at it, one double beside it, and where there is nothing to judge."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import xentcli
from tests.conftest import Call, Write
from xentcli.analysis.limits import Limit, Rules
from xentcli.analysis.verdicts import Evidence, checks_of, overall
from xentcli.errors import NoVerdict, UsageError
from xentcli.report.check import CheckReport
from xentcli.settings import Settings

PREDS, LABELS = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.3, 0.5]], [0, 1, 0]
REPORT = xentcli.score(PREDS, LABELS, metrics=["cost", "ece", "gap", "top2"])
COST = REPORT.cost
INF, NAN = math.inf, math.nan


def beside(value: float, towards: float) -> float:
    return math.nextafter(value, towards)


def with_cost(value: float | None) -> Any:
    return dataclasses.replace(REPORT, metrics={**REPORT.metrics, "cost": value})


class Case(NamedTuple):
    value: float | None
    bound: Any
    limit: float
    verdict: str


LIMITS = [
    Case(COST, "max", COST, "pass"),
    Case(COST, "max", beside(COST, INF), "pass"),
    Case(COST, "max", beside(COST, -INF), "fail"),
    Case(COST, "min", COST, "pass"),
    Case(COST, "min", beside(COST, -INF), "pass"),
    Case(COST, "min", beside(COST, INF), "fail"),
    Case(INF, "max", 1e308, "fail"),
    Case(INF, "min", 0.0, "fail"),
    Case(-INF, "max", 0.0, "fail"),
    Case(-INF, "min", -1e308, "fail"),
    Case(NAN, "max", 1e308, "fail"),
    Case(NAN, "min", -1e308, "fail"),
    Case(0.0, "max", -0.0, "pass"),
    Case(5e-324, "max", 0.0, "fail"),
    Case(1e308, "max", -1e308, "fail"),
    Case(None, "max", 1.0, "no_verdict"),
    Case(None, "min", 1.0, "no_verdict"),
]


@pytest.mark.parametrize("case", LIMITS)
def test_a_limit(case: Case) -> None:
    rules = Rules((Limit("cost", case.bound, case.limit),))
    (found,) = checks_of(rules, Evidence(with_cost(case.value), REPORT, Settings()))
    assert (found.verdict, found.limit) == (case.verdict, case.limit)
    assert repr(found.value) == repr(case.value)
    if case.value is not None and math.isfinite(case.value):
        inside = case.limit - case.value if case.bound == "max" else case.value - case.limit
        assert found.margin == inside
        assert (inside >= 0) == (case.verdict == "pass")


ORDERS = [
    ("pass pass", "pass"),
    ("pass no_verdict", "no_verdict"),
    ("no_verdict inconclusive pass", "inconclusive"),
    ("pass inconclusive no_verdict fail", "fail"),
    ("", "pass"),
]


@pytest.mark.parametrize(("given", "verdict"), ORDERS)
def test_the_verdict_of_several(given: str, verdict: str) -> None:
    limit = next(checks_of(Rules((Limit("cost", "max", 1.0),)), Evidence(REPORT, REPORT, Settings())))
    checks = [dataclasses.replace(limit, verdict=one) for one in given.split()]
    assert overall(checks) == verdict
    assert CheckReport(REPORT, verdict, tuple(checks)).exit_code == {"pass": 0, "fail": 1}.get(verdict, 5)


def test_empty_files_and_weights_of_0_are_no_verdict(write: Write, call: Call) -> None:
    with pytest.raises(NoVerdict):
        xentcli.check(np.zeros((0, 2)), np.zeros(0, int), max={"cost": 1.0})
    write("p.csv", "a,b,w\n0.5,0.5,0\n0.5,0.5,0\n")
    write("l.csv", "t\na\nb\n")
    for more in ((), ("--write-baseline", "b.npz")):
        done = call("check", "p.csv", "l.csv", "--weights", "w", "--max", "cost=1", *more)
        assert (done.code, done.out) == (5, "")
    assert not Path("b.npz").exists()


FRAME: dict[str, list[Any]] = {
    "a": [0.9, 0.8, 0.4, 0.3, 0.0],
    "b": [0.1, 0.2, 0.6, 0.7, 1.0],
    "t": ["a", "a", "a", "a", "a"],
    "site": ["n", "n", "s", "s", "one"],
    "day": ["1", "2", "1", "2", "2"],
}
ROLES: dict[str, Any] = {"preds": "a,b", "label": "t", "by": "site"}
NORTH, SOUTH = -(math.log(0.9) + math.log(0.8)) / 2, -(math.log(0.4) + math.log(0.3)) / 2


def frame(rows: int = 5) -> Any:
    import pandas as pd

    return pd.DataFrame({name: column[:rows] for name, column in FRAME.items()})


GROUPS: list[tuple[int, dict[str, Any], str, dict[str, str]]] = [
    (4, {"max_each": {"cost": 1.1}}, "pass", {"n": "pass", "s": "pass"}),
    (4, {"max_each": {"cost": SOUTH}}, "pass", {"n": "pass", "s": "pass"}),
    (4, {"max_each": {"cost": beside(SOUTH, 0)}}, "fail", {"n": "pass", "s": "fail"}),
    (5, {"max_each": {"cost": 1e308}}, "fail", {"n": "pass", "s": "pass", "one": "fail"}),
    (5, {"max_each": {"ppl": 1e308}}, "fail", {"n": "pass", "s": "pass", "one": "fail"}),
    (5, {"max_each": {"cost": 1.1}, "min_rows": 2}, "pass", {"n": "pass", "s": "pass", "one": "no_verdict"}),
    (5, {"max_each": {"cost": 1.1}, "min_rows": 3}, "no_verdict", dict.fromkeys(("n", "s", "one", "-"), "no_verdict")),
    (5, {"max_each": {"cost@n": 0.2}}, "pass", {"n": "pass"}),
    (5, {"max_each": {"cost@[ns]": 1.1}}, "pass", {"n": "pass", "s": "pass"}),
    (5, {"max_each": {"cost@west*": 1.1}}, "no_verdict", {"-": "no_verdict"}),
    (5, {"max_each": {"cost@one": 1.1}, "min_rows": 2}, "no_verdict", dict.fromkeys(("one", "-"), "no_verdict")),
    (5, {"min_each": {"accuracy": 0.5}}, "fail", {"n": "pass", "s": "fail", "one": "fail"}),
    (5, {"min_each": {"accuracy": 0.0}}, "pass", {"n": "pass", "s": "pass", "one": "pass"}),
    (4, {"max_each": {"top2": 0.0}}, "fail", {"n": "fail", "s": "fail"}),
    (4, {"min_each": {"skill": 0.0}}, "no_verdict", {"n": "no_verdict", "s": "no_verdict"}),
    (5, {"max_each": {"brier": 0.98}, "min_rows": 2}, "pass", {"n": "pass", "s": "pass", "one": "no_verdict"}),
    (5, {"max_each": {"brier": 0.8}, "min_rows": 2}, "fail", {"n": "pass", "s": "fail", "one": "no_verdict"}),
]


@pytest.mark.parametrize(("rows", "rules", "verdict", "groups"), GROUPS)
def test_the_limits_of_groups(rows: int, rules: dict[str, Any], verdict: str, groups: dict[str, str]) -> None:
    result = xentcli.check(frame(rows), **ROLES, **rules)
    assert result.verdict == verdict
    assert {"-" if check.group is None else check.group["site"]: check.verdict for check in result.checks} == groups


def test_groups_of_several_columns_are_named_by_all_of_them() -> None:
    result = xentcli.check(frame(4), **{**ROLES, "by": "site,day"}, max_each={"cost@s, *": 1.0}, min_each={"brier": 0})
    assert [check.group for check in result.checks if check.bound == "max"] == [
        {"site": "s", "day": "1"},
        {"site": "s", "day": "2"},
    ]
    assert [check.verdict for check in result.checks if check.bound == "max"] == ["pass", "fail"]
    assert sum(check.bound == "min" and check.verdict == "pass" for check in result.checks) == 4


@pytest.mark.parametrize("base", ["e", "2", "10"])
def test_a_perplexity_of_a_group_is_that_of_its_rows_in_every_unit(base: Any) -> None:
    result = xentcli.check(frame(4), **ROLES, max_each={"perplexity": 9.0}, base=base)
    values = {check.group["site"]: check.value for check in result.checks if check.group is not None}
    assert values == {"n": pytest.approx(math.exp(NORTH)), "s": pytest.approx(math.exp(SOUTH))}


@pytest.mark.parametrize(
    ("codes", "verdict"),
    [("infinite", "fail"), ("all", "fail"), ("shifted", "pass"), (["shifted", "infinite"], "fail")],
)
def test_warnings_that_fail(codes: Any, verdict: str) -> None:
    result = xentcli.check(frame(), **ROLES, fail_on_warning=codes)
    assert result.verdict == verdict
    assert [check.value for check in result.checks if check.name == "fail-on-warning infinite"] in ([], [1.0])


def test_no_warning_passes() -> None:
    assert xentcli.check(frame(4), **ROLES, fail_on_warning="all").verdict == "pass"


NONSENSE: list[tuple[dict[str, Any], str]] = [
    ({}, "nothing to check"),
    ({"min_rows": 5}, "nothing to check"),
    ({"baseline": "b.npz"}, "nothing to check"),
    ({"max": {"cost": 1.0}, "min_rows": 5}, "--min-rows is about groups"),
    ({"max": {"cost": 1.0}, "strict": True}, "--strict is about regressions"),
    ({"max": {"cost@n": 1.0}}, "there is no metric"),
    ({"max_each": {"cost": 1.0}, "by": ()}, "--max-each sets a limit for each group, and there are no groups"),
    ({"max_each": {"ece": 1.0}}, "--max-each ece: bins of confidence are counted over all rows, not for each group"),
    ({"max_each": {"cost": math.nan}}, "is not a finite number"),
    ({"max_regression": {"cost": "2%"}}, "--max-regression needs a baseline"),
    ({"max_regression": {"perplexity": "2%"}, "baseline": "b"}, "it is not a mean over rows"),
    ({"max_regression": {"gap": "2%"}, "baseline": "b"}, "it is not a mean over rows"),
    ({"max_regression": {"cost": "-2%"}, "baseline": "b"}, "is not a number from 0 up"),
    ({"max_regression": {"cost": "two"}, "baseline": "b"}, "is not a number from 0 up"),
    ({"max_regression": {"cost": math.inf}, "baseline": "b"}, "is not a number from 0 up"),
    ({"fail_on_warning": "shift"}, "did you mean shifted?"),
    ({"write_baseline": "main.json"}, "a baseline is an .npz file"),
]


@pytest.mark.parametrize(("rules", "words"), NONSENSE)
def test_rules_that_make_no_sense_are_refused_before_anything_is_read(rules: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as refused:
        xentcli.check("nowhere.csv", **{**ROLES, **rules})
    assert words in str(refused.value)


def test_smoothed_soft_targets_have_no_classes_to_explain_by() -> None:
    q, soft = [[0.7, 0.3], [0.4, 0.6]], [[0.75, 0.25], [0.5, 0.5]]
    result = xentcli.check(q, soft, label_smoothing=0.1, max={"cost": 0.1})
    assert result.verdict == "fail"
    assert result.report.cost == xentcli.score(q, soft, label_smoothing=0.1).cost
    assert xentcli.explain(q, soft, label_smoothing=0.1).cost == result.report.cost
