"""Which columns an option means: names, globs, first:last, #N, @FILE:COLUMN."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Write
from tests.laws import settings
from xentcli import score
from xentcli.errors import DataError, UsageError, XentError
from xentcli.pairing.columns import find_columns
from xentcli.readers.objects import open_memory

PREDS = "id,cat,dog,emu\nr1,.5,.3,.2\nr2,.1,.6,.3\n"
LABELS = "image,truth,fold\nx,cat,1\ny,emu,2\n"


def refusal(error: type[XentError], *files: Any, **options: Any) -> str:
    """Score what must be refused; return the message with its advice."""
    with pytest.raises(error) as caught:
        score(*files, **options)
    return str(caught.value)


@pytest.fixture
def preds(write: Write) -> str:
    return write("preds.csv", PREDS)


@pytest.fixture
def labels(write: Write) -> str:
    return write("labels.csv", LABELS)


@pytest.mark.parametrize(
    ("spec", "classes"),
    [
        ("cat,dog,emu", ("cat", "dog", "emu")),
        ("emu,cat,dog", ("emu", "cat", "dog")),
        (["dog", "emu", "cat"], ("dog", "emu", "cat")),
        (("dog", "emu", "cat"), ("dog", "emu", "cat")),
        ("cat, dog , emu", ("cat", "dog", "emu")),
        ("cat:emu", ("cat", "dog", "emu")),
        ("#2:#4", ("cat", "dog", "emu")),
        ("#4,#2,#3", ("emu", "cat", "dog")),
        ("#2:emu", ("cat", "dog", "emu")),
        ("dog,#4,c*", ("dog", "emu", "cat")),
        ("???", ("cat", "dog", "emu")),
        ("[c-e]??", ("cat", "dog", "emu")),
        ("e*,?[ao][tg]", ("emu", "cat", "dog")),
        ("emu,cat:dog", ("emu", "cat", "dog")),
    ],
)
def test_a_list_of_names_globs_ranges_and_numbers_keeps_the_order_given(
    spec: str | list[str], classes: tuple[str, ...], preds: str, labels: str
) -> None:
    report = score(preds, labels, preds=spec, label="truth")
    assert report.classes == classes
    assert report.labels.counts == tuple(int(name in ("cat", "emu")) for name in classes)
    assert report.cost == pytest.approx(0.9485599924429406, rel=1e-15)


@pytest.mark.parametrize("spec", ["truth", "#2", "t*", "@{labels}:truth", "@{labels}:#2", "@{labels}:t*", ["truth"]])
def test_one_column_can_be_meant_in_every_way(spec: str | list[str], preds: str, labels: str) -> None:
    chosen = spec.format(labels=labels) if isinstance(spec, str) else spec
    report = score(preds, labels, preds="cat:emu", label=chosen)
    assert report.labels.columns == ("truth",)
    assert report.inputs[0].unused == ("id",)
    assert report.inputs[1].unused == ("image", "fold")


def test_a_number_counts_in_the_labels_for_a_label_and_in_the_predictions_for_predictions(
    preds: str, labels: str
) -> None:
    report = score(preds, labels, preds="#2,#3,#4", label="#2")
    assert report.classes == ("cat", "dog", "emu")
    assert report.labels.columns == ("truth",)


def test_a_name_with_a_colon_is_a_name_before_it_is_a_range(write: Write) -> None:
    path = write("p.csv", "a,a:c,b,c,y\n.1,.5,.2,.2,b\n")
    assert score(path, label="y", preds="a,a:c,b,c").classes == ("a", "a:c", "b", "c")


def test_a_range_may_go_from_one_name_with_a_colon_to_another(write: Write) -> None:
    path = write("p.csv", "k:1,other,k:2,y\n.5,.3,.2,other\n")
    assert score(path, label="y", preds="k:1:k:2").classes == ("k:1", "other", "k:2")


@pytest.mark.parametrize("name", ["y*", "y?", "y[ab]", "*", "#2", "a,b", "a:b", " y ", "y@z", "ÿ", "y'"])
def test_a_column_is_found_by_its_exact_name_whatever_it_looks_like(name: str, write: Write) -> None:
    path = write("p.csv", f'cat,dog,ya,"{name}",b\n.5,.5,x,cat,z\n')
    report = score(path, label=name, preds="cat,dog")
    assert report.labels.columns == (name,)
    assert report.inputs[0].unused == ("ya", "b")


def test_a_name_with_a_comma_can_stand_in_a_list(write: Write) -> None:
    path = write("p.csv", '"a,b",c,y\n.5,.5,c\n')
    assert score(path, label="y", preds=["c", "a,b"]).classes == ("c", "a,b")


names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=6) | st.text(
    "ab*?[]:,#12", min_size=1, max_size=5
)


@given(st.lists(names, min_size=1, max_size=6, unique=True))
@settings(deadline=None, max_examples=150)
def test_every_name_means_its_own_column(header: list[str]) -> None:
    source = open_memory(pd.DataFrame([[0.0] * len(header)], columns=header), "frame")
    for index, name in enumerate(header):
        if not name.startswith("@"):
            assert find_columns("--label", name, [source], source).columns == (index,)
        assert find_columns("--preds", [name], [source], source).columns == (index,)
    assert find_columns("--preds", header[::-1], [source], source).columns == tuple(range(len(header)))[::-1]


@pytest.mark.parametrize(
    "spec", ["horse", "cat,horse", "h*", "cat:horse", "horse:cat", "#5", "#0", "", "#2:#9", "emu:cat"]
)
def test_what_means_no_column_is_refused_and_the_columns_are_listed(spec: str, preds: str, labels: str) -> None:
    message = refusal(DataError, preds, labels, preds=spec, label="truth")
    assert "--preds" in message
    assert f"{preds} has the columns id, cat, dog, emu" in message


def test_an_unknown_name_lists_the_columns_of_both_files(preds: str, labels: str) -> None:
    message = refusal(DataError, preds, labels, preds="cat:emu", label="target")
    assert "--label 'target'" in message
    assert f"{preds} has the columns id, cat, dog, emu" in message
    assert f"{labels} has the columns image, truth, fold" in message


def test_the_one_item_of_a_list_that_is_unknown_is_named(preds: str, labels: str) -> None:
    message = refusal(DataError, preds, labels, preds="cat,horse,emu", label="truth")
    assert "--preds 'horse'" in message
    assert "'cat'" not in message


def test_a_file_without_names_says_how_its_columns_are_meant(write: Write, labels: str) -> None:
    bare = write("bare.csv", ".5,.3,.2\n.1,.6,.3\n")
    message = refusal(DataError, bare, labels, preds="cat", label="truth")
    assert f"{bare} has 3 columns without names; #1 is the first" in message


def test_columns_of_a_file_without_names_are_meant_by_number(write: Write) -> None:
    bare = write("bare.csv", "2,.5,.3,.2\n0,.1,.6,.3\n")
    report = score(bare, label="#1", preds="#2:#4")
    assert report.cost == pytest.approx(1.9560115027140728, rel=1e-15)
    assert report.labels.columns == ("#1",)


def test_many_columns_are_listed_in_part_with_their_number(write: Write) -> None:
    wide = write("wide.csv", ",".join(f"c{i}" for i in range(1000)) + "\n" + ",".join(["0.001"] * 1000) + "\n")
    message = refusal(DataError, wide, [0], preds="nope")
    assert "(1,000 in all)" in message
    assert len(message) < 400


def test_a_label_in_both_files_is_that_of_the_labels(write: Write) -> None:
    # The column of the same name beside the predictions is often the predicted class.
    one = write("one.csv", "cat,dog,truth\n.25,.75,dog\n.5,.5,dog\n")
    two = write("two.csv", "truth\ncat\ndog\n")
    report = score(one, two, preds="cat,dog", label="truth")
    assert report.cost == pytest.approx(math.log(8) / 2, rel=1e-15)
    assert report.labels.counts == (1, 1)


def test_another_column_in_both_files_is_refused_naming_the_way_to_choose(write: Write) -> None:
    one = write("one.csv", "cat,dog,w\n.5,.5,1\n")
    two = write("two.csv", "truth,w\ncat,1\n")
    message = refusal(DataError, one, two, preds="cat,dog", label="truth", weights="w")
    assert f"--weights w is in {one} and {two}" in message
    assert f"--weights @{one}:w" in message


@pytest.mark.parametrize(("chosen", "counts"), [("one.csv", (0, 1)), ("two.csv", (1, 0))])
def test_a_file_before_the_column_takes_it_from_that_file(chosen: str, counts: tuple[int, int], write: Write) -> None:
    one = write("one.csv", "cat,dog,truth\n.5,.5,dog\n")
    two = write("two.csv", "truth\ncat\n")
    path = {"one.csv": one, "two.csv": two}[chosen]
    report = score(one, two, preds="cat,dog", label=f"@{path}:truth")
    assert report.labels.counts == counts


def test_a_glob_that_means_columns_of_both_files_means_those_of_the_predictions(write: Write) -> None:
    one = write("one.csv", "p1,p2\n.5,.5\n")
    two = write("two.csv", "pid,y\n7,1\n")
    report = score(one, two, preds="p*", label="y")
    assert report.classes == ("p1", "p2")
    assert report.labels.counts == (1, 0)


def test_predictions_may_stand_in_the_second_file_and_labels_in_the_first(write: Write) -> None:
    one = write("one.csv", "truth\ndog\ncat\n")
    two = write("two.csv", "cat,dog\n.5,.5\n.25,.75\n")
    report = score(one, two, preds="cat,dog", label="truth")
    assert report.classes == ("cat", "dog")
    assert report.labels.counts == (1, 1)
    assert report.cost == pytest.approx(1.0397207708399179, rel=1e-15)


@pytest.mark.parametrize("role", ["weights", "label"])
def test_a_file_of_one_column_is_its_column(role: str, write: Write) -> None:
    one = write("one.csv", "cat,dog,truth,importance\n.5,.5,dog,1\n.25,.75,cat,3\n")
    two = write("two.csv", {"weights": "w\n3\n1\n", "label": "y\ncat\ndog\n"}[role])
    options: dict[str, Any] = {"label": "truth", "weights": "importance"}
    report = score(one, two, preds="cat,dog", **(options | {role: f"@{two}"}))
    assert report.weight_sum == 4
    assert report.labels.columns == ({"weights": "truth", "label": "y"}[role],)


def test_a_file_of_several_columns_needs_a_column(preds: str, labels: str) -> None:
    message = refusal(XentError, preds, labels, preds="cat:emu", label=f"@{labels}")
    assert f"@{labels}:" in message
    assert "no input file" not in message, "it is an input file; what is missing is the column"
    assert all(name in message for name in ("image", "truth", "fold"))


def test_an_unknown_column_of_a_named_file_lists_the_columns_of_that_file_alone(preds: str, labels: str) -> None:
    message = refusal(DataError, preds, labels, preds="cat:emu", label=f"@{labels}:dog")
    assert f"{labels} has the columns image, truth, fold" in message
    assert preds not in message


def test_a_file_that_is_no_input_is_refused_naming_the_inputs(preds: str, labels: str) -> None:
    message = refusal(UsageError, preds, labels, preds="cat:emu", label="@nowhere.csv:truth")
    assert "@nowhere.csv:truth" in message
    assert f"@{preds}:COLUMN" in message
    assert f"@{labels}:COLUMN" in message


def test_a_column_has_one_role(preds: str, labels: str) -> None:
    message = refusal(DataError, preds, labels, preds="cat:emu", label="truth", weights="truth")
    assert all(word in message for word in ("truth", "--label", "--weights"))
    assert "--preds" in refusal(DataError, preds, preds="*", label="id")


@pytest.mark.parametrize("role", ["weights", "id"])
def test_roles_of_one_column_refuse_several(role: str, preds: str, labels: str) -> None:
    several = {"weights": "image,fold", "id": "#1:#2"}[role]
    message = refusal(DataError, preds, labels, label="truth", preds="#3:#4", **{role: several})
    assert f"--{role} takes one column, not 2" in message


def test_columns_that_are_not_used_are_listed(preds: str, labels: str) -> None:
    report = score(preds, labels, preds="cat:emu", label="truth")
    assert report.inputs[0].unused == ("id",)
    assert report.inputs[1].unused == ("image", "fold")


def test_two_columns_of_one_name_are_refused_in_a_file_and_in_a_data_frame(write: Write) -> None:
    path = write("p.csv", "a,a,b\n.5,.25,.25\n")
    for data in (path, pd.DataFrame([[0.5, 0.25, 0.25]], columns=["a", "a", "b"])):
        assert "2 columns are called 'a'" in refusal(DataError, data, ["a"])


def test_columns_of_data_frames_are_chosen_as_those_of_files() -> None:
    frame = pd.DataFrame({"cat": [0.5, 0.1], "note": ["x", "y"], "dog": [0.5, 0.9], "truth": ["dog", "cat"]})
    report = score(frame, label="truth", preds="dog,cat")
    assert report.classes == ("dog", "cat")
    assert report.labels.counts == (1, 1)
    assert report.inputs[0].unused == ("note",)
    assert "the columns cat, note, dog, truth" in refusal(DataError, frame, label="nope", preds="dog,cat")
