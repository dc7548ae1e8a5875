"""The ordered map over parts: here, or in the threads of any executor.

An executor is anything with ``submit``, as ``concurrent.futures`` has it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

__all__ = ["ordered"]

T = TypeVar("T")
R = TypeVar("R")


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
    try:
        for item in items:
            waiting.append(executor.submit(function, item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
