"""Compressed streams: magic bytes and streaming decompression."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import IO, Any

from xentcli.errors import Place
from xentcli.extras import needed
from xentcli.readers.limits import Limits

__all__ = ["decompressed", "is_compressed"]

_CHUNK = 1 << 16
_XZ_MEMORY = 1 << 28


def _gzip(file: IO[bytes]) -> Any:
    import gzip

    return gzip.GzipFile(fileobj=file)


def _bz2(file: IO[bytes]) -> Any:
    import bz2

    return io.BufferedReader(_Streams(file, bz2.BZ2Decompressor))


def _xz(file: IO[bytes]) -> Any:
    import lzma

    # A header may ask for a dictionary of 4 GiB; `xz -9` needs 65 MiB.
    return io.BufferedReader(_Streams(file, lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY)))


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
    return io.BufferedReader(_Inflated(opener(file), name, limits)) if opener else file


class _Streams(io.RawIOBase):
    """Concatenated compressed streams, decompressed.

    The readers of the standard library leave out a second stream that is damaged.
    """

    def __init__(self, file: IO[bytes], new: Callable[[], Any]) -> None:
        self._file, self._new, self._decoder = file, new, new()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while True:
            data = b""
            if self._decoder.eof:
                # A stream may be padded with zero bytes.
                data = (self._decoder.unused_data or self._file.read(_CHUNK)).lstrip(b"\0")
                if not data and not (data := self._file.read(_CHUNK).lstrip(b"\0")):
                    return 0
                self._decoder = self._new()
            elif self._decoder.needs_input and not (data := self._file.read(_CHUNK)):
                raise EOFError
            found = self._decoder.decompress(data, len(buffer))
            if found:
                buffer[: len(found)] = found
                return len(found)


class _Inflated(io.RawIOBase):
    """Decompressed bytes, counted against the limit."""

    def __init__(self, file: Any, name: str, limits: Limits) -> None:
        self._file, self._place, self._limits, self._size = file, Place(name), limits, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        self._size += len(data)
        self._limits.check_inflated(self._size, self._place)
        buffer[: len(data)] = data
        return len(data)
