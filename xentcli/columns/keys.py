"""Keys: distinct keys of rows, and a code for each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xentcli.arrays import Ints, distinct
from xentcli.columns.column import Coded
from xentcli.columns.texts import Texts
from xentcli.columns.vocabulary import Vocabulary

__all__ = ["Keys", "coded", "crossed", "joined_keys"]

Keys = tuple[Sequence[Any], Ints]
"""Distinct keys, and i8[n]: the index of each row's key."""


def coded(keys: Any) -> Keys:
    """Return the distinct keys, and the index of each row's key.

    `keys` are a sequence, an array of whole numbers, or a dictionary-coded column.

    >>> names, codes = coded(["b", "a", "b"])
    >>> names, codes.tolist()
    (['b', 'a'], [0, 1, 0])
    """
    if isinstance(keys, np.ndarray):
        found, _, places = distinct(keys)
        return found.tolist(), places
    if isinstance(keys, Coded):
        found, _, places = distinct(keys.codes)
        if isinstance(keys.distinct, Texts):
            return keys.distinct.take(found.astype(np.int64)), places
        return [keys.distinct[code] for code in found.tolist()], places
    vocabulary = Vocabulary()
    codes = vocabulary.add(keys)
    return vocabulary.names, codes


def crossed(columns: Sequence[Keys]) -> Keys:
    """Return the combined keys of several columns as tuples; for one column its own keys.

    >>> names, codes = crossed([(["a", "b"], np.array([0, 1, 0])), (["x"], np.array([0, 0, 0]))])
    >>> names, codes.tolist()
    ([('a', 'x'), ('b', 'x')], [0, 1, 0])
    """
    if len(columns) == 1:
        return columns[0]
    code = columns[0][1]
    for names, codes in columns[1:]:
        code = code * len(names) + codes
    _, first, places = distinct(code)
    picked = [[names[place] for place in codes[first].tolist()] for names, codes in columns]
    return list(zip(*picked, strict=True)), places


def joined_keys(pieces: Sequence[Keys]) -> Keys:
    """Return the keys of the rows of several pieces."""
    if len(pieces) == 1:
        return pieces[0]
    vocabulary = Vocabulary()
    codes = [vocabulary.add(names)[codes] for names, codes in pieces]
    return vocabulary.names, np.concatenate(codes)
