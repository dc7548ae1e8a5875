"""Whether the first line of a text file is a header: each sentence of the rule."""

from __future__ import annotations

import gzip
import io
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import Run, Write
from xentcli import score
from xentcli.errors import DataError, XentError
from xentcli.report.report import Report

THREE = "cat,dog,emu\n.5,.3,.2\n.1,.6,.3\n.2,.2,.6\n"
SERIES = "0,1,2\n.5,.3,.2\n.1,.6,.3\n.2,.2,.6\n"
BARE = ".5,.3,.2\n.1,.6,.3\n.2,.2,.6\n"

Stdin = Callable[[str], None]


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Stdin:
    """Let standard input be a text."""

    def feed(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))

    return feed


def refusal(error: type[XentError], *files: Any, **options: Any) -> str:
    """Score what must be refused; return the message with its advice."""
    with pytest.raises(error) as caught:
        score(*files, **options)
    return str(caught.value)


def headers(report: Report) -> tuple[bool | None, ...]:
    """What was taken, for each input."""
    return tuple(given.header for given in report.inputs)


def rows(report: Report) -> tuple[int | None, ...]:
    """How many rows each input had."""
    return tuple(given.rows for given in report.inputs)


# There is one if the first line has a field that is not a number, unless that one field is a class name.


@pytest.mark.parametrize("first", ["cat,dog,emu", "cat,1,2", ",0,1", "1,2,c", "0x1,0x2,0x3", "1_0,1_1,1_2"])
def test_a_field_that_is_not_a_number_makes_a_header(first: str, write: Write) -> None:
    body = "7,.5,.5\n8,.1,.9\n" if first.startswith(",") else ".5,.3,.2\n.1,.6,.3\n"
    report = score(write("p.csv", f"{first}\n{body}"), [0, 1], index_base=0)
    assert headers(report) == (True, None)
    assert rows(report) == (2, 2)


@pytest.mark.parametrize("first", [".5,.3,.2", "1,0,0", "5e-1,.5,0", "0.0,1.0,0.0", " .5, .3, .2", "1,2,3", "0,2,1"])
def test_a_first_line_of_numbers_is_data(first: str, write: Write) -> None:
    report = score(write("p.csv", f"{first}\n.1,.6,.3\n"), [0, 1], sum_tolerance=9, preds="#1:#3")
    assert headers(report) == (False, None)
    assert rows(report) == (2, 2)


def test_labels_that_are_numbers_are_data(write: Write) -> None:
    report = score(write("p.csv", THREE), write("l.csv", "2\n1\n0\n"))
    assert headers(report) == (True, False)
    assert report.examples.read == 3


def test_a_text_that_is_no_class_is_the_header_of_a_label_file(write: Write) -> None:
    report = score(write("p.csv", THREE), write("l.csv", "truth\ncat\ndog\nemu\n"))
    assert headers(report) == (True, True)


@pytest.mark.parametrize("labels", ["cat\ndog\nemu\n", "emu\nemu\nemu\n"])
def test_a_class_name_first_in_a_label_file_is_data_where_the_row_counts_then_agree(labels: str, write: Write) -> None:
    report = score(write("p.csv", THREE), write("l.csv", labels))
    assert headers(report) == (True, False)
    assert rows(report) == (3, 3)


def test_a_class_name_first_in_a_label_file_is_a_header_where_the_row_counts_then_agree(write: Write) -> None:
    report = score(write("p.csv", THREE), write("l.csv", "cat\n0\n1\n2\n"))
    assert headers(report) == (True, True)
    assert report.labels.matched == "index"


@pytest.mark.parametrize("preds", ["cat,dog,emu", "cat:emu", ["emu", "dog", "cat"]])
def test_a_class_name_first_in_a_label_file_stays_data_where_preds_names_the_columns(
    preds: str | list[str], write: Write
) -> None:
    report = score(write("p.csv", THREE), write("l.csv", "cat\ndog\nemu\n"), preds=preds)
    assert headers(report) == (True, False)
    assert report.labels.counts == (1, 1, 1)


def test_a_label_0_stays_data_where_preds_names_a_column_0(write: Write) -> None:
    report = score(write("p.csv", SERIES), write("l.csv", "0\n1\n2\n"), preds="0,1,2")
    assert headers(report) == (True, False)
    assert report.labels.counts == (1, 1, 1)


