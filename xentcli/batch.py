"""Batch: aligned rows of predictions and targets, checked once.

What leaves `checked` holds: every later step may rely on it and checks nothing again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from xentcli.arrays import Array, Flags, Floats, Ints
from xentcli.errors import DataError, Place
from xentcli.records import record, replace
from xentcli.rows import FEW, column_sums, columns_of, first_largest, row_dots, row_sums

__all__ = [
    "KINDS",
    "Batch",
    "Kind",
    "Reduced",
    "Rules",
    "Where",
    "by_column",
    "checked",
    "reduced",
    "target_checked",
    "with_class_weights",
]

_LEAST_POWER = 1e-140
_MANY = 256
"""Of so many numbers in a row the largest is found sooner among the floats than among the doubles."""

Where = Callable[[int, int | None], Place]
"""Say where the i-th row of a block, and the c-th of its prediction columns, stands."""


@record(frozen=True)
class Kind:
    """What a file of predictions holds."""

    name: str
    noun: str
    about: str
    labelled: bool


KINDS = {
    kind.name: kind
    for kind in (
        Kind("probs", "probabilities", "a probability for each class", True),
        Kind("logits", "logits", "a score for each class, before the softmax", True),
        Kind("logprobs", "log-probabilities", "the natural logarithm of each class's probability", True),
        Kind("true-probs", "probabilities of the truth", "only the probability of what was true", False),
        Kind("true-logprobs", "log-probabilities of the truth", "only its natural logarithm", False),
        Kind("losses", "losses", "losses in nats, as --per-example writes them", False),
    )
}


@record(frozen=True)
class Rules:
    """What a row of predictions must be, and what is done to it before it is checked."""

    kind: str = "probs"
    tolerance: float = 0.001
    scale: float = 1.0
    renormalize: bool = False
    multilabel: bool = False

    def scaled(self, predictions: Array) -> Floats:
        """Return predictions (n, k) as they are to be checked: f8[n, k]."""
        doubles: Floats = predictions.astype(np.float64, copy=False)
        return doubles if self.scale == 1.0 else doubles * self.scale


@record(frozen=True, eq=False)
class Batch:
    """Rows of positive weight, aligned and checked.

    Attributes
    ----------
    kind
        A name in KINDS.
    predictions
        f8[n, k], C-ordered. A binary column is two columns here: class 0, class 1. Where
        only `known` was kept of them, they are NaN and take no memory.
    binary
        Whether the file held one column; then ln(1-q) is log1p(-q).
    target
        i8[n] class indices, f8[n, k] distributions, or None for kinds without labels.
    weight
        f8[n], positive, or None where every weight is 1.
    rows
        i8[n], the row number of each, counted from 1.
    deviation
        The largest distance of a row sum from 1 (of logsumexp from 0), in this batch.
    class_weight
        f8[k], or None where every class counts alike. `weight` has it already; only a
        target that is spread over classes needs it again.
    smoothing
        E of label smoothing.
    per_row
        Whether the denominator of a distribution's loss is left without the class weights.
    multilabel
        Whether each column is a binary problem: predictions are of its class 1, and the
        target is f8[n, k], from 0 to 1 each.
    known
        What they were reduced to, where that was computed beforehand.
    """

    kind: str
    predictions: Floats
    target: Ints | Floats | None
    weight: Floats | None
    rows: Ints
    binary: bool = False
    deviation: float | None = None
    class_weight: Floats | None = None
    smoothing: float = 0.0
    per_row: bool = False
    multilabel: bool = False
    known: Reduced | None = None

    @classmethod
    def of_reduced(
        cls, kind: str, found: Reduced, classes: int, target: Ints | Floats | None, weight: Floats | None, rows: Ints
    ) -> Batch:
        """Make a batch of checked rows of which the predictions were let go."""
        nothing = np.broadcast_to(np.nan, (len(rows), classes))
        deviation = None if kind == "logits" else found.deviation
        return cls(kind, nothing, target, weight, rows, deviation=deviation, known=found)

    def take(self, rows: Ints) -> Batch:
        """Return some of the rows (i8[m])."""
        return replace(
            self,
            predictions=self.predictions[rows],
            target=None if self.target is None else self.target[rows],
            weight=None if self.weight is None else self.weight[rows],
            rows=self.rows[rows],
            known=None if self.known is None else self.known.take(rows),
        )

    @property
    def classes(self) -> int:
        """How many classes a row has; 1 for kinds without labels."""
        return int(self.predictions.shape[1])

    @cached_property
    def index(self) -> Ints:
        """i8[n]: the class that has the most of the target; the class itself unless soft."""
        if self.target is None:
            return np.zeros(len(self.rows), dtype=np.int64)
        hard = self.target.ndim == 1
        index: Ints = self.target.astype(np.int64, copy=False) if hard else self.target.argmax(axis=1)
        return index

    @cached_property
    def reduced(self) -> Reduced:
        """What is needed of probabilities, or logits, where targets are class indices."""
        return self.known or Reduced.of(self.kind, self.predictions, self.index)

    @cached_property
    def extreme(self) -> Ints:
        """i8[m]: the rows of logits whose exponentials as they are will not do."""
        return self.reduced.extreme()


@record(frozen=True, eq=False)
class Reduced:
    """What is needed of the numbers of each row where its target is a class index.

    The numbers are probabilities; of logits they are their exponentials, as they are: most
    are moderate, and need no pass for the maximum.

    Attributes
    ----------
    predicted
        i8[n]: the class of the largest number; ties go to the first.
    label, top
        f8[n] each: the number of the label, and that of the predicted class.
    sums
        f8[n]: the sum of probabilities; of exponentials the sum without that of the label.
    squares
        f8[n]: the sum of the squares without that of the label.
    """

    predicted: Ints
    label: Floats
    top: Floats
    sums: Floats
    squares: Floats

    @classmethod
    def room(cls, rows: int) -> Reduced:
        """Return room for those of so many rows."""
        return cls(np.empty(rows, dtype=np.int64), *np.empty((4, rows)))

    @classmethod
    def of(cls, kind: str, predictions: Array, index: Ints, room: Reduced | None = None) -> Reduced:
        """Compute them of predictions (f8[n, k], or shorter floats) and labels (i8[n]), in `room` for n rows.

        >>> Reduced.of("logits", np.log([[2.0, 3.0, 4.0]]), np.array([1])).sums.round(12).tolist()
        [6.0]
        """
        made = room or cls.room(len(predictions))
        rows, classes = predictions.shape
        halves = kind == "logits" and predictions.dtype == np.float16
        # Halves are slow to compare. Unequal ones have unequal powers, but in rows that are extreme.
        numbers = _powers_of_halves(predictions) if halves else predictions
        with np.errstate(all="ignore"):
            if few := classes <= FEW:
                ours = columns_of(numbers)
                first_largest(ours, made.predicted)
                begin, step = _begins(rows, 1), rows
            else:
                ours = np.ascontiguousarray(numbers, dtype=np.float64)
                (ours if classes < _MANY else numbers).argmax(axis=1, out=made.predicted)
                begin, step = _begins(rows, classes), 1
            # What was made here may be written over.
            free = None if np.may_share_memory(ours, predictions) else ours
            if kind == "logits" and not halves:
                ours = free = np.exp(ours, out=free)
            own = begin + index * step
            # Clipping needs no buffer, and nothing is to be clipped.
            ours.reshape(-1).take(own, out=made.label, mode="clip")
            ours.reshape(-1).take(begin + made.predicted * step, out=made.top, mode="clip")
            if kind != "logits":
                (column_sums if few else row_sums)(ours, made.sums)
                ours = ours.copy() if free is None else ours
            ours.reshape(-1)[own] = 0.0
            if kind == "logits":
                (column_sums if few else row_sums)(ours, made.sums)
            if few:
                column_sums(np.multiply(ours, ours, out=ours), made.squares)
            else:
                row_dots(ours, ours, made.squares)
        return made

    def take(self, rows: Ints | slice) -> Reduced:
        """Return those of some rows."""
        label, top, sums, squares = (part[rows] for part in (self.label, self.top, self.sums, self.squares))
        return Reduced(self.predicted[rows], label, top, sums, squares)

    def extreme(self) -> Ints:
        """i8[m]: of logits the rows in which an exponential, or its square, could leave the doubles or lose digits.

        Whatever is no finite number makes its row extreme, and so do logits that are all -inf.
        """
        low, high = np.minimum(self.label, self.sums), np.maximum(self.label, self.sums)
        return np.flatnonzero(~((low > _LEAST_POWER) & (high < 1 / _LEAST_POWER)))

    @property
    def deviation(self) -> float:
        """The largest distance of a sum from 1; 0 of no rows."""
        # Rounding keeps the order: the largest and the smallest sum are the farthest from 1.
        over = np.maximum.reduce(self.sums, initial=-np.inf) - 1
        return float(np.maximum(0.0, np.maximum(over, 1 - np.minimum.reduce(self.sums, initial=np.inf))))

    def plain(self, rules: Rules, classes: int) -> bool:
        """Whether every row is what its kind says, so plainly that nothing more is to be looked at.

        Of probabilities that none is negative is left to be seen.
        """
        if rules.kind == "logits":
            return all(
                np.minimum.reduce(part) > _LEAST_POWER and np.maximum.reduce(part) < 1 / _LEAST_POWER
                for part in (self.label, self.sums)
            )
        return self.deviation <= rules.tolerance + _rounding(classes)


def _powers_of_halves(halves: Array) -> Floats:
    """Return the exponentials of float16: f8 of the same shape."""
    powers = np.empty(halves.shape)
    _powers_by_bits().take(np.ascontiguousarray(halves).view(np.uint16), out=powers, mode="clip")
    return powers


@lru_cache(maxsize=1)
def _powers_by_bits() -> Floats:
    """f8[65536]: exp of each float16, by its bits."""
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    with np.errstate(all="ignore"):
        powers: Floats = np.exp(halves.astype(np.float64))
    return powers


@lru_cache(maxsize=4)
def _begins(rows: int, columns: int) -> Ints:
    """Where each row begins; the same for each piece."""
    begin = np.arange(0, rows * columns, columns)
    begin.flags.writeable = False
    return begin


def reduced(predictions: Array, index: Ints, rules: Rules, room: Reduced | None = None) -> Reduced | None:
    """Reduce rows of probabilities or logits (f8[n, k] or shorter floats, k > 1) with labels (i8[n]).

    None unless all are plainly what they should be: then `checked` says what is wrong, if
    anything is. `room` may be given for the n rows.
    """
    if rules.scale != 1.0:
        predictions = rules.scaled(predictions)
    if rules.kind == "probs" and not np.minimum.reduce(predictions, axis=None) >= 0:
        return None
    found = Reduced.of(rules.kind, predictions, index, room)
    return found if found.plain(rules, predictions.shape[1]) else None


def checked(
    predictions: Floats,
    target: Ints | Floats | None,
    weight: Floats | None,
    *,
    rules: Rules,
    rows: Ints,
    where: Where,
) -> Batch:
    """Check rows of predictions (f8[n, k]) and make a Batch of them.

    Raises
    ------
    DataError
        At the first row that is not what its kind says, with what the row looks like.
    """
    # What is no number at all may overflow here before it is refused.
    with np.errstate(invalid="ignore", over="ignore"):
        return _checked(predictions, target, weight, rules, rows, where)


def _checked(
    predictions: Floats, target: Ints | Floats | None, weight: Floats | None, rules: Rules, rows: Ints, where: Where
) -> Batch:
    kind = KINDS[rules.kind]
    predictions = rules.scaled(predictions)
    if rules.multilabel:
        _CHECKS[rules.kind](predictions.reshape(-1, 1), rules, _by_cell(where, predictions.shape[1]))
        return Batch(rules.kind, predictions, target, weight, rows, multilabel=True)
    single = predictions.shape[1] == 1
    deviation: float | None
    if rules.renormalize:
        predictions, deviation = _renormalized(predictions, where)
        _check_probs(predictions, rules, where)
    elif rules.kind == "logits":
        deviation = None
    else:
        deviation = _CHECKS[rules.kind](predictions, rules, where)
    binary = single and kind.labelled
    both = _BOTH_CLASSES[rules.kind](predictions) if binary else predictions
    batch = Batch(rules.kind, both, target, weight, rows, binary, deviation)
    if rules.kind == "logits" and len(extreme := batch.extreme):
        _check_logits(predictions[extreme], rules, lambda row, column: where(int(extreme[row]), column))
    return batch


def _by_cell(where: Where, columns: int) -> Where:
    """Say where a number stands that is counted cell by cell."""
    return lambda cell, _: where(cell // columns, cell % columns)


def by_column(batch: Batch) -> Batch:
    """Return the columns of a multilabel batch as n x k rows of one binary column each, row by row.

    >>> rows = np.arange(1, 2)
    >>> batch = Batch("probs", np.array([[0.25, 0.5]]), np.array([[1.0, 0.0]]), None, rows, multilabel=True)
    >>> by_column(batch).predictions.tolist()
    [[0.75, 0.25], [0.5, 0.5]]
    """
    assert batch.target is not None
    columns = batch.classes
    target: Floats = batch.target.reshape(-1).astype(np.float64)
    return Batch(
        batch.kind,
        _BOTH_CLASSES[batch.kind](batch.predictions.reshape(-1, 1)),
        np.stack([1 - target, target], axis=1),
        None if batch.weight is None else np.repeat(batch.weight, columns),
        np.repeat(batch.rows, columns),
        binary=True,
    )


def with_class_weights(batch: Batch, class_weight: Floats, by_rows: bool = False) -> Batch:
    """Return the batch with each weight times that of its class, sum_c W_c y_c; rows for which it is 0 are left out.

    Parameters
    ----------
    batch
        Checked rows with a target.
    class_weight
        f8[k], finite, 0 or more.
    by_rows
        Leave the weights of rows whose targets are distributions as they are.
    """
    target = batch.target
    assert target is not None
    if by_rows and target.ndim == 2:
        return replace(batch, class_weight=class_weight, per_row=True)
    factor = class_weight[target] if target.ndim == 1 else row_sums(target * class_weight)
    weight = factor if batch.weight is None else batch.weight * factor
    weighted = replace(batch, weight=weight, class_weight=class_weight)
    kept = weight > 0
    return weighted if kept.all() else weighted.take(np.flatnonzero(kept))


def target_checked(target: Floats, tolerance: float, where: Where) -> Floats:
    """Check target distributions, f8[n, k]: from 0 to 1, each row summing to 1 within `tolerance`.

    Raises
    ------
    DataError
        At the first row that is no distribution.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        sums = row_sums(target)
        good = (np.abs(sums - 1) <= tolerance + _rounding(target.shape[1])) & (target.min(axis=1) >= 0)
    row = _first_false(good)
    if row is None:
        return target
    values = target[row]
    odd = np.flatnonzero(~((values >= 0) & (values <= 1 + tolerance)))
    if len(odd):
        raise DataError(
            f"{_number(values[odd[0]])} is not a target probability; one-hot and soft targets lie from 0 to 1",
            place=where(row, int(odd[0])),
        )
    raise DataError(
        f"the targets sum to {_number(sums[row])}; a one-hot or soft target sums to 1",
        place=where(row, None),
        advice=("one label column: --label NAME", "a yes or no in each column: --multilabel"),
    )


