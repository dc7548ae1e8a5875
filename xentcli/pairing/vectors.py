"""Detect one column of predictions that holds the numbers of all classes in sequence."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

import numpy as np

from xentcli.errors import DataError, Place
from xentcli.pairing.alignment import PartQueue
from xentcli.pairing.choose import probabilities
from xentcli.readers.source import Pick, Source, files_in
from xentcli.readers.text.faults import Written
from xentcli.settings import Settings

__all__ = ["check_one_line", "vector_advice"]

_MOST = 1 << 20
"""How many numbers are examined."""


def vector_advice(
    source: Source, columns: Sequence[int], rows: int, labels: int, settings: Settings
) -> tuple[str, ...]:
    """Return the command that reshapes a vector of n x k numbers beside n labels to a table; else nothing.

    Probabilities are recognised by their sums: every k consecutive numbers, or every n-th, sum to 1. For
    logits, which have no such sums, the advice is a question.
    """
    if len(columns) != 1 or labels < 1 or rows <= labels or rows % labels or settings.multilabel:
        return ()
    classes = rows // labels
    if not source.repeatable or files_in(source) or classes < 2:
        return ()
    try:
        by_row = _sums_to_1(source, columns, rows, settings, (-1, classes))
        by_class = not by_row and rows <= _MOST and _sums_to_1(source, columns, rows, settings, (classes, labels))
    except DataError:
        return ()
    if not (by_row or by_class or settings.kind == "logits"):
        return ()
    stem = os.path.splitext(os.path.basename(source.path))[0] or "predictions"
    turned = f".reshape({classes}, -1).T" if by_class else f".reshape({labels}, -1)"
    which = "a class after the other" if by_class else f"every {classes} numbers"
    what = f"{which} {'a row?' if settings.kind == 'logits' else 'sum to 1'}"
    saved = f"numpy.save({stem + '-rows.npy'!r}, {_loaded(source, columns[0])}{turned})"
    return (f"{what}: {saved} writes a row for each label",)


def check_one_line(source: Source, labels: Source) -> None:
    """Refuse predictions in one line of text, a number for each of the labels.

    Raises DataError with the command that writes a line for each.
    """
    if source.header is not False or not hasattr(source, "dialect"):
        return
    from xentcli.readers.text.csv import CsvSource

    if not (isinstance(source, CsvSource) and isinstance(labels, CsvSource)):
        return
    stream, dialect = source.stream, source.dialect
    if source.width < 3 or len(stream.head) != stream.size or stream.head.strip().count(dialect.end):
        return
    if labels.width == 1 and source.width == labels.lines() - bool(labels.header):
        command = Written(source.path).by(f"tr {shlex.quote(dialect.delimiter)} '\\n'", "writes a line for each number")
        counts = f"one line of {source.width:,} numbers, and {labels.path} has {source.width:,} rows"
        raise DataError(counts, place=Place(source.path, line=1), advice=command)


def _sums_to_1(source: Source, columns: Sequence[int], rows: int, settings: Settings, shape: tuple[int, int]) -> bool:
    """Whether rows sum to 1 if the first numbers are shaped (-1, k), or columns if all are shaped (k, n)."""
    most = rows if shape[0] > 0 else min(rows, _MOST // shape[1] * shape[1] or shape[1])
    looked = PartQueue(source).look({"preds": Pick(tuple(columns))}, most)
    table = np.concatenate([probabilities(part.values["preds"], settings)[:, 0] for part in looked]).reshape(shape)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = table.sum(axis=0 if shape[0] > 0 else 1)
    return settings.kind != "logits" and bool((np.abs(sums - 1) <= settings.sum_tolerance).all())


def _loaded(source: Source, column: int) -> str:
    """The Python expression that reads the column."""
    path, name = source.path, source.names[column] if source.names else ""
    if source.format == "npy":
        return f"numpy.load({path!r})"
    if source.format == "npz":
        return f"numpy.load({path!r})[{name!r}]"
    if source.format == "parquet":
        return f"pandas.read_parquet({path!r})[{name!r}].to_numpy()"
    if source.format == "jsonl":
        return f"pandas.read_json({path!r}, lines=True)[{name!r}].to_numpy()"
    from xentcli.readers.text.csv import CsvSource

    if not isinstance(source, CsvSource) or source.traits.decimal != ".":
        return "array"
    options = f", delimiter={source.dialect.delimiter!r}" if source.width > 1 else ""
    options += ", skiprows=1" if source.header else ""
    options += f", usecols={column}, quotechar='\"'" if source.width > 1 else ""
    return f"numpy.loadtxt({path!r}{options})"
