"""Bringing the rows of several sources together by position."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from xentcli.columns.hashing import sum_of_hashes
from xentcli.columns.texts import same_texts
from xentcli.errors import DataError, XentError
from xentcli.pairing.next_token import shifted_by_1
from xentcli.readers.source import (
    BLOCK_BYTES,
    Part,
    PartOfFile,
    Rows,
    Selection,
    Source,
    files_in,
    held,
    merged_rows,
)
from xentcli.records import record, replace

__all__ = ["HEAD_ROWS", "Companion", "PartQueue", "RowNames", "Span", "Task", "by_position", "check_pairs", "row_names"]

HEAD_ROWS = 65_536


class PartQueue:
    """The parts of a source in order; the first ones can be loaded beforehand without being consumed."""

    def __init__(self, source: Source, block_bytes: int = BLOCK_BYTES, *, shifted: bool = False) -> None:
        self.source = source
        self._block_bytes, self._shifted = block_bytes, shifted
        self._waiting: deque[Part] = deque()
        self._failure: XentError | None = None
        self._ended = False
        self._rest = iter(source.parts(block_bytes))
        if shifted:
            self._rest = shifted_by_1(self._rest)

    def again(self) -> PartQueue:
        """Return the parts of the source from the first on; it must be repeatable."""
        return self.of(self.source)

    def of(self, source: Source) -> PartQueue:
        """Return the parts of another source, as large as those of this one."""
        return PartQueue(source, self._block_bytes, shifted=self._shifted)

    @property
    def is_empty(self) -> bool:
        """Whether there is no row; the parts looked at stay."""
        return not any(part.rows for part in self._seen())

    def __iter__(self) -> Iterator[Part]:
        """Yield every part once, those that were looked at first."""
        while self._waiting:
            yield self._waiting.popleft()
        while (part := self._next()) is not None:
            yield part

    def look(self, selection: Selection, limit: int = HEAD_ROWS) -> Iterator[Rows]:
        """Load columns of the first `limit` rows, whatever the size of a part, piece by piece."""
        missing = limit
        for part in self._seen():
            for rows in part.first(missing).pieces(selection):
                yield rows.cut(0, min(rows.count, missing))
                missing -= rows.count
                if missing <= 0:
                    return

    def _seen(self) -> Iterator[Part]:
        # By index: two looks may go on at once, and each sees every part.
        index = 0
        while True:
            if index == len(self._waiting):
                part = self._next()
                if part is None:
                    return
                self._waiting.append(part)
            yield self._waiting[index]
            index += 1

    def _next(self) -> Part | None:
        # A generator that raised is at its end: who looked may have gone on, and the parts after it are not there.
        if self._failure is not None:
            raise self._failure
        try:
            part = None if self._ended else next(self._rest, None)
            self._ended = part is None
            return part
        except XentError as error:
            self._failure = error
            raise


@record(frozen=True)
class Companion:
    """A source of rows that go with others, and what to load of it."""

    queue: PartQueue
    selection: Selection


@record(frozen=True)
class Span:
    """`rows` consecutive rows of a source, the first of which is row `skipped` (from 0) of the first part."""

    parts: tuple[Part, ...]
    skipped: int
    rows: int

    def load(self, selection: Selection) -> Rows:
        """Read the selected columns."""
        loaded = merged_rows([part.load(selection) for part in self.parts])
        return loaded if loaded.count == self.rows else loaded.cut(self.skipped, self.skipped + self.rows)

    def held(self, selection: Selection) -> Span:
        """Return it with its rows, where they are found only by reading in order."""
        return replace(self, parts=tuple(held(part, selection) for part in self.parts))

    def cut(self, first: int, last: int) -> Span:
        """Return the rows from `first` up to but not including `last`."""
        skipped, parts = self.skipped + first, list(self.parts)
        while parts and skipped >= parts[0].rows:
            skipped -= parts.pop(0).rows
        return Span(tuple(parts), skipped, last - first)


@record(frozen=True)
class _CutPart:
    """Some rows of a part of which only all can be read."""

    part: Part
    skipped: int
    rows: int

    def load(self, selection: Selection) -> Rows:
        """Read the selected columns."""
        return self.part.load(selection).cut(self.skipped, self.skipped + self.rows)

    def pieces(self, selection: Selection) -> Iterator[Rows]:
        """Read them in pieces."""
        before = 0
        for rows in self.part.pieces(selection):
            first, last = max(self.skipped - before, 0), min(self.skipped + self.rows - before, rows.count)
            before += rows.count
            if first < last:
                yield rows.cut(first, last)

    def held(self, selection: Selection) -> _CutPart:
        """Return it with its rows, where they are found only by reading in order."""
        return replace(self, part=held(self.part, selection))

    def first(self, rows: int) -> _CutPart:
        """Return all."""
        return self

    def split(self, rows: int) -> None:
        """Return nothing."""
        return


@record(frozen=True)
class Task:
    """A part of the predictions, `start` rows after the first, and where the rows of each other source are.

    It has places to read, not rows; what cannot be read again, as a stream, is in its parts, and so is what is `held`.
    """

    part: Part
    start: int
    companions: tuple[Span, ...] = ()

    @property
    def parts(self) -> Iterator[PartOfFile]:
        """The parts of files that it reads, each as its file has it."""
        yield _as_in_file(self.part)
        for span in self.companions:
            yield from map(_as_in_file, span.parts)

    def held(self, picks: Sequence[Selection]) -> Task:
        """Return it with the rows that are found only by reading in order, as the picks of a plan select them."""
        spans = zip(self.companions, picks[1:], strict=False)
        return Task(held(self.part, picks[0]), self.start, tuple(span.held(pick) for span, pick in spans))

    def within(self, rows: range) -> Task | None:
        """Return what it has of some rows (from 0) of the predictions; None where that is nothing."""
        first, last = max(rows.start - self.start, 0), min(rows.stop - self.start, self.part.rows)
        if first >= last or (first, last) == (0, self.part.rows):
            return self if first < last else None
        spans = tuple(span.cut(first, last) for span in self.companions)
        return Task(_CutPart(self.part, first, last - first), self.start + first, spans)


def _as_in_file(part: Any) -> PartOfFile:
    while (inner := getattr(part, "part", None)) is not None:
        part = inner
    return cast("PartOfFile", part)


Advise = Callable[[int, int, int], tuple[str, ...]]
"""Given the number of predictions, the place of a companion and its number of rows, return what may make them agree."""


def by_position(predictions: Companion, companions: Sequence[Companion], advise: Advise) -> Iterator[Task]:
    """Yield the parts of the predictions with the places of as many rows of each companion.

    Raises
    ------
    DataError
        At the end, when the row counts differ; or first of a row that cannot be read, which may be the reason.
    """
    readers = [_Reader(companion) for companion in companions]
    start, own = 0, _Reader(predictions)
    for part in own.parts:
        spans = [reader.next(part.rows) for reader in readers]
        short = next((place for place, span in enumerate(spans) if span.rows < part.rows), None)
        if short is not None:
            for span, companion in zip(spans, companions, strict=True):
                _read(span.parts, companion.selection)
            _read((part,), predictions.selection)
            # An endless stream has no total.
            total = start + part.rows + (own.total() if predictions.queue.source.repeatable else 0)
            others = readers[short].total()
            raise _counts_differ(own.source, total, readers[short].source, others, advise(total, short, others))
        yield Task(part, start, tuple(spans))
        start += part.rows
    for place, reader in enumerate(readers):
        if (others := reader.total(start)) != start:
            raise _counts_differ(own.source, start, reader.source, others, advise(start, place, others))
        check_pairs(own.source, reader.source, counted=True)


def _read(parts: Iterable[Part], selection: Selection) -> None:
    """Raise the DataError of a row that cannot be read."""
    for part in parts:
        for _ in part.pieces(selection):
            pass


class _Reader:
    """Hands out the rows of a source in spans of any length."""

    def __init__(self, companion: Companion) -> None:
        self.source = companion.queue.source
        self.parts = iter(companion.queue)
        self._selection = companion.selection
        self._part: Part | None = None
        self._skipped = self._given = 0

    def next(self, count: int) -> Span:
        """Return the next `count` rows, or all that are left."""
        parts: list[Part] = []
        first, missing = self._skipped, count
        while missing and (part := self._part or next(self.parts, None)) is not None:
            parts.append(part)
            left = part.rows - self._skipped
            if left > missing and not self._skipped and (halves := part.split(missing)) is not None:
                parts[-1], self._part = halves
                missing = 0
                break
            self._part, self._skipped = (part, self._skipped + missing) if left > missing else (None, 0)
            missing -= min(left, missing)
        self._given += count - missing
        return Span(tuple(parts), first, count - missing)

    def total(self, enough: int | None = None) -> int:
        """Return how many rows the source has; those not handed out are read, as one that cannot be may be the reason.

        Of a stream they are counted up to the first part beyond `enough` rows.
        """
        if self._part is not None:
            self._given += self._part.rows - self._skipped
            _read((self._part,), self._selection)
            self._part = None
        for part in self.parts:
            _read((part,), self._selection)
            self._given += part.rows
            if enough is not None and self._given > enough and not self.source.repeatable:
                break
        return self._given


def check_pairs(predictions: Source, other: Source, *, counted: bool = False) -> None:
    """Check that two sets of files go together, where both sources have several.

    Raises
    ------
    DataError
        As ``readers.shards`` says.
    """
    if files_in(predictions) and files_in(other):
        from xentcli.readers import shards

        shards.check_pairs(predictions, other, counted=counted)


def _counts_differ(predictions: Source, rows: int, other: Source, others: int, advice: tuple[str, ...]) -> DataError:
    try:
        check_pairs(predictions, other, counted=True)
    except DataError as error:
        return error
    # Of a stream that goes on no more is counted.
    rows_here = f"{'at least ' * (rows > others and not predictions.repeatable)}{rows:,}"
    rows_there = f"{'at least ' * (rows < others and not other.repeatable)}{others:,}"
    if all(getattr(source, "index", None) is not None for source in (predictions, other)):
        advice += ("--id index --subset scores the rows that both have in their index",)
    return DataError(
        f"the row counts differ: {predictions.path} has {rows_here} and {other.path} has {rows_there}", advice=advice
    )


@record(frozen=True)
class RowNames:
    """Whether the unnamed first columns of both files agree, without holding them."""

    rows: int = 0
    same: bool = True
    sums: tuple[int, int] = (0, 0)

    def merge(self, other: RowNames) -> RowNames:
        """Return the comparison over both."""
        sums = (self.sums[0] + other.sums[0], self.sums[1] + other.sums[1])
        return RowNames(self.rows + other.rows, self.same and other.same, sums)

    @property
    def shuffled(self) -> bool:
        """Whether both have the same names in another order."""
        return not self.same and self.sums[0] == self.sums[1]


def row_names(names: Sequence[str], others: Sequence[str]) -> RowNames:
    """Compare the row names of some rows; the sum of hashes is free of order."""
    if same_texts(names, others):
        # What both have the same changes no sum more than the other.
        return RowNames(len(names))
    return RowNames(len(names), False, (sum_of_hashes(names), sum_of_hashes(others)))
