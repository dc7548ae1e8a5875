"""What rows of predictions and targets may be: what passes, what is refused, and what is said."""

from __future__ import annotations

import math
import re
from typing import Any

import mpmath as mp
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.laws import settings
from xentcli.errors import DataError, Place, XentError
from xentcli.scoring.batch import Batch
from xentcli.scoring.checks import checked
from xentcli.scoring.kinds import KINDS
from xentcli.scoring.recipe import Recipe
from xentcli.scoring.targets import target_checked

Floats = npt.NDArray[np.float64]

INF, NAN = math.inf, math.nan
LABELLED = [kind.name for kind in KINDS.values() if kind.labelled]

modest = settings(deadline=None, max_examples=100)

GOOD = {
    "probs": [0.25, 0.5, 0.25],
    "logits": [0.5, -2.0, 7.0],
    "logprobs": [math.log(0.25), math.log(0.5), math.log(0.25)],
}


def where(row: int, column: int | None) -> Place:
    return Place("preds.csv", row=row + 1, column=None if column is None else f"c{column}")


def check(values: Any, kind: str = "probs", **rules: Any) -> Batch:
    """Check rows as they come from a file, all labelled with class 0."""
    predictions = np.array(values, dtype=np.float64)
    n = len(predictions)
    target = np.zeros(n, np.int64) if KINDS[kind].labelled else None
    return checked(predictions, target, None, recipe=Recipe(kind, **rules), rows=np.arange(1, n + 1), where=where)


def refused(values: Any, kind: str = "probs", **rules: Any) -> DataError:
    """The error of rows that must be refused: explained in one line, its advice never blank."""
    with pytest.raises(DataError) as caught:
        check(values, kind, **rules)
    error = caught.value
    assert error.exit_code == 3
    assert error.place is not None
    assert "\n" not in error.headline
    assert all(line.strip() for line in error.advice), error.advice
    return error


def advice(error: XentError) -> str:
    return "\n".join(error.advice)


# --- what passes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("probs", [0.2, 0.3, 0.5]),
        ("probs", [0.0, 1.0, 0.0]),
        ("probs", [0.2004, 0.3, 0.5]),
        ("probs", [-0.0005, 0.5, 0.5]),
        ("probs", [1.0009, -0.0005, 0.0]),
        ("logits", [0.0, 0.0, 0.0]),
        ("logits", [-INF, 3.0, -INF]),
        ("logits", [1e308, 0.0, -5e-324]),
        ("logits", [0.2, 0.3, 0.5]),
        ("logprobs", [math.log(0.2), math.log(0.3), math.log(0.5)]),
        ("logprobs", [0.0, -INF, -INF]),
        ("logprobs", [0.0005, -800.0, -900.0]),
        ("logprobs", [math.log(0.2004), math.log(0.3), math.log(0.5)]),
    ],
)
def test_a_row_of_its_kind_passes_unchanged(kind: str, row: list[float]) -> None:
    batch = check([row, GOOD[kind]], kind)
    assert batch.predictions.tolist() == [row, GOOD[kind]]
    assert batch.kind == kind
    assert batch.classes == 3
    assert not batch.binary
    assert batch.rows.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("true-probs", [0.0, 0.5, 1.0, 1.0009, 5e-324]),
        ("true-logprobs", [0.0, -1.0, -INF, 0.0009]),
        ("losses", [0.0, 1.5, INF, -0.0009, 1e300]),
    ],
)
def test_one_value_for_each_row_passes_and_is_not_made_two(kind: str, values: list[float]) -> None:
    batch = check([[value] for value in values], kind)
    assert batch.predictions.tolist() == [[value] for value in values]
    assert batch.classes == 1
    assert not batch.binary
    assert batch.deviation is None
    assert batch.target is None


