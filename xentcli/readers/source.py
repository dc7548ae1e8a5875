"""Source, Part and Rows: every reader returns a Source of columns, which is cut into Parts and loaded as Rows.

A Source knows its columns and how to cut itself into Parts. A Part is small and
picklable, knows how many rows it has, and loads the columns that a Selection names.
So two sources can be aligned by counting, before a row is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Literal, Protocol, Self, TypeGuard, cast

import numpy as np

from xentcli.arrays import picked
from xentcli.columns.column import Values, concatenated
from xentcli.columns.lists import Items, Lists
from xentcli.errors import DataError, Place
from xentcli.readers.stream import ByteStream
from xentcli.readers.wide import Flat
from xentcli.records import cached_property, record, replace

__all__ = [
    "BLOCK_BYTES",
    "PIECE_NUMBERS",
    "REQUEST_BYTES",
    "TASK_BYTES",
    "TASK_ROWS",
    "Counted",
    "FlatTable",
    "Headed",
    "OfStream",
    "Part",
    "PartOfFile",
    "Pick",
    "Rows",
    "Selection",
    "Source",
    "Traits",
    "WholePart",
    "WrappedPart",
    "files_in",
    "has_first_line",
    "held",
    "merged_rows",
    "text_for_numbers",
]

BLOCK_BYTES = 1 << 20
TASK_BYTES = 1 << 25
"""Size of parts that are read in pieces; larger parts save overhead."""
REQUEST_BYTES = 1 << 23
"""Size of parts of an object at a URL, one request each."""
TASK_ROWS = 7 << 13
"""Maximum rows per part: each takes about 100 bytes while it is scored."""
PIECE_NUMBERS = 1 << 19
"""Numbers per piece: as doubles they fit into the cache, and are enough for pages of 2 MiB, which NumPy asks for."""


@record(frozen=True)
class Pick:
    """Columns of a source, in this order, and how to read them.

    "numbers" gives (n, k); "values" one column as stored, text or numbers; "text" one column of text;
    "keys" the same, expecting few distinct texts; "lists" and "texts" one column of lists of any
    length, of numbers or texts.

    Attributes
    ----------
    others
        Whether every further column would be selected too, so that no row may have one.
    required
        Whether a null is an error; else it is read as empty text.
    advice, if_missing
        Advice if a field is not a number; and if a field is missing.
    missing
        Whether a missing number is read as NaN.
    """

    columns: tuple[int, ...]
    as_: Literal["numbers", "values", "text", "keys", "lists", "texts"] = "numbers"
    others: bool = False
    required: bool = False
    advice: str = ""
    if_missing: str = ""
    missing: bool = False

    @cached_property
    def chosen(self) -> slice | list[int]:
        """The index of these columns in an array."""
        return picked(self.columns)

    def covers(self, width: int) -> bool:
        """Whether these are all of `width` columns, in order."""
        return self.chosen == slice(0, width)


Selection = Mapping[str, Pick]
"""What to load, by role: preds, label, id, weights, index."""


@record(frozen=True, eq=False)
class Rows:
    """Rows of one source: for each role its values, and their place in the file.

    Attributes
    ----------
    start, count
        The number of rows before these, and of these.
    values
        By role: numbers (n, k), a list of n texts, or an array of n numbers.
    line
        The line of the first row in a text file, or the line of each row.
    underflows
        Role and row (from 0) of nonzero numerals below the smallest double, which were read as 0.
    paths
        For several files: for each file, the number of rows before it, and its path.
    lists
        By role: columns of lists of any length.
    examples
        If every item of a list is a row: the list and the place of each item.
    """

    path: str
    names: tuple[str, ...]
    selection: Selection
    start: int
    count: int
    values: Mapping[str, Values]
    line: int | tuple[int, ...] | None = None
    underflows: tuple[tuple[str, int], ...] = ()
    paths: tuple[tuple[int, str], ...] = ()
    lists: Mapping[str, Lists] = field(default_factory=dict)
    examples: Items | None = None

    def place(self, role: str, row: int, column: int | None = None) -> Place:
        """Return the place of a row (from 0), and of a column of a role, for messages."""
        at = ""
        if self.examples is not None:
            at = f"[{self.examples.position[row]}]" if self.selection[role].as_ in ("lists", "texts") else ""
            row = int(self.examples.origin[row])
        line = self.line[row] if isinstance(self.line, tuple) else None if self.line is None else self.line + row
        name = None
        if column is not None:
            index = self.selection[role].columns[column]
            name = (self.names[index] if self.names else "") or f"#{index + 1}"
        path = self.path
        if self.paths:
            path = next((path for before, path in reversed(self.paths) if before <= self.start + row), path)
        return Place(path, self.start + row + 1, line, f"{name}{at}" if name else None)

    def without(self, role: str) -> Rows:
        """Return the rows without the values of a role."""
        return replace(self, values={name: value for name, value in self.values.items() if name != role})

    def cut(self, first: int, last: int) -> Rows:
        """Return the rows from `first` up to but not including `last`."""
        if not first and last >= self.count:
            return self
        line = (
            self.line[first:last] if isinstance(self.line, tuple) else None if self.line is None else self.line + first
        )
        values = {role: value[first:last] for role, value in self.values.items()}
        lists = {role: value[first:last] for role, value in self.lists.items()}
        underflows = tuple((role, row - first) for role, row in self.underflows if first <= row < last)
        return replace(
            self,
            start=self.start + first,
            count=last - first,
            values=values,
            line=line,
            underflows=underflows,
            lists=lists,
        )


class Part(Protocol):
    """Consecutive rows that are not read yet."""

    @property
    def rows(self) -> int:
        """How many rows it has."""
        ...

    def load(self, selection: Selection) -> Rows:
        """Read the selected columns."""
        ...

    def pieces(self, selection: Selection) -> Iterator[Rows]:
        """Read them in pieces that fit into a cache, if the format allows it."""
        ...

    def first(self, rows: int) -> Part:
        """Return the first rows if they can be found without reading all; else more."""
        ...

    def split(self, rows: int) -> tuple[Part, Part] | None:
        """Return the first rows (fewer than all) and the others; None if that means reading all."""
        ...


class PartOfFile(Part, Protocol):
    """A part of a file, not a wrapper around another part."""

    @property
    def path(self) -> str:
        """The path of the file."""
        ...

    @property
    def size(self) -> int:
        """About how many bytes are read for it."""
        ...


@record(frozen=True, eq=False)
class Traits:
    """What only some sources have.

    Attributes
    ----------
    files
        The files of a folder or glob.
    flat
        How columns of K numbers were spread out.
    odd
        The members of an archive that are not columns, by name, with the reason.
    arrays
        The shapes of all members of an archive, by name.
    dtype
        The dtype of an array, or of all columns.
    dtypes
        The dtype of each column (None if it has no fixed one); empty if `dtype` applies to all.
    bfloat16
        The columns that hold bfloat16, which are read as float32.
    counts
        Whether the index of a pandas object only counts its rows.
    lists
        The columns that hold lists of any length.
    decimal
        The decimal separator of texts that are numbers.
    percent
        The columns of percentages, which are read as hundredths.
    codes
        The names that the file gives to the whole numbers 0, 1, ... of a column.
    """

    files: Sequence[str] = ()
    flat: Flat | None = None
    odd: Mapping[str, str] = field(default_factory=dict)
    arrays: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    dtype: np.dtype[np.generic] | None = None
    dtypes: tuple[np.dtype[np.generic] | None, ...] = ()
    bfloat16: frozenset[int] = frozenset()
    counts: bool = False
    lists: frozenset[int] = frozenset()
    decimal: str = "."
    percent: tuple[int, ...] = ()
    codes: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


_NO_TRAITS = Traits()


class Source(Protocol):
    """A table that can be read in order, in parts."""

    @property
    def traits(self) -> Traits:
        """Properties that only some sources have."""
        ...

    @property
    def path(self) -> str:
        """Its name in messages."""
        ...

    @property
    def format(self) -> str:
        """A name in READERS."""
        ...

    @property
    def width(self) -> int:
        """How many columns it has."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns; empty if they have none."""
        ...

    @property
    def header(self) -> bool | None:
        """Whether the first line is a header; None if the format has none."""
        ...

    @property
    def tabular(self) -> bool:
        """Whether its columns are those of a table, each of any type, not an axis of an array."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an array; empty for a table."""
        ...

    @property
    def row_names(self) -> int | None:
        """The column of row names, which is neither prediction nor label; None if there is none."""
        ...

    @property
    def repeatable(self) -> bool:
        """Whether it can be read more than once."""
        ...

    @property
    def task_bytes(self) -> int:
        """About how many bytes make a part."""
        ...

    def numeric(self, column: int) -> bool | None:
        """Whether a column holds numbers, or text; None if each cell is checked."""
        ...

    def flattened(self) -> Source:
        """Return the numbers of an array as rows of one column; a table unchanged."""
        ...

    def lines(self) -> int:
        """Count its rows without reading them, a header line included."""
        ...

    def share_of(self, rows: int) -> float | None:
        """Return the (estimated) fraction of all rows that `rows` is; None if unknown."""
        ...

    def parts(self, block_bytes: int = BLOCK_BYTES) -> Iterator[Part]:
        """Cut it into parts of about `block_bytes` bytes, in order."""
        ...

    def check_unchanged(self) -> None:
        """Raise DataError if it changed since it was opened."""
        ...


