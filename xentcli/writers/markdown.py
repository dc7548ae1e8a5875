"""Results as Markdown: for a pull request, a page, a notebook."""

from __future__ import annotations

from xentcli.report.document import Document
from xentcli.writers.grid import Grid, Line, Page
from xentcli.writers.pages import page
from xentcli.writers.safe import markdown

__all__ = ["render", "written"]


def render(document: Document, width: int | None = None, color: bool = False) -> str:
    """Return the Markdown page of a document."""
    return written(page(document))


def written(parts: Page) -> str:
    """Return a page as Markdown."""
    return "\n\n".join(_table(part) if isinstance(part, Grid) else _paragraph(part) for part in parts) + "\n"


def _paragraph(line: Line) -> str:
    text = "  \n".join(map(markdown, line.lines))
    return f"**{markdown(line.bold)}**{text}" if line.bold else text


def _table(grid: Grid) -> str:
    rule = ["---:" if side == "r" else "---" for side in grid.justify]
    rows = [rule, *([markdown(cell) for cell in row] for row in grid.rows)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [list(map(markdown, grid.header)), *rows])
