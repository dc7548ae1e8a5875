"""Diagnoses are extras: one that fails is left out, so that it never costs a finished result."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from xentcli.errors import FileError

__all__ = ["attempted"]

T = TypeVar("T")

STRICT = False
"""Whether a defect in a diagnosis is raised. The test suite switches it on; nothing else does."""


def attempted(diagnose: Callable[[], T], otherwise: T) -> T:
    """Return what a diagnosis finds, or `otherwise` if it raises an exception.

    With STRICT only a file that cannot be read, or a lack of memory, is passed over: both
    can happen to a diagnosis that is correct.

    >>> attempted(lambda: "found", "nothing")
    'found'
    """
    try:
        return diagnose()
    except (FileError, OSError, MemoryError):
        return otherwise
    except Exception:
        if STRICT:
            raise
        return otherwise
