"""METRICS: every figure that can be shown, asked for or held to a limit.

Help texts and choices need no NumPy: a row that is a mean over examples names its function
in measures.py, which is found on use. The other rows are derived from the totals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal

from xentcli.errors import UsageError, shown
from xentcli.records import record

if TYPE_CHECKING:
    from xentcli.arrays import Floats

__all__ = ["METRICS", "Metric", "find", "top", "wanted"]


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
        The function of Workings (or its name in measures.py) whose weighted mean it is. It
        may use whole rows of predictions, or only what they are reduced to, which is faster.
    unit
        "loss" follows --base; "share" is from 0 to 1; "number" is plain.
    labelled
        Whether it needs labels.
    hard
        Whether it is undefined where a target is soft.
    soft
        Whether it is 0 for hard labels, and not computed where there are no others.
    usual
        Whether every score has it; else only those that show it, ask for it or hold it to a limit.
    argument
        What its function takes beside the rows: the k of a top-k accuracy.
    """

    name: str
    title: str
    about: str
    better: Literal["lower", "higher", "none"] = "lower"
    synonyms: tuple[str, ...] = ()
    per_example: str | Callable[..., Floats] | None = None
    unit: Literal["loss", "share", "number"] = "number"
    labelled: bool = True
    hard: bool = False
    soft: bool = False
    argument: int | None = None
    usual: bool = True


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
            per_example="entropy", soft=True,
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
        f"top{k}", f"top-{k} accuracy", about, better="higher", unit="share", per_example="among", hard=True,
        argument=k, usual=False,
    )  # fmt: skip


def wanted(asked: Iterable[Metric] = ()) -> tuple[Metric, ...]:
    """Return the usual metrics, then those that are asked for, once each.

    >>> [metric.name for metric in wanted([top(3), find("cost")])][-2:]
    ['kl', 'top3']
    """
    usual = [metric for metric in METRICS.values() if metric.usual]
    return tuple({metric.name: metric for metric in (*usual, *asked)}.values())
