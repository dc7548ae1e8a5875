"""Block: scored rows, with everything that tallies are computed from."""

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
    """Placeholder for figures that are not computed; reading one raises."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            # pickle, copy and inspect ask for dunder attributes.
            raise AttributeError(name)
        raise RuntimeError(f"a tally of predictions uses the figure {name}, which is not computed")


NO_FIGURES: Any = _NoFigures()


@record(frozen=True, eq=False)
class Wants:
    """Which optional tallies a run needs.

    Attributes
    ----------
    classes
        The names of the classes; none without labels.
    confused
        The number of classes if each row has one label, else 0.
    worst
        How many of the worst rows to keep, ranked by `worst_by`.
    by_class, by_column, by_term, by, by_share, clusters, tail
        Whether to tally by class, by column of --multilabel, by term of soft targets, by group of --by, by group and
        class, by cluster, and by size of the loss.
    means
        The mean metrics that are also computed for each slice.
    bytes
        Whether to tally the bytes of the rows.
    from_one
        Whether labels may count from 1.
    bins
        The number of bins of confidence; 0 to tally none.
    calibration
        Whether to tally `Calibration`.
    fit
        Whether to tally the slopes at the starting points of a fit.
    contents
        Whether to tally the hash of the rows.
    cut
        Whether to tally the threshold that tells two classes apart.
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
    contents: bool = False
    cut: bool = False


@record(frozen=True, eq=False)
class Whole:
    """Rows with their predictions, for the tallies that need them.

    Attributes
    ----------
    work, plain
        The m rows of positive weight whose label is not ignored; `plain` has no class weights.
    kept
        i8[m]: the indices of these rows among all n that were read.
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
    """Scored rows, from which tallies are computed.

    Attributes
    ----------
    wants
        The tallies that are asked for.
    figures
        The figures of each of m rows.
    read, left_out, underflows
        The number of rows read; rows left out, by reason; numerals below the smallest double, read as 0.
    by, clusters
        The keys of the m rows: of each --by, and of --cluster.
    bytes
        f8[m]: the bytes of each row; None unless asked for.
    whole
        The rows with their predictions; None once these are freed.
    before
        The number of rows before their file.
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
    before: int = 0

    @property
    def work(self) -> Workings:
        """The rows with their predictions; only for tallies that say they need them."""
        assert self.whole is not None
        return self.whole.work

    def reduced(self) -> Block:
        """Return the rows without their predictions."""
        return replace(self, whole=None)

    @classmethod
    def joined(cls, blocks: Sequence[Block]) -> Block:
        """Return the rows of at least one block without predictions."""
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
            before=first.before,
        )
