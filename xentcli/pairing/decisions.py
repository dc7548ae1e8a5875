"""pair(): from opened sources and settings to a Plan, and the Feed of its rows."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from xentcli.columns.numerals import is_number
from xentcli.errors import DataError, NoVerdict, Place, UsageError, Warning
from xentcli.options import spelled
from xentcli.pairing.alignment import Companion, PartQueue, check_pairs
from xentcli.pairing.axes import arranged, positions, shape_of, two_of_one
from xentcli.pairing.columns import Found, listed, name_of
from xentcli.pairing.compared import by_names
from xentcli.pairing.feed import Feed
from xentcli.pairing.given_classes import class_weights, given_classes
from xentcli.pairing.headers import with_header, with_headers
from xentcli.pairing.index import is_held, named_by_others, with_ids
from xentcli.pairing.inputs import Inputs
from xentcli.pairing.lists import has_lists, undivided, with_choices
from xentcli.pairing.matching import Rule, could_be_classes, match
from xentcli.pairing.plan import Plan, Table
from xentcli.pairing.predictions import Doubt, find_predictions
from xentcli.pairing.reference import reference_of
from xentcli.pairing.remembered import key_of, remember, remembered
from xentcli.pairing.roles import find_labels, find_named, picks_of, used_columns
from xentcli.pairing.row_ids import find_row_names, have_counted
from xentcli.pairing.sums import weighted_sums
from xentcli.pairing.vectors import check_one_line, vector_advice
from xentcli.readers.source import Source, has_first_line
from xentcli.records import replace
from xentcli.scoring.compat import COMPAT
from xentcli.scoring.kinds import KINDS
from xentcli.scoring.recipe import Recipe
from xentcli.settings import SIDES, Settings

if TYPE_CHECKING:
    from xentcli.pairing.join import Join

__all__ = ["pair"]

COMPANION_BYTES = 1 << 18, 1 << 20
"""Least and most bytes in a part of labels, groups or ids: smaller parts cost time, larger ones memory."""


def pair(
    predictions: Source,
    labels: Source | None,
    settings: Settings,
    *,
    others: Sequence[Source] = (),
    block_bytes: int | None = None,
    whole: bool = False,
    named: bool = False,
) -> Feed:
    """Decide how two sources, or one that holds both, are read; return the feed of their rows, with the plan.

    `labels` is None if the file of predictions has them, or none are needed; `others` are further files whose
    columns are named by options. About `block_bytes` are read at once (None: suited to the format). With `whole`
    all labels decide their rule, not only the first 65,536. With `named` the index of data in memory becomes the
    id even if rows are not matched by it.

    Raises DataError if something cannot be decided without an option; the message names it; NoVerdict if the files are
    empty.
    """
    key = None if others else key_of(predictions, labels, settings)
    if labels is not None and (plan := remembered(key, settings)) is not None:
        return Feed(plan, _queues((predictions, labels), block_bytes, shifted=False))
    _check_empty(predictions, labels, settings)
    _check_about_text(predictions, labels, others, settings)
    read = _arranged(predictions, labels, others, settings, block_bytes=block_bytes, whole=whole, named=named)
    doubt = _find_roles(read)
    compare = find_row_names(read)
    if (
        named
        and "id" not in read.roles
        and is_held(first := read.sources[0])
        and (first.lent or first.row_names is not None)
    ):
        read.roles["id"] = [Found(first, (first.width,))]
    picks = picks_of(read)
    companions = [Companion(queue, pick) for queue, pick in zip(read.queues, picks, strict=True)][1:]
    joins = _joins(companions) if read.settings.id is not None else ()
    rule, possible = _matched(read, joins, doubt)
    plan = _plan(
        settings,
        read,
        rule,
        picks=picks,
        joins=joins,
        compare_row_names=compare,
        warnings=(*read.warnings, *rule.warnings, *possible, *weighted_sums(read)),
    )
    if compare and plan.compared_apart and have_counted(read):
        plan = replace(plan, by_counted=by_names(plan, read.sources))
    remember(key, plan)
    return Feed(plan, read.queues)


def _arranged(
    predictions: Source,
    labels: Source | None,
    others: Sequence[Source],
    settings: Settings,
    *,
    block_bytes: int | None,
    whole: bool,
    named: bool,
) -> Inputs:
    """Decide ids, lists, the axis of the classes and headers."""
    predictions, labels, others, settings = with_ids(predictions, labels, others, settings)
    predictions, *others = undivided((predictions, *others), settings)
    if KINDS[settings.kind].labelled:
        predictions = with_choices(predictions, settings, whole=whole)
    if settings.shift_labels and labels is None:
        predictions, labels = two_of_one(predictions, settings)
    shape = shape_of(predictions, settings)
    sources, axis, warnings = _headed(predictions, labels, others, settings, given_classes(settings) or ())
    sources = named_by_others(sources) if named else sources
    period = positions(shape, axis, predictions.path) if settings.shift_labels else 0
    sequences = len(shape) == 3 and axis not in (None, 0) and not period
    queues = _queues(sources, block_bytes, shifted=period > 0)
    return Inputs(queues, 1 if labels is None else 2, settings, whole, axis, period, sequences, warnings)


def _find_roles(read: Inputs) -> Doubt:
    """Find the columns of each role; return what is in doubt about the predictions.

    For kinds without labels the first source may become one column of every number.
    """
    settings, labelled = read.settings, KINDS[read.settings.kind].labelled
    find_named(read)
    if all(queue.is_empty for queue in read.queues[: read.files]):
        # The number of items of a list column is unknown without rows.
        raise NoVerdict("there are no rows", place=Place(read.sources[0].path))
    if labelled:
        find_labels(read)
        if read.files > 1 and settings.preds is None and not settings.multilabel:
            check_one_line(*read.pair)
    doubt = find_predictions(read)
    _check_scale(read.preds, settings)
    if labelled:
        _check_lengths(read.preds, settings)
    else:
        _every_number(read)
    return doubt


def _matched(read: Inputs, joins: Sequence[Join], doubt: Doubt) -> tuple[Rule, tuple[Warning, ...]]:
    """Decide the rule of the labels; also return the warning about columns that could be classes."""
    if not KINDS[read.settings.kind].labelled:
        return Rule(), ()
    names = given_classes(read.settings)
    with _vector_named(read):
        rule = match(read, names, joins, doubt)
    columns = could_be_classes(read.preds, doubt, rule.matcher, names, len(rule.columns))
    return rule, _possible_classes(read.sources[0], columns)


@contextlib.contextmanager
def _vector_named(read: Inputs) -> Iterator[None]:
    """If the predictions are a vector of n x k numbers, replace an error about labels by that."""
    try:
        yield
    except DataError as error:
        found, label = read.preds, read.label.source
        if read.files == 1 or label is found.source or not label.repeatable or len(found.columns) > 1:
            raise
        rows, others = (source.lines() - bool(source.header) for source in (found.source, label))
        advice = vector_advice(found.source, found.columns, rows, others, read.settings)
        if not advice and label.header is False:
            # The first line may be a header after all: it was judged by row counts that do not agree.
            others -= 1
            advice = vector_advice(found.source, found.columns, rows, others, read.settings)
        if not advice:
            raise
        counts = f"the row counts differ: {found.source.path} has {rows:,} and {label.path} has {others:,}"
        raise DataError(counts, advice=advice) from error


def _joins(companions: Sequence[Companion]) -> tuple[Join, ...]:
    """The rows of each companion by id."""
    from xentcli.pairing.join import Join

    return tuple(map(Join.of, companions))


def _check_lengths(preds: Found, settings: Settings) -> None:
    """Refuse lists of any length for kinds with one column per class."""
    if has_lists(preds.source, preds.columns):
        from xentcli.pairing.tokens import choices_command, numerals_command

        raise DataError(
            f"{preds.names[0]} has lists of differing length, or of text, and not a number for each class",
            place=Place(preds.source.path),
            advice=choices_command(preds.source, settings.label if isinstance(settings.label, str) else None)
            or numerals_command(preds.source, preds.names[0]),
        )


def _check_scale(preds: Found, settings: Settings) -> None:
    """Refuse --scale if percent signs already imply a division."""
    if settings.scale != 1 and not set(preds.source.traits.percent).isdisjoint(preds.columns):
        raise DataError(
            f"the predictions have percent signs, so they are read as hundredths; --scale {settings.scale:g} too?",
            place=Place(preds.source.path),
            advice="leave --scale out",
        )


def _queues(sources: Sequence[Source], block_bytes: int | None, *, shifted: bool) -> list[PartQueue]:
    """The parts of each source, of about `block_bytes` (None: suited to it); `shifted` shifts all but the first."""
    first, *others = sources
    queues = [PartQueue(first, block_bytes or first.task_bytes)]
    for source in others:
        least, most = COMPANION_BYTES
        usual = min(most, max(least, source.task_bytes))
        queues.append(PartQueue(source, min(block_bytes or usual, usual), shifted=shifted))
    return queues


def _plan(settings: Settings, read: Inputs, rule: Rule, **decided: Any) -> Plan:
    """Make the plan from the inputs, the rule of the labels and other decisions."""
    recipe, set_by_compat = _recipe(settings, read.preds, read.axis)
    distributions = rule.matcher is not None and rule.matcher.matched == "distribution"
    return Plan(
        settings=settings,
        recipe=recipe.weighted(class_weights(settings, rule.classes), distributions=distributions),
        set_by_compat=set_by_compat,
        inputs=tuple(Table.of(source, read.unused(source)) for source in read.sources),
        classes=rule.classes,
        matcher=rule.matcher,
        label_columns=rule.columns,
        slice_columns=tuple(used_columns(read.roles, "by")),
        shown_columns=tuple(name for names in used_columns(read.roles, "show") for name in names),
        uncertain_base=rule.uncertain_base,
        reference=reference_of(read.roles, rule, settings),
        has_label_file=read.files > 1,
        positions=read.positions,
        sequences=read.sequences,
        **decided,
    )


def _headed(
    predictions: Source, labels: Source | None, others: Sequence[Source], settings: Settings, names: Sequence[str]
) -> tuple[tuple[Source, ...], int | None, tuple[Warning, ...]]:
    """Decide the axis of the classes and which first lines are headers; return the sources read accordingly."""
    given = (predictions,) if labels is None else (predictions, labels)
    (predictions, *rest), axis = arranged((*given, *others), settings)
    labels, others = (None, rest) if labels is None else (rest[0], rest[1:])
    predictions, labels, warnings = with_headers(predictions, labels, settings, names)
    if labels is not None and settings.id is None:
        check_pairs(predictions, labels)
    files = (predictions,) if labels is None else (predictions, labels)
    headed = [with_header(other, files, settings, names) for other in others]
    warnings += tuple(warning for _, found in headed for warning in found)
    return (*files, *(other for other, _ in headed)), axis, warnings


def _every_number(read: Inputs) -> None:
    """For kinds without labels: every number of an array is an example; a table must have one column of numbers."""
    queue, found = read.queues[0], read.preds
    source = queue.source
    if source.width > 1 and not source.tabular and len(found.columns) > 1:
        beside = sum(place.source is source for places in read.roles.values() for place in places) > 1
        if beside or len(found.columns) < source.width:
            raise DataError(
                "an array of several columns is read whole, every number an example; no column can be chosen beside",
                place=Place(source.path),
                advice="numpy.save('p.npy', array[:, 0]) keeps one column",
            )
        read.queues[0] = queue.of(source.flattened())
        read.roles["preds"] = [found := Found(read.sources[0], (0,))]
    if len(found.columns) > 1:
        raise DataError(
            f"{len(found.columns)} columns, and --kind {read.settings.kind} has one: {listed(found.names)}",
            place=Place(source.path),
            advice=("--preds NAME chooses it", "numpy.save('p.npy', array): every number of an array is an example"),
        )


def _possible_classes(source: Source, columns: Mapping[int, str]) -> tuple[Warning, ...]:
    """The warning about columns with another role that could be classes, each with its option."""
    named = [f"{name_of(source, column)} (--{option})" for column, option in columns.items()]
    if not named:
        return ()
    message = (
        f"{listed(named)} could be a class, but was not read as a prediction column"
        if len(named) == 1
        else f"{listed(named)} could be classes, but were not read as prediction columns"
    )
    return (Warning("possible-class", message, "--preds NAME,... says which columns are predictions"),)


def _dtype(found: Found) -> np.dtype[Any]:
    """The dtype of columns of floats; float64 for whole numbers, text and long doubles."""
    traits = found.source.traits
    every = [traits.dtypes[column] for column in found.columns] if traits.dtypes else [traits.dtype]
    floats = [dtype for dtype in every if dtype is not None and dtype.kind == "f"]
    common = np.result_type(*floats) if floats and len(floats) == len(every) else np.dtype("f8")
    return common if common.itemsize <= 8 else np.dtype("f8")


def _recipe(settings: Settings, found: Found, axis: int | None) -> tuple[Recipe, dict[str, Any]]:
    """The recipe for these predictions, and the options that --compat sets; `axis` is the class axis, if chosen.

    Raises DataError for 2-byte floats if the tool of --compat computes in 2 bytes.
    """
    dtype = _dtype(found)
    recipe = settings.recipe(dtype, len(found.columns))
    if settings.compat is None:
        return recipe, {}
    tool = COMPAT[settings.compat]
    if tool.short and (dtype.itemsize == 2 or found.columns[0] in found.source.traits.bfloat16):
        name = tool.title.partition(",")[0]
        saved = f"{os.path.splitext(os.path.basename(found.source.path))[0]}-float32.npy"
        raise DataError(
            f"{name} computes 16-bit floats in 16-bit arithmetic, which is not reproduced",
            place=Place(found.source.path),
            advice=(
                f"without --compat {settings.compat} they are computed in float64",
                f"numpy.save({saved!r}, array.astype('float32')) writes an array that both compute alike",
            ),
        )
    set_by_compat: dict[str, Any] = {"clip": recipe.clip, "renormalize": recipe.renormalize}
    if settings.class_axis is None and tool.class_axis is not None:
        set_by_compat["class_axis"] = axis
    return recipe, set_by_compat


def _has_no_row(source: Source, said: bool | None) -> bool:
    """Whether a source has no line, or only a header; `said` is the value of the header option."""
    if not source.width:
        return True
    if has_first_line(source):
        header = not all(map(is_number, source.first_in_points)) if said is None else said
        source = source.with_header(header)
    return PartQueue(source).is_empty


def _check_empty(predictions: Source, labels: Source | None, settings: Settings) -> None:
    sides = [("predictions", predictions), *([("labels", labels)] if labels is not None else [])]
    empty = [source for _, source in sides if not source.width]
    if not empty:
        return
    if all(_has_no_row(source, settings.header_of(side)) for side, source in sides):
        # A single line beside an empty file can only be its header.
        raise NoVerdict("there are no rows", place=Place(predictions.path))
    raise DataError("the file is empty", place=Place(empty[0].path))


def _check_about_text(predictions: Source, labels: Source | None, others: Sequence[Source], settings: Settings) -> None:
    """Refuse an option about delimited text that is given for files of which none is (UsageError)."""
    files = {source.path: source for source in others} | {"predictions": predictions}
    files |= {} if labels is None else {"labels": labels}
    for name, side in settings.about_text():
        if side not in (*files, *SIDES):
            continue
        about = {one: files.get(one) for one in (files if side == "both" else [side])}
        # A caller in Python gives arrays and files the same options.
        said = [_in_words(one, source, settings) for one, source in about.items() if not (source and is_held(source))]
        if said and not any(source is not None and has_first_line(source) for source in about.values()):
            raise UsageError(f"{spelled(name)} is for delimited text: {', '.join(said)}", advice="leave it out")


def _in_words(name: str, source: Source | None, settings: Settings) -> str:
    if source is None:
        return f"there is no file of {name}"
    return f"{source.path} is {source.format}" + ("" if settings.format_of(name) is None else " by --input-format")
