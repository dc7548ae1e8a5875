"""The tables of slices on a screen: by true class, by group, and the worst rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from rich.console import Group, RenderableType

from xentcli.report.parts import GroupSlice
from xentcli.report.report import Report
from xentcli.writers.figures import decimals, fixed, percent, plural, short
from xentcli.writers.remarks import ends
from xentcli.writers.screens.layout import Columns, text

__all__ = ["slice_tables"]

MOST = 20
"""The most rows of a table on a screen; other output forms have all."""


def slice_tables(report: Report) -> Iterator[RenderableType]:
    """Yield a table for each slice that was asked for, the largest share of the cost first."""
    places = decimals(report.standard_error)
    if report.by_class:
        yield _by_class(report, places)
    for _, groups in itertools.groupby(report.by, key=lambda part: tuple(part.group)):
        table = _by(list(groups), places)
        yield Group(table, text(report.undefined["by"])) if "by" in report.undefined else table
    if report.worst:
        yield Group(text(_worst_title(report), style="bold"), _worst(report))


def _by_class(report: Report, places: int) -> RenderableType:
    parts = sorted(report.by_class, key=lambda part: -(part.share or 0.0))
    rows = [
        (part.name, f"{part.examples:,}", fixed(part.cost, places), _percent(part.share), fixed(part.accuracy, 3), "")
        for part in parts[:MOST]
    ]
    return Columns(
        [*rows, *_rest(len(parts), 6)], (_class_title(report), "rows", "cost", "share", "accuracy", ""), "lrrrrl"
    )


def _class_title(report: Report) -> str:
    return "column" if report.labels.matched == "multilabel" else "true class"


def _by(parts: list[GroupSlice], places: int) -> RenderableType:
    columns = tuple(parts[0].group)
    parts = sorted(parts, key=lambda part: -(part.share or 0.0))
    rows = []
    for part in parts[:MOST]:
        shown = ends(part.interval, places) if part.interval is not None else "-"
        names = [value or "(empty)" for value in part.group.values()]
        rows.append((*names, f"{part.examples:,}", fixed(part.cost, places), _percent(part.share), shown))
    level = next((f"{100 * part.interval.level:g} % " for part in parts if part.interval is not None), "")
    header = (*columns, "rows", "cost", "share", f"{level}interval")
    return Columns([*rows, *_rest(len(parts), len(header))], header, "l" * len(columns) + "rrrl")


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
