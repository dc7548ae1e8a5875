"""Row counts that differ: whatever is wrong with a file, advice followed to the letter never leads to a wrong number."""

from __future__ import annotations

import functools
import itertools
import json
import math
import os
import re
import shlex
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Call, Write, posix_only
from tests.laws import LONG, some_of
from xentcli import score
from xentcli.errors import DataError

Q = (0.25, 0.8125, 0.125, 0.625)
Y = (0, 1, 0, 1)
COST = -sum(math.log(q if y else 1 - q) for q, y in zip(Q, Y, strict=True)) / len(Q)

PREDICTIONS = {
    "names": ["a,b", *(f"{1 - q},{q}" for q in Q)],
    "0,1": ["0,1", *(f"{1 - q},{q}" for q in Q)],
    "bare": [f"{1 - q},{q}" for q in Q],
    "one": ["p", *map(str, Q)],
    "one, called 1": ["1", *map(str, Q)],
    "one, bare": [*map(str, Q)],
}
LABELS = {
    "header": ["label", *map(str, Y)],
    "0": ["0", *map(str, Y)],
    "1": ["1", *map(str, Y)],
    "bare": [*map(str, Y)],
    "names": ["label", *("ab"[y] for y in Y)],
    "names, bare": ["ab"[y] for y in Y],
}


def headed(lines: list[str]) -> bool:
    return len(lines) > len(Q)


def damaged(lines: list[str]) -> Iterator[tuple[str, list[str], bool]]:
    """What may be wrong with a file, its lines then, and whether all rows are still there, and no others."""
    pad = "," * lines[-1].count(",")
    yield "nothing", lines, True
    yield "a title", ["My run", *lines], True
    yield "a title in a spreadsheet", [f"My run{pad}", *lines], True
    yield "two titles", ["My run", "of today", *lines], True
    yield "a blank line after the first", [lines[0], "", *lines[1:]], True
    yield "a blank line before the last", [*lines[:-1], "", lines[-1]], True
    yield "blank lines all over", [line for row in lines for line in (row, "")][:-1], True
    yield "a footer", [*lines, f"mean{pad}"], True
    yield "a footer below a blank line", [*lines, "", "(4 rows)"], True
    yield "a footer of numbers", [*lines, lines[-1]], False
    yield "a row too few", lines[:-1], False
    yield "the first row too few", [*lines[: headed(lines)], *lines[headed(lines) + 1 :]], False


@dataclass(frozen=True)
class Case:
    """Two files, one of them damaged, and --preds by number or not at all."""

    predictions: str
    labels: str
    side: str
    damage: str
    lines: tuple[str, ...]
    whole: bool
    by_number: bool

    def options(self) -> dict[str, Any]:
        wide = "," in PREDICTIONS[self.predictions][0]
        found: dict[str, Any] = {"preds": "#1:#2" if wide else "#1"} if self.by_number else {}
        if "names" in self.labels:
            found |= {"classes": "a,b"} if wide else {"positive": "b"}
        return found

    @property
    def numbered(self) -> tuple[bool, bool]:
        """Whether the headers of the predictions and of the labels are numbers, on which the counts alone decide."""
        return self.predictions in ("0,1", "one, called 1"), self.labels in ("0", "1")

    @property
    def is_open(self) -> bool:
        """Whether a second oddity beside a header of numbers makes the counts agree wrongly, as nothing can show."""
        return (self.numbered[1] and not self.whole) or (all(self.numbered) and "title" in self.damage)

    def headed(self, side: str) -> bool:
        return headed(PREDICTIONS[self.predictions] if side == "predictions" else LABELS[self.labels])


def cases() -> Iterator[Case]:
    for (p, rows), (y, other_rows) in itertools.product(PREDICTIONS.items(), LABELS.items()):
        for side, lines in (("predictions", rows), ("labels", other_rows)):
            for (what, changed, whole), by_number in itertools.product(damaged(lines), (False, True)):
                case = Case(p, y, side, what, tuple(changed), whole, by_number)
                if not case.is_open:
                    yield case


