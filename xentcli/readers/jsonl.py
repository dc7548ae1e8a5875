"""JSON Lines: an object on each line; lists and objects of numbers are several columns at once.

``[{"label": "cat", "score": 0.9}, ...]``, as text classifiers print it, is an object of
scores by label. Numbers are the nearest doubles; NaN, a key given twice and a value that
is missing are refused.
"""

from __future__ import annotations

import json
import re
from typing import Any

from xentcli.errors import DataError, Place, shown
from xentcli.readers.lines import Form, LinesSource, inner_of, kind_of, open_lines
from xentcli.readers.numerals import numbers
from xentcli.readers.stream import ByteStream
from xentcli.readers.table import Small, unique_pairs

__all__ = ["open_jsonl"]


def open_jsonl(stream: ByteStream) -> LinesSource:
    """Open a file or stream of JSON Lines.

    Raises
    ------
    DataError
        When the first line is no object.
    """
    return open_lines(stream, Form("jsonl", _record))


def _record(text: bytes, place: Place) -> dict[str, Any]:
    try:
        line = text.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"byte 0x{text[error.start]:02x} is not UTF-8", place=place) from None
    try:
        # Few lines need it, and it makes each number cost a call.
        extreme: dict[str, Any] = {"parse_float": _extreme} if _EXTREME.search(line) else {}
        found = json.loads(line, object_pairs_hook=unique_pairs, parse_constant=_no_constant, **extreme)
        if _SURROGATE.search(line):
            json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise DataError("half of a surrogate pair, which is no character", place=place) from None
    except json.JSONDecodeError as error:
        what = "a blank line" if not line.strip() else f"no JSON: {error.msg} at character {error.colno}"
        raise DataError(what, place=place, advice="an object on each line is expected") from None
    except RecursionError:
        raise DataError("no JSON that is read: it is nested too deeply", place=place) from None
    except ValueError as error:
        what = "a number of more than 4,300 digits" if "4300 digits" in str(error) else str(error)
        raise DataError(f"no JSON that is read: {what}", place=place) from None
    if not isinstance(found, dict):
        raise DataError(f"{kind_of(inner_of(found), found)} where an object is expected", place=place)
    return {key: _unlabelled(value) for key, value in found.items()}


_EXTREME = re.compile(r"[eE][-+]?0*[1-9][0-9]{2}|[0-9]{300}")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _extreme(text: str) -> float:
    """A number with many digits: none beyond the doubles, and one below them is known as such."""
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
