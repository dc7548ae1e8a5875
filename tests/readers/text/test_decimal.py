"""Decimal commas: numbers are those of the same file with points, and every text is shown as the file has it."""

from __future__ import annotations

import json
import re
import shlex
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Write
from tests.fuzz.commands import invoke
from xentcli import score
from xentcli.columns.numerals import hundredths, number

NAMES = ("417.25", "518.5", "619.75")
"""Class names that no figure of a report contains."""
ROWS = 40


def files() -> dict[str, pd.DataFrame]:
    """The files of the command lines below, in which every text looks like a number."""
    rng = np.random.default_rng(21)
    t = rng.integers(0, 3, ROWS)
    q = np.exp(rng.normal(size=(ROWS, 3)) + 4 * np.eye(3)[t])
    preds = pd.DataFrame((q / q.sum(axis=1, keepdims=True)).round(6), columns=list(NAMES))
    truth = pd.Series(np.array(NAMES)[t])
    site = [f"72{place}.5" for place in t % 2]
    row = [f"{row}.125" for row in range(1000, 1000 + ROWS)]
    everything = preds.assign(row=row, truth=truth, site=site)
    return {
        "p.csv": preds,
        "l.csv": pd.DataFrame({"truth": truth}),
        "all.csv": everything,
        "swapped.csv": everything.set_axis([NAMES[0], NAMES[2], NAMES[1], "row", "truth", "site"], axis=1),
        "bad.csv": pd.DataFrame({"truth": truth.where(truth.index != 7, "830.5")}),
        "onehot.csv": pd.DataFrame(np.eye(3)[t], columns=list(NAMES)),
        "wholes.csv": pd.DataFrame({"y": [f"{label}.0" for label in t]}),
        "one.csv": preds[[NAMES[0]]].set_axis(["p"], axis=1),
        "two.csv": pd.DataFrame({"y": truth.where(t == 0, NAMES[1])}),
        "soft.csv": pd.DataFrame({"y": np.array(["1.0", "0.0", "0.375"])[t]}),
        "group.csv": preds.assign(truth=truth, **{"640.5": t % 2}),
        "words.csv": preds.assign(word="x"),
        "series.csv": preds.set_axis(["700.5", "701.5", "702.5"], axis=1),
        "huge.csv": preds.assign(**{NAMES[1]: ["1.5e999"] * ROWS}),
    }


LINES = [
    "score p.csv l.csv --header predictions",
    "score p.csv l.csv --header predictions --by-class --worst 5",
    "score p.csv l.csv --header predictions --by-class --worst 5 --format json",
    "score p.csv l.csv --header predictions --per-example -",
    "score p.csv l.csv",
    "score all.csv --header predictions --label truth --preds '#1:#3' --by site --by truth --show row --worst 3",
    "score all.csv --header predictions --label truth --preds '#1:#3' --by site --show row --worst 3 --format json",
    "score all.csv --header predictions --label truth --preds '#1:#3' --by-class --format markdown",
    "score all.csv --header predictions --label truth --preds '#1:#3' --by-class --by site --format csv",
    "score all.csv --header predictions --label truth --preds '#1:#3' --by-class --by site --format jsonl",
    "score all.csv",
    "score swapped.csv --header predictions --label truth --preds '#1:#3' --by-class",
    "score p.csv bad.csv --header predictions",
    "score p.csv bad.csv --header predictions --index-base 0",
    "score p.csv bad.csv --header predictions --ignore-label 830.5",
    "score p.csv l.csv --header predictions --ignore-label 518.5 --by-class",
    "score p.csv l.csv --header predictions --ignore-label 999.5",
    "score p.csv l.csv --header predictions --class-weight 518.5=2 --by-class",
    "score p.csv l.csv --header predictions --class-weight 999.5=2",
    "score p.csv onehot.csv --header both --by-class",
    "score p.csv onehot.csv --header both --multilabel --by-class",
    "score series.csv onehot.csv --header both --by-class",
    "score one.csv two.csv",
    "score one.csv two.csv --positive 417.25 --by-class",
    "score one.csv two.csv --positive 999.5",
    "score one.csv l.csv --positive 417.25",
    "score one.csv soft.csv",
    "score one.csv soft.csv --multilabel",
    "score one.csv bad.csv",
    "score p.csv wholes.csv --header predictions",
    "score p.csv wholes.csv --header predictions --index-base 0 --by-class",
    "score p.csv soft.csv --header predictions --index-base 0",
    "score p.csv soft.csv --header predictions --ignore-label 0.375 --index-base 0",
    "score group.csv --header predictions --label truth --weights 640.5",
    "score words.csv l.csv --header predictions",
    "score words.csv l.csv",
    "score series.csv l.csv --header predictions",
    "score huge.csv l.csv --header predictions",
    "score p.csv l.csv --header predictions --kind logits",
    "explain p.csv l.csv --header predictions --row 3",
    "explain p.csv l.csv --header predictions --row 3 --format json",
    "explain p.csv l.csv --header predictions",
    "explain all.csv --header predictions --label truth --preds '#1:#3'",
    "check p.csv l.csv --header predictions --max cost=0.01",
]

