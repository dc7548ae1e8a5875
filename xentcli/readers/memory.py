"""Arrays and data frames in memory, with the interface of files."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from xentcli.arrays import Array, rows_of_planes
from xentcli.columns.column import Values
from xentcli.errors import DataError, Place, shown
from xentcli.readers.npy import read_values
from xentcli.readers.source import BLOCK_BYTES, Rows, Selection, Traits, WholePart
from xentcli.readers.table import rows_of_columns
from xentcli.records import record, replace

__all__ = ["MemoryPart", "MemorySource", "open_memory"]


@record(frozen=True, eq=False)
class MemoryPart(WholePart):
    """Rows of columns in memory."""

    path: str
    names: tuple[str, ...]
    start: int
    rows: int
    array: Array | None
    columns: tuple[Array, ...]
    index: Array | None = None

    def load(self, selection: Selection) -> Rows:
        """Take the selected columns."""
        names: dict[str, Values] = {}
        width = len(self.columns) if self.array is None else self.array.shape[1]
        for role, pick in selection.items():
            if self.index is not None and pick.columns == (width,):
                names[role] = [str(name) for name in self.index.tolist()]
        chosen = {role: pick for role, pick in selection.items() if role not in names}
        if self.array is not None:
            read = read_values(self.array, chosen, lambda row: Place(self.path, self.start + row + 1))
            return Rows(self.path, self.names, chosen, self.start, self.rows, {**read, **names})
        rows = rows_of_columns(self.path, self.names, self.start, self.rows, self.columns.__getitem__, chosen)
        return replace(rows, values={**rows.values, **names})

    def split(self, rows: int) -> tuple[MemoryPart, MemoryPart]:
        """Return the first rows and the others."""
        return self._cut(0, rows), self._cut(rows, self.rows)

    def _cut(self, first: int, last: int) -> MemoryPart:
        return replace(
            self,
            start=self.start + first,
            rows=last - first,
            array=None if self.array is None else self.array[first:last],
            columns=tuple(column[first:last] for column in self.columns),
            index=None if self.index is None else self.index[first:last],
        )


@record(frozen=True, eq=False)
class MemorySource:
    """An array (n, k), or (blocks, k, n / blocks) if classes are not the last axis, or named columns of length n."""

    path: str
    names: tuple[str, ...]
    rows: int
    array: Array | None = None
    columns: tuple[Array, ...] = ()
    shape: tuple[int, ...] = ()
    index: Array | None = None
    format: str = "memory"
    header: bool | None = None
    repeatable: bool = True
    task_bytes: int = 2 * BLOCK_BYTES

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.columns) if self.array is None else int(self.array.shape[1])

    @property
    def row_names(self) -> int | None:
        """The column of the row names, an index that is not 0 to n-1, beyond the columns that can be chosen."""
        return None if self.index is None or self.traits.counts else self.width

    @cached_property
    def traits(self) -> Traits:
        """What only some sources have."""
        dtypes = tuple(column.dtype for column in (self.columns if self.array is None else (self.array,)))
        same = dtypes[0] if len({*dtypes}) == 1 else None
        counts = self.index is not None and np.array_equal(self.index, np.arange(self.rows))
        lists = frozenset(index for index, column in enumerate(self.columns) if _holds_lists(column))
        return Traits(dtype=same, dtypes=() if self.array is not None else dtypes, counts=counts, lists=lists)

    @property
    def tabular(self) -> bool:
        """Whether its columns are those of a table, each with its own type."""
        return self.array is None

    def numeric(self, column: int) -> bool | None:
        """Whether a column holds numbers, or text; None for objects, where each is checked."""
        kind = (self.columns[column] if self.array is None else self.array).dtype.kind
        return None if kind == "O" else kind in "biuf"

    def flattened(self) -> MemorySource:
        """Return all its numbers as rows of one column, in C order of the index."""
        if self.array is None:
            return self
        return replace(self, rows=self.array.size, array=self.array.reshape(-1, 1))

    def with_classes_at(self, axis: int) -> MemorySource:
        """Return it with an axis, counted from 0, as its columns, and the others, in C order, as its rows."""
        assert self.array is not None
        width, inner = self.shape[axis], math.prod(self.shape[axis + 1 :])
        planes = self.array.reshape(math.prod(self.shape[:axis]), width, inner)
        return replace(self, rows=len(planes) * inner, array=planes if inner != 1 else planes[:, :, 0])

    def check_unchanged(self) -> None:
        """Do nothing: data in memory are not monitored."""

    def lines(self) -> int:
        """Count the rows."""
        return self.rows

    def share_of(self, rows: int) -> float:
        """Return the fraction of all rows that `rows` is."""
        return rows / max(1, self.rows)

    def parts(self, block_bytes: int = BLOCK_BYTES) -> Iterator[MemoryPart]:
        """Cut it into parts of about `block_bytes`."""
        step = max(1, block_bytes // (8 * max(1, self.width)))
        for start in range(0, self.rows, step):
            some = slice(start, min(start + step, self.rows))
            array = None if self.array is None else _rows_of(self.array, start, some.stop - start)
            columns = tuple(column[some] for column in self.columns)
            index = None if self.index is None else self.index[some]
            yield MemoryPart(self.path, self.names, start, some.stop - start, array, columns, index)


def _holds_lists(column: Array) -> bool:
    """Whether the first value of a column is a list."""
    return column.dtype.kind == "O" and len(column) > 0 and isinstance(column[0], list | tuple | np.ndarray)


def _rows_of(array: Array, start: int, rows: int) -> Array:
    return rows_of_planes(array, start, rows) if array.ndim == 3 else array[start : start + rows]


def open_memory(data: Any, name: str) -> MemorySource:
    """Take an array, a list, a pandas Series or DataFrame as a source called `name`.

    Raises
    ------
    DataError
        When it is no table of numbers or text.
    """
    if hasattr(data, "columns") and hasattr(data, "to_numpy"):
        names = tuple(str(column) for column in data.columns)
        twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
        if twice is not None:
            raise DataError(
                f"{names.count(twice)} columns are called {shown(twice)}",
                place=Place(name),
                advice="frame.columns = [...] renames them",
            )
        columns = tuple(np.asarray(data.iloc[:, index]) for index in range(len(names)))
        return MemorySource(name, names, len(data), None, columns, index=_index(data))
    if np.ma.is_masked(data):
        raise DataError("a masked array with masked values", place=Place(name), advice="array.filled(...) decides them")
    try:
        array = np.asarray(data)
    except ValueError:
        raise DataError("rows of unequal length; a list of lists is a table", place=Place(name)) from None
    except MemoryError:
        raise
    except Exception as error:
        # __array__ of any object may raise any error.
        reason = f"{shown(type(data).__name__)} cannot be read as an array: {shown(error)}"
        raise DataError(reason, place=Place(name)) from None
    if array.dtype.kind == "O" and not array.ndim:
        reason = f"an object of type {shown(type(data).__name__)}; a path, an array or a data frame is expected"
        raise DataError(reason, place=Place(name))
    if array.ndim == 1 and array.dtype.kind == "O":
        label = getattr(data, "name", None)
        names = (str(label),) if label is not None else ()
        return MemorySource(name, names, len(array), None, (array,), index=_index(data))
    if array.dtype.kind not in "biufUS":
        raise DataError(f"an array of dtype {array.dtype}; numbers or text are expected", place=Place(name))
    if not array.ndim:
        raise DataError("a single number; an array (rows,) or (rows, classes) is expected", place=Place(name))
    axes = (*array.shape, 1) if array.ndim == 1 else array.shape
    table = array.reshape(math.prod(axes[:-1]), axes[-1])
    return MemorySource(name, (), len(table), table, shape=array.shape, index=_index(data))


def _index(data: Any) -> Array | None:
    """Return the index of a pandas object; None for other objects."""
    index = getattr(data, "index", None)
    return np.asarray(index) if hasattr(data, "iloc") and index is not None else None
