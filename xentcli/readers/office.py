"""Workbooks of Excel, and files of Stata, SPSS and SAS: their cells as delimited text in memory.

They are therefore read exactly as a CSV of the same cells: the same header, bits and errors. Numbers are written with
all digits, dates as ISO 8601, missing values as empty fields. If every value of a variable has a value label, the
labels replace the codes, unless ``FILE#codes`` is given.
"""

from __future__ import annotations

import contextlib
import csv
import datetime
import io
import json
import os
import shlex
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from xentcli.errors import DataError, Place, shown, unused
from xentcli.extras import needed
from xentcli.readers.source import Source
from xentcli.readers.stream import ByteStream
from xentcli.readers.text.csv import open_csv
from xentcli.records import replace

__all__ = ["open_excel", "open_sas", "open_spss", "open_stata"]

_CODES = "codes"
_TRANSPORT = b"HEADER RECORD"
_OBSERVATIONS, _MEMBER = b"HEADER RECORD*******OBS", b"HEADER RECORD*******MEMB"
_STATA, _STATA_END = b"<stata_dta>", b"</stata_dta>"


def open_excel(stream: ByteStream, part: str | None = None, decimal: str = ".", **_: Any) -> Source:
    """Open a sheet of a workbook: the one that `part` names, or the only visible one that is not empty.

    Raises DataError if it is no workbook, has several sheets, a title above the table, a blank row in it, or a formula
    without a value; FileError if it is larger than the limit; UsageError if openpyxl is not installed.
    """
    if not stream.head.startswith(b"PK"):
        text = b"\0" not in stream.head
        advice = "is it text? --input-format predictions=csv, or labels=csv, reads it" if text else ""
        raise DataError("not an Excel workbook, which is a ZIP archive", place=Place(stream.name), advice=advice)
    openpyxl = needed("openpyxl", "office")
    data = _whole(stream, "an Excel workbook", inflated=True)
    place = Place(stream.name)
    with _refusing(stream, "an Excel workbook"):
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet, rows = _chosen(book, part, place)
    name = f"{stream.name}#{sheet}"
    _check_table(rows, stream.name, sheet)
    if any(None in row for row in rows):
        with _refusing(stream, "an Excel workbook"):
            formulas = openpyxl.load_workbook(io.BytesIO(data), read_only=True)[sheet]
            _check_values(rows, _cells(formulas), name)
    return _as_text(stream, name, rows, "excel", decimal)


def _chosen(book: Any, part: str | None, place: Place) -> tuple[str, list[list[Any]]]:
    """Return the name and the rows of a sheet."""
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if part is not None:
        if part not in sheets:
            raise DataError(f"no sheet is called {shown(part)}", place=place, advice=_sheets(place.path, sheets))
        return part, _cells(sheets[part])
    visible = ((name, _cells(sheet)) for name, sheet in sheets.items() if sheet.sheet_state == "visible")
    filled = [(name, rows) for name, rows in visible if rows]
    if len(filled) > 1:
        what = f"{len(filled)} sheets that are not empty, and none is named"
        raise DataError(what, place=place, advice=_sheets(place.path, dict(filled)))
    return filled[0] if filled else (next(iter(sheets), ""), [])


def _sheets(path: str | None, names: Iterable[str]) -> str:
    """Return the advice that names sheets."""
    return "FILE#SHEET names it: " + ", ".join(shown(f"{path}#{name}", 200) for name in names)


def _cells(sheet: Any) -> list[list[Any]]:
    """Return the rows of a sheet, without empty rows below and empty columns to the right."""
    # The size that a file states may be wrong.
    sheet.reset_dimensions()
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    for row in rows:
        while row and row[-1] in (None, ""):
            row.pop()
    while rows and not rows[-1]:
        rows.pop()
    width = max(map(len, rows), default=0)
    for row in rows:
        row += [None] * ((width - len(row)) if row else 0)
    return rows


