"""Without --preds: the names of the labels and the row sums choose the columns, or a refusal names them."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from tests.conftest import Run, Write
from xentcli import merge, score
from xentcli.errors import DataError

CLASSES = ["red", "green", "blue"]
N = 12
Q = np.random.default_rng(3).dirichlet(np.ones(3), N)
Y = np.array([0, 1, 2, 2, 1, 0, 1, 1, 2, 0, 0, 1])
COST = log_loss(Y, Q)
TEXT = [CLASSES[y] for y in Y]
PREDICTED = [CLASSES[c] for c in Q.argmax(axis=1)]
ENDS = [("", ""), ("p_", ""), ("", ".prob"), ("P (colour=", ")"), ("confidence(", ")"), ("colour_", "_PREDICTION")]
BESIDE: dict[str, Any] = {
    "id": range(100, 100 + N),
    "row": range(N),
    "name": [f"img{row}.png" for row in range(N)],
    "pred": PREDICTED,
    "code": Q.argmax(axis=1),
    "confidence": Q.max(axis=1),
    "Usage": ["Public", "Private"] * (N // 2),
    "status": [""] * N,
    "fold": ["Fold1"] * 5 + ["2"] * (N - 5),
}


def frame(*beside: str, ends: tuple[str, str] = ("", "")) -> pd.DataFrame:
    before, after = ends
    made = pd.DataFrame(Q, columns=[f"{before}{name}{after}" for name in CLASSES])
    for place, name in enumerate(beside):
        made.insert(2 * place % (len(made.columns) + 1), name, list(BESIDE[name]))
    return made


def message_of(*files: Any, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        score(*files, **options)
    return str(caught.value)


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("beside", [[name] for name in BESIDE] + [list(BESIDE)])
def test_whatever_is_beside_the_columns_of_the_classes_needs_no_option(
    beside: list[str], ends: tuple[str, str], tmp_path: Path
) -> None:
    preds = frame(*beside, ends=ends)
    preds.to_csv(tmp_path / "p.csv", index=False)
    preds.assign(truth=TEXT).to_csv(tmp_path / "both.csv", index=False)
    pd.Series(TEXT, name="truth").to_csv(tmp_path / "l.csv", index=False)
    two = score(tmp_path / "p.csv", tmp_path / "l.csv", label="truth")
    one = score(tmp_path / "both.csv", label="truth")
    assert two.cost == one.cost == pytest.approx(COST, rel=1e-12)
    assert len(one.classes) == 3


def test_the_files_that_held_before_hold_in_memory_and_in_parquet(tmp_path: Path) -> None:
    preds = frame("id", "pred", "Usage", ends=("p_", ""))
    preds.to_parquet(tmp_path / "p.parquet")
    assert score(preds, TEXT).cost == score(tmp_path / "p.parquet", TEXT).cost == pytest.approx(COST, rel=1e-12)


@pytest.mark.parametrize("kind", ["probs", "logprobs"])
def test_a_class_without_rows_is_chosen_too_where_it_has_the_prefix(kind: Any) -> None:
    kept = Y != 2
    q = frame(ends=("p_", ""))
    preds = (q.transform(np.log) if kind == "logprobs" else q).assign(id=BESIDE["id"], p_note="x")[kept]
    report = score(preds, [text for text in TEXT if text != "blue"], kind=kind)
    assert report.classes == ("p_red", "p_green", "p_blue")
    assert report.cost == pytest.approx(-np.log(Q[kept, Y[kept]]).mean(), rel=1e-12)


def test_a_class_without_rows_or_a_prefix_is_not_left_out_but_named(tmp_path: Path, xent: Run) -> None:
    kept = Y != 2
    frame("id").assign(truth=TEXT)[kept].to_csv(tmp_path / "p.csv", index=False)
    done = xent("score", "p.csv", "--label", "truth")
    assert done.returncode == 3
    assert "without id every row sums to 1: --id id" in done.stderr
    followed = xent("score", "p.csv", "--label", "truth", "--id", "id", "-q")
    assert float(followed.stdout) == pytest.approx(-np.log(Q[kept, Y[kept]]).mean(), rel=1e-12)


def test_two_sets_that_are_named_as_the_labels_are_refused_with_both() -> None:
    other = frame(ends=("q_", ""))
    message = message_of(frame("pred", ends=("p_", "")).join(other), TEXT)
    assert "2 sets of columns are named as the labels are, and sum to 1" in message
    assert "--preds p_red,p_green,p_blue" in message
    assert "--preds q_red,q_green,q_blue" in message


def test_the_truth_in_columns_beside_the_predictions_is_not_taken_for_them() -> None:
    truth = pd.DataFrame(np.eye(3)[Y], columns=CLASSES)
    assert "2 sets of columns" in message_of(truth.join(frame("id", ends=("p_", ""))), TEXT)


@pytest.mark.parametrize(("labels", "named"), [(Y, "red,green,blue"), ([f"{y}x" for y in Y], "red,green,blue")])
def test_where_no_name_helps_the_set_that_sums_to_1_is_named(labels: Any, named: str, tmp_path: Path) -> None:
    frame("row", "confidence", "id").to_csv(tmp_path / "p.csv", index=False)
    assert f"every row sums to 1: --preds {named}" in message_of(tmp_path / "p.csv", labels)


def test_an_id_that_both_files_have_is_advised_as_such(tmp_path: Path, xent: Run) -> None:
    frame("id").to_csv(tmp_path / "p.csv", index=False)
    pd.DataFrame({"id": BESIDE["id"], "y": Y}).to_csv(tmp_path / "l.csv", index=False)
    done = xent("score", "p.csv", "l.csv", "--label", "y")
    (advice,) = [line for line in done.stderr.splitlines() if "--id" in line]
    followed = xent("score", "p.csv", "l.csv", "--label", "y", *shlex.split(advice.rpartition(": ")[2]), "-q")
    assert float(followed.stdout) == pytest.approx(COST, rel=1e-12)


def test_renormalize_is_not_advised_where_a_column_is_left_over() -> None:
    assert "--renormalize" not in message_of(frame("row"), Y)
    assert "--renormalize" in message_of(frame() * 0.9, Y)


@pytest.mark.parametrize(("factor", "decimals", "advice"), [(1, 1, "--sum-tolerance 0.15"), (0.9, 6, "--renormalize")])
def test_a_class_without_rows_is_not_left_out_where_all_columns_come_nearer_to_1(
    factor: float, decimals: int, advice: str
) -> None:
    kept = Y != 2
    preds = (frame()[kept] * factor).round(decimals)
    labels = [text for text in TEXT if text != "blue"]
    message = message_of(preds, labels)
    assert advice in message
    assert "--preds red,green" not in message
    assert "--preds red,green" in message_of(preds.assign(blue=np.arange(len(preds)) % 2), labels)


def test_one_column_of_probabilities_beside_an_id_is_named(write: Write) -> None:
    path = write("p.csv", "id,q\n7,.25\n8,.5\n9,.75\n")
    assert "q is the only one from 0 to 1: --preds q" in message_of(path, [0, 1, 1])
    assert score(path, [0, 1, 1], preds="q").examples.scored == 3


def test_rows_that_are_skipped_do_not_say_which_columns_are_predictions(write: Write) -> None:
    path = write("p.csv", "red,blue,w,y\n7,7,0,red\n.5,.5,1,red\n.25,.75,1,blue\n9,9,1,-\n")
    assert score(path, label="y", weights="w", ignore_label="-").cost == pytest.approx(-np.log([0.5, 0.75]).mean())


def test_logits_without_text_still_need_names_for_all_columns() -> None:
    logits = pd.DataFrame(np.log(Q) + 1, columns=CLASSES)
    assert score(logits.assign(pred=PREDICTED), TEXT, kind="logits").cost == pytest.approx(COST, rel=1e-12)
    assert "no label is named id" in message_of(logits.assign(pred=PREDICTED, id=BESIDE["id"]), TEXT, kind="logits")
    spelled = logits.assign(pred=PREDICTED, blue=[f"{v:.3f}".replace(".", ",") for v in logits.blue])
    kept = Y != 2
    assert "is not a number" in message_of(spelled[kept], [t for t in TEXT if t != "blue"], kind="logits")


def test_target_columns_choose_the_columns_by_their_names(tmp_path: Path) -> None:
    frame("id", "pred", ends=("p_", "")).to_csv(tmp_path / "p.csv", index=False)
    targets = pd.DataFrame(np.eye(3)[Y], columns=[f"y_{name}" for name in CLASSES])
    assert score(tmp_path / "p.csv", targets, label="y_*").cost == pytest.approx(COST, rel=1e-12)


@pytest.mark.parametrize("options", [{}, {"preds": "red,green,blue"}])
def test_an_id_of_both_files_in_another_order_is_refused_and_other_ids_are_warned_of(
    options: dict[str, Any], tmp_path: Path
) -> None:
    preds, labels = tmp_path / "p.csv", tmp_path / "l.csv"
    frame("name", "pred").to_csv(preds, index=False)
    truth = pd.DataFrame({"name": BESIDE["name"], "y": TEXT})
    truth[::-1].to_csv(labels, index=False)
    message = message_of(preds, labels, label="y", **options)
    assert "have the same name in another order" in message
    assert "--id name" in message
    assert score(preds, labels, label="y", id="name", **options).cost == pytest.approx(COST, rel=1e-12)
    truth.to_csv(labels, index=False)
    same = score(preds, labels, label="y", **options)
    assert same.warnings == ()
    assert same.cost == pytest.approx(COST, rel=1e-12)
    truth.assign(name=[f"{row}" for row in range(N)]).to_csv(labels, index=False)
    assert [w.code for w in score(preds, labels, label="y", **options).warnings] == ["row-names-differ"]


@pytest.mark.parametrize("ends", [("", ""), ("p_", ""), ("", ".prob")])
def test_an_impossible_number_of_a_class_is_refused_though_the_other_columns_sum_to_1(
    ends: tuple[str, str], write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    before, after = ends
    names = [f"{before}{c}{after}" for c in (range(4) if ends == ("", "") else ["cat", "dog", "emu", "fox"])]
    labels = "1" if ends == ("", "") else "dog"
    other = labels.replace("1", "0").replace("dog", "cat")
    write("p.csv", ",".join(["id", *names]) + "\nr1,0.25,0.75,0,inf\nr2,0.5,0.5,0,0\n")
    write("y.csv", f"id,truth\nr1,{labels}\nr2,{other}\n")
    with pytest.raises(DataError) as caught:
        score("p.csv", "y.csv", label="truth", id="id")
    place = caught.value.place
    assert place is not None and place.column == names[3]
    assert "got inf" in str(caught.value)
    with pytest.raises(DataError) as caught:
        score("p.csv", "y.csv", label="truth")
    assert names[3] not in str(caught.value) or "--preds" not in str(caught.value).replace("--preds NAME", "")


def test_a_column_of_missing_predictions_is_refused_though_the_other_columns_nearly_sum_to_1(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    write("p.csv", "1,2,3,4,truth\n0.24,0.756,0.001,nan,2\n0.3,0.6,0.1,nan,1\n")
    with pytest.raises(DataError, match="nan") as caught:
        score("p.csv", label="truth", sum_tolerance=0.1)
    assert caught.value.place is not None and caught.value.place.column == "4"
    write("q.csv", "1,2,3,note,truth\n0.24,0.756,0.004,late,2\n0.3,0.6,0.1,late,1\n")
    assert score("q.csv", label="truth").classes == ("1", "2", "3")


def test_ids_that_are_nearly_the_same_in_another_order_are_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    write("p.csv", "id,a,b\n001.png,0.25,0.75\n002.png,0.5,0.5\n")
    write("same.csv", "id,y\n1,b\n2,a\n")
    write("other.csv", "id,y\n2,a\n1,b\n")
    write("strange.csv", "id,y\n2,a\n7,b\n")
    for name in ("same.csv", "strange.csv"):
        assert [w.code for w in score("p.csv", name, label="y").warnings] == ["row-names-differ"]
    with pytest.raises(DataError, match="nearly the same id in another order") as caught:
        score("p.csv", "other.csv", label="y")
    assert "--id id" in caught.value.advice[0]
    assert score("p.csv", "other.csv", label="y", align="position").cost == pytest.approx(1.0397207708399179)


@pytest.mark.parametrize("names", [[f"im{n}" for n in (4, 7, 1, 9, 3, 8)], [f"{n}" for n in (41, 17, 90, 33, 58, 72)]])
def test_ids_of_two_names_in_another_order_are_refused_and_other_columns_are_not(
    names: list[str], write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    cells = [f"{name},{(n + 1) / 10},{(9 - n) / 10}" for n, name in enumerate(names)]
    labels = [f"{name},{'ab'[n % 2]}" for n, name in enumerate(names)]
    write("p.csv", "\n".join(["image,a,b", *cells]) + "\n")
    write("same.csv", "\n".join(["file,y", *labels]) + "\n")
    write("other.csv", "\n".join(["file,y", *labels[::-1]]) + "\n")
    write("strange.csv", "\n".join(["file,y", *(f"9{label}" for label in labels)]) + "\n")
    right = score("p.csv", "same.csv", label="y")
    assert right.warnings == ()
    assert score("p.csv", "strange.csv", label="y").warnings == ()
    with pytest.raises(DataError, match="the same values in image and file, in another order") as caught:
        score("p.csv", "other.csv", label="y")
    assert "--id '#1'" in caught.value.advice[0]
    assert score("p.csv", "other.csv", label="y", id="#1").cost == right.cost
    with pytest.raises(DataError, match="in another order"):
        score("p.csv", "other.csv", label="y", shard="1/2", state="s.json")
    # Numbers of rows in order, and lines of JSON that lack a key, are no ids.
    write("rows.csv", "\n".join(["row,a,b", *(f"{n},{cell.partition(',')[2]}" for n, cell in enumerate(cells))]) + "\n")
    write("ranks.csv", "\n".join(["rank,y", *(f"{5 - n},{label[-1]}" for n, label in enumerate(labels))]) + "\n")
    assert score("rows.csv", "ranks.csv", label="y").cost == right.cost
    lines = [f'{{"image": "{n}", "p": [0.25, 0.75]}}' for n in range(5)]
    write("p.jsonl", "\n".join([*lines, '{"p": [0.5, 0.5]}']) + "\n")
    write("l.csv", "\n".join(["file,y", *(f"im{n},{n % 2}" for n in range(6))]) + "\n")
    assert score("p.jsonl", "l.csv", label="y", preds="p").examples.scored == 6


@pytest.mark.parametrize("base", [0, 1])
def test_numbers_of_rows_in_another_order_under_another_name_are_warned_of(
    base: int, write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    write("p.csv", "\n".join(["image,a,b", *(f"{n + base},{(n + 1) / 10},{(9 - n) / 10}" for n in range(8))]) + "\n")
    for name, file, order in (
        ("same", "key", range(8)),
        ("other", "key", (3, 0, 6, 1, 7, 2, 5, 4)),
        ("rank", "rank", (3, 0, 6, 1, 7, 2, 5, 4)),
    ):
        write(f"{name}.csv", "\n".join([f"{file},y", *(f"{n + base},{'ab'[n % 2]}" for n in order)]) + "\n")
    right = score("p.csv", "same.csv", label="y")
    assert right.warnings == score("p.csv", "rank.csv", label="y").warnings == ()
    (warning,) = score("p.csv", "other.csv", label="y").warnings
    assert warning.code == "row-names-differ" and "image and key" in warning.message
    assert "--id '#1'" in warning.advice and "--align position" in warning.advice
    assert score("p.csv", "other.csv", label="y", id="#1").cost == pytest.approx(right.cost, rel=1e-12)
    assert score("p.csv", "other.csv", label="y", align="position").warnings == ()
    for shard in (1, 2):
        score("p.csv", "other.csv", label="y", shard=f"{shard}/2", state=f"{shard}.json")
    assert "row-names-differ" in [one.code for one in merge(["1.json", "2.json"]).warnings]
