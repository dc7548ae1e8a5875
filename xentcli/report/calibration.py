"""The document of `xent calibration`."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, ClassVar

from xentcli.errors import Warning
from xentcli.records import Keywords, record
from xentcli.report.document import Count, Document, Number, Position, Table, bracketed
from xentcli.report.parts import Bin, Interval, ends_of
from xentcli.report.report import Report

__all__ = ["FROM_REPORT", "CalibrationReport", "Component", "Fit", "GroupCalibration"]

_WORDS = ["overconfident", "underconfident", "neither"]
FROM_REPORT = (
    *("cost", "standard_error", "unit", "interval", "accuracy", "examples", "kind", "classes", "labels", "infinite"),
    *("clip", "row_sum", "inputs", "alignment", "labels_unused", "unmatched", "clusters", "undefined", "options"),
    *("warnings", "details", "xent_version", "schema_version"),
)
"""What the JSON has of the score."""


@record(frozen=True)
class Fit:
    """The predictions at their best temperature, or with the best slope and intercept on the logit; costs in `unit`.

    Attributes
    ----------
    method
        temperature: softmax(ln q / T); logit: slope x logit + intercept, for two classes
    gain
        cost_before - cost_after, a mean of the rows' differences
    interval
        of the gain
    optimism
        about how much of the gain comes from fitting on the rows it is measured on: 1/n nats a parameter
    """

    method: Annotated[str, Keywords(enum=["temperature", "logit"])]
    temperature: Number | None
    slope: Number | None
    intercept: Number | None
    cost_before: Number
    cost_after: Number
    gain: Number
    interval: Interval | None
    optimism: Number


@record(frozen=True)
class GroupCalibration:
    """The rows of one group, which has a value for each column.

    Attributes
    ----------
    interval
        of the gap
    """

    group: dict[str, str]
    examples: Count
    cost: Number
    confidence: Number | None
    accuracy: Number | None
    gap: Number | None
    interval: Interval | None
    verdict: Annotated[str, Keywords(enum=_WORDS)] | None
    ece: Number | None
    ece_floor: Number | None
    ece_floor_95: Number | None
    undefined: dict[str, str] = field(default_factory=dict)


@record(frozen=True)
class Component:
    """A score of one class against the rest: score = miscalibration - discrimination + uncertainty.

    Attributes
    ----------
    name
        the class; of several classes their sum has the name all
    measure
        log, in `unit`; brier_halved is (q - y)^2; brier is the sum over the classes
    """

    JSON_NAMES: ClassVar = {"name": "class"}

    name: str
    measure: Annotated[str, Keywords(enum=["log", "brier_halved", "brier"])]
    score: Number
    miscalibration: Number
    discrimination: Number
    uncertainty: Number


@record(frozen=True)
class CalibrationReport(Document):
    """How well the probabilities of a set of predictions hold, beside its cost.

    Attributes
    ----------
    confidence
        mean probability of the predicted class; None where targets are soft
    by
        with --by, group by group
    gap
        confidence - accuracy
    gap_interval
        of the gap
    verdict
        overconfident where the interval of the gap is above 0, underconfident where it is below, else neither
    fit
        None with --fit none, or where there is none: undefined says why
    ece
        expected calibration error over bins of the confidence: sum over bins of |sum of w (right - q)| / sum of w
    ece_floor
        the ece that a calibrated model with these confidences would show by chance
    ece_floor_95
        what such a model would exceed one time in 20
    mce
        the largest |right - q| of a bin
    ece_by_class
        the same error of the probability of each class, against the rows of that class
    bins
        the bins that have rows
    decomposition
        with --decompose
    command
        the command that scores at the temperature of the fit
    """

    NAME: ClassVar = "calibration"
    OMITTED: ClassVar = frozenset({"report", "command"})

    report: Report
    confidence: Number | None
    gap: Number | None
    gap_interval: Interval | None
    verdict: Annotated[str, Keywords(enum=_WORDS)] | None
    fit: Fit | None
    ece: Number | None
    ece_floor: Number | None
    ece_floor_95: Number | None
    mce: Number | None
    ece_by_class: dict[str, Number] | None
    bin_count: Position
    bins: tuple[Bin, ...]
    by: tuple[GroupCalibration, ...] = ()
    decomposition: tuple[Component, ...] = ()
    command: str = "xent score PREDS LABELS"

    @property
    def warnings(self) -> tuple[Warning, ...]:
        """The warnings of the score."""
        return self.report.warnings

    @property
    def undefined(self) -> dict[str, str]:
        """Why a figure is None."""
        return self.report.undefined

    def to_dict(self) -> dict[str, Any]:
        """Return the names of the score that hold here too, then those of the calibration."""
        report = self.report.to_dict()
        return {**{name: report[name] for name in FROM_REPORT if name in report}, **super().to_dict()}

    def figures(self) -> list[tuple[str, float | None, str]]:
        """Return the figures, each with its name and unit; the ends of an interval are two of them."""
        found = []
        for name, value, unit, interval in self._figures():
            found.append((name, value, unit))
            if name in ("gap", "gain"):
                found += [
                    (f"{name}_{end}", one, unit) for end, one in zip(("low", "high"), ends_of(interval), strict=True)
                ]
        return found

    def _figures(self) -> list[tuple[str, float | None, str, Interval | None]]:
        """The figures, each with its name, unit and interval."""
        fit, unit = self.fit, self.report.unit
        fitted = (
            []
            if fit is None
            else [name for name in ("temperature", "slope", "intercept") if getattr(fit, name) is not None]
        )
        return [
            ("confidence", self.confidence, "", None),
            ("accuracy", self.report.accuracy, "", None),
            ("gap", self.gap, "", self.gap_interval),
            ("cost", self.report.cost, unit, self.report.interval),
            *((name, getattr(fit, name), "", None) for name in fitted),
            ("cost_after", None if fit is None else fit.cost_after, unit, None),
            ("gain", None if fit is None else fit.gain, unit, None if fit is None else fit.interval),
            ("ece", self.ece, "", None),
            ("ece_floor", self.ece_floor, "", None),
            ("ece_floor_95", self.ece_floor_95, "", None),
            ("mce", self.mce, "", None),
        ]

    def _main_table(self) -> Table:
        """A row for each figure, with its interval."""
        rows = tuple((name, value, unit, *ends_of(interval)) for name, value, unit, interval in self._figures())
        return Table("calibration", ("metric", "value", "unit", "low", "high"), rows)

    def in_brief(self) -> str:
        """Return the verdict and the gap, the error of the confidence, and the temperature that fits best."""
        verdict = f" ({self.verdict})" if self.verdict not in (None, "neither") else ""
        gap = [] if self.gap is None else [f"gap {self.gap:.4g}{verdict}"]
        ece = [] if self.ece is None else [f"ECE {self.ece:.4g}"]
        fitted = self.fit is not None and self.fit.temperature is not None
        fit = [f"temperature {self.fit.temperature:.4g}"] if self.fit is not None and fitted else []
        return ", ".join([*gap, *ece, *fit, self.report.in_brief()])

    def tables(self) -> tuple[Table, ...]:
        """Return the groups where there are any, the figures, the bins and the components."""
        figures = Table("calibration", ("metric", "value", "unit"), tuple(self.figures()))
        groups = (self._groups(),) if self.by else ()
        parts = (self._components(),) if self.decomposition else ()
        return (*groups, figures, self._bins(), *parts)

    def _bins(self) -> Table:
        columns = ("above", "at_most", "rows", "confidence", "accuracy", "low", "high")
        rows = [(b.low, b.high, b.rows, b.confidence, b.accuracy, *ends_of(b.interval)) for b in self.bins]
        return Table("bins", columns, tuple(rows))

    def _groups(self) -> Table:
        by = list(dict.fromkeys(column for part in self.by for column in part.group))
        figures = (
            *("examples", "cost", "unit", "confidence", "accuracy", "gap", "low", "high", "verdict"),
            *("ece", "ece_floor", "ece_floor_95"),
        )
        rows = [
            (
                *(part.group.get(column) for column in by),
                *(part.examples, part.cost, self.report.unit, part.confidence, part.accuracy, part.gap),
                *(*ends_of(part.interval), part.verdict, part.ece, part.ece_floor, part.ece_floor_95),
            )
            for part in self.by
        ]
        return Table("groups", (*bracketed(by, figures), *figures), tuple(rows), asked=True)

    def _components(self) -> Table:
        columns = ("class", "measure", "score", "miscalibration", "discrimination", "uncertainty")
        rows = [
            (c.name, c.measure, c.score, c.miscalibration, c.discrimination, c.uncertainty) for c in self.decomposition
        ]
        return Table("decomposition", columns, tuple(rows), asked=True)
