"""Explain limits that did not pass: the classes, groups and rows with the largest shares of a figure or its change.

Without a baseline, the difference from the best possible value is explained: from 0, or for accuracies from 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from xentcli.analysis.limits import is_row_mean
from xentcli.analysis.model_rows import LABEL, WEIGHT
from xentcli.analysis.pairs import Common, Part, columns_of, parts_of
from xentcli.analysis.verdicts import Evidence
from xentcli.arrays import Flags, Floats
from xentcli.records import record
from xentcli.report.check import Check, Reason
from xentcli.scoring.metrics import find
from xentcli.tallies.groups import named
from xentcli.tallies.moments import Mean

__all__ = ["reasons_of"]

MOST, LEAST = 3, 0.05
"""Maximum number of items named per kind, and the minimum share (for rows a fifth of it)."""
_OF_COST = ("cost", "perplexity", "skill", "nce", "kl", "total", "bits_per_byte")


@record(frozen=True)
class _Question:
    """A figure to explain: a metric (or its change) of all rows or a group, and the names of its limits."""

    metric: str
    group: tuple[tuple[str, str], ...]
    paired: bool
    checks: tuple[str, ...] = ()


def reasons_of(checks: Sequence[Check], evidence: Evidence) -> Iterator[Reason]:
    """Yield explanations of the limits that did not pass, in order; for limits of groups only the worst group."""
    questions = _questions(checks, evidence)
    if not questions:
        return
    metrics = tuple(dict.fromkeys(question.metric for question in questions if question.metric != "cost"))
    whole = evidence.with_rows(metrics)
    if whole is not None:
        for question in questions:
            yield from _Answer(question, whole).reasons()


def _questions(checks: Sequence[Check], evidence: Evidence) -> list[_Question]:
    missed = [check for check in checks if check.verdict in ("fail", "inconclusive") and _has_parts(check)]
    regressed = {check.metric for check in missed if check.rule == "regression"} if evidence.against else set()
    found: dict[_Question, list[str]] = {}
    groups: dict[tuple[str, str], list[Check]] = {}
    for check in missed:
        metric = "cost" if check.metric in _OF_COST else check.metric
        if check.group is None:
            # The change explains a limit on the same figure too.
            found.setdefault(_Question(metric, (), metric in regressed), []).append(check.name)
        else:
            groups.setdefault((metric, check.bound), []).append(check)
    for (metric, _), each in groups.items():
        for check in sorted(each, key=lambda check: _margin(check))[:MOST]:
            question = _Question(metric, tuple((check.group or {}).items()), paired=False)
            found.setdefault(question, []).append(check.name)
    return [_Question(q.metric, q.group, q.paired, tuple(names)) for q, names in found.items()]


def _has_parts(check: Check) -> bool:
    """Whether a figure is a sum over rows and classes, and the limit is on its bad side."""
    if check.rule == "warning":
        return False
    metric = find(check.metric)
    parts = check.metric in _OF_COST or is_row_mean(metric)
    return parts and metric.better == {"max": "lower", "min": "higher"}[check.bound]


def _margin(check: Check) -> float:
    return -np.inf if check.margin is None else check.margin


class _Answer:
    """The parts of one figure or its change, from rows of the run and the baseline."""

    def __init__(self, question: _Question, evidence: Evidence) -> None:
        assert evidence.new is not None and evidence.runs is not None
        self.question, self.evidence, self.runs = question, evidence, evidence.runs
        self.column, self.unit = evidence.column(question.metric), evidence.unit(question.metric)
        self.rows = evidence.new.rows
        against = evidence.against if question.paired else None
        self.paired = against is not None and against.rows is not None
        self.report = None if against is None or self.paired else against.report
        if against is not None and against.rows is not None:
            self.old, self.common = (against.rows.rows, self.column), evidence.common
        else:
            best = 1.0 if find(question.metric).better == "higher" else 0.0
            self.old = (np.broadcast_to(best, (len(self.rows), 1)), 0)
            self.common = Common([evidence.new], only=self._of_group())
        self.new = (self.rows, self.column)
        self.before, self.after = self.common.means([self.old, self.new])

    def _of_group(self) -> Flags | None:
        """bool[n]: the rows of the group; None for all rows."""
        if not self.question.group:
            return None
        place, number = next(
            (place, number)
            for place, vocabulary in enumerate(self.runs.groups[: len(self.evidence.settings.slices)])
            for number, name in enumerate(vocabulary.names)
            if self._group(place, name) == self.question.group
        )
        assert self.runs.group_rows is not None
        found: Flags = self.runs.group_rows.rows[:, place] == number
        return found

    def _group(self, place: int, name: Any) -> tuple[tuple[str, str], ...]:
        return tuple(named(columns_of(self.evidence.settings.slices[place], name), name).items())

    def reasons(self) -> Iterator[Reason]:
        """Yield the classes, groups and rows with the largest shares; for an infinite figure, the first such rows."""
        if not self.after.a.all_finite:
            yield from self._infinite()
            return
        if not self.before.a.all_finite:
            return
        classes = self._parts(self.rows[:, LABEL])
        if (old := self._classes_of_report()) is not None:
            yield from _largest(self._between_reports(classes, old))
            return
        yield from _largest([self._reason("class", self._label(number), part) for number, part in classes.items()])
        if self.runs.group_rows is not None:
            names = {name for name, _ in self.question.group}
            for place, columns in enumerate(self.evidence.settings.slices):
                vocabulary = self.runs.groups[place].names
                if names and names == set(columns_of(columns, vocabulary[0])):
                    continue
                parts = self._parts(self.runs.group_rows.rows[:, place])
                # Of equal shares the first by name are named, in whatever order groups were read.
                numbers = sorted(parts, key=vocabulary.__getitem__)
                texts = {number: _text(self._group(place, vocabulary[number])) for number in numbers}
                yield from _largest([self._reason("group", text, parts[number]) for number, text in texts.items()])
        # Without a baseline, all wrong rows contribute equally.
        if self.paired or not find(self.question.metric).hard:
            yield from self._largest_rows()

    def _parts(self, groups: Floats) -> Mapping[int, Part]:
        return parts_of(self.common.by_group(self.old, self.new, groups))

    def _label(self, number: int) -> str:
        return str(self.runs.labels.names[number])

    def _share(self, before: Mean, after: Mean) -> float | None:
        change = self.after.a.without(self.before.a)
        return after.a.without(before.a).over(change) if change else None

    def _reason(self, kind: str, name: str, part: Part) -> Reason:
        before = part.old.value / self.unit if self.paired else None
        rows, after = part.change.rows, part.new.value / self.unit
        return self._made(kind, name, rows, before, after, self._share(part.old, part.new))

    def _made(self, kind: str, name: str, rows: int, before: float | None, after: float, share: float | None) -> Reason:
        group = dict(self.question.group) or None
        return Reason(self.question.metric, kind, name, rows, before, after, share, group, self.question.checks)

    def _largest_rows(self) -> list[Reason]:
        found = []
        for row, _ in self.common.largest(self.old, self.new, 0.0, 4 * MOST):
            weight = self.rows[row, WEIGHT][None]
            before, after = (rows[row, at] for rows, at in (self.old, self.new))
            share = self._share(Mean.of(before[None], weight), Mean.of(after[None], weight))
            found.append(self._of_row(row, before, after, share))
        return _largest(found, LEAST / 5)

    def _of_row(self, row: int, before: Any, after: Any, share: float | None) -> Reason:
        known = float(before) / self.unit if self.paired else None
        return self._made("row", f"{row + 1:,}", 1, known, float(after) / self.unit, share)

    def _infinite(self) -> Iterator[Reason]:
        for row, size in self.common.largest(self.old, self.new, 0.0, MOST):
            if not np.isfinite(size):
                yield self._of_row(row, self.old[0][row, self.old[1]], np.inf, None)

    def _classes_of_report(self) -> Mapping[str, Any] | None:
        """The classes of a baseline report without rows, if it has them (--by-class) and their costs are finite."""
        if self.report is None or self.question.metric != "cost":
            return None
        classes = {part["class"]: part for part in self.report.get("by_class") or ()}
        known = all(part["share"] is not None for part in classes.values())
        return classes if classes and known and np.isfinite(float(self.report["total"])) else None

    def _between_reports(self, classes: Mapping[int, Part], old: Mapping[str, Any]) -> list[Reason]:
        assert self.report is not None
        before = float(self.report["total"])
        whole = self.after.a.value / self.unit - before
        found = []
        for number, part in classes.items():
            name = self._label(number)
            if whole and name in old:
                change = part.new.a.value / self.unit - old[name]["share"] * before
                cost = float(old[name]["cost"])
                found.append(
                    self._made("class", name, part.change.rows, cost, part.new.value / self.unit, change / whole)
                )
        return found


def _largest(found: list[Reason], least: float = LEAST) -> list[Reason]:
    kept = [reason for reason in found if reason.share is not None and reason.share >= least]
    return sorted(kept, key=lambda reason: -(reason.share or 0.0))[:MOST]


def _text(group: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{column} {text}" for column, text in group)
