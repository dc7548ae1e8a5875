"""Numbers as people read them."""

from __future__ import annotations

import math
from collections.abc import Iterable

from xentcli.report.document import BASES
from xentcli.report.document import counted as plural
from xentcli.report.numbers import decimals, fixed, in_column
from xentcli.report.parts import Interval
from xentcli.report.report import Report
from xentcli.scoring.metrics import find

__all__ = [
    "WITHIN",
    "about",
    "decimals",
    "decimals_of",
    "fixed",
    "group_name",
    "in_column",
    "interval_title",
    "percent",
    "plural",
    "short",
]


def decimals_of(report: Report, name: str) -> int:
    """Return how many decimals a metric of a report has: those of three significant digits of its standard error.

    A share has at least four, with the standard error of the cost in place of its own; whole weights have none.
    """
    if name == "weight_sum" and (report.value(name) or 0.5) % 1 == 0:
        return 0
    error, slope = report.standard_error, _slope(report, name)
    if error is None or slope is None:
        return decimals(error) if find(name).unit == "loss" else max(decimals(error), 4)
    return decimals(error * slope)


def _slope(report: Report, name: str) -> float | None:
    """How much a metric that follows from the cost changes with it; None for others."""
    if name == "perplexity":
        base = BASES[report.unit]
        return (report.value(name) or 0.0) * (1.0 if base == "e" else math.log(float(base)))
    if name in ("total", "bits_per_byte") and report.cost:
        return (report.value(name) or 0.0) / float(report.cost)
    return None


WITHIN = "within 3 %, before rounding"
"""How near the medians of bins are to those of the rows, before about() rounds them."""


def about(value: float, sign: str = "") -> str:
    """Return a number that is known within a few percent, with two significant digits; `sign` is that of a format.

    >>> about(0.508), about(1234.5), about(0.0123, "+"), about(math.inf), about(0.0)
    ('about 0.51', 'about 1,200', 'about +0.012', 'inf', '0')
    """
    if not value or not math.isfinite(value):
        return f"{value:g}"
    shown = short(float(f"{value:.2g}"))
    return f"about {sign if value > 0 else ''}{shown}"


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
