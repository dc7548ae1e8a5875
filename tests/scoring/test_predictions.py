"""Which columns are predictions when nobody says, and the kinds that need no labels."""

from __future__ import annotations

import csv
import io
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Run, Write
from tests.laws import settings
from xentcli import score
from xentcli.errors import DataError, XentError
from xentcli.report.report import Report
from xentcli.writers.per_example import per_example_sink


def refusal(error: type[XentError], *files: Any, **options: Any) -> str:
    """Score what must be refused; return the message with its advice."""
    with pytest.raises(error) as caught:
        score(*files, **options)
    return str(caught.value)


# Without --preds every column without another role is a prediction.


def test_every_column_without_another_role_is_a_prediction(write: Write) -> None:
    path = write("run.csv", "id,cat,truth,dog,importance,emu\nx,.5,cat,.25,2,.25\ny,.25,emu,.25,1,.5\n")
    report = score(path, label="truth", id="id", weights="importance")
    assert report.classes == ("cat", "dog", "emu")
    assert report.inputs[0].unused == ()
    assert report.cost == pytest.approx(math.log(2), rel=1e-15)


def test_two_files_give_the_predictions_and_the_labels(write: Write) -> None:
    report = score(write("p.csv", "b,a\n.5,.5\n"), write("l.csv", "truth\na\n"))
    assert report.classes == ("b", "a")
    assert report.labels.columns == ("truth",)


def test_the_one_column_that_is_no_prediction_is_the_label(write: Write) -> None:
    report = score(write("run.csv", "cat,dog,truth\n.5,.5,dog\n"), preds="cat,dog")
    assert report.labels.columns == ("truth",)


def test_one_file_without_a_label_option_is_refused_listing_the_columns(write: Write) -> None:
    path = write("run.csv", "cat,dog,truth\n.5,.5,dog\n.25,.75,cat\n")
    message = refusal(DataError, path)
    assert "cat, dog, truth" in message
    assert "--label truth --preds cat,dog" in message


def test_several_columns_that_could_be_the_labels_are_refused_listing_them(write: Write) -> None:
    message = refusal(DataError, write("p.csv", "cat,dog,emu\n.5,.25,.25\n"), write("l.csv", "id,truth\nx,dog\n"))
    assert "id, truth" in message
    assert "--label" in message


def test_columns_beside_the_classes_of_the_labels_are_unused(goldens: Path) -> None:
    path = goldens / "yardstick" / "hpc_cv.csv"
    report = score(path, label="obs")
    assert report.cost == score(path, label="obs", preds="VF,F,M,L").cost
    assert report.inputs[0].unused == ("pred", "Resample", "weight")


def test_the_options_that_fit_are_suggested_where_nothing_was_said(goldens: Path) -> None:
    assert "--label obs --preds VF,F,M,L" in refusal(DataError, goldens / "yardstick" / "hpc_cv.csv")
    two = goldens / "yardstick" / "two_class_example.csv"
    assert "--label truth --preds Class1,Class2" in refusal(DataError, two)
    assert score(two, label="truth").cost == score(two, label="truth", preds="Class1,Class2").cost


def test_the_options_that_are_suggested_work_as_they_stand(goldens: Path) -> None:
    assert score(goldens / "yardstick" / "hpc_cv.csv", label="obs", preds="VF,F,M,L").examples.read == 3467


def suggested(write: Write, header: str, *rows: str, **options: Any) -> str:
    """The options that a refused file is said to need."""
    message = refusal(DataError, write("run.csv", "\n".join([header, *rows]) + "\n"), **options)
    return next((line.strip() for line in message.splitlines() if line.strip().startswith("--label")), "")


def test_columns_that_are_called_as_labels_are_suggested_before_those_that_sum_to_1(write: Write) -> None:
    assert suggested(write, "y,cat,dog", "cat,9,3", "dog,2,1") == "--label y --preds cat,dog"
    assert suggested(write, "y,cat,dog,emu", "cat,.5,.25,.25", "dog,1,0,0") == "--label y --preds cat,dog,emu"
    assert suggested(write, "y,a,b", "cat,.5,.5", "dog,1,0") == "--label y --preds a,b"


