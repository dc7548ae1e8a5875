"""The prior is the cost of the best constant prediction; class weights of 0 and smoothing up to 1 have their cost.

The oracles are the formula of the contract in exact fractions, SciPy's minimiser and PyTorch's formula by hand.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special

from tests.conftest import Run, Write
from tests.laws import settings
from xentcli import score
from xentcli.errors import NoVerdict, UsageError
from xentcli.report.report import Report
from xentcli.scoring.batch import Batch, with_class_weights
from xentcli.scoring.losses import Workings
from xentcli.scoring.recipe import Recipe
from xentcli.tallies.scores import Figures, Scores

Floats = npt.NDArray[np.float64]
modest = settings(deadline=None, max_examples=40)
SEEDS = st.integers(0, 2**32 - 1)


class Case:
    """Random targets, weights and class weights of K classes; rows and classes of weight 0 among them."""

    def __init__(self, seed: int, *, soft: bool = True, zero_class: bool = False) -> None:
        rng = np.random.default_rng(seed)
        self.n, self.k = int(rng.integers(2, 9)), int(rng.integers(2, 5))
        self.y = rng.dirichlet(np.ones(self.k), self.n)
        hard = rng.random(self.n) < (0.3 if soft else 1.0)
        self.y[hard] = np.eye(self.k)[rng.integers(0, self.k, int(hard.sum()))]
        self.w = rng.choice([0.0, 0.5, 1.0, 3.0], self.n) + (np.arange(self.n) == 0)
        self.classes = rng.choice([0.25, 1.0, 4.0], self.k)
        if zero_class:
            # The first row always has a weight.
            self.classes[(self.y[0].argmax() + 1) % self.k] = 0.0
        self.q = rng.dirichlet(np.ones(self.k), self.n)
        self.smoothing = float(rng.choice([0.0, 0.1, 0.5, 1.0]))

    @property
    def names(self) -> list[str]:
        return [f"c{index}" for index in range(self.k)]

    def report(self, q: Floats | None = None, **options: Any) -> Report:
        preds = pd.DataFrame(self.q if q is None else q, columns=self.names).assign(w=self.w)
        targets = pd.DataFrame(self.y, columns=self.names)
        weights = dict(zip(self.names, self.classes.tolist(), strict=True))
        return score(preds, targets, weights="w", class_weight=weights, **options)

    def constant(self, f: Floats) -> Floats:
        return np.tile(f, (self.n, 1))

    def shares(self, smoothing: float, per_row: bool) -> list[list[Fraction]]:
        """What the logarithm of each prediction is multiplied by in -sum a / sum b of the contract."""
        spread, even = 1 - Fraction(smoothing), Fraction(smoothing) / self.k
        classes, rows = [*map(Fraction, self.classes.tolist())], [*map(Fraction, self.w.tolist())]
        targets = [[*map(Fraction, row)] for row in self.y.tolist()]
        below = sum(
            w * (1 if per_row else weight) * target
            for w, row in zip(rows, targets, strict=True)
            for weight, target in zip(classes, row, strict=True)
        )
        return [
            [w * weight * (spread * target + even) / below for weight, target in zip(classes, row, strict=True)]
            for w, row in zip(rows, targets, strict=True)
        ]

    def cost(self, q: Floats, smoothing: float = 0.0, per_row: bool = False) -> float:
        """The cost of the contract: the logarithms are doubles, all else is exact."""
        return exact_cost(chain.from_iterable(self.shares(smoothing, per_row)), q.ravel())

    def cost_of_constants(self) -> Callable[[Floats], float]:
        """The same of a prediction that all rows have, as a function of it."""
        sums = [sum(column, Fraction(0)) for column in zip(*self.shares(0.0, False), strict=True)]
        return lambda f: exact_cost(sums, f)


def exact_cost(shares: Iterable[Fraction], q: Floats) -> float:
    return float(-sum(share * Fraction(math.log(p)) for share, p in zip(shares, q.tolist(), strict=True) if share))


def best_constant(cost: Any, k: int) -> tuple[float, Floats]:
    """The least cost of a constant prediction, by search over softmax(z) alone."""
    found = optimize.minimize(lambda z: cost(special.softmax(np.append(z, 0.0))), np.zeros(k - 1), tol=1e-12)
    return float(found.fun), special.softmax(np.append(found.x, 0.0))


@modest
@given(SEEDS, st.booleans())
def test_the_prior_is_the_least_cost_of_a_constant_prediction(seed: int, soft: bool) -> None:
    case = Case(seed, soft=soft)
    least, _ = best_constant(case.cost_of_constants(), case.k)
    prior = case.report().prior
    assert prior == pytest.approx(least, rel=1e-6, abs=2e-5)
    # A search stops above the least cost, never below it.
    assert prior is not None and prior <= least + 1e-12


@modest
@given(SEEDS, st.booleans(), st.booleans())
def test_the_best_constant_has_skill_0_and_any_other_has_less(seed: int, soft: bool, zero_class: bool) -> None:
    case = Case(seed, soft=soft, zero_class=zero_class)
    mass = (case.w[:, None] * case.y * case.classes).sum(axis=0)
    f = mass / mass.sum()
    report = case.report(case.constant(f))
    if report.prior is not None and report.prior > 1e-12:
        assert report.skill == pytest.approx(0, abs=1e-12)
        assert report.nce == pytest.approx(1, abs=1e-12)
        other = case.report(case.constant(0.9 * f + 0.1 / case.k))
        assert other.skill is not None and other.skill <= 1e-12


@modest
@given(SEEDS)
def test_under_the_denominator_of_torch_the_best_constant_has_skill_0_too(seed: int) -> None:
    case = Case(seed)
    mass = (case.w[:, None] * case.y * case.classes).sum(axis=0)
    with np.errstate(divide="ignore"):
        logits = np.log(case.constant(mass / mass.sum()))
    report = case.report(logits, kind="logits", compat="torch")
    assert report.cost == pytest.approx(case.cost(special.softmax(logits, axis=1), per_row=True), rel=1e-12, abs=1e-14)
    if report.prior:
        assert report.prior == pytest.approx(report.cost, rel=1e-12)
        assert report.skill == pytest.approx(0, abs=1e-12)


def test_the_figures_of_the_two_targets_that_were_wrong() -> None:
    targets = pd.DataFrame({"a": [0.8, 0.4], "b": [0.2, 0.6]})
    masses = (0.8 + 0.4, 3 * (0.2 + 0.6))
    f = [mass / sum(masses) for mass in masses]
    report = score(pd.DataFrame([f, f], columns=["a", "b"]), targets, class_weight={"a": 1, "b": 3})
    expected = -sum(p * math.log(p) for p in f)
    assert round(expected, 4) == 0.6365
    assert report.prior == pytest.approx(expected, rel=1e-15)
    assert report.skill == pytest.approx(0, abs=1e-15)


def test_targets_that_do_not_quite_sum_to_1_have_their_best_constant_too() -> None:
    targets = np.array([[0.5, 0.4992], [0.2, 0.8008]])
    f = targets.sum(axis=0) / targets.sum()
    report = score(np.tile(f, (2, 1)), targets)
    assert report.prior == pytest.approx(-float(targets.sum(axis=0) @ np.log(f)) / 2, rel=1e-14)
    assert report.skill == pytest.approx(0, abs=1e-14)


@modest
@given(SEEDS)
def test_the_prior_of_columns_apart_is_the_mean_of_their_best_constants(seed: int) -> None:
    case = Case(seed)
    rng = np.random.default_rng(seed)
    targets = np.where(rng.random((case.n, case.k)) < 0.5, rng.integers(0, 2, (case.n, case.k)), case.y)
    frame = pd.DataFrame(case.q, columns=case.names).assign(w=case.w)
    soft = pd.DataFrame(targets, columns=case.names)
    report = score(frame, soft, weights="w", multilabel=True)

    def cost_of(column: int, f: Floats) -> float:
        y = targets[:, column]
        return float(case.w @ -(y * math.log(f[0]) + (1 - y) * math.log(f[1])) / case.w.sum())

    least = [best_constant(lambda f, c=c: cost_of(c, f), 2)[0] for c in range(case.k)]
    assert report.prior == pytest.approx(np.mean(least), rel=1e-5, abs=2e-5)
    constant = np.tile((case.w @ targets) / case.w.sum(), (case.n, 1))
    at_best = score(pd.DataFrame(constant, columns=case.names).assign(w=case.w), soft, weights="w", multilabel=True)
    if at_best.prior is not None and at_best.prior > 1e-12:
        assert at_best.skill == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("smoothing", [0.1, 1.0])
@pytest.mark.parametrize("soft", [False, True])
def test_the_prior_of_smoothed_labels_is_null_with_its_reason(smoothing: float, soft: bool) -> None:
    report = Case(1, soft=soft).report(label_smoothing=smoothing)
    assert (report.prior, report.skill, report.nce) == (None, None, None)
    assert report.undefined["prior"] == report.undefined["skill"] == report.undefined["nce"] == "labels are smoothed"


@modest
@given(SEEDS, st.booleans(), st.integers(1, 400))
def test_a_class_of_weight_0_with_smoothing_costs_what_the_formula_says(seed: int, soft: bool, block: int) -> None:
    case = Case(seed, soft=soft, zero_class=True)
    options: dict[str, Any] = {"label_smoothing": case.smoothing, "block_bytes": block}
    expected = case.cost(case.q, case.smoothing)
    one = case.report(**options)
    assert one.cost == pytest.approx(expected, rel=1e-12, abs=1e-15)
    assert case.report(np.log(case.q), kind="logits", **options).cost == pytest.approx(expected, rel=1e-11, abs=1e-14)
    assert one.total / one.weight_sum == pytest.approx(expected, rel=1e-12, abs=1e-15)
    assert one.weight_sum == pytest.approx(float(case.w @ case.y @ case.classes), rel=1e-12)
    # Without smoothing a row whose target has no weight has none at all; with it, it counts above the line.
    counted = case.w > 0 if case.smoothing else case.w * (case.y @ case.classes) > 0
    assert one.examples.scored == int(counted.sum())
    assert one.examples.read == one.examples.scored + one.examples.zero_weight


def dot(one: list[float], other: list[float]) -> Fraction:
    return sum((Fraction(x) * Fraction(y) for x, y in zip(one, other, strict=True)), Fraction())


def in_fractions(
    case: Case, rows: npt.NDArray[np.bool_], groups: npt.NDArray[Any] | None = None
) -> tuple[float, float]:
    """The cost of some rows and its squared standard error, from residuals a - m b, by row or by group."""
    w, y, q = (values[rows].tolist() for values in (case.w, case.y, case.q))
    names = list(range(len(w))) if groups is None else groups[rows].tolist()
    a: dict[Any, Fraction] = dict.fromkeys(names, Fraction(0))
    b = dict(a)
    for name, weight, target, p in zip(names, w, y, q, strict=True):
        terms = [c * -math.log(value) for c, value in zip(case.classes.tolist(), p, strict=True)]
        smoothed = [(1 - case.smoothing) * t + case.smoothing / case.k for t in target]
        a[name] += Fraction(weight) * dot(terms, smoothed)
        b[name] += Fraction(weight) * dot(case.classes.tolist(), target)
    above, below, count = sum(a.values(), Fraction()), sum(b.values(), Fraction()), len(a)
    residuals = sum(((a[name] - above / below * b[name]) ** 2 for name in a), Fraction())
    return float(above / below), float(Fraction(count, max(1, count - 1)) * residuals / below**2)


@modest
@given(SEEDS)
def test_errors_groups_and_clusters_count_rows_of_a_class_of_weight_0(seed: int) -> None:
    case = Case(seed, zero_class=True)
    case.smoothing = case.smoothing or 0.1
    groups = np.random.default_rng(seed).choice(["u", "v"], case.n)
    groups[0] = "u"
    frame = pd.DataFrame(case.q, columns=case.names).assign(w=case.w, g=groups)
    targets = pd.DataFrame(case.y, columns=case.names)
    weights = dict(zip(case.names, case.classes.tolist(), strict=True))
    options: dict[str, Any] = {"weights": "w", "class_weight": weights, "label_smoothing": case.smoothing}
    plain = score(frame, targets, by="g", **options)
    some = case.w > 0
    mean, squared = in_fractions(case, some)
    assert plain.cost == pytest.approx(mean, rel=1e-12, abs=1e-15)
    if plain.standard_error is not None:
        assert plain.standard_error == pytest.approx(math.sqrt(squared), rel=1e-9, abs=1e-12)
    for part in plain.by:
        chosen = some & (groups == part.group["g"])
        assert part.examples == int(chosen.sum())
        if float(case.w[chosen] @ case.y[chosen] @ case.classes) > 0:
            mean, squared = in_fractions(case, chosen)
            assert part.cost == pytest.approx(mean, rel=1e-12, abs=1e-15)
            if part.standard_error is not None:
                assert part.standard_error == pytest.approx(math.sqrt(squared), rel=1e-9, abs=1e-12)
        else:
            assert math.isnan(part.cost)
    clustered = score(frame, targets, cluster="g", **options)
    if clustered.standard_error is not None:
        squared = in_fractions(case, some, groups)[1]
        assert clustered.standard_error == pytest.approx(math.sqrt(squared), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("label", [0, 1])
def test_a_hard_label_of_a_class_of_weight_0_adds_its_smoothing_alone(label: int) -> None:
    # Two rows: the first of class 1, of weight 1; the second of `label`, of weight W.
    q = np.array([[0.25, 0.75], [0.5, 0.5]])
    report = score(q, [1, label], class_weight={"0": 0}, label_smoothing=0.5)
    # Of class 0 nothing is counted; class 1 has (1 - E) y + E / 2 of each row.
    above = 0.75 * -math.log(0.75) + (0.75 if label else 0.25) * math.log(2)
    assert report.cost == pytest.approx(above / (1 + label), rel=1e-15)
    assert (report.examples.scored, report.weight_sum) == (2, 1 + label)


def test_smoothing_of_1_is_the_mean_over_all_classes() -> None:
    case = Case(3)
    case.classes[:] = 1
    expected = float(case.w @ -np.log(case.q).mean(axis=1) / case.w.sum())
    assert case.report(label_smoothing=1.0).cost == pytest.approx(expected, rel=1e-13)
    q = np.array([[1.0, 0.0], [0.5, 0.5]])
    assert score(q, [0, 0], label_smoothing=1.0).infinite.rows == (1,)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_where_no_class_has_weight_there_is_no_verdict(smoothing: float) -> None:
    with pytest.raises(NoVerdict, match="weights of all 2 rows are 0"):
        score([[0.5, 0.5], [0.25, 0.75]], [0, 1], class_weight={"0": 0, "1": 0}, label_smoothing=smoothing)


def test_infinite_rows_clipping_and_accuracy_leave_out_the_weight_that_is_none() -> None:
    q = np.array([[0.5, 0.5], [0.0, 1.0], [1.0, 0.0]])
    options: dict[str, Any] = {"class_weight": {"0": 0}, "label_smoothing": 0.5}
    report = score(q, [1, 1, 0], **options)
    # Row 3 is of class 0: it has no part of sum b, but its loss is infinite.
    assert report.infinite.rows == (3,)
    assert report.infinite.cost_of_the_rest == pytest.approx(0.75 * math.log(2) / 2, rel=1e-15)
    assert report.accuracy == 0.5
    clipped = score(q, [1, 1, 0], clip=0.125, **options)
    above = 0.75 * math.log(2) + 0.75 * -math.log(0.875) + 0.25 * -math.log(0.125)
    assert clipped.cost == pytest.approx(above / 2, rel=1e-14)
    assert clipped.clip is not None and clipped.clip.cost_without == math.inf


def test_losses_that_no_weight_stands_under_are_not_written_row_by_row(xent: Run, write: Write, tmp_path: Path) -> None:
    write("p.csv", "a,b\n0.5,0.5\n0.25,0.75\n")
    write("y.csv", "y\na\nb\n")
    options = ("--class-weight", "a=0", "--label-smoothing", "0.1")
    done = xent("score", "p.csv", "y.csv", *options, "--per-example", "l.csv")
    assert done.returncode == 2 and "--per-example" in done.stderr
    assert not (tmp_path / "l.csv").exists()
    # The advice: the cost itself is computed without it.
    assert xent("score", "p.csv", "y.csv", *options).returncode == 0
    with pytest.raises(UsageError):
        score([[0.5, 0.5]], [0], class_weight={"0": 0}, label_smoothing=0.1, sink=lambda block: None)
    # Either option alone has a weight for every loss.
    for alone in (options[:2], options[2:]):
        assert xent("score", "p.csv", "y.csv", *alone, "--per-example", "-").returncode == 0


def batch_of(rows: slice, smoothing: float = 0.5) -> Batch:
    """Some of six rows; the class of the first three has weight 0."""
    q = np.linspace(0.1, 0.9, 6)[rows]
    target = np.array([0, 0, 0, 1, 1, 1])[rows]
    recipe = Recipe(smoothing=smoothing, class_weight=np.array([0.0, 2.0]))
    return with_class_weights(Batch(recipe, np.stack([q, 1 - q], axis=1), target, None, np.arange(1, 7)[rows]))


def test_rows_without_a_part_of_the_denominator_stay_so_when_pieces_are_joined() -> None:
    pieces = [Figures.of(Workings(batch_of(rows))) for rows in (slice(0, 2), slice(2, 4), slice(4, 6))]
    together = Scores.of(Figures.joined(pieces), read=6)
    assert together.cost.mean.b.value == 6.0
    assert together.cost == Scores.of(Figures.of(Workings(batch_of(slice(0, 6)))), read=6).cost
    apart = functools.reduce(Scores.merge, [Scores.of(piece, read=2) for piece in pieces])
    assert (together.cost, together.means) == (apart.cost, apart.means)


def test_rows_without_a_part_of_the_denominator_stay_so_when_others_are_taken_away() -> None:
    frame = pd.DataFrame({"a": [0.5, 0.25, 0.75], "b": [0.5, 0.75, 0.25], "w": [1.0, 1e-320, 1.0]})
    report = score(frame, ["a", "b", "b"], weights="w", class_weight={"a": 0, "b": 1e-10}, label_smoothing=0.5)
    # The weight of row 2 is below the doubles; row 1 adds to the numerator alone.
    assert report.examples.zero_weight == 1
    above = 1e-10 * (0.25 * math.log(2) + 0.75 * -math.log(0.25))
    assert report.weight_sum == 1e-10
    assert report.cost == pytest.approx(above / 1e-10, rel=1e-14)
