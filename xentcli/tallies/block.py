"""Some scored rows, with all that tallies are made from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from xentcli.arrays import Floats, Ints
from xentcli.columns.column import Values
from xentcli.columns.keys import Keys, joined_keys
from xentcli.records import record, replace
from xentcli.scoring.losses import Workings
from xentcli.tallies.left_out import LeftOut
from xentcli.tallies.scores import Figures

__all__ = ["NO_FIGURES", "Block", "Wants", "Whole"]


class _NoFigures:
    """Stands for figures that are not computed: a tally that needs the predictions alone uses none."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            # Python's own inspection asks for these.
            raise AttributeError(name)
        raise RuntimeError(f"a tally of predictions uses the figure {name}, which is not computed")


NO_FIGURES: Any = _NoFigures()


@record(frozen=True, eq=False)
class Wants:
    """What is asked for beside the usual figures.

    Attributes
    ----------
    classes
        The names of the classes; none without labels.
    confused
        How many classes rows with one label have; else 0.
    worst
        How many rows of the largest loss, or of what `worst_by` names.
    by_class, by_column, by_term, by, by_share, clusters, tail
        Whether rows are tallied by class, by column (each a problem of its own), by the terms of soft targets, by
        groups of columns, by groups and class, by cluster, by the size of their loss.
    means
        The metrics that are means over rows and that slices have too.
    bytes
        Whether their bytes are tallied.
    from_one
        Whether labels may count from 1.
    bins
        How many bins the confidence has; 0 where none are tallied.
    calibration
        Whether all of `Calibration` is tallied.
    fit
        Whether the slopes are tallied with which a fit begins.
    """

    classes: tuple[str, ...] = ()
    confused: int = 0
    worst: int = 0
    worst_by: str = "loss"
    by_class: bool = False
    by_column: bool = False
    by_term: bool = False
    by: bool = False
    by_share: bool = False
    clusters: bool = False
    bytes: bool = False
    tail: bool = False
    from_one: bool = False
    bins: int = 0
    calibration: bool = False
    fit: bool = False
    means: tuple[str, ...] = ()


@record(frozen=True, eq=False)
class Whole:
    """Some rows with their predictions, for the tallies that need these.

    Attributes
    ----------
    work, plain
        The m rows of positive weight whose label is not ignored; `plain` has no class weights.
    kept
        i8[m]: the places of these rows among all n that were read.
    ids, shown
        n texts, None without ids; the columns of --show, n values each.
    """

    work: Workings
    plain: Workings
    kept: Ints
    ids: Sequence[str] | None = None
    shown: tuple[Values, ...] = ()


@record(frozen=True, eq=False)
class Block:
    """Scored rows, from which tallies are made.

    Attributes
    ----------
    wants
        The tallies that are asked for.
    figures
        The figures of each of m rows.
    read, left_out, underflows
        How many rows were read, and left out for which reason; numerals below the smallest double, read as 0.
    by, clusters
        The keys of the m rows: of each --by, and of --cluster.
    bytes
        f8[m]: the bytes of each row; None unless asked for.
    whole
        The rows with their predictions; None once these are let go.
    """

    wants: Wants
    figures: Figures
    read: int
    left_out: LeftOut = LeftOut()
    underflows: int = 0
    by: tuple[Keys, ...] = ()
    clusters: Keys | None = None
    bytes: Floats | None = None
    whole: Whole | None = None

    def reduced(self) -> Block:
        """Return the rows without their predictions."""
        return replace(self, whole=None)

    @classmethod
    def joined(cls, blocks: Sequence[Block]) -> Block:
        """Return the rows of some blocks without predictions, of which there is one at least."""
        first = blocks[0]
        if len(blocks) == 1:
            return first
        clusters = [block.clusters for block in blocks if block.clusters is not None]
        counts = [block.bytes for block in blocks if block.bytes is not None]
        return cls(
            first.wants,
            Figures.joined([block.figures for block in blocks]),
            sum(block.read for block in blocks),
            reduce(LeftOut.merge, (block.left_out for block in blocks)),
            sum(block.underflows for block in blocks),
            tuple(joined_keys(keys) for keys in zip(*(block.by for block in blocks), strict=True)),
            joined_keys(clusters) if clusters else None,
            np.concatenate(counts) if counts else None,
        )
