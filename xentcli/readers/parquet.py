"""Parquet files, by pyarrow, in record batches.

A file on disk is read page by page, so that memory does not depend on the size of row groups. An object at a URL
is read so too for its first rows; once the columns are known, they are fetched one row group at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from xentcli.errors import DataError, Place
from xentcli.extras import is_limited, needed
from xentcli.readers.arrow import ArrowSource, damage, source_of
from xentcli.readers.runs import Batches
from xentcli.readers.stream import ByteStream, at, plain_path, remote_file
from xentcli.records import cached_property, replace
from xentcli.urls import is_url

__all__ = ["open_parquet"]

READ_BYTES = 1 << 16
"""Bytes of a column that are read at a time; at least one page."""
REQUEST_BYTES = 1 << 20
"""The same for an object at a URL, where a request takes longer; at most 32 times this for all columns together."""
GROUP_BYTES = 1 << 27
"""Largest row group of an object at a URL that is fetched at once; larger ones are read page by page."""


def open_parquet(stream: ByteStream) -> ArrowSource:
    """Open a Parquet file.

    Raises UsageError without the extra ``arrow``; DataError for a damaged file.
    """
    path = plain_path(stream, "Parquet")
    file = _Parquet(path)
    with damage(path), file.opened() as opened:
        file.meta, schema = opened.metadata, opened.schema_arrow
        meta = file.meta
        groups = [(group.num_rows, group.total_byte_size) for group in _groups(meta)]
        held = sum(rows for rows, _ in groups)
        if held != meta.num_rows:
            raise DataError(f"a damaged file: {held:,} rows where it says {meta.num_rows:,}", place=Place(path))
        source = source_of(stream, "parquet", schema, file, groups, apart=_are_apart(schema))
        return replace(source, numbers_a_row=_numbers_a_row(meta))


class _Parquet(Batches):
    """The row groups of a Parquet file; another process reads the footer again."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the footer."""
        return _Parquet, (self.path,)

    @cached_property
    def meta(self) -> Any:
        """The footer."""
        with self.opened() as file:
            return file.metadata

    def opened(self, **way: Any) -> Any:
        """Open the file, to read it in a way that pyarrow has."""
        parquet = needed("pyarrow.parquet", "arrow")
        file = remote_file(self.path, "ranges") if is_url(self.path) else at(self.path)
        return parquet.ParquetFile(file, page_checksum_verification=True, **way)

    def batches(self, groups: range, rows: int, names: tuple[str, ...] | None) -> Iterator[Any]:
        """Yield the batches of row groups, across them, with the columns of these names."""
        with self.opened(metadata=self.meta, **_way(self.path, self.meta, names)) as file:
            # For an object at a URL, all requested row groups are held in memory.
            for some in [[group] for group in groups] if is_url(self.path) else [groups]:
                yield from file.iter_batches(rows, some, columns=names and list(names), use_threads=_threads_start())


def _way(path: str, meta: Any, names: Sequence[str] | None) -> dict[str, Any]:
    """Return how pyarrow reads columns, all without `names`: page by page, or those of a row group at once."""
    if not is_url(path):
        # Without a buffer pyarrow reads a whole row group at once.
        return {"pre_buffer": False, "buffer_size": READ_BYTES}
    if names is not None and _largest_group(meta, names) <= GROUP_BYTES:
        return {"pre_buffer": True}
    most = 32 * REQUEST_BYTES // max(1, meta.num_columns)
    return {"pre_buffer": False, "buffer_size": max(READ_BYTES, min(REQUEST_BYTES, most))}


def _largest_group(meta: Any, names: Sequence[str]) -> int:
    """Return the largest number of bytes that these columns of a row group have in the file."""
    return max(
        (
            sum(c.total_compressed_size for c in _columns(group) if c.path_in_schema.split(".")[0] in names)
            for group in _groups(meta)
        ),
        default=0,
    )


def _groups(meta: Any) -> list[Any]:
    return [meta.row_group(index) for index in range(meta.num_row_groups)]


def _columns(group: Any) -> list[Any]:
    return [group.column(index) for index in range(group.num_columns)]


def _are_apart(schema: Any) -> bool:
    """Whether column names are unambiguous: ``a.b`` may also be the field b of a."""
    return len(set(schema.names)) == len(schema.names) and not any("." in name for name in schema.names)


def _numbers_a_row(meta: Any) -> float:
    """The largest average number of values per row over all row groups."""
    return max(
        (sum(c.num_values for c in _columns(group)) / group.num_rows for group in _groups(meta) if group.num_rows),
        default=0,
    )


def _threads_start() -> bool:
    """Whether another thread can be started; pyarrow fails instead of working without one."""
    if is_limited():
        # Each thread takes address space, and pyarrow fails if one cannot start.
        return False
    import threading

    thread = threading.Thread(target=lambda: None)
    try:
        thread.start()
    except RuntimeError:
        return False
    thread.join()
    return True
