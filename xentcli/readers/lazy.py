"""Lazy data frames of polars, collected in batches, so that only a few batches are in memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from xentcli.arrays import Array
from xentcli.errors import DataError, FileError, Place, first_line, shown
from xentcli.readers.limits import DEFAULT
from xentcli.readers.memory import MemoryPart, MemorySource
from xentcli.readers.source import BLOCK_BYTES
from xentcli.records import record

__all__ = ["LazySource", "collected", "is_lazy", "open_lazy"]

_LOOK_AT = 1000
"""Number of first rows that decide the columns."""
_NESTED = ("List", "Array", "Struct", "Object")

Converted = Callable[[Any], Array]
"""A column of polars to an array."""


def is_lazy(data: Any) -> bool:
    """Whether an object is a query whose result is a data frame."""
    return callable(getattr(data, "collect", None)) and hasattr(data, "collect_schema")


def open_lazy(data: Any, name: str, converted: Converted) -> LazySource | None:
    """Open a lazy frame of plain columns that can be collected in batches; None of others.

    >>> open_lazy([1, 2], "list", list) is None
    True
    """
    if not (is_lazy(data) and callable(getattr(data, "collect_batches", None))):
        return None
    schema = data.collect_schema()
    if not len(schema) or any(str(kind).startswith(_NESTED) for kind in schema.values()):
        return None
    head = data.head(_LOOK_AT).collect()
    columns = tuple(map(converted, head.get_columns()))
    return LazySource(name, tuple(map(str, head.columns)), _count(data), None, columns, frame=data, converted=converted)


def collected(data: Any, name: str, most: int = DEFAULT.batch) -> Any:
    """Collect a lazy frame at once: one of nested columns, or of a library without batches.

    Raises FileError if it exceeds the size limit of an Arrow batch.
    """
    head = data.head(_LOOK_AT).collect()
    size = getattr(head, "estimated_size", None)
    if callable(size) and len(head) == _LOOK_AT:
        whole = int(size() * _count(data) / _LOOK_AT)
        if whole > most:
            raise FileError(
                f"a lazy frame of lists or structs is collected at once, and would take about {whole:,} bytes",
                place=Place(name),
                advice="frame.sink_parquet('p.parquet') writes a file, which is read in parts",
            )
    try:
        return data.collect(engine="streaming")
    except TypeError:
        return data.collect()


def _count(data: Any) -> int:
    """The number of rows; most sources know it without reading."""
    library: Any = sys.modules[type(data).__module__.partition(".")[0]]
    return int(data.select(library.len()).collect().item())


@record(frozen=True, eq=False)
class LazySource(MemorySource):
    """A lazy frame; `columns` are those of its first rows.

    Attributes
    ----------
    frame
        The query; it is collected again on every reading.
    converted
        Converts a column to an array.
    """

    frame: Any = None
    converted: Converted | None = None

    def numeric(self, column: int) -> bool | None:
        """Whether a column holds numbers; None if later rows may have nulls among integers, or text."""
        return True if self.columns[column].dtype.kind == "f" else None

    def parts(self, block_bytes: int = BLOCK_BYTES) -> Iterator[MemoryPart]:
        """Collect it in batches of about `block_bytes`.

        Raises DataError if the query fails, or gives another number of rows than before.
        """
        step, start = max(1, block_bytes // (8 * max(1, self.width))), 0
        for columns in self._batches(step):
            rows = len(columns[0])
            index = None if self.index is None else self.index[start : start + rows]
            yield MemoryPart(self.path, self.names, start, rows, None, columns, index)
            start += rows
        if start != self.rows:
            raise DataError(
                f"the query gives {start:,} rows, and gave {self.rows:,} before",
                place=Place(self.path),
                advice="frame.collect() keeps its rows",
            )

    def _batches(self, rows: int) -> Iterator[tuple[Array, ...]]:
        """The columns of some rows at a time."""
        assert self.converted is not None
        try:
            batches = self.frame.collect_batches(chunk_size=rows, maintain_order=True, lazy=True)
            for batch in batches:
                for at in range(0, batch.height, rows):
                    yield tuple(map(self.converted, batch.slice(at, rows).get_columns()))
        except DataError:
            raise
        except Exception as error:
            raise DataError(f"the query fails: {shown(first_line(error), 200)}", place=Place(self.path)) from None
