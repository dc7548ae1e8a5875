"""Arrays and columns in memory, with the interface of files."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Collection, Iterator
from operator import itemgetter

import numpy as np

from xentcli.arrays import Array, rows_of_planes
from xentcli.columns.column import Values
from xentcli.columns.lists import Lists
from xentcli.errors import Place
from xentcli.readers.npy import read_values, widened
from xentcli.readers.source import BLOCK_BYTES, Counted, Rows, Selection, Traits, WholePart
from xentcli.readers.table import rows_of_columns
from xentcli.readers.wide import Flat
from xentcli.records import cached_property, record, replace

__all__ = ["MemoryPart", "MemorySource", "holds_lists"]


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
    bfloat16: bool = False
    flat: Flat | None = None

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return sum(column.nbytes for column in (self.array, *self.columns) if column is not None)

    def load(self, selection: Selection) -> Rows:
        """Take the selected columns."""
        names: dict[str, Values] = {}
        width = self.array.shape[1] if self.array is not None else len(self.flat.names if self.flat else self.columns)
        for role, pick in selection.items():
            if self.index is not None and pick.columns == (width,):
                names[role] = [str(name) for name in self.index.tolist()]
        chosen = {role: pick for role, pick in selection.items() if role not in names}
        if self.array is not None:
            array = widened(self.array) if self.bfloat16 else self.array
            read = read_values(array, chosen, lambda row: Place(self.path, self.start + row + 1))
            return Rows(self.path, self.names, chosen, self.start, self.rows, {**read, **names})
        rows = rows_of_columns(self.path, self.names, self.start, self.rows, self._column, chosen)
        return replace(rows, values={**rows.values, **names})

    def _column(self, index: int) -> Array | Lists:
        """A column; for lists of equal length (a matrix), one position in them or the lists themselves."""
        place, key = (index, None) if self.flat is None else self.flat.origin[index]
        column = self.columns[place]
        if key is not None and self.flat is not None:
            # The columns of a matrix are adjacent, and each may be requested many times.
            return column[:, index - bisect_left(self.flat.origin, place, key=itemgetter(0))]
        return column if column.ndim == 1 else Lists(column.reshape(-1), np.arange(len(column) + 1) * column.shape[1])

    def split(self, rows: int) -> tuple[MemoryPart, MemoryPart]:
        """Return the first rows and the others."""
        return self.cut(0, rows), self.cut(rows, self.rows)

    def cut(self, first: int, last: int) -> MemoryPart:
        """Return the rows from `first` up to but not including `last`."""
        return replace(
            self,
            start=self.start + first,
            rows=last - first,
            array=None if self.array is None else _unwriteable(_rows_of(self.array, first, last - first)),
            columns=tuple(_unwriteable(column[first:last]) for column in self.columns),
            index=None if self.index is None else self.index[first:last],
        )


@record(frozen=True, eq=False)
class MemorySource(Counted):
    """An array (n, k), or (blocks, k, n / blocks) if classes are not the last axis, or named columns of length n.

    Attributes
    ----------
    flat
        How columns of lists of equal length, each a matrix, were spread out; None if there are none.
    index
        The index of a pandas object, or the ids given for its rows.
    lent
        Whether the index is that of other data with the same rows: it names rows, and there is nothing to compare.
    index_name
        The name of the index; --id accepts it like a column name.
    column
        The name if all its numbers are one column.
    bfloat16
        Whether the array holds bfloat16, as u2.
    """

    path: str
    names: tuple[str, ...]
    rows: int
    array: Array | None = None
    columns: tuple[Array, ...] = ()
    flat: Flat | None = None
    shape: tuple[int, ...] = ()
    index: Array | None = None
    index_name: str | None = None
    lent: bool = False
    bfloat16: bool = False
    column: str = ""
    format: str = "memory"
    header: bool | None = None
    repeatable: bool = True
    task_bytes: int = 2 * BLOCK_BYTES

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.flat.names if self.flat else self.columns) if self.array is None else int(self.array.shape[1])

    @property
    def row_names(self) -> int | None:
        """The column of row names (an index other than 0 to n-1), after the columns that can be selected."""
        return None if self.lent or self.index is None or self.traits.counts else self.width

    @cached_property
    def traits(self) -> Traits:
        """What only some sources have."""
        origin = range(len(self.columns)) if self.flat is None else [place for place, _ in self.flat.origin]
        dtypes = (self.array.dtype,) if self.array is not None else tuple(self.columns[place].dtype for place in origin)
        same = dtypes[0] if len({*dtypes}) == 1 else None
        same = np.dtype(np.float32) if self.bfloat16 else same
        counts = self.index is not None and np.array_equal(self.index, np.arange(self.rows))
        lists = frozenset(i for i, column in enumerate(self.columns) if holds_lists(column))
        lists = lists if self.flat is None else self.flat.lists
        own = () if self.array is not None else dtypes
        short = frozenset(range(self.width if self.bfloat16 else 0))
        return Traits(dtype=same, dtypes=own, counts=counts, lists=lists, bfloat16=short, flat=self.flat)

    @property
    def tabular(self) -> bool:
        """Whether its columns are those of a table, each with its own type."""
        return self.array is None

    def numeric(self, column: int) -> bool | None:
        """Whether a column holds numbers or text; None for objects, which are checked one by one."""
        place = column if self.flat is None else self.flat.origin[column][0]
        kind = (self.columns[place] if self.array is None else self.array).dtype.kind
        return None if kind == "O" else kind in "biuf"

    def with_lists(self, names: Collection[str]) -> MemorySource:
        """Return it with these columns of lists of one length as columns of lists of any length."""
        flat = None if self.flat is None else self.flat.undivided(names)
        return self if flat is None else replace(self, flat=flat, names=flat.names)

    def flattened(self) -> MemorySource:
        """Return all its numbers as rows of one column, in C order of the index."""
        if self.array is None:
            return self
        names = (self.column,) if self.column else ()
        index = self.index if self.array.size == self.rows else None
        return replace(self, names=names, rows=self.array.size, array=self.array.reshape(-1, 1), index=index)

    def with_classes_at(self, axis: int) -> MemorySource:
        """Return it with an axis, counted from 0, as its columns, and the others, in C order, as its rows."""
        assert self.array is not None
        width, inner = self.shape[axis], math.prod(self.shape[axis + 1 :])
        planes = self.array.reshape(math.prod(self.shape[:axis]), width, inner)
        return replace(self, rows=len(planes) * inner, array=planes if inner != 1 else planes[:, :, 0])

    def check_unchanged(self) -> None:
        """Do nothing: data in memory are not monitored."""

    def parts(self, block_bytes: int = BLOCK_BYTES) -> Iterator[MemoryPart]:
        """Cut it into parts of about `block_bytes`."""
        step = max(1, block_bytes // (8 * max(1, self.width)))
        whole = MemoryPart(
            self.path, self.names, 0, self.rows, self.array, self.columns, self.index, self.bfloat16, self.flat
        )
        for start in range(0, self.rows, step):
            yield whole.cut(start, min(start + step, self.rows))


def holds_lists(column: Array) -> bool:
    """Whether the first value of a column is a list."""
    return (
        column.ndim == 1
        and column.dtype.kind == "O"
        and len(column) > 0
        and isinstance(column[0], list | tuple | np.ndarray)
    )


def _rows_of(array: Array, start: int, rows: int) -> Array:
    return rows_of_planes(array, start, rows) if array.ndim == 3 else array[start : start + rows]


def _unwriteable(view: Array) -> Array:
    """Forbid writing through a view of an array of the caller: a reduction overwrites what it may."""
    view.flags.writeable = False
    return view
