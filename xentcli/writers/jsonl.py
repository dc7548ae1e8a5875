"""Results as JSON Lines: an object for each row of the tables that were asked for."""

from __future__ import annotations

import json

from xentcli.report.document import Document, plain
from xentcli.writers.safe import json_text

__all__ = ["render"]


def render(document: Document, width: int | None = None, color: bool = False) -> str:
    """Return the tables that were asked for, one after the other; infinities and NaN are strings."""
    rows = [plain(row) for table in document.asked_tables() for row in table.records()]
    return "".join(json_text(json.dumps(row, allow_nan=False)) + "\n" for row in rows)
