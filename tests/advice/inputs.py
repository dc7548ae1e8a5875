"""What the inputs of the table of advice are made of."""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pandas
import pyarrow

LN2 = math.log(2)
Q = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5], [0.125, 0.5, 0.375]])
TRUTH = np.array([0, 1, 2, 1])
"""Each truth has 0.5: the cost is ln 2."""
NAMES = ("cat", "dog", "emu")


def table(values: np.ndarray, header: str | None = "cat,dog,emu", delimiter: str = ",") -> str:
    rows = [delimiter.join(f"{value:.17g}" for value in row) for row in values.tolist()]
    return "\n".join([*([header.replace(",", delimiter)] if header else []), *rows]) + "\n"


def column(labels: object, header: str | None = "label") -> str:
    return "\n".join([*([header] if header else []), *map(str, labels)]) + "\n"  # type: ignore[call-overload]


P = table(Q)
L = column(NAMES[t] for t in TRUTH)
N = column(TRUTH)
ONE = column(TRUTH + 1)
BOTH = {"p.csv": P, "l.csv": L}
FULL = "label," + P.replace("\n", "\n@", 4).replace("@", "cat,", 1).replace("@", "dog,", 1).replace(
    "@", "emu,", 1
).replace("@", "dog,", 1)
SCATTERED = np.c_[Q[:, 0], Q[:, 1] / 4, Q[:, 1], Q[:, 2] / 8, Q[:, 2]]
"""Columns of Q with others between: no run of them sums to 1, and none that is left out makes them do so."""
LOGITS = np.log(Q) + np.array([[1.0], [-2.0], [3.0], [0.5]])
MIXED = np.log(Q) + np.array([[2.0], [0.5], [3.0], [0.5]])
SOFT = np.array([[0.75, 0.25, 0.0], [0.0, 1.0, 0.0], [0.0, 0.5, 0.5], [0.25, 0.25, 0.5]])
SOFT_COST = float(-(SOFT * np.log(Q)).sum(axis=1).mean())
B = np.array([0.5, 0.75, 0.875, 0.5])
B_TRUE = np.array([1, 1, 1, 0])
B_COST = -math.log(0.5 * 0.75 * 0.875 * 0.5) / 4
MANY = np.tile(Q, (10, 1))
MANY_TRUTH = np.tile(TRUTH, 10)


def ids(text: str, prefix: str = "id", order: tuple[int, ...] = ()) -> str:
    lines = text.splitlines()
    rows = [f"{prefix}{n}," + line for n, line in enumerate(lines[1:])]
    rows = [rows[place] for place in order] if order else rows
    return "\n".join([f"id,{lines[0]}", *rows]) + "\n"


def quoted_wrong(escape: str) -> str:
    return P.replace("cat,", f'"c{escape}""at",' if escape == '"' else '"c\\"at",', 1)


def with_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Q, protocol=4))


def with_first(archive: bytes) -> bytes:
    """A zip archive with another member before its own."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(file, "w") as target:
        target.writestr("a.txt", "by me")
        for name in source.namelist():
            target.writestr(name, source.read(name))
    return file.getvalue()


def scaled(factor: float) -> str:
    return table(Q * factor)


def frame(path: Path) -> None:
    pandas.DataFrame(Q, columns=list(NAMES)).assign(label=[NAMES[t] for t in TRUTH]).to_parquet(path)


def ipc_stream(path: Path) -> None:
    data = pyarrow.table({name: Q[:, place] for place, name in enumerate(NAMES)})
    with pyarrow.ipc.new_stream(path, data.schema) as sink:
        sink.write_table(data)


def huge_batch(path: Path) -> None:
    data = pyarrow.table({name: np.tile(Q[:, place], 20_000) for place, name in enumerate(NAMES)})
    with pyarrow.ipc.new_file(path, data.schema) as sink:
        sink.write_table(data)


def big_batch(path: Path) -> None:
    data = pyarrow.table({name: MANY[:, place] for place, name in enumerate(NAMES)})
    with pyarrow.ipc.new_file(path, data.schema) as sink:
        sink.write_table(data)


ODDS = "H,D,A,res\n2,4,4,H\n4,2,4,D\n4,4,2,A\n8,2,2.6666666666666665,D\n"
