"""The document of `xent score`."""

from __future__ import annotations

from collections.abc import Iterator, KeysView, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from xentcli.errors import NotComputedError, UsageError, Warning, shown
from xentcli.records import Derived, Keywords, record, replace
from xentcli.report.details import Details
from xentcli.report.document import (
    UNITS,
    Count,
    Document,
    Examples,
    Number,
    Position,
    Setting,
    Table,
    Version,
    bracketed,
    counted,
    plain,
)
from xentcli.report.parts import (
    Bytes,
    ClassSlice,
    Clip,
    GroupSlice,
    InfiniteRows,
    Input,
    Interval,
    Labels,
    ReferenceForecast,
    RowSum,
    Unmatched,
    WorstExample,
    ends_of,
)
from xentcli.scoring.kinds import KINDS
from xentcli.scoring.metrics import METRICS, Metric, find, wanted

__all__ = ["Report"]


def _usual() -> list[str]:
    """The names of the metrics that every report has."""
    return [metric.name for metric in wanted()]


_METRICS_BEFORE = {
    "unit": ("cost",),
    "examples": ("total", "weight_sum"),
    "interval": ("standard_error",),
    "infinite": ("perplexity", "prior", "skill", "nce", "accuracy", "brier", "target_entropy", "kl"),
    "bytes": ("bits_per_byte",),
}
"""Where the metrics of version 1 stand among the other names in JSON; further metrics stand at the end."""


