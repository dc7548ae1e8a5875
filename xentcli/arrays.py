"""Type aliases for arrays, and small array functions: distinct values, slices of rows, exact products."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

__all__ = [
    "Array",
    "Bytes",
    "Flags",
    "Floats",
    "Ints",
    "Words",
    "distinct",
    "ids_of",
    "index_of",
    "npy_header",
    "objects",
    "of_pandas",
    "picked",
    "rows_of_planes",
    "spans",
    "two_product",
]

_SMALL, _FAR = 1024, 1 << 62
_FLOATS = (float, np.floating, tuple)
"""Types of values that are floats, or may hold them."""

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]
    Words = npt.NDArray[np.uint64]
    Bytes = npt.NDArray[np.uint8]
    Array = npt.NDArray[np.generic]
else:
    Floats = Ints = Flags = Words = Bytes = Array = np.ndarray


def picked(places: Sequence[int]) -> slice | list[int]:
    """Return an index for these places of an array: a slice, which makes no copy, if they are consecutive.

    >>> picked((2, 3, 4)), picked((1, 0))
    (slice(2, 5, None), [1, 0])
    """
    span = slice(places[0], places[0] + len(places))
    return span if list(places) == list(range(span.start, span.stop)) else list(places)


def spans(start: int, rows: int, inner: int) -> Iterator[tuple[int, int, int, int, int]]:
    """Cut rows, `inner` of which are in each block, where blocks begin: the blocks that are whole are one cut.

    Yields how many rows come before, the block, the place in it, how many rows of a block, and
    how many blocks.

    >>> list(spans(start=4, rows=8, inner=3))
    [(0, 1, 1, 2, 1), (2, 2, 0, 3, 2)]
    """
    done = 0
    while done < rows:
        block, at = divmod(start + done, inner)
        count = min(inner - at, rows - done)
        blocks = max(1, (rows - done) // inner) if at == 0 else 1
        yield done, block, at, count, blocks
        done += count * blocks


def rows_of_planes(planes: Array, start: int, rows: int) -> Array:
    """Return rows (n, k) of an array (blocks, k, inner) whose rows are counted block by block.

    >>> rows_of_planes(np.arange(12).reshape(2, 2, 3), 2, 2).tolist()
    [[2, 5], [6, 9]]
    """
    _, width, inner = planes.shape
    result = np.empty((rows, width), planes.dtype)
    for first, block, at, count, blocks in spans(start, rows, inner):
        some = planes[block : block + blocks, :, at : at + count].transpose(0, 2, 1)
        result[first : first + blocks * count] = some.reshape(-1, width)
    return result


def distinct(values: Array) -> tuple[Array, Ints, Ints]:
    """Return the distinct values, sorted; the first place of each; and for each place the index of its value.

    ``numpy.unique`` does the same, and loads ``numpy.ma`` for it, a twentieth of a short run.

    >>> [part.tolist() for part in distinct(np.array([7, 5, 7]))]
    [[5, 7], [1, 0], [1, 0, 1]]
    """
    flat = values.reshape(-1)
    if flat.dtype.kind in "iub" and len(flat):
        low, high = int(np.minimum.reduce(flat)), int(np.maximum.reduce(flat))
        if high - low < max(len(flat), _SMALL) and abs(low) < _FAR:
            found, first, places = _distinct_among(flat.astype(np.int64) - low, high - low + 1)
            return (found + low).astype(flat.dtype), first, places
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    new = np.ones(len(flat), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    places = np.empty(len(flat), dtype=np.int64)
    places[order] = np.cumsum(new) - 1
    return ordered[new], order[new], places


def _distinct_among(codes: Ints, count: int) -> tuple[Ints, Ints, Ints]:
    """The same for codes from 0 to `count` - 1, in a tenth of the time of sorting."""
    rows = len(codes)
    first = np.full(count, rows)
    # Assignment keeps the last of several values for one place.
    first[codes[::-1]] = np.arange(rows - 1, -1, -1)
    (found,) = (first < rows).nonzero()
    places = np.empty(count, dtype=np.int64)
    places[found] = np.arange(len(found))
    return found, first[found], places[codes]


def two_product(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return the product rounded, and its rounding error: exact where both are `moderate`."""
    product = x * y
    x_high, x_low = _halves(x)
    y_high, y_low = (x_high, x_low) if y is x else _halves(y)
    error = x_high * y_high
    error -= product
    error += x_high * y_low
    error += x_low * y_high
    x_low *= y_low
    error += x_low
    return product, error


def _halves(x: Floats) -> tuple[Floats, Floats]:
    """The upper 26 bits of significands, and the rest (G. W. Veltkamp's splitting)."""
    scaled = x * 134217729.0
    high: Floats = scaled - x
    np.subtract(scaled, high, out=high)
    return high, x - high


def objects(values: Sequence[Any]) -> Array:
    """Return an array of Python objects (n,), also where each is a list."""
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def index_of(data: Any) -> Array | None:
    """Return the index of a pandas object, times as text and whole floats as ints; None for other objects.

    Pandas takes an index of floats for equal to one of ints, and joins the two.
    """
    index = getattr(data, "index", None)
    return None if index is None or not hasattr(data, "iloc") else ids_of(index)


def ids_of(index: Any) -> Array:
    """Return the values of a pandas index as ids: times as text, whole floats as ints."""
    return _whole_as_ints(of_pandas(index))


def _whole_as_ints(ids: Array) -> Array:
    """Ids with whole floats as ints; an array of floats that are not all whole as it is."""
    if ids.dtype.kind == "f":
        # NaN is neither below a number nor equal to itself.
        floats = ids.astype(np.float64)
        return floats.astype(np.int64) if ((np.abs(floats) < _FAR) & (floats == np.trunc(floats))).all() else ids
    values = ids.tolist() if ids.dtype.kind == "O" else []
    return objects([_as_int(value) for value in values]) if any(isinstance(v, _FLOATS) for v in values) else ids


def _as_int(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_as_int, value))
    return int(value) if isinstance(value, float | np.floating) and float(value).is_integer() else value


def of_pandas(values: Any) -> Array:
    """Return the array of a pandas series or index: times as text; None for what is missing among objects.

    Whole numbers beside a missing one are objects: NumPy would round them to floats.
    """
    dtype = values.dtype
    kind = getattr(dtype, "kind", "")
    rounded = kind in "iu" and not isinstance(dtype, np.dtype) and values.hasnans
    column = np.asarray(values.astype(str if kind in "mM" else object) if rounded or kind in "mM" else values)
    # An index of several levels has tuples, which are not missing.
    single = column.dtype.kind == "O" and getattr(values, "nlevels", 1) == 1
    missing = np.asarray(values.isna()) if single else np.zeros(0)
    if missing.any():
        column = column.copy()
        column[missing] = None
    return column


def npy_header(kind: str, shape: tuple[int, ...]) -> bytes:
    """Return the NPY header of an array; it has the same length for any shape of as many axes."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": kind, "fortran_order": False, "shape": shape})
    return header.getvalue()
