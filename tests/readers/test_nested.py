"""JSON, Parquet and Arrow as other tools write them: the same values in every layout give the same bits."""

from __future__ import annotations

import io
import json
import math
import subprocess
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet  # noqa: F401 - as pa.parquet
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.conftest import Write, posix_only
from tests.laws import settings
from xentcli import score
from xentcli.errors import DataError, FileError, XentError
from xentcli.readers import open_source
from xentcli.readers.source import Pick, Source
from xentcli.readers.stream import ByteStream
from xentcli.readers.text.elements import lines_of_elements

laws = settings(deadline=None, max_examples=25)
NAMES = ("cat", "dog", "emu", "a.b", 'q"', "été")
Table = list[list[float]]
Layout = Callable[[list[str], Table], str]


def records(names: list[str], rows: Table) -> list[dict[str, float]]:
    return [dict(zip(names, row, strict=True)) for row in rows]


def pairs(names: list[str], rows: Table, label: str, number: str) -> list[list[dict[str, Any]]]:
    """Labels with scores as classifiers print them: the largest first."""
    made = ([{label: n, number: v} for n, v in zip(names, row, strict=True)] for row in rows)
    return [sorted(row, key=lambda item: -float(item[number])) for row in made]


def beside(names: list[str], rows: Table, name: str, number: str) -> list[dict[str, Any]]:
    """A list of names and one of numbers, in an order of its own."""
    found = []
    for place, row in enumerate(rows):
        order = np.roll(np.arange(len(names)), place)
        found.append({name: [names[i] for i in order], number: [row[i] for i in order]})
    return found


def lines(rows: list[Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def frame(names: list[str], rows: Table) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=names, index=[f"r{i}" for i in range(len(rows))])


# By name: each with what the names of the classes are prefixed with.
NAMED: dict[str, Layout] = {
    "lines": lambda n, r: lines(records(n, r)),
    "an array": lambda n, r: json.dumps(records(n, r)),
    "an array, pretty": lambda n, r: json.dumps(records(n, r), indent=1),
    "an array, a row a line": lambda n, r: "[\n" + ",\n".join(map(json.dumps, records(n, r))) + "\n]\n",
    "values of several lines": lambda n, r: "".join(json.dumps(row, indent=2) + "\n" for row in records(n, r)),
    "pairs a line": lambda n, r: lines(pairs(n, r, "label", "score")),
    "pairs, other keys": lambda n, r: lines(pairs(n, r, "Name", "Confidence")),
    "pairs, the score first": lambda n, r: lines([[dict([*p.items()][::-1]) for p in row] for row in pairs(n, r, "c", "p")]),
    "pairs, nested once more": lambda n, r: lines([[row] for row in pairs(n, r, "label", "score")]),
    "batches of pairs": lambda n, r: json.dumps([pairs(n, r[i : i + 4], "label", "score") for i in range(0, len(r), 4)]),
    "an array of pairs": lambda n, r: json.dumps(pairs(n, r, "label", "prob")),
    "header and data": lambda n, r: json.dumps({"columns": n, "data": r}),
    "data and header": lambda n, r: json.dumps({"ncols": 9, "data": r, "columns": n}),
    "header and data of a server": lambda n, r: json.dumps({"dataframe_split": {"columns": n, "data": r}}),
    "split": lambda n, r: json.dumps(frame(n, r).to_dict(orient="split")),
    "tight": lambda n, r: json.dumps(frame(n, r).to_dict(orient="tight")),
    "columns by row": lambda n, r: json.dumps({k: {str(i): row[j] for i, row in enumerate(r)} for j, k in enumerate(n)}),
    "fields of a schema": lambda n, r: json.dumps({"schema": {"primaryKey": ["index"]}, "data": [{"index": i, **row} for i, row in enumerate(records(n, r))]}),
    "under a name": lambda n, r: json.dumps({"model": "m", "predictions": records(n, r)}),
    "names and lists": lambda n, r: json.dumps({"classes": n, "predictions": r} if len(n) != len(r) else records(n, r)),
    "pairs by key": lambda n, r: json.dumps({f"{i}.jpg": row for i, row in enumerate(pairs(n, r, "label", "score"))}),
}  # fmt: skip
IN_FIELD: dict[str, Callable[[list[str], Table], list[Any]]] = {
    "objects": lambda n, r: [{"p": row} for row in records(n, r)],
    "pairs": lambda n, r: [{"id": str(i), "p": row} for i, row in enumerate(pairs(n, r, "label", "prob"))],
    "names beside": lambda n, r: [{"displayNames": row["c"], "p": row["p"]} for row in beside(n, r, "c", "p")],
    "nested": lambda n, r: [{"a": {"b": {"classes": row["c"], "p": row["p"]}}} for row in beside(n, r, "c", "p")],
    "in the only item": lambda n, r: [{"out": [{"x": {"p": row}}]} for row in pairs(n, r, "Name", "Score")],
}
LISTS: dict[str, Layout] = {
    "a list a line": lambda n, r: lines(r),
    "an array of lists": lambda n, r: json.dumps(r),
    "an array of lists, pretty": lambda n, r: json.dumps(r, indent=4),
    "arrays of lists a line": lambda n, r: lines([r[:1], r[1:]]),
    "a field": lambda n, r: lines([{"p": row} for row in r]),
    "under a name": lambda n, r: json.dumps({"p": r}),
    "a field beside others": lambda n, r: json.dumps({"p": r, "y": ["x"] * len(r)}),
    "vectors": lambda n, r: lines([{"p": vector(row, i % 2 == 0)} for i, row in enumerate(r)]),
}

numbers = st.one_of(
    st.floats(allow_nan=False), st.floats(0, 1), st.sampled_from([0.0, -0.0, 5e-324, 1.7e308, 0.1, math.inf, -math.inf])
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], Table]:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=5, unique=True))
    row = st.lists(numbers, min_size=len(names), max_size=len(names))
    return names, draw(st.lists(row, min_size=2, max_size=7))


