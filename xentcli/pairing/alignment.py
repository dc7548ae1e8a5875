"""Align the rows of several sources by position."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from xentcli.errors import DataError, XentError
from xentcli.readers.source import (
    BLOCK_BYTES,
    Part,
    PartOfFile,
    Rows,
    Selection,
    Source,
    WholePart,
    files_in,
    held,
    merged_rows,
)
from xentcli.records import record, replace

__all__ = ["HEAD_ROWS", "Companion", "PartQueue", "Span", "Task", "by_position", "check_pairs"]

HEAD_ROWS = 65_536


class PartQueue:
    """The parts of a source in order; `look` loads the first rows without consuming them."""

    def __init__(self, source: Source, block_bytes: int = BLOCK_BYTES, *, shifted: bool = False) -> None:
        self.source, self._shifted = source, shifted
        self.block_bytes = block_bytes
        """About how many bytes its parts have."""
        self._waiting: deque[Part] = deque()
        self._failure: XentError | None = None
        self._ended = False
        self._rest = iter(source.parts(block_bytes))
        if shifted:
            self._rest = _shifted_by_1(self._rest)

    def again(self) -> PartQueue:
        """Return a queue that starts at the first part again; the source must be repeatable."""
        return self.of(self.source)

    def of(self, source: Source) -> PartQueue:
        """Return a queue of another source with the same part size."""
        return PartQueue(source, self.block_bytes, shifted=self._shifted)

    @property
    def carries(self) -> bool:
        """Whether its first part carries rows, as one of a compressed file, not their place; nothing is consumed."""
        part: Any = next(self._seen(), None)
        return part is not None and getattr(_as_in_file(part), "data", part) is not None

    @property
    def is_empty(self) -> bool:
        """Whether there is no row; nothing is consumed."""
        return not any(part.rows for part in self._seen())

    def __iter__(self) -> Iterator[Part]:
        """Yield every part once, in order."""
        while self._waiting:
            yield self._waiting.popleft()
        while (part := self._next()) is not None:
            yield part

    def look(self, selection: Selection, limit: int = HEAD_ROWS) -> Iterator[Rows]:
        """Load columns of the first `limit` rows, piece by piece, without consuming parts."""
        missing = limit
        for part in self._seen():
            for rows in part.first(missing).pieces(selection):
                yield rows.cut(0, min(rows.count, missing))
                missing -= rows.count
                if missing <= 0:
                    return

    def _seen(self) -> Iterator[Part]:
        # By index, as two calls of look() may be active at once and each must see every part.
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
        # A generator that raised is exhausted, so keep the error: a later caller would see no further parts.
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
    """A source whose rows go with those of the predictions, and the columns to load."""

    queue: PartQueue
    selection: Selection


@record(frozen=True)
class Span:
    """`rows` consecutive rows of a source; the first is row `skipped` (from 0) of the first part."""

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
class _CutPart(WholePart):
    """Some rows of a part that can only be read as a whole."""

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


def _shifted_by_1(parts: Iterator[Part]) -> Iterator[Part]:
    """Yield the rows from the second on, then the last one again in place of the missing label."""
    last: Part | None = None
    for part in (part for part in parts if part.rows):
        if last is not None:
            yield part
        elif part.rows > 1:
            yield _CutPart(part, 1, part.rows - 1)
        last = part
    if last is not None:
        yield _CutPart(last, last.rows - 1, 1)


@record(frozen=True)
class Task:
    """A part of the predictions from row `start` on (from 0), and the location of the matching rows in each companion.

    It holds locations, not rows, except for data that cannot be read again (a stream) or was loaded by `held`.
    """

    part: Part
    start: int
    companions: tuple[Span, ...] = ()

    @property
    def parts(self) -> Iterator[PartOfFile]:
        """The parts of files that it reads."""
        yield _as_in_file(self.part)
        for span in self.companions:
            yield from map(_as_in_file, span.parts)

    @property
    def before(self) -> int:
        """The number of rows before the file that the predictions are read from."""
        part: Any = self.part
        while part is not None and not hasattr(part, "before"):
            part = getattr(part, "part", None)
        return 0 if part is None else int(part.before)

    def held(self, picks: Sequence[Selection]) -> Task:
        """Return the task with rows loaded that can be found only by reading in order, as selected by `picks`."""
        spans = zip(self.companions, picks[1:], strict=False)
        return Task(held(self.part, picks[0]), self.start, tuple(span.held(pick) for span, pick in spans))

    def within(self, rows: range) -> Task | None:
        """Return the intersection with a range of rows (from 0) of the predictions; None if it is empty."""
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
"""Maps (rows of predictions, index of a companion, its rows) to advice on making the counts agree."""


def by_position(predictions: Companion, companions: Sequence[Companion], advise: Advise) -> Iterator[Task]:
    """Yield the parts of the predictions with the locations of the same number of rows of each companion.

    Raises DataError at the end, if the row counts differ; or for an unreadable row, which may be the reason.
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
    """Returns the rows of a source in spans of any length."""

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
        """Return the number of rows of the source; reads the rest, as an unreadable row may explain a difference.

        A stream is counted only up to the first part beyond `enough` rows.
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
    """Check that two sets of files match, if both sources have several files.

    Raises DataError as ``readers.shards`` says.
    """
    if files_in(predictions) and files_in(other):
        from xentcli.readers import shards

        shards.check_pairs(predictions, other, counted=counted)


def _counts_differ(predictions: Source, rows: int, other: Source, others: int, advice: tuple[str, ...]) -> DataError:
    try:
        check_pairs(predictions, other, counted=True)
    except DataError as error:
        return error
    # A stream is not counted to its end.
    rows_here = f"{'at least ' * (rows > others and not predictions.repeatable)}{rows:,}"
    rows_there = f"{'at least ' * (rows < others and not other.repeatable)}{others:,}"
    if all(getattr(source, "index", None) is not None for source in (predictions, other)):
        advice += ("id='index', subset=True scores the rows that both have in their index",)
    return DataError(
        f"the row counts differ: {predictions.path} has {rows_here} and {other.path} has {rows_there}", advice=advice
    )
