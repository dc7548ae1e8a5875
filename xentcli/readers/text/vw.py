"""The probabilities that Vowpal Wabbit prints: ``class:probability`` tokens on each line, and perhaps its tag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xentcli.columns.numerals import DECIMAL
from xentcli.errors import DataError, shown
from xentcli.readers.nested import Field
from xentcli.readers.stream import ByteStream
from xentcli.readers.text.lines import Form, LinesSource, open_lines
from xentcli.readers.wide import Flat

if TYPE_CHECKING:
    from xentcli.readers.text.regular import Shape

__all__ = ["open_vw"]

_TAG = "tag"
"""The name of the column of tags."""


def open_vw(stream: ByteStream) -> LinesSource:
    """Open a file or stream of tokens.

    Raises DataError if the first line has no such tokens.
    """
    return open_lines(stream, Form("vw", _record, exact=True, shape=_shape))


def _record(text: bytes) -> dict[str, str]:
    record: dict[str, str] = {}
    try:
        tokens = text.decode().split()
    except UnicodeDecodeError as error:
        raise DataError(f"byte 0x{text[error.start]:02x} is not UTF-8") from None
    for place, token in enumerate(tokens, 1):
        name, colon, value = token.rpartition(":")
        if 2 < place == len(tokens) and not colon:
            name, value = _TAG, token
        elif not colon or not name or not DECIMAL.fullmatch(value):
            raise DataError(f"{shown(token)} where class:probability is expected")
        if name in record:
            raise DataError(f"class {shown(name)} appears twice")
        record[name] = value
    if not record:
        raise DataError("a blank line where class:probability is expected")
    return record


def _shape(line: bytes, fields: Sequence[Field], flat: Flat) -> Shape | None:
    """Return the shape of a line of tokens with one space between them; None of another, or with a tag."""
    from xentcli.readers.text.regular import Leaf, Shape

    end = b"\r" if line.endswith(b"\r") else b""
    names = [token.rpartition(b":")[0] + b":" for token in line.removesuffix(b"\r").split(b" ")]
    if [name[:-1].decode() for name in names] != list(flat.names):
        return None
    ends = [*[b""] * (len(names) - 1), end]
    leaves = tuple(Leaf("decimal", name, after) for name, after in zip(names, ends, strict=True))
    return Shape(" ", leaves, tuple(range(len(leaves))))
