"""Score several models and keep the figures of every row, aligned with the rows of the first: the reference."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

import numpy as np

from xentcli.analysis.model_blocks import Alone, Block, Columns, Fitted, Job, Prepare, Whole, fitted_rows
from xentcli.analysis.row_store import Region, RowStore
from xentcli.analysis.score import score, scored
from xentcli.arrays import Flags, Floats, Ints, Words
from xentcli.columns.hashing import TextHash
from xentcli.columns.vocabulary import Vocabulary
from xentcli.engine.tasks import over_jobs
from xentcli.errors import DataError, Place, XentError, shown
from xentcli.pairing.join import Keys as IdKeys
from xentcli.records import record, replace
from xentcli.report.per_example import Sink
from xentcli.report.report import Report
from xentcli.settings import Settings

if TYPE_CHECKING:
    from xentcli.analysis.state import Keep

__all__ = ["ModelRows", "Runs", "check_alike"]

LOSS, CALIBRATED, WEIGHT, LABEL = 0, 1, -2, -1
"""Columns of a region: loss, loss at the best temperature, (metrics,) weight, index of the label."""
_SOFT = -1.0
_FEW = 1 << 18
"""A worker may send all rows of a file at once if it has at most this many."""


@record(frozen=False, eq=False)
class ModelRows:
    """One model: its report, and the figures of its rows in the order of the reference.

    Attributes
    ----------
    data
        The predictions, if they are not a path.
    extra, extra_ids
        The number of rows whose id the reference lacks, and the first of these ids.
    fitted
        The temperature of lowest cost.
    """

    name: str
    path: str
    region: Region
    data: Any = None
    report: Report | None = None
    extra: int = 0
    extra_ids: tuple[str, ...] = ()
    fitted: Fitted = Fitted()

    @property
    def rows(self) -> Floats:
        """f8[n, columns]: loss, calibrated loss, metrics, weight (NaN if the model lacks the row), label index."""
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
        The settings for reading, matching and scoring.
    metrics
        The metrics whose rows are kept in addition to the loss.
    labels
        The names of all labels seen, by index.
    groups
        The names of the groups of each --by, then of the clusters, by index.
    group_rows
        For each row of the reference, the indices of its groups; -1 for rows that are not scored.
    row_names
        The id of each row, if rows are matched by ids.
    most
        About how many rows of the reference are kept; None for all.
    before
        With --shard, the number of rows before the first one.
    """

    settings: Settings
    metrics: tuple[str, ...]
    store: RowStore
    labels: Vocabulary = field(default_factory=Vocabulary)
    groups: tuple[Vocabulary, ...] = ()
    group_rows: Region | None = None
    row_names: Vocabulary | None = None
    most: int | None = None
    before: int = 0
    _hash: TextHash = field(default_factory=TextHash.random)
    _ids: IdKeys | None = None
    _hashes: tuple[list[Words], list[Words]] = field(default_factory=lambda: ([], []))
    _count: int | None = None
    _next: int = 0

    @classmethod
    def of(cls, settings: Settings, metrics: tuple[str, ...], hash_: TextHash | None = None) -> Runs:
        """Start with no model; `metrics` are kept in addition to the loss; `hash_` hashes ids (None: a random key)."""
        store = RowStore([np.nan] * (len(metrics) + 3) + [_SOFT])
        groups = tuple(Vocabulary() for _ in range(len(settings.slices) + (settings.cluster is not None)))
        return cls(settings, metrics, store, groups=groups, _hash=TextHash.random() if hash_ is None else hash_)

    @property
    def ids(self) -> IdKeys | None:
        """The ids of the reference; None if rows are matched by position."""
        return self._ids

    @property
    def keeps_all(self) -> bool:
        """Whether the reference has no more rows than are kept."""
        return self.most is None or self._next <= self.most

    @property
    def clusters(self) -> Ints | None:
        """i8[n]: the index of the cluster of each row of the reference; None without --cluster."""
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
        keep: Keep | None = None,
        progress: Callable[[int, float | None], object] | None = None,
        **beside: Any,
    ) -> ModelRows:
        """Score a model and keep its rows; with `fit` also its losses at the best temperature.

        Its report has the metrics `needed` (default: those whose rows are kept). `also` receives its rows too, and
        `keep` the state of the run.
        """
        job, first = (name, data, settings), self._count is None
        model = self.of_no_rows(job)

        def restart() -> None:
            model.region, model.extra, model.extra_ids = self.store.region(self._count or 0), 0, ()
            if first:
                self._hashes, self.group_rows, self._next = ([], []), None, 0

        if first:
            # A file before this one may have failed half-way.
            restart()
        write = self._first_written if first else self._written
        prepare = Prepare(self.metrics, first or labels is None, first and bool(self.groups))
        sink = Sink(prepare, lambda block: write(model, block), restart).beside(also)

        def noted(rows: int, share: float | None) -> None:
            if first and share:
                model.region.reserve(math.ceil(rows / share))
            if progress is not None:
                progress(rows, share)

        metrics = self.metrics if needed is None else needed
        beside = {"progress": noted, "keep": keep, **beside}
        model.report, tallied = scored(data, labels, settings, sink=sink, metrics_needed=metrics, slopes=fit, **beside)
        if first:
            self._count = len(model.rows)
            model.region.settle()
            if self._hashes[0]:
                self._ids = IdKeys.of(self._hash, *self._hashes)
        if fit:
            again = {"threads": None, **beside, "progress": progress}
            del again["keep"]
            model.fitted = fitted_rows(job, labels, tallied, lambda block: self._tempered(model, block), **again)
        return model

    def run_each(
        self,
        jobs: Sequence[Job],
        labels: Any,
        *,
        fit: bool,
        keep: Keep | None = None,
        threads: int | None = None,
        **beside: Any,
    ) -> Iterator[ModelRows | XentError]:
        """Run models in order, and yield each one or its error; `keep` receives the state of each run.

        After the reference, small files are scored in parallel, each in one worker.
        """
        for place, job in enumerate(jobs):
            few = keep is None and self._count is not None and self._count <= _FEW and len(jobs) > place + 1
            if few and _are_files(jobs, labels):
                yield from self._side_by_side(jobs[place:], labels, fit=fit, threads=threads, **beside)
                return
            yield self._tried(job, labels, fit=fit, keep=keep, threads=threads, **beside)

    def _side_by_side(
        self, jobs: Sequence[Job], labels: Any, *, progress: Callable[[int, float], object] | None = None, **beside: Any
    ) -> Iterator[ModelRows | XentError]:
        alone = Alone(labels, self.metrics, beside["fit"], 2 * _FEW)
        for job, whole in zip(jobs, over_jobs(alone, jobs, beside["threads"]), strict=True):
            if whole.error is not None:
                yield whole.error
            elif whole.report is None:
                yield self._tried(job, labels, progress=progress, **beside)
            else:
                if progress is not None:
                    progress(whole.report.examples.read, 1.0)
                yield self._kept(job, whole)

    def _tried(self, job: Job, labels: Any, **beside: Any) -> ModelRows | XentError:
        name, data, settings = job
        try:
            return self.run(name, data, labels, settings, **beside)
        except XentError as error:
            return error

    def of_no_rows(self, job: Job) -> ModelRows:
        """Return a model without rows."""
        name, data, _ = job
        return ModelRows(name, data if isinstance(data, str) else name, self.store.region(self._count or 0), data)

    def _kept(self, job: Job, whole: Whole) -> ModelRows:
        """Keep the rows of a model that one worker scored."""
        model = self.of_no_rows(job)
        for block in whole.blocks:
            self._written(model, block)
        for block in whole.tempered:
            self._tempered(model, block)
        model.report, model.fitted = whole.report, whole.fitted
        return model

    def _tempered(self, model: ModelRows, block: Block) -> None:
        at, found = self._places(block)
        rows = slice(at, at + block.count) if isinstance(at, int) else at
        model.rows[rows, CALIBRATED] = block.loss if found is None else block.loss[found]

    def run_long(self, column: str, data: Any, labels: Any, **beside: Any) -> list[ModelRows]:
        """Score one file with a row per model and id, and keep the rows of each model by id.

        Raises DataError if a model has two rows with one id.
        """
        path = data if isinstance(data, str) else "predictions"
        names, ids = Vocabulary(), Vocabulary()
        models: list[ModelRows] = []

        def write(block: Block) -> None:
            (found, codes), *block_groups = block.groups
            # A reader may code texts alphabetically; models are kept in file order.
            names.add([found[code] for code in dict.fromkeys(codes.tolist())])
            numbers = names.add(list(found))
            models.extend(ModelRows(name, path, self.store.region()) for name in names.names[len(models) :])
            assert block.ids is not None
            rows = ids.add(list(block.ids))
            columns, kept = self._numbered(block), block.kept
            assert kept is not None
            for code, number in enumerate(numbers.tolist()):
                here = kept[codes == code]
                self._put_once(models[number], rows[here], _some(columns, here), ids)
            if block_groups:
                self._note_groups(replace(block, groups=tuple(block_groups)), rows)

        def restart() -> None:
            nonlocal names, ids
            names, ids, self.group_rows = Vocabulary(), Vocabulary(), None
            models.clear()

        settings = replace(self.settings, by=(column, *self.settings.slices))
        sink = Sink(Prepare(self.metrics, labels=True, groups=True), write, restart)
        report = score(data, labels, settings, sink=sink, metrics_needed=self.metrics, **beside)
        for model in models:
            model.report = report
        self.row_names = ids
        return models

    def _put_once(self, model: ModelRows, rows: Ints, columns: Columns, ids: Vocabulary) -> None:
        """Write rows; raises DataError if the model has one of them already."""
        known = model.rows
        there = rows[rows < len(known)]
        again = there[~np.isnan(known[there, WEIGHT])]
        if not len(again):
            ordered = np.sort(rows)
            again = ordered[1:][ordered[1:] == ordered[:-1]]
        if len(again):
            raise DataError(
                f"{model.name} has two rows with id {shown(ids.names[int(again[0])])}", place=Place(model.path)
            )
        model.region.put(rows, columns)

    def _first_written(self, model: ModelRows, block: Block) -> None:
        if not self.keeps_all:
            return
        if block.ids is not None:
            for known, found in zip(self._hashes, self._hash.of(block.ids), strict=True):
                known.append(found)
        if not self._next and block.ids is None:
            self.before = block.start
        # If rows are lists, examples and rows are numbered differently.
        start, self._next = self._next, self._next + block.count
        if block.groups:
            self._note_groups(block, start)
        model.region.put(start, self._numbered(block))

    def _written(self, model: ModelRows, block: Block) -> None:
        at, found = self._places(block)
        columns = self._numbered(block)
        if found is not None:
            extra = np.flatnonzero(~found).tolist()
            if extra and block.ids is not None:
                model.extra += len(extra)
                model.extra_ids = (*model.extra_ids, *(block.ids[i] for i in extra[:3]))[:3]
            columns = _some(columns, found)
        model.region.put(at, columns)

    def _places(self, block: Block) -> tuple[int | Ints, Flags | None]:
        """Return the positions of the rows of a block in the reference: the first one, or with ids those of each row.

        With ids, bool[n] says which rows the reference has.
        """
        if block.ids is None or self._ids is None:
            return block.start - self.before, None
        at = self._ids.find(block.ids)
        found: Flags = at >= 0
        return at[found], found

    def _numbered(self, block: Block) -> Columns:
        """The columns of a block, with each label replaced by its index in `labels`."""
        labels: Floats | float = _SOFT
        if block.found and block.index is not None:
            numbers = self.labels.add([name or "" for name in block.found]).astype(np.float64)
            numbers[[name is None for name in block.found]] = _SOFT
            labels = numbers[block.index]
        return (block.loss, np.nan, *block.metrics, block.weight, labels)

    def _note_groups(self, block: Block, rows: Ints | int) -> None:
        """Keep the groups of the given rows (an array of rows, or the first of consecutive ones)."""
        if self.group_rows is None:
            self.group_rows = RowStore([-1.0] * len(self.groups)).region()
        numbers = np.full((len(self.groups), block.count), -1.0)
        for place, (names, codes) in enumerate(block.groups):
            numbers[place, block.kept] = self.groups[place].add(list(names))[codes]
        self.group_rows.put(rows, numbers)


