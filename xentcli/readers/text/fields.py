"""The fast reader of delimited text: a block of bytes cut into rows and fields by NumPy.

It returns the doubles and texts that the careful reader returns, or declines the block,
which then goes the careful way; it never decides that something is an error.

The separators must be as many as rows times columns, with a line end after each row and a
delimiter everywhere else; then each field is known by its start and end. Numbers are read by
decimals.py, where each step is one pass over all numbers of a block: many short steps would
make two threads wait for each other (the GIL).
"""

from __future__ import annotations

import numpy as np

from xentcli.arrays import Bytes, Flags, Floats, Ints
from xentcli.columns.column import Coded
from xentcli.columns.numerals import numbers
from xentcli.columns.texts import LONGEST, Texts
from xentcli.columns.vocabulary import alike
from xentcli.readers.text.decimals import LOW_BYTES, doubles, words_at
from xentcli.readers.text.delimited import PAD, Dialect, room_for
from xentcli.records import record

__all__ = ["Fields", "between", "fields_in", "fields_of", "in_rows", "is_utf8"]

_QUOTE, _CR, _LF, _BLANK, _TAB = (ord(letter) for letter in '"\r\n \t')
_FEW_TEXTS = 64
"""Fewer texts are read as strings."""
_FIRST_BYTES = 1024
"""The first bytes show which separators and line ends to expect."""


