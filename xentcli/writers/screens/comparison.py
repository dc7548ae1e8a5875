"""The screen of `xent compare`."""

from __future__ import annotations

import math
from collections.abc import Iterator

from xentcli.records import replace
from xentcli.report.comparison import Comparison
from xentcli.writers.comparison import (
    changes,
    cost_of,
    divergences,
    findings,
    name_columns,
    refusals,
    rows_line,
    slices,
    worst,
)
from xentcli.writers.grid import Grid
from xentcli.writers.remarks import changes_of_losses
from xentcli.writers.screens.layout import MOST, Columns, Element, block, facts, lines, stacked, text, under, warned

__all__ = ["screen"]

_CURVE = 60


def screen(result: Comparison) -> Element:
    """Show the figures with their changes, what the rows can tell, the slices, the notes and warnings."""
    options = under("loss", changes_of_losses(result))
    remarks = facts([*warned(result.warnings), *(("note", note) for note in result.notes)], "bold yellow")
    if result.kl:
        return block(
            text(f"{rows_line(result)}, without labels"),
            facts(options),
            Columns(divergences(result).rows, styles=("bold",), names=(0,)),
            remarks,
        )
    several = len(result.models) > 2
    refused = under("refused", (f"{names}: {reason}" for names, reason in refusals(result)))
    return block(
        text(rows_line(result)),
        facts(options),
        _changes(result),
        lines(curve) if several and (curve := [*_curve(result)]) else None,
        lines(findings(result)),
        *(_table(grid, first=range(MOST)) for grid in slices(result)),
        _worst(result) if result.worst else None,
        facts(refused, "bold red"),
        remarks,
    )


def _changes(result: Comparison) -> Element:
    """The figures of the models; a terminal shows the smallest costs of many."""
    grid = changes(result)
    if len(result.models) == 2:
        return Columns(grid.rows, grid.header, grid.justify, ("bold",), titles=(1, 2))
    first = grid.first[:MOST] if len(grid.rows) > MOST else ()
    return Columns(grid.rows, grid.header, grid.justify, ("bold",), names=(0,), first=first)


def _table(grid: Grid, first: range = range(0)) -> Columns:
    return Columns(grid.rows, grid.header, grid.justify, names=name_columns(grid), first=first)


def _worst(result: Comparison) -> Element:
    grid = worst(result)
    # The last column of a screen has remarks.
    rows = tuple((*row, "") for row in grid.rows)
    wider = replace(grid, header=(*grid.header, ""), rows=rows, justify=f"{grid.justify}l")
    return stacked(text(grid.caption, style="bold"), _table(wider))


def _curve(result: Comparison) -> Iterator[str]:
    """The costs in the order of the files as digits from 0, the smallest, to 9: it reads on any terminal."""
    costs = [cost_of(model) for model in result.models]
    finite = [cost for cost in costs if math.isfinite(cost)]
    if not finite or max(finite) == min(finite):
        return
    low, high = min(finite), max(finite)
    step = max(1, math.ceil(len(costs) / _CURVE))
    picked = [min(costs[start : start + step]) for start in range(0, len(costs), step)]
    digits = [str(round(9 * (cost - low) / (high - low))) if math.isfinite(cost) else "^" for cost in picked]
    yield f"curve   {' '.join(digits) if len(digits) < 30 else ''.join(digits)}   0 is {low:.4g}, 9 is {high:.4g}"
