"""per_example(): a data frame with a row for each example, as --per-example writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xentcli.analysis.losses import NOT_OF_A_ROW
from xentcli.analysis.score import score
from xentcli.pairing.index import index_of_rows
from xentcli.report.per_example import PerExample
from xentcli.settings import Settings, takes_options

if TYPE_CHECKING:
    import pandas

__all__ = ["per_example"]

_WITHOUT = [name for name in NOT_OF_A_ROW if name not in ("row_metrics", "reference")]


@takes_options("score", without=_WITHOUT)
def per_example(
    predictions: Any,
    labels: Any = None,
    settings: Settings | None = None,
    *,
    threads: int | None = None,
    **options: Any,
) -> pandas.DataFrame:
    """Return a row for each example: its number, id, label, probability of the label, loss, weight, and `row_metrics`.

    Parameters
    ----------
    predictions, labels, settings, threads, options
        As ``score`` takes them. Options that do not affect the result (`by`, `cluster`, `confidence`, `metrics`, ...)
        are refused.
        ``row_metrics=["kl", "prediction_entropy", "brier", ...]`` adds a column for each.

    Returns
    -------
    A pandas DataFrame with the columns of ``xent score --per-example`` and the index of the predictions where they are
    a pandas object, or else that of the labels. What is a loss is in the unit of `base`. Rows that are not scored have
    the weight 0 and NaN; so is what a row has no value of, as a soft target has no accuracy.

    Raises
    ------
    UsageError, DataError, FileError, NoVerdict
        As ``score`` does.

    Examples
    --------
    >>> found = per_example([[0.5, 0.5]], [[0.25, 0.75]], row_metrics=["target_entropy", "kl"])
    >>> found[["loss", "target_entropy", "kl"]].round(4).to_dict("records")
    [{'loss': 0.6931, 'target_entropy': 0.5623, 'kl': 0.1308}]
    """
    import pandas as pd

    chosen = Settings.chosen(settings, options, per_example)
    blocks: list[PerExample] = []
    score(predictions, labels, chosen, sink=blocks.append, threads=threads)
    parts = list(map(_columns, blocks))
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    for name in ("loss", *(metric.name for metric in chosen.metrics_of_rows if metric.unit == "loss")):
        columns[name] = columns[name] / chosen.nats_per_unit
    return pd.DataFrame(columns, index=index_of_rows(predictions, labels, chosen, len(columns["loss"])))


def _columns(block: PerExample) -> dict[str, Any]:
    """The columns of a block; the texts as objects."""
    nothing = [None] * block.count
    return {
        "row": np.array(block.numbers, dtype=np.int64),
        "id": np.array(nothing if block.ids is None else list(block.ids), dtype=object),
        "label": np.array(block.labels or nothing, dtype=object),
        "probability": block.probability,
        "loss": block.loss,
        "weight": block.weight,
        **block.columns,
    }
