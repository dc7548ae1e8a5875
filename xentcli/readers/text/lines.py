"""Text with a record on each line: JSON Lines, and the tokens of Vowpal Wabbit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from xentcli.errors import DataError, Place
from xentcli.readers.nested import Field, fields_of, flat_of_fields
from xentcli.readers.nested_rows import Records
from xentcli.readers.source import BLOCK_BYTES, FlatTable, Rows, Selection, WholePart
from xentcli.readers.stream import ByteStream
from xentcli.readers.text.delimited import Dialect, blocks, check_text, looked_further
from xentcli.readers.text.faults import Written
from xentcli.readers.text.ranges import TextRange
from xentcli.readers.wide import Flat
from xentcli.records import record, replace

if TYPE_CHECKING:
    from xentcli.readers.text.regular import Shape

__all__ = ["Form", "LinesPart", "LinesSource", "open_lines"]

LEAST_FAST = 1 << 12
"""The fast reader is slower on fewer bytes."""
SAMPLE = 20
"""Lines after the first that must agree with what it seems to be."""


@record(frozen=True)
class Form:
    """How a line is read.

    Attributes
    ----------
    name
        A name in READERS.
    record
        Makes a record of a line, or raises DataError without a place.
    exact
        Whether every line has exactly the names of the first.
    advice
        How to make the writer of the file write all names.
    shape
        Cuts the first line into the values of its columns, for the fast reader; None if it cannot.
    """

    name: str
    record: Callable[[bytes], Any]
    exact: bool = False
    advice: str = ""
    shape: Callable[[bytes, Sequence[Field], Flat], Shape | None] | None = None

    def record_at(self, line: bytes, place: Callable[[], Place]) -> Any:
        """Make a record of a line, or raise DataError with its place."""
        try:
            return self.record(line)
        except DataError as error:
            raise DataError(error.message, place=place(), advice=error.advice) from None


@record(frozen=True)
class LinesPart(TextRange, WholePart):
    """Some lines of a file."""

    form: Form
    fields: tuple[Field, ...]
    flat: Flat
    shape: Shape | None = None
    numbered: bool = True

    def load(self, selection: Selection) -> Rows:
        """Read the selected columns.

        Raises DataError for a line without the columns of the first.
        """
        data = self.read(self.length)
        found = None if self.shape is None else self.shape.read(data, self.rows, selection)
        if found is None:
            return self._careful(data, selection)
        values, underflows = found
        line = self.line if self.numbered else None
        rows = Rows(self.path, self.flat.names, selection, self.start, self.rows, values, line)
        return replace(rows, underflows=tuple(underflows))

    def split(self, rows: int) -> tuple[LinesPart, LinesPart]:
        """Return the first rows and the others."""
        ends = np.flatnonzero(np.frombuffer(self.read(self.length), np.uint8) == ord("\n"))
        return self.cut(rows, int(ends[rows - 1]) + 1, rows)

    def _careful(self, data: bytes, selection: Selection) -> Rows:
        """Read line by line."""
        texts = data.rstrip(b"\r\n").split(b"\n")
        found = [self.form.record_at(text, partial(self._place, row)) for row, text in enumerate(texts)]
        line = self.line if self.numbered else None
        exact, advice = self.form.exact, self.form.advice
        return Records(self.path, self.fields, self.flat, self.start, line, found, exact, advice).load(selection)

    def _place(self, row: int) -> Place:
        return Place(self.path, self.start + row + 1, self.line + row if self.numbered else None)


@record(frozen=True)
class LinesSource(FlatTable):
    """A file or stream of lines, each a record; `numbered` where a line is one of the file."""

    stream: ByteStream
    form: Form
    fields: tuple[Field, ...]
    flat: Flat
    numbered: bool = True

    @property
    def format(self) -> str:
        """A name in READERS."""
        return self.form.name

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns; none where each line is a list or a single value."""
        return self.flat.names if any(self.flat.names) else ()

    @property
    def _dialect(self) -> Dialect:
        return Dialect(quotes=False, limits=self.stream.limits)

    def _shape(self) -> Shape | None:
        """Return the shape of the first line, if the file is large enough for the fast reader."""
        if len(self.stream.head) < LEAST_FAST or not self.fields or self.form.shape is None:
            return None
        return self.form.shape(self.stream.head.split(b"\n", 1)[0], self.fields, self.flat)

    def lines(self) -> int:
        """Count the rows by one pass over the bytes."""
        return sum(block.rows for block in blocks(self.stream, self._dialect, BLOCK_BYTES, keep=False))

    def parts(self, block_bytes: int = BLOCK_BYTES) -> Iterator[LinesPart]:
        """Cut the lines into parts of about `block_bytes`."""
        here, shape = self.stream.here, self._shape()
        for block in blocks(self.stream, self._dialect, block_bytes, keep=not here):
            yield block.made(
                LinesPart,
                here=here,
                form=self.form,
                fields=self.fields,
                flat=self.flat,
                shape=shape,
                numbered=self.numbered,
            )


def open_lines(stream: ByteStream, form: Form, *, numbered: bool = True) -> LinesSource:
    """Open a file or stream of records: the fields of the first line are the columns.

    Without `numbered` the lines are not those of the file, and messages name rows alone.

    Raises DataError if it is no record.
    """
    check_text(stream)
    while b"\n" not in stream.head and looked_further(stream):
        pass
    first, *others = stream.head.split(b"\n")
    line = 1 if numbered else None
    if not first.strip():
        while not stream.head.strip() and looked_further(stream):
            pass
        if stream.head.strip():
            raise DataError(
                "the first line is blank" if numbered else "a blank row", place=Place(stream.name, line=line)
            )
        return LinesSource(stream, form, (), Flat((), ()), numbered)
    record = form.record_at(first, lambda: Place(stream.name, 1, line))
    after = list(_readable(form, others[:-1][:SAMPLE]))
    if numbered and _stands_apart(record, after):
        raise DataError(
            "the first line has no name of the lines after it",
            place=Place(stream.name, 1, line),
            advice=Written(stream.name).by("tail -n +2", "skips the first line, if it is about the whole file"),
        )
    fields = fields_of(record, after)
    if not fields:
        raise DataError("an object without names: there is nothing to score", place=Place(stream.name, 1, line))
    return LinesSource(stream, form, fields, flat_of_fields(fields), numbered)


def _stands_apart(first: Any, others: Sequence[Any]) -> bool:
    """Whether a first object (such as the summary line of a log) shares no key with the others, which agree."""
    if len(others) < 2 or not all(isinstance(one, dict) and one for one in (first, *others)):
        return False
    shared = set.intersection(*({*one} for one in others))
    return bool(shared) and not any(first.keys() & one.keys() for one in others)


def _readable(form: Form, lines: Sequence[bytes]) -> Iterator[Any]:
    """Yield the records of lines; what is wrong with one is said when it is read."""
    for line in lines:
        with contextlib.suppress(DataError):
            yield form.record(line)
