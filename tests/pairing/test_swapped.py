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


def test_target_columns_that_differ_in_case_alone_are_not_taken_by_position() -> None:
    preds = pd.DataFrame([[0.2, 0.8], [0.6, 0.4]], columns=["cat", "dog"])
    targets = pd.DataFrame([[1, 0], [0, 1]], columns=["Dog", "Cat "])
    with pytest.raises(DataError, match="not quite"):
        score(preds, targets)
