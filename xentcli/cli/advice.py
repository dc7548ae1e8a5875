"""Advice for the table of a check: options of the command line as keys and values of TOML."""

from __future__ import annotations

import re
from collections.abc import Mapping

from xentcli.cli.project import kinds
from xentcli.options import Option

__all__ = ["in_toml"]

_OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]+)(?:[ =]([^\s;,)]+))?")
_SEVERAL = re.compile(r"(--\S+(?: [^\s-]\S*)?) (?=--)")


def in_toml(line: str, keys: Mapping[str, Option]) -> str:
    """Return a line of advice with options as keys; `keys` are those of a check. A command stays as it is.

    >>> limits = {"max": Option("", "", "METRIC=X", multiple=True), "strict": Option("", "", hint="bool")}
    >>> in_toml("--max cost=0.5 --strict", limits), in_toml("xent check --max cost=1", limits)
    ('max = { cost = 0.5 }, strict = true', 'xent check --max cost=1')
    """
    if "xent " in line or " > " in line:
        return line
    return _OPTION.sub(lambda found: _as_key(found, keys), _SEVERAL.sub(r"\1, ", line))


def _as_key(found: re.Match[str], keys: Mapping[str, Option]) -> str:
    """An option in a line of advice, as a key; what follows it may be its value, or prose."""
    name, value = found.groups()
    plain = found[0].removeprefix("--")
    if name not in keys:
        return found[0]
    row = keys[name]
    if kinds(row) == ("boolean",) or (value is None and row.bare is not None):
        return f"{name} = true{plain.removeprefix(name)}"
    metric, equals, limit = (value or "").partition("=")
    if equals and "object" in kinds(row):
        return f"{name} = {{ {metric} = {_value(limit)} }}"
    is_value = value is not None and (not value.isalpha() or value.isupper() or value in row.choices)
    return f"{name} = {_value(value)}" if is_value else plain


def _value(text: str) -> str:
    """A value of TOML; X stands for a number."""
    # NumPy would be loaded for the help.
    from xentcli.columns.numerals import number

    return text if number(text) is not None or text == "X" else f'"{text}"'
