"""The screen of `xent check`."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.console import RenderableType

from xentcli.report.check import Check, CheckReport
from xentcli.writers.figures import fixed, plural
from xentcli.writers.remarks import changes_of_loss
from xentcli.writers.screens.layout import Columns, block, facts, text

__all__ = ["screen"]

_WORDS = {"pass": "pass", "fail": "FAIL", "inconclusive": "open", "no_verdict": "none"}
_STYLES = {"pass": "green", "fail": "bold red", "inconclusive": "yellow", "no_verdict": "yellow"}


def screen(result: CheckReport) -> RenderableType:
    """Show each limit with its margin, the warnings, and the verdict in words."""
    table = Columns(
        [(_WORDS[check.verdict], *_cells(check, result)) for check in result.checks],
        first_styles=[_STYLES[check.verdict] for check in result.checks],
    )
    warnings = [("warning", f"{w.message}; {w.advice}" if w.advice else w.message) for w in result.report.warnings]
    changes = [("" if number else "loss", line) for number, line in enumerate(changes_of_loss(result.report))]
    return block(table, facts(changes), facts(warnings, "bold yellow"), text(_summary(result)))


def _cells(check: Check, result: CheckReport) -> tuple[str, ...]:
    assert check.limit is not None
    bound = "at most" if check.bound == "max" else "at least"
    limit = f"{bound} {_figure(check.limit, check)}"
    if check.value is None:
        reason = result.report.undefined.get(check.metric, "undefined")
        return check.metric, "-", limit, reason
    return check.metric, _figure(check.value, check), limit, _margin(check)


def _figure(value: float, check: Check) -> str:
    """Six decimals, or all digits where value and limit differ but agree in six decimals."""
    if check.value is not None and check.value != check.limit and fixed(check.value, 6) == fixed(check.limit, 6):
        return repr(value)
    return fixed(value, 6)


def _margin(check: Check) -> str:
    assert check.margin is not None and check.value is not None
    if not math.isfinite(check.value):
        return "not a number" if math.isnan(check.value) else "infinite"
    if check.verdict == "pass":
        return f"margin  {fixed(check.margin, 6)}"
    missed = "over by" if check.bound == "max" else "short by"
    return f"{missed} {fixed(-check.margin, 6)}"


def _summary(result: CheckReport) -> str:
    return " ".join(_sentences(result))


def _sentences(result: CheckReport) -> Iterator[str]:
    total = len(result.checks)
    failed = sum(check.verdict == "fail" for check in result.checks)
    if failed:
        yield f"{failed} of {plural(total, 'limit')} failed: exit 1."
    elif result.verdict == "no_verdict":
        yield "No verdict: a metric is undefined for these data: exit 5."
    else:
        yield {1: "The limit passed.", 2: "Both limits passed."}.get(total, f"All {total} limits passed.")
    rows = result.report.examples
    yield f"Inputs were read and matched in full: {plural(rows.scored, 'row')} scored."