def _first_false(good: Any) -> int | None:
    return None if good.all() else int(np.argmin(good))


def _rounding(columns: int) -> float:
    """How far from exact a row sum about 1 can be by its own rounding."""
    return (columns + 1) * 2.0**-52


def _number(value: float) -> str:
    return f"{value:.6g}"


def _renormalized(predictions: Floats, where: Where) -> tuple[Floats, float]:
    if predictions.shape[1] == 1:
        raise DataError("one column has no row sum to divide by (--renormalize)", place=where(0, 0))
    sums = row_sums(predictions)
    row = _first_false((sums > 0) & np.isfinite(sums))
    if row is not None:
        raise DataError(
            f"the row sums to {_number(sums[row])}; only a positive sum can be divided by (--renormalize)",
            place=where(row, None),
        )
    return predictions / sums[:, None], _largest(np.abs(sums - 1))


def _largest(values: Floats) -> float:
    return float(values.max()) if len(values) else 0.0


def _check_probs(q: Floats, rules: Rules, where: Where) -> float | None:
    """q in [-tau, 1+tau] and, with two columns or more, row sums within tau of 1."""
    tau = rules.tolerance
    if q.shape[1] == 1:
        row = _first_false(((q >= -tau) & (q <= 1 + tau))[:, 0])
        if row is not None:
            _refuse_probs(q[row], rules, row, where)
        return None
    if not len(q):
        return 0.0
    sums = row_sums(q)
    off = np.abs(sums - 1)
    good = off <= tau + _rounding(q.shape[1])
    lowest = q.min()
    if good.all() and lowest >= 0:
        return _largest(off)
    row = _first_false(good & ((q >= -tau) & (q <= 1 + tau)).all(axis=1))
    if row is not None:
        _refuse_probs(q[row], rules, row, where)
    return _largest(off)


