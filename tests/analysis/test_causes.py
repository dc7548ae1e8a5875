"""`xent explain` of whole files: why a cost is high."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xentcli
from tests.conftest import Run, Write
from xentcli import score
from xentcli.analysis.causes import causes
from xentcli.errors import UsageError


def healthy(rows: int = 400, classes: int = 3, seed: int = 0) -> tuple[Any, Any]:
    """Predictions that are as sure as they are right."""
    random = np.random.default_rng(seed)
    q = random.dirichlet(np.ones(classes) / 2, rows)
    q = np.maximum(q, 1e-6)
    q /= q.sum(axis=1, keepdims=True)
    return q, np.array([random.choice(classes, p=row) for row in q])


def csv_file(write: Write, q: Any, y: Any, **columns: Any) -> str:
    names = ["a", "b", "c"]
    lines = [",".join([*names, "truth", *columns])]
    for row, label, *rest in zip(q.tolist(), y.tolist(), *columns.values(), strict=True):
        lines.append(",".join([*map(repr, row), names[label], *map(str, rest)]))
    return write("run.csv", "\n".join(lines) + "\n")


OPTIONS: dict[str, Any] = {"preds": "a,b,c", "label": "truth"}


def test_a_bad_class_is_found_with_its_share() -> None:
    q, y = healthy()
    q[y == 1] = [0.5, 0.25, 0.25]
    first = causes(q, y).causes[0]
    assert (first.code, first.name, first.more) == ("class", "class 1", "--by-class")
    whole = -np.log(q[np.arange(len(y)), y])
    assert first.share == pytest.approx(whole[y == 1].sum() / whole.sum())
    assert first.examples == (y == 1).sum()
    assert f"{whole[y != 1].mean():.4g}" in first.message


def test_a_bad_group_is_found_in_a_column_that_nobody_named(write: Write) -> None:
    q, y = healthy()
    site = np.where(np.arange(len(y)) % 10 == 3, "north", "south")
    q[site == "north"] = [0.98, 0.01, 0.01]
    told = causes(csv_file(write, q, y, site=site, id=range(len(y)), age=np.arange(len(y)) / 7), **OPTIONS)
    found = [cause for cause in told.causes if cause.code == "group"]
    assert [cause.name for cause in found] == ["site north"], "neither ids nor decimals are groups"
    assert found[0].more == "--by site"
    named = causes(csv_file(write, q, y, site=site), by="site", **OPTIONS)
    assert [cause for cause in named.causes if cause.code == "group"] == found


def test_the_worst_hundredth_is_told_with_its_share() -> None:
    q, y = healthy(1000, seed=3)
    spoiled = np.arange(5)
    q[spoiled] = 1e-9
    q[spoiled, (y[spoiled] + 1) % 3] = 1 - 2e-9
    told = causes(q, y)
    cause = next(cause for cause in told.causes if cause.code == "worst")
    loss = np.sort(-np.log(q[np.arange(len(y)), y]))[::-1]
    assert cause.examples is not None
    assert 10 <= cause.examples < 30
    assert cause.share == pytest.approx(loss[: cause.examples].sum() / loss.sum())
    assert cause.cost == pytest.approx(loss[: cause.examples].mean())


def test_zeros_come_first_and_the_rest_is_explained_without_them() -> None:
    q, y = healthy()
    q[y == 2] = [0.8, 0.15, 0.05]
    q[0], y[0] = [0.0, 0.5, 0.5], 0
    told = causes(q, y)
    assert told.causes[0].code == "worse-than-prior", "which is of the file as a whole"
    first = told.causes[1]
    second = next(cause for cause in told.causes if cause.code == "class")
    assert (first.code, first.share, first.examples, first.more) == ("zeros", 1.0, 1, "--worst 1")
    assert f"{score(q[1:], y[1:]).cost:.4g}" in first.message
    assert (second.code, second.name) == ("class", "class 2")
    loss = -np.log(q[1:][np.arange(len(y) - 1), y[1:]])
    assert second.share == pytest.approx(loss[y[1:] == 2].sum() / loss.sum())


def test_columns_in_another_order_come_first_with_what_they_cost() -> None:
    q, y = healthy(seed=5)
    told = causes(q[:, [1, 2, 0]], y)
    first = told.causes[0]
    assert first.code == "columns-permuted"
    right, wrong = score(q, y).cost, score(q[:, [1, 2, 0]], y).cost
    assert first.share == pytest.approx(1 - right / wrong)
    assert first.more == "if the columns are in another order than the classes: --preds '#3,#1,#2'"


def test_misnamed_columns_are_told_to_be_renamed(write: Write) -> None:
    q, y = healthy(seed=5)
    told = causes(csv_file(write, q[:, [1, 2, 0]], y), **OPTIONS)
    assert told.causes[0].more == "are the columns misnamed? By the labels, column a holds b, b holds c, c holds a"


def test_rows_in_another_order_come_first() -> None:
    q, y = healthy()
    assert causes(q[::-1], y).causes[0].code == "worse-than-prior"


def test_an_even_cost_has_no_cause() -> None:
    told = causes(np.full((40, 2), 0.5), np.arange(40) % 2)
    assert told.causes == ()


def test_a_column_with_ever_new_values_late_in_the_file_does_not_stop_it(write: Write) -> None:
    q, y = healthy(3000)
    late = ["x" if row < 1500 else f"v{row}" for row in range(3000)]
    late[0] = "y"
    told = causes(csv_file(write, q, y, late=late), max_groups=100, **OPTIONS)
    assert all(cause.code != "group" for cause in told.causes)


@pytest.mark.parametrize("kind", ["losses", "true-probs"])
def test_without_labels_the_tail_is_told(kind: str) -> None:
    loss = np.r_[np.full(198, 0.1), 9.0, 9.5]
    told = causes(loss if kind == "losses" else np.exp(-loss), kind=kind)
    assert [cause.code for cause in told.causes] == ["worst"]
    assert told.causes[0].examples == 2


def test_a_column_of_many_is_a_cause_too() -> None:
    random = np.random.default_rng(1)
    q = random.uniform(0.05, 0.95, (300, 3))
    y = (random.random((300, 3)) < q).astype(float)
    q[:, 2] = np.where(y[:, 2] == 1, 0.4, 0.6)
    first = causes(q, y, multilabel=True).causes[0]
    assert (first.code, first.name, first.examples) == ("class", "column 2", 300)


# The command

FORMATS = ("table", "json", "csv", "jsonl", "markdown")


@pytest.fixture
def run_csv(write: Write) -> str:
    q, y = healthy()
    site = np.where(np.arange(len(y)) % 10 == 3, "the north", "south")
    q[site == "the north"] = [0.98, 0.01, 0.01]
    csv_file(write, q, y, **{"the site": site})
    return "run.csv"


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_has_every_cause(form: str, xent: Run, run_csv: str) -> None:
    done = xent("explain", run_csv, "--label", "truth", "--preds", "a,b,c", "--format", form)
    assert (done.returncode, done.stderr) == (0, "")
    command = "xent score run.csv --preds a,b,c --label truth"
    if form == "json":
        document = json.loads(done.stdout)
        assert document["command"] == command
        assert "group" in [cause["code"] for cause in document["causes"]]
    else:
        assert command in done.stdout.replace("\\", "")
        assert "the site the north" in done.stdout


def test_the_commands_run_as_they_stand(xent: Run, run_csv: str) -> None:
    done = xent("explain", run_csv, "--label", "truth", "--preds", "a,b,c")
    commands = [
        line.split(maxsplit=1)[1] if line.startswith("next") else line.strip() for line in done.stdout.splitlines()
    ]
    commands = [line for line in commands if line.startswith("xent ")]
    assert len(commands) >= 2
    assert any("--by 'the site'" in command for command in commands)
    for command in commands:
        again = xent(*shlex.split(command)[1:])
        assert (again.returncode, again.stderr) == (0, ""), command


def test_a_stream_is_explained(xent: Run, run_csv: str, tmp_path: Path) -> None:
    text = (tmp_path / run_csv).read_text()
    done = xent("explain", "-", "--label", "truth", "--preds", "a,b,c", input=text)
    assert done.returncode == 0
    assert "worst 1 % of rows" in done.stdout


def test_a_narrow_terminal_cuts_no_figure(xent: Run, run_csv: str) -> None:
    if sys.platform == "linux":
        done = xent("explain", run_csv, "--label", "truth", "--preds", "a,b,c", env={"COLUMNS": "40"})
        assert "of the cost" in done.stdout


def test_groups_are_of_files_not_of_one_row(xent: Run, run_csv: str) -> None:
    done = xent("explain", run_csv, "--label", "truth", "--preds", "a,b,c", "--by", "the site", "--row", "2")
    assert done.returncode == 2
    with pytest.raises(UsageError):
        causes([[0.5, 0.5]], [0], by="x", kind="nonsense")


def test_explain_without_a_row_is_what_the_command_shows() -> None:
    predictions, labels = [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]], [0, 0, 0]
    assert xentcli.explain(predictions, labels) == causes(predictions, labels)
