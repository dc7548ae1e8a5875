"""Derive a Comparison, with every change and verdict, from the tallies of several models."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, TypeVar

import numpy as np

from xentcli.analysis.caveats import CLUSTERED, no_spread
from xentcli.analysis.comparison_remarks import notes_on, warnings_of
from xentcli.analysis.contrasts import MOST_PAIRED, Contrasts
from xentcli.analysis.details import largest_step, paired_differences
from xentcli.analysis.fit import RESOLVED
from xentcli.analysis.model_rows import ModelRows
from xentcli.analysis.pairs import Difference, Part, columns_of, holm, parts_of
from xentcli.errors import NoVerdict, Place
from xentcli.records import cached_property, record, replace
from xentcli.report.comparison import Best, ClassChange, Comparison, GroupChange, Model, Pair, Refused, RowChange
from xentcli.report.details import ComparisonDetails
from xentcli.report.parts import Input
from xentcli.scoring.metrics import Metric, find
from xentcli.settings import Settings
from xentcli.tallies.groups import Groups, named
from xentcli.tallies.moments import Moments

__all__ = ["Compared", "inputs_of"]

K = TypeVar("K", bound=Hashable)

_OWN = ("cost", "calibrated_cost", "brier", "accuracy")
"""The metrics that are fields of a Model."""


def _row(metric: str) -> Metric:
    """The entry in METRICS of a compared metric."""
    return find("cost" if metric == "calibrated_cost" else metric)


@record(frozen=True, eq=False)
class Compared:
    """The sections of a comparison, from the tallies of its models, the reference first; losses are in nats.

    Attributes
    ----------
    compared
        The metrics that are compared in addition to the cost.
    labelled
        Whether the labels are in a separate file.
    unfitted
        Why no temperatures were fitted, if that was not requested.
    clusters
        The number of clusters, with --cluster.
    before
        With --shard, the number of rows before the first one.
    row_names
        The id of each row, if rows are matched by ids.
    slice_columns
        The names of the columns of each --by, if the options do not have them.
    """

    settings: Settings
    compared: Sequence[str]
    models: Sequence[ModelRows]
    contrasts: Contrasts
    labelled: bool = False
    unfitted: str = ""
    clusters: int | None = None
    before: int = 0
    row_names: Sequence[str] | None = None
    slice_columns: Sequence[tuple[str, ...]] | None = None

    @property
    def _reference(self) -> ModelRows:
        return self.models[0]

    @property
    def _others(self) -> Sequence[ModelRows]:
        return self.models[1:]

    def _in_unit(self, nats: float | None, metric: str = "cost") -> float | None:
        return None if nats is None else nats / self.unit(metric)

    def unit(self, metric: str) -> float:
        """The nats per unit of a metric; 1 if it is not a loss."""
        return self.settings.nats_per(_row(metric))

    @cached_property
    def metrics(self) -> list[str]:
        """The metrics that every model has, the cost first."""
        defined = [name for name in self.compared if name not in self.contrasts.undefined]
        defined = [name for name in defined if all(model.scores.value(name) is not None for model in self.models)]
        fitted = (0, 1, "calibrated_cost") in self.contrasts.pairs
        return ["cost", *(["calibrated_cost"] if fitted else []), *defined]

    @cached_property
    def means(self) -> dict[tuple[str, str], float]:
        """The mean of each model's metrics over the rows that are compared, in nats."""
        means = self.contrasts.means
        return {
            (m.name, metric): means[at, metric].value for at, m in enumerate(self.models) for metric in self.metrics
        }

    def comparison(self, refused: tuple[Refused, ...] = ()) -> Comparison:
        """Return the document.

        Raises NoVerdict if no row is left to compare.
        """
        if not self.contrasts.rows:
            raise NoVerdict("there is no row that all models have", place=Place(self._reference.path))
        first = self._reference.scores
        pairs = tuple(self._pairs())
        notes = notes_on(self.models, self.contrasts, pairs, self.unfitted, order_turns=self._order_turns)
        warnings = warnings_of(self.models, self.contrasts.rows, pairs, self.clusters, self.row_names)
        return Comparison(
            models=tuple(self.model(place, model) for place, model in enumerate(self.models)),
            pairs=pairs,
            unit=self.settings.unit,
            kind=self.settings.kind,
            classes=first.classes,
            labels=first.labels.path if self.labelled else "",
            examples=replace(first.examples, scored=self.contrasts.rows),
            alignment=first.alignment,
            clusters=self.clusters,
            by_class=tuple(self._by_class()),
            by=tuple(self._by()),
            worst=tuple(self.worst()),
            best=self.best(),
            refused=refused,
            notes=tuple(notes),
            options=self.settings.changed(),
            warnings=tuple(warnings),
            details=self.details(),
            inputs=inputs_of([model.scores.inputs for model in self.models]),
            matching=None if first.labels.matched == "none" else first.labels,
        )

    def details(self) -> ComparisonDetails | None:
        """The details for drawings and pages; None if none were requested."""
        if not self.contrasts.spread:
            return None
        last = max(largest_step(of) for of in self.contrasts.spread.values())
        return ComparisonDetails(
            tuple(
                paired_differences(
                    self._reference.name,
                    self.models[place].name,
                    {step: sums["change"] for step, sums in of},
                    self.differences[self.models[place].name, "cost"].paired.moments.mean,
                    last,
                    self.settings.nats_per_unit,
                )
                for place, of in sorted(self.contrasts.spread.items())
            )
        )

    def model(self, place: int, model: ModelRows) -> Model:
        """Return the figures of a model."""
        values = {name: self._in_unit(self.means[model.name, name], name) for name in self.metrics}
        own = {name: values.pop(name) for name in _OWN if name in values}
        cost = own.pop("cost")
        assert cost is not None
        temperature = model.fitted.temperature if self.contrasts.same_rows else None
        rows = self.contrasts.scored[place]
        return Model(model.name, model.path, rows, cost, temperature=temperature, **own, figures=values)

    @cached_property
    def differences(self) -> dict[tuple[str, str], Difference]:
        """The difference of each model from the reference in each metric."""
        keys = [(place, model.name, m) for m in self.metrics for place, model in enumerate(self.models) if place]
        return {(name, metric): self.contrasts.pairs[0, place, metric] for place, name, metric in keys}

    def _pairs(self) -> Iterator[Pair]:
        level, several = self.settings.confidence, len(self._others) > 1
        for metric in self.metrics:
            better = _row(metric).better
            found = [self.differences[model.name, metric] for model in self._others]
            unit = self.unit(metric)
            every = zip(self._others, found, holm([d.p_value for d in found]), strict=True)
            for place, (model, one, adjusted) in enumerate(every, 1):
                wins, losses = (one.paired.below, one.paired.above)[:: 1 if better == "lower" else -1]
                share, row = self._largest(place, one) if metric == "cost" else (None, None)
                p_value = adjusted if several else one.p_value
                yield Pair(
                    self._reference.name,
                    model.name,
                    metric,
                    self._in_unit(one.change, metric),
                    self._in_unit(one.standard_error, metric),
                    one.interval(level, unit, _row(metric).width),
                    one.p_value,
                    adjusted,
                    one.verdict(better, level, p_value) if self._resolved(metric, one.change) else "no difference",
                    self._in_unit(one.detectable(level), metric),
                    wins,
                    losses,
                    one.paired.ties,
                    one.paired.both_infinite,
                    share,
                    row,
                )

    def _resolved(self, metric: str, change: float | None) -> bool:
        """Whether a change, in nats, exceeds the error of the fitted temperatures."""
        return (
            metric != "calibrated_cost" or not abs(change or 0.0) <= RESOLVED * self.means[self._reference.name, metric]
        )

    @property
    def _order_turns(self) -> bool:
        """Whether fitting each model's temperature reverses the order of two models."""
        if len(self.models) != 2:
            return False
        name = self.models[1].name
        changes = {metric: self.differences[name, metric].change for metric in self.metrics}
        before, after = changes["cost"], changes.get("calibrated_cost")
        return bool(before and after and before * after < 0 and self._resolved("calibrated_cost", after))

    def _largest(self, place: int, one: Difference) -> tuple[float | None, int | None]:
        """The largest share of one row in the variance of a model's differences, and that row (from 1)."""
        error, moments = one.paired.moments.standard_error, one.paired.moments
        if not error or one.change is None:
            return None, None
        row, size = self.contrasts.outermost[place].farthest(one.change)
        whole = (error * moments.mean.b.value) ** 2 * (moments.rows - 1) / moments.rows
        return min(size * size / whole, 1.0), row + self.before

    def best(self) -> Best | None:
        """The smallest cost, if finite, and the models not significantly worse by Holm's method over all pairs."""
        if not 2 < len(self.models) <= MOST_PAIRED:
            return None
        ordered = sorted(range(len(self.models)), key=lambda place: self.means[self.models[place].name, "cost"])
        if math.isinf(self.means[self.models[ordered[0]].name, "cost"]):
            return None
        keys = [*combinations(range(len(self.models)), 2)]
        # The p-value does not depend on the sign of the difference.
        found = holm([self.contrasts.pairs[old, new, "cost"].p_value for old, new in keys])
        adjusted = {pair: p for (old, new), p in zip(keys, found, strict=True) for pair in ((old, new), (new, old))}
        best = ordered[0]
        level = self.settings.confidence
        ties = [m for m in ordered[1:] if (p := adjusted[best, m]) is not None and p >= 1 - level]
        return Best(self.models[best].name, tuple(self.models[place].name for place in ties), len(keys))

    def _share(self, model: ModelRows, part: Moments) -> float | None:
        whole = self.differences[model.name, "cost"].paired.moments.mean
        return part.mean.share_of(whole) if whole.a.all_finite else None

    def _by_class(self) -> Iterator[ClassChange]:
        order = {name: place for place, name in enumerate(self._reference.scores.classes)}
        for place, model in enumerate(self.models):
            parts = self._parts({m: of for (new, m), of in self.contrasts.by_class.items() if new == place})
            for name in sorted(parts, key=lambda name: (order.get(name, len(order)), name)):
                yield ClassChange(model.name, name, **self._change(model, parts[name]))

    def _by(self) -> Iterator[GroupChange]:
        for place, model in enumerate(self.models):
            for number, columns in enumerate(self.settings.slices):
                found = self.contrasts.by.items()
                parts = self._parts({m: of for (new, by, m), of in found if (new, by) == (place, number)})
                for name in sorted(parts):
                    known = None if self.slice_columns is None else self.slice_columns[number]
                    group = named(known or columns_of(columns, name), name)
                    yield GroupChange(model.name, group, **self._change(model, parts[name]))

    def _parts(self, groups: Mapping[str, Groups[K]]) -> dict[K, dict[str, Part]]:
        """By group, the figures of each metric that every model has."""
        found: dict[K, dict[str, Part]] = {}
        for metric in (metric for metric in groups if metric in self.metrics):
            for name, part in parts_of(groups[metric]).items():
                found.setdefault(name, {})[metric] = part
        return found

    def _change(self, model: ModelRows, parts: Mapping[str, Part]) -> dict[str, Any]:
        part = parts["cost"]
        clustered = self.settings.cluster is not None
        error = None if clustered else part.change.standard_error
        finite = part.change.mean.a.all_finite
        lacking = no_spread(
            part.change.rows, None, finite=finite, figures=("standard_error",), infinite="a loss is infinite"
        )
        metrics: dict[str, float | None] = {}
        for metric, one in parts.items():
            if metric != "cost":
                unit, spread = self.unit(metric), None if clustered else one.change.standard_error
                metrics |= {f"reference_{metric}": one.old.value / unit, metric: one.new.value / unit}
                metrics[f"{metric}_change"] = one.change.mean.value / unit
                metrics[f"{metric}_standard_error"] = self._in_unit(spread, metric)
        return {
            "metrics": metrics,
            "examples": part.change.rows,
            "reference_cost": part.old.value / self.settings.nats_per_unit,
            "cost": part.new.value / self.settings.nats_per_unit,
            "change": self._in_unit(part.change.mean.value),
            "standard_error": self._in_unit(error),
            "share": self._share(model, part.change),
            "undefined": {"standard_error": CLUSTERED} if clustered else lacking,
        }

    def worst(self) -> Iterator[RowChange]:
        """The rows whose weighted loss changed most."""
        unit = self.settings.nats_per_unit
        for place, most in self.contrasts.changed.items():
            model = self.models[place]
            for row in most.rows:
                change = row.new - row.old
                share = self._share(model, Moments.of(np.array([change]), np.array([row.weight])))
                yield RowChange(
                    model.name,
                    row.number,
                    row.id,
                    row.label,
                    row.old / unit,
                    row.new / unit,
                    self._in_unit(change),
                    share,
                )


def inputs_of(models: Sequence[Sequence[Input]]) -> tuple[Input, ...]:
    """Return the inputs of several models, each path once: their predictions, then what else was read.

    Columns are unused that no model uses.
    """
    found: dict[str, Input] = {}
    for given in (*(inputs[0] for inputs in models), *(given for inputs in models for given in inputs[1:])):
        known = found.setdefault(given.path, given)
        unused = tuple(name for name in known.unused if name in given.unused)
        found[given.path] = replace(known, unused=unused)
    return tuple(found.values())