def test_one_column_becomes_the_two_classes() -> None:
    batch = check([[0.25], [0.0], [1.0], [-0.0005], [1.0005]])
    assert batch.predictions.tolist() == [[1 - q, q] for q in (0.25, 0.0, 1.0, -0.0005, 1.0005)]
    assert batch.binary
    assert batch.classes == 2
    logits = check([[-3.0], [0.0], [700.0]], "logits")
    assert logits.predictions.tolist() == [[0.0, -3.0], [0.0, 0.0], [0.0, 700.0]]
    assert logits.binary


def test_one_column_of_log_probabilities_keeps_the_digits_of_the_other_class() -> None:
    values = [-1e-300, -1e-17, -0.25, -0.6931471805599453, -1.0, -40.0, -1e4]
    batch = check([[value] for value in values], "logprobs")
    assert batch.binary
    assert batch.predictions[:, 1].tolist() == values
    with mp.workdps(400):
        expected = [float(mp.log(1 - mp.exp(mp.mpf(value)))) for value in values]
    assert batch.predictions[:, 0].tolist() == pytest.approx(expected, rel=1e-15, abs=0)
    certain = check([[0.0], [0.0005], [-INF]], "logprobs")
    assert certain.predictions[:, 0].tolist() == [-INF, -INF, 0.0]


def test_one_binary_logit_of_minus_infinity_masks_the_positive_class_out() -> None:
    assert check([[-INF], [2.0]], "logits").predictions.tolist() == [[0.0, -INF], [0.0, 2.0]]


@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("kind", LABELLED)
def test_no_rows_pass(kind: str, columns: int) -> None:
    batch = check(np.zeros((0, columns)), kind)
    assert batch.predictions.shape == (0, max(columns, 2))
    assert batch.binary == (columns == 1)


def test_the_target_the_weight_and_the_rows_go_through_as_they_are() -> None:
    target, weight, rows = np.array([1, 0]), np.array([0.5, 2.0]), np.array([7, 12])
    batch = checked(np.array([[0.5, 0.5]] * 2), target, weight, recipe=Recipe(), rows=rows, where=where)
    assert batch.target is target
    assert batch.weight is weight
    assert batch.rows is rows


# --- the deviation -----------------------------------------------------------------------


def test_the_largest_deviation_of_a_row_sum_is_kept() -> None:
    assert check([[0.5, 0.5], [0.5, 0.4995], [0.5, 0.50025]]).deviation == pytest.approx(0.0005, rel=1e-9)
    assert check([[-0.0005, 1.0], [0.5, 0.5]]).deviation == pytest.approx(0.0005, rel=1e-9)
    assert check([[0.5, 0.5]]).deviation == 0.0
    assert check(np.zeros((0, 2))).deviation == 0.0
    assert check(np.zeros((0, 2)), renormalize=True).deviation == 0.0


def test_the_largest_deviation_of_log_probabilities_is_that_of_their_logsumexp() -> None:
    rows = [[math.log(0.5), math.log(0.5)], [math.log(0.5) + 0.0004, math.log(0.5) + 0.0004]]
    assert check(rows, "logprobs").deviation == pytest.approx(0.0004, rel=1e-9)


@pytest.mark.parametrize("kind", LABELLED)
def test_one_column_has_no_row_sum_to_deviate(kind: str) -> None:
    rows = {"probs": [[0.25]], "logits": [[2.0]], "logprobs": [[-0.5]]}[kind]
    assert check(rows, kind).deviation is None
    assert check(np.zeros((0, 1)), kind).deviation is None


def test_logits_have_no_row_sum_to_deviate() -> None:
    assert check([GOOD["logits"]], "logits").deviation is None


# --- what is refused, and where ----------------------------------------------------------

