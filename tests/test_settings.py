"""Options that make no sense whatever the files hold: each is refused, named, before a file is opened."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import reference
from tests.conftest import Write
from xentcli import score
from xentcli.errors import UsageError
from xentcli.settings import OPTIONS, Settings

REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    # one option by itself
    ({"kind": "probabilities"}, ["--kind", "probs", "'probabilities'"]),
    ({"kind": ""}, ["--kind"]),
    ({"base": "3"}, ["--base", "'3'"]),
    ({"base": 3}, ["--base"]),
    ({"header": "labels.csv"}, ["--header", "predictions, labels, both"]),
    ({"no_header": "none"}, ["--no-header", "predictions, labels, both"]),
    ({"align": "id"}, ["--align", "position", "'id'"]),
    ({"index_base": 2}, ["--index-base", "2"]),
    ({"index_base": -1}, ["--index-base", "-1"]),
    ({"scale": 0.0}, ["--scale"]),
    ({"scale": -1.0}, ["--scale", "-1"]),
    ({"scale": math.inf}, ["--scale", "inf"]),
    ({"scale": math.nan}, ["--scale", "nan"]),
    ({"temperature": 0.0}, ["--temperature", "0"]),
    ({"temperature": -0.5}, ["--temperature", "-0.5"]),
    ({"temperature": math.inf}, ["--temperature", "inf"]),
    ({"temperature": math.nan}, ["--temperature", "nan"]),
    ({"temperature": 2.0, "compat": "torch", "kind": "logits"}, ["--temperature", "--compat torch"]),
    ({"sum_tolerance": -1e-9}, ["--sum-tolerance"]),
    ({"sum_tolerance": math.inf}, ["--sum-tolerance", "inf"]),
    ({"sum_tolerance": math.nan}, ["--sum-tolerance", "nan"]),
    ({"confidence": 0.0}, ["--confidence"]),
    ({"confidence": 1.0}, ["--confidence"]),
    ({"confidence": 95}, ["--confidence", "95", "0.95"]),
    ({"confidence": math.nan}, ["--confidence", "nan"]),
    ({"clip": 0.0}, ["--clip"]),
    ({"clip": -1e-15}, ["--clip", "-1e-15"]),
    ({"clip": 0.5}, ["--clip", "0.5"]),
    ({"clip": math.nan}, ["--clip", "nan"]),
    ({"delimiter": ""}, ["--delimiter"]),
    ({"delimiter": "ab"}, ["--delimiter", "'ab'"]),
    ({"delimiter": '"'}, ["--delimiter"]),
    ({"delimiter": "\n"}, ["--delimiter"]),
    ({"delimiter": "\r"}, ["--delimiter"]),
    # two that contradict each other
    ({"renormalize": True, "kind": "logits"}, ["--renormalize", "--kind"]),
    ({"renormalize": True, "kind": "logprobs"}, ["--renormalize", "--kind"]),
    ({"renormalize": True, "kind": "true-probs"}, ["--renormalize", "--kind"]),
    ({"renormalize": True, "kind": "losses"}, ["--renormalize", "--kind"]),
    ({"positive": "cat", "classes": "dog,cat"}, ["--positive", "--classes"]),
    ({"positive": "1", "index_base": 0}, ["--positive", "--index-base"]),
    ({"id": "image", "align": "position"}, ["--id", "--align"]),
    ({"header": "both", "no_header": "both"}, ["--header", "--no-header"]),
    ({"header": "both", "no_header": "labels"}, ["--header", "--no-header"]),
    ({"header": "both", "no_header": "predictions"}, ["--header", "--no-header"]),
    ({"header": "labels", "no_header": "both"}, ["--header", "--no-header"]),
    ({"header": "predictions", "no_header": "both"}, ["--header", "--no-header"]),
    ({"header": "labels", "no_header": "labels"}, ["--header", "--no-header"]),
    ({"header": "predictions", "no_header": "predictions"}, ["--header", "--no-header"]),
    # what has no use for a kind without labels
    *(
        ({"kind": kind, name: value}, [f"--{name.replace('_', '-')}", kind])
        for kind in ("true-probs", "true-logprobs", "losses")
        for name, value in {
            "label": "y",
            "classes": "a,b",
            "positive": "a",
            "index_base": 1,
            "temperature": 2.0,
        }.items()
    ),
]


def spelled(options: dict[str, Any]) -> str:
    return " ".join(f"{name}={value!r}" for name, value in options.items())


@pytest.mark.parametrize(("options", "words"), REFUSED, ids=[spelled(options) for options, _ in REFUSED])
def test_options_that_make_no_sense_are_refused_by_name(options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        Settings(**options)
    assert caught.value.exit_code == 2
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize(("options", "words"), REFUSED, ids=[spelled(options) for options, _ in REFUSED])
def test_options_that_make_no_sense_are_refused_before_a_file_is_opened(
    options: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        score("no/such/file.csv", "no/such/labels.csv", **options)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"header": "predictions", "no_header": "labels"},
        {"header": "labels", "no_header": "predictions"},
        {"header": "both"},
        {"no_header": "both"},
        {"clip": 5e-324},
        {"clip": 0.49},
        {"confidence": 0.5},
        {"sum_tolerance": 0.0},
        {"sum_tolerance": 5.0},
        {"scale": 0.01},
        {"temperature": 0.25},
        {"temperature": 2.0, "multilabel": True},
        {"base": 2},
        {"base": 10},
        {"base": "2"},
        {"index_base": 0},
        {"index_base": 1, "classes": "a,b"},
        {"renormalize": True, "clip": 1e-7},
        {"id": "image", "weights": "w", "kind": "losses"},
        {"delimiter": ";"},
        {"delimiter": "\t"},
        {"delimiter": "|"},
        {"align": "position"},
    ],
    ids=spelled,
)
def test_options_that_make_sense_are_taken(options: dict[str, Any]) -> None:
    for name, value in options.items():
        assert getattr(Settings(**options), name) == value


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().kind = "logits"  # type: ignore[misc]


def test_an_option_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="klass"):
        score([[0.5, 0.5]], [0], klass="a")  # type: ignore[call-arg]


def test_settings_and_single_options_are_not_mixed() -> None:
    with pytest.raises(UsageError, match="settings"):
        score([[0.5, 0.5]], [0], Settings(), kind="probs")


@pytest.fixture
def files(write: Write) -> tuple[str, str]:
    return write("p.csv", "cat,dog\n.5,.5\n"), write("l.csv", "truth\ncat\n")


@pytest.mark.parametrize(
    "given", ["hdf5", "CSV", "", "predictions=exe", "labels=", "preds=csv", "=csv", ["csv", "labels=exe"]]
)
def test_an_input_format_that_does_not_exist_is_refused_by_name(given: Any, files: tuple[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        score(*files, input_format=given)
    assert "--input-format" in str(caught.value)


@pytest.mark.parametrize("given", ["csv", ["predictions=csv"], ["labels=csv", "predictions=csv"], "both=csv"])
def test_an_input_format_is_taken_for_one_file_or_both(given: Any, files: tuple[str, str]) -> None:
    assert score(*files, input_format=given).examples.read == 1


@pytest.mark.parametrize("classes", ["cat,cat", "cat,", ",", "", "cat, cat", ["cat", "cat"], ["", "dog"]])
def test_class_names_that_are_empty_or_there_twice_are_refused_by_name(classes: Any, files: tuple[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        score(*files, classes=classes)
    assert "--classes" in str(caught.value)


@pytest.mark.parametrize("kind", ["true-probs", "true-logprobs", "losses"])
def test_a_file_of_labels_for_a_kind_without_labels_is_refused(kind: Any, files: tuple[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        score(*files, kind=kind)
    assert f"--kind {kind}" in str(caught.value)


def test_standard_input_can_be_one_file_alone() -> None:
    with pytest.raises(UsageError) as caught:
        score("-", "-")
    assert "predictions and labels are the same stream" in str(caught.value)


def test_the_report_says_which_options_were_set(files: tuple[str, str]) -> None:
    report = score(*files, base="2", clip=1e-9, preds=("cat", "dog"))
    assert {name: setting.value for name, setting in report.options.items()} == {
        "base": "2",
        "clip": 1e-9,
        "preds": ["cat", "dog"],
    }
    assert score(*files).options == {}


def test_a_further_file_has_a_format_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "weights.dat").write_text('{"w": 1}\n{"w": 3}\n')
    weights = f"@{tmp_path / 'weights.dat'}:w"
    given = f"{tmp_path / 'weights.dat'}=jsonl"
    report = score([[0.5, 0.5], [0.25, 0.75]], [0, 0], weights=weights, input_format=given)
    assert report.weight_sum == 4
    with pytest.raises(UsageError, match=r"a further file, not 'nowhere\.dat'"):
        Settings(input_format="nowhere.dat=jsonl")


@pytest.mark.parametrize("name", OPTIONS)
def test_a_default_is_what_its_own_check_returns(name: str) -> None:
    checked = OPTIONS[name].checked(name, OPTIONS[name].default)
    assert checked == OPTIONS[name].default and type(checked) is type(OPTIONS[name].default)


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_reference_says_what_the_tables_say(name: str) -> None:
    kept = (reference.FOLDER / name).read_text(encoding="utf-8")
    assert kept == reference.page(name), "python -m tests.reference writes docs/reference"


@pytest.mark.parametrize(
    ("name", "given"),
    [("delimiter", "{}=,"), ("decimal", "{}=."), ("no_quotes", "{}"), ("header", "{}"), ("no_header", "{}")],
)
def test_an_option_about_text_is_refused_where_no_file_of_it_is_text(name: str, given: str, write: Write) -> None:
    q, y = np.array([[0.7, 0.3], [0.4, 0.6]]), np.array([0, 1])
    array, text = str(write("p.npy", "")), str(write("l.csv", "0\n1\n" if name == "no_header" else "y\n0\n1\n"))
    np.save(array, q)
    every: list[dict[str, Any]] = [{name: given.format(side)} for side in ("both", "predictions", "labels")]
    both, predictions, labels = every
    cost = score(array, text).cost
    assert [score(array, text, **options).cost for options in (both, labels)] == [cost, cost]
    # A caller in Python gives arrays and files the same options.
    assert [score(q, y, **options).cost for options in every] == [cost] * 3
    option = f"--{name.replace('_', '-')}"
    for inputs, options, said in (
        ((array, text), predictions, f"{array} is npy"),
        ((array, y), both, f"{array} is npy"),
        ((write("w.csv", "0,1,y\n0.7,0.3,0\n0.4,0.6,1\n"),), labels, "there is no file of labels"),
    ):
        with pytest.raises(UsageError) as caught:
            score(*inputs, **options)
        assert caught.value.message == f"{option} is for delimited text: {said}"
        assert caught.value.advice == ("leave it out",)
