"""Rows whose loss is infinite, and rows whose loss clipping changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from xentcli.arrays import Floats, Ints
from xentcli.records import record
from xentcli.tallies.exact import ExactSum
from xentcli.tallies.moments import Mean
from xentcli.tallies.tally import Tally

__all__ = ["Clipping", "Infinite"]

FIRST_ROWS = 10
"""How many row numbers are kept."""


def _first(rows: Iterable[int]) -> tuple[int, ...]:
    """The smallest distinct row numbers; a row whose predictions are a list may occur several times."""
    return tuple(dict.fromkeys(sorted(rows)))[:FIRST_ROWS]


@record(frozen=True)
class Infinite(Tally):
    """The rows whose loss is infinite: how many, the first of them, their weight."""

    count: int = 0
    first: tuple[int, ...] = ()
    weight: ExactSum = ExactSum()

    @property
    def is_sound(self) -> bool:
        """Whether the first rows are row numbers in order."""
        return self.first == _first(row for row in self.first if row > 0) and len(self.first) <= self.count

    def renumbered(self, moved: Callable[[int], int]) -> Infinite:
        """Return the same rows under other numbers."""
        return Infinite(self.count, tuple(map(moved, self.first)), self.weight)

    @classmethod
    def of(cls, loss: Floats, weight: Floats | None, rows: Ints) -> Infinite:
        """Tally the infinite losses (f8[n]) by row number (i8[n]); `weight` is b (f8[n]), None for 1 each."""
        (where,) = np.isinf(loss).nonzero()
        if not len(where):
            return cls()
        mass = np.ones(len(where)) if weight is None else weight[where]
        return cls(len(where), _first(rows[where].tolist()), ExactSum.of(mass))

    def merge(self, other: Infinite) -> Infinite:
        """Return the rows of both."""
        return Infinite(
            self.count + other.count,
            _first(self.first + other.first),
            self.weight.merge(other.weight),
        )


@record(frozen=True)
class Clipping(Tally):
    """The effect of clipping: how many rows it changed, their part of the cost, and the mean loss without it."""

    count: int = 0
    changed: ExactSum = ExactSum()
    without: Mean = Mean()

    @classmethod
    def of(cls, loss: Floats, raw_loss: Floats | None, weight: Floats | None, mass: Floats | None = None) -> Clipping:
        """Tally losses (f8[n]) and those before clipping, None where nothing is clipped; weights as in `Mean.of`."""
        if raw_loss is None:
            return cls()
        changed = loss != raw_loss
        part = Mean.of(loss[changed], None if weight is None else weight[changed])
        return cls(int(changed.sum()), part.a, Mean.of(raw_loss, weight, mass))
