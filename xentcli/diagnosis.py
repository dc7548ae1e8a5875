"""From tallies to warnings: what data look like that a known mistake was made with.

Each finding has its evidence and the option that would mend it; nothing is repaired.
What is kept for it costs little: pairs of true and predicted class, the mean confidence,
and whether every row could be a softmax of a softmax, of which the first rows mostly
say no.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import field
from functools import cached_property
from typing import Self

import numpy as np

from xentcli.arrays import Floats, Ints, distinct
from xentcli.losses import Workings
from xentcli.records import record
from xentcli.report import Warning
from xentcli.scores import Figures, Scores
from xentcli.tallies import Mean

__all__ = ["LEAST_ROWS", "Counts", "Symptoms", "better_order", "findings", "worse_than_prior"]

LEAST_ROWS = 30
"""Of fewer rows any pattern may be chance."""
MOST_CLASSES = 1000
_FEW = 8


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
    return _counted(np.concatenate([codes for codes, _ in pieces]), np.concatenate([counts for _, counts in pieces]))


@record(frozen=True)
class Symptoms:
    """What is kept of rows with hard labels.

    Attributes
    ----------
    classes
        K.
    counts
        How many rows have a true class t and a predicted class p, by K t + p.
    confidence
        The mean probability of the predicted class.
    twice
        Whether every row could be the softmax of probabilities.
    """

    classes: int = 0
    counts: Counts = field(default_factory=Counts)
    confidence: Mean = Mean()
    twice: bool = True

    @classmethod
    def empty(cls) -> Self:
        """Return the symptoms of no rows."""
        return cls()

    @classmethod
    def of(cls, figures: Figures, classes: int, twice: Mean | None) -> Symptoms:
        """Tally rows: no pairs of soft targets, and nothing of no classes or more than MOST_CLASSES.

        `twice` is the mean confidence where every row could be a softmax of probabilities, else None.
        """
        if not len(figures.rows) or not 0 < classes <= MOST_CLASSES:
            return cls()
        codes = figures.index * classes
        codes += figures.predicted
        if figures.soft.any():
            codes = codes[~figures.soft]
        return cls(classes, Counts((_counted(codes),)), twice or Mean(), twice is not None)

    @staticmethod
    def twice_of(work: Workings, before: Mean | None) -> Mean | None:
        """Return the mean confidence of the rows before and these; None once a row is no softmax of probabilities."""
        batch = work.batch
        if before is None or batch.target is None or batch.multilabel or batch.kind != "probs" or batch.binary:
            return None
        if batch.classes > MOST_CLASSES or not _softmax_of_probabilities(batch.predictions):
            return None
        return before.merge(Mean.of(work.confidence, None))

    def merge(self, other: Symptoms) -> Symptoms:
        """Return the symptoms of both."""
        twice = self.twice and other.twice
        return Symptoms(
            max(self.classes, other.classes),
            self.counts.merge(other.counts),
            self.confidence.merge(other.confidence) if twice else Mean(),
            twice,
        )

    @cached_property
    def pairs(self) -> Pairs:
        """How many rows have a true class and a predicted class."""
        codes, counts = self.counts.all
        true, predicted = np.divmod(codes, max(1, self.classes))
        return Pairs(true, predicted, counts)


@record(frozen=True, eq=False)
class Pairs:
    """i8[m] each: a true class, a predicted class, and how many rows have both; no two are the same."""

    true: Ints
    predicted: Ints
    counts: Ints

    def accuracy(self, order: Sequence[int] | None = None) -> float:
        """Return the share of rows whose predicted class, sent through `order`, is the true one."""
        predicted = self.predicted if order is None else np.array(order)[self.predicted]
        return int(self.counts[self.true == predicted].sum()) / int(self.counts.sum())


def _counted(codes: Ints, counts: Ints | None = None) -> tuple[Ints, Ints]:
    """The codes that occur, sorted, and how often; each stands for so many, or for one."""
    if len(codes) and int(codes.max()) >= 4 * len(codes):
        found, _, places = distinct(codes)
        return found.astype(np.int64, copy=False), _sums(places, counts)
    dense = _sums(codes, counts)
    found = np.flatnonzero(dense)
    return found, dense[found]


def _sums(places: Ints, counts: Ints | None) -> Ints:
    """The sum of the counts at each place; as doubles they are exact below 2**53."""
    return np.bincount(places, counts).astype(np.int64)


def _softmax_of_probabilities(q: Floats) -> bool:
    """Whether each row is the softmax of some probabilities p.

    Then ln q = p - c, and sum p = 1 gives p = ln q - mean(ln q) + 1/K, which must lie from 0 to 1.
    """
    slack = 1e-6
    for rows in (q[:_FEW], q):
        if (rows <= 0).any():
            return False
        logs = np.log(rows)
        p = logs - logs.mean(axis=1, keepdims=True) + 1 / q.shape[1]
        if (p < -slack).any() or (p > 1 + slack).any():
            return False
    return True


def worse_than_prior(total: Scores, prior: float | None) -> bool:
    """Whether the cost is above that of always saying the class shares, by more than chance."""
    cost, error = total.cost.mean.value, total.cost.standard_error
    if prior is None or total.scored < LEAST_ROWS or error is None or total.classes.masses is not None:
        # A good model may be above the prior where weights favour what is rare.
        return False
    return cost > 1.02 * prior + 2 * error


def findings(
    total: Scores, symptoms: Symptoms, classes: Sequence[str], prior: float | None, *, named: bool = False
) -> Iterator[Warning]:
    """Yield what the tallies of all rows show.

    Parameters
    ----------
    total, symptoms
        The tallies.
    classes
        The names of the classes.
    prior
        The cost of always saying the class shares, in nats; None where it is undefined.
    named
        Whether the names of the classes stand in the file, above the columns.
    """
    if total.soft or total.scored < LEAST_ROWS:
        return
    worse, known = worse_than_prior(total, prior), bool(len(symptoms.pairs.counts))
    order = better_order(symptoms, len(classes)) if known and (worse or len(classes) > 2) else None
    if order is not None:
        yield _permuted(symptoms, classes, order, named)
    elif worse:
        assert prior is not None
        yield Warning(
            "worse-than-prior",
            f"the cost, {total.cost.mean.value:.4g} nats, is above {prior:.4g}, "
            "that of always saying the shares of the classes",
            "are labels and predictions of the same rows, in the same order?",
        )
    if not known:
        return
    if symptoms.twice and len(classes) > 2:
        yield from _twice(symptoms)
    if not total.column:
        yield from _never_predicted(symptoms, classes)


def better_order(symptoms: Symptoms, classes: int) -> list[int] | None:
    """Return for each predicted class the true one it mostly stands for, if that is another order that fits far better.

    None where it is not.
    """
    pairs = symptoms.pairs
    # By predicted class, the most frequent true one last; of equal ones the last class.
    by_count = np.lexsort((pairs.true, pairs.counts, pairs.predicted))
    predicted = pairs.predicted[by_count]
    last = np.flatnonzero(np.append(predicted[1:] != predicted[:-1], True))
    best = dict(zip(predicted[last].tolist(), pairs.true[by_count][last].tolist(), strict=True))
    taken = set(best.values())
    if len(taken) < len(best) or len(best) < 2:
        return None
    left = [t for t in range(classes) if t not in taken]
    order = [best[p] if p in best else left.pop(0) for p in range(classes)]
    if order == list(range(classes)):
        return None
    fitting = pairs.accuracy(order)
    return order if fitting > 0.5 and fitting > pairs.accuracy() + 0.2 else None


def _permuted(symptoms: Symptoms, classes: Sequence[str], order: Sequence[int], named: bool) -> Warning:
    names = ",".join(classes[t] for t in order[:12]) + (",..." if len(order) > 12 else "")
    return Warning(
        "columns-permuted",
        f"with the columns in another order {100 * symptoms.pairs.accuracy(order):.1f} % of the labels would be "
        f"predicted, not {100 * symptoms.pairs.accuracy():.1f} %",
        f"are the columns misnamed? They look like {names}"
        if named
        else f"if the columns are {names}: --classes {names}",
    )


def _twice(symptoms: Symptoms) -> Iterator[Warning]:
    confidence, accuracy = symptoms.confidence.value, symptoms.pairs.accuracy()
    if not math.isnan(confidence) and accuracy > confidence + 0.15:
        yield Warning(
            "softmax-twice",
            f"every row could be the softmax of probabilities: {100 * accuracy:.1f} % of the labels are predicted, "
            f"with a confidence of {100 * confidence:.1f} %",
            "was a softmax applied to what was softmax's output already? Save what went into the last one",
        )


def _never_predicted(symptoms: Symptoms, classes: Sequence[str]) -> Iterator[Warning]:
    """The classes with half an even share of the rows or more that no row is predicted to be."""
    pairs = symptoms.pairs
    rows = _sums(pairs.true, pairs.counts)
    least = max(10, int(rows.sum()) / (2 * len(classes)))
    often = rows >= least
    often[pairs.predicted[pairs.predicted < len(rows)]] = False
    never: list[int] = np.flatnonzero(often).tolist()
    if never:
        few = ", ".join(f"{classes[t]} ({rows[t]:,} rows)" for t in never[:5]) + (", ..." if len(never) > 5 else "")
        noun = "class is" if len(never) == 1 else "classes are"
        yield Warning("never-predicted", f"{len(never):,} {noun} never predicted: {few}", "--by-class shows each cost")
