"""Arrays of another shape than that of the labels: the line that is named makes the right one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import Call

RNG = np.random.default_rng(7)
Q = RNG.dirichlet([1, 1, 1], 12)
Y = RNG.integers(0, 3, 12)
COST = f"{-np.log(Q[range(12), Y]).mean():.12f}"


def follow(text: str, folder: Path) -> str:
    """Run the line of Python in a message; returns the file that it writes."""
    line = re.search(r"numpy\.save\('([^']+)', .*\)(?= writes)", text)
    assert line is not None, text
    exec(line[0], {"numpy": np, "pandas": pd})
    assert (folder / line[1]).exists()
    return line[1]


def npy(folder: Path, values: Any) -> str:
    np.save(folder / "p.npy", values)
    return "p.npy"


def csv(folder: Path, values: Any) -> str:
    pd.DataFrame({"x": values}).to_csv(folder / "p.csv", index=False)
    return "p.csv"


def named_rows(folder: Path, values: Any) -> str:
    pd.DataFrame({"x": values}, index=[f"r,{i}" for i in range(36)]).to_csv(folder / "p.tsv", sep="\t", quoting=2)
    return "p.tsv"


def bare(folder: Path, values: Any) -> str:
    np.savetxt(folder / "p.txt", values)
    return "p.txt"


def parquet(folder: Path, values: Any) -> str:
    pd.DataFrame({"x": values}).to_parquet(folder / "p.parquet")
    return "p.parquet"


def jsonl(folder: Path, values: Any) -> str:
    pd.DataFrame({"x": values}).to_json(folder / "p.jsonl", orient="records", lines=True, double_precision=15)
    return "p.jsonl"


def npz(folder: Path, values: Any) -> str:
    np.savez(folder / "p.npz", x=values)
    return "p.npz"


@pytest.mark.parametrize("write", [npy, csv, named_rows, bare, parquet, jsonl, npz])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("names", [None, "abc"])
def test_a_vector_of_all_numbers(call: Call, tmp_path: Path, write: Any, order: Any, names: str | None) -> None:
    labels: Any = Y if names is None else [names[y] for y in Y]
    pd.DataFrame({"y": labels}).to_csv(tmp_path / "y.csv", index=False)
    done = call("score", write(tmp_path, Q.reshape(-1, order=order)), "y.csv")
    assert (done.code, "12" in done.err, "--id" in done.err) == (3, True, False), done.err
    table = follow(done.err, tmp_path)
    classes = () if names is None else ("--classes", "a,b,c")
    assert f"{float(call('score', table, 'y.csv', '-q', *classes).out):.12f}" == COST


@pytest.mark.parametrize(("kind", "values"), [("logprobs", np.log(Q)), ("logits", np.log(Q) + 1)])
def test_a_vector_of_the_other_kinds(call: Call, tmp_path: Path, kind: str, values: Any) -> None:
    np.save(tmp_path / "y.npy", Y)
    done = call("score", npy(tmp_path, values.reshape(-1)), "y.npy", "--kind", kind)
    table = follow(done.err, tmp_path)
    assert f"{float(call('score', table, 'y.npy', '-q', '--kind', kind).out):.12f}" == COST


@pytest.mark.parametrize("values", [Q.reshape(-1)[:35], RNG.uniform(size=36), np.repeat(0.5, 12)])
def test_what_is_no_such_vector_is_not_called_one(call: Call, tmp_path: Path, values: Any) -> None:
    np.save(tmp_path / "y.npy", Y[:11] % 2)
    done = call("score", npy(tmp_path, values), "y.npy")
    assert (done.code, "numpy.save" in done.err) == (3, False), done.err


def test_several_outputs_of_scikit_learn(call: Call, tmp_path: Path) -> None:
    q, y = RNG.dirichlet([1, 1], (3, 20)), RNG.integers(0, 2, (20, 3))
    np.save(tmp_path / "p.npy", q)
    truth = -np.log(np.take_along_axis(q, y.T[:, :, None], axis=2)).mean()
    np.save(tmp_path / "y.npy", y)
    pd.DataFrame(y).to_csv(tmp_path / "y.csv", index=False)
    for labels in ("y.npy", "y.csv"):
        done = call("score", "p.npy", labels)
        assert done.code == 3
        cost = float(call("score", follow(done.err, tmp_path), labels, "--multilabel", "-q").out)
        assert cost == pytest.approx(truth, rel=1e-14)


def test_a_table_beside_labels_of_more_axes(call: Call, tmp_path: Path) -> None:
    z, y = RNG.normal(size=(3, 4, 5, 6)), RNG.integers(0, 4, (3, 5, 6))
    np.save(tmp_path / "y.npy", y)
    np.save(tmp_path / "z.npy", z)
    truth = call("score", "z.npy", "y.npy", "--kind", "logits", "--class-axis", "1", "-q").out
    np.save(tmp_path / "p.npy", np.moveaxis(z, 1, -1).reshape(-1, 4))
    done = call("score", "p.npy", "y.npy", "--kind", "logits")
    assert call("score", "p.npy", follow(done.err, tmp_path), "--kind", "logits", "-q").out == truth
    # The classes were not the last axis.
    np.save(tmp_path / "p.npy", z.reshape(-1, 6))
    done = call("score", "p.npy", "y.npy", "--kind", "logits")
    assert (done.code, "are 90 rows of 4" in done.err, "moveaxis" in done.err) == (3, True, True)
