"""The figures of the rows of one model as they come from workers: block by block, or all those of a small file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xentcli.analysis.fit import searched
from xentcli.analysis.score import Tallied, scored
from xentcli.arrays import Array, Floats, Ints
from xentcli.columns.keys import Keys
from xentcli.errors import XentError
from xentcli.records import record, replace
from xentcli.report.per_example import PerExample, Sink
from xentcli.report.report import Report
from xentcli.settings import Settings

__all__ = ["Alone", "Block", "Columns", "Fitted", "Job", "Prepare", "Whole", "fitted_rows"]

Columns = tuple[Array | float, ...]
"""The columns of some rows: m numbers, or one for all."""
Job = tuple[str, Any, Settings]
"""A model: its name, its predictions, and how these are read."""


@record(frozen=True, eq=False)
class Block:
    """Rows of a block of one model, as they travel from a worker: columns of a region, and what else is asked."""

    start: int
    count: int
    loss: Floats
    metrics: Columns
    weight: Floats | float
    index: Array | None
    found: Sequence[str | None]
    ids: Sequence[str] | None
    kept: Ints | None
    groups: tuple[Keys, ...]


@record(frozen=True)
class Prepare:
    """Makes a Block in a worker, as small as can be sent: with the labels and the groups only where they are needed."""

    metrics: tuple[str, ...] = ()
    labels: bool = False
    groups: bool = False

    def __call__(self, rows: PerExample) -> Block:
        """Bring the figures of the rows into columns; a row of weight 0 has no figures."""
        figures = tuple(_at(rows.kept, rows.figures.get(name), rows.count) for name in self.metrics)
        weight = 1.0 if (rows.weight == 1).all() else rows.weight
        found, index = (rows.found or (), rows.index) if self.labels else ((), None)
        index = None if index is None else index.astype(np.min_scalar_type(len(found)))
        clusters = () if rows.clusters is None else (rows.clusters,)
        kept, groups = (rows.kept, (*rows.by, *clusters)) if self.groups else (None, ())
        return Block(rows.start, rows.count, rows.loss, figures, weight, index, found, rows.ids, kept, groups)


def _at(places: Ints, values: Floats | None, rows: int) -> Array | float:
    """Values at their places (i8[m]) of some rows, NaN elsewhere, or as flags where all are 0 or 1; without any NaN."""
    if values is None:
        return np.nan
    if len(values) == rows:
        flags: Array = values != 0
        return flags if np.array_equal(flags, values) else values
    found = np.full(rows, np.nan)
    found[places] = values
    return found


@record(frozen=True)
class Fitted:
    """The temperature of least cost; None without a fit, or where `reason` says why there is none."""

    temperature: float | None = None
    reason: str = ""


def fitted_rows(
    job: Job, labels: Any, tallied: Tallied, write: Callable[[Block], object], threads: int | None, **beside: Any
) -> Fitted:
    """Find the temperature of least cost of a model that was scored, and write its losses at it, block by block."""
    _, data, _ = job
    if not tallied.feed.repeatable:
        return Fitted(reason="a stream, which cannot be read again for a temperature")
    found = searched(tallied.feed, first=tallied.bundle["slopes"], threads=threads)
    if found.fit is None or found.fit.temperature is None:
        return Fitted(reason=found.reason)
    settings, temperature = tallied.plan.settings, found.fit.temperature
    tempered = replace(settings, temperature=settings.temperature * temperature)
    scored(data, labels, tempered, sink=Sink(Prepare(), write, lambda: None), threads=threads, **beside)
    return Fitted(temperature)


@record(frozen=True, eq=False)
class Whole:
    """A model of a small file: its report, its rows, and with a fit the losses at the best temperature.

    Without a report the `error` that refuses it, or None where it has too many rows to be sent at once.
    """

    report: Report | None = None
    blocks: Sequence[Block] = ()
    fitted: Fitted = Fitted()
    tempered: Sequence[Block] = ()
    error: XentError | None = None


class _TooManyError(Exception):
    """A file has more rows than are sent at once."""


@record(frozen=True, eq=False)
class Alone:
    """Scores a whole model in one worker, as long as it has at most `most` rows."""

    labels: Any
    metrics: tuple[str, ...]
    fit: bool
    most: int

    def __call__(self, job: Job) -> Whole:
        """Return all that is kept of a model."""
        try:
            return self._whole(job)
        except XentError as error:
            return Whole(error=error)
        except _TooManyError:
            return Whole()

    def _whole(self, job: Job) -> Whole:
        blocks: list[Block] = []
        tempered: list[Block] = []
        left = self.most

        def write(block: Block) -> None:
            nonlocal left
            left -= block.count
            if left < 0:
                raise _TooManyError
            blocks.append(block)

        def restart() -> None:
            nonlocal left
            left = self.most
            blocks.clear()

        _, data, settings = job
        sink = Sink(Prepare(self.metrics, self.labels is None), write, restart)
        report, tallied = scored(
            data, self.labels, settings, sink=sink, metrics_needed=self.metrics, slopes=self.fit, threads=1
        )
        fitted = fitted_rows(job, self.labels, tallied, tempered.append, 1) if self.fit else Fitted()
        return Whole(report, blocks, fitted, tempered)
