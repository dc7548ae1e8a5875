"""The screen of `xent score`."""

from __future__ import annotations

import math
from collections.abc import Iterator

from xentcli.report.report import Report
from xentcli.scoring.metrics import METRICS, Metric
from xentcli.writers.figures import decimals, decimals_of, fixed, percent, plural, short
from xentcli.writers.grid import Grid
from xentcli.writers.inputs import inputs
from xentcli.writers.remarks import bytes_remark, ends, reference_remark
from xentcli.writers.screens.layout import MOST, Columns, Element, block, facts, stacked, text
from xentcli.writers.slices import by_class, by_group, worst

__all__ = ["chosen", "screen", "slice_tables"]

_WITH_LINES = {
    *("cost", "standard_error", "target_entropy", "kl", "bits_per_byte", "perplexity", "skill", "accuracy", "brier"),
    *("reference_cost", "reference_skill"),
    # Shown only with --metrics.
    *("total", "weight_sum", "prior", "nce"),
}
"""Metrics with a line of their own here, or none; any other is shown as its row of METRICS describes it."""
_LONGEST_BAR = 16
_FIGURES = ("row", "q of truth", "loss")


def screen(report: Report) -> Element:
    """Show the inputs, the figures, the slices and the warnings."""
    return block(
        facts(list(inputs(report))),
        Columns(list(_figures(report) if not report.shown else chosen(report)), styles=("bold",)),
        *slice_tables(report),
        facts([row for warning in report.warnings for row in _warning(warning.message, warning.advice)], "bold yellow"),
    )


def _warning(message: str, advice: str) -> Iterator[tuple[str, str]]:
    yield "warning", message
    if advice:
        yield "", advice


def _figures(report: Report) -> Iterator[tuple[str, str, str]]:
    places = decimals(report.standard_error)
    interval = report.interval
    if interval is not None:
        level = f"{100 * interval.level:g} %"
        note = f"{level} interval {ends(interval, places)}"
        yield "cross-entropy", f"{fixed(report.cost, places)} {report.unit}", note
        yield "", "", _independence(report)
    else:
        yield (
            "cross-entropy",
            f"{fixed(report.cost, places)} {report.unit}",
            f"no interval: {report.undefined['interval']}",
        )
    yield from _infinite(report, places)
    yield from _clipped(report, places)
    if report.target_entropy is not None:
        yield "target entropy", fixed(report.target_entropy, places), "what a perfect model would cost"
        yield "KL divergence", fixed(report.kl, places), "what is above that"
    if report.bits_per_byte is not None:
        yield "bits per byte", _value(report, "bits_per_byte"), bytes_remark(report)
    yield "perplexity", _value(report, "perplexity"), _choices(report.perplexity)
    # Shares keep four decimals where the cost, with its large error, has fewer.
    places = max(places, 4)
    if report.skill is not None:
        yield "skill", fixed(report.skill, places), _skill(report.skill, "than always predicting the class frequencies")
    yield from _reference(report)
    if report.accuracy is not None:
        yield "accuracy", fixed(report.accuracy, places), ""
    if report.brier is not None:
        yield "Brier", fixed(report.brier, places), "sum over classes, 0 is best, 2 is worst"
    for metric, value in report.figures():
        if metric.name in METRICS and metric.name not in _WITH_LINES and value is not None:
            yield _figure(report, metric, value)


def _figure(report: Report, metric: Metric, value: float | None) -> tuple[str, str, str]:
    """The line of a metric that needs no words of its own."""
    unit = f" {report.unit}" if metric.unit == "loss" and value is not None else ""
    about = bytes_remark(report) if metric.name == "bits_per_byte" else metric.about
    return (
        metric.title,
        _value(report, metric.name) + unit,
        about if value is not None else report.undefined.get(metric.name, "undefined"),
    )


def _value(report: Report, name: str) -> str:
    return fixed(report.value(name), decimals_of(report, name))


def chosen(report: Report) -> Iterator[tuple[str, str, str]]:
    """Yield the figures of --metrics, in its order."""
    for metric, value in report.figures():
        yield _figure(report, metric, value)
    yield from _clipped(report, decimals(report.standard_error))


def _clipped(report: Report, places: int) -> Iterator[tuple[str, str, str]]:
    if report.clip is not None:
        clip = report.clip
        share = f", {percent(clip.share)} of the cost" if clip.share is not None and clip.count else ""
        without = f"; {fixed(clip.cost_without, places)} without" if clip.count else ""
        yield "clipped", f"{clip.eps:g}", f"{plural(clip.count, 'row')} changed{share}{without}"


def _independence(report: Report) -> str:
    if report.clusters is None:
        return "(assumes independent rows; otherwise use --cluster)"
    return f"(assumes {plural(report.clusters, 'independent cluster')} of {report.options['cluster'].value})"


def _choices(perplexity: float) -> str:
    if perplexity > 1e6:
        return ""
    return f"as uncertain as {short(float(f'{perplexity:.2g}'))} equally likely classes"


def _skill(skill: float, than: str) -> str:
    if not math.isfinite(skill):
        return ""
    return f"{percent(abs(skill))} {'lower' if skill >= 0 else 'higher'} {than}"


def _reference(report: Report) -> Iterator[tuple[str, str, str]]:
    """The cost of the forecast of --reference, and the skill against it."""
    if report.reference is None:
        return
    places, skill = decimals(report.standard_error), report.reference_skill
    yield "reference", f"{fixed(report.reference_cost, places)} {report.unit}", reference_remark(report)
    about = _skill(skill, "than the reference") if skill is not None else report.undefined["reference_skill"]
    yield "reference skill", fixed(skill, max(places, 4)), about


def _infinite(report: Report, places: int) -> Iterator[tuple[str, str, str]]:
    if report.infinite.count and report.infinite.cost_of_the_rest is not None:
        yield (
            "",
            fixed(report.infinite.cost_of_the_rest, places),
            f"without {plural(report.infinite.count, 'row')} of infinite loss",
        )


def slice_tables(report: Report) -> Iterator[Element]:
    """Yield a table for each slice that was asked for, the largest share of the cost first."""
    if report.by_class:
        yield _barred(by_class(report))
    yield from map(_barred, by_group(report))
    if report.worst:
        grid = worst(report)
        names = [index for index, title in enumerate(grid.header) if title not in _FIGURES]
        table = Columns([(*row, "") for row in grid.rows], (*grid.header, ""), f"{grid.justify}l", names=names)
        yield stacked(text(grid.caption, style="bold"), table)


def _barred(grid: Grid) -> Columns:
    """A table with a bar behind each row: = for each part of the largest share."""
    largest = grid.shares[0]
    bars = ["=" * round(_LONGEST_BAR * share / largest) if largest else "" for share in grid.shares]
    rows = [(*row, bar) for row, bar in zip(grid.rows, bars, strict=True)]
    names = range(grid.justify.index("r"))
    header = (*grid.header, "")
    return Columns(rows, header, f"{grid.justify}l", spare_remarks=True, names=names, first=range(MOST))
