"""The lines of a calibration, the same on a screen and in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xentcli.report.calibration import CalibrationReport, Fit, GroupCalibration
from xentcli.report.parts import Bin, Interval
from xentcli.writers.figures import decimals, fixed, group_name, interval_title, percent, short
from xentcli.writers.grid import Grid

__all__ = ["bins_grid", "figures", "of_groups", "range_of", "temperature_command"]

_WORDS = {"neither": "neither too sure nor too unsure", None: ""}


def figures(report: CalibrationReport) -> Iterator[tuple[str, str, str]]:
    """Yield each figure with its remark: confidence and gap, the cost and what a fit gains, the calibration error."""
    yield from _confidence(report)
    yield from _cost(report)
    yield from _error(report)


def _confidence(report: CalibrationReport) -> Iterator[tuple[str, str, str]]:
    if report.confidence is None or report.gap is None:
        yield "confidence", "-", report.undefined.get("gap", "undefined")
        return
    accuracy = report.confidence - report.gap
    word = _WORDS.get(report.verdict, report.verdict) or ""
    says = f"says {percent(report.confidence)}, is right {percent(accuracy)}"
    yield "confidence", fixed(report.confidence, 4), f"{says}: {word}" if word else says
    interval = report.gap_interval
    if interval is None:
        yield "", "", f"gap {fixed(report.gap, 4)}, no interval: one row, or one cluster, has no standard error"
        return
    yield "", "", f"gap {report.gap:.4f}, {100 * interval.level:g} % interval {_ends(interval, 4)}"


def _cost(report: CalibrationReport) -> Iterator[tuple[str, str, str]]:
    fit, places = report.fit, min(decimals(report.report.standard_error), 4)
    cost = fixed(report.report.cost, places)
    unit = "" if report.report.unit == "nats" else f" {report.report.unit}"
    if fit is None:
        reason = report.undefined.get("fit", "")
        yield "cost", cost + unit, f"no temperature: {reason}" if reason else ""
        return
    if fit.temperature is not None:
        what = f"temperature {_rounded(fit.temperature)} gives"
    else:
        assert fit.slope is not None and fit.intercept is not None
        what = f"slope {fit.slope:.3g}, intercept {fit.intercept:.3g} give"
    what = f"{what} {fixed(fit.cost_after, places)}"
    yield (
        "cost",
        cost + unit,
        f"{what}: a gain of {fit.gain:.{places}f}" if _gains(fit) else f"{what}: no clear gain",
    )
    if fit.interval is not None:
        yield "", "", f"{100 * fit.interval.level:g} % interval of the gain {_ends(fit.interval, places)}"
    yield "", "", f"fitted on these rows: about {short(float(f'{fit.optimism:.2g}'))} of the gain is chance"


def _gains(fit: Fit) -> bool:
    """Whether the interval of the gain is above 0."""
    return fit.interval is not None and fit.interval.low > 0


def _ends(interval: Interval, places: int) -> str:
    """Both ends of an interval of a difference, with a sign where it is negative, and the note on few rows."""
    note = f" ({interval.note})" if interval.note else ""
    return f"{interval.low:.{places}f} to {interval.high:.{places}f}{note}"


def _error(report: CalibrationReport) -> Iterator[tuple[str, str, str]]:
    name = f"ECE, {report.bin_count}"
    if report.ece is None:
        yield name, "-", report.undefined.get("ece", "undefined")
        return
    if report.ece_floor is None or report.ece_floor_95 is None:
        remark = f"no figure for chance: {report.undefined.get('ece_floor', 'undefined')}"
    else:
        remark = f"a calibrated model would show {report.ece_floor:.3f}, at most {report.ece_floor_95:.3f}"
    yield name, fixed(report.ece, 4), remark


def _rounded(temperature: float) -> str:
    return f"{temperature:.3g}"


def temperature_command(report: CalibrationReport) -> str:
    """Return the command that scores at the temperature of the fit; empty without one, or where it may gain nothing."""
    if report.fit is None or report.fit.temperature is None or not _gains(report.fit):
        return ""
    before = report.report.options.get("temperature")
    return f"{report.command} --temperature {_rounded(report.fit.temperature * (before.value if before else 1.0))}"


def range_of(part: Bin, count: int) -> str:
    """Return the ends of a bin, with as many decimals as tell the bins apart."""
    places = 2 if count <= 50 else 3
    return f"{part.low:.{places}f}-{part.high:.{places}f}"


def bins_grid(bins: Sequence[Bin], count: int) -> Grid:
    """Return the table of those of `count` bins of the confidence that have rows; with weights without intervals."""
    rows = [
        (
            range_of(part, count),
            f"{part.rows:,}",
            fixed(part.confidence, 3),
            fixed(part.accuracy, 3),
            "" if part.interval is None else _ends(part.interval, 3),
        )
        for part in bins
    ]
    header = ("says", "rows", "mean", "is right", interval_title(part.interval for part in bins))
    return Grid(header, tuple(rows), "lrrrl", "Bins of the confidence").filled()


def of_groups(parts: list[GroupCalibration]) -> Grid:
    """Return the table of the groups of some columns, the largest gap first."""
    rows = []
    for part in sorted(parts, key=lambda part: -abs(part.gap or 0.0)):
        names = [*map(group_name, part.group.values())]
        gap = "-" if part.gap is None else f"{part.gap:.4f}"
        interval = "" if part.interval is None else _ends(part.interval, 4)
        word = "" if part.verdict in (None, "neither") else part.verdict or ""
        if part.interval is None:
            word = f"no interval: {part.undefined['interval']}"
        shares = (fixed(share, 4) for share in (part.confidence, part.accuracy))
        errors = (fixed(error, 4) for error in (part.ece, part.ece_floor_95))
        rows.append((*names, f"{part.examples:,}", *shares, gap, interval, *errors, word))
    title = interval_title(part.interval for part in parts)
    header = (*parts[0].group, "rows", "says", "is right", "gap", title, "ECE", "chance, 95 %", "")
    return Grid(
        header, tuple(rows), f"{'l' * len(parts[0].group)}rrrrrrrl", f"Calibration by {', '.join(parts[0].group)}"
    )
