"""Labels to targets: the four rules in their order, and one column of predictions."""

from __future__ import annotations

import io
import itertools
import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.conftest import Call, Write
from tests.laws import settings
from xentcli import score
from xentcli.errors import DataError, FileError, LabelsBreakRule, XentError
from xentcli.report.per_example import PerExample

laws = settings(deadline=None, max_examples=100)

PETS = ("cat", "dog", "emu")
HEAD = 65_536


def refusal(error: type[XentError], *files: Any, **options: Any) -> str:
    """Score what must be refused; return the message with its advice."""
    with pytest.raises(error) as caught:
        score(*files, **options)
    return str(caught.value)


def even(rows: int, names: Sequence[str]) -> pd.DataFrame:
    """Predictions with named columns, all alike."""
    return pd.DataFrame(np.full((rows, len(names)), 1 / len(names)), columns=list(names))


def matched(names: Sequence[str], labels: Any, **options: Any) -> tuple[str, list[str | None]]:
    """By which rule labels were matched, and the class that each went to."""
    blocks: list[PerExample] = []
    report = score(even(len(labels), names), labels, sink=blocks.append, **options)
    return report.labels.matched, [label for block in blocks for label in block.labels or ()]


def unmatched(names: Sequence[str], labels: Any, **options: Any) -> str:
    """The message that refuses labels."""
    return refusal(DataError, even(len(labels), names), labels, **options)


# Rule 1: every label is a class name.


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (PETS, ["emu", "cat", "emu"]),
        (PETS, ["dog"]),
        (("3", "1", "2"), ["1", "2", "3"]),
        (("NA", "null", "None", "nan", "inf"), ["null", "NA", "inf", "None", "nan"]),
        (("True", "False"), ["False", "True"]),
        (("01", "1", "001"), ["1", "01", "001", "1"]),
        (("1", "0"), ["0", "1", "1"]),
        (("a", "A"), ["A", "a"]),
        (("x ", "x"), ["x", "x "]),
        (("1e0", "1.50", "-3"), ["-3", "1.50", "1e0"]),
        (("é", "e\u0301"), ["e\u0301", "é"]),
        (("[bold]", "=1+1"), ["=1+1", "[bold]"]),
    ],
)
def test_labels_that_are_all_class_names_are_matched_by_name(names: Sequence[str], labels: list[str]) -> None:
    assert matched(names, labels) == ("name", labels)


def test_labels_that_are_all_of_the_form_n_or_n_point_0_are_read_as_n() -> None:
    assert matched(("2", "1", "0"), ["0.0", "1", "2.0"]) == ("name", ["0", "1", "2"])
    assert matched(PETS, ["0.0", "1", "2.0"]) == ("index", ["cat", "dog", "emu"])
    assert matched(("p2", "p1", "p0"), ["0.0", "1.0"]) == ("prefix", ["p0", "p1"])


def test_class_names_that_end_in_point_0_are_matched_by_what_is_before_it() -> None:
    assert matched(("2.0", "1.0"), ["1.0", "2", "2.0"]) == ("prefix", ["1.0", "2.0", "2.0"])


@pytest.mark.parametrize("odd", ["01", "1.00", "1.", "+1", "1e0", " 1", "1 ", "１", "1_0", "0x1", "true"])
def test_what_is_only_nearly_a_whole_number_is_a_name(odd: str) -> None:
    assert matched((odd, "zz"), [odd]) == ("name", [odd])
    message = unmatched(PETS, ["0", odd])
    assert "is not a class" in message
    assert repr(odd) in message or ascii(odd) in message


@pytest.mark.parametrize("missing", ["NA", "null", "None", "True", "nan", "N/A", ""])
def test_words_that_other_tools_read_as_missing_are_names_that_may_be_unknown(missing: str) -> None:
    message = unmatched(PETS, ["cat", missing, "dog"])
    assert "row 2" in message
    assert f"{missing!r} is not a class" in message or f"no column is called {missing}" in message


names = st.lists(st.text("ab01_", min_size=1, max_size=3), min_size=2, max_size=6, unique=True)


@given(names.flatmap(lambda given: st.tuples(st.just(given), st.lists(st.sampled_from(given), min_size=1, max_size=9))))
@laws
def test_a_label_that_is_a_class_name_never_goes_to_another_class(drawn: tuple[list[str], list[str]]) -> None:
    classes, labels = drawn
    assert matched(classes, labels) == ("name", labels)


# Rule 2: class names less a common prefix or suffix.


@pytest.mark.parametrize(
    ("names", "labels", "classes"),
    [
        ((".pred_poor", ".pred_good"), ["good", "poor"], [".pred_good", ".pred_poor"]),
        (("class_10", "class_11", "class_9"), ["9", "10"], ["class_9", "class_10"]),
        (("class_10", "class_11"), ["1", "0", "1"], ["class_11", "class_10", "class_11"]),
        (("p3", "p1", "p2"), ["1", "2", "3"], ["p1", "p2", "p3"]),
        (("cat_prob", "dog_prob"), ["dog", "cat"], ["dog_prob", "cat_prob"]),
        (("1%", "0%"), ["0", "1.0"], ["0%", "1%"]),
        (("p_01", "p_1"), ["1", "01"], ["p_1", "p_01"]),
        (("p_cat", "p_catfish"), ["catfish", "cat"], ["p_catfish", "p_cat"]),
        (("p1", "p11"), ["11"], ["p11"]),
    ],
)
def test_labels_that_are_class_names_less_a_prefix_or_suffix_are_matched_by_name(
    names: Sequence[str], labels: list[str], classes: list[str]
) -> None:
    assert matched(names, labels) == ("prefix", classes)


def test_the_report_says_which_prefix_or_suffix_was_taken_away() -> None:
    assert "prefix '.pred_'" in score(even(1, (".pred_poor", ".pred_good")), ["good"]).labels.note
    assert "suffix '_p'" in score(even(1, ("poor_p", "good_p")), ["good"]).labels.note


def test_rule_1_comes_before_rule_2() -> None:
    assert matched(("1", "11"), ["1", "11"]) == ("name", ["1", "11"])
    assert matched(("a", "aa"), ["a"]) == ("name", ["a"])


def test_rule_2_comes_before_rule_3() -> None:
    assert matched(("p1", "p2", "p0"), ["0", "1"]) == ("prefix", ["p0", "p1"])


@pytest.mark.parametrize(
    ("names", "labels", "parts"),
    [
        (("p1", "p11"), ["1"], ("'p'", "'p1'")),
        (("aaxa", "axaa"), ["axa"], ("prefix 'a'", "suffix 'a'")),
    ],
)
def test_two_prefixes_or_suffixes_that_disagree_are_refused(
    names: Sequence[str], labels: list[str], parts: tuple[str, ...]
) -> None:
    message = unmatched(names, labels)
    assert "--classes" in message
    assert all(part in message for part in parts)


def test_two_prefixes_that_disagree_are_settled_by_naming_the_classes() -> None:
    assert matched(("p1", "p11"), ["1"], classes="1,11") == ("name", ["1"])


