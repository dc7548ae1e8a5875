"""ByteStream: read a file, an object at a URL, a pipe or a compressed file in order, without holding it in memory."""

from __future__ import annotations

import contextlib
import io
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from xentcli.errors import DataError, FileError, Place
from xentcli.readers.compression import MadeFile, decompressed, is_compressed
from xentcli.readers.limits import DEFAULT, Limits
from xentcli.records import record
from xentcli.signals import undo_later
from xentcli.urls import is_url

if TYPE_CHECKING:
    from xentcli.readers.remote import Access, Remote

__all__ = [
    "STDIN",
    "ByteStream",
    "Stamp",
    "at",
    "copied_here",
    "fill_range",
    "located",
    "open_bytes",
    "open_file",
    "open_range",
    "plain_path",
    "read_range",
    "remote_file",
    "stamp_of",
]

STDIN = "-"
HEAD_BYTES = 1 << 16

_ONE_SLASH = r"[A-Za-z][\w+.-]+:/[^/]"
_TWO_SLASHES = "a URL has two slashes after its colon; pathlib.Path takes one away, and a text keeps both"

_folder: ContextVar[str] = ContextVar("_folder", default="")

Stamp = tuple[Any, ...]
"""Size, modification time and inode of a file; size and ETag or similar of an object at a URL."""


@contextlib.contextmanager
def located(folder: str) -> Iterator[None]:
    """Resolve relative paths of parts against `folder` within this context, for workers elsewhere."""
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


def at(path: str) -> str:
    """Return the path of a part's file, resolved as `located` says."""
    return os.path.join(_folder.get(), path)


