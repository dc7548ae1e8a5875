"""The grammar of rows: what is a row, what is refused and where, in blocks of any size."""

from __future__ import annotations

import csv
import io
import itertools
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.laws import settings
from xentcli.errors import DataError, XentError
from xentcli.readers import open_source
from xentcli.readers.source import Pick
from xentcli.readers.text.csv import CsvSource
from xentcli.readers.text.delimited import Dialect, RowScan, row_ends

BLOCKS = (1, 2, 7, 64, 1 << 20)
laws = settings(deadline=None, max_examples=120)


@dataclass(frozen=True)
class Table:
    """What a file holds: its header, its rows, and the number and line of each row."""

    names: tuple[str, ...]
    rows: list[list[str]]
    numbers: list[int | None]
    lines: list[int | None]


def read(path: str, block: int, header: bool = True, delimiter: str | None = None) -> Table:
    """Read all columns of a file as text, in blocks of some size."""
    source = open_source(path, name="table", format="csv", delimiter=delimiter)
    assert isinstance(source, CsvSource)
    source = source.with_header(header)
    table = Table(source.names, [], [], [])
    for part in source.parts(block):
        rows = part.load({str(c): Pick((c,), "text") for c in range(source.width)})
        assert part.rows == rows.count > 0
        columns = [rows.values[str(c)] for c in range(source.width)]
        table.rows.extend([str(cell) for cell in record] for record in zip(*columns, strict=True))
        places = [rows.place("0", index) for index in range(rows.count)]
        table.numbers.extend(place.row for place in places)
        table.lines.extend(place.line for place in places)
    return table


def refusal(path: str, block: int, header: bool = True, delimiter: str | None = None) -> XentError:
    with pytest.raises(XentError) as caught:
        read(path, block, header, delimiter)
    return caught.value


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "t.csv"


ACCEPTED: dict[str, tuple[bytes, list[list[str]], list[int]]] = {
    "plain": (b"a,b\n1,2\n3,4\n", [["1", "2"], ["3", "4"]], [2, 3]),
    "no newline at the end": (b"a,b\n1,2\n3,4", [["1", "2"], ["3", "4"]], [2, 3]),
    "byte order mark": (b"\xef\xbb\xbfa,b\n1,2\n", [["1", "2"]], [2]),
    "byte order mark before a quoted name": (b'\xef\xbb\xbf"a",b\n1,2\n', [["1", "2"]], [2]),
    "CRLF": (b"a,b\r\n1,2\r\n3,4\r\n", [["1", "2"], ["3", "4"]], [2, 3]),
    "CRLF, none at the end": (b"a,b\r\n1,2\r\n3,4", [["1", "2"], ["3", "4"]], [2, 3]),
    "LF and CRLF mixed": (b"a,b\r\n1,2\n3,4\r\n", [["1", "2"], ["3", "4"]], [2, 3]),
    "CR only": (b"a,b\r1,2\r3,4\r", [["1", "2"], ["3", "4"]], [2, 3]),
    "CR only, none at the end": (b"a,b\r1,2\r3,4", [["1", "2"], ["3", "4"]], [2, 3]),
    "CR only with quotes": (b'a,b\r"1",2\r3,"4"\r', [["1", "2"], ["3", "4"]], [2, 3]),
    "CR only with a quoted CR": (b'a,b\r"1\r1",2\r3,"4"\r5,6', [["1\r1", "2"], ["3", "4"], ["5", "6"]], [2, 4, 5]),
    "quoted newline": (b'a,b\n"1\n\n1",2\n3,"4\n"\n5,6\n', [["1\n\n1", "2"], ["3", "4\n"], ["5", "6"]], [2, 5, 7]),
    "quoted newline in the header": (b'"a\nb",c\n1,2\n3,4\n', [["1", "2"], ["3", "4"]], [3, 4]),
    "quoted CRLF": (b'a,b\r\n"1\r\n1",2\r\n3,4\r\n', [["1\r\n1", "2"], ["3", "4"]], [2, 4]),
    "quoted CR": (b'a,b\n"1\r1",2\n3,4\n', [["1\r1", "2"], ["3", "4"]], [2, 3]),
    "quoted delimiter": (b'a,b\n"1,1",2\n3,","\n', [["1,1", "2"], ["3", ","]], [2, 3]),
    "doubled quotes": (b'a,b\n"1""1",""""\n"""""",4\n', [['1"1', '"'], ['""', "4"]], [2, 3]),
    "trailing blank lines": (b"a,b\n1,2\n3,4\n\n\n\n", [["1", "2"], ["3", "4"]], [2, 3]),
    "trailing blank lines, CRLF": (b"a,b\r\n1,2\r\n\r\n\r\n", [["1", "2"]], [2]),
    "trailing blank lines, CR": (b"a,b\r1,2\r\r\r", [["1", "2"]], [2]),
    "empty fields": (b'a,b\n,\n"",""\n,4\n', [["", ""], ["", ""], ["", "4"]], [2, 3, 4]),
    "spaces stay": (b"a,b\n 1 ,\t2\n3, 4\n", [[" 1 ", "\t2"], ["3", " 4"]], [2, 3]),
    "one column": (b"a\nx\ny\n", [["x"], ["y"]], [2, 3]),
    "one column, quoted empty": (b'a\nx\n""\ny\n', [["x"], [""], ["y"]], [2, 3, 4]),
    "one column, quoted empty at the end": (b'a\nx\n""', [["x"], [""]], [2, 3]),
    "one column of blanks": (b"a\n \nx\n", [[" "], ["x"]], [2, 3]),
    "text beyond ASCII": ("é,名\nß,\U0001f600\n".encode(), [["ß", "\U0001f600"]], [2]),
    "other separators are text": ("a,b\n1\u2028,2\v\f\x1c\x85\n".encode(), [["1\u2028", "2\v\f\x1c\x85"]], [2]),
    "a mark within is text": ("a,b\n\ufeff1,2\n".encode(), [["\ufeff1", "2"]], [2]),
    "header only": (b"a,b\n", [], []),
    "header only, no newline": (b"a,b", [], []),
    "header and blank lines": (b"a,b\n\n\n", [], []),
}  # fmt: skip


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("what", ACCEPTED)
def test_these_are_rows_with_their_numbers_and_lines(what: str, block: int, file: Path) -> None:
    content, rows, lines = ACCEPTED[what]
    file.write_bytes(content)
    table = read(str(file), block)
    assert table.rows == rows
    assert table.lines == lines
    assert table.numbers == list(range(1, len(rows) + 1))


