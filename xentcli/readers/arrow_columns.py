"""Decide which columns of an Arrow schema are read as arrays, and which row by row, like JSON.

Numbers and texts are one array; a list of numbers or a struct of single values is several. Lists of structs,
maps, Spark vectors, other nested structs, and lists whose names are in the next column are read row by row, as
Python objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xentcli.arrays import objects
from xentcli.errors import DataError, Place, shown
from xentcli.extras import needed
from xentcli.readers.nested import Field, fields_of
from xentcli.readers.nested_rows import Records
from xentcli.readers.table import Column
from xentcli.readers.wide import Flat
from xentcli.records import record

__all__ = ["SAMPLE", "Origin", "by_rows", "check_twice", "origins_of"]

SAMPLE = 20
"""Number of rows examined to decide how to read a nested column."""


@record(frozen=True)
class Origin:
    """Where one or several columns of a table come from.

    Attributes
    ----------
    column
        The column of the schema.
    name, inner
        As `Flat.of` takes them.
    number, dtype
        Whether it holds numbers, and the dtype if they are floats.
    field
        The field to read if it is read row by row; else None.
    """

    column: int
    name: str
    inner: int | Sequence[str] | None
    number: bool
    dtype: str | None = None
    field: Field | None = None


def origins_of(schema: Any, first: Any, path: str) -> list[Origin]:
    """Return the origins of the columns of a table; `first` are its first rows, None if it is empty.

    Raises DataError for a name that is there twice.
    """
    check_twice(schema.names, "columns", path)
    nested = _nested(schema, first)
    found: list[Origin] = []
    for index, field in enumerate(schema):
        if nested.get(index) is None:
            found.append(_plain(index, field, first, path))
        else:
            found += [
                Origin(index, one.name, one.inner, one.inner not in (None, 0), field=one) for one in nested[index]
            ]
    return found


def _plain(index: int, field: Any, first: Any, path: str) -> Origin:
    types = needed("pyarrow.types", "arrow")
    kind = field.type
    inner: int | Sequence[str] | None = None
    if _is_list(kind):
        value = first.column(index)[0].as_py() if first is not None and first.num_rows else None
        inner = len(value) if value else 0
        kind = kind.value_type
    elif types.is_struct(kind):
        inner = [kind.field(place).name for place in range(kind.num_fields)]
        check_twice(inner, f"fields of {shown(field.name)}", path)
        kind = kind.field(0).type if kind.num_fields else kind
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
    return Origin(index, field.name, inner, number, f"f{kind.bit_width // 8}" if types.is_floating(kind) else None)


def _nested(schema: Any, first: Any) -> dict[int, list[Field]]:
    """Return the fields of the columns that are read row by row; none of a column of names of such a field."""
    lists = [index for index, field in enumerate(schema) if _is_nested(field.type) or _is_list(field.type)]
    if first is None or not first.num_rows or not lists:
        return {}
    try:
        rows = [
            {schema.names[index]: first.column(index)[row].as_py() for index in lists} for row in range(first.num_rows)
        ]
    except (ArithmeticError, ValueError):
        return {}
    fields = fields_of(rows[0], rows[1:])
    found: dict[int, list[Field]] = {}
    for index in lists:
        here = [field for field in fields if field.path[0] == schema.names[index]]
        if _is_nested(schema.field(index).type) or not here or here[0].form == "beside":
            found[index] = here
    return found


def _is_list(kind: Any) -> bool:
    types = needed("pyarrow.types", "arrow")
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _is_nested(kind: Any) -> bool:
    """Whether values are nested deeper than a list or a struct of single values."""
    types = needed("pyarrow.types", "arrow")
    if _is_list(kind):
        return bool(types.is_nested(kind.value_type))
    if types.is_struct(kind):
        return any(types.is_nested(kind.field(place).type) for place in range(kind.num_fields))
    return bool(types.is_map(kind))


def by_rows(batch: Any, path: str, start: int, origin: Origin, as_lists: bool) -> dict[int | str | None, Column]:
    """Return the columns of a field that is read row by row, by key: None for a single value or a list.

    Raises DataError for a row of another kind than the first.
    """
    field = origin.field
    assert field is not None
    names = dict.fromkeys(str(key) for key in (field.path[0], *(field.keys[:1] if field.form == "beside" else ())))
    columns = {name: batch.column(batch.schema.get_field_index(name)).to_pylist() for name in names}
    found = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    records = Records(path, (field,), Flat((), ()), start, None, found)
    cells = records.lists(field) if as_lists else records.cells(field)
    if as_lists or not field.inner:
        return {None: objects(cells)}
    keys: Sequence[int | str] = range(field.inner) if isinstance(field.inner, int) else field.inner
    return {key: objects([cell[key] for cell in cells]) for key in keys}


def check_twice(names: Sequence[str], what: str, path: str) -> None:
    """Refuse columns, or fields of a struct, with the same name."""
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{names.count(twice)} {what} are called {shown(twice)}", place=Place(path))
