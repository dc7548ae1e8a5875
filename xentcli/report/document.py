"""What all documents have in common: plain values with the names that JSON has, and tables of them.

A document knows no screen and no file, and holds all that a writer needs, so that a writer
computes nothing. The JSON Schema is made from the annotations and docstrings of these classes:
``Keywords`` are further keywords of the schema, and the text of a field below
``Attributes`` is its description.
"""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from xentcli.errors import UsageError, shown
from xentcli.records import Keywords, fields_of, record

if TYPE_CHECKING:
    import pandas

__all__ = [
    "BASES",
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
    "bracketed",
    "check_asked",
    "counted",
    "flat",
    "plain",
    "records_table",
    "values_along",
]

SCHEMA_VERSION = 1
UNITS = {"e": "nats", "2": "bits", "10": "bans"}
BASES = {unit: base for base, unit in UNITS.items()}

Number = float
"""A number that may be infinite or NaN: one of the strings "inf", "-inf" and "nan" in JSON."""
Finite = Annotated[float, Keywords(type="number")]
Count = Annotated[int, Keywords(minimum=0)]
Position = Annotated[int, Keywords(minimum=1)]
Version = Annotated[int, Keywords(const=SCHEMA_VERSION)]


@record(frozen=True)
class Table:
    """A table of plain values, with a name for each column; `asked` says whether an option asked for it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    asked: bool = False

    def records(self) -> list[dict[str, Any]]:
        """Return each row by the names of the columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Document:
    """A result as plain values.

    ``str`` of it is the screen that its command prints, ``repr`` one line, and a notebook shows its page.

    Attributes
    ----------
    NAME
        The kind of document; writers choose a screen or a page by it.
    OMITTED, OPTIONAL
        The fields that are not in JSON, and those that are there only where they are not None.
    SHOWS_WARNINGS
        Whether its screen, its page and its JSON show the warnings.
    """

    NAME: ClassVar[str]
    OMITTED: ClassVar[frozenset[str]] = frozenset()
    OPTIONAL: ClassVar[frozenset[str]] = frozenset()
    SHOWS_WARNINGS: ClassVar[bool] = True

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts, numbers and strings; infinities and NaN are strings."""
        absent = self.OMITTED | {name for name in self.OPTIONAL if getattr(self, name) is None}
        return {name: plain(value) for name, value in fields_of(self).items() if name not in absent}

    def tables(self) -> tuple[Table, ...]:
        """Return every table of the document."""
        raise NotImplementedError

    def asked_tables(self) -> tuple[Table, ...]:
        """Return the tables that options asked for, else the first: those that CSV and JSON Lines have."""
        tables = self.tables()
        return tuple(table for table in tables if table.asked) or tables[:1]

    def in_brief(self) -> str:
        """Return what matters most, in one line."""
        raise NotImplementedError

    def __getitem__(self, name: str) -> Any:
        """Return a value by its path in JSON, as --get takes it: ``result["pairs.0.change"]``; None if undefined.

        Raises
        ------
        UsageError
            For what the document does not have, and for records that were not asked for.
        """
        if not isinstance(name, str):
            raise UsageError(f"a value is named by text, not {shown(name)}", advice='result["warnings.0.code"]')
        path = name.split(".")
        if path[0] not in type(self).__record__:  # type: ignore[attr-defined]
            # A check and a calibration have the names of their score too.
            report = getattr(self, "report", None)
            if report is not None:
                return report[name]
        else:
            check_asked(path[0], getattr(self, path[0]))
        *_, value = values_along(self, path)
        return value

    def __contains__(self, name: object) -> bool:
        """Whether ``document[name]`` has a value."""
        try:
            return isinstance(name, str) and self[name] is not None
        except UsageError:
            return False

    def __repr__(self) -> str:
        """Return one line."""
        return f"<{type(self).__name__}: {self.in_brief()}>"

    def __str__(self) -> str:
        """Return the screen that the command prints into a file."""
        screen: str = _written("table", "render", self)
        return screen.rstrip("\n")

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        html: str = _written("html", "fragment", self)
        return html

    def to_frame(self) -> pandas.DataFrame:
        """Return its main table as a pandas DataFrame, the names of its rows as the index; NaN for what is undefined.

        A score and a calibration have a row for each metric, a check for each limit, a comparison for each model.
        """
        import pandas as pd

        table = self._main_table()
        frame = pd.DataFrame(list(table.rows), columns=list(table.columns))
        blank = [name for name in table.columns if frame[name].isna().all() and not name.endswith(_TEXTS)]
        return frame.astype(dict.fromkeys(blank, "float64")).set_index(
            "model" if "model" in frame else frame.columns[0]
        )

    def _main_table(self) -> Table:
        """The table of `to_frame`."""
        return self.tables()[0]

    def frame(self, name: str) -> pandas.DataFrame:
        """Return the records of a field as a pandas DataFrame with a row for each, in their order.

        A column for each of their fields; the values of a group and the ends of an interval (low, high) have
        columns of their own. A name of a group that a field has too is in brackets.

        Raises
        ------
        UsageError
            For a name that is not such a field, and for records that were not asked for.
        """
        import pandas as pd

        names = self._frames()
        if name not in names:
            raise UsageError(f"{type(self).__name__} has no frame {shown(name)}", advice=f"frames: {', '.join(names)}")
        check_asked(name, names[name])
        rows = [flat(item) for item in names[name]]
        return pd.DataFrame(rows, columns=_columns(rows))

    def _frames(self) -> dict[str, Sequence[Any]]:
        """The fields that hold records, by name."""
        hints = type(self).__annotations__
        return {name: value for name, value in fields_of(self).items() if re.search(_RECORDS, hints[name])}


_RECORDS = r"\btuple\[(?!Number|Count|Finite|Position)[A-Z]"
_TEXTS = ("group", "reason", "refused", "verdict")
"""Ends of the names of columns of text that may have no value."""
_ASKED_BY = {"by": ("by", "COLUMN"), "by_class": ("by_class", ""), "worst": ("worst", "N")}
_ASKED_BY |= {"decomposition": ("decompose", "")}
"""The option that asks for the records that a document has only then, and its value."""


def check_asked(name: str, records: Sequence[Any] | None, *, command: bool = False) -> None:
    """Refuse records that were not asked for (UsageError), with the option of the library or of the command."""
    if name in _ASKED_BY and not records:
        option, value = _ASKED_BY[name]
        given = f"--{option.replace('_', '-')} {value}".rstrip() if command else f"{option}={value or True}"
        raise UsageError(f"there is no {name}: it was not asked for", advice=f"give {given}")


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


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of the columns of all rows; one that only some rows have keeps its place before those that follow it.

    >>> _columns([{"site": "n", "cost": 1.0}, {"age": 3, "cost": 2.0}])
    ['site', 'age', 'cost']
    """
    columns: list[str] = []
    for keys in dict.fromkeys(map(tuple, rows)):
        place = len(columns)
        for key in reversed(keys):
            if key not in columns:
                columns.insert(place, key)
            place = columns.index(key)
    return columns


