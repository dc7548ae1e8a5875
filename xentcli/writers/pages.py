"""Results as short pages of lines and tables, which Markdown and HTML write each in their own way."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from xentcli.records import replace
from xentcli.report.calibration import CalibrationReport
from xentcli.report.causes import Causes
from xentcli.report.check import CheckReport
from xentcli.report.checks import Checks
from xentcli.report.comparison import Comparison
from xentcli.report.document import Document, Table
from xentcli.report.explanation import Explanation
from xentcli.report.report import Report
from xentcli.writers.calibration import bins_grid, figures, of_groups, temperature_command
from xentcli.writers.check import MOST, commands, first_limits, limit_rows, reason_rows, sentences
from xentcli.writers.check import figures as of_check
from xentcli.writers.comparison import changes, divergences, findings, refusals, rows_line, slices, worst
from xentcli.writers.figures import decimals, decimals_of, fixed, in_column, percent, plural
from xentcli.writers.grid import Grid, Line, Page
from xentcli.writers.remarks import (
    baseline_lines,
    bytes_remark,
    changes_of_loss,
    changes_of_losses,
    digests,
    ends,
    skipped_rows,
    unmatched_rows,
)
from xentcli.writers.steps import Steps

__all__ = ["Grid", "Line", "Page", "page"]


_OWN_COLUMNS = ("standard_error", "predicted_probability")
"""Columns that are no names of a file."""


def page(document: Document) -> Page:
    """Return the page of a document."""
    return _PAGES[document.NAME](document)


def _line(text: str, bold: str = "") -> Line:
    return Line((text,), bold)


def _warnings(document: Any) -> Iterator[Line]:
    """Yield a line for each warning."""
    for warning in document.warnings:
        yield _line(f" {'; '.join(filter(None, (warning.message, warning.advice)))}", "warning")


def _report(report: Report) -> Page:
    places = decimals(report.standard_error)
    rows = []
    for metric, value in report.figures():
        if value is not None or report.shown:
            about = bytes_remark(report) if metric.name == "bits_per_byte" and value is not None else metric.about
            figure = fixed(value, decimals_of(report, metric.name))
            rows.append([metric.title, figure, report.unit if metric.unit == "loss" else "", about])
            if metric.name == "cost" and report.interval is not None:
                level = f"{100 * report.interval.level:g} % interval"
                rows.append([level, ends(report.interval, places), report.unit, ""])
    if report.clip is not None:
        clip = report.clip
        changed = f"{plural(clip.count, 'row')} changed by --clip {clip.eps:g}"
        rows.append(["cost without clipping", fixed(clip.cost_without, places), report.unit, changed])
    first = f"{report.inputs[0].path}: {plural(report.examples.scored, 'row')} scored"
    first += "".join(f"; {line}" for line in (*changes_of_loss(report), *unmatched_rows(report)))
    figures = _grid(["metric", "value", "unit", "what it is"], rows, "lrll", "Metrics")
    hashes = [_line(f" {line}", what) for what, line in digests(report)]
    return _line(first), *hashes, figures, *_slices(report), *_warnings(report)


def _slices(report: Report) -> Iterator[Grid]:
    """Yield the tables of groups and of the worst rows that were asked for."""
    for table in report.tables():
        if table.asked and table.title != "metrics":
            for part in _by_names(table) if table.title == "groups" else [table]:
                yield _compact(part, decimals(report.standard_error))


def _by_names(table: Table) -> Iterator[Table]:
    """Cut a table of groups where other columns name the rows: those of the groups of each --by, and the class."""
    figures = table.columns.index("examples")
    for _, rows in itertools.groupby(table.rows, key=lambda row: [name is None for name in row[:figures]]):
        yield replace(table, rows=tuple(rows))


def _compact(table: Table, places: int) -> Grid:
    """A table without the columns that are empty or the same in all rows."""
    kept = {
        name: values
        for name, *values in zip(table.columns, *table.rows, strict=True)
        if name != "unit" and any(value is not None for value in values)
    }
    cells = [[_cell(name, value, places) for value in values] for name, values in kept.items()]
    justify = "".join("l" if any(isinstance(value, str) for value in values) else "r" for values in kept.values())
    titles = [name.replace("_", " ") if name in _OWN_COLUMNS else name for name in kept]
    return _grid(titles, list(zip(*cells, strict=True)), justify, table.title)


def _cell(name: str, value: object, places: int) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, int):
        return f"{value:,}"
    assert isinstance(value, float)
    if "probability" in name:
        return fixed(value, 4)
    return percent(value) if name == "share" else fixed(value, 3 if name == "accuracy" else places)


def _causes(result: Causes) -> Page:
    places = decimals(result.standard_error)
    rows = [
        [
            cause.name or cause.code,
            "" if cause.share is None else percent(cause.share),
            "" if cause.examples is None else f"{cause.examples:,}",
            "" if cause.cost is None else in_column(cause.cost, places),
            cause.message,
            result.more(cause),
        ]
        for cause in result.causes
    ]
    cost = f"{fixed(result.cost, places)} {result.unit}"
    first = f"cost {cost}, {plural(result.examples.scored, 'row')}"
    return _line(first), _grid(["cause", "share", "rows", "cost", "", "more"], rows, "lrrrll", "Causes")


def _check(result: CheckReport) -> Page:
    words = {"fail": "FAIL", "no_verdict": "no verdict"}
    rows = [(words.get(verdict, verdict), *cells) for verdict, cells in limit_rows(result)]
    changes = "".join(f"; {line}" for line in changes_of_loss(result.report))
    parts: list[Line | Grid] = [_line(changes, result.verdict.replace("_", " "))]
    limits = _grid(["", "metric", "value", "limit", ""], rows, "llrrl", "Limits")
    parts += [replace(limits, first=first_limits(result))] if rows else []
    parts += [_line(f" {line}", what) for what, line in of_check(result)]
    parts += _beside(result)
    if reasons := list(reason_rows(result)):
        header = ["limit"] * (len(reasons[0]) > 3) + ["why", "figures", "share"]
        why = _grid(header, reasons, "l" * len(header), "What explains the failures")
        parts.append(replace(why, first=range(MOST)))
    parts += [_line(f": {line}", "baseline") for line in baseline_lines(result.baseline)]
    parts += [*_warnings(result), _line(" ".join(sentences(result)))]
    return [*parts, *(_line(f" {command}" if what else command, what) for what, command in commands(result))]


def _beside(result: CheckReport) -> Iterator[Grid]:
    """Yield the metrics and the slices that were asked for beside the limits."""
    report = result.beside
    if report.shown:
        shown = ((metric, fixed(value, decimals_of(report, metric.name))) for metric, value in report.figures())
        cells = [(metric.title, figure, metric.about) for metric, figure in shown]
        yield _grid(["metric", "value", "what it is"], cells, "lrl", "Metrics")
    yield from (replace(grid, first=range(MOST)) for grid in _slices(report))


def _checks(result: Checks) -> Page:
    parts: list[Line | Grid] = [_line(f" {result.summary}", result.verdict.replace("_", " "))]
    for check in result.checks:
        if check.report is not None:
            parts += [_line("", check.name), *_check(check.report)]
        elif check.error is not None:
            parts += [_line("", check.name), Line((f" {check.error.message}", *check.error.advice), "error")]
    return parts


def _comparison(result: Comparison) -> Page:
    first = f"{rows_line(result)}{''.join(f'; {line}' for line in changes_of_losses(result))}"
    if result.kl:
        return _line(f"{first}; without labels"), divergences(result), *_warnings(result)
    tables = [*slices(result), *([worst(result)] if result.worst else [])]
    notes = [_line(f"note: {note}") for note in result.notes]
    refused = [_line(f" {names}: {reason}", "refused") for names, reason in refusals(result)]
    about: list[Line | Grid] = [*map(_line, findings(result)), *map(_filled, tables)]
    return _line(first), changes(result), *about, *refused, *_warnings(result), *notes


def _filled(grid: Grid) -> Grid:
    """A table without a last column of remarks that has none."""
    if any(row[-1] for row in grid.rows):
        return grid
    rows = tuple(row[:-1] for row in grid.rows)
    return replace(grid, header=grid.header[:-1], rows=rows, justify=grid.justify[:-1])


def _calibration(result: CalibrationReport) -> Page:
    parts: list[Line | Grid] = [
        _line(f"{result.report.inputs[0].path}: {plural(result.report.examples.scored, 'row')}")
    ]
    remarks = (*changes_of_loss(result.report), *skipped_rows(result.report), *unmatched_rows(result.report))
    parts += map(_line, remarks)
    parts += [_line(f" {line}", what) for what, line in digests(result.report)]
    parts.append(_grid(["metric", "value", ""], list(figures(result)), "lrl", "Calibration"))
    if result.bins:
        parts.append(bins_grid(result.bins, result.bin_count))
    if result.by:
        for _, groups in itertools.groupby(result.by, key=lambda part: tuple(part.group)):
            parts.append(_filled(of_groups(list(groups))))
    if result.decomposition:
        table = result.tables()[-1]
        numbers = [[c if isinstance(c, str) else fixed(c, 4) for c in row] for row in table.rows]
        parts.append(_grid(list(table.columns), numbers, "llrrrr", "Decomposition"))
    parts += _warnings(result)
    if command := temperature_command(result):
        parts.append(_line(f"next: {command}"))
    return parts


def _explanation(example: Explanation) -> Page:
    steps = Steps(example)
    rows = [*map(steps.cells, example.terms), steps.sum_cells()]
    titles = steps.header()[:-1]
    table = _grid(titles, rows, "l" + "r" * (len(titles) - 1), "Terms of the loss")
    before = [_lines(lines) for lines in ([steps.title()], steps.softmax_lines()) if lines]
    return *before, table, *(_lines(lines) for lines in (steps.formula(), steps.sentences()) if lines)


def _lines(lines: Sequence[str]) -> Line:
    return Line(tuple(line.strip() for line in lines))


def _grid(header: Sequence[str], rows: Sequence[Sequence[str]], justify: str, caption: str = "") -> Grid:
    return Grid(tuple(header), tuple(map(tuple, rows)), justify, caption)


_PAGES: dict[str, Callable[[Any], Page]] = {
    Report.NAME: _report,
    CheckReport.NAME: _check,
    Checks.NAME: _checks,
    Explanation.NAME: _explanation,
    Causes.NAME: _causes,
    Comparison.NAME: _comparison,
    CalibrationReport.NAME: _calibration,
}
