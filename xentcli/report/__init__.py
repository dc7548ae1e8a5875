"""Results as plain values, one module per document, and the JSON Schema of them."""

from __future__ import annotations

from typing import Any

__all__ = ["schema"]


def schema(document: str = "report") -> dict[str, Any]:
    """Return the JSON Schema of what ``to_dict`` of a document returns.

    Parameters
    ----------
    document
        "report", with the verdict of a check too; "checks", "explanation", "causes", "comparison" or "calibration".

    Raises
    ------
    UsageError
        For another name.

    >>> schema()["properties"]["perplexity"]["description"]
    'exp(cost in nats)'
    """
    from xentcli.report.json_schema import of

    return of(document)
