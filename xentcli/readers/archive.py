"""Archives of arrays: NPZ and safetensors. Each member is a column, or K columns if it has K numbers per row.

Uncompressed members are read at their offset in the file; the members of a compressed NPZ are
read as parallel streams. The formats are described in
NumPy's ``numpy.savez`` and in the README of huggingface/safetensors.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import struct
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from xentcli.arrays import Array
from xentcli.errors import DataError, Place, XentError, shown
from xentcli.readers.compression import MadeFile
from xentcli.readers.npy import Layout, NpyPart, NpySource, open_npy, read_numbers, size_fault
from xentcli.readers.source import BLOCK_BYTES, PIECE_NUMBERS, FlatTable, Pick, Rows, Selection, Traits, WholePart
from xentcli.readers.stream import ByteStream, open_file, plain_path, read_range
from xentcli.readers.table import Column, rows_of_columns, unique_pairs
from xentcli.readers.wide import Flat
from xentcli.records import cached_property, record, replace
from xentcli.urls import is_url

__all__ = ["ArchivePart", "ArchiveSource", "open_npz", "open_safetensors"]

MAX_JSON = 100 << 20
_LOCAL_HEADER = 30
"""Bytes before the name in a local file header (APPNOTE.TXT of PKWARE, 4.3.7)."""
_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "bfloat16", "BOOL": "|b1",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1",
}  # fmt: skip


@record(frozen=True)
class ArchivePart(WholePart):
    """The same range of rows of every member."""

    path: str
    flat: Flat
    start: int
    rows: int
    parts: tuple[NpyPart, ...]

    @property
    def size(self) -> int:
        """How many bytes are read for it, at most."""
        return sum(part.size for part in self.parts)

    @property
    def data(self) -> object:
        """The bytes of its members, if it holds them."""
        return next((part.data for part in self.parts if part.data is not None), None)

    def load(self, selection: Selection) -> Rows:
        """Read the selected columns of the members that have them."""
        return next(self._cut(selection, max(1, self.rows)))

    def pieces(self, selection: Selection) -> Iterator[Rows]:
        """Read them, and convert them in pieces that fit into a cache."""
        return self._cut(selection, max(1, PIECE_NUMBERS // max(1, sum(len(p.columns) for p in selection.values()))))

    def split(self, rows: int) -> tuple[ArchivePart, ArchivePart] | None:
        """Return the first rows and the others; None if a member cannot be split."""
        found = [part.split(rows) for part in self.parts]
        if None in found:
            return None
        first, rest = zip(*(pair for pair in found if pair), strict=True)
        return (
            replace(self, rows=rows, parts=first),
            replace(self, start=self.start + rows, rows=self.rows - rows, parts=rest),
        )

    def _cut(self, selection: Selection, step: int) -> Iterator[Rows]:
        """Read the selected columns and yield them, `step` rows at a time."""
        arrays = self._arrays(selection)
        tables = {role: table for role, pick in selection.items() if (table := self._table(arrays, pick))}
        others = {role: pick for role, pick in selection.items() if role not in tables}
        for first in range(0, self.rows, step):
            cut = {member: array[first : first + step] for member, array in arrays.items()}
            rows = self._columns(cut, self.start + first, min(step, self.rows - first), others)
            values = {role: read_numbers(cut[member], pick) for role, (member, pick) in tables.items()}
            yield replace(rows, selection=selection, values={**rows.values, **values})

    def _arrays(self, selection: Selection) -> dict[int, Array]:
        """Read the selected columns by member; in Fortran order the other columns stay 0."""
        used: dict[int, list[int]] = {}
        for index in sorted({index for pick in selection.values() for index in pick.columns}):
            member, place = self.flat.origin[index]
            used.setdefault(member, []).append(int(place or 0))
        return {member: self.parts[member].array(places) for member, places in used.items()}

    def _table(self, arrays: Mapping[int, Array], pick: Pick) -> tuple[int, Pick] | None:
        """Return the numeric member that has all columns of a pick, and their positions in it; else None."""
        origins = [self.flat.origin[index] for index in pick.columns]
        member = origins[0][0]
        single = all(other == member for other, _ in origins)
        if pick.as_ != "numbers" or not single or arrays[member].dtype.kind not in "biuf":
            return None
        return member, replace(pick, columns=tuple(int(place or 0) for _, place in origins))

    def _columns(self, arrays: Mapping[int, Array], start: int, count: int, selection: Selection) -> Rows:
        """Return the other columns one at a time."""

        def column(index: int) -> Column:
            member, place = self.flat.origin[index]
            array = arrays[member][:, int(place or 0)]
            native: Column = array.astype(array.dtype.newbyteorder("="))
            return native if native.dtype.kind in "biuf" else native.astype(object)

        return rows_of_columns(self.path, self.flat.names, start, count, column, selection)


@record(frozen=True)
class ArchiveSource(FlatTable):
    """The members of an archive that have the same number of rows.

    `odd` are the names of the other members, and the reasons why they are not columns.
    """

    stream: ByteStream
    format: str
    members: tuple[NpySource, ...]
    flat: Flat
    odd: Mapping[str, str]
    found: tuple[tuple[str, NpySource | DataError], ...] = ()

    @cached_property
    def traits(self) -> Traits:
        """What only some sources have."""
        columns = [self.members[member].traits for member, _ in self.flat.origin]
        return Traits(
            flat=self.flat,
            odd=self.odd,
            arrays={name: member.shape for name, member in self.found if isinstance(member, NpySource)},
            dtypes=tuple(each.dtype for each in columns),
            bfloat16=frozenset(column for column, each in enumerate(columns) if each.bfloat16),
        )

    def of_members(self, names: Collection[str]) -> ArchiveSource:
        """Return the source with some members only."""
        found = tuple((name, member) for name, member in self.found if name in names)
        return _source(self.path, self.format, self.stream, found)

    def with_lists(self, names: Collection[str]) -> ArchiveSource:
        """Return it unchanged: a member has K numbers in every row, never lists of different lengths."""
        return self

    def arranged(self, rank: int, axis: int, lead: tuple[int, ...]) -> ArchiveSource:
        """Return it with other members as its columns: those of shape `lead`, with or without an `axis` of classes.

        Members of `rank` dimensions are one column; those of one more have K columns along `axis`.
        Of several files `lead` may be that of another: then it is what most members have.
        """
        ready = []
        for name, member in self.found:
            if isinstance(member, NpySource) and len(member.shape) in (rank, rank + 1):
                flat = len(member.shape) == rank
                ready.append((name, member.flattened() if flat else member.with_classes_at(axis)))
        if not ready:
            raise DataError(f"no array of {rank} or {rank + 1} dimensions", place=Place(self.path))
        leads = {name: member.shape if len(member.shape) == rank else member.layout.lead for name, member in ready}
        if lead not in leads.values():
            lead = Counter(leads.values()).most_common(1)[0][0]
        kept = [(name, member) for name, member in ready if leads[name] == lead]
        return _arranged(
            self.stream, self.format, self.found, kept, f"shape {lead}" if rank > 1 else f"{lead[0]:,} rows"
        )

    def numeric(self, column: int) -> bool:
        """Whether a member holds numbers, not text."""
        return self.members[self.flat.origin[column][0]].numeric(0)

    @property
    def task_bytes(self) -> int:
        """About how many bytes make a part: more in Fortran order, where each column of a part is read by itself."""
        fortran = any(member.layout.fortran for member in self.members)
        return self.task_of_pieces if fortran or not self.stream.here else BLOCK_BYTES

    def lines(self) -> int:
        """Count the rows."""
        return self.members[0].lines() if self.members else 0

    def parts(self, block_bytes: int = BLOCK_BYTES) -> Iterator[ArchivePart]:
        """Cut the rows of all members into parts of about `block_bytes`."""
        if not self.members:
            return
        size = sum(member.layout.width * member.layout.item for member in self.members)
        # Rows of a slab can only be read together.
        slab = math.lcm(*(member.layout.slab for member in self.members))
        step = max(1, block_bytes // size // slab) * slab
        start = 0
        for parts in zip(*(member.parts_of(step) for member in self.members), strict=True):
            yield ArchivePart(self.path, self.flat, start, parts[0].rows, parts)
            start += parts[0].rows


def open_npz(stream: ByteStream) -> ArchiveSource:
    """Open the members of an NPZ file.

    Raises DataError for a damaged archive, members of one name, or an archive that is no NPZ.
    """
    path = plain_path(stream, "NPZ")
    with _zip_errors(path):
        # Keep it open: opening reads the list of all members.
        archive = zipfile.ZipFile(open_file(path) if is_url(path) else path)
    infos = archive.infolist()
    stream.limits.check_columns(len(infos), Place(path))
    _check_names(infos, path)
    found: list[tuple[str, NpySource | DataError]] = []
    for info in infos:
        try:
            member: NpySource | DataError = _npz_member(path, archive, info, stream)
        except Damaged:
            raise
        except DataError as error:
            # The member may be irrelevant, such as a single number or an object.
            member = error
        found.append((info.filename.removesuffix(".npy"), member))
    return _source(path, "npz", stream, found)


class Damaged(DataError):
    """The archive is corrupt, so that no member can be trusted."""


def _check_names(infos: Sequence[zipfile.ZipInfo], path: str) -> None:
    counts = Counter(info.filename for info in infos)
    twice = next((name for name, count in counts.items() if count > 1), None)
    if twice is not None:
        raise DataError(f"two members are called {shown(twice)}", place=Place(path))
    outside = next((info.orig_filename for info in infos if _leads_outside(info.orig_filename)), None)
    if outside is not None:
        raise DataError(f"a member {shown(outside)}, whose name leads out of the archive", place=Place(path))
    other = next((info.filename for info in infos if not info.filename.endswith(".npy")), None)
    if other is not None or not infos:
        what = f"a member {shown(other)}" if other is not None else "no members"
        raise DataError(
            f"a zip archive with {what}; an NPZ holds arrays, NAME.npy",
            place=Place(path),
            advice=_other_archive(infos, path),
        )


def _leads_outside(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ".." in name.split("/") or name[1:2] == ":"


def _other_archive(infos: Sequence[zipfile.ZipInfo], path: str) -> tuple[str, ...]:
    names = {info.filename for info in infos}
    if any(name.endswith("data.pkl") for name in names):
        return (f"torch: numpy.save('p.npy', torch.load({path!r}, weights_only=True).float().numpy())",)
    if any(name.startswith("xl/") for name in names):
        return ("a workbook? --input-format predictions=excel, or labels=excel, reads it",)
    return ()


def _npz_member(path: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo, stream: ByteStream) -> NpySource:
    name = f"{path}:{info.filename.removesuffix('.npy')}"
    if info.flag_bits & 1:
        raise DataError("an encrypted member", place=Place(name))

    def opened() -> io.BufferedReader:
        return _member(name, archive, info, stream)

    with _zip_errors(name), opened() as file:
        head = file.read(1 << 16)
    # zipfile checks every byte against the checksum and the declared size.
    member = open_npy(ByteStream(name, None, False, head, None, _opener=opened, limits=stream.limits))
    if member.layout.fortran and info.compress_type == zipfile.ZIP_STORED:
        return _by_column(replace(stream, name=name), member, info)
    return member


def _by_column(stream: ByteStream, member: NpySource, info: zipfile.ZipInfo) -> NpySource:
    """Return an uncompressed member in Fortran order as a range of the archive, whose columns can be read in turn.

    Its bytes pass zipfile once before, for their checksum.
    """
    for _ in member.stream.chunks(BLOCK_BYTES):
        pass
    begin = member.layout.begin
    if info.file_size - begin != member.layout.length:
        fault = size_fault(member.layout, member.shape, info.file_size - begin)
        raise DataError(fault, place=Place(stream.name))
    return NpySource(stream, replace(member.layout, begin=begin + _data_offset(stream, info)), member.shape)


def _data_offset(stream: ByteStream, info: zipfile.ZipInfo) -> int:
    """Return the offset of the bytes of a member: after the local header, name and extra field."""
    assert stream.path is not None
    header = read_range(stream.path, info.header_offset, _LOCAL_HEADER)
    name, extra = struct.unpack_from("<HH", header, _LOCAL_HEADER - 4)
    return info.header_offset + _LOCAL_HEADER + int(name) + int(extra)


def _member(name: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo, stream: ByteStream) -> io.BufferedReader:
    """Open one member as a stream of the declared length."""
    stream.limits.check_inflated(info.file_size, Place(name))
    file, left = archive.open(info), info.file_size

    def some(most: int) -> bytes:
        nonlocal left
        with _zip_errors(name):
            data = file.read(most)
        left -= len(data)
        if left and not data:
            raise Damaged(f"{left:,} bytes less than the archive says", place=Place(name))
        return data

    return io.BufferedReader(MadeFile(some, file.close))


@contextlib.contextmanager
def _zip_errors(name: str) -> Iterator[None]:
    """Convert errors of zipfile and its decompressors to errors that name the member."""
    try:
        yield
    except XentError:
        raise
    except Exception as error:
        # zipfile passes on errors of its decompressors, struct and seek.
        raise Damaged(f"a damaged zip archive: {error}", place=Place(name)) from None


def open_safetensors(stream: ByteStream) -> ArchiveSource:
    """Open the tensors of a safetensors file, including bfloat16.

    Raises DataError for a damaged file.
    """
    path = plain_path(stream, "safetensors")
    place = Place(path)
    size = stream.size or 0
    with open_file(path) as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(MAX_JSON, size - 8):
            raise DataError("the safetensors header is longer than the file", place=place)
        text = file.read(length)
    try:
        header = json.loads(text, object_pairs_hook=unique_pairs)
        tensors = [(str(name), value) for name, value in header.items() if name != "__metadata__"]
        found = [(name, _tensor(stream, path, name, value, 8 + length, size)) for name, value in tensors]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise DataError("the safetensors header cannot be understood", place=place) from None
    _check_places([value["data_offsets"] for _, value in tensors], size - 8 - length, place)
    return _source(path, "safetensors", stream, found)


def _check_places(places: Sequence[Sequence[int]], size: int, place: Place) -> None:
    """Check that the tensors fill the file without overlaps and gaps."""
    end = 0
    for first, last in sorted(map(tuple, places)):
        if first != end:
            what = "two tensors overlap" if first < end else f"{first - end:,} bytes belong to no tensor"
            raise DataError(what, place=place)
        end = last
    if end != size:
        raise DataError(f"{size - end:,} byte{'s' * (size - end != 1)} after the last tensor", place=place)


def _tensor(stream: ByteStream, path: str, name: str, entry: Any, begin: int, size: int) -> NpySource:
    place = Place(f"{path}:{name}")
    dtype, shape, (first, last) = _DTYPES.get(entry["dtype"]), tuple(entry["shape"]), entry["data_offsets"]
    if not all(type(n) is int and n >= 0 for n in (*shape, first, last)):
        raise ValueError(name)
    if dtype is None:
        raise DataError(f"a tensor of dtype {shown(entry['dtype'])}", place=place, advice="tensor.float() converts it")
    layout = Layout(dtype, False, (*shape, 1) if len(shape) < 2 else shape, begin + first)
    if last - first != layout.length or begin + last > size:
        raise DataError("the tensor does not fill its place in the file", place=place)
    return NpySource(replace(stream, name=f"{path}:{name}"), layout, shape)


def _source(
    path: str, format: str, stream: ByteStream, found: Sequence[tuple[str, NpySource | DataError]]
) -> ArchiveSource:
    """Take the members with the most common number of rows."""
    arrays = [(name, member) for name, member in found if isinstance(member, NpySource)]
    counts = Counter(member.layout.rows for _, member in arrays if member.layout.rows and member.shape)
    rows = counts.most_common(1)[0][0] if counts else 0
    kept = [(name, member) for name, member in arrays if member.shape and member.layout.rows == rows]
    if not kept:
        raise next((error for _, error in found if isinstance(error, DataError)), None) or DataError(
            "there is no array with rows", place=Place(path)
        )
    return _arranged(stream, format, tuple(found), kept, f"{rows:,} rows")


def _arranged(
    stream: ByteStream,
    format: str,
    found: tuple[tuple[str, NpySource | DataError], ...],
    kept: Sequence[tuple[str, NpySource]],
    rows: str,
) -> ArchiveSource:
    """Make a source of members with the same number of rows; `others` are not columns."""
    names = {name for name, _ in kept}
    odd = {name: f"{name} cannot be read: {error.message}" for name, error in found if isinstance(error, DataError)}
    others = [(name, one) for name, one in found if isinstance(one, NpySource) and name not in names]
    odd |= {name: f"{name} has shape {member.shape}, and the others have {rows}" for name, member in others}
    columns = [(name, None if member.layout.width == 1 else member.layout.width) for name, member in kept]
    members = tuple(member for _, member in kept)
    return ArchiveSource(stream, format, members, Flat.of(columns), odd, found)
