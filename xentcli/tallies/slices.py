"""Tallies of slices: the groups of --by (also by cluster and class), and the classes of --by-class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from xentcli.arrays import Floats
from xentcli.columns.keys import Keys, coded, crossed
from xentcli.errors import DataError
from xentcli.scoring.measures import correct, measured
from xentcli.scoring.metrics import find
from xentcli.tallies.block import Block
from xentcli.tallies.exact import Among
from xentcli.tallies.groups import Groups, Slicings
from xentcli.tallies.moments import GroupMeans, GroupMoments
from xentcli.tallies.shares import spread_masses

__all__ = ["by_class", "by_cluster", "by_column", "by_group", "by_share", "by_term", "clusters", "costs"]


def costs(block: Block, keys: Keys) -> Groups[Any]:
    """The moments of the loss of each group."""
    figures = block.figures
    return Groups.tallied(keys, figures.weight, figures.mass, "cost", cost=figures.loss)


def by_group(block: Block) -> Slicings:
    """For each group the moments of the loss, the means of the requested metrics, and the bytes."""
    figures, means = block.figures, _means(block)
    if block.bytes is not None:
        means["bytes"] = block.bytes
    return Slicings(tuple(_of(keys, figures.loss, means, figures.weight, figures.mass) for keys in block.by))


def _means(block: Block) -> dict[str, Floats]:
    """f8[n] for each metric of slices; 0 for metrics of soft targets if all labels are hard."""
    figures = block.figures
    return {name: figures.means.get(name, np.zeros(len(figures.loss))) for name in block.wants.means}


def clusters(block: Block) -> Groups[Any]:
    """The mean loss of each cluster."""
    assert block.clusters is not None
    return _cluster_means(block, block.clusters)


def by_cluster(block: Block) -> Slicings:
    """The mean loss of each cluster in each group, by (group, cluster)."""
    assert block.clusters is not None
    return Slicings(tuple(_cluster_means(block, crossed([keys, block.clusters])) for keys in block.by))


def _cluster_means(block: Block, keys: Keys) -> Groups[Any]:
    figures = block.figures
    return Groups.tallied(keys, figures.weight, figures.mass, cost=figures.loss)


def by_share(block: Block) -> Slicings:
    """The weight of the targets by (group, class), as in ClassShares."""
    rows, classes, mass = spread_masses(block.work)
    picked = [(names, codes[rows]) for names, codes in block.by]
    return Slicings(tuple(Groups.tallied(crossed([keys, coded(classes)]), None, mass=mass) for keys in picked))


def by_class(block: Block) -> Groups[int]:
    """By class: the moments of the loss, and the metrics, of the rows with a hard label."""
    figures = block.figures
    hard = np.flatnonzero(~figures.soft)
    means = {"accuracy": (figures.predicted == figures.index).astype(np.float64), **_means(block)}
    weight, mass = (None if of is None else of[hard] for of in (figures.weight, figures.mass))
    picked = {name: values[hard] for name, values in means.items()}
    return _of(coded(figures.index[hard]), figures.loss[hard], picked, weight, mass)


def by_term(block: Block) -> Groups[int]:
    """By class: the terms -ln q_c of the rows with a soft target, each with the weight w W_c y_c.

    The loss of a row is sum_c y_c (-ln q_c), so the classes add up to the whole cost. Its entropy is
    sum_c y_c (-ln y_c); other metrics of the row get the same weights.
    """
    work = block.work
    soft = work.soft
    if soft.any() and work.batch.recipe.smoothing:
        raise DataError(
            "--by-class has the terms of soft targets by class, and --label-smoothing spreads each over all classes",
            advice="leave out --by-class or --label-smoothing",
        )
    if not soft.any():
        return Groups()
    rows, classes = np.nonzero(work.class_shares * soft[:, None])
    mass = work.class_shares[rows, classes] * (1.0 if work.batch.mass is None else work.batch.mass[rows])
    picked = {name: values[rows] for name, values in {"accuracy": correct(work), **_means(block)}.items()}
    if "target_entropy" in picked:
        picked["target_entropy"] = 0.0 - np.log(work.spread_target[rows, classes])
    if "reference_cost" in picked and work.batch.reference is not None:
        picked["reference_cost"] = type(work)(work.batch.reference).each_loss[rows, classes]
    return _of(coded(classes), work.each_loss[rows, classes], picked, mass, None)


def by_column(block: Block) -> Groups[int]:
    """By column of --multilabel: the moments of the loss, and the metrics."""
    work, column = block.work.columns, block.work.batch.columns_of_cells
    means = {"accuracy": correct(work), **{name: measured(find(name), work) for name in block.wants.means}}
    return _of(coded(column), work.loss, means, work.batch.weight, None)


def _of(
    keys: Keys, loss: Floats, means: Mapping[str, Floats], weight: Floats | None, mass: Floats | None
) -> Groups[Any]:
    """The moments of the loss and the mean of each metric in each group."""
    names, codes = keys
    among, below = Among(codes, len(names)), weight if mass is None else mass
    sums: dict[str, Any] = {name: GroupMeans.of(values, below, among=among) for name, values in means.items()}
    return Groups.of(names, cost=GroupMoments.of(loss, weight, mass, among), **sums)
