"""Labels to targets: by name, by prefix or suffix, by position, as distributions.

The first labels decide which rule holds; the rule is then a Matcher, which turns
every block of labels into targets, or refuses a label that breaks it.
"""

from __future__ import annotations

import itertools
import os.path
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from xentcli.arrays import Array, Flags, Floats, Ints, distinct, picked
from xentcli.columns.column import Coded, Values
from xentcli.columns.numerals import in_points, localized, number, whole, whole_or_text
from xentcli.columns.texts import Texts
from xentcli.errors import DataError, LabelsBreakRule, Place, shown
from xentcli.pairing.columns import listed
from xentcli.records import record
from xentcli.scoring.checks import target_checked

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "ByName",
    "Census",
    "Distribution",
    "Matcher",
    "Multilabel",
    "WhereRow",
    "counts_classes",
    "decide",
    "decide_binary",
    "distribution_order",
    "labelled_as",
    "readings",
]

_DIGITS = "0123456789"
_DIGITS_ALONE = re.compile("-?[0-9]{1,18}")
WhereRow = Callable[[int], Place]
T = TypeVar("T", bound=np.generic)


class Matcher(Protocol):
    """Turns the labels of some rows into targets."""

    @property
    def matched(self) -> str:
        """The rule: name, prefix, index, distribution or binary."""
        ...

    @property
    def note(self) -> str:
        """The rule in words, to follow the word "matched" or "taken"."""
        ...

    def targets(self, values: Values, where: WhereRow) -> Ints | Floats:
        """Return i8[n] or f8[n, k]."""
        ...


@record(frozen=True)
class ByName:
    """Labels that are class names, less the prefix and suffix `ends`; `decimal` is the separator of numbers."""

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
            known = np.array([self.codes.get(text, -1) for text in _texts(found)], dtype=np.int64)
            result = known[places]
        bad = np.flatnonzero(result < 0)
        if len(bad):
            row = int(bad[0])
            label = _texts(values[row : row + 1])[0]
            raise LabelsBreakRule(
                f"{shown(label)} is not a class",
                place=where(row),
                advice=(f"classes: {listed(self.classes)}", f"the labels before it were {self.note}"),
            )
        return result

    def _found(self, labels: Sequence[str]) -> list[int]:
        """The class of each label; -1 where it is none."""
        codes = [self.codes.get(label, -1) for label in labels]
        if -1 in codes and self.whole:
            codes = [self.codes.get(_read(label, self.decimal), -1) for label in labels]
        return codes