TEXTS = re.compile(
    r"(?<![\d.])(?:(?:417|518|619|720|721|830|999|640|70[012]|1[0-9]{3})\.\d+|1\.5e999|0\.375)(?![\d.])|'[01]\.0'"
)
"""The texts with points that are written with commas in the other files, which no figure is: figures have no quotes."""


def in_commas(text: str) -> str:
    return TEXTS.sub(lambda match: match[0].replace(".", ","), text)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    points, commas = (tmp_path_factory.mktemp(name) for name in ("points", "commas"))
    for name, frame in files().items():
        text = frame.to_csv(index=False, sep=";")
        (points / name).write_text(text)
        (commas / name).write_text(text.replace(".", ","))
    return points, commas


def shown(args: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, Any, str]:
    monkeypatch.chdir(folder)
    done = invoke(args)
    if "json" not in args or done.code:
        # A field of CSV with a comma has quotes; a command that is advised has the options given.
        return done.code, done.out.replace('"', "").replace(" --decimal ,", ""), done.err
    told = json.loads(done.out)
    return done.code, {name: value for name, value in told.items() if name != "options"}, done.err


@pytest.mark.parametrize("line", LINES)
def test_a_file_with_commas_is_shown_as_the_same_with_points_is(
    line: str, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = shlex.split(line)
    code, out, err = shown(words, folders[0], monkeypatch)
    out = json.loads(in_commas(json.dumps(out))) if isinstance(out, dict) else in_commas(out)
    commas = [*map(in_commas, words), "--decimal", ","]
    assert shown(commas, folders[1], monkeypatch) == (code, out, in_commas(err))


def test_the_lines_name_texts_of_every_file(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the law above is about texts: most outputs have one."""
    with_texts = [line for line in LINES if TEXTS.search(str(shown(shlex.split(line), folders[0], monkeypatch)[1:]))]
    assert len(with_texts) > 0.7 * len(LINES)


@pytest.mark.parametrize(
    "options",
    [
        {"preds": "417.25,518.5,619.75"},
        {"preds": "417.25:619.75", "class_weight": {"518.5": 2.0}},
        {"ignore_label": "518.5"},
        {"classes": ["417.25", "518.5", "619.75"]},
        {"classes": "@names.txt"},
    ],
)
def test_options_may_name_with_points_what_the_file_has_with_commas(
    options: dict[str, Any], folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list of names with commas could not be cut."""
    reports = []
    for folder, decimal in zip(folders, (".", ","), strict=True):
        monkeypatch.chdir(folder)
        Path("names.txt").write_text("\n".join(NAMES) + "\n", encoding="utf-8")
        reports.append(score("p.csv", "l.csv", header="predictions", decimal=decimal, **options))
    assert reports[0].cost == reports[1].cost
    assert reports[0].labels.counts == reports[1].labels.counts
    assert not reports[1].warnings


def test_names_of_classes_are_those_of_the_columns_in_any_order_however_they_are_written(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folders[1])
    plain = score("p.csv", "l.csv", header="predictions", decimal=",")
    for names in (NAMES[::-1], [in_commas(name) for name in NAMES[::-1]]):
        report = score("p.csv", "l.csv", header="predictions", decimal=",", classes=names)
        assert report.cost == plain.cost
        assert set(report.classes) <= {*NAMES, *map(in_commas, NAMES)}


@pytest.mark.parametrize("line", ["all.csv", "group.csv --label truth --by '#5' --kind logits"])
def test_a_list_of_columns_that_is_advised_can_be_given(
    line: str, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folders[1])
    words = ["score", *shlex.split(line), "--decimal", ",", "--header", "predictions"]
    refused = invoke(words)
    assert refused.code == 3
    advice = [text.partition(": ")[2] or text for text in refused.err.splitlines()[1:] if "--preds" in text]
    assert advice
    for text in advice:
        assert invoke([*words, *shlex.split(text)]).code == 0


@pytest.mark.parametrize("labels", ["an array", "a data frame", "columns"])
def test_labels_of_another_format_are_matched_to_names_with_commas(
    labels: str, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folders[1])
    truth = pd.read_csv(folders[0] / "l.csv").truth
    onehot = pd.read_csv(folders[0] / "onehot.csv", sep=";")
    given = {"an array": truth.to_numpy(), "a data frame": truth.to_frame(), "columns": onehot[list(NAMES[::-1])]}[
        labels
    ]
    report = score("p.csv", given, header="predictions", decimal=",")
    want = score(folders[0] / "p.csv", folders[0] / "l.csv", header="predictions")
    assert report.cost == want.cost
    assert report.classes == tuple(in_commas(name) for name in NAMES)


def test_a_header_may_have_one_number_with_a_comma_and_with_a_point(write: Write) -> None:
    path = write("p.csv", "1,5;1.5\n0,7;0,3\n0,2;0,8\n")
    report = score(path, write("l.csv", "y\n1,5\n1,5\n"), header="both", decimal=",")
    assert report.classes == ("1,5", "1.5")
    assert report.labels.counts == (2, 0)


@pytest.mark.parametrize("decimal", [".", ","])
@given(st.decimals(0, 100, allow_nan=False, places=5))
def test_a_percentage_is_the_double_nearest_to_its_hundredth(decimal: str, value: Decimal) -> None:
    text = str(value).replace(".", decimal) + "%"
    assert number(hundredths(text, decimal)) == float(Fraction(value) / 100)
