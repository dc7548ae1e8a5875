"""A cluster of Dask on which things fail: the same bits, or an error that says what to do, within a stated time."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.feather
import pytest

import xentcli
from tests.conftest import Call, local_cluster, wait_for
from xentcli.engine import cluster as engine
from xentcli.engine import connect, tasks, travel
from xentcli.report.report import Report

pytest.importorskip("distributed")
dask = pytest.importorskip("dask")

FILES, ROWS = 20, 500
KILLS = 20
"""Runs in which a worker is killed; docs/clusters.md gives the number of a long run."""


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    generator = np.random.default_rng(3)
    for side in "py":
        (folder / side).mkdir()
    for place in range(FILES):
        np.save(folder / f"p/{place}.npy", generator.normal(size=(ROWS, 8)))
        np.save(folder / f"y/{place}.npy", generator.integers(0, 8, ROWS))
    return folder


@pytest.fixture(autouse=True)
def groups_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "GROUP_TASKS", 1)


FORKS = """
import asyncio, os, signal, sys
import distributed, xentcli.analysis.score, xentcli.engine.travel

async def run(given):
    if given.startswith("tcp:"):
        server = distributed.Worker(given, nthreads=1, local_directory=sys.argv[1], dashboard=False)
    else:
        server = distributed.Scheduler(host="127.0.0.1", port=0, scheduler_file=given, dashboard=False)
    async with server:
        await server.finished()

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    pid = os.fork()
    if not pid:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        asyncio.run(run(line.strip()))
        os._exit(0)
    print(pid, flush=True)
"""


class Forks:
    """Schedulers and workers that are forks of a process that has imported all: each starts at once."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-c", FORKS, str(folder)]
        self.server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, given: str) -> int:
        """Start a worker of the scheduler at an address, or a scheduler that writes a file; return its process id."""
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        print(given, file=self.server.stdin, flush=True)
        return int(self.server.stdout.readline())


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    found = Forks(tmp_path_factory.mktemp("dask"))
    yield found
    found.server.communicate()


class Forked:
    """A cluster whose workers are killed."""

    def __init__(self, folder: Path, forks: Forks) -> None:
        with dask.config.set({"distributed.scheduler.allowed-failures": 3}):
            self.inner = local_cluster(folder, 0)
        self.address, self.forks = str(self.inner.scheduler_address), forks
        self.pids = [forks.start(self.address) for _ in range(2)]
        wait_for(lambda: len(self.inner.scheduler.workers) == 2)

    def kill_one(self) -> None:
        """Kill a worker by its process id, and start another."""
        os.kill(self.pids.pop(random.randrange(len(self.pids))), signal.SIGKILL)
        self.pids.append(self.forks.start(self.address))

    def close(self) -> None:
        """End all."""
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
        self.inner.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, forks: Forks) -> Iterator[Forked]:
    found = Forked(tmp_path_factory.mktemp("dask"), forks)
    yield found
    found.close()


def scored(folder: Path, **options: Any) -> Report:
    return xentcli.score(folder / "p", folder / "y", kind="logits", **options)


def at_a_group(monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[], object]) -> None:
    """Act when the group of tasks with this number is packed."""
    count, packed = 0, travel.group_of

    def counted(*args: Any) -> Any:
        nonlocal count
        count += 1
        if count == number:
            act()
        return packed(*args)

    monkeypatch.setattr(travel, "group_of", counted)


def killed_at(cluster: Forked, shards: Path, number: int, seconds: float, monkeypatch: pytest.MonkeyPatch) -> Report:
    """Return the report of a run during which a worker is killed, this long after a group of tasks is to be packed."""
    killed: list[float] = []

    def kill() -> None:
        time.sleep(seconds)
        cluster.kill_one()
        killed.append(time.monotonic())

    with monkeypatch.context() as patch:
        at_a_group(patch, number, kill)
        found = scored(shards, scheduler=cluster.address)
    assert len(killed) == 1
    return found


