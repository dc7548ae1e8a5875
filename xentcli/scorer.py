"""One task to one outcome: load, align, match, check, compute, tally.

A Scorer holds only what was decided before the first row, so that any thread may
run any task.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from xentcli.arrays import Flags, Floats, Ints
from xentcli.batch import Batch, checked, with_class_weights
from xentcli.diagnosis import Symptoms
from xentcli.errors import DataError
from xentcli.exact import ExactSum
from xentcli.losses import Workings, correct
from xentcli.metrics import Metric
from xentcli.pairing import Plan
from xentcli.pairing.alignment import RowNames, Task, row_names
from xentcli.pairing.labels import labelled_as
from xentcli.readers.source import Coded, Rows, Values, take
from xentcli.records import record
from xentcli.scores import Figures, Scores
from xentcli.slices import Details, Slices, Worst, WorstRow, coded, step_of
from xentcli.tallies import Mean

__all__ = ["Aligned", "Outcome", "PerExample", "Scorer"]


@record(frozen=True, eq=False)
class PerExample:
    """What --per-example writes of some rows; rows of weight 0 have NaN.

    start is how many rows come before; ids and labels are None where there are none;
    label is None where a target is soft.
    """

    start: int
    count: int
    ids: Sequence[str] | None
    labels: Sequence[str | None] | None
    probability: Floats
    loss: Floats
    weight: Floats


@record(frozen=True, eq=False)
class Outcome:
    """What a task gave. scores is None where ids were missing, and nothing was computed.

    keyed has for each use of --by, and for --cluster, the distinct keys of the rows of
    `figures` and the place of each row's.
    """

    scores: Scores | None
    ids: Sequence[str] = ()
    positions: tuple[Ints, ...] = ()
    row_names: RowNames = RowNames()
    details: Details = Details()
    symptoms: Symptoms = Symptoms()
    examples: tuple[PerExample, ...] = ()
    keyed: Mapping[tuple[str, int], tuple[list[Any], Ints]] = field(default_factory=dict)
    figures: Figures | None = None


@record(frozen=True, eq=False)
class _Piece:
    """Some rows of a task, and those that go with them."""

    start: int
    ours: Rows
    companions: tuple[Rows, ...] | None
    ids: Sequence[str] = ()
    positions: tuple[Ints, ...] = ()


@record(frozen=True, eq=False)
class Aligned:
    """The rows of a task by role, and those of positive weight as a Batch."""

    batch: Batch
    kept: Ints
    rows: int
    underflows: int
    ids: Sequence[str] | None
    ignored: int = 0
    values: Mapping[str, tuple[Rows, Values]] = field(default_factory=dict)


@dataclass(eq=False)
class _Seen:
    """What the pieces of a task gave so far."""

    read: int = 0
    ignored: int = 0
    underflows: int = 0
    missing: bool = False
    ids: list[str] = field(default_factory=list)
    positions: list[list[Ints]] = field(default_factory=list)
    figures: list[Figures] = field(default_factory=list)
    examples: list[PerExample] = field(default_factory=list)
    keys: dict[tuple[str, int], list[Any]] = field(default_factory=dict)
    row_names: RowNames = RowNames()
    worst: Worst = Worst()
    bytes: ExactSum = ExactSum()
    by_column: Slices[int] = field(default_factory=Slices)
    odd_logits: bool = False
    twice: Mean | None = Mean()

    def note(self, piece: _Piece) -> None:
        """Take note of the ids of a piece."""
        self.missing |= piece.companions is None
        self.ids += piece.ids
        self.positions = self.positions or [[] for _ in piece.positions]
        for found, position in zip(self.positions, piece.positions, strict=True):
            found.append(position)

    def add(self, aligned: Aligned, figures: Figures, twice: Mean | None) -> None:
        """Take what is known of the rows of a piece."""
        self.read += aligned.rows
        self.ignored += aligned.ignored
        self.underflows += aligned.underflows
        self.figures.append(figures)
        self.odd_logits |= figures.odd_logits
        self.twice = twice


@record(frozen=True, eq=False)
class Scorer:
    """Scores tasks of a plan."""

    plan: Plan
    per_example: bool = False
    extra: tuple[Metric, ...] = ()
    tail: bool = False

    def __call__(self, task: Task) -> Outcome:
        """Load and score one part of the predictions, piece by piece; tally the rows of all pieces at once."""
        seen = _Seen()
        for piece in self._pieces(task):
            seen.note(piece)
            if piece.companions is None:
                continue
            aligned = self.align(piece.start, piece.ours, piece.companions)
            work = Workings(aligned.batch, self.plan.settings.clip)
            seen.add(
                aligned, Figures.of(work, self.extra, odd_known=seen.odd_logits), Symptoms.twice_of(work, seen.twice)
            )
            if self.plan.compare_row_names:
                seen.row_names = seen.row_names.merge(self._row_names(piece.ours, piece.companions))
            if self.plan.settings.worst:
                seen.worst = seen.worst.merge(self._worst(aligned, work))
            if "bytes" in aligned.values:
                seen.bytes = seen.bytes.merge(self._bytes(aligned))
            if self.plan.settings.by_class and work.batch.multilabel:
                seen.by_column = seen.by_column.merge(_by_column(work))
            if self.per_example:
                seen.examples.append(self._examples(piece.start, aligned, work))
            for place, keys in enumerate(self._keys(aligned, "by")):
                seen.keys.setdefault(("by", place), []).extend(keys)
            for keys in self._keys(aligned, "cluster"):
                seen.keys.setdefault(("cluster", 0), []).extend(keys)
        return self._outcome(seen)

    def _outcome(self, seen: _Seen) -> Outcome:
        """Tally what is known of all rows of a task."""
        ids, positions = tuple(seen.ids), tuple(np.concatenate(found) for found in seen.positions)
        if seen.missing or not seen.figures:
            scores = None if seen.missing else Scores.empty()
            return Outcome(scores, ids, positions, seen.row_names)
        figures = Figures.joined(seen.figures)
        scores = Scores.of(figures, read=seen.read, ignored=seen.ignored, underflows=seen.underflows)
        details = self._details(figures, seen)
        keyed = {key: coded(keys) for key, keys in seen.keys.items()}
        symptoms = Symptoms.of(figures, self._classes(), seen.twice)
        examples = tuple(seen.examples)
        return Outcome(scores, ids, positions, seen.row_names, details, symptoms, examples, keyed, figures)

    def _classes(self) -> int:
        """How many classes rows with one label have; 0 where there are none such."""
        return 0 if self.plan.matcher is None or self.plan.settings.multilabel else len(self.plan.classes)

    def _pieces(self, task: Task) -> Iterator[_Piece]:
        """Load the pieces of a task with the rows that go with them; None in their place where an id is missing."""
        start, done = task.start, 0
        for ours in task.part.pieces(self.plan.picks[0]):
            if self.plan.joins:
                yield _Piece(start + done, ours, *self._joined(ours))
            else:
                companions = task.companions
                if ours.count < task.part.rows:
                    companions = tuple(rows.cut(done, done + ours.count) for rows in companions)
                yield _Piece(start + done, ours, companions)
            done += ours.count

    def keys(self, task: Task) -> tuple[Sequence[str], tuple[Ints, ...], RowNames]:
        """Load only what aligns the rows of a task: ids and their positions, row names."""
        plan = self.plan
        picks = {role: pick for role, pick in plan.picks[0].items() if role in ("id", "index")}
        if not (plan.joins or plan.compare_row_names):
            return (), (), RowNames()
        ours = task.part.load(picks)
        ids = _texts(ours.values["id"]) if plan.joins else ()
        return ids, tuple(join.find(ids) for join in plan.joins), self._row_names(ours, task.companions)

    def _row_names(self, ours: Rows, companions: Sequence[Rows]) -> RowNames:
        if not self.plan.compare_row_names:
            return RowNames()
        return row_names(_texts(ours.values["index"]), _texts(companions[0].values["index"]))

    def _details(self, figures: Figures, seen: _Seen) -> Details:
        """Tally by group what was asked for."""
        plan, loss, weight = self.plan, figures.loss, figures.weight
        by_class: Slices[int] = seen.by_column
        if plan.settings.by_class and not plan.settings.multilabel and not figures.soft.any():
            by_class = Slices.of(figures.index.tolist(), loss, figures.means["accuracy"], weight)
        tail: Slices[int] = Slices.of(step_of(loss).tolist(), loss, None, weight) if self.tail else Slices()
        return Details(by_class=by_class, worst=seen.worst, bytes=seen.bytes, tail=tail)

    def _keys(self, aligned: Aligned, option: str) -> list[list[Any]]:
        """For each use of an option the values of its columns in the rows that are kept; tuples for --by."""
        uses: dict[str, list[list[str]]] = {}
        roles = [role for role in aligned.values if role.partition(".")[0] == option]
        for role in sorted(roles, key=lambda role: [int(number) for number in role.split(".")[1:]]):
            uses.setdefault(role.rpartition(".")[0], []).append(_texts(take(aligned.values[role][1], aligned.kept)))
        if option == "by":
            return [list(zip(*columns, strict=True)) for columns in uses.values()]
        return [column for columns in uses.values() for column in columns]

    def _worst(self, aligned: Aligned, work: Workings) -> Worst:
        most, batch = self.plan.settings.worst, work.batch
        shown = self._keys(aligned, "show")
        classes = self.plan.classes
        labelled = batch.target is not None and not batch.multilabel
        picked = np.lexsort((batch.rows, -work.loss))[:most]
        few = work.of_rows(picked)
        rows = []
        for place, i in enumerate(picked.tolist()):
            index, predicted = (int(work.index[i]), int(work.predicted[i])) if labelled else (0, 0)
            rows.append(
                WorstRow(
                    float(work.loss[i]),
                    int(batch.rows[i]),
                    aligned.ids[int(aligned.kept[i])] if aligned.ids is not None else None,
                    classes[index] if labelled and not work.soft[i] else None,
                    classes[predicted] if labelled else None,
                    float(few.truth[place]) if labelled and not work.soft[i] else None,
                    float(few.probabilities[place, predicted]) if labelled else None,
                    tuple(column[i] for column in shown),
                )
            )
        return Worst(most, tuple(rows))

    def _bytes(self, aligned: Aligned) -> ExactSum:
        """The bytes of the rows, times their weights."""
        rows, column = aligned.values["bytes"]
        assert isinstance(column, np.ndarray)
        counts: Floats = column[aligned.kept, 0]
        bad = np.flatnonzero(~((counts >= 0) & (counts < np.inf)))
        if len(bad):
            row = int(aligned.kept[bad[0]])
            raise DataError(f"{counts[bad[0]]:g} is no number of bytes", place=rows.place("bytes", row, 0))
        weight = aligned.batch.weight
        return ExactSum().add(counts) if weight is None else ExactSum().add_products(counts, weight)

    def load(self, task: Task) -> tuple[Rows, tuple[Rows, ...] | None]:
        """Load a whole part and the rows that go with it; None in their place where an id is missing."""
        ours = task.part.load(self.plan.picks[0])
        return (ours, self._joined(ours)[0]) if self.plan.joins else (ours, task.companions)

    def _joined(self, ours: Rows) -> tuple[tuple[Rows, ...] | None, Sequence[str], tuple[Ints, ...]]:
        """The rows that ids lead to, None where one is missing; the ids, and their positions in each companion."""
        ids = _texts(ours.values["id"])
        positions = tuple(join.find(ids) for join in self.plan.joins)
        if any((found < 0).any() for found in positions):
            return None, ids, positions
        joins = zip(self.plan.joins, positions, strict=True)
        return tuple(join.take(found) for join, found in joins), ids, positions

    def align(self, start: int, ours: Rows, companions: Sequence[Rows]) -> Aligned:
        """Bring the columns of all sources together, and check the rows of positive weight.

        Raises
        ------
        DataError
            At a row that cannot be scored.
        """
        values = {role: (rows, value) for rows in (*companions, ours) for role, value in rows.values.items()}
        weight = self._weights(values)
        count = ours.count
        preds_rows, preds = values["preds"]
        ignored = self._ignored(values)
        counts = np.ones(count, dtype=bool) if weight is None else weight != 0
        if ignored is not None:
            counts &= ~ignored
        kept = np.flatnonzero(counts)
        assert isinstance(preds, np.ndarray)
        predictions: Floats = preds.astype(np.float64, copy=False)
        some = len(kept) < count
        if some:
            predictions = predictions[kept]
        target = None
        if self.plan.matcher is not None:
            label_rows, labels = values["label"]
            chosen = take(labels, kept) if some else labels
            target = self.plan.matcher.targets(chosen, lambda i: label_rows.place("label", int(kept[i]), _only(chosen)))
        if weight is not None:
            weight = weight[kept]
        batch = checked(
            predictions,
            target,
            None if weight is None or (weight == 1).all() else weight,
            rules=self.plan.settings.rules,
            rows=start + 1 + kept,
            where=lambda i, c: preds_rows.place("preds", int(kept[i]), c),
        )
        if self.plan.settings.label_smoothing:
            batch = replace(batch, smoothing=self.plan.settings.label_smoothing)
        if self.plan.class_weights is not None:
            batch = with_class_weights(batch, self.plan.class_weights, self.plan.settings.divides_by_rows)
            kept = batch.rows - (start + 1)
        small = [found for rows in (ours, *companions) for found in rows.underflows]
        positive = set(kept.tolist()) if small else set()
        underflows = sum(role == "weights" or row in positive for role, row in small)
        ids = _texts(values["id"][1]) if "id" in values else None
        return Aligned(batch, kept, count, underflows, ids, 0 if ignored is None else int(ignored.sum()), values)

    def _ignored(self, values: Mapping[str, tuple[Rows, Values]]) -> Flags | None:
        """bool[n]: the rows whose label (or prediction, where there are no labels) says to leave them out."""
        wanted = self.plan.settings.ignored
        return labelled_as(values["label" if "label" in values else "preds"][1], wanted) if wanted else None

    def _weights(self, values: Mapping[str, tuple[Rows, Values]]) -> Floats | None:
        if "weights" not in values:
            return None
        rows, column = values["weights"]
        assert isinstance(column, np.ndarray)
        weight: Floats = column[:, 0].astype(np.float64, copy=False)
        bad = np.flatnonzero(~((weight >= 0) & (weight < np.inf)))
        if len(bad):
            row = int(bad[0])
            raise DataError(
                f"weight {weight[row]:g}; a weight is a finite number from 0 up", place=rows.place("weights", row, 0)
            )
        return weight

    def _examples(self, start: int, aligned: Aligned, work: Workings) -> PerExample:
        batch, kept = aligned.batch, aligned.kept
        weight = np.zeros(aligned.rows)
        weight[kept] = 1.0 if batch.weight is None else batch.weight
        labels: list[str | None] | None = None
        if batch.target is not None and not batch.multilabel:
            labels = [None] * aligned.rows
            for row, index, soft in zip(kept.tolist(), work.index.tolist(), work.soft.tolist(), strict=True):
                labels[row] = None if soft else self.plan.classes[index]
        truth = work.truth if labels is not None else np.exp(-work.raw_loss)
        if batch.multilabel:
            truth = np.full(len(kept), np.nan)
        return PerExample(
            start,
            aligned.rows,
            aligned.ids,
            labels,
            _spread(truth, kept, aligned.rows),
            _spread(work.loss, kept, aligned.rows),
            weight,
        )


def _by_column(work: Workings) -> Slices[int]:
    """Tally by column, where each is a problem of its own."""
    if work.soft.any():
        return Slices()
    each, columns = work.columns, work.batch.classes
    return Slices.of(list(range(columns)) * len(work.batch.rows), each.loss, correct(each), each.batch.weight)


def _spread(values: Floats, kept: Ints, rows: int) -> Floats:
    """Values of the kept rows at their places, NaN elsewhere."""
    result = np.full(rows, np.nan)
    result[kept] = values
    return result


def _texts(values: Values) -> list[str]:
    if isinstance(values, Coded):
        return values.tolist()
    assert isinstance(values, list)
    return values


def _only(values: Values) -> int | None:
    """The column to name in an error: the only one, else none."""
    return 0 if not isinstance(values, np.ndarray) or values.ndim == 1 else None
