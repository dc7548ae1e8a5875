"""Fit the temperature of lowest cost, or slope and intercept on the logit, in a few passes over the rows.

Each pass gives exact sums of derivatives over all rows, so neither the order of rows nor blocks or workers change a
bit. Interpolating four derivatives at each point at least triples the correct digits: three or four passes suffice for
temperatures from 0.1 to 10, and one more computes the gain.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from xentcli.engine.passes import tallied_again
from xentcli.errors import DataError, Place
from xentcli.pairing import Feed
from xentcli.records import record
from xentcli.scoring.batch import Batch
from xentcli.scoring.losses import Workings
from xentcli.tallies.exact import ExactSum
from xentcli.tallies.fit import BEGIN, Fitted, Gain, Points, SlopeSums

__all__ = ["MOST_PASSES", "RESOLVED", "Fit", "check_repeatable", "fitted", "searched"]

MOST_PASSES = 6
"""Passes over the files: the score with the first derivatives, at most four further points, and the gain."""
_FAR = (1.5, 0.3)
"""First and second steps in ln T above these sizes are not trusted until the zero is bracketed."""
_STEPS = (0.75, 1.5, 3.0, 4.5, 6.0)
"""Steps that are tried together in that case."""
_SETTLED, _DONE, _DONE_LOGIT = 2e-3, 2e-3, 1e-4
"""Sizes of the last step h below which the search is settled, or done: the error is about h**4 / 8 (logit: h**3)."""
RESOLVED = 1e-8
"""Relative difference above which costs at fitted temperatures count as different: ln T is accurate to about 1e-9."""


@record(frozen=True)
class Fit:
    """A fit and its gain, or the `reason` why there is none."""

    fit: Fitted | None
    gain: Gain | None = None
    reason: str = ""


def check_repeatable(feed: Feed, what: str = "a fit") -> None:
    """Refuse to fit on a stream, which cannot be read again.

    Raises DataError with the advice to save the stream to a file.
    """
    if not feed.repeatable:
        path = next(source.path for source in feed.sources if not source.repeatable)
        raise DataError(
            f"a stream can be read only once, and {what} reads its input several times",
            place=Place(path),
            advice=("save it in a file first: cat > FILE", "xent calibration --fit none works on a stream"),
        )


def fitted(feed: Feed, *, logit: bool = False, first: SlopeSums | None = None, threads: int | None = None) -> Fit:
    """Fit as ``searched`` does, and compute the gain in one more pass.

    Raises DataError for a stream.
    """
    found = searched(feed, logit=logit, first=first, threads=threads)
    if found.fit is None:
        return found
    gain = tallied_again(feed, partial(_gain, found.fit), Gain(), threads)
    if not math.isfinite(gain.after.value):
        return Fit(None, reason="the cost of the fit is infinite")
    return Fit(found.fit, gain)


def searched(feed: Feed, *, logit: bool = False, first: SlopeSums | None, threads: int | None) -> Fit:
    """Fit a temperature to all rows of a feed, or with `logit` (two classes) a slope and an intercept on the logit.

    T minimises sum w_i loss_i of softmax(ln q / T), with the weights, soft targets, class weights, smoothing and
    clipping of the plan. `first` are the derivatives at BEGIN if a score has tallied them; at most four further passes
    are then made, else five.

    Raises DataError for a stream.
    """
    check_repeatable(feed)
    search: _Temperature | _Logit = _Logit() if logit else _Temperature()
    sums = _slopes(feed, BEGIN, threads) if first is None else first
    if sums.infinite and feed.plan.recipe.clip is None:
        rows = f"{sums.infinite:,} row{'s' if sums.infinite > 1 else ''}"
        return Fit(
            None, reason=f"{rows} with probability 0 for the true class cost inf at every temperature (--clip EPS)"
        )
    reason = search.learn(BEGIN, sums)
    for _ in range(MOST_PASSES - 2):
        if reason or search.done:
            break
        points = search.points()
        reason = search.learn(points, _slopes(feed, points, threads))
    reason = reason or search.doubt
    return Fit(None, reason=reason) if reason else Fit(search.fit)


def _slopes(feed: Feed, points: Points, threads: int | None) -> SlopeSums:
    return tallied_again(feed, partial(_slopes_of, points), SlopeSums(), threads)


def _slopes_of(points: Points, batch: Batch, _: object) -> SlopeSums:
    return SlopeSums.of(Workings(batch), points)


def _gain(fit: Fitted, batch: Batch, clusters: object) -> Gain:
    return Gain.of(batch, fit, clusters)  # type: ignore[arg-type]


@record(frozen=True)
class _Place:
    """A value of t = ln(1/T), with d cost / d beta and its first three derivatives by t there."""

    t: float
    slope: float
    first: float
    second: float
    third: float

    @classmethod
    def of(cls, t: float, orders: list[float]) -> _Place:
        """Convert derivatives by beta to derivatives by t."""
        b = math.exp(t)
        slope, one, two, three = orders
        return cls(t, slope, one * b, one * b + two * b**2, one * b + 3 * two * b**2 + three * b**3)

    @property
    def taylor(self) -> tuple[float, float, float, float]:
        """The Taylor coefficients of the slope as a function of t."""
        return self.slope, self.first, self.second / 2, self.third / 6

    @property
    def estimate(self) -> float:
        """The estimated zero of the slope, by Householder's method of third order."""
        g, a, b, c = self.slope, self.first, self.second, self.third
        under = 6 * a**3 - 6 * g * a * b + g * g * c
        return self.t - g * (6 * a * a - 3 * g * b) / under if under else math.nan


