"""A metric, an input and an output form that are added from outside, one row each, work wherever others do."""

from __future__ import annotations

import csv
import functools
import json
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Run, Write

PLUGIN = """
from xentcli.readers import READERS, Reader
from xentcli.readers.text.lines import Form, open_lines
from xentcli.scoring.metrics import METRICS, Metric
from xentcli.writers import WRITERS, Writer

def far(work):
    return (work.loss > 0.5).astype("f8")

def spread(work):
    return work.probabilities.max(axis=1) - work.probabilities.min(axis=1)

def surprise(totals):
    return totals.cost * 100

def pairs(line):
    return dict(pair.split("=") for pair in line.decode().split(";"))

def open_pairs(stream):
    return open_lines(stream, Form("pairs", pairs, exact=True))

def render(document, width=None, color=False):
    table = document.tables()[0]
    return "\\n".join("|".join(map(str, row)) for row in (table.columns, *table.rows)) + "\\n"

METRICS["far"] = Metric("far", "far rows", "share of rows with a loss above 0.5", unit="share", per_example=far)
METRICS["spread"] = Metric("spread", "spread", "largest minus smallest probability of a row", per_example=spread)
METRICS["surprise"] = Metric("surprise", "surprise", "cost in hundredths", unit="loss", labelled=False, derive=surprise)
READERS["pairs"] = Reader("pairs with = between semicolons", "plugin:open_pairs", b"@=pairs", (".pairs",))
WRITERS["pipes"] = Writer("for a test", "plugin", (".pipes",))
"""
Q = np.array([[0.7, 0.3], [0.1, 0.9], [0.2, 0.8], [0.6, 0.4]])
Y = np.array([0, 1, 0, 0])
W = np.array([1.0, 2.0, 3.0, 4.0])
ON = np.array([[1, 0], [0, 1], [1, 1], [0, 0]])
HARD = -np.log(Q[np.arange(4), Y])
SMOOTH = 0.9 * -np.log(Q[np.arange(4), Y]) + 0.05 * -np.log(Q).sum(axis=1)
OF_COLUMNS = -np.where(ON == 1, np.log(Q), np.log(1 - Q))
FILES = ("preds.csv", "labels.csv", "--label", "truth")
WAYS = {
    "": ([*FILES], np.mean(HARD > 0.5)),
    "smoothed": ([*FILES, "--label-smoothing", "0.1"], np.mean(SMOOTH > 0.5)),
    "weighted": ([*FILES, "--weights", "w"], np.average(HARD > 0.5, weights=W)),
    "multi-label": (["preds.csv", "on.csv", "--multilabel"], np.mean(OF_COLUMNS > 0.5)),
}
COSTS = {
    "": HARD.mean(),
    "smoothed": SMOOTH.mean(),
    "weighted": np.average(HARD, weights=W),
    "multi-label": OF_COLUMNS.mean(),
}


@pytest.fixture
def xent(xent: Run, write: Write) -> Run:
    """Run the command in a process that imported the additions."""
    write("plugin.py", PLUGIN)
    write("preds.csv", "cat,dog\n" + "".join(f"{a},{b}\n" for a, b in Q))
    write("labels.csv", "truth,w\n" + "".join(f"{('cat', 'dog')[y]},{w}\n" for y, w in zip(Y, W, strict=True)))
    write("on.csv", "cat,dog\n" + "".join(f"{a},{b}\n" for a, b in ON))
    return functools.partial(xent, before="import sys; sys.path.insert(0, '.'); import plugin")


@pytest.fixture
def started(xent: Run) -> Run:
    """Start it from nothing: the choices of options are made as the command is imported, after the additions."""
    # A variable that Python reads as it starts ends the forking.
    return functools.partial(xent, env={"PYTHONHASHSEED": "0"})


@pytest.mark.parametrize("way", WAYS)
def test_a_metric_that_was_added_is_shown_written_and_held_to_a_limit(xent: Run, tmp_path: Path, way: str) -> None:
    args, share = WAYS[way]
    shown = xent("score", *args, "-o", "a.json", "-o", "a.csv", "-o", "a.md", "-o", "a.jsonl")
    assert (shown.returncode, shown.stderr) == (0, "")
    line = next(line for line in shown.stdout.splitlines() if line.startswith("far rows"))
    assert line.split("   ")[-1].strip() == "share of rows with a loss above 0.5"
    document = json.loads((tmp_path / "a.json").read_text())
    assert document["far"] == pytest.approx(share, rel=1e-15)
    weights = {"weighted": W}.get(way, np.ones(len(Q)))
    spreads = np.abs(2 * Q - 1).mean(axis=1) if way == "multi-label" else np.ptp(Q, axis=1)
    assert document["spread"] == pytest.approx(np.average(spreads, weights=weights), rel=1e-14)
    assert document["surprise"] == 100 * document["cost"]
    with open(tmp_path / "a.csv", encoding="utf-8", newline="") as file:
        rows = {row["metric"]: row for row in csv.DictReader(file)}
    assert float(rows["far"]["value"]) == document["far"]
    assert rows["surprise"]["unit"] == "nats"
    assert "| far rows |" in (tmp_path / "a.md").read_text()
    assert '"far"' in (tmp_path / "a.jsonl").read_text()
    assert xent("check", *args, "--max", f"far={document['far']!r}", "--min", "far=0.1").returncode == 0