class WholePart:
    """Base of parts that are read at once."""

    def load(self, selection: Selection) -> Rows:
        """Read the selected columns."""
        raise NotImplementedError

    def pieces(self, selection: Selection) -> Iterator[Rows]:
        """Read them as one piece."""
        yield self.load(selection)

    def first(self, rows: int) -> Self:
        """Return all."""
        return self

    def split(self, rows: int) -> tuple[Self, Self] | None:
        """Return nothing: all are read at once."""
        return None


@record(frozen=True)
class WrappedPart(WholePart):
    """Base of parts that read another part, and change what was read."""

    part: Part

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self.part.rows

    def first(self, rows: int) -> Self:
        """Return the first rows if they can be found without reading all; else more."""
        return replace(self, part=self.part.first(rows))

    def split(self, rows: int) -> tuple[Self, Self] | None:
        """Return the first rows and the others, where the part can be split."""
        found = self.part.split(rows)
        return None if found is None else (replace(self, part=found[0]), replace(self, part=found[1]))


class Headed(Source, Protocol):
    """A table of text, whose first line may be a header."""

    @property
    def named(self) -> bool | None:
        """Whether the first line can only be a header, or only data; None if it may be either."""
        ...

    @property
    def first_fields(self) -> tuple[str, ...]:
        """The fields of the first line."""
        ...

    @property
    def first_in_points(self) -> tuple[str, ...]:
        """The fields of the first line, numbers with a point whatever the decimal separator."""
        ...

    def with_header(self, header: bool, *, numbered: bool = False) -> Source:
        """Return it with the first line as a header, or as data; with `numbered` names may repeat."""
        ...