@pytest.mark.parametrize(("labels", "taken"), [("dog\ncat\n", False), ("dog\ndog\ncat\n", True)])
def test_the_names_of_classes_make_a_label_file_ambiguous_for_an_array_too(
    labels: str, taken: bool, write: Write
) -> None:
    report = score(np.full((2, 2), 0.5), write("l.csv", labels), classes="cat,dog")
    assert headers(report) == (None, taken)
    assert report.labels.counts == (1, 1)


def test_the_columns_of_a_data_frame_are_class_names_for_a_label_file(write: Write) -> None:
    frame = pd.DataFrame([[0.5, 0.5], [0.25, 0.75]], columns=["cat", "dog"])
    report = score(frame, write("l.csv", "cat\ndog\n"))
    assert headers(report) == (None, False)
    assert report.labels.counts == (1, 1)


def test_the_positive_label_is_a_class_name_for_a_label_file(write: Write) -> None:
    report = score(write("p.csv", "p\n.5\n.25\n"), write("l.csv", "spam\nham\n"), positive="spam")
    assert headers(report) == (True, False)
    assert report.labels.counts == (1, 1)


# A first line that could be either is a header if and only if the row counts of the two files then agree.


@pytest.mark.parametrize(
    ("labels", "taken", "counts"), [("0\n1\n2\n", False, (1, 1, 1)), ("0\n1\n2\n1\n", True, (0, 2, 1))]
)
@pytest.mark.parametrize("preds", [THREE, BARE])
def test_a_label_file_that_begins_with_0_is_judged_by_the_row_counts(
    labels: str, taken: bool, counts: tuple[int, ...], preds: str, write: Write
) -> None:
    report = score(write("p.csv", preds), write("l.csv", labels))
    assert headers(report)[1] is taken
    assert report.labels.counts == counts


@pytest.mark.parametrize(("labels", "taken"), [([0, 1, 2], True), ([0, 1, 2, 1], False)])
def test_predictions_that_begin_with_0_to_k_are_judged_by_the_row_counts(
    labels: list[int], taken: bool, write: Write
) -> None:
    report = score(write("p.csv", SERIES), np.array(labels), kind="logits", preds="#1:#3")
    assert headers(report) == (taken, None)
    assert report.examples.read == len(labels)


def test_a_first_line_0_1_is_data_where_it_is_the_row_that_is_needed(write: Write) -> None:
    report = score(write("p.csv", "0,1\n.5,.5\n"), [1, 0])
    assert headers(report) == (False, None)
    assert report.cost == pytest.approx(0.34657359027997264, rel=1e-15)


def test_one_column_of_predictions_that_begins_with_0_is_judged_by_the_row_counts(write: Write) -> None:
    path = write("p.csv", "0\n.5\n.25\n")
    assert headers(score(path, [0, 1])) == (True, None)
    assert headers(score(path, [0, 1, 1])) == (False, None)


def test_targets_of_several_columns_that_begin_with_0_to_k_are_judged_by_the_row_counts(write: Write) -> None:
    report = score(write("p.csv", THREE), write("l.csv", "0,1,2\n0,0,1\n0,1,0\n1,0,0\n"))
    assert headers(report) == (True, True)
    assert report.labels.counts == (1, 1, 1)


def test_a_compressed_file_is_counted_as_any_other(write: Write) -> None:
    labels = write("l.csv.gz", gzip.compress(b"0\n1\n2\n"))
    assert headers(score(write("p.csv", THREE), labels)) == (True, False)


def test_where_no_reading_makes_the_row_counts_agree_both_counts_are_told(write: Write) -> None:
    preds, labels = write("p.csv", THREE), write("l.csv", "0\n1\n2\n1\n0\n0\n")
    message = refusal(DataError, preds, labels)
    assert f"{preds} has 3" in message
    assert f"{labels} has 6" in message


# Where both readings agree, a first line 0,1,...,K-1 that could not be scored as a row is a header.


def test_where_both_readings_agree_0_to_k_is_a_header_if_it_could_not_be_scored(write: Write) -> None:
    report = score(write("p.csv", SERIES), write("l.csv", "0\n1\n2\n1\n"))
    assert headers(report) == (True, True)
    assert report.labels.counts == (0, 2, 1)


