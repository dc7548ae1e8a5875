"""Evidence: what the rules of a check are applied to, that is, figures and rows of a run and of a baseline."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from xentcli.analysis.model_rows import LOSS, ModelRows, Runs
from xentcli.analysis.pairs import Common
from xentcli.records import cached_property, record, replace
from xentcli.report.report import Report
from xentcli.scoring.metrics import find
from xentcli.settings import Settings

if TYPE_CHECKING:
    from xentcli.analysis.against import Against

__all__ = ["Evidence"]


_MOST = 1 << 26
"""Maximum number of rows read again; more would fill a temporary file of gigabytes."""


@record(frozen=True, eq=False)
class Evidence:
    """What the rules are applied to.

    Attributes
    ----------
    sliced
        The report with the metrics of groups that have limits.
    runs, new
        The rows of the run; None if no rule needs them.
    again
        Reads the inputs again for the rows of the run, with some metrics; None if they cannot be read again.
    """

    report: Report
    sliced: Report
    settings: Settings
    runs: Runs | None = None
    new: ModelRows | None = None
    against: Against | None = None
    again: Callable[[tuple[str, ...]], tuple[Runs, ModelRows]] | None = None

    def with_rows(self, metrics: tuple[str, ...]) -> Evidence | None:
        """Return the evidence with the rows of the run, read again if not kept; None if that is impossible."""
        if self.new is not None:
            return self
        if self.again is None or self.report.examples.read > _MOST:
            return None
        runs, new = self.again(metrics)
        return replace(self, runs=runs, new=new)

    @cached_property
    def common(self) -> Common:
        """The rows of the run, and of the baseline if it has any."""
        assert self.new is not None and self.runs is not None
        old = None if self.against is None else self.against.rows
        return Common([self.new] if old is None else [self.new, old], self.runs.clusters)

    def column(self, metric: str) -> int:
        """The column of a metric among the figures of the rows."""
        assert self.runs is not None
        return LOSS if metric == "cost" else 2 + self.runs.metrics.index(metric)

    def unit(self, metric: str) -> float:
        """The nats per unit of a metric; 1 if it is not a loss."""
        return self.settings.nats_per_unit if find(metric).unit == "loss" else 1.0
