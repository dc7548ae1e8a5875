"""A cache of the plans of small calls with two arrays.

For arrays without names, all that `pair` decides follows from the options, the types, the number of classes, and
whether 0 is among the labels, if these are positions of classes. Then the plan of an earlier call is reused.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xentcli.pairing.alignment import HEAD_ROWS
from xentcli.pairing.index import is_held
from xentcli.pairing.matchers import ByPosition
from xentcli.pairing.plan import Plan
from xentcli.readers.source import Source
from xentcli.settings import Settings

__all__ = ["Key", "key_of", "remember", "remembered"]

Key = tuple[Any, ...]
_MOST_PLANS, _MOST_CLASSES = 16, 10_000
_plans: dict[Key, Plan] = {}


def key_of(predictions: Source, labels: Source | None, settings: Settings) -> Key | None:
    """Return what the plan of two arrays follows from; None where it follows from more than that."""
    if labels is None or not (is_held(predictions) and is_held(labels)):
        return None
    q, y = predictions.array, labels.array
    if q is None or y is None or len(predictions.shape) != 2 or len(labels.shape) != 1 or y.dtype.kind not in "iuf":
        return None
    rows, classes = q.shape
    named = predictions.names or labels.names or predictions.index is not None or labels.index is not None
    # More labels are looked at block by block; ignored ones say nothing of the others.
    if named or settings.ignored or not (0 < rows == len(y) <= HEAD_ROWS and 1 < classes <= _MOST_CLASSES):
        return None
    low, high = np.minimum.reduce(y, axis=None), np.maximum.reduce(y, axis=None)
    if not 0 <= low <= high < classes:
        return None
    if y.dtype.kind == "f" and (np.fmod(y, 1).any() or np.signbit(y).any()):
        return None
    beside = predictions.bfloat16, bool(low)
    return id(settings), predictions.path, labels.path, classes, q.dtype, y.dtype, *beside


def remembered(key: Key | None, settings: Settings) -> Plan | None:
    """Return the plan of an earlier call with the same settings and types."""
    plan = None if key is None else _plans.get(key)
    # A plan holds its settings: their number is not that of others while it is here.
    return plan if plan is not None and plan.settings is settings else None


def remember(key: Key | None, plan: Plan) -> None:
    """Remember a plan where it follows from the key alone: no option names columns, or a file of classes."""
    if key is None or plan.settings.classes is not None or plan.settings.given or plan.warnings or plan.joins:
        return
    roles = [pick.keys() for pick in plan.picks]
    if roles == [{"preds"}, {"label"}] and isinstance(plan.matcher, ByPosition) and not plan.positions:
        if len(_plans) >= _MOST_PLANS:
            _plans.clear()
        _plans[key] = plan
