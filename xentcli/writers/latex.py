"""Results as LaTeX for a paper: the tables of the page with the rules of booktabs, the lines between as comments."""

from __future__ import annotations

from xentcli.extras import needed
from xentcli.report.document import Document
from xentcli.writers.grid import Grid, Line
from xentcli.writers.pages import page
from xentcli.writers.safe import latex, terminal

__all__ = ["render"]


def render(document: Document, width: int | None = None, color: bool = False) -> str:
    """Return the tables of a document as tabulars; a text of a file is escaped.

    Raises UsageError without the extra ``report``.
    """
    needed("jinja2", "report")
    parts = [_table(part) if isinstance(part, Grid) else _comment(part) for part in page(document)]
    return "% needs \\usepackage{booktabs}\n" + "\n".join(filter(None, parts))


def _comment(line: Line) -> str:
    texts = [line.bold + line.lines[0], *line.lines[1:]]
    return "".join(f"% {terminal(text).strip()}\n" for text in texts if text.strip())


def _table(grid: Grid) -> str:
    import pandas as pd

    # Names may be the same, or empty: columns are numbered, and named as they are shown.
    frame = pd.DataFrame([list(map(latex, row)) for row in grid.rows], columns=range(len(grid.header)))
    style = frame.style.hide(axis="index").relabel_index(list(map(latex, grid.header)), axis=1)
    text: str = style.to_latex(hrules=True, column_format=grid.justify)
    return text
