"""The commands that the page of an explanation shows: each computes its figure again, whatever options were given."""

from __future__ import annotations

import csv
import json
import math
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser

import xentcli
from tests.conftest import Call, Write, posix_only, started
from tests.pairs.table import INPUTS, ROWS, make
from tests.pairs.test_pairs import options_of
from xentcli.analysis.explain import explain_values
from xentcli.report.explanation import Explanation
from xentcli.settings import OPTIONS, Settings
from xentcli.writers import content
from xentcli.writers.web.explanation import Lesson

Run = Callable[[str, Path], str]
REFUSED = {
    "multilabel": "one problem",
    "bytes": "--bytes",
    "label_smoothing": "label smoothing",
    "class_weight": "class weights",
    "by": "--by",
    "max_groups": "--max-groups",
}
"""Options without a page of one row, and what the refusal says."""
OF_A_ROW = {
    "subset": ("few", "--subset --row 2"),
    "delimiter": ("full", "--delimiter ,"),
    "header": ("full", "--header"),
    "no_header": ("bare", "--no-header --index-base 0"),
    "ignore_label": ("full", "--ignore-label fox"),
    "max_groups": ("full", "--max-groups 5"),
    "max_columns": ("full", "--max-columns 50"),
    "max_field": ("full", "--max-field 500"),
    "max_inflated": ("packed", "--max-inflated 100000"),
    "max_batch": ("arrow", "--max-batch 100000"),
    "row": ("full", "--row 7"),
}
"""Inputs and words of options whose row in the table of pairs leaves no row to explain."""
LITERALS = {
    "probs": "--label 1",
    "logits": "--logits=-0.5,2,1e-7 --label 1",
    "logprobs": "--logprobs=-0.105360516,-2.302585093 --label 0",
    "target": "--target 0.2,0.3,0.5",
    "label": "--label 2",
    "kind": "--label 1 --kind probs",
    "classes": "--label 'a b' --classes 'cat,$x,a b'",
    "positive": "--probs 0.3 --label spam --positive spam",
    "index_base": "--label 1 --index-base 1",
    "votes": "--target 2,3,5 --votes",
    "clip": "--label 1 --clip 0.3",
    "compat": "--label 1 --probs 0,0,1 --compat sklearn",
    "sum_tolerance": "--label 1 --probs 0.2,0.5,0.35 --sum-tolerance 0.1",
    "renormalize": "--label 1 --probs 2,5,3 --renormalize",
    "scale": "--label 1 --probs 20,50,30 --scale 0.01",
    "temperature": "--label 1 --temperature 2",
    "base": "--label 1 --base 2",
}
"""Words of each option for numbers in place of files; those without --probs, --logits or --logprobs get some."""


def of_page(page: str) -> dict[str, str]:
    """The commands of a page by the figure that they compute."""
    parts = page.split('<code class="command" data-command="')[1:]
    found = (part.partition('"')[::2] for part in parts)
    return {name: unescape(rest.partition(">")[2].partition("</code>")[0]) for name, rest in found}


def fault_of(call: Call, folder: Path, words: list[str], name: str) -> str:
    """What is wrong with the command on the page of an option; empty where it gives the same explanation."""
    first = call("explain", *words, "--format", "json", "-o", "page.html")
    if first.code != 0:
        return first.err if name not in REFUSED or REFUSED[name] not in first.err else ""
    shown = of_page((folder / "page.html").read_text())["command"]
    again = call(*shlex.split(shown)[1:], "--format", "json")
    spelled = any(word.partition("=")[0] in options_of("explain")[name].opts for word in shlex.split(shown))
    return "" if again == first and spelled else f"{shown}: {again}"


def test_the_command_of_a_row_of_a_file_has_every_option_that_was_given(call: Call, tmp_path: Path) -> None:
    make(tmp_path)
    faults = []
    sections = {name: getattr(option, "section", "") for name, option in options_of("explain").items()}
    names = [name for name in sections if name in ROWS and sections[name] not in ("Output", "Example")]
    for name in [*names, "row"]:
        input, words = OF_A_ROW.get(name, (ROWS[name].input, ROWS[name].words))
        preds, labels, more = INPUTS[input]
        row = "" if "--row" in words else "--row 3"
        line = shlex.split(f"{preds} {f'--labels {labels}' * bool(labels)} {more} {words} {row}")
        fault = fault_of(call, tmp_path, line, name)
        faults += [f"{name}: {fault}"] if fault else []
    assert not faults, "\n".join(faults)


