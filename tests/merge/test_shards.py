"""--shard I/N: the N runs together are one run, whatever is shared out: files, or the rows of files of any form."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import xentcli
from tests.conftest import csv
from tests.merge.test_merge import plain
from xentcli.errors import DataError, NoVerdict
from xentcli.records import replace

merge: Any = xentcli.merge

N, NAMES = 83, ["ant", "bee", "cat"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same rows in several forms: a file, seven files, with ids in another order, as lists, as sequences."""
    where = tmp_path_factory.mktemp("shards")
    rng = np.random.default_rng(8)
    q, y = rng.dirichlet(np.full(3, 0.5), N), rng.integers(0, 3, N)
    q[::9] = [0.0, 0.5, 0.5]
    y[:3] = range(3)
    names = [NAMES[i] for i in y]
    (where / "q.csv").write_text(csv(q.tolist(), NAMES))
    (where / "q.csv.gz").write_bytes(gzip.compress(csv(q.tolist(), NAMES).encode()))
    (where / "y.csv").write_text(csv([[name] for name in names], ["truth"]))
    np.save(where / "q.npy", q)
    np.save(where / "y.npy", y)
    pd.DataFrame(q, columns=NAMES).to_parquet(where / "q.parquet", row_group_size=10)
    ids = [f"é{i}" for i in rng.permutation(N)]
    (where / "id_q.csv").write_text(csv([[i, *row] for i, row in zip(ids, q.tolist(), strict=True)], ["id", *NAMES]))
    shuffled = rng.permutation(N)
    (where / "id_y.csv").write_text(csv([[ids[i], names[i]] for i in shuffled], ["id", "truth"]))
    (where / "id_more.csv").write_text(
        csv([[ids[i], names[i]] for i in shuffled[5:]] + [["x", "ant"]], ["id", "truth"])
    )
    np.save(where / "cube.npy", rng.normal(size=(9, 4, 3)))
    np.save(where / "square.npy", rng.integers(0, 3, (9, 4)))
    tokens = [{"p": [float(v) for v in rng.random(int(n))]} for n in rng.integers(1, 5, 40)]
    pd.DataFrame(tokens).to_parquet(where / "lists.parquet", row_group_size=7)
    for side in ("qs", "ys", "id_qs"):
        (where / side).mkdir()
    for part, rows in enumerate(np.array_split(np.arange(N), 7)):
        np.save(where / f"qs/{part + 5}.npy", q[rows])
        np.save(where / f"ys/{part + 5}.npy", y[rows])
        with_ids = [[ids[i], *q[i].tolist()] for i in rows]
        (where / f"id_qs/{part}.csv").write_text(csv(with_ids, ["id", *NAMES]))
    return where


INPUTS: dict[str, tuple[str, str | None, dict[str, Any]]] = {
    "text": ("q.csv", "y.csv", {}),
    "compressed": ("q.csv.gz", "y.csv", {}),
    "arrays": ("q.npy", "y.npy", {}),
    "parquet": ("q.parquet", "y.csv", {}),
    "files on both sides": ("qs", "ys", {}),
    "files and one file": ("qs", "y.npy", {}),
    "one file and files": ("q.npy", "ys", {}),
    "text and files": ("q.csv", "ys", {"index_base": 0}),
    "ids": ("id_q.csv", "id_y.csv", {"id": "id"}),
    "ids in files": ("id_qs", "id_y.csv", {"id": "id"}),
    "some ids": ("id_q.csv", "id_more.csv", {"id": "id", "subset": True}),
    "some ids in files": ("id_qs", "id_more.csv", {"id": "id", "subset": True}),
    "sequences": ("cube.npy", "square.npy", {"kind": "logits"}),
    "next token": ("cube.npy", "square.npy", {"kind": "logits", "shift_labels": True}),
    "lists": ("lists.parquet", None, {"kind": "true-probs"}),
}


