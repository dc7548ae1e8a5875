"""Find cells that are not numbers in columns that could be predictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xentcli.columns.column import texts_of
from xentcli.columns.missing import is_missing
from xentcli.columns.numerals import hundredths, in_points, is_number
from xentcli.errors import DataError, Place
from xentcli.pairing.alignment import PartQueue
from xentcli.pairing.columns import Found, name_of
from xentcli.readers.source import Pick, Rows, Source, files_in, has_first_line
from xentcli.readers.text.faults import Written, above_or_below, may_be_title
from xentcli.records import record, replace

__all__ = ["LOOK_AT", "Stray", "first_text", "first_texts"]

LOOK_AT = 100
"""Number of rows examined."""
_MANY = 8
"""Fewer columns are read one by one as fast."""


@record(frozen=True, eq=False)
class Stray:
    """A cell that is not a number, with the rows and the role under which its column was loaded."""

    source: Source
    head: Rows
    role: str
    row: int

    @property
    def column(self) -> Sequence[str]:
        """The first cells of its column; numbers have a point whatever the decimal separator."""
        decimal = self.source.traits.decimal
        return [in_points(text, decimal) for text in texts_of(self.head.values[self.role])]

    @property
    def text(self) -> str:
        """Its text."""
        return texts_of(self.head.values[self.role])[self.row]

    @property
    def place(self) -> Place:
        """Its place in the file."""
        return replace(self.head.place(self.role, self.row), column=name_of(self.source, int(self.role)))

    @property
    def outside(self) -> str:
        """The command that skips the line if it is not a row (title, footer); else empty."""
        source, column = self.source, self.column
        if not has_first_line(source) or files_in(source):
            return ""
        return above_or_below(
            column,
            self.row,
            lambda row: self.head.place(self.role, row).line,
            Written(source.path),
            titled=may_be_title(source.names),
            last=source.repeatable and len(column) == source.lines() - bool(source.header),
        )


def first_text(found: Found, queue: PartQueue, *, blank: bool = False) -> Stray | None:
    """Return the first cell that is not a number, column by column, in the first rows.

    Missing values count only with `blank`.
    """
    return next(first_texts(found, queue, blank=blank), None)


def first_texts(found: Found, queue: PartQueue, *, blank: bool = False) -> Iterator[Stray]:
    """Yield the first cell that is not a number of each column that has one in the first rows.

    Missing values count only with `blank`.
    """
    source = found.source
    if not source.tabular:
        return
    unread = [column for column in found.columns if column not in source.traits.lists]
    texts = [column for column in unread if source.numeric(column) is None]
    if has_first_line(source) and len(texts) >= _MANY and _are_numbers(texts, queue):
        return
    head = next(queue.look({f"{c}": Pick((c,), "values") for c in texts}, LOOK_AT), None)
    for role, column in head.values.items() if head is not None else ():
        values = [in_points(text, source.traits.decimal) for text in texts_of(column)]
        if int(role) in source.traits.percent:
            values = [hundredths(text, source.traits.decimal) for text in values]
        row = next(
            (row for row, text in enumerate(values) if not is_number(text) and (blank or not is_missing(text))), None
        )
        if head is not None and row is not None:
            yield Stray(source, head, role, row)


def _are_numbers(columns: Sequence[int], queue: PartQueue) -> bool:
    """Whether the first rows of all these columns are numbers, read at once: much faster than one by one."""
    try:
        next(queue.look({"all": Pick(tuple(columns))}, LOOK_AT), None)
    except DataError:
        return False
    return True
