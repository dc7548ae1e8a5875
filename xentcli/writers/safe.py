"""Untrusted text made harmless: one function for each kind of output."""

from __future__ import annotations

import re
from typing import Any

__all__ = [
    "annotation",
    "csv_cell",
    "encodable",
    "json_text",
    "latex",
    "markdown",
    "property_of",
    "terminal",
    "terminal_cell",
    "xml",
]

_FORMULA = tuple("=+-@\t\r＝＋－＠")
_COMMAND = re.compile(r"^\s*:(?=:)|#(?=#(?:vso)?\[)")
_LATEX = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "[": "{[}",
    "]": "{]}",
}
_LIGATURE = r"(-(?=-)|[?!](?=`)|[`'](?=[`'])|,(?=,))"
"""What LaTeX sets as one sign with the next character."""
_NUMBER = r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?"
_COMMAND_IN_JSON = r"##((?:vso)?)\["
_MARKDOWN = r"([\\`*_\[\]<>|~&$])"
_LINKED = r"(?i)(@(?=\w|$)|#(?=\d)|:(?=//)|\bwww(?=\.)|\bGH-(?=\d))"
"""What GitHub and GitLab make a link or a notification of."""


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


def latex(text: str) -> str:
    r"""Escape what LaTeX obeys; two hyphens stay two.

    >>> latex("5% of a_b"), latex(r"\input{x}"), latex("--by")
    ('5\\% of a\\_b', '\\textbackslash{}input\\{x\\}', '-{}-by')
    """
    escaped = "".join(_LATEX.get(character, character) for character in terminal(text))
    return re.sub(_LIGATURE, r"\1{}", escaped)


def json_text(text: str) -> str:
    r"""Escape JSON text so that a CI log takes no string for a command; the parsed value is the same.

    >>> json_text('["##[error]x"]')
    '["#\\u0023[error]x"]'
    """
    return re.sub(_COMMAND_IN_JSON, r"#\\u0023\1[", text)


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
    return "'" + safe if text.startswith(_FORMULA) and not re.fullmatch(_NUMBER, text) else safe


def terminal_cell(text: str) -> str:
    """Return a CSV cell that is safe on a terminal too."""
    return terminal(csv_cell(text))


def markdown(text: str) -> str:
    r"""Escape characters that Markdown reads as markup; no address, @name or #1 becomes a link or notifies somebody.

    >>> markdown("a|b`c`"), markdown("@all"), markdown("$x$")
    ('a\\|b\\`c\\`', '@<!-- -->all', '\\$x\\$')
    """
    return re.sub(_LINKED, r"\1<!-- -->", re.sub(_MARKDOWN, r"\\\1", terminal(text)))


def xml(text: str) -> str:
    r"""Escape the characters that XML 1.0 forbids, which are among those that a terminal would obey or hide.

    Markup is escaped by the library that writes the document.

    >>> xml("a\x00b\ufffe")
    'a\\x00b\\ufffe'
    """
    return terminal(text)


def annotation(text: str) -> str:
    r"""Escape the message of a command of a GitHub runner; line ends are escaped as those of terminal().

    >>> annotation("50%\n::set-env")
    '50%25\\n::set-env'
    """
    return terminal(text).replace("%", "%25")


def property_of(text: str) -> str:
    """Escape a property of a command of a GitHub runner, such as the title of an annotation.

    >>> property_of("a:b,c")
    'a%3Ab%2Cc'
    """
    return annotation(text).replace(":", "%3A").replace(",", "%2C")
