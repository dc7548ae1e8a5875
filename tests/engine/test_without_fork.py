"""Where processes cannot be forked (Windows, macOS, a sandbox) threads compute the same, and nothing else fails."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROWS = 90_000
PREPARED = """
import concurrent.futures.process, concurrent.futures.thread, contextlib, multiprocessing, os, signal, sys, tempfile
import click, numpy, rich.console, rich.table
import xentcli.engine.executors as executors
used = []
class Threads(executors.ThreadPoolExecutor):
    def submit(self, *args):
        used.append(1)
        return super().submit(*args)
executors.ThreadPoolExecutor = Threads
"""
FINISHED = """
from xentcli.cli import main
import atexit
atexit.register(lambda: print("threads" if used else "no threads", file=sys.stderr))
main()
"""
NONE = {
    "no fork": "del os.fork",
    "no context of that name": "multiprocessing.context._concrete_contexts.pop('fork')",
    "fork is refused": "def fork(): raise PermissionError\nos.fork = fork",
    "no /proc": "listed = os.listdir\ndef listdir(path='.'):\n    if path == '/proc/self/task': raise FileNotFoundError(path)\n    return listed(path)\nos.listdir = listdir",
    "no semaphores": "sys.modules['_multiprocessing'] = None\nsys.modules.pop('multiprocessing.synchronize', None)",
    "macOS": "sys.platform = 'darwin'\ndel os.waitid, os.sched_getaffinity",
    "Windows": (
        "sys.platform = 'win32'\nsys.modules['fcntl'] = sys.modules['resource'] = None\n"
        "del os.fork, os.waitid, os.sched_getaffinity, os.fchmod, signal.pthread_sigmask, signal.SIGHUP"
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("rows")
    random = np.random.default_rng(0)
    values = random.dirichlet(np.ones(3), ROWS)
    np.savetxt(made / "preds.csv", values, fmt="%.17g", delimiter=",", header="a,b,c", comments="")
    labels = random.choice(list("abc"), ROWS)
    (made / "labels.csv").write_text("y\n" + "".join(f"{label}\n" for label in labels))
    return made


@functools.cache
def run(folder: Path, code: str, *args: str) -> tuple[int, str, str]:
    # NumPy is imported before the command sets up the process, and must start no threads.
    command = [sys.executable, "-c", f"{PREPARED}\n{code}\n{FINISHED}", *args]
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


COMMANDS = [
    ("score", "preds.csv", "labels.csv", "--by-class", "--threads", "3", "--format", "json"),
    ("check", "preds.csv", "labels.csv", "--max", "cost=1", "--threads", "3", "-o", "report.md"),
]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="here is nothing to take away")
@pytest.mark.parametrize("what", NONE)
def test_threads_compute_the_same(folder: Path, what: str) -> None:
    for command in COMMANDS:
        code, out, err = run(folder, NONE[what], *command)
        usual = run(folder, "", *command)
        assert (code, out) == usual[:2], err
        assert usual[2] == "no threads\n"
        assert err == ("no threads\n" if what == "fork is refused" else "threads\n")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="here is nothing to take away")
def test_no_thread_can_be_started_either(folder: Path) -> None:
    refused = 'import _thread\ndef start(*args, **more): raise RuntimeError("can\'t start new thread")\n'
    refused += "import threading\nthreading._start_new_thread = threading._start_joinable_thread = start\ndel os.fork"
    command = COMMANDS[0]
    assert run(folder, refused, *command)[:2] == run(folder, "", *command)[:2]