@pytest.mark.parametrize(
    ("preds", "options"),
    [
        ("0,1\n.5,.5\n.25,.75\n", {}),
        ("0,1\n.5,.5\n.25,.75\n", {"kind": "logits"}),
        (SERIES.rpartition(".2,.2")[0], {"kind": "logits"}),
        (SERIES.rpartition(".2,.2")[0], {"renormalize": True}),
        ("0\n.5\n.25\n", {}),
    ],
)
def test_where_both_readings_agree_and_the_line_could_be_scored_it_is_refused_naming_the_options(
    preds: str, options: dict[str, Any], write: Write
) -> None:
    message = refusal(DataError, write("p.csv", preds), write("l.csv", "0\n1\n0\n"), **options)
    assert "--header" in message
    assert "--no-header" in message
    assert "line 1" in message


def test_a_line_is_scored_by_its_prediction_columns_alone(write: Write) -> None:
    """0,1 with the weight 2 could be a row, so that nothing shows that it is a header."""
    preds = write("p.csv", "0,1,2\n.2,.8,1\n")
    message = refusal(DataError, preds, write("l.csv", "0\n1\n"), preds="#1,#2", weights=f"@{preds}:#3")
    assert "--no-header" in message


# Still ambiguous, or a stream: refused, naming --header and --no-header.


@pytest.mark.parametrize("labels", ["0\n1\n2\n", "cat\ndog\nemu\n"])
def test_an_ambiguous_stream_of_labels_is_refused_naming_the_options(labels: str, write: Write, stdin: Stdin) -> None:
    stdin(labels)
    message = refusal(DataError, write("p.csv", THREE), "-")
    assert "--header labels" in message
    assert "--no-header labels" in message
    assert "standard input, line 1" in message


@pytest.mark.parametrize(("first", "kind"), [("0,1", "probs"), ("0,1", "logits"), ("0,1,2", "logits"), ("0", "probs")])
def test_an_ambiguous_stream_of_predictions_is_refused_naming_the_options(first: str, kind: str, stdin: Stdin) -> None:
    row = ",".join([".5", ".5", "0"][: first.count(",") + 1])
    stdin(f"{first}\n{row}\n{row}\n")
    message = refusal(DataError, "-", [0, 1], kind=kind)
    assert "--header predictions" in message
    assert "--no-header predictions" in message


def test_an_ambiguous_file_beside_a_stream_cannot_be_counted_and_is_refused(write: Write, stdin: Stdin) -> None:
    stdin(THREE)
    assert "--no-header labels" in refusal(DataError, "-", write("l.csv", "0\n1\n2\n"))


@pytest.mark.parametrize(
    ("labels", "options", "counts"),
    [
        ("truth\ncat\ndog\nemu\n", {}, (1, 1, 1)),
        ("1\n1\n0\n", {}, (1, 2, 0)),
        ("0\n1\n2\n", {"no_header": "labels"}, (1, 1, 1)),
        ("0\n0\n1\n2\n", {"header": "labels"}, (1, 1, 1)),
        ("cat\ncat\ncat\ndog\n", {"header": "labels"}, (2, 1, 0)),
    ],
)
def test_a_stream_that_is_not_ambiguous_or_no_longer_is_scored(
    labels: str, options: dict[str, Any], counts: tuple[int, ...], write: Write, stdin: Stdin
) -> None:
    stdin(labels)
    assert score(write("p.csv", THREE), "-", **options).labels.counts == counts


def test_one_file_alone_that_is_ambiguous_is_refused_naming_the_options(write: Write) -> None:
    message = refusal(DataError, write("p.csv", "0\n.5\n.25\n"), kind="true-probs")
    assert "--header predictions" in message
    assert "--no-header predictions" in message


# --header and --no-header take predictions, labels or both.


@pytest.mark.parametrize(
    ("options", "taken"),
    [
        ({"header": "predictions", "no_header": "labels"}, (True, False)),
        ({"no_header": "predictions", "header": "labels"}, (False, True)),
        ({"header": "both"}, (True, True)),
        ({"no_header": "both"}, (False, False)),
    ],
)
def test_the_options_decide_for_predictions_labels_or_both(
    options: dict[str, Any], taken: tuple[bool, bool], write: Write
) -> None:
    preds = write("p.csv", "1,0\n.5,.5\n" + (".25,.75\n" if taken == (True, False) else ""))
    labels = write("l.csv", "1\n1\n" + ("0\n" if taken == (False, True) else ""))
    report = score(preds, labels, **options)
    assert headers(report) == taken
    assert report.examples.read == (1 if taken == (True, True) else 2)


