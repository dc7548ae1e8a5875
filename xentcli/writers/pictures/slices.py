"""Cost by class and by group: the share of the cost beside the share of the rows, the largest first."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from xentcli.report.document import Document
from xentcli.writers.figures import group_name, percent
from xentcli.writers.pictures.style import BLUE, INK, ORANGE, RED, WIDTH, cut, cut_apart, nothing, page_of, report_of

__all__ = ["classes", "groups"]

MOST = 25
"""Slices that have room; the others are one line."""
Bar = tuple[str, float | None, int, float]
"""The name of a slice, its share of the cost, its rows, its cost."""


def classes(document: Document) -> Any:
    """Return a Figure: a bar for each class, its share of the cost."""
    report = report_of(document)
    found = report.by_class or (report.details.by_class if report.details else ())
    bars = [(part.name, part.share, part.examples, part.cost) for part in found]
    if not bars:
        raise nothing("classes", "costs by class were not asked for")
    return _drawn([("class", _ordered(bars))], report.unit)


def groups(document: Document) -> Any:
    """Return a Figure: a bar for each group, its share of the cost, for each --by on its own."""
    report = report_of(document)
    parts = []
    for columns, some in itertools.groupby(report.by, key=lambda part: tuple(part.group)):
        bars = [
            (", ".join(map(group_name, part.group.values())), part.share, part.examples, part.cost) for part in some
        ]
        parts.append((", ".join(columns), _ordered(bars)))
    if not parts:
        raise nothing("groups", "there are no groups", "--by COLUMN")
    return _drawn(parts, report.unit)


def _ordered(bars: Sequence[Bar]) -> list[Bar]:
    """The largest share first, or where there are no shares the largest cost."""
    return sorted(bars, key=lambda bar: (-(bar[1] or 0.0), -bar[3]))


def _drawn(parts: Sequence[tuple[str, list[Bar]]], unit: str) -> Any:
    sizes = [min(len(bars), MOST + 1) for _, bars in parts]
    figure = page_of(WIDTH, 0.75 * len(parts) + 0.4 + 0.21 * sum(max(size, 2) for size in sizes))
    each = figure.subplots(len(parts), 1, squeeze=False, height_ratios=[max(size, 2) for size in sizes])[:, 0]
    for axes, (title, bars) in zip(each, parts, strict=True):
        _bars(axes, title, bars, unit)
    handles, labels = each[0].get_legend_handles_labels()
    about = f"the numbers are costs in {unit}"
    figure.legend(handles, labels, loc="outside lower left", ncols=2, title=about, alignment="left")
    return figure


def _bars(axes: Any, title: str, bars: list[Bar], unit: str) -> None:
    shared = any(share is not None for _, share, _, _ in bars)
    rows = sum(count for _, _, count, _ in bars)
    left, shown = bars[MOST:], bars[:MOST]
    names = cut_apart([name for name, _, _, _ in shown])
    lengths = [(share or 0.0) if shared else cost for _, share, _, cost in shown]
    texts = [f"{cost:.4g}" for _, _, _, cost in shown]
    shares = [count / rows for _, _, count, _ in shown]
    if left:
        # A bar of all the others would leave no room for those that have a name.
        names.append(f"({len(left):,} others)")
        lengths.append(0.0)
        texts.append(_others(left, rows, shared=shared))
    finite = max((length for length in lengths if math.isfinite(length)), default=0.0) or 1.0
    colors = [BLUE if math.isfinite(length) else RED for length in lengths]
    lengths = [length if math.isfinite(length) else 1.2 * finite for length in lengths]
    places = range(len(names))
    label = "share of the cost" if shared else f"cost in {unit}"
    drawn = axes.barh(places, lengths, 0.75, color=colors, edgecolor=INK, linewidth=0.5, label=label)
    for bar, color in zip(drawn, colors, strict=True):
        bar.set_hatch("xxxx" if color == RED else "")
    if shared:
        marks: dict[str, Any] = {"color": ORANGE, "markeredgecolor": INK, "markeredgewidth": 0.6}
        axes.plot(shares, places[: len(shares)], "D", label="share of the rows", **marks)
        axes.xaxis.set_major_formatter(lambda value, _: percent(value).replace(".0 %", " %"))
    for place, (length, text) in enumerate(zip(lengths, texts, strict=True)):
        after = max(length, shares[place] if shared and place < len(shares) else 0.0)
        axes.annotate(text, (after, place), (6, 0), textcoords="offset points", va="center", fontsize=7)
    axes.set_yticks(places, names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.margins(x=0.12)
    axes.set_xlim(left=0)
    if RED in colors and BLUE not in colors:
        # The length of a bar without an end says nothing.
        axes.set_xticks([])
    axes.set_title(f"cost by {cut(title, 32)}")


def _others(left: Sequence[Bar], rows: int, *, shared: bool) -> str:
    """What the slices without a bar make together."""
    cost = f"{percent(math.fsum(share or 0.0 for _, share, _, _ in left))} of the cost, " if shared else ""
    return f"{cost}{percent(sum(count for _, _, count, _ in left) / rows)} of the rows"
