"""Check every row, and refuse rows that do not fit their kind, with a hint what they look like.

Later steps rely on these checks and repeat none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from xentcli.arrays import Array, Flags, Floats, Ints
from xentcli.errors import DataError, Place
from xentcli.scoring.advice import SLIGHT, base_of, based, beyond_1, negative, off_1, outside, percent
from xentcli.scoring.batch import Batch, both_classes, tempered
from xentcli.scoring.kinds import KINDS
from xentcli.scoring.recipe import Recipe
from xentcli.scoring.reduction import reduced
from xentcli.scoring.rows import rounding, row_sums

__all__ = ["Where", "checked"]

Where = Callable[[int, int | None], Place]
"""Maps (row of a block, prediction column or None) to its Place."""


def checked(
    predictions: Array,
    target: Ints | Floats | None,
    weight: Floats | None,
    *,
    recipe: Recipe,
    rows: Ints,
    where: Where,
) -> Batch:
    """Check rows of predictions (n, k), floats of any size, and return them as a Batch.

    Raises DataError at the first row that is not what its kind says, with what the row looks like.
    """
    if recipe.scale != 1.0:
        where = _Unscaled(predictions, recipe.scale, where)
    # Values that are refused below may overflow before that.
    with np.errstate(invalid="ignore", over="ignore"), where if isinstance(where, _Unscaled) else nullcontext():
        predictions = recipe.scaled(predictions)
        if recipe.reducible and predictions.shape[1] > 1 and target is not None and target.ndim == 1:
            known = reduced(predictions, target.astype(np.int64, copy=False), recipe)
            if known is not None:
                deviation = None if recipe.kind == "logits" else known.deviation
                return tempered(Batch(recipe, predictions, target, weight, rows, deviation=deviation, known=known))
        return tempered(_checked(predictions.astype(np.float64, copy=False), target, weight, recipe, rows, where))


class _Unscaled:
    """With --scale, adds the value in the file to an error about a scaled value."""

    def __init__(self, values: Array, scale: float, where: Where) -> None:
        self.values, self.scale, self.where = values, scale, where
        self.at: tuple[int, int | None] = (0, None)

    def __call__(self, row: int, column: int | None) -> Place:
        """Return the place of a value, and remember the value."""
        self.at = (row, column)
        return self.where(row, column)

    def __enter__(self) -> None:
        """Start watching for errors."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Add the value in the file, or the row sum there, to the error."""
        row, column = self.at
        if isinstance(error, DataError):
            found = self.values[row].astype("f8") if column is None else self.values[row, column]
            inside = f"row sum {_number(float(found.sum()))}" if column is None else _number(float(found))
            raise DataError(
                f"{error.message} (in the file: {inside}; --scale {self.scale:g})",
                place=error.place,
                advice=error.advice,
            ) from None


