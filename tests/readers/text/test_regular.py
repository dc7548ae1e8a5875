"""Lines of one shape: the fast reader returns what the careful one returns, or declines; it refuses nothing itself."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.conftest import Write
from tests.laws import LONG, settings
from xentcli import score
from xentcli.errors import DataError
from xentcli.readers.source import Pick, Rows, Selection
from xentcli.readers.stream import ByteStream
from xentcli.readers.text.jsonl import open_json_lines
from xentcli.readers.text.lines import LinesPart, LinesSource
from xentcli.readers.text.tokens import open_vw

laws = settings(deadline=None, max_examples=150)
Opener = Callable[[ByteStream], LinesSource]


def part_of(data: bytes, opener: Opener = open_json_lines) -> LinesPart:
    """All lines as one part, with the shape of the first."""
    source = opener(ByteStream("t", None, False, data, io.BytesIO()))
    lines = data.rstrip(b"\r\n").count(b"\n") + 1
    shape_of = source.form.shape
    shape = shape_of(data.split(b"\n", 1)[0], source.fields, source.flat) if shape_of and source.fields else None
    return LinesPart("t", 0, 1, lines, 0, len(data), data, source.form, source.fields, source.flat, shape)


def plain(rows: Rows) -> dict[str, Any]:
    """Everything of rows that a reader promises, doubles as their bits."""
    values: dict[str, Any] = {
        role: value.view(np.int64).tolist() if isinstance(value, np.ndarray) else list(value)
        for role, value in rows.values.items()
    }
    return {**values, "count": rows.count, "underflows": rows.underflows, "places": str(rows.place("", rows.count - 1))}


def fast(part: LinesPart, selection: Selection) -> Rows | None:
    """What the fast reader says of a part."""
    assert part.data is not None
    found = None if part.shape is None else part.shape.read(part.data, part.rows, selection)
    if found is None:
        return None
    return Rows(part.path, part.flat.names, selection, 0, part.rows, found[0], part.line, tuple(found[1]))


def careful(part: LinesPart, selection: Selection) -> Rows | None:
    """What the careful reader says of a part; None where it refuses it."""
    assert part.data is not None
    try:
        return part._careful(part.data, selection)
    except DataError:
        return None


def accepted(part: LinesPart, selection: Selection) -> bool:
    """Whether the fast reader takes a part, and then whatever it returns is what the careful one returns."""
    found = fast(part, selection)
    if found is not None:
        expected = careful(part, selection)
        assert expected is not None, part.data
        assert plain(found) == plain(expected), part.data
    return found is not None


def selections(part: LinesPart) -> Iterator[Selection]:
    """Every column as numbers or text, alone and together."""
    names = range(len(part.flat.names))
    yield {f"x{c}": Pick((c,), "text" if c % 2 else "keys") for c in names}
    yield {f"x{c}": Pick((c,), "values") for c in names}
    numeric = [c for c in names if careful(part, {"x": Pick((c,))}) is not None]
    if numeric:
        yield {"preds": Pick(tuple(numeric))}
        yield {"preds": Pick(tuple(reversed(numeric))), "label": Pick((numeric[-1],), "values")}
    yield {"x0": Pick((0,), "text", others=True)}


# Good lines.

finite = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(-(10**20), 10**20)
numerals = st.one_of(finite, st.floats(0, 1), whole, st.integers(0, 9))
texts = st.text(st.characters(codec="utf-8"), max_size=12)
keys = st.lists(st.text(st.sampled_from('abc,:"\\{é '), max_size=3), min_size=1, max_size=4, unique=True)


def field_of(draw: st.DrawFn, kind: str) -> Callable[[], Any]:
    """Draws values of one field, which have one form."""
    size = draw(st.integers(1, 4))
    names = [f"n{place}" for place in range(size)]
    label = draw(st.permutations(names)) if kind == "labelled" else names
    return {
        "number": lambda: draw(numerals),
        "text": lambda: draw(texts),
        "numeral in a string": lambda: repr(draw(numerals)),
        "flag": lambda: draw(st.booleans()),
        "list": lambda: [draw(numerals) for _ in names],
        "object": lambda: {name: draw(numerals) for name in names},
        "labelled": lambda: [{"label": n, "score": draw(numerals)} for n in draw(st.permutations(label))],
    }[kind]


KINDS = ("number", "text", "numeral in a string", "flag", "list", "object", "labelled")


@st.composite
def regular_lines(draw: st.DrawFn) -> bytes:
    """JSON Lines whose lines all have one shape."""
    names = draw(keys)
    fields = [field_of(draw, draw(st.sampled_from(KINDS))) for _ in names]
    style: dict[str, Any] = {"separators": draw(st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]))}
    style["ensure_ascii"] = draw(st.booleans())
    end = draw(st.sampled_from(["\n", "\r\n"]))
    rows = [{name: field() for name, field in zip(names, fields, strict=True)} for _ in range(draw(st.integers(1, 8)))]
    data = "".join(json.dumps(row, **style) + end for row in rows).encode()
    return data if draw(st.booleans()) else data.removesuffix(b"\n")


@laws
@given(regular_lines())
@example(b'{"": [{"label": "n0", "score": 0.0}]}')
def test_lines_of_one_shape_are_read_as_the_careful_reader_does(data: bytes) -> None:
    part = part_of(data)
    first = json.loads(data.split(b"\n", 1)[0])
    # A list of one object is no list of scores: its fields are gathered with care. -0 as an integer has no sign.
    gathered = any(
        isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) for value in first.values()
    )
    left = gathered or b"-0" in data
    for selection in selections(part):
        assert accepted(part, selection) or left or careful(part, selection) is None


# Lines that are not what they seem.

BASES = {
    "list": (b'{"p": [0.5, 0.25, 0.25], "y": "b"}\n', open_json_lines),
    "names": (b'{"a":0.5,"b":1e-5,"y":1,"t":"x, \\"y\\" \\u00e9"}\n', open_json_lines),
    "labelled": (b'{"p": [{"label": "a", "score": 0.5}, {"label": "b", "score": 0.5}], "ok": true}\n', open_json_lines),
    "tokens": (b"a:0.5 b:0.25 c:-1e-3\n", open_vw),
}
PIECES = [
    *(bytes([letter]) for letter in b'0123456789.-+eE,:"\\{}[] \t\r\n/utn\0\x01\x7f\x80\xff'),
    b"\r\n", b'""', b"NaN", b"nan", b"inf", b"Infinity", b"null", b"true", b"1e999", b"\\u", b"\\ud800",
    b"\\udc00", b"\\ud83d\\ude00", b"\\x", b"\xc3\xa9", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xc2\xa0", b"00", b".e5",
    b', "y": 1', b'"y": 2, ', b', "z": 0', b"9" * 400, b"0." + b"0" * 330 + b"1", b"1e-400", b"[]", b"{}", b" a:0.1",
]  # fmt: skip


@pytest.mark.parametrize("base", BASES)
def test_a_line_changed_anywhere_is_read_alike_or_declined(base: str) -> None:
    line, opener = BASES[base]
    kept = 0
    good = part_of(line, opener)
    chosen = list(selections(good))
    for place in range(len(line)):
        selection = chosen[place % len(chosen)]
        # With each selection each piece is tried at some places; at all of them in a long run.
        third = slice(None) if LONG else slice(place // len(chosen) % 3, None, 3)
        for piece in (*PIECES[third], b""):
            for changed in (line[:place] + piece + line[place:], line[:place] + piece + line[place + 1 :]):
                data = line + changed + line
                part = good_part(good, data)
                if part is not None:
                    kept += accepted(part, selection)
    # Digits may be exchanged, and letters of texts.
    assert kept > (100 if LONG else 30)


def good_part(good: LinesPart, data: bytes) -> LinesPart | None:
    """The part of other bytes with the shape of good ones, as the file would be cut."""
    rows = data.rstrip(b"\r\n").count(b"\n") + 1
    form, fields, flat = good.form, good.fields, good.flat
    return LinesPart("t", 0, 1, rows, 0, len(data), data, form, fields, flat, good.shape)


junk = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=3)), max_size=4).map(b"".join)


@settings(deadline=None, max_examples=400)
@given(data=regular_lines(), places=st.lists(st.tuples(st.floats(0, 1), junk, st.integers(0, 3)), max_size=3))
@example(data=b'{"a": "x\\\\"}\n{"a": "\\\\\\""}\n', places=[])
@example(data=b'{"a": "\\ud83d\\ude00"}\n{"a": "\\ude00\\ud83d"}\n', places=[])
@example(data=b'{"a": "x"}\n{"a": "\\u12"}\n', places=[])
@example(data=b'{"a": 0, "b": "x.e"}\n{"a": 1.e5, "b": "x.e"}\n', places=[])
@example(data=b'{"a": 5}\n{"a": -0}\n', places=[])
@example(data=b'{"a": "x", "b": "y"}\n{"a": "x\n", "b": "y}\n', places=[])
def test_changed_lines_are_read_alike_or_declined(data: bytes, places: list[tuple[float, bytes, int]]) -> None:
    good = part_of(data)
    for share, piece, gone in places:
        at = int(share * len(data))
        data = data[:at] + piece + data[at + gone :]
    part = good_part(good, data)
    if data and part is not None:
        for selection in selections(good):
            accepted(part, selection)


HOSTILE = {
    "a key twice": b'{"a": 0.5, "a": 0.1, "b": 0.5, "y": "a"}',
    "NaN": b'{"a": NaN, "b": 0.5, "y": "a"}',
    "Infinity": b'{"a": 0.5, "b": -Infinity, "y": "a"}',
    "null": b'{"a": null, "b": 0.5, "y": "a"}',
    "a sign": b'{"a": +0.5, "b": 0.5, "y": "a"}',
    "a leading zero": b'{"a": 00.5, "b": 0.5, "y": "a"}',
    "no digit before the point": b'{"a": .5, "b": 0.5, "y": "a"}',
    "no digit after the point": b'{"a": 0.5, "b": 5.e-1, "y": "a"}',
    "beyond the doubles": b'{"a": 0.5, "b": 1e999, "y": "a"}',
    "an integer of 5,000 digits": b'{"a": 0.5, "b": ' + b"1" * 5000 + b', "y": "a"}',
    "not UTF-8": b'{"a": 0.5, "b": 0.5, "y": "\xff"}',
    "a control character": b'{"a": 0.5, "b": 0.5, "y": "a\t"}',
    "NUL": b'{"a": 0.5, "b": 0.5, "y": "a\0"}',
    "an escape that is none": b'{"a": 0.5, "b": 0.5, "y": "\\x61"}',
    "half a surrogate pair": b'{"a": 0.5, "b": 0.5, "y": "\\ud800"}',
    "another name": b'{"a": 0.5, "c": 0.5, "y": "a"}',
    "a name less": b'{"a": 0.5, "y": "a"}',
    "a name more": b'{"a": 0.5, "b": 0.5, "y": "a", "z": 1}',
    "a list for a number": b'{"a": [0.5], "b": 0.5, "y": "a"}',
    "more after it": b'{"a": 0.5, "b": 0.5, "y": "a"} {}',
    "nested deeply": b'{"a": 0.5, "b": 0.5, "y": ' + b"[" * 100_000 + b"}",
    "a blank line": b"",
    "no end": b'{"a": 0.5, "b": 0.5, "y": "a"',
    "text for a number": b'{"a": "x", "b": 0.5, "y": "a"}',
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_bad_line_is_refused_in_the_same_words_at_its_line(
    what: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = b'{"a": 0.5, "b": 0.5, "y": "a"}\n'
    path = write("p.jsonl", good * 1000 + HOSTILE[what] + b"\n" + good * 1000)
    said = []
    for least in (1, 1 << 60):
        monkeypatch.setattr("xentcli.readers.text.lines.LEAST_FAST", least)
        with pytest.raises(DataError) as caught:
            score(path, label="y")
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert "row 1,001 (line 1,001)" in said[0]


# Files that people write.


def frame() -> pd.DataFrame:
    random = np.random.default_rng(1)
    q = random.dirichlet(np.full(4, 0.2), 3000)
    table = pd.DataFrame(q, columns=["a", "b", "c", "d"])
    table.insert(0, "text", [f'row {n}, "quoted"\n\\ é \U0001f600' for n in range(3000)])
    table["y"] = np.array(["a", "b", "c", "d"])[random.integers(0, 4, 3000)]
    return table


def dumped(ensure_ascii: bool, **values: Callable[[Any], Any]) -> bytes:
    """The rows by json.dumps, with some more fields."""
    rows = frame().to_dict("records")
    made = ({"text": row["text"], "y": row["y"], **{name: f(row) for name, f in values.items()}} for row in rows)
    return "".join(json.dumps(row, ensure_ascii=ensure_ascii) + "\n" for row in made).encode()


def scores(row: Any) -> list[dict[str, Any]]:
    """As a text classifier prints them: the largest first."""
    return sorted(({"label": c, "score": row[c]} for c in "abcd"), key=lambda item: -float(item["score"]))


def tokens() -> bytes:
    return "".join(" ".join(f"{c}:{row[c]}" for c in "abcd") + "\n" for row in frame().to_dict("records")).encode()


LIST, COLUMNS = {"preds": "p", "classes": "a,b,c,d"}, {"preds": "a,b,c,d"}
FILES: dict[str, tuple[Callable[[], bytes], dict[str, Any]]] = {
    "pandas": (lambda: frame().to_json(orient="records", lines=True, double_precision=15).encode(), COLUMNS),
    "polars": (lambda: polars.from_pandas(frame()).write_ndjson().encode(), COLUMNS),
    "lists": (lambda: dumped(True, p=lambda row: [row[c] for c in "abcd"]), LIST),
    "objects, UTF-8": (lambda: dumped(False, p=lambda row: {c: row[c] for c in "dcba"}), {"preds": "p"}),
    "scores by label": (lambda: dumped(True, p=scores), {"preds": "p"}),
    "Vowpal Wabbit": (tokens, {"input_format": "predictions=vw"}),
}


@pytest.mark.parametrize("name", FILES)
def test_no_line_that_people_write_is_left_to_the_careful_reader(
    name: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, options = FILES[name]
    path = write("p.jsonl", data())
    labels = write("y.csv", "y\n" + "".join(f"{y}\n" for y in frame()["y"]))
    more: dict[str, Any] = {"labels": labels} if name == "Vowpal Wabbit" else {"label": "y", "show": "text", "worst": 3}
    found = {}
    for reader in ("careful", "fast"):
        with monkeypatch.context() as patch:
            if reader == "careful":
                patch.setattr("xentcli.readers.text.lines.LEAST_FAST", 1 << 60)
            else:
                patch.delattr(LinesPart, "_careful")
            found[reader] = score(path, **options, **more, threads=1).to_dict()
    assert found["fast"] == found["careful"]
    q, y = frame()[["a", "b", "c", "d"]].to_numpy(), frame()["y"].map("abcd".index).to_numpy()
    assert found["fast"]["cost"] == pytest.approx(-np.log(q[np.arange(len(q)), y]).mean(), rel=1e-4)
