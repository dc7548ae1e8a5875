"""Arrow and Feather files by pyarrow; Parquet (parquet.py) shares the record batches.

A part is a position in a run of row groups or record batches (runs.py). The record batch is the unit that an Arrow
file loads, so a whole batch, up to a limit, is in memory while its parts are read.
A list or struct of numbers becomes K columns (arrow_columns.py). Dictionary-encoded columns give values, never codes;
a null becomes NaN, which is refused in rows that count.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

import numpy as np

from xentcli.arrays import objects
from xentcli.columns.lists import Lists
from xentcli.errors import DataError, FileError, Place, XentError, first_line
from xentcli.extras import needed
from xentcli.readers.arrow_columns import SAMPLE, Origin, by_rows, origins_of
from xentcli.readers.ipc import batches_of
from xentcli.readers.lists import kinds_of_unequal
from xentcli.readers.runs import Batches, Run, runs_of
from xentcli.readers.source import BLOCK_BYTES, Counted, FlatTable, Rows, Selection, Traits
from xentcli.readers.stream import ByteStream, at, open_file, plain_path
from xentcli.readers.table import Column, rows_of_columns
from xentcli.readers.wide import Flat
from xentcli.records import record, replace
from xentcli.urls import is_url

__all__ = ["ArrowPart", "ArrowSource", "damage", "open_feather", "source_of"]


@record(frozen=True)
class _Table:
    """The columns of a file: `fields` are the names in its schema, and `apart` says whether each can be read alone."""

    flat: Flat
    origins: tuple[Origin, ...]
    fields: tuple[str, ...]
    apart: bool = False

    def read_for(self, selection: Selection) -> tuple[str, ...] | None:
        """Return the names of the fields that are read for a selection; None for all."""
        columns = {column for pick in selection.values() for column in pick.columns}
        origins = [self.origins[place] for place in sorted({self.flat.origin[column][0] for column in columns})]
        # A column read row by row may take its names from the next column.
        if not self.apart or not origins or any(origin.field is not None for origin in origins):
            return None
        return tuple(self.fields[column] for column in sorted({origin.column for origin in origins}))

    def column(self, batch: Any, origin: Origin) -> Any:
        """Return the column of a batch that an origin is."""
        return batch.column(self.fields[origin.column])


@record(frozen=True, eq=False)
class ArrowPart:
    """Rows of a run, `first_row` rows after its first; `batch` has them once they are read."""

    path: str
    table: _Table
    start: int
    rows: int
    run: Run
    first_row: int
    block_bytes: int = BLOCK_BYTES
    batch: Any = None

    @property
    def size(self) -> int:
        """About how many bytes it has."""
        return self.run.size * self.rows // self.run.rows

    @property
    def data(self) -> Any:
        """What it holds of its rows; None before they are read."""
        return self.batch

    @property
    def continued(self) -> bool:
        """Whether the next part is read on from its end."""
        return self.batch is None and self.first_row + self.rows < self.run.rows

    def load(self, selection: Selection) -> Rows:
        """Read the selected columns.

        Raises DataError for a null, or a list of another length than the first.
        """
        return self.held(selection)._taken(selection)

    def pieces(self, selection: Selection) -> Iterator[Rows]:
        """Read them, and cut them where the lists of a row are long."""
        start = self.start
        for batch in self._cut(self._read(selection), selection):
            yield replace(self, start=start, rows=batch.num_rows, batch=batch)._taken(selection)
            start += batch.num_rows

    def held(self, selection: Selection) -> ArrowPart:
        """Return it with its rows, which another process need not read from the first of the run on."""
        return replace(self, batch=self._read(selection))

    def first(self, rows: int) -> ArrowPart:
        """Return the first rows."""
        return self if rows >= self.rows else self.split(rows)[0]

    def split(self, rows: int) -> tuple[ArrowPart, ArrowPart]:
        """Return the first rows and the others."""
        whole = self.batch
        first, rest = (None, None) if whole is None else (whole.slice(0, rows), whole.slice(rows))
        further = replace(
            self, start=self.start + rows, rows=self.rows - rows, first_row=self.first_row + rows, batch=rest
        )
        return replace(self, rows=rows, batch=first), further

    def _read(self, selection: Selection) -> Any:
        if self.batch is not None:
            return self.batch
        with damage(self.path):
            return self.run.read(self.first_row, self.rows, self.table.read_for(selection))

    def _cut(self, batch: Any, selection: Selection) -> Iterator[Any]:
        table = self.table
        chosen = {column for pick in selection.values() for column in pick.columns} & table.flat.lists
        lists = (table.origins[table.flat.origin[column][0]] for column in chosen)
        columns = {origin.column: origin for origin in lists if origin.field is None}
        if not columns:
            yield batch
            return
        first, offsets = 0, [_offsets(table.column(batch, origin)).astype(np.int64) for origin in columns.values()]
        ends = np.cumsum(sum(map(np.diff, offsets)))
        while first < batch.num_rows:
            before = ends[first - 1] if first else 0
            last = max(first + 1, int(np.searchsorted(ends, before + self.block_bytes // 8, side="right")))
            yield batch.slice(first, last - first)
            first = last

    def _taken(self, selection: Selection) -> Rows:
        """Take the selected columns of its batch."""
        with _arrow_errors(self.path):
            return self._rows(selection)

    def _rows(self, selection: Selection) -> Rows:
        cache: dict[int, Any] = {}

        as_lists = {pick.columns[0] for pick in selection.values() if pick.as_ in ("lists", "texts")}
        flat, origins = self.table.flat, self.table.origins

        def column(index: int) -> Column | Lists:
            place, key = flat.origin[index]
            origin = origins[place]
            if origin.field is None and key is None:
                array = self.table.column(self.batch, origin)
                return self._lists(array, origin) if index in flat.lists else self._plain(array, origin)
            if place not in cache:
                cache[place] = self._inner(origin) if origin.field is None else self._by_rows(origin, index in as_lists)
            found: Column = cache[place][key]
            return found

        return rows_of_columns(self.path, flat.names, self.start, self.rows, column, selection)

    def _by_rows(self, origin: Origin, as_lists: bool) -> dict[int | str | None, Column]:
        try:
            return by_rows(self.batch, self.path, self.start, origin, as_lists)
        except (ArithmeticError, ValueError) as error:
            raise self._unreadable(self.table.column(self.batch, origin), origin, error) from None

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
        array = self.table.column(self.batch, origin)
        keys = [key for index, key in self.table.flat.origin if self.table.origins[index] is origin]
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
        try:
            return objects(array.to_pylist())
        except (ArithmeticError, ValueError) as error:
            raise self._unreadable(array, origin, error) from None

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
class ArrowSource(Counted, FlatTable):
    """A file of record batches; `groups` are the rows and bytes of what can be found in it."""

    stream: ByteStream
    format: str
    flat: Flat
    rows: int
    table: _Table
    file: Batches
    groups: tuple[tuple[int, int], ...]
    numbers_a_row: float = 0.0
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def numeric(self, column: int) -> bool | None:
        """Whether a column holds numbers; None for other types, where each value is checked."""
        return True if self.table.origins[self.flat.origin[column][0]].number else None

    @property
    def traits(self) -> Traits:
        """What only some sources have: the dtypes of columns of real numbers among it."""
        found = [self.table.origins[origin].dtype for origin, _ in self.flat.origin]
        dtypes = tuple(None if name is None else np.dtype(name) for name in found)
        codes = {column: self.codes[name] for column, name in enumerate(self.flat.names) if name in self.codes}
        return Traits(flat=self.flat, lists=self.flat.lists, dtypes=dtypes, codes=codes)

    def parts(self, block_bytes: int = BLOCK_BYTES) -> Iterator[ArrowPart]:
        """Cut it into parts of about `block_bytes`, no row of which is read."""
        size = 8 * max(1.0, self.width, self.numbers_a_row)
        start, step = 0, max(1, int(block_bytes / size))
        table = replace(self.table, flat=self.flat)
        for run in runs_of(self.file, self.groups):
            for first in range(0, run.rows, step):
                rows = min(step, run.rows - first)
                yield ArrowPart(self.path, table, start + first, rows, run, first, block_bytes)
            start += run.rows


class _Feather(Batches):
    """The record batches of an Arrow IPC file."""

    @contextlib.contextmanager
    def opened(self) -> Iterator[Any]:
        """Open the file."""
        arrow = needed("pyarrow", "arrow")
        with (
            open_file(self.path) if is_url(self.path) else arrow.OSFile(at(self.path)) as raw,
            arrow.ipc.open_file(raw) as file,
        ):
            yield file

    def batches(self, groups: range, rows: int, names: tuple[str, ...] | None) -> Iterator[Any]:
        """Yield the batches with all columns, each loaded at once."""
        with self.opened() as file:
            for index in groups:
                batch = file.get_batch(index)
                batch.validate(full=True)
                yield batch


def open_feather(stream: ByteStream) -> ArrowSource:
    """Open an Arrow IPC file, which is what Feather is.

    Raises UsageError without the extra ``arrow``; DataError for a damaged file.
    """
    needed("pyarrow", "arrow")
    path = plain_path(stream, "Arrow")
    if not stream.head.startswith(b"ARROW1"):
        advice = "pyarrow.feather.write_feather(pyarrow.ipc.open_stream(FILE).read_all(), 'p.feather')"
        raise DataError("not an Arrow file; a stream of Arrow IPC?", place=Place(path), advice=advice)
    groups = []
    with damage(path), open_file(path) as plain:
        for batch in batches_of(plain):
            stream.limits.check_batch(batch.size, Place(path))
            if not batch.dictionary:
                groups.append((batch.rows, batch.size))
    file = _Feather(path)
    with damage(path), file.opened() as opened:
        source = source_of(stream, "arrow", opened.schema, file, groups)
    numbers = max((size / rows / 8 for rows, size in groups if rows), default=0.0)
    return replace(source, numbers_a_row=numbers)


def source_of(
    stream: ByteStream,
    format: str,
    schema: Any,
    file: Batches,
    groups: Sequence[tuple[int, int]],
    *,
    apart: bool = False,
) -> ArrowSource:
    """Return a file of record batches in groups; `apart` says whether a column can be read by its name."""
    run = next(runs_of(file, groups), None)
    with damage(stream.name):
        first = None if run is None else next(file.batches(run.groups, SAMPLE, None), None)
    origins = tuple(origins_of(schema, None if first is None else first.slice(0, SAMPLE), stream.name))
    flat = Flat.of([(origin.name, origin.inner) for origin in origins])
    table = _Table(flat, origins, tuple(schema.names), apart)
    rows, codes = sum(rows for rows, _ in groups), _codes_of(schema.metadata or {})
    return ArrowSource(stream, format, flat, rows, table, file, tuple(groups), codes=codes)


def _codes_of(metadata: Mapping[bytes, bytes]) -> dict[str, tuple[str, ...]]:
    """Return the names of the codes of each column that is a ClassLabel of Hugging Face's datasets."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        coded = {name: one["names"] for name, one in features.items() if one.get("_type") == "ClassLabel"}
        return {name: tuple(map(str, names)) for name, names in coded.items()}
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


def _offsets(array: Any) -> Any:
    """Return the offsets of lists; computed for lists of fixed size, which store none."""
    if hasattr(array, "offsets"):
        return array.offsets.to_numpy(zero_copy_only=False)
    return np.arange(len(array) + 1) * array.type.list_size


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
        reason = first_line(error)[:200]
        if "Failed to launch" in reason:
            advice = "ulimit -v and ulimit -u show the limits on memory and on threads"
            raise FileError(f"cannot be read: {reason}", place=Place(path), advice=advice) from None
        raise DataError(f"a damaged file: {reason}", place=Place(path)) from None
