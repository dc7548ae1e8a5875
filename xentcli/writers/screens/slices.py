"""The tables of slices on a screen: by true class, by group, and the worst rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType

from xentcli.report.parts import ClassSlice, GroupSlice
from xentcli.report.report import Report
from xentcli.scoring.metrics import Metric, find
from xentcli.writers.figures import decimals, fixed, percent, plural, short
from xentcli.writers.remarks import ends
from xentcli.writers.screens.layout import Columns, text

__all__ = ["slice_tables"]

_LONGEST_BAR = 16
MOST = 20
"""The most rows of a table on a screen; other output forms have all."""


def slice_tables(report: Report) -> Iterator[RenderableType]:
    """Yield a table for each slice that was asked for, the largest share of the cost first."""
    places = decimals(report.standard_error)
    if report.by_class:
        yield _by_class(report, places)
    for _, groups in itertools.groupby(report.by, key=lambda part: tuple(part.group)):
        yield _by(report, list(groups), places)
    if report.worst:
        yield Group(text(_worst_title(report), style="bold"), _worst(report))


def _by_class(report: Report, places: int) -> RenderableType:
    parts = sorted(report.by_class, key=lambda part: -(part.share or 0.0))
    more, soft = _more(report, "accuracy"), any(part.mass is not None for part in parts)
    rows = []
    for part in parts[:MOST]:
        counted = fixed(part.mass, 1) if soft else f"{part.examples:,}"
        cells = (part.name, counted, fixed(part.cost, places), _percent(part.share), fixed(part.accuracy, 3))
        rows.append((*cells, *_metrics(part.metrics, more, places), _bar(part, parts[0])))
    header = (_class_title(report), "mass" if soft else "rows", "cost", "share", "accuracy", *_names(more), "")
    justify = "lrrrr" + "r" * len(more) + "l"
    return Columns([*rows, *_rest(len(parts), len(header))], header, justify, spare_remarks=True)


def _bar(part: ClassSlice | GroupSlice, largest: ClassSlice | GroupSlice) -> str:
    """Return = for each part of the largest share, that of `largest`."""
    return "=" * round(_LONGEST_BAR * (part.share or 0.0) / largest.share) if largest.share else ""


def _class_title(report: Report) -> str:
    return "column" if report.labels.matched == "multilabel" else "true class"


def _by(report: Report, parts: list[GroupSlice], places: int) -> RenderableType:
    columns, more = tuple(parts[0].group), _more(report)
    parts = sorted(parts, key=lambda part: -(part.share or 0.0))
    rows = []
    for part in parts[:MOST]:
        shown = ends(part.interval, places) if part.interval is not None else "-"
        names = [value or "(empty)" for value in part.group.values()]
        cells = (f"{part.examples:,}", fixed(part.cost, places), _percent(part.share))
        rows.append((*names, *cells, *_metrics(part.metrics, more, places), shown, _bar(part, parts[0])))
    level = next((f"{100 * part.interval.level:g} % " for part in parts if part.interval is not None), "")
    header = (*columns, "rows", "cost", "share", *_names(more), f"{level}interval", "")
    justify = "l" * len(columns) + "rrr" + "r" * len(more) + "ll"
    return Columns([*rows, *_rest(len(parts), len(header))], header, justify, spare_remarks=True)


def _more(report: Report, *there: str) -> list[Metric]:
    """The metrics of --metrics that have no column yet."""
    return [find(name) for name in report.shown if name not in ("cost", *there)]


def _names(metrics: list[Metric]) -> list[str]:
    return [metric.title for metric in metrics]


def _metrics(values: Mapping[str, float | None], metrics: list[Metric], places: int) -> list[str]:
    return [fixed(values[metric.name], places if metric.unit == "loss" else max(places, 3)) for metric in metrics]


def _rest(count: int, columns: int) -> list[tuple[str, ...]]:
    left = count - MOST
    return [(f"({left:,} more)", *[""] * (columns - 1))] if left > 0 else []


def _worst_title(report: Report) -> str:
    loss = sum(row.loss for row in report.worst)
    whole = report.total
    # With weights the share of a row is not that of its loss.
    plain = not {"weights", "class_weight"} & report.options.keys() and 0 < whole < float("inf")
    return f"worst rows ({plural(len(report.worst), 'row')}" + (
        f", {percent(loss / whole)} of the cost)" if plain else ")"
    )


def _worst(report: Report) -> RenderableType:
    ids = any(row.id is not None for row in report.worst)
    labels = any(row.predicted is not None for row in report.worst)
    shown = list(report.worst[0].shown)
    header = [
        "row",
        *(["id"] if ids else []),
        *(["truth", "q of truth", "predicted"] if labels else []),
        "loss",
        *shown,
    ]
    justify = "r" + "l" * ids + "lrl" * labels + "r" + "l" * len(shown)
    rows = []
    for row in report.worst:
        cells = [f"{row.row:,}", *([row.id or ""] if ids else [])]
        if labels:
            q = "-" if row.probability is None else short(float(f"{row.probability:.2g}"))
            cells += [row.label or "(soft)", q, f"{row.predicted}  {fixed(row.predicted_probability, 4)}"]
        rows.append([*cells, fixed(row.loss, 4), *(row.shown[name] for name in shown), ""])
    return Columns(rows, [*header, ""], justify + "l")


def _percent(share: float | None) -> str:
    return "-" if share is None else percent(share)
