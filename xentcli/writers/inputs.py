"""What was scored, and how it was matched, in words."""

from __future__ import annotations

from collections.abc import Iterator

from xentcli.report.report import Report
from xentcli.scoring.kinds import KINDS
from xentcli.writers.figures import plural
from xentcli.writers.remarks import changes_of_loss, digests, skipped_rows, unmatched_rows

__all__ = ["inputs"]

_MOST_NAMED = 6


def inputs(report: Report) -> Iterator[tuple[str, str]]:
    """Yield what was scored, how labels and rows were matched, and what changed the loss: a word, and what it says."""
    first = report.inputs[0]
    examples = report.examples
    what = [plural(first.files, "file")] if first.files > 1 else []
    what.append(f"{examples.scored:,} of {plural(examples.read, 'row')}")
    if report.classes:
        what.append(plural(len(report.classes), "class"))
    what.append(KINDS[report.kind].noun)
    yield "scored", f"{_with_others(report, first.path)}: {', '.join(what)}"
    for line in skipped_rows(report):
        yield "", line
    if report.labels.matched != "none":
        names = report.labels.columns
        named = f"column {names[0]}" if len(names) == 1 else f"columns {names[0]} to {names[-1]}"
        other = f"{_with_others(report, report.labels.path)}, " if len(report.inputs) > 1 else ""
        yield "labels", f"{other}{named}, {report.labels.note}"
    for number, line in enumerate(changes_of_loss(report)):
        yield "" if number else "loss", line
    if report.compat is not None:
        yield "as", report.compat
    if report.alignment == "id" and len(report.inputs) > 1:
        yield "rows", "matched by id"
        yield from (("", line) for line in unmatched_rows(report))
    bare = [given.path for given in report.inputs if given.header is False]
    for path in bare[:_MOST_NAMED]:
        yield "header", f"{path} has none; its first line is data"
    if len(bare) > _MOST_NAMED:
        yield "", f"nor have {plural(len(bare) - _MOST_NAMED, 'further file')}"
    yield from digests(report)
    unused = [name for given in report.inputs for name in given.unused]
    if unused:
        more = ", ..." if len(unused) > 12 else ""
        hint = (
            ""
            if {"weights", "by"} & set(report.options) or not KINDS[report.kind].labelled
            else "   (--by or --weights would use them)"
        )
        yield "unused", ", ".join(unused[:12]) + more + hint


def _with_others(report: Report, path: str) -> str:
    """The path of an input, and whether merged runs had others beside it."""
    rows = sum(given.rows for given in report.inputs if given.path == path)
    return f"{path} and others" if report.alignment == "position" and 0 < rows < report.examples.read else path
