"""Results as JSON Lines: one object for each row of the table."""

from __future__ import annotations

import json
from typing import Any

from xentcli.report.documents import plain
from xentcli.writers.rows import table_rows
from xentcli.writers.safe import json_text

__all__ = ["render"]


def render(document: Any, width: int | None = None, color: bool = False) -> str:
    """Return a Report, CheckReport or Explanation as JSON Lines; infinities and NaN are strings."""
    return "".join(json_text(json.dumps(plain(dict(row)), allow_nan=False)) + "\n" for row in table_rows(document))
