"""Numbers as people read them."""

from __future__ import annotations

import math
from collections.abc import Iterable

from xentcli.report.document import counted as plural
from xentcli.report.parts import Interval

__all__ = ["decimals", "fixed", "group_name", "interval_title", "percent", "plural", "short"]


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


def short(value: float) -> str:
    """Return a number with about six significant digits, without trailing zeros.

    >>> short(0.1), short(10.000000000000002), short(1.9e-16), short(180000)
    ('0.1', '10', '1.9e-16', '180,000')
    """
    return f"{value:,.0f}" if 1e3 <= abs(value) < 1e6 and value == round(value) else f"{value:.6g}"


def percent(share: float) -> str:
    """Return a share in percent, with an exponent if it is large.

    >>> percent(0.2891), percent(1e300), percent(-0.0)
    ('28.9 %', '1e+302 %', '0.0 %')
    """
    if not math.isfinite(share):
        return str(share)
    return f"{100 * share + 0.0:.1f} %" if abs(share) < 1e4 else f"{100 * share:.4g} %"


def interval_title(intervals: Iterable[Interval | None]) -> str:
    """Return the title of a column of intervals, which all have one level.

    >>> interval_title([None, Interval(0.95, 0.1, 0.2)]), interval_title([None])
    ('95 % interval', 'interval')
    """
    level = next((interval.level for interval in intervals if interval is not None), None)
    return "interval" if level is None else f"{100 * level:g} % interval"


def group_name(text: str) -> str:
    """Return the text that names a group as a table shows it: quoted if its blanks could not be seen.

    >>> group_name("north"), group_name(""), group_name(" ")
    ('north', '(empty)', "' '")
    """
    return (text if text == text.strip() else repr(text)) if text else "(empty)"
