"""Whether class indices count from 0 or from 1: the cost of the labels under either reading."""

from __future__ import annotations

import numpy as np

from xentcli.records import record, replace
from xentcli.scoring.batch import Batch, with_class_weights
from xentcli.scoring.losses import Workings
from xentcli.scoring.recipe import Recipe
from xentcli.tallies.moments import Mean, Moments
from xentcli.tallies.tally import Tally

__all__ = ["FromOne"]

LARGEST = 745.0
"""-ln of the smallest double: replaces the difference of two losses if one of them is infinite."""


@record(frozen=True)
class FromOne(Tally):
    """The cost if class indices count from 1, and how much lower it is than if they count from 0.

    Attributes
    ----------
    possible
        Whether no label is 0.
    one
        Whether some label is 1.
    gain
        The loss of each row counting from 0 minus that counting from 1, with the weights of the rows.
    cost
        The cost counting from 1, with class weights too.
    """

    possible: bool = True
    one: bool = False
    gain: Moments = Moments()
    cost: Mean = Mean()

    @classmethod
    def of(cls, work: Workings, recipe: Recipe) -> FromOne:
        """Tally rows with class indices read from 0, without class weights; `recipe` has them."""
        index = work.index
        if not len(index):
            return cls()
        least = int(np.minimum.reduce(index))
        if not least or work.batch.target is None or work.batch.target.ndim > 1:
            return cls(False)
        weight, loss = work.batch.weight, work.loss_of(index - 1)
        cost = Mean.of(loss, weight) if recipe.class_weight is None else _reweighted(work, recipe)
        with np.errstate(invalid="ignore"):
            gain = np.nan_to_num(work.loss - loss, nan=0.0, posinf=LARGEST, neginf=-LARGEST)
        return cls(True, least == 1, Moments.of(gain, weight), cost)

    def merge(self, other: FromOne) -> FromOne:
        """Return the tally of the rows of both."""
        if not (self.possible and other.possible):
            return FromOne(False)
        return FromOne(True, self.one or other.one, self.gain.merge(other.gain), self.cost.merge(other.cost))

    @property
    def settled(self) -> bool:
        """Whether a label is 0."""
        return not self.possible

    @property
    def fits_better(self) -> bool:
        """Whether 1 but not 0 occurs, and the cost counting from 1 is lower by more than two standard errors."""
        error = self.gain.standard_error
        return self.possible and self.one and error is not None and self.gain.mean.value > 2 * error


def _reweighted(work: Workings, recipe: Recipe) -> Mean:
    """The mean loss with each label read as one class lower, each row weighted by the weight of that class."""
    before: Batch = replace(work.batch, recipe=recipe, target=work.index - 1, known=None)
    other = Workings(with_class_weights(before))
    return Mean.of(other.loss, other.batch.weight)
