"""The stub of the package, made from the signatures of its functions: ``python -m tests.typing.stub`` writes it."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_overloads

import xentcli
from tests.conftest import ROOT

COMMAND = "python -m tests.typing.stub"
STUB = ROOT / "xentcli" / "__init__.pyi"
TITLE = f'"""The functions of the library with their options; made from the table of options by {COMMAND}."""'
OPTIONS_NEED = {
    **{name: f"from xentcli.given import {name}" for name in ("Data", "HasArray", "OneColumn", "SeveralColumns")},
    "NDArray": "from numpy.typing import NDArray",
    "Literal": "from typing import Literal",
    "Sequence": "from collections.abc import Sequence",
    "Mapping": "from collections.abc import Mapping",
    "Any": "from typing import Any",
}
"""The imports of what annotations of options name."""


def text() -> str:
    """Return the stub."""
    functions = [getattr(xentcli, name) for name in xentcli.__all__ if not name.startswith("_")]
    bodies = [body for function in functions for body in definitions(function)]
    imports = {line for function in functions for line in imports_of(function, "\n".join(bodies))}
    named = [
        "# ruff: noqa",
        "# fmt: off",
        TITLE,
        "",
        *sorted(imports),
        "",
        f"__all__ = {xentcli.__all__!r}",
        "",
        "__version__: str",
    ]
    return "\n".join(named) + "\n\n" + "\n\n".join(bodies) + "\n"


def definitions(function: Callable[..., Any]) -> Iterator[str]:
    """The definitions of a function: its overloads with the options of its signature, else itself."""
    whole = inspect.signature(function)
    overloads = get_overloads(function)
    if not overloads:
        yield definition(function.__name__, whole)
        return
    for overload in overloads:
        its = inspect.signature(overload)
        options = [p for name, p in whole.parameters.items() if name not in its.parameters and p.kind is p.KEYWORD_ONLY]
        own = [p for p in its.parameters.values() if p.kind is not p.VAR_KEYWORD]
        yield "@overload\n" + definition(function.__name__, its.replace(parameters=[*own, *options]))


def definition(name: str, signature: inspect.Signature) -> str:
    """A function of a signature, a parameter a line."""
    lines, starred = [], False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            lines.append("*")
            starred = True
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        lines.append(f"{parameter.name}: {parameter.annotation}{default}")
    inner = "".join(f"    {line},\n" for line in lines)
    return f"def {name}(\n{inner}) -> {signature.return_annotation}: ..."


def imports_of(function: Callable[..., Any], bodies: str) -> Iterator[str]:
    """The imports of a function's module, and of the options, that the text needs."""
    used = {node.id for node in ast.walk(ast.parse(bodies)) if isinstance(node, ast.Name)}
    found = dict(OPTIONS_NEED)
    module = ast.parse(Path(sys.modules[function.__module__].__file__ or "").read_text(encoding="utf-8"))
    for node in ast.walk(module):
        for alias in node.names if isinstance(node, ast.Import | ast.ImportFrom) else ():
            start = f"from {node.module} " if isinstance(node, ast.ImportFrom) else ""
            found[alias.name] = f"{start}import {alias.name}"
        if isinstance(node, ast.ClassDef):
            found[node.name] = f"from {function.__module__} import {node.name}"
    return (found[name] for name in used if name in found)


if __name__ == "__main__":
    STUB.write_text(text(), encoding="utf-8")
