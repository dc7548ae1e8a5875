"""The screen of `xent explain`: one example, step by step."""

from __future__ import annotations

from rich.console import RenderableType

from xentcli.report import Explanation
from xentcli.writers.layout import Columns, block, lines
from xentcli.writers.steps import chosen_terms, formula, header, sentences, softmax_lines, sum_cells, term_cells, title

__all__ = ["screen"]


def screen(told: Explanation) -> RenderableType:
    """Show the terms of the sum, the sum, and what it means."""
    return block(
        lines([title(told)]),
        lines(softmax_lines(told)) if told.logsumexp is not None else None,
        _terms_table(told),
        lines(formula(told)),
        lines(sentences(told)),
    )


def _terms_table(told: Explanation) -> RenderableType:
    names = header(told)
    rows = []
    first_zero = True
    for term in chosen_terms(told):
        note = ""
        if told.truth is not None and term.y and len(told.terms) > 1:
            note = "<- the only term left"
        elif not term.y and first_zero:
            note, first_zero = "y is 0: q does not matter", False
        rows.append([*term_cells(told, term), note])
    left = len(told.terms) - len(rows)
    if left:
        rows.append([f"({left:,} more)", *[""] * (len(names) - 2), ""])
    rows.append([*sum_cells(told), ""])
    return Columns(rows, names, "l" + "r" * (len(names) - 2) + "l", ["bold"], spare_remarks=True)
