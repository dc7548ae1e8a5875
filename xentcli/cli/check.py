"""`xent check`."""

from __future__ import annotations

from typing import Any

import click

from xentcli.cli.command import refuse_more
from xentcli.cli.failures import CI, GateCommand, conclude, reported
from xentcli.cli.gate import LIMITS
from xentcli.cli.job import Job
from xentcli.cli.named import named, run_named
from xentcli.cli.options import THREADS, given_on_command_line, offered_files, parameters, rows_of
from xentcli.cli.output import OUTPUT, STATE
from xentcli.cli.project import OF_A_RUN, schema
from xentcli.options import Option

__all__ = ["check"]


def _print_schema(ctx: click.Context) -> None:
    import json

    click.echo(json.dumps(schema(_KEYS), indent=2))


_OWN = {
    **CI,
    "toml_schema": Option(
        "Output", "Print the JSON Schema of [tool.xent] and exit.", hint="bool", before="get", action=_print_schema
    ),
}
_ROWS = rows_of("check", LIMITS | THREADS | OUTPUT | STATE | _OWN)
_OF_RUN = ("format", "output", "append", *THREADS, *CI)
"""Options that named checks of pyproject.toml take on the command line."""
_KEYS = {name: row for name, row in _ROWS.items() if name not in OF_A_RUN and row.action is None}
"""Options that a check of pyproject.toml may have."""
_FILES = (
    click.Argument(["preds_file"], metavar="[PREDS", required=False, shell_complete=offered_files),
    click.Argument(["labels_file"], metavar="[LABELS]] |", required=False, shell_complete=offered_files),
    click.Argument(["more"], metavar="[NAME]...", nargs=-1),
)


@click.command(
    cls=GateCommand,
    params=parameters("check", LIMITS | THREADS | OUTPUT | STATE | _OWN, files=_FILES),
    examples=(
        ("in CI: exit 1 when a limit fails, 0 when all pass", "xent check preds.csv labels.csv --max cost=0.5"),
        ("several limits", "xent check preds.csv labels.csv --max cost=0.5 --min accuracy=0.9"),
        ("keep this run to compare with", "xent check old.csv labels.csv --write-baseline main.npz"),
        (
            "is the new model worse, by more than 2 % and chance?",
            "xent check new.csv labels.csv --baseline main.npz --max-regression cost=2%",
        ),
        ("each site", "xent check run.csv --label truth --by site --max-each cost=0.9 --min-rows 5"),
        ("the verdict for a program", "xent check preds.csv labels.csv --max cost=0.5 --format json"),
        ("every check of pyproject.toml", "xent check"),
    ),
)
def check(preds_file: str | None, labels_file: str | None, more: tuple[str, ...], **options: Any) -> None:
    """Check metrics against limits: exit 0 if all pass, 1 if one fails, 5 if there is no verdict.

    Comparison is exact; an infinite value never passes. Bad data are exit 3, files that
    cannot be read exit 4: never 1. Without files, or with NAMEs, the checks of [tool.xent]
    in pyproject.toml run, and all that fails is shown.
    """
    words = [word for word in (preds_file, labels_file, *more) if word is not None]
    beside = [name for name in _ROWS if name not in _OF_RUN and given_on_command_line(name)]
    with reported(words, options):
        project = named(words, _KEYS, beside)
    if project is not None:
        run_named(project, words, options)
        return
    assert preds_file is not None
    with reported(words, options, files=True):
        refuse_more("check", list(more))
        job = Job.of(preds_file, labels_file, options)
    with reported(words, options, job.output):
        result = job.run()
    conclude(result, job.inputs[0], job.output)
