"""Delimited text as rows of fields: one strict grammar (RFC 4180, and no more).

Rows end with LF or CRLF (or CR alone throughout); fields are separated by one
character; a field that holds a delimiter, a quote or a line end stands in double
quotes, with quotes doubled. Text is cut into blocks of whole rows without being
read, and a block into rows and fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from xentcli.errors import DataError, FileError, Place, shown
from xentcli.readers.stream import ByteStream

__all__ = ["DELIMITERS", "MAX_LINE", "Dialect", "Grammar", "blocks", "line_count", "row_end"]

DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon"}
MAX_LINE = 1 << 26


@dataclass(frozen=True)
class Dialect:
    """What separates fields and rows."""

    delimiter: str = ","
    ends_with_cr: bool = False

    @property
    def end(self) -> bytes:
        """The byte that ends a row; before LF there may be a CR."""
        return b"\r" if self.ends_with_cr else b"\n"


def row_end(data: bytes | bytearray, dialect: Dialect, start: int, least: int = 0) -> int:
    """Find the offset past the row end that first reaches `least`, or -1.

    A line end within quotes ends no row: the quotes before it are odd in number.
    """
    position = max(start, least)
    quotes = data.count(b'"', start, position)
    while (found := data.find(dialect.end, position)) >= 0:
        quotes += data.count(b'"', position, found)
        if quotes % 2 == 0:
            return found + 1
        position = found + 1
    return -1


def blocks(stream: ByteStream, dialect: Dialect, size: int, begin: int) -> Iterator[tuple[bytes, int]]:
    """Yield blocks of whole rows, of `size` bytes or a row more, with their row counts.

    The first `begin` bytes are passed over, and blank lines at the end of the file.
    """
    buffer = bytearray()
    skip = begin
    for chunk in stream.chunks(max(size, 1 << 16)):
        buffer += chunk
        if skip:
            del buffer[:skip]
            skip = 0
        done = 0
        while len(buffer) - done >= size:
            end = row_end(buffer, dialect, done, done + size - 1)
            while end >= 0 and not buffer[done:end].strip(b"\r\n"):
                # Blank lines wait for the row after them, whose error they are.
                end = row_end(buffer, dialect, end)
            if end < 0:
                break
            block = _without_blank_end(bytes(buffer[done:end]))
            yield block, _row_count(block, dialect)
            done += len(block)
        del buffer[:done]
        if len(buffer) > MAX_LINE + size:
            raise FileError(
                f"a row is longer than {MAX_LINE:,} bytes", place=Place(stream.name), advice="an unclosed quote?"
            )
    rest = _without_blank_end(bytes(buffer))
    if rest:
        yield rest, _row_count(rest, dialect)


def line_count(data: bytes) -> int:
    """Count the lines that end in these bytes."""
    return data.count(b"\n") or data.count(b"\r")


def _row_count(block: bytes, dialect: Dialect) -> int:
    if b'"' not in block:
        return block.count(dialect.end) + (not block.endswith(dialect.end))
    raw = np.frombuffer(block, np.uint8)
    inside = np.cumsum(raw == ord('"')) % 2 == 1
    ends = int(((raw == dialect.end[0]) & ~inside).sum())
    return ends + (not block.endswith(dialect.end) or bool(inside[-1]))


def _without_blank_end(block: bytes) -> bytes:
    """A block less the blank lines at its end; its last row keeps its own line end."""
    stripped = block.rstrip(b"\r\n")
    if not stripped:
        return b""
    tail = block[len(stripped) :]
    return stripped + (tail[:2] if tail[:2] == b"\r\n" else tail[:1])


@dataclass(frozen=True)
class Grammar:
    """The rules of a file, with what errors need to say where they happened."""

    path: str
    dialect: Dialect

    def records(self, data: bytes, start: int, line: int) -> tuple[list[list[str]], tuple[int, ...] | None]:
        """Cut whole rows into fields; also the line on which each begins, where quotes are used.

        `start` rows and `line` - 1 lines come before.

        Raises
        ------
        DataError
            For bytes that are not UTF-8, a NUL, a quote out of place.
        """
        text = self._decoded(data, line)
        if '"' in text:
            return self._quoted(text, start, line)
        end = "\r" if self.dialect.ends_with_cr else "\n"
        if end == "\n" and "\r" in text:
            text = text.replace("\r\n", "\n").removesuffix("\r")
        rows = text.removesuffix(end).split(end)
        if end == "\n" and "\r" in text:
            row = next(index for index, content in enumerate(rows) if "\r" in content)
            raise DataError("a carriage return within a row", place=Place(self.path, start + row + 1, line + row))
        return [row.split(self.dialect.delimiter) for row in rows], None

    def _decoded(self, data: bytes, line: int) -> str:
        if b"\0" in data:
            line += line_count(data[: data.index(b"\0")])
            raise DataError(
                "a NUL byte; text is expected", place=Place(self.path, line=line), advice="UTF-16 or a binary file?"
            )
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise DataError(
                f"byte 0x{data[error.start]:02x} is not UTF-8; Latin-1 or Windows-1252?",
                place=Place(self.path, line=line + line_count(data[: error.start])),
                advice="iconv -f CP1252 -t UTF-8 writes it as UTF-8",
            ) from None

    def _quoted(self, text: str, start: int, line: int) -> tuple[list[list[str]], tuple[int, ...]]:
        match_field = _field_pattern(self.dialect).match
        records: list[list[str]] = []
        lines: list[int] = []
        position = 0
        while position < len(text):
            record: list[str] = []
            lines.append(line)
            end = self.dialect.delimiter
            while end == self.dialect.delimiter:
                match = match_field(text, position)
                if match is None:
                    raise DataError(_fault(text, position), place=Place(self.path, start + len(lines), line))
                quoted, bare, end = match.groups()
                record.append(bare if quoted is None else quoted.replace('""', '"'))
                line += quoted.count("\n") if quoted else 0
                position = match.end()
            line += 1
            records.append(record)
        return records, tuple(lines)


@lru_cache(maxsize=8)
def _field_pattern(dialect: Dialect) -> re.Pattern[str]:
    delimiter = re.escape(dialect.delimiter)
    end = r"\r" if dialect.ends_with_cr else r"\r?\n|\r?\Z"
    return re.compile(rf'(?:"([^"]*(?:""[^"]*)*)"|([^"{delimiter}\r\n]*))({delimiter}|{end}|\Z)')


def _fault(text: str, position: int) -> str:
    sample = shown(text[position : position + 30])
    if text[position] != '"':
        bare = re.compile(r'[^"\r\n]*').match(text, position)
        if bare and text[bare.end() : bare.end() + 1] == "\r":
            return "a carriage return within a row"
        return f"a quote inside a field that does not begin with one: {sample}"
    if re.compile(r'"[^"]*(?:""[^"]*)*"').match(text, position):
        return f"text after a closing quote: {sample}"
    return f"a quote that is never closed: {sample}"
