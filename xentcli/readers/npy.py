"""NPY files: arrays of any whole or real dtype, byte order and memory order.

The header is read by our own few lines (the format is described in NumPy's
``numpy.lib.format``, NEP 1), so that nothing is allocated or unpickled before the
shape has been held against the size of the file.
"""

from __future__ import annotations

import ast
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from xentcli.errors import DataError, Place, shown
from xentcli.readers.source import BLOCK_BYTES, Pick, Rows, Selection, Values
from xentcli.readers.stream import ByteStream, read_range

__all__ = ["MAGIC", "NpyPart", "NpySource", "open_npy", "read_values"]

MAGIC = b"\x93NUMPY"
MAX_HEADER = 1 << 16
_NUMERIC = re.compile(r"[<>=|]?([biuf][1248])")
_TEXT = re.compile(r"[<>=|]?[US][1-9][0-9]{0,6}")


@dataclass(frozen=True)
class Layout:
    """Where the numbers of an array stand in its file."""

    dtype: str
    fortran: bool
    rows: int
    width: int
    begin: int

    @property
    def item(self) -> int:
        """Bytes per number."""
        return np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class NpyPart:
    """Rows of an array: a range of a plain file, or the bytes of a stream."""

    path: str
    layout: Layout
    start: int
    rows: int
    data: bytes | None

    def load(self, selection: Selection) -> Rows:
        """Read the selected columns."""
        values = read_values(self._array(selection), selection)
        return Rows(self.path, (), selection, self.start, self.rows, values)

    def _array(self, selection: Selection) -> npt.NDArray[np.generic]:
        """The rows as they are in the file; in Fortran order only the selected columns are filled."""
        layout = self.layout
        shape = (self.rows, layout.width)
        if not layout.fortran or layout.width == 1:
            begin = layout.begin + self.start * layout.width * layout.item
            length = self.rows * layout.width * layout.item
            data = read_range(self.path, begin, length) if self.data is None else self.data
            return np.frombuffer(data, layout.dtype).reshape(shape)
        result = np.zeros(shape, layout.dtype)
        for column in sorted({c for pick in selection.values() for c in pick.columns}):
            begin = layout.begin + (column * layout.rows + self.start) * layout.item
            result[:, column] = np.frombuffer(read_range(self.path, begin, self.rows * layout.item), layout.dtype)
        return result


@dataclass(frozen=True)
class NpySource:
    """An array in a file or stream; its last axis is the columns."""

    stream: ByteStream
    layout: Layout
    shape: tuple[int, ...]
    format: str = "npy"
    header: bool | None = None
    names: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """What messages call it."""
        return self.stream.name

    @property
    def repeatable(self) -> bool:
        """Whether it can be read again."""
        return self.stream.path is not None

    @property
    def width(self) -> int:
        """How many columns it has."""
        return self.layout.width

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The dtype of the file."""
        return np.dtype(self.layout.dtype)

    def flattened(self) -> NpySource:
        """Return all its numbers as rows of one column, in C order of the index."""
        if self.layout.fortran and len([n for n in self.shape if n > 1]) > 1:
            raise DataError(
                f"an array of shape {self.shape} in Fortran order cannot be flattened as a stream",
                place=Place(self.path),
                advice="numpy.save('flat.npy', array.ravel())",
            )
        return replace(self, layout=replace(self.layout, fortran=False, rows=math.prod(self.shape), width=1))

    def check_unchanged(self) -> None:
        """Raise DataError when the file is no longer what was opened."""
        self.stream.check_unchanged()

    def lines(self) -> int:
        """Count the rows."""
        return self.layout.rows

    def parts(self, block_bytes: int = BLOCK_BYTES) -> Iterator[NpyPart]:
        """Cut it into parts of about `block_bytes`."""
        layout = self.layout
        size = max(1, layout.width * layout.item)
        step = max(1, block_bytes // size)
        if self.stream.plain:
            for start in range(0, layout.rows, step):
                yield NpyPart(self.path, layout, start, min(step, layout.rows - start), None)
            return
        if layout.fortran and layout.width > 1 and layout.rows > 1:
            raise DataError(
                "an array in Fortran order cannot be read as a stream",
                place=Place(self.path),
                advice="give it as an uncompressed file, or numpy.save('c.npy', numpy.ascontiguousarray(array))",
            )
        yield from self._stream_parts(size, step)

    def _stream_parts(self, size: int, step: int) -> Iterator[NpyPart]:
        buffer = bytearray()
        skip, start = self.layout.begin, 0
        for chunk in self.stream.chunks(max(1 << 16, step * size)):
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


def open_npy(stream: ByteStream) -> NpySource:
    """Read the header of an array and hold it against the size of the file.

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
    dtype, fortran, shape = _header(head[prefix : prefix + length], major, place)
    width = 1 if len(shape) == 1 else shape[-1]
    layout = Layout(dtype, fortran, math.prod(shape[:-1]) if len(shape) > 1 else shape[0], width, prefix + length)
    if width == 0:
        raise DataError(f"an array of shape {shape} has no columns", place=place)
    if stream.plain and stream.path:
        held = os.stat(stream.path).st_size - layout.begin
        if held != layout.rows * layout.width * layout.item:
            raise DataError(_size_fault(layout, shape, held), place=place)
    return NpySource(stream, layout, shape)


