"""The Plan of a score: roles of columns, rule of the labels, alignment of the rows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

import numpy as np

from xentcli.arrays import Floats, Ints
from xentcli.columns.numerals import is_number
from xentcli.errors import DataError, NoVerdict, Place, Warning
from xentcli.pairing.alignment import (
    Companion,
    PartQueue,
    RowNames,
    Task,
    by_position,
    check_pairs,
)
from xentcli.pairing.axes import arranged
from xentcli.pairing.columns import Found, listed, name_of
from xentcli.pairing.counts import Counted, counts_advice
from xentcli.pairing.headers import with_header, with_headers
from xentcli.pairing.join import Join, Matched
from xentcli.pairing.labels import Matcher
from xentcli.pairing.matching import class_weights, could_be_classes, given_classes, match
from xentcli.pairing.roles import (
    explicit_roles,
    find_labels,
    find_predictions,
    find_row_names,
    flattened,
    picks_of,
    unused_columns,
    used_columns,
)
from xentcli.readers.source import Selection, Source, has_first_line
from xentcli.records import record, replace
from xentcli.scoring.compat import COMPAT
from xentcli.scoring.kinds import KINDS
from xentcli.settings import Settings

__all__ = ["Matching", "Plan", "pair"]

COMPANION_BYTES = 1 << 18, 1 << 20
"""A block of labels: at least, since their rows are short, and at most, since each costs memory."""


@record(frozen=True, eq=False)
class Plan:
    """All that was decided before the first row is scored.

    Attributes
    ----------
    predictions, labels
        The sources; labels is None where one file has all.
    picks
        For each source, by its place in `sources`, what is loaded of it.
    classes
        The class names; empty for kinds without labels.
    matcher
        The rule of the labels; None for kinds without labels.
    label_columns
        The names of the label columns.
    alignment
        "position" or "id".
    unused
        For each source, the names of the columns with no role.
    class_weights
        f8[K], or None where all are 1.
    slice_columns, shown_columns
        The names of the columns of each --by, and of --show.
    warnings
        First lines that could be data and were taken as headers.
    possible_classes
        Columns of the predictions' file that have another role and could be classes, each with its option.
    uncertain_base
        Whether labels are numbers of classes and could count from 1, as far as the deciding ones show.
    has_label_file
        Whether the second source is a file of labels.
    """

    settings: Settings
    sources: tuple[Source, ...]
    queues: tuple[PartQueue, ...]
    picks: tuple[Selection, ...]
    classes: tuple[str, ...]
    matcher: Matcher | None
    label_columns: tuple[str, ...]
    alignment: str
    unused: tuple[tuple[str, ...], ...]
    compare_row_names: bool = False
    joins: tuple[Join, ...] = ()
    class_weights: Floats | None = None
    slice_columns: tuple[tuple[str, ...], ...] = ()
    shown_columns: tuple[str, ...] = ()
    warnings: tuple[Warning, ...] = ()
    possible_classes: Mapping[str, str] = field(default_factory=dict)
    uncertain_base: bool = False
    has_label_file: bool = False

    @property
    def predictions(self) -> Source:
        """The source of the predictions."""
        return self.sources[0]

    @property
    def repeatable(self) -> bool:
        """Whether all sources can be read again."""
        return all(source.repeatable for source in self.sources)

    @property
    def divides_by_rows(self) -> bool:
        """Whether class weights multiply losses alone, as the tool to agree with does with distributions."""
        distributions = self.matcher is not None and self.matcher.matched == "distribution"
        return self.settings.divides_by_rows and distributions and self.class_weights is not None

    @property
    def has_weightless_losses(self) -> bool:
        """Whether rows of a class of weight 0 have a loss, by label smoothing, and no part of sum b."""
        zero = self.class_weights is not None and bool((self.class_weights == 0).any())
        return zero and bool(self.settings.label_smoothing) and not self.divides_by_rows

    def again(self) -> Plan:
        """Return what was decided, for another pass over the same sources; they must be repeatable."""
        return replace(self, queues=tuple(queue.again() for queue in self.queues))

    def tasks(self) -> Iterator[Task]:
        """Yield the parts of the predictions with the rows that go with them."""
        if self.joins:
            start = 0
            for part in self.queues[0]:
                yield Task(part, start)
                start += part.rows
            return
        predictions, *companions = [Companion(q, p) for q, p in zip(self.queues, self.picks, strict=True)]
        yield from by_position(predictions, companions, self._advice_on_counts)

    def _advice_on_counts(self, rows: int, place: int, others: int) -> tuple[str, ...]:
        ours = Counted("predictions", self.sources[0], self.picks[0], rows)
        name = "labels" if self.has_label_file and not place else "further"
        theirs = Counted(name, self.sources[place + 1], self.picks[place + 1], others)
        return counts_advice(ours, theirs, self.settings, self.matcher)

    def check_unchanged(self) -> None:
        """Raise DataError when a file is no longer what was opened."""
        for source in self.sources:
            source.check_unchanged()


class Matching:
    """What ids and row names said of the alignment so far; complete when all rows were noted."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._matched = [Matched.of(join, plan.predictions.path, plan.settings.subset) for join in plan.joins]
        self.row_names = RowNames()

    @property
    def unused(self) -> int:
        """How many labels had no prediction."""
        return max((matched.unused for matched in self._matched), default=0)

    @property
    def faulty(self) -> bool:
        """Whether an id was missing or there twice."""
        return any(matched.faulty for matched in self._matched)

    def note(self, ids: Sequence[str], positions: Sequence[Ints], names: RowNames) -> None:
        """Take note of some rows: their ids, where those stand in each other source, and their row names."""
        for matched, found in zip(self._matched, positions, strict=True):
            matched.note(ids, found)
        self.row_names = self.row_names.merge(names)

    def finish(self) -> None:
        """Check that every row found its partner, and that no file changed meanwhile.

        Raises
        ------
        DataError
            With counts and examples.
        """
        self._plan.check_unchanged()
        for matched in self._matched:
            matched.finish()
        if self.row_names.shuffled:
            paths = " and ".join(source.path for source in self._plan.sources[:2])
            raise DataError(
                f"{paths} have the same row names (first column, without a name) in another order",
                advice=("--id '#1' matches the rows by it", "--align position takes them as they stand"),
            )