def test_an_option_for_one_side_leaves_the_other_to_the_rule(write: Write) -> None:
    report = score(write("p.csv", THREE), write("l.csv", "0\n1\n2\n"), header="predictions")
    assert headers(report) == (True, False)


def test_data_that_were_said_to_be_a_header_are_gone_and_the_counts_say_so(write: Write) -> None:
    labels = write("l.csv", "1\n1\n0\n")
    message = refusal(DataError, write("p.csv", THREE), labels, header="labels")
    assert "has 3" in message
    assert "has 2" in message
    assert f"is the first line of {labels}, '1', data? --no-header labels in place of --header labels" in message


def test_text_that_was_said_to_be_data_is_read_as_data(write: Write) -> None:
    report = score(write("p.csv", BARE), write("l.csv", "cat\ndog\nemu\n"), no_header="labels", classes="cat,dog,emu")
    assert headers(report) == (False, False)
    assert report.labels.counts == (1, 1, 1)


# So is a first line with both text and numbers that are no series.


@pytest.mark.parametrize(
    "first",
    ["cat,0.5,0.5", "cat,1.,0", "cat,.5,1", "cat,5e-1,1", "0.5,0.5,cat", "x,1E3,2", "i0,1,0", "a,b,-7", "id,5,7"],
)
@pytest.mark.parametrize("side", ["predictions", "labels"])
def test_text_beside_numbers_is_refused_naming_the_options(first: str, side: str, write: Write) -> None:
    mixed = write("mixed.csv", f"{first}\ncat,.5,.5\n")
    files = (mixed, [0]) if side == "predictions" else (np.full((1, 3), 1 / 3), mixed)
    message = refusal(DataError, *files)
    assert f"{mixed}, line 1" in message
    assert f"--header {side}" in message
    assert f"--no-header {side}" in message


def test_text_beside_a_decimal_is_data_or_a_header_once_it_is_said(write: Write) -> None:
    mixed = write("mixed.csv", "cat,0.375,0.625\ndog,0.25,0.75\n")
    report = score(mixed, no_header="both", label="#1", classes="cat,dog")
    assert report.labels.counts == (1, 1)
    assert score(mixed, header="both", label="cat", classes="cat,dog").labels.counts == (0, 1)


def test_text_beside_a_series_is_a_header(write: Write) -> None:
    assert headers(score(write("p.csv", "truth,0,1\n1,.5,.5\n"), label="truth")) == (True,)


# A 1 alone is what pandas calls the column of the probability of class 1.


ONES = "1\n.8\n.3\n"


@pytest.mark.parametrize("labels", ["0\n1\n0\n", "1\n1\n0\n"])
def test_a_1_alone_above_probabilities_is_scored_only_as_it_is_said(labels: str, write: Write) -> None:
    """As data the first row costs -ln(0) or 0, as a header it costs nothing: a person must say which."""
    files = write("p.csv", ONES), write("l.csv", labels)
    message = refusal(DataError, *files)
    assert "the first line '1' could be a header or data; the row counts agree either way" in message
    for side in ("predictions", "labels"):
        assert f"--header {side} or --no-header {side}" in message
    sure = -(math.log(0.8) + math.log(0.7))
    assert score(*files, header="both").cost == pytest.approx(sure / 2, rel=1e-15)
    as_data = score(*files, no_header="both")
    assert as_data.cost == (math.inf if labels[0] == "0" else pytest.approx(sure / 3, rel=1e-15))
    # One answer is enough: the row counts give the other.
    for said in ("header", "no_header"):
        options: list[dict[str, Any]] = [{said: side} for side in ("predictions", "both")]
        one, both = (score(*files, **each) for each in options)
        assert (one.cost, headers(one)) == (both.cost, headers(both))


@pytest.mark.parametrize(("rows", "taken"), [(2, True), (3, False)])
def test_a_1_alone_above_probabilities_is_judged_by_the_row_counts(rows: int, taken: bool, write: Write) -> None:
    for labels in ([0, 1, 1][:rows], write("l.csv", "truth\n" + "0\n1\n1\n"[: 2 * rows])):
        report = score(write("p.csv", ONES), labels)
        assert headers(report)[0] is taken
        assert report.examples.read == rows
        (warning,) = [warning for warning in report.warnings if warning.code == "header-guessed"]
        assert f"'1' was taken as {'a header' if taken else 'data'} but could be" in warning.message


