"""The fast reader of text returns what the careful reader returns, or declines."""

from __future__ import annotations

import csv as csv_module
import decimal
import io
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.laws import LONG, settings
from xentcli.columns.column import Coded
from xentcli.columns.numerals import is_number, numbers
from xentcli.errors import DataError
from xentcli.readers import open_source
from xentcli.readers.source import Pick, Rows, merged_rows
from xentcli.readers.text import csv
from xentcli.readers.text.csv import CsvPart, CsvSource
from xentcli.readers.text.delimited import Dialect, room_for
from xentcli.readers.text.fields import _places, fields_of

laws = settings(deadline=None, max_examples=300)


def read(texts: Sequence[str], width: int = 1) -> Any:
    """What the fast reader makes of texts, by rows of so many; "declined" where it gives the block up."""
    rows = [",".join(texts[i : i + width]) for i in range(0, len(texts), width)]
    fields = fields_of(("\n".join(rows) + "\n").encode(), Dialect(), width)
    if fields is None:
        return "declined"
    found = fields.numbers(slice(0, width))
    return "declined" if found is None else (found[0].ravel(), found[1])


def same(texts: Sequence[str], width: int = 1) -> None:
    """Both readers agree in every bit, or the fast one declines what the careful one refuses."""
    expected, found = numbers(texts), read(texts, width)
    if isinstance(expected, int):
        assert found == "declined"
        return
    assert found != "declined", texts
    different = np.flatnonzero(found[0].view(np.int64) != expected[0].view(np.int64))
    assert not len(different), [(texts[i], found[0][i], expected[0][i]) for i in different[:3].tolist()]
    assert [index % (len(texts) or 1) for index in found[1]] == expected[1]


digits = st.text("0123456789", max_size=25)
signs = st.sampled_from(["", "-", "+"])


@st.composite
def decimals(draw: st.DrawFn) -> str:
    """Decimals of any shape: signs, the point anywhere, 1 to 25 digits before and after, exponents."""
    before, after = draw(digits), draw(digits)
    if not before + after:
        before = draw(st.sampled_from("0123456789"))
    point = "." if after or draw(st.booleans()) else ""
    power = ""
    if draw(st.booleans()):
        power = (
            draw(st.sampled_from("eE")) + draw(signs) + str(draw(st.integers(0, 340))).zfill(draw(st.integers(1, 4)))
        )
    return draw(signs) + before + point + after + power


@st.composite
def long_decimals(draw: st.DrawFn) -> str:
    """More digits than an integer of 64 bits has, most of them zeros, so that what is cut off may be all there is."""
    runs = draw(st.lists(st.one_of(st.integers(0, 26).map(lambda n: "0" * n), digits), min_size=1, max_size=3))
    text = "".join(runs) or "0"
    cut = draw(st.integers(0, len(text)))
    return draw(signs) + text[:cut] + "." + text[cut:]


doubles = st.floats(allow_nan=False, allow_infinity=False)
written = st.one_of(
    doubles.map(repr),
    st.floats(0, 1).map(repr),
    doubles.map(lambda x: f"{x:.17g}"),
    st.floats(-1e6, 1e6).map(lambda x: f"{x:.6f}"),
    doubles.map(lambda x: f"{x:.18e}"),
    st.floats(0, 1, width=32).map(lambda x: str(np.float32(x))),
    st.integers(-(10**18), 10**18).map(str),
    decimals(),
    long_decimals(),
)


@laws
@given(st.lists(written, min_size=1, max_size=40))
@example(["0"])
@example(["0.00000000000000000005000000000000", "0000000000000000.00009473474012384682332101"])
@example(["000000000.000000000000603862648910994", "0." + "0" * 19 + "5", "0." + "0" * 40, "-0." + "0" * 30 + "1"])
@example(["-0.0", "+.5", "5.", "00012", "1e5", "1E-5", "9007199254740993", "18446744073709551616"])
@example(["0.0001234567890123456789", "9.223372036854775807e-01", "9.3e18", "1e-400", "1e400"])
def test_every_decimal_is_the_double_that_the_careful_reader_has(texts: list[str]) -> None:
    same(texts)


@laws
@given(
    st.lists(st.one_of(written, st.sampled_from(["inf", "-inf", "nan", " 1", "2 ", "\t3"])), min_size=1, max_size=20)
)
def test_names_of_numbers_and_spaces_are_read_as_the_careful_reader_does(texts: list[str]) -> None:
    same(texts)


