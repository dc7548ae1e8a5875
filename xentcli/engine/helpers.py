"""An executor of a few threads, or copies of the process, that whoever waits for a result helps."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from typing import Any, ParamSpec, TypeVar

from xentcli.engine.twins import Twin, twins_of
from xentcli.signals import leave_to_main_thread

__all__ = ["Helpers"]

_PATIENCE = 1.0
"""Seconds to wait for a result before looking whether a worker process is stopped."""

P = ParamSpec("P")
T = TypeVar("T")


class Helpers(Executor):
    """Some threads, and the thread that asks for results, which computes as long as the one it asks for is not there.

    So there are never more threads that compute than there are processors, and none that
    only waits: three threads on two processors wait for each other. Where the process can be
    copied, each thread has a copy compute the one function that is given; it then waits itself.

    >>> with Helpers(1) as helpers:
    ...     [future.result() for future in [helpers.submit(abs, n) for n in (-1, 2, -3)]]
    [1, 2, 3]
    """

    def __init__(self, threads: int, function: Callable[[Any], Any] | None = None) -> None:
        self._function = function
        self._twins = [] if function is None else twins_of(function, threads)
        self._stopped: set[Twin[Any, Any]] = set()
        self._idle = deque(self._twins)
        self._pool = ThreadPoolExecutor(threads, initializer=leave_to_main_thread)
        self._waiting: deque[tuple[_Future[Any], Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = deque()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queue a call for the first idle worker; without any thread, the thread that needs the result computes it."""
        future: _Future[T] = _Future(self)
        self._waiting.append((future, fn, args, kwargs))
        # The pool raises RuntimeError where the system has no room for another thread.
        with contextlib.suppress(RuntimeError):
            self._pool.submit(self._help_beside)
        return future

    def help(self, twin: Twin[Any, Any] | None = None) -> bool:
        """Compute the first that nobody computes yet, or have a twin do it; say whether there was one."""
        try:
            future, function, args, kwargs = self._waiting.popleft()
        except IndexError:
            return False
        if future.set_running_or_notify_cancel():
            try:
                call = twin if twin is not None and function is self._function else function
                future.set_result(call(*args, **kwargs))
            except Exception as error:
                future.set_exception(error)
        return True

    def _help_beside(self) -> None:
        """Compute what is next in a thread of the pool, by a twin if there are any."""
        twin = self._idle.pop() if self._idle else None
        self.help(twin)
        if twin is not None:
            self._idle.append(twin)

    def end_stopped(self) -> None:
        """Kill the worker processes that are stopped now and were when this was last called.

        Their threads then compute here what they were to. A process may be seen stopped once
        in the moment before it continues with this one.
        """
        stopped = {twin for twin in self._twins if twin.stopped}
        for twin in stopped & self._stopped:
            twin.kill()
        self._stopped = stopped

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop all workers; results still being computed are dropped."""
        for twin in self._twins:
            twin.abandon()
        self._pool.shutdown(wait, cancel_futures=cancel_futures)
        while wait and self._twins:
            self._twins.pop().end()


class _Future(Future[T]):
    """A result that whoever waits for it helps to come about."""

    def __init__(self, helpers: Helpers) -> None:
        super().__init__()
        self._helpers = helpers

    def result(self, timeout: float | None = None) -> T:
        """Return the result, or raise what was raised."""
        while not self.done() and self._helpers.help():
            pass
        while timeout is None and not wait((self,), _PATIENCE).done:
            self._helpers.end_stopped()
        return super().result(timeout)