def test_a_metric_that_was_added_is_a_number_alone_and_may_fail_or_be_undefined(xent: Run, write: Write) -> None:
    assert float(xent("score", *FILES, "--get", "far").stdout) == 0.5
    assert xent("check", *FILES, "--max", "far=0.49").returncode == 1
    nats, bits = (float(xent("score", *FILES, "--get", "surprise", "--base", base).stdout) for base in ("e", "2"))
    assert bits == nats / np.log(2)
    write("true.csv", "q\n0.5\n0.25\n")
    done = xent("score", "true.csv", "--kind", "true-probs", "--get", "far")
    assert (done.returncode, done.stdout) == (5, "")
    assert "far is undefined" in done.stderr


def test_an_output_form_that_was_added_is_printed_and_written(started: Run, tmp_path: Path) -> None:
    done = started("score", *FILES, "--format", "pipes", "-o", "out.pipes")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (tmp_path / "out.pipes").read_text()
    assert done.stdout.startswith("metric|value|unit\ncost|")
    done = started("check", *FILES, "--max", "cost=9", "--format", "pipes")
    assert done.stdout.startswith("name|metric|group|value|limit|baseline|") and "\nmax cost|cost|" in done.stdout
    assert "pipes" in started("score", "--help-all").stdout


@pytest.mark.parametrize("way", WAYS)
def test_an_input_form_that_was_added_is_scored_as_a_csv_file_is(xent: Run, tmp_path: Path, way: str) -> None:
    for path in tmp_path.glob("*.csv"):
        names, *rows = (line.split(",") for line in path.read_text().split())
        lines = [";".join(map("=".join, zip(names, row, strict=True))) + "\n" for row in rows]
        path.with_suffix(".pairs").write_bytes("".join(lines).encode())
    of_csv, _ = WAYS[way]
    args = [arg.replace(".csv", ".pairs") for arg in of_csv]
    done = xent("score", *args, "-o", "a.json", "-o", "a.csv", "--threads", "2")
    assert (done.returncode, done.stderr) == (0, "")
    table = xent("score", *of_csv, "-o", "b.json", "-o", "b.csv").stdout
    assert done.stdout.replace(".pairs", ".csv") == table
    one, other = (json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json"))
    assert one["cost"] == pytest.approx(COSTS[way], rel=1e-15)
    assert {key for key in one if one[key] != other[key]} == {"inputs", "labels"}
    assert {**one["labels"], "path": of_csv[1]} == other["labels"]
    assert [each["format"] for each in one["inputs"]] == ["pairs", "pairs"]
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()
    assert xent("score", *args, "--get", "cost").stdout == f"{one['cost']!r}\n"
    limit = ("--max", f"cost={one['cost']!r}")
    assert xent("check", *args, *limit).returncode == 0
    assert xent("check", *args, "--max", f"cost={one['cost'] * 0.999!r}").returncode == 1


def test_an_input_form_of_lines_that_was_added_is_read_however_long_it_is(xent: Run, write: Write) -> None:
    write("long.pairs", "cat=0.7;dog=0.3\n" * 1000)
    write("long.csv", "truth\n" + "cat\n" * 1000)
    done = xent("score", "long.pairs", "long.csv", "--get", "cost")
    assert (done.stdout, done.stderr) == (f"{float(-np.log(0.7))!r}\n", "")


def test_an_input_form_that_was_added_is_chosen_and_known_by_its_first_bytes(started: Run, write: Write) -> None:
    text = "@=pairs;cat=0.7;dog=0.3\n@=pairs;cat=0.1;dog=0.9\n"
    write("p.bin", text)
    write("labels.csv", "truth\ncat\ndog\n")
    write("p.txt", text.replace("@=pairs;", ""))
    write("l.txt", "truth=cat\ntruth=dog\n")
    known = ("p.bin", "labels.csv", "--label", "truth", "--preds", "cat,dog")
    for args in (known, ("p.txt", "l.txt", "--input-format", "pairs")):
        done = started("score", *args, "--get", "cost")
        assert (done.stdout, done.stderr) == (f"{float(-np.log([0.7, 0.9]).mean())!r}\n", "")
    assert "pairs" in started("score", "--help-all").stdout
    assert "pairs" in started("score", "p.bin", "labels.csv", "--input-format", "nothing").stderr
    done = started("score", write("bad.pairs", "cat=0.7;dog=0.3\ncat=0.7;dog=x\n"), "labels.csv", "--label", "truth")
    assert done.returncode == 3
    assert "bad.pairs" in done.stderr
    assert "'x' is not a number" in done.stderr
