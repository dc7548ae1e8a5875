"""Cluster: the workers of Dask, either started here for one run or those of an existing scheduler.

A function is sent once, as the result of a Dask task, so that workers that join later get it too. Groups of tasks
are sent as paths and ranges. If Dask repeats a group after losing a worker, the result has the same bits.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from typing import Any

from xentcli.engine.connect import connected, first_line
from xentcli.engine.travel import SAME_PATH, Failed, Sent, compute, pickled, versions
from xentcli.errors import ClusterError, DataError, UsageError, XentError
from xentcli.extras import needed

__all__ = ["Cluster"]

_PATIENCE = 1.0
"""Seconds to wait for a result before checking the cluster."""
_PING = 5.0
_LOST = 30.0
"""Seconds without an answer after which the scheduler counts as lost."""
_NO_WORKER = 120.0
"""Seconds without any worker after which the run fails."""
_LEAST = 16
"""The minimum number of groups under way, so that an adaptive cluster has a reason to grow."""


class Cluster:
    """The workers of a run; started or connected to when the first function is sent.

    Parameters
    ----------
    scheduler
        An address, the path of a scheduler file, a ``distributed.Client``, or None for workers of this machine.
    workers
        How many are started here.
    tell
        Called with lines about the cluster.
    """

    def __init__(self, scheduler: Any, workers: int, tell: Callable[[str], object] | None = None) -> None:
        needed("distributed", "dask")
        self._scheduler, self._workers, self._tell = scheduler, workers, tell
        self._open = contextlib.ExitStack()
        self._client: Any = None
        self._address = ""
        self._heard = self._pinged = self._manned = 0.0
        self._counted, self._threads = -_PING, 0

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def client(self) -> Any:
        """The client; connects on first use."""
        if self._client is None:
            self._client = connected(self._open, self._scheduler, self._workers, self._tell)
            # A client that closed itself has no scheduler.
            self._address = self._client.scheduler.address
            self._heard = self._pinged = self._manned = time.monotonic()
        return self._client

    def ahead(self) -> int:
        """How many groups may be under way: two per worker, so that none waits. Workers may join at any time."""
        if self._scheduler is None:
            return 2 * self._workers + 2
        now = time.monotonic()
        if now >= self._counted + _PING:
            with contextlib.suppress(Exception):
                self._threads = sum(self.client.nthreads().values())
            self._counted = now
        return max(_LEAST, 2 * self._threads + 2)

    @contextlib.contextmanager
    def executor(self, function: Callable[[Any], Any]) -> Iterator[Executor]:
        """Yield an executor of one function, which is sent to the workers once."""
        executor = _Workers(self, function)
        try:
            yield executor
        finally:
            executor.shutdown(wait=False)

    def check(self) -> None:
        """Check that the scheduler answers and has workers.

        Raises ClusterError if it has not done so for too long.
        """
        client, now = self.client, time.monotonic()
        if client.status not in ("running", "connecting"):
            raise self.lost()
        if now - self._pinged >= _PING:
            self._pinged = now
            with contextlib.suppress(Exception):
                if client.sync(client.scheduler.ncores, callback_timeout=_PING):
                    self._manned = time.monotonic()
                self._heard = time.monotonic()
        if now - self._heard > _LOST:
            raise self.lost()
        limit = _NO_WORKER if self._scheduler is not None else _LOST
        if now - self._manned > limit:
            where = () if self._scheduler is None else (f"dask worker {self._address} starts one",)
            raise ClusterError(
                f"there has been no worker of Dask for {limit:.0f} s", advice=(*where, f"out of memory? {_MEMORY}")
            )

    def lost(self) -> ClusterError:
        """Return the error for a lost scheduler."""
        return ClusterError(
            f"the scheduler of Dask at {self._address} went away: there is no result",
            advice="start it and its workers again, and run the command again; without --scheduler it runs here",
        )


class _Workers(Executor):
    """The executor of one function on a cluster."""

    def __init__(self, cluster: Cluster, function: Callable[[Any], Any]) -> None:
        self._cluster, self._function = cluster, function
        client = cluster.client
        try:
            data = pickled(function)
        except Exception as error:
            raise UsageError(f"what was given cannot be sent to workers: {first_line(error)}") from None
        self._sent = client.submit(Sent, data, versions(), pure=False)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Send a group of tasks, which was packed by `group_of`."""
        (group,) = args
        # Not by Dask's executor, which fails if a worker dies after its result was fetched.
        try:
            future = self._cluster.client.submit(compute, self._sent, group, pure=False)
        except Exception:
            # Dask closes a client whose scheduler is gone; the group must not be computed here instead.
            self._cluster.check()
            raise
        return _Result(self._cluster, future, lambda: fn(group))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Release the function on the workers."""
        with contextlib.suppress(Exception):
            self._sent.release()


class _Result(Future[Any]):
    """The future results of a group."""

    def __init__(self, cluster: Cluster, future: Future[Any], here: Callable[[], Any]) -> None:
        super().__init__()
        self._cluster, self._future, self._here = cluster, future, here

    def cancel(self) -> bool:
        """Cancel the group if no worker has it."""
        with contextlib.suppress(Exception):
            # A client that lost its scheduler cannot send anything.
            self._future.cancel()
        return self._future.cancelled()

    def result(self, timeout: float | None = None) -> Any:
        """Return the results.

        Raises
        ------
        ClusterError
            If the cluster cannot deliver them.
        XentError
            The error of the first task that failed.
        """
        while True:
            try:
                found = self._future.result(timeout=_PATIENCE)
                break
            except TimeoutError:
                self._cluster.check()
            except OSError:
                # The connection failed, perhaps only temporarily.
                self._cluster.check()
                time.sleep(_PATIENCE)
            except CancelledError:
                raise self._cluster.lost() from None
            except Exception as error:
                raise _failure(error) from None
        if isinstance(found, Failed):
            self._refuse(found)
        return found

    def _refuse(self, failed: Failed) -> None:
        """Raise the error of a worker; one that may be due to the worker alone becomes a ClusterError."""
        error = failed.error
        if isinstance(error, MemoryError):
            raise ClusterError(f"the worker {failed.worker} has too little memory", advice=_MEMORY)
        if isinstance(error, XentError) and not isinstance(error, DataError):
            if type(error) not in (ClusterError, UsageError):
                # Computed here, it raises the same error unless only the worker is affected.
                self._here()
            advice = error.advice or (SAME_PATH,)
            raise ClusterError(f"the worker {failed.worker}: {error.headline}", advice=advice)
        raise error


_MEMORY = "--threads N starts fewer workers, with more memory each; dask worker --memory-limit where they are yours"


def _failure(error: Exception) -> ClusterError:
    """Return the error for a failure of Dask itself."""
    if type(error).__name__ == "KilledWorker":
        lost = getattr(error, "allowed_failures", 0) + 1
        return ClusterError(
            f"{lost} worker{'s' * (lost != 1)} died while computing the same part of the files: it is not tried again",
            advice=(f"out of memory? {_MEMORY}",),
        )
    advice = "xentcli and what it needs must be installed for the scheduler and its workers too"
    return ClusterError(f"a worker of Dask failed: {type(error).__name__}: {first_line(error)}", advice=advice)