@record(frozen=True)
class ByPosition:
    """Labels that count the classes from `base`; met are the whole numbers among the labels that decided."""

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
        result = _integers(values, where, self.decimal)
        low, high = self.base, self.base + len(self.classes) - 1
        if len(result) and not low <= np.minimum.reduce(result) <= np.maximum.reduce(result) <= high:
            row = int(np.flatnonzero((result < low) | (result > high))[0])
            met = {*self.met, *distinct(result)[0].tolist()}
            raise LabelsBreakRule(
                f"label {int(result[row])} is outside {low} to {high}, the positions of {len(self.classes):,} classes",
                place=where(row),
                advice=_range_advice(int(result[row]), self.base, len(self.classes), met),
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
        """Return class indices, or distributions where some label is strictly between."""
        y = _reals(values, where, self.decimal) - self.base
        bad = np.flatnonzero(~((y >= 0) & (y <= 1)))
        if len(bad):
            row = int(bad[0])
            label = _texts(values[row : row + 1])[0]
            raise LabelsBreakRule(
                f"label {shown(label)} where 0, 1 or a probability between was expected",
                place=where(row),
                advice=(
                    "one column of predictions is the probability of class 1",
                    "labels that are names: --positive NAME says which one it is the probability of",
                ),
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

    @cached_property
    def _ordered(self) -> slice | list[int]:
        return picked(self.order)

    def targets(self, values: Values, where: WhereRow) -> Ints | Floats:
        """Put the columns in the order of the classes, and check that every row is a distribution.

        Where each row has all in one class, these are the classes.
        """
        assert isinstance(values, np.ndarray)
        target: Floats = np.ascontiguousarray(values[:, self._ordered], dtype=np.float64)
        target_checked(target, self.tolerance, lambda row, column: where(row))
        ones = target == 1
        if np.count_nonzero(ones) == np.count_nonzero(target) == len(target):
            index: Ints = ones.argmax(axis=1)
            return index
        return target


@record(frozen=True)
class Multilabel:
    """A column of 0 and 1, or probabilities between, for each column of predictions."""

    note: str
    order: tuple[int, ...]
    by_name: bool
    matched: str = "multilabel"
    decimal: str = "."

    def targets(self, values: Values, where: WhereRow) -> Floats:
        """Put the columns in the order of the predictions, and check that every label is from 0 to 1."""
        several = isinstance(values, np.ndarray) and values.ndim > 1
        columns = np.asarray(values) if several else _reals(values, where, self.decimal)[:, None]
        target = np.ascontiguousarray(columns[:, list(self.order)], dtype=np.float64)
        bad = np.argwhere(~((target >= 0) & (target <= 1)))
        if len(bad):
            row, column = bad[0].tolist()
            raise DataError(
                f"{target[row, column]:.6g} where 0, 1 or a probability between was expected",
                place=where(row),
                advice="--multilabel takes each column as a yes or no of its own",
            )
        return target


@record(frozen=False, eq=False)
class Census:
    """The distinct labels in the order in which they were met, and where each was first.

    place stands for the column as a whole; true_false says that labels are booleans; decimal is the
    separator of numbers.
    """

    place: Place
    texts: dict[str, Place] = field(default_factory=dict)
    true_false: bool = False
    decimal: str = "."
    _numbers: set[Any] = field(default_factory=set)

    def add(self, values: Values, where: WhereRow) -> None:
        """Add the labels of some rows: n texts, or an array of n numbers."""
        if isinstance(values, Coded):
            for code, row in zip(*_met(values.codes), strict=True):
                if values.distinct[code] not in self.texts:
                    self.texts[values.distinct[code]] = where(row)
            return
        if isinstance(values, list | Texts):
            for label in dict.fromkeys(values):
                if label not in self.texts:
                    self.texts[label] = where(values.index(label))
            return
        self.true_false |= values.dtype.kind == "b"
        found, first, _ = distinct(values)
        fresh = [place for place, value in enumerate(found.tolist()) if value not in self._numbers]
        self._numbers.update(found[fresh].tolist())
        for label, row in sorted(zip(_texts(found[fresh]), first[fresh].tolist(), strict=True), key=lambda p: p[1]):
            if label not in self.texts:
                self.texts[label] = where(row)

    @property
    def whole(self) -> bool:
        """Whether all labels are of the form N or N.0."""
        return all(whole(in_points(text, self.decimal)) is not None for text in self.texts)

    @property
    def read(self) -> dict[str, Place]:
        """The labels as they are read, in the order in which they were met: N.0 as N where all are whole."""
        if not self.whole:
            return self.texts
        read: dict[str, Place] = {}
        for text, place in self.texts.items():
            read.setdefault(_read(text, self.decimal), place)
        return read


def decide(census: Census, classes: Sequence[str], named: bool, base: int | None) -> Matcher:
    """Find the rule that the labels follow, in the order: name, prefix or suffix, position.

    Parameters
    ----------
    census
        The labels that decide.
    classes, named
        The class names, and whether they are names or only positions.
    base
        What --index-base says; it switches matching by name off.

    Raises
    ------
    DataError
        When no rule holds, or two that disagree.

    >>> census = Census(Place("labels.csv"))
    >>> census.add(["2", "1.0"], lambda row: Place("labels.csv", row + 1))
    >>> decide(census, ["p1", "p2"], True, None).note
    "matched to the columns by name less the prefix 'p'"
    """
    names, labels, whole = tuple(classes), census.read, census.whole
    if census.true_false and len(names) != 2:
        raise DataError(f"labels are true or false, and there are {len(names):,} classes", place=census.place)
    if census.true_false and {name.lower() for name in names} == {"true", "false"}:
        codes = {str(int(name.lower() == "true")): index for index, name in enumerate(names)}
        return ByName(codes, names, "name", "matched to the columns by name", True)
    if base is None and named:
        found = _by_name(census, names) or _by_part(census, names)
        if found:
            return found
    if not whole:
        label, place = _stranger(census, names, named and base is None)
        raise DataError(
            f"{shown(label)} is not a class",
            place=place,
            advice=(
                f"classes: {listed(names)}",
                "remove the spaces around labels"
                if label != label.strip() and (label.strip() in names or label.strip().isdecimal())
                else "--classes NAME,... names them in the order of the columns",
            ),
        )
    if base is None and named and _names_exclude_positions(labels, names):
        raise _not_named(labels, names)
    integers = {int(text) for text in labels}
    if base is None and len(names) in integers and min(integers) >= 1 and max(integers) <= len(names):
        raise DataError(
            f"label {len(names)} and no label 0: are the {len(names)} classes counted from 1?",
            place=labels[str(len(names))],
            advice="--index-base 1 counts from 1, --index-base 0 from 0",
        )
    return ByPosition(base or 0, names, integers, decimal=census.decimal)


def _names_exclude_positions(labels: Collection[str], names: Sequence[str]) -> bool:
    """Whether whole labels cannot be positions: the class names are other numbers, or a label names another position.

    >>> _names_exclude_positions(["2"], ["p0", "p1", "p3"]), _names_exclude_positions(["2"], ["p0", "p1", "p2"])
    (True, False)
    """
    numbers = _numbers_of(names)
    if numbers is not None:
        return list(map(int, numbers)) != list(range(len(names)))
    codes = ({name: index for index, name in enumerate(shorter)} for _, shorter in _cuts(names))
    return any(cut.get(label, int(label)) != int(label) for cut in codes for label in labels)


def _numbers_of(names: Sequence[str]) -> tuple[str, ...] | None:
    """The whole numbers that all names are, less what they share at both ends; None where one is no number."""
    stem = os.path.commonprefix(list(names)).rstrip(_DIGITS)
    rests = [name[len(stem) :] for name in names]
    tail = os.path.commonprefix([rest[::-1] for rest in rests])[::-1].lstrip(_DIGITS)
    found = [_DIGITS_ALONE.fullmatch(rest.removesuffix(tail)) for rest in rests]
    return tuple(match[0] for match in found if match) if all(found) else None


def _not_named(labels: Mapping[str, Place], names: Sequence[str]) -> DataError:
    """The error at the first label that is not a class name, where the names are not positions."""
    parts = [shorter for _, shorter in _cuts(names)] + [_numbers_of(names) or ()]
    following = max(({*labels} & {*shorter} for shorter in parts), key=len)
    label, place = next(item for item in labels.items() if item[0] not in following)
    return DataError(
        f"{shown(label)} is not a class",
        place=place,
        advice=(
            f"classes: {listed(names)}",
            *(_range_advice(int(label), 0, len(names), ()) if int(label) < 0 else ()),
            "if labels are column positions: --index-base 0, or --index-base 1 if the first column is 1",
        ),
    )


def _stranger(census: Census, names: Sequence[str], named: bool) -> tuple[str, Place]:
    """Return the first label that breaks the rule which most of the others follow."""
    labels = census.read
    cuts = [shorter for _, shorter in _cuts(names) if len(set(shorter)) == len(names)] if named else []
    rules = [{label for label in labels if label in set(shorter) - {""}} for shorter in cuts]
    rules.append({label for label in labels if whole(in_points(label, census.decimal)) is not None})
    following = max(rules, key=len)
    return next(item for item in labels.items() if item[0] not in following)


def decide_binary(
    census: Census, names: Sequence[str] | None, positive: str | None, base: int | None
) -> tuple[Matcher, tuple[str, str]]:
    """Find the rule for one column of predictions; also the names of the two classes.

    Raises
    ------
    DataError
        For text labels when nothing says which one the column is about.
    """
    if positive is not None:
        return _by_positive(census, positive)
    if names is not None:
        values = [number(in_points(text, census.decimal)) for text in census.texts]
        soft = any(value is not None and 0 < value < 1 for value in values)
        if len(names) == 2 and soft and not set(census.texts) & set(names):
            return Binary(base or 0, decimal=census.decimal), (names[0], names[1])
        if len(names) != 2:
            raise DataError(
                f"--classes has {len(names):,} names, and one column of predictions has two classes",
                place=census.place,
                advice="--classes NEGATIVE,POSITIVE",
            )
        pair = (names[0], names[1])
        return decide(census, pair, True, base), pair
    words = ((text, at) for text, at in census.texts.items() if number(in_points(text, census.decimal)) is None)
    label, place = next(words, ("", census.place))
    if label:
        texts = list(census.texts)
        name = sorted(texts)[-1] if len(texts) <= 2 else "NAME"
        raise DataError(
            f"{shown(label)} is a name, and one column of predictions does not say which class it is about",
            place=place,
            advice=(f"--positive {name} names the class that it is the probability of", f"labels: {listed(texts)}"),
        )
    return Binary(base or 0, decimal=census.decimal), ("0", "1")


def _by_positive(census: Census, positive: str) -> tuple[Matcher, tuple[str, str]]:
    labels = census.read
    if census.whole:
        positive = _read(positive, census.decimal)
    elif positive not in labels:
        positive = localized(positive, census.decimal)
    others = [label for label in labels if label != positive]
    nearly = any(label.strip().casefold() == positive.strip().casefold() for label in others)
    if len(others) == len(labels) and (nearly or len(labels) > 1):
        raise DataError(
            f"--positive {shown(positive)} is not a label", place=census.place, advice=f"labels: {listed(others)}"
        )
    if len(others) > 1:
        raise LabelsBreakRule(
            f"a third label {shown(others[1])} beside {shown(positive)} and {shown(others[0])}",
            place=labels[others[1]],
            advice="one column of predictions tells two classes apart",
        )
    other = others[0] if others else f"not {positive}"
    note = f"by name, the column being the probability of {positive}"
    codes = {other: 0, positive: 1}
    matcher = ByName(codes, (other, positive), "binary", note, census.whole, decimal=census.decimal)
    return matcher, (other, positive)


def distribution_order(
    columns: Sequence[str], classes: Sequence[str], named: bool, place: Place
) -> tuple[tuple[int, ...], str, bool]:
    """Match K target columns to K classes: which column is for each class, the rule in words, whether it is by name.

    Raises
    ------
    DataError
        When the names overlap in part, so that neither reading is safe.
    """
    by_position = tuple(range(len(columns)))
    if not named or not columns:
        return by_position, "one column for each class, by position", False
    if set(columns) == set(classes):
        return tuple(columns.index(name) for name in classes), "one column for each class, by name", True
    for removed, shorter in _cuts(columns):
        for kept, names in _cuts(classes):
            if len(set(names)) == len(names) and set(shorter) == set(names):
                note = f"one column for each class, by name less {shown(removed or kept)}"
                return tuple(shorter.index(name) for name in names), note, True
    cores, ours = _cores(classes), _cores(columns)
    if set(cores) == set(ours) and len(set(cores)) == len(cores) and "" not in cores:
        return tuple(ours.index(core) for core in cores), "one column for each class, by the part that differs", True
    alike = [name for name, core in zip(columns, ours, strict=True) if core and core in set(cores)]
    shared = ((set(a) & set(b)) - {""} for _, a in _cuts(columns) for _, b in _cuts(classes))
    common = set(alike) or next(filter(None, shared), set())
    if common:
        raise DataError(
            f"label columns are called as classes are ({listed(sorted(common))}), but not all, or not quite",
            place=place,
            advice=(
                f"classes: {listed(tuple(classes))}",
                f"label columns: {listed(tuple(columns))}",
                "--label NAME,... lists them in the order of the classes, once they are renamed",
            ),
        )
    return by_position, "one column for each class, by position (no name is common)", False


def _cores(names: Sequence[str]) -> list[str]:
    """The names less all that they share at both ends, in one case: what tells them apart."""
    prefix = os.path.commonprefix(list(names))
    shorter = [name[len(prefix) :] for name in names]
    suffix = os.path.commonprefix([name[::-1] for name in shorter])
    return [name[: len(name) - len(suffix)].strip(" _.-").casefold() for name in shorter]


def _cuts(names: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """The names, and the names less each prefix or suffix that all share."""
    return [("", tuple(names)), *_prefixes(names), *_suffixes(names)]


def _prefixes(names: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each prefix that all names share, and the names less it."""
    shared = os.path.commonprefix(list(names))
    for length in range(1, len(shared) + 1):
        yield shared[:length], tuple(name[length:] for name in names)


def _suffixes(names: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each suffix that all names share, and the names less it."""
    shared = os.path.commonprefix([name[::-1] for name in names])[::-1]
    for length in range(1, len(shared) + 1):
        yield shared[-length:], tuple(name[:-length] for name in names)


def _by_name(census: Census, names: tuple[str, ...]) -> ByName | None:
    codes = {name: index for index, name in enumerate(names)}
    for index, name in enumerate(names if census.decimal != "." else ()):
        # One file may write 1,5 and the other 1.5.
        for other in (in_points(name, census.decimal), localized(name, census.decimal)):
            codes.setdefault(other, index)
    if not all(label in codes for label in census.read):
        return None
    note = "matched to the columns by name"
    return ByName(codes, names, "name", note, census.whole, decimal=census.decimal)


def _by_part(census: Census, names: tuple[str, ...]) -> ByName | None:
    """The rule for labels that are the class names without a common prefix and suffix (one may be empty)."""
    labels, places = census.read, {name: index for index, name in enumerate(names)}
    found: list[tuple[tuple[str, str], dict[str, int]]] = []
    for prefix, suffix in _ends(names):
        if all(f"{prefix}{label}{suffix}" in places for label in labels):
            shorter = (name[len(prefix) : len(name) - len(suffix)] for name in names)
            # An empty label is a missing one, not a class less all of its name.
            codes = {name: index for index, name in enumerate(shorter) if name}
            if all(label in codes for label in labels):
                found.append(((prefix, suffix), codes))
    if not found:
        return None
    ends, codes = found[0]
    for other, other_codes in found[1:]:
        if any(codes[label] != other_codes[label] for label in labels):
            raise LabelsBreakRule(
                "labels match the class names in two ways that disagree: "
                f"without {_less(*ends)}, or without {_less(*other)}",
                place=census.place,
                advice="--classes NAME,... names the classes as the labels do",
            )
    # A label still to come that another of these reads otherwise breaks the rule.
    codes = {label: code for label, code in codes.items() if all(c.get(label, code) == code for _, c in found)}
    note = f"matched to the columns by name less {_less(*ends)}"
    return ByName(codes, names, "prefix", note, census.whole, ends, census.decimal)


def _ends(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each pair of a prefix and a suffix that all names share without overlap: first those with one of them empty."""
    head = os.path.commonprefix(list(names))
    tail = os.path.commonprefix([name[::-1] for name in names])[::-1]
    prefixes, suffixes = range(1, len(head) + 1), range(1, len(tail) + 1)
    shortest = min(map(len, names))
    pairs = itertools.product(prefixes, suffixes)
    for before, after in (*((n, 0) for n in prefixes), *((0, n) for n in suffixes), *pairs):
        if before + after <= shortest:
            yield head[:before], tail[len(tail) - after :]


def readings(names: Sequence[str], labels: Collection[str], decimal: str = ".") -> Iterator[dict[str, int]]:
    """Yield each way in which all labels name classes: the class of each, by name, by part or by position from 0 or 1.

    >>> list(readings(["p_1", "p_2"], ["2", "1.0"]))
    [{'2': 1, '1.0': 0}, {'2': 1, '1.0': 0}]
    """
    places = {name: index for index, name in enumerate(names)}
    for prefix, suffix in (("", ""), *_ends(names)):
        found = _places(places, prefix, suffix, labels, decimal)
        if found is not None:
            yield found
    numbers = [whole(in_points(label, decimal)) for label in labels]
    for base in (0, 1):
        if all(number is not None and base <= int(number) < base + len(names) for number in numbers):
            yield {label: int(number or 0) - base for label, number in zip(labels, numbers, strict=True)}


def _places(
    places: Mapping[str, int], prefix: str, suffix: str, labels: Collection[str], decimal: str
) -> dict[str, int] | None:
    """The class of each label between a prefix and a suffix; None as soon as one has none."""
    found: dict[str, int] = {}
    for label in labels:
        index = places.get(f"{prefix}{label}{suffix}", places.get(f"{prefix}{_read(label, decimal)}{suffix}"))
        if index is None:
            return None
        found[label] = index
    return found


def _less(prefix: str, suffix: str) -> str:
    """A prefix and a suffix in words, without the empty one."""
    parts = [f"the {kind} {shown(part)}" for kind, part in (("prefix", prefix), ("suffix", suffix)) if part]
    return " and ".join(parts)


def counts_classes(matcher: Matcher) -> bool:
    """Say whether a label is the number of its class, counted from 0."""
    if isinstance(matcher, ByName):
        return len(matcher.codes) == len(matcher.classes) and all(
            label == str(index) for label, index in matcher.codes.items()
        )
    return isinstance(matcher, ByPosition | Binary) and matcher.base == 0


def labelled_as(values: Values, wanted: Collection[str], decimal: str = ".") -> Flags:
    """bool[n]: whether a label is one of `wanted`; of a row of target columns, whether all are.

    `wanted` are whole numbers without a point, other numbers with one, and texts; labels that are texts have
    `decimal` as their separator.

    >>> labelled_as(["cat", "-100.0"], {"-100"}).tolist()
    [False, True]
    """
    if isinstance(values, Coded):
        known = np.array([_plain(text, decimal) in wanted for text in values.distinct], dtype=bool)
        return known[values.codes]
    if isinstance(values, list | Texts):
        return np.array([_plain(text, decimal) in wanted for text in values], dtype=bool)
    labels, _, places = distinct(values)
    known = np.array([text in wanted for text in _texts(labels)], dtype=bool)
    found = known[places.reshape(values.shape)]
    whole: Flags = np.logical_and.reduce(found.reshape(len(values), -1), axis=1)
    return whole


def labels_among(values: Values, wanted: Collection[str], decimal: str = ".") -> frozenset[str]:
    """Return which of `wanted` occur among labels, or among the numbers of target columns.

    >>> sorted(labels_among(["cat", "-100.0"], {"-100", "dog"}))
    ['-100']
    """
    if isinstance(values, Coded):
        values = [values.distinct[code] for code in np.unique(values.codes).tolist()]
    found = values if isinstance(values, list | Texts) else _texts(distinct(values)[0])
    return frozenset(_plain(text, decimal) for text in found) & frozenset(wanted)


def _read(text: str, decimal: str) -> str:
    """N of a label written N or N.0 with that decimal separator; other text as it is."""
    return whole(in_points(text, decimal)) or text


def _plain(text: str, decimal: str) -> str:
    """N of a label written N or N.0 with that decimal separator, another number with a point; other text as it is."""
    return whole_or_text(in_points(text, decimal))


def _texts(values: Values | Array) -> list[str]:
    """Labels as texts; whole numbers without a point, true and false as 1 and 0."""
    if isinstance(values, list | Texts | Coded):
        return list(values)
    if values.dtype.kind == "b":
        return [str(int(value)) for value in values.tolist()]
    return [whole_or_text(str(value)) for value in values.tolist()]


def _integers(values: Values, where: WhereRow, decimal: str) -> Ints:
    """Labels as i8[n], range-checked before any cast."""
    if isinstance(values, Coded):
        return _of_each(values, _integers, where, decimal)
    if isinstance(values, list | Texts):
        result = np.empty(len(values), dtype=np.int64)
        for row, text in enumerate(values):
            found = whole(in_points(text, decimal))
            if found is None:
                raise LabelsBreakRule(f"{shown(text)} where a whole number was expected", place=where(row))
            result[row] = int(found)
        return result
    if values.dtype.kind == "f":
        reals = values.astype(np.float64)
        bad = np.flatnonzero(~((reals == np.floor(reals)) & (np.abs(reals) < 2.0**53)))
        if len(bad):
            raise DataError(f"label {values[bad[0]]} is not a whole number", place=where(int(bad[0])))
    elif values.dtype.kind == "u" and values.size and int(values.max()) >= 2**63:
        row = int(np.argmax(values))
        raise DataError(f"label {values[row]} is out of range", place=where(row))
    return values.astype(np.int64)


def _met(codes: Ints) -> tuple[list[int], list[int]]:
    """The codes that occur, in the order in which they are met, and the first row of each."""
    found, first, _ = distinct(codes)
    order = np.argsort(first)
    return found[order].tolist(), first[order].tolist()


def _of_each(
    values: Coded, read: Callable[[Values, WhereRow, str], npt.NDArray[T]], where: WhereRow, decimal: str
) -> npt.NDArray[T]:
    """Read each distinct label once; an error names the first row of a bad one."""
    codes, used = _met(values.codes)
    read_ = read([values.distinct[code] for code in codes], lambda place: where(used[place]), decimal)
    result = np.zeros(len(values.distinct), dtype=read_.dtype)
    result[codes] = read_
    return result[values.codes]


def _reals(values: Values, where: WhereRow, decimal: str) -> Floats:
    if isinstance(values, Coded):
        return _of_each(values, _reals, where, decimal)
    if not isinstance(values, list | Texts):
        return values.astype(np.float64)
    result = np.empty(len(values))
    for row, text in enumerate(values):
        found = number(in_points(text, decimal))
        if found is None:
            raise LabelsBreakRule(f"{shown(text)} where 0 or 1 was expected", place=where(row))
        result[row] = found
    return result


def _range_advice(label: int, base: int, classes: int, met: Collection[int]) -> tuple[str, ...]:
    """Return advice for a label out of range: another base only where no label (`met`) rules it out."""
    if label < 0:
        return (f"padding, or rows without a label? --ignore-label {label} skips them",)
    other = 1 - base
    if all(other <= index < other + classes for index in met if index >= 0):
        return (f"labels counted from {other}? --index-base {other}",)
    return (f"a class without a column of predictions? --ignore-label {label} skips its rows",)