junk = st.one_of(
    st.sampled_from(
        ["", ".", "-", "e5", "1e", "1e+", "--1", "1-", "1.2.3", "1e5.0", "0x10", "1_0", "٣", "1e5e5", "NA"]
    ),
    st.text("0123456789.+-eE", max_size=6),
)


@laws
@given(st.lists(st.one_of(written, junk), min_size=1, max_size=8))
def test_nonsense_is_declined_and_nothing_else(texts: list[str]) -> None:
    if texts != [""] and "" not in texts:
        same(texts)
    elif len(texts) > 1:
        assert read(texts) == "declined"


def near_ties(rng: np.random.Generator) -> Iterator[str]:
    """Decimals at, just above and just below the middle of two neighbouring doubles, cut to some digits."""
    for _ in range(400):
        x = float(rng.random() * 2.0 ** int(rng.integers(-30, 30)))
        middle = (Fraction(x) + Fraction(math.nextafter(x, math.inf))) / 2
        shift = int(rng.integers(12, 24)) - len(str(int(middle)))
        scaled = middle * 10**shift
        for integer in (math.floor(scaled), math.ceil(scaled)):
            text = str(integer).zfill(shift + 1)
            yield f"{text[:-shift]}.{text[-shift:]}" if shift > 0 else text


def exact_ties(rng: np.random.Generator) -> Iterator[str]:
    """Integers half-way between two doubles, and their neighbours, with the point anywhere."""
    for _ in range(400):
        value = (int(rng.integers(1 << 52, 1 << 53)) << int(rng.integers(1, 9))) + (1 << int(rng.integers(0, 8)))
        text = str(value + int(rng.integers(-1, 2)))
        cut = int(rng.integers(1, len(text)))
        yield f"{text[:cut]}.{text[cut:]}"
        yield f"{text}e-{int(rng.integers(0, 40))}"


@pytest.mark.parametrize("make", [near_ties, exact_ties])
def test_near_ties_are_rounded_as_the_exact_value_is(make: Callable[[Any], Iterator[str]]) -> None:
    texts = list(make(np.random.default_rng(5)))
    found = read(texts)
    for text, value in zip(texts, found[0].tolist(), strict=True):
        # Python's quotient of integers is rounded once.
        exact = Fraction(text)
        assert value == exact.numerator / exact.denominator, text


def test_a_digit_that_separates_fields_is_for_the_careful_reader() -> None:
    assert fields_of(b"0.3\n0.5\n", Dialect("5"), 1) is None


def test_extremes_and_subnormals() -> None:
    texts = ["5e-324", "2.5e-324", "2.2250738585072014e-308", "1.7976931348623157e308", "4.9e-324", "1e-323", "0e999"]
    same(texts)
    same([f"{m}e{e}" for m in (1, 9, 123456789) for e in range(-330, 300, 7)])


# Whole rows


names = st.text(st.characters(codec="utf-8", exclude_characters='",\r\n\0'), max_size=9)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], list[bool]]:
    """Rows of numbers and texts by column."""
    kinds = draw(st.lists(st.booleans(), min_size=1, max_size=5))
    row = st.tuples(*(written if numeric else names for numeric in kinds))
    return [list(cells) for cells in draw(st.lists(row, min_size=1, max_size=12))], kinds


def part_of(data: bytes, width: int, rows: int) -> CsvPart:
    from xentcli.readers.text.delimited import Grammar

    return CsvPart("t.csv", 0, 1, rows, 0, len(data), data, Grammar("t.csv", Dialect()), (), width)


def fast_of(part: CsvPart, data: bytes, selection: dict[str, Pick]) -> Rows | None:
    """What the fast reader says of a part."""
    buffer, text = room_for(len(data))
    text[:] = np.frombuffer(data, np.uint8)
    return part._fast(buffer, len(data), selection)


def plain(rows: Rows) -> list[Any]:
    """Everything of rows that a reader promises."""
    values = {
        role: list(value) if not isinstance(value, np.ndarray) else value.view(np.int64).tolist()
        for role, value in rows.values.items()
    }
    return [rows.start, rows.count, values, rows.underflows, [rows.place("x0", i, 0) for i in range(rows.count)]]


