"""Runs: rows that can be found only by reading in order, such as row groups of Parquet and record batches of Arrow.

A Run continues reading where its last part ended. It pickles without open files: another process starts at the
beginning and skips to the requested rows. So a part is a position in a run, and the parts of one run are best read
by one worker, in order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

from xentcli.errors import DataError, Place

__all__ = ["Batches", "Run", "runs_of"]

RUN_BYTES = 1 << 23
"""Groups are joined up to this many bytes: opening a file costs about as much as reading some 100 KiB of it."""

Names = tuple[str, ...] | None


class Batches(ABC):
    """A file at `path` with groups of rows that can be located; pickles."""

    def __init__(self, path: str) -> None:
        self.path = path

    @abstractmethod
    def batches(self, groups: range, rows: int, names: Names) -> Iterator[Any]:
        """Yield record batches of about `rows` rows from some groups, with at least the columns of these names."""


class Run:
    """Consecutive groups of a file, read in order: `rows` rows of about `size` bytes."""

    def __init__(self, file: Batches, groups: range, rows: int, size: int) -> None:
        self.file, self.groups, self.rows, self.size = file, groups, rows, size
        self._open: dict[Names, _Cursor] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without what is open."""
        return Run, (self.file, self.groups, self.rows, self.size)

    def read(self, first: int, rows: int, names: Names) -> Any:
        """Return a record batch of rows from `first` on, by reading on where that is possible.

        Raises DataError if there are fewer rows, or more after the last.
        """
        # Removed while in use, so that another thread opens its own cursor.
        cursor = self._open.pop(names, None)
        if cursor is None or cursor.at > first:
            cursor = _Cursor(self.file.batches(self.groups, max(1, rows), names))
        for _ in cursor.next(first - cursor.at):
            pass
        found = list(cursor.next(rows)) if cursor.at == first else []
        whole = cursor.at == first + rows
        if not whole or (cursor.at == self.rows and not cursor.is_at_end()):
            text = f"a damaged file: {'more' if whole else 'fewer'} rows than the {self.rows:,} it says"
            raise DataError(text, place=Place(self.file.path))
        if cursor.at < self.rows:
            self._open[names] = cursor
        return _joined(found)


class _Cursor:
    """Batches, and how many rows of them were taken."""

    def __init__(self, batches: Iterator[Any]) -> None:
        self._batches, self._left = batches, None
        self.at = 0

    def next(self, rows: int) -> Iterator[Any]:
        """Yield the next rows in batches; fewer if there are no more."""
        while rows and (batch := self._next()) is not None:
            if batch.num_rows > rows:
                self._left = batch.slice(rows)
                batch = batch.slice(0, rows)
            rows -= batch.num_rows
            self.at += batch.num_rows
            yield batch

    def is_at_end(self) -> bool:
        """Whether there is no further row; if so, closes the file."""
        return self._left is None and not any(batch.num_rows for batch in self._batches)

    def _next(self) -> Any:
        batch, self._left = self._left, None
        return next(self._batches, None) if batch is None else batch


def _joined(batches: Sequence[Any]) -> Any:
    """Return consecutive batches as one."""
    if len(batches) == 1:
        return batches[0]
    import pyarrow

    return pyarrow.Table.from_batches(batches).combine_chunks().to_batches()[0]


def runs_of(file: Batches, groups: Sequence[tuple[int, int]]) -> Iterator[Run]:
    """Join the groups of a file, each with its rows and its bytes in memory, to runs."""
    first = rows = size = 0
    for index, (more, further) in enumerate(groups, start=1):
        rows, size = rows + more, size + further
        if size >= RUN_BYTES or index == len(groups):
            if rows:
                yield Run(file, range(first, index), rows, size)
            first, rows, size = index, 0, 0
