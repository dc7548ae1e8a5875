"""Lists of numbers in the cells of delimited text: ``"[0.38, 0.62]"``, ``[0.38 0.62]``, ``(0.38, 0.62)``.

A column of lists becomes K columns, as in JSON Lines. The first row decides which columns have lists, and
their lengths.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from xentcli.arrays import Floats
from xentcli.columns.column import Values, texts_of
from xentcli.columns.numerals import is_number, numbers
from xentcli.errors import DataError, Place, shown
from xentcli.readers.source import BLOCK_BYTES, FlatTable, Pick, Rows, Selection, Source, Traits, WrappedPart
from xentcli.readers.stream import ByteStream
from xentcli.readers.wide import Flat
from xentcli.records import record, replace

__all__ = ["CellsSource", "list_in"]

_BRACKETS = ("[]", "()")
_PRINTED = r"(?s)[A-Za-z_.]\w*\((\[[^\[\]()]*\])(?:, \w+=[\w.:'\"]+)*\)"
"""An array as Python prints it: ``tensor([0.38, 0.62], device='cuda:0')``, ``array([...], dtype=float32)``."""

_SPARSE = r"\((\d{1,7}), *\[([\d, ]*)\], *\[([^\[\]]*)\]\)"
"""A sparse vector as Spark prints it: its length, the places of numbers, and the numbers."""


def list_in(cell: str) -> list[str] | None:
    """Return the numerals of a list in a cell; None where it is none.

    >>> list_in("tensor([0.38, 0.62], device='cuda:0')")
    ['0.38', '0.62']
    >>> list_in("[0.38, 0.62]"), list_in("(0.1 0.9)"), list_in("0.5"), list_in("[a, b]")
    (['0.38', '0.62'], ['0.1', '0.9'], None, None)
    >>> list_in("(3,[0,2],[0.25,0.75])")
    ['0.25', '0', '0.75']
    """
    text = cell.strip()
    if text[-1:] == ")" and (printed := re.fullmatch(_PRINTED, text)):
        text = printed[1]
    if len(text) < 2 or text[0] + text[-1] not in _BRACKETS:
        return None
    if text[-2] == "]" and (sparse := re.fullmatch(_SPARSE, text)):
        return _dense(*sparse.groups())
    inner = text[1:-1]
    found = [item.strip() for item in inner.split(",")] if "," in inner else inner.split()
    return found if found and all(map(is_number, found)) else None


def _dense(size: str, places: str, numerals: str) -> list[str] | None:
    """Return all numerals of a sparse vector; None of one that is not valid."""
    found, at = ["0"] * int(size), [int(place) for place in places.split(",") if place.strip()]
    values = [numeral.strip() for numeral in numerals.split(",") if numeral.strip()]
    if len(at) != len(values) or len({*at}) < len(at) or any(place >= len(found) for place in at):
        return None
    for place, value in zip(at, values, strict=True):
        found[place] = value
    return found if found and all(map(is_number, values)) else None


@record(frozen=True)
class CellsPart(WrappedPart):
    """Rows of a text file of which some columns have lists: `part` reads the cells."""

    flat: Flat

    def load(self, selection: Selection) -> Rows:
        """Read the selected columns.

        Raises DataError for a cell that has no list as long as that of the first row.
        """
        return self._spread(self.part.load(self._cells(selection)), selection)

    def pieces(self, selection: Selection) -> Iterator[Rows]:
        """Read them in pieces."""
        for rows in self.part.pieces(self._cells(selection)):
            yield self._spread(rows, selection)

    def _cells(self, selection: Selection) -> Selection:
        """What is read of the text: each column of a role that has lists by itself."""
        picks: dict[str, Pick] = {}
        for role, pick in selection.items():
            origins = [self.flat.origin[column] for column in pick.columns]
            if all(key is None for _, key in origins):
                picks[role] = replace(pick, columns=tuple(index for index, _ in origins))
                continue
            for index, key in origins:
                picks[f"{role} {index}"] = replace(pick, columns=(index,), as_="numbers" if key is None else "text")
        return picks

    def _spread(self, rows: Rows, selection: Selection) -> Rows:
        """Return the rows with the numbers of their lists."""
        values: dict[str, Values] = {}
        underflows = [(role.partition(" ")[0], row) for role, row in rows.underflows]
        for role, pick in selection.items():
            if role in rows.values:
                values[role] = rows.values[role]
                continue
            read: dict[int, Floats] = {}
            for index in dict.fromkeys(self.flat.origin[column][0] for column in pick.columns):
                found = rows.values[f"{role} {index}"]
                if isinstance(found, np.ndarray):
                    read[index] = np.asarray(found, dtype=np.float64)
                else:
                    read[index], small = self._numbers(texts_of(found), rows, f"{role} {index}")
                    underflows += [(role, row) for row in small]
            origins = (self.flat.origin[column] for column in pick.columns)
            table = np.stack([read[index][:, int(key or 0)] for index, key in origins], axis=1)
            values[role] = table if pick.as_ == "numbers" else table[:, 0]
            if pick.as_ in ("text", "keys"):
                values[role] = list(map(repr, table[:, 0].tolist()))
        return replace(rows, names=self.flat.names, selection=selection, values=values, underflows=tuple(underflows))

    def _numbers(self, cells: Sequence[str], rows: Rows, role: str) -> tuple[Floats, list[int]]:
        """Return the lists of a column as f8[n, K], and the rows of underflows."""
        index = rows.selection[role].columns[0]
        width = sum(origin == index for origin, _ in self.flat.origin)
        numerals: list[str] = []
        for row, cell in enumerate(cells):
            found = list_in(cell)
            if found is None or len(found) != width:
                raise _fault(cell, found, width, rows.place(role, row, 0))
            numerals += found
        read = numbers(numerals)
        if isinstance(read, int):
            raise DataError(
                f"{shown(numerals[read])} is larger than any double", place=rows.place(role, read // width, 0)
            )
        return read[0].reshape(-1, width), [place // width for place in read[1]]


def _fault(cell: str, found: list[str] | None, width: int, place: Place) -> DataError:
    """Return the error of a cell without a list of `width` numbers."""
    if found is not None:
        counts = f"a list of {len(found)} number{'s' * (len(found) != 1)} where the first row has {width}"
        return DataError(counts, place=place)
    if "..." in cell:
        return DataError(
            "a list that NumPy shortened to '...' when it was printed: its numbers are not in the file",
            place=place,
            advice="in Python: numpy.save('p.npy', array), or numpy.set_printoptions(threshold=sys.maxsize) before",
        )
    return DataError(f"{shown(cell)} is no list of {width} numbers, as the first row has", place=place)


@record(frozen=True)
class CellsSource(FlatTable):
    """Delimited text with lists of numbers in some columns; `lengths` has their lengths, None for other columns."""

    stream: ByteStream
    table: Source
    flat: Flat
    format: str = "csv"

    @classmethod
    def of(cls, stream: ByteStream, table: Source, lengths: Sequence[int | None]) -> CellsSource:
        """Return a text whose header is decided with its lists spread out into columns."""
        names = table.names or [f"#{column + 1}" for column in range(len(lengths))]
        return cls(stream, table, Flat.of(list(zip(names, lengths, strict=True))))

    @property
    def header(self) -> bool | None:  # type: ignore[override]
        """Whether the first line is a header."""
        return self.table.header

    @property
    def row_names(self) -> int | None:
        """The first column if it has no name."""
        return self.table.row_names

    @property
    def traits(self) -> Traits:
        """What only some sources have."""
        own = self.table.traits
        percent = tuple(c for c, (index, _) in enumerate(self.flat.origin) if index in own.percent)
        return Traits(flat=self.flat, decimal=own.decimal, percent=percent)

    @property
    def task_bytes(self) -> int:
        """About how many bytes make a part."""
        return self.table.task_bytes

    def numeric(self, column: int) -> bool | None:
        """Whether a column is of lists; of others every cell is checked."""
        return None if self.flat.origin[column][1] is None else True

    def lines(self) -> int:
        """Count the rows, a header line included."""
        return self.table.lines()

    def share_of(self, rows: int) -> float | None:
        """Return the estimated fraction of all rows that `rows` is."""
        return self.table.share_of(rows)

    def parts(self, block_bytes: int = BLOCK_BYTES) -> Iterator[CellsPart]:
        """Cut it into parts of about `block_bytes`."""
        return (CellsPart(part, self.flat) for part in self.table.parts(block_bytes))
