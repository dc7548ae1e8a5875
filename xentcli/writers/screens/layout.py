"""What screens are made of: lines, facts and columns, without boxes; nothing is parsed as markup.

A pipe has no width: it gets every row and whole names, which `plain` yields. The module `fitted` cuts and shortens
tables to the width of a terminal.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from rich.cells import cell_len, set_cell_size

from xentcli.errors import Warning
from xentcli.records import record
from xentcli.writers.safe import terminal

__all__ = [
    "ANY_WIDTH",
    "MOST",
    "ByWidth",
    "Columns",
    "Element",
    "Facts",
    "Stack",
    "Styled",
    "aligned",
    "block",
    "facts",
    "lines",
    "stacked",
    "text",
    "under",
    "warned",
]

ANY_WIDTH = 100_000
"""The width of what has none: a pipe, a file."""
MOST = 20
"""The rows of a long table that a terminal shows."""
_LONGEST = 100
"""In a pipe a longer name has a line of its own: no other row is padded to it."""
_FIRST_NUMBER = (
    r"(?s)(?P<words>[a-z ]*)(?P<whole>[+-]?[0-9][0-9,]*)(?P<part>\.[0-9]+(?:e[+-]?[0-9]+)?|e[+-]?[0-9]+|$)(?P<rest>.*)$"
)
LEAST_TERM = 8
"""Terms of facts are padded to it, so that facts of one screen begin below each other."""


@record(frozen=True)
class Styled:
    """A line of untrusted texts, each with its style."""

    parts: tuple[tuple[str, str], ...]

    def plain(self) -> Iterator[str]:
        """Yield the line, escaped."""
        yield "".join(terminal(content) for content, _ in self.parts)


@record(frozen=True)
class Stack:
    """Elements below each other, with a blank line between if they are `apart`."""

    elements: tuple[Element, ...]
    apart: bool

    def plain(self) -> Iterator[str]:
        """Yield the lines of all elements."""
        for number, element in enumerate(self.elements):
            if self.apart and number:
                yield ""
            yield from element.plain()


@record(frozen=True)
class Facts:
    """Terms and their texts, which wrap; of a long term a terminal shows both ends."""

    rows: Sequence[tuple[str, str]]
    style: str

    def plain(self) -> Iterator[str]:
        """Yield a line for each."""
        return Columns([(term.ljust(LEAST_TERM), content) for term, content in self.rows]).plain()


@record(frozen=True)
class ByWidth:
    """An element that is `made` for a width."""

    made: Callable[[int], Element]

    def plain(self) -> Iterator[str]:
        """Yield its lines where there is any width."""
        return self.made(ANY_WIDTH).plain()


@record(frozen=True)
class Columns:
    """A table whose figures are never cut; the last column has remarks, which wrap.

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

    def plain(self) -> Iterator[str]:
        """Yield a line for each row; a name that is too long for a column has one of its own before it."""
        for line, *_ in self.aligned(range(len(self.columns) - 1), _LONGEST, 3):
            yield line

    def aligned(self, named: Collection[int], longest: int, gap: int) -> Iterator[tuple[str, str, bool]]:
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
    def columns(self) -> list[tuple[str, ...]]:
        """The cells of each column, its header first."""
        return list(zip(*self._rows, strict=True))

    @property
    def widths(self) -> list[int]:
        """The width of each column on a terminal."""
        return [max(cell_len(terminal(cell)) for cell in column) for column in self.columns]


Element = Styled | Stack | Facts | ByWidth | Columns


def text(content: str, style: str = "") -> Styled:
    """Return a line of untrusted text."""
    return Styled(((content, style),))


def block(*elements: Element | None) -> Stack:
    """Return elements with a blank line between; None is skipped."""
    return Stack(tuple(element for element in elements if element is not None), apart=True)


def stacked(*elements: Element) -> Stack:
    """Return elements below each other."""
    return Stack(elements, apart=False)


def lines(content: Iterable[str]) -> Stack:
    """Return lines of text."""
    return stacked(*map(text, content))


def facts(rows: Sequence[tuple[str, str]], style: str = "bold") -> Facts | None:
    """Return a table of terms and their texts; None without rows."""
    return Facts(rows, style) if rows else None


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
