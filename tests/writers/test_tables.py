"""The same figures as CSV, JSON Lines, Parquet and Markdown; the rows of every example in every form."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import xentcli
from tests.conftest import Run, Write
from xentcli.report.per_example import PerExample
from xentcli.report.report import Report
from xentcli.writers import WRITERS, content, rendered, text_formats
from xentcli.writers.per_example import COLUMNS, SINKS, per_example_sink

FRAME = pd.DataFrame(
    {
        "cat": [0.7, 0.1, 0.2, 0.0],
        "=dog": [0.3, 0.9, 0.8, 1.0],
        "truth": ["cat", "=dog", "cat", "cat"],
        "site": ["north|a", "south", "north|a", ""],
    }
)


def report(**options: Any) -> Report:
    return xentcli.score(FRAME, preds=["cat", "=dog"], label="truth", **options)


DOCUMENTS = {
    "score": report(),
    "clipped": report(clip=0.01),
    "chosen": report(metrics="accuracy,top1,kl"),
    "sliced": report(by="site", by_class=True),
    "worst": report(worst=2, show="site"),
    "groups and worst": report(by="site", metrics="brier,skill", worst=2),
    "check": xentcli.check(FRAME, preds=["cat", "=dog"], label="truth", max={"cost": 1}, min={"accuracy": 0.1}),
    "compare": xentcli.compare(
        {"old": FRAME, "new": FRAME.assign(cat=[0.6, 0.2, 0.2, 0.0], **{"=dog": [0.4, 0.8, 0.8, 1.0]})},
        preds=["cat", "=dog"],
        label="truth",
        by="site",
        by_class=True,
        worst=2,
    ),
    "explain": xentcli.explain(FRAME, row=4, preds=["cat", "=dog"], label="truth"),
}


def same(one: Any, other: Any) -> bool:
    """Whether two figures are one, however a format writes what is missing or infinite."""
    if one is None or one == "" or (isinstance(one, float) and math.isnan(one)):
        return other in (None, "", "nan") or (isinstance(other, float) and math.isnan(other))
    if isinstance(other, str) and not isinstance(one, str):
        return bool(float(other) == one)
    return bool(one == other)


@pytest.mark.parametrize("what", DOCUMENTS)
def test_every_table_has_the_same_figures(what: str) -> None:
    document = DOCUMENTS[what]
    want = document.asked_tables()[0].records()
    every = [row for table in document.asked_tables() for row in table.records()]
    assert want and len({tuple(row) for row in want}) == 1
    tables: dict[str, list[Any]] = {
        "csv": list(csv.DictReader(io.StringIO(rendered(document, "csv")), strict=True)),
        "jsonl": [json.loads(line) for line in rendered(document, "jsonl").splitlines()],
        "parquet": pd.read_parquet(io.BytesIO(content(document, "parquet"))).to_dict("records"),
    }
    for name, rows in tables.items():
        expected_rows = every if name == "jsonl" else want
        assert len(rows) == len(expected_rows), name
        for row, expected in zip(rows, expected_rows, strict=True):
            assert list(row) == list(expected), name
            for column, value in expected.items():
                got = row[column].removeprefix("'") if name == "csv" else row[column]
                assert same(value, got), (name, column, value, got)


@pytest.mark.parametrize("format", text_formats())
@pytest.mark.parametrize("what", DOCUMENTS)
def test_every_form_of_every_document_ends_with_a_line_end_and_has_no_blank_beginning(what: str, format: str) -> None:
    text = rendered(DOCUMENTS[what], format)
    assert text.endswith("\n") and not text.endswith("\n\n") and text == text.lstrip()


@pytest.mark.parametrize("format", [name for name in WRITERS if name not in ("json", "parquet")])
def test_no_cell_is_run_or_breaks_its_table(format: str) -> None:
    text = rendered(DOCUMENTS["sliced"], format)
    if format == "csv":
        assert "'=dog" in text and ",=dog" not in text
    if format == "markdown":
        tables = [part.splitlines() for part in text.split("\n\n") if part.startswith("|")]
        assert len(tables) == 3
        for table in tables:
            assert len({line.replace(r"\|", "").count("|") for line in table}) == 1


def test_a_table_on_a_terminal_is_harmless_and_in_a_file_lossless() -> None:
    document = xentcli.score(FRAME.assign(site="a\x1b[31m\u202eb"), preds=["cat", "=dog"], label="truth", by="site")
    assert "a\x1b[31m\u202eb" in content(document, "csv").decode()
    for format in text_formats():
        assert rendered(document, format, width=200).replace("\n", "").isprintable(), format


def test_a_report_is_written_by_the_extension_of_every_form(xent: Run, write: Write, tmp_path: Path) -> None:
    write("f.csv", FRAME.to_csv(index=False))
    names = [f"r{extension}" for writer in WRITERS.values() for extension in writer.extensions]
    outputs = [part for name in names for part in ("-o", name)]
    done = xent("score", "f.csv", "--preds", "cat,=dog", "--label", "truth", "--by", "site", *outputs)
    assert (done.returncode, done.stderr) == (0, "")
    for name in names:
        assert (tmp_path / name).stat().st_size > 0
    assert (tmp_path / "r.txt").read_text() == done.stdout
    rows = csv.DictReader(io.StringIO((tmp_path / "r.csv").read_text()))
    assert pd.read_parquet(tmp_path / "r.parquet").cost.tolist() == [float(row["cost"]) for row in rows]


def test_the_losses_of_every_row_are_the_same_in_every_form(tmp_path: Path) -> None:
    blocks: list[PerExample] = []
    frame = FRAME.assign(w=[1.0, 2.5, 0.0, 1.0], id=["a", "b", "=c", "d"])
    options: dict[str, Any] = {"preds": ["cat", "=dog"], "label": "truth", "weights": "w", "id": "id"}
    xentcli.score(frame, **options, sink=blocks.append, block_bytes=1)
    losses = np.concatenate([block.loss for block in blocks])
    for extension in SINKS:
        with per_example_sink(str(tmp_path / f"l{extension}")) as sink:
            xentcli.score(frame, **options, sink=sink, block_bytes=1)
    assert np.array_equal(np.load(tmp_path / "l.npy"), losses, equal_nan=True)
    table = pd.read_parquet(tmp_path / "l.parquet")
    lines = [json.loads(line) for line in (tmp_path / "l.jsonl").read_text().splitlines()]
    cells = pd.read_csv(tmp_path / "l.csv", keep_default_na=False)
    assert list(table.columns) == list(cells.columns) == list(lines[0]) == list(COLUMNS)
    assert np.array_equal(table.loss, losses, equal_nan=True)
    assert [row["loss"] for row in lines[:2]] == losses[:2].tolist() and lines[2]["loss"] == "nan"
    assert table.id.tolist() == [row["id"] for row in lines] == ["a", "b", "=c", "d"]
    assert cells.id.tolist() == ["a", "b", "'=c", "d"]
    assert table.label[2] is None or pd.isna(table.label[2])
    assert lines[2]["label"] is None and lines[2]["probability"] is None
    again = xentcli.score(tmp_path / "l.csv", kind="losses")
    assert again.cost == xentcli.score(frame, **options).cost


def test_the_metrics_are_listed(xent: Run) -> None:
    done = xent("score", "--list-metrics")
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("cost, log_loss", "perplexity, ppl", "top3", "bits_per_byte"):
        assert name in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_a_missing_extra_is_a_usage_error_that_installs_it(xent: Run, write: Write, tmp_path: Path) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ImportError(name='pyarrow')\n")
    write("f.csv", FRAME.to_csv(index=False))
    args = ("score", "f.csv", "--preds", "cat,=dog", "--label", "truth")
    for extra in (("-o", "r.parquet"), ("--per-example", "l.parquet")):
        done = xent(*args, *extra, env={"PYTHONPATH": str(tmp_path)})
        assert done.returncode == 2
        assert "pip install 'xentcli[arrow]'" in done.stderr
        assert not (tmp_path / extra[1]).exists()


def test_the_frame_of_a_report_has_a_row_for_each_metric() -> None:
    frame = report(metrics="cost,top1,kl").to_frame()
    assert frame.index.tolist() == ["cost", "top1", "kl"]
    assert frame.value.dtype == np.float64
    assert frame.value["cost"] == math.inf and math.isnan(frame.value["kl"])
    assert frame.unit.tolist() == ["nats", "", "nats"]
    assert report().to_frame().value["brier"] == report().brier
