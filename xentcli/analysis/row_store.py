"""The figures of every row of several models: in memory, and beyond a limit in a temporary file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import numpy as np

from xentcli.arrays import Array, Floats, Ints
from xentcli.errors import FileError

__all__ = ["Region", "RowStore", "blocks"]

MEMORY = 256 << 20
"""Bytes of all regions that stay in memory."""


class RowStore:
    """Gives each model a Region of rows.

    Parameters
    ----------
    missing
        The values of rows that are not written, one for each column.
    memory
        How many bytes stay in memory.
    """

    def __init__(self, missing: Sequence[float], memory: int = MEMORY) -> None:
        self._missing = np.array(missing, dtype=np.float64)
        self.left = memory
        self._file: IO[bytes] | None = None

    def region(self, rows: int = 0) -> Region:
        """Return a region of `rows` rows, all missing."""
        return Region(self, self._missing, rows)

    def allocate(self, rows: int) -> tuple[Floats, bool]:
        """Return f8[columns, rows], and whether it is filled with `missing`: memory is not touched before use.

        Raises FileError if the temporary file cannot be made or written.
        """
        size = rows * self._missing.nbytes
        if size <= self.left:
            self.left -= size
            return np.empty((len(self._missing), rows)), False
        try:
            return self._in_file(rows), True
        except OSError as error:
            raise FileError(
                f"a temporary file of {size:,} bytes cannot be written: {error.strerror or error}",
                advice="TMPDIR=FOLDER chooses another place",
            ) from None

    def _in_file(self, rows: int) -> Floats:
        if self._file is None:
            import tempfile

            self._file = tempfile.TemporaryFile(prefix="xent-")  # noqa: SIM115 - it lives as long as the store
        offset = self._file.seek(0, 2)
        # Write zeros instead of only extending the file: a fault on a mapped page of a full disk cannot be caught.
        for value in self._missing.tolist():
            for part in blocks(rows):
                self._file.write(np.full(part.stop - part.start, value).tobytes())
        self._file.flush()
        file: Any = self._file
        return np.memmap(file, np.float64, "r+", offset, (len(self._missing), rows))

    def free(self, values: Floats, rows: int) -> None:
        """Return the memory of rows that are no longer needed to the budget."""
        if not isinstance(values, np.memmap):
            self.left += rows * self._missing.nbytes


class Region:
    """The rows of one model in the order of the reference, stored column by column.

    >>> region = RowStore([np.nan, 0.0]).region()
    >>> region.put(0, [np.array([0.5, 0.25]), 1.0])
    >>> region.put(np.array([3]), [2.0, 1.0])
    >>> region.rows.tolist()
    [[0.5, 1.0], [0.25, 1.0], [nan, 0.0], [2.0, 1.0]]
    """

    def __init__(self, store: RowStore, missing: Floats, rows: int) -> None:
        self._store, self._missing = store, missing
        self._values, filled = store.allocate(rows)
        self._count = rows
        self._filled = rows if filled else 0

    @property
    def rows(self) -> Floats:
        """f8[n, columns]: the rows so far."""
        self._fill(self._count)
        return self._values[:, : self._count].T

    def put(self, at: int | Ints, columns: Iterable[Array | float]) -> None:
        """Write rows from row `at` on, or at these rows; the region grows as needed.

        `columns` are m numbers each, or one for all rows; if `at` is a row number, at least one has m numbers.
        """
        columns = list(columns)
        if isinstance(at, int):
            places: Any = slice(at, at + max(len(of) for of in columns if isinstance(of, np.ndarray)))
            begin, end = at, places.stop
        else:
            places, begin = at, int(at.max(initial=-1)) + 1
            end = begin
        if end > self._values.shape[1]:
            self._grow(max(end, 2 * self._values.shape[1]))
        self._fill(begin)
        self._count, self._filled = max(self._count, end), max(self._filled, end)
        for column, of in zip(self._values, columns, strict=True):
            column[places] = of

    def reserve(self, rows: int) -> None:
        """Reserve memory for this many rows, if available, so that growing does not copy."""
        if len(self._values) * rows * self._values.itemsize <= self._store.left and rows > self._values.shape[1]:
            self._grow(rows)

    def settle(self) -> None:
        """Free unused memory; no further rows will be written."""
        self._store.free(self._values, self._values.shape[1] - self._count)
        self._values = self._values[:, : self._count]

    def _fill(self, end: int) -> None:
        """Fill the rows not yet written, up to this one, with `missing`."""
        if end > self._filled:
            self._values[:, self._filled : end] = self._missing[:, None]
            self._filled = end

    def _grow(self, rows: int) -> None:
        larger, filled = self._store.allocate(rows)
        larger[:, : self._filled] = self._values[:, : self._filled]
        self._store.free(self._values, self._values.shape[1])
        self._values, self._filled = larger, rows if filled else self._filled


def blocks(rows: int, size: int = 1 << 16) -> Iterator[slice]:
    """Yield slices of at most `size` rows.

    >>> list(blocks(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))
