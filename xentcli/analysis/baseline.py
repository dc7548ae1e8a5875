"""Read and write baseline files: the report of a run, the figures of its rows, and hashes of its ids and labels."""

from __future__ import annotations

import datetime
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from xentcli.analysis.model_rows import LABEL, LOSS, WEIGHT, ModelRows, Runs
from xentcli.analysis.row_store import blocks
from xentcli.arrays import Array, Floats, Words, npy_header
from xentcli.atomic import replacing
from xentcli.columns.hashing import TextHash
from xentcli.errors import DataError, FileError, Place
from xentcli.readers.stream import copied_here, open_file
from xentcli.records import record
from xentcli.urls import is_url

__all__ = ["HASH", "REMAKE", "Stored", "commit_of", "hash_of_rows", "is_stored", "read", "write"]

HASH = TextHash.of_key(b"baseline")
"""Keyed the same in every process, so that ids are found again."""
REMAKE = "for a new one leave --baseline and --max-regression out: --write-baseline FILE"
ABOUT = "about.npy"
VERSION = 1
_MOST_ABOUT = 1 << 28
_FIXED = (1980, 1, 1, 0, 0, 0)
_MIX = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53))


@record(frozen=True, eq=False)
class Stored:
    """The contents of a baseline file.

    Attributes
    ----------
    report
        The report of the run as JSON values.
    columns
        f8[n] by metric; "loss" in nats, and "weight" unless all are 1.
    ids
        The hashes of the ids (u8[n] each); None if rows are matched by position.
    rows_hash
        A hash of (id or number, label) of all rows, independent of their order.
    """

    path: str
    report: Mapping[str, Any]
    date: str | None
    commit: str | None
    columns: Mapping[str, Floats]
    ids: tuple[Words, Words] | None
    rows_hash: str


def write(path: str, runs: Runs, model: ModelRows) -> None:
    """Write the rows and the report of a run atomically.

    Raises FileError if the file cannot be written.
    """
    about = {
        "baseline_version": VERSION,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": commit_of(Path.cwd()),
        "rows_hash": hash_of_rows(runs, model),
        "report": model.scores.to_dict(),
    }
    with replacing(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, column in _columns(runs, model):
            _write_array(archive, name, column)
        if runs.ids is not None:
            _write_array(archive, "id", np.stack(runs.ids.by_row(), axis=1))
        text = np.frombuffer(json.dumps(about, allow_nan=False).encode(), np.uint8)
        _write_array(archive, ABOUT.removesuffix(".npy"), text)


def _columns(runs: Runs, model: ModelRows) -> Iterator[tuple[str, Floats]]:
    rows = model.rows
    yield "loss", rows[:, LOSS]
    for place, name in enumerate(runs.metrics, 2):
        if model.scores.value(name) is not None:
            yield name, rows[:, place]
    if any((rows[part, WEIGHT] != 1).any() for part in blocks(len(rows))):
        yield "weight", rows[:, WEIGHT]


def _write_array(archive: zipfile.ZipFile, name: str, array: Array) -> None:
    stored = array.dtype.newbyteorder("<")
    with archive.open(zipfile.ZipInfo(f"{name}.npy", _FIXED), "w", force_zip64=True) as member:
        member.write(npy_header(stored.str, array.shape))
        for part in blocks(len(array)):
            member.write(np.ascontiguousarray(array[part], dtype=stored).tobytes())


def hash_of_rows(runs: Runs, model: ModelRows) -> str:
    """Return a hash of (id or row number, label) of all rows, independent of their order.

    The hash of each row is mixed (the finaliser of MurmurHash3) and all are added modulo 2**64, twice.
    """
    names = [*map(str, runs.labels.names), ""]
    labels = [_mixed(half) for half in HASH.of(names)]
    ids = None if runs.ids is None else runs.ids.by_row()
    sums = [0, 0]
    for part in blocks(len(model.rows)):
        numbers = model.rows[part, LABEL].astype(np.int64)
        for half in (0, 1):
            own = np.arange(part.start, part.stop, dtype=np.uint64) if ids is None else ids[half][part]
            mixed = _mixed(_mixed(own + np.uint64(half)) + labels[half][numbers])
            sums[half] += int(np.add.reduce(mixed >> np.uint64(32))) << 32
            sums[half] += int(np.add.reduce(mixed & np.uint64(0xFFFFFFFF)))
    return "".join(f"{total % (1 << 64):016x}" for total in sums)


def _mixed(words: Words) -> Words:
    for factor in _MIX:
        words = (words ^ (words >> np.uint64(33))) * factor
    return words ^ (words >> np.uint64(33))


def is_stored(path: str) -> bool:
    """Whether a file was written by `write`."""
    try:
        with open_file(path) as file, zipfile.ZipFile(file) as archive:
            return ABOUT in archive.namelist()
    except (OSError, FileError, zipfile.BadZipFile):
        return False


def read(path: str) -> Stored:
    """Read a baseline; columns are memory-mapped, and a file at a URL is copied first.

    Raises DataError for a file that was changed, or of a later version; FileError if it cannot be read.
    """
    try:
        here = copied_here(path) if is_url(path) else path
        with zipfile.ZipFile(here) as archive, open(here, "rb") as file:
            return _read(path, archive, file)
    except OSError as error:
        raise FileError(f"cannot be read: {error.strerror or error}", place=Place(path)) from None
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, NotImplementedError, EOFError) as error:
        raise DataError(f"not a baseline, or damaged: {error}", place=Place(path), advice=REMAKE) from None