STEPS = 4
SAID = re.compile(r"--(no-)?header (predictions|labels|both)")


def said(text: str) -> dict[str, bool]:
    """What options say of the first lines."""
    sides = ("predictions", "labels")
    return {s: not no for no, which in SAID.findall(text) for s in (sides if which == "both" else (which,))}


def as_options(headers: dict[str, bool]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for option, value in (("header", True), ("no_header", False)):
        sides = [side for side, header in headers.items() if header is value]
        found |= {option: "both" if len(sides) > 1 else sides[0]} if sides else {}
    return found


@functools.cache
def scored(contents: tuple[tuple[str, str], ...], options: str) -> tuple[str, float] | tuple[str, Sequence[str]]:
    """What the files of these paths and contents lead to: how they were scored and the cost, or message and advice.

    A file that is cleaned is as another one was before.
    """
    (predictions, _), (labels, _) = contents
    try:
        report = score(predictions, labels, **json.loads(options))
    except DataError as error:
        return str(error), error.advice
    guessed = any(warning.code == "header-guessed" for warning in report.warnings)
    return "guessed" if guessed else "scored", float(report.cost)


def outcomes(
    case: Case, paths: dict[str, str], headers: dict[str, bool], steps: int = 4
) -> Iterator[tuple[str, float]]:
    """Follow every line of advice to the letter; yield what each way leads to: a number, or NaN for a refusal.

    A --header or --no-header that leads to a refusal without advice is a dead end.
    """
    contents = tuple((paths[side], Path(paths[side]).read_text(encoding="utf-8")) for side in ("predictions", "labels"))
    message, found = scored(contents, json.dumps({**case.options(), **as_options(headers)}))
    if isinstance(found, float):
        yield message, found
        return
    ways = 0
    for line in found if steps else ():
        for side, path in paths.items():
            if f"< {path} > " in line:
                subprocess.run(line, shell=True, check=True)
                clean = line.split(" > ")[1].split()[0]
                ways += 1
                yield from outcomes(case, {**paths, side: clean}, headers, steps - 1)
                os.unlink(clean)
        new = said(line.partition(" in place of ")[0])
        if " or " in line:
            # Nothing in the files shows which is right: take the true one as given by the user.
            new = {side: case.headed(side) for side in new}
        if new:
            ways += 1
            yield from outcomes(case, paths, {**headers, **new}, steps - 1)
    if not ways:
        yield (f"a dead end, {message}" if headers else "refused"), math.nan


def put(case: Case) -> dict[str, str]:
    """Write the files of a case; return the path of each."""
    files = {"predictions": PREDICTIONS[case.predictions], "labels": LABELS[case.labels], case.side: case.lines}
    for side, lines in files.items():
        Path(f"{side}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {side: f"{side}.csv" for side in files}


def test_files_that_each_have_all_rows_are_sent_to_compare(tmp_path: Path, call: Call) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"sub-{name}.csv").write_text("x,y\n.5,.5\n.4,.6\n")
    (tmp_path / "labels.csv").write_text("truth\nx\ny\n")
    done = call("score", str(tmp_path / "sub-*.csv"), str(tmp_path / "labels.csv"))
    assert done.code == 3
    line = next(line for line in done.err.splitlines() if "xent compare" in line)
    again = call(*shlex.split(line.partition("? xent ")[2]))
    assert (again.code, "2 rows in all 3" in again.out) == (0, True)


def test_files_that_each_have_all_ids_are_sent_to_compare(tmp_path: Path, call: Call) -> None:
    for name in "abc":
        (tmp_path / f"m-{name}.csv").write_text("id,cat,dog\n1,0.6,0.4\n2,0.3,0.7\n3,0.8,0.2\n")
    (tmp_path / "l.csv").write_text("id,t\n1,cat\n2,dog\n3,cat\n")
    done = call("score", "m-*.csv", "l.csv", "--label", "t", "--id", "id")
    command = "xent compare --models 'm-*.csv' --labels l.csv --id id --label t"
    assert "id '1' appears twice" in done.err and command in done.err
    assert call(*shlex.split(command)[1:]).code == 0
    (tmp_path / "m-c.csv").write_text("id,cat,dog\n1,0.6,0.4\n")
    assert "compare" not in call("score", "m-*.csv", "l.csv", "--label", "t", "--id", "id").err


@posix_only
def test_advice_followed_to_the_letter_never_leads_to_a_wrong_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong, counts = [], Counter[str]()
    for case in some_of([*cases()]):
        for how, cost in outcomes(case, put(case), {}):
            right = case.whole and math.isclose(cost, COST, rel_tol=1e-12)
            counts["refused" if math.isnan(cost) else "guessed" if how == "guessed" else "right"] += 1
            if not (right or math.isnan(cost) or how == "guessed"):
                wrong.append(f"{case}: {how} {cost}")
            if case.whole and "dead end" in how and not any(case.numbered):
                wrong.append(f"{case}: {how}")
            if case.damage == "nothing" and not right and case.labels != "1":
                wrong.append(f"{case}: {how} {cost}")
    assert not wrong, "\n".join([f"{len(wrong)} wrong, {counts}", *wrong[:60]])
    assert counts["right"] > (400 if LONG else 130) and counts["refused"] > (100 if LONG else 30), counts


def test_where_both_first_lines_are_plain_no_option_for_headers_is_advised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A title, a blank line, a footer or a row too many makes no header of data, and no data of a header."""
    monkeypatch.chdir(tmp_path)
    refused, wrong = 0, []
    for case in cases():
        if any(case.numbered) or "bare" in case.labels or case.damage == "nothing":
            continue
        paths = put(case)
        try:
            score(paths["predictions"], paths["labels"], **case.options())
        except DataError as error:
            refused += 1
            wrong += [f"{case}: {error}"] if SAID.search("\n".join(error.advice)) else []
    assert not wrong, "\n".join([f"{len(wrong)} wrong", *wrong[:40]])
    assert refused > 100


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ({"header": "labels"}, "--no-header labels in place of --header labels"),
        ({"header": "both"}, "--header predictions --no-header labels in place of --header both"),
    ],
)
def test_the_options_advised_go_with_those_given(options: dict[str, Any], advice: str, write: Write) -> None:
    preds, labels = write("p.csv", "a,b\n.5,.5\n.25,.75\n"), write("l.csv", "1\n0\n")
    with pytest.raises(DataError) as caught:
        score(preds, labels, **options)
    assert caught.value.advice == (f"is the first line of {labels}, '1', data? {advice}",)
    assert score(preds, labels, **as_options(said(advice.partition(" in place of ")[0]))).examples.read == 2


@pytest.mark.parametrize("first", ["0,1", "1"])
def test_a_first_line_taken_as_data_that_looks_like_a_header_is_a_warning(first: str, write: Write) -> None:
    rows = ".5,.5\n.25,.75\n" if "," in first else ".5\n.25\n"
    preds = write("p.csv", f"{first}\n{rows}")
    for decimals in (rows, rows.replace(".5", "1").replace(".25,.75", "1,0").replace("1,1", "1,0").replace(".25", "0")):
        write("p.csv", f"{first}\n{decimals}")
        report = score(preds, [1, 0, 0])
        found = [warning for warning in report.warnings if warning.code == "header-guessed"]
        assert len(found) == (decimals == rows), decimals
        for warning in found:
            assert f"{preds}: the first line '{first}' was taken as data but could be a header" in warning.message
            assert "--no-header predictions confirms it" in warning.advice
        sure = score(preds, [1, 0, 0], no_header="predictions")
        assert sure.cost == report.cost
        assert "header-guessed" not in [warning.code for warning in sure.warnings]


def test_a_row_of_a_further_file_too_few_is_no_matter_of_labels(write: Write) -> None:
    weights = write("w.csv", "w\n1\n")
    with pytest.raises(DataError) as caught:
        score(write("p.csv", "a,b\n.5,.5\n.25,.75\n"), write("l.csv", "y\na\nb\n"), weights=f"@{weights}")
    assert f"{weights} has 1" in str(caught.value) and "header labels" not in str(caught.value)
