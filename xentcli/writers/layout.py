"""What screens are laid out with: text in columns, no boxes, and nothing read as markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from xentcli.writers.safe import terminal

__all__ = ["block", "columns", "facts", "lines", "text"]


def text(content: str, style: str = "") -> Text:
    """Text that may come from anywhere: harmless, and never read as markup."""
    return Text(terminal(content), style=style)


def block(*sections: RenderableType | None) -> Group:
    """Sections with a blank line between; those that are None are left out."""
    shown: list[RenderableType] = []
    for section in sections:
        if section is not None:
            shown += [Text(""), section] if shown else [section]
    return Group(*shown)


def lines(content: Iterable[str], indent: int = 0) -> RenderableType:
    """Lines of text."""
    return Padding(Group(*(text(line) for line in content)), (0, 0, 0, indent))


def facts(rows: Sequence[tuple[str, str]], style: str = "bold") -> Table | None:
    """A word and what there is to say about it, per row; None without rows."""
    if not rows:
        return None
    grid = Table.grid(padding=(0, 3, 0, 0))
    grid.add_column(no_wrap=True, style=style, min_width=8)
    grid.add_column(overflow="fold")
    for word, said in rows:
        grid.add_row(text(word), text(said))
    return grid


def columns(
    rows: Sequence[Sequence[str]], header: Sequence[str] | None = None, justify: str = "", styles: Sequence[str] = ()
) -> Table:
    """Cells in columns; justify has a letter for each, l or r. The last column may wrap."""
    width = max(len(row) for row in rows) if rows else len(header or ())
    table = Table(box=None, padding=(0, 3, 0, 0), show_header=header is not None, pad_edge=False, header_style="dim")
    for index in range(width):
        last = index == width - 1
        right = justify[index : index + 1] == "r"
        table.add_column(
            text(header[index]) if header else "",
            justify="right" if right else "left",
            no_wrap=not last or right,
            overflow="fold",
            style=styles[index] if index < len(styles) else "",
        )
    for row in rows:
        table.add_row(*(text(cell) for cell in row))
    return table
