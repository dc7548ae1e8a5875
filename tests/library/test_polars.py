"""polars as notebooks use it: eager and lazy frames, series of every type, and no pyarrow needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import xentcli
from tests.library import CLASSES, IDS, NAMES, ORDER, PROBS, SITES, TRUTH, WEIGHTS, file_report
from xentcli.errors import DataError
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
