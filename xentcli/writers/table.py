"""Results for a person, wrapped to the width of the terminal."""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from xentcli.report.document import Document
from xentcli.writers.screens.layout import Element

__all__ = ["render"]


def render(document: Document, width: int | None = None, color: bool = False) -> str:
    """Return the screen of a document, a module of its name; escape sequences only with `color`, for a terminal."""
    screen: Element = importlib.import_module(f"xentcli.writers.screens.{document.NAME}").screen(document)
    return "\n".join(line.rstrip() for line in _lines(screen, width, color)) + "\n"


def _lines(screen: Element, width: int | None, color: bool) -> Iterable[str]:
    if not width:
        return screen.plain()
    # A pipe need not wait for the import of rich, a tenth of the time of a small score.
    from xentcli.writers.screens.fitted import fitted

    return fitted(screen, width, color)