def test_a_long_run_of_columns_is_suggested_as_a_range_and_odd_names_are_quoted(write: Write) -> None:
    names = ",".join(f"c{index}" for index in range(10))
    rows = [f"{label},{first}{',0.1' * 8}" for label, first in zip("xyxy", ("0.1,0.1", "0.15,0.05") * 2, strict=True)]
    assert suggested(write, f"my label,{names}", *rows) == "--label 'my label' --preds c0:c9"


def test_nothing_particular_is_suggested_where_nothing_fits(write: Write) -> None:
    assert suggested(write, "y,a,b", "cat,3,4", "dog,5,6").startswith("--label NAME --preds NAME")
    assert suggested(write, "a,b", "x,u", "y,v", label="a").startswith("--label NAME --preds NAME")


def test_of_two_columns_that_could_be_the_label_none_is_suggested_as_the_one(write: Write) -> None:
    """A column of predicted classes fits as well, and would give a rosy score."""
    rows = ("cat,dog,.5,.5", "cat,cat,1,0")
    message = refusal(DataError, write("run.csv", "\n".join(["pred,obs,cat,dog", *rows]) + "\n"))
    assert "--label pred --preds cat,dog" not in message or "--label obs --preds cat,dog" in message


def test_a_stream_is_not_read_for_a_suggestion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"y,cat,dog\ncat,.5,.5\n"), encoding="utf-8"))
    assert "--label NAME --preds NAME" in refusal(DataError, "-")


def test_where_all_columns_have_another_role_none_is_left_for_predictions(write: Write) -> None:
    message = refusal(DataError, write("run.csv", "y,w\ncat,1\n"), label="y", weights="w")
    assert "no column is left" in message
    assert "--preds" in message


@pytest.mark.parametrize("row", [2, 7, 19])
def test_a_column_of_text_and_numbers_is_refused_listing_the_columns_and_the_option(row: int, write: Write) -> None:
    lines = [f"{'.5' if index < row else 'high'},.5,.5" for index in range(1, 30)]
    path = write("p.csv", "note,cat,dog\n" + "\n".join(lines) + "\n")
    message = refusal(DataError, path, ["cat"] * 29)
    assert f"{path}, row {row} (line {row + 1}), column note: 'high' is not a number" in message
    assert "note, cat, dog" in message
    assert "--preds" in message


def test_a_column_of_text_far_below_is_refused_naming_its_row_and_the_option(write: Write) -> None:
    lines = [f"{'.5' if index < 4_000 else 'high'},.5" for index in range(1, 5_000)]
    path = write("p.csv", "cat,dog\n" + "\n".join(lines) + "\n")
    message = refusal(DataError, path, ["cat"] * 4_999)
    assert f"{path}, row 4,000 (line 4,001), column cat: 'high' is not a number" in message
    assert "--preds" in message


def test_a_column_of_text_of_a_data_frame_beside_the_classes_is_unused() -> None:
    frame = pd.DataFrame({"id": ["x", "y"], "cat": [0.5, 0.5], "dog": [0.5, 0.5]})
    report = score(frame, ["cat", "dog"])
    assert (report.classes, report.inputs[0].unused) == (("cat", "dog"), ("id",))


def test_an_unnamed_first_column_is_no_prediction(write: Write) -> None:
    report = score(write("p.csv", ",cat,dog\n7,.5,.5\n8,.25,.75\n"), ["cat", "dog"])
    assert report.classes == ("cat", "dog")


def test_a_numeric_column_beside_probabilities_is_caught_by_their_sum(write: Write) -> None:
    report = score(write("p.csv", "cat,dog,fold\n.5,.5,1\n.25,.75,1\n"), ["cat", "dog"])
    assert (report.classes, report.inputs[0].unused) == (("cat", "dog"), ("fold",))
    message = refusal(DataError, write("q.csv", "a,b,fold\n.5,.5,1\n.25,.75,1\n"), [0, 1])
    assert "--preds" in message


# Logits have no row sum that would catch a stray numeric column.

LOGITS = "{}\n1.5,-2,3\n.25,1,-1\n"


def logits(*names: str) -> pd.DataFrame:
    return pd.DataFrame([[1.5, -2, 3], [0.25, 1, -1]], columns=list(names))


