"""Random search: how long a run for each commit searches, and how long `nox -s long` does."""

from __future__ import annotations

import os
from typing import Any

import hypothesis

__all__ = ["LONG", "settings"]

LONG = bool(os.environ.get("XENT_LONG"))
"""Whether to search for as long as `nox -s long` does."""
LEAST = 20
"""As many examples each law has in every run, unless it asks for fewer."""


def settings(*, max_examples: int = 100, least: int = LEAST, **others: Any) -> hypothesis.settings:
    """Settings of Hypothesis: a third of the examples with each commit, all of them with `nox -s long`.

    A law whose every example tries a whole table says with `least` that fewer are enough.
    """
    short = min(max_examples, max(least, max_examples // 3))
    # Where a test asks for the same examples in every run, it is for what these show.
    kept = LONG or others.get("derandomize", False)
    return hypothesis.settings(max_examples=max_examples if kept else short, **others)
