"""The loss of each row: a Batch in, f8[n] out, in nats.

With target y, prediction q, class weights W, label smoothing E and K classes

    loss = -sum_c s_c ln q_c,    s_c = W_c ((1 - E) y_c + E / K) / sum_c W_c y_c

which is -ln q of the label for most rows: a class index, without smoothing. The weight of the
row has the divisor as a factor (``batch.with_class_weights``), unless the denominator of the
cost is per row: then the divisor is 1. Of a cell of --multilabel W is (1, W_c), and the divisor 1:
the mean over cells of torch's BCEWithLogitsLoss(pos_weight=W). Clipping takes min(max(q, EPS), 1 - EPS) for q.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xentcli.arrays import Flags, Floats, Ints
from xentcli.records import cached_property, replace
from xentcli.scoring.probabilities import Probabilities
from xentcli.scoring.rows import row_sums

__all__ = ["Workings"]


class Workings(Probabilities):
    """A batch with its probabilities and losses, each part computed once.

    >>> from xentcli.scoring.batch import Batch
    >>> from xentcli.scoring.recipe import Recipe
    >>> q = np.array([[0.1, 0.5, 0.1, 0.1, 0.2], [0.1, 0.6, 0.1, 0.1, 0.1]])
    >>> Workings(Batch(Recipe(), q, np.array([0, 0]), None, np.arange(1, 3))).loss.tolist()
    [2.3025850929940455, 2.3025850929940455]
    """

    def figure(self, function: Callable[..., Floats], *arguments: int) -> Floats:
        """f8[n]: a function of the rows; with --multilabel its mean over the columns."""
        if self.batch.multilabel:
            return self.mean_of_columns(function(self.columns, *arguments))
        return function(self, *arguments)

    @cached_property
    def loss(self) -> Floats:
        """f8[n]: the loss, clipped if --clip or --compat asks for it."""
        if self.batch.recipe.clip is None:
            return self.raw_loss
        return self.mean_of_columns(self.columns.loss) if self.batch.multilabel else self._loss(self._clipped)

    @cached_property
    def raw_loss(self) -> Floats:
        """f8[n]: the loss before any clipping."""
        return self.mean_of_columns(self.columns.raw_loss) if self.batch.multilabel else self._loss(lambda loss: loss)

    def _loss(self, clipped: Callable[[Floats], Floats]) -> Floats:
        """f8[n]: -sum_c s_c ln q_c; a term with s_c = 0 is 0 for any q_c."""
        loss, spread = clipped(self._label_losses), self.soft
        if self.batch.is_spread:
            spread = np.ones(len(loss), dtype=bool)
        if self.batch.is_spread or self.some_soft:
            shares = self.shares_of_loss(spread)
            terms = np.zeros_like(shares)
            np.multiply(shares, clipped(self.class_losses)[spread], out=terms, where=shares != 0)
            loss = loss.copy()
            loss[spread] = row_sums(terms)
        return loss

    def _clipped(self, losses: Floats) -> Floats:
        """Return -ln min(max(q, EPS), 1 - EPS) of losses -ln q, the difference rounded to the dtype of --compat."""
        recipe = self.batch.recipe
        if recipe.clip is None:
            return losses
        largest = np.float64(1.0 - recipe.clip).astype(recipe.precision or "f8")
        bounds = -np.log(np.array([largest, recipe.clip]))
        return np.clip(losses, bounds[0] + 0.0, bounds[1])

    # s_c, the part of a loss that is -ln q_c

    def shares_of_loss(self, rows: Flags) -> Floats:
        """f8[m, k]: s_c of these rows, W_c ((1 - E) y_c + E / K) / sum_c W_c y_c."""
        smoothing, target = self.batch.recipe.smoothing, self.spread_target[rows]
        smoothed = (1 - smoothing) * target + smoothing / self.batch.classes if smoothing else target
        return self._class_weighted(smoothed, target, rows)

    @property
    def class_shares(self) -> Floats:
        """f8[n, k]: the share of each class in a row's weight, W_c y_c / sum_c W_c y_c; without smoothing."""
        return self._class_weighted(self.spread_target, self.spread_target, self.each_row)

    @property
    def spread_target(self) -> Floats:
        """f8[n, k]: the targets as distributions, class indices one-hot."""
        if self.distribution is not None:
            return self.distribution
        target = np.zeros(self.batch.values.shape)
        np.put_along_axis(target, self.index[:, None], 1.0, axis=1)
        return target

    def _class_weighted(self, share: Floats, target: Floats, rows: Flags | Ints) -> Floats:
        """f8[m, k]: W_c share_c / sum_c W_c y_c; the divisor is 1 if the row's weight does not contain it."""
        recipe, positive = self.batch.recipe, self.batch.positive
        if positive is not None:
            return np.stack([share[:, 0], positive[rows] * share[:, 1]], axis=1)
        if recipe.class_weight is None:
            return share
        weighted = share * recipe.class_weight
        if recipe.per_row:
            return weighted
        divisor = row_sums(target * recipe.class_weight)
        # Batch.free
        divisor[divisor == 0] = 1.0
        return weighted / divisor[:, None]

    # -ln q_c

    @cached_property
    def each_loss(self) -> Floats:
        """f8[n, k]: the loss if each class were the label; clipped like `loss`."""
        return self._clipped(self.class_losses)

    def loss_of(self, index: Ints) -> Floats:
        """f8[n]: the loss of each row if its label were the class `index` (i8[n]); clipped like `loss`.

        Accurate to a few units in the last place of the larger logit, which is not enough for figures
        that are shown.
        """
        batch = self.batch
        if batch.recipe.smoothing or (batch.kind == "logits" and len(batch.extreme)):
            return Workings(replace(batch, target=index, known=None)).loss
        if batch.kind != "logits":
            return self._clipped(self._class_losses(index))
        with np.errstate(all="ignore"):
            total = np.log(batch.reduced.label + batch.reduced.sums)
        return self._clipped(total - batch.predictions[self.each_row, index])

    @cached_property
    def _label_losses(self) -> Floats:
        """f8[n]: -ln q of the class with the largest target."""
        batch = self.batch
        if batch.kind == "probs" and not batch.binary:
            with np.errstate(divide="ignore"):
                return 0.0 - np.log(np.maximum(batch.reduced.label, 0.0))
        if batch.kind != "logits":
            return self._class_losses(self.index)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            result: Floats = np.log1p(batch.reduced.sums / batch.reduced.label)
        if self.shifted is not None:
            result[batch.extreme] = self.shifted._class_losses(self.shifted.index)
        return result

    @cached_property
    def class_losses(self) -> Floats:
        """f8[n, k]: -ln q of each class, unclipped."""
        return self._class_losses()

    def _class_losses(self, index: Ints | None = None) -> Floats:
        """f8[n, k]: -ln q of each class; with `index` (i8[n]) f8[n]: that of the class `index`."""
        values = self.batch.predictions
        if index is not None:
            values = values[self.each_row, index][:, None]
        with np.errstate(divide="ignore", over="ignore"):
            match self.batch.kind:
                case "probs" if self.batch.binary:
                    losses = self._binary_losses
                    losses = losses if index is None else losses[self.each_row, index][:, None]
                case "probs" | "true-probs":
                    losses = 0.0 - np.log(np.maximum(values, 0.0))
                case "logits":
                    losses = (self.top - values) + np.log1p(self.rest)
                case "logprobs" | "true-logprobs":
                    losses = 0.0 - values
                case _:
                    losses = values
        return losses if index is None else losses[:, 0]

    @property
    def _binary_losses(self) -> Floats:
        """f8[n, 2]: -ln(1 - q) and -ln q of one column q; with --compat the difference is already rounded."""
        if self.batch.recipe.precision is not None:
            return 0.0 - np.log(np.maximum(self.batch.predictions, 0.0))
        q = self.batch.predictions[:, 1]
        return np.stack([0.0 - np.log1p(-np.minimum(q, 1.0)), 0.0 - np.log(np.maximum(q, 0.0))], axis=1)
