"""Messages to and from the workers of a cluster, and the function that a worker runs."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import os
import pickle
import platform
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np

from xentcli.errors import ClusterError, UsageError, XentError
from xentcli.extras import needed
from xentcli.heap import keep_freed_memory
from xentcli.readers.stream import located
from xentcli.records import cached_property, record
from xentcli.urls import is_url
from xentcli.version import __version__

__all__ = [
    "SAME_PATH",
    "Failed",
    "Group",
    "Sent",
    "compute",
    "computed_here",
    "files_seen",
    "group_of",
    "has_bokeh",
    "pickled",
    "versions",
]

R = TypeVar("R")
Seen = tuple[str, int, int]
"""A file as one process sees it: path, size, and modification time in seconds."""


def versions() -> dict[str, str]:
    """Return the versions that must agree everywhere for bit-identical results."""
    return {"Python": ".".join(platform.python_version_tuple()[:2]), "NumPy": np.__version__, "xentcli": __version__}


class Sent:
    """A function as sent to the workers: pickled, so that versions are checked before it is loaded."""

    def __init__(self, data: bytes, versions: dict[str, str]) -> None:
        self.data, self.versions = data, versions

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the loaded function."""
        return Sent, (self.data, self.versions)

    @cached_property
    def function(self) -> Any:
        """The function, unpickled on first use."""
        return pickle.loads(self.data)  # noqa: S301


@record(frozen=True)
class Group:
    """Tasks for one worker and the files that are read (tuple of Seen), both packed, and the folder of their paths."""

    data: bytes
    files: bytes
    folder: str


@record(frozen=True, eq=False)
class Failed:
    """Returned in place of results: the error, and the address of the worker."""

    error: Exception
    worker: str


def compute(sent: Sent, group: Group) -> Any:
    """Compute a group in a worker; errors are returned, so that the worker neither logs nor repeats them."""
    try:
        _check_versions(sent.versions)
        _check_files(group)
        _settled()
        with located(group.folder), _one_thread():
            return sent.function(_unpacked(group.data))
    except XentError as error:
        return Failed(error, _address())
    except MemoryError as error:
        return Failed(MemoryError(str(error)), _address())
    except Exception as error:
        return Failed(RuntimeError(f"{type(error).__name__}: {error}"), _address())


@functools.cache
def _settled() -> None:
    """Set up a worker once, for reading blocks of the same size again and again."""
    keep_freed_memory(one_heap=False)


def _check_versions(expected: dict[str, str]) -> None:
    here = versions()
    odd = next((name for name, version in expected.items() if here[name] != version), None)
    if odd is not None:
        raise UsageError(
            f"it has {odd} {here[odd]}, and this command {expected[odd]}: the last bits of the result could differ",
            advice=f"install {odd} {expected[odd]} for the scheduler and its workers",
        )


def files_seen(paths: Iterable[str]) -> tuple[Seen, ...]:
    """Return local files as this process sees them, without those that do not exist."""
    found = []
    for path in paths:
        if not is_url(path):
            with contextlib.suppress(OSError):
                stat = os.stat(path)
                found.append((os.path.abspath(path), stat.st_size, int(stat.st_mtime)))
    return tuple(found)


def _check_files(group: Group) -> None:
    """Refuse files that are missing here or differ from those that the command sees."""
    for path, *seen in _unpacked(group.files):
        try:
            stat = os.stat(path)
        except OSError as error:
            raise ClusterError(f"{path} cannot be read there: {error.strerror}", advice=SAME_PATH) from None
        if [stat.st_size, int(stat.st_mtime)] != seen:
            raise ClusterError(f"{path} is another file there: its size or time differs", advice=SAME_PATH)


SAME_PATH = (
    "workers must see the same files at the same paths: a shared folder, a URL, "
    "or copies that keep their times (rsync -a)"
)


def _address() -> str:
    """The address of this worker."""
    try:
        from distributed import get_worker

        return str(get_worker().address)
    except (ImportError, ValueError):
        return "here"


def _one_thread() -> contextlib.AbstractContextManager[Any]:
    """Let linear algebra use one thread: there is a worker for each processor."""
    limits: contextlib.AbstractContextManager[Any] = needed("threadpoolctl", "dask").threadpool_limits(1)
    return limits


def has_bokeh() -> bool:
    """Return whether the scheduler, which is asked, can draw its dashboard."""
    return importlib.util.find_spec("bokeh") is not None


def pickled(value: Any) -> bytes:
    """Return the pickle of a value; cloudpickle is used for functions defined in a script."""
    try:
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except Exception:
        return bytes(importlib.import_module("cloudpickle").dumps(value))


def group_of(tasks: Sequence[Any]) -> Group:
    """Pack tasks, with the files that their parts are read from."""
    paths = dict.fromkeys(part.path for task in tasks if hasattr(task, "parts") for part in task.parts)
    return Group(_packed(list(tasks)), _packed(files_seen(paths)), os.getcwd())


def _packed(value: Any) -> bytes:
    """Pickle a value and compress it: the tasks of many small files differ in little but their paths."""
    data = pickled(value)
    return zlib.compress(data, 1 if len(data) <= _DESCRIBED else 0)


def _unpacked(data: bytes) -> Any:
    return pickle.loads(zlib.decompress(data))  # noqa: S301


_DESCRIBED = 1 << 20
"""Bytes of tasks above which they hold rows, which are worth no compression."""


def computed_here(function: Callable[[Any], R], group: Group) -> R:
    """Compute a packed group in this process."""
    return function(_unpacked(group.data))
