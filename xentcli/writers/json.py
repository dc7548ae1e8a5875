"""Results as JSON: the names of the schema, full precision, ASCII only."""

from __future__ import annotations

import json
from typing import Any

from xentcli.writers.safe import json_text

__all__ = ["render"]


def render(document: Any, width: int | None = None, color: bool = False) -> str:
    """Return what to_dict() gives; ASCII, so that no text of a file reaches a terminal unescaped."""
    return json_text(json.dumps(document.to_dict(), indent=2, allow_nan=False, ensure_ascii=True)) + "\n"
