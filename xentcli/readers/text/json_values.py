"""Strict JSON: the values of a text, numbers as the nearest doubles.

``NaN``, ``Infinity`` and ``-Infinity`` are read as Python writes them. Repeated keys, lone surrogates, numbers
beyond the doubles and numbers of more than 4,300 digits are refused.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from xentcli.columns.numerals import numbers
from xentcli.errors import DataError, shown
from xentcli.readers.table import Small, unique_pairs

__all__ = ["json_value"]

_LONG = 300
"""Digits with which a number without an exponent may exceed the largest double."""
_EXPONENT = re.compile(r"[eE][-+]?0*[1-9][0-9]{2}")
_DIGITS = re.compile(rf"[^0-9][0-9]{{{_LONG}}}")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def json_value(text: bytes, expected: str) -> Any:
    """Return the value of a JSON text; nonzero numerals below the smallest double are marked as Small.

    Raises DataError without a place, for what is no JSON (`expected` is the advice), or is not read.
    """
    try:
        line = text.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise DataError(f"byte 0x{text[error.start]:02x} is not UTF-8") from None
    try:
        extreme = _EXPONENT.search(line) or (len(line) > _LONG and _DIGITS.search(line))
        found = (_decoder_of_extremes if extreme else _decoder)().decode(line)
        if "\\u" in line and _SURROGATE.search(line):
            json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise DataError("half of a surrogate pair, which is not a character") from None
    except json.JSONDecodeError as error:
        where = f"character {error.colno}" + (f" of line {error.lineno}" if error.lineno > 1 else "")
        what = "a blank line" if not line.strip() else f"no JSON: {error.msg} at {where}"
        raise DataError(what, advice=expected) from None
    except RecursionError:
        raise DataError("JSON that is not read: it is nested too deeply") from None
    except ValueError as error:
        what = "a number of more than 4,300 digits" if "4300 digits" in str(error) else str(error)
        raise DataError(f"no JSON that is read: {what}") from None
    return found


@lru_cache(maxsize=1)
def _decoder() -> json.JSONDecoder:
    """A strict decoder of text in which no number can overflow or underflow."""
    return json.JSONDecoder(object_pairs_hook=unique_pairs)


@lru_cache(maxsize=1)
def _decoder_of_extremes() -> json.JSONDecoder:
    """A strict decoder of any text; it makes a call for each number."""
    return json.JSONDecoder(object_pairs_hook=unique_pairs, parse_float=_extreme)


def _extreme(text: str) -> float:
    """Read a number: overflow is refused, underflow is marked as Small."""
    found = numbers([text])
    if isinstance(found, int):
        raise ValueError(f"{shown(text)} is larger than any double")
    values, small = found
    return Small(text) if small else float(values[0])
