"""Distinct labels and their first places, and conversion of labels to texts, integers or reals."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from xentcli.arrays import Array, Flags, Floats, Ints, distinct
from xentcli.columns.column import Coded, Values
from xentcli.columns.missing import is_missing
from xentcli.columns.numerals import in_points, number, whole, whole_or_text
from xentcli.columns.texts import Texts
from xentcli.errors import DataError, LabelsBreakRule, Place, shown
from xentcli.pairing.near import Step
from xentcli.records import record
from xentcli.typed import NAN

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "Census",
    "WhereRow",
    "as_texts",
    "ignored_as",
    "integers",
    "labelled_as",
    "labels_among",
    "read_whole",
    "reals",
    "skipping",
]

WhereRow = Callable[[int], Place]
_PADDING = ("-1", "-100")
T = TypeVar("T", bound=np.generic)


@record(frozen=False, eq=False)
class Census:
    """The distinct labels in order of first occurrence, with the place of each.

    `place` is the column as a whole; `true_false` says that labels are booleans; `decimal` is the decimal
    separator; `clean` returns the command that writes a copy of the file with labels respelled; `counts`
    has the number of rows of each label; `needs` returns the options that the predictions need besides.
    """

    place: Place
    texts: dict[str, Place] = field(default_factory=dict)
    true_false: bool = False
    decimal: str = "."
    clean: Callable[[Sequence[Step]], str] | None = None
    counts: Counter[str] = field(default_factory=Counter)
    needs: Callable[[], str] = str
    _numbers: set[Any] = field(default_factory=set)
    _found: tuple[int, tuple[bool, dict[str, Place]]] = (0, (True, {}))

    def add(self, values: Values, where: WhereRow) -> None:
        """Add the labels of some rows: n texts, or an array of n numbers."""
        if isinstance(values, Coded):
            counts = np.bincount(values.codes)
            for code, row in zip(*_met(values.codes), strict=True):
                label = values.distinct[code]
                self.counts[label] += int(counts[code])
                if label not in self.texts:
                    self.texts[label] = where(row)
            return
        if isinstance(values, list | Texts):
            met = Counter(values)
            self.counts.update(met)
            for label in met:
                if label not in self.texts:
                    self.texts[label] = where(values.index(label))
            return
        self.true_false |= values.dtype.kind == "b"
        found, first, places = distinct(values)
        texts, numbers, rows = as_texts(found), found.tolist(), first.tolist()
        self.counts.update(dict(zip(texts, np.bincount(places.ravel()).tolist(), strict=True)))
        fresh = [place for place, value in enumerate(numbers) if value not in self._numbers]
        self._numbers.update(numbers[place] for place in fresh)
        for row, label in sorted((rows[place], texts[place]) for place in fresh):
            if label not in self.texts:
                self.texts[label] = where(row)

    @property
    def whole(self) -> bool:
        """Whether all labels are of the form N or N.0."""
        return self._as_read()[0]

    @property
    def read(self) -> dict[str, Place]:
        """The labels in order of first occurrence, N.0 as N if all are whole numbers."""
        return self._as_read()[1]

    def _as_read(self) -> tuple[bool, dict[str, Place]]:
        """`whole` and `read`, computed once per number of labels."""
        if self._found[0] != len(self.texts):
            read: dict[str, Place] = {}
            for text, place in self.texts.items():
                number = whole(in_points(text, self.decimal))
                if number is None:
                    self._found = len(self.texts), (False, self.texts)
                    break
                read.setdefault(number, place)
            else:
                self._found = len(self.texts), (True, read)
        return self._found[1]


def labelled_as(values: Values, wanted: Collection[str], decimal: str = ".") -> Flags:
    """bool[n]: whether each label is one of `wanted`; for a row of target columns, whether all are.

    `wanted` are texts, with numbers spelled canonically (5, not 5.0; a point as separator); labels that are texts
    use `decimal`. "nan" stands for NaN in any case, NAN for an empty text too, "missing" for any
    spelling of a missing value.

    >>> labelled_as(["cat", "-100.0"], {"-100"}).tolist()
    [False, True]
    """
    texts, places = _each(values)
    # Numbers as texts have a point.
    known = np.array([ignored_as(text, wanted, decimal) is not None for text in texts], dtype=bool)
    found = known[places]
    whole: Flags = np.logical_and.reduce(found, axis=tuple(range(1, found.ndim)))
    return whole


def labels_among(values: Values, wanted: Collection[str], decimal: str = ".") -> frozenset[str]:
    """Return which of `wanted` occur among labels, or among the numbers of target columns.

    >>> sorted(labels_among(["cat", "-100.0"], {"-100", "dog"}))
    ['-100']
    """
    texts, places = _each(values)
    met = (texts[place] for place in np.flatnonzero(np.bincount(places.ravel())).tolist())
    return frozenset(ignored for text in met if (ignored := ignored_as(text, wanted, decimal)) is not None)


def read_whole(text: str, decimal: str) -> str:
    """Return N for a label N or N.0 (with this decimal separator); other text unchanged."""
    return whole(in_points(text, decimal)) or text


def ignored_as(text: str, wanted: Collection[str], decimal: str = ".") -> str | None:
    """Return which of the ignored labels a label is; None if it is none of them.

    >>> ignored_as("-100.0", {"-100"}), ignored_as(" N/A", {"missing"}), ignored_as("a", {"b"})
    ('-100', 'missing', None)
    """
    plain = whole_or_text(in_points(text, decimal))
    if plain in wanted:
        return plain
    if "nan" in wanted and text.strip().lower() == "nan":
        return "nan"
    # A missing value of data in memory is an empty text.
    if NAN in wanted and text.strip().lower() in ("", "nan"):
        return NAN
    return "missing" if "missing" in wanted and is_missing(text) else None


def as_texts(values: Values | Array) -> list[str]:
    """Labels as texts; whole numbers without a point, true and false as 1 and 0."""
    if isinstance(values, list | Texts | Coded):
        return list(values)
    if values.dtype.kind == "b":
        return [str(int(value)) for value in values.tolist()]
    texts = [str(value) for value in values.tolist()]
    return texts if values.dtype.kind in "iu" else list(map(whole_or_text, texts))


def skipping(label: str, *others: str) -> tuple[str, ...]:
    """Return the option that skips a label which means "no label", considering `others` too; () for real labels.

    >>> skipping(""), skipping("NaN", "NA", "cat"), skipping("cat")
    (("rows without a label? --ignore-label '' skips them",), ('rows without a label? --ignore-label missing skips \
them',), ())
    """
    if not (is_missing(label) or whole(label) in _PADDING):
        return ()
    several = is_missing(label) and any(is_missing(other) and other != label for other in others)
    option = "missing" if several or not label.isprintable() else shlex.quote(label)
    return (f"rows without a label? --ignore-label {option} skips them",)


def integers(values: Values, where: WhereRow, decimal: str) -> Ints:
    """Labels as i8[n], range-checked before any cast."""
    if isinstance(values, Coded):
        return _of_each(values, integers, where, decimal)
    if isinstance(values, list | Texts):
        result = np.empty(len(values), dtype=np.int64)
        for row, text in enumerate(values):
            found = whole(in_points(text, decimal))
            if found is None:
                raise LabelsBreakRule(
                    f"{shown(text)} where a whole number was expected", place=where(row), advice=skipping(text)
                )
            result[row] = int(found)
        return result
    if values.dtype.kind == "f":
        reals = values.astype(np.float64)
        bad = np.flatnonzero(~((reals == np.floor(reals)) & (np.abs(reals) < 2.0**53)))
        if len(bad):
            label = as_texts(values[bad[:1]])[0]
            raise DataError(f"label {label} is not a whole number", place=where(int(bad[0])), advice=skipping(label))
    elif values.dtype.kind == "u" and values.size and int(values.max()) >= 2**63:
        row = int(np.argmax(values))
        raise DataError(f"label {values[row]} is out of range", place=where(row))
    return values.astype(np.int64)


def reals(values: Values, where: WhereRow, decimal: str) -> Floats:
    """Labels as f8[n]."""
    if isinstance(values, Coded):
        return _of_each(values, reals, where, decimal)
    if not isinstance(values, list | Texts):
        return values.astype(np.float64)
    result = np.empty(len(values))
    for row, text in enumerate(values):
        found = number(in_points(text, decimal))
        if found is None:
            raise LabelsBreakRule(
                f"{shown(text)} where 0 or 1 was expected", place=where(row), advice=skipping(text, *values)
            )
        result[row] = found
    return result


def _each(values: Values) -> tuple[Sequence[str], Ints]:
    """Labels as texts, each at least once, and for every label (or number of a row) the place of its text."""
    if isinstance(values, Coded):
        return values.distinct, values.codes
    if isinstance(values, list | Texts):
        texts = list(values)
        known = {text: place for place, text in enumerate(set(texts))}
        return list(known), np.fromiter(map(known.__getitem__, texts), np.int64, len(texts))
    found, _, places = distinct(values)
    return as_texts(found), places.reshape(values.shape)


def _met(codes: Ints) -> tuple[list[int], list[int]]:
    """The distinct codes in order of first occurrence, and the first row of each."""
    found, first, _ = distinct(codes)
    order = np.argsort(first)
    return found[order].tolist(), first[order].tolist()


def _of_each(
    values: Coded, read: Callable[[Values, WhereRow, str], npt.NDArray[T]], where: WhereRow, decimal: str
) -> npt.NDArray[T]:
    """Convert each distinct label once; an error names the first row of an invalid one."""
    codes, used = _met(values.codes)
    read_ = read([values.distinct[code] for code in codes], lambda place: where(used[place]), decimal)
    result = np.zeros(len(values.distinct), dtype=read_.dtype)
    result[codes] = read_
    return result[values.codes]
