"""`xent merge`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

import click

from xentcli.cli.command import Command
from xentcli.cli.failures import CI, conclude, reported
from xentcli.cli.gate import LIMITS, rules_of
from xentcli.cli.options import given_on_command_line, offered_files, parameters
from xentcli.cli.output import OUTPUT, STATE, Output
from xentcli.errors import DataError, NotComputedError, UsageError
from xentcli.records import replace
from xentcli.report.check import CheckReport

__all__ = ["merge"]

_OPTIONS = ("format", "output", "append", "plot", "quiet", "get", "state")
_RULES = ("max", "min", "max_each", "min_each", "min_rows", "fail_on_warning")
_OWN = {name: LIMITS[name] for name in _RULES} | {
    name: replace(row, usual=True) for name, row in (OUTPUT | STATE | CI).items() if name in (*_OPTIONS, *CI)
}
_FILES = [click.Argument(["states"], metavar="STATE...", nargs=-1, required=True, shell_complete=offered_files)]


@click.command(
    cls=Command,
    params=parameters("merge", _OWN, files=_FILES, labels=False),
    examples=(
        ("two days as if they had been scored in one run", "xent merge monday.json tuesday.json"),
        ("the parts of a job array", "xent merge 'state-*.json' -o report.json"),
        ("exit 1 when a limit fails on all rows", "xent merge 'state-*.json' --max cost=0.5 --min accuracy=0.9"),
        ("today beside all days before", "xent merge all.json today.json --state all-and-today.json"),
    ),
)
def merge(states: tuple[str, ...], **options: Any) -> None:
    """Merge the states that --state wrote: the report of one run over all their rows, to the last bit.

    STATE is a file, - for standard input, or a folder or quoted glob of files, in any order. The same input twice, a
    missing shard, and states of other options or classes are refused. Limits hold for all rows: exit 1 if one fails.
    """
    from xentcli.analysis.merge import merge as run
    from xentcli.readers.shards import files_of

    paths = [file for path in states for file in (None if path == "-" else files_of(path)) or (path,)]
    output = Output(options, paths)
    with reported(paths, options, output) if any(map(given_on_command_line, (*_RULES, *CI))) else nullcontext():
        merged = run(paths, **rules_of(options))
        _check_computed(output.metrics_needed, getattr(merged, "report", merged))
    if isinstance(merged, CheckReport):
        conclude(merged, states[0], output)
    if output.junit is not None:
        raise UsageError("--junit has a test case for each limit, and there is none", advice="--max cost=0.5 is one")
    output.write(merged)


def _check_computed(metrics: Iterable[str], report: Any) -> None:
    """Refuse --get of a metric that the runs did not compute (DataError, with the option that computes it)."""
    for name in metrics:
        try:
            _ = report[name]
        except NotComputedError as error:
            option = f"--get {name}, or --metrics {name}, in each run computes it"
            raise DataError(f"{error.message} by the runs that were merged", advice=option) from None
