"""Score several models and keep the figures of every row of each, by the rows of the first: the reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Any

import numpy as np

from xentcli.analysis.fit import searched
from xentcli.analysis.row_store import Region, RowStore
from xentcli.analysis.score import Tallied, score, scored
from xentcli.arrays import Array, Flags, Floats, Ints, Words
from xentcli.columns.hashing import TextHash
from xentcli.columns.keys import Keys
from xentcli.columns.vocabulary import Vocabulary
from xentcli.errors import DataError, Place, shown
from xentcli.pairing.join import Keys as IdKeys
from xentcli.records import record, replace
from xentcli.report.per_example import PerExample, Sink
from xentcli.report.report import Report
from xentcli.settings import Settings

__all__ = ["ModelRows", "Runs", "check_alike"]

LOSS, CALIBRATED, WEIGHT, LABEL = 0, 1, -2, -1
"""The columns of a region: the loss, that at the best temperature, the metrics, the weight, the number of the label."""
_SOFT = -1.0
Columns = tuple[Floats | float, ...]
"""The columns of some rows: f8[m], or one number for all."""


@record(frozen=True, eq=False)
class _Block:
    """Rows of a block of one model, as they travel from a worker: columns of a region, and what else is asked."""

    start: int
    count: int
    loss: Floats
    metrics: Columns
    weight: Floats | float
    index: Array | None
    found: Sequence[str | None]
    ids: Sequence[str] | None
    kept: Ints
    groups: tuple[Keys, ...]


@record(frozen=True)
class _Prepare:
    """Makes a _Block in a worker."""

    metrics: tuple[str, ...]
    grouped: bool

    def __call__(self, rows: PerExample) -> _Block:
        """Bring the figures of the rows into columns; a row of weight 0 has no figures."""
        figures = tuple(_at(rows.kept, rows.figures.get(name), rows.count) for name in self.metrics)
        weight = 1.0 if (rows.weight == 1).all() else rows.weight
        index = None if rows.index is None else rows.index.astype(np.int32)
        clusters = () if rows.clusters is None else (rows.clusters,)
        groups = (*rows.by, *clusters) if self.grouped else ()
        about = (rows.found or (), rows.ids, rows.kept, groups)
        return _Block(rows.start, rows.count, rows.loss, figures, weight, index, *about)


def _at(places: Ints, values: Floats | None, rows: int) -> Floats | float:
    """Values at their places (i8[m]) of some rows, NaN elsewhere; without values NaN."""
    if values is None or len(values) == rows:
        return np.nan if values is None else values
    found = np.full(rows, np.nan)
    found[places] = values
    return found


@record(frozen=False, eq=False)
class ModelRows:
    """One model: its report, and the figures of its rows at the rows of the reference.

    Attributes
    ----------
    data
        The predictions, where they are not a path.
    extra, extra_ids
        Rows with an id that the reference does not have, and the first of these ids.
    temperature
        The temperature of least cost; None without a fit, or where `no_fit` says why there is none.
    """

    name: str
    path: str
    region: Region
    data: Any = None
    report: Report | None = None
    extra: int = 0
    extra_ids: tuple[str, ...] = ()
    temperature: float | None = None
    no_fit: str = ""

    @property
    def rows(self) -> Floats:
        """f8[n, columns]: loss, calibrated loss, metrics, weight (NaN where the model lacks the row), label number."""
        return self.region.rows

    @property
    def scores(self) -> Report:
        """The report of the model."""
        assert self.report is not None
        return self.report


@record(frozen=False, eq=False)
class Runs:
    """Runs each model once; the first that succeeds is the reference.

    Attributes
    ----------
    settings
        How each file is read, matched and scored.
    metrics
        The metrics beside the cost whose rows are kept.
    labels
        The names of all labels met, by number.
    groups
        The names of the groups of each --by, then of the clusters, by number.
    group_rows
        Of the reference: the numbers of its groups in each row; -1 for rows that are not scored.
    row_names
        The id of each row, where rows are counted by ids.
    """

    settings: Settings
    metrics: tuple[str, ...]
    store: RowStore
    labels: Vocabulary = field(default_factory=Vocabulary)
    groups: tuple[Vocabulary, ...] = ()
    group_rows: Region | None = None
    row_names: Vocabulary | None = None
    _hash: TextHash = field(default_factory=TextHash.random)
    _ids: IdKeys | None = None
    _hashes: tuple[list[Words], list[Words]] = field(default_factory=lambda: ([], []))
    _count: int | None = None
    _next: int = 0

    @classmethod
    def of(cls, settings: Settings, metrics: tuple[str, ...], hash_: TextHash | None = None) -> Runs:
        """Start with no model; `metrics` are those to keep beside the cost; ids are hashed by `hash_`, or at random."""
        store = RowStore([np.nan] * (len(metrics) + 3) + [_SOFT])
        groups = tuple(Vocabulary() for _ in range(len(settings.slices) + (settings.cluster is not None)))
        return cls(settings, metrics, store, groups=groups, _hash=TextHash.random() if hash_ is None else hash_)

    @property
    def ids(self) -> IdKeys | None:
        """The ids of the reference; None where rows are counted by position."""
        return self._ids

    @property
    def clusters(self) -> Ints | None:
        """i8[n]: the number of the cluster of each row of the reference; None without --cluster."""
        if self.settings.cluster is None or self.group_rows is None:
            return None
        found: Ints = self.group_rows.rows[:, -1].astype(np.int64)
        return found

    def run(
        self,
        name: str,
        data: Any,
        labels: Any,
        settings: Settings,
        *,
        fit: bool,
        needed: Sequence[str] | None = None,
        also: Sink | None = None,
        **beside: Any,
    ) -> ModelRows:
        """Score a model with some settings and keep its rows; with `fit` also its losses at the best temperature.

        Its report has the metrics that are `needed`, by default those whose rows are kept; `also` gets its rows too.
        """
        first = self._count is None
        model = ModelRows(name, data if isinstance(data, str) else name, self.store.region(self._count or 0), data)
        grouped = first and bool(self.groups)

        def restart() -> None:
            model.region, model.extra, model.extra_ids = self.store.region(self._count or 0), 0, ()
            if first:
                self._hashes, self.group_rows, self._next = ([], []), None, 0

        if first:
            # A file before this one may have failed half-way.
            restart()
        write = self._first_written if first else self._written
        sink = Sink(_Prepare(self.metrics, grouped), lambda block: write(model, block), restart).beside(also)
        metrics = self.metrics if needed is None else needed
        model.report, tallied = scored(data, labels, settings, sink=sink, metrics_needed=metrics, slopes=fit, **beside)
        if first:
            self._count = len(model.rows)
            model.region.settle()
            if self._hashes[0]:
                self._ids = IdKeys.of(self._hash, *self._hashes)
        if fit:

            def again(tempered: Settings, sink: Sink) -> object:
                return scored(data, labels, tempered, sink=sink, **beside)

            self._calibrate(model, tallied, again, beside.get("threads"))
        return model

    def _calibrate(
        self, model: ModelRows, tallied: Tallied, again: Callable[[Settings, Sink], object], threads: int | None
    ) -> None:
        """Find the temperature of least cost, and keep the losses at it."""
        if not tallied.feed.repeatable:
            model.no_fit = f"{model.path} is a stream, which cannot be read again for a temperature"
            return
        found = searched(tallied.feed, first=tallied.bundle["slopes"], threads=threads)
        if found.fit is None or found.fit.temperature is None:
            model.no_fit = f"{model.name}: {found.reason}"
            return
        model.temperature = found.fit.temperature

        def write(block: _Block) -> None:
            at, found = self._places(block)
            rows = slice(at, at + block.count) if isinstance(at, int) else at
            model.rows[rows, CALIBRATED] = block.loss if found is None else block.loss[found]

        settings = tallied.plan.settings
        tempered = replace(settings, temperature=settings.temperature * model.temperature)
        again(tempered, Sink(_Prepare((), False), write, lambda: None))

    def run_long(self, column: str, data: Any, labels: Any, **beside: Any) -> list[ModelRows]:
        """Score one file with a row for each model and id, and keep the rows of each model by their ids.

        Raises
        ------
        DataError
            Where a model has two rows of one id.
        """
        path = data if isinstance(data, str) else "predictions"
        names, ids = Vocabulary(), Vocabulary()
        models: list[ModelRows] = []

        def write(block: _Block) -> None:
            (found, codes), *block_groups = block.groups
            numbers = names.add(list(found))
            models.extend(ModelRows(name, path, self.store.region()) for name in names.names[len(models) :])
            assert block.ids is not None
            rows = ids.add(list(block.ids))
            columns = self._numbered(block)
            for code, number in enumerate(numbers.tolist()):
                here = block.kept[codes == code]
                self._put_once(models[number], rows[here], _some(columns, here), ids)
            if block_groups:
                self._note_groups(replace(block, groups=tuple(block_groups)), rows)

        def restart() -> None:
            nonlocal names, ids
            names, ids, self.group_rows = Vocabulary(), Vocabulary(), None
            models.clear()

        settings = replace(self.settings, by=(column, *self.settings.slices))
        sink = Sink(_Prepare(self.metrics, True), write, restart)
        report = score(data, labels, settings, sink=sink, metrics_needed=self.metrics, **beside)
        for model in models:
            model.report = report
        self.row_names = ids
        return models

    def _put_once(self, model: ModelRows, rows: Ints, columns: Columns, ids: Vocabulary) -> None:
        """Write rows that the model must not have yet."""
        known = model.rows
        there = rows[rows < len(known)]
        again = there[~np.isnan(known[there, WEIGHT])]
        if not len(again):
            ordered = np.sort(rows)
            again = ordered[1:][ordered[1:] == ordered[:-1]]
        if len(again):
            raise DataError(
                f"{model.name} has two rows of id {shown(ids.names[int(again[0])])}", place=Place(model.path)
            )
        model.region.put(rows, columns)

    def _first_written(self, model: ModelRows, block: _Block) -> None:
        if block.ids is not None:
            for known, found in zip(self._hashes, self._hash.of(block.ids), strict=True):
                known.append(found)
        # Where rows are lists, an example has not the number of its row.
        start, self._next = self._next, self._next + block.count
        if block.groups:
            self._note_groups(block, start)
        model.region.put(start, self._numbered(block))

    def _written(self, model: ModelRows, block: _Block) -> None:
        at, found = self._places(block)
        columns = self._numbered(block)
        if found is not None:
            extra = np.flatnonzero(~found).tolist()
            if extra and block.ids is not None:
                model.extra += len(extra)
                model.extra_ids = (*model.extra_ids, *(block.ids[i] for i in extra[:3]))[:3]
            columns = _some(columns, found)
        model.region.put(at, columns)

    def _places(self, block: _Block) -> tuple[int | Ints, Flags | None]:
        """Return where rows of a block belong in the reference: from a row on, or by ids of those that have one.

        By ids bool[n] says which of them have one.
        """
        if block.ids is None or self._ids is None:
            return block.start, None
        at = self._ids.find(block.ids)
        found: Flags = at >= 0
        return at[found], found

    def _numbered(self, block: _Block) -> Columns:
        """The columns of a block with the label of each row as its number in `labels`."""
        labels: Floats | float = _SOFT
        if block.found and block.index is not None:
            numbers = self.labels.add([name or "" for name in block.found]).astype(np.float64)
            numbers[[name is None for name in block.found]] = _SOFT
            labels = numbers[block.index]
        return (block.loss, np.nan, *block.metrics, block.weight, labels)

    def _note_groups(self, block: _Block, rows: Ints | int) -> None:
        """Keep the groups of rows: of these, or of those from this one on."""
        if self.group_rows is None:
            self.group_rows = RowStore([-1.0] * len(self.groups)).region()
        numbers = np.full((len(self.groups), block.count), -1.0)
        for place, (names, codes) in enumerate(block.groups):
            numbers[place, block.kept] = self.groups[place].add(list(names))[codes]
        self.group_rows.put(rows, numbers)


def _some(columns: Columns, rows: Flags | Ints) -> Columns:
    """Some rows of columns."""
    return tuple(of[rows] if isinstance(of, np.ndarray) else of for of in columns)


def check_alike(reference: ModelRows, model: ModelRows, runs: Runs, *, one_label_file: bool) -> None:
    """Refuse a model whose rows are not those of the reference; labels of one file need no check.

    Raises
    ------
    DataError
        Where row counts or ids differ without --subset, or the weight or label of a row does.
    """
    one, two, place = reference.rows, model.rows, Place(model.path)
    if len(two) > len(one) or (runs.settings.id is None and model.scores.examples.read != len(one)):
        raise DataError(
            f"{model.scores.examples.read:,} rows, and {reference.path} has {len(one):,}; compared are the same rows",
            place=place,
            advice="--id COLUMN matches rows by id",
        )
    lacking = np.flatnonzero(np.isnan(two[:, WEIGHT]) & ~np.isnan(one[:, WEIGHT]))
    if (model.extra or len(lacking)) and not runs.settings.subset:
        ids = f": {', '.join(map(shown, model.extra_ids))}" if model.extra else ""
        raise DataError(
            f"{model.extra:,} ids are not in {reference.path}{ids}; {len(lacking):,} of its ids are not here",
            place=place,
            advice="--subset compares the rows that both have",
        )
    both = (one[:, WEIGHT] > 0) & (two[:, WEIGHT] > 0)
    for column, what in ((WEIGHT, "weight"), (LABEL, "label"))[: 1 if one_label_file else 2]:
        differ = np.flatnonzero(both & (one[:, column] != two[:, column]))
        if len(differ):
            row = int(differ[0])
            values = [rows[row, column] for rows in (two, one)]
            texts = [f"{v:g}" if column == WEIGHT else shown(runs.labels.names[int(v)]) for v in values]
            raise DataError(
                f"its {what} is {texts[0]}, and {texts[1]} in {reference.path}; compared are the same examples",
                place=Place(model.path, row + 1),
            )
