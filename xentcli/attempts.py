"""Run diagnoses so that a failing one never costs a finished result: it is skipped."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from xentcli.errors import FileError

__all__ = ["attempted"]

T = TypeVar("T")

STRICT = False
"""Whether errors in a diagnosis are raised: only in the test suite."""


def attempted(diagnose: Callable[[], T], otherwise: T) -> T:
    """Return what a diagnosis finds, or `otherwise` if it raises an exception.

    With STRICT only unreadable files and lack of memory are suppressed: both can happen to a
    correct diagnosis.

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
