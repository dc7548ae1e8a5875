"""What all documents have in common: plain values with the names that JSON has, and tables of them.

A document knows no screen and no file, and holds all that a writer needs, so that a writer
computes nothing. The JSON Schema is made from the annotations and docstrings of these classes:
``Keywords`` are further keywords of the schema, and the text of a field below
``Attributes`` is its description.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar

from xentcli.records import Keywords, fields_of, record

__all__ = [
    "SCHEMA_VERSION",
    "UNITS",
    "Count",
    "Document",
    "Examples",
    "Finite",
    "InputFile",
    "Number",
    "Position",
    "Setting",
    "Table",
    "Version",
    "plain",
]

SCHEMA_VERSION = 1
UNITS = {"e": "nats", "2": "bits", "10": "bans"}

Number = float
"""A number that may be infinite or NaN: one of the strings "inf", "-inf" and "nan" in JSON."""
Finite = Annotated[float, Keywords(type="number")]
Count = Annotated[int, Keywords(minimum=0)]
Position = Annotated[int, Keywords(minimum=1)]
Version = Annotated[int, Keywords(const=SCHEMA_VERSION)]


@record(frozen=True)
class Table:
    """A table of plain values, with a name for each column."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def records(self) -> list[dict[str, Any]]:
        """Return each row by the names of the columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Document:
    """A result as plain values.

    Attributes
    ----------
    NAME
        The kind of document; writers choose a screen or a page by it.
    OMITTED
        The fields that are not in JSON.
    SHOWS_WARNINGS
        Whether its screen, its page and its JSON show the warnings.
    """

    NAME: ClassVar[str]
    OMITTED: ClassVar[frozenset[str]] = frozenset()
    SHOWS_WARNINGS: ClassVar[bool] = True

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts, numbers and strings; infinities and NaN are strings."""
        return {name: plain(value) for name, value in fields_of(self).items() if name not in self.OMITTED}

    def tables(self) -> tuple[Table, ...]:
        """Return every table of the document; a form that has room for one takes the first."""
        raise NotImplementedError


@record(frozen=True)
class Examples:
    """How many rows were read and scored: read = scored + ignored + zero_weight + unmatched + missing.

    Attributes
    ----------
    unmatched
        rows whose id has no partner, with --subset
    missing
        rows whose prediction is missing, with --skip-missing
    ignored_cells
        cells of scored rows whose label is ignored, with --multilabel
    """

    read: Count
    scored: Count
    ignored: Count
    zero_weight: Count
    unmatched: Count = 0
    missing: Count = 0
    ignored_cells: Count = 0


@record(frozen=True)
class InputFile:
    """A file that was read, and what was assumed about it.

    Attributes
    ----------
    rows
        how many it has; None where they were not counted
    sha256
        of the bytes of the file, with --hash
    header
        whether a header line was taken; None where the format has none
    unused
        columns without a role
    files
        how many there are where path is a folder or a glob
    """

    path: str
    format: str
    rows: Count | None
    sha256: Annotated[str, Keywords(pattern="^[0-9a-f]{64}$")] | None = None
    header: bool | None = None
    unused: tuple[str, ...] = ()
    files: Position = 1


@record(frozen=True)
class Setting:
    """An option that was set, and by whom."""

    value: Any
    by: Annotated[str, Keywords(enum=["flag", "compat"])] = "flag"


def plain(value: Any) -> Any:
    """Return dicts for records, lists for tuples, and strings for the numbers that JSON does not have."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    fields = dict(value) if isinstance(value, dict) else fields_of(value)
    # Most values are plain already, and there may be many groups; x - x is 0 only for finite x.
    for key, item in fields.items():
        if type(item) not in _PLAIN and not (type(item) is float and item - item == 0):
            fields[key] = plain(item)
    for name, other in getattr(type(value), "JSON_NAMES", _NO_NAMES).items():
        fields[other] = fields.pop(name)
    return fields


_PLAIN = frozenset((type(None), str, int, bool))
_NO_NAMES: dict[str, str] = {}
