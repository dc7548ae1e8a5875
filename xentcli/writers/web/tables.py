"""Tables of a page: one that a phone or paper has no room for becomes records there, a line for each cell."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from xentcli.records import record, replace
from xentcli.report.document import Table
from xentcli.writers.grid import Grid

__all__ = ["Shape", "digits", "is_long", "is_whole", "shape"]

MOST_ROWS = 2000
"""Rows of a table with all digits; the JSON has them all."""
_SHORTEST, _LONGEST = 16, 24
"""Letters of the texts, and of the names, that stay on one line."""
_LEAST_LONG = 20
"""Letters in a line of a text that may break anywhere, as in the style sheet."""
_PHONE, _DESK, _PAPER = 34, 72, 94
"""Letters in a row that have room, in a font whose digits are wide."""
_GAP = 1.3
"""Letters between columns."""
_MOST_NAMES = 12
"""Columns of a confusion whose names have room side by side."""


@record(frozen=True)
class Shape:
    """Where a table is records in place of rows, or is scrolled; names of many classes are turned instead."""

    records: bool
    paper: bool
    scrolls: bool
    turned: bool

    @property
    def classes(self) -> str:
        """The classes of the table for the style sheet."""
        names = {"records": self.records, "paper": self.paper, "many": self.turned}
        return " ".join(name for name, held in names.items() if held)


def shape(grid: Grid) -> Shape:
    """Return how a table is shown, by the least width of its columns.

    >>> narrow, wide = (Grid(("name",) * count, (("0.123456789",) * count,), "l" * count) for count in (2, 12))
    >>> shape(narrow).classes, shape(wide).classes
    ('', 'records paper')
    """
    columns = zip(grid.header, grid.justify, *grid.rows, strict=True)
    width = sum(_least(title, side, cells) + _GAP for title, side, *cells in columns) - _GAP
    turned = grid.square and (len(grid.header) > _MOST_NAMES or width > _PAPER)
    return Shape(width > _PHONE and not turned, width > _PAPER and not turned, turned or width > _DESK, turned)


def _least(title: str, side: str, cells: Sequence[str]) -> int:
    """Letters of the widest text of a column that stays on one line."""
    whole = [cell for cell in cells if side == "r" or is_whole(cell)]
    parts = [title] if side == "r" and is_whole(title) else title.split()
    parts += [word for cell in cells if side != "r" and not is_whole(cell) for word in cell.split()]
    least = _LEAST_LONG if any(map(is_long, cells)) else 0
    return max([least, *map(cell_len, whole), *(min(cell_len(part), _LONGEST) for part in parts)])


def is_whole(cell: str) -> bool:
    """Return whether a text stays on one line: a short one, or a name that no blank parts."""
    return len(cell) <= (_LONGEST if " " not in cell else _SHORTEST)


def is_long(cell: str) -> bool:
    """Return whether a text may break anywhere."""
    return len(cell) > _LONGEST


def digits(table: Table) -> tuple[Grid, int]:
    """Return the first rows of a table with all digits, and how many more there are."""
    rows = tuple(tuple("" if value is None else str(value) for value in row) for row in table.rows[:MOST_ROWS])
    sides = (
        "l" if any(isinstance(value, str) for value in values) else "r" for values in zip(*table.rows, strict=True)
    )
    grid = Grid(table.columns, rows, "".join(sides) or "l" * len(table.columns), table.title)
    return replace(grid, square=table.title.endswith("confusion")), max(len(table.rows) - MOST_ROWS, 0)
