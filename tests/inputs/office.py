"""Workbooks, and files of Stata, SPSS and SAS, as openpyxl and pyreadstat write them."""

from __future__ import annotations

import base64
import gzip
import io
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyreadstat

__all__ = ["CODED", "ROWS", "SAS", "spss", "stata", "workbook", "xport"]

Cells = Sequence[Sequence[Any]]

ROWS: Cells = [["a", "b", "y"], [0.7, 0.3, "a"], [0.2, 0.8, "b"], [0.9, 0.1, "a"]]
"""The three rows of make.P, with their labels."""
CODED: Cells = [["a", "b", "y"], [0.7, 0.3, 2], [0.2, 0.8, 1], [0.9, 0.1, 2]]
"""The same with b as 1 and a as 2."""
SAS = gzip.decompress(
    base64.b64decode(
        "H4sIAAAAAAACA2NgQIBDrxoTNosInt87iYOB87hhj4S8gKCxEoOxMSOTISNEiQgDAzMjirgxo7Ixg4gIgwIzI8ycYMdgBTdPH1cX"
        "xxDHYNcQBVyAgQAA6YepuyrnaG1bft8RRmMoFoBgRjRhSz0DEwNDX1OfzLzSCiRxYz1DAz0DXUNDMwM9Q0M9Q3TjKizM4s1MEHyQ"
        "vTMD9OJgGF39jF13/iG7k2EUjIJRMApGwSgYBaNgFIyCUTAKRsEoGERgJrTfig6M2aEMJj4GbiB1gwfC1WBGVXcAKi6Bpj+DC0JH"
        "MKGKq0DFXWAC0A77B04IbYImvgQq7oMmngMVt0AT14GKO6C55w0HdvE1BMTRjIeCF/YQ+oJ9cmIJ0ljGA3sYnZKfDhafNRMEdtqf"
        "PQMCb+DioylvFIyCUTAKRsEoIA78+/0fDIasfoj2/ypQvgyUZgZCRgZmeEuDGagSWd8fqD4LNPPATRQWRgYONL4ACh+1AQY16j+i"
        "AaICtVkDSutgzKH8heoxQAiJoM/lgOd6QlwDgO0hBmAbh6ES3fN/UP3AAqXZaZRWeNhRww7mJza09hwbmh8Z0dyHzv+Ppo4VTR0r"
        "WlwzovkTnQ9NUgTT1C8i1f38T1kaHWrgGxBA8hAq+A4E4H4FlM+LJi9ooITSb2HGYT66uAx6uhVAlfdHSyf/R1h80Ko/SiqA5TMm"
        "ND4XGp8Hjc+HxuegmU854GUKaFodYQ8PmC1DpM0sQJcyYqTSFTjTL3pXFgDkn8oMACAAAA=="
    )
)
"""The columns cat and dog of 0.75, 0.5, 0.1 and the rest, and y of cat, dog, dog; written by ReadStat."""


def workbook(*cells: Cells, **sheets: Cells) -> bytes:
    """A workbook of these sheets, whose numbers have all their digits."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in {**{f"Sheet{n + 1}": rows for n, rows in enumerate(cells)}, **sheets}.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        for cell in (cell for row in sheet.iter_rows() for cell in row if isinstance(cell.value, float)):
            # openpyxl writes 16 digits of a number, and a text as it is.
            cell._value, cell.data_type = repr(cell.value), "n"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def stata(rows: Cells, **labels: Mapping[int, str]) -> bytes:
    return _written("write_dta", rows, variable_value_labels=labels)


def spss(rows: Cells, **labels: Mapping[int, str]) -> bytes:
    return _written("write_sav", rows, variable_value_labels=labels)


def xport(rows: Cells, version: int = 5) -> bytes:
    return _written("write_xport", rows, file_format_version=version)


def _written(function: str, rows: Cells, **options: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        frame = pd.DataFrame([list(row) for row in rows[1:]], columns=list(rows[0]))
        getattr(pyreadstat, function)(frame, str(path), **options)
        return path.read_bytes()
