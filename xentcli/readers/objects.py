"""open_memory(): arrays, tensors and data frames of any library to a source.

No library is imported for it: each object is asked for its own arrays, and only what has nothing but the Arrow
PyCapsule interface (``__arrow_c_stream__``) is read by pyarrow.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence, Set
from numbers import Real
from typing import Any

import numpy as np

from xentcli.arrays import Array, index_of, objects, of_pandas
from xentcli.errors import DataError, Place, XentError, first_line, shown
from xentcli.extras import needed
from xentcli.readers.lazy import collected, is_lazy, open_lazy
from xentcli.readers.memory import MemorySource, holds_lists
from xentcli.readers.npy import widened
from xentcli.readers.wide import Flat

__all__ = ["open_memory"]


def open_memory(data: Any, name: str, column: str = "") -> MemorySource:
    """Take an array, a tensor, a list, a series or a data frame as a source called `name`.

    Data frames are those of pandas, polars (a LazyFrame is collected in batches), PyArrow and narwhals, a
    dict of columns, and all that has the Arrow PyCapsule interface; arrays are those of NumPy, and all that has
    ``__array__`` or ``__dlpack__``, such as tensors. One axis of numbers has no name, or the name `column`.

    Raises DataError if it is no table of numbers or text; UsageError if it takes pyarrow to read it, which is not
    installed.
    """
    if type(data) is np.ndarray and data.dtype.kind in "biufUS":
        return _of_array(data, name, column)
    if isinstance(data, np.ma.MaskedArray) and np.ma.is_masked(data):
        raise DataError("a masked array with masked values", place=Place(name), advice="array.filled(...) decides them")
    try:
        if (lazy := open_lazy(_native(data), name, _of_polars)) is not None:
            return lazy
        found = _columns(data, name)
        if found is not None:
            names, columns = found
            return _of_columns([column] if names == [""] else names, columns, name, data)
        array, bfloat16 = _array(data, name)
    except (XentError, MemoryError):
        raise
    except Exception as error:
        # __array__ and similar methods may raise any error.
        reason = f"{shown(type(data).__name__)} cannot be read as an array: {shown(first_line(error), 200)}"
        raise DataError(reason, place=Place(name), advice=_advice(data)) from None
    return _of_array(array, name, column, data, bfloat16=bfloat16)


def _advice(data: Any) -> str:
    """How an object becomes an array, by what it has."""
    lines = {"get": ".get() copies it to an array", "toarray": ".toarray() makes an array of it"}
    # The get method of pandas data frames selects columns.
    found = next((line for method, line in lines.items() if hasattr(data, method) and not hasattr(data, "iloc")), "")
    # A set has no order.
    listed = hasattr(data, "__iter__") and not isinstance(data, Set | type)
    return found or ("list(...) makes a list of it" if listed else "")


def _of_columns(names: Sequence[str], columns: Sequence[Array], name: str, data: Any) -> MemorySource:
    """A source of named columns; raises DataError for repeated names and different lengths."""
    if len(set(names)) < len(names):
        twice = next(one for one in names if names.count(one) > 1)
        reason = f"{names.count(twice)} columns are called {shown(twice)}"
        raise DataError(reason, place=Place(name), advice="frame.columns = [...] renames them")
    rows = len(columns[0]) if columns else _rows(data)
    odd = next((index for index, column in enumerate(columns) if len(column) != rows), None)
    if odd is not None:
        reason = f"column {shown(names[odd])} has {len(columns[odd]):,} values, and {shown(names[0])} {rows:,}"
        raise DataError(reason, place=Place(name))
    index = index_of(data)
    index_name = None if index is None else getattr(data.index, "name", None)
    index_name = None if index_name is None else str(index_name)
    columns = [_matrix(column) for column in columns]
    flat, keys = None, [_keys(column) for column in columns]
    if any(found or column.ndim == 2 or holds_lists(column) for found, column in zip(keys, columns, strict=True)):
        columns = [
            _of_structs(column, found, name) if found else column for column, found in zip(columns, keys, strict=True)
        ]
        inner = [
            found or (column.shape[1] if column.ndim == 2 else 0 if holds_lists(column) else None)
            for column, found in zip(columns, keys, strict=True)
        ]
        flat = Flat.of(list(zip(names, inner, strict=True)))
        names = flat.names
    return MemorySource(name, tuple(names), rows, None, tuple(columns), flat, index=index, index_name=index_name)


def _keys(column: Array) -> list[str]:
    """The fields of a column of structs of numbers, by its first row; none of others."""
    first = column[0] if column.ndim == 1 and column.dtype.kind == "O" and len(column) else None
    numbers = isinstance(first, Mapping) and all(value is None or isinstance(value, Real) for value in first.values())
    return [str(key) for key in first] if isinstance(first, Mapping) and numbers else []


def _of_structs(column: Array, keys: Sequence[str], name: str) -> Array:
    """f8[n, k]: the numbers of structs, NaN for a missing one; raises DataError for a row without the same fields."""
    none: Mapping[str, None] = dict.fromkeys(column[0])
    rows = [none if row is None else row if isinstance(row, Mapping) else {} for row in column]
    for number, row in enumerate(rows, start=1):
        if {*map(str, row)} != {*keys}:
            found = ", ".join(map(str, row)) or "none"
            reason = f"fields {found} where the first row has {', '.join(keys)}"
            raise DataError(reason, place=Place(name, number))
    fields = list(column[0])
    return np.array([[np.nan if row[key] is None else row[key] for key in fields] for row in rows], dtype=np.float64)


def _matrix(column: Array) -> Array:
    """A column of lists of numbers, all of one length, as a matrix; others unchanged."""
    if not holds_lists(column):
        return column
    try:
        matrix = np.array(column.tolist())
    except ValueError:
        return column
    return matrix if matrix.ndim == 2 and matrix.dtype.kind in "biuf" and matrix.shape[1] else column


def _rows(data: Any) -> int:
    return len(data) if hasattr(data, "__len__") else 0


def _columns(data: Any, name: str) -> tuple[list[str], list[Array]] | None:
    """The names and columns of a data frame, a dict of columns, or a series of text; None of what is an array."""
    if isinstance(data, list | tuple | np.ndarray) and not getattr(getattr(data, "dtype", None), "names", None):
        return None
    if isinstance(data, Mapping):
        return [str(key) for key in data], [_column(value, f"{name}[{key!r}]") for key, value in data.items()]
    if isinstance(data, np.ndarray):
        return list(data.dtype.names or ()), [data[key] for key in data.dtype.names or ()]
    if hasattr(data, "iloc"):
        return _of_pandas(data)
    if (series := _of_extension(data)) is not None:
        return [""], [_of_series(series)]
    if (native := _native(data)) is not data:
        return _columns(native, name)
    if is_lazy(data):
        return _columns(collected(data, name), name)
    if callable(own := getattr(data, "get_columns", None)):
        return [str(one) for one in data.columns], [_of_polars(each) for each in own()]
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        if hasattr(data, "to_numpy") and hasattr(data, "null_count") and not hasattr(data, "type"):
            return _named(data.name, _of_polars(data))
        return _of_arrow(data)
    return None


def _column(value: Any, name: str) -> Array:
    """One column of a dict, or a matrix as a column of lists."""
    source = open_memory(value, name)
    if len(source.shape) > 2 or (source.array is None and len(source.columns) > 1):
        raise DataError("a column has one axis, or two where each row has a list", place=Place(name))
    if source.array is None:
        return source.columns[0]
    return source.array[:, 0] if len(source.shape) == 1 else source.array


def _native(data: Any) -> Any:
    """The object that one of narwhals wraps; others unchanged."""
    return unwrap() if callable(unwrap := getattr(data, "to_native", None)) else data


def _of_extension(data: Any) -> Any:
    """The series of an array of pandas with a type of its own, such as Int64; None for other data."""
    pandas = sys.modules.get("pandas")
    own = pandas is not None and isinstance(data, pandas.api.extensions.ExtensionArray)
    return pandas.Series(data) if pandas is not None and own else None


def _named(name: Any, column: Array) -> tuple[list[str], list[Array]] | None:
    """A series of text as a table of one column; None for numbers, which are an array of one axis."""
    return None if column.dtype.kind in "biuf" else (["" if name is None else str(name)], [column])


def _of_pandas(data: Any) -> tuple[list[str], list[Array]] | None:
    if not hasattr(data, "columns"):
        return _named(getattr(data, "name", None), _of_series(data))
    names, dtypes = [str(name) for name in data.columns], {*data.dtypes}
    if len(dtypes) == 1 and isinstance(dtype := dtypes.pop(), np.dtype) and dtype.kind in "biuf":
        return names, list(data.to_numpy().T)
    return names, [_of_series(data.iloc[:, index]) for index in range(len(names))]


def _of_series(series: Any) -> Array:
    """A column of pandas: numbers as they are, NaN for a missing one; None for what is missing among others."""
    dtype = series.dtype
    if hasattr(dtype, "numpy_dtype") and getattr(dtype, "kind", "") == "f":
        floats: Array = series.to_numpy(dtype=dtype.numpy_dtype, na_value=np.nan)
        return floats
    return of_pandas(series)


def _of_polars(series: Any) -> Array:
    """A column of polars: numbers as they are, NaN for a null among floats; else objects, None for a null."""
    column: Array = np.asarray(series.to_numpy())
    whole = column.dtype.kind in "biu" or (column.dtype.kind == "f" and series.dtype.is_float())
    return column if whole else objects(series.to_list())


def _of_arrow(data: Any) -> tuple[list[str], list[Array]] | None:
    """The columns of what has the Arrow PyCapsule interface."""
    arrow = needed("pyarrow", "arrow")
    if isinstance(data, arrow.Array | arrow.ChunkedArray):
        return _named(None, _arrow_column(arrow, data))
    if not hasattr(data, "__arrow_c_stream__"):
        data = arrow.record_batch(data)
    table = data if isinstance(data, arrow.Table) else _imported(arrow, data)
    if isinstance(table, arrow.ChunkedArray):
        return [""], [_arrow_column(arrow, table)]
    return list(table.column_names), [_arrow_column(arrow, column) for column in table.columns]


def _imported(arrow: Any, data: Any) -> Any:
    """The table of a stream, or of a series of one column."""
    try:
        return arrow.table(data)
    except arrow.ArrowInvalid:
        return arrow.chunked_array(data)


def _arrow_column(arrow: Any, column: Any) -> Array:
    types = arrow.types
    whole = types.is_integer(column.type) or types.is_boolean(column.type)
    if types.is_floating(column.type) or (whole and not column.null_count):
        chunks = column.chunks if isinstance(column, arrow.ChunkedArray) else [column]
        arrays = [chunk.to_numpy(zero_copy_only=False) for chunk in chunks]
        return arrays[0] if len(arrays) == 1 else np.concatenate([np.zeros(0, column.type.to_pandas_dtype()), *arrays])
    return objects(column.to_pylist())


def _array(data: Any, name: str) -> tuple[Array, bool]:
    """The array of an object that has one, and whether it is bfloat16, of which it has the two bytes as u2."""
    if callable(getattr(data, "detach", None)):
        return _of_tensor(data, name)
    if isinstance(data, list | tuple):
        if data and isinstance(data[0], Mapping):
            advice = "pandas.DataFrame(rows) or polars.DataFrame(rows) is a table of them"
            raise DataError("a list of dicts is not a table", place=Place(name), advice=advice)
        tensors = bool(data) and callable(getattr(data[0], "detach", None))
        try:
            return np.asarray([_floats(item, name) for item in data] if tensors else data), False
        except ValueError:
            raise DataError("rows of unequal length; a list of lists is a table", place=Place(name)) from None
    if hasattr(data, "__dlpack__") and not hasattr(data, "__array__"):
        return np.from_dlpack(data), False
    array = np.asarray(data)
    # ml_dtypes gives NumPy a bfloat16, as jax and TensorFlow have it.
    return (array.view(np.uint16), True) if array.dtype.name == "bfloat16" else (array, False)


def _of_tensor(tensor: Any, name: str) -> tuple[Array, bool]:
    """The numbers of a tensor of torch, without its gradient and on the CPU."""
    plain = tensor.detach().cpu()
    dtype = plain.dtype
    if not str(dtype).endswith("bfloat16"):
        return np.asarray(plain), False
    # NumPy has no bfloat16; view the tensor as 2-byte integers instead.
    library: Any = sys.modules[type(dtype).__module__.partition(".")[0]]
    return _array(plain.view(library.int16), name)[0].view(np.uint16), True


def _floats(tensor: Any, name: str) -> Array:
    array, bfloat16 = _of_tensor(tensor, name)
    return widened(array) if bfloat16 else array


def _of_array(array: Array, name: str, column: str, data: Any = None, *, bfloat16: bool = False) -> MemorySource:
    """A source with the last axis of an array as columns; raises DataError if the dtype is not numbers or text."""
    index = index_of(data)
    if array.dtype.kind == "O" and not array.ndim:
        reason = f"an object of type {shown(type(data).__name__)}; a path, an array or a data frame is expected"
        raise DataError(reason, place=Place(name), advice=_advice(data))
    if array.ndim == 1 and array.dtype.kind in "OMT":
        values = array.astype(str) if array.dtype.kind == "M" else array
        return _of_columns([column or str(getattr(data, "name", None) or "")], [values.astype(object)], name, data)
    if array.dtype.kind not in "biufUS":
        floats = array.dtype.name.startswith("float8")
        advice = "astype('float32') makes numbers of it that NumPy has" if floats else ""
        if array.dtype.kind == "O":
            advice = "numpy.asarray(..., dtype='float64') makes numbers of them"
        reason = f"an array of dtype {array.dtype}; numbers or text are expected"
        raise DataError(reason, place=Place(name), advice=advice)
    if not array.ndim:
        raise DataError("a single number; an array (rows,) or (rows, classes) is expected", place=Place(name))
    axes = (*array.shape, 1) if array.ndim == 1 else array.shape
    table = array.reshape(math.prod(axes[:-1]), axes[-1])
    names = (column,) if column and axes[-1] == 1 else ()
    return MemorySource(
        name, names, len(table), table, shape=array.shape, index=index, bfloat16=bfloat16, column=column
    )
