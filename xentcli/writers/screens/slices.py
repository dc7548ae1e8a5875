"""The tables of slices on a screen: by true class, by group, and the worst rows."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType

from xentcli.report.report import Report
from xentcli.writers.grid import Grid
from xentcli.writers.screens.layout import MOST, Columns, text
from xentcli.writers.slices import by_class, by_group, worst

__all__ = ["slice_tables"]

_LONGEST_BAR = 16
_FIGURES = ("row", "q of truth", "loss")


def slice_tables(report: Report) -> Iterator[RenderableType]:
    """Yield a table for each slice that was asked for, the largest share of the cost first."""
    if report.by_class:
        yield _barred(by_class(report))
    yield from map(_barred, by_group(report))
    if report.worst:
        grid = worst(report)
        names = [index for index, title in enumerate(grid.header) if title not in _FIGURES]
        table = Columns([(*row, "") for row in grid.rows], (*grid.header, ""), f"{grid.justify}l", names=names)
        yield Group(text(grid.caption, style="bold"), table)


def _barred(grid: Grid) -> Columns:
    """A table with a bar behind each row: = for each part of the largest share."""
    largest = grid.shares[0]
    bars = ["=" * round(_LONGEST_BAR * share / largest) if largest else "" for share in grid.shares]
    rows = [(*row, bar) for row, bar in zip(grid.rows, bars, strict=True)]
    names = range(grid.justify.index("r"))
    header = (*grid.header, "")
    return Columns(rows, header, f"{grid.justify}l", spare_remarks=True, names=names, first=range(MOST))
