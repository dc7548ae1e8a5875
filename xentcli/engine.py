"""The ordered map over parts: here, in threads, or in any executor.

An executor is anything with ``submit``, as ``concurrent.futures`` has it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

__all__ = ["available", "ordered", "threaded"]

T = TypeVar("T")
R = TypeVar("R")


def available() -> int:
    """Return how many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def threaded(function: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
    """Yield function(item) for every item, in order, by as many threads, or copies of the process; of one item here.

    >>> list(threaded(abs, [-1, 2, -3], 2))
    [1, 2, 3]
    """
    left = iter(items)
    first = list(itertools.islice(left, 2))
    whole = itertools.chain(first, left)
    with contextlib.ExitStack() as stack:
        executor = None
        if threads > 1 and len(first) > 1:
            from xentcli.helpers import Helpers

            executor = stack.enter_context(Helpers(threads - 1, function))
        yield from ordered(function, whole, executor, ahead=threads + 2)


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
