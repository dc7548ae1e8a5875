"""JSON Lines: an object, a list or a single value on each line, and the shape of lines for the fast reader.

JSON is strict, and its numbers are the nearest doubles. ``NaN``, ``Infinity`` and ``-Infinity`` are read as Python
writes them. Repeated keys, lone surrogates, numbers beyond the doubles and numbers of more than 4,300 digits are
refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from xentcli.columns.numerals import numbers
from xentcli.errors import DataError, shown
from xentcli.readers.nested import Field, leaves_of
from xentcli.readers.stream import ByteStream
from xentcli.readers.table import Small, unique_pairs
from xentcli.readers.text.lines import Form, LinesSource, open_lines
from xentcli.readers.wide import Flat

if TYPE_CHECKING:
    from xentcli.readers.text.regular import Kind, Shape

__all__ = ["json_value", "open_json_lines"]

_LONG = 300
"""Digits with which a number without an exponent may exceed the largest double."""
_EXPONENT = re.compile(r"[eE][-+]?0*[1-9][0-9]{2}")
_DIGITS = re.compile(rf"[^0-9][0-9]{{{_LONG}}}")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[-+.0-9eE]+|true|false|null|[\[\]{}:,]|[ \t\r]+')
_COLON = re.compile(rb"[ \t]*:")


def open_json_lines(stream: ByteStream, *, of_file: bool = True) -> LinesSource:
    """Open a file or stream with a JSON value on each line; without `of_file` the lines were made of another layout.

    Raises DataError if the first line is no JSON, or holds nothing.
    """
    return open_lines(stream, Form("jsonl" if of_file else "json", _record, shape=_shape), numbered=of_file)


def _record(text: bytes) -> Any:
    return json_value(text, "an object on each line is expected")


def _shape(line: bytes, fields: Sequence[Field], flat: Flat) -> Shape | None:
    """Return the shape of a line; None of one whose values cannot be told apart without decoding."""
    from xentcli.readers.text.regular import Labelled, Leaf, Shape

    found = json.loads(line.removeprefix(b"\xef\xbb\xbf"))
    leaf = {path: place for place, path in enumerate(leaves_of(found))}
    values, commas = _values_of(line)
    if len(values) != len(leaf) or len(commas) != len(values) - 1:
        return None
    place_of: dict[tuple[int, int | str | None], int] = {}
    labelled = []
    for index, field in enumerate(fields):
        numbers, pairs = field.leaves(found)
        place_of |= {(index, key): leaf.get(path, -1) for key, path in numbers.items()}
        if not all(label in leaf and score in leaf for label, score, _ in pairs):
            return None
        if pairs:
            labels, scores, names = zip(*pairs, strict=True)
            labelled.append(Labelled(tuple(map(leaf.__getitem__, labels)), tuple(map(leaf.__getitem__, scores)), names))
    begins, ends = [0, *(comma + 1 for comma in commas)], [*commas, len(line)]
    leaves = tuple(
        Leaf(kind, line[begin:first], line[last:end])
        for (kind, first, last), begin, end in zip(values, begins, ends, strict=True)
    )
    return Shape(",", leaves, tuple(place_of.get(origin, -1) for origin in flat.origin), tuple(labelled))


def _values_of(line: bytes) -> tuple[list[tuple[Kind, int, int]], list[int]]:
    """Return kind, begin and end of each single value of a line, without quotes, and the places of its commas."""
    values: list[tuple[Kind, int, int]] = []
    commas = []
    for token in _TOKEN.finditer(line):
        (first, last), letter = token.span(), token[0][:1]
        if letter == b",":
            commas.append(first)
        elif letter == b'"' and not _COLON.match(line, last):
            values.append(("string", first + 1, last - 1))
        elif letter in b"tfn":
            values.append(("word", first, last))
        elif letter in b"-0123456789":
            values.append(("number", first, last))
    return values, commas


def json_value(text: bytes, expected: str) -> Any:
    """Return the value of a JSON text; nonzero numerals below the smallest double are marked as Small.

    Raises DataError without a place, if the text is not JSON (with `expected` as the advice) or is nested too deeply.
    """
    try:
        line = text.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise DataError(f"byte 0x{text[error.start]:02x} is not UTF-8") from None
    try:
        extreme = _EXPONENT.search(line) or (len(line) > _LONG and _DIGITS.search(line))
        found = (_decoder_of_extremes if extreme else _decoder)().decode(line)
        if "\\u" in line and _SURROGATE.search(line):
            json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise DataError("half of a surrogate pair, which is not a character") from None
    except json.JSONDecodeError as error:
        where = f"character {error.colno}" + (f" of line {error.lineno}" if error.lineno > 1 else "")
        what = "a blank line" if not line.strip() else f"no JSON: {error.msg} at {where}"
        raise DataError(what, advice=expected) from None
    except RecursionError:
        raise DataError("JSON that is not read: it is nested too deeply") from None
    except ValueError as error:
        what = "a number of more than 4,300 digits" if "4300 digits" in str(error) else str(error)
        raise DataError(f"no JSON that is read: {what}") from None
    return found


@lru_cache(maxsize=1)
def _decoder() -> json.JSONDecoder:
    """A strict decoder of text in which no number can overflow or underflow."""
    return json.JSONDecoder(object_pairs_hook=unique_pairs)


@lru_cache(maxsize=1)
def _decoder_of_extremes() -> json.JSONDecoder:
    """A strict decoder of any text; it makes a call for each number."""
    return json.JSONDecoder(object_pairs_hook=unique_pairs, parse_float=_extreme)


def _extreme(text: str) -> float:
    """Read a number: overflow is refused, underflow is marked as Small."""
    found = numbers([text])
    if isinstance(found, int):
        raise ValueError(f"{shown(text)} is larger than any double")
    values, small = found
    return Small(text) if small else float(values[0])