def _are_files(jobs: Sequence[Job], labels: Any) -> bool:
    """Whether all inputs are files, which any worker can open."""
    further = jobs[-1][2].further_files([])
    paths = [*(data for _, data, _ in jobs), *further, *([] if labels is None else [labels])]
    return all(isinstance(path, str | os.PathLike) and os.path.isfile(path) for path in paths)


def _some(columns: Columns, rows: Flags | Ints) -> Columns:
    """Select rows of columns."""
    return tuple(of[rows] if isinstance(of, np.ndarray) else of for of in columns)


def check_alike(reference: ModelRows, model: ModelRows, runs: Runs, *, one_label_file: bool) -> None:
    """Refuse a model whose rows are not those of the reference; labels of one file need no check.

    Raises DataError if row counts or ids differ without --subset, or the weight or label of a row differs.
    """
    one, two, place = reference.rows, model.rows, Place(model.path)
    if len(two) > len(one) or (runs.settings.id is None and model.scores.examples.read != len(one)):
        raise DataError(
            f"{model.scores.examples.read:,} rows, and {reference.path} has {len(one):,}; compare needs the same rows",
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
                f"its {what} is {texts[0]}, and {texts[1]} in {reference.path}; compare needs the same examples",
                place=Place(model.path, row + 1),
            )
