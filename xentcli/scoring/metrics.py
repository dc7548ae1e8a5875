"""METRICS: every figure that can be shown, asked for or held to a limit.

Plain data, so that help texts and choices need no NumPy: functions are named, and
found on use. A row is a mean over examples (`per_example` names a function of
measures.py), or a figure that the report derives from other tallies.
"""

from __future__ import annotations

from typing import Literal

from xentcli.errors import UsageError, shown
from xentcli.records import record

__all__ = ["METRICS", "Metric", "find", "top"]


@record(frozen=True)
class Metric:
    """One row of the table.

    Attributes
    ----------
    name
        The name in JSON, and of the attribute of the Report.
    title
        What a table calls it.
    about
        One line on what it is.
    better
        Which direction is better; "none" where neither is.
    synonyms
        Other names that are understood.
    per_example
        The function of measures.py whose weighted mean it is.
    unit
        "loss" follows --base; "share" is from 0 to 1; "number" is plain.
    labelled
        Whether it needs labels.
    hard
        Whether it is undefined where a target is soft.
    argument
        What its function takes beside the rows: the k of a top-k accuracy.
    """

    name: str
    title: str
    about: str
    better: Literal["lower", "higher", "none"] = "lower"
    synonyms: tuple[str, ...] = ()
    per_example: str | None = None
    unit: Literal["loss", "share", "number"] = "number"
    labelled: bool = True
    hard: bool = False
    argument: int | None = None


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            "cost", "cross-entropy", "mean of -ln q of the truth", synonyms=("log_loss", "nll", "cross_entropy"),
            unit="loss", labelled=False,
        ),
        Metric("standard_error", "standard error", "of the cost", unit="loss", labelled=False),
        Metric("total", "total", "sum of weight x loss", unit="loss", labelled=False),
        Metric("weight_sum", "weight sum", "sum of the weights", better="none", labelled=False),
        Metric("perplexity", "perplexity", "exp(cost in nats)", synonyms=("ppl",), labelled=False),
        Metric("prior", "prior", "cost of always saying the class shares", better="none", unit="loss"),
        Metric("skill", "skill", "1 - cost / prior", better="higher", unit="share"),
        Metric("nce", "normalised cost", "cost / prior"),
        Metric(
            "accuracy", "accuracy", "share of rows whose label is predicted", better="higher", unit="share",
            per_example="correct", hard=True,
        ),
        Metric("brier", "Brier", "sum over classes of (q - y)^2, from 0 to 2", per_example="brier"),
        Metric(
            "target_entropy", "target entropy", "mean entropy of soft targets", better="none", unit="loss",
            per_example="entropy",
        ),
        Metric("bits_per_byte", "bits per byte", "cost in bits over --bytes", labelled=False),
        Metric("kl", "KL divergence", "cost - target entropy", unit="loss"),
    )
}  # fmt: skip


def find(name: str) -> Metric:
    """Return the metric of a name or synonym, with - or _, in any case.

    Raises
    ------
    UsageError
        When there is none, listing those that there are.

    >>> find("log-loss").name
    'cost'
    """
    wanted = name.strip().lower().replace("-", "_")
    for metric in METRICS.values():
        if wanted == metric.name or wanted in metric.synonyms:
            return metric
    k = wanted.removeprefix("top").removeprefix("_")
    if wanted.startswith("top") and k.isascii() and k.isdigit() and 0 < int(k) <= 1_000_000:
        return top(int(k))
    raise UsageError(f"there is no metric {shown(name)}", advice=f"metrics: {', '.join(METRICS)}, top3 (any top-k)")


def top(k: int) -> Metric:
    """Return the metric of the rows whose label is among the k likeliest classes."""
    about = f"share of rows whose label is among the {k} likeliest"
    return Metric(
        f"top{k}", f"top-{k} accuracy", about, better="higher", unit="share", per_example="among", hard=True, argument=k
    )
