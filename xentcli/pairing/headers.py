"""Decide whether the first line of a text file is a header or data."""

from __future__ import annotations

import itertools
import os.path
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import Enum
from typing import Any

import numpy as np

from xentcli.columns.numerals import is_number, number
from xentcli.errors import DataError, Place, Warning, shown
from xentcli.pairing import near
from xentcli.pairing.choose import families
from xentcli.pairing.columns import columns_of, spec_items
from xentcli.pairing.labels import ignored_as
from xentcli.pairing.matchers import Distribution, Matcher, Multilabel, accepts
from xentcli.readers.source import Headed, Source, files_in, has_first_line
from xentcli.records import record
from xentcli.scoring.checks import checked
from xentcli.scoring.kinds import KINDS
from xentcli.settings import Settings

__all__ = [
    "WHOLE",
    "heads_of",
    "is_row",
    "is_unlike_the_next",
    "line_of",
    "named_columns",
    "with_header",
    "with_headers",
]


LOOK_AT = 20
WHOLE = re.compile(r"\s*[0-9]+\s*")
ROLES = ("label", "id", "weights", "cluster", "bytes", "reference")


class Line(Enum):
    """What a first line looks like."""

    HEADER = "header"
    DATA = "data"
    EITHER = "either"


@record(frozen=True)
class Side:
    """A text file whose first line is judged.

    `name` is predictions, labels or further; `alone` says that there is no file of labels; `known` are the names
    that a label may have; `numbered` says that the predictions may have a header with numbers, which row counts
    would show.
    """

    name: str
    source: Headed
    settings: Settings
    alone: bool
    known: Sequence[str] = field(default=())
    numbered: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the first line, numbers with a point whatever the decimal separator."""
        return self.source.first_in_points

    @property
    def line(self) -> str:
        """The first line, for messages."""
        return line_of(self.source.first_fields)

    def written(self, text: str) -> str:
        """Return one of the fields as the file has it."""
        return self.source.first_fields[self.fields.index(text)]

    @property
    def said(self) -> bool | None:
        """The decision of --header and --no-header, or of a line that can only be a header; else None."""
        asked = None if self.name == "further" else self.settings.header_of(self.name)
        return self.source.named if asked is None else asked

    def columns(self, role: str) -> tuple[int, ...] | None:
        """The columns of a role if the first line is data, so that only numbers such as #1 can name them.

        None if the option does not name columns of this file, () if it names none that exist.
        """
        return self._numbered(role, getattr(self.settings, role))

    def _numbered(self, role: str, spec: Any) -> tuple[int, ...] | None:
        if spec is None or isinstance(spec, int | Mapping):
            return None
        if isinstance(spec, str) and spec.startswith("@"):
            if not f"{spec}:".startswith(f"@{self.source.path}:"):
                return None
            spec = spec.removeprefix(f"@{self.source.path}").removeprefix(":") or "#1"
        elif role != "id" and self.name != (
            "predictions" if role in ("preds", "reference") or self.alone else "labels"
        ):
            return None
        return columns_of(spec, self.source.with_header(False)) or ()

    @property
    def names_may_repeat(self) -> bool:
        """Whether options select single columns of this file, so that other names may repeat."""
        roles = ["preds"] * (self.name == "predictions")
        if KINDS[self.settings.kind].labelled and (
            self.name == "labels" or (self.name == "predictions" and self.alone)
        ):
            roles.append("label")
        chosen = all(getattr(self.settings, role) is not None for role in roles)
        items = _names_in([self.settings.preds, self.settings.label])
        return chosen and not any(letter in item for item in items for letter in "*?[")

    def columns_named(self) -> set[str]:
        """The names in options of columns other than predictions."""
        specs = [*(getattr(self.settings, role) for role in ROLES), *self.settings.slices]
        return _names_in(specs)

    def free(self) -> tuple[int, ...]:
        """The columns to which no option gives a role other than predictions."""
        specs = [(role, getattr(self.settings, role)) for role in ROLES]
        specs += [("by", item) for spec in self.settings.slices for item in spec_items(spec)]
        taken = {column for role, spec in specs for column in self._numbered(role, spec) or ()}
        return tuple(column for column in range(self.source.width) if column not in taken)


def heads_of(source: Source) -> int:
    """Return how many first lines there are: one in each file."""
    return max(1, len(files_in(source)))


def with_headers(
    predictions: Source, labels: Source | None, settings: Settings, class_names: Sequence[str]
) -> tuple[Source, Source | None, tuple[Warning, ...]]:
    """Decide for both files whether they have a header; also return a warning for each doubtful line.

    A first line is a header if one of its fields is not a number, unless its only field is a class
    name. A line that could be either is a header if and only if the row counts of the two files
    then agree. If the counts decide nothing, a line that cannot be scored as a row, or is not a
    target, is a header.

    Raises DataError if it remains ambiguous, and for a first line that mixes text and numbers which are not a series;
    names --header and --no-header.
    """
    counted = settings.id is None and labels is not None and predictions.repeatable and labels.repeatable
    looks: dict[str, Line] = {}
    sides: list[Side] = []
    for name, source in (("predictions", predictions), ("labels", labels)):
        if source is not None and has_first_line(source):
            known = class_names or _names_of_classes(predictions, looks.get("predictions"), settings)
            first = _sorted_out(sides[0].fields)[0] if sides and looks["predictions"] is not Line.DATA else ()
            # As columns without names are.
            numbered = counted and bool(first) and _is_series(first)
            side = Side(name, source, settings, labels is None, known, numbered)
            sides.append(side)
            looks[name] = _look(side)
    undecided = [side for side in sides if looks[side.name] is Line.EITHER]
    chosen = {side.name: looks[side.name] is Line.HEADER for side in sides if side not in undecided}
    if undecided and counted and labels is not None:
        chosen.update(_by_counts(undecided, chosen, predictions, labels))
    elif undecided:
        for side in undecided:
            text = _sorted_out(side.fields)[1]
            if _could_be_data(side) and not (text and not _could_be_read(side)):
                raise _ambiguous([side])
            chosen[side.name] = True
    taken = {
        side.name: side.source.with_header(chosen[side.name], numbered=side.names_may_repeat)
        for side in sides
        if side.fields
    }
    guesses = [side for side in sides if chosen[side.name] and _is_guess(side, looks[side.name])]
    named = [side for side in undecided if side.name == "predictions" and is_unlike_the_next(side.source)]
    rows = [side for side in named if not chosen[side.name]]
    warnings = (*(_guessed(side, counted=counted) for side in guesses), *map(_guessed_as_data, rows))
    return taken.get("predictions", predictions), taken.get("labels", labels), warnings


def with_header(
    other: Source, files: Sequence[Source], settings: Settings, class_names: Sequence[str]
) -> tuple[Source, tuple[Warning, ...]]:
    """Decide whether a further text file has a header; also return a warning if the line could be data.

    Raises DataError if it could be either and no row count decides.
    """
    if not has_first_line(other) or not other.width:
        return other, ()
    known = class_names or _names_of_classes(files[0], Line.HEADER if files[0].header else Line.DATA, settings)
    side = Side("further", other, settings, len(files) == 1, known)
    look = _look(side)
    header = look is Line.HEADER
    if look is Line.EITHER:
        first = files[0]
        if settings.id is not None or not (first.repeatable and other.repeatable):
            raise _ambiguous([side])
        header = other.lines() - heads_of(other) == first.lines() - bool(first.header) * heads_of(first)
    return other.with_header(header, numbered=side.names_may_repeat), (
        _guessed(side, counted=True),
    ) if header and _is_guess(side, look) else ()


def _names_of_classes(predictions: Source, look: Line | None, settings: Settings) -> Sequence[str]:
    """The possible names of labels: those of the prediction columns, or of the positive class."""
    if settings.positive is not None:
        return (settings.positive,)
    if predictions.width == 1:
        return ()
    if has_first_line(predictions):
        return predictions.first_in_points if look is Line.HEADER else ()
    return predictions.names


def named_columns(settings: Settings, side: str, known: Sequence[str]) -> set[str]:
    """Return the column names used in options; a first line with one of them is a header.

    Prediction columns have the names of classes, so in a file of labels such a name (`known`) may be
    a label; except for --id, which names a column in every file.
    """
    preds = settings.preds if side == "predictions" else None
    named = (settings.label, settings.weights, settings.cluster, settings.bytes)
    items = _names_in((preds, *named, *settings.slices, *settings.shown_columns))
    return (items if side == "predictions" else items - set(known)) | _names_in((settings.id,))


def _names_in(specs: Sequence[str | Sequence[str] | int | None]) -> set[str]:
    """The possible column names in the values of options."""
    items = {item for spec in specs if spec is not None and not isinstance(spec, int) for item in spec_items(spec)}
    items |= {spec.strip() for spec in specs if isinstance(spec, str)}
    items |= {item.rpartition(":")[2] for item in items if item.startswith("@")}
    ends = {end for item in items for end in item.split(":")}
    return items | ends


def _look(side: Side) -> Line:
    if side.said is not None:
        return Line.HEADER if side.said else Line.DATA
    fields = side.fields
    if not fields:
        return Line.DATA
    if _found_names(side):
        return Line.HEADER
    numbers, texts = _sorted_out(fields)
    if not texts:
        named = (_is_series(numbers) and not _is_plain_one(side)) or _is_shuffled(numbers, side)
        return Line.EITHER if named else Line.DATA
    if not numbers:
        return Line.EITHER if _could_be_labels(side) else Line.HEADER
    if not _is_series(numbers):
        if any(_is_class(text, side.known) for text in texts):
            return Line.DATA
        first = side.written(numbers[0])
        raise DataError(
            f"the first line has text ({shown(texts[0])}) and numbers ({shown(first)}): a header or data?",
            place=Place(side.source.path, line=1),
            advice=_as_data(side) or _options(side),
        )
    # pandas writes no name for its index.
    unnamed = fields[0] == "" and len(texts) == 1
    return Line.HEADER if unnamed or not _could_be_data(side) else Line.EITHER


def _is_class(text: str, known: Sequence[str]) -> bool:
    """Whether a text is a class, apart from blanks, case and the like."""
    return text in known or any(near.differing(text, name) for name in known)


def _found_names(side: Side) -> list[str]:
    """The fields of the first line that are column names in options."""
    named = named_columns(side.settings, side.name, side.known)
    written = zip(side.fields, side.source.first_fields, strict=True)
    return [name for name, text in written if name and {name, text} & named]


def _sorted_out(fields: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split fields into numbers and other text."""
    numbers = [text for text in fields if is_number(text)]
    return numbers, [text for text in fields if not is_number(text)]


