"""The screen of `xent explain` for whole files: what makes the cost high."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.console import RenderableType

from xentcli.report.causes import Causes
from xentcli.writers.figures import decimals, fixed, percent, plural
from xentcli.writers.screens.layout import Columns, block, facts, lines

__all__ = ["screen"]


def screen(told: Causes) -> RenderableType:
    """Show the cost, what makes it up, and the commands that show more."""
    return block(
        facts([("cost", "; ".join(_cost(told)))]),
        facts(list(_mistakes(told)), "bold yellow"),
        _table(told),
        facts(list(_commands(told))),
    )


def _cost(told: Causes) -> Iterator[str]:
    places = decimals(told.standard_error)
    yield f"{fixed(told.cost, places)} {told.unit} over {plural(told.examples.scored, 'row')}"
    if told.prior is not None:
        yield f"always saying the class shares costs {fixed(told.prior, places)}"


def _mistakes(told: Causes) -> Iterator[tuple[str, str]]:
    """What is wrong with the files as a whole."""
    for cause in told.causes:
        if cause.examples is None:
            saved = "" if cause.share is None else f" ({percent(cause.share)} of the cost)"
            yield "first", f"{cause.message}{saved}"
            yield "", cause.more


def _table(told: Causes) -> RenderableType:
    places = decimals(told.standard_error)
    rows = [
        (
            cause.name,
            percent(cause.share or 0.0),
            f"{cause.examples:,}",
            percent((cause.examples or 0) / told.examples.scored),
            fixed(cause.cost, places if math.isfinite(cause.cost or 0.0) else 0),
            cause.message,
        )
        for cause in told.causes
        if cause.examples is not None
    ]
    if not rows:
        return lines(["No class, no group and no few rows make up more of the cost than their number."])
    return Columns(rows, ("", "of the cost", "rows", "of the rows", "cost", ""), "lrrrrl", ["bold"])


def _commands(told: Causes) -> Iterator[tuple[str, str]]:
    """The commands that show more, each once."""
    commands = dict.fromkeys(told.more(cause) for cause in told.causes if cause.examples is not None)
    for index, command in enumerate(commands):
        yield "" if index else "look", command
