"""Losses against mpmath, Fraction, SciPy and scikit-learn.

Errors are measured in ulp: |got - exact| over the distance between the double nearest to
the exact value and the next one. The exact value is that of the doubles as they stand, by
the plain formula at 400 digits: the smallest double is 5e-324, so that nothing cancels.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import mpmath as mp
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import softmax
from sklearn.metrics import brier_score_loss

from tests.laws import LONG, settings
from xentcli.errors import Place
from xentcli.scoring.batch import Batch
from xentcli.scoring.checks import checked
from xentcli.scoring.losses import Workings
from xentcli.scoring.measures import brier, correct, entropy
from xentcli.scoring.recipe import Recipe

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DIGITS = 400
LABELLED = ["probs", "logits", "logprobs"]

ROWS = 150 if LONG else 50
"""As many rows as are held against exact losses."""
modest = settings(deadline=None, max_examples=60)


def work(
    kind: str, values: Any, target: Any = None, *, clip: float | None = None, tolerance: float = 0.001
) -> Workings:
    """Workings of rows that went through the check, as every row does."""
    predictions = np.array(values, dtype=np.float64)
    if predictions.ndim == 1:
        predictions = predictions[:, None]
    rows = np.arange(1, len(predictions) + 1)
    recipe = Recipe(kind, tolerance, clip=clip)
    truth = None if target is None else np.asarray(target)
    return Workings(checked(predictions, truth, None, recipe=recipe, rows=rows, where=lambda i, c: Place()))


def part(whole: Workings, rows: slice | Ints) -> Workings:
    """The same rows in a batch of their own."""
    batch = whole.batch
    target = None if batch.target is None else batch.target[rows]
    few = Batch(batch.recipe, batch.predictions[rows].copy(), target, None, batch.rows[rows], batch.binary)
    return Workings(few)


def ulps(got: float, exact: Any) -> float:
    nearest = float(exact)
    return float(abs(mp.mpf(got) - exact) / mp.mpf(float(np.spacing(abs(nearest)))))


def exact_loss(kind: str, row: Sequence[float], truth: int) -> Any:
    """-ln q of the truth for a finite loss; a row of one value is a binary column."""
    with mp.workdps(DIGITS):
        values = [mp.mpf(value) for value in row]
        if len(values) == 1:
            if kind == "logits":
                values = [mp.mpf(0), *values]
            else:
                q = values[0] if kind == "probs" else mp.exp(values[0])
                return +(-mp.log(q if truth else 1 - q))
        match kind:
            case "probs":
                return +(-mp.log(values[truth]))
            case "logits":
                return +mp.log(mp.fsum(mp.exp(value - values[truth]) for value in values if mp.isfinite(value)))
            case _:
                return +(-values[truth])


def worst(kind: str, values: Floats, target: Ints) -> float:
    """The largest error of the losses, in ulp."""
    loss = work(kind, values, target).loss.tolist()
    table = values.reshape(len(values), -1).tolist()
    with mp.workdps(DIGITS):
        return max(
            ulps(got, exact_loss(kind, row, truth))
            for got, row, truth in zip(loss, table, target.tolist(), strict=True)
        )


def example_rows(kind: str, rng: np.random.Generator, n: int, k: int) -> Floats:
    """Valid rows: k classes, or one binary column for k = 1."""
    if k == 1:
        z = rng.normal(size=(n, 1)) * 4
        binary: Floats = {"logits": z, "probs": 1 / (1 + np.exp(-z)), "logprobs": -np.log1p(np.exp(-z))}[kind]
        return binary
    q = rng.dirichlet(np.full(k, 0.5), n)
    if kind == "probs":
        return q
    return np.log(q) if kind == "logprobs" else np.log(q) + rng.normal(size=(n, 1)) * 5


# --- hard labels -------------------------------------------------------------------------


@pytest.mark.parametrize("certain", [True, False], ids=["truth-largest", "truth-random"])
@pytest.mark.parametrize(
    ("k", "spread"), [(2, 1.0), (2, 5.0), (3, 10.0), (3, 50.0), (10, 3.0), (10, 30.0), (10, 100.0), (50, 10.0)]
)
def test_the_loss_of_random_logits_is_within_4_ulp(k: int, spread: float, certain: bool) -> None:
    rng = np.random.default_rng(k)
    z = rng.normal(size=(ROWS, k)) * spread
    target = z.argmax(axis=1) if certain else rng.integers(0, k, len(z))
    assert worst("logits", z, target) <= 4


@pytest.mark.parametrize("offset", [0.0, 1e3, -1e6])
def test_the_loss_of_logits_far_from_zero_is_within_4_ulp(offset: float) -> None:
    rng = np.random.default_rng(1)
    z = offset + rng.normal(size=(ROWS, 4)) * 8
    assert worst("logits", z, z.argmax(axis=1)) <= 4
    assert worst("logits", z, z.argmin(axis=1)) <= 4


@pytest.mark.parametrize("k", [2, 3, 10, 100])
@pytest.mark.parametrize("kind", ["probs", "logprobs"])
def test_the_loss_of_random_probabilities_is_within_4_ulp(kind: str, k: int) -> None:
    rng = np.random.default_rng(k)
    values = example_rows(kind, rng, ROWS, k)
    assert worst(kind, values, rng.integers(0, k, len(values))) <= 4
    assert worst(kind, values, values.argmax(axis=1)) <= 4


@pytest.mark.parametrize("truth", [0, 1])
@pytest.mark.parametrize("kind", LABELLED)
def test_the_loss_of_a_binary_column_is_within_4_ulp(kind: str, truth: int) -> None:
    rng = np.random.default_rng(2)
    sizes = np.concatenate([10.0 ** rng.uniform(-300, -1, 60), rng.random(90)])
    values = {
        "probs": np.concatenate([sizes, 1 - sizes[30:]]),
        "logits": np.concatenate([rng.normal(size=200) * 20, -700 * sizes, 700 * sizes]),
        "logprobs": np.concatenate([-sizes, -700 * sizes, np.log(sizes)]),
    }[kind]
    inside = values[(values > 0) & (values < 1)] if kind == "probs" else values
    assert worst(kind, inside[:, None], np.full(len(inside), truth)) <= 4


@pytest.mark.parametrize(
    ("kind", "row", "truth", "expected"),
    [
        ("logits", [0.0, -40.0], 0, 4.248354255291589e-18),
        ("logits", [-40.0, 0.0], 1, 4.248354255291589e-18),
        ("logits", [0.0, -40.0], 1, 40.0),
        ("logits", [-40.0], 0, 4.248354255291589e-18),
        ("logits", [40.0], 1, 4.248354255291589e-18),
        ("logits", [0.0, 0.0], 0, math.log(2)),
        ("logits", [0.0, -700.0], 0, math.exp(-700)),
        ("logits", [0.0, -800.0], 0, 0.0),
        ("logits", [0.0, -1e6], 1, 1e6),
        ("logits", [1e300, 0.0], 1, 1e300),
        ("logits", [1e300, 0.0], 0, 0.0),
        ("logits", [3.0, -math.inf], 0, 0.0),
        ("probs", [0.1, 0.5, 0.1, 0.1, 0.2], 0, 2.3025850929940455),
        ("probs", [0.1, 0.6, 0.1, 0.1, 0.1], 0, 2.3025850929940455),
        ("probs", [1.0, 0.0], 0, 0.0),
        ("probs", [5e-324, 1.0], 0, 744.4400719213812),
        ("probs", [1e-17], 0, 1e-17),
        ("probs", [1.0], 1, 0.0),
        ("probs", [0.0], 0, 0.0),
        ("logprobs", [0.0, -1e3], 1, 1e3),
        ("logprobs", [-1e-17], 1, 1e-17),
        ("logprobs", [-1e-17], 0, 39.14394658089878),
        ("logprobs", [-40.0], 0, 4.248354255291589e-18),
        ("logprobs", [0.0], 1, 0.0),
        ("logprobs", [-math.inf], 0, 0.0),
    ],
)
def test_the_loss_of_a_known_row(kind: str, row: list[float], truth: int, expected: float) -> None:
    loss = float(work(kind, [row], [truth]).loss[0])
    assert loss == pytest.approx(expected, rel=1e-15, abs=0)
    assert math.copysign(1, loss) == 1


def test_logits_whose_margin_is_beyond_the_doubles_cost_inf_or_nothing() -> None:
    assert work("logits", [[1e308, -1e308]] * 2, [0, 1]).loss.tolist() == [0.0, math.inf]


def test_a_loss_below_the_normal_doubles_is_kept() -> None:
    loss = float(work("logits", [[0.0, -740.0]], [0]).loss[0])
    assert 0 < loss < 1e-320
    assert loss == pytest.approx(math.exp(-740), abs=1e-323)


@pytest.mark.parametrize("truth", [0, 2])
def test_a_masked_logit_changes_nothing_for_the_others(truth: int) -> None:
    rng = np.random.default_rng(3)
    z = rng.normal(size=(40, 3)) * 6
    z[:, 1] = -np.inf
    masked = work("logits", z, np.full(40, truth))
    without = work("logits", z[:, [0, 2]], np.full(40, truth // 2))
    assert masked.loss.tobytes() == without.loss.tobytes()
    assert masked.probabilities[:, 1].tolist() == [0.0] * 40


def test_log_probabilities_of_the_truth_cost_their_negative_to_the_bit() -> None:
    log_q = -np.random.default_rng(4).exponential(3, 50)
    assert work("true-logprobs", log_q).loss.tolist() == (-log_q).tolist()
    loss = work("true-logprobs", [0.0, -math.inf]).loss
    assert loss.tolist() == [0.0, math.inf]
    assert not np.signbit(loss).any()


def test_probabilities_of_the_truth_cost_minus_their_logarithm() -> None:
    q = np.concatenate([np.random.default_rng(5).random(100), 1 - 10.0 ** -np.arange(1.0, 16), [5e-324, 1e-200]])
    with mp.workdps(DIGITS):
        errors = [ulps(got, -mp.log(mp.mpf(x))) for got, x in zip(work("true-probs", q).loss, q.tolist(), strict=True)]
    assert max(errors) <= 4
    ends = work("true-probs", [1.0, 0.0]).loss
    assert ends.tolist() == [0.0, math.inf]
    assert not np.signbit(ends).any()


def test_losses_are_themselves() -> None:
    values = [0.0, 1e-300, 0.1, 700.0, math.inf]
    assert work("losses", values).loss.tolist() == values


@modest
@given(st.data())
def test_the_loss_of_a_hard_label_depends_on_the_probability_of_the_truth_alone(data: st.DataObject) -> None:
    q = data.draw(st.floats(0, 1))
    shares = np.array(data.draw(st.lists(st.floats(0.01, 1), min_size=3, max_size=3)))
    one, other = shares / shares.sum() * (1 - q), np.array([1.0, 0.0, 0.0]) * (1 - q)
    loss = work("probs", [[q, *one], [q, *other]], [0, 0]).loss
    assert loss[0] == loss[1]


# --- zero at the truth -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "row", "truth"),
    [
        ("probs", [0.0, 1.0], 0),
        ("probs", [-0.0005, 1.0], 0),
        ("probs", [0.0], 1),
        ("probs", [-0.0005], 1),
        ("probs", [1.0], 0),
        ("probs", [1.0005], 0),
        ("logits", [-math.inf, 2.0], 0),
        ("logprobs", [-math.inf, 0.0], 0),
        ("logprobs", [0.0], 0),
        ("logprobs", [0.0005], 0),
        ("logprobs", [-math.inf], 1),
    ],
)
def test_no_chance_for_the_truth_costs_inf(kind: str, row: list[float], truth: int) -> None:
    certain = work(kind, [row, row], [truth, 1 - truth]).loss
    assert certain[0] == math.inf
    assert abs(certain[1]) < 0.001


def test_values_a_little_beyond_one_are_used_as_they_are() -> None:
    loss = work("probs", [[1.0005, 0.0]], [0]).loss[0]
    assert loss == pytest.approx(-math.log(1.0005), rel=1e-12)
    assert work("logprobs", [[0.0005, -50.0]], [0]).loss[0] == -0.0005


# --- soft targets ------------------------------------------------------------------------


@pytest.mark.parametrize("k", [2, 3, 10])
@pytest.mark.parametrize("kind", LABELLED)
def test_the_loss_of_a_soft_target_is_the_mean_of_its_classes(kind: str, k: int) -> None:
    rng = np.random.default_rng(k)
    values, target = example_rows(kind, rng, 60, k), rng.dirichlet(np.ones(k), 60)
    target[::5] = 0.0
    target[::5, 0], target[::5, -1] = 0.75, 0.25
    loss = work(kind, values, target).loss
    with mp.workdps(DIGITS):
        for got, row, shares in zip(loss.tolist(), values.tolist(), target.tolist(), strict=True):
            exact = mp.fsum(mp.mpf(y) * exact_loss(kind, row, c) for c, y in enumerate(shares) if y)
            assert ulps(got, exact) <= 8


@pytest.mark.parametrize("kind", LABELLED)
def test_the_loss_of_a_soft_target_on_a_binary_column(kind: str) -> None:
    rng = np.random.default_rng(6)
    values = example_rows(kind, rng, 60, 1)
    share = rng.random(60)
    loss = work(kind, values, np.stack([1 - share, share], axis=1)).loss
    with mp.workdps(DIGITS):
        for got, row, y in zip(loss.tolist(), values.tolist(), share.tolist(), strict=True):
            exact = mp.mpf(1 - y) * exact_loss(kind, row, 0) + mp.mpf(y) * exact_loss(kind, row, 1)
            assert ulps(got, exact) <= 8


@pytest.mark.parametrize(("kind", "zero"), [("probs", 0.0), ("logprobs", -math.inf), ("logits", -math.inf)])
def test_a_class_without_target_adds_nothing_and_a_class_without_chance_adds_inf(kind: str, zero: float) -> None:
    half = {"probs": 0.5, "logprobs": math.log(0.5), "logits": 1.0}[kind]
    rows = [[zero, half, half], [zero, half, half]]
    loss = work(kind, rows, np.array([[0.0, 0.25, 0.75], [0.25, 0.0, 0.75]])).loss
    assert loss[0] == pytest.approx(math.log(2), rel=1e-15)
    assert loss[1] == math.inf


@pytest.mark.parametrize("clip", [None, 0.01])
@pytest.mark.parametrize("k", [1, 2, 3, 10])
@pytest.mark.parametrize("kind", LABELLED)
def test_index_and_one_hot_labels_agree_to_the_bit(kind: str, k: int, clip: float | None) -> None:
    rng = np.random.default_rng(7)
    values = example_rows(kind, rng, 80, k)
    width = max(k, 2)
    index = rng.integers(0, width, 80)
    one_hot = np.eye(width)[index]
    mixed = one_hot.copy()
    mixed[::2] = rng.dirichlet(np.ones(width), 40)
    by_index, by_row = work(kind, values, index, clip=clip), work(kind, values, one_hot, clip=clip)
    among_soft = work(kind, values, mixed, clip=clip)
    for figure in (lambda w: w.loss, lambda w: w.raw_loss, lambda w: w.truth, brier, correct, entropy):
        assert figure(by_index).tobytes() == figure(by_row).tobytes()
        assert figure(by_index)[1::2].tobytes() == figure(among_soft)[1::2].tobytes()
    assert not by_row.soft.any()
    assert among_soft.soft.tolist() == [True, False] * 40


def test_a_target_of_one_class_is_soft_unless_it_is_exactly_one() -> None:
    chosen = work("probs", [[0.5, 0.5]] * 4, np.array([[1.0, 0.0], [0.9995, 0.0], [0.5, 0.5], [0.0, 1.0]]))
    assert chosen.soft.tolist() == [False, True, True, False]
    assert chosen.index.tolist() == [0, 0, 0, 1]
    assert np.isnan(chosen.truth).tolist() == [False, True, True, False]


# --- clipping ----------------------------------------------------------------------------


@pytest.mark.parametrize("eps", [1e-15, 1e-7, 0.01, 0.3])
@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("kind", LABELLED)
def test_clipping_takes_q_between_eps_and_one_minus_eps(kind: str, k: int, eps: float) -> None:
    rng = np.random.default_rng(8)
    values = example_rows(kind, rng, 60, k)
    target = rng.integers(0, max(k, 2), 60)
    clipped = work(kind, values, target, clip=eps)
    with mp.workdps(60):
        for got, row, truth in zip(clipped.loss.tolist(), values.tolist(), target.tolist(), strict=True):
            q = mp.exp(-exact_loss(kind, row, truth))
            exact = -mp.log(min(max(q, mp.mpf(eps)), mp.mpf(1 - eps)))
            assert got == pytest.approx(float(exact), rel=1e-12, abs=0)


def test_clipping_bounds_the_loss_at_both_ends() -> None:
    loss = work("probs", [[0.0, 1.0]] * 2, [0, 1], clip=0.01).loss
    assert loss.tolist() == pytest.approx([-math.log(0.01), -math.log(0.99)], rel=1e-15)
    tiny = work("probs", [[0.0, 1.0]] * 2, [0, 1], clip=1e-300).loss
    assert tiny.tolist() == pytest.approx([-math.log(1e-300), 0.0], rel=1e-15)
    assert not np.signbit(tiny).any()


def test_soft_targets_are_clipped_class_by_class() -> None:
    loss = work("probs", [[0.0, 1.0]], np.array([[0.25, 0.75]]), clip=0.1).loss[0]
    assert loss == pytest.approx(-0.25 * math.log(0.1) - 0.75 * math.log(0.9), rel=1e-14)


@pytest.mark.parametrize("kind", LABELLED)
def test_clipping_leaves_everything_but_the_loss_as_it_is(kind: str) -> None:
    rng = np.random.default_rng(9)
    values, target = example_rows(kind, rng, 50, 3), rng.integers(0, 3, 50)
    clipped, plain = work(kind, values, target, clip=0.2), work(kind, values, target)
    assert clipped.raw_loss.tobytes() == plain.loss.tobytes() != clipped.loss.tobytes()
    for figure in (lambda w: w.probabilities, lambda w: w.truth, brier, correct, entropy):
        assert figure(clipped).tobytes() == figure(plain).tobytes()


# --- Brier, accuracy, entropy, probabilities ---------------------------------------------


@pytest.mark.parametrize("k", [2, 3, 10])
@pytest.mark.parametrize("kind", LABELLED)
def test_brier_is_that_of_scikit_learn(kind: str, k: int) -> None:
    rng = np.random.default_rng(k)
    values, target = example_rows(kind, rng, 200, k), rng.integers(0, k, 200)
    chosen = work(kind, values, target)
    q = {"probs": values, "logits": softmax(values, axis=1), "logprobs": np.exp(values)}[kind]
    expected = brier_score_loss(target, q, labels=list(range(k)), scale_by_half=False)
    assert brier(chosen).mean() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_brier_is_the_squared_distance_to_the_target(k: int, soft: bool) -> None:
    rng = np.random.default_rng(10)
    values, width = example_rows("probs", rng, 50, k), max(k, 2)
    index = rng.integers(0, width, 50)
    target = rng.dirichlet(np.ones(width), 50) if soft else np.eye(width)[index]
    got = brier(work("probs", values, target if soft else index)).tolist()
    for value, row, shares in zip(got, values.tolist(), target.tolist(), strict=True):
        q = [1 - Fraction(row[0]), Fraction(row[0])] if k == 1 else [Fraction(x) for x in row]
        exact = sum((a - Fraction(y)) ** 2 for a, y in zip(q, shares, strict=True))
        assert value == pytest.approx(float(exact), rel=1e-13, abs=1e-16)


def test_brier_runs_from_zero_to_two() -> None:
    assert brier(work("probs", [[1.0, 0.0, 0.0]] * 2, [0, 1])).tolist() == [0.0, 2.0]
    assert brier(work("logits", [[900.0, 0.0]] * 2, [0, 1])).tolist() == [0.0, 2.0]


@pytest.mark.parametrize(
    ("kind", "row", "predicted"),
    [
        ("probs", [0.2, 0.5, 0.3], 1),
        ("probs", [0.4, 0.4, 0.2], 0),
        ("probs", [0.2, 0.4, 0.4], 1),
        ("logits", [1.0, 3.0, 3.0], 1),
        ("logits", [-math.inf, -900.0, -900.0], 1),
        ("logits", [700.0, math.nextafter(700.0, 701), 0.0], 1),
        ("logprobs", [math.log(0.25), math.log(0.375), math.log(0.375)], 1),
        ("probs", [0.5], 0),
        ("probs", [math.nextafter(0.5, 1)], 1),
        ("probs", [math.nextafter(0.5, 0)], 0),
        ("logits", [0.0], 0),
        ("logits", [5e-324], 1),
        ("logits", [-5e-324], 0),
        ("logprobs", [-0.1], 1),
        ("logprobs", [-2.0], 0),
    ],
)
def test_the_largest_is_predicted_and_ties_go_to_the_first(kind: str, row: list[float], predicted: int) -> None:
    classes = list(range(max(len(row), 2)))
    chosen = work(kind, [row] * len(classes), classes)
    assert chosen.predicted.tolist() == [predicted] * len(classes)
    assert correct(chosen).tolist() == [float(c == predicted) for c in classes]


def test_entropy_is_that_of_scipy_and_zero_for_a_hard_label() -> None:
    target = np.random.default_rng(11).dirichlet(np.full(5, 0.3), 60)
    target[0] = [0.0, 0.5, 0.0, 0.5, 0.0]
    target[1] = [0.0, 0.0, 1.0, 0.0, 0.0]
    got = entropy(work("probs", np.full((60, 5), 0.2), target))
    assert got.tolist() == pytest.approx(stats.entropy(target / target.sum(axis=1)[:, None], axis=1), rel=1e-12)
    assert got[1] == 0.0
    assert not np.signbit(got).any()
    assert entropy(work("probs", np.full((3, 5), 0.2), [0, 1, 2])).tolist() == [0.0] * 3


@pytest.mark.parametrize("k", [1, 2, 6])
@pytest.mark.parametrize("kind", LABELLED)
def test_probabilities_are_the_exponentials_of_the_negative_losses(kind: str, k: int) -> None:
    rng = np.random.default_rng(12)
    values, width = example_rows(kind, rng, 40, k), max(k, 2)
    for c in range(width):
        chosen = work(kind, values, np.full(40, c))
        for q, row in zip(chosen.probabilities[:, c].tolist(), values.tolist(), strict=True):
            with mp.workdps(50):
                assert q == pytest.approx(float(mp.exp(-exact_loss(kind, row, c))), rel=1e-13)
        # Of logits the truth's needs no pass for the maximum.
        np.testing.assert_array_max_ulp(chosen.truth, chosen.probabilities[:, c], 0 if kind != "logits" else 4)


def test_probabilities_of_the_truth_are_found_whatever_the_file_holds() -> None:
    q = [0.25, 1.0, 1e-200]
    log_q = np.log(q)
    for kind, values in (("true-probs", q), ("true-logprobs", log_q), ("losses", -log_q)):
        assert work(kind, values).probabilities[:, 0].tolist() == pytest.approx(q, rel=1e-13, abs=0)


def test_entropy_brier_and_losses_leave_their_batch_alone() -> None:
    for kind in LABELLED:
        values, target = example_rows(kind, np.random.default_rng(13), 20, 3), np.eye(3)[np.arange(20) % 3]
        chosen = work(kind, values, target)
        before = chosen.batch.predictions.tobytes(), target.tobytes()
        for figure in (lambda w: w.loss, brier, correct, entropy, brier, lambda w: w.probabilities):
            figure(chosen)
        assert (chosen.batch.predictions.tobytes(), target.tobytes()) == before


# --- rows stand alone --------------------------------------------------------------------

FIGURES: dict[str, Callable[[Workings], Floats]] = {
    "loss": lambda w: w.loss,
    "probabilities": lambda w: w.probabilities,
    "brier": brier,
    "correct": correct,
    "entropy": entropy,
}


@pytest.mark.parametrize("target", ["hard", "soft"])
@pytest.mark.parametrize("k", [1, 2, 3, 9, 130, 1000])
@pytest.mark.parametrize("kind", LABELLED)
def test_a_row_has_the_same_bits_in_any_company(kind: str, k: int, target: str) -> None:
    rng = np.random.default_rng(k)
    n, width = 37, max(k, 2)
    index = rng.integers(0, width, n)
    truth = rng.dirichlet(np.ones(width), n) if target == "soft" else index
    if target == "soft":
        truth[::3] = np.eye(width)[index[::3]]
    whole = work(kind, example_rows(kind, rng, n, k), truth)
    cuts = [0, *sorted(rng.choice(np.arange(1, n), 5, replace=False).tolist()), n]
    splits = [
        [part(whole, np.array([i])) for i in range(n)],
        [part(whole, slice(a, b)) for a, b in itertools.pairwise(cuts)],
    ]
    order = rng.permutation(n)
    for name, figure in FIGURES.items():
        for split in splits:
            assert np.concatenate([figure(few) for few in split]).tobytes() == figure(whole).tobytes(), name
        assert figure(part(whole, order)).tobytes() == figure(whole)[order].tobytes(), name


@pytest.mark.parametrize("kind", ["true-probs", "true-logprobs", "losses"])
def test_a_row_without_label_has_the_same_bits_in_any_company(kind: str) -> None:
    q = np.random.default_rng(14).random(50)
    whole = work(kind, {"true-probs": q, "true-logprobs": np.log(q), "losses": -np.log(q)}[kind])
    alone = np.concatenate([part(whole, np.array([i])).loss for i in range(50)])
    assert alone.tobytes() == whole.loss.tobytes()
    assert not whole.soft.any()


@pytest.mark.parametrize("kind", LABELLED)
def test_no_rows_have_no_losses(kind: str) -> None:
    for target in (np.zeros(0, np.int64), np.zeros((0, 3))):
        nothing = work(kind, np.zeros((0, 3)), target)
        for figure in FIGURES.values():
            assert len(figure(nothing)) == 0
