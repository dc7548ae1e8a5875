"""Batch: aligned rows of predictions and targets, checked once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xentcli.arrays import Array, Flags, Floats, Ints
from xentcli.records import cached_property, record, replace
from xentcli.scoring.recipe import Recipe
from xentcli.scoring.reduction import Reduced
from xentcli.scoring.rows import row_sums

__all__ = ["Batch", "both_classes", "by_column", "log_scores", "tempered", "with_class_weights"]


class LetGo:
    """Placeholder for the predictions of a reduced batch: only the shape is known; using values raises."""

    def __init__(self, *shape: int) -> None:
        self.shape = shape

    def astype(self, *_: object, **__: object) -> Floats:
        """Raise: there are no numbers."""
        raise RuntimeError("a figure needs the predictions of rows that were reduced: its metric is not `reduced`")

    def copy(self) -> LetGo:
        """Return it."""
        return self

    def __getitem__(self, rows: Ints | slice) -> LetGo:
        """Return the placeholder for some of the rows."""
        chosen = range(self.shape[0])[rows] if isinstance(rows, slice) else rows
        return LetGo(len(chosen), *self.shape[1:])


@record(frozen=True, eq=False)
class Batch:
    """Rows of positive weight, aligned and checked.

    Attributes
    ----------
    recipe
        How a row becomes a loss.
    values
        Floats of any size, (n, k). A single column of a binary problem becomes two: class 0, class 1.
    binary
        Whether the file had a single column; then ln(1-q) is computed as log1p(-q).
    target
        i8[n] class indices, f8[n, k] distributions, or None for kinds without labels; with
        --multilabel f8[n, k], from 0 to 1 each.
    weight
        f8[n], positive, or None if all are 1. A row adds weight x loss to the numerator of the cost, and its
        weight to the denominator.
    free
        bool[n], or None: rows that add nothing to the denominator. With --label-smoothing a row whose target
        is on classes of weight 0 has a loss but does not count in sum b.
    rows
        i8[n], the row number of each, counted from 1.
    deviation
        The largest distance of a row sum from 1 (of logsumexp from 0), in this batch.
    present
        bool[n, k]: with --multilabel the cells that have a label, or None where all have. The loss of a row,
        and each of its figures, is the mean over these, and their share of k is a factor of its weight.
    positive
        f8[n]: of the cells of --multilabel, in `by_column`, the class weight of class 1; None without class weights.
    reference
        The forecast of --reference for the same rows and targets, without weights; None without it.
    known
        The reduced rows, if the checks have computed them.
    """

    recipe: Recipe
    values: Array | LetGo
    target: Ints | Floats | None
    weight: Floats | None
    rows: Ints
    binary: bool = False
    deviation: float | None = None
    known: Reduced | None = None
    free: Flags | None = None
    present: Flags | None = None
    reference: Batch | None = None
    positive: Floats | None = None

    @classmethod
    def joined(cls, batches: Sequence[Batch]) -> Batch:
        """Join at least one reduced batch, all of one recipe; the result has no predictions."""
        first = batches[0]
        weights = [np.ones(len(b.rows)) if b.weight is None else b.weight for b in batches]
        targets, known = [b.target for b in batches if b.target is not None], [b.known for b in batches if b.known]
        deviations = [b.deviation for b in batches if b.deviation is not None]
        references = [b.reference for b in batches if b.reference is not None]
        return replace(
            first,
            values=LetGo(sum(len(b.rows) for b in batches), first.classes),
            target=np.concatenate(targets),
            weight=None if all(b.weight is None for b in batches) else np.concatenate(weights),
            rows=np.concatenate([b.rows for b in batches]),
            deviation=max(deviations, default=None),
            known=Reduced.joined(known),
            reference=Batch.joined(references) if references else None,
        )

    @property
    def is_reduced(self) -> bool:
        """Whether its rows and those of the reference are reduced."""
        return self.known is not None and (self.reference is None or self.reference.known is not None)

    def reduced_only(self) -> Batch:
        """Return a reduced batch without its predictions."""
        reference = None if self.reference is None else self.reference.reduced_only()
        return replace(self, values=LetGo(len(self.rows), self.classes), reference=reference)

    def copied(self) -> Batch:
        """Return it with copies of the predictions and targets, without the reduced rows, which follow from them."""
        target = None if self.target is None else self.target.copy()
        return replace(self, values=self.values.copy(), target=target, rows=self.rows.copy(), known=None)

    def take(self, rows: Ints | slice) -> Batch:
        """Return some of the rows (i8[m], or a slice)."""
        return replace(
            self,
            values=self.values[rows],
            target=None if self.target is None else self.target[rows],
            weight=None if self.weight is None else self.weight[rows],
            rows=self.rows[rows],
            known=None if self.known is None else self.known.take(rows),
            free=None if self.free is None else self.free[rows],
            present=None if self.present is None else self.present[rows],
            reference=None if self.reference is None else self.reference.take(rows),
            positive=None if self.positive is None else self.positive[rows],
        )

    @property
    def mass(self) -> Floats | None:
        """f8[n]: the contribution of each row to the denominator, sum b; None if all are 1."""
        return self.weight if self.free is None or self.weight is None else np.where(self.free, 0.0, self.weight)

    @property
    def is_spread(self) -> bool:
        """Whether the loss of a hard label is more than -ln q of its class: by smoothing, or by weights in the loss."""
        return bool(self.recipe.smoothing) or self.recipe.per_row or self.positive is not None

    @property
    def kind(self) -> str:
        """What the predictions are: a name in KINDS."""
        return self.recipe.kind

    @property
    def multilabel(self) -> bool:
        """Whether each column is a binary problem, and its predictions are of class 1."""
        return self.recipe.multilabel

    @property
    def classes(self) -> int:
        """How many classes a row has; 1 for kinds without labels."""
        return int(self.values.shape[1])

    @property
    def columns_of_cells(self) -> Ints:
        """i8[m]: with --multilabel the column of each row of `by_column`."""
        columns = np.tile(np.arange(self.classes), len(self.rows))
        return columns if self.present is None else columns[self.present.ravel()]

    @cached_property
    def predictions(self) -> Floats:
        """f8[n, k]: the predictions as doubles, converted on first use."""
        return self.values.astype(np.float64, copy=False)

    @cached_property
    def index(self) -> Ints:
        """i8[n]: the class with the largest target; for hard labels the label."""
        if self.target is None:
            return np.zeros(len(self.rows), dtype=np.int64)
        hard = self.target.ndim == 1
        index: Ints = self.target.astype(np.int64, copy=False) if hard else self.target.argmax(axis=1)
        return index

    @cached_property
    def reduced(self) -> Reduced:
        """The reduced rows of probabilities or logits with class-index targets."""
        return self.known or Reduced.of(self.kind, self.predictions, self.index)

    @cached_property
    def extreme(self) -> Ints:
        """i8[m]: the rows of logits whose exponentials overflow or lose digits without subtracting the maximum."""
        return self.reduced.extreme()


def by_column(batch: Batch) -> Batch:
    """Return the columns of a multilabel batch as n x k rows of one binary column each, row by row.

    >>> rows = np.arange(1, 2)
    >>> batch = Batch(Recipe(multilabel=True), np.array([[0.25, 0.5]]), np.array([[1.0, 0.0]]), None, rows)
    >>> by_column(batch).predictions.tolist()
    [[0.75, 0.25], [0.5, 0.5]]
    """
    assert batch.target is not None
    columns, cells, weight = batch.classes, np.arange(batch.target.size), batch.weight
    if batch.present is not None:
        cells = np.flatnonzero(batch.present)
        # The weight of a row is divided among its labelled cells.
        share = columns / np.count_nonzero(batch.present, axis=1)
        weight = share if weight is None else weight * share
    target: Floats = batch.target.reshape(-1)[cells].astype(np.float64)
    weights = batch.recipe.class_weight
    return tempered(
        Batch(
            replace(batch.recipe, multilabel=False, class_weight=None),
            both_classes(batch.kind, batch.predictions.reshape(-1, 1)[cells]),
            np.stack([1 - target, target], axis=1),
            None if weight is None else weight[cells // columns],
            batch.rows[cells // columns],
            binary=True,
            reference=None if batch.reference is None else by_column(batch.reference),
            positive=None if weights is None else weights[cells % columns],
        )
    )


def tempered(batch: Batch) -> Batch:
    """Return the batch at the temperature T of its recipe: logits z / T, or for probabilities logits ln q / T.

    With --multilabel this is left to `by_column`. T = 1 changes nothing.

    >>> batch = Batch(Recipe(temperature=0.5), np.array([[0.25, 0.75]]), np.array([0]), None, np.array([1]))
    >>> np.exp(tempered(batch).predictions).round(12).tolist()    # the squares, before the softmax
    [[0.0625, 0.5625]]
    """
    recipe = batch.recipe
    if recipe.temperature == 1 or recipe.multilabel:
        return batch
    scores = log_scores(batch)
    with np.errstate(over="ignore"):
        divided = scores / recipe.temperature
    if not divided.max(initial=-np.inf) < np.inf and np.isposinf(divided).any():
        # Differences from the maximum do not overflow to +inf.
        divided = (scores - scores.max(axis=1, keepdims=True)) / recipe.temperature
    return replace(batch, recipe=replace(recipe, kind="logits", temperature=1.0), values=divided, known=None)


def log_scores(batch: Batch) -> Floats:
    """f8[n, k]: the logits of each row, or ln q; slightly negative q (within the tolerance) count as 0."""
    q = batch.predictions
    with np.errstate(divide="ignore"):
        if batch.kind != "probs":
            return q
        if not batch.binary:
            shares = np.maximum(q, 0.0)
            return np.log(shares, out=shares)
        return np.stack([np.log1p(-np.minimum(q[:, 1], 1.0)), np.log(np.maximum(q[:, 1], 0.0))], axis=1)


def with_class_weights(batch: Batch) -> Batch:
    """Return the batch with each weight times that of its class, sum_c W_c y_c; with `per_row` only losses have it.

    Rows of weight 0 are left out; with label smoothing they keep their weight and are `free`. With --multilabel only
    losses are weighted too: W_c multiplies the term of class 1 of each cell, as pos_weight does in torch.
    """
    target, recipe = batch.target, batch.recipe
    if recipe.class_weight is None or recipe.per_row or recipe.multilabel:
        return batch
    assert target is not None
    factor = recipe.class_weight[target] if target.ndim == 1 else row_sums(target * recipe.class_weight)
    none = factor == 0
    free = none if recipe.smoothing and none.any() else None
    if free is not None:
        factor = np.where(free, 1.0, factor)
    weight = factor if batch.weight is None else batch.weight * factor
    weighted = replace(batch, weight=weight, free=free)
    kept = weight > 0
    return weighted if kept.all() else weighted.take(np.flatnonzero(kept))


def both_classes(kind: str, column: Floats) -> Floats:
    """Return the numbers for class 0 and class 1, f8[n, 2], from the single column for class 1.

    >>> both_classes("probs", np.array([[0.25], [1.0]])).tolist()
    [[0.75, 0.25], [0.0, 1.0]]
    """
    return _BOTH_CLASSES[kind](column)


def _both_probs(q: Floats) -> Floats:
    return np.concatenate([1 - q, q], axis=1)


def _both_logits(z: Floats) -> Floats:
    return np.concatenate([np.zeros_like(z), z], axis=1)


def _both_logprobs(log_q: Floats) -> Floats:
    """ln(1 - e^l) beside l, computed accurately (M. Maechler, Rmpfr vignette log1mexp)."""
    capped = np.minimum(log_q, 0.0)
    with np.errstate(divide="ignore"):
        other = np.where(capped > -np.log(2), np.log(-np.expm1(capped)), np.log1p(-np.exp(capped)))
    return np.concatenate([other, log_q], axis=1)


_BOTH_CLASSES = {"probs": _both_probs, "logits": _both_logits, "logprobs": _both_logprobs}
