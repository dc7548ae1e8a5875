"""Results as JSON Lines: an object for each row of the table."""

from __future__ import annotations

import json

from xentcli.report.document import Document, plain
from xentcli.writers.safe import json_text

__all__ = ["render"]


def render(document: Document, width: int | None = None, color: bool = False) -> str:
    """Return the first table of a document as JSON Lines; infinities and NaN are strings."""
    rows = map(plain, document.tables()[0].records())
    return "".join(json_text(json.dumps(row, allow_nan=False)) + "\n" for row in rows)
