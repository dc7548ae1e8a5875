"""polars as notebooks use it: eager and lazy frames, series of every type, and no pyarrow needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import pytest

import xentcli
from tests.library import CLASSES, IDS, NAMES, ORDER, PROBS, SITES, TRUTH, WEIGHTS, file_report
from xentcli.errors import DataError, FileError
from xentcli.readers import lazy
from xentcli.readers.objects import open_memory
from xentcli.records import replace
from xentcli.report.report import Report

score = xentcli.score
P = pl.DataFrame(dict(zip(CLASSES, PROBS.T, strict=True)))
Y, W, S = pl.Series("label", NAMES), pl.Series("weight", WEIGHTS), pl.Series("site", SITES)
TABLE = P.with_columns(Y, W, S, pl.Series("id", IDS))


def figures(report: Report) -> tuple[Any, ...]:
    return report.cost.hex(), report.brier, report.interval, report.by, [row.row for row in report.worst]


@pytest.fixture
def wanted(tmp_path: Path) -> tuple[Any, ...]:
    return figures(file_report(tmp_path, weights="weight", by="site", worst=3))


def test_frames_and_series_give_the_bits_of_a_file(wanted: tuple[Any, ...]) -> None:
    assert figures(score(P, Y, weights=W, by=S, worst=3)) == wanted
    assert figures(score(P.lazy(), Y, weights=W, by=TABLE.lazy().select("site"), worst=3)) == wanted
    assert figures(score(P, TABLE.select("label").lazy(), weights=W, by={"site": S}, worst=3)) == wanted
    assert figures(score(P, Y, weights=TABLE.select("weight"), by=TABLE.select("site"), worst=3)) == wanted


def test_one_table_has_all(wanted: tuple[Any, ...]) -> None:
    options: dict[str, Any] = {"preds": "cat:emu", "label": "label", "weights": "weight", "by": "site", "worst": 3}
    for table in (TABLE, TABLE.lazy().filter(pl.col("weight") > 0)):
        assert figures(score(table, **options)) == wanted


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(CLASSES), pl.String])
def test_labels_and_groups_of_any_type_of_text(wanted: tuple[Any, ...], kind: Any) -> None:
    sites = S.cast(pl.Categorical)
    assert figures(score(P, Y.cast(kind), weights=W.cast(pl.Float32), by=sites, worst=3)) == wanted


@pytest.mark.parametrize("kind", [pl.Int8, pl.UInt64, pl.Int64, pl.Float32])
def test_labels_of_any_type_of_number(kind: Any) -> None:
    labels = pl.Series(TRUTH, dtype=kind)
    assert score(PROBS, labels).cost.hex() == score(PROBS, TRUTH).cost.hex()


def test_lists_and_arrays_are_the_classes() -> None:
    wanted = score(PROBS, TRUTH).cost.hex()
    for kind in (pl.List(pl.Float64), pl.Array(pl.Float64, 3)):
        frame = pl.DataFrame({"probs": pl.Series(PROBS.tolist(), dtype=kind), "vote": TRUTH.tolist()})
        assert score(frame, TRUTH, preds="probs").cost.hex() == wanted


def test_nulls_are_missing() -> None:
    holes = P.with_columns(cat=pl.when(pl.int_range(60) == 3).then(None).otherwise(pl.col("cat")))
    with pytest.raises(DataError, match="row 4"):
        score(holes, Y)
    kept = [row for row in range(60) if row != 3]
    wanted = score(P[kept], Y[kept]).cost
    assert score(holes, Y, skip_missing=True).cost == wanted
    for labels in (Y, pl.Series(TRUTH)):
        few = labels.to_list()
        few[3] = None
        assert score(P, pl.Series(few), ignore_label="missing", index_base=None).cost == pytest.approx(wanted)


def test_ids_in_another_order_are_matched(wanted: tuple[Any, ...]) -> None:
    preds = P.with_columns(pl.Series("id", IDS))
    labels = TABLE.select("id", "label", "weight", "site")[ORDER.tolist()]
    found = score(preds, labels, id="id", label="label", weights="weight", by="site", worst=3)
    assert figures(found) == wanted
    assert [row.id for row in found.worst] == [IDS[row.row - 1] for row in found.worst]


def test_a_lazy_frame_that_fails_says_so() -> None:
    with pytest.raises(DataError, match="'LazyFrame' cannot be read as an array"):
        score(P.lazy().select(pl.col("cat").cast(pl.Date, strict=True) / 0, pl.col("nothing")), Y)


def test_no_pyarrow_is_imported() -> None:
    code = (
        "import sys, polars, xentcli; "
        "frame = polars.DataFrame({'a': [.5, .25], 'b': [.5, .75]}); "
        "xentcli.score(frame.lazy(), polars.Series('y', ['a', 'b'], dtype=polars.Categorical)); "
        "print([name for name in ('pyarrow', 'pandas', 'narwhals') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_lazy_frame_is_collected_in_batches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wanted = figures(score(P, Y, weights=W, by={"site": S}, worst=3))
    TABLE.write_parquet(tmp_path / "t.parquet")
    collect = pl.LazyFrame.collect
    heights: list[int] = []

    def counted(frame: pl.LazyFrame, **options: Any) -> Any:
        found = collect(frame, **options)
        heights.append(found.height)
        return found

    monkeypatch.setattr(pl.LazyFrame, "collect", counted)
    monkeypatch.setattr(lazy, "_LOOK_AT", 5)
    frames = (TABLE.lazy(), pl.scan_parquet(tmp_path / "t.parquet"), TABLE.lazy().filter(pl.col("weight") > 0))
    for frame in (*frames, nw.from_native(TABLE.lazy())):
        options: dict[str, Any] = {"preds": "cat:emu", "label": "label", "weights": "weight", "by": "site", "worst": 3}
        assert figures(score(frame, block_bytes=200, threads=2, **options)) == wanted
        roles: dict[str, Any] = {"weights": frame.select("weight"), "by": frame.select("site")}
        assert figures(score(P, Y, block_bytes=200, **roles, worst=3)) == wanted
    source = open_memory(TABLE.lazy(), "p")
    assert max(part.rows for part in source.parts(1000)) < len(TABLE) / 2
    # Beside the first rows only counts are collected.
    assert max(heights) <= 5


def test_nulls_in_later_batches_are_found() -> None:
    frame = pl.DataFrame({"0": [1] * 3000, "1": [0] * 3000, "y": [0] * 3000}).with_columns(
        pl.when(pl.int_range(3000) == 2000).then(None).otherwise(pl.col("1")).alias("1")
    )
    with pytest.raises(DataError, match="row 2,001"):
        score(frame.lazy(), label="y", preds="0,1", block_bytes=500)
    assert score(frame.lazy(), label="y", preds="0,1", skip_missing=True).examples.missing == 1


def test_a_query_that_fails_or_changes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    failing = pl.LazyFrame({"q": [0.5, 0.25], "y": [0, 1]}).map_batches(
        lambda frame: frame.with_columns(pl.col("gone")),
        schema={"q": pl.Float64, "y": pl.Int64},
        validate_output_schema=False,
    )
    with pytest.raises(DataError, match="gone"):
        score(failing, label="y", preds="q")
    source = open_memory(P.lazy(), "p")
    with pytest.raises(DataError, match="the query gives 60 rows, and gave 59 before"):
        list(replace(source, rows=59).parts())


def test_a_lazy_frame_of_lists_is_collected_at_once_up_to_a_limit() -> None:
    lists = pl.DataFrame({"p": P.to_numpy().tolist(), "y": Y})
    assert score(lists.lazy(), label="y", preds="p", classes="cat,dog,emu").cost == score(P, Y).cost
    many = pl.LazyFrame({"p": [[0.5, 0.5]] * 2000})
    with pytest.raises(FileError, match="is collected at once, and would take about"):
        lazy.collected(many, "p", most=1000)
    assert lazy.collected(many, "p").height == 2000


def test_a_struct_of_numbers_is_a_column_for_each_field() -> None:
    structs = pl.DataFrame({"p": P.to_dicts(), "label": NAMES, "site": SITES})
    wanted = score(P, Y).cost
    for frame in (structs, structs.lazy(), structs.to_arrow(), structs.to_pandas()):
        assert score(frame, label="label", preds="p").cost == wanted
    assert score(structs["p"], NAMES).cost == wanted
    assert score(structs, label="label", preds="p", reference=structs.select("p")).reference_cost == wanted


def test_a_struct_without_a_field_is_refused_with_its_row() -> None:
    rows = np.array([{"cat": 0.5, "dog": 0.5}, {"cat": 0.25}], dtype=object)
    with pytest.raises(DataError, match="row 2: fields cat where the first row has cat, dog"):
        score({"p": rows, "y": ["cat", "dog"]}, label="y", preds="p")
    empty = pl.DataFrame({"p": [{"cat": 0.5, "dog": 0.5}, None], "y": ["cat", "dog"]})
    assert score(empty, label="y", preds="p", skip_missing=True).examples.missing == 1


def test_one_example_may_be_a_vector_and_its_class() -> None:
    for q in ([0.25, 0.75], [[0.25, 0.75]], pl.Series([0.25, 0.75])):
        assert xentcli.explain(q, 1, row=1).truth == "1"
