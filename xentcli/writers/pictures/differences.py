"""The differences of two models' losses, row by row: how many rows have which, and what these add to the mean."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from xentcli.report.comparison import Comparison, Pair
from xentcli.report.details import DifferenceBin, Differences
from xentcli.report.document import Document, counted
from xentcli.writers.figures import WITHIN, about
from xentcli.writers.pictures.models import compared
from xentcli.writers.pictures.style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    RED,
    WIDTH,
    cut,
    infinite_bar,
    log_ticks,
    nothing,
    page_of,
)

__all__ = ["differences"]

MOST = 6
"""Models that have room."""
_LARGEST = 1.7e308
"""Where the axis ends at the latest: the bin of the largest floats ends beyond them, at infinity."""


def differences(document: Document) -> Any:
    """Return a Figure: of one model above the rows of each bin, below their part of the change; of more the rows."""
    result, pairs = compared(document, "differences")
    if result.details is None or not result.details.differences:
        raise nothing("differences", "the differences of the rows were not asked for")
    shown = result.details.differences[:MOST]
    scale, by_name = _Scale([part for one in shown for part in one.bins]), {pair.model: pair for pair in pairs}
    if len(shown) == 1:
        figure = _one(result, shown[0], by_name[shown[0].model], scale)
    else:
        figure = _several(result, shown, by_name, scale)
    below = figure.axes[-1]
    ticks = scale.ticks(infinite=any(one.reference_infinite or one.model_infinite for one in shown))
    below.set_xticks([place for place, _ in ticks], [text for _, text in ticks])
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside lower left", ncols=1 if len(shown) == 1 else 4)
    return figure


def _one(result: Comparison, one: Differences, pair: Pair, scale: _Scale) -> Any:
    """The rows, and below them what they contribute to the mean."""
    figure, labels = page_of(height=4.0), _labels(one, pair, result.unit)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    _rows(above, scale, one)
    _bars(below, scale, one.bins, [part.contribution for part in one.bins])
    below.axhline(0.0, color=INK, linewidth=0.5)
    below.set_ylabel("contribution")
    below.yaxis.get_major_locator().set_params(nbins=4)
    for axes in (above, below):
        _mark(axes, scale, one, pair, labels)
    name = cut(one.model)
    above.set_title(f"{counted(result.examples.scored, 'row')}; below 0 {name} has the smaller loss")
    below.set_xlabel(f"loss of {name} minus that of {cut(one.reference)}, {result.unit}")
    return figure


def _several(result: Comparison, shown: Sequence[Differences], by_name: Mapping[str, Pair], scale: _Scale) -> Any:
    """The rows of each model."""
    figure = page_of(WIDTH, 0.9 + 1.1 * len(shown))
    each = figure.subplots(len(shown), 1, sharex=True)
    for axes, one in zip(each, shown, strict=True):
        pair = by_name[one.model]
        _rows(axes, scale, one)
        _mark(axes, scale, one, pair, ("largest 1 %", "median", "mean"))
        axes.set_title(f"{cut(one.model)}: {_mean(pair, result.unit)}")
    left = len(result.models) - 1 - len(shown)
    more = f"; {left:,} more models" if left > 0 else ""
    each[-1].set_xlabel(f"loss minus that of {cut(shown[0].reference)}, {result.unit}{more}")
    return figure


class _Scale:
    """Where differences stand: at the logarithm of their size to base 2 on both sides of the bin around 0."""

    def __init__(self, bins: Sequence[DifferenceBin]) -> None:
        spans = [sorted((abs(part.low), abs(part.high))) for part in bins if part.low * part.high >= 0]
        around = [part.high for part in bins if part.low < 0 < part.high]
        self.near = min([*around, *(low for low, _ in spans)], default=1.0)
        self.far = min(max([*around, *(high for _, high in spans)], default=self.near), _LARGEST)
        self.width = min((math.log2(min(high, _LARGEST) / low) for low, high in spans), default=0.25)

    def place(self, difference: float) -> float:
        """Where a difference stands; within the bin around 0 in proportion."""
        size = min(abs(difference), _LARGEST)
        if math.isinf(difference):
            place = self.end + self.width
        elif size <= self.near:
            place = self.width * size / self.near
        else:
            place = self.width + math.log2(size / self.near)
        return math.copysign(place, difference)

    @property
    def end(self) -> float:
        """Where the largest bin ends."""
        return self.width + math.log2(self.far / self.near)

    def ticks(self, *, infinite: bool) -> list[tuple[float, str]]:
        """Each tick and its text: 0, and on each side about four."""
        sizes = [(value, text) for value, text in log_ticks(self.near, self.far) if self.place(value) > 0.16 * self.end]
        sizes = sizes[:: max(1, -(-len(sizes) // 4))]
        sizes += [(math.inf, "inf")] if infinite else []
        found = [(self.place(sign * value), f"{'-' * (sign < 0)}{text}") for sign in (-1, 1) for value, text in sizes]
        return sorted([*found, (0.0, "0")])


def _bars(axes: Any, scale: _Scale, bins: Sequence[DifferenceBin], heights: Sequence[float]) -> None:
    begins = [scale.place(part.low) for part in bins]
    widths = [scale.place(part.high) - begin for part, begin in zip(bins, begins, strict=True)]
    axes.bar(begins, heights, widths, align="edge", color=BLUE, edgecolor="none", linewidth=0)


def _rows(axes: Any, scale: _Scale, one: Differences) -> None:
    """Draw how many rows each bin has, and those that one of the models alone finds impossible."""
    _bars(axes, scale, one.bins, [part.rows for part in one.bins])
    for place, rows in ((-math.inf, one.reference_infinite), (math.inf, one.model_infinite)):
        if rows:
            infinite_bar(axes, scale.place(place), rows, scale.width, f"{rows:,}")
    axes.set_ylabel("rows")
    axes.yaxis.get_major_locator().set_params(integer=True, nbins=4)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def _labels(one: Differences, pair: Pair, unit: str) -> tuple[str, str, str]:
    """What the marks of the largest 1 %, the median and the mean are called."""
    tail = ""
    if one.tail_from is not None:
        rows = f"{counted(one.tail_rows, 'row')} of at least ±{one.tail_from:.4g}"
        tail = f"largest 1 %: {rows}, contributing {_signed(one.tail_contribution)} {unit}"
    mean, interval = _mean(pair, unit), pair.interval
    if interval is not None:
        mean += f", {100 * interval.level:g} % interval {_signed(interval.low)} to {_signed(interval.high)}"
    return tail, f"median {about(one.median, '+')} {unit} ({WITHIN})", mean


def _mean(pair: Pair, unit: str) -> str:
    """The mean of the differences, which is the change of the cost."""
    return "mean undefined" if pair.change is None else f"mean {_signed(pair.change)} {unit}"


def _mark(axes: Any, scale: _Scale, one: Differences, pair: Pair, labels: tuple[str, str, str]) -> None:
    """Mark the largest 1 %, zero, the median and the mean."""
    tail, median, mean = labels
    if one.tail_from is not None:
        for sign, label in ((-1, tail), (1, None)):
            span = sorted((scale.place(sign * one.tail_from), sign * scale.end))
            axes.axvspan(*span, facecolor="none", edgecolor=RED, hatch="////", linewidth=0, label=label)
    axes.axvline(0.0, color=INK, linewidth=0.8, label="no difference")
    if not math.isnan(one.median):
        axes.axvline(scale.place(one.median), color=GREEN, dashes=(4, 2), linewidth=1.6, label=median)
    if pair.change is not None:
        axes.axvline(scale.place(pair.change), color=ORANGE, dashes=(1, 1), linewidth=1.6, label=mean)


def _signed(value: float) -> str:
    return f"{value:+.4g}" if value else "0"
