"""The confusion: how often each predicted class was given to the rows of each true class."""

from __future__ import annotations

from typing import Any

from xentcli.report.details import MOST_CLASSES
from xentcli.report.document import Document
from xentcli.report.report import Report
from xentcli.writers.pictures.style import GREY, cut_apart, nothing, page_of, report_of, room_of

__all__ = ["confusion"]

_LIGHT, _DARK = "#FFFFFF", "#010101"
"""The counts in light and dark cells; not INK, which is another colour on a dark page."""
_FROM, _TO = (255, 255, 255), (0, 84, 135)


def confusion(document: Document) -> Any:
    """Return a Figure: a cell for each pair of classes, as dark as its share of the rows of the true class."""
    report = report_of(document)
    counts = report.details.confusion if report.details else None
    if not counts:
        raise nothing("confusion", _reason(report))
    size = len(counts)
    names = cut_apart(report.classes, 16 if size > 10 else 24)
    side, long = max(1.2, 0.26 * size if size > 8 else 0.4 * size), max(map(len, names)) > 4 or size > 12
    room = room_of(names)
    figure = page_of(max(side + room + 0.7, 2.4), side + 0.9 + (room if long else 0.2))
    axes = figure.subplots()
    small = 4 if size > 20 else 5 if size > 12 else 7
    from matplotlib.patches import Rectangle

    for true, row in enumerate(counts):
        total = sum(row)
        for predicted, count in enumerate(row):
            share = count / total if total else 0.0
            corner = (predicted - 0.5, true - 0.5)
            axes.add_patch(Rectangle(corner, 1, 1, facecolor=_shade(share), edgecolor=GREY, linewidth=0.3))
            if count:
                color = _LIGHT if share > 0.5 else _DARK
                axes.text(predicted, true, _short(count), ha="center", va="center", fontsize=small, color=color)
    axes.set_xlim(-0.5, size - 0.5)
    axes.set_ylim(size - 0.5, -0.5)
    axes.set_aspect("equal")
    axes.set_xticks(range(size), names, rotation=90 if long else 0, fontsize=7)
    axes.set_yticks(range(size), names, fontsize=7)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    # With long names the axes are narrower than the title.
    figure.suptitle("rows; dark: most of the true class", x=0.01, ha="left", fontsize=9)
    axes.tick_params(length=0)
    return figure


def _reason(report: Report) -> str:
    """Why there is no confusion."""
    if report.labels.counts is None or report.labels.matched == "multilabel":
        return "rows do not have one label each"
    if len(report.classes) > MOST_CLASSES:
        return f"{len(report.classes):,} classes; it is drawn for up to {MOST_CLASSES}"
    return "the confusion was not asked for"


def _shade(share: float) -> str:
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(_FROM, _TO, strict=True))


def _short(count: int) -> str:
    """A count in four characters or so.

    >>> _short(950), _short(12345), _short(3_456_000)
    ('950', '12k', '3.5M')
    """
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= 10 * size or (count >= size and size > 1000):
            return f"{count / size:.2g}{unit}" if count < 100 * size else f"{count / size:.0f}{unit}"
    return str(count)
