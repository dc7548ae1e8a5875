"""From the rows of several models to a Comparison: every change is derived here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from xentcli.analysis.fit import RESOLVED
from xentcli.analysis.model_rows import CALIBRATED, LABEL, LOSS, WEIGHT, ModelRows, Runs
from xentcli.analysis.pairs import Column, Common, Difference, Part, columns_of, holm
from xentcli.analysis.score import opened
from xentcli.arrays import Floats, index_of
from xentcli.engine.scorer import Scorer, items_at
from xentcli.errors import NoVerdict, Place, Warning, shown
from xentcli.pairing.ids import ids_at
from xentcli.records import record, replace
from xentcli.report.comparison import Best, ClassChange, Comparison, GroupChange, Model, Pair, Refused, RowChange
from xentcli.scoring.kinds import KINDS
from xentcli.scoring.metrics import Metric, find
from xentcli.settings import Settings
from xentcli.tallies.groups import named
from xentcli.tallies.moments import Moments
from xentcli.version import __version__

__all__ = ["comparison_of"]

FEW_ROWS, FEW_CLUSTERS, MUCH = 100, 40, 0.1
"""Fewer rows or clusters than these, or a row with more of the variance, is a warning."""
MOST_PAIRED = 20
"""Up to as many models, all pairs are compared to find those not significantly worse than the best."""


_OWN = ("cost", "calibrated_cost", "brier", "accuracy")
"""The metrics that are fields of a Model."""


def _row(metric: str) -> Metric:
    """The row of METRICS of a metric that is compared."""
    return find("cost" if metric == "calibrated_cost" else metric)


def comparison_of(
    runs: Runs,
    models: Sequence[ModelRows],
    refused: tuple[Refused, ...] = (),
    *,
    labels: Any = None,
    unfitted: str = "",
    threads: int | None = None,
) -> Comparison:
    """Derive every figure of a comparison from the rows of its models, the reference first.

    `unfitted` says why no temperatures were fitted, where that was not asked for.

    Raises
    ------
    NoVerdict
        Where no row is left to compare.
    """
    return _Compared(runs, models, labels, unfitted, threads).comparison(refused)


@record(frozen=True, eq=False)
class _Compared:
    """The sections of a comparison; losses are in nats until `in_unit`."""

    runs: Runs
    models: Sequence[ModelRows]
    labels: Any
    unfitted: str
    threads: int | None

    @property
    def settings(self) -> Settings:
        return self.runs.settings

    @property
    def reference(self) -> ModelRows:
        return self.models[0]

    @property
    def others(self) -> Sequence[ModelRows]:
        return self.models[1:]

    @cached_property
    def common(self) -> Common:
        return Common(self.models, self.runs.clusters)

    def in_unit(self, nats: float | None, metric: str = "cost") -> float | None:
        return None if nats is None else nats / self.unit(metric)

    def unit(self, metric: str) -> float:
        """How many nats there are to a unit of a metric; 1 where it is no loss."""
        return self.settings.nats_per_unit if _row(metric).unit == "loss" else 1.0

    @cached_property
    def _counts(self) -> dict[str, int]:
        """How many rows each model has, those that the others lack among them."""
        return {model.name: int((model.rows[:, WEIGHT] > 0).sum()) + model.extra for model in self.models}

    @property
    def _same_rows(self) -> bool:
        return all(count == self.common.count for count in self._counts.values())

    @cached_property
    def metrics(self) -> dict[str, int]:
        """The column of each metric that every model has, the cost first."""
        defined = {
            name: place
            for place, name in enumerate(self.runs.metrics, 2)
            if all(model.scores.value(name) is not None for model in self.models)
        }
        fitted = self._same_rows and all(model.fitted.temperature is not None for model in self.models)
        return {"cost": LOSS, **({"calibrated_cost": CALIBRATED} if fitted else {}), **defined}

    @cached_property
    def means(self) -> dict[tuple[str, str], float]:
        """The mean of each model's metrics over the rows that are compared, in nats."""
        unit = self.settings.nats_per_unit
        whole = [
            m for m in self.models if m.scores.examples.scored == self.common.count and self.runs.row_names is None
        ]
        # In nats the figures of the report are these means to the bit: its sums are exact.
        known = whole if unit == 1 else []
        reported = {(m.name, metric): m.scores.value(metric) for m in known for metric in self.metrics}
        found = {key: value for key, value in reported.items() if value is not None}
        keys = [(m, metric) for m in self.models for metric in self.metrics if (m.name, metric) not in found]
        means = self.common.means([(model.rows, self.metrics[metric]) for model, metric in keys])
        return found | {(m.name, metric): mean.value for (m, metric), mean in zip(keys, means, strict=True)}

    def comparison(self, refused: tuple[Refused, ...] = ()) -> Comparison:
        """Return the document.

        Raises
        ------
        NoVerdict
            Where no row is left to compare.
        """
        if not self.common.count:
            raise NoVerdict("there is no row that all models have", place=Place(self.reference.path))
        first = self.reference.scores
        pairs = tuple(self.pairs())
        return Comparison(
            models=tuple(map(self.model, self.models)),
            pairs=pairs,
            unit=self.settings.unit,
            kind=self.settings.kind,
            classes=first.classes,
            labels=first.labels.path if self.labels is not None else "",
            examples=replace(first.examples, scored=self.common.count),
            xent_version=__version__,
            alignment=first.alignment,
            clusters=None if self.settings.cluster is None else len(self.runs.groups[-1].names),
            by_class=tuple(self.by_class()),
            by=tuple(self.by()),
            worst=tuple(self.worst()),
            best=self.best(),
            refused=refused,
            notes=tuple(self.notes(pairs)),
            options=self.settings.changed(),
            warnings=tuple(self.warnings(pairs)),
        )

    def model(self, model: ModelRows) -> Model:
        values = {name: self.in_unit(self.means[model.name, name], name) for name in self.metrics}
        own = {name: values.pop(name) for name in _OWN if name in values}
        rows = self._counts[model.name] - model.extra
        cost = own.pop("cost")
        assert cost is not None
        temperature = model.fitted.temperature if self._same_rows else None
        return Model(model.name, model.path, rows, cost, temperature=temperature, **own, figures=values)

    def _column(self, model: ModelRows, metric: str = "cost") -> Column:
        return model.rows, self.metrics[metric]

    @cached_property
    def differences(self) -> dict[tuple[str, str], Difference]:
        """The difference of each model from the reference in each metric."""
        keys = [(model, metric) for metric in self.metrics for model in self.others]
        pairs = [(self._column(self.reference, metric), self._column(model, metric)) for model, metric in keys]
        found = self.common.differences(pairs, self.threads)
        return {(model.name, metric): one for (model, metric), one in zip(keys, found, strict=True)}

    def pairs(self) -> Iterator[Pair]:
        level, several = self.settings.confidence, len(self.others) > 1
        for metric in self.metrics:
            better = _row(metric).better
            found = [self.differences[model.name, metric] for model in self.others]
            unit = self.unit(metric)
            for model, one, adjusted in zip(self.others, found, holm([d.p_value for d in found]), strict=True):
                wins, losses = (one.paired.below, one.paired.above)[:: 1 if better == "lower" else -1]
                share, row = self._largest(model, one) if metric == "cost" else (None, None)
                p_value = adjusted if several else one.p_value
                yield Pair(
                    self.reference.name,
                    model.name,
                    metric,
                    self.in_unit(one.change, metric),
                    self.in_unit(one.standard_error, metric),
                    one.interval(level, unit, _row(metric).width),
                    one.p_value,
                    adjusted,
                    one.verdict(better, level, p_value) if self._resolved(metric, one.change) else "no difference",
                    self.in_unit(one.detectable(level), metric),
                    wins,
                    losses,
                    one.paired.ties,
                    one.paired.both_infinite,
                    share,
                    row,
                )

    def _resolved(self, metric: str, change: float | None) -> bool:
        """Whether a change, in nats, is larger than what the fit of the temperatures leaves."""
        return (
            metric != "calibrated_cost" or not abs(change or 0.0) <= RESOLVED * self.means[self.reference.name, metric]
        )

    def _largest(self, model: ModelRows, one: Difference) -> tuple[float | None, int | None]:
        """The largest part of the variance of the differences that one row makes, and that row, from 1."""
        error, moments = one.paired.moments.standard_error, one.paired.moments
        if not error or one.change is None:
            return None, None
        row, size = self.common.largest(self._column(self.reference), self._column(model), one.change, 1)[0]
        whole = (error * moments.mean.b.value) ** 2 * (moments.rows - 1) / moments.rows
        return min(size * size / whole, 1.0), row + 1

    def best(self) -> Best | None:
        """The smallest cost, and the models not significantly worse by Holm's method over all pairs."""
        if not 2 < len(self.models) <= MOST_PAIRED:
            return None
        ordered = sorted(self.models, key=lambda model: self.means[model.name, "cost"])
        keys = [(a, b) for place, a in enumerate(ordered) for b in ordered[place + 1 :]]
        found = self.common.differences([(self._column(a), self._column(b)) for a, b in keys], self.threads)
        adjusted = dict(zip(keys, holm([one.p_value for one in found]), strict=True))
        best = ordered[0]
        level = self.settings.confidence
        ties = [m.name for m in ordered[1:] if (p := adjusted[best, m]) is not None and p >= 1 - level]
        return Best(best.name, tuple(ties), len(keys))

    def _share(self, model: ModelRows, part: Moments) -> float | None:
        whole = self.differences[model.name, "cost"].paired.moments.mean
        return part.mean.share_of(whole) if whole.a.all_finite else None

    def by_class(self) -> Iterator[ClassChange]:
        if not self.settings.by_class:
            return
        order = {name: place for place, name in enumerate(self.reference.scores.classes)}
        for model in self.others:
            groups = self._by_group(model, self.reference.rows[:, LABEL])
            names = {self.runs.labels.names[number]: parts for number, parts in groups.items()}
            for name in sorted(names, key=lambda name: order.get(name, len(order))):
                yield ClassChange(model.name, name, **self._change(model, names[name]))

    def by(self) -> Iterator[GroupChange]:
        if not self.settings.slices or self.runs.group_rows is None:
            return
        for model in self.others:
            for place, columns in enumerate(self.settings.slices):
                rows = self.runs.group_rows.rows[:, place]
                groups = self._by_group(model, rows)
                names = {self.runs.groups[place].names[number]: parts for number, parts in groups.items()}
                for name in sorted(names):
                    group = named(columns_of(columns, name), name)
                    yield GroupChange(model.name, group, **self._change(model, names[name]))

    def _by_group(self, model: ModelRows, groups: Floats) -> dict[int, dict[str, Part]]:
        """The cost, and the metrics of --metrics, of each group of rows (f8[n], numbers, -1 for none)."""
        asked = [metric.name for metric in self.settings.shown_metrics if metric.name in self.metrics]
        found: dict[int, dict[str, Part]] = {}
        for metric in dict.fromkeys(("cost", *asked)):
            columns = self._column(self.reference, metric), self._column(model, metric)
            for number, part in self.common.by_group(*columns, groups).items():
                found.setdefault(number, {})[metric] = part
        return found

    def _change(self, model: ModelRows, parts: Mapping[str, Part]) -> dict[str, Any]:
        part = parts["cost"]
        error = None if self.settings.cluster is not None else part.change.standard_error
        metrics: dict[str, float | None] = {}
        for metric, one in parts.items():
            if metric != "cost":
                unit, spread = self.unit(metric), one.change.standard_error if self.settings.cluster is None else None
                metrics |= {f"reference_{metric}": one.old.value / unit, metric: one.new.value / unit}
                metrics[f"{metric}_change"] = one.change.mean.value / unit
                metrics[f"{metric}_standard_error"] = self.in_unit(spread, metric)
        return {
            "metrics": metrics,
            "examples": part.change.rows,
            "reference_cost": part.old.value / self.settings.nats_per_unit,
            "cost": part.new.value / self.settings.nats_per_unit,
            "change": self.in_unit(part.change.mean.value),
            "standard_error": self.in_unit(error),
            "share": self._share(model, part.change),
        }

    def worst(self) -> Iterator[RowChange]:
        """The rows whose loss changed most, with the weight."""
        if not self.settings.worst:
            return
        for model in self.others:
            columns = self._column(self.reference), self._column(model)
            found = self.common.largest(*columns, 0.0, self.settings.worst)
            rows = [row for row, _ in found]
            for row, (number, one_id) in zip(rows, self._names(rows), strict=True):
                old, new = (float(rows_[row, LOSS]) for rows_, _ in columns)
                label = int(self.reference.rows[row, LABEL])
                weight = self.reference.rows[row : row + 1, WEIGHT]
                change = new - old
                part = Moments.of(np.array([change]), weight)
                yield RowChange(
                    model.name,
                    number,
                    one_id,
                    None if label < 0 else str(self.runs.labels.names[label]),
                    old / self.settings.nats_per_unit,
                    new / self.settings.nats_per_unit,
                    self.in_unit(change),
                    self._share(model, part),
                )

    def _names(self, rows: Sequence[int]) -> Sequence[tuple[int, str | None]]:
        """The number and the id of some rows (from 0) of the reference; of an item of a list the number of the list."""
        if self.runs.row_names is not None:
            return [(row + 1, str(self.runs.row_names.names[row])) for row in rows]
        index = index_of(self.reference.data)
        if index is not None and not np.array_equal(index, np.arange(len(index))):
            return [(row + 1, str(index[row])) for row in rows]
        alone = self.settings.id is None and KINDS[self.settings.kind].labelled
        if alone or not isinstance(self.reference.path, str):
            return [(row + 1, None) for row in rows]
        feed = opened(self.reference.data, self.labels, self.settings)
        if feed.plan.has_lists:
            return items_at(Scorer(feed.plan), feed.tasks(), rows)
        if self.settings.id is None:
            return [(row + 1, None) for row in rows]
        found = dict(zip(sorted(rows), ids_at(feed.sources[0], feed.plan.picks[0]["id"], rows), strict=True))
        return [(row + 1, found[row]) for row in rows]

    def notes(self, pairs: Sequence[Pair]) -> Iterator[str]:
        rows = self._counts
        if not self._same_rows:
            counts = ", ".join(f"{name} has {count:,}" for name, count in list(rows.items())[:5])
            yield f"compared on the {self.common.count:,} rows that all have: {counts}{', ...' * (len(rows) > 5)}"
        for pair in pairs if len(self.models) == 2 else ():
            if pair.metric == "cost" and pair.change and (pair.wins - pair.losses) * pair.change > 0:
                most = pair.model if pair.wins > pair.losses else pair.reference
                yield f"{most} has the smaller loss on more rows, and yet the larger mean"
        yield from self._on_fits()
        if len(self.models) > 2:
            yield "the best of many looks better than it is: its cost was chosen on these rows"

    def _on_fits(self) -> Iterator[str]:
        """Notes on temperatures: why there are none, and where they turn the order of two models."""
        if self.unfitted:
            yield f"calibrated is left out: {self.unfitted}"
        if not self._same_rows and any(model.fitted.temperature is not None for model in self.models):
            yield "calibrated is left out: temperatures are fitted on all rows of a file, and the files differ in rows"
        for whose, (reason,) in self._together((m.name, m.fitted.reason) for m in self.models if m.fitted.reason):
            yield f"calibrated is left out: {whose}: {reason}"
        two = len(self.models) == 2
        changes = {metric: self.differences[self.models[1].name, metric].change for metric in self.metrics if two}
        before, after = changes.get("cost"), changes.get("calibrated_cost")
        if before and after and before * after < 0 and self._resolved("calibrated_cost", after):
            each = ", ".join(f"{model.name} {model.fitted.temperature:.3g}" for model in self.models)
            yield f"the order turns once each model has its own temperature ({each})"

    def _row_name(self, row: int) -> str:
        if self.runs.row_names is None:
            return f"row {row:,}"
        return f"id {shown(self.runs.row_names.names[row - 1])}"

    def warnings(self, pairs: Sequence[Pair]) -> Iterator[Warning]:
        reports = {id(model.scores): (model.name, model.scores) for model in self.models}
        found = [(name, w.code, w.message, w.advice) for name, report in reports.values() for w in report.warnings]
        for whose, (code, message, advice) in self._together(found):
            yield Warning(code, f"{whose}: {message}" if len(reports) > 1 else message, advice)
        if self.settings.cluster is not None and (clusters := len(self.runs.groups[-1].names)) < FEW_CLUSTERS:
            yield Warning("few-clusters", f"only {clusters} clusters: intervals are too narrow below {FEW_CLUSTERS}")
        elif self.common.count < FEW_ROWS:
            rows = "1 row" if self.common.count == 1 else f"{self.common.count} rows"
            yield Warning("few-rows", f"only {rows}: intervals are rough below {FEW_ROWS}")
        large = [(p.model, p.largest_row or 0, p.largest_share) for p in pairs if (p.largest_share or 0.0) > MUCH]
        for whose, (row,) in self._together((name, row) for name, row, _ in large):
            shares = [share for _, other, share in large if other == row and share is not None]
            yield Warning(
                "one-row",
                f"{f'{whose}: ' if len(self.others) > 1 else ''}one row makes {'up to ' * (len(shares) > 1)}"
                f"{100 * max(shares):.0f} % of the variance of the differences: {self._row_name(row)}",
            )

    def _together(self, found: Iterable[tuple[Any, ...]]) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Yield what was found of models, each (name, what...), once, with the names of its models."""
        names: dict[tuple[Any, ...], list[str]] = {}
        for name, *what in found:
            names.setdefault(tuple(what), []).append(name)
        for shared, whose in names.items():
            yield _models(whose, len(self.models)), shared


def _models(names: Sequence[str], count: int) -> str:
    """Name some of `count` models.

    >>> _models(["a"], 2), _models(["a", "b"], 2), _models(["a", "b", "c", "d"], 200)
    ('a', 'both models', '4 of 200 models (a, b, c, ...)')
    """
    if len(names) == 1:
        return names[0]
    if len(names) == count:
        return "both models" if count == 2 else f"all {count:,} models"
    return f"{len(names):,} of {count:,} models ({', '.join(names[:3])}{', ...' * (len(names) > 3)})"
