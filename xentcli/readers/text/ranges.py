"""Rows of a text: a byte range of its file, or the bytes themselves, which can be cut at the end of a row."""

from __future__ import annotations

from typing import Any, Self, TypeVar

from xentcli.readers.stream import read_range
from xentcli.records import fields_of, record, replace

__all__ = ["TextRange"]

P = TypeVar("P", bound="TextRange")


@record(frozen=True)
class TextRange:
    """Rows of text.

    Attributes
    ----------
    path
        The name of the file.
    start, line, rows
        The number of rows before it, the line of its first row (from 1), and the number of its rows.
    offset, length
        The place of its first byte in the file, and the number of its bytes.
    data
        Its bytes; None where the file has them.
    """

    path: str
    start: int
    line: int
    rows: int
    offset: int
    length: int
    data: bytes | None

    @property
    def size(self) -> int:
        """How many bytes are read for it."""
        return self.length

    def made(self, part: type[P], *, here: bool, **more: Any) -> P:
        """Return a part of these rows; `here` the file has their bytes."""
        return part(**{**fields_of(self), "data": None if here else self.data, **more})

    def read(self, size: int) -> bytes:
        """Return its first `size` bytes."""
        return read_range(self.path, self.offset, size) if self.data is None else self.data[:size]

    def cut(self, rows: int, size: int, lines: int) -> tuple[Self, Self]:
        """Return its first `rows` rows, which are `size` bytes in `lines` lines, and the rest."""
        data = None if self.data is None else self.data[:size]
        return replace(self, rows=rows, length=size, data=data), self.after(rows, size, lines)

    def after(self, rows: int, size: int, lines: int) -> Self:
        """Return it without its first `rows` rows, which are `size` bytes in `lines` lines."""
        return replace(
            self,
            start=self.start + rows,
            line=self.line + lines,
            rows=self.rows - rows,
            offset=self.offset + size,
            length=self.length - size,
            data=None if self.data is None else self.data[size:],
        )
