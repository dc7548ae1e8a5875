"""READERS: one row per input format. A new format is a file here, and a row."""

from __future__ import annotations

import importlib
import os
import re
import shlex
from typing import TYPE_CHECKING, Any

from xentcli.errors import DataError, FileError, Place, UsageError, shown
from xentcli.readers.exports import check_no_export
from xentcli.readers.limits import DEFAULT, Limits
from xentcli.records import record
from xentcli.urls import bare, hidden, is_url, is_web

if TYPE_CHECKING:
    from xentcli.readers.source import Source

__all__ = [
    "READERS",
    "Reader",
    "check_format",
    "exists",
    "file_and_part",
    "file_id",
    "open_small",
    "open_source",
    "same_file",
]


@record(frozen=True)
class Reader:
    """One input format.

    Attributes
    ----------
    about
        One line for help texts.
    opener
        ``module:function`` that opens a ByteStream as a Source.
    magic
        A regular expression for the first bytes of such files; empty if the format has no magic number.
    extensions
        File name extensions, without those of compression.
    delimited, typed, parted, members
        Whether it accepts --delimiter and --decimal; --dtype; FILE#PART; and has members that are named like columns.
    """

    about: str
    opener: str
    magic: bytes = b""
    extensions: tuple[str, ...] = ()
    delimited: bool = False
    typed: bool = False
    parted: bool = False
    members: bool = False


def _office(about: str, opener: str, magic: bytes, *extensions: str) -> Reader:
    return Reader(about, f"xentcli.readers.office:{opener}", magic, extensions, delimited=True, parted=True)


READERS = {
    "npy": Reader("a NumPy array", "xentcli.readers.npy:open_npy", b"\x93NUMPY", (".npy",), typed=True),
    "excel": _office(
        "a sheet of an Excel workbook",
        "open_excel",
        rb"PK\x03\x04.{26}(?:\[Content_Types\]|_rels/|docProps/|customXml/|xl/)",
        ".xlsx",
        ".xlsm",
    ),
    "npz": Reader(
        "an archive of NumPy arrays", "xentcli.readers.archive:open_npz", b"PK\x03\x04", (".npz",), members=True
    ),
    "safetensors": Reader(
        "tensors, bfloat16 among them", "xentcli.readers.archive:open_safetensors", b"", (".safetensors",), members=True
    ),
    "parquet": Reader("Apache Parquet", "xentcli.readers.parquet:open_parquet", b"PAR1", (".parquet", ".pq")),
    "arrow": Reader(
        "Arrow IPC or Feather", "xentcli.readers.arrow:open_feather", b"ARROW1", (".arrow", ".feather", ".ipc")
    ),
    "stata": _office("Stata", "open_stata", rb"<stata_dta>|[\x69-\x73][\x01\x02]\x01", ".dta"),
    "spss": _office("SPSS", "open_spss", rb"\$FL[23]@\(#\)", ".sav", ".zsav"),
    "sas": _office(
        "SAS, or SAS transport (version 5 does not count its rows: a cut may not show)",
        "open_sas",
        rb"\0{12}\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92\x08|HEADER RECORD\*{7}LIB",
        ".sas7bdat",
        ".xpt",
    ),
    "fasttext": Reader("labels and probabilities of fastText", "xentcli.readers.text.tokens:open_fasttext"),
    "vw": Reader("class:probability tokens of Vowpal Wabbit", "xentcli.readers.text.tokens:open_vw"),
    "jsonl": Reader("JSON Lines", "xentcli.readers.text.documents:open_jsonl", b"", (".jsonl", ".ndjson")),
    "json": Reader("JSON: an array, or a table", "xentcli.readers.text.documents:open_json", b"", (".json",)),
    "csv": Reader(
        "text with commas, tabs, semicolons, bars or blanks",
        "xentcli.readers.text.csv:open_csv",
        b"",
        (".csv", ".tsv", ".tab", ".txt"),
        True,
    ),
}

