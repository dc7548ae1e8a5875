"""The maths: a Batch in, one float64 per example out, in nats.

``Workings`` computes what several figures share once per batch: the shifted
exponentials, the probabilities, the losses.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from xentcli.arrays import Flags, Floats, Ints
from xentcli.records import replace
from xentcli.scoring.batch import Batch, by_column
from xentcli.scoring.reduction import Reduced
from xentcli.scoring.rows import row_dots, row_sums

__all__ = ["Workings", "among", "brier", "correct", "entropy"]


class Workings:
    """A batch and what is computed from it, each part once.

    Parameters
    ----------
    batch
        Checked rows.
    clip
        None, or EPS: the q of a loss is taken as min(max(q, EPS), 1 - EPS).

    >>> from xentcli.scoring.batch import Batch
    >>> q = np.array([[0.1, 0.5, 0.1, 0.1, 0.2], [0.1, 0.6, 0.1, 0.1, 0.1]])
    >>> rows = np.arange(1, 3)
    >>> Workings(Batch("probs", q, np.array([0, 0]), None, rows)).loss.tolist()
    [2.3025850929940455, 2.3025850929940455]
    """

    def __init__(self, batch: Batch, clip: float | None = None) -> None:
        self.batch = batch
        self.clip = clip

    @property
    def distribution(self) -> Floats | None:
        """f8[n, k]: the targets as distributions, or None where they are class indices."""
        target = self.batch.target
        return None if target is None or target.ndim == 1 else target.astype(np.float64, copy=False)

    @cached_property
    def columns(self) -> Workings:
        """The workings of n x k binary rows, where each column is a problem of its own."""
        return Workings(by_column(self.batch), self.clip)

    def mean_of_columns(self, values: Floats) -> Floats:
        """f8[n]: the means over the columns of values f8[n x k] of `columns`."""
        means: Floats = row_sums(values.reshape(-1, self.batch.classes)) / self.batch.classes
        return means

    def figure(self, function: Callable[..., Floats], *arguments: int) -> Floats:
        """f8[n]: a function of rows; of columns that are problems of their own its mean over them."""
        if self.batch.multilabel:
            return self.mean_of_columns(function(self.columns, *arguments))
        return function(self, *arguments)

    @cached_property
    def soft(self) -> Flags:
        """bool[n]: whether the target of a row, or of one of its columns, is spread over several classes."""
        if self.batch.multilabel:
            any_: Flags = np.logical_or.reduce(self.columns.soft.reshape(-1, self.batch.classes), axis=1)
            return any_
        target = self.distribution
        if target is None:
            return np.zeros(len(self.batch.rows), dtype=bool)
        one_hot: Flags = (np.count_nonzero(target, axis=1) == 1) & (target.max(axis=1) == 1)
        return ~one_hot

    @property
    def index(self) -> Ints:
        """i8[n]: the class that has the most of the target; the class itself unless soft."""
        return self.batch.index

    @cached_property
    def raw_loss(self) -> Floats:
        """f8[n]: -sum_c y_c ln q_c before any clipping; a term with y_c = 0 is 0."""
        return self.mean_of_columns(self.columns.raw_loss) if self.batch.multilabel else self._loss(None)

    @cached_property
    def loss(self) -> Floats:
        """f8[n]: the loss, with q clipped where that was asked for."""
        if self.clip is None:
            return self.raw_loss
        return self.mean_of_columns(self.columns.loss) if self.batch.multilabel else self._loss(self.clip)

    @cached_property
    def each_loss(self) -> Floats:
        """f8[n, k]: what each class would cost if it were the truth, q clipped where that was asked for."""
        return _clipped(self._class_losses(None), self.clip, self.batch.precision)

    def _loss(self, clip: float | None) -> Floats:
        everywhere = self.batch.smoothing or self.batch.per_row
        spread = np.ones(len(self.batch.rows), dtype=bool) if everywhere else self.soft
        result = _clipped(self._hard_losses, clip, self.batch.precision)
        if not spread.any():
            return result
        each = _clipped(self._class_losses(None), clip, self.batch.precision)
        target = self._share_of_loss(spread)
        terms = np.zeros_like(target)
        np.multiply(target, each[spread], out=terms, where=target != 0)
        result = result.copy()
        result[spread] = row_sums(terms)
        return result

    @cached_property
    def _hard_losses(self) -> Floats:
        """f8[n]: what each row would cost if all of its target were on the class with most of it, unclipped."""
        if self.batch.kind == "probs" and not self.batch.binary:
            with np.errstate(divide="ignore"):
                return 0.0 - np.log(np.maximum(self.batch.reduced.label, 0.0))
        if self.batch.kind != "logits":
            return self._class_losses(self.index[:, None])[:, 0]
        found = self.batch.reduced
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            result: Floats = np.log1p(found.sums / found.label)
        if self._shifted is not None:
            result[self.batch.extreme] = self._shifted._class_losses(self._shifted.index[:, None])[:, 0]
        return result

    @cached_property
    def _each_row(self) -> Ints:
        return np.arange(len(self.batch.rows))

    @cached_property
    def _shifted(self) -> Workings | None:
        """The workings of the rows whose powers are extreme alone; None where there are none."""
        extreme = self.batch.extreme
        return self.of_rows(extreme) if len(extreme) else None

    def of_rows(self, rows: Ints) -> Workings:
        """Return the workings of some of the rows (i8[m]) alone."""
        return Workings(self.batch.take(rows), self.clip)

    def loss_of(self, index: Ints) -> Floats:
        """f8[n]: what each row would cost if its label were the class `index` (i8[n]), q clipped where that was asked.

        To a few units in the last place of the larger of the logits it is made from: not for
        a figure that is told.
        """
        batch = self.batch
        if batch.smoothing or (batch.kind == "logits" and len(batch.extreme)):
            return Workings(replace(batch, target=index, known=None), self.clip).loss
        if batch.kind != "logits":
            return _clipped(self._class_losses(index[:, None])[:, 0], self.clip, batch.precision)
        with np.errstate(all="ignore"):
            total = np.log(batch.reduced.label + batch.reduced.sums)
        return _clipped(total - batch.predictions[self._each_row, index], self.clip, batch.precision)

    def _share_of_loss(self, rows: Flags) -> Floats:
        """f8[m, k]: what -ln q of each class counts in the loss of these rows, W_c y'_c / sum_c W_c y_c."""
        batch, target = self.batch, self._spread_target[rows]
        if not batch.smoothing:
            return self._class_weighted(target, target)
        return self._class_weighted((1 - batch.smoothing) * target + batch.smoothing / batch.classes, target)

    @property
    def class_shares(self) -> Floats:
        """f8[n, k]: what part of a row's weight falls on each class, W_c y_c / sum_c W_c y_c; without smoothing."""
        return self._class_weighted(self._spread_target, self._spread_target)

    @property
    def _spread_target(self) -> Floats:
        """f8[n, k]: the targets as distributions, class indices one-hot."""
        if self.distribution is not None:
            return self.distribution
        target = np.zeros(self.batch.predictions.shape)
        np.put_along_axis(target, self.index[:, None], 1.0, axis=1)
        return target

    def _class_weighted(self, share: Floats, target: Floats) -> Floats:
        """f8[m, k]: W_c share_c, divided by the sum_c W_c y_c that the weight of the row has already."""
        batch = self.batch
        if batch.class_weight is None:
            return share
        weighted = share * batch.class_weight
        if batch.per_row:
            return weighted
        divisor = row_sums(target * batch.class_weight)
        # Rows that add to the numerator alone (Batch.free) have no such factor in their weight.
        divisor[divisor == 0] = 1.0
        return weighted / divisor[:, None]

    def _class_losses(self, index: Ints | None) -> Floats:
        """What each row would cost if the truth were class `index` (i8[n, 1]), or each class."""
        values = self.batch.predictions
        if index is not None:
            values = values[self._each_row, index[:, 0]][:, None]
        with np.errstate(divide="ignore", over="ignore"):
            match self.batch.kind:
                case "probs" if self.batch.binary:
                    return _pick(self._binary_losses, index)
                case "probs" | "true-probs":
                    return 0.0 - np.log(np.maximum(values, 0.0))
                case "logits":
                    return (self._top - values) + np.log1p(self._rest)
                case "logprobs" | "true-logprobs":
                    return 0.0 - values
                case _:
                    return values

    @property
    def _binary_losses(self) -> Floats:
        q = self.batch.predictions[:, 1]
        if self.batch.precision is not None:
            # The other class as the tool has it: a difference that was rounded.
            return 0.0 - np.log(np.maximum(self.batch.predictions, 0.0))
        return np.stack([0.0 - np.log1p(-np.minimum(q, 1.0)), 0.0 - np.log(np.maximum(q, 0.0))], axis=1)

    @cached_property
    def predicted(self) -> Ints:
        """i8[n]: the class with the largest prediction; ties go to the first."""
        if self.batch.kind in ("probs", "logits") and not self.batch.multilabel:
            return self.batch.reduced.predicted
        index: Ints = self.batch.predictions.argmax(axis=1)
        return index

    @cached_property
    def confidence(self) -> Floats:
        """f8[n]: the probability of the predicted class."""
        if self.batch.kind == "logits":
            picked = self._shares(self.batch.reduced.top)
            if self._shifted is not None:
                few = self._shifted
                picked[self.batch.extreme] = few.probabilities[few._each_row, few.predicted]
            return picked
        if self.batch.kind == "probs":
            return self.batch.reduced.top
        return self.probabilities[self._each_row, self.predicted]

    def _shares(self, powers: Floats) -> Floats:
        """What part of all exponentials one is; of extreme rows it means nothing."""
        with np.errstate(over="ignore", invalid="ignore"):
            shares: Floats = powers / (self.batch.reduced.label + self.batch.reduced.sums)
        return shares

    @cached_property
    def _top(self) -> Floats:
        return np.take_along_axis(self.batch.predictions, self.predicted[:, None], axis=1)

    @cached_property
    def _exponentials(self) -> Floats:
        """exp(z - max z), with 0 in place of the 1 of the largest.

        The rounding error of a difference d is |d| eps / 2, which exp makes relative: it is
        recovered (D. E. Knuth's two-sum) and put back, exp(d + e) = exp(d) (1 + e).
        """
        z, top = self.batch.predictions, self._top
        with np.errstate(over="ignore", invalid="ignore"):
            difference = z - top
            back = difference - z
            error = (z - (difference - back)) - (top + back)
            result: Floats = np.exp(difference) * np.where(np.isfinite(error), 1.0 + error, 1.0)
        np.put_along_axis(result, self.predicted[:, None], 0.0, axis=1)
        return result

    @cached_property
    def _rest(self) -> Floats:
        """f8[n, 1]: the sum of those exponentials, so that logsumexp(z) = max z + log1p(rest).

        The 1 of the largest logit stays out of the sum: beside it a loss of 1e-18
        would be lost, and log1p gives it back in full.
        """
        return row_sums(self._exponentials)[:, None]

    @cached_property
    def probabilities(self) -> Floats:
        """f8[n, k]: the predicted probabilities, unclipped."""
        match self.batch.kind:
            case "logits":
                largest = 1.0 / (1.0 + self._rest)
                result = self._exponentials * largest
                np.put_along_axis(result, self.predicted[:, None], largest, axis=1)
                return result
            case "logprobs" | "true-logprobs":
                return np.exp(self.batch.predictions)
            case "losses":
                return np.exp(-self.batch.predictions)
            case _:
                return self.batch.predictions

    @cached_property
    def truth(self) -> Floats:
        """f8[n]: the probability of the label; NaN where the target is soft."""
        if self.batch.kind == "logits":
            picked = self._shares(self.batch.reduced.label)
            if self._shifted is not None:
                few = self._shifted
                picked[self.batch.extreme] = few.probabilities[few._each_row, few.index]
        elif self.batch.kind == "probs":
            picked = self.batch.reduced.label
        else:
            picked = self.probabilities[self._each_row, self.index]
        return np.where(self.soft, np.nan, picked)

    @cached_property
    def squares(self) -> Floats:
        """f8[n]: sum_c (q_c - y_c)^2, were all of the target on the class with most of it."""
        if self.batch.kind != "logits":
            probs = self.batch.kind == "probs"
            found = self.batch.reduced if probs else Reduced.of("probs", self.probabilities, self.index)
            missing = 1.0 - found.label
            missing *= missing
            missing += found.squares
            return missing
        found = self.batch.reduced
        with np.errstate(over="ignore", invalid="ignore"):
            total = found.label + found.sums
            wrong = found.sums / total
            total *= total
            result = found.squares / total + wrong * wrong
        if self._shifted is not None:
            result[self.batch.extreme] = spread_squares(self._shifted, None)
        return result


