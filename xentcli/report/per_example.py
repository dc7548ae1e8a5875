"""The loss of each row, and the sink that it is written to."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from functools import partial
from typing import Any

import numpy as np

from xentcli.arrays import Floats, Ints
from xentcli.columns.keys import Keys
from xentcli.records import record

__all__ = ["Parts", "PerExample", "Sink"]


@record(frozen=True, eq=False)
class PerExample:
    """The rows of a block as --per-example writes them.

    Attributes
    ----------
    start
        How many rows come before.
    count
        How many rows there are.
    ids
        The ids of the rows, or None.
    found, index
        The labels that occur, None for that of soft targets, and for each row the place of its label
        among them (i8[n]); both None without labels.
    probability, loss, weight
        f8[n]: the probability of the label, the loss in nats, and the weight; NaN for rows of weight 0.
    kept
        i8[m]: the rows of positive weight, which are those that the following are about.
    figures
        f8[m] for each metric that is a mean over rows.
    by, clusters
        The groups of each --by, and the clusters of --cluster or None.
    origin
        i8[n]: where every number of a list is an example, the row of the list, counted from `start`.
    columns
        f8[n] for each metric of --row-metrics; losses in nats, NaN where a row has no value.
    """

    start: int
    count: int
    ids: Sequence[str] | None
    found: Sequence[str | None] | None
    index: Ints | None
    probability: Floats
    loss: Floats
    weight: Floats
    kept: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    figures: Mapping[str, Floats] = field(default_factory=dict)
    by: tuple[Keys, ...] = ()
    clusters: Keys | None = None
    origin: Ints | None = None
    columns: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def numbers(self) -> Sequence[int]:
        """The number of the row of each, counted from 1."""
        if self.origin is None:
            return range(self.start + 1, self.start + self.count + 1)
        found: list[int] = (self.start + 1 + self.origin).tolist()
        return found

    @property
    def labels(self) -> list[str | None] | None:
        """The label of each row, None for a soft target; None without labels."""
        if self.found is None or self.index is None:
            return None
        return [self.found[place] for place in self.index.tolist()]


Parts = Callable[[int], contextlib.AbstractContextManager[Callable[[PerExample], object]]]
"""Opens the place of the rows from one on, and gives what takes their blocks."""


@record(frozen=True)
class Sink:
    """Where the losses of all rows are written.

    Attributes
    ----------
    prepare
        Converts a block to the argument of `write`; called in any worker, in any order.
    write
        Called in the order of the rows.
    restart
        Discards all that was written; None where that is impossible.
    parts
        Says where the workers of a cluster write rows themselves; None where they only prepare them.
    """

    prepare: Callable[[PerExample], Any]
    write: Callable[[Any], object]
    restart: Callable[[], object] | None = None
    parts: Callable[[], Parts] | None = None

    @classmethod
    def of(cls, write: Callable[[PerExample], object] | Sink) -> Sink:
        """Return a sink as it is; make one of a function that takes blocks."""
        return write if isinstance(write, Sink) else cls(_unchanged, write)

    def beside(self, other: Sink | None) -> Sink:
        """Return a sink that writes to both."""
        if other is None:
            return self
        both = (self, other)
        restarts = [sink.restart for sink in both if sink.restart is not None]

        def write(prepared: Sequence[Any]) -> None:
            for sink, one in zip(both, prepared, strict=True):
                sink.write(one)

        def restart() -> None:
            for again in restarts:
                again()

        prepares = partial(_all, tuple(sink.prepare for sink in both))
        return Sink(prepares, write, restart if len(restarts) == 2 else None, self.parts or other.parts)

    def __call__(self, block: PerExample) -> None:
        """Prepare and write a block."""
        self.write(self.prepare(block))


def _all(prepares: Sequence[Callable[[PerExample], Any]], block: PerExample) -> list[Any]:
    """Prepare a block for each of several sinks."""
    return [prepare(block) for prepare in prepares]


def _unchanged(block: PerExample) -> PerExample:
    return block
