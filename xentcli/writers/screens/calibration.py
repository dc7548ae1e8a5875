"""The screen of `xent calibration`."""

from __future__ import annotations

import itertools
from functools import partial

from xentcli.report.calibration import CalibrationReport, Component, GroupCalibration
from xentcli.writers.calibration import figures, of_groups, range_of, temperature_command
from xentcli.writers.figures import fixed, in_column, interval_title
from xentcli.writers.remarks import changes_of_loss, digests, skipped_rows, unmatched_rows
from xentcli.writers.screens.layout import MOST, ByWidth, Columns, Element, block, facts, stacked, text, under, warned

__all__ = ["screen"]

_LEAST_BAR, _MOST_BAR, _BESIDE = 10, 24, 58


def screen(report: CalibrationReport) -> Element:
    """Show what the predictions say and how often they are right, what a fit gains, the bins, and the next command."""
    left = [*skipped_rows(report.report), *unmatched_rows(report.report)]
    changes = [*under("loss", changes_of_loss(report.report)), *under("rows", left)]
    command = temperature_command(report)
    groups = itertools.groupby(report.by, key=lambda part: tuple(part.group))
    return block(
        facts([*changes, *digests(report.report)]),
        Columns(list(figures(report)), styles=("bold",)),
        ByWidth(partial(_bins, report)) if report.bins else None,
        *(_groups(list(parts)) for _, parts in groups),
        _components(report.decomposition) if report.decomposition else None,
        facts(warned(report.warnings), "bold yellow"),
        facts([("next", command)]) if command else None,
    )


def _bins(report: CalibrationReport, width: int) -> Columns:
    """The table of bins, with bars where there is room: = up to how often a bin is right, | at what it says."""
    longest = min(width - _BESIDE, _MOST_BAR)
    bars = longest >= _LEAST_BAR
    rows = []
    for part in report.bins:
        ends = "-" if part.interval is None else f"{fixed(part.interval.low, 3)} to {fixed(part.interval.high, 3)}"
        cells = (range_of(part, report.bin_count), f"{part.rows:,}", fixed(part.accuracy, 3), ends)
        rows.append((*cells, _bar(part.confidence, part.accuracy, longest) if bars else ""))
    legend = "= is right, | says" if bars else ""
    interval = interval_title(part.interval for part in report.bins)
    return Columns(rows, ("says", "rows", "is right", interval, legend), "lrrrl")


def _bar(says: float, right: float, width: int) -> str:
    """Return = for each part of `width` up to how often it is right, and | where what it says ends.

    >>> _bar(0.5, 0.75, 20), _bar(0.75, 0.5, 20), _bar(1.0, 1.0, 4)
    ('=========|=====', '==========    |', '===|')
    """
    bar = list("=" * round(min(max(right, 0.0), 1.0) * width))
    place = max(round(min(max(says, 0.0), 1.0) * width) - 1, 0)
    bar += " " * (place + 1 - len(bar))
    bar[place] = "|"
    return "".join(bar)


def _groups(parts: list[GroupCalibration]) -> Element:
    grid = of_groups(parts)
    names = range(len(parts[0].group))
    # The verdict says in a word what the interval of the gap does.
    return Columns(grid.rows, grid.header, grid.justify, spare_remarks=True, names=names, first=range(MOST))


def _components(parts: tuple[Component, ...]) -> Element:
    """The parts of the scores: of all classes, then of single classes, if many those of the largest miscalibration."""
    header = ("", "score", "miscalibration", "discrimination", "uncertainty", "")
    rows = [
        (
            f"{part.measure.replace('_', ' ')}, {part.name}",
            *(in_column(n, 4) for n in (part.score, part.miscalibration, part.discrimination, part.uncertainty)),
            "",
        )
        for part in parts
    ]
    worst = sorted(range(1, len(parts)), key=lambda place: -parts[place].miscalibration)
    first = (0, *worst[:MOST]) if len(parts) > MOST + 1 else ()
    remark = text("fitted on these rows: miscalibration is overstated")
    return stacked(Columns(rows, header, "lrrrrl", names=(0,), first=first), remark)
