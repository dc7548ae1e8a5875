"""Arrow and Feather files, and the record batches that Parquet (parquet.py) is read in too, by pyarrow.

The whole record batch of a file is in memory, which is the unit that the format loads, up to a limit.
A list column is K columns at once, and so are a struct of numbers and others (arrow_columns.py). What is coded by a
dictionary is the value, never the code; a null is NaN, which no row that counts may have.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np

from xentcli.columns.lists import Lists
from xentcli.errors import DataError, FileError, Place, XentError
from xentcli.extras import needed
from xentcli.readers.arrow_columns import SAMPLE, Origin, by_rows, origins_of
from xentcli.readers.ipc import batches_of
from xentcli.readers.lists import kinds_of_unequal
from xentcli.readers.source import BLOCK_BYTES, FlatTable, Rows, Selection, Traits, WholePart
from xentcli.readers.stream import ByteStream, open_file, plain_path
from xentcli.readers.table import Column, rows_of_columns
from xentcli.readers.wide import Flat
from xentcli.records import record, replace
from xentcli.urls import is_url

__all__ = ["ArrowPart", "ArrowSource", "damage", "open_feather", "source_of"]

_UNREAD = 1 << 30
"""The place of a column that is not read."""


@record(frozen=True, eq=False)
class ArrowPart(WholePart):
    """The rows of a record batch."""

    path: str
    flat: Flat
    start: int
    batch: Any
    origins: tuple[Origin, ...]

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return int(self.batch.num_rows)

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return int(self.batch.nbytes)

    def load(self, selection: Selection) -> Rows:
        """Take the selected columns.

        Raises
        ------
        DataError
            For a null, or a list of another length than the first.
        """
        with _arrow_errors(self.path):
            return self._rows(selection)

    def split(self, rows: int) -> tuple[ArrowPart, ArrowPart]:
        """Return the first rows and the others."""
        rest = replace(self, start=self.start + rows, batch=self.batch.slice(rows))
        return replace(self, batch=self.batch.slice(0, rows)), rest

    def _rows(self, selection: Selection) -> Rows:
        cache: dict[int, Any] = {}

        as_lists = {pick.columns[0] for pick in selection.values() if pick.as_ in ("lists", "texts")}

        def column(index: int) -> Column | Lists:
            place, key = self.flat.origin[index]
            origin = self.origins[place]
            if origin.field is None and key is None:
                array = self.batch.column(origin.column)
                return self._lists(array, origin) if index in self.flat.lists else self._plain(array, origin)
            if place not in cache:
                cache[place] = self._inner(origin) if origin.field is None else self._by_rows(origin, index in as_lists)
            found: Column = cache[place][key]
            return found

        return rows_of_columns(self.path, self.flat.names, self.start, self.rows, column, selection)

    def _by_rows(self, origin: Origin, as_lists: bool) -> dict[int | str | None, Column]:
        try:
            return by_rows(self.batch, self.path, self.start, origin, as_lists)
        except (ArithmeticError, ValueError) as error:
            raise self._unreadable(self.batch.column(origin.column), origin, error) from None

    def _lists(self, array: Any, origin: Origin) -> Lists:
        """A column of lists of any length."""
        self._check_no_null(array, origin)
        offsets = _offsets(array).astype(np.int64)
        return Lists(self._plain(array.flatten(), origin), offsets - offsets[0])

    def _check_no_null(self, array: Any, origin: Origin) -> None:
        if array.null_count:
            row = next(i for i in range(len(array)) if not array[i].is_valid)
            place = Place(self.path, self.start + row + 1, None, origin.name)
            raise DataError("null where numbers are expected", place=place)

    def _inner(self, origin: Origin) -> dict[int | str, Column]:
        """The columns of a list (by position) or a struct (by key)."""
        array = self.batch.column(origin.column)
        keys = [key for index, key in self.flat.origin if self.origins[index] is origin]
        self._check_no_null(array, origin)
        if isinstance(keys[0], str):
            return {key: self._plain(array.field(key), origin) for key in keys if isinstance(key, str)}
        flat = array.flatten()
        lengths = np.diff(_offsets(array))
        bad = np.flatnonzero(lengths != len(keys))
        if len(bad):
            row = int(bad[0])
            raise DataError(
                f"a list of {lengths[row]} where the first row has {len(keys)}",
                place=Place(self.path, self.start + row + 1, None, origin.name),
                advice=kinds_of_unequal(origin.name, array[row].as_py()),
            )
        table = self._plain(flat, origin).reshape(len(array), len(keys))
        return {key: table[:, key] for key in keys if isinstance(key, int)}

    def _plain(self, array: Any, origin: Origin) -> Column:
        types = needed("pyarrow.types", "arrow")
        if types.is_dictionary(array.type):
            array = array.dictionary_decode()
        whole = types.is_integer(array.type) or types.is_boolean(array.type)
        # A null among floats becomes NaN, as in pandas: refused in rows that count. Integers keep their type.
        if types.is_floating(array.type) or (whole and not array.null_count):
            found: Column = array.to_numpy(zero_copy_only=False)
            return found
        objects = np.empty(len(array), dtype=object)
        try:
            objects[:] = array.to_pylist()
        except (ArithmeticError, ValueError) as error:
            raise self._unreadable(array, origin, error) from None
        return objects

    def _unreadable(self, array: Any, origin: Origin, error: Exception) -> DataError:
        """Return the error of a value that has no Python equivalent: invalid UTF-8, an invalid date."""
        place = Place(self.path, column=origin.name)
        for row, value in enumerate(array):
            try:
                value.as_py()
            except (ArithmeticError, ValueError) as found:
                each = max(1, len(array) // max(1, self.rows))
                place, error = replace(place, row=self.start + row // each + 1), found
                break
        return DataError(f"a value that cannot be read: {error}", place=place)


@record(frozen=True)
class ArrowSource(FlatTable):
    """A file of record batches."""

    stream: ByteStream
    format: str
    flat: Flat
    rows: int
    batches: Callable[..., Iterator[Any]]
    origins: tuple[Origin, ...]
    numbers_a_row: float = 0.0
    apart: bool = False
    names_read: tuple[str, ...] | None = None

    def numeric(self, column: int) -> bool | None:
        """Whether a column holds numbers; None for other types, where each value is checked."""
        return True if self.origins[self.flat.origin[column][0]].number else None

    @property
    def traits(self) -> Traits:
        """What only some sources have: the dtypes of columns of real numbers among it."""
        found = [self.origins[origin].dtype for origin, _ in self.flat.origin]
        dtypes = tuple(None if name is None else np.dtype(name) for name in found)
        return Traits(flat=self.flat, lists=self.flat.lists, dtypes=dtypes)

    def lines(self) -> int:
        """Count the rows."""
        return self.rows

    def reading(self, columns: Collection[int]) -> ArrowSource:
        """Return it for these columns alone, where the file has each in a place of its own; else unchanged."""
        places = {self.flat.origin[column][0] for column in columns}
        read = sorted(self.origins[place].column for place in places)
        # What is read row by row may take its names from the column beside it.
        if not self.apart or not read or any(self.origins[place].field is not None for place in places):
            return self
        names = {origin.column: origin.name for origin in self.origins}
        places_read = {column: place for place, column in enumerate(read)}
        origins = tuple(replace(each, column=places_read.get(each.column, _UNREAD)) for each in self.origins)
        return replace(self, origins=origins, names_read=tuple(names[column] for column in read))

    def parts(self, block_bytes: int = BLOCK_BYTES) -> Iterator[ArrowPart]:
        """Cut it into batches of about `block_bytes`."""
        start, size = 0, 8 * max(1.0, self.width, self.numbers_a_row)
        rows = max(1, int(block_bytes / size))
        found = self.batches(rows) if self.names_read is None else self.batches(rows, self.names_read)
        for whole in _reading(self.path, found):
            for batch in self._cut(whole, block_bytes):
                yield ArrowPart(self.path, self.flat, start, batch, self.origins)
                start += batch.num_rows
        if start != self.rows:
            raise DataError(f"a damaged file: {start:,} rows where it says {self.rows:,}", place=Place(self.path))

    def _cut(self, batch: Any, block_bytes: int) -> Iterator[Any]:
        """Cut a batch where the lists of a row may be long."""
        lists = (self.origins[self.flat.origin[column][0]] for column in self.flat.lists)
        columns = {origin.column for origin in lists if origin.field is None and origin.column != _UNREAD}
        first, numbers = 0, sum(np.diff(_offsets(batch.column(column)).astype(np.int64)) for column in columns)
        ends = np.cumsum(numbers) if columns else ()
        while columns and first < batch.num_rows:
            before = ends[first - 1] if first else 0
            last = max(first + 1, int(np.searchsorted(ends, before + block_bytes // 8, side="right")))
            yield batch.slice(first, last - first)
            first = last
        if not columns and batch.num_rows:
            yield batch


def open_feather(stream: ByteStream) -> ArrowSource:
    """Open an Arrow IPC file, which is what Feather is.

    Raises
    ------
    UsageError
        Without the extra ``arrow``.
    DataError
        For a damaged file.
    """
    arrow = needed("pyarrow", "arrow")
    path = plain_path(stream, "Arrow")

    def opened() -> Any:
        return open_file(path) if is_url(path) else arrow.OSFile(path)

    def all_batches() -> Iterator[Any]:
        with opened() as raw, arrow.ipc.open_file(raw) as file:
            for index in range(file.num_record_batches):
                batch = file.get_batch(index)
                batch.validate(full=True)
                yield batch

    def batches(rows: int) -> Iterator[Any]:
        for batch in all_batches():
            for start in range(0, batch.num_rows, rows):
                yield batch.slice(start, rows)

    if not stream.head.startswith(b"ARROW1"):
        advice = "pyarrow.feather.write_feather(pyarrow.ipc.open_stream(FILE).read_all(), 'p.feather')"
        raise DataError("no Arrow file; a stream of Arrow IPC?", place=Place(path), advice=advice)
    with damage(path), open_file(path) as plain:
        rows = 0
        for batch in batches_of(plain):
            stream.limits.check_batch(batch.size, Place(path))
            rows += 0 if batch.dictionary else batch.rows
    with damage(path), opened() as raw, arrow.ipc.open_file(raw) as file:
        return source_of(stream, "arrow", file.schema, rows, batches)


def source_of(
    stream: ByteStream, format: str, schema: Any, rows: int, batches: Callable[..., Iterator[Any]]
) -> ArrowSource:
    """Return a file of record batches, of which `batches` yields those of some rows, and of some columns by name."""
    first = next(_reading(stream.name, batches(SAMPLE)), None)
    origins = tuple(origins_of(schema, first, stream.name))
    flat = Flat.of([(origin.name, origin.inner) for origin in origins])
    return ArrowSource(stream, format, flat, rows, batches, origins)


def _offsets(array: Any) -> Any:
    """Return the offsets of lists; computed for lists of fixed size, which store none."""
    if hasattr(array, "offsets"):
        return array.offsets.to_numpy(zero_copy_only=False)
    return np.arange(len(array) + 1) * array.type.list_size


def _reading(path: str, items: Iterator[Any]) -> Iterator[Any]:
    with damage(path):
        yield from items


@contextlib.contextmanager
def _arrow_errors(path: str) -> Iterator[None]:
    """Convert errors of pyarrow about values to errors that name the file."""
    try:
        yield
    except needed("pyarrow", "arrow").ArrowException as error:
        with damage(path):
            raise error


@contextlib.contextmanager
def damage(path: str) -> Iterator[None]:
    """Convert errors of pyarrow about a corrupt file to errors that name the file."""
    try:
        yield
    except XentError:
        raise
    except MemoryError as error:
        # A corrupt length can ask for any amount of memory.
        raise FileError(f"cannot be read: {error or 'out of memory'}", place=Place(path)) from None
    except Exception as error:
        # A corrupt name is a UnicodeDecodeError, a corrupt type a KeyError, and so on.
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        if "Failed to launch" in reason:
            advice = "ulimit -v and ulimit -u show the limits on memory and on threads"
            raise FileError(f"cannot be read: {reason}", place=Place(path), advice=advice) from None
        raise DataError(f"a damaged file: {reason}", place=Place(path)) from None
