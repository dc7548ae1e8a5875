"""The process: output to stdout and stderr, signals, memory, and the exit code."""

from __future__ import annotations

import atexit
import contextlib
import errno
import gc
import io
import os
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

import click

from xentcli.errors import DEFECT, INTERRUPTED, READER_GONE, SIGNALLED, FileError, UsageError, XentError
from xentcli.extras import check_room, no_room
from xentcli.heap import keep_freed_memory
from xentcli.signals import end_at_once, handle
from xentcli.writers.safe import terminal

_FEW_CYCLES = 100_000
_LEAST_FREE = 96 << 20
"""Bytes of address space that NumPy needs to start; with less OpenBLAS exits with code 1."""

_alone = False
"""Whether the command has the process to itself."""

__all__ = ["ReaderGone", "emit", "error_of", "prepare", "run", "say", "say_error"]


class ReaderGone(BaseException):
    """The reader of our output has closed the pipe."""


class _Terminated(BaseException):
    """A signal to terminate; its number is the argument."""


def emit(text: str) -> None:
    """Write the whole result to stdout and flush.

    Raises FileError if stdout cannot be written; ReaderGone if its reader has closed the pipe.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        raise _output_fault(error) from None


def say(text: str) -> None:
    """Write a line to stderr; ignore a closed stderr."""
    with contextlib.suppress(OSError):
        if sys.stderr is not None:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()


def run(command: Callable[[], object], *, alone: bool) -> NoReturn:
    """Call a command and exit with its exit code; click's own codes never leak.

    With `alone` nothing else runs in this process: it skips interpreter teardown.
    """
    global _alone
    handle(end_at_once if alone else _terminate, interrupts=alone)
    if alone:
        # There are hardly any reference cycles; collecting them takes a tenth of a short run.
        gc.set_threshold(_FEW_CYCLES)
        _alone = True
    _leave(_exit_code(command), alone)


def _exit_code(command: Callable[[], object]) -> int:
    """Call a command; report an error on stderr."""
    try:
        if sys.stdout is None:
            raise FileError("standard output is closed: the result has nowhere to go")
        _buffer_output()
        # Escape characters that the output cannot encode.
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
        result = command()
        emit("")
        return result if isinstance(result, int) else 0
    except (click.ClickException, click.Abort, click.exceptions.Exit) as error:
        return _click_code(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except _Terminated as signalled:
        return SIGNALLED + int(signalled.args[0])
    except (ReaderGone, BrokenPipeError):
        return READER_GONE
    except Exception as error:
        known = error_of(error)
        return _defect(error) if known is None else say_error(known)


def error_of(error: Exception) -> XentError | None:
    """Return the error of xent that an exception amounts to; None for an internal error."""
    if isinstance(error, XentError):
        return error
    if isinstance(error, MemoryError):
        return FileError("there is not enough memory for a block of rows")
    if isinstance(error, ImportError):
        return no_room("start") if _no_memory(error) else None
    if isinstance(error, OSError):
        # Without a file name it is stdout, written by click (--help).
        what = error.filename or "standard output cannot be written"
        return FileError(f"{what}: {error.strerror or error}")
    return None


def _click_code(error: Exception) -> int:
    """Return the exit code of an exception of click, reported on stderr."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        say(error.message)
        return error.exit_code
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "xent"
        say(f"xent: {terminal(error.format_message())}\n      Try '{path} --help'")
        return UsageError.exit_code
    if isinstance(error, click.ClickException):
        say(f"xent: {terminal(error.format_message())}")
        return FileError.exit_code
    # click turns EOFError into Abort too; nothing here reads a prompt.
    return _defect(error.__cause__) if isinstance(error.__cause__, EOFError) else INTERRUPTED


def prepare() -> None:
    """Set the process up for a command that computes: enough memory, one heap, forks if the process is its own."""
    # A limit on the address space (ulimit -v) may leave too little for NumPy.
    check_room(_LEAST_FREE, "start")
    # OpenBLAS interrupts the process if it cannot start a thread.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    # pyarrow's own allocators keep what is freed, and reserve all that a limit leaves, up to 1 GiB.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    keep_freed_memory(one_heap=True)
    if _alone:
        # Help and usage errors do not need it.
        from xentcli.engine.ordered import allow_fork

        allow_fork()


def _buffer_output() -> None:
    """Buffer stdout under PYTHONUNBUFFERED too: a raw write may be partial without an error."""
    raw = getattr(sys.stdout, "buffer", None)
    if isinstance(raw, io.RawIOBase):
        encoding, terminal_ = sys.stdout.encoding, sys.stdout.isatty()
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, line_buffering=terminal_)


def _output_fault(error: OSError) -> BaseException:
    if error.errno in (errno.EPIPE, errno.ESHUTDOWN):
        return ReaderGone()
    return FileError(f"standard output cannot be written: {error.strerror}")


def say_error(error: XentError) -> int:
    """Write an error to stderr, in one short block; return its exit code."""
    say("\n".join([f"xent: {terminal(error.headline)}", *(f"      {terminal(line)}" for line in error.advice)]))
    return error.exit_code


def _no_memory(error: ImportError) -> bool:
    """Whether a library could not be loaded for lack of memory, by the message of the dynamic linker."""
    causes = f"{error} {error.__cause__} {error.__context__}".lower()
    return any(words in causes for words in ("failed to map segment", "cannot allocate memory"))


def _defect(error: Exception) -> int:
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(where.filename)}:{where.lineno}"
    say(
        f"xent: an internal error, not a fault of your data: {type(error).__name__} at {place}: "
        f"{terminal(str(error))}\n"
        "      please report it with the command and, if you can, the input"
    )
    return DEFECT


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    """Signal handler of a command within another program."""
    raise _Terminated(number)


def _leave(code: int, alone: bool) -> NoReturn:
    """Exit without flushing to a closed output."""
    if code in (READER_GONE, FileError.exit_code) and sys.stdout is not None:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if alone:
        # Interpreter teardown takes longer than scoring a small file.
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(code)
    sys.exit(code)