def _check_logits(z: Floats, rules: Rules, where: Where) -> None:
    """No NaN, no +inf; -inf masks a class out, but not all of them."""
    top = z.max(axis=1)
    # One column is the logit of class 1 beside a 0: -inf masks class 1 out.
    row = _first_false(np.isfinite(top) | (np.isneginf(top) & (z.shape[1] == 1)))
    if row is None:
        return
    values = z[row]
    _refuse_odd(
        values, np.isnan(values), "a logit is a finite number, or -inf for a class that is masked out", row, where
    )
    _refuse_odd(
        values, values == np.inf, "a logit is finite; an infinite one usually means an overflow in training", row, where
    )
    raise DataError("every logit of the row is -inf: some class must be possible", place=where(row, None))


def _check_logprobs(log_q: Floats, rules: Rules, where: Where) -> float | None:
    """l <= tau and, with two columns or more, abs(logsumexp(l)) <= tau."""
    tau = rules.tolerance
    top = log_q.max(axis=1)
    good = top <= tau
    off = None
    if log_q.shape[1] > 1:
        with np.errstate(invalid="ignore"):
            off = np.abs(top + np.log(row_sums(np.exp(log_q - top[:, None]))))
            good &= off <= tau + _rounding(log_q.shape[1])
    row = _first_false(good)
    if row is not None:
        _refuse_logprobs(log_q[row], rules, row, where)
    return None if off is None else _largest(off)


