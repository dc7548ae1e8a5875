"""Detect predictions and labels that are one row apart, in the first rows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from xentcli.analysis.findings import Case, percent
from xentcli.arrays import Floats, Ints
from xentcli.engine.scorer import Head, Scorer
from xentcli.errors import Warning
from xentcli.pairing import Feed, Plan
from xentcli.pairing.alignment import Task
from xentcli.records import record, replace
from xentcli.scoring.batch import Batch
from xentcli.scoring.losses import Workings
from xentcli.scoring.measures import correct, gap
from xentcli.tallies.moments import Mean

__all__ = ["Shifted", "shift_warning"]

ENOUGH = 50_000
"""Rows that suffice to decide."""
ENOUGH_NUMBERS, LEAST = 1 << 22, 200
"""With many classes fewer rows suffice: this many numbers in total, but at least this many rows."""
FEW = 2_048
"""Rows that are examined first."""
_SURE = 3.0
_SAME = 0.01
"""Accuracies that are nearer than this are taken as the same."""
_NEAR = 0.02
"""An accuracy fits the confidence if it is nearer than this: of 4 in 57 chains of tokens, 72 in 75 cyclic orders."""
_STEPS = (-1, 1)
"""Where the neighbours are: before a row, and after it."""
_Rows = Ints | slice


@record(frozen=True)
class _Score:
    """How well labels fit: mean loss, share of rows that are right, and how many losses are infinite."""

    cost: Mean = Mean()
    correct: Mean = Mean()
    infinite: int = 0

    @classmethod
    def of(cls, loss: Floats, right: Floats, raw_loss: Floats) -> _Score:
        """Score rows (f8[n] each), unweighted; `raw_loss` decides what is infinite."""
        return cls(Mean.of(loss, None), Mean.of(right, None), int(np.count_nonzero(np.isinf(raw_loss))))

    @property
    def right(self) -> float:
        """The share of rows that are right."""
        return self.correct.value

    def merge(self, other: _Score) -> _Score:
        """Return the score of the rows of both."""
        return _Score(self.cost.merge(other.cost), self.correct.merge(other.correct), self.infinite + other.infinite)


@record(frozen=True)
class _Shift:
    """Scores of rows with their own labels (here) and with those of the next rows on one side (there).

    `gap` is the mean of confidence minus accuracy with their own labels.
    """

    rows: int = 0
    here: _Score = _Score()
    there: _Score = _Score()
    gap: Mean = Mean()

    def add(self, work: Workings, rows: _Rows, neighbours: _Rows) -> _Shift:
        """Add the rows of a batch that have a neighbour, with the neighbours."""
        here = _Score.of(work.loss[rows], work.figure(correct)[rows], work.raw_loss[rows])
        loss, right = _with_labels(work, rows, neighbours)
        # The number of infinite losses is reported only without clipping.
        there = _Score.of(loss, right, loss)
        over = self.gap.merge(Mean.of(work.figure(gap)[rows], None))
        return _Shift(self.rows + len(loss), self.here.merge(here), self.there.merge(there), over)

    @property
    def by_cost(self) -> bool:
        """Whether costs can be compared: not if any is infinite before clipping."""
        return not self.here.infinite

    def fits_as_well(self, accuracy: float) -> bool:
        """Whether an accuracy is near the mean confidence, and that with the labels of the neighbours is not nearer."""
        confidence = self.here.right + self.gap.value
        return abs(accuracy - confidence) < min(_NEAR, abs(self.there.right - confidence) + _SAME)

    def is_far_better(self, case: Case) -> bool:
        """Whether the labels of the neighbours fit far better, by cost or by accuracy."""
        if not self.rows or case.prior is None:
            return False
        if self.by_cost:
            return self.there.cost.value < min(case.prior, 0.7 * self.here.cost.value)
        here, there = (1 - score.right for score in (self.here, self.there))
        error = math.sqrt((here + there) / self.rows)
        return there < case.total.classes.error_of_constant and there < 0.8 * here and there < here - _SURE * error

    def leaves_open(self, case: Case) -> bool:
        """Whether more rows could show that the labels of the neighbours fit far better than their own.

        True if the neighbours' labels fit nearly well enough, or if these rows fit their own labels although the file
        as a whole does not.
        """
        if not self.rows or case.prior is None:
            return True
        constant, chance = case.total.classes.error_of_constant, case.worse_than_prior or case.no_better_than_chance
        here, there = (1 - score.right for score in (self.here, self.there))
        if chance and (self.here.cost.value < case.prior or here < 0.9 * constant):
            return True
        by_cost = self.there.cost.value < 1.3 * min(case.prior, 0.7 * self.here.cost.value)
        return by_cost or there < min(1.1 * constant, 0.9 * here)


@record(frozen=True)
class Shifted:
    """The warning of rows that are one apart; `explains_order` says that columns seem to be in another order by it.

    Tokens that mostly follow one another make them seem so, but the accuracy would then be far from the confidence.
    """

    warning: Warning
    explains_order: bool


def _neighbours(rows: Ints) -> tuple[_Rows, _Rows]:
    """The places of the rows that are followed by the next row (by their numbers), and those of their followers."""
    followed = rows[1:] - rows[:-1] == 1
    if np.logical_and.reduce(followed):
        return slice(None, -1), slice(1, None)
    first = followed.nonzero()[0]
    return first, first + 1


def _with_labels(work: Workings, rows: _Rows, others: _Rows) -> tuple[Floats, Floats]:
    """f8[m] each: the loss of rows with the labels of others, and whether that label is predicted (1 or 0)."""
    target = work.batch.target
    assert target is not None
    if target.ndim > 1:
        shifted = Workings(replace(work.batch.take(rows), target=target[others], known=None))
        return shifted.loss, shifted.figure(correct)
    index = work.index.copy()
    index[rows] = work.index[others]
    return work.loss_of(index)[rows], (work.predicted[rows] == index[rows]).astype(np.float64)


def shift_warning(case: Case, feed: Feed | None, head: Head | None) -> Shifted | None:
    """Score each row with the label of its neighbours; warn where that is far better.

    Rows are aligned by position, with hard labels and no weights. If the first rows, `head`, do not suffice, rows of
    `feed` (None where `head` has all rows) are read again: a few of a long file, and more of its first rows only if
    these leave the question open.
    """
    if head is not None and head.rows == case.total.read:
        return _judged(case, _shifts([Workings(head.batch)]))
    assert feed is not None
    if min(case.total.scored, _most(case)) > 2 * FEW:
        few = _few(case, feed, head)
        # The first rows may be too few to say whether the labels of neighbouring rows fit better.
        if few is not None and not any(shift.leaves_open(case) for shift in _shifts(few).values()):
            return None
    return _judged(case, _shifts(_overlapping(case, feed.again().tasks())))


def _few(case: Case, feed: Feed, head: Head | None) -> Iterable[Workings] | None:
    """The first FEW rows; None where that takes reading all."""
    if head is not None and head.rows >= FEW:
        return [Workings(head.first(FEW).batch)]
    few = _first_rows(next(feed.again().tasks()))
    return None if few is None else _overlapping(case, [few])


def _judged(case: Case, shifts: Mapping[int, _Shift]) -> Shifted | None:
    """The warning that shifts give rise to."""
    for step, where in zip(_STEPS, ("before", "after"), strict=True):
        shift = shifts[step]
        if shift.is_far_better(case):
            over = "" if shift.rows == case.total.scored - 1 else f" (over {shift.rows:,} rows)"
            would_be = f"if each row had the label of the row {where} it, {_would_be(shift, case)}{over}"
            advice, pairs = _advice(case.plan, step), case.pairs
            ordered = pairs is not None and case.order is not None and shift.fits_as_well(pairs.accuracy(case.order))
            return Shifted(Warning("shifted", would_be, advice), "--shift-labels" in advice and not ordered)
    return None


def _advice(plan: Plan, step: int) -> str:
    """The option for predictions of the next token, if the axes can be those; else a question about first rows."""
    array = plan.predictions.dtype is not None and not plan.predictions.names
    option = "--shift-labels takes the label of the next position, as language models are trained"
    if step > 0 and plan.sequences:
        return option
    if step > 0 and array:
        return f"{option}: of one sequence give array[None], of the predictions and of the labels"
    return "is a first row missing in one of the files, or was its first line taken as a header?"


def _first_rows(task: Task) -> Task | None:
    """The first rows of a task; None if that means reading all of it."""
    found = task.part.split(FEW) if task.part.rows > FEW else None
    if found is None:
        return None
    return replace(task, part=found[0], companions=tuple(replace(span, rows=FEW) for span in task.companions))


def _shifts(works: Iterable[Workings]) -> dict[int, _Shift]:
    """The scores of rows with the labels of the rows before (-1) and after them (1)."""
    shifts = dict.fromkeys(_STEPS, _Shift())
    for work in works:
        first, followers = _neighbours(work.batch.rows)
        with np.errstate(over="ignore"):
            before = shifts[-1].add(work, followers, first)
            shifts = {-1: before, 1: shifts[1].add(work, first, followers)}
    return shifts


def _most(case: Case) -> int:
    """The number of rows that suffice."""
    return min(ENOUGH, max(LEAST, ENOUGH_NUMBERS // len(case.plan.classes)))


def _would_be(shift: _Shift, case: Case) -> str:
    """The figures with the neighbours' labels and with the present ones, in words."""
    here, there = shift.here, shift.there
    whole = shift.rows == case.total.scored - 1
    if shift.by_cost:
        cost = case.total.cost.mean.value if whole else here.cost.value
        then, now = (case.plan.settings.in_unit(nats) for nats in (there.cost.value, cost))
        return f"the cost would be {then}, not {now}"
    right, rights = case.total.means["accuracy"].value if whole else here.right, there.right
    accuracy = f"the accuracy would be {percent(rights, right)}, not {percent(right, rights)}"
    if case.plan.recipe.clip is not None:
        return accuracy
    infinite = case.total.infinite.count if whole else here.infinite
    return f"{accuracy}, and {there.infinite:,} rows, not {infinite:,}, would have an infinite loss"


def _overlapping(case: Case, tasks: Iterable[Task]) -> Iterator[Workings]:
    """Yield the first rows block by block, and the pair of rows at each boundary between blocks."""
    scorer, most = Scorer(case.plan), _most(case)
    held: Batch | None = None
    for piece in itertools.chain.from_iterable(map(scorer.pieces, tasks)):
        batch = scorer.align(piece).batch
        if not len(batch.rows):
            continue
        if batch.rows[0] > most:
            return
        if held is not None:
            yield Workings(_joined(held, batch.take(_FIRST)))
        yield Workings(batch)
        held = batch.take(np.array([len(batch.rows) - 1]))


_FIRST: Ints = np.array([0])


def _joined(one: Batch, other: Batch) -> Batch:
    """Concatenate two batches."""
    assert one.target is not None and other.target is not None
    return replace(
        one,
        values=np.concatenate([one.values, other.values]),
        known=None,
        target=np.concatenate([one.target, other.target]),
        rows=np.concatenate([one.rows, other.rows]),
    )
