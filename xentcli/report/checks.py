"""The document of several checks: the verdict of each, and of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from xentcli.errors import Warning, XentError
from xentcli.records import Keywords, record
from xentcli.report.check import CheckReport
from xentcli.report.document import SCHEMA_VERSION, Document, Table, Version, counted
from xentcli.version import __version__

__all__ = ["Checks", "Failure", "NamedCheck"]

_ORDER = (2, 4, 3, 1, 5)
"""Exit codes: the first that a check has is that of all."""
_VERDICTS = ["pass", "fail", "inconclusive", "no_verdict", "error"]
_Code = Annotated[int, Keywords(enum=[0, *sorted(_ORDER)])]


@record(frozen=True)
class Failure:
    """Why a check could not run.

    Attributes
    ----------
    message
        where and what, in one line
    advice
        what to do, each a line of its own
    """

    message: str
    advice: tuple[str, ...]


@record(frozen=True)
class NamedCheck:
    """A check by its name: its verdict, and either what it found or why it could not run.

    Attributes
    ----------
    verdict
        error where it could not run
    report
        what `xent check --format json` prints; null where it could not run
    error
        null where it ran
    """

    name: str
    verdict: Annotated[str, Keywords(enum=_VERDICTS)]
    exit_code: _Code
    error: Failure | None
    report: CheckReport | None

    @classmethod
    def of(cls, name: str, result: CheckReport | XentError) -> NamedCheck:
        """Return the outcome of a check: its report, or the error that it ended with."""
        if isinstance(result, CheckReport):
            return cls(name, result.verdict, result.exit_code, None, result)
        verdict = "no_verdict" if result.exit_code == 5 else "error"
        return cls(name, verdict, result.exit_code, Failure(result.headline, tuple(result.advice)), None)


@record(frozen=True)
class Checks(Document):
    """Several checks.

    Attributes
    ----------
    file
        the pyproject.toml that has them; null for one check of the command line
    exit_code
        of the process: the first of 2, 4, 3, 1, 5 that a check has, else 0
    """

    NAME: ClassVar = "checks"

    schema_version: Version
    xent_version: str
    file: str | None
    verdict: Annotated[str, Keywords(enum=_VERDICTS)]
    exit_code: _Code
    checks: tuple[NamedCheck, ...]

    @classmethod
    def of(cls, checks: Sequence[NamedCheck], file: str | None = None) -> Checks:
        """Return the document of some checks; its verdict is that of the check which decides."""
        codes = [check.exit_code for check in checks]
        code = next((code for code in _ORDER if code in codes), 0)
        verdict = checks[codes.index(code)].verdict
        return cls(SCHEMA_VERSION, __version__, file, verdict, code, tuple(checks))

    @property
    def summary(self) -> str:
        """How many checks ended how, and the exit code, in one sentence."""
        kinds = {"failed": "fail", "could not run": "error", "inconclusive": "inconclusive"}
        kinds |= {"without a verdict": "no_verdict", "passed": "pass"}
        counts = {word: sum(check.verdict == verdict for check in self.checks) for word, verdict in kinds.items()}
        parts = [f"{count:,} {word}" for word, count in counts.items() if count]
        source = f" of {self.file}" if self.file else ""
        total = f"{counted(len(self.checks), 'check')}{source}"
        return f"{total}: {', '.join(parts)}: exit {self.exit_code}."

    def in_brief(self) -> str:
        """Return how many checks ended how."""
        return self.summary.removesuffix(".")

    @property
    def warnings(self) -> tuple[Warning, ...]:
        """The warnings of all reports."""
        return tuple(warning for check in self.checks if check.report is not None for warning in check.report.warnings)

    def tables(self) -> tuple[Table, ...]:
        """Return the limits of all checks; one that could not run has a row with its message."""
        columns, rows = None, []
        for check in self.checks:
            if check.report is not None:
                table = check.report.tables()[0]
                columns = table.columns
                rows += [(check.name, *row, None) for row in table.rows]
        columns = columns or ("name", "metric", "value", "limit", "margin", "verdict")
        place = columns.index("verdict")
        for check in self.checks:
            if check.error is not None:
                blank = [check.verdict if index == place else None for index in range(len(columns))]
                rows.append((check.name, *blank, check.error.message))
        return (Table("limits", ("check", *columns, "error"), tuple(rows)),)
