"""NPY files: every layout against numpy.load, and everything else refused before it does harm."""

from __future__ import annotations

import bz2
import contextlib
import gc
import gzip
import io
import os
import pickle
import struct
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xentcli
from tests.conftest import Feed
from tests.laws import settings
from xentcli.errors import DataError, FileError, XentError
from xentcli.readers import open_source
from xentcli.readers.source import Pick, Rows, Source

Write = Callable[[str, str | bytes], str]
Array = npt.NDArray[Any]
T = TypeVar("T")

DTYPES = ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
VERSIONS = ((1, 0), (2, 0), (3, 0))
BLOCKS = (1, 2, 7, 64, 1 << 20)


def npy(array: Array, version: tuple[int, int] = (1, 0), allow_pickle: bool = False) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.lib.format.write_array(file, array, version, allow_pickle=allow_pickle)
    return file.getvalue()


def raw(header: str, data: bytes = b"", version: int = 1) -> bytes:
    """An NPY file with any header."""
    length = struct.pack("<H" if version == 1 else "<I", len(header.encode()))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header.encode() + data


def described(descr: object = "<f8", fortran: object = False, shape: object = (2, 2)) -> str:
    return f"{{'descr': {descr!r}, 'fortran_order': {fortran!r}, 'shape': {shape!r}, }}\n"


def sample(dtype: str, shape: tuple[int, ...] = (5, 3)) -> Array:
    """Values that tell the dtype, its sign and its bytes apart."""
    kind = np.dtype(dtype)
    random = np.random.default_rng(7)
    if kind.kind == "b":
        return random.integers(0, 2, shape).astype(bool)
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        values = random.integers(limits.min, limits.max, shape, dtype=kind.newbyteorder("="), endpoint=True)
        values.flat[0], values.flat[-1] = limits.min, limits.max
        return values.astype(kind)
    values = random.standard_normal(shape).astype(kind)
    for index, odd in enumerate((np.nan, -np.inf, np.finfo(kind).smallest_subnormal, -0.0, np.finfo(kind).max)):
        values.flat[index % values.size] = odd
    return values


def everything(source: Source) -> dict[str, Pick]:
    return {"preds": Pick(tuple(range(source.width)))}


def parts_of(path: str, block: int = 1 << 20, format: str | None = None) -> tuple[Source, list[Rows]]:
    source = open_source(path, name="array", format=format)
    loaded = []
    for part in source.parts(block):
        rows = part.load(everything(source))
        assert part.rows == rows.count > 0
        loaded.append(rows)
    starts = np.cumsum([0, *(rows.count for rows in loaded)]).tolist()
    assert [rows.start for rows in loaded] == starts[:-1]
    return source, loaded


def read(path: str, block: int = 1 << 20, format: str | None = None) -> Array:
    source, loaded = parts_of(path, block, format)
    values = [np.asarray(rows.values["preds"]) for rows in loaded]
    for piece in values:
        # Short floats may stay as they are: each is a double.
        assert piece.dtype.kind == "f" and piece.dtype.isnative and piece.flags.c_contiguous
    return np.concatenate([np.zeros((0, source.width)), *values])


def same_bits(one: Array, other: Array) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes()


def attempt(call: Callable[[], T]) -> T | XentError:
    """What a call gives, or its error without the frames that would keep files open."""
    try:
        return call()
    except XentError as error:
        return error.with_traceback(None)


def refusal(call: Callable[[], object]) -> XentError:
    error = attempt(call)
    assert isinstance(error, XentError), "nothing was refused"
    return error


def in_pieces(data: bytes) -> Iterator[bytes]:
    return (data[i : i + 1000] for i in range(0, len(data), 1000))


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("byteorder", "<>")
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_layout_reads_as_numpy_load_reads_it(dtype: str, byteorder: str, order: str, write: Write) -> None:
    array = sample(byteorder + dtype)
    laid = np.asfortranarray(array) if order == "F" else np.ascontiguousarray(array)
    for version in VERSIONS:
        path = write("a.npy", npy(laid, version))
        expected = np.load(path).astype(np.float64)
        for block in BLOCKS:
            assert same_bits(read(path, block), np.ascontiguousarray(expected))
            if order == "C":
                assert same_bits(read(write("b", gzip.compress(npy(laid, version))), block), expected)


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("block", BLOCKS)
def test_chosen_columns_are_read_in_the_order_chosen(block: int, order: str, write: Write) -> None:
    array = np.asarray(sample("<f4", (9, 4)), order=order)  # type: ignore[call-overload]
    source = open_source(write("a.npy", npy(array)), name="array")
    loaded = [
        part.load({"preds": Pick((3, 0)), "label": Pick((2,), "values"), "id": Pick((1,), "text")})
        for part in source.parts(block)
    ]
    assert same_bits(np.concatenate([np.asarray(r.values["preds"]) for r in loaded]), array[:, [3, 0]].astype(float))
    labels = np.concatenate([np.asarray(r.values["label"]) for r in loaded])
    assert same_bits(labels, np.ascontiguousarray(array[:, 2]))
    assert [text for r in loaded for text in r.values["id"]] == [str(v) for v in array[:, 1].tolist()]


