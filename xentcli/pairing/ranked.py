"""Recognise classes by rank (``class1,prob1,class2,prob2,...``), and give the command that makes a column per class."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from xentcli.arrays import Floats
from xentcli.pairing.long import frame_code
from xentcli.readers.lists import CUT
from xentcli.readers.source import Source
from xentcli.readers.text.faults import Written
from xentcli.records import record

__all__ = ["Ranked", "ranked_of"]

_OFF = 0.01
"""Tolerance for the sum of the probabilities of all classes."""


@record(frozen=True, eq=False)
class Ranked:
    """The columns of the classes by rank, and those of their probabilities.

    Attributes
    ----------
    labels, shares
        Names of columns, as many of each.
    classes
        All classes, sorted.
    cut
        Whether rows lack classes, and with them a part of the probability.
    """

    source: Source
    labels: tuple[str, ...]
    shares: tuple[str, ...]
    classes: tuple[str, ...]
    cut: bool

    def advice(self, label: str | None) -> tuple[str, ...]:
        """Return the command that makes a column of each class, or why there is none; `label` is the true class."""
        if self.cut:
            return CUT
        labels, shares = (json.dumps(list(names)) for names in (self.labels, self.shares))
        code = (
            f"import {frame_code(self.source)}; a, b = {labels}, {shares}; "
            "w = pandas.DataFrame([dict(zip(*r)) for r in zip(d[a].values, d[b].values)]).fillna(0); "
            "d.drop(columns=a + b).join(w[sorted(w)]).to_csv(sys.stdout, index=False)"
        )
        plain = not any("," in name or name != name.strip() for name in self.classes)
        preds = f" --preds {shlex.quote(','.join(self.classes))}" if plain else ""
        done = "makes a column of each class" + (f", then --label {shlex.quote(label)}{preds}" if label else "")
        return (Written(self.source.path).by(f"python3 -c {shlex.quote(code)}", done, ".csv"),)


def ranked_of(source: Source, columns: Mapping[str, Sequence[str]], shares: Mapping[str, Floats]) -> Ranked | None:
    """Recognise the columns of two ranks or more by their first cells and the columns in [0, 1]; None for other files.

    In every row the probabilities descend, and the classes beside them differ.
    """
    if not frame_code(source):
        return None
    names = list(columns)
    for run in _descending(names, shares):
        for labels in _beside(names, run):
            rows = list(zip(*(columns[name] for name in labels), strict=True))
            classes = {text for row in rows for text in row}
            if any(len({*row}) < len(row) for row in rows) or not 1 < len(classes) <= len(rows):
                continue
            sums = np.sum([shares[name] for name in run], axis=0)
            cut = len(classes) > len(run) and bool((np.abs(sums - 1) > 1e-6).any())
            if sums.max() <= 1 + _OFF and (cut or np.abs(sums - 1).max() <= _OFF):
                return Ranked(source, tuple(labels), tuple(run), tuple(sorted(classes)), cut)
    return None


def _descending(names: Sequence[str], shares: Mapping[str, Floats]) -> Iterator[list[str]]:
    """Yield the runs of two and more columns in [0, 1], in the order of the file, that descend in every row."""
    run: list[str] = []
    for name in (name for name in names if name in shares):
        if run and not bool((shares[run[-1]] >= shares[name]).all()):
            if len(run) > 1:
                yield run
            run = []
        run = [*run, name]
    if len(run) > 1:
        yield run


def _beside(names: Sequence[str], run: Sequence[str]) -> Iterator[list[str]]:
    """Yield the columns before each of a run, after each of it, and before and after all of it."""
    places = [names.index(name) for name in run]
    first, last, count = places[0], places[-1], len(run)
    for found in (
        [place - 1 for place in places],
        [place + 1 for place in places],
        range(first - count, first),
        range(last + 1, last + 1 + count),
    ):
        if found[0] >= 0 and found[-1] < len(names) and not {*found} & {*places}:
            yield [names[place] for place in found]
