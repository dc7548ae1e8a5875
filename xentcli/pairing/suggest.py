"""Suggest --label and --preds in error messages; nothing is chosen by them."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from xentcli.arrays import Floats
from xentcli.columns.column import texts_of
from xentcli.columns.missing import is_missing
from xentcli.columns.numerals import hundredths, in_points, number, whole
from xentcli.errors import DataError
from xentcli.pairing import near
from xentcli.pairing.affixes import readings
from xentcli.pairing.alignment import PartQueue
from xentcli.pairing.columns import Found, columns_of, listed, name_of, preamble, spec_of, without_blanks
from xentcli.pairing.long import long_of
from xentcli.pairing.misfits import respelled
from xentcli.pairing.naming import naming_of
from xentcli.pairing.predicted import are_places, classes_shown, loose_readings, numbers_of_texts, predicted_class
from xentcli.pairing.tokens import answers_command, choices_command, class_command, is_gold
from xentcli.readers.source import Pick, Source
from xentcli.readers.text.faults import Written, cell_advice
from xentcli.records import cached_property, record, replace
from xentcli.settings import Settings

__all__ = [
    "as_option",
    "classes_beside",
    "classes_of",
    "conversion",
    "fitting",
    "has_missing",
    "nearly_as",
    "nearly_fitting",
    "needed_for",
    "not_the_truth",
    "one_hot",
    "predicted_among",
    "suggestions",
]

LOOK_AT = 1000
_STEM = re.compile(r"((?<=\D)\d+|(?<!\w)[^\W_\d]+|(?<=_)[^\W_]+)[)\]]?$")
"""The end of a name that may be a class: what is before it a set of columns has in common."""
_NO_LABEL = re.compile(r"fold|split|batch|repeat|seed|epoch|group|cluster|rank|index|row|\bid\b|_id\b", re.I)
"""Names of columns that count something else than classes."""
MOST = 3
MOST_WHOLE = 20
"""The most columns of whole numbers that are compared with the predictions, and of which one may be none."""


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
    if line := preamble(source):
        return (line,)
    try:
        head = _Head.of(Found(source, tuple(range(source.width))), PartQueue(source))
    except DataError as error:
        if error.advice:
            raise
        # A column that nobody asked for cannot be read: that is not what is wrong.
        return general
    given = columns_of(settings.preds, source) if settings.preds is not None else None
    if settings.classes is None and (line := head.naming(source, settings)):
        return (line, *elsewhere)
    if line := head.choices(source, settings) or head.long_rows(source, settings):
        return (line, *elsewhere)
    named = [head.names[column] for column in given or ()]
    predicted = head.predicted(named)
    shown_by = head.classes_by(predicted)
    for labels, checked in ((head.possible_labels(settings), bool(predicted)), (head.whole_labels(settings), True)):
        found = [
            f"--label {_word(label)} --preds {_word(_preds_run(preds, head.names, source))}"
            f"{head.needed_for(preds, settings)}{_classes_option(classes, settings)}"
            for label in labels
            if (preds := named or head.predictions_of(label))
            and label not in predicted
            and ((classes := shown_by.get(tuple(preds), ())) or not checked or head.is_readable(label, preds))
            and head.is_readable_as(label, classes)
        ]
        if found:
            return (*found[:MOST], *elsewhere)
    if predicted:
        return _truth_elsewhere(source, head, *next(iter(predicted.items())), settings)
    only = (
        head.of_tokens(source, settings)
        or head.only_number(settings)
        or head.only_lists(source, settings)
        or head.unfolding(source)
        or None
    )
    return general if only is None else (only, *elsewhere)


def _classes_option(classes: Sequence[str], settings: Settings) -> str:
    """The option that names the classes, where all are known and can be written so."""
    plain = (
        settings.classes is None
        and classes
        and all(name and name == name.strip() and "," not in name for name in classes)
    )
    return f" --classes {_word(','.join(classes))}" if plain else ""


def _truth_elsewhere(
    source: Source, head: _Head, predicted: str, preds: Sequence[str], settings: Settings
) -> tuple[str, ...]:
    """Return advice for a file that has the predicted class, and no other column that could be the truth."""
    options = f"--preds {_word(_preds_run(preds, head.names, source))}{head.needed_for(preds, settings)}"
    options += _classes_option(head.classes_by({predicted: preds}).get(tuple(preds), ()), settings)
    command = f"xent score {_word(source.path)} LABELS {options}"
    return not_the_truth(predicted), "no other column can be the label; with a file of labels:", command


def not_the_truth(name: str) -> str:
    """Return the line that says why a column is not offered as the label."""
    return f"{listed([name])} is the predicted class, unless the model is right in every row that was looked at"


def predicted_among(
    label: Found, preds: Found, labels_queue: PartQueue, preds_queue: PartQueue, *, exactly: bool = False
) -> list[str]:
    """Return the names of the label columns that are the predicted class in all of the first rows.

    With `exactly` no case, blank or the like may differ from the name of a class. Both are compared
    by position, so that rows that are matched by id must not come here.
    """
    if not (label.source.tabular and preds.source.tabular):
        return []
    labels, predictions = _Head.of(label, labels_queue), _Head.of(preds, preds_queue)
    rows = min(len(column) for column in (*labels.columns, *predictions.columns))
    numbers = [column[:rows] for column in predictions.columns]
    each, decimal = zip(labels.names, labels.columns, strict=True), predictions.decimal
    return [
        name for name, values in each if predicted_class(values[:rows], preds.names, numbers, decimal, exactly=exactly)
    ]


def fitting(label: Found, preds: Found, queue: PartQueue, *, by_position: bool = False) -> list[str]:
    """Return the label columns whose first values, several and some perhaps missing, can all be classes.

    Where predictions have names the classes must be meant by name, unless `by_position`; those of one column are 0, 1.
    """
    if not label.source.tabular:
        return []
    head = _Head.of(label, queue)
    names = preds.names if len(preds.columns) > 1 else ("0", "1")
    values = [{text for text in column if not is_missing(text)} for column in head.columns]

    def fits(some: set[str]) -> bool:
        each = readings(names, some, head.decimal) if len(some) > 1 else ()
        return any(
            by_position or not preds.named or all(text in names[c] for text, c in found.items()) for found in each
        )

    return list(itertools.compress(head.names, map(fits, values)))


def nearly_fitting(label: Found, preds: Found, queue: PartQueue) -> list[str]:
    """Return the label columns whose first values are names of the predictions but for blanks, case and the like."""
    if not (label.source.tabular and preds.named and len(preds.columns) > 1):
        return []
    head, names = _Head.of(label, queue), {near.loose(name) for name in preds.names}
    each = zip(head.names, head.columns, strict=True)
    return [name for name, column in each if {near.loose(text) for text in column if not is_missing(text)} <= names]


def needed_for(preds: Found, queue: PartQueue, settings: Settings) -> str:
    """Return the options without which columns, or those of them that sum to 1 or 100, are no predictions."""
    if not preds.source.tabular:
        return ""
    head = _Head.of(preds, queue)
    return head.needed_for(head.summing("") or head.names, settings)


def nearly_as(found: Found, preds: Found, name: str, queue: PartQueue) -> str:
    """Return the advice for a column whose values nearly are the names of the predictions: --classes, or a copy."""
    head = _Head.of(found, queue)
    place = head.names.index(name)
    values = [text for text in dict.fromkeys(head.columns[place]) if not is_missing(text)]
    label, source = f"--label {as_option([name], found.source)}", found.source
    classes = respelled(values, preds.names)
    steps = [] if classes else near.differences(values, preds.names)
    if [step.name for step in steps] == ["blanks around it"] and (line := without_blanks(source)):
        return f"{line}, then --label {_word(name.strip())}"
    copy = near.clean_copy(source, found.columns[place], steps) if steps else ""
    if copy:
        return f"{copy}, then {label}"
    return f"{label}{classes} has nearly the classes of the predictions as its values"


def classes_of(found: Found, names: Sequence[str], settings: Settings) -> tuple[str, str]:
    """Return what names the classes of some columns of a file: an option, and else a command; empty where nothing does.

    Either is by a column of the predicted class, or by one that lists the names.
    """
    if not found.source.repeatable or settings.classes is not None:
        return "", ""
    head = _Head.of(found, PartQueue(found.source))
    if line := head.naming(found.source, settings):
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
    if label in _Head.of(every, PartQueue(preds.source)).predicted(names):
        return tuple(dict.fromkeys((not_the_truth(label), *suggestions(preds.source, replace(settings, label=None)))))
    return (f"{option.strip()} names the columns as the predicted class shows them",)


def conversion(source: Source, settings: Settings, other: Source) -> str:
    """Return the command that makes columns of predictions, labels being in another file; empty where none has to."""
    if settings.preds is not None or not (source.repeatable and other.repeatable and source.tabular and other.tabular):
        return ""
    head, other_head = (_Head.of(Found(one, tuple(range(one.width))), PartQueue(one)) for one in (source, other))
    labels = dict(zip(other_head.names, other_head._distinct, strict=True))
    return answers_command(source, labels) or choices_command(source, None) or head.long_rows(source, settings, other)


def one_hot(label: Found, preds: Found, queue: PartQueue) -> list[str]:
    """Return the label columns from 0 to 1 that are called as predictions are, in their order."""
    if not (label.source.tabular and preds.named):
        return []
    shares = _Head.of(label, queue)._shares
    return [name for name in preds.names if name in shares]


def has_missing(found: Found, name: str, queue: PartQueue) -> bool:
    """Whether a column has missing values among its first."""
    head = _Head.of(found, queue)
    return any(map(is_missing, head.columns[head.names.index(name)]))


@record(frozen=True, eq=False)
class _Head:
    """The first LOOK_AT cells of some columns of a file, as texts."""

    names: tuple[str, ...]
    columns: list[list[str]]
    decimal: str

    @classmethod
    def of(cls, found: Found, queue: PartQueue) -> _Head:
        """Read them, but for lists of any length; the rows looked at stay in the queue."""
        places = [column for column in found.columns if column not in found.source.traits.lists]
        columns: list[list[str]] = [[] for _ in places]
        for rows in queue.look({str(c): Pick((c,), "text") for c in places}, LOOK_AT):
            for texts, column in zip(columns, places, strict=True):
                texts.extend(texts_of(rows.values[str(column)]))
        names = tuple(name_of(found.source, column) for column in places)
        return cls(names, columns, found.source.traits.decimal)

    @cached_property
    def _distinct(self) -> list[set[str]]:
        return [set(column) for column in self.columns]

    @cached_property
    def _numeric(self) -> dict[str, Floats]:
        """The columns of numbers, of decimal commas too."""
        found = {n: self._read(column, commas=True) for n, column in zip(self.names, self.columns, strict=True)}
        return {name: values for name, values in found.items() if values is not None}

    @cached_property
    def _shares(self) -> dict[str, Floats]:
        """The columns whose values all lie from 0 to 1."""
        return {n: v for n, v in self._numeric.items() if bool(((v >= 0) & (v <= 1)).all())}

    def possible_labels(self, settings: Settings) -> list[str]:
        """The column given as the label; else those whose values are names of columns, or look like labels."""
        if isinstance(settings.label, str):
            return [settings.label]
        each = list(zip(self.names, self._distinct, strict=True))
        named = [name for name, values in each if values <= set(self.names)]
        rows = len(self.columns[0])
        return named or [name for name, values in each if _looks_like_labels(values, rows, self.decimal)]

    def whole_labels(self, settings: Settings) -> list[str]:
        """The columns of whole numbers that may count classes: several, each of about two rows at least."""
        if settings.label is not None:
            return []
        each = zip(self.names, self._distinct, strict=True)
        most = len(self.columns[0]) // 2
        return [
            name
            for name, values in each
            if not _NO_LABEL.search(name)
            and 1 < len(values) <= most
            and all(whole(in_points(text, self.decimal)) is not None for text in values)
        ]

    def predicted(self, named: Sequence[str]) -> dict[str, Sequence[str]]:
        """Return the columns that are the predicted class, each with its predictions: `named`, else those that fit."""
        columns = dict(zip(self.names, self.columns, strict=True))
        found: dict[str, Sequence[str]] = {}
        for label in self._possibly_predicted():
            preds = named or self.predictions_of(label)
            decimal = "," if self._with_commas(preds) else self.decimal
            if preds and predicted_class(columns[label], preds, [columns[name] for name in preds], decimal):
                found[label] = preds
        return found

    def _possibly_predicted(self) -> Iterator[str]:
        """Yield the columns of text, and the first ones of whole numbers."""
        count = 0
        for name, values in zip(self.names, self._distinct, strict=True):
            numerals = [in_points(value, self.decimal) for value in values]
            wholes = all(whole(numeral) is not None for numeral in numerals)
            count += wholes
            if (wholes and count <= MOST_WHOLE) or all(number(numeral) is None for numeral in numerals):
                yield name

    def classes_by(self, predicted: Mapping[str, Sequence[str]]) -> dict[tuple[str, ...], tuple[str, ...]]:
        """Return the classes of predictions that predicted classes show, where the names of the columns do not."""
        found: dict[tuple[str, ...], tuple[str, ...]] = {}
        for label, preds in predicted.items():
            place = self.names.index(label)
            tables = [self._numeric[name] for name in preds]
            if not are_places(preds) or self.is_readable(label, preds):
                continue
            if classes := classes_shown(self.columns[place], np.array(tables)):
                found.setdefault(tuple(preds), classes)
        return found

    def naming(self, source: Source, settings: Settings) -> str:
        """The command for a list of numbers whose names are in the cells of another column; empty without such."""
        columns = dict(zip(self.names, self.columns, strict=True))
        found = naming_of(source, columns)
        if found is None:
            return ""
        return found.command(settings.label if isinstance(settings.label, str) else found.label(columns))

    def is_readable_as(self, label: str, classes: Sequence[str]) -> bool:
        """Whether the values of a column are classes, as far as these are known."""
        values = self._distinct[self.names.index(label)] if label in self.names and classes else set()
        return "" in classes or values <= {*classes}

    def is_readable(self, label: str, preds: Sequence[str]) -> bool:
        """Whether the values of a column can be the classes of the predictions."""
        values = self._distinct[self.names.index(label)] if label in self.names else set()
        found = itertools.chain(readings(preds, values, self.decimal), loose_readings(preds, values))
        return any(True for _ in found)

    def only_number(self, settings: Settings) -> str | None:
        """The options for the only column of numbers beside the only label of two values; None without such a pair.

        The label may be given.
        """
        given = settings.label
        if settings.preds is not None or not isinstance(given, str | None):
            return None
        columns = dict(zip(self.names, self.columns, strict=True))
        numeric = [name for name, column in columns.items() if self._read(column) is not None]
        labels = [name for name in self.names if self._is_of_two(name) and given in (None, name)]
        pairs = [(label, name) for label in labels for name in numeric if name != label]
        # What a threshold of any column tells apart is the predicted class.
        cut = {pair[0] for pair in pairs if self._is_cut(*pair)} if given is None else set()
        pairs = [pair for pair in pairs if pair[0] not in cut]
        if len(pairs) != 1:
            return None
        label, name = (_word(_run([name], self.names)) for name in pairs[0])
        values = sorted({*columns[pairs[0][0]]})
        texts = number(in_points(values[0], self.decimal)) is None
        positive = f" --positive {_word(values[-1])}" if texts and settings.positive is None else ""
        chosen = f"--preds {name}" if given is not None else f"--label {label} --preds {name}"
        scale = self.scale_of(pairs[0][1], settings)
        if (
            (texts or given is None)
            and pairs[0][1] not in self._shares
            and not (scale and self._is_percent(pairs[0][1]))
        ):
            # An age, say.
            return None
        return f"{chosen}{positive}{scale}"

    def of_tokens(self, source: Source, settings: Settings) -> str:
        """The command that makes class probabilities of tokens with log-probabilities; empty where there is none."""
        if settings.preds is not None:
            return ""
        labels = [label for label in self.possible_labels(settings) if label in self.names]
        each = (class_command(source, label, self._distinct[self.names.index(label)]) for label in labels)
        return next(filter(None, each), "")

    def choices(self, source: Source, settings: Settings) -> str:
        """The command for lists of a log-likelihood and a flag for each choice; empty where there are none."""
        gold = [name for name, values in zip(self.names, self._distinct, strict=True) if is_gold(name, values)]
        label = settings.label if isinstance(settings.label, str) else next(iter(gold), "NAME")
        return choices_command(source, label)

    def long_rows(self, source: Source, settings: Settings, other: Source | None = None) -> str:
        """The command for a text with a row for each class; empty where it is none. `other` has the labels."""
        columns = dict(zip(self.names, self.columns, strict=True))
        if settings.preds is not None or not columns:
            return ""
        found = long_of(source, columns, self._shares, whole=len(self.columns[0]) < LOOK_AT)
        return "" if found is None else found.command(other)

    def unfolding(self, source: Source) -> str:
        """The command that makes columns of JSON in the cells of delimited text; empty where there is none."""
        dialect = getattr(source, "dialect", None)
        if dialect is None or not source.header:
            return ""
        cells = (column[0] for column in self.columns if column and column[0].lstrip()[:1] in ("[", "{"))
        return next(filter(None, (cell_advice(cell, Written(source.path, dialect.delimiter)) for cell in cells)), "")

    def only_lists(self, source: Source, settings: Settings) -> str | None:
        """The options for the only column of lists of numbers beside the only label that counts its classes."""
        groups = [] if (flat := source.traits.flat) is None else list(flat.groups.items())
        if settings.preds is not None or len(groups) != 1 or not isinstance(settings.label, str | None):
            return None
        (name, places), names = groups[0], [name_of(source, column) for column in groups[0][1]]
        labels = self.whole_labels(settings) if settings.label is None else [settings.label]
        labels = [label for label in labels if label in self.names and self.is_readable(label, names)]
        values = [self._read(self.columns[self.names.index(one)]) for one in names if one in self.names]
        if len(labels) != 1 or len(values) < max(2, len(places)) or any(value is None for value in values):
            return None
        scores = any(((value < 0) | (value > 1)).any() for value in values if value is not None)
        positive = any((value > 0).any() for value in values if value is not None)
        kind = " --kind logits" if settings.kind == "probs" and scores and positive else ""
        label = f"--label {_word(_run(labels, self.names))} " if settings.label is None else ""
        return f"{label}--preds {_word(name)}{kind}"

    def _is_cut(self, label: str, name: str) -> bool:
        """Whether a threshold of a column of numbers tells the two values of a label apart in all rows."""
        numbers = numbers_of_texts(self.columns[self.names.index(name)], self.decimal)
        texts = np.array(self.columns[self.names.index(label)])
        first = texts == texts[0]
        assert numbers is not None
        return bool(numbers[first].max() < numbers[~first].min() or numbers[first].min() > numbers[~first].max())

    def _is_of_two(self, name: str) -> bool:
        """Whether the values of a column are two texts, or 0 and 1."""
        values = self._distinct[self.names.index(name)]
        numbers = [number(in_points(text, self.decimal)) for text in values]
        return len(values) == 2 and (numbers == [None, None] or {0, 1} == {*numbers})

    def _read(self, column: Sequence[str], *, commas: bool = False) -> Floats | None:
        """f8[n] of a column of numbers, with `commas` of decimal commas too; None where a cell is not a number."""
        found = numbers_of_texts(column, self.decimal)
        return numbers_of_texts(column, ",") if found is None and commas and self.decimal == "." else found

    def _is_percent(self, name: str) -> bool:
        """Whether a column of numbers up to 100 is percent by its name, or reaches both ends."""
        values = self._numeric.get(name)
        ends = values is not None and values.min() == 0 and values.max() == 100
        return ends or bool(re.search("prob|pct|perc|chance|conf|%|(?<![a-z])po[ps](?![a-z])", name, re.I))

    def scale_of(self, name: str, settings: Settings) -> str:
        """The option without which a column of percent is no probability; empty for other columns."""
        values = self._read(self.columns[self.names.index(name)])
        percent = settings.kind == "probs" and values is not None and values.min() >= 0 and 2 < values.max() <= 100
        whole = percent and not any(
            hundredths(text, self.decimal) != text for text in self.columns[self.names.index(name)]
        )
        return " --scale 0.01, if it is percent" if whole and settings.scale == 1 else ""

    def needed_for(self, preds: Sequence[str], settings: Settings) -> str:
        """The options for decimal commas and for percent without which columns are no probabilities."""
        values = [self._numeric[name] for name in preds if name in self._numeric]
        if not values or len(values) < len(preds):
            return ""
        decimal = " --decimal ," if self._with_commas(preds) else ""
        table, usual = np.array(values), settings.kind == "probs" and settings.scale == 1
        if usual and len(table) > 1 and bool((table >= 0).all()) and bool((np.abs(table.sum(axis=0) - 100) <= 1).all()):
            return f"{decimal} --scale 0.01"
        scores = usual and len(table) > 1 and bool((table < 0).any())
        return f"{decimal} --kind logits" if scores else decimal

    def _with_commas(self, preds: Sequence[str]) -> bool:
        """Whether columns are numbers with decimal commas alone."""
        return any(name in self._numeric and self._read(self.columns[self.names.index(name)]) is None for name in preds)

    def predictions_of(self, label: str) -> list[str]:
        """The columns named as the values of a label column, else those that sum to 1; none where none do."""
        values = self._distinct[self.names.index(label)] if label in self.names else set()
        called = [name for name in self.names if name in values]
        summing = self.summing(label)
        if values <= set(called) and len(called) > 1 and not set(called) <= set(summing):
            return called
        return summing or self._named_as(values)

    def _named_as(self, values: set[str]) -> list[str]:
        """The columns of numbers of one stem called as all values are, which are texts; none where none are."""
        texts = len(values) > 1 and all(number(in_points(text, self.decimal)) is None for text in values)
        for chosen in _by_stem(self._numeric) if texts else ():
            found = readings(chosen, values, self.decimal) if len(values) <= len(chosen) else ()
            if any(all(text in chosen[place] for text, place in one.items()) for one in found):
                return chosen
        return []

    def summing(self, label: str) -> list[str]:
        """The columns from 0 to 1, those not of 0 and 1 alone, of one stem, or all but one, if rows sum to 1 or 100."""
        percent = {name: values / 100 for name, values in self._numeric.items() if name not in self._shares}
        for shares in (self._shares, {n: v for n, v in percent.items() if bool(((v >= 0) & (v <= 1)).all())}):
            every = [name for name in shares if name != label]
            some = [name for name in every if not np.isin(shares[name], (0, 1)).all()]
            others = [[name for name in some if name != out] for out in some] if len(some) <= MOST_WHOLE else []
            # Beside columns of one stem that sum to 1 a column of zeros adds nothing.
            alike = [chosen for chosen in _by_stem(every) if {*chosen} >= {*some}]
            for chosen in (*alike, some, every, *_by_stem(some), *others):
                if len(chosen) > 1 and len(self.columns[0]):
                    table = np.stack([shares[name] for name in chosen])
                    # An index of 0 and a count of 1, the same in all rows, sum to 1 too.
                    vary = len(table[0]) < 3 or (table != table[:, :1]).any()
                    if vary and bool((np.abs(table.sum(axis=0) - 1) <= 0.01).all()):
                        return chosen
        return []


def _by_stem(names: Iterable[str]) -> list[list[str]]:
    """Names that differ in their end alone, together."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(_STEM.sub("", name), []).append(name)
    return list(found.values())


