"""One row per example, written as the blocks come: .csv, or .npy for the losses alone."""

from __future__ import annotations

import contextlib
import csv
import io
import math
import os
import sys
from collections.abc import Callable, Iterator
from typing import IO

import numpy as np

from xentcli.atomic import replacing
from xentcli.errors import UsageError, shown
from xentcli.scorer import PerExample
from xentcli.writers.safe import csv_cell, terminal

__all__ = ["COLUMNS", "SINKS", "check_path", "per_example_sink"]

COLUMNS = ("row", "id", "label", "probability", "loss", "weight")
Sink = Callable[[PerExample], None]


@contextlib.contextmanager
def per_example_sink(path: str | None) -> Iterator[Sink | None]:
    """Give a function that writes blocks to `path` (``-`` is standard output, as CSV).

    The file appears when the block ends well; else nothing of it stays.
    """
    if path is None:
        yield None
    elif path == "-":
        yield _csv_sink(sys.stdout.buffer, _on_terminal if sys.stdout.isatty() else csv_cell)
        sys.stdout.flush()
    else:
        writer = SINKS[os.path.splitext(path)[1].lower()]
        with replacing(path) as file, writer(file) as sink:
            yield sink


def check_path(path: str) -> None:
    """Raise UsageError unless the extension says how to write."""
    if path != "-" and os.path.splitext(path)[1].lower() not in SINKS:
        raise UsageError(
            f"--per-example {shown(path)}: the extension says the format", advice=f"one of {', '.join(SINKS)}, or -"
        )


@contextlib.contextmanager
def _csv(file: IO[bytes]) -> Iterator[Sink]:
    yield _csv_sink(file)


def _on_terminal(text: str) -> str:
    return terminal(csv_cell(text))


def _csv_sink(file: IO[bytes], cell: Callable[[str], str] = csv_cell) -> Sink:
    file.write((",".join(COLUMNS) + "\n").encode())

    def write(block: PerExample) -> None:
        buffer = io.StringIO()
        rows = range(block.start + 1, block.start + block.count + 1)
        ids = [cell(text) for text in block.ids] if block.ids is not None else [""] * block.count
        labels = [cell(text or "") for text in block.labels] if block.labels is not None else [""] * block.count
        truth = ["" if math.isnan(q) else q for q in block.probability.tolist()]
        csv.writer(buffer, lineterminator="\n").writerows(
            zip(rows, ids, labels, truth, block.loss.tolist(), block.weight.tolist(), strict=True)
        )
        file.write(buffer.getvalue().encode(errors="backslashreplace"))

    return write


@contextlib.contextmanager
def _npy(file: IO[bytes]) -> Iterator[Sink]:
    """The losses as f8[n]; the header is written again when n is known."""
    count = 0
    begin = len(_npy_header(0))
    file.write(_npy_header(0))

    def write(block: PerExample) -> None:
        nonlocal count
        count += block.count
        file.write(block.loss.astype("<f8").tobytes())

    yield write
    header = _npy_header(count)
    if len(header) != begin:
        raise RuntimeError("the NPY header changed its length")
    file.seek(0)
    file.write(header)


def _npy_header(count: int) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": (count,)})
    return buffer.getvalue()


SINKS: dict[str, Callable[[IO[bytes]], contextlib.AbstractContextManager[Sink]]] = {".csv": _csv, ".npy": _npy}
