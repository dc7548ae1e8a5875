"""Run the tasks of a feed, in this process and its workers or on a cluster.

Both use the ordered map (ordered.py) over an executor. Locally, tasks go one by one to threads or forked processes;
to a cluster they go in groups, so that thousands of small files do not cost a message each.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from operator import add
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, cast

from xentcli.engine import ENGINES
from xentcli.engine.ordered import mapped, ordered, worker_count
from xentcli.errors import DataError, UsageError, shown
from xentcli.pairing import Feed
from xentcli.pairing.alignment import Task
from xentcli.readers.source import Source
from xentcli.records import replace
from xentcli.urls import is_hidden

if TYPE_CHECKING:
    from xentcli.engine.cluster import Cluster
    from xentcli.pairing.feed import FileRun, Files

__all__ = ["computing", "grouped", "on_engine", "over_jobs", "over_tasks", "refuse_cluster"]

_GIVEN = {"engine": 'Literal["local", "dask"] | None', "scheduler": "Any"}
GROUP_BYTES = 64 << 20
"""Input bytes per group of tasks: reading them takes far longer than sending a message."""
HELD_BYTES = 4 << 20
"""The same for parts that carry their bytes, as of a compressed file, since these go through the scheduler."""
FILE_BYTES = 16 << 20
"""The same for whole files, which are compressed."""
GROUP_TASKS = 256
RUN_TASKS = 1024
"""Most tasks per group for parts of a run (such as a Parquet row group), which are read in order."""

T = TypeVar("T")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])


class Numbered(Protocol):
    """A result that may have row numbers."""

    def renumbered(self, moved: Callable[[int], int], /) -> Self:
        """Return it with row numbers mapped by `moved`."""
        ...


N = TypeVar("N", bound=Numbered)
_cluster: ContextVar[Cluster | None] = ContextVar("_cluster", default=None)


@contextlib.contextmanager
def computing(
    engine: str | None,
    scheduler: Any = None,
    threads: int | None = None,
    tell: Callable[[str], object] | None = None,
) -> Iterator[None]:
    """Run the tasks of all feeds within this context on `engine`; a cluster starts with the first task.

    `scheduler` is the address of a scheduler, its file, or a ``distributed.Client``, and implies Dask; `tell` is
    called with lines about the cluster.

    Raises UsageError for an unknown engine, or without the extra ``dask``.
    """
    if engine is not None and engine not in ENGINES:
        raise UsageError(f"there is no engine {shown(engine)}", advice=f"engines: {', '.join(ENGINES)}")
    if engine == "local" and scheduler is not None:
        raise UsageError("--scheduler is a scheduler of Dask, and --engine local needs none")
    if (engine != "dask" and scheduler is None) or _cluster.get() is not None:
        yield
        return
    from xentcli.engine.cluster import Cluster

    with Cluster(scheduler, worker_count(threads), tell) as cluster:
        token = _cluster.set(cluster)
        try:
            yield
        finally:
            _cluster.reset(token)


def on_engine(function: F) -> F:
    """Give a library function the parameters ``engine`` and ``scheduler``, which choose where its tasks run."""
    own = inspect.signature(function)
    keyword = inspect.Parameter.KEYWORD_ONLY
    given = [inspect.Parameter(name, keyword, default=None, annotation=hint) for name, hint in _GIVEN.items()]
    parameters = list(own.parameters.values())
    place = next(index for index, each in enumerate(parameters) if each.name == "threads") + 1

    @functools.wraps(function)
    def run(*args: Any, engine: str | None = None, scheduler: Any = None, **kwargs: Any) -> Any:
        if engine is None and scheduler is None:
            return function(*args, **kwargs)
        with computing(engine, scheduler, kwargs.get("threads")):
            return function(*args, **kwargs)

    made = own.replace(parameters=[*parameters[:place], *given, *parameters[place:]])
    run.__signature__ = made  # type: ignore[attr-defined]
    return cast("F", run)


def refuse_cluster(what: str) -> None:
    """Refuse a cluster for work that is always done here.

    Raises UsageError if a cluster is active.
    """
    if _cluster.get() is not None:
        raise UsageError(f"{what} here, not by Dask", advice="leave --engine and --scheduler out")


def over_tasks(
    function: Callable[[Task], R],
    feed: Feed,
    threads: int | None = None,
    waiting: int = 2,
    *,
    each: Callable[[list[Task]], list[R]] | None = None,
    by_files: bool = False,
) -> Iterator[R]:
    """Yield function(task) for every task of a feed, in order; at most workers + `waiting` tasks are under way.

    On a cluster `each` computes the results of a group of tasks, perhaps fewer than tasks (default: one by one).
    With `by_files` it returns one, which has row numbers to change, and a worker may read files that the command would
    have to inflate.

    Raises UsageError on a cluster, for inputs that cannot be read there.
    """
    cluster = _cluster.get()
    if cluster is None:
        return mapped(function, feed.tasks(), worker_count(threads), waiting)
    _check_travel(feed.sources)
    files = feed.by_files() if by_files else None
    if files is not None:
        return _over_files(cluster, cast("Any", each), files, feed)
    return _on(cluster, each or partial(_each, function), grouped(feed.tasks(held=False)))


def _over_files(cluster: Cluster, each: Callable[[Iterable[Task]], list[N]], files: Files, feed: Feed) -> Iterator[N]:
    """Yield the results of whole files, with rows counted from the first file on."""
    before = 0
    try:
        runs = ([run] for run in files.runs(FILE_BYTES, GROUP_TASKS))
        for found, run, rows in _on(cluster, partial(_of_files, each, files), runs):
            files.count(run, rows)
            feed.given += sum(rows)
            if found is not None:
                yield found.renumbered(partial(add, before)) if before else found
            before += sum(rows)
    except DataError as error:
        if error.place is not None and error.place.row is not None:
            error.place = replace(error.place, row=error.place.row + before)
        raise


def _of_files(
    each: Callable[[Iterable[Task]], list[N]], files: Files, group: Sequence[FileRun]
) -> list[tuple[N | None, FileRun, list[int]]]:
    """Read whole files in a worker: return the result (None without rows) of some files, and the rows of each."""
    (run,) = group
    feed = files.feed(run)
    tasks = feed.tasks(held=False)
    first = next(tasks, None)
    found = None if first is None else each(itertools.chain([first], tasks))[0]
    return [(found, run, [*feed.file_rows])]


def over_jobs(function: Callable[[T], R], jobs: Sequence[T], threads: int | None = None) -> Iterator[R]:
    """Yield function(job) for every job, each about whole files."""
    cluster = _cluster.get()
    if cluster is None:
        return mapped(function, jobs, worker_count(threads))
    return _on(cluster, partial(_each, function), ([job] for job in jobs))


def _on(cluster: Cluster, each: Callable[[list[T]], list[R]], groups: Iterable[list[T]]) -> Iterator[R]:
    """Yield the results of groups computed on a cluster."""
    from xentcli.engine.travel import computed_here, group_of

    # Groups under way are held as bytes: the tasks of thousands of small files would take ten times as much.
    packed = (group_of(group) for group in groups)
    with cluster.executor(each) as executor:
        here = partial(computed_here, each)
        yield from itertools.chain.from_iterable(ordered(here, packed, executor, ahead=cluster.ahead))


def _each(function: Callable[[T], R], group: Iterable[T]) -> list[R]:
    """Return a function of each item of a group, in order."""
    return [function(item) for item in group]


def grouped(tasks: Iterator[Task]) -> Iterator[list[Task]]:
    """Yield consecutive tasks in groups of about GROUP_BYTES; an error of `tasks` is raised after the last group."""
    group: list[Task] = []
    share, failed = 0.0, None
    try:
        for task in tasks:
            group.append(task)
            share += sum(_share(part) for part in task.parts)
            # Another worker would have to read the run from its first row.
            continued = getattr(next(task.parts), "continued", False)
            if len(group) >= (RUN_TASKS if continued else GROUP_TASKS) or (share >= 1 and not continued):
                yield group
                group, share = [], 0.0
    except Exception as error:
        failed = error
    if group:
        yield group
    if failed is not None:
        raise failed


def _share(part: Any) -> float:
    """The fraction of a group that a part fills."""
    # A part that is not a range of a file carries its rows.
    held = getattr(part, "data", part) is not None
    return float(part.size / (HELD_BYTES if held else GROUP_BYTES))


def _check_travel(sources: Sequence[Source]) -> None:
    """Refuse inputs that a worker elsewhere cannot read (UsageError)."""
    for source in sources:
        what = "is in memory" if source.format == "memory" else "" if source.repeatable else "is a stream"
        if what:
            raise UsageError(
                f"{source.path} {what}, and the workers of Dask read files",
                advice="leave --engine and --scheduler out, or save it to a file that the workers see",
            )
        if is_hidden(source.path):
            raise UsageError(
                f"{source.path} has a password or a signature, which is not sent to workers",
                advice="leave --engine and --scheduler out, or let the workers have credentials in their environment",
            )
