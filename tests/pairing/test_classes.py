"""--classes: how a file of class names is read, and when labels are positions beside given names."""

from __future__ import annotations

import gzip
import math
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import Call, Run, Write, posix_only
from tests.inputs import make
from xentcli import score
from xentcli.errors import DataError, FileError, UsageError, XentError

PETS = ("cat", "dog", "emu")


def refusal(error: type[XentError], *files: Any, **options: Any) -> str:
    """Score what must be refused; return the message with its advice."""
    with pytest.raises(error) as caught:
        score(*files, **options)
    return str(caught.value)


CLASS_FILES: dict[str, tuple[str | bytes, str, int | None]] = {
    "two columns": ("2,emu\n0,cat\n1,dog\n", "2 columns where one column of class names was expected", 1),
    "two columns, tabs": ("2\temu\n0\tcat\n1\tdog\n", "2 columns where one column of class names was expected", 1),
    "two delimiters": ("2,emu;\n0,cat;\n1,dog;\n", "a comma, semicolon or tab must be in double quotes", 1),
    "a name with a comma": ("cat\ndog, big\nemu\n", "2 fields where 1 was expected", 2),
    "an unclosed quote": ('cat\n"dog\nemu\n', "a quote that is never closed", 2),
    "a blank line": ("cat\n\nemu\n", "a blank line", 2),
    "an empty name": ('cat\n""\nemu\n', "a class name is expected on every line", 2),
    "nothing": ("", "a class name is expected on every line", None),
    "a name twice": ("cat\ndog\ncat\n", "class name 'cat' appears twice", 3),
    "a NUL": ("cat\nd\0g\nemu\n", "NUL", 2),
    "UTF-16": ("cat\ndog\nemu\n".encode("utf-16"), "UTF-16", None),
    "a header": ("name\ncat\ndog\nemu\n", "a file of class names has no header; is 'name' one?", None),
}


@pytest.mark.parametrize("what", CLASS_FILES)
def test_a_file_of_class_names_is_read_as_strictly_as_any_other(what: str, write: Write) -> None:
    content, says, line = CLASS_FILES[what]
    with pytest.raises(DataError) as caught:
        score(np.full((2, 3), 1 / 3), [0, 2], classes="@" + write("names.txt", content))
    assert says in str(caught.value)
    assert caught.value.place is not None and caught.value.place.line == line


@pytest.mark.parametrize("name", ["names.txt.gz", "names.npy", "names.parquet", "names.jsonl"])
def test_a_file_of_class_names_may_have_any_format(name: str, write: Write) -> None:
    contents: dict[str, str | bytes] = {
        "names.txt.gz": gzip.compress(b"cat\ndog\nemu\n"),
        "names.npy": make.npy(np.array(PETS)),
        "names.parquet": make.table(name=list(PETS)),
        "names.jsonl": make.lines(*({"name": name} for name in PETS)),
    }
    report = score(np.full((1, 3), 1 / 3), ["dog"], classes="@" + write(name, contents[name]))
    assert (report.classes, report.labels.counts) == (PETS, (0, 1, 0))


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        ("cat\n" * 9, {"max_field": 1 << 24}, "class name 'cat' appears twice"),
        ("c" * 2000 + "\n", {"max_field": 1000}, "--max-field N"),
        ("".join(f"c{i}\n" for i in range(2000)), {"max_columns": 1000}, "--max-columns N"),
        ((b"", b"c", 40_000_000), {}, "--max-field N"),
        ((b"", b"cat\n", 10_000_000), {}, "--max-field N"),
        ((b"cat\n", b"\n", 40_000_000), {}, "--max-field N"),
    ],
)
def test_a_file_of_class_names_has_the_limits_of_any_other(
    content: str | tuple[bytes, bytes, int], options: dict[str, Any], says: str, write: Write
) -> None:
    """A text, or the beginning of one that is compressed and what it repeats how often."""
    if isinstance(content, str):
        path = write("names.txt", content)
    else:
        begin, repeated, times = content
        path = write("names.txt.gz", gzip.compress(begin + repeated * times, 1))
    error = DataError if "twice" in says else FileError
    assert says in refusal(error, np.full((1, 3), 1 / 3), [0], classes=f"@{path}", **options)


