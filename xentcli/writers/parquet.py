"""Results as Parquet: the same table as CSV, for a file."""

from __future__ import annotations

import io

from xentcli.extras import needed
from xentcli.report.document import Document
from xentcli.writers.safe import encodable

__all__ = ["render"]


def render(document: Document, width: int | None = None, color: bool = False) -> bytes:
    """Return the table that was asked for as the bytes of a Parquet file.

    Raises UsageError without the extra ``arrow``.
    """
    arrow, parquet = needed("pyarrow", "arrow"), needed("pyarrow.parquet", "arrow")
    table = document.asked_tables()[0]
    columns = zip(table.columns, zip(*table.rows, strict=True), strict=True)
    written = arrow.table({encodable(name): [encodable(value) for value in values] for name, values in columns})
    buffer = io.BytesIO()
    parquet.write_table(written, buffer)
    return buffer.getvalue()
