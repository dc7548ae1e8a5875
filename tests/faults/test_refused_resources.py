"""Threads, processes, memory or permission that the system refuses; workers that are stopped; signals at any time."""

from __future__ import annotations

import functools
import json
import math
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as arrow
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest

from tests.conftest import XENT, Run, Write
from tests.faults import environment
from tests.forked import default_signals
from tests.laws import LONG
from xentcli import score
from xentcli.errors import FileError, UsageError
from xentcli.readers.arrow import damage as damage
from xentcli.readers.source import TASK_ROWS

ROWS = "a,b\n0.5,0.5\n0.2,0.8\n"
COST = -(math.log(0.5) + math.log(0.8)) / 2


@pytest.fixture(autouse=True)
def files(write: Write) -> None:
    write("p.csv", ROWS)
    write("l.csv", "y\na\nb\n")
    write("ids.csv", "id,y\nq,a\nr,b\n")


# Nothing is read for ever.


def endless(folder: Path, first: str, row: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Score with a standard input that goes on for ever."""
    command = ["bash", "-c", 'set -f; (printf "%s\\n" "$0"; yes "$1") | exec "${@:2}"', first, row, *XENT, *args]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False, env=environment()
    )


def test_predictions_without_end_are_refused_beside_labels_that_end(tmp_path: Path) -> None:
    done = endless(tmp_path, "a,b", "0.5,0.5", "score", "-", "l.csv")
    assert done.returncode == 3
    assert "standard input has at least" in done.stderr and "l.csv has 2" in done.stderr


def test_labels_without_end_are_refused_beside_predictions_that_end(tmp_path: Path) -> None:
    done = endless(tmp_path, "y", "a", "score", "p.csv", "-")
    assert done.returncode == 3
    assert "p.csv has 2 and standard input has at least" in done.stderr


def test_ids_without_end_are_refused_where_one_is_missing(tmp_path: Path) -> None:
    done = endless(tmp_path, "id,a,b", "x,0.5,0.5", "score", "-", "ids.csv", "--id", "id", "--label", "y")
    assert done.returncode == 3
    assert "are not in ids.csv" in done.stderr


# One input given twice.


@pytest.mark.parametrize(("first", "second"), [("p.csv", "p.csv"), ("p.csv", "./p.csv"), ("link.csv", "p.csv")])
def test_one_file_as_both_inputs_is_2(xent: Run, tmp_path: Path, first: str, second: str) -> None:
    (tmp_path / "link.csv").symlink_to("p.csv")
    done = xent("score", first, second)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"predictions and labels are the same file: '{first}'" in done.stderr
    assert "--label COLUMN" in done.stderr
    with pytest.raises(UsageError, match="the same file"):
        score(tmp_path / first, tmp_path / second)


@pytest.mark.parametrize(
    ("first", "second", "shared", "among"),
    [
        ("p.csv", "p*.csv", "p.csv", "'p*.csv'"),
        ("p.csv", ".", "p.csv", "'.'"),
        (".", "p.csv", "./p.csv", "'.'"),
        ("p.csv", "[lp].csv", "p.csv", "'[lp].csv'"),
        ("p.csv", "../*/link*", "p.csv", "'../*/link*'"),
        (".", ".", "./l.csv", "'.'"),
        ("p*.csv", "./*", "p.csv", "'p*.csv' and of './*'"),
    ],
)
def test_a_folder_or_glob_that_has_the_file_of_the_other_input_is_2(
    first: str, second: str, shared: str, among: str, xent: Run, tmp_path: Path
) -> None:
    for entry in tmp_path.iterdir():
        if entry.name not in ("p.csv", "l.csv"):
            entry.unlink()
    if "link" in second:
        (tmp_path / "link.csv").symlink_to("p.csv")
    done = xent("score", first, second)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert f"predictions and labels share a file: '{shared}' is among the files of {among}\n" in done.stderr
    assert "shares no file with the other" in done.stderr and "--label COLUMN" in done.stderr


def test_folders_and_globs_that_share_no_file_are_read(xent: Run, tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "p.csv").write_bytes((tmp_path / "l.csv").read_bytes())
    for second in ("l*.csv", "labels", "labels/*"):
        assert xent("score", "p*.csv", second, "-q").returncode == 0


def test_one_stream_as_both_inputs_is_2(xent: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for inputs in (("-", "-"), ("-", "/dev/stdin"), ("/dev/stdin", "-"), ("pipe", "pipe")):
        done = xent("score", *inputs, input=ROWS)
        assert (done.returncode, done.stdout) == (2, ""), inputs
        assert "predictions and labels are the same stream" in done.stderr


# What the system refuses.


LARGE = ("score", "p.npy", "l.npy", "--kind", "logits")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of LARGE, of more tasks than are taken before workers are started."""
    folder, rows = tmp_path_factory.mktemp("large"), 9 * TASK_ROWS
    generator = np.random.default_rng(0)
    logits, labels = generator.normal(size=(rows, 3)).astype("f4"), generator.integers(0, 3, rows)
    logits[np.arange(rows), labels] += 2
    np.save(folder / "p.npy", logits)
    np.save(folder / "l.npy", labels)
    return folder


@functools.cache
def told(folder: Path, *more: str) -> str:
    """What the command says of LARGE alone in its process."""
    command = [*XENT, *LARGE, *more]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("refused", ["threading.Thread.start", "os.fork", "both"])
@pytest.mark.parametrize("more", [("-q",), ("--hash", "--format", "json")])
def test_a_run_without_room_for_threads_or_processes_works_alone(
    refused: str, more: tuple[str, ...], large: Path
) -> None:
    command = [*LARGE, *more, "--threads", "4"]
    names = ["threading.Thread.start", "os.fork"] if refused == "both" else [refused]
    raising = "".join(
        f"{name} = refuse({'RuntimeError' if 'start' in name else 'BlockingIOError'})\n" for name in names
    )
    script = f"""
import os, sys, threading
def refuse(kind):
    def refused(*args, **kwargs):
        raise kind("can't start")
    return refused
{raising}
sys.argv[1:] = {command!r}
from xentcli.__main__ import start
start()
"""
    alone = told(large, *more)
    done = subprocess.run([sys.executable, "-c", script], cwd=large, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    if "json" in more:
        assert json.loads(done.stdout)["inputs"] == json.loads(alone)["inputs"]
    else:
        assert done.stdout == alone


@pytest.mark.parametrize("threads", ["1000", "100000000000000000000"])
def test_as_many_workers_as_are_useful_are_started(threads: str, large: Path) -> None:
    script = f"""
import os, sys
fork, made = os.fork, []
def counted():
    made.append(1)
    return fork()
os.fork = counted
sys.argv[1:] = {[*LARGE, "-q", "--threads", threads]!r}
import atexit
parent = os.getpid()
atexit.register(lambda: os.getpid() == parent and print(len(made), file=sys.stderr))
from xentcli.__main__ import start
start()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=large, capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout == told(large, "-q", "--threads", "1")
    assert int(done.stderr) <= max(16, len(os.sched_getaffinity(0)))


def limited(mebibytes: int, folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run the command with so much address space."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, mebibytes << 20))

    command = [sys.executable, "-m", "xentcli", *args]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=environment(), check=False, preexec_fn=limit
    )


@pytest.mark.parametrize("mebibytes", [32, 48, 60, 70, 80, 90, 100, 110, 120, 140])
def test_too_little_memory_to_start_is_4(mebibytes: int, tmp_path: Path) -> None:
    """NumPy fails to load then, or OpenBLAS would end the process with the code of a failed limit."""
    done = limited(mebibytes, tmp_path, "check", "p.csv", "l.csv", "--max", "cost=9")
    if done.returncode == 0 and mebibytes > 100:
        return
    assert (done.returncode, done.stdout) == (4, "")
    assert "there is not enough memory to start" in done.stderr


FORMS = ["p.parquet", "p.arrow", "p.csv.zst", "written"]
LIMITS = [160, 200, 240, 255, 264, 293, 330, 360, 371, 380, 390, 600]
# With every run each limit with one form, and each form with a quarter of the limits.
LIMITED = [
    (form, limit)
    for place, form in enumerate(FORMS)
    for other, limit in enumerate(LIMITS)
    if LONG or (place + other) % 4 == 0
]


@pytest.mark.parametrize(("form", "mebibytes"), LIMITED)
def test_too_little_memory_for_pyarrow_is_4(form: str, mebibytes: int, tmp_path: Path) -> None:
    """It ends the process then, or crashes: with exit code 127, 134 or 139."""
    table = arrow.table({"a": [0.5, 0.2], "b": [0.5, 0.8]})
    parquet.write_table(table, tmp_path / "p.parquet")
    feather.write_feather(table, tmp_path / "p.arrow")
    with arrow.CompressedOutputStream(str(tmp_path / "p.csv.zst"), "zstd") as file:
        file.write(ROWS.encode())
    files = ["p.csv", "l.csv", "--per-example", "a.parquet"] if form == "written" else [form, "l.csv"]
    done = limited(mebibytes, tmp_path, "score", *files, "-q")
    if done.returncode == 0:
        assert float(done.stdout) == pytest.approx(COST, rel=1e-15)
        return
    assert (done.returncode, done.stdout) == (4, "")
    assert "there is not enough memory to load pyarrow" in done.stderr
    assert mebibytes < 600


def test_a_thread_that_pyarrow_cannot_start_is_nodamage_of_the_file() -> None:
    with pytest.raises(FileError, match="Failed to launch") as caught, damage("p.parquet"):
        raise OSError("Unknown error: Failed to launch worker thread: Resource temporarily unavailable")
    assert caught.value.exit_code == 4 and "ulimit" in str(caught.value)


def test_a_working_directory_that_is_gone_is_told_of_the_files(tmp_path: Path) -> None:
    files = [str(tmp_path / name) for name in ("p.csv", "l.csv")]
    script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    for args, code, says in (
        ([*files, "-q"], 0, ""),
        (["p.csv", "l.csv"], 4, "p.csv: cannot be read: No such file or directory"),
        ([*files, "-o", "r.json"], 4, "r.json: cannot be written: No such file or directory"),
        ([*files, "--per-example", "r.csv"], 4, "r.csv: cannot be written: No such file or directory"),
    ):
        # With -c NumPy itself cannot be imported there from Python 3.13 on.
        command = ["bash", "-c", script, "bash", sys.executable, "-m", "xentcli", "score", *args]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (code, says and f"xent: {says}\n")


@pytest.mark.parametrize("option", ["-o", "--per-example"])
def test_a_read_only_file_is_not_replaced(xent: Run, tmp_path: Path, option: str) -> None:
    old = tmp_path / "old.csv"
    old.write_text("mine\n")
    old.chmod(0o444)
    done = xent("score", "p.csv", "l.csv", option, "old.csv")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == "xent: old.csv: cannot be written: it is read-only\n"
    assert old.read_text() == "mine\n"
    assert not list(tmp_path.glob(".old*"))


# Workers that are stopped, and signals at any time.


def children(process: int) -> list[int]:
    path = Path(f"/proc/{process}/task/{process}/children")
    if not path.exists():
        pytest.skip("this kernel does not list the children of a process")
    return [int(child) for child in path.read_text(encoding="utf-8").split()]


@functools.cache
def many() -> tuple[bytes, str]:
    """The text of many predictions, and that of their labels."""
    generator = np.random.default_rng(0)
    q = generator.random(600_000)
    text = "".join(f"{value:.6f},{1 - value:.6f}\n" for value in q.tolist()).encode()
    return text, "y\n" + "".join(np.where(generator.random(600_000) < q, "a\n", "b\n"))


def begun(tmp_path: Path) -> tuple[subprocess.Popen[bytes], bytes]:
    """A run that has worker processes and waits for the second half of its input, and that half."""
    text, labels = many()
    (tmp_path / "many.csv").write_text(labels)
    process = subprocess.Popen(
        [*XENT, "score", "-", "many.csv", "-q", "--threads", "3"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=default_signals,
    )
    half = text.index(b"\n", len(text) // 2) + 1
    stdin = process.stdin
    assert stdin is not None
    stdin.write(b"a,b\n" + text[:half])
    stdin.flush()
    deadline = time.monotonic() + 30
    while not children(process.pid):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    return process, text[half:]


def finished(process: subprocess.Popen[bytes], rest: bytes) -> tuple[int, bytes, bytes]:
    out, err = process.communicate(rest, timeout=90)
    return process.returncode, out, err


def test_a_worker_that_is_stopped_does_not_hang_the_run(tmp_path: Path) -> None:
    process, rest = begun(tmp_path)
    for child in children(process.pid):
        os.kill(child, signal.SIGSTOP)
    code, out, err = finished(process, rest)
    assert (code, err) == (0, b"")
    process, rest = begun(tmp_path)
    assert finished(process, rest)[1] == out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_ends_a_run_whose_workers_are_stopped(tmp_path: Path, number: int) -> None:
    process, _ = begun(tmp_path)
    stopped = children(process.pid)
    for child in stopped:
        os.kill(child, signal.SIGSTOP)
    process.send_signal(number)
    assert process.wait(timeout=10) == 128 + number
    err: IO[bytes] | None = process.stderr
    assert err is not None and err.read() == b""
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{child}").exists() and "Z" not in state(child) for child in stopped):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def state(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


@pytest.mark.parametrize(
    "module", ["click", "numpy", "xentcli.cli.score", "xentcli.readers.text.csv", "xentcli.engine.scorer"]
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_an_import_ends_the_run_quietly(module: str, number: int, tmp_path: Path) -> None:
    script = f"""
import os, signal, sys
class Signals:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), {int(number)})
sys.meta_path.insert(0, Signals())
sys.argv[1:] = ["score", "p.csv", "l.csv"]
from xentcli.__main__ import start
start()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=False, preexec_fn=default_signals
    )
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, b"", b"")


