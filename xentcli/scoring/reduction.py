"""Reduced: for class-index targets, each row of predictions is reduced to five numbers while it is in the cache."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from xentcli.arrays import Array, Floats, Ints
from xentcli.records import cached_property, record
from xentcli.scoring.recipe import Recipe
from xentcli.scoring.rows import FEW, column_sums, columns_of, first_largest, rounding, row_dots, row_sums

__all__ = ["Reduced", "reduced"]

_LEAST_POWER = 1e-140
_MANY = 256
"""From this row length on, argmax is faster on the original floats than on doubles."""


@record(frozen=True, eq=False)
class Reduced:
    """The numbers that most figures need from a row whose target is a class index.

    The numbers are probabilities, or exponentials of logits without subtracting the maximum: most
    logits are moderate, so that the pass for the maximum is saved.

    Attributes
    ----------
    predicted
        i8[n]: the class of the largest number; ties go to the first.
    label, top
        f8[n] each: the numbers of the label and of the predicted class.
    sums
        f8[n]: the sum of the probabilities; for logits, the sum of exponentials without the label's.
    squares
        f8[n]: the sum of the squares without that of the label.
    """

    predicted: Ints
    label: Floats
    top: Floats
    sums: Floats
    squares: Floats

    @classmethod
    def of(cls, kind: str, predictions: Array, index: Ints) -> Reduced:
        """Compute them of predictions (f8[n, k], or shorter floats) and labels (i8[n]).

        A writeable array is overwritten meanwhile, which saves its copy, and restored; arrays that others use
        must be read-only.

        >>> Reduced.of("logits", np.log([[2.0, 3.0, 4.0]]), np.array([1])).sums.round(12).tolist()
        [6.0]
        """
        rows, classes = predictions.shape
        made = cls(np.empty(rows, dtype=np.int64), *np.empty((4, rows)))
        halves = kind == "logits" and predictions.dtype == np.float16
        # float16 argmax is slow; compare exp() instead. Ties are possible only in rows that extreme() recomputes.
        numbers = _powers_of_halves(predictions) if halves else predictions
        few = classes <= FEW
        sums = column_sums if few else row_sums
        with np.errstate(all="ignore"):
            if few:
                values = columns_of(numbers)
                first_largest(values, made.predicted)
                begin, step = _begins(rows, 1), rows
            else:
                values = np.ascontiguousarray(numbers, dtype=np.float64)
                (values if classes < _MANY else numbers).argmax(axis=1, out=made.predicted)
                begin, step = _begins(rows, classes), 1
            # Arrays made here may be overwritten.
            free = None if np.may_share_memory(values, predictions) else values
            if kind == "logits" and not halves:
                values = free = np.exp(values, out=free)
            own = begin + index * step
            # mode="clip" avoids a buffer; all indices are in range.
            values.reshape(-1).take(own, out=made.label, mode="clip")
            values.reshape(-1).take(begin + made.predicted * step, out=made.top, mode="clip")
            restored = None
            if kind != "logits":
                sums(values, made.sums)
                if free is None and values.flags.writeable:
                    restored = values.reshape(-1)
                elif free is None:
                    values = values.copy()
            values.reshape(-1)[own] = 0.0
            if kind == "logits":
                sums(values, made.sums)
            if few:
                column_sums(np.multiply(values, values, out=values), made.squares, own=True)
            else:
                row_dots(values, values, made.squares)
            if restored is not None:
                restored[own] = made.label
        return made

    @classmethod
    def joined(cls, parts: Sequence[Reduced]) -> Reduced:
        """Join at least one part."""
        names = ("predicted", "label", "top", "sums", "squares")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def take(self, rows: Ints | slice) -> Reduced:
        """Return some rows."""
        numbers = (part[rows] for part in (self.label, self.top, self.sums, self.squares))
        return Reduced(self.predicted[rows], *numbers)

    def extreme(self) -> Ints:
        """i8[m]: rows of logits in which an exponential or its square could overflow or lose digits.

        A row is extreme too if a value is not finite, or all logits are -inf.
        """
        low, high = np.minimum(self.label, self.sums), np.maximum(self.label, self.sums)
        return (~((low > _LEAST_POWER) & (high < 1 / _LEAST_POWER))).nonzero()[0]

    @cached_property
    def deviation(self) -> float:
        """The largest distance of a sum from 1; 0 without rows."""
        # Rounding keeps the order: the largest and the smallest sum are the farthest from 1; a NaN is both.
        high = float(np.maximum.reduce(self.sums, initial=-np.inf))
        low = float(np.minimum.reduce(self.sums, initial=np.inf))
        return high if math.isnan(high) else max(0.0, high - 1, 1 - low)

    def plain(self, recipe: Recipe, classes: int) -> bool:
        """Whether all rows are so clearly valid that no further checks are needed.

        For probabilities, that none is negative must still be checked.
        """
        if recipe.kind == "logits":
            return not len(self.extreme())
        return self.deviation <= recipe.tolerance + rounding(classes)


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
    """The offset of each row; cached, as pieces have equal sizes."""
    begin = np.arange(0, rows * columns, columns)
    begin.flags.writeable = False
    return begin


def reduced(predictions: Array, index: Ints, recipe: Recipe) -> Reduced | None:
    """Reduce rows of probabilities or logits (f8[n, k] or shorter floats, k > 1) with labels (i8[n]).

    None unless all rows are clearly valid; `checked` then finds the error, if there is one.
    """
    if recipe.kind == "probs" and not np.minimum.reduce(predictions, axis=None, initial=0.0) >= 0:
        return None
    found = Reduced.of(recipe.kind, predictions, index)
    return found if found.plain(recipe, predictions.shape[1]) else None
