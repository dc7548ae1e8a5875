"""Refuse an unsuitable baseline: other classes, labels or rows, another unit or loss."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from xentcli.analysis.baseline import REMAKE
from xentcli.analysis.model_rows import WEIGHT, ModelRows
from xentcli.analysis.row_store import blocks
from xentcli.arrays import Floats
from xentcli.errors import DataError, Place, shown
from xentcli.report.document import BASES, plain

__all__ = ["check_figures", "check_report", "check_scored", "check_targets", "other_rows", "unfit"]

_AT_ONCE = 1 << 16
_DEFINING = ("class_weight", "clip", "compat", "label_smoothing")
"""Options that define the loss. (Options of the model, such as --temperature, may differ.)"""


def check_report(path: str, report: Mapping[str, Any], new: ModelRows) -> None:
    """Refuse a report of other classes, of another unit, or of another loss.

    Raises DataError with what differs.
    """
    run = plain(new.scores.to_dict())
    if sorted(map(str, report["classes"])) != sorted(run["classes"]):
        raise unfit(path, f"its classes are {_listed(report['classes'])}; those of the run {_listed(run['classes'])}")
    if report["unit"] != run["unit"]:
        said = f"it is in {report['unit']}, and the run in {run['unit']}"
        raise unfit(path, said, f"--base {BASES[report['unit']]} has its unit")
    for name in _DEFINING:
        one, two = (_value(of["options"].get(name)) for of in (report, run))
        if one != two:
            option = f"--{name.replace('_', '-')}"
            raise unfit(path, f"another loss: {option} is {_said(one)} in it, and {_said(two)} in the run")


def _value(setting: Any) -> Any:
    return setting.get("value") if isinstance(setting, dict) else None


def _said(value: Any) -> str:
    return "not set" if value is None else shown(", ".join(map(str, value)) if isinstance(value, list) else value)


def _listed(classes: Any) -> str:
    names = [shown(name) for name in classes]
    return ", ".join(names[:6]) + (f", ... ({len(names):,})" if len(names) > 6 else "") if names else "none"


def check_figures(report: Mapping[str, Any], metrics: Iterable[str] = ()) -> None:
    """Raise ValueError or TypeError if a compared figure is not a number."""
    for name in ("cost", "weight_sum", "prior", "target_entropy", *metrics):
        if report.get(name) is not None:
            float(report[name])


def check_targets(path: str, report: Mapping[str, Any], new: ModelRows) -> None:
    """Refuse other soft targets, recognised by figures that depend on the targets alone.

    Raises DataError with what differs.
    """
    run = plain(new.scores.to_dict())
    for name in ("prior", "target_entropy"):
        one, two = report.get(name), run.get(name)
        if None not in (one, two) and not math.isclose(float(one), float(two), rel_tol=1e-12, abs_tol=1e-12):
            raise unfit(path, f"its labels are others: their {name} is {one}, now {two}")


def check_scored(new: ModelRows, old: ModelRows) -> None:
    """Refuse a baseline in which other rows are scored.

    Raises DataError with what differs.
    """
    one: Floats = new.rows
    two: Floats = old.rows
    for part in blocks(max(len(one), len(two)), _AT_ONCE):
        scored, scored_before = one[part, WEIGHT] > 0, two[part, WEIGHT] > 0
        if len(scored) != len(scored_before):
            raise other_rows(old.path, len(two), len(one))
        differ = np.flatnonzero(scored != scored_before)
        if len(differ):
            row = int(differ[0]) + part.start + 1
            where = "in the run only" if scored[differ[0]] else "in the baseline only"
            raise unfit(old.path, f"other rows are scored: row {row:,} {where}")


def other_rows(path: str, stored: int, rows: int) -> DataError:
    """Return the error for a different number of rows."""
    return unfit(path, f"it has {stored:,} rows, and the run {rows:,}")


def unfit(path: str, message: str, advice: str = REMAKE) -> DataError:
    """Return the error for an unsuitable baseline."""
    return DataError(message, place=Place(path), advice=advice)
