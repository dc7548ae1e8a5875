"""What was scored or compared, and how it was matched, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from xentcli.report.document import InputFile
from xentcli.report.report import Report
from xentcli.scoring.kinds import KINDS
from xentcli.writers.figures import plural
from xentcli.writers.remarks import changes_of_loss, changes_of_losses, digests, skipped_rows, unmatched_rows

if TYPE_CHECKING:
    from xentcli.report.comparison import Comparison

__all__ = ["inputs"]

_MOST_NAMED = 6
_MOST_MODELS = 50


def inputs(document: Report | Comparison) -> Iterator[tuple[str, str]]:
    """Yield what was read, how labels and rows were matched, and what changed the loss: a word, and what it says."""
    yield from _scored(document) if isinstance(document, Report) else _models(document)
    labels = document.labels if isinstance(document, Report) else document.matching
    if labels is not None and labels.matched != "none":
        names = labels.columns
        named = f"column {names[0]}" if len(names) == 1 else f"columns {names[0]} to {names[-1]}"
        beside = len(document.inputs) > 1 if isinstance(document, Report) else bool(document.labels)
        other = f"{_with_others(document, labels.path)}, " if beside else ""
        yield "labels", f"{other}{named}, {labels.note}"
    changes = changes_of_loss(document) if isinstance(document, Report) else changes_of_losses(document)
    for number, line in enumerate(changes):
        yield "" if number else "loss", line
    if isinstance(document, Report) and document.compat is not None:
        yield "as", document.compat
    if document.alignment == "id" and len(document.inputs) > 1:
        yield "rows", "matched by id"
        yield from (("", line) for line in unmatched_rows(document)) if isinstance(document, Report) else ()
    elif not isinstance(document, Report):
        yield "rows", "matched by position"
    yield from _headers(document.inputs)
    yield from digests(document)
    yield from _unused(document)


def _scored(report: Report) -> Iterator[tuple[str, str]]:
    first = report.inputs[0]
    what = [plural(first.files, "file")] if first.files > 1 else []
    what += [f"{report.examples.scored:,} of {plural(report.examples.read, 'row')}", *_classes(report)]
    yield "scored", f"{_with_others(report, first.path)}: {', '.join(what)}"
    yield from (("", line) for line in skipped_rows(report))


def _models(result: Comparison) -> Iterator[tuple[str, str]]:
    """Each model with its file and rows, and the rows that are compared."""
    what = f"{result.examples.scored:,} of {plural(result.examples.read, 'row')}"
    yield "compared", ", ".join([what, *_classes(result)])
    yield from (("", line) for line in skipped_rows(result))
    for number, model in enumerate(result.models[:_MOST_MODELS]):
        path = "" if model.path == model.name else f"{model.path}, "
        yield "" if number > 1 else ("reference", "others")[number], f"{model.name}: {path}{plural(model.rows, 'row')}"
    if len(result.models) > _MOST_MODELS:
        yield "", f"({len(result.models) - _MOST_MODELS:,} more)"


def _classes(document: Report | Comparison) -> list[str]:
    classes = [plural(len(document.classes), "class")] if document.classes else []
    return [*classes, KINDS[document.kind].noun]


def _headers(inputs: Sequence[InputFile]) -> Iterator[tuple[str, str]]:
    bare = [given.path for given in inputs if given.header is False]
    for path in bare[:_MOST_NAMED]:
        yield "header", f"{path} has none; its first line is data"
    if len(bare) > _MOST_NAMED:
        yield "", f"nor have {plural(len(bare) - _MOST_NAMED, 'further file')}"


def _unused(document: Report | Comparison) -> Iterator[tuple[str, str]]:
    unused = list(dict.fromkeys(name for given in document.inputs for name in given.unused))
    if unused:
        more = ", ..." if len(unused) > 12 else ""
        useless = not KINDS[document.kind].labelled or (not isinstance(document, Report) and document.kl)
        hint = "" if useless or {"weights", "by"} & set(document.options) else "   (--by or --weights would use them)"
        yield "unused", ", ".join(unused[:12]) + more + hint


def _with_others(report: Report | Comparison, path: str) -> str:
    """The path of an input, and whether merged runs had others beside it."""
    rows = sum(given.rows for given in report.inputs if given.path == path)
    return f"{path} and others" if report.alignment == "position" and 0 < rows < report.examples.read else path
