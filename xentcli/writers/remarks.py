"""Remarks on how the figures of a report were calculated, the same on a screen and in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from xentcli.report.parts import Interval
from xentcli.report.report import Report
from xentcli.writers.figures import fixed, plural, short

if TYPE_CHECKING:
    from xentcli.report.check import BaselineInfo
    from xentcli.report.comparison import Comparison

__all__ = [
    "DEFAULT_TOLERANCE",
    "baseline_lines",
    "bytes_remark",
    "changes_of_loss",
    "changes_of_losses",
    "digests",
    "ends",
    "reference_remark",
    "skipped_rows",
    "unmatched_rows",
]

DEFAULT_TOLERANCE = 0.001
"""The default of --sum-tolerance."""


def changes_of_loss(report: Report) -> Iterator[str]:
    """Yield a line for each option that changes the loss or its mean, with the option's name."""
    options = _by_flag(report)
    yield from _changes(options, report)
    deviation = report.row_sum.largest_deviation
    if options.get("sum_tolerance", 0) > DEFAULT_TOLERANCE and deviation is not None:
        accepted = f"row sums up to {options['sum_tolerance']:g} from 1 accepted"
        yield f"{accepted}, largest deviation {short(float(f'{deviation:.2g}'))} (--sum-tolerance)"


def changes_of_losses(result: Comparison) -> Iterator[str]:
    """Yield such lines of a comparison, with those for which a report has figures of its own."""
    options = _by_flag(result)
    yield from _changes(options, result)
    if "clip" in options:
        yield f"q clipped to [{options['clip']:g}, 1 - {options['clip']:g}] (--clip)"
    if "compat" in options:
        yield f"as {options['compat']} computes it (--compat)"
    if "sum_tolerance" in options:
        yield f"row sums up to {options['sum_tolerance']:g} from 1 accepted (--sum-tolerance)"
    if "ignore_label" in options:
        given = options["ignore_label"]
        names = ", ".join(map(str, given if isinstance(given, list) else [given]))
        yield f"rows with label {names} skipped (--ignore-label)"


def _by_flag(document: Report | Comparison) -> dict[str, Any]:
    # The line of --compat covers what it sets.
    return {name: setting.value for name, setting in document.options.items() if setting.by == "flag"}


def _changes(options: Mapping[str, Any], document: Report | Comparison) -> Iterator[str]:
    if "weights" in options:
        yield f"rows weighted by column {options['weights']} (--weights)"
    if "class_weight" in options:
        what = "positives weighted" if options.get("multilabel") else "class weights"
        yield f"{what} {_class_weights(options['class_weight'], len(document.classes))} (--class-weight)"
    if "label_smoothing" in options:
        yield f"labels smoothed by {options['label_smoothing']:g} (--label-smoothing)"
    if "scale" in options:
        yield f"predictions multiplied by {options['scale']:g} (--scale)"
    if "temperature" in options:
        what = "logits" if document.kind == "logits" else "ln q"
        yield f"{what} divided by {options['temperature']:g}, then softmax (--temperature)"
    if options.get("shift_labels"):
        yield "position t of a sequence predicts the label of t + 1 (--shift-labels)"
    if options.get("votes"):
        yield "target counts divided by the sum of their row (--votes)"
    if options.get("renormalize"):
        yield "each row divided by its sum (--renormalize)"


def _class_weights(given: Any, classes: int) -> str:
    """Class weights as NAME=W, given as a mapping or as texts; "balanced", and weights in order, as they are."""
    if given in ("balanced", ["balanced"]):
        return "balanced"
    if isinstance(given, list) and given and not isinstance(given[0], str):
        return ", ".join(f"{weight:g}" for weight in given)
    pairs = [f"{name}={weight:g}" for name, weight in given.items()] if isinstance(given, Mapping) else given
    named = [pairs] if isinstance(pairs, str) else list(pairs)
    return ", ".join(named if len(named) == classes else [*named, "others 1"])