def _check_true_probs(q: Floats, rules: Rules, where: Where) -> None:
    tau = rules.tolerance
    row = _first_false(((q >= 0) & (q <= 1 + tau)).all(axis=1))
    if row is not None:
        value = float(q[row, 0])
        looks = "--kind true-logprobs reads logarithms" if value < 0 else _scale_hint(value)
        raise DataError(f"{_number(value)} is not a probability", place=where(row, 0), advice=looks)


def _check_true_logprobs(log_q: Floats, rules: Rules, where: Where) -> None:
    row = _first_false((log_q <= rules.tolerance).all(axis=1))
    if row is not None:
        raise DataError(
            f"{_number(float(log_q[row, 0]))} is not the logarithm of a probability, which is at most 0",
            place=where(row, 0),
            advice=("--kind true-probs reads probabilities", "--kind losses reads losses, which are -ln q"),
        )


def _check_losses(losses: Floats, rules: Rules, where: Where) -> None:
    row = _first_false((losses > -np.inf).all(axis=1))
    if row is not None:
        raise DataError(
            f"{losses[row, 0]:g} is not a loss",
            place=where(row, 0),
            advice="rows of weight 0 may be nan: --weights COLUMN",
        )


_CHECKS: dict[str, Callable[[Floats, Rules, Where], float | None]] = {
    "probs": _check_probs,
    "logits": _check_logits,
    "logprobs": _check_logprobs,
    "true-probs": _check_true_probs,
    "true-logprobs": _check_true_logprobs,
    "losses": _check_losses,
}


