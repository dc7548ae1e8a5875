"""--reference: the cost of another forecast on the same rows, and the skill against it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pandas as pd
import pytest

import xentcli
from tests.conftest import Call
from xentcli.errors import DataError, UsageError

N, CLASSES = 60, ("cat", "dog", "emu")
RNG = np.random.default_rng(17)
TRUTH = RNG.integers(0, 3, N)
Q, R = (RNG.dirichlet([2.0, 1.0, 1.5], N) for _ in range(2))
WEIGHTS = RNG.integers(0, 3, N).astype(float)
SOFT = RNG.dirichlet([0.5, 0.5, 0.5], N)
REF = tuple(f"ref_{name}" for name in CLASSES)


def frame() -> pd.DataFrame:
    preds, market = pd.DataFrame(Q, columns=list(CLASSES)), pd.DataFrame(R, columns=list(REF))
    beside = {"y": np.array(CLASSES)[TRUTH], "w": WEIGHTS, "site": np.array(["n", "s"])[np.arange(N) % 2]}
    return pd.concat([preds, market, pd.DataFrame(beside)], axis=1)


def mean(losses: list[Any], weights: Any) -> float:
    """The exact mean of losses, each a number of mpmath, rounded once."""
    with mpmath.workprec(200):
        total = mpmath.fsum(mpmath.mpf(float(w)) * loss for w, loss in zip(weights, losses, strict=True))
        return float(total / mpmath.fsum(map(float, weights)))


def ln(q: float) -> Any:
    with mpmath.workprec(200):
        return mpmath.log(mpmath.mpf(float(q)))


ROWS = [-ln(r[t]) for r, t in zip(R, TRUTH, strict=True)]
OF_SOFT = [-mpmath.fsum(float(y) * ln(q) for y, q in zip(ys, qs, strict=True)) for ys, qs in zip(SOFT, R, strict=True)]


@pytest.mark.parametrize(
    ("options", "losses", "weights"),
    [
        ({}, ROWS, np.ones(N)),
        ({"weights": "w"}, ROWS, WEIGHTS),
        ({"ignore_label": "dog"}, ROWS, TRUTH != 1),
        ({"class_weight": {"emu": 3.0}}, ROWS, np.where(TRUTH == 2, 3.0, 1.0)),
        ({"clip": 0.3}, [-ln(min(max(r[t], 0.3), 0.7)) for r, t in zip(R, TRUTH, strict=True)], np.ones(N)),
        (
            {"label_smoothing": 0.3},
            [
                -mpmath.fsum((0.7 * (c == t) + 0.1) * ln(q) for c, q in enumerate(r))
                for r, t in zip(R, TRUTH, strict=True)
            ],
            np.ones(N),
        ),
        ({"temperature": 2.0}, ROWS, np.ones(N)),
        ({"kind": "logits", "temperature": 2.0}, ROWS, np.ones(N)),
    ],
    ids=lambda value: "-".join(value) or "plain" if isinstance(value, dict) else "",
)
def test_its_cost_is_that_of_its_own_rows_with_the_same_weights(options: Any, losses: Any, weights: Any) -> None:
    found = xentcli.score(frame(), label="y", preds=CLASSES, reference=REF, **options)
    wanted = mean(losses, weights)
    assert found.reference_cost == pytest.approx(wanted, rel=1e-15, abs=0)
    assert found.reference_skill == 1 - found.cost / found.reference_cost
    assert found.cost == xentcli.score(frame(), label="y", preds=CLASSES, **options).cost


def test_soft_targets() -> None:
    found = xentcli.score(Q, SOFT, reference=R, by_class=True, metrics=["reference_cost", "kl"])
    assert found["reference_cost"] == pytest.approx(mean(OF_SOFT, np.ones(N)), rel=1e-15, abs=0)
    parts = [part.metrics["reference_cost"] for part in found.by_class]
    masses = SOFT.sum(axis=0)
    assert parts == pytest.approx(-(SOFT * np.log(R)).sum(axis=0) / masses, rel=1e-13)


def test_multilabel_with_missing_cells() -> None:
    rng = np.random.default_rng(3)
    q, r, y = rng.random((N, 3)), rng.random((N, 3)), rng.integers(0, 2, (N, 3)).astype(float)
    y[::5, 1] = np.nan
    cells = ~np.isnan(y)
    losses = [-ln(p if t else 1 - p) for p, t in zip(r[cells], y[cells], strict=True)]
    options: dict[str, Any] = {"multilabel": True, "ignore_label": "nan", "by_class": True, "metrics": "reference_cost"}
    found = xentcli.score(q, y, reference=r, **options)
    assert found["reference_cost"] == pytest.approx(mean(losses, np.ones(len(losses))), rel=1e-14)
    column = np.where(cells, -np.where(y == 1, np.log(r), np.log1p(-r)), np.nan)
    assert [p.metrics["reference_cost"] for p in found.by_class] == pytest.approx(np.nanmean(column, axis=0))
    logits = np.log(q / (1 - q))
    assert xentcli.score(logits, y, kind="logits", reference=r, **options)["reference_cost"] == found["reference_cost"]


def test_a_reference_that_is_the_predictions_has_the_same_bits_and_no_skill() -> None:
    for target in (TRUTH, SOFT):
        found = xentcli.score(Q, target, reference=Q, weights=WEIGHTS)
        assert (found.reference_cost, found.reference_skill) == (found.cost, 0.0)


@pytest.mark.parametrize("block_bytes", [64, 700, 1 << 20])
def test_no_bit_depends_on_blocks_workers_and_where_it_is(tmp_path: Path, block_bytes: int) -> None:
    wanted = xentcli.score(Q, np.array(CLASSES)[TRUTH], classes=CLASSES, reference=R, weights=WEIGHTS)
    whole, market = tmp_path / "all.csv", tmp_path / "market.csv"
    frame().to_csv(whole, index=False)
    frame()[list(REF)].to_csv(market, index=False)
    for given in ("ref_*", "ref_cat:ref_emu", "ref_dog,ref_emu,ref_cat", f"@{market}", f"@{market}:ref_*"):
        options: dict[str, Any] = {"label": "y", "weights": "w", "preds": CLASSES, "reference": given}
        found = xentcli.score(str(whole), block_bytes=block_bytes, threads=2, **options)
        assert (found.reference_cost.hex(), found.cost.hex()) == (wanted.reference_cost.hex(), wanted.cost.hex())


def test_a_file_of_another_order_is_matched_by_id(tmp_path: Path) -> None:
    names = [f"r{i}" for i in range(N)]
    market = pd.DataFrame(R, columns=list(REF)).assign(id=names).sample(frac=1, random_state=1)
    market.to_csv(tmp_path / "market.csv", index=False)
    frame().assign(id=names).to_csv(tmp_path / "all.csv", index=False)
    options: dict[str, Any] = {"label": "y", "preds": CLASSES, "id": "id"}
    found = xentcli.score(str(tmp_path / "all.csv"), reference=f"@{tmp_path / 'market.csv'}", **options)
    assert found.reference_cost == xentcli.score(Q, TRUTH, reference=R).reference_cost
    indexed = frame().set_index(pd.Index(names))
    indexed_market = market.set_index("id")
    assert (
        xentcli.score(indexed, label="y", preds=CLASSES, reference=indexed_market).reference_cost
        == found.reference_cost
    )


@pytest.mark.parametrize(
    ("shares", "multilabel"),
    [
        ({"cat": 0.5, "dog": 0.3, "emu": 0.2}, False),
        ({"emu": 0.2, "cat": 0.5, "dog": 0.3}, False),
        ("emu=0.2,cat=0.5,dog=0.3", False),
        ({"cat": 0.9, "dog": 0.8, "emu": 0.1}, True),
    ],
)
def test_constant_shares_are_columns_of_them(shares: Any, multilabel: bool) -> None:
    named = shares if isinstance(shares, dict) else {"cat": 0.5, "dog": 0.3, "emu": 0.2}
    table = pd.DataFrame(Q, columns=list(CLASSES))
    truth: Any = pd.DataFrame(np.eye(3)[TRUTH], columns=table.columns) if multilabel else np.array(CLASSES)[TRUTH]
    wanted = xentcli.score(table, truth, reference=pd.DataFrame(named, index=range(N)), multilabel=multilabel)
    found = xentcli.score(table, truth, reference=shares, multilabel=multilabel)
    assert found.reference_cost.hex() == wanted.reference_cost.hex()
    assert found.reference is not None
    assert found.reference.shares == tuple(named[name] for name in CLASSES)


@pytest.mark.parametrize(
    ("reference", "positive"),
    [
        (R[:, 0], True),
        (pd.Series(R[:, 0], name="market"), True),
        (pd.Series(R[:, 0], name="market_spam"), True),
        (pd.Series(R[:, 0], name="ham.market"), False),
        (pd.DataFrame({"m_ham": R[:, 0], "m_spam": 1 - R[:, 0]}), False),
        (pd.DataFrame({"m_spam": R[:, 0], "m_ham": 1 - R[:, 0]}), True),
    ],
    ids=["array", "series", "positive", "negative", "two", "two turned"],
)
@pytest.mark.parametrize("columns", [1, 2])
def test_two_classes_may_have_one_column(reference: Any, positive: bool, columns: int) -> None:
    spam = RNG.integers(0, 2, N)
    preds = pd.DataFrame({"ham": 1 - Q[:, 0], "spam": Q[:, 0]})
    given: dict[str, Any] = {"preds": "spam", "positive": "spam"} if columns == 1 else {}
    found = xentcli.score(preds, np.array(["ham", "spam"])[spam], reference=reference, **given)
    q = R[:, 0] if positive else 1 - R[:, 0]
    assert found.reference_cost == pytest.approx(-np.where(spam == 1, np.log(q), np.log1p(-q)).mean(), rel=1e-13)


def test_one_share_of_two_classes_is_enough() -> None:
    spam = np.array(["ham", "spam"])[TRUTH % 2]
    found = xentcli.score(pd.DataFrame({"ham": 1 - Q[:, 0], "spam": Q[:, 0]}), spam, reference={"spam": 0.25})
    share = (TRUTH % 2).mean()
    exact = -share * np.log(0.25) - (1 - share) * np.log(0.75)
    assert found.reference_cost == pytest.approx(exact, rel=1e-14)


def test_groups_have_it_by_name() -> None:
    options: dict[str, Any] = {"by": "site", "by_class": True, "metrics": ["reference_skill"]}
    found = xentcli.score(frame(), label="y", preds=CLASSES, reference=REF, **options)
    for part in found.by:
        rows = (np.arange(N) % 2 == (part.group["site"] == "s")).nonzero()[0]
        costs = [-np.log(q[rows, TRUTH[rows]]).mean() for q in (Q, R)]
        assert part.metrics["reference_skill"] == pytest.approx(1 - costs[0] / costs[1], rel=1e-12)
    for index, one in enumerate(found.by_class):
        costs = [-np.log(q[index == TRUTH, index]).mean() for q in (Q, R)]
        assert one.metrics["reference_skill"] == pytest.approx(1 - costs[0] / costs[1], rel=1e-12)


def test_a_zero_of_the_reference_leaves_no_skill(call: Call) -> None:
    market = np.eye(3)[(TRUTH + 1) % 3]
    found = xentcli.score(Q, TRUTH, reference=market)
    assert (found.reference_cost, found.reference_skill) == (np.inf, None)
    assert "assigns probability 0 to the true class" in found.undefined["reference_skill"]
    assert "--clip EPS" in str(found)
    assert xentcli.score(Q, TRUTH, reference=market, clip=1e-6).reference_skill > 0


def test_rows_without_a_reference_are_refused_or_skipped() -> None:
    holes = R.copy()
    holes[4] = np.nan
    with pytest.raises(DataError, match=r"reference, row 5, column #1: got nan") as refused:
        xentcli.score(Q, TRUTH, reference=holes)
    assert "--skip-missing" in str(refused.value)
    found = xentcli.score(Q, TRUTH, reference=holes, skip_missing=True)
    kept = np.arange(N) != 4
    assert found.examples.missing == 1
    assert found.reference_cost == xentcli.score(Q[kept], TRUTH[kept], reference=R[kept]).reference_cost
    # A row that is not scored may have anything.
    weights = kept.astype(float)
    assert xentcli.score(Q, TRUTH, reference=holes, weights=weights).reference_cost == found.reference_cost


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"reference": R[:, :2]}, DataError, "--reference has 2 columns, and there are 3 classes"),
        ({"reference": 100 * R}, DataError, "is not a probability, which lies from 0 to 1 (--reference)"),
        ({"reference": R * 0.9}, DataError, "not to 1 within 0.001 (--reference)"),
        ({"reference": R[:, 0]}, DataError, "--reference has 1 column, and there are 3 classes"),
        (
            {"reference": pd.Series({"0": 0.5, "1": 0.3, "2": 0.2})},
            DataError,
            "series.to_dict() takes them as constant",
        ),
        ({"reference": R * 1.05}, DataError, "--renormalize divides each row by its sum"),
        ({"reference": R * 1.05, "kind": "logits"}, DataError, "--reference takes probabilities, from 0 to 1"),
        ({"reference": R[:5]}, DataError, "the row counts differ: predictions has 60 and reference has 5"),
        ({"reference": {"0": 0.5, "1": 0.3}}, DataError, "--reference has 2 shares of 3 classes"),
        ({"reference": {"a": 0.5, "b": 0.3, "c": 0.2}}, DataError, "are not named as the classes are"),
        ({"reference": {"0": 0.5, "1": 0.3, "2": 0.3}}, DataError, "sum to 1.1, not to 1 within 0.001"),
        ({"reference": {"0": 1.5, "1": -0.3, "2": -0.2}}, DataError, "1.5 is not a probability"),
        ({"reference": "#1:#3"}, DataError, "no column is left for the predictions"),
        ({"reference": "#1:#3", "preds": "#1:#3"}, DataError, "is given as --preds and as --reference"),
        ({"reference": "0=0.5,0=0.3,2=0.2"}, UsageError, "--reference gives '0' two shares"),
        ({"metrics": "reference_skill"}, UsageError, "--metrics reference_skill needs a forecast to compare with"),
        ({"reference": R, "shift_labels": True}, UsageError, "--reference does not go with --shift-labels"),
    ],
    ids=lambda value: "" if not isinstance(value, dict) else "-".join(value),
)
def test_what_makes_no_sense_is_refused(options: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as refused:
        xentcli.score(Q, TRUTH, **options)
    assert message in str(refused.value)
    assert "--kind logits" not in str(refused.value)


def test_kinds_without_classes_have_no_reference() -> None:
    with pytest.raises(UsageError, match="--reference has no use: --kind true-probs"):
        xentcli.score(Q[:, 0], kind="true-probs", reference=R[:, 0])


def test_the_command(call: Call) -> None:
    frame().to_csv("p.csv", index=False)
    words = ["score", "p.csv", "--label", "y", "--preds", "cat:emu"]
    done = call(*words, "--reference", "ref_*")
    assert done.code == 0
    assert "columns ref_cat to ref_emu, one column for each class, by name less 'ref_'" in done.out
    assert "than the reference" in done.out
    skill = float(call(*words, "--reference", "ref_*", "--get", "reference_skill").out)
    assert skill == xentcli.score(frame(), label="y", preds=CLASSES, reference=REF).reference_skill
    failed = call("check", *words[1:], "--reference", "ref_*", "--min", "reference_skill=0.99")
    assert failed.code == 1
    passed = call("check", *words[1:], "--reference", "ref_*", "--max", "cost=9")
    assert f"skill {skill:.4f}" in passed.out
    # Without --preds the other columns with numbers are the predictions.
    done = call(*words[:-2], "--reference", "ref_*", "--weights", "w", "--get", "cost,reference_cost")
    assert done.out.split() == [
        repr(mean([-ln(q[t]) for q, t in zip(each, TRUTH, strict=True)], WEIGHTS)) for each in (Q, R)
    ]
    assert "--reference changes nothing that --quiet prints" in call(*words, "--reference", "ref_*", "--quiet").err


def test_shares_of_counts_are_divided_by_their_sum_where_that_is_asked() -> None:
    counts = {"0": 30.0, "1": 50.0, "2": 20.0}
    found = xentcli.score(Q, TRUTH, reference=counts, renormalize=True).reference_cost
    assert found == pytest.approx(-np.log(np.array([0.3, 0.5, 0.2])[TRUTH]).mean(), rel=1e-14)
    with pytest.raises(DataError, match="30 is not a probability"):
        xentcli.score(Q, TRUTH, reference=counts)
    with pytest.raises(DataError, match="only a positive sum can be divided") as refused:
        xentcli.score(Q, TRUTH, reference=dict.fromkeys("012", 0.0), renormalize=True)
    assert "divides each row by its sum" not in str(refused.value)
    with pytest.raises(DataError, match="inf is not a probability"):
        xentcli.score(Q, TRUTH, reference={**counts, "2": float("inf")}, renormalize=True)


def test_a_share_is_exact() -> None:
    found = xentcli.score([[0.5, 0.5]], [0], reference={"0": 0.25, "1": 0.75})
    assert Fraction(found.reference_cost) == Fraction(-np.log(0.25))
    assert found.reference_skill == 0.5


@pytest.mark.parametrize("beside", [["--quiet"], ["--get", "accuracy"], []])
def test_a_column_of_per_example_shows_it(call: Call, tmp_path: Path, beside: list[str]) -> None:
    frame().to_csv(path := tmp_path / "p.csv", index=False)
    words = ["score", str(path), "--preds", "cat,dog,emu", "--label", "y", "--reference", ",".join(REF), *beside]
    rows = tmp_path / "rows.csv"
    done = call(*words, "--row-metrics", "reference_cost", "--per-example", str(rows))
    assert done.code == 0, done.err
    assert pd.read_csv(rows)["reference_cost"].tolist() == pytest.approx(-np.log(R[np.arange(N), TRUTH]))
    assert call(*words, "--row-metrics", "brier", "--per-example", str(rows)).code == (2 if beside else 0)


def test_a_metric_without_it_is_told_the_command_that_has_the_option(call: Call, tmp_path: Path) -> None:
    frame().to_csv(path := tmp_path / "p.csv", index=False)
    frame().to_csv(other := tmp_path / "o.csv", index=False)
    done = call(
        "compare", str(path), str(other), "--preds", "cat,dog,emu", "--label", "y", "--metrics", "reference_cost"
    )
    assert (done.code, "xent score --reference COLUMNS" in done.err) == (2, True), done.err
