"""xent calibration: gap, ECE with its floor, bins, fits and decomposition, against other code and published figures."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_expit, log_softmax, logsumexp
from scipy.stats import binomtest, norm, ttest_1samp
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss

from tests.conftest import ROOT, Call, Write
from tests.laws import settings
from xentcli import calibration, score
from xentcli.analysis import fit as fits
from xentcli.analysis.calibration import FITS
from xentcli.engine import passes as passes_module
from xentcli.errors import DataError, UsageError
from xentcli.report.calibration import CalibrationReport, Fit
from xentcli.tallies.bins import bins_of

laws = settings(deadline=None, max_examples=25, least=8)
SAMPLES = ROOT / "sample_data"
FOREST = (str(SAMPLES / "digits_forest.csv"), str(SAMPLES / "digits_labels.csv"))
CANCER = (str(SAMPLES / "cancer_logistic.csv"), str(SAMPLES / "cancer_labels.csv"))


def drawn(rows: int, classes: int, seed: int, sharpness: float = 1.0, spread: float = 2.0) -> tuple[Any, Any]:
    """Logits, and labels drawn from softmax(logits / sharpness): the best temperature is about `sharpness`."""
    random = np.random.default_rng(seed)
    z = random.normal(0, spread, (rows, classes))
    q = np.exp(log_softmax(z, axis=1))
    y = np.minimum((q.cumsum(axis=1) < random.random((rows, 1))).sum(axis=1), classes - 1)
    return z * sharpness, y


def cost_at(z: Any, target: Any, weight: Any = None) -> Any:
    """The mean loss as a function of the temperature."""
    weight = np.ones(len(z)) if weight is None else weight
    distribution = np.eye(z.shape[1])[target] if target.ndim == 1 else target
    return lambda t: np.average(logsumexp(z / t, axis=1) - (distribution * z / t).sum(axis=1), weights=weight)


def best_temperature(cost: Any) -> float:
    found = minimize_scalar(
        lambda log_t: cost(math.exp(log_t)), bounds=(-7, 7), method="bounded", options={"xatol": 1e-9}
    )
    return math.exp(found.x)


def fit_of(report: CalibrationReport) -> Fit:
    assert report.fit is not None, report.undefined
    return report.fit


def test_the_sample_forest_is_underconfident_and_its_scale_costs_most_of_its_loss() -> None:
    report = calibration(*FOREST)
    assert (report.verdict, len(report.bins)) == ("underconfident", 13)
    fit, gap = fit_of(report), report.gap_interval
    assert gap is not None and fit.interval is not None and fit.temperature is not None
    shown = [report.confidence, report.gap, gap.low, gap.high, fit.cost_before, fit.gain, fit.cost_after]
    assert [f"{value:.4f}" for value in shown] == [
        "0.7725",
        "-0.2008",
        "-0.2097",
        "-0.1920",
        "0.3071",
        "0.2328",
        "0.0743",
    ]
    assert [f"{v:.4f}" for v in (fit.interval.low, fit.interval.high, report.ece)] == ["0.2185", "0.2472", "0.2028"]
    assert [f"{v:.3f}" for v in (fit.temperature, report.ece_floor, report.ece_floor_95)] == ["0.271", "0.024", "0.032"]


# --- gap, bins and ECE -------------------------------------------------------------------


def test_the_gap_is_a_mean_of_rows_with_students_interval() -> None:
    z, y = drawn(300, 4, 1, 2.0)
    q = np.exp(log_softmax(z, axis=1))
    each = q.max(axis=1) - (q.argmax(axis=1) == y)
    report = calibration(z, y, kind="logits", fit="none", confidence=0.9)
    wanted = ttest_1samp(each, 0).confidence_interval(0.9)
    assert report.gap == pytest.approx(each.mean(), abs=1e-14)
    assert report.gap_interval is not None
    assert (report.gap_interval.low, report.gap_interval.high) == pytest.approx((wanted.low, wanted.high), abs=1e-12)
    assert report.verdict == "overconfident"


@pytest.mark.parametrize("count", [1, 2, 10, 15, 20, 100, 1000])
def test_a_bin_is_open_below_and_closed_above(count: int) -> None:
    edges = [i / count for i in range(1, count)]
    assert bins_of(np.array(edges), count).tolist() == list(range(count - 1))
    assert bins_of(np.nextafter(edges, 2), count).tolist() == list(range(1, count))
    assert bins_of(np.array([-0.001, 0.0, 1.0, 1.001]), count).tolist() == [0, 0, count - 1, count - 1]


def fraction_ece(q: Any, y: Any, count: int) -> tuple[Fraction, Fraction]:
    """ECE and MCE in exact arithmetic."""
    bins: dict[int, list[Fraction]] = {}
    for row, label in zip(q.tolist(), y.tolist(), strict=True):
        top = max(row)
        place = next((i for i in range(count - 1) if top <= (i + 1) / count), count - 1)
        bins.setdefault(place, []).append((row.index(top) == label) - Fraction(top))
    total = sum((abs(sum(each, Fraction(0))) for each in bins.values()), Fraction(0))
    return total / len(q), max(abs(sum(each, Fraction(0))) / len(each) for each in bins.values())


@laws
@given(st.integers(1, 60), st.integers(2, 6), st.integers(0, 2**32), st.sampled_from([1, 2, 10, 15]))
def test_ece_and_mce_are_the_doubles_nearest_to_the_exact_ones(rows: int, classes: int, seed: int, count: int) -> None:
    z, y = drawn(rows, classes, seed)
    q = np.exp(log_softmax(z, axis=1))
    report = calibration(q, y, bins=count, fit="none")
    assert (report.ece, report.mce) == tuple(map(float, fraction_ece(q, y, count)))
    if count == 15:
        assert score(q, y, metrics="ece").ece == report.ece


def test_the_floor_is_the_mean_error_of_calibrated_draws() -> None:
    random = np.random.default_rng(3)
    q = random.uniform(0.5, 1.0, 400)
    report = calibration(q, (random.random(400) < q).astype(int), fit="none")
    draws = random.random((4000, 400)) < q
    place = bins_of(q, 15)
    errors = sum(np.abs(((draws - q) * (place == b)).sum(axis=1)) for b in range(15)) / 400
    assert report.ece_floor == pytest.approx(errors.mean(), rel=0.02)
    assert report.ece_floor_95 == pytest.approx(np.quantile(errors, 0.95), rel=0.03)


def test_intervals_of_bins_are_wilsons() -> None:
    report = calibration(*FOREST, fit="none", confidence=0.9)
    for part in report.bins:
        wanted = binomtest(round(part.accuracy * part.rows), part.rows).proportion_ci(0.9, method="wilson")
        assert part.interval is not None
        assert (part.interval.low, part.interval.high) == pytest.approx((wanted.low, wanted.high), abs=1e-9)


def vectors(goldens: Path) -> dict[str, Any]:
    return {vector["name"]: vector for vector in json.loads((goldens / "vectors.json").read_text())}


def test_ece_vectors(goldens: Path) -> None:
    found = vectors(goldens)
    many = found["ece-multiclass"]
    report = calibration(many["predictions"], many["labels"], bins=many["bins"], fit="none")
    assert report.ece == pytest.approx(many["want"]["ece_l1"], abs=5e-5)
    assert report.mce == pytest.approx(many["want"]["mce"], abs=5e-5)
    one = found["ece-binary"]
    report = calibration(np.array(one["positive_column"]), one["labels"], bins=one["bins"], fit="none")
    assert report.ece_by_class is not None
    # That tool bins the probability of class 1.
    assert report.ece_by_class["1"] == pytest.approx(one["want"]["ece_l1"], abs=5e-5)
    last = found["ece-last-bin-closed"]
    q = np.array([[c, 1 - c] for c in last["confidence"]])
    report = calibration(q, 1 - np.array(last["correct"]), bins=last["bins"], fit="none")
    assert report.ece == pytest.approx(last["want"]["ece_l1"], abs=1e-12)


@pytest.mark.parametrize("name", ["sst2_gpt2_4shot", "adrenalmnist", "pneumoniamnist"])
def test_published_calibration_errors_to_the_printed_digit(name: str, goldens: Path) -> None:
    golden = json.loads((goldens / "goldens.json").read_text())[name]
    predictions, labels = (str(goldens / file) for file in golden["files"])
    report = calibration(predictions, labels, kind="logprobs", fit="none", sum_tolerance=0.01)
    assert report.ece is not None and report.ece_by_class is not None
    assert round(100 * report.ece, 1) == golden["published"]["ece15_percent"]
    assert round(100 * report.ece_by_class["1"], 1) == golden["published"]["ece15_binary_percent"]


# --- the fit -----------------------------------------------------------------------------


@laws
@given(
    st.tuples(st.integers(200, 600), st.integers(2, 12), st.integers(0, 2**32)),
    st.sampled_from([0.02, 0.2, 0.7, 1.0, 1.5, 6.0, 50.0]),
    st.sampled_from(["probs", "logits", "logprobs"]),
)
def test_the_temperature_is_that_of_least_cost(shape: tuple[int, int, int], sharpness: float, kind: Any) -> None:
    z, y = drawn(*shape, sharpness)
    if kind == "probs" and sharpness > 5:
        # Probabilities that far from even underflow.
        z = z / 50
    values = {"logits": z, "logprobs": log_softmax(z, axis=1), "probs": np.exp(log_softmax(z, axis=1))}[kind]
    fit = fit_of(calibration(values, y, kind=kind, fit="temperature"))
    cost = cost_at(z, y)
    wanted = best_temperature(cost)
    assert fit.temperature == pytest.approx(wanted, rel=1e-5)
    assert fit.cost_after == pytest.approx(cost(wanted), rel=1e-9)
    assert fit.gain == pytest.approx(cost(1.0) - cost(wanted), rel=1e-7, abs=1e-10)


def test_weights_soft_targets_smoothing_and_class_weights_are_in_the_cost_that_is_minimised() -> None:
    z, y = drawn(400, 3, 8, 2.5)
    random = np.random.default_rng(1)
    soft = np.exp(log_softmax(z / 2.5 + random.normal(0, 0.5, z.shape), axis=1))
    weight = random.choice([0.5, 1.0, 4.0], 400)
    fit = fit_of(calibration(z, soft, kind="logits"))
    assert fit.temperature == pytest.approx(best_temperature(cost_at(z, soft)), rel=1e-6)
    weighted = calibration(z, np.column_stack([y, weight]), kind="logits", label="#1", weights="#2")
    assert fit_of(weighted).temperature == pytest.approx(best_temperature(cost_at(z, y, weight)), rel=1e-6)
    for more in ({"label_smoothing": 0.2}, {"class_weight": {"0": 3.0, "2": 0.5}}):
        fit = fit_of(calibration(z, y, kind="logits", **more))
        wanted = best_temperature(lambda t, more=more: score(z / t, y, kind="logits", **more).cost)
        assert fit.temperature == pytest.approx(wanted, rel=1e-5)


@laws
@given(st.integers(0, 2**32), st.sampled_from([0.05, 0.5, 1.0, 3.0, 30.0]), st.sampled_from([-2.0, 0.0, 1.0]))
def test_slope_and_intercept_are_those_of_logistic_regression(seed: int, sharpness: float, shift: float) -> None:
    random = np.random.default_rng(seed)
    z = random.normal(0, 1.5, 500)
    y = (random.random(500) < expit(z)).astype(int)
    given_ = z * sharpness + shift
    fit = fit_of(calibration(given_, y, kind="logits"))
    # The regression is of a well-scaled column; its slope is turned back.
    wanted = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000).fit(z[:, None], y)
    slope = wanted.coef_[0, 0] / sharpness
    assert fit.slope == pytest.approx(slope, rel=1e-5)
    assert fit.intercept == pytest.approx(wanted.intercept_[0] - slope * shift, rel=1e-4, abs=1e-4)
    assert fit.cost_after == pytest.approx(log_loss(y, wanted.predict_proba(z[:, None])[:, 1]), rel=1e-8)


def test_the_score_at_the_temperature_of_the_fit_is_its_cost_to_the_bit() -> None:
    fit = fit_of(calibration(*FOREST))
    assert score(*FOREST, temperature=fit.temperature).cost == fit.cost_after  # type: ignore[arg-type]
    again = fit_of(calibration(*FOREST, temperature=fit.temperature))  # type: ignore[arg-type]
    assert again.temperature == pytest.approx(1.0, abs=1e-9)


def test_the_gain_is_a_paired_mean_with_students_interval() -> None:
    z, y = drawn(250, 5, 4, 1.6)
    fit = fit_of(calibration(z, y, kind="logits"))
    each = np.arange(250)
    before, after = (-log_softmax(z / t, axis=1)[each, y] for t in (1.0, fit.temperature))
    wanted = ttest_1samp(before - after, 0).confidence_interval(0.95)
    assert fit.interval is not None
    assert (fit.interval.low, fit.interval.high) == pytest.approx((wanted.low, wanted.high), rel=1e-9)
    assert fit.optimism == 1 / 250


def test_neither_order_nor_format_nor_workers_change_a_bit(tmp_path: Path) -> None:
    z, y = drawn(3000, 4, 6, 3.0)
    order = np.random.default_rng(0).permutation(3000)
    np.save(tmp_path / "z.npy", z)
    np.save(tmp_path / "y.npy", y)
    text = "\n".join(",".join(map(repr, row)) for row in z[order].tolist())
    (tmp_path / "z.csv").write_text("0,1,2,3\n" + text + "\n")
    (tmp_path / "y.csv").write_text("y\n" + "\n".join(map(str, y[order].tolist())) + "\n")
    arrays, texts = (
        (str(tmp_path / "z.npy"), str(tmp_path / "y.npy")),
        (str(tmp_path / "z.csv"), str(tmp_path / "y.csv")),
    )
    reports = [calibration(*arrays, kind="logits", threads=1), calibration(*texts, kind="logits", threads=2)]
    reports.append(calibration(z[order], y[order], kind="logits"))
    keys = (
        "confidence",
        "gap",
        "gap_interval",
        "fit",
        "ece",
        "ece_floor",
        "ece_floor_95",
        "mce",
        "ece_by_class",
        "bins",
    )
    first, *others = ({name: report.to_dict()[name] for name in keys} for report in reports)
    assert all(other == first for other in others)


@pytest.mark.parametrize("sharpness", [0.01, 0.1, 0.5, 1.0, 2.0, 10.0, 100.0])
@pytest.mark.parametrize("classes", [2, 20])
def test_a_fit_takes_six_passes_at_most(sharpness: float, classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Beside the score.
    passes, plain = [1], passes_module.tallied_again

    def counted(*args: Any) -> Any:
        passes.append(1)
        return plain(*args)

    monkeypatch.setattr(fits, "tallied_again", counted)
    z, y = drawn(2000, classes, 3, sharpness)
    fit_of(calibration(z, y, kind="logits"))
    assert sum(passes) <= fits.MOST_PASSES


@pytest.mark.parametrize(
    ("q", "y", "words"),
    [
        ([[0.9, 0.1, 0.0], [0.5, 0.25, 0.25]], [2, 0], ["1 row", "probability 0 for the true class", "--clip"]),
        ([[0.6, 0.2, 0.2], [0.3, 0.5, 0.2]], [0, 1], ["in every row the true class has the largest prediction"]),
        (
            [[0.5, 0.5, 0.0], [0.3, 0.5, 0.2]],
            [1, 1],
            ["the true class has the largest prediction", "as the temperature falls"],
        ),
        ([[0.6, 0.2, 0.2], [0.3, 0.5, 0.2]], [2, 2], ["equal probabilities cost no more"]),
        ([[0.25, 0.25, 0.25, 0.25]] * 3, [0, 1, 2], ["the same at every temperature"]),
        ([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]], [0, 1, 1], ["separate the classes"]),
        ([[0.5, 0.5]] * 4, [0, 1, 1, 0], ["all predictions are equal"]),
    ],
)
def test_where_nothing_can_be_fitted_the_reason_is_said(q: Any, y: Any, words: Sequence[str]) -> None:
    report = calibration(q, y)
    assert report.fit is None and all(word in report.undefined["fit"] for word in words), report.undefined


def test_clipping_takes_a_zero_at_the_truth_out_of_the_slope() -> None:
    z, y = drawn(300, 3, 2, 2.0)
    q = np.exp(log_softmax(z, axis=1))
    q[0], y[0] = [0.0, 0.5, 0.5], 0
    fit = fit_of(calibration(q, y, clip=1e-6))
    wanted = best_temperature(lambda t: score(q, y, clip=1e-6, temperature=t).cost)
    assert fit.temperature == pytest.approx(wanted, rel=1e-4)
    assert score(q, y, clip=1e-6, temperature=fit.temperature).cost == fit.cost_after  # type: ignore[arg-type]


def test_the_metric_is_the_gain_of_the_temperature_and_can_be_held_to_a_limit(call: Call) -> None:
    gain = fit_of(calibration(*FOREST)).gain
    assert float(call("score", *FOREST, "--get", "temperature_gain").out) == gain
    assert call("check", *FOREST, "--max", "temperature_gain=0.01").code == 1
    assert call("check", *FOREST, "--max", "gap=0", "--max", "ece=0.21").code == 0
    assert call("score", *CANCER, "--metrics", "ece,gap").out.count("by chance") == 2


def test_a_stream_is_refused_with_the_advice_to_save_it(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for words in (("calibration",), ("score", "--get", "temperature_gain")):
        with open(FOREST[0], "rb") as stream:
            monkeypatch.setattr("sys.stdin", _Stdin(stream))
            done = call(words[0], "-", FOREST[1], *words[1:])
        assert (done.code, done.out) == (3, "")
        assert "save it in a file first" in done.err and "--fit none" in done.err


class _Stdin:
    """A standard input that is a file opened for reading."""

    def __init__(self, buffer: Any) -> None:
        self.buffer = buffer

    def fileno(self) -> int:
        return int(self.buffer.fileno())


# --- slices, several problems, what is undefined ------------------------------------------


def test_each_group_is_what_its_rows_are_alone(write: Write) -> None:
    z, y = drawn(200, 3, 5, 2.0)
    site = np.where(np.arange(200) % 3 == 0, "north", "south")
    rows = [[*row, label, name] for row, label, name in zip(z.tolist(), y.tolist(), site.tolist(), strict=True)]
    path = write("all.csv", "0,1,2,y,site\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    whole = calibration(path, kind="logits", preds="0,1,2", label="y", by="site", fit="none")
    assert [part.group for part in whole.by] == [{"site": "north"}, {"site": "south"}]
    for part in whole.by:
        some = site == part.group["site"]
        alone = calibration(z[some], y[some], kind="logits", fit="none")
        assert (part.gap, part.ece, part.ece_floor, part.cost) == (
            alone.gap,
            alone.ece,
            alone.ece_floor,
            alone.report.cost,
        )
        assert (part.interval, part.verdict, part.examples) == (alone.gap_interval, alone.verdict, some.sum())


def test_clusters_widen_the_intervals_and_leave_no_floor(write: Write) -> None:
    z, y = drawn(60, 3, 7, 2.0)
    rows = [[*row, label, i] for i, (row, label) in enumerate(zip(z.tolist(), y.tolist(), strict=True))]
    header = "0,1,2,y,patient\n"
    once = write("once.csv", header + "".join(",".join(map(str, row)) + "\n" for row in rows))
    twice = write("twice.csv", header + "".join(",".join(map(str, row)) + "\n" for row in rows + rows))
    options: dict[str, Any] = {"kind": "logits", "preds": "0,1,2", "label": "y"}
    plain = calibration(once, **options)
    both = calibration(twice, cluster="patient", **options)
    assert both.gap_interval is not None and plain.gap_interval is not None
    assert both.gap_interval.low == pytest.approx(plain.gap_interval.low, rel=1e-12)
    one, two = fit_of(plain).interval, fit_of(both).interval
    assert one is not None and two is not None and two.high == pytest.approx(one.high, rel=1e-9)
    assert both.ece == pytest.approx(plain.ece, rel=1e-12)
    assert both.ece_floor is None and both.bins[0].interval is None and "cluster" in both.undefined["ece_floor"]


def test_each_column_of_multilabel_is_a_binary_problem() -> None:
    random = np.random.default_rng(9)
    z = random.normal(0, 2, (300, 4))
    y = (random.random((300, 4)) < expit(z)).astype(float)
    report = calibration(expit(2 * z), y, multilabel=True)
    pooled = calibration(expit(2 * z).reshape(-1), y.reshape(-1).astype(int), fit="temperature")
    assert report.gap == pytest.approx(pooled.gap, abs=1e-14)
    assert report.ece == pytest.approx(pooled.ece, abs=1e-14)
    assert fit_of(report).temperature == pytest.approx(fit_of(pooled).temperature, rel=1e-9)
    assert fit_of(report).gain == pytest.approx(fit_of(pooled).gain, rel=1e-9)
    wanted = minimize(lambda b: -(y * log_expit(b * 2 * z) + (1 - y) * log_expit(-b * 2 * z)).mean(), 1.0, tol=1e-10)
    assert fit_of(report).temperature == pytest.approx(1 / wanted.x[0], rel=1e-4)
    assert report.ece_floor is None and report.ece_by_class is not None and len(report.ece_by_class) == 4


def test_soft_targets_have_a_fit_but_no_gap() -> None:
    z, _ = drawn(100, 3, 1)
    report = calibration(z, np.exp(log_softmax(z / 2, axis=1)), kind="logits")
    assert (report.gap, report.ece, report.mce, report.confidence, report.verdict, report.bins) == (*[None] * 5, ())
    assert fit_of(report).temperature == pytest.approx(2.0, rel=1e-9)
    assert report.undefined["gap"] == report.undefined["ece"] == "targets are soft"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        *(({"kind": kind}, ["no calibration", kind]) for kind in ("true-probs", "true-logprobs", "losses")),
        ({"compat": "sklearn"}, ["--compat"]),
        ({"worst": 3}, ["--worst"]),
        ({"bytes": 10}, ["--bytes"]),
        ({"metrics": "brier"}, ["--metrics"]),
        ({"bins": 0}, ["--bins", "0"]),
        ({"bins": 10**6}, ["--bins", "1,000"]),
        ({"bins": 2.5}, ["bins"]),
        ({"fit": "platt"}, ["--fit", "temperature"]),
        ({"decompose": True, "label_smoothing": 0.1}, ["--decompose", "--label-smoothing"]),
    ],
)
def test_what_makes_no_sense_is_refused_before_a_file_is_opened(options: dict[str, Any], words: Sequence[str]) -> None:
    with pytest.raises(UsageError) as caught:
        calibration("no/such/file.csv", **options)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_slope_needs_two_classes() -> None:
    with pytest.raises(DataError, match="two classes"):
        calibration(*FOREST, fit="logit")
    assert FITS == ("none", "temperature", "logit")


# --- decomposition -------------------------------------------------------------------------


def test_the_decomposition_vector(goldens: Path) -> None:
    vector = vectors(goldens)["decomposition"]
    report = calibration(np.array(vector["positive_column"]), vector["labels"], decompose=True, fit="none")
    log, brier = report.decomposition
    for part, name in ((log, "log"), (brier, "brier")):
        for figure, wanted in vector["want"][name].items():
            assert getattr(part, figure) == pytest.approx(wanted, abs=5e-8), (name, figure)


def test_a_log_score_has_the_digits_of_the_other_class() -> None:
    q = [[1e-20, 1.0], [0.5, 0.5], [0.25, 0.75]]
    log, _ = calibration(q, [0, 1, 0], decompose=True, fit="none").decomposition
    assert log.score == pytest.approx(-math.log(1e-20 * 0.5 * 0.25) / 3, rel=1e-12)


@laws
@given(st.integers(5, 80), st.integers(2, 5), st.integers(0, 2**32), st.booleans())
def test_the_parts_are_those_of_isotonic_regression_and_add_up(rows: int, classes: int, seed: int, ties: bool) -> None:
    z, y = drawn(rows, classes, seed, 2.0)
    q = np.exp(log_softmax(z, axis=1))
    if ties:
        # Some rows say the same.
        q = q[np.arange(rows) // 3]
    report = calibration(q, y, decompose=True, fit="none")
    for part in report.decomposition:
        total = part.miscalibration - part.discrimination + part.uncertainty
        assert part.score == pytest.approx(total, rel=1e-12)
        assert part.miscalibration >= -1e-15 and part.discrimination >= -1e-15
    if classes == 2:
        log, brier = report.decomposition
        assert log.score == pytest.approx(report.report.cost, rel=1e-12)
        assert brier.score == pytest.approx(brier_score_loss(y, q[:, 1], labels=[0, 1]), rel=1e-12)
        return
    whole, *each = report.decomposition
    assert whole.score == pytest.approx(score(q, y).brier, rel=1e-12)
    assert (whole.name, len(each)) == ("all", classes)
    for c, part in enumerate(each):
        hit = (y == c).astype(float)
        best = IsotonicRegression(y_min=0, y_max=1).fit_transform(q[:, c], hit)
        assert part.score - part.miscalibration == pytest.approx(np.mean((best - hit) ** 2), rel=1e-9, abs=1e-12)
        assert part.uncertainty == pytest.approx(hit.mean() * (1 - hit.mean()), rel=1e-12)


# --- the command ---------------------------------------------------------------------------


def test_the_advice_is_a_command_that_gives_the_cost_that_was_said(call: Call) -> None:
    shown = call("calibration", *FOREST).out
    command = next(line for line in shown.splitlines() if line.startswith("next"))
    words = command.split()[2:]
    assert words[0] == "score" and "--temperature" in words
    assert f"{float(call(*words, '--quiet').out):.4f}" == "0.0743"
    assert "next" not in call("calibration", str(SAMPLES / "digits_logistic.csv"), FOREST[1]).out


@pytest.mark.parametrize("form", ["json", "csv", "jsonl", "markdown", "table"])
def test_every_form_has_the_gap(form: str, call: Call) -> None:
    done = call("calibration", *FOREST, "--format", form)
    assert done.code == 0
    assert "0.2008" in done.out and "\x1b" not in done.out and done.out.isascii()


def test_quantiles_used_for_the_floor_are_the_normal_ones() -> None:
    report = calibration(*FOREST, fit="none")
    assert report.ece_floor is not None and report.ece_floor_95 is not None
    spread = math.fsum(part.confidence * (1 - part.confidence) * part.rows for part in report.bins)
    assert 0 < report.ece_floor_95 - report.ece_floor < norm.ppf(0.95) * math.sqrt(spread) / 1797


def test_cells_without_a_label_are_no_problems_of_their_own(write: Write) -> None:
    random = np.random.default_rng(2)
    q = random.random((60, 3))
    y = (random.random((60, 3)) < q).astype(int).astype(str)
    y[::2, 1] = "NA"
    path = write("y.csv", "a,b,c\n" + "".join(",".join(row) + "\n" for row in y.tolist()))
    preds = write("q.csv", "a,b,c\n" + "".join(",".join(map(repr, row)) + "\n" for row in q.tolist()))
    report = calibration(preds, path, multilabel=True, ignore_label="missing", fit="none")
    assert report.report.examples.ignored_cells == 30
    assert sum(part.rows for part in report.bins) == 150
    assert report.ece_by_class is not None
    some = y[:, 1] != "NA"
    alone = calibration(q[some, 1], y[some, 1].astype(int), fit="none")
    assert alone.ece_by_class is not None
    assert report.ece_by_class["b"] == pytest.approx(alone.ece_by_class["1"], rel=1e-12)
