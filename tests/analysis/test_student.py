"""Quantiles against SciPy and closed forms."""

from __future__ import annotations

import itertools
import math
from typing import Any

import mpmath as mp
import pytest
from scipy import stats

from xentcli.analysis.student import normal_quantile, two_sided_quantile

DEGREES = [*range(1, 11), 99, 100, 999, 1000, 1001, 1002, 3466, 10**6, 10**9]
CONFIDENCES = [0.5, 0.6, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.999999]
TAILS = [1e-300, 1e-100, 1e-20, 1e-9, 5e-7, 1e-4, 0.005, 0.025, 0.1, 0.25, 0.4, 0.49]


@pytest.mark.parametrize("degrees", DEGREES)
def test_the_quantile_is_that_of_scipy(degrees: int) -> None:
    for confidence in CONFIDENCES:
        expected = stats.t.isf((1 - confidence) / 2, degrees)
        assert two_sided_quantile(confidence, degrees) == pytest.approx(expected, rel=1e-9, abs=0)


@pytest.mark.parametrize("confidence", CONFIDENCES)
def test_one_and_two_degrees_have_closed_forms(confidence: float) -> None:
    with mp.workdps(40):
        c = mp.mpf(confidence)
        one, two = float(mp.tan(mp.pi * c / 2)), float(c * mp.sqrt(2 / (1 - c * c)))
    assert two_sided_quantile(confidence, 1) == pytest.approx(one, rel=1e-9, abs=0)
    assert two_sided_quantile(confidence, 2) == pytest.approx(two, rel=1e-9, abs=0)


@pytest.mark.parametrize("degrees", [3, 8, 100, 999, 1000, 1001, 1002, 3466])
def test_the_quantile_brackets_its_confidence(degrees: int) -> None:
    def central(t: Any) -> Any:
        """P(|T| <= t) by the incomplete beta function."""
        n = mp.mpf(degrees)
        return 1 - mp.betainc(n / 2, 0.5, 0, n / (n + t * t), regularized=True)

    with mp.workdps(40):
        for confidence in (0.5, 0.95, 0.999999):
            t = mp.mpf(two_sided_quantile(confidence, degrees))
            margin = mp.mpf(1e-12 if confidence < 0.99 else 5e-11 if degrees > 1000 else 2e-10)
            assert central(t * (1 - margin)) < confidence < central(t * (1 + margin))


@pytest.mark.parametrize("confidence", CONFIDENCES)
def test_the_quantile_falls_with_the_degrees_towards_the_normal_one(confidence: float) -> None:
    quantiles = [two_sided_quantile(confidence, degrees) for degrees in DEGREES]
    assert all(one > other for one, other in itertools.pairwise(quantiles))
    assert quantiles[-1] > stats.norm.isf((1 - confidence) / 2) * (1 - 1e-12)


@pytest.mark.parametrize("tail", TAILS)
def test_the_normal_quantile_is_that_of_scipy(tail: float) -> None:
    assert normal_quantile(tail) == pytest.approx(stats.norm.ppf(tail), rel=1e-12, abs=0)
    upper = 1 - tail
    if upper < 1:
        assert normal_quantile(upper) == pytest.approx(stats.norm.isf(1 - upper), rel=1e-12, abs=0)


def test_the_normal_quantile_is_odd_around_one_half() -> None:
    for p in (0.5 + 2.0**-10, 0.625, 0.75, 1 - 2.0**-30):
        assert normal_quantile(1 - p) == -normal_quantile(p)
    assert abs(normal_quantile(0.5)) < 1e-15


@pytest.mark.parametrize("confidence", [0.0, 1.0, -0.5, 1.5, 95.0, math.nan, math.inf])
def test_a_confidence_outside_zero_to_one_raises(confidence: float) -> None:
    for degrees in (1, 2000):
        with pytest.raises(ValueError, match="confidence"):
            two_sided_quantile(confidence, degrees)


@pytest.mark.parametrize("degrees", [0, -1])
def test_fewer_than_one_degree_raises(degrees: int) -> None:
    with pytest.raises(ValueError, match="degrees"):
        two_sided_quantile(0.95, degrees)
