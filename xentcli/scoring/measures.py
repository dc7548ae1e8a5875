"""The quantities whose weighted means are metrics: Workings in, f8[n] out. METRICS names them."""

from __future__ import annotations

import numpy as np

from xentcli.arrays import Floats
from xentcli.scoring.losses import Workings
from xentcli.scoring.metrics import Metric
from xentcli.scoring.reduction import Reduced
from xentcli.scoring.rows import row_dots, row_sums

__all__ = [
    "among",
    "brier",
    "correct",
    "divergence",
    "entropy",
    "gap",
    "half_brier",
    "measured",
    "prediction_entropy",
    "reference_loss",
    "wrong",
]


def measured(metric: Metric, work: Workings) -> Floats:
    """f8[n]: the values whose mean is a metric, or its value per row; with --multilabel the mean over columns."""
    function = metric.per_example or metric.of_row
    if isinstance(function, str):
        function = globals()[function]
    assert callable(function)
    return work.figure(function, *(() if metric.argument is None else (metric.argument,)))


def correct(work: Workings) -> Floats:
    """f8[n]: 1 if the class with the largest prediction is the label, else 0.

    Ties go to the first class; in one column, q = 0.5 predicts the negative class.
    """
    right: Floats = (work.predicted == work.index).astype(np.float64)
    return right


def wrong(work: Workings) -> Floats:
    """f8[n]: 0 if the class with the largest prediction is the label, else 1."""
    return 1.0 - correct(work)


def gap(work: Workings) -> Floats:
    """f8[n]: the probability of the predicted class, minus 1 if it is the label; a positive mean is overconfidence.

    >>> from xentcli.scoring.batch import Batch
    >>> from xentcli.scoring.recipe import Recipe
    >>> q = np.array([[0.75, 0.25], [0.75, 0.25]])
    >>> gap(Workings(Batch(Recipe(), q, np.array([0, 1]), None, np.arange(1, 3)))).tolist()
    [-0.25, 0.75]
    """
    return work.confidence - correct(work)


def among(work: Workings, k: int) -> Floats:
    """f8[n]: 1 if the label is among the k classes with the largest predictions, else 0; ties go to the first.

    >>> from xentcli.scoring.batch import Batch
    >>> from xentcli.scoring.recipe import Recipe
    >>> q = np.array([[0.5, 0.3, 0.2], [0.4, 0.2, 0.4]])
    >>> among(Workings(Batch(Recipe(), q, np.array([1, 2]), None, np.arange(1, 3))), 2).tolist()
    [1.0, 1.0]
    """
    values = work.batch.predictions
    truth = np.take_along_axis(values, work.index[:, None], axis=1)
    before = np.arange(values.shape[1]) < work.index[:, None]
    ahead = np.count_nonzero((values > truth) | ((values == truth) & before), axis=1)
    found: Floats = (ahead < k).astype(np.float64)
    return found


def reference_loss(work: Workings) -> Floats:
    """f8[n]: the loss of the forecast of --reference, with the target, smoothing, class weights and clip of the loss.

    >>> from xentcli.scoring.batch import Batch
    >>> from xentcli.scoring.recipe import Recipe
    >>> target, rows = np.array([0]), np.array([1])
    >>> market = Batch(Recipe(), np.array([[0.5, 0.5]]), target, None, rows)
    >>> reference_loss(Workings(Batch(Recipe(), np.array([[0.8, 0.2]]), target, None, rows, reference=market))).tolist()
    [0.6931471805599453]
    """
    reference = work.batch.reference
    if reference is None:
        raise RuntimeError("a metric of --reference is computed without it")
    return Workings(reference).loss


def brier(work: Workings) -> Floats:
    """f8[n]: sum_c (q_c - y_c)^2, from 0 to 2 (G. W. Brier, Monthly Weather Review 78, 1950).

    >>> from xentcli.scoring.batch import Batch
    >>> from xentcli.scoring.recipe import Recipe
    >>> q = np.array([[0.8, 0.1, 0.1]])
    >>> brier(Workings(Batch(Recipe(), q, np.array([0]), None, np.array([1])))).round(12).tolist()
    [0.06]
    """
    result = _hard_squares(work)
    if work.some_soft:
        assert work.distribution is not None
        result[work.soft] = _squares(work.of_rows(np.flatnonzero(work.soft)), work.distribution[work.soft])
    return result


def half_brier(work: Workings) -> Floats:
    """f8[n]: half of `brier`, from 0 to 1: (q - y)^2 of two classes."""
    return 0.5 * brier(work)


def _hard_squares(work: Workings) -> Floats:
    """f8[n]: sum_c (q_c - y_c)^2 for the one-hot target of the class with the largest target."""
    batch = work.batch
    if batch.kind != "logits":
        found = batch.reduced if batch.kind == "probs" else Reduced.of("probs", work.probabilities, work.index)
        missing = 1.0 - found.label
        missing *= missing
        missing += found.squares
        return missing
    found = batch.reduced
    with np.errstate(over="ignore", invalid="ignore"):
        total = found.label + found.sums
        wrong = found.sums / total
        total *= total
        result = found.squares / total + wrong * wrong
    if work.shifted is not None:
        result[batch.extreme] = _squares(work.shifted, None)
    return result


def _squares(work: Workings, distribution: Floats | None) -> Floats:
    """f8[n]: sum_c (q_c - y_c)^2 of targets f8[n, k], or of hard labels."""
    difference = work.probabilities.copy()
    if distribution is None:
        difference[work.each_row, work.index] -= 1.0
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


def divergence(work: Workings) -> Floats:
    """f8[n]: sum_c y_c (ln y_c - ln q_c), the KL divergence of target and prediction; for hard labels the loss.

    Equals the loss minus the entropy of the target, in nats, without cancellation. Without label smoothing and
    class weights.

    >>> from xentcli.scoring.batch import Batch
    >>> from xentcli.scoring.recipe import Recipe
    >>> q = np.array([[0.5, 0.5], [0.5, 0.5]])
    >>> y = np.array([[0.5, 0.5], [1.0, 0.0]])
    >>> divergence(Workings(Batch(Recipe(), q, y, None, np.arange(1, 3)))).tolist()
    [0.0, 0.6931471805599453]
    """
    if not work.some_soft:
        return work.loss
    soft = work.soft
    assert work.distribution is not None
    target, result = work.distribution[soft], work.loss.copy()
    terms, there = np.zeros_like(target), target > 0
    np.log(target, out=terms, where=there)
    np.add(terms, work.each_loss[soft], out=terms, where=there)
    result[soft] = row_sums(target * terms)
    return result


def prediction_entropy(work: Workings) -> Floats:
    """f8[n]: -sum_c q_c ln q_c, the entropy of each prediction in nats, unclipped; 0 for a certain one.

    >>> from xentcli.scoring.batch import Batch
    >>> from xentcli.scoring.recipe import Recipe
    >>> q = np.array([[0.5, 0.5], [1.0, 0.0]])
    >>> prediction_entropy(Workings(Batch(Recipe(), q, np.array([0, 0]), None, np.arange(1, 3)))).tolist()
    [0.6931471805599453, 0.0]
    """
    q, terms = work.probabilities, np.zeros(work.batch.values.shape)
    np.multiply(q, work.class_losses, out=terms, where=q > 0)
    return row_sums(terms) + 0.0
