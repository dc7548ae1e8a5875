"""Results as CSV: a table with full precision; nothing for what is undefined."""

from __future__ import annotations

import csv
import io
from typing import Any

from xentcli.writers.rows import table_rows
from xentcli.writers.safe import csv_cell

__all__ = ["render"]


def render(document: Any, width: int | None = None, color: bool = False) -> str:
    """Return a Report, CheckReport or Explanation as CSV with a header."""
    rows = table_rows(document)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(csv_cell(name) for name in rows[0])
    writer.writerows([_cell(value) for value in row.values()] for row in rows)
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return csv_cell(value) if isinstance(value, str) else value
