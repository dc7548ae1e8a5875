"""losses(): the loss of every row, as an array or a Series."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from xentcli.analysis.score import score
from xentcli.arrays import Floats
from xentcli.pairing.index import index_of_rows
from xentcli.report.per_example import Sink
from xentcli.settings import OPTIONS, Settings, takes_options

if TYPE_CHECKING:
    import pandas

__all__ = ["losses"]

NOT_OF_A_ROW = (
    "bytes",
    "reference",
    "confidence",
    *(name for name, row in OPTIONS.items() if row.section in ("Slices", "Output")),
)
"""Options of score that do not change the loss of any row."""


@takes_options("score", without=NOT_OF_A_ROW)
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
