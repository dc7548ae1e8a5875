"""Write a file completely or not at all."""

from __future__ import annotations

import contextlib
import glob
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from xentcli.errors import FileError, Place, UsageError, shown
from xentcli.signals import blocked, undo_later
from xentcli.urls import check_here

__all__ = ["Folder", "append_bytes", "replacing", "replacing_folder", "write_bytes"]

_SUFFIX = ".xent-tmp"
_STALE_SECONDS = 60


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a temporary file that replaces `path` when the block succeeds.

    The temporary file is in the same folder, so that the rename is atomic; it is synced first, so
    that a crash leaves either the old file or the new one. When the block raises, the temporary
    file is removed and `path` is untouched. Temporary files of killed runs are removed when the
    same file is written again.

    Raises FileError if the file cannot be written; UsageError for a URL.
    """
    check_here(path)
    # The real path of a pipe among /dev/fd is no file.
    if os.path.exists(path) and not os.path.isfile(path):
        with _file_errors(path), open(path, "wb") as special:
            yield special
        return
    target = Path(os.path.realpath(path))
    _check_writable(path, target)
    import tempfile

    # A file name has at most 255 bytes; a character takes up to four.
    prefix = f".{target.name[:50]}."
    _sweep(target.parent, prefix)
    with _file_errors(path), blocked():
        number, name = tempfile.mkstemp(dir=target.parent, prefix=prefix, suffix=_SUFFIX)
        temporary = Path(name)
        withdraw = undo_later(lambda: temporary.unlink(missing_ok=True))
    # On a file system without locks, leftovers are not removed either.
    with contextlib.suppress(OSError):
        _lock(number)
    try:
        with _file_errors(path):
            with open(number, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, _mode(target))
            os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        withdraw()


class Folder:
    """A folder that is being written; `path` is where."""

    def __init__(self, parent: str, prefix: str) -> None:
        self._parent, self._prefix = parent, prefix
        self._locks = contextlib.ExitStack()
        self.path = self._made()

    def _made(self) -> str:
        import tempfile

        path = tempfile.mkdtemp(dir=self._parent, prefix=self._prefix, suffix=_SUFFIX)
        # On a file system without locks, leftovers are not removed either.
        with contextlib.suppress(OSError):
            self._locks.enter_context(_locked(path))
        return path

    def restart(self) -> None:
        """Begin again elsewhere: who still writes into the old one does so in vain."""
        old, self.path = self.path, self._made()
        _removed(old)

    def remove(self) -> None:
        """Remove what was written."""
        _removed(self.path)
        self._locks.close()


def _removed(folder: str) -> None:
    import shutil

    for _ in range(3):
        # A file may have been created in it meanwhile.
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def replacing_folder(path: str | os.PathLike[str], replaceable: Callable[[str], bool]) -> Iterator[Folder]:
    """Make a folder beside `path` that takes its name when the block succeeds; when it raises nothing is left.

    It replaces a file, or a folder in which all files are `replaceable` by name. Folders of killed runs are removed
    when the same one is written again.

    Raises UsageError for a folder with other files, for what is neither a file nor a folder, such as a pipe, and for a
    URL; FileError if the folder cannot be written.
    """
    check_here(path)
    target = Path(os.path.realpath(path))
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise UsageError(
            f"{shown(os.fspath(path))} is neither a file nor a folder, and cannot become one",
            advice="give the name of a new folder",
        )
    with _file_errors(path):
        files = sorted(os.listdir(target)) if target.is_dir() else []
    other = next((name for name in files if not replaceable(name)), None)
    if other is not None:
        raise UsageError(
            f"{shown(os.fspath(path))} is a folder with {shown(other)} in it, which would be removed",
            advice="give the name of a new folder",
        )
    if target.exists():
        _check_writable(path, target)
    _sweep(target.parent, f".{target.name[:50]}.", replaceable)
    with _file_errors(path), blocked():
        folder = Folder(str(target.parent), f".{target.name[:50]}.")
        withdraw = undo_later(folder.remove)
    try:
        yield folder
        with _file_errors(path):
            for left in Path(folder.path).glob(".*"):
                left.unlink()
            os.chmod(folder.path, 0o777 & ~_mask())
            # No signal may end the process while neither folder has the target name.
            with blocked():
                _replace(target, folder)
    finally:
        folder.remove()
        withdraw()


def _replace(target: Path, folder: Folder) -> None:
    """Give a folder the name of a target, which is removed; where that fails the target has its name again."""
    if not target.exists():
        os.replace(folder.path, target)
        return
    old = Folder(str(target.parent), f".{target.name[:50]}.")
    aside = Path(old.path, target.name)
    try:
        os.replace(target, aside)
        try:
            os.replace(folder.path, target)
        except OSError:
            os.replace(aside, target)
            raise
    except OSError:
        # A folder that cannot be restored stays there.
        with contextlib.suppress(OSError):
            os.rmdir(old.path)
        raise
    old.remove()


def _check_writable(path: str | os.PathLike[str], target: Path) -> None:
    """Refuse a read-only file, as a shell does: a rename would replace it all the same."""
    try:
        mode = target.stat().st_mode
    except OSError:
        return
    if not mode & 0o222:
        raise FileError("cannot be written: it is read-only", place=Place(os.fspath(path)))


def _sweep(folder: Path, prefix: str, replaceable: Callable[[str], bool] | None = None) -> None:
    """Remove temporary files of this target whose writer is gone; skip those that cannot be removed.

    With `replaceable` also temporary folders, in which all files are so by name or begin with a point: another one
    may have what the target was before. A writer holds a lock, but not yet just after creating it: young ones are
    skipped.
    """
    with contextlib.suppress(OSError):
        for leftover in folder.glob(f"{glob.escape(prefix)}*{_SUFFIX}"):
            with contextlib.suppress(OSError):
                if time.time() - leftover.lstat().st_mtime <= _STALE_SECONDS:
                    continue
                with _locked(leftover):
                    if not leftover.is_dir():
                        leftover.unlink()
                    elif replaceable and all(name[0] == "." or replaceable(name) for name in os.listdir(leftover)):
                        _removed(str(leftover))


@contextlib.contextmanager
def _locked(path: str | os.PathLike[str]) -> Iterator[None]:
    """Hold the lock of a file or folder; raises OSError if another process holds it."""
    number = os.open(path, os.O_RDONLY)
    try:
        _lock(number)
        yield
    finally:
        os.close(number)


def _lock(number: int) -> None:
    """Lock an open file, or raise OSError if another process holds the lock.

    Without fcntl (Windows) there is no lock; an open file cannot be removed there anyway.
    """
    with contextlib.suppress(ImportError):
        import fcntl

        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file completely or not at all."""
    with replacing(path) as file:
        file.write(content)


def append_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Append to a file, made where there is none; a file that takes only a part gets its old length back."""
    check_here(path)
    with _file_errors(path), open(path, "ab", buffering=0) as file:
        before = os.fstat(file.fileno())
        try:
            while content:
                content = content[file.write(content) :]
        except OSError:
            if stat.S_ISREG(before.st_mode):
                file.truncate(before.st_size)
            raise


def _mode(target: Path) -> int:
    """Permissions of the file to replace, or those that open() would give a new one."""
    with contextlib.suppress(FileNotFoundError):
        return target.stat().st_mode & 0o7777
    return 0o666 & ~_mask()


def _mask() -> int:
    """The permissions that new files do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextlib.contextmanager
def _file_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileError(f"cannot be written: {reason}", place=Place(os.fspath(path))) from error
