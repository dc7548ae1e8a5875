"""The error that asks which column has the labels, with the option that fits the first rows."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Sequence

import numpy as np

from xentcli.columns.missing import is_missing
from xentcli.errors import DataError, Place
from xentcli.pairing import near
from xentcli.pairing.affixes import readings
from xentcli.pairing.by_name import is_label_by_name, is_predicted_by_name
from xentcli.pairing.columns import Found, as_option, listed, name_of, without_blanks
from xentcli.pairing.firsts import MOST_BY_CHANCE, FirstCells, needed_for
from xentcli.pairing.inputs import Inputs
from xentcli.pairing.labels import read_whole
from xentcli.pairing.misfits import respelled
from xentcli.pairing.predicted import predicted_class
from xentcli.pairing.row_ids import MatchingIds, matching_ids, tells_rows_apart
from xentcli.pairing.stray import first_text
from xentcli.pairing.suggest import not_the_truth, with_labels

__all__ = ["predicted_labels", "which_label"]

_MANY = 30
"""Rows in which a column called as a label must be the predicted class to be taken for it."""


def which_label(read: Inputs, found: Found, *, swapped: bool) -> DataError:
    """Return the error that lists the candidates for the labels, without columns of the predicted class.

    `swapped` says whether the two files could be swapped by their numbers of columns.
    """
    sources = read.pair
    preds = read.preds if "preds" in read.roles else Found(sources[0], tuple(read.free(sources[0])))
    ids = matching_ids(read)
    predicted = predicted_labels(read, found, preds, ids.columns)
    head = FirstCells.of_table(found, read.queue_of(found))
    names = _candidates(read, found, preds, predicted, ids)
    fits = _fits(head, found, preds, names, ids)
    alike = [name for name in fits if is_label_by_name(name)]
    by_name = len(fits) > 1 == len(alike) and not ids.copy
    fits = alike if by_name else fits
    chooses = "--label NAME chooses the column of the labels"
    if ids.name and names:
        label = as_option(names, found.source) if len(names) == 1 else "NAME"
        chooses = f"{ids.copy}--label {label}{ids.options}: the column of the labels, and the ids that both files have"
    if len(fits) == 1:
        chooses = _only_fit(read, head, found, preds, fits[0], ids, by_name=by_name)
    elif not fits and len(classes := [name for name in _of_classes(head, preds) if name in names]) > 1:
        chooses = _each_class(read, head, found, preds, classes, ids, alone=len(classes) == len(names))
    elif not fits and len(nearly := _nearly(read, head, found, preds, names, ids)) == 1:
        names = [name for name in found.names if name in (*names, *nearly)]
        chooses = _nearly_as(head, found, preds, nearly[0])
    if not names:
        chooses = f"the truth is not in this file; with a file of labels: {with_labels(sources[0].path)}"
    swapped = swapped and not fits and first_text(found, read.queue_of(found)) is None
    swapped = swapped and bool(_fitting(FirstCells.of_table(preds, read.queues[0]), found, by_position=True))
    return DataError(
        f"{len(names)} column{'s' * (len(names) > 1)} could be the labels: {listed(names)}"
        if names
        else "no column is left for the labels",
        place=Place(found.source.path),
        advice=(
            *([f"are the files swapped? xent score {found.source.path} {sources[0].path}"] if swapped else []),
            *map(not_the_truth, predicted[:2]),
            *(_named_as_predicted(name, sources[0].path) for name in fits[:1] if len(fits) == 1),
            chooses,
        ),
    )


def _candidates(read: Inputs, found: Found, preds: Found, predicted: Sequence[str], ids: MatchingIds) -> list[str]:
    """The columns that are neither the predicted class nor ids; none if all others are ids or predictions beside it."""
    names = [name for name in found.names if name not in predicted and name != ids.name]
    if not predicted:
        return names
    own = {*names} & {*preds.names} if len(names) > 1 else set[str]()
    called, queue = dict(zip(found.names, found.columns, strict=True)), read.queue_of(found)
    left = [name for name in names if name not in own and not tells_rows_apart(called[name], queue)]
    return names if left else []


def _fits(head: FirstCells, found: Found, preds: Found, names: Sequence[str], ids: MatchingIds) -> list[str]:
    """The candidates whose values are classes of the predictions, or of those that are not in both files."""
    # What both files have is an id rather than a class.
    without = (found.names, (ids.name,))
    apart = [tuple(c for c in preds.columns if name_of(preds.source, c) not in shared) for shared in without]
    each = (preds, *(Found(preds.source, some) for some in apart if 0 < len(some) < len(preds.columns)))
    return next(filter(None, ([name for name in _fitting(head, one) if name in names] for one in each)), [])


def _fitting(head: FirstCells, preds: Found, *, by_position: bool = False) -> list[str]:
    """The columns whose first values, several and some perhaps missing, can all be classes.

    Where predictions have names the classes must be meant by name, unless `by_position`; those of one column are 0, 1.
    """
    names = preds.names if len(preds.columns) > 1 else ("0", "1")
    values = [{text for text in column if not is_missing(text)} for column in head.columns.values()]

    def fits(some: set[str]) -> bool:
        found = list(readings(names, some, head.decimal) if len(some) > 1 else ())
        if by_position or not preds.named:
            return bool(found)
        return any(all(read_whole(text, head.decimal) in names[c] for text, c in one.items()) for one in found)

    return list(itertools.compress(head.names, map(fits, values)))


def _only_fit(
    read: Inputs, head: FirstCells, found: Found, preds: Found, name: str, ids: MatchingIds, *, by_name: bool
) -> str:
    """The option for the only column that has classes as its values, and the others that are needed."""
    needed = needed_for(preds, read.queues[0], read.settings).options
    option = f"{ids.copy}--label {as_option([name], found.source)}{needed}{ids.options}"
    if not read.settings.ignored and any(map(is_missing, head.columns[name])):
        return f"{option} --ignore-label missing: its values are the classes of the predictions, or missing"
    why = ", by its name" if by_name else " has the classes of the predictions as its values"
    return option if ids.copy else f"{option}{why}"


def _of_classes(head: FirstCells, preds: Found) -> list[str]:
    """The names, in order, of predictions that a label column of shares or counts has too."""
    each = preds.names if preds.named else ()
    return [name for name in each if name in head.shares or name in head.counts]


def _each_class(
    read: Inputs, head: FirstCells, found: Found, preds: Found, names: Sequence[str], ids: MatchingIds, *, alone: bool
) -> str:
    """The option for a column of each class: shares, counts of votes, or a yes or no; `alone` if no other is left."""
    settings = read.settings
    table = np.array([head.counts[name] for name in names if name in head.counts])
    counted = not settings.votes and len(table) == len(names) and bool((table.sum(axis=0) > 1).any())
    several = counted and _are_of_several(head, FirstCells.of_table(preds, read.queues[0]), names)
    votes = " --multilabel" if several and not settings.multilabel else " --votes" if counted else ""
    if votes:
        why = "a yes or no for each class" if several else "counts of each class"
        return f"--label {as_option(names, found.source)}{votes}{ids.options}: {why}"
    if ids.name and alone:
        return f"{ids.options.strip()}, if it matches the rows: the others are the classes"
    return f"--label {as_option(names, found.source)}{ids.options} has a column for each class"


def _are_of_several(head: FirstCells, preds: FirstCells, names: Sequence[str]) -> bool:
    """Whether label columns are 0 and 1 with several in a row, where no predictions sum to 1."""
    return {*names} <= head.hard and not preds.summing("") and all(name in preds.shares for name in names)


def _nearly(
    read: Inputs, head: FirstCells, found: Found, preds: Found, names: Sequence[str], ids: MatchingIds
) -> list[str]:
    """The candidates whose values nearly are the classes, else the predicted class if spelled differently.

    Most tools spell predicted classes like their columns; a different spelling may be the truth, with a good model.
    """
    classes = {*map(near.loose, preds.names)} if preds.named and len(preds.columns) > 1 else set[str]()
    each = head.columns.items() if classes else ()
    every = [name for name, column in each if {near.loose(text) for text in column if not is_missing(text)} <= classes]
    if nearly := [name for name in every if name in names]:
        return nearly
    exactly = predicted_labels(read, found, preds, ids.columns, exactly=True)
    return [name for name in every if name not in exactly]


def _nearly_as(head: FirstCells, found: Found, preds: Found, name: str) -> str:
    """The advice for a column whose values are nearly the predictions' names: --classes, or a clean copy."""
    values = [text for text in dict.fromkeys(head.columns[name]) if not is_missing(text)]
    label, source = f"--label {as_option([name], found.source)}", found.source
    classes = respelled(values, preds.names)
    steps = [] if classes else near.differences(values, preds.names)
    if [step.name for step in steps] == ["blanks around it"] and (line := without_blanks(source)):
        return f"{line}, then --label {shlex.quote(name.strip())}"
    copy = near.clean_copy(source, found.columns[head.names.index(name)], steps) if steps else ""
    if copy:
        return f"{copy}, then {label}"
    return f"{label}{classes} has nearly the classes of the predictions as its values"


