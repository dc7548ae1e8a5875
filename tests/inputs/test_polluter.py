"""Good files polluted in every known way, thousands of them: each is scored as a strict reader says, or refused.

The strict reader is not ours: it is written here from the rules in words, character by
character, with fractions. What it takes for a valid file must cost what it says; what it
takes for none must be refused.
"""

from __future__ import annotations

import io
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.laws import LONG
from xentcli import score
from xentcli.errors import XentError
from xentcli.readers.text.csv import CsvPart

NUMERAL = re.compile(r"[ \t]*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[ \t]*", re.ASCII)
TAU = Fraction(1, 1000)
TRUTH = ["a", "b", "c", "a"]
LABELS = "label\n" + "".join(f"{label}\n" for label in TRUTH)
BASES = {
    "plain": b"a,b,c\n0.5,0.3,0.2\n.125,0.75,0.125\n1e-1,0.2,0.7\n1,0,0\n",
    "quoted": b'"a","b","c"\r\n"0.5",0.3,0.2\r\n0.125,"0.75",0.125\r\n0.1,0.2,"0.7"\r\n1,0,0',
    "tabs": b"a\tb\tc\n0.5\t0.3\t0.2\n0.125\t0.75\t0.125\n0.1\t0.2\t0.7\n1\t0\t0\n",
}
BYTES = [
    b",",
    b";",
    b"\t",
    b'"',
    b"'",
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b" ",
    b"_",
    b"-",
    b"+",
    b".",
    b"e",
    b"E",
    b"n",
    b"0",
    b"7",
]
BYTES += [
    b"\x1b",
    b"\xff",
    b"\xc3",
    b"\xc3\xa9",
    b"\xef\xbb\xbf",
    b"\xd9\xa3",
    b"\xe2\x80\xae",
    b"NA",
    b"inf",
    b"0x",
    b"#",
    b"|",
    b"\\",
]


class NotATableError(Exception):
    """It is none by the rules."""


def records(text: str, delimiter: str) -> list[list[str]]:
    """Cut a text into fields, one character after the other."""
    rows: list[list[str]] = []
    row: list[str] = []
    field, state = "", "start"
    ends: set[str] = set()

    def close_row() -> None:
        nonlocal row, field
        rows.append([] if not row and field == "" and state == "start" else [*row, field])
        row, field = [], ""

    place = 0
    while place < len(text):
        character = text[place]
        end = "\r\n" if text.startswith("\r\n", place) else character if character in "\r\n" else ""
        if state == "quoted":
            if text.startswith('""', place):
                field, place = field + '"', place + 1
            elif character == '"':
                state = "closed"
            else:
                field += character
        elif end:
            # At the very end it may be the first half of a CRLF.
            if end != "\r" or place + 1 < len(text) or not ends:
                ends.add("CR" if end == "\r" else "LF")
            close_row()
            state, place = "start", place + len(end) - 1
        elif character == delimiter:
            row.append(field)
            field, state = "", "next"
        elif character == '"' and field == "" and state in ("start", "next"):
            state = "quoted"
        elif character == '"' or state == "closed":
            raise NotATableError("a quote out of place")
        else:
            field, state = field + character, "bare"
        place += 1
    if state == "quoted":
        raise NotATableError("a quote that is never closed")
    if state != "start" or row:
        close_row()
    if len(ends) > 1:
        raise NotATableError("two kinds of line ends")
    while rows and not rows[-1]:
        rows.pop()
    return rows


def texts(text: str) -> Iterator[tuple[str, str]]:
    """The text with each delimiter that it may have: runs of blanks, below comments, if its first line has no other."""
    for delimiter in ",;\t":
        yield text, delimiter
    if not re.search("[,;\t]", text.partition("\n")[0]):
        below = re.sub(r"\A(?:#.*\n)+", "", text)
        yield re.sub(r"(?m)^ | (?=\r?$)", "", re.sub("[ \t]+", " ", below)), " "


