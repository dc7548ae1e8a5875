"""check_together: refuse options that make no sense beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from xentcli.errors import UsageError, shown
from xentcli.options import items
from xentcli.readers import check_format
from xentcli.scoring.compat import COMPAT
from xentcli.scoring.kinds import KINDS
from xentcli.settings.fields import Fields

__all__ = ["check_grouped", "check_together"]


def check_together(settings: Fields) -> None:
    """Raise UsageError for the first options that contradict each other, whatever the files hold."""
    _check_lists(settings)
    _check_kind(settings)
    _check_columns(settings)
    _check_text(settings)
    _check_slices(settings)
    _check_reference(settings)
    _check_divergence(settings)
    if settings.multilabel:
        _check_multilabel(settings)
    if settings.shard is not None and settings.balanced:
        raise UsageError(
            "--class-weight balanced counts the labels of all rows, and --shard has some of them",
            advice="--class-weight NAME=W gives each weight",
        )
    if settings.compat is not None:
        _check_compat(settings, settings.compat)


def _check_lists(settings: Fields) -> None:
    """Refuse a name given twice, and unknown input formats."""
    for name, given in (
        ("input-format", _files_of(settings.input_format)),
        ("delimiter", _files_of(settings.delimiter)),
        ("decimal", _files_of(settings.decimal)),
        ("by", settings.slices),
        ("metrics", [metric.name for metric in settings.named_metrics]),
        ("row-metrics", [metric.name for metric in settings.metrics_of_rows]),
    ):
        twice = next((item for index, item in enumerate(given) if item in given[:index]), None)
        if twice is not None:
            # A tuple of names that repeat is most likely a group for each row.
            data = "by={'site': [...]} gives a group for each row" if name == "by" and len(given) > 2 else ""
            raise UsageError(f"--{name} names {shown(twice)} twice", advice=data)
    for side in ("predictions", "labels", *settings.files_named()):
        check_format(settings.format_of(side))


def _files_of(given: str | Sequence[str] | None) -> list[str]:
    """Return the files that the values of an option are about."""
    return [item.rpartition("=")[0] or "both" for item in items(given)]


def _check_kind(settings: Fields) -> None:
    kind = settings.kind
    if settings.renormalize and kind != "probs":
        raise UsageError(
            f"--renormalize divides probabilities by their sum; it goes with --kind probs, not --kind {kind}"
        )
    if kind == "logits" and settings.set_and_needing("sums") is not None and settings.reference is None:
        raise UsageError(f"--sum-tolerance has no use: --kind {kind} has no row sums")
    if KINDS[kind].labelled:
        return
    for metric in (*settings.shown_metrics, *settings.metrics_of_rows):
        if metric.labelled:
            raise UsageError(f"--kind {kind} has no {metric.name}: there are no labels")
    if (given := settings.set_and_needing("labels")) is not None:
        raise UsageError(f"{given} has no use: --kind {kind} needs no labels and no classes")


def _check_columns(settings: Fields) -> None:
    if settings.positive is not None and settings.classes is not None:
        raise UsageError("--positive and --classes both name the classes; one of them is enough")
    if settings.positive is not None and settings.index_base is not None:
        raise UsageError("--positive takes labels by name and --index-base by position; choose one")
    if settings.subset and settings.id is None:
        raise UsageError("--subset scores the rows whose id both files have; it goes with --id COLUMN")
    if settings.id is not None and settings.align is not None:
        raise UsageError("--id and --align position contradict each other")
    if settings.show and not settings.worst:
        raise UsageError("--show names columns for --worst N")
    if settings.worst_by != "loss" and not settings.worst:
        raise UsageError("--worst-by ranks the rows of --worst N")


def check_grouped(settings: Fields, command: str) -> None:
    """Refuse --max-groups without groups (UsageError), but for a command that looks for groups itself."""
    grouped = settings.slices or settings.cluster is not None or command in ("causes", "explain")
    if not grouped and settings.rows["max_groups"].is_set(settings.max_groups):
        raise UsageError("--max-groups bounds the groups of --by COLUMN and --cluster COLUMN; it goes with one of them")


def _check_slices(settings: Fields) -> None:
    """Refuse a metric that a group, or the rows of a class, cannot have."""
    given = "--by" if settings.slices else "--by-class" if settings.by_class else None
    for metric in settings.named_metrics if given else ():
        if metric.tally:
            advice = "xent calibration --by COLUMN shows calibration by group" if settings.slices else ()
            raise UsageError(f"--metrics {metric.name} does not go with {given}: only the whole has it", advice=advice)
        if metric.name == "bits_per_byte":
            if settings.by_class:
                raise UsageError("--metrics bits_per_byte does not go with --by-class: classes have no bytes")
            if settings.bytes_in_all is not None:
                raise UsageError(
                    f"--bytes {settings.bytes} is a total, and --by needs the bytes of each group",
                    advice="--bytes COLUMN gives those of each row",
                )


def _check_reference(settings: Fields) -> None:
    """Refuse a metric of --reference without it, and --reference beside rows that have another place."""
    if settings.reference is not None and settings.shift_labels:
        raise UsageError("--reference does not go with --shift-labels, which moves the rows of all but the predictions")
    for option, metrics in (("--metrics", settings.named_metrics), ("--row-metrics", settings.metrics_of_rows)):
        for metric in metrics if settings.reference is None else ():
            if metric.of_reference:
                raise UsageError(
                    f"{option} {metric.name} needs a forecast to compare with",
                    advice="xent score --reference COLUMNS names its probabilities",
                )


def _check_divergence(settings: Fields) -> None:
    """Refuse the KL divergence of rows whose loss is not the cross-entropy with the target alone."""
    by_rank = "--worst-by kl" if settings.worst_by == "kl" else ""
    asked = by_rank or ("--row-metrics kl" if any(m.name == "kl" for m in settings.metrics_of_rows) else "")
    given = "--label-smoothing" if settings.label_smoothing else "--class-weight" if settings.has_class_weights else ""
    if asked and given:
        raise UsageError(f"{asked} does not go with {given}: the loss is not the cross-entropy with the target alone")


def _check_text(settings: Fields) -> None:
    for side in ("predictions", "labels", *settings.files_named()):
        decimal, _ = settings.decimal_of(side)
        if decimal == settings.delimiter_of(side):
            raise UsageError(
                f"--decimal and --delimiter are both {shown(decimal)}",
                advice="leave --delimiter out: others are found; for quoted numbers the message has a command",
            )
    header, no_header = settings.header, settings.no_header
    if header and no_header and (header == no_header or "both" in (header, no_header)):
        raise UsageError("--header and --no-header name the same file")


def _check_multilabel(settings: Fields) -> None:
    """Refuse what takes a row as one problem of K classes."""
    if (given := settings.set_and_needing("one problem")) is not None:
        raise UsageError(f"{given} does not go with --multilabel, whose columns are independent")
    if settings.balanced:
        raise UsageError(
            "--class-weight balanced does not go with --multilabel, whose columns are independent",
            advice="--class-weight NAME=W weights the positives of a column",
        )
    for option, metrics in (("--metrics", settings.shown_metrics), ("--row-metrics", settings.metrics_of_rows)):
        for metric in metrics:
            if metric.argument is not None:
                raise UsageError(f"--multilabel has no {metric.name} for {option}: each column has two classes")


def _check_compat(settings: Fields, name: str) -> None:
    kinds = COMPAT[name].kinds
    if settings.kind not in kinds:
        raise UsageError(f"--compat {name} takes --kind {' or '.join(kinds)}, not --kind {settings.kind}")
    if settings.clip is not None or settings.renormalize:
        given = "--clip" if settings.clip is not None else "--renormalize"
        raise UsageError(f"--compat {name} sets clipping and renormalisation itself; leave out {given}")
    if settings.temperature != 1:
        raise UsageError(f"--temperature does not go with --compat {name}, which has no temperature")
