"""Results as an Excel workbook: a sheet for each table, numbers with 16 digits."""

from __future__ import annotations

import io
from typing import Any

from xentcli.extras import needed
from xentcli.report.document import Document
from xentcli.writers.safe import terminal

__all__ = ["render"]

_LONGEST = 31
"""The longest title of a sheet."""


def render(document: Document, width: int | None = None, color: bool = False) -> bytes:
    """Return the bytes of a workbook; no cell is a formula.

    Raises UsageError without the extra ``office``.
    """
    openpyxl = needed("openpyxl", "office")
    book = openpyxl.Workbook(write_only=True)
    for table in document.tables():
        sheet = book.create_sheet(table.title[:_LONGEST])
        for row in (table.columns, *table.rows):
            sheet.append([_cell(openpyxl, sheet, value) for value in row])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _cell(openpyxl: Any, sheet: Any, value: Any) -> Any:
    """A cell of a number, or of a text that no spreadsheet runs."""
    if not isinstance(value, str) and value not in (float("inf"), float("-inf")) and value == value:
        return value
    cell = openpyxl.cell.WriteOnlyCell(sheet, terminal(str(value)))
    cell.data_type = "s"
    return cell
