"""Further passes over the rows of a feed that was already scored, to tally or yield their batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial, reduce
from typing import TypeVar

from xentcli.columns.keys import Keys
from xentcli.engine.ordered import mapped, worker_count
from xentcli.engine.scorer import Scorer
from xentcli.engine.tasks import over_tasks
from xentcli.pairing import Feed
from xentcli.pairing.alignment import Task
from xentcli.scoring.batch import Batch
from xentcli.tallies.tally import Tally

__all__ = ["batches_again", "tallied_again"]

T = TypeVar("T", bound=Tally)


def batches_again(feed: Feed, threads: int | None) -> Iterator[Batch]:
    """Read a feed again and yield its batches in order; never on a cluster, as they are as large as the files."""
    again = feed.again()
    for batches in mapped(partial(_batches, Scorer(feed.plan)), again.tasks(), worker_count(threads)):
        yield from batches
    again.check_unchanged()


def _batches(scorer: Scorer, task: Task) -> list[Batch]:
    """Return the batch of each piece of a task."""
    return [scorer.align(piece).batch for piece in scorer.pieces(task) if piece.companions is not None]


def tallied_again(feed: Feed, tally: Callable[[Batch, Keys | None], T], empty: T, threads: int | None) -> T:
    """Read all rows of a feed again and tally them; the feed must be repeatable and its ids already matched.

    Raises DataError if a file changed meanwhile.
    """
    again, total = feed.again(), empty
    one = partial(_tallied, Scorer(feed.plan), tally, empty)
    for found in over_tasks(one, again, threads, each=partial(_summed, one, empty), by_files=True):
        total = total.merge(found)
    again.check_unchanged()
    return total


def _tallied(scorer: Scorer, tally: Callable[[Batch, Keys | None], T], empty: T, task: Task) -> T:
    """Return the tally of all pieces of a task; `tally` and `empty` must pickle."""
    found = empty
    for piece in scorer.pieces(task):
        if piece.companions is not None:
            aligned = scorer.align(piece)
            found = found.merge(tally(aligned.batch, aligned.clusters))
    return found


def _summed(one: Callable[[Task], T], empty: T, group: Iterable[Task]) -> list[T]:
    """Return one tally of a group of tasks: it is merged in the worker, so that few bytes return."""
    return [reduce(lambda total, found: total.merge(found), map(one, group), empty)]
