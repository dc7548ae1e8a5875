"""Libraries that only some formats need, imported on use."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from xentcli.errors import FileError, UsageError

__all__ = ["check_room", "is_limited", "needed", "no_room"]

_LEAST_FREE = {"pyarrow": 256 << 20}
"""Bytes of address space that a library needs to load; with less it ends the process, or crashes."""


def is_limited() -> bool:
    """Whether the address space of this process has a limit (ulimit -v)."""
    if not sys.platform.startswith("linux"):
        return False
    import resource

    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


def check_room(size: int, what: str) -> None:
    """Check that a limit on the address space leaves `size` bytes, to do `what`.

    Raises FileError if it does not.
    """
    if not is_limited():
        return
    import mmap

    try:
        mmap.mmap(-1, size).close()
    except OSError:
        raise no_room(what) from None


def no_room(what: str) -> FileError:
    """Return the error of too little memory for something."""
    return FileError(f"there is not enough memory to {what}", advice="ulimit -v shows the limit, in KiB")


def needed(module: str, extra: str) -> Any:
    """Import a module of an extra.

    Raises UsageError if it is not installed or cannot be imported, with the command that installs it; FileError if a
    limit on the address space leaves no room for it.
    """
    name = module.partition(".")[0]
    if name in _LEAST_FREE and name not in sys.modules:
        check_room(_LEAST_FREE[name], f"load {name}")
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = error.name is not None and error.name.partition(".")[0] == name
        why = "is not installed" if missing else f"cannot be imported: {str(error).strip().partition(chr(10))[0]:.200}"
        raise UsageError(f"this needs {name}, which {why}", advice=f"pip install 'xentcli[{extra}]'") from None
