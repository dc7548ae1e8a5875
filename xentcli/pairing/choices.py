"""Predictions with a varying number of choices: a list of scores per row, and the index of the true choice."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from xentcli.errors import DataError, Place
from xentcli.pairing.alignment import PartQueue
from xentcli.pairing.lists import column_of_lists
from xentcli.readers.padded import Padded
from xentcli.readers.source import Pick, Source
from xentcli.settings import Settings

__all__ = ["with_choices"]

_LOOK_AT = 1000
_KINDS = ("logits", "logprobs")
"""Not probabilities: those cover all classes, so a shorter list is an error."""


def with_choices(source: Source, settings: Settings, *, whole: bool) -> Source:
    """Return predictions that are lists of differing length with as many columns as the longest; others unchanged.

    Shorter lists are padded with -inf, which changes no figure. Whether lengths differ is decided by
    the first 1,000 rows, with `whole` by all.

    Raises
    ------
    DataError
        Beside --label-smoothing, for which all choices must be there.
    """
    found = column_of_lists(source, settings) if settings.kind in _KINDS and not settings.multilabel else None
    if found is None:
        return source
    undivided, column = found
    pick = {"preds": Pick((column,), "lists")}
    looked = () if whole else PartQueue(undivided).look(pick, _LOOK_AT)
    lengths = np.concatenate([np.zeros(0, np.int64), *(rows.lists["preds"].lengths for rows in looked)])
    if not whole and (not len(lengths) or (lengths == lengths[0]).all()):
        return source
    if settings.label_smoothing:
        raise DataError(
            "--label-smoothing gives every class a part of the target, and rows have choices of differing number",
            place=Place(source.path),
        )
    longest, shortest = 0, 1 << 62
    for part in undivided.parts():
        sizes = part.load(pick).lists["preds"].lengths
        longest, shortest = max(longest, int(sizes.max(initial=0))), min(shortest, int(sizes.min(initial=1 << 62)))
    if longest == shortest or longest < 2:
        return source
    settings.limits.check_columns(longest, Place(source.path))
    return cast("Source", cast("Any", Padded)(undivided, column, longest, -np.inf))
