"""Contrasts: the mergeable tallies of several models, from which a Comparison is derived."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import field
from itertools import combinations, product
from typing import Any

import numpy as np

from xentcli.analysis.model_rows import CALIBRATED, LABEL, LOSS, WEIGHT, ModelRows, Runs
from xentcli.analysis.pairs import Column, Common, Difference
from xentcli.analysis.score import opened
from xentcli.arrays import Floats, index_of
from xentcli.engine.scorer import Scorer, items_at
from xentcli.pairing.join import ids_at
from xentcli.records import cached_property, record, replace
from xentcli.scoring.kinds import KINDS
from xentcli.settings import Settings
from xentcli.tallies.groups import GroupName, Groups, Piece
from xentcli.tallies.moments import Mean
from xentcli.tallies.outermost import Changed, MostChanged, Outermost
from xentcli.tallies.paired import differences
from xentcli.tallies.tally import Tally

__all__ = ["MOST_PAIRED", "Contrasted", "Contrasts"]

MOST_PAIRED = 20
"""Up to this many models, all pairs are compared to find those not significantly worse than the best."""


@record(frozen=True)
class Contrasts(Tally):
    """The tallies of several models, by index; losses are in nats.

    Attributes
    ----------
    rows
        The number of rows that all models have.
    scored, extra
        For each model, the number of rows of the reference that it has, and of other rows.
    means
        Means by model and metric.
    pairs
        By old model, new model and metric: each against the reference; for few models also the cost of every pair.
    outermost
        For each model, the rows whose change of the loss may deviate most from the mean.
    by_class, by
        For each model, --by and metric, the groups with the sums of Common.by_group().
    changed
        The rows of --worst.
    undefined
        Metrics that are undefined in some rows.
    spread
        For each model, Common.spread() of the cost, if the details need it.
    """

    rows: int = 0
    scored: Mapping[int, int] = field(default_factory=dict)
    extra: Mapping[int, int] = field(default_factory=dict)
    means: Mapping[tuple[int, str], Mean] = field(default_factory=dict)
    pairs: Mapping[tuple[int, int, str], Difference] = field(default_factory=dict)
    outermost: Mapping[int, Outermost] = field(default_factory=dict)
    by_class: Mapping[tuple[int, str], Groups[str]] = field(default_factory=dict)
    by: Mapping[tuple[int, int, str], Groups[GroupName]] = field(default_factory=dict)
    changed: Mapping[int, MostChanged] = field(default_factory=dict)
    undefined: frozenset[str] = frozenset()
    spread: Mapping[int, Groups[int]] = field(default_factory=dict)

    @property
    def same_rows(self) -> bool:
        """Whether all models have exactly the same rows."""
        return all(count + self.extra.get(place, 0) == self.rows for place, count in self.scored.items())

    def moved(self, rows: Callable[[int], int], numbers: Callable[[int], int]) -> Contrasts:
        """Return the same tallies with places and row numbers mapped by functions that keep their order."""
        return replace(
            self,
            outermost={model: of.renumbered(rows) for model, of in self.outermost.items()},
            changed={model: of.moved(rows, numbers) for model, of in self.changed.items()},
        )

    def kept(self, clusters: Sequence[str] | None) -> Contrasts:
        """Return what a state keeps: clusters by name, without fits and details, which other runs may lack."""
        pairs = {key: of for key, of in self.pairs.items() if key[2] != "calibrated_cost"}
        if clusters is not None:
            pairs = {key: replace(of, clusters=_named(of.clusters, clusters)) for key, of in pairs.items()}
        means = {key: of for key, of in self.means.items() if key[1] != "calibrated_cost"}
        return replace(self, pairs=pairs, means=means, spread={})


@record(frozen=True, eq=False)
class Contrasted:
    """Tallies the rows that all models have, the reference first.

    With `whole`, metrics are included that are undefined in these rows but may be defined in others.
    """

    runs: Runs
    models: Sequence[ModelRows]
    labels: Any
    threads: int | None
    details: Collection[str]
    whole: bool

    @property
    def _settings(self) -> Settings:
        return self.runs.settings

    @property
    def _reference(self) -> ModelRows:
        return self.models[0]

    @cached_property
    def _common(self) -> Common:
        return Common(self.models, self.runs.clusters)

    @cached_property
    def _counts(self) -> Contrasts:
        scored = {place: int((model.rows[:, WEIGHT] > 0).sum()) for place, model in enumerate(self.models)}
        return Contrasts(self._common.count, scored, {place: model.extra for place, model in enumerate(self.models)})

    @cached_property
    def metrics(self) -> dict[str, int]:
        """The column of each tallied metric, the cost first."""
        columns = {name: place for place, name in enumerate(self.runs.metrics, 2)}
        if self.whole:
            columns = {name: place for name, place in columns.items() if self._has_values(place)}
        else:
            defined = [name for name in columns if all(m.scores.value(name) is not None for m in self.models)]
            columns = {name: columns[name] for name in defined}
        fitted = self._counts.same_rows and all(model.fitted.temperature is not None for model in self.models)
        return {"cost": LOSS, **({"calibrated_cost": CALIBRATED} if fitted else {}), **columns}

    def _has_values(self, column: int) -> bool:
        """Whether a metric is defined in every compared row of every model."""
        columns = [(model.rows, column) for model in self.models]
        return not any(
            np.isnan(values).any()
            for part, kept in self._common.blocks()
            for values in self._common.columns(part, kept, columns)
        )

    def contrasts(self) -> Contrasts:
        """Return the tallies."""
        if not self._common.count:
            return self._counts
        others = range(1, len(self.models))
        return replace(
            self._counts,
            means=self.means(),
            pairs=self.pairs(),
            outermost={new: self._outermost(new) for new in others},
            by_class=dict(self._by_class()),
            by=dict(self._by()),
            changed={new: self.changed(new) for new in others if self._settings.worst},
            undefined=frozenset(name for name in self.runs.metrics if name not in self.metrics),
            spread={new: self._spread(new) for new in others if "differences" in self.details},
        )

    def _column(self, model: int, metric: str = "cost") -> Column:
        return self.models[model].rows, self.metrics[metric]

    def means(self) -> dict[tuple[int, str], Mean]:
        """The mean of each metric of each model."""
        keys = list(product(range(len(self.models)), self.metrics))
        return dict(zip(keys, self._common.means([self._column(*key) for key in keys]), strict=True))

    def pairs(self) -> dict[tuple[int, int, str], Difference]:
        """The difference of each model from the reference in each metric; for few models also of every pair in cost."""
        count = len(self.models)
        keys = [(0, new, metric) for metric in self.metrics for new in range(1, count)]
        if 2 < count <= MOST_PAIRED:
            keys += [(old, new, "cost") for old, new in combinations(range(count), 2) if old]
        columns = [(self._column(old, metric), self._column(new, metric)) for old, new, metric in keys]
        return dict(zip(keys, self._common.differences(columns, self.threads), strict=True))

    def _outermost(self, new: int) -> Outermost:
        columns = [self._column(0), self._column(new)]
        found = Outermost()
        for part, kept in self._common.blocks():
            change = differences(*self._common.columns(part, kept, columns))
            rows = np.arange(part.start + 1, part.stop + 1)[kept]
            found = found.merge(Outermost.of(change, self._common.weights(part, kept), rows))
        return found

    def _spread(self, new: int) -> Groups[int]:
        return self._common.spread(self._column(0), self._column(new))

    def _by_class(self) -> Iterator[tuple[tuple[int, str], Groups[str]]]:
        names = [str(name) for name in self.runs.labels.names]
        for new, metric in self._grouped() if self._settings.by_class else ():
            yield (new, metric), self._by_group(new, metric, self._reference.rows[:, LABEL], names)

    def _by(self) -> Iterator[tuple[tuple[int, int, str], Groups[GroupName]]]:
        groups = self.runs.group_rows
        for new, metric in self._grouped() if groups is not None else ():
            for place in range(len(self._settings.slices)):
                assert groups is not None
                names = self.runs.groups[place].names
                yield (new, place, metric), self._by_group(new, metric, groups.rows[:, place], names)

    def _grouped(self) -> Iterator[tuple[int, str]]:
        """The models and metrics that are tallied by group: the cost and those of --metrics."""
        asked = [metric.name for metric in self._settings.shown_metrics if metric.name in self.metrics]
        return product(range(1, len(self.models)), dict.fromkeys(("cost", *asked)))

    def _by_group(self, new: int, metric: str, groups: Floats, names: Sequence[Any]) -> Groups[Any]:
        """A metric by group; `groups` (f8[n], -1 for none) index `names`."""
        return _named(self._common.by_group(self._column(0, metric), self._column(new, metric), groups), names)

    def changed(self, new: int) -> MostChanged:
        """The rows whose weighted loss changed most."""
        columns = self._column(0), self._column(new)
        found = self._common.largest(*columns, 0.0, self._settings.worst)
        names = self._names([row for row, _ in found])
        return MostChanged(
            self._settings.worst,
            tuple(self._changed(columns, *of, *name) for of, name in zip(found, names, strict=True)),
        )

    def _changed(self, columns: tuple[Column, Column], row: int, size: float, number: int, name: Any) -> Changed:
        old, new = (float(rows[row, place]) for rows, place in columns)
        label = int(self._reference.rows[row, LABEL])
        text = None if label < 0 else str(self.runs.labels.names[label])
        return Changed(size, row + 1, number, name, text, old, new, float(self._reference.rows[row, WEIGHT]))

    def _names(self, rows: Sequence[int]) -> Sequence[tuple[int, str | None]]:
        """(row number, id) of rows (from 0) of the reference; for an item of a list, the number of its row."""
        numbers = [row + 1 + self.runs.before for row in rows]
        if self.runs.row_names is not None:
            return [(n, str(self.runs.row_names.names[row])) for n, row in zip(numbers, rows, strict=True)]
        index = index_of(self._reference.data)
        if index is not None and not np.array_equal(index, np.arange(len(index))):
            return [(n, str(index[row])) for n, row in zip(numbers, rows, strict=True)]
        alone = self._settings.id is None and KINDS[self._settings.kind].labelled
        if alone or not isinstance(self._reference.path, str):
            return [(n, None) for n in numbers]
        feed = opened(self._reference.data, self.labels, self._settings)
        if feed.plan.has_lists:
            return items_at(Scorer(feed.plan), feed.tasks(), rows)
        if self._settings.id is None:
            return [(n, None) for n in numbers]
        found = dict(zip(sorted(rows), ids_at(feed.sources[0], feed.plan.picks[0]["id"], rows), strict=True))
        return [(n, found[row]) for n, row in zip(numbers, rows, strict=True)]


def _named(groups: Groups[int], names: Sequence[Any]) -> Groups[Any]:
    """The groups, renamed from numbers to names."""
    whole = groups.whole
    return Groups((Piece([names[number] for number in whole.names], whole.sums),)) if len(whole.names) else Groups()