@pytest.mark.parametrize("labels", [[0, 1], [1, 0]])
@pytest.mark.parametrize("frame", [False, True])
@pytest.mark.parametrize(
    "names",
    [
        ("cat", "dog", "epoch"),
        ("epoch", "cat", "dog"),
        ("z_0", "z_1", "epoch"),
        ("z_0", "z_1", "fold2"),
        ("z_0", "z_1", "z_3"),
        ("z_1", "z_0", "z_2"),
        ("0", "1", "3"),
    ],
)
def test_a_stray_numeric_column_beside_logits_is_refused(
    names: tuple[str, ...], frame: bool, labels: list[int], write: Write
) -> None:
    data = logits(*names) if frame else write("z.csv", LOGITS.format(",".join(names)))
    options: dict[str, Any] = {"kind": "logits", "index_base": 0}
    message = refusal(DataError, data, labels, **options, header=None if frame else "predictions")
    assert ", ".join(names) in message
    assert "--preds" in message
    assert score(data, labels, **options, preds=list(names)).classes == names


@pytest.mark.parametrize("frame", [False, True])
@pytest.mark.parametrize("names", [("cat", "dog", "epoch"), ("p_cat", "p_dog", "p_epoch")])
def test_a_stray_numeric_column_beside_logits_is_refused_where_labels_are_names_too(
    names: tuple[str, ...], frame: bool, write: Write
) -> None:
    data = logits(*names) if frame else write("z.csv", LOGITS.format(",".join(names)))
    message = refusal(DataError, data, ["cat", "dog"], kind="logits")
    assert names[2] in message
    assert "--preds" in message


@pytest.mark.parametrize(
    "names", [("0", "1", "2"), ("z_0", "z_1", "z_2"), ("class1", "class2", "class3"), ("7", "8", "9")]
)
@pytest.mark.parametrize("frame", [False, True])
def test_logits_whose_names_are_a_series_are_taken(names: tuple[str, ...], frame: bool, write: Write) -> None:
    data = logits(*names) if frame else write("z.csv", LOGITS.format(",".join(names)))
    report = score(data, [0, 2], kind="logits", index_base=0, header=None if frame else "predictions")
    assert report.classes == names
    assert report.labels.counts == (1, 0, 1)


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (("cat", "dog", "emu"), ["dog", "cat", "emu"]),
        (("p_cat", "p_dog", "p_emu"), ["dog", "cat", "emu"]),
        (("7", "1", "2"), ["1.0", "2", "7"]),
    ],
)
@pytest.mark.parametrize("frame", [False, True])
def test_logits_whose_names_are_the_classes_are_taken(
    names: tuple[str, ...], labels: list[str], frame: bool, write: Write
) -> None:
    rows = pd.concat([logits(*names), logits(*names)[:1]])
    path = write("z.csv", rows.to_csv(index=False))
    report = score(rows if frame else path, labels, kind="logits", header=None if frame else "predictions")
    assert report.classes == names
    assert report.labels.counts == (1, 1, 1)


@pytest.mark.parametrize("order", [("cat", "dog", "emu"), ("emu", "cat", "dog")])
@pytest.mark.parametrize("called", ["{}", "y_{}"])
def test_logits_whose_names_are_those_of_target_columns_are_taken(
    order: tuple[str, ...], called: str, write: Write
) -> None:
    path = write("z.csv", LOGITS.format("cat,dog,emu"))
    targets = pd.DataFrame(np.eye(3)[[0, 1]], columns=["cat", "dog", "emu"])[list(order)]
    labels = write("l.csv", targets.rename(columns=called.format).to_csv(index=False))
    report = score(path, labels, kind="logits")
    assert report.cost == score(path, ["cat", "dog"], kind="logits", preds="cat,dog,emu").cost


def test_target_columns_by_position_do_not_vouch_for_logits(write: Write) -> None:
    path = write("z.csv", LOGITS.format("cat,dog,epoch"))
    assert "--preds" in refusal(DataError, path, np.eye(3)[[0, 1]], kind="logits")


def test_a_class_of_logits_that_comes_late_in_a_file_vouches_too(tmp_path: Path) -> None:
    """A file that is sorted by label is decided by all its labels as any other."""
    (tmp_path / "z.csv").write_text("cat,dog\n" + "1,2\n" * 65_540)
    (tmp_path / "l.csv").write_text("truth\n" + "cat\n" * 65_536 + "dog\n" * 4)
    assert score(tmp_path / "z.csv", tmp_path / "l.csv", kind="logits").labels.counts == (65_536, 4)