def correct(work: Workings) -> Floats:
    """f8[n]: 1 where the class with the largest prediction is the label, else 0.

    Ties go to the first class; in one column, q = 0.5 predicts the negative class.
    """
    right: Floats = (work.predicted == work.index).astype(np.float64)
    return right


def among(work: Workings, k: int) -> Floats:
    """f8[n]: 1 where the label is among the k classes of the largest predictions, else 0; ties go to the first.

    >>> from xentcli.scoring.batch import Batch
    >>> q = np.array([[0.5, 0.3, 0.2], [0.4, 0.2, 0.4]])
    >>> among(Workings(Batch("probs", q, np.array([1, 2]), None, np.arange(1, 3))), 2).tolist()
    [1.0, 1.0]
    """
    values = work.batch.predictions
    truth = np.take_along_axis(values, work.index[:, None], axis=1)
    before = np.arange(values.shape[1]) < work.index[:, None]
    ahead = np.count_nonzero((values > truth) | ((values == truth) & before), axis=1)
    found: Floats = (ahead < k).astype(np.float64)
    return found


def brier(work: Workings) -> Floats:
    """f8[n]: sum_c (q_c - y_c)^2, from 0 to 2 (G. W. Brier, Monthly Weather Review 78, 1950).

    >>> from xentcli.scoring.batch import Batch
    >>> q = np.array([[0.8, 0.1, 0.1]])
    >>> brier(Workings(Batch("probs", q, np.array([0]), None, np.array([1])))).round(12).tolist()
    [0.06]
    """
    if not work.soft.any():
        return work.squares
    assert work.distribution is not None
    result = work.squares.copy()
    result[work.soft] = spread_squares(work.of_rows(np.flatnonzero(work.soft)), work.distribution[work.soft])
    return result