REFUSED = [
    ("probs", [0.5, NAN, 0.5], "c1", "nan", ""),
    ("probs", [0.5, 0.5, INF], "c2", "inf", ""),
    ("probs", [INF, -INF, 0.5], "c0", "inf", ""),
    ("probs", [0.5, 0.6, -0.1], "c2", "-0.1 is not a probability", "--kind logits"),
    ("probs", [1.1, -0.0005, -0.0995], "c0", "1.1 is not a probability", ""),
    ("probs", [0.5, 0.25, 0.125], None, "sums to 0.875, not to 1 within 0.001", "--renormalize"),
    ("probs", [0.5, 0.5, 0.25], None, "sums to 1.25, not to 1", "--renormalize"),
    ("probs", [0.0, 0.0, 0.0], None, "sums to 0, not to 1", ""),
    ("probs", [0.9995, 0.5, -0.4995], "c2", "-0.4995 is not a probability", ""),
    ("probs", [2.5, -1.25, 0.5], "c0", "2.5 is not a probability", "--kind logits"),
    ("probs", [1e308, 1e308, 0.0], "c0", "1e+308 is not a probability", "--kind logits"),
    ("probs", [12.5, 37.5, 50.0], "c0", "12.5 is not a probability", "--kind logits"),
    ("probs", [-INF, 2.0, 1.0], "c0", "-inf is not a probability", "--kind logits"),
    ("logits", [0.5, NAN, 1.0], "c1", "nan", ""),
    ("logits", [0.5, 1.0, INF], "c2", "inf", ""),
    ("logits", [NAN, INF, 1.0], "c0", "nan", ""),
    ("logits", [-INF, -INF, -INF], None, "every logit of the row is -inf", ""),
    ("logprobs", [NAN, -1.0, -1.0], "c0", "nan", ""),
    ("logprobs", [-1.0, INF, -1.0], "c1", "inf is not a log-probability", ""),
    ("logprobs", [-1.0, -1.0, 0.5], "c2", "0.5 is not a log-probability", "--kind logits"),
    ("logprobs", [0.25, 0.5, 0.25], "c0", "0.25 is not a log-probability", "--kind probs"),
    ("logprobs", [0.0, 0.5, 0.5], "c1", "0.5 is not a log-probability", "--kind probs"),
    ("logprobs", [2.0, 3.0, 1.0], "c0", "2 is not a log-probability", "--kind logits"),
    ("logprobs", [-1.0, 1.5, 0.5], "c1", "1.5 is not a log-probability", "--kind logits"),
    ("logprobs", [-1.0, -2.0, -3.0], None, "sum to 0.553", "--kind logits"),
    ("logprobs", [-INF, -INF, -INF], None, "sum to 0,", "--kind logits"),
    ("logprobs", [1e308, -1e308, 0.0], "c0", "1e+308 is not a log-probability", "--kind logits"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "row", "column", "message", "hint"), REFUSED)
def test_a_row_that_is_not_of_its_kind_is_refused_where_it_stands(
    kind: str, row: list[float], column: str | None, message: str, hint: str
) -> None:
    good = GOOD[kind]
    error = refused([good, good, row, good, row], kind)
    assert error.place == Place("preds.csv", row=3, column=column)
    assert message in error.message
    assert hint in advice(error)


