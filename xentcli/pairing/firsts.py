"""The first cells of columns as texts: which of them could be labels, and which predictions."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from xentcli.arrays import Floats
from xentcli.columns.column import texts_of
from xentcli.columns.numerals import hundredths, in_points, number, whole
from xentcli.pairing.affixes import cuts_of, readings
from xentcli.pairing.alignment import PartQueue
from xentcli.pairing.by_name import is_predicted_by_name
from xentcli.pairing.choose import families
from xentcli.pairing.columns import Found, name_of
from xentcli.pairing.predicted import are_places, classes_shown, loose_readings, numbers_of_texts, predicted_class
from xentcli.readers.source import Pick, Source
from xentcli.records import cached_property, record
from xentcli.scoring.advice import base_of, base_options
from xentcli.settings import Settings

__all__ = ["LOOK_AT", "FirstCells", "Needed", "needed_for"]

LOOK_AT = 1000
_STEM = r"((?<=\D)\d+|(?<!\w)[^\W_\d]+|(?<=_)[^\W_]+)[)\]]?$"
"""The end of a name that may be a class: what is before it a set of columns has in common."""
_NO_LABEL = r"(?i)fold|split|batch|repeat|seed|epoch|group|cluster|rank|index|row|\bid\b|_id\b"
"""Names of columns that count something else than classes."""
_TARGET = r"(?i)(true|truth|targets?|labels?|actual|gold|y_?true)(?![a-z])"
"""Beginnings of names of columns that are shares of classes."""
_OFF = 0.01
"""Tolerance for the sum of a row of rounded numbers."""
MOST_BY_CHANCE = 8
"""Rows that may be in one order by chance."""
MOST_WHOLE = 20
"""The most columns of whole numbers that are compared with the predictions, and of which one may be none."""


@record(frozen=True)
class Needed:
    """What columns of numbers are besides probabilities: of decimal commas, of percent, or scores."""

    commas: bool = False
    percent: bool = False
    scores: bool = False
    base: int = 0
    """The base if the scores are logarithms of probabilities to base 2 or 10; else 0."""

    @property
    def options(self) -> str:
        """The options that read them, each after a blank.

        >>> Needed(commas=True, percent=True).options
        ' --decimal , --scale 0.01'
        """
        kind = base_options(self.base) if self.base else "--kind logits"
        each = ((self.commas, "--decimal ,"), (self.percent, "--scale 0.01"), (self.scores, kind))
        return "".join(f" {option}" for needed, option in each if needed)


@record(frozen=True, eq=False)
class FirstCells:
    """The first LOOK_AT cells of some columns of a file, as texts."""

    source: Source
    columns: dict[str, list[str]]

    @classmethod
    def of(cls, found: Found, queue: PartQueue, limit: int = LOOK_AT) -> FirstCells:
        """Read them, or the first `limit`, but for lists of any length; the rows looked at stay in the queue."""
        places = [column for column in found.columns if column not in found.source.traits.lists]
        columns: list[list[str]] = [[] for _ in places]
        for rows in queue.look({str(c): Pick((c,), "text") for c in places}, limit):
            for texts, column in zip(columns, places, strict=True):
                texts.extend(texts_of(rows.values[str(column)]))
        names = [name_of(found.source, column) for column in places]
        return cls(found.source, dict(zip(names, columns, strict=True)))

    @classmethod
    def of_table(cls, found: Found, queue: PartQueue) -> FirstCells:
        """Read the first cells of columns; of an array none, as its cells are not texts."""
        return cls.of(found, queue) if found.source.tabular else cls(found.source, {})

    @classmethod
    def of_file(cls, source: Source, limit: int = LOOK_AT) -> FirstCells:
        """Read the first cells of all columns of a table, which is opened again; of an array or a stream none."""
        if not (source.repeatable and source.tabular):
            return cls(source, {})
        return cls.of(Found(source, tuple(range(source.width))), PartQueue(source), limit)

    @property
    def decimal(self) -> str:
        """The decimal separator of the file."""
        return self.source.traits.decimal

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.columns)

    @cached_property
    def rows(self) -> int:
        """How many cells each column has."""
        return max(map(len, self.columns.values()), default=0)

    @property
    def first(self) -> list[str]:
        """The cells of the first column."""
        return next(iter(self.columns.values()), [])

    @cached_property
    def distinct(self) -> dict[str, set[str]]:
        """The values of each column."""
        return {name: set(column) for name, column in self.columns.items()}

    @cached_property
    def numeric(self) -> dict[str, Floats]:
        """The columns of numbers, of decimal commas too."""
        found = {name: self.read(column, commas=True) for name, column in self.columns.items()}
        return {name: values for name, values in found.items() if values is not None}

    @cached_property
    def shares(self) -> dict[str, Floats]:
        """The columns whose values all lie from 0 to 1."""
        return {n: v for n, v in self.numeric.items() if bool(((v >= 0) & (v <= 1)).all())}

    @cached_property
    def hard(self) -> set[str]:
        """The columns whose values are all 0 or 1."""
        return {name for name, values in self.shares.items() if np.isin(values, (0, 1)).all()}

    @property
    def graded(self) -> list[str]:
        """The columns from 0 to 1 with other values than the two."""
        return [name for name in self.shares if name not in self.hard]

    @cached_property
    def counts(self) -> dict[str, Floats]:
        """The columns whose values are all whole numbers from 0."""
        return {n: v for n, v in self.numeric.items() if bool(((v >= 0) & (v == np.floor(v))).all())}

    def possible_labels(self, settings: Settings) -> list[str]:
        """The column given as the label; else those whose values are names of columns, or look like labels."""
        if isinstance(settings.label, str):
            return [settings.label]
        each = self.distinct.items()
        named = [name for name, values in each if values <= self.columns.keys()]
        return named or [name for name, values in each if _looks_like_labels(values, self.rows, self.decimal)]

    def whole_labels(self, settings: Settings) -> list[str]:
        """The columns of whole numbers that may count classes: several, each of about two rows at least."""
        if settings.label is not None:
            return []
        return [
            name
            for name, values in self.distinct.items()
            if not re.search(_NO_LABEL, name)
            and 1 < len(values) <= self.rows // 2
            and all(whole(in_points(text, self.decimal)) is not None for text in values)
        ]

    def predicted(self, named: Sequence[str]) -> dict[str, Sequence[str]]:
        """Return the columns that are the predicted class, each with its predictions: `named`, else those that fit."""
        columns, found = self.columns, dict[str, Sequence[str]]()
        for label in self._possibly_predicted():
            first = named or self.predictions_of(label)
            # A truth may be the class of another model in every row: one that has learned these rows.
            others = (some for some in self.sets_of(label) if some != first and _is_class_of(label, some))
            for preds in filter(None, (first, *others)):
                decimal = "," if self._with_commas(preds) else self.decimal
                numbers = [columns[name] for name in preds]
                if self._is_threshold(label, preds) or predicted_class(columns[label], preds, numbers, decimal):
                    found.setdefault(label, preds)
        return found

    def _is_threshold(self, label: str, preds: Sequence[str]) -> bool:
        """Whether a column of two values is the class above some threshold, which need not be a half, by its name.

        Beside one column of predictions its name does not matter where there are more rows than by chance.
        """
        named = is_predicted_by_name(label) or (len(preds) == 1 and self.rows >= MOST_BY_CHANCE)
        single = len(preds) < 3 and named and label not in preds and self.is_of_two(label)
        return single and preds[-1] in self.numeric and self.is_cut(label, preds[-1])

    def _possibly_predicted(self) -> Iterator[str]:
        """Yield the columns of text, and the first ones of whole numbers."""
        count = 0
        for name, values in self.distinct.items():
            numerals = [in_points(value, self.decimal) for value in values]
            wholes = all(whole(numeral) is not None for numeral in numerals)
            count += wholes
            if (wholes and count <= MOST_WHOLE) or all(number(numeral) is None for numeral in numerals):
                yield name

    def classes_by(self, predicted: Mapping[str, Sequence[str]]) -> dict[tuple[str, ...], tuple[str, ...]]:
        """Return the classes of predictions that predicted classes show, where the names of the columns do not."""
        found: dict[tuple[str, ...], tuple[str, ...]] = {}
        for label, preds in predicted.items():
            tables = [self.numeric[name] for name in preds]
            if not are_places(preds) or self.is_readable(label, preds):
                continue
            if classes := classes_shown(self.columns[label], np.array(tables)):
                found.setdefault(tuple(preds), classes)
        return found

    def is_readable_as(self, label: str, classes: Sequence[str]) -> bool:
        """Whether the values of a column are classes, as far as these are known."""
        return not classes or "" in classes or self.distinct.get(label, set()) <= {*classes}

    def is_readable(self, label: str, preds: Sequence[str]) -> bool:
        """Whether the values of a column can be the classes of the predictions."""
        values = self.distinct.get(label, set())
        found = itertools.chain(readings(preds, values, self.decimal), loose_readings(preds, values))
        return any(True for _ in found)

    def descends(self, preds: Sequence[str]) -> bool:
        """Whether three columns or more are in descending order in every row, as by a sort; few rows do not show it."""
        values = [self.numeric[name] for name in preds if name in self.numeric]
        if len(values) < max(3, len(preds)) or len(values[0]) < MOST_BY_CHANCE:
            return False
        table = np.array(values)
        return bool((table[:-1] >= table[1:]).all()) and bool((table != table[:, :1]).any())

    def sum_to_1(self, names: Sequence[str]) -> bool:
        """Whether some columns lie from 0 to 1 and sum to 1 in every row."""
        table = np.array([self.shares[name] for name in names if name in self.shares])
        return len(table) == len(names) > 1 and _sum_to_1(table)

    def differ(self, name: str) -> bool:
        """Whether no value of a column occurs twice."""
        return len(self.distinct[name]) == len(self.columns[name])

    def one_hot(self, preds: Sequence[str]) -> list[str]:
        """The columns of 0 and 1 that sum to 1 in every row and are named as predictions are; else none."""
        hard = [name for name in self.shares if name in self.hard and name not in preds]
        for _, classes in cuts_of(preds) if len(preds) > 1 else ():
            for places in families(hard, [name for name in classes if name]):
                found = [hard[place] for place in places]
                if len(found) == len(preds) and self.sum_to_1(found):
                    return found
        return []

    def soft(self) -> tuple[list[str], list[str]] | None:
        """Return the columns of targets and of predictions, where both sum to 1 and their names say which is which."""
        sets = [some for some in _by_stem(self.shares) if self.sum_to_1(some)]
        stems = [os.path.commonprefix(some) for some in sets]
        if len(sets) != 2 or len({tuple(n[len(s) :] for n in some) for some, s in zip(sets, stems, strict=True)}) > 1:
            return None
        for place in (0, 1):
            if re.match(_TARGET, stems[place]) and is_predicted_by_name(stems[1 - place]):
                return sets[place], sets[1 - place]
        return None

    def are_predicted(self, hot: Sequence[str], preds: Sequence[str]) -> bool:
        """Whether one-hot columns have the class of the largest prediction in every row."""
        ones, shares = (np.array([self.shares[name] for name in names]) for names in (hot, preds))
        return bool((shares[ones.argmax(axis=0), np.arange(ones.shape[1])] == shares.max(axis=0)).all())

    def is_cut(self, label: str, name: str) -> bool:
        """Whether a threshold of a column of numbers tells the two values of a label apart in all rows."""
        numbers = self.numeric[name]
        texts = np.array(self.columns[label])
        first = texts == texts[0]
        return bool(numbers[first].max() < numbers[~first].min() or numbers[first].min() > numbers[~first].max())

    def is_of_two(self, name: str) -> bool:
        """Whether the values of a column are two texts, or 0 and 1."""
        values = self.distinct[name]
        numbers = [number(in_points(text, self.decimal)) for text in values]
        return len(values) == 2 and (numbers == [None, None] or {0, 1} == {*numbers})

    def read(self, column: Sequence[str], *, commas: bool = False) -> Floats | None:
        """f8[n] of a column of numbers, with `commas` of decimal commas too; None where a cell is not a number."""
        found = numbers_of_texts(column, self.decimal)
        return numbers_of_texts(column, ",") if found is None and commas and self.decimal == "." else found

    def is_percent(self, name: str) -> bool:
        """Whether a column of numbers up to 100 is percent by its name, or reaches both ends."""
        values = self.numeric.get(name)
        ends = values is not None and values.min() == 0 and values.max() == 100
        return ends or bool(re.search("prob|pct|perc|chance|conf|%|(?<![a-z])po[ps](?![a-z])", name, re.I))

    def scale_of(self, name: str, settings: Settings) -> str:
        """The option without which a column of percent is no probability; empty for other columns."""
        values = self.read(self.columns[name])
        percent = settings.kind == "probs" and values is not None and values.min() >= 0 and 2 < values.max() <= 100
        whole = percent and all(hundredths(text, self.decimal) == text for text in self.columns[name])
        return " --scale 0.01, if it is percent" if whole and settings.scale == 1 else ""

    def needed_for(self, preds: Sequence[str], settings: Settings) -> Needed:
        """The options without which columns are no probabilities."""
        values = [self.numeric[name] for name in preds if name in self.numeric]
        if not (values and self.rows) or len(values) < len(preds):
            return Needed()
        commas = self._with_commas(preds)
        table, usual = np.array(values), settings.kind == "probs" and settings.scale == 1
        if not usual or len(table) < 2:
            return Needed(commas=commas)
        scores = bool((table < 0).any())
        percent = not scores and bool((np.abs(table.sum(axis=0) - 100) <= 1).all())
        base = base_of(table.T, _OFF) if scores else 0
        return Needed(commas=commas, percent=percent, scores=scores, base=base)

    def _with_commas(self, preds: Sequence[str]) -> bool:
        """Whether columns are numbers with decimal commas alone."""
        return any(name in self.numeric and self.read(self.columns[name]) is None for name in preds)

    def predictions_of(self, label: str) -> list[str]:
        """The columns named as the values of a label column, else those that sum to 1; none where none do."""
        values = self.distinct.get(label, set())
        called = [name for name in self.names if name in values]
        summing = self.summing(label)
        if values <= set(called) and len(called) > 1 and not set(called) <= set(summing):
            return called
        return summing or self._named_as(values)

    def sets_of(self, label: str) -> list[list[str]]:
        """The predictions of a label, and further columns of one stem that sum to 1, as of another model."""
        first = self.predictions_of(label)
        others = [some for some in _by_stem(name for name in self.shares if name != label) if self.sum_to_1(some)]
        same = [some for some in others if len(some) == len(first) and not {*some} & {*first}]
        return [first, *same] if first else []

    def _named_as(self, values: set[str]) -> list[str]:
        """The columns of numbers of one stem called as all values are, which are texts; none where none are."""
        texts = len(values) > 1 and all(number(in_points(text, self.decimal)) is None for text in values)
        for chosen in _by_stem(self.numeric) if texts else ():
            found = readings(chosen, values, self.decimal) if len(values) <= len(chosen) else ()
            if any(all(text in chosen[place] for text, place in one.items()) for one in found):
                return chosen
        return []

    def summing(self, label: str) -> list[str]:
        """The columns from 0 to 1, those not of 0 and 1 alone, of one stem, or all but one, if rows sum to 1 or 100."""
        percent = {name: values / 100 for name, values in self.numeric.items() if name not in self.shares}
        for shares in (self.shares, {n: v for n, v in percent.items() if bool(((v >= 0) & (v <= 1)).all())}):
            every = [name for name in shares if name != label]
            some = [name for name in every if not np.isin(shares[name], (0, 1)).all()]
            others = [[name for name in some if name != out] for out in some] if len(some) <= MOST_WHOLE else []
            # Beside columns of one stem that sum to 1 a column of zeros adds nothing.
            alike = [chosen for chosen in _by_stem(every) if {*chosen} >= {*some}]
            for chosen in (*alike, some, every, *_by_stem(some), *others):
                if len(chosen) > 1 and self.rows:
                    table = np.stack([shares[name] for name in chosen])
                    # An index of 0 and a count of 1, the same in all rows, sum to 1 too.
                    vary = len(table[0]) < 3 or (table != table[:, :1]).any()
                    if vary and _sum_to_1(table):
                        return chosen
        return []


def needed_for(preds: Found, queue: PartQueue, settings: Settings) -> Needed:
    """Return the options that columns need to be predictions; only for those that sum to 1 or 100, where some do."""
    head = FirstCells.of_table(preds, queue)
    return head.needed_for(head.summing("") or head.names, settings)


def _is_class_of(name: str, preds: Sequence[str]) -> bool:
    """Whether a column is the predicted class of some columns of predictions, by its name.

    >>> _is_class_of("Tree", ["Tree (a)", "Tree (b)"]), _is_class_of("iris", ["Tree (a)", "Tree (b)"])
    (True, False)
    """
    return is_predicted_by_name(name) or all(one.startswith(name) for one in preds)


def _sum_to_1(table: Floats) -> bool:
    """Whether f8[k, n] sums to 1 in each of n rows, as rounded numbers do."""
    return bool((np.abs(table.sum(axis=0) - 1) <= _OFF).all())


def _by_stem(names: Iterable[str]) -> list[list[str]]:
    """Names that differ in their end alone, together."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(re.sub(_STEM, "", name), []).append(name)
    return list(found.values())


def _looks_like_labels(distinct: set[str], rows: int, decimal: str) -> bool:
    texts = all(number(in_points(value, decimal)) is None for value in distinct)
    return texts and 1 < len(distinct) <= max(2, rows // 2)