def _both_probs(q: Floats) -> Floats:
    return np.concatenate([1 - q, q], axis=1)


def _both_logits(z: Floats) -> Floats:
    return np.concatenate([np.zeros_like(z), z], axis=1)


def _both_logprobs(log_q: Floats) -> Floats:
    """ln(1 - e^l) by the form that keeps its digits (M. Maechler, Rmpfr vignette log1mexp)."""
    capped = np.minimum(log_q, 0.0)
    with np.errstate(divide="ignore"):
        other = np.where(capped > -np.log(2), np.log(-np.expm1(capped)), np.log1p(-np.exp(capped)))
    return np.concatenate([other, log_q], axis=1)


_BOTH_CLASSES = {"probs": _both_probs, "logits": _both_logits, "logprobs": _both_logprobs}


def _refuse_odd(values: Floats, odd: Flags, why: str, row: int, where: Where) -> None:
    if odd.any():
        column = int(np.argmax(odd))
        raise DataError(f"got {_number(values[column])}; {why}", place=where(row, column))


def _refuse_probs(values: Floats, rules: Rules, row: int, where: Where) -> None:
    """Say why a row is not made of probabilities, and what it looks like instead."""
    tau = rules.tolerance
    _refuse_odd(
        values, ~np.isfinite(values) & ~np.isneginf(values), "a probability is a number from 0 to 1", row, where
    )
    total = float(np.add.reduce(values))
    if (values <= 0).all() and (values < -tau).any():
        raise DataError(
            f"{_listed(values)} are not probabilities: none is above 0",
            place=where(row, None),
            advice=_negative_readings(values, rules),
        )
    odd = np.flatnonzero((values < -tau) | (values > 1 + tau))
    if len(odd):
        column = int(odd[0])
        if len(values) > 1 and (values >= 0).all() and abs(total - 100) <= 100 * max(tau, 0.01):
            advice: tuple[str, ...] = (f"the row sums to {_number(total)}: percent? --scale 0.01",)
        elif len(values) == 1:
            advice = tuple(
                filter(None, (_scale_hint(float(values[0])), "--kind logits reads scores before the sigmoid"))
            )
        else:
            advice = ("scores before the softmax: --kind logits", "a column that is no prediction: --preds NAME,...")
        raise DataError(
            f"{_number(values[column])} is not a probability, which lies from 0 to 1",
            place=where(row, column),
            advice=advice,
        )
    raise DataError(
        f"the row sums to {_number(total)}, not to 1 within {tau:g}",
        place=where(row, None),
        advice=_sum_advice(values, total),
    )


