"""Convert the selected columns of a block of rows in memory as each Pick asks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

import numpy as np

from xentcli.arrays import Array, Floats, objects
from xentcli.columns.column import Values
from xentcli.columns.lists import Lists
from xentcli.columns.missing import as_nan, is_missing
from xentcli.columns.numerals import number_hint, numbers
from xentcli.errors import DataError, shown
from xentcli.readers.lists import lists_of
from xentcli.readers.source import Rows, Selection
from xentcli.records import replace

__all__ = ["Column", "Small", "rows_of_columns", "unique_pairs"]

Column = Array
"""One column: numbers, or Python objects, which are checked one by one."""


class Small(float):
    """0, read from a nonzero numeral below the smallest double."""

    def __new__(cls, text: str) -> Small:
        """Keep the numeral."""
        made = super().__new__(cls, 0.0)
        made.text = text
        return made

    text: str


def unique_pairs(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dict of the members of a JSON object.

    Raises ValueError for a repeated key.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
        raise ValueError(f"key {shown(twice)} appears twice")
    return found


def rows_of_columns(
    path: str,
    names: tuple[str, ...],
    start: int,
    count: int,
    column: Callable[[int], Column | Lists],
    selection: Selection,
    line: int | None = None,
) -> Rows:
    """Return the selected columns of `count` rows; `column` gives one by its index.

    Raises DataError for an object that should be a number, and for bytes that are not text.
    """
    values: dict[str, Values] = {}
    lists: dict[str, Lists] = {}
    underflows: list[tuple[str, int]] = []
    rows = Rows(path, names, selection, start, count, values, line)
    for role, pick in selection.items():
        if pick.as_ in ("lists", "texts"):
            lists[role], small = lists_of(column(pick.columns[0]), role, rows)
            underflows += [(role, item) for item in small]
            continue
        chosen = [_plain(column(index)) for index in pick.columns]
        if pick.as_ == "numbers":
            pairs = [_numbers(one, rows, role, index) for index, one in enumerate(chosen)]
            values[role] = np.stack([found for found, _ in pairs], axis=1)
            underflows += [(role, row) for _, small in pairs for row in small]
        elif pick.as_ == "values" and chosen[0].dtype.kind in "biuf":
            values[role] = chosen[0]
        else:
            cells = chosen[0].tolist()
            if pick.required and None in cells:
                raise DataError(f"null where an {role} is expected", place=rows.place(role, cells.index(None), 0))
            # A missing label or group becomes an empty text, which is not a class.
            values[role] = _texts(["" if cell is None else cell for cell in cells], rows, role)
    return replace(rows, underflows=tuple(underflows), lists=lists)


def _plain(column: Column | Lists) -> Column:
    """Return a column as an array; lists as objects."""
    return objects(column.tolist()) if isinstance(column, Lists) else column


def _numbers(column: Column, rows: Rows, role: str, index: int) -> tuple[Floats, list[int]]:
    """Return a column as numbers, and the rows of underflows; texts are read as in a file."""
    if column.dtype.kind in "biuf":
        return column.astype(np.float64), []
    values = column.tolist()
    if {*map(type, values)} <= {int, float}:
        # An integer too large for a double is refused below, with its place.
        with contextlib.suppress(OverflowError):
            return np.array(list(map(float, values))), []
    # A number among objects is used as such, not by its text.
    pairs = zip(values, _texts(values, rows, role), strict=True)
    texts = [_decimal(value) if isinstance(value, Real) else text for value, text in pairs]
    pick = rows.selection[role]
    found = numbers(as_nan(texts) if pick.missing else texts)
    if isinstance(found, int):
        place = rows.place(role, found, index)
        advice = (pick.if_missing if is_missing(texts[found]) else "") or number_hint(texts[found])
        what = "null" if values[found] is None else shown(texts[found])
        raise DataError(f"{what} is not a number", place=place, advice=advice)
    return found


def _decimal(value: Real) -> str:
    """Return a number as text; if it is too large for a double, as text that is refused later."""
    try:
        return getattr(value, "text", None) or repr(float(value))
    except OverflowError:
        return "1e999"


def _texts(cells: list[Any], rows: Rows, role: str) -> list[str]:
    """Return values as texts: bytes are UTF-8."""
    if {*map(type, cells)} == {str}:
        return cells
    texts = []
    for row, cell in enumerate(cells):
        try:
            texts.append(cell.decode() if isinstance(cell, bytes) else str(cell))
        except UnicodeDecodeError:
            raise DataError(f"{shown(cell)} is not UTF-8", place=rows.place(role, row)) from None
    return texts
