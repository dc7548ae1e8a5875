"""--per-example: one row per example, written block by block; .csv, .jsonl, .parquet, or .npy for the losses alone."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import IO, Any

from xentcli.arrays import Floats, npy_header
from xentcli.atomic import replacing, replacing_folder
from xentcli.errors import FileError, UsageError, shown
from xentcli.extras import needed
from xentcli.records import record
from xentcli.report.document import plain
from xentcli.report.per_example import PerExample, Sink
from xentcli.writers.safe import csv_cell, encodable, terminal_cell
from xentcli.writers.shortest import shortest

__all__ = ["COLUMNS", "SINKS", "check_path", "parts_sink", "per_example_sink"]

COLUMNS = ("row", "id", "label", "probability", "loss", "weight")
_ROWS = 1 << 13
"""Rows written at once: their texts fit into a cache."""
_SPECIAL = re.compile('[,"\r\n]')


@contextlib.contextmanager
def per_example_sink(path: str, stdout_format: str = "csv", more: Sequence[str] = ()) -> Iterator[Sink]:
    """Yield a sink that writes blocks to `path`; ``-`` is standard output, as "csv" or "jsonl".

    `more` are the names of the metrics that are further columns.

    The file is replaced when the context ends without an error; else it is unchanged.
    """
    if path == "-":
        out = sys.stdout.buffer
        yield _csv_sink(out, more, terminal_cell) if stdout_format == "csv" else _jsonl_sink(out, more)
        sys.stdout.flush()
    else:
        writer = SINKS[os.path.splitext(path)[1].lower()]
        with replacing(path) as file, writer(file, more) as sink:
            yield sink


@contextlib.contextmanager
def parts_sink(path: str, more: Sequence[str]) -> Iterator[Sink]:
    """Yield a sink whose rows the workers of a cluster write to files in a folder, each those of one group of tasks.

    The names of the files are in the order of the rows, and ``xent`` reads such a folder as one table. All are
    written, or none if the context ends in an error. `more` are the names of the metrics that are further columns.
    """
    ending = os.path.splitext(path)[1].lower()
    part = re.compile(rf"part-[0-9]+{re.escape(ending)}")
    with replacing_folder(path, lambda name: part.fullmatch(name) is not None) as folder:
        yield Sink(_nothing, _nothing, folder.restart, lambda: partial(_part, folder.path, ending, tuple(more)))


def _nothing(_: Any) -> None:
    """Write nothing here: the workers have written the rows."""


@contextlib.contextmanager
def _part(folder: str, ending: str, more: tuple[str, ...], start: int) -> Iterator[Callable[[PerExample], object]]:
    """Write the file of the rows after the first `start` completely or not at all."""
    if not os.path.isdir(folder):
        raise FileError(
            f"{folder} cannot be written: workers must see the folder of --per-example",
            advice="give a path on a shared file system; --per-example - has the rows sent here",
        )
    with replacing(os.path.join(folder, f"part-{start:012d}{ending}")) as file, SINKS[ending](file, more) as sink:
        yield sink


def check_path(path: str, *, more: bool = False) -> None:
    """Raise UsageError for an unknown extension, and with `more` columns for that of a vector."""
    if more and path.lower().endswith(".npy"):
        raise UsageError(
            f"--per-example {shown(path)} has the losses alone, and --row-metrics are further columns",
            advice="--per-example FILE.csv, FILE.jsonl or FILE.parquet has room for them",
        )
    if path != "-" and os.path.splitext(path)[1].lower() not in SINKS:
        raise UsageError(
            f"--per-example {shown(path)}: unknown extension", advice=f"use one of {', '.join(SINKS)}, or -"
        )


def _restart(file: IO[bytes], begin: Callable[[], object]) -> Callable[[], None] | None:
    """Return a function that truncates a file and begins again; None for a device or pipe."""
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return None

    def restart() -> None:
        file.seek(0)
        file.truncate()
        begin()

    return restart


def _csv_sink(
    file: IO[bytes], more: Sequence[str], cell: Callable[[str], str] = csv_cell, *, to_file: bool = False
) -> Sink:
    # The header goes with the first rows: a refused input leaves standard output empty.
    header = [(",".join((*COLUMNS, *more)) + "\n").encode()]
    waiting = list(header)

    def write(rows: bytes) -> None:
        while waiting:
            file.write(waiting.pop())
        file.write(rows)

    if to_file:
        write(b"")

    rows = _CsvRows(tuple(more), cell)
    return Sink(rows, write, _restart(file, lambda: file.write(header[0])) if to_file else None)


@record(frozen=True)
class _CsvRows:
    """Makes the rows of a block; it travels to workers."""

    more: tuple[str, ...]
    cell: Callable[[str], str]

    def __call__(self, block: PerExample) -> bytes:
        """Return the rows as text."""
        found = [self._quoted(label or "") for label in block.found or ()]
        return b"".join(self._lines(block, found, slice(at, at + _ROWS)) for at in range(0, block.count, _ROWS))

    def _quoted(self, text: str) -> str:
        safe = self.cell(text)
        if not _SPECIAL.search(safe):
            return safe
        return '"' + safe.replace('"', '""') + '"'

    def _lines(self, block: PerExample, found: Sequence[str], some: slice) -> bytes:
        columns = (
            map(str, block.numbers[some]),
            itertools.repeat("") if block.ids is None else map(self._quoted, block.ids[some]),
            itertools.repeat("") if block.index is None else [found[place] for place in block.index[some].tolist()],
            _known(block.probability[some]),
            shortest(block.loss[some]),
            shortest(block.weight[some]),
            *(_known(block.columns[name][some]) for name in self.more),
        )
        rows = map(",".join, zip(*columns, strict=False))
        return "".join([f"{row}\n" for row in rows]).encode(errors="backslashreplace")


def _known(values: Floats) -> list[str]:
    """Numbers as text; empty where there is none."""
    return ["" if text == "nan" else text for text in shortest(values)]


def _columns(block: PerExample, more: Sequence[str], missing: Any) -> tuple[Sequence[Any], ...]:
    """The columns of a block in the order of COLUMNS, then those of `more`, as plain values."""
    nothing, labels = [missing] * block.count, block.labels
    return (
        block.numbers,
        nothing if block.ids is None else block.ids,
        nothing if labels is None else [missing if label is None else label for label in labels],
        _or(missing, block.probability),
        block.loss.tolist(),
        block.weight.tolist(),
        *(_or(missing, block.columns[name]) for name in more),
    )


def _or(missing: Any, values: Floats) -> list[Any]:
    return [missing if math.isnan(value) else value for value in values.tolist()]


@contextlib.contextmanager
def _npy(file: IO[bytes], _: Sequence[str]) -> Iterator[Sink]:
    """The losses as f8[n]; the header is rewritten when n is known."""
    count = 0
    length = len(npy_header("<f8", (0,)))

    def begin() -> None:
        nonlocal count
        count = 0
        file.write(npy_header("<f8", (0,)))

    begin()

    def write(losses: bytes) -> None:
        nonlocal count
        count += len(losses) // 8
        file.write(losses)

    yield Sink(lambda block: block.loss.astype("<f8").tobytes(), write, _restart(file, begin))
    header = npy_header("<f8", (count,))
    if len(header) != length:
        raise RuntimeError("the NPY header changed its length")
    file.seek(0)
    file.write(header)


def _jsonl_sink(file: IO[bytes], more: Sequence[str], *, to_file: bool = False) -> Sink:
    return Sink(partial(_json_rows, tuple(more)), file.write, _restart(file, lambda: None) if to_file else None)


def _json_rows(more: tuple[str, ...], block: PerExample) -> bytes:
    """Return the rows of a block as text, an object on each line."""
    columns = zip(*_columns(block, more, None), strict=True)
    rows = (plain(dict(zip((*COLUMNS, *more), row, strict=True))) for row in columns)
    return "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows).encode()


@contextlib.contextmanager
def _parquet(file: IO[bytes], more: Sequence[str]) -> Iterator[Sink]:
    """A row group for each block; missing values are null, as is the loss of a row of weight 0."""
    arrow, parquet = needed("pyarrow", "arrow"), needed("pyarrow.parquet", "arrow")
    types = (arrow.int64(), arrow.string(), arrow.string(), *(arrow.float64() for _ in (*COLUMNS[3:], *more)))
    schema = arrow.schema(list(zip((*COLUMNS, *more), types, strict=True)))
    with parquet.ParquetWriter(file, schema) as writer:

        def write(block: PerExample) -> None:
            columns = zip(_columns(block, more, None), types, strict=True)
            arrays = [arrow.array(list(map(encodable, column)), kind) for column, kind in columns]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))

        yield Sink.of(write)


SINKS: dict[str, Callable[[IO[bytes], Sequence[str]], contextlib.AbstractContextManager[Sink]]] = {
    ".csv": lambda file, more: contextlib.nullcontext(_csv_sink(file, more, to_file=True)),
    ".jsonl": lambda file, more: contextlib.nullcontext(_jsonl_sink(file, more, to_file=True)),
    ".parquet": _parquet,
    ".npy": _npy,
}