def test_logits_whose_columns_are_named_by_an_option_are_taken(write: Write) -> None:
    path = write("z.csv", LOGITS.format("a,b,epoch"))
    assert score(path, [0, 1], kind="logits", preds="a,b").classes == ("a", "b")
    assert score(path, [0, 1], kind="logits", preds="a:epoch").classes == ("a", "b", "epoch")
    assert score(path, [0, 1], kind="logits", classes="x,y,z").classes == ("x", "y", "z")


def test_an_array_of_logits_has_no_names_to_judge() -> None:
    assert score(logits("a", "b", "c").to_numpy(), [0, 1], kind="logits").classes == ("0", "1", "2")


# What is no table of numbers.


@pytest.mark.parametrize("text", ["a", "0.5"])
def test_an_array_of_text_is_no_predictions(text: str, tmp_path: Path) -> None:
    array = np.array([[text, "0.5"]])
    np.save(tmp_path / "p.npy", array)
    for data in (array, tmp_path / "p.npy"):
        refusal(DataError, data, [0])


@pytest.mark.parametrize("text", ["1_0", "0x1", "", "١", "1,0", "nope"])
def test_texts_in_a_column_of_a_data_frame_are_numbers_only_where_they_are_in_a_file(text: str) -> None:
    frame = pd.DataFrame({"cat": ["0.5", text], "dog": ["0.5", "0.5"]}, dtype=object)
    message = refusal(DataError, frame, [0, 1], renormalize=True, preds="cat,dog")
    assert "is not a number" in message
    assert "row 2" in message


def test_lists_of_unequal_length_are_refused() -> None:
    refusal(DataError, [[0.5, 0.5], [1.0]], [0, 1])
    refusal(DataError, [[0.5, 0.5], [0.5, 0.5]], [[1, 0], [1]])


# Three dimensions.


@pytest.mark.parametrize("labels", [np.zeros(10, dtype=int), np.zeros((5, 2), dtype=int), np.zeros(2, dtype=int)])
def test_an_array_of_three_dimensions_beside_labels_of_another_shape_is_refused_with_both(
    labels: np.ndarray[Any, np.dtype[np.int64]], tmp_path: Path
) -> None:
    np.save(tmp_path / "p.npy", np.full((2, 5, 4), 0.25))
    np.save(tmp_path / "l.npy", labels)
    message = refusal(DataError, tmp_path / "p.npy", tmp_path / "l.npy")
    assert "(2, 5, 4)" in message
    assert str(labels.shape) in message


# Kinds that need no labels.


def same_error(one: Report, other: Report) -> bool:
    return (one.cost, one.standard_error, one.interval) == (other.cost, other.standard_error, other.interval)


@pytest.mark.parametrize("shape", [(24,), (24, 1), (6, 4), (2, 3, 4), (2, 1, 3, 4), (1, 24)])
@pytest.mark.parametrize("kind", ["true-probs", "true-logprobs", "losses"])
@pytest.mark.parametrize("where", ["file", "memory", "Fortran order"])
def test_every_number_of_an_array_of_any_shape_is_an_example(
    kind: Any, shape: tuple[int, ...], where: str, tmp_path: Path
) -> None:
    q = np.random.default_rng(5).uniform(0.01, 1, shape)
    array = {"true-probs": q, "true-logprobs": np.log(q), "losses": -np.log(q)}[kind]
    np.save(tmp_path / "a.npy", np.asfortranarray(array) if where == "Fortran order" else array)
    report = score(array if where == "memory" else tmp_path / "a.npy", kind=kind)
    assert report.examples.read == 24
    assert report.cost == pytest.approx(-np.log(q).mean(), rel=1e-14)
    assert report.cost == score(array.ravel(), kind=kind).cost
    assert report.classes == ()
    assert report.labels.matched == "none"


@pytest.mark.parametrize("kind", ["true-probs", "true-logprobs", "losses"])
def test_what_needs_labels_is_null_without_them(kind: Any) -> None:
    values = {"true-probs": [0.5, 1.0], "true-logprobs": [math.log(0.5), 0.0], "losses": [math.log(2), 0.0]}[kind]
    report = score(np.array(values), kind=kind)
    assert report.cost == pytest.approx(math.log(2) / 2, rel=1e-15)
    for name in ("accuracy", "brier", "prior", "skill", "nce", "target_entropy", "kl"):
        assert report.value(name) is None
        assert report.undefined[name]
    assert report.perplexity == pytest.approx(math.sqrt(2))


