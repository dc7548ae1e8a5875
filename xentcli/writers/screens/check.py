"""The screen of `xent check`."""

from __future__ import annotations

from xentcli.report.check import CheckReport
from xentcli.writers.check import commands, figures, first_limits, limit_rows, reason_rows, sentences
from xentcli.writers.remarks import baseline_lines, changes_of_loss
from xentcli.writers.screens.layout import MOST, Columns, Element, aligned, block, facts, text, under, warned
from xentcli.writers.screens.report import chosen, slice_tables

__all__ = ["screen"]

_WORDS = {"pass": "pass", "fail": "FAIL", "inconclusive": "inconclusive", "no_verdict": "no verdict"}
_STYLES = {"pass": "green", "fail": "bold red", "inconclusive": "yellow", "no_verdict": "yellow"}


def screen(result: CheckReport) -> Element:
    """Show each limit with its margin, what explains failures, the warnings, and the verdict in words."""
    return block(
        _limits(result),
        facts(list(figures(result))),
        _figures(result),
        *slice_tables(result.beside),
        _why(result),
        facts(under("baseline", baseline_lines(result.baseline))),
        facts(under("loss", changes_of_loss(result.report))),
        facts(warned(result.report.warnings), "bold yellow"),
        text(" ".join(sentences(result))),
        facts(list(commands(result))),
    )


def _limits(result: CheckReport) -> Element | None:
    """A row for each limit, and below a regression one for its baseline."""
    found = list(limit_rows(result))
    if not found:
        return None
    verdicts, cells = zip(*found, strict=True)
    metrics, *figures = zip(*cells, strict=True)
    words = [_WORDS[verdict] if verdict else "" for verdict in verdicts]
    rows = list(zip(words, metrics, *map(aligned, figures), strict=True))
    styles = [_STYLES.get(verdict, "") for verdict in verdicts]
    return Columns(rows, first_styles=styles, names=(1,), first=first_limits(result))


def _figures(result: CheckReport) -> Element | None:
    """The figures of --metrics."""
    return Columns(list(chosen(result.report)), styles=("bold",)) if result.report.shown else None


def _why(result: CheckReport) -> Element | None:
    rows = [("" if number else "why", *cells) for number, cells in enumerate(reason_rows(result))]
    if not rows:
        return None
    # What explains a failure, and the limit before it, have names of files in them.
    return Columns(rows, styles=["bold"], names=range(1, len(rows[0]) - 2), first=range(MOST))
