"""A column of lists of any length, such as the log-probability of each token of a text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import overload

import numpy as np

from xentcli.arrays import Array, Ints
from xentcli.records import cached_property, record

__all__ = ["Items", "Lists"]


@record(frozen=True, eq=False)
class Lists:
    """n lists, stored one after the other.

    Attributes
    ----------
    items
        The items of all lists, (m,).
    ends
        i8[n+1]: list i is items[ends[i]:ends[i+1]].

    >>> column = Lists(np.array([1.0, 2.0, 3.0]), np.array([0, 2, 2, 3]))
    >>> column.lengths.tolist(), column.origin.tolist(), column.position.tolist()
    ([2, 0, 1], [0, 0, 2], [0, 1, 0])
    >>> column[1:].flat.tolist(), column.tolist()
    ([3.0], [[1.0, 2.0], [], [3.0]])
    """

    items: Array
    ends: Ints

    def __len__(self) -> int:
        """Return the number of lists."""
        return len(self.ends) - 1

    def __getitem__(self, rows: slice) -> Lists:
        """Return some consecutive lists."""
        first, last, _ = rows.indices(len(self))
        return Lists(self.items, self.ends[first : max(first, last) + 1])

    @property
    def flat(self) -> Array:
        """(m,): the items of all lists."""
        return self.items[self.ends[0] : self.ends[-1]]

    @cached_property
    def lengths(self) -> Ints:
        """i8[n]: the length of each list."""
        return np.diff(self.ends)

    @cached_property
    def origin(self) -> Ints:
        """i8[m]: the index of the list of each item."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @cached_property
    def position(self) -> Ints:
        """i8[m]: the place of each item in its list, from 0."""
        return np.arange(self.ends[0], self.ends[-1]) - np.repeat(self.ends[:-1], self.lengths)

    def named(self, names: Sequence[object]) -> Items:
        """Return names for the items, which begin with the names of their lists."""
        return Items(names, self.origin, self.position)

    def tolist(self) -> list[list[object]]:
        """Return the lists as such."""
        bounds = self.ends.tolist()
        return [self.items[a:b].tolist() for a, b in pairwise(bounds)]


class Items(Sequence[str]):
    """The names of the items of lists, NAME[PLACE], created on access.

    Attributes
    ----------
    origin, position
        i8[m]: the list of each item, and its place in the list, from 0.

    >>> list(Items(["a", "b"], np.array([0, 1, 1]), np.array([4, 0, 1])))
    ['a[4]', 'b[0]', 'b[1]']
    """

    def __init__(self, names: Sequence[object], origin: Ints, position: Ints) -> None:
        self._names, self.origin, self.position = names, origin, position

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.origin)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Items: ...
    def __getitem__(self, at: int | slice) -> str | Items:
        """Return the name of an item, or those of a slice."""
        if isinstance(at, slice):
            return Items(self._names, self.origin[at], self.position[at])
        return f"{self._names[self.origin[at]]}[{self.position[at]}]"
