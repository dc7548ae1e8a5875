"""Find distinct texts of a column, and assign codes to names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xentcli.arrays import Ints
from xentcli.columns.texts import Texts

__all__ = ["Vocabulary", "alike"]

_SLOT_BITS = 14
_ROUNDS = 8


def alike(texts: Texts) -> tuple[Ints, Ints] | None:
    """Dictionary-encode texts: return an index of each distinct text (i8[m]) and a code for each text (i8[n]).

    Each round puts the texts into hash slots. One text per slot is a distinct one; texts in the same
    slot that differ from it go to the next round, with other bits of the hash. None if texts are
    left after the last round, which happens only for texts crafted to collide.

    >>> words = np.array([[0x61, 0x62, 0x61]], dtype=np.uint64)
    >>> first, codes = alike(Texts(words, np.array([1, 1, 1])))
    >>> sorted(first.tolist()), words[0, first[codes]].tolist()
    ([1, 2], [97, 98, 97])
    """
    mixed, left = texts.mixed(), np.arange(len(texts))
    codes, found, count = np.empty(0, dtype=np.int64), [], 0
    # Of few texts most of the time would go to empty slots.
    bits = min(_SLOT_BITS, (16 * len(left) + 1).bit_length())
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
        if not len(other):
            return np.concatenate(found), codes
        left, mixed = left[other], mixed[other] * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(32)
        bits = max(bits, (2 * len(left)).bit_length())
    return None


class Vocabulary:
    """Assigns consecutive codes to names.

    A dict: with 5,000 groups a run with --by takes 5 % more than with a hash table in NumPy.

    >>> vocabulary = Vocabulary()
    >>> vocabulary.add(["cat", "dog"]).tolist(), vocabulary.add(["dog", "emu"]).tolist(), vocabulary.names
    ([0, 1], [1, 2], ['cat', 'dog', 'emu'])
    """

    def __init__(self) -> None:
        self._places: dict[Any, int] = {}

    def __len__(self) -> int:
        """Return how many names there are."""
        return len(self._places)

    @property
    def names(self) -> list[Any]:
        """The names in the order of their codes."""
        return list(self._places)

    def add(self, names: Sequence[Any]) -> Ints:
        """Return the code of each name (i8[n]); new names get the next codes."""
        names, places = list(names), self._places
        found = list(map(places.get, names))
        if None in found:
            found = [places.setdefault(name, len(places)) for name in names]
        return np.array(found, dtype=np.int64)
