"""What is too large is refused with 4 and the option that allows more."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import math
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow.feather import write_feather

from tests.conftest import Run, Write
from tests.inputs.make import npy, npz
from xentcli import score
from xentcli.errors import FileError, UsageError
from xentcli.settings import Settings


def feather(compression: str, chunk: int) -> bytes:
    """A thousand rows of an Arrow file in record batches of `chunk`, with a dictionary of 11 kB."""
    texts = pa.array([f"{n:011d}" for n in range(1000)]).dictionary_encode()
    columns = {"a": np.full(1000, 0.25), "b": np.full(1000, 0.75), "text": texts}
    file = io.BytesIO()
    write_feather(pa.table(columns), file, compression=compression, chunksize=chunk)
    return file.getvalue()


PREDS = "a,b\n" + "0.25,0.75\n" * 1000
LABELS = "label\n" + "a\n" * 1000


LARGE: dict[str, tuple[str, Callable[[], bytes], dict[str, Any]]] = {
    "columns of text": ("p.csv", lambda: b"a,b,c\n0.5,0.25,0.25\n", {"max_columns": 2}),
    "columns of an array": ("p.npy", lambda: npy(np.full((2, 3), 1 / 3)), {"max_columns": 2}),
    "columns of an archive": ("p.npz", lambda: npz(True, probs=np.full((2, 3), 1 / 3)), {"max_columns": 2}),
    "columns of lines": ("p.jsonl", lambda: b'{"probs": [0.5, 0.25, 0.25]}\n' * 2, {"max_columns": 2}),
    "a field": ("p.csv", lambda: b"a,b\n0.25,0.750000000000\n", {"max_field": 10}),
    "a name": ("p.csv", lambda: b"a,bbbbbbbbbbb\n0.25,0.75\n", {"max_field": 10}),
    "gzip": ("p.csv.gz", lambda: gzip.compress(PREDS.encode()), {"max_inflated": 10_000}),
    "bzip2": ("p.csv.bz2", lambda: bz2.compress(PREDS.encode()), {"max_inflated": 10_000}),
    "xz": ("p.csv.xz", lambda: lzma.compress(PREDS.encode()), {"max_inflated": 10_000}),
    "a member": ("p.npz", lambda: npz(True, probs=np.full((1000, 2), 0.5)), {"max_inflated": 10_000}),
    "a record batch": ("p.feather", lambda: feather("uncompressed", 1000), {"max_batch": 10_000}),
    "a record batch, lz4": ("p.feather", lambda: feather("lz4", 1000), {"max_batch": 10_000}),
    "a record batch, zstd": ("p.feather", lambda: feather("zstd", 1000), {"max_batch": 10_000}),
    "a dictionary": ("p.feather", lambda: feather("zstd", 10), {"max_batch": 10_000}),
    "groups": ("p.csv", lambda: b"a,b,g\n0.5,0.5,x\n0.5,0.5,y\n", {"max_groups": 1, "by": "g"}),
}


@pytest.mark.parametrize("name", LARGE)
def test_what_exceeds_a_limit_is_4_and_names_the_option(name: str, write: Write) -> None:
    file, data, limit = LARGE[name]
    option = next(iter(limit))
    path = write(file, data())
    with pytest.raises(FileError) as caught:
        score(path, write("y.csv", LABELS if "csv.gz" in file else "label\n" + "0\n" * 2), **limit)
    assert caught.value.exit_code == 4
    assert f"--{option.replace('_', '-')}" in str(caught.value)


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_a_file_of_a_large_batch_is_scored_as_its_advice_says(
    compression: str, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = io.BytesIO()
    columns = {"a": np.full(200_000, 0.25), "b": np.full(200_000, 0.75)}
    write_feather(pa.table(columns), file, compression=compression, chunksize=200_000)
    path, labels = write("p.feather", file.getvalue()), write("y.csv", "label\n" + "a\n" * 200_000)
    with pytest.raises(FileError) as caught:
        score(path, labels, max_batch=3_000_000)
    assert "3,200,000 bytes; at most 3,000,000" in caught.value.message
    _, command = caught.value.advice
    exec(f"import pyarrow.feather; {command}")  # advice is followed to the letter
    assert score("rebatched.feather", labels, max_batch=3_000_000).cost == math.log(4)
    assert score(path, labels, max_batch=3_200_000).cost == math.log(4)


@pytest.mark.parametrize("name", [name for name, (_, _, limit) in LARGE.items() if "max_inflated" in limit])
def test_a_larger_limit_lets_it_through(name: str, write: Write) -> None:
    file, data, _ = LARGE[name]
    labels = LABELS if "csv" in file else "label\n" + "0\n" * 1000
    report = score(write(file, data()), write("y.csv", labels), max_inflated=1 << 20)
    assert report.examples.scored == 1000


def test_a_row_may_be_as_long_as_its_fields_may_be(write: Write) -> None:
    name = "x" * ((1 << 26) + 1)
    path = write("p.csv", f"a,b,{name}\n0.25,0.75,{name}\n")
    labels = write("y.csv", "label\na\n")
    with pytest.raises(FileError, match="a row is longer") as caught:
        score(path, labels, preds="a,b")
    assert "--max-field N" in str(caught.value)
    assert score(path, labels, preds="a,b", max_field=1 << 27).accuracy == 0


def given(option: str, value: object) -> dict[str, Any]:
    return {option: value}


@pytest.mark.parametrize("option", ["max_columns", "max_field", "max_inflated", "max_batch", "max_groups"])
def test_a_limit_is_a_number_from_1_up(option: str) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        score([[0.5, 0.5]], [0], Settings(**given(option, 0)))
    with pytest.raises(UsageError, match="is a whole number"):
        score([[0.5, 0.5]], [0], Settings(**given(option, "many")))


def test_a_bomb_is_refused_while_it_inflates(xent: Run, tmp_path: Path) -> None:
    head = b"a,b\n"
    with gzip.open(tmp_path / "bomb.csv.gz", "wb", 9) as file:
        file.write(head)
        for _ in range(64):
            file.write(b"0.25,0.75\n" * 100_000)
    assert (tmp_path / "bomb.csv.gz").stat().st_size < 200_000
    with subprocess.Popen(["cat", str(tmp_path / "bomb.csv.gz")], stdout=subprocess.PIPE) as cat:
        assert cat.stdout is not None
        # Without labels, which would end sooner.
        args = ("--kind", "true-probs", "--preds", "a", "--max-inflated", "1000000")
        done = xent("score", "-", *args, input=cat.stdout.read())
    assert done.returncode == 4
    assert done.stderr == (
        "xent: standard input: it inflates to more than 1,000,000 bytes\n      --max-inflated BYTES allows more\n"
    )
