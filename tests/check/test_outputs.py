"""What a check shows: the same verdict in every form, hostile names made harmless, and the schema that holds it."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

import xentcli
from tests.conftest import ROOT, Call, Write
from xentcli.errors import WARNINGS
from xentcli.report.checks import Checks, NamedCheck
from xentcli.report.json_schema import of as schema
from xentcli.writers import WRITERS, content, github, rendered

HOSTILE = ["=1+1", "a|b", "::error::x", "<b>&", "\x1b[31mred", "‮rtl", "[link](x)", "`x`", "new\nline", "x" * 300]
RANDOM = np.random.default_rng(4)
SITES = [HOSTILE[i % 10] for i in range(200)]


def frame(spoil: float) -> Any:
    import pandas as pd

    q = np.random.default_rng(5).dirichlet(np.ones(10), 200)
    truth = [HOSTILE[int(row.argmax()) if i % 3 else i % 10] for i, row in enumerate(q)]
    table = pd.DataFrame((1 - spoil) * q + spoil / 10, columns=HOSTILE)
    return table.assign(t=truth, site=SITES)


@pytest.fixture
def result(tmp_path: Path) -> Any:
    roles: dict[str, Any] = {"preds": [f"#{i}" for i in range(1, 11)], "label": "t", "by": "site"}
    xentcli.check(frame(0.0), **roles, write_baseline=tmp_path / "b.npz")
    rules: dict[str, Any] = {
        "max": {"cost": 0.1, "kl": 1},
        "min_each": {"accuracy": 0.5},
        "max_regression": {"cost": "1%", "brier": 5.0},
        "fail_on_warning": "all",
    }
    return xentcli.check(frame(0.6), **roles, **rules, baseline=tmp_path / "b.npz")


@pytest.mark.parametrize("form", [name for name, writer in WRITERS.items() if not writer.binary])
def test_hostile_names_are_harmless(result: Any, form: str) -> None:
    text = rendered(result, form)
    assert "\x1b" not in text and "‮" not in text
    assert not any(line.startswith("::error") for line in text.splitlines())
    if form == "csv":
        cells = [cell for row in csv.reader(io.StringIO(content(result, form).decode())) for cell in row]
        assert not any(cell.startswith(("=", "+", "@")) for cell in cells)
    if form in ("markdown", "html"):
        assert "<b>&" not in text
    if form == "markdown":
        assert "[link](x)" not in text


def test_tables_have_a_row_for_each_check(result: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(content(result, "csv").decode())))
    lines = [json.loads(line) for line in content(result, "jsonl").decode().splitlines()]
    assert len(rows) == len(lines) == len(result.checks)
    for check, row, line in zip(result.checks, rows, lines, strict=True):
        assert line["verdict"] == row["verdict"] == check.verdict
        assert line["value"] == check.value
        assert float(row["value"] or "nan") == pytest.approx(
            np.nan if check.value is None else check.value, nan_ok=True
        )
        assert line["low"] == (None if check.interval is None else check.interval.low)
        assert line["margin"] == check.margin


def test_markdown_has_every_verdict_and_what_explains_it(result: Any) -> None:
    text = content(result, "markdown").decode()
    assert text.startswith("**fail**")
    assert text.count("| FAIL |") == sum(check.verdict == "fail" for check in result.checks)
    assert "of the change" in text and "200 rows compared" in text


def test_json_fits_the_schema(result: Any) -> None:
    document = result.to_dict()
    Draft202012Validator(schema("report")).validate(document)
    names = ["name", "metric", "group", "value", "limit", "baseline", "change", "interval", "margin", "verdict"]
    assert all(set(names) <= entry.keys() for entry in document["checks"])
    assert document["baseline"].keys() >= {"path", "date", "commit", "rows_compared"}
    assert {entry["verdict"] for entry in document["checks"]} >= {"pass", "fail", "no_verdict"}


def test_shares_are_those_of_the_whole_change(result: Any) -> None:
    old, new = frame(0.0), frame(0.6)
    loss = [-np.log([row[row["t"]] for _, row in table.iterrows()]) for table in (old, new)]
    change = loss[1] - loss[0]
    for reason in result.reasons:
        assert reason.kind in ("class", "group", "row")
        if reason.kind == "row":
            kept = np.arange(200) == int(reason.name.replace(",", "")) - 1
        else:
            column = "t" if reason.kind == "class" else "site"
            kept = (old[column] == reason.name.removeprefix("site ")).to_numpy()
        assert reason.rows == kept.sum()
        assert reason.share == pytest.approx(change[kept].sum() / change.sum(), rel=1e-9)
        assert (reason.before, reason.after) == pytest.approx((loss[0][kept].mean(), loss[1][kept].mean()), rel=1e-9)
    assert {"class", "group"} <= {reason.kind for reason in result.reasons}


def test_the_slices_that_explain_are_not_in_the_report(call: Call, write: Write) -> None:
    write("p.csv", "cat,dog\n0.9,0.1\n0.2,0.8\n0.7,0.3\n")
    write("l.csv", "truth\ncat\ndog\ncat\n")
    document = json.loads(call("check", "p.csv", "l.csv", "--max", "cost=0.1", "--format", "json").out)
    plain = json.loads(call("score", "p.csv", "l.csv", "--format", "json").out)
    extra = ("verdict", "checks", "baseline", "reasons")
    assert {name: value for name, value in document.items() if name not in extra} == plain
    asked = json.loads(call("check", "p.csv", "l.csv", "--max", "cost=9", "--by-class", "--format", "json").out)
    assert asked["by_class"] and asked["options"] == {"by_class": {"value": True, "by": "flag"}}
    assert not asked["worst"]


def test_the_screen_shows_the_command_that_shows_more_and_the_one_that_accepts(call: Call, write: Write) -> None:
    write("old.csv", "cat,dog\n" + "0.9,0.1\n0.2,0.8\n" * 50)
    write("new.csv", "cat,dog\n" + "0.8,0.2\n0.3,0.7\n" * 50)
    write("l.csv", "truth\n" + "cat\ndog\n" * 50)
    assert call("check", "old.csv", "l.csv", "--write-baseline", "main.npz").code == 0
    gate = ("--baseline", "main.npz", "--max-regression", "cost=2%")
    done = call("check", "new.csv", "l.csv", *gate, "--renormalize")
    assert done.code == 1
    lines = done.out.splitlines()
    look, accept = (
        next(line for line in lines if line.startswith(word)).split(None, 1)[1] for word in ("next", "accept")
    )
    assert look == "xent explain new.csv l.csv --renormalize"
    assert accept == "xent check new.csv l.csv --renormalize --write-baseline main.npz"
    assert call(*look.split()[1:]).code == 0
    assert call(*accept.split()[1:]).code == 0
    again = call("check", "new.csv", "l.csv", *gate, "--renormalize")
    assert again.code == 0
    assert "next" not in again.out


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("old", ["old.csv", "old.json", "none.json"])
def test_a_baseline_of_another_name_is_named_for_the_next_run(call: Call, write: Write, old: str, there: bool) -> None:
    write("old.csv", "cat,dog\n" + "0.9,0.1\n0.2,0.8\n" * 50)
    write("new.csv", "cat,dog\n" + "0.8,0.2\n0.3,0.7\n" * 50)
    write("l.csv", "truth\n" + "cat\ndog\n" * 50)
    assert call("score", "old.csv", "l.csv", "-o", "old.json").code == 0
    # A file of this name that is no baseline is kept.
    kept, other = f"{old.partition('.')[0]}{'-baseline' * there}.npz", b"predictions"
    if there:
        write(kept.replace("-baseline", ""), other)
    gate = ("new.csv", "l.csv", "--max-regression", "cost=2%", "--baseline")
    done = call("check", *gate, old)
    assert done.code == (4 if old == "none.json" else 1)
    accept = next(line for line in (done.out + done.err).splitlines() if "--write-baseline" in line)
    assert accept.endswith(f"xent check new.csv l.csv --write-baseline {kept}")
    assert f"the baseline is '{kept}', no longer '{old}'\n" in done.out + done.err
    assert call(*accept.removeprefix("accept").split()[1:]).code == 0
    assert call("check", *gate, kept).code == 0
    assert not there or Path(kept.replace("-baseline", "")).read_bytes() == other


def test_what_a_new_baseline_would_not_mend_is_not_said_to_be_accepted(call: Call, write: Write) -> None:
    write("old.csv", "cat,dog\n" + "0.9,0.1\n0.2,0.8\n" * 50)
    write("new.csv", "cat,dog\n" + "0.8,0.2\n0.3,0.7\n" * 50)
    write("zero.csv", "cat,dog\n0,1\n" + "0.2,0.8\n0.9,0.1\n" * 49 + "0.2,0.8\n")
    write("l.csv", "truth\n" + "cat\ndog\n" * 50)
    gate = ("l.csv", "--baseline", "old.csv", "--max-regression")
    for words in (("zero.csv", *gate, "cost=0"), ("new.csv", *gate, "cost=9", "--max", "cost=0.1")):
        done = call("check", *words)
        assert done.code == 1 and "\nnext " in done.out and "\naccept " not in done.out


def test_the_sentence_counts_what_has_no_verdict(call: Call, write: Write) -> None:
    write("p.csv", "cat,dog,t,site\n0.9,0.1,cat,n\n0.2,0.8,dog,s\n")
    words = ("check", "p.csv", "--label", "t", "--by", "site", "--max-each", "cost@x*=1")
    assert "\nNo verdict on the limit: exit 5." in call(*words).out
    assert "\nNo verdict on 2 of 3 limits: exit 5." in call(*words, "--max", "kl=1", "--max", "cost=9").out
    assert "\nThe limit failed: exit 1." in call("check", "p.csv", "--label", "t", "--max", "cost=0.01").out
    one = "cat,dog\n0.9,0.1\n"
    write("one.csv", one)
    write("was.csv", one)
    done = call(
        "check", "one.csv", "--max-regression", "cost=2 %", "--baseline", "was.csv", "--labels", write("t", "t\ncat\n")
    )
    assert done.code == 5
    assert done.out.splitlines()[0].endswith("   only 1 row: there is no interval")
    assert "baseline 0.105361 + 2 %   change" in done.out


def test_rows_that_are_left_out_are_said(call: Call, write: Write) -> None:
    write("p.csv", "id,cat,dog\n1,0.9,0.1\n2,,\n3,0.7,0.3\n4,0.8,0.2\n")
    write("l.csv", "id,t\n1,cat\n2,dog\n3,\n4,cat\n5,cat\n")
    words = ("check", "p.csv", "l.csv", "--id", "id", "--max", "cost=1", "--skip-missing", "--subset")
    done = call(*words, "--ignore-label", "missing")
    assert done.code == 0
    (line,) = (line for line in done.out.splitlines() if line.startswith("The limit passed."))
    assert "matched in full" not in done.out
    for part in ("2 of 4 rows scored", "1 row skipped (--ignore-label)", "1 row without a prediction", "1 label"):
        assert part in line


def test_each_warning_that_may_not_be_is_named(call: Call, write: Write) -> None:
    write("p.csv", "cat,dog,t\n0.9,0.1,cat\n0,1,cat\n")
    codes = ("infinite", "shifted", "all")
    done = call("check", "p.csv", "--label", "t", *(word for code in codes for word in ("--fail-on-warning", code)))
    assert done.code == 1
    lines = [line.split() for line in done.out.splitlines()[:3]]
    assert lines[:2] == [
        ["FAIL", "warnings", "infinite", "1", "none", "allowed"],
        ["pass", "warnings", "shifted", "0", "none", "allowed"],
    ]
    assert lines[2][:2] == ["FAIL", "warnings"] and "infinite" in lines[2][-1]


def test_junit_is_a_file(call: Call, write: Write, tmp_path: Path) -> None:
    write("p.csv", "cat,dog,t\n0.9,0.1,cat\n")
    done = call("check", "p.csv", "--label", "t", "--max", "cost=1", "--junit", "-")
    assert (done.code, done.out) == (2, "")
    assert not (tmp_path / "-").exists()


def test_a_miss_within_chance_is_said(call: Call, write: Write) -> None:
    write("old.csv", "cat,dog\n" + "0.9,0.1\n0.2,0.8\n" * 5)
    write("new.csv", "cat,dog\n" + "0.8,0.2\n0.15,0.85\n" * 5)
    write("l.csv", "truth\n" + "cat\ndog\n" * 5)
    words = ("check", "new.csv", "l.csv", "--baseline", "old.csv", "--max-regression", "cost=1%")
    done = call(*words)
    assert done.code == 0 and "within chance" in done.out
    strict = call(*words, "--strict")
    assert strict.code == 5 and strict.out.startswith("inconclusive ") and "Inconclusive" in strict.out


def test_many_groups_are_cut_on_a_screen_and_whole_in_files(call: Call, write: Write, tmp_path: Path) -> None:
    lines = [f"0.{9 - i % 9},0.{1 + i % 9},cat,site {i}" for i in range(60)]
    write("p.csv", "cat,dog,t,site\n" + "\n".join(lines) + "\n")
    done = call("check", "p.csv", "--label", "t", "--by", "site", "--max-each", "cost=1.9", "-o", "all.csv")
    assert done.code == 1
    report = xentcli.check(str(tmp_path / "p.csv"), label="t", by="site", max_each={"cost": 1.9})
    checks = Checks.of([NamedCheck.of("sites", report)])
    screens = [rendered(report, "table", width=80), done.out, github.summary(checks).decode()]
    counts = [
        [len(re.findall(rf"^\|? ?{word}\b", text, re.MULTILINE)) for word in ("FAIL", "pass")] for text in screens
    ]
    assert counts == [[6, 14], [6, 54], [6, 14]]
    assert "(40 more; -o FILE.csv has all)" in screens[0] and "(40 more)" in screens[2] and " more" not in done.out
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 61


def test_every_code_of_a_warning_can_fail() -> None:
    """The codes in the source are those that --fail-on-warning takes, but for those of compare."""
    compared = {"few-clusters", "few-rows", "labels-as-model", "one-row", "same-file"}
    found = set()
    for path in (ROOT / "xentcli").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "Warning(" in text else ():
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "Warning"
                and node.args
            ):
                code = node.args[0]
                found |= {code.value} if isinstance(code, ast.Constant) else set()
    assert found - compared == set(WARNINGS)
