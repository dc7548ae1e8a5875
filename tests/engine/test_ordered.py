"""ordered(): the map over parts, in order, with few under way, in any executor."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ParamSpec, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws import settings
from xentcli.engine import executors
from xentcli.engine.ordered import available, mapped, ordered

P = ParamSpec("P")
T = TypeVar("T")

laws = settings(deadline=None, max_examples=60)

EXECUTORS: dict[str, Callable[[], AbstractContextManager[Executor | None]]] = {
    "none": lambda: nullcontext(None),
    "one thread": lambda: ThreadPoolExecutor(1),
    "four threads": lambda: ThreadPoolExecutor(4),
}
if sys.platform == "linux":
    # Elsewhere the package forks no processes.
    EXECUTORS["two processes"] = lambda: ProcessPoolExecutor(2, multiprocessing.get_context("fork"))
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
every_executor = pytest.mark.parametrize("executor", EXECUTORS.values(), ids=EXECUTORS)


class Patient(Executor):
    """Computes nothing until it is told to; remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        self.given.append((future, lambda: fn(*args, **kwargs)))
        return future

    def compute(self, index: int) -> None:
        future, call = self.given[index]
        assert future.set_running_or_notify_cancel()
        try:
            future.set_result(call())
        except ArithmeticError as error:
            future.set_exception(error)


class Impatient(Patient):
    """Computes the first few as they come, and holds the rest."""

    def __init__(self, at_once: int) -> None:
        super().__init__()
        self.at_once = at_once

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future = super().submit(fn, *args, **kwargs)
        if len(self.given) <= self.at_once:
            self.compute(len(self.given) - 1)
        return future

    @property
    def cancelled(self) -> list[bool]:
        return [future.cancelled() for future, _ in self.given]


class Counted:
    """Items, and how many were taken."""

    def __init__(self, items: Iterator[int]) -> None:
        self.items = items
        self.taken = 0

    def __iter__(self) -> Iterator[int]:
        for item in self.items:
            self.taken += 1
            yield item


def square(item: int) -> int:
    return item * item


def inverse(item: int) -> float:
    return 1 / item


def slow_first(item: int) -> int:
    time.sleep(0.05 if item == 0 else 0.01 if item == 3 else 0)
    return item


@every_executor
def test_results_come_in_the_order_of_the_items_however_slow_the_first(
    executor: Callable[[], AbstractContextManager[Executor | None]],
) -> None:
    with executor() as pool:
        assert list(ordered(slow_first, range(12), pool)) == list(range(12))


@laws
@given(
    items=st.lists(st.integers(), max_size=30), threads=st.integers(0, 4), ahead=st.integers(1, 9), lag=st.booleans()
)
def test_it_is_map_for_any_items_threads_and_lead(items: list[int], threads: int, ahead: int, lag: bool) -> None:
    def function(item: int) -> int:
        if lag:
            time.sleep((item % 3) * 1e-4)
        return item + 1

    expected = [item + 1 for item in items]
    if not threads:
        assert list(ordered(function, iter(items), None, ahead)) == expected
        return
    with ThreadPoolExecutor(threads) as pool:
        assert list(ordered(function, iter(items), pool, ahead)) == expected


@every_executor
def test_no_items_give_no_results(executor: Callable[[], AbstractContextManager[Executor | None]]) -> None:
    with executor() as pool:
        assert list(ordered(square, [], pool)) == []


@every_executor
@pytest.mark.parametrize("ahead", [1, 2, 5])
def test_the_input_is_taken_at_most_so_many_items_ahead(
    executor: Callable[[], AbstractContextManager[Executor | None]], ahead: int
) -> None:
    items = Counted(itertools.count())
    with executor() as pool:
        results = ordered(square, items, pool, ahead)
        assert items.taken == 0, "nothing is taken before it is asked for"
        for received in range(20):
            assert next(results) == received * received
            assert items.taken - received <= ahead
        results.close()  # type: ignore[attr-defined]


def test_without_an_executor_an_item_is_taken_when_its_result_is_asked_for() -> None:
    items = Counted(itertools.count())
    results = ordered(square, items)
    for received in range(5):
        assert items.taken == received
        next(results)


def test_as_many_as_ahead_are_under_way_at_once() -> None:
    together = threading.Barrier(3, timeout=20)

    def meet(item: int) -> int:
        together.wait()
        return item

    with ThreadPoolExecutor(3) as pool:
        assert list(ordered(meet, range(6), pool, ahead=3)) == list(range(6))


@every_executor
def test_an_exception_of_the_function_comes_in_the_place_of_its_result(
    executor: Callable[[], AbstractContextManager[Executor | None]],
) -> None:
    with executor() as pool:
        results = ordered(inverse, [1, 2, 0, 4, 5], pool)
        assert [next(results), next(results)] == [1, 0.5]
        with pytest.raises(ZeroDivisionError):
            next(results)
        assert list(results) == []


