"""Values of a report by their dotted paths in JSON, which ``--get`` and ``report[...]`` take beside metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from xentcli.errors import UsageError
from xentcli.records import fields_of
from xentcli.scoring.metrics import find

__all__ = ["named", "values_along"]


def named(name: str) -> tuple[str, tuple[str, ...]]:
    """Return a metric and no path, or no metric and the path of a value in the JSON of a report.

    Raises UsageError for a name that is neither.

    >>> named("acc"), named("interval.low")
    (('accuracy', ()), ('', ('interval', 'low')))
    """
    path = tuple(name.split("."))
    if len(path) == 1:
        try:
            return find(name).name, ()
        except UsageError:
            if name not in _names(_schema(), _schema()):
                raise
    _check_path(path)
    return "", path


def values_along(document: Any, path: Sequence[str]) -> Iterator[Any]:
    """Yield the value after each step of a path, up to one that is None; `document` is a record, or its JSON.

    Raises UsageError where the document has no such value.
    """
    value = document
    for index, step in enumerate(path):
        there = ".".join(path[: index + 1])
        if isinstance(value, list | tuple):
            if int(step) >= len(value):
                raise UsageError(f"there is no {there}: {'.'.join(path[:index])} has {len(value):,} items, from 0")
            value = value[int(step)]
        else:
            known = value if isinstance(value, Mapping) else _of_record(value)
            if step not in known:
                raise UsageError(f"this report has no {there}")
            value = known[step]
        yield value
        if value is None:
            return


def _of_record(record: Any) -> dict[str, Any]:
    """The fields of a record by their names in JSON; none of a plain value."""
    if not hasattr(type(record), "__record__"):
        return {}
    fields = fields_of(record)
    other = getattr(type(record), "JSON_NAMES", {})
    return {other.get(name, name): value for name, value in fields.items()}


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    from xentcli.report import json_schema

    return json_schema.of("report")


def _check_path(path: tuple[str, ...]) -> None:
    """Refuse a path that no report has, with the names that there are."""
    schema = _schema()
    nodes, before = [schema], "the report"
    for step in path:
        objects = [node for node in nodes if node.get("type") == "object"]
        known = {name: one for node in objects for name, one in _names(node, schema).items()}
        free = [node["additionalProperties"] for node in objects if isinstance(node.get("additionalProperties"), dict)]
        items = [node["items"] for node in nodes if node.get("type") == "array"] if step.isdecimal() else []
        found = [*([known[step]] if step in known else []), *free, *items]
        if not found:
            names = ", ".join(known) if known else "a number, from 0" if any("items" in node for node in nodes) else ""
            raise UsageError(
                f"there is no {'.'.join(path)}: {before} has no {step}",
                advice=f"{before} has {names}" if names else f"{before} is a single value",
            )
        nodes, before = [one for node in found for one in _resolved(node, schema)], step


def _names(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The properties of the objects that a node of the schema may be."""
    return {name: one for found in _resolved(node, schema) for name, one in found.get("properties", {}).items()}


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the alternatives that a node of the schema allows."""
    if "$ref" in node:
        yield from _resolved(schema["$defs"][node["$ref"].rpartition("/")[2]], schema)
    elif "anyOf" in node:
        for one in node["anyOf"]:
            yield from _resolved(one, schema)
    else:
        yield node
