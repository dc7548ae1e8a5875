"""Delimited text files: an optional header, and columns of text or numbers.

No types are guessed: labels are text, and numbers follow numerals.py. Every row has as many
fields as the first.
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from xentcli.arrays import Bytes
from xentcli.columns.column import Values
from xentcli.columns.missing import as_nan, is_missing
from xentcli.columns.numerals import hundredths, in_points, is_number, number_hint, numbers
from xentcli.errors import DataError, Place, UsageError, shown
from xentcli.readers.source import BLOCK_BYTES, TASK_ROWS, OfStream, Rows, Selection, Traits, merged_rows
from xentcli.readers.stream import ByteStream, fill_range, open_range
from xentcli.readers.text.cells import CellsSource
from xentcli.readers.text.delimited import (
    BLANK,
    Dialect,
    Grammar,
    RowScan,
    blocks,
    room_for,
    row_ends,
)
from xentcli.readers.text.faults import (
    Written,
    above_or_below,
    before_table,
    below,
    cell_advice,
    may_be_title,
    row_fault,
)
from xentcli.readers.text.opening import opening_of
from xentcli.readers.text.ranges import TextRange
from xentcli.records import cached_property, record, replace

__all__ = ["CsvPart", "CsvSource", "check_delimiter", "open_csv"]

LEAST_FAST = 1 << 12
"""The fast reader is slower on fewer bytes."""
PIECE_FIELDS = 110_000
"""About the most numbers of a piece, or four times as many other fields: each takes memory."""
_FEW = 20
"""The most names that advice writes out."""
LOOK_BYTES = 1 << 16
"""Bytes in which the first rows are searched."""
PIECE_BYTES = 1 << 21
"""With larger pieces the fields leave the cache; with smaller ones threads wait for each other (the GIL)."""


@record(frozen=True)
class CsvPart(TextRange):
    """Rows of a delimited text file."""

    grammar: Grammar
    names: tuple[str, ...]
    width: int

    def load(self, selection: Selection) -> Rows:
        """Read the selected columns, checking every row's number of fields.

        Raises DataError for a row with too few or too many fields, or a field that is not a number where one is
        expected.
        """
        return merged_rows(list(self.pieces(selection)))

    def pieces(self, selection: Selection) -> Iterator[Rows]:
        """Read them in pieces by the fast reader; pieces that it declines by the careful one."""
        read = sum(len(pick.columns) for pick in selection.values() if pick.as_ == "numbers")
        fields = self.rows * (self.width + 3 * read)
        part, usual = self, min(PIECE_BYTES, 4 * PIECE_FIELDS * self.length // max(1, fields))
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(open_range(self.path)) if self.data is None else None
            while part.rows:
                found = part._piece(usual, file, selection)
                if found is None:
                    usual *= 2
                    continue
                rows, size, lines = found
                part = part.after(rows.count, size, lines)
                yield rows
        if part.length:
            raise RuntimeError(f"{self.path}: more rows were read than counted")

    def _piece(self, usual: int, file: io.RawIOBase | None, selection: Selection) -> tuple[Rows, int, int] | None:
        """Read rows of about `usual` bytes: return them, their bytes and their lines; None if no row ends there."""
        size, dialect = self.length if self.length < usual + LEAST_FAST else usual, self.grammar.dialect
        buffer, text = self._read(size, file)
        if size < self.length:
            size = text.tobytes().rfind(dialect.end) + 1
            if not size:
                return None
        rows = self._fast(buffer, size, selection) if size >= LEAST_FAST else None
        if rows is not None:
            return rows, size, rows.count
        data = text[:size].tobytes()
        if size < self.length and dialect.quotes and data.count(b'"') % 2:
            # The last line end may be inside quotes.
            data = self._read(self.length, file)[1].tobytes()
        return self._careful(data, selection), len(data), data.count(dialect.end)

    def first(self, rows: int) -> CsvPart:
        """Return the first rows, if they are few; else all."""
        found = None if rows >= self.rows else self._split(rows, LOOK_BYTES)
        return self if found is None else found[0]

    def split(self, rows: int) -> tuple[CsvPart, CsvPart] | None:
        """Return the first rows and the others."""
        return self._split(rows, self.length)

    def _split(self, rows: int, look: int) -> tuple[CsvPart, CsvPart] | None:
        """Return the first rows, if they end within `look` bytes, and the others."""
        raw = np.frombuffer(self.read(min(self.length, look)), np.uint8)
        ends = row_ends(raw, self.grammar.dialect)
        if len(ends) < rows:
            return None
        size = int(ends[rows - 1]) + 1
        return self.cut(rows, size, int(np.count_nonzero(raw[:size] == raw[size - 1])))

    def _read(self, size: int, file: io.RawIOBase | None) -> tuple[Bytes, Bytes]:
        """Return a buffer with the first `size` bytes, and the view of these bytes."""
        buffer, text = room_for(size)
        if self.data is not None:
            text[:] = np.frombuffer(self.data, np.uint8, size)
        elif file is not None:
            fill_range(file, self.path, self.offset, text.data)
        return buffer, text

    def _fast(self, buffer: Bytes, size: int, selection: Selection) -> Rows | None:
        """Read a piece by the fast reader; None if it declines."""
        from xentcli.readers.text.fields import fields_in

        fields = fields_in(buffer, size, self.grammar.dialect, self.width)
        most = self.grammar.dialect.limits.field
        if fields is None or fields.rows > self.rows or (size > most and fields.longer_than(most)):
            return None
        values: dict[str, Values] = {}
        underflows: list[tuple[str, int]] = []
        percent = {*self.grammar.dialect.percent}
        for role, pick in selection.items():
            if pick.as_ == "numbers":
                if not percent.isdisjoint(pick.columns):
                    return None
                found = fields.numbers(pick.chosen)
                if found is None:
                    return None
                values[role] = found[0]
                underflows += [(role, index // len(pick.columns)) for index in found[1]]
            else:
                column = pick.columns[0]
                values[role] = fields.texts(column) if pick.as_ == "text" else fields.coded(column)
        underflowed = tuple(underflows)
        return Rows(self.path, self.names, selection, self.start, fields.rows, values, self.line, underflowed)

    def _careful(self, data: bytes, selection: Selection) -> Rows:
        records, lines = self.grammar.records(data, self.start, self.line)
        self._check(records, lines, whole=len(data) == self.length)
        values: dict[str, Values] = {}
        underflows: list[tuple[str, int]] = []
        rows = Rows(self.path, self.names, selection, self.start, len(records), values, lines or self.line)
        for role, pick in selection.items():
            if pick.as_ != "numbers":
                column = pick.columns[0]
                values[role] = texts = [record[column] for record in records]
                if pick.as_ == "values":
                    # A label with a decimal comma is kept as text.
                    self.grammar.pointed(texts, partial(self._place_of, rows, role, 1))
                continue
            width = len(pick.columns)
            cells = [record[c] for record in records for c in pick.columns]
            cells = as_nan(cells) if pick.missing else cells
            place = partial(self._place_of, rows, role, width)
            found = numbers(self.grammar.numerals(cells, pick.columns, place))
            if isinstance(found, int):
                whole = len(data) == self.length
                raise self._cell_fault(cells, found, rows, role, last=whole and self._is_last)
            values[role] = found[0].reshape(len(records), len(pick.columns))
            underflows += [(role, index // len(pick.columns)) for index in found[1]]
        return replace(rows, underflows=tuple(underflows))

    def _place_of(self, rows: Rows, role: str, width: int, cell: int) -> Place:
        return rows.place(role, cell // width, cell % width)

    @property
    def _is_last(self) -> bool:
        """Whether it is the end of a plain file."""
        return self.data is None and self.offset + self.length == os.path.getsize(self.path)

    def _cell_fault(self, cells: list[str], index: int, rows: Rows, role: str, *, last: bool) -> DataError:
        """The error of a cell that is not a number, among the cells of a role, row by row."""
        columns = rows.selection[role].columns
        row, column = divmod(index, len(columns))
        cell = cells[index]
        if self.names and not self.names[columns[column]] and not cell.strip():
            return self._unnamed_fault(columns, rows.place(role, row))
        written, decimal = Written(self.path, self.grammar.dialect.delimiter), self.grammar.dialect.decimal
        outside = above_or_below(
            [hundredths(in_points(text, decimal), decimal) for text in cells[column :: len(columns)]],
            row,
            lambda place: rows.place(role, place).line,
            written,
            titled=not self.start and may_be_title(self.names),
            last=last,
        )
        pick = rows.selection[role]
        return DataError(
            f"{shown(cell)} is not a number",
            place=rows.place(role, row, column),
            advice=(pick.if_missing if is_missing(cell) else "")
            or written.apart(cell)
            or number_hint(in_points(cell, decimal))
            or cell_advice(cell, written)
            or outside
            or pick.advice * (self.width > 1),
        )

    def _unnamed_fault(self, columns: Sequence[int], place: Place) -> DataError:
        """Return the error of an empty cell in a column without a name."""
        keep = f"--preds {self._named(columns)} leaves the empty column out"
        advice = f"a delimiter at the end of every line? {keep}"
        return DataError("an empty cell in a column without a name", place=place, advice=advice)

    def _named(self, columns: Sequence[int]) -> str:
        """What --preds calls those columns that have names."""
        names = [self.names[column] for column in columns if self.names[column]]
        plain = 0 < len(names) <= _FEW and not any(set(name) & {",", "@", "#"} for name in names)
        return shlex.quote(",".join(names)) if plain else "NAME,..."

    def _check(self, records: list[list[str]], lines: tuple[int, ...] | None, *, whole: bool) -> None:
        places = lines or range(self.line, self.line + len(records))
        limits = self.grammar.dialect.limits
        if self.length > limits.field:
            for cells, line in zip(records, places, strict=True):
                limits.check_field(max(map(len, cells), default=0), Place(self.path, line=line))
        for index, (cells, line) in enumerate(zip(records, places, strict=True)):
            if len(cells) != self.width:
                last = whole and self._is_last and index == len(records) - 1
                raise self._row_fault(records, index, Place(self.path, self.start + index + 1, line), last=last)
        if len(records) > self.rows or (whole and len(records) < self.rows):
            raise RuntimeError(f"{self.path}: {self.rows} rows were counted and {len(records)} read")

    def _row_fault(self, records: list[list[str]], index: int, place: Place, *, last: bool) -> DataError:
        """Return the error of a row with a different number of fields."""
        written = Written(self.path, self.grammar.dialect.delimiter)
        message, advice = row_fault(records[index], self.width, place.line or 0, written)
        if not self.start and not advice.startswith("python3"):
            # Earlier rows may be lines above the table, unless quotes explain this row.
            first = [self.names] * bool(self.names) + records
            advice = before_table([written.delimiter.join(cells) for cells in first], written) or advice
        if last and place.line and not advice and not any(map(is_number, records[index])):
            advice = below(place.line - 1, written)
        return DataError(message, place=place, advice=advice)


@record(frozen=True)
class CsvSource(OfStream):
    """A delimited text file or stream.

    first_fields are the fields of the first line; `with_header` decides whether they are a header. named
    says that they can only be one, or only be data. lists are the lengths of lists in cells, by column.
    """

    stream: ByteStream
    dialect: Dialect
    first_fields: tuple[str, ...]
    begin: int = 0
    header: bool | None = None
    named: bool | None = None
    lists: tuple[int | None, ...] = ()
    format: str = "csv"
    tabular: bool = True
    shape: tuple[int, ...] = ()

    @property
    def traits(self) -> Traits:
        """What only some sources have."""
        return Traits(decimal=self.dialect.decimal, percent=self.dialect.percent)

    @cached_property
    def first_in_points(self) -> tuple[str, ...]:
        """The fields of the first line, numbers with a point whatever the decimal separator."""
        decimal = self.dialect.decimal
        fields = [in_points(text, decimal) for text in self.first_fields]
        return tuple(hundredths(t, decimal) if c in self.dialect.percent else t for c, t in enumerate(fields))

    @property
    def row_names(self) -> int | None:
        """The first column if it has no name, as pandas writes its index."""
        return 0 if self.names[:1] == ("",) and self.width > 1 else None

    @property
    def width(self) -> int:
        """Fields of a row."""
        return len(self.first_fields)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the header, numbers such as #1 in place of those that repeat; empty without one."""
        counts = Counter(self.first_fields) if self.header else {}
        if len(counts) == self.width:
            return self.first_fields
        return tuple(
            f"#{column + 1}" if counts[name] > 1 else name
            for column, name in enumerate(self.first_fields * bool(counts))
        )

    @property
    def task_bytes(self) -> int:
        """About how many bytes make a part: at most those of TASK_ROWS rows."""
        rows = max(1, self.stream.head.count(self.dialect.end))
        most = max(1 << 16, TASK_ROWS * len(self.stream.head) // rows)
        return min(most, self.task_of_pieces)

    def _second_header(self) -> str:
        """Return the command that makes one line of two lines of names, of groups of columns and of columns.

        A third line may have the name of the index alone, as pandas writes it.
        """
        lines = self.stream.head.decode(errors="replace").splitlines()[1:4]
        rows = [[field.strip('" ') for field in line.split(self.dialect.delimiter)] for line in lines]
        width = len(self.first_fields)
        if len(rows) < 2 or {*map(len, rows)} != {width}:
            return ""
        of_index = len(rows) > 2 and rows[1][0] != "" and not any(rows[1][1:])
        names = [own or group for group, own in zip(self.first_fields, rows[0], strict=True)]
        below = rows[2 if of_index else 1]
        if len({*names}) < width or any(map(is_number, names)) or not any(map(is_number, below)):
            return ""
        if all(rows[0]) and not of_index:
            return Written(self.path).by("tail -n +2", "skips the first of two lines of names")
        given = "" if self.dialect.delimiter == "," else f", delimiter={self.dialect.delimiter!r}"
        code = (
            f"import csv, sys; r, w = csv.reader(sys.stdin{given}), csv.writer(sys.stdout{given}); "
            f"w.writerow([{'z or ' * of_index}y or x for x, y{', z' * of_index} in "
            f"zip({', '.join(['next(r)'] * (3 if of_index else 2))})]); w.writerows(r)"
        )
        return Written(self.path).by(
            f"python3 -c {shlex.quote(code)}", f"makes one of {3 if of_index else 2} lines of names"
        )

    def flattened(self) -> CsvSource:
        """Return it unchanged: a table is not flattened."""
        return self

    def with_header(self, header: bool, *, numbered: bool = False) -> CsvSource | CellsSource:
        """Return the source with its first line as a header, or as data.

        With `numbered` columns of one name are taken by number; they have no other name.

        Raises DataError if two columns have the same name, or the line cannot be data.
        """
        if self.named is not None and self.named != header:
            why = (
                "a header: a comment, or one name less than there are columns"
                if self.named
                else "data: it has a list, or features"
            )
            advice = f"leave --{'no-' * self.named}header out"
            raise DataError(f"the first line is {why}", place=Place(self.path, line=1), advice=advice)
        name, count = Counter(self.first_fields).most_common(1)[0] if self.first_fields else ("", 0)
        if header and count > 1 and not numbered:
            raise DataError(
                f"{count} columns are called {shown(name)}",
                place=Place(self.path, line=1),
                advice=(
                    self._second_header(),
                    "--preds '#N,...' and --label '#N' choose columns by number",
                    "or --no-header if the first line is data",
                ),
            )
        table = replace(self, header=header)
        return CellsSource.of(self.stream, table, self.lists) if self.lists else table

    def parts(self, block_bytes: int = BLOCK_BYTES) -> Iterator[CsvPart]:
        """Cut the rows after the header into parts of about `block_bytes`."""
        # If names are quoted, quotes are not ordinary: 0 fields match no line.
        width = 0 if self.stream.head.startswith(b'"', self.begin) else self.width
        grammar = Grammar(self.path, self.dialect, width)
        pending: CsvPart | None = None
        for part in self._blocks(grammar, min(block_bytes, BLOCK_BYTES) if self.stream.here else block_bytes):
            if pending is None:
                pending = part
            elif pending.offset + pending.length == part.offset and pending.length + part.length <= block_bytes:
                pending = replace(pending, rows=pending.rows + part.rows, length=pending.length + part.length)
            else:
                yield pending
                pending = part
            if pending.length >= block_bytes or not self.stream.here:
                yield pending
                pending = None
        if pending is not None:
            yield pending

    def _blocks(self, grammar: Grammar, size: int) -> Iterator[CsvPart]:
        """Cut them into blocks of about `size` bytes."""
        here, start = self.stream.here, -1 if self.header else 0
        for block in blocks(self.stream, self.dialect, size, self.begin, start, keep=not here):
            rows = self._below_header(block) if block.start < 0 else block
            if rows.rows:
                yield rows.made(CsvPart, here=here, grammar=grammar, names=self.names, width=self.width)

    def _below_header(self, block: TextRange) -> TextRange:
        data = block.data or b""
        end = RowScan().row_end(data, self.dialect)
        size = block.length if end < 0 else end
        return block.after(1, size, data.count(self.dialect.end, 0, size))

    def share_of(self, rows: int) -> float | None:
        """Return the estimated fraction of all rows, from the mean length of the first rows; None for a stream."""
        size = len(self.stream.head), self.stream.size
        if not self.stream.plain or size[1] is None:
            return None
        seen = self.stream.head.count(self.dialect.end)
        return min(1.0, rows * size[0] / max(1, seen) / max(1, size[1]))

    def lines(self) -> int:
        """Count the rows, a header line included, by one pass over the bytes."""
        return sum(block.rows for block in blocks(self.stream, self.dialect, BLOCK_BYTES, self.begin, keep=False))


def open_csv(
    stream: ByteStream,
    delimiter: str | None = None,
    decimal: str = ".",
    decimal_named: bool = True,
    quotes: bool = True,
) -> CsvSource:
    """Open delimited text: detect the delimiter and the row end, and read the fields of the first line.

    Raises DataError if it is not UTF-8 text, or several delimiters fit.
    """
    found = opening_of(stream, delimiter, Dialect(decimal=decimal, quotes=quotes), decimal_named)
    stream.limits.check_field(max(map(len, found.fields), default=0), Place(stream.name, line=1))
    return CsvSource(stream, found.dialect, found.fields, found.begin, named=found.named, lists=found.lists)


def check_delimiter(text: str) -> str:
    r"""Return the one character that an option names.

    Raises UsageError if it is not one character, or one that no file can use.

    >>> check_delimiter("tab"), check_delimiter(";")
    ('\t', ';')
    """
    named = {"\\t": "\t", "tab": "\t", "comma": ",", "semicolon": ";", "space": BLANK, "pipe": "|"}
    found = named.get(text, text)
    if len(found) != 1 or found in '"\r\n' or not found.isascii():
        raise UsageError(f"--delimiter is one character such as , or ; or tab, not {shown(text)}")
    return found