def test_the_command_of_numbers_has_every_option_that_was_given(call: Call, tmp_path: Path) -> None:
    faults = []
    of_values = {name for name, row in OPTIONS.items() if "files" not in row.needs and "explain" in row.commands}
    # These are about a file, which their own words say.
    refused = set(REFUSED) | {"shift_labels", "subset"}
    assert of_values - set(LITERALS) - refused == set(), "an option without words"
    for name, given in LITERALS.items():
        words = shlex.split(given)
        own = any(word.partition("=")[0] in ("--probs", "--logits", "--logprobs") for word in words)
        fault = fault_of(call, tmp_path, words if own else ["--probs", "0.2,0.5,0.3", *words], name)
        faults += [f"{name}: {fault}"] if fault else []
    assert not faults, "\n".join(faults)


@posix_only
def test_a_file_whose_name_needs_quotes_or_begins_with_a_dash_and_standard_input(
    call: Call, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "cat,dog,y\n0.7,0.3,dog\n0.2,0.8,dog\n"
    write("it's $HOME.csv", text)
    write("-p.csv", text)
    assert fault_of(call, tmp_path, ["it's $HOME.csv", "--label", "y", "--row", "2"], "row") == ""
    assert call("explain", "--label", "y", "--row", "2", "-o", "page.html", "--", "-p.csv").code == 0
    assert of_page((tmp_path / "page.html").read_text())["command"] == "xent explain ./-p.csv --row 2 --label y"
    with (tmp_path / "-p.csv").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert call("explain", "-", "--label", "y", "--row", "2", "-o", "page.html").code == 0
    shown = of_page((tmp_path / "page.html").read_text())["command"]
    assert shown == "... | xent explain - --row 2 --label y"
    assert in_shell(shown.replace("... ", "cat ./-p.csv "), tmp_path).startswith("Row 2 of standard input")


def in_shell(line: str, folder: Path) -> str:
    """What a line prints in a shell."""
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(["sh", "-c", line], check=True, capture_output=True, text=True, cwd=folder, env=env).stdout


def forked(line: str, folder: Path) -> str:
    """The same, sooner, of the lines of a page."""
    before, pipe, command = line.rpartition(" | ")
    words = shlex.split(command)
    if words[0] != "xent":
        return in_shell(line, folder)
    printed = "".join(f"{word}\n" for word in shlex.split(before)[2:]).encode() if pipe else None
    ended = started(words[1:], folder, dict(os.environ), printed)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.decode()


def checked(found: dict[str, str], example: Explanation, folder: Path, run: Run = forked) -> None:
    """Run every command of a page, and compare the figures with those of the example."""
    assert json.loads(run(f"{found['command']} --format json", folder))["loss"] == pytest.approx(
        example.loss, rel=1e-13
    )
    rows = list(csv.DictReader(run(found["bars"], folder).splitlines()))
    assert [float(row["q"]) for row in rows] == pytest.approx([term.q for term in example.terms], rel=1e-13)
    losses = [example.loss, -math.log(0.9), -math.log(0.5)]
    mean = float(run(found["average"], folder))
    unit = example.loss / (example.loss_in_unit or 1)
    assert mean == pytest.approx(math.fsum(losses) / 3 / unit, rel=1e-13)
    assert float(run(found["perplexity"], folder)) == pytest.approx(example.perplexity, rel=1e-12)
    assert float(run(found["uniform"], folder)) == pytest.approx(example.uniform / unit, rel=1e-15)
    assert float(run(found["halving"], folder)) == pytest.approx(math.log(2) / unit, rel=1e-15)
    others = [list(map(float, line.split())) for line in run(found["others"], folder).splitlines()]
    assert others == [[q, pytest.approx(-math.log(q) / unit)] for q in (0.9, 0.5)]
    if example.target_entropy is not None:
        own = json.loads(run(f"{found['entropy']} --format json", folder))
        assert own["loss"] == pytest.approx(example.target_entropy, rel=1e-12)
    if example.truth_index is not None:
        point, *further = (map(float, line.split()) for line in run(found["curve"], folder).splitlines())
        term = example.terms[example.truth_index]
        assert list(point) == pytest.approx([term.q if term.clipped is None else term.clipped, example.loss_in_unit])
        assert [list(pair) for pair in further] == [[q, pytest.approx(-math.log(q) / unit)] for q in (0.5, 0.25, 0.125)]
        other = json.loads(run(f"{found['split']} --format json", folder))
        assert other["loss"] == pytest.approx(example.loss, rel=1e-13)
        assert [t["q"] for t in other["terms"]] != [term.q for term in example.terms]


@posix_only
@pytest.mark.parametrize(
    ("values", "truth", "settings"),
    [
        ((0.1, 0.5, 0.1, 0.1, 0.2), "0", Settings()),
        ((2.0, -1.0, 0.5), "2", Settings(kind="logits", base="2")),
        ((-1.0, -2.0, math.log(1 - math.exp(-1) - math.exp(-2))), "2", Settings(kind="logprobs", temperature=2.0)),
        ((0.7, 0.2, 0.1), (0.8, 0.1, 0.1), Settings(base="10")),
        ((0.7, 0.25, 0.1), "2", Settings(clip=0.15, sum_tolerance=0.1)),
    ],
)
def test_each_figure_has_a_command_that_computes_it(
    values: Any, truth: Any, settings: Settings, tmp_path: Path
) -> None:
    label, target = (truth, None) if isinstance(truth, str) else (None, truth)
    example = explain_values(values, label=label, target=target, settings=settings)
    checked(of_page(content(example, "html").decode()), example, tmp_path)


@posix_only
def test_the_commands_follow_the_numbers_that_are_changed(browser: Browser, tmp_path: Path) -> None:
    settings = Settings(clip=0.15, base="2")
    example = explain_values((0.7, 0.2, 0.1), label="2", target=None, settings=settings)
    (tmp_path / "page.html").write_bytes(content(example, "html"))
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())

    def follow(box: str, text: str, values: tuple[float, ...], kind: str, **truth: Any) -> None:
        page.locator(box).fill(text)
        page.locator(box).press("Tab")
        found = page.evaluate(
            "Object.fromEntries([...document.querySelectorAll('[data-command]')].map((c) => [c.dataset.command, c.textContent]))"
        )
        checked(found, explain_values(values, settings=Settings(clip=0.15, base="2", kind=kind), **truth), tmp_path)

    follow('[data-input="logits"]', "-0.5,2,1e-7", (-0.5, 2, 1e-7), "logits", label="2", target=None)
    follow('[data-input="probabilities"]', "0.05,0.9,0.05", (0.05, 0.9, 0.05), "probs", label="2", target=None)
    follow('[data-input="targets"]', "0.5,0,0.5", (0.05, 0.9, 0.05), "probs", label=None, target=(0.5, 0, 0.5))
    page.close()