@pytest.mark.parametrize("names", [("cat", "catfish"), ("tomcat", "cat")])
def test_an_empty_label_is_no_class_name_less_all_of_it(names: Sequence[str]) -> None:
    other = "fish" if names[1] == "catfish" else "tom"
    assert "'' is not a class" in unmatched(names, [other, ""])


@given(
    prefix=st.text("ab01_", min_size=1, max_size=3),
    rest=st.lists(st.text("ab01_", min_size=1, max_size=3), min_size=2, max_size=5, unique=True),
    data=st.data(),
)
@laws
def test_a_label_goes_to_the_class_that_it_ends_or_all_is_refused(
    prefix: str, rest: list[str], data: st.DataObject
) -> None:
    classes = [prefix + part for part in rest]
    labels = data.draw(st.lists(st.sampled_from(rest), min_size=1, max_size=9))
    try:
        rule, found = matched(classes, labels)
    except DataError as error:
        rule, found = error.message, []
    if not found:
        assert "without the" in rule
        return
    assert found == (labels if rule == "name" else [prefix + label for label in labels])


# Rule 3: integers by position.


def test_integers_that_are_no_names_are_positions() -> None:
    assert matched(PETS, ["2", "0", "1"]) == ("index", ["emu", "cat", "dog"])
    assert matched(("0", "1", "other"), ["0", "1", "2"]) == ("index", ["0", "1", "other"])
    padded = [f"p{number:02}" for number in range(11)]
    assert matched(padded, ["0", "1", "10"]) == ("index", ["p00", "p01", "p10"])


OTHER_NUMBERS = [
    (("proba_0", "proba_1", "proba_3"), ["0", "1", "2"], "2", {}),
    (("0", "2", "5"), ["1", "0", "2"], "1", {}),
    (("1", "2", "3"), ["0", "1", "2"], "0", {}),
    (("p(1)", "p(2)", "p(3)"), ["2", "1", "0"], "0", {}),
    (("class_10", "class_11", "class_12"), ["2", "3"], "3", {}),
    (("01", "02", "10"), ["1", "2"], "1", {}),
    (("3_p", "2_p", "9_p"), ["2", "3", "0"], "0", {}),
    (("-1", "0", "1"), ["0", "1", "2"], "2", {}),
    (("1.0", "2.0", "4.0"), ["1.0", "3.0"], "3", {}),
    (("1", "2", "other"), ["0", "1", "2"], "0", {}),
    (("x", "y", "z"), ["1", "0", "2"], "1", {"classes": "0,2,5"}),
]


@pytest.mark.parametrize(("names", "labels", "stranger", "options"), OTHER_NUMBERS, ids=lambda value: str(value))
def test_names_that_are_other_numbers_than_0_to_k_less_1_are_no_positions(
    names: Sequence[str], labels: list[str], stranger: str, options: dict[str, Any]
) -> None:
    message = unmatched(names, labels, **options)
    row = next(row for row, label in enumerate(labels, 1) if label.removesuffix(".0") == stranger)
    assert f"row {row}" in message
    assert f"{stranger!r} is not a class" in message
    assert f"classes: {', '.join((options.get('classes') or ','.join(names)).split(','))}" in message
    classes = options["classes"].split(",") if options else names
    # The advice: positions, where that is what they are.
    assert "--index-base 0" in message and "--index-base 1" in message
    for base in (0, 1):
        positions = [int(float(label)) - base for label in labels]
        if all(0 <= position < len(names) for position in positions):
            wanted = ("index", [classes[position] for position in positions])
            assert matched(names, labels, index_base=base, **options) == wanted


def test_padding_beside_names_that_are_numbers_is_said_to_be_padding() -> None:
    assert "--ignore-label -100" in unmatched(("1", "2", "3"), ["1", "-100", "3"])
    assert matched(("1", "2", "3"), ["1", "-100", "3"], ignore_label="-100") == ("name", ["1", None, "3"])


def test_one_column_of_two_classes_called_by_numbers_takes_no_positions() -> None:
    assert "'0' is not a class" in refusal(DataError, [0.25, 0.75], [1, 0], classes="1,2")
    assert score([0.25, 0.75], [1, 2], classes="1,2").cost == pytest.approx(math.log(4 / 3))


@pytest.mark.parametrize("kind", ["probs", "logits"])
def test_an_array_without_names_has_the_classes_0_to_k_less_1(kind: Any) -> None:
    report = score(np.full((2, 3), 1 / 3), [2, 0], kind=kind)
    assert report.classes == ("0", "1", "2")
    assert report.labels.matched == "index"
    assert report.labels.counts == (1, 0, 1)


def test_the_classes_can_be_named_for_an_array(write: Write) -> None:
    array = np.full((2, 3), 1 / 3)
    names = write("names.txt", "cat\ndog\nemu\n")
    for classes in ("cat,dog,emu", "cat, dog, emu", ["cat", "dog", "emu"], f"@{names}"):
        report = score(array, ["emu", "cat"], classes=classes)
        assert report.classes == PETS
        assert report.labels.counts == (1, 0, 1)


def test_a_file_of_class_names_has_one_a_line(write: Write) -> None:
    array = np.full((2, 3), 1 / 3)
    for text, names in (
        (b"\xef\xbb\xbfcat\r\ndog\r\nemu", PETS),
        (b"cat\ndog\nemu\n", PETS),
        (b'"a,b"\nx y\n\xc3\xa9\n', ("a,b", "x y", "é")),
        (b'"cat"\r"dog"\r"e""mu"\r', ("cat", "dog", 'e"mu')),
        (b"cat\ndog\n#\n\n", ("cat", "dog", "#")),
    ):
        assert score(array, [0, 2], classes="@" + write("names.txt", text)).classes == names
    assert "UTF-8" in refusal(DataError, array, [0, 2], classes="@" + write("latin.txt", b"caf\xe9\nb\nc\n"))
    assert "nowhere.txt" in refusal(FileError, array, [0, 2], classes="@nowhere.txt")


def test_classes_in_another_order_than_the_columns_of_the_same_names_are_the_same_classes() -> None:
    assert matched(PETS, ["cat"], classes="dog,cat,emu") == ("name", ["cat"])
    message = unmatched(PETS, ["0", "1"], classes="dog,cat,emu")
    assert "--preds dog,cat,emu" in message
    assert matched(PETS, ["cat"], classes="cat,dog,emu") == ("name", ["cat"])


def test_a_class_that_no_label_uses_is_fine() -> None:
    assert score(even(2, PETS), ["cat", "cat"]).labels.counts == (2, 0, 0)


def test_index_base_1_counts_from_1() -> None:
    assert matched(PETS, ["1", "3", "2"], index_base=1) == ("index", ["cat", "emu", "dog"])


