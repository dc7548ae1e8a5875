"""NPY files: arrays of any whole or real dtype, byte order and memory order.

The header is read by our own few lines (the format is described in NumPy's
``numpy.lib.format``, NEP 1), so that nothing is allocated or unpickled before the
shape has been held against the size of the file.
"""

from __future__ import annotations

import ast
import contextlib
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from xentcli.arrays import Array
from xentcli.errors import DataError, Place, shown
from xentcli.readers.source import (
    BLOCK_BYTES,
    PIECE_NUMBERS,
    TASK_ROWS,
    OfStream,
    Pick,
    Rows,
    Selection,
    Values,
    text_for_numbers,
)
from xentcli.readers.stream import ByteStream, fill_range, open_range, read_range
from xentcli.records import record, replace

__all__ = ["MAGIC", "NpyPart", "NpySource", "open_npy", "read_values"]

MAGIC = b"\x93NUMPY"
MAX_HEADER = 1 << 16
MAX_DIMENSIONS = 64
BFLOAT16 = "bfloat16"
_NUMERIC = re.compile(r"[<>=|]?([biuf][1248])")
_TEXT = re.compile(r"[<>=|]?[US][1-9][0-9]{0,6}")


@record(frozen=True)
class Layout:
    """Where the numbers of an array stand in its file; its last axis is the columns."""

    dtype: str
    fortran: bool
    shape: tuple[int, ...]
    begin: int

    @property
    def rows(self) -> int:
        """How many rows there are: the index of all axes but the last, in C order."""
        return math.prod(self.shape[:-1])

    @property
    def width(self) -> int:
        """How many columns there are."""
        return self.shape[-1]

    @property
    def slab(self) -> int:
        """How many rows can be read only together: those of one index of the first axis in Fortran order."""
        return math.prod(self.shape[1:-1]) if self.fortran else 1

    @property
    def item(self) -> int:
        """Bytes per number."""
        return np.dtype(self.stored).itemsize

    @property
    def stored(self) -> str:
        """The NumPy dtype of the bytes: that of whole numbers for bfloat16, which NumPy does not have."""
        return "<u2" if self.dtype == BFLOAT16 else self.dtype

    @property
    def length(self) -> int:
        """Bytes of all numbers."""
        return math.prod(self.shape) * self.item