def vector(row: list[float], dense: bool) -> dict[str, Any]:
    """As Spark writes a vector; 0 is not stored in a sparse one, -0 is."""
    if dense:
        return {"type": 1, "size": None, "indices": None, "values": row}
    kept = [i for i, value in enumerate(row) if value or math.copysign(1, value) < 0]
    return {"type": 0, "size": len(row), "indices": kept, "values": [row[i] for i in kept]}


def columns(source: Source, wanted: list[int], block_bytes: int = 1 << 20) -> list[list[int]]:
    """The bits of some columns of all rows."""
    pick = {"preds": Pick(tuple(wanted))}
    blocks = [part.load(pick).values["preds"] for part in source.parts(block_bytes)]
    return [row for block in blocks for row in np.asarray(block).view(np.int64).tolist()]


def read(path: Path, names: list[str] | None, block_bytes: int = 1 << 20) -> list[list[int]]:
    """The bits of the columns of the classes, in the order of the names."""
    source = open_source(str(path), name="x")
    if names is None:
        return columns(source, list(range(source.width))[: len(source.names) or None], block_bytes)
    ends = {
        name.rpartition("p.")[2] if name.rpartition("p.")[2] in names else name: i
        for i, name in enumerate(source.names)
    }
    return columns(source, [ends[name] for name in names], block_bytes)


def bits(rows: Table) -> list[list[int]]:
    found: list[list[int]] = np.array(rows, dtype=np.float64).view(np.int64).tolist()
    return found