@pytest.mark.parametrize(("base", "classes"), [(0, ["2", "3"]), (1, ["1", "2"])])
def test_index_base_switches_matching_by_name_off(base: int, classes: list[str]) -> None:
    assert matched(("1", "2", "3"), ["1", "2"], index_base=base) == ("index", classes)
    assert matched(("p1", "p2", "p3"), ["1", "2"], index_base=base) == ("index", [f"p{name}" for name in classes])


def test_labels_where_k_occurs_and_0_does_not_are_refused_with_a_hint() -> None:
    message = unmatched(PETS, ["1", "2", "3"])
    assert "row 3" in message
    assert "--index-base 1" in message


def test_labels_where_both_k_and_0_occur_are_out_of_range() -> None:
    message = unmatched(PETS, ["0", "1", "3"])
    assert "label 3 is outside 0 to 2" in message
    assert "row 3" in message


@pytest.mark.parametrize(
    ("label", "base", "low", "high"), [(3, 0, 0, 2), (-1, 0, 0, 2), (-100, 0, 0, 2), (0, 1, 1, 3), (4, 1, 1, 3)]
)
@pytest.mark.parametrize("dtype", ["int8", "int64", ">i4", "float64", "float32", "object", "str"])
def test_a_position_out_of_range_is_refused_naming_row_label_and_range(
    label: int, base: int, low: int, high: int, dtype: str
) -> None:
    labels = np.array([1, 2, label, 1]).astype(dtype)
    message = unmatched(PETS, labels, index_base=base)
    assert f"label {label} is outside {low} to {high}" in message
    assert "row 3" in message


@pytest.mark.parametrize(("base", "label"), [(0, 3), (1, 0)])
def test_a_position_out_of_range_by_one_hints_at_the_other_base(base: int, label: int) -> None:
    labels = [1, 2, label]
    assert f"--index-base {1 - base}" in unmatched(PETS, labels, index_base=base)
    assert score(np.full((3, 3), 1 / 3), labels, index_base=1 - base).cost == pytest.approx(math.log(3))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("labels", "base"), [([0, 1, 2, 3], None), ([1, 2, 3, 0], 0), ([1, 2, 3, 0], 1), ([1, 4], None)]
)
@pytest.mark.parametrize("form", ["numbers", "text"])
def test_labels_that_no_base_allows_are_of_a_class_without_a_column(
    labels: list[int], base: Any | None, form: str
) -> None:
    q = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5], [0.2, 0.4, 0.4]])[: len(labels)]
    given: list[Any] = labels if form == "numbers" else [str(label) for label in labels]
    with pytest.raises(DataError) as caught:
        score(q, given, index_base=base)
    assert "labels counted from" not in str(caught.value)
    (advice,) = re.findall(r"--ignore-label (\d+) skips its rows", str(caught.value))
    rest = [(row, label - (base or 0)) for row, label in enumerate(labels) if label != int(advice)]
    expected = float(np.mean([-math.log(q[row, label]) for row, label in rest]))
    assert score(q, given, index_base=base, ignore_label=[advice]).cost == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("dtype", ["int64", "uint16", ">u2", "float32"])
def test_a_label_that_would_wrap_round_in_a_byte_is_refused(dtype: str) -> None:
    message = refusal(DataError, np.full((2, 60), 1 / 60), np.array([1, 300], dtype=dtype))
    assert "label 300 is outside 0 to 59" in message


def test_a_byte_can_hold_all_its_labels() -> None:
    report = score(np.full((3, 256), 1 / 256), np.array([255, 0, 128], dtype=np.uint8))
    assert report.cost == pytest.approx(math.log(256), rel=1e-15)
    assert report.labels.counts is not None
    assert [report.labels.counts[c] for c in (0, 128, 255)] == [1, 1, 1]


def test_200_in_a_byte_is_refused_where_there_are_fewer_classes() -> None:
    assert "label 200 is outside 0 to 2" in unmatched(PETS, np.array([1, 200], dtype=np.uint8))


@pytest.mark.parametrize("label", [2**63, 2**63 + 1, 2**64 - 1])
@pytest.mark.parametrize("classes", [2, 3])
def test_unsigned_labels_above_what_a_signed_number_holds_are_refused(label: int, classes: int) -> None:
    message = refusal(DataError, np.full((2, classes), 1 / classes), np.array([1, label], dtype=np.uint64))
    assert str(label) in message
    assert "row 2" in message


@pytest.mark.parametrize(
    "label", ["9223372036854775808", "99999999999999999999999", "-99999999999999999999", "9" * 4400]
)
def test_integers_of_many_digits_are_refused(label: str) -> None:
    message = unmatched(PETS, ["1", label])
    assert "row 2" in message
    assert len(message) < 500


@pytest.mark.parametrize("label", [1.5, math.nan, math.inf, -math.inf, 1e300, 2.0**53 + 2, 1e-300])
@pytest.mark.parametrize("dtype", ["float64", ">f8", "float32"])
def test_labels_that_are_no_whole_numbers_are_refused(label: float, dtype: str) -> None:
    with np.errstate(over="ignore"):
        labels = np.array([0, 1, label]).astype(dtype)
    if labels[2] != 0:
        assert "row 3" in unmatched(PETS, labels)


@pytest.mark.parametrize("label", ["1.5", "nan", "1e0", "½"])
def test_texts_that_are_no_whole_numbers_are_refused(label: str) -> None:
    message = unmatched(PETS, ["0", "1", label])
    assert "row 3" in message
    assert f"{label!r} is not a class" in message


def test_booleans_are_the_positions_of_two_classes() -> None:
    flags = np.array([True, False, True])
    assert matched(("no", "yes"), flags) == ("index", ["yes", "no", "yes"])
    assert score(np.full((3, 2), 0.5), flags).labels.counts == (1, 2)
    frame = pd.DataFrame({"no": [0.5, 0.5], "yes": [0.5, 0.5], "truth": [True, False]})
    assert score(frame, label="truth").labels.counts == (1, 1)


@pytest.mark.parametrize("columns", [("True", "False"), (True, False), ("False", "True")])
def test_booleans_never_go_to_the_class_that_is_called_as_the_other(columns: tuple[Any, ...]) -> None:
    frame = pd.DataFrame([[0.25, 0.75], [0.5, 0.5]], columns=list(columns))
    blocks: list[PerExample] = []
    score(frame, np.array([True, False]), sink=blocks.append)
    assert [label for block in blocks for label in block.labels or ()] == ["True", "False"]


def test_a_minus_0_of_an_array_is_0() -> None:
    assert matched(("1", "0"), np.array([-0.0, 1.0])) == ("name", ["0", "1"])
    assert matched(PETS, np.array([-0.0, 1.0])) == ("index", ["cat", "dog"])


@pytest.mark.parametrize("classes", [3, 4])
def test_booleans_with_more_than_two_classes_are_refused(classes: int) -> None:
    message = refusal(DataError, np.full((2, classes), 1 / classes), np.array([True, False]))
    assert f"{classes} classes" in message


def test_true_and_false_as_text_are_names() -> None:
    assert "'True' is not a class" in unmatched(("0", "1"), ["True", "False"])


