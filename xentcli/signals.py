"""What a signal that ends the process must still undo, and the handler that does it.

A handler that raises is not enough: the exception may arise in a callback or an import that
swallows it, and a second signal interrupts the clean-up. So the handler cleans up itself.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

__all__ = ["blocked", "end_at_once", "handle", "leave_to_main_thread", "undo_later"]

_SIGNALLED = 128
_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_actions: dict[int, Callable[[], object]] = {}


def undo_later(action: Callable[[], object]) -> Callable[[], None]:
    """Have an action called when a signal ends the process; return what withdraws it.

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

    A signal that is ignored, as SIGHUP under nohup, stays ignored. Only the main thread can
    set a handler; another does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _ENDING:
        if signal.getsignal(number) in (signal.SIG_DFL, *([signal.default_int_handler] if interrupts else [])):
            signal.signal(number, handler)


def end_at_once(number: int, frame: FrameType | None = None) -> NoReturn:
    """Undo what is registered, the last first, and exit with 128 + the number; further signals are ignored."""
    for each in _ENDING:
        signal.signal(each, signal.SIG_IGN)
    for key in sorted(_actions, reverse=True):
        with contextlib.suppress(Exception):
            _actions[key]()
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()
    # Nothing is flushed: who reads the output may have stopped to.
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
    """Block signals in this thread: one that it takes does not interrupt a read that the main thread waits in."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
