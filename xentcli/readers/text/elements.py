"""Convert JSON that is not one value per line to a stream of lines: array elements, or values over several lines.

While the text streams, the comma after each element becomes a line end; brackets around the elements and line ends
within them become spaces. Nothing else is changed, so invalid JSON stays invalid. Nesting depth and strings are found
by counting, in NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from xentcli.arrays import Bytes, Ints
from xentcli.errors import DataError, Place
from xentcli.readers.compression import MadeFile
from xentcli.readers.stream import ByteStream
from xentcli.records import replace

__all__ = ["end_of_value", "escaped_in", "lines_of_elements", "quotes_of"]

_CHUNK = 1 << 18
_HEAD = 1 << 16
_QUOTE, _BACKSLASH, _COMMA, _LF, _CR, _SPACE = b'"\\,\n\r '
_STEP = np.zeros(256, dtype=np.int64)
_STEP[list(b"[{")] = 1
_STEP[list(b"]}")] = -1
_FOUND = _STEP != 0
_FOUND[list(b",\n\r")] = True


class _Scan:
    """Where the brackets, commas and line ends outside strings are, and how deep; chunks follow one another."""

    def __init__(self) -> None:
        self.depth = 0
        self.inside = False

    def found(self, chunk: Bytes) -> tuple[Ints, Ints]:
        """Return the places outside strings, and the depth after each; no chunk may end with a backslash."""
        quotes = quotes_of(chunk)
        places: Ints = np.flatnonzero(_FOUND[chunk])
        within = (np.searchsorted(quotes, places) + self.inside) & 1 == 1
        places = places[~within]
        depth: Ints = self.depth + np.cumsum(_STEP[chunk[places]])
        self.depth = int(depth[-1]) if len(depth) else self.depth
        self.inside ^= len(quotes) % 2 == 1
        return places, depth


def escaped_in(chunk: Bytes) -> Ints:
    """Return the places of bytes that a backslash escapes."""
    slashes = np.flatnonzero(chunk[:-1] == _BACKSLASH)
    if not len(slashes):
        return slashes
    order = np.arange(len(slashes))
    begins = np.append(True, np.diff(slashes) != 1)
    # In a run of backslashes every second one is escaped.
    escapes: Ints = slashes[(order - np.maximum.accumulate(np.where(begins, order, 0))) & 1 == 0] + 1
    return escapes


def quotes_of(chunk: Bytes) -> Ints:
    """Return the places of quotes that are not escaped."""
    quotes = chunk == _QUOTE
    quotes[escaped_in(chunk)] = False
    return np.flatnonzero(quotes)


def end_of_value(text: bytes) -> int | None:
    """Return where the array or object at the beginning of a text ends; None where it goes on.

    >>> end_of_value(b'{"a": "}"} {}'), end_of_value(b"[[1]")
    (10, None)
    """
    places, depth = _Scan().found(np.frombuffer(text, np.uint8))
    ends = np.flatnonzero(depth <= 0)
    opened = np.flatnonzero(depth > 0)
    after = ends[ends > opened[0]] if len(opened) else ends[:0]
    return int(places[after[0]]) + 1 if len(after) else None


def lines_of_elements(stream: ByteStream, level: int) -> ByteStream:
    """Return a stream with a line for each value (level 0), element of an array (1), or element of such a one (2)."""
    if stream.path is None:
        lines: Any = _file_of_lines(stream, level)
        head = lines.read(_HEAD)
        return ByteStream(stream.name, None, False, head, lines, limits=stream.limits, hashed=stream.hashed)

    def opened() -> Any:
        return _file_of_lines(stream, level)

    with opened() as file:
        return replace(stream, plain=False, head=file.read(_HEAD), _opener=opened)


def _file_of_lines(stream: ByteStream, level: int) -> MadeFile:
    """Return a file of lines, one for each element."""
    chunks, left = stream.chunks(_CHUNK), b""
    pieces = _lines(chunks, level, stream.name)

    def some(most: int) -> bytes:
        nonlocal left
        left = left or next(filter(None, pieces), b"")
        found, left = left[:most], left[most:]
        return found

    return MadeFile(some, getattr(chunks, "close", lambda: None))


def _lines(chunks: Iterator[bytes], level: int, name: str) -> Iterator[bytes]:
    scan, held, last = _Scan(), b"", b""
    for chunk in chunks:
        text = held + chunk
        content = text.rstrip(b"\\")
        held = text[len(content) :]
        if content:
            out = np.frombuffer(content, np.uint8).copy()
            last = _cut(out, scan, level, last, name)
            yield out.tobytes()
    if held:
        yield held
    if scan.depth > 0:
        raise DataError("it ends within an array or object: is the file complete?", place=Place(name))


def _cut(out: Bytes, scan: _Scan, level: int, last: bytes, name: str) -> bytes:
    """Change a chunk in place; `last` is the last byte before it that is no blank, the result that of the chunk."""
    places, depth = scan.found(out)
    letters = out[places]
    step = _STEP[letters]
    out[places[((letters == _LF) | (letters == _CR)) & (depth > 0)]] = _SPACE
    if level:
        ends = (letters == ord("]")) & (depth < level)
        if (depth[ends] < 0).any():
            raise DataError("a bracket that closes no array", place=Place(name))
        for at in places[ends].tolist():
            before = out[:at].tobytes().rstrip(b" \t\r\n")[-1:] or last
            if before == b",":
                raise DataError("a comma after the last element of an array", place=Place(name))
        after = out.tobytes().rstrip(b" \t\r\n")[-1:] or last
        outer = ends | ((letters == ord("[")) & (depth <= level) & (step == 1))
        out[places[outer]] = _SPACE
        out[places[(letters == _COMMA) & (depth > 0) & (depth <= level)]] = _LF
        return after
    return b""
