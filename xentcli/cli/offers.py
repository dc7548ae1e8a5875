"""What the shell offers for the values of arguments and options."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["files", "offered"]


def files(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[Any]:
    """Offer files."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def offered(name: str, metavar: str) -> Any:
    """Return what click calls for the values of an option: metrics or files; None for others."""
    if metavar.startswith("METRIC") or name in ("metrics", "get"):
        return _metrics
    return files if metavar.endswith("FILE") else None


def _metrics(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[Any]:
    """Offer metrics: METRIC=X up to the equals sign; of names with commas the last is completed."""
    from click.shell_completion import CompletionItem

    from xentcli.scoring.metrics import METRICS

    before, comma, last = incomplete.rpartition(",")
    after = "=" if isinstance(parameter, click.Option) and "=" in (parameter.metavar or "") else ""
    found = [(f"{before}{comma}{name}{after}", row.about) for name, row in METRICS.items() if name.startswith(last)]
    return [CompletionItem(name, help=about) for name, about in found]
