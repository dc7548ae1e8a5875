"""The distribution of the losses: how many rows have which loss, and how much of the cost is theirs."""

from __future__ import annotations

import math
from typing import Any

from xentcli.report.details import LossBin, Losses
from xentcli.report.document import Document, counted
from xentcli.writers.figures import WITHIN, about, percent, short
from xentcli.writers.pictures.style import (
    BLUE,
    GREEN,
    ORANGE,
    RED,
    infinite_bar,
    log_ticks,
    nothing,
    page_of,
    report_of,
)

__all__ = ["losses"]

_LARGEST = 1.7e308
"""Where the axis ends at the latest: the bin of the largest floats ends beyond them, at infinity."""


def losses(document: Document) -> Any:
    """Return a Figure: above the rows of each bin, below their share of the cost."""
    report = report_of(document)
    found = report.details.losses if report.details else None
    if found is None:
        raise nothing("losses", "the distribution of losses was not asked for")
    figure = page_of(height=3.6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    infinite, bins = report.infinite.count, found.bins
    scale = _Scale(bins)
    _bars(above, scale, bins, [part.rows for part in bins])
    _bars(below, scale, bins, [0.0 if part.share is None else part.share for part in bins])
    if infinite:
        # Where the cost is infinite, these rows are all of it.
        for axes, height, text in ((above, infinite, f"{infinite:,}"), (below, 1.0, "")):
            infinite_bar(axes, scale.infinite, height, scale.width, text)
    _marks(above, below, scale, found, report.cost, report.unit)
    above.set_title(f"losses of {counted(report.examples.scored, 'row')}")
    above.set_ylabel("rows")
    above.yaxis.get_major_locator().set_params(integer=True, nbins=5)
    above.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    below.set_ylabel("of the cost")
    below.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
    below.yaxis.get_major_locator().set_params(nbins=4)
    below.set_xlabel(f"loss in {report.unit}")
    ticks = scale.ticks(infinite=bool(infinite))
    below.set_xticks([place for place, _ in ticks], [text for _, text in ticks])
    return figure


class _Scale:
    """Where losses stand: at their logarithm to base 2; the first bin and infinity a bin's width beside the others."""

    def __init__(self, bins: tuple[LossBin, ...]) -> None:
        edges = [(part.low, min(part.high, _LARGEST)) for part in bins if part.low > 0]
        self.first = bins[0].high if bins and bins[0].low == 0 else None
        self.low = self.first if self.first is not None else min((low for low, _ in edges), default=1.0)
        self.high = max((high for _, high in edges), default=self.low)
        # Empty bins have no row: the narrowest bin is as wide as any.
        self.width = min((math.log2(high / low) for low, high in edges), default=0.25)
        self.infinite = math.log2(self.high) + 1.5 * self.width

    def place(self, loss: float) -> float:
        """Where a loss stands; what is below the bins in the middle of the first."""
        if math.isinf(loss):
            return self.infinite
        if loss < self.low:
            return math.log2(self.low) - self.width / 2
        return math.log2(loss)

    def span(self, part: LossBin) -> tuple[float, float]:
        """Where a bin begins and ends."""
        if part.low == 0:
            return math.log2(part.high) - self.width, math.log2(part.high)
        return math.log2(part.low), math.log2(min(part.high, _LARGEST))

    def ticks(self, *, infinite: bool) -> list[tuple[float, str]]:
        """Each tick and its text."""
        found = [(math.log2(value), text) for value, text in log_ticks(self.low, self.high)]
        if not found:
            found = [(math.log2(value), f"{value:.3g}") for value in (self.low, self.high)]
        if self.first is not None:
            edge = math.log2(self.first)
            found = [(edge - self.width / 2, f"<{self.first:.1g}"), *(t for t in found if t[0] > edge + self.width)]
        return [*found, (self.infinite, "inf")] if infinite else found


def _bars(axes: Any, scale: _Scale, bins: tuple[LossBin, ...], heights: list[Any]) -> None:
    spans = [scale.span(part) for part in bins]
    widths = [end - begin for begin, end in spans]
    axes.bar([begin for begin, _ in spans], heights, widths, align="edge", color=BLUE, edgecolor="none", linewidth=0)


def _marks(above: Any, below: Any, scale: _Scale, found: Losses, cost: float, unit: str) -> None:
    """Mark the largest 1 %, the median and the mean, and say in the legend what they are."""
    if found.tail_from is not None:
        share = "" if found.tail_share is None else f", {percent(found.tail_share)} of the cost"
        text = f"largest 1 %: {counted(found.tail_rows, 'row')} from {short(found.tail_from)} up{share}"
        for axes in (above, below):
            span = (scale.place(found.tail_from), math.log2(scale.high))
            axes.axvspan(*span, facecolor="none", edgecolor=RED, hatch="////", linewidth=0, label=text)
    for value, label, color, dashes in (
        (found.median, f"median {about(found.median)} {unit} ({WITHIN})", GREEN, (4, 2)),
        (cost, f"mean {cost:.4g} {unit}", ORANGE, (1, 1)),
    ):
        for axes in (above, below):
            axes.axvline(scale.place(value), color=color, dashes=dashes, linewidth=1.6, label=label)
    handles, labels = above.get_legend_handles_labels()
    above.figure.legend(handles[::-1], labels[::-1], loc="outside lower left", ncols=1)
