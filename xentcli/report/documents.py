"""Reports: results as plain values, with the names that JSON has.

A report knows no screen and no file, and holds all that a writer needs, so that a
writer computes nothing. ``to_dict`` gives what the JSON Schema ``schema.json``
beside this file describes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from xentcli.errors import Warning
from xentcli.records import fields_of, record
from xentcli.scoring.metrics import METRICS, Metric, find

if TYPE_CHECKING:
    import pandas

__all__ = [
    "SCHEMA_VERSION",
    "Bytes",
    "Check",
    "CheckReport",
    "ClassSlice",
    "ClassTerm",
    "Clip",
    "Examples",
    "Explanation",
    "GroupSlice",
    "InfiniteRows",
    "Input",
    "Interval",
    "Labels",
    "Report",
    "RowSum",
    "Setting",
    "WorstExample",
    "plain",
]

SCHEMA_VERSION = 1
UNITS = {"e": "nats", "2": "bits", "10": "bans"}


@record(frozen=True)
class Examples:
    """How many rows were read, and what became of them: read = scored + ignored + zero_weight."""

    read: int
    scored: int
    ignored: int
    zero_weight: int


@record(frozen=True)
class Labels:
    """How the labels were matched to the classes.

    matched is "name", "prefix", "index", "distribution", "binary", "multilabel" or "none"; note says
    the same in words; counts has the rows of each class, None where targets are soft.
    """

    matched: str
    columns: tuple[str, ...]
    counts: tuple[int, ...] | None
    note: str = ""
    path: str = ""


@record(frozen=True)
class Interval:
    """A confidence interval of the cost; note says from how many rows or clusters, where these are fewer than 10."""

    level: float
    low: float
    high: float
    note: str = ""


@record(frozen=True)
class Bytes:
    """What --bytes gave: the bytes that bits per byte are divided by.

    column is None where a number was given, which is taken as it is; weighted says that the
    bytes of each row were multiplied by its weight, as its loss is.
    """

    total: float
    column: str | None
    weighted: bool


@record(frozen=True)
class InfiniteRows:
    """Rows that gave the truth no chance: how many, the first of them, and the cost without them."""

    count: int
    rows: tuple[int, ...]
    cost_of_the_rest: float | None


@record(frozen=True)
class Clip:
    """What --clip changed."""

    eps: float
    count: int
    share: float | None
    cost_without: float


@record(frozen=True)
class RowSum:
    """How far the row sums were from 1 at most; None where rows have no sum."""

    largest_deviation: float | None


@record(frozen=True)
class Input:
    """A file that was read, and what was taken for granted about it; rows is None where they were not counted.

    files is how many there are where path is a folder or a glob.
    """

    path: str
    format: str
    rows: int | None
    sha256: str | None = None
    header: bool | None = None
    unused: tuple[str, ...] = ()
    files: int = 1


@record(frozen=True)
class ClassSlice:
    """The rows of one true class: their cost, and their share of the whole."""

    name: str
    examples: int
    cost: float
    share: float | None
    accuracy: float | None


@record(frozen=True)
class GroupSlice:
    """The rows of one group, a value for each column: their cost, and their share of the whole."""

    group: dict[str, str]
    examples: int
    cost: float
    standard_error: float | None
    interval: Interval | None
    share: float | None


@record(frozen=True)
class WorstExample:
    """A row of large loss. probability is that of the label; shown has the columns of --show."""

    row: int
    id: str | None
    label: str | None
    predicted: str | None
    probability: float | None
    loss: float
    predicted_probability: float | None = None
    shown: dict[str, str] = field(default_factory=dict)


@record(frozen=True)
class Setting:
    """An option that was set, and by whom."""

    value: Any
    by: str = "flag"


@record(frozen=True)
class _Document:
    """What all results have in common."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts, numbers and strings; infinities and NaN are strings."""
        result: dict[str, Any] = plain(self)
        return result


_METRICS_BEFORE = {
    "unit": ("cost",),
    "examples": ("total", "weight_sum"),
    "interval": ("standard_error",),
    "infinite": ("perplexity", "prior", "skill", "nce", "accuracy", "brier", "target_entropy", "kl"),
    "bytes": ("bits_per_byte",),
}
"""Where the metrics of version 1 stand among the other names in JSON; further metrics stand at the end."""


