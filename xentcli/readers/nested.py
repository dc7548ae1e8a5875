"""Decide which numbers and texts of a nested record (JSON, Arrow) become columns.

An object of numbers, a list of numbers, a list of (label, score) pairs and a sparse vector each become several
columns. Any other object is flattened: its fields become columns with dotted names. So do the fields of a list of
objects, whose values become lists.
"""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

from xentcli.columns.numerals import is_number
from xentcli.errors import shown
from xentcli.readers.wide import Flat
from xentcli.records import record, replace

__all__ = ["Field", "fields_of", "fields_of_row", "flat_of_fields", "inner_of", "is_row", "kind_of", "leaves_of"]

Inner = int | tuple[str, ...] | None
"""The length of a list of numbers, the names of an object of numbers, sorted; None of another value.

Of a field, 0 stands for a list that is not of numbers alone, which may be one of lists of any length.
"""
Path = tuple[str | int, ...]

_LARGEST = sys.float_info.max
_VECTOR = {"type", "size", "indices", "values"}
_NAMES = re.compile("label|class|name|categor", re.IGNORECASE)
"""Names of fields that hold a list of class names."""
_TOKENS = {"token", "tokens"}
"""Names of fields that hold tokens, not classes."""


@record(frozen=True)
class Field:
    """One column of a record, or several at once.

    Attributes
    ----------
    name
        Its keys, joined by points; empty for the values of a list, which have no names.
    path
        The keys and places that lead to its value; a key of a list is that of each of its objects.
    inner
        What the value is: see `inner_of`.
    form
        What the value is written as: "plain", "pairs" (labels with scores), "beside" (a list whose
        names are in another list), or "vector" (Spark's, dense or sparse).
    keys
        Of pairs the keys of label and score; of a list the path of its names.
    """

    name: str
    path: Path
    inner: Inner
    form: Literal["plain", "pairs", "beside", "vector"] = "plain"
    keys: Path = ()

    def value(self, found: Any) -> Any:
        """Return its value in a record: a single one, a list, or an object by name.

        Raises LookupError if the record has no such value.
        """
        value = _reach(found, self.path)
        if self.form == "plain":
            return value
        if self.form == "pairs":
            return _scores(value, *self.keys)
        if self.form == "vector":
            return _numbers_of(value)
        names = _reach(found, self.keys)
        distinct = isinstance(names, list) and isinstance(value, list) and len(names) == len(value)
        by_name = {str(name): number for name, number in zip(names, value, strict=True)} if distinct else {}
        return by_name if by_name and len(by_name) == len(value) else value

    def items(self, found: Any) -> Any:
        """Return its value in a record as a list of any length, where it is one or is in the objects of some.

        Raises LookupError if the record has no such value.
        """
        value = _reach(found, self.path)
        value = _numbers_of(value) if self.form == "vector" else value
        if isinstance(value, list) and value and all(isinstance(item, list) for item in value):
            return list(itertools.chain.from_iterable(value))
        return [value] if isinstance(value, str) else value

    def leaves(self, found: Any) -> tuple[dict[int | str | None, Path], list[tuple[Path, Path, str]]]:
        """Return the path of each number by its key in the columns; of pairs also label, score and name in order."""
        value = _reach(found, self.path)
        if self.form == "plain" and not isinstance(self.inner, tuple):
            places = (None,) if self.inner is None else range(self.inner)
            return {place: self.path if place is None else (*self.path, place) for place in places}, []
        if self.form == "plain":
            return {key: (*self.path, key) for key in value}, []
        if self.form == "vector":
            return {}, []
        named: list[tuple[Path, Path, str]] = []
        for place in range(len(value)):
            at = (*self.path, place)
            label, score = (
                ((*at, self.keys[0]), (*at, self.keys[1])) if self.form == "pairs" else ((*self.keys, place), at)
            )
            named.append((label, score, str(_reach(found, label))))
        return {name: score for _, score, name in named}, named


def flat_of_fields(fields: Sequence[Field]) -> Flat:
    """Spread out the columns of fields."""
    return Flat.of([(field.name, field.inner) for field in fields])


