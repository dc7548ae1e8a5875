"""The document of `xent explain` for whole files."""

from __future__ import annotations

from typing import ClassVar

from xentcli.errors import shown
from xentcli.records import record
from xentcli.report.document import (
    SCHEMA_VERSION,
    Count,
    Document,
    Examples,
    InputFile,
    Number,
    Table,
    Version,
    counted,
)
from xentcli.version import __version__

__all__ = ["Cause", "Causes"]


@record(frozen=True)
class Cause:
    """Something that makes a cost high.

    Attributes
    ----------
    code
        the code of a warning, or zeros, class, group or worst
    share
        its part of the cost; None where it is not known
    examples
        its rows; None where it is about the files as a whole
    cost
        the cost of its rows; None where it is not known
    more
        the option that shows or corrects it
    """

    code: str
    name: str
    share: Number | None
    examples: Count | None
    cost: Number | None
    message: str
    more: str


@record(frozen=True)
class Causes(Document):
    """What makes a cost high, the largest share first. Costs are in `unit`.

    Attributes
    ----------
    prior
        the cost of always predicting the class frequencies
    command
        the command whose options show more of a cause
    """

    NAME: ClassVar = "causes"

    cost: Number
    unit: str
    examples: Examples
    prior: Number | None
    causes: tuple[Cause, ...]
    inputs: tuple[InputFile, ...] = ()
    standard_error: Number | None = None
    command: str = "xent score PREDS LABELS"
    xent_version: str = __version__
    schema_version: Version = SCHEMA_VERSION

    def more(self, cause: Cause) -> str:
        """Return the command that shows more of a cause; the advice, where it is about the files as a whole."""
        return cause.more if cause.examples is None else f"{self.command} {cause.more}"

    def in_brief(self) -> str:
        """Return the cost, how many rows, and the first cause."""
        first = "".join(f", first cause {shown(cause.name or cause.code)}" for cause in self.causes[:1])
        return f"cost {self.cost:.6g} {self.unit}, {counted(self.examples.scored, 'row')}{first}"

    def tables(self) -> tuple[Table, ...]:
        """Return the causes."""
        columns = ("cause", "name", "share", "examples", "cost", "unit", "message", "more")
        rows = [(c.code, c.name, c.share, c.examples, c.cost, self.unit, c.message, self.more(c)) for c in self.causes]
        return (Table("causes", columns, tuple(rows)),)
