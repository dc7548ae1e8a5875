"""Results as plain values, and the JSON Schema of them."""

from __future__ import annotations

from typing import Any

__all__ = ["schema"]


def schema() -> dict[str, Any]:
    """Return the JSON Schema of Report.to_dict(), version SCHEMA_VERSION."""
    import json
    from importlib import resources

    text = resources.files("xentcli.report").joinpath("schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