def _negative_readings(values: Floats, rules: Rules) -> tuple[str, ...]:
    """Both readings of values that are all 0 or less."""
    top = values.max()
    off = abs(top + np.log(np.add.reduce(np.exp(values - top)))) if np.isfinite(top) else np.inf
    if len(values) == 1:
        return ("if it is a log-probability: --kind logprobs", "if it is a score before the sigmoid: --kind logits")
    if off <= rules.tolerance:
        return (
            "log-probabilities (their exponentials sum to 1): --kind logprobs",
            "scores before the softmax: --kind logits",
        )
    return (
        "scores before the softmax: --kind logits",
        "log-probabilities (--kind logprobs), but their exponentials do not sum to 1",
    )


def _refuse_logprobs(values: Floats, rules: Rules, row: int, where: Where) -> None:
    _refuse_odd(values, np.isnan(values), "a log-probability is at most 0", row, where)
    odd = values > rules.tolerance
    if odd.any():
        column = int(np.argmax(odd))
        total = float(np.add.reduce(values))
        probs = (values >= 0).all() and (len(values) == 1 or abs(total - 1) <= rules.tolerance)
        advice = "these look like probabilities: --kind probs" if probs else "scores before the softmax: --kind logits"
        raise DataError(
            f"{_number(values[column])} is not a log-probability, which is at most 0",
            place=where(row, column),
            advice=advice,
        )
    total = float(np.add.reduce(np.exp(values)))
    raise DataError(
        f"the probabilities of the row sum to {_number(total)}, not to 1 within {rules.tolerance:g}",
        place=where(row, None),
        advice="scores that are not normalised: --kind logits",
    )


def _scale_hint(value: float) -> str:
    return "percent? --scale 0.01" if 1 < value <= 100 else ""


def _listed(values: Floats) -> str:
    few = ", ".join(_number(v) for v in values[:4])
    return few + (", ..." if len(values) > 4 else "")


def _sum_advice(values: Floats, total: float) -> tuple[str, ...]:
    """The way out that the row itself suggests: rounding, else a choice for the user."""
    decimals = max(_decimals(float(v)) for v in values)
    bound = len(values) * 0.5 * 10.0**-decimals
    divide = "--renormalize divides each row by its sum"
    if 0 < decimals <= 6 and abs(total - 1) <= bound * (1 + 1e-9):
        return (
            f"{decimals} decimal{'s' * (decimals > 1)} x {len(values)} classes "
            f"can be off by {bound:g}: --sum-tolerance {bound:g}",
            divide,
        )
    if total < 1:
        return ("is a class column missing? --preds NAME,... chooses the columns", divide)
    apart = "a yes or no in each column: --multilabel"
    return ("a column that is no prediction? --preds NAME,... chooses the columns", divide, apart)


def _decimals(value: float) -> int:
    """How many decimals the shortest form of a double has."""
    text: Any = np.format_float_positional(value, trim="-")
    return len(text.partition(".")[2])
