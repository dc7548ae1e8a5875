"""One meaning whatever the format: the same values give the same bits of a report."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

import xentcli
from tests.inputs import office
from tests.laws import settings
from xentcli.readers import READERS, open_source
from xentcli.report.report import Report

Array = npt.NDArray[Any]
Put = Callable[[str, bytes], str]

ANIMALS = ("cat", "dog", "emu", "fox", "gnu")
# Each example is scored several times.
laws = settings(deadline=None, max_examples=25, least=8)


@dataclass(frozen=True)
class Case:
    """Predictions, labels of some style, and weights."""

    kind: str
    predictions: Array
    labels: Array
    weights: Array | None

    @property
    def names(self) -> tuple[str, ...]:
        classes = self.predictions.shape[1]
        return ANIMALS[:classes] if classes <= len(ANIMALS) else tuple(f"n{i}x" for i in range(classes))

    @property
    def options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"kind": self.kind}
        if self.predictions.shape[1] > 1:
            options["classes"] = self.names
        if self.weights is not None:
            width = 1 if self.labels.ndim == 1 else self.labels.shape[1]
            options |= {"label": "#1" if width == 1 else f"#1:#{width}", "weights": f"#{width + 1}"}
        return options

    @property
    def label_columns(self) -> list[Array]:
        columns = [self.labels] if self.labels.ndim == 1 else list(self.labels.T)
        return columns if self.weights is None else [*columns, self.weights]

    def score(self, predictions: Any, labels: Any, **options: Any) -> Report:
        return xentcli.score(predictions, labels, **(self.options | options))


def softmax(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def make(kind: str, style: str, rows: int, classes: int, scale: float, weighted: bool, seed: int) -> Case:
    random = np.random.default_rng(seed)
    logits = random.normal(0, scale, (rows, classes))
    truth = random.integers(0, max(classes, 2), rows)
    if classes == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    predictions = logits
    if kind != "logits":
        predictions = softmax(logits)
    if kind == "logprobs":
        shifted = logits - logits.max(axis=1, keepdims=True)
        predictions = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    predictions = predictions[:, -classes:]
    labels: Array = truth
    if style == "soft" and classes == 1:
        labels = random.choice([0.0, 1.0, 0.5, random.random()], rows)
    elif style == "soft":
        labels = softmax(random.normal(0, 2, (rows, classes)))
        labels[::3] = np.eye(classes)[truth[::3]]
    elif style == "one-hot" and classes > 1:
        labels = np.eye(classes)[truth]
    weights = None
    if weighted:
        weights = np.where(random.random(rows) < 0.3, 0.0, random.choice([1.0, 0.1, 3.7], rows))
        weights[random.integers(rows)] = 2.0
        predictions = predictions.copy()
        predictions[(weights == 0) & (random.random(rows) < 0.5)] = np.nan
    case = Case(kind, predictions, labels, weights)
    if style == "name" and classes > 1:
        case = replace(case, labels=np.array(case.names, dtype=object)[truth])
    return case


cases = st.builds(
    make,
    kind=st.sampled_from(["probs", "logits", "logprobs"]),
    style=st.sampled_from(["index", "name", "one-hot", "soft"]),
    rows=st.integers(1, 30),
    classes=st.sampled_from([1, 2, 3, 5, 9, 140]),
    scale=st.sampled_from([0.5, 5.0, 200.0]),
    weighted=st.booleans(),
    seed=st.integers(0, 2**32),
)


def figures(report: Report, *without: str) -> str:
    """All figures of a report as text: equal texts are equal bits."""
    plain = report.to_dict()
    for name in ("inputs", "options", *without):
        del plain[name]
    if "warnings" in plain:
        # What helps against a warning depends on whether names stand in the file.
        plain["warnings"] = [(warning["code"], warning["message"]) for warning in plain["warnings"]]
    return json.dumps(plain, sort_keys=True, indent=1)


def cell(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def text(
    columns: Sequence[Array],
    header: Sequence[str] | None = None,
    delimiter: str = ",",
    end: str = "\n",
    quoting: Any = csv.QUOTE_MINIMAL,
) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting)
    if header is not None:
        writer.writerow(header)
    writer.writerows([cell(v) for v in row] for row in zip(*(c.tolist() for c in columns), strict=True))
    return file.getvalue().encode()


def npy(array: Array, version: tuple[int, int] = (1, 0)) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version)
    return file.getvalue()


def npz(save: Any = np.savez, **arrays: Array) -> bytes:
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def tensors(arrays: dict[str, Array]) -> bytes:
    return safetensors.numpy.save({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def jsonl(case: Case, put: Put, records: list[dict[Any, Any]], ordered: bool = False) -> Any:
    """The records, or the array itself where JSON has no number for a value."""
    if not np.isfinite(case.predictions).all() or (ordered and sorted(case.names) != list(case.names)):
        return case.predictions
    return put("p.jsonl", "".join(json.dumps(record) + "\n" for record in records).encode())


def vw(case: Case, put: Put) -> Any:
    if not np.isfinite(case.predictions).all() or case.predictions.shape[1] == 1:
        return case.predictions
    lines = (" ".join(f"{n}:{v!r}" for n, v in zip(case.names, row, strict=True)) for row in case.predictions.tolist())
    return put("p.predict", ("\n".join(lines) + "\n").encode())


def fasttext(case: Case, put: Put) -> Any:
    """Pairs of a label and its probability, each row from the first class or from the last."""
    if case.kind != "probs" or not np.isfinite(case.predictions).all() or case.predictions.shape[1] == 1:
        return case.predictions
    pairs = ([f"__label__{n} {v!r}" for n, v in zip(case.names, row, strict=True)] for row in case.predictions.tolist())
    lines = (" ".join(pair[:: -1 if place % 2 else 1]) for place, pair in enumerate(pairs))
    return put("p.fasttext", ("\n".join(lines) + "\n").encode())


def of_cells(case: Case, put: Put, name: str, write: Callable[..., bytes], least: float = 1e-300) -> Any:
    """The predictions as an office file, or the array itself where its numbers have no such value, or are many."""
    size = np.abs(case.predictions)
    if size.size > 99 or not np.isfinite(case.predictions).all() or ((size > 0) & (size < least)).any():
        return case.predictions
    return put(name, write([case.names, *case.predictions.tolist()]))


def parquet(table: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    table.to_parquet(file, row_group_size=7)
    return file.getvalue()


def feather(table: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    table.to_feather(file, chunksize=11)
    return file.getvalue()


def frame(columns: Sequence[Array], names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(dict(zip(names, columns, strict=True)))


def in_17_digits(array: Array) -> Array:
    return np.array([[f"{v:.17g}" for v in row] for row in array.tolist()], dtype=object)


def columns_of(array: Array) -> list[Array]:
    return list(array.T)


PREDICTIONS: dict[str, Callable[[Case, Put], Any]] = {
    "array": lambda case, put: case.predictions,
    "array in Fortran order": lambda case, put: np.asfortranarray(case.predictions),
    "array with steps": lambda case, put: np.repeat(case.predictions, 3, axis=0)[::3],
    "array, big-endian": lambda case, put: case.predictions.astype(">f8"),
    "list": lambda case, put: case.predictions.tolist(),
    "frame": lambda case, put: pd.DataFrame(case.predictions, columns=list(case.names)),
    "frame of columns": lambda case, put: frame(columns_of(case.predictions), case.names),
    "csv": lambda case, put: put("p.csv", text(columns_of(case.predictions))),
    "csv with a header": lambda case, put: put("p.csv", text(columns_of(case.predictions), case.names)),
    "csv, all quoted": lambda c, put: put("p.csv", text(columns_of(c.predictions), c.names, quoting=csv.QUOTE_ALL)),
    "csv, semicolon and CRLF": lambda c, put: put("p.csv", text(columns_of(c.predictions), c.names, ";", "\r\n")),
    "csv, CR": lambda case, put: put("p.csv", text(columns_of(case.predictions), case.names, end="\r")),
    "tsv": lambda case, put: put("p.tsv", text(columns_of(case.predictions), None, "\t")),
    "csv with 17 digits": lambda case, put: put("p.csv", text(columns_of(in_17_digits(case.predictions)))),
    "csv, gzip": lambda case, put: put("p.csv.gz", gzip.compress(text(columns_of(case.predictions)), 1)),
    "csv, bzip2": lambda case, put: put("p.csv.bz2", bz2.compress(text(columns_of(case.predictions), case.names))),
    "npy": lambda case, put: put("p.npy", npy(np.ascontiguousarray(case.predictions))),
    "npy, version 3": lambda case, put: put("p.npy", npy(case.predictions, (3, 0))),
    "npy in Fortran order": lambda case, put: put("p.npy", npy(np.asfortranarray(case.predictions))),
    "npy, big-endian": lambda case, put: put("p.npy", npy(case.predictions.astype(">f8"))),
    "npy, big-endian, Fortran": lambda c, put: put("p.npy", npy(np.asfortranarray(c.predictions.astype(">f8")))),
    "npy, gzip": lambda case, put: put("p.npy.gz", gzip.compress(npy(np.ascontiguousarray(case.predictions)), 1)),
    "csv, zstd": lambda c, put: put("p.csv.zst", pa.compress(text(columns_of(c.predictions)), "zstd", asbytes=True)),
    "npz": lambda case, put: put("p.npz", npz(p=case.predictions)),
    "npz in Fortran order": lambda case, put: put("p.npz", npz(p=np.asfortranarray(case.predictions))),
    "npz, big-endian, Fortran": lambda c, put: put("p.npz", npz(p=np.asfortranarray(c.predictions.astype(">f8")))),
    "npz, compressed": lambda c, put: put("p.npz", npz(np.savez_compressed, p=np.ascontiguousarray(c.predictions))),
    "npz of columns": lambda c, put: put("p.npz", npz(**dict(zip(c.names, columns_of(c.predictions), strict=True)))),
    "safetensors": lambda c, put: put("p.safetensors", tensors({"p": np.ascontiguousarray(c.predictions)})),
    "json lines": lambda case, put: jsonl(case, put, [{"p": row} for row in case.predictions.tolist()]),
    "json lines of columns": lambda c, put: jsonl(c, put, frame(columns_of(c.predictions), c.names).to_dict("records")),
    "json lines of objects": lambda c, put: jsonl(
        c, put, [{"p": row} for row in frame(columns_of(c.predictions), c.names).to_dict("records")], ordered=True
    ),
    "json": lambda case, put: put("p.json", json.dumps(case.predictions.tolist()).encode()),
    "json of columns": lambda c, put: put("p.json", json.dumps({"columns": c.names, "data": c.predictions.tolist()}).encode()),
    "vw": lambda case, put: vw(case, put),
    "fasttext": lambda case, put: fasttext(case, put),
    "parquet": lambda c, put: put("p.parquet", parquet(frame(columns_of(c.predictions), c.names))),
    "parquet of lists": lambda c, put: put("p.parquet", parquet(pd.DataFrame({"p": c.predictions.tolist()}))),
    "feather": lambda c, put: put("p.feather", feather(frame(columns_of(c.predictions), c.names))),
    "excel": lambda case, put: of_cells(case, put, "p.xlsx", office.workbook),
    "stata": lambda case, put: of_cells(case, put, "p.dta", office.stata),
    "spss": lambda case, put: of_cells(case, put, "p.sav", office.spss),
    "sas, transport": lambda case, put: of_cells(case, put, "p.xpt", office.xport, least=1e-70),
}  # fmt: skip

LABELS: dict[str, Callable[[Case, Put], Any]] = {
    "frame": lambda case, put: frame(case.label_columns, label_names(case)),
    "csv": lambda case, put: put("l.csv", text(case.label_columns, label_names(case))),
    "csv without a header": lambda case, put: put("l.csv", text(case.label_columns)),
    "csv, gzip": lambda case, put: put("l", gzip.compress(text(case.label_columns, label_names(case)), 1)),
    "tsv": lambda case, put: put("l.tsv", text(case.label_columns, label_names(case), "\t")),
    "json lines": lambda case, put: put("l.jsonl", json_labels(case)),
    "json": lambda case, put: put("l.json", json.dumps(list(map(json.loads, json_labels(case).splitlines()))).encode()),
    "parquet": lambda case, put: put("l.parquet", parquet(frame(case.label_columns, label_names(case)))),
    "feather": lambda case, put: put("l.feather", feather(frame(case.label_columns, label_names(case)))),
    "npz": lambda case, put: put("l.npz", npz(**named_labels(case))),
}
NUMERIC_LABELS: dict[str, Callable[[Case, Put], Any]] = {
    "array": lambda case, put: stacked(case),
    "array in Fortran order": lambda case, put: np.asfortranarray(stacked(case)),
    "list": lambda case, put: stacked(case).tolist(),
    "npy": lambda case, put: put("l.npy", npy(stacked(case))),
    "npy, big-endian": lambda case, put: put("l.npy", npy(stacked(case).astype(">f8"))),
    "npy in Fortran order": lambda case, put: put("l.npy", npy(np.asfortranarray(stacked(case)))),
    "npy, gzip": lambda case, put: put("l", gzip.compress(npy(stacked(case)), 1)),
    "safetensors": lambda case, put: put("l.safetensors", tensors({"labels": stacked(case)})),
}
SINGLE_LABELS: dict[str, Callable[[Case, Put], Any]] = {
    "series": lambda case, put: pd.Series(case.labels),
    "list": lambda case, put: case.labels.tolist(),
    "array": lambda case, put: case.labels,
}
WHOLE_LABELS: dict[str, Callable[[Case, Put], Any]] = {
    "npy u1": lambda case, put: put("l.npy", npy(case.labels.astype("u1"))),
    "npy >i2": lambda case, put: put("l.npy", npy(case.labels.astype(">i2"))),
    "npy f4": lambda case, put: put("l.npy", npy(case.labels.astype("<f4"))),
    "csv with .0": lambda case, put: put("l.csv", text([case.labels.astype(float)], ["label"])),
}


def json_labels(case: Case) -> bytes:
    records = frame(case.label_columns, label_names(case)).to_dict("records")
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def named_labels(case: Case) -> dict[str, Array]:
    """The columns of the labels by name; text as text, not as objects."""
    columns = [column.astype(str) if column.dtype == object else column for column in case.label_columns]
    return dict(zip(label_names(case), columns, strict=True))


def label_names(case: Case) -> list[str]:
    names = ["label"] if case.labels.ndim == 1 else [f"y_{i}" for i in range(case.labels.shape[1])]
    return names if case.weights is None else [*names, "weight"]


def stacked(case: Case) -> Array:
    return np.stack(case.label_columns, axis=1).astype(float)


def label_forms(case: Case) -> dict[str, Callable[[Case, Put], Any]]:
    forms = dict(LABELS)
    if case.labels.dtype != object:
        forms |= NUMERIC_LABELS
    elif case.weights is not None:
        del forms["csv without a header"]  # a name and a decimal: is it a header or data?
    if case.labels.ndim == 1 and case.weights is None:
        forms |= SINGLE_LABELS
        if case.labels.dtype.kind in "iu":
            forms |= WHOLE_LABELS
    return forms


@pytest.fixture(scope="module")
def put(tmp_path_factory: pytest.TempPathFactory) -> Put:
    folder = tmp_path_factory.mktemp("formats")

    def write(name: str, content: bytes) -> str:
        path: Path = folder / name
        path.write_bytes(content)
        return str(path)

    return write


def test_every_reader_is_under_these_laws(put: Put) -> None:
    case = make("probs", "index", 3, 3, 1.0, False, 1)
    office_files = {"excel", "stata", "spss", "sas"}
    for forms, but in ((PREDICTIONS, set()), (label_forms(case), {"vw", "fasttext"} | office_files)):
        seen = {open_source(form(case, put), name="x").format for form in forms.values()}
        assert seen == {*READERS, "memory"} - but


@laws
@given(case=cases)
def test_predictions_of_the_same_values_give_the_same_bits_in_every_format(case: Case, put: Put) -> None:
    labels = LABELS["csv"](case, put)
    expected = figures(case.score(case.predictions, labels))
    for name, form in PREDICTIONS.items():
        assert figures(case.score(form(case, put), labels)) == expected, name


@laws
@given(case=cases)
def test_labels_of_the_same_values_give_the_same_bits_in_every_format(case: Case, put: Put) -> None:
    expected = None
    for name, form in label_forms(case).items():
        report = case.score(case.predictions, form(case, put))
        found = figures(report, "labels"), report.labels.matched, report.labels.counts
        expected = expected or found
        assert found == expected, name


@laws
@given(case=cases, seed=st.integers(0, 2**32), dtype=st.sampled_from(["f2", "f4"]))
def test_values_of_few_bits_are_the_doubles_they_are(case: Case, seed: int, dtype: str, put: Put) -> None:
    case = make(case.kind, "index", len(case.predictions), case.predictions.shape[1], 1.0, False, seed)
    narrow = case.predictions.astype(dtype)
    wide = replace(case, predictions=narrow.astype(np.float64))
    options = {} if case.kind == "logits" else {"sum_tolerance": 0.2}
    expected = figures(case.score(wide.predictions, case.labels, **options))
    forms = {
        "array": narrow,
        "frame": pd.DataFrame(narrow, columns=list(case.names)),
        "npy": put("n.npy", npy(narrow)),
        "npy in Fortran order": put("n2.npy", npy(np.asfortranarray(narrow))),
        "npy, big-endian": put("n3.npy", npy(narrow.astype(">" + dtype))),
        "npy, gzip": put("n4.npy", gzip.compress(npy(narrow), 1)),
        "csv": PREDICTIONS["csv"](wide, put),
        "npy of doubles": PREDICTIONS["npy"](wide, put),
    }
    for name, form in forms.items():
        assert figures(case.score(form, case.labels, **options)) == expected, name


# tests/engine/test_bits.py is under this law too.
@settings(deadline=None, max_examples=3)
@given(
    kind=st.sampled_from(["probs", "logits", "logprobs"]),
    style=st.sampled_from(["index", "name", "one-hot", "soft"]),
    classes=st.sampled_from([1, 3, 9, 140]),
    weighted=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_blocks_and_threads_change_no_bit(
    kind: str, style: str, classes: int, weighted: bool, seed: int, put: Put
) -> None:
    # Each row is a task, which takes five milliseconds.
    case = make(kind, style, 6 if classes == 140 else 15, classes, 5.0, weighted, seed)
    labels = LABELS["csv"](case, put)
    whole = 1 << 24
    expected = figures(case.score(case.predictions, labels, block_bytes=whole))
    for name in ("array", "csv", "csv, gzip", "npy in Fortran order", "npy, gzip", "npz", "npz in Fortran order"):
        predictions = PREDICTIONS[name](case, put)
        for block_bytes, threads in ((1, 1), (1, 8), (100, 2), (999, 8), (5000, 1), (whole, 2)):
            report = case.score(predictions, labels, block_bytes=block_bytes, threads=threads)
            assert figures(report) == expected, (name, block_bytes, threads)


@pytest.mark.parametrize("kind", ["probs", "logits", "logprobs"])
@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_many_rows_have_the_same_bits_in_every_block(kind: str, classes: int, put: Put) -> None:
    case = make(kind, "index", 200_000 // classes, classes, 3.0, False, 11)
    path, labels = PREDICTIONS["npy"](case, put), put("l.npy", npy(case.labels))
    expected = figures(case.score(path, labels, block_bytes=1 << 26))
    # Blocks of a few rows are under the law above; here the smallest is a thirteenth of the rows.
    thirteenth = 8 * classes * (len(case.labels) // 13)
    for block_bytes, threads in ((thirteenth, 2), (1 << 16, 1), (100_003, 8), (1 << 20, 2)):
        assert figures(case.score(path, labels, block_bytes=block_bytes, threads=threads)) == expected


def shuffled(case: Case, order: Array) -> Case:
    weights = None if case.weights is None else case.weights[order]
    return replace(case, predictions=case.predictions[order], labels=case.labels[order], weights=weights)


@laws
@given(case=cases, seed=st.integers(0, 2**32))
def test_rows_in_another_order_give_the_same_bits(case: Case, seed: int) -> None:
    other = shuffled(case, np.random.default_rng(seed).permutation(len(case.labels)))
    reports = [c.score(c.predictions, frame(c.label_columns, label_names(c))) for c in (case, other)]
    assert figures(reports[0], "infinite", "warnings") == figures(reports[1], "infinite", "warnings")
    assert reports[0].infinite.count == reports[1].infinite.count
    assert reports[0].infinite.cost_of_the_rest == reports[1].infinite.cost_of_the_rest


@laws
@given(case=cases, seed=st.integers(0, 2**32), block_bytes=st.sampled_from([1, 200, 1 << 20]))
def test_rows_joined_by_id_give_the_bits_of_rows_in_order(case: Case, seed: int, block_bytes: int, put: Put) -> None:
    random = np.random.default_rng(seed)
    ids = np.array([f"image {i}" for i in range(len(case.labels))], dtype=object)
    names = label_names(case)
    options: dict[str, Any] = {"id": "id", "block_bytes": block_bytes}
    if case.weights is not None:
        options |= {"weights": "weight", "label": names[0] if len(names) == 2 else f"{names[0]}:{names[-2]}"}

    def joined(predictions_order: Array, labels_order: Array) -> Report:
        predicted, labelled = shuffled(case, predictions_order), shuffled(case, labels_order)
        predictions = text([ids[predictions_order], *columns_of(predicted.predictions)], ["id", *case.names])
        labels = text([*labelled.label_columns, ids[labels_order]], [*names, "id"])
        return case.score(put("p.csv", predictions), put("l.csv", labels), **options)

    same = np.arange(len(ids))
    in_order = joined(same, same)
    labels_moved = joined(same, random.permutation(same))
    assert figures(labels_moved) == figures(in_order)
    both_moved = joined(random.permutation(same), random.permutation(same))
    assert figures(both_moved, "infinite", "warnings") == figures(in_order, "infinite", "warnings")
    by_position = case.score(case.predictions, frame(case.label_columns, names))
    for one in (in_order, both_moved):
        assert (one.cost, one.standard_error, one.interval) == (
            by_position.cost,
            by_position.standard_error,
            by_position.interval,
        )
