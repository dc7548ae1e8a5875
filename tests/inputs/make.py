"""How the files of the table are made."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet

P = "a,b\n0.7,0.3\n0.2,0.8\n0.9,0.1\n"
"""Three rows of probabilities, and their labels; the cost is COST."""
L = "label\na\nb\na\n"
Q = np.array([[0.7, 0.3], [0.2, 0.8], [0.9, 0.1]])
Y = np.array([0, 1, 0])
COST = float(-np.log([0.7, 0.8, 0.9]).mean())
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, "zstd", asbytes=True))


def npy(array: Any, version: tuple[int, int] = (1, 0), **options: Any) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), version=version, **options)
    return file.getvalue()


def forged(header: str, data: bytes = bytes(48), version: int = 1) -> bytes:
    """An NPY file with a header of one's own."""
    text = header.encode()
    length = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + data


def described(descr: str = "'<f8'", shape: str = "(3, 2)", fortran: str = "False") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}}}\n"


def texts(*values: bytes) -> pa.Array:
    """Texts of these bytes, whatever they are."""
    ends = np.cumsum([0, *map(len, values)]).astype("<i4")
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(ends.tobytes()), pa.py_buffer(b"".join(values)))


def npz(compress: bool = False, **members: Any) -> bytes:
    file = io.BytesIO()
    (np.savez_compressed if compress else np.savez)(file, **members)
    return file.getvalue()


def zipped(*members: tuple[str, bytes]) -> bytes:
    """A zip archive of members that may have one name."""
    file = io.BytesIO()
    import warnings

    with zipfile.ZipFile(file, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data)
    return file.getvalue()


def lying(data: bytes, more: int) -> bytes:
    """The same archive, whose first member is said to have more bytes."""
    for magic, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(magic) + at
        size = int.from_bytes(data[place : place + 4], "little") + more
        data = data[:place] + size.to_bytes(4, "little") + data[place + 4 :]
    return data


def flipped(data: bytes, marker: bytes, bit: int = 0) -> bytes:
    """The same with one bit of the first byte of a marker changed."""
    at = data.index(marker)
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def tensors(header: str, data: bytes) -> bytes:
    return len(header.encode()).to_bytes(8, "little") + header.encode() + data


SAFE_Q = Q.tobytes() + Y.tobytes()


def safetensors(
    p: Sequence[int] = (0, 48), y: Sequence[int] = (48, 72), extra: str = "", data: bytes = SAFE_Q, dtype: str = "F64"
) -> bytes:
    header = (
        f'{{"p":{{"dtype":"{dtype}","shape":[3,2],"data_offsets":{list(p)}}},'
        f'"y":{{"dtype":"I64","shape":[3],"data_offsets":{list(y)}}}{extra}}}'
    )
    return tensors(header, data)


def table(**columns: Any) -> bytes:
    """A Parquet file with checksums."""
    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file, write_page_checksum=True, use_dictionary=False, compression="none")
    return file.getvalue()


def arrow(**columns: Any) -> bytes:
    file = io.BytesIO()
    feather.write_feather(pa.table(columns), file)
    return file.getvalue()


def stream(**columns: Any) -> bytes:
    """The bytes of an Arrow IPC stream, which is no file."""
    whole = pa.table(columns)
    file = io.BytesIO()
    with pa.ipc.new_stream(file, whole.schema) as writer:
        writer.write_table(whole)
    return file.getvalue()


def lines(*rows: Any) -> str:
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)


COLUMNS = {"a": [0.7, 0.2, 0.9], "b": [0.3, 0.8, 0.1], "y": ["a", "b", "a"]}
RECORDS = [dict(zip("ab", q, strict=True)) for q in Q.tolist()]
PAIRS = [
    [{"Name": name, "Score": score} for name, score in sorted(row.items(), key=lambda item: -item[1])]
    for row in RECORDS
]
"""As classifiers print them, the largest score first."""
ROWS = lines(*({"a": q[0], "b": q[1], "y": "ab"[y]} for q, y in zip(Q.tolist(), Y.tolist(), strict=True)))