@pytest.mark.parametrize(
    ("kind", "value", "message", "hint"),
    [
        ("probs", NAN, "nan", ""),
        ("probs", INF, "inf", ""),
        ("probs", 1.0011, "1.0011 is not a probability", "--kind logits"),
        ("probs", 87.5, "87.5 is not a probability", "percent? --scale 0.01"),
        ("probs", 500.0, "500 is not a probability", "--kind logits"),
        ("logits", NAN, "nan", ""),
        ("logits", INF, "inf", ""),
        ("logprobs", NAN, "nan", ""),
        ("logprobs", 0.5, "0.5 is not a log-probability", "--kind probs"),
        ("logprobs", 3.5, "3.5 is not a log-probability", "--kind"),
        ("true-probs", NAN, "nan is not a probability", ""),
        ("true-probs", INF, "inf is not a probability", ""),
        ("true-probs", 1.0011, "1.0011 is not a probability", ""),
        ("true-probs", 50.0, "50 is not a probability", "--scale 0.01"),
        ("true-probs", 500.0, "500 is not a probability", ""),
        ("true-probs", -0.0005, "-0.0005 is not a probability", "--kind true-logprobs"),
        ("true-logprobs", NAN, "nan", ""),
        ("true-logprobs", INF, "inf", ""),
        ("true-logprobs", 0.5, "0.5 is not the logarithm", "--kind true-probs"),
        ("losses", NAN, "nan is not a loss", "--ignore-label nan"),
        ("losses", -0.0011, "-0.0011 is not a loss", "--kind true-logprobs"),
        ("losses", -0.00112, "-0.00112 is not a loss", "above 1 by rounding? --sum-tolerance 0.0012"),
        ("losses", -INF, "-inf is not a loss", "--kind true-logprobs"),
    ],
)
def test_a_single_value_that_is_not_of_its_kind_is_refused_where_it_stands(
    kind: str, value: float, message: str, hint: str
) -> None:
    fine = -0.25 if "log" in kind else 0.25
    error = refused([[fine], [value], [fine], [NAN]], kind)
    assert error.place == Place("preds.csv", row=2, column="c0")
    assert message in error.message
    assert hint in advice(error)


def test_one_negative_value_names_both_of_its_readings_and_one_where_another_row_rules_the_other_out() -> None:
    assert advice(refused([[0.5], [-0.5]])) == "scores before the softmax: --kind logits"
    error = refused([[0.0], [-0.5]])
    assert error.place == Place("preds.csv", row=2)
    assert "-0.5" in error.message
    assert "--kind logprobs" in advice(error)
    assert "--kind logits" in advice(error)


def test_log_probabilities_given_as_probabilities_name_both_readings_the_likely_one_first() -> None:
    likely = refused([GOOD["logprobs"]])
    assert "exponentials sum to 1" in likely.advice[0]
    assert "--kind logprobs" in likely.advice[0]
    assert "--kind logits" in likely.advice[1]
    scores = refused([[-3.0, -1.0, -2.0]])
    assert "--kind logits" in scores.advice[0]
    assert "--kind logprobs" in scores.advice[1]
    assert "do not sum to 1" in scores.advice[1]
    masked = refused([[0.0, -INF, -INF]])
    assert "--kind logprobs" in masked.advice[0]


def test_values_are_listed_but_not_hundreds_of_them() -> None:
    assert len(refused([[-5.0] * 1000]).message) < 120
    assert "-4, ..." in refused([[-1.0, -2.0, -3.0, -4.0, -5.0]]).message
    assert "..." not in refused([[-1.0, -2.0, -3.0, -4.0]]).message


@pytest.mark.parametrize(("value", "percent"), [(99.0, True), (100.0, True), (100.5, False), (500.0, False)])
@pytest.mark.parametrize("kind", ["probs", "true-probs"])
def test_one_value_looks_like_percent_up_to_a_hundred(kind: str, value: float, percent: bool) -> None:
    error = refused([[value]], kind)
    assert ("percent? --scale 0.01" in error.advice) == percent
    assert "the row sums" not in advice(error)


def test_a_sum_below_one_may_lack_a_column_and_one_above_may_have_one_too_many() -> None:
    assert "missing" in advice(refused([[0.123456789, 0.25]]))
    assert "not a prediction" in advice(refused([[0.923456789, 0.25]]))


@pytest.mark.parametrize(
    ("total", "percent"), [(100.0, True), (99.5, True), (100.75, True), (101.5, False), (98.5, False), (90.0, False)]
)
def test_only_a_row_that_sums_to_about_a_hundred_looks_like_percent(total: float, percent: bool) -> None:
    assert ("--scale 0.01" in advice(refused([[total / 2, total / 2]]))) == percent


