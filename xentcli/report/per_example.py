"""The losses of single rows, and where they go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xentcli.arrays import Floats, Ints
from xentcli.records import record

__all__ = ["PerExample", "Sink"]


@record(frozen=True, eq=False)
class PerExample:
    """What --per-example writes of some rows; rows of weight 0 have NaN.

    start is how many rows come before; ids are None where there are none. found are the
    labels that occur, None that of soft targets, and index has for each row which of them
    is its own (i8[n]); both are None where there are no labels.
    """

    start: int
    count: int
    ids: Sequence[str] | None
    found: Sequence[str | None] | None
    index: Ints | None
    probability: Floats
    loss: Floats
    weight: Floats

    @property
    def labels(self) -> list[str | None] | None:
        """The label of each row; None where there are none, and in place of that of a soft target."""
        if self.found is None or self.index is None:
            return None
        return [self.found[place] for place in self.index.tolist()]


@record(frozen=True)
class Sink:
    """Where the losses of all rows go.

    prepare turns those of some rows into what write takes; any thread, or copy of the
    process, may call it, in any order. write is called in the order of the rows. restart
    takes back all that was written; it is None where nothing can be.
    """

    prepare: Callable[[PerExample], Any]
    write: Callable[[Any], object]
    restart: Callable[[], object] | None = None

    @classmethod
    def of(cls, write: Callable[[PerExample], object] | Sink) -> Sink:
        """Return a function that takes the losses themselves as a sink, and a sink as it is."""
        return write if isinstance(write, Sink) else cls(_as_it_is, write)

    def __call__(self, block: PerExample) -> None:
        """Prepare and write the losses of some rows."""
        self.write(self.prepare(block))


def _as_it_is(block: PerExample) -> PerExample:
    return block
