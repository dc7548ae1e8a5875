"""Known mistakes are told from their evidence, and healthy files are left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from xentcli import score
from xentcli.analysis.confidence import is_confidence
from xentcli.scoring.batch import Batch
from xentcli.scoring.losses import Workings
from xentcli.tallies.looks import sure_codes

Array = npt.NDArray[Any]
RNG = np.random.default_rng(8)
N, K = 400, 5
Y = RNG.integers(0, K, N)


def softmax(z: Array) -> Array:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


GOOD = softmax(RNG.normal(size=(N, K)) + 4 * np.eye(K)[Y])


def codes(*files: Any, **options: Any) -> list[str]:
    return [warning.code for warning in score(*files, **options).warnings]


HEALTHY: dict[str, tuple[Array, Array]] = {
    "good": (GOOD, Y),
    "weak": (softmax(RNG.normal(size=(N, K)) * 0.1 + 0.3 * np.eye(K)[Y]), Y),
    "confident": (softmax(20 * np.eye(K)[Y] + RNG.normal(size=(N, K))), Y),
    "two classes, weak": (softmax(RNG.normal(size=(N, 2)) * 0.2 + 0.2 * np.eye(2)[Y % 2]), Y % 2),
    "a rare class": (softmax(0.1 * RNG.normal(size=(N, 3)) + np.array([1.0, 1.0, -4.0])), np.r_[[2] * 3, Y[3:] % 2]),
    "few rows": (GOOD[:20], (Y[:20] + 1) % K),
    "two classes, binary column": (GOOD[:, 0], (Y == 0).astype(int)),
}


@pytest.mark.parametrize("what", HEALTHY)
def test_a_healthy_file_is_left_alone(what: str) -> None:
    assert codes(*HEALTHY[what]) == []


def test_published_files_are_left_alone(goldens: Path) -> None:
    assert codes(goldens / "yardstick" / "hpc_cv.csv", label="obs", preds="VF,F,M,L") == []
    folder = goldens / "expected_cost" / "pneumoniamnist_resnet50"
    assert codes(folder / "scores.npy", folder / "targets.npy", kind="logprobs") == []


@pytest.mark.parametrize("order", [[1, 2, 3, 4, 0], [1, 0, 2, 3, 4], [4, 3, 2, 1, 0]])
def test_columns_in_another_order_are_noticed_with_the_option_that_mends_it(order: list[int]) -> None:
    report = score(GOOD[:, order], Y)
    (warning,) = report.warnings
    assert warning.code == "columns-permuted"
    option = warning.advice.rpartition("--preds ")[2].strip("'")
    assert score(GOOD[:, order], Y, preds=option).cost == pytest.approx(score(GOOD, Y).cost, rel=1e-12)


@pytest.mark.parametrize("block_bytes", [120, 800, 1 << 20])
@pytest.mark.parametrize(("by", "where"), [(1, "before"), (-1, "after")])
def test_rows_that_are_one_apart_are_noticed(by: int, where: str, block_bytes: int) -> None:
    report = score(np.roll(GOOD, by, axis=0), Y, block_bytes=block_bytes)
    assert [warning.code for warning in report.warnings] == ["worse-than-prior", "shifted"]
    assert f"the row {where} it" in report.warnings[1].message


@pytest.mark.parametrize("begin", [None, 0, 30, 150])
@pytest.mark.parametrize("zeros", [False, True])
def test_a_few_rows_decide_whether_the_others_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin: int | None, zeros: bool
) -> None:
    q = GOOD[RNG.permutation(N)] if begin is None else np.r_[GOOD[:begin], np.roll(GOOD[begin:], 1, axis=0)]
    q = np.where(q < 1e-3, 0, q) if zeros else q
    np.savetxt(tmp_path / "p.csv", q / q.sum(axis=1, keepdims=True), "%.17g", ",")
    pd.Series(Y, name="y").to_csv(tmp_path / "y.csv", index=False)
    seen: list[int] = []

    def counted(batch: Batch) -> Workings:
        seen.append(len(batch.rows))
        return Workings(batch)

    monkeypatch.setattr("xentcli.analysis.shifts.Workings", counted)
    whole = score(tmp_path / "p.csv", tmp_path / "y.csv").warnings
    assert sum(seen) == N
    seen.clear()
    monkeypatch.setattr("xentcli.analysis.shifts.FEW", 60)
    monkeypatch.setattr("xentcli.engine.scorer.HEAD_ROWS", 0)
    assert score(tmp_path / "p.csv", tmp_path / "y.csv").warnings == whole
    assert ("shifted" in [warning.code for warning in whole]) == (begin is not None)
    assert (sum(seen) < N) == (begin is None)


def test_rows_in_no_order_are_worse_than_the_prior_and_not_shifted(tmp_path: Path) -> None:
    shuffled = GOOD[RNG.permutation(N)]
    assert codes(shuffled, Y) == ["worse-than-prior"]
    np.save(tmp_path / "p.npy", shuffled)
    pd.Series(Y, name="y").to_csv(tmp_path / "y.csv", index=False)
    assert codes(tmp_path / "p.npy", tmp_path / "y.csv") == ["worse-than-prior"]


def test_a_softmax_of_a_softmax_is_noticed() -> None:
    assert codes(softmax(GOOD), Y) == ["softmax-twice"]
    y = np.arange(N) % 10
    assert codes(softmax(softmax(4 * np.eye(10)[y])), np.r_[(y[0] + 1) % 10, y[1:]]) == ["softmax-twice"]


def test_labels_that_are_the_predicted_class_are_noticed_where_that_is_implausible() -> None:
    # Each row costs ln 2: a chance below one in a million from 20 rows on.
    q, y = np.tile([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]], (10, 1)), np.tile([0, 1], 10)
    assert codes(q, y) == ["label-is-prediction"]
    assert codes(q[:19], y[:19]) == codes(q, np.r_[y[:19], 2]) == codes(q[::2], y[::2]) == []
    frame = pd.DataFrame(q, columns=["0", "1", "2"]).assign(y=y, predicted=y, w=7e-9, u=np.r_[[7e-9] * 10, [0.0] * 10])
    preds = "0,1,2"
    assert codes(frame, label="y", preds=preds, weights="w") == ["label-is-prediction"]
    assert codes(frame, label="y", preds=preds, weights="u") == []
    # Squares of these weights are 0 or infinite: nothing is said, and nothing breaks.
    for weight in (1e-200, 1e-170, 1e170):
        assert codes(frame.assign(w=weight), label="y", preds=preds, weights="w") == []
    # A name that says so needs less.
    assert codes(frame[:5], label="predicted", preds=preds) == ["label-is-prediction"]
    assert codes(frame[:5], label="y", preds=preds) == []


@pytest.mark.parametrize("block_bytes", [64, 1 << 20])
def test_labels_that_are_a_threshold_of_the_predictions_are_noticed_where_that_is_implausible(block_bytes: int) -> None:
    q = RNG.uniform(size=N)

    def of(y: Array, q: Array = q, name: str = "predicted", **more: Any) -> list[str]:
        frame = pd.DataFrame({"q": q, "other": 1 - q, name: y, **more})
        one, two = (
            codes(frame, label=name, preds=preds, block_bytes=block_bytes, weights="w" if more else None)
            for preds in ("q", "other,q")
        )
        assert one == two
        return one

    assert "label-is-prediction" in of((q > 0.3).astype(int))
    # Another name; one row on the other side; labels drawn by the probabilities; a threshold of a sure model; weights.
    assert of((q > 0.3).astype(int), name="y") == []
    assert "label-is-prediction" not in of((q > 0.3).astype(int) ^ (q == q.max()))
    assert of((RNG.uniform(size=N) < q).astype(int)) == []
    sure = np.r_[np.full(50, 0.001), 0.3, np.full(50, 0.999)]
    assert of(np.r_[np.zeros(50, int), np.ones(51, int)], sure) == []
    assert of((q > 0.3).astype(int), w=np.r_[1.0, np.full(N - 1, 2.0)]) == []


@pytest.mark.parametrize("block_bytes", [64, 1 << 20])
def test_the_confidence_of_the_predicted_class_is_noticed(block_bytes: int) -> None:
    q = RNG.uniform(size=N)
    y = (RNG.uniform(size=N) < q).astype(int)
    assert codes(q, y, block_bytes=block_bytes) == []
    assert codes(np.maximum(q, 1 - q), y, block_bytes=block_bytes)[0] == "confidence-of-prediction"
    # A model that is never below 0.5 and right about it.
    high = 0.5 + q / 2
    assert codes(high, (RNG.uniform(size=N) < high).astype(int)) == []
    assert "confidence-of-prediction" in codes(np.full(10, 0.9), np.arange(10) % 2)
    assert codes(np.full(9, 0.9), np.arange(9) % 2) == []


def suspected(log_odds: Array, positive: Array) -> bool:
    return is_confidence(*np.unique(sure_codes(1 / (1 + np.exp(-log_odds)), positive), return_counts=True))


@pytest.mark.parametrize(
    ("rows", "share", "least"),
    [
        (40, 0.5, 0.95),
        (40, 0.65, 0.5),
        (200, 0.5, 1),
        (200, 0.65, 0.99),
        (200, 0.8, 0.6),
        (2000, 0.2, 1),
        (2000, 0.85, 0.95),
        (20000, 0.9, 0.95),
    ],
)
def test_confidences_are_told_from_probabilities_whatever_the_share_of_positives(
    rows: int, share: float, least: float
) -> None:
    found, rng = 0, np.random.default_rng(5)
    for _ in range(200):
        # Log-odds of a model that knows its labels fairly well; folded at 0 they are those of the predicted class.
        odds = rng.normal(1.86 * np.log(share / (1 - share)), 2.5, rows)
        positive = rng.uniform(size=rows) < 1 / (1 + np.exp(-odds))
        found += suspected(abs(odds), positive)
    assert found >= 200 * least


@pytest.mark.parametrize("rows", [10, 40, 400])
@pytest.mark.parametrize(
    ("values", "slope", "most"),
    [
        # Calibrated, about 92 %, 88 %, 75 % and 70 % positives: above 0.5 by nature, or just so.
        (lambda rng, n: rng.uniform(1.5, 4, n), 1, 0.01),
        (lambda rng, n: rng.gamma(4, 0.5, n), 1, 0.01),
        (lambda rng, n: abs(rng.normal(0, 2, n)), 1, 0.015),
        (lambda rng, n: abs(rng.normal(0, 1, n)), 1, 0.015),
        # Too sure by a fifth.
        (lambda rng, n: rng.uniform(1.5, 4, n), 0.8, 0.02),
        (lambda rng, n: rng.gamma(8, 0.4, n), 0.8, 0.02),
    ],
)
def test_probabilities_that_happen_to_be_above_a_half_are_not_taken_for_confidences(
    rows: int, values: Callable[[np.random.Generator, int], Any], slope: float, most: float
) -> None:
    found, rng = 0, np.random.default_rng(6)
    for _ in range(400):
        odds = values(rng, rows)
        found += suspected(odds, rng.uniform(size=rows) < 1 / (1 + np.exp(-slope * odds)))
    assert found <= 400 * most


def test_a_model_that_knows_nothing_is_not_said_to_be_worse_than_the_prior() -> None:
    assert codes(np.full((N, K), 1 / K), Y) == ["never-predicted"]


def test_a_class_that_is_never_predicted_is_noticed() -> None:
    q = GOOD.copy()
    q[:, 3] = 1e-3
    q /= q.sum(axis=1, keepdims=True)
    report = score(q, Y)
    found = [warning for warning in report.warnings if warning.code == "never-predicted"]
    assert len(found) == 1 and f"3 ({(Y == 3).sum()} rows)" in found[0].message


@pytest.mark.parametrize("what", ["permuted", "shifted", "twice"])
def test_blocks_and_threads_find_the_same(what: str) -> None:
    q = {"permuted": GOOD[:, [1, 2, 3, 4, 0]], "shifted": np.roll(GOOD, 1, axis=0), "twice": softmax(GOOD)}[what]
    whole = score(q, Y).warnings
    assert whole
    for block_bytes, threads in ((80, 1), (777, 3)):
        assert score(q, Y, block_bytes=block_bytes, threads=threads).warnings == whole


def test_soft_targets_and_kinds_without_labels_have_no_findings() -> None:
    assert codes(GOOD[:, ::-1], np.full((N, K), 1 / K)) == []
    assert codes(np.full(N, 0.01), kind="true-probs") == []
