"""The document of `xent explain` for one example."""

from __future__ import annotations

from typing import ClassVar

from xentcli.errors import Warning, shown
from xentcli.records import record
from xentcli.report.document import SCHEMA_VERSION, Document, InputFile, Number, Position, Table, Version
from xentcli.version import __version__

__all__ = ["ClassTerm", "Explanation"]


@record(frozen=True)
class ClassTerm:
    """One class of one example: its target y, its probability q, and its term y x ln q of the loss.

    Attributes
    ----------
    score
        the logit or log-probability of the file; None for probabilities. With --temperature T the prediction of the
        file, or of probabilities its logarithm, divided by T
    shifted
        the logit minus the largest; None unless logits were given
    exponential
        exp(shifted); None unless logits were given
    clipped
        q after --clip; None without it
    given
        the prediction of the file before --temperature; None without it
    """

    name: str
    y: Number
    q: Number
    ln_q: Number
    term: Number
    score: Number | None = None
    shifted: Number | None = None
    exponential: Number | None = None
    clipped: Number | None = None
    given: Number | None = None


@record(frozen=True)
class Explanation(Document):
    """One example, step by step; every loss is in nats.

    Attributes
    ----------
    truth
        the true class; None where the target is soft
    uniform
        the loss of predicting all classes equally
    other_split
        other probabilities with the same loss
    loss_in_unit
        the loss in `unit`
    clip
        the EPS of --clip
    temperature
        the T of --temperature; 1 without it
    row
        None where the example was given by options
    command
        the command that calculates it; empty where a program asked
    """

    NAME: ClassVar = "explanation"
    OMITTED: ClassVar = frozenset({"warnings", "command"})
    SHOWS_WARNINGS: ClassVar = False

    kind: str
    terms: tuple[ClassTerm, ...]
    loss: Number
    truth: str | None
    truth_index: int | None
    predicted: str
    perplexity: Number
    uniform: Number
    target_entropy: Number | None
    largest: Number | None
    logsumexp: Number | None
    other_split: tuple[Number, ...] | None
    unit: str = "nats"
    loss_in_unit: Number | None = None
    clip: Number | None = None
    temperature: Number = 1.0
    row: Position | None = None
    id: str | None = None
    inputs: tuple[InputFile, ...] = ()
    xent_version: str = __version__
    schema_version: Version = SCHEMA_VERSION
    warnings: tuple[Warning, ...] = ()
    command: str = ""

    def in_brief(self) -> str:
        """Return the row, its loss, the true class and the predicted one."""
        row = "" if self.row is None else f"row {self.row:,}, "
        truth = "" if self.truth is None else f", truth {shown(self.truth)}"
        return f"{row}loss {self.loss:.6g} nats{truth}, predicted {shown(self.predicted)}"

    def tables(self) -> tuple[Table, ...]:
        """Return the terms of the loss, one row per class."""
        rows = [(term.name, term.y, term.q, term.ln_q, term.term) for term in self.terms]
        return (Table("terms", ("class", "y", "q", "ln_q", "term"), tuple(rows)),)
