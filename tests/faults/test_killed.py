"""A run that is killed at any time tears no file, and what it leaves is swept by the next one."""

from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path

import pytest

from tests import forked
from tests.conftest import started
from tests.faults import NAMES, OLD, Scene, environment, scene
from tests.laws import LONG

SEEDS, KILLS = 4, 50
"""How many tests, and how many kills in each with `nox -s long`; docs/promises.md gives the product."""
FEW = 15
"""As many in each with every run."""


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_file_is_torn_by_kills_at_random_times(tmp_path: Path, seed: int) -> None:
    set_up = scene(tmp_path)
    set_up.run()
    start = time.perf_counter()
    assert set_up.run().returncode == 0
    length = time.perf_counter() - start
    new = set_up.contents()
    chance = random.Random(seed)
    ended = leftovers = 0
    kills = KILLS if LONG else FEW
    for _ in range(kills):
        for name in NAMES:
            (set_up.out / name).write_bytes(OLD)
        process = begun(set_up)
        time.sleep(chance.uniform(0.4, 1.05) * length)
        process.kill()
        ended += process.wait(60) == 0
        now = set_up.contents()
        leftovers += len(now) > len(NAMES)
        for name in NAMES:
            assert now[name] in (OLD, new[name]), f"{name} is torn"
    print(f"{kills} kills: {ended} came too late, {leftovers} found files half written, 0 torn")
    swept(set_up)


def begun(set_up: Scene) -> subprocess.Popen[bytes] | forked.Forked:
    """A run that writes nothing but its files."""
    command, env = set_up.command(), environment()
    with open(os.devnull, "r+b") as nothing:
        if forked.can_fork(command, env):
            return forked.server().start(command[3:], set_up.folder, env, [nothing.fileno()] * 3)
        return subprocess.Popen(command, env=env, stdout=nothing, stderr=nothing)


def swept(set_up: Scene) -> None:
    """A later run removes what is old enough to be nobody's."""
    for path in set_up.out.glob(".*"):
        os.utime(path, (1, 1))
    assert set_up.run().returncode == 0
    assert sorted(set_up.contents()) == sorted(NAMES)


FOUR_RUNS = """
import os
from xentcli.cli import main

begun = []
for _ in range(4):
    begun.append(os.fork())
    if not begun[-1]:
        main()
os._exit(any([os.waitpid(process, 0)[1] for process in begun]))
"""


def test_two_runs_that_write_the_same_files_leave_whole_ones(tmp_path: Path) -> None:
    """Four even, of one process that has imported all: they write at almost the same time."""
    set_up = scene(tmp_path)
    assert set_up.run().returncode == 0
    new = set_up.contents()
    for _ in range(5):
        set_up.reset()
        assert started(set_up.command()[3:], tmp_path, environment(), before=FOUR_RUNS).returncode == 0
        assert set_up.contents() == new
