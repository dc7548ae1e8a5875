"""Damaged Arrow, Feather and Parquet files: scored or refused, never an internal error."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest

from tests.laws import LONG
from xentcli import score
from xentcli.errors import DataError, XentError

PLAIN = pa.table({"a": [0.75, 0.25, 1.0], "b": [0.25, 0.75, 0.0], "y": ["a", "b", "a"]})
NESTED = pa.table(
    {
        "p": pa.array([[0.75, 0.25], [0.25, 0.75], [1.0, 0.0]]),
        "y": pa.array(["0", "1", "0"]).dictionary_encode(),
        "s": pa.array([{"u": 1.0}] * 3),
    }
)


def arrow(table: pa.Table, compression: str) -> bytes:
    file = io.BytesIO()
    feather.write_feather(table, file, compression=compression)
    return file.getvalue()


def parquet_file(table: pa.Table, compression: str) -> bytes:
    file = io.BytesIO()
    parquet.write_table(table, file, compression=compression)
    return file.getvalue()


@pytest.mark.parametrize("table", [PLAIN, NESTED], ids=["plain", "nested"])
@pytest.mark.parametrize(
    ("write", "compression", "step"),
    [
        (arrow, "uncompressed", 1 if LONG else 5),
        (arrow, "lz4", 5 if LONG else 9),
        (parquet_file, "none", 5 if LONG else 9),
        (parquet_file, "snappy", 5 if LONG else 9),
    ],
    ids=["arrow", "arrow-lz4", "parquet", "parquet-snappy"],
)
def test_a_byte_changed_anywhere_is_refused_or_scored(
    write: Callable[[Any, str], bytes], compression: str, step: int, table: pa.Table, tmp_path: Path
) -> None:
    data = write(table, compression)
    path = tmp_path / "p"
    options: dict[str, Any] = {"label": "y", "threads": 1, "input_format": write.__name__.removesuffix("_file")}
    if table is NESTED:
        options["preds"] = "p"
    path.write_bytes(data)
    assert score(path, **options).cost == pytest.approx(-2 / 3 * np.log(0.75))
    codes: Counter[int] = Counter()
    for at in range(0, len(data), step):
        # One bit of each byte, another in each, and all bits.
        for mask in (1 << at % 8, 0xFF):
            path.write_bytes(data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :])
            try:
                score(path, **options)
                codes[0] += 1
            except XentError as error:
                codes[error.exit_code] += 1
    assert codes.keys() <= {0, 3, 4, 5}
    assert codes[0] and codes[3]


EMPTY = pa.array([{}, {}], type=pa.struct([]))
TWICE = pa.StructArray.from_arrays([pa.array([0.5, 0.5])] * 2, names=["u", "u"])


@pytest.mark.parametrize("kind", ["empty", "beside no number", "no rows"])
@pytest.mark.parametrize(
    "options",
    [
        {"label": "y"},
        {"label": "y", "preds": "s"},
        {"label": "s"},
        {"label": "s", "preds": "y"},
        {"label": "y", "weights": "s"},
    ],
    ids=str,
)
def test_a_struct_without_fields_is_no_number_and_no_label(kind: str, options: dict[str, Any], tmp_path: Path) -> None:
    columns = {"a": [0.5, 0.25], "b": [0.5, 0.75], "y": ["a", "b"], "s": EMPTY}
    if kind == "beside no number":
        columns = {"y": ["a", "b"], "s": EMPTY}
    table = pa.table(columns)
    feather.write_feather(table[:0] if kind == "no rows" else table, tmp_path / "p.arrow")
    if (kind, options) == ("empty", {"label": "y"}):
        # The other columns are the classes of the labels.
        assert score(tmp_path / "p.arrow", **options).inputs[0].unused == ("s",)
        return
    with pytest.raises(XentError) as caught:
        score(tmp_path / "p.arrow", **options)
    assert caught.value.exit_code in (3, 5)


def test_a_struct_without_fields_does_not_stand_in_the_way_of_columns_that_are_named(tmp_path: Path) -> None:
    feather.write_feather(
        pa.table({"a": [0.5, 0.25], "b": [0.5, 0.75], "y": ["a", "b"], "s": EMPTY}), tmp_path / "p.arrow"
    )
    want = -(np.log(0.5) + np.log(0.75)) / 2
    assert score(tmp_path / "p.arrow", label="y", preds="a,b").cost == pytest.approx(want)


@pytest.mark.parametrize("write", [feather.write_feather, parquet.write_table])
def test_fields_of_one_name_are_refused(write: Callable[[Any, Any], None], tmp_path: Path) -> None:
    path = tmp_path / f"p.{'arrow' if write is feather.write_feather else 'parquet'}"
    write(pa.table({"s": TWICE, "y": ["u", "u"]}), path)
    with pytest.raises(DataError, match="2 fields of 's' are called 'u'"):
        score(path, label="y")
