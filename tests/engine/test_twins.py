"""Copies of the process: they compute what the process would, end with it, and nothing is lost when one dies."""

from __future__ import annotations

import io
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import XENT, Run, default_signals, wait_for
from xentcli.engine import twins
from xentcli.engine.helpers import Helpers
from xentcli.engine.twins import Twin, answer, twins_of
from xentcli.errors import DataError, Place
from xentcli.records import record

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are copied on Linux alone"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]
HERE = os.getpid()
Twins = Callable[[Callable[[Any], Any]], Twin[Any, Any]]


@pytest.fixture
def twin() -> Iterator[Twins]:
    """Make a copy of the test's process that computes a function; it is ended after the test."""
    made: list[Twin[Any, Any]] = []

    def make(function: Callable[[Any], Any]) -> Twin[Any, Any]:
        made.append(Twin(function))
        return made[-1]

    yield make
    while made:
        made.pop().end()


@record(frozen=True)
class Sent:
    """Something of the kind that travels."""

    start: int
    values: tuple[float, ...] = ()


def alive(process: int) -> bool:
    """Whether a process runs; one that ended may still be waited for."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def who(_: object) -> int:
    return os.getpid()


def test_a_twin_is_another_process_that_computes_the_same(twin: Twins) -> None:
    assert twin(who)(None) not in (HERE, 0)
    sums = twin(lambda item: (item.start, np.array(item.values).sum()))
    assert [sums(Sent(n, (0.5,) * n)) for n in range(4)] == [(n, n / 2) for n in range(4)]


def test_an_error_is_raised_as_it_is(twin: Twins) -> None:
    def refuse(item: int) -> int:
        raise DataError(f"row {item} from {os.getpid()}", place=Place("p.csv", item), advice="--help")

    with pytest.raises(DataError) as caught:
        twin(refuse)(3)
    assert (caught.value.message, caught.value.place) == (f"row 3 from {HERE}", Place("p.csv", 3))


def test_what_cannot_be_sent_is_computed_here(twin: Twins) -> None:
    assert twin(lambda item: lambda: item)(5)() == 5
    assert twin(lambda item: (item(), os.getpid()))(lambda: 7) == (7, HERE)
    pid = twin(who)
    assert pid(b"x" * twins._MOST) == HERE
    assert pid(b"x" * (twins._MOST // 2)) != HERE


def test_what_a_dying_twin_was_to_compute_is_computed_here(twin: Twins) -> None:
    def fall(item: int) -> int:
        if os.getpid() != HERE and item == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return item * item

    square = twin(fall)
    assert [square(n) for n in range(5)] == [0, 1, 4, 9, 16]


def test_a_twin_that_ended_is_gone() -> None:
    made = [Twin(who) for _ in range(3)]
    processes = [one(None) for one in made]
    assert len(set(processes)) == 3
    while made:
        made.pop().end()
    assert not any(map(alive, processes))


def test_a_twin_leaves_signals_to_the_process_it_copies(twin: Twins) -> None:
    one = twin(who)
    process = one(None)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(process, number)
    assert one(None) == process
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_it_answers_until_nothing_more_is_asked() -> None:
    asked, told = io.BytesIO(b"".join(map(pickle.dumps, (1, 0, 2)))), io.BytesIO()
    answer(lambda item: 6 // item, asked, told)
    told.seek(0)
    assert [pickle.load(told) for _ in range(3)] == [(True, 6), (False, None), (True, 3)]
    assert not told.read()


def test_only_a_process_that_permits_it_and_has_one_thread_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "listdir", lambda _: ["1"])
    assert twins_of(who, 1) == []
    monkeypatch.setattr(twins, "_permitted", True)
    made = twins_of(who, 2)
    assert len(made) == 2
    while made:
        made.pop().end()
    monkeypatch.setattr(os, "listdir", lambda _: ["1", "2"])
    assert twins_of(who, 1) == []


def test_a_system_that_copies_no_more_processes_leaves_those_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    forks, fork = iter([True, False]), os.fork

    def few() -> int:
        if not next(forks):
            raise BlockingIOError("too many")
        return fork()

    monkeypatch.setattr(os, "listdir", lambda _: ["1"])
    monkeypatch.setattr(os, "fork", few)
    monkeypatch.setattr(twins, "_permitted", True)
    with Helpers(3, who) as helpers:
        found = [future.result() for future in [helpers.submit(who, n) for n in range(40)]]
    assert len(set(found)) <= 2 and len(set(found) - {HERE}) <= 1


def test_helpers_compute_other_functions_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "listdir", lambda _: ["1"])
    monkeypatch.setattr(twins, "_permitted", True)
    with Helpers(1, who) as helpers:
        assert {future.result() for future in [helpers.submit(lambda _: os.getpid(), n) for n in range(9)]} == {HERE}


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
    """An environment in which a process notes its copies, and what says which there were."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(FORKS)
    note = tmp_path / "forks"

    def forks() -> list[int]:
        found = [int(line) for line in note.read_text().split()] if note.exists() else []
        note.unlink(missing_ok=True)
        return found

    paths = os.pathsep.join([str(tmp_path / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {"PYTHONPATH": paths, "FORKS": str(note)}, forks


def rows_of(path: Path, rows: int, odd: int | None = None) -> tuple[Path, Path]:
    """Write so many rows of three classes, one of them wrong if asked for, and their labels."""
    lines = [f"{0.5 + row % 7 / 100!r},{0.25!r},{0.25 - row % 7 / 100!r}\n" for row in range(rows)]
    if odd is not None:
        lines[odd - 1] = "0.5,0.25,many\n"
    (path / "p.csv").write_text("a,b,c\n" + "".join(lines))
    (path / "y.csv").write_text("y,site\n" + "".join(f"{'abc'[row % 3]},s{row * row % 11}\n" for row in range(rows)))
    return path / "p.csv", path / "y.csv"


def test_the_command_has_twins_and_tells_the_same(
    tmp_path: Path, xent: Run, counted: tuple[dict[str, str], Callable[[], list[int]]]
) -> None:
    environment, forks = counted
    paths = rows_of(tmp_path, 400_000)
    options = ["--label", "y", "--worst", "3", "--by-class", "--by", "site", "--per-example", "losses.csv"]
    told = set()
    for threads in (1, 2, 3):
        done = xent("score", *paths, *options, "--threads", str(threads), env=environment)
        assert done.returncode == 0, done.stderr
        told.add((done.stdout, (tmp_path / "losses.csv").read_bytes()))
        processes = forks()
        assert len(processes) == threads - 1
        assert not any(map(alive, processes))
    assert len(told) == 1
    assert len((tmp_path / "losses.csv").read_bytes().splitlines()) == 400_001


@pytest.mark.parametrize("odd", [390_000, 399_999])
def test_an_error_in_a_late_row_is_told_as_without_twins(
    odd: int, tmp_path: Path, xent: Run, counted: tuple[dict[str, str], Callable[[], list[int]]]
) -> None:
    environment, forks = counted
    paths = rows_of(tmp_path, 400_000, odd)
    alone, beside = (
        xent("score", *paths, "--label", "y", "--threads", threads, env=environment) for threads in ("1", "2")
    )
    assert len(forks()) == 1
    assert (alone.returncode, alone.stderr, alone.stdout) == (beside.returncode, beside.stderr, beside.stdout)
    assert f"row {odd:,}" in beside.stderr or f"row {odd}" in beside.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_twin_outlives_the_command(
    number: int, tmp_path: Path, counted: tuple[dict[str, str], Callable[[], list[int]]]
) -> None:
    environment, forks = counted
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    _, labels = rows_of(tmp_path, 400_000)
    command = [*XENT, "score", str(pipe), str(labels), "--label", "y", "--threads", "3"]
    surroundings = {**os.environ, **environment}
    with subprocess.Popen(command, env=surroundings, stderr=subprocess.PIPE, preexec_fn=default_signals) as process:
        with open(pipe, "w") as file:
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


def test_a_process_with_another_thread_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twins, "_permitted", True)
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert twins_of(who, 1) == []
    finally:
        stop.set()
        thread.join()
