"""Runs of blanks as the delimiter: found where nothing else can be, the same numbers as CSV by both readers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Call, Write
from tests.laws import settings
from xentcli.errors import DataError
from xentcli.readers import open_source
from xentcli.readers.source import Pick, merged_rows
from xentcli.readers.text import csv
from xentcli.readers.text.csv import CsvSource
from xentcli.readers.text.delimited import BLANK, Dialect, Grammar
from xentcli.readers.text.fields import _looks_bare, fields_of

Y = "cat\ndog\ncat\n"
NUMBERS = "0.7 0.3\n0.4 0.6\n0.9 0.1\n"
ALIGNED = "   cat    dog\n  0.7    0.3 \n 0.4\t0.6\n 0.90  0.1  \n"
COST = -(np.log(0.7) + np.log(0.6) + np.log(0.9)) / 3
LAYOUTS = {
    "aligned columns": ALIGNED,
    "aligned columns with CRLF": ALIGNED.replace("\n", "\r\n"),
    "names after a comment sign, as numpy.savetxt writes them": "# cat dog\n" + NUMBERS,
    "the same without a blank": "#cat dog\n" + NUMBERS,
    "comments before the table": "# made by\n# a tool of ours, 2.1\ncat dog\n" + NUMBERS,
    "R's write.table": '"cat" "dog"\n"1" 0.7 0.3\n"2" 0.4 0.6\n"3" 0.9 0.1\n',
    "the same without quotes": "cat dog\n1 0.7 0.3\n2 0.4 0.6\n3 0.9 0.1\n",
    "the same with blanks in the row names": '"cat" "dog"\n"row 1" 0.7 0.3\n"row 2" 0.4 0.6\n"row 3" 0.9 0.1\n',
    "the same with tabs": '"cat"\t"dog"\n"1"\t0.7\t0.3\n"2"\t0.4\t0.6\n"3"\t0.9\t0.1\n',
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_a_table_of_blanks_is_scored_as_it_is(text: str, call: Call, write: Write) -> None:
    done = call("score", write("q.txt", text), write("y.txt", "label\n" + Y), "-q")
    assert done.code == 0 and float(done.out) == pytest.approx(COST, rel=1e-12), done.err


def test_what_svm_predict_writes_has_its_names_on_the_first_line(call: Call, write: Write) -> None:
    text = "labels 1 -1\n1 0.7 0.3\n-1 0.4 0.6\n1 0.9 0.1\n"
    done = call("score", write("q.txt", text), write("y.txt", "1\n-1\n1\n"), "--preds", "1,-1", "-q")
    assert done.code == 0 and float(done.out) == pytest.approx(COST, rel=1e-12), done.err


ONE_COLUMN = {
    "names with spaces": "city\nNew York\nLos Angeles\nNew York\n",
    "names that end with a number": "ward\ntype 1\ntype 2\ntype 1\n",
    "ages": "age group\n18 25\n26 35\n18 25\n",
    "versions": "model\nGPT 3.5\nGPT 4.0\nGPT 3.5\n",
    "a name with spaces over numbers": "chance of rain\n0.3\n0.5\n0.7\n",
    "blanks at the ends": "  0.3 \n 0.5\n 0.7\n",
    "sentences of several numbers": "what\n5 of 12 by 3\n7 of 12 by 4\n",
}


@pytest.mark.parametrize("text", ONE_COLUMN.values(), ids=ONE_COLUMN)
def test_one_column_with_spaces_in_its_texts_stays_one_column(text: str, write: Write) -> None:
    assert open_source(write("y.csv", text), name="y").width == 1


@pytest.mark.parametrize("text", ["a 0.3\nb 0.4\n", "x 0.3\n0.3\n"])
def test_predictions_of_one_column_that_may_be_several_name_the_option(text: str, call: Call, write: Write) -> None:
    done = call("score", write("q.txt", text), write("y.txt", Y), "--no-header")
    assert done.code == 3 and "--delimiter space" in done.err


def test_a_header_that_is_a_comment_is_never_data(call: Call, write: Write) -> None:
    done = call("score", write("q.txt", "# cat dog\n" + NUMBERS), write("y.txt", Y), "--no-header", "predictions")
    assert done.code == 3 and "leave --no-header out" in done.err


def test_a_row_is_named_by_its_line_below_comments(call: Call, write: Write) -> None:
    done = call("score", write("q.txt", "# a\n# b\n# c\n0.7 0.3\n0.4 0.6 0.1\n"), write("y.txt", "0\n1\n"))
    assert done.code == 3 and "row 2 (line 5): 3 fields where 2 were expected" in done.err


blank = st.text(" \t", min_size=1, max_size=3)
cells = st.one_of(
    st.floats(0, 1).map(repr),
    st.integers(-9, 99).map(str),
    st.text("ab1.+-\x0b\xa0é#", min_size=1, max_size=4),
    st.text("a \t,", max_size=3).map('"{}"'.format),
    st.text(' \t"\r\na', max_size=3),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.lists(st.tuples(cells, blank), min_size=2, max_size=2), min_size=1, max_size=6), st.data())
def test_both_readers_find_the_same_fields(rows: Sequence[Sequence[tuple[str, str]]], data: st.DataObject) -> None:
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    ends = [data.draw(st.sampled_from(["", " ", "\t "])) for _ in range(2 * len(rows))]
    lines = [a + one + gap + two + b for ((one, gap), (two, _)), a, b in zip(rows, ends[::2], ends[1::2], strict=True)]
    raw = (end.join(lines) + end).encode()
    dialect = Dialect(BLANK)
    fields = fields_of(raw, dialect, 2)
    try:
        expected = Grammar("t", dialect).records(raw, 0, 1)[0]
    except DataError:
        expected = []
    if fields is not None:
        found = [list(fields.texts(column)) for column in range(2)]
        assert [list(pair) for pair in zip(*found, strict=True)] == expected


def test_the_fast_reader_takes_what_tools_write() -> None:
    for text in (NUMBERS, "  0.7  0.3\n  0.4  0.6 \n", '"a b" 0.3\n"1" 0.4\n', "+1 0.7\r\n-1 0.3\r\n"):
        assert fields_of(text.encode(), Dialect(BLANK), 2) is not None


def test_blanks_and_commas_give_the_same_bits(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv, "LEAST_FAST", 1)
    values = np.random.default_rng(4).dirichlet(np.ones(3), 500)
    for form in ("%.18e", "%r", "%.6f"):
        texts = [[form % x for x in row] for row in values.tolist()]
        forms = [",".join, " ".join, lambda row: "  " + "   ".join(x.rjust(24) for x in row) + " "]
        read = []
        for number, joined in enumerate(forms):
            path = write(f"{form[1:]}{number}.txt", "\n".join(map(joined, texts)) + "\n")
            source = open_source(path, name="q")
            assert isinstance(source, CsvSource) and source.dialect.delimiter == (BLANK if number else ",")
            parts = source.with_header(False).parts(4096)
            rows = merged_rows([part.load({"preds": Pick((0, 1, 2))}) for part in parts])
            read.append(np.asarray(rows.values["preds"]))
        assert all(one.tobytes() == read[0].tobytes() for one in read)


def test_single_blanks_are_read_as_fast_as_commas_and_aligned_columns_are_known() -> None:
    def text(content: str) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
        return np.frombuffer(content.encode(), np.uint8)

    assert _looks_bare(text("0.1 0.2 0.7\n0.3 0.3 0.4\n"), Dialect(BLANK))
    for aligned in (" 0.1 0.2\n", "0.1  0.2\n", "0.1 0.2\n 0.3 0.7\n"):
        assert not _looks_bare(text(aligned), Dialect(BLANK))
