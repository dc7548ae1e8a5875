"""Feed: the sources of a plan, and the tasks cut from them; Matching: checks that need all rows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from xentcli.arrays import Ints
from xentcli.errors import DataError, Place
from xentcli.pairing.alignment import Companion, PartQueue, Task, by_position
from xentcli.pairing.compared import RowNames, check_near_names, check_row_names
from xentcli.pairing.counts import Counted, counts_advice
from xentcli.pairing.plan import Plan
from xentcli.pairing.vectors import vector_advice
from xentcli.readers.source import Pick, Source, files_in
from xentcli.records import record, replace

if TYPE_CHECKING:
    from xentcli.pairing.join import Join
    from xentcli.pairing.matched import Lacking, Matched
    from xentcli.pairing.shard import Shard
    from xentcli.readers.shards import Shards

MOST_COMPARED = 1 << 16
"""With more rows, ids that differ are not compared regardless of case, blanks and the like."""
_BY_PATH = frozenset(("arrow", "csv", "fasttext", "jsonl", "npy", "parquet", "vw"))
"""Formats whose sources hold neither rows nor an open file, so that a worker can have them."""

__all__ = ["Feed", "FileRun", "Files", "Matches", "Matching"]


class Feed:
    """The sources of a plan, the predictions first, and their remaining parts."""

    def __init__(self, plan: Plan, queues: Sequence[PartQueue], rows: range | None = None) -> None:
        self.plan = plan
        self._queues = tuple(queues)
        self.rows = rows
        """The range of rows of the predictions (from 0) in the shard; None for all."""
        self.sources = tuple(queue.source for queue in self._queues)
        """The sources, the predictions first."""
        self.given = 0
        """How many rows of the predictions were handed out."""
        self.shared: tuple[str, int, str] | None = None
        """Of a shard what was shared out: files or rows, how many, and a digest by which other files are noticed."""

    @property
    def repeatable(self) -> bool:
        """Whether all sources can be read again."""
        return all(source.repeatable for source in self.sources)

    def again(self) -> Feed:
        """Return a feed that starts at the first rows again; the sources must be repeatable."""
        return Feed(self.plan, [queue.again() for queue in self._queues], self.rows)

    def with_plan(self, plan: Plan) -> Feed:
        """Return a feed of the same parts with another plan, which must load the same columns."""
        return Feed(plan, self._queues, self.rows)

    def share_of(self, rows: int) -> float | None:
        """Return the fraction of all predictions in `rows` rows; None if unknown."""
        return self.sources[0].share_of(rows) if self.rows is None else rows / len(self.rows)

    def of_shard(self) -> Feed:
        """Return a feed of the shard of --shard: of whole files if both sides have enough files, else of rows.

        All decisions were made from the first rows of the whole, so that every shard is read alike.

        Raises DataError for a stream, and for fewer rows than shards.
        """
        shard, sources, plan = self.shard, self.sources, self.plan
        assert shard is not None
        beside = () if plan.joins else sources[1:]
        files = len(files_in(sources[0]))
        if files >= shard.count and all(len(files_in(source)) == files for source in beside):
            some = [_of_files(source, shard) for source in sources[: len(beside) + 1]]
            some += sources[len(some) :]
            inputs = [
                replace(table, files=len(files_in(source))) for table, source in zip(plan.inputs, some, strict=True)
            ]
            queues = [queue.of(source) for queue, source in zip(self._queues, some, strict=True)]
            made = Feed(replace(plan, inputs=tuple(inputs)), queues)
            made.shared = "files", files, _digest_of(sources)
            return made
        if not sources[0].repeatable:
            raise DataError(
                "the rows of a stream are not known before its end, and --shard counts them",
                place=Place(sources[0].path),
                advice="save it to a file",
            )
        rows = sum(part.rows for part in self._queues[0].again())
        shard.check(rows, sources[0].path)
        made = Feed(plan, self._queues, range(rows)[shard.share(rows)])
        made.shared = "rows", rows, _digest_of(sources)
        return made

    @property
    def shard(self) -> Shard | None:
        """Which of the shards of --shard it is; None for all rows."""
        given = self.plan.settings.shard
        if given is None:
            return None
        from xentcli.pairing.shard import Shard

        return Shard.of(given)

    @property
    def file_rows(self) -> Sequence[int]:
        """The rows of each of several files of predictions that were read."""
        return _shards(self.sources[0]).counts

    def by_files(self) -> Files | None:
        """Return whole files of all sides, for workers that open them themselves.

        None if the sides have not the same number of files, or parts are places in the files anyway.
        """
        plan, queues = self.plan, self._queues[: 1 if self.plan.joins else None]
        counts = {len(files_in(queue.source)) for queue in queues}
        if len(counts) > 1 or counts <= {0, 1} or self.rows is not None or plan.positions:
            return None
        if not all(queue.source.format in _BY_PATH for queue in queues) or not any(queue.carries for queue in queues):
            return None
        return Files(plan, tuple(queue.source for queue in queues), tuple(queue.block_bytes for queue in queues))

    def tasks(self, *, held: bool = True) -> Iterator[Task]:
        """Yield the parts of the predictions with the locations of the matching rows.

        With `held`, parts contain rows that can be found only by reading in order, so that any worker can take any
        part; without it, one worker should get all parts of a run.

        Raises DataError if the row counts differ.
        """
        for whole in self._all_tasks():
            task = whole if self.rows is None else whole.within(self.rows)
            if task is not None:
                self.given += task.part.rows
                yield task.held(self.plan.picks) if held else task

    def _all_tasks(self) -> Iterator[Task]:
        if self.plan.joins:
            start = 0
            for part in self._queues[0]:
                yield Task(part, start)
                start += part.rows
            return
        pairs = zip(self._queues, self.plan.picks, strict=True)
        predictions, *companions = [Companion(queue, pick) for queue, pick in pairs]
        yield from by_position(predictions, companions, self._advice_on_counts)

    def _advice_on_counts(self, rows: int, place: int, others: int) -> tuple[str, ...]:
        plan, sources = self.plan, self.sources
        if plan.has_label_file and not place:
            found = vector_advice(sources[0], plan.picks[0]["preds"].columns, rows, others, plan.settings)
            if found:
                return found
        predictions = Counted("predictions", sources[0], plan.picks[0], rows)
        name = "labels" if plan.has_label_file and not place else "further"
        other = Counted(name, sources[place + 1], plan.picks[place + 1], others)
        return counts_advice(predictions, other, plan.settings, plan.matcher)

    def check_unchanged(self) -> None:
        """Raise DataError when a file is no longer what was opened."""
        for source in self.sources:
            source.check_unchanged()


@record(frozen=True, eq=False)
class Files:
    """The files of all sides of a feed, the I-th of each with the I-th of the others; pickles."""

    plan: Plan
    sources: tuple[Source, ...]
    block_bytes: tuple[int, ...]

    def __len__(self) -> int:
        """Return how many files each side has."""
        return len(files_in(self.sources[0]))

    def runs(self, size: int, most: int) -> Iterator[FileRun]:
        """Cut them into runs of about `size` bytes, and at most `most` files."""
        first = total = 0
        sizes = zip(*(_shards(source).sizes() for source in self.sources), strict=True)
        for last, some in enumerate(sizes, start=1):
            total += sum(some)
            if total >= size or last - first >= most or last == len(self):
                paths = (path for source in self.sources for path in files_in(source)[first:last])
                yield FileRun(first, last, tuple(paths))
                first, total = last, 0

    def feed(self, run: FileRun) -> Feed:
        """Return a feed of some of the files; the first row of the first of them is row 1."""
        some = [_shards(source).of_files(slice(run.first, run.last)) for source in self.sources]
        return Feed(self.plan, [PartQueue(*each) for each in zip(some, self.block_bytes, strict=True)])

    def count(self, run: FileRun, rows: Sequence[int]) -> None:
        """Record the rows of some files, as many on each side."""
        for source in self.sources:
            for place, number in enumerate(rows, start=run.first):
                _shards(source).count(place, number)


@record(frozen=True)
class FileRun:
    """Consecutive files of each side, by their places, and their paths."""

    first: int
    last: int
    paths: tuple[str, ...]

    @property
    def parts(self) -> Iterator[FileOnly]:
        """What is read for it: the files."""
        return map(FileOnly, self.paths)


@record(frozen=True)
class FileOnly:
    """A file that is read whole."""

    path: str


def _digest_of(sources: Sequence[Source]) -> str:
    """A digest of the names of several files without their folder, and of the ends and sizes of the first files.

    Every shard knows these without reading all of its inputs.
    """
    import hashlib

    found = hashlib.sha256()
    for name in files_in(sources[0]):
        found.update(os.path.basename(name).encode("utf-8", "surrogatepass") + b"\0")
    for source in sources:
        stream = getattr(getattr(source, "opened", source), "stream", None)
        if stream is not None:
            for data in (str(stream.size).encode(), stream.head, stream.tail()):
                found.update(hashlib.sha256(data).digest())
    return found.hexdigest()


def _of_files(source: Source, shard: Shard) -> Source:
    """Return a source of some of its files."""
    shards = _shards(source)
    return shards.of_files(shard.share(len(shards.files)))


def _shards(source: Source) -> Shards:
    from xentcli.readers.shards import Shards

    assert isinstance(source, Shards)
    return source


@record(frozen=True)
class Matches:
    """The result of matching all rows.

    Attributes
    ----------
    row_names
        Whether the row names of both files agree.
    unused
        The number of labels without a prediction.
    lacking
        The rows left out by --subset, for the first file that differs; None if there are none.
    used
        With ids, for each other source one byte per row: 1 if it has a prediction.
    """

    row_names: RowNames = RowNames()
    unused: int = 0
    lacking: Lacking | None = None
    used: tuple[bytes, ...] = ()


class Matching:
    """Checks the alignment by ids and row names; complete once all rows were noted."""

    def __init__(self, feed: Feed) -> None:
        plan = feed.plan
        self._feed = feed
        predictions = feed.sources[0]
        self._matched = [
            _matched(join, source, pick["id"], predictions, plan)
            for join, source, pick in zip(plan.joins, feed.sources[1:], plan.picks[1:], strict=False)
        ]
        self.row_names = RowNames()

    @property
    def faulty(self) -> bool:
        """Whether an id was missing or repeated."""
        return any(matched.faulty for matched in self._matched)

    def note(self, ids: Sequence[str], positions: Sequence[Ints], names: RowNames) -> None:
        """Record rows: their ids, the positions of these in each other source, and row names."""
        for matched, found in zip(self._matched, positions, strict=True):
            matched.note(ids, found)
        self.row_names = self.row_names.merge(names)

    def finish(self) -> Matches:
        """Check that every row has a partner and that no file changed meanwhile; return the result.

        Raises DataError with counts and examples.
        """
        self._feed.check_unchanged()
        for matched in self._matched:
            matched.finish()
        plan = self._feed.plan
        check_row_names(plan, self.row_names, self._feed.sources)
        if not self.row_names.same and self.row_names.rows <= MOST_COMPARED:
            check_near_names(plan, self._feed.sources[:2])
        unused = max((matched.unused for matched in self._matched), default=0)
        lacking = next((each.lacking for each in self._matched if each.missing or each.unused), None)
        return Matches(self.row_names, unused, lacking, tuple(bytes(matched.used) for matched in self._matched))


def _matched(join: Join, source: Source, pick: Pick, predictions: Source, plan: Plan) -> Matched:
    """The matching by id of one source beside the predictions."""
    from xentcli.pairing.matched import Matched

    used = bytearray(join.rows.count)
    return Matched(join, source, pick, predictions, plan.picks[0]["id"], used, plan.settings)
