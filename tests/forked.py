"""The command in a process forked from one that has imported it, which saves its start: a third of a second each.

Streams, exit code, signals, folder and environment are those of a process of its own. Only a start from nothing
differs: tests of imports, of limits set before it, or of what the interpreter reads then start their own process.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import gc
import importlib
import io
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn, TextIO

AT_START = ("PYTHON", "LC_", "LANG", "NPY_", "COV")
"""Prefixes of variables that Python, NumPy or coverage read as they start; xent itself sets the threads of OpenBLAS."""
ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""The signals that end a run."""
MOST_BYTES = 100_000
"""The largest message: a command with its environment."""
PR_SET_PTRACER = 0x59616D61
"""The number of the option of prctl() that says which processes may trace this one."""


def read_at_start(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that matter at the start of a process."""
    found = {name: value for name, value in env.items() if name.startswith(AT_START)}
    # The server has imported every module before it forks.
    found.pop("PYTHONDONTWRITEBYTECODE", None)
    return found


STARTED = read_at_start(os.environ)


def as_it_started() -> None:
    """Undo what else was set of these: nannies of Dask set the seed of hashes, and no command was forked any more."""
    for name in read_at_start(os.environ).keys() - STARTED.keys():
        del os.environ[name]
    os.environ.update(STARTED)


def default_signals() -> None:
    """Reset the signals that end a run, for `preexec_fn`: nohup and a shell's & start the tests with them ignored."""
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)


@dataclass
class Forked:
    """A running command, with the methods of a Popen that tests need."""

    socket: socket.socket
    pid: int

    def kill(self) -> None:
        """End it at once."""
        os.kill(self.pid, signal.SIGKILL)

    def wait(self, seconds: float) -> int:
        """Wait for its end; return its exit code, or minus the signal."""
        # The server reaps it only now: until then no other process has its id.
        self.socket.send(b"wait")
        self.socket.settimeout(seconds)
        try:
            return os.waitstatus_to_exitcode(int(self.socket.recv(99)))
        except TimeoutError:
            self.kill()
            self.socket.settimeout(60)
            self.socket.recv(99)
            raise
        finally:
            self.socket.settimeout(None)


class Server:
    """A process that has imported xent and forks for each command; one command at a time."""

    def __init__(self) -> None:
        self.env = read_at_start(os.environ)
        self.socket, server_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with server_end:
            fd = server_end.fileno()
            code = f"from tests.forked import serve; serve({fd})"
            root = Path(__file__).resolve().parent.parent
            self.process = subprocess.Popen([sys.executable, "-c", code], pass_fds=[fd], cwd=root)
        atexit.register(self.stop)

    def stop(self) -> None:
        """End the server; it also ends when this process is killed."""
        self.socket.close()
        self.process.wait()

    def start(
        self,
        args: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        streams: Sequence[int],
        *,
        before: str = "",
        stopped: bool = False,
    ) -> Forked:
        """Start a command with stdin, stdout and stderr as file descriptors.

        `before` is Python that runs first; a `stopped` one waits for SIGCONT.
        """
        socket.send_fds(self.socket, [json.dumps([args, str(cwd), dict(env), before, stopped]).encode()], streams)
        return Forked(self.socket, int(self.socket.recv(99)))

    def run(
        self,
        args: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        stdin: bytes | BinaryIO | None,
        seconds: float,
        attach: Callable[[int], object] | None = None,
        *,
        before: str = "",
    ) -> tuple[int, bytes, bytes]:
        """Run a command, stdin a pipe of bytes, a file or nothing; return its exit code, and stdout and stderr.

        `attach` is called with its process id before it runs, and may trace it; `before` is Python that runs first.
        """
        stdin_read, stdin_write = os.pipe()
        stdout_read, stdout_write = os.pipe()
        stderr_read, stderr_write = os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        data = stdin if isinstance(stdin, bytes) else b""
        given = stdin_read if isinstance(stdin, bytes) else nothing if stdin is None else stdin.fileno()
        streams = [given, stdout_write, stderr_write]
        process = self.start(args, cwd, env, streams, before=before, stopped=attach is not None)
        for fd in (nothing, stdin_read, stdout_write, stderr_write):
            os.close(fd)
        if attach is not None:
            try:
                attach(process.pid)
            finally:
                os.kill(process.pid, signal.SIGCONT)
        with ThreadPoolExecutor(3) as pool:
            pool.submit(_fill, stdin_write, data)
            out, err = pool.submit(_drain, stdout_read), pool.submit(_drain, stderr_read)
            return process.wait(seconds), out.result(), err.result()


def _fill(fd: int, data: bytes) -> None:
    with open(fd, "wb", buffering=0) as stream:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[stream.write(rest) :]
        except BrokenPipeError:
            pass


def _drain(fd: int) -> bytes:
    with open(fd, "rb") as stream:
        return stream.read()


@functools.cache
def server() -> Server:
    """The server of this process, started at its first command."""
    return Server()


def can_fork(args: Sequence[str], env: Mapping[str, str]) -> bool:
    """Whether a command under an environment does the same in a forked process as in one started for it."""
    return (
        sys.platform == "linux"
        and len(json.dumps([args, dict(env)])) < MOST_BYTES
        and not any(name.startswith("COV") for name in env)
        and read_at_start(env) == server().env
    )


def serve(fd: int) -> None:
    """Run the server: import all of xent, then fork for each command; send its process id, and its status."""
    # As the command sets it before it imports NumPy.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    import xentcli
    from xentcli import attempts

    attempts.STRICT = True
    for module in pkgutil.walk_packages(xentcli.__path__, "xentcli."):
        # Pictures need Matplotlib, which few commands do.
        if not module.name.startswith(("xentcli.__main__", "xentcli.writers.pictures.")):
            importlib.import_module(module.name)
    gc.freeze()
    with socket.socket(fileno=fd) as connection:
        while True:
            message, streams, *_ = socket.recv_fds(connection, 2 * MOST_BYTES, 3)
            if not message:
                return
            pid = os.fork()
            if pid == 0:
                connection.close()
                _become(message, streams)
            for stream in streams:
                os.close(stream)
            if json.loads(message)[-1]:
                os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            connection.send(b"%d" % pid)
            connection.recv(99)
            connection.send(b"%d" % os.waitpid(pid, 0)[1])


def _become(message: bytes, streams: Sequence[int]) -> NoReturn:
    """Run the command in the forked process; never returns."""
    from xentcli.cli import main

    try:
        args, folder, env, before, stopped = json.loads(message)
        for fd, given in enumerate(streams):
            os.dup2(given, fd)
            os.close(given)
        default_signals()
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(env)
        sys.argv = ["-c", *args]
        for fd, name in enumerate(("stdin", "stdout", "stderr")):
            stream = _opened(fd, getattr(sys, name))
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
        if stopped:
            # Without root only a parent may trace a process, unless the process allows others.
            ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_long(-1), 0, 0, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
        exec(before, {})
        main()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(99)


def _opened(fd: int, like: TextIO) -> TextIO:
    """A standard stream, opened as Python does when it starts."""
    raw = isinstance(like.buffer, io.RawIOBase)
    stream = os.fdopen(fd, "wb" if fd else "rb", buffering=0 if raw else -1, closefd=False)
    by_line = fd == 2 or os.isatty(fd)
    return io.TextIOWrapper(stream, like.encoding, like.errors, "\n", line_buffering=by_line, write_through=raw)