def test_a_1_alone_is_a_label_or_a_weight_where_the_predictions_are_in_no_doubt(write: Write, stdin: Stdin) -> None:
    preds, weights = write("p.csv", THREE), write("w.csv", "1\n2\n3\n")
    for path, labels in ((preds, write("l.csv", "1\n1\n0\n")), ("-", [1, 1, 0]), (preds, "-")):
        stdin(THREE if path == "-" else "1\n1\n0\n")
        options: dict[str, Any] = {"weights": f"@{weights}"} if labels != "-" else {}
        report = score(path, labels, **options)
        assert report.labels.counts == (1, 2, 0)
        assert [code for code in (warning.code for warning in report.warnings) if code == "header-guessed"] == []
    message = refusal(DataError, preds, write("l.csv", "1\n1\n0\n2\n"))
    assert "has 3" in message and "has 4" in message and "--header" not in message


def test_a_1_alone_above_labels_is_a_header_beside_0_to_k_that_is_one(write: Write) -> None:
    report = score(write("p.csv", SERIES), write("l.csv", "1\n0\n1\n2\n"))
    assert headers(report) == (True, True)
    assert report.labels.counts == (1, 1, 1)
    assert [warning.message.split(": ")[0] for warning in report.warnings if warning.code == "header-guessed"] == [
        report.inputs[1].path
    ]


@pytest.mark.parametrize(
    ("kind", "first"), [("true-probs", "1"), ("losses", "1"), ("losses", "0"), ("true-logprobs", "0")]
)
def test_a_file_alone_that_begins_with_0_or_1_is_refused_naming_the_options(
    kind: str, first: str, write: Write, stdin: Stdin
) -> None:
    rest = "-.5" if "log" in kind else ".5"
    stdin(f"{first}\n{rest}\n")
    for path in (write("p.csv", f"{first}\n{rest}\n"), "-"):
        message = refusal(DataError, path, kind=kind)
        assert "--header predictions or --no-header predictions" in message


# A column that an option names is in a header.


@pytest.mark.parametrize("options", [{"preds": "1,2", "label": "3"}, {"label": "3"}, {"label": "3", "preds": "1:2"}])
def test_a_first_line_with_a_column_that_an_option_names_is_a_header(options: dict[str, Any], write: Write) -> None:
    report = score(write("p.csv", "3,1,2\n1,.25,.75\n2,.5,.5\n"), **options)
    assert headers(report) == (True,)
    assert report.classes == ("1", "2")
    assert report.labels.counts == (1, 1)


def test_a_stream_with_a_column_that_an_option_names_has_a_header(stdin: Stdin) -> None:
    stdin("0,1,2\n1,.25,.75\n2,.5,.5\n")
    assert headers(score("-", label="0")) == (True,)


def test_a_weight_named_0_makes_a_header_of_the_file_that_has_it(write: Write) -> None:
    report = score(write("p.csv", "0,1,2\n3,.25,.75\n1,.5,.5\n"), [2, 1], weights="0")
    assert headers(report) == (True, None)
    assert report.weight_sum == 4


# The report says what was taken.


def test_the_report_says_nothing_of_headers_where_the_format_has_none(tmp_path: Any) -> None:
    np.save(tmp_path / "p.npy", np.full((2, 2), 0.5))
    assert headers(score(tmp_path / "p.npy", [0, 1])) == (None, None)


# A line that could be data is dropped only on evidence, which the report tells.


ONE_HOT = "i0,1,0\ni1,0,1\ni2,1,0\n"


@pytest.mark.parametrize(
    ("preds", "labels", "options", "cost", "read"),
    [
        (ONE_HOT, "0\n1\n0\n", {"preds": "#2:#3"}, 0.0, 3),
        ("cat,2\ndog,4\n", None, {"kind": "losses", "preds": "#2"}, 3.0, 2),
        ("cat,0\ndog,4\n", None, {"kind": "losses", "preds": "#2"}, 2.0, 2),
        ("cat,1\ndog,.5\n", None, {"kind": "true-probs", "preds": "#2"}, math.log(2) / 2, 2),
        ("i0,0,1\ni1,1,0\n", "0\n1\n", {"preds": "#2:#3"}, math.inf, 2),
    ],
)
def test_data_that_could_be_a_header_are_scored_once_the_advice_is_followed(
    preds: str, labels: str | None, options: dict[str, Any], cost: float, read: int, write: Write
) -> None:
    files: list[Any] = [write("p.csv", preds), *([write("l.csv", labels)] if labels else [])]
    message = refusal(DataError, *files, **options)
    assert "--header predictions or --no-header predictions" in message
    report = score(*files, **{**options, "no_header": "both" if labels else "predictions"})
    assert report.cost == pytest.approx(cost)
    assert report.examples.read == read


