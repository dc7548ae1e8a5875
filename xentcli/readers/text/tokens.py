"""The probabilities that tools print as words on each line: those of Vowpal Wabbit and of fastText.

Vowpal Wabbit prints ``class:probability`` tokens, and perhaps a tag. ``fasttext predict-prob MODEL FILE -1`` prints
pairs of a label and its probability, in any order; the names keep their prefix: labels match them with it and without.
"""

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

__all__ = ["open_fasttext", "open_vw"]

_ALL = "all classes in each line: fasttext predict-prob MODEL FILE -1"

_TAG = "tag"
"""The name of the column of tags."""


def open_vw(stream: ByteStream) -> LinesSource:
    """Open a file or stream of tokens.

    Raises DataError if the first line has no such tokens.
    """
    return open_lines(stream, Form("vw", _tokens, exact=True, shape=_shape))


def open_fasttext(stream: ByteStream) -> LinesSource:
    """Open a file or stream of pairs.

    Raises DataError if the first line has no such pairs.
    """
    return open_lines(stream, Form("fasttext", _pairs, exact=True, advice=_ALL))


def _tokens(text: bytes) -> dict[str, str]:
    record: dict[str, str] = {}
    tokens = _words(text)
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


def _pairs(text: bytes) -> dict[str, str]:
    words = _words(text)
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


def _words(text: bytes) -> list[str]:
    try:
        return text.decode().split()
    except UnicodeDecodeError as error:
        raise DataError(f"byte 0x{text[error.start]:02x} is not UTF-8") from None


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
