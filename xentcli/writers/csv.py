"""Results as CSV: a table with full precision; an empty cell for what is undefined."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from xentcli.report.document import Document
from xentcli.writers.safe import csv_cell, terminal_cell

__all__ = ["render"]


def render(document: Document, width: int | None = None, color: bool = False) -> str:
    """Return the table that was asked for as CSV with a header; without `width` it is for a file."""
    table = document.asked_tables()[0]
    safe = csv_cell if width is None else terminal_cell
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(safe(name) for name in table.columns)
    writer.writerows([_cell(value, safe) for value in row] for row in table.rows)
    return buffer.getvalue()


def _cell(value: Any, safe: Callable[[str], str]) -> Any:
    if value is None:
        return ""
    return safe(value) if isinstance(value, str) else value