def test_a_series_from_1_above_logits_is_not_taken_as_a_row(write: Write) -> None:
    files = write("p.csv", "1,2,3\n.1,.2,.3\n.3,.3,.1\n"), write("l.csv", "0\n1\n2\n")
    options: dict[str, Any] = {"kind": "logits", "preds": "#1:#3"}
    message = refusal(DataError, *files, **options)
    assert "--header predictions or --no-header predictions" in message
    assert "--header labels or --no-header labels" in message
    rows = [[0.1, 0.2, 0.3], [0.3, 0.3, 0.1]]
    expected = [math.log(sum(map(math.exp, row))) - row[label] for row, label in zip(rows, (1, 2), strict=True)]
    # The columns are called 1 to 3 then, and labels 1 and 2 are names.
    report = score(*files, **options, header="both", index_base=0)
    assert report.cost == pytest.approx(math.fsum(expected) / 2, rel=1e-15)


@pytest.mark.parametrize("kind", ["probs", "logits"])
def test_a_series_in_both_files_is_a_header_where_the_labels_cannot_be_targets(kind: Any, write: Write) -> None:
    labels = write("l.csv", "0,1,2\n0,0,1\n0,1,0\n1,0,0\n")
    report = score(write("p.csv", SERIES), labels, kind=kind)
    assert headers(report) == (True, True)
    assert report.labels.counts == (1, 1, 1)


def test_label_0_is_a_header_where_labels_count_from_1(write: Write) -> None:
    files = write("p.csv", "0,1\n.5,.5\n.25,.75\n"), write("l.csv", "0\n1\n2\n")
    assert "--header" in refusal(DataError, *files)
    assert headers(score(*files, index_base=1)) == (True, True)


@pytest.mark.parametrize(
    ("labels", "options"),
    [
        ("cat\ndog\nemu\n", {}),
        ("cat\ndog\nemu\n", {"worst": 1, "show": "p_cat", "preds": "#1:#3"}),
        ("NA\nNA\ncat\n", {"ignore_label": "NA"}),
        ("i0,cat\ni1,dog\ni2,emu\n", {"label": "#2"}),
    ],
)
def test_what_may_be_a_label_is_data_where_the_row_counts_then_agree(
    labels: str, options: dict[str, Any], write: Write
) -> None:
    preds = write("p.csv", THREE.replace("cat,dog,emu", "p_cat,p_dog,p_emu"))
    assert headers(score(preds, write("l.csv", labels), **options)) == (True, False)


def test_a_column_that_is_shown_may_be_called_as_a_label(write: Write) -> None:
    report = score(write("p.csv", THREE), write("l.csv", "cat\ndog\nemu\n"), worst=1, show="cat", preds="#1:#3")
    assert headers(report) == (True, False)


def test_the_other_class_beside_the_positive_one_is_known_by_what_follows(write: Write) -> None:
    report = score(write("p.csv", "p\n.5\n.25\n.5\n"), write("l.csv", "ham\nspam\nham\n"), positive="spam")
    assert headers(report) == (True, False)
    assert report.labels.counts == (2, 1)


GUESSES: dict[str, tuple[str, str | None, dict[str, Any], str]] = {
    "a series above logits": ("0,1,2\n1,2,3\n3,0,1\n", "truth\n0\n1\n", {"kind": "logits"}, "p.csv"),
    "a label": ("cat,dog,emu\n.5,.3,.2\n.1,.6,.3\n", "cat\ndog\nemu\n", {}, "l.csv"),
    "a label 0": ("cat,dog,emu\n.5,.3,.2\n.1,.6,.3\n", "0\n1\n2\n", {}, "l.csv"),
    "text beside a series": ("id,0,1\nx,.5,.5\ny,.2,.8\n", "truth\n0\n1\n", {"preds": "#2:#3"}, "p.csv"),
    "a number that an option names": (".2,.8,1\n.5,.5,1\n.2,.8,0\n", None, {"label": "1", "index_base": 0}, "p.csv"),
}