def _checked(
    predictions: Floats, target: Ints | Floats | None, weight: Floats | None, recipe: Recipe, rows: Ints, where: Where
) -> Batch:
    kind = KINDS[recipe.kind]
    if recipe.multilabel:
        present = np.ones(predictions.shape, dtype=bool) if target is None else ~np.isnan(target)
        cells, columns = np.flatnonzero(present), predictions.shape[1]
        checked_ = predictions.reshape(-1, 1)[cells]
        _CHECKS[recipe.kind](checked_, recipe, lambda i, _: where(int(cells[i]) // columns, int(cells[i]) % columns))
        if target is None or present.all():
            return Batch(recipe, predictions, target, weight, rows)
        # A row is weighted by its labelled cells, so that the cost is the mean over all cells.
        share = np.count_nonzero(present, axis=1) / columns
        weight = share if weight is None else weight * share
        return Batch(recipe, predictions, np.where(present, target, 0.0), weight, rows, present=present)
    single = predictions.shape[1] == 1
    deviation: float | None
    if recipe.renormalize:
        predictions, deviation = _renormalized(predictions, where)
        _check_probs(predictions, recipe, where)
    elif recipe.kind == "logits":
        deviation = None
    else:
        deviation = _CHECKS[recipe.kind](predictions, recipe, where)
    binary = single and kind.labelled
    predictions = recipe.as_read(predictions)
    both = both_classes(recipe.kind, predictions) if binary else predictions
    if binary and recipe.precision is not None:
        both = both.astype(recipe.precision).astype("f8")
    batch = Batch(recipe, both, target, weight, rows, binary, deviation)
    if recipe.kind == "logits" and len(extreme := batch.extreme):
        _check_logits(predictions[extreme], recipe, lambda row, column: where(int(extreme[row]), column))
    return batch


_SKIP = "rows without a prediction? --skip-missing leaves them out"


def _first_false(good: Any) -> int | None:
    return None if good.all() else int(np.argmin(good))


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


def _check_probs(q: Floats, recipe: Recipe, where: Where) -> float | None:
    """q in [-tau, 1+tau] and, with two columns or more, row sums within tau of 1."""
    tau = recipe.tolerance
    if q.shape[1] == 1:
        row = _first_false(((q >= -tau) & (q <= 1 + tau))[:, 0])
        if row is not None:
            _refuse_probs(q, recipe, row, where)
        return None
    if not len(q):
        return 0.0
    sums = row_sums(q)
    off = np.abs(sums - 1)
    good = off <= tau + rounding(q.shape[1])
    lowest = q.min()
    if good.all() and lowest >= 0:
        return _largest(off)
    row = _first_false(good & ((q >= -tau) & (q <= 1 + tau)).all(axis=1))
    if row is not None:
        _refuse_probs(q, recipe, row, where)
    return _largest(off)


def _check_logits(z: Floats, recipe: Recipe, where: Where) -> None:
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


def _check_logprobs(log_q: Floats, recipe: Recipe, where: Where) -> float | None:
    """l <= tau and, with two columns or more, abs(logsumexp(l)) <= tau."""
    tau = recipe.tolerance
    top = log_q.max(axis=1)
    good = top <= tau
    off = None
    if log_q.shape[1] > 1:
        with np.errstate(invalid="ignore"):
            off = np.abs(top + np.log(row_sums(np.exp(log_q - top[:, None]))))
            good &= off <= tau + rounding(log_q.shape[1])
    row = _first_false(good)
    if row is not None:
        _refuse_logprobs(log_q, recipe, row, where)
    return None if off is None else _largest(off)


def _check_true_probs(q: Floats, recipe: Recipe, where: Where) -> None:
    tau = recipe.tolerance
    row = _first_false(((q >= 0) & (q <= 1 + tau)).all(axis=1))
    if row is not None:
        value = float(q[row, 0])
        looks = "--kind true-logprobs reads logarithms" if value < 0 else percent(q)
        raise DataError(f"{_number(value)} is not a probability", place=where(row, 0), advice=looks)


def _check_true_logprobs(log_q: Floats, recipe: Recipe, where: Where) -> None:
    row = _first_false((log_q <= recipe.tolerance).all(axis=1))
    if row is not None:
        raise DataError(
            f"{_number(float(log_q[row, 0]))} is not the logarithm of a probability, which is at most 0",
            place=where(row, 0),
            advice=("--kind true-probs reads probabilities", "--kind losses reads losses, which are -ln q"),
        )


def _check_losses(losses: Floats, recipe: Recipe, where: Where) -> None:
    """Losses from -tau up: a probability accepted within tau above 1 has a loss just below 0."""
    row = _first_false((losses >= -recipe.tolerance).all(axis=1))
    if row is None:
        return
    value = float(losses[row, 0])
    place = where(row, 0)
    if value < 0:
        chosen = f" --preds {place.column}" if place.column == "loss" else ""
        beyond = beyond_1(losses[row])
        slight = f"probabilities above 1 by rounding? --sum-tolerance {beyond:.2g}" if beyond <= SLIGHT else ""
        raise DataError(
            f"{_number(value)} is not a loss; a loss is 0 or more",
            place=place,
            advice=(f"log-probabilities of the true class? --kind true-logprobs{chosen}", slight),
        )
    raise DataError(
        f"{value:g} is not a loss; a loss is a number, 0 or more",
        place=place,
        advice=("--ignore-label nan skips such rows", "rows of weight 0 may be nan: --weights COLUMN"),
    )


_CHECKS: dict[str, Callable[[Floats, Recipe, Where], float | None]] = {
    "probs": _check_probs,
    "logits": _check_logits,
    "logprobs": _check_logprobs,
    "true-probs": _check_true_probs,
    "true-logprobs": _check_true_logprobs,
    "losses": _check_losses,
}


def _refuse_odd(values: Floats, odd: Flags, why: str, row: int, where: Where) -> None:
    if odd.any():
        column = int(np.argmax(odd))
        advice = _SKIP if np.isnan(values[column]) else ""
        raise DataError(f"got {_number(values[column])}; {why}", place=where(row, column), advice=advice)


def _refuse_probs(q: Floats, recipe: Recipe, row: int, where: Where) -> None:
    """Raise the error for a row of q that is not probabilities, with a hint what it looks like."""
    values, tau = q[row], recipe.tolerance
    _refuse_odd(
        values, ~np.isfinite(values) & ~np.isneginf(values), "a probability is a number from 0 to 1", row, where
    )
    total = float(np.add.reduce(values))
    if (values <= 0).all() and (values < -tau).any():
        raise DataError(
            f"{_listed(values)} are not probabilities: none is above 0",
            place=where(row, None),
            advice=negative(q, row, tau),
        )
    odd = np.flatnonzero((values < -tau) | (values > 1 + tau))
    if len(odd):
        column = int(odd[0])
        raise DataError(
            f"{_number(values[column])} is not a probability, which lies from 0 to 1",
            place=where(row, column),
            advice=outside(q, row, tau, lambda place: where(row, place)),
        )
    raise DataError(
        f"the row sums to {_number(total)}, not to 1 within {tau:g}",
        place=where(row, None),
        advice=off_1(q, row, where(row, None)),
    )


def _refuse_logprobs(z: Floats, recipe: Recipe, row: int, where: Where) -> None:
    values = z[row]
    _refuse_odd(values, np.isnan(values), "a log-probability is at most 0", row, where)
    odd = values > recipe.tolerance
    if odd.any():
        column = int(np.argmax(odd))
        total = float(np.add.reduce(values))
        probs = (values >= 0).all() and (len(values) == 1 or abs(total - 1) <= recipe.tolerance)
        advice = "these look like probabilities: --kind probs" if probs else "scores before the softmax: --kind logits"
        raise DataError(
            f"{_number(values[column])} is not a log-probability, which is at most 0",
            place=where(row, column),
            advice=advice,
        )
    total, base = float(np.add.reduce(np.exp(values))), base_of(z, recipe.tolerance)
    raise DataError(
        f"the probabilities of the row sum to {_number(total)}, not to 1 within {recipe.tolerance:g}",
        place=where(row, None),
        advice=based(base) if base else "scores that are not normalised: --kind logits",
    )


def _listed(values: Floats) -> str:
    few = ", ".join(_number(v) for v in values[:4])
    return few + (", ..." if len(values) > 4 else "")
