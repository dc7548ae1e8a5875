"""Progress is told on a terminal when work is long, and nowhere else."""

from __future__ import annotations

import io
import itertools
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Run
from xentcli import score
from xentcli.cli.progress import Watch


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown(calls: list[tuple[int, float | None]], step: float) -> str:
    stream, clock = Terminal(), itertools.count(0.0, step)
    watch = Watch(stream, lambda: next(clock))
    for rows, share in calls:
        watch(rows, share)
    watch.close()
    return stream.getvalue()


def test_short_work_is_not_told() -> None:
    assert shown([(1000, 0.5), (2000, 1.0)], 0.1) == ""


def test_long_work_is_told_with_rows_and_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    text = shown([(1_000_000, 0.25), (2_000_000, 0.5)], 2.0)
    assert "000,000 rows, 500,000 a second" in text


def test_work_whose_end_nobody_knows_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert "3,000 rows" in shown([(3_000, None)], 2.0)


@pytest.mark.parametrize("form", ["array", "npy", "csv", "shards"])
def test_the_library_tells_how_far_it_is(form: str, tmp_path: Path) -> None:
    q, y = np.full((6000, 2), 0.5), np.zeros(6000, int)
    calls: list[tuple[int, float | None]] = []
    predictions: object = q
    if form == "npy":
        np.save(tmp_path / "q.npy", q)
        predictions = tmp_path / "q.npy"
    elif form != "array":
        for number in range(2 if form == "shards" else 1):
            part = q[number::2] if form == "shards" else q
            np.savetxt(tmp_path / f"q{number}.csv", part, delimiter=",", fmt="%.2f")
        predictions = str(tmp_path / ("q*.csv" if form == "shards" else "q0.csv"))
    score(predictions, y, progress=lambda rows, share: calls.append((rows, share)), block_bytes=20_000)
    rows = [rows for rows, _ in calls]
    shares = [share for _, share in calls if share is not None]
    assert len(calls) > 1
    assert rows == sorted(rows)
    assert rows[-1] == 6000
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
    assert form == "shards" or shares[-1] == pytest.approx(1, abs=0.02)


def test_nothing_is_told_in_a_pipe(xent: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "q.npy", np.full((10, 2), 0.5))
    np.save(tmp_path / "y.npy", np.zeros(10, int))
    assert xent("score", "q.npy", "y.npy", "-q").stderr == ""


def test_a_short_score_tells_nothing_on_a_terminal_either(tmp_path: Path) -> None:
    np.save(tmp_path / "q.npy", np.full((10, 2), 0.5))
    np.save(tmp_path / "y.npy", np.zeros(10, int))
    controller, terminal = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "xentcli", "score", "q.npy", "y.npy", "-q"],
        cwd=tmp_path, stderr=terminal, stdout=subprocess.PIPE, check=False,
    )  # fmt: skip
    os.close(terminal)
    assert done.returncode == 0
    os.set_blocking(controller, False)
    with pytest.raises((BlockingIOError, OSError)):
        os.read(controller, 100)
    os.close(controller)
