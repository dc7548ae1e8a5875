"""Calls as they are made by mistake: an error says what was meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import xentcli
from tests.library import NAMES, PROBS, SITES, TRUTH
from xentcli.errors import XentError

FRAME = pd.DataFrame(PROBS, columns=["cat", "dog", "emu"])
SCORE: Any = xentcli.score
COMPARE: Any = xentcli.compare
CHECK: Any = xentcli.check
CALIBRATION: Any = xentcli.calibration
MERGE: Any = xentcli.merge
SCHEMA: Any = xentcli.schema

MISTAKES: dict[str, tuple[Callable[[], Any], str]] = {
    "scikit-learn's weights": (lambda: SCORE(PROBS, TRUTH, sample_weight=[1]), "did you mean weights?"),
    "torch's ignored index": (lambda: SCORE(PROBS, TRUTH, ignore_index=-100), "did you mean ignore_label?"),
    "Keras's logits": (lambda: SCORE(PROBS, TRUTH, from_logits=True), "did you mean kind?"),
    "scikit-learn's clip": (lambda: SCORE(PROBS, TRUTH, eps=1e-15), "did you mean clip?"),
    "an unknown option": (lambda: SCORE(PROBS, TRUTH, zzz="sum"), "help(xentcli.score)"),
    "a list of models": (lambda: COMPARE([PROBS, PROBS], TRUTH), "dict of models"),
    "models side by side": (lambda: COMPARE(PROBS, PROBS), "dict of models"),
    "a baseline in memory": (lambda: CHECK(PROBS, TRUTH, baseline=PROBS), "compare("),
    "a metric by number": (lambda: SCORE(PROBS, TRUTH)[5], 'report["cost"]'),
    "a metric misspelt": (lambda: SCORE(PROBS, TRUTH)["acuracy"], "did you mean accuracy?"),
    "limits as text": (lambda: CHECK(PROBS, TRUTH, max={"cost": 9}, limits=["cost<0.1"]), 'max={"cost": 0.5}'),
    "an allowance without a metric": (lambda: CHECK(PROBS, TRUTH, max_regression="1 %"), 'max_regression={"cost"'),
    "rows as dicts": (lambda: SCORE(FRAME.to_dict("records"), NAMES), "DataFrame(rows)"),
    "a generator": (lambda: SCORE((row for row in PROBS), TRUTH), "list(...)"),
    "values of a dict": (lambda: SCORE(PROBS, dict(enumerate(TRUTH)).values()), "list(...)"),
    "numbers as objects": (lambda: SCORE(PROBS.astype(object), TRUTH), "dtype='float64'"),
    "one weight": (lambda: SCORE(PROBS, TRUTH, weights=2.0), "name of a column or data for each row"),
    "no prediction column": (lambda: SCORE(PROBS, TRUTH, preds=[]), "--preds is the name of a column"),
    "no label column": (lambda: SCORE(PROBS, TRUTH, label=[]), "--label is the name of a column"),
    "no metrics needed": (lambda: SCORE(PROBS, TRUTH, metrics_needed=None), "lists of names"),
    "metrics needed by number": (lambda: SCORE(PROBS, TRUTH, metrics_needed=[3]), "named by text"),
    "a number of details": (lambda: SCORE(PROBS, TRUTH, details=3), "lists of names"),
    "a check of no metrics": (lambda: CHECK(PROBS, TRUTH, max={"cost": 9}, metrics_needed=3), "lists of names"),
    "no states": (lambda: MERGE(None), "the path of a file"),
    "states in memory": (lambda: MERGE([PROBS]), "the path of a file"),
    "a schema of a list": (lambda: SCHEMA([]), "there is no document"),
    "a regression by number": (lambda: CHECK(PROBS, TRUTH, max_regression={1: 2}), "named by text"),
    "parts of an array": (lambda: CALIBRATION(PROBS, TRUTH, decompose=TRUTH), "True or False"),
    "groups as a tuple": (lambda: SCORE(PROBS, TRUTH, by=tuple(SITES)), "by={'site': [...]}"),
    "a column of groups twice": (
        lambda: SCORE(FRAME.assign(site=SITES, label=NAMES), label="label", by=["site", "site"]),
        "by='site' names columns; this list has a value for each row",
    ),
    "a column in a list": (
        lambda: SCORE(FRAME.assign(site=SITES, label=NAMES), label="label", cluster=["site"]),
        "cluster='site' names columns",
    ),
    "weights with a missing one": (
        lambda: SCORE(PROBS, TRUTH, weights=pd.array([None, *[1] * (len(TRUTH) - 1)], dtype="Int64")),
        "a row without a weight? a weight of 0 leaves it out",
    ),
    "labels of more rows": (lambda: SCORE(FRAME.iloc[:9], pd.Series(NAMES)), "id='index', subset=True"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistaken_call_is_a_xent_error_with_advice(name: str) -> None:
    call, words = MISTAKES[name]
    with pytest.raises(XentError) as caught:
        call()
    assert words in str(caught.value)


def test_a_set_has_no_order_that_list_would_keep() -> None:
    with pytest.raises(XentError) as caught:
        SCORE(PROBS, {0, 1})
    assert "list(" not in str(caught.value)


def test_labels_of_minus_one_and_one_are_not_padding(tmp_path: Path) -> None:
    signs = np.where(TRUTH == 0, 1, -1)
    with pytest.raises(XentError) as caught:
        SCORE(PROBS[:, 0], signs)
    assert "--positive 1" in str(caught.value)
    assert "--ignore-label" not in str(caught.value)
    expected = xentcli.score(PROBS[:, 0], TRUTH == 0).cost
    assert xentcli.score(PROBS[:, 0], signs, positive=1).cost == expected


def test_class_weights_are_all_that_has_an_array() -> None:
    listed = xentcli.score(PROBS, TRUTH, class_weight=[1.0, 2.0, 5.0])
    assert xentcli.score(PROBS, TRUTH, class_weight=pl.Series([1.0, 2.0, 5.0])).cost == listed.cost

    class Arrayed:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.array([1.0, 2.0, 5.0])

    assert SCORE(PROBS, TRUTH, class_weight=Arrayed()).cost == listed.cost


def test_groups_of_several_arrays_have_names_that_differ() -> None:
    report = SCORE(PROBS, TRUTH, by=[SITES, pd.Series(NAMES, name="truth"), TRUTH])
    assert [*dict.fromkeys(column for part in report.by for column in part.group)] == ["by1", "truth", "by3"]


def test_a_frame_of_groups_begins_with_their_names() -> None:
    frame = SCORE(PROBS, TRUTH, by={"site": SITES, "truth": NAMES}).frame("by")
    assert frame.columns[:3].tolist() == ["site", "truth", "examples"]


def test_frames_have_a_column_for_each_metric() -> None:
    report = SCORE(PROBS, TRUTH, by=SITES, by_class=True, metrics=["top2", "accuracy"])
    by, by_class = report.frame("by"), report.frame("by_class")
    assert "metrics" not in {*by.columns, *by_class.columns}
    assert by["top2"].tolist() == [part.metrics["top2"] for part in report.by]
    assert by_class["accuracy"].tolist() == [part.accuracy for part in report.by_class]
