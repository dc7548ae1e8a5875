"""The screen of several checks."""

from __future__ import annotations

from xentcli.report.checks import Checks, NamedCheck
from xentcli.writers.screens.check import screen as screen_of_one
from xentcli.writers.screens.layout import Element, Styled, block, stacked, text

__all__ = ["screen"]


def screen(result: Checks) -> Element:
    """Show each check under its name, and how many of them passed."""
    parts = [_one(check) for check in result.checks]
    return block(*parts, text(result.summary, "bold green" if result.exit_code == 0 else "bold red"))


def _one(check: NamedCheck) -> Element:
    title = text(f"[{check.name}]", "bold")
    if check.report is not None:
        return stacked(title, screen_of_one(check.report))
    assert check.error is not None
    word = "no verdict" if check.verdict == "no_verdict" else "ERROR"
    style = "yellow" if check.exit_code == 5 else "bold red"
    message = Styled(((word, style), ("  " + check.error.message, "not bold default")))
    return stacked(title, message, *(text(f"       {line}") for line in check.error.advice))
