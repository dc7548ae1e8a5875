"""Values of a report by their dotted paths in JSON, which ``--get`` and ``report[...]`` take beside metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xentcli.errors import UsageError
from xentcli.records import fields_of

__all__ = ["values_along"]


def values_along(document: Any, path: Sequence[str]) -> Iterator[Any]:
    """Yield the value after each step of a path, up to one that is None; `document` is a record, or its JSON.

    Raises UsageError where the document has no such value.
    """
    value = document
    for index, step in enumerate(path):
        there = ".".join(path[: index + 1])
        if isinstance(value, list | tuple):
            if not step.isdecimal() or int(step) >= len(value):
                raise UsageError(f"there is no {there}: {'.'.join(path[:index])} has {len(value):,} items, from 0")
            value = value[int(step)]
        else:
            known = value if isinstance(value, Mapping) else _of_record(value)
            if step not in known:
                before = ".".join(path[:index]) or "it"
                raise UsageError(
                    f"this report has no {there}",
                    advice=f"{before} has {', '.join(known)}" if known else f"{before} is a single value",
                )
            value = known[step]
        yield value
        if value is None:
            return


def _of_record(record: Any) -> dict[str, Any]:
    """The fields of a record by their names in JSON; none of a plain value."""
    if not hasattr(type(record), "__record__"):
        return {}
    absent, other = getattr(type(record), "OMITTED", ()), getattr(type(record), "JSON_NAMES", {})
    return {other.get(name, name): value for name, value in fields_of(record).items() if name not in absent}
