"""Student's t: intervals of means, and the probability of a test, without SciPy's start-up."""

from __future__ import annotations

import math
from functools import lru_cache

from xentcli.report.parts import Interval

__all__ = ["interval_of", "normal_quantile", "two_sided_p", "two_sided_quantile"]

_SERIES_LIMIT = 200
"""Above, the expansion is more accurate than the series, whose roundings add up, and takes no time."""
_FEW = 10
"""Intervals from fewer rows or clusters get a note that they are rough."""


def interval_of(
    mean: float,
    error: float | None,
    units: int,
    level: float,
    *,
    unit: float = 1.0,
    noun: str = "rows",
    least: float = -math.inf,
    most: float = math.inf,
) -> Interval | None:
    """Return mean -+ t x error, where t has units - 1 degrees of freedom (Student); None without an error.

    Parameters
    ----------
    mean, error
        The mean and its standard error, in nats or as a share.
    units
        The number of independent rows or clusters.
    level
        The share of such intervals that hold the true mean, between 0 and 1.
    unit
        Divisor of the ends: the nats per unit of the report.
    noun
        The word for the units in the note that they are few; empty for no note.
    least, most
        Bounds of the ends; a mean beyond them (probabilities slightly outside [0, 1]) becomes an end.

    >>> found = interval_of(0.1, 0.1, 11, 0.95, least=0.0)
    >>> found.low, round(found.high, 4)
    (0.0, 0.3228)
    >>> interval_of(0.6, 0.3, 3, 0.95, least=-1.0, most=1.0).high
    1.0
    """
    if error is None:
        return None
    half = two_sided_quantile(level, units - 1) * error
    low, high = max(mean - half, min(mean, least)), min(mean + half, max(mean, most))
    return Interval(level, low / unit, high / unit, f"only {units} {noun}" if noun and units < _FEW else "")


@lru_cache(maxsize=4096)
def two_sided_quantile(confidence: float, degrees: int) -> float:
    """Return the t for which P(-t <= T <= t) = `confidence`, with `degrees` of freedom.

    Up to 200 degrees by the finite series for whole degrees (Abramowitz and Stegun,
    Handbook of Mathematical Functions, 26.7.3 and 26.7.4); above, by the expansion in
    1/degrees around the normal quantile (same, 26.7.5), continued by one term.

    Raises ValueError unless 0 < confidence < 1 and degrees >= 1.

    >>> round(two_sided_quantile(0.95, 1), 6), round(two_sided_quantile(0.95, 3466), 6)
    (12.706205, 1.960649)
    """
    if not 0 < confidence < 1 or degrees < 1:
        raise ValueError(f"no quantile for confidence {confidence} and {degrees} degrees of freedom")
    if degrees > _SERIES_LIMIT:
        return _expansion(normal_quantile((1 + confidence) / 2), degrees)
    # The probability is concave in theta, so Newton steps from below (the normal quantile) never overshoot.
    slope = 2 / math.sqrt(math.pi) * math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2))
    theta = math.atan(normal_quantile((1 + confidence) / 2) / math.sqrt(degrees))
    while True:
        missing = confidence - _central_probability(theta, degrees)
        further = theta + missing / (slope * math.cos(theta) ** (degrees - 1))
        if not theta < further < math.pi / 2:
            return math.tan(theta) * math.sqrt(degrees)
        theta = further


def two_sided_p(t: float, degrees: int) -> float:
    """Return P(|T| >= |t|) with `degrees` of freedom, to seven digits at least.

    It is the incomplete beta function I_x(degrees/2, 1/2) at x = degrees / (degrees + t^2)
    (Abramowitz and Stegun, 26.5.27), by its continued fraction (DLMF 8.17.22).

    >>> round(two_sided_p(2.0, 10), 6), two_sided_p(0.0, 5), two_sided_p(math.inf, 5)
    (0.073388, 1.0, 0.0)
    """
    a, b, square = degrees / 2, 0.5, t * t
    x, y = degrees / (degrees + square), square / (degrees + square)
    if not y or math.isinf(square):
        return 0.0 if y else 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) - a * math.log1p(square / degrees) + b * math.log(y)
    )
    if x < (a + 1) / (a + b + 2):
        return front / (a * _fraction(a, b, x))
    return max(0.0, 1 - front / (b * _fraction(b, a, y)))


def _fraction(a: float, b: float, x: float) -> float:
    """1 + d_1/(1 + d_2/(1 + ...)), the denominator of the incomplete beta function, by Lentz's method."""
    value = c = 1.0
    d = 0.0
    for step in range(1, 100_000):
        m = step // 2
        term = m * (b - m) * x / ((a + step - 1) * (a + step))
        if step % 2:
            term = -(a + m) * (a + b + m) * x / ((a + step - 1) * (a + step))
        d = 1 / (1 + term * d)
        c = 1 + term / c
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def _central_probability(theta: float, degrees: int) -> float:
    """P(|T| <= t) for t = sqrt(degrees) tan(theta)."""
    sine, cosine = math.sin(theta), math.cos(theta)
    square = cosine * cosine
    odd = degrees % 2
    term = cosine if odd else 1.0
    total = term if degrees > 1 else 0.0
    for k in range(2 if odd else 1, degrees - 2, 2):
        term *= square * k / (k + 1)
        total += term
    return 2 / math.pi * (theta + sine * total) if odd else sine * total


@lru_cache(maxsize=64)
def normal_quantile(p: float) -> float:
    """Return the z for which a standard normal variable is below z with probability `p`.

    >>> round(normal_quantile(0.975), 12)
    1.95996398454
    """
    tail = min(p, 1 - p)
    low, high = 0.0, 40.0
    while True:
        middle = (low + high) / 2
        if not low < middle < high:
            return middle if p > 0.5 else -middle
        if 0.5 * math.erfc(middle / math.sqrt(2)) > tail:
            low = middle
        else:
            high = middle


def _expansion(z: float, degrees: int) -> float:
    z2 = z * z
    terms = (
        (z2 + 1) / 4,
        ((5 * z2 + 16) * z2 + 3) / 96,
        (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384,
        ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160,
        (((((27 * z2 + 339) * z2 + 930) * z2 - 1782) * z2 - 765) * z2 + 17955) / 368640,
    )
    total = 0.0
    for term in reversed(terms):
        total = (total + term) / degrees
    return z * (1 + total)
