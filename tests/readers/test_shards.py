"""Several files as one table: a folder or a glob on either side."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Run
from tests.laws import settings
from xentcli import score
from xentcli.errors import DataError, FileError
from xentcli.readers import open_source
from xentcli.readers.shards import Shards, files_of
from xentcli.report.report import Report

ROWS = (3, 1, 4)


def table(rows: int, seed: int) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    return random.dirichlet(np.ones(3), rows), random.integers(0, 3, rows)


def csv_of(array: Any, header: str | None) -> str:
    lines = [",".join(map(repr, row)) for row in np.atleast_2d(array.T).T.tolist()]
    return "\n".join([*([header] if header else []), *lines]) + "\n"


def write_shards(folder: Path, form: str = "csv", header: bool = True, rows: tuple[int, ...] = ROWS) -> Path:
    for side in ("p", "l"):
        (folder / side).mkdir()
    for number, count in enumerate(rows, start=9):
        preds, labels = table(count, number)
        if form == "npy":
            np.save(folder / f"p/preds-{number}.npy", preds)
            np.save(folder / f"l/labels-{number:03d}.npy", labels)
        else:
            (folder / f"p/preds-{number}.csv").write_text(csv_of(preds, "a,b,c" if header else None))
            (folder / f"l/labels-{number:03d}.csv").write_text(csv_of(labels, "label" if header else None))
    return folder


def whole(rows: tuple[int, ...] = ROWS) -> Report:
    tables = [table(count, number) for number, count in enumerate(rows, start=9)]
    return score(np.concatenate([p for p, _ in tables]), np.concatenate([labels for _, labels in tables]))


def figures(report: Report) -> dict[str, Any]:
    plain = report.to_dict()
    return {name: plain[name] for name in plain if name not in ("inputs", "options", "classes", "warnings", "labels")}


@pytest.mark.parametrize("form", ["csv", "npy"])
@pytest.mark.parametrize("as_glob", [False, True])
def test_shards_score_as_one_table(form: str, as_glob: bool, tmp_path: Path) -> None:
    folder = write_shards(tmp_path, form)
    preds, labels = [str(folder / side / f"*.{form}") if as_glob else str(folder / side) for side in ("p", "l")]
    report = score(preds, labels)
    assert figures(report) == figures(whole())
    assert [given.files for given in report.inputs] == [3, 3]
    assert [given.rows for given in report.inputs] == [8, 8]


@pytest.mark.parametrize("header", [True, False])
def test_each_file_has_its_header_or_none_has(header: bool, tmp_path: Path) -> None:
    folder = write_shards(tmp_path, header=header)
    assert figures(score(folder / "p", folder / "l")) == figures(whole())


@given(rows=st.lists(st.integers(1, 5), min_size=1, max_size=12), block=st.sampled_from([1, 60, 1 << 20]))
@settings(deadline=None, max_examples=20)
def test_any_cut_into_files_gives_the_same_figures(
    rows: list[int], block: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = write_shards(tmp_path_factory.mktemp("shards"), "npy", rows=tuple(rows))
    report = score(str(folder / "p"), str(folder / "l"), block_bytes=block)
    assert figures(report) == figures(whole(tuple(rows)))


def test_one_side_may_be_one_file(tmp_path: Path) -> None:
    folder = write_shards(tmp_path)
    labels = np.concatenate([table(count, number)[1] for number, count in enumerate(ROWS, start=9)])
    np.save(folder / "all.npy", labels)
    assert figures(score(folder / "p", folder / "all.npy")) == figures(whole())


@pytest.mark.parametrize("one_file", [False, True])
@pytest.mark.parametrize("dtypes", list(itertools.permutations(("i8", "u8", "f4", "?", "U1", "S1"), 2)))
def test_labels_of_two_dtypes_are_one_column(dtypes: tuple[str, str], one_file: bool, tmp_path: Path) -> None:
    preds, labels = np.array([[0.5, 0.5], [0.2, 0.8]] * 2), [0, 1, 1, 0]
    for side in ("p", "l"):
        (tmp_path / side).mkdir()
    for number, dtype in enumerate(dtypes):
        np.save(tmp_path / f"p/{number}.npy", preds[2 * number : 2 * number + 2])
        mine = np.array(labels[2 * number : 2 * number + 2])
        np.save(tmp_path / f"l/{number}.npy", mine.astype(np.float32 if dtype == "f4" else dtype))
    np.save(tmp_path / "p.npy", preds)
    report = score(tmp_path / ("p.npy" if one_file else "p"), tmp_path / "l")
    assert report.cost == score(preds, np.array(labels)).cost


@pytest.mark.parametrize("text", ["", "0.5"])
def test_a_later_shard_of_text_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    np.save(tmp_path / "p/0.npy", np.array([[0.5, 0.5]] * 2))
    np.save(tmp_path / "p/1.npy", np.array([[text, "0.5"]] * 2))
    with pytest.raises(DataError, match=r"p/1\.npy: an array of text where numbers are expected"):
        score(tmp_path / "p", np.array([0, 1, 1, 0]))


def test_sequences_in_shards_are_flattened(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for number in (1, 2):
        np.save(tmp_path / f"z{number}.npy", random.normal(size=(number, 4, 3)))
        np.save(tmp_path / f"y{number}.npy", random.integers(0, 3, (number, 4)))
    z = np.concatenate([np.load(tmp_path / f"z{n}.npy") for n in (1, 2)])
    y = np.concatenate([np.load(tmp_path / f"y{n}.npy") for n in (1, 2)])
    report = score(tmp_path / "z*.npy", tmp_path / "y*.npy", kind="logits")
    assert report.cost == score(z.reshape(-1, 3), y.ravel(), kind="logits").cost


def test_ids_match_across_shards_in_any_order(tmp_path: Path) -> None:
    for number, text in enumerate(["id,a,b\nu,0.5,0.5\nv,0.25,0.75\n", "id,a,b\nw,1,0\n"]):
        (tmp_path / f"p{number}.csv").write_text(text)
    for number, text in enumerate(["id,truth\nw,a\n", "id,truth\nv,b\n", "id,truth\nu,a\n"]):
        (tmp_path / f"l-{number}.csv").write_text(text)
    report = score(tmp_path / "p*.csv", tmp_path / "l-*.csv", id="id", label="truth")
    assert report.total == pytest.approx(np.log(2) - np.log(0.75))


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        (("p10.csv", "p9.csv", "p1.csv"), ("p1.csv", "p9.csv", "p10.csv")),
        (("run2/p.csv", "run10/p.csv"), ("run2/p.csv", "run10/p.csv")),
        (("f1-s10.csv", "f1-s2.csv", "f0-s3.csv"), ("f0-s3.csv", "f1-s2.csv", "f1-s10.csv")),
        (("dog.csv", "cat.csv"), ("cat.csv", "dog.csv")),
        (("a1.csv", "b.csv", "2c.csv"), ("2c.csv", "a1.csv", "b.csv")),
    ],
)
def test_numbers_in_names_are_numbers(names: tuple[str, ...], ordered: tuple[str, ...], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert tuple(files_of(str(tmp_path / "**/*.csv")) or ()) == tuple(str(tmp_path / name) for name in ordered)


def test_marks_of_other_tools_are_left_out(tmp_path: Path) -> None:
    folder = write_shards(tmp_path)
    (folder / "p/_SUCCESS").touch()
    (folder / "p/.preds-9.csv.crc").touch()
    assert figures(score(folder / "p", folder / "l")) == figures(whole())


def spoiled(folder: Path, how: str) -> None:
    if how == "missing":
        (folder / "l/labels-010.csv").unlink()
    elif how == "shifted":  # the row counts agree in all, not file by file
        for name, more in (("010", ""), ("011", "1\n")):
            path = folder / f"l/labels-{name}.csv"
            path.write_text("label\n" + more + "\n".join(path.read_text().split()[2 if not more else 1 :]) + "\n")
    elif how == "empty":
        (folder / "p/preds-10.csv").write_text("")
    elif how == "wide":
        (folder / "p/preds-10.csv").write_text("a,b,c,d\n0.25,0.25,0.25,0.25\n")
    elif how == "renamed":
        (folder / "p/preds-10.csv").write_text("a,c,b\n0.5,0.25,0.25\n")
    elif how == "headless":
        (folder / "p/preds-10.csv").write_text("0.5,0.25,0.25\n")
    elif how == "number":
        (folder / "p/preds-11.csv").write_text("a,b,c\n0.5,0.25,0.25\n0.5,x,0.25\n")
    elif how == "twice":
        (folder / "p/preds-09.csv").write_text("a,b,c\n0.5,0.25,0.25\n")
    elif how == "folder":
        (folder / "p/preds-12").mkdir()


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("missing", ("preds-10.csv: no file of", "has 3 files", "has 2 files")),
        ("shifted", ("preds-10.csv has 1 and", "labels-010.csv has 0")),
        ("empty", ("preds-10.csv: the file is empty",)),
        ("wide", ("preds-10.csv: 4 columns, and", "preds-9.csv has 3")),
        ("renamed", ("preds-10.csv: a column 'c' where", "preds-9.csv has 'b'")),
        ("headless", ("preds-10.csv: a column '0.5' where", "has 'a'")),
        ("number", ("preds-11.csv, row 6 (line 3), column b: 'x' is not a number",)),
        ("twice", ("which comes first?",)),
        ("folder", ("preds-12: is a folder",)),
    ],
)
def test_shards_that_do_not_go_together_are_refused(how: str, expected: tuple[str, ...], tmp_path: Path) -> None:
    folder = write_shards(tmp_path)
    spoiled(folder, how)
    with pytest.raises((DataError, FileError)) as caught:
        score(folder / "p", folder / "l")
    for part in expected:
        assert part in str(caught.value)


@pytest.mark.parametrize("text", ["", "a,b,c\n0.5,0.25,0.25\n", "a,c\n0.5,0.5\n"])
def test_a_shard_that_does_not_go_with_the_others_is_refused_though_the_rows_before_it_are_enough(
    text: str, tmp_path: Path
) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p/1.csv").write_text("a,b\n0.5,0.5\n0.25,0.75\n")
    (tmp_path / "p/2.csv").write_text(text)
    (tmp_path / "l.csv").write_text("label\na\nb\n")
    with pytest.raises(DataError, match=r"p/2\.csv: "):
        score(tmp_path / "p", tmp_path / "l.csv")


def test_an_error_in_labels_that_cross_files_names_its_own_file(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.full((3, 2), 0.5))
    (tmp_path / "l1.csv").write_text("label\na\nb\n")
    (tmp_path / "l2.csv").write_text("label\nemu\n")
    with pytest.raises(DataError, match=r"l2.csv, row 3 \(line 2\), column label: 'emu'"):
        score(tmp_path / "p.npy", tmp_path / "l*.csv", classes="a,b")


@pytest.mark.parametrize("first", ["csv", "parquet"])
def test_text_beside_another_format_is_refused(first: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"p": [0.5], "label": [1]})
    for number, form in enumerate(["csv", "parquet"] if first == "csv" else ["parquet", "csv"]):
        path = tmp_path / f"run-{number}.{form}"
        frame.to_csv(path, index=False) if form == "csv" else frame.to_parquet(path)
    with pytest.raises(DataError, match="its format is") as caught:
        score(str(tmp_path), label="label")
    assert "run-1" in str(caught.value)


def test_a_glob_of_nothing_and_an_empty_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no file matches"):
        open_source(str(tmp_path / "*.csv"), name="predictions")
    with pytest.raises(FileError, match="there is no file in it"):
        open_source(str(tmp_path), name="predictions")


def test_a_file_that_is_called_like_a_glob_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "p[1].csv").write_text("a,b\n0.5,0.5\n")
    assert not isinstance(open_source(str(tmp_path / "p[1].csv"), name="predictions"), Shards)


def test_a_shard_that_changes_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    folder = write_shards(tmp_path, "npy")
    source = open_source(str(folder / "p"), name="predictions")
    parts = list(source.parts())
    np.save(folder / "p/preds-10.npy", np.full((1, 3), 0.5, np.float32))
    assert len(parts) == 3
    with pytest.raises(DataError, match=r"preds-10.npy: the file changed"):
        source.check_unchanged()


def test_a_glob_that_the_shell_spread_out_is_told(xent: Run, tmp_path: Path) -> None:
    write_shards(tmp_path)
    files = [str(path) for path in sorted((tmp_path / "p").iterdir())]
    done = xent("score", *files, str(tmp_path / "l"))
    assert done.returncode == 2
    assert "quote the glob" in done.stderr


@pytest.mark.parametrize("target", ["p/report.json", "p/preds-12.csv"])
def test_no_report_goes_among_the_shards(target: str, xent: Run, tmp_path: Path) -> None:
    write_shards(tmp_path)
    for preds in ("p", "p/*"):
        done = xent("score", preds, "l", "-o", target, cwd=tmp_path)
        assert done.returncode == 2
        assert "one of the files that are read" in done.stderr


def test_the_screen_says_how_many_files(xent: Run, tmp_path: Path) -> None:
    write_shards(tmp_path)
    done = xent("score", "p", "l", cwd=tmp_path)
    assert "scored     p: 3 files, 8 of 8 rows" in done.stdout
    assert json.loads(xent("score", "p", "l", "--format", "json", cwd=tmp_path).stdout)["inputs"][1]["files"] == 3


def test_they_have_only_what_is_true_of_all_files(tmp_path: Path) -> None:
    """What is found by asking for an attribute (the members of an archive, its rows, its bytes) is of one file."""
    for number in (1, 2):
        np.savez(tmp_path / f"p{number}.npz", p=np.full((3, 2), 0.5), y=np.zeros(3))
    found = open_source(str(tmp_path / "p*.npz"), name="predictions")
    names = ("of_members", "stream", "rows", "dialect", "members", "index")
    assert [name for name in names if hasattr(found, name)] == []
    assert (found.format, found.width, found.lines()) == ("npz", 3, 6)