def test_an_exception_of_the_function_cancels_what_has_not_begun() -> None:
    executor = Impatient(1)
    with pytest.raises(ZeroDivisionError):
        list(ordered(inverse, [0, 1, 2, 3, 4], executor, ahead=4))
    assert executor.cancelled == [False, True, True, True]


@every_executor
def test_an_exception_of_the_input_propagates(
    executor: Callable[[], AbstractContextManager[Executor | None]],
) -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise LookupError("the input broke")

    with executor() as pool, pytest.raises(LookupError, match="the input broke"):
        list(ordered(square, items(), pool, ahead=2))


def test_an_exception_of_the_input_comes_after_what_was_begun_before_it() -> None:
    def items() -> Iterator[int]:
        yield from (1, 2, 3)
        raise LookupError("the input broke")

    received: list[int] = []
    with ThreadPoolExecutor(2) as pool, pytest.raises(LookupError):
        received.extend(ordered(square, items(), pool, ahead=9))
    assert received == [1, 4, 9]


def test_an_error_of_an_earlier_item_comes_before_that_of_the_input() -> None:
    def items() -> Iterator[int]:
        yield 0
        raise LookupError("the input broke")

    with ThreadPoolExecutor(2) as pool, pytest.raises(ZeroDivisionError):
        list(ordered(lambda n: 1 // n, items(), pool, ahead=9))


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 30])
def test_threads_give_what_map_gives(threads: int, count: int) -> None:
    assert list(mapped(square, range(count), threads)) == [n * n for n in range(count)]


def test_a_single_item_starts_no_thread() -> None:
    seen = list(mapped(lambda _: threading.current_thread(), [1], 4))
    assert seen == [threading.current_thread()]


@pytest.mark.parametrize(("count", "threads", "workers"), [(2, 9, 2), (5, 3, 3), (7, 9, 7), (8, 20, 20), (9, 4, 4)])
def test_a_few_items_start_no_more_threads_than_they_are(
    count: int, threads: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def noted(_: object, workers: int, *, fork: bool) -> Executor:
        made.append(workers)
        return ThreadPoolExecutor(workers)

    monkeypatch.setattr(executors, "executor_of", noted)
    assert list(mapped(square, range(count), threads)) == [n * n for n in range(count)]
    assert made == [workers]


@pytest.mark.parametrize("threads", [1, 2, 5, 20])
@pytest.mark.parametrize("good", [0, 1, 3, 7, 8, 12])
def test_items_that_cannot_be_had_fail_when_their_turn_has_come(threads: int, good: int) -> None:
    def items() -> Iterator[int]:
        yield from range(1, good + 1)
        raise LookupError("the input broke")

    received: list[int] = []
    with pytest.raises(LookupError, match="broke"):
        received.extend(mapped(square, items(), threads))
    assert received == [n * n for n in range(1, good + 1)]
    with pytest.raises(ZeroDivisionError if good else LookupError):
        list(mapped(lambda n: 1 // (n - good), items(), threads))


def test_the_processors_that_may_be_used_are_counted() -> None:
    assert 1 <= available() <= (os.cpu_count() or 1)


def test_to_stop_asking_cancels_what_has_not_begun() -> None:
    executor = Impatient(1)
    results = ordered(square, itertools.count(), executor, ahead=3)
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]
    assert executor.cancelled == [False, True, True]


def test_a_pool_ends_soon_after_a_failure() -> None:
    begun = []

    def fail_first(item: int) -> None:
        begun.append(item)
        time.sleep(0.01)
        if item == 0:
            raise ZeroDivisionError

    with ThreadPoolExecutor(1) as pool, pytest.raises(ZeroDivisionError):
        list(ordered(fail_first, range(1000), pool, ahead=50))
    assert len(begun) < 10


def test_one_thread_and_no_executor_see_the_same_calls() -> None:
    def calls(executor: Executor | None) -> list[int]:
        seen: list[int] = []
        list(ordered(seen.append, range(20), executor))
        return seen

    with ThreadPoolExecutor(1) as pool:
        assert calls(pool) == calls(None) == list(range(20))


@pytest.mark.parametrize("refused", [RuntimeError, OSError, BrokenExecutor])
@pytest.mark.parametrize("accepted", [0, 1, 3])
def test_what_an_executor_refuses_or_fails_to_compute_is_computed_here(refused: type[Exception], accepted: int) -> None:
    class Broken(Patient):
        def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
            if len(self.given) == accepted:
                raise refused
            future = super().submit(fn, *args, **kwargs)
            future.set_exception(refused())
            return future

    assert list(ordered(square, range(9), Broken(), ahead=2)) == [n * n for n in range(9)]
