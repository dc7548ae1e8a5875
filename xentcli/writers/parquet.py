"""Results as Parquet: the same table as CSV, for a file."""

from __future__ import annotations

import io
from typing import Any

from xentcli.extras import needed
from xentcli.writers.rows import table_rows
from xentcli.writers.safe import encodable

__all__ = ["render"]


def render(document: Any, width: int | None = None, color: bool = False) -> bytes:
    """Return a Report, CheckReport or Explanation as the bytes of a Parquet file.

    Raises
    ------
    UsageError
        Without the extra ``arrow``.
    """
    arrow, parquet = needed("pyarrow", "arrow"), needed("pyarrow.parquet", "arrow")
    rows = table_rows(document)
    table = arrow.table({encodable(name): [encodable(row[name]) for row in rows] for name in rows[0]})
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    return buffer.getvalue()
