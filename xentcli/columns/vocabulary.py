"""Which texts differ, and a place for each that was met."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xentcli.arrays import Ints
from xentcli.columns.texts import Texts

__all__ = ["Vocabulary", "alike"]

_SLOT_BITS = 14
_ROUNDS = 8
_PROBES = 64
_ROOM = 1 << 10


def alike(texts: Texts) -> tuple[Ints, Ints] | None:
    """Return one place of each text that occurs (i8[m]), and for each text which of these is its own (i8[n]).

    None where too many seem the same at first sight, as only texts made for it do.

    >>> words = np.array([[0x61, 0x62, 0x61]], dtype=np.uint64)
    >>> first, codes = alike(Texts(words, np.array([1, 1, 1])))
    >>> sorted(first.tolist()), words[0, first[codes]].tolist()
    ([1, 2], [97, 98, 97])
    """
    mixed, left = texts.mixed(), np.arange(len(texts))
    codes, found, count = np.empty(0, dtype=np.int64), [], 0
    bits = _SLOT_BITS
    for _ in range(_ROUNDS):
        slot = (mixed >> np.uint64(64 - bits)).view(np.int64)
        owner = np.full(1 << bits, -1)
        owner[slot] = left
        like = owner[slot]
        used = owner >= 0
        code = np.cumsum(used) + (count - 1)
        found.append(owner[used])
        if count:
            codes[left] = code[slot]
            other = np.flatnonzero(~texts.same(left, texts, like))
        else:
            codes = code[slot]
            other = np.flatnonzero(~texts.same(slice(None), texts, like))
        count += len(found[-1])
        # Two texts may share a slot, where they are told apart by other bits in the next round.
        if not len(other):
            return np.concatenate(found), codes
        left, mixed = left[other], mixed[other] * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(32)
        bits = max(_SLOT_BITS, (2 * len(left)).bit_length())
    return None


class Vocabulary:
    """Names, each with a place of its own.

    Texts are looked up many at once; of other names, and of texts once there were others, a
    dict holds the places.

    >>> vocabulary = Vocabulary()
    >>> vocabulary.add(["cat", "dog"]).tolist(), vocabulary.add(["dog", "emu"]).tolist(), list(vocabulary.names)
    ([0, 1], [1, 2], ['cat', 'dog', 'emu'])
    """

    def __init__(self) -> None:
        self._room = Texts(np.zeros((1, _ROOM), dtype=np.uint64), np.zeros(_ROOM, dtype=np.int64))
        self._count = 0
        # Where a text would stand by its mixed number, or behind: its place, -1 where there is none.
        self._table: Ints | None = np.full(2 * _ROOM, -1)
        self._places: dict[Any, int] = {}

    def __len__(self) -> int:
        """Return how many names there are."""
        return len(self._places) if self._table is None else self._count

    @property
    def names(self) -> Sequence[Any]:
        """The names in the order of their places."""
        return list(self._places) if self._table is None else self._texts

    @property
    def _texts(self) -> Texts:
        return Texts(self._room.words[:, : self._count], self._room.lengths[: self._count])

    def add(self, names: Sequence[Any]) -> Ints:
        """Return the place of each name (i8[n]); those that were not met get the next."""
        if self._table is not None:
            found = self._found(names, self._table_for(names)) if isinstance(names, Texts) else None
            if found is not None:
                return found
            self._places = {name: place for place, name in enumerate(self._texts)}
            self._table = None
        places = self._places
        return np.array([places.setdefault(name, len(places)) for name in names], dtype=np.int64)

    def _found(self, texts: Texts, table: Ints) -> Ints | None:
        """The place of each text, the new ones among them; None where too many fall together."""
        slots = _slots(texts, table)
        places = table[slots]
        # Most are known, and stand where they are looked for first.
        left = np.flatnonzero((places < 0) | ~self._room.same(places, texts, slice(None)))
        for _ in range(_PROBES):
            if not len(left):
                return places
            free = left[table[slots[left]] < 0]
            # Of several for one slot the last has it.
            table[slots[free]] = free
            new = free[table[slots[free]] == free]
            table[slots[new]] = self._count + np.arange(len(new))
            self._append(texts.take(new))
            at = table[slots[left]]
            same = self._room.same(at, texts, left)
            places[left[same]] = at[same]
            left = left[~same]
            slots[left] = (slots[left] + 1) % len(table)
        return None

    def _append(self, texts: Texts) -> None:
        where = slice(self._count, self._count + len(texts))
        self._room.words[: len(texts.words), where] = texts.words
        self._room.lengths[where] = texts.lengths
        self._count += len(texts)

    def _table_for(self, texts: Texts) -> Ints:
        """The table, with room for so many more texts."""
        assert self._table is not None
        most, words = self._count + len(texts), max(len(self._room.words), len(texts.words))
        if most > len(self._room) or words > len(self._room.words):
            known = self._texts
            size = max(most, 2 * len(known))
            self._room = Texts(np.zeros((words, size), dtype=np.uint64), np.zeros(size, dtype=np.int64))
            self._count = 0
            self._append(known)
        if 2 * most > len(self._table):
            self._table = np.full(1 << (4 * most).bit_length(), -1)
            slots, left = _slots(self._texts, self._table), np.arange(self._count)
            while len(left):
                free = left[self._table[slots[left]] < 0]
                self._table[slots[free]] = free
                left = left[self._table[slots[left]] != left]
                slots[left] = (slots[left] + 1) % len(self._table)
        return self._table


def _slots(texts: Texts, table: Ints) -> Ints:
    """i8[n]: where each text would stand in a table of 2**b places."""
    slots: Ints = (texts.mixed() >> np.uint64(65 - len(table).bit_length())).astype(np.int64)
    return slots
