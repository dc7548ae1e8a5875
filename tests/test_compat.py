"""The number as another tool computes it: scikit-learn's own, and the vectors of the others."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss

from xentcli import score
from xentcli.compat import COMPAT
from xentcli.errors import UsageError

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 4, 400)
SPARSE = RNG.dirichlet(np.full(4, 0.05), 400)


@pytest.mark.parametrize(("dtype", "tolerance"), [("f8", 1e-13), (">f8", 1e-13), ("f4", 1e-6)])
@pytest.mark.parametrize("weighted", [False, True])
def test_sklearn_is_what_scikit_learn_says(dtype: str, tolerance: float, weighted: bool, tmp_path: Path) -> None:
    q = SPARSE.astype(dtype)
    weight = RNG.uniform(0, 2, 400) if weighted else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want = log_loss(Y, q, labels=range(4), sample_weight=weight)
    np.save(tmp_path / "q.npy", q)
    options: dict[str, Any] = {"compat": "sklearn"}
    if weight is not None:
        np.save(tmp_path / "w.npy", weight)
        options["weights"] = f"@{tmp_path}/w.npy"
    report = score(tmp_path / "q.npy", Y, **options)
    assert report.cost == pytest.approx(want, rel=tolerance)
    assert report.clip is not None and report.clip.eps == np.finfo(q.dtype).eps
    assert report.compat is not None and report.compat.startswith("scikit-learn")
    assert report.options["clip"].by == "compat" and report.options["compat"].by == "flag"


def test_sklearn_of_one_column_is_what_scikit_learn_says() -> None:
    q, y = np.array([0.0, 0.7, 0.6, 0.2, 0.3]), [1, 1, 1, 0, 0]
    assert score(q, y, compat="sklearn").cost == pytest.approx(log_loss(y, q), rel=1e-14)


def test_yardstick_gives_its_published_figure(goldens: Path) -> None:
    path = goldens / "yardstick" / "hpc_cv.csv"
    options: dict[str, Any] = {"label": "obs", "preds": "VF,F,M,L", "compat": "yardstick"}
    assert score(path, **options).cost == pytest.approx(0.8021367509, abs=5e-11)
    assert score(path, **options, weights="weight").cost == pytest.approx(0.8002778369, abs=5e-11)
    folds = score(path, **options, by="Resample").by
    assert [part.group["Resample"] for part in folds] == [f"Fold{i:02}" for i in range(1, 11)]


def test_kaggle_divides_by_the_row_sum_and_clips_at_1e_15() -> None:
    q = np.array([[0.2, 0.3], [0.0, 2.0]])
    report = score(q, [1, 0], compat="kaggle")
    assert report.cost == pytest.approx((-math.log(0.6) - math.log(1e-15)) / 2, rel=1e-14)
    assert score([0.0, 0.5], [1, 1], compat="kaggle").cost == pytest.approx((math.log(2) - math.log(1e-15)) / 2)


def test_xgboost_clips_at_1e_16() -> None:
    assert score(np.array([[0.0, 1.0]]), [0], compat="xgboost").cost == pytest.approx(-math.log(1e-16), rel=1e-14)


def test_torch_divides_the_loss_of_distributions_by_the_rows() -> None:
    z, weights = np.array([[2.3, 2.1, 4.5], [4.2, 3.2, 5.1]]), {"0": 25, "1": 25, "2": 100}
    one_hot = np.eye(3)[[1, 2]]
    options: dict[str, Any] = {"kind": "logits", "class_weight": weights}
    assert score(z, [1, 2], **options, compat="torch").cost == pytest.approx(0.870484, abs=5e-7)
    told = score(z, one_hot, **options, compat="torch")
    assert told.cost == pytest.approx(54.40522, abs=5e-6)
    assert told.compat is not None and "number of rows" in told.compat
    assert score(z, one_hot, **options).cost == pytest.approx(0.870484, abs=5e-7)


@pytest.mark.parametrize("name", COMPAT)
def test_an_explicit_clip_contradicts_every_tool(name: str) -> None:
    kind = COMPAT[name].kinds[0]
    with pytest.raises(UsageError, match=f"--compat {name}"):
        score([[0.5, 0.5]], [0], kind=kind, compat=name, clip=1e-9)
    for other in {"probs", "logits", "losses"} - set(COMPAT[name].kinds):
        with pytest.raises(UsageError, match="takes --kind"):
            score([[0.5, 0.5]], kind=other, compat=name)


def test_a_tool_that_is_not_known_is_refused() -> None:
    with pytest.raises(UsageError, match="--compat is one of"):
        score([[0.5, 0.5]], [0], compat="keras")
