"""Rows that stand out among differences: candidates for the largest deviation from the mean, and the most changed."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np

from xentcli.arrays import Flags, Floats, Ints
from xentcli.records import record, replace
from xentcli.tallies.tally import Ranked, Tally

__all__ = ["Changed", "MostChanged", "Outermost"]

Corner = tuple[float, float, int]
"""Weight w, value d and number of a row."""
_SOME = 64
_SURE = 1e-15


@record(frozen=True)
class Outermost(Tally):
    """The rows that may have the largest |w (d - m)| for some m: the corners of the convex hull of (w, w d).

    The mean m is known only after all rows were tallied. Of equal rows the first is kept.

    >>> rows = Outermost.of(np.array([0.5, -1.0, 0.25, 2.0]), None)
    >>> rows.corners, rows.farthest(0.6)
    (((1.0, -1.0, 2), (1.0, 2.0, 4)), (2, 1.6))
    """

    corners: tuple[Corner, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether weights are positive, values finite, and rows counted from 1."""
        return all(0 < w < math.inf and math.isfinite(d) and row > 0 for w, d, row in self.corners)

    @classmethod
    def of(cls, values: Floats, weight: Floats | None, rows: Ints | None = None) -> Outermost:
        """Tally values and weights (f8[n], None for 1 each) of rows with these numbers (i8[n], default 1 to n)."""
        rows = np.arange(1, len(values) + 1) if rows is None else rows
        finite = np.isfinite(values)
        if not finite.all():
            values, rows, weight = values[finite], rows[finite], None if weight is None else weight[finite]
        if not len(values):
            return cls()
        if weight is None:
            places = np.array(sorted({int(values.argmin()), int(values.argmax())}))
            weight = np.ones(len(values))
        else:
            places = _outside(weight, weight * values) if len(values) > _SOME else np.arange(len(values))
            places = places[_ends(values[places], weight[places])]
        some = zip(weight[places].tolist(), values[places].tolist(), rows[places].tolist(), strict=True)
        return cls(_hull(list(some)))

    def merge(self, other: Outermost) -> Outermost:
        """Return the corners of the rows of both."""
        return Outermost(_hull([*self.corners, *other.corners])) if self.corners and other.corners else other or self

    def __bool__(self) -> bool:
        """Return whether there are rows."""
        return bool(self.corners)

    def renumbered(self, moved: Callable[[int], int]) -> Outermost:
        """Return the same rows under other numbers."""
        return Outermost(tuple((w, d, moved(row)) for w, d, row in self.corners))

    def farthest(self, mean: float) -> tuple[int, float]:
        """Return the row with the largest |w (d - mean)|, the first if several are equal, and that value."""
        w, d, row = max(self.corners, key=lambda c: (abs(Fraction(c[0]) * (Fraction(c[1]) - Fraction(mean))), -c[2]))
        return row, abs((d - mean) * w)


def _ends(values: Floats, weight: Floats) -> Ints:
    """The indices of the smallest and the largest value for each weight, the first if several are equal."""
    order = np.lexsort((values, weight))
    by_weight, by_value = weight[order], values[order]
    new = np.flatnonzero(np.concatenate(([True], by_weight[1:] != by_weight[:-1])))
    last = np.append(new[1:], len(order)) - 1
    # The sort is stable: of equal values the first of the run is the first row.
    run = np.flatnonzero(np.concatenate(([True], (by_weight[1:] != by_weight[:-1]) | (by_value[1:] != by_value[:-1]))))
    largest = run[np.searchsorted(run, last, side="right") - 1]
    found: Ints = np.unique(order[np.concatenate((new, largest))])
    return found


def _outside(x: Floats, y: Floats) -> Ints:
    """The indices of the points that may be corners: not certainly inside the polygon of extreme points."""
    scale_x, scale_y = np.abs(x).max(), np.abs(y).max()
    places = np.arange(len(x))
    if not (0 < scale_x < 1e150 and 1e-150 < scale_y < 1e150):
        return places
    u, v = x / scale_x, y / scale_y
    # A few directions first, so that more directions have fewer points to test.
    for count in (4, 8, 16):
        left = np.flatnonzero(_not_within(u, v, count))
        places, u, v = places[left], u[left], v[left]
    return places


