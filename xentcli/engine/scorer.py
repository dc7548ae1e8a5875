"""Scorer: turns a task into an outcome: load, align, match, check, compute, tally.

A Scorer holds only decisions made before the first row, so any worker can run any task.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

import numpy as np

from xentcli.arrays import Flags, Floats, Ints, distinct
from xentcli.columns.column import Values, concatenated, take, texts_of
from xentcli.columns.keys import Keys, coded, crossed
from xentcli.columns.lists import Items
from xentcli.columns.texts import joined
from xentcli.engine.lists import check_choices, check_missing, first_bytes, unpredicted, unrolled
from xentcli.errors import DataError, Place
from xentcli.pairing import Plan
from xentcli.pairing.alignment import Task
from xentcli.pairing.compared import RowNames, row_names
from xentcli.pairing.labels import WhereRow, labelled_as, labels_among
from xentcli.pairing.matchers import Multilabel
from xentcli.readers.source import Rows
from xentcli.records import cached_property, record, replace
from xentcli.report.details import WORST
from xentcli.scoring.batch import Batch, with_class_weights
from xentcli.scoring.checks import checked
from xentcli.scoring.losses import Workings
from xentcli.scoring.measures import measured
from xentcli.scoring.metrics import Metric, slice_means, wanted
from xentcli.tallies.bins import BINS
from xentcli.tallies.block import NO_FIGURES, Block, Wants, Whole
from xentcli.tallies.bundle import TALLIES, Bundle, asked
from xentcli.tallies.left_out import LeftOut
from xentcli.tallies.scores import Figures

if TYPE_CHECKING:
    from xentcli.report.per_example import Parts, PerExample

__all__ = ["HEAD_ROWS", "Aligned", "Grouped", "Head", "Outcome", "Piece", "Scorer", "Writing", "items_at"]

_GROUPING = ("by", "cluster", "show")
"""The roles that can have any number of columns."""
_MAY_BE_SOFT = ("distribution", "binary")
HEAD_ROWS, _HEAD_NUMBERS = 4096, 1 << 17
"""Rows, and numbers, of a head at most."""
_LIGHT_NUMBERS = 1 << 12


@record(frozen=True, eq=False)
class Head:
    """The first rows of the predictions, for a diagnosis that scores them again: a Batch, from `rows` rows read."""

    batch: Batch
    rows: int

    @classmethod
    def of(cls, batch: Batch, rows: int) -> Head | None:
        """Return the head of a batch from the first `rows` rows; None if it would need much memory."""
        if batch.target is None or min(rows, HEAD_ROWS) * batch.classes > _HEAD_NUMBERS:
            return None
        return cls(batch, rows) if rows <= HEAD_ROWS else cls(batch, rows).first(HEAD_ROWS).copied()

    @property
    def is_light(self) -> bool:
        """Whether a report may hold a copy of it."""
        return self.rows * self.batch.classes <= _LIGHT_NUMBERS

    def first(self, rows: int) -> Head:
        """Return its first rows, which share its memory."""
        return Head(self.batch.take(slice(int(np.searchsorted(self.batch.rows, rows, side="right")))), rows)

    def copied(self) -> Head:
        """Return it with numbers of its own: others may be written over, or be part of a large block."""
        return Head(self.batch.copied(), self.rows)


@record(frozen=True, eq=False)
class Outcome:
    """The result of a task: tallies (None if an id is missing), data for checking the matching, prepared examples.

    `head` is that of the first task.
    """

    bundle: Bundle | None
    ids: Sequence[str] = ()
    positions: tuple[Ints, ...] = ()
    row_names: RowNames = RowNames()
    examples: tuple[Any, ...] = ()
    head: Head | None = None

    def renumbered(self, moved: Callable[[int], int]) -> Outcome:
        """Return the outcome with row numbers mapped by `moved`, of rows after the first."""
        return replace(self, bundle=self.bundle and self.bundle.renumbered(moved), head=None)

    @classmethod
    def joined(cls, outcomes: Iterable[Outcome]) -> Outcome:
        """Return the outcomes of consecutive tasks, at least one, as that of a single task."""
        bundle: Bundle | None = Bundle()
        ids: list[Sequence[str]] = []
        positions: list[tuple[Ints, ...]] = []
        examples: list[Any] = []
        names, head = RowNames(), None
        for outcome in outcomes:
            bundle = None if bundle is None or outcome.bundle is None else bundle.merge(outcome.bundle)
            ids.append(outcome.ids)
            positions.append(outcome.positions)
            names, head = names.merge(outcome.row_names), head or outcome.head
            examples += outcome.examples
        found = tuple(np.concatenate(each) for each in zip(*positions, strict=True))
        return cls(bundle, joined(ids), found, names, tuple(examples), head)


@record(frozen=True, eq=False)
class Piece:
    """Rows of predictions from row `start` on (from 0), and their companions (None if an id is missing).

    With --subset `paired` (bool[n]) says which rows have companions; the others have arbitrary ones as placeholders.
    """

    start: int
    rows: Rows
    companions: tuple[Rows, ...] | None
    ids: Sequence[str] = ()
    positions: tuple[Ints, ...] = ()
    paired: Flags | None = None

    def cut(self, index: int) -> Piece:
        """Return one row (from 0) of the piece, which has companions."""
        assert self.companions is not None
        rows, *companions = (rows.cut(index, index + 1) for rows in (self.rows, *self.companions))
        paired = None if self.paired is None else self.paired[index : index + 1]
        return Piece(self.start + index, rows, tuple(companions), paired=paired)

    def unrolled(self) -> Piece:
        """Return the piece with its lists of predictions expanded to one row per number."""
        if self.companions is None:
            return self
        rows, companions = unrolled(self.rows, self.companions)
        paired = self.paired if self.paired is None or rows.examples is None else self.paired[rows.examples.origin]
        return replace(self, rows=rows, companions=companions, paired=paired)


@record(frozen=True, eq=False)
class _Sides:
    """Targets and weights for the predictions of a piece.

    Attributes
    ----------
    values
        What was read, by role.
    kept
        i8[m]: the rows of positive weight whose label is not ignored.
    target, weight
        Those of the kept rows, as in a Batch.
    left_out
        The other rows, by reason.
    """

    values: Mapping[str, tuple[Rows, Values]]
    kept: Ints
    target: Ints | Floats | None
    weight: Floats | None
    left_out: LeftOut


@record(frozen=True, eq=False)
class Aligned:
    """Aligned rows from `start` on; those of positive weight are a Batch (`unweighted`: without class weights).

    `values` are the columns of --by, --cluster and --show, by role; `bytes` are those of the rows in the batch.
    """

    start: int
    batch: Batch
    unweighted: Batch
    kept: Ints
    rows: int
    underflows: int
    ids: Sequence[str] | None
    left_out: LeftOut = LeftOut()
    values: Mapping[str, Values] = field(default_factory=dict)
    bytes: Floats | None = None
    examples: Items | None = None
    before: int = 0

    @property
    def clusters(self) -> Keys | None:
        """The keys of --cluster of the rows that are kept; None without it."""
        columns = [column for uses in _uses(self, "cluster") for column in uses]
        return coded(take(columns[0], self.kept)) if columns else None

    @classmethod
    def joined(cls, parts: Sequence[Aligned]) -> Aligned:
        """Join consecutive parts whose batches are reduced; the result has no predictions."""
        first = parts[0]
        if len(parts) == 1:
            return first
        batch = Batch.joined([part.batch for part in parts])
        before = itertools.accumulate((part.rows for part in parts), initial=0)
        ids = [part.ids for part in parts if part.ids is not None]
        counts = [part.bytes for part in parts if part.bytes is not None]
        return cls(
            first.start,
            batch,
            batch,
            np.concatenate([part.kept + rows for part, rows in zip(parts, before, strict=False)]),
            sum(part.rows for part in parts),
            sum(part.underflows for part in parts),
            joined(ids) if ids else None,
            functools.reduce(LeftOut.merge, (part.left_out for part in parts)),
            {role: concatenated([part.values[role] for part in parts]) for role in first.values},
            np.concatenate(counts) if counts else None,
            before=first.before,
        )


@record(frozen=False, eq=False)
class _Seen:
    """The results of a task so far; the figures of `blocks` are still to be tallied."""

    missing: bool = False
    ids: list[Sequence[str]] = field(default_factory=list)
    positions: list[list[Ints]] = field(default_factory=list)
    bundle: Bundle = field(default_factory=Bundle)
    blocks: list[Block] = field(default_factory=list)
    examples: list[Any] = field(default_factory=list)
    row_names: RowNames = RowNames()
    head: Head | None = None

    def note(self, piece: Piece) -> None:
        """Record the ids of a piece."""
        self.missing |= piece.companions is None
        self.ids.append(piece.ids)
        self.positions = self.positions or [[] for _ in piece.positions]
        for found, position in zip(self.positions, piece.positions, strict=True):
            found.append(position)

    def add(self, block: Block, names: Sequence[str]) -> None:
        """Add the tallies of these names, and free the predictions."""
        self.bundle = self.bundle.add(block, names)
        self.blocks.append(block.reduced())

    def outcome(self, names: Sequence[str]) -> Outcome:
        """Add the tallies of these names, from the figures of all pieces at once, and return the outcome."""
        positions = tuple(np.concatenate(found) for found in self.positions)
        bundle = None if self.missing else self.bundle
        if bundle is not None and self.blocks:
            bundle = bundle.add(Block.joined(self.blocks), names)
        return Outcome(bundle, joined(self.ids), positions, self.row_names, tuple(self.examples), self.head)


@record(frozen=True, eq=False)
class Needed:
    """What a run computes, which is decided once for a plan.

    Attributes
    ----------
    wants
        The optional tallies.
    whole
        Whether a loss, metric or tally needs the predictions of every row; most diagnoses need only the first.
    of_predictions, of_rows, of_figures
        The names of the tallies by their needs.
    """

    wants: Wants
    whole: bool
    of_predictions: tuple[str, ...]
    of_rows: tuple[str, ...]
    of_figures: tuple[str, ...]

    @classmethod
    def of(cls, wants: Wants, *, whole: bool) -> Needed:
        """Decide for these tallies; `whole` says whether a loss or metric needs the predictions."""
        of_predictions = asked(wants, "predictions")
        whole = whole or not all(TALLIES[name].diagnosis for name in of_predictions)
        return cls(wants, whole, of_predictions, asked(wants, "rows"), asked(wants, "figures"))


@record(frozen=True, eq=False)
class Scorer:
    """Scores tasks of a plan; `metrics` are those to compute (None: the usual ones).

    `calibration` adds the tallies of a calibration with `bins` bins, `fit` the slopes at the starting points of a fit,
    `details` the tallies of these details, and `contents` the hash of the rows.
    """

    plan: Plan
    prepare: Callable[[PerExample], Any] | None = None
    metrics: tuple[Metric, ...] | None = None
    tail: bool = False
    calibration: bool = False
    bins: int = BINS
    fit: bool = False
    details: frozenset[str] = frozenset()
    contents: bool = False

    def __call__(self, task: Task) -> Outcome:
        """Load, score and tally a task: piece by piece, or consecutive reduced pieces at once."""
        seen, needed = _Seen(), self.needed
        for some, run in itertools.groupby(self._aligned(task, seen), functools.partial(self._joins, task.part.rows)):
            if some:
                joined_rows = Aligned.joined([self._looked_at(seen, aligned) for aligned in run])
                self._score(seen, joined_rows, needed.of_rows)
            else:
                for aligned in run:
                    self._score(seen, aligned, (*needed.of_predictions, *needed.of_rows))
        return seen.outcome(needed.of_figures)

    def _aligned(self, task: Task, seen: _Seen) -> Iterator[Aligned]:
        """Load, align and check the pieces of a task."""
        for piece in self.pieces(task):
            seen.note(piece)
            if piece.companions is not None:
                if self.plan.compare_row_names:
                    seen.row_names = seen.row_names.merge(self._row_names(piece.rows, piece.companions))
                aligned = self.align(piece)
                if self.contents:
                    aligned = replace(aligned, before=task.before)
                if not piece.start:
                    seen.head = Head.of(aligned.batch, aligned.rows)
                yield aligned

    @cached_property
    def _metrics(self) -> tuple[Metric, ...]:
        return wanted() if self.metrics is None else self.metrics

    @cached_property
    def needed(self) -> Needed:
        """What is computed; the plan keeps it for further runs."""
        metrics = None if self.metrics is None else tuple([metric.name for metric in self.metrics])
        key = (metrics, self.tail, self.calibration, self.bins, self.fit, self.details, self.contents)
        found: Needed | None = self.plan.derived.get(key)
        if found is None:
            recipe = self.plan.recipe
            every = (*self._metrics, *self.plan.settings.metrics_of_rows)
            whole = any(metric.per_example and not metric.reduced for metric in every)
            whole = bool(recipe.smoothing or recipe.per_row or whole)
            found = self.plan.derived[key] = Needed.of(self._wants(), whole=whole)
        return found

    def _joins(self, rows: int, aligned: Aligned) -> bool:
        """Whether a piece is joined to others of a task of `rows` rows: not if the reduced rows do not suffice."""
        return aligned.rows < rows and aligned.batch.is_reduced and not self.needed.whole

    def _looked_at(self, seen: _Seen, aligned: Aligned) -> Aligned:
        """Add the tallies of diagnoses that need predictions, and free the predictions."""
        names = self.needed.of_predictions
        if not seen.bundle.all_settled(names):
            work = Workings(aligned.batch)
            whole = Whole(work, self._plain(aligned, work), aligned.kept)
            seen.bundle = seen.bundle.add(Block(self.needed.wants, NO_FIGURES, aligned.rows, whole=whole), names)
        batch = aligned.batch.reduced_only()
        return replace(aligned, batch=batch, unweighted=batch)

    @property
    def wants(self) -> Wants:
        """Which optional tallies this run needs."""
        return self.needed.wants

    def _wants(self) -> Wants:
        settings, plan = self.plan.settings, self.plan
        details = self.details if plan.matcher is not None else self.details - {"by_class", "reliability"}
        # Smoothed soft targets have no costs by class.
        by_class = settings.by_class or ("by_class" in details and not settings.label_smoothing)
        binned = self.calibration or "reliability" in details or "bins" in [m.tally for m in self.metrics or ()]
        return Wants(
            classes=() if plan.matcher is None else plan.classes,
            confused=0 if plan.matcher is None or settings.multilabel else len(plan.classes),
            worst=max(settings.worst, WORST if "worst" in details else 0),
            worst_by=settings.worst_by,
            by_class=by_class and not settings.multilabel,
            by_column=by_class and settings.multilabel,
            by_term=by_class and plan.matcher is not None and plan.matcher.matched in _MAY_BE_SOFT,
            by=bool(settings.slices),
            by_share=bool(settings.slices) and any(metric.of_shares for metric in settings.shown_metrics),
            means=slice_means(settings.shown_metrics),
            clusters=settings.cluster is not None,
            bytes=settings.bytes is not None and settings.bytes_in_all is None,
            tail=self.tail or "losses" in details,
            from_one=plan.uncertain_base,
            bins=self.bins if binned else 0,
            calibration=self.calibration,
            fit=self.fit,
            contents=self.contents,
            cut=plan.doubtful_labels and len(plan.classes) == 2,
        )

    def _score(self, seen: _Seen, aligned: Aligned, names: Sequence[str]) -> None:
        """Compute the figures of aligned rows, and add the tallies of these names."""
        work = Workings(aligned.batch)
        block = self._block(aligned, work)
        seen.add(block, names)
        if self.prepare is not None:
            seen.examples.append(self.prepare(self._examples(aligned, work, block)))

    def _block(self, aligned: Aligned, work: Workings) -> Block:
        """Return aligned rows as a block with their figures."""
        show = tuple(column for columns in _uses(aligned, "show") for column in columns)
        return Block(
            self.wants,
            Figures.of(work, self._metrics),
            read=aligned.rows,
            left_out=aligned.left_out,
            underflows=aligned.underflows,
            by=tuple(crossed([coded(take(c, aligned.kept)) for c in columns]) for columns in _uses(aligned, "by")),
            clusters=aligned.clusters,
            bytes=aligned.bytes,
            before=aligned.before,
            whole=Whole(work, self._plain(aligned, work), aligned.kept, aligned.ids, show),
        )

    def _plain(self, aligned: Aligned, work: Workings) -> Workings:
        """The rows of `work` without class weights."""
        return work if aligned.batch is aligned.unweighted else Workings(aligned.unweighted)

    def pieces(self, task: Task) -> Iterator[Piece]:
        """Load the pieces of a task with the rows that go with them."""
        before, companions = 0, self._companions(task)
        part, picks = task.part, self.plan.picks[0]
        for rows in part.pieces(picks) if picks else [Rows("", (), {}, task.start, part.rows, {})]:
            after = before + rows.count
            if self.plan.joins:
                piece = Piece(task.start + before, rows, *self._joined(rows))
            else:
                piece = Piece(task.start + before, rows, tuple(each.cut(before, after) for each in companions))
            yield piece.unrolled() if self.plan.has_lists else piece
            before = after

    def _companions(self, task: Task) -> list[Rows]:
        """Load what goes with the predictions of a task."""
        return [span.load(pick) for span, pick in zip(task.companions, self.plan.picks[1:], strict=False)]

    def keys(self, task: Task) -> tuple[Sequence[str], tuple[Ints, ...], RowNames]:
        """Load the ids of a task, their positions in each companion, and the row names; also loads the companions."""
        plan, companions = self.plan, self._companions(task)
        if not (plan.joins or plan.compare_row_names):
            return (), (), RowNames()
        picks = {role: pick for role, pick in plan.picks[0].items() if role in ("id", "index")}
        rows = task.part.load(picks)
        ids = texts_of(rows.values["id"]) if plan.joins else ()
        return ids, tuple(join.find(ids) for join in plan.joins), self._row_names(rows, companions)

    def _row_names(self, rows: Rows, companions: Sequence[Rows]) -> RowNames:
        if not self.plan.compare_row_names:
            return RowNames()
        return row_names(texts_of(rows.values["index"]), texts_of(companions[0].values["index"]))

    def _joined(self, rows: Rows) -> tuple[tuple[Rows, ...] | None, Sequence[str], tuple[Ints, ...], Flags | None]:
        """The companions, ids, positions in each companion, and `paired` of a Piece."""
        ids, joins = texts_of(rows.values["id"]), self.plan.joins
        positions = tuple(join.find(ids) for join in joins)
        paired: Flags = np.logical_and.reduce([found >= 0 for found in positions])
        if paired.all():
            return tuple(join.take(found) for join, found in zip(joins, positions, strict=True)), ids, positions, None
        if not (self.plan.settings.subset and all(join.rows.count for join in joins)):
            return None, ids, positions, None
        some = (join.take(np.maximum(found, 0)) for join, found in zip(joins, positions, strict=True))
        return tuple(some), ids, positions, paired

    def _sides(self, values: Mapping[str, tuple[Rows, Values]], start: int, count: int, paired: Flags | None) -> _Sides:
        """Find the kept rows among `count`, with targets and weights; those `paired` (None: all) have companions."""
        weight = self._weights(values, paired)
        left_out, counts = self._left_out(values, paired, start)
        if weight is not None:
            counts = weight != 0 if counts is None else counts & (weight != 0)
        kept = np.arange(count) if counts is None else np.flatnonzero(counts)
        target = None
        if self.plan.matcher is not None:
            label_rows, labels = values["label"]
            chosen = take(labels, kept) if len(kept) < count else labels
            target, cells = self._targets(chosen, lambda i: label_rows.place("label", int(kept[i]), _only(chosen)))
            left_out = left_out if cells is None else left_out.merge(cells)
        if weight is not None:
            weight = weight[kept]
            weight = None if (weight == 1).all() else weight
        return _Sides(values, kept, target, weight, left_out)

    def targets(self, task: Task) -> Iterator[Ints | Floats]:
        """Yield the targets of the rows of a task that are scored, whose ids were found."""
        for piece in self.pieces(task):
            if piece.companions is not None:
                values = _by_role((*piece.companions, piece.rows))
                target = self._sides(values, piece.start, piece.rows.count, piece.paired).target
                if target is not None:
                    yield target

    def _targets(self, labels: Values, where: WhereRow) -> tuple[Ints | Floats, LeftOut | None]:
        """The targets of labels (NaN for ignored cells of --multilabel), and the count of ignored cells."""
        matcher, wanted = self.plan.matcher, self.plan.settings.ignored
        assert matcher is not None
        if not (wanted and isinstance(matcher, Multilabel) and isinstance(labels, np.ndarray) and labels.ndim > 1):
            return matcher.targets(labels, where), None
        ignored = labelled_as(labels.reshape(-1), wanted).reshape(labels.shape)
        target = matcher.targets(np.where(ignored, 0, labels), where)
        ordered = ignored[:, list(matcher.order)]
        target[ordered] = np.nan
        met = labels_among(labels[ignored], wanted)
        return target, LeftOut(labels=met, cells=int(np.count_nonzero(ordered)))

    def align(self, piece: Piece) -> Aligned:
        """Bring the columns of all sources together, and check the rows with a positive weight.

        Raises DataError at a row that cannot be scored.
        """
        assert piece.companions is not None
        start, rows, companions = piece.start, piece.rows, piece.companions
        count, recipe = rows.count, self.plan.recipe
        values = _by_role((*companions, rows))
        sides = self._sides(values, start, count, piece.paired)
        kept = sides.kept
        preds_rows, predictions = values["preds"]
        assert isinstance(predictions, np.ndarray)
        if "preds" in preds_rows.lists and sides.target is not None:
            check_choices(sides.target, preds_rows, kept)
        if rows.examples is not None:
            check_missing(predictions, preds_rows, kept)
        batch = checked(
            predictions[kept] if len(kept) < count else predictions,
            sides.target,
            sides.weight,
            recipe=recipe,
            rows=start + 1 + (kept if rows.examples is None else rows.examples.origin[kept]),
            where=lambda i, c: preds_rows.place("preds", int(kept[i]), c),
        )
        if self.plan.reference is not None:
            batch = replace(batch, reference=self._reference(values, sides, batch.rows))
        unweighted = batch
        if recipe.class_weight is not None:
            unweighted = replace(batch, recipe=batch.recipe.unweighted)
            batch = with_class_weights(batch)
            kept = batch.rows - (start + 1)
        small = [found for each in (rows, *companions) for found in each.underflows]
        positive = set(kept.tolist()) if small else set()
        underflows = sum(role == "weights" or row in positive for role, row in small)
        ids = texts_of(values["id"][1]) if "id" in values else rows.examples
        counts = _bytes(*values["bytes"], kept, batch.weight, rows.examples) if self.wants.bytes else None
        grouped = {role: each for role, (_, each) in values.items() if role.partition(".")[0] in _GROUPING}
        left_out = sides.left_out
        return Aligned(start, batch, unweighted, kept, count, underflows, ids, left_out, grouped, counts, rows.examples)

    def _reference(self, values: Mapping[str, tuple[Rows, Values]], sides: _Sides, rows: Ints) -> Batch | None:
        """The forecast of --reference for the kept rows, checked like predictions."""
        reference, kept = self.plan.reference, sides.kept
        if reference is None:
            return None
        found, columns = values.get("reference", (None, None))
        forecast = reference.of_rows(columns, kept)

        def where(row: int, column: int | None) -> Place:
            place = None if column is None else reference.order[column]
            return Place("--reference") if found is None else found.place("reference", int(kept[row]), place)

        recipe = reference.recipe(self.plan.recipe)
        try:
            return checked(forecast, sides.target, None, recipe=recipe, rows=rows, where=where)
        except DataError as error:
            raise reference.refused(error, self.plan.recipe.kind) from None

    def _left_out(
        self, values: Mapping[str, tuple[Rows, Values]], paired: Flags | None, start: int
    ) -> tuple[LeftOut, Flags | None]:
        """Count the rows left out regardless of weight, by their first reason; and bool[n], the remaining rows."""
        left_out = LeftOut() if paired is None else LeftOut(unmatched=int(np.count_nonzero(~paired)))
        ignored, counts, settings = self._ignored(values, start), paired, self.plan.settings
        if ignored is not None:
            ignored &= True if counts is None else counts
            counts = ~ignored if counts is None else counts & ~ignored
        if ignored is not None and ignored.any():
            column = values["label" if "label" in values else "preds"][1]
            met = labels_among(take(column, np.flatnonzero(ignored)), settings.ignored, settings.decimal_of_any)
            left_out = left_out.merge(LeftOut(int(np.count_nonzero(ignored)), met))
        for role in ("preds", "reference") if settings.skip_missing else ():
            predictions = values[role][1] if role in values else None
            if isinstance(predictions, np.ndarray) and predictions.dtype.kind == "f":
                missing: Flags = np.logical_or.reduce(np.isnan(predictions), axis=1)
                missing = missing if counts is None else missing & counts
                left_out = left_out.merge(LeftOut(missing=int(np.count_nonzero(missing))))
                counts = ~missing if counts is None else counts & ~missing
        return left_out, counts

    def _ignored(self, values: Mapping[str, tuple[Rows, Values]], start: int) -> Flags | None:
        """bool[n]: rows left out for their label (for kinds without labels: prediction); None if none can be."""
        wanted = self.plan.settings.ignored
        rows, column = values["label" if "label" in values else "preds"]
        found = labelled_as(column, wanted, self.plan.settings.decimal_of_any) if wanted else None
        none = None if rows.examples is None else unpredicted(column, rows.examples)
        if positions := self.plan.positions:
            # The last position of a sequence has no next token.
            none = np.arange(start + 1, start + 1 + rows.count) % positions == 0
        return found if none is None else none if found is None else found | none

    def _weights(self, values: Mapping[str, tuple[Rows, Values]], paired: Flags | None) -> Floats | None:
        if "weights" not in values:
            return None
        rows, column = values["weights"]
        assert isinstance(column, np.ndarray)
        weight: Floats = column[:, 0].astype(np.float64, copy=False)
        if paired is not None:
            weight = np.where(paired, weight, 0.0)
        bad = np.flatnonzero(~((weight >= 0) & (weight < np.inf)))
        if len(bad):
            row = int(bad[0])
            raise DataError(
                f"weight {weight[row]:g}; a weight is a finite number from 0 up", place=rows.place("weights", row, 0)
            )
        return weight

    def _examples(self, aligned: Aligned, work: Workings, block: Block) -> PerExample:
        batch, kept = aligned.batch, aligned.kept
        weight = np.zeros(aligned.rows)
        weight[kept] = 1.0 if batch.weight is None else batch.weight
        labels: tuple[str | None, ...] | None = None
        index: Ints | None = None
        if batch.target is not None and not batch.multilabel:
            classes = np.full(aligned.rows, -1)
            classes[kept] = np.where(work.soft, -1, work.index)
            found, _, index = distinct(classes)
            labels = tuple(None if label < 0 else self.plan.classes[label] for label in found.tolist())
        if batch.multilabel:
            truth = np.full(len(kept), np.nan)
        else:
            truth = work.truth if labels is not None else work.probabilities[:, 0]
        from xentcli.report.per_example import PerExample

        return PerExample(
            aligned.start,
            aligned.rows,
            aligned.ids,
            labels,
            index,
            _spread(truth, kept, aligned.rows),
            _spread(work.loss, kept, aligned.rows),
            weight,
            kept,
            block.figures.means,
            block.by,
            block.clusters,
            origin=None if aligned.examples is None else aligned.examples.origin,
            columns={
                metric.name: _spread(_of_rows(metric, work, block.figures.means), kept, aligned.rows)
                for metric in self.plan.settings.metrics_of_rows
            },
        )


@record(frozen=True, eq=False)
class Grouped:
    """Scores a group of tasks in a worker; their sums are merged there, so that few bytes return."""

    scorer: Scorer

    def __call__(self, group: Iterable[Task]) -> list[Outcome]:
        """Return one outcome of all tasks."""
        return [Outcome.joined(map(self.scorer, group))]


@record(frozen=True, eq=False)
class Writing:
    """Scores a group of tasks in a worker, which writes the losses of the rows itself, to the file from `parts`."""

    scorer: Scorer
    prepare: Callable[[PerExample], Any]
    parts: Parts

    def __call__(self, group: Sequence[Task]) -> list[Outcome]:
        """Return one outcome of all tasks, its examples prepared."""
        with self.parts(group[0].start) as write:
            return [Outcome.joined(self._written(group, write))]

    def _written(self, group: Sequence[Task], write: Callable[[PerExample], object]) -> Iterator[Outcome]:
        scorer = replace(self.scorer, prepare=_unchanged)
        for task in group:
            outcome = scorer(task)
            for block in outcome.examples:
                write(block)
            yield replace(outcome, examples=tuple(map(self.prepare, outcome.examples)))


def _unchanged(block: PerExample) -> PerExample:
    return block


def _of_rows(metric: Metric, work: Workings, known: Mapping[str, Floats]) -> Floats:
    """f8[n]: a metric of each row, from `known` if there; NaN for soft targets if it needs hard labels."""
    values = known[metric.name] if metric.name in known else measured(metric, work)
    return np.where(work.soft, np.nan, values) if metric.hard else values


def items_at(scorer: Scorer, tasks: Iterable[Task], places: Sequence[int]) -> list[tuple[int, str | None]]:
    """Return (row number, name) of the items of lists at these places (from 0) among all items."""
    found: dict[int, tuple[int, str | None]] = {}
    before, last = 0, max(places, default=-1)
    for piece in (piece for task in tasks for piece in scorer.pieces(task)):
        items = piece.rows.examples
        assert items is not None
        for place in places:
            if before <= place < before + len(items):
                found[place] = (piece.start + int(items.origin[place - before]) + 1, items[place - before])
        before += len(items)
        if before > last:
            break
    return [found[place] for place in places]


def _uses(aligned: Aligned, option: str) -> list[list[Values]]:
    """The columns of each use of an option."""
    uses: dict[str, list[Values]] = {}
    if not aligned.values:
        return []
    roles = [role for role in aligned.values if role.partition(".")[0] == option]
    for role in sorted(roles, key=lambda role: [int(number) for number in role.split(".")[1:]]):
        uses.setdefault(role.rpartition(".")[0], []).append(aligned.values[role])
    return list(uses.values())


def _bytes(rows: Rows, column: Values, kept: Ints, weight: Floats | None, examples: Items | None) -> Floats:
    """f8[m]: the bytes of the rows that are kept."""
    assert isinstance(column, np.ndarray)
    counts: Floats = column[kept, 0]
    if examples is not None:
        counts = first_bytes(counts, examples.origin[kept], weight, rows)
    bad = np.flatnonzero(~((counts >= 0) & (counts < np.inf)))
    if len(bad):
        row = int(kept[bad[0]])
        raise DataError(f"{counts[bad[0]]:g} is not a number of bytes", place=rows.place("bytes", row, 0))
    return counts


def _spread(values: Floats, kept: Ints, rows: int) -> Floats:
    """f8[rows]: the values at the kept rows, NaN elsewhere."""
    result = np.full(rows, np.nan)
    result[kept] = values
    return result


def _by_role(sources: Iterable[Rows]) -> dict[str, tuple[Rows, Values]]:
    """The values of several sources by role, each with its Rows."""
    return {role: (rows, value) for rows in sources for role, value in rows.values.items()}


def _only(values: Values) -> int | None:
    """The column to name in an error: the only one, else none."""
    return 0 if not isinstance(values, np.ndarray) or values.ndim == 1 else None