def numbers(data: bytes) -> tuple[list[str], list[list[float]]]:
    """The names and numbers of a table, whatever separates its fields."""
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise NotATableError("not UTF-8") from None
    if "\0" in text:
        raise NotATableError("NUL")
    found = []
    for written, delimiter in texts(text):
        try:
            rows = records(written, delimiter)
            if not rows or len(rows[0]) < 2 or any(len(row) != len(rows[0]) for row in rows):
                raise NotATableError("fields")
            # A first column without a name has the names of the rows.
            names, first = (rows[0], 0) if rows[0][0] else (rows[0][1:], 1)
            cells = [[NUMERAL.fullmatch(cell) for cell in row[first:]] for row in rows[1:]]
            if not all(cell for row in cells for cell in row):
                raise NotATableError("no number")
            found.append((names, [[float(cell[1]) for cell in row if cell] for row in cells]))
        except NotATableError:
            continue
    if len(found) != 1:
        raise NotATableError("no delimiter fits, or several do")
    return found[0]


def cost_of(names: list[str], rows: list[list[float]], truth: list[str]) -> float:
    """The cost, if these are rows of probabilities and the labels are their names."""
    if len(set(names)) != len(names) or len(rows) != len(truth) or not set(truth) <= set(names):
        raise NotATableError("names")
    losses = []
    for row, label in zip(rows, truth, strict=True):
        q = row[names.index(label)]
        slack = Fraction(len(row), 2**50)
        if not all(math.isfinite(value) and -TAU <= Fraction(value) <= 1 + TAU for value in row):
            raise NotATableError("no probability")
        if len(row) > 1 and abs(sum(map(Fraction, row), Fraction(-1))) > TAU + slack:
            raise NotATableError("sum")
        losses.append(-math.log(q) if q > 0 else math.inf)
    return math.fsum(losses) / len(losses)


def polluted(data: bytes) -> Iterator[bytes]:
    """Every variant."""
    for place in range(len(data) + 1):
        yield data[:place]
        yield data[place:]
        yield data[:place] + data[place + 1 :]
        # Each byte is tried at every sixth place, and each place with a sixth of the bytes; with all in a long run.
        for other in BYTES if LONG else BYTES[place % 6 :: 6]:
            yield data[:place] + other + data[place:]
            yield data[:place] + other + data[place + 1 :]
    lines = data.splitlines(keepends=True)
    for place in range(len(lines)):
        for line in (
            lines[place],
            b"\n",
            b"total,,\n",
            b"# note\n",
            b"a,b,c\n",
            b"0.5,0.25,0.25\n",
            b",,\n",
            b"1,0\n",
            b"1,0,0,0\n",
        ):
            yield b"".join([*lines[:place], line, *lines[place:]])
        yield b"".join([*lines[:place], *lines[place + 1 :]])
        yield b"".join([*lines[:place], *lines[place + 1 :], b"\n", lines[place]])
    text = data.decode()
    for changed in (
        text.replace("\r\n", "\n").replace("\n", "\r"),
        text.replace("\r\n", "\n").replace("\n", "\r\n"),
        text.replace("\r\n", "\n").replace("\n", "\r\n", 2),
        text.replace(",", ";"),
        text.replace(",", ";").replace(".", ","),
        text.replace(",", " "),
        re.sub(r"(\r?\n)", r",\1", text),
        re.sub(r"(?m)^(?=.)", ",", text),
        re.sub(r"0?\.(\d+)", r"\1%", text),
        text + text,
        "model v2\n\n" + text,
        text.replace('"', "'"),
        text.replace('"', '""'),
    ):
        yield changed.encode()
    for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp037"):
        yield text.encode(encoding)


def verdict(path: Path, labels: object, want: float | None) -> str:
    """What came of a variant: "right", "refused", "needlessly", or that it was accepted wrongly."""
    try:
        cost = score(path, labels, threads=1).cost
    except XentError:
        return "refused" if want is None else "needlessly"
    if want is None or not (cost == want or math.isclose(cost, want, rel_tol=1e-14)):
        return f"accepted as {cost}, not {want}"
    return "right"


