"""Results as LaTeX for a paper: the tables of the page with the rules of booktabs, the lines between as comments."""

from __future__ import annotations

import re

from xentcli.extras import needed
from xentcli.report.document import Document
from xentcli.writers.grid import Grid, Line
from xentcli.writers.pages import page
from xentcli.writers.safe import latex, terminal

__all__ = ["render"]

_MINUS = re.compile(r"(?<![^ (])-(?=[0-9 ]|ln |inf\b)")
_RANGE = re.compile(r"([0-9]+\.[0-9]+)-([0-9]+\.[0-9]+)")


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
    figures = [side == "r" for side in grid.justify[:-1]] + [True]
    rows = [[_cell(*part) for part in zip(row, figures, strict=True)] for row in grid.rows]
    frame = pd.DataFrame(rows, columns=range(len(grid.header)))
    # pandas formats the new names of columns.
    names = [latex(name).replace("{", "{{").replace("}", "}}") for name in grid.header]
    style = frame.style.hide(axis="index").relabel_index(names, axis=1)
    text: str = style.to_latex(hrules=True, column_format=grid.justify)
    return text


def _cell(text: str, figures: bool) -> str:
    """A cell; the sign of a figure is a minus, also in the remarks of the last column; a range has a dash."""
    if _RANGE.fullmatch(text):
        return text.replace("-", "--")
    return _MINUS.sub("$-$", latex(text)) if figures else latex(text)