# A label that fits nothing is an error naming the row, the label and the classes.


def test_a_label_that_fits_nothing_is_named_with_its_row_line_column_and_the_classes(write: Write) -> None:
    preds = write("p.csv", "cat,dog\n.5,.5\n.5,.5\n.5,.5\n")
    labels = write("l.csv", "id,truth\n1,cat\n2,cow\n3,dog\n")
    message = refusal(DataError, preds, labels, label="truth")
    assert message.startswith(f"{preds}: no column is called cow, as labels are")
    assert "columns: cat, dog" in message
    assert f"labels: cat, cow, dog; cow is first in {labels}, row 2 (line 3), column truth" in message
    assert "--ignore-label cow skips 1 of 3 rows looked at" in message


def test_a_column_in_another_case_is_blamed_with_its_file(write: Write) -> None:
    preds = write("p.csv", "cat,Cow,dog\n.5,.25,.25\n.25,.5,.25\n.25,.25,.5\n")
    message = refusal(DataError, preds, write("l.csv", "cow\ncat\ndog\n"), no_header="labels")
    assert message.startswith(f"{preds}: no column is called cow, as labels are")
    assert "columns: cat, Cow, dog" in message and "labels: cow, cat, dog" in message
    assert "the column is 'Cow': they differ by upper and lower case" in message


def test_the_label_that_fits_no_name_less_the_prefix_is_named_and_not_the_first_label() -> None:
    message = unmatched(("p_cat", "p_dog"), ["cat", "dog", "dgo", "cat"])
    assert "no column is called dgo" in message
    assert "row 3" in message


def test_the_label_that_is_no_position_is_named_and_not_the_first_label() -> None:
    message = unmatched(PETS, ["0", "1", "NA", "2"])
    assert "'NA' is not a class" in message
    assert "row 3" in message


def test_control_characters_of_a_label_are_escaped() -> None:
    message = unmatched(PETS, ["cat", "\x1b[31mdog\u202e"])
    assert "\x1b" not in message
    assert "\u202e" not in message


# The first three rules together, written out once more.


def plainly(names: list[str], labels: list[str]) -> tuple[str, list[str]] | None:
    """The rule that holds and the class of each label, or None where labels are refused."""
    whole = [re.fullmatch(r"(0|[1-9][0-9]*)(\.0)?", label) for label in labels]
    numbers = [found[1] for found in whole if found]
    read = numbers if len(numbers) == len(labels) else labels
    if set(read) <= set(names):
        return "name", read
    readings = []
    shortest = min(map(len, names))
    for first, last in itertools.product(range(shortest + 1), repeat=2):
        ends = {(name[:first], name[len(name) - last :]) for name in names}
        if 0 < first + last <= shortest and len(ends) == 1:
            ((before, after),) = ends
            if all(label and before + label + after in names for label in read):
                readings.append([before + label + after for label in read])
    if readings:
        return ("prefix", readings[0]) if all(one == readings[0] for one in readings) else None
    if read is not numbers or not all(int(label) < len(names) for label in read) or elsewhere(names, read):
        return None
    return "index", [names[int(label)] for label in read]


def elsewhere(names: list[str], labels: list[str]) -> bool:
    """Whether the names are numbers other than their positions, or one is a label at another position."""
    shortest = min(map(len, names))
    for first, last in itertools.product(range(shortest + 1), repeat=2):
        if first + last > shortest:
            continue
        parts = [name[first : len(name) - last] for name in names]
        ends = {(name[:first], name[len(name) - last :]) for name in names}
        if len(ends) > 1:
            continue
        ((before, after),) = ends
        numbers = not before[-1:].isdecimal() and not after[:1].isdecimal() and all(map(str.isdecimal, parts))
        if numbers and list(map(int, parts)) != list(range(len(names))):
            return True
        if not (before and after) and any(part in labels and part != str(at) for at, part in enumerate(parts)):
            return True
    return False


@given(
    stem=st.text("p1_", max_size=2),
    parts=st.lists(st.text("01p", max_size=2), min_size=2, max_size=4, unique=True),
    tail=st.sampled_from(["", "", "0", "p", ".0"]),
    data=st.data(),
)
@settings(deadline=None, max_examples=150)
def test_the_rules_hold_in_their_order(stem: str, parts: list[str], tail: str, data: st.DataObject) -> None:
    names = [stem + part + tail for part in parts]
    assume(all(names))
    pool = sorted({*names, *parts, *(stem + part for part in parts), *(part + tail for part in parts), "0", "1", "2"})
    labels = data.draw(
        st.lists(st.sampled_from(pool).map(str) | st.sampled_from(["0.0", "1.0"]), min_size=1, max_size=5)
    )
    want = plainly(names, labels)
    if want is None:
        unmatched(names, labels)
    else:
        assert matched(names, labels) == want


# Labels of other Python types.


@pytest.mark.parametrize(
    "labels",
    [
        pd.Series(["cat", "emu"]),
        pd.Series(["cat", "emu"], dtype="category"),
        pd.Series(["cat", "emu"], dtype=object),
        np.array(["cat", "emu"]),
        np.array([b"cat", b"emu"]),
        np.array(["cat", "emu"], dtype=object),
        ["cat", "emu"],
        ("cat", "emu"),
        pd.DataFrame({"truth": ["cat", "emu"]}),
        np.array([["cat"], ["emu"]]),
    ],
    ids=lambda labels: f"{type(labels).__name__}-{getattr(labels, 'dtype', '')}",
)
def test_text_labels_may_be_any_sequence(labels: Any) -> None:
    assert matched(PETS, labels) == ("name", ["cat", "emu"])


@pytest.mark.parametrize(
    "labels",
    [pd.Series([0, 2]), pd.Series([0, 2], dtype="Int64"), pd.Series([0.0, 2.0]), [0, 2], np.array([[0], [2]], ">i2")],
    ids=lambda labels: f"{type(labels).__name__}-{getattr(labels, 'dtype', '')}",
)
def test_integer_labels_may_be_any_sequence(labels: Any) -> None:
    assert matched(PETS, labels) == ("index", ["cat", "emu"])


@pytest.mark.parametrize("missing", [None, math.nan, pd.NA])
def test_missing_labels_of_a_frame_are_refused_with_their_row(missing: Any) -> None:
    assert "row 2" in unmatched(PETS, pd.Series(["cat", missing, "dog"], dtype=object))
    assert "row 2" in unmatched(PETS, pd.Series(["cat", missing, "dog"], dtype="str"))


def test_missing_integer_labels_of_a_frame_are_refused_with_their_row() -> None:
    assert "row 2" in unmatched(PETS, pd.Series([0, None, 1], dtype="Int64"))
    assert "row 2" in unmatched(PETS, pd.Series([0, None, 1]))


# One column of predictions is binary.


def binary(q: Sequence[float], labels: Any, **options: Any) -> tuple[Any, tuple[str, ...], str]:
    report = score(np.array(q), labels, **options)
    return report.cost, report.classes, report.labels.matched


