"""What explains a failure: the shares of classes, groups and rows are those of pandas, for each limit that did not pass."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import xentcli
from tests.conftest import Call, Run
from xentcli.analysis import verdicts
from xentcli.report.check import Reason

gate: Any = importlib.import_module("xentcli.analysis.check")
CLASSES = ["cat", "dog", "emu"]
ROWS = 300
ROLES: dict[str, Any] = {"label": "truth", "preds": CLASSES, "by": ["site", "device"]}


def frame(seed: int, spoil: float) -> pd.DataFrame:
    """Predictions of the same rows; those of the north are spoilt."""
    rows, chance = np.random.default_rng(1), np.random.default_rng(seed)
    truth, site, device = (rows.choice(of, ROWS) for of in (CLASSES, ["north", "south", "west"], ["a", "b"]))
    logits = chance.normal(size=(ROWS, 3)) + 2 * (truth[:, None] == CLASSES)
    logits[site == "north"] *= 1 - spoil
    q = np.exp(logits)
    table = pd.DataFrame(q / q.sum(axis=1, keepdims=True), columns=CLASSES)
    return table.assign(truth=truth, site=site, device=device, w=rows.integers(0, 4, ROWS) / 2)


def figures(table: pd.DataFrame) -> pd.DataFrame:
    """The metrics of each row."""
    q = table[CLASSES].to_numpy()
    y = (table["truth"].to_numpy()[:, None] == CLASSES).astype(float)
    right = (q.argmax(axis=1) == y.argmax(axis=1)).astype(float)
    among = (np.argsort(-q, axis=1)[:, :2] == y.argmax(axis=1)[:, None]).any(axis=1).astype(float)
    brier = ((q - y) ** 2).sum(axis=1)
    each = {"cost": -np.log((q * y).sum(axis=1)), "accuracy": right, "error": 1 - right, "brier": brier, "top2": among}
    return table.assign(**each, brier_halved=brier / 2)


def check_parts(reasons: list[Reason], rows: pd.DataFrame, old: pd.DataFrame | None = None) -> None:
    """The classes, groups and rows of one explanation are those with the largest shares."""
    metric = reasons[0].metric
    best = pd.Series(float(metric in ("accuracy", "top2")), rows.index) if old is None else old.loc[rows.index, metric]
    change = rows["w"] * (rows[metric] - best)
    known: dict[str, list[tuple[str, pd.Index]]] = {
        "class": [(str(name), part.index) for name, part in rows.groupby("truth")],
        "group": [(f"{column} {name}", part.index) for column in ("site", "device") for name, part in rows.groupby(column)],
        "row": [(str(row + 1), pd.Index([row])) for row in rows.index],
    }  # fmt: skip
    for kind, parts in known.items():
        found = [reason for reason in reasons if reason.kind == kind]
        index = dict(parts)
        for reason in found:
            part = index[reason.name.replace(",", "")]
            weight = rows.loc[part, "w"]
            assert reason.rows == (weight > 0).sum()
            assert reason.after == pytest.approx(np.average(rows.loc[part, metric], weights=weight))
            assert reason.share == pytest.approx(change[part].sum() / change.sum())
            if old is None:
                assert reason.before is None
            else:
                assert reason.before == pytest.approx(np.average(old.loc[part, metric], weights=weight))
        if kind == "class" and not reasons[0].group:
            shares = sorted((change[part].sum() / change.sum() for _, part in parts), reverse=True)
            assert [reason.share for reason in found] == pytest.approx([share for share in shares if share >= 0.05][:3])


LIMITS: list[tuple[str, dict[str, Any]]] = [
    ("cost", {"max": {"cost": 0.0}}),
    ("cost", {"max": {"perplexity": 1.0}}),
    ("cost", {"min": {"skill": 1.0}}),
    ("accuracy", {"min": {"accuracy": 1.0}}),
    ("error", {"max": {"error": 0.0}}),
    ("brier", {"max": {"brier": 0.0}}),
    ("brier_halved", {"max": {"brier_halved": 0.0}}),
    ("top2", {"min": {"top2": 1.0}}),
]


@pytest.mark.parametrize(("metric", "limits"), LIMITS)
@pytest.mark.parametrize("weights", [None, "w"])
def test_a_limit_is_explained_by_its_parts(metric: str, limits: dict[str, Any], weights: str | None) -> None:
    table = frame(2, 0.7)
    reasons = list(xentcli.check(table, **ROLES, weights=weights, **limits).reasons)
    rows = figures(table).assign(w=table["w"] if weights else 1.0)
    assert {reason.metric for reason in reasons} == {metric}
    assert {"class", "group"} <= {reason.kind for reason in reasons}
    check_parts(reasons, rows)


@pytest.mark.parametrize("metric", ["cost", "accuracy", "brier", "error"])
def test_a_regression_is_explained_by_the_parts_of_its_change(metric: str, tmp_path: Path) -> None:
    old, new = frame(2, 0.0), frame(3, 1.9)
    kept = tmp_path / "b.npz"
    xentcli.check(old, **ROLES, weights="w", write_baseline=kept, metrics=["cost", "error"])
    done = xentcli.check(new, **ROLES, weights="w", baseline=kept, max_regression={metric: 0.0})
    assert done.verdict == "fail"
    check_parts(list(done.reasons), figures(new), figures(old))


def test_a_group_is_explained_by_its_own_rows() -> None:
    table = frame(2, 0.7)
    done = xentcli.check(table, **ROLES, weights="w", max_each={"cost@north": 0.1}, min_each={"accuracy@a": 1.0})
    rows = figures(table)
    for check, column in zip(done.checks, ("site", "device"), strict=True):
        reasons = [reason for reason in done.reasons if check.name in reason.checks]
        assert {str(reason.group) for reason in reasons} == {str(check.group)}
        # The groups of its own column would say nothing.
        assert not any(reason.name.startswith(column) for reason in reasons)
        assert {reason.name[:4] for reason in reasons if reason.kind == "group"} <= {"devi", "site"}
        check_parts(reasons, rows[rows[column] == (check.group or {})[column]])


@pytest.mark.parametrize("form", ["frame", "csv"])
def test_of_equal_shares_the_first_classes_and_groups_are_named(form: str, tmp_path: Path) -> None:
    names = [f"s{number}" for number in (4, 1, 3, 0, 2)]
    table = pd.DataFrame(np.full((500, 5), 0.2), columns=sorted(names)).assign(truth=names * 100, site=names * 100)
    if form == "csv":
        table.to_csv(tmp_path / "p.csv", index=False)
    given: Any = table if form == "frame" else tmp_path / "p.csv"
    options: dict[str, Any] = {"label": "truth", "preds": sorted(names), "by": "site", "max": {"cost": 1}}
    found = xentcli.check(given, **options).reasons
    assert [reason.name for reason in found if reason.kind == "class"] == ["s0", "s1", "s2"]
    assert [reason.name for reason in found if reason.kind == "group"] == ["site s0", "site s1", "site s2"]


def test_every_failure_that_has_parts_is_explained_and_no_other() -> None:
    table = frame(2, 0.7)
    limits: dict[str, Any] = {
        "max": {"cost": 0.1, "perplexity": 1.1, "brier": 0.1, "ece": 0.0},
        "min": {"accuracy": 0.99, "cost": 9.0},
    }
    done = xentcli.check(table, **ROLES, **limits)
    explained = {name for reason in done.reasons for name in reason.checks}
    assert explained == {"max cost", "max perplexity", "max brier", "min accuracy"}
    # Perplexity has no parts of its own; those of the cost are listed once.
    assert len({(reason.metric, reason.kind, reason.name) for reason in done.reasons}) == len(done.reasons)
    assert not xentcli.check(table, **ROLES, max={"cost": 9.0}).reasons


def test_an_infinite_cost_is_explained_by_its_first_infinite_rows() -> None:
    table = frame(2, 0.0)
    for row in (7, 40, 41, 99):
        table.loc[row, CLASSES] = [float(name != table["truth"][row]) / 2 for name in CLASSES]
    done = xentcli.check(table, **ROLES, max={"cost": 1.0})
    found = [(reason.kind, reason.name, reason.after, reason.share) for reason in done.reasons]
    assert found == [("row", name, np.inf, None) for name in ("8", "41", "42")]


@pytest.mark.parametrize("read", ["a file", "a stream"])
def test_a_stream_is_explained_as_a_file_is(read: str, xent: Run, tmp_path: Path) -> None:
    text = frame(2, 0.7).to_csv(index=False, lineterminator="\n")
    (tmp_path / "p.csv").write_text(text, encoding="utf-8")
    words = ("--label", "truth", "--preds", ",".join(CLASSES), "--by", "site", "--max", "cost=0.1", "--format", "json")
    done = xent("check", "-" if read == "a stream" else "p.csv", *words, input=text if read == "a stream" else None)
    names = [(reason["kind"], reason["name"]) for reason in json.loads(done.stdout)["reasons"]]
    assert names[:3] == [("class", name) for _, name in names[:3]]
    assert ("group", "site north") in names and ("row", "1") not in names[:3]


def test_an_input_that_can_be_read_once_is_explained_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.Table.from_pandas(frame(2, 0.7))
    reader = partial(pa.RecordBatchReader.from_batches, table.schema, table.to_batches(max_chunksize=100))
    rules: dict[str, Any] = {**ROLES, "max": {"cost": 0.1}}
    reasons = xentcli.check(table, **rules).reasons
    assert reasons and xentcli.check(reader(), **rules).reasons == reasons
    monkeypatch.setattr(gate, "_MOST_OF_STREAM", 50)
    done = xentcli.check(reader(), **rules)
    assert (done.verdict, done.reasons) == ("fail", ())
    assert xentcli.check(table, **rules).reasons == reasons
    monkeypatch.setattr(verdicts, "_MOST", 299)
    assert not xentcli.check(table, **rules).reasons


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFO here")
def test_a_pipe_that_an_option_names_is_not_waited_for_again(xent: Run, tmp_path: Path) -> None:
    frame(2, 0.7).to_csv(tmp_path / "p.csv", index=False)
    os.mkfifo(tmp_path / "weights")
    with subprocess.Popen(["sh", "-c", f"(echo v; yes 1 | head -n {ROWS}) > weights"], cwd=tmp_path):
        words = ("--label", "truth", "--preds", ",".join(CLASSES), "--weights", "@weights", "--max", "cost=0.1")
        done = xent("check", "p.csv", *words)
    assert done.returncode == 1 and "of the cost" in done.stdout


def test_the_command_that_shows_more_is_that_of_the_metric(call: Call, tmp_path: Path) -> None:
    frame(2, 0.7).to_csv(tmp_path / "p.csv", index=False)
    command = ("check", "p.csv", "--label", "truth", "--preds", ",".join(CLASSES))
    for limits, commands in (
        (("--max", "ece=0"), ["calibration"]),
        (("--max", "cost=0"), ["explain"]),
        (("--max", "cost=0", "--max", "ece=0"), ["explain", "calibration"]),
    ):
        out = call(*command, *limits).out
        found = [line.partition("xent ")[2].split() for line in out.splitlines() if "xent " in line]
        assert [words[0] for words in found] == commands, out
        assert all(call(*words).code == 0 for words in found)


def test_many_reasons_are_cut_on_the_screen_and_whole_in_json(call: Call, tmp_path: Path) -> None:
    frame(2, 0.7).to_csv(tmp_path / "p.csv", index=False)
    command = ("check", "p.csv", "--label", "truth", "--preds", ",".join(CLASSES), "--by", "site", "--by", "device")
    limits = ("--max-each", "cost=0", "--min-each", "accuracy=1", "--max", "brier=0")
    reasons = json.loads(call(*command, *limits, "--format", "json").out)["reasons"]
    assert len(reasons) > 30
    out = call(*command, *limits).out
    assert " more" not in out and all(reason["name"] in out for reason in reasons)
    assert "of the Brier score" in out and "of the errors" in call(*command, "--min", "accuracy=1").out


def test_a_weighted_loss_above_the_largest_double_is_not_called_infinite(call: Call, tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("p,w\n" + "1,0.5\n" * 10 + "6e299,1e9\n" * 2)
    done = call("check", "l.csv", "--kind", "losses", "--preds", "p", "--weights", "w", "--max", "cost=1")
    assert done.code == 1, done.err
    assert "row 11   6e+299   50.0 %" in done.out