@record(frozen=True)
class NpyPart:
    """Rows of an array: a range of a plain file, or the bytes of a stream."""

    path: str
    layout: Layout
    start: int
    rows: int
    data: bytes | memoryview | None

    def load(self, selection: Selection) -> Rows:
        """Read the selected columns.

        Raises
        ------
        DataError
            When the file became shorter, or text in it is none.
        """
        return self._rows(self.array(_chosen(selection) if self.layout.fortran else ()), self.start, selection)

    def _rows(self, array: Array, start: int, selection: Selection) -> Rows:
        """The selected columns of rows that were read, `start` rows after the first."""
        values = read_values(array, selection, lambda row: Place(self.path, start + row + 1))
        return Rows(self.path, (), selection, start, len(array), values)

    def pieces(self, selection: Selection) -> Iterator[Rows]:
        """Read them in pieces that fit into a cache; of an array in Fortran order all columns first."""
        layout = self.layout
        step = max(1, PIECE_NUMBERS // layout.width)
        if self.rows <= step:
            yield self.load(selection)
            return
        if layout.fortran:
            whole = self.array(_chosen(selection))
            for first in range(0, self.rows, step):
                yield self._rows(whole[first : first + step], self.start + first, selection)
            return
        size = layout.width * layout.item
        file = None
        with contextlib.ExitStack() as stack:
            if self.data is None:
                file = stack.enter_context(open_range(self.path))
            for first in range(0, self.rows, step):
                start, count = self.start + first, min(step, self.rows - first)
                if file is None:
                    assert self.data is not None
                    data = memoryview(self.data)[first * size : (first + count) * size]
                else:
                    data = np.empty(count * size, np.uint8).data
                    fill_range(file, self.path, layout.begin + start * size, data)
                yield NpyPart(self.path, layout, start, count, data).load(selection)
                del data

    def first(self, rows: int) -> NpyPart:
        """Return the first rows of a file in C order; else all."""
        if rows >= self.rows or self.layout.fortran or self.data is not None:
            return self
        return replace(self, rows=rows)

    def array(self, chosen: Sequence[int]) -> Array:
        """Read the rows as they are in the file, (n, k); in Fortran order only the chosen columns are filled."""
        layout = self.layout
        if not layout.fortran:
            size = layout.width * layout.item
            data = self.data
            if data is None:
                data = read_range(self.path, layout.begin + self.start * size, self.rows * size)
            numbers = self._checked(np.frombuffer(data, layout.stored).reshape(self.rows, layout.width))
            return _widened(numbers, layout)
        columns: Iterable[int] = range(math.prod(layout.shape[1:]))
        if layout.slab == 1:
            columns = chosen
        first, count = self.start // layout.slab, self.rows // layout.slab
        result = np.zeros((count, math.prod(layout.shape[1:])), layout.stored, order="F")
        buffer = bytearray(count * layout.item)
        with open_range(self.path) as file:
            for column in columns:
                begin = layout.begin + (column * layout.shape[0] + first) * layout.item
                fill_range(file, self.path, begin, memoryview(buffer))
                result[:, column] = np.frombuffer(buffer, layout.stored)
        whole = _widened(result, layout).reshape((count, *layout.shape[1:]), order="F")
        return self._checked(whole.reshape(self.rows, layout.width))

    def _checked(self, array: Array) -> Array:
        """The rows, of which bytes that are to be true or false are 1 or 0."""
        if self.layout.dtype.endswith("b1"):
            bad = np.flatnonzero((array.view(np.uint8) > 1).any(axis=1))
            if len(bad):
                row = int(bad[0])
                found = int(array[row].view(np.uint8).max())
                place = Place(self.path, self.start + row + 1)
                raise DataError(f"byte {found} is neither true nor false", place=place)
        return array


@record(frozen=True)
class NpySource(OfStream):
    """An array in a file or stream; its last axis is the columns, the others count its rows."""

    stream: ByteStream
    layout: Layout
    shape: tuple[int, ...]
    format: str = "npy"
    header: bool | None = None
    names: tuple[str, ...] = ()
    tabular: bool = False
    row_names: None = None

    @property
    def width(self) -> int:
        """How many columns it has."""
        return self.layout.width

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The dtype of the file."""
        return np.dtype(np.float32 if self.layout.dtype == BFLOAT16 else self.layout.dtype)

    @property
    def task_bytes(self) -> int:
        """About how many bytes make a part."""
        return self.task_of_pieces

    def numeric(self, column: int) -> bool:
        """Whether it holds numbers, not text."""
        return self.dtype.kind not in "US"

    def flattened(self) -> NpySource:
        """Return all its numbers as rows of one column, in C order of the index."""
        return replace(self, layout=replace(self.layout, shape=(*self.shape, 1)))

    def lines(self) -> int:
        """Count the rows."""
        return self.layout.rows

    def share_of(self, rows: int) -> float:
        """Say which share of all so many rows are."""
        return rows / max(1, self.layout.rows)

    def parts(self, block_bytes: int = BLOCK_BYTES) -> Iterator[NpyPart]:
        """Cut it into parts of about `block_bytes`.

        Raises
        ------
        DataError
            For a stream in Fortran order, or one that ends too early or too late.
        """
        layout = self.layout
        size = layout.width * layout.item
        most = min(block_bytes // size, TASK_ROWS)
        yield from self.parts_of(max(1, most // layout.slab) * layout.slab)

    def parts_of(self, step: int) -> Iterator[NpyPart]:
        """Cut it into parts of `step` rows."""
        layout = self.layout
        size = layout.width * layout.item
        if self.stream.plain:
            for start in range(0, layout.rows, step):
                yield NpyPart(self.stream.path or self.path, layout, start, min(step, layout.rows - start), None)
            return
        if layout.fortran and layout.rows:
            raise DataError(
                "an array in Fortran order cannot be read as a stream",
                place=Place(self.path),
                advice="give it as an uncompressed file, or numpy.save('c.npy', numpy.ascontiguousarray(array))",
            )
        yield from self._stream_parts(size, step)

    def _stream_parts(self, size: int, step: int) -> Iterator[NpyPart]:
        buffer = bytearray()
        skip, start = self.layout.begin, 0
        for chunk in self.stream.chunks(max(1 << 16, min(step * size, 1 << 23))):
            buffer += chunk
            if skip:
                gone = min(skip, len(buffer))
                del buffer[:gone]
                skip -= gone
            while (whole := min(step, len(buffer) // size)) and (whole == step or start + whole == self.layout.rows):
                yield NpyPart(self.path, self.layout, start, whole, bytes(buffer[: whole * size]))
                del buffer[: whole * size]
                start += whole
        if buffer or start != self.layout.rows:
            held = start * size + len(buffer)
            raise DataError(_size_fault(self.layout, self.shape, held), place=Place(self.path))


def _chosen(selection: Selection) -> list[int]:
    """The columns of a selection, once each."""
    return sorted({c for pick in selection.values() for c in pick.columns})


def open_npy(stream: ByteStream, dtype: str | None = None) -> NpySource:
    """Read the header of an array and hold it against the size of the file.

    With `dtype` "bfloat16", two bytes that NumPy has no name for are a number.

    Raises
    ------
    DataError
        For anything but a whole array of numbers or text with one or more dimensions.
    """
    place = Place(stream.name)
    head = stream.head
    if not head.startswith(MAGIC) or len(head) < 10:
        raise DataError("not an NPY file: it does not begin with \\x93NUMPY", place=place)
    major, minor = head[6], head[7]
    if major not in (1, 2, 3) or minor != 0:
        raise DataError(f"NPY version {major}.{minor}; 1.0, 2.0 and 3.0 are read", place=place)
    prefix = 10 if major == 1 else 12
    length = int.from_bytes(head[8:prefix], "little")
    if length > MAX_HEADER:
        raise DataError(f"a header of {length:,} bytes; at most {MAX_HEADER:,} are read", place=place)
    if len(head) < prefix + length:
        stream.look_further(prefix + length)
        head = stream.head
    if len(head) < prefix + length:
        raise DataError("the file ends within its header", place=place)
    found, fortran, shape = _header(head[prefix : prefix + length], major, place, dtype == BFLOAT16)
    axes = (*shape, 1) if len(shape) == 1 else shape
    # Of an array with one axis longer than 1 both orders are the same.
    layout = Layout(found, fortran and sum(n != 1 for n in shape) > 1, axes, prefix + length)
    if layout.width == 0:
        raise DataError(f"an array of shape {shape} has no columns", place=place)
    if stream.plain and stream.path:
        held = os.stat(stream.path).st_size - layout.begin
        if held != layout.length:
            raise DataError(_size_fault(layout, shape, held), place=place)
    return NpySource(stream, layout, shape)


def _widened(stored: Array, layout: Layout) -> Array:
    """The numbers of the bytes; a bfloat16 is the upper half of a float32."""
    if layout.dtype != BFLOAT16:
        return stored
    widened: Array = (stored.astype(np.uint32) << 16).view(np.float32)
    return widened


def read_values(array: Array, selection: Selection, where: Callable[[int], Place]) -> dict[str, Values]:
    """Take the selected columns of rows (n, k): (n, k) for numbers, a column or texts for the rest.

    Numbers are f8 or, where they are all that there is, the shorter floats that they are.

    Raises
    ------
    DataError
        For text where numbers must be, or bytes that are no text.
    """
    return {role: _read(array, pick, where) for role, pick in selection.items()}


def _read(array: Array, pick: Pick, where: Callable[[int], Place]) -> Values:
    if pick.as_ == "numbers":
        if array.dtype.kind in "US":
            raise text_for_numbers(where(0).path)
        if not pick.covers(array.shape[1]):
            return np.ascontiguousarray(array[:, pick.chosen], dtype=np.float64)
        short = array.dtype.kind == "f" and array.dtype.isnative and array.dtype.itemsize < 8 and array.shape[1] > 1
        return np.ascontiguousarray(array, dtype=array.dtype if short else np.float64)
    column = array[:, pick.columns[0]]
    if column.dtype.kind in "US":
        return _texts(column, where)
    if pick.as_ in ("text", "keys"):
        return [str(value) for value in column.tolist()]
    return column.astype(column.dtype.newbyteorder("="))


def _texts(column: Array, where: Callable[[int], Place]) -> list[str]:
    """The texts of an array: its bytes are UTF-8, its code points are characters."""
    if column.dtype.kind == "U":
        points = np.ascontiguousarray(column).view(np.dtype(np.uint32).newbyteorder(column.dtype.byteorder))
        # The code points of surrogates stand for nothing, and there are none above 10FFFF.
        bad = np.flatnonzero(((points > 0x10FFFF) | (points >> 11 == 0x1B)).reshape(len(column), -1).any(axis=1))
        if len(bad):
            raise DataError("text with a code point that is no character", place=where(int(bad[0])))
        texts: list[str] = column.tolist()
        return texts
    result = []
    for row, value in enumerate(column.tolist()):
        try:
            result.append(value.decode())
        except UnicodeDecodeError as error:
            raise DataError(f"byte 0x{value[error.start]:02x} is not UTF-8", place=where(row)) from None
    return result


def _header(text: bytes, major: int, place: Place, halves: bool) -> tuple[str, bool, tuple[int, ...]]:
    fault = DataError(f"the NPY header cannot be understood: {shown(text.decode('latin1').strip())}", place=place)
    try:
        header = ast.parse(text.strip(b" \n").decode("utf-8" if major == 3 else "latin1"), mode="eval").body
        fields = ast.literal_eval(header)
        if not isinstance(header, ast.Dict) or len(header.keys) != len(fields):
            raise ValueError("a key is there twice")
        descr, fortran, shape = fields["descr"], fields["fortran_order"], fields["shape"]
    except (ValueError, SyntaxError, KeyError, TypeError, MemoryError, RecursionError):
        raise DataError(
            f"the NPY header cannot be understood: {shown(text.decode('latin1').strip())}", place=place
        ) from None
    if set(fields) != {"descr", "fortran_order", "shape"} or not isinstance(fortran, bool):
        raise fault
    if not isinstance(shape, tuple) or not all(type(n) is int and 0 <= n < 2**62 for n in shape):
        raise DataError(f"an array of shape {shown(shape)}; lengths are whole numbers from 0 up", place=place)
    if halves:
        if descr not in ("<V2", "|V2", "V2", "<u2", BFLOAT16):
            raise DataError(
                f"an array of dtype {shown(descr)}; bfloat16 is stored as V2 or <u2 (--dtype bfloat16)", place=place
            )
        descr = BFLOAT16
    elif (
        not isinstance(descr, str)
        or not (_NUMERIC.fullmatch(descr) or _TEXT.fullmatch(descr))
        or descr[-2:] in ("f1", "b2", "b4", "b8")
    ):
        raise DataError(
            f"an array of dtype {shown(descr)}; whole and real numbers up to 8 bytes are read",
            place=place,
            advice=_dtype_advice(descr),
        )
    if len(shape) > MAX_DIMENSIONS:
        raise DataError(f"an array of {len(shape):,} dimensions; NumPy has {MAX_DIMENSIONS} at most", place=place)
    if not shape:
        raise DataError("an array of no dimension: a single number", place=place)
    return descr, fortran, shape


def _dtype_advice(descr: object) -> str:
    if isinstance(descr, str) and descr.lstrip("<|") == "V2":
        return "--dtype bfloat16, if that is what it is"
    if descr == "|O":
        return "an array of Python objects is a pickle; numpy.save('p.npy', numpy.stack(array).astype(float))"
    if isinstance(descr, list):
        return "numpy.save('p.npy', numpy.lib.recfunctions.structured_to_unstructured(array))"
    if isinstance(descr, str) and "c" in descr:
        return "numpy.save('p.npy', array.real), if the imaginary parts are all 0"
    if isinstance(descr, str) and set(descr) & set("mM"):
        return "times are no numbers to score"
    return "numpy.save('p.npy', array.astype('float64'))"


def _size_fault(layout: Layout, shape: tuple[int, ...], held: int) -> str:
    needed = layout.length
    state = "truncated" if held < needed else "longer than its array"
    return f"the file is {state}: shape {shape} of {layout.dtype} needs {needed:,} bytes, {max(held, 0):,} are there"