@laws
@given(tables(), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
def test_rows_are_the_same_by_either_reader(
    table: tuple[list[list[str]], list[bool]], end: str, quoted: bool, finished: bool
) -> None:
    rows, kinds = table
    file = io.StringIO()
    csv_module.writer(
        file, lineterminator=end, quoting=csv_module.QUOTE_ALL if quoted else csv_module.QUOTE_MINIMAL
    ).writerows(rows)
    data = file.getvalue().encode()
    if not finished:
        data = data.removesuffix(end.encode())
    selection = {f"x{c}": Pick((c,), "numbers" if numeric else "values") for c, numeric in enumerate(kinds)}
    part = part_of(data, len(kinds), len(rows))
    try:
        careful = part._careful(data, selection)
    except DataError:
        careful = None
    fast = fast_of(part, data, selection)
    if fast is not None:
        assert careful is not None, "what the careful reader refuses is declined"
        assert plain(fast) == plain(careful)


@settings(deadline=None, max_examples=500)
@given(
    st.lists(
        st.sampled_from(
            [b"0", b"1", b".", b"-", b"e", b",", b'"', b"\r", b"\n", b"\r\n", b" ", b"\0", b"\xff", b"\xc3\xa9"]
        ),
        max_size=24,
    ),
    st.integers(1, 3),
    st.sampled_from([b"", b"\n", b"\r\n"]),
)
def test_any_bytes_are_read_alike_or_declined(pieces: list[bytes], width: int, before: bytes) -> None:
    """Also after many plain rows with a line end, by which the reader decides where to begin."""
    plain_rows = (b",".join([b"0.5"] * width) + before) * 400 if before else b""
    data = plain_rows + b"".join(pieces)
    fields = fields_of(data, Dialect(), width) if data else None
    if fields is None:
        return
    selection = {f"x{c}": Pick((c,), "text") for c in range(width)}
    part = part_of(data, width, fields.rows)
    assert plain(fast_of(part, data, selection) or part._careful(data, selection)) == plain(
        part._careful(data, selection)
    )


@laws
@given(st.lists(st.text(max_size=40).filter(lambda t: not set(t) & set('",\r\n\0')), min_size=2, max_size=60))
def test_few_texts_are_coded_and_are_the_same_texts(texts: list[str]) -> None:
    data = ("\n".join(f"0,{text}" for text in texts) + "\n").encode("utf-8", "surrogatepass")
    fields = fields_of(data, Dialect(), 2)
    if fields is not None:
        assert list(fields.coded(1)) == texts == list(fields.texts(1))


def test_many_texts_share_slots_and_are_still_themselves() -> None:
    texts = [f"{i * 7919 % 100_003:x}" for i in range(50_000)]
    fields = fields_of(("\n".join(texts) + "\n").encode(), Dialect(), 1)
    assert fields is not None
    assert list(fields.coded(0)) == texts


# Files


def big(rows: int) -> tuple[Any, Any]:
    random = np.random.default_rng(3)
    q = random.dirichlet(np.full(5, 0.3), rows)
    return q, random.integers(0, 5, rows)


NAMES = [".pred_a", ".pred_b", ".pred_c", ".pred_d", ".pred_e"]


def by_pandas(path: Path, q: Any, y: Any, **options: Any) -> None:
    frame = pd.DataFrame(q, columns=NAMES)
    frame.insert(0, "id", [f"img {i}" for i in range(len(q))])
    frame["truth"] = [NAMES[i] for i in y]
    frame.to_csv(path, **options)


def by_polars(path: Path, q: Any, y: Any) -> None:
    pl.DataFrame(dict(zip(NAMES, q.T, strict=True)) | {"truth": y}).write_csv(path)


def by_pyarrow(path: Path, q: Any, y: Any) -> None:
    pa_csv.write_csv(pa.table(dict(zip(NAMES, q.T, strict=True)) | {"truth": [NAMES[i] for i in y]}), path)


def by_r(path: Path, q: Any, y: Any) -> None:
    """As write.csv does: 15 digits, text in quotes, row names."""
    lines = [",".join(['""', *(f'"{name}"' for name in NAMES), '"obs"'])]
    lines += [
        ",".join([f'"{i + 1}"', *(f"{v:.15g}" for v in row), f'"{NAMES[k]}"'])
        for i, (row, k) in enumerate(zip(q.tolist(), y.tolist(), strict=True))
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


WRITERS: dict[str, Callable[[Path, Any, Any], None]] = {
    "pandas": by_pandas,
    "pandas, no index": lambda path, q, y: by_pandas(path, q, y, index=False),
    "pandas, %.6f": lambda path, q, y: by_pandas(path, q, y, index=False, float_format="%.6f"),
    "pandas, semicolons, CRLF": lambda path, q, y: by_pandas(path, q, y, sep=";", lineterminator="\r\n"),
    "pandas, all quoted": lambda path, q, y: by_pandas(path, q, y, quoting=csv_module.QUOTE_ALL),
    "polars": by_polars,
    "pyarrow": by_pyarrow,
    "R": by_r,
    "numpy.savetxt": lambda path, q, y: np.savetxt(path, np.column_stack([q, y]), delimiter=","),
    "float32 in Python": lambda path, q, y: np.savetxt(path, q.astype(np.float32), delimiter=",", fmt="%s"),
    "logits with masks": lambda path, q, y: np.savetxt(path, np.where(q < 0.01, -np.inf, np.log(q)), delimiter=","),
}


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
def test_no_piece_of_a_file_that_people_write_is_declined(
    writer: Callable[[Path, Any, Any], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.csv"
    with np.errstate(divide="ignore"):
        writer(path, *big(30_000 if LONG else 8_000))
    source = open_source(str(path), name="p", delimiter=";" if b";" in path.read_bytes()[:99] else None)
    assert isinstance(source, CsvSource)
    headed = source.with_header(not is_number(source.first_fields[0]))
    assert isinstance(headed, CsvSource)
    source = headed
    numeric = [c for c in range(source.width) if not source.names or source.names[c] not in ("id", "truth", "obs", "")]
    selection = {"preds": Pick(tuple(numeric)), "label": Pick((source.width - 1,), "values")}
    fast = [rows for part in source.parts(1 << 18) for rows in part.pieces(selection)]
    careful = [rows for part in source.parts(1 << 18) for rows in [part._careful(read_part(part), selection)]]
    assert (
        np.concatenate([np.asarray(r.values["preds"]) for r in fast]).tobytes()
        == np.concatenate([np.asarray(r.values["preds"]) for r in careful]).tobytes()
    )
    assert [t for r in fast for t in r.values["label"]] == [t for r in careful for t in r.values["label"]]
    monkeypatch.delattr(CsvPart, "_careful")
    parts = [*source.parts(1 << 18)]
    assert len(parts) > 1
    for part in parts:
        list(part.pieces(selection))


def read_part(part: CsvPart) -> bytes:
    return Path(part.path).read_bytes()[part.offset : part.offset + part.length]


@pytest.mark.parametrize(
    ("bad", "message"),
    [("x", "'x' is not a number"), ("", "'' is not a number"), ("1e999", "is not a number"), ("0.1,0.2", "7 fields")],
)
def test_an_error_after_many_fast_pieces_has_its_row_and_line(bad: str, message: str, tmp_path: Path) -> None:
    q, y = big(30_000)
    path = tmp_path / "p.csv"
    by_polars(path, q, y)
    lines = path.read_text().splitlines()
    cells = lines[29_001].split(",")
    cells[2] = bad
    lines[29_001] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n")
    source = open_source(str(path), name="p")
    assert isinstance(source, CsvSource)
    selection = {"preds": Pick(tuple(range(5)))}
    with pytest.raises(DataError) as caught:
        _ = [rows for part in source.with_header(True).parts(1 << 22) for rows in part.pieces(selection)]
    assert "row 29,001 (line 29,002)" in str(caught.value)
    assert message in str(caught.value)


CELLS = ("0.25", "-1.5e-05", "7", "inf", '"0.5"', '"x\ny"', "é", "nope", "", "0.12345678901234567", '"a""b"')


@laws
@given(
    cells=st.lists(st.lists(st.sampled_from(CELLS), min_size=2, max_size=2), min_size=1, max_size=60),
    end=st.sampled_from(["\n", "\r\n"]),
    finished=st.booleans(),
    piece=st.integers(5, 200),
    stream=st.booleans(),
)
def test_pieces_are_the_rows_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory,
    cells: list[list[str]],
    end: str,
    finished: bool,
    piece: int,
    stream: bool,
) -> None:
    """Wherever a piece ends: within quotes, a row longer than it, beside rows that only the careful reader knows."""
    text = end.join(",".join(row) for row in cells) + (end if finished else "")
    path = tmp_path_factory.mktemp("p") / "a.csv"
    path.write_bytes(data := text.encode())
    grammar = part_of(data, 2, len(cells)).grammar
    part = CsvPart(str(path), 0, 1, len(cells), 0, len(data), data if stream else None, grammar, (), 2)
    selection = {"x0": Pick((0,), "text"), "x1": Pick((1,), "text")}
    whole = plain(part._careful(data, selection))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv, "PIECE_BYTES", piece)
        patch.setattr(csv, "LEAST_FAST", 1)
        pieces = list(part.pieces(selection))
    assert sum(rows.count for rows in pieces) == len(cells)
    assert plain(merged_rows(pieces)) == whole


@laws
@given(cells=st.lists(st.lists(st.sampled_from(CELLS), min_size=2, max_size=2), min_size=2, max_size=8), data=st.data())
def test_a_part_is_cut_at_the_end_of_a_row_wherever_its_lines_end(cells: list[list[str]], data: st.DataObject) -> None:
    text = "".join(",".join(row) + "\n" for row in cells).encode()
    part, selection = part_of(text, 2, len(cells)), {"x0": Pick((0,), "text"), "x1": Pick((1,), "text")}
    rows = data.draw(st.integers(1, len(cells) - 1))
    halves = part.split(rows)
    assert halves is not None
    assert [half.rows for half in halves] == [rows, len(cells) - rows]
    assert plain(merged_rows([half.load(selection) for half in halves])) == plain(part.load(selection))
    assert part.first(rows).data == halves[0].data


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 64, 70])
@given(data=st.data())
def test_true_flags_are_found_in_words_and_after_them(length: int, data: st.DataObject) -> None:
    flags = np.zeros(length, dtype=bool)
    flags[data.draw(st.lists(st.integers(0, length - 1), max_size=9)) if length else []] = True
    assert _places(flags).tolist() == [at for at, flag in enumerate(flags) if flag]


