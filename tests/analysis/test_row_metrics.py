"""Values of each row beside its loss, and the worst rows by KL divergence: of soft labels what the prediction adds."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pandas as pd
import pyarrow.parquet as parquet
import pytest

import xentcli
from tests.conftest import Call
from xentcli.errors import UsageError
from xentcli.scoring.metrics import METRICS

N = 50
RNG = np.random.default_rng(5)
Q = RNG.dirichlet([2.0, 1.0, 1.0], N)
SOFT = RNG.dirichlet([0.3, 0.3, 0.3], N)
SOFT[0] = (0.0, 1.0, 0.0)
SOFT[1] = Q[1]
HARD = RNG.integers(0, 3, N)
TABLE = pd.DataFrame(Q, columns=["cat", "dog", "emu"])


def entropy(p: Any) -> float:
    with mpmath.workprec(200):
        return float(-mpmath.fsum(mpmath.mpf(x) * mpmath.log(x) for x in map(float, p) if x))


def kl(y: Any, q: Any) -> float:
    with mpmath.workprec(200):
        pairs = [(mpmath.mpf(float(a)), mpmath.mpf(float(b))) for a, b in zip(y, q, strict=True)]
        return float(mpmath.fsum(a * mpmath.log(a / b) for a, b in pairs if a))


@pytest.mark.parametrize("kind", ["probs", "logits", "logprobs"])
def test_entropies_and_kl_are_those_of_mpmath(kind: Any) -> None:
    values = {"probs": Q, "logits": np.log(Q) + RNG.normal(size=(N, 1)), "logprobs": np.log(Q)}[kind]
    names = ["target_entropy", "prediction_entropy", "kl"]
    found = xentcli.per_example(values, SOFT, kind=kind, row_metrics=names)
    assert list(found)[4:] == ["loss", "weight", *names]
    close: dict[str, Any] = {"rtol": 1e-13, "atol": 1e-15}
    np.testing.assert_allclose(found["target_entropy"], [entropy(y) for y in SOFT], **close)
    np.testing.assert_allclose(found["prediction_entropy"], [entropy(q) for q in Q], **close)
    np.testing.assert_allclose(found["kl"], [kl(y, q) for y, q in zip(SOFT, Q, strict=True)], **close)
    assert abs(found["kl"][1]) < 1e-15


def test_the_means_of_rows_are_the_figures_of_the_report() -> None:
    names = [m.name for m in METRICS.values() if m.has_rows and not m.hard and m.name != "cost"]
    weights = RNG.integers(1, 4, N).astype(float)
    options: dict[str, Any] = {"weights": weights, "reference": Q[::-1]}
    report = xentcli.score(Q, SOFT, metrics_needed=names, **options)
    rows = xentcli.per_example(Q, SOFT, row_metrics=names, **options)
    for name in names:
        assert np.average(rows[name], weights=weights) == pytest.approx(report[name], rel=1e-12)


def test_of_hard_labels_kl_is_the_loss_and_the_target_has_no_entropy() -> None:
    found = xentcli.per_example(TABLE, HARD, row_metrics=["kl", "target_entropy", "accuracy", "top2"], base=2)
    assert found["kl"].tolist() == found["loss"].tolist() == xentcli.losses(Q, HARD, base=2).tolist()
    assert found["target_entropy"].tolist() == [0.0] * N
    assert found["accuracy"].tolist() == (Q.argmax(axis=1) == HARD).tolist()
    assert found["top2"].mean() == pytest.approx(xentcli.score(Q, HARD, metrics="top2")["top2"])


def test_rows_without_a_value_are_nan() -> None:
    weights = (np.arange(N) != 7).astype(float)
    frame = TABLE.set_axis([f"r{i}" for i in range(N)])
    found = xentcli.per_example(frame, SOFT, row_metrics=["accuracy", "kl"], weights=weights)
    assert found.index.equals(frame.index)
    assert found["id"].tolist() == frame.index.tolist()
    row = found.drop(columns="label").loc["r7"]
    assert [bool(pd.isna(row[name])) for name in ("loss", "kl", "accuracy")] == [True, True, True]
    assert row["weight"] == 0.0
    # A soft target has no one right class; row 1 is one-hot.
    assert np.isnan(found["accuracy"]).tolist() == [i != 0 for i in range(N)]
    assert np.isnan(found["kl"]).sum() == 1


def test_multilabel_rows_are_means_over_columns() -> None:
    y = RNG.random((N, 3))
    found = xentcli.per_example(Q, y, multilabel=True, row_metrics=["kl", "prediction_entropy"])
    pairs = [[((1 - b, b), (1 - q, q)) for b, q in zip(bs, qs, strict=True)] for bs, qs in zip(y, Q, strict=True)]
    np.testing.assert_allclose(found["kl"], [np.mean([kl(*pair) for pair in row]) for row in pairs], rtol=1e-11)
    wanted = [np.mean([entropy(q) for _, q in row]) for row in pairs]
    np.testing.assert_allclose(found["prediction_entropy"], wanted, rtol=1e-12)


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet"])
def test_the_columns_of_a_file(name: str, call: Call) -> None:
    TABLE.to_csv("p.csv", index=False)
    pd.DataFrame(SOFT, columns=["cat", "dog", "emu"]).to_csv("y.csv", index=False)
    done = call("score", "p.csv", "y.csv", "--per-example", name, "--row-metrics", "kl,accuracy,brier")
    assert done.code == 0
    rows: list[dict[str, Any]]
    if name.endswith("csv"):
        with open(name, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    elif name.endswith("jsonl"):
        rows = [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]
    else:
        rows = parquet.read_table(name).to_pylist()
    wanted = xentcli.per_example("p.csv", "y.csv", row_metrics="kl,accuracy,brier")
    assert list(rows[0])[-3:] == ["kl", "accuracy", "brier"]
    assert [float(row["kl"]) for row in rows] == wanted["kl"].tolist()
    assert [row["accuracy"] for row in rows[1:]] == ["" if name.endswith("csv") else None] * (N - 1)
    # Further columns do not disturb what reads losses.
    assert call("score", name, "--kind", "losses", "--quiet").code == 0


def test_the_worst_rows_by_kl_are_not_those_that_are_uncertain_themselves(call: Call) -> None:
    plain, found = (xentcli.score(Q, SOFT, worst=10, worst_by=by, block_bytes=64) for by in ("loss", "kl"))
    values = np.array([kl(y, q) for y, q in zip(SOFT, Q, strict=True)])
    assert [row.row for row in found.worst] == (np.argsort(-values)[:10] + 1).tolist()
    assert [row.kl for row in found.worst] == pytest.approx(sorted(values, reverse=True)[:10], rel=1e-13)
    assert [row.row for row in found.worst] != [row.row for row in plain.worst]
    assert plain.worst[0].kl is None
    bits = xentcli.score(Q, SOFT, worst=1, worst_by="kl", base=2).worst[0]
    assert bits.kl == pytest.approx(values.max() / np.log(2))
    assert "worst rows by KL divergence (10 rows" in str(found)
    assert xentcli.score(Q, HARD, worst=3, worst_by="kl").worst[0].loss == -np.log(Q[np.arange(N), HARD]).min()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"row_metrics": "kl"}, "--row-metrics are columns of --per-example FILE"),
        ({"row_metrics": "skill"}, "--row-metrics skill: it is a figure of all rows"),
        ({"row_metrics": "cost"}, "--row-metrics cost: it is the column loss"),
        ({"row_metrics": "kl,kl"}, "--row-metrics names 'kl' twice"),
        ({"row_metrics": "reference_cost"}, "--row-metrics reference_cost needs a forecast"),
        ({"row_metrics": "kl", "label_smoothing": 0.1}, "--row-metrics kl does not go with --label-smoothing"),
        ({"row_metrics": "brier", "kind": "losses"}, "--kind losses has no brier"),
        ({"row_metrics": "top2", "multilabel": True}, "--multilabel has no top2 for --row-metrics"),
        ({"worst_by": "kl"}, "--worst-by ranks the rows of --worst N"),
        ({"worst_by": "kl", "worst": 2, "class_weight": {"0": 2.0}}, "--worst-by kl does not go with --class-weight"),
        ({"worst_by": "kl", "worst": 2, "kind": "losses"}, "--worst-by has no use: --kind losses"),
        ({"worst_by": "brier", "worst": 2}, "--worst-by is loss or kl, not 'brier'"),
    ],
    ids=lambda value: "" if isinstance(value, str) else "-".join(map(str, value.values())),
)
def test_what_makes_no_sense_is_refused(options: Any, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        xentcli.score(Q, HARD, **options)
    assert message in str(refused.value)


def test_what_has_no_room_for_columns_is_refused(call: Call) -> None:
    TABLE.assign(y=HARD).to_csv("p.csv", index=False)
    words = ["score", "p.csv", "--label", "y", "--index-base", "0"]
    assert "has the losses alone" in call(*words, "--per-example", "l.npy", "--row-metrics", "kl").err
    assert "--row-metrics are columns of --per-example FILE" in call(*words, "--row-metrics", "kl").err
    for option in ({"reference": Q}, {"row_metrics": "kl"}):
        with pytest.raises(UsageError, match="does not go with losses"):
            xentcli.losses(Q, HARD, **option)
