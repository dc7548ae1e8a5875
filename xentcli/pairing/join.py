"""Match the rows of several sources by id.

The labels' side is held in memory, with a 128-bit hash in place of each id. The hash has a random key in
every run, so that no file can be crafted to collide; n ids collide by chance with a probability of
n**2 / 2**129. An id needed for a message is read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field

import numpy as np

from xentcli.arrays import Ints, Words
from xentcli.columns.column import Coded, Values, take, texts_of
from xentcli.columns.hashing import TextHash
from xentcli.columns.texts import Texts
from xentcli.columns.vocabulary import Vocabulary
from xentcli.errors import DataError, Place, shown
from xentcli.pairing.alignment import Companion
from xentcli.readers.source import Pick, Rows, Source, merged_rows
from xentcli.records import record, replace

__all__ = ["Join", "Keys", "ids_at", "ids_of", "twice"]

_SOME = 1 << 16


@record(frozen=True, eq=False)
class Keys:
    """Hashes of n ids, sorted by their first half, and the row of each id.

    Attributes
    ----------
    hash
        The hash function.
    first, second
        u8[n]: the hashes of each id.
    order
        u4[n] or i8[n]: the row of each id.
    begin
        u4[2**b] or i8[2**b], with 2**b from n / 2 to n: for each value of the upper b bits, the index
        in `first` at which the hashes with these bits begin.
    """

    hash: TextHash
    first: Words
    second: Words
    order: Ints
    begin: Ints

    @classmethod
    def of(cls, hash_: TextHash, firsts: list[Words], seconds: list[Words]) -> Keys:
        """Sort the hashes of ids, given in pieces; the lists are emptied to free memory."""
        first = np.concatenate(firsts)
        firsts.clear()
        kind = np.uint32 if len(first) < 1 << 32 else np.int64
        order: Ints = np.argsort(first).astype(kind)
        first = first[order]
        second = np.concatenate(seconds)
        seconds.clear()
        second = second[order]
        bits = max(1, len(first).bit_length() - 1)
        begin: Ints = np.empty(1 << bits, dtype=kind)
        for start in range(0, len(begin), _SOME):
            upper = np.arange(start, min(start + _SOME, len(begin)), dtype=np.uint64)
            begin[start : start + _SOME] = np.searchsorted(first, upper << np.uint64(64 - bits))
        return cls(hash_, first, second, order, begin)

    def by_row(self) -> tuple[Words, Words]:
        """Return the hashes of the id of each row (u8[n] each)."""
        first, second = np.empty_like(self.first), np.empty_like(self.second)
        first[self.order], second[self.order] = self.first, self.second
        return first, second

    def find(self, ids: Sequence[str]) -> Ints:
        """Return the row of each id (i8[n]); -1 if it is missing."""
        return self.find_hashes(*self.hash.of(ids))

    def find_hashes(self, first: Words, second: Words) -> Ints:
        """Return the row of each id (i8[n]), given by its hashes; -1 if it is missing."""
        result = np.full(len(first), -1, dtype=np.int64)
        if not len(self.first) or not len(first):
            return result
        last = len(self.first) - 1
        bits = len(self.begin).bit_length() - 1
        # One or two hashes share their upper bits: a scan from `begin` takes a third of the time of a binary search.
        place = np.minimum(self.begin[first >> np.uint64(64 - bits)].astype(np.int64), last)
        left = np.arange(len(first))
        while len(left):
            at, wanted = place[left], first[left]
            here = self.first[at]
            same = here == wanted
            same[same] = self.second[at[same]] == second[left[same]]
            result[left[same]] = self.order[at[same]]
            left = left[~same & (here <= wanted) & (at < last)]
            place[left] += 1
        return result

    def repeated(self) -> tuple[int, int, int] | None:
        """Return the first row that repeats an id, the earlier row with that id, and the number of repeating rows."""
        alike = np.flatnonzero(self.first[1:] == self.first[:-1])
        if not len(alike):
            return None
        some = np.union1d(alike, alike + 1)
        first, second, row = self.first[some], self.second[some], self.order[some].astype(np.int64)
        by_row = np.lexsort((row, second, first))
        first, second, row = first[by_row], second[by_row], row[by_row]
        again = np.flatnonzero((first[1:] == first[:-1]) & (second[1:] == second[:-1])) + 1
        if not len(again):
            return None
        earliest = again[np.argmin(row[again])]
        same = (first == first[earliest]) & (second == second[earliest])
        return int(row[earliest]), int(row[same].min()), len(again)


@record(frozen=True, eq=False)
class Join:
    """The labels' side of a match by id: the row of each id, and the other columns."""

    rows: Rows
    keys: Keys

    @classmethod
    def of(cls, companion: Companion) -> Join:
        """Read all of a companion; its selection must have the role ``id``.

        Raises DataError if an id occurs twice.
        """
        source = companion.queue.source
        pieces: list[Rows] = []
        hash_ = TextHash.random()
        firsts, seconds = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
        for part in companion.queue:
            rows = part.load(companion.selection)
            first, second = hash_.of(texts_of(rows.values["id"]))
            firsts.append(first)
            seconds.append(second)
            values = {role: _compact(value) for role, value in rows.values.items() if role != "id"}
            pieces.append(replace(rows, values=values))
        keys = Keys.of(hash_, firsts, seconds)
        rows = merged_rows(pieces) if pieces else Rows(source.path, source.names, companion.selection, 0, 0, {})
        repeated = keys.repeated()
        if repeated is not None:
            row, begin, count = repeated
            name = ids_at(source, companion.selection["id"], [row])[0]
            name = f"id {shown(name)}" if source.repeatable else "an id"
            raise twice(name, rows.place("id", row), rows.place("id", begin), count)
        return cls(rows, keys)

    def find(self, ids: Sequence[str]) -> Ints:
        """Return the row of each id (i8[n]); -1 if it is missing."""
        return self.keys.find(ids)

    def take(self, positions: Ints) -> Rows:
        """Return the rows at these positions, in this order."""
        rows = self.rows
        values = {role: take(value, positions) for role, value in rows.values.items()}
        return _Picked(rows.path, rows.names, rows.selection, 0, len(positions), values, source=rows, at=positions)


