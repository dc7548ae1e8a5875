"""What explains a failed limit: the classes, groups and rows with the largest shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from xentcli.analysis.model_rows import LABEL, WEIGHT, ModelRows
from xentcli.analysis.pairs import columns_of
from xentcli.analysis.verdicts import Evidence
from xentcli.arrays import Floats
from xentcli.report.check import Check, Reason
from xentcli.report.parts import ClassSlice, GroupSlice
from xentcli.report.report import Report
from xentcli.tallies.groups import named
from xentcli.tallies.moments import Mean

__all__ = ["reasons_of"]

MOST, LEAST = 3, 0.05
"""How many of each kind are named, and the least share; of rows a fifth of it."""
_OF_COST = ("cost", "perplexity", "skill", "nce", "kl", "total", "bits_per_byte")


def reasons_of(checks: Sequence[Check], evidence: Evidence) -> Iterator[Reason]:
    """Yield what explains the first failed regression, or else the first failed limit on a cost or the accuracy."""
    sliced = evidence.sliced
    failed = [check for check in checks if check.verdict in ("fail", "inconclusive")]
    regressions = [check for check in failed if check.rule == "regression"]
    old = None if evidence.against is None else evidence.against.rows
    if regressions and old is not None:
        yield from _of_change(regressions[0].metric, evidence, old)
        return
    if regressions and evidence.against is not None and evidence.against.report is not None:
        yield from _of_reports(regressions[0].metric, sliced, evidence.against.report)
        return
    metric = next((c.metric for c in failed if c.group is None and c.metric in (*_OF_COST, "accuracy")), None)
    if metric is not None:
        yield from _of_report("accuracy" if metric == "accuracy" else "cost", sliced)


def _largest(found: list[Reason], least: float = LEAST) -> list[Reason]:
    kept = [reason for reason in found if reason.share is not None and reason.share >= least]
    return sorted(kept, key=lambda reason: -(reason.share or 0.0))[:MOST]


def _of_change(metric: str, evidence: Evidence, old: ModelRows) -> Iterator[Reason]:
    """The classes, groups and rows by their share of the whole change, in the exact sums."""
    new, runs, common = evidence.new, evidence.runs, evidence.common
    assert new is not None and runs is not None
    column, unit = evidence.column(metric), evidence.unit(metric)
    whole = common.means([(old.rows, column), (new.rows, column)])
    if not all(mean.a.all_finite for mean in whole):
        return

    def share(before: Mean, after: Mean) -> float | None:
        change = whole[1].a.without(whole[0].a)
        return after.a.without(before.a).over(change) if change else None

    def reasons(kind: str, groups: Floats, names: Any) -> list[Reason]:
        found = []
        for number, part in common.by_group((old.rows, column), (new.rows, column), groups).items():
            before, after = part.old, part.new
            rows, figures = max(int(after.b.value), 1), (before.value / unit, after.value / unit)
            found.append(Reason(metric, kind, names(number), rows, *figures, share(before, after)))
        return _largest(found)

    yield from reasons("class", new.rows[:, LABEL], lambda number: str(runs.labels.names[number]))
    if runs.group_rows is not None:
        for place, columns in enumerate(evidence.settings.slices):

            def text(number: int, place: int = place, columns: str = columns) -> str:
                name = runs.groups[place].names[number]
                return _group_text(named(columns_of(columns, name), name))

            yield from reasons("group", runs.group_rows.rows[:, place], text)
    yield from _rows(metric, evidence, old, whole)


def _rows(metric: str, evidence: Evidence, old: ModelRows, whole: list[Mean]) -> list[Reason]:
    new, common = evidence.new, evidence.common
    assert new is not None
    column, unit = evidence.column(metric), evidence.unit(metric)
    change = whole[1].a.without(whole[0].a)
    found = []
    for row, _ in common.largest((old.rows, column), (new.rows, column), 0.0, 4 * MOST):
        before, after, weight = (
            float(of[row, at]) for of, at in ((old.rows, column), (new.rows, column), (new.rows, WEIGHT))
        )
        part = Mean.of(np.array([after - before]), np.array([weight])).a
        share = part.over(change) if change else None
        found.append(Reason(metric, "row", f"{row + 1:,}", 1, before / unit, after / unit, share))
    return _largest(found, LEAST / 5)


def _group_text(group: dict[str, str]) -> str:
    return ", ".join(f"{column} {text}" for column, text in group.items())


def _of_reports(metric: str, report: Report, old: Any) -> Iterator[Reason]:
    """The classes by their share of the change of the cost, where both reports have them (--by-class)."""
    befores = {part["class"]: part for part in old.get("by_class") or ()}
    whole = report.total - float(old["total"])
    if metric != "cost" or not befores or not np.isfinite(whole) or not whole:
        return
    found = []
    for part in report.by_class:
        before = befores.get(part.name)
        if before is None or before["share"] is None or part.share is None:
            return
        change = part.share * report.total - before["share"] * float(old["total"])
        found.append(
            Reason("cost", "class", part.name, part.examples, float(before["cost"]), part.cost, change / whole)
        )
    yield from _largest(found)


def _of_report(metric: str, report: Report) -> Iterator[Reason]:
    """The classes, groups and rows by their share of the cost, or the classes by that of the wrong rows."""
    if metric == "accuracy":
        known = [part for part in report.by_class if part.accuracy is not None]
        wrong = {part.name: (1 - (part.accuracy or 0.0)) * part.examples for part in known}
        whole = sum(wrong.values())
        found = [
            Reason("accuracy", "class", part.name, part.examples, None, part.accuracy or 0.0, wrong[part.name] / whole)
            for part in known
            if whole
        ]
        yield from _largest(found)
        return
    parts: dict[str, Sequence[ClassSlice | GroupSlice]] = {"class": report.by_class, "group": report.by}
    for kind, slices in parts.items():
        yield from _largest([Reason("cost", kind, _name(s), s.examples, None, s.cost, s.share) for s in slices])
    weighted = {"weights", "class_weight"} & report.options.keys()
    rows = [
        Reason(
            "cost",
            "row",
            f"{row.row:,}",
            1,
            None,
            row.loss,
            None if weighted or not report.total else row.loss / report.total,
        )
        for row in report.worst
        if np.isfinite(row.loss) and np.isfinite(report.total)
    ]
    yield from _largest(rows, LEAST / 5)


def _name(part: ClassSlice | GroupSlice) -> str:
    return part.name if isinstance(part, ClassSlice) else _group_text(part.group)