def _check_table(rows: Sequence[Sequence[Any]], path: str, sheet: str) -> None:
    """Refuse lines above the header, and blank rows within the table."""
    name = f"{path}#{sheet}"
    first = next((r for r, row in enumerate(rows) if row and row[-1] is not None), 0)
    if first and len(rows) > first + 1:
        what = f"row 1 has fewer cells than row {first + 1}: a title above the table?"
        raise DataError(what, place=Place(name, line=1), advice=_converted(path, sheet, first))
    blank = next((r for r, row in enumerate(rows) if not row), None)
    if blank is not None:
        place = Place(name, line=blank + 1)
        raise DataError("a blank row within the table", place=place, advice=_converted(path, sheet, 0))


def _converted(path: str, sheet: str, header: int) -> str:
    """Return the shell line that writes the table of a sheet without titles and blank rows."""
    source = f"{json.dumps(path)}, {json.dumps(sheet)}, header={header}, keep_default_na=False"
    target = json.dumps(unused(os.path.splitext(path)[0], ".csv"))
    code = f'f = pandas.read_excel({source}); f[(f != "").any(axis=1)].to_csv({target}, index=False)'
    return f"python3 -c {shlex.quote(f'import pandas; {code}')}   # skips titles and blank rows"


def _check_values(rows: Sequence[Sequence[Any]], written: Sequence[Sequence[Any]], name: str) -> None:
    """Refuse formulas whose values are not in the file: a program that computes nothing writes none."""
    cells = [
        (r, c, cell, formula)
        for r, (row, formulas) in enumerate(zip(rows, written, strict=False))
        for c, (cell, formula) in enumerate(zip(row, formulas, strict=False))
        if cell != formula
    ]
    # A formula whose result is empty text has no value either; others in the file do.
    if cells and all(cell is None for _, _, cell, _ in cells):
        r, c, _, formula = cells[0]
        raise DataError(
            f"a formula without its value: {shown(str(getattr(formula, 'text', formula)))}",
            place=Place(name, line=r + 1, column=f"#{c + 1}"),
            advice="open the workbook in Excel or LibreOffice and save it, which computes the values",
        )


def _open_variables(
    stream: ByteStream, part: str | None = None, decimal: str = ".", *, what: str, function: str, format: str, **_: Any
) -> Source:
    """Open a file of Stata, SPSS or SAS; it raises as `open_excel` does."""
    if part not in (None, _CODES):
        advice = f"FILE#{_CODES} reads the codes of variables that have value labels"
        raise DataError(f"{what} has no part {shown(part)}", place=Place(stream.name), advice=advice)
    read = getattr(needed("pyreadstat", "office"), function)
    data = _whole(stream, what)
    with _refusing(stream, what):
        columns, about = read(io.BytesIO(data), output_format="dict")
    _check_whole(data, about, Place(stream.name), part)
    columns = {str(name): list(cells) for name, cells in columns.items()}
    named = {name: _named(cells, about.variable_value_labels.get(name)) for name, cells in columns.items()}
    name = stream.name
    if any(cells is not None for cells in named.values()):
        name = f"{name}#{part or 'labels'}"
    if part is None:
        columns |= {name: cells for name, cells in named.items() if cells is not None}
    rows = [list(columns), *map(list, zip(*columns.values(), strict=True))]
    return _as_text(stream, name, rows, format, decimal, named=True)


def _check_whole(data: bytes, about: Any, place: Place, part: str | None) -> None:
    """Refuse a file whose end is missing in a way that pyreadstat does not see."""
    if data.startswith(_TRANSPORT) and len(data) % 80:
        what = "a transport file has records of 80 bytes, and the last of this one is shorter"
        raise DataError(what, place=place, advice="is it complete?")
    if data.startswith(_TRANSPORT):
        _check_observations(data, about, place)
    if data.startswith(_STATA) and _STATA_END not in data[-99:]:
        raise DataError(f"{_STATA_END.decode()} is not at its end", place=place, advice="is it complete?")
    missing = next((n for n, labels in about.variable_to_label.items() if labels not in about.value_labels), None)
    if missing is not None and part is None:
        what = f"column {shown(missing)} has value labels that are not in the file"
        raise DataError(what, place=place, advice=f"is it complete? else FILE#{_CODES} reads the codes")


