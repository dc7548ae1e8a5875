"""--show, --by, --cluster and --weights never change silently which columns are predictions."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pytest
from scipy.special import log_softmax

from tests.conftest import Run, Write
from xentcli import score
from xentcli.errors import DataError

Z = np.array([[2.0, 0.0, 0.5], [0.0, 2.0, 0.25], [2.0, 0.0, 1.0], [1.0, 2.0, 0.0]])
Y = np.array([0, 1, 0, 1])
ALL = float(-log_softmax(Z, axis=1)[np.arange(4), Y].mean())
TWO = float(-log_softmax(Z[:, :2], axis=1)[np.arange(4), Y].mean())
TAKING = ["by", "cluster", "weights", "bytes"]


def message_of(*files: Any, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        score(*files, **options)
    return str(caught.value)


def taking(option: str, column: str) -> dict[str, Any]:
    return {"worst": 1, option: column} if option == "show" else {option: column}


def codes(report: Any) -> list[str]:
    return [warning.code for warning in report.warnings]


@pytest.fixture
def files(write: Write) -> tuple[str, str]:
    rows = "".join(",".join(map(str, row)) + "\n" for row in Z.tolist())
    return write("p.csv", f"a,b,c\n{rows}"), write("l.csv", "y\na\nb\na\nb\n")


@pytest.mark.parametrize("option", ["show", *TAKING])
def test_logits_are_refused_with_the_option_as_without(option: str, files: tuple[str, str]) -> None:
    without = message_of(*files, kind="logits")
    assert "no label is named c: a class without rows, or an unrelated column?" in without
    with_ = message_of(*files, kind="logits", **taking(option, "c"))
    assert with_.splitlines()[0] == without.splitlines()[0]


@pytest.mark.parametrize("option", ["show", *TAKING])
def test_the_advice_leads_to_the_cost_over_the_classes_that_it_names(
    option: str, files: tuple[str, str], xent: Run
) -> None:
    options = ["--kind", "logits", f"--{option}", "c", *(["--worst", "1"] if option == "show" else [])]
    done = xent("score", *files, *options)
    assert done.returncode == 3
    advice = [line.split(": ")[1] for line in done.stderr.splitlines()[1:]]
    weight = Z[:, 2] if option == "weights" else None
    costs = {"--preds a:c": ALL, "--preds a,b": TWO}
    assert advice == ([*costs] if option not in ("weights", "bytes") else ["--preds a,b"])
    for words in advice:
        each = -log_softmax(Z[:, : 3 if words == "--preds a:c" else 2], axis=1)[np.arange(4), Y]
        followed = xent("score", *files, *options, *shlex.split(words), "--format", "json")
        assert json.loads(followed.stdout)["cost"] == pytest.approx(np.average(each, weights=weight), rel=1e-12)


def test_check_refuses_as_well(files: tuple[str, str], xent: Run) -> None:
    done = xent("check", *files, "--kind", "logits", "--max", "cost=9", "--by", "c")
    assert done.returncode == 3
    assert "which columns are logits?" in done.stderr


FORMATS = ("csv", "parquet", "feather", "jsonl", "npy", "npz")


def saved(values: np.ndarray[Any, Any], names: list[str], format: str, folder: Path) -> str:
    frame = pd.DataFrame(values, columns=names)
    path = folder / f"p.{format}"
    match format:
        case "csv":
            frame.to_csv(path, index=False)
        case "parquet":
            frame.to_parquet(path)
        case "feather":
            feather.write_feather(pa.Table.from_pandas(frame), str(path))
        case "jsonl":
            frame.to_json(path, orient="records", lines=True, double_precision=15)
        case "npy":
            np.save(path, values)
        case _:
            members: dict[str, Any] = {name: values[:, place] for place, name in enumerate(names)}
            np.savez(path, **members)
    return str(path)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kind", ["logits", "probs"])
def test_a_column_that_is_shown_is_a_prediction_too(format: str, kind: Any, tmp_path: Path) -> None:
    values = Z if kind == "logits" else np.exp(log_softmax(Z, axis=1))
    path = saved(values, ["z0", "z1", "z2"], format, tmp_path)
    report = score(path, Y, kind=kind, worst=1, show=[f"@{path}:#3"])
    assert report.cost == score(path, Y, kind=kind).cost == pytest.approx(ALL, rel=1e-12)
    assert len(report.classes) == 3
    (shown,) = report.worst[0].shown.values()
    assert float(shown) == pytest.approx(values[report.worst[0].row - 1, 2], rel=1e-12)
    assert report.inputs[0].unused == ()


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("option", TAKING)
def test_a_class_in_a_series_that_has_another_role_is_named(format: str, option: str, tmp_path: Path) -> None:
    path = saved(Z + 1, ["z0", "z1", "z2"], format, tmp_path)
    options = {"kind": "logits", **taking(option, f"@{path}:#3")}
    report = score(path, Y, **options)
    assert len(report.classes) == 2
    (warning,) = [warning for warning in report.warnings if warning.code == "possible-class"]
    name = "#3" if format == "npy" else "z2"
    assert f"{name} (--{option}) could be a class" in warning.message
    confirmed = score(path, Y, preds="#1,#2", **options)
    assert confirmed.cost == report.cost
    assert "possible-class" not in codes(confirmed)


def test_the_warning_is_on_the_screen_and_in_json(xent: Run, tmp_path: Path) -> None:
    saved(Z, ["z0", "z1", "z2"], "csv", tmp_path)
    (tmp_path / "l.csv").write_text("y\n0\n1\n0\n1\n")
    words = ("score", "p.csv", "l.csv", "--kind", "logits", "--by", "z2")
    assert "z2 (--by) could be a class" in xent(*words).stdout
    (warning,) = json.loads(xent(*words, "--format", "json").stdout)["warnings"]
    assert warning["code"] == "possible-class"


@pytest.mark.parametrize(
    ("header", "option"),
    [("z0,z1,w", "weights"), ("z0,z1,site", "by"), ("p_a,p_b,w", "weights"), ("a,b,w", "classes")],
)
def test_a_column_that_is_named_otherwise_than_the_classes_is_none(header: str, option: str, write: Write) -> None:
    path = write("p.csv", f"{header}\n2,0,1\n0,2,1\n2,0,3\n")
    labels = {"z": ["0", "1", "0"], "p": ["a", "b", "a"], "a": ["a", "b", "a"]}[header[0]]
    options = {"classes": "a,b", "weights": "w"} if option == "classes" else {option: header.split(",")[2]}
    report = score(path, labels, kind="logits", **options)  # type: ignore[arg-type]
    assert codes(report) == []


@pytest.mark.parametrize("option", TAKING)
def test_probabilities_that_sum_to_1_need_no_more(option: str, write: Write) -> None:
    path = write("p.csv", "a,b,c\n.5,.5,1\n.25,.75,2\n.9,.1,3\n")
    assert codes(score(path, ["a", "b", "a"], **taking(option, "c"))) == []


@pytest.mark.parametrize("kind", ["probs", "logprobs"])
@pytest.mark.parametrize(("others", "warned"), [((0.5, 0.75, 0.1), True), ((0.5, 0.75, 0.2), False)])
def test_one_column_and_the_rest_to_1_are_two_classes(
    kind: Any, others: tuple[float, ...], warned: bool, write: Write
) -> None:
    q = np.column_stack([[0.5, 0.25, 0.9], others])
    frame = pd.DataFrame(np.log(q) if kind == "logprobs" else q, columns=["yes", "no"])
    report = score(frame, [1, 0, 1], kind=kind, by="no")
    assert ("possible-class" in codes(report)) == warned


@pytest.mark.parametrize(("total", "other", "warned"), [(0.9, 0.1, True), (0.95, 0.3, False), (0.9995, 0.05, False)])
@pytest.mark.parametrize("option", TAKING)
def test_a_wide_tolerance_does_not_hide_a_class_with_another_role(
    option: str, total: float, other: float, warned: bool, write: Write
) -> None:
    rows = "".join(f"{total - b},{b},{other}\n" for b in (0.4, 0.65, 0.1))
    path = write("p.csv", f"a,b,c\n{rows}")
    report = score(path, ["a", "b", "a"], sum_tolerance=0.1, **taking(option, "c"))
    assert ("possible-class" in codes(report)) == warned


@pytest.mark.parametrize("option", TAKING)
def test_one_column_of_logits_beside_another_number_is_refused(option: str, write: Write) -> None:
    path = write("p.csv", "z,w\n2,1\n-1,2\n3,1\n")
    message = message_of(path, [1, 0, 1], kind="logits", **taking(option, "w"))
    assert "which columns are logits?" in message
    assert "--preds z" in message
    assert score(path, [1, 0, 1], kind="logits", preds="z", **taking(option, "w")).examples.scored == 3


def test_a_group_of_text_could_not_be_a_class(write: Write) -> None:
    path = write("p.csv", "a,b,site\n2,0,x\n0,2,y\n2,0,x\n")
    assert codes(score(path, ["a", "b", "a"], kind="logits", by="site", cluster="site")) == []


@pytest.mark.parametrize(("kind", "header"), [("logits", "a,b,site"), ("probs", "q,site")])
def test_a_group_with_blanks_could_not_be_a_class(kind: Any, header: str, write: Write) -> None:
    rows = ["2,0,1", "0,2,", "2,0,3"] if kind == "logits" else [".5,.5", ".25,", ".5,.5"]
    path = write("p.csv", "\n".join([header, *rows, ""]))
    labels = ["a", "b", "a"] if kind == "logits" else ["1", "0", "1"]
    report = score(path, labels, kind=kind, by="site")
    assert codes(report) == []
    assert {part.group["site"] for part in report.by} == ({"1", "", "3"} if kind == "logits" else {".5", ""})


def test_a_column_beside_a_list_of_logits_is_not_one_of_them(write: Write) -> None:
    rows = [{"z": row, "w": 1} for row in Z.tolist()]
    path = write("p.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    report = score(path, Y, kind="logits", weights="w")
    assert codes(report) == []
    assert report.cost == pytest.approx(ALL, rel=1e-12)


def test_a_column_of_labels_that_is_shown_can_still_be_the_labels(write: Write) -> None:
    labels = write("l.csv", "y,note\na,x\nb,y\n")
    preds = pd.DataFrame({"a": [0.7, 0.2], "b": [0.3, 0.8]})
    for shown in ("y", "note"):
        assert "could be the labels" in message_of(preds, labels, worst=1, show=shown)
    assert score(preds, labels, label="y", worst=1, show="note").inputs[1].unused == ()


def test_text_that_is_shown_is_no_prediction_where_row_sums_confirm_the_others(write: Write) -> None:
    files = write("p.csv", "a,b,note\n.5,.5,hello\n.2,.8,NA\n"), write("l.csv", "y\na\nb\n")
    report = score(*files, worst=2, show="note")
    assert report.classes == ("a", "b")
    assert [row.shown for row in report.worst] == [{"note": "hello"}, {"note": "NA"}]
    assert score(*files).cost == report.cost
    assert score(*files, kind="logits", worst=2, show="note").classes == ("a", "b")
    cut = write("cut.csv", "a,b,c\n.5,.25,x\n.2,.3,.5\n"), files[1]
    assert "'x' is not a number" in message_of(*cut, worst=2, show="c")