def bytes_remark(report: Report) -> str:
    """Return which bytes the bits were divided by, and whether weights apply to them; empty without --bytes."""
    if report.bytes is None:
        return ""
    total = f"{short(report.bytes.total)} bytes"
    if report.bytes.column is None:
        weighted = {"weights", "class_weight"} & report.options.keys()
        return f"{total} in total, as given{': weights apply to the losses only' if weighted else ''}"
    return f"{total} of column {report.bytes.column}{', each row times its weight' if report.bytes.weighted else ''}"


def reference_remark(report: Report) -> str:
    """Return what the forecast of --reference is made of; empty without it."""
    given = report.reference
    if given is None:
        return ""
    if given.shares is not None:
        few = [f"{name}={short(share)}" for name, share in zip(given.columns, given.shares, strict=True)][:6]
        return f"constant: {', '.join(few)}{', ...' if len(given.columns) > 6 else ''}"
    first, last = given.columns[0], given.columns[-1]
    named = f"column {first}" if len(given.columns) == 1 else f"columns {first} to {last}"
    other = f"{given.path}, " if given.path != report.inputs[0].path else ""
    return f"{other}{named}, {given.note}"


def skipped_rows(report: Report | Comparison) -> Iterator[str]:
    """Yield a line for the rows of weight 0, and for those that were skipped."""
    examples = report.examples
    if examples.zero_weight:
        yield f"{plural(examples.zero_weight, 'row')} of weight 0 left out"
    if examples.ignored:
        # Without either option only the first numbers of lists are skipped.
        options = [f"--{name.replace('_', '-')}" for name in ("ignore_label", "shift_labels") if name in report.options]
        why = ", ".join(options) or "missing at the start of a list"
        yield f"{plural(examples.ignored, 'row')} skipped ({why})"
    if examples.missing:
        referred = isinstance(report, Report) and report.reference is not None
        what = "a prediction or a reference" if referred else "a prediction"
        yield f"{plural(examples.missing, 'row')} without {what} skipped (--skip-missing)"
    if examples.ignored_cells:
        yield f"{plural(examples.ignored_cells, 'cell')} of other rows skipped (--ignore-label)"


def unmatched_rows(report: Report) -> Iterator[str]:
    """Yield a line for each side that has rows without a partner (--subset), with the first ids."""
    found = report.unmatched
    if found is None:
        return
    for count, noun, ids in (
        (found.predictions, "prediction", found.prediction_ids),
        (found.labels, "label", found.label_ids),
    ):
        if count:
            other = "label" if noun == "prediction" else "prediction"
            more = ", ..." if count > len(ids) else ""
            yield f"{plural(count, noun)} without a {other}: {', '.join(ids)}{more}"


def baseline_lines(info: BaselineInfo | None) -> Iterator[str]:
    """Yield what a run was compared with, its age and its commit, and what could not be checked."""
    if info is None:
        return
    about = [info.path]
    if info.date is not None:
        about.append(f"made {_age(info.date)}")
    if info.commit is not None:
        about.append(f"commit {info.commit[:12]}")
    about.append(f"{plural(info.rows_compared, 'row')} compared" if info.rows_compared else "no rows compared")
    yield ", ".join(about)
    yield from info.notes


def _age(date: str) -> str:
    """How long ago a date was, in words; the date itself where it is none."""
    import datetime

    try:
        made = datetime.datetime.fromisoformat(date)
        days = (datetime.datetime.now(datetime.UTC) - made).days
    except (ValueError, TypeError):
        return date
    return f"{date[:10]}, {plural(days, 'day')} ago" if days > 0 else f"{date[:10]}, today" if not days else date


def ends(interval: Interval, places: int) -> str:
    """Return both ends of an interval, and its note on few rows."""
    note = f" ({interval.note})" if interval.note else ""
    return f"{fixed(interval.low, places)} to {fixed(interval.high, places)}{note}"


def digests(report: Report | Comparison) -> Iterator[tuple[str, str]]:
    """Yield the SHA-256 of each input, with --hash."""
    for given in report.inputs:
        if given.sha256 is not None:
            yield "sha256", f"{given.sha256}  {given.path}"