def _read(path: str, archive: zipfile.ZipFile, file: IO[bytes]) -> Stored:
    if archive.getinfo(ABOUT).file_size > _MOST_ABOUT:
        raise FileError(f"{ABOUT} has more than {_MOST_ABOUT:,} bytes", place=Place(path))
    if (damaged := archive.testzip()) is not None:
        raise ValueError(f"{damaged} is not what was written")
    about = json.loads(archive.read(ABOUT)[len(npy_header("|u1", (0,))) :])
    if about["baseline_version"] != VERSION:
        raise DataError(f"a baseline of version {about['baseline_version']}; {VERSION} is read", place=Place(path))
    arrays: dict[str, Any] = {
        info.filename.removesuffix(".npy"): _mapped(info, file) for info in archive.infolist() if info.filename != ABOUT
    }
    ids = arrays.pop("id", None)
    lengths = {len(column) for column in (*arrays.values(), *([] if ids is None else [ids]))}
    if len(lengths) != 1 or "loss" not in arrays:
        raise ValueError("its columns have different lengths")
    pair = None if ids is None else (ids[:, 0], ids[:, 1])
    return Stored(path, about["report"], about["date"], about["commit"], arrays, pair, about["rows_hash"])


def _mapped(info: zipfile.ZipInfo, file: IO[bytes]) -> Array:
    """Memory-map an uncompressed member, as `write` writes them."""
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{info.filename} is compressed")
    file.seek(info.header_offset + 26)
    sizes = file.read(4)
    file.seek(info.header_offset + 30 + sum(int.from_bytes(sizes[at : at + 2], "little") for at in (0, 2)))
    kind, width = ("<u8", 2) if info.filename == "id.npy" else ("<f8", 1)
    length = len(npy_header(kind, (0,)))
    rows = max(info.file_size - length, 0) // (8 * width)
    shape = (rows, 2) if width == 2 else (rows,)
    if info.file_size != length + 8 * rows * width or file.read(length) != npy_header(kind, shape):
        raise ValueError(f"{info.filename} is another array")
    return np.memmap(file.name, np.dtype(kind), "r", file.tell(), shape) if rows else np.zeros(shape, kind)


def commit_of(folder: Path) -> str | None:
    """Return the checked-out commit of the repository around a folder, read from .git; None outside a repository."""
    for parent in (folder, *folder.parents):
        try:
            place = parent / ".git"
            if place.is_file():
                place = parent / place.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
            if (place / "HEAD").is_file():
                return _resolved(place, (place / "HEAD").read_text(encoding="utf-8").strip())
        except (OSError, UnicodeDecodeError):
            return None
    return None


def _resolved(place: Path, head: str) -> str | None:
    """The commit that HEAD names, directly or through a branch."""
    if not head.startswith("ref:"):
        return head or None
    name = head.removeprefix("ref:").strip()
    shared = place
    if (place / "commondir").is_file():
        shared = place / (place / "commondir").read_text(encoding="utf-8").strip()
    for folder in (place, shared):
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8").strip() or None
    packed = shared / "packed-refs"
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
    return next((line.split()[0] for line in lines if line.split()[1:] == [name]), None)
