"""The parts of a Report: its inputs, labels, intervals, slices and worst rows."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, ClassVar

from xentcli.records import Keywords, record
from xentcli.report.document import Count, Finite, InputFile, Number, Position

__all__ = [
    "Bin",
    "Bytes",
    "ClassSlice",
    "Clip",
    "GroupSlice",
    "InfiniteRows",
    "Input",
    "Interval",
    "Labels",
    "ReferenceForecast",
    "RowSum",
    "Unmatched",
    "WorstExample",
    "ends_of",
]

_MATCHED = ["name", "prefix", "index", "distribution", "binary", "multilabel", "none"]


@record(frozen=True)
class Input(InputFile):
    """A file that was read whole: its rows were counted."""

    rows: Count


@record(frozen=True)
class Labels:
    """How the labels were matched to the classes.

    Attributes
    ----------
    counts
        rows of each class; None where targets are soft
    note
        how they were matched, in words
    path
        the file of the labels
    """

    matched: Annotated[str, Keywords(enum=_MATCHED)]
    columns: tuple[str, ...]
    counts: tuple[Count, ...] | None
    note: str = ""
    path: str = ""


@record(frozen=True)
class Unmatched:
    """Rows whose id the other file does not have (--subset).

    Attributes
    ----------
    predictions, labels
        how many rows of the predictions and of the other file
    prediction_ids, label_ids
        the first of them
    """

    predictions: Count
    labels: Count
    prediction_ids: tuple[str, ...]
    label_ids: tuple[str, ...]


@record(frozen=True)
class Interval:
    """A confidence interval of the cost.

    Attributes
    ----------
    low
        at least 0, unless the cost is negative by probabilities above 1 within the tolerance
    note
        how many rows or clusters there are, where fewer than 10 make the interval unreliable; else empty
    """

    level: Annotated[float, Keywords(type="number", exclusiveMinimum=0, exclusiveMaximum=1)]
    low: Number
    high: Number
    note: str = ""


def ends_of(interval: Interval | None) -> tuple[float | None, float | None]:
    """Return both ends of an interval; None for each where it is undefined."""
    return (None, None) if interval is None else (interval.low, interval.high)


@record(frozen=True)
class Bin:
    """The rows whose confidence is above `low` and at most `high`.

    Attributes
    ----------
    confidence
        mean probability of the predicted class
    accuracy
        share of rows whose label is predicted
    interval
        of the accuracy, by Wilson's formula; None where rows are weighted or not independent
    """

    low: Number
    high: Number
    rows: Count
    confidence: Number
    accuracy: Number
    interval: Interval | None


@record(frozen=True)
class Bytes:
    """The bytes of --bytes, by which the bits are divided.

    Attributes
    ----------
    column
        the column of --bytes; None where a number was given
    weighted
        whether the bytes of each row were multiplied by its weight, as its loss is; a number never is
    """

    total: Number
    column: str | None
    weighted: bool


@record(frozen=True)
class ReferenceForecast:
    """The forecast of --reference, whose cost is `reference_cost`.

    Attributes
    ----------
    columns
        its columns; of constant shares the classes
    path
        the file that has them; None for shares
    note
        how they were matched to the classes, in words
    shares
        the probability of each class in all rows; None for columns
    """

    columns: tuple[str, ...]
    path: str | None
    note: str
    shares: tuple[Finite, ...] | None = None


@record(frozen=True)
class InfiniteRows:
    """Rows that assign probability 0 to the true class.

    Attributes
    ----------
    rows
        the first of them
    cost_of_the_rest
        the cost without them; None where nothing is left
    """

    count: Count
    rows: Annotated[tuple[Position, ...], Keywords(maxItems=10)]
    cost_of_the_rest: Number | None


@record(frozen=True)
class Clip:
    """What --clip changed."""

    eps: Annotated[float, Keywords(type="number", exclusiveMinimum=0)]
    count: Count
    share: Number | None
    cost_without: Number


@record(frozen=True)
class RowSum:
    """How far row sums are from 1.

    Attributes
    ----------
    largest_deviation
        None where rows have no sum
    """

    largest_deviation: Annotated[float, Keywords(type="number", minimum=0)] | None


@record(frozen=True)
class ClassSlice:
    """The rows of one true class, or of soft targets the terms -ln q of the class.

    Attributes
    ----------
    examples
        rows with a target on it
    share
        of the cost; None where that is 0 or infinite
    mass
        the sum of its soft targets, weighted: its cost is the mean over this; None where labels are hard
    metrics
        those of --metrics
    """

    JSON_NAMES: ClassVar = {"name": "class"}

    name: str
    examples: Count
    cost: Number
    share: Finite | None
    accuracy: Number | None
    mass: Number | None = None
    metrics: dict[str, Number | None] = field(default_factory=dict)


@record(frozen=True)
class GroupSlice:
    """The rows of one group, which has a value for each column.

    Attributes
    ----------
    share
        of the cost; None where that is 0 or infinite
    metrics
        those of --metrics
    """

    group: dict[str, str]
    examples: Count
    cost: Number
    standard_error: Number | None
    interval: Interval | None
    share: Finite | None
    metrics: dict[str, Number | None] = field(default_factory=dict)
    undefined: dict[str, str] = field(default_factory=dict)


@record(frozen=True)
class WorstExample:
    """A row of large loss; in Python the id is a value of the index of data in memory, in JSON its text (`id_text`).

    Attributes
    ----------
    probability
        of the label
    predicted_probability
        of the predicted class
    shown
        the columns of --show
    kl
        the KL divergence of the prediction from the target, with --worst-by kl
    """

    OMITTED: ClassVar = frozenset({"id_text"})
    TEXTS: ClassVar = {"id": "id_text"}

    row: Position
    id: Annotated[Any, Keywords(anyOf=[{"type": "string"}, {"type": "null"}])]
    label: str | None
    predicted: str | None
    probability: Number | None
    loss: Number
    predicted_probability: Number | None = None
    shown: dict[str, str] = field(default_factory=dict)
    kl: Number | None = None
    id_text: str | None = None
