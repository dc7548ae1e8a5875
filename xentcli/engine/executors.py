"""Executors: threads, or forked worker processes if this process runs the command itself."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from xentcli.signals import blocked, leave_to_main_thread, undo_later

if TYPE_CHECKING:
    from multiprocessing.context import ForkContext
    from multiprocessing.process import BaseProcess

__all__ = ["Processes", "executor_of"]

_PATIENCE = 1.0
"""Seconds to wait for a result before checking whether a worker process is stopped or dead."""
_PR_SET_PDEATHSIG = 1

P = ParamSpec("P")
T = TypeVar("T")
_function: Callable[[Any], Any]
"""In a worker process: the function to apply to every task."""


def executor_of(function: Callable[[Any], Any], workers: int, *, fork: bool) -> Executor:
    """Return an executor for one function: worker processes if `fork` allows them and Linux can fork, else threads.

    Only a process with a single thread is forked: locks held by other threads would stay locked in the child.
    """
    if fork and sys.platform.startswith("linux") and hasattr(os, "fork"):
        # Without /dev/shm there are no semaphores and no process pool; without /proc threads cannot be counted.
        with contextlib.suppress(ImportError, OSError, ValueError, NotImplementedError):
            if len(os.listdir("/proc/self/task")) == 1:
                return Processes(function, workers)
    return ThreadPoolExecutor(workers, initializer=leave_to_main_thread)


class Processes(Executor):
    """Forked worker processes that compute one function; they inherit it, so that only tasks and results travel.

    ``ProcessPoolExecutor`` waits forever for a worker that is stopped, or that dies while it sends a
    result. Here such a loss fails all pending calls, and no more are accepted.
    """

    def __init__(self, function: Callable[[Any], Any], workers: int) -> None:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import active_children, util

        self._function = function
        self._pool = ProcessPoolExecutor(workers, _forking(), _begin, (function,))
        self._children = active_children
        self._workers: list[BaseProcess] = []
        self._suspect = self._lost = False
        self._withdraw = undo_later(self._kill)
        # Otherwise exit waits for tasks that are still queued for killed workers.
        atexit.unregister(util._exit_function)  # type: ignore[attr-defined]

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queue a call; the first starts all workers.

        Raises OSError or RuntimeError if the system refuses a process or a thread; also on every call after that, or
        after losing workers.
        """
        if self._lost:
            raise BrokenExecutor("a worker process was lost")
        call: Callable[..., Any] = _compute if fn is self._function else fn
        # The parent handles signals: workers and the threads of the pool inherit the blocked mask.
        with blocked():
            try:
                return _Result(self, self._pool.submit(call, *args, **kwargs))
            except (OSError, RuntimeError):
                self._lost = True
                raise
            finally:
                self._workers = self._workers or self._children()

    def check(self) -> None:
        """Kill all workers if one is stopped or dead.

        A worker seen stopped only once may be about to continue together with this process.

        Raises BrokenExecutor if workers were lost.
        """
        suspect, self._suspect = self._suspect, any(map(_is_lost, self._workers))
        if self._lost or (suspect and self._suspect):
            self._lost = True
            self._kill()
            raise BrokenExecutor("a worker process was lost")

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Kill the workers and wait until they have ended."""
        self._lost = True
        self._kill()
        self._withdraw()
        for worker in self._workers:
            worker.join()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _kill(self) -> None:
        for worker in self._workers:
            worker.kill()


class _Result(Future[T]):
    """A future that fails when workers are lost."""

    def __init__(self, processes: Processes, future: Future[T]) -> None:
        super().__init__()
        self._processes, self._future = processes, future

    def cancel(self) -> bool:
        """Cancel the call if no worker has it."""
        return self._future.cancel()

    def done(self) -> bool:
        """Return whether there is a result or an error."""
        return self._future.done()

    def result(self, timeout: float | None = None) -> T:
        """Return the result, or raise what was raised."""
        while not wait((self._future,), _PATIENCE).done:
            self._processes.check()
        return self._future.result()


def _is_lost(worker: BaseProcess) -> bool:
    """Whether a worker process is stopped or dead."""
    try:
        return os.waitid(os.P_PID, worker.pid or 0, os.WSTOPPED | os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _forking() -> ForkContext:
    """Return the way to fork workers that the pool can end: where one is lost, it ends the others and waits for them.

    It does so by SIGTERM, which workers leave to their parent; from Python 3.12 on it holds up `submit` meanwhile.
    """
    from multiprocessing import get_context
    from multiprocessing.context import ForkProcess

    class Worker(ForkProcess):
        terminate = ForkProcess.kill

    context = type(get_context("fork"))()
    context.Process = Worker  # type: ignore[misc]
    return context


def _begin(function: Callable[[Any], Any]) -> None:
    """Initialise a worker process, which the kernel kills when its parent ends."""
    import ctypes
    from multiprocessing import parent_process

    global _function
    _function = function
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # Of a parent that ended before, the kernel says nothing; another process has taken its place.
    if (parent := parent_process()) is None or os.getppid() != parent.pid:
        os._exit(1)


def _compute(task: Any) -> Any:
    return _function(task)