def spread_squares(work: Workings, distribution: Floats | None) -> Floats:
    """f8[n]: sum_c (q_c - y_c)^2 of targets f8[n, k], or of hard labels."""
    difference = work.probabilities.copy()
    if distribution is None:
        difference[np.arange(len(difference)), work.index] -= 1.0
    else:
        difference -= distribution
    return row_dots(difference, difference)


def entropy(work: Workings) -> Floats:
    """f8[n]: -sum_c y_c ln y_c, the entropy of each target in nats; 0 for a hard label."""
    target = work.distribution
    if target is None:
        return np.zeros(len(work.batch.rows))
    logs = np.zeros_like(target)
    np.log(target, out=logs, where=target > 0)
    return 0.0 - row_sums(target * logs)


def _clipped(losses: Floats, clip: float | None, precision: str | None = None) -> Floats:
    """Losses whose q is kept in [EPS, 1 - EPS], the difference rounded to a dtype."""
    if clip is None:
        return losses
    largest = np.float64(1.0 - clip).astype(precision or "f8")
    bounds = -np.log(np.array([largest, clip]))
    return np.clip(losses, bounds[0] + 0.0, bounds[1])


def _pick(each: Floats, index: Ints | None) -> Floats:
    return each if index is None else np.take_along_axis(each, index, axis=1)
