"""Read and write state files: JSON text with exact numbers, a format version, and a digest of the contents."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from xentcli.analysis.identities import digest_of
from xentcli.errors import DataError, FileError, Place, XentError, shown
from xentcli.readers.limits import DEFAULT, DOCUMENT
from xentcli.readers.stream import ByteStream, open_bytes
from xentcli.version import __version__

__all__ = ["VERSION", "read", "write"]

T = TypeVar("T")
VERSION = 2
_AGAIN = "run it again with --state FILE"


def write(path: str, body: Mapping[str, Any]) -> None:
    """Write JSON values atomically; compressed if the name ends with .gz.

    Raises FileError if the file cannot be written, or the state is too large to be read.
    """
    from xentcli.atomic import write_bytes

    about = {"xent_state": VERSION, "xent_version": __version__, "sha256": digest_of(body)}
    text = json.dumps({**about, "state": body}, allow_nan=False, separators=(",", ":")).encode()
    _check_size(len(text), path)
    write_bytes(path, gzip.compress(text, 6, mtime=0) if path.endswith(".gz") else text + b"\n")


def read(path: str, made: Callable[[str, Any], T]) -> T:
    """Read a state file (``-`` is standard input), and return made(path, values).

    Raises DataError if the file is not a state, was modified after writing, or has another version; FileError if it
    cannot be read.
    """
    stream = open_bytes(path)
    path, text = stream.name, _text(stream)
    try:
        whole = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise _no_state(path, text, str(error)) from None
    if not isinstance(whole, dict) or "xent_state" not in whole:
        raise _no_state(path, text, "it has no member xent_state")
    if whole["xent_state"] != VERSION or type(whole["xent_state"]) is not int:
        version = shown(whole["xent_state"])
        raise DataError(
            f"a state of version {version}, written by xent {shown(whole.get('xent_version'))}; {VERSION} is read",
            place=Place(path),
            advice=f"run xent {__version__} again with --state",
        )
    try:
        body = whole["state"]
        if digest_of(body) != whole["sha256"]:
            raise ValueError("it was changed after it was written")
        return made(path, body)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError, XentError) as error:
        if isinstance(error, FileError):
            raise
        what = error.headline if isinstance(error, XentError) else f"{type(error).__name__}: {error}"
        raise DataError(f"a state that is damaged: {what:.200}", place=Place(path), advice=_AGAIN) from None


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _no_state(path: str, text: bytes | bytearray, why: str) -> DataError:
    cut = text.lstrip().startswith(b'{"xent_state"')
    what = "a state that is cut off or damaged" if cut else "not a state, which --state FILE writes"
    why = why if text.strip() else "it is empty"
    return DataError(f"{what}: {why:.200}", place=Place(path), advice=_AGAIN if cut else "xent score ... --state FILE")


def _text(stream: ByteStream) -> bytearray:
    """The bytes of a state, decompressed if necessary, up to the size limit of a JSON document."""
    text = bytearray()
    for chunk in stream.chunks(1 << 20):
        text += chunk
        _check_size(len(text), stream.name)
    return text


def _check_size(size: int, path: str) -> None:
    most = DEFAULT.batch // DOCUMENT
    if size > most:
        raise FileError(
            f"a state of more than {most:,} bytes, which would be held in memory with {DOCUMENT} times as many",
            place=Place(path),
            advice="a state has about 3 kB, and 100 bytes for each group: fewer groups of --by and --cluster",
        )
