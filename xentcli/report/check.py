"""The document of `xent check`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Annotated, Any, ClassVar, SupportsIndex

from xentcli.errors import Warning
from xentcli.records import Keywords, record, replace
from xentcli.report.document import Count, Document, Finite, Number, Position, Table, counted
from xentcli.report.parts import Interval, ends_of
from xentcli.report.report import Report

__all__ = ["BaselineInfo", "Check", "CheckReport", "Reason", "Verdict"]

_VERDICTS = ["pass", "fail", "inconclusive", "no_verdict"]
_RULES = ["limit", "each", "regression", "warning"]


@record(frozen=True)
class Check:
    """One limit and its verdict; losses are in the unit of the report.

    Attributes
    ----------
    name
        the option and what it holds, such as ``max cost`` or ``max-each cost {site: north}``
    metric
        "warnings" for --fail-on-warning, whose value is how many there are
    group
        with --max-each and --min-each
    limit
        of a regression the baseline plus what is allowed
    baseline
        the figure of the baseline on the rows that are compared
    change
        value - baseline
    interval
        of the change; None where there are no rows to pair
    margin
        how far the value is inside the limit; negative outside
    verdict
        no_verdict where the figure is undefined, or the group is too small; such a group alone does not change the
        verdict of the document
    rule
        the kind of limit
    margin_interval
        of a regression: it fails where both ends are below 0, and passes --strict where none is
    allowed
        what a regression may be, as it was given: ``2%`` or ``0.01``
    rows
        of the group, or those that are compared with the baseline
    reason
        why there is no verdict, or what decided; else empty
    """

    name: str
    metric: str
    group: dict[str, str] | None
    value: Number | None
    limit: Number | None
    baseline: Number | None = None
    change: Number | None = None
    interval: Interval | None = None
    margin: Number | None = None
    verdict: Annotated[str, Keywords(enum=_VERDICTS)] = "no_verdict"
    bound: Annotated[str, Keywords(enum=["max", "min"])] = "max"
    rule: Annotated[str, Keywords(enum=_RULES)] = "limit"
    margin_interval: Interval | None = None
    allowed: str = ""
    rows: Count | None = None
    reason: str = ""


@record(frozen=True)
class BaselineInfo:
    """What the run was compared with.

    Attributes
    ----------
    date
        when it was made, in UTC; None where the file does not say
    commit
        of the repository in which it was made
    rows_compared
        how many rows were paired; 0 where the baseline has figures alone
    notes
        what could not be checked, or differs
    """

    path: str
    date: str | None = None
    commit: str | None = None
    rows_compared: Count = 0
    notes: tuple[str, ...] = ()


@record(frozen=True)
class Reason:
    """A class, group or row that explains a failure.

    Attributes
    ----------
    metric
        whose parts these are: that of the limit, or the cost that it is derived from
    kind
        what it is
    name
        of the class, of the group as ``site north``, or the number of the row
    rows
        how many rows it has
    before, after
        its figure in the baseline and now; before is None without one
    share
        of the whole change, or without a baseline of the cost, of the errors, of the figure; None where that is 0 or
        infinite
    group
        of the limit, with --max-each and --min-each
    checks
        the names of the limits that are explained
    """

    metric: str
    kind: Annotated[str, Keywords(enum=["class", "group", "row"])]
    name: str
    rows: Position
    before: Number | None
    after: Number
    share: Finite | None
    group: dict[str, str] | None = None
    checks: tuple[str, ...] = ()


class Verdict(str):
    """A verdict, whose lines are its word and then the screen of its report.

    pytest shows the lines of two texts that differ, so ``assert check(...).verdict == "pass"`` fails with the screen.
    """

    _report: Document

    @classmethod
    def of(cls, word: str, report: Document) -> Verdict:
        """Return the verdict of a report."""
        made = cls(word)
        made._report = report
        return made

    def splitlines(self, keepends: bool = False) -> list[str]:
        """Return the word, and the lines of the screen."""
        return [str(self), *str(self._report).splitlines(keepends)]

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        """Return characters; all of them are the verdict itself: pytest cuts a text to the length that it shows."""
        part = super().__getitem__(key)
        return self if len(part) == len(self) else part


@record(frozen=True)
class CheckReport(Document):
    """The verdict on a report: fail, inconclusive, no_verdict or pass, whichever of its limits has first.

    Attributes
    ----------
    verdict
        of check only
    checks
        of check only
    baseline
        of check only, with --baseline
    reasons
        of check only: what explains limits that did not pass, for each of them the largest share first
    commands
        command lines by what they do: "look", "calibration", "accept"
    written
        the baseline that was written; None without --write-baseline
    unexplained
        why a failure has no reasons, and where they are found; empty where they were looked for
    """

    NAME: ClassVar = "check"
    OMITTED: ClassVar = frozenset({"report", "commands", "written", "unexplained"})

    report: Report
    verdict: Annotated[str, Keywords(enum=_VERDICTS)]
    checks: tuple[Check, ...]
    baseline: BaselineInfo | None = None
    reasons: tuple[Reason, ...] = ()
    commands: dict[str, str] = field(default_factory=dict)
    written: str | None = None
    unexplained: str = ""

    def __post_init__(self) -> None:
        """Give the verdict its report."""
        object.__setattr__(self, "verdict", Verdict.of(self.verdict, self))

    def __bool__(self) -> bool:
        """Return whether it passed: ``assert check(...)`` fails where the command does."""
        return self.verdict == "pass"

    @property
    def exit_code(self) -> int:
        """The exit code of the process: 0 for pass, 1 for fail, 5 for inconclusive or no verdict."""
        return {"pass": 0, "fail": 1}.get(self.verdict, 5)

    @property
    def warnings(self) -> tuple[Warning, ...]:
        """The warnings of the report."""
        return self.report.warnings

    def to_dict(self) -> dict[str, Any]:
        """Return the names of the report, then verdict and checks."""
        return {**self.report.to_dict(), **super().to_dict()}

    @property
    def held(self) -> tuple[Check, ...]:
        """The checks with a limit: all but those of groups that are too small."""
        return tuple(check for check in self.checks if check.group is None or check.limit is not None)

    @property
    def beside(self) -> Report:
        """The report, without groups that have a limit each."""
        covered = any(check.group is not None for check in self.checks) and not self.report.shown
        return replace(self.report, by=()) if covered else self.report

    def in_brief(self) -> str:
        """Return the verdict, how many limits passed, and the score."""
        passed = sum(check.verdict == "pass" for check in self.held)
        limits = f"{passed:,} of {counted(len(self.held), 'limit')} passed"
        return f"{self.verdict.replace('_', ' ')}, {limits}, {self.report.in_brief()}"

    def _frames(self) -> dict[str, Sequence[Any]]:
        return {**super()._frames(), **self.report._frames()}

    def tables(self) -> tuple[Table, ...]:
        """Return the limits, then the tables of the report."""
        columns = ("name", "metric", "group", "value", "limit", "baseline", "change", "low", "high", "margin")
        rows = []
        for c in self.checks:
            group = None if c.group is None else ", ".join(f"{name} {text}" for name, text in c.group.items())
            figures = (c.value, c.limit, c.baseline, c.change, *ends_of(c.interval), c.margin)
            rows.append((c.name, c.metric, group, *figures, c.verdict, c.reason or None))
        return (Table("limits", (*columns, "verdict", "reason"), tuple(rows), asked=True), *self.beside.tables())
