"""The sections of a report as a page: tables with a caption each, then the drawing of what they say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from xentcli.errors import UsageError
from xentcli.records import record, replace
from xentcli.report.calibration import CalibrationReport
from xentcli.report.check import CheckReport
from xentcli.report.checks import Checks
from xentcli.report.comparison import Comparison
from xentcli.report.details import MOST_CLASSES, Losses
from xentcli.report.document import Document
from xentcli.report.report import Report
from xentcli.writers.calibration import bins_grid
from xentcli.writers.check import first_limits, limit_rows
from xentcli.writers.comparison import models, signed
from xentcli.writers.figures import WITHIN, about, decimals, fixed, percent, plural
from xentcli.writers.grid import Grid, Line, Page
from xentcli.writers.inputs import inputs
from xentcli.writers.pages import page
from xentcli.writers.remarks import ends
from xentcli.writers.slices import by_class, by_group, worst

if TYPE_CHECKING:
    from xentcli.writers.web.svg import Inline

__all__ = ["MOST", "Section", "sections"]

MOST = 50
"""Rows of a table of a section; the whole table is below."""


@record(frozen=True)
class Section:
    """A heading of a level, paragraphs and tables, and drawings."""

    title: str
    parts: Page = ()
    pictures: tuple[Inline, ...] = ()
    level: int = 2


def sections(document: Document) -> list[Section]:
    """Return the sections of a page, those that have something to show."""
    can_draw = _can_draw()
    found = list(
        _of_checks(document, can_draw) if isinstance(document, Checks) else _Sections(document, can_draw).all()
    )
    if not can_draw:
        found.append(
            Section("Drawings", (Line(("This page has no drawings: pip install 'xentcli[plot]' adds them.",)),))
        )
    return [section for section in found if section.parts or section.pictures]


def _can_draw() -> bool:
    from xentcli.writers.pictures import needs_matplotlib

    try:
        needs_matplotlib()
    except UsageError:
        return False
    return True


def _of_checks(document: Checks, can_draw: bool) -> Iterator[Section]:
    """A section for all checks, and one for each, with those of its report below."""
    yield Section("Result", (page(document)[0], _verdicts(document)))
    for number, check in enumerate(document.checks, 1):
        if check.report is None:
            yield Section(check.name, page(replace(document, checks=(check,)))[2:])
            continue
        first, *others = _Sections(check.report, can_draw, number, check.name).all()
        yield replace(first, title=check.name)
        yield from (replace(section, level=3) for section in others)


class _Sections:
    """The sections of a document; `number` and `name` make ids of drawings unique on a page of several."""

    def __init__(self, document: Document, can_draw: bool, number: int = 0, name: str = "") -> None:
        self.document, self.can_draw = document, can_draw
        self.number, self.name = number, name

    def picture(self, name: str) -> tuple[Inline, ...]:
        """The drawing of a name, where there is something to draw and something to draw it with."""
        if not self.can_draw:
            return ()
        from xentcli.writers.pictures import DRAWINGS, drawn
        from xentcli.writers.web.svg import inline

        try:
            svg = drawn(self.document, name, "svg", transparent=True)
        except UsageError:
            return ()
        ids, about = (f"{name}{self.number}", f"{self.name}: ") if self.number else (name, "")
        return (inline(svg, ids, f"{about}{DRAWINGS[name].about}"),)

    def all(self) -> Iterator[Section]:
        document = self.document
        if isinstance(document, Comparison):
            parts = [
                part.cut(part.first[:MOST] or range(MOST)) if isinstance(part, Grid) else part
                for part in page(document)
            ]
            yield Section("Result", parts, self.picture("changes"))
            yield Section("What was scored", (_inputs(document),))
            if document.details is not None:
                yield Section("Differences of the rows", (_differences(document),), self.picture("differences"))
            yield Section(
                "Cost from model to model",
                () if document.kl else (models(document).cut(range(MOST)),),
                self.picture("curve"),
            )
        elif isinstance(document, Report | CheckReport | CalibrationReport):
            yield from self._of_score(document)
        else:
            yield Section("Result", page(document))

    def _of_score(self, document: Report | CheckReport | CalibrationReport) -> Iterator[Section]:
        """The sections of a score, and what a check or a calibration has before them."""
        report = document if isinstance(document, Report) else document.report
        yield Section(*_first(document, report))
        yield Section("What was scored", (_inputs(report),))
        if isinstance(document, CheckReport):
            yield Section("Figures", _figures(report))
        details = report.details
        if details is not None and details.losses is not None:
            yield Section("Losses", (_losses(report, details.losses),), self.picture("losses"))
        if details is not None:
            report = replace(report, by_class=report.by_class or details.by_class, worst=report.worst or details.worst)
        bins = document.bins if isinstance(document, CalibrationReport) else details.reliability if details else ()
        if bins:
            count = document.bin_count if isinstance(document, CalibrationReport) else len(bins)
            yield Section("Reliability", (bins_grid(bins, count),), self.picture("reliability"))
        if report.by_class:
            yield Section("Classes", (by_class(report).cut(range(MOST)),), self.picture("classes"))
        if isinstance(document, CalibrationReport):
            groups = _grids(page(replace(document, bins=(), decomposition=())))[1:]
            yield Section("Groups", groups, self.picture("groups") if groups else ())
        elif report.by:
            yield Section("Groups", tuple(grid.cut(range(MOST)) for grid in by_group(report)), self.picture("groups"))
        if report.worst:
            yield Section("Worst rows", (worst(report),))
        if details is not None and details.confusion is None and len(report.classes) > MOST_CLASSES:
            reason = f"Left out: there are {len(report.classes):,} classes, and it is shown for {MOST_CLASSES} at most."
            yield Section("Confusion", (Line((reason,)),))
        if details is not None and details.confusion is not None:
            yield Section("Confusion", (_confusion(report, details.confusion),), self.picture("confusion"))


def _verdicts(document: Checks) -> Grid:
    """The limits of all checks."""
    rows = []
    for check in document.checks:
        if check.report is None:
            rows.append((check.name, check.verdict.replace("_", " "), "", "", "", ""))
            continue
        limits = list(limit_rows(check.report))
        shown = [limits[place] for place in first_limits(check.report)]
        cells = [(verdict.replace("_", " "), *row) for verdict, row in shown]
        cells += [(f"({left:,} more)", "", "", "", "")] if (left := len(limits) - len(shown)) else []
        rows += [(check.name if not place else "", *row) for place, row in enumerate(cells)]
    return Grid(("check", "", "metric", "value", "limit", ""), tuple(rows), "lllrrl", "The limits of all checks")


def _first(document: Report | CheckReport | CalibrationReport, report: Report) -> tuple[str, Page]:
    """The title and the parts of the first section: the result without the slices, which have sections of their own."""
    bare = _bare(report)
    headline = Line((), _headline(report))
    if isinstance(document, CheckReport):
        verdict, *parts = page(replace(document, report=bare))
        return "Verdict", [verdict, headline, *parts]
    if isinstance(document, CalibrationReport):
        return "Calibration", [headline, *page(replace(document, report=bare, bins=(), by=()))[1:]]
    return "Cost", [headline, *page(bare)[1:]]


def _headline(report: Report) -> str:
    places = decimals(report.standard_error)
    cost = f"cross-entropy {fixed(report.cost, places)} {report.unit}"
    if report.interval is None:
        return f"{cost} per row, {report.examples.scored:,} rows"
    level = f"{100 * report.interval.level:g} %"
    return f"{cost} per row, {level} interval {ends(report.interval, places)}, {report.examples.scored:,} rows"


def _inputs(report: Report | Comparison) -> Grid:
    return Grid(("", "what was read"), tuple(inputs(report)), "ll", "Inputs, and how they were matched")


def _figures(report: Report) -> list[Grid]:
    return _grids(page(_bare(report)))


def _bare(report: Report) -> Report:
    """A report without its slices."""
    return replace(report, by=(), by_class=(), worst=())


def _grids(parts: Page) -> list[Grid]:
    return [part for part in parts if isinstance(part, Grid)]


def _losses(report: Report, found: Losses) -> Grid:
    places = decimals(report.standard_error)
    rows = [("mean", fixed(report.cost, places), "the cost")]
    rows += [("median", about(found.median), f"half of the rows have less ({WITHIN})")]
    if found.tail_from is not None:
        share = "" if found.tail_share is None else f", {percent(found.tail_share)} of the cost"
        rows.append(("largest 1 % from", fixed(found.tail_from, places), f"{plural(found.tail_rows, 'row')}{share}"))
    if report.infinite.count:
        rows.append(("infinite", f"{report.infinite.count:,}", "rows with probability 0 for the true class"))
    return Grid(("", f"loss in {report.unit}", "what it is"), tuple(rows), "lrl", "Distribution of the losses")


def _confusion(report: Report, counts: Sequence[Sequence[int]]) -> Grid:
    rows = tuple(
        (name, *(f"{count:,}" for count in row), f"{sum(row):,}")
        for name, row in zip(report.classes, counts, strict=True)
    )
    header = ("true class", *report.classes, "all")
    return Grid(header, rows, "l" + "r" * (len(header) - 1), "Rows of each true class by predicted class", square=True)


def _differences(result: Comparison) -> Grid:
    """What the rows of each model differ by: the middle, the largest and the infinite ones."""
    found = result.details.differences if result.details else ()
    changes = {pair.model: pair for pair in result.pairs if pair.metric == "cost"}
    rows = []
    for one in found:
        pair = changes[one.model]
        places = max(decimals(pair.standard_error) - 1, 2)
        figures = [signed(pair.change, places), "" if math.isnan(one.median) else about(one.median, "+")]
        infinite = [f"{count:,}" if count else "" for count in (one.reference_infinite, one.model_infinite)]
        tail = [""] * 3
        if one.tail_from is not None:
            tail = [f"{one.tail_rows:,}", fixed(one.tail_from, places), signed(one.tail_contribution, places)]
        rows.append((one.model, *figures, *tail, *infinite))
    header = [
        *("model", "mean", f"median ({WITHIN})", "rows in the largest 1 %", "size of each, at least"),
        f"their contribution to the mean, {result.unit}",
        *("infinite in the reference alone", "infinite in the model alone"),
    ]
    caption = f"Loss of the model minus that of {result.models[0].name}, {result.unit}; below 0 the model is better"
    grid = Grid(tuple(header), tuple(rows), "l" + "r" * (len(header) - 1), caption)
    return grid.filled().cut(range(MOST))
