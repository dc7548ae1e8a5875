"""Text with a record on each line: JSON Lines, and the tokens of Vowpal Wabbit.

A record is a value for each name; a list or an object of numbers is several columns at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from xentcli.errors import DataError, Place, shown
from xentcli.readers.source import BLOCK_BYTES, FlatTable, Rows, Selection, WholePart
from xentcli.readers.stream import ByteStream, read_range
from xentcli.readers.table import Column, rows_of_columns
from xentcli.readers.text.delimited import Dialect, blocks, check_text, looked_further
from xentcli.readers.text.ranges import cut
from xentcli.readers.wide import Flat
from xentcli.records import record, replace

if TYPE_CHECKING:
    from xentcli.readers.text.regular import Shape

__all__ = ["Form", "LinesPart", "LinesSource", "inner_of", "kind_of", "open_lines"]

LEAST_FAST = 1 << 12
"""The fast reader is slower on fewer bytes."""
_LARGEST = sys.float_info.max


@record(frozen=True)
class Form:
    """How a line is read.

    Attributes
    ----------
    name
        A name in READERS.
    record
        Makes a record of a line, or raises DataError without a place.
    shape
        Cuts the first line into the values of its columns, for the fast reader; None if it cannot.
    exact
        Whether every line has exactly the names of the first.
    """

    name: str
    record: Callable[[bytes], Mapping[str, Any]]
    shape: Callable[[bytes, Flat], Shape | None]
    exact: bool = False

    def record_at(self, line: bytes, place: Callable[[], Place]) -> Mapping[str, Any]:
        """Make a record of a line, or raise DataError with its place."""
        try:
            return self.record(line)
        except DataError as error:
            raise DataError(error.message, place=place(), advice=error.advice) from None


@record(frozen=True)
class LinesPart(WholePart):
    """Some lines: a range of a plain file, or the bytes of a stream."""

    path: str
    form: Form
    keys: tuple[str, ...]
    flat: Flat
    start: int
    line: int
    rows: int
    offset: int
    length: int
    data: bytes | None
    shape: Shape | None = None

    def load(self, selection: Selection) -> Rows:
        """Read the selected columns.

        Raises
        ------
        DataError
            For a line that is no object with the columns of the first.
        """
        data = read_range(self.path, self.offset, self.length) if self.data is None else self.data
        found = None if self.shape is None else self.shape.read(data, self.rows, selection)
        if found is None:
            return self._careful(data, selection)
        values, underflows = found
        rows = Rows(self.path, self.flat.names, selection, self.start, self.rows, values, self.line)
        return replace(rows, underflows=tuple(underflows))

    def split(self, rows: int) -> tuple[LinesPart, LinesPart]:
        """Return the first rows and the others."""
        data = read_range(self.path, self.offset, self.length) if self.data is None else self.data
        return cut(self, rows, int(np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))[rows - 1]) + 1)

    def _careful(self, data: bytes, selection: Selection) -> Rows:
        """Read line by line."""
        lines = data.rstrip(b"\r\n").split(b"\n")
        records = [self.form.record_at(text, partial(self._place, row)) for row, text in enumerate(lines)]
        used = sorted({self.flat.origin[c][0] for pick in selection.values() for c in pick.columns})
        if self.form.exact or any(pick.others for pick in selection.values()):
            for row, found in enumerate(records):
                self._check_names(found, row)
        shapes = dict(_shapes(self.flat))
        lists = {self.flat.origin[p.columns[0]][0] for p in selection.values() if p.as_ in ("lists", "texts")}
        cells = {
            index: [self._list(record, index, row) for row, record in enumerate(records)]
            if index in lists
            else [self._cell(record, index, shapes.get(index), row) for row, record in enumerate(records)]
            for index in used
        }

        def column(index: int) -> Column:
            origin, key = self.flat.origin[index]
            found = np.empty(len(records), dtype=object)
            found[:] = cells[origin] if key is None else [cell[key] for cell in cells[origin]]
            return found

        return rows_of_columns(self.path, self.flat.names, self.start, len(records), column, selection, self.line)

    def _place(self, row: int) -> Place:
        return Place(self.path, self.start + row + 1, self.line + row)

    def _check_names(self, record: Mapping[str, Any], row: int) -> None:
        if record.keys() == set(self.keys):
            return
        odd = next((name for name in record if name not in self.keys), None)
        missing = next((name for name in self.keys if name not in record), "")
        what = f"{shown(missing)} is missing" if odd is None else f"{shown(odd)} is new"
        advice = [f"the first line has {', '.join(self.keys[:12])}"]
        if not self.form.exact:
            advice.append("--preds NAME,... chooses the predictions, and lets other names come and go")
        raise DataError(f"{what}: every line has the same names", place=self._place(row), advice=tuple(advice))

    def _list(self, record: Mapping[str, Any], index: int, row: int) -> Any:
        """The value of a column of lists, which is checked later."""
        key = self.keys[index]
        if key not in record:
            raise DataError(f"there is no {shown(key)}, which the first line has", place=self._place(row))
        return record[key]

    def _cell(self, record: Mapping[str, Any], index: int, want: int | tuple[str, ...] | None, row: int) -> Any:
        key, value = self.keys[index], self._list(record, index, row)
        if isinstance(value, bool):
            return "true" if value else "false"
        inner = inner_of(value)
        if inner != want:
            place = Place(self.path, self.start + row + 1, self.line + row, key)
            raise DataError(f"{kind_of(inner, value)} where the first line has {kind_of(want)}", place=place)
        if inner is None and (value is None or isinstance(value, list | dict)):
            place = Place(self.path, self.start + row + 1, self.line + row, key)
            raise DataError(f"{json.dumps(value)[:60]} is no number and no text", place=place)
        return value


@record(frozen=True)
class LinesSource(FlatTable):
    """A file or stream of lines, each a record."""

    stream: ByteStream
    form: Form
    keys: tuple[str, ...]
    flat: Flat

    @property
    def format(self) -> str:
        """A name in READERS."""
        return self.form.name

    @property
    def _dialect(self) -> Dialect:
        return Dialect(quotes=False, limits=self.stream.limits)

    def _shape(self) -> Shape | None:
        """Return the shape of the first line, if the file is large enough for the fast reader."""
        if len(self.stream.head) < LEAST_FAST or not self.keys:
            return None
        return self.form.shape(self.stream.head.split(b"\n", 1)[0], self.flat)

    def numeric(self, column: int) -> None:
        """Return None: every value is checked."""

    def lines(self) -> int:
        """Count the rows by one pass over the bytes."""
        return sum(block.rows for block in blocks(self.stream, self._dialect, BLOCK_BYTES, 0, keep=False))

    def parts(self, block_bytes: int = BLOCK_BYTES) -> Iterator[LinesPart]:
        """Cut the lines into parts of about `block_bytes`."""
        start, shape = 0, self._shape()
        for block in blocks(self.stream, self._dialect, block_bytes, 0, keep=not self.stream.plain):
            kept = None if self.stream.plain else block.data
            yield LinesPart(
                self.path,
                self.form,
                self.keys,
                self.flat,
                start,
                block.line,
                block.rows,
                block.offset,
                block.length,
                kept,
                shape,
            )
            start += block.rows


def open_lines(stream: ByteStream, form: Form) -> LinesSource:
    """Open a file or stream of records: the names of the first line are the columns.

    Raises
    ------
    DataError
        When it is no record.
    """
    check_text(stream)
    while b"\n" not in stream.head and looked_further(stream):
        pass
    first = stream.head.split(b"\n", 1)[0]
    if not first.strip():
        while not stream.head.strip() and looked_further(stream):
            pass
        if stream.head.strip():
            raise DataError("the first line is blank", place=Place(stream.name, line=1))
        return LinesSource(stream, form, (), Flat((), ()))
    record = form.record_at(first, lambda: Place(stream.name, 1, 1))
    if not record:
        raise DataError("an object without names: there is nothing to score", place=Place(stream.name, 1, 1))
    columns = [(key, _columns_of(value)) for key, value in record.items()]
    return LinesSource(stream, form, tuple(record), Flat.of(columns))


def _columns_of(value: Any) -> int | tuple[str, ...] | None:
    """As `inner_of`; 0 of a list that is not of numbers alone, which may be one of lists of any length."""
    return 0 if isinstance(value, list) and inner_of(value) is None else inner_of(value)


def inner_of(value: Any) -> int | tuple[str, ...] | None:
    """Return the length of a list of numbers, or the keys of an object of numbers; else None."""
    if isinstance(value, list) and _are_numbers(value):
        return len(value)
    if isinstance(value, dict) and _are_numbers(value.values()):
        return tuple(sorted(value))
    return None


def _are_numbers(values: Collection[Any]) -> bool:
    """Whether there are values, and all are numbers."""
    types = {*map(type, values)}
    return types == {float} or (bool(types) and all(map(_is_number, values)))


def _is_number(value: Any) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) <= _LARGEST


def _shapes(flat: Flat) -> Iterator[tuple[int, int | tuple[str, ...]]]:
    for columns in flat.groups.values():
        index, key = flat.origin[columns[0]]
        keys = tuple(str(flat.origin[column][1]) for column in columns)
        yield index, len(columns) if isinstance(key, int) else keys


def kind_of(inner: int | tuple[str, ...] | None, value: Any = None) -> str:
    """Describe a value."""
    if inner is None:
        text = "a single value" if value is None else shown(json.dumps(value))
        return f"{text}, which is no list and no object of numbers," if value is not None else text
    if isinstance(inner, int):
        return f"a list of {inner} number{'s' * (inner != 1)}"
    return f"an object with {', '.join(inner[:6])}{', ...' * (len(inner) > 6)}"
