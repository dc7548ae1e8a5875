"""Results for a person: text in columns, no boxes, wrapped to the width of the terminal."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from xentcli.report import CheckReport, Explanation, Report
from xentcli.writers.safe import terminal

__all__ = ["block", "columns", "facts", "lines", "render", "text"]

_ANY_WIDTH = 100_000


def render(document: Any, width: int | None = None, color: bool = False) -> str:
    """Return a Report, CheckReport or Explanation as text; escape sequences only with `color`."""
    console = Console(
        file=io.StringIO(),
        width=width or _ANY_WIDTH,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        highlight=False,
        legacy_windows=False,
    )
    console.print(_screen(document)(document))
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


def _screen(document: Any) -> Callable[[Any], RenderableType]:
    from xentcli.writers import screen_check, screen_explanation, screen_report

    screens: dict[type, Callable[[Any], RenderableType]] = {
        Report: screen_report.screen,
        CheckReport: screen_check.screen,
        Explanation: screen_explanation.screen,
    }
    return screens[type(document)]


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
