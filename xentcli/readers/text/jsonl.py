"""JSON Lines: an object, a list or a single value on each line, and the shape of lines for the fast reader."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from xentcli.readers.nested import Field, leaves_of
from xentcli.readers.stream import ByteStream
from xentcli.readers.text.json_values import json_value
from xentcli.readers.text.lines import Form, LinesSource, open_lines
from xentcli.readers.wide import Flat

if TYPE_CHECKING:
    from xentcli.readers.text.regular import Kind, Shape

__all__ = ["open_json_lines"]


def open_json_lines(stream: ByteStream, *, of_file: bool = True) -> LinesSource:
    """Open a file or stream with a JSON value on each line; without `of_file` the lines were made of another layout.

    Raises DataError if the first line is no JSON, or holds nothing.
    """
    return open_lines(stream, Form("jsonl" if of_file else "json", _record, shape=_shape), numbered=of_file)


def _record(text: bytes) -> Any:
    return json_value(text, "an object on each line is expected")


_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[-+.0-9eE]+|true|false|null|[\[\]{}:,]|[ \t\r]+')
_COLON = re.compile(rb"[ \t]*:")


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
