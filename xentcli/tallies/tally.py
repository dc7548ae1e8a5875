"""The base of every tally: an identity, a merge, and a form of plain values that JSON text can carry."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Self, TypeVar

import numpy as np

from xentcli.records import fields_of

__all__ = ["Tally"]

T = TypeVar("T")
_SAFE = 1 << 53
"""Larger integers are no JSON numbers to every reader: they are written as hexadecimal text."""


class Tally:
    """A record of mergeable fields: of some rows, what a score keeps.

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

        Tallies are merged, integers added, sets and mappings united, flags or'ed; of doubles the larger
        is kept.
        """
        made, theirs = object.__new__(type(self)), other.__dict__
        made.__dict__.update({name: _merged(value, theirs[name]) for name, value in fields_of(self).items()})
        return made

    @property
    def settled(self) -> bool:
        """Whether no further rows can change it: then they need not be tallied."""
        return False

    def to_plain(self) -> Any:
        """Return the fields by name as lists, texts and numbers, from which `from_plain` makes the same bits."""
        return _plain(self)

    @classmethod
    def from_plain(cls, plain: Any) -> Self:
        """Return the tally that `to_plain` gave these values of."""
        made: Self = _made(cls, plain)
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


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) < _SAFE else hex(value)
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return [[_plain(key), _plain(item)] for key, item in value.items()]
    if isinstance(value, Sequence | frozenset):
        return [_plain(item) for item in value]
    return {name: _plain(item) for name, item in fields_of(value).items()}


def _made(hint: Any, plain: Any) -> Any:
    """The value of an annotated type, by its plain form."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if plain is None:
        return None
    if origin in (types.UnionType, typing.Union):
        return _made(_chosen([arg for arg in args if arg is not types.NoneType], plain), plain)
    kind = origin or hint
    if hasattr(kind, "__record__"):
        hints = typing.get_type_hints(kind)
        return kind(**{name: _made(hints[name], item) for name, item in plain.items()})
    if kind is tuple and args[-1] is not Ellipsis:
        return tuple(_made(arg, item) for arg, item in zip(args, plain, strict=True))
    if kind in (tuple, frozenset):
        return kind(_made(args[0], item) for item in plain)
    return _PLAIN[kind](plain, args)


def _chosen(hints: list[Any], plain: Any) -> Any:
    """Of several records the one with these fields; else the first."""
    fields = plain.keys() if isinstance(plain, dict) else None
    return next((hint for hint in hints if getattr(hint, "__record__", {}).keys() == fields), hints[0])


def _key(plain: Any) -> Any:
    return tuple(map(_key, plain)) if isinstance(plain, list) else plain


_PLAIN: Mapping[Any, Any] = {
    bool: lambda plain, _: plain,
    str: lambda plain, _: plain,
    int: lambda plain, _: int(plain, 16) if isinstance(plain, str) else plain,
    float: lambda plain, _: float.fromhex(plain),
    np.ndarray: lambda plain, _: np.array(plain, dtype=np.int64),
    Mapping: lambda plain, args: {_made(args[0], key): _made(args[1], item) for key, item in plain},
    Sequence: lambda plain, _: [_key(name) for name in plain],
}
"""How a value of each type is made of its plain form and the arguments of the type."""
