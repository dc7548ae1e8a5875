"""Files in the wrong order, and tables with a stray column: refused, not scored."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.conftest import Write
from xentcli import score
from xentcli.errors import DataError


def test_binary_files_that_are_swapped_are_refused_with_the_right_order(write: Write) -> None:
    labels, preds = write("l.csv", "truth\n0\n1\n1\n"), write("p.csv", "q\n.25\n.75\n.5\n")
    with pytest.raises(DataError) as caught:
        score(labels, preds)
    assert "3 of 3 labels lie between" in caught.value.message
    assert f"xent score {preds} {labels}" in caught.value.advice[0]
    assert score(preds, labels).examples.scored == 3


def test_hard_predictions_beside_hard_labels_and_a_tie_are_scored() -> None:
    assert score(np.array([0.0, 1.0, 1.0]), np.array([0, 1, 1])).cost == 0
    assert score(np.array([0.0, 1.0, 1.0]), np.array([0, 1, 0.5])).infinite.count == 1


def test_a_stray_column_that_renormalize_would_hide_is_refused() -> None:
    frame = pd.DataFrame({"cat": [0.2, 0.6], "dog": [0.6, 0.2], "fold": [1.0, 1.0]})
    with pytest.raises(DataError, match="stray"):
        score(frame, ["cat", "dog"], renormalize=True)
    assert score(frame, ["dog", "cat"], renormalize=True, preds="cat,dog").cost == pytest.approx(-np.log(0.75))
    assert score(frame[["cat", "dog"]], ["dog", "cat"], renormalize=True).cost == pytest.approx(-np.log(0.75))


@pytest.mark.parametrize(
    ("classes", "columns"),
    [
        (["cat", "dog"], ["Dog", "Cat "]),
        (["p_cat", "p_dog"], ["Dog_true", "Cat_true"]),
        (["p_cat_hat", "p_dog_hat"], ["dog", "cat"]),
        (["Class.cat", "Class.dog"], ["dog_y", "cat_y"]),
    ],
)
def test_target_columns_are_matched_by_what_tells_them_apart(classes: list[str], columns: list[str]) -> None:
    preds = pd.DataFrame([[0.2, 0.8], [0.6, 0.4]], columns=classes)
    targets = pd.DataFrame([[1, 0], [0, 1]], columns=columns)
    assert score(preds, targets).cost == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)


def test_target_columns_that_agree_in_part_are_refused() -> None:
    preds = pd.DataFrame([[0.2, 0.5, 0.3]], columns=["cat", "dog", "emu"])
    targets = pd.DataFrame([[1, 0, 0]], columns=["Dog", "Cat", "gnu"])
    with pytest.raises(DataError, match="not exactly"):
        score(preds, targets)


def test_the_indexes_of_two_pandas_objects_are_compared() -> None:
    frame = pd.DataFrame([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]], columns=list("abc"))
    labels = pd.Series(list("abc"))
    cost = score(frame, labels).cost
    for one, other in ((frame.iloc[[2, 0, 1]], labels), (frame, labels.iloc[[1, 2, 0]])):
        with pytest.raises(DataError, match="in another order"):
            score(one, other)
    assert score(frame.iloc[[2, 0, 1]], labels.iloc[[2, 0, 1]]).cost == cost
    taken = score(frame.iloc[[2, 0, 1]], labels.iloc[[2, 0, 1]].to_numpy())
    assert (taken.cost, taken.warnings) == (cost, ())
    relabelled, other_labels = frame.set_axis([1, 2, 3]), labels.set_axis([7, 8, 9])
    assert [warning.code for warning in score(relabelled, other_labels).warnings] == ["row-names-differ"]
    assert score(relabelled, other_labels, align="position").warnings == ()
    # Predictions of an array have an index that only counts rows.
    assert score(frame, other_labels).warnings == ()
