"""How many digits a number has where people read it."""

from __future__ import annotations

import math

__all__ = ["decimals", "fixed", "in_column"]


def decimals(standard_error: float | None) -> int:
    """Return how many decimals to show: those of three significant digits of the standard error.

    >>> decimals(0.0235), decimals(None)
    (4, 6)
    """
    if standard_error is None or standard_error <= 0 or not math.isfinite(standard_error):
        return 6
    return min(max(2 - math.floor(math.log10(standard_error)), 2), 12)


def fixed(value: float | None, places: int) -> str:
    """Return a number with `places` decimals, with an exponent if it is too small or large; a dash for None and NaN.

    >>> fixed(0.80218, 4), fixed(4.248e-18, 6), fixed(float("inf"), 4), fixed(float("nan"), 4)
    ('0.8022', '4.248e-18', 'inf', '-')
    """
    if value is None or math.isnan(value):
        return "-"
    if not math.isfinite(value):
        return str(value)
    if value and (abs(value) < 10.0 ** (1 - places) or abs(value) >= 1e9):
        return f"{value:.4g}"
    return f"{value:,.{places}f}"


def in_column(value: float | None, places: int) -> str:
    """Return a number with `places` decimals also where it has one digit, and of a smaller one the first digit.

    >>> in_column(0.0004, 4), in_column(0.000041, 4), in_column(-0.0071, 3), in_column(None, 3)
    ('0.0004', '4e-05', '-0.007', '-')
    """
    if value is not None and 0 < abs(value) * 10.0**places < 10:
        return f"{value:.{places}f}" if abs(value) * 10.0**places >= 0.5 else f"{value:.1g}"
    return fixed(value, places)