def _is_series(numbers: Sequence[str]) -> bool:
    """Whether these are 0,1,...,K-1 or 1,2,...,K, as columns without names are numbered."""
    first = 1 if numbers[:1] and numbers[0].strip() == "1" else 0
    return all(text.strip() == str(index) for index, text in enumerate(numbers, first))


def _is_shuffled(numbers: Sequence[str], side: Side) -> bool:
    """Whether these are three or more class numbers in another order, which cannot be a row of predictions."""
    settings = side.settings
    scored = settings.renormalize or settings.multilabel or settings.scale != 1 or settings.kind != "probs"
    if side.name != "predictions" or side.alone or scored or settings.preds is not None or settings.id is not None:
        return False
    texts = sorted((text.strip() for text in numbers), key=lambda text: (len(text), text))
    return len(texts) > 2 and _is_series(texts)


def _is_plain_one(side: Side) -> bool:
    """Whether a first line is just a 1 that is not a prediction, and nothing else suggests a header.

    pandas writes 1 as the column name for the probability of class 1. But labels and weights of 1 are
    common; one row too many shows in the row counts, unless the predictions have one too many as well.
    """
    return side.name != "predictions" and not side.numbered and [text.strip() for text in side.fields] == ["1"]


def _by_counts(undecided: list[Side], chosen: dict[str, bool], predictions: Source, labels: Source) -> dict[str, bool]:
    """Read first lines as headers or data so that the row counts of both files agree."""
    difference = predictions.lines() - labels.lines()
    agreeing = []
    for each in itertools.product((False, True), repeat=len(undecided)):
        reading = {side.name: header for side, header in zip(undecided, each, strict=True)}
        taken = {**chosen, **reading}
        heads = [
            taken.get(name, False) * heads_of(source)
            for name, source in (("predictions", predictions), ("labels", labels))
        ]
        if difference == heads[0] - heads[1]:
            agreeing.append(reading)
    if not agreeing:
        return {side.name: False for side in undecided}
    if len(agreeing) > 1:
        impossible = {side.name for side in undecided if not _could_be_data(side)}
        agreeing = [reading for reading in agreeing if all(reading[name] for name in impossible)]
    if len(agreeing) == 1:
        return agreeing[0]
    raise _ambiguous(undecided, "; the row counts agree either way")


