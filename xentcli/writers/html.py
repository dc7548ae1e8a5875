"""Results as a fragment of HTML, for a notebook: the page that Markdown has, without colours of its own."""

from __future__ import annotations

from html import escape

from xentcli.report.document import Document
from xentcli.writers.grid import Grid, Line
from xentcli.writers.pages import page
from xentcli.writers.safe import terminal

__all__ = ["fragment"]

MOST_ROWS = 50
"""Rows of a table that are shown."""


def fragment(document: Document) -> str:
    """Return the page of a document as HTML: text is escaped, and colours are left to the notebook."""
    parts = "\n".join(_table(part) if isinstance(part, Grid) else _paragraph(part) for part in page(document))
    return f"<div>\n{parts}\n</div>\n"


def _text(text: str) -> str:
    return escape(terminal(text))


def _paragraph(line: Line) -> str:
    text = "<br>".join(map(_text, line.lines))
    return f"<p><b>{_text(line.bold)}</b>{text}</p>" if line.bold else f"<p>{text}</p>"


def _table(grid: Grid) -> str:
    head = _row("th", grid.header, grid.justify)
    rows = "\n".join(_row("td", row, grid.justify) for row in grid.rows[:MOST_ROWS])
    if len(grid.rows) > MOST_ROWS:
        rows += f'\n<tr><td colspan="{len(grid.header)}">and {len(grid.rows) - MOST_ROWS:,} more</td></tr>'
    return f"<table>\n<thead>{head}</thead>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _row(tag: str, cells: tuple[str, ...], justify: str) -> str:
    sides = {"l": "left", "r": "right"}
    shown = (f'<{tag} style="text-align: {sides[j]}">{_text(c)}</{tag}>' for j, c in zip(justify, cells, strict=True))
    return f"<tr>{''.join(shown)}</tr>"
