"""Detect long format (a row per example and class), and give the command that pivots it to a column per class."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence

import numpy as np

from xentcli.arrays import Floats
from xentcli.readers.source import Source
from xentcli.readers.text.faults import DELIMITERS, Written
from xentcli.records import record

__all__ = ["Long", "long_of"]

_MOST = 20
"""Maximum number of columns of a file in long format."""
_OFF = 0.01
"""Tolerance for the sum of the probabilities of an example."""


@record(frozen=True, eq=False)
class Long:
    """The columns with the example, the class and the probability; and the true class, if there is one."""

    source: Source
    id: str
    label: str
    prob: str
    classes: tuple[str, ...]
    truth: str = ""
    hit: bool = False
    """Whether the truth is a flag: 1 in the row of the true class, 0 in the others."""

    def command(self, other: Source | None) -> str:
        """Return the shell command, with options for the file it writes and for a separate file of labels."""
        delimiter = self.source.dialect.delimiter  # type: ignore[attr-defined]
        key, label, prob, truth = map(json.dumps, (self.id, self.label, self.prob, self.truth))
        code = (
            f"import pandas, sys; d = pandas.read_csv(sys.stdin, sep={json.dumps(delimiter)}, dtype=str, "
            f"keep_default_na=False); "
            f"w = d.pivot(index={key}, columns={label}, values={prob}).reindex(d[{key}].unique())"
        )
        then, options = "makes a column of each class", []
        if self.truth:
            rows = f"d[d[{truth}].astype(float) == 1]" if self.hit else f"d.drop_duplicates({key})"
            code += f"; w.insert(0, {truth}, {rows}.set_index({key})[{label if self.hit else truth}])"
            plain = not any("," in name or name != name.strip() for name in self.classes)
            names = sorted(self.classes)
            preds = ",".join(names) if len(names) <= 6 else f"{names[0]}:{names[-1]}"
            options = [f"--label {shlex.quote(self.truth)}", f"--preds {shlex.quote(preds)}" if plain else ""]
        elif other is not None and self.id in other.names:
            options = [f"--id {shlex.quote(self.id)}"]
        done = ", then ".join(filter(None, (then, " ".join(filter(None, options)))))
        return Written(self.source.path, delimiter).by(
            f"python3 -c {shlex.quote(f'{code}; w.to_csv(sys.stdout)')}", done, ".csv"
        )


def long_of(
    source: Source, columns: Mapping[str, Sequence[str]], shares: Mapping[str, Floats], *, whole: bool
) -> Long | None:
    """Recognise the columns of a long format from their first cells and the columns in [0, 1]; None for other files.

    Each example has distinct classes whose probabilities sum to 1. Unless the cells are the `whole` file, the last
    example may be incomplete.
    """
    dialect = getattr(source, "dialect", None)
    if len(columns) > _MOST or dialect is None or dialect.delimiter not in DELIMITERS or not source.header:
        return None
    for key, ids in columns.items():
        ends = [row for row, text in enumerate(ids) if not row or text != ids[row - 1]]
        spans = [slice(*pair) for pair in zip(ends, [*ends[1:], len(ids)], strict=True)][: None if whole else -1]
        if len(spans) < 2 or len({ids[span.start] for span in spans}) < len(spans) or _shortest(spans) < 2:
            continue
        for label, texts in columns.items():
            if label == key or not all(len({*texts[span]}) == span.stop - span.start for span in spans):
                continue
            for prob, values in shares.items():
                if prob not in (key, label) and all(abs(values[span].sum() - 1) <= _OFF for span in spans):
                    if all(np.isin(values, (0, 1))) or len({*texts}) > len(texts) // 2:
                        continue
                    classes = tuple(dict.fromkeys(texts))
                    truth, hit = _truth(columns, shares, {key, label, prob}, spans, classes)
                    return Long(source, key, label, prob, classes, truth, hit)
    return None


def _shortest(spans: Sequence[slice]) -> int:
    return min(int(span.stop) - int(span.start) for span in spans)


def _truth(
    columns: Mapping[str, Sequence[str]],
    shares: Mapping[str, Floats],
    taken: set[str],
    spans: Sequence[slice],
    classes: Sequence[str],
) -> tuple[str, bool]:
    """Return the column of the truth (a class per example, or a flag), or an empty name."""
    others = [name for name in columns if name not in taken and name not in classes]
    for name in others:
        texts = columns[name]
        if {*texts} <= {*classes} and all(len({*texts[span]}) == 1 for span in spans):
            return name, False
    for name in (name for name in others if name in shares):
        if np.isin(shares[name], (0, 1)).all() and all(shares[name][span].sum() == 1 for span in spans):
            return name, True
    return "", False
