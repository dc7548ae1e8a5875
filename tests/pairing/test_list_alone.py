"""A list of logits is the predictions alone: a number beside it is never one more class by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax

from tests.conftest import Write
from xentcli import score
from xentcli.errors import DataError

Z = np.array([[2.0, 0.0, 0.5], [0.0, 2.0, 0.25], [2.0, 0.0, 1.0], [1.0, 2.0, 0.0]])
Y = np.array([0, 1, 0, 2])
COST = float(-log_softmax(Z, axis=1)[np.arange(4), Y].mean())
FRAME = {"label": Y.tolist(), "logits": Z.tolist(), "pred": Z.argmax(axis=1).tolist(), "loss": [0.25, 0.5, 1.0, 3.0]}


def _jsonl(path: Path) -> None:
    rows = (dict(zip(FRAME, values, strict=True)) for values in zip(*FRAME.values(), strict=True))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _npz(path: Path) -> None:
    members: dict[str, Any] = {name: np.array(values) for name, values in FRAME.items()}
    with path.open("wb") as out:
        np.savez(out, **members)


WRITERS: dict[str, Callable[[Path], Any]] = {
    "p.jsonl": _jsonl,
    "p.npz": _npz,
    "p.parquet": pd.DataFrame(FRAME).to_parquet,
    "p.csv": lambda path: pd.DataFrame(FRAME).to_csv(path, index=False),
}


@pytest.mark.parametrize("name", WRITERS)
def test_numbers_beside_a_list_of_logits_are_unused(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name)
    report = score(str(tmp_path / name), label="label", kind="logits")
    assert report.cost == pytest.approx(COST, rel=1e-14)
    assert len(report.classes) == 3
    assert report.inputs[0].unused == ("pred", "loss")


def test_a_list_without_row_sums_is_alone_whatever_its_kind(write: Write) -> None:
    rows = "".join(json.dumps({"y": 0, "probs": [0.5, 0.25], "loss": 0.125}) + "\n" for _ in range(3))
    assert score(write("p.jsonl", rows), label="y", renormalize=True).cost == pytest.approx(np.log(1.5))


def message(write: Write, row: dict[str, Any]) -> str:
    with pytest.raises(DataError) as caught:
        score(write("p.jsonl", f"{json.dumps(row)}\n" * 3), label="y", kind="logits")
    return str(caught.value)


def test_of_two_lists_the_one_named_as_the_kind_comes_first(write: Write) -> None:
    lines = message(write, {"y": 0, "probs": [0.5, 0.5], "logits": [1.0, 1.0], "pred": 1}).splitlines()
    assert "which are the logits?" in lines[0]
    assert [line.split()[:2] for line in lines[1:]] == [["--preds", "logits"], ["--preds", "probs"]]


def test_a_list_of_something_else_is_not_taken_beside_numbers_called_logits(write: Write) -> None:
    said = message(write, {"y": 0, "embedding": [0.5, 0.5, 4.0], "logit_a": 1.0, "logit_b": 2.0})
    assert "numbers in logit_a, logit_b" in said
    assert "or --preds logit_a,logit_b" in said


@pytest.mark.parametrize("kind", ["logits", "logprobs"])
def test_a_vector_of_spark_is_read_for_every_kind(kind: Any, write: Write) -> None:
    vectors = [{"type": 1, "size": None, "indices": None, "values": row} for row in log_softmax(Z, axis=1).tolist()]
    rows = "".join(json.dumps({"y": y, "raw": raw}) + "\n" for y, raw in zip(Y.tolist(), vectors, strict=True))
    assert score(write("p.jsonl", rows), label="y", preds="raw", kind=kind).cost == pytest.approx(COST)