@pytest.mark.parametrize("count", [3, 8])
@pytest.mark.parametrize("name", INPUTS)
def test_the_shards_together_are_one_run(
    name: str, count: int, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    predictions, labels, options = INPUTS[name]
    options = {"worst": 9, **options}
    whole = xentcli.score(predictions, labels, **options)
    paths = [str(tmp_path / f"{index}.json") for index in range(1, count + 1)]
    parts = [
        xentcli.score(predictions, labels, shard=f"{index}/{count}", state=path, **options)
        for index, path in enumerate(paths, 1)
    ]
    assert sum(part.examples.read for part in parts) == whole.examples.read
    merged = merge(paths[::-1])
    if whole.unmatched is not None:
        # No shard knows which labels are in none of them: they are counted, not named.
        assert (merged.unmatched.label_ids, whole.unmatched.label_ids) == ((), ("x",))
        whole = replace(whole, unmatched=replace(whole.unmatched, label_ids=()))
    assert plain(merged) == plain(whole)
    assert [(i.path, i.format, i.rows, i.files) for i in merged.inputs] == [
        (i.path, i.format, i.rows, i.files) for i in whole.inputs
    ]


@pytest.mark.parametrize("more", [{}, {"by": "@g.csv:g", "cluster": "@g.csv:c"}, {"multilabel": True}])
def test_a_calibration_of_shards_is_one_without_a_fit(
    more: dict[str, Any], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "g.csv").write_text(csv([["uvw"[i % 3], f"c{i % 11}"] for i in range(N)], ["g", "c"]))
    np.save(folder / "cells.npy", np.random.default_rng(2).integers(0, 2, (N, 3)).astype(float))
    labels = "cells.npy" if "multilabel" in more else "ys"
    paths = [str(tmp_path / f"{index}.json") for index in range(1, 5)]
    for index, path in enumerate(paths, 1):
        xentcli.calibration(
            "qs", labels, shard=f"{index}/4", state=path, bins=7, fit="none" if index % 2 else None, **more
        )
    merged, whole = (
        merge(paths).to_dict(),
        xentcli.calibration("qs", labels, bins=7, fit="none", **more).to_dict(),
    )
    assert "xent calibration" in merged["undefined"].pop("fit")
    for name in ("inputs", "options"):
        del merged[name], whole[name]
    assert merged == whole


def test_an_id_in_two_shards_and_one_in_none(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    lines = (folder / "id_q.csv").read_text().splitlines(keepends=True)
    other = tmp_path / "other.csv"

    def states(text: str) -> list[str]:
        other.write_text(text)
        paths = [str(tmp_path / f"{index}.json") for index in (1, 2)]
        for index, path in enumerate(paths, 1):
            xentcli.score(str(other), "id_y.csv", id="id", shard=f"{index}/2", state=path)
        return paths

    twice = lines[1].split(",")[0]
    row = 1 + [line.split(",")[0] for line in (folder / "id_y.csv").read_text().splitlines()[1:]].index(twice)
    with pytest.raises(DataError, match=rf"row {row:,} of id_y\.csv is in .* twice"):
        merge(states("".join([*lines[:-1], lines[1]])))
    with pytest.raises(DataError, match=r"1 ids of id_y\.csv are in no shard"):
        merge(states("".join(lines[:-1])))


MOVED: dict[str, Callable[[Path], None]] = {
    "another file": lambda where: np.save(where / "5.npy", np.full((2, 3), 1 / 3)),
    "a file less": lambda where: (where / "4.npy").unlink(),
}


@pytest.mark.parametrize("change", MOVED)
def test_files_that_come_or_go_between_the_shards_are_noticed(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    for side in ("p", "l"):
        Path(side).mkdir()
    for part in range(5):
        np.save(f"p/{part}.npy", rng.dirichlet(np.ones(3), 4))
        np.save(f"l/{part}.npy", rng.integers(0, 3, 4))
    xentcli.score("p", "l", shard="1/2", state="1.json")
    MOVED[change](Path("p"))
    np.save("l/5.npy", np.zeros(2, int)) if change == "another file" else Path("l/4.npy").unlink()
    xentcli.score("p", "l", shard="2/2", state="2.json")
    with pytest.raises(DataError, match="not of one whole"):
        merge(["1.json", "2.json"])


@pytest.mark.parametrize("rows", [0, 2])
def test_shards_whose_files_have_the_same_bytes_are_different_rows(rows: int, tmp_path: Path) -> None:
    for name, head, body in (("q", "ant,bee", ["0.25,0.75", "0.5,0.5"]), ("y", "truth", ["bee", "ant"])):
        (tmp_path / name).mkdir()
        for part in range(3):
            lines = [head, *(body if part == 1 else body[:rows])]
            (tmp_path / name / f"{part}.csv").write_text("\n".join(lines) + "\n")
    files, states = (str(tmp_path / "q"), str(tmp_path / "y")), []
    for part in range(3):
        states.append(str(tmp_path / f"{part}.json"))
        with contextlib.nullcontext() if rows or part == 1 else pytest.raises(NoVerdict):
            xentcli.score(*files, shard=f"{part + 1}/3", state=states[-1])
    assert merge(states).cost == xentcli.score(*files).cost
    # A copy of a state, and the same file on its own, still count twice.
    copy = tmp_path / "copy.json"
    copy.write_bytes(Path(states[1]).read_bytes())
    xentcli.score(f"{files[0]}/1.csv", f"{files[1]}/1.csv", state=str(tmp_path / "alone.json"))
    for more in (copy, tmp_path / "alone.json"):
        for order in ([*states, str(more)], [str(more), *states]):
            with pytest.raises(DataError, match="count twice"):
                merge(order)
