"""--class-weight with --multilabel: the weights of the positives, as torch's BCEWithLogitsLoss(pos_weight=...) has them."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pandas as pd
import pytest

import xentcli
from tests.conftest import Call
from xentcli.errors import DataError, UsageError

N, NAMES = 40, ("rash", "cough", "fever")
RNG = np.random.default_rng(23)
Z = RNG.normal(size=(N, 3)) * 2
Y = (RNG.random((N, 3)) < (0.1, 0.3, 0.5)).astype(float)
POSITIVE = np.array([9.0, 2.5, 1.0])
GIVEN = {"rash": 9.0, "cough": 2.5}
WEIGHTS = RNG.integers(0, 3, N).astype(float)


def cells(y: Any, positive: Any = POSITIVE) -> list[list[Any]]:
    """The formula of torch: -(p y ln sigmoid(z) + (1 - y) ln(1 - sigmoid(z))) of each cell; None without a label."""
    with mpmath.workprec(200):

        def cell(z: float, t: float, p: float) -> Any:
            minus, plus = (mpmath.log1p(mpmath.exp(mpmath.mpf(sign * z))) for sign in (-1, 1))
            return None if np.isnan(t) else p * t * minus + (1 - t) * plus

        rows = zip(Z.tolist(), y.tolist(), strict=True)
        return [[cell(z, t, p) for z, t, p in zip(zs, ts, positive.tolist(), strict=True)] for zs, ts in rows]


def mean(losses: list[list[Any]], weights: Any) -> float:
    """The mean over all cells, each with the weight of its row; not divided by the weights of the positives."""
    pairs = [(w, loss) for w, row in zip(weights.tolist(), losses, strict=True) for loss in row if loss is not None]
    with mpmath.workprec(200):
        return float(mpmath.fsum(w * loss for w, loss in pairs) / mpmath.fsum(w for w, _ in pairs))


def table(values: Any) -> pd.DataFrame:
    return pd.DataFrame(values, columns=list(NAMES))


def score(y: Any = Y, **options: Any) -> Any:
    given: dict[str, Any] = {"kind": "logits", "class_weight": GIVEN, "multilabel": True, **options}
    return xentcli.score(table(Z), table(y), **given)


def test_the_cost_is_that_of_torch() -> None:
    assert score().cost == pytest.approx(mean(cells(Y), np.ones(N)), rel=1e-14)
    assert score(weights=WEIGHTS).cost == pytest.approx(mean(cells(Y), WEIGHTS), rel=1e-14)


@pytest.mark.parametrize("kind", ["probs", "logprobs"])
def test_of_every_kind(kind: str) -> None:
    q = 1 / (1 + np.exp(-Z))
    options: dict[str, Any] = {"kind": kind, "multilabel": True, "class_weight": GIVEN}
    found = xentcli.score(table(q if kind == "probs" else np.log(q)), table(Y), **options)
    assert found.cost == pytest.approx(mean(cells(Y), np.ones(N)), rel=1e-12)


def test_soft_targets_and_missing_cells() -> None:
    soft = RNG.random((N, 3))
    assert score(soft).cost == pytest.approx(mean(cells(soft), np.ones(N)), rel=1e-14)
    holes = Y.copy()
    holes[::4, 0] = np.nan
    assert score(holes, ignore_label="nan").cost == pytest.approx(mean(cells(holes), np.ones(N)), rel=1e-13)


def test_rows_columns_and_groups_add_up() -> None:
    sites = np.array(["n", "s"])[np.arange(N) % 2]
    found = score(by_class=True, by={"site": sites}, metrics=["cost", "skill", "prior"])
    losses = cells(Y)
    for column, part in enumerate(found.by_class):
        assert part.cost == pytest.approx(float(sum(row[column] for row in losses)) / N, rel=1e-13)
    assert sum(part.share for part in found.by_class) == pytest.approx(1.0)
    for group in found.by:
        rows = [row for row, site in zip(losses, sites, strict=True) if site == group.group["site"]]
        assert group.cost == pytest.approx(mean(rows, np.ones(len(rows))), rel=1e-13)
        assert group.metrics["skill"] == pytest.approx(1 - group.cost / group.metrics["prior"])
    each = xentcli.losses(table(Z), table(Y), kind="logits", multilabel=True, class_weight=GIVEN)
    assert np.asarray(each) == pytest.approx([float(sum(row)) / 3 for row in losses], rel=1e-13)


def constant(y: Any, positive: Any) -> dict[str, float]:
    """The best constant prediction: of each column p m / (p m + rest)."""
    ones = np.average(y, axis=0)
    return dict(zip(NAMES, (positive * ones / (positive * ones + 1 - ones)).tolist(), strict=True))


def test_the_prior_is_the_least_cost_of_a_constant_prediction() -> None:
    best = constant(Y, POSITIVE)
    found = score(reference=best)
    assert found.prior == pytest.approx(found.reference_cost, rel=1e-13)
    assert found.skill == pytest.approx(found.reference_skill, rel=1e-12)
    for name in NAMES:
        for factor in (0.9, 1.1):
            assert score(reference=best | {name: best[name] * factor}).reference_cost > found.prior


def test_weights_of_1_change_no_bit_and_other_figures_have_none() -> None:
    plain = xentcli.score(table(Z), table(Y), kind="logits", multilabel=True)
    same = score(class_weight=dict.fromkeys(NAMES, 1.0))
    assert (same.cost, same.prior, same.interval) == (plain.cost, plain.prior, plain.interval)
    assert (score().brier, score().accuracy, score().weight_sum) == (plain.brier, plain.accuracy, plain.weight_sum)
    assert score(class_weight=POSITIVE).cost == score().cost


def test_a_weight_of_0_leaves_the_negatives() -> None:
    found = score(class_weight={"rash": 0.0, "cough": 1.0, "fever": 1.0})
    assert found.cost == pytest.approx(mean(cells(Y, np.array([0.0, 1.0, 1.0])), np.ones(N)), rel=1e-14)
    assert score(np.ones((N, 3)), class_weight=dict.fromkeys(NAMES, 0.0)).prior == 0.0


def test_a_temperature_is_fitted_to_the_weighted_loss() -> None:
    given: Any = (table(Z + 2 * Y), table(Y))
    options: dict[str, Any] = {"kind": "logits", "multilabel": True, "class_weight": GIVEN}
    fit = xentcli.calibration(*given, **options).fit
    assert fit is not None and fit.temperature is not None
    assert fit.cost_before == pytest.approx(xentcli.score(*given, **options).cost, rel=1e-13)
    costs = [xentcli.score(*given, **options, temperature=fit.temperature * factor).cost for factor in (0.99, 1, 1.01)]
    assert min(costs) == costs[1] == pytest.approx(fit.cost_after, rel=1e-12)


def test_no_bit_depends_on_blocks() -> None:
    assert len({score(block_bytes=size, weights=WEIGHTS).cost.hex() for size in (64, 500, 1 << 20)}) == 1


def test_the_command_says_what_the_weights_are(call: Call) -> None:
    table(1 / (1 + np.exp(-Z))).to_csv("p.csv", index=False)
    table(Y.astype(int)).to_csv("y.csv", index=False)
    words = ["score", "p.csv", "y.csv", "--multilabel"]
    done = call(*words, "--class-weight", "rash=9", "--class-weight", "cough=2.5")
    assert done.code == 0
    assert "positives weighted rash=9, cough=2.5, others 1 (--class-weight)" in done.out
    assert "is not a class" in call(*words, "--class-weight", "ache=2").err
    with pytest.raises(UsageError, match="--class-weight balanced does not go with --multilabel"):
        score(class_weight="balanced")
    with pytest.raises(DataError, match="2 class weights of 3 classes"):
        score(class_weight=[1.0, 2.0])
