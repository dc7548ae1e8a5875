"""Given: data in memory in place of the name of a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Number
from typing import TYPE_CHECKING, Any, Literal

from xentcli.errors import UsageError, shown

__all__ = ["Data", "Given", "HasArray", "OneColumn", "SeveralColumns", "Takes", "columns_given"]


if TYPE_CHECKING:
    from typing import Protocol

    class HasArray(Protocol):
        """What NumPy takes as an array: also a series of pandas or polars, and a tensor."""

        def __array__(self) -> Any: ...

    class _Tensor(Protocol):
        def __dlpack__(self, **options: Any) -> Any: ...

    class _Arrow(Protocol):
        def __arrow_c_stream__(self, requested_schema: Any = ...) -> Any: ...

    class _Lazy(Protocol):
        def collect_schema(self) -> Any: ...

    Data = Sequence[Any] | HasArray | _Tensor | _Arrow | _Lazy
    """A value for each row, or a table of them."""
    OneColumn = str | Data | Mapping[str, Any]
    """What the options of one column take: its name, or data, which a dict gives a name."""
    SeveralColumns = OneColumn | Sequence[str | Data]
    """What the options of any number of columns take."""

Takes = Literal["", "one", "several", "labels", "ids", "forecast"]
"""Whether an option takes data: none, one column, any number of columns, what labels are, ids of one or both, or what
predictions are, or a number for each class."""


class Given(str):
    """Data of a role: as text ``@NAME``, which names them as ``@FILE`` names a file; pickled, the text alone.

    >>> weights = Given("weights", [1.0, 2.0], "weights")
    >>> weights, weights.path, weights.data
    ('@weights', 'weights', [1.0, 2.0])
    """

    path: str
    data: Any
    column: str

    def __new__(cls, path: str, data: Any, column: str) -> Given:
        """Name data, which are opened as a source called `path`, and their column."""
        made = super().__new__(cls, f"@{path}")
        made.path, made.data, made.column = path, data, column
        return made

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """Pickle as text: workers get the rows of a task, never all data."""
        return str, (str(self),)


def columns_given(option: str, value: Any, takes: Takes) -> Any:
    """Return the value of an option with data as Given, one for each column; names of columns are unchanged.

    Names are a text, a tuple of texts, or where several may be given a list of texts or whole numbers that all
    differ. A dict gives names to columns of data; a series has its own, and other data have that of the option.

    Raises UsageError for several columns where one is taken.

    >>> columns_given("by", {"site": ["n", "s", "n"]}, "several")
    ("@by['site']",)
    >>> columns_given("by", ["site", "age"], "several"), columns_given("by", ["n", "s", "n"], "several")
    (['site', 'age'], '@by')
    """
    if value is None or isinstance(value, str | Number) or getattr(value, "ndim", 1) == 0:
        return value
    value = _collected(value, takes)
    if takes in ("several", "labels", "forecast") and _are_names(value):
        return list(value)
    if takes == "forecast" and isinstance(value, Mapping) and all(isinstance(item, Number) for item in value.values()):
        return value
    if takes == "ids" and isinstance(value, Mapping):
        return _ids(option, value)
    named = None if takes in ("labels", "ids", "forecast") else _named(value)
    if named is not None:
        return _of_names(option, named, takes)
    if takes == "several" and isinstance(value, list | tuple) and any(map(_is_data, value)):
        return _of_list(option, value)
    return _one(option, value)


def _collected(value: Any, takes: Takes) -> Any:
    """The columns of a lazy frame by name, each a query of its own; other data as they are."""
    if takes not in ("one", "several", "ids") or not (hasattr(value, "collect_schema") and hasattr(value, "collect")):
        return value
    # Queries are collected in batches along with the predictions; ids are held in memory anyway.
    return value.collect() if takes == "ids" else {name: value.select(name) for name in value.collect_schema()}


def _ids(option: str, value: Mapping[Any, Any]) -> Given:
    """The ids of the predictions and of the labels, each a column or data."""
    if not value or not value.keys() <= {"predictions", "labels"}:
        raise UsageError(f"{option} takes ids of predictions and labels, not of {', '.join(map(str, value))}")
    for side, ids in value.items():
        if not isinstance(ids, str):
            _one(f"{option}[{side!r}]", ids)
    return Given(option, dict(value), option)


def _of_names(option: str, named: Mapping[Any, Any], takes: Takes) -> Given | tuple[Given, ...]:
    """The columns of a dict or a data frame; a single one where an option takes one."""
    given = tuple(_one(f"{option}[{name!r}]", item, str(name)) for name, item in named.items())
    if takes == "several":
        return given
    if len(given) != 1:
        raise UsageError(f"{option} takes one column, not {len(given)}: {', '.join(map(str, named))}")
    return Given(option, given[0].data, given[0].column)


def _of_list(option: str, items: Sequence[Any]) -> tuple[str, ...]:
    """Columns of data among names of columns; data without a name are numbered where they are several."""
    unnamed = [place for place, item in enumerate(items) if not isinstance(item, str) and not _own_name(item)]
    found = []
    for place, item in enumerate(items):
        path = option if len(items) == 1 else f"{option}[{place}]"
        column = f"{option}{place + 1}" if place in unnamed and len(unnamed) > 1 else ""
        found.append(item if isinstance(item, str) else _one(path, item, column))
    return tuple(found)


def _named(value: Any) -> Mapping[Any, Any] | None:
    """The columns of a dict or a data frame, by name; None of others."""
    if isinstance(value, Mapping):
        return value
    names = getattr(value, "column_names", getattr(value, "columns", None))
    return None if names is None else {name: value[name] for name in names}


def _one(path: str, data: Any, column: str = "") -> Given:
    if not _is_data(data):
        raise UsageError(f"{path} is a column or data for each row, not {shown(data)}")
    return Given(path, data, column or _own_name(data) or path.partition("[")[0])


def _own_name(data: Any) -> str:
    """The name of a series; empty of what has none."""
    own = getattr(data, "name", None)
    return "" if own is None else str(own)


def _is_data(value: Any) -> bool:
    """Whether a value has a value for each row: a list, an array or a series; no scalar and no text."""
    if isinstance(value, list | tuple | range):
        return True
    if isinstance(value, Mapping):
        return bool(value) and all(map(_is_data, value.values()))
    arrays = ("__array__", "__dlpack__", "__arrow_c_stream__", "__arrow_c_array__", "to_native", "collect_schema")
    return any(hasattr(value, name) for name in arrays)


def _are_names(value: Any) -> bool:
    """Whether a list, array or Index names columns: by texts, in a list by whole numbers too, that all differ.

    In a tuple, as an option that is given several times, they are names also where they repeat, which is refused.
    """
    if isinstance(value, tuple) and value and all(isinstance(item, str) for item in value):
        return True
    if isinstance(value, list | tuple | range):
        items = list(value)
    elif hasattr(value, "get_indexer") or (hasattr(value, "dtype") and getattr(value.dtype, "kind", "") == "U"):
        items = value.tolist()
    else:
        return False
    return all(isinstance(item, str | int) for item in items) and len(set(items)) == len(items)
