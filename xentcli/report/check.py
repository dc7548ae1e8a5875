"""The document of `xent check`."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from xentcli.errors import Warning
from xentcli.records import Keywords, record
from xentcli.report.document import Document, Number, Table
from xentcli.report.report import Report

__all__ = ["Check", "CheckReport"]

_VERDICTS = ["pass", "fail", "no_verdict"]


@record(frozen=True)
class Check:
    """One limit and its verdict.

    Attributes
    ----------
    margin
        how far the value is inside the limit; negative outside
    """

    name: str
    metric: str
    group: dict[str, str] | None
    value: Number | None
    limit: Number
    margin: Number | None
    verdict: Annotated[str, Keywords(enum=_VERDICTS)]
    bound: Annotated[str, Keywords(enum=["max", "min"])]


@record(frozen=True)
class CheckReport(Document):
    """The verdict on a report: pass, fail or no_verdict.

    Attributes
    ----------
    verdict
        of check only
    checks
        of check only
    """

    NAME: ClassVar = "check"
    OMITTED: ClassVar = frozenset({"report"})

    report: Report
    verdict: Annotated[str, Keywords(enum=_VERDICTS)]
    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> int:
        """The exit code of the process: 0 for pass, 1 for fail, 5 for no verdict."""
        return {"pass": 0, "fail": 1}.get(self.verdict, 5)

    @property
    def warnings(self) -> tuple[Warning, ...]:
        """The warnings of the report."""
        return self.report.warnings

    def to_dict(self) -> dict[str, Any]:
        """Return the names of the report, then verdict and checks."""
        return {**self.report.to_dict(), **super().to_dict()}

    def tables(self) -> tuple[Table, ...]:
        """Return the limits, then the tables of the report."""
        rows = [(c.name, c.metric, c.value, c.limit, c.margin, c.verdict) for c in self.checks]
        limits = Table("limits", ("name", "metric", "value", "limit", "margin", "verdict"), tuple(rows))
        return (limits, *self.report.tables())