@record(frozen=True, eq=False)
class Fields:
    """Where the fields of some rows stand in a block of text.

    Attributes
    ----------
    buffer
        u1: the bytes of the block, with PAD bytes before and after.
    start, end
        i8[rows, width]: where each field begins and ends, without quotes and carriage returns.
    ascii
        Whether all bytes are ASCII.
    """

    buffer: Bytes
    start: Ints
    end: Ints
    ascii: bool

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.start)

    def longer_than(self, most: int) -> bool:
        """Whether a field has more bytes than that."""
        ends = self.end[:, -1]
        # Hardly ever does a whole row.
        rows = max(int(ends[0]) - PAD, int(np.diff(ends).max(initial=0)))
        return rows > most and int((self.end - self.start).max()) > most

    def texts(self, column: int) -> Texts | list[str]:
        """Return the fields of a column as texts; as strings if one is long, or there are few."""
        start, end = self.start[:, column], self.end[:, column]
        if len(start) < _FEW_TEXTS or (end - start).max() > LONGEST:
            return self._strings(start, end)
        return self._short(start, end - start)

    def coded(self, column: int) -> Coded | list[str]:
        """Return the fields of a column as distinct texts and a code for each row; as strings if one is long."""
        start, end = self.start[:, column], self.end[:, column]
        length = end - start
        if length.max() > LONGEST:
            return self._strings(start, end)
        texts = self._short(start, length)
        found = alike(texts)
        if found is None:
            return list(texts)
        first, codes = found
        return Coded(texts.take(first), codes)

    def numbers(self, chosen: slice | list[int]) -> tuple[Floats, list[int]] | None:
        """Return columns as doubles, f8[rows, k], and the flat indices of those too small to be told from 0.

        None if a field is no number.
        """
        start, end = self.start[:, chosen], self.end[:, chosen]
        shape = start.shape
        start, end = start.ravel(), end.ravel()
        values, left = doubles(self.buffer, start, end, ascii=self.ascii)
        small: list[int] = []
        if len(left):
            read = numbers(self._strings(start[left], end[left]))
            if isinstance(read, int):
                return None
            values[left] = read[0]
            small = left[read[1]].tolist()
        return values.reshape(shape), small

    def _strings(self, start: Ints, end: Ints) -> list[str]:
        view = self.buffer.data
        return [str(view[a:b], "utf-8") for a, b in zip(start.tolist(), end.tolist(), strict=True)]

    def _short(self, start: Ints, length: Ints) -> Texts:
        """Read texts of at most LONGEST bytes."""
        longest = int(length.max())
        words = np.empty((max(1, -(-longest // 8)), len(start)), dtype=np.uint64)
        for j, word in zip(range(0, 8 * len(words), 8), words, strict=True):
            # A short text near the end of the buffer has no bytes where a long one has its last.
            at = np.minimum(start + j, len(self.buffer) - 8) if j else start
            count = length if longest <= 8 else np.clip(length - j, 0, 8)
            np.bitwise_and(words_at(self.buffer, at, 1)[:, 0], LOW_BYTES[count], out=word)
        return Texts(words, length)


def fields_of(data: bytes, dialect: Dialect, width: int) -> Fields | None:
    """Find the fields of whole rows; None if the careful reader must decide."""
    buffer, text = room_for(len(data))
    text[:] = np.frombuffer(data, np.uint8)
    return fields_in(buffer, len(data), dialect, width)


def fields_in(buffer: Bytes, size: int, dialect: Dialect, width: int) -> Fields | None:
    """Find the fields of whole rows: the first `size` bytes of the view that `room_for` returned."""
    if dialect.ends_with_cr or dialect.decimal != "." or dialect.delimiter.isdigit() or not (size and width):
        return None
    text = buffer[PAD : PAD + size]
    ascii_ = bool(np.maximum.reduce(text) <= 127)
    if not ascii_ and not is_utf8(text.tobytes()):
        return None
    whole = buffer[PAD : PAD + size + (text[-1] != _LF)]
    buffer = buffer[: len(whole) + 2 * PAD]
    found = _bare(buffer, whole, dialect, width) if _looks_bare(whole[:_FIRST_BYTES], dialect) else None
    if dialect.runs and (found is None or (found[0] == found[1]).any()):
        found = _between_blanks(buffer, whole, dialect, width)
    elif found is None:
        found = _quoted(buffer, whole, dialect, width)
    if found is None:
        return None
    start, end = found
    if width == 1 and (start == end).any():
        # A blank line, unless it is quoted.
        return None
    shape = (-1, width)
    return Fields(buffer, start.reshape(shape), end.reshape(shape), ascii_)


def _looks_bare(text: Bytes, dialect: Dialect) -> bool:
    """Whether the first rows have no bytes up to a comma but separators: no quotes, signs + or spaces."""
    low, rows = text[text <= ord(",")].tobytes(), text.tobytes()
    aligned = dialect.runs and (rows.startswith(b" ") or b"  " in rows or b"\n " in rows)
    return not aligned and not low.strip(b"\r\n" + dialect.delimiter.encode())


def _bare(buffer: Bytes, text: Bytes, dialect: Dialect, width: int) -> tuple[Ints, Ints] | None:
    """Find the fields if every byte up to a comma is a separator, and all line ends are alike."""
    low: Flags = text <= ord(",")
    if ord(dialect.delimiter) > ord(","):
        low |= text == ord(dialect.delimiter)
    returns = b"\r\n" in text[:_FIRST_BYTES].tobytes()
    if returns:
        # The CR ends the row.
        low &= text != _LF
    end = _places(low) + PAD
    if not in_rows(buffer, end, dialect, width, b"\r" if returns else b"\n"):
        return None
    start, end = between(end)
    if returns:
        last = end[width - 1 :: width]
        if np.count_nonzero(text == _LF) != len(last) or not (buffer.take(last + 1) == _LF).all():
            return None
        start[width::width] += 1
    return start, end


def _quoted(buffer: Bytes, text: Bytes, dialect: Dialect, width: int) -> tuple[Ints, Ints] | None:
    """Find the fields if some are quoted, or have any bytes but NUL."""
    if not np.minimum.reduce(text):
        return None
    end: Ints = np.flatnonzero((text == ord(dialect.delimiter)) | (text == _LF)) + PAD
    if not in_rows(buffer, end, dialect, width):
        return None
    start, end = between(end)
    returns = int(np.count_nonzero(text == _CR))
    if returns and not _without_cr(buffer, end[width - 1 :: width], returns):
        return None
    if (
        dialect.quotes
        and len(quotes := np.flatnonzero(text == _QUOTE))
        and not _without_quotes(buffer, quotes + PAD, start, end)
    ):
        return None
    return start, end


def _between_blanks(buffer: Bytes, text: Bytes, dialect: Dialect, width: int) -> tuple[Ints, Ints] | None:
    """Find the fields if runs of blanks separate them."""
    low = np.less_equal(buffer[PAD - 1 : PAD + len(text)], _BLANK)
    line_ends = np.flatnonzero(text == _LF)
    blanks, tabs, returns = (int(np.count_nonzero(text == letter)) for letter in (_BLANK, _TAB, _CR))
    if blanks + tabs + returns + len(line_ends) + 1 != np.count_nonzero(low):
        # Other control characters belong to a field.
        return None
    start, end = (np.flatnonzero(one > other) + PAD for one, other in ((low[:-1], low[1:]), (low[1:], low[:-1])))
    if dialect.quotes and len(quotes := np.flatnonzero(text == _QUOTE)):
        quotes += PAD
        start, end = (place[np.searchsorted(quotes, place) % 2 == 0] for place in (start, end))
        if len(start) != len(end) or not _without_quotes(buffer, quotes, start, end):
            return None
    last, left = end[width - 1 :: width], len(start) % width
    line_ends += PAD
    if left or len(line_ends) != len(last):
        return None
    # Every row has its fields between two line ends.
    if not ((last <= line_ends).all() and (start[width::width] > line_ends[:-1]).all()):
        return None
    if returns and (returns != len(line_ends) or not (buffer.take(line_ends - 1) == _CR).all()):
        return None
    return start, end


def _places(flags: Flags) -> Ints:
    """Return the places of true flags.

    Long fields have their separators in different words of eight flags. Then there is one true byte in each word
    with any, which takes half as long to find as in NumPy's loop over the flags.
    """
    whole = len(flags) // 8 * 8
    words = flags[:whole].view("<u8")
    place = np.flatnonzero(words != 0)
    if np.count_nonzero(flags[:whole]) != len(place):
        return np.flatnonzero(flags)
    found = words.take(place).astype(np.uint64, copy=False)
    # The product has the number of the true byte in its top byte.
    found *= np.uint64(0x0001020304050607)
    found >>= np.uint64(56)
    place *= 8
    place += found.view(np.int64)
    return np.concatenate((place, np.flatnonzero(flags[whole:]) + whole))


def in_rows(buffer: Bytes, separators: Ints, dialect: Dialect, width: int, end: bytes = b"\n") -> bool:
    """Whether the separators are those of whole rows of `width` fields, with this line end."""
    rows, left = divmod(len(separators), width)
    row = dialect.delimiter.encode() * (width - 1) + end
    return not left and rows > 0 and buffer.take(separators).tobytes() == row * rows


def between(separators: Ints) -> tuple[Ints, Ints]:
    """Return the start and end of the fields between separators; the first starts at PAD."""
    start = np.empty_like(separators)
    start[0] = PAD
    np.add(separators[:-1], 1, out=start[1:])
    return start, separators


def is_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _without_cr(buffer: Bytes, last: Ints, returns: int) -> bool:
    """Remove the CR from the end of each row; return whether there are no others."""
    if returns != len(last) or not (buffer.take(last - 1) == _CR).all():
        return False
    last -= 1
    return True


def _without_quotes(buffer: Bytes, quotes: Ints, start: Ints, end: Ints) -> bool:
    """Remove the quotes around fields; return whether there are no others.

    A separator inside quotes would leave a field with one quote.
    """
    quoted = np.flatnonzero(buffer.take(start) == _QUOTE)
    opening, closing = quotes[0::2], quotes[1::2]
    if not (np.array_equal(start[quoted], opening) and np.array_equal(end[quoted] - 1, closing)):
        return False
    start[quoted] += 1
    end[quoted] -= 1
    return True