@pytest.mark.parametrize(
    ("rows", "percent"),
    [
        ([[12.5, 37.5, 50.0], [100.0, 0.0, 0.0]], True),
        ([[12.5, 37.5, 50.0], [NAN, NAN, NAN]], True),
        ([[12.5, 37.5, 50.0], [110.0, -20.0, 10.0]], False),
        ([[12.5, 37.5, 50.0], [0.25, 0.5, 0.25]], False),
    ],
)
def test_percent_is_advised_only_where_every_row_may_be(rows: list[list[float]], percent: bool) -> None:
    assert ("--scale 0.01" in advice(refused(rows))) == percent


def test_an_id_in_the_sum_is_not_divided_by() -> None:
    for ids in ([0.0, 1.0, 2.0], [0.0, 0.5, 0.25]):
        error = refused([[number, 0.25, 0.75] for number in ids])
        assert advice(error) == "a column that is not a prediction? --preds NAME,... chooses the columns"


def test_odds_are_said_to_be_odds() -> None:
    error = refused([[1.5, 4.2, 7.5], [2.1, 3.3, 3.6]])
    assert "decimal odds" in advice(error)
    assert "--" not in advice(error)
    assert "odds" not in advice(refused([[1.5, 4.2, 7.5], [2.1, 3.3, 36.0]]))


# --- tolerance ---------------------------------------------------------------------------


@pytest.mark.parametrize("tolerance", [0.0, 1e-6, 0.001, 0.005, 0.1])
def test_row_sums_within_the_tolerance_pass_and_beyond_it_are_refused(tolerance: float) -> None:
    for sign in (1, -1):
        check([[0.5, 0.5 + sign * tolerance * 0.999]], tolerance=tolerance)
        error = refused([[0.5, 0.5 + sign * (tolerance * 1.001 + 1e-9)]], tolerance=tolerance)
        assert f"within {tolerance:g}" in error.message


@pytest.mark.parametrize(
    ("row", "tolerance"),
    [
        ([0.499, 0.5], 0.001),
        ([0.501, 0.5], 0.001),
        ([0.333, 0.666], 0.001),
        ([0.1] * 9 + [0.095], 0.005),
        ([0.1] * 9 + [0.105], 0.005),
        ([0.33, 0.33, 0.33], 0.01),
    ],
)
def test_a_row_sum_that_is_off_by_exactly_the_tolerance_in_decimals_passes(row: list[float], tolerance: float) -> None:
    check([row], tolerance=tolerance)


def test_single_probabilities_may_leave_zero_to_one_by_the_tolerance() -> None:
    for kind, lowest in (("probs", -0.01), ("true-probs", 0.0)):
        check([[lowest], [1.01]], kind, tolerance=0.01)
        refused([[1.0101]], kind, tolerance=0.01)
        refused([[lowest - 0.0001]], kind, tolerance=0.01)
    refused([[-0.0101, 0.5, 0.5101]], tolerance=0.01)
    refused([[1.0101, -0.005, -0.0051]], tolerance=0.01)


def test_log_probabilities_may_be_off_by_the_tolerance() -> None:
    half = math.log(0.5)
    for sign in (1, -1):
        check([[half + sign * 0.0099] * 2], "logprobs", tolerance=0.01)
        refused([[half + sign * 0.0101] * 2], "logprobs", tolerance=0.01)
    check([[0.0099]], "logprobs", tolerance=0.01)
    refused([[0.0101]], "logprobs", tolerance=0.01)
    check([[0.0099]], "true-logprobs", tolerance=0.01)
    refused([[0.0101]], "true-logprobs", tolerance=0.01)


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("probs", [1.125]),
        ("probs", [-0.125]),
        ("probs", [1.125, -0.125]),
        ("probs", [1.125, 0.0]),
        ("probs", [0.875, 0.0]),
        ("probs", [-0.125, 0.5, 0.5]),
        ("logprobs", [0.125]),
        ("logprobs", [0.125, -INF]),
        ("logprobs", [-0.125, -INF]),
        ("true-probs", [1.125]),
        ("true-logprobs", [0.125]),
    ],
)
def test_the_tolerance_itself_is_within_it(kind: str, row: list[float]) -> None:
    check([row], kind, tolerance=0.125)
    beyond = {1.125: 1.1875, -0.125: -0.1875, 0.875: 0.8125, 0.125: 0.1875}
    refused([[beyond[row[0]], *row[1:]]], kind, tolerance=0.125)


