"""The fast reader of lines that all have the shape of the first: JSON Lines and Vowpal Wabbit.

The first line is cut into values and the fixed text around each (names, brackets, quotes). A block
of lines that all have the same fixed text is delimited text, and its values are read as those of
CSV are. Any other block is declined and goes to the careful reader of lines.py. This reader never
decides that something is an error, and accepts only what the careful reader accepts:

- the separators outside strings are as many as lines times values, in order;
- the text around each value is that of the first line, and no line has further quotes, so that no
  string ends early and no name occurs twice;
- strings have no control character and only valid escapes; other values follow the JSON grammar.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np

from xentcli.arrays import Bytes, Flags, Floats, Ints, picked
from xentcli.columns.column import Coded, Values
from xentcli.readers.source import Pick, Selection
from xentcli.readers.text.delimited import PAD, Dialect, room_for
from xentcli.readers.text.elements import escaped_in, quotes_of
from xentcli.readers.text.fields import Fields, between, in_rows, is_utf8
from xentcli.records import cached_property, record, replace

__all__ = ["Kind", "Labelled", "Leaf", "Shape"]

_LONGEST = 300
"""Longer numerals go to the careful reader, which limits the number of digits."""
_LF, _MINUS, _ZERO, _POINT, _E, _U = (ord(letter) for letter in "\n-0.eu")
_ESCAPE = 6
r"""Bytes of an escape such as \u00e9."""

Kind = Literal["number", "string", "word", "decimal"]
"""A JSON number; the inside of a string; true, false or null; a decimal as in numerals.py."""


@record(frozen=True)
class Leaf:
    """A value of a line, and the text between it and the separators beside it."""

    kind: Kind
    before: bytes
    after: bytes


@record(frozen=True)
class Labelled:
    """A list of items with a label and a score: the leaves of both, and the labels in the first line."""

    labels: tuple[int, ...]
    scores: tuple[int, ...]
    names: tuple[str, ...]


@record(frozen=True)
class Shape:
    """What every line looks like.

    Attributes
    ----------
    delimiter
        What separates values, outside strings.
    leaves
        The values in the order of the line.
    places
        For each column of the table which of the leaves it is; -1 for one that is none of them.
    labelled
        The lists of scores by label, whose items may come in any order.
    """

    delimiter: str
    leaves: tuple[Leaf, ...]
    places: tuple[int, ...]
    labelled: tuple[Labelled, ...] = ()

    @cached_property
    def _dialect(self) -> Dialect:
        return Dialect(self.delimiter, quotes=False)

    @cached_property
    def _quotes(self) -> int:
        """Unescaped quotes of a line."""
        return sum(quotes_of(np.frombuffer(leaf.before + leaf.after, np.uint8)).size for leaf in self.leaves)

    @cached_property
    def _fixed(self) -> Mapping[tuple[bytes, bytes], slice | list[int]]:
        """Which leaves have the same text before and after them."""
        found: dict[tuple[bytes, bytes], list[int]] = {}
        for place, leaf in enumerate(self.leaves):
            found.setdefault((leaf.before, leaf.after), []).append(place)
        return {texts: picked(places) for texts, places in found.items()}

    def _of_kind(self, kind: Kind) -> list[int]:
        return [place for place, leaf in enumerate(self.leaves) if leaf.kind == kind]

    def read(
        self, data: bytes, rows: int, selection: Selection
    ) -> tuple[dict[str, Values], list[tuple[str, int]]] | None:
        """Return the values of each role, and role and row of each underflow; None if a line has another shape."""
        if any(self.places[column] < 0 for pick in selection.values() for column in pick.columns):
            return None
        fields = self._fields(data, rows)
        numbers = None if fields is None else self._numbers(fields, selection)
        if fields is None or numbers is None:
            return None
        values: dict[str, Values] = {}
        underflows: list[tuple[str, int]] = []
        for role, pick in selection.items():
            places = [self.places[column] for column in pick.columns]
            if pick.as_ == "numbers":
                values[role] = numbers.of(places)
                underflows += [(role, row) for row in numbers.small_of(places)]
                continue
            texts = self._texts(fields, places[0], pick)
            if texts is None:
                return None
            values[role] = texts
        return values, underflows

    def _fields(self, data: bytes, rows: int) -> Fields | None:
        """Find the values of each line, without the fixed text around them; None if a line has another shape."""
        buffer, text = room_for(len(data))
        text[:] = np.frombuffer(data, np.uint8)
        whole = buffer[PAD : PAD + len(data) + (text[-1] != _LF)]
        quotes = quotes_of(whole)
        if len(quotes) != rows * self._quotes or not (is_utf8(data) and _are_escapes(whole)):
            return None
        end: Ints = np.flatnonzero((whole == ord(self.delimiter)) | (whole == _LF))
        if len(quotes):
            # A separator after an odd number of quotes is inside a string.
            end = end[np.searchsorted(quotes, end) & 1 == 0]
        end += PAD
        width = len(self.leaves)
        if len(end) != rows * width or not in_rows(buffer, end, self._dialect, width):
            return None
        start, end = between(end)
        start, end = start.reshape(rows, width), end.reshape(rows, width)
        returns = self.leaves[-1].after.endswith(b"\r")
        if np.count_nonzero(whole < ord(" ")) != rows * (1 + returns) or not self._are_fixed(buffer, start, end):
            return None
        buffer = buffer[: len(whole) + 2 * PAD]
        fields = Fields(buffer, start, end, ascii=data.isascii())
        in_order = self._follow_json(fields) and all(_put_in_order(fields, group) for group in self.labelled)
        return fields if in_order else None

    def _are_fixed(self, buffer: Bytes, start: Ints, end: Ints) -> bool:
        """Whether the text around each value is that of the first line; moves start and end past it."""
        for (before, after), places in self._fixed.items():
            first, last = start[:, places], end[:, places]
            if (last - first < len(before) + len(after)).any():
                return False
            if not (_all_are(buffer, first, before) and _all_are(buffer, last - len(after), after)):
                return False
            start[:, places] = first + len(before)
            end[:, places] = last - len(after)
        return True

    def _follow_json(self, fields: Fields) -> bool:
        """Whether values outside strings have the kind that they have in the first line."""
        for place in self._of_kind("word"):
            if not set(_distinct(fields.coded(place))) <= {"true", "false", "null"}:
                return False
        if (places := self._of_kind("number")) and not _are_json_numbers(fields, places):
            return False
        return not (places := self._of_kind("decimal")) or _begin_and_end(fields, places, _BEGINS, _ENDS)

    def _numbers(self, fields: Fields, selection: Selection) -> _Numbers | None:
        """Read all numbers, and the strings that are selected as numbers; None if one is not a number."""
        wanted = {self.places[c] for pick in selection.values() if pick.as_ == "numbers" for c in pick.columns}
        if wanted.intersection(self._of_kind("word")):
            return None
        others = sorted({*self._of_kind("number"), *self._of_kind("decimal")} - wanted)
        if others and fields.numbers(picked(others)) is None:
            return None
        if not wanted:
            return _Numbers({}, np.empty((fields.rows, 0)), [])
        found = fields.numbers(picked(sorted(wanted)))
        return None if found is None else _Numbers({place: n for n, place in enumerate(sorted(wanted))}, *found)

    def _texts(self, fields: Fields, place: int, pick: Pick) -> Values | None:
        """Read a value of each line as text; None if one is null."""
        found = fields.texts(place) if pick.as_ == "text" else fields.coded(place)
        kind, texts = self.leaves[place].kind, _distinct(found)
        if kind == "word":
            return None if "null" in texts else found
        if kind == "number":
            return _translated(found, [_as_text(text) for text in texts])
        if kind == "string" and any("\\" in text for text in texts):
            return _translated(found, [json.loads(f'"{text}"') if "\\" in text else text for text in texts])
        return found


@record(frozen=True, eq=False)
class _Numbers:
    """The numbers of some leaves, f8[rows, k], with the column of each leaf, and the indices of underflows."""

    columns: Mapping[int, int]
    table: Floats
    small: list[int]

    def of(self, places: Sequence[int]) -> Floats:
        """Return the numbers of these leaves, f8[rows, k]."""
        return np.ascontiguousarray(self.table[:, picked([self.columns[place] for place in places])])

    def small_of(self, places: Sequence[int]) -> Iterator[int]:
        """Yield the row of each underflow among these leaves."""
        for column in (self.columns[place] for place in places) if self.small else ():
            yield from (index // self.table.shape[1] for index in self.small if index % self.table.shape[1] == column)


def _put_in_order(fields: Fields, group: Labelled) -> bool:
    """Move the scores of each line to where the first line has those of their labels; False if labels differ."""
    start, end = fields.start[:, group.labels], fields.end[:, group.labels]
    found = replace(fields, start=start.reshape(-1, 1), end=end.reshape(-1, 1)).coded(0)
    place = {name: n for n, name in enumerate(group.names)}
    if not isinstance(found, Coded) or not place.keys() >= set(found.distinct):
        return False
    labels = np.array([place[text] for text in found.distinct])[found.codes].reshape(start.shape)
    order = np.argsort(labels, axis=1)
    if not (np.take_along_axis(labels, order, axis=1) == np.arange(len(place))).all():
        return False
    for spans in (fields.start, fields.end):
        spans[:, group.scores] = np.take_along_axis(spans[:, group.scores], order, axis=1)
    return True


def _distinct(column: Values) -> Sequence[str]:
    """Return the texts of a column; those of a dictionary-encoded one once each."""
    return list(column.distinct) if isinstance(column, Coded) else [str(text) for text in column]


def _translated(column: Values, texts: list[str]) -> Values:
    """Return a column with its distinct texts replaced."""
    if texts == _distinct(column):
        return column
    return [texts[code] for code in column.codes.tolist()] if isinstance(column, Coded) else texts


def _as_text(number: str) -> str:
    """Return the text of a JSON number as Python prints its value."""
    return number if number.isdecimal() else str(json.loads(number))


def _all_are(buffer: Bytes, at: Ints, text: bytes) -> bool:
    """Whether the buffer has a text at each place."""
    if not text:
        return True
    found = np.ndarray((len(buffer) - len(text) + 1,), f"V{len(text)}", buffer, strides=(1,))[at]
    return found.tobytes() == text * at.size


def _table_of(letters: bytes) -> Flags:
    """Return which bytes are among some letters."""
    table = np.zeros(256, dtype=bool)
    table[list(letters)] = True
    return table


_DIGITS, _HEXADECIMAL = _table_of(b"0123456789"), _table_of(b"0123456789abcdefABCDEF")
_SIMPLE = _table_of(b'"\\/bfnrtu')
_BEGINS, _ENDS = _table_of(b"0123456789+-."), _table_of(b"0123456789.")


def _are_escapes(whole: Bytes) -> bool:
    """Whether all escapes are those of JSON, and surrogates come in pairs."""
    escaped = escaped_in(whole)
    letters = whole[escaped]
    if not _SIMPLE[letters].all():
        return False
    units = escaped[letters == _U]
    if not len(units):
        return True
    if units[-1] + _ESCAPE > len(whole):
        return False
    digits = whole[units[:, None] + np.arange(1, 5)]
    if not _HEXADECIMAL[digits].all():
        return False
    surrogate = (digits[:, 0] | 32) == ord("d")
    high, low = surrogate & _table_of(b"89abAB")[digits[:, 1]], surrogate & _table_of(b"cdefCDEF")[digits[:, 1]]
    beside = np.append(np.diff(units) == _ESCAPE, False)
    return bool((high == np.append(low[1:], False)).all() and not low[0] and beside[high].all())


def _are_json_numbers(fields: Fields, places: list[int]) -> bool:
    """Whether numerals follow the JSON grammar, where numerals.py allows more.

    That is a sign +, leading zeros, a point without digits on both sides, spaces, nan and inf. -0 is
    left to the careful reader too: as an integer of Python it has no sign.
    """
    if not _begin_and_end(fields, places, _DIGITS | _table_of(b"-"), _DIGITS):
        return False
    start, end = fields.start[:, places].ravel(), fields.end[:, places].ravel()
    negative = fields.buffer[start] == _MINUS
    start += negative
    zero = fields.buffer[start] == _ZERO
    if not _DIGITS[fields.buffer[start]].all() or (negative & zero & (end - start == 1)).any():
        return False
    # No digit follows the value.
    if (zero & _DIGITS[fields.buffer[start + 1]]).any():
        return False
    found = np.flatnonzero((fields.buffer[:-1] == _POINT) & ((fields.buffer[1:] | 32) == _E))
    return not (found < end[np.maximum(np.searchsorted(start, found, "right") - 1, 0)]).any()


def _begin_and_end(fields: Fields, places: list[int], begins: Flags, ends: Flags) -> bool:
    """Whether values are not empty, not too long, and begin and end with some letters."""
    start, end = fields.start[:, places], fields.end[:, places]
    length = end - start
    if length.min() < 1 or length.max() > _LONGEST:
        return False
    return bool(begins[fields.buffer[start]].all() and ends[fields.buffer[end - 1]].all())
