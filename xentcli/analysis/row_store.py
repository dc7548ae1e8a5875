"""The figures of every row of several models: in memory, and beyond a limit in a temporary file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO, Any

import numpy as np

from xentcli.arrays import Floats, Ints
from xentcli.errors import FileError

__all__ = ["Region", "RowStore", "blocks"]

MEMORY = 256 << 20
"""Bytes of all regions that stay in memory."""
_FILLED_AT_ONCE = 1 << 16


class RowStore:
    """Gives each model a Region of rows.

    Parameters
    ----------
    missing
        The values of a row that was not written, one for each column.
    memory
        How many bytes stay in memory.
    """

    def __init__(self, missing: Sequence[float], memory: int = MEMORY) -> None:
        self._missing = np.array(missing, dtype=np.float64)
        self._left = memory
        self._file: IO[bytes] | None = None

    def region(self, rows: int = 0) -> Region:
        """Return a region of `rows` rows, all missing."""
        return Region(self, rows)

    def allocate(self, rows: int) -> Floats:
        """Return f8[rows, columns], all missing.

        Raises
        ------
        FileError
            When the temporary file cannot be made or written.
        """
        size = rows * self._missing.nbytes
        if size <= self._left:
            self._left -= size
            return np.tile(self._missing, (rows, 1))
        try:
            return self._in_file(rows)
        except OSError as error:
            raise FileError(
                f"a temporary file of {size:,} bytes cannot be written: {error.strerror or error}",
                advice="TMPDIR=FOLDER chooses where it is",
            ) from None

    def _in_file(self, rows: int) -> Floats:
        if self._file is None:
            import tempfile

            self._file = tempfile.TemporaryFile(prefix="xent-")  # noqa: SIM115 - it lives as long as the store
        offset = self._file.seek(0, 2)
        # Written, not only made longer: a write to a mapped page of a full disk could not be caught.
        for start in range(0, rows, _FILLED_AT_ONCE):
            self._file.write(np.tile(self._missing, (min(_FILLED_AT_ONCE, rows - start), 1)).tobytes())
        self._file.flush()
        file: Any = self._file
        return np.memmap(file, np.float64, "r+", offset, (rows, len(self._missing)))

    def free(self, rows: Floats) -> None:
        """Count rows in memory that are no longer needed."""
        if not isinstance(rows, np.memmap):
            self._left += rows.nbytes


class Region:
    """The rows of one model, in the order of the reference.

    >>> region = RowStore([np.nan, 0.0]).region()
    >>> region.put(0, np.array([[0.5, 1.0], [0.25, 1.0]]))
    >>> region.put(np.array([3]), np.array([[2.0, 1.0]]))
    >>> region.rows.tolist()
    [[0.5, 1.0], [0.25, 1.0], [nan, 0.0], [2.0, 1.0]]
    """

    def __init__(self, store: RowStore, rows: int) -> None:
        self._store = store
        self._values = store.allocate(rows)
        self._count = rows

    @property
    def rows(self) -> Floats:
        """f8[n, columns]: the rows so far."""
        return self._values[: self._count]

    def put(self, at: int | Ints, values: Floats) -> None:
        """Write rows from row `at` on, or at these rows; the region grows as needed."""
        end = at + len(values) if isinstance(at, int) else int(at.max(initial=-1)) + 1
        if end > len(self._values):
            self._grow(max(end, 2 * len(self._values)))
        self._count = max(self._count, end)
        self._values[slice(at, end) if isinstance(at, int) else at] = values

    def _grow(self, rows: int) -> None:
        larger = self._store.allocate(rows)
        larger[: self._count] = self._values[: self._count]
        self._store.free(self._values)
        self._values = larger


def blocks(rows: int, size: int) -> Iterator[slice]:
    """Yield slices of at most `size` rows.

    >>> list(blocks(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))
