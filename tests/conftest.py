"""What the tests share: the command in a real process, the goldens, small files."""

from __future__ import annotations

import compileall
import contextlib
import functools
import gc
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import pytest

from tests import forked, laws
from xentcli import attempts

ROOT = Path(__file__).resolve().parent.parent
GOLDENS = ROOT.parent / "shared" / "goldens"
STRICT = "from xentcli import attempts; attempts.STRICT = True; from xentcli.cli import main; main()"
XENT = [sys.executable, "-c", STRICT]
"""The command as `python -m xentcli` runs it, but that a diagnosis that fails is an error."""
attempts.STRICT = True
# Where PYTHONDONTWRITEBYTECODE is set, each of the thousand processes of the command would compile it, in 0.2 s.
compileall.compile_dir(ROOT / "xentcli", quiet=2)

POSIX = (
    "faults/*", "check/test_exit_codes.py", "cli/test_exit_codes.py", "cli/test_pipes.py", "cli/test_progress.py",
    "cli/test_screens.py", "inputs/test_audit.py", "fuzz/*", "test_atomic.py",
)  # fmt: skip
"""Tests of signals, pipes, terminals, permissions and limits as POSIX has them."""
posix_only = pytest.mark.skipif(os.name == "nt", reason="needs a FIFO, a shell or permissions as POSIX has them")
LINUX = ("engine/test_executors.py", "engine/test_memory.py", "faults/test_refused_resources.py")
"""Tests of what /proc shows, of forked workers, and of limits on memory, which macOS has not."""
collect_ignore_glob = [*POSIX * (os.name == "nt"), *LINUX * (sys.platform != "linux")]

MEMORY = "/dev/shm"
"""Where Linux has a file system in memory: on a disk each file that is written anew is waited for."""
LEAST_MEMORY = 4 << 30
"""Bytes that must be free there; the tests need a tenth of it at a time."""


SECOND = os.environ.get("PYTEST_XDIST_WORKER", "gw0")[-1] in "13579"
"""Whether this is every other of several processes that run the tests."""


def pytest_configure() -> None:
    """Have temporary files in memory, unless the environment says where; keep the compiled tests; say how long laws try."""
    sys.dont_write_bytecode = False
    laws.by_default()
    if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK):
        there = os.statvfs(MEMORY)
        if there.f_bavail * there.f_frsize > LEAST_MEMORY and not there.f_flag & os.ST_NOEXEC:
            os.environ["TMPDIR"] = tempfile.tempdir = MEMORY


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without garbage collection, which takes a quarter of that time, and never look at these objects again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Have every other process begin with the last file, so that each compiles the half that others do not."""
    report = yield
    if SECOND and isinstance(collector, pytest.Directory):
        report.result.reverse()
    return report


def pytest_runtest_setup() -> None:
    """Have each test start with the environment of the first."""
    forked.as_it_started()


LONG = ("tests/fuzz", "tests/inputs/test_polluter.py", "tests/engine/test_memory.py", "tests/readers/test_formats.py")
"""Where tests take ten seconds and more."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the longest tests first, so that no worker is left with one at the end; all processes have one order."""
    items.sort(key=lambda item: (not item.nodeid.startswith(LONG), item.path))


def local_cluster(folder: Path, workers: int, **options: Any) -> Any:
    """Return a cluster of Dask whose workers have one thread each, and whose scheduler is in this process."""
    dask, distributed = pytest.importorskip("dask"), pytest.importorskip("distributed")
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    if sys.platform == "linux":
        # Workers are forked from a process that has imported them, which saves two seconds each.
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
        context = distributed.utils.get_mp_context()
        context.set_forkserver_preload(["distributed", "xentcli.analysis.score", "xentcli.engine.travel"])
    # A worker would look at its own stack a hundred times a second, also where it has nothing to do.
    with dask.config.set({"distributed.worker.profile.enabled": False}):
        return distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            local_directory=str(folder),
            silence_logs=logging.CRITICAL,
            **options,
        )


Run = Callable[..., subprocess.CompletedProcess[str]]


class Done(NamedTuple):
    """What a command gave within this process."""

    code: int | str | None
    out: str
    err: str


