"""Delimited text as rows of fields: one strict grammar (RFC 4180).

Rows end with LF or CRLF (or with CR in the whole file); fields are separated by one character; a
field with a delimiter, a quote or a line end is in double quotes, with quotes inside it doubled.
A text is cut into blocks of whole rows, and a block into rows and fields.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np

from xentcli.arrays import Bytes, Flags, Ints
from xentcli.columns.numerals import hundredths, is_number, pointed
from xentcli.errors import DataError, FileError, Place, shown
from xentcli.readers.compression import is_compressed
from xentcli.readers.limits import DEFAULT, Limits
from xentcli.readers.stream import ByteStream
from xentcli.readers.text.faults import Written, quote_advice
from xentcli.readers.text.ranges import TextRange
from xentcli.records import record, replace

__all__ = [
    "BLANK",
    "PAD",
    "Dialect",
    "Grammar",
    "RowScan",
    "blocks",
    "check_text",
    "looked_further",
    "room_for",
]

BLANK = " "
"""As a delimiter: a run of spaces and tabs; those at the ends of a line are skipped."""
PAD = 40
"""Padding before and after text, so that 8-byte words can be read beyond its ends."""
_NO_QUOTES = "--no-quotes reads a quote as any other character"


@record(frozen=True)
class Dialect:
    """Delimiter, row end, quoting, decimal separator, limits, and the columns of percentages."""

    delimiter: str = ","
    ends_with_cr: bool = False
    quotes: bool = True
    limits: Limits = DEFAULT
    decimal: str = "."
    percent: tuple[int, ...] = ()

    @property
    def runs(self) -> bool:
        """Whether a run of blanks separates fields."""
        return self.delimiter == BLANK

    @property
    def end(self) -> bytes:
        """The byte that ends a row; a CR may precede LF."""
        return b"\r" if self.ends_with_cr else b"\n"

    @property
    def blank_lines(self) -> bytes:
        """Pattern of blank lines."""
        return rb"\r*" if self.ends_with_cr else rb"(?:\r?\n)*"

    @property
    def stray_end(self) -> str:
        """Message for the other line end inside a row."""
        if self.ends_with_cr:
            return "a newline within a row of a file whose rows end with carriage returns"
        return "a carriage return within a row"


@record(frozen=False, eq=False)
class RowScan:
    """Search for row ends in bytes that may grow; each byte is examined once.

    position is the current offset; quoted is whether it is inside quotes.
    """

    position: int = 0
    quoted: bool = False

    def row_end(self, data: bytes | bytearray, dialect: Dialect, least: int = 0) -> int:
        """Return the offset after the next row end that is not before `least`; -1 if there is none yet.

        A line end after an odd number of quotes is inside a field.
        """
        while True:
            # Within quotes no row ends before the next quote.
            start = data.find(b'"', self.position) if self.quoted else self.position
            if start < 0:
                self.position = len(data)
                return -1
            found = data.find(dialect.end, max(least, start))
            stop = len(data) if found < 0 else found
            if dialect.quotes:
                self.quoted ^= _odd_quotes(data, self.position, stop)
            self.position = stop if found < 0 else found + 1
            if found < 0:
                return -1
            if not self.quoted:
                return self.position


def _odd_quotes(data: bytes | bytearray, begin: int, end: int) -> bool:
    """Whether the number of quotes between two offsets is odd.

    `find` is 20 times faster than `count` for the usual text without quotes; NumPy releases the GIL.
    """
    first = data.find(b'"', begin, end)
    if first < 0:
        return False
    return int(np.count_nonzero(np.frombuffer(data, np.uint8, end - first, first) == ord('"'))) % 2 == 1


def blocks(
    stream: ByteStream, dialect: Dialect, size: int, begin: int = 0, start: int = 0, *, keep: bool = True
) -> Iterator[TextRange]:
    """Yield blocks of whole rows, of `size` bytes or a row more; the first row has the number `start`.

    The first `begin` bytes and blank lines at the end of the file are skipped; a blank line before
    a row is a block of its own, which the grammar refuses. Without `keep` only the first block
    has its bytes.
    """
    buffer = bytearray()
    blanks = re.compile(dialect.blank_lines)
    scan, offset, line, skip = RowScan(), begin, 1, begin
    pending: TextRange | None = None

    def taken(length: int, rows: int | None = None) -> TextRange:
        nonlocal scan, offset, line, start
        with memoryview(buffer) as view, view[:length] as some:
            raw = np.frombuffer(some, np.uint8)
            lines = int(np.count_nonzero(raw == dialect.end[0]))
            found = _row_count(raw, lines, dialect, quoted=buffer.find(b'"', 0, length) >= 0) if rows is None else rows
            data = bytes(some) if keep or offset == begin or rows is not None else b""
            del raw
        block = TextRange(stream.name, start, line, found, offset, length, data)
        del buffer[:length]
        scan, offset, line, start = RowScan(), offset + length, line + lines, start + found
        return block

    for chunk in itertools.chain(stream.chunks(max(size, 1 << 16)), [b""]):
        buffer += chunk
        if skip:
            line += buffer.count(dialect.end, 0, skip)
            del buffer[:skip]
            skip = 0
        while buffer:
            blank = 0 if scan.position else _length(blanks, buffer)
            if blank:
                passed = taken(blank, 0)
                first = _first_end(passed.data or b"", dialect)
                pending = pending or replace(passed, data=first, length=len(first), rows=1)
                continue
            if buffer == b"\r":
                # Half of another blank line, or the end of the file.
                break
            if pending is not None:
                yield pending
                pending, start = None, start + 1
            end = scan.row_end(buffer, dialect, size - 1) if len(buffer) >= size else -1
            if end < 0 and chunk:
                if len(buffer) > dialect.limits.row + size:
                    raise _too_long(stream.name, buffer, dialect, line)
                break
            yield taken(_less_blanks(buffer, end if end >= 0 else len(buffer), dialect))


def _length(pattern: re.Pattern[bytes], data: bytearray) -> int:
    found = pattern.match(data)
    return found.end() if found else 0


def _first_end(blank: bytes, dialect: Dialect) -> bytes:
    return blank[: blank.index(dialect.end) + 1]


def _less_blanks(rows: bytearray, length: int, dialect: Dialect) -> int:
    """Return the length of rows without the blank lines after them."""
    content = length
    while content and rows[content - 1] in b"\r\n":
        content -= 1
    end = rows.find(dialect.end, content, length)
    return length if end < 0 else end + 1


def _too_long(path: str, buffer: bytearray, dialect: Dialect, line: int) -> FileError:
    """Return the error of a row that does not end; complete rows may precede it."""
    scan, begin = RowScan(), 0
    while (end := scan.row_end(buffer, dialect)) >= 0:
        begin = end
    quoted = dialect.quotes and b'"' in buffer
    return _row_too_long(path, dialect.limits, line + buffer.count(dialect.end, 0, begin), quoted=quoted)


def check_text(stream: ByteStream) -> None:
    """Raise DataError if the first bytes are UTF-16 or not text."""
    start = stream.head[:400]
    if is_compressed(start):
        raise DataError("compressed data within compressed data, or under a name of text", place=Place(stream.name))
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or start.count(b"\0") > len(start) // 4:
        raise DataError(
            "UTF-16 text or a binary file; UTF-8 text is expected",
            place=Place(stream.name),
            advice=Written(stream.name).by("iconv -f UTF-16 -t UTF-8", "if it is UTF-16: writes UTF-8"),
        )


def looked_further(stream: ByteStream) -> bool:
    """Double the head of a stream, up to the longest row; return whether there was more."""
    if len(stream.head) >= stream.limits.row:
        raise _row_too_long(stream.name, stream.limits, 1, quoted=b'"' in stream.head)
    return stream.look_further(2 * len(stream.head) + 1)


def _row_too_long(path: str, limits: Limits, line: int, *, quoted: bool) -> FileError:
    """Return the error of a row with too many bytes."""
    unclosed = f"an unclosed quote? {_NO_QUOTES}" if quoted else ""
    advice = (unclosed, "--max-field N allows rows of twice as many bytes")
    return FileError(f"a row is longer than {limits.row:,} bytes", place=Place(path, line=line), advice=advice)


def _row_count(raw: Bytes, lines: int, dialect: Dialect, *, quoted: bool) -> int:
    """Count the rows of bytes with `lines` line ends; the last may be without one."""
    unfinished = bool(raw[-1] != dialect.end[0])
    if not dialect.quotes or not quoted:
        return lines + unfinished
    inside = _inside_quotes(raw)
    return int(np.count_nonzero((raw == dialect.end[0]) > inside)) + (unfinished or bool(inside[-1]))


def row_ends(raw: Bytes, dialect: Dialect) -> Ints:
    """Return the places where rows end: the line ends that are not inside quotes."""
    ends: Flags = raw == dialect.end[0]
    return np.flatnonzero(ends > _inside_quotes(raw) if dialect.quotes else ends)


def _inside_quotes(raw: Bytes) -> Flags:
    """Return for each byte whether the number of quotes up to it is odd: bool[n].

    It is the prefix XOR of one bit per byte, in words of 64: Langdale and Lemire (2019), "Parsing gigabytes
    of JSON per second", section 3.1.1.
    """
    bits = np.packbits(raw == ord('"'), bitorder="little")
    words = np.zeros(-(-len(bits) // 8), dtype="<u8")
    words.view(np.uint8)[: len(bits)] = bits
    for shift in (1, 2, 4, 8, 16, 32):
        words ^= words << np.uint64(shift)
    # The highest bit of a word tells whether the next begins inside quotes.
    odd = np.bitwise_xor.accumulate(words >> np.uint64(63))
    words[1:] ^= np.negative(odd[:-1])
    return np.unpackbits(words.view(np.uint8), count=len(raw), bitorder="little").view(bool)


def room_for(size: int) -> tuple[Bytes, Bytes]:
    """Return a padded buffer for `size` bytes, and the view of these bytes."""
    buffer = np.empty(size + 2 * PAD + 1, dtype=np.uint8)
    buffer[:PAD] = buffer[PAD + size :] = ord("\n")
    return buffer, buffer[PAD : PAD + size]


@record(frozen=True)
class Grammar:
    """Splits text by a dialect; the path is for messages, as is the number of fields, if known."""

    path: str
    dialect: Dialect
    width: int | None = None

    def records(self, data: bytes, start: int, line: int) -> tuple[list[list[str]], tuple[int, ...] | None]:
        """Cut whole rows into fields; also return the line of each row, if there are quotes.

        `start` rows and `line` - 1 lines precede them. A blank line has no fields.

        Raises DataError for bytes that are not UTF-8, a NUL, a misplaced quote.
        """
        text = self._decoded(data, line)
        if self.dialect.quotes and '"' in text:
            return self._quoted(text, start, line)
        return self._bare(text, start, line), None

    def pointed(self, cells: list[str], place: Callable[[int], Place]) -> list[str]:
        """Return cells with points for decimal commas in numbers; `place` returns the place of a cell.

        Raises DataError for a number with a point.
        """
        if self.dialect.decimal == ".":
            return cells
        result = [pointed(cell) for cell in cells]
        if None in result:
            wrong = result.index(None)
            message = f"{shown(cells[wrong])} has a point; with --decimal , numbers have commas"
            raise DataError(message, place=place(wrong))
        return result  # type: ignore[return-value]

    def numerals(self, cells: list[str], columns: Sequence[int], place: Callable[[int], Place]) -> list[str]:
        """Return the cells of rows of these columns as `pointed` does, percentages as hundredths.

        Raises DataError for a number without a percent sign in a column of percentages.
        """
        pointed_ = self.pointed(cells, place)
        percent = [column in self.dialect.percent for column in columns]
        if not any(percent):
            return pointed_
        width, read = len(columns), list(pointed_)
        for index, cell in enumerate(pointed_):
            if percent[index % width]:
                read[index] = hundredths(cell, self.dialect.decimal)
                if read[index] == cell and is_number(cell) and "n" not in cell.lower():
                    raise DataError(
                        f"{shown(cells[index])} has no percent sign, and the first row of its column has one",
                        place=place(index),
                        advice="write all of the column with it, or none",
                    )
        return read

    def _bare(self, text: str, start: int, line: int) -> list[list[str]]:
        end, stray = ("\r", "\n") if self.dialect.ends_with_cr else ("\n", "\r")
        if end == "\n" and "\r" in text:
            text = text.replace("\r\n", "\n").removesuffix("\r")
        rows = text.removesuffix(end).split(end)
        if stray in text:
            row = next(index for index, content in enumerate(rows) if stray in content)
            raise DataError(self.dialect.stray_end, place=Place(self.path, start + row + 1, line + row))
        if self.dialect.runs:
            return [list(filter(None, row.replace("\t", BLANK).split(BLANK))) for row in rows]
        return [row.split(self.dialect.delimiter) if row else [] for row in rows]

    def _decoded(self, data: bytes, line: int) -> str:
        if b"\0" in data:
            line += data.count(self.dialect.end, 0, data.index(b"\0"))
            raise DataError(
                "a NUL byte; text is expected",
                place=Place(self.path, line=line),
                advice="UTF-16, a binary file, or a file that was not written to its end?",
            )
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            what, advice = _encoding(data, error, Written(self.path))
            place = Place(self.path, line=line + data.count(self.dialect.end, 0, error.start))
            raise DataError(f"byte 0x{data[error.start]:02x} is not UTF-8{what}", place=place, advice=advice) from None

    def _quoted(self, text: str, start: int, line: int) -> tuple[list[list[str]], tuple[int, ...]]:
        match_field = _field_pattern(self.dialect).match
        row_end = self.dialect.end.decode()
        records: list[list[str]] = []
        lines: list[int] = []
        position = 0
        while position < len(text):
            record: list[str] = []
            lines.append(line)
            end = None
            while end is None:
                match = match_field(text, position)
                if match is None:
                    raise self._quote_fault(text, position, Place(self.path, start + len(lines), line))
                quoted, bare, end = match.groups()
                record.append(bare if quoted is None else quoted.replace('""', '"'))
                line += quoted.count(row_end) if quoted else 0
                position = match.end()
            line += 1
            records.append([] if record == [""] and quoted is None else record)
        return records, tuple(lines)

    def _quote_fault(self, text: str, position: int, place: Place) -> DataError:
        fault = _fault(text, position, self.dialect)
        advice = quote_advice(text, position, Written(self.path, self.dialect.delimiter))
        if (
            not advice
            and fault != self.dialect.stray_end
            and _has_ordinary_quotes(text, position, self.dialect, self.width)
        ):
            advice = _NO_QUOTES
        return DataError(fault, place=place, advice=advice)


def _has_ordinary_quotes(text: str, position: int, dialect: Dialect, width: int | None) -> bool:
    """Whether the line of a fault has `width` fields if quotes are ordinary, and no name or number has any."""
    end = dialect.end.decode()
    line = text[:position].rsplit(end, 1)[-1] + text[position:].split(end, 1)[0]
    fields = line.split(None if dialect.runs else dialect.delimiter)
    plain = [field.strip() for field in fields]
    if any(re.fullmatch(r'".+"', field) or ('"' in field and is_number(field.replace('"', ""))) for field in plain):
        return False
    return '"' in line and width in (None, len(fields))


def _encoding(data: bytes, error: UnicodeDecodeError, written: Written) -> tuple[str, str]:
    """Return what bytes that are not UTF-8 look like, and the command that helps."""
    at = error.start
    following = data[at + 1 : at + 2]
    if error.reason == "unexpected end of data":
        return ": the text ends within a character", "is the file complete?"
    if following < b"\x80" and data[at] >= 0xA0:
        return "; Latin-1 or Windows-1252?", written.by("iconv -f CP1252 -t UTF-8", "writes UTF-8")
    if data[at] == 0xED:
        return ": half of a surrogate pair, which is not a character", "UTF-8 as Java or CESU-8 has it?"
    return "; another encoding, or no text at all?", written.by("iconv -f ENCODING -t UTF-8", "writes UTF-8")


@lru_cache(maxsize=8)
def _field_pattern(dialect: Dialect) -> re.Pattern[str]:
    """Return the pattern of a field: the inside of its quotes, or its text, and the row end if one follows."""
    blanks, delimiter, inside = "", re.escape(dialect.delimiter), re.escape(dialect.delimiter)
    if dialect.runs:
        blanks, delimiter, inside = r"[ \t]*+", r"[ \t]++", r" \t"
    end = r"\r|\Z" if dialect.ends_with_cr else r"\r?\n|\r?\Z"
    return re.compile(rf'{blanks}(?:"([^"]*+(?:""[^"]*+)*+)"|([^"{inside}\r\n]*))(?:{blanks}({end})|{delimiter})')


def _fault(text: str, position: int, dialect: Dialect) -> str:
    """Return why no field can be read at a position; the sample ends with its line."""
    sample = shown(re.split("[\r\n]", text[position : position + 30])[0])
    if text[position] != '"':
        bare = re.compile(r'[^"\r\n]*').match(text, position)
        if bare and text[bare.end() : bare.end() + 1] in ("\r", "\n"):
            return dialect.stray_end
        return f"a quote inside a field that does not begin with one: {sample}"
    if re.compile(r'"[^"]*+(?:""[^"]*+)*+"').match(text, position):
        return f"text after a closing quote: {sample}"
    return f"a quote that is never closed: {sample}"
