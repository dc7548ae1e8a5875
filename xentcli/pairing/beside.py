"""Recognise a column that gives the classes of the numbers in another: their names, or the predicted class alone."""

from __future__ import annotations

import ast
import json
import shlex
from collections.abc import Sequence

import numpy as np

from xentcli.columns.numerals import number
from xentcli.pairing.by_name import is_predicted_by_name
from xentcli.pairing.columns import groups_of, listed, name_of
from xentcli.pairing.firsts import FirstCells
from xentcli.pairing.predicted import predicted_class
from xentcli.readers.source import Source
from xentcli.readers.text.faults import DELIMITERS, Written

__all__ = ["confidence_advice", "naming_command"]


def naming_command(head: FirstCells, label: str | None) -> str:
    """Return the shell command that converts each list to an object by the names in another column; else nothing.

    `label` is the true class; None where it is to be found: the only column whose values are classes and not the
    predicted class in every row.
    """
    found = _named_lists(head)
    if found is None:
        return ""
    column, preds, values = found
    if label is None:
        shares = list(values.values())
        fits = [
            name
            for name, texts in head.columns.items()
            if {*texts} <= values.keys() and not predicted_class(texts, list(values), shares)
        ]
        label = fits[0] if len(fits) == 1 else None
    delimiter = _delimiter(head.source)
    names, key = json.dumps(column), json.dumps(preds)
    code = (
        f"import ast, csv, json, sys; rows = csv.DictReader(sys.stdin, delimiter={json.dumps(delimiter)}); "
        f"[print(json.dumps({{**r, {key}: dict(zip(ast.literal_eval(r[{names}]), "
        f'map(float, r[{key}].strip("[] ").replace(",", " ").split()), strict=True))}})) for r in rows]'
    )
    options = f"{'' if label is None else f'--label {shlex.quote(label)} '}--preds {shlex.quote(preds)}"
    done = f"names the numbers of {preds} by {column}, then {options}"
    return Written(head.source.path, delimiter).by(f"python3 -c {shlex.quote(code)}", done, ".jsonl")


def _named_lists(head: FirstCells) -> tuple[str, str, dict[str, list[str]]] | None:
    """The column of names, the only column of lists, and its first values by name; None without both."""
    groups = groups_of(head.source)
    if _delimiter(head.source) not in DELIMITERS or not head.source.header or len(groups) != 1:
        return None
    ((preds, places),) = groups.items()
    shares = [head.columns.get(name_of(head.source, place), []) for place in places]
    for name, cells in head.columns.items():
        names = [_names(cell, len(places)) for cell in cells] if cells and cells[0].lstrip()[:1] == "[" else []
        if names and None not in names and {*map(len, shares)} == {len(cells)}:
            each = [dict(zip(some or (), row, strict=True)) for some, *row in zip(names, *shares, strict=True)]
            if all(row.keys() == each[0].keys() for row in each):
                return name, preds, {key: [row[key] for row in each] for key in each[0]}
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


def confidence_advice(head: FirstCells, label: str | None, labels: FirstCells) -> str:
    """Return the advice for a file whose only probability is that of the predicted class; empty for other files.

    For two classes it is a command; of more, the probabilities of the others are not there. `label` is the column of
    the true class in `labels`, the first cells of the file that has it; None where it is to be found.
    """
    for predicted, truth in _pairs(head, label, labels):
        classes = sorted(labels.distinct[truth])
        found = [(name, scale) for name in head.numeric if (scale := _scale(head, name, predicted, len(classes)))]
        if len(found) != 1:
            continue
        name, scale = found[0]
        if len(classes) > 2:
            return f"{listed([name])} is that of the predicted class alone; the probabilities of the others are missing"
        ids = [one for one in head.names if labels is not head and one in labels.names and head.differ(one)]
        return _command(head.source, predicted, truth, name, scale, classes[1], ids[:1])
    return ""


def _pairs(head: FirstCells, label: str | None, labels: FirstCells) -> Sequence[tuple[str, str]]:
    """The pairs of a column of the predicted class, and one of the true class that has all its values."""
    truths = [label] if label in labels.names else [name for name in labels.names if not is_predicted_by_name(name)]
    predicted = [one for one in head.names if label is not None or is_predicted_by_name(one)]
    return [
        (one, truth)
        for truth in truths
        for one in predicted
        if (one, labels) != (truth, head)
        and 1 < len(head.distinct[one]) <= len(labels.distinct[truth]) <= max(2, labels.rows // 2)
        and head.distinct[one] <= labels.distinct[truth]
    ]


def _scale(head: FirstCells, name: str, predicted: str, classes: int) -> float:
    """1, or 100 of percent, where a column is never below 1 / classes, and no threshold of it gives the prediction."""
    values = head.numeric[name]
    if name == predicted or not len(values) or bool((values == np.floor(values)).all()):
        return 0
    scale = 1 if values.max() <= 1 else 100
    least = scale / classes * (1 - 1e-6)
    fits = values.max() <= scale and values.min() >= least and head.read(head.columns[name]) is not None
    return scale if fits and not head.is_cut(predicted, name) else 0


def _command(
    source: Source, predicted: str, truth: str, name: str, scale: float, positive: str, ids: Sequence[str]
) -> str:
    """The command that adds the probability of the second class to a table as text."""
    dialect = getattr(source, "dialect", None)
    options = f"--label {shlex.quote(truth)} --preds p"
    options += "".join(f" --id {shlex.quote(one)}" for one in ids)
    options += f" --positive {shlex.quote(positive)}" if number(positive) is None else ""
    if dialect is None or dialect.delimiter not in DELIMITERS or not source.header or dialect.decimal != ".":
        return f"{listed([name])} is the probability of the predicted class, not that of {positive}"
    given = "" if dialect.delimiter == "," else f", sep={json.dumps(dialect.delimiter)}"
    percent = "" if scale == 1 else " / 100"
    code = (
        f"import pandas, sys; d = pandas.read_csv(sys.stdin, dtype=str, keep_default_na=False{given}); "
        f"c = d[{json.dumps(name)}].astype(float){percent}; "
        f'd.insert(0, "p", c.where(d[{json.dumps(predicted)}] == {json.dumps(positive)}, 1 - c)); '
        f"d.to_csv(sys.stdout, index=False{given})"
    )
    done = f"makes p, the probability of {positive}, of the confidence in {predicted}, then {options}"
    return Written(source.path).by(f"python3 -c {shlex.quote(code)}", done)