def _endless(flat: ExactSum, steep: ExactSum) -> str:
    """Return why the cost has no minimum, from its slopes for beta to 0 and to infinity; empty if it has one."""
    if not steep.units and not flat.units:
        return "the cost is the same at every temperature"
    if steep.units <= 0:
        return "in every row the true class has the largest prediction: the cost falls as the temperature falls"
    return "equal probabilities cost no more: the cost falls as the temperature rises" if flat.units >= 0 else ""


class _Temperature:
    """The search for the zero of the slope, which is increasing in beta unless losses are clipped."""

    def __init__(self) -> None:
        self.places: list[_Place] = []
        self.low: _Place | None = None
        self.high: _Place | None = None
        self.t = 0.0
        self.step = math.inf

    @property
    def fit(self) -> Fitted:
        return Fitted(temperature=math.exp(-self.t))

    @property
    def done(self) -> bool:
        return abs(self.step) <= _DONE

    @property
    def doubt(self) -> str:
        return "" if abs(self.step) <= _SETTLED else f"the temperature did not converge in {MOST_PASSES} passes"

    def points(self) -> Points:
        """Return the next point, or several if the zero is far away."""
        best = self.best.t
        one_sided = self.low is None or self.high is None
        if one_sided and abs(self.step) >= _FAR[min(len(self.places), 2) - 1]:
            return Points(tuple(math.exp(best + math.copysign(step, self.t - best)) for step in _STEPS))
        return Points((math.exp(self.t),))

    @property
    def best(self) -> _Place:
        return min(self.places, key=lambda place: abs(place.slope))

    def learn(self, points: Points, sums: SlopeSums) -> str:
        """Record slopes and choose the next point; return the reason if there is no temperature."""
        if points == BEGIN and (reason := _endless(*(sums.sums[f"end {index}"] for index in (0, 1)))):
            return reason
        for index, beta in enumerate(points.betas):
            place = _Place.of(math.log(beta), sums.means("beta", index))
            self.places.append(place)
            if place.slope < 0:
                self.low = place if self.low is None or place.t > self.low.t else self.low
            else:
                self.high = place if self.high is None or place.t < self.high.t else self.high
        self.t = self._next()
        self.step = self.t - self.best.t
        return ""

    def _next(self) -> float:
        """Return the interpolated zero between the ends of the bracket; while one is missing, a step towards it."""
        if self.low is not None and self.high is not None:
            return _zero_between(self.low, self.high)
        best = self.best
        step = best.estimate - best.t
        if not abs(step) < 2.5 or (step < 0) != (best.slope > 0):
            return best.t - math.copysign(2.0, best.slope)
        return best.t + step


