"""The baseline that a run is compared with: a baseline file, JSON report, file of losses, or old predictions."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from xentcli.analysis import baseline
from xentcli.analysis.baseline import REMAKE, Stored
from xentcli.analysis.model_rows import LABEL, LOSS, WEIGHT, ModelRows, Runs, check_alike
from xentcli.analysis.row_store import blocks
from xentcli.analysis.score import source_of
from xentcli.arrays import Floats, Ints
from xentcli.columns.numerals import number
from xentcli.errors import DataError, FileError, NoVerdict, Place, UsageError, shown
from xentcli.readers import exists
from xentcli.readers.shards import files_of
from xentcli.readers.source import Source, has_first_line
from xentcli.readers.stream import open_file
from xentcli.records import record
from xentcli.report.check import BaselineInfo
from xentcli.report.document import BASES, SCHEMA_VERSION, plain
from xentcli.settings import Settings
from xentcli.urls import is_url

__all__ = ["Against", "check_there", "compared"]

_MOST_JSON = 1 << 28
_DEFINING = ("class_weight", "clip", "compat", "label_smoothing")
"""Options that define the loss. (Options of the model, such as --temperature, may differ.)"""


@record(frozen=True, eq=False)
class Against:
    """A baseline, aligned with the rows of the run.

    Attributes
    ----------
    rows
        The figures of its rows, in the order of the run; None if it only has totals.
    report
        Its report as JSON values; None for a file of losses.
    metrics
        The metrics for which it has values of rows.
    """

    info: BaselineInfo
    rows: ModelRows | None = None
    report: Mapping[str, Any] | None = None
    metrics: frozenset[str] = frozenset()


def check_there(path: str, predictions: Any = None, labels: Any = None) -> None:
    """Refuse a baseline that does not exist, or that is one of the inputs.

    Raises FileError if it does not exist; UsageError if it is the file of predictions or labels: compared with itself,
    no run is worse.
    """
    if path in ("", "-"):
        raise UsageError(f"--baseline is a file, not {'standard input' if path else 'an empty name'}")
    for what, given in (("predictions", predictions), ("labels", labels)):
        if isinstance(given, str | os.PathLike) and os.path.realpath(given) == os.path.realpath(path):
            raise UsageError(
                f"--baseline {shown(path)} is the file of the {what} that are checked",
                advice="--write-baseline FILE keeps this run for the next one",
            )
    if not exists(path) and (is_url(path) or files_of(path) is None):
        raise FileError("there is no baseline yet", place=Place(path), advice=f"write_baseline={path!r} makes it")


def compared(path: str, runs: Runs, new: ModelRows, labels: Any, metrics: list[str], **beside: Any) -> Against:
    """Open a baseline of any kind, and align its rows with those of the run.

    It must have `metrics`.

    Raises DataError if its labels, classes, unit or rows differ from those of the run, or it lacks a metric; FileError
    if it cannot be read.
    """
    try:
        found = _opened(path, runs, new, labels, metrics, **beside)
    except NoVerdict as error:
        # The baseline has nothing to judge by; the run itself may have.
        raise DataError(error.message, place=error.place, advice=REMAKE) from None
    if found.rows is not None and (lacking := [name for name in metrics if name not in found.metrics]):
        advice = f"--write-baseline FILE of a run with --metrics {lacking[0]} has"
        raise _unfit(path, f"it has no {lacking[0]} of its rows", advice)
    return found


def _opened(path: str, runs: Runs, new: ModelRows, labels: Any, metrics: list[str], **beside: Any) -> Against:
    """Open a baseline by its kind."""
    if baseline.is_stored(path):
        return _of_stored(baseline.read(path), runs, new)
    if (report := _json_report(path)) is not None:
        return _of_report(path, report, new, metrics)
    if _are_losses(path, new):
        return _of_losses(path, runs, new, **beside)
    return _of_predictions(path, runs, new, labels, **beside)


def _of_predictions(path: str, runs: Runs, new: ModelRows, labels: Any, **beside: Any) -> Against:
    model = runs.run("baseline", path, labels, runs.settings, fit=False, **beside)
    check_alike(new, model, runs, one_label_file=labels is not None)
    _check_scored(new, model)
    report = model.scores.to_dict()
    metrics = {"cost", *(name for name in runs.metrics if model.scores.value(name) is not None)}
    return Against(BaselineInfo(path, rows_compared=_scored(new)), model, report, frozenset(metrics))


def _of_losses(path: str, runs: Runs, new: ModelRows, **beside: Any) -> Against:
    names = _names(source_of("predictions", path, Settings(kind="losses"), path))
    by_id = runs.ids is not None
    if by_id and "id" not in names:
        raise _unfit(path, "it has no ids, and the run has --id: its losses cannot be matched to rows")
    settings = Settings(
        kind="losses", id="id" if by_id else None, ignore_label="nan", confidence=runs.settings.confidence
    )
    model = runs.run("baseline", path, None, settings, fit=False, needed=(), **beside)
    if not by_id and len(model.rows) != len(new.rows):
        raise _other_rows(path, len(model.rows), len(new.rows))
    if "weight" not in names:
        for part in blocks(len(new.rows)):
            scored = model.rows[part, WEIGHT] > 0
            model.rows[part, WEIGHT] = np.where(scored, new.rows[part, WEIGHT], model.rows[part, WEIGHT])
    check_alike(new, model, runs, one_label_file=True)
    _check_scored(new, model)
    note = "a file of losses: its labels cannot be compared with those of the run"
    return Against(BaselineInfo(path, rows_compared=_scored(new), notes=(note,)), model, None, frozenset({"cost"}))


def _are_losses(path: str, new: ModelRows) -> bool:
    """Whether a file holds losses: it has a column of that name, or one unnamed column while PREDS has several.

    Raises DataError if one unnamed column could be either.
    """
    source = source_of("predictions", path, Settings(), path)
    names = _names(source)
    if "loss" in names and not {*new.scores.classes} <= {*names}:
        return True
    if source.width > 1 or names or new.scores.kind == "losses":
        return False
    if len(new.scores.classes) > 2:
        return True
    raise DataError(
        "one column without a name: losses, or probabilities?",
        place=Place(path),
        advice=("losses: --per-example losses.csv names them", "predictions: --write-baseline FILE makes a baseline"),
    )


def _names(source: Source) -> tuple[str, ...]:
    """The names of the columns; for text the first line, unless it has only numbers."""
    if has_first_line(source) and any(number(field) is None for field in source.first_fields):
        return source.first_fields
    return source.names


def _json_report(path: str) -> Mapping[str, Any] | None:
    """The document of xent in a JSON file; None if it holds something else."""
    if not (os.path.isfile(path) or is_url(path)):
        return None
    try:
        with open_file(path, "in order") as file:
            start = file.read(64)
            if start.lstrip()[:1] != b"{" or len(text := start + file.read(_MOST_JSON)) > _MOST_JSON:
                return None
            found = json.loads(text)
    except OSError as error:
        raise FileError(f"cannot be read: {error.strerror or error}", place=Place(path)) from None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and {"schema_version", "xent_version"} <= found.keys() else None


def _of_report(path: str, report: Mapping[str, Any], new: ModelRows, metrics: list[str]) -> Against:
    note = "a JSON report has no losses of rows: only figures are compared, without an interval"
    scores = new.scores
    if report["schema_version"] != SCHEMA_VERSION:
        raise DataError(
            f"a report of schema version {shown(report['schema_version'])}; this xent reads {SCHEMA_VERSION}",
            place=Place(path),
        )
    try:
        _check_report(path, report, new)
        counts = report["labels"]["counts"]
        counts_of_baseline = None if counts is None else dict(zip(report["classes"], counts, strict=True))
        rows, weights = report["examples"]["scored"], report.get("weight_sum")
        _check_figures(report, metrics)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _unfit(path, "not a report of xent score or check") from None
    counts_of_run = (
        None if scores.labels.counts is None else dict(zip(scores.classes, scores.labels.counts, strict=True))
    )
    if rows != scores.examples.scored:
        raise _other_rows(path, rows, scores.examples.scored)
    if counts_of_baseline != counts_of_run:
        raise _unfit(path, "its label counts differ from those of the run")
    if weights is not None and not math.isclose(float(weights), scores.weight_sum, rel_tol=1e-12):
        raise _unfit(path, f"other weights: they sum to {weights} in it, and to {scores.weight_sum} in the run")
    _check_targets(path, report, new)
    return Against(BaselineInfo(path, notes=(note,)), None, report)


def _of_stored(stored: Stored, runs: Runs, new: ModelRows) -> Against:
    path, report = stored.path, stored.report
    try:
        _check_report(path, report, new)
        _check_figures(report)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _unfit(path, "its report was changed") from None
    count = len(stored.columns["loss"])
    if (stored.ids is None) != (runs.ids is None):
        how = "counts its rows, and the run has --id" if stored.ids is None else "has ids, and the run has no --id"
        raise _unfit(path, f"it {how}", REMAKE if stored.ids is None else "--id COLUMN names them")
    if count != len(new.rows):
        raise _other_rows(path, count, len(new.rows))
    model = ModelRows("baseline", path, runs.store.region(count), report=new.report)
    for part, at in _places(stored, runs, count):
        values = np.full((part.stop - part.start, model.rows.shape[1]), np.nan)
        values[:, LOSS], values[:, LABEL] = stored.columns["loss"][part], new.rows[at, LABEL]
        values[:, WEIGHT] = stored.columns["weight"][part] if "weight" in stored.columns else 1.0
        for place, name in enumerate(runs.metrics, 2):
            if name in stored.columns:
                values[:, place] = stored.columns[name][part]
        _refuse_impossible(
            path, values, [LOSS, *(p for p, name in enumerate(runs.metrics, 2) if name in stored.columns)]
        )
        model.rows[at] = values
    _check_scored(new, model)
    check_alike(new, model, runs, one_label_file=True)
    if stored.rows_hash != baseline.hash_of_rows(runs, new):
        raise _unfit(path, "its labels are not those of the run, or belong to other rows")
    _check_targets(path, report, new)
    metrics = frozenset({"cost", *(name for name in runs.metrics if name in stored.columns)})
    return Against(BaselineInfo(path, stored.date, stored.commit, _scored(new)), model, report, metrics)


def _refuse_impossible(path: str, values: Floats, columns: list[int]) -> None:
    """Refuse weights and figures that no run can have, such as NaN: every limit, or none, would pass."""
    weights = values[:, WEIGHT]
    scored = values[weights > 0]
    if not np.isfinite(scored[:, WEIGHT]).all() or (weights < 0).any() or np.isnan(scored[:, columns]).any():
        raise _unfit(path, "not a baseline, or damaged: some figures are not numbers")


def _places(stored: Stored, runs: Runs, count: int) -> Iterator[tuple[slice, slice | Ints]]:
    """Yield rows of a baseline with their positions among the rows of the run."""
    for part in blocks(count):
        if stored.ids is None or runs.ids is None:
            yield part, part
            continue
        at = runs.ids.find_hashes(*(np.ascontiguousarray(half[part]) for half in stored.ids))
        lacking = int((at < 0).sum())
        if lacking:
            raise _unfit(stored.path, f"it has ids that the run lacks: {lacking:,} of the first {part.stop:,}")
        yield part, at


def _scored(new: ModelRows) -> int:
    return sum(int((new.rows[part, WEIGHT] > 0).sum()) for part in blocks(len(new.rows)))


def _check_report(path: str, report: Mapping[str, Any], new: ModelRows) -> None:
    """Refuse a report of other classes, of another unit, or of another loss.

    Raises DataError with what differs.
    """
    run = plain(new.scores.to_dict())
    if sorted(map(str, report["classes"])) != sorted(run["classes"]):
        raise _unfit(path, f"its classes are {_listed(report['classes'])}; those of the run {_listed(run['classes'])}")
    if report["unit"] != run["unit"]:
        said = f"it is in {report['unit']}, and the run in {run['unit']}"
        raise _unfit(path, said, f"--base {BASES[report['unit']]} has its unit")
    for name in _DEFINING:
        one, two = (_value(of["options"].get(name)) for of in (report, run))
        if one != two:
            option = f"--{name.replace('_', '-')}"
            raise _unfit(path, f"another loss: {option} is {_said(one)} in it, and {_said(two)} in the run")


def _value(setting: Any) -> Any:
    return setting.get("value") if isinstance(setting, dict) else None


def _said(value: Any) -> str:
    return "not set" if value is None else shown(", ".join(map(str, value)) if isinstance(value, list) else value)


def _listed(classes: Any) -> str:
    names = [shown(name) for name in classes]
    return ", ".join(names[:6]) + (f", ... ({len(names):,})" if len(names) > 6 else "") if names else "none"


def _check_figures(report: Mapping[str, Any], metrics: Iterable[str] = ()) -> None:
    """Raise ValueError or TypeError if a compared figure is not a number."""
    for name in ("cost", "weight_sum", "prior", "target_entropy", *metrics):
        if report.get(name) is not None:
            float(report[name])


def _check_targets(path: str, report: Mapping[str, Any], new: ModelRows) -> None:
    """Refuse other soft targets, recognised by figures that depend on the targets alone.

    Raises DataError with what differs.
    """
    run = plain(new.scores.to_dict())
    for name in ("prior", "target_entropy"):
        one, two = report.get(name), run.get(name)
        alike = one is None or two is None or math.isclose(float(one), float(two), rel_tol=1e-12, abs_tol=1e-12)
        if not alike:
            raise _unfit(path, f"its labels are others: their {name} is {one}, now {two}")


def _check_scored(new: ModelRows, old: ModelRows) -> None:
    """Refuse a baseline in which other rows are scored.

    Raises DataError with what differs.
    """
    one: Floats = new.rows
    two: Floats = old.rows
    for part in blocks(max(len(one), len(two))):
        scored, scored_before = one[part, WEIGHT] > 0, two[part, WEIGHT] > 0
        if len(scored) != len(scored_before):
            raise _other_rows(old.path, len(two), len(one))
        differ = np.flatnonzero(scored != scored_before)
        if len(differ):
            row = int(differ[0]) + part.start + 1
            where = "in the run only" if scored[differ[0]] else "in the baseline only"
            raise _unfit(old.path, f"other rows are scored: row {row:,} {where}")


def _other_rows(path: str, stored: int, rows: int) -> DataError:
    """Return the error for a different number of rows."""
    return _unfit(path, f"it has {stored:,} rows, and the run {rows:,}")


def _unfit(path: str, message: str, advice: str = REMAKE) -> DataError:
    """Return the error for an unsuitable baseline."""
    return DataError(message, place=Place(path), advice=advice)
