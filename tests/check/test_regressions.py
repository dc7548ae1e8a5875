"""Paired regressions: the mean, its error and its interval, by SciPy and by fractions; what decides at the margin."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats

import xentcli
from tests.conftest import ROOT
from xentcli.report.check import Check
from xentcli.tallies.joint import Joint

ALLOWED = ["0", "0.01", "2%", "50%"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def losses(*values: float) -> Any:
    return np.array(values)


def against(old: Any, new: Any, allowed: Any, **options: Any) -> Check:
    """The check of a regression of the cost of losses."""
    rules = {name: options.pop(name) for name in ("strict",) if name in options}
    xentcli.check(old, kind="losses", write_baseline="b.npz", **options)
    result = xentcli.check(new, kind="losses", baseline="b.npz", max_regression={"cost": allowed}, **rules, **options)
    assert result.verdict == result.checks[0].verdict
    return result.checks[0]


def drawn(rows: int, seed: int = 0) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    old = random.exponential(1.0, rows)
    return old, np.abs(old * random.normal(1.03, 0.1, rows))


def bounds(allowed: str) -> tuple[float, float]:
    share = allowed.endswith("%")
    return (1 + float(allowed[:-1]) / 100, 0.0) if share else (1.0, float(allowed))


@pytest.mark.parametrize(("rows", "allowed"), [*itertools.product((2, 3, 40, 1500), ALLOWED)])
def test_intervals_are_those_of_scipy(rows: int, allowed: str) -> None:
    old, new = drawn(rows)
    found = against(old, new, allowed)
    factor, number = bounds(allowed)
    change = scipy.stats.ttest_rel(new, old).confidence_interval(0.95)
    excess = scipy.stats.ttest_1samp(new - factor * old, number).confidence_interval(0.95)
    assert found.interval is not None and found.margin_interval is not None and found.margin is not None
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(change), rel=1e-9)
    ends = (found.margin_interval.low, found.margin_interval.high)
    assert ends == pytest.approx((number - excess[1], number - excess[0]), rel=1e-9, abs=1e-14)
    assert found.change == pytest.approx(new.mean() - old.mean(), rel=1e-12)
    assert found.margin == pytest.approx(factor * old.mean() + number - new.mean(), rel=1e-12)
    assert found.limit == pytest.approx(factor * old.mean() + number, rel=1e-15)
    assert found.verdict == ("fail" if excess[0] - number > 0 else "pass")


@pytest.mark.parametrize(("seed", "factor"), [*itertools.product(range(4), ("1", "1.02", "0.5", "7/3"))])
def test_the_mean_and_its_error_are_the_nearest_doubles(seed: int, factor: str) -> None:
    random = np.random.default_rng(seed)
    old, new = (random.exponential(1.0, 30) * 10.0 ** random.integers(-12, 12, 30) for _ in range(2))
    weight = random.integers(1, 5, 30).astype(float) if seed % 2 else None
    f = Fraction(factor)
    parts = [
        Joint.of(old[cut], new[cut], None if weight is None else weight[cut]) for cut in (slice(11), slice(11, 30))
    ]
    found = parts[1].merge(parts[0]).excess(f, Fraction(1, 3))
    c = [Fraction(1)] * 30 if weight is None else [Fraction(w) for w in weight]
    d = [Fraction(n * w) - f * Fraction(o * w) for n, o, w in zip(new, old, map(float, c), strict=True)]
    mean = sum(d) / sum(c)
    assert found.mean == float(mean - Fraction(1, 3))
    squares = sum((x - mean * w) ** 2 for x, w in zip(d, c, strict=True))
    variance: Any = Fraction(30, 29) * squares / sum(c) ** 2
    assert found.standard_error is not None
    assert abs(Fraction(found.standard_error) ** 2 / variance - 1) < Fraction(1, 2**51)


def test_clusters_are_the_units() -> None:
    random = np.random.default_rng(5)
    cluster = random.integers(0, 12, 200)
    old = random.exponential(1.0, 200)
    new = old * 1.05 + random.normal(0, 0.2, 12)[cluster] ** 2
    found = Joint.of(old, new, None, cluster).excess(Fraction(51, 50))
    d = new - 1.02 * old
    sums = np.array([(d - d.mean())[cluster == c].sum() for c in range(12)])
    assert found.units == 12
    assert found.standard_error == pytest.approx(math.sqrt(12 / 11 * (sums**2).sum()) / 200, rel=1e-12)


OLD = losses(1.0, 2.0, 4.0, 8.0)
MARGINS: list[tuple[str, Any, Any, bool, str]] = [
    # All rows change by the same number: the interval is a point, and touches the margin or not.
    ("the same rows", OLD, 0, False, "pass"),
    ("the same rows", OLD, 0, True, "pass"),
    ("the same rows", OLD, "0%", True, "pass"),
    ("on the margin", OLD + 0.25, 0.25, False, "pass"),
    ("on the margin", OLD + 0.25, 0.25, True, "pass"),
    ("a double beyond it", OLD + 0.25, math.nextafter(0.25, 0), False, "fail"),
    ("a double before it", OLD + 0.25, math.nextafter(0.25, 1), True, "pass"),
    ("on the percentage", OLD * 1.5, "50%", False, "pass"),
    ("on the percentage", OLD * 1.5, "50%", True, "pass"),
    ("better", OLD - 0.5, 0, True, "pass"),
    ("worse in some rows", losses(1.0, 2.0, 4.0, 16.0), 0, False, "pass"),
    ("worse in some rows", losses(1.0, 2.0, 4.0, 16.0), 0, True, "inconclusive"),
    ("better in some rows", losses(1.0, 2.0, 4.0, 4.0), 0, True, "inconclusive"),
    ("infinite", losses(1.0, 2.0, 4.0, math.inf), 1e300, False, "fail"),
    ("infinite", losses(1.0, 2.0, 4.0, math.inf), "50%", True, "fail"),
]


@pytest.mark.parametrize(("what", "new", "allowed", "strict", "verdict"), MARGINS)
def test_what_decides_at_the_margin(what: str, new: Any, allowed: Any, strict: bool, verdict: str) -> None:
    assert against(OLD, new, allowed, strict=strict).verdict == verdict, what


def test_infinite_losses_of_the_baseline() -> None:
    old = losses(1.0, math.inf)
    assert against(old, losses(1.0, 2.0), 0).verdict == "pass"
    assert against(old, old, 0).verdict == "fail"
    found = against(old, losses(9.0, 2.0), "0%", strict=True)
    assert (found.verdict, found.change, found.interval, found.limit) == ("pass", -math.inf, None, math.inf)


def test_one_row_or_cluster_has_no_interval_and_no_verdict() -> None:
    for old, new in ((1.0, 1.0), (1.0, 9.0)):
        found = against(losses(old), losses(new), 0)
        assert (found.verdict, found.interval, found.change) == ("no_verdict", None, new - old)
        assert "only 1 row" in found.reason


SOFTMAX = np.random.default_rng(1).dirichlet(np.ones(3), 400)
TRUTH = np.array([np.random.default_rng(2 + i).choice(3, p=q) for i, q in enumerate(SOFTMAX)])


def spoiled(share: float) -> Any:
    return (1 - share) * SOFTMAX + share / 3


@pytest.mark.parametrize("metric", ["cost", "brier", "accuracy", "top2"])
def test_every_mean_of_rows_is_paired_in_its_own_direction(metric: str) -> None:
    wrong = SOFTMAX[:, [1, 2, 0]]
    xentcli.check(SOFTMAX, TRUTH, write_baseline="b.npz", metrics=["cost", metric] if metric != "cost" else "cost")
    for new, allowed, verdict in ((wrong, "10%", "fail"), (wrong, 9.0, "pass"), (SOFTMAX, "0%", "pass")):
        result = xentcli.check(new, TRUTH, baseline="b.npz", max_regression={metric: allowed})
        (found,) = result.checks
        assert found.verdict == verdict
        assert found.baseline == pytest.approx(xentcli.score(SOFTMAX, TRUTH, metrics=["cost", "top2"]).value(metric))
        assert found.bound == ("max" if metric in ("cost", "brier") else "min")
    assert xentcli.check(wrong, TRUTH, baseline="b.npz", max_regression={metric: 0}, strict=True).verdict == "fail"


@pytest.mark.parametrize("base", ["2", "10"])
def test_a_number_is_in_the_unit_of_the_report(base: Any) -> None:
    unit = math.log(float(base))
    xentcli.check(SOFTMAX, TRUTH, write_baseline="b.npz", base=base)
    new = spoiled(0.2)
    (found,) = xentcli.check(new, TRUTH, baseline="b.npz", max_regression={"cost": 0.01}, base=base).checks
    loss = [-np.log(q[np.arange(400), TRUTH]) / unit for q in (SOFTMAX, new)]
    ends = scipy.stats.ttest_rel(loss[1], loss[0]).confidence_interval(0.95)
    assert found.interval is not None and found.change is not None
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(ends), rel=1e-9)
    assert found.margin == pytest.approx(0.01 - found.change, rel=1e-9)


def test_confidence_sets_the_level() -> None:
    old, new = drawn(50)
    narrow, wide = (against(old, new, 0, confidence=level) for level in (0.5, 0.999))
    assert narrow.interval is not None and wide.interval is not None
    assert narrow.interval.level == 0.5
    assert narrow.interval.high < wide.interval.high


FIGURES = [
    (1.0, "pass"),
    (1.0 + 1e-13, "pass"),
    (1.0 + 1e-11, "fail"),
    (0.5, "pass"),
    (math.inf, "fail"),
]


@pytest.mark.parametrize(("value", "verdict"), FIGURES)
def test_figures_alone_decide_without_rows(value: float, verdict: str) -> None:
    Path("b.json").write_text(json_of(losses(1.0, 1.0)), encoding="utf-8")
    for strict in (False, True):
        new = xentcli.check(
            losses(value, value), kind="losses", baseline="b.json", max_regression={"cost": 0}, strict=strict
        )
        assert (new.verdict, new.checks[0].interval) == (verdict, None)
        assert new.baseline is not None and new.baseline.rows_compared == 0
        assert "only figures are compared" in new.baseline.notes[0]


def json_of(given: Any) -> str:
    from xentcli.writers.json import render

    return render(xentcli.score(given, kind="losses"))


def test_the_blend_of_the_sample_data_is_seen_by_pairs_alone() -> None:
    preds, labels = str(ROOT / "sample_data/digits_logistic.csv"), str(ROOT / "sample_data/digits_labels.csv")
    table = np.loadtxt(preds, delimiter=",", skiprows=1)
    header = Path(preds).read_text(encoding="utf-8").split("\n")[0]
    np.savetxt("blend.csv", 0.99 * table + 0.001, delimiter=",", header=header, comments="", fmt="%.17g")
    xentcli.check(preds, labels, write_baseline="b.npz")
    result = xentcli.check("blend.csv", labels, baseline="b.npz", max_regression={"cost": 0})
    (found,) = result.checks
    old = xentcli.score(preds, labels)
    assert found.verdict == "fail"
    assert found.change == pytest.approx(0.0080, abs=5e-5)
    halves = [(i.high - i.low) / 2 for i in (old.interval, result.report.interval, found.interval) if i is not None]
    separate = math.hypot(*halves[:2])
    assert separate / halves[2] == pytest.approx(32, abs=0.5)
    assert found.change is not None and found.change < separate


def test_groups_that_are_given_as_data_explain_by_the_name_of_their_column() -> None:
    old, new = drawn(60)
    site = np.where(np.arange(60) < 30, "north", "south")
    xentcli.check(old, kind="losses", write_baseline="b.npz")
    worse = new + np.where(site == "north", 1.0, 0.0)
    result = xentcli.check(
        worse, kind="losses", baseline="b.npz", max_regression={"cost": 0.01}, by={"site": site}, max={"cost": 0.0}
    )
    assert [reason.name for reason in result.reasons if reason.kind == "group"] == ["site north"]