_PICKLE = (
    "a pickle: it could run code",
    "if you trust it: numpy.save('p.npy', numpy.asarray(pickle.load(open({path!r}, 'rb'))))",
)
_FOREIGN = {
    b"\x89HDF": ("HDF5", "pandas.read_hdf({path!r}).to_csv('p.csv', index=False)"),
    b"\xd0\xcf\x11\xe0": (
        "an old Excel workbook, or one with a password",
        "pandas.read_excel({path!r}).to_csv('p.csv', index=False)",
    ),
    b"\x80\x02": _PICKLE,
    b"\x80\x03": _PICKLE,
    b"\x80\x04": _PICKLE,
    b"\x80\x05": _PICKLE,
}


def open_source(
    data: Any,
    *,
    name: str,
    format: str | None = None,
    delimiter: str | None = None,
    decimal: str = ".",
    decimal_named: bool = True,
    quotes: bool = True,
    dtype: str | None = None,
    limits: Limits = DEFAULT,
    hashed: bool = False,
) -> Source:
    """Open a path, a folder or glob of files, `-`, or an array or data frame (`name` in messages).

    The format is `format` if given, else it is recognised by the first bytes, the extension, or the
    content, in this order. Without `decimal_named` a decimal comma is meant for several files, one of
    which may use commas as delimiter. Without `quotes` a quote in text is an ordinary character. With
    `hashed` a stream is hashed by SHA-256 while it is read.

    Raises FileError if a file cannot be read, or exceeds a limit; DataError if it is of no format that is read;
    UsageError if `format` names none.
    """
    if not isinstance(data, str | os.PathLike):
        from xentcli.readers.objects import open_memory

        return open_memory(data, name)
    path, part = file_and_part(hidden(os.fspath(data)))
    text = {"delimiter": delimiter, "decimal": decimal, "decimal_named": decimal_named, "quotes": quotes}
    if path != "-" and not os.path.isfile(path):
        from xentcli.readers.shards import files_of, open_shards

        files = files_of(path)
        if files is not None:
            return open_shards(path, files, lambda file: _open_file(file, format, text, dtype, limits))
    return _open_file(path, format, text, dtype, limits, hashed, part)


def file_and_part(path: str) -> tuple[str, str | None]:
    """Split FILE#PART, if FILE exists and no file has the full name.

    >>> file_and_part(__file__ + "#sheet") == (__file__, "sheet"), file_and_part("no/such/file#1")
    (True, ('no/such/file#1', None))
    """
    file, _, part = path.rpartition("#")
    if not file or os.path.exists(path):
        return path, None
    if is_url(path):
        # In the URL of a web page, # begins the fragment.
        return (file, part) if is_web(path) or (exists(file) and not exists(path)) else (path, None)
    return (file, part) if os.path.isfile(file) else (path, None)


def exists(path: str) -> bool:
    """Whether there is a file or folder, or an object at a URL."""
    if is_url(path):
        from xentcli.readers.remote import exists

        return exists(path)
    return os.path.exists(path)


def open_small(path: str, *, format: str | None = None, quotes: bool = True, limits: Limits = DEFAULT) -> Source:
    """Open a small file that is held in memory, such as class names; at most as large as a row of text may be.

    Raises FileError if it cannot be read, or exceeds a limit; DataError if it is of no format that is read.
    """
    source = _open_file(path, format, {"quotes": quotes}, None, limits)
    stream = getattr(source, "stream", None)
    while stream is not None and len(stream.head) <= limits.row:
        if not stream.look_further(limits.row + 1):
            return source
    message = f"more than {limits.row:,} bytes, the limit for a file that is read whole"
    raise FileError(message, place=Place(path), advice="--max-field N allows 2 N bytes")


def _open_file(
    path: str,
    format: str | None,
    text: dict[str, Any],
    dtype: str | None,
    limits: Limits,
    hashed: bool = False,
    part: str | None = None,
) -> Source:
    from xentcli.readers.stream import open_bytes

    stream = open_bytes(path, limits, hashed=hashed)
    reader = READERS[_format(stream.name, stream.head, format)]
    module, function = reader.opener.split(":")
    opener = getattr(importlib.import_module(module), function)
    options: dict[str, Any] = {}
    if reader.delimited:
        options |= text
    if reader.parted:
        options["part"] = part
    elif part is not None:
        what = f"no file is called {shown(f'{path}#{part}')}, and a file has no parts"
        member = shlex.quote(part)
        advice = f"--preds {member} or --label {member} chooses a member of {shown(path)}" if reader.members else ""
        raise DataError(what, place=Place(path), advice=advice)
    if reader.typed:
        options["dtype"] = dtype
    elif dtype is not None:
        raise DataError(f"--dtype {dtype} is about NPY files", place=Place(path))
    source: Source = opener(stream, **options)
    limits.check_columns(source.width, Place(source.path))
    return source


