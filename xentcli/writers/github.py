"""Checks for a job of GitHub Actions: an annotation for each limit that did not pass, and the summary of the step."""

from __future__ import annotations

from collections.abc import Iterator

from xentcli.records import replace
from xentcli.report.checks import Checks
from xentcli.writers.check import in_words
from xentcli.writers.grid import Grid, Line
from xentcli.writers.markdown import written
from xentcli.writers.pages import page
from xentcli.writers.safe import annotation, property_of

__all__ = ["LARGEST", "commands", "summary"]

LARGEST = 1 << 20
"""Bytes of the summary of a step; GitHub drops a larger one."""
_LONGEST = 300
_CUT = b"\n\n(The summary is cut; the log has all.)\n"


def commands(result: Checks) -> Iterator[str]:
    """Yield a command of the runner for each limit that did not pass, and each check that could not run."""
    for check in result.checks:
        start = f"::error title={property_of(f'xent check {check.name}')}::"
        if check.error is not None:
            yield start + "%0A".join(map(annotation, (check.error.message, *check.error.advice)))
        if check.report is not None:
            failed = (limit for limit in check.report.held if limit.verdict != "pass")
            yield from (start + annotation(in_words(limit, check.report)) for limit in failed)


def summary(result: Checks, room: int = LARGEST) -> bytes:
    """Return the page of checks in Markdown, those that failed first, cut to `room` bytes at the end of a line."""
    ordered = sorted(result.checks, key=lambda check: check.exit_code == 0)
    parts = [_shortened(part) for part in page(replace(result, checks=tuple(ordered)))]
    text = f"\n\n### xent check\n\n{written(parts)}".encode(errors="backslashreplace")
    if len(text) <= room:
        return text
    kept = text[: max(room - len(_CUT), 0)].rpartition(b"\n")[0]
    return kept + _CUT if kept.strip() else b""


def _shortened(part: Line | Grid) -> Line | Grid:
    """A part of the page with its long texts cut."""
    if isinstance(part, Line):
        return Line(tuple(map(_short, part.lines)), _short(part.bold))
    return replace(
        part, rows=tuple(tuple(map(_short, row)) for row in (part.cut(part.first) if part.first else part).rows)
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text):,} characters)"