@posix_only
def test_each_figure_of_a_row_of_a_file_has_a_command_that_computes_it(
    call: Call, write: Write, tmp_path: Path
) -> None:
    write("p q.csv", "cat,dog,emu,y\n0.7,0.2,0.1,dog\n0.1,0.2,0.7,emu\n")
    preds = np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])
    words = ("p q.csv", "--label", "y", "--preds", "emu,cat,dog", "--row", "1", "--base", "2")
    assert call("explain", *words, "-o", "page.html").code == 0
    example = xentcli.explain(preds[:, [2, 0, 1]], ["dog", "emu"], classes=["emu", "cat", "dog"], row=1, base="2")
    checked(of_page((tmp_path / "page.html").read_text()), example, tmp_path, in_shell)


def test_a_number_that_no_option_takes_has_no_command_unless_one_was_given(
    call: Call, write: Write, tmp_path: Path
) -> None:
    write("t.csv", "p\n0.2\n0.5\n")
    assert call("explain", "t.csv", "--kind", "true-probs", "--row", "2", "-o", "page.html").code == 0
    assert of_page((tmp_path / "page.html").read_text())["command"] == "xent explain t.csv --row 2 --kind true-probs"
    assert Lesson(xentcli.explain([0.2, 0.5], kind="true-probs", row=2)).commands["command"] == ""