def pair(
    predictions: Source,
    labels: Source | None,
    settings: Settings,
    *,
    others: Sequence[Source] = (),
    block_bytes: int | None = None,
    whole: bool = False,
) -> Plan:
    """Decide how two sources, or one that holds both, are to be read.

    Parameters
    ----------
    predictions, labels
        Opened sources. `labels` is None where the predictions' file has the labels too,
        or none are needed.
    settings
        What was asked for.
    others
        More sources, of which options name columns.
    block_bytes
        About how much of a file is read at once; what suits the format if None.
    whole
        Let all labels decide their rule, not only the first 65,536.

    Raises
    ------
    DataError
        When something cannot be decided without an option, which the message names.
    NoVerdict
        When there is nothing in the files.
    """
    kind = KINDS[settings.kind]
    _check_empty(predictions, labels, settings)
    names = given_classes(settings)
    given = (predictions,) if labels is None else (predictions, labels)
    (predictions, *rest), axis = arranged((*given, *others), settings)
    labels, others = (None, rest) if labels is None else (rest[0], rest[1:])
    predictions, labels, warnings = with_headers(predictions, labels, settings, names or ())
    if labels is not None and settings.id is None:
        check_pairs(predictions, labels)
    files = (predictions,) if labels is None else (predictions, labels)
    headed = [with_header(other, files, settings, names or ()) for other in others]
    warnings = (*warnings, *(warning for _, found in headed for warning in found))
    sources: tuple[Source, ...] = (*files, *(other for other, _ in headed))
    mains, further = sources[: len(files)], sources[len(files) :]
    roles = explicit_roles(settings, mains, further)
    queues = (
        PartQueue(predictions, block_bytes or predictions.task_bytes),
        *(PartQueue(source, _companion_bytes(source, block_bytes)) for source in sources[1:]),
    )
    if all(queue.is_empty for queue in queues[: len(mains)]):
        # How many numbers a list column has in a row, no row says.
        raise NoVerdict("there are no rows", place=Place(predictions.path))
    if kind.labelled:
        find_labels(roles, mains, queues, settings)
    doubt = find_predictions(roles, sources, queues, settings)
    if not kind.labelled:
        flat, roles = flattened(predictions, roles)
        if flat is not predictions:
            predictions = flat
            sources = (predictions, *sources[1:])
            queues = (PartQueue(predictions, block_bytes or predictions.task_bytes), *queues[1:])
    if not kind.labelled and len(roles["preds"][0].columns) > 1:
        found = roles["preds"][0]
        raise DataError(
            f"{len(found.columns)} columns, and --kind {settings.kind} has one: {listed(found.names)}",
            place=Place(predictions.path),
            advice=("--preds NAME chooses it", "numpy.save('p.npy', array): every number of an array is an example"),
        )
    compare = find_row_names(roles, sources[: len(files)], settings)
    picks = picks_of(roles, sources)
    joins: tuple[Join, ...] = ()
    if settings.id is not None:
        joins = tuple(Join.of(Companion(q, p)) for q, p in zip(queues[1:], picks[1:], strict=True))
    classes, matcher, columns, uncertain_base = (
        match(roles, queues, settings, names, joins, whole=whole, doubt=doubt)
        if kind.labelled
        else ((), None, (), False)
    )
    unused = tuple(unused_columns(source, roles) for source in sources)
    alignment = "id" if settings.id is not None else "position"
    weights = class_weights(settings, classes)
    settings = _resolved(settings, roles["preds"][0], axis)
    return Plan(
        settings,
        sources,
        queues,
        picks,
        classes,
        matcher,
        columns,
        alignment,
        unused,
        compare,
        joins,
        weights,
        tuple(used_columns(roles, "by")),
        tuple(name for names in used_columns(roles, "show") for name in names),
        warnings,
        {
            name_of(predictions, column): f"--{option}"
            for column, option in could_be_classes(roles["preds"][0], doubt, matcher, names, len(columns)).items()
        }
        if matcher is not None
        else {},
        uncertain_base,
        labels is not None,
    )


