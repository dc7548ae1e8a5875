"""Untrusted text made harmless: one function for each kind of output."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["csv_cell", "encodable", "json_text", "markdown", "terminal", "terminal_cell"]

_FORMULA = tuple("=+-@\t\r＝＋－＠")
_COMMAND = re.compile(r"^\s*:(?=:)|#(?=#(?:vso)?\[)")
_NUMBER = re.compile(r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?")
_COMMAND_IN_JSON = re.compile(r"##((?:vso)?)\[")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~&])")


def terminal(text: str) -> str:
    r"""Escape what a terminal would obey or hide: controls, ESC, C1, bidi, line ends.

    In the log of a CI run a line that begins with ``::``, or contains ``##[`` or ``##vso[``, is a
    command; text that could begin such a line is escaped too.

    >>> terminal("cat\x1b[31m\u202e"), terminal("::error::x")
    ('cat\\x1b[31m\\u202e', '\\x3a:error::x')
    """
    if not text.isprintable():
        text = "".join(character if character.isprintable() else _escaped(character) for character in text)
    return _COMMAND.sub(lambda found: found[0][:-1] + f"\\x{ord(found[0][-1]):02x}", text)


def _escaped(character: str) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character) or ascii(character)[1:-1]


def json_text(text: str) -> str:
    r"""Escape JSON text so that a CI log takes no string for a command; the parsed value is the same.

    >>> json_text('["##[error]x"]')
    '["#\\u0023[error]x"]'
    """
    return _COMMAND_IN_JSON.sub(r"#\\u0023\1[", text)


def encodable(value: Any) -> Any:
    r"""Escape lone surrogates, which UTF-8 cannot encode; other text and values are unchanged.

    >>> encodable("a\ud800"), encodable("é"), encodable(None)
    ('a\\ud800', 'é', None)
    """
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def csv_cell(text: str) -> str:
    r"""Prefix a quote to text that a spreadsheet would evaluate as a formula; numbers are unchanged.

    A carriage return, which the csv module leaves unquoted before Python 3.13, is escaped.

    >>> csv_cell("=cmd()"), csv_cell("-1.5"), csv_cell("a\rb")
    ("'=cmd()", '-1.5', 'a\\rb')
    """
    safe = terminal(text) if "\r" in text else text
    return "'" + safe if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else safe


def terminal_cell(text: str) -> str:
    """Return a CSV cell that is safe on a terminal too."""
    return terminal(csv_cell(text))


def markdown(text: str) -> str:
    r"""Escape characters that Markdown reads as markup.

    >>> markdown("a|b`c`")
    'a\\|b\\`c\\`'
    """
    return _MARKDOWN.sub(r"\\\1", terminal(text))
