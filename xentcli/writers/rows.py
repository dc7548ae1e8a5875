"""A result as rows of a table: one for each metric, group, limit or class. What table formats share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xentcli.report.documents import Causes, CheckReport, ClassSlice, Explanation, GroupSlice, Report

__all__ = ["Row", "table_rows"]

_FIGURES = ("class", "examples", "cost", "unit", "standard_error", "low", "high", "share", "accuracy")
Row = Mapping[str, Any]
"""Plain values by the name of the column; every row of a table has the same names."""


def table_rows(document: Any) -> list[Row]:
    """Return a Report, CheckReport, Explanation or Causes as rows.

    A report has one row for each metric that is defined or was chosen, or one for
    each group where it was sliced.
    """
    if isinstance(document, CheckReport):
        return list(_limits(document))
    if isinstance(document, Explanation):
        return list(_classes(document))
    if isinstance(document, Causes):
        return list(_causes(document))
    return list(_slices(document) if document.by or document.by_class else _metrics(document))


def _metrics(report: Report) -> Iterator[Row]:
    for metric, value in report.figures():
        if value is not None or report.shown:
            yield {"metric": metric.name, "value": value, "unit": report.unit if metric.unit == "loss" else ""}


def _slices(report: Report) -> Iterator[Row]:
    columns = list(dict.fromkeys(_called(column) for part in report.by for column in part.group))
    if report.by_class:
        columns.append("class")
    parts: tuple[GroupSlice | ClassSlice, ...] = (*report.by, *report.by_class)
    for part in parts:
        if isinstance(part, GroupSlice):
            group = {_called(column): value for column, value in part.group.items()}
        else:
            group = {"class": part.name}
        interval = part.interval if isinstance(part, GroupSlice) else None
        yield {
            **{column: group.get(column) for column in columns},
            "examples": part.examples,
            "cost": part.cost,
            "unit": report.unit,
            "standard_error": part.standard_error if isinstance(part, GroupSlice) else None,
            "low": None if interval is None else interval.low,
            "high": None if interval is None else interval.high,
            "share": part.share,
            "accuracy": part.accuracy if isinstance(part, ClassSlice) else None,
        }


def _called(column: str) -> str:
    """A column of --by; in brackets where a figure has its name."""
    return f"[{column}]" if column in _FIGURES else column


def _limits(result: CheckReport) -> Iterator[Row]:
    for check in result.checks:
        yield {
            "name": check.name,
            "metric": check.metric,
            "value": check.value,
            "limit": check.limit,
            "margin": check.margin,
            "verdict": check.verdict,
        }


def _classes(told: Explanation) -> Iterator[Row]:
    for term in told.terms:
        yield {"class": term.name, "y": term.y, "q": term.q, "ln_q": term.ln_q, "term": term.term}


def _causes(told: Causes) -> Iterator[Row]:
    for cause in told.causes:
        yield {
            "cause": cause.code,
            "name": cause.name,
            "share": cause.share,
            "examples": cause.examples,
            "cost": cause.cost,
            "unit": told.unit,
            "message": cause.message,
            "more": told.more(cause),
        }
