"""The predicted class is never proposed as the label, and its file is said to lack the truth."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.advice.tools import TWO_MODELS
from tests.conftest import Run, Write
from xentcli import score
from xentcli.errors import DataError

Q = np.array([[0.8, 0.2], [0.3, 0.7], [0.6, 0.4], [0.1, 0.9]])
TRUTH = np.array([0, 1, 1, 0])
COST = float(-np.log(Q[np.arange(4), TRUTH]).mean())
PREDICTED = Q.argmax(axis=1)

CALLED = {
    "by name": (("no", "yes"), ("no", "yes")),
    "less a prefix": (("p_no", "p_yes"), ("no", "yes")),
    "less a suffix": (("no.prob", "yes.prob"), ("no", "yes")),
    "less both": (("P(x=no)", "P(x=yes)"), ("no", "yes")),
    "numbers by name": (("0", "1"), ("0", "1")),
    "numbers less a prefix": (("proba_0", "proba_1"), ("0", "1")),
    "other numbers less a prefix": (("p1", "p2"), ("1", "2")),
    "positions": (("a", "b"), ("0", "1")),
    "positions from 1": (("a", "b"), ("1", "2")),
    "N.0": (("0", "1"), ("0.0", "1.0")),
}


def refused(*files: str, **options: str) -> str:
    with pytest.raises(DataError) as caught:
        score(*files, **options)  # type: ignore[arg-type]
    return str(caught.value)


def frame(how: str, *columns: str) -> pd.DataFrame:
    """A file of predictions with columns "predict" and "truth", as far as they are asked for, before them."""
    names, labels = CALLED[how]
    made = pd.DataFrame(Q, columns=list(names))
    for place, column in enumerate(columns):
        index = {"predict": PREDICTED, "truth": TRUTH}.get(column)
        made.insert(place, column, ["x", "x", "y", "y"] if index is None else [labels[i] for i in index])
    return made


@pytest.mark.parametrize("how", CALLED)
@pytest.mark.parametrize("others", [(), ("site",)])
def test_a_file_without_the_truth_is_said_to_be_one_and_the_command_leads_to_the_right_cost(
    how: str, others: tuple[str, ...], tmp_path: Path, xent: Run
) -> None:
    frame(how, "predict", *others).to_csv(tmp_path / "p.csv", index=False)
    pd.Series([CALLED[how][1][i] for i in TRUTH], name="y").to_csv(tmp_path / "l.csv", index=False)
    done = xent("score", "p.csv", "--header", "both")
    assert done.returncode == 3
    assert "predict is the predicted class" in done.stderr
    assert "--label" not in done.stderr.replace("--label NAME", "")
    command = next(line for line in done.stderr.splitlines() if "xent score" in line)
    words = [{"LABELS": "l.csv", "NAME": "y"}.get(word, word) for word in shlex.split(command)[1:]]
    if how in ("positions", "positions from 1"):
        words += ["--index-base", CALLED[how][1][0]]
    followed = xent(*words, "--quiet", "--header", "both")
    assert float(followed.stdout) == pytest.approx(COST, rel=1e-12), followed.stderr


@pytest.mark.parametrize("how", [how for how, (_, labels) in CALLED.items() if labels == ("no", "yes")])
def test_the_truth_beside_the_predicted_class_is_proposed_alone(how: str, tmp_path: Path, xent: Run) -> None:
    frame(how, "predict", "truth").to_csv(tmp_path / "p.csv", index=False)
    done = xent("score", "p.csv")
    (advice,) = [line for line in done.stderr.splitlines() if "--label" in line]
    assert "--label predict" not in done.stderr
    followed = xent("score", "p.csv", *shlex.split(advice), "--quiet")
    assert float(followed.stdout) == pytest.approx(COST, rel=1e-12)


def test_the_predicted_class_is_told_in_the_first_thousand_rows_alone(write: Write) -> None:
    rows = ["no,.8,.2", "yes,.3,.7"] * 500
    assert "predict is the predicted class" in refused(
        write("p.csv", "\n".join(["predict,no,yes", *rows, "no,0,1", ""]))
    )
    rows[999] = "no,.3,.7"
    assert "--label predict --preds no,yes" in refused(write("p.csv", "\n".join(["predict,no,yes", *rows, ""])))


def test_equal_predictions_are_all_the_largest(write: Write) -> None:
    assert "--label predict" not in refused(write("p.csv", "predict,no,yes\nyes,.5,.5\nno,.5,.5\nno,.8,.2\n"))


def test_where_the_predicted_class_is_given_as_the_label_it_is_not_advised(write: Write) -> None:
    path = write("p.csv", "predict,note,no,yes,size\nno,x,.8,.2,9\nyes,y,.3,.6,8\n")
    message = refused(path, label="predict")
    assert "--label" not in message.replace("--label NAME", "")
    assert f"xent score {path} LABELS --label NAME --preds no,yes" in message


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
@pytest.mark.parametrize("label", ["predict", None])
def test_the_predicted_class_beside_a_list_without_names_is_not_the_truth(
    ending: str, label: str | None, write: Write
) -> None:
    rows = [{"predict": "yn"[c], "q": q} for q, c in zip(Q.tolist(), PREDICTED, strict=True)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if ending == "csv":
        text = "predict,q\n" + "".join(f'{row["predict"]},"{row["q"]}"\n' for row in rows)
    path = write(f"p.{ending}", text)
    message = refused(path, preds="q", **({} if label is None else {"label": label}))
    assert "predict is the predicted class" in message
    assert "--label" not in message.replace("--label NAME", "")
    assert f"xent score {path} LABELS --label NAME --preds q --classes y,n" in message


def test_a_text_that_does_not_go_with_the_largest_prediction_is_the_truth(write: Write) -> None:
    rows = [f'{"yn"[c]},"{q}"' for q, c in zip(Q.tolist(), TRUTH, strict=True)]
    message = refused(write("p.csv", "\n".join(["y,q", *rows, ""])), preds="q")
    assert "is the predicted class" not in message


def test_predictions_that_are_given_are_those_that_are_compared(write: Write) -> None:
    path = write("p.csv", "predict,note,no,yes\nno,3,8,2\nyes,2,3,7\n")
    assert "LABELS --label NAME --preds no,yes" in refused(path, preds="no,yes", kind="logits")


LABELS = "predict,truth,fold\nno,no,x\nyes,yes,y\nno,yes,x\n"


@pytest.mark.parametrize("options", [{}, {"preds": "no,yes"}])
def test_the_predicted_class_in_a_file_of_labels_is_not_listed(options: dict[str, str], write: Write) -> None:
    preds = write("p.csv", "no,yes\n.8,.2\n.3,.7\n.6,.4\n")
    message = refused(preds, write("l.csv", LABELS), **options)
    assert "2 columns could be the labels: truth, fold" in message
    assert "predict is the predicted class" in message


def test_the_predicted_class_is_not_among_several_label_columns_to_choose_from(write: Write) -> None:
    preds = write("p.csv", "no,yes\n.8,.2\n.3,.7\n.6,.4\n")
    message = refused(preds, write("l.csv", LABELS), label="predict,truth,fold")
    assert "label columns: truth, fold" in message
    assert "predict is the predicted class" in message


def test_a_file_of_labels_with_nothing_but_the_predicted_class_says_so(write: Write) -> None:
    preds = write("p.csv", "no,yes\n.8,.2\n.3,.7\n")
    message = refused(preds, write("l.csv", "one,two\nno,no\nyes,yes\n"))
    assert "one is the predicted class" in message and "two is the predicted class" in message
    assert "--label" not in message


def test_labels_of_a_model_without_errors_that_are_spelled_otherwise_are_proposed_beside_no_others(
    write: Write,
) -> None:
    preds = write("p.csv", "no,yes\n.8,.2\n.3,.7\n.6,.4\n")
    message = refused(preds, write("one.csv", "site,y\n5,NO\n6,YES\n5,NO\n"))
    assert "2 columns could be the labels: site, y" in message
    assert "y is the predicted class, unless" in message and "--label y --classes NO,YES has nearly" in message
    # As the columns are named it is the predicted class that a tool wrote, and so it is beside the truth.
    assert "--label y " not in refused(preds, write("two.csv", "site,y\n5,no\n6,yes\n5,no\n"))
    message = refused(preds, write("three.csv", "into,y\nNO,NO\nYES,YES\nNO,YES\n"))
    assert "1 column could be the labels: y" in message and "--label y --classes NO,YES has nearly" in message


def test_the_truth_of_a_model_without_errors_is_not_called_a_prediction(write: Write) -> None:
    # The file alone cannot tell the two apart.
    path = write("p.csv", "truth,no,yes\nno,.8,.2\nyes,.3,.7\n")
    message = refused(path)
    assert "truth is the predicted class, unless the model is right in every row" in message
    assert "not the truth" not in message and "the truth is not in this file" not in message
    assert score(path, label="truth").accuracy == 1


def test_a_stream_is_compared_as_well(tmp_path: Path, xent: Run) -> None:
    (tmp_path / "p.csv").write_text("no,yes\n.8,.2\n.3,.7\n.6,.4\n")
    done = xent("score", "p.csv", "-", input=LABELS)
    assert "could be the labels: truth, fold" in done.stderr


def test_with_ids_nothing_is_compared_by_position(write: Write) -> None:
    preds = write("p.csv", "id,no,yes\n1,.8,.2\n2,.3,.7\n")
    labels = write("l.csv", "id,truth,fold\n2,no,x\n1,yes,y\n")
    assert "could be the labels: truth, fold" in refused(preds, labels, id="id")


def test_the_only_probability_is_proposed_beside_the_only_label_of_two_values(write: Write) -> None:
    told = write("told.csv", "when,yes,p\na,no,0.2\nb,yes,0.7\nc,yes,0.4\nd,no,0.9\n")
    assert "--label yes --preds p --positive yes" in refused(told)
    # What a threshold tells apart may be the predicted class, and an age is no probability.
    assert "--label NAME" in refused(write("cut.csv", "when,y,p\na,no,0.2\nb,yes,0.7\nc,no,0.4\nd,yes,0.9\n"))
    assert "--label NAME" in refused(write("age.csv", "when,y,age\na,no,30\nb,yes,40\nc,yes,20\nd,no,35\n"))
    # The predicted class of two logits beside one that is constant.
    assert "--label NAME" in refused(write("z.csv", "pred,z0,z1\n0,2,1\n1,0,1\n"), kind="logits")


def test_a_first_line_with_a_class_is_data_and_near_misses_of_classes_are_proposed(write: Write) -> None:
    preds = write("p.csv", "<=50K,>50K\n0.8,0.2\n0.3,0.7\n")
    assert "--label '#2' has the classes" in refused(preds, write("t.csv", "56,>50K\n49,<=50K\n"))
    message = refused(preds, write("a.csv", "56, >50K.\n49, <=50K.\n"))
    assert (
        's.rstrip(".")' in message and "a-clean.csv, to use in place of " in message and "then --label '#2'" in message
    )


def test_rows_that_sum_to_100_are_percent_with_decimal_commas_too(write: Write) -> None:
    told = "n;p_a;p_b;p_c;y\n" + "1;70,5;19,5;10;a\n2;10;80;10;b\n3;20,25;20,25;59,5;c\n" * 3
    wrong = f"{told}4;5;90;5;a\n"
    assert "--label y --preds p_a,p_b,p_c --decimal , --scale 0.01" in refused(write("comma.csv", wrong))
    assert "LABELS --label NAME --preds p_a,p_b,p_c --decimal , --scale 0.01" in refused(write("none.csv", told))
    wrong = wrong.replace(",", ".").replace(";", ",")
    assert "--label y --preds p_a,p_b,p_c --scale 0.01" in refused(write("point.csv", wrong))


def test_scores_are_proposed_by_the_names_that_their_columns_share_with_the_labels(write: Write) -> None:
    told = "n,z.no,z.yes,y\n1,2.5,-1,no\n2,-3,4,yes\n3,1,2,no\n4,0,-1,yes\n"
    assert "--label y --preds z.no,z.yes --kind logits" in refused(write("z.csv", told))


def test_constants_that_sum_to_1_are_no_predictions(write: Write) -> None:
    assert "--preds" not in refused(write("c.csv", "index,count,y\n0,1,a\n0,1,b\n0,1,a\n0,1,b\n")).split("NAME")[0]


def test_zeros_beside_columns_of_one_stem_are_not_proposed(write: Write) -> None:
    told = "p_a,p_b,y,part\n.2,.8,a,0\n.7,.3,a,0\n.4,.6,b,0\n.9,.1,b,0\n"
    assert "--label y --preds p_a,p_b\n" in refused(write("p.csv", told))


def test_the_class_of_a_second_model_is_not_suggested_as_the_label(write: Write) -> None:
    with pytest.raises(DataError) as caught:
        score(write("p.csv", TWO_MODELS))
    assert not [line for line in caught.value.advice if line.startswith(("--label kNN", "--label Tree"))]
    assert len([line for line in caught.value.advice if line.startswith("--label iris")]) == 2
