"""Files of Excel, Stata, SPSS and SAS: the same bits as CSV, and whatever a library forgives is refused."""

from __future__ import annotations

import gzip
import io
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

import xentcli
from tests.conftest import Call
from tests.inputs.office import CODED, ROWS, spss, stata, workbook, xport
from xentcli.errors import DataError

NAMES = ["cat", "dog", "emu"]
TABLE = [[*NAMES, "y"]] + [
    [*q, NAMES[t % 3]] for t, q in enumerate(np.random.default_rng(5).dirichlet([0.1, 1, 3], 200).tolist())
]
WRITERS: dict[str, Callable[..., bytes]] = {"p.xlsx": workbook, "p.dta": stata, "p.sav": spss, "p.xpt": xport}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("way", ["file", "compressed", "stream", "named by an option"])
def test_the_same_cells_are_the_same_bits_as_in_a_csv(
    name: str, way: str, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [row for row in TABLE if name != "p.xpt" or row[0] == "cat" or min(row[:3]) > 1e-70]
    Path("p.csv").write_text("".join(",".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
    data = WRITERS[name](rows)
    path, more = name, []
    if way == "stream":
        path = "-"
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
    elif way == "compressed":
        path, data = f"{name}.gz", gzip.compress(data)
    elif way == "named by an option":
        formats = {"p.xlsx": "excel", "p.dta": "stata", "p.sav": "spss", "p.xpt": "sas"}
        path, more = "p", ["--input-format", f"predictions={formats[name]}"]
    if path != "-":
        Path(path).write_bytes(data)
    plain = call("score", "p.csv", "--label", "y", "--format", "csv")
    found = call("score", path, "--label", "y", "--format", "csv", *more)
    assert (found.code, found.out) == (0, plain.out), found.err


@pytest.mark.parametrize("name", ["p.dta", "p.sav", "p.xpt", "p.xlsx"])
def test_a_file_cut_anywhere_is_refused(name: str, tmp_path: Path) -> None:
    data = WRITERS[name](ROWS) if name in ("p.xpt", "p.xlsx") else WRITERS[name](CODED, y={1: "b", 2: "a"})
    path = tmp_path / name
    # A transport file does not say how many rows it has: one cut between records is whole.
    for cut in (cut for cut in range(1, len(data), 1 + len(data) // 150) if name != "p.xpt" or cut % 80):
        path.write_bytes(data[:cut])
        with pytest.raises(DataError):
            xentcli.score(path, label="y")


def test_the_report_names_the_sheet_and_says_that_value_labels_are_read(tmp_path: Path) -> None:
    (tmp_path / "p.xlsx").write_bytes(workbook(preds=ROWS))
    (tmp_path / "p.sav").write_bytes(spss(CODED, y={1: "b", 2: "a"}))
    (tmp_path / "q.sav").write_bytes(spss(CODED))
    paths = [xentcli.score(tmp_path / name, label="y").inputs[0].path for name in ("p.xlsx", "p.sav")]
    assert [path.rpartition("/")[2] for path in paths] == ["p.xlsx#preds", "p.sav#labels"]
    coded = xentcli.score(tmp_path / "q.sav", label="y", index_base=1)
    assert coded.inputs[0].path.endswith("q.sav")
    assert coded.labels.matched == "index"


def test_labels_of_some_values_alone_leave_a_variable_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "p.sav"
    path.write_bytes(spss([["p", "y"], [0.75, 1], [0.5, 0]], p={-99: "no answer"}, y={0: "no", 1: "yes"}))
    report = xentcli.score(path, label="y", preds="p", positive="yes")
    assert report.cost == pytest.approx(-np.log([0.75, 0.5]).mean(), rel=1e-15)


def test_two_sheets_of_one_workbook_are_predictions_and_labels(tmp_path: Path) -> None:
    path = tmp_path / "run.xlsx"
    path.write_bytes(workbook(P=[row[:2] for row in ROWS], L=[row[2:] for row in ROWS]))
    report = xentcli.score(f"{path}#P", f"{path}#L")
    assert report.cost == pytest.approx(-np.log([0.7, 0.8, 0.9]).mean(), rel=1e-15)


def test_percent_cells_texts_and_what_a_formula_gives_are_their_values(tmp_path: Path) -> None:
    cells: list[list[Any]] = [["a", "b", "y"], ["0.7", 0.3, "a"], [0.2, "0.8", "b"], [0.9, 0.1, "a"]]
    book = openpyxl.load_workbook(io.BytesIO(workbook(cells)))
    for row in book.active.iter_rows(min_row=2, max_col=2):
        for cell in row:
            cell.number_format = "0%"
    book.active["D9"] = None
    file = io.BytesIO()
    book.save(file)
    path = tmp_path / "p.xlsx"
    path.write_bytes(with_value(file.getvalue(), b"<v>0.9</v>", b"<f>1-B4</f><v>0.9</v>"))
    assert xentcli.score(path, label="y").cost == pytest.approx(-np.log([0.7, 0.8, 0.9]).mean(), rel=1e-15)


def with_value(data: bytes, old: bytes, new: bytes) -> bytes:
    """A workbook with a part of its first sheet replaced."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(file, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                assert old in text
                text = text.replace(old, new)
            target.writestr(name, text)
    return file.getvalue()


def test_a_wrong_size_in_a_sheet_leaves_no_row_out(tmp_path: Path) -> None:
    path = tmp_path / "p.xlsx"
    path.write_bytes(with_value(workbook(ROWS), b'<dimension ref="A1:C4"', b'<dimension ref="A1:C2"'))
    assert xentcli.score(path, label="y").examples.read == 3


def test_a_hidden_sheet_is_read_where_it_is_named(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(P=ROWS, Q=[["a", "b", "y"], [0.5, 0.5, "a"]])))
    book["Q"].sheet_state = "hidden"
    path = tmp_path / "p.xlsx"
    book.save(path)
    assert xentcli.score(path, label="y").examples.read == 3
    assert xentcli.score(f"{path}#Q", label="y").examples.read == 1


@pytest.mark.parametrize("first", ["run.xlsx", "run.xlsx#T"])
@pytest.mark.parametrize("second", ["run.xlsx#T", "./run.xlsx#T", "link.xlsx#T", "link.xlsx"])
def test_one_sheet_for_both_inputs_is_refused_however_it_is_written(
    first: str, second: str, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.xlsx").write_bytes(workbook(T=ROWS))
    os.link("run.xlsx", "link.xlsx")
    done = call("score", first, second, "--label", "y")
    assert (done.code, done.out) == (2, "")
    assert "predictions and labels are the same" in done.err
    assert call("score", first, "--label", "y", "-q").code == 0


@pytest.mark.parametrize("second", ["p.sav#codes", "./p.sav#codes"])
def test_the_codes_and_the_labels_of_a_file_are_one_table(second: str, tmp_path: Path, call: Call) -> None:
    (tmp_path / "p.sav").write_bytes(spss(CODED, y={1: "b", 2: "a"}))
    done = call("score", str(tmp_path / "p.sav"), str(tmp_path / second), "--label", "y")
    assert done.code == 2
    assert "predictions and labels are the same file" in done.err


@pytest.mark.parametrize("option", ["-o", "--per-example", "--append"])
def test_a_workbook_of_which_a_sheet_is_read_is_not_written(option: str, tmp_path: Path, call: Call) -> None:
    path = tmp_path / "run.xlsx"
    path.write_bytes(before := workbook(P=[row[:2] for row in ROWS], L=[row[2:] for row in ROWS]))
    done = call("score", f"{path}#P", f"{path}#L", option, str(path))
    assert (done.code, path.read_bytes()) == (2, before)


def test_a_member_of_an_archive_is_named_by_options(tmp_path: Path, call: Call) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, a=[[0.7, 0.3], [0.2, 0.8]], b=[0, 1])
    done = call("score", f"{path}#a", f"{path}#b")
    assert done.code == 3
    assert "--preds a or --label a chooses a member" in done.err
    assert call("score", str(path), "--preds", "a", "--label", "b", "-q").code == 0


@pytest.mark.parametrize("version", [5, 8])
def test_a_transport_file_cut_between_records_is_refused_wherever_that_shows(version: int, tmp_path: Path) -> None:
    path, data = tmp_path / "p.xpt", xport(TABLE[:60], version)
    path.write_bytes(data)
    assert xentcli.score(path, label="y").examples.read == 59
    # A row has three doubles and a text of three bytes: it ends with a record every 27 records.
    for records in range(1, 59 * 27 // 80):
        path.write_bytes(data[: -80 * records])
        with pytest.raises(DataError, match="complete"):
            xentcli.score(path, label="y")
