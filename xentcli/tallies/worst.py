"""Worst: the rows with the largest loss or KL divergence."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xentcli.columns.column import take, texts_of
from xentcli.records import record, replace
from xentcli.scoring.measures import measured
from xentcli.scoring.metrics import find
from xentcli.tallies.block import Block
from xentcli.tallies.tally import Ranked

__all__ = ["Worst", "WorstRow"]


@record(frozen=True)
class WorstRow:
    """A row with its loss, and the values that are shown beside it."""

    loss: float
    row: int
    id: str | None = None
    label: str | None = None
    predicted: str | None = None
    probability: float | None = None
    predicted_probability: float | None = None
    shown: tuple[str, ...] = ()
    kl: float | None = None
    """The KL divergence, if rows are ranked by it."""

    @property
    def is_sound(self) -> bool:
        """Whether its row is counted from 1."""
        return self.row > 0

    @property
    def rank(self) -> tuple[float, int]:
        """Sort key: the worst first, then by row."""
        return -(self.loss if self.kl is None else self.kl), self.row


@record(frozen=True)
class Worst(Ranked):
    """The `most` rows with the largest loss or KL divergence, the worst first."""

    most: int = 0
    rows: tuple[WorstRow, ...] = ()

    def renumbered(self, moved: Callable[[int], int]) -> Worst:
        """Return the same rows under other numbers."""
        return Worst(self.most, tuple(replace(row, row=moved(row.row)) for row in self.rows))

    @classmethod
    def of(cls, block: Block) -> Worst:
        """Tally rows; label and predicted class are set only if rows have one label."""
        whole, names = block.whole, block.wants.classes
        assert whole is not None
        work, batch = whole.work, whole.work.batch
        kl = measured(find("kl"), work) if block.wants.worst_by == "kl" else None
        picked = np.lexsort((batch.rows, -(work.loss if kl is None else kl)))[: block.wants.worst]
        places = whole.kept[picked]
        ids = [None] * len(picked) if whole.ids is None else [whole.ids[place] for place in places.tolist()]
        shown = [texts_of(take(column, places)) for column in whole.shown]
        labelled = batch.target is not None and not batch.multilabel
        rows = []
        for place, i in enumerate(picked.tolist()):
            hard = labelled and not work.soft[i]
            rows.append(
                WorstRow(
                    float(work.loss[i]),
                    int(batch.rows[i]),
                    ids[place],
                    names[int(work.index[i])] if hard else None,
                    names[int(work.predicted[i])] if labelled else None,
                    float(work.truth[i]) if hard else None,
                    float(work.confidence[i]) if labelled else None,
                    tuple(column[place] for column in shown),
                    None if kl is None else float(kl[i]),
                )
            )
        return cls(block.wants.worst, tuple(rows))
