"""The ordered map over parts: here, in threads, or in any executor.

An executor is anything with ``submit``, as ``concurrent.futures`` has it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

__all__ = ["available", "ordered", "threaded", "worker_count"]

T = TypeVar("T")
R = TypeVar("R")

LOOKED = 8
"""So many items are looked for before there are more threads."""
USEFUL = 16
"""One thread cuts and aligns rows for about 16 workers; more only take memory."""


def available() -> int:
    """Return how many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def worker_count(asked: int | None = None) -> int:
    """Return the worker count: by default one per CPU, at most 16.

    What was asked for is capped at 16 or the number of CPUs: each further worker only takes memory.

    >>> 1 <= worker_count() <= 16, worker_count(10**20) <= max(16, available())
    (True, True)
    """
    return min(available(), USEFUL) if asked is None else min(asked, max(available(), USEFUL))


def threaded(function: Callable[[T], R], items: Iterable[T], threads: int, waiting: int = 2) -> Iterator[R]:
    """Yield function(item) for every item, in order, by as many threads, or copies of the process; of one item here.

    `waiting` items are made beforehand.

    >>> list(threaded(abs, [-1, 2, -3], 2))
    [1, 2, 3]
    """
    looked = min(threads, LOOKED)
    first, left = _begun(iter(items), looked)
    # A few items need no more threads than they are.
    threads = threads if len(first) == looked else len(first)
    with contextlib.ExitStack() as stack:
        executor = None
        if threads > 1:
            from xentcli.engine.helpers import Helpers

            executor = stack.enter_context(Helpers(threads - 1, function))
        yield from ordered(function, itertools.chain(first, left), executor, ahead=threads + waiting)


def _begun(items: Iterator[T], count: int) -> tuple[list[T], Iterator[T]]:
    """Take the first items, and give what yields the others; what goes wrong is raised when its turn has come."""
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
    function: Callable[[T], R], items: Iterable[T], executor: Executor | None = None, ahead: int = 4
) -> Iterator[R]:
    """Yield function(item) for every item, in order, with at most `ahead` under way.

    Without an executor each is computed when it is asked for. ``Executor.map`` is not
    used: before Python 3.14 it takes all its items before it yields a result.

    >>> list(ordered(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    if executor is None:
        yield from map(function, items)
        return
    waiting: deque[Future[R]] = deque()
    left = iter(items)
    try:
        while True:
            try:
                item = next(left)
            except StopIteration:
                break
            except Exception:
                # What went wrong with an earlier item comes first, as it would without threads.
                while waiting:
                    yield waiting.popleft().result()
                raise
            waiting.append(executor.submit(function, item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
