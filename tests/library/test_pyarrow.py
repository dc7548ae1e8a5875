"""PyArrow as notebooks use it: tables, batches and arrays, and all that has the Arrow PyCapsule interface alone."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import xentcli
from tests.library import CLASSES, IDS, NAMES, ORDER, PROBS, SITES, TRUTH, WEIGHTS, file_report
from xentcli.errors import DataError, UsageError
from xentcli.report.report import Report

score = xentcli.score
P = pa.table(dict(zip(CLASSES, PROBS.T, strict=True)))
Y, W, S = pa.array(NAMES), pa.array(WEIGHTS), pa.array(SITES)
LABELS = pa.table({"label": Y})


class Stream:
    """An object with no more than ``__arrow_c_stream__``, as many engines and libraries return."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


class Batch:
    """An object with no more than ``__arrow_c_array__``."""

    def __init__(self, batch: Any) -> None:
        self._batch = batch

    def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
        return self._batch.__arrow_c_array__(requested_schema)


def figures(report: Report) -> tuple[Any, ...]:
    return report.cost.hex(), report.brier, report.interval, report.by, [row.row for row in report.worst]


@pytest.fixture
def wanted(tmp_path: Path) -> tuple[Any, ...]:
    return figures(file_report(tmp_path, weights="weight", by="site", worst=3))


FORMS: dict[str, tuple[Any, Any]] = {
    "table": (P, Y),
    "batch": (P.to_batches()[0], LABELS.to_batches()[0]),
    "chunks": (pa.concat_tables([P[:7], P[7:]]), pa.chunked_array([NAMES[:9], NAMES[9:]])),
    "stream": (Stream(P), Stream(LABELS)),
    "array": (Batch(P.to_batches()[0]), LABELS),
    "reader": (pa.RecordBatchReader.from_batches(P.schema, P.to_batches()), Y),
    "dictionary": (P, Y.dictionary_encode()),
    "large text": (P, pa.array(NAMES, pa.large_string())),
    "view": (P, pa.array(NAMES, pa.string_view())),
    "decimals": (P, pa.table({"label": [str(name) for name in NAMES]})),
    "narwhals of pyarrow": (nw.from_native(P), Y),
    "narwhals of polars": (nw.from_native(pl.from_arrow(P)), nw.from_native(pl.Series(NAMES), series_only=True)),
    "narwhals, lazy": (nw.from_native(pl.DataFrame(pl.from_arrow(P)).lazy()), Y),
    "narwhals of pandas": (nw.from_native(P.to_pandas()), nw.from_native(pd.Series(NAMES), series_only=True)),
}


@pytest.mark.parametrize("form", FORMS)
def test_tables_of_every_form_give_the_bits_of_a_file(wanted: tuple[Any, ...], form: str) -> None:
    preds, labels = FORMS[form]
    assert figures(score(preds, labels, weights=W, by={"site": S}, worst=3)) == wanted


def test_one_table_has_all(wanted: tuple[Any, ...]) -> None:
    table = P.append_column("label", Y).append_column("w", W).append_column("site", S.dictionary_encode())
    for data in (table, Stream(table), nw.from_native(table)):
        options: dict[str, Any] = {"preds": "cat:emu", "label": "label", "weights": "w", "by": "site", "worst": 3}
        assert figures(score(data, **options)) == wanted


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.decimal128(38, 30)], ids=str)
def test_numbers_of_any_type(kind: Any) -> None:
    exact = [[Decimal(value) for value in column] for column in PROBS.T.astype(np.float16).astype(float)]
    columns = [pa.array(column if pa.types.is_decimal(kind) else list(map(float, column)), kind) for column in exact]
    wanted = score(PROBS.astype(np.float16), TRUTH, sum_tolerance=0.01).cost
    assert score(pa.table(columns, list(CLASSES)), Y, sum_tolerance=0.01).cost == wanted


def test_lists_are_the_classes() -> None:
    wanted = score(PROBS, TRUTH).cost.hex()
    for kind in (pa.list_(pa.float64()), pa.large_list(pa.float64()), pa.list_(pa.float64(), 3)):
        table = pa.table({"probs": pa.array(PROBS.tolist(), kind), "vote": TRUTH})
        assert score(table, TRUTH, preds="probs").cost.hex() == wanted


def test_nulls_are_missing() -> None:
    holes = [None if row == 3 else value for row, value in enumerate(PROBS[:, 0])]
    table = P.set_column(0, "cat", pa.array(holes, pa.float64()))
    with pytest.raises(DataError, match="row 4"):
        score(table, Y)
    kept = [row for row in range(60) if row != 3]
    wanted = score(P.take(kept), Y.take(kept)).cost
    assert score(table, Y, skip_missing=True).cost == wanted
    few = pa.array([None if row == 3 else name for row, name in enumerate(NAMES)])
    assert score(P, few, ignore_label="missing").cost == wanted


def test_ids_in_another_order_are_matched(wanted: tuple[Any, ...]) -> None:
    preds = P.append_column("id", pa.array(IDS))
    labels = pa.table({"id": IDS, "label": Y, "w": W, "site": S}).take(ORDER)
    assert figures(score(preds, labels, id="id", label="label", weights="w", by="site", worst=3)) == wanted
    ids = {"predictions": pa.array(IDS), "labels": pa.array(IDS).take(ORDER)}
    assert figures(score(P, Y.take(ORDER), id=ids, weights=W, by={"site": S}, worst=3)) == wanted


def test_without_pyarrow_a_stream_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(UsageError, match="pyarrow") as refused:
        score(Stream(P), TRUTH)
    assert "pip install 'xentcli[arrow]'" in str(refused.value)


def test_labels_are_a_stream_of_one_column_too() -> None:
    table = pa.table(dict(zip(CLASSES, PROBS.T, strict=True)))
    wanted = xentcli.score(table, NAMES).cost
    assert xentcli.score(Stream(table), Stream(pa.chunked_array([NAMES[:9], NAMES[9:]]))).cost == wanted
    assert xentcli.score(table, Stream(pa.chunked_array([TRUTH]))).cost == wanted