def test_rounding_to_three_decimals_is_recognised_and_the_tolerance_computed() -> None:
    error = refused([[0.1] * 10, [0.102] * 2 + [0.1] * 8])
    assert error.place == Place("preds.csv", row=2)
    assert "3 decimals x 10 classes can be off by 0.005: --sum-tolerance 0.005" in error.advice
    assert "--renormalize" in advice(error)
    assert "--sum-tolerance 0.02" in advice(refused([[0.26, 0.25, 0.25, 0.25]]))
    assert "--sum-tolerance 0.15" in advice(refused([[0.3, 0.3, 0.3]]))


def test_a_row_sum_that_rounding_cannot_explain_is_not_blamed_on_it() -> None:
    for row in ([0.31, 0.3, 0.3], [0.102] * 5 + [0.1] * 5, [0.123456789, 0.5]):
        error = refused([row])
        assert "--sum-tolerance" not in advice(error)
        assert "--preds" in advice(error)


@pytest.mark.parametrize("row", [[0.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 0.0, 1.0, 1.0]])
def test_whole_numbers_are_not_blamed_on_rounding(row: list[float]) -> None:
    assert "--sum-tolerance" not in advice(refused([row]))


@modest
@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=12), st.integers(1, 4), st.booleans())
def test_the_advised_tolerance_is_enough(shares: list[float], decimals: int, down: bool) -> None:
    scale = 10**decimals
    total = sum(shares)
    row = [(math.floor if down else round)(share / total * scale) / scale for share in shares]
    try:
        check([row])
    except DataError as error:
        found = re.search(r"--sum-tolerance (\S+)", advice(error))
        assume(found is not None)
        assert found is not None
        check([row], tolerance=float(found[1]))


@modest
@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=12), st.integers(2, 4))
def test_rows_rounded_to_decimals_pass_with_their_own_bound(shares: list[float], decimals: int) -> None:
    total = sum(shares)
    row = [round(share / total, decimals) for share in shares]
    check([row], tolerance=len(row) * 0.5 / 10**decimals)


# --- scale and renormalisation -----------------------------------------------------------


def test_scaling_comes_before_the_check() -> None:
    batch = check([[12.5, 37.5, 50.0]], scale=0.01)
    assert batch.predictions.tolist() == [[12.5 * 0.01, 37.5 * 0.01, 50.0 * 0.01]]
    assert check([[87.5]], scale=0.01).predictions[0, 1] == 0.875
    assert check([[2.0, -4.0]], "logits", scale=0.5).predictions.tolist() == [[1.0, -2.0]]
    assert check([[0.125, 0.375]], scale=2.0).predictions.tolist() == [[0.25, 0.75]]
    refused([[0.25, 0.75]], scale=0.01)


def test_renormalising_divides_each_row_by_its_sum_and_says_how_far_it_was_from_one() -> None:
    batch = check([[1.0, 1.0, 2.0], [0.25, 0.25, 0.0], [0.25, 0.5, 0.25]], renormalize=True)
    assert batch.predictions.tolist() == [[0.25, 0.25, 0.5], [0.5, 0.5, 0.0], [0.25, 0.5, 0.25]]
    assert batch.deviation == 3.0
    percent = check([[1.0, 3.0]], renormalize=True, scale=0.25)
    assert percent.predictions.tolist() == [[0.25, 0.75]]
    assert percent.deviation == 0.0


