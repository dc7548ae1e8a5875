"""A record does what a frozen data class of the standard library does."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import inspect
import pickle
import pkgutil
from collections.abc import Callable
from dataclasses import field
from typing import Any

import pytest

import xentcli
from xentcli.records import _OFTEN, _compiled, _initialiser, record


@record(frozen=True)
class Mine:
    """One."""

    a: int
    b: str = "b"
    c: list[int] = field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Theirs:
    """The same, by the standard library."""

    a: int
    b: str = "b"
    c: list[int] = field(default_factory=list)


@record(frozen=True, kw_only=True)
class Named:
    """By name only, checked."""

    a: int = 1

    def __post_init__(self) -> None:
        if self.a < 0:
            raise ValueError("a < 0")


@record(frozen=True, eq=False)
class ByIdentity:
    """Compared by identity."""

    a: int = 1


@record(frozen=True)
class Heir(Mine):
    """One field more."""

    d: int = 4

    def __repr__(self) -> str:
        return "mine"


CALLS: dict[str, Callable[[Any], Any]] = {
    "positional": lambda cls: cls(1, "x", [2]),
    "by name": lambda cls: cls(c=[1], a=2),
    "defaults": lambda cls: cls(1),
    "missing": lambda cls: cls(b="x"),
    "none": lambda cls: cls(),
    "too many": lambda cls: cls(1, "x", [2], 3),
    "unknown": lambda cls: cls(1, d=3),
    "unknown in place of a missing one": lambda cls: cls(d=3),
    "twice": lambda cls: cls(1, a=1),
    "replaced": lambda cls: dataclasses.replace(cls(1), a=5),
    "replaced by what there is not": lambda cls: dataclasses.replace(cls(1), z=5),
    "set": lambda cls: setattr(cls(1), "a", 2),
    "deleted": lambda cls: delattr(cls(1), "a"),
    "hashed": lambda cls: hash(cls(1, "x", [])),
    "ordered": lambda cls: cls(1) < cls(2),
    "fields": lambda cls: [(f.name, f.type) for f in dataclasses.fields(cls)],
    "as a dict": lambda cls: dataclasses.asdict(cls(1)),
    "shown": lambda cls: repr(cls(1)).partition("(")[2],
    "equal": lambda cls: [cls(1) == cls(1), cls(1) == cls(2), cls(1) != cls(1), cls(1) == (1, "b", [])],
    "equal hashes": lambda cls: hash(dataclasses.replace(cls(1), c=())) == hash(dataclasses.replace(cls(1), c=())),
    "not shared": lambda cls: cls(1).c is cls(1).c,
    "copied": lambda cls: [copy.deepcopy(cls(1)) == cls(1), pickle.loads(pickle.dumps(cls(1))) == cls(1)],
    "matched": lambda cls: cls.__match_args__,
}


def outcome(call: Callable[[Any], Any], cls: Any) -> Any:
    try:
        result = call(cls)
    except Exception as error:
        return type(error)
    return dataclasses.astuple(result) if type(result) is cls else result


@pytest.mark.parametrize("name", CALLS)
def test_it_is_a_data_class(name: str) -> None:
    assert outcome(CALLS[name], Mine) == outcome(CALLS[name], Theirs)


def test_by_name_only_and_checked() -> None:
    assert Named(a=2).a == 2
    with pytest.raises(TypeError):
        Named(2)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="a < 0"):
        Named(a=-1)


def test_by_identity() -> None:
    one = ByIdentity()
    assert one == one and one != ByIdentity() and len({one, ByIdentity()}) == 2


def test_what_a_class_says_itself_stays() -> None:
    assert repr(Heir(1)) == "mine" and dataclasses.astuple(Heir(1, d=5)) == (1, "b", [], 5)
    assert Heir(1) != Mine(1)


def test_a_record_is_frozen() -> None:
    with pytest.raises(TypeError, match="identity"):
        record(frozen=False)


@record(frozen=False, eq=False)
class Changing:
    """One whose fields change."""

    a: int
    b: list[int] = field(default_factory=list)


def records_of_the_project() -> list[Any]:
    modules = [importlib.import_module(found.name) for found in pkgutil.walk_packages(xentcli.__path__, "xentcli.")]
    return [
        thing
        for module in modules
        for thing in vars(module).values()
        if isinstance(thing, type) and "__record__" in vars(thing) and thing.__module__ == module.__name__
    ]


def test_every_record_has_the_fields_that_the_standard_library_sees() -> None:
    found: list[Any] = records_of_the_project()
    assert len(found) > 80
    for cls in found:
        fields = dataclasses.fields(cls)
        method = _initialiser(cls, cls.__record__, bool(fields and fields[0].kw_only is True))
        initialiser = inspect.getclosurevars(method).nonlocals
        assert tuple(field.name for field in fields) == tuple(cls.__record__) == initialiser["names"]
        assert [field.name for field in fields if field.default is not dataclasses.MISSING] == [
            *initialiser["defaults"]
        ]
        made = [(field.name, field.default_factory) for field in fields]
        assert initialiser["factories"] == [pair for pair in made if pair[1] is not dataclasses.MISSING]
        assert all(field.kw_only == (initialiser["positional"] == ()) for field in fields)


def test_the_compiled_method_has_the_parameters_and_defaults_of_the_standard_library() -> None:
    for cls in records_of_the_project():
        fields = dataclasses.fields(cls)
        method = _compiled(cls, cls.__record__, bool(fields and fields[0].kw_only is True))
        parameters = list(inspect.signature(method).parameters.values())[1:]
        assert [p.name for p in parameters] == [f.name for f in fields]
        assert all((p.kind is p.KEYWORD_ONLY) == f.kw_only for p, f in zip(parameters, fields, strict=True))
        for p, f in zip(parameters, fields, strict=True):
            if f.default_factory is dataclasses.MISSING:
                assert p.default is (p.empty if f.default is dataclasses.MISSING else f.default)


@record(frozen=True)
class Often:
    """One whose fields have the names of what is around them."""

    values: int
    missing: list[int] = field(default_factory=list)
    self_: int = 3

    def __post_init__(self) -> None:
        assert self.values >= 0


def test_a_record_that_is_often_made_stays_what_it_was() -> None:
    first = Often(1)
    made = [Often(1) for _ in range(2 * _OFTEN)]
    assert all(one == first for one in made)
    assert made[-1].missing == [] and made[-1].missing is not made[-2].missing
    assert Often(1, [2], self_=4) == Often(values=1, missing=[2], self_=4) != first
    wrong: Any = Often
    for arguments, options in (((), {}), ((1, [], 3, 4), {}), ((1,), {"values": 1}), ((1,), {"other": 1})):
        with pytest.raises(TypeError):
            wrong(*arguments, **options)
    with pytest.raises(AssertionError):
        Often(-1)
    assert pickle.loads(pickle.dumps(made[-1])) == first
    assert dataclasses.replace(made[-1], values=2) == Often(2)


def test_a_record_may_change_and_is_itself_alone() -> None:
    one, other = Changing(1), Changing(1)
    one.a = 2
    one.b.append(3)
    assert (one.a, one.b, other.a, other.b) == (2, [3], 1, [])
    assert one != Changing(2, [3]) and len({one, other}) == 2
    assert repr(one) == "Changing(a=2, b=[3])"
