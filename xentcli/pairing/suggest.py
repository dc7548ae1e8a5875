"""Suggest --label and --preds in error messages; nothing is chosen by them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from shlex import quote

from xentcli.columns.numerals import in_points, number
from xentcli.errors import DataError
from xentcli.pairing.alignment import PartQueue
from xentcli.pairing.beside import confidence_advice, naming_command
from xentcli.pairing.by_name import is_label_by_name, is_score_by_name
from xentcli.pairing.columns import (
    Found,
    are_plain,
    as_option,
    columns_of,
    groups_of,
    listed,
    name_of,
    preamble,
    preds_run,
    run_of,
    without_objects,
)
from xentcli.pairing.firsts import LOOK_AT, FirstCells
from xentcli.pairing.layouts import long_of, ranks_advice
from xentcli.pairing.members import member_options
from xentcli.pairing.misfits import IF_SORTED, positive_of, sorted_classes
from xentcli.pairing.tokens import (
    answers_command,
    batches_command,
    choices_command,
    class_command,
    is_gold,
    prompt_command,
)
from xentcli.readers.source import Source
from xentcli.readers.text.faults import Written, cell_advice
from xentcli.records import replace
from xentcli.settings import Settings

__all__ = [
    "are_in_descending_order",
    "classes_beside",
    "classes_of",
    "confidences",
    "conversion",
    "not_the_truth",
    "only_number",
    "ranks",
    "suggestions",
    "summing_option",
    "with_labels",
]

_MOST_OF_RUNS, _MOST_LONG = 1 << 18, 8
"""The most rows and columns that are read to find the rows of an example far from each other."""
MOST = 3
"""The most lines of advice with a label and predictions."""


def suggestions(source: Source, settings: Settings) -> tuple[str, ...]:
    """Return lines of advice: which --label and --preds fit the first rows, several where several do.

    Columns named as the values of a text column are its classes; else the columns whose
    values lie from 0 to 1 and sum to 1 in every row are predictions. A column that is the
    class of the largest prediction in every row is never suggested as the label.
    """
    elsewhere = ("or give a file of labels: xent score PREDS LABELS",) if settings.label is None else ()
    general = ("--label NAME --preds NAME,... say which columns are labels and predictions", *elsewhere)
    if not source.repeatable or not source.width:
        return general
    if line := preamble(source) or without_objects(source):
        return (line,)
    if line := member_options(source, settings):
        return (line, *elsewhere)
    try:
        head = FirstCells.of(Found(source, tuple(range(source.width))), PartQueue(source))
    except DataError as error:
        if error.advice:
            raise
        # A column that nobody asked for cannot be read: that is not what is wrong.
        return general
    if lines := _converted(head, settings):
        return (*lines, *elsewhere)
    given = columns_of(settings.preds, source) if settings.preds is not None else None
    named = [head.names[column] for column in given or ()]
    predicted = head.predicted(named)
    if lines := _targets(head, named, settings) or _pairs(head, named, predicted, settings):
        return (*lines, *elsewhere)
    if predicted:
        return _truth_elsewhere(head, *next(iter(predicted.items())), settings)
    only = (
        _of_tokens(head, settings)
        or confidences(source, settings, head)
        or only_number(head, settings)
        or _only_score(head, settings)
        or _only_lists(head, settings)
        or _unfolding(head, settings)
    )
    found = [only] if only else _each_number(head, settings)
    return (*found, *elsewhere) if found else general


def _converted(head: FirstCells, settings: Settings) -> Sequence[str]:
    """The advice for a file whose columns are no predictions before a conversion; none for other files."""
    if settings.classes is None and (line := naming_command(head, _given_label(settings))):
        return (line,)
    if lines := ranks(head, settings):
        return lines
    line = batches_command(head.source) or prompt_command(head.source) or _choices(head, settings)
    line = line or _long_rows(head, settings)
    return (line,) if line else ()


def _targets(head: FirstCells, named: Sequence[str], settings: Settings) -> Sequence[str]:
    """The options for columns of targets, one-hot or soft, beside as many predictions; none without them."""
    if settings.label is not None:
        return ()
    summing = named or head.summing("")
    hot = head.one_hot(summing)
    if hot and not head.are_predicted(hot, summing):
        needed = head.needed_for(summing, settings).options
        return (f"--label {_columns(hot, head)} --preds {_columns(summing, head)}{needed}",)
    if pair := head.soft() if not named else None:
        return (f"--label {_columns(pair[0], head)} --preds {_columns(pair[1], head)}",)
    return ()


def _pairs(
    head: FirstCells, named: Sequence[str], predicted: Mapping[str, Sequence[str]], settings: Settings
) -> Sequence[str]:
    """The options for each label with its predictions; none without such a pair."""
    shown_by = head.classes_by(predicted)
    hot = head.one_hot(named or head.summing("")) if settings.label is None else []
    for labels, checked in ((head.possible_labels(settings), bool(predicted)), (head.whole_labels(settings), True)):
        found = [
            f"--label {quote(_label_run(label, head))} --preds {_columns(preds, head)}"
            f"{head.needed_for(preds, settings).options}{_classes_option(classes, settings)}"
            f"{'' if classes else _if_sorted(head, label, preds, settings)}"
            for label in labels
            for preds in ([named] if named else head.sets_of(label))
            if label not in predicted
            and label not in hot
            and ((classes := shown_by.get(tuple(preds), ())) or not checked or head.is_readable(label, preds))
            and head.is_readable_as(label, classes)
            and _is_whole(label, preds, head)
        ]
        if found:
            return list(dict.fromkeys(found))[:MOST]
    return ()


def _columns(names: Sequence[str], head: FirstCells) -> str:
    """Columns of the first cells as options take them, quoted."""
    return quote(preds_run(names, head.names, head.source))


def _classes_option(classes: Sequence[str], settings: Settings) -> str:
    """The --classes option, if all names are known and it can list them; else empty."""
    plain = settings.classes is None and classes and all(classes) and are_plain(classes)
    return f" --classes {quote(','.join(classes))}" if plain else ""


def _list_of(called: str, source: Source) -> list[str]:
    """The names of all columns of the list that a column belongs to; empty for a column outside any list."""
    each = ([name_of(source, column) for column in places] for name, places in groups_of(source).items() if name)
    return next((names for names in each if called in names), [])


def _is_whole(label: str, preds: Sequence[str], head: FirstCells) -> bool:
    """Whether a label column is outside any list, or its list has one share per class and sums to 1."""
    names = _list_of(label, head.source)
    return not names or (len(names) == len(preds) and names != list(preds) and head.sum_to_1(names))


def _label_run(label: str, head: FirstCells) -> str:
    """The value of --label for a column: the whole list, if it belongs to one."""
    names = _list_of(label, head.source)
    return preds_run(names, head.names, head.source) if names else label


def _if_sorted(head: FirstCells, label: str, preds: Sequence[str], settings: Settings) -> str:
    """The option that names unnamed predictions by the sorted labels, with its condition; else empty."""
    if settings.classes is not None or label not in head.names or head.is_readable(label, preds):
        return ""
    option = sorted_classes(head.distinct[label], preds)
    return f" {option}: {IF_SORTED}" if option and not head.descends(preds) else ""


def _truth_elsewhere(head: FirstCells, predicted: str, preds: Sequence[str], settings: Settings) -> tuple[str, ...]:
    """Return advice for a file that has the predicted class, and no other column that could be the truth."""
    options = f"--preds {_columns(preds, head)}{head.needed_for(preds, settings).options}"
    options += _classes_option(head.classes_by({predicted: preds}).get(tuple(preds), ()), settings)
    command = f"{with_labels(head.source.path)} --label NAME {options}"
    return not_the_truth(predicted), "no other column can be the label; with a file of labels:", command


def not_the_truth(name: str) -> str:
    """Return the line that says why a column is not offered as the label."""
    return f"{listed([name])} is the predicted class, unless the model is right in every row that was looked at"


def with_labels(path: str) -> str:
    """Return the command that scores a file of predictions with a file of labels."""
    return f"xent score {quote(path)} LABELS"


def summing_option(source: Source, settings: Settings) -> str:
    """Return the options for the columns of a file that sum to 1 or 100 in every row; empty where none do."""
    if settings.preds is not None:
        return ""
    head = FirstCells.of_file(source)
    names = head.summing("")
    # A column with an infinite or missing number among others must be reported, not skipped.
    if not names or not all(map(_is_whole_or_text, head.columns.values())):
        return ""
    needed = head.needed_for(names, settings)
    return f"--preds {as_option(names, source)}{needed.options}: these sum to {100 if needed.percent else 1}"


def _is_whole_or_text(column: Sequence[str]) -> bool:
    """Whether the cells of a column are all finite numbers, or none is a number."""
    values = [number(text) for text in column]
    return all(value is None for value in values) or all(value is not None and math.isfinite(value) for value in values)


def classes_of(found: Found, names: Sequence[str], settings: Settings) -> tuple[str, str]:
    """Return what names the classes of some columns of a file: an option, and else a command; empty where nothing does.

    Either is by a column of the predicted class, or by one that lists the names.
    """
    if not found.source.repeatable or settings.classes is not None:
        return "", ""
    head = FirstCells.of(found, PartQueue(found.source))
    if line := naming_command(head, _given_label(settings)):
        return "", line
    classes = head.classes_by(head.predicted(names)) if {*names} <= {*head.names} else {}
    return _classes_option(classes.get(tuple(names), ()), settings), ""


def classes_beside(preds: Found, label: str, settings: Settings) -> tuple[str, ...]:
    """Return the advice that names the classes of predictions by another column of their file; empty without one.

    `label` is the column of the labels, if it is in that file: where it is the predicted class, that is said.
    """
    every = Found(preds.source, tuple(range(preds.source.width)))
    names = [name_of(preds.source, column) for column in preds.columns]
    option, line = classes_of(every, names, settings)
    if line or not option:
        return (line,) if line else ()
    if label in FirstCells.of(every, PartQueue(preds.source)).predicted(names):
        return tuple(dict.fromkeys((not_the_truth(label), *suggestions(preds.source, replace(settings, label=None)))))
    return (f"{option.strip()} names the columns as the predicted class shows them",)


def are_in_descending_order(preds: Found) -> bool:
    """Return whether three or more columns of predictions decrease from left to right in every row."""
    if not (preds.source.repeatable and preds.source.tabular):
        return False
    head = FirstCells.of(preds, PartQueue(preds.source))
    return head.descends(head.names)


def conversion(source: Source, settings: Settings, other: Source) -> str:
    """Return the command that converts a file to columns of predictions, with labels in another file; else empty."""
    if settings.preds is not None or not (source.repeatable and other.repeatable and source.tabular and other.tabular):
        return ""
    head, other_head = FirstCells.of_file(source), FirstCells.of_file(other)
    return (
        answers_command(source, other_head.distinct)
        or choices_command(source, None)
        or next(iter(ranks(head, settings)), "")
        or _long_rows(head, settings, other)
        or confidence_advice(head, _given_label(settings), other_head)
    )


def confidences(source: Source, settings: Settings, head: FirstCells | None = None) -> str:
    """Return the advice for a file that has the confidence of the predicted class beside it; empty for other files.

    `head` has its first cells, if they were read.
    """
    if not isinstance(settings.label, str | None) or settings.kind != "probs" or settings.preds is not None:
        return ""
    head = head or FirstCells.of_file(source)
    return confidence_advice(head, settings.label, head)


def only_number(head: FirstCells, settings: Settings) -> str:
    """Return the options for the only column of numbers beside the only label of two values; empty without such a pair.

    The label may be given.
    """
    given = settings.label
    if settings.preds is not None or not isinstance(given, str | None):
        return ""
    numeric = [name for name, column in head.columns.items() if head.read(column) is not None]
    # Beside a column of probabilities an age is none, nor is a class of 0 and 1.
    graded = head.graded
    numeric = graded if len(graded) == 1 else numeric
    pairs = [(label, name) for label in _of_two(head, given) for name in numeric if name != label]
    # What a threshold of any column tells apart is the predicted class.
    cut = {pair[0] for pair in pairs if head.is_cut(*pair)} if given is None else set()
    pairs = [pair for pair in pairs if pair[0] not in cut]
    if len(pairs) != 1:
        return ""
    ((label, name),) = pairs
    scale = head.scale_of(name, settings)
    texts = number(in_points(min(head.distinct[label]), head.decimal)) is None
    if (texts or given is None) and name not in head.shares and not (scale and head.is_percent(name)):
        # An age, say.
        return ""
    called, preds = (quote(run_of([one], head.names)) for one in (label, name))
    chosen = f"--preds {preds}" if given is not None else f"--label {called} --preds {preds}"
    return f"{chosen}{_positive(head, label, name, settings)}{scale}"


def _of_two(head: FirstCells, given: str | None) -> list[str]:
    """The columns of two values, only the `given` one if there is one."""
    return [name for name in head.names if head.is_of_two(name) and given in (None, name)]


def _positive(head: FirstCells, label: str, name: str, settings: Settings) -> str:
    """The option for the class that a column is the probability of, if a label of two values has texts."""
    texts = sorted(head.distinct[label])
    named = number(in_points(texts[0], head.decimal)) is None and settings.positive is None
    return f" --positive {quote(positive_of(texts, name))}" if named else ""


def _each_number(head: FirstCells, settings: Settings) -> list[str]:
    """The options for each of few columns of probabilities, as of several models, beside the only label of 0 and 1."""
    if settings.preds is not None or settings.label is not None or settings.kind != "probs":
        return []
    graded = head.graded
    labels = [name for name in _of_two(head, None) if name in head.hard]
    if len(labels) != 1 or not 1 < len(graded) <= MOST or any(head.is_cut(labels[0], name) for name in graded):
        return []
    label, *each = (quote(run_of([name], head.names)) for name in (labels[0], *graded))
    return [f"--label {label} --preds {name}" for name in each]


def _only_score(head: FirstCells, settings: Settings) -> str:
    """The options for the only score, by its name, beside the only label of two values; empty where none is below 0."""
    given = settings.label
    if settings.preds is not None or not isinstance(given, str | None) or settings.kind != "probs":
        return ""
    scores = [name for name in head.numeric if is_score_by_name(name) and head.numeric[name].min() < 0]
    labels = [name for name in _of_two(head, given) if name not in scores]
    if len(scores) != 1 or len(labels) != 1 or not (given or is_label_by_name(labels[0])):
        return ""
    label = "" if given else f"--label {quote(labels[0])} "
    return f"{label}--preds {quote(scores[0])} --kind logits{_positive(head, labels[0], scores[0], settings)}"


def _of_tokens(head: FirstCells, settings: Settings) -> str:
    """The command that makes class probabilities of tokens with log-probabilities; empty where there is none."""
    if settings.preds is not None:
        return ""
    labels = [label for label in head.possible_labels(settings) if label in head.names]
    each = (class_command(head.source, label, head.distinct[label]) for label in labels)
    return next(filter(None, each), "")


def _choices(head: FirstCells, settings: Settings) -> str:
    """The command for lists of a log-likelihood and a flag for each choice; empty where there are none."""
    gold = [name for name, values in head.distinct.items() if is_gold(name, values)]
    return choices_command(head.source, _given_label(settings) or next(iter(gold), "NAME"))


def _long_rows(head: FirstCells, settings: Settings, other: Source | None = None) -> str:
    """The command for a text with a row for each class; empty where it is none. `other` has the labels."""
    if settings.preds is not None or not head.rows:
        return ""
    found = long_of(head, whole=head.rows < LOOK_AT)
    if found is None and head.rows == LOOK_AT and _are_in_runs(head):
        # Sorted by class: each example has a row in each run.
        every = FirstCells.of_file(head.source, _MOST_OF_RUNS)
        found = long_of(every, whole=every.rows < _MOST_OF_RUNS)
    return "" if found is None else found.command(other)


def _are_in_runs(head: FirstCells) -> bool:
    """Whether few columns are a text that stays or changes once, ids that differ, and a column from 0 to 1."""
    if len(head.names) > _MOST_LONG or not head.shares:
        return False
    stay = [name for name, values in head.distinct.items() if len(values) <= 2]
    return bool(stay) and any(head.differ(name) for name in head.names if name not in head.shares)


def ranks(head: FirstCells, settings: Settings) -> tuple[str, ...]:
    """Return the advice for classes by rank beside their probabilities; none for other files."""
    return () if settings.preds is not None else ranks_advice(head, _given_label(settings))


def _given_label(settings: Settings) -> str | None:
    """The column of the labels, if an option names a single one."""
    return settings.label if isinstance(settings.label, str) else None


def _unfolding(head: FirstCells, settings: Settings) -> str:
    """The command that unfolds nested cells of delimited text into columns; empty without such cells."""
    dialect = getattr(head.source, "dialect", None)
    if dialect is None or not head.source.header:
        return ""
    cells = {name: column[0] for name, column in head.columns.items() if column and column[0].lstrip()[:1] != "'"}
    written = Written(head.source.path, dialect.delimiter)
    lines = {name: line for name, cell in cells.items() if (line := cell_advice(cell, written))}
    if not lines or settings.label is not None:
        return next(iter(lines.values()), "")
    labels = [name for name in head.possible_labels(settings) if name not in lines]
    return f"{next(iter(lines.values()))}, then --label {quote(labels[0]) if len(labels) == 1 else 'NAME'}"


def _only_lists(head: FirstCells, settings: Settings) -> str:
    """The options for the only column of lists of numbers beside the only label that counts its classes; else empty."""
    source, groups = head.source, list(groups_of(head.source).items())
    if settings.preds is not None or len(groups) != 1 or not isinstance(settings.label, str | None):
        return ""
    (name, places), names = groups[0], [name_of(source, column) for column in groups[0][1]]
    labels = [*head.whole_labels(settings), *head.possible_labels(settings)]
    called = {label: _if_sorted(head, label, names, settings) for label in dict.fromkeys(labels)}
    known = [label for label in called if label in head.names]
    predicted = head.predicted(names)
    fit = [label for label in known if called[label] or head.is_readable(label, names)]
    # An index of rows, or a code of another kind, may be as small as the classes are many.
    labels = [label for label in fit if label not in predicted]
    labels = alike if len(labels) > 1 and len(alike := list(filter(is_label_by_name, labels))) == 1 else labels
    values = [head.read(head.columns[one]) for one in names if one in head.columns]
    if len(labels) != 1 or len(values) < max(2, len(places)) or any(value is None for value in values):
        return ""
    scores = any(((value < 0) | (value > 1)).any() for value in values if value is not None)
    positive = any((value > 0).any() for value in values if value is not None)
    kind = " --kind logits" if settings.kind == "probs" and scores and positive else ""
    label = f"--label {quote(run_of(labels, head.names))} " if settings.label is None else ""
    return f"{label}--preds {quote(name)}{kind}{called[labels[0]]}"
