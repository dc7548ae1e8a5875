"""The screen of `xent check`."""

from __future__ import annotations

from rich.console import RenderableType

from xentcli.report.check import CheckReport
from xentcli.writers.check import cells, change_cells, figures, reason_cells, sentences, shown
from xentcli.writers.figures import plural
from xentcli.writers.remarks import baseline_lines, changes_of_loss
from xentcli.writers.screens.layout import Columns, block, facts, text
from xentcli.writers.screens.report import chosen
from xentcli.writers.screens.slices import slice_tables

__all__ = ["screen"]

_WORDS = {"pass": "pass", "fail": "FAIL", "inconclusive": "open", "no_verdict": "none"}
_STYLES = {"pass": "green", "fail": "bold red", "inconclusive": "yellow", "no_verdict": "yellow"}


def screen(result: CheckReport) -> RenderableType:
    """Show each limit with its margin, what explains failures, the warnings, and the verdict in words."""
    warnings = [("warning", f"{w.message}; {w.advice}" if w.advice else w.message) for w in result.report.warnings]
    changes = [("" if number else "loss", line) for number, line in enumerate(changes_of_loss(result.report))]
    baseline = [("" if number else "baseline", line) for number, line in enumerate(baseline_lines(result.baseline))]
    return block(
        _limits(result),
        facts(list(figures(result))),
        _figures(result),
        *slice_tables(result.beside),
        _why(result),
        facts(baseline),
        facts(changes),
        facts(warnings, "bold yellow"),
        text(" ".join(sentences(result))),
        facts([({"look": "next"}.get(what, what), command) for what, command in result.commands.items()]),
    )


def _limits(result: CheckReport) -> RenderableType | None:
    """A row for each limit, and below a regression one for its baseline."""
    rows: list[tuple[str, ...]] = []
    styles: list[str] = []
    checks, left = shown(result.checks)
    for check in checks:
        rows.append((_WORDS[check.verdict], *cells(check, result)))
        styles.append(_STYLES[check.verdict])
        if check.rule == "regression" and check.baseline is not None and check.change is not None:
            rows.append(("", "", "", *change_cells(check)))
            styles.append("")
    if left:
        rows.append(("", f"({plural(left, 'more group')})", "", "", ""))
        styles.append("")
    return Columns(rows, first_styles=styles) if rows else None


def _figures(result: CheckReport) -> RenderableType | None:
    """The figures of --metrics."""
    return Columns(list(chosen(result.report)), styles=("bold",)) if result.report.shown else None


def _why(result: CheckReport) -> RenderableType | None:
    if not result.reasons:
        return None
    rows = [("" if number else "why", *reason_cells(reason)) for number, reason in enumerate(result.reasons)]
    return Columns(rows, first_styles=["bold"])
