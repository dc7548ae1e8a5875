"""The probabilities that Vowpal Wabbit prints: ``class:probability`` tokens on each line."""

from __future__ import annotations

from xentcli.errors import DataError, Place, shown
from xentcli.readers.lines import Form, LinesSource, open_lines
from xentcli.readers.numerals import DECIMAL
from xentcli.readers.stream import ByteStream

__all__ = ["open_vw"]


def open_vw(stream: ByteStream) -> LinesSource:
    """Open a file or stream of tokens.

    Raises
    ------
    DataError
        When the first line has no such tokens.
    """
    return open_lines(stream, Form("vw", _record, exact=True))


def _record(text: bytes, place: Place) -> dict[str, str]:
    record: dict[str, str] = {}
    try:
        tokens = text.decode().split()
    except UnicodeDecodeError as error:
        raise DataError(f"byte 0x{text[error.start]:02x} is not UTF-8", place=place) from None
    for token in tokens:
        name, colon, value = token.rpartition(":")
        if not colon or not name or not DECIMAL.fullmatch(value):
            raise DataError(f"{shown(token)} where class:probability is expected", place=place)
        if name in record:
            raise DataError(f"class {shown(name)} is there twice", place=place)
        record[name] = value
    if not record:
        raise DataError("a blank line where class:probability is expected", place=place)
    return record
