"""JSON Lines: an object on each line; lists and objects of numbers are several columns at once.

``[{"label": "cat", "score": 0.9}, ...]``, as text classifiers print it, is an object of
scores by label. Numbers are the nearest doubles; NaN, a key given twice and a value that
is missing are refused.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from xentcli.columns.numerals import numbers
from xentcli.errors import DataError, shown
from xentcli.readers.stream import ByteStream
from xentcli.readers.table import Small, unique_pairs
from xentcli.readers.text.lines import Form, LinesSource, inner_of, kind_of, open_lines
from xentcli.readers.wide import Flat

if TYPE_CHECKING:
    from xentcli.readers.text.regular import Kind, Labelled, Shape

__all__ = ["open_jsonl"]


def open_jsonl(stream: ByteStream) -> LinesSource:
    """Open a file or stream of JSON Lines.

    Raises
    ------
    DataError
        When the first line is no object.
    """
    return open_lines(stream, Form("jsonl", _record, _shape))


def _record(text: bytes) -> dict[str, Any]:
    try:
        line = text.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"byte 0x{text[error.start]:02x} is not UTF-8") from None
    try:
        extreme = _EXPONENT.search(line) or (len(line) > _LONG and _DIGITS.search(line))
        found = (_decoder_of_extremes if extreme else _decoder)().decode(line)
        if "\\u" in line and _SURROGATE.search(line):
            json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise DataError("half of a surrogate pair, which is no character") from None
    except json.JSONDecodeError as error:
        what = "a blank line" if not line.strip() else f"no JSON: {error.msg} at character {error.colno}"
        raise DataError(what, advice="an object on each line is expected") from None
    except RecursionError:
        raise DataError("no JSON that is read: it is nested too deeply") from None
    except ValueError as error:
        what = "a number of more than 4,300 digits" if "4300 digits" in str(error) else str(error)
        raise DataError(f"no JSON that is read: {what}") from None
    if not isinstance(found, dict):
        raise DataError(f"{kind_of(inner_of(found), found)} where an object is expected")
    return {key: _unlabelled(value) if type(value) is list else value for key, value in found.items()}


_LONG = 300
"""Digits with which a number without an exponent may exceed the largest double."""
_EXPONENT = re.compile(r"[eE][-+]?0*[1-9][0-9]{2}")
_DIGITS = re.compile(rf"[^0-9][0-9]{{{_LONG}}}")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


@lru_cache(maxsize=1)
def _decoder() -> json.JSONDecoder:
    """A strict decoder of lines in which no number can overflow or underflow."""
    return json.JSONDecoder(object_pairs_hook=unique_pairs, parse_constant=_no_constant)


@lru_cache(maxsize=1)
def _decoder_of_extremes() -> json.JSONDecoder:
    """A strict decoder of any line; it makes a call for each number."""
    return json.JSONDecoder(object_pairs_hook=unique_pairs, parse_constant=_no_constant, parse_float=_extreme)


def _extreme(text: str) -> float:
    """Read a number: overflow is refused, underflow is marked as Small."""
    found = numbers([text])
    if isinstance(found, int):
        raise ValueError(f"{shown(text)} is larger than any double")
    values, small = found
    return Small(text) if small else float(values[0])


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _unlabelled(value: Any) -> Any:
    """The scores by label of ``[{"label": ..., "score": ...}, ...]``; else the value."""
    if (
        isinstance(value, list)
        and len(value) > 1
        and all(isinstance(item, dict) and item.keys() == {"label", "score"} for item in value)
    ):
        scores = {str(item["label"]): item["score"] for item in value}
        return scores if len(scores) == len(value) else value
    return value


_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[-+.0-9eE]+|true|false|null|[\[\]{}:,]|[ \t\r]+')
_COLON = re.compile(rb"[ \t]*:")


_Path = tuple[int, int | str | None]
"""The column of a value, as in Flat.origin."""


def _shape(line: bytes, flat: Flat) -> Shape | None:
    """Return the shape of a line of single values, lists and objects of numbers, scores by label; None of another."""
    from xentcli.readers.text.regular import Leaf, Shape

    paths: list[_Path | None] = []
    labelled = []
    for index, value in enumerate(json.loads(line).values()):
        found = _paths(index, value)
        if None in found:
            labelled.append(_labelled(value, len(paths)))
        paths += found
    values, commas = _values_of(line)
    if len(values) != len(paths) or len(commas) != len(values) - 1 or {*paths} - {None} != {*flat.origin}:
        return None
    begins, ends = [0, *(comma + 1 for comma in commas)], [*commas, len(line)]
    leaves = tuple(
        Leaf(kind, line[begin:first], line[last:end])
        for (kind, first, last), begin, end in zip(values, begins, ends, strict=True)
    )
    return Shape(",", leaves, tuple(paths.index(origin) for origin in flat.origin), tuple(labelled))


def _paths(index: int, value: Any) -> list[_Path | None]:
    """Return the column of each single value of a field, in their order; None of a label, which belongs to none."""
    scores = _unlabelled(value)
    if scores is not value:
        return [None if key == "label" else (index, str(item["label"])) for item in value for key in item]
    inner = inner_of(value)
    return [(index, key) for key in (range(inner) if isinstance(inner, int) else (None,) if inner is None else value)]


def _labelled(items: list[dict[str, Any]], before: int) -> Labelled:
    """Return a list of scores by label; `before` values precede it in the line."""
    from xentcli.readers.text.regular import Labelled

    keys = [key for item in items for key in item]
    labels, scores = ([before + n for n, key in enumerate(keys) if key == wanted] for wanted in ("label", "score"))
    return Labelled(tuple(labels), tuple(scores), tuple(str(item["label"]) for item in items))


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
