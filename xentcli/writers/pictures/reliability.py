"""Confidence against accuracy, with how many rows there are of each confidence."""

from __future__ import annotations

from typing import Any

from xentcli.report.document import Document, counted
from xentcli.report.parts import Bin
from xentcli.writers.pictures.style import BLUE, GREY, RED, nothing, page_of, report_of

__all__ = ["reliability"]


def reliability(document: Document) -> Any:
    """Return a Figure: above the accuracy of each bin at its mean confidence, below its rows."""
    report = report_of(document)
    bins: tuple[Bin, ...] = getattr(document, "bins", ()) or (report.details.reliability if report.details else ())
    if not bins:
        soft = report.labels.counts is None
        raise nothing("reliability", "targets are soft" if soft else "bins of confidence were not asked for")
    figure = page_of(height=4.2)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.plot((0, 1), (0, 1), color=GREY, linestyle="dashed", linewidth=1, label="calibrated: accuracy = confidence")
    x, y = [part.confidence for part in bins], [part.accuracy for part in bins]
    above.vlines(x, y, x, color=RED, linewidth=1, linestyle="dotted", label="gap")
    levels = {part.interval.level for part in bins if part.interval is not None}
    for part in bins:
        if part.interval is not None:
            label = f"{100 * levels.pop():g} % interval" if levels else None
            ends = (part.interval.low, part.interval.high)
            above.plot(
                (part.confidence,) * 2, ends, color=BLUE, linewidth=3, alpha=0.45, solid_capstyle="butt", label=label
            )
    above.plot(x, y, color=BLUE, marker="o", label="rows of the bin")
    above.set_xlim(0, 1.01)
    above.set_ylim(0, 1.02)
    above.set_ylabel("accuracy")
    above.set_title(f"reliability of {counted(sum(part.rows for part in bins), 'row')}{_error(document)}")
    low = [max(part.low, 0.0) for part in bins]
    widths = [min(part.high, 1.0) - start for part, start in zip(bins, low, strict=True)]
    below.bar(low, [part.rows for part in bins], widths, align="edge", color=BLUE, edgecolor="none")
    below.set_ylabel("rows")
    below.yaxis.get_major_locator().set_params(integer=True, nbins=3)
    below.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    below.set_xlabel("confidence: probability of the predicted class")
    figure.legend(*above.get_legend_handles_labels(), loc="outside lower left", ncols=2)
    return figure


def _error(document: Document) -> str:
    ece = getattr(document, "ece", None)
    return "" if ece is None else f", ECE {ece:.3g}"
