"""The grammar of numbers in text, and their doubles.

A number is a decimal of ASCII digits, [+-] digits [. digits] [e [+-] digits] with a
digit before or after the point; or inf, infinity or nan in any case, with an optional
sign. Spaces around it are allowed, nothing else: no 1_000, no hex, no digits of other
scripts, no thousands separators.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from xentcli.arrays import Floats

__all__ = [
    "DECIMAL",
    "hundredths",
    "in_points",
    "is_number",
    "localized",
    "number",
    "number_hint",
    "numbers",
    "pointed",
    "whole",
    "whole_or_text",
]

DECIMAL = re.compile(r"[ \t]*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t]*")
_NAMED = re.compile(r"[ \t]*[+-]?(?:inf|infinity|nan)[ \t]*", re.IGNORECASE)
_PLAIN = re.compile(r"[-+.0-9eE, \t]*")
_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]{0,17}))(?:\.0)?")
_SCIENTIFIC = r"-?[0-9]\.[0-9]{18}e[+-][0-9]{2}"
_NONZERO = r"[ \t]*[+-]?[0-9.]*[1-9]"


def whole(text: str) -> str | None:
    """Return N for a label N or N.0, or as written by numpy.savetxt; None for other text; -0 gives 0.

    >>> [whole(t) for t in ("3.0", "-100", "-0.0", "01", "cat", "2.000000000000000000e+00")]
    ['3', '-100', '0', None, None, '2']
    """
    found = _WHOLE.fullmatch(text)
    if found:
        return "0" if found[1] == "-0" else found[1]
    if re.fullmatch(_SCIENTIFIC, text) and float(text).is_integer() and abs(float(text)) < 2**53:
        return str(int(float(text)))
    return None


def whole_or_text(text: str) -> str:
    """Return N for a label N or N.0; other text unchanged."""
    return whole(text) or text


def number_hint(text: str) -> str:
    """Return a hint about a text that is not a number; empty if it resembles nothing known.

    >>> number_hint("0,5"), number_hint("cat")
    ('a decimal comma? --decimal , reads it', '')
    """
    stripped = text.strip()
    if DECIMAL.fullmatch(text):
        return "larger than any double, which ends at 1.8e308"
    found = next((hint for pattern, hint in _HINTS if re.fullmatch(pattern, stripped, re.DOTALL)), "")
    if found:
        return found
    if stripped == "" or stripped.lower() in ("na", "n/a", "nan", "null", "none", "<na>"):
        return "a missing prediction cannot be scored"
    if "_" in stripped and is_number(stripped.replace("_", "")):
        return "underscores between digits? write numbers without them"
    if not stripped.isascii() and any(character.isdigit() for character in stripped if not character.isascii()):
        return "digits of another script? numbers use the digits 0 to 9"
    if len(stripped.split()) > 1 and all(map(is_number, stripped.split())):
        return "numbers with spaces between? --delimiter space"
    return ""


_HINTS = (
    (r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", "a thousands separator? write numbers without it"),
    (r"[+-]?\d*,\d+([eE][+-]?\d+)?", "a decimal comma? --decimal , reads it"),
    (
        # Atomic: a long cell is not tried from each of its dots.
        r"\[(?>.*?\.\.\.).*\]",
        "a list that NumPy shortened when it was printed; in Python: numpy.save('p.npy', array)",
    ),
    (r"\[.*\]", "a whole array in one cell? A list of numbers is read where the first row has one too"),
    (r"[+-]?[0-9.]*,[0-9]+ ?%", "a percentage with a decimal comma? --decimal , reads it"),
    (
        r"[+-]?[0-9.,]+ ?%",
        "a percent sign where the first row has none: write all of the column with it, or none",
    ),
    (r"[+-]?0[xX][0-9a-fA-F.]+([pP][+-]?[0-9]+)?", "hexadecimal? numbers are decimal"),
    (r"[+-]?[0-9.]+[dD][+-]?[0-9]+", "a Fortran exponent? write it with an e, as in 1e-5"),
)
"""What texts that are not numbers look like, and what to do."""


def is_number(text: str) -> bool:
    """Whether a text is a number; nan and inf are.

    >>> [is_number(t) for t in ("1.", ".5", "-1e-5", "inf", "1_000", "0x1p3", "1,5", "")]
    [True, True, True, True, False, False, False, False]
    """
    return bool(DECIMAL.fullmatch(text) or _NAMED.fullmatch(text))


def number(text: str) -> float | None:
    """Return the double nearest to a number; None if the text is not a number, or overflows.

    >>> number(" 1e-5 "), number("1e400"), number("٣")
    (1e-05, None, None)
    """
    if DECIMAL.fullmatch(text):
        value = float(text)
        return None if value in (float("inf"), -float("inf")) else value
    return float(text) if _NAMED.fullmatch(text) else None


def pointed(text: str) -> str | None:
    """Replace the decimal comma of a number by a point; other text unchanged.

    None for a number with a point, which could be a thousands separator.

    >>> pointed("0,5"), pointed("cat"), pointed("1.234")
    ('0.5', 'cat', None)
    """
    if "." in text:
        return None if DECIMAL.fullmatch(text) else text
    found = text.replace(",", ".")
    return found if DECIMAL.fullmatch(found) else text


def in_points(text: str, decimal: str) -> str:
    """Return a number with a point, given the decimal separator of its file; other text unchanged.

    >>> [in_points(t, ",") for t in ("1,5", "1.5", "a,b")], in_points("1,5", ".")
    (['1.5', '1.5', 'a,b'], '1,5')
    """
    return text if decimal == "." else pointed(text) or text


def hundredths(text: str, decimal: str = ".") -> str:
    """Return a percentage as a decimal with a point and an exponent; other text unchanged.

    The number of 78.7% is the double nearest to 0.787.

    >>> [hundredths(t) for t in ("78.7%", "5e-1 %", "5", "%")], hundredths("78,7%", ",")
    (['78.7e-2', '5e-3', '5', '%'], '78.7e-2')
    """
    if "%" not in text:
        return text
    stripped = text.strip(" \t\xa0\u202f")
    if not stripped.endswith("%"):
        return text
    found = in_points(stripped[:-1].rstrip(" \t\xa0\u202f"), decimal)
    if not DECIMAL.fullmatch(found) or (decimal != "." and "." in stripped):
        return text
    digits, _, power = found.lower().partition("e")
    return f"{digits}e{int(power or 0) - 2}"


def localized(text: str, decimal: str) -> str:
    """Return a number with a point as written in a file with this decimal separator; other text unchanged.

    >>> [localized(t, ",") for t in ("1.5", "1,5", "v1.5")], localized("1.5", ".")
    (['1,5', '1,5', 'v1.5'], '1.5')
    """
    return text.replace(".", decimal) if DECIMAL.fullmatch(text) else text


def numbers(cells: Sequence[str]) -> tuple[Floats, list[int]] | int:
    """Read cells as doubles, f8[n]; also return the indices of underflows: nonzero numerals that become 0.

    If a cell is not a number, returns the index of the first such cell instead.

    >>> numbers(["0.5", "1e-400"])
    (array([0.5, 0. ]), [1])
    >>> numbers(["0.5", "NA"])
    1
    """
    values = None
    if _PLAIN.fullmatch(",".join(cells)):
        # With these characters only, float() accepts exactly what the grammar does.
        try:
            values = np.array(list(map(float, cells)))
        except ValueError:
            values = None
        if values is not None and np.isinf(values).any():
            values = None
    if values is None:
        each = [number(cell) for cell in cells]
        if None in each:
            return each.index(None)
        values = np.array(each, dtype=np.float64)
    zeros = np.flatnonzero(values == 0)
    return values, [index for index in zeros.tolist() if re.match(_NONZERO, cells[index])]