def fields_of(found: Any, others: Sequence[Any] = ()) -> tuple[Field, ...]:
    """Return the columns of a record: an object, a row as a list, or a single value.

    Parameters
    ----------
    found
        The first record.
    others
        Some further records. A list of names beside one of numbers is that of the classes only if
        the names of all of them are those of the first.

    >>> [field.name for field in fields_of({"id": "a", "out": {"classes": ["x", "y"], "scores": [0.4, 0.6]}})]
    ['id', 'out.scores']
    """
    if isinstance(found, Mapping):
        fields = tuple(_spread(found, (), ""))
    elif isinstance(found, list):
        fields = tuple(_of_row(found))
    else:
        return (Field("", (), None),)
    return tuple(field if _same_names(field, found, others) else _unnamed(field, found) for field in fields)


def fields_of_row(names: Sequence[str], row: Sequence[Any]) -> tuple[Field, ...]:
    """Return the columns of a row that is a list, with a name for each value."""
    values = enumerate(zip(names, row, strict=True))
    return tuple(field for place, (name, value) in values for field in _of_value(name, (place,), value, {}))


def is_row(value: Any) -> bool:
    """Whether a value is one row: a list of single values, or of labels with scores; not a list of rows.

    >>> is_row([0.1, 0.9]), is_row([[0.1, 0.9], [0.2, 0.8]])
    (True, False)
    >>> is_row([{"label": "a", "score": 0.9}, {"label": "b", "score": 0.1}])
    True
    """
    if not isinstance(value, list):
        return True
    return not all(isinstance(item, list | dict) for item in value) or _pair_keys(value) is not None


def _of_row(row: list[Any]) -> Iterator[Field]:
    keys = _pair_keys(row)
    if keys is not None:
        yield Field("", (), inner_of(_scores(row, *keys), texts=True), "pairs", keys)
    elif (inner := inner_of(row)) is not None:
        yield Field("", (), inner)
    elif any(isinstance(value, list | dict) for value in row):
        yield from fields_of_row([str(place) for place in range(len(row))], row)
    else:
        yield from (Field("", (place,), None) for place in range(len(row)))


def _spread(found: Mapping[str, Any], path: Path, prefix: str) -> Iterator[Field]:
    """Yield the columns of an object; lists of names that name the numbers of another list are none."""
    fields = [
        field for key, value in found.items() for field in _of_value(f"{prefix}{key}", (*path, key), value, found)
    ]
    naming = {field.keys for field in fields if field.form == "beside"}
    yield from (field for field in fields if field.path not in naming)


def _of_value(name: str, path: Path, value: Any, siblings: Mapping[str, Any]) -> Iterator[Field]:
    inner = inner_of(value)
    if isinstance(value, dict) and "type" in value and "values" in value and value.keys() <= _VECTOR:
        yield Field(name, path, inner_of(_numbers_of(value)), "vector")
    elif isinstance(value, list) and (keys := _pair_keys(value)) is not None:
        yield Field(name, path, inner_of(_scores(value, *keys), texts=True), "pairs", keys)
    elif isinstance(inner, int) and (beside := _names_beside(siblings, path[-1], inner)) is not None:
        yield Field(name, path, tuple(sorted(map(str, siblings[beside]))), "beside", (*path[:-1], beside))
    elif inner is None and isinstance(value, dict) and value:
        yield from _spread(value, path, f"{name}.")
    elif isinstance(value, list) and value and all(isinstance(item, dict) and item for item in value):
        gathered = {key: _reach(value, (key,)) for key in value[0] if all(key in item for item in value)}
        yield from _spread(gathered, path, f"{name}.") if gathered else (Field(name, path, None),)
    else:
        yield Field(name, path, 0 if isinstance(value, list) and inner is None else inner)


def _names_beside(siblings: Mapping[str, Any], key: str | int, length: int) -> str | None:
    """Return the key of the list beside a list of numbers that names them; None where there is none."""
    found = [
        other
        for other, value in siblings.items()
        if other != key and _NAMES.search(other) and _are_names(value, length)
    ]
    return min(found, key=lambda other: ("id" in other.lower(), found.index(other)), default=None)


def _are_names(value: Any, length: int) -> bool:
    """Whether a value is a list of distinct texts, or of whole numbers that cannot be 0 and 1 alone."""
    if not isinstance(value, list) or len(value) != length or length < 2:
        return False
    types = {*map(type, value)}
    return (types == {str} or (types == {int} and length > 2)) and len({*value}) == length


def _same_names(field: Field, found: Any, others: Sequence[Any]) -> bool:
    """Whether the list of names of a field has the same names in further records."""
    if field.form != "beside":
        return True
    names = {*_reach(found, field.keys)}
    for other in others:
        try:
            if {*_reach(other, field.keys)} != names:
                return False
        except (LookupError, TypeError):
            return False
    return True


