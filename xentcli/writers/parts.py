"""--per-example by the workers of a cluster: a folder of files, each with the rows of one group of tasks.

The names of the files are in the order of the rows, and ``xent`` reads such a folder as one table.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from xentcli.atomic import replacing, replacing_folder
from xentcli.errors import FileError
from xentcli.records import record
from xentcli.report.per_example import PerExample, Sink
from xentcli.writers.per_example import SINKS

__all__ = ["parts_sink"]


@contextlib.contextmanager
def parts_sink(path: str, more: Sequence[str]) -> Iterator[Sink]:
    """Yield a sink whose rows workers write to files in a folder: all of them, or none if the context ends in an error.

    `more` are the names of the metrics that are further columns.
    """
    ending = os.path.splitext(path)[1].lower()
    part = re.compile(rf"part-[0-9]+{re.escape(ending)}")
    with replacing_folder(path, lambda name: part.fullmatch(name) is not None) as folder:
        yield Sink(_nothing, _nothing, folder.restart, lambda: _Files(folder.path, ending, tuple(more)))


def _nothing(_: Any) -> None:
    """Write nothing here: the workers have written the rows."""


@record(frozen=True)
class _Files:
    """The files of a folder, by the number of the rows before each."""

    folder: str
    ending: str
    more: tuple[str, ...]

    @contextlib.contextmanager
    def __call__(self, start: int) -> Iterator[Callable[[PerExample], object]]:
        """Write a file completely or not at all."""
        if not os.path.isdir(self.folder):
            raise FileError(
                f"{self.folder} cannot be written: workers must see the folder of --per-example",
                advice="give a path on a shared file system; --per-example - has the rows sent here",
            )
        path = os.path.join(self.folder, f"part-{start:012d}{self.ending}")
        with replacing(path) as file, SINKS[self.ending](file, self.more) as sink:
            yield sink
