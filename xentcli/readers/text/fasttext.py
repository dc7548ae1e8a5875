"""What ``fasttext predict-prob MODEL FILE -1`` prints: pairs of a label and its probability, in any order.

The names keep their prefix: labels match them with it and without.
"""

from __future__ import annotations

from xentcli.columns.numerals import DECIMAL
from xentcli.errors import DataError, shown
from xentcli.readers.stream import ByteStream
from xentcli.readers.text.lines import Form, LinesSource, open_lines

__all__ = ["open_fasttext"]

_ALL = "all classes in each line: fasttext predict-prob MODEL FILE -1"


def open_fasttext(stream: ByteStream) -> LinesSource:
    """Open a file or stream of pairs.

    Raises DataError if the first line has no such pairs.
    """
    return open_lines(stream, Form("fasttext", _record, exact=True, advice=_ALL))


def _record(text: bytes) -> dict[str, str]:
    try:
        words = text.decode().split()
    except UnicodeDecodeError as error:
        raise DataError(f"byte 0x{text[error.start]:02x} is not UTF-8") from None
    if not words or len(words) % 2:
        raise DataError(f"{len(words)} words where pairs of a label and a probability are expected")
    record: dict[str, str] = {}
    for name, value in zip(words[::2], words[1::2], strict=True):
        if not DECIMAL.fullmatch(value):
            raise DataError(f"{shown(value)} where the probability of {shown(name)} is expected")
        if name in record:
            raise DataError(f"label {shown(name)} appears twice")
        record[name] = value
    return record
