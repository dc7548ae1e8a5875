"""What is tallied for the diagnoses: small, exact and mergeable.

How often each pair of true and predicted class occurred, and what only the predictions
themselves show, most of which the first rows rule out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import Self

import numpy as np

from xentcli.arrays import Ints, distinct
from xentcli.records import record
from xentcli.scoring.batch import Batch
from xentcli.scoring.losses import Workings
from xentcli.scoring.rows import row_sums
from xentcli.tallies.moments import Mean
from xentcli.tallies.scores import Figures

__all__ = ["Counts", "Looks", "Pairs", "Symptoms", "counted"]

MOST_CLASSES = 1000
_FEW = 8
_CERTAIN: Mapping[str, tuple[float, float]] = {
    "probs": (0.0, 1.0),
    "true-probs": (0.0, 1.0),
    "logprobs": (-np.inf, 0.0),
    "true-logprobs": (-np.inf, 0.0),
}
"""What the probabilities 0 and 1 are in predictions of a kind."""


@record(frozen=True, eq=False)
class Counts:
    """How often each of some codes occurred; a few pieces, so that many merges cost little.

    A piece is the sorted codes (i8[m]) and their counts (i8[m]).
    """

    pieces: tuple[tuple[Ints, Ints], ...] = ()

    def merge(self, other: Counts) -> Counts:
        """Return the counts of both; a piece is joined to one that is not twice as long."""
        pieces = sorted((*self.pieces, *other.pieces), key=lambda piece: -len(piece[0]))
        while len(pieces) > 1 and 2 * len(pieces[-1][0]) > len(pieces[-2][0]):
            joined = _joined(pieces[-2:])
            pieces = sorted((*pieces[:-2], joined), key=lambda piece: -len(piece[0]))
        return Counts(tuple(pieces))

    @property
    def all(self) -> tuple[Ints, Ints]:
        """The codes that occurred, sorted, and how often each did."""
        nothing = np.zeros(0, dtype=np.int64)
        return _joined(self.pieces) if self.pieces else (nothing, nothing)

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
class Looks:
    """What the predictions of all rows so far have in common; each is kept until a row rules it out.

    Attributes
    ----------
    hard
        Whether every prediction is 0 or 1.
    probable
        Whether every row of logits could be probabilities.
    twice
        The mean confidence where every row could be the softmax of probabilities, else None.
    """

    hard: bool = True
    probable: bool = True
    twice: Mean | None = Mean()

    @classmethod
    def nothing(cls) -> Self:
        """Return what predictions have in common of which nothing is known."""
        return cls(False, False, None)

    @property
    def open(self) -> bool:
        """Whether there is anything left that further rows could rule out."""
        return self.hard or self.probable or self.twice is not None

    def at(self, work: Workings, *, glance: bool = False) -> Looks:
        """Look at further rows; with `glance` they will be looked at again, and only what they rule out counts."""
        batch = work.batch
        hard = self.hard and _hard(batch)
        probable = self.probable and _probable(batch)
        if self.twice is None or not _twice(batch):
            return Looks(hard, probable, None)
        return Looks(hard, probable, self.twice if glance else self.twice.merge(Mean.of(work.confidence, None)))

    def merge(self, other: Looks) -> Looks:
        """Return what the rows of both have in common."""
        twice = None if self.twice is None or other.twice is None else self.twice.merge(other.twice)
        return Looks(self.hard and other.hard, self.probable and other.probable, twice)


@record(frozen=True)
class Symptoms:
    """What is kept for the diagnoses.

    Attributes
    ----------
    classes
        K where a row has one label, else 0.
    counts
        How many rows with a hard label have a true class t and a predicted class p, by K t + p.
    looks
        What all predictions have in common.
    """

    classes: int = 0
    counts: Counts = field(default_factory=Counts)
    looks: Looks = Looks()

    @classmethod
    def empty(cls) -> Self:
        """Return the symptoms of no rows."""
        return cls()

    @classmethod
    def of(cls, figures: Figures, classes: int, looks: Looks) -> Symptoms:
        """Tally rows: no pairs of soft targets, nor of 0 or more than MOST_CLASSES classes."""
        if not len(figures.rows) or not 0 < classes <= MOST_CLASSES:
            return cls(looks=looks)
        codes = figures.index * classes
        codes += figures.predicted
        if figures.soft.any():
            codes = codes[~figures.soft]
        return cls(classes, Counts((counted(codes),)), looks)

    def merge(self, other: Symptoms) -> Symptoms:
        """Return the symptoms of both."""
        return Symptoms(
            max(self.classes, other.classes), self.counts.merge(other.counts), self.looks.merge(other.looks)
        )

    @cached_property
    def pairs(self) -> Pairs:
        """How many rows have a true class and a predicted class."""
        codes, counts = self.counts.all
        true, predicted = np.divmod(codes, max(1, self.classes))
        return Pairs(true, predicted, counts)


@record(frozen=True, eq=False)
class Pairs:
    """i8[m] each: a true class, a predicted class, and how many rows have both; sorted, no two are the same."""

    true: Ints
    predicted: Ints
    counts: Ints

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.counts.sum())

    def accuracy(self, order: Sequence[int] | None = None) -> float:
        """Return the share of rows whose predicted class, sent through `order`, is the true one."""
        predicted = self.predicted if order is None else np.array(order)[self.predicted]
        return int(self.counts[self.true == predicted].sum()) / self.rows

    @property
    def by_chance(self) -> float:
        """The accuracy to expect if predicted and true classes were independent: sum_c of the product of shares."""
        true, predicted = (np.bincount(of, self.counts) / self.rows for of in (self.true, self.predicted))
        both = min(len(true), len(predicted))
        return float(true[:both] @ predicted[:both])


def counted(codes: Ints, counts: Ints | None = None) -> tuple[Ints, Ints]:
    """Return the codes that occur, sorted, and how often: each counts once, or as often as `counts` says."""
    if len(codes) and int(codes.max()) >= 4 * len(codes):
        found, _, places = distinct(codes)
        return found.astype(np.int64, copy=False), _sums(places, counts)
    dense = _sums(codes, counts)
    found = np.flatnonzero(dense)
    return found, dense[found]


def _sums(places: Ints, counts: Ints | None) -> Ints:
    """The sum of the counts at each place; as doubles they are exact below 2**53."""
    return np.bincount(places, counts).astype(np.int64)


def _hard(batch: Batch) -> bool:
    """Whether every probability is 0 or 1; the first rows usually say no."""
    if batch.kind not in _CERTAIN:
        return False
    low, high = _CERTAIN[batch.kind]

    return all(bool(((q == low) | (q == high)).all()) for q in (batch.predictions[:_FEW], batch.predictions))


def _probable(batch: Batch) -> bool:
    """Whether every row given as logits could be probabilities; the first row usually says no."""
    logits = batch.predictions
    if batch.kind != "logits":
        return False
    if batch.binary or batch.multilabel:
        return bool(((logits >= 0) & (logits <= 1)).all())
    with np.errstate(over="ignore", invalid="ignore"):
        return all(
            bool((rows >= 0).all() and (np.abs(row_sums(rows) - 1) <= 0.001).all()) for rows in (logits[:1], logits)
        )


def _twice(batch: Batch) -> bool:
    """Whether each row is the softmax of some probabilities p; the first rows usually say no.

    Then ln q = p - c, and sum p = 1 gives p = ln q - mean(ln q) + 1/K, which must lie from 0 to 1.
    """
    if batch.target is None or batch.multilabel or batch.kind != "probs" or batch.binary:
        return False
    if batch.classes > MOST_CLASSES:
        return False
    slack, q = 1e-6, batch.predictions
    for rows in (q[:_FEW], q):
        if (rows <= 0).any():
            return False
        logs = np.log(rows)
        p = logs - logs.mean(axis=1, keepdims=True) + 1 / batch.classes
        if (p < -slack).any() or (p > 1 + slack).any():
            return False
    return True
