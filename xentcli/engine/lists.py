"""Rows whose predictions are lists of any length: every number of a list becomes a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xentcli.arrays import Flags, Floats, Ints
from xentcli.columns.column import Coded, Values, texts_of
from xentcli.columns.keys import coded
from xentcli.columns.lists import Items, Lists
from xentcli.errors import DataError
from xentcli.readers.source import Pick, Rows
from xentcli.records import replace

__all__ = ["check_choices", "check_missing", "first_bytes", "unpredicted", "unrolled"]


def unrolled(predictions: Rows, companions: Sequence[Rows]) -> tuple[Rows, tuple[Rows, ...]]:
    """Return rows whose predictions are lists, and their companions, expanded to one row per number.

    Other lists must have the same lengths and are expanded in parallel; all other columns are repeated.
    An example is named by the id of its row (else the row number) and its place in the list.

    Raises DataError if a list differs in length from the predictions of its row.
    """
    lists = predictions.lists["preds"]
    numbers = range(predictions.start + 1, predictions.start + predictions.count + 1)
    names = texts_of(predictions.values["id"]) if "id" in predictions.values else numbers
    first, *rest = (_unrolled(rows, lists, lists.named(names)) for rows in (predictions, *companions))
    return first, tuple(rest)


def _unrolled(rows: Rows, lists: Lists, examples: Items) -> Rows:
    for role, others in rows.lists.items():
        if not np.array_equal(others.lengths, lists.lengths):
            row = int(np.flatnonzero(others.lengths != lists.lengths)[0])
            found = f"a list of {others.lengths[row]:,} beside predictions of {lists.lengths[row]:,}"
            raise DataError(found, place=rows.place(role, row, 0))
    beside = {role: _items(others, rows.selection[role]) for role, others in rows.lists.items()}
    values = {role: _repeated(value, lists.origin) for role, value in rows.values.items() if role != "id"}
    return replace(rows, count=len(examples), values={**values, **beside}, lists={}, examples=examples)


def _items(lists: Lists, pick: Pick) -> Values:
    """The items of lists as a column: of numbers (m, 1), or of text."""
    texts: list[Any] = lists.flat.tolist() if pick.as_ == "texts" else []
    return lists.flat[:, None] if pick.as_ == "lists" else texts


def _repeated(values: Values, origin: Ints) -> Values:
    if isinstance(values, np.ndarray):
        return values[origin]
    # Repeat texts by code: copying them would dominate the cost.
    names, codes = coded(values)
    return Coded(names, codes[origin])


def unpredicted(values: Values, examples: Items) -> Flags | None:
    """bool[m]: the missing first numbers of lists, as a first token has no prediction; None if all are there."""
    assert isinstance(values, np.ndarray)
    first = np.flatnonzero(examples.position == 0)
    missing = first[np.isnan(values[first, 0])]
    if not len(missing):
        return None
    found = np.zeros(len(values), dtype=bool)
    found[missing] = True
    return found


def check_choices(target: Ints | Floats, rows: Rows, kept: Ints) -> None:
    """Refuse a target (i8[m]) beyond the number of choices of its row.

    Raises DataError, naming the row and its number of choices.
    """
    lengths = rows.lists["preds"].lengths[kept]
    last = target if target.ndim == 1 else (target.shape[1] - 1 - (target[:, ::-1] != 0).argmax(axis=1))
    beyond = np.flatnonzero(last >= lengths)
    if len(beyond):
        row = int(beyond[0])
        raise DataError(
            f"label {int(last[row])} is not one of the {lengths[row]:,} choices of this row, counted from 0",
            place=rows.place("preds", int(kept[row])),
        )


def check_missing(values: Values, rows: Rows, kept: Ints) -> None:
    """Refuse a missing number that is not the first of its list, among the rows `kept` (i8[m]).

    Raises DataError, naming the row and the place in its list.
    """
    assert isinstance(values, np.ndarray)
    missing = kept[np.isnan(values[kept, 0])]
    if len(missing):
        raise DataError(
            "a number is missing; only the first of a list may be, as a first token has no prediction",
            place=rows.place("preds", int(missing[0]), 0),
            advice="--ignore-label nan skips all that are missing",
        )


def first_bytes(counts: Floats, origin: Ints, weight: Floats | None, rows: Rows) -> Floats:
    """Bytes (f8[m], repeated for each number of row `origin`), kept at the first number of each row and 0 elsewhere.

    Raises DataError if the numbers of a row have different weights, so that its bytes have no single weight.
    """
    first = np.ones(len(origin), dtype=bool)
    np.not_equal(origin[1:], origin[:-1], out=first[1:])
    if weight is not None:
        odd = np.flatnonzero(~first[1:] & (weight[1:] != weight[:-1]))
        if len(odd):
            place = replace(rows, examples=None).place("bytes", int(origin[odd[0]]), 0)
            raise DataError("bytes of a row whose numbers have several weights", place=place)
    return np.where(first, counts, 0.0)
