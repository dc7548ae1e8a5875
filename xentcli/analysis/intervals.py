"""The interval of a mean, from its standard error and the number of independent units."""

from __future__ import annotations

import math

from xentcli.analysis.student import two_sided_quantile
from xentcli.report.parts import Interval

__all__ = ["FEW", "interval_of"]

FEW = 10
"""An interval from fewer rows or clusters is a rough guide, and its note says so."""


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
        How many independent rows or clusters there are.
    level
        The share of such intervals that hold the true mean, between 0 and 1.
    unit
        What the ends are divided by: the nats in a unit of the report.
    noun
        What the units are, for the note that they are few; empty for no note.
    least, most
        What the ends are held to; a mean beyond, of probabilities outside [0, 1] within the tolerance, is an end.

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
