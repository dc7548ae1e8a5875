"""Rows of records: what a selection asks of objects or lists in memory, each checked against the first."""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from xentcli.errors import DataError, Place, shown
from xentcli.readers.lists import classes_of_unequal, kinds_of_unequal
from xentcli.readers.nested import Field, fields_of, inner_of, kind_of
from xentcli.readers.source import Rows, Selection, WholePart
from xentcli.readers.table import Column, rows_of_columns
from xentcli.readers.wide import Flat
from xentcli.records import record, replace

__all__ = ["Records"]


@record(frozen=True, eq=False)
class Records(WholePart):
    """Some consecutive records of a file, as a part that is read.

    Attributes
    ----------
    fields, flat
        The columns that the first record has.
    start, line
        Rows before these, and the line of the first; None where a row is no line.
    found
        The records: objects, lists, or single values.
    exact
        Whether every record has exactly the names of the first, whatever is selected.
    advice
        What to try if one has other names.
    """

    path: str
    fields: tuple[Field, ...]
    flat: Flat
    start: int
    line: int | None
    found: Sequence[Any]
    exact: bool = False
    advice: str = ""

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return len(self.found)

    @property
    def size(self) -> int:
        """About how many bytes it has."""
        return 8 * self.rows * len(self.flat.names)

    def split(self, rows: int) -> tuple[Records, Records]:
        """Return the first rows and the others."""
        rest = replace(self, start=self.start + rows, found=self.found[rows:])
        return replace(self, found=self.found[:rows]), rest

    def load(self, selection: Selection) -> Rows:
        """Take the selected columns.

        Raises DataError for a record without one of them, or with one of another kind than the first.
        """
        if self.exact or any(pick.others for pick in selection.values()):
            self._check_names()
        self._check_lengths()
        used = sorted({self.flat.origin[c][0] for pick in selection.values() for c in pick.columns})
        lists = {self.flat.origin[p.columns[0]][0] for p in selection.values() if p.as_ in ("lists", "texts")}
        cells = {
            index: self.lists(self.fields[index]) if index in lists else self.cells(self.fields[index])
            for index in used
        }

        def column(index: int) -> Column:
            origin, key = self.flat.origin[index]
            found = np.empty(len(self.found), dtype=object)
            found[:] = cells[origin] if key is None else [cell[key] for cell in cells[origin]]
            return found

        return rows_of_columns(self.path, self.flat.names, self.start, self.rows, column, selection, self.line)

    def cells(self, field: Field) -> list[Any]:
        """Return the value of a field in each record.

        Raises DataError for a record that has none, or one of another kind than the first.
        """
        if field.form == "plain" and not field.inner and len(field.path) == 1:
            # Most fields are single values, which need no further look.
            with contextlib.suppress(LookupError, TypeError):
                values = [found[field.path[0]] for found in self.found]
                if {*map(type, values)} <= {str, int, float}:
                    return values
        return [self._cell(found, field, row) for row, found in enumerate(self.found)]

    def lists(self, field: Field) -> list[Any]:
        """Return the lists of any length of a field, which are checked later.

        Raises DataError for a record that has none.
        """
        return [self._value(found, field, row, Field.items) for row, found in enumerate(self.found)]

    def _place(self, row: int, column: str | None = None) -> Place:
        return Place(self.path, self.start + row + 1, None if self.line is None else self.line + row, column)

    @property
    def _first(self) -> str:
        return "first row" if self.line is None else "first line"

    def _value(self, found: Any, field: Field, row: int, value_of: Callable[[Field, Any], Any]) -> Any:
        try:
            return value_of(field, found)
        except (LookupError, TypeError):
            message = f"there is no {shown(field.name)}, which the {self._first} has"
            raise DataError(message, place=self._place(row)) from None

    def _cell(self, found: Any, field: Field, row: int) -> Any:
        value = self._value(found, field, row, Field.value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
            return value[0]
        if value is None:
            # The meaning of a null depends on the role of the column.
            return defaultdict(lambda: None) if field.inner else None
        nulls = isinstance(value, list) and None in value
        bare = [0 if item is None else item for item in value] if nulls else value
        inner = inner_of(bare, texts=field.form == "pairs")
        if inner != (field.inner or None):
            message = f"{kind_of(inner, value)} where the {self._first} has {kind_of(field.inner)}"
            unequal = isinstance(inner, int) and isinstance(field.inner, int)
            advice = kinds_of_unequal(field.name, value) if unequal else ()
            if isinstance(inner, tuple) and isinstance(field.inner, tuple):
                alone = field.form == "plain" and field.path == (field.name,)
                advice = classes_of_unequal(self.path, field.name if alone else "", value)
            raise DataError(message, place=self._place(row, field.name or None), advice=advice)
        if inner is None and isinstance(value, list | dict):
            message = f"{json.dumps(value, default=str)[:60]} is neither a number nor text"
            raise DataError(message, place=self._place(row, field.name or None))
        return value

    def _check_names(self) -> None:
        names = dict.fromkeys(field.name for field in self.fields)
        nested = any(len(field.path) > 1 or field.form != "plain" for field in self.fields)
        for row, found in enumerate(self.found):
            if not isinstance(found, Mapping) or (not nested and found.keys() == names.keys()):
                continue
            given = [field.name for field in fields_of(found)] if nested else list(found)
            odd = next((name for name in given if name not in names), None)
            missing = next((name for name in names if name not in given), None)
            if odd is None and missing is None:
                continue
            what = f"{shown(missing or '')} is missing" if odd is None else f"{shown(odd)} is new"
            advice = [f"the {self._first} has {', '.join([*names][:12])}", *[self.advice] * bool(self.advice)]
            if not self.exact:
                advice.append("--preds NAME,... chooses the predictions, and lets other names come and go")
            unit = "row" if self.line is None else "line"
            message = f"{what}: every {unit} has the same names"
            raise DataError(message, place=self._place(row), advice=tuple(advice))

    def _check_lengths(self) -> None:
        """Refuse a record that is a list, if it has not as many values as the first, or is none where that is one."""
        ends = [field.keys if field.form == "beside" else field.path for field in self.fields]
        width = len(
            {path[0] for path in (*ends, *(field.path for field in self.fields)) if path and type(path[0]) is int}
        )
        for row, found in enumerate(self.found) if width else ():
            if not isinstance(found, list | tuple) or len(found) != width:
                many = f"{len(found)} values" if isinstance(found, list | tuple) else kind_of(inner_of(found), found)
                message = f"{many} where the {self._first} has {width} values"
                raise DataError(message, place=self._place(row))
