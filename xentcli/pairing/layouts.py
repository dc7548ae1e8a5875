"""Recognise a row per example and class, or classes by rank, and give the command that makes a column per class."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from xentcli.arrays import Floats
from xentcli.pairing.by_name import is_predicted_by_name
from xentcli.pairing.columns import are_plain
from xentcli.pairing.firsts import FirstCells
from xentcli.readers.lists import CUT
from xentcli.readers.source import Source
from xentcli.readers.text.faults import DELIMITERS, RECORDS, Written
from xentcli.records import record

__all__ = ["Long", "long_of", "ranks_advice"]

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
        key, label, prob, truth = map(json.dumps, (self.id, self.label, self.prob, self.truth))
        code = (
            f"import {_frame_code(self.source)}; "
            f"w = d.pivot(index={key}, columns={label}, values={prob}).reindex(d[{key}].unique())"
        )
        then, options = "makes a column of each class", []
        if self.truth:
            rows = f"d[d[{truth}].astype(float) == 1]" if self.hit else f"d.drop_duplicates({key})"
            code += f"; w.insert(0, {truth}, {rows}.set_index({key})[{label if self.hit else truth}])"
            names = sorted(self.classes)
            preds = ",".join(names) if len(names) <= 6 else f"{names[0]}:{names[-1]}"
            options = [
                f"--label {shlex.quote(self.truth)}",
                f"--preds {shlex.quote(preds)}" if are_plain(self.classes) else "",
            ]
        elif other is not None and self.id in other.names:
            options = [f"--id {shlex.quote(self.id)}"]
        elif other is not None:
            then += f" and a row of each {self.id}, in the order in which each first occurs; labels must be in it too"
        done = ", then ".join(filter(None, (then, " ".join(filter(None, options)))))
        return Written(self.source.path).by(f"python3 -c {shlex.quote(f'{code}; w.to_csv(sys.stdout)')}", done, ".csv")


def long_of(head: FirstCells, *, whole: bool) -> Long | None:
    """Recognise the columns of a long format from their first cells; None for other files.

    Each example has distinct classes whose probabilities sum to 1. Unless the cells are the `whole` file, the last
    example may be incomplete, and the rows of an example must be neighbours.
    """
    if len(head.columns) > _MOST or not _frame_code(head.source):
        return None
    for key, ids in head.columns.items():
        if len({*ids}) > len(ids) // 2:
            continue
        order = sorted(range(len(ids)), key=ids.__getitem__) if whole else range(len(ids))
        texts = {name: [column[row] for row in order] for name, column in head.columns.items()}
        shares = {name: values[order] for name, values in head.shares.items()}
        found = _of_key(head.source, key, texts, shares, whole=whole)
        if found is not None:
            return found
    return None


def _of_key(
    source: Source, key: str, columns: Mapping[str, Sequence[str]], shares: Mapping[str, Floats], *, whole: bool
) -> Long | None:
    """Recognise the other columns, if the rows of each value of `key` are those of an example."""
    ids = columns[key]
    ends = [row for row, text in enumerate(ids) if not row or text != ids[row - 1]]
    spans = [slice(*pair) for pair in zip(ends, [*ends[1:], len(ids)], strict=True)][: None if whole else -1]
    if len(spans) < 2 or len({ids[span.start] for span in spans}) < len(spans) or _shortest(spans) < 2:
        return None
    for label, texts in columns.items():
        if label == key or not all(len({*texts[span]}) == span.stop - span.start for span in spans):
            continue
        for prob, values in shares.items():
            if prob not in (key, label) and all(abs(values[span].sum() - 1) <= _OFF for span in spans):
                if np.isin(values, (0, 1)).all() or len({*texts}) > len(texts) // 2:
                    continue
                classes = tuple(dict.fromkeys(texts))
                truth, hit = _truth(columns, shares, {key, label, prob}, spans, classes)
                return Long(source, key, label, prob, classes, truth, hit)
    return None


def _frame_code(source: Source) -> str:
    """Return Python that reads standard input as a frame d, after `import`; empty where it does not read this file."""
    dialect = getattr(source, "dialect", None)
    if dialect is not None:
        plain = dialect.delimiter in DELIMITERS and source.header
        given = f"sys.stdin, sep={json.dumps(dialect.delimiter)}, dtype=str, keep_default_na=False"
        return f"pandas, sys; d = pandas.read_csv({given})" if plain else ""
    # The names of nested fields are no columns of the frame.
    if not source.names or any(not name or "." in name or "[" in name for name in source.names):
        return ""
    if source.format in ("parquet", "arrow"):
        name = "parquet" if source.format == "parquet" else "feather"
        return f"io, pandas, sys; d = pandas.read_{name}(io.BytesIO(sys.stdin.buffer.read()))"
    if source.format not in ("json", "jsonl"):
        return ""
    return f"json, pandas, sys; text = sys.stdin.read().strip(); d = pandas.DataFrame(json.loads({RECORDS}))"


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


def ranks_advice(head: FirstCells, label: str | None) -> tuple[str, ...]:
    """Return the command that makes a column of each class of classes by rank, or why there is none; else nothing.

    In every row the probabilities descend, and the classes beside them differ. `label` is the true class; None where
    it is to be found.
    """
    found = _ranked(head)
    if found is None:
        return ()
    labels, shares, classes, cut = found
    if cut:
        # Rows lack classes, and with them a part of the probability.
        return CUT
    apart = {*labels, *shares}
    named = (name for name, values in head.distinct.items() if name not in apart and values <= {*classes})
    label = label or next((name for name in named if not is_predicted_by_name(name)), None)
    code = (
        f"import {_frame_code(head.source)}; a, b = {json.dumps(labels)}, {json.dumps(shares)}; "
        "w = pandas.DataFrame([dict(zip(*r)) for r in zip(d[a].values, d[b].values)]).fillna(0); "
        "d.drop(columns=a + b).join(w[sorted(w)]).to_csv(sys.stdout, index=False)"
    )
    preds = f" --preds {shlex.quote(','.join(classes))}" if are_plain(classes) else ""
    done = "makes a column of each class" + (f", then --label {shlex.quote(label)}{preds}" if label else "")
    return (Written(head.source.path).by(f"python3 -c {shlex.quote(code)}", done, ".csv"),)


def _ranked(head: FirstCells) -> tuple[list[str], list[str], list[str], bool] | None:
    """The columns of the classes of two ranks or more, those of their probabilities, and all classes, sorted.

    Also whether rows lack classes; None for other files.
    """
    if not _frame_code(head.source):
        return None
    names = list(head.columns)
    for run in _descending(names, head.shares):
        for labels in _beside(names, run):
            rows = list(zip(*(head.columns[name] for name in labels), strict=True))
            classes = {text for row in rows for text in row}
            if any(len({*row}) < len(row) for row in rows) or not 1 < len(classes) <= len(rows):
                continue
            sums = np.sum([head.shares[name] for name in run], axis=0)
            cut = len(classes) > len(run) and bool((np.abs(sums - 1) > 1e-6).any())
            if sums.max() <= 1 + _OFF and (cut or np.abs(sums - 1).max() <= _OFF):
                return labels, run, sorted(classes), cut
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
