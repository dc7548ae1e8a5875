"""Executors: workers compute what this process would, end with it, and nothing is lost when one dies."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import XENT, Run, wait_for
from tests.forked import default_signals
from xentcli.engine.executors import Processes, executor_of
from xentcli.engine.ordered import ordered
from xentcli.errors import DataError, Place
from xentcli.records import record

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]
HERE = os.getpid()


@record(frozen=True)
class Sent:
    """Something of the kind that travels."""

    start: int
    values: tuple[float, ...] = ()


def alive(process: int) -> bool:
    """Whether a process runs; one that ended may still be waited for."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def who(_: object) -> int:
    return os.getpid()


def test_workers_are_other_processes_that_compute_the_same() -> None:
    with Processes(lambda item: (os.getpid(), item.start, np.array(item.values).sum()), 2) as processes:
        found = [processes.submit(processes._function, Sent(n, (0.5,) * n)).result() for n in range(9)]
    assert [each[1:] for each in found] == [(n, n / 2) for n in range(9)]
    assert HERE not in {process for process, *_ in found}


def test_an_error_is_raised_as_it_is() -> None:
    def refuse(item: int) -> int:
        raise DataError(f"row {item} from {os.getpid()}", place=Place("p.csv", item), advice="--help")

    with Processes(refuse, 1) as processes, pytest.raises(DataError) as caught:
        list(ordered(refuse, [3], processes))
    assert (caught.value.message, caught.value.place) == (f"row 3 from {HERE}", Place("p.csv", 3))


def test_what_cannot_be_sent_is_computed_here() -> None:
    def called(item: Callable[[], int]) -> Callable[[], tuple[int, int]]:
        return lambda: (item(), os.getpid())

    for item in (int, lambda: 0):
        with Processes(called, 1) as processes:
            assert next(ordered(called, [item], processes))() == (0, HERE)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("fatal", [0, 2, 19])
def test_what_a_lost_worker_was_to_compute_is_computed_here(number: int, fatal: int) -> None:
    def fall(item: int) -> int:
        if os.getpid() != HERE and item == fatal:
            os.kill(os.getpid(), number)
        return item * item

    with Processes(fall, 2) as processes:
        assert list(ordered(fall, range(20), processes)) == [n * n for n in range(20)]
    # The thread of the pool may have reaped a worker and not noted it yet.
    wait_for(lambda: not any(worker.is_alive() for worker in processes._workers), 10)


def test_where_a_worker_is_lost_the_pool_ends_the_others() -> None:
    with Processes(who, 2) as processes:
        os.kill(processes.submit(who, None).result(), signal.SIGKILL)
        # From Python 3.12 on a call waits until they have ended.
        wait_for(lambda: not any(worker.is_alive() for worker in processes._workers), 10)


def test_a_worker_that_dies_while_it_sends_a_large_result_does_not_hang() -> None:
    def large(item: int) -> bytes:
        if os.getpid() != HERE and item == 1:
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGKILL)).start()
            return Slow()  # type: ignore[return-value]
        return bytes(item)

    with Processes(large, 1) as processes:
        assert list(ordered(large, range(4), processes)) == [bytes(n) for n in range(4)]


class Slow:
    """Is not pickled before its process is killed."""

    def __reduce__(self) -> Any:
        time.sleep(60)


def test_no_worker_is_left() -> None:
    with Processes(who, 3) as processes:
        assert HERE not in {processes.submit(who, None).result() for _ in range(9)}
        pids = [worker.pid for worker in processes._workers]
    assert len(pids) == 3
    assert not any(alive(pid or 0) for pid in pids)


def test_workers_leave_signals_to_their_parent() -> None:
    with Processes(who, 1) as processes:
        process = processes.submit(who, None).result()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(process, number)
        assert processes.submit(who, None).result() == process
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_only_a_process_that_allows_it_and_has_one_thread_is_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    for allowed, threads, kind in ((False, 1, ThreadPoolExecutor), (True, 2, ThreadPoolExecutor), (True, 1, Processes)):
        monkeypatch.setattr(os, "listdir", lambda _, threads=threads: ["1"] * threads)
        with executor_of(who, 2, fork=allowed) as executor:
            assert type(executor) is kind


def test_a_system_that_refuses_a_process_has_all_computed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    forks, fork = iter([True, False]), os.fork

    def few() -> int:
        if not next(forks):
            raise BlockingIOError("too many")
        return fork()

    monkeypatch.setattr(os, "fork", few)
    with Processes(who, 3) as processes:
        assert set(ordered(who, range(40), processes)) == {HERE}
        assert len(processes._workers) == 1
    assert not processes._workers[0].is_alive()


FORKS = """
import os, sys
fork = os.fork
def counted():
    process = fork()
    if process:
        with open(os.environ["FORKS"], "a") as file:
            file.write(f"{process}\\n")
    return process
os.fork = counted
"""