@record(frozen=True)
class Report(Derived, Document):
    """The score of one set of predictions; all losses are in `unit`.

    Every metric is an attribute too: ``report.accuracy`` is ``report.metrics["accuracy"]``.

    Attributes
    ----------
    metrics
        the value of each metric by its name in METRICS, or top-k; None where it is undefined
    examples
        read = scored + ignored + zero_weight + unmatched + missing
    classes
        class names in the order of the prediction columns; empty for kinds without labels
    labels
        how the labels were matched to the classes
    infinite
        rows that assign probability 0 to the true class
    bytes
        the bytes that bits_per_byte is divided by; None without --bytes
    reference
        with --reference, the forecast
    by_class
        with --by-class, in the order of the classes
    by
        with --by, group by group
    worst
        with --worst, the largest loss first
    labels_unused
        labels without a prediction, which --subset leaves out
    unmatched
        what --subset left out, with the first ids of each side; None where nothing was
    clusters
        how many, with --cluster
    compat
        the tool of --compat, and what was done for it
    shown
        the metrics of --metrics, in that order
    undefined
        why a figure is None
    options
        what was set, and by whom
    details
        what drawings and pages show beside the figures; absent where nothing asks for them
    """

    NAME: ClassVar = "report"
    OMITTED: ClassVar = frozenset({"metrics", "shown"})
    OPTIONAL: ClassVar = frozenset({"details"})

    metrics: Mapping[str, Number | None]
    unit: Annotated[str, Keywords(enum=[*UNITS.values()])]
    examples: Examples
    kind: Annotated[str, Keywords(enum=[*KINDS])]
    classes: tuple[str, ...]
    labels: Labels
    interval: Interval | None
    infinite: InfiniteRows
    clip: Clip | None
    row_sum: RowSum
    inputs: Annotated[tuple[Input, ...], Keywords(minItems=1)]
    xent_version: str
    alignment: Annotated[str, Keywords(enum=["position", "id"])]
    bytes: Bytes | None
    reference: ReferenceForecast | None
    by_class: tuple[ClassSlice, ...]
    by: tuple[GroupSlice, ...]
    worst: tuple[WorstExample, ...]
    labels_unused: Count
    unmatched: Unmatched | None
    clusters: Position | None
    compat: str | None
    shown: tuple[str, ...]
    undefined: dict[str, str]
    options: dict[str, Setting]
    warnings: tuple[Warning, ...]
    details: Details | None
    schema_version: Version

    if TYPE_CHECKING:

        @property
        def cost(self) -> float:
            """The cost, which every report has; other metrics may be undefined."""

    def __getattr__(self, name: str) -> Any:
        """Return a metric by its JSON name; None where it is undefined or was not computed."""
        fields: Any = type(self)
        if name not in fields.__record__ and self.__dict__ and (name in METRICS or name in self.metrics):
            return self.value(name)
        return super().__getattr__(name)

    def __dir__(self) -> list[str]:
        """Return the fields and the metrics too."""
        return sorted({*super().__dir__(), *self.metrics})

    def value(self, metric: str) -> float | None:
        """Return a metric by its JSON name; None where it is undefined or was not computed."""
        source = self._derived_from
        if source is None or "metrics" in self.__dict__:
            return self.metrics.get(metric)
        # All metrics take ten times as long as the cost.
        found: float | None = source.value(metric)
        return found

    def figures(self) -> list[tuple[Metric, float | None]]:
        """Return the metrics that were chosen, else all there are, each with its value."""
        return [(find(name), self.value(name)) for name in self.shown or dict.fromkeys((*_usual(), *self.metrics))]

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts, numbers and strings; infinities and NaN are strings."""
        metrics = {**dict.fromkeys(_usual()), **plain(dict(self.metrics))}
        result: dict[str, Any] = {}
        for name, value in super().to_dict().items():
            result |= {metric: metrics.pop(metric) for metric in _METRICS_BEFORE.get(name, ()) if metric in metrics}
            result[name] = value
        return result | metrics

    def __getitem__(self, name: str) -> Any:
        """Return a metric by its name or a synonym, or a value by its path in JSON, as --get takes them.

        ``report["log_loss"]``, ``report["interval.low"]``; None where it is undefined.

        Raises
        ------
        UsageError
            For what no report has, and, as a KeyError too, for a metric that was not computed: the inputs are not
            read again for it, since they may have changed.
        """
        if not isinstance(name, str):
            raise UsageError(f"a metric is named by text, not {shown(name)}", advice='report["cost"]')
        path = name.split(".")
        if path[0] not in METRICS and path[0] in type(self).__record__:  # type: ignore[attr-defined]
            return super().__getitem__(name)
        metric = find(name)
        if metric.name in self.metrics:
            return self.metrics[metric.name]
        if metric.usual:
            return None
        return self._implied(metric)

    def _implied(self, metric: Metric) -> float | None:
        """Return what other figures say to the last bit: a top-k accuracy, the error, half the Brier score."""
        k = metric.argument
        if metric.labelled and not KINDS[self.kind].labelled:
            raise UsageError(f"--kind {self.kind} has no {metric.name}: there are no labels")
        if k is not None and self.labels.matched == "multilabel":
            raise UsageError(f"--multilabel has no {metric.name}: each column has two classes")
        if k is not None and self.accuracy is not None and (k == 1 or k >= len(self.classes)):
            return self.accuracy if k == 1 else 1.0
        if metric.name == "brier_halved" and self.brier is not None:
            return float(self.brier) / 2
        unweighted = self.weight_sum == self.examples.scored and self.labels.matched != "multilabel"
        if metric.name == "error" and self.accuracy is not None and unweighted:
            rows = self.examples.scored
            return (rows - round(float(self.accuracy) * rows)) / rows
        if metric.of_reference:
            raise NotComputedError(
                f"{metric.name} was not computed",
                advice="score(..., reference=...) takes the probabilities of a forecast to compare with",
            )
        raise NotComputedError(
            f"{metric.name} was not computed",
            advice=f'score(..., metrics_needed=["{metric.name}"]) computes it, metrics="{metric.name}" shows it too',
        )

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the metrics that were computed."""
        return iter(self.metrics)

    def keys(self) -> KeysView[str]:
        """Return the names of the metrics that were computed: ``dict(report)`` has them all."""
        return self.metrics.keys()

    def in_brief(self) -> str:
        """Return the cost, and how many rows, classes and warnings there are."""
        cost = f"cost {self.metrics['cost']:.6g} {self.unit}, {counted(self.examples.scored, 'row')}"
        classes = f", {len(self.classes)} classes" if self.classes else ""
        warnings = f", {counted(len(self.warnings), 'warning')}" if self.warnings else ""
        return f"{cost}{classes}{warnings}"

    def tables(self) -> tuple[Table, ...]:
        """Return the groups where there are slices, the metrics, and the worst rows where they were asked for."""
        sliced = [_slices(self)] if self.by or self.by_class else []
        worst = [_worst(self)] if self.worst else []
        return (*sliced, self._figures_table(), *worst)

    def _figures_table(self) -> Table:
        """The metrics, and unless they were chosen the ends of the interval below the standard error."""
        table = self._metrics_table()
        if self.interval is None or self.shown:
            return table
        place = [row[0] for row in table.rows].index("standard_error") + 1
        ends = (("low", self.interval.low, self.unit), ("high", self.interval.high, self.unit))
        return replace(table, rows=(*table.rows[:place], *ends, *table.rows[place:]))

    def _metrics_table(self, *, undefined: bool = False) -> Table:
        """A row for each metric that is defined or was chosen; with `undefined` for each."""
        rows = [
            (metric.name, value, self.unit if metric.unit == "loss" else "")
            for metric, value in self.figures()
            if value is not None or self.shown or undefined
        ]
        sliced = self.by or self.by_class
        return Table("metrics", ("metric", "value", "unit"), tuple(rows), asked=bool(self.shown and not sliced))

    def _main_table(self) -> Table:
        """A row for each metric, with the interval of the cost; by_class adds cost and accuracy of each class."""
        table = self._metrics_table(undefined=True)
        rows: list[tuple[Any, ...]] = [
            (*row, *ends_of(self.interval if row[0] == "cost" else None)) for row in table.rows
        ]
        columns: tuple[str, ...] = ("metric", "value", "unit", "low", "high")
        if self.by_class:
            columns, rows = (*columns, "class"), [(*row, None) for row in rows]
        for part in self.by_class:
            rows.append(("cost", part.cost, self.unit, None, None, part.name))
            rows.append(("accuracy", part.accuracy, "", None, None, part.name))
        return Table("metrics", columns, tuple(rows))


