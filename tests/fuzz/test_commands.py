"""A short run of the fuzz of command lines, and whether it would see a wrong figure; an hour is `nox -s fuzz-commands`."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

import pytest

from tests.fuzz import cases, files
from tests.fuzz.commands import Find, Runner, campaign, compare
from tests.fuzz.oracle import MP, Problem, Refusal, Side, Value, match, solve, target_order
from tests.laws import LONG

CASES = 400 if LONG else 40


@pytest.mark.parametrize("seed", range(1, 5))
def test_random_command_lines_do_what_the_oracle_says(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # So many cases rather than seconds: whether a commit passes does not depend on the machine's speed.
    assert campaign(seed, math.inf, CASES, Runner(tmp_path)) == []


def test_the_cases_are_of_all_kinds_forms_and_formats() -> None:
    seen: Counter[str] = Counter()
    for index in range(1500):
        spec = cases.make(f"0:{index}")
        seen.update({spec.problem.kind, f"preds {spec.preds.format}", f"choose {spec.choose}", *spec.problem.options})
        seen.update(f"role {role}" for role in spec.problem.preds.columns)
        if spec.labels is not None and spec.problem.labels is not None:
            seen.update([f"labels {spec.labels.format}", *(f"role {role}" for role in spec.problem.labels.columns)])
    wanted = {"probs", "logits", "logprobs", "true-probs", "true-logprobs", "losses"}
    wanted |= {
        f"{side} {format}"
        for side in ("preds", "labels")
        for format in (*files.TEXT, "jsonl", "npy", "npz", "parquet", "arrow")
    }
    wanted |= {
        f"role {role}" for role in ("q", "label", "target", "weight", "by", "by2", "cluster", "bytes", "id", "note")
    }
    wanted |= {"clip", "scale", "renormalize", "label_smoothing", "class_weight", "ignore_label", "index_base", "base"}
    wanted |= {"classes", "confidence", "sum_tolerance", "multilabel", "positive", "subset", "bytes", "skip_missing"}
    assert not {name for name in wanted if seen[name] < 5}


def test_the_oracle_by_hand() -> None:
    """Hand arithmetic: ln 2 and ln 4, weights 1 and 3; the oracle is a test's business too."""
    q = [[0.5, 0.5], [0.75, 0.25]]
    problem = Problem("probs", Side({"q": q, "label": ["a", "b"], "weight": [1.0, 3.0]}), None, 2, ["a", "b"])
    figures = solve(problem).figures
    assert figures is not None
    found = {name: value for name, value in figures.plain.items() if value is not None}
    due = {
        "cost": (MP.log(2) + 3 * MP.log(4)) / 4,
        "prior": (MP.log(4) + 3 * MP.log(MP.mpf(4) / 3)) / 4,
        "accuracy": MP.mpf(1) / 4,
        "brier": (MP.mpf(0.5) + 3 * MP.mpf(1.125)) / 4,
        # n/(n-1) = 2; r = ln 2 - m and 3 (ln 4 - m), with m = 7/4 ln 2: -3/4 ln 2 and 3/4 ln 2.
        "standard_error": MP.sqrt(2 * 2 * (MP.log(2) * 3 / 4) ** 2) / 4,
    }
    for name, value in due.items():
        assert abs(found[name].value - value) < MP.mpf(10) ** -50, name


@pytest.mark.parametrize(
    ("labels", "names", "expected"),
    [
        (["b", "a"], ["a", "b"], [1, 0]),
        (["2", "1"], ["class_1", "class_2"], [1, 0]),
        (["1", "0"], ["cat", "dog"], [1, 0]),
        (["1.0", "0"], ["cat", "dog"], [1, 0]),
        (["0"], ["p0", "p1", "p3"], [0]),
        (["2"], ["p0", "p1", "p3"], None),
        (["2"], ["cat", "dog"], None),
        (["01"], ["cat", "dog"], None),
        (["-1"], ["cat", "dog"], None),
        (["a"], ["aa", "ab"], [0]),
    ],
)
def test_the_oracle_matches_labels_by_the_rules(
    labels: list[str], names: list[str], expected: list[int] | None
) -> None:
    if expected is None:
        with pytest.raises(Refusal):
            match(labels, names, len(names), None)
    else:
        assert match(labels, names, len(names), None) == expected


def test_the_oracle_matches_target_columns_by_name_or_position() -> None:
    assert target_order(["t_b", "t_a"], ["a", "b"], 2) == [1, 0]
    assert target_order(["x", "y"], ["a", "b"], 2) == [0, 1]
    with pytest.raises(Refusal):
        target_order(["a", "x"], ["a", "b"], 2)


def test_a_wrong_figure_and_a_wrong_exit_code_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each figure of a report, changed in its eleventh digit, is a find."""
    monkeypatch.chdir(tmp_path)
    spec = next(
        spec
        for spec in (cases.make(f"0:{index}") for index in range(1000))
        if {"--by-class", "--worst"} <= set(spec.extra)
        and spec.problem.has("by")
        and solve(spec.problem).figures
        and not cases.left_out(spec)
    )
    files.write(tmp_path, spec)
    args = files.command(spec)
    runner = Runner(tmp_path)
    done = runner.score(args)
    figures = solve(spec.problem).figures
    assert figures is not None and compare(json.loads(done.out), figures, spec) == []
    for name in ("cost", "total", "weight_sum", "standard_error", "accuracy", "brier", "prior", "skill", "perplexity"):
        report = json.loads(done.out)
        if isinstance(report[name], float) and report[name]:
            report[name] *= 1 + 1e-10
            assert any(line.startswith(name) for line in compare(report, figures, spec)), name
    for part in ("by", "by_class", "worst"):
        report = json.loads(done.out)
        changed = report[part][0]
        key = "loss" if part == "worst" else "cost"
        changed[key] = float(changed[key]) * (1 + 1e-10) + 1e-10
        assert compare(report, figures, spec), part
    with pytest.raises(Find, match="exit 0, expected"):
        runner.judge(spec, args, done, solve(Problem("probs", Side({"q": []}), None, 2)))


def test_a_value_is_itself_within_its_rounding() -> None:
    assert Value(MP.log(2), MP.mpf(0)).holds(0.6931471805599453)
    assert not Value(MP.log(2), MP.mpf(0)).holds(0.69314718055996)
    assert Value(MP.inf, MP.mpf(0)).holds(float("inf"))
    assert not Value(MP.log(2), MP.mpf(0)).holds(float("inf"))
    assert not Value(MP.log(2), MP.mpf(0)).holds(float("nan"))
