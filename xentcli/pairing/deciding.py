"""Collect the labels that decide the rule: the first ones or all, without ignored rows and rows of weight 0."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from xentcli.arrays import Floats
from xentcli.columns.column import take, texts_of
from xentcli.errors import Place
from xentcli.pairing.alignment import HEAD_ROWS, PartQueue
from xentcli.pairing.columns import Roles
from xentcli.pairing.join import Join
from xentcli.pairing.labels import Census, labelled_as
from xentcli.pairing.near import clean_copy
from xentcli.pairing.roles import NO_WEIGHT
from xentcli.readers.source import Pick, Rows
from xentcli.settings import Settings

__all__ = ["labels_that_decide"]


def labels_that_decide(
    roles: Roles, queues: Sequence[PartQueue], joins: Sequence[Join], settings: Settings, *, whole: bool
) -> tuple[Census, bool]:
    """Return the labels that decide the rule, and whether they are all labels; rows of weight 0 are skipped."""
    label = roles["label"][0]
    ignored, decimal = settings.ignored, settings.decimal_of_any
    clean = partial(clean_copy, label.source, label.columns[0])
    census = Census(Place(label.source.path, column=label.names[0]), decimal=decimal, clean=clean)
    limit = 1 << 62 if whole and label.source.repeatable else HEAD_ROWS
    join = next((join for join, queue in zip(joins, queues[1:], strict=False) if queue.source is label.source), None)
    if join is not None:
        weight = _weights_beside(join, roles, queues[0], limit, subset=settings.subset)
        for begin in range(0, join.rows.count, HEAD_ROWS):
            rows = join.rows.cut(begin, begin + HEAD_ROWS)
            labels = rows.values["label"]
            counts = np.ones(len(labels), bool) if weight is None else weight[begin : begin + HEAD_ROWS] != 0
            counted = np.flatnonzero(counts & ~labelled_as(labels, ignored, decimal) if ignored else counts)
            census.add(
                take(labels, counted),
                lambda row, rows=rows, counted=counted: rows.place("label", int(counted[row]), 0),  # type: ignore[misc]
            )
        # With --subset only labels of the predictions read so far decide.
        return census, not settings.subset or join.rows.count <= limit
    seen = 0
    by_source = {id(queue.source): queue for queue in queues}
    weights = roles["weights"][0] if "weights" in roles else None
    beside, picks = None, {"label": Pick(label.columns, "values")}
    owner = next((j for j, q in zip(joins, queues[1:], strict=False) if weights and q.source is weights.source), None)
    if owner is not None:
        # Labels in one file, and weights in another, found by id.
        picks["id"] = Pick(roles["id"][0].columns, "text", required=True)
    elif weights is not None:
        beside = by_source[id(weights.source)].look({"weights": Pick(weights.columns, if_missing=NO_WEIGHT)}, limit)
    weights_ = _Pieces(beside)
    for rows in by_source[id(label.source)].look(picks, limit):
        seen += rows.count
        labels = rows.values["label"]
        if weights is None and not ignored:
            census.add(labels, lambda row, rows=rows: rows.place("label", row, 0))  # type: ignore[misc]
            continue
        counts = weights_.take(rows.count) != 0
        if owner is not None:
            positions = owner.find(texts_of(rows.values["id"]))
            counts[positions >= 0] = _column(owner.rows)[positions[positions >= 0]] != 0
        kept = np.flatnonzero(counts & ~labelled_as(labels, ignored, decimal) if ignored else counts)
        values = labels if len(kept) == rows.count else take(labels, kept)
        census.add(values, lambda row, rows=rows, kept=kept: rows.place("label", int(kept[row]), 0))  # type: ignore[misc]
    return census, seen < limit


def _weights_beside(join: Join, roles: Roles, predictions: PartQueue, limit: int, *, subset: bool) -> Floats | None:
    """The weight of each label of a join, also from beside the predictions with its id; None if all are 1.

    With --subset it is 0 if the first predictions lack the id.
    """
    weight = _column(join.rows) if "weights" in join.rows.values else None
    in_predictions = weight is None and "weights" in roles and roles["weights"][0].source is predictions.source
    if not (in_predictions or subset):
        return weight
    beside = np.zeros(join.rows.count) if subset else np.ones(join.rows.count)
    picks = {"id": Pick(roles["id"][0].columns, "text", required=True)}
    if in_predictions:
        picks["weights"] = Pick(roles["weights"][0].columns, if_missing=NO_WEIGHT)
    for rows in predictions.look(picks, limit):
        positions = join.find(texts_of(rows.values["id"]))
        found = positions >= 0
        beside[positions[found]] = _column(rows)[found] if in_predictions else 1.0
    return beside if weight is None else beside * (weight != 0)


def _column(rows: Rows) -> Floats:
    column = rows.values["weights"]
    assert isinstance(column, np.ndarray)
    weights: Floats = column[:, 0].astype(np.float64)
    return weights


class _Pieces:
    """Re-chunks the weights beside the labels; 1 if there are none."""

    def __init__(self, rows: Iterator[Rows] | None) -> None:
        self._rows = rows
        self._held = np.zeros(0)

    def take(self, count: int) -> Floats:
        """The next `count` weights."""
        if self._rows is None:
            return np.ones(count)
        while len(self._held) < count and (piece := next(self._rows, None)) is not None:
            self._held = np.concatenate([self._held, _column(piece)])
        taken, self._held = self._held[:count], self._held[count:]
        return np.concatenate([taken, np.ones(count - len(taken))])
