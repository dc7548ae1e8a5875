"""The screen of `xent explain`: one example, step by step."""

from __future__ import annotations

from xentcli.report.explanation import Explanation
from xentcli.writers.screens.layout import Columns, Element, aligned, block, lines
from xentcli.writers.steps import Steps

__all__ = ["screen"]

_ALIGNED = ("truth y", "y", "model q", "clipped q")
"""The columns whose numbers have as many decimals as each needs."""


def screen(example: Explanation) -> Element:
    """Show the terms of the sum, the sum, and its meaning in words."""
    steps = Steps(example)
    softmax = steps.softmax_lines()
    return block(
        lines([steps.title()]),
        lines(softmax) if softmax else None,
        _terms_table(steps),
        lines(steps.formula()),
        lines(steps.sentences()),
    )


def _terms_table(steps: Steps) -> Element:
    names, example = steps.header(), steps.example
    first_zero = next((place for place in steps.shown if not example.terms[place].y), None)
    rows = []
    for place, term in enumerate(example.terms):
        alone = example.truth is not None and term.y and len(example.terms) > 1
        note = "<- the only term left" if alone else "y is 0: q does not matter" if place == first_zero else ""
        rows.append([*steps.cells(term), note])
    rows.append([*steps.sum_cells(), ""])
    columns = zip(names, zip(*rows, strict=True), strict=True)
    rows = list(
        map(list, zip(*(aligned(cells) if name in _ALIGNED else cells for name, cells in columns), strict=True))
    )
    first = [*steps.shown, len(example.terms)]
    return Columns(rows, names, "l" + "r" * (len(names) - 2) + "l", ["bold"], spare_remarks=True, first=first)
