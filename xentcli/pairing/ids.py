"""Ids for messages; read again if possible, since only hashes of ids are kept in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xentcli.columns.column import texts_of
from xentcli.errors import DataError, Place
from xentcli.readers.source import Pick, Source

__all__ = ["ids_at", "ids_of", "place_of", "twice"]


def ids_of(source: Source, column: Pick, most: int | None = None) -> Iterator[tuple[str, Place]]:
    """Yield the ids of a repeatable source with their places, up to about `most` rows."""
    count = 0
    for part in source.parts():
        for rows in part.pieces({"id": Pick(column.columns, "text")}):
            for row, one in enumerate(texts_of(rows.values["id"])):
                yield one, rows.place("id", row)
            count += rows.count
            if most is not None and count >= most:
                return


def ids_at(source: Source, column: Pick, positions: Sequence[int]) -> list[str]:
    """Return the ids at these positions, read again, in order; for a stream the row numbers."""
    wanted, found = iter(sorted(positions)), []
    if not source.repeatable:
        return [f"row {position + 1:,}" for position in wanted]
    position = next(wanted, None)
    start = 0
    for part in source.parts():
        for rows in part.pieces({"id": Pick(column.columns, "text")}):
            ids = texts_of(rows.values["id"])
            while position is not None and position < start + len(ids):
                found.append(ids[position - start])
                position = next(wanted, None)
            start += len(ids)
        if position is None:
            break
    return found


def place_of(source: Source, column: Pick, wanted: str) -> Iterator[Place]:
    """Yield the places of an id, in order."""
    return (place for one, place in ids_of(source, column) if one == wanted)


def twice(name: str, again: Place, first: Place | None, count: int, advice: str = "") -> DataError:
    """Return the error for an id that appears at two places (`first` is None if unknown).

    `count` is the number of rows that repeat an earlier id.
    """
    line = "" if first is None or first.line is None else f" (line {first.line:,})"
    where = "" if first is None else f", first at row {first.row:,}{line}"
    more = f" ({count:,} rows repeat an id)" if count > 1 else ""
    return DataError(f"{name} appears twice{where}{more}", place=again, advice=advice)
