"""Whether predictions and labels are one row apart: a second pass, for costs that are above the prior."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from xentcli.arrays import Ints
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
ENOUGH_NUMBERS = 1 << 25
"""Of many classes fewer rows do, a thousand at least."""


def shift_warning(plan: Plan, cost: float, prior: float) -> Warning | None:
    """Score each row with the label of its neighbours; warn where that is far better.

    Parameters
    ----------
    plan
        A fresh plan of the same files, aligned by position, with hard labels.
    cost, prior
        The cost as the files stand, and that of the class shares, in nats.
    """
    before, after = Mean(), Mean()
    most = min(ENOUGH, max(1000, ENOUGH_NUMBERS // len(plan.classes)))
    for earlier, later in itertools.takewhile(lambda pair: pair[0].rows[0] <= most, _pairs_of_rows(plan)):
        # The label of a row beside the predictions of the row after it, and the other way round.
        before = before.merge(_cost(later, earlier.target, plan))
        after = after.merge(_cost(earlier, later.target, plan))
    for mean, where in ((before, "before"), (after, "after")):
        shifted = mean.value
        if shifted < prior and shifted < 0.7 * cost:
            return Warning(
                "shifted",
                f"with the label of the row {where} it the cost would be {shifted:.4g} nats, not {cost:.4g}",
                "is a first row missing in one of the files, or was its first line taken as a header?",
            )
    return None


def _cost(batch: Batch, target: object, plan: Plan) -> Mean:
    assert isinstance(target, np.ndarray)
    return Mean.of(Workings(replace(batch, target=target), plan.settings.clip).loss, None)


def _pairs_of_rows(plan: Plan) -> Iterator[tuple[Batch, Batch]]:
    """For each block its rows but the last, and its rows but the first; the row between two blocks joins them."""
    scorer = Scorer(plan)
    held: Batch | None = None
    for piece in itertools.chain.from_iterable(map(scorer.pieces, plan.tasks())):
        assert piece.companions is not None
        batch = scorer.align(piece.start, piece.ours, piece.companions).batch
        if not len(batch.rows):
            continue
        if held is not None:
            yield held, _rows(batch, slice(0, 1))
        if len(batch.rows) > 1:
            yield _rows(batch, slice(0, -1)), _rows(batch, slice(1, None))
        held = _rows(batch, slice(-1, None))


def _rows(batch: Batch, part: slice) -> Batch:
    target: Ints = np.asarray(batch.target)[part]
    return replace(batch, predictions=batch.predictions[part], target=target, weight=None, rows=batch.rows[part])
