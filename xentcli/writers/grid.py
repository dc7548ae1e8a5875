"""A paragraph and a table of texts: what pages are made of."""

from __future__ import annotations

from collections.abc import Sequence

from xentcli.records import record

__all__ = ["Grid", "Line", "Page"]


@record(frozen=True)
class Line:
    """A paragraph: a word in bold, where there is one, and lines of text; nothing is escaped yet."""

    lines: tuple[str, ...]
    bold: str = ""


@record(frozen=True)
class Grid:
    """A table of texts; `justify` has l or r for each column, `caption` says what it shows. Nothing is escaped yet.

    `shares` are the shares of the cost of the first rows, in a table that is ordered by them.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    justify: str
    caption: str = ""
    shares: tuple[float, ...] = ()


Page = Sequence[Line | Grid]
