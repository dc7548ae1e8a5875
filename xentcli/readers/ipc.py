"""Sizes of the record batches of an Arrow IPC file, read before a batch is loaded.

A batch is the smallest unit that can be loaded, and pyarrow has its size only afterwards. So the
file's footer and the header of each batch are read here: flatbuffers, whose layout is described in
"Arrow Columnar Format" (Serialization and IPC) and in "FlatBuffers internals".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO

from xentcli.records import record

__all__ = ["Batch", "batches_of"]

_MAGIC = b"ARROW1"
_CONTINUED = b"\xff\xff\xff\xff"
# Places of fields in the tables of Arrow's File.fbs and Message.fbs.
_FOOTER_DICTIONARIES, _FOOTER_BATCHES = 2, 3
_MESSAGE_TYPE, _MESSAGE_HEADER = 1, 2
_DICTIONARY, _DICTIONARY_DATA = 2, 1
_ROWS, _BUFFERS, _COMPRESSION = 0, 2, 3


@record(frozen=True)
class Batch:
    """A batch: its rows, its bytes in memory, and whether it is a dictionary."""

    rows: int
    size: int
    dictionary: bool


def batches_of(file: IO[bytes]) -> Iterator[Batch]:
    """Yield the dictionary and record batches of an Arrow IPC file.

    Raises ValueError or struct.error for a damaged file.
    """
    tail = len(_MAGIC) + 4
    end = file.seek(-tail, 2)
    length = int.from_bytes(file.read(4), "little")
    if length > end:
        raise ValueError("the footer is longer than the file")
    file.seek(end - length)
    footer = file.read(length)
    root = _target(footer, 0)
    for field in (_FOOTER_DICTIONARIES, _FOOTER_BATCHES):
        for place in _items(footer, root, field, 24):
            offset, header, body = struct.unpack_from("<qi4xq", footer, place)
            yield _batch(file, offset, header, body)


def _batch(file: IO[bytes], offset: int, header: int, body: int) -> Batch:
    """Return the batch whose `header` bytes stand at `offset`, before the `body` bytes of its buffers."""
    file.seek(offset)
    data = file.read(header)
    data = data[8 if data.startswith(_CONTINUED) else 4 :]
    message = _target(data, 0)
    dictionary = data[_field(data, message, _MESSAGE_TYPE)] == _DICTIONARY
    batch = _target(data, _field(data, message, _MESSAGE_HEADER))
    if dictionary:
        batch = _target(data, _field(data, batch, _DICTIONARY_DATA))
    rows = _field(data, batch, _ROWS)
    size = body
    if _field(data, batch, _COMPRESSION):
        buffers = [struct.unpack_from("<qq", data, place) for place in _items(data, batch, _BUFFERS, 16)]
        size = sum(_inflated(file, offset + header + begin, length) for begin, length in buffers)
    return Batch(struct.unpack_from("<q", data, rows)[0] if rows else 0, size, dictionary)


def _inflated(file: IO[bytes], offset: int, length: int) -> int:
    """Return the uncompressed size of a compressed buffer (its first field); -1 if it is stored uncompressed."""
    if length < 8:
        return 0
    file.seek(offset)
    found = int.from_bytes(file.read(8), "little", signed=True)
    return length - 8 if found < 0 else found


def _target(data: bytes, place: int) -> int:
    """Return the target of the offset at `place`."""
    return place + int(struct.unpack_from("<I", data, place)[0])


def _field(data: bytes, table: int, index: int) -> int:
    """Return the position of a field of a table; 0 if it has its default."""
    slots = table - int(struct.unpack_from("<i", data, table)[0])
    size, slot = int(struct.unpack_from("<H", data, slots)[0]), 4 + 2 * index
    offset = int(struct.unpack_from("<H", data, slots + slot)[0]) if slot < size else 0
    return table + offset if offset else 0


def _items(data: bytes, table: int, index: int, size: int) -> range:
    """Return the positions of the items of a vector, `size` bytes each."""
    field = _field(data, table, index)
    if not field:
        return range(0)
    vector = _target(data, field)
    count = int(struct.unpack_from("<I", data, vector)[0])
    if vector + 4 + count * size > len(data):
        raise ValueError("a list in its header is longer than the header")
    return range(vector + 4, vector + 4 + count * size, size)
