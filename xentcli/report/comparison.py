"""The document of `xent compare`."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, ClassVar

from xentcli.errors import Warning, shown
from xentcli.records import Keywords, record, replace
from xentcli.report.details import ComparisonDetails
from xentcli.report.document import (
    SCHEMA_VERSION,
    UNITS,
    Count,
    Document,
    Examples,
    Finite,
    Number,
    Position,
    Setting,
    Table,
    Version,
    counted,
    records_table,
)
from xentcli.report.parts import Input, Interval, Labels, ends_of
from xentcli.scoring.kinds import KINDS
from xentcli.version import __version__

__all__ = ["Best", "ClassChange", "Comparison", "Divergence", "GroupChange", "Model", "Pair", "Refused", "RowChange"]

VERDICTS = ["better", "worse", "no difference"]


@record(frozen=True)
class Model:
    """One model; losses in the unit of the comparison, over the rows that all models have.

    Attributes
    ----------
    cost
        None without labels
    temperature
        that minimises the cost on these rows; None without a fit
    calibrated_cost
        the cost at that temperature
    rows
        how many rows the model has a loss for; the comparison is on those that all have
    figures
        further metrics, asked for by name
    """

    name: str
    path: str
    rows: Count
    cost: Number | None
    brier: Number | None = None
    accuracy: Number | None = None
    temperature: Number | None = None
    calibrated_cost: Number | None = None
    figures: dict[str, Number | None] = field(default_factory=dict)

    def value(self, metric: str) -> float | None:
        """Return a metric by name; None where it is undefined."""
        found: float | None = self.figures[metric] if metric in self.figures else getattr(self, metric)
        return found


@record(frozen=True)
class Pair:
    """A model against the reference in one metric: change = figure(model) - figure(reference).

    Attributes
    ----------
    change
        the mean of the differences of the rows; None where both are infinite in a row, or infinite
        differences have both signs
    p_value
        two-sided, of Student's t
    p_adjusted
        by Holm's method over the models that are compared with the reference
    verdict
        of two files whether the interval leaves out 0, of more whether p_adjusted is small enough
    detectable
        the change that would be seen in 8 samples of 10 like this one
    wins, losses, ties
        rows where the model is better, worse, equal to the bit
    infinite
        rows that are infinite in both
    largest_share
        the largest part of the variance of the differences that one row makes, of the cost only
    largest_row
        that row
    """

    reference: str
    model: str
    metric: str
    change: Number | None
    standard_error: Number | None
    interval: Interval | None
    p_value: Finite | None
    p_adjusted: Finite | None
    verdict: Annotated[str, Keywords(enum=VERDICTS)]
    detectable: Number | None
    wins: Count
    losses: Count
    ties: Count
    infinite: Count = 0
    largest_share: Finite | None = None
    largest_row: Position | None = None


@record(frozen=True)
class ClassChange:
    """The change of cost on the rows of one true class.

    Attributes
    ----------
    share
        of the whole change; None where that is 0 or infinite
    metrics
        of each of --metrics the figure of the reference and of the model, the change, and its standard error
    """

    JSON_NAMES: ClassVar = {"name": "class"}

    model: str
    name: str
    examples: Count
    reference_cost: Number
    cost: Number
    change: Number | None
    standard_error: Number | None
    share: Finite | None
    metrics: dict[str, Number | None] = field(default_factory=dict)
    undefined: dict[str, str] = field(default_factory=dict)


@record(frozen=True)
class GroupChange:
    """The change of cost on the rows of one group of --by.

    Attributes
    ----------
    share
        of the whole change; None where that is 0 or infinite
    metrics
        of each of --metrics the figure of the reference and of the model, the change, and its standard error
    """

    model: str
    group: dict[str, str]
    examples: Count
    reference_cost: Number
    cost: Number
    change: Number | None
    standard_error: Number | None
    share: Finite | None
    metrics: dict[str, Number | None] = field(default_factory=dict)
    undefined: dict[str, str] = field(default_factory=dict)


@record(frozen=True)
class RowChange:
    """A row whose loss changed much.

    Attributes
    ----------
    share
        of the whole change
    """

    model: str
    row: Position
    id: str | None
    label: str | None
    reference_loss: Number
    loss: Number
    change: Number | None
    share: Finite | None


@record(frozen=True)
class DivergentRows:
    """Rows in which one model gives probability 0 to a class, and the other does not.

    Attributes
    ----------
    rows
        the first of them
    """

    count: Count
    rows: Annotated[tuple[Position, ...], Keywords(maxItems=10)]


@record(frozen=True)
class Divergence:
    """How far a model is from the reference, without labels.

    Attributes
    ----------
    forward, backward
        the mean of KL(reference || model), and of KL(model || reference), in unit
    same_top
        the share of rows with the same class of the largest prediction
    """

    reference: str
    model: str
    forward: Number
    backward: Number
    forward_interval: Interval | None
    backward_interval: Interval | None
    same_top: Finite
    infinite: DivergentRows


@record(frozen=True)
class Best:
    """The model of the smallest cost, and those that cannot be told from it.

    Attributes
    ----------
    ties
        models whose cost is not significantly larger than the best, by Holm's method over all pairs
    pairs
        how many pairs there are
    """

    name: str
    ties: tuple[str, ...]
    pairs: Count


@record(frozen=True)
class Refused:
    """A file that could not be scored, and why."""

    name: str
    path: str
    reason: str
    exit_code: Count


@record(frozen=True)
class Comparison(Document):
    """Several models on the same rows, the first of which is the reference.

    Attributes
    ----------
    models
        in the order given, the reference first
    pairs
        each model against the reference, metric by metric
    unit
        of the losses
    examples
        rows of the reference; scored are those that all models have
    clusters
        how many, with --cluster
    by_class
        with --by-class
    by
        with --by
    worst
        with --worst, the largest changes first
    kl
        without labels, each model and the reference
    best
        of three models and more, up to 20
    refused
        files that could not be scored, where there are three or more
    notes
        what is worth knowing, and nothing to worry about
    options
        what was set, and by whom
    details
        what drawings and pages show beside the figures; absent where nothing asks for them
    inputs
        every file that was read, those of the models first
    matching
        how the labels were matched to the classes of the reference; None without labels
    """

    NAME: ClassVar = "comparison"
    OPTIONAL: ClassVar = frozenset({"details"})

    models: Annotated[tuple[Model, ...], Keywords(minItems=1)]
    pairs: tuple[Pair, ...]
    unit: Annotated[str, Keywords(enum=[*UNITS.values()])]
    kind: Annotated[str, Keywords(enum=[*KINDS])]
    classes: tuple[str, ...]
    labels: str
    examples: Examples
    xent_version: str = __version__
    alignment: Annotated[str, Keywords(enum=["position", "id"])] = "position"
    clusters: Position | None = None
    by_class: tuple[ClassChange, ...] = ()
    by: tuple[GroupChange, ...] = ()
    worst: tuple[RowChange, ...] = ()
    kl: tuple[Divergence, ...] = ()
    best: Best | None = None
    refused: tuple[Refused, ...] = ()
    notes: tuple[str, ...] = ()
    options: dict[str, Setting] = field(default_factory=dict)
    warnings: tuple[Warning, ...] = ()
    details: ComparisonDetails | None = None
    inputs: tuple[Input, ...] = ()
    matching: Labels | None = None
    schema_version: Version = SCHEMA_VERSION

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that are compared, in order."""
        return tuple(dict.fromkeys(pair.metric for pair in self.pairs))

    def pair(self, model: str, metric: str) -> Pair | None:
        """Return a model against the reference in a metric; None for the reference itself."""
        return next((pair for pair in self.pairs if (pair.model, pair.metric) == (model, metric)), None)

    def in_brief(self) -> str:
        """Return how many models and rows there are, and each verdict on the cost, or the best of many models."""
        verdicts = [f"{shown(pair.model)} is {pair.verdict}" for pair in self.pairs if pair.metric == "cost"]
        if self.best is not None or len(verdicts) > 1:
            verdicts = [] if self.best is None else [f"best {shown(self.best.name)}"]
        return ", ".join([counted(len(self.models), "model"), counted(self.examples.scored, "row"), *verdicts])

    def tables(self) -> tuple[Table, ...]:
        """Return the pairs, the models, and the tables of classes, groups and rows that were asked for."""
        if self.kl:
            return (records_table("divergences", self.kl, self.unit),)
        slices = [("classes", self.by_class), ("groups", self.by), ("rows", self.worst)]
        # The table of models includes the costs of groups.
        more = [
            replace(records_table(title, rows, self.unit), asked=title != "groups") for title, rows in slices if rows
        ]
        refused = [
            Table("refused", ("name", "path", "reason"), tuple((r.name, r.path, r.reason) for r in self.refused))
        ]
        return (self._leaderboard(), self._pairs(), *more, *(refused if self.refused else []))

    def _leaderboard(self) -> Table:
        """A row for each model, and for each that was refused."""
        metrics, groups = self.metrics, self._group_costs()
        rows: list[tuple[Any, ...]] = []
        for model in self.models:
            cells: list[Any] = []
            for metric in metrics:
                cells += [model.value(metric), *_tested(self.pair(model.name, metric))]
            cells += [costs.get(model.name) for costs in groups.values()]
            rows.append((model.name, model.rows, *cells, model.temperature, self.unit, None))
        names = [name for m in metrics for name in (m, *(f"{m}_{figure}" for figure in _TESTED))]
        names += groups
        blank = (None,) * (len(names) + 3)
        rows += [(refused.name, *blank, refused.reason) for refused in self.refused]
        return Table("models", ("model", "rows", *names, "temperature", "unit", "refused"), tuple(rows), asked=True)

    def _group_costs(self) -> dict[str, dict[str, float]]:
        """The costs, and metrics, of the models on each group of --by, by the title of a column."""
        found: dict[str, dict[str, float]] = {}
        for one in self.by:
            title = ", ".join(f"{column}={value}" for column, value in one.group.items())
            costs = found.setdefault(f"cost[{title}]", {self.models[0].name: one.reference_cost})
            costs[one.model] = one.cost
            for metric in (name for name in self.metrics if name in one.metrics):
                figures = found.setdefault(f"{metric}[{title}]", {})
                for model, name in ((self.models[0].name, f"reference_{metric}"), (one.model, metric)):
                    if (value := one.metrics[name]) is not None:
                        figures[model] = value
        return found

    def _pairs(self) -> Table:
        names = ("model", "metric", "reference_value", "value", "change", "standard_error", "low", "high")
        rows, models = [], {model.name: model for model in self.models}
        for p in self.pairs:
            values = (models[p.reference].value(p.metric), models[p.model].value(p.metric))
            tested = (p.change, p.standard_error, *ends_of(p.interval), p.p_value, p.p_adjusted, p.verdict)
            rows.append((p.model, p.metric, *values, *tested, p.detectable, p.wins, p.losses, p.ties))
        more = ("p_value", "p_adjusted", "verdict", "detectable", "wins", "losses", "ties")
        return Table("pairs", (*names, *more), tuple(rows))


_TESTED = ("change", "change_low", "change_high", "p_adjusted", "verdict")
"""What the table of models has of a change, each behind the name of the metric."""


def _tested(pair: Pair | None) -> tuple[Any, ...]:
    """The figures of a change; None for each for the reference, which has no change."""
    if pair is None:
        return (None,) * len(_TESTED)
    return pair.change, *ends_of(pair.interval), pair.p_adjusted, pair.verdict
