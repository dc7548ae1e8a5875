"""A table as one JSON object: header and data, columns by name, rows by key, or rows under a name.

Such objects are written by pandas (every orient), by experiment trackers ({"columns": [...], "data": [...]}), and by
``json.dump`` of a dict of arrays or of predictions by id. They are held in memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xentcli.errors import DataError, Place
from xentcli.readers.nested import Field, fields_of, fields_of_row, flat_of_fields, inner_of, is_row
from xentcli.readers.nested_rows import Records
from xentcli.readers.source import BLOCK_BYTES, Counted, FlatTable
from xentcli.readers.stream import ByteStream
from xentcli.readers.text.faults import Written
from xentcli.readers.wide import Flat
from xentcli.records import record, replace

__all__ = ["Table", "TableSource", "is_table", "open_table", "table_of"]

_SAMPLE = 20
_FEW = 8
"""Numbers by name that may be one row; as many and more, which do not sum to 1, are rows by key."""
_NEAR_1 = 1e-3
_HEADERS = ("columns", "classes", "class_names", "labels", "names", "header")


@record(frozen=True, eq=False)
class Table:
    """Rows in memory, their columns, and whether the first column is the key of each row."""

    fields: tuple[Field, ...]
    rows: Sequence[Any]
    keyed: bool = False


class AmbiguousError(Exception):
    """Numbers that can be read as rows or as columns."""


@record(frozen=True, eq=False)
class TableSource(Counted, FlatTable):
    """A table that was one JSON object."""

    stream: ByteStream
    table: Table
    flat: Flat
    rows: int
    format: str = "json"

    @property
    def repeatable(self) -> bool:
        """Whether it can be read again: it is in memory."""
        return True

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns; none of rows that are lists without a header."""
        return self.flat.names if any(self.flat.names) else ()

    @property
    def row_names(self) -> int | None:
        """The column of the keys of rows."""
        return 0 if self.table.keyed else None

    def parts(self, block_bytes: int = BLOCK_BYTES) -> Iterator[Records]:
        """Cut it into parts of about `block_bytes`."""
        step = max(1, block_bytes // (8 * max(1, self.width)))
        for start in range(0, self.rows, step):
            found = self.table.rows[start : start + step]
            yield Records(self.path, self.table.fields, self.flat, start, None, found)


def open_table(stream: ByteStream, value: Any) -> TableSource:
    """Make a source of a JSON object: of a table its rows; any other object is one row.

    Raises DataError for an object of numbers that could be columns or rows.
    """
    try:
        table = table_of(value, document=True)
    except AmbiguousError:
        raise _two_ways(stream) from None
    table = table or Table(fields_of(value), [value])
    if not table.fields:
        raise DataError("an object without names: there is nothing to score", place=Place(stream.name))
    return TableSource(stream, table, flat_of_fields(table.fields), len(table.rows))


def _two_ways(stream: ByteStream) -> DataError:
    """Return the error of numbers that could be rows or columns, with the command for either."""

    def by(rows: str, purpose: str) -> str:
        code = f"import json, sys; d = json.load(sys.stdin); [print(json.dumps(row)) for row in {rows}]"
        return Written(stream.name).by(f'python3 -c "{code}"', purpose, ".jsonl")

    advice = (
        by("({'id': k, 'p': v} for k, v in d.items())", "if each key is a row"),
        by("(dict(zip(d, row)) for row in zip(*d.values()))", "if each key is a column"),
    )
    return DataError("numbers by key, which could be rows or columns", place=Place(stream.name), advice=advice)


def is_table(value: Any, *, document: bool) -> bool:
    """Whether an object is a table, even if it is not known which."""
    try:
        return table_of(value, document=document) is not None
    except AmbiguousError:
        return True


def table_of(value: Any, *, document: bool) -> Table | None:
    """Return the rows of a table as one object; None of another value, which is one row.

    Without `document` only what cannot be a row is a table.

    Raises AmbiguousError for numbers that are a table in two ways.
    """
    if not isinstance(value, dict) or not value:
        return None
    found = _of_tensors(value) or _with_header(value) or _of_lists(value, document) or _of_objects(value)
    if found is None and document:
        found = _of_values(value)
    if found is None and len(value) == 1:
        return table_of(next(iter(value.values())), document=False)
    return found


def _with_header(value: Mapping[str, Any]) -> Table | None:
    """The orients split, tight and table of pandas, and tables of trackers: data, with a header beside."""
    data, header = value.get("data"), value.get("columns")
    if not isinstance(data, list):
        return None
    if isinstance(schema := value.get("schema"), dict) and data:
        return _indexed(data, schema.get("primaryKey"))
    if not isinstance(header, list) or not all(isinstance(row, list) for row in data):
        return None
    names = [".".join(map(str, name)) if isinstance(name, list) else str(name) for name in header]
    index = value.get("index")
    if isinstance(index, list) and len(index) == len(data) and not _counts(index):
        names, data = (
            ["id" if "id" not in names else "key", *names],
            [[key, *row] for key, row in zip(index, data, strict=True)],
        )
        return Table(fields_of_row(names, data[0] if data else ()), data, keyed=True)
    if data and len(data[0]) != len(names):
        return None
    return Table(fields_of_row(names, data[0] if data else (None,) * len(names)), data)


def _of_tensors(value: Mapping[str, Any]) -> Table | None:
    """The answer of a model server: the flat data of each output beside its shape, whose first axis counts the rows."""
    outputs = value.get("outputs")
    if not isinstance(outputs, list) or not all(isinstance(one, dict) for one in outputs):
        return None
    columns = {str(one.get("name")): _shaped(one.get("data"), one.get("shape")) for one in outputs}
    found = {name: rows for name, rows in columns.items() if rows is not None}
    if not found or len(found) < len(outputs) or len({*map(len, found.values())}) > 1:
        return None
    return _of_columns(found) if len(next(iter(found.values()))) > 1 else None


def _shaped(data: Any, shape: Any) -> list[Any] | None:
    """Cut flat data into rows by a shape of one or two axes; None where they do not agree."""
    if not isinstance(data, list) or not isinstance(shape, list) or not 1 <= len(shape) <= 2:
        return None
    rows, *width = shape
    if len(data) == rows and (not width or (data and isinstance(data[0], list))):
        return data
    if not width or not all(isinstance(size, int) and size > 0 for size in shape) or len(data) != rows * width[0]:
        return None
    return data if width == [1] else [data[at : at + width[0]] for at in range(0, len(data), width[0])]


def _indexed(data: list[Any], key: Any) -> Table | None:
    """Rows that have their index as a field; one that only counts is left out."""
    name = key[0] if isinstance(key, list) and len(key) == 1 else None
    if not all(isinstance(row, dict) for row in data):
        return None
    if name is None or any(name not in row for row in data):
        return Table(fields_of(data[0], data[1:_SAMPLE]), data)
    index = [row[name] for row in data]
    bare = [{key: value for key, value in row.items() if key != name} for row in data]
    return _keyed(index, bare)


def _keyed(keys: Sequence[Any], rows: Sequence[Any]) -> Table:
    """Rows by key, which becomes the first column, unless the keys only count."""
    if _counts(keys):
        return Table(fields_of(rows[0], rows[1:_SAMPLE]), rows)
    first = rows[0]
    if isinstance(first, dict) and all(isinstance(row, dict) for row in rows):
        name = next(name for name in ("id", "key", "name of the row") if name not in first)
        records: list[Any] = [{name: key, **row} for key, row in zip(keys, rows, strict=True)]
        return Table(fields_of(records[0], records[1:_SAMPLE]), records, keyed=True)
    inner = tuple(
        replace(field, path=(1, *field.path), keys=(1, *field.keys) if field.form == "beside" else field.keys)
        for field in fields_of(first)
    )
    return Table((Field("id", (0,), None), *inner), list(zip(keys, rows, strict=True)), keyed=True)


def _counts(keys: Sequence[Any]) -> bool:
    """Whether keys are 0, 1, 2, ..."""
    return all(str(key) == str(place) for place, key in enumerate(keys))


def _of_lists(value: Mapping[str, Any], document: bool) -> Table | None:
    """Columns as lists of one length, rows as lists by key, or rows under a name, all with single values beside."""
    lists = {key: item for key, item in value.items() if isinstance(item, list)}
    deep = {key: item for key, item in lists.items() if item and not is_row(item)}
    if len(lists) == len(value) and all(item and is_row(item) and isinstance(item[0], dict) for item in lists.values()):
        return _keyed(list(value), list(value.values()))
    if deep:
        # A single row beside single values may be one record.
        whole = len(lists) == len(value) or (document and len(next(iter(deep.values()))) > 1)
        return _of_deep(lists, deep) if whole else None
    lengths = {len(item) for item in lists.values()}
    if not document or len(lists) < len(value) or len(lengths) != 1 or lengths <= {0, 1}:
        return None
    numbers = len(lists) > 1 and all(inner_of(item) is not None for item in lists.values())
    if numbers and _rows_or_columns([*lists.values()], len(lists) > min(lengths)) == "rows":
        return _keyed(list(value), list(value.values()))
    return _of_columns(lists)


def _of_deep(lists: Mapping[str, list[Any]], deep: Mapping[str, list[Any]]) -> Table | None:
    """Some lists of rows, and those of the same length beside them; one of names names the numbers in them."""
    length = len(next(iter(deep.values())))
    if any(len(item) != length for item in deep.values()):
        return None
    columns = {key: item for key, item in lists.items() if len(item) == length}
    width = len(next(iter(deep.values()))[0])
    names = next((lists[key] for key in _HEADERS if len(lists.get(key, ())) == width != length), None)
    if len(columns) > 1:
        return _of_columns(columns, names)
    (rows,) = columns.values()
    if names is not None and isinstance(rows[0], list):
        return Table(fields_of_row([*map(str, names)], rows[0]), rows)
    return Table(fields_of(rows[0], rows[1:_SAMPLE]), rows)


def _of_columns(columns: Mapping[str, list[Any]], names: list[Any] | None = None) -> Table:
    rows = list(zip(*columns.values(), strict=True))
    fields = fields_of_row([*columns], rows[0])
    if names is not None:
        rows = [(*row, names) for row in rows]
        inner = tuple(sorted(map(str, names)))
        fields = tuple(
            replace(field, inner=inner, form="beside", keys=(len(columns),)) if field.inner == len(inner) else field
            for field in fields
        )
    return Table(fields, rows)


def _of_objects(value: Mapping[str, Any]) -> Table | None:
    """Objects by key: each a column by row, or each a row by name."""
    objects = list(value.values())
    if not all(isinstance(item, dict) and item for item in objects):
        return None
    if any(item.keys() != objects[0].keys() for item in objects) or _are_rows(value, objects):
        return _keyed(list(value), objects) if len(objects) > 1 else None
    keys = list(objects[0])
    columns = {name: [item[key] for key in keys] for name, item in value.items()}
    if _counts(keys):
        return _of_columns(columns)
    rows = list(zip(keys, *columns.values(), strict=True))
    return Table(fields_of_row(["id" if "id" not in columns else "key", *columns], rows[0]), rows, keyed=True)


def _are_rows(value: Mapping[str, Any], objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each of some objects with the same keys is a row, not a column."""
    counts = _counts([*value]), _counts([*objects[0]])
    if counts[0] != counts[1]:
        return counts[0]
    kinds = [{_kind(item) for item in one.values() if item is not None} for one in objects]
    if any(len(kind) > 1 for kind in kinds) or len(objects) == 1:
        return True
    if len({*map(frozenset, kinds)}) > 1:
        return False
    if kinds[0] != {"number"}:
        return True
    return _rows_or_columns([list(one.values()) for one in objects], unsure=True) == "rows"


def _kind(item: Any) -> str:
    return "number" if isinstance(item, int | float) and not isinstance(item, bool) else type(item).__name__


def _rows_or_columns(numbers: Sequence[Sequence[float]], unsure: bool) -> str:
    """Return whether lists of probabilities are rows or columns by what sums to 1; logits may be unsure."""
    rows = all(map(_sum_to_1, numbers))
    columns = all(map(_sum_to_1, zip(*numbers, strict=True)))
    if rows == columns and (rows or unsure):
        raise AmbiguousError
    return "rows" if rows else "columns"


def _sum_to_1(numbers: Sequence[float]) -> bool:
    """Whether numbers are the probabilities of one row."""
    return all(-_NEAR_1 <= number <= 1 + _NEAR_1 for number in numbers) and abs(math.fsum(numbers) - 1) <= _NEAR_1


def _of_values(value: Mapping[str, Any]) -> Table | None:
    """A single value by key: the label or the probability of each row; numbers that may be one row are one."""
    kinds = {_kind(item) for item in value.values()}
    if kinds == {"number"} and not (len(value) >= _FEW and not _sum_to_1([*value.values()])):
        return None
    if len(kinds) > 1 or kinds <= {"dict", "list", "NoneType"} or len(value) < 2:
        return None
    fields = (Field("id", (0,), None), Field("value", (1,), None))
    if _counts([*value]):
        return Table((Field("value", (0,), None),), [(item,) for item in value.values()])
    return Table(fields, list(value.items()), keyed=True)
