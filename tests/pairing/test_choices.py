"""Choices of differing number: each row has a softmax over its own list."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from scipy.special import log_softmax, softmax

import xentcli
from tests.conftest import Call, Write

RNG = np.random.default_rng(3)
LENGTHS = [4, 2, 5, 4, 3, 2, 4]
LISTS = [RNG.normal(0, 3, n).tolist() for n in LENGTHS]
GOLD = [int(RNG.integers(0, n)) for n in LENGTHS]
TABLE = {"doc": list(range(7)), "lls": LISTS, "gold": GOLD, "ids": [[7] * 3] * 7}
COST = float(np.mean([-log_softmax(row)[gold] for row, gold in zip(LISTS, GOLD, strict=True)]))
ACCURACY = float(np.mean([np.argmax(row) == gold for row, gold in zip(LISTS, GOLD, strict=True)]))
BRIER = float(np.mean([((softmax(row) - np.eye(5)[g][: len(row)]) ** 2).sum() for row, g in zip(LISTS, GOLD)]))  # noqa: B905


def jsonl(path: Path) -> Any:
    rows = (dict(zip(TABLE, row, strict=True)) for row in zip(*TABLE.values(), strict=True))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def parquet(path: Path) -> Any:
    pq.write_table(pa.table(TABLE), path, row_group_size=3)
    return path


def arrow(path: Path) -> Any:
    feather.write_feather(pa.table(TABLE), path, chunksize=2)
    return path


@pytest.mark.parametrize("write", [jsonl, parquet, arrow, lambda path: pd.DataFrame(TABLE)])
@pytest.mark.parametrize("block_bytes", [None, 32])
def test_each_row_is_over_its_own_choices(
    tmp_path: Path, write: Callable[[Path], Any], block_bytes: int | None
) -> None:
    names: dict[Any, str] = {jsonl: "p.jsonl", parquet: "p.parquet", arrow: "p.arrow"}
    options: dict[str, Any] = {"preds": "lls", "label": "gold", "block_bytes": block_bytes}
    data = write(tmp_path / names.get(write, ""))
    report = xentcli.score(data, kind="logits", by=("doc",), **options)
    found = (report.cost, report.accuracy, report.brier)
    assert found == pytest.approx((COST, ACCURACY, BRIER), rel=1e-13)
    # The prior is by position, whatever the number of choices.
    counts = np.unique(GOLD, return_counts=True)[1] / len(GOLD)
    assert report.prior == pytest.approx(-(counts * np.log(counts)).sum(), rel=1e-13)
    losses = {str(doc): -log_softmax(row)[gold] for doc, row, gold in zip(range(7), LISTS, GOLD, strict=True)}
    assert {group.group["doc"]: group.cost for group in report.by} == pytest.approx(losses, rel=1e-12)
    padded = np.full((7, 5), -np.inf)
    for row, values in enumerate(LISTS):
        padded[row, : len(values)] = values
    assert report.cost == xentcli.score(padded, GOLD, kind="logits").cost


def test_the_columns_that_are_read_apart_are_those_of_the_file(tmp_path: Path) -> None:
    # More rows than are looked at to decide, and columns on both sides of the lists.
    rows = 10_000
    path, whole = tmp_path / "p.parquet", pa.table(TABLE)
    pq.write_table(pa.concat_tables([whole] * rows), path)
    options: dict[str, Any] = {"kind": "logits", "preds": "lls", "label": "gold"}
    report = xentcli.score(path, by=("doc",), **options)
    assert report.examples.read == 7 * rows
    assert report.cost == pytest.approx(COST, rel=1e-13)
    losses = {str(doc): -log_softmax(row)[gold] for doc, row, gold in zip(range(7), LISTS, GOLD, strict=True)}
    assert {group.group["doc"]: group.cost for group in report.by} == pytest.approx(losses, rel=1e-12)


def test_logprobs_of_differing_number(write: Write) -> None:
    rows = [{"p": log_softmax(row).tolist(), "y": gold} for row, gold in zip(LISTS, GOLD, strict=True)]
    path = write("p.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert xentcli.score(path, kind="logprobs", preds="p", label="y").cost == pytest.approx(COST, rel=1e-13)


@pytest.mark.parametrize(
    ("line", "options", "message"),
    [
        ('{"p": [1, 2], "y": 2}', (), "row 2 (line 2): label 2 is not one of the 2 choices of this row"),
        ('{"p": [1, null], "y": 0}', (), "row 2 (line 2), column p[1]: null or NaN is not a number"),
        ('{"p": [1, "a"], "y": 0}', (), "row 2 (line 2), column p[1]: 'a' is not a number"),
        ('{"p": null, "y": 0}', (), "row 2 (line 2), column p: 'null' where the first row has a list"),
        ('{"p": [1, 2], "y": 1}', ("--label-smoothing", "0.1"), "choices of differing number"),
        ('{"p": [1, 2], "y": 9}', (), "label 9"),
    ],
)
def test_what_is_no_choice_is_refused(
    call: Call, write: Write, line: str, options: tuple[str, ...], message: str
) -> None:
    path = write("p.jsonl", '{"p": [1, 2, 3], "y": 2}\n' + line + "\n")
    done = call("score", path, "--kind", "logits", "--preds", "p", "--label", "y", *options)
    assert (done.code, message in done.err) == (3, True), done.err


def test_short_lists_of_probabilities_are_damaged(call: Call, write: Write) -> None:
    path = write("p.jsonl", '{"p": [0.5, 0.5], "y": 0}\n{"p": [1.0], "y": 0}\n')
    done = call("score", path, "--preds", "p", "--label", "y")
    assert (done.code, "row 2" in done.err) == (3, True)


def test_lists_of_one_length_are_read_as_before(write: Write) -> None:
    lines = "".join(json.dumps({"p": [1.0, 2.0, 0.5], "y": i % 3}) + "\n" for i in range(9))
    report = xentcli.score(write("p.jsonl", lines), kind="logits", preds="p", label="y")
    assert report.cost == xentcli.score([[1.0, 2.0, 0.5]] * 9, [i % 3 for i in range(9)], kind="logits").cost


def test_an_item_of_a_list_can_be_read_as_text(call: Call, write: Write) -> None:
    lists = ([0.5, 0.25], [1.0, 2.0, 3.0], [0.5])
    done = call(
        "score", write("p.jsonl", "".join(f'{{"p": {some}}}\n' for some in lists)), "--kind", "logits", "--preds", "p"
    )
    assert (done.code, "which column has the labels?" in done.err) == (3, True), done.err
    path = write("l.jsonl", "".join(f'{{"p": {some}, "y": 0}}\n' for some in lists))
    report = xentcli.score(path, kind="logits", preds="p", label="y", by=("p[0]",))
    assert {part.group["p[0]"]: part.examples for part in report.by} == {"0.5": 2, "1.0": 1}