@pytest.mark.parametrize("labels", [[1, 0, 1], ["1", "0", "1.0"], [1.0, 0.0, 1.0], np.array([True, False, True])])
def test_one_column_is_the_probability_of_class_1(labels: Any) -> None:
    cost, classes, rule = binary([0.75, 0.25, 0.5], labels)
    assert cost == pytest.approx((2 * math.log(4 / 3) + math.log(2)) / 3, rel=1e-15)
    assert (classes, rule) == (("0", "1"), "binary")


@pytest.mark.parametrize("labels", [[0.5, 1], ["0.5", "1"], ["5e-1", "1.0"]])
def test_a_label_strictly_between_is_a_soft_target(labels: Any) -> None:
    report = score(np.array([0.25, 0.5]), labels)
    assert report.cost == pytest.approx((-0.5 * math.log(0.25 * 0.75) + math.log(2)) / 2, rel=1e-15)
    assert report.accuracy is None
    assert report.labels.counts is None
    assert report.target_entropy == pytest.approx(math.log(2) / 2, rel=1e-15)
    assert report.kl == pytest.approx(report.cost - math.log(2) / 2, rel=1e-12)


def test_a_tie_in_the_prediction_goes_to_the_negative_class() -> None:
    assert score(np.array([0.5, 0.5, 0.5]), [0, 0, 1]).accuracy == 2 / 3


@pytest.mark.parametrize("label", ["2", "-1", "1.5", "nan", "inf"])
def test_a_number_that_is_neither_0_nor_1_nor_between_is_refused(label: str) -> None:
    message = refusal(DataError, np.array([0.5, 0.5]), ["1", label])
    assert "row 2" in message
    assert repr(label) in message
    assert ("--ignore-label nan" if label == "nan" else "--positive") in message
    assert "row 2" in refusal(DataError, np.array([0.5, 0.5]), np.array([1, float(label)]))


def test_names_need_the_positive_one() -> None:
    message = refusal(DataError, np.array([0.5, 0.5]), ["ham", "spam"])
    assert "--positive" in message
    assert "ham" in message
    assert "spam" in message


@pytest.mark.parametrize(("positive", "other"), [("spam", "ham"), ("ham", "spam")])
def test_the_positive_label_is_the_one_that_the_column_is_about(positive: str, other: str) -> None:
    cost, classes, rule = binary([0.75, 0.25, 0.75], [positive, other, positive], positive=positive)
    assert cost == pytest.approx(math.log(4 / 3), rel=1e-15)
    assert (classes, rule) == ((other, positive), "binary")


@pytest.mark.parametrize("labels", [["1", "2", "1"], ["1.0", "2.0", "1"], np.array([1, 2, 1])])
def test_the_positive_label_may_be_a_number(labels: Any) -> None:
    assert binary([0.75, 0.25, 0.75], labels, positive="1")[:2] == (pytest.approx(math.log(4 / 3)), ("2", "1"))


def test_a_third_text_is_refused() -> None:
    message = refusal(DataError, np.full(4, 0.5), ["spam", "ham", "spam", "egg"], positive="spam")
    assert "row 4" in message
    assert "'egg'" in message


def test_a_third_text_is_refused_far_behind_too() -> None:
    labels = ["spam", "ham"] * (HEAD // 2 + 1) + ["egg"]
    message = refusal(DataError, np.full(len(labels), 0.5), labels, positive="spam")
    assert f"row {len(labels):,}" in message


def test_a_second_label_may_come_far_behind() -> None:
    labels = ["spam"] * (HEAD + 1) + ["ham"]
    report = score(np.full(len(labels), 0.5), labels, positive="spam")
    assert report.labels.counts == (1, HEAD + 1)


def test_a_positive_label_that_is_none_of_two_is_refused() -> None:
    message = refusal(DataError, np.full(2, 0.5), ["spam", "ham"], positive="egg")
    assert "--positive 'egg'" in message
    assert "spam, ham" in message


def test_a_positive_label_that_no_row_has_is_fine() -> None:
    cost, classes, _ = binary([0.25, 0.25], ["ham", "ham"], positive="spam")
    assert (cost, classes) == (pytest.approx(math.log(4 / 3)), ("ham", "spam"))
    cost, classes, _ = binary([0.25, 0.25], ["spam", "spam"], positive="spam")
    assert cost == pytest.approx(math.log(4))
    assert classes[1] == "spam"


def test_classes_name_the_negative_then_the_positive() -> None:
    cost, classes, _ = binary([0.75, 0.25], ["spam", "ham"], classes="ham,spam")
    assert (cost, classes) == (pytest.approx(math.log(4 / 3)), ("ham", "spam"))
    cost, classes, _ = binary([0.75, 0.25], [1, 0], classes="ham,spam")
    assert (cost, classes) == (pytest.approx(math.log(4 / 3)), ("ham", "spam"))


def test_soft_targets_go_with_named_classes() -> None:
    cost, classes, _ = binary([0.75, 0.5], [1, 0.5], classes="lost,won")
    assert (cost, classes) == (pytest.approx((math.log(4 / 3) + math.log(2)) / 2), ("lost", "won"))


@pytest.mark.parametrize("classes", ["spam", "a,b,c"])
def test_one_column_has_two_classes(classes: str) -> None:
    assert "--classes" in refusal(DataError, np.full(2, 0.5), ["a", "b"], classes=classes)


def test_index_base_1_reads_1_and_2_for_one_column() -> None:
    assert binary([0.75, 0.25], [2, 1], index_base=1)[0] == pytest.approx(math.log(4 / 3))


def test_one_column_of_logits_is_a_binary_logit() -> None:
    assert binary([math.log(3), -math.log(3)], [1, 0], kind="logits")[0] == pytest.approx(math.log(4 / 3), rel=1e-15)
    assert binary([math.log(0.75), math.log(0.25)], [1, 0], kind="logprobs")[0] == pytest.approx(math.log(4 / 3))


def test_positive_is_for_one_column() -> None:
    assert "--positive" in unmatched(PETS, ["cat"], positive="cat")


def test_as_many_classes_are_named_as_there_are_columns() -> None:
    message = unmatched(PETS, ["cat"], classes="cat,dog")
    assert "--classes" in message
    assert "3" in message


# Rule 4: as many numeric label columns as classes.

ROW = {"cat": 0.5, "dog": 0.25, "emu": 0.25}


def targets(classes: dict[str, float], labels: dict[str, float], **options: Any) -> tuple[float, str, str]:
    report = score(pd.DataFrame([classes]), pd.DataFrame([labels]), **options)
    return report.cost, report.labels.matched, report.labels.note


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({"dog": 0, "emu": 0, "cat": 1}, "by name"),
        ({"y_emu": 0, "y_cat": 1, "y_dog": 0}, "by name"),
        ({"emu_true": 0, "cat_true": 1, "dog_true": 0}, "by name"),
        ({"x": 1, "y": 0, "z": 0}, "by position"),
    ],
)
def test_one_hot_columns_are_matched_by_name_or_where_no_name_is_common_by_position(
    labels: dict[str, float], words: str
) -> None:
    cost, rule, note = targets(ROW, labels)
    assert cost == pytest.approx(math.log(2), rel=1e-15)
    assert rule == "distribution"
    assert words in note


