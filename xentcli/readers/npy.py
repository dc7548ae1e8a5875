"""NPY files: arrays of any integer or float dtype, byte order and memory order.

The header is parsed here (format: ``numpy.lib.format``, NEP 1), so that nothing is allocated or unpickled
before the shape has been compared with the size of the file.
"""

from __future__ import annotations

import ast
import contextlib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from xentcli.arrays import Array, rows_of_planes, spans
from xentcli.columns.column import Values
from xentcli.errors import DataError, FileError, Place, shown
from xentcli.readers.source import (
    BLOCK_BYTES,
    PIECE_NUMBERS,
    TASK_ROWS,
    OfStream,
    Pick,
    Rows,
    Selection,
    Traits,
    text_for_numbers,
)
from xentcli.readers.stream import ByteStream, fill_range, open_range, read_range
from xentcli.records import record, replace
from xentcli.urls import is_url

__all__ = ["MAGIC", "NpyPart", "NpySource", "open_npy", "read_numbers", "read_values", "size_fault", "widened"]

MAGIC = b"\x93NUMPY"
MAX_HEADER = 1 << 16
MAX_DIMENSIONS = 64
HELD_BYTES = 1 << 28
"""Size limit for rows that can only be read together: 256 MiB."""
_SMALL_BLOCK = 1 << 20
BFLOAT16 = "bfloat16"
_NUMERIC = re.compile(r"[<>=|]?([biuf][1248])")
_TEXT = re.compile(r"[<>=|]?[US][1-9][0-9]{0,6}")
_WRITTEN = re.compile(
    r"\{'descr': '([<>=|a-zA-Z0-9]+)', 'fortran_order': (True|False), "
    r"'shape': \(((?:[1-9][0-9]*|0),|(?:[1-9][0-9]*|0)(?:, (?:[1-9][0-9]*|0))+|)\), \} *\n?"
)
"""A header as NumPy writes it."""


@record(frozen=True)
class Layout:
    """How an array is stored in its file; the axis `classes` is the columns, the others are the rows."""

    dtype: str
    fortran: bool
    shape: tuple[int, ...]
    begin: int
    classes: int = -1

    @property
    def lead(self) -> tuple[int, ...]:
        """The shape without the axis of the columns: rows are its indices in C order."""
        place = self.classes % len(self.shape)
        return self.shape[:place] + self.shape[place + 1 :]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return math.prod(self.lead)

    @property
    def width(self) -> int:
        """How many columns there are."""
        return self.shape[self.classes]

    @property
    def slab(self) -> int:
        """Rows that can only be read together: in Fortran order those with one index of the first axis."""
        return math.prod(self.lead[1:]) if self.fortran else 1

    @property
    def inner(self) -> int:
        """Stride between the classes of a row, in numbers, in C order: 1 if the classes are the last axis."""
        return 1 if self.fortran else math.prod(self.shape[self.classes % len(self.shape) + 1 :])

    @property
    def scattered(self) -> bool:
        """Whether the numbers of a row are not adjacent in the file."""
        return self.fortran or self.inner > 1

    @property
    def item(self) -> int:
        """Bytes per number."""
        return np.dtype(self.stored).itemsize

    @property
    def stored(self) -> str:
        """The NumPy dtype as stored: an integer for bfloat16, which NumPy does not have."""
        return "<u2" if self.dtype == BFLOAT16 else self.dtype

    @property
    def length(self) -> int:
        """Bytes of all numbers."""
        return math.prod(self.shape) * self.item

    @property
    def held(self) -> int:
        """Bytes that must be read together in a file in Fortran order, or a stream."""
        return self.width * self.item * (self.slab if self.fortran else self.inner)

    def as_rows(self) -> Layout:
        """Return the layout of the same rows with adjacent numbers."""
        return replace(self, fortran=False, shape=(*self.lead, self.width), classes=-1)