def _unnamed(field: Field, found: Any) -> Field:
    return replace(field, inner=inner_of(_reach(found, field.path)), form="plain", keys=())


def _reach(found: Any, path: Path) -> Any:
    """Follow a path; in a list of objects, collect the value of each; a single list, text or object is itself."""
    for place, key in enumerate(path):
        if isinstance(found, list) and isinstance(key, str):
            gathered = [_reach(item, path[place:]) for item in found]
            single = len(gathered) == 1 and isinstance(gathered[0], list | str | dict)
            return gathered[0] if single else gathered
        if isinstance(key, str) and not isinstance(found, Mapping):
            raise LookupError(key)
        found = found[key]
    return found


def _pair_keys(items: list[Any]) -> Path | None:
    """Return the keys of the text and of the number that each of some objects consists of; None of other lists.

    A whole number is a label under a name for one, such as "class".
    """
    if items and all(isinstance(item, tuple) for item in items):
        return (0, 1) if _are_numbers([item[1] for item in items]) else None
    if len(items) < 2 or not isinstance(items[0], dict) or len(items[0]) != 2:
        return None
    if not all(isinstance(item, dict) and item.keys() == items[0].keys() for item in items):
        return None
    for label, score in ((one := [*items[0]]), one[::-1]):
        labels, scores = ([item[key] for item in items] for key in (label, score))
        types, named = {*map(type, labels)}, {label, score} == {"label", "score"} and label == "label"
        by_name = _NAMES.search(label) and not _NAMES.search(score)
        if {*map(type, scores)} == {str} and not _are_numerals(labels, scores, named or bool(by_name)):
            continue
        if label.lower() not in _TOKENS and (named or types == {str} or (types <= {int, bool} and by_name)):
            distinct = len({*map(str, labels)}) == len(items)
            return (label, score) if distinct and _are_numbers(scores, texts=True) else None
    return None


def _are_numerals(labels: Sequence[Any], scores: Sequence[str], by_name: bool) -> bool:
    """Whether texts are the numbers of some labels: numerals beside labels that are none, unless names say so."""
    return all(map(is_number, scores)) and (by_name or not all(is_number(str(label)) for label in labels))


def _scores(items: Any, label: str | int, score: str | int) -> Any:
    """Return the scores of a list of pairs by label; the value itself if it is none, or has a label twice."""
    try:
        scores = {str(item[label]): item[score] for item in items}
    except (LookupError, TypeError):
        return items
    if len(scores) < len(items) or not all(len(item) == 2 for item in items):
        return items
    return scores


def _numbers_of(vector: Any) -> Any:
    """Return the numbers of a dense or sparse vector of Spark; the value itself if it is none."""
    try:
        values, indices, size = vector["values"], vector.get("indices"), vector.get("size")
        if vector["type"] == 1:
            return values
        found: list[Any] = [0.0] * size
        for index, value in zip(indices, values, strict=True):
            if not 0 <= index < size:
                return vector
            found[index] = value
    except (LookupError, TypeError, ValueError, AttributeError):
        return vector
    return found if len({*indices}) == len(indices) else vector


def inner_of(value: Any, *, texts: bool = False) -> Inner:
    """Return the length of a list of numbers, or the keys of an object of numbers, sorted; else None.

    With `texts` the numbers may be written as texts.
    """
    if isinstance(value, list) and _are_numbers(value):
        return len(value)
    if isinstance(value, dict) and _are_numbers(value.values(), texts=texts):
        return tuple(sorted(value))
    return None


def _are_numbers(values: Collection[Any], *, texts: bool = False) -> bool:
    """Whether there are values, and all are numbers; with `texts` also if all are written as texts."""
    types = {*map(type, values)}
    if texts and types == {str}:
        return all(map(is_number, values))
    return types == {float} or (bool(types) and all(map(_is_number, values)))


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return True
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST


def kind_of(inner: Inner, value: Any = None) -> str:
    """Describe a value."""
    if inner is None:
        text = "a single value" if value is None else shown(json.dumps(value, default=str))
        return f"{text}, which is neither a list nor an object of numbers," if value is not None else text
    if isinstance(inner, int):
        return f"a list of {inner} number{'s' * (inner != 1)}"
    return f"an object with {', '.join(inner[:6])}{', ...' * (len(inner) > 6)}"


def leaves_of(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of each single value, in the order of the text."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            yield from leaves_of(item, (*path, key))
    else:
        yield path
