"""How tools write a value that is missing."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["MISSING", "as_nan", "is_missing"]

MISSING = frozenset(("", "nan", "na", "n/a", "null", "none", "-", ".", "<na>", "#n/a", "#null!"))
"""The spellings of a missing value, in lower case: of CSV, pandas, R, SQL, JSON, Python, SAS, SPSS and Excel."""


def is_missing(text: str) -> bool:
    """Whether a text is a missing value: one of MISSING, in any case, with blanks around it or not.

    >>> [is_missing(text) for text in ("", " NaN", "<NA>", "-", "-1", "nana")]
    [True, True, True, True, False, False]
    """
    return text.strip().lower() in MISSING


def as_nan(cells: Sequence[str]) -> list[str]:
    """Return cells with nan in place of what is missing.

    >>> as_nan(["0.5", "NA"])
    ['0.5', 'nan']
    """
    return ["nan" if is_missing(cell) else cell for cell in cells]