@pytest.mark.parametrize("places", [16, 18, 20, 21, 22])
@pytest.mark.parametrize("rounding", [decimal.ROUND_DOWN, decimal.ROUND_UP])
def test_decimals_beside_the_middle_of_two_doubles_are_rounded_once(places: int, rounding: str) -> None:
    random = np.random.default_rng(places)
    values = (random.random(4000) * 10.0 ** random.integers(-6, 5, 4000)).tolist()
    with decimal.localcontext(prec=800):
        middles = [(decimal.Decimal(v) + decimal.Decimal(math.nextafter(v, math.inf))) / 2 for v in values]
        texts = [f"{m.quantize(decimal.Decimal(1).scaleb(-places), rounding):f}" for m in middles]
    same(texts)
    same([f"-{text}" for text in texts])
    same([f"{text}e{power:+03d}" for text, power in zip(texts, random.integers(-99, 99, 4000).tolist(), strict=True)])


@pytest.mark.parametrize(
    "texts",
    [
        ["0.0000000000000012345", "0.00000000000000000000012", "0.0", "-0.0", "0.0000001", "1e-05"],
        ["0.1", "0/1", "0.1/", "0.:", "9.9999999999999999999999", "0.12345678901234567890123"],
        ["1.5e-05", "1.5e+05", "1.5e-5", "1.5E-05", "1.5e-0x", "1.5e-305", "1.5ee05", ".e-05", "1.e-05"],
        ["0.5", "0.\x00", "0.\x15", "0.\x0a"],
        ["12.5", "-123.5", "+12.5", "9999.9999999999999999999999", "12345.6", "012.5", "0012.", "12", "1234"],
        ["1:.5", "12/.5", "1-2.5", "12.3.4", "12.3e-05", "1e2.5", ".5", "12..5", "12.5-", "1 2.5"],
    ],
)
@pytest.mark.parametrize("others", [["0.123456789"] * 200, ["12.123456789", "0.5", "-1234.5", "123.0"] * 50])
def test_what_is_nearly_a_plain_decimal_is_read_as_it_is(texts: list[str], others: list[str]) -> None:
    """Among many plain ones, so that the way of plain ones is tried on each."""
    for text in texts:
        if not {"\0", "\n"} & set(text):
            same([*others, text])
            same([text, *others])


@pytest.mark.parametrize("count", [3, 200, 30_000])
@pytest.mark.parametrize("width", [1, 2, 7, 8, 9, 31, 40, 64])
def test_columns_of_text_are_coded_however_many_differ(count: int, width: int) -> None:
    random = np.random.default_rng(width)
    texts = [f"{number:0{width}d}"[-width:] for number in random.integers(0, count, 40_000).tolist()]
    fields = fields_of(("\n".join(f"{t},0.5" for t in texts) + "\n").encode(), Dialect(), 2)
    assert fields is not None
    column = fields.coded(0)
    assert isinstance(column, Coded)
    assert column.tolist() == texts and len(set(column.distinct)) == len(column.distinct)
