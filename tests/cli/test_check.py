"""The gate of a CI job: exact limits, an honest verdict, the exit code."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import re
from pathlib import Path

import pytest

import xentcli
from tests.conftest import Call, Run, Write
from xentcli.analysis.check import Limit, parse_limit
from xentcli.analysis.verdicts import limit_check
from xentcli.errors import UsageError
from xentcli.report.report import Report
from xentcli.scoring.metrics import METRICS


@pytest.fixture
def check(call: Call) -> Call:
    """Run `xent check` within this process, in the test's folder."""
    return functools.partial(call, "check")


@pytest.fixture(autouse=True)
def files(write: Write) -> None:
    write("preds.csv", "cat,dog,emu\n0.7,0.2,0.1\n0.1,0.8,0.1\n0.2,0.3,0.5\n")
    write("labels.csv", "truth\ncat\ndog\ncat\n")
    write("zero.csv", "cat,dog,emu\n0,0.9,0.1\n0.1,0.8,0.1\n0.2,0.3,0.5\n")
    write("soft.csv", "cat,dog,emu\n0.8,0.1,0.1\n0.1,0.8,0.1\n0.2,0.3,0.5\n")
    write("true.csv", "q\n0.5\n0.25\n")


FILES = ("preds.csv", "labels.csv")


def report() -> Report:
    return xentcli.score([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.3, 0.5]], [0, 1, 0])


METRICS_HERE = sorted(name for name in METRICS if report().value(name) is not None)


@pytest.mark.parametrize("metric", METRICS_HERE)
def test_a_limit_equal_to_the_value_holds_and_the_next_double_does_not(check: Call, metric: str) -> None:
    value = report().value(metric)
    assert value is not None
    below, above = math.nextafter(value, -math.inf), math.nextafter(value, math.inf)
    for option, limit, code in (
        ("--max", value, 0),
        ("--max", above, 0),
        ("--max", below, 1),
        ("--min", value, 0),
        ("--min", below, 0),
        ("--min", above, 1),
    ):
        assert check(*FILES, option, f"{metric}={limit!r}", "-q").code == code


def test_a_miss_by_the_last_bit_is_visible(check: Call) -> None:
    limit = math.nextafter(report().cost, 0)
    done = check(*FILES, "--max", f"cost={limit!r}")
    assert done.code == 1
    assert repr(report().cost) in done.out
    assert repr(limit) in done.out


def test_the_figure_of_quiet_is_a_limit_that_holds(xent: Run) -> None:
    cost = xent("score", *FILES, "--quiet").stdout.strip()
    done = xent("check", *FILES, "--max", f"cost={cost}", "--min", f"cost={cost}")
    assert (done.returncode, done.stderr) == (0, "")


def test_an_infinite_value_never_passes(check: Call) -> None:
    for limit in ("--max=cost=1e308", "--max=ppl=1e308", "--min=cost=0", "--min=perplexity=1", "--max=skill=1"):
        done = check("zero.csv", "labels.csv", limit)
        assert done.code == 1, limit
        assert done.out.startswith("FAIL")
    passing = check("zero.csv", "labels.csv", "--max", "brier=1")
    assert passing.code == 0
    assert "1 row assigns probability 0 to the true class: row 1" in passing.out


def test_an_undefined_metric_is_no_verdict(check: Call) -> None:
    done = check(*FILES, "--max", "kl=1")
    assert (done.code, done.err) == (5, "")
    assert "targets are not soft" in done.out
    assert "No verdict" in done.out
    assert check("preds.csv", "soft.csv", "--min", "accuracy=0").code == 5
    assert check("zero.csv", "labels.csv", "--max", "standard_error=1").code == 5


def test_fail_comes_before_no_verdict_and_no_verdict_before_pass(check: Call) -> None:
    assert check(*FILES, "--max", "kl=1", "--max", "cost=0.1").code == 1
    assert check(*FILES, "--max", "cost=0.1", "--max", "kl=1").code == 1
    assert check(*FILES, "--max", "cost=1", "--max", "kl=1").code == 5


def test_a_failed_limit_is_1_even_where_the_figure_asked_for_is_undefined(check: Call) -> None:
    assert check(*FILES, "--max", "cost=0.1", "--get", "kl").code == 1
    assert check(*FILES, "--max", "cost=1", "--get", "kl").code == 5


def test_several_limits_on_one_metric_each_count(check: Call) -> None:
    done = check(*FILES, "--min", "cost=0.5", "--max", "cost=0.7", "--max", "cost=0.8", "--max", "ppl=3")
    assert done.code == 1
    assert sorted(line.split()[0] for line in done.out.splitlines()[:4]) == ["FAIL", "pass", "pass", "pass"]
    assert "1 of 4 limits failed: exit 1." in done.out
    assert "Both limits passed." in check(*FILES, "--max", "cost=0.8", "--max", "ppl=3").out


@pytest.mark.parametrize("name", ["log_loss", "log-loss", "NLL", "cross_entropy", "Cross-Entropy", " cost "])
def test_synonyms_mean_the_cost(name: str) -> None:
    assert parse_limit(f"{name}=0.5", "max") == Limit("cost", "max", 0.5)


@pytest.mark.parametrize(
    "text", ["cost", "cost=", "=1", "cost=x", "cost=nan", "cost=inf", "cost=1e999", "cost=0,5", "cost=1_0", "f1=1", ""]
)
def test_a_limit_that_makes_no_sense_is_2(check: Call, text: str) -> None:
    done = check(*FILES, "--max", text)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("xent: ")