@posix_only
@pytest.mark.parametrize("line", ["cat", ""])
def test_a_pipe_of_class_names_without_end_is_refused(line: str, xent: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "q.npy", np.full((1, 3), 1 / 3))
    np.save(tmp_path / "y.npy", [0])
    os.mkfifo(tmp_path / "names")
    with subprocess.Popen(f"yes '{line}' > names", shell=True, cwd=tmp_path, stderr=subprocess.DEVNULL):
        done = xent("score", "q.npy", "y.npy", "--classes", "@names")
    assert done.returncode == 4
    assert "--max-field N" in done.stderr


def test_a_name_given_twice_among_many_is_found_at_once(write: Write) -> None:
    names = [f"class {i}" for i in range(50_000)]
    message = refusal(DataError, np.eye(3), [0, 1, 2], classes="@" + write("c.txt", "\n".join([*names, "class 7"])))
    assert "row 50,001 (line 50,001): class name 'class 7' appears twice" in message
    assert "'class 7' twice" in refusal(UsageError, np.eye(3), [0, 1, 2], classes=[*names, "class 7"])


THREE_ROWS = np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7], [0.1, 0.8, 0.1]])


@pytest.mark.parametrize("content", ["2\n0\n1\n", '"2"\n"0"\n"1"\n', '"2"\r\n0\r\n"1"', "2.0\n0.0\n1.0\n"])
def test_class_names_that_are_the_labels_match_by_name(content: str, write: Write) -> None:
    report = score(THREE_ROWS, [2, 1, 0], classes="@" + write("names.txt", content))
    assert report.labels.matched in ("name", "prefix")
    assert report.cost == pytest.approx(-(math.log(0.7) + math.log(0.7) + math.log(0.8)) / 3, rel=1e-15)


@pytest.mark.parametrize(
    "classes",
    [
        ["2", "0", "5"],
        ["cat", "1", "dog"],
        ["2 emu", "0 cat", "1 dog"],
        ["emu (2)", "cat (0)", "dog (1)"],
        ["'2'", '"0"', "'1'"],
        ["1", "2", "3"],
        ["2: emu", "0: cat", "1: dog"],
    ],
)
def test_class_names_that_seem_to_mean_the_labels_are_not_passed_over_for_positions(
    classes: list[str], write: Write
) -> None:
    quoted = "".join('"' + name.replace('"', '""') + '"\n' for name in classes)
    for given in (classes, "@" + write("names.txt", quoted)):
        message = refusal(DataError, THREE_ROWS, [0, 2, 1], classes=given)
        assert "is not a class" in message
        # The advice leads to positions.
        report = score(THREE_ROWS, [0, 2, 1], classes=given, index_base=0)
        assert report.labels.matched == "index"
        assert report.cost == pytest.approx(-(math.log(0.7) + math.log(0.7) + math.log(0.8)) / 3, rel=1e-15)


@pytest.mark.parametrize(
    "classes",
    [
        ["cat", "dog", "emu"],
        ["0 cat", "1 dog", "2 emu"],
        ["cat (0)", "dog (1)", "emu (2)"],
        ["cat", "7 of 9", "emu"],
        ["p2", "q0", "r1"],
        ["0.5 mg", "1.5 mg", "0.25 mg"],
    ],
)
def test_class_names_that_cannot_mean_the_labels_are_positions(classes: list[str]) -> None:
    report = score(THREE_ROWS, [0, 2, 1], classes=classes)
    assert (report.labels.matched, report.classes) == ("index", tuple(classes))


