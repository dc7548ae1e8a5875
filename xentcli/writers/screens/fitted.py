"""The elements of a screen as a terminal of some width shows them.

A table that is too wide gets smaller gaps; then long names lose their middle or, where two would look the same, go to a
line of their own before their row; where the figures still do not fit, each row becomes a line of names and cells.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group
from rich.containers import Lines
from rich.table import Table
from rich.text import Text

from xentcli.records import replace
from xentcli.writers.safe import terminal
from xentcli.writers.screens.layout import LEAST_TERM, ByWidth, Columns, Element, Facts, Stack, Styled

__all__ = ["fitted"]

_KEPT = r"(?<=[0-9]) (?=%|(?:nats|bits|bans)\b)|(?<=[0-9]) +$"
_FIGURE_BEHIND = r"  [0-9.,e+-]+$"
_JOINED = "\uffff"
_LEAST_REMARK = 14
_LEAST_NAME = 12


def fitted(element: Element, width: int, color: bool) -> list[str]:
    """Return the lines of an element for a terminal of `width` columns; escape sequences only with `color`."""
    written = io.StringIO()
    console = Console(
        file=written,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        highlight=False,
        legacy_windows=False,
    )
    # In a group texts stay of their own class: those beside each other would be joined to one that wraps anywhere.
    console.print(Group(*_shown(element, width)))
    return written.getvalue().splitlines()


def _shown(element: Element, width: int) -> Iterator[Text | Table]:
    match element:
        case Styled():
            first, *others = (_text(*part) for part in element.parts)
            for other in others:
                first.append(other)
            yield first
        case Stack():
            for number, part in enumerate(element.elements):
                if element.apart and number:
                    yield Text("")
                yield from _shown(part, width)
        case Facts():
            yield _grid(element, width)
        case ByWidth():
            yield from _shown(element.made(width), width)
        case Columns():
            yield from _table_or_lines(element, width)


class _Bound(Text):
    """Text that wraps between words, never between a number and its unit; blanks that align decimals are kept."""

    def wrap(self, console: Console, width: int, **options: Any) -> Lines:
        """Wrap text in which a letter that no text has stands for the blanks that must not break."""
        bound = self.copy()
        bound.plain = re.sub(_KEPT, lambda blanks: _JOINED * len(blanks[0]), bound.plain)
        found = bound.wrap(console, width, **options)
        for line in found:
            line.plain = line.plain.replace(_JOINED, " ")
        return found


def _text(content: str, style: str = "") -> Text:
    """Return untrusted text, escaped and never parsed as markup."""
    return _Bound(terminal(content), style=style)


def _grid(facts: Facts, width: int) -> Table:
    grid = Table.grid(padding=(0, 3, 0, 0))
    grid.add_column(no_wrap=True, style=facts.style, min_width=LEAST_TERM)
    grid.add_column(overflow="fold")
    longest = max(width // 2, _LEAST_NAME)
    for term, content in facts.rows:
        grid.add_row(_text(_middle_cut(term, longest)), _text(content))
    return grid


def _table_or_lines(columns: Columns, width: int) -> Iterator[Text | Table]:
    """Yield the widest form that fits."""
    if columns.first and (left := len(columns.rows) - len(columns.first)) > 0:
        styles = [columns.first_styles[row] for row in columns.first] if columns.first_styles else ()
        some = replace(columns, rows=[columns.rows[row] for row in columns.first], first_styles=styles, first=())
        yield from _table_or_lines(some, width)
        yield _text(f"({left:,} more; -o FILE.csv has all)", "dim")
        return
    widths = columns.widths
    figures, gaps, whole = sum(widths[:-1]), len(widths) - 1, widths[-1] if widths else 0
    for remark, gap in itertools.product((whole, min(whole, _LEAST_REMARK)), (3, 2, 1)):
        if figures + gaps * gap + remark <= width:
            yield _table(columns, gap, remarks=True)
            return
    if columns.spare_remarks and figures + gaps - 1 <= width:
        yield _table(columns, 1, remarks=False)
        return
    shortened = _shortened(columns, width)
    if shortened is not None:
        yield from _table_or_lines(shortened, width)
        return
    # Of several names above a row nobody could tell which is which.
    stacked = list(columns.aligned(columns.titles or columns.names, 0, 1)) if len(columns.names) < 2 else []
    if stacked and max(cell_len(line) for line, _, named in stacked if not named) <= width:
        yield from (Text(line, style) for line, style, _ in stacked)
    else:
        yield from _as_lines(columns)


def _shortened(columns: Columns, width: int) -> Columns | None:
    """Return the table with names cut to the room that the figures leave; None where two would look the same."""
    widths = columns.widths
    remark = 0 if columns.spare_remarks else min(widths[-1], _LEAST_REMARK) if widths else 0
    may_shrink = {*columns.names, *columns.titles}
    figures = sum(size for index, size in enumerate(widths[:-1]) if index not in may_shrink)
    room = width - figures - remark - (len(widths) - 1)
    longest = _fair([widths[index] for index in may_shrink], room)
    if longest < max([_LEAST_NAME, *(cell_len(row[index]) for row in columns.rows for index in columns.titles)]):
        return None
    cut, header = [_cut(row, columns.names, longest) for row in columns.rows], columns.header
    alike = any(len(_names(cut, index)) < len(_names(columns.rows, index)) for index in columns.names)
    if header and columns.titles:
        header = _cut(header, columns.titles, longest)
        alike |= len({header[index] for index in columns.titles}) < len(columns.titles)
    return None if alike else replace(columns, rows=cut, header=header, names=(), titles=())


def _table(columns: Columns, gap: int, remarks: bool) -> Table:
    table = Table(
        box=None, padding=(0, gap, 0, 0), show_header=bool(columns.header), pad_edge=False, header_style="dim"
    )
    widths = columns.widths if remarks else columns.widths[:-1]
    for index, width in enumerate(widths):
        remark = remarks and index == len(widths) - 1
        table.add_column(
            _text(columns.header[index]) if columns.header else "",
            justify="right" if columns.justify[index : index + 1] == "r" else "left",
            min_width=None if remark else width,
            no_wrap=not remark,
            overflow="fold",
            style=columns.styles[index] if index < len(columns.styles) else "",
        )
    for number, row in enumerate(columns.rows):
        cells = [_text(cell) for cell in row[: len(widths)]]
        if number < len(columns.first_styles):
            cells[0].stylize(columns.first_styles[number])
        table.add_row(*cells)
    return table


def _as_lines(columns: Columns) -> Iterator[Text]:
    names = columns.header or [""] * len(columns.widths)
    last = -1 if columns.spare_remarks else None
    for row in columns.rows:
        cells = zip(names[:last], row[:last], strict=True)
        # Blanks within cells align columns, which there are none of here.
        yield _text(", ".join(" ".join(f"{name} {cell}".split()) for name, cell in cells if cell))


def _middle_cut(name: str, longest: int) -> str:
    """Shorten a name to at most `longest` terminal columns: its beginning and its end are kept.

    >>> _middle_cut("a" * 40 + "-final", 28), _middle_cut("大きな犬と小さな猫", 13)
    ('aaaaaaaaaaaaaa...aaaaa-final', '大きな...な猫')
    """
    shown = terminal(name)
    if cell_len(shown) <= longest:
        return name
    tail = (longest - 3) // 2 - 1
    return f"{set_cell_size(shown, longest - 3 - tail)}...{set_cell_size(shown[::-1], tail)[::-1]}"


def _names(rows: Sequence[Sequence[str]], index: int) -> set[str]:
    """The names of a column, without the figure that stands two blanks behind some."""
    return {re.sub(_FIGURE_BEHIND, "", row[index]) for row in rows}


def _cut(row: Sequence[str], columns: Collection[int], longest: int) -> list[str]:
    """Return a row with the cells of some columns cut to a length."""
    return [_middle_cut(cell, longest) if index in columns else cell for index, cell in enumerate(row)]


def _fair(sizes: Sequence[int], room: int) -> int:
    """Return the largest size to which all can be cut so that they fit in the room; 0 without sizes.

    >>> _fair([10, 60, 80], 100), _fair([10], 100), _fair([], 9)
    (45, 10, 0)
    """
    left, ordered = room, sorted(sizes)
    for place, size in enumerate(ordered):
        each = left // (len(ordered) - place)
        if size > each:
            return max(each, 0)
        left -= size
    return ordered[-1] if ordered else 0