@modest
@given(st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=12), st.sampled_from([0.0, 0.001]))
def test_any_row_of_positive_numbers_can_be_renormalised(row: list[float], tolerance: float) -> None:
    batch = check([row], renormalize=True, tolerance=tolerance)
    total = math.fsum(row)
    assert batch.predictions[0].tolist() == pytest.approx([value / total for value in row], rel=1e-14)


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        ([0.0, 0.0], None, "sums to 0"),
        ([1.0, -2.0], None, "sums to -1"),
        ([NAN, 1.0], None, "sums to nan"),
        ([INF, 1.0], None, "sums to inf"),
        ([INF, -INF], None, "sums to nan"),
        ([1e308, 1e308], None, "sums to inf"),
        ([3.0, -1.0], "c0", "1.5 is not a probability"),
    ],
)
def test_a_row_without_a_positive_sum_or_with_a_negative_share_cannot_be_renormalised(
    row: list[float], column: str | None, message: str
) -> None:
    error = refused([[1.0, 3.0], row], renormalize=True)
    assert error.place == Place("preds.csv", row=2, column=column)
    assert message in error.message


def test_renormalising_never_makes_one_column_certain() -> None:
    try:
        batch = check([[0.25], [0.75]], renormalize=True)
    except XentError:
        return
    assert batch.predictions[:, 1].tolist() == [0.25, 0.75]


@pytest.mark.parametrize("kind", LABELLED)
def test_checking_leaves_the_array_of_the_caller_alone(kind: str) -> None:
    for columns in (1, 3):
        values = np.array([GOOD[kind][:1] if columns == 1 else GOOD[kind]])
        values = -np.abs(values) if kind == "logprobs" else values
        before = values.tobytes()
        for recipe in (
            Recipe(kind),
            Recipe(kind, 10.0, 0.5),
            Recipe(kind, renormalize=kind == "probs" and columns == 3),
        ):
            checked(values, np.array([0]), None, recipe=recipe, rows=np.array([1]), where=where)
            assert values.tobytes() == before


# --- targets -----------------------------------------------------------------------------


def target_refused(rows: list[list[float]], tolerance: float = 0.001) -> DataError:
    with pytest.raises(DataError) as caught:
        target_checked(np.array(rows), tolerance, where)
    assert all(line.strip() for line in caught.value.advice)
    return caught.value


def test_one_hot_and_soft_targets_pass_as_they_are() -> None:
    target = np.array([[0.0, 1.0, 0.0], [0.25, 0.25, 0.5], [0.3333, 0.3333, 0.3333], [1.0009, 0.0, 0.0]])
    assert target_checked(target, 0.001, where) is target
    assert len(target_checked(np.zeros((0, 3)), 0.001, where)) == 0


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        ([0.5, 0.25, 0.125], None, "sum to 0.875"),
        ([1.0, 1.0, 0.0], None, "sum to 2"),
        ([0.0, 0.0, 0.0], None, "sum to 0"),
        ([-0.0001, 1.0, 0.0], "c0", "-0.0001"),
        ([0.0, 2.0, -1.0], "c1", "2 is not"),
        ([0.5, NAN, 0.5], "c1", "nan"),
        ([0.0, 0.0, INF], "c2", "inf"),
        ([0.0, INF, -INF], "c1", "inf"),
    ],
)
def test_a_target_that_is_no_distribution_is_refused_where_it_stands(
    row: list[float], column: str | None, message: str
) -> None:
    error = target_refused([[0.0, 1.0, 0.0], row, row])
    assert error.exit_code == 3
    assert error.place == Place("preds.csv", row=2, column=column)
    assert message in error.message


def test_target_sums_within_the_tolerance_pass_and_beyond_it_are_refused() -> None:
    for sign in (1, -1):
        target_checked(np.array([[0.5, 0.5 + sign * 0.0099]]), 0.01, where)
        target_refused([[0.5, 0.5 + sign * 0.0101]], 0.01)
    target_checked(np.array([[0.499, 0.5], [0.333, 0.666]]), 0.001, where)
    target_checked(np.array([[1.125, 0.0], [0.375, 0.5]]), 0.125, where)
    assert target_refused([[1.125, 0.5]], 0.125).place == Place("preds.csv", row=1)
