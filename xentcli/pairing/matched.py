"""Matched: counts which ids of the predictions the labels' side has, and which ids either side lacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import NamedTuple

import numpy as np

from xentcli.arrays import Ints, Words
from xentcli.errors import DataError, Place, shown
from xentcli.pairing import near
from xentcli.pairing.counts import models_advice
from xentcli.pairing.join import Join, Keys, ids_at, ids_of, twice
from xentcli.readers.source import Pick, Source, files_in
from xentcli.records import record
from xentcli.settings import Settings

__all__ = ["Lacking", "Matched"]

FEW = 3
"""Number of ids named in a message."""
_CANDIDATES = 16
_LOOK_AT = 1 << 18
"""Number of rows searched for the nearest id."""


class Lacking(NamedTuple):
    """Numbers of rows without a partner among predictions and labels, and the first ids of each."""

    predictions: int
    labels: int
    prediction_ids: tuple[str, ...]
    label_ids: tuple[str, ...]


@record(frozen=False, eq=False)
class Matched:
    """The matching of ids so far, with repeated and missing ids.

    Attributes
    ----------
    join, source, column
        The labels' side: its join, source, and column of ids.
    predictions, id_column
        The source of the predictions, and its column of ids.
    used
        One byte per row of the labels' side: 1 if it has a prediction.
    absent
        With --subset the hashes (u8[n] each) and rows (i8[n]) of ids that the labels' side lacks: 24 bytes per id.
    settings
        The options.
    """

    join: Join
    source: Source
    column: Pick
    predictions: Source
    id_column: Pick
    used: bytearray
    settings: Settings
    seen: int = 0
    missing: int = 0
    twice: int = 0
    missing_examples: tuple[str, ...] = ()
    first_twice: tuple[str, int] = ("", 0)
    absent: list[tuple[Words, Words, Ints]] = field(default_factory=list)

    @property
    def faulty(self) -> bool:
        """Whether an id was repeated, or missing without --subset."""
        return bool(self.twice or (self.missing and not self.settings.subset))

    def note(self, ids: Sequence[str], positions: Ints) -> None:
        """Record the ids of rows of the predictions, and their positions on the labels' side (-1: missing)."""
        begin, self.seen = self.seen, self.seen + len(positions)
        there = positions >= 0
        rows = np.arange(begin, self.seen)
        if not there.all():
            absent = np.flatnonzero(~there)
            self.missing += len(absent)
            examples = (ids[row] for row in absent[:_CANDIDATES].tolist())
            self.missing_examples = (*self.missing_examples, *examples)[:_CANDIDATES]
            if self.settings.subset:
                self.absent.append((*self.join.keys.hash.of([ids[row] for row in absent.tolist()]), absent + begin))
            positions, rows = positions[there], rows[there]
        used = np.frombuffer(self.used, np.uint8)
        ordered = np.sort(positions)
        if (ordered[1:] != ordered[:-1]).all() and not used[positions].any():
            used[positions] = 1
            return
        for row, position in zip(rows.tolist(), positions.tolist(), strict=True):
            if self.used[position]:
                self.first_twice = self.first_twice if self.twice else (ids[row - begin], row)
                self.twice += 1
            self.used[position] = 1

    @property
    def unused(self) -> int:
        """The number of rows of the labels' side without a prediction."""
        # Other shards may have the missing ones.
        return 0 if self.settings.shard is not None else len(self.used) - sum(self.used)

    @property
    def lacking(self) -> Lacking:
        """The rows without a partner on either side."""
        few = ids_at(self.source, self.column, self._unused_rows()) if self.unused else []
        return Lacking(self.missing, self.unused, self.missing_examples[:FEW], tuple(few))

    def _unused_rows(self) -> list[int]:
        rows: list[int] = np.flatnonzero(np.frombuffer(self.used, np.uint8) == 0)[:FEW].tolist()
        return rows

    def finish(self) -> None:
        """Check that every id of either side occurs exactly once on the other.

        Raises DataError with counts and examples, the nearest id if there is one, and --subset if it helps.
        """
        self._note_absent_twice()
        if self.twice:
            raise self._repeated()
        unused, both = self.unused, sum(self.used)
        # A stream is not read beyond the first missing id.
        every = self.settings.subset or self.predictions.repeatable
        if self.missing and (not self.settings.subset or not both):
            of = f" ({both:,} {'is' if both == 1 else 'are'})" if both and every else ""
            nearly = tuple(self._nearly())
            raise DataError(
                f"{_ids(self.missing)} in {self.source.path}: {_examples(self.missing_examples)}{of}",
                place=Place(self.predictions.path),
                advice=(*nearly, *self._ways_out(both, bool(nearly))),
            )
        if unused and not self.settings.subset:
            examples = ids_at(self.source, self.column, self._unused_rows())
            raise DataError(
                f"{_ids(unused)} in {self.predictions.path}: {_examples(examples, quoted=self.source.repeatable)}",
                place=Place(self.source.path),
                advice=f"--subset scores the {_rows(both)} that both files have",
            )

    def _ways_out(self, both: int, is_near: bool) -> Iterator[str]:
        if both and not self.settings.subset:
            yield f"--subset scores the {_rows(both) if self.predictions.repeatable else 'rows'} that both files have"
        elif self.source.repeatable and self.join.rows.count and not is_near:
            first = ids_at(self.source, self.column, range(min(FEW, self.join.rows.count)))
            yield f"ids of {self.source.path}: {_examples(first)}"

    def _note_absent_twice(self) -> None:
        """Find repeated ids of the predictions that the labels' side lacks."""
        if self.twice or not self.absent:
            return
        first, second, rows = map(list, zip(*self.absent, strict=True))
        repeated = Keys.of(self.join.keys.hash, first, second).repeated()
        if repeated is not None:
            at, _, self.twice = repeated
            row = int(np.concatenate(rows)[at])
            name = ids_at(self.predictions, self.id_column, [row])[0] if self.predictions.repeatable else ""
            self.first_twice = name, row

    def _repeated(self) -> DataError:
        """The error for a repeated id of the predictions, with both places if they can be read again."""
        name, row = self.first_twice
        again, first = Place(self.predictions.path, row + 1), None
        if self.predictions.repeatable:
            places = (place for one, place in ids_of(self.predictions, self.id_column) if one == name)
            first, again = next(places), next(places)
        return twice(f"id {shown(name)}" if name else "an id", again, first, self.twice, self._models())

    def _models(self) -> str:
        """The command that compares the files of the predictions, if they have as many rows as all labels in each."""
        source, files = self.predictions, len(files_in(self.predictions))
        if files < 2 or not source.repeatable or "label" not in self.join.rows.values:
            return ""
        rows = source.lines() - files * bool(source.header)
        return models_advice(source, self.source, self.settings) if rows == files * self.join.rows.count else ""

    def _nearly(self) -> Iterator[str]:
        """Yield how the first id without a partner that resembles an unused one differs, and the commands that help."""
        if not (self.missing and self.source.repeatable):
            return
        wanted: dict[str, str] = {}
        for missing in self.missing_examples:
            wanted.setdefault(near.loose(missing), missing)
        for row, (other, _) in enumerate(ids_of(self.source, self.column, _LOOK_AT)):
            one = None if self.used[row] else wanted.get(near.loose(other))
            if one is not None and (steps := near.differing(one, other)):
                yield f"{shown(one)} is {shown(other)} in {self.source.path}: they differ by {near.names_of(steps)}"
                for text, source, pick in (
                    (one, self.predictions, self.id_column),
                    (other, self.source, self.column),
                ):
                    if changing := [step for step in steps if near.without(text, steps) != text]:
                        yield near.clean_copy(source, pick.columns[0], changing)
                return


def _rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"


def _ids(count: int) -> str:
    return "1 id is not" if count == 1 else f"{count:,} ids are not"


def _examples(ids: Sequence[str], *, quoted: bool = True) -> str:
    return ", ".join(shown(one) if quoted else one for one in ids[:FEW])
