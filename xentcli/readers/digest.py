"""SHA-256 of inputs, computed in a thread beside the work (FIPS 180-4)."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence

from xentcli.readers.source import OfStream, Source, files_in
from xentcli.readers.stream import open_file
from xentcli.records import record
from xentcli.signals import leave_to_main_thread

__all__ = ["Digest", "digests"]

_CHUNK = 1 << 20


@record(frozen=True)
class Digest:
    """The SHA-256 of a source.

    Attributes
    ----------
    whole
        Of all bytes, for several files one after the other; None for data in memory, and if only the digests of single
        files were requested.
    files
        The digest of each file.
    """

    whole: str | None = None
    files: tuple[str, ...] = ()

    @property
    def identity(self) -> str | None:
        """What distinguishes its bytes from those of other inputs with the same number of files."""
        return self.whole if len(self.files) < 2 else hashlib.sha256("".join(self.files).encode()).hexdigest()


@contextlib.contextmanager
def digests(
    sources: Sequence[Source], *, whole: bool = True, each: bool = False
) -> Iterator[Callable[[], tuple[Digest, ...]]]:
    """Hash the files of sources in a thread while the context is active; the function it gives waits for the digests.

    Several files are hashed as a `whole`, or `each` on its own; for a stream, the bytes read so far. Whether files
    stayed unchanged is checked by ``check_unchanged``, after hashing.

    Raises FileError if the digests are requested and a file could not be read.
    """
    stop = threading.Event()
    found: list[Digest] = []
    errors: list[Exception] = []

    def work() -> None:
        try:
            found.extend(_of_files(_files(source), stop, whole, each) for source in sources)
        except Exception as error:
            errors.append(error)

    def beside() -> None:
        leave_to_main_thread()
        work()

    def result() -> tuple[Digest, ...]:
        wait()
        for error in errors:
            raise error
        return tuple(_of_stream(source) or one for source, one in zip(sources, found, strict=True))

    # The thread of a pool stays after its work, and workers are forked only where no other thread is there.
    thread = threading.Thread(target=beside, daemon=True)
    wait: Callable[[], None] = thread.join if _started(thread) else work
    try:
        yield result
    finally:
        stop.set()
        if wait is not work:
            thread.join()


def _started(thread: threading.Thread) -> bool:
    """Start a thread; False if the system refuses."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True


def _of_stream(source: Source) -> Digest | None:
    """Return the digest of the bytes read from a stream."""
    hashed = source.stream.hashed if isinstance(source, OfStream) else None
    return None if hashed is None else Digest(str(hashed.hexdigest()))


def _files(source: Source) -> Sequence[str]:
    if isinstance(source, OfStream):
        return () if source.stream.path is None else (source.stream.path,)
    return files_in(source)


def _of_files(files: Sequence[str], stop: threading.Event, whole: bool, each: bool) -> Digest:
    total, alone = hashlib.sha256(), each and len(files) > 1
    one, found = total, []
    view = memoryview(bytearray(_CHUNK))
    for path in files:
        if alone:
            one = hashlib.sha256()
        with open_file(path, "in order") as file:
            while not stop.is_set() and (count := file.readinto(view)):
                if whole or not alone:
                    total.update(view[:count])
                if alone:
                    one.update(view[:count])
        found.append(one.hexdigest())
    return Digest(total.hexdigest() if files and (whole or not alone) else None, tuple(found) if each else ())
