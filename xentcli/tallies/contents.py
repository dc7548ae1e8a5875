"""Contents: a hash of the scored rows, by which runs over the same rows are recognised."""

from __future__ import annotations

import numpy as np

from xentcli.arrays import Words
from xentcli.records import record
from xentcli.tallies.block import Block
from xentcli.tallies.tally import Tally

__all__ = ["Contents"]

_WORD = 1 << 64
_ROW = np.uint64(0xD1342543DE82EF95)


@record(frozen=True)
class Contents(Tally):
    """The sum mod 2**64 of a hash of each scored row: of its number in its file, its class, loss and weight.

    However the rows are divided into runs, the sum over all is the same. Other rows, or the same in another order,
    have another sum but with a probability of 2**-64.

    >>> Contents(2**64 - 1).merge(Contents(3))
    Contents(total=2)
    """

    total: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether it is a sum mod 2**64."""
        return 0 <= self.total < _WORD

    def merge(self, other: Contents) -> Contents:
        """Return the sum over the rows of both."""
        return Contents((self.total + other.total) % _WORD)

    @classmethod
    def of(cls, block: Block) -> Contents:
        """Hash the rows of a block."""
        figures = block.figures
        found = (figures.rows - block.before).astype(np.uint64) * _ROW
        if len(figures.index) == len(found):
            # With --multilabel a row has no class of its own.
            found += figures.index.view(np.uint64)
        for values in (figures.loss, figures.weight):
            if values is not None:
                found = _mixed(found) ^ values.view(np.uint64)
        return cls(int(np.add.reduce(_mixed(found))))


def _mixed(words: Words) -> Words:
    """Return hashes of numbers (S. Vigna, SplitMix64)."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        words ^= words >> np.uint64(shift)
        words *= np.uint64(factor)
    words ^= words >> np.uint64(31)
    return words