def test_a_worker_that_is_killed_changes_no_bit(cluster: Forked, shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert killed_at(cluster, shards, FILES // 2, 0.0, monkeypatch) == scored(shards, threads=1)


@pytest.mark.long
def test_kills_at_random_moments_change_no_bit(cluster: Forked, shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until a worker is there again, the other computes; while the group is waited for, both compute what they have."""
    here, chance = scored(shards, threads=1), random.Random(21)
    for _ in range(KILLS):
        assert killed_at(cluster, shards, chance.randint(1, FILES), chance.uniform(0, 0.03), monkeypatch) == here


def test_a_worker_without_memory_is_no_endless_run(tmp_path: Path, call: Call) -> None:
    """A record batch is loaded at once: 240 MB, which the nanny of a worker with 300 MB ends."""
    path = str(tmp_path / "p.feather")
    pyarrow.feather.write_feather(pyarrow.table({"p": np.full(30_000_000, 0.5)}), path, "zstd", chunksize=1 << 30)
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        found = local_cluster(tmp_path, 1, memory_limit="300MB")
    with found as cluster:
        done = call("score", path, "--kind", "true-probs", "--scheduler", cluster.scheduler_address)
    assert done.code == 4
    assert "xent: 1 worker died while computing the same part of the files" in done.err
    assert "out of memory?" in done.err
    assert "--memory-limit" in done.err
    assert done.out == ""


def copied(shards: Path, folder: Path) -> Path:
    for side in "py":
        (folder / side).mkdir()
        for file in (shards / side).iterdir():
            (folder / side / file.name).write_bytes(file.read_bytes())
    return folder


def vanished(path: Path) -> None:
    path.unlink()


def rewritten(path: Path) -> None:
    np.save(path, np.load(path)[::-1])
    os.utime(path, (1, 1))


def shortened(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 8)


@pytest.mark.parametrize("packed", [5, FILES], ids=["early", "late"])
@pytest.mark.parametrize(
    ("change", "codes", "says"),
    [
        (vanished, {4}, "cannot be read"),
        (rewritten, {3}, "changed while it was read"),
        (shortened, {3}, "changed while"),
    ],
)
def test_a_shard_that_changes_is_no_part_of_a_cost(
    change: Callable[[Path], None],
    codes: set[int],
    says: str,
    packed: int,
    shards: Path,
    cluster: Forked,
    call: Call,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """File 3 is read already when the last is packed, and perhaps not when the sixth is."""
    folder = copied(shards, tmp_path)
    at_a_group(monkeypatch, packed, lambda: change(folder / "p/3.npy"))
    done = call("score", "p", "y", "--kind", "logits", "--scheduler", cluster.address)
    assert (done.code in codes, done.out) == (True, ""), done
    assert "3.npy" in done.err
    assert says in done.err


@pytest.fixture
def by_hand(tmp_path: Path, forks: Forks) -> Iterator[tuple[str, int]]:
    """A scheduler in a process of its own, and a worker; the scheduler's file, and its process id."""
    file = tmp_path / "scheduler.json"
    pids = [forks.start(str(file))]
    try:
        wait_for(lambda: file.exists() and file.stat().st_size > 0)
        pids.append(forks.start(json.loads(file.read_text(encoding="utf-8"))["address"]))
        yield str(file), pids[0]
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


COMMANDS = {
    "score": ("score", "p", "y", "--kind", "logits"),
    "compare": ("compare", "p", "q", "--labels", "y", "--kind", "logits", "--fit", "none"),
    "losses": ("score", "p", "y", "--kind", "logits", "--per-example", "losses.csv"),
}


@pytest.mark.parametrize("limit", ["heard", "closed"])
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_a_scheduler_that_goes_away_is_an_error_in_time(
    limit: str,
    command: Sequence[str],
    by_hand: tuple[str, int],
    shards: Path,
    call: Call,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The limit that is reached first is that of the command, or that of Dask's client, which closes itself."""
    file, scheduler = by_hand
    for name in "pqy":
        (tmp_path / name).symlink_to(shards / ("y" if name == "y" else "p"))
    (tmp_path / "old.json").write_text("old", encoding="utf-8")
    if limit == "heard":
        monkeypatch.setattr(engine, "_LOST", 2.0)
        monkeypatch.setattr(engine, "_PING", 0.5)
    else:
        monkeypatch.setattr(connect, "_CONNECT", 2.0)

    def kill() -> None:
        os.kill(scheduler, signal.SIGKILL)
        if limit == "closed":
            time.sleep(3.0)

    at_a_group(monkeypatch, 5, kill)
    start = time.monotonic()
    done = call(*command, "--scheduler", file, "-o", "old.json")
    assert (done.code, done.out) == (4, ""), done
    assert (tmp_path / "old.json").read_text(encoding="utf-8") == "old"
    assert not [*tmp_path.glob("*losses*")]
    assert "went away: there is no result" in done.err
    assert "start it and its workers again" in done.err
    assert time.monotonic() - start < 30
