"""`xent merge`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from xentcli.cli.command import Command
from xentcli.cli.offers import files
from xentcli.cli.options import parameters
from xentcli.cli.output import OUTPUT, STATE, Output
from xentcli.errors import DataError, NotComputedError
from xentcli.records import replace

__all__ = ["merge"]

_OPTIONS = ("format", "output", "append", "plot", "quiet", "get", "state")
_OWN = {name: replace(row, usual=True) for name, row in (OUTPUT | STATE).items() if name in _OPTIONS}
_FILES = [click.Argument(["states"], metavar="STATE...", nargs=-1, required=True, shell_complete=files)]


@click.command(
    cls=Command,
    short_help="Merge the states of runs over parts of the rows.",
    params=parameters("merge", _OWN, files=_FILES, labels=False),
    examples=(
        ("two days as if they had been scored in one run", "xent merge monday.json tuesday.json"),
        ("the parts of a job array", "xent merge 'state-*.json' -o report.json"),
        ("today beside all days before", "xent merge all.json today.json --state all-and-today.json"),
    ),
)
def merge(states: tuple[str, ...], **options: Any) -> None:
    """Merge the states that --state wrote: the report of one run over all their rows, to the last bit.

    STATE is a file, - for standard input, or a folder or quoted glob of files, in any order. The same input twice, a
    missing shard, and states of other options or classes are refused.
    """
    from xentcli.analysis.merge import merge as run
    from xentcli.readers.shards import files_of

    paths = [file for path in states for file in (None if path == "-" else files_of(path)) or (path,)]
    output = Output(options, paths)
    merged = run(paths, state=options["state"])
    _check_computed(output.metrics_needed, getattr(merged, "report", merged))
    output.write(merged)


def _check_computed(metrics: Iterable[str], report: Any) -> None:
    """Refuse --get of a metric that the runs did not compute.

    Raises
    ------
    DataError
        With the option that computes it.
    """
    for name in metrics:
        try:
            _ = report[name]
        except NotComputedError as error:
            option = f"--get {name}, or --metrics {name}, in each run computes it"
            raise DataError(f"{error.message} by the runs that were merged", advice=option) from None
