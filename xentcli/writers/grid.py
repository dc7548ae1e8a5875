"""A paragraph and a table of texts: what pages are made of."""

from __future__ import annotations

from collections.abc import Sequence

from xentcli.records import record, replace

__all__ = ["Grid", "Line", "Page"]


@record(frozen=True)
class Line:
    """A paragraph: a word in bold, where there is one, and lines of text; nothing is escaped yet."""

    lines: tuple[str, ...]
    bold: str = ""


@record(frozen=True)
class Grid:
    """A table of texts; `justify` has l or r for each column, `caption` says what it shows. Nothing is escaped yet.

    `shares` are the shares of the cost of the rows, in a table that is ordered by them. `first` are the rows to show
    where all are too many. A `square` table has the same classes as rows and as columns.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    justify: str
    caption: str = ""
    shares: tuple[float, ...] = ()
    first: Sequence[int] = ()
    square: bool = False

    def filled(self) -> Grid:
        """Return the table without the columns, but the first, that are empty in all rows.

        >>> Grid(("a", "b", "c"), (("1", "", "3"), ("4", "", "")), "lrr").filled().rows
        (('1', '3'), ('4', ''))
        """
        kept = [place for place in range(len(self.header)) if not place or any(row[place] for row in self.rows)]
        header, *rows = (tuple(cells[place] for place in kept) for cells in (self.header, *self.rows))
        return replace(self, header=header, rows=tuple(rows), justify="".join(self.justify[place] for place in kept))

    def cut(self, first: Sequence[int]) -> Grid:
        """Return the table of some of its rows, and a last one that says how many more there are.

        >>> Grid(("a", "b"), (("1", "2"), ("3", "4"), ("5", "6")), "lr").cut([1]).rows
        (('3', '4'), ('(2 more)', ''))
        """
        if (left := len(self.rows) - len(first)) <= 0:
            return self
        rest = (f"({left:,} more)", *[""] * (len(self.header) - 1))
        return replace(self, rows=(*(self.rows[row] for row in first), rest), shares=())


Page = Sequence[Line | Grid]
