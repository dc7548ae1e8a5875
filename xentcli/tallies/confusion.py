"""How often each pair of true and predicted class occurred."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field

import numpy as np

from xentcli.arrays import Ints, distinct
from xentcli.records import cached_property, record
from xentcli.tallies.block import Block
from xentcli.tallies.tally import Tally

__all__ = ["MOST_CLASSES", "Confusion", "Counts", "Pairs", "counted"]

MOST_CLASSES = 1000


@record(frozen=True, eq=False)
class Counts(Tally):
    """How often each code occurred; kept in a few pieces, so that many merges cost little.

    A piece is the sorted codes (i8[m]) and their counts (i8[m]).
    """

    pieces: tuple[tuple[Ints, Ints], ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether each piece has a count for each code, sorted."""
        shapes = all(codes.ndim == 1 and codes.shape == counts.shape for codes, counts in self.pieces)
        return shapes and all(
            bool((counts > 0).all() and (np.diff(codes, prepend=-1) > 0).all()) for codes, counts in self.pieces
        )

    def merge(self, other: Counts) -> Counts:
        """Return the counts of both; a piece is joined to the next longer one unless that one is twice as long."""
        pieces = sorted((*self.pieces, *other.pieces), key=lambda piece: -len(piece[0]))
        while len(pieces) > 1 and 2 * len(pieces[-1][0]) > len(pieces[-2][0]):
            joined = _joined(pieces[-2:])
            pieces = sorted((*pieces[:-2], joined), key=lambda piece: -len(piece[0]))
        return Counts(tuple(pieces))

    @property
    def all(self) -> tuple[Ints, Ints]:
        """The codes that occurred, sorted, and how often each did."""
        nothing = np.zeros(0, dtype=np.int64)
        return _joined(self.pieces) if len(self.pieces) > 1 else self.pieces[0] if self.pieces else (nothing, nothing)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield each code and its count."""
        codes, counts = self.all
        yield from zip(codes.tolist(), counts.tolist(), strict=True)

    def __eq__(self, other: object) -> bool:
        """Compare by what was counted."""
        return isinstance(other, Counts) and list(self) == list(other)


def _joined(pieces: Sequence[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    return counted(np.concatenate([codes for codes, _ in pieces]), np.concatenate([counts for _, counts in pieces]))


@record(frozen=True)
class Confusion(Tally):
    """How many rows with a hard label have each pair of true and predicted class.

    Attributes
    ----------
    classes
        K where a row has one label, else 0.
    counts
        The rows of true class t and predicted class p, by K t + p.
    """

    classes: int = 0
    counts: Counts = field(default_factory=Counts)

    @property
    def is_sound(self) -> bool:
        """Whether each pair is of two of the classes."""
        most = self.classes**2
        return 0 <= self.classes <= MOST_CLASSES and all((codes < most).all() for codes, _ in self.counts.pieces)

    @classmethod
    def of(cls, block: Block) -> Confusion:
        """Tally rows: no pairs of soft targets, nor of 0 or more than MOST_CLASSES classes."""
        figures, classes = block.figures, block.wants.confused
        if not len(figures.rows) or not 0 < classes <= MOST_CLASSES:
            return cls()
        codes = figures.index * classes
        codes += figures.predicted
        if figures.some_soft:
            codes = codes[~figures.soft]
        return cls(classes, Counts((counted(codes),)))

    def merge(self, other: Confusion) -> Confusion:
        """Return the pairs of the rows of both."""
        return Confusion(max(self.classes, other.classes), self.counts.merge(other.counts))

    @cached_property
    def pairs(self) -> Pairs:
        """The pairs that occur."""
        codes, counts = self.counts.all
        true, predicted = np.divmod(codes, max(1, self.classes))
        return Pairs(true, predicted, counts)


@record(frozen=True, eq=False)
class Pairs:
    """i8[m] each: a true class, a predicted class, and how many rows have both; sorted, no two are the same."""

    true: Ints
    predicted: Ints
    counts: Ints

    @cached_property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.counts.sum())

    def accuracy(self, order: Sequence[int] | None = None) -> float:
        """Return the share of rows whose predicted class, mapped by `order`, is the true one."""
        predicted = self.predicted if order is None else np.array(order)[self.predicted]
        return int(self.counts[self.true == predicted].sum()) / self.rows

    @property
    def by_chance(self) -> float:
        """The accuracy to expect if predicted and true classes were independent: sum_c of the product of shares."""
        true, predicted = (np.bincount(of, self.counts) / self.rows for of in (self.true, self.predicted))
        both = min(len(true), len(predicted))
        return float(true[:both] @ predicted[:both])


def counted(codes: Ints, counts: Ints | None = None) -> tuple[Ints, Ints]:
    """Return the distinct codes, sorted, and their counts; `counts` (i8[n]) are the multiplicities of `codes`."""
    if len(codes) and int(codes.max()) >= 4 * len(codes):
        found, _, places = distinct(codes)
        return found.astype(np.int64, copy=False), _sums(places, counts)
    dense = _sums(codes, counts)
    (found,) = dense.nonzero()
    return found, dense[found]


def _sums(places: Ints, counts: Ints | None) -> Ints:
    """The sum of the counts at each place; as doubles they are exact below 2**53."""
    return np.bincount(places, counts).astype(np.int64)
