"""losses() and per_example(): the loss of every row, as an array or a Series, or a data frame with a row for each."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from xentcli.analysis.score import score
from xentcli.arrays import Floats
from xentcli.pairing.index import index_of_rows
from xentcli.report.per_example import PerExample, Sink
from xentcli.settings import OPTIONS, Settings, takes_options

if TYPE_CHECKING:
    import pandas

__all__ = ["losses", "per_example"]

_NOT_OF_A_ROW = (
    "bytes",
    "reference",
    "confidence",
    *(name for name, row in OPTIONS.items() if row.section in ("Slices", "Output")),
)
"""Options of score that do not change the loss of any row."""
_NOT_IN_A_FRAME = [name for name in _NOT_OF_A_ROW if name not in ("row_metrics", "reference")]


@takes_options("score", without=_NOT_OF_A_ROW)
def losses(
    predictions: Any,
    labels: Any = None,
    settings: Settings | None = None,
    *,
    threads: int | None = None,
    **options: Any,
) -> Floats | pandas.Series[float]:
    """Return the loss of every row, -sum_c y_c ln q_c, before any weight, in the unit of `base`.

    Parameters
    ----------
    predictions, labels, settings, threads, options
        As ``score`` takes them. Options that do not affect the loss of a row (`by`, `cluster`, `confidence`,
        `metrics`, ...) are refused.

    Returns
    -------
    f8[n], a loss for each row of the predictions, in their order; a pandas Series with their index where they are a
    pandas object, or else with that of the labels. Rows that are not scored (ignored labels, missing predictions, no
    partner with `subset`) and rows of weight 0 are NaN, so that losses and predictions go row by row. Of predictions
    that are lists there is a loss for each number.

    Raises
    ------
    UsageError, DataError, FileError, NoVerdict
        As ``score`` does; UsageError for an option that changes no loss of a row.

    Examples
    --------
    >>> losses([[0.5, 0.5], [0.25, 0.75], [0.5, 0.5]], [0, 1, -100], ignore_label=-100).round(6).tolist()
    [0.693147, 0.287682, nan]
    """
    chosen = Settings.chosen(settings, options, losses)
    blocks: list[Floats] = []
    score(predictions, labels, chosen, sink=Sink(attrgetter("loss"), blocks.append, blocks.clear), threads=threads)
    found: Floats = np.concatenate(blocks) / chosen.nats_per_unit
    index = index_of_rows(predictions, labels, chosen, len(found))
    if index is None:
        return found
    import pandas as pd

    return pd.Series(found, index=index, name="loss")


@takes_options("score", without=_NOT_IN_A_FRAME)
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
