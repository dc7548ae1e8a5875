"""Class weights, label smoothing, ignored labels: torch's formula, for every form of a target."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Write
from tests.laws import settings
from xentcli import score
from xentcli.errors import DataError, UsageError
from xentcli.report.report import Report

Q = np.array([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.25, 0.25, 0.5], [0.5, 0.375, 0.125]])
Y = np.array([0, 1, 0, 2])
SOFT = np.array([[0.5, 0.25, 0.25], [0, 1, 0], [0.75, 0.0, 0.25], [0.25, 0.5, 0.25]])


def figures(report: Report) -> tuple[Any, ...]:
    return report.cost, report.standard_error, report.interval, report.accuracy, report.brier, report.prior


def by_hand(target: np.ndarray[Any, Any], weights: list[float], smoothing: float) -> float:
    """The formula of the contract, term by term."""
    above, below = 0.0, Fraction(0)
    for q, y in zip(Q, target, strict=True):
        for c in range(3):
            spread = (1 - smoothing) * y[c] + smoothing / 3
            above += weights[c] * spread * -math.log(q[c])
            below += Fraction(weights[c]) * Fraction(y[c])
    return above / float(below)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.75])
@pytest.mark.parametrize("weights", [[1.0, 1.0, 1.0], [2.0, 0.5, 3.0]])
@pytest.mark.parametrize("soft", [False, True])
def test_the_cost_is_that_of_the_formula(soft: bool, weights: list[float], smoothing: float) -> None:
    options: dict[str, Any] = {
        "class_weight": [f"{c}={w}" for c, w in enumerate(weights)],
        "label_smoothing": smoothing,
    }
    target = SOFT if soft else np.eye(3)[Y]
    for preds, kind in ((Q, "probs"), (np.log(Q), "logprobs"), (np.log(Q) + 5, "logits")):
        report = score(preds, SOFT if soft else Y, kind=kind, **options)  # type: ignore[arg-type]
        assert report.cost == pytest.approx(by_hand(target, weights, smoothing), rel=1e-14)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [(), ("0=2", "2=.5")])
def test_an_index_and_its_one_hot_target_cost_the_same_bits(weights: tuple[str, ...], smoothing: float) -> None:
    options: dict[str, Any] = {"class_weight": weights, "label_smoothing": smoothing}
    one, other = score(Q, Y, **options), score(Q, np.eye(3)[Y], **options)
    assert figures(one) == figures(other)


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0.01, 5)), min_size=2, max_size=9))
@settings(deadline=None, max_examples=40)
def test_class_weights_of_1_and_smoothing_of_0_are_none(rows: list[tuple[int, float]]) -> None:
    labels = [label for label, _ in rows]
    q = np.array([[0.2 + 0.1 * label, 0.5, 0.3 - 0.1 * label] for label in labels])
    preds = pd.DataFrame(q, columns=["a", "b", "c"]).assign(w=[weight for _, weight in rows])
    plain = score(preds, labels, weights="w", index_base=0)
    same = score(preds, labels, weights="w", index_base=0, class_weight={"a": 1, "b": 1.0}, label_smoothing=0.0)
    assert figures(plain) == figures(same)
    assert plain.target_entropy is same.target_entropy is None


def test_a_class_weight_is_a_row_weight_where_labels_are_hard() -> None:
    weights = np.array([2.0, 0.5, 3.0])
    frame = pd.DataFrame(Q, columns=["a", "b", "c"]).assign(w=weights[Y])
    one = score(Q, Y, class_weight={"0": 2, "1": 0.5, "2": 3})
    other = score(frame, Y, weights="w", index_base=0)
    assert figures(one) == figures(other)
    assert one.weight_sum == 7.5


def test_a_class_of_weight_0_is_left_out_and_counted() -> None:
    report = score(Q, Y, class_weight={"0": 0})
    assert report.examples.zero_weight == 2
    assert report.cost == pytest.approx(-(math.log(0.75) + math.log(0.125)) / 2, rel=1e-15)


@pytest.mark.parametrize("as_soft", [False, True])
def test_what_smoothing_and_class_weights_leave_without_meaning_is_null_with_a_reason(as_soft: bool) -> None:
    smoothed = score(Q, SOFT if as_soft else Y, label_smoothing=0.1)
    assert (smoothed.prior, smoothed.skill, smoothed.nce) == (None, None, None)
    assert smoothed.undefined["prior"] == "labels are smoothed"
    assert (smoothed.target_entropy, smoothed.kl) == (None, None)
    weighted = score(Q, SOFT, class_weight={"0": 2})
    assert (weighted.target_entropy, weighted.kl) == (None, None)
    assert weighted.undefined["kl"] and weighted.prior is not None


def test_a_zero_that_smoothing_meets_is_infinite() -> None:
    q = np.array([[1.0, 0.0], [0.5, 0.5]])
    assert score(q, [0, 0]).cost == pytest.approx(math.log(2) / 2)
    assert score(q, [0, 0], label_smoothing=0.1).infinite.rows == (1,)


IGNORED: dict[str, tuple[Any, str]] = {
    "integers": (np.array([0, -100, 1, 2]), "-100"),
    "floats": (np.array([0, -100.0, 1, 2]), "-100"),
    "nan": (np.array([0, np.nan, 1, 2]), "nan"),
    "texts": (["0", "unknown", "1", "2"], "unknown"),
    "targets": (np.array([[1, 0, 0], [-1, -1, -1], [0, 1, 0], [0, 0, 1.0]]), "-1"),
    "unsigned": (np.array([0, 255, 1, 2], dtype=np.uint8), "255"),
}


@pytest.mark.parametrize("what", IGNORED)
def test_an_ignored_row_is_as_good_as_deleted(what: str) -> None:
    labels, name = IGNORED[what]
    q = Q.copy()
    q[1] = [np.nan, 7, -3]
    report = score(q, labels, ignore_label=name)
    kept = np.array([0, 2, 3])
    rest = [labels[i] for i in kept] if isinstance(labels, list) else labels[kept]
    assert figures(report) == figures(score(Q[kept], rest))
    assert (report.examples.read, report.examples.ignored, report.examples.scored) == (4, 1, 3)
    assert report.examples.zero_weight == 0


def test_an_ignored_label_has_nan_among_the_losses_and_is_read_back(write: Write, tmp_path: Any) -> None:
    from xentcli.writers.per_example import per_example_sink

    with per_example_sink(str(tmp_path / "l.npy")) as sink:
        first = score(Q, np.array([0, -100, 1, 2]), ignore_label="-100", sink=sink)
    assert np.isnan(np.load(tmp_path / "l.npy")).tolist() == [False, True, False, False]
    again = score(tmp_path / "l.npy", kind="losses", ignore_label="nan")
    assert figures(again)[:3] == figures(first)[:3]
    assert again.examples == first.examples
    with pytest.raises(DataError, match="nan is not a loss"):
        score(tmp_path / "l.npy", kind="losses")


def test_an_ignored_first_label_has_no_say_in_the_rule() -> None:
    preds = pd.DataFrame(Q, columns=["cat", "dog", "emu"])
    report = score(preds, ["?", "cat", "dog", "emu"], ignore_label=["?", "!"])
    assert report.labels.matched == "name"
    assert report.examples.ignored == 1


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"class_weight": "cat"}, UsageError, "NAME=W"),
        ({"class_weight": ["0=-1"]}, UsageError, "NAME=W"),
        ({"class_weight": ["0=nan"]}, UsageError, "NAME=W"),
        ({"class_weight": ["0=1", "0=2"]}, UsageError, "given twice"),
        ({"class_weight": ["cow=2"]}, DataError, "'cow' is not a class"),
        ({"label_smoothing": 1.0000001}, UsageError, "--label-smoothing is from 0 to 1"),
        ({"label_smoothing": math.nan}, UsageError, "--label-smoothing"),
        ({"label_smoothing": -0.1}, UsageError, "--label-smoothing"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        score(Q, Y, **options)
    assert message in str(caught.value)


def test_what_needs_labels_is_refused_without_them() -> None:
    for options in ({"class_weight": {"0": 2}}, {"label_smoothing": 0.1}):
        with pytest.raises(UsageError, match="needs no labels"):
            score(np.array([0.5]), kind="true-probs", **options)
