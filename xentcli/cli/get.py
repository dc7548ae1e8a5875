"""The figures that --get prints: metrics by name, and values of the report by their dotted paths in JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from xentcli.errors import NoVerdict, UsageError
from xentcli.records import record
from xentcli.report.document import check_asked, values_along
from xentcli.scoring.metrics import find
from xentcli.writers.safe import json_text, terminal

__all__ = ["Asked", "asked"]


@record(frozen=True)
class Asked:
    """A figure of --get: a metric, or the path of a value in the JSON of the report."""

    metric: str = ""
    path: tuple[str, ...] = ()

    def of(self, document: Any, format: str) -> str:
        """Return the figure in full precision; as a JSON value if the format is "json".

        Raises NoVerdict if it is undefined.
        """
        report = getattr(document, "report", document)
        if self.path:
            import json

            known = document.to_dict()
            check_asked(self.path[0], known.get(self.path[0]), command=True)
            value = _at(known, self.path, report)
            plain = format != "json" and isinstance(value, str)
            return terminal(value) if plain else json_text(json.dumps(value, allow_nan=False))
        value = report.value(self.metric)
        if value is None:
            raise _undefined(self.metric, report)
        return f'"{value}"' if format == "json" and not math.isfinite(value) else repr(value)


def asked(given: Sequence[str]) -> tuple[Asked, ...]:
    """Return the figures of some --get options, each of one name or several joined by commas.

    Raises UsageError for a name that is neither a metric nor in the JSON of the report.

    >>> asked(["accuracy,interval.low"])
    (Asked(metric='accuracy', path=()), Asked(metric='', path=('interval', 'low')))
    """
    return tuple(_one(name.strip()) for text in given for name in text.split(","))


def _one(name: str) -> Asked:
    path = tuple(name.split("."))
    if len(path) == 1:
        try:
            return Asked(find(name).name)
        except UsageError:
            if name not in _names(_schema(), _schema()):
                raise
    _check_path(path)
    return Asked(path=path)


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
                f"--get {'.'.join(path)}: {before} has no {step}",
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


def _at(document: Any, path: Sequence[str], report: Any) -> Any:
    """Return the value at a path of the JSON of the report."""
    value = document
    for index, value in enumerate(values_along(document, path), start=1):
        if value is None:
            raise _undefined(".".join(path[:index]), report)
    return value


def _undefined(name: str, report: Any) -> NoVerdict:
    return NoVerdict(f"{name} is undefined: {report.undefined.get(name, 'not for these data')}")
