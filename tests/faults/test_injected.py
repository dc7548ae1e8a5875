"""Any system call may fail: a file is the old one or the new one, whole, and the exit code says which.

strace makes the N-th call of a kind fail, or kills the process there: for every N with `nox -s long`, else for the
first and the last call on each file that is written, and for a third of those on one that is read.
"""

from __future__ import annotations

import csv
import functools
import json
import re
import shutil
import signal
from collections.abc import Callable, Iterator

import pytest

from tests.faults import NAMES, OLD, WRITTEN, Scene, needed, scene
from tests.laws import LONG

RENAMES = "rename,renameat,renameat2"
STATS = "fstat,stat,newfstatat,statx"
FAULTS = [
    ("write", "error=ENOSPC"),
    ("write", "error=EIO"),
    ("write", "error=EPIPE"),
    ("write", "signal=KILL"),
    ("write", "signal=TERM"),
    ("write", "signal=INT"),
    ("fsync", "error=EIO"),
    ("fsync", "error=ENOSPC"),
    ("fsync", "signal=KILL"),
    (RENAMES, "error=EIO"),
    (RENAMES, "error=ENOSPC"),
    (RENAMES, "signal=KILL"),
    ("chmod,fchmod,fchmodat", "error=EPERM"),
    ("flock", "error=ENOLCK"),
]
CODES = {"signal=KILL": -signal.SIGKILL, "signal=TERM": 143, "signal=INT": 130}


Undisturbed = Callable[..., tuple[list[str], dict[str, bytes]]]


@pytest.fixture(scope="module")
def set_up(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    needed("strace", shutil.which("strace") is not None)
    return scene(tmp_path_factory.mktemp("injected"))


@pytest.fixture(scope="module")
def undisturbed(set_up: Scene) -> Undisturbed:
    """A function that returns the calls of these names that a run makes, and what it writes."""

    def found(calls: str, *more: str) -> tuple[list[str], dict[str, bytes]]:
        set_up.reset()
        return made(set_up, calls, *more), set_up.contents()

    return functools.cache(found)


def tracing(calls: str, *more: str) -> list[str]:
    # Injected signals are not sent by strace 6.1 with --seccomp-bpf, nor does that go with a process that runs already.
    return ["strace", "-f", "-e", f"trace={calls}", *more]


def made(set_up: Scene, calls: str, *more: str) -> list[str]:
    """The calls of these names that an undisturbed run makes, each as its name and the first file that it has."""
    log = set_up.folder / "trace"
    done = set_up.run(*tracing(calls, *more, "-y", "-s", "0", "-o", str(log)))
    assert done.returncode == 0, done.stderr
    return [" ".join(call) for call in re.findall(r"^\d+ +(\w+)\(.*?[\"<]([^\">]*)", log.read_text(), re.MULTILINE)]


def ends(calls: list[str]) -> list[int]:
    """The numbers of the calls to disturb: with `nox -s long` of all, else of the first and the last on each file."""
    among = [None, *calls, None]
    return [n for n in range(1, len(calls) + 1) if LONG or among[n] != among[n - 1] or among[n] != among[n + 1]]


def whole(set_up: Scene, new: dict[str, bytes]) -> Iterator[str]:
    """Every file is the old one, the new one, or the whole result of a check that could not run; yields the new ones."""
    now = set_up.contents()
    for name in NAMES:
        assert now[name] in (OLD, new[name]) or is_error(name, now[name]), name
        if now[name] == new[name] != OLD:
            yield name


def is_error(name: str, content: bytes) -> bool:
    """Whether this is the result of `xent check` where it could not run: an older one would pass for that of this run."""
    if name == "report.json":
        return bool(json.loads(content)["verdict"] == "error")
    rows = list(csv.DictReader(content.decode().splitlines())) if name == "report.csv" else []
    return content.endswith(b"\n") and [row["verdict"] for row in rows] == ["error"]


@pytest.mark.parametrize(("calls", "fault"), FAULTS, ids=lambda value: value.partition(",")[0].replace("=", "-"))
def test_whole_old_or_whole_new(set_up: Scene, undisturbed: Undisturbed, calls: str, fault: str) -> None:
    found, new = undisturbed(calls)
    times = len(found)
    assert times >= 3 and all(new[name] != OLD for name in WRITTEN)
    tolerated = fault == "error=ENOLCK"
    for n in (*ends(found), times + 1):
        set_up.reset()
        inject = f"inject={calls}:{fault}:when={n}"
        done = set_up.run(*tracing(calls, "-o", "/dev/null", "-e", inject))
        changed = list(whole(set_up, new))
        if n > times or tolerated:
            assert done.returncode == 0 and changed == list(WRITTEN)
            continue
        wanted = {CODES[fault]} if fault in CODES else {4, 141} if fault == "error=EPIPE" else {4}
        assert done.returncode in wanted, (n, done)
        if fault != "signal=KILL":
            assert sorted(set_up.contents()) == sorted(NAMES), "a temporary file is left"
        # One short block, or nothing where a signal or a reader ended it.
        told = done.stderr.decode()
        assert "Traceback" not in told and len(told.strip().splitlines()) == (done.returncode == 4), told


@pytest.mark.parametrize(
    ("calls", "fault"), [("read,pread64", "error=EIO"), ("read,pread64", "retval=0"), (STATS, "error=EIO")]
)
@pytest.mark.parametrize("file", ["preds.csv", "labels.csv"])
def test_an_input_that_cannot_be_read_is_refused_and_named(
    set_up: Scene, undisturbed: Undisturbed, calls: str, fault: str, file: str
) -> None:
    path = str(set_up.folder / file)
    found, new = undisturbed(calls, "-P", path)
    assert len(found) >= 3
    refused = 0
    for n in range(len(found), 0, -1 if LONG else -3):
        set_up.reset()
        inject = f"inject={calls}:{fault}:when={n}"
        done = set_up.run(*tracing(calls, "-P", path, "-o", "/dev/null", "-e", inject))
        changed = list(whole(set_up, new))
        # The end of the file, told twice, or a look at a file whose failure means no harm.
        assert done.returncode in (0, 3, 4), done
        assert (done.returncode == 0) == (changed == list(WRITTEN)), done
        if done.returncode:
            refused += 1
            assert set(changed) <= {"losses.csv", "main.npz"}
            assert path in done.stderr.decode() and "Traceback" not in done.stderr.decode()
    assert refused
