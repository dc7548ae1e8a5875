"""From the tallies of all rows to a Report: every ratio is derived here, once, at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from operator import itemgetter

from xentcli.analysis import caveats
from xentcli.analysis.student import two_sided_quantile
from xentcli.errors import NoVerdict, Place
from xentcli.pairing import Plan
from xentcli.pairing.alignment import RowNames
from xentcli.records import record
from xentcli.report.document import Examples
from xentcli.report.report import (
    Bytes,
    ClassSlice,
    Clip,
    GroupSlice,
    InfiniteRows,
    Input,
    Interval,
    Labels,
    Report,
    RowSum,
    WorstExample,
)
from xentcli.scoring.metrics import METRICS, Metric, Totals
from xentcli.tallies.exact import ExactSum
from xentcli.tallies.scores import Scores
from xentcli.tallies.slices import Details, GroupName, Slices, named
from xentcli.version import __version__

__all__ = ["report_of"]

FEW = 10
"""An interval from fewer rows or clusters is a rough guide, and its note says so."""


def report_of(plan: Plan, total: Scores, names: RowNames, details: Details, extra: Sequence[Metric]) -> Report:
    """Derive every figure of a report, with `extra` metrics, from the tallies of all rows.

    Raises
    ------
    NoVerdict
        Where there are no rows, or no weight.
    """
    _check_not_empty(plan, total)
    summary, settings = _Summary(plan, total, details), plan.settings
    return Report(
        metrics=summary.metrics(extra),
        unit=settings.unit,
        examples=Examples(total.read, total.scored, total.ignored, total.zero_weight),
        kind=settings.kind,
        classes=plan.classes,
        labels=_labels(plan, total),
        interval=summary.interval,
        infinite=InfiniteRows(total.infinite.count, total.infinite.first, summary.in_unit(total.cost_of_the_rest)),
        clip=summary.clip,
        row_sum=RowSum(total.deviation),
        inputs=tuple(_input(plan, index, total) for index in range(len(plan.inputs))),
        xent_version=__version__,
        alignment=plan.alignment,
        bytes=summary.bytes,
        by_class=tuple(summary.by_class()),
        by=tuple(summary.by()),
        worst=tuple(summary.worst()),
        clusters=summary.clusters,
        compat=caveats.compat_note(plan),
        shown=tuple(metric.name for metric in settings.shown_metrics),
        undefined=caveats.undefined(plan, total, summary.clusters, no_bytes=summary.totals.bytes is None),
        options=settings.changed(),
        warnings=(*plan.warnings, *caveats.warnings(plan, total, names)),
    )


def _check_not_empty(plan: Plan, total: Scores) -> None:
    if not total.read:
        raise NoVerdict("there are no rows", place=Place(plan.predictions.path))
    if not total.cost.mean.b.units:
        what = "the weights of all {:,} rows are 0" if not total.ignored else "all {:,} rows are ignored or of weight 0"
        raise NoVerdict(what.format(total.read), place=Place(plan.predictions.path))


@record(frozen=True, eq=False)
class _Summary:
    """The sections of a report; losses are in nats until `in_unit`."""

    plan: Plan
    total: Scores
    details: Details

    def in_unit(self, nats: float | None) -> float | None:
        return None if nats is None else nats / self.plan.settings.nats_per_unit

    @property
    def clusters(self) -> int | None:
        return len(self.details.clusters.names) if self.plan.settings.cluster is not None else None

    @cached_property
    def totals(self) -> Totals:
        """What metrics are derived from."""
        total, plan = self.total, self.plan
        smoothed = bool(plan.settings.label_smoothing)
        # With either the loss is no longer the cross-entropy with the target alone.
        reweighted = smoothed or plan.class_weights is not None
        return Totals(
            cost=total.cost.mean.value,
            standard_error=(total.cost if self.clusters is None else self.details.clusters).standard_error,
            total=total.cost.mean.a,
            weight_sum=total.cost.mean.b.value,
            prior=total.classes.best_constant(total.cost.mean.b) if plan.matcher is not None and not smoothed else None,
            target_entropy=total.means["target_entropy"].value if total.soft and not reweighted else None,
            bytes=self.size if self.size is not None and self.size.units else None,
        )

    def metrics(self, extra: Sequence[Metric]) -> dict[str, float | None]:
        """Return the metrics of the table and those beside it, by name."""
        values = {}
        for metric in (*METRICS.values(), *extra):
            value, unit = self._value(metric), self.plan.settings.nats_per_unit if metric.unit == "loss" else 1.0
            values[metric.name] = value.over(unit) if isinstance(value, ExactSum) else value and value / unit
        return values

    def _value(self, metric: Metric) -> ExactSum | float | None:
        if metric.derive is not None:
            derived: ExactSum | float | None = metric.derive(self.totals)
            return derived
        mean = self.total.means.get(metric.name)
        if mean is None or self.plan.matcher is None or (metric.hard and self.total.soft):
            return None
        return mean.value

    @property
    def interval(self) -> Interval | None:
        units, noun = (self.total.scored, "rows") if self.clusters is None else (self.clusters, "clusters")
        return self._interval(self.totals.cost, self.totals.standard_error, units, noun)

    def _interval(self, cost: float, error: float | None, units: int, noun: str = "rows") -> Interval | None:
        """The interval of a cost whose error comes from `units` independent rows or clusters.

        Its lower end is at least 0, as every cost is; a cost that is negative, by probabilities above 1
        within the tolerance, stays inside its interval.
        """
        if error is None:
            return None
        unit, level = self.plan.settings.nats_per_unit, self.plan.settings.confidence
        half = two_sided_quantile(level, units - 1) * error
        low = max(cost - half, min(cost, 0.0))
        return Interval(level, low / unit, (cost + half) / unit, f"only {units} {noun}" if units < FEW else "")

    @cached_property
    def size(self) -> ExactSum | None:
        """The bytes of --bytes: a number as it is, a column times the weights of its rows."""
        settings = self.plan.settings
        if settings.bytes is None:
            return None
        return self.details.bytes if settings.bytes_in_all is None else ExactSum().add(settings.bytes_in_all)

    @property
    def bytes(self) -> Bytes | None:
        settings, size = self.plan.settings, self.size
        if size is None:
            return None
        if settings.bytes_in_all is not None:
            return Bytes(size.value, None, False)
        weighted = settings.weights is not None or self.plan.class_weights is not None
        return Bytes(size.value, str(settings.bytes), weighted)

    @property
    def clip(self) -> Clip | None:
        settings, clipping, whole = self.plan.settings, self.total.clipping, self.total.cost.mean.a
        if settings.clip is None:
            return None
        share = clipping.changed.over(whole) if whole.units and whole.all_finite else None
        return Clip(settings.clip, clipping.count, share, clipping.without.value / settings.nats_per_unit)

    def by_class(self) -> Iterator[ClassSlice]:
        plan, whole = self.plan, self.total.cost.mean
        problems = len(plan.classes) if plan.settings.multilabel else 1
        for index, part in [] if self.total.soft else sorted(self.details.by_class.groups.items()):
            yield ClassSlice(
                plan.classes[index],
                part.cost.rows,
                part.cost.mean.value / plan.settings.nats_per_unit,
                part.cost.mean.share_of(whole, problems),
                part.right.value,
            )

    def by(self) -> Iterator[GroupSlice]:
        for columns, slices in zip(self.plan.slice_columns, self.details.by, strict=False):
            yield from self._groups(columns, slices)

    def _groups(self, columns: Sequence[str], slices: Slices[GroupName]) -> Iterator[GroupSlice]:
        if slices.cost is None:
            return
        costs, rows = slices.cost.mean.values, slices.cost.rows.tolist()
        # The rows of a group are as dependent as all rows are: with clusters their number says nothing.
        errors = slices.cost.standard_errors if self.clusters is None else [None] * len(rows)
        shares = slices.cost.mean.shares_of(self.total.cost.mean)
        unit = self.plan.settings.nats_per_unit
        figures = zip(slices.names, rows, costs, errors, shares, strict=True)
        for name, count, cost, error, share in sorted(figures, key=itemgetter(0)):
            interval = self._interval(cost, error, count)
            yield GroupSlice(named(columns, name), count, cost / unit, self.in_unit(error), interval, share)

    def worst(self) -> Iterator[WorstExample]:
        for row in self.details.worst.rows:
            yield WorstExample(
                row.row,
                row.id,
                row.label,
                row.predicted,
                row.probability,
                row.loss / self.plan.settings.nats_per_unit,
                row.predicted_probability,
                dict(zip(self.plan.shown_columns, row.shown, strict=True)),
            )


def _labels(plan: Plan, total: Scores) -> Labels:
    if plan.matcher is None:
        return Labels("none", (), None)
    counts = total.classes.counts
    # Of multi-label columns the counts are of 0 and 1 in turn.
    positive = counts[1::2] if total.classes.pairs else counts
    source = next(s for s, pick in zip(plan.inputs, plan.picks, strict=True) if "label" in pick)
    return Labels(
        plan.matcher.matched,
        plan.label_columns,
        None if total.soft else tuple(positive.tolist()),
        plan.matcher.note,
        source.path,
    )


def _input(plan: Plan, index: int, total: Scores) -> Input:
    table = plan.inputs[index]
    rows = total.read if index == 0 or not plan.joins else plan.joins[index - 1].rows.count
    return Input(table.path, table.format, rows, None, table.header, table.unused, max(1, len(table.files)))