def _written(form: str, function: str, document: Document) -> Any:
    """Call a writer. It is found by name when it is used: documents know no form, and computing loads none."""
    return getattr(importlib.import_module(f"xentcli.writers.{form}"), function)(document)


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
    """An option that was set, and by whom.

    Attributes
    ----------
    value
        what it was set to
    by
        a flag, or the tool of --compat
    """

    value: Any
    by: Annotated[str, Keywords(enum=["flag", "compat"])] = "flag"


def counted(number: int, noun: str) -> str:
    """Return a count and its noun.

    >>> counted(1, "row"), counted(2000, "class")
    ('1 row', '2,000 classes')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "es" if noun.endswith("s") else "s")


def flat(item: Any) -> dict[str, Any]:
    """Return a record as one row: its group first, its fields by their JSON names, then the ends of its intervals."""
    fields = fields_of(item)
    for name in ("undefined", *getattr(type(item), "TEXTS", _NO_NAMES).values()):
        fields.pop(name, None)
    for name, other in getattr(type(item), "JSON_NAMES", _NO_NAMES).items():
        fields = {other if key == name else key: value for key, value in fields.items()}
    if hasattr(fields.get("infinite"), "count"):
        fields["infinite"] = fields["infinite"].count
    group, beside = fields.pop("group", None) or {}, fields.pop("shown", None) or {}
    fields |= {name: value for name, value in (fields.pop("metrics", None) or {}).items() if name not in fields}
    intervals = {name: fields.pop(name) for name in list(fields) if name.endswith("interval")}
    for name, interval in intervals.items():
        prefix = name.removesuffix("interval")
        for end in ("low", "high"):
            value = None if interval is None else getattr(interval, end)
            fields[f"{prefix}{end}" if f"{prefix}{end}" not in fields else f"{name}_{end}"] = value
    named = [dict(zip(bracketed(of, fields), of.values(), strict=True)) for of in (group, beside)]
    return {**named[0], **fields, **named[1]}


def records_table(title: str, rows: Sequence[Any], unit: str) -> Table:
    """Return a table of records, with a column for each name of their groups."""
    rows_of = [flat(row) for row in rows]
    columns = tuple(dict.fromkeys(name for row in rows_of for name in row))
    return Table(title, (*columns, "unit"), tuple((*(row.get(name) for name in columns), unit) for row in rows_of))


def bracketed(columns: Iterable[str], reserved: Container[str]) -> list[str]:
    """Return names of columns of a file, in brackets where a figure has that name."""
    return [f"[{column}]" if column in reserved else column for column in columns]


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
    if isinstance(value, Document):
        return value.to_dict()
    fields = dict(value) if isinstance(value, dict) else fields_of(value)
    # What may be any object in Python is a text in JSON.
    fields |= {name: fields.pop(text) for name, text in getattr(type(value), "TEXTS", _NO_NAMES).items()}
    # Most values are plain already, and there may be many groups; x - x is 0 only for finite x.
    for key, item in fields.items():
        if type(item) not in _PLAIN and not (type(item) is float and item - item == 0):
            fields[key] = plain(item)
    for name, other in getattr(type(value), "JSON_NAMES", _NO_NAMES).items():
        fields[other] = fields.pop(name)
    return fields


_PLAIN = frozenset((type(None), str, int, bool))
_NO_NAMES: dict[str, str] = {}
