"""Libraries that only some formats need, imported on use."""

from __future__ import annotations

import importlib
from typing import Any

from xentcli.errors import UsageError

__all__ = ["needed"]


def needed(module: str, extra: str) -> Any:
    """Import a module of an extra.

    Raises
    ------
    UsageError
        Where it is not installed, with the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise UsageError(
            f"this needs {module.partition('.')[0]}, which is not installed", advice=f"pip install 'xentcli[{extra}]'"
        ) from None