@pytest.fixture
def counted(tmp_path: Path) -> tuple[dict[str, str], Callable[[], list[int]]]:
    """An environment in which a process notes its forks, and a function that returns them."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(FORKS)
    note = tmp_path / "forks"

    def forks() -> list[int]:
        found = [int(line) for line in note.read_text().split()] if note.exists() else []
        note.unlink(missing_ok=True)
        return found

    paths = os.pathsep.join([str(tmp_path / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {"PYTHONPATH": paths, "FORKS": str(note)}, forks


MANY = 180_000
"""Rows of four tasks."""


@functools.cache
def many_rows() -> tuple[list[str], str]:
    """So many lines of three classes, and the text of their labels."""
    lines = [f"{0.5 + row % 7 / 100!r},{0.25!r},{0.25 - row % 7 / 100!r}\n" for row in range(MANY)]
    return lines, "y,site\n" + "".join(f"{'abc'[row % 3]},s{row * row % 11}\n" for row in range(MANY))


def rows_of(path: Path, odd: int | None = None) -> tuple[Path, Path]:
    """Write many rows, one of them wrong if asked for, and their labels."""
    lines, labels = many_rows()
    if odd is not None:
        lines = [*lines[: odd - 1], "0.5,0.25,many\n", *lines[odd:]]
    (path / "p.csv").write_text("a,b,c\n" + "".join(lines))
    (path / "y.csv").write_text(labels)
    return path / "p.csv", path / "y.csv"


def test_the_command_has_workers_and_says_the_same(
    tmp_path: Path, xent: Run, counted: tuple[dict[str, str], Callable[[], list[int]]]
) -> None:
    environment, forks = counted
    paths = rows_of(tmp_path)
    options = ["--label", "y", "--worst", "3", "--by-class", "--by", "site", "--per-example", "losses.csv"]
    told = set()
    for threads in (1, 2, 3):
        done = xent("score", *paths, *options, "--threads", str(threads), env=environment)
        assert done.returncode == 0, done.stderr
        told.add((done.stdout, (tmp_path / "losses.csv").read_bytes()))
        processes = forks()
        assert len(processes) == (threads if threads > 1 else 0)
        assert not any(map(alive, processes))
    assert len(told) == 1
    assert len((tmp_path / "losses.csv").read_bytes().splitlines()) == MANY + 1


@pytest.mark.parametrize("odd", [MANY - 10_000, MANY - 1])
def test_an_error_in_a_late_row_is_as_without_workers(
    odd: int, tmp_path: Path, xent: Run, counted: tuple[dict[str, str], Callable[[], list[int]]]
) -> None:
    environment, forks = counted
    paths = rows_of(tmp_path, odd)
    alone, beside = (
        xent("score", *paths, "--label", "y", "--threads", threads, env=environment) for threads in ("1", "2")
    )
    assert len(forks()) == 2
    assert (alone.returncode, alone.stderr, alone.stdout) == (beside.returncode, beside.stderr, beside.stdout)
    assert f"row {odd:,}" in beside.stderr or f"row {odd}" in beside.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_the_command(
    number: int, tmp_path: Path, counted: tuple[dict[str, str], Callable[[], list[int]]]
) -> None:
    environment, forks = counted
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    _, labels = rows_of(tmp_path)
    command = [*XENT, "score", str(pipe), str(labels), "--label", "y", "--threads", "3"]
    surroundings = {**os.environ, **environment}
    with subprocess.Popen(command, env=surroundings, stderr=subprocess.PIPE, preexec_fn=default_signals) as process:
        with open(pipe, "w", encoding="utf-8") as file:
            file.write((tmp_path / "p.csv").read_text())
            file.flush()
            wait_for(lambda: Path(environment["FORKS"]).exists())
            process.send_signal(number)
            process.wait(60)
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
    processes = forks()
    assert processes
    wait_for(lambda: not any(map(alive, processes)))


LATE = """
import os, signal, time
from xentcli.engine import executors
begin, parent = executors._begin, os.getpid()
def late(function):
    while os.getppid() == parent:
        time.sleep(0.01)
    begin(function)
executors._begin = late
executors.Processes(abs, 1).submit(abs, 1)
os.kill(parent, signal.SIGKILL)
"""


def test_a_worker_ends_whose_parent_ended_before_it_began() -> None:
    # The pipe is closed when all processes have ended.
    done = subprocess.run([sys.executable, "-c", LATE], stdout=subprocess.PIPE, timeout=20, check=False)
    assert done.returncode == -signal.SIGKILL


def test_a_process_with_another_thread_is_not_forked() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        with executor_of(who, 2, fork=True) as executor:
            assert isinstance(executor, ThreadPoolExecutor)
    finally:
        stop.set()
        thread.join()
