"""Results as CSV: a table with full precision; nothing for what is undefined."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from xentcli.writers.rows import table_rows
from xentcli.writers.safe import csv_cell, terminal_cell

__all__ = ["render"]


def render(document: Any, width: int | None = None, color: bool = False) -> str:
    """Return a Report, CheckReport or Explanation as CSV with a header; without `width` it is for a file."""
    rows = table_rows(document)
    safe = csv_cell if width is None else terminal_cell
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(safe(name) for name in rows[0])
    writer.writerows([_cell(value, safe) for value in row.values()] for row in rows)
    return buffer.getvalue()


def _cell(value: Any, safe: Callable[[str], str]) -> Any:
    if value is None:
        return ""
    return safe(value) if isinstance(value, str) else value
