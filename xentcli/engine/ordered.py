"""The ordered map over tasks: here, or in any executor.

An executor is any object with the ``submit`` of ``concurrent.futures.Executor``.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from xentcli.errors import ClusterError

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

__all__ = ["allow_fork", "available", "is_command", "mapped", "ordered", "worker_count"]

T = TypeVar("T")
R = TypeVar("R")

LOOKED = 8
"""Items to take before starting workers: if there are fewer items, fewer workers are started."""
USEFUL = 16
"""One feeder keeps about 16 workers busy; more only take memory."""


_fork_allowed = False


def allow_fork() -> None:
    """Allow forks: the process is the command's own, so no other library's locks or connections are in it."""
    global _fork_allowed
    _fork_allowed = True


def is_command() -> bool:
    """Whether the process is the command's own, not that of a program that uses the library."""
    return _fork_allowed


def available() -> int:
    """Return how many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def worker_count(asked: int | None = None) -> int:
    """Return the worker count: by default one per CPU, at most 16.

    `asked` is capped at the larger of 16 and the number of CPUs: more workers only take memory.

    >>> 1 <= worker_count() <= 16, worker_count(10**20) <= max(16, available())
    (True, True)
    """
    return min(available(), USEFUL) if asked is None else min(asked, max(available(), USEFUL))


def mapped(function: Callable[[T], R], items: Iterable[T], workers: int, waiting: int = 2) -> Iterator[R]:
    """Yield function(item) for every item, in order, computed by `workers` workers; a single item is computed here.

    At most `workers` + `waiting` items are under way.

    >>> list(mapped(abs, [-1, 2, -3], 2))
    [1, 2, 3]
    """
    looked = min(workers, LOOKED)
    first, left = _begun(iter(items), looked)
    # Each worker has at least one item.
    workers = workers if len(first) == looked else len(first)
    items = itertools.chain(first, left)
    if workers < 2:
        yield from map(function, items)
        return
    from xentcli.engine.executors import executor_of

    with executor_of(function, workers, fork=_fork_allowed) as executor:
        yield from ordered(function, items, executor, ahead=workers + waiting)


def _begun(items: Iterator[T], count: int) -> tuple[list[T], Iterator[T]]:
    """Return the first items, and an iterator over the rest; it raises the error if taking the first ones failed."""
    first: list[T] = []
    try:
        first.extend(itertools.islice(items, count))
    except Exception as error:
        return first, _raising(error)
    return first, items


def _raising(error: Exception) -> Iterator[Any]:
    yield from ()
    raise error


def ordered(
    function: Callable[[T], R],
    items: Iterable[T],
    executor: Executor | None = None,
    ahead: int | Callable[[], int] = 4,
) -> Iterator[R]:
    """Yield function(item) for every item, in order, with at most `ahead` under way, which may change meanwhile.

    Without an executor each item is computed on demand. An item that the executor cannot compute,
    send or receive is computed here, so that the original error is raised.
    ``Executor.map`` is not used: before Python 3.14 it consumes all items before it yields a result.

    >>> list(ordered(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    if executor is None:
        yield from map(function, items)
        return
    waiting: deque[tuple[T, Future[R] | None]] = deque()
    left = iter(items)
    try:
        while True:
            try:
                item = next(left)
            except StopIteration:
                break
            except Exception:
                # Errors of earlier items come first, as they do without an executor.
                while waiting:
                    yield _result(function, *waiting.popleft())
                raise
            waiting.append((item, _submitted(function, item, executor)))
            del item
            while len(waiting) >= (ahead() if callable(ahead) else ahead):
                yield _result(function, *waiting.popleft())
        while waiting:
            yield _result(function, *waiting.popleft())
    finally:
        for _, future in waiting:
            if future is not None:
                future.cancel()


def _submitted(function: Callable[[T], R], item: T, executor: Executor) -> Future[R] | None:
    """Submit an item; None where the system refuses another thread or process, or workers were lost."""
    with contextlib.suppress(RuntimeError, OSError):
        return executor.submit(function, item)
    return None


def _result(function: Callable[[T], R], item: T, future: Future[R] | None) -> R:
    """Return the result of a future; where it has none, compute it here."""
    if future is not None:
        try:
            return future.result()
        except Exception as error:
            # Work meant for a cluster is not done here instead.
            if isinstance(error, ClusterError):
                raise
    return function(item)
