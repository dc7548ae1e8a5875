"""Text files whole: delimiters, long first lines, compression, pipes, and files that cannot be read."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import xentcli
from tests.conftest import Feed
from xentcli.errors import DataError, FileError, NoVerdict, UsageError, XentError
from xentcli.readers import open_source
from xentcli.readers.source import Pick
from xentcli.readers.stream import HEAD_BYTES
from xentcli.readers.text.csv import CsvSource, check_delimiter

Write = Callable[[str, str | bytes], str]

COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
PLAIN = b"a,b\n" + b"".join(b"%d,x%d\n" % (i, i * i) for i in range(40))
ROWS = [[str(i), f"x{i * i}"] for i in range(40)]


def opened(path: str, delimiter: str | None = None, header: bool = True) -> CsvSource:
    source = open_source(path, name="table", delimiter=delimiter)
    assert isinstance(source, CsvSource)
    table = source.with_header(header)
    assert isinstance(table, CsvSource)
    return table


def rows_of(source: CsvSource, block: int = 1 << 20) -> list[list[str]]:
    picks = {str(c): Pick((c,), "text") for c in range(source.width)}
    found: list[list[str]] = []
    for part in source.parts(block):
        values = part.load(picks).values
        found.extend([str(v) for v in row] for row in zip(*(values[role] for role in picks), strict=True))
    return found


def read(path: str, delimiter: str | None = None) -> tuple[tuple[str, ...], list[list[str]]]:
    source = opened(path, delimiter)
    return source.names, rows_of(source)


def refusal(call: Callable[[], object]) -> XentError:
    """The error of a call, without the frames that would keep its files open."""
    try:
        call()
    except XentError as error:
        return error.with_traceback(None)
    raise AssertionError("nothing was refused")


@pytest.mark.parametrize(
    ("content", "names", "rows"),
    [
        ("a,b\n1,2\n", ("a", "b"), [["1", "2"]]),
        ("a;b\n1;2\n", ("a", "b"), [["1", "2"]]),
        ("a\tb\n1\t2\n", ("a", "b"), [["1", "2"]]),
        ("a\n1\n", ("a",), [["1"]]),
        ("a;b\n0,5;0,5\n", ("a", "b"), [["0,5", "0,5"]]),
        ("a,b\n1;2,3;4\n", ("a", "b"), [["1;2", "3;4"]]),
        ("a,a2;b\n1;2\n", ("a,a2", "b"), [["1", "2"]]),
        ("a;b,c\n1,2\n", ("a;b", "c"), [["1", "2"]]),
        ('"a,1",b\n1,2\n', ("a,1", "b"), [["1", "2"]]),
        ('"a;1",b\n1,2\n', ("a;1", "b"), [["1", "2"]]),
        ('"a,1";b\n1;2\n', ("a,1", "b"), [["1", "2"]]),
        ('a\t"b,1"\n1\t2\n', ("a", "b,1"), [["1", "2"]]),
        ('a;"b,\n1"\n1;2\n', ("a", "b,\n1"), [["1", "2"]]),
        ("a|b\n1|2\n", ("a|b",), [["1|2"]]),
        ("a b\n1 2\n", ("a b",), [["1 2"]]),
    ],
)
def test_the_delimiter_is_the_one_that_the_first_two_lines_agree_on(
    content: str, names: tuple[str, ...], rows: list[list[str]], write: Write
) -> None:
    assert read(write("t.csv", content)) == (names, rows)


@pytest.mark.parametrize(
    ("content", "both"),
    [
        ("a,b;c\n1,2;3\n", "comma and semicolon"),
        ("a,b;c\n", "comma and semicolon"),
        ("a,b\tc\n1,2\t3\n", "comma and tab"),
        ("a\tb;c\n1\t2;3\n", "tab and semicolon"),
        ("a,b\tc;d\n1,2\t3;4\n", "comma and tab and semicolon"),
        ("0,5;0,5\n0,7;0,3\n", "comma and semicolon"),
    ],
)
def test_two_delimiters_that_fit_are_refused_and_delimiter_decides(content: str, both: str, write: Write) -> None:
    path = write("t.csv", content)
    with pytest.raises(DataError, match=f"{both} could each separate the fields") as caught:
        read(path)
    assert caught.value.advice == ("--delimiter says which does",)
    assert caught.value.place is not None and caught.value.place.line == 1
    for delimiter in {",", ";", "\t"} & set(content):
        assert opened(path, delimiter, header=False).first_fields == tuple(content.split("\n")[0].split(delimiter))


def test_delimiter_may_be_any_character(write: Write) -> None:
    path = write("t.csv", 'a|b,c\n1|"2|3"\n')
    assert read(path, "|") == (("a", "b,c"), [["1", "2|3"]])
    path = write("u.csv", "a b\n1 2\n")
    assert read(path, " ") == (("a", "b"), [["1", "2"]])
    path = write("v.csv", "a.b\n1.2\n")
    assert read(path, ".") == (("a", "b"), [["1", "2"]])


@pytest.mark.parametrize("text", ["", ",,", '"', "\n", "\r", "§", "ab"])
def test_a_delimiter_that_no_file_can_use_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        check_delimiter(text)


@pytest.mark.parametrize(
    ("text", "character"),
    [("tab", "\t"), ("\\t", "\t"), ("comma", ","), ("semicolon", ";"), ("pipe", "|"), ("space", " "), ("|", "|")],
)
def test_delimiters_have_names(text: str, character: str) -> None:
    assert check_delimiter(text) == character


@pytest.mark.parametrize("name", ["t.tsv", "t.tab", "t.tsv.gz"])
def test_a_tsv_has_tabs_whatever_else_is_in_it(name: str, write: Write) -> None:
    content = b"a,b;c\td\n1,2;3\t4\n"
    path = write(name, gzip.compress(content) if name.endswith("gz") else content)
    assert read(path) == (("a,b;c", "d"), [["1,2;3", "4"]])
    assert read(path, ",")[0] == ("a", "b;c\td")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_header_longer_than_the_look_at_the_file_is_read(delimiter: str, end: str, write: Write) -> None:
    names = tuple(f"class_{i}" for i in range(7_000))
    assert len("".join(names)) > HEAD_BYTES
    line = delimiter.join(["0.00005"] * 7_000)
    path = write("t.csv", end.join([delimiter.join(names), line, line]) + end)
    source = opened(path)
    assert source.names == names
    assert rows_of(source) == [["0.00005"] * 7_000] * 2
    assert rows_of(source, 1) == [["0.00005"] * 7_000] * 2


def test_20000_classes_are_scored(write: Write) -> None:
    names = ",".join(f"class_{i}" for i in range(20_000))
    line = ",".join(["0.00005"] * 20_000)
    report = xentcli.score(write("p.csv", f"{names}\n{line}\n"), write("l.csv", "label\nclass_19999\n"))
    assert report.cost == pytest.approx(9.903487552536127, abs=1e-12)


@pytest.mark.parametrize("extra", range(-3, 4))
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_first_line_that_ends_where_the_look_at_the_file_ends_is_read(
    end: str, extra: int, compressed: bool, write: Write
) -> None:
    name = "n" * ((1 << 16) + extra - 3)
    content = (f"{name},b{end}1,2{end}3,4{end}").encode()
    path = write("t.csv", gzip.compress(content) if compressed else content)
    assert read(path) == ((name, "b"), [["1", "2"], ["3", "4"]])


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_quoted_carriage_return_in_a_long_header_does_not_end_a_row(end: str, write: Write) -> None:
    name = "n" * (1 << 16)
    path = write("t.csv", f'"a\ra","{name}"{end}1,2{end}')
    assert read(path) == (("a\ra", name), [["1", "2"]])


def test_a_character_cut_by_the_end_of_the_look_at_the_file_is_whole(write: Write) -> None:
    for shift in range(4):
        name = "x" * shift + "\U0001f600" * (1 << 15)
        assert read(write("t.csv", f"{name},b\n1,2\n")) == ((name, "b"), [["1", "2"]])


def test_a_single_line_of_many_rows_worth_is_one_row(write: Write) -> None:
    line = ",".join(["0.5"] * 30_000)
    source = opened(write("t.csv", line), header=False)
    assert source.width == 30_000
    assert [len(row) for row in rows_of(source)] == [30_000]


def test_more_than_a_million_columns_are_a_limit(write: Write) -> None:
    path = write("t.csv", "," * 999_999 + "\n")
    assert opened(path, header=False).width == 1_000_000
    with pytest.raises(FileError, match="1,000,001 columns"):
        opened(write("u.csv", "," * 1_000_000 + "\n"), header=False)


@pytest.mark.parametrize("block", [64, 1 << 20, 1 << 23])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_field_over_one_mebibyte_is_a_limit_and_its_line_is_named(quote: str, block: int, write: Write) -> None:
    fits, over = "x" * (1 << 20), "x" * ((1 << 20) + 1)
    assert rows_of(opened(write("t.csv", f"a,b\n1,{quote}{fits}{quote}\n")), block) == [["1", fits]]
    path = write("u.csv", f"a,b\n1,2\n3,{quote}{over}{quote}\n5,6\n")
    with pytest.raises(FileError, match="longer than 1,048,576") as caught:
        rows_of(opened(path), block)
    assert caught.value.place is not None and caught.value.place.line == 3


def test_a_name_over_one_mebibyte_is_a_limit_too(write: Write) -> None:
    path = write("t.csv", "a," + "x" * ((1 << 20) + 1) + "\n1,2\n")
    with pytest.raises(FileError, match="longer than 1,048,576") as caught:
        read(path)
    assert caught.value.place is not None and caught.value.place.line == 1


def test_a_quote_that_is_never_closed_far_from_the_end_is_found(write: Write) -> None:
    source = opened(write("t.csv", b'a,b\n1,2\n3,"4\n' + b"0.123456,0.876544\n" * (24 * (1 << 20) // 18)))
    assert sum(part.rows for part in source.parts()) == 2
    with pytest.raises(DataError, match="never closed") as caught:
        rows_of(source)
    assert caught.value.place is not None and caught.value.place.line == 3


@pytest.mark.parametrize("ending", COMPRESSIONS)
@pytest.mark.parametrize("block", [1, 64, 1 << 20])
def test_compressed_text_reads_as_plain_text_under_any_name(ending: str, block: int, write: Write) -> None:
    data = COMPRESSIONS[ending](PLAIN)
    for name in (f"t.csv.{ending}", "t.csv", "t"):
        source = opened(write(name, data))
        assert source.names == ("a", "b")
        assert rows_of(source, block) == ROWS
        assert rows_of(source, block) == ROWS, "a compressed file can be read again"
        assert source.repeatable and source.lines() == 41


@pytest.mark.parametrize("ending", COMPRESSIONS)
def test_several_compressed_streams_in_a_row_are_one_file(ending: str, write: Write) -> None:
    data = b"".join(COMPRESSIONS[ending](PLAIN[i : i + 100]) for i in range(0, len(PLAIN), 100))
    assert rows_of(opened(write("t", data))) == ROWS


@pytest.mark.parametrize("ending", COMPRESSIONS)
def test_a_compressed_file_cut_anywhere_is_refused(ending: str, write: Write) -> None:
    data = COMPRESSIONS[ending](PLAIN)
    for length in range(4, len(data)):
        path = write("t.csv", data[:length])
        error = refusal(lambda path=path: read(path))  # type: ignore[misc]
        assert error.exit_code == 3
        assert str(error).startswith(path)


@pytest.mark.parametrize("ending", COMPRESSIONS)
def test_a_compressed_file_with_a_changed_bit_is_right_or_refused(ending: str, write: Write) -> None:
    data = COMPRESSIONS[ending](PLAIN)
    refused = 0
    for place in range(len(data)):
        bad = bytearray(data)
        bad[place] ^= 1 << place % 8
        try:
            found = read(write("t.csv", bytes(bad)))
        except DataError:
            refused += 1
        else:
            assert found == (("a", "b"), ROWS)
    assert refused > 0.8 * len(data)


@pytest.mark.parametrize("ending", COMPRESSIONS)
def test_a_second_compressed_stream_that_is_damaged_is_not_left_out(ending: str, write: Write) -> None:
    compress = COMPRESSIONS[ending]
    second = bytearray(compress(PLAIN[100:]))
    second[0] ^= 0xFF
    with pytest.raises(DataError):
        read(write("t.csv", compress(PLAIN[:100]) + bytes(second)))


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n", b"\r", gzip.compress(b"", mtime=0)]
)
def test_an_empty_file_has_no_columns_and_no_rows(content: bytes, write: Write) -> None:
    source = open_source(write("t.csv", content), name="table")
    assert (source.width, source.names, list(source.parts())) == (0, (), [])


EMPTY = {"empty": "", "blank": "\n", "mark": "\ufeff", "header": "a,b\n", "header, cut": "a,b"}
EMPTY_LABELS = {"empty": "", "blank": "\r\n", "mark": "\ufeff", "header": "label\n", "header, cut": "label"}


@pytest.mark.parametrize("preds", EMPTY)
@pytest.mark.parametrize("labels", EMPTY_LABELS)
def test_two_files_without_rows_are_no_verdict(preds: str, labels: str, write: Write) -> None:
    with pytest.raises(NoVerdict, match="there are no rows"):
        xentcli.score(write("p.csv", EMPTY[preds]), write("l.csv", EMPTY_LABELS[labels]))


@pytest.mark.parametrize("preds", EMPTY)
def test_predictions_without_rows_are_refused_beside_labels(preds: str, write: Write) -> None:
    with pytest.raises(DataError) as caught:
        xentcli.score(write("p.csv", EMPTY[preds]), write("l.csv", "label\na\n"))
    assert "p.csv" in str(caught.value)


@pytest.mark.parametrize("labels", EMPTY_LABELS)
def test_labels_without_rows_are_refused_beside_predictions(labels: str, write: Write) -> None:
    with pytest.raises(DataError) as caught:
        xentcli.score(write("p.csv", "a,b\n0.5,0.5\n"), write("l.csv", EMPTY_LABELS[labels]))
    assert "l.csv" in str(caught.value)


def test_a_single_file_without_rows_is_no_verdict(write: Write) -> None:
    with pytest.raises(NoVerdict):
        xentcli.score(write("t.csv", ""), kind="losses")
    with pytest.raises(NoVerdict):
        xentcli.score(write("u.csv", "loss\n"), kind="losses")
    with pytest.raises(NoVerdict):
        xentcli.score(write("v.csv", "a,b,label\n"), label="label")


def test_a_missing_file_is_a_file_error(tmp_path: Path) -> None:
    path = str(tmp_path / "none.csv")
    with pytest.raises(FileError, match="No such file or directory") as caught:
        open_source(path, name="predictions")
    assert str(caught.value).startswith(path)


def test_a_folder_of_folders_is_a_file_error(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    with pytest.raises(FileError, match="is a folder") as caught:
        open_source(str(tmp_path), name="predictions")
    assert caught.value.exit_code == 4


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root, and Windows, may read every file")
def test_a_file_that_may_not_be_read_is_a_file_error(write: Write) -> None:
    path = write("t.csv", "a\n1\n")
    os.chmod(path, 0)
    with pytest.raises(FileError, match="Permission denied"):
        open_source(path, name="predictions")


def test_names_that_no_file_can_have_are_file_errors() -> None:
    for path in ("x" * 5000, "a\0b.csv", ""):
        with pytest.raises(FileError):
            open_source(path, name="predictions")


def test_a_path_object_is_a_path(write: Write) -> None:
    source = open_source(Path(write("t.csv", PLAIN)), name="predictions")
    assert source.path.endswith("t.csv")


def test_a_file_that_shrinks_while_it_is_read_is_refused(write: Write) -> None:
    path = write("t.csv", PLAIN)
    parts = list(opened(path).parts(64))
    os.truncate(path, 80)
    with pytest.raises(DataError, match="became shorter"):
        [part.load({}) for part in parts]


@pytest.mark.parametrize("size", [1, 13, 1 << 16])
@pytest.mark.parametrize("compress", [bytes, *COMPRESSIONS.values()])
def test_a_fifo_is_read_as_a_file_is(compress: Callable[[bytes], bytes], size: int, feed: Feed) -> None:
    data = compress(PLAIN)
    source = opened(feed(data[i : i + size] for i in range(0, len(data), size)))
    assert not source.repeatable
    assert source.names == ("a", "b")
    assert rows_of(source, 64) == ROWS


def test_a_fifo_is_read_once(feed: Feed) -> None:
    source = opened(feed(iter([PLAIN])))
    assert rows_of(source) == ROWS
    with pytest.raises(FileError, match="only once"):
        rows_of(source)


def test_a_fifo_with_a_long_first_line_loses_nothing(feed: Feed) -> None:
    names = tuple(f"class_{i}" for i in range(7_000))
    content = (",".join(names) + "\n" + (",".join("0" * 7_000) + "\n") * 5).encode()
    assert content.index(b"\n") > HEAD_BYTES
    source = opened(feed(content[i : i + 5000] for i in range(0, len(content), 5000)))
    assert source.names == names
    assert rows_of(source, 1000) == [["0"] * 7_000] * 5


def test_a_compressed_fifo_that_ends_early_is_refused(feed: Feed) -> None:
    data = gzip.compress(PLAIN * 1)
    with pytest.raises(DataError, match="end too early"):
        rows_of(opened(feed(iter([data[:-9]]))))


def test_predictions_and_labels_may_both_be_fifos(feed: Feed) -> None:
    preds = feed(iter([b"a,b\n", b"0.25,0.75\n" * 5000]))
    labels = feed(iter([b"label\n", b"b\n" * 5000]))
    report = xentcli.score(preds, labels, block_bytes=1000)
    assert report.examples.read == 5000
    assert report.cost == pytest.approx(0.2876820724517809, abs=1e-15)


def test_an_empty_fifo_is_an_empty_file(feed: Feed) -> None:
    with pytest.raises(NoVerdict):
        xentcli.score(feed(iter([])), feed(iter([])))


@pytest.mark.parametrize("first", [b"", b"a,b\n1,2\n"], ids=["first line", "later line"])
def test_a_line_without_end_is_a_limit_not_all_of_memory(first: bytes, feed: Feed) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield first or b"a,"
        for _ in range(300):
            sent += 1
            yield b"1,2,3,4," * (1 << 17)

    path = feed(endless())
    error = refusal(lambda: rows_of(opened(path, header=False)))
    assert error.exit_code == 4
    assert sent < 150, "MiB were read"
    assert error.place is not None and error.place.line == (3 if first else 1)
