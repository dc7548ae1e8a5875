"""Plan, Task and outcome through pickle into a process that shares nothing with this one: the same bits of every figure."""

from __future__ import annotations

import functools
import gzip
import multiprocessing
import pickle
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.feather
import pytest

from xentcli import score
from xentcli.analysis.score import opened
from xentcli.analysis.summary import report_of
from xentcli.engine.scorer import Scorer
from xentcli.pairing import Matches
from xentcli.scoring.metrics import wanted
from xentcli.settings import Settings
from xentcli.tallies.bundle import Bundle

ROWS = 3_000
CLASSES = ("cat", "dog", "emu")


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


def frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    generator = np.random.default_rng(7)
    q = pd.DataFrame(generator.dirichlet((2, 1, 1), ROWS), columns=list(CLASSES))
    labels = pd.DataFrame({"y": generator.choice(CLASSES, ROWS), "site": generator.choice(["n", "s"], ROWS)})
    return q, labels


def csv(folder: Path) -> tuple[Path, Path]:
    q, labels = frames()
    q.to_csv(folder / "p.csv", index=False)
    labels.to_csv(folder / "y.csv", index=False)
    return folder / "p.csv", folder / "y.csv"


def gzipped(folder: Path) -> tuple[Path, Path]:
    paths = csv(folder)
    for path in paths:
        path.with_suffix(".gz").write_bytes(gzip.compress(path.read_bytes()))
    return paths[0].with_suffix(".gz"), paths[1].with_suffix(".gz")


def quoted(folder: Path) -> tuple[Path, Path]:
    q, labels = frames()
    q.to_csv(folder / "p.csv", index=False, quoting=1)
    labels.assign(site=labels["site"] + "\n").to_csv(folder / "y.csv", index=False, quoting=1)
    return folder / "p.csv", folder / "y.csv"


def npy(folder: Path) -> tuple[Path, Path]:
    q, labels = frames()
    np.save(folder / "p.npy", np.log(q.to_numpy()))
    np.save(folder / "y.npy", labels["y"].map(CLASSES.index).to_numpy())
    return folder / "p.npy", folder / "y.npy"


def parquet(folder: Path) -> tuple[Path, Path]:
    q, labels = frames()
    q.to_parquet(folder / "p.parquet", row_group_size=700)
    labels.to_parquet(folder / "y.parquet", row_group_size=900)
    return folder / "p.parquet", folder / "y.parquet"


def feather(folder: Path) -> tuple[Path, Path]:
    for name, frame, rows in zip("py", frames(), (700, 900), strict=True):
        pyarrow.feather.write_feather(frame, str(folder / f"{name}.feather"), chunksize=rows)
    return folder / "p.feather", folder / "y.feather"


def jsonl(folder: Path) -> tuple[Path, Path]:
    q, labels = frames()
    q.to_json(folder / "p.jsonl", orient="records", lines=True, double_precision=15)
    labels.to_json(folder / "y.jsonl", orient="records", lines=True)
    return folder / "p.jsonl", folder / "y.jsonl"


def by_id(folder: Path) -> tuple[Path, Path]:
    q, labels = (frame.assign(id=[f"r{row}" for row in range(ROWS)]) for frame in frames())
    q.to_csv(folder / "p.csv", index=False)
    labels.sample(frac=1, random_state=0).to_csv(folder / "y.csv", index=False)
    return folder / "p.csv", folder / "y.csv"


def shards(folder: Path) -> tuple[Path, Path]:
    for name, frame in zip("py", frames(), strict=True):
        (folder / name).mkdir()
        for part, first in enumerate(range(0, ROWS, 1_100)):
            frame[first : first + 1_100].to_csv(folder / name / f"{part}.csv", index=False)
    return folder / "p", folder / "y"


Make = Callable[[Path], tuple[Path, Path]]
SLICED = {"label": "y", "by": "site", "by_class": True, "worst": 3, "show": "site"}
CASES: dict[str, tuple[Make, dict[str, Any]]] = {
    "csv": (csv, SLICED),
    "csv, gzip": (gzipped, SLICED),
    "csv, quoted, of lines within fields": (quoted, SLICED),
    "npy of logits": (npy, {"kind": "logits", "by_class": True, "class_weight": "0=2"}),
    "parquet": (parquet, SLICED),
    "arrow": (feather, SLICED),
    "json lines": (jsonl, SLICED | {"cluster": "site"}),
    "csv, by id": (by_id, SLICED | {"id": "id", "preds": "cat:emu"}),
    "folders": (shards, SLICED),
}


@pytest.mark.parametrize(("make", "options"), CASES.values(), ids=CASES)
def test_what_is_computed_in_another_process_is_the_same(
    make: Make,
    options: dict[str, Any],
    pool: ProcessPoolExecutor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    predictions, labels = make(tmp_path)
    here = score(predictions, labels, threads=1, **options)
    tasks = 0

    def spawned(scorer: Scorer, items: Iterable[Any], *_: object) -> Iterator[Any]:
        nonlocal tasks
        for task in items:
            tasks += 1
            yield pool.submit(scorer, task).result()

    monkeypatch.setattr("xentcli.engine.tasks.mapped", spawned)
    there = score(predictions, labels, block_bytes=1 << 14, **options)
    assert tasks > 2
    assert there == here


@pytest.mark.parametrize("make", [csv, npy, jsonl, shards, parquet, feather])
def test_a_task_of_files_has_places_and_no_rows(make: Make, tmp_path: Path) -> None:
    predictions, labels = make(tmp_path)
    settings = Settings(kind="logits") if make is npy else Settings(label="y")
    feed = opened(predictions, labels, settings, 1 << 20)
    assert all(len(pickle.dumps(task)) < 3_000 for task in feed.tasks(held=False))


@pytest.mark.parametrize(
    "together", [True, False], ids=["in order, by one worker", "each by another worker, from the last on"]
)
@pytest.mark.parametrize("make", [parquet, feather])
def test_rows_that_are_read_in_order_are_found_from_their_places(make: Make, together: bool, tmp_path: Path) -> None:
    predictions, labels = make(tmp_path)
    feed = opened(predictions, labels, Settings(label="y"), 1 << 13)
    scorer, tasks = Scorer(feed.plan), list(feed.tasks(held=False))
    assert len(tasks) > 5
    sent = pickle.loads(pickle.dumps(tasks)) if together else [pickle.loads(pickle.dumps(task)) for task in tasks[::-1]]
    outcomes = [scorer(task) for task in sent]
    there = functools.reduce(Bundle.merge, (outcome.bundle for outcome in outcomes if outcome.bundle is not None))
    assert there["scores"].read == ROWS
    assert (
        report_of(feed.plan, there, Matches(), wanted()).cost == score(predictions, labels, label="y", threads=1).cost
    )
