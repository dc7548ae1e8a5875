"""Any bytes are a table or refused: a coverage-guided fuzzer over every reader that is our own.

    python -m tests.fuzz.readers -max_total_time=3600        an hour, in a clone with '.[test]' installed

The first byte of an input chooses the format. What is read must be the same by the careful
and the fast reader of text, in small and in large parts, and what NumPy reads of an array;
all else must be one of our own errors. A crash is written to the current folder, and given
as an argument it is run again.
"""

from __future__ import annotations

import atexit
import importlib
import io
import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

FORMATS = ("csv", "npy", "jsonl", "vw", "npz", "safetensors", "txt", "json")
KNOWN = 600
"""Seeds larger than that teach little."""


def numbers_of(path: str, format: str, block_bytes: int) -> bytes | None:
    """All numbers of a file as bytes, None where it is refused; txt is text with blanks between its fields."""
    from xentcli.errors import XentError
    from xentcli.readers import open_source
    from xentcli.readers.source import Pick

    try:
        blanks = {"format": "csv", "delimiter": " "} if format == "txt" else {"format": format}
        source = open_source(path, name=path, **blanks)  # type: ignore[arg-type]
        if not source.width:
            # A file of blank lines: whoever scores it says that it is empty.
            return None
        pick = {"preds": Pick(tuple(range(source.width)), "numbers")}
        blocks = [rows.values["preds"] for part in source.parts(block_bytes) for rows in part.pieces(pick)]
    except XentError:
        return None
    return b"".join(np.ascontiguousarray(block, dtype=np.float64).tobytes() for block in blocks)


def check(data: bytes, folder: Path) -> None:
    """Read a file of these bytes in every way, and compare."""
    from xentcli.readers.text import csv

    format = FORMATS[data[0] % len(FORMATS)] if data else "csv"
    path = folder / f"f.{format}"
    path.write_bytes(data[1:])
    csv.LEAST_FAST = 1 << 60
    found = {"whole": numbers_of(str(path), format, 1 << 20), "small": numbers_of(str(path), format, 16)}
    csv.LEAST_FAST = 1
    if format in ("csv", "txt"):
        found["fast"] = numbers_of(str(path), format, 1 << 20)
    if format == "npy" and found["whole"] is not None:
        array = np.load(io.BytesIO(data[1:]), allow_pickle=False)
        found["NumPy"] = array.astype(np.float64).tobytes()
    # NaN is NaN, whatever its bits.
    same = {name: None if raw is None else np.frombuffer(raw).tolist() for name, raw in found.items()}
    assert len({repr(values) for values in same.values()}) == 1, same


def seeds(folder: Path) -> None:
    """Begin with the files of the table of inputs."""
    from tests.inputs.table import ROWS

    for number, row in enumerate(ROWS):
        for name, content in row.files.items():
            data = content() if callable(content) else content
            raw = data.encode() if isinstance(data, str) else data
            place = next((i for i, format in enumerate(FORMATS) if name.endswith(format)), 0)
            place = FORMATS.index("vw") if row.what.startswith("tokens") else place
            if len(raw) <= KNOWN:
                (folder / f"{number}-{name.strip('/').replace('/', '_')}").write_bytes(bytes([place]) + raw)


def main() -> None:
    """Fuzz with the arguments of libFuzzer."""
    import atheris

    with atheris.instrument_imports(include=["xentcli"]):
        for name in (
            "archive",
            "npy",
            "text.csv",
            "text.decimals",
            "text.fields",
            "text.jsonl",
            "text.opening",
            "text.tokens",
            "text.documents",
        ):
            importlib.import_module(f"xentcli.readers.{name}")
    place = Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    corpus = place / "corpus"
    corpus.mkdir()
    seeds(corpus)
    np.seterr(all="ignore")
    given = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    # Instrumented, the decompressors give their memory back late.
    arguments = [sys.argv[0], "-rss_limit_mb=6000", *sys.argv[1:], *([] if given else [str(corpus)])]
    atheris.Setup(arguments, lambda data: check(data, place))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