@pytest.mark.parametrize("renamed", ["p_{}", "{}_p", ".pred_{}", "{}"])
@pytest.mark.parametrize("called", ["{}", "y_{}", "{}_true", "is {}"])
def test_target_columns_agree_with_the_classes_less_prefix_or_suffix_on_either_side(renamed: str, called: str) -> None:
    classes = {renamed.format(name): q for name, q in ROW.items()}
    labels = {called.format(name): float(name == "cat") for name in ("emu", "dog", "cat")}
    cost, _, note = targets(classes, labels)
    assert cost == pytest.approx(math.log(2), rel=1e-15)
    assert "by name" in note


def test_target_columns_without_names_are_taken_by_position() -> None:
    report = score(pd.DataFrame([ROW]), np.array([[0, 0, 1]]))
    assert report.cost == pytest.approx(math.log(4), rel=1e-15)
    assert report.labels.counts == (0, 0, 1)


@pytest.mark.parametrize(
    ("classes", "columns"),
    [
        (("cat", "dog", "emu"), ("cat", "dog", "cow")),
        (("cat", "dog", "emu"), ("emu", "x", "y")),
        (("p_cat", "p_dog", "p_emu"), ("y_dog", "y_cat", "y_cow")),
        (("cat_p", "dog_p", "emu_p"), ("dog_y", "cat_y", "cow_y")),
        (("cat", "dog", "emu"), ("y_dog", "y_cat", "y_cow")),
    ],
)
def test_target_columns_that_overlap_with_the_classes_in_part_are_refused(
    classes: tuple[str, ...], columns: tuple[str, ...]
) -> None:
    row = dict(zip(classes, ROW.values(), strict=True))
    message = refusal(DataError, pd.DataFrame([row]), pd.DataFrame([dict.fromkeys(columns, 0.0) | {columns[0]: 1.0}]))
    assert all(name in message for name in (*classes, *columns))


def test_names_that_have_nothing_in_common_but_that_nothing_is_left_of_them_are_disjoint() -> None:
    cost, _, note = targets({"p": 0.5, "pq": 0.5}, {"t": 1, "t2": 0})
    assert cost == pytest.approx(math.log(2))
    assert "by position" in note


def test_target_columns_of_a_file_are_found_by_option_and_without(write: Write) -> None:
    one = write("one.csv", "cat,t_cat,dog,t_dog\n.25,1,.75,0.0\n.5,0,.5,1.0\n")
    want = pytest.approx((math.log(4) + math.log(2)) / 2, rel=1e-15)
    assert score(one, preds="cat,dog", label="t_dog,t_cat").cost == want
    assert score(one, preds="cat,dog", label="t_*").cost == want
    two = write("two.csv", "t_dog,t_cat\n0,1\n1,0\n")
    assert score(one, two, preds="cat,dog").cost == want


def test_another_number_of_label_columns_than_classes_is_refused_listing_both(write: Write) -> None:
    labels = write("l.csv", "a,b\n1,0\n")
    message = refusal(DataError, even(1, PETS), labels, label="a,b")
    assert all(word in message for word in ("a, b", "cat, dog, emu"))
    message = refusal(DataError, even(1, PETS), labels)
    assert "a, b" in message
    assert "--label" in message


def test_as_many_label_columns_as_classes_that_are_not_all_numbers_are_refused_listing_them(write: Write) -> None:
    labels = write("l.csv", "id,truth,fold\nimg1,cat,1\n")
    message = refusal(DataError, even(1, PETS), labels)
    assert "id, truth, fold" in message
    assert "--label" in message


@pytest.mark.parametrize(
    "row", [[0.5, 0.25, 0.2], [0, 0, 0], [1, 1, 0], [1.5, -0.5, 0], [math.nan, 0, 1], [math.inf, 0, 0]]
)
def test_a_target_that_is_no_distribution_is_refused_with_its_row(row: list[float]) -> None:
    message = refusal(DataError, even(2, PETS), np.array([[1, 0, 0], row]))
    assert "row 2" in message


def test_a_target_sums_to_1_within_the_tolerance() -> None:
    rounded = np.array([[0.333, 0.333, 0.333]])
    score(even(1, PETS), rounded)
    assert "0.999" in refusal(DataError, even(1, PETS), rounded, sum_tolerance=1e-4)
    score(even(1, PETS), np.array([[0.3, 0.3, 0.3]]), sum_tolerance=0.2)


def test_soft_targets_have_entropy_and_divergence_and_no_accuracy() -> None:
    target = np.array([[0.5, 0.5, 0], [0, 0, 1]])
    report = score(pd.DataFrame([ROW, ROW]), target)
    assert report.cost == pytest.approx((0.5 * math.log(8) + math.log(4)) / 2, rel=1e-15)
    assert report.target_entropy == pytest.approx(math.log(2) / 2, rel=1e-15)
    assert report.kl == pytest.approx(report.cost - math.log(2) / 2, rel=1e-12)
    assert report.accuracy is None
    assert report.labels.counts is None


def test_a_class_without_target_may_have_no_probability() -> None:
    report = score(np.array([[0.5, 0.5, 0.0]]), np.array([[0.5, 0.5, 0.0]]))
    assert report.cost == pytest.approx(math.log(2), rel=1e-15)
    assert score(np.array([[0.5, 0.5, 0.0]]), np.array([[0.5, 0.25, 0.25]])).cost == math.inf


@given(
    st.integers(2, 5).flatmap(
        lambda k: st.tuples(st.just(k), st.lists(st.integers(0, k - 1), min_size=1, max_size=20), st.integers(0, 2**32))
    )
)
@laws
def test_index_and_one_hot_labels_cost_the_same_in_every_bit(drawn: tuple[int, list[int], int]) -> None:
    classes, labels, seed = drawn
    q = np.random.default_rng(seed).dirichlet(np.ones(classes), len(labels))
    by_index, one_hot = score(q, labels), score(q, np.eye(classes)[labels])
    assert by_index.cost == one_hot.cost
    assert by_index.standard_error == one_hot.standard_error
    assert by_index.accuracy == one_hot.accuracy
    assert by_index.prior == one_hot.prior


# On a stream the first 65,536 rows decide, and a later label that breaks the rule is refused.


def stream(monkeypatch: pytest.MonkeyPatch, text: str) -> str:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))
    return "-"


def column(labels: Sequence[str]) -> str:
    return "truth\n" + "\n".join(labels) + "\n"


