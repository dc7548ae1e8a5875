"""Derive a Report from the tallies of all rows; every ratio is formed here, once, at the end."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from xentcli.analysis import caveats
from xentcli.analysis.student import interval_of, normal_quantile
from xentcli.errors import NoVerdict, Place, Warning
from xentcli.pairing import Matches, Plan
from xentcli.records import cached_property, completed, record
from xentcli.report.details import WORST, Details
from xentcli.report.document import SCHEMA_VERSION, Examples
from xentcli.report.parts import (
    Bytes,
    ClassSlice,
    Clip,
    GroupSlice,
    InfiniteRows,
    Input,
    Interval,
    Labels,
    ReferenceForecast,
    RowSum,
    Unmatched,
    WorstExample,
)
from xentcli.report.report import Report
from xentcli.scoring.metrics import METRICS, Metric, Totals
from xentcli.tallies.bins import BINS, expected_error, floor_of
from xentcli.tallies.bundle import Bundle
from xentcli.tallies.exact import ExactSum
from xentcli.tallies.groups import GroupName, Groups, named
from xentcli.tallies.moments import GroupMeans, Mean, Moments
from xentcli.tallies.scores import Scores
from xentcli.tallies.shares import ClassShares
from xentcli.version import __version__

__all__ = ["derived", "errors_of", "input_of", "prior_of", "report_of"]

FEW_ROWS = 1 << 14
"""Up to this many rows a report may hold the tallies: they take little memory."""


def report_of(
    plan: Plan, bundle: Bundle, matches: Matches, metrics: Sequence[Metric], details: Collection[str] = ()
) -> Report:
    """Return the report from the tallies of all rows, with these metrics and details.

    Raises NoVerdict if there are no rows, or no weight.
    """
    _check_not_empty(plan, bundle["scores"])
    known = {
        "unit": plan.settings.unit,
        "kind": plan.settings.kind,
        "classes": plan.classes,
        "alignment": plan.alignment,
        "labels_unused": matches.unused,
        "unmatched": None if matches.lacking is None else Unmatched(*matches.lacking),
        "compat": caveats.compat_note(plan),
        "shown": tuple(metric.name for metric in plan.settings.shown_metrics),
        "xent_version": __version__,
        "schema_version": SCHEMA_VERSION,
    }
    return derived(plan, bundle, _Summary(plan, bundle, matches, metrics, details), **known)


def derived(plan: Plan, bundle: Bundle, source: object, **known: Any) -> Report:
    """Return a Report of the attributes of `source`, each derived when it is first read if this takes little memory.

    With many rows, or data in memory that the plan holds, all are derived at once, so that the report holds neither.
    """
    report = Report.derived(source, **known)
    light = bundle["scores"].read <= FEW_ROWS and not (plan.joins or plan.settings.given)
    return report if light else completed(report)


def prior_of(plan: Plan, cost: Moments, classes: ClassShares | None) -> float | None:
    """Return the cost of always predicting the class frequencies of some rows, in nats; None where it is undefined."""
    known = classes if plan.matcher is not None and not plan.settings.label_smoothing else None
    return None if known is None else known.best_constant(cost.mean.b)


def _check_not_empty(plan: Plan, total: Scores) -> None:
    if not total.read:
        raise NoVerdict("there are no rows", place=Place(plan.predictions.path))
    if not total.cost.mean.b:
        why = ", ".join(f"{rows:,} {reason}" for rows, reason in _unscored(total) if rows)
        what = (
            f"no row is scored; left out: {why}"
            if total.left_out.rows
            else f"the weights of all {total.read:,} rows are 0"
        )
        raise NoVerdict(what, place=Place(plan.predictions.path))


def _unscored(total: Scores) -> Iterator[tuple[int, str]]:
    """Yield how many rows are not scored for each reason."""
    left = total.left_out
    yield left.ignored, "by --ignore-label"
    yield left.unmatched, "by --subset"
    yield left.missing, "by --skip-missing"
    yield total.read - left.rows, "of weight 0"


@record(frozen=True, eq=False)
class _Summary:
    """The fields of a report that are derived from tallies, by name; losses are in nats until `in_unit`.

    `chosen` are its metrics, `named` its details.
    """

    plan: Plan
    bundle: Bundle
    matches: Matches
    chosen: Sequence[Metric]
    named: Collection[str]

    @property
    def examples(self) -> Examples:
        total, out = self.total, self.total.left_out
        return Examples(total.read, total.scored, out.ignored, total.zero_weight, out.unmatched, out.missing, out.cells)

    @property
    def labels(self) -> Labels:
        plan, classes = self.plan, self.total.classes
        if plan.matcher is None:
            return Labels("none", (), None)
        # With --multilabel the counts alternate between 0 and 1.
        positive = classes.counts[1::2] if classes.pairs else classes.counts
        counts = None if self.total.soft else tuple(positive.tolist())
        source = next(s for s, pick in zip(plan.inputs, plan.picks, strict=True) if "label" in pick)
        return Labels(plan.matcher.matched, plan.label_columns, counts, plan.matcher.note, source.path)

    @property
    def infinite(self) -> InfiniteRows:
        infinite = self.total.infinite
        return InfiniteRows(infinite.count, infinite.first, self.in_unit(self.total.cost_of_the_rest))

    @property
    def row_sum(self) -> RowSum:
        return RowSum(self.total.deviation)

    @property
    def inputs(self) -> tuple[Input, ...]:
        joins, read = self.plan.joins, self.total.read
        counts = (joins[index - 1].rows.count if index and joins else read for index in range(len(self.plan.inputs)))
        return tuple(input_of(self.plan, index, rows) for index, rows in enumerate(counts))

    @property
    def options(self) -> dict[str, Any]:
        return self.plan.settings.changed(self.plan.set_by_compat)

    @property
    def warnings(self) -> tuple[Warning, ...]:
        return (*self.plan.warnings, *caveats.warnings(self.plan, self.total, self.matches.row_names))

    @cached_property
    def total(self) -> Scores:
        scores: Scores = self.bundle["scores"]
        return scores

    def in_unit(self, nats: float | None) -> float | None:
        return None if nats is None else nats / self.plan.settings.nats_per_unit

    @cached_property
    def clusters(self) -> int | None:
        return None if self.plan.settings.cluster is None else len(self.bundle["clusters"].names)

    @cached_property
    def totals(self) -> Totals:
        """The totals that metrics are derived from."""
        total = self.total
        bins = None if total.soft or "bins" not in self.bundle.tallies else self.bundle["bins"]
        spread = total.cost if self.clusters is None else self.bundle["clusters"]["cost"]
        return self._totals(total.cost, spread, total.means, total.classes, self.size, bins)

    def _totals(
        self,
        cost: Moments,
        spread: Moments | GroupMeans | None,
        means: Mapping[str, Mean],
        classes: ClassShares | None,
        size: ExactSum | None,
        bins: Groups[Any] | None = None,
    ) -> Totals:
        """The totals that metrics of a slice are derived from; without `classes` there is no prior."""
        # With these options the loss is not the plain cross-entropy with the target.
        reweighted = self.plan.settings.label_smoothing or self.plan.recipe.class_weight is not None
        entropy = means.get("target_entropy") if self.total.soft and not reweighted else None
        forecast = means.get("reference_cost")
        return Totals.derived(
            _Sums(self.plan, cost, spread, classes, bins),
            total=cost.mean.a,
            target_entropy=None if entropy is None else entropy.value,
            bytes=size or None,
            reference=None if forecast is None else forecast.value,
        )

    @property
    def metrics(self) -> dict[str, float | None]:
        totals, means = self.totals, self.total.means
        return {metric.name: self._value(metric, totals, means) for metric in self.chosen}

    def value(self, name: str) -> float | None:
        """One of the metrics; None for others."""
        metric = next((metric for metric in self.chosen if metric.name == name), None)
        return None if metric is None else self._value(metric, self.totals, self.total.means)

    @property
    def undefined(self) -> dict[str, str]:
        """Why figures are undefined, but for metrics that are not chosen."""
        reasons = caveats.undefined(self.plan, self.total, self.clusters, no_bytes=self.totals.bytes is None)
        absent = METRICS.keys() - {metric.name for metric in self.chosen}
        return {name: reason for name, reason in reasons.items() if name not in absent or METRICS[name].usual}

    def _value(self, metric: Metric, totals: Totals, means: Mapping[str, Mean]) -> float | None:
        """The value of a metric from totals and means, in the unit of the report."""
        value: ExactSum | float | None = None
        if metric.derive is not None:
            value = metric.derive(totals)
        elif metric.name in means and not (metric.hard and self.total.soft):
            value = means[metric.name].value
        unit = self.plan.settings.nats_per(metric)
        return value.over(unit) if isinstance(value, ExactSum) else value and value / unit

    def _asked(self, totals: Totals, means: Mapping[str, Mean]) -> dict[str, float | None]:
        """The metrics of --metrics for a slice."""
        return {metric.name: self._value(metric, totals, means) for metric in self.plan.settings.shown_metrics}

    @property
    def interval(self) -> Interval | None:
        units, noun = (self.total.scored, "rows") if self.clusters is None else (self.clusters, "clusters")
        return self._interval(self.totals.cost, self.totals.standard_error, units, noun)

    def _interval(self, cost: float, error: float | None, units: int, noun: str = "rows") -> Interval | None:
        """The interval of a cost whose error comes from `units` independent rows or clusters.

        Its lower end is at least 0, as no cost is negative.
        """
        unit, level = self.plan.settings.nats_per_unit, self.plan.settings.confidence
        return interval_of(cost, error, units, level, unit=unit, noun=noun, least=0.0)

    @cached_property
    def size(self) -> ExactSum | None:
        """The total of --bytes: the number given, or the weighted sum of the column."""
        settings = self.plan.settings
        if settings.bytes is None:
            return None
        size: ExactSum = self.bundle["bytes"] if settings.bytes_in_all is None else ExactSum.of(settings.bytes_in_all)
        return size

    @property
    def bytes(self) -> Bytes | None:
        settings, size = self.plan.settings, self.size
        if size is None:
            return None
        if settings.bytes_in_all is not None:
            return Bytes(size.value, None, False)
        weighted = settings.weights is not None or self.plan.recipe.class_weight is not None
        return Bytes(size.value, str(settings.bytes), weighted)

    @property
    def reference(self) -> ReferenceForecast | None:
        given = self.plan.reference
        if given is None:
            return None
        return ReferenceForecast(given.columns, given.path or None, given.note, given.shares)

    @property
    def clip(self) -> Clip | None:
        clip, clipping, whole = self.plan.recipe.clip, self.total.clipping, self.total.cost.mean.a
        if clip is None:
            return None
        share = clipping.changed.over(whole) if whole and whole.all_finite else None
        return Clip(clip, clipping.count, share, clipping.without.value / self.plan.settings.nats_per_unit)

    def _share(self, part: Mean, problems: int = 1) -> float | None:
        """The share of some rows, or of one of several binary problems, in the cost."""
        whole = self.total.cost.mean
        return part.share_of(whole, problems) if whole.a.all_finite else None

    @property
    def by_class(self) -> tuple[ClassSlice, ...]:
        return self._every_class if self.plan.settings.by_class else ()

    @cached_property
    def _every_class(self) -> tuple[ClassSlice, ...]:
        return tuple(self._by_class())

    def _by_class(self) -> Iterator[ClassSlice]:
        plan, soft = self.plan, self.total.soft
        multilabel = plan.settings.multilabel
        problems = len(plan.classes) if multilabel else 1
        parts = self.bundle["by_column"] if multilabel else self.bundle["by_class"].merge(self.bundle["by_term"])
        for index, part in sorted(parts, key=itemgetter(0)):
            cost: Moments = part.pop("cost")
            accuracy = part.pop("accuracy")
            totals = self._totals(cost, None, part, self._shares_of(index, cost.mean.b), None)
            yield ClassSlice(
                plan.classes[index],
                cost.rows,
                cost.mean.value / plan.settings.nats_per_unit,
                self._share(cost.mean, problems),
                None if soft else accuracy.value,
                cost.mean.b.value if soft and not multilabel else None,
                self._asked(totals, {**part, "accuracy": accuracy}),
            )

    def _shares_of(self, index: int, mass: ExactSum) -> ClassShares:
        """The ClassShares of the rows of one class, or of a column of --multilabel."""
        if not self.plan.settings.multilabel:
            return ClassShares(masses={index: mass})
        masses = self.total.classes.by_class()
        return ClassShares(masses={code: masses[2 * index + code] for code in (0, 1) if 2 * index + code in masses})

    @property
    def by(self) -> tuple[GroupSlice, ...]:
        return tuple(self._by())

    def _by(self) -> Iterator[GroupSlice]:
        unit, names = self.plan.settings.nats_per_unit, self.plan.slice_columns
        for place, columns in enumerate(names):
            between, shares = self._by_cluster(place), self._by_share(place)
            for name, part in sorted(self.bundle["by"].each[place], key=itemgetter(0)):
                cost: Moments = part.pop("cost")
                size = part.pop("bytes", Mean()).a
                spread: Moments | GroupMeans = cost if between is None else between[name]
                units, noun = (cost.rows, "rows") if between is None else (len(between[name]), "clusters")
                totals = self._totals(cost, spread, part, shares.get(name), size)
                error = totals.standard_error
                yield GroupSlice(
                    named(columns, name),
                    cost.rows,
                    cost.mean.value / unit,
                    self.in_unit(error),
                    self._interval(cost.mean.value, error, units, noun),
                    self._share(cost.mean),
                    self._asked(totals, part),
                    caveats.no_spread(cost.rows, None if between is None else units, finite=cost.mean.a.all_finite),
                )

    def _by_cluster(self, place: int) -> Mapping[GroupName, GroupMeans] | None:
        """The means of the clusters within each group of a --by; None without --cluster."""
        if self.clusters is None:
            return None
        groups = self.bundle["by_cluster"].each[place]
        means: GroupMeans = groups["cost"]
        return {name: means.take(np.array(places)) for name, places in _within(groups.names).items()}

    def _by_share(self, place: int) -> Mapping[GroupName, ClassShares]:
        """The class frequencies within each group of a --by; empty if no metric needs them."""
        each = self.bundle["by_share"].each
        if not each:
            return {}
        total, names, sums = self.total.classes, each[place].names, list(each[place]["mass"])
        return {
            group: ClassShares(
                np.zeros(len(total.counts), np.int64),
                {names[i][1]: sums[i].a for i in places},
                total.pairs,
                total.weighted,
            )
            for group, places in _within(names).items()
        }

    @property
    def worst(self) -> tuple[WorstExample, ...]:
        return self._every_worst[: self.plan.settings.worst]

    @cached_property
    def _every_worst(self) -> tuple[WorstExample, ...]:
        return tuple(self._worst())

    def _worst(self) -> Iterator[WorstExample]:
        for row in self.bundle["worst"].rows:
            yield WorstExample(
                row.row,
                row.id,
                row.label,
                row.predicted,
                row.probability,
                row.loss / self.plan.settings.nats_per_unit,
                row.predicted_probability,
                dict(zip(self.plan.shown_columns, row.shown, strict=True)),
                self.in_unit(row.kl),
                row.id,
            )

    @property
    def details(self) -> Details | None:
        names = self.named
        if not names:
            return None
        from xentcli.analysis import details

        plan, bundle, settings = self.plan, self.bundle, self.plan.settings
        labelled, hard = plan.matcher is not None, not self.total.soft
        return Details(
            losses=details.losses(bundle, settings.nats_per_unit) if "losses" in names else None,
            by_class=self._every_class if "by_class" in names else (),
            worst=self._every_worst[:WORST] if "worst" in names else (),
            reliability=details.reliability(plan, bundle, BINS) if "reliability" in names and hard else (),
            confusion=details.confusion(bundle, len(plan.classes)) if "confusion" in names and labelled else None,
        )


@record(frozen=True, eq=False)
class _Sums:
    """What further Totals are derived from; `spread` has the standard error, of rows or of clusters."""

    plan: Plan
    moments: Moments
    spread: Moments | GroupMeans | None
    classes: ClassShares | None
    bins: Groups[Any] | None

    @property
    def cost(self) -> float:
        return self.moments.mean.value

    @property
    def standard_error(self) -> float | None:
        """The standard error of the mean of rows, or of clusters."""
        if self.spread is None:
            return None
        return self.spread.standard_error if isinstance(self.spread, Moments) else self.spread.standard_error_between

    @property
    def weight_sum(self) -> float:
        return self.moments.mean.b.value

    @property
    def prior(self) -> float | None:
        return prior_of(self.plan, self.moments, self.classes)

    @property
    def ece(self) -> float | None:
        return self._calibration[0]

    @property
    def ece_floor(self) -> float | None:
        return self._calibration[1]

    @property
    def ece_floor_95(self) -> float | None:
        return self._calibration[2]

    @cached_property
    def _calibration(self) -> tuple[float | None, float | None, float | None]:
        return errors_of(self.plan, [] if self.bins is None else [sums for _, sums in self.bins])


def errors_of(plan: Plan, bins: list[Mapping[str, Any]]) -> tuple[float | None, float | None, float | None]:
    """Return the expected calibration error of bins and, if rows are independent, its floor and the 95 % quantile."""
    error = expected_error(bins)
    if error is None or caveats.no_floor(plan) is not None:
        return None if error is None else error[0], None, None
    mean, deviation = floor_of(bins)
    return error[0], mean, mean + normal_quantile(0.95) * deviation


def _within(names: Sequence[tuple[GroupName, Any]]) -> dict[GroupName, list[int]]:
    """The indices of the names (group, part), by group."""
    found: dict[GroupName, list[int]] = {}
    for place, (group, _) in enumerate(names):
        found.setdefault(group, []).append(place)
    return found


def input_of(plan: Plan, index: int, rows: int) -> Input:
    """Return the report's record of input `index` of a plan, with its number of rows."""
    table = plan.inputs[index]
    return Input(table.path, table.format, rows, None, table.header, table.unused, max(1, table.files))
