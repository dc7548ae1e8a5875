"""Tallies: their laws, the same for every class, and their figures against independent ones."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import mpmath as mp
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.laws import settings
from xentcli.errors import Place
from xentcli.scoring.checks import checked
from xentcli.scoring.losses import Workings
from xentcli.scoring.recipe import Recipe
from xentcli.tallies.exact import ExactSum
from xentcli.tallies.infinite import Clipping, Infinite
from xentcli.tallies.looks import Looks
from xentcli.tallies.moments import Mean, Moments
from xentcli.tallies.scores import Figures, Scores
from xentcli.tallies.shares import ClassShares

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

lawful = settings(deadline=None, max_examples=60)
modest = settings(deadline=None, max_examples=100)


@dataclass(frozen=True)
class Rows:
    """Rows of three classes, or of what was true only; and what is tallied of any slice of them."""

    kind: str
    predictions: Floats
    target: Ints | Floats | None
    weight: Floats | None
    read: Ints
    clip: float | None

    def __len__(self) -> int:
        return len(self.predictions)

    def weights(self, part: slice) -> Floats | None:
        """The weights of a block, None where all are 1: what the scorer passes on."""
        weight = None if self.weight is None else self.weight[part]
        return None if weight is None or (weight == 1).all() else weight

    def work(self, part: slice) -> Workings:
        target = None if self.target is None else self.target[part]
        rows = np.arange(1, len(self) + 1)[part]
        recipe = Recipe(self.kind, 0.01, clip=self.clip)
        batch = checked(
            self.predictions[part], target, self.weights(part), recipe=recipe, rows=rows, where=lambda i, c: Place()
        )
        return Workings(batch)


@st.composite
def some_rows(draw: st.DrawFn, least: int = 0) -> Rows:
    """Few rows with everything that occurs: zeros at the truth, soft and hard targets, weights of 1 and others."""
    n = draw(st.integers(least, 14))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(["probs", "logits", "logprobs", "losses"]))
    q = rng.dirichlet(np.full(3, 0.4), n)
    q[rng.random(n) < 0.2] = [0.0, 0.5, 0.5]
    q[rng.random(n) < 0.2] = [1.0, 0.0, 0.0]
    q *= 1 + rng.uniform(-0.005, 0.005, (n, 1))
    with np.errstate(divide="ignore"):
        logs = np.log(q)
    values = {"probs": q, "logits": logs * 3, "logprobs": logs, "losses": -logs[:, :1]}[kind]
    target: Ints | Floats | None = rng.integers(0, 3, n)
    if draw(st.booleans()):
        target = np.eye(3)[target]
        soft = rng.random(n) < 0.5
        target[soft] = rng.dirichlet(np.ones(3), int(soft.sum()))
    weight = None
    if draw(st.booleans()):
        weight = 10.0 ** rng.uniform(-3, 3, n)
        weight[rng.random(n) < 0.6] = 1.0
    clip = draw(st.sampled_from([None, 1e-3, 0.2]))
    return Rows(kind, values, None if kind == "losses" else target, weight, rng.integers(1, 4, n), clip)


def mean_of(rows: Rows, part: slice) -> Mean:
    return Mean.of(rows.work(part).loss, rows.weights(part))


def moments_of(rows: Rows, part: slice) -> Moments:
    return Moments.of(rows.work(part).loss, rows.weights(part))


def shares_of(rows: Rows, part: slice) -> ClassShares:
    return ClassShares() if rows.target is None else ClassShares.of(rows.work(part))


def infinite_of(rows: Rows, part: slice) -> Infinite:
    work = rows.work(part)
    return Infinite.of(work.loss, rows.weights(part), work.batch.rows)


def clipping_of(rows: Rows, part: slice) -> Clipping:
    work = rows.work(part)
    return Clipping.of(work.loss, None if work.batch.recipe.clip is None else work.raw_loss, rows.weights(part))


def merged(parts: Iterable[Scores]) -> Scores:
    return functools.reduce(Scores.merge, parts, Scores())


def scores_of(rows: Rows, part: slice) -> Scores:
    read, work = rows.read[part], rows.work(part)
    return Scores.of(Figures.of(work), read=int(read.sum()), underflows=int((read == 3).sum()))


def looks_of(rows: Rows, part: slice) -> Looks:
    return Looks.of(rows.work(part))


def exact_of(rows: Rows, part: slice) -> ExactSum:
    work = rows.work(part)
    return ExactSum.of(work.loss).merge(ExactSum.of(work.batch.rows * 0.1))


TALLIES: list[tuple[Any, Callable[[Rows, slice], Any]]] = [
    (ExactSum, exact_of),
    (Mean, mean_of),
    (Moments, moments_of),
    (ClassShares, shares_of),
    (Infinite, infinite_of),
    (Clipping, clipping_of),
    (Scores, scores_of),
]

every_tally = pytest.mark.parametrize(("cls", "of"), TALLIES, ids=[cls.__name__ for cls, _ in TALLIES])


def blocks(rows: Rows, cuts: list[int]) -> list[slice]:
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    return [slice(a, b) for a, b in itertools.pairwise(edges)]


# --- the laws of merging -----------------------------------------------------------------


@every_tally
@lawful
@given(rows=some_rows())
def test_the_empty_tally_is_a_true_identity(cls: Any, of: Callable[[Rows, slice], Any], rows: Rows) -> None:
    tally = of(rows, slice(None))
    assert cls.empty().merge(tally) == tally
    assert tally.merge(cls.empty()) == tally
    assert cls.empty().merge(cls.empty()) == cls.empty()


@every_tally
@lawful
@given(rows=some_rows(), cuts=st.lists(st.integers(0, 14), min_size=2, max_size=2))
def test_merging_is_associative_and_commutative(
    cls: Any, of: Callable[[Rows, slice], Any], rows: Rows, cuts: list[int]
) -> None:
    a, b, c = (of(rows, part) for part in blocks(rows, cuts))
    assert a.merge(b) == b.merge(a)
    assert a.merge(b).merge(c) == a.merge(b.merge(c))
    assert isinstance(a.merge(b), cls)


@every_tally
@lawful
@given(rows=some_rows(), cuts=st.lists(st.integers(0, 14), max_size=5), seed=st.integers(0, 99))
def test_any_split_in_any_order_equals_the_whole(
    cls: Any, of: Callable[[Rows, slice], Any], rows: Rows, cuts: list[int], seed: int
) -> None:
    parts = [of(rows, part) for part in blocks(rows, cuts)]
    order = np.random.default_rng(seed).permutation(len(parts))
    total = functools.reduce(lambda one, other: one.merge(other), [parts[i] for i in order], cls.empty())
    assert total == of(rows, slice(None))


@every_tally
def test_tallies_of_other_rows_are_not_equal(cls: Any, of: Callable[[Rows, slice], Any]) -> None:
    predictions = np.array([[0.0, 0.5, 0.5], [0.25, 0.0, 0.75], [1.0, 0.0, 0.0]])
    weight, clip = np.array([1.0, 2.0, 0.5]), 0.3 if cls is Clipping else None
    rows = Rows("probs", predictions, np.array([0, 1, 1]), weight, np.array([1, 1, 1]), clip)
    tallies = [of(rows, slice(a, b)) for a, b in ((0, 1), (0, 2), (0, 3), (1, 3))]
    for one, other in itertools.combinations([*tallies, cls.empty()], 2):
        assert one != other
    assert tallies[0].merge(of(rows, slice(1, 3))) == tallies[2]


# --- the mean ----------------------------------------------------------------------------


def weighted_mean(values: Floats, weight: Floats) -> Fraction:
    w = [Fraction(x) for x in weight.tolist()]
    return sum((a * Fraction(b) for a, b in zip(w, values.tolist(), strict=True)), Fraction(0)) / sum(w)


def test_the_mean_without_weights_is_one_division_of_the_correctly_rounded_sum() -> None:
    values = np.random.default_rng(1).exponential(2, 1000)
    assert Mean.of(values, None).value == math.fsum(values) / 1000
    assert Mean.of(values, None) == Mean.of(values, np.ones(1000))


@modest
@given(st.integers(0, 2**32), st.integers(1, 40))
def test_the_weighted_mean_is_right_to_the_last_digits(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    values, weight = rng.exponential(2, n), 10.0 ** rng.uniform(-6, 6, n)
    assert Mean.of(values, weight).value == pytest.approx(float(weighted_mean(values, weight)), rel=1e-15)


@pytest.mark.parametrize("factor", [2.0**-1060, 1e-150, 1e150, 2.0**1020])
def test_weights_of_any_size_give_the_same_mean(factor: float) -> None:
    values, weight = np.array([0.1, 0.3, 36.0, 700.0]), np.array([1.0, 2.0, 4.0, 1.0])
    scaled = Moments.of(values, weight * factor).mean
    assert scaled == Mean.of(values, weight * factor)
    assert scaled.value == pytest.approx(float(weighted_mean(values, weight)), rel=1e-15)


@pytest.mark.parametrize("factor", [2.0**-1060, 1e-150, 1e150, 2.0**1020])
def test_weights_of_any_size_give_the_same_standard_error(factor: float) -> None:
    values, weight = np.array([0.1, 0.3, 36.0, 700.0]), np.array([1.0, 2.0, 4.0, 1.0])
    error = Moments.of(values, weight * factor).standard_error
    assert error == pytest.approx(float(standard_error(values, weight)), rel=1e-12)


@pytest.mark.parametrize(
    ("values", "weight"), [([1e308, 1.0], [100.0, 1.0]), ([1e-174, 2e-174], [1e-200, 1e-200]), ([1e308, 1e308], None)]
)
def test_sums_beyond_the_doubles_have_a_mean_and_an_error_within_them(
    values: list[float], weight: list[float] | None
) -> None:
    loss = np.array(values)
    weights = None if weight is None else np.array(weight)
    moments = Moments.of(loss, weights)
    exact = weighted_mean(loss, np.ones(2) if weights is None else weights)
    assert moments.mean.value == pytest.approx(float(exact), rel=1e-15, abs=0)
    assert moments.standard_error == pytest.approx(float(standard_error(loss, weights)), rel=1e-12, abs=0)


def test_the_cost_of_the_rest_has_its_digits_at_any_size_of_the_weights() -> None:
    for factor in (2.0**-1060, 2.0**1020):
        weight = np.array([1.0, 2.0, 4.0]) * factor
        predictions = np.array([[0.0, 1.0, 0.0], [0.5, 0.25, 0.25], [0.25, 0.5, 0.25]])
        rows = Rows("probs", predictions, np.array([0, 0, 0]), weight, np.ones(3, np.int64), None)
        rest = scores_of(rows, slice(None)).cost_of_the_rest
        assert rest == pytest.approx((2 * math.log(2) + 4 * math.log(4)) / 6, rel=1e-14)


def test_a_weight_of_two_is_the_row_twice() -> None:
    values = np.random.default_rng(2).exponential(2, 100)
    values[3] = math.inf
    times = np.random.default_rng(3).choice([1, 2, 4], 100)
    assert Mean.of(values, times.astype(np.float64)) == Mean.of(np.repeat(values, times), None)


def test_the_mean_of_nothing_is_nan_and_one_infinite_loss_makes_it_infinite() -> None:
    assert math.isnan(Mean.empty().value)
    assert math.isnan(Mean.of(np.zeros(0), None).value)
    assert Mean.of(np.array([1.0, math.inf]), None).value == math.inf
    assert Mean.of(np.array([1.0, math.inf]), np.array([1e-300, 1e-300])).value == math.inf


# --- the standard error ------------------------------------------------------------------


def standard_error(values: Floats, weight: Floats | None) -> Any:
    """sqrt(n/(n-1) sum (w (l - m))^2) / sum w, in fractions up to the root."""
    n = len(values)
    loss = [Fraction(x) for x in values.tolist()]
    w = [Fraction(1)] * n if weight is None else [Fraction(x) for x in weight.tolist()]
    mean = sum((a * b for a, b in zip(w, loss, strict=True)), Fraction(0)) / sum(w)
    squares = sum(((a * (b - mean)) ** 2 for a, b in zip(w, loss, strict=True)), Fraction(0))
    variance = Fraction(n, n - 1) * squares / sum(w) ** 2
    with mp.workdps(60):
        return mp.sqrt(mp.mpf(variance.numerator) / mp.mpf(variance.denominator))


@modest
@given(st.integers(0, 2**32), st.integers(2, 40), st.sampled_from([1e-100, 1e-18, 1.0, 1e100]))
def test_the_standard_error_without_weights_is_exact(seed: int, n: int, scale: float) -> None:
    values = np.random.default_rng(seed).exponential(2, n) * scale
    error = Moments.of(values, None).standard_error
    assert error == pytest.approx(float(standard_error(values, None)), rel=1e-15, abs=0)
    assert error == pytest.approx(stats.sem(values), rel=1e-9)


@modest
@given(st.integers(0, 2**32), st.integers(2, 40))
def test_the_standard_error_with_weights_is_that_of_the_ratio_estimator(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    values, weight = rng.exponential(2, n), 10.0 ** rng.uniform(-3, 3, n)
    error = Moments.of(values, weight).standard_error
    assert error == pytest.approx(float(standard_error(values, weight)), rel=1e-11, abs=1e-15)


def test_weights_of_one_change_no_bit_of_the_standard_error() -> None:
    values = np.random.default_rng(4).exponential(2, 50)
    for some in (values, np.append(values, math.inf)):
        assert Moments.of(some, np.ones(len(some))) == Moments.of(some, None)


@modest
@given(st.floats(1e-10, 1e10), st.lists(st.integers(-3, 3), min_size=2, max_size=30))
def test_nearly_constant_values_have_an_error_that_is_exact_and_never_negative(base: float, steps: list[int]) -> None:
    values = base + np.array(steps) * float(np.spacing(base))
    error = Moments.of(values, None).standard_error
    assert error is not None
    assert error >= 0
    assert (error == 0) == (len(set(values.tolist())) == 1)
    assert error == pytest.approx(float(standard_error(values, None)), rel=1e-15, abs=0)


@modest
@given(st.floats(1e-10, 1e10), st.integers(0, 2**32))
def test_nearly_constant_values_with_weights_have_almost_no_error(base: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = (1 + rng.integers(-2, 3, 20) * 2.0**-52).astype(np.float64) * base
    error = Moments.of(values, rng.random(20) + 0.1).standard_error
    assert error is not None
    assert 0 <= error <= 1e-15 * base


@pytest.mark.parametrize("value", [0.1, 1e-18, math.log(2), 700.0, 0.0])
@pytest.mark.parametrize("weight", [None, 0.5, 4.0])
def test_equal_values_have_no_error_at_all(value: float, weight: float | None) -> None:
    values = np.full(100_000, value)
    weights = None if weight is None else np.full(100_000, weight)
    assert Moments.of(values, weights).standard_error == 0.0


@pytest.mark.parametrize("scale", [1e-290, 1e-170, 1e200, 1e300])
def test_the_standard_error_neither_overflows_nor_underflows_on_the_way(scale: float) -> None:
    values = np.array([1.0, 2.0, 6.0]) * scale
    assert Moments.of(values, None).standard_error == pytest.approx(
        float(standard_error(values, None)), rel=1e-14, abs=0
    )


def test_there_is_no_standard_error_of_one_row_or_of_an_infinite_loss() -> None:
    assert Moments.empty().standard_error is None
    assert Moments.of(np.array([1.0]), None).standard_error is None
    some = Moments.of(np.array([1.0, 2.0]), None)
    infinite = Moments.of(np.array([math.inf]), None)
    assert some.standard_error == 0.5
    assert some.merge(infinite).standard_error is None
    assert infinite.merge(some).standard_error is None
    assert Moments.of(np.array([1.0, 2.0, math.inf]), np.array([1.0, 2.0, 3.0])).standard_error is None
    assert Moments.of(np.array([1.0]), None).merge(Moments.of(np.array([2.0]), None)).standard_error == 0.5


# --- class shares ------------------------------------------------------------------------


def shares(target: Any, weight: Floats | None = None, k: int = 3) -> ClassShares:
    n = len(target)
    rows = Rows("probs", np.full((n, k), 1 / k), np.asarray(target), weight, np.ones(n, np.int64), None)
    return ClassShares.of(rows.work(slice(None)))


@modest
@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(0, 2**32))
def test_the_entropy_of_the_shares_is_that_of_scipy(labels: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    index = np.array(labels)
    counts = np.bincount(index, minlength=4)
    tally = shares(index, k=4)
    assert tally.counts.tolist() == counts.tolist()
    assert tally.entropy == pytest.approx(stats.entropy(counts), rel=1e-13, abs=1e-16)
    weight = 10.0 ** rng.uniform(-3, 3, len(index))
    masses = np.bincount(index, weights=weight, minlength=4)
    weighted = shares(index, weight, k=4)
    assert weighted.counts.tolist() == counts.tolist()
    assert weighted.entropy == pytest.approx(stats.entropy(masses), rel=1e-11, abs=1e-15)
    soft = rng.dirichlet(np.ones(4), len(index))
    assert shares(soft, weight, k=4).entropy == pytest.approx(stats.entropy(weight @ soft), rel=1e-11, abs=1e-15)


def test_the_weight_of_each_class_is_the_exact_sum() -> None:
    tally = shares([0, 2, 2, 2], np.array([0.5, 0.1, 0.2, 2.0**-60]))
    assert dict(tally.by_class()) == {0: ExactSum.of([0.5]), 2: ExactSum.of([0.1, 0.2, 2.0**-60])}
    assert dict(shares([0, 2, 2]).by_class()) == {0: ExactSum.of([1.0]), 2: ExactSum.of([2.0])}
    soft = shares(np.array([[0.25, 0.75, 0.0], [0.0, 1.0, 0.0]]), np.array([2.0, 3.0]))
    assert soft.counts.tolist() == [0, 1, 0]
    assert {c: mass.value for c, mass in soft.by_class().items() if mass.value} == {0: 0.5, 1: 4.5}


def test_index_and_one_hot_labels_and_weights_of_one_have_the_same_shares() -> None:
    index = np.random.default_rng(5).integers(0, 3, 50)
    assert shares(index) == shares(np.eye(3)[index])
    weight = np.random.default_rng(6).random(50) + 0.1
    assert shares(index, weight) == shares(np.eye(3)[index], weight)
    half = shares(index[:25], np.full(25, 2.0))
    assert shares(index, np.repeat([2.0, 1.0], 25)) == half.merge(shares(index[25:]))


def test_shares_differ_where_counts_or_masses_do() -> None:
    assert shares([0, 1], np.array([1.0, 2.0])) != shares([0, 1], np.array([1.0, 3.0]))
    assert shares([0, 0, 1]) != shares([0, 1], np.array([2.0, 1.0]))


def test_one_class_has_no_entropy_and_no_rows_have_none_to_tell() -> None:
    entropy = shares([1, 1, 1]).entropy
    assert entropy == 0.0
    assert math.copysign(1, entropy) == 1
    assert math.isnan(ClassShares.empty().entropy)


@pytest.mark.parametrize(
    ("weight", "expected"),
    [([1e-200, 1e200], 0.0), ([5e-324, 1.0], 0.0), ([5e-324, 5e-324], math.log(2)), ([1e308, 1e308], math.log(2))],
)
def test_the_entropy_of_shares_of_any_size_is_finite(weight: list[float], expected: float) -> None:
    assert shares([0, 1], np.array(weight)).entropy == pytest.approx(expected, rel=1e-12, abs=1e-300)


# --- infinite losses ---------------------------------------------------------------------


def test_infinite_losses_are_counted_with_their_first_rows_and_their_weight() -> None:
    loss = np.array([math.inf, 1.0, math.inf, 2.0])
    rows = np.array([4, 5, 9, 10])
    assert Infinite.of(loss, None, rows) == Infinite(2, (4, 9), ExactSum.of([2.0]))
    assert Infinite.of(loss, np.array([0.5, 1.0, 0.25, 1.0]), rows) == Infinite(2, (4, 9), ExactSum.of([0.75]))
    assert Infinite.of(np.array([1.0]), None, np.array([1])) == Infinite.empty()


def test_the_first_ten_infinite_rows_are_kept_in_whatever_order_blocks_come() -> None:
    parts = [Infinite.of(np.full(7, math.inf), None, np.arange(7) + 7 * i + 1) for i in range(5)]
    for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]):
        total = functools.reduce(lambda one, other: one.merge(other), [parts[i] for i in order])
        assert total.count == 35
        assert total.first == tuple(range(1, 11))
    assert Infinite.of(np.full(12, math.inf), None, np.arange(12, 0, -1)).first == tuple(range(1, 11))


# --- clipping ----------------------------------------------------------------------------


def clipped(clip: float | None, weight: Floats | None = None) -> Rows:
    predictions = np.array([[0.0, 1.0, 0.0], [0.1, 0.9, 0.0], [0.5, 0.25, 0.25], [0.995, 0.005, 0.0]])
    return Rows("probs", predictions, np.array([0, 0, 0, 0]), weight, np.ones(4, np.int64), clip)


def test_clipping_counts_the_rows_it_changes_and_keeps_their_cost_and_the_cost_without() -> None:
    tally = clipping_of(clipped(0.01), slice(1, None))
    assert tally.count == 1
    assert tally.changed.value == pytest.approx(-math.log(0.99), rel=1e-13)
    assert tally.without.value == pytest.approx(-(math.log(0.1) + math.log(0.5) + math.log(0.995)) / 3, rel=1e-14)
    whole = clipping_of(clipped(0.01), slice(None))
    assert whole.count == 2
    assert whole.changed.value == pytest.approx(-math.log(0.01) - math.log(0.99), rel=1e-14)
    assert whole.without.value == math.inf


def test_clipping_weighs_what_it_changes() -> None:
    weight = np.array([2.0, 3.0, 0.5, 4.0])
    tally = clipping_of(clipped(0.01, weight), slice(1, None))
    assert tally.count == 1
    assert tally.changed.value == pytest.approx(-4 * math.log(0.99), rel=1e-13)
    exact = -(3 * math.log(0.1) + 0.5 * math.log(0.5) + 4 * math.log(0.995)) / 7.5
    assert tally.without.value == pytest.approx(exact, rel=1e-14)


def test_a_q_of_exactly_eps_is_not_changed_by_clipping() -> None:
    assert clipping_of(clipped(0.1), slice(1, 2)).count == 0
    assert clipping_of(clipped(0.25), slice(2, 3)).count == 0


def test_without_clipping_there_is_nothing_to_tell() -> None:
    assert clipping_of(clipped(None), slice(None)) == Clipping.empty()


# --- scores ------------------------------------------------------------------------------


@modest
@given(some_rows(least=1))
def test_the_cost_of_the_rest_is_the_mean_of_the_finite_losses(rows: Rows) -> None:
    whole = replace(rows, clip=None)
    scores, loss = scores_of(whole, slice(None)), whole.work(slice(None)).loss
    finite = np.isfinite(loss)
    assert scores.infinite.count == int((~finite).sum())
    if not finite.any():
        assert scores.cost_of_the_rest is None
        return
    weight = np.ones(len(loss)) if rows.weight is None else rows.weight
    exact = weighted_mean(loss[finite], weight[finite])
    assert scores.cost_of_the_rest == pytest.approx(float(exact), rel=1e-14, abs=1e-300)


def test_no_rows_have_no_cost_of_the_rest() -> None:
    assert Scores.empty().cost_of_the_rest is None


@modest
@given(some_rows(least=1))
def test_scores_count_the_rows_and_hold_the_means_of_the_metrics(rows: Rows) -> None:
    scores, work = scores_of(rows, slice(None)), rows.work(slice(None))
    assert scores.read == int(rows.read.sum())
    assert scores.scored == len(rows)
    assert scores.zero_weight == scores.read - scores.scored
    assert scores.underflows == int((rows.read == 3).sum())
    assert scores.cost == moments_of(rows, slice(None))
    assert scores.classes == shares_of(rows, slice(None))
    assert scores.soft == bool(
        rows.target is not None and rows.target.ndim == 2 and (rows.target.max(axis=1) < 1).any()
    )
    if rows.target is None:
        assert not scores.means
        return
    weight = np.ones(len(rows)) if rows.weight is None else rows.weight
    one_hot = rows.target if rows.target.ndim == 2 else np.eye(3)[rows.target]
    squares = ((work.probabilities - one_hot) ** 2).sum(axis=1)
    right = work.probabilities.argmax(axis=1) == one_hot.argmax(axis=1)
    assert scores.means["brier"].value == pytest.approx(np.average(squares, weights=weight), rel=1e-12, abs=1e-15)
    assert scores.means["accuracy"].value == pytest.approx(np.average(right, weights=weight), rel=1e-12, abs=1e-15)
    assert ("target_entropy" in scores.means) == scores.soft
    if scores.soft:
        expected = np.average(stats.entropy(one_hot, axis=1), weights=weight)
        assert scores.means["target_entropy"].value == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_the_entropy_of_targets_counts_blocks_of_hard_labels_too() -> None:
    target = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    rows = Rows("probs", np.full((4, 3), 1 / 3), target, None, np.ones(4, np.int64), None)
    parts = [scores_of(rows, slice(i, i + 1)) for i in (3, 0, 2, 1)]
    assert merged(parts).means["target_entropy"].value == pytest.approx(math.log(2) / 4, rel=1e-15)


def test_the_largest_deviation_is_kept_and_none_where_there_are_no_row_sums() -> None:
    predictions = np.array([[0.25, 0.25, 0.5], [0.25, 0.25, 0.504], [0.25, 0.25, 0.498]])
    rows = Rows("probs", predictions, np.array([0, 1, 2]), None, np.ones(3, np.int64), None)
    parts = [scores_of(rows, slice(i, i + 1)) for i in range(3)]
    for order in itertools.permutations(parts):
        assert merged(order).deviation == pytest.approx(0.004, rel=1e-9)
    logits = replace(rows, kind="logits")
    assert merged([scores_of(logits, slice(0, 1)), scores_of(logits, slice(1, 3))]).deviation is None


@pytest.mark.parametrize(
    ("row", "odd"),
    [
        ([0.25, 0.25, 0.5], False),
        ([1.0, 0.0, 0.0], False),
        ([0.25, 0.25, 0.6], True),
        ([1.5, -0.25, -0.25], True),
        ([-math.inf, 0.5, 0.5], True),
        ([1e308, 1e308, 0.0], True),
    ],
)
def test_logits_are_odd_if_some_row_could_not_be_probabilities(row: list[float], odd: bool) -> None:
    predictions = np.array([[0.5, 0.5, 0.0], row, [0.0, 0.25, 0.75]])
    rows = Rows("logits", predictions, np.array([0, 1, 2]), None, np.ones(3, np.int64), None)
    assert looks_of(rows, slice(None)).probable != odd
    assert looks_of(rows, slice(0, 1)).merge(looks_of(rows, slice(1, 3))).probable != odd
    assert looks_of(rows, slice(0, 1)).probable
    assert looks_of(rows, slice(1, 2)).probable != odd


def test_no_numeral_underflows_unless_it_is_said() -> None:
    assert Scores.of(Figures.of(clipped(None).work(slice(None))), read=4).underflows == 0


def test_only_logits_are_asked_whether_they_are_odd() -> None:
    rows = Rows("logprobs", np.log(np.full((2, 3), 1 / 3)), np.array([0, 1]), None, np.ones(2, np.int64), None)
    assert not looks_of(rows, slice(None)).probable


def test_a_mean_is_one_division_of_two_rounded_sums_not_the_nearest_double() -> None:
    values = [93.27186435241008, 398.82354222426875, 78.50477596234768]
    nearest = float(sum(map(Fraction, values), Fraction(0)) / 3)
    assert Mean.of(np.array(values), None).value == math.fsum(values) / 3 != nearest


def test_counts_of_classes_are_whole_numbers() -> None:
    work = Workings(
        checked(np.array([[0.5, 0.5]]), np.array([1]), None, recipe=Recipe(), rows=np.array([1]), where=nowhere)
    )
    assert ClassShares.of(work).counts.dtype == np.int64
    columns = np.array([[1.0, 0.0]])
    both = checked(
        np.array([[0.5, 0.5]]), columns, None, recipe=Recipe(multilabel=True), rows=np.array([1]), where=nowhere
    )
    assert ClassShares.of(Workings(both)).counts.dtype == np.int64


def nowhere(row: int, column: int | None) -> Place:
    return Place()