def _compact(values: Values) -> Values:
    """A column with codes in the smallest integer type that fits."""
    if isinstance(values, list | Texts):
        vocabulary = Vocabulary()
        codes = vocabulary.add(values)
        values = Coded(vocabulary.names, codes)
    if isinstance(values, Coded):
        return Coded(values.distinct, values.codes.astype(np.min_scalar_type(len(values.distinct))))
    return values


@record(frozen=True, eq=False)
class _Picked(Rows):
    """Rows of `source` in another order: those at the positions `at`."""

    source: Rows | None = None
    at: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    def place(self, role: str, row: int, column: int | None = None) -> Place:
        """Return the place of a row in its file."""
        assert self.source is not None
        return self.source.place(role, int(self.at[row]), column)

    def cut(self, first: int, last: int) -> Rows:
        """Return the rows from `first` up to but not including `last`."""
        return replace(super().cut(first, last), at=self.at[first:last])


def ids_of(source: Source, column: Pick, most: int | None = None) -> Iterator[tuple[str, Place]]:
    """Yield the ids of a repeatable source with their places, up to about `most` rows."""
    count = 0
    for rows, ids in _read(source, column):
        for row, one in enumerate(ids):
            yield one, rows.place("id", row)
        count += rows.count
        if most is not None and count >= most:
            return


def ids_at(source: Source, column: Pick, positions: Sequence[int]) -> list[str]:
    """Return the ids at these positions, read again, in order; for a stream the row numbers."""
    wanted, found, start = sorted(positions), list[str](), 0
    if not source.repeatable:
        return [f"row {position + 1:,}" for position in wanted]
    for _, ids in _read(source, column):
        end = start + len(ids)
        found += [ids[position - start] for position in wanted[len(found) :] if position < end]
        if len(found) == len(wanted):
            break
        start = end
    return found


def _read(source: Source, column: Pick) -> Iterator[tuple[Rows, Sequence[str]]]:
    """Yield the rows of a repeatable source piece by piece, each with its ids."""
    for part in source.parts():
        for rows in part.pieces({"id": Pick(column.columns, "text")}):
            yield rows, texts_of(rows.values["id"])


def twice(name: str, again: Place, first: Place | None, count: int, advice: str = "") -> DataError:
    """Return the error for an id that appears at two places (`first` is None if unknown).

    `count` is the number of rows that repeat an earlier id.
    """
    line = "" if first is None or first.line is None else f" (line {first.line:,})"
    where = "" if first is None else f", first at row {first.row:,}{line}"
    more = f" ({count:,} rows repeat an id)" if count > 1 else ""
    return DataError(f"{name} appears twice{where}{more}", place=again, advice=advice)