@pytest.mark.parametrize(
    ("classes", "labels"), [(["1", "0"], [0.3, 0.7]), (["yes 1", "no 0"], [0, 1]), (["1", "2"], [0, 1])]
)
def test_two_class_names_of_one_column_are_not_passed_over_either(classes: list[str], labels: list[float]) -> None:
    assert "is not a class" in refusal(DataError, [0.3, 0.4], labels, classes=classes)
    assert score([0.3, 0.4], labels, classes=["no", "yes"]).cost == score([0.3, 0.4], labels).cost


ORDERED = "cat,dog,emu\n0.7,0.2,0.1\n0.1,0.8,0.1\n"


def test_names_in_any_order_are_a_schema_of_named_columns(call: Call, write: Write) -> None:
    preds, labels = write("p.csv", ORDERED), write("l.csv", "y\ncat\ndog\n")
    cost = call("score", preds, labels, "-q").out
    assert call("score", preds, labels, "--classes", "emu,cat,dog", "-q").out == cost
    done = call("score", preds, write("n.csv", "y\n0\n1\n"), "--classes", "emu,cat,dog")
    assert (done.code, done.out) == (3, "") and "another order" in done.err


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("emu,cat,fox", ["2 of 3 names", "no column: fox", "not in --classes: dog"]),
        ("emu,cat,dog,fox", ["4 names", "3 prediction columns", "no column: fox"]),
        ("emu,cat", ["2 names", "3 prediction columns", "not in --classes: dog"]),
    ],
)
def test_names_that_are_some_of_the_columns_are_refused_with_what_differs(
    call: Call, write: Write, given: str, words: list[str]
) -> None:
    done = call("score", write("p.csv", ORDERED), write("l.csv", "y\ncat\ndog\n"), "--classes", given)
    assert (done.code, done.out) == (3, "")
    assert all(word in done.err for word in words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("70,20,10\n10,180,10\n", ["row 2", "column dog", "1.8 is not", "in the file: 180", "--scale 0.01"]),
        ("70,20,15\n10,80,10\n", ["row 1", "sums to 1.05", "in the file: row sum 105"]),
    ],
)
def test_a_scaled_value_that_is_refused_is_named_as_the_file_has_it(
    call: Call, write: Write, text: str, words: list[str]
) -> None:
    done = call("score", write("p.csv", f"cat,dog,emu\n{text}"), write("l.csv", "y\ncat\ndog\n"), "--scale", "0.01")
    assert (done.code, done.out) == (3, "")
    assert all(word in done.err for word in words)


@pytest.mark.parametrize("renamed", ["emo", "Emu bird"])
def test_a_renamed_class_column_blames_the_predictions_and_shows_both_lists(
    call: Call, write: Write, renamed: str
) -> None:
    write("p.csv", f"cat,dog,{renamed}\n0.2,0.3,0.5\n0.5,0.3,0.2\n0.1,0.8,0.1\n")
    write("l.csv", "y\ncat\nemu\ndog\n")
    done = call("score", "p.csv", "l.csv")
    assert done.code == 3
    assert done.err.startswith("xent: p.csv: no column is called emu, as labels are")
    assert f"columns: cat, dog, {renamed}" in done.err
    assert "labels: cat, emu, dog; emu is first in l.csv, row 2 (line 3), column y" in done.err
    assert "--ignore-label" not in done.err


def test_a_renamed_column_is_found_less_a_shared_prefix(call: Call, write: Write) -> None:
    write("p.csv", "p_cat,p_dog,p_bird\n0.2,0.5,0.3\n0.1,0.8,0.1\n0.6,0.2,0.2\n")
    write("y.csv", "label\ncat\ndog\nemu\n")
    done = call("score", "p.csv", "y.csv")
    assert done.code == 3
    assert done.err.startswith("xent: p.csv: no column is called emu, as labels are")
    assert "no label is p_bird" in done.err


def test_a_class_without_a_column_is_no_renamed_column(call: Call, write: Write) -> None:
    write("p.csv", "cat,dog\n0.2,0.8\n0.5,0.5\n0.1,0.9\n")
    write("l.csv", "y\ncat\nemu\ndog\n")
    done = call("score", "p.csv", "l.csv")
    assert done.code == 3
    assert "--ignore-label emu" in done.err