def _not_within(u: Floats, v: Floats, count: int) -> Flags:
    """bool[n]: the points not certainly inside the polygon of the extreme points in `count` directions."""
    angles = np.arange(count) * (2 * np.pi / count)
    found = [int((u * c + v * s).argmax()) for c, s in zip(np.cos(angles), np.sin(angles), strict=True)]
    corners = list(dict.fromkeys(found))
    if len(corners) < 3:
        return np.ones(len(u), dtype=bool)
    out = np.zeros(len(u), dtype=bool)
    for one, two in pairwise([*corners, corners[0]]):
        a, b = u[two] - u[one], v[two] - v[one]
        out |= a * v - b * u <= a * v[one] - b * u[one] + 1e-12
    return out


def _hull(points: Sequence[Corner]) -> tuple[Corner, ...]:
    """The corners of the convex hull of (w, w d), in the order of their rows (A. M. Andrew's monotone chain, 1979)."""
    first: dict[tuple[float, float], int] = {}
    for w, d, row in points:
        # -0.0 is 0.0 here.
        known = first.setdefault((w, d + 0.0), row)
        first[w, d + 0.0] = min(known, row)
    ordered = sorted(first)
    kept = {*_chain(ordered), *_chain(ordered[::-1])}
    return tuple(sorted(((w, d, first[w, d]) for w, d in kept), key=operator.itemgetter(2)))


def _chain(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Yield the lower corners, or the upper ones if points are in descending order, with both ends."""
    found: list[tuple[float, float]] = []
    for point in points:
        while len(found) > 1 and _turn(found[-2], found[-1], point) <= 0:
            found.pop()
        found.append(point)
    yield from found


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    """The exact sign of the turn a, b, c, where (w, d) stands for the point (w, w d)."""
    if a[1] == b[1] == c[1]:
        return 0.0
    (ax, ay), (bx, by), (cx, cy) = ((w, w * d) for w, d in (a, b, c))
    found = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    size = (abs(bx) + abs(ax)) * (abs(cy) + abs(ay)) + (abs(by) + abs(ay)) * (abs(cx) + abs(ax))
    if abs(found) > _SURE * size > 1e-200 and size < math.inf:
        return found
    (ax_, ay_), (bx_, by_), (cx_, cy_) = ((Fraction(w), Fraction(w) * Fraction(d)) for w, d in (a, b, c))
    exact = (bx_ - ax_) * (cy_ - ay_) - (by_ - ay_) * (cx_ - ax_)
    return float((exact > 0) - (exact < 0))


@record(frozen=True)
class Changed:
    """A row whose loss changed much.

    Attributes
    ----------
    size
        |weight x change|, by which rows are ranked; -1 if both losses are infinite.
    row
        Its place among all rows, from 1.
    number, id, label
        What identifies it; for an item of a list, the number of the row with the list.
    """

    size: float
    row: int
    number: int
    id: str | None
    label: str | None
    old: float
    new: float
    weight: float

    @property
    def is_sound(self) -> bool:
        """Whether it has a weight, and places are counted from 1."""
        return 0 < self.weight < math.inf and min(self.row, self.number) > 0

    @property
    def rank(self) -> tuple[float, int]:
        """Sort key: the largest first, then by row."""
        return -self.size, self.row


@record(frozen=True)
class MostChanged(Ranked):
    """The rows whose loss changed most, at most `most` of them."""

    most: int = 0
    rows: tuple[Changed, ...] = ()

    def moved(self, rows: Callable[[int], int], numbers: Callable[[int], int]) -> MostChanged:
        """Return the same rows in other places and under other numbers, in the same order."""
        moved = (replace(row, row=rows(row.row), number=numbers(row.number)) for row in self.rows)
        return MostChanged(self.most, tuple(moved))
