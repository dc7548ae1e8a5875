"""Random search and wide products of cases: how much a run for each commit tries, and that `nox -s long` tries all."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Sequence
from typing import Any

import hypothesis

__all__ = ["LONG", "by_default", "settings", "some_of"]

LONG = bool(os.environ.get("XENT_LONG"))
"""Whether to search for as long as `nox -s long` does."""
LEAST = 20
"""As many examples each law has in every run, unless it asks for fewer."""


def by_default() -> None:
    """Have laws that set no number of examples try a third of Hypothesis's hundred, too, but with `nox -s long`."""
    hypothesis.settings.register_profile("by default", hypothesis.settings(), max_examples=100 if LONG else 33)
    hypothesis.settings.load_profile("by default")


def settings(*, max_examples: int = 100, least: int = LEAST, **others: Any) -> hypothesis.settings:
    """Settings of Hypothesis: a third of the examples with each commit, all of them with `nox -s long`.

    A law whose every example tries a whole table says with `least` that fewer are enough.
    """
    short = min(max_examples, max(least, max_examples // 3))
    # Where a test asks for the same examples in every run, it is for what these show.
    kept = LONG or others.get("derandomize", False)
    return hypothesis.settings(max_examples=max_examples if kept else short, **others)


def some_of(*factors: Sequence[Any], of: int = 3) -> list[Any]:
    """Return the cases of a product, for pytest's parametrize: with each commit one of `of`, and each value of a factor.

    Of one factor the values themselves are returned, of several tuples. All of them with `nox -s long`.
    """
    places = list(itertools.product(*(range(len(factor)) for factor in factors)))
    if not LONG:
        # The same ones in every worker and every run.
        order = random.Random(len(places)).sample(places, len(places))
        chosen = order[: -(-len(order) // of)]
        for case in order if len(factors) > 1 else ():
            if any(all(other[i] != place for other in chosen) for i, place in enumerate(case)):
                chosen.append(case)
        places = sorted(chosen)
    cases = [tuple(factor[place] for factor, place in zip(factors, case, strict=True)) for case in places]
    return [case for (case,) in cases] if len(factors) == 1 else cases
