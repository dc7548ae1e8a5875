"""Feed: the sources of a plan and the tasks cut from them; Matching: what is known only after all rows."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence

from xentcli.arrays import Ints
from xentcli.errors import DataError, Place
from xentcli.pairing.alignment import Companion, PartQueue, RowNames, Task, by_position
from xentcli.pairing.counts import Counted, counts_advice
from xentcli.pairing.matched import Lacking, Matched
from xentcli.pairing.plan import Plan
from xentcli.pairing.shard import Shard
from xentcli.pairing.vectors import vector_advice
from xentcli.readers.source import Source, files_in
from xentcli.records import record, replace

__all__ = ["Feed", "Matches", "Matching", "check_row_names"]


class Feed:
    """The sources of a plan, the predictions first, and their parts that were not yet handed out."""

    def __init__(self, plan: Plan, queues: Sequence[PartQueue], rows: range | None = None) -> None:
        self.plan = plan
        self._queues, self._rows = tuple(queues), rows
        self.sources = tuple(queue.source for queue in self._queues)
        """The sources, the predictions first."""
        self.given = 0
        """How many rows of the predictions were handed out."""
        self.shared: tuple[str, int, str] | None = None
        """Of a shard what was shared out: files or rows, how many, and a digest of the names of the files."""

    @property
    def repeatable(self) -> bool:
        """Whether all sources can be read again."""
        return all(source.repeatable for source in self.sources)

    def again(self) -> Feed:
        """Return a feed of the same sources from their first rows on; they must be repeatable."""
        return Feed(self.plan, [queue.again() for queue in self._queues], self._rows)

    def with_plan(self, plan: Plan) -> Feed:
        """Return a feed of the same parts by another plan, which loads the same."""
        return Feed(plan, self._queues, self._rows)

    def share_of(self, rows: int) -> float | None:
        """Return the fraction of the predictions that `rows` rows are; None where it is unknown."""
        return self.sources[0].share_of(rows) if self._rows is None else rows / len(self._rows)

    def of_shard(self, shard: Shard) -> Feed:
        """Return a feed of one shard: of whole files where each side has files to share out, else of rows.

        All was decided by the first rows of all: so every shard is read alike.

        Raises
        ------
        DataError
            For a stream, and for fewer rows than shards.
        """
        sources, plan = self.sources, self.plan
        beside = () if plan.joins else sources[1:]
        files = len(files_in(sources[0]))
        if files >= shard.count and all(len(files_in(source)) == files for source in beside):
            some = [_of_files(source, shard) for source in sources[: len(beside) + 1]]
            some += sources[len(some) :]
            inputs = [replace(table, files=files_in(source)) for table, source in zip(plan.inputs, some, strict=True)]
            queues = [queue.of(source) for queue, source in zip(self._queues, some, strict=True)]
            made = Feed(replace(plan, inputs=tuple(inputs)), queues)
            made.shared = "files", files, _digest_of_names(files_in(sources[0]))
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
        made.shared = "rows", rows, _digest_of_names(files_in(sources[0]))
        return made

    @property
    def shard(self) -> Shard | None:
        """Which of the shards of --shard it is; None for all rows."""
        given = self.plan.settings.shard
        return None if given is None else Shard.of(given)

    @property
    def rows(self) -> range | None:
        """The rows of the predictions (from 0) that are a shard; None for all."""
        return self._rows

    def tasks(self, *, held: bool = True) -> Iterator[Task]:
        """Yield the parts of the predictions with the places of the rows that go with them.

        With `held` rows that are found only by reading in order are in their parts, so that any worker may have any
        part; else it is best given all parts of a run.

        Raises
        ------
        DataError
            When the row counts differ.
        """
        for whole in self._all_tasks():
            task = whole if self._rows is None else whole.within(self._rows)
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


def _digest_of_names(files: Sequence[str]) -> str:
    """A digest of the names of files without their folder; empty for none."""
    import hashlib

    names = "\0".join(map(os.path.basename, files))
    return hashlib.sha256(names.encode("utf-8", "surrogatepass")).hexdigest() if files else ""


def _of_files(source: Source, shard: Shard) -> Source:
    """Return a source of some of its files."""
    from xentcli.readers.shards import Shards

    assert isinstance(source, Shards)
    return source.of_files(shard.share(len(source.files)))


@record(frozen=True)
class Matches:
    """How all rows found their partners.

    Attributes
    ----------
    row_names
        Whether the row names of both files agree.
    unused
        How many labels have no prediction.
    lacking
        What --subset left out: of the first pair of files that differ; None where nothing was.
    used
        With ids, for each other source a byte for each of its rows: 1 where it has a prediction.
    """

    row_names: RowNames = RowNames()
    unused: int = 0
    lacking: Lacking | None = None
    used: tuple[bytes, ...] = ()


class Matching:
    """What ids and row names say of the alignment; complete when all rows were noted."""

    def __init__(self, feed: Feed) -> None:
        plan = feed.plan
        self._feed = feed
        predictions = feed.sources[0]
        self._matched = [
            Matched(
                join,
                source,
                pick["id"],
                predictions,
                plan.picks[0]["id"],
                bytearray(join.rows.count),
                plan.settings.subset,
                plan.settings.shard is not None,
            )
            for join, source, pick in zip(plan.joins, feed.sources[1:], plan.picks[1:], strict=False)
        ]
        self.row_names = RowNames()

    @property
    def faulty(self) -> bool:
        """Whether an id was missing or there twice."""
        return any(matched.faulty for matched in self._matched)

    def note(self, ids: Sequence[str], positions: Sequence[Ints], names: RowNames) -> None:
        """Take note of some rows: their ids, where those are in each other source, and their row names."""
        for matched, found in zip(self._matched, positions, strict=True):
            matched.note(ids, found)
        self.row_names = self.row_names.merge(names)

    def finish(self) -> Matches:
        """Check that every row found its partner, and that no file changed meanwhile; return what was found.

        Raises
        ------
        DataError
            With counts and examples.
        """
        self._feed.check_unchanged()
        for matched in self._matched:
            matched.finish()
        check_row_names(self._feed.plan, self.row_names)
        unused = max((matched.unused for matched in self._matched), default=0)
        lacking = next((each.lacking for each in self._matched if each.missing or each.unused), None)
        return Matches(self.row_names, unused, lacking, tuple(bytes(matched.used) for matched in self._matched))


def check_row_names(plan: Plan, names: RowNames) -> None:
    """Refuse row names that both files have in another order.

    Raises
    ------
    DataError
        Naming the option that matches by them.
    """
    if names.shuffled:
        paths = " and ".join(table.path for table in plan.inputs[:2])
        name = plan.compared
        raise DataError(
            f"{paths} have the same {name or 'row names (first column, without a name)'} in another order",
            advice=(
                f"--id {shlex.quote(name or '#1')} matches the rows by it",
                "--align position matches rows by position",
            ),
        )
