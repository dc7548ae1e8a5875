"""The interval of a mean, from its standard error and the number of independent units."""

from __future__ import annotations

import math

from xentcli.analysis.student import two_sided_quantile
from xentcli.report.parts import Interval

__all__ = ["FEW", "interval_of"]

FEW = 10
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
    return Interval(level, low / unit, high / unit, f"only {units} {noun}" if noun and units < FEW else "")
