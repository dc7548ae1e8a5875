"""Whether predictions and labels are one row apart: a second pass, for costs that are above the prior."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from xentcli.batch import Batch
from xentcli.losses import Workings
from xentcli.pairing import Plan
from xentcli.records import replace
from xentcli.report import Warning
from xentcli.scorer import Scorer
from xentcli.tallies import Mean

__all__ = ["shift_warning"]

ENOUGH = 50_000
"""So many rows show whether the files are one row apart."""
ENOUGH_NUMBERS, LEAST = 1 << 22, 200
"""Of many classes fewer rows do: so many numbers, and so many rows at least."""


def shift_warning(plan: Plan, cost: float, prior: float) -> Warning | None:
    """Score each row with the label of its neighbours; warn where that is far better.

    Parameters
    ----------
    plan
        A plan of the same files again, aligned by position, with hard labels.
    cost, prior
        The cost as the files stand, and that of the class shares, in nats.
    """
    before, after = Mean(), Mean()
    most = min(ENOUGH, max(LEAST, ENOUGH_NUMBERS // len(plan.classes)))
    for work in itertools.takewhile(lambda work: work.batch.rows[0] <= most, _overlapping(plan)):
        # The label of a row beside the predictions of the row after it, and the other way round.
        target = work.index
        rows = len(target)
        if rows > 1:
            earlier = work.loss_of(np.concatenate([target[:1], target[:-1]]))
            later = work.loss_of(np.concatenate([target[1:], target[-1:]]))
            before = before.merge(Mean.of(earlier[1:], None))
            after = after.merge(Mean.of(later[:-1], None))
    for mean, where in ((before, "before"), (after, "after")):
        shifted = mean.value
        if shifted < prior and shifted < 0.7 * cost:
            return Warning(
                "shifted",
                f"with the label of the row {where} it the cost would be {shifted:.4g} nats, not {cost:.4g}",
                "is a first row missing in one of the files, or was its first line taken as a header?",
            )
    return None


def _overlapping(plan: Plan) -> Iterator[Workings]:
    """The workings of each block; and between two blocks those of the last row of one and the first of the next."""
    scorer, clip = Scorer(plan), plan.settings.clip
    held: Batch | None = None
    for piece in itertools.chain.from_iterable(map(scorer.pieces, plan.tasks())):
        assert piece.companions is not None
        batch = scorer.align(piece.start, piece.ours, piece.companions).batch
        if not len(batch.rows):
            continue
        if held is not None:
            yield Workings(_joined(held, batch), clip)
        yield Workings(replace(batch, weight=None), clip)
        held = batch.take(np.array([len(batch.rows) - 1]))


def _joined(held: Batch, batch: Batch) -> Batch:
    """The one row of a batch, and the first of another."""
    first = batch.take(np.array([0]))
    predictions = np.concatenate([held.predictions, first.predictions])
    target = np.concatenate([held.index, first.index])
    rows = np.concatenate([held.rows, first.rows])
    return replace(first, predictions=predictions, target=target, weight=None, rows=rows)
