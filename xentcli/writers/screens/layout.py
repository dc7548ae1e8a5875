"""The layout of screens: text in columns without boxes; nothing is parsed as markup."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from xentcli.records import record, replace
from xentcli.writers.safe import terminal

__all__ = ["Columns", "block", "facts", "lines", "middle_cut", "text"]

_LEAST_REMARK = 16
_LEAST_NAME = 12


def text(content: str, style: str = "") -> Text:
    """Return untrusted text, escaped and never parsed as markup."""
    return Text(terminal(content), style=style)


def block(*sections: RenderableType | None) -> Group:
    """Return sections with a blank line between; None is skipped."""
    shown: list[RenderableType] = []
    for section in sections:
        if section is not None:
            shown += [Text(""), section] if shown else [section]
    return Group(*shown)


def lines(content: Iterable[str]) -> RenderableType:
    """Return lines of text."""
    return Group(*map(text, content))


def facts(rows: Sequence[tuple[str, str]], style: str = "bold") -> Table | None:
    """Return a table of terms and their texts; None without rows."""
    if not rows:
        return None
    grid = Table.grid(padding=(0, 3, 0, 0))
    grid.add_column(no_wrap=True, style=style, min_width=8)
    grid.add_column(overflow="fold")
    for term, content in rows:
        grid.add_row(text(term), text(content))
    return grid


def middle_cut(name: str, longest: int) -> str:
    """Return a name of so many letters at most: of a longer one both ends.

    >>> middle_cut("a" * 40 + "-final", 28)
    'aaaaaaaaaaaaaa...aaaaa-final'
    """
    shown = terminal(name)
    if cell_len(shown) <= longest:
        return name
    tail = (longest - 3) // 2 - 1
    return f"{set_cell_size(shown, longest - 3 - tail)}...{shown[-tail:]}"


def _names(rows: Sequence[Sequence[str]], index: int) -> set[str]:
    """The names of a column, without the figure that stands two blanks behind some."""
    return {row[index].rpartition("  ")[0] or row[index] for row in rows}


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


@record(frozen=True)
class Columns:
    """A table whose figures are never cut.

    The last column has remarks, which wrap. On a narrow terminal the gaps shrink, then long names
    lose their middle; where the figures still do not fit, each row becomes a line of names and cells.

    Attributes
    ----------
    rows
        The cells, as many in each row.
    header
        The names of the columns; None for no header.
    justify
        "l" or "r" for each column; "l" for those beyond its end.
    styles
        A style for each of the first columns.
    first_styles
        A style for the first cell of each row, over that of its column.
    spare_remarks
        Whether remarks are dropped before rows become lines, and in these.
    names
        The columns of names, which may be shortened; figures never are.
    """

    rows: Sequence[Sequence[str]]
    header: Sequence[str] | None = None
    justify: str = ""
    styles: Sequence[str] = ()
    first_styles: Sequence[str] = ()
    spare_remarks: bool = False
    names: Sequence[int] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Choose the widest form that fits."""
        figures = sum(self._widths[:-1])
        gaps = len(self._widths) - 1
        whole = self._widths[-1] if self._widths else 0
        for remark, gap in itertools.product((whole, min(whole, _LEAST_REMARK)), (3, 2, 1)):
            if figures + gaps * gap + remark <= options.max_width:
                yield self._table(gap, remarks=True)
                return
        if self.spare_remarks and figures + gaps - 1 <= options.max_width:
            yield self._table(1, remarks=False)
            return
        shortened = self._shortened(options.max_width)
        if shortened is None:
            yield from self._as_lines()
        else:
            yield shortened

    def _shortened(self, width: int) -> Columns | None:
        """Return the table with names cut to the room that the figures leave; None where two would look the same."""
        remark = 0 if self.spare_remarks else min(self._widths[-1], _LEAST_REMARK) if self._widths else 0
        figures = sum(size for index, size in enumerate(self._widths[:-1]) if index not in self.names)
        room = width - figures - remark - (len(self._widths) - 1)
        longest = _fair([self._widths[index] for index in self.names], room)
        if longest < _LEAST_NAME:
            return None
        cut = [
            [middle_cut(cell, longest) if index in self.names else cell for index, cell in enumerate(row)]
            for row in self.rows
        ]
        alike = any(len(_names(cut, index)) < len(_names(self.rows, index)) for index in self.names)
        return None if alike else replace(self, rows=cut, names=())

    @property
    def _widths(self) -> list[int]:
        lines = [*([self.header] if self.header else []), *self.rows]
        return [max(cell_len(terminal(cell)) for cell in column) for column in zip(*lines, strict=True)]

    def _table(self, gap: int, remarks: bool) -> Table:
        table = Table(
            box=None, padding=(0, gap, 0, 0), show_header=bool(self.header), pad_edge=False, header_style="dim"
        )
        widths = self._widths if remarks else self._widths[:-1]
        for index, width in enumerate(widths):
            remark = remarks and index == len(widths) - 1
            table.add_column(
                text(self.header[index]) if self.header else "",
                justify="right" if self.justify[index : index + 1] == "r" else "left",
                min_width=None if remark else width,
                no_wrap=not remark,
                overflow="fold",
                style=self.styles[index] if index < len(self.styles) else "",
            )
        for number, row in enumerate(self.rows):
            cells = [text(cell) for cell in row[: len(widths)]]
            if number < len(self.first_styles):
                cells[0].stylize(self.first_styles[number])
            table.add_row(*cells)
        return table

    def _as_lines(self) -> Iterator[Text]:
        names = self.header or [""] * len(self._widths)
        last = -1 if self.spare_remarks else None
        for row in self.rows:
            cells = zip(names[:last], row[:last], strict=True)
            yield text(", ".join(f"{name} {cell}".strip() for name, cell in cells if cell))