def _could_be_read(side: Side) -> bool:
    """Whether a line with text and a series of numbers could be read as data with the options given."""
    if side.name == "labels":
        return True
    columns = side.columns("preds") or side.free()
    return all(is_number(side.fields[column]) for column in columns)


def _could_be_data(side: Side) -> bool:
    """Whether the first line could be a row of predictions or labels; in a further file any line could."""
    if side.name == "further":
        return True
    weights = side.columns("weights")
    if weights and number(side.fields[weights[0]]) == 0:
        # A row of weight 0 is not examined further.
        return True
    return _could_be_labels(side) if side.name == "labels" else _could_be_scored(side)


def _could_be_scored(side: Side) -> bool:
    """Whether the numbers of the first line that can be predictions could be scored as a row."""
    columns = side.columns("preds")
    if columns == ():
        return False
    fields = [side.fields[column] for column in columns or side.free()]
    return is_row(fields if columns else [text for text in fields if is_number(text)], side.settings)


def is_row(fields: Sequence[str], settings: Settings) -> bool:
    """Return whether fields pass the checks of a row of predictions."""
    values = [number(text) for text in fields]
    if not values or None in values:
        return False
    recipe = settings.recipe(columns=len(values))
    try:
        checked(np.array([values], float), None, None, recipe=recipe, rows=np.ones(1, int), where=lambda *_: Place())
    except DataError:
        return False
    return True


