"""Data classes with a low import cost.

``dataclasses.dataclass`` generates and compiles six methods and a field description per class. For
the eighty classes of a score this takes a quarter of a short run (Python 3.11). Here all classes
share the methods, and the description is built on first use; ``dataclasses.fields``, ``replace``,
``asdict`` and mypy work as usual.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

__all__ = ["Derived", "Keywords", "cached_property", "completed", "fields_of", "record", "replace"]

_SOURCE = "_source"
"""Where a record has what its fields are derived from, beside those that were read."""
_OFTEN = 100
"""After this many records a class gets an ``__init__`` of its own, compiled once."""
C = TypeVar("C")
R = TypeVar("R")


if TYPE_CHECKING or sys.version_info >= (3, 12):
    from functools import cached_property
else:

    class cached_property:  # noqa: N801
        """``functools.cached_property`` as Python 3.12 has it.

        Before, one lock is held for a property of all instances: threads that compute the losses of different
        rows wait for each other.
        """

        def __init__(self, function: Callable[[Any], Any]) -> None:
            self.function, self.__doc__ = function, function.__doc__

        def __set_name__(self, owner: type, name: str) -> None:
            self.name = name

        def __get__(self, instance: Any, owner: type | None = None) -> Any:
            if instance is None:
                return self
            value = instance.__dict__[self.name] = self.function(instance)
            return value


class Keywords(dict[str, Any]):
    """Keywords of the JSON Schema of a field, in ``Annotated``; hashable, as ``Annotated`` needs it in a union."""

    __hash__ = object.__hash__  # type: ignore[assignment]


if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:

    def record(*, frozen: bool, eq: bool = True, kw_only: bool = False) -> Callable[[type[C]], type[C]]:
        """Make a data class of a class, as ``dataclasses.dataclass`` does with these arguments.

        Parameters
        ----------
        frozen
            Whether assigning to a field raises.
        eq
            Compare and hash by the fields; otherwise by identity, which records of arrays need (an
            array has no truth value) and records that are not frozen too.
        kw_only
            Accept keyword arguments only.

        >>> @record(frozen=True)
        ... class Point:
        ...     "A point of the plane."
        ...     x: float
        ...     y: float = 0.0
        >>> dataclasses.replace(Point(1.0), y=2.0)
        Point(x=1.0, y=2.0)
        """
        if eq and not frozen:
            raise TypeError("a record that is not frozen must be compared by identity")

        def made(cls: type[C]) -> type[C]:
            fields = _fields(cls)
            methods = {"__init__": _at_first(cls, fields, kw_only), "__repr__": _repr}
            cls.__record__, cls.__dataclass_fields__ = fields, _Described(cls, kw_only)
            cls.__match_args__ = () if kw_only else tuple(fields)
            if frozen:
                methods |= {"__setattr__": _refuse, "__delattr__": _refuse}
            if eq:
                methods |= {"__eq__": _equal, "__hash__": _hash}
            if cls.__repr__ is not object.__repr__:
                # A base class may define the repr of all its subclasses.
                del methods["__repr__"]
            for name, method in methods.items():
                if name not in cls.__dict__ or (name == "__hash__" and cls.__dict__[name] is None):
                    setattr(cls, name, method)
            return cls

        return made


class _Described:
    """Descriptor of ``__dataclass_fields__`` that builds the description when it is first read."""

    def __init__(self, cls: Any, kw_only: bool) -> None:
        self._cls, self._kw_only = cls, kw_only

    def __get__(self, instance: object, owner: object) -> dict[str, Any]:
        describe = dataclasses.dataclass(init=False, repr=False, eq=False, match_args=False, kw_only=self._kw_only)
        fields: dict[str, Any] = describe(self._cls).__dataclass_fields__
        return fields


def _fields(cls: Any) -> dict[str, Any]:
    """Fields in order, those of base classes first, each with its default, its field() or MISSING."""
    fields: dict[str, Any] = {}
    for base in reversed(cls.__mro__[1:]):
        fields |= base.__dict__.get("__record__", {})
    for name, hint in cls.__annotations__.items():
        if "ClassVar" not in hint:
            fields[name] = cls.__dict__.get(name, dataclasses.MISSING)
    return fields


def _at_first(cls: Any, fields: dict[str, Any], kw_only: bool) -> Callable[..., None]:
    """Return an ``__init__`` that makes way for the real one: most classes of a short run have no instance."""

    def initialise(self: Any, *args: Any, **given: Any) -> None:
        cls.__init__ = _initialiser(cls, fields, kw_only)
        cls.__init__(self, *args, **given)

    return initialise


def _initialiser(cls: Any, fields: dict[str, Any], kw_only: bool) -> Callable[..., None]:
    names = tuple(fields)
    known = frozenset(names)
    positional = () if kw_only else names
    defaults, factories = {}, []
    for name, value in fields.items():
        special = isinstance(value, dataclasses.Field)
        if special and value.default_factory is not dataclasses.MISSING:
            factories.append((name, value.default_factory))
        elif (default := value.default if special else value) is not dataclasses.MISSING:
            defaults[name] = default
    post = getattr(cls, "__post_init__", None)
    left = _OFTEN

    def initialise(self: Any, *args: Any, **given: Any) -> None:
        nonlocal left
        left -= 1
        if not left:
            cls.__init__ = _compiled(cls, fields, kw_only)
        values = self.__dict__
        values.update(defaults)
        values.update(given)
        if len(args) > len(positional) or not given.keys().isdisjoint(positional[: len(args)]):
            raise TypeError(f"{cls.__name__} takes {', '.join(names)}; got {len(args)} and {', '.join(given)}")
        values.update(zip(positional, args, strict=False))
        for name, factory in factories:
            if name not in values:
                values[name] = factory()
        if len(values) != len(names) or not given.keys() <= known:
            raise TypeError(f"{cls.__name__} takes {', '.join(names)}; got {len(args)} and {', '.join(given)}")
        if post is not None:
            post(self)

    return initialise


def _compiled(cls: Any, fields: dict[str, Any], kw_only: bool) -> Any:
    """Return the method that ``dataclasses`` would generate, which takes a third of the time of one for all classes."""
    # Fields may have any name, so the function's own names have two underscores.
    known: dict[str, Any] = {"__missing": dataclasses.MISSING}
    parameters, lines = ["__self", *(["*"] if kw_only else [])], ["__values = __self.__dict__"]
    for name, value in fields.items():
        factory = value.default_factory if isinstance(value, dataclasses.Field) else dataclasses.MISSING
        default = value.default if isinstance(value, dataclasses.Field) else value
        if factory is not dataclasses.MISSING:
            known[f"__{name}"] = factory
            parameters.append(f"{name}=__missing")
            lines.append(f"__values[{name!r}] = __{name}() if {name} is __missing else {name}")
            continue
        known[f"__{name}"] = default
        parameters.append(name if default is dataclasses.MISSING else f"{name}=__{name}")
        lines.append(f"__values[{name!r}] = {name}")
    if (post := getattr(cls, "__post_init__", None)) is not None:
        known["__post"] = post
        lines.append("__post(__self)")
    exec(f"def __init__({', '.join(parameters)}):\n    " + "\n    ".join(lines), known)  # noqa: S102
    return known["__init__"]


def replace(self: R, /, **changes: Any) -> R:
    """Return a copy with some fields changed, as ``dataclasses.replace`` does, in a third of the time.

    >>> @record(frozen=True)
    ... class Point:
    ...     "A point of the plane."
    ...     x: float
    ...     y: float = 0.0
    >>> replace(Point(1.0), y=2.0)
    Point(x=1.0, y=2.0)
    """
    cls: Any = type(self)
    names, old = cls.__record__, self.__dict__
    if _SOURCE in old:
        completed(self)
    if not changes.keys() <= names.keys():
        raise TypeError(f"{cls.__name__} has the fields {', '.join(names)}; got {', '.join(changes)}")
    made: Any = object.__new__(cls)
    values = made.__dict__
    values.update(old)
    if len(old) > len(names):
        # Cached properties of the old record are not copied.
        for name in old.keys() - names.keys():
            del values[name]
    values.update(changes)
    if (post := getattr(cls, "__post_init__", None)) is not None:
        post(made)
    return cast("R", made)


def fields_of(self: object) -> dict[str, Any]:
    """Return the fields of a record by name, without its cached properties.

    >>> @record(frozen=True)
    ... class Point:
    ...     "A point of the plane."
    ...     x: float
    ...     y: float = 0.0
    >>> fields_of(Point(1.0))
    {'x': 1.0, 'y': 0.0}
    """
    cls: Any = type(self)
    values = self.__dict__
    if _SOURCE in values:
        completed(self)
    return {name: values[name] for name in cls.__record__}


class Derived:
    """Base of records without defaults whose fields may be derived later, each when it is first read.

    >>> @record(frozen=True)
    ... class Square(Derived):
    ...     "A square."
    ...     side: float
    ...     area: float
    >>> class Source:
    ...     side = 3.0
    ...     @property
    ...     def area(self):
    ...         return self.side**2
    >>> Square.derived(Source()) == Square(3.0, 9.0)
    True
    """

    @classmethod
    def derived(cls, source: object, **known: Any) -> Self:
        """Return a record of `known` fields and attributes of `source`, which it holds until all are read at once."""
        made = object.__new__(cls)
        made.__dict__.update(known)
        made.__dict__[_SOURCE] = source
        return made

    @property
    def _derived_from(self) -> Any:
        """What its fields are derived from; None once all are."""
        return self.__dict__.get(_SOURCE)

    def __getattr__(self, name: str) -> Any:
        """Derive a field."""
        cls: Any = type(self)
        values = self.__dict__
        # A record that is being unpickled has no values yet.
        if name not in cls.__record__ or not values:
            raise AttributeError(f"a {cls.__name__} has no attribute {name!r}")
        source = values.get(_SOURCE)
        if source is not None:
            values[name] = getattr(source, name)
        # Without a source another thread has read all.
        return values[name]

    def __dir__(self) -> list[str]:
        """Return the fields too, which a notebook completes."""
        return sorted({*super().__dir__(), *type(self).__record__})  # type: ignore[attr-defined]

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled and copied: the fields."""
        return fields_of(self)


def completed(self: R) -> R:
    """Return a record after all fields are read that are derived later; it lets their source go."""
    for name in type(self).__record__:  # type: ignore[attr-defined]
        getattr(self, name)
    self.__dict__.pop(_SOURCE, None)
    return self


def _values(self: Any) -> tuple[Any, ...]:
    values = self.__dict__
    if _SOURCE in values:
        completed(self)
    return tuple([values[name] for name in self.__record__])


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={value!r}" for name, value in fields_of(self).items())
    return f"{type(self).__qualname__}({shown})"


def _equal(self: Any, other: object) -> bool:
    return _values(self) == _values(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self))


def _refuse(self: Any, name: str, *_: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
