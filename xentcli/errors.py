"""The errors that xent raises on purpose, each with its exit code, and the warning.

    XentError
     |-- UsageError    2   options that make no sense, whatever the files hold
     |    `-- NotComputedError   a figure that was not asked for
     |-- DataError     3   the data cannot be scored, or not without an option
     |    `-- LabelsBreakRule   a later label breaks the rule that the first ones set
     |-- FileError     4   a file cannot be read or written, or a limit was reached
     |    `-- ClusterError   a cluster cannot do the work
     `-- NoVerdict     5   nothing to judge: no rows, or weights that sum to 0

Any other exception is an internal error and exits with 70.
"""

from __future__ import annotations

import os
import re
from typing import Annotated, ClassVar

from xentcli.records import Keywords, record

__all__ = [
    "WARNINGS",
    "ClusterError",
    "DataError",
    "FileError",
    "LabelsBreakRule",
    "NoVerdict",
    "NotComputedError",
    "Place",
    "UsageError",
    "Warning",
    "XentError",
    "first_line",
    "shown",
    "unused",
]

WARNINGS = (
    "columns-permuted",
    "confidence-of-prediction",
    "hard-predictions",
    "header-guessed",
    "ignored-label-not-found",
    "index-base",
    "infinite",
    "label-is-prediction",
    "missing-predictions",
    "never-predicted",
    "possible-class",
    "probabilities-as-logits",
    "renormalized",
    "row-names-differ",
    "shifted",
    "softmax-twice",
    "underflow",
    "weighted-sum",
    "worse-than-prior",
)
"""The codes of the warnings of a score."""

DEFECT = 70
INTERRUPTED = 130
READER_GONE = 141
SIGNALLED = 128


def shown(value: object, limit: int = 60) -> str:
    r"""Quote a value for a message: control characters escaped, long text cut.

    >>> shown("a\tb")
    "'a\\tb'"
    >>> shown("x" * 100, limit=10)
    "'xxxxxxxxxx'... (100 characters)"
    """
    text = str(value)
    if len(text) > limit:
        return f"{ascii_safe(text[:limit])}... ({len(text):,} characters)"
    return ascii_safe(text)


def first_line(error: BaseException) -> str:
    r"""Return the first line of an error of a library; its type if it says nothing.

    >>> first_line(ValueError("one\ntwo")), first_line(KeyError())
    ('one', 'KeyError')
    """
    return str(error).strip().partition("\n")[0] or type(error).__name__


def unused(stem: str, ending: str) -> str:
    """Return a file name for advice that writes: that of no existing file, so that nothing is overwritten.

    >>> unused("no/such/preds", ".csv")
    'no/such/preds-clean.csv'
    """
    names = (f"{stem}-clean{number}{ending}" for number in ("", *range(2, 1000)))
    return next((name for name in names if not os.path.exists(name)), f"{stem}-clean-new{ending}")


_SAVES = r"(numpy\.save\(|\.to_csv\()'([^'\\]+)(\.\w+)'"


def _written_beside(line: str) -> str:
    """A line of advice, with another name in place of that of a file which it would overwrite."""

    def renamed(found: re.Match[str]) -> str:
        there = os.path.exists(found[2] + found[3])
        return f"{found[1]}{unused(found[2], found[3])!r}" if there else found[0]

    return re.sub(_SAVES, renamed, line)


def ascii_safe(text: str) -> str:
    """repr() of a text in which also the printable but deceptive characters are escaped."""
    return repr(text) if text.isprintable() else ascii(text)


@record(frozen=True)
class Place:
    """Where in the input something is: rows and lines are counted from 1."""

    path: str | None = None
    row: int | None = None
    line: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        """Return for instance ``preds.csv, row 3 (line 4), column cat``."""
        parts = [self.path] if self.path else []
        if self.row is not None:
            parts.append(f"row {self.row:,}" + (f" (line {self.line:,})" if self.line else ""))
        elif self.line is not None:
            parts.append(f"line {self.line:,}")
        if self.column is not None:
            parts.append(f"column {self.column}")
        return ", ".join(parts)


class XentError(Exception):
    """An error that is explained to the user in one short block.

    Parameters
    ----------
    message
        What is wrong: the value got and what was expected. One line.
    place
        Where, as precisely as known.
    advice
        What to do, each a line of its own: the option that helps, a line of Python.
    """

    exit_code: ClassVar[int] = DEFECT

    def __init__(self, message: str, *, place: Place | None = None, advice: str | tuple[str, ...] = ()) -> None:
        self.message = message
        self.place = place
        lines = (advice,) if isinstance(advice, str) else advice
        self.advice = tuple(_written_beside(line) for line in lines if line)
        super().__init__(message)

    @property
    def headline(self) -> str:
        """The place and the message in one line."""
        where = str(self.place) if self.place else ""
        return f"{where}: {self.message}" if where else self.message

    def __str__(self) -> str:
        """Return the whole block, the advice indented."""
        return "\n".join([self.headline, *(f"  {line}" for line in self.advice)])


class UsageError(XentError):
    """Options that make no sense whatever the files hold."""

    exit_code = 2


class NotComputedError(UsageError, KeyError):
    """A figure that was not asked for, and that what was kept does not give."""


class DataError(XentError):
    """Data that cannot be scored, or not without an option that the message names."""

    exit_code = 3


class LabelsBreakRule(DataError):
    """A label that does not fit the rule which the first labels of its column set."""


class FileError(XentError):
    """A file that cannot be read or written, or a limit on size."""

    exit_code = 4


class ClusterError(FileError):
    """A cluster that cannot do the work, or does not see the files."""


class NoVerdict(XentError):
    """Nothing to judge by: no rows, or no weight."""

    exit_code = 5


@record(frozen=True)
class Warning:
    """Something that the user should know: a code for scripts, a message, and advice."""

    code: Annotated[str, Keywords(pattern="^[a-z-]+$")]
    message: str
    advice: str = ""