def _could_be_labels(side: Side) -> bool:
    """Whether the label columns of the first line could hold a label, or a target per class."""
    if side.name == "predictions":
        return False
    columns = side.columns("label") or side.free()
    fields = [side.fields[column] for column in columns]
    if len(fields) == 1:
        return _could_be_label(fields[0], side)
    values = [number(text) for text in fields]
    if not values or None in values:
        return False
    order, settings = tuple(range(len(values))), side.settings
    rule: Matcher = Distribution("", settings.sum_tolerance, order, by_name=False, votes=settings.votes)
    rule = Multilabel("", order, by_name=False) if settings.multilabel else rule
    return accepts(rule, np.array([values], float))


def _could_be_label(text: str, side: Side) -> bool:
    """Whether a text could be a label: a number, a class name without common affixes, or a text that recurs."""
    if is_number(text):
        return side.settings.index_base != 1 or text.strip() != "0" or "0" in side.settings.ignored
    if ignored_as(text, side.settings.ignored) is not None or (side.source.width == 1 and _is_met_again(side)):
        return True
    others = side.columns_named()
    names = [name for name in side.known if name not in others]
    prefix = len(os.path.commonprefix(names))
    suffix = len(os.path.commonprefix([name[::-1] for name in names]))
    return any(
        name.startswith(text, start) and len(name) - start - len(text) <= suffix
        for name in names
        for start in range(prefix + 1)
    )


def _is_met_again(side: Side) -> bool:
    """Whether the first line of a file with one column recurs in the next lines."""
    source: Any = getattr(side.source, "first", side.source)
    first, *others = [line.strip() for line in source.stream.head.removeprefix(b"\xef\xbb\xbf").splitlines()]
    return first in others


