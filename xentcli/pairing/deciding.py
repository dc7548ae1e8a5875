"""Collect the labels that decide the rule: the first ones or all, without ignored rows and rows of weight 0."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from xentcli.arrays import Floats
from xentcli.columns.column import take, texts_of
from xentcli.errors import Place
from xentcli.pairing.alignment import HEAD_ROWS
from xentcli.pairing.columns import Found
from xentcli.pairing.inputs import Inputs
from xentcli.pairing.labels import Census, labelled_as
from xentcli.pairing.near import clean_copy
from xentcli.pairing.roles import NO_WEIGHT
from xentcli.readers.source import Pick, Rows
from xentcli.settings import Settings

if TYPE_CHECKING:
    from xentcli.pairing.join import Join

__all__ = ["labels_that_decide"]


def labels_that_decide(read: Inputs, joins: Sequence[Join] = ()) -> tuple[Census, bool]:
    """Return the labels that decide the rule, and whether they are all labels; rows of weight 0 are skipped."""
    label, settings = read.label, read.settings
    clean = partial(clean_copy, label.source, label.columns[0])
    place = Place(label.source.path, column=label.names[0])
    census = Census(place, decimal=settings.decimal_of_any, clean=clean)
    limit = 1 << 62 if read.whole and label.source.repeatable else HEAD_ROWS
    join = _join_of(label, read, joins)
    if join is not None:
        weights = _weights_beside(join, read, limit)
        for begin in range(0, join.rows.count, HEAD_ROWS):
            _add(census, join.rows.cut(begin, begin + HEAD_ROWS), weights[begin : begin + HEAD_ROWS], settings)
        # With --subset only labels of the predictions read so far decide.
        return census, not settings.subset or join.rows.count <= limit
    seen = 0
    for rows, weights in _with_weights(read, joins, limit):
        seen += rows.count
        _add(census, rows, weights, settings)
    return census, seen < limit


def _join_of(found: Found, read: Inputs, joins: Sequence[Join]) -> Join | None:
    """The rows by id of the source that has some columns; None if it is not matched by id."""
    pairs = zip(joins, read.queues[1:], strict=False)
    return next((join for join, queue in pairs if queue.source is found.source), None)


def _add(census: Census, rows: Rows, weights: Floats, settings: Settings) -> None:
    """Add the labels of rows, without those of weight 0 (f8[n]) and those that are ignored."""
    labels, counts = rows.values["label"], weights != 0
    if settings.ignored:
        counts &= ~labelled_as(labels, settings.ignored, settings.decimal_of_any)
    kept = np.flatnonzero(counts)
    values = labels if len(kept) == rows.count else take(labels, kept)
    census.add(values, lambda row: rows.place("label", int(kept[row]), 0))


def _with_weights(read: Inputs, joins: Sequence[Join], limit: int) -> Iterator[tuple[Rows, Floats]]:
    """Yield the first rows of the labels with their weights, f8[n], in whichever file these are."""
    weights = read.roles["weights"][0] if "weights" in read.roles else None
    owner = None if weights is None else _join_of(weights, read, joins)
    beside, picks = None, {"label": Pick(read.label.columns, "values")}
    if owner is not None:
        # Labels in one file, and weights in another, found by id.
        picks["id"] = Pick(read.roles["id"][0].columns, "text", required=True)
    elif weights is not None:
        picked = Pick(weights.columns, if_missing=NO_WEIGHT)
        beside = read.queue_of(weights).look({"weights": picked}, limit)
    pieces = _Pieces(beside)
    for rows in read.queue_of(read.label).look(picks, limit):
        counts = pieces.take(rows.count)
        if owner is not None:
            positions = owner.find(texts_of(rows.values["id"]))
            counts[positions >= 0] = _column(owner.rows)[positions[positions >= 0]]
        yield rows, counts


def _weights_beside(join: Join, read: Inputs, limit: int) -> Floats:
    """The weight of each label of a join, f8[n], also from beside the predictions with its id; 1 without weights.

    With --subset it is 0 if the first predictions lack the id.
    """
    there, subset = "weights" in join.rows.values, read.settings.subset
    weight = _column(join.rows) if there else np.ones(join.rows.count)
    in_predictions = not there and "weights" in read.roles and read.roles["weights"][0].source is read.sources[0]
    if not (in_predictions or subset):
        return weight
    beside = np.zeros(join.rows.count) if subset else np.ones(join.rows.count)
    picks = {"id": Pick(read.roles["id"][0].columns, "text", required=True)}
    if in_predictions:
        picks["weights"] = Pick(read.roles["weights"][0].columns, if_missing=NO_WEIGHT)
    for rows in read.queues[0].look(picks, limit):
        positions = join.find(texts_of(rows.values["id"]))
        found = positions >= 0
        beside[positions[found]] = _column(rows)[found] if in_predictions else 1.0
    weights: Floats = beside * (weight != 0)
    return weights


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