def has_first_line(source: Source) -> TypeGuard[Headed]:
    """Whether a source is a table of text."""
    return hasattr(source, "first_fields")


def held(part: Part, selection: Selection) -> Part:
    """Return a part with its rows loaded if they can be found only by reading in order; else the part itself."""
    method = getattr(part, "held", None)
    return part if method is None or not selection else cast("Part", method(selection))


def files_in(source: Source) -> Sequence[str]:
    """Return the files of a source with several files; empty for a single file."""
    return () if source.format == "memory" else source.traits.files


class OfStream:
    """Base of sources that read one stream of bytes."""

    stream: ByteStream

    @property
    def traits(self) -> Traits:
        """What only some sources have."""
        return _NO_TRAITS

    @property
    def path(self) -> str:
        """Its name in messages."""
        return self.stream.name

    @property
    def repeatable(self) -> bool:
        """Whether it can be read again."""
        return self.stream.path is not None

    @property
    def task_bytes(self) -> int:
        """About how many bytes make a part."""
        return BLOCK_BYTES

    @property
    def task_of_pieces(self) -> int:
        """About how many bytes make a part that is read in pieces; a part of a stream is held in memory."""
        if not self.stream.plain or self.stream.size is None:
            return 3 * BLOCK_BYTES // 2
        if not self.stream.here:
            return REQUEST_BYTES
        # A small file still has several parts for each worker.
        return max(2 * BLOCK_BYTES, min(TASK_BYTES, self.stream.size // 8))

    def numeric(self, column: int) -> bool | None:
        """Return None: every value is checked."""
        return None

    def share_of(self, rows: int) -> float | None:
        """Return None: the rows were not counted."""
        return None

    def check_unchanged(self) -> None:
        """Raise DataError if the file changed since it was opened."""
        self.stream.check_unchanged()


class Counted:
    """Base of sources that know how many rows they have."""

    rows: int

    def lines(self) -> int:
        """Return the number of rows."""
        return self.rows

    def share_of(self, rows: int) -> float:
        """Return the fraction of all rows that `rows` is."""
        return rows / max(1, self.rows)


class FlatTable(OfStream):
    """Base of tables whose columns of K numbers are spread out."""

    flat: Flat
    header = None
    tabular = True
    shape: tuple[int, ...] = ()

    @property
    def row_names(self) -> int | None:
        """The column of row names; None."""
        return None

    @property
    def traits(self) -> Traits:
        """What only some sources have."""
        return Traits(flat=self.flat, lists=self.flat.lists)

    @property
    def width(self) -> int:
        """How many columns there are, those of K numbers spread out."""
        return len(self.flat.names)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self.flat.names

    def flattened(self) -> Self:
        """Return it unchanged: a table is not flattened."""
        return self

    def with_lists(self, names: Collection[str]) -> Self:
        """Return it with these columns of K numbers as columns of lists of any length."""
        return replace(self, flat=self.flat.undivided(names))


def text_for_numbers(path: str | None, what: str = "", *, held: bool = False) -> DataError:
    """Return the error for an array of text instead of numbers (`what`); `held` in memory or in a file."""
    return DataError(
        f"an array of text where numbers are expected{what and f' ({what})'}",
        place=Place(path),
        advice="array.astype('float64')" if held else "numpy.save('p.npy', array.astype('float64'))",
    )


def merged_rows(pieces: Sequence[Rows]) -> Rows:
    """Return consecutive pieces of one source as one."""
    first = pieces[0]
    if len(pieces) == 1:
        return first
    values: dict[str, Values] = {}
    for role in first.values:
        values[role] = concatenated([piece.values[role] for piece in pieces])
    lines = [piece.line for piece in pieces]
    line = first.line
    several = len({piece.path for piece in pieces}) > 1 and None not in lines
    if several or any(isinstance(item, tuple) for item in lines):
        line = tuple(place.line or 0 for piece in pieces for place in (piece.place("", i) for i in range(piece.count)))
    paths = tuple(at for piece in pieces for at in (piece.paths or ((piece.start, piece.path),)))
    return replace(
        first,
        count=sum(p.count for p in pieces),
        values=values,
        line=line,
        underflows=tuple((role, row + piece.start - first.start) for piece in pieces for role, row in piece.underflows),
        paths=paths if len({path for _, path in paths}) > 1 else (),
    )
