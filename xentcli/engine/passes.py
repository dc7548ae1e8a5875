"""Further passes over the rows of a feed that was already scored, to tally or yield their batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from typing import Generic, TypeVar

from xentcli.columns.keys import Keys
from xentcli.engine.ordered import mapped, worker_count
from xentcli.engine.scorer import Scorer
from xentcli.engine.tasks import over_tasks
from xentcli.pairing import Feed
from xentcli.pairing.alignment import Task
from xentcli.records import record
from xentcli.scoring.batch import Batch
from xentcli.tallies.tally import Tally

__all__ = ["batches_again", "tallied_again"]

T = TypeVar("T", bound=Tally)


def batches_again(feed: Feed, threads: int | None) -> Iterator[Batch]:
    """Read a feed again and yield its batches in order; never on a cluster, as they are as large as the files."""
    again = feed.again()
    for batches in mapped(_Batches(Scorer(feed.plan)), again.tasks(), worker_count(threads)):
        yield from batches
    again.check_unchanged()


@record(frozen=True, eq=False)
class _Batches:
    """Loads and aligns the pieces of a task."""

    scorer: Scorer

    def __call__(self, task: Task) -> list[Batch]:
        """Return the batch of each piece."""
        return [self.scorer.align(piece).batch for piece in self.scorer.pieces(task) if piece.companions is not None]


@record(frozen=True, eq=False)
class _Pass(Generic[T]):
    """Loads, aligns and tallies the pieces of a task; `tally` and `empty` must pickle."""

    scorer: Scorer
    tally: Callable[[Batch, Keys | None], T]
    empty: T

    def __call__(self, task: Task) -> T:
        """Return the tally of all pieces."""
        found = self.empty
        for piece in self.scorer.pieces(task):
            if piece.companions is not None:
                aligned = self.scorer.align(piece)
                found = found.merge(self.tally(aligned.batch, aligned.clusters))
        return found


@record(frozen=True, eq=False)
class _Grouped(Generic[T]):
    """Tallies a group of tasks in a worker; the sums are merged there, so that few bytes return."""

    one: _Pass[T]

    def __call__(self, group: Iterable[Task]) -> list[T]:
        """Return one tally of all tasks."""
        return [reduce(lambda total, found: total.merge(found), map(self.one, group), self.one.empty)]


def tallied_again(feed: Feed, tally: Callable[[Batch, Keys | None], T], empty: T, threads: int | None) -> T:
    """Read all rows of a feed again and tally them; the feed must be repeatable and its ids already matched.

    Raises DataError if a file changed meanwhile.
    """
    again, total = feed.again(), empty
    one = _Pass(Scorer(feed.plan), tally, empty)
    for found in over_tasks(one, again, threads, each=_Grouped(one), by_files=True):
        total = total.merge(found)
    again.check_unchanged()
    return total
