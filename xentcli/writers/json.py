"""Results as JSON: the names of the schema, full precision, ASCII only."""

from __future__ import annotations

import json
from typing import Any

from xentcli.report.document import Document
from xentcli.writers.safe import json_text

__all__ = ["render"]


_one_line = json.JSONEncoder(allow_nan=False).encode


def render(document: Document, width: int | None = None, color: bool = False) -> str:
    """Return what to_dict() gives; ASCII, so that no text of a file reaches a terminal unescaped.

    Each group and each row has a line of its own.
    """
    lines = [f"  {_one_line(name)}: {_indented(value)}" for name, value in document.to_dict().items()]
    return json_text("{\n" + ",\n".join(lines) + "\n}\n")


def _indented(value: Any) -> str:
    """A value on several lines, indented but for the first."""
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return "[\n    " + ",\n    ".join(map(_one_line, value)) + "\n  ]"
    # JSON strings contain no line ends.
    return json.dumps(value, indent=2, allow_nan=False).replace("\n", "\n  ")