@pytest.mark.parametrize("byteorder", "<>")
@pytest.mark.parametrize("dtype", DTYPES)
def test_one_dimension_is_one_column_whose_values_keep_their_dtype(dtype: str, byteorder: str, write: Write) -> None:
    array = sample(byteorder + dtype, (11,))
    path = write("a.npy", npy(array))
    source = open_source(path, name="array")
    assert source.width == 1
    values = [np.asarray(part.load({"label": Pick((0,), "values")}).values["label"]) for part in source.parts(8)]
    assert same_bits(np.concatenate(values), array.astype(array.dtype.newbyteorder("=")))


@pytest.mark.parametrize("byteorder", "<>")
def test_text_arrays_are_read_as_labels(byteorder: str, write: Write) -> None:
    for array in (np.array(["cat", "é\U0001f600", ""]).astype(byteorder + "U4"), np.array([b"cat", b"dog", b""])):
        source = open_source(write("a.npy", npy(array)), name="array")
        texts = [t for part in source.parts(1) for t in part.load({"label": Pick((0,), "values")}).values["label"]]
        assert texts == [t.decode() if isinstance(t, bytes) else t for t in array.tolist()]


@settings(deadline=None, max_examples=60)
@given(
    shape=st.tuples(st.integers(0, 40), st.integers(1, 12)),
    dtype=st.sampled_from(DTYPES),
    byteorder=st.sampled_from("<>"),
    order=st.sampled_from("CF"),
    block=st.integers(1, 700),
    compressed=st.booleans(),
)
def test_any_shape_in_any_block_is_right(
    shape: tuple[int, int],
    dtype: str,
    byteorder: str,
    order: str,
    block: int,
    compressed: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    array = np.asarray(np.resize(sample(byteorder + dtype), shape), order=order)  # type: ignore[call-overload]
    data = npy(array)
    path = tmp_path_factory.getbasetemp() / "any.npy"
    path.write_bytes(gzip.compress(data, 1) if compressed else data)
    if compressed and b"'fortran_order': True" in data and min(shape) > 1:
        assert isinstance(refusal(lambda: read(str(path), block)), DataError)
        return
    assert same_bits(read(str(path), block), np.ascontiguousarray(array, dtype=np.float64))


def test_a_large_array_is_read_in_bounded_parts(write: Write) -> None:
    array = np.arange(400_000, dtype="<f4").reshape(-1, 4)
    for data in (npy(array), npy(np.asfortranarray(array))):
        _, loaded = parts_of(write("a.npy", data), 1 << 16)
        assert len(loaded) == 25
        assert same_bits(np.concatenate([np.asarray(r.values["preds"]) for r in loaded]), array)


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress])
@pytest.mark.parametrize("block", [1, 100, 1 << 20])
def test_a_fifo_is_read_as_a_file_is(compress: Callable[[bytes], bytes], block: int, feed: Feed) -> None:
    array = sample("<f8", (3000, 5))
    assert same_bits(read(feed(in_pieces(compress(npy(array)))), block), array)


@pytest.mark.parametrize("shape", [(0, 3), (0,), (0, 1)])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_an_array_without_rows_has_no_parts(
    shape: tuple[int, ...], compress: Callable[[bytes], bytes], write: Write
) -> None:
    source, loaded = parts_of(write("a.npy", compress(npy(np.zeros(shape)))))
    assert source.width == (shape[1] if len(shape) > 1 else 1)
    assert loaded == []


