"""Results as JSON: the names of the schema, full precision, ASCII only."""

from __future__ import annotations

import json
from typing import Any

from xentcli.writers.safe import json_text

__all__ = ["render"]


_on_a_line = json.JSONEncoder(allow_nan=False).encode


def render(document: Any, width: int | None = None, color: bool = False) -> str:
    """Return what to_dict() gives; ASCII, so that no text of a file reaches a terminal unescaped.

    What there may be many of, a group or a row, has a line of its own.
    """
    lines = [f"  {_on_a_line(name)}: {_spread(value)}" for name, value in document.to_dict().items()]
    return json_text("{\n" + ",\n".join(lines) + "\n}\n")


def _spread(value: Any) -> str:
    """A value on several lines, the further ones indented."""
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return "[\n    " + ",\n    ".join(map(_on_a_line, value)) + "\n  ]"
    # Strings have no line ends of their own in JSON.
    return json.dumps(value, indent=2, allow_nan=False).replace("\n", "\n  ")
