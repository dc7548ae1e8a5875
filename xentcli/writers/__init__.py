"""WRITERS: one row per output form. A new form is a file here, and a row."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from xentcli.errors import UsageError, shown

__all__ = ["WRITERS", "Writer", "format_of", "rendered"]


@dataclass(frozen=True)
class Writer:
    """One output form: module has ``render(document, width, color) -> str``."""

    about: str
    module: str
    extensions: tuple[str, ...]


WRITERS = {
    "table": Writer("for a person", "xentcli.writers.table", (".txt",)),
    "json": Writer("for a program: every figure, full precision", "xentcli.writers.json", (".json",)),
    "markdown": Writer("for a page or a comment", "xentcli.writers.markdown", (".md",)),
}


def format_of(path: str) -> str:
    """Return the output form that the extension of a file asks for.

    Raises
    ------
    UsageError
        When there is none.
    """
    for name, writer in WRITERS.items():
        if path.lower().endswith(writer.extensions):
            return name
    known = ", ".join(extension for writer in WRITERS.values() for extension in writer.extensions)
    raise UsageError(f"-o {shown(path)}: the extension says the format", advice=f"one of {known}")


def rendered(document: Any, format: str, *, width: int | None = None, color: bool = False) -> str:
    """Return a Report, CheckReport or Explanation as text that ends with a line end.

    width is that of a terminal, None where lines may be of any length.
    """
    render: Callable[[Any, int | None, bool], str] = importlib.import_module(WRITERS[format].module).render
    return render(document, width, color)