def test_a_second_signal_while_the_first_is_served_changes_nothing(tmp_path: Path) -> None:
    process, _ = begun(tmp_path)
    for _ in range(5):
        process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 130
    assert process.stderr is not None and process.stderr.read() == b""


# Smaller promises.


def test_decimal_commas_change_no_text(xent: Run, write: Write) -> None:
    write("d.csv", 'id;a;b;site\n1,2;0,5;0,5;"3,4"\n5.6;0,2;0,8;7.8\n')
    options = ("--decimal", ",", "--preds", "a,b", "--worst", "2", "--show", "id", "--by", "site", "--format", "json")
    report = json.loads(xent("score", "d.csv", "l.csv", *options).stdout)
    assert report["cost"] == pytest.approx(COST, rel=1e-15)
    assert [row["shown"]["id"] for row in report["worst"]] == ["1,2", "5.6"]
    assert [part["group"]["site"] for part in report["by"]] == ["3,4", "7.8"]


def test_a_group_of_one_cluster_has_no_interval(xent: Run, write: Write) -> None:
    write("g.csv", "a,b,y,s,c\n.5,.5,a,n,1\n.2,.8,b,m,1\n.2,.8,b,m,2\n")
    args = ("score", "g.csv", "--preds", "a,b", "--label", "y", "--by", "s", "--cluster", "c")
    report = json.loads(xent(*args, "--format", "json").stdout)
    assert [part["interval"] is None for part in report["by"]] == [False, True]