@pytest.mark.parametrize("order", "CF")
def test_three_dimensions_are_rows_in_the_order_of_the_index_or_refused(order: str, write: Write) -> None:
    array = np.asarray(np.arange(24.0).reshape(2, 3, 4), order=order)  # type: ignore[call-overload]
    path = write("a.npy", npy(array))
    for block in BLOCKS:
        found = attempt(lambda block=block: read(path, block))  # type: ignore[misc]
        if isinstance(found, XentError):
            assert "(2, 3, 4)" in str(found)
        else:
            assert same_bits(found, np.arange(24.0).reshape(6, 4))


def test_fortran_order_as_a_stream_is_refused_with_the_way_out(write: Write, feed: Feed) -> None:
    data = npy(np.asfortranarray(sample("<f8")))
    for path in (write("a.npy.gz", gzip.compress(data)), feed(in_pieces(data))):
        error = refusal(lambda path=path: read(path))  # type: ignore[misc]
        assert isinstance(error, DataError)
        assert "Fortran" in error.message and "numpy.ascontiguousarray" in error.advice[0]


@pytest.mark.parametrize("shape", [(7, 1), (1, 7)])
def test_fortran_order_of_one_row_or_column_is_no_matter_in_a_stream(shape: tuple[int, int], write: Write) -> None:
    array = np.arange(7.0).reshape(shape)
    data = raw(described("<f8", True, shape), array.tobytes())
    assert same_bits(read(write("a", gzip.compress(data))), array)


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("how", ["file", "gzip", "fifo"])
def test_a_file_cut_anywhere_is_refused(order: str, how: str, write: Write, feed: Feed) -> None:
    if (order, how) in (("F", "gzip"), ("F", "fifo")):
        pytest.skip("Fortran order is refused as a stream anyway")
    data = npy(np.asarray(np.arange(6.0).reshape(2, 3), order=order))  # type: ignore[call-overload]
    step = 1 if how == "file" else 3
    for length in range(0, len(data), step):
        cut = data[:length]
        path = feed(in_pieces(cut)) if how == "fifo" else write("a.npy", gzip.compress(cut) if how == "gzip" else cut)
        error = refusal(lambda path=path: read(path, 8, "npy"))  # type: ignore[misc]
        assert isinstance(error, DataError)
        assert str(error).startswith(path)


