"""Convert lists of any length, as read, to columns of lists of numbers or text."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from xentcli.arrays import Array, Ints, objects
from xentcli.columns.lists import Lists
from xentcli.columns.numerals import number
from xentcli.errors import DataError, Place, shown
from xentcli.readers.text.faults import RECORDS, Written
from xentcli.records import replace

if TYPE_CHECKING:
    from xentcli.readers.source import Rows

__all__ = ["CUT", "classes_of_unequal", "kinds_of_unequal", "lists_of"]


CUT = (
    "only the most likely classes of each row are there: that of the truth may be missing",
    "write all classes of each row (top_k=None in transformers, -1 in fastText), not the first few",
)
"""Why the first few classes of each row cannot be scored, and what helps."""


def classes_of_unequal(path: str, key: str, probabilities: Mapping[str, Any]) -> tuple[str, ...]:
    """Return advice for objects of probabilities with other classes in other rows, judging by one of them.

    Where it sums to 1 the others are 0: the command writes them, if `key` is the name of the objects in each record.

    >>> classes_of_unequal("p.jsonl", "p", {"cat": 0.5, "dog": 0.25})[0]
    'only the most likely classes of each row are there: that of the truth may be missing'
    """
    known = [float(value) for value in probabilities.values() if isinstance(value, Real) and value == value]
    if len(known) < len(probabilities) or min(known) < 0 or sum(known) > 1 + 1e-6:
        return ()
    if sum(known) < 1 - 1e-6:
        return CUT
    name = json.dumps(key)
    code = (
        f"import json, sys; text = sys.stdin.read().strip(); rows = json.loads({RECORDS}); "
        f"names = sorted({{c for r in rows for c in r[{name}]}}); "
        f"[print(json.dumps({{**r, {name}: {{c: r[{name}].get(c, 0) for c in names}}}})) for r in rows]"
    )
    done = "writes 0 for the classes that a row leaves out"
    return (Written(path).by(f"python3 -c {shlex.quote(code)}", done, ".jsonl"),) if key else ()


def kinds_of_unequal(name: str, numbers: Sequence[Any]) -> tuple[str, ...]:
    """Return advice for a column of lists of different lengths: the kinds that accept it, judging by one list.

    >>> kinds_of_unequal("p", [0.5, 0.25])
    ('a probability for each token, without labels? --kind true-probs --preds p',)
    """
    known = [float(value) for value in numbers if isinstance(value, Real) and value == value]
    if not name or not known:
        return ()
    if all(isinstance(value, int) for value in numbers) and max(known) > 1:
        # Offsets or ids of tokens, say.
        return ("a log-probability for each token, without labels? --kind true-logprobs --preds NAME",)
    column = f"--preds {shlex.quote(name)}"
    choices = f"scores of choices, and the label is the position of the true one? --kind logits {column}"
    if 0 <= min(known) <= max(known) <= 1:
        return (f"a probability for each token, without labels? --kind true-probs {column}",)
    if max(known) <= 0:
        return (choices, f"a log-probability for each token, without labels? --kind true-logprobs {column}")
    return (choices, f"a loss for each token, without labels? --kind losses {column}" if min(known) >= 0 else "")


def lists_of(column: Array | Lists, role: str, rows: Rows) -> tuple[Lists, list[int]]:
    """Return a column of lists as its pick asks: of numbers (null becomes NaN), or of text.

    Also returns the items that are nonzero numerals below the smallest double, which were read as 0.

    Raises DataError for a row without a list, or an item that is no number where one must be.
    """
    items: Any
    if isinstance(column, Lists):
        items, ends = column.flat, column.ends - column.ends[0]
    else:
        items, ends = _joined(column.tolist(), role, rows)
    if rows.selection[role].as_ == "texts":
        return Lists(_texts(items), ends), []
    if isinstance(items, np.ndarray) and items.dtype.kind in "biuf":
        return Lists(items if items.dtype.kind == "f" else items.astype(np.float64), ends), []
    values = items if isinstance(items, list) else items.tolist()
    if {*map(type, values)} <= {int, float, type(None)}:
        # An integer too large for a double is refused below, with its place.
        with contextlib.suppress(OverflowError):
            return Lists(np.array(values, dtype=np.float64), ends), []
    found = np.empty(len(values))
    for item, value in enumerate(values):
        read = _number(value, bare=role == "preds")
        if read is None:
            place = replace(rows, examples=Lists(found, ends).named(())).place(role, item, 0)
            large = isinstance(value, int) and not isinstance(value, bool)
            advice = "larger than any double, which ends at 1.8e308" if large else _first_of_each(value, place)
            raise DataError(f"{_shown(value)} is not a number", place=place, advice=advice)
        found[item] = read
    return Lists(found, ends), [item for item, value in enumerate(values) if getattr(value, "text", None)]


def _first_of_each(value: Any, place: Place) -> str:
    """The shell line for lists of a number and a flag each, as evaluation harnesses write log-likelihoods."""
    name = (place.column or "").partition("[")[0]
    if str(value) not in ("True", "False", "true", "false") or not re.fullmatch(r"\w+", name) or not place.path:
        return ""
    code = (
        f'import json, sys; [print(json.dumps({{**row, "{name}": [float(each[0]) for each in row["{name}"]]}})) '
        "for row in map(json.loads, sys.stdin)]"
    )
    return Written(place.path).by(f"python3 -c '{code}'", "keeps the first of each inner list", ".jsonl")


def _joined(cells: list[Any], role: str, rows: Rows) -> tuple[list[Any], Ints]:
    """The items of all lists in sequence, and where each list ends."""
    for row, cell in enumerate(cells):
        if not isinstance(cell, list | tuple | np.ndarray):
            raise DataError(f"{_shown(cell)} where the first row has a list", place=rows.place(role, row, 0))
    ends = np.zeros(len(cells) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, cells), np.int64, len(cells)), out=ends[1:])
    plain = (cell.tolist() if isinstance(cell, np.ndarray) else cell for cell in cells)
    return list(itertools.chain.from_iterable(plain)), ends


def _number(value: Any, *, bare: bool) -> float | None:
    """A number, or NaN for null; text is parsed as in a file, and true is 1, unless `bare`. None for anything else."""
    if value is None or type(value).__name__ == "NAType":
        return np.nan
    if isinstance(value, str):
        return number(value)
    if isinstance(value, bool) and bare:
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _texts(items: Any) -> Array:
    values = items if isinstance(items, list) else items.tolist()
    return objects(["" if value is None else value if isinstance(value, str) else str(value) for value in values])


def _shown(value: Any) -> str:
    try:
        return shown(value) if isinstance(value, str) else shown(json.dumps(value))
    except (TypeError, ValueError):
        return shown(str(value))