def same_file(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Return whether two paths (also FILE#PART, or ``-`` for standard input) are the same existing file.

    >>> same_file(__file__, "-"), same_file("/", "/../")
    (False, True)
    """
    found = file_id(one)
    return found is not None and found == file_id(other)


def file_id(path: str | os.PathLike[str]) -> tuple[int | str, int] | None:
    """Return (device, inode) of a path, FILE#PART or ``-``; None if it does not exist.

    >>> file_id("no/such/file")
    """
    if isinstance(path, str) and is_url(path):
        return hidden(path), 0
    try:
        found = os.fstat(0) if path == "-" else os.stat(file_and_part(os.fspath(path))[0])
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def check_format(name: str | None) -> None:
    """Raise UsageError for an unknown input format."""
    if name is not None and name not in READERS:
        raise UsageError(f"--input-format has no {shown(name)}", advice=f"formats: {', '.join(READERS)}")


def _format(path: str, head: bytes, wanted: str | None) -> str:
    if wanted is not None:
        check_format(wanted)
        return wanted
    for name, reader in READERS.items():
        if reader.magic and re.match(reader.magic, head, re.DOTALL):
            return name
    for magic, (what, advice) in _FOREIGN.items():
        if head.startswith(magic):
            raise DataError(f"{what}, and is not read", place=Place(path), advice=advice.format(path=path))
    check_no_export(path, head)
    start = head[:200].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        html = f"pandas.read_html({path!r})[0].to_csv('p.csv', index=False), if it has a table"
        saved = html if _uncompressed(path).endswith((".xls", ".xlsx")) else "was it saved from a login page?"
        folder = f"a folder of a web server ends with a slash: {path}/" if is_url(path) and "?" not in path else ""
        raise DataError("an HTML page, not a table", place=Place(path), advice=(saved, folder) if folder else saved)
    for name, reader in READERS.items():
        if reader.extensions and _uncompressed(path).endswith(reader.extensions):
            found = _of_content(head) if reader.delimited and not reader.parted else None
            if found == "json" and not _uncompressed(path).endswith(".txt"):
                advice = "--input-format predictions=json, or labels=json, reads it"
                raise DataError(f"JSON in a file called {os.path.splitext(path)[1]}", place=Place(path), advice=advice)
            # A .txt file may hold any text format.
            return found if found and _uncompressed(path).endswith(".txt") else name
    return _of_content(head) or "csv"


def _of_content(head: bytes) -> str | None:
    """Return the text format recognised from the first bytes, or None."""
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        from xentcli.readers.text.documents import looks_like_json

        if looks_like_json(head):
            return "json"
    line = head.split(b"\n", 1)[0]
    if b"__label__" in line and re.fullmatch(rb"(\s*__label__\S+\s+[0-9][-+.0-9eE]*)+\s*", line):
        return "fasttext"
    return "vw" if _looks_like_vw(head) else None


def _looks_like_vw(head: bytes) -> bool:
    """Whether the first line consists of two or more class:probability tokens, and perhaps a tag."""
    line = head.split(b"\n", 1)[0].decode(errors="replace")
    return ":" in line and re.fullmatch(_OF_VW, line) is not None


_OF_VW = r"\s*[^\s:,;]+:[-+.0-9eE]+(\s+[^\s:,;]+:[-+.0-9eE]+)+(\s+[^\s:]+)?\s*"


def _uncompressed(path: str) -> str:
    """Return a path without a compression extension, and without the query of a URL."""
    path = bare(path)
    stem, ending = os.path.splitext(path)
    return stem if ending.lower() in (".gz", ".bz2", ".xz", ".zst") else path
