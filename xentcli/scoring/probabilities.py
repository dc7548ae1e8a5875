"""The probabilities of each row of a batch: softmax, predicted class, and those of the label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

import numpy as np

from xentcli.arrays import Flags, Floats, Ints
from xentcli.records import cached_property
from xentcli.scoring.batch import Batch, by_column
from xentcli.scoring.rows import row_sums

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Probabilities"]

T = TypeVar("T", bound=np.generic)


class Probabilities:
    """A batch and its probabilities, each part computed once.

    With class-index targets, most figures come from five numbers per row (``Batch.reduced``);
    ``shifted`` has the rows whose exponentials need max z subtracted.
    """

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def of_rows(self, rows: Ints) -> Self:
        """Return the same for some of the rows (i8[m]) alone."""
        return type(self)(self.batch.take(rows))

    @cached_property
    def columns(self) -> Self:
        """The same for n x k binary rows, one per cell, as each column is a separate problem."""
        return type(self)(by_column(self.batch))

    def mean_of_columns(self, values: Floats) -> Floats:
        """f8[n]: the means over the columns of values f8[n x k] of `columns`."""
        present = self.batch.present
        count = self.batch.classes if present is None else np.count_nonzero(present, axis=1)
        means: Floats = row_sums(self._by_row(values)) / count
        return means

    def _by_row(self, values: npt.NDArray[T]) -> npt.NDArray[T]:
        """(n, k): values of `columns` by row; 0 where a cell has no label."""
        if self.batch.present is None:
            return values.reshape(-1, self.batch.classes)
        result = np.zeros(self.batch.present.shape, dtype=values.dtype)
        result[self.batch.present] = values
        return result

    @property
    def distribution(self) -> Floats | None:
        """f8[n, k]: the targets as distributions, or None where they are class indices."""
        target = self.batch.target
        return None if target is None or target.ndim == 1 else target.astype(np.float64, copy=False)

    @cached_property
    def soft(self) -> Flags:
        """bool[n]: whether the target of a row, or of one of its columns, is soft."""
        if self.batch.multilabel:
            any_: Flags = np.logical_or.reduce(self._by_row(self.columns.soft), axis=1)
            return any_
        target = self.distribution
        if target is None:
            return np.zeros(len(self.batch.rows), dtype=bool)
        one_hot: Flags = (np.count_nonzero(target, axis=1) == 1) & (target.max(axis=1) == 1)
        return ~one_hot

    @cached_property
    def some_soft(self) -> bool:
        """Whether any target is soft."""
        hard = self.batch.target is None or self.batch.target.ndim == 1
        return not hard and bool(self.soft.any())

    @property
    def index(self) -> Ints:
        """i8[n]: the class with the largest target; for hard labels the label."""
        return self.batch.index

    @cached_property
    def each_row(self) -> Ints:
        """i8[n]: 0 to n - 1."""
        return np.arange(len(self.batch.rows))

    @cached_property
    def shifted(self) -> Self | None:
        """The extreme rows (``Batch.extreme``) alone; None where there are none."""
        extreme = self.batch.extreme
        return self.of_rows(extreme) if len(extreme) else None

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
        if self.batch.kind in ("probs", "logits"):
            return self._picked(self.batch.reduced.top, of_label=False)
        return self.probabilities[self.each_row, self.predicted]

    @cached_property
    def truth(self) -> Floats:
        """f8[n]: the probability of the label; NaN for soft targets."""
        if self.batch.kind in ("probs", "logits"):
            picked = self._picked(self.batch.reduced.label, of_label=True)
        else:
            picked = self.probabilities[self.each_row, self.index]
        return np.where(self.soft, np.nan, picked)

    def _picked(self, numbers: Floats, *, of_label: bool) -> Floats:
        """f8[n]: the probability of the class whose probability, or exponential of the logit, is given."""
        if self.batch.kind == "probs":
            return numbers
        with np.errstate(over="ignore", invalid="ignore"):
            picked: Floats = numbers / (self.batch.reduced.label + self.batch.reduced.sums)
        if (few := self.shifted) is not None:
            picked[self.batch.extreme] = few.probabilities[few.each_row, few.index if of_label else few.predicted]
        return picked

    @cached_property
    def probabilities(self) -> Floats:
        """f8[n, k]: the predicted probabilities, unclipped."""
        match self.batch.kind:
            case "logits":
                largest = 1.0 / (1.0 + self.rest)
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
    def top(self) -> Floats:
        """f8[n, 1]: max z, the largest logit."""
        return np.take_along_axis(self.batch.predictions, self.predicted[:, None], axis=1)

    @cached_property
    def rest(self) -> Floats:
        """f8[n, 1]: the sum of exp(z - max z) without the term 1 of the maximum: logsumexp(z) = max z + log1p(rest).

        Added to that 1, a loss of 1e-18 would vanish; log1p keeps all its digits.
        """
        return row_sums(self._exponentials)[:, None]

    @cached_property
    def _exponentials(self) -> Floats:
        """exp(z - max z), with 0 in place of the term 1 of the maximum.

        The rounding error of a difference d is |d| eps / 2, which exp makes relative: it is
        recovered (D. E. Knuth's two-sum) and put back, exp(d + e) = exp(d) (1 + e).
        """
        z, top = self.batch.predictions, self.top
        with np.errstate(over="ignore", invalid="ignore"):
            difference = z - top
            back = difference - z
            error = (z - (difference - back)) - (top + back)
            result: Floats = np.exp(difference) * np.where(np.isfinite(error), 1.0 + error, 1.0)
        np.put_along_axis(result, self.predicted[:, None], 0.0, axis=1)
        return result