def _is_guess(side: Side, look: Line) -> bool:
    """Whether a first line that was read as a header could be data."""
    if side.said is not None:
        return False
    if look is Line.EITHER:
        return _could_be_data(side)
    # A column name in an option may look like a number in a row.
    numbers = _sorted_out(side.fields)[0]
    if _is_series(numbers) or not all(map(is_number, _found_names(side))):
        return False
    named = side.columns_named()
    return side.name != "predictions" or is_row([text for text in numbers if text not in named], side.settings)


def _guessed(side: Side, *, counted: bool) -> Warning:
    """The warning about a line that was read as a header, with the evidence."""
    names, texts = _found_names(side), _sorted_out(side.fields)[1]
    if names:
        why = f"an option names the column {shown(side.written(names[0]))}"
    elif counted:
        why = "the row counts agree only if it is a header"
    else:
        why = f"it has a series of numbers beside {shown(texts[0])}"
    further = side.name == "further"
    return Warning(
        "header-guessed",
        f"{side.source.path}: the first line {side.line} was taken as a header but could be data; {why}",
        "" if further else f"--header {side.name} confirms it, --no-header {side.name} takes the line as data",
    )


def _guessed_as_data(side: Side) -> Warning:
    """The warning about a line that was read as data but looks like a header."""
    return Warning(
        "header-guessed",
        f"{side.source.path}: the first line {side.line} was taken as data but could be a header above "
        "decimals; the row counts agree only if it is data",
        f"--no-header {side.name} confirms it, --header {side.name} takes the line as a header",
    )


def _rows_after(source: Headed) -> list[list[str]]:
    """Return the fields of some lines after the first, cut at every delimiter."""
    first: Any = getattr(source, "first", source)
    lines = first.stream.head.decode(errors="replace").splitlines()[1:LOOK_AT]
    return [line.split(None if first.dialect.runs else first.dialect.delimiter) for line in lines if line.strip()]


def _as_data(side: Side) -> tuple[str, ...]:
    """The options for a first line of labels that is like the next ones: numbers and texts in the same columns."""
    rows = [row for row in _rows_after(side.source) if len(row) == len(side.fields)]
    if side.name != "labels" or len(side.fields) < 2 or len(rows) < 2:
        return ()
    columns = list(zip(side.fields, *rows[:-1], strict=True))
    if any(len({*map(is_number, column)}) > 1 for column in columns):
        return ()
    if not any(first in rest for first, *rest in columns if not is_number(first)):
        return ()
    numbers = {str(index) for index in range(max(2, len(side.known)))}
    values = [{text.strip() for text in column} for column in columns]
    fits = [n for n, some in enumerate(values, 1) if some <= numbers or any(families(side.known, some))]
    named = len(fits) == 1 and side.settings.label is None
    option = f" --label '#{fits[0]}': its values are classes" if named else " takes it as data, as the next lines are"
    return (f"--no-header labels{option}",)


def is_unlike_the_next(source: Headed) -> bool:
    """Return whether the first line consists of whole numbers and none of the next lines does."""
    rows = _rows_after(source)
    whole = [all(map(WHOLE.fullmatch, row)) for row in (source.first_fields, *rows)]
    return whole[0] and len(whole) > 1 and not any(whole[1:])


def _ambiguous(sides: list[Side], why: str = "") -> DataError:
    return DataError(
        f"the first line {sides[0].line} could be a header or data{why}",
        place=Place(sides[0].source.path, line=1),
        advice=tuple(line for side in sides for line in _options(side)),
    )


def line_of(fields: Sequence[str]) -> str:
    """Return the fields of a line for a message, shortened if there are many."""
    between = ";" if any("," in text for text in fields) else ","
    return shown(between.join([*fields[:4], *["..."] * (len(fields) > 4)]))


def _options(side: Side) -> tuple[str, ...]:
    """The options that decide whether the first line of a file is a header."""
    if side.name != "further":
        return (f"--header {side.name} or --no-header {side.name}",)
    path = side.source.path
    return (f"put the names of the columns on the first line of {path}, and name the column: @{path}:NAME",)
