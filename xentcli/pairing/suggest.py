"""Which options would fit a file: for messages, never taken without being said."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import numpy as np

from xentcli.readers.numerals import number
from xentcli.readers.source import Pick, Source
from xentcli.settings import Settings

__all__ = ["suggestions"]

LOOK_AT = 1000
MOST = 3


def suggestions(source: Source, settings: Settings) -> tuple[str, ...]:
    """Say which --label and --preds would fit, going by the first rows; each of several that would.

    Columns that are called as the values of a text column are its classes; else the
    columns whose values lie from 0 to 1 and sum to 1 in every row are predictions.
    """
    general = ("--label NAME --preds NAME,... say which columns are labels and predictions",)
    if not source.repeatable or not source.width:
        return general
    part = next(iter(source.parts()), None)
    if part is None:
        return general
    rows = part.load({str(c): Pick((c,), "text") for c in range(source.width)})
    columns = [list(rows.values[str(c)][:LOOK_AT]) for c in range(source.width)]
    names = [name or f"#{index + 1}" for index, name in enumerate(source.names)] or [
        f"#{i + 1}" for i in range(source.width)
    ]
    fitting = []
    for label in _possible_labels(names, columns, settings):
        preds = _called_as_values(names, columns, label) or _summing_to_one(names, columns, label)
        if preds:
            fitting.append(f"--label {_word(label)} --preds {_word(_run(preds, names))}")
    return tuple(fitting[:MOST]) or general


def _possible_labels(names: Sequence[str], columns: Sequence[Sequence[str]], settings: Settings) -> list[str]:
    """The column that is said to be the labels; else those whose values are names of columns, or look like labels."""
    if isinstance(settings.label, str):
        return [settings.label]
    each = list(zip(names, columns, strict=True))
    named = [name for name, values in each if set(values) <= set(names)]
    return named or [name for name, values in each if _looks_like_labels(values)]


def _looks_like_labels(values: Sequence[str]) -> bool:
    distinct = set(values)
    texts = all(number(value) is None for value in distinct)
    return texts and 1 < len(distinct) <= max(2, len(values) // 2)


def _called_as_values(names: Sequence[str], columns: Sequence[Sequence[str]], label: str | None) -> list[str]:
    """The columns whose names are the values of the label column, if all its values are names."""
    if label not in names:
        return []
    values = set(columns[names.index(label)])
    called = [name for name in names if name in values]
    summing = _summing_to_one(names, columns, label)
    if values <= set(called) and len(called) > 1:
        return summing if set(called) <= set(summing) else called
    return []


def _summing_to_one(names: Sequence[str], columns: Sequence[Sequence[str]], label: str | None) -> list[str]:
    """The columns from 0 to 1, if they sum to 1 in every row."""
    chosen, arrays = [], []
    for name, texts in zip(names, columns, strict=True):
        values = [number(text) for text in texts]
        if name != label and all(value is not None and 0 <= value <= 1 for value in values):
            chosen.append(name)
            arrays.append(np.array(values, dtype=np.float64))
    if len(chosen) < 2 or not len(arrays[0]):
        return []
    return chosen if bool((np.abs(np.add.reduce(np.stack(arrays), axis=0) - 1) <= 0.01).all()) else []


def _run(preds: Sequence[str], names: Sequence[str]) -> str:
    """Names joined by commas; a long run of neighbours as first:last."""
    first = names.index(preds[0])
    if len(preds) > 6 and list(names[first : first + len(preds)]) == list(preds):
        return f"{preds[0]}:{preds[-1]}"
    return ",".join(preds)


def _word(text: str) -> str:
    return shlex.quote(text)
