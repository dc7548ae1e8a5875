"""Distinguish a column of the predicted class (the largest prediction in every row) from one of the true class."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from xentcli.arrays import Floats
from xentcli.columns.numerals import hundredths, in_points, number
from xentcli.pairing import near
from xentcli.pairing.affixes import numbers_of, readings

__all__ = ["are_places", "classes_shown", "loose_readings", "numbers_of_texts", "predicted_class"]

_PLACE = r"(?s)(.*\[)?[0-9]+(?(1)\])"


def predicted_class(
    values: Sequence[str],
    names: Sequence[str],
    predictions: Sequence[Sequence[str]],
    decimal: str = ".",
    *,
    exactly: bool = False,
) -> bool:
    """Return whether values (n texts) are the class of the largest prediction in every row.

    With ties any of the largest counts, unless all rows have ties. Values may be class names, also
    without common affixes, or positions from 0 or 1; case, blanks and the like are ignored unless
    `exactly`. If the predictions are items of a list, texts that correspond to them are the classes.

    >>> predicted_class(["no", "yes"], ["p_no", "p_yes"], [["0.8", "0.3"], ["0.2", "0.7"]])
    True
    """
    columns = [numbers_of_texts(column, decimal) for column in predictions]
    table = np.array([column for column in columns if column is not None])
    if not values or len(table) < max(2, len(names)):
        return False
    largest, rows = table == table.max(axis=0), np.arange(len(values))
    if not (np.count_nonzero(largest, axis=0) == 1).any():
        return False
    loose = () if exactly else loose_readings(names, set(values))
    codes = [*readings(names, set(values), decimal), *loose]
    if not codes and not exactly and are_places(names):
        return classes_shown(values, table) is not None
    return any(largest[[classes[value] for value in values], rows].all() for classes in codes)


def are_places(names: Sequence[str]) -> bool:
    """Whether names of columns are places in a list, or numbers in order from 0 or 1 between the same ends.

    >>> are_places(["p[0]", "p[1]"]), are_places(["p1", "p2"]), are_places(["p2", "p1"])
    (True, True, False)
    """
    numbers = numbers_of(names) or ()
    series = [[str(base + place) for place in range(len(names))] for base in (0, 1)]
    return list(numbers) in series or all(re.fullmatch(_PLACE, name) for name in names)


def classes_shown(values: Sequence[str], table: Floats) -> tuple[str, ...] | None:
    """Return for each class of table, f8[k, n], the text that occurs where it is the largest; "" if it never is.

    None unless at least two texts correspond one to one, and this is confirmed by more rows than texts.

    >>> table = np.array([[0.8, 0.3, 0.6, 0.5], [0.2, 0.7, 0.4, 0.5]])
    >>> classes_shown(["no", "yes", "no", "yes"], table), classes_shown(["no", "yes", "yes", "yes"], table)
    (('no', 'yes'), None)
    """
    first, alone = table.argmax(axis=0).tolist(), (np.count_nonzero(table == table.max(axis=0), axis=0) == 1).tolist()
    pairs = [(text, place) for text, place, only in zip(values, first, alone, strict=True) if only]
    called = {place: text for text, place in pairs}
    if not 1 < len(called) == len({*pairs}) == len({*called.values()}) < len(pairs):
        return None
    if not {*values} <= {*called.values()} or any(number(text) is not None for text in called.values()):
        return None
    return tuple(called.get(place, "") for place in range(len(table)))


def loose_readings(names: Sequence[str], values: Collection[str]) -> Iterator[dict[str, int]]:
    """Readings of values that are class names apart from case, blanks and the like."""
    plain = [near.loose(name) for name in names]
    if len({*plain}) == len(plain) and any(near.loose(value) != value for value in values):
        for found in readings(plain, {near.loose(value) for value in values}):
            yield {value: found[near.loose(value)] for value in values}


def numbers_of_texts(texts: Sequence[str], decimal: str) -> Floats | None:
    """f8[n]: a column of numbers; None if a cell is not a number."""
    values = [number(in_points(hundredths(text, decimal), decimal)) for text in texts]
    return None if None in values else np.array(values, dtype=np.float64)
