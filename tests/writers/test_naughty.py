"""Names that come from files go through every writer: each is harmless where it is shown, and is found again."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import Run, started
from xentcli.writers.safe import csv_cell, terminal

NAUGHTY = [
    "[bold]", "[/x]", "[link=http://x]y[/link]", ":smiley:", "\x1b[31mred", "\x1b]8;;http://x\x1b\\y", "\x1b]0;title\x07",
    "\x9b31m", "\x85next", "\u202eevil", "\u2066iso\u2069", "\u2028line", "\ufeffbom", "\u200bzero", "\xad soft",
    "=cmd()", "+1+1", "-2+3", "@SUM(A1)", "＝cmd()", "\tx", "a\rb", "a\nb", 'say "hi"', "a,b", "a;b", "'quoted'", "''",
    "<script>alert(1)</script>", "&amp;", "a|b", "`code`", "**b**", "_i_", "~~s~~", "![x](y)", "# h", "- item", "1. item",
    "::error::boom", "  ::set-output name=a::b", "##[error]x", "##vso[task.setvariable]x", "::stop-commands::t",
    "../../etc", "%s%n", "{0}", "${HOME}", "$(id)", "\\", "\\n", "NaN", "null", "None", "true", "0", "-1", "1e5", "日本語", "🙂",
    "e\u0301", "x" * 300, "\x7f", "\x01\x02", "\x00"[:0] + "\x0b\x0c",
]  # fmt: skip
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\xad]")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A report by group and class of labels, groups and ids that are all naughty, in every form."""
    folder = tmp_path_factory.mktemp("naughty")
    names = list(dict.fromkeys(NAUGHTY))
    count = len(names)
    q = np.full((count, count), 0.5 / (count - 1))
    np.fill_diagonal(q, 0.5)
    frame = pd.DataFrame(q, columns=pd.Index(names)).assign(**{"the label": names, "the id": names, "the group": names})
    with (folder / "p.csv").open("w", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(frame.columns)
        writer.writerows(frame.to_numpy().tolist())
    files = [f"r.{kind}" for kind in ("json", "csv", "jsonl", "parquet", "md", "txt")]
    rows = [f"l.{kind}" for kind in ("csv", "jsonl", "parquet")]
    command = ["score", "p.csv", "--label", "the label", "--id", "the id"]
    chosen = ["--preds", f"#1:#{count}", "--by", "the group", "--by-class"]
    worst = ["--worst", "5", "--show", "the group"]
    one_table = ("csv", "parquet")
    found: dict[str, Any] = {"names": names}
    for form in ("table", "json", "csv", "jsonl", "markdown"):
        more = [] if form in one_table else worst
        done = started([*command, *chosen, *more, "--format", form], folder, {**os.environ})
        assert done.returncode == 0, done.stderr
        found[form] = done.stdout.decode()
    outputs = [part for name in files if not name.endswith(one_table) for part in ("-o", name)]
    done = started([*command, *chosen, *worst, *outputs], folder, {**os.environ})
    assert done.returncode == 0, done.stderr
    for index, row in enumerate(rows):
        outputs = ["--per-example", row, *(["-o", "r.csv", "-o", "r.parquet"] if not index else [])]
        done = started([*command, *chosen, *outputs], folder, {**os.environ})
        assert done.returncode == 0, done.stderr
    done = started([*command, *chosen[:2], "--per-example", "-"], folder, {**os.environ})
    found["rows"] = done.stdout.decode()
    found |= {name: (folder / name).read_bytes() for name in (*files, *rows)}
    return found


@pytest.mark.parametrize("form", ["table", "json", "csv", "jsonl", "markdown", "rows"])
def test_what_is_printed_obeys_nobody(outputs: dict[str, Any], form: str) -> None:
    text = outputs[form]
    assert not CONTROL.search(text)
    for line in text.splitlines():
        assert not line.lstrip().startswith("::") and "##[" not in line and "##vso[" not in line, line


def test_json_and_parquet_have_the_names_as_they_are(outputs: dict[str, Any]) -> None:
    names = set(outputs["names"])
    for report in (json.loads(outputs["json"]), json.loads(outputs["r.json"])):
        assert set(report["classes"]) == names
        assert {group["group"]["the group"] for group in report["by"]} == names
        assert {part["class"] for part in report["by_class"]} == names
    for text in (outputs["jsonl"], outputs["r.jsonl"].decode()):
        rows = [json.loads(line) for line in text.splitlines()]
        assert {row["the group"] for row in rows} >= names
    assert set(pd.read_parquet(io.BytesIO(outputs["r.parquet"]))["the group"].dropna()) == names
    assert set(pd.read_parquet(io.BytesIO(outputs["l.parquet"]))["id"]) == names
    assert {json.loads(line)["label"] for line in outputs["l.jsonl"].decode().splitlines()} == names


@pytest.mark.parametrize("name", ["r.csv", "l.csv", "csv", "rows"])
def test_a_spreadsheet_runs_no_cell_and_every_row_is_read_back(outputs: dict[str, Any], name: str) -> None:
    raw = outputs[name]
    text = raw.decode() if isinstance(raw, bytes) else raw
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    column = "the group" if "the group" in rows[0] else "id"
    cells = {row[column] for row in rows} - {""}
    for row in rows:
        for cell in row.values():
            assert not cell.startswith(tuple("=+-@\t\r＝＋－＠")) or re.fullmatch(
                r"[-+]?[0-9.]+(e[-+]?[0-9]+)?", cell
            ), cell
    # In a file all but a carriage return is as it was, behind a quote where it would be run; printed it is escaped too.
    printed = not isinstance(raw, bytes)
    assert cells == {terminal(csv_cell(text)) if printed else csv_cell(text) for text in outputs["names"]}


def test_markdown_is_one_table_of_plain_text(outputs: dict[str, Any]) -> None:
    for text in (outputs["markdown"], outputs["r.md"].decode()):
        tables = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
        assert tables
        for table in tables:
            widths = {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in table.splitlines()}
            assert len(widths) == 1
        for markup in ("<script", "**b**", "![x]", "`code`", "~~s~~"):
            assert not re.search(r"(?<!\\)" + re.escape(markup), text)


def test_a_name_of_a_file_is_harmless_too(xent: Run, tmp_path: Path) -> None:
    for name in ("::error::p.csv", "[bold]p.csv", "\x1b[31mp.csv", "\u202ep.csv", "=p.csv", "a\np.csv", "<script>.csv"):
        (tmp_path / name).write_text("a,b\n0.5,0.5\n")
        (tmp_path / "l.csv").write_text("label\na\n")
        for form in ("table", "json", "csv", "jsonl", "markdown"):
            done = xent("score", f"./{name}" if form == "table" else name, "l.csv", "--format", form)
            assert done.returncode == 0, done.stderr
            assert not CONTROL.search(done.stdout)
            assert not any(line.startswith("::") for line in done.stdout.splitlines())
        done = xent("score", name, "l.csv", "--label", "nope")
        assert done.returncode == 3
        assert not CONTROL.search(done.stderr) and not any(line.startswith("::") for line in done.stderr.splitlines())


def test_half_a_surrogate_pair_from_memory_is_escaped_in_every_form(tmp_path: Path) -> None:
    from xentcli.analysis.score import score
    from xentcli.writers import WRITERS, content
    from xentcli.writers.per_example import SINKS, per_example_sink

    for ending in SINKS:
        with per_example_sink(str(tmp_path / f"rows{ending}")) as sink:
            report = score([[0.75, 0.25]], [0], classes=["\ud800", "b"], sink=sink, by_class=True)
        assert (tmp_path / f"rows{ending}").stat().st_size
    for form in WRITERS:
        assert content(report, form)
    assert pd.read_parquet(io.BytesIO(content(report, "parquet")))["class"].tolist() == ["\\ud800"]
