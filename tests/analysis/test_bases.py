"""Labels counted from 1, the last class without a row: a warning gives both costs and the option."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import log_softmax

from tests.conftest import Run
from tests.laws import settings, some_of
from xentcli import score
from xentcli.errors import Warning
from xentcli.report.report import Report

Array = npt.NDArray[Any]
RNG = np.random.default_rng(14)
N, K = 200, 4
TRUTH = RNG.integers(0, K - 1, N)
Z = RNG.normal(size=(N, K)) + 3 * np.eye(K)[TRUTH]
LOGQ = log_softmax(Z, axis=1)
Q = np.exp(LOGQ)
LABELS = TRUTH + 1
WEIGHT = RNG.integers(0, 4, N).astype(float)


def warned(report: Report) -> Warning | None:
    return next((warning for warning in report.warnings if warning.code == "index-base"), None)


def costs_in(warning: Warning) -> list[float]:
    """The two costs of the message: from 0, and from 1."""
    found = re.search(r"the cost is (\S+) (\w+); counted from 1 it would be (\S+) \2$", warning.message)
    assert found, warning.message
    return [float(found[1]), float(found[3])]


WAYS: dict[str, tuple[Any, dict[str, Any]]] = {
    "probabilities": (Q, {}),
    "logits": (Z, {"kind": "logits"}),
    "log-probabilities": (LOGQ, {"kind": "logprobs"}),
    "floats": (Z.astype("f4"), {"kind": "logits"}),
    "halves": (Z.astype("f2"), {"kind": "logits"}),
    "many classes": (np.hstack([Z, RNG.normal(size=(N, 60)) - 9]), {"kind": "logits"}),
    "large logits": (400 * Z, {"kind": "logits"}),
    "masked logits": (np.hstack([Z, np.full((N, 1), -np.inf)]), {"kind": "logits"}),
    "in bits": (Q, {"base": "2"}),
    "clipped": (Q, {"clip": 0.1}),
    "smoothed": (Q, {"label_smoothing": 0.1}),
    "renormalised": (2 * Q, {"renormalize": True}),
    "scaled": (100 * Q, {"scale": 0.01}),
    "classes weighted": (Q, {"class_weight": {"0": 3.0, "2": 0.5}}),
    "a class of weight 0": (Q, {"class_weight": {"1": 0.0, "2": 0.5}}),
    "classes weighted, smoothed": (Z, {"kind": "logits", "class_weight": {"0": 3.0}, "label_smoothing": 0.2}),
    "named 0 to K-1": (pd.DataFrame(Q, columns=list("0123")), {}),
    "a prefix and 0 to K-1": (pd.DataFrame(Q, columns=["p0", "p1", "p2", "p3"]), {}),
    "named by words": (pd.DataFrame(Q, columns=list("abcd")), {}),
    "classes given": (Q, {"classes": "a,b,c,d"}),
}


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_both_costs_and_the_option_are_told(way: str, weights: bool) -> None:
    preds, options = WAYS[way]
    labels = pd.DataFrame({"y": LABELS, "w": WEIGHT})
    options = {**options, "label": "y", **({"weights": "w"} if weights else {})}
    report = score(preds, labels, **options)
    warning = warned(report)
    assert warning is not None
    from_0, from_1 = (score(preds, labels, index_base=base, **options) for base in (0, 1))
    assert costs_in(warning) == pytest.approx([from_0.cost, from_1.cost], rel=1e-3)
    assert report.cost == from_0.cost
    assert "--index-base 1" in warning.advice and "--index-base 0" in warning.advice
    assert warned(from_0) is None and warned(from_1) is None
    # What else the labels show is of the wrong classes.
    assert {w.code for w in report.warnings} <= {"index-base", "renormalized", "infinite"}


@pytest.mark.parametrize("kind", ["probs", "logits", "logprobs"])
def test_one_column_of_which_every_label_is_1(kind: Any) -> None:
    q = np.linspace(0.01, 0.2, 9)
    column = {"probs": q, "logits": np.log(q / (1 - q)), "logprobs": np.log(q)}[kind]
    warning = warned(score(column, np.ones(9, int), kind=kind))
    assert warning is not None
    assert costs_in(warning) == pytest.approx([-np.log(q).mean(), -np.log1p(-q).mean()], rel=1e-3)


@functools.cache
def whole_of(way: str) -> Any:
    preds, options = WAYS[way]
    return score(preds, LABELS, **options).warnings


@pytest.mark.parametrize(
    ("block_bytes", "threads", "way"),
    some_of(
        [1, 1000, 1 << 20],
        [1, 3],
        ["probabilities", "logits", "log-probabilities", "large logits", "classes weighted"],
        of=2,
    ),
)
def test_blocks_and_threads_change_no_digit(way: str, block_bytes: int, threads: int) -> None:
    preds, options = WAYS[way]
    whole = whole_of(way)
    assert whole
    assert score(preds, LABELS, block_bytes=block_bytes, threads=threads, **options).warnings == whole


def test_the_command_says_so_and_its_advice_leads_to_the_cost(tmp_path: Path, xent: Run) -> None:
    np.savetxt(tmp_path / "p.csv", Q, delimiter=",", fmt="%.17g")
    np.savetxt(tmp_path / "l.csv", LABELS, fmt="%d")
    shown = xent("score", "p.csv", "l.csv").stdout
    assert "--index-base 1" in shown
    (warning,) = json.loads(xent("score", "p.csv", "l.csv", "--format", "json").stdout)["warnings"]
    assert warning["code"] == "index-base"
    followed = float(xent("score", "p.csv", "l.csv", "--index-base", "1", "--quiet").stdout)
    assert followed == pytest.approx(-LOGQ[np.arange(N), TRUTH].mean(), rel=1e-12)
    assert f"{followed:.4g}" in shown
    assert "--index-base 1" in xent("explain", "p.csv", "l.csv").stdout
    stream = xent("score", "p.csv", "-", input=(tmp_path / "l.csv").read_text())
    assert f"{followed:.4g}" in stream.stdout


def test_rows_matched_by_id_are_compared_too() -> None:
    preds = pd.DataFrame(Q, columns=list("0123")).assign(id=[f"r{row}" for row in range(N)])
    labels = pd.DataFrame({"id": preds["id"], "y": LABELS})[::-1]
    warning = warned(score(preds, labels, id="id"))
    assert warning is not None
    assert costs_in(warning)[1] == pytest.approx(-LOGQ[np.arange(N), TRUTH].mean(), rel=1e-3)


def with_first(label: int) -> Array:
    return np.concatenate([[label], LABELS[1:]])


LEFT_ALONE: dict[str, Callable[[], Report]] = {
    "a 0 occurs": lambda: score(Q, with_first(0)),
    "no 1 occurs": lambda: score(Q, np.where(LABELS == 1, 2, LABELS)),
    "labels counted from 0": lambda: score(np.roll(Q, 1, axis=1), LABELS),
    "one row": lambda: score([[0.9, 0.05, 0.05]], [1]),
    "names": lambda: score(pd.DataFrame(Q, columns=["1", "2", "3", "4"]), LABELS),
    "distributions": lambda: score(Q, np.eye(K)[LABELS]),
    "a soft label of one column": lambda: score([0.1, 0.2, 0.1], [1, 1, 0.5]),
    "each column of its own": lambda: score(Q, np.ones((N, K)), multilabel=True),
    "the same either way": lambda: score(np.full((N, K), 1 / K), LABELS),
    "no labels": lambda: score(Q[:, 0], kind="true-probs"),
}


@pytest.mark.parametrize("what", LEFT_ALONE)
def test_nothing_is_said_where_labels_show_or_options_say_how_they_count(what: str) -> None:
    assert warned(LEFT_ALONE[what]()) is None


def test_a_0_after_those_that_decide_the_rule_is_seen(tmp_path: Path) -> None:
    rows = 70_000
    preds = np.tile(Q, (rows // N, 1))
    labels = np.tile(LABELS, rows // N)
    assert warned(score(preds, labels)) is not None
    labels[-1] = 0
    assert warned(score(preds, labels, threads=2)) is None


@pytest.mark.parametrize("how", ["ignored", "of weight 0"])
def test_a_0_that_does_not_count_says_nothing(how: str) -> None:
    labels = pd.DataFrame({"y": with_first(0), "w": np.r_[0.0, np.ones(N - 1)]})
    options: dict[str, Any] = {"ignore_label": "0"} if how == "ignored" else {"weights": "w"}
    warning = warned(score(Q, labels, label="y", **options))
    assert warning is not None
    assert costs_in(warning)[1] == pytest.approx(-LOGQ[np.arange(N), TRUTH][1:].mean(), rel=1e-3)


@pytest.mark.parametrize("kind", ["probs", "logits"])
def test_hard_predictions_are_compared_by_the_rows_that_are_infinite(kind: Any) -> None:
    hard = np.eye(K)[TRUTH]
    preds = hard if kind == "probs" else np.where(hard > 0, 0.0, -np.inf)
    warning = warned(score(preds, LABELS, kind=kind))
    assert warning is not None
    assert costs_in(warning) == [math.inf, 0.0]
    # One infinite row is chance.
    few = np.where(np.arange(N)[:, None] == 3, np.eye(K)[0], np.roll(Q, 1, axis=1))
    assert warned(score(few, np.where(np.arange(N) == 3, 1, LABELS))) is None


@given(
    gains=st.lists(st.integers(-8, 8).map(lambda n: n / 4), min_size=2, max_size=12),
    weights=st.lists(st.integers(1, 3), min_size=12, max_size=12),
)
@settings(deadline=None, max_examples=150)
def test_the_cost_must_be_lower_by_more_than_two_standard_errors(gains: list[float], weights: list[int]) -> None:
    d, w = np.array(gains), np.array(weights[: len(gains)], dtype=float)
    mean = (w * d).sum() / w.sum()
    n = len(d)
    error = math.sqrt(n / (n - 1) * ((w * (d - mean)) ** 2).sum()) / w.sum()
    assume(abs(mean - 2 * error) > 1e-9)
    # The logit of class 0 is above that of class 1 by the gain.
    logits = np.stack([d, np.zeros(n), np.full(n, -3.0)], axis=1)
    labels = pd.DataFrame({"y": np.ones(n, int), "w": w})
    report = score(logits, labels, label="y", weights="w", kind="logits")
    assert (warned(report) is not None) == (mean > 2 * error)
