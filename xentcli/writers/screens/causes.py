"""The screen of `xent explain` for whole files: the causes of a high cost."""

from __future__ import annotations

from collections.abc import Iterator

from xentcli.report.causes import Causes
from xentcli.writers.figures import decimals, fixed, in_column, percent, plural
from xentcli.writers.screens.layout import Columns, Element, block, facts, lines, under

__all__ = ["screen"]


def screen(result: Causes) -> Element:
    """Show the cost, its causes, and the commands that show more."""
    return block(
        facts([("cost", "; ".join(_cost(result)))]),
        facts(list(_mistakes(result)), "bold yellow"),
        _table(result),
        # Each command once.
        facts(under("next", dict.fromkeys(map(result.more, (c for c in result.causes if c.examples is not None))))),
    )


def _cost(result: Causes) -> Iterator[str]:
    places = decimals(result.standard_error)
    yield f"{fixed(result.cost, places)} {result.unit} over {plural(result.examples.scored, 'row')}"
    if result.prior is not None:
        yield f"always predicting the class frequencies costs {fixed(result.prior, places)}"


def _mistakes(result: Causes) -> Iterator[tuple[str, str]]:
    """The causes that are about the files as a whole."""
    for cause in result.causes:
        if cause.examples is None:
            saved = "" if cause.share is None else f" ({percent(cause.share)} of the cost)"
            yield "first", f"{cause.message}{saved}"
            yield "", cause.more


def _table(result: Causes) -> Element:
    places = decimals(result.standard_error)
    rows = [
        (
            cause.name,
            percent(cause.share or 0.0),
            f"{cause.examples:,}",
            percent((cause.examples or 0) / result.examples.scored),
            in_column(cause.cost, places),
            cause.message,
        )
        for cause in result.causes
        if cause.examples is not None
    ]
    if not rows:
        return lines(["No class, no group and no few rows make up more of the cost than their number."])
    return Columns(rows, ("", "of the cost", "rows", "of the rows", "cost", ""), "lrrrrl", ["bold"])