def read_values(array: npt.NDArray[np.generic], selection: Selection) -> dict[str, Values]:
    """Take the selected columns of rows (n, k): f8[n, k] for numbers, a column or texts for the rest."""
    return {role: _read(array, pick) for role, pick in selection.items()}


def _read(array: npt.NDArray[np.generic], pick: Pick) -> Values:
    if pick.as_ == "numbers":
        whole = pick.columns == tuple(range(array.shape[1]))
        chosen = array if whole else array[:, list(pick.columns)]
        return np.ascontiguousarray(chosen, dtype=np.float64)
    column = array[:, pick.columns[0]]
    if column.dtype.kind in "US":
        return [text.decode() if isinstance(text, bytes) else text for text in column.tolist()]
    if pick.as_ == "text":
        return [str(value) for value in column.tolist()]
    return column.astype(column.dtype.newbyteorder("="))


def _header(text: bytes, major: int, place: Place) -> tuple[str, bool, tuple[int, ...]]:
    try:
        fields = ast.literal_eval(text.decode("utf-8" if major == 3 else "latin1").strip())
        descr, fortran, shape = fields["descr"], fields["fortran_order"], fields["shape"]
    except (ValueError, SyntaxError, KeyError, TypeError, MemoryError, RecursionError):
        raise DataError("the NPY header cannot be understood", place=place) from None
    if set(fields) != {"descr", "fortran_order", "shape"} or not isinstance(fortran, bool):
        raise DataError("the NPY header cannot be understood", place=place)
    if not isinstance(shape, tuple) or not all(type(n) is int and 0 <= n < 2**62 for n in shape):
        raise DataError(f"an array of shape {shown(shape)}", place=place)
    if (
        not isinstance(descr, str)
        or not (_NUMERIC.fullmatch(descr) or _TEXT.fullmatch(descr))
        or descr[-2:] in ("f1", "b2", "b4", "b8")
    ):
        raise DataError(
            f"an array of dtype {shown(descr)}; whole and real numbers up to 8 bytes are read",
            place=place,
            advice=_dtype_advice(descr),
        )
    if not shape:
        raise DataError("an array of no dimension: a single number", place=place)
    return descr, fortran, shape


def _dtype_advice(descr: object) -> str:
    if descr == "|O":
        return "an array of Python objects is a pickle; numpy.save('p.npy', numpy.stack(array).astype(float))"
    return "numpy.save('p.npy', array.astype('float64'))"


def _size_fault(layout: Layout, shape: tuple[int, ...], held: int) -> str:
    needed = layout.rows * layout.width * layout.item
    state = "truncated" if held < needed else "longer than its array"
    return f"the file is {state}: shape {shape} of {layout.dtype} needs {needed:,} bytes, {max(held, 0):,} are there"
