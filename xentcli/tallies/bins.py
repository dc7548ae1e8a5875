"""Bins of confidence, for calibration: the mean confidence and the accuracy in each bin, and the gap between them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from typing import Any

import numpy as np

from xentcli.arrays import Floats, Ints, distinct
from xentcli.columns.keys import Keys, coded, crossed
from xentcli.records import record
from xentcli.scoring.losses import Workings
from xentcli.scoring.measures import correct
from xentcli.tallies.block import Block
from xentcli.tallies.exact import Among, ExactSum
from xentcli.tallies.groups import Groups, Slicings
from xentcli.tallies.moments import GroupMeans, Mean, Moments
from xentcli.tallies.tally import Tally

__all__ = ["BINS", "Calibration", "bins_of", "bins_of_block", "expected_error", "floor_of"]

BINS = 15
"""Default number of bins of the expected calibration error."""


def bins_of(confidence: Floats, count: int) -> Ints:
    """i8[n]: the bin (i/count, (i+1)/count] of each confidence; the outer bins also take values outside [0, 1].

    >>> bins_of(np.array([0.0, 1 / 15, 0.07, 1.0, 1.0005]), 15).tolist()
    [0, 0, 1, 14, 14]
    """
    edges = np.arange(1, count) / count
    found: Ints = np.searchsorted(edges, confidence, side="left")
    return found


def bins_of_block(block: Block) -> Groups[Any]:
    """Tally rows by bin of confidence; with --multilabel each cell counts as a row."""
    work = _problems(block)
    return _binned(work, coded(bins_of(work.confidence, block.wants.bins)))


def _problems(block: Block) -> Workings:
    return block.work.columns if block.work.batch.multilabel else block.work


def _binned(work: Workings, keys: Keys) -> Groups[Any]:
    """By key: the mean confidence, the accuracy, and the sum of q (1 - q)."""
    names, codes = keys
    among, weight, q = Among(codes, len(names)), work.batch.mass, work.confidence
    return Groups.of(
        names,
        confidence=GroupMeans.of(q, weight, among=among),
        right=GroupMeans.of(correct(work), weight, among=among),
        spread=GroupMeans.of(np.maximum(q * (1 - q), 0.0), None, among=among),
    )


def _binned_by_class(block: Block) -> Groups[tuple[int, int]]:
    """By (class, bin): the mean probability and the frequency of the class; with --multilabel class 1 of a column."""
    work, count = block.work, block.wants.bins
    classes = work.batch.classes
    if work.batch.multilabel:
        columns, place = work.columns, work.batch.columns_of_cells
        q, y, each = columns.probabilities[:, 1], columns.index.astype(np.float64), columns.batch.mass
    else:
        q, y = work.probabilities, (work.index[:, None] == np.arange(classes)).astype(np.float64)
        place, weight = np.arange(classes), work.batch.mass
        each = None if weight is None else np.repeat(weight, classes)
    found, _, codes = distinct(bins_of(q, count) + count * place)
    names = [divmod(code, count) for code in found.tolist()]
    return Groups.tallied((names, codes), each, confidence=q.reshape(-1), right=y.reshape(-1))


@record(frozen=True)
class Calibration(Tally):
    """The tallies of `xent calibration` in addition to those of a score.

    Attributes
    ----------
    confidence, right
        The mean probability of the predicted class, and the accuracy.
    gap
        The moments of confidence - right.
    clusters
        The gap of each cluster, with --cluster.
    by, bins_by
        For each --by the moments of the gap of each group, and the bins of each group, by (group, bin).
    by_class
        The bins of the probability of each class, by (class, bin).
    """

    confidence: Mean = Mean()
    right: Mean = Mean()
    gap: Moments = Moments()
    clusters: Groups[str] = field(default_factory=Groups)
    by: Slicings = Slicings()
    bins_by: Slicings = Slicings()
    by_class: Groups[tuple[int, int]] = field(default_factory=Groups)

    @classmethod
    def of(cls, block: Block) -> Calibration:
        """Tally the rows of a block."""
        work, problems = block.work, _problems(block)
        weight = work.batch.mass
        confidence, right = work.figure(lambda some: some.confidence), work.figure(correct)
        gap = confidence - right
        each = {"gap": gap, "confidence": confidence, "right": right}
        row = _row_of_each(work)
        bins = coded(bins_of(problems.confidence, block.wants.bins))
        return cls(
            Mean.of(confidence, weight),
            Mean.of(right, weight),
            Moments.of(gap, weight),
            Groups() if block.clusters is None else Groups.tallied(block.clusters, weight, gap=gap),
            Slicings(tuple(Groups.tallied(keys, weight, None, "gap", **each) for keys in block.by)),
            Slicings(tuple(_binned(problems, crossed([(names, codes[row]), bins])) for names, codes in block.by)),
            _binned_by_class(block),
        )


def _row_of_each(work: Workings) -> Ints:
    """i8[m]: the row of each binary problem; with --multilabel each labelled cell is one."""
    batch, rows = work.batch, np.arange(len(work.batch.rows))
    if not batch.multilabel:
        return rows
    return np.repeat(rows, batch.classes) if batch.present is None else np.nonzero(batch.present)[0]


def expected_error(bins: list[Mapping[str, Any]]) -> tuple[float, float] | None:
    """Return ECE and MCE of the sums of bins: sum_b |sum w (right - q)| / sum w, and the largest |right - q| of a bin.

    M. P. Naeini, G. Cooper and M. Hauskrecht, AAAI 2015. None without rows.
    """
    total, weight, largest = ExactSum(), ExactSum(), 0.0
    for sums in bins:
        confidence, right = sums["confidence"], sums["right"]
        difference = confidence.a.without(right.a)
        difference = difference.times(-1 if difference.units < 0 else 1)
        total, weight = total.merge(difference), weight.merge(confidence.b)
        largest = max(largest, difference.over(confidence.b))
    return (total.over(weight), largest) if weight else None


def floor_of(bins: list[Mapping[str, Any]]) -> tuple[float, float]:
    """Return the ECE that a calibrated model with these confidences would show by chance, and its standard deviation.

    In a bin the sum of right - q is then about normal with the variance v = sum q (1 - q), so that its absolute value
    has the mean sqrt(2 v / pi) and the variance (1 - 2/pi) v.
    """
    spreads = [sums["spread"].a.value for sums in bins]
    rows = sum(sums["spread"].b.units << sums["spread"].b.power for sums in bins)
    mean = math.fsum(math.sqrt(2 / math.pi * spread) for spread in spreads) / rows
    return mean, math.sqrt((1 - 2 / math.pi) * math.fsum(spreads)) / rows