@record(frozen=True)
class NpyPart:
    """Rows of an array: a range of a plain file, or the bytes of a stream."""

    path: str
    layout: Layout
    start: int
    rows: int
    data: bytes | memoryview | None

    @property
    def size(self) -> int:
        """How many bytes are read for it."""
        return self.rows * self.layout.width * self.layout.item

    def load(self, selection: Selection) -> Rows:
        """Read the selected columns.

        Raises DataError if the file became shorter, or has invalid text.
        """
        return self._rows(self.array(_chosen(selection) if self.layout.scattered else ()), self.start, selection)

    def _rows(self, array: Array, start: int, selection: Selection) -> Rows:
        """Return the selected columns of rows that were read, from row `start` on."""
        values = read_values(array, selection, lambda row: Place(self.path, start + row + 1))
        return Rows(self.path, (), selection, start, len(array), values)

    def pieces(self, selection: Selection) -> Iterator[Rows]:
        """Read them in pieces that fit into a cache; if the numbers of a row are not adjacent, all at once first."""
        layout = self.layout
        step = max(1, PIECE_NUMBERS // layout.width)
        if self.rows <= step:
            yield self.load(selection)
            return
        if layout.scattered or (self.data is None and is_url(self.path)):
            # For a URL, one request fetches a whole part.
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

    def split(self, rows: int) -> tuple[NpyPart, NpyPart] | None:
        """Return the first rows and the others; None if the numbers of a row are not adjacent."""
        if self.layout.scattered:
            return None
        end = rows * self.layout.width * self.layout.item
        first, rest = (None, None) if self.data is None else (self.data[:end], self.data[end:])
        return (
            replace(self, rows=rows, data=first),
            replace(self, start=self.start + rows, rows=self.rows - rows, data=rest),
        )

    def array(self, chosen: Sequence[int]) -> Array:
        """Read the rows, (n, k); if their numbers are not adjacent, only the chosen columns are filled."""
        layout = self.layout
        if layout.fortran:
            found = self._from_columns(chosen)
        elif layout.inner > 1:
            found = self._from_planes(chosen)
        else:
            size = layout.width * layout.item
            data = self.data
            if data is None:
                data = read_range(self.path, layout.begin + self.start * size, self.rows * size)
            found = np.frombuffer(data, layout.stored).reshape(self.rows, layout.width)
        return _decoded(self._checked(found), layout)

    def _from_columns(self, chosen: Sequence[int]) -> Array:
        """Read rows in Fortran order: a run along the first axis for each index of the other axes."""
        layout = self.layout
        classes = layout.classes % len(layout.shape)
        # If the classes are the first axis, a run has all of them for each index of the second.
        run = layout.width if classes == 0 else 1
        first = self.start // layout.slab
        count = -(-(self.start + self.rows) // layout.slab) - first
        further = math.prod(layout.lead[1:]) * (1 if classes == 0 else layout.width)
        wanted: Iterable[int] = chosen if layout.slab == 1 and classes else range(further)
        result = np.zeros((count * run, further), layout.stored, order="F")
        buffer = bytearray(count * run * layout.item)
        with open_range(self.path) as file:
            for column in wanted:
                begin = layout.begin + (column * layout.lead[0] + first) * run * layout.item
                fill_range(file, self.path, begin, memoryview(buffer))
                result[:, column] = np.frombuffer(buffer, layout.stored)
        shape = list(layout.shape)
        shape[1 if classes == 0 else 0] = count
        rows = np.moveaxis(result.reshape(shape, order="F"), classes, -1).reshape(-1, layout.width)
        return rows[self.start - first * layout.slab :][: self.rows]

    def _from_planes(self, chosen: Sequence[int]) -> Array:
        """Read rows whose classes are `inner` numbers apart: whole blocks, or a run of each class."""
        layout = self.layout
        inner, width, item = layout.inner, layout.width, layout.item
        result = np.zeros((self.rows, width), layout.stored)
        with open_range(self.path) as file:
            for first, block, at, count, blocks in spans(self.start, self.rows, inner):
                begin = layout.begin + block * width * inner * item
                if count == inner or width * inner * item <= _SMALL_BLOCK:
                    buffer = np.empty((blocks, width, inner), layout.stored)
                    fill_range(file, self.path, begin, buffer.reshape(-1).view(np.uint8).data)
                    some = buffer[:, :, at : at + count].transpose(0, 2, 1)
                    result[first : first + blocks * count] = some.reshape(-1, width)
                    continue
                run = np.empty(count, layout.stored)
                for column in chosen:
                    fill_range(file, self.path, begin + (column * inner + at) * item, run.view(np.uint8).data)
                    result[first : first + count, column] = run
        return result

    def _checked(self, array: Array) -> Array:
        """Return the rows; bytes of booleans become 0 or 1."""
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
    """An array in a file or stream; one axis (by default the last) is the columns, the others are the rows."""

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
    def traits(self) -> Traits:
        """What only some sources have."""
        bfloat16 = range(self.width if self.layout.dtype == BFLOAT16 else 0)
        return Traits(dtype=self.dtype, bfloat16=frozenset(bfloat16))

    @property
    def task_bytes(self) -> int:
        """About how many bytes make a part."""
        return self.task_of_pieces

    def numeric(self, column: int) -> bool:
        """Whether it holds numbers, not text."""
        return self.dtype.kind not in "US"

    def flattened(self) -> NpySource:
        """Return all its numbers as rows of one column, in C order of the index."""
        return replace(self, layout=replace(self.layout, shape=(*self.shape, 1), classes=-1))

    def with_classes_at(self, axis: int) -> NpySource:
        """Return it with an axis, counted from 0, as its columns, and the others, in C order, as its rows."""
        layout = replace(self.layout, classes=axis)
        if layout.fortran and len(layout.shape) == 2 and axis == 0:
            # Columns by rows in Fortran order are rows by columns in C order.
            layout = replace(layout, fortran=False, shape=layout.shape[::-1], classes=1)
        return replace(self, layout=layout)

    def lines(self) -> int:
        """Count the rows."""
        return self.layout.rows

    def share_of(self, rows: int) -> float:
        """Return the fraction of all rows that `rows` is."""
        return rows / max(1, self.layout.rows)

    def parts(self, block_bytes: int = BLOCK_BYTES) -> Iterator[NpyPart]:
        """Cut it into parts of about `block_bytes`.

        Raises DataError for a stream in Fortran order, or one that ends too early or too late.
        """
        layout = self.layout
        size = layout.width * layout.item
        most = min(block_bytes // size, TASK_ROWS)
        yield from self.parts_of(max(1, most // layout.slab) * layout.slab)

    def parts_of(self, step: int) -> Iterator[NpyPart]:
        """Cut it into parts of `step` rows."""
        layout = self.layout
        size = layout.width * layout.item
        if (layout.fortran or not self.stream.plain) and layout.held > HELD_BYTES:
            raise self._too_much()
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

    def _too_much(self) -> FileError:
        """Return the error for too many rows that can only be read together."""
        apart = "Fortran order" if self.layout.fortran else "classes that are not the last axis"
        way = "numpy.ascontiguousarray(array)"
        if not self.layout.fortran:
            way = f"numpy.moveaxis(array, {self.layout.classes % len(self.layout.shape)}, -1)"
        return FileError(
            f"{apart}: {self.layout.held:,} bytes must be held in memory at once; the limit is {HELD_BYTES:,}",
            place=Place(self.path),
            advice=("give it as an uncompressed file",) * (not self.stream.plain)
            + (f"numpy.save('rows.npy', {way}) writes an array that is read in pieces",),
        )

    def _stream_parts(self, size: int, step: int) -> Iterator[NpyPart]:
        buffer = bytearray()
        rows, start = self.layout.as_rows(), 0
        for chunk in self._row_bytes(max(1 << 16, min(step * size, 1 << 23))):
            buffer += chunk
            while (whole := min(step, len(buffer) // size)) and (whole == step or start + whole == rows.rows):
                yield NpyPart(self.path, rows, start, whole, bytes(buffer[: whole * size]))
                del buffer[: whole * size]
                start += whole
        if buffer or start != rows.rows:
            held = start * size + len(buffer)
            raise DataError(size_fault(self.layout, self.shape, held), place=Place(self.path))

    def _row_bytes(self, most: int) -> Iterator[bytes | bytearray]:
        """Yield the bytes after the header, about `most` at a time, with the numbers of each row adjacent."""
        layout, buffer, skip, done = self.layout, bytearray(), self.layout.begin, 0
        for chunk in self.stream.chunks(most):
            data, skip = chunk[skip:], max(0, skip - len(chunk))
            if layout.inner == 1:
                yield data
                continue
            buffer += data
            whole = len(buffer) // layout.held * layout.held
            if whole:
                yield self._turned(buffer[:whole])
                del buffer[:whole]
                done += whole
        if buffer:
            raise DataError(size_fault(layout, self.shape, done + len(buffer)), place=Place(self.path))

    def _turned(self, data: bytearray) -> bytes:
        """Transpose blocks of rows whose classes are not adjacent."""
        layout = self.layout
        planes = np.frombuffer(data, layout.stored).reshape(-1, layout.width, layout.inner)
        return rows_of_planes(planes, 0, len(planes) * layout.inner).tobytes()


def _chosen(selection: Selection) -> list[int]:
    """The distinct columns of a selection."""
    return sorted({c for pick in selection.values() for c in pick.columns})


def open_npy(stream: ByteStream, dtype: str | None = None) -> NpySource:
    """Read the header of an array and check it against the size of the file.

    With `dtype` "bfloat16", 2-byte values of a dtype unknown to NumPy are read as bfloat16.

    Raises DataError for anything but a whole array of numbers or text with one or more dimensions.
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
    # With only one axis longer than 1, C and Fortran order are the same.
    layout = Layout(found, fortran and sum(n != 1 for n in shape) > 1, axes, prefix + length)
    if layout.width == 0:
        raise DataError(f"an array of shape {shape} has no columns", place=place)
    if stream.plain and stream.path:
        held = (stream.size or 0) - layout.begin
        if held != layout.length:
            raise DataError(size_fault(layout, shape, held), place=place)
    return NpySource(stream, layout, shape)


def _decoded(stored: Array, layout: Layout) -> Array:
    """Decode the stored numbers."""
    return widened(stored) if layout.dtype == BFLOAT16 else stored


def widened(stored: Array) -> Array:
    """Return u2[...] of bfloat16, each the upper half of a float32, as float32."""
    found: Array = (stored.astype(np.uint32) << 16).view(np.float32)
    return found


def read_values(array: Array, selection: Selection, where: Callable[[int], Place]) -> dict[str, Values]:
    """Take the selected columns of rows (n, k): (n, k) for numbers, a column or texts for the rest.

    Numbers are f8, or shorter floats as stored if all columns are selected.

    Raises DataError for text where numbers must be, or bytes that are no text.
    """
    return {role: _read(array, pick, where) for role, pick in selection.items()}


def _read(array: Array, pick: Pick, where: Callable[[int], Place]) -> Values:
    if pick.as_ == "numbers":
        if array.dtype.kind in "US":
            raise text_for_numbers(where(0).path)
        return read_numbers(array, pick)
    column = array[:, pick.columns[0]]
    if column.dtype.kind in "US":
        return _texts(column, where)
    if pick.as_ in ("text", "keys"):
        return [str(value) for value in column.tolist()]
    return column.astype(column.dtype.newbyteorder("="))


def read_numbers(array: Array, pick: Pick) -> Array:
    """Return the chosen columns of numbers (n, k) as f8, or all of them as the shorter floats that are stored."""
    if not pick.covers(array.shape[1]):
        return np.ascontiguousarray(array[:, pick.chosen], dtype=np.float64)
    short = array.dtype.kind == "f" and array.dtype.isnative and array.dtype.itemsize < 8 and array.shape[1] > 1
    return np.ascontiguousarray(array, dtype=array.dtype if short else np.float64)


def _texts(column: Array, where: Callable[[int], Place]) -> list[str]:
    """Return the texts of an array of bytes (UTF-8) or of code points."""
    if column.dtype.kind == "U":
        points = np.ascontiguousarray(column).view(np.dtype(np.uint32).newbyteorder(column.dtype.byteorder))
        # Surrogates and code points above 10FFFF are not characters.
        bad = np.flatnonzero(((points > 0x10FFFF) | (points >> 11 == 0x1B)).reshape(len(column), -1).any(axis=1))
        if len(bad):
            raise DataError("text with a code point that is not a character", place=where(int(bad[0])))
        texts: list[str] = column.tolist()
        return texts
    result = []
    for row, value in enumerate(column.tolist()):
        try:
            result.append(value.decode())
        except UnicodeDecodeError as error:
            raise DataError(f"byte 0x{value[error.start]:02x} is not UTF-8", place=where(row)) from None
    return result


def _fields(text: str) -> dict[str, Any]:
    """Return the fields of a header; raises ValueError, SyntaxError, MemoryError or RecursionError."""
    written = _WRITTEN.fullmatch(text)
    if written is not None:
        # literal_eval leaves reference cycles, which are rarely collected: 0.7 kB for each of thousands of files.
        descr, fortran, shape = written.groups()
        lengths = tuple(int(length) for length in shape.split(",") if length)
        return {"descr": descr, "fortran_order": fortran == "True", "shape": lengths}
    header = ast.parse(text.strip(" \n"), mode="eval").body
    fields = ast.literal_eval(header)
    if not isinstance(header, ast.Dict) or len(header.keys) != len(fields):
        raise ValueError("a key appears twice")
    return dict(fields)


def _header(text: bytes, major: int, place: Place, halves: bool) -> tuple[str, bool, tuple[int, ...]]:
    fault = DataError(f"the NPY header cannot be understood: {shown(text.decode('latin1').strip())}", place=place)
    try:
        fields = _fields(text.decode("utf-8" if major == 3 else "latin1"))
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


def _dtype_advice(descr: object) -> str | tuple[str, ...]:
    if isinstance(descr, str) and descr.lstrip("<|") == "V2":
        return "--dtype bfloat16, if that is what it is"
    if descr == "|O":
        return (
            "an array of Python objects is a pickle; numpy.save('p.npy', numpy.stack(array).astype(float))",
            "labels that are texts: numpy.save('labels.npy', array.astype(str))",
        )
    if isinstance(descr, list):
        return "numpy.save('p.npy', numpy.array(array.tolist(), float))"
    if isinstance(descr, str) and "c" in descr:
        return "numpy.save('p.npy', array.real), if the imaginary parts are all 0"
    if isinstance(descr, str) and set(descr) & set("mM"):
        return "times cannot be scored"
    return "numpy.save('p.npy', array.astype('float64'))"


def size_fault(layout: Layout, shape: tuple[int, ...], held: int) -> str:
    """Describe how the size of the data differs from the size of the shape."""
    needed = layout.length
    state = "truncated" if held < needed else "longer than its array"
    return f"the file is {state}: shape {shape} of {layout.dtype} needs {needed:,} bytes, {max(held, 0):,} are there"
