"""The signatures of the library's functions: their own parameters, then the options of their command.

The functions take ``**options``, so that an option is one row of Fields; what ``help()``, editors and mypy see is made
from the rows here. ``xentcli/__init__.pyi`` is the same signatures as text (``python -m tests.typing.stub``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from xentcli.errors import UsageError, shown
from xentcli.options import Option, options_of
from xentcli.settings.fields import Fields

__all__ = ["annotation", "check_names", "takes_options"]

F = TypeVar("F", bound=Callable[..., Any])

_NUMBERS_TOO = {
    "refused": {},
    # The columns of a data frame may be numbers.
    "names": {"str": ("str", "int"), "Sequence[str]": ("Sequence[str]", "Sequence[int]", "NDArray[Any]")},
    "kept": {"str": ("str", "float"), "Sequence[str]": ("Sequence[str]", "Sequence[float]", "NDArray[Any]")},
}
"""What a hint stands for, by Option.numbers."""
_DATA = {"one": "OneColumn", "several": "SeveralColumns", "labels": "Data | Mapping[str, Any]", "ids": "OneColumn"}
_DATA["forecast"] = _DATA["labels"]
"""What an option of a role takes beside the name of a column, by Option.data."""

_ELSEWHERE = {
    "sample_weight": "weights",
    "ignore_index": "ignore_label",
    "from_logits": "kind",
    "pos_label": "positive",
    "eps": "clip",
    "epsilon": "clip",
    "n_bins": "bins",
    "group": "by",
    "groups": "by",
}
"""Options of other libraries (scikit-learn, torch, Keras), and what they are here."""


class _Text(str):
    """An annotation that help() shows as it is, without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


def annotation(row: Option) -> str:
    """Return the types that an option takes in Python.

    >>> annotation(options_of(Fields)["clip"]), annotation(options_of(Fields)["index_base"])
    ('float | None', 'Literal[0, 1] | None')
    """
    kinds: list[str] = []
    for kind in row.hint.split(" | "):
        if row.choices and kind != "None":
            numbers = [int(c) for c in row.choices if row.numbers == "kept" and str(c).isdigit()]
            kinds.append(f"Literal[{', '.join(map(repr, (*row.choices, *numbers)))}]")
        elif kind == "Mapping[str, float]":
            kinds += [kind, "Mapping[int, float]"]
        elif kind == "Sequence[float]":
            kinds += [kind, "HasArray"]
        else:
            kinds += _NUMBERS_TOO[row.numbers].get(kind, (kind,))
    kinds += _DATA[row.data].split(" | ") if row.data else ()
    # None stands last, as everywhere.
    return " | ".join(sorted(dict.fromkeys(kinds), key=lambda kind: kind == "None"))


def _options_taken(command: str, also: Iterable[str], without: Iterable[str]) -> dict[str, Option]:
    """Return the options of a command, and others by name."""
    rows = options_of(Fields).items()
    return {name: row for name, row in rows if (command in row.commands and name not in without) or name in also}


def takes_options(command: str, *, also: Iterable[str] = (), without: Iterable[str] = ()) -> Callable[[F], F]:
    """Show the options of a command in the signature of a function that takes ``**options``."""

    def made(function: F) -> F:
        taken = _options_taken(command, also, without)
        function.__signature__ = _signature_with(function, taken)  # type: ignore[attr-defined]
        return function

    return made


def _signature_with(function: Callable[..., Any], taken: Mapping[str, Option]) -> inspect.Signature:
    """Return the signature of a function with options in place of ``**options``."""
    own = inspect.signature(function)
    parameters = [
        parameter.replace(annotation=_Text(parameter.annotation))
        for parameter in own.parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters += [
        inspect.Parameter(name, keyword, default=row.default, annotation=_Text(annotation(row)))
        for name, row in taken.items()
    ]
    return inspect.Signature(parameters, return_annotation=_Text(own.return_annotation))


def check_names(function: Callable[..., Any], names: Iterable[str]) -> None:
    """Refuse options that a function does not take.

    Raises UsageError, naming the command that has no such option, or the nearest option there is.
    """
    # inspect.signature() copies it, which takes 2 % of a call with a small array.
    taken = function.__signature__.parameters  # type: ignore[attr-defined]
    for name in names:
        if name in taken:
            continue
        command = function.__name__
        if name in options_of(Fields):
            raise UsageError(f"--{name.replace('_', '-')} does not go with {command}")
        from difflib import get_close_matches

        typed = name.lower().replace("-", "_")
        nearest = get_close_matches(typed, taken, n=1, cutoff=0.6)
        meant = _ELSEWHERE[typed] if _ELSEWHERE.get(typed) in taken else nearest[0] if nearest else None
        advice = f"did you mean {meant}?" if meant else f"help(xentcli.{command}) lists them"
        raise UsageError(f"{command}() has no option {shown(name)}", advice=advice)