_FIGURES = ("examples", "cost", "unit", "standard_error", "low", "high", "share", "accuracy")
_OF_EXAMPLE = ("row", "id", "label", "predicted", "probability", "predicted_probability", "loss", "unit")


def _slices(report: Report) -> Table:
    """A row for each group of --by, then for each class, with the metrics of --metrics."""
    by = list(dict.fromkeys(column for part in report.by for column in part.group))
    classes = ["class"] if report.by_class else []
    more = [name for name in report.shown if name not in _FIGURES]
    mass = ["mass"] if any(part.mass is not None for part in report.by_class) else []
    rows: list[tuple[Any, ...]] = []
    for group in report.by:
        names = [*(group.group.get(column) for column in by), *(None for _ in classes)]
        spread = (group.standard_error, *ends_of(group.interval))
        figures = (group.examples, group.cost, report.unit, *spread, group.share, group.metrics.get("accuracy"))
        rows.append((*names, *figures, *(group.metrics[name] for name in more), *(None for _ in mass)))
    for part in report.by_class:
        names = [*(None for _ in by), part.name]
        figures = (part.examples, part.cost, report.unit, None, None, None, part.share, part.accuracy)
        rows.append((*names, *figures, *(part.metrics[name] for name in more), *(part.mass for _ in mass)))
    columns = (*_FIGURES, *more, *mass)
    return Table("groups", (*bracketed(by, ("class", *columns)), *classes, *columns), tuple(rows), asked=True)


def _worst(report: Report) -> Table:
    shown = list(report.worst[0].shown)
    ranked = report.worst[0].kl is not None
    names = (*_OF_EXAMPLE, *(["kl"] if ranked else []))
    rows = [
        (
            *(row.row, row.id_text, row.label, row.predicted, row.probability, row.predicted_probability),
            *(row.loss, report.unit, *([row.kl] if ranked else []), *(row.shown[name] for name in shown)),
        )
        for row in report.worst
    ]
    return Table("worst rows", (*names, *bracketed(shown, names)), tuple(rows), asked=True)