def test_a_column_of_a_file_is_chosen(write: Write) -> None:
    path = write("lm.csv", "token,logprob,q\nthe,-0.5,.6\ncat,-1.5,.2\n")
    assert score(path, kind="true-logprobs", preds="logprob").cost == 1
    assert score(path, kind="true-probs", preds="q").cost == pytest.approx(-math.log(0.12) / 2, rel=1e-15)


@pytest.mark.parametrize("kind", ["true-probs", "true-logprobs", "losses"])
def test_several_columns_are_refused_naming_the_option(kind: str, write: Write) -> None:
    path = write("lm.csv", "a,b\n0,0\n0,0\n")
    for data in (path, pd.DataFrame({"a": [0.0, 0.0], "b": [0.0, 0.0]})):
        message = refusal(DataError, data, kind=kind)
        assert "a, b" in message
        assert "--preds" in message


def test_a_column_of_an_array_is_chosen_by_number() -> None:
    array = np.array([[0.5, 7.0], [0.25, 9.0]])
    assert score(array, kind="true-probs", preds="#1").cost == pytest.approx(1.5 * math.log(2), rel=1e-15)


def test_one_column_of_a_data_frame_is_taken_whatever_its_name() -> None:
    assert score(pd.DataFrame({"q": [0.5, 0.5]}), kind="true-probs").cost == pytest.approx(math.log(2))
    assert score(pd.Series([0.5, 0.5]), kind="true-probs").cost == pytest.approx(math.log(2))
    assert score([0.5, 0.5], kind="true-probs").cost == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    ("kind", "value", "hint"),
    [
        ("true-probs", 1.5, "--scale 0.01"),
        ("true-probs", -0.5, "--kind true-logprobs"),
        ("true-probs", math.nan, ""),
        ("true-probs", -1e-9, ""),
        ("true-logprobs", 0.5, "--kind true-probs"),
        ("true-logprobs", math.nan, ""),
        ("losses", math.nan, ""),
    ],
)
def test_what_the_kind_does_not_allow_is_refused_with_its_row(kind: Any, value: float, hint: str) -> None:
    message = refusal(DataError, np.array([0.0, value]), kind=kind)
    assert "row 2" in message
    assert hint in message


def test_a_probability_of_0_costs_infinity() -> None:
    for kind, value in (("true-probs", 0.0), ("true-logprobs", -math.inf), ("losses", math.inf)):
        report = score(np.array([1.0 if kind == "true-probs" else 0.0, value]), kind=kind)  # type: ignore[arg-type]
        assert report.cost == math.inf
        assert report.infinite.rows == (2,)
        assert report.infinite.cost_of_the_rest == 0


# Losses as --per-example writes them.


def written(path: Path, *files: Any, **options: Any) -> Report:
    """Score, writing the losses of every row."""
    with per_example_sink(str(path)) as sink:
        return score(*files, sink=sink, **options)


def test_losses_and_weights_are_the_columns_of_these_names(write: Write) -> None:
    path = write("l.csv", "row,id,label,probability,loss,weight\n1,a,x,.5,2,1\n2,b,x,.5,4,3\n3,c,x,,nan,0\n")
    report = score(path, kind="losses")
    assert report.cost == 3.5
    assert report.weight_sum == 4
    assert report.examples.zero_weight == 1
    assert score(pd.read_csv(path), kind="losses").cost == 3.5
    assert score(write("m.csv", "loss,epoch\n2,1\n4,1\n"), kind="losses").cost == 3


@pytest.mark.parametrize(
    ("name", "content"), [("l.csv", "loss\n-0.5\n-0.6\n"), ("l.csv", "loss,weight\n-0.5,1\n-0.6,1\n"), ("l.npy", None)]
)
def test_log_probabilities_given_as_losses_are_refused_with_the_kind_that_reads_them(
    name: str, content: str | None, xent: Run, tmp_path: Path
) -> None:
    if content is None:
        np.save(tmp_path / name, np.array([-0.5, -0.6]))
    else:
        (tmp_path / name).write_text(content)
    done = xent("check", name, "--kind", "losses", "--max", "cost=0.1")
    assert (done.returncode, done.stdout) == (3, "")
    assert "row 1" in done.stderr and "-0.5 is not a loss; a loss is 0 or more" in done.stderr
    advised = done.stderr[done.stderr.index("--kind true-logprobs") :].split()
    assert float(xent("score", name, *advised, "-q").stdout) == pytest.approx(0.55)


