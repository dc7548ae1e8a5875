"""The figures of rows of one model as workers return them: block by block, or for a small file all at once."""

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
"""Columns of rows: m numbers each, or one number for all rows."""
Job = tuple[str, Any, Settings]
"""A model to score: name, predictions, settings."""


@record(frozen=True, eq=False)
class Block:
    """Rows of one model as sent by a worker: columns of a Region, and other values if requested."""

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
    """Makes a Block in a worker; labels and groups are included only if needed, to keep it small."""

    metrics: tuple[str, ...] = ()
    labels: bool = False
    groups: bool = False

    def __call__(self, rows: PerExample) -> Block:
        """Return the figures of the rows as columns; a row of weight 0 has none."""
        figures = tuple(_at(rows.kept, rows.figures.get(name), rows.count) for name in self.metrics)
        weight = 1.0 if (rows.weight == 1).all() else rows.weight
        found, index = (rows.found or (), rows.index) if self.labels else ((), None)
        index = None if index is None else index.astype(np.min_scalar_type(len(found)))
        clusters = () if rows.clusters is None else (rows.clusters,)
        kept, groups = (rows.kept, (*rows.by, *clusters)) if self.groups else (None, ())
        return Block(rows.start, rows.count, rows.loss, figures, weight, index, found, rows.ids, kept, groups)


def _at(places: Ints, values: Floats | None, rows: int) -> Array | float:
    """f8[rows]: values at their places (i8[m]), NaN elsewhere; as flags if there is no NaN and all are 0 or 1."""
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
    """The temperature of lowest cost; None without a fit, or if there is none for some `reason`."""

    temperature: float | None = None
    reason: str = ""


def fitted_rows(
    job: Job, labels: Any, tallied: Tallied, write: Callable[[Block], object], threads: int | None, **beside: Any
) -> Fitted:
    """Fit the temperature of a model that was scored, and write its losses at that temperature, block by block."""
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
    """A model from a small file: its report, its rows, and with a fit the losses at the best temperature.

    Without a report: the `error` of the model, or None if it has too many rows to be sent at once.
    """

    report: Report | None = None
    blocks: Sequence[Block] = ()
    fitted: Fitted = Fitted()
    tempered: Sequence[Block] = ()
    error: XentError | None = None


class _TooManyError(Exception):
    """Raised if a file has more rows than are sent at once."""


@record(frozen=True, eq=False)
class Alone:
    """Scores a whole model in one worker, unless it has more than `most` rows."""

    labels: Any
    metrics: tuple[str, ...]
    fit: bool
    most: int

    def __call__(self, job: Job) -> Whole:
        """Score a model, and return everything that is kept of it."""
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
