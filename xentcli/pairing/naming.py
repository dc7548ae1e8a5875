"""Detect a column whose cells list the class names, beside a column of lists of predictions."""

from __future__ import annotations

import ast
import json
import shlex
from collections.abc import Sequence

from xentcli.pairing.columns import name_of
from xentcli.pairing.predicted import predicted_class
from xentcli.readers.source import Source
from xentcli.readers.text.faults import DELIMITERS, Written
from xentcli.records import record

__all__ = ["Naming", "naming_of"]


@record(frozen=True, eq=False)
class Naming:
    """A column whose cells list names, the column of lists that they name, and the first values by name."""

    source: Source
    names: str
    preds: str
    values: dict[str, list[str]]

    def label(self, columns: dict[str, list[str]]) -> str | None:
        """Return the only column whose values are classes and not the predicted class in every row."""
        shares = list(self.values.values())
        found = [
            name
            for name, values in columns.items()
            if {*values} <= self.values.keys() and not predicted_class(values, list(self.values), shares)
        ]
        return found[0] if len(found) == 1 else None

    def command(self, label: str | None) -> str:
        """Return the shell command that converts each list to an object; `label` is None if it is in another file."""
        delimiter = _delimiter(self.source)
        names, preds = json.dumps(self.names), json.dumps(self.preds)
        code = (
            f"import ast, csv, json, sys; rows = csv.DictReader(sys.stdin, delimiter={json.dumps(delimiter)}); "
            f"[print(json.dumps({{**r, {preds}: dict(zip(ast.literal_eval(r[{names}]), "
            f'map(float, r[{preds}].strip("[] ").replace(",", " ").split()), strict=True))}})) for r in rows]'
        )
        options = f"{'' if label is None else f'--label {shlex.quote(label)} '}--preds {shlex.quote(self.preds)}"
        done = f"names the numbers of {self.preds} by {self.names}, then {options}"
        return Written(self.source.path, delimiter).by(f"python3 -c {shlex.quote(code)}", done, ".jsonl")


def naming_of(source: Source, columns: dict[str, list[str]]) -> Naming | None:
    """Find the column of names beside the only column of lists, from the first cells; None without both."""
    delimiter, flat = _delimiter(source), source.traits.flat
    if delimiter not in DELIMITERS or not source.header or flat is None or len(flat.groups) != 1:
        return None
    ((preds, places),) = flat.groups.items()
    shares = [columns.get(name_of(source, place), []) for place in places]
    for name, cells in columns.items():
        listed = [_names(cell, len(places)) for cell in cells] if cells and cells[0].lstrip()[:1] == "[" else []
        if listed and None not in listed and {*map(len, shares)} == {len(cells)}:
            each = [dict(zip(names or (), row, strict=True)) for names, *row in zip(listed, *shares, strict=True)]
            if all(row.keys() == each[0].keys() for row in each):
                return Naming(source, name, preds, {key: [row[key] for row in each] for key in each[0]})
    return None


def _delimiter(source: Source) -> str:
    """The delimiter of a text file with lists in cells; empty for other sources."""
    dialect = getattr(getattr(source, "table", None), "dialect", None)
    return "" if dialect is None else str(dialect.delimiter)


def _names(cell: str, count: int) -> Sequence[str] | None:
    """The `count` distinct texts that a cell lists; None for other cells."""
    try:
        found = ast.literal_eval(cell.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    texts = isinstance(found, list) and {*map(type, found)} == {str} and len({*found}) == len(found) == count
    return found if texts else None
