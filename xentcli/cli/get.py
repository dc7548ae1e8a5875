"""The figures that --get prints: metrics by name, and values of the report by their dotted paths in JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from xentcli.errors import NoVerdict
from xentcli.records import record
from xentcli.report.paths import named, values_along
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
            value = _at(document.to_dict(), self.path, report)
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
    return tuple(Asked(*named(name.strip())) for text in given for name in text.split(","))


def _at(document: Any, path: Sequence[str], report: Any) -> Any:
    """Return the value at a path of the JSON of the report."""
    value = document
    for index, value in enumerate(values_along(document, path), start=1):
        if value is None:
            raise _undefined(".".join(path[:index]), report)
    return value


def _undefined(name: str, report: Any) -> NoVerdict:
    return NoVerdict(f"{name} is undefined: {report.undefined.get(name, 'not for these data')}")
