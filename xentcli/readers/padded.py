"""A column of lists of any length as K columns, where K is the longest length; shorter lists are padded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from xentcli.arrays import Floats
from xentcli.columns.lists import Lists
from xentcli.errors import DataError, Place
from xentcli.readers.source import BLOCK_BYTES, Pick, Rows, Selection, Source, Traits, WrappedPart, held
from xentcli.readers.wide import Flat
from xentcli.records import record, replace

__all__ = ["Padded", "PaddedPart"]


@record(frozen=True)
class _Shape:
    """The column of lists, the longest length, and the fill value."""

    column: int
    width: int
    fill: float
    names: tuple[str, ...]

    def has(self, column: int) -> bool:
        """Whether a column is an item of the lists."""
        return self.column <= column < self.column + self.width

    def before(self, column: int) -> int:
        """The column of the source that a column comes from."""
        return column if column < self.column else max(self.column, column - self.width + 1)


@record(frozen=True)
class PaddedPart(WrappedPart):
    """Rows with padded lists; `Rows.lists` has the original ones."""

    shape: _Shape

    def load(self, selection: Selection) -> Rows:
        """Read the selected columns.

        Raises DataError for an item that is missing within a list.
        """
        rows = self.part.load(self._inner(selection))
        values = dict(rows.values)
        for role, pick in selection.items():
            if self._is_listed(pick):
                table = self._filled(rows, role)[:, [column - self.shape.column for column in pick.columns]]
                values[role] = list(map(repr, table[:, 0].tolist())) if pick.as_ in ("text", "keys") else table
        return replace(rows, names=self.shape.names, selection=selection, values=values)

    def held(self, selection: Selection) -> PaddedPart:
        """Return it with its rows, where they are found only by reading in order."""
        return replace(self, part=held(self.part, self._inner(selection)))

    def _is_listed(self, pick: Pick) -> bool:
        return any(map(self.shape.has, pick.columns))

    def _inner(self, selection: Selection) -> Selection:
        return {role: self._inner_pick(pick, listed=self._is_listed(pick)) for role, pick in selection.items()}

    def _inner_pick(self, pick: Pick, *, listed: bool) -> Pick:
        columns = tuple(dict.fromkeys(map(self.shape.before, pick.columns)))
        if listed and len(columns) > 1:
            raise DataError("a column of lists of differing length and another column", place=Place(None))
        return replace(pick, columns=columns, as_="lists" if listed else pick.as_)

    def _filled(self, rows: Rows, role: str) -> Floats:
        lists: Lists = rows.lists[role]
        missing = np.flatnonzero(np.isnan(lists.flat.astype(np.float64)))
        if len(missing):
            place = replace(rows, examples=lists.named(())).place(role, int(missing[0]), 0)
            raise DataError("null or NaN is not a number", place=place)
        filled = np.full((len(lists), self.shape.width), self.shape.fill)
        filled[lists.origin, lists.position] = lists.flat
        return filled


class Padded:
    """A source with a column of lists of any length as K columns of numbers."""

    def __init__(self, source: Source, column: int, width: int, fill: float) -> None:
        self._source = source
        name, flat = source.names[column], source.traits.flat
        items = tuple(f"{name}[{place}]" for place in range(width))
        self.names = (*source.names[:column], *items, *source.names[column + 1 :])
        self.width = len(self.names)
        self._shape = _Shape(column, width, fill, self.names)
        origin: list[tuple[int, int | str | None]] = [
            (self._shape.before(c), c - column if self._shape.has(c) else None) for c in range(self.width)
        ]
        groups = {name: range(column, column + width)}
        for other, columns in flat.groups.items() if flat is not None else ():
            start = columns[0] + (width - 1 if columns[0] > column else 0)
            groups[other] = range(start, start + len(columns))
            if flat is not None:
                origin[start : start + len(columns)] = [(self._shape.before(start), flat.origin[c][1]) for c in columns]
        self._flat = Flat(self.names, tuple(origin), groups)

    def __getattr__(self, name: str) -> Any:
        """Forward to the source."""
        return getattr(self._source, name)

    @property
    def traits(self) -> Traits:
        """The traits of the source, with the items of the lists as columns."""
        found = self._source.traits
        dtypes = tuple(
            np.dtype("f8") if self._shape.has(c) else found.dtypes[self._shape.before(c)]
            for c in range(self.width if found.dtypes else 0)
        )
        return replace(found, flat=self._flat, lists=frozenset(), dtypes=dtypes, dtype=None)

    def numeric(self, column: int) -> bool | None:
        """Whether a column holds numbers."""
        return True if self._shape.has(column) else self._source.numeric(self._shape.before(column))

    def parts(self, block_bytes: int = BLOCK_BYTES) -> Iterator[PaddedPart]:
        """Cut it into parts of about `block_bytes`."""
        return (PaddedPart(part, self._shape) for part in self._source.parts(block_bytes))
