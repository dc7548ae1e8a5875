"""The layout of screens: text in columns without boxes; nothing is parsed as markup.

A terminal has a width, to which tables are cut and shortened; a pipe has none, and gets every row and whole names.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from xentcli.errors import Warning
from xentcli.records import record, replace
from xentcli.writers.safe import terminal

if TYPE_CHECKING:
    from rich.containers import Lines
    from rich.table import Table

__all__ = ["ANY_WIDTH", "MOST", "Columns", "aligned", "block", "facts", "lines", "text", "under", "warned"]

ANY_WIDTH = 100_000
"""The width of what has none: a pipe, a file."""
MOST = 20
"""The rows of a long table that a terminal shows."""
_LONGEST = 100
"""In a pipe a longer name has a line of its own: no other row is padded to it."""
_KEPT = r"(?<=[0-9]) (?=%|(?:nats|bits|bans)\b)|(?<=[0-9]) +$"
_FIRST_NUMBER = (
    r"(?s)(?P<words>[a-z ]*)(?P<whole>[+-]?[0-9][0-9,]*)(?P<part>\.[0-9]+(?:e[+-]?[0-9]+)?|e[+-]?[0-9]+|$)(?P<rest>.*)$"
)
_FIGURE_BEHIND = r"  [0-9.,e+-]+$"
_JOINED = "\uffff"
_LEAST_REMARK = 14
_LEAST_NAME = 12


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


def text(content: str, style: str = "") -> Text:
    """Return untrusted text, escaped and never parsed as markup."""
    return _Bound(terminal(content), style=style)


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


def facts(rows: Sequence[tuple[str, str]], style: str = "bold") -> RenderableType | None:
    """Return a table of terms and their texts; None without rows."""
    return _Facts(rows, style) if rows else None


def under(term: str, contents: Iterable[str]) -> list[tuple[str, str]]:
    """Return texts as facts of one term, which the first of them has beside it."""
    return [("" if number else term, content) for number, content in enumerate(contents)]


def warned(warnings: Iterable[Warning]) -> list[tuple[str, str]]:
    """Return warnings as facts, each with its advice."""
    return [("warning", f"{w.message}; {w.advice}" if w.advice else w.message) for w in warnings]


def aligned(column: Sequence[str]) -> list[str]:
    """Return the cells of a column with the decimal points of their first numbers below each other.

    >>> aligned(["at most 0.5", "at least 12.25, given", "-", "only 1 row"])
    ['at most   0.5 ', 'at least 12.25, given', '-', 'only 1 row']
    """
    found = [re.match(_FIRST_NUMBER, cell) for cell in column]
    parts = [one.groups() for one in found if one]
    words, whole, part = (max((len(each[place]) for each in parts), default=0) for place in range(3))
    cells = []
    for cell, one in zip(column, found, strict=True):
        if one is not None:
            behind = one["part"] if one["rest"] else one["part"].ljust(part)
            cell = f"{one['words'].ljust(words)}{one['whole'].rjust(whole)}{behind}{one['rest']}"
        cells.append(cell)
    return cells


@record(frozen=True)
class _Facts:
    """Terms and their texts, which wrap; of a long term a terminal shows both ends."""

    rows: Sequence[tuple[str, str]]
    style: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table."""
        if options.max_width >= ANY_WIDTH:
            yield Columns([(term.ljust(8), content) for term, content in self.rows])
            return
        from rich.table import Table

        grid = Table.grid(padding=(0, 3, 0, 0))
        grid.add_column(no_wrap=True, style=self.style, min_width=8)
        grid.add_column(overflow="fold")
        longest = max(options.max_width // 2, _LEAST_NAME)
        for term, content in self.rows:
            grid.add_row(text(_middle_cut(term, longest)), text(content))
        yield grid


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


@record(frozen=True)
class Columns:
    """A table whose figures are never cut.

    The last column has remarks, which wrap. On a narrow terminal the gaps shrink, then long names
    lose their middle or, where two would look the same, go to a line of their own before their row; where the
    figures still do not fit, each row becomes a line of names and cells.

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
    titles
        The columns of figures whose header is a name, which may be shortened.
    first
        The rows that a terminal shows, in order; empty for all.
    """

    rows: Sequence[Sequence[str]]
    header: Sequence[str] | None = None
    justify: str = ""
    styles: Sequence[str] = ()
    first_styles: Sequence[str] = ()
    spare_remarks: bool = False
    names: Sequence[int] = ()
    titles: Sequence[int] = ()
    first: Sequence[int] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Choose the widest form that fits."""
        if options.max_width >= ANY_WIDTH:
            whole_lines = self._aligned(range(len(self._columns) - 1), _LONGEST, 3)
            yield Text("\n".join(line for line, *_ in whole_lines), no_wrap=True, overflow="ignore")
            return
        if self.first and (left := len(self.rows) - len(self.first)) > 0:
            styles = [self.first_styles[row] for row in self.first] if self.first_styles else ()
            yield replace(self, rows=[self.rows[row] for row in self.first], first_styles=styles, first=())
            yield text(f"({left:,} more; -o FILE.csv has all)", "dim")
            return
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
        if shortened is not None:
            yield shortened
            return
        # Of several names above a row nobody could tell which is which.
        stacked = list(self._aligned(self.titles or self.names, 0, 1)) if len(self.names) < 2 else []
        if stacked and max(cell_len(line) for line, _, named in stacked if not named) <= options.max_width:
            yield from (Text(line, style) for line, style, _ in stacked)
        else:
            yield from self._as_lines()

    def _shortened(self, width: int) -> Columns | None:
        """Return the table with names cut to the room that the figures leave; None where two would look the same."""
        remark = 0 if self.spare_remarks else min(self._widths[-1], _LEAST_REMARK) if self._widths else 0
        may_shrink = {*self.names, *self.titles}
        figures = sum(size for index, size in enumerate(self._widths[:-1]) if index not in may_shrink)
        room = width - figures - remark - (len(self._widths) - 1)
        longest = _fair([self._widths[index] for index in may_shrink], room)
        if longest < max([_LEAST_NAME, *(cell_len(row[index]) for row in self.rows for index in self.titles)]):
            return None
        cut, header = [_cut(row, self.names, longest) for row in self.rows], self.header
        alike = any(len(_names(cut, index)) < len(_names(self.rows, index)) for index in self.names)
        if header and self.titles:
            header = _cut(header, self.titles, longest)
            alike |= len({header[index] for index in self.titles}) < len(self.titles)
        return None if alike else replace(self, rows=cut, header=header, names=(), titles=())

    def _aligned(self, named: Collection[int], longest: int, gap: int) -> Iterator[tuple[str, str, bool]]:
        """Yield padded lines, their style, and whether each is a longer cell of `named` columns, above its row.

        A longer title of figures is named [1], [2] ... in the header.
        """
        rows = [[terminal(cell) for cell in row] for row in self._rows]
        above: list[list[str]] = [[] for _ in rows]
        for index, (row, lines_above) in itertools.product(named, zip(rows, above, strict=True)):
            title = index in self.titles
            if cell_len(row[index]) > longest and (not title or row is rows[0]):
                short = f"[{index}]" if title else ""
                lines_above.append(f"{short} {row[index]}".strip())
                row[index] = short
        widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
        for number, (row, lines_above) in enumerate(zip(rows, above, strict=True)):
            style = "dim" if self.header and not number else ""
            yield from ((line, style or "bold", True) for line in lines_above)
            cells = zip(row, widths, self.justify.ljust(len(row), "l"), strict=True)
            padded = (f"{' ' * (width - cell_len(cell)) * (side == 'r')}{cell}" for cell, width, side in cells)
            line = "".join(set_cell_size(cell, width + gap) for cell, width in zip(padded, widths, strict=True))
            yield line.rstrip(), style, False

    @property
    def _rows(self) -> list[Sequence[str]]:
        return [*([self.header] if self.header else []), *self.rows]

    @property
    def _columns(self) -> list[tuple[str, ...]]:
        return list(zip(*self._rows, strict=True))

    @property
    def _widths(self) -> list[int]:
        return [max(cell_len(terminal(cell)) for cell in column) for column in self._columns]

    def _table(self, gap: int, remarks: bool) -> Table:
        from rich.table import Table

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
            # Blanks within cells align columns, which there are none of here.
            yield text(", ".join(" ".join(f"{name} {cell}".split()) for name, cell in cells if cell))
