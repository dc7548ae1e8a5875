"""merge refuses states of two models on the same labels, and names compare."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xentcli
from tests.conftest import Call, csv
from xentcli.errors import DataError

merge: Any = xentcli.merge
compare: Any = xentcli.compare

N, NAMES = 80, ["ant", "bee", "cat"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two models a and b, their labels y, and other labels z: as arrays, text, files in folders, and with ids."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(21)
    labels = {name: rng.integers(0, 3, N) for name in "yz"}
    ids = [f"r{row}" for row in range(N)]
    for name, y in labels.items():
        np.save(f"{name}.npy", y)
        Path(f"{name}.csv").write_text(
            csv([[i, NAMES[of]] for i, of in zip(ids, y, strict=True)], ["id", "truth"]), encoding="utf-8"
        )
        Path(name).mkdir()
        for place, rows in enumerate(np.split(y, 4)):
            np.save(f"{name}/{place}.npy", rows)
    for name in "abc":
        q = rng.dirichlet(np.ones(3), N)
        np.save(f"{name}.npy", q)
        lines = [[i, *of] for i, of in zip(ids, q.tolist(), strict=True)]
        Path(f"{name}.csv").write_text(csv(lines, ["id", *NAMES]), encoding="utf-8")
        for part, some in (("first", lines[:50]), ("last", lines[50:]), ("middle", lines[40:60])):
            Path(f"{name}-{part}.csv").write_text(csv(some, ["id", *NAMES]), encoding="utf-8")
        Path(name).mkdir()
        for place, piece in enumerate(np.split(q, 4)):
            np.save(f"{name}/{place}.npy", piece)
    shutil.copy("y.npy", "copy.npy")
    return tmp_path


def run(model: str, labels: Any, command: Any = xentcli.score, shards: int = 0, **options: Any) -> list[str]:
    """The states of a run, or of its shards."""
    paths = [f"{Path(model).name}-{shards}-{index}.json" for index in range(1, max(shards, 1) + 1)]
    for index, path in enumerate(paths, 1):
        command(model, labels, state=path, **({"shard": f"{index}/{shards}"} if shards else {}), **options)
    return paths


def compared(models: tuple[str, str], labels: str, name: str, shards: int = 0) -> list[str]:
    """The states of a comparison or its shards; the models have the same names in each run, in a folder of its own."""
    for place, model in enumerate(models):
        Path(name).mkdir(exist_ok=True)
        shutil.copy(model, f"{name}/{place}.npy")
    paths = [f"{name}-{index}.json" for index in range(1, max(shards, 1) + 1)]
    for index, path in enumerate(paths, 1):
        of = {"shard": f"{index}/{shards}"} if shards else {}
        compare([f"{name}/0.npy", f"{name}/1.npy"], labels, fit="none", state=path, **of)
    return paths


def in_memory(model: str) -> list[str]:
    xentcli.score(np.load(model), np.load("y.npy"), state=f"{model}.json")
    return [f"{model}.json"]


def once_merged(model: str, shards: int, other: str) -> list[str]:
    """One state of a model and of another input with other labels."""
    merge([*run(model, "y.npy", shards=shards), *run(other, "z.npy")], state=f"{model}.all.json")
    return [f"{model}.all.json"]


def tiny(model: str, labels: str = "t.npy") -> list[str]:
    np.save("t.npy", np.array([0, 1, 1]))
    np.save(f"tiny-{model}", np.load(model)[:3])
    return run(f"tiny-{model}", labels)


CHECKED: dict[str, Any] = {"command": xentcli.check, "max": {"cost": 9.0}}
WITH_IDS: dict[str, Any] = {"id": "id", "subset": True}
BY_POSITION: dict[str, Any] = {"align": "position", "preds": "ant,bee,cat", "label": "truth"}
A, B = "a.npy", "b.npy"

SAME: dict[str, Callable[[], list[str]]] = {
    "scores": lambda: run(A, "y.npy") + run(B, "y.npy"),
    "checks": lambda: run(A, "y.npy", **CHECKED) + run(B, "y.npy", **CHECKED),
    "calibrations": lambda: [s for m in (A, B) for s in run(m, "y.npy", xentcli.calibration, fit="none")],
    "comparisons": lambda: compared((A, B), "y.npy", "one") + compared(("c.npy", A), "y.npy", "two"),
    "shards of comparisons": lambda: compared((A, B), "y.npy", "one", 2) + compared(("c.npy", A), "y.npy", "two", 3),
    "text": lambda: run("a.csv", "y.csv", **BY_POSITION) + run("b.csv", "y.csv", **BY_POSITION),
    "three rows": lambda: tiny(A) + tiny(B),
    "a copy": lambda: run(A, "y.npy") + run(B, "copy.npy"),
    "in memory": lambda: in_memory(A) + in_memory(B),
    "folders": lambda: run("a", "y") + run("b", "y"),
    "folders with some labels in common": lambda: run("a/[0-2].npy", "y/[0-2].npy") + run("b/[1-3].npy", "y/[1-3].npy"),
    "shards of rows": lambda: run(A, "y.npy", shards=2) + run(B, "y.npy", shards=2),
    "shards of files": lambda: run("a", "y", shards=2) + run("b", "y", shards=2),
    "other shards": lambda: run("a", "y", shards=2) + run("b", "y", shards=3),
    "files and a run": lambda: run("a", "y", shards=4) + run("b", "y"),
    "rows and a run": lambda: run(A, "y.npy") + run(B, "y.npy", shards=3),
    "once merged": lambda: once_merged(A, 0, "c.npy") + run(B, "y.npy"),
    "shards once merged": lambda: once_merged(A, 3, "c.npy") + run(B, "y.npy", shards=2),
    "ids": lambda: run("a.csv", "y.csv", id="id") + run("b.csv", "y.csv", id="id"),
    "ids of a part": lambda: run("a-first.csv", "y.csv", **WITH_IDS) + run("b-middle.csv", "y.csv", **WITH_IDS),
    "shards of ids": lambda: (
        run("a-first.csv", "y.csv", shards=3, **WITH_IDS) + run("b-middle.csv", "y.csv", shards=2, **WITH_IDS)
    ),
}


@pytest.mark.parametrize("kind", SAME)
def test_two_models_on_the_same_labels_are_refused(kind: str, folder: Path) -> None:
    states = SAME[kind]()
    for order in (states, states[::-1]):
        with pytest.raises(DataError, match="have the same labels") as error:
            merge(order, state="whole.json")
        assert error.value.exit_code == 3
        assert re.search("xent(cli)?[ .]compare ", error.value.advice[0])
    assert not Path("whole.json").exists()


OTHER: dict[str, Callable[[], list[str]]] = {
    "other labels": lambda: run(A, "y.npy") + run(B, "z.npy"),
    "shards of other labels": lambda: run(A, "y.npy", shards=2) + run(B, "z.npy", shards=3),
    "parts of a file of labels": lambda: (
        run("a-first.csv", "y.csv", **WITH_IDS) + run("b-last.csv", "y.csv", **WITH_IDS)
    ),
    "shards of parts": lambda: (
        run("a-first.csv", "y.csv", shards=3, **WITH_IDS) + run("b-last.csv", "y.csv", shards=2, **WITH_IDS)
    ),
    "labels equal by chance": lambda: tiny(A) + [shutil.copy("t.npy", "u.npy"), *tiny(B, "u.npy")][1:],
}


@pytest.mark.parametrize("kind", OTHER)
def test_other_labels_are_merged(kind: str, folder: Path) -> None:
    states = OTHER[kind]()
    found = merge(states, state="whole.json")
    assert merge(states[::-1]).to_dict()["cost"] == found.cost
    assert merge(["whole.json"]).cost == found.cost


def test_files_of_one_label_each_have_equal_labels(folder: Path) -> None:
    """Data sorted by class: parts of as many rows have equal labels, in files of other names."""
    for place in range(3):
        np.save(f"ones-{place}.npy", np.ones(20, int))
        np.save(f"part-{place}.npy", np.load(A)[20 * place : 20 * place + 20])
    states = [state for place in range(3) for state in run(f"part-{place}.npy", f"ones-{place}.npy")]
    assert merge(states).examples.read == 60


def test_the_way_out_is_followed(folder: Path, call: Call) -> None:
    done = call("merge", *tiny(A), *tiny(B))
    assert done.code == 3
    compare, renamed = done.err.splitlines()[1:3]
    words = shlex.split(compare.partition("xent ")[2])
    assert call(*words).code == 0
    assert "another name" in renamed
    shutil.copy("t.npy", "u.npy")
    assert call("merge", *tiny(A), *tiny(B, "u.npy"), "-q").code == 0
