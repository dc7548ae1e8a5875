"""WRITERS: one row per output form. A new form is a file here, and a row."""

from __future__ import annotations

import importlib
from types import ModuleType

from xentcli.errors import UsageError, shown
from xentcli.records import record
from xentcli.report.document import Document

__all__ = ["WRITERS", "Writer", "content", "format_of", "rendered", "text_formats"]


@record(frozen=True)
class Writer:
    """One output form: module has ``render(document, width, color)``, which returns text, or bytes if `binary`.

    width is that of a terminal, 0 for what is printed elsewhere, None for a file. `appended` is what ends a
    result in a file of several, None where such a file has no meaning; `one_table` says whether a file has
    room for one table.
    """

    about: str
    module: str
    extensions: tuple[str, ...]
    binary: bool = False
    appended: str | None = None
    one_table: bool = False


WRITERS = {
    "table": Writer("for a person", "xentcli.writers.table", (".txt",), appended="\n"),
    "json": Writer("for a program: every figure, full precision", "xentcli.writers.json", (".json",)),
    "csv": Writer(
        "for a spreadsheet: a row for each metric or group", "xentcli.writers.csv", (".csv",), one_table=True
    ),
    "jsonl": Writer("for a log: an object for each metric or group", "xentcli.writers.jsonl", (".jsonl",), appended=""),
    "parquet": Writer("for a data frame, in a file", "xentcli.writers.parquet", (".parquet",), True, one_table=True),
    "markdown": Writer("for a page or a comment", "xentcli.writers.markdown", (".md",), appended="\n"),
    "latex": Writer("for a paper: booktabs tables", "xentcli.writers.latex", (".tex",)),
    "xlsx": Writer("for Excel, in a file", "xentcli.writers.xlsx", (".xlsx",), True),
    "html": Writer("for a browser: one file, in a file", "xentcli.writers.web", (".html", ".htm")),
}


def format_of(path: str, option: str = "-o") -> str:
    """Return the output form that the extension of a file of `option` asks for.

    Raises UsageError if there is none for it.
    """
    for name, writer in WRITERS.items():
        if path.lower().endswith(writer.extensions):
            return name
    known = ", ".join(extension for writer in WRITERS.values() for extension in writer.extensions)
    raise UsageError(
        f"{option} {shown(path)}: unknown extension", advice=f"use one of {known}; or name the form: markdown:FILE"
    )


def rendered(document: Document, format: str, *, width: int | None = None, color: bool = False) -> str:
    """Return a document as text that ends with a line end.

    width is that of a terminal, None where lines may be of any length. What is printed may
    be the log of a CI run: text from files is made harmless there in every form.
    """
    text: str = _module(format).render(document, width or 0, color)
    return text


def content(document: Document, format: str) -> bytes:
    """Return the bytes of a file of an output form."""
    result: bytes | str = _module(format).render(document, None, False)
    return result if isinstance(result, bytes) else result.encode(errors="backslashreplace")


def _module(format: str) -> ModuleType:
    return importlib.import_module(WRITERS[format].module)


def text_formats() -> list[str]:
    """Return the names of the output forms that can be printed."""
    return [name for name, writer in WRITERS.items() if not writer.binary]
