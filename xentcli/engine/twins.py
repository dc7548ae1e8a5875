"""Copies of this process that compute beside it.

Threads of one interpreter wait for each other at every call into NumPy; on a machine where a
sleeping processor takes long to wake they lose a fifth of their time. A copy waits for nobody.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import IO, Any, Generic, TypeVar, cast

from xentcli.signals import blocked, undo_later

__all__ = ["Twin", "answer", "permit", "twins_of"]

T = TypeVar("T")
R = TypeVar("R")

_MOST = 1 << 22
"""What is longer is computed sooner than it is sent."""
_permitted = False


def permit() -> None:
    """Let this process be copied: it is the command's own, and nobody else's connections and locks are in it."""
    global _permitted
    _permitted = True


def twins_of(function: Callable[[T], R], count: int) -> list[Twin[T, R]]:
    """Return so many copies of this process that compute a function; none where it cannot be copied as it stands.

    A copy has one thread only, the one that made it; locks that others hold would stay locked in it.
    """
    made: list[Twin[T, R]] = []
    # What the system refuses to copy computes alone.
    with contextlib.suppress(OSError):
        if _permitted and sys.platform.startswith("linux") and len(os.listdir("/proc/self/task")) == 1:
            while len(made) < count:
                made.append(Twin(function))
    return made


class Twin(Generic[T, R]):
    """A copy of this process that computes one function of the items that it is sent.

    What it cannot compute, or not tell, is computed here: so errors are raised as they are,
    and nothing is lost when a copy dies.
    """

    def __init__(self, function: Callable[[T], R]) -> None:
        self._function = function
        self._abandoned = False
        asked, self._items = _pipe()
        self._results, told = _pipe()
        # Signals are for the process that is copied.
        with blocked():
            self._process = os.fork()
            if not self._process:
                self._live(asked, told)
            self._withdraw = undo_later(self.kill)
        asked.close()
        told.close()

    def __call__(self, item: T) -> R:
        """Return the function of an item, computed by the copy, or here where the copy cannot.

        Raises
        ------
        RuntimeError
            When the copy was abandoned meanwhile.
        """
        import pickle

        done, result = False, None
        # It may be gone, and an item or a result may be of a kind that cannot be sent.
        with contextlib.suppress(Exception):
            data = pickle.dumps(item, pickle.HIGHEST_PROTOCOL)
            if len(data) <= _MOST:
                self._items.write(data)
                self._items.flush()
                done, result = pickle.load(self._results)  # noqa: S301 - from the copy
        if self._abandoned and not done:
            raise RuntimeError("the worker process was abandoned")
        return cast("R", result) if done else self._function(item)

    @property
    def stopped(self) -> bool:
        """Whether a signal has stopped the copy, so that it will not answer until another continues it."""
        with contextlib.suppress(ChildProcessError):
            return os.waitid(os.P_PID, self._process, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None
        return False

    def kill(self) -> None:
        """Kill the copy; what it was computing is computed here."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)

    def abandon(self) -> None:
        """Kill the copy; what it was computing is not computed."""
        self._abandoned = True
        self.kill()

    def end(self) -> None:
        """Kill the copy and wait for its end; no thread may still wait for a result of it."""
        self.abandon()
        self._withdraw()
        for pipe in (self._items, self._results):
            with contextlib.suppress(OSError):
                pipe.close()
        # Where nobody waits for children the system has taken it away.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._process, 0)

    def _live(self, asked: IO[bytes], told: IO[bytes]) -> None:
        """Be the copy, which nothing but its end leaves."""
        try:
            self._items.close()
            self._results.close()
            answer(self._function, asked, told)
        finally:
            os._exit(0)


def answer(function: Callable[[Any], Any], asked: IO[bytes], told: IO[bytes]) -> None:
    """Compute a function of every item that comes, and tell whether it could be, and what came of it."""
    import pickle

    while True:
        try:
            item = pickle.load(asked)  # noqa: S301 - from the process that was copied
        except EOFError:
            return
        try:
            result = pickle.dumps((True, function(item)), pickle.HIGHEST_PROTOCOL)
        except Exception:
            result = pickle.dumps((False, None))
        told.write(result)
        told.flush()


def _pipe() -> tuple[IO[bytes], IO[bytes]]:
    """The ends of a pipe, to read and to write."""
    read, write = os.pipe()
    return open(read, "rb"), open(write, "wb")
