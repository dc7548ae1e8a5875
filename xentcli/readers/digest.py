"""SHA-256 of inputs, computed in a thread beside the work (FIPS 180-4)."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence

from xentcli.errors import XentError
from xentcli.readers.source import OfStream, Source, files_in
from xentcli.readers.stream import open_file
from xentcli.signals import leave_to_main_thread

__all__ = ["digests"]

_CHUNK = 1 << 20


@contextlib.contextmanager
def digests(sources: Sequence[Source]) -> Iterator[Callable[[], tuple[str | None, ...]]]:
    """Hash the files of sources in a thread while the block runs; what is called in it waits for the sums.

    Of several files it is the sum of their bytes one after the other; of a stream that of
    the bytes that were read; None of what is in memory. That a file stays what it was is
    for ``check_unchanged`` to say, after the sums were taken.

    Raises
    ------
    FileError
        When the sums are asked for, and a file could not be read.
    """
    stop = threading.Event()
    found: list[str | None] = []
    errors: list[XentError] = []

    def beside() -> None:
        leave_to_main_thread()
        work()

    def work() -> None:
        try:
            found.extend(_of_files(_files(source), stop) for source in sources)
        except XentError as error:
            errors.append(error)

    def result() -> tuple[str | None, ...]:
        if started:
            thread.join()
        else:
            work()
        for error in errors:
            raise error
        return tuple(_of_stream(source) or sum_ for source, sum_ in zip(sources, found, strict=True))

    thread = threading.Thread(target=beside, daemon=True)
    started = _started(thread)
    try:
        yield result
    finally:
        stop.set()
        if started:
            thread.join()


def _started(thread: threading.Thread) -> bool:
    """Start a thread; False if the system refuses."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True


def _of_stream(source: Source) -> str | None:
    """Return the digest of the bytes that were read of a stream."""
    hashed = source.stream.hashed if isinstance(source, OfStream) else None
    return None if hashed is None else str(hashed.hexdigest())


def _files(source: Source) -> tuple[str, ...]:
    if isinstance(source, OfStream):
        return () if source.stream.path is None else (source.stream.path,)
    return files_in(source)


def _of_files(files: tuple[str, ...], stop: threading.Event) -> str | None:
    if not files:
        return None
    total = hashlib.sha256()
    view = memoryview(bytearray(_CHUNK))
    for path in files:
        with open_file(path, "in order") as file:
            while not stop.is_set() and (count := file.readinto(view)):
                total.update(view[:count])
    return total.hexdigest()
