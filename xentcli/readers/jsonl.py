"""JSON Lines: an object on each line; lists and objects of numbers are several columns at once.

``[{"label": "cat", "score": 0.9}, ...]``, as text classifiers print it, is an object of
scores by label. Numbers are the nearest doubles; NaN, a key given twice and a value that
is missing are refused.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from xentcli.errors import DataError, Place
from xentcli.readers.lines import Form, LinesSource, inner_of, kind_of, open_lines
from xentcli.readers.stream import ByteStream

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
        found = json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise DataError(f"byte 0x{text[error.start]:02x} is not UTF-8", place=place) from None
    except json.JSONDecodeError as error:
        what = "a blank line" if not text.strip() else f"no JSON: {error.msg} at character {error.colno}"
        raise DataError(what, place=place, advice="an object on each line is expected") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"no JSON that is read: {str(error)[:100]}", place=place) from None
    if not isinstance(found, dict):
        raise DataError(f"{kind_of(inner_of(found))} where an object is expected", place=place)
    return {key: _unlabelled(value) for key, value in found.items()}


def _pairs(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


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
