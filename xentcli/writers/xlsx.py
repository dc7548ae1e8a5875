"""Results as an Excel workbook: a sheet for each table, full numbers shown with the digits of their standard error."""

from __future__ import annotations

import io
import math
from typing import Any

from xentcli.extras import needed
from xentcli.report.comparison import Comparison
from xentcli.report.document import Document
from xentcli.writers.figures import decimals, fixed
from xentcli.writers.safe import terminal

__all__ = ["render"]

_LONGEST = 31
"""The longest title of a sheet."""
_LEAST = 4
"""Decimals of probabilities, which have them all on a screen too."""


def render(document: Document, width: int | None = None, color: bool = False) -> bytes:
    """Return the bytes of a workbook; no cell is a formula.

    Raises UsageError without the extra ``office``.
    """
    openpyxl = needed("openpyxl", "office")
    book = openpyxl.Workbook(write_only=True)
    places = decimals(_standard_error(document))
    for table in document.tables():
        sheet = book.create_sheet(table.title[:_LONGEST])
        for row in (table.columns, *table.rows):
            cells = zip(table.columns, row, strict=True)
            sheet.append([_cell(openpyxl, sheet, value, name, places) for name, value in cells])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _standard_error(document: Document) -> float | None:
    """The standard error that says how many decimals the figures of a document have."""
    if isinstance(document, Comparison):
        return min((pair.standard_error for pair in document.pairs if pair.standard_error), default=None)
    error: float | None = getattr(getattr(document, "report", document), "standard_error", None)
    return error


def _cell(openpyxl: Any, sheet: Any, value: Any, column: str, places: int) -> Any:
    """A cell of a number with the digits of the standard error, or of a text that no spreadsheet runs."""
    if not isinstance(value, str | float):
        return value
    if isinstance(value, float) and math.isfinite(value):
        # openpyxl writes numbers with 16 digits; some doubles need 17.
        cell = openpyxl.cell.WriteOnlyCell(sheet, repr(value))
        cell.data_type = "n"
        cell.number_format = _format(value, column, places)
    else:
        cell = openpyxl.cell.WriteOnlyCell(sheet, terminal(str(value)))
        cell.data_type = "s"
    return cell


def _format(value: float, column: str, places: int) -> str:
    """How a number is shown; it is stored in full."""
    if column.endswith("share") and abs(value) < 1e4:
        return "0.0 %"
    places = max(places, _LEAST)
    return "0.000E+00" if "e" in fixed(value, places) else f"#,##0.{'0' * places}"
