"""--multilabel: independent binary labels, one per class, and figures are means over columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss

from tests.conftest import Run, Write
from tests.laws import settings
from xentcli import score
from xentcli.errors import DataError, UsageError
from xentcli.report.per_example import PerExample
from xentcli.report.report import Report

laws = settings(deadline=None, max_examples=40)


def tables(rows: int, columns: int, seed: int, soft: bool = False) -> tuple[Any, Any, Any]:
    random = np.random.default_rng(seed)
    q = random.random((rows, columns))
    y = (random.random((rows, columns)) < q).astype(float)
    if soft:
        y[0, 0] = 0.25
    return q, y, random.choice([1.0, 0.5, 3.0], rows)


shapes = st.tuples(st.integers(1, 12), st.integers(1, 6), st.integers(0, 2**32))


@laws
@given(shapes, st.booleans(), st.sampled_from(["probs", "logits", "logprobs"]))
def test_every_figure_is_the_mean_of_those_of_the_columns(
    shape: tuple[int, int, int], weighted: bool, kind: str
) -> None:
    q, y, weight = tables(*shape)
    given_ = {"probs": q, "logits": np.log(q) - np.log1p(-q), "logprobs": np.log(q)}[kind]
    options: dict[str, Any] = {"kind": kind}
    labels = np.column_stack([y, weight]) if weighted else y
    if weighted:
        options |= {"label": f"#1:#{y.shape[1]}", "weights": f"#{y.shape[1] + 1}"}
    whole = score(given_, labels, multilabel=True, **options)
    if weighted:
        options |= {"label": "#1", "weights": "#2"}
    columns = [
        score(given_[:, c : c + 1], np.column_stack([y[:, c], weight]) if weighted else y[:, c], **options)
        for c in range(y.shape[1])
    ]
    for name in ("cost", "brier", "accuracy", "prior"):
        assert whole.value(name) == pytest.approx(np.mean([c.value(name) for c in columns]), rel=1e-12)
    assert whole.labels.matched == "multilabel"
    assert whole.labels.counts == tuple(int(n) for n in y.sum(axis=0))


@laws
@given(shapes)
def test_one_column_is_the_binary_score(shape: tuple[int, int, int]) -> None:
    q, y, _ = tables(*shape)
    one, two = score(q[:, 0], y[:, 0], multilabel=True), score(q[:, 0], y[:, 0])
    for name in ("cost", "standard_error", "brier", "accuracy", "prior", "perplexity", "skill"):
        assert one.value(name) == two.value(name)


def test_scikit_learn_agrees() -> None:
    q, y, _ = tables(200, 4, 7)
    report = score(q, y, multilabel=True)
    columns = range(4)
    assert report.cost == pytest.approx(np.mean([log_loss(y[:, c], q[:, c]) for c in columns]), rel=1e-12)
    assert report.brier == pytest.approx(2 * np.mean([brier_score_loss(y[:, c], q[:, c]) for c in columns]), rel=1e-12)
    assert report.accuracy == pytest.approx(np.mean([accuracy_score(y[:, c], q[:, c] > 0.5) for c in columns]))


def same(report: Report) -> str:
    plain = report.to_dict()
    return json.dumps({name: plain[name] for name in plain if name not in ("inputs", "options")})


@laws
@given(shapes, st.sampled_from([1, 50, 1 << 20]), st.sampled_from([1, 3]))
def test_blocks_and_threads_change_no_bit(shape: tuple[int, int, int], block: int, threads: int) -> None:
    q, y, _ = tables(*shape)
    expected = same(score(q, y, multilabel=True, by_class=True, worst=2))
    found = score(q, y, multilabel=True, by_class=True, worst=2, block_bytes=block, threads=threads)
    assert same(found) == expected


def test_soft_targets_have_an_entropy_and_no_accuracy() -> None:
    q, y, _ = tables(30, 3, 1, soft=True)
    report = score(q, y, multilabel=True)
    entropy = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75)) / 90
    assert report.accuracy is None
    assert report.labels.counts is None
    assert report.target_entropy == pytest.approx(entropy)
    assert report.kl == pytest.approx(report.cost - entropy)


def test_by_class_is_by_column_and_adds_up() -> None:
    q, y, _ = tables(30, 3, 1)
    report = score(q, y, multilabel=True, by_class=True)
    assert [part.examples for part in report.by_class] == [30] * 3
    assert sum(part.share or 0 for part in report.by_class) == pytest.approx(1)
    assert np.mean([part.cost for part in report.by_class]) == pytest.approx(report.cost)


def test_zero_at_the_truth_is_infinite_and_clips() -> None:
    q, y = np.array([[0.0, 0.5], [0.5, 0.5]]), np.array([[1, 0], [0, 1]])
    report = score(q, y, multilabel=True)
    assert (report.cost, report.infinite.count, report.infinite.rows) == (np.inf, 1, (1,))
    clipped = score(q, y, multilabel=True, clip=1e-3)
    assert clipped.cost == pytest.approx((-np.log(1e-3) - 3 * np.log(0.5)) / 4)


def test_columns_are_matched_by_name(xent: Run, write: Write) -> None:
    write("q.csv", "rain,wind\n0.9,0.2\n0.8,0.7\n")
    write("y.csv", "wind,rain\n0,1\n1,1\n")
    report = json.loads(xent("score", "q.csv", "y.csv", "--multilabel", "--format", "json").stdout)
    assert report["cost"] == pytest.approx(-np.log([0.9, 0.8, 0.8, 0.7]).mean())
    assert report["classes"] == ["rain", "wind"]
    assert report["labels"]["matched"] == "multilabel"


def test_a_row_has_no_label_and_no_probability_of_it() -> None:
    seen: list[PerExample] = []
    q, y, _ = tables(4, 2, 3)
    report = score(q, y, multilabel=True, worst=1, sink=seen.append)
    assert seen[0].labels is None
    assert np.isnan(seen[0].probability).all()
    assert np.mean(seen[0].loss) == pytest.approx(report.cost)
    assert (report.worst[0].label, report.worst[0].predicted, report.worst[0].probability) == (None, None, None)


@pytest.mark.parametrize(
    "option",
    [
        {"positive": "a"},
        {"index_base": 1},
        {"class_weight": "balanced"},
        {"label_smoothing": 0.1},
        {"renormalize": True},
        {"compat": "sklearn"},
        {"metrics": "top2"},
        {"kind": "losses"},
    ],
)
def test_what_takes_a_row_as_one_problem_is_refused(option: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        score([[0.5, 0.5]], [[0, 1]], multilabel=True, **option)


def test_a_label_that_is_neither_is_refused_with_its_place(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "y.csv", [[0, 1], [0, 2]], delimiter=",", header="a,b", comments="")
    with pytest.raises(DataError, match=r"row 2 .*: 2 where 0, 1 or a probability between"):
        score([[0.5, 0.5], [0.5, 0.5]], tmp_path / "y.csv", multilabel=True)


def test_a_probability_outside_is_refused_with_its_column() -> None:
    with pytest.raises(DataError, match=r"row 2, column #1: 1.5 is not a probability"):
        score([[0.5, 0.5], [1.5, 0.5]], [[0, 1], [1, 1]], multilabel=True)


def test_a_stray_column_beside_labels_of_other_names_is_not_taken(write: Write) -> None:
    q = write("q.csv", "rain,age\n0.9,0.2\n")
    y = write("y.csv", "a,b\n0,1\n")
    with pytest.raises(DataError, match="which columns are probabilities"):
        score(q, y, multilabel=True)


def test_rows_that_do_not_sum_to_one_are_told_of_it(write: Write) -> None:
    with pytest.raises(DataError, match="--multilabel"):
        score([[0.9, 0.8]], [0])
    with pytest.raises(DataError, match="--multilabel"):
        score([[0.5, 0.5]], [[1, 1]])


def test_a_cost_above_the_prior_is_told() -> None:
    q, y, _ = tables(300, 3, 5)
    assert "worse-than-prior" in {warning.code for warning in score(q[::-1], y, multilabel=True).warnings}
    assert not score(q, y, multilabel=True).warnings
