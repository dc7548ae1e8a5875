"""Matchers: each converts labels to targets by one rule, or refuses a label that breaks the rule."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import numpy as np

from xentcli.arrays import Floats, Ints, distinct, picked
from xentcli.columns.column import Coded, Values
from xentcli.columns.missing import is_missing
from xentcli.columns.texts import Texts
from xentcli.errors import DataError, LabelsBreakRule, Place, shown
from xentcli.pairing.columns import listed
from xentcli.pairing.labels import WhereRow, as_texts, integers, read_whole, reals, skipping
from xentcli.records import cached_property, record
from xentcli.scoring.targets import shares, target_checked

__all__ = [
    "ONE_COLUMN",
    "Binary",
    "ByName",
    "ByPosition",
    "Distribution",
    "Matcher",
    "Multilabel",
    "accepts",
    "counts_classes",
    "range_advice",
]


ONE_COLUMN = (
    "one column of predictions is the probability of class 1",
    "labels that are names: --positive NAME says which one it is the probability of",
)
_SIGNS = ("labels -1 and 1? --positive 1, where the column is the probability of 1",)


class Matcher(Protocol):
    """Converts the labels of rows to targets."""

    @property
    def matched(self) -> str:
        """The rule: name, prefix, index, distribution or binary."""
        ...

    @property
    def note(self) -> str:
        """The rule in words, continuing a sentence after "matched" or "taken"."""
        ...

    def targets(self, values: Values, where: WhereRow) -> Ints | Floats:
        """Return i8[n] or f8[n, k]."""
        ...


@record(frozen=True)
class ByName:
    """Labels that are class names without the affixes `ends`; `decimal` is the decimal separator."""

    codes: Mapping[str, int]
    classes: tuple[str, ...]
    matched: str
    note: str
    whole: bool
    ends: tuple[str, str] = ("", "")
    decimal: str = "."

    def targets(self, values: Values, where: WhereRow) -> Ints:
        """Look every label up."""
        if isinstance(values, Coded):
            result = np.array(self._found(values.distinct), dtype=np.int64)[values.codes]
        elif isinstance(values, list | Texts):
            result = np.array(self._found(values), dtype=np.int64)
        else:
            found, _, places = distinct(values)
            known = np.array([self.codes.get(text, -1) for text in as_texts(found)], dtype=np.int64)
            result = known[places]
        bad = np.flatnonzero(result < 0)
        if len(bad):
            row = int(bad[0])
            label = as_texts(values[row : row + 1])[0]
            raise LabelsBreakRule(
                f"{shown(label)} is not a class",
                place=where(row),
                advice=skipping(label)
                or (f"classes: {listed(self.classes)}", f"the labels before it were {self.note}"),
            )
        return result

    def _found(self, labels: Sequence[str]) -> list[int]:
        """The class of each label; -1 if it is not a class."""
        codes = [self.codes.get(label, -1) for label in labels]
        if -1 in codes and self.whole:
            codes = [self.codes.get(read_whole(label, self.decimal), -1) for label in labels]
        return codes


@record(frozen=True)
class ByPosition:
    """Labels that are class indices from `base` on; `met` are the whole numbers among the labels that decided."""

    base: int
    classes: tuple[str, ...]
    met: Collection[int] = ()
    matched: str = "index"
    decimal: str = "."

    @property
    def note(self) -> str:
        """The rule in words."""
        return f"by position, {self.base} to {self.base + len(self.classes) - 1}"

    def targets(self, values: Values, where: WhereRow) -> Ints:
        """Check that every label is in range before it becomes an index."""
        result = integers(values, where, self.decimal)
        low, high = self.base, self.base + len(self.classes) - 1
        if len(result) and not low <= np.minimum.reduce(result) <= np.maximum.reduce(result) <= high:
            row = int(np.flatnonzero((result < low) | (result > high))[0])
            met = {*self.met, *distinct(result)[0].tolist()}
            raise LabelsBreakRule(
                f"label {int(result[row])} is outside {low} to {high}, the positions of {len(self.classes):,} classes",
                place=where(row),
                advice=range_advice(int(result[row]), self.base, len(self.classes), met),
            )
        return result - self.base if self.base else result


@record(frozen=True)
class Binary:
    """Labels of one column of predictions: 0, 1, or a probability between."""

    base: int = 0
    matched: str = "binary"
    decimal: str = "."

    @property
    def note(self) -> str:
        """The rule in words."""
        return "as 0 and 1, the column being the probability of 1" + (", counted from 1" if self.base else "")

    def targets(self, values: Values, where: WhereRow) -> Ints | Floats:
        """Return class indices, or distributions if a label lies strictly between 0 and 1."""
        y = reals(values, where, self.decimal) - self.base
        bad = np.flatnonzero(~((y >= 0) & (y <= 1)))
        if len(bad):
            row = int(bad[0])
            label = as_texts(values[row : row + 1])[0]
            raise LabelsBreakRule(
                f"label {shown(label)} where 0, 1 or a probability between was expected",
                place=where(row),
                advice=_SIGNS
                if {*y.tolist()} == {-1, 1}
                else skipping(label) + (ONE_COLUMN if not is_missing(label) else ()),
            )
        hard = (y == 0) | (y == 1)
        if hard.all():
            return y.astype(np.int64)
        return np.stack([1 - y, y], axis=1)


@record(frozen=True)
class Distribution:
    """As many label columns as classes: one-hot or soft targets."""

    note: str
    tolerance: float
    order: tuple[int, ...]
    by_name: bool
    matched: str = "distribution"
    votes: bool = False

    @cached_property
    def _ordered(self) -> slice | list[int]:
        return picked(self.order)

    def targets(self, values: Values, where: WhereRow) -> Ints | Floats:
        """Put the columns in the order of the classes, and check that every row is a distribution.

        If every row is one-hot, class indices are returned.
        """
        assert isinstance(values, np.ndarray)
        target: Floats = np.ascontiguousarray(values[:, self._ordered], dtype=np.float64)
        if self.votes:
            target = shares(target, lambda row, column: where(row))
        else:
            target_checked(target, self.tolerance, lambda row, column: where(row))
        ones = target == 1
        if np.count_nonzero(ones) == np.count_nonzero(target) == len(target):
            index: Ints = ones.argmax(axis=1)
            return index
        return target


@record(frozen=True)
class Multilabel:
    """A column of 0, 1 or probabilities in between for each column of predictions."""

    note: str
    order: tuple[int, ...]
    by_name: bool
    matched: str = "multilabel"
    decimal: str = "."

    def targets(self, values: Values, where: WhereRow) -> Floats:
        """Put the columns in the order of the predictions, and check that every label is from 0 to 1."""
        several = isinstance(values, np.ndarray) and values.ndim > 1
        columns = np.asarray(values) if several else reals(values, where, self.decimal)[:, None]
        target = np.ascontiguousarray(columns[:, list(self.order)], dtype=np.float64)
        bad = np.argwhere(~((target >= 0) & (target <= 1)))
        if len(bad):
            row, column = bad[0].tolist()
            value = float(target[row, column])
            padding = value < 0 and value.is_integer()
            raise DataError(
                f"{value:.6g} where 0, 1 or a probability between was expected, "
                "as each column is a yes or no (--multilabel)",
                place=where(row),
                advice=f"cells without a label? --ignore-label {value:.0f} skips them" if padding else "",
            )
        return target


def accepts(matcher: Matcher, values: Values) -> bool:
    """Return whether a rule takes some labels.

    >>> accepts(Binary(), ["0", "1"]), accepts(Binary(), ["2"])
    (True, False)
    """
    try:
        matcher.targets(values, lambda row: Place())
    except DataError:
        return False
    return True


def counts_classes(matcher: Matcher) -> bool:
    """Return whether labels are class indices from 0."""
    if isinstance(matcher, ByName):
        return len(matcher.codes) == len(matcher.classes) and all(
            label == str(index) for label, index in matcher.codes.items()
        )
    return isinstance(matcher, ByPosition | Binary) and matcher.base == 0


def range_advice(label: int, base: int, classes: int, met: Collection[int]) -> tuple[str, ...]:
    """Return advice for a label out of range; suggests another base only if no label in `met` rules it out."""
    if label < 0:
        return (f"padding, or rows without a label? --ignore-label {label} skips them",)
    other = 1 - base
    if all(other <= index < other + classes for index in met if index >= 0):
        return (f"labels counted from {other}? --index-base {other}",)
    return (f"a class without a column of predictions? --ignore-label {label} skips its rows",)
