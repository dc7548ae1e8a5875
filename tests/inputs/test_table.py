"""Every row of the table gets what it must, and docs/promises.md says so."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.inputs.table import ROWS, Row


def put(row: Row, folder: Path) -> None:
    for name, content in row.files.items():
        if name.endswith("/"):
            (folder / name).mkdir()
            continue
        data = content() if callable(content) else content
        (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    if "i.csv" in row.words:
        (folder / "i.csv").write_text('id,label\nx,a\n"",b\nz,a\n')


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.section}: {row.what}")
def test_an_input_gets_what_it_must(row: Row, xent: Run, tmp_path: Path) -> None:
    put(row, tmp_path)
    before = {path: path.stat().st_size for path in tmp_path.rglob("*")}
    # What --quiet does not print is refused before a fault of the input.
    quiet = () if row.code or "-o" in row.words else ("--quiet",)
    done = xent("score", *row.words, *quiet, input=row.stdin)
    assert done.returncode == row.code, done.stderr
    assert "Traceback" not in done.stderr
    assert {path: path.stat().st_size for path in tmp_path.rglob("*")} == before
    if row.cost is not None:
        assert float(done.stdout) == pytest.approx(row.cost, rel=1e-15, abs=1e-300)
        return
    # One short block that can be read: where, what, and what helps.
    assert done.stdout == ""
    first, *rest = done.stderr.splitlines()
    assert first.startswith("xent: ") and all(line.startswith("      ") for line in rest), done.stderr
    assert len(rest) <= 4 and len(done.stderr) <= 700, done.stderr
    assert done.stderr.replace("\n", "").isprintable()
    assert row.says in done.stderr
    if row.names_file:
        assert any(os.path.basename(word.lstrip("@")) in first for word in row.words), first


def test_no_input_is_there_twice() -> None:
    assert [name for name, count in Counter((row.section, row.what) for row in ROWS).items() if count > 1] == []
    assert len(ROWS) >= 150
    print(f"{len(ROWS)} inputs")
