"""Option: one row per option, for the commands, the library and the report."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from functools import cache
from typing import Any, Literal

from xentcli.errors import UsageError, shown
from xentcli.given import Takes, columns_given
from xentcli.records import record, replace
from xentcli.urls import hidden, hidden_where_named

__all__ = ["Check", "Option", "items", "number_that", "option", "options_of", "spelled"]

Check = Callable[[str, Any], Any]
"""``check(spelling, value)`` returns the value to keep, or raises UsageError."""


@record(frozen=True)
class Option:
    """One option.

    Attributes
    ----------
    section
        The section of the help that shows it.
    help
        One line: what it does, the unit.
    metavar
        The placeholder of its value in the help; empty for flags and choices.
    hint
        Its type hint. Library calls accept any of its types; the command line parses the first.
    default
        Its default; the help appends it unless it is 0, 1 or empty.
    choices
        The allowed values; empty for any.
    check
        Checks a value of the right type, and may convert it.
    numbers
        How to treat a number if the hint has only texts: refuse it, take it as a name (the
        columns of a data frame), or keep it.
    data
        Whether it takes data in place of the name of a column, "one" column of them, "several", or what Takes has.
    needs
        What it requires: "labels", "one problem" (not ``--multilabel``), "files" (not one example), "sums" (of rows).
    commands
        The commands that take it.
    multiple
        Whether a command line may repeat it.
    bare
        The value if the option is given without one.
    short
        A further spelling, such as ``-o``.
    before
        The option before which the help shows it.
    action
        Called instead of the command.
    usual
        Whether --help shows it; --help-all shows every option.
    """

    section: str
    help: str
    metavar: str = ""
    hint: str = "str | None"
    default: Any = None
    choices: tuple[Any, ...] = ()
    check: Check | None = None
    numbers: Literal["refused", "names", "kept"] = "refused"
    data: Takes = ""
    needs: tuple[str, ...] = ()
    commands: tuple[str, ...] = ("score", "explain", "check", "compare", "calibration")
    multiple: bool = False
    bare: str | None = None
    short: str = ""
    before: str = ""
    action: Callable[[Any], None] | None = None
    usual: bool = False

    def checked(self, name: str, value: Any) -> Any:
        """Check a value and return it as a plain Python value.

        Raises UsageError for a value of another type, or out of range.

        >>> Option("Loss", "Keep q in [EPS, 1-EPS].", hint="float | None").checked("clip", 1)
        1.0
        """
        from xentcli.typed import typed

        if self.data:
            value = columns_given(name, value, self.data)
            if isinstance(value, float) and self.numbers == "names":
                raise UsageError(f"{name} is the name of a column or data for each row, not {shown(value)}")
        value = typed(name, value, self.hint, numbers=self.numbers)
        if value is None:
            return None
        if self.choices and str(value) not in map(str, self.choices):
            few = len(self.choices) < 3
            allowed = " or ".join(map(str, self.choices)) if few else f"one of {', '.join(map(str, self.choices))}"
            raise UsageError(f"{spelled(name)} is {allowed}, not {shown(value)}")
        return value if self.check is None else self.check(spelled(name), value)

    @property
    def names_file(self) -> bool:
        """Whether its value is a path, also behind ``FORMAT:`` or ``KIND=``."""
        return self.metavar.endswith("FILE")

    def without_secrets(self, text: str) -> str:
        """Return a value with what is secret in URLs put away; a label or a name stays what it is."""
        return (hidden if self.names_file else hidden_where_named)(text)

    @property
    def help_with_default(self) -> str:
        """The help, with the default if it is neither neutral nor described.

        >>> Option("Files", "Most columns of a file.", "N", default=1_000_000).help_with_default
        'Most columns of a file [default: 1,000,000].'
        """
        if self.default in (None, (), 0, 1) or "[default: " in self.help:
            return self.help
        shown_default = f"{self.default:,}" if isinstance(self.default, int) else self.default
        return f"{self.help.removesuffix('.')} [default: {shown_default}]."

    def is_set(self, value: Any) -> bool:
        """Whether a value differs from the default."""
        return value not in (self.default, (), {})


def option(section: str, help: str, metavar: str = "", default: Any = None, **more: Any) -> Any:
    """Return the field of a record that is an option; its name and its type hint are those of the field."""
    row = Option(section, help, metavar, default=default, **more)
    return dataclasses.field(default=default, metadata={"option": row})


@cache
def options_of(cls: Any) -> dict[str, Option]:
    """Return the options that the fields of a class are, by name, in order.

    >>> from xentcli.records import record
    >>> @record(frozen=True)
    ... class Loss:
    ...     "How a loss is computed."
    ...     clip: float | None = option("Loss", "Keep q in [EPS, 1-EPS].", "EPS")
    >>> options_of(Loss)["clip"].metavar
    'EPS'
    """
    hints: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        hints |= inspect.get_annotations(base)
    return {name: replace(field.metadata["option"], hint=hints[name]) for name, field in cls.__record__.items()}


def spelled(name: str) -> str:
    """Return the spelling of an option on the command line.

    >>> spelled("sum_tolerance")
    '--sum-tolerance'
    """
    return f"--{name.replace('_', '-')}"


def items(value: Any) -> tuple[Any, ...]:
    """Return the values of an option that takes one or several.

    >>> items(None), items("a"), items(("a", "b"))
    ((), ('a',), ('a', 'b'))
    """
    return () if value is None else value if isinstance(value, tuple) else (value,)


def number_that(words: str, holds: Callable[[Any], bool], advice: str = "") -> Check:
    """Return a check of a number that must be as the words say.

    >>> number_that("between 0 and 0.5", lambda x: 0 < x < 0.5)("--clip", 0.6)
    Traceback (most recent call last):
    xentcli.errors.UsageError: --clip is between 0 and 0.5, not 0.6
    """

    def check(spelling: str, value: Any) -> Any:
        if not holds(value):
            raise UsageError(f"{spelling} is {words}, not {str(value).removesuffix('.0')}", advice=advice)
        return value

    return check
