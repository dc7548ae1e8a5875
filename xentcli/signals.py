"""Clean-up actions for signals that end the process, and the handler that runs them.

A handler that raises is not enough: a callback or an import may swallow the exception, and a
second signal interrupts the clean-up. So the handler itself cleans up and exits.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

__all__ = ["blocked", "end_at_once", "handle", "is_profiled", "leave_to_main_thread", "undo_later"]

_SIGNALLED = 128
_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_actions: dict[int, Callable[[], object]] = {}


def is_profiled() -> bool:
    """Whether a profiler runs, which must still write what it saw when the command ends."""
    # From Python 3.12 on, cProfile is a tool of this module.
    monitoring = getattr(sys, "monitoring", None)
    return sys.getprofile() is not None or (
        monitoring is not None and monitoring.get_tool(monitoring.PROFILER_ID) is not None
    )


def undo_later(action: Callable[[], object]) -> Callable[[], None]:
    """Register an action to run when a signal ends the process; return a function that unregisters it.

    >>> withdraw = undo_later(print)
    >>> withdraw()
    """
    key = max(_actions, default=0) + 1
    _actions[key] = action

    def withdraw() -> None:
        _actions.pop(key, None)

    return withdraw


def handle(handler: Callable[[int, FrameType | None], object], *, interrupts: bool) -> None:
    """Set the handler of SIGTERM and SIGHUP, of SIGINT too if it `interrupts`.

    An ignored signal, such as SIGHUP under nohup, stays ignored. Does nothing outside the main
    thread, which alone can set handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _ENDING:
        if signal.getsignal(number) in (signal.SIG_DFL, *([signal.default_int_handler] if interrupts else [])):
            signal.signal(number, handler)


def end_at_once(number: int, frame: FrameType | None = None) -> NoReturn:
    """Run the registered actions, newest first, and exit with 128 + the signal number; ignore further signals."""
    for each in _ENDING:
        signal.signal(each, signal.SIG_IGN)
    for key in sorted(_actions, reverse=True):
        with contextlib.suppress(Exception):
            _actions[key]()
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()
    # Nothing is flushed: the reader of the output may be stopped, and a flush would block.
    os._exit(_SIGNALLED + number)


@contextlib.contextmanager
def blocked() -> Iterator[None]:
    """Block signals in this thread while the block runs, where the system can."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_to_main_thread() -> None:
    """Block signals in this thread, so that the main thread receives them and its reads are interrupted."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