def _zero_between(low: _Place, high: _Place) -> float:
    """Return the zero of the Hermite interpolant of t as a function of the slope, through two points.

    Newton's divided differences with each point taken four times (J. Stoer and R. Bulirsch, Introduction to Numerical
    Analysis, 2.1.5).
    """
    nodes = [low.t] * 4 + [high.t] * 4
    taylor = [low.taylor] * 4 + [high.taylor] * 4
    column = [each[0] for each in taylor]
    coefficients = [column[0]]
    for order in range(1, 8):
        spans = [nodes[i + order] - nodes[i] for i in range(8 - order)]
        column = [(column[i + 1] - column[i]) / span if span else taylor[i][order] for i, span in enumerate(spans)]
        coefficients.append(column[0])

    def below(t: float) -> bool:
        found = coefficients[-1]
        for node, coefficient in zip(nodes[-2::-1], coefficients[-2::-1], strict=True):
            found = found * (t - node) + coefficient
        return found < 0

    under, over = low.t, high.t
    while under < (middle := (under + over) / 2) < over:
        under, over = (middle, over) if below(middle) else (under, middle)
    return over


class _Logit:
    """The search for slope and intercept by Newton's and Chebyshev's steps, trying several lengths at once."""

    def __init__(self) -> None:
        self.best: tuple[float, list[float], tuple[float, float]] | None = None
        self.place = (1.0, 0.0)
        self.step = math.inf

    @property
    def fit(self) -> Fitted:
        return Fitted(slope=self.place[0], intercept=self.place[1])

    @property
    def done(self) -> bool:
        return self.step <= _DONE_LOGIT

    @property
    def doubt(self) -> str:
        if self.step <= _SETTLED:
            return ""
        return f"slope and intercept did not converge in {MOST_PASSES} passes: do the predictions separate the classes?"

    def points(self) -> Points:
        """Return the ends of steps of several lengths."""
        assert self.best is not None
        _, orders, (b, a) = self.best
        newton, chebyshev = _steps(orders)
        moves = [newton + chebyshev, newton, newton / 2, newton / 4, newton / 16]
        return Points((), tuple((float(b + move[1]), float(a + move[0])) for move in moves))

    def learn(self, points: Points, sums: SlopeSums) -> str:
        """Record slopes; return the reason if there is no fit."""
        for index, place in enumerate(points.logits):
            orders = sums.means("logit", index)
            if all(map(math.isfinite, orders)) and (self.best is None or orders[0] <= self.best[0]):
                self.best = (orders[0], orders, place)
        if self.best is None or not _solvable(self.best[1]):
            return "there is no best slope: all predictions are equal, or they separate the classes"
        newton, chebyshev = _steps(self.best[1])
        b, a = self.best[2]
        self.step = float(np.abs(newton / (1 + abs(a), abs(b))).max())
        move = newton + chebyshev
        self.place = (float(b + move[1]), float(a + move[0]))
        return ""


def _solvable(orders: list[float]) -> bool:
    aa, ab, bb = orders[3:6]
    return aa * bb - ab * ab > 1e-12 * aa * bb


def _steps(orders: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return Newton's step of (a, b), and the correction of Chebyshev's method."""
    hessian = np.array([[orders[3], orders[4]], [orders[4], orders[5]]])
    newton = np.linalg.solve(hessian, -np.array(orders[1:3]))
    aaa, aab, abb, bbb = orders[6:10]
    a, b = newton
    bend = np.array([aaa * a * a + 2 * aab * a * b + abb * b * b, aab * a * a + 2 * abb * a * b + bbb * b * b])
    return newton, -np.linalg.solve(hessian, bend) / 2
