"""A full disk, a pipe that stalls or never ends, a file that changes, a signal: an exit code, and nothing lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import XENT, Write, started
from tests.faults import OLD, environment, needed, scene
from tests.forked import default_signals
from xentcli import score
from xentcli.errors import DataError
from xentcli.report.per_example import PerExample


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    root = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    made = sys.platform == "linux" and all(map(shutil.which, ["mount", *root[:1]]))
    if made:
        command = [*root, "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
        made = subprocess.run(command, capture_output=True, check=False).returncode == 0
    needed("root, who may mount a tmpfs", made)
    yield place
    subprocess.run([*root, "umount", str(place)], check=True)


@pytest.mark.parametrize("name", ["losses.csv", "losses.npy", "losses.jsonl", "losses.parquet"])
def test_a_full_disk_is_4_and_leaves_the_old_files(small_disk: Path, tmp_path: Path, name: str) -> None:
    set_up = scene(tmp_path)
    for old in ("report.json", name):
        (small_disk / old).write_bytes(OLD)
    (small_disk / "ballast").write_bytes(bytes(48 << 10))
    files = [str(set_up.folder / "preds.csv"), str(set_up.folder / "labels.csv")]
    outputs = ["--per-example", str(small_disk / name), "-o", str(small_disk / "report.json")]
    done = started(["score", *files, *outputs], tmp_path, environment())
    assert done.returncode == 4, done
    assert done.stdout == b""
    assert done.stderr.decode() == f"xent: {small_disk / name}: cannot be written: No space left on device\n"
    assert sorted(os.listdir(small_disk)) == sorted(["ballast", "report.json", name])
    assert (small_disk / "report.json").read_bytes() == (small_disk / name).read_bytes() == OLD


def test_a_full_disk_leaves_the_old_baseline(small_disk: Path, tmp_path: Path) -> None:
    set_up, baseline = scene(tmp_path), small_disk / "main.npz"
    baseline.write_bytes(OLD)
    files = [str(set_up.folder / "preds.csv"), str(set_up.folder / "labels.csv")]
    command = ["check", *files, "--max", "cost=0.001", "--write-baseline", str(baseline)]
    (small_disk / "ballast").write_bytes(bytes(32 << 10))
    done = started(command, tmp_path, environment())
    assert (done.returncode, done.stdout) == (4, b""), done
    assert done.stderr.decode() == f"xent: {baseline}: cannot be written: No space left on device\n"
    assert sorted(os.listdir(small_disk)) == ["ballast", "main.npz"]
    assert baseline.read_bytes() == OLD


def test_a_pipe_that_stalls_is_waited_for(write: Write) -> None:
    labels = write("l.csv", "label\na\nb\n")
    command = [*XENT, "score", "-", labels, "--quiet"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdin is not None and process.stdout is not None
        for piece in (b"a,", b"b\n0.5,", b"0.5\n0.2", b"5,0.75", b"\n"):
            process.stdin.write(piece)
            process.stdin.flush()
            time.sleep(0.15)
        assert process.poll() is None
        process.stdin.close()
        assert float(process.stdout.read()) == pytest.approx(-(np.log(0.5) + np.log(0.75)) / 2)
    assert process.returncode == 0


def peak(pid: int) -> float:
    """The peak of resident memory of a process so far, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    if "VmHWM:" not in status:
        # It has ended, and nobody has asked for its exit code yet.
        raise ProcessLookupError(pid)
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