@pytest.mark.parametrize("kind", ["probs", "logprobs"])
def test_losses_of_probabilities_a_little_above_1_are_read_again(kind: str, tmp_path: Path) -> None:
    values = np.array([[1.0009, 0.0], [0.5, 0.5]])
    with np.errstate(divide="ignore"):
        first = written(tmp_path / "l.csv", values if kind == "probs" else np.log(values), [0, 0], kind=kind)
    assert score(tmp_path / "l.csv", kind="losses").cost == first.cost


def test_weights_of_losses_may_be_another_column(write: Write) -> None:
    path = write("l.csv", "loss,weight,w\n2,1,3\n4,3,1\n")
    assert score(path, kind="losses", weights="w").cost == 2.5


@pytest.mark.parametrize("kind", ["probs", "logits"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("base", ["e", "2"])
def test_losses_that_were_written_and_scored_again_give_the_same_bits(
    kind: str, weighted: bool, base: Any, tmp_path: Path
) -> None:
    rng = np.random.default_rng(11)
    values = rng.dirichlet((1, 2, 3), 400) if kind == "probs" else rng.normal(0, 9, (400, 3))
    frame = pd.DataFrame(values, columns=["z0", "z1", "z2"])
    options: dict[str, Any] = {"kind": kind, "base": base}
    if weighted:
        frame["w"] = rng.integers(0, 4, 400) * rng.uniform(0, 1, 400)
        options["weights"] = "w"
    first = written(tmp_path / "losses.csv", frame, rng.integers(0, 3, 400), **options)
    again = score(tmp_path / "losses.csv", kind="losses", base=base)
    assert same_error(again, first)
    assert again.examples == first.examples
    assert again.weight_sum == first.weight_sum
    if not weighted:
        written(tmp_path / "losses.npy", frame, rng.integers(0, 3, 400), **options)
        assert score(tmp_path / "losses.npy", kind="losses").examples.read == 400


@given(
    st.lists(
        st.tuples(st.floats(0, 1, exclude_min=True, allow_subnormal=True), st.floats(0, 1e12, allow_subnormal=True)),
        min_size=1,
        max_size=12,
    ).filter(lambda rows: sum(weight for _, weight in rows) > 0)
)
@settings(deadline=None, max_examples=80)
def test_any_losses_with_any_weights_written_and_scored_again_give_the_same_bits(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float]]
) -> None:
    path = tmp_path_factory.mktemp("losses") / "losses.csv"
    first = written(path, pd.DataFrame(rows, columns=["q", "w"]), kind="true-probs", preds="q", weights="w")
    again = score(path, kind="losses")
    assert same_error(again, first)
    assert again.total == first.total
    assert again.weight_sum == first.weight_sum


def test_infinite_losses_are_written_and_scored_again(tmp_path: Path) -> None:
    first = written(tmp_path / "l.csv", np.array([[0.0, 1.0], [0.5, 0.5]]), [0, 0])
    again = score(tmp_path / "l.csv", kind="losses")
    assert again.cost == first.cost == math.inf
    assert again.infinite == first.infinite


def test_the_table_of_losses_has_its_six_columns(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["a", "b", "c"], "cat": [0.5, 9, 0.25], "dog": [0.5, 9, 0.75], "w": [1, 0, 2]})
    frame["truth"] = ["cat", "junk", "dog"]
    written(tmp_path / "l.csv", frame, id="id", weights="w", label="truth")
    with (tmp_path / "l.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["row", "id", "label", "probability", "loss", "weight"]
    assert [row[:4] for row in rows[1:]] == [["1", "a", "cat", "0.5"], ["2", "b", "", ""], ["3", "c", "dog", "0.75"]]
    assert [row[4] for row in rows[1:]] == [repr(math.log(2)), "nan", repr(-math.log(0.75))]
    assert [float(row[5]) for row in rows[1:]] == [1, 0, 2]
