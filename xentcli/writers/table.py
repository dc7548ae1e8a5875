"""Results for a person, wrapped to the width of the terminal."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from rich.console import Console, RenderableType

from xentcli.report.documents import Causes, CheckReport, Explanation, Report
from xentcli.writers.screens import causes as screen_causes
from xentcli.writers.screens import check as screen_check
from xentcli.writers.screens import explanation as screen_explanation
from xentcli.writers.screens import report as screen_report

__all__ = ["render"]

_ANY_WIDTH = 100_000
_SCREENS: dict[type, Callable[[Any], RenderableType]] = {
    Report: screen_report.screen,
    CheckReport: screen_check.screen,
    Explanation: screen_explanation.screen,
    Causes: screen_causes.screen,
}


def render(document: Any, width: int | None = None, color: bool = False) -> str:
    """Return a Report, CheckReport, Explanation or Causes as text; escape sequences only with `color`."""
    console = Console(
        file=io.StringIO(),
        width=width or _ANY_WIDTH,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        highlight=False,
        legacy_windows=False,
    )
    console.print(_SCREENS[type(document)](document))
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"
