"""Explain why a cost is high, or step by step how the loss of one row is calculated."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Sequence
from numbers import Number
from typing import Any, overload

import numpy as np

from xentcli.analysis.causes import causes
from xentcli.analysis.score import opened, retried
from xentcli.arrays import Floats
from xentcli.columns.column import texts_of
from xentcli.engine.scorer import Scorer
from xentcli.errors import DataError, NoVerdict, Place, UsageError, shown
from xentcli.options import spelled
from xentcli.pairing import Feed, Matching, Plan
from xentcli.pairing.alignment import Task
from xentcli.records import replace
from xentcli.report.causes import Causes
from xentcli.report.document import InputFile
from xentcli.report.explanation import ClassTerm, Explanation
from xentcli.scoring.batch import Batch
from xentcli.scoring.losses import Workings
from xentcli.scoring.measures import entropy
from xentcli.settings import Settings, takes_options
from xentcli.typed import typed

__all__ = ["explain", "explain_values"]

LEAST_MOVED = 0.0005
"""A smaller shift of probability would not be visible."""


@overload
def explain(
    predictions: Any, labels: Any = None, row: None = None, settings: Settings | None = None, **options: Any
) -> Causes: ...


@overload
def explain(
    predictions: Any, labels: Any = None, *, row: int | str, settings: Settings | None = None, **options: Any
) -> Explanation: ...


@overload
def explain(
    predictions: Any, labels: Any, row: int | str, settings: Settings | None = None, **options: Any
) -> Explanation: ...


@takes_options("explain", also=("by",))
def explain(
    predictions: Any, labels: Any = None, row: int | str | None = None, settings: Settings | None = None, **options: Any
) -> Explanation | Causes:
    """Explain step by step the loss of one row, or without `row` why the cost is high.

    A row is a number, counted from 1, or as text the id that it has by --id or in the index of a pandas object.
    Takes the same inputs and settings as ``score``.

    All rows are read, also those after the row: a later row can have the same id, and missing or extra ids and
    row counts that differ are known only at the end.

    Raises
    ------
    UsageError, DataError, FileError, NoVerdict
        As ``score`` does; DataError also when there is no such row, or several have the id.

    Examples
    --------
    >>> steps = explain([[0.1, 0.5, 0.1, 0.1, 0.2]], [0], row=1)
    >>> round(steps.loss, 6), round(steps.perplexity, 6)
    (2.302585, 10.0)
    >>> explain([0.25, 0.75], 1, row=1).truth
    '1'
    >>> explain([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]], [0, 0, 0]).causes[0].name
    'worst 1 % of rows'
    """
    chosen_row: int | str | None = typed("row", row, "int | str | None")
    chosen = Settings.chosen(settings, options, explain)
    if chosen_row is None:
        return causes(predictions, labels, chosen)
    _check_plain(chosen)
    if isinstance(chosen_row, int) and chosen_row < 1:
        raise UsageError(f"--row counts from 1, not {chosen_row}")
    if isinstance(labels, Number):
        # One example: a vector, alone or in a list, and its class.
        alone = not isinstance(predictions, str | os.PathLike) and np.ndim(predictions) == 1
        predictions, labels = [predictions] if alone else predictions, [labels]
    return _explained(predictions, labels, chosen, chosen_row)


def explain_values(
    values: Sequence[float], *, label: str | None, target: Sequence[float] | None, settings: Settings
) -> Explanation:
    """Explain literal predictions of one example, of the kind that the settings name.

    Exactly one of `label`, a class, and `target`, its distribution, is given. Messages speak
    of the options --probs, --logits, --logprobs, --label and --target.

    Raises UsageError or DataError as ``explain`` does.
    """
    _check_plain(settings)
    option = f"--{settings.kind}"
    if label is not None and target is not None:
        raise UsageError("--label and --target both give the truth; choose one")
    if label is None and target is None:
        raise UsageError("the truth is missing: --label N, or --target with a number for each class")
    if target is not None and len(target) != len(values):
        raise DataError(
            f"--target has {len(target)} number{'s' * (len(target) > 1)}, and {option} has {len(values)}",
            advice="a target has a number for each class: --target 0,1,0; or --label N",
        )
    truth: Any = np.array([label]) if target is None else np.array([target], dtype=np.float64)
    names = (option, "--label" if target is None else "--target")
    array = np.array([values], dtype=np.float64)
    try:
        example = _explained(array, truth, settings, 1, names)
    except DataError as error:
        # A value on the command line has no row or column.
        place = Place(error.place.path) if error.place is not None else None
        raise DataError(error.message, place=place, advice=tuple(_about_literals(error.advice, values))) from None
    return replace(example, row=None, inputs=())


_OTHER_KIND = re.compile(r"--kind (probs|logits|logprobs)\b")
_ABOUT_FILES = re.compile(r"--(preds|label|id|kind|multilabel|weights|ignore-label|skip-missing)\b|^labels: ")


def _about_literals(advice: Sequence[str], values: Sequence[float]) -> Iterator[str]:
    """Adapt advice about files to literal values: --kind becomes its own option, options of rows and columns go."""
    literal = ",".join(f"{value:.17g}" if value != float(f"{value:.6g}") else f"{value:.6g}" for value in values)
    for line in advice:
        changed = _OTHER_KIND.sub(lambda found: f"--{found[1]}={literal}", line)
        if not _ABOUT_FILES.search(changed):
            yield changed


def _check_plain(settings: Settings) -> None:
    """Refuse options whose effect on the loss is not part of the steps."""
    grouped = next((name for name in ("by", "max_groups") if settings.rows[name].is_set(getattr(settings, name))), None)
    if grouped is not None:
        raise UsageError(f"{spelled(grouped)} is about groups of the rows of a file; one example (--row) has no groups")
    if settings.multilabel:
        raise UsageError(
            "explain --row shows one problem; --multilabel has one in each column",
            advice="xent score PREDS LABELS --multilabel --by-class shows the cost of each",
        )
    if settings.bytes is not None:
        raise UsageError("explain --row shows a loss, and --bytes is about bits per byte")
    if settings.label_smoothing or settings.has_class_weights:
        given = "--label-smoothing" if settings.label_smoothing else "--class-weight"
        raise UsageError(
            f"explain --row shows the loss of a target as it is, without class weights and label smoothing ({given})",
            advice="xent score PREDS LABELS --per-example FILE, with the same options, writes the losses",
        )


def _explained(
    predictions: Any,
    labels: Any,
    settings: Settings,
    row: int | str,
    names: tuple[str, str] = ("predictions", "labels"),
) -> Explanation:
    named = isinstance(row, str)

    def attempt(whole: bool) -> Explanation:
        return _row_of(opened(predictions, labels, settings, whole=whole, named=named, names=names), row)

    return retried(attempt, predictions, labels)


def _row_of(feed: Feed, row: int | str) -> Explanation:
    plan, scorer, matching = feed.plan, Scorer(feed.plan), Matching(feed)
    if plan.has_lists:
        raise DataError(
            "a row is a list here, every number of which has a loss",
            place=Place(plan.predictions.path),
            advice="xent score PREDS --per-example FILE, with the same options, writes them all",
        )
    total, example, numbers = 0, None, [] if isinstance(row, str) else [row]
    for task in feed.tasks():
        total = task.start + task.part.rows
        if isinstance(row, str):
            numbers += _rows_called(row, plan, task)
        if example is None and numbers and numbers[0] <= total:
            example = _of_row(plan, task, numbers[0])
        # The other rows are not scored, but their ids must match.
        matching.note(*scorer.keys(task))
    matching.finish()
    if not total:
        raise NoVerdict("there are no rows", place=Place(plan.predictions.path))
    if len(numbers) > 1:
        few = ", ".join(map(str, numbers[:3]))
        raise DataError(
            f"{len(numbers):,} rows have the id {shown(row)}: rows {few}{', ...' if len(numbers) > 3 else ''}",
            place=Place(plan.predictions.path),
            advice=f"row={numbers[0]} is the first of them",
        )
    if example is None:
        what = (
            f"there is no row {row:,}; the last is {total:,}"
            if isinstance(row, int)
            else f"no row has the id {shown(row)}"
        )
        raise DataError(what, place=Place(plan.predictions.path))
    return example


def _rows_called(name: str, plan: Plan, task: Task) -> list[int]:
    """The numbers of the rows of a task that have this id (DataError where rows have no ids)."""
    pick = plan.picks[0].get("id")
    if pick is None:
        raise DataError(
            f"rows have no ids here, and {shown(name)} is one",
            place=Place(plan.predictions.path),
            advice=("row=N takes a number, from 1", "id='COLUMN' names the column of the ids"),
        )
    ids = texts_of(task.part.load({"id": pick}).values["id"])
    return [task.start + place for place, one in enumerate(ids, start=1) if one == name]


def _of_row(plan: Plan, task: Task, row: int) -> Explanation | None:
    scorer = Scorer(plan)
    piece = next(piece for piece in scorer.pieces(task) if row <= piece.start + piece.rows.count)
    if piece.companions is None:
        # Matching.finish reports the missing ids.
        return None
    one = piece.cut(row - piece.start - 1)
    aligned = scorer.align(one)
    if not len(aligned.kept):
        why = "has no partner" if aligned.left_out.unmatched else "has weight 0 or an ignored label"
        raise DataError(f"the row {why}: it is not scored", place=one.rows.place("preds", 0))
    # Infinite values are shown as such.
    with np.errstate(all="ignore"):
        example = _example_of(plan, Workings(aligned.batch))
        if plan.recipe.temperature != 1:
            untempered = replace(plan, recipe=replace(plan.recipe, temperature=1.0))
            given = Scorer(untempered).align(one).batch.predictions[0].tolist()
            terms = tuple(replace(term, given=value) for term, value in zip(example.terms, given, strict=True))
            example = replace(example, kind=plan.settings.kind, terms=terms, temperature=plan.recipe.temperature)
    inputs = tuple(InputFile(table.path, table.format, None, None, table.header) for table in plan.inputs)
    return replace(example, row=row, id=aligned.ids[0] if aligned.ids else None, inputs=inputs)


def _example_of(plan: Plan, work: Workings) -> Explanation:
    batch = work.batch
    names = plan.classes or ("the truth",)
    target = _target(batch)
    soft = bool(work.soft[0])
    loss = float(work.loss[0])
    index = int(work.index[0])
    logits = batch.kind == "logits"
    scores = batch.predictions[0]
    top = float(scores.max())
    exponentials = np.exp(scores - top)
    rest = float(np.add.reduce(np.sort(exponentials)[:-1]))
    return Explanation(
        kind=batch.kind,
        terms=_terms(names, target, work, exponentials),
        loss=loss,
        truth=None if soft else names[index],
        truth_index=None if soft else index,
        predicted=names[int(work.predicted[0])],
        perplexity=math.exp(loss) if loss < 709 else math.inf,
        uniform=math.log(len(names)),
        target_entropy=float(entropy(work)[0]) if soft else None,
        largest=top if logits else None,
        logsumexp=top + math.log1p(rest) if logits else None,
        other_split=None if soft else _other_split(batch, index),
        unit=plan.settings.unit,
        loss_in_unit=loss / plan.settings.nats_per_unit,
        clip=batch.recipe.clip,
        warnings=plan.warnings,
    )


def _target(batch: Batch) -> Floats:
    """f8[k]: the distribution of the target."""
    if batch.target is not None and batch.target.ndim == 2:
        distribution: Floats = batch.target[0]
        return distribution
    result = np.zeros(batch.classes)
    result[0 if batch.target is None else int(batch.target[0])] = 1.0
    return result


def _terms(names: Sequence[str], target: Floats, work: Workings, exponentials: Floats) -> tuple[ClassTerm, ...]:
    batch = work.batch
    logits, clip = batch.kind == "logits", batch.recipe.clip
    probabilities = work.probabilities[0]
    logs = (0.0 - work.each_loss[0]).tolist()
    terms = []
    for c, name in enumerate(names):
        y = float(target[c])
        score = float(batch.predictions[0, c]) if batch.kind not in ("probs", "true-probs", "losses") else None
        terms.append(
            ClassTerm(
                name=name,
                y=y,
                q=float(probabilities[c]),
                ln_q=logs[c],
                term=y * logs[c] if y else 0.0,
                score=score,
                shifted=float(batch.predictions[0, c] - batch.predictions[0].max()) if logits else None,
                exponential=float(exponentials[c]) if logits else None,
                clipped=None if clip is None else min(max(float(probabilities[c]), clip), 1 - clip),
            )
        )
    return tuple(terms)


def _other_split(batch: Batch, index: int) -> tuple[float, ...] | None:
    """Other probabilities with the same loss: half of the second wrong class is shifted to the first."""
    if batch.kind != "probs" or not 3 <= batch.classes <= 12:
        return None
    q = batch.predictions[0]
    others = sorted((c for c in range(batch.classes) if c != index), key=lambda c: -q[c])
    first, second = others[:2]
    moved = round(float(q[second]) / 2, 12)
    if moved < LEAST_MOVED:
        return None
    split = [float(value) for value in q]
    split[first] = round(split[first] + moved, 12)
    split[second] = round(split[second] - moved, 12)
    return tuple(split)