@pytest.mark.parametrize("extra", [1, 8, 24, 100_000])
@pytest.mark.parametrize("order", "CF")
def test_bytes_after_the_array_are_refused(order: str, extra: int, write: Write) -> None:
    data = npy(np.asarray(np.arange(6.0).reshape(2, 3), order=order)) + bytes(extra)  # type: ignore[call-overload]
    assert "longer than its array" in str(refusal(lambda: read(write("a.npy", data))))
    if order == "C":
        assert "longer than its array" in str(refusal(lambda: read(write("b", gzip.compress(data)))))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not an NPY file"),
        (b"a,b\n1,2\n", "not an NPY file"),
        (b"\x93NUMPX" + npy(np.zeros(2))[6:], "not an NPY file"),
        (b"\x94NUMPY" + npy(np.zeros(2))[6:], "not an NPY file"),
        (b"\x93NUMPY\x04\x00" + npy(np.zeros(2))[8:], "NPY version 4.0"),
        (b"\x93NUMPY\x00\x00" + npy(np.zeros(2))[8:], "NPY version 0.0"),
        (b"\x93NUMPY\x01\x01" + npy(np.zeros(2))[8:], "NPY version 1.1"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "a header of 4,294,967,295 bytes"),
        (raw(described() + " " * (1 << 17), bytes(32), 2), "a header of 131,"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b" " * 100, "ends within its header"),
        (raw("{'descr': '<f8', 'fortran_order': False}\n", bytes(32)), "header cannot be understood"),
        (raw("{'descr': '<f8', 'fortran_order': False, 'shape': (2,2), 'x': 1}", bytes(32)), "cannot be understood"),
        (raw("{'descr': '<f8', 'fortran_order': False, 'shape': (2,2)", bytes(32)), "cannot be understood"),
        (raw("__import__('os').getcwd()", bytes(32)), "cannot be understood"),
        (raw("{'descr': '<f8', 'fortran_order': False, 'shape': (1+1,2)}", bytes(32)), "cannot be understood"),
        (raw("(" * 5000 + ")" * 5000, bytes(32)), "cannot be understood"),
        (raw("-" * 60000 + "1", bytes(32)), "cannot be understood"),
        (raw("9" * 5000, bytes(32)), "cannot be understood"),
        (raw("", bytes(32)), "cannot be understood"),
        (raw("\x00", bytes(32)), "cannot be understood"),
        (raw("[]", bytes(32)), "cannot be understood"),
        (raw("{[]: 1}", bytes(32)), "cannot be understood"),
        (raw(described(fortran=0), bytes(32)), "cannot be understood"),
        (raw(described(fortran="False"), bytes(32)), "cannot be understood"),
        (raw(described(shape=(-1, 4)), bytes(32)), "an array of shape '(-1, 4)'"),
        (raw(described(shape=(-2, -2)), bytes(32)), "an array of shape '(-2, -2)'"),
        (raw(described(shape=[2, 2]), bytes(32)), "an array of shape '[2, 2]'"),
        (raw(described(shape=4), bytes(32)), "an array of shape '4'"),
        (raw(described(shape=(2.0, 2)), bytes(32)), "an array of shape '(2.0, 2)'"),
        (raw(described(shape=(True, 4)), bytes(32)), "an array of shape '(True, 4)'"),
        (raw(described(shape=(2**63, 2)), bytes(32)), "an array of shape"),
        (raw(described(shape=(2**61 + 1, 8)), bytes(64)), "truncated"),
        (raw(described(shape=(2**32, 2**32)), bytes(64)), "truncated"),
        (raw(described(shape=(1, 2**61)), bytes(64)), "truncated"),
        (raw(described(shape=(2**40, 1)), bytes(64)), "truncated"),
        (raw(described(shape=(5,)), bytes(32)), "truncated"),
        (raw(described(shape=(3,)), bytes(32)), "longer than its array"),
        (raw(described(shape=()), bytes(8)), "no dimension"),
        (npy(np.array(0.5)), "no dimension"),
        (npy(np.zeros((3, 0))), "has no columns"),
        (npy(np.zeros((0, 0))), "has no columns"),
        (npy(np.zeros(3, "c8")), "'<c8'"),
        (npy(np.zeros(3, "c16")), "'<c16'"),
        (npy(np.zeros(3, "M8[s]")), "M8[s]"),
        (npy(np.zeros(3, "m8[ns]")), "m8[ns]"),
        (npy(np.zeros(3, "longdouble")), "f16"),
        (npy(np.zeros(3, "V4")), "V4"),
        (npy(np.zeros(3, [("a", "<f8"), ("b", "<i4")])), "('a', '<f8')"),
        (raw(described("<f3", shape=(4,)), bytes(12)), "'<f3'"),
        (raw(described("<f1", shape=(4,)), bytes(4)), "'<f1'"),
        (raw(described("|b8", shape=(4,)), bytes(32)), "'|b8'"),
        (raw(described("<f0", shape=(4,)), b""), "'<f0'"),
        (raw(described("<U0", shape=(4,)), b""), "'<U0'"),
        (raw(described("|S0", shape=(4,)), b""), "'|S0'"),
        (raw(described("<f8,<f8", shape=(2,)), bytes(32)), "'<f8,<f8'"),
        (raw(described("f8\n", shape=(4,)), bytes(32)), "'f8\\n'"),
        (raw(described("float64", shape=(4,)), bytes(32)), "'float64'"),
        (raw(described("(2,)f8", shape=(2,)), bytes(32)), "'(2,)f8'"),
        (raw(described(None, shape=(4,)), bytes(32)), "'None'"),
        (raw(described(("<f8", (2,)), shape=(2,)), bytes(32)), "('<f8', (2,))"),
    ],
)  # fmt: skip
def test_what_is_no_array_of_numbers_is_refused_before_it_is_read(data: bytes, message: str, write: Write) -> None:
    for path in (write("a.npy", data), write("b.npy", gzip.compress(data))):
        error = refusal(lambda path=path: read(path, 64, "npy"))  # type: ignore[misc]
        assert isinstance(error, DataError | FileError)
        assert str(error).startswith(path)
        # Of a stream nobody knows the size; a huge row is refused as such.
        too_wide = isinstance(error, FileError) and path.endswith("b.npy") and "columns; at most" in str(error)
        assert message in str(error) or too_wide
        assert str(error).replace("\n", "").isprintable()


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        return open, (self.path, "w")


