"""Compressed streams: magic bytes and streaming decompression, as files whose bytes a function gives."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import IO, Any

from xentcli.errors import Place
from xentcli.extras import needed
from xentcli.readers.limits import Limits

__all__ = ["MadeFile", "decompressed", "is_compressed"]

_CHUNK = 1 << 16
_XZ_MEMORY = 1 << 28


class MadeFile(io.RawIOBase):
    """A file whose bytes a function gives: some, at most as many as it is asked for; none at the end.

    >>> MadeFile(io.BytesIO(b"abc").read).read(2)
    b'ab'
    """

    def __init__(self, some: Callable[[int], bytes], close: Callable[[], object] = lambda: None) -> None:
        self._some, self._close = some, close

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, and return the number of bytes."""
        data = self._some(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close what the bytes come from."""
        self._close()
        super().close()


def _gzip(file: IO[bytes]) -> Any:
    import gzip

    return gzip.GzipFile(fileobj=file)


def _bz2(file: IO[bytes]) -> Any:
    import bz2

    return _streams(file, bz2.BZ2Decompressor)


def _xz(file: IO[bytes]) -> Any:
    import lzma

    # A header may ask for a dictionary of 4 GiB; `xz -9` needs 65 MiB.
    return _streams(file, lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY))


def _zstd(file: IO[bytes]) -> Any:
    return needed("pyarrow", "arrow").CompressedInputStream(file, "zstd")


COMPRESSIONS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": _gzip,
    b"BZh": _bz2,
    b"\xfd7zXZ\x00": _xz,
    b"\x28\xb5\x2f\xfd": _zstd,
}


def _opener(start: bytes) -> Callable[[IO[bytes]], Any] | None:
    return next((opener for magic, opener in COMPRESSIONS.items() if start.startswith(magic)), None)


def is_compressed(start: bytes) -> bool:
    """Whether the first bytes of a file are those of a compressed file."""
    return _opener(start) is not None


def decompressed(file: IO[bytes], start: bytes, name: str, limits: Limits) -> Any:
    """Return the file, or its decompressed stream if it is compressed."""
    opener = _opener(start)
    if opener is None:
        return file
    inflated, size = opener(file), 0

    def some(most: int) -> bytes:
        nonlocal size
        data: bytes = inflated.read(most)
        size += len(data)
        limits.check_inflated(size, Place(name))
        return data

    return io.BufferedReader(MadeFile(some))


def _streams(file: IO[bytes], new: Callable[[], Any]) -> io.BufferedReader:
    """Return concatenated compressed streams, decompressed.

    The readers of the standard library leave out a second stream that is damaged.
    """
    decoder = new()

    def some(most: int) -> bytes:
        nonlocal decoder
        while True:
            data = b""
            if decoder.eof:
                # A stream may be padded with zero bytes.
                data = (decoder.unused_data or file.read(_CHUNK)).lstrip(b"\0")
                if not data and not (data := file.read(_CHUNK).lstrip(b"\0")):
                    return b""
                decoder = new()
            elif decoder.needs_input and not (data := file.read(_CHUNK)):
                raise EOFError
            found: bytes = decoder.decompress(data, most)
            if found:
                return found

    return io.BufferedReader(MadeFile(some))