@record(frozen=True)
class Report(_Document):
    """The score of one set of predictions. All losses are in `unit`.

    Every metric is an attribute too: ``report.accuracy`` is ``report.metrics["accuracy"]``.
    """

    metrics: Mapping[str, float | None]
    unit: str
    examples: Examples
    kind: str
    classes: tuple[str, ...]
    labels: Labels
    interval: Interval | None
    infinite: InfiniteRows
    clip: Clip | None
    row_sum: RowSum
    inputs: tuple[Input, ...]
    xent_version: str
    alignment: str = "position"
    bytes: Bytes | None = None
    by_class: tuple[ClassSlice, ...] = ()
    by: tuple[GroupSlice, ...] = ()
    worst: tuple[WorstExample, ...] = ()
    labels_unused: int = 0
    clusters: int | None = None
    compat: str | None = None
    shown: tuple[str, ...] = ()
    undefined: dict[str, str] = field(default_factory=dict)
    options: dict[str, Setting] = field(default_factory=dict)
    warnings: tuple[Warning, ...] = ()
    schema_version: int = SCHEMA_VERSION

    def __getattr__(self, name: str) -> Any:
        """Return a metric by its JSON name; None where it is undefined or was not computed."""
        metrics = self.__dict__.get("metrics", {})
        if name not in metrics and name not in METRICS:
            raise AttributeError(f"a Report has no attribute {name!r}")
        return metrics.get(name)

    def value(self, metric: str) -> float | None:
        """Return a metric by its JSON name; None where it is undefined or was not computed."""
        return self.metrics.get(metric)

    def figures(self) -> list[tuple[Metric, float | None]]:
        """Return the metrics that were chosen, else all there are, each with its value."""
        return [(find(name), self.value(name)) for name in self.shown or dict.fromkeys((*METRICS, *self.metrics))]

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts, numbers and strings; infinities and NaN are strings."""
        fields = super().to_dict()
        for row in fields["by_class"]:
            row["class"] = row.pop("name")
        del fields["shown"]
        metrics = {**dict.fromkeys(METRICS), **fields.pop("metrics")}
        result: dict[str, Any] = {}
        for name, value in fields.items():
            result |= {metric: metrics.pop(metric) for metric in _METRICS_BEFORE.get(name, ()) if metric in metrics}
            result[name] = value
        return result | metrics

    def to_frame(self) -> pandas.DataFrame:
        """Return a pandas DataFrame with one row per metric: metric, value, unit."""
        import pandas as pd

        rows = [
            {"metric": metric.name, "value": value, "unit": self.unit if metric.unit == "loss" else ""}
            for metric, value in self.figures()
        ]
        return pd.DataFrame(rows).astype({"value": "float64"}).set_index("metric")


@record(frozen=True)
class Check:
    """One limit, and whether it held. margin is how much was to spare, or minus by how much it failed."""

    name: str
    metric: str
    group: dict[str, str] | None
    value: float | None
    limit: float
    margin: float | None
    verdict: str
    bound: str


@record(frozen=True)
class CheckReport(_Document):
    """The verdict on a report: pass, fail or no_verdict."""

    report: Report
    verdict: str
    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> int:
        """What a process ends with: 0 for pass, 1 for fail, 5 for no verdict."""
        return {"pass": 0, "fail": 1}.get(self.verdict, 5)

    def to_dict(self) -> dict[str, Any]:
        """Return the names of the report, with verdict and checks beside them."""
        result = super().to_dict()
        return {**self.report.to_dict(), **{name: result[name] for name in result if name != "report"}}


@record(frozen=True)
class ClassTerm:
    """One class of one example: its target y, what the model said, and what it adds to the loss.

    score is the logit or log-probability of the file, None for probabilities;
    shifted and exponential are the softmax on the way, None unless logits were given;
    clipped is the q that --clip makes of it, None without.
    """

    name: str
    y: float
    q: float
    ln_q: float
    term: float
    score: float | None = None
    shifted: float | None = None
    exponential: float | None = None
    clipped: float | None = None


@record(frozen=True)
class Explanation(_Document):
    """One example, step by step; every loss is in nats, and loss_in_unit is the loss in the unit asked for."""

    kind: str
    terms: tuple[ClassTerm, ...]
    loss: float
    truth: str | None
    truth_index: int | None
    predicted: str
    perplexity: float
    uniform: float
    target_entropy: float | None
    largest: float | None
    logsumexp: float | None
    other_split: tuple[float, ...] | None
    unit: str = "nats"
    loss_in_unit: float | None = None
    clip: float | None = None
    row: int | None = None
    id: str | None = None
    inputs: tuple[Input, ...] = ()
    xent_version: str = ""
    schema_version: int = SCHEMA_VERSION
    warnings: tuple[Warning, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts, numbers and strings; warnings go to stderr alone."""
        result = super().to_dict()
        del result["warnings"]
        return result


@record(frozen=True)
class Cause:
    """Something that makes a cost high.

    code says what it is: a code of a warning, or "zeros", "class", "group", "worst"; share
    is its part of the cost, examples the rows it is about, cost their cost, all None where
    they are not known; more is the option that shows or mends it.
    """

    code: str
    name: str
    share: float | None
    examples: int | None
    cost: float | None
    message: str
    more: str


@record(frozen=True)
class Causes(_Document):
    """What makes a cost high, the largest share first. Costs are in `unit`."""

    cost: float
    unit: str
    examples: Examples
    prior: float | None
    causes: tuple[Cause, ...]
    inputs: tuple[Input, ...] = ()
    standard_error: float | None = None
    command: str = "xent score PREDS LABELS"
    xent_version: str = ""
    schema_version: int = SCHEMA_VERSION

    def more(self, cause: Cause) -> str:
        """Return the command that shows more of a cause; of what is wrong with the files as a whole the advice."""
        return cause.more if cause.examples is None else f"{self.command} {cause.more}"


def plain(value: Any) -> Any:
    """Return dicts for records, lists for tuples, and words for the numbers that JSON does not have."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    fields = dict(value) if isinstance(value, dict) else fields_of(value)
    # Most are plain already, and of groups there may be many; x - x is 0 of what is finite.
    for key, item in fields.items():
        if type(item) not in _PLAIN and not (type(item) is float and item - item == 0):
            fields[key] = plain(item)
    return fields


_PLAIN = frozenset((type(None), str, int, bool))