@laws
@given(table=tables(), block_bytes=st.sampled_from([1, 60, 1 << 20]))
def test_every_layout_by_name_has_the_same_bits(
    table: tuple[list[str], Table], block_bytes: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    names, rows = table
    folder = tmp_path_factory.getbasetemp()
    for layout, text in NAMED.items():
        (folder / "n.json").write_text(text(names, rows))
        assert read(folder / "n.json", names, block_bytes) == bits(rows), layout
    for layout, made in IN_FIELD.items():
        (folder / "n.jsonl").write_text(lines(made(names, rows)))
        assert read(folder / "n.jsonl", names, block_bytes) == bits(rows), layout
        (folder / "n.json").write_text(json.dumps(made(names, rows), indent=1))
        assert read(folder / "n.json", names, block_bytes) == bits(rows), layout


@pytest.mark.parametrize("key", ["image-{}.jpg", "{}"])
def test_probabilities_by_key_are_rows_or_columns_as_they_sum_to_1(key: str, tmp_path: Path) -> None:
    names, rows = ["cat", "dog", "emu"], np.random.default_rng(1).dirichlet([1, 1, 1], 5).tolist()
    keys = [key.format(place) for place in range(5)]
    by_key = {
        "objects": dict(zip(keys, records(names, rows), strict=True)),
        "pairs": dict(zip(keys, pairs(names, rows, "label", "score"), strict=True)),
        "columns": {n: {k: row[j] for k, row in zip(keys, rows, strict=True)} for j, n in enumerate(names)},
        "columns as lists": {n: [row[j] for row in rows] for j, n in enumerate(names)},
    }
    for layout, found in by_key.items():
        (tmp_path / "k.json").write_text(json.dumps(found))
        assert read(tmp_path / "k.json", names) == bits(rows), layout
        assert (open_source(str(tmp_path / "k.json"), name="x").row_names == 0) == (
            key != "{}" and layout != "columns as lists"
        )


@laws
@given(table=tables(), block_bytes=st.sampled_from([1, 60, 1 << 20]))
def test_every_layout_of_lists_has_the_same_bits(
    table: tuple[list[str], Table], block_bytes: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    names, rows = table
    folder = tmp_path_factory.getbasetemp()
    for layout, text in LISTS.items():
        (folder / "l.json").write_text(text(names, rows))
        source = open_source(str(folder / "l.json"), name="x")
        assert columns(source, list(range(len(names))), block_bytes) == bits(rows), layout


@settings(deadline=None, max_examples=15)
@given(table=tables(), block_bytes=st.sampled_from([1, 60, 1 << 20]))
def test_every_nested_column_of_arrow_has_the_same_bits(
    table: tuple[list[str], Table], block_bytes: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    names, rows = table
    folder = tmp_path_factory.getbasetemp()
    both = beside(names, rows, "classes", "p")
    made = {
        "pairs": pa.array(pairs(names, rows, "label", "p")),
        "map": pa.array([[*zip(names, row, strict=True)][::-1] for row in rows], pa.map_(pa.string(), pa.float64())),
        "struct": pa.array(records(names, rows)),
        "lists": pa.array([{"in": row} for row in both]),
    }
    for layout, column in made.items():
        for form in ("parquet", "feather"):
            flat = pa.table({"p": column, "y": ["x"] * len(rows)})
            path = folder / f"a.{form}"
            (pa.parquet.write_table if form == "parquet" else pa.feather.write_feather)(flat, str(path))
            assert read(path, names, block_bytes) == bits(rows), (layout, form)
    pa.parquet.write_table(
        pa.table({"classes": [b["classes"] for b in both], "p": [b["p"] for b in both]}), folder / "b.parquet"
    )
    assert read(folder / "b.parquet", names, block_bytes) == bits(rows)
    kind = pa.struct(
        [
            ("type", pa.int8()),
            ("size", pa.int32()),
            ("indices", pa.list_(pa.int32())),
            ("values", pa.list_(pa.float64())),
        ]
    )
    spark = pa.array([vector(row, i % 2 == 1) for i, row in enumerate(rows)], kind)
    pa.parquet.write_table(pa.table({"probability": spark}), folder / "c.parquet")
    assert read(folder / "c.parquet", None, block_bytes) == bits(rows)


# Arrays as streams of lines.

values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=12,
)


def elements(text: bytes, size: int, level: int = 1) -> list[Any]:
    """The values of the lines that some text becomes, read in chunks of some size."""
    stream = lines_of_elements(ByteStream("t", None, False, b"", InChunks(text, size)), level)
    return [json.loads(line) for line in b"".join(stream.chunks(1 << 20)).split(b"\n") if line.strip()]


class InChunks(io.BytesIO):
    """A stream that gives some bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self._size = size

    def read1(self, size: int | None = -1) -> bytes:
        return super().read1(min(self._size, size or 1))


@laws
@given(found=st.lists(values, min_size=1, max_size=6), size=st.integers(1, 40), indent=st.sampled_from([None, 0, 3]))
def test_elements_are_those_of_the_array_wherever_it_is_cut(found: list[Any], size: int, indent: int | None) -> None:
    text = json.dumps(found, indent=indent, ensure_ascii=size % 2 == 0).encode()
    assert elements(text, size) == found
    batches = [found[i : i + 2] for i in range(0, len(found), 2)]
    assert elements(json.dumps(batches, indent=indent).encode(), size, level=2) == found
    assert elements(text + b"\r\n" + text, size) == found + found
    assert elements(b"\n".join(json.dumps(value, indent=2).encode() for value in found), size, level=0) == found


@settings(deadline=None, max_examples=200)
@example(rows=[[0.0, 0.0], [0.0, 0.0]], at=0.0, piece=b"[]", gone=0)
@example(rows=[[0.0, 0.0], [0.0, 0.0]], at=1.0, piece=b"]", gone=0)
@given(
    rows=st.lists(st.lists(st.floats(0, 1), min_size=2, max_size=2), min_size=2, max_size=4),
    at=st.floats(0, 1),
    piece=st.sampled_from(
        [b"", b",", b"]", b"[", b"}", b'"', b" ", b"\n", b"0", b"{", b"]]", b"[]", b",,", b"\\", b"null"]
    ),
    gone=st.integers(0, 2),
)
def test_a_changed_array_is_read_as_json_says_or_refused(
    rows: Table, at: float, piece: bytes, gone: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = json.dumps(rows).encode()
    place = int(at * len(text))
    changed = text[:place] + piece + text[place + gone :]
    path = tmp_path_factory.getbasetemp() / "c.json"
    path.write_bytes(changed)
    try:
        source = open_source(str(path), name="x")
        found = columns(source, list(range(source.width)))
    except XentError:
        return
    want = [row for value in values_of(changed.decode()) for row in value]
    assert found == np.array(want, dtype=np.float64).reshape(-1, source.width).view(np.int64).tolist()


def values_of(text: str) -> list[Any]:
    """The JSON values of a text, one after the other, as jq takes them: an array of rows each."""
    found, at = [], 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = json.JSONDecoder().raw_decode(text, at)
        found.append(value)
    return found


# What is scored, and what is refused.


def test_the_orients_of_pandas_cost_what_the_csv_does(write: Write, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    table = pd.DataFrame(random.dirichlet([1, 2, 1], 40), columns=["cat", "dog", "emu"])
    table["truth"] = np.array(["cat", "dog", "emu"])[random.integers(0, 3, 40)]
    table.to_csv(tmp_path / "t.csv", index=False)
    want = score(tmp_path / "t.csv", label="truth").cost
    for index in (None, [f"image-{i}" for i in range(40)]):
        named = table if index is None else table.set_index(pd.Index(index))
        made = {
            orient: named.to_json(orient=orient, double_precision=15)
            for orient in ("split", "index", "columns", "table")
        }
        # pandas writes 15 decimals; json.dumps writes every digit.
        made = {orient: json.dumps(named.to_dict(orient=orient)) for orient in ("split", "tight", "index", "dict")} | {
            "table": made["table"]
        }
        for orient, text in made.items():
            report = score(write("t.json", text), label="truth")
            assert report.cost == (pytest.approx(want, rel=1e-13) if orient == "table" else want), orient
            assert report.classes == ("cat", "dog", "emu")


def test_labels_may_be_an_array_lines_or_by_key(write: Write) -> None:
    preds = write("p.csv", "id,a,b\nx,0.25,0.75\ny,0.5,0.5\n")
    want = (math.log(4) + math.log(2)) / 2
    for name, text in {
        "an array": '["a", "b"]',
        "lines": '"a"\n"b"\n',
        "records": '[{"label": "a"}, {"label": "b"}]',
        "by name": '{"label": ["a", "b"]}',
    }.items():
        assert score(preds, write("y.json", text), preds="a,b").cost == want, name
    by_key = write("y.json", json.dumps({"y": "b", "x": "a"}))
    assert score(preds, by_key, preds="a,b", id="id").cost == want


FILES: dict[str, tuple[Any, dict[str, Any]]] = {
    "a tracker, a cell that is an object": (
        {"columns": ["id", "img", "y", "a", "b"], "data": [[0, {"path": "x"}, "a", 0.25, 0.75], [1, {"path": "z"}, "b", 0.5, 0.5]]},
        {"preds": "a,b", "label": "y"},
    ),
    "a dump with the names of the classes": (
        {"probs": [[0.25, 0.75], [0.5, 0.5]], "y": [0, 1], "class_names": ["a", "b", "c"][:2], "model": "m"},
        {"preds": "probs", "label": "y"},
    ),
    "a dump with other names than rows": (
        {"probs": [[0.25, 0.5, 0.25], [0.25, 0.5, 0.25]], "y": ["a", "b"], "class_names": ["a", "b", "c"]},
        {"preds": "probs", "label": "y"},
    ),
    "a label in a list": ([{"p": {"a": 0.25, "b": 0.75}, "y": ["a"]}, {"p": {"b": 0.5, "a": 0.5}, "y": ["b"]}], {"preds": "p", "label": "y"}),
    "by key, the label beside": ({"r1": {"p": {"a": 0.25, "b": 0.75}, "y": "a"}, "r2": {"p": {"a": 0.5, "b": 0.5}, "y": "b"}}, {"preds": "p", "label": "y"}),
}  # fmt: skip


@pytest.mark.parametrize("what", FILES)
def test_a_file_of_predictions_and_labels_is_scored(what: str, write: Write) -> None:
    found, options = FILES[what]
    for text in (json.dumps(found), json.dumps(found, indent=1)):
        assert score(write("f.json", text), **options).cost == (math.log(4) + math.log(2)) / 2


def test_what_is_not_a_number_in_json_is_what_python_means_by_it(write: Write) -> None:
    path = write("z.jsonl", '{"z": [1.0, -Infinity, 2], "y": 0}\n{"z": [-Infinity, 0, 0], "y": 1}\n')
    want = score(np.array([[1.0, -math.inf, 2], [-math.inf, 0, 0]]), np.array([0, 1]), kind="logits").cost
    assert score(path, preds="z", label="y", kind="logits").cost == want
    with pytest.raises(DataError, match=r"row 1 \(line 1\), column p\[1\]"):
        score(write("p.jsonl", '{"p": [0.5, NaN], "y": 0}\n'), preds="p", label="y")


REFUSED = {
    "a row of pairs with another label": ('[[{"l": "a", "s": 0.5}, {"l": "b", "s": 0.5}], [{"l": "a", "s": 0.5}, {"l": "c", "s": 0.5}]]', "row 2"),
    "a label twice": ('[[{"l": "a", "s": 0.5}, {"l": "b", "s": 0.5}], [{"l": "a", "s": 0.5}, {"l": "a", "s": 0.5}]]', "row 2"),
    "a row less": ('{"columns": ["a", "b"], "data": [[0.5, 0.5], [0.5]]}', "row 2"),
    "a name less": ('{"r1": {"a": 0.25, "b": 0.75}, "r2": {"a": 1.0, "c": 0.0}}', "row 2"),
    "a nested name that is new": ('[{"p": {"a": 0.5, "b": 0.5, "s": "x"}}, {"p": {"a": 0.5, "b": 0.5, "s": "x", "c": 1}}]', "row 2: 'p.c' is new"),
    "null": ('[{"a": 0.5, "b": 0.5}, null]', "row 2"),
    "a sparse vector beyond its size": ('[{"type": 1, "values": [0.5, 0.5]}, {"type": 0, "size": 2, "indices": [2], "values": [1]}]', "row 2"),
    "not closed": ('{"columns": ["a"], "data": [[1]', "no JSON"),
    "nothing": ("[]", "empty"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_as_the_first_row_is_refused_with_its_place(what: str, write: Write) -> None:
    text, says = REFUSED[what]
    with pytest.raises(XentError) as caught:
        score(write("p.json", text), np.array(["a", "b"], dtype=object), preds="p.[a-c]" if "new" in what else None)
    assert says in str(caught.value)


@posix_only
def test_numbers_by_key_that_could_be_both_are_refused_with_both_commands(write: Write) -> None:
    path = write("p.json", '{"a": [0.25, 0.75], "b": [0.75, 0.25]}')
    with pytest.raises(DataError) as caught:
        open_source(path, name=path)
    rows, by_column = (line.partition("   #")[0] for line in caught.value.advice)
    for command, names, want in (
        (rows, ("id", "p[0]", "p[1]"), [[0.25, 0.75], [0.75, 0.25]]),
        (by_column, ("a", "b"), [[0.25, 0.75], [0.75, 0.25]]),
    ):
        subprocess.run(command, shell=True, check=True)
        source = open_source(command.rpartition("> ")[2].strip(), name="x")
        assert source.names == names
        assert columns(source, [source.width - 2, source.width - 1]) == bits(want)


def test_a_table_that_is_one_object_has_a_limit_and_an_array_has_none(write: Write) -> None:
    rows = [[0.5, 0.5]] * 1000
    with pytest.raises(FileError, match="--max-batch"):
        score(write("p.json", json.dumps({"columns": ["a", "b"], "data": rows})), np.zeros(1000, int), max_batch=10_000)
    assert score(write("p.json", json.dumps(rows)), np.zeros(1000, int), max_batch=10_000).cost == math.log(2)


def test_an_array_is_read_in_bounded_memory(tmp_path: Path) -> None:
    row = json.dumps({"a": 0.25, "b": 0.75})
    peaks = []
    for count in (30_000, 200_000):
        path = tmp_path / f"{count}.json"
        path.write_text("[" + ", ".join([row] * count) + "]")
        tracemalloc.start()
        source = open_source(str(path), name="x")
        assert sum(part.load({"preds": Pick((0, 1))}).count for part in source.parts(1 << 16)) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + (1 << 20)