@record(frozen=False, eq=False)
class ByteStream:
    """The bytes of one input, decompressed.

    Attributes
    ----------
    name
        Its name in messages: the path, or "standard input".
    path
        The path of a regular file, or the URL of an object; None if it can be read only once.
    plain
        Whether byte ranges of the file are ranges of this stream (it is not compressed).
    head
        The first bytes, up to 64 KiB.
    limits
        The size limits.
    hashed
        For a stream, the SHA-256 of the bytes read so far, if requested.
    """

    name: str
    path: str | None
    plain: bool
    head: bytes
    _file: IO[bytes] | None
    _opened: bool = False
    _stamp: Stamp | None = None
    _opener: Callable[[], IO[bytes]] | None = None
    limits: Limits = DEFAULT
    hashed: Any = None

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yield all bytes from the first, in chunks of `size` or less."""
        with _reading(self.name):
            if self._opener is not None:
                with self._opener() as member:
                    while chunk := member.read(size):
                        yield chunk
                return
            if self._file is None:
                assert self.path is not None
                if self.plain and not self.here and len(self.head) == self.size:
                    # A small object was read whole: further requests would take longer than scoring it.
                    yield self.head
                    return
                with open_file(self.path, "in order") as raw:
                    file = decompressed(raw, raw.peek(HEAD_BYTES), self.name, self.limits)
                    while chunk := file.read(size):
                        yield chunk
                return
            if self._opened:
                raise FileError("a stream can be read only once", place=Place(self.name))
            self._opened = True
            yield self.head
            while chunk := _read_some(self._file, size):
                yield chunk

    @property
    def here(self) -> bool:
        """Whether it is a plain local file, which is cheap to read twice."""
        return self.plain and not is_url(self.path)

    @property
    def size(self) -> int | None:
        """Size of the file when it was opened; None for a stream."""
        return None if self._stamp is None else self._stamp[0]

    def tail(self) -> bytes:
        """Return the last bytes of a plain local file; none of others, which are read in order."""
        if not self.here or self.path is None or self.size is None:
            return b""
        length = min(self.size, HEAD_BYTES)
        return read_range(self.path, self.size - length, length)

    def whole(self, what: str) -> bytes:
        """Return all bytes of `what` it is; raises FileError if it is too large to be held in memory."""
        pieces, size = [], 0
        for chunk in self.chunks(1 << 20):
            size += len(chunk)
            self.limits.check_document(size, Place(self.name), what)
            pieces.append(chunk)
        return b"".join(pieces)

    def check_unchanged(self) -> None:
        """Check that the file did not change since it was opened.

        Raises DataError if its size, time of change or inode differ.
        """
        if self.path is not None and self._stamp is not None and stamp_of(self.path) != self._stamp:
            raise DataError("the file changed while it was read", place=Place(self.name))

    def look_further(self, length: int) -> bool:
        """Extend the head to `length` bytes; return whether there was more."""
        before = len(self.head)
        if self._file is None:
            # A file is read again from its beginning.
            self.head = b""
            for chunk in self.chunks(length):
                self.head += chunk
                if len(self.head) >= length:
                    break
        else:
            with _reading(self.name):
                self.head += _read_fully(self._file, length - before)
        return len(self.head) > before


def open_bytes(path: str, limits: Limits = DEFAULT, *, hashed: bool = False) -> ByteStream:
    """Open a path, a URL, or `-` for standard input, and read its first bytes.

    With `hashed` the bytes of a stream go through SHA-256 as they are read.

    Raises FileError if it cannot be read; DataError if it is compressed and damaged.
    """
    if path == STDIN:
        if sys.stdin is None:
            raise FileError("standard input is closed", place=Place("-"))
        return _streamed("standard input", sys.stdin.buffer, limits, hashed)
    if is_url(path):
        return _at_url(path, limits)
    if re.match(_ONE_SLASH, path) and not os.path.exists(path):
        raise FileError("cannot be read: no such file", place=Place(path), advice=_TWO_SLASHES)
    with _reading(path or "''"):
        found = os.stat(at(path))
        mode = found.st_mode
        if stat.S_ISDIR(mode):
            raise FileError("is a folder; a file is expected", place=Place(path))
        raw = open(at(path), "rb")  # noqa: SIM115
        if not stat.S_ISREG(mode):
            return _streamed(path, raw, limits, hashed)
        with raw:
            start = raw.peek(HEAD_BYTES)[:16]
            plain = not is_compressed(start)
            file = raw if plain else decompressed(raw, start, path, limits)
            head = file.read(HEAD_BYTES)
            return ByteStream(path, path, plain, head, None, _stamp=_stamp(found), limits=limits)


def _at_url(url: str, limits: Limits) -> ByteStream:
    """Read the first bytes of an object at a URL."""
    remote = _remote(url)
    if remote.is_folder:
        raise FileError("is a folder; a file is expected", place=Place(url))
    # Fetch only the first bytes, as the rest may not be read in order.
    with _reading(url), io.BufferedReader(remote.opened("ranges"), HEAD_BYTES) as raw:
        start = raw.peek(HEAD_BYTES)[:16]
        plain = remote.ranged and not is_compressed(start)
        head = decompressed(raw, start, url, limits).read(HEAD_BYTES)
        return ByteStream(url, url, plain, head, None, _stamp=remote.stamp, limits=limits)


def _remote(url: str) -> Remote:
    from xentcli.readers.remote import Remote

    return Remote.at(url)


def _in_ranges(url: str) -> io.RawIOBase:
    from xentcli.readers.remote import in_ranges

    return in_ranges(url)


def remote_file(url: str, access: Access) -> io.RawIOBase:
    """Open an object at a URL, without a buffer."""
    return _remote(url).opened(access)


def open_file(path: str, access: Access = "anywhere") -> io.BufferedReader:
    """Open a file, or an object at a URL for an access in this way.

    Raises FileError if it cannot be opened.
    """
    if is_url(path):
        return io.BufferedReader(remote_file(path, access), HEAD_BYTES)
    with _reading(path):
        return open(at(path), "rb")


def copied_here(url: str) -> str:
    """Copy an object at a URL to a temporary file, which is removed at exit; return its path."""
    import atexit
    import shutil
    import tempfile

    number, path = tempfile.mkstemp(prefix="xent-")

    def removed() -> None:
        with contextlib.suppress(OSError):
            os.remove(path)

    atexit.register(removed)
    undo_later(removed)
    with open_file(url, "in order") as remote, open(number, "wb") as copy:
        shutil.copyfileobj(remote, copy, 1 << 20)
    return path


def stamp_of(path: str) -> Stamp:
    """Return what shows a change of a file: size, modification time and inode; for a URL the info of its client.

    Raises FileError if the file no longer exists.
    """
    if is_url(path):
        return _remote(path).stamp
    with _reading(path):
        return _stamp(os.stat(at(path)))


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_size, found.st_mtime_ns, found.st_ino


def _streamed(name: str, file: Any, limits: Limits, hashed: bool) -> ByteStream:
    total, raw = None, file
    if hashed:
        import hashlib

        total = hashlib.sha256()
        raw = MadeFile(partial(_hashed, file, total))
    with _reading(name):
        start, rest = _read_fully(raw, HEAD_BYTES), raw
        if is_compressed(start):
            begin = io.BytesIO(start)
            whole = MadeFile(lambda most: begin.read(most) or _read_some(raw, most))
            rest = decompressed(io.BufferedReader(whole), start, name, limits)
            start = _read_fully(rest, HEAD_BYTES)
        return ByteStream(name, None, False, start, rest, limits=limits, hashed=total)


def _hashed(file: Any, total: Any, most: int) -> bytes:
    """Read some bytes, and hash them."""
    data = _read_some(file, most)
    total.update(data)
    return data


def plain_path(stream: ByteStream, what: str) -> str:
    """Return the path of a file that can be read at any offset.

    Raises DataError for a stream or a compressed file, which a `what` cannot be read from.
    """
    if stream.path is None or not stream.plain:
        message, advice = f"{what} is read from a file, not from a stream or a compressed file", ""
        if is_url(stream.path):
            message = f"{what} is read in ranges, which neither a compressed file nor every server gives"
            advice = "download it, and give the file"
        raise DataError(message, place=Place(stream.name), advice=advice)
    return stream.path


@contextlib.contextmanager
def open_range(path: str) -> Iterator[io.RawIOBase]:
    """Open a file for `fill_range`."""
    with _reading(path):
        file = _in_ranges(path) if is_url(path) else io.FileIO(at(path))
    with file:
        yield file


def fill_range(file: io.RawIOBase, path: str, offset: int, view: memoryview) -> None:
    """Fill a buffer with the bytes of a file from `offset` on; raises DataError if there are too few."""
    with _reading(path):
        file.seek(offset)
        filled = 0
        while filled < len(view) and (count := file.readinto(view[filled:])):
            filled += count
    if filled < len(view):
        raise DataError("the file became shorter while it was read", place=Place(path))


def read_range(path: str, offset: int, length: int) -> bytes:
    """Read exactly `length` bytes of a file; fewer means that it changed."""
    with open_range(path) as file, _reading(path):
        file.seek(offset)
        data = _read_fully(file, length)
    if len(data) != length:
        raise DataError("the file became shorter while it was read", place=Place(path))
    return data


def _read_some(file: Any, length: int) -> bytes:
    """Read what is available, at most `length` bytes; Python handles signals between two such reads.

    A single ``read`` of a stalled stream would wait for all bytes and ignore signals.
    """
    data: bytes = getattr(file, "read1", file.read)(length)
    return data


def _read_fully(file: IO[bytes] | io.RawIOBase, length: int) -> bytes:
    pieces: list[bytes] = []
    missing = length
    while missing and (piece := _read_some(file, missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def _column_advice(name: str) -> tuple[str, ...]:
    """How a column of a file is named, where a path names one as others do: FILE:COLUMN."""
    path, _, column = name.rpartition(":")
    if not column or os.path.exists(name) or not os.path.isfile(path):
        return ()
    return (f"an option names a column of a file: {path} --label {column}, or --preds {column} for predictions",)


@contextlib.contextmanager
def _reading(name: str) -> Iterator[None]:
    """Convert errors of the system and the decompressors to errors that name the file."""
    try:
        yield
    except (FileError, DataError):
        raise
    except EOFError as error:
        raise DataError("the compressed data end too early: is the file complete?", place=Place(name)) from error
    except OSError as error:
        if error.errno is None:
            raise DataError(f"damaged compressed data: {error}", place=Place(name)) from error
        raise FileError(f"cannot be read: {error.strerror}", place=Place(name), advice=_column_advice(name)) from error
    except ValueError as error:
        raise FileError(f"cannot be read: {error}", place=Place(name)) from error
    except Exception as error:
        if type(error).__name__ in ("LZMAError", "error"):
            raise DataError(f"damaged compressed data: {error}", place=Place(name)) from error
        raise