# The head, some rows, and how many MiB are enough for everything that a run holds at once.
ENDLESS = {
    "csv": (b"a,b,y\n", b"0.25,0.75,a\n" * 5000, 20),
    "jsonl": (b"", b'{"a": 0.25, "b": 0.75, "y": "a"}\n' * 2000, 4),
}


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("form", ENDLESS)
def test_a_pipe_without_end_stays_in_bounded_memory_and_can_be_interrupted(form: str, threads: str) -> None:
    """By bytes, not by seconds: how many rows are read in a second depends on what else the machine does."""
    head, rows, enough = ENDLESS[form]
    command = [*XENT, "score", "-", "--label", "y", "--quiet", "--input-format", form, "--threads", threads]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        preexec_fn=default_signals,
    ) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdin.write(head)
        peaks = []
        for times in (1, 2):
            for _ in range(times * (enough << 20) // len(rows)):
                process.stdin.write(rows)
            peaks.append(peak(process.pid))
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stdout.read() == b"" and process.stderr.read().strip() == b""
        process.stdin = None
    # How much of what several workers need falls together is chance.
    assert threads != "1" or peaks[1] < 1.1 * peaks[0], peaks
    assert peaks[1] < 200, peaks


@pytest.mark.parametrize(
    ("form", "head"), [("csv", b"a,b\n0.5,"), ("csv", b'a,b\n0.5,"'), ("jsonl", b'{"a":"'), ("vw", b"a:0.5 ")]
)
def test_a_line_without_end_is_refused_in_bounded_memory(form: str, head: bytes, write: Write) -> None:
    command = [*XENT, "score", "-", write("l.csv", "label\na\n"), "--input-format", form]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdin is not None and process.stderr is not None
        highest = 0.0
        filler = b"b:0.5 " * 20_000 if form == "vw" else b"x" * 120_000
        try:
            process.stdin.write(head)
            for _ in range(5000):
                process.stdin.write(filler)
                if process.poll() is None:
                    highest = max(highest, peak(process.pid))
        except (BrokenPipeError, ProcessLookupError):
            pass
        process.stdin = None
        told = process.stderr.read().decode()
    assert process.returncode == 4, told
    assert "a row is longer than" in told or "a field is longer than" in told
    assert "--max-field N" in told
    assert highest < 400


@pytest.mark.parametrize("change", ["grows", "shrinks", "other bytes", "another file", "gone"])
@pytest.mark.parametrize("form", ["csv", "npy"])
def test_a_file_that_changes_while_it_is_read_is_noticed(change: str, form: str, tmp_path: Path) -> None:
    path, labels = tmp_path / f"p.{form}", tmp_path / "l.npy"
    q = np.full((20_000, 2), 0.5)
    if form == "npy":
        np.save(path, q)
    else:
        path.write_text("0,1\n" + "0.5,0.5\n" * len(q))
    np.save(labels, np.zeros(len(q), np.int64))
    whole = path.read_bytes()
    done = threading.Event()

    def sink(block: PerExample) -> None:
        if done.is_set():
            return
        done.set()
        if change == "grows":
            with path.open("ab") as file:
                file.write(whole[-8:])
        elif change == "shrinks":
            os.truncate(path, len(whole) - 8)
        elif change == "gone":
            path.unlink()
        else:
            other = tmp_path / "other"
            other.write_bytes(whole)
            if change == "another file":
                os.replace(other, path)
            else:
                path.write_bytes(whole[:-8] + whole[-8:][::-1])
                os.utime(path, (1, 1))

    with pytest.raises(Exception, match=r"changed while|became shorter|cannot be read: No such file") as caught:
        score(str(path), str(labels), sink=sink, threads=1, block_bytes=4096)
    assert getattr(caught.value, "exit_code", None) == (4 if change == "gone" else 3), caught.value
    assert change == "gone" or isinstance(caught.value, DataError)
    assert str(path) in str(caught.value)


def test_under_nohup_the_end_of_the_terminal_is_nothing(tmp_path: Path) -> None:
    set_up = scene(tmp_path)
    command = ["nohup", *XENT, "score", "-", str(set_up.folder / "labels.csv"), "--quiet"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdin is not None
        process.stdin.write(b"a,b,c\n")
        time.sleep(1)
        process.send_signal(signal.SIGHUP)
        process.communicate(b"0.5,0.25,0.25\n" * 2000, timeout=30)
    assert process.returncode == 0
