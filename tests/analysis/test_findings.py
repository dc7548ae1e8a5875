"""What a reader and tester of the whole found, each kept from coming back."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import pandas as pd
import pytest

from tests.conftest import Run, Write
from xentcli import explain, score
from xentcli.errors import DataError, NoVerdict, UsageError, XentError

PREDS = "cat,dog\n0.9,0.1\n0.2,0.8\n0.6,0.4\n"


@pytest.mark.parametrize(
    ("preds", "labels", "options"),
    [
        (",cat,dog\n0,0.9,0.1\n1,0.2,0.8\n", ",y\n1,dog\n0,cat\n", {}),
        (PREDS, "y\ncat\ndog\ncat\ndog\n", {}),
        (PREDS, "y\ncat\ndog\n", {}),
        ("id,cat,dog\na,0.9,0.1\na,0.2,0.8\n", "id,y\na,cat\n", {"id": "id"}),
        ("id,cat,dog\na,0.9,0.1\nb,0.2,0.8\n", "id,y\na,cat\nb,dog\nc,dog\n", {"id": "id"}),
        ("id,cat,dog\na,0.9,0.1\nz,0.2,0.8\n", "id,y\na,cat\nb,dog\n", {"id": "id"}),
    ],
)
def test_a_row_is_not_explained_where_the_files_do_not_go_together(
    preds: str, labels: str, options: dict[str, Any], write: Write
) -> None:
    files = write("p.csv", preds), write("y.csv", labels)
    with pytest.raises(DataError) as scored:
        score(*files, **options)
    with pytest.raises(DataError) as told:
        explain(*files, row=1, **options)
    assert str(told.value) == str(scored.value)


def test_files_without_rows_are_no_verdict_for_explain_too(write: Write) -> None:
    with pytest.raises(NoVerdict):
        explain(write("p.csv", "cat,dog\n"), write("y.csv", "y\n"))


def test_thousands_of_classes_are_explained() -> None:
    told = explain(np.random.default_rng(1).normal(size=(1, 32_000)), [3], row=1, kind="logits")
    assert len(told.terms) == 32_000
    assert math.fsum(term.q for term in told.terms) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("rows", [10, 40])
def test_probabilities_given_as_logits_are_noticed_with_two_classes_and_one_column(rows: int) -> None:
    q = np.random.default_rng(2).uniform(0, 1, rows)
    labels = np.arange(rows) % 2
    for preds in (np.stack([q, 1 - q], axis=1), q):
        assert "probabilities-as-logits" in [w.code for w in score(preds, labels, kind="logits").warnings]
    assert score(q * 3 - 1, labels, kind="logits").warnings == ()
    assert score([0.3, 0.9], [0, 1], kind="logits").warnings == (), "two small logits say nothing"


@pytest.mark.parametrize("weight", [1e3, 1e8, 1e15, 1e17])
def test_the_prior_keeps_its_digits_where_one_class_is_nearly_all(weight: float) -> None:
    frame = pd.DataFrame({"y": ["a", "b"], "w": [weight, 1.0]})
    report = score(pd.DataFrame({"a": [0.9, 0.2], "b": [0.1, 0.8]}), frame, label="y", weights="w")
    with mp.workdps(50):
        f = mp.mpf(weight) / (mp.mpf(weight) + 1)
        want = -f * mp.log(f) - (1 - f) * mp.log(1 - f)
    assert report.prior == pytest.approx(float(want), rel=1e-14)


def test_a_positive_class_that_differs_in_case_alone_is_refused() -> None:
    with pytest.raises(DataError, match="'Yes' is not a label"):
        score([0.9, 0.8], ["yes", "yes"], positive="Yes")
    assert score([0.9, 0.8], ["no", "no"], positive="yes").accuracy == 0


def test_the_positive_class_is_read_as_labels_are() -> None:
    assert score([0.9, 0.2], ["1.0", "0.0"], positive="1.0").accuracy == 1


def test_a_later_label_that_two_rules_read_otherwise_is_refused_in_every_run(tmp_path: Path) -> None:
    n = 65_536
    (tmp_path / "p.csv").write_text("111,1121,1211\n" + "0.2,0.3,0.5\n" * (n + 1))
    (tmp_path / "y.csv").write_text("y\n" + "11\n" * n + "121\n")
    for sink in (None, lambda block: None):
        with pytest.raises(DataError, match="labels match the class names in two ways"):
            score(tmp_path / "p.csv", tmp_path / "y.csv", header="predictions", sink=sink)


def test_numbers_among_objects_are_themselves() -> None:
    q = np.array([[0.7, 0.3], [0.1, 0.9]], dtype=np.float32)
    objects = pd.DataFrame({name: pd.Series(list(q[:, i]), dtype=object) for i, name in enumerate("ab")})
    assert score(objects, ["a", "b"]).cost == score(q, [0, 1]).cost


def test_a_weight_too_small_for_a_double_is_reported(write: Write) -> None:
    preds, labels = write("p.csv", "a,b\n0.9,0.1\n0.2,0.8\n"), write("y.csv", "y,w\na,1e-400\nb,1\n")
    report = score(preds, labels, label="y", weights="w")
    assert report.examples.zero_weight == 1
    assert [warning.code for warning in report.warnings] == ["underflow"]


@pytest.mark.parametrize("classes", ["a", "a,b,c"])
def test_one_column_has_two_class_names_whatever_the_labels_are(classes: str) -> None:
    with pytest.raises(DataError, match="two classes"):
        score([0.3, 0.4], [0.3, 0.4], classes=classes)


def test_a_file_of_class_names_is_refused_where_it_has_none(write: Write) -> None:
    q = [[0.3, 0.7]]
    assert score(q, ["dog"], classes="@" + write("c.txt", "cat\ndog\n\n")).classes == ("cat", "dog")
    for text, line in (("", None), ("cat\n\ndog\n", 2)):
        with pytest.raises(DataError) as caught:
            score(q, ["dog"], classes="@" + write("c.txt", text))
        assert caught.value.place is not None and caught.value.place.line == line
    with pytest.raises(UsageError):
        score(q, ["dog"], classes=[])


@pytest.mark.parametrize("option", ["-o", "--per-example"])
def test_a_file_that_an_option_names_is_not_overwritten(option: str, xent: Run, write: Write) -> None:
    write("p.csv", PREDS), write("y.csv", "y\ncat\ndog\ncat\n")
    write("w.csv", "w\n1\n1\n1\n")
    for target, more in (("c.txt", ["--classes", "@c.txt"]), ("w.csv", ["--weights", "@w.csv:w"])):
        before = "cat\ndog\n" if target == "c.txt" else "w\n1\n1\n1\n"
        path = write(target, before)
        done = xent("score", "p.csv", "y.csv", *more, option, target)
        assert done.returncode == 2
        assert Path(path).read_text(encoding="utf-8") == before


def test_arrays_and_integers_name_classes_and_columns() -> None:
    q, y = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]]), [0, 1]
    assert score(q, y, classes=np.array(["a", "b", "c"])).classes == ("a", "b", "c")
    assert score(q, y, classes=[5, 6, 7], index_base=0).classes == ("5", "6", "7")
    frame = pd.DataFrame(np.c_[q, y])
    assert score(frame, label=3, preds=[0, 1, 2]).cost == score(q, y).cost
    assert score(frame, label=3, preds=np.array([0, 1, 2])).to_dict()["options"]["preds"]["value"] == ["0", "1", "2"]


@pytest.mark.parametrize(
    "options", [{"weights": 1.5}, {"clip": "0.1"}, {"label": 1.5}, {"worst": "3"}, {"preds": [[0], [1]]}]
)
def test_what_is_no_name_and_no_number_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        score([[0.7, 0.3], [0.1, 0.9]], [0, 1], **options)


def test_many_colons_are_no_work() -> None:
    with pytest.raises(XentError, match="no such column"):
        score(pd.DataFrame({"a": [0.5], "b": [0.5]}), ["a"], preds="a" + ":a" * 40)


def test_the_label_of_a_row_without_weight_is_not_looked_at_wherever_the_weight_stands(write: Write) -> None:
    preds = write("p.csv", "id,cat,dog,y\na,0.9,0.1,cat\nb,0.2,0.8,pad\n")
    weights = write("w.csv", "id,w\nb,0\na,2\n")
    report = score(preds, weights, id="id", label="y", preds="cat,dog", weights="w")
    assert report.cost == -math.log(0.9)


def test_an_underflow_is_suspected_only_where_there_can_be_one(tmp_path: Path) -> None:
    def message(array: Any, labels: Any = None, **options: Any) -> str:
        np.save(tmp_path / "a.npy", np.array(array, dtype=np.float32))
        report = score(tmp_path / "a.npy", labels, **options)
        return next(warning.message for warning in report.warnings if warning.code == "infinite")

    assert "float32 underflow" in message([[0, 1], [0.5, 0.5]], [0, 1])
    assert "underflow" not in message([[1, -np.inf], [0, 1]], [1, 1], kind="logits")
    assert "underflow" not in message([-1, -np.inf], kind="true-logprobs")
    assert "underflow" not in message([1, np.inf], kind="losses")
    halves = score(np.array([[0, 1], [0.5, 0.5]], dtype=np.float16), [0, 1])
    assert "float16 underflow" in halves.warnings[0].message


@pytest.mark.parametrize(
    ("cells", "hint"),
    [("0,9;0,1", "--decimal ,"), ("NA;0.8", "--skip-missing"), ("0.2;[[0.1] [0.9]]", "whole array")],
)
def test_a_cell_that_is_no_number_gets_its_own_hint(cells: str, hint: str, write: Write) -> None:
    path = write("p.csv", f"cat;dog\n{cells}\n")
    for options in ({}, {"preds": "cat,dog"}):
        with pytest.raises(DataError) as caught:
            score(path, ["cat"], **options)  # type: ignore[arg-type]
        assert hint in str(caught.value)


def test_what_numpy_savetxt_writes_is_scored(tmp_path: Path) -> None:
    q, y = np.random.default_rng(3).dirichlet(np.ones(3), 20), np.arange(20) % 3
    np.savetxt(tmp_path / "q.txt", q)
    np.savetxt(tmp_path / "y.txt", y)
    np.savetxt(tmp_path / "i.txt", y, fmt="%d")
    for labels in ("y.txt", "i.txt"):
        for options in ({}, {"delimiter": "space"}):
            found = score(tmp_path / "q.txt", tmp_path / labels, no_header="both", **options)  # type: ignore[arg-type]
            assert found.cost == score(q, y).cost


def test_text_beside_numbers_is_not_taken_as_a_header_in_silence(xent: Run, write: Write) -> None:
    write("p.csv", "img1,3,-1\nimg2,2,5\nimg3,1,0\n"), write("y.csv", "img1,cat\nimg2,dog\nimg3,cat\n")
    options = ("--preds", "#2,#3", "--label", "#2", "--kind", "logits", "--classes", "cat,dog")
    done = xent("score", "p.csv", "y.csv", *options)
    assert done.returncode == 3
    assert "--header predictions or --no-header predictions" in done.stderr
    report = xent("score", "p.csv", "y.csv", *options, "--no-header", "predictions")
    assert "p.csv: 3 of 3 rows" in report.stdout
    assert "p.csv has none; its first line is data" in report.stdout
    assert "y.csv has none; its first line is data" in report.stdout


def test_small_faults_of_messages(write: Write) -> None:
    with pytest.raises(XentError) as caught:
        score("", "y.csv")
    assert str(caught.value).startswith("''")
    for array, said in (
        (np.array([0.3 + 0j, 0.4]), "complex128"),
        (np.array(["2020-01-01"], dtype="M8[D]"), "row 1, column #1: '2020-01-01' is not a number"),
    ):
        with pytest.raises(DataError) as caught:
            score(array, [0] * len(array))
        assert said in str(caught.value)
    with pytest.raises(DataError, match="id 'a' appears twice, first at row 1"):
        score(write("p.csv", "id,cat,dog\na,0.9,0.1\na,0.2,0.8\n"), write("y.csv", "id,y\na,cat\n"), id="id")
    with pytest.raises(DataError) as caught:
        score(write("p.csv", "cat, dog\n0.9,0.1\n"), ["dog"])
    assert "cat, ' dog'" in str(caught.value)


# What a second reader found.


def test_several_columns_of_a_kind_that_has_one_are_refused_however_they_are_chosen(
    tmp_path: Path, write: Write
) -> None:
    logs = np.log(np.random.default_rng(1).uniform(0.1, 1, (8, 12)))
    np.savez(tmp_path / "l.npz", lp=logs)
    text = write("p.csv", "cat,dog\n.5,.5\n.25,.75\n")
    for files, preds, kind in (
        (tmp_path / "l.npz", "lp", "true-logprobs"),
        (text, "cat,dog", "true-probs"),
        (text, "*", "losses"),
    ):
        for call in (score, explain):
            with pytest.raises(DataError, match="has one"):
                call(files, kind=kind, preds=preds)  # type: ignore[arg-type, call-overload]


def test_a_missing_text_is_no_text(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"None": [0.5, 0.5], "b": [0.5, 0.5], "t": ["b", None]})
    pq.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(DataError, match="'' is not a class"):
        score(tmp_path / "t.parquet", label="t")
    with pytest.raises(DataError, match="'' is not a class"):
        score(pd.DataFrame({"None": [0.5, 0.5], "b": [0.5, 0.5]}), pd.Series(["b", None], dtype=object))


def test_whole_numbers_beside_a_null_stay_what_they_are(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    keys = pa.array([2**53, 2**53 + 1, None, 2**53 + 1], pa.int64())
    pq.write_table(pa.table({"q": [0.5, 0.25, 0.5, 0.75], "k": keys}), tmp_path / "t.parquet")
    report = score(tmp_path / "t.parquet", kind="true-probs", preds="q", by="k", cluster="k")
    assert [(part.group["k"], part.examples) for part in report.by] == [("", 1), (str(2**53), 1), (str(2**53 + 1), 2)]
    assert report.clusters == 3


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_the_clip_of_scikit_learn_goes_by_the_dtype_in_every_format(dtype: str, tmp_path: Path) -> None:
    q = np.array([[1, 0, 0], [0.25, 0.25, 0.5]], dtype=dtype)
    np.save(tmp_path / "q.npy", q)
    np.savez(tmp_path / "q.npz", p=q)
    pd.DataFrame(q, columns=["a", "b", "c"]).to_parquet(tmp_path / "q.parquet")
    want = score(tmp_path / "q.npy", [1, 2], compat="sklearn").cost
    assert want == pytest.approx((-math.log(np.finfo(dtype).eps) + math.log(2)) / 2, rel=1e-6)
    for name in ("q.npz", "q.parquet"):
        assert score(tmp_path / name, [1, 2], compat="sklearn", index_base=0).cost == want


@pytest.mark.parametrize("options", [{"label_smoothing": 0.1}, {"class_weight": {"0": 2}}])
def test_steps_that_would_not_show_the_loss_are_not_shown(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="without class weights and label smoothing"):
        explain([[0.5, 0.5]], [0], row=1, **options)


def test_weights_that_favour_what_is_rare_raise_no_alarm() -> None:
    generator = np.random.default_rng(5)
    q = generator.dirichlet(np.array([0.9, 0.08, 0.02]) * 30, 2000)
    y = np.array([generator.choice(3, p=row) for row in q])
    frame = pd.DataFrame(q, columns=["a", "b", "c"]).assign(w=np.array([1, 10, 50.0])[y])
    assert score(frame, y, weights="w", index_base=0).warnings == ()
    assert score(q, y, class_weight={"1": 10, "2": 50}).warnings == ()
    assert score(q, y).warnings == ()


def test_a_weak_model_of_two_classes_raises_no_alarm() -> None:
    y = np.arange(400) % 2
    q = np.where(np.arange(400) % 20 == 0, 0.65, 0.35)
    two = np.where(y[:, None] == np.arange(2), (1 - q)[:, None], q[:, None])
    assert score(two, y).warnings == ()
    logits = np.clip(np.random.default_rng(3).normal(0.5, 0.1, 4000), 0, 1)
    labels = (np.random.default_rng(4).uniform(size=4000) < 1 / (1 + np.exp(-logits))).astype(int)
    assert score(logits, labels, kind="logits").warnings == ()


def test_integers_beyond_the_doubles_are_refused_with_their_place(write: Write) -> None:
    huge = "1" + "0" * 400
    good = '{"p": [0.5, 0.5], "t": 0, "w": 1}\n'
    for bad in (f'{{"p": [0.5, 0.5], "t": 0, "w": {huge}}}\n', f'{{"p": [{huge}, 0], "t": 0, "w": 1}}\n'):
        with pytest.raises(DataError) as caught:
            score(write("p.jsonl", good + bad), preds="p", label="t", weights="w")
        assert caught.value.place is not None and caught.value.place.row == 2


def test_a_column_called_as_a_figure_is_kept_apart_in_a_table() -> None:
    frame = pd.DataFrame({"a": [0.5, 0.25], "b": [0.5, 0.75], "cost": ["x", "y"], "class": ["v", "w"]})
    report = score(frame, ["a", "b"], preds="a,b", by=["cost", "class"], by_class=True)
    rows = report.tables()[0].records()
    assert [row["[cost]"] for row in rows][:2] == ["x", "y"]
    assert {row["[class]"] for row in rows} == {None, "v", "w"}
    assert [row["class"] for row in rows][-2:] == ["a", "b"]
    assert all(isinstance(row["cost"], float) for row in rows)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_labels_of_each_position_stand_in_one_archive_with_the_logits(save: Any, tmp_path: Path) -> None:
    z, y = np.random.default_rng(2).normal(size=(8, 12, 3)), np.arange(96).reshape(8, 12) % 3
    save(tmp_path / "a.npz", logits=z, label=y)
    report = score(tmp_path / "a.npz", kind="logits", preds="logits", label="label")
    assert report.cost == score(z.reshape(-1, 3), y.ravel(), kind="logits").cost


def test_tokens_in_a_txt_are_tokens(write: Write) -> None:
    assert score(write("v.txt", "1:0.25 2:0.75\n1:0.5 2:0.5\n"), ["1", "2"]).classes == ("1", "2")


def test_rows_that_are_all_ignored_are_said_to_be(write: Write) -> None:
    with pytest.raises(NoVerdict, match=r"no row is scored; left out: 2 by --ignore-label$"):
        score([[0.5, 0.5]] * 2, [0, 0], ignore_label="0")
    q = [[0.5, 0.5]] * 3 + [[np.nan, np.nan]]
    with pytest.raises(NoVerdict, match=r"left out: 1 by --ignore-label, 1 by --skip-missing, 2 of weight 0$"):
        score(q, [0, 1, 1, 1], ignore_label="0", weights=[1, 0, 0, 1], skip_missing=True)
    with pytest.raises(NoVerdict, match="no rows"):
        score(write("e.jsonl", ""), preds="p", label="t")
    with pytest.raises(XentError, match="no such file"):
        score([[0.5, 0.5]], [0], weights="@nowhere.csv:w")


def test_true_and_false_of_json_are_written_as_json_has_them(write: Write) -> None:
    path = write("p.jsonl", '{"q": 0.75, "t": true}\n{"q": 0.25, "t": false}\n')
    assert score(path, preds="q", label="t", positive="true").cost == -math.log(0.75)


def test_a_class_weight_is_named_as_labels_are() -> None:
    q = np.array([[0.5, 0.5], [0.25, 0.75]])
    assert score(q, [0, 1], class_weight={"1.0": 3}).cost == score(q, [0, 1], class_weight={"1": 3}).cost


def test_a_weight_that_is_no_number_gets_no_advice_about_predictions(write: Write) -> None:
    with pytest.raises(DataError) as caught:
        score(write("p.csv", "a,b,y,w\n.5,.5,a,x\n"), preds="a,b", label="y", weights="w")
    assert "column w: 'x' is not a number" in str(caught.value)
    assert "--preds" not in str(caught.value)


def test_a_language_model_that_is_not_shifted_is_not_asked_for_the_order_of_its_rows() -> None:
    random = np.random.default_rng(0)
    ids = random.integers(0, 20, (30, 64))
    z = random.normal(size=(30, 64, 20))
    np.put_along_axis(z[:, :-1], ids[:, 1:, None], 3.0, axis=2)
    warnings = {warning.code: warning.advice for warning in score(z, ids, kind="logits").warnings}
    assert "--shift-labels" in str(warnings["shifted"])
    assert not warnings["worse-than-prior"]
    assert not score(z, ids, kind="logits", shift_labels=True).warnings