@pytest.mark.parametrize("what", GUESSES)
def test_a_guessed_header_is_a_warning_that_the_option_silences(what: str, write: Write) -> None:
    preds, labels, options, path = GUESSES[what]
    files: list[Any] = [write("p.csv", preds), *([write("l.csv", labels)] if labels else [])]
    report = score(*files, **options)
    (warning,) = [warning for warning in report.warnings if warning.code == "header-guessed"]
    assert f"{path}: the first line " in warning.message
    side = "predictions" if path == "p.csv" else "labels"
    assert warning.advice.startswith(f"--header {side} ")
    sure = score(*files, **{**options, "header": side})
    assert "header-guessed" not in [warning.code for warning in sure.warnings]
    assert sure.cost == report.cost
    assert f"--no-header {side}" in warning.advice


@pytest.mark.parametrize(
    "args",
    [
        "score -q",
        "score --get accuracy",
        "score --format csv",
        "score --format jsonl",
        "score --per-example -",
        "check --max cost=9 -q",
        "check --max cost=9 --format csv",
        "explain --row 1",
        "explain --row 1 --format json",
    ],
)
def test_a_guessed_header_is_on_stderr_where_the_output_has_no_place(args: str, xent: Run, write: Write) -> None:
    write("p.csv", "0,1,2\n1,2,3\n3,0,1\n"), write("l.csv", "truth\n0\n1\n")
    command, *more = args.split()
    done = xent(command, "p.csv", "l.csv", "--kind", "logits", *more)
    assert done.returncode == 0
    assert "xent: warning: p.csv: the first line '0,1,2' was taken as a header but could be data" in done.stderr


@pytest.mark.parametrize(
    "args", ["score", "check --max cost=9", "score --format json", "check --max cost=9 --format json"]
)
def test_a_guessed_header_is_in_the_report(args: str, xent: Run, write: Write) -> None:
    write("p.csv", "0,1,2\n1,2,3\n3,0,1\n"), write("l.csv", "truth\n0\n1\n")
    command, *more = args.split()
    done = xent(command, "p.csv", "l.csv", "--kind", "logits", *more)
    assert "p.csv: the first line '0,1,2' was taken as a header but could be data" in " ".join(done.stdout.split())


@pytest.mark.parametrize("kind", ["probs", "logits"])
@pytest.mark.parametrize("first", ["cat,dog,emu", "id,cat,dog", ",0,1"])
def test_a_header_that_cannot_be_data_is_no_guess(first: str, kind: Any, write: Write) -> None:
    row = "7,.5,.5" if first[0] in "i," else ".2,.3,.5"
    preds = "#2:#3" if first[0] in "i," else "#1:#3"
    report = score(write("p.csv", f"{first}\n{row}\n{row}\n"), [0, 1], kind=kind, preds=preds)
    assert headers(report) == (True, None)
    assert [warning.code for warning in report.warnings if warning.code == "header-guessed"] == []


# A further file.


@pytest.mark.parametrize(("weights", "taken"), [("0\n1\n2\n", None), ("w\n1\n2\n3\n", True), ("0\n1\n2\n3\n", True)])
def test_a_further_file_is_judged_by_the_row_counts(weights: str, taken: bool | None, write: Write) -> None:
    path = write("w.csv", weights)
    report = score(write("p.csv", THREE), [0, 1, 2], weights=f"@{path}")
    assert headers(report)[2] is bool(taken)
    guessed = [warning.message for warning in report.warnings if warning.code == "header-guessed"]
    assert [message.startswith(path) for message in guessed] == [True] * (
        weights.count("\n") == 4 and weights[0] == "0"
    )


def test_a_further_file_with_text_and_numbers_first_needs_a_header(write: Write) -> None:
    path = write("w.csv", "i0,5\ni1,2\ni2,3\n")
    message = refusal(DataError, write("p.csv", THREE), [0, 1, 2], weights=f"@{path}:#2")
    assert f"put the names of the columns on the first line of {path}, and name the column: @{path}:NAME" in message
    write("w.csv", "id,w\ni0,5\ni1,2\ni2,3\n")
    assert score(write("p.csv", THREE), [0, 1, 2], weights=f"@{path}:w").weight_sum == 10
