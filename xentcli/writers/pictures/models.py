"""Models of a comparison: the change of the cost of each, with its interval, and the cost from model to model."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len

from xentcli.report.comparison import Comparison, Pair
from xentcli.report.document import Document, counted
from xentcli.writers.pictures.style import BLUE, GREEN, GREY, INK, RED, WIDTH, cut, cut_apart, nothing, page_of, room_of

__all__ = ["changes", "compared", "curve"]

MOST = 40
"""Models that have room."""
_MARKS = {"better": ("v", GREEN), "worse": ("^", RED), "no difference": ("o", GREY)}
"""The marker and the colour of a verdict."""


def changes(document: Document) -> Any:
    """Return a Figure: the paired change of the cost of each model against the reference, with its interval."""
    result, pairs = compared(document, "changes")
    left, pairs = len(pairs) - MOST, pairs[:MOST]
    figure = page_of(WIDTH, 1.3 + 0.22 * max(len(pairs), 2))
    axes = figure.subplots()
    axes.axvline(0.0, color=INK, linewidth=0.8)
    for verdict, (marker, color) in _MARKS.items():
        some = [(place, pair) for place, pair in enumerate(pairs) if pair.verdict == verdict and _finite(pair.change)]
        for place, pair in some:
            if pair.interval is not None:
                ends = (pair.interval.low, pair.interval.high)
                axes.plot(ends, (place, place), color=color, linewidth=1.6, solid_capstyle="butt")
        if some:
            places = [place for place, _ in some]
            axes.plot([pair.change for _, pair in some], places, marker, color=color, label=verdict, linestyle="none")
    _say_infinite(axes, pairs)
    if not any(_finite(pair.change) for pair in pairs):
        axes.set_xticks([])
    axes.set_yticks(range(len(pairs)), cut_apart([pair.model for pair in pairs]))
    axes.set_ylim(len(pairs) - 0.5, -0.5)
    axes.margins(x=0.1)
    axes.set_xlabel(f"change of cost, {result.unit}")
    _title(axes, result, left)
    handles, labels = axes.get_legend_handles_labels()
    about = f"change from {cut(pairs[0].reference)}{_level(pairs)}"
    figure.legend(handles, labels, loc="outside lower left", ncols=3, title=about, alignment="left")
    return figure


def curve(document: Document) -> Any:
    """Return a Figure: the cost of each model in the order given; the bars are of the change from the first.

    A line joins checkpoints alone: models that are none have no order in which the cost could rise or fall.
    """
    result, pairs = compared(document, "curve")
    models = result.models
    step = -(-len(models) // 20)
    names = cut_apart([model.name for model in models], 16)[::step]
    turned = sum(map(cell_len, names)) > 40
    figure = page_of(WIDTH, 3.2 + (room_of(names, 8) if turned else 0.0))
    axes = figure.subplots()
    costs = [math.nan if model.cost is None or math.isinf(model.cost) else model.cost for model in models]
    size, wide = (5, 3.0) if len(models) <= MOST else (2, 0.5)
    axes.plot(range(len(models)), costs, color=BLUE, linestyle="none", marker="o", markersize=size, label="cost")
    for start, end in _checkpoints([model.name for model in models]):
        axes.plot(range(start, end), costs[start:end], color=BLUE, linewidth=1.2)
    first, changes = models[0].cost, {pair.model: pair for pair in pairs}
    drawn = False
    for place, model in enumerate(models):
        pair = changes.get(model.name)
        if pair is not None and pair.interval is not None and first is not None and math.isfinite(first):
            ends = (first + pair.interval.low, first + pair.interval.high)
            label = None if drawn else f"change from {cut(models[0].name)}{_level(pairs)}"
            axes.plot((place, place), ends, color=BLUE, linewidth=wide, alpha=0.45, solid_capstyle="butt", label=label)
            drawn = True
    finite = [(cost, place) for place, cost in enumerate(costs) if math.isfinite(cost)]
    if finite:
        cost, place = min(finite)
        label = f"least cost: {cut(models[place].name)}, {cost:.4g}"
        axes.plot([place], [cost], "*", color=RED, markersize=11, label=label, linestyle="none")
    for place, value in enumerate(costs):
        if math.isnan(value):
            axes.text(place, 0.98, "inf", ha="center", va="top", transform=axes.get_xaxis_transform(), fontsize=8)
    axes.set_xticks(range(0, len(models), step), names, rotation=90 if turned else 0)
    axes.set_ylabel(f"cost in {result.unit}")
    axes.margins(y=0.1)
    _title(axes, result, 0)
    figure.legend(loc="outside lower left")
    return figure


def _checkpoints(names: Sequence[str]) -> list[tuple[int, int]]:
    """Where runs of names begin and end that differ in numbers alone, each larger than that before.

    >>> _checkpoints(["base", "epoch-2", "epoch-10", "new"])
    [(1, 3)]
    """
    parts = [re.split(r"(\d+)", name) for name in names]
    follows = [a[::2] == b[::2] and _numbers(a) < _numbers(b) for a, b in itertools.pairwise(parts)]
    starts = [place for place, joined in enumerate([False, *follows]) if not joined]
    runs = itertools.pairwise([*starts, len(names)])
    return [(start, end) for start, end in runs if end - start > 1]


def _numbers(parts: Sequence[str]) -> list[tuple[int, str]]:
    # In this order digits are numbers, and no number is too long.
    return [(len(digits.lstrip("0")), digits.lstrip("0")) for digits in parts[1::2]]


def compared(document: Document, name: str) -> tuple[Comparison, list[Pair]]:
    """The comparison, and each model against the reference in the cost."""
    assert isinstance(document, Comparison)
    pairs = [pair for pair in document.pairs if pair.metric == "cost"]
    if not pairs:
        reason = "the models have no costs: there are no labels" if document.kl else "no cost is compared"
        raise nothing(name, reason, "--labels FILE, and --metrics with cost in it")
    return document, pairs


def _say_infinite(axes: Any, pairs: Sequence[Pair]) -> None:
    """Say of models without a finite change what it is."""
    for place, pair in enumerate(pairs):
        if not _finite(pair.change):
            text = "undefined" if pair.change is None or math.isnan(pair.change) else f"{pair.change:g}"
            axes.text(0.02, place, text, va="center", transform=axes.get_yaxis_transform(), fontsize=8)


def _finite(change: float | None) -> bool:
    return change is not None and math.isfinite(change)


def _level(pairs: Sequence[Pair]) -> str:
    levels = {pair.interval.level for pair in pairs if pair.interval is not None}
    return "".join(f", with {100 * level:g} % interval" for level in levels)


def _title(axes: Any, result: Comparison, left: int) -> None:
    more = f", {left:,} more models" if left > 0 else ""
    axes.set_title(f"{counted(len(result.models), 'model')} on {counted(result.examples.scored, 'row')}{more}")