@pytest.mark.parametrize("block", BLOCKS)
def test_without_a_header_the_first_line_is_row_one(block: int, file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf1,2\r\n3,4\r\n")
    table = read(str(file), block, header=False)
    assert table == Table((), [["1", "2"], ["3", "4"]], [1, 2], [1, 2])


@pytest.mark.parametrize("block", BLOCKS)
def test_names_come_without_mark_quotes_and_line_end(block: int, file: Path) -> None:
    file.write_bytes(b'\xef\xbb\xbf"a ""b""", c \r\n1,2\r\n')
    assert read(str(file), block).names == ('a "b"', " c ")


GOOD = b"a,b\n0,0\n"
LATER = b"5,6\n7,8\n9,10\n11,12\n13,14\n15,16\n"
REFUSED: dict[str, tuple[bytes, str, int | None, int]] = {
    "short row": (b"1\n", "1 field where 2 were expected", 2, 3),
    "short row, empty quotes": (b'""\n', "1 field where 2 were expected", 2, 3),
    "long row": (b"1,2,3\n", "3 fields where 2 were expected", 2, 3),
    "trailing delimiter": (b"1,2,\n", "a trailing comma: 3 fields where 2 were expected", 2, 3),
    "two trailing delimiters": (b"1,2,,\n", "4 fields where 2 were expected", 2, 3),
    "blank line": (b"\n", "a blank line where 2 fields were expected", 2, 3),
    "blank CRLF line": (b"\r\n", "a blank line where 2 fields were expected", 2, 3),
    "two blank lines": (b"\n\n", "a blank line where 2 fields were expected", 2, 3),
    "short row after a quoted newline": (b'"1\n2",3\n4\n', "1 field where 2 were expected", 3, 5),
    "short row with a quoted newline": (b'"1\n2"\n', "1 field where 2 were expected", 2, 3),
    "unclosed quote": (b'1,"2\n', "a quote that is never closed", 2, 3),
    "unclosed quote, first field": (b'"1,2\n', "a quote that is never closed", 2, 3),
    "unclosed quote that ends in two": (b'1,"2""\n', "a quote that is never closed", 2, 3),
    "text after a closing quote": (b'"1"x,2\n', "text after a closing quote", 2, 3),
    "space after a closing quote": (b'"1" ,2\n', "text after a closing quote", 2, 3),
    "quote inside a field": (b'x"1",2\n', "a quote inside a field that does not begin with one", 2, 3),
    "one quote inside a field": (b'1,x"2\n', "a quote inside a field that does not begin with one", 2, 3),
    "space before a quote": (b'1, "2"\n', "a quote inside a field that does not begin with one", 2, 3),
    "carriage return in a row": (b"1\r1,2\n", "a carriage return within a row", 2, 3),
    "carriage return that ends one row of many": (b"1,2\r3,4\n", "a carriage return within a row", 2, 3),
    "two carriage returns before a newline": (b"1,2\r\r\n", "a carriage return within a row", 2, 3),
    "carriage return in a row with quotes": (b'"1",2\r2\n', "a carriage return within a row", 2, 3),
    "NUL": (b"1,2\x003\n", "a NUL byte", None, 3),
    "NUL after a quoted newline": (b'"1\n1",2\x00\n', "a NUL byte", None, 4),
    "Latin-1": (b"caf\xe9,2\n", "byte 0xe9 is not UTF-8", None, 3),
    "Latin-1 after a quoted newline": (b'"1\n1",caf\xe9\n', "byte 0xe9 is not UTF-8", None, 4),
    "a lone surrogate": (b"\xed\xa0\x80,2\n", "byte 0xed is not UTF-8", None, 3),
    "an overlong form": (b"\xc0\xaf,2\n", "byte 0xc0 is not UTF-8", None, 3),
    "a character cut short": (b"\xe5\x90,2\n", "byte 0xe5 is not UTF-8", None, 3),
    "beyond Unicode": (b"\xf4\x90\x80\x80,2\n", "byte 0xf4 is not UTF-8", None, 3),
}  # fmt: skip


@pytest.mark.parametrize("later", [LATER, b""], ids=["in the middle", "at the end"])
@pytest.mark.parametrize("what", REFUSED)
def test_these_are_refused_with_row_and_line_and_the_same_words_in_any_block(
    what: str, later: bytes, file: Path
) -> None:
    row, message, number, line = REFUSED[what]
    if not later and not row.strip():
        pytest.skip("a blank line at the end is no row")
    file.write_bytes(GOOD + row + later)
    errors = {block: refusal(str(file), block) for block in BLOCKS}
    for error in errors.values():
        assert isinstance(error, DataError)
        assert message in error.message
        assert error.place is not None
        assert (error.place.path, error.place.line) == (str(file), line)
        if number is not None:
            assert error.place.row == number
        assert error.message.isprintable()
    assert len({str(error) for error in errors.values()}) == 1


@pytest.mark.parametrize("end", [b"\r\n", b"\r"], ids=["CRLF", "CR"])
@pytest.mark.parametrize("what", [what for what, (row, *_) in REFUSED.items() if b"\r" not in row])
def test_the_same_is_refused_on_the_same_line_whatever_ends_a_line(what: str, end: bytes, file: Path) -> None:
    row, message, number, line = REFUSED[what]
    file.write_bytes((GOOD + row + LATER).replace(b"\n", end))
    errors = {block: refusal(str(file), block) for block in BLOCKS}
    for error in errors.values():
        assert message in error.message
        assert error.place is not None
        assert error.place.line == line
        if number is not None:
            assert error.place.row == number
    assert len({str(error) for error in errors.values()}) == 1


def test_a_newline_far_down_a_file_of_cr_is_refused_in_any_block(file: Path) -> None:
    file.write_bytes(b"a,b\r" + b"xxx,yyy\r" * 10_000 + b"p\nq,r\r" + b'"z",1\r' * 3)
    errors = [refusal(str(file), block) for block in (1, 64, 1 << 20)]
    for error in errors:
        assert isinstance(error, DataError)
        assert error.place is not None and error.place.line == 10_002
    assert len({str(error) for error in errors}) == 1


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("what", REFUSED)
def test_a_fault_in_the_first_line_is_refused_too(what: str, block: int, file: Path) -> None:
    row, message, _, _ = REFUSED[what]
    if "fields were expected" in message or "field where" in message:
        pytest.skip("the first line sets the number of fields")
    file.write_bytes(row + LATER)
    assert refusal(str(file), block).exit_code == 3


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.parametrize("coding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_wide_text_is_refused_by_name(coding: str, mark: bool, block: int, file: Path) -> None:
    file.write_bytes((("\ufeff" if mark else "") + "a,b\n1,2\n").encode(coding))
    error = refusal(str(file), block)
    assert isinstance(error, DataError)
    assert "UTF-16" in str(error)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("header", ["a,a", "a,b,a", '"a",a', "a,b,,c,"])
def test_two_columns_of_one_name_are_refused(header: str, block: int, file: Path) -> None:
    file.write_text(header + "\n" + ",".join("1" * len(header.split(","))) + "\n", encoding="utf-8")
    error = refusal(str(file), block)
    assert isinstance(error, DataError)
    assert "2 columns are called" in error.message
    assert error.place is not None and error.place.line == 1


def test_two_columns_of_one_text_are_data_without_a_header(file: Path) -> None:
    file.write_text("1,1\n2,2\n", encoding="utf-8")
    assert read(str(file), 1 << 20, header=False).rows == [["1", "1"], ["2", "2"]]


def test_the_fault_is_named_with_the_delimiter_of_the_file(file: Path) -> None:
    file.write_text("a\tb\n1\t2\t\n", encoding="utf-8")
    assert "a trailing tab" in refusal(str(file), 1).message
    file.write_text("a;b\n1;2;\n", encoding="utf-8")
    assert "a trailing semicolon" in refusal(str(file), 1).message
    file.write_text("a|b\n1|2|\n", encoding="utf-8")
    assert "a trailing delimiter" in refusal(str(file), 1, delimiter="|").message


def written(rows: Sequence[Sequence[str]], quoting: int, delimiter: str, end: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return text.getvalue().encode()


letters = st.one_of(st.sampled_from('ab1.,;\t" \r\n'), st.characters(codec="utf-8", exclude_characters="\0"))
cells = st.text(letters, max_size=5)
tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=8)
)


@laws
@given(
    rows=tables,
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    delimiter=st.sampled_from(",;\t"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    block=st.sampled_from(BLOCKS),
)
@example(rows=[["a"], [""], [""]], quoting=csv.QUOTE_MINIMAL, delimiter=",", end="\n", block=1)
@example(rows=[["x"], ["\n"], ["\r"], [""]], quoting=csv.QUOTE_MINIMAL, delimiter=",", end="\r\n", block=2)
@example(rows=[['"', "\n,"], ["", '""']], quoting=csv.QUOTE_MINIMAL, delimiter=";", end="\n", block=7)
def test_what_pythons_csv_module_writes_reads_back(
    rows: list[list[str]], quoting: int, delimiter: str, end: str, block: int
) -> None:
    if end == "\r":
        # Nothing but a look at the first bytes tells such a file; a newline there says otherwise.
        rows = [[cell.replace("\n", "") for cell in row] for row in rows]
    elif end == "\n" and quoting == csv.QUOTE_MINIMAL:
        # Before Python 3.13 the module leaves a carriage return unquoted there.
        rows = [[cell.replace("\r", "") for cell in row] for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.csv")
        path.write_bytes(written(rows, quoting, delimiter, end))
        if rows[0][0].startswith("\ufeff") and quoting == csv.QUOTE_MINIMAL:
            return  # a byte order mark to whoever reads it
        table = read(str(path), block, header=False, delimiter=delimiter)
        assert table.rows == rows
        assert table.numbers == list(range(1, len(rows) + 1))
        lines = [1, *(1 + n for n in itertools.accumulate(lines_of(row, end) for row in rows))]
        assert table.lines == lines[:-1]


def lines_of(row: list[str], end: str) -> int:
    """How many lines of the file a row takes."""
    return 1 + sum(cell.count("\r" if end == "\r" else "\n") for cell in row)


@laws
@given(
    rows=tables,
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    block=st.sampled_from(BLOCKS),
)
def test_a_file_of_cr_with_quoted_newlines_is_right_or_refused(rows: list[list[str]], quoting: int, block: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.csv")
        path.write_bytes(written(rows, quoting, ",", "\r"))
        try:
            table = read(str(path), block, header=False, delimiter=",")
        except XentError:
            return
        # Python 3.11 writes a newline between carriage returns without quotes: another file.
        unquoted = quoting == csv.QUOTE_MINIMAL and any("\n" in cell for row in rows for cell in row)
        if not rows[0][0].startswith("\ufeff") and not unquoted:
            assert table.rows == rows


@settings(deadline=None, max_examples=400)
@given(st.lists(st.sampled_from([b"a", b"b", b",", b'"', b"\r", b"\n", b"\r\n", b'""', b"a,b\n"]), max_size=14))
@example([b'"', b"\n", b'"', b"\n", b"a"])
@example([b"a", b"\r", b"\r\n", b"b", b"\n"])
@example([b"\n", b"a", b"\n"])
@example([b"\r", b"\r"])
def test_any_bytes_are_right_or_refused_and_alike_in_every_block(pieces: list[bytes]) -> None:
    content = b"".join(pieces)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.csv")
        path.write_bytes(content)
        for header in (True, False):
            found = [result(str(path), block, header) for block in BLOCKS]
            assert found.count(found[0]) == len(found)
            if found[0] is not None and not header and found[0].rows:
                expected = list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))
                while expected and not expected[-1]:
                    expected.pop()
                assert found[0].rows == expected


def result(path: str, block: int, header: bool) -> Table | None:
    """The table, or None where it is refused; any other exception is a defect."""
    try:
        return read(path, block, header, ",")
    except XentError:
        return None


class Watched(bytearray):
    """Bytes that count how many of them are looked at."""

    looked = 0

    def find(self, *arguments: Any) -> int:
        found, (start, end) = super().find(*arguments), (*arguments[1:], len(self))[:2]
        self.looked += (found if found >= 0 else end) - start + 1
        return found

    def count(self, *arguments: Any) -> int:
        self.looked += arguments[2] - arguments[1]
        return super().count(*arguments)


@pytest.mark.parametrize("text", [b'""' * 5000, b'"\n"' * 5000, b'"",' * 5000, b'"x\n' * 5001, b"a,b\n" * 5000])
def test_row_ends_are_found_in_one_look_at_each_byte(text: bytes) -> None:
    data, scan, ends = Watched(text), RowScan(), []
    while (end := scan.row_end(data, Dialect())) >= 0:
        ends.append(end)
    # A line end after an even number of quotes, one of them after another.
    quotes = list(itertools.accumulate(byte == ord('"') for byte in text))
    assert ends == [at + 1 for at, byte in enumerate(text) if byte == 10 and quotes[at] % 2 == 0]
    assert scan.quoted == (quotes[-1] % 2 == 1)
    assert data.looked <= 4 * len(text)


@given(
    text=st.text(alphabet='",\n\rx', max_size=60),
    least=st.integers(0, 70),
    cuts=st.lists(st.integers(0, 60), max_size=4),
    cr=st.booleans(),
)
def test_bytes_that_grow_have_the_same_row_ends(text: str, least: int, cuts: list[int], cr: bool) -> None:
    data, dialect = text.encode(), Dialect(ends_with_cr=cr)
    ends = [
        at for at in range(1, len(data) + 1) if data[at - 1 : at] == dialect.end and data.count(b'"', 0, at) % 2 == 0
    ]
    expected = next((end for end in ends if end > least), -1)
    scan, found = RowScan(), -1
    for size in [*sorted(cuts), len(data)]:
        found = found if found >= 0 else scan.row_end(data[:size], dialect, least)
    assert found == expected


@given(
    st.lists(st.sampled_from([b'"', b"\n", b"x", b'x" \n' * 20, b"x" * 61]), max_size=20).map(b"".join), st.booleans()
)
def test_rows_end_at_line_ends_outside_quotes(text: bytes, quotes: bool) -> None:
    found = row_ends(np.frombuffer(text, np.uint8), Dialect(quotes=quotes))
    within = [quotes and text.count(b'"', 0, at) % 2 == 1 for at in range(len(text))]
    assert found.tolist() == [at for at, byte in enumerate(text) if byte == ord("\n") and not within[at]]