def _looks_like_labels(distinct: set[str], rows: int, decimal: str) -> bool:
    texts = all(number(in_points(value, decimal)) is None for value in distinct)
    return texts and 1 < len(distinct) <= max(2, rows // 2)


def as_option(preds: Sequence[str], source: Source) -> str:
    """Return columns as --preds takes them, quoted; a long run of neighbours as first:last."""
    return _word(_run(preds, [name_of(source, column) for column in range(source.width)]))


def _run(preds: Sequence[str], names: Sequence[str]) -> str:
    """Columns as --preds takes them; a long run of neighbours as first:last."""
    first = names.index(preds[0])
    words = spec_of(preds, [names.index(name) for name in preds])
    if len(preds) > 6 and list(names[first : first + len(preds)]) == list(preds):
        return f"{words[0]}:{words[-1]}"
    return ",".join(words)


def _preds_run(preds: Sequence[str], names: Sequence[str], source: Source) -> str:
    """The same, or the name of the list whose numbers the columns are."""
    flat = source.traits.flat
    groups = {} if flat is None else flat.groups
    whole = (name for name, places in groups.items() if name and [name_of(source, c) for c in places] == list(preds))
    return next((name for name in whole if "," not in name), None) or _run(preds, names)


def _word(text: str) -> str:
    return shlex.quote(text)
