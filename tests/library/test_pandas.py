"""pandas as notebooks use it: dtypes of every kind, and the index as the ids of the rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import xentcli
from tests.library import CLASSES, IDS, NAMES, ORDER, PROBS, ROWS, SITES, TRUTH, WEIGHTS, file_report
from xentcli.errors import DataError, UsageError
from xentcli.records import replace
from xentcli.report.report import Report

score = xentcli.score
P = pd.DataFrame(PROBS, columns=list(CLASSES), index=IDS)
Y, W = pd.Series(NAMES, index=IDS, name="label"), pd.Series(WEIGHTS, index=IDS)
S = pd.Series(SITES, index=IDS, name="site")
COUNTED, COUNTED_Y = P.reset_index(drop=True), Y.reset_index(drop=True)


def figures(report: Report) -> tuple[Any, ...]:
    return report.cost.hex(), report.brier, report.interval, report.by, [(row.row, row.id) for row in report.worst]


@pytest.fixture
def wanted(tmp_path: Path) -> tuple[Any, ...]:
    return figures(file_report(tmp_path, weights="weight", by="site", worst=3, id="id"))


MULTI = pd.MultiIndex.from_arrays([SITES, range(ROWS)])


@pytest.mark.parametrize("shuffled", ["none", "labels", "weights", "groups", "all"])
def test_data_are_matched_by_their_index(wanted: tuple[Any, ...], shuffled: str) -> None:
    moved = {name: data.iloc[ORDER] if shuffled in (name, "all") else data for name, data in DATA.items()}
    report = score(P, moved["labels"], weights=moved["weights"], by=moved["groups"], worst=3)
    assert figures(report) == wanted
    assert report.alignment == ("position" if shuffled == "none" else "id")


DATA: dict[str, Any] = {"labels": Y, "weights": W, "groups": S}


def test_an_array_goes_with_the_rows_of_the_first_index(wanted: tuple[Any, ...]) -> None:
    assert figures(score(PROBS, Y.map(CLASSES.index), weights=W.iloc[ORDER], by=S, worst=3)) == wanted
    assert figures(score(P, NAMES, weights=W.iloc[ORDER], by={"site": np.array(SITES)}, worst=3)) == wanted


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.set_axis(pd.date_range("2024-01-01", periods=ROWS, freq="h")),
        lambda data: data.set_axis(MULTI),
        lambda data: data.set_axis(range(10, 10 + ROWS)),
        lambda data: data.rename_axis("customer"),
    ],
    ids=["times", "levels", "numbers", "named"],
)
def test_an_index_of_any_type_matches(change: Callable[[Any], Any]) -> None:
    preds, labels = change(P), change(Y).iloc[ORDER]
    report = score(preds, labels, worst=3)
    assert report.cost == score(PROBS, TRUTH).cost
    places = [row.row - 1 for row in report.worst]
    wanted = preds.index[places]
    assert [row.id for row in report.worst] == report.frame("worst")["id"].tolist() == wanted.tolist()
    assert preds.loc[report.worst[0].id].equals(preds.iloc[places[0]])
    assert report["worst.0.id"] == wanted[0]
    texts = [str(name).removesuffix(" 00:00:00") for name in wanted]
    assert [row["id"] for row in json.loads(json.dumps(report.to_dict()))["worst"]] == texts
    assert "id_text" not in report.to_dict()["worst"][0] and "id_text" not in report.frame("worst")
    assert all(text in str(report) for text in texts)
    assert texts == [row[1] for row in report.tables()[-1].rows]


@pytest.mark.parametrize(
    "labels",
    [
        ["a", None, "b"],
        pd.Series(["a", None, "b"]),
        pd.Series(["a", np.nan, "b"], dtype="string"),
        pd.Series(["a", None, "b"], dtype="category"),
        np.array(["a", np.nan, "b"], dtype=object),
        [0.0, np.nan, 1.0],
        pd.array([0, None, 1], dtype="Int64"),
    ],
    ids=["list", "series", "string", "category", "objects", "floats", "Int64"],
)
def test_the_number_nan_as_the_ignored_label_is_any_missing_value(labels: Any) -> None:
    q = pd.DataFrame([[0.5, 0.5], [0.9, 0.1], [0.25, 0.75]], columns=["a", "b"])
    report = score(q, labels, ignore_label=float("nan"))
    assert (report.cost, report.examples.ignored) == (score(q.iloc[[0, 2]], ["a", "b"]).cost, 1)
    assert "ignored-label-not-found" not in [warning.code for warning in report.warnings]


def test_a_state_of_a_run_that_ignores_the_number_nan_is_merged(tmp_path: Path) -> None:
    states = [tmp_path / f"{number}.state" for number in range(2)]
    for first, state in zip((0.5, 0.625), states, strict=True):
        score([[first, 1 - first], [0.9, 0.1], [0.25, 0.75]], ["0", None, "1"], ignore_label=np.nan, state=state)
    merged = xentcli.merge(states)
    assert isinstance(merged, Report)
    assert (merged.examples.scored, merged.examples.ignored) == (4, 2)
    assert "ignored-label-not-found" not in [warning.code for warning in merged.warnings]


def test_the_number_nan_ignores_no_other_text() -> None:
    q = pd.DataFrame([[0.5, 0.5], [0.9, 0.1]], columns=["a", "NA"])
    report = score(q, ["a", "NA"], ignore_label=float("nan"))
    assert report.examples.scored == 2
    assert "ignored-label-not-found" in [warning.code for warning in report.warnings]


def test_ids_of_another_kind_are_texts() -> None:
    numbers = [str(5 + place) for place in range(ROWS)]
    preds, labels = P.set_axis(range(10, 10 + ROWS)), Y.set_axis(range(10, 10 + ROWS))
    given = score(preds, labels, id={"predictions": numbers, "labels": numbers}, worst=3)
    assert [row.id for row in given.worst] == [numbers[row.row - 1] for row in given.worst]
    assert {row.id for row in score(COUNTED, COUNTED_Y, worst=3).worst} == {None}
    lent = score(PROBS, Y.map(CLASSES.index).set_axis(range(10, 10 + ROWS)), worst=1).worst[0]
    assert (lent.id, lent.id_text) == (9 + lent.row, str(9 + lent.row))


@pytest.mark.parametrize("backend", ["numpy_nullable", "pyarrow"])
def test_nullable_and_arrow_types_give_the_same_bits(wanted: tuple[Any, ...], backend: Any) -> None:
    some: Any = [data.convert_dtypes(dtype_backend=backend) for data in (P, Y, W)]
    preds, labels, weights = some
    assert {str(dtype) for dtype in preds.dtypes} == {"Float64" if backend == "numpy_nullable" else "double[pyarrow]"}
    groups = S.astype("category")
    assert figures(score(preds, labels.astype("category"), weights=weights, by=groups, worst=3)) == wanted


@pytest.mark.parametrize("dtype", ["Float64", "double[pyarrow]", "float64"])
def test_a_missing_prediction_is_missing_whatever_the_type(dtype: Any) -> None:
    preds = P.astype(dtype)
    preds.iloc[3, :] = None
    with pytest.raises(DataError, match="row 4"):
        score(preds, Y)
    assert score(preds, Y, skip_missing=True).cost == score(P.drop(IDS[3]), Y.drop(IDS[3])).cost


@pytest.mark.parametrize("dtype", ["string", "category", "object", "str"])
def test_a_missing_label_is_missing_whatever_the_type(dtype: Any) -> None:
    labels = Y.astype(dtype)
    labels.iloc[3] = None
    assert score(P, labels, ignore_label="missing").cost == score(P.drop(IDS[3]), Y.drop(IDS[3])).cost
    assert {group.group["label"] for group in score(P, Y, by=labels).by} == {"", *CLASSES}


@pytest.mark.parametrize("dtype", ["Int64", "int64[pyarrow]"])
def test_whole_numbers_beside_a_missing_one_are_not_rounded(dtype: Any) -> None:
    numbers = pd.Series([*(2**60 + row for row in range(ROWS - 1)), pd.NA], dtype=dtype)
    assert score(PROBS, TRUTH, cluster=numbers).clusters == ROWS
    assert [part.group["by"] for part in score(PROBS, TRUTH, by=numbers).by][-1] == str(2**60 + ROWS - 2)
    report = score(PROBS, pd.Series(TRUTH, index=pd.Index(numbers)), worst=ROWS)
    assert len({row.id for row in report.worst}) == ROWS
    frame = pd.DataFrame({**dict(zip(CLASSES, PROBS.T, strict=True)), "id": numbers})
    with pytest.raises(DataError, match="row 60, column id: null"):
        score(frame, frame[["id"]].assign(label=NAMES), id="id")


def test_labels_in_the_frame_itself(wanted: tuple[Any, ...]) -> None:
    frame = P.assign(truth=Y, site=S, w=W)
    assert figures(score(frame, label="truth", preds="cat:emu", weights="w", by="site", worst=3)) == wanted


def test_an_index_that_counts_names_no_rows() -> None:
    assert score(COUNTED, Y).warnings == score(P, COUNTED_Y).warnings == ()
    shuffled = COUNTED_Y.iloc[ORDER]
    with pytest.raises(DataError, match="that of predictions counts its rows") as refused:
        score(COUNTED, shuffled)
    assert refused.value.advice == (
        "id='index' matches the rows by it",
        "align='position' matches rows by position",
    )
    assert score(COUNTED, shuffled, id="index").cost == score(P, Y).cost
    assert score(COUNTED, shuffled, align="position").cost == score(P, Y.to_numpy()[ORDER]).cost


def _floats(data: Any) -> Any:
    return data.set_axis(data.index.astype(float))


@pytest.mark.parametrize("dtype", ["float64", "float32", "Float64", "object"])
@pytest.mark.parametrize("name", [None, "row"])
def test_a_counting_index_of_floats_is_that_of_ints(dtype: Any, name: str | None) -> None:
    preds = COUNTED.set_axis(pd.Index(np.arange(ROWS, dtype=float)).astype(dtype)).rename_axis(name)
    shuffled = COUNTED_Y.iloc[ORDER].rename_axis(name)
    assert score(preds, COUNTED_Y).cost == score(P, Y).cost
    with pytest.raises(DataError, match="same index in another order"):
        score(preds, shuffled)
    assert score(preds, shuffled, id="index").cost == score(P, Y).cost
    with pytest.raises(DataError, match="same index in another order"):
        score(COUNTED, _floats(COUNTED_Y).iloc[ORDER])


def test_roles_and_models_with_an_index_of_floats_are_matched() -> None:
    preds, labels, weights, groups = (data.set_axis(range(10, 10 + ROWS)) for data in (P, Y, W, S))
    wanted = score(preds, labels, weights=weights, by=groups)
    moved = score(preds, labels, weights=_floats(weights).iloc[ORDER], by=_floats(groups).iloc[ORDER])
    assert (moved.cost, moved.by) == (wanted.cost, wanted.by)
    assert (
        score(preds, labels, cluster=_floats(groups).iloc[ORDER]).interval
        == score(preds, labels, cluster=groups).interval
    )
    pair = xentcli.compare({"a": preds, "b": _floats(preds).iloc[ORDER]}, labels).pairs[0]
    assert pair.change == 0
    with pytest.raises(DataError, match="same index in another order"):
        score(COUNTED, COUNTED_Y, weights=_floats(COUNTED_Y.map(len)).iloc[ORDER])
    with pytest.raises(DataError, match="same index in another order"):
        xentcli.compare({"a": COUNTED, "b": _floats(COUNTED).iloc[ORDER]}, COUNTED_Y)


def test_levels_of_floats_are_those_of_ints() -> None:
    levels = pd.MultiIndex.from_arrays([np.array(SITES), np.arange(ROWS, dtype=float)])
    assert score(P.set_axis(levels), Y.set_axis(MULTI).iloc[ORDER]).cost == score(P, Y).cost


def test_an_index_of_other_values_is_refused_with_a_line_that_works() -> None:
    part = P.iloc[:40]
    with pytest.raises(DataError, match="the index of labels is not that of predictions") as refused:
        score(part, Y)
    assert refused.value.advice[0] == "labels.loc[predictions.index] has the rows of predictions"
    wanted = score(part, Y.iloc[:40])
    assert score(part, Y.loc[part.index]).cost == wanted.cost
    subset = score(part, Y, id="index", subset=True)
    assert (subset.cost, subset.unmatched is not None) == (wanted.cost, True)
    with pytest.raises(DataError, match="the index of weights is not that of predictions: 'x0' is not in predictions"):
        score(P, Y, weights=W.set_axis([f"x{row}" for row in range(ROWS)]))


def test_an_index_with_values_that_repeat_matches_nothing() -> None:
    repeated = P.set_axis(SITES)
    assert score(repeated, Y.set_axis(SITES)).cost == score(P, Y).cost
    with pytest.raises(DataError, match="and values of it repeat"):
        score(repeated, Y.set_axis(SITES[::-1]))


def test_labels_of_another_index_go_by_position_with_a_warning() -> None:
    report = score(P, Y.set_axis([f"x{row}" for row in range(ROWS)]))
    assert [warning.code for warning in report.warnings] == ["row-names-differ"]
    assert report.warnings[0].advice == "id='index' matches by them; align='position' silences this"


def test_ids_are_given_as_data(wanted: tuple[Any, ...]) -> None:
    beside: dict[str, Any] = {"weights": WEIGHTS, "by": {"site": SITES}, "worst": 3}
    shuffled = np.array(NAMES)[ORDER]
    both = {"predictions": IDS, "labels": pd.Series(IDS).iloc[ORDER]}
    plain = COUNTED
    assert figures(score(plain, NAMES, id=IDS, **beside)) == wanted
    assert figures(score(plain, Y.iloc[ORDER], id=np.array(IDS), **beside)) == wanted
    assert figures(score(plain, shuffled, id=both, **beside)) == wanted
    table = pd.DataFrame({"customer": IDS, "truth": NAMES}).iloc[ORDER]
    mixed = {"predictions": IDS, "labels": "customer"}
    assert figures(score(plain, table, id=mixed, label="truth", **beside)) == wanted
    assert figures(score(P.rename_axis("customer"), table, id="customer", label="truth", **beside)) == wanted


def test_ids_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="3 ids of 60 rows"):
        score(PROBS, TRUTH, id=IDS[:3])
    with pytest.raises(UsageError, match="not of weights"):
        score(PROBS, TRUTH, id={"weights": IDS})
    (tmp_path / "labels.csv").write_text("id,label\n" + "".join(f"{i},{n}\n" for i, n in zip(IDS, NAMES, strict=True)))
    labels = str(tmp_path / "labels.csv")
    with pytest.raises(DataError, match="a file has none"):
        score(P, labels, id=IDS)
    by_column = score(P.rename_axis("id").reset_index(), labels, id="id")
    assert by_column.cost == score(P, Y).cost
    assert score(COUNTED, labels, id={"predictions": IDS, "labels": "id"}).cost == score(P, Y).cost


def test_models_are_compared_by_their_index() -> None:
    worse = P.rename(columns={"cat": "dog", "dog": "cat"})[list(CLASSES)]
    wanted = xentcli.compare({"old": P, "new": worse}, Y).pairs
    assert xentcli.compare({"old": P, "new": worse.iloc[ORDER]}, Y).pairs == wanted
    found = xentcli.compare({"old": P.iloc[ORDER[::-1]], "new": worse.iloc[ORDER]}, Y).pairs
    # The rows are counted in the order of the reference.
    assert [replace(pair, largest_row=None) for pair in found] == [replace(pair, largest_row=None) for pair in wanted]
    for labels in (NAMES, None):
        with pytest.raises(DataError, match="no labels have it"):
            xentcli.compare({"old": P, "new": worse.iloc[ORDER]}, labels)
    rows = xentcli.compare({"old": P, "new": worse.iloc[ORDER]}, Y, worst=2).worst
    assert [row.id for row in rows] == [IDS[row.row - 1] for row in rows]
    assert rows == xentcli.compare({"old": P, "new": worse}, Y, worst=2).worst


def test_the_losses_of_rows_carry_the_index() -> None:
    blocks: list[Any] = []
    score(P, Y.iloc[ORDER], sink=blocks.append)
    assert [one for block in blocks for one in block.ids] == IDS


def test_the_index_of_labels_or_of_a_role_names_the_rows_of_an_array() -> None:
    labels = pd.Series(TRUTH, index=IDS)
    for found in (xentcli.losses(PROBS, labels), xentcli.losses(PROBS, TRUTH, weights=W)):
        assert isinstance(found, pd.Series)
        assert found.index.tolist() == IDS
    rows = xentcli.per_example(PROBS, labels)
    assert rows.index.tolist() == rows["id"].tolist() == IDS
    for report in (score(PROBS, labels, worst=3), score(PROBS, TRUTH, by=S, worst=3)):
        assert [row.id for row in report.worst] == [IDS[row.row - 1] for row in report.worst]
        assert (report.alignment, report.warnings) == ("position", ())
    # Ids that are given for the predictions are in the order of the predictions; the index of the labels is not.
    assert isinstance(xentcli.losses(PROBS, labels.iloc[ORDER], id=IDS), np.ndarray)


def test_two_orders_of_roles_without_that_of_the_predictions_are_refused() -> None:
    shuffled = W.iloc[ORDER]
    with pytest.raises(DataError, match="and predictions and labels have none") as refused:
        score(PROBS, TRUTH, weights=shuffled, by=S)
    assert refused.value.advice[0] == "weights.loc[by.index] if the predictions are in the order of by"
    wanted = score(PROBS, TRUTH, weights=W, by=S)
    assert score(PROBS, TRUTH, weights=shuffled.loc[S.index], by=S).by == wanted.by
    assert score(PROBS, pd.Series(TRUTH, index=IDS), weights=shuffled, by=S).by == wanted.by


def test_columns_of_lists_are_the_classes(wanted: tuple[Any, ...]) -> None:
    frame = pd.DataFrame({"probs": PROBS.tolist(), "vote": PROBS.argmax(axis=1)}, index=IDS)
    assert figures(score(frame, Y.map(CLASSES.index), preds="probs", weights=W, by=S, worst=3)) == wanted


def test_sparse_columns_are_numbers() -> None:
    assert score(P.astype(pd.SparseDtype(float)), Y).cost == score(P, Y).cost


@pytest.mark.parametrize(
    ("predictions", "labels", "options"),
    [
        (P, Y.iloc[ORDER], {}),
        (P, Y.to_numpy(), {}),
        (PROBS, NAMES, {"id": list(IDS), "classes": CLASSES}),
        (COUNTED.assign(key=list(IDS), truth=NAMES), None, {"id": "key", "label": "truth"}),
    ],
    ids=["index", "index of one", "ids as data", "column"],
)
def test_a_row_is_explained_by_its_id(predictions: Any, labels: Any, options: dict[str, Any]) -> None:
    by_id = xentcli.explain(predictions, labels, row=str(IDS[2]), **options)
    by_number = xentcli.explain(predictions, labels, row=3, **options)
    assert (by_id.row, by_id.loss, by_id.truth) == (3, by_number.loss, NAMES[2])


def test_an_id_that_no_row_or_several_rows_have_is_refused() -> None:
    with pytest.raises(DataError, match="no row has the id 'nobody'"):
        xentcli.explain(P, Y, row="nobody")
    twice = P.set_axis([IDS[0], *IDS[:-1]])
    with pytest.raises(DataError, match=r"2 rows have the id .*: rows 1, 2\n  row=1 is the first"):
        xentcli.explain(twice, Y.to_numpy(), row=str(IDS[0]))
    with pytest.raises(DataError, match="rows have no ids here"):
        xentcli.explain(PROBS, TRUTH, row="3")


def test_an_array_of_pandas_with_a_type_of_its_own_is_read_as_its_series_is() -> None:
    labels = pd.array(TRUTH, dtype="Int64")
    assert score(PROBS, labels).cost == score(PROBS, TRUTH).cost
    labels[2] = pd.NA
    with pytest.raises(DataError, match="row 3"):
        score(PROBS, labels)
    left = score(PROBS, labels, ignore_label="missing")
    assert (left.cost, left.examples.ignored) == (score(np.delete(PROBS, 2, axis=0), np.delete(TRUTH, 2)).cost, 1)
    weights = pd.array(WEIGHTS, dtype="Float64")
    assert score(PROBS, pd.Categorical(TRUTH), weights=weights).cost == score(PROBS, TRUTH, weights=WEIGHTS).cost
    # Its rows have no index, so that those of the predictions name them.
    assert score(P, pd.array(NAMES, dtype="string"), worst=1).worst[0].id in IDS
