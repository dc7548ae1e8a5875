"""METRICS: every figure that can be shown, asked for or checked against a limit.

No NumPy is needed for help texts and choices: a row that is a mean over examples names
its function (`per_example`, in measures.py), which is found on use; the other rows are
derived from totals (`derive`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, Protocol

from xentcli.errors import UsageError, shown
from xentcli.records import Derived, record

if TYPE_CHECKING:
    from xentcli.arrays import Floats

__all__ = ["METRICS", "Metric", "Totals", "find", "slice_means", "top", "wanted", "with_those_beside"]


class Sum(Protocol):
    """An exact sum, which may be beyond the doubles."""

    def over(self, *divisors: Any) -> float:
        """Return the double nearest to the sum over the product of exact sums or numbers."""
        ...


@record(frozen=True)
class Totals(Derived):
    """The totals that metrics are derived from, each when a metric needs it; losses in nats, None if undefined.

    Attributes
    ----------
    cost, standard_error
        The mean loss and its standard error.
    total, weight_sum
        Sum of weight x loss, exact, and sum of the weights.
    prior
        The cost of always predicting the class frequencies.
    target_entropy
        The mean entropy of soft targets.
    bytes
        The bytes of --bytes, exact; None if they sum to 0.
    reference
        The cost of the forecast of --reference.
    ece, ece_floor, ece_floor_95
        The expected calibration error; the mean and the 95 % quantile of that of a calibrated model, by chance.
    """

    cost: float
    standard_error: float | None
    total: Sum
    weight_sum: float
    prior: float | None
    target_entropy: float | None
    bytes: Sum | None
    reference: float | None
    ece: float | None
    ece_floor: float | None
    ece_floor_95: float | None


def _perplexity(totals: Totals) -> float:
    try:
        return math.exp(totals.cost)
    except OverflowError:
        return math.inf


def _skill(totals: Totals) -> float | None:
    return 1 - totals.cost / totals.prior if totals.prior else None


def _reference_skill(totals: Totals) -> float | None:
    # Beside an infinite cost everything would have a skill of 1.
    return 1 - totals.cost / totals.reference if totals.reference and math.isfinite(totals.reference) else None


def _normalised_cost(totals: Totals) -> float | None:
    return totals.cost / totals.prior if totals.prior else None


def _bits_per_byte(totals: Totals) -> float | None:
    return None if totals.bytes is None else totals.total.over(math.log(2), totals.bytes)


def _divergence(totals: Totals) -> float | None:
    return None if totals.target_entropy is None else totals.cost - totals.target_entropy


@record(frozen=True)
class Metric:
    """One row of the table.

    Attributes
    ----------
    name
        The name in JSON and in Report.metrics.
    title
        The name in tables.
    about
        One line that explains it.
    better
        Which direction is better; "none" if neither.
    synonyms
        Other accepted names.
    per_example
        The function of Workings (or its name in measures.py) whose weighted mean is the metric.
    of_row
        The same for the value of a single row, if the metric is derived from other means.
    reduced
        Whether that function needs only reduced rows (``Reduced``), not the predictions; it is then computed for
        all rows of a task at once.
    derive
        The function that derives it from the Totals: a number or exact sum, losses in nats, None if undefined.
        Takes precedence over `per_example`.
    unit
        "loss" follows --base; "share" is at most 1; "number" is plain.
    labelled
        Whether it needs labels.
    hard
        Whether it is undefined for soft targets.
    soft
        Whether it is 0 for hard labels, and computed only if there are soft targets.
    usual
        Whether every score has it; else only on request, or if a limit needs it.
    width
        The largest possible difference between the values of two rows.
    argument
        An extra argument of its function: the k of a top-k accuracy.
    tally
        The extra tally it is derived from: "bins" of confidence, or a "fit", which reads the files again.
    of_shares
        Whether it is derived from the class frequencies.
    of_reference
        Whether it needs --reference.
    beside
        The metrics that are always shown along with it.
    always
        Whether it is always defined; other metrics can be None.
    description
        The formula in the JSON Schema; empty for `about`.
    """

    name: str
    title: str
    about: str
    better: Literal["lower", "higher", "none"] = "lower"
    synonyms: tuple[str, ...] = ()
    per_example: str | Callable[..., Floats] | None = None
    of_row: str = ""
    reduced: bool = False
    derive: Callable[[Totals], Any] | None = None
    unit: Literal["loss", "share", "number"] = "number"
    labelled: bool = True
    hard: bool = False
    soft: bool = False
    width: float = math.inf
    argument: int | None = None
    usual: bool = True
    tally: Literal["", "bins", "fit"] = ""
    of_shares: bool = False
    of_reference: bool = False
    beside: tuple[str, ...] = ()
    always: bool = False
    description: str = ""

    @property
    def has_rows(self) -> bool:
        """Whether each row has a value of it."""
        return bool(self.per_example or self.of_row)


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            "cost", "cross-entropy", "mean of -ln q of the true class",
            synonyms=("log_loss", "logloss", "nll", "cross_entropy"), unit="loss", labelled=False,
            derive=attrgetter("cost"), always=True, description="sum of weight x loss over sum of weights, in unit",
        ),
        Metric(
            "standard_error", "standard error", "of the cost", synonyms=("se",), unit="loss", labelled=False,
            derive=attrgetter("standard_error"),
            description="of the cost, assuming independent rows, or independent clusters with --cluster",
        ),
        Metric(
            "total", "total", "sum of weight x loss", unit="loss", labelled=False, derive=attrgetter("total"),
            always=True, description="sum of weight x loss, in unit",
        ),
        Metric(
            "weight_sum", "weight sum", "sum of the weights", better="none", labelled=False,
            derive=attrgetter("weight_sum"), always=True,
        ),
        Metric(
            "perplexity", "perplexity", "exp(cost in nats)", synonyms=("ppl",), labelled=False, derive=_perplexity,
            always=True,
        ),
        Metric(
            "prior", "prior", "cost of always predicting the class frequencies", better="none", unit="loss",
            derive=attrgetter("prior"), of_shares=True,
            description="cost of always predicting the class frequencies, in unit",
        ),
        Metric(
            "skill", "skill", "1 - cost / prior", better="higher", unit="share", derive=_skill,
            of_shares=True,
        ),
        Metric("nce", "normalised cost", "cost / prior", derive=_normalised_cost, of_shares=True),
        Metric(
            "accuracy", "accuracy", "share of rows whose label is predicted", better="higher", synonyms=("acc",),
            unit="share", per_example="correct", reduced=True, hard=True, width=1,
            description="ties go to the first class",
        ),
        Metric(
            "brier", "Brier", "sum over classes of (q - y)^2, from 0 to 2", synonyms=("brier_score",),
            per_example="brier", reduced=True, width=2, description="sum over classes of (q - y)^2",
        ),
        Metric(
            "target_entropy", "target entropy", "mean entropy of soft targets", better="none", synonyms=("entropy",),
            unit="loss",
            per_example="entropy", reduced=True, soft=True, derive=attrgetter("target_entropy"),
            description="mean entropy of soft targets, in unit",
        ),
        Metric(
            "bits_per_byte", "bits per byte", "cost in bits over --bytes", synonyms=("bpb",), labelled=False,
            derive=_bits_per_byte,
            description="total in bits over --bytes; null without it",
        ),
        Metric(
            "kl", "KL divergence", "cost - target entropy", synonyms=("kl_divergence",), unit="loss",
            of_row="divergence", reduced=True, derive=_divergence, description="cost - target_entropy",
        ),
        Metric(
            "prediction_entropy", "prediction entropy", "mean entropy of the predictions", better="none", unit="loss",
            per_example="prediction_entropy", usual=False, description="mean of -sum q ln q, in unit",
        ),
        Metric(
            "error", "error", "share of rows whose label is not predicted", synonyms=("error_rate", "err"),
            unit="share", per_example="wrong", reduced=True, hard=True, usual=False, width=1,
            description="1 - accuracy",
        ),
        Metric(
            "brier_halved", "halved Brier", "Brier / 2, from 0 to 1; (q - y)^2 of two classes",
            synonyms=("half_brier",), unit="share", per_example="half_brier", reduced=True, usual=False, width=1,
        ),
        Metric(
            "reference_cost", "reference cost", "cost of the forecast of --reference", better="none", unit="loss",
            per_example="reference_loss", reduced=True, of_reference=True, usual=False,
        ),
        Metric(
            "reference_skill", "reference skill", "1 - cost / reference cost", better="higher",
            synonyms=("skill_score",), derive=_reference_skill, of_reference=True, usual=False,
        ),
        Metric(
            "gap", "gap", "mean confidence - accuracy; above 0 is overconfident", better="none", unit="share",
            per_example="gap", hard=True, usual=False, width=2,
        ),
        Metric(
            "ece", "ECE, 15 bins", "mean distance of confidence and accuracy over bins of confidence", unit="share",
            derive=attrgetter("ece"), usual=False, tally="bins", beside=("ece_floor", "ece_floor_95"),
        ),
        Metric(
            "ece_floor", "ECE by chance", "what a calibrated model would show with these confidences", better="none",
            unit="share", derive=attrgetter("ece_floor"), usual=False, tally="bins",
        ),
        Metric(
            "ece_floor_95", "ECE by chance, 95 %", "what a calibrated model would exceed one time in 20",
            better="none", unit="share", derive=attrgetter("ece_floor_95"), usual=False, tally="bins",
        ),
        Metric(
            "temperature_gain", "temperature gain", "how much the best temperature lowers the cost (reads again)",
            unit="loss", usual=False, tally="fit",
        ),
    )
}  # fmt: skip


def find(name: str) -> Metric:
    """Return the metric of a name or synonym, with - or _, in any case.

    Raises UsageError if there is none, listing those that there are.

    >>> find("log-loss").name
    'cost'
    """
    if not isinstance(name, str):
        raise UsageError(f"a metric is named by text, not {shown(name)}")
    wanted = name.strip().lower().replace("-", "_")
    for metric in METRICS.values():
        if wanted == metric.name or wanted in metric.synonyms:
            return metric
    k = wanted.removeprefix("top").removeprefix("_")
    if wanted.startswith("top") and k.isascii() and k.isdigit() and 0 < int(k) <= 1_000_000:
        return top(int(k))
    from difflib import get_close_matches

    known = {word: metric.name for metric in METRICS.values() for word in (metric.name, *metric.synonyms)}
    nearest = [f"did you mean {known[word]}?" for word in get_close_matches(wanted, known, n=1, cutoff=0.7)]
    raise UsageError(
        f"there is no metric {shown(name)}", advice=(*nearest, f"metrics: {', '.join(METRICS)}, top3 (any top-k)")
    )


def top(k: int) -> Metric:
    """Return the metric of the rows whose label is among the k likeliest classes."""
    about = f"share of rows whose label is among the {k} likeliest"
    return Metric(
        f"top{k}", f"top-{k} accuracy", about, better="higher", unit="share", per_example="among", hard=True,
        argument=k, usual=False, width=1,
    )  # fmt: skip


def wanted(asked: Iterable[Metric] = ()) -> tuple[Metric, ...]:
    """Return the usual metrics, then the requested ones, without repetition.

    >>> [metric.name for metric in wanted([top(3), find("cost")])][-2:]
    ['kl', 'top3']
    """
    usual, more = [metric for metric in METRICS.values() if metric.usual], with_those_beside(asked)
    return tuple({metric.name: metric for metric in (*usual, *more)}.values()) if more else tuple(usual)


def slice_means(metrics: Iterable[Metric]) -> tuple[str, ...]:
    """Return the mean metrics from which the given metrics of slices are derived, without the cost.

    >>> slice_means([find("skill"), find("accuracy"), find("kl")])
    ('accuracy', 'target_entropy')
    """
    names = (_MEAN_BEHIND.get(metric.name, metric.name) for metric in metrics)
    return tuple(dict.fromkeys(name for name in names if find(name).per_example))


_MEAN_BEHIND = {"kl": "target_entropy", "reference_skill": "reference_cost"}
"""The mean, in addition to the cost, that a metric is derived from."""


def with_those_beside(metrics: Iterable[Metric]) -> tuple[Metric, ...]:
    """Return metrics, each followed by those always shown along with it, without repetition.

    >>> [metric.name for metric in with_those_beside([find("ece"), find("gap")])]
    ['ece', 'ece_floor', 'ece_floor_95', 'gap']
    """
    names = (name for metric in metrics for name in (metric.name, *metric.beside))
    return tuple(map(find, dict.fromkeys(names)))