Call = Callable[..., Done]
Write = Callable[[str, str | bytes], str]
Feed = Callable[[Iterable[bytes]], str]


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until a condition holds; fail where it does not for a minute."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.01)


DISPATCH = """
try:
    from numpy._core import _multiarray_umath as numpy
except ImportError:
    from numpy.core import _multiarray_umath as numpy
print(*(name for name in numpy.__cpu_dispatch__ if numpy.__cpu_features__.get(name)))
print(*(name for name, there in numpy.__cpu_features__.items() if there))
"""


@functools.cache
def _instruction_sets() -> tuple[list[str], list[str]]:
    """Instruction sets that NumPy can disable, and those that it found, ignoring any disabled by the environment."""
    env = {name: value for name, value in os.environ.items() if name != "NPY_DISABLE_CPU_FEATURES"}
    done = subprocess.run([sys.executable, "-c", DISPATCH], capture_output=True, text=True, check=True, env=env)
    dispatched, found = done.stdout.splitlines()
    return dispatched.split(), found.split()


def cpu_dispatch() -> list[str]:
    """Return the instruction sets of this processor that NumPy can be told to do without, the oldest first."""
    return _instruction_sets()[0]


def cpu_features() -> frozenset[str]:
    """Return the names of the instruction sets that this processor has, as NumPy calls them."""
    return frozenset(_instruction_sets()[1])


def started(
    args: list[str], cwd: Path, env: dict[str, str], stdin: bytes | BinaryIO | None = None, *, before: str = ""
) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own, forked where that makes no difference; stdin is a pipe or a file.

    `before` is Python that runs in that process first.
    """
    command = [sys.executable, "-c", f"{before}\n{STRICT}", *args] if before else [*XENT, *args]
    if forked.can_fork(args, env):
        return subprocess.CompletedProcess(command, *forked.server().run(args, cwd, env, stdin, 120, before=before))
    given: dict[str, Any] = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin or subprocess.DEVNULL}
    return subprocess.run(command, capture_output=True, cwd=cwd, env=env, timeout=120, check=False, **given)


@pytest.fixture
def xent(tmp_path: Path) -> Run:
    """Run the command in a real process in the test's folder; never raises."""

    def run(
        *args: str | Path,
        input: str | bytes | None = None,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        before: str = "",
    ) -> subprocess.CompletedProcess[str]:
        data = input.encode() if isinstance(input, str) else input
        words, surroundings = [*map(str, args)], {**os.environ, **(env or {})}
        done = started(words, cwd or tmp_path, surroundings, data, before=before)
        out, err = (text.decode().replace(os.linesep, "\n") for text in (done.stdout, done.stderr))
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    return run


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Run the command within this process, in the test's folder."""
    from xentcli.cli import main

    monkeypatch.chdir(tmp_path)
    handler = signal.getsignal(signal.SIGTERM)

    def run(*args: str) -> Done:
        with pytest.raises(SystemExit) as end:
            main(list(args))
        out, err = capsys.readouterr()
        return Done(end.value.code, out, err)

    yield run
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a small file in the test's folder; returns its path."""

    def put(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return put


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    """A function that creates a named pipe, writes chunks of bytes to it in a thread, and returns its path."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("no FIFO here")
    threads: list[threading.Thread] = []

    def start(chunks: Iterable[bytes]) -> str:
        path = tmp_path / f"fifo{len(threads)}"
        os.mkfifo(path)

        def write() -> None:
            with contextlib.suppress(BrokenPipeError), open(path, "wb", buffering=0) as file:
                for chunk in chunks:
                    file.write(chunk)

        threads.append(threading.Thread(target=write, daemon=True))
        threads[-1].start()
        return str(path)

    yield start
    for thread in threads:
        thread.join(1)


@pytest.fixture
def goldens() -> Path:
    """The folder of published predictions; skips where it is absent."""
    if not GOLDENS.is_dir():
        pytest.skip(f"the goldens are not here: {GOLDENS}")
    return GOLDENS


def csv(rows: Sequence[Sequence[object]], header: Sequence[object] | None = None) -> str:
    """Rows as text, floats in their shortest form."""
    lines = [*([header] if header is not None else []), *rows]
    return "".join(",".join(repr(v) if isinstance(v, float) else str(v) for v in line) + "\n" for line in lines)