@pytest.mark.parametrize("block_bytes", [1 << 12, 1 << 20])
def test_on_a_stream_the_first_65536_labels_decide_whatever_the_block_size(
    block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("0", "1", "other")
    within = ["1"] * (HEAD - 1) + ["2", "0"]
    report = score(even(len(within), names), stream(monkeypatch, column(within)), block_bytes=block_bytes)
    assert report.labels.matched == "index"
    assert report.labels.counts == (1, HEAD - 1, 1)
    beyond = ["1"] * HEAD + ["2", "0"]
    message = refusal(
        LabelsBreakRule,
        even(len(beyond), names),
        stream(monkeypatch, column(beyond)),
        block_bytes=block_bytes,
    )
    assert "'2' is not a class" in message
    assert f"row {HEAD + 1:,} (line {HEAD + 2:,})" in message


@pytest.mark.parametrize("threads", [1, 2])
def test_a_file_is_decided_by_all_its_labels(threads: int, tmp_path: Path) -> None:
    labels = ["1", "0"] * 34_000 + ["2"] * 2_000
    (tmp_path / "l.csv").write_text(column(labels))
    q = np.round(np.random.default_rng(7).dirichlet((2, 3, 4), len(labels)), 4)
    pd.DataFrame(q, columns=["0", "1", "other"]).to_csv(tmp_path / "p.csv", index=False)
    report = score(tmp_path / "p.csv", tmp_path / "l.csv", header="predictions", threads=threads)
    assert report.labels.matched == "index"
    assert report.labels.counts == (34_000, 34_000, 2_000)
    index = np.array(labels, dtype=int)
    assert report.cost == pytest.approx(-np.log(q[np.arange(len(q)), index]).mean(), rel=1e-13)
    blocks: list[PerExample] = []
    again = score(tmp_path / "p.csv", tmp_path / "l.csv", header="predictions", sink=blocks.append)
    assert again == report
    assert sum(block.count for block in blocks) == len(labels)


def test_a_later_label_that_fits_no_rule_is_refused_with_its_row(tmp_path: Path) -> None:
    labels = ["cat", "dog"] * (HEAD // 2 + 50) + ["cow", "cat"]
    (tmp_path / "l.csv").write_text(column(labels))
    message = refusal(DataError, even(len(labels), PETS), tmp_path / "l.csv")
    assert "no column is called cow" in message
    assert f"row {len(labels) - 1:,}" in message


@pytest.mark.parametrize("label", [1.5, math.nan, math.inf])
def test_a_later_number_that_is_not_whole_is_refused_with_its_row(label: float) -> None:
    labels = np.array([0.0] * (HEAD + 9) + [label])
    assert f"row {HEAD + 10:,}" in refusal(DataError, np.full((len(labels), 2), 0.5), labels)


@pytest.mark.parametrize("label", ["x", "1.5", "01", ""])
def test_a_later_text_that_is_no_position_is_refused_with_its_row(label: str) -> None:
    labels = ["0"] * (HEAD + 9) + [label]
    assert f"row {HEAD + 10:,}" in refusal(DataError, np.full((len(labels), 2), 0.5), labels)


@pytest.mark.parametrize("label", ["x", "1.5", "NA", ""])
def test_a_later_text_that_is_no_probability_is_refused_with_its_row_for_one_column(label: str) -> None:
    labels = ["0"] * (HEAD + 9) + [label]
    assert f"row {HEAD + 10:,}" in refusal(DataError, np.full(len(labels), 0.5), labels)


@pytest.mark.parametrize("late", ["0.0", "-0"])
def test_a_later_label_is_read_as_the_first_ones_were(late: str, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = ["1", "0"] * (HEAD // 2) + [late]
    feed = stream(monkeypatch, column(labels))
    assert score(np.full((len(labels), 2), 0.5), feed).labels.counts == (HEAD // 2 + 1, HEAD // 2)


# Rows of weight 0 have no say and may hold junk.


def weighted(labels: list[str], weights: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"truth": labels, "w": weights})


@pytest.mark.parametrize(
    ("names", "labels", "rule", "counts"),
    [
        (PETS, ["junk", "cat", "emu"], "name", (1, 0, 1)),
        (("1", "2", "3"), ["0", "1", "3"], "name", (1, 0, 1)),
        (("0", "1", "x"), ["junk", "0", "2"], "index", (1, 0, 1)),
        (("p_a", "p_b"), ["x", "b", "a"], "prefix", (1, 1)),
        (("p1", "p11"), ["1", "11", "11"], "prefix", (0, 2)),
        (PETS, ["3", "1", "2"], "index", (0, 1, 1)),
        (PETS, ["", "1.0", "2"], "index", (0, 1, 1)),
    ],
)
@pytest.mark.parametrize("ids", [False, True])
def test_rows_of_weight_0_have_no_say_in_the_rule(
    names: Sequence[str], labels: list[str], rule: str, counts: tuple[int, ...], ids: bool
) -> None:
    preds, truth = even(3, names), weighted(labels, [0, 1, 2])
    options: dict[str, Any] = {}
    if ids:
        preds.insert(0, "id", ["a", "b", "c"])
        truth.insert(0, "id", ["a", "b", "c"])
        truth, options = truth[::-1], {"id": "id"}
    report = score(preds, truth, label="truth", weights="w", **options)
    assert report.labels.matched == rule
    assert report.labels.counts == counts
    assert report.examples.zero_weight == 1


@pytest.mark.parametrize("side", ["predictions", "labels"])
def test_the_weights_may_stand_in_either_file(side: str) -> None:
    preds, truth = even(3, PETS), pd.DataFrame({"truth": ["junk", "cat", "emu"]})
    (preds if side == "predictions" else truth)["w"] = [0, 1, 2]
    report = score(preds, truth, label="truth", weights="w")
    assert report.labels.counts == (1, 0, 1)


def test_rows_of_weight_0_have_no_say_where_ids_join_weights_of_the_predictions_to_labels() -> None:
    preds = even(3, PETS).assign(id=["a", "b", "c"], w=[1, 0, 2])
    truth = pd.DataFrame({"id": ["c", "b", "a"], "truth": ["emu", "junk", "cat"]})
    report = score(preds, truth, label="truth", weights="w", id="id")
    assert report.labels.matched == "name"
    assert report.labels.counts == (1, 0, 1)


def test_rows_of_weight_0_have_no_say_for_one_column() -> None:
    preds = pd.DataFrame({"p": [0.5, 0.75, 0.25]})
    assert score(preds, weighted(["junk", "1", "0"], [0, 1, 1]), label="truth", weights="w").labels.counts == (1, 1)
    report = score(preds, weighted(["egg", "spam", "ham"], [0, 1, 1]), label="truth", weights="w", positive="spam")
    assert report.classes == ("ham", "spam")


def test_rows_of_weight_0_may_be_no_distribution() -> None:
    truth = pd.DataFrame({"cat": [math.nan, 1], "dog": [7, 0], "emu": [0, 0], "w": [0, 1]})
    report = score(even(2, PETS), truth, weights="w")
    assert report.examples.scored == 1


def test_rows_of_weight_0_have_no_say_where_weights_and_labels_come_in_pieces_of_another_size(
    tmp_path: Path,
) -> None:
    """Junk in the labels' file, weights beside the predictions, and blocks that do not meet."""
    count = 3_000
    weights = [0 if row % 7 == 3 else 1 for row in range(count)]
    labels = ["junk" if weight == 0 else PETS[row % 3] for row, weight in enumerate(weights)]
    frame = even(count, PETS)
    frame["w"] = weights
    frame.to_csv(tmp_path / "p.csv", index=False)
    (tmp_path / "l.csv").write_text(column(labels))
    report = score(tmp_path / "p.csv", tmp_path / "l.csv", weights="w", block_bytes=1_000)
    assert report.examples.zero_weight == weights.count(0)
    assert report.labels.matched == "name"


@given(st.lists(st.sampled_from([*PETS, "0", "1", "2", "p", "", "NA"]), min_size=1, max_size=8), st.data())
@laws
def test_a_row_of_weight_0_decides_as_much_as_a_row_that_is_not_there(labels: list[str], data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.sampled_from([0, 1]), min_size=len(labels), max_size=len(labels)))
    assume(any(weights))
    kept = [label for label, weight in zip(labels, weights, strict=True) if weight]

    def outcome(texts: list[str], weights: list[int]) -> tuple[str, tuple[int, ...] | None]:
        try:
            report = score(
                even(len(texts), PETS), weighted(texts, list(map(float, weights))), label="truth", weights="w"
            )
        except DataError as error:
            return error.message, None
        return report.labels.matched, report.labels.counts

    assert outcome(labels, weights) == outcome(kept, [1] * len(kept))


@pytest.mark.parametrize("labels", [("0", "1"), ("0.0", "1.0"), ("0", "0.5")])
def test_many_binary_labels_are_read_as_few_are(labels: tuple[str, str], write: Write) -> None:
    count = 3000
    chosen = [labels[(row * row) % 7 % 2] for row in range(count)]
    q = [((row * 37) % 97 + 1) / 100 for row in range(count)]
    preds = write("p.csv", "q\n" + "".join(f"{value!r}\n" for value in q))
    report = score(preds, write("y.csv", "label\n" + "".join(f"{label}\n" for label in chosen)))
    y = np.array(chosen, dtype=float)
    want = -(y * np.log(q) + (1 - y) * np.log1p(-np.array(q)))
    assert report.cost == pytest.approx(want.mean(), rel=1e-14)
    if "0.5" in labels:
        assert report.accuracy is None
    else:
        assert report.accuracy == np.mean((np.array(q) > 0.5) == (y == 1))
        assert dict(zip(report.classes, report.labels.counts or (), strict=False)) == {
            "0": count - y.sum(),
            "1": y.sum(),
        }


@pytest.mark.parametrize("bad", ["x", "2", "-0.25"])
def test_a_bad_label_among_many_is_told_with_its_row(bad: str, write: Write) -> None:
    count = 3000
    labels = ["0", "1"] * (count // 2)
    labels[2345] = bad
    preds = write("p.csv", "q\n" + "0.25\n" * count)
    for text in (
        "".join(f"{label}\n" for label in labels),
        "".join(f"{label}\n" for label in labels[2345:2346] * count),
    ):
        with pytest.raises(DataError) as caught:
            score(preds, write("y.csv", "label\n" + text))
        assert caught.value.place is not None
        assert caught.value.place.row == (2346 if text.startswith("0") else 1)


def test_a_label_that_is_a_name_beside_index_base_is_told_so() -> None:
    message = refusal(DataError, even(2, ("cat", "dog")), ["dog", "cat"], index_base=1)
    assert "label 'dog' is a name, and --index-base takes labels as positions" in message
    assert "leave --index-base out" in message


def test_a_third_text_beside_the_positive_class_is_refused(write: Write) -> None:
    preds = write("p.csv", "q\n0.25\n0.5\n0.75\n")
    assert score(preds, write("y.csv", "label\nno\nyes\nno\n"), positive="yes").examples.scored == 3
    with pytest.raises(DataError, match="maybe"):
        score(preds, write("y.csv", "label\nno\nyes\nmaybe\n"), positive="yes")


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        # A column that is not there, one that is called otherwise, and a label of its own look alike.
        ("cat dog fox emu", ("labels: cat, dog, fox, emu", "no column is fox: was a column left out")),
        ("cat dog fox gnu", ("no column is fox, gnu, and no label is emu: were columns left out or renamed",)),
        ("cat dog fox fox", ("p.csv: no column is called fox", "columns: cat, dog, emu", "no label is emu: was that")),
        # Rows above and below the table are said to be such.
        ("Truth cat dog emu emu", ("tail -n +2",)),
        ("cat dog emu emu Total", ("head -n 5",)),
    ],
)
def test_labels_without_a_column_and_columns_without_a_label_are_shown_side_by_side(
    labels: str, said: tuple[str, ...], tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.csv").write_text("cat,dog,emu\n.7,.2,.1\n.1,.6,.3\n.2,.2,.6\n.3,.3,.4\n", encoding="utf-8")
    Path("l.csv").write_text("y\n" + labels.replace(" ", "\n") + "\n", encoding="utf-8")
    done = call("score", "p.csv", "l.csv")
    assert done.code == 3
    assert all(part in done.err for part in said), done.err


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (("p_cat", "p_dog"), "cat dog emu"),
        (("prob_cat", "prob_dog", "prob_emu"), "cat dog emu fox"),
        (("cat (p)", "dog (p)"), "cat dog emu"),
        # Only some of the columns have the prefix.
        (("p_cat", "p_dog", "other"), "cat dog emu"),
        (("P(y=cat)", "P(y=dog)", "fox"), "emu cat dog"),
    ],
)
def test_a_column_less_a_prefix_that_is_not_there_blames_the_predictions(names: tuple[str, ...], labels: str) -> None:
    texts = labels.split()
    strange = next(text for text in texts if not any(text in name for name in names))
    message = refusal(DataError, even(len(texts), names), texts)
    assert message.startswith(f"predictions: no column is called {strange}, as labels are")
    assert f"columns: {', '.join(names)}" in message and f"labels: {', '.join(texts)}" in message
    assert f"no column is {strange}" in message and f"--ignore-label {strange} skips 1 of" in message


@pytest.mark.parametrize("names", [("True", "False"), ("p_yes", "p_no"), ("POS", "NEG")])
def test_labels_0_and_1_beside_columns_called_yes_and_no_in_this_order_are_warned_of(names: tuple[str, str]) -> None:
    frame = pd.DataFrame([[0.25, 0.75], [0.75, 0.25]], columns=list(names)).assign(y=[1, 0])
    warned = score(frame, label="y").warnings
    assert [warning.code for warning in warned] == ["columns-permuted"]
    assert f"--preds {names[1]},{names[0]}" in warned[0].advice
    for options in ({"preds": [*names[::-1]]}, {"index_base": 0}):
        assert score(frame, label="y", **options).warnings == ()
    texts = frame.assign(y=[names[1].removeprefix("p_"), names[0].removeprefix("p_")])
    assert score(texts, label="y").warnings == ()