def test_objects_are_never_unpickled(write: Write, tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    array = np.array([Trap(str(sprung)), 0.5], dtype=object)
    data = npy(array, allow_pickle=True)
    for path in (write("a.npy", data), write("b", gzip.compress(data))):
        error = refusal(lambda path=path: read(path))  # type: ignore[misc]
        assert "'|O'" in error.message and "pickle" in error.advice[0]
    structured = npy(np.array([(Trap(str(sprung)),)], dtype=[("a", object)]), allow_pickle=True)
    assert isinstance(refusal(lambda: read(write("c.npy", structured))), DataError)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        bare = pickle.dumps(Trap(str(sprung)), protocol)
        for format in (None, "npy", "csv"):
            for name in ("d.npy", "d.csv", "d.pkl"):
                path = write(name, bare)
                with contextlib.suppress(XentError):
                    xentcli.score(path, kind="losses", input_format=format)
    assert not sprung.exists()
    with contextlib.suppress(Exception):
        np.load(write("a.npy", data), allow_pickle=True)
    assert sprung.exists(), "the trap works"


def test_text_as_predictions_is_refused(write: Write) -> None:
    labels = write("l.csv", "label\n0\n1\n")
    for array in (
        np.array([["0.5", "0.5"], ["0.25", "0.75"]]),
        np.array([[b"0.5", b"0.5"], [b"0.25", b"0.75"]]),
        np.array([["a", "b"], ["c", "d"]]),
        np.array([["1_0", "٣"], ["nan", ""]]),
    ):
        error = refusal(lambda array=array: xentcli.score(write("p.npy", npy(array)), labels))  # type: ignore[misc]
        assert isinstance(error, DataError)


@pytest.mark.parametrize(
    ("descr", "data"),
    [("|S3", b"cat\xff\xfe\xfd"), ("<U1", struct.pack("<II", 65, 0x110000)), ("<U1", struct.pack("<II", 65, 0xD800))],
)
def test_text_that_is_none_is_right_or_refused(descr: str, data: bytes, write: Write) -> None:
    path = write("l.npy", raw(described(descr, False, (2,)), data))
    preds = write("p.csv", "cat,A\n0.5,0.5\n0.5,0.5\n")
    assert isinstance(refusal(lambda: xentcli.score(preds, path)), DataError)


def as_numpy_loads_it(data: bytes, otherwise: Array) -> Array:
    """What numpy makes of a file; where it is stricter about padding, what was there before."""
    try:
        loaded = np.load(io.BytesIO(data), allow_pickle=False)
    except ValueError:
        loaded = otherwise
    return np.ascontiguousarray(loaded.reshape(len(loaded), -1), dtype=np.float64)


def test_a_header_as_numpy_writes_it_leaves_no_cycle(tmp_path: Path) -> None:
    """The command hardly ever collects cycles, and opens thousands of files."""
    paths = [str(tmp_path / f"{shape}.npy") for shape in ((3, 2), (2, 3), (4,))]
    for path, shape in zip(paths, ((3, 2), (2, 3), (4,)), strict=True):
        np.save(path, np.zeros(shape))
    open_source(paths[0], name="array")
    gc.collect()
    gc.disable()
    try:
        assert [open_source(path, name="array").shape for path in paths] == [(3, 2), (2, 3), (4,)]
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("array", [np.arange(6.0).reshape(2, 3), np.arange(6, dtype=">i4").reshape(2, 3).T])
def test_every_changed_bit_of_a_header_is_right_or_refused(
    array: Array, compress: Callable[[bytes], bytes], write: Write
) -> None:
    good = npy(array)
    for place in range(good.index(b"\n") + 1):
        for bit in range(8):
            bad = bytearray(good)
            bad[place] ^= 1 << bit
            path = write("a.npy", compress(bytes(bad)))
            found = attempt(lambda path=path: read(path, 8, "npy"))  # type: ignore[misc]
            assert isinstance(found, XentError) or same_bits(found, as_numpy_loads_it(bytes(bad), array)), (place, bit)


def test_an_array_that_shrinks_while_it_is_read_is_refused(write: Write) -> None:
    path = write("a.npy", npy(np.zeros((1000, 3))))
    source = open_source(path, name="array")
    parts = list(source.parts(1000))
    os.truncate(path, 8000)
    with pytest.raises(DataError, match="became shorter"):
        [part.load(everything(source)) for part in parts]


def test_a_huge_row_that_a_stream_only_claims_is_refused_without_its_memory(write: Write, feed: Feed) -> None:
    for shape in ((1, 2**38), (2, 2**40), (1, 2**61)):
        data = raw(described(shape=shape), bytes(800))
        for path in (write("a", gzip.compress(data)), feed(in_pieces(data))):
            error = refusal(lambda path=path: read(path))  # type: ignore[misc]
            assert isinstance(error, DataError | FileError)
