"""Results for a person, wrapped to the width of the terminal."""

from __future__ import annotations

import importlib
import io

from rich.console import Console

from xentcli.report.document import Document
from xentcli.writers.screens.layout import ANY_WIDTH

__all__ = ["render"]


def render(document: Document, width: int | None = None, color: bool = False) -> str:
    """Return the screen of a document, a module of its name; escape sequences only with `color`."""
    console = Console(
        file=io.StringIO(),
        width=width or ANY_WIDTH,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        highlight=False,
        legacy_windows=False,
    )
    console.print(importlib.import_module(f"xentcli.writers.screens.{document.NAME}").screen(document))
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"