def test_no_limit_is_2(check: Call) -> None:
    done = check(*FILES)
    assert done.code == 2
    assert "--max cost=0.5" in done.err


def test_a_metric_that_needs_labels_is_2_before_a_file_is_opened(check: Call) -> None:
    for kind in ("true-probs", "true-logprobs", "losses"):
        for metric in ("accuracy", "brier", "skill", "prior", "nce"):
            done = check("nowhere.csv", "--kind", kind, "--min", f"{metric}=0")
            assert done.code == 2
            assert f"--kind {kind} has no {metric}" in done.err


def test_a_kind_without_labels_is_held_to_its_cost(check: Call) -> None:
    assert check("true.csv", "--kind", "true-probs", "--max", "cost=1.1").code == 0
    assert check("true.csv", "--kind", "true-probs", "--max", "cost=1").code == 1


def test_bad_data_are_3_and_never_1(check: Call, write: Write) -> None:
    write("cow.csv", "truth\ncat\ndog\ncow\n")
    done = check("preds.csv", "cow.csv", "--max", "cost=0.001")
    assert (done.code, done.out) == (3, "")


def test_limits_are_in_the_unit_of_the_report(check: Call) -> None:
    bits = report().cost / math.log(2)
    assert check(*FILES, "--base", "2", "--max", f"cost={bits + 1e-9!r}").code == 0
    assert check(*FILES, "--base", "2", "--max", f"cost={bits - 1e-9!r}").code == 1


def test_json_has_the_verdict_the_checks_and_every_name_of_the_report(check: Call) -> None:
    done = check(*FILES, "--max", "cost=0.5", "--min", "accuracy=0.5", "--max", "kl=1", "--format", "json")
    assert (done.code, done.err) == (1, "")
    document = json.loads(done.out)
    assert document["verdict"] == "fail"
    assert {field.name for field in dataclasses.fields(Report)} - Report.OPTIONAL - {
        "shown",
        "metrics",
    } | {name for name, metric in METRICS.items() if metric.usual} <= document.keys()
    assert document["cost"] == report().cost
    by_metric = {entry["metric"]: entry for entry in document["checks"]}
    assert by_metric.keys() == {"cost", "accuracy", "kl"}
    assert {"name", "metric", "group", "value", "limit", "margin", "verdict"} <= by_metric["cost"].keys()
    assert {name: entry["verdict"] for name, entry in by_metric.items()} == {
        "cost": "fail",
        "accuracy": "pass",
        "kl": "no_verdict",
    }
    assert by_metric["cost"]["value"] == report().cost
    assert by_metric["cost"]["limit"] == 0.5
    assert by_metric["cost"]["margin"] == 0.5 - report().cost
    assert by_metric["kl"]["value"] is by_metric["kl"]["margin"] is None


@pytest.mark.parametrize(("limits", "verdict"), [("cost=1", "pass"), ("cost=0.1", "fail"), ("kl=1", "no_verdict")])
def test_the_verdict_in_every_format_and_file(check: Call, tmp_path: Path, limits: str, verdict: str) -> None:
    outputs = ("-o", "a.json", "-o", "a.md", "-o", "a.txt")
    done = check(*FILES, "--max", limits, "--format", "json", *outputs)
    assert done.code == {"pass": 0, "fail": 1, "no_verdict": 5}[verdict]
    assert json.loads(done.out)["verdict"] == verdict
    assert (tmp_path / "a.json").read_text() == done.out
    assert f"**{verdict.replace('_', ' ')}**" in (tmp_path / "a.md").read_text()
    assert re.match(
        {"pass": "pass ", "fail": "FAIL ", "no_verdict": "no verdict "}[verdict], (tmp_path / "a.txt").read_text()
    )


def test_per_example_goes_along_with_a_check(check: Call, tmp_path: Path) -> None:
    done = check(*FILES, "--max", "cost=0.1", "--per-example", "losses.csv")
    assert done.code == 1
    assert len((tmp_path / "losses.csv").read_text().splitlines()) == 4
    assert check(*FILES, "--max", "cost=0.1", "--per-example", "-").out == (tmp_path / "losses.csv").read_text()


def test_the_library_gives_the_same_verdict() -> None:
    preds, labels = [[0.7, 0.3], [0.2, 0.8]], [0, 1]
    result = xentcli.check(preds, labels, max={"log_loss": 0.3}, min={"accuracy": 1.0})
    assert (result.verdict, result.exit_code) == ("pass", 0)
    assert xentcli.check(preds, labels, max={"cost": 0.1}).exit_code == 1
    assert xentcli.check(preds, labels, limits=[Limit("kl", "max", 1.0)]).exit_code == 5
    with pytest.raises(UsageError, match="nothing to check"):
        xentcli.check(preds, labels)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_library_refuses_a_limit_that_is_no_number(value: float) -> None:
    with pytest.raises(UsageError):
        xentcli.check([[0.7, 0.3]], [0], max={"cost": value})


def test_a_value_that_is_no_number_fails() -> None:
    broken = dataclasses.replace(report(), metrics={**report().metrics, "cost": math.nan})
    for bound in (Limit("cost", "max", 1.0), Limit("cost", "min", 0.0)):
        assert limit_check(broken, bound).verdict == "fail"