def _dtype(found: Found) -> np.dtype[Any]:
    """The dtype of columns of floats; float64 for whole numbers, text and long doubles."""
    dtype_of = getattr(found.source, "dtype_of", None)
    every = [dtype_of(column) for column in found.columns] if dtype_of else [getattr(found.source, "dtype", None)]
    floats = [dtype for dtype in every if dtype is not None and dtype.kind == "f"]
    common = np.result_type(*floats) if floats and len(floats) == len(every) else np.dtype("f8")
    return common if common.itemsize <= 8 else np.dtype("f8")


def _resolved(settings: Settings, found: Found, axis: int | None) -> Settings:
    """The settings with what the tool of --compat does.

    Raises
    ------
    DataError
        For floats of 2 bytes where the tool computes in 2 bytes.
    """
    if settings.compat is None:
        return settings
    tool, dtype = COMPAT[settings.compat], _dtype(found)
    is_bfloat16 = getattr(found.source, "is_bfloat16", None)
    if tool.short and (dtype.itemsize == 2 or (is_bfloat16 is not None and is_bfloat16(found.columns[0]))):
        name = tool.title.partition(",")[0]
        saved = f"{os.path.splitext(os.path.basename(found.source.path))[0]}-float32.npy"
        raise DataError(
            f"{name} computes 2-byte floats in 2 bytes; its number is not reproduced",
            place=Place(found.source.path),
            advice=(
                f"without --compat {settings.compat} they are computed exactly",
                f"numpy.save({saved!r}, array.astype('float32')) writes an array that both compute alike",
            ),
        )
    return settings.as_compat(dtype, len(found.columns), axis)


def _has_no_row(source: Source, said: bool | None) -> bool:
    """Whether a source has no line, or one that can only be a header; `said` is what an option says of it."""
    if not source.width:
        return True
    if has_first_line(source):
        header = not all(map(is_number, source.first_fields)) if said is None else said
        source = source.with_header(header)
    return PartQueue(source).is_empty


def _companion_bytes(source: Source, block_bytes: int | None) -> int:
    """How many bytes of labels, groups or ids are read at once: about as many rows as a task has."""
    least, most = COMPANION_BYTES
    usual = min(most, max(least, source.task_bytes))
    return min(block_bytes or usual, usual)


def _check_empty(predictions: Source, labels: Source | None, settings: Settings) -> None:
    sides = [("predictions", predictions), *([("labels", labels)] if labels is not None else [])]
    empty = [source for _, source in sides if not source.width]
    if not empty:
        return
    if all(_has_no_row(source, settings.header_of(side)) for side, source in sides):
        # A single line beside an empty file can only be its header.
        raise NoVerdict("there are no rows", place=Place(predictions.path))
    raise DataError("the file is empty", place=Place(empty[0].path))
