"""From the tallies of all rows to a Report: every ratio is derived here, once, at the end."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from operator import itemgetter

from xentcli.analysis.student import two_sided_quantile
from xentcli.arrays import Ints
from xentcli.errors import NoVerdict, Place, Warning, shown
from xentcli.pairing import Plan
from xentcli.pairing.alignment import RowNames
from xentcli.report.documents import (
    Bytes,
    ClassSlice,
    Clip,
    Examples,
    GroupSlice,
    InfiniteRows,
    Input,
    Interval,
    Labels,
    Report,
    RowSum,
    WorstRow,
)
from xentcli.scoring.compat import COMPAT
from xentcli.scoring.metrics import Metric
from xentcli.settings import Settings
from xentcli.tallies.bundle import Bundle
from xentcli.tallies.exact import ExactSum
from xentcli.tallies.groups import named
from xentcli.tallies.moments import Mean, Moments
from xentcli.tallies.scores import Scores
from xentcli.tallies.shares import ClassShares
from xentcli.version import __version__

__all__ = ["report_of"]

FEW = 10
"""Of fewer rows or clusters an interval is a rough guide, and says so."""


def report_of(plan: Plan, bundle: Bundle, names: RowNames, extra: Sequence[Metric]) -> Report:
    """Derive every figure of a report from the tallies of all rows.

    Raises
    ------
    NoVerdict
        Where there are no rows, or no weight.
    """
    settings, total = plan.settings, bundle["scores"]
    if not total.read:
        raise NoVerdict("there are no rows", place=Place(plan.predictions.path))
    if not total.cost.mean.b:
        what = "the weights of all {:,} rows are 0" if not total.ignored else "all {:,} rows are ignored or of weight 0"
        raise NoVerdict(what.format(total.read), place=Place(plan.predictions.path))
    unit = settings.nats_per_unit
    labelled = plan.matcher is not None
    cost = total.cost.mean.value
    clusters, error = None, total.cost.standard_error
    if settings.cluster is not None:
        clusters, error = len(bundle["clusters"].names), bundle["clusters"]["cost"].standard_error_between
    smoothed = bool(settings.label_smoothing)
    prior = total.classes.best_constant(total.cost.mean.b) if labelled and not smoothed else None
    entropy = total.means["target_entropy"].value if total.soft and not _reweighted(plan) else None
    units, noun = (total.scored, "rows") if clusters is None else (clusters, "clusters")
    interval = _interval(cost, error, units, settings, unit, noun)
    size = _size(settings, bundle)
    return Report(
        cost=cost / unit,
        unit=settings.unit,
        total=total.cost.mean.a.over(ExactSum.of(unit)),
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
        inputs=tuple(_input(plan, index, total) for index in range(len(plan.inputs))),
        xent_version=__version__,
        alignment=plan.alignment,
        bits_per_byte=_bits_per_byte(total, size),
        bytes=_bytes(plan, size),
        by_class=_by_class(plan, total, bundle, unit),
        by=tuple(_by(plan, total, bundle, unit)),
        worst=_worst(plan, bundle, unit),
        clusters=clusters,
        compat=_compat(plan),
        extra={metric.name: _extra(total, metric, labelled) for metric in extra},
        shown=tuple(metric.name for metric in settings.shown_metrics),
        undefined=_undefined(plan, total, clusters, size),
        options=settings.changed(),
        warnings=(*plan.warnings, *_warnings(plan, total, names)),
    )


def _over(value: float | None, unit: float) -> float | None:
    return None if value is None else value / unit


def _exp(cost: float) -> float:
    try:
        return math.exp(cost)
    except OverflowError:
        return math.inf


def _interval(
    cost: float, error: float | None, units: int, settings: Settings, unit: float, noun: str = "rows"
) -> Interval | None:
    """The interval of a cost in nats whose error comes from `units` independent rows or clusters.

    Its lower end is at least 0, as every cost is; a cost that is negative, by probabilities above 1
    within the tolerance, stays inside its interval.
    """
    if error is None:
        return None
    half = two_sided_quantile(settings.confidence, units - 1) * error
    low = max(cost - half, min(cost, 0.0))
    note = f"only {units} {noun}" if units < FEW else ""
    return Interval(settings.confidence, low / unit, (cost + half) / unit, note)


def _extra(total: Scores, metric: Metric, labelled: bool) -> float | None:
    if not labelled or (metric.hard and total.soft):
        return None
    return total.means[metric.name].value


def _size(settings: Settings, bundle: Bundle) -> ExactSum | None:
    """The bytes of --bytes: a number as it is, a column times the weights of its rows."""
    if settings.bytes is None:
        return None
    size: ExactSum = bundle["bytes"] if settings.bytes_in_all is None else ExactSum.of(settings.bytes_in_all)
    return size


def _bytes(plan: Plan, size: ExactSum | None) -> Bytes | None:
    settings = plan.settings
    if size is None:
        return None
    if settings.bytes_in_all is not None:
        return Bytes(size.value, None, False)
    weighted = settings.weights is not None or plan.class_weights is not None
    return Bytes(size.value, str(settings.bytes), weighted)


def _bits_per_byte(total: Scores, size: ExactSum | None) -> float | None:
    return total.cost.mean.a.over(ExactSum.of(math.log(2)), size) if size else None


def _share(part: Mean, total: Scores, problems: int = 1) -> float | None:
    """The part of the cost that some rows make up, or one of several problems; None where the cost is 0 or infinite."""
    whole = total.cost.mean
    return part.share_of(whole, problems) if whole.a.all_finite else None


def _by_class(plan: Plan, total: Scores, bundle: Bundle, unit: float) -> tuple[ClassSlice, ...]:
    if total.soft:
        return ()
    problems = len(plan.classes) if plan.settings.multilabel else 1
    return tuple(
        ClassSlice(
            plan.classes[index],
            part["cost"].rows,
            part["cost"].mean.value / unit,
            _share(part["cost"].mean, total, problems),
            part["right"].value,
        )
        for index, part in sorted(bundle["by_column" if plan.settings.multilabel else "by_class"], key=itemgetter(0))
    )


def _by(plan: Plan, total: Scores, bundle: Bundle, unit: float) -> Iterator[GroupSlice]:
    for columns, slices in zip(plan.slice_columns, bundle["by"].each, strict=True):
        for name, part in sorted(slices, key=itemgetter(0)):
            moments: Moments = part["cost"]
            cost = moments.mean.value
            # Rows of a group are as dependent as all rows are: with clusters their number says nothing.
            error = moments.standard_error if plan.settings.cluster is None else None
            yield GroupSlice(
                named(columns, name),
                moments.rows,
                cost / unit,
                _over(error, unit),
                _interval(cost, error, moments.rows, plan.settings, unit),
                _share(moments.mean, total),
            )


def _worst(plan: Plan, bundle: Bundle, unit: float) -> tuple[WorstRow, ...]:
    return tuple(
        WorstRow(
            row.row,
            row.id,
            row.label,
            row.predicted,
            row.probability,
            row.loss / unit,
            row.predicted_probability,
            dict(zip(plan.shown_columns, row.shown, strict=True)),
        )
        for row in bundle["worst"].rows
    )


def _reweighted(plan: Plan) -> bool:
    """Whether the loss is no longer the cross-entropy with the target alone."""
    return bool(plan.settings.label_smoothing) or plan.class_weights is not None


def _undefined(plan: Plan, total: Scores, clusters: int | None, size: ExactSum | None) -> dict[str, str]:
    """Why figures are missing, by the name of the figure."""
    reasons: dict[str, str] = {}
    if total.infinite.count:
        reasons["standard_error"] = reasons["interval"] = "the cost is infinite"
    elif total.scored < 2 or clusters == 1:
        what = "row" if clusters is None else "cluster"
        reasons["standard_error"] = reasons["interval"] = f"one {what} has no spread"
    if clusters is not None and plan.settings.slices:
        reasons["by"] = "with --cluster only the whole cost has an interval"
    if size is None:
        reasons["bits_per_byte"] = "--bytes gives the bytes of the text"
    elif not size.units:
        reasons["bits_per_byte"] = "the bytes sum to 0"
    labelled = plan.matcher is not None
    if not labelled:
        reasons |= dict.fromkeys(("accuracy", "brier", "prior", "skill", "nce"), "there are no labels")
    else:
        if total.soft:
            reasons["accuracy"] = reasons["by_class"] = "targets are soft"
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
    counts = None if total.soft else tuple(_counted(total.classes).tolist())
    source = next(s for s, pick in zip(plan.inputs, plan.picks, strict=True) if "label" in pick)
    return Labels(plan.matcher.matched, plan.label_columns, counts, plan.matcher.note, source.path)


def _counted(shares: ClassShares) -> Ints:
    """The rows of each class; of each column those with a 1."""
    return shares.counts[1::2] if shares.pairs else shares.counts


def _clip(total: Scores, settings: Settings, unit: float) -> Clip | None:
    if settings.clip is None:
        return None
    changed, whole = total.clipping.changed, total.cost.mean.a
    share = changed.over(whole) if whole.units and whole.all_finite else None
    return Clip(settings.clip, total.clipping.count, share, total.clipping.without.value / unit)


def _input(plan: Plan, index: int, total: Scores) -> Input:
    table = plan.inputs[index]
    rows = total.read if index == 0 or not plan.joins else plan.joins[index - 1].rows.count
    return Input(table.path, table.format, rows, None, table.header, table.unused, max(1, len(table.files)))


def _warnings(plan: Plan, total: Scores, names: RowNames) -> Iterator[Warning]:
    settings = plan.settings
    if total.infinite.count:
        yield Warning(
            "infinite", _infinite_message(plan, total), "--clip EPS bounds q away from 0; or look at these rows"
        )
    for label in sorted(settings.ignored - total.ignored_labels):
        yield Warning(
            "ignored-label-not-found",
            f"no row has the label {shown(label)}, so --ignore-label {shown(label)} ignores nothing",
            "check its spelling; it is compared with the labels as text, whole numbers without .0",
        )
    if settings.renormalize and settings.compat is None:
        yield Warning(
            "renormalized", f"every row was divided by its sum; the sums were up to {total.deviation:.2g} from 1"
        )
    if total.underflows:
        yield Warning(
            "underflow",
            "one number too small for a double was read as 0"
            if total.underflows == 1
            else f"{total.underflows:,} numbers too small for a double were read as 0",
            "save log-probabilities",
        )
    if plan.compare_row_names and not names.same:
        yield Warning(
            "row-names-differ",
            "the unnamed first columns of both files differ; rows were matched by position",
            "--id '#1' matches by them; --align position silences this",
        )


def _compat(plan: Plan) -> str | None:
    """Which tool's number it is, and what was done for it beside the formula."""
    settings = plan.settings
    if settings.compat is None:
        return None
    did = [f"q kept in [{settings.clip:.3g}, 1 - {settings.clip:.3g}]"] if settings.clip is not None else []
    did += ["each row divided by its sum"] if settings.renormalize else []
    if plan.divides_by_rows:
        did.append("divided by the number of rows")
    if "class_axis" in settings.set_by_compat and settings.class_axis is not None:
        did.append(f"classes on axis {settings.class_axis}")
    return f"{COMPAT[settings.compat].title}: {'; '.join(did) or 'nothing but the formula'}"


def _infinite_message(plan: Plan, total: Scores) -> str:
    rows = ", ".join(f"{row:,}" for row in total.infinite.first)
    more = ", ..." if total.infinite.count > len(total.infinite.first) else ""
    count = total.infinite.count
    noun = (
        f"1 row gives its label no chance: row {rows}"
        if count == 1
        else f"{count:,} rows give their label no chance: rows {rows}{more}"
    )
    dtype = plan.predictions.dtype if plan.settings.kind in ("probs", "true-probs") else None
    if dtype is not None and dtype.itemsize < 8 and dtype.kind == "f":
        noun += f" ({dtype.name} underflow? save log-probabilities)"
    return noun
