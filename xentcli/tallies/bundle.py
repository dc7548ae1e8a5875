"""Bundle: the tallies of a score by name. Workers return Bundles, and Bundles are merged.

To add a tally, add a row to TALLIES; its value is ``bundle[name]``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import field
from functools import partial
from typing import Any, Literal, Self, cast

from xentcli.attempts import attempted
from xentcli.columns.keys import coded
from xentcli.records import record
from xentcli.tallies import slices
from xentcli.tallies.bases import FromOne
from xentcli.tallies.bins import Calibration, bins_of_block
from xentcli.tallies.block import Block, Wants
from xentcli.tallies.confusion import Confusion
from xentcli.tallies.contents import Contents
from xentcli.tallies.cut import Cut
from xentcli.tallies.exact import ExactSum
from xentcli.tallies.fit import BEGIN, SlopeSums
from xentcli.tallies.groups import Groups, Slicings
from xentcli.tallies.looks import Looks
from xentcli.tallies.scores import Scores
from xentcli.tallies.tail import step_of
from xentcli.tallies.tally import Tally
from xentcli.tallies.worst import Worst

__all__ = ["TALLIES", "Bundle", "Entry", "Needs", "asked"]

Needs = Literal["figures", "rows", "predictions"]
"""Which part of a block a tally is computed from."""


@record(frozen=True)
class Entry:
    """One row of TALLIES.

    Attributes
    ----------
    kind
        The class of the tally.
    of
        Computes the tally of a block.
    wanted
        Whether it is tallied at all.
    needs
        "figures": `block.figures` suffice. "rows": `block.whole` is needed, but its predictions may be reduced.
        "predictions": the full predictions are needed. These are tallied piece by piece, figures once a task.
    diagnosis
        Whether only a diagnosis needs it: a tally that fails is then None from there on.
    """

    kind: type[Tally]
    of: Callable[[Block], Tally]
    wanted: Callable[[Wants], bool] = lambda wants: True
    needs: Needs = "figures"
    diagnosis: bool = False


@record(frozen=True)
class Bundle(Tally):
    """Tallies by name; one that is absent is empty."""

    tallies: Mapping[str, Tally | None] = field(default_factory=dict)

    @classmethod
    def of(cls, block: Block) -> Bundle:
        """Compute every wanted tally of a block."""
        return cls().add(block, asked(block.wants, "predictions", "rows", "figures"))

    def all_settled(self, names: Collection[str]) -> bool:
        """Whether no further rows can change the tallies of these names."""
        return all(name in self.tallies and _settled(self.tallies[name]) for name in names)

    def add(self, block: Block, names: Collection[str]) -> Bundle:
        """Add the tallies of a block that have these names."""
        tallies = dict(self.tallies)
        for name in names:
            entry = TALLIES[name]
            make = partial(entry.of, block)
            if name in tallies:
                known = tallies[name]
                if known is None or known.settled:
                    continue
                make = partial(_added, known, entry, block)
            tallies[name] = _tried(entry, make)
        return Bundle(tallies)

    def merge(self, other: Bundle) -> Bundle:
        """Return the tallies of the rows of both."""
        if not self.tallies:
            return other
        merged = {**self.tallies, **other.tallies}
        for name in self.tallies.keys() & other.tallies.keys():
            one, two = self.tallies[name], other.tallies[name]
            merged[name] = None
            if one is not None and two is not None:
                merged[name] = _tried(TALLIES[name], partial(one.merge, two))
        return Bundle(merged)

    def renumbered(self, moved: Callable[[int], int]) -> Bundle:
        """Return the same tallies with row numbers mapped by `moved`, which keeps their order."""
        return Bundle({name: None if of is None else of.renumbered(moved) for name, of in self.tallies.items()})

    def __getitem__(self, name: str) -> Any:
        """Return the tally of a name; None where a diagnosis failed."""
        return self.tallies[name] if name in self.tallies else TALLIES[name].kind.empty()

    def to_plain(self) -> Any:
        """Return the JSON values of each tally by name."""
        return {name: None if tally is None else tally.to_plain() for name, tally in self.tallies.items()}

    @classmethod
    def from_plain(cls, plain: Any) -> Self:
        """Return the tallies from the values that `to_plain` returned."""
        if not isinstance(plain, dict) or not plain.keys() <= TALLIES.keys():
            raise ValueError("tallies by their names are expected")
        failed = [name for name, of in plain.items() if of is None and not TALLIES[name].diagnosis]
        if failed:
            raise ValueError(f"{failed[0]} has no values")
        return cls({name: None if of is None else TALLIES[name].kind.from_plain(of) for name, of in plain.items()})


def _settled(tally: Tally | None) -> bool:
    return tally is None or tally.settled


def _scores(block: Block) -> Scores:
    return Scores.of(block.figures, read=block.read, left_out=block.left_out, underflows=block.underflows)


def _added(known: Tally, entry: Entry, block: Block) -> Tally:
    return known.merge(entry.of(block))


def _tried(entry: Entry, make: Callable[[], Tally]) -> Tally | None:
    return attempted(make, cast("Tally | None", None)) if entry.diagnosis else make()


def _bytes(block: Block) -> ExactSum:
    """The bytes of the rows, times their weights."""
    assert block.bytes is not None
    weight = block.figures.below
    return ExactSum.of(block.bytes) if weight is None else ExactSum.of_products(block.bytes, weight)


def _from_one(block: Block) -> FromOne:
    assert block.whole is not None
    return FromOne.of(block.whole.plain, block.work.batch.recipe)


TALLIES: dict[str, Entry] = {
    "scores": Entry(Scores, _scores),
    "by": Entry(Slicings, slices.by_group, lambda wants: wants.by),
    "by_cluster": Entry(Slicings, slices.by_cluster, lambda wants: wants.by and wants.clusters),
    "by_share": Entry(Slicings, slices.by_share, lambda wants: wants.by_share, "predictions"),
    "by_class": Entry(Groups, slices.by_class, lambda wants: wants.by_class),
    "by_term": Entry(Groups, slices.by_term, lambda wants: wants.by_term, "predictions"),
    "by_column": Entry(Groups, slices.by_column, lambda wants: wants.by_column, "predictions"),
    "clusters": Entry(Groups, slices.clusters, lambda wants: wants.clusters),
    "worst": Entry(Worst, Worst.of, lambda wants: bool(wants.worst), "rows"),
    "contents": Entry(Contents, Contents.of, lambda wants: wants.contents),
    "bytes": Entry(ExactSum, _bytes, lambda wants: wants.bytes),
    "tail": Entry(
        Groups, lambda block: slices.costs(block, coded(step_of(block.figures.loss))), lambda wants: wants.tail
    ),
    "bins": Entry(Groups, bins_of_block, lambda wants: bool(wants.bins), "predictions"),
    "calibration": Entry(Calibration, Calibration.of, lambda wants: wants.calibration, "predictions"),
    "slopes": Entry(SlopeSums, lambda block: SlopeSums.of(block.work, BEGIN), lambda wants: wants.fit, "predictions"),
    "looks": Entry(Looks, lambda block: Looks.of(block.work), needs="predictions", diagnosis=True),
    "cut": Entry(Cut, lambda block: Cut.of(block.work), lambda wants: wants.cut, "predictions", diagnosis=True),
    "confusion": Entry(Confusion, Confusion.of, diagnosis=True),
    "from_one": Entry(FromOne, _from_one, lambda wants: wants.from_one, "predictions", diagnosis=True),
}
"""Every tally of a score, by name."""


def asked(wants: Wants, *needs: Needs) -> tuple[str, ...]:
    """Return the names of the tallies that a run asks for, of those with one of these needs."""
    return tuple(name for name, entry in TALLIES.items() if entry.needs in needs and entry.wanted(wants))
