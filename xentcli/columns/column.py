"""A column of a table: numbers, texts, or dictionary-encoded texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xentcli.arrays import Array, Floats, Ints
from xentcli.columns.texts import Texts, joined
from xentcli.columns.vocabulary import Vocabulary
from xentcli.records import record

__all__ = ["Coded", "Values", "concatenated", "take", "texts_of"]


@record(frozen=True, eq=False)
class Coded:
    """A dictionary-encoded column: distinct texts, and for each row a code.

    >>> column = Coded(("cat", "dog"), np.array([1, 0, 1]))
    >>> column.tolist(), column[1:].tolist()
    (['dog', 'cat', 'dog'], ['cat', 'dog'])
    """

    distinct: Sequence[str]
    codes: Ints

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.codes)

    def __getitem__(self, rows: slice | Ints) -> Coded:
        """Return some rows."""
        return Coded(self.distinct, self.codes[rows])

    def __iter__(self) -> Iterator[str]:
        """Yield the text of each row."""
        return iter(self.tolist())

    def tolist(self) -> list[str]:
        """Return the text of each row."""
        names = list(self.distinct)
        return [names[code] for code in self.codes.tolist()]


Values = Floats | Array | list[str] | Texts | Coded
"""Floats (n, k), float64 or as stored; or one column: texts, or an array of numbers."""


def take(values: Values, rows: Ints) -> Values:
    """Return the values of these rows (i8[n]), in this order."""
    if isinstance(values, list):
        return [values[row] for row in rows.tolist()]
    return values.take(rows) if isinstance(values, Texts) else values[rows]


def texts_of(values: Values) -> Sequence[str]:
    """Return a column as texts."""
    if isinstance(values, Coded):
        return values.tolist()
    assert isinstance(values, list | Texts)
    return values


def concatenated(parts: Sequence[Values]) -> Values:
    """Concatenate columns; numbers and texts together become texts."""
    texts = [part for part in parts if isinstance(part, list | Texts | Coded)]
    if not texts:
        arrays: list[Array] = [part for part in parts if isinstance(part, np.ndarray)]
        return np.concatenate(arrays)
    coded = [part for part in texts if isinstance(part, Coded)]
    if not coded and len(texts) == len(parts):
        return joined([part for part in texts if not isinstance(part, Coded)])
    if len(coded) < len(parts):
        # One shard may hold numbers and the next text: then all become text, with true as 1.
        return [str(value) for part in parts for value in _plain(part)]
    if all(part.distinct is coded[0].distinct for part in coded):
        # Parts that one column was cut into.
        return Coded(coded[0].distinct, np.concatenate([part.codes for part in coded]))
    vocabulary = Vocabulary()
    places = [vocabulary.add(part.distinct) for part in coded]
    kind = np.result_type(np.min_scalar_type(len(vocabulary)), *(part.codes.dtype for part in coded))
    moved = [where.astype(kind)[part.codes] for where, part in zip(places, coded, strict=True)]
    return Coded(vocabulary.names, np.concatenate(moved))


def _plain(part: Values) -> Sequence[object]:
    """A column as plain values."""
    if isinstance(part, list | Texts):
        return part
    if isinstance(part, Coded):
        return part.tolist()
    values: list[object] = (part.astype(np.uint8) if part.dtype == np.bool_ else part).tolist()
    return values