def judged(
    name: str,
    path: Path,
    labels: object,
    variants: Iterable[bytes],
    cost: Callable[[bytes], float],
    verdicts: Callable[[float | None], Iterator[str]] | None = None,
) -> Counter[str]:
    """Score every variant, print how it went, and count; none may be accepted wrongly.

    `verdicts` yields what came of the file at `path`, if it is to be scored in more ways than one.
    """
    seen: set[bytes] = set()
    counts: Counter[str] = Counter()
    wrong = []
    for data in variants:
        if data in seen:
            continue
        seen.add(data)
        try:
            want: float | None = cost(data)
        except NotATableError:
            want = None
        path.write_bytes(data)
        for got in verdicts(want) if verdicts else (verdict(path, labels, want),):
            counts[got.split(" ")[0]] += 1
            if got.startswith("accepted"):
                wrong.append((data, got))
    print(f"{name}: {len(seen):,} variants, {dict(counts)}, wrong accepts {len(wrong)}")
    assert not wrong, wrong[:5]
    return counts


@pytest.mark.parametrize("base", BASES)
def test_polluted_text_is_right_or_refused(base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, labels = tmp_path / "p.csv", tmp_path / "l.csv"
    labels.write_text(LABELS)
    taken, both, fast = False, 0, CsvPart._fast

    def watched(part: CsvPart, *args: Any) -> Any:
        nonlocal taken
        rows = fast(part, *args)
        taken |= rows is not None and part.path == str(path)
        return rows

    monkeypatch.setattr(CsvPart, "_fast", watched)

    def verdicts(want: float | None) -> Iterator[str]:
        """By the fast reader, which leaves what it declines to the careful one; a third of the others by this one too."""
        nonlocal taken, both
        taken = False
        # Small texts are left to the careful reader otherwise.
        with monkeypatch.context() as patch:
            patch.setattr("xentcli.readers.text.csv.LEAST_FAST", 1)
            yield verdict(path, labels, want)
        both += taken
        if taken and (LONG or both % 3 == 0):
            yield verdict(path, labels, want)

    def cost(data: bytes) -> float:
        return cost_of(*numbers(data), TRUTH)

    assert math.isfinite(cost(BASES[base]))
    counts = judged(base, path, labels, polluted(BASES[base]), cost, verdicts)
    total = counts.total()
    # The fast reader declines numbers in quotes.
    least = 2000 if LONG else 400
    assert total >= least and both > (least // 200 if base == "quoted" else least // 4)
    assert counts["right"] > least // 20 and counts["needlessly"] < total // 50


def npy_cost(data: bytes, truth: list[int]) -> float:
    """What NumPy reads, if it is all of the file and its rows are probabilities."""
    file = io.BytesIO(data)
    try:
        array = np.lib.format.read_array(file, allow_pickle=False)
    except Exception as error:
        raise NotATableError from error
    if file.read() or array.ndim != 2 or array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise NotATableError
    if array.dtype.kind == "b" and (array.view(np.uint8) > 1).any():
        raise NotATableError
    return cost_of([str(i) for i in range(array.shape[1])], array.astype("f8").tolist(), [str(i) for i in truth])


@pytest.mark.parametrize("dtype", ["f8", "f4", "u1"])
def test_every_bit_and_every_length_of_a_small_array(dtype: str, tmp_path: Path) -> None:
    truth = [0, 1, 0]
    rows = np.array([[1, 0], [0, 1], [1, 0]]) if dtype == "u1" else np.array([[0.75, 0.25], [0.25, 0.75], [1, 0]])
    file = io.BytesIO()
    np.save(file, rows.astype(dtype))
    data = file.getvalue()
    variants = [data[:length] for length in range(len(data))]
    variants += [
        data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :] for at in range(len(data)) for bit in range(8)
    ]
    counts = judged(dtype, tmp_path / "p.npy", truth, variants, lambda data: npy_cost(data, truth))
    assert counts["right"] and counts["refused"] > 1000