def _named_as_predicted(name: str, path: str) -> str:
    """The line for a possible label that is called like a predicted class; empty for other names.

    >>> _named_as_predicted("pred", "p.csv")
    'if pred is the predicted class, as its name says: xent score p.csv LABELS'
    """
    called = is_predicted_by_name(name)
    return f"if {listed([name])} is the predicted class, as its name says: {with_labels(path)}" if called else ""


def predicted_labels(
    read: Inputs, label: Found, preds: Found, ids: tuple[int, int] | None = None, *, exactly: bool = False
) -> list[str]:
    """Return the names of the label columns that are the predicted class in all of the first rows.

    Empty with --id, as ids are not matched yet. With `exactly` no case, blank or the like may differ from the name of
    a class. Rows are compared by `ids`, the columns of the predictions and the labels that name them, and by position
    without.
    """
    if read.settings.id is not None or not label.columns or len(preds.columns) < 2:
        return []
    labels, predictions = (FirstCells.of_table(one, read.queue_of(one)) for one in (label, preds))
    if len(predictions.names) < len(preds.names):
        return []
    pairs = [(row, row) for row in range(min(predictions.rows, labels.rows))]
    if ids is not None:
        sides = zip((preds, label), ids, strict=True)
        named = [FirstCells.of(Found(one.source, (c,)), read.queue_of(one)).first for one, c in sides]
        others = {text: row for row, text in enumerate(named[1])}
        pairs = [(row, others[text]) for row, text in enumerate(named[0]) if text in others]
        if len(pairs) < min(MOST_BY_CHANCE, *map(len, named)):
            return []
    # An id or a text beside them is no prediction.
    numeric = [name for name in predictions.names if name in predictions.numeric]
    sets = [[*predictions.names], numeric, predictions.summing("")]
    called = dict(zip(predictions.names, preds.names, strict=True))

    def is_predicted(name: str, some: list[str]) -> bool:
        # Of few rows a good model is right in all.
        if (some is not sets[0] or ids is not None) and len(pairs) < _rows_to_tell(name):
            return False
        texts = [labels.columns[name][row] for _, row in pairs]
        numbers = [[predictions.columns[one][row] for row, _ in pairs] for one in some]
        return predicted_class(texts, [called[one] for one in some], numbers, predictions.decimal, exactly=exactly)

    return [name for name in labels.names if any(is_predicted(name, some) for some in sets)]


def _rows_to_tell(name: str) -> int:
    """In how many rows a column with an id beside it must be the predicted class, by its name, to be taken for it."""
    return 1 if is_predicted_by_name(name) else _MANY if is_label_by_name(name) else MOST_BY_CHANCE
