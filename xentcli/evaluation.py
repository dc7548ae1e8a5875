"""score(): two inputs to a Report."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, TypeVar

from xentcli.batch import KINDS
from xentcli.engine import ordered
from xentcli.errors import DataError, LabelsBreakRule, NoVerdict, Place, UsageError
from xentcli.pairing import Plan, pair
from xentcli.pairing.alignment import Matched, RowNames
from xentcli.readers import open_source
from xentcli.readers.source import BLOCK_BYTES
from xentcli.report import (
    Clip,
    Examples,
    InfiniteRows,
    Input,
    Interval,
    Labels,
    Report,
    RowSum,
    Warning,
)
from xentcli.scorer import PerExample, Scorer
from xentcli.settings import Settings
from xentcli.student import two_sided_quantile
from xentcli.tallies import Scores
from xentcli.version import __version__

__all__ = ["make_plan", "score", "with_plan"]

T = TypeVar("T")


def score(
    predictions: Any,
    labels: Any = None,
    settings: Settings | None = None,
    *,
    sink: Callable[[PerExample], None] | None = None,
    threads: int = 1,
    block_bytes: int = BLOCK_BYTES,
    **options: Any,
) -> Report:
    """Score predictions against labels: the cross-entropy cost and what goes with it.

    For one example with target distribution y and prediction q over K classes the
    loss is -sum_c y_c ln q_c; the cost is sum_i w_i loss_i / sum_i w_i.

    Parameters
    ----------
    predictions
        A path, ``-`` for standard input, or an array (n, k), (n,) or data frame.
    labels
        The same with the labels; None where the predictions' file has them, or none
        are needed.
    settings, options
        A Settings, or its fields by name: ``kind="logits"``, ``label="truth"``, ...
    sink
        Called with the losses of every block, in order.
    threads
        How many threads load and compute. The result does not depend on it.
    block_bytes
        About how much of a file is read at once. The result does not depend on it.

    Returns
    -------
    Report
        Plain values, losses in the unit of `base`.

    Raises
    ------
    UsageError, DataError, FileError, NoVerdict
        As errors.py draws them.

    Examples
    --------
    >>> report = score([[0.1, 0.5, 0.1, 0.1, 0.2], [0.7, 0.1, 0.1, 0.1, 0.0]], [0, 0])
    >>> round(report.cost, 6), report.accuracy
    (1.32963, 0.5)
    """
    chosen = settings or Settings(**options)
    if settings is not None and options:
        raise UsageError("give settings or single options, not both")
    return with_plan(
        predictions,
        labels,
        chosen,
        lambda plan: _run(plan, sink, threads),
        block_bytes=block_bytes,
        once=sink is not None,
    )


def with_plan(
    predictions: Any,
    labels: Any,
    settings: Settings,
    run: Callable[[Plan], T],
    *,
    block_bytes: int = BLOCK_BYTES,
    once: bool = False,
    names: tuple[str, str] = ("predictions", "labels"),
) -> T:
    """Make a plan and run it; where a later label breaks its rule, let all labels decide and run again.

    With `once` all labels decide from the start, so that nothing is run twice. A
    stream cannot be read again: there the first labels have decided.
    """

    def attempt(whole: bool) -> T:
        return run(make_plan(predictions, labels, settings, block_bytes, whole=whole, names=names))

    again = all(_can_be_read_twice(data) for data in (predictions, labels))
    if once and again:
        return attempt(True)
    try:
        return attempt(False)
    except LabelsBreakRule:
        if once or not again:
            raise
    return attempt(True)


def _can_be_read_twice(data: Any) -> bool:
    return not isinstance(data, str | os.PathLike) or (not _is_stdin(data) and os.path.isfile(data))


def make_plan(
    predictions: Any,
    labels: Any,
    settings: Settings,
    block_bytes: int = BLOCK_BYTES,
    *,
    whole: bool = False,
    names: tuple[str, str] = ("predictions", "labels"),
) -> Plan:
    """Open both inputs and decide how they are read.

    The first labels decide the rule for all; with `whole` all labels do, where the
    files can be read twice.
    """
    if not KINDS[settings.kind].labelled and labels is not None:
        raise UsageError(f"--kind {settings.kind} needs no labels", advice="leave the second file out")
    if _is_stdin(predictions) and _is_stdin(labels):
        raise UsageError("only one of the two inputs can be standard input (-)")
    sources = [
        open_source(data, name=name, format=settings.format_of(side), delimiter=settings.delimiter)
        for side, name, data in zip(("predictions", "labels"), names, (predictions, labels), strict=True)
        if data is not None
    ]
    return pair(sources[0], sources[1] if len(sources) > 1 else None, settings, block_bytes=block_bytes, whole=whole)


def _is_stdin(data: Any) -> bool:
    return isinstance(data, str) and data == "-"


@contextlib.contextmanager
def _executor(threads: int) -> Iterator[Executor | None]:
    if threads <= 1:
        yield None
        return
    with ThreadPoolExecutor(threads) as pool:
        yield pool


def _run(plan: Plan, sink: Callable[[PerExample], None] | None, threads: int) -> Report:
    total, names = Scores.empty(), RowNames()
    matched = Matched.of(plan.join, plan.predictions.path) if plan.join is not None else None
    with _executor(threads) as executor:
        for outcome in ordered(Scorer(plan, sink is not None), plan.tasks(), executor, ahead=2 * threads + 1):
            if matched is not None and outcome.positions is not None:
                matched.note(outcome.ids, outcome.positions)
            if outcome.scores is None or (matched is not None and matched.faulty):
                continue
            total = total.merge(outcome.scores)
            names = names.merge(outcome.row_names)
            if sink is not None and outcome.examples is not None:
                sink(outcome.examples)
    for source in plan.sources:
        source.check_unchanged()
    if matched is not None:
        matched.finish()
    if plan.matcher is not None and plan.matcher.matched == "binary" and not total.graded:
        _check_swapped(plan, total)
    if names.shuffled:
        paths = " and ".join(source.path for source in plan.sources)
        raise DataError(
            f"{paths} have the same row names (first column, without a name) in another order",
            advice=("--id '#1' matches the rows by it", "--align position takes them as they stand"),
        )
    return _report(plan, total, names)


def _check_swapped(plan: Plan, total: Scores) -> None:
    """Refuse predictions of 0 and 1 alone beside labels that lie between: no such row has a finite loss."""
    if plan.settings.kind == "probs" and 2 * total.soft_rows > total.scored:
        first, last = plan.sources[0].path, plan.sources[-1].path
        swapped = f"are the files swapped? xent score {last} {first}"
        raise DataError(
            f"every prediction is 0 or 1, and {total.soft_rows:,} of {total.scored:,} labels lie between",
            place=Place(first),
            advice=swapped if len(plan.sources) > 1 else "is --label the right column?",
        )


def _report(plan: Plan, total: Scores, names: RowNames) -> Report:
    settings = plan.settings
    if not total.read:
        raise NoVerdict("there are no rows", place=Place(plan.predictions.path))
    if not total.cost.mean.b.units:
        raise NoVerdict(f"the weights of all {total.read:,} rows are 0", place=Place(plan.predictions.path))
    unit = settings.nats_per_unit
    labelled = plan.matcher is not None
    cost = total.cost.mean.value
    error = total.cost.standard_error
    undefined = _undefined(plan, total)
    smoothed = bool(settings.label_smoothing)
    prior = total.classes.entropy if labelled and not smoothed else None
    entropy = total.means["target_entropy"].value if total.soft and not _reweighted(plan) else None
    interval = _interval(cost, error, total.scored, settings.confidence, unit)
    return Report(
        cost=cost / unit,
        unit=settings.unit,
        total=total.cost.mean.a.value / unit,
        weight_sum=total.cost.mean.b.value,
        examples=Examples(total.read, total.scored, total.ignored, total.zero_weight),
        kind=settings.kind,
        classes=plan.classes,
        labels=_labels(plan, total),
        standard_error=None if error is None else error / unit,
        interval=interval,
        perplexity=_exp(cost),
        prior=None if prior is None else prior / unit,
        skill=1 - cost / prior if prior else None,
        nce=cost / prior if prior else None,
        accuracy=total.means["accuracy"].value if labelled and not total.soft else None,
        brier=total.means["brier"].value if labelled else None,
        target_entropy=None if entropy is None else entropy / unit,
        kl=None if entropy is None else (cost - entropy) / unit,
        infinite=InfiniteRows(total.infinite.count, total.infinite.first, _over(total.cost_of_the_rest, unit)),
        clip=_clip(total, settings, unit),
        row_sum=RowSum(total.deviation),
        inputs=tuple(_input(plan, index, total) for index in range(len(plan.sources))),
        xent_version=__version__,
        alignment=plan.alignment,
        undefined=undefined,
        options=settings.changed(),
        warnings=tuple(_warnings(plan, total, names)),
    )


def _over(value: float | None, unit: float) -> float | None:
    return None if value is None else value / unit


def _exp(cost: float) -> float:
    try:
        return math.exp(cost)
    except OverflowError:
        return math.inf


def _interval(cost: float, error: float | None, rows: int, level: float, unit: float) -> Interval | None:
    if error is None:
        return None
    half = two_sided_quantile(level, rows - 1) * error
    return Interval(level, (cost - half) / unit, (cost + half) / unit)


def _reweighted(plan: Plan) -> bool:
    """Whether the loss is no longer the cross-entropy with the target alone."""
    return bool(plan.settings.label_smoothing) or plan.class_weights is not None


def _undefined(plan: Plan, total: Scores) -> dict[str, str]:
    """Why figures are missing, by the name of the figure."""
    reasons: dict[str, str] = {}
    if total.infinite.count:
        reasons["standard_error"] = reasons["interval"] = "the cost is infinite"
    elif total.scored < 2:
        reasons["standard_error"] = reasons["interval"] = "one row has no spread"
    labelled = plan.matcher is not None
    if not labelled:
        reasons |= dict.fromkeys(("accuracy", "brier", "prior", "skill", "nce"), "there are no labels")
    else:
        if total.soft:
            reasons["accuracy"] = "targets are soft"
        if plan.settings.label_smoothing:
            reasons |= dict.fromkeys(("prior", "skill", "nce"), "labels are smoothed")
        elif not total.classes.entropy:
            reasons["skill"] = reasons["nce"] = "all labels are one class"
    if total.soft and _reweighted(plan):
        reasons |= dict.fromkeys(("target_entropy", "kl"), "labels are smoothed or classes weighted")
    elif not total.soft:
        reasons |= dict.fromkeys(
            ("target_entropy", "kl"), "targets are not soft" if labelled else "there are no labels"
        )
    return reasons


def _labels(plan: Plan, total: Scores) -> Labels:
    if plan.matcher is None:
        return Labels("none", (), None)
    counts = None if total.soft else tuple(total.classes.counts.tolist())
    source = next(s for s, pick in zip(plan.sources, plan.picks, strict=True) if "label" in pick)
    return Labels(plan.matcher.matched, plan.label_columns, counts, plan.matcher.note, source.path)


def _clip(total: Scores, settings: Settings, unit: float) -> Clip | None:
    if settings.clip is None:
        return None
    whole = total.cost.mean.a.value
    share = total.clipping.changed.value / whole if whole else None
    return Clip(settings.clip, total.clipping.count, share, total.clipping.without.value / unit)


def _input(plan: Plan, index: int, total: Scores) -> Input:
    source = plan.sources[index]
    rows = total.read if index == 0 or plan.join is None else plan.join.rows.count
    return Input(source.path, source.format, rows, None, source.header, plan.unused[index])


def _warnings(plan: Plan, total: Scores, names: RowNames) -> Iterator[Warning]:
    settings = plan.settings
    if total.infinite.count:
        yield Warning(
            "infinite", _infinite_message(plan, total), "--clip EPS bounds q away from 0; or look at these rows"
        )
    if settings.kind == "logits" and not total.odd_logits and len(plan.classes) > 2:
        yield Warning(
            "probabilities-as-logits",
            "every row of the logits lies from 0 to 1 and sums to 1, as probabilities do",
            "if they are probabilities: --kind probs",
        )
    if settings.renormalize:
        yield Warning(
            "renormalized", f"every row was divided by its sum; the sums were up to {total.deviation:.2g} from 1"
        )
    if total.underflows:
        yield Warning(
            "underflow", f"{total.underflows:,} numbers too small for a double were read as 0", "save log-probabilities"
        )
    if plan.compare_row_names and not names.same:
        yield Warning(
            "row-names-differ",
            "the unnamed first columns of both files differ; rows were matched by position",
            "--id '#1' matches by them; --align position silences this",
        )


def _infinite_message(plan: Plan, total: Scores) -> str:
    rows = ", ".join(f"{row:,}" for row in total.infinite.first)
    more = ", ..." if total.infinite.count > len(total.infinite.first) else ""
    count = total.infinite.count
    noun = (
        f"1 row gives its label no chance: row {rows}"
        if count == 1
        else f"{count:,} rows give their label no chance: rows {rows}{more}"
    )
    dtype = getattr(plan.predictions, "dtype", None)
    if dtype is not None and dtype.itemsize < 8 and dtype.kind == "f":
        noun += f" ({dtype.name} underflow? save log-probabilities)"
    return noun
