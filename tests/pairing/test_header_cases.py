"""Headers of all kinds of first lines beside each other, held against an oracle written from the rule alone."""

from __future__ import annotations

import functools
import io
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from tests.laws import LONG, some_of
from xentcli.errors import DataError
from xentcli.pairing.headers import with_headers
from xentcli.readers import open_source
from xentcli.settings import Settings

PREDICTIONS = (
    "a,b,c", "id,x,y", "0,1,2", "1,2,3", "2,1,0", "1,0,0", ".2,.3,.5", "i0,1,0", "i0,0,1", "i0,1,2", "i0,2,4", "i0,.5,.5",
    ",0,1", ",1,0", "0,1", "1,2", "1,0", ".5,.5", "i0,0", "i0,1", "a,b", "0", "1", ".5", "p",
)  # fmt: skip
LABELS = (
    "truth", "a", "c", "0", "1", "2", "0.0", "id,truth", "i0,a", "i0,0", "i0,1", "0,1,2", "1,2,3", "1,0,0", "0,1", "1,0",
    "a,b,c", "0,0,0", ".2,.3,.5",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """Two first lines, how many rows follow each, and the options."""

    predictions: str
    labels: str | None
    rows: tuple[int, int]
    kind: str
    numbered: bool
    counted: bool

    def __str__(self) -> str:
        return f"{self.predictions} | {self.labels} | {self.rows} {self.kind} {self.numbered} {self.counted}"

    def settings(self) -> Settings:
        options: dict[str, str] = {"kind": self.kind}
        if self.numbered and len(self.predictions.split(",")) > 1:
            options["preds"] = "#2:#3" if self.predictions.count(",") == 2 else "#2"
        if self.numbered and self.labels and "," in self.labels:
            options["label"] = "#2" if self.labels.count(",") == 1 else "#1:#3"
        if not self.counted:
            options["id"] = "#1"
        return Settings(**options)  # type: ignore[arg-type]


@functools.cache
def cases() -> list[Case]:
    return some_of([*all_cases()])


def all_cases() -> Iterator[Case]:
    for labels, predictions, kind, numbered, counted in itertools.product(
        (None, *LABELS), PREDICTIONS, ("probs", "logits", "losses"), (False, True), (True, False)
    ):
        ids = all("," in line for line in (predictions, labels or predictions))
        if (labels is None) != (kind == "losses") or not (counted or ids):
            continue
        for more in (0, 1, -1) if counted and labels else (0,):
            yield Case(predictions, labels, (3, 3 + more), kind, numbered, counted)


# The oracle.


def number(text: str) -> Fraction | None:
    try:
        return Fraction(text)
    except ValueError:
        return None


def series(numbers: list[str]) -> bool:
    """0..K-1, or 1..K."""
    return any(numbers == [str(i) for i in range(first, first + len(numbers))] for first in (0, 1))


def is_row(values: list[Fraction | None], kind: str) -> bool:
    if None in values or not values:
        return False
    found = [value for value in values if value is not None]
    if kind == "logits":
        return True
    if kind == "losses":
        return min(found) >= 0
    whole = len(found) == 1 or abs(sum(found, Fraction(-1))) <= Fraction(1, 1000)
    return whole and all(0 <= value <= 1 for value in found)


def could_be_predictions(case: Case) -> bool:
    fields = case.predictions.split(",")
    roles = fields if case.counted else fields[1:]
    if case.numbered and len(fields) > 1:
        return is_row([number(text) for text in fields[1:]], case.kind)
    return is_row([number(text) for text in roles if number(text) is not None], case.kind)


def could_be_labels(case: Case) -> bool:
    assert case.labels is not None
    fields = case.labels.split(",")
    if (len(fields) == 2) if case.numbered else not case.counted:
        fields = fields[1:]
    if len(fields) == 1:
        names = case.predictions.split(",")
        return number(fields[0]) is not None or (len(names) > 1 and fields[0] in names and number(names[-1]) is None)
    return is_row([number(text) for text in fields], "probs")


def numbers_of(line: str) -> list[str]:
    return [text for text in line.split(",") if number(text) is not None]


def look(line: str, could: bool) -> str:
    """What a first line alone says: header, data, either or refused."""
    fields, numbers = line.split(","), numbers_of(line)
    if len(numbers) == len(fields):
        return "either" if series(numbers) else "data"
    if not numbers:
        return "either" if could else "header"
    if not series(numbers):
        return "refused"
    return "header" if fields[0] == "" or not could else "either"


def oracle(case: Case) -> dict[str, bool] | None:
    """Whether each side has a header; None where that is refused."""
    could = {"predictions": could_be_predictions(case)}
    looks = {"predictions": look(case.predictions, could["predictions"])}
    if case.labels is not None:
        could["labels"] = could_be_labels(case)
        looks["labels"] = look(case.labels, could["labels"])
        if case.labels == "1" and (looks["predictions"] == "data" or not numbers_of(case.predictions)):
            # A label, unless the columns of the predictions may be numbered: if it is one too many the counts tell.
            looks["labels"] = "data"
    numbers = numbers_of(case.predictions)
    if case.kind == "probs" and case.counted and not case.numbered and len(numbers) == 3 and series(sorted(numbers)):
        # Three classes in any order are no probabilities, so that they can only be names.
        looks["predictions"] = "either"
    if "refused" in looks.values():
        return None
    options = [(True,) if saw == "header" else (False,) if saw == "data" else (True, False) for saw in looks.values()]
    readings = [dict(zip(looks, reading, strict=True)) for reading in itertools.product(*options)]
    if len(readings) == 1:
        return readings[0]
    if case.labels is not None and case.counted:
        rows = dict(zip(looks, case.rows, strict=True))
        left = [r for r in readings if len({rows[name] + (not header) for name, header in r.items()}) == 1]
        if not left:
            return {name: saw == "header" for name, saw in looks.items()}
    else:
        left = readings
    if len(left) > 1:
        left = [r for r in left if all(header or could[name] for name, header in r.items() if looks[name] == "either")]
    if len(left) > 1 and not (case.labels is not None and case.counted) and looks["predictions"] == "either":
        # Text that no option keeps out of the predictions cannot be read as data.
        fields = case.predictions.split(",")
        if any(number(text) is None for text in (fields if case.counted else fields[1:])) and not case.numbered:
            left = [r for r in left if r["predictions"]]
    return left[0] if len(left) == 1 else None


class Files:
    """Small files by their first line and number of rows."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._paths = folder, dict[tuple[str, str, int], str]()
        self._decided: dict[Case, tuple[dict[str, bool], set[str]] | None] = {}

    def decided(self, case: Case) -> tuple[dict[str, bool], set[str]] | None:
        """What is decided of a case, once for all tests."""
        if case not in self._decided:
            self._decided[case] = decided(case, self)
        return self._decided[case]

    def path(self, side: str, line: str, rows: int) -> str:
        key = side, line, rows
        if key not in self._paths:
            path = self._folder / f"{len(self._paths)}.csv"
            path.write_text("\n".join([line, *[",".join(["9"] * (line.count(",") + 1))] * rows]) + "\n")
            self._paths[key] = str(path)
        return self._paths[key]


def decided(case: Case, files: Files) -> tuple[dict[str, bool], set[str]] | None:
    """What is taken as a header, and the sides that are warned of; None where it is refused."""
    lines = {"predictions": case.predictions} | ({"labels": case.labels} if case.labels is not None else {})
    opened = {
        name: open_source(files.path(name, line, rows), name=name)
        for (name, line), rows in zip(lines.items(), case.rows, strict=False)
    }
    try:
        first, second, warnings = with_headers(opened["predictions"], opened.get("labels"), case.settings(), ())
    except DataError as error:
        message = str(error)
        assert "--header" in message and "--no-header" in message and "line 1" in message
        return None
    taken = {"predictions": bool(first.header)} | ({"labels": bool(second.header)} if second is not None else {})
    assert {warning.code for warning in warnings} <= {"header-guessed"}
    warned = {name for name, source in opened.items() for w in warnings if w.message.startswith(f"{source.path}: ")}
    assert len(warned) == len(warnings)
    return taken, warned


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("headers"))


def test_every_combination_of_first_lines_is_taken_as_the_rule_says(files: Files) -> None:
    wrong, counts = [], dict.fromkeys(("taken", "refused", "warned"), 0)
    for case in cases():
        expected, found = oracle(case), files.decided(case)
        if expected != (found and found[0]):
            wrong.append(f"{case}: {found} for {expected}")
            continue
        counts["refused" if found is None else "warned" if found[1] else "taken"] += 1
        for name, header in expected.items() if expected else ():
            could = could_be_predictions(case) if name == "predictions" else could_be_labels(case)
            doubtful = header and could and look(line_of(case, name), could) == "either"
            if doubtful != (name in found[1] if found else False):
                wrong.append(f"{case}: warnings for {found} of {name}")
    assert not wrong, "\n".join([f"{len(wrong)} wrong", *wrong[:40]])
    assert sum(counts.values()) >= (5000 if LONG else 1600) and min(counts.values()) >= (300 if LONG else 80), counts


def test_no_row_is_lost_in_silence(files: Files) -> None:
    """Whatever the first lines truly are, they are taken so, or refused, or a header is warned of."""
    wrong = []
    for case in cases():
        for truth in itertools.product((True, False), repeat=1 if case.labels is None else 2):
            sides = zip(("predictions", "labels"), truth, strict=False)
            if not all(possible(name, header, case) for name, header in sides):
                continue
            if len(truth) == 2 and unequal(case, dict(zip(("predictions", "labels"), truth, strict=True))):
                continue
            found = files.decided(case)
            if found is None:
                continue
            if case.labels == "1" and truth[1] and not found[0]["labels"]:
                # Taken as a label it is one too many, which is refused.
                assert not case.counted or unequal(case, found[0])
                continue
            for (name, header), true in zip(found[0].items(), truth, strict=True):
                if header and not true and name not in found[1]:
                    wrong.append(f"{case}: {name} {line_of(case, name)} lost")
                if case.counted and case.labels is not None and header != true:
                    wrong.append(f"{case}: {name} {line_of(case, name)} taken wrongly though the counts tell")
    assert not wrong, "\n".join([f"{len(wrong)} wrong", *wrong[:40]])


def unequal(case: Case, headers: dict[str, bool]) -> bool:
    """Whether the row counts differ."""
    return len({rows + (not header) for rows, header in zip(case.rows, headers.values(), strict=True)}) > 1


def line_of(case: Case, name: str) -> str:
    return case.predictions if name == "predictions" else case.labels or ""


def possible(name: str, header: bool, case: Case) -> bool:
    """Whether a line could truly be a header (of text or a series), or truly be data."""
    fields, numbers = line_of(case, name).split(","), numbers_of(line_of(case, name))
    if header:
        return not numbers or series(numbers)
    if name == "predictions":
        return bool(numbers) and fields[0] != "" and could_be_predictions(case)
    return could_be_labels(case)


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("predictions", ["a,b,c", ".2,.3,.5", "0,1,2"])
def test_labels_from_a_stream_are_judged_alone(
    predictions: str, labels: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Case(predictions, labels, (3, 3), "probs", False, True)
    could = could_be_labels(case)
    saw = "data" if labels == "1" else look(labels, could)
    expected = {"header": True, "data": False}.get(saw)
    if saw == "either" and not could:
        expected = True
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{labels}\n".encode()), encoding="utf-8"))
    first = open_source(Files(tmp_path).path("predictions", predictions, 3), name="predictions")
    if expected is None:
        with pytest.raises(DataError, match="--no-header labels"):
            with_headers(first, open_source("-", name="labels"), case.settings(), ())
        return
    _, second, _ = with_headers(first, open_source("-", name="labels"), case.settings(), ())
    assert second is not None and second.header is expected
