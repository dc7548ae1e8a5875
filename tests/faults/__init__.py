"""What the faults share: a run that writes several files, and what may be left of it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests import forked
from tests.conftest import started

OLD = b"an older report, whole\n"
ROWS = 2000
WRITTEN = ("report.json", "report.csv", "losses.csv", "main.npz")
NAMES = (*WRITTEN, "losses.npy")


def needed(what: str, there: bool) -> None:
    """Skip without what a test needs, with the reason; in CI it must be there."""
    if there:
        return
    if os.environ.get("XENT_CI"):
        pytest.fail(f"CI must have {what}")
    pytest.skip(f"{what} is needed")


def environment() -> dict[str, str]:
    """One in which nothing but xent writes: no byte code, no coverage."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}


def content_of(path: Path) -> bytes:
    """The bytes of a file; of a whole baseline those of its arrays, without the date and the commit."""
    if path.suffix != ".npz" or path.read_bytes() == OLD:
        return path.read_bytes()
    with np.load(path) as found:
        about = re.sub(rb'"(date|commit)": ("[^"]*"|null)', b"", found["about"].tobytes())
        return about + b"".join(found[name].tobytes() for name in sorted(found) if name != "about")


@dataclass
class Scene:
    """A folder with inputs, and one for what is written."""

    folder: Path

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def command(self) -> list[str]:
        outputs = [part for name in WRITTEN[:2] for part in ("-o", str(self.out / name))]
        files = [str(self.folder / "preds.csv"), str(self.folder / "labels.csv")]
        per_example = ["--per-example", str(self.out / "losses.csv")]
        baseline = ["--max", "cost=9", "--write-baseline", str(self.out / "main.npz")]
        return [sys.executable, "-m", "xentcli", "check", *files, *outputs, *per_example, *baseline, "--threads", "1"]

    def reset(self) -> None:
        """Have an older file everywhere."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()
        for name in NAMES:
            (self.out / name).write_bytes(OLD)

    def contents(self) -> dict[str, bytes]:
        return {path.name: content_of(path) for path in self.out.iterdir()}

    def run(self, *strace: str) -> subprocess.CompletedProcess[bytes]:
        """Run the command, traced where that is asked for."""
        command, env = self.command(), environment()
        if not strace:
            return started(command[3:], self.folder, env)
        if not forked.can_fork(command[3:], env):
            command = [strace[0], "-qq", *strace[1:], *command]
            return subprocess.run(
                command, capture_output=True, env=env, timeout=120, check=False, preexec_fn=forked.default_signals
            )
        with contextlib.ExitStack() as ends:
            done = forked.server().run(
                command[3:], self.folder, env, None, 120, lambda pid: ends.enter_context(attached(pid, strace))
            )
        return subprocess.CompletedProcess(command, *done)


@contextlib.contextmanager
def attached(pid: int, strace: Sequence[str]) -> Iterator[None]:
    """Have strace trace a process to its end."""
    with subprocess.Popen([*strace, "-p", str(pid)], stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        said = tracer.stderr.readline()
        assert said.endswith("attached\n"), said
        yield


def scene(folder: Path) -> Scene:
    """Predictions of ROWS rows and their labels."""
    random = np.random.default_rng(3)
    q = random.dirichlet(np.ones(3), ROWS)
    (folder / "preds.csv").write_text("a,b,c\n" + "".join(",".join(map(repr, row)) + "\n" for row in q.tolist()))
    (folder / "labels.csv").write_text("label\n" + "".join(f"{'abc'[i]}\n" for i in random.integers(0, 3, ROWS)))
    made = Scene(folder)
    made.reset()
    return made
