"""Type checks of options in library calls; NumPy scalars and arrays become plain Python values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from xentcli.errors import UsageError, shown
from xentcli.given import Given

__all__ = ["NAN", "count", "typed"]

NAN = "NaN or missing"
"""The number NaN as the value of an option of texts, where NaN as a text is another value."""

_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "True or False",
    "Sequence[str]": "a list of texts",
    "Sequence[float]": "a list of numbers",
    "Mapping[str, float]": "a dict of numbers",
}


def typed(name: str, value: Any, hint: str, *, numbers: str = "refused") -> Any:
    """Return the value of an option as its type hint requires: ``str``, ``int``, ``float``, ``bool``, tuple or dict.

    Where the hint has only texts a number is "refused", or a whole number becomes a text
    ("names": the columns of a data frame may be numbers), or any number is "kept".

    Raises UsageError for a value of another type.

    >>> import numpy as np
    >>> typed("clip", np.float32(0.5), "float | None")
    0.5
    >>> typed("preds", np.arange(2), "str | Sequence[str]", numbers="names")
    ('0', '1')
    """
    kinds = hint.split(" | ")
    if "Mapping[str, float]" in kinds and hasattr(value, "iloc") and hasattr(value, "to_dict"):
        # The index of a series of pandas has the names.
        value = value.to_dict()
    plain = _plain(value)
    if plain is None and "None" in kinds:
        return None
    if isinstance(plain, tuple) and "Sequence[float]" in kinds and not any(isinstance(item, str) for item in plain):
        return tuple(_one(name, item, ["float"]) for item in plain)
    if isinstance(plain, tuple) and "Sequence[str]" in kinds:
        return tuple(_one(name, item, ["str"], numbers) for item in plain)
    if isinstance(plain, dict) and "Mapping[str, float]" in kinds:
        return {str(key): _one(name, item, ["float"]) for key, item in plain.items()}
    return _one(name, plain, kinds, numbers)


def count(name: str, value: Any) -> int | None:
    """Return a whole number from 1 up, or None.

    Raises UsageError for anything else.

    >>> count("threads", 2.5)
    Traceback (most recent call last):
    xentcli.errors.UsageError: threads is a whole number, not '2.5'
    """
    if value is None:
        return None
    found: int = typed(name, value, "int")
    if found < 1:
        raise UsageError(f"{name} is at least 1, not {found}")
    return found


def _plain(value: Any) -> Any:
    """Convert NumPy scalars and arrays, also within lists and dicts, to Python values; lists become tuples."""
    if listed := getattr(value, "tolist", getattr(value, "to_list", None)):
        value = listed()
    elif hasattr(value, "__array__"):
        import numpy as np

        value = np.asarray(value).tolist()
    elif hasattr(value, "__dlpack__"):
        import numpy as np

        value = np.from_dlpack(value).tolist()
    if isinstance(value, list | tuple | range):
        return tuple(map(_plain, value))
    return {_plain(key): _plain(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def _one(name: str, value: Any, kinds: list[str], numbers: str = "refused") -> Any:
    if isinstance(value, bool):
        if "bool" in kinds:
            return value
    elif isinstance(value, str):
        if "str" in kinds:
            return value if type(value) is Given else str(value)
    elif isinstance(value, Real):
        if "float" in kinds:
            return _double(value)
        if "int" in kinds and isinstance(value, Integral):
            return int(value)
        if numbers == "names" and isinstance(value, Integral):
            return str(value)
        if numbers == "kept":
            # JSON, and with it a state, has no NaN.
            return value if value == value else NAN
    words = [_WORDS[kind] for kind in kinds if kind in _WORDS]
    raise UsageError(f"{name} is {' or '.join(words)}, not {shown(value)}")


def _double(value: Real) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)
