"""Tally, the base class of every tally: an identity, a merge, and conversion to and from JSON values."""

from __future__ import annotations

import heapq
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import islice
from operator import attrgetter
from typing import Any, Self, TypeVar, cast

import numpy as np

from xentcli.records import fields_of

__all__ = ["Ranked", "Tally", "made_of", "plain_of"]

T = TypeVar("T")
_SAFE = 1 << 53
"""Not every JSON reader keeps larger integers exactly: they are written as hexadecimal text."""


class Tally:
    """A record of mergeable fields, accumulated over rows.

    ``cls()`` is the tally of no rows, a true identity of ``merge``, which is associative and
    commutative. Fields are integers, flags, texts, doubles, None, integer arrays (i8), tallies,
    and tuples, sets and mappings of these, declared by their annotations.
    """

    @classmethod
    def empty(cls) -> Self:
        """Return the tally of no rows: merging it changes nothing."""
        return cls()

    def merge(self, other: Self) -> Self:
        """Return the tally of the rows of both, field by field.

        Tallies are merged, integers added, sets and mappings united, flags or'ed; the larger of two
        doubles is kept.
        """
        made, others = object.__new__(type(self)), other.__dict__
        made.__dict__.update({name: _merged(value, others[name]) for name, value in fields_of(self).items()})
        return made

    @property
    def settled(self) -> bool:
        """Whether no further rows can change it, so that they need not be tallied."""
        return False

    def to_plain(self) -> Any:
        """Return the fields by name as JSON values, from which `from_plain` restores the same bits."""
        return plain_of(self)

    @classmethod
    def from_plain(cls, plain: Any) -> Self:
        """Return the tally from the values that `to_plain` returned.

        Raises ValueError if a value has the wrong type or length, or no sum of doubles has it.
        """
        made: Self = made_of(cls, plain)
        return made

    def renumbered(self, moved: Callable[[int], int]) -> Self:
        """Return the same tally with row numbers mapped by `moved`, which keeps their order."""
        return self


class Ranked(Tally):
    """Base of records that keep the `most` rows that are first by their `rank`, in this order."""

    most: int
    rows: tuple[Any, ...]

    @property
    def is_sound(self) -> bool:
        """Whether the rows are in order, and not too many."""
        ranks = [row.rank for row in self.rows]
        return len(ranks) <= self.most and ranks == sorted(ranks)

    def merge(self, other: Self) -> Self:
        """Return the first rows of both."""
        most, make = max(self.most, other.most), cast("Any", type(self))
        made: Self = make(most, tuple(islice(heapq.merge(self.rows, other.rows, key=attrgetter("rank")), most)))
        return made


def _merged(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return other if one is None else one
    if isinstance(one, Tally):
        return one.merge(other)
    if isinstance(one, bool | frozenset):
        return one | other
    if isinstance(one, int):
        return one + other
    if isinstance(one, float):
        return max(one, other)
    return {**one, **other, **{key: _merged(one[key], other[key]) for key in one.keys() & other.keys()}}


def plain_of(value: Any) -> Any:
    """Return a value of a field as JSON values."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) < _SAFE else hex(value)
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return [[plain_of(key), plain_of(item)] for key, item in value.items()]
    if isinstance(value, frozenset):
        return sorted(map(plain_of, value), key=repr)
    if isinstance(value, Sequence):
        return [plain_of(item) for item in value]
    return {name: plain_of(item) for name, item in fields_of(value).items()}


def made_of(hint: Any, plain: Any) -> Any:
    """Return the value of an annotated type from its JSON values.

    Raises ValueError if the type has no such value.
    """
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        if plain not in args:
            raise ValueError(f"one of {args} is expected, not {plain!r:.40}")
        return plain
    if origin in (types.UnionType, typing.Union):
        if plain is None and types.NoneType in args:
            return None
        return made_of(_chosen([arg for arg in args if arg is not types.NoneType], plain), plain)
    kind = origin or hint
    if isinstance(kind, typing.TypeVar):
        return _name(plain)
    if hasattr(kind, "__record__"):
        hints = _hints_of(kind)
        if not isinstance(plain, dict) or plain.keys() != kind.__record__.keys():
            raise ValueError(f"{kind.__name__} has the fields {', '.join(kind.__record__)}")
        made = kind(**{name: made_of(hints[name], item) for name, item in plain.items()})
        if hasattr(kind, "is_sound") and not made.is_sound:
            raise ValueError(f"no {kind.__name__} of any rows has these values")
        return made
    if kind is tuple and args[-1] is not Ellipsis:
        return tuple(made_of(arg, item) for arg, item in zip(args, _list(plain), strict=True))
    if kind in (tuple, frozenset):
        return kind(made_of(args[0], item) for item in _list(plain))
    return _PLAIN[kind](plain, args)


@cache
def _hints_of(kind: Any) -> dict[str, Any]:
    """The types of the fields of a record; cached, as evaluating annotations is slow."""
    return typing.get_type_hints(kind)


def _chosen(hints: list[Any], plain: Any) -> Any:
    """The type with these fields if several are records, else the first."""
    fields = plain.keys() if isinstance(plain, dict) else None
    return next((hint for hint in hints if getattr(hint, "__record__", {}).keys() == fields), hints[0])


def _list(plain: Any) -> list[Any]:
    if not isinstance(plain, list):
        raise ValueError(f"a list is expected, not {plain!r:.40}")
    return plain


def _exactly(kind: type) -> Callable[[Any, Any], Any]:
    def made(plain: Any, _: Any) -> Any:
        if type(plain) is not kind:
            raise ValueError(f"a {kind.__name__} is expected, not {plain!r:.40}")
        return plain

    return made


def _integer(plain: Any, _: Any = None) -> int:
    if isinstance(plain, str) and re.fullmatch(_HEX, plain) and len(plain) <= _MOST_DIGITS:
        return int(plain, 16)
    found: int = _exactly(int)(plain, _)
    return found


def _double(plain: Any, _: Any) -> float:
    value = float.fromhex(_exactly(str)(plain, _))
    if value != value:
        raise ValueError("a number is expected, not NaN")
    return value


def _integers(plain: Any, _: Any) -> Any:
    """An array of integers from nested lists of equal lengths."""
    array = np.array(_list(plain))
    if array.size and array.dtype != np.int64:
        raise ValueError("whole numbers below 2**63 are expected")
    return array.astype(np.int64)


def _mapping(plain: Any, args: Any) -> dict[Any, Any]:
    pairs = [(made_of(args[0], key), made_of(args[1], item)) for key, item in map(_list, _list(plain))]
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _name(plain: Any) -> Any:
    """The name of a group: text, an integer, or a tuple of names."""
    return tuple(map(_name, plain)) if isinstance(plain, list) else plain if isinstance(plain, str) else _integer(plain)


_MOST_DIGITS = 3500
"""No sum of products of doubles has more digits, and Python refuses to print more than 4,300."""
_HEX = "-?0x[0-9a-f]+"
_PLAIN: Mapping[Any, Any] = {
    bool: _exactly(bool),
    str: _exactly(str),
    int: _integer,
    float: _double,
    np.ndarray: _integers,
    Mapping: _mapping,
    Sequence: lambda plain, _: [_name(name) for name in _list(plain)],
}
"""For each type, the function from JSON values and type arguments to the value."""
