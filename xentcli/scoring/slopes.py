"""Derivatives of the loss of each row by temperature, or by slope and intercept on the logit, for the fits.

With u = ln q (or logits), beta = 1/T and the target's shares s, the loss of a row is

    logsumexp(beta u) - sum_c s_c beta u_c

whose derivatives by beta are, for the probabilities p = softmax(beta u), the mean of u under p less sum_c s_c u_c, then
the cumulants of u under p: variance, third, fourth.
"""

from __future__ import annotations

import numpy as np

from xentcli.arrays import Floats
from xentcli.records import cached_property, replace
from xentcli.scoring.batch import Batch, log_scores, tempered
from xentcli.scoring.losses import Workings
from xentcli.scoring.rows import row_dots, row_sums

__all__ = ["Slopes", "with_logit", "with_temperature"]

_AT_ONCE = 1 << 15
"""Numbers per part: they and their temporary arrays fit in the cache, which halves the time."""


def with_temperature(batch: Batch, temperature: float) -> Batch:
    """Return the batch at this temperature, in addition to one that it already has."""
    recipe = replace(batch.recipe, temperature=batch.recipe.temperature * temperature)
    return tempered(replace(batch, recipe=recipe, known=None))


def with_logit(batch: Batch, slope: float, intercept: float) -> Batch:
    """Return a batch of two classes with the logit slope x logit + intercept.

    >>> from xentcli.scoring.recipe import Recipe
    >>> batch = Batch(Recipe(), np.array([[0.5, 0.5]]), np.array([1]), None, np.array([1]), binary=True)
    >>> Workings(with_logit(batch, 2.0, np.log(3.0))).probabilities.round(12).tolist()
    [[0.25, 0.75]]
    """
    scores = slope * log_scores(batch)
    scores[:, 1] += intercept
    return replace(batch, recipe=replace(batch.recipe, kind="logits"), values=scores, known=None)


def _cumulants(below: Floats, beta: float) -> tuple[Floats, ...]:
    """f8[n] each: sum e^(beta u) of a row, for u (f8[n, k]) up to 0, and four cumulants of u with these weights."""
    powers = beta * below
    np.exp(powers, out=powers)
    total = row_sums(powers)
    if not powers.all():
        below = np.where(powers > 0, below, 0.0)
    mean = row_dots(powers, below) / total
    centred = below - mean[:, None]
    squares = centred * centred
    np.multiply(powers, squares, out=powers)
    second, third, fourth = row_sums(powers), row_dots(powers, centred), row_dots(powers, squares)
    second /= total
    return total, mean, second, third / total, fourth / total - 3 * second * second


class Slopes:
    """Derivatives of the losses of a batch without --multilabel. `shares` are s, None if one-hot.

    A loss that --clip holds constant has slope 0.
    """

    def __init__(self, work: Workings) -> None:
        batch, recipe = work.batch, work.batch.recipe
        assert not batch.multilabel and batch.target is not None
        scores = log_scores(batch)
        every = np.ones(len(batch.rows), dtype=bool)
        spread = batch.is_spread or work.soft.any()
        self.index, self.each_row = work.index, work.each_row
        self.shares = work.shares_of_loss(every) if spread else None
        own = None if scores is batch.predictions else scores
        self.below: Floats = np.subtract(scores, scores.max(axis=1, keepdims=True), out=own)
        clip = recipe.clip
        self.bounds = None if clip is None else (-np.log1p(-clip), -np.log(clip))

    @cached_property
    def infinite(self) -> int:
        """The number of rows whose loss is infinite at every temperature: probability 0 for a class of the target."""
        if self.shares is None:
            return int(np.count_nonzero(np.isneginf(self.below[self.each_row, self.index])))
        return int(np.count_nonzero((np.isneginf(self.below) & (self.shares > 0)).any(axis=1)))

    def _target(self, losses: Floats | None) -> tuple[Floats, Floats]:
        """f8[n] each: sum_c s_c and sum_c s_c u_c, of the classes whose -ln q (f8[n, k], None for all) is not clipped.

        A class of probability 0 counts in neither.
        """
        if losses is None and self.shares is None:
            own = self.below[self.each_row, self.index]
            there = np.isfinite(own)
            return there.astype(np.float64), np.where(there, own, 0.0)
        moves = np.isfinite(self.below)
        if losses is not None and self.bounds is not None:
            moves &= (losses > self.bounds[0]) & (losses < self.bounds[1])
        if self.shares is None:
            there = moves[self.each_row, self.index]
            return there.astype(np.float64), np.where(there, self.below[self.each_row, self.index], 0.0)
        shares = np.where(moves, self.shares, 0.0)
        return row_sums(shares), row_sums(shares * np.where(moves, self.below, 0.0))

    def ends(self) -> tuple[Floats, Floats]:
        """f8[n] each: the slope in the limits of beta to 0 and to infinity."""
        mass, target = self._target(None)
        there = np.isfinite(self.below)
        mean = row_sums(np.where(there, self.below, 0.0)) / np.count_nonzero(there, axis=1)
        return mass * mean - target, -target

    def at(self, beta: float) -> tuple[Floats, ...]:
        """f8[n] each: the first to fourth derivative by beta."""
        with np.errstate(all="ignore"):
            rows, columns = self.below.shape
            step = max(_AT_ONCE // columns, 1)
            # Zero rows still make one part.
            starts = range(0, max(rows, 1), step)
            parts = [_cumulants(self.below[start : start + step], beta) for start in starts]
            total, *cumulants = map(np.concatenate, zip(*parts, strict=True))
            losses = None if self.bounds is None else np.log(total)[:, None] - beta * self.below
            mass, target = self._target(losses)
        mean, *further = (mass * cumulant for cumulant in cumulants)
        return mean - target, *further

    def at_logit(self, slope: float, intercept: float) -> tuple[Floats, ...]:
        """f8[n] each: for two classes, the loss and its derivatives by the intercept a and the slope b.

        In the order a, b; aa, ab, bb; aaa, aab, abb, bbb. They are 0 for a row with probabilities 0 and 1.
        """
        with np.errstate(invalid="ignore"):
            logit = self.below[:, 1] - self.below[:, 0]
        there = np.isfinite(logit)
        logit = np.where(there, logit, 0.0)
        eta = intercept + slope * logit
        losses = np.logaddexp(0.0, np.stack([eta, -eta], axis=1))
        shares = self.shares
        if shares is None:
            shares = np.zeros(losses.shape)
            shares[self.each_row, self.index] = 1.0
        shares = np.where(there[:, None], shares, 0.0)
        clipped = losses if self.bounds is None else np.clip(losses, *self.bounds)
        cost = row_sums(shares * clipped)
        shares = np.where(clipped == losses, shares, 0.0)
        mass = row_sums(shares)
        p = np.exp(-losses[:, 1])
        other = np.exp(-losses[:, 0])
        first = mass * p - shares[:, 1]
        second = mass * p * other
        third = second * (other - p)
        square = logit * logit
        return (
            *(cost, first, first * logit, second, second * logit, second * square),
            *(third, third * logit, third * square, third * square * logit),
        )