def _check_observations(data: bytes, about: Any, place: Place) -> None:
    """Refuse a transport file that ends within an observation, or before the last that version 8 counts.

    Version 5 counts none: one that is cut where a record and an observation end together looks whole.
    """
    header = next((at for at in range(0, len(data), 80) if data.startswith(_OBSERVATIONS, at)), None)
    if header is None:
        return
    counted = data[header + 48 : header + 80].split()
    width, rows = sum(about.variable_storage_width.values()), about.number_rows
    rest = data[header + 80 + width * rows :]
    if data.startswith(_OBSERVATIONS + b"V8", header) and counted and counted[0].isdigit():
        wanted = int(counted[0])
        if wanted != rows:
            what = f"{rows:,} observations, and the file says that it has {wanted:,}"
            raise DataError(what, place=place, advice="is it complete?")
    elif rest.strip(b" ") and data.count(_MEMBER) == 1:
        raise DataError("the file ends within an observation", place=place, advice="is it complete?")


def _named(cells: Sequence[Any], labels: dict[Any, str] | None) -> list[Any] | None:
    """Return the value labels of cells; None unless every value has one of its own."""
    if not labels or len({*labels.values()}) < len(labels):
        return None
    values = {cell for cell in cells if cell is not None and cell == cell}
    return [labels.get(cell) for cell in cells] if values and values <= labels.keys() else None


open_stata = partial(_open_variables, what="a Stata file", function="read_dta", format="stata")
open_spss = partial(_open_variables, what="an SPSS file", function="read_sav", format="spss")


def open_sas(stream: ByteStream, **options: Any) -> Source:
    """Open a file of SAS, in its own format or for transport; it raises as the others do."""
    if stream.head.startswith(_TRANSPORT):
        return _open_variables(stream, what="a SAS transport file", function="read_xport", format="sas", **options)
    return _open_variables(stream, what="a SAS file", function="read_sas7bdat", format="sas", **options)


def _whole(stream: ByteStream, what: str, *, inflated: bool = False) -> bytes:
    """Read all of a file that is held in memory, if it is not too large."""
    data = stream.whole(what)
    if inflated:
        with _refusing(stream, what):
            # A member gives no more bytes than its entry states.
            entries = zipfile.ZipFile(io.BytesIO(data)).infolist()
        stream.limits.check_document(sum(entry.file_size for entry in entries), Place(stream.name), what)
    return data


@contextlib.contextmanager
def _refusing(stream: ByteStream, what: str) -> Iterator[None]:
    """Make whatever a library raises about a damaged file an error that names the file."""
    try:
        yield
    except (DataError, MemoryError):
        raise
    except Exception as error:
        reason = f"{what} that cannot be read: {shown(f'{type(error).__name__}: {error}')}"
        raise DataError(reason, place=Place(stream.name), advice="is it complete? save it again, or as CSV") from None


def _as_text(
    stream: ByteStream,
    name: str,
    rows: Sequence[Sequence[Any]],
    format: str,
    decimal: str,
    *,
    named: bool | None = None,
) -> Source:
    """Return rows of cells as a source of delimited text, whose lines are the rows."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    write: Callable[[Any], str] = partial(_written, decimal=decimal)
    writer.writerows([write(cell) for cell in row] for row in rows)
    data = file.getvalue().encode()
    inner = replace(stream, name=name, plain=False, head=data[: 1 << 16], _file=None, _opener=lambda: io.BytesIO(data))
    return replace(open_csv(inner, ",", decimal), format=format, named=named)


def _written(cell: Any, decimal: str) -> str:
    """Return a cell as text that reads as the same value.

    >>> [_written(cell, ".") for cell in (None, 0.1, 3.0, True, "a", datetime.datetime(2024, 5, 1))]
    ['', '0.1', '3', 'TRUE', 'a', '2024-05-01']
    """
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return repr(cell).removesuffix(".0").replace(".", decimal)
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(" ").removesuffix(" 00:00:00")
    return str(cell)
