"""JSON in its common layouts: lines, an array of rows, values over several lines, or a table as one object.

All layouts are read as a stream of lines, except a table as one object (see tables.py), which is held in memory,
up to a limit.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from xentcli.errors import DataError, Place
from xentcli.readers.nested import is_row
from xentcli.readers.source import Source
from xentcli.readers.stream import ByteStream
from xentcli.readers.text.delimited import check_text
from xentcli.readers.text.elements import end_of_value, lines_of_elements
from xentcli.readers.text.faults import Written
from xentcli.readers.text.jsonl import json_value, open_json_lines
from xentcli.readers.text.tables import is_table, open_table

__all__ = ["looks_like_json", "open_json", "open_jsonl"]

Layout = Literal["lines", "elements", "values", "object"]
_BEGINS = rb'\{\s*"|\[\s*[\[{]'
_PYTHON = rb"[\[{(][\[{(\s]*'"
_WORDS = rb"\b(?:None|True|False)\b"
_BLANK = b"\xef\xbb\xbf \t\r\n"


def open_jsonl(stream: ByteStream) -> Source:
    """Open a file or stream that should have a JSON value on each line; it raises as `open_json` does."""
    return _open(stream, document=False)


def open_json(stream: ByteStream) -> Source:
    """Open a file or stream of JSON; where one line could be a row or a table, it is a table.

    Raises DataError if it is no JSON, or not the rows of a table; FileError if a table that is one object is larger
    than the limit.
    """
    return _open(stream, document=True)


def looks_like_json(head: bytes) -> bool:
    """Whether a text begins as an object, an array of rows, or a line that is a list of JSON.

    >>> looks_like_json(b'[0.1, 0.9]'), looks_like_json(b'[0.1 0.9]'), looks_like_json(b'[ {"a": 1')
    (True, False, True)
    """
    text = head.lstrip(_BLANK)
    return bool(re.match(_BEGINS, text)) or isinstance(_decoded(text.partition(b"\n")[0]), list)


def _open(stream: ByteStream, *, document: bool) -> Source:
    check_text(stream)
    _check_not_python(stream)
    match _layout(stream, document):
        case "elements":
            return open_json_lines(lines_of_elements(stream, 2 if _has_batches(stream.head) else 1), of_file=False)
        case "values":
            return open_json_lines(lines_of_elements(stream, 0), of_file=False)
        case "object":
            return open_table(stream, _object(stream))
    return open_json_lines(stream)


def _check_not_python(stream: ByteStream) -> None:
    """Refuse what Python prints of a list or dict: single quotes, None, True."""
    text = stream.head.lstrip(_BLANK)
    line, _, rest = text.partition(b"\n")
    if not (re.match(_PYTHON, text) or re.search(_WORDS, line)) or _decoded(line) is not None:
        return
    code = "import ast, json, sys; "
    if _is_literal(line):
        if not rest.strip(_BLANK):
            code += "print(json.dumps(ast.literal_eval(sys.stdin.read())))"
        else:
            code += "[print(json.dumps(ast.literal_eval(line))) for line in sys.stdin]"
    elif _is_literal(text) and _decoded(text) is None and len(stream.head) == stream.size:
        code += "print(json.dumps(ast.literal_eval(sys.stdin.read())))"
    elif re.match(_PYTHON, text):
        code = ""
    else:
        return
    written = Written(stream.name).by(f"python3 -c '{code}'", "writes it as JSON") if code else ""
    advice = written or "json.dump(value, file) writes JSON, in place of print(value, file=file)"
    raise DataError("what Python prints, and not JSON", place=Place(stream.name, line=1), advice=advice)


def _is_literal(text: bytes) -> bool:
    """Whether a text is a list or dict as Python prints it."""
    import ast

    try:
        return isinstance(ast.literal_eval(text.decode().strip()), list | dict | tuple)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return False


def _layout(stream: ByteStream, document: bool) -> Layout:
    """Return how the rows are written, from the first value, and whether more follows it."""
    text = stream.head.lstrip(_BLANK)
    if text[:1] not in (b"[", b"{"):
        return "lines"
    nested = re.match(rb"\[\s*[\[{]", text) is not None
    while b"\n" not in text and not nested and len(text) < stream.limits.row:
        if not stream.look_further(2 * len(stream.head)):
            break
        text = stream.head.lstrip(_BLANK)
    line, end, rest = text.partition(b"\n")
    first = _decoded(line)
    if first is None:
        return _of_several_lines(stream, text, end, document)
    if rest.strip(_BLANK):
        return "lines" if isinstance(first, dict) or is_row(first) else "elements"
    if isinstance(first, list):
        return "elements" if document or not is_row(first) else "lines"
    return "object" if is_table(first, document=document) else "lines"


def _of_several_lines(stream: ByteStream, text: bytes, end: bytes, document: bool) -> Layout:
    """Return the layout where the first line is no value: one of several lines, very long, or broken."""
    second = text.split(b"\n", 2)[1] if end else b""
    if not document and type(_decoded(second)) is (dict if text[:1] == b"{" else list):
        return "lines"
    length = end_of_value(text)
    more = length is not None and text[length:].strip(_BLANK)
    if text[:1] == b"[":
        if not end and not document and not re.match(rb"\[\s*[\[{]", text):
            return "lines"
        return "values" if more and length is not None and is_row(_decoded(text[:length])) else "elements"
    if not end and not document:
        return "lines"
    return "values" if more else "object"


def _has_batches(head: bytes) -> bool:
    """Whether the elements of an array are batches: lists of rows, which are lists of labels with scores."""
    found = re.match(rb"\[\s*\[\s*(?=\[)", head.lstrip(_BLANK))
    if found is None:
        return False
    text = head.lstrip(_BLANK)[found.end() :]
    row = _decoded(text[: end_of_value(text)])
    return isinstance(row, list) and all(isinstance(item, dict) for item in row) and is_row(row)


def _decoded(text: bytes) -> Any:
    """Return the value of a text; None where it is no JSON, or null."""
    try:
        return json_value(text, "")
    except DataError:
        return None


def _object(stream: ByteStream) -> Any:
    try:
        return json_value(stream.whole("a JSON object"), "an array of rows, or an object on each line, is expected")
    except DataError as error:
        raise DataError(error.message, place=Place(stream.name), advice=error.advice) from None
