"""Progress of long runs, on stderr if it is a terminal."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TextIO

from xentcli.signals import undo_later

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["Watch", "computed", "watched"]

PATIENCE = 1.0
"""Seconds before the progress bar appears."""
_CLEARED = b"\r\x1b[2K\x1b[?25h"
"""Clear the line and show the cursor."""


class Watch:
    """Shows the rows so far, their rate and the time left, after PATIENCE seconds.

    Parameters
    ----------
    stream
        A terminal.
    clock
        Returns seconds.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock, self._begin = stream, clock, clock()
        self._progress: Progress | None = None
        self._withdraw: Callable[[], None] | None = None

    def __call__(self, rows: int, share: float | None) -> None:
        """Show the rows done and their share of all rows, None if unknown."""
        seconds = self._clock() - self._begin
        if seconds < PATIENCE:
            return
        if self._progress is None:
            # Rich redraws in a thread; if none can start, show nothing.
            with contextlib.suppress(RuntimeError):
                self._progress = self._started()
        if self._progress is None:
            self._begin = math.inf
            return
        text = f"{rows:,} rows, {rows / seconds:,.0f} a second"
        self._progress.update(self._progress.task_ids[0], completed=share or 0.0, total=share and 1.0, description=text)

    def _started(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), TimeRemainingColumn())
        progress = Progress(*columns, console=Console(file=self._stream), transient=True, refresh_per_second=4)
        progress.add_task("", total=None)
        self._withdraw = undo_later(lambda: os.write(self._stream.fileno(), _CLEARED))
        progress.start()
        return progress

    def close(self) -> None:
        """Remove the line."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
        if self._withdraw is not None:
            self._withdraw()
            self._withdraw = None


@contextlib.contextmanager
def watched(options: Mapping[str, Any]) -> Iterator[Watch | None]:
    """Compute where options say, and give a Watch on stderr if it is a terminal, else None."""
    with computed(options), _on_terminal() as watch:
        yield watch


@contextlib.contextmanager
def computed(options: Mapping[str, Any]) -> Iterator[None]:
    """Compute where --engine and --scheduler say; lines about a cluster go to stderr, unless --quiet."""
    engine, scheduler = options["engine"], options["scheduler"]
    if engine is None and scheduler is None:
        yield
        return
    from xentcli.cli.process import say
    from xentcli.engine.tasks import computing
    from xentcli.writers.safe import terminal

    tell = None if options.get("quiet") else lambda line: say(f"xent: {terminal(line)}")
    with computing(engine, scheduler, options["threads"], tell):
        yield


@contextlib.contextmanager
def _on_terminal() -> Iterator[Watch | None]:
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    watch = Watch(sys.stderr)
    try:
        yield watch
    finally:
        watch.close()
