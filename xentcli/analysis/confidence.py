"""Detect, with the labels, that one column of probabilities holds the confidence of the predicted class.

Two readings of a column c, never below 0.5, beside labels of two classes are compared by their likelihoods:

* c is the probability of the positive class: P(positive) = c;
* c is the confidence of the predicted class: a share s(c) of the rows of confidence c has the positive class
  predicted, and P(positive) = s c + (1 - s)(1 - c).

The second is a mixture, in equal parts, of shares that do not depend on c and of s(c) = sigmoid(k ln(c / (1 - c))),
which is that of normal log-odds. Its likelihood over that of the first exceeds B with probability 1 / B at most where
the first is true (Markov's inequality), so that a calibrated model is hardly ever suspected, whatever its shares.

A model may also be overconfident. So in addition the values must either reach down to 0.5, as confidences of two
classes do, or fit only with a share of positives far below 1.
"""

from __future__ import annotations

import math

import numpy as np

from xentcli.arrays import Flags, Floats, Ints
from xentcli.tallies.looks import half_width, least_other

__all__ = ["expected_positives", "is_confidence"]

_SLOPES = np.array([-1, -0.5, -0.25, -0.1, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1, 1.5])
_SHARES = np.array([0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9])
_FOLDED, _OTHERWISE = math.log(10), math.log(30)
"""Required log-likelihood ratios: if the values reach down to 0.5, and if they do not."""
_FAR_BELOW = 0.7
_FEW = 3


def is_confidence(codes: Ints, counts: Ints) -> bool:
    """Whether a column looks like the confidence of the predicted class.

    Parameters
    ----------
    codes, counts
        i8[m]: what `xentcli.tallies.looks` keeps of the values and labels, and of how many rows each is.

    Examples
    --------
    >>> from xentcli.tallies.looks import sure_codes
    >>> c = np.repeat([0.55, 0.9], 20)
    >>> half = sure_codes(c, np.arange(40) % 2)
    >>> is_confidence(*np.unique(half, return_counts=True))
    True
    >>> is_confidence(*np.unique(sure_codes(c, np.arange(40) % 20 < 13 + np.arange(40) // 20 * 5), return_counts=True))
    False
    """
    other = _others(codes)
    positive = (codes & 1).astype(bool)
    odds = np.log1p(-other) - np.log(other)
    with np.errstate(over="ignore"):
        bent = 1 / (1 + np.exp(-_SLOPES[:, None] * odds))
    shares = np.concatenate([bent, np.broadcast_to(_SHARES[:, None], (len(_SHARES), len(odds)))])
    likelihoods = _log_likelihood(other + shares * (1 - 2 * other), positive, counts)
    evidence = _log_mean(likelihoods) - _log_likelihood(1 - other, positive, counts)
    if _reaches_down(odds, counts):
        return bool(evidence > _FOLDED)
    predicted = (counts @ (positive - other)) / (counts @ (1 - 2 * other))
    return bool(evidence > _OTHERWISE and predicted < _FAR_BELOW)


def expected_positives(codes: Ints, counts: Ints) -> float:
    """The expected number of positive rows if the values (as for `is_confidence`) were probabilities of it."""
    return float(counts @ (1 - _others(codes)))


def _others(codes: Ints) -> Floats:
    return least_other(codes >> 1) + half_width(codes >> 1)


def _log_likelihood(positives: Floats, positive: Flags, counts: Ints) -> Floats:
    """The log-likelihood of the labels given P(positive), f8[..., m]."""
    found: Floats = np.log(np.where(positive, positives, 1 - positives)) @ counts
    return found


def _log_mean(logs: Floats) -> float:
    most = float(logs.max())
    return most + math.log(float(np.exp(logs - most).mean()))


def _reaches_down(odds: Floats, counts: Ints) -> bool:
    """Whether about as many rows lie next to 0.5 as one step above, as for values folded at 0.5."""
    order = np.argsort(odds)
    middle = odds[order][np.searchsorted(counts[order].cumsum(), counts.sum() / 2)]
    near, above = (int(counts[odds <= middle * part].sum()) for part in (0.25, 0.5))
    return near >= max(_FEW, (above - near) / 2)
