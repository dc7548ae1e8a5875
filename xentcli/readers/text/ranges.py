"""Cut a part of a text file in two at the end of a row."""

from __future__ import annotations

from typing import Protocol, TypeVar

from xentcli.records import replace

__all__ = ["cut", "rest_after"]


class TextPart(Protocol):
    """Rows of text: a byte range of a plain file, or the bytes of a stream (`data`)."""

    @property
    def start(self) -> int:
        """The number of rows before it."""
        ...

    @property
    def line(self) -> int:
        """The line of its first row, counted from 1."""
        ...

    @property
    def rows(self) -> int:
        """The number of its rows."""
        ...

    @property
    def offset(self) -> int:
        """The place of its first byte in the file."""
        ...

    @property
    def length(self) -> int:
        """The number of its bytes."""
        ...

    @property
    def data(self) -> bytes | None:
        """Its bytes; None where the file has them."""
        ...


P = TypeVar("P", bound=TextPart)


def cut(part: P, rows: int, size: int) -> tuple[P, P]:
    """Return the first `rows` rows of a part, which are `size` bytes and as many lines, and the rest."""
    data = None if part.data is None else part.data[:size]
    return replace(part, rows=rows, length=size, data=data), rest_after(part, rows, size, rows)


def rest_after(part: P, rows: int, size: int, lines: int) -> P:
    """Return a part without its first `rows` rows, which are `size` bytes in `lines` lines."""
    return replace(
        part,
        start=part.start + rows,
        line=part.line + lines,
        rows=part.rows - rows,
        offset=part.offset + size,
        length=part.length - size,
        data=None if part.data is None else part.data[size:],
    )
