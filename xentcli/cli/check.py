"""`xent check`."""

from __future__ import annotations

from typing import Any

import click

from xentcli.cli.command import Command
from xentcli.cli.options import THREADS, labels_of, parameters, settings_of
from xentcli.cli.output import OUTPUT, Output
from xentcli.cli.process import say_error
from xentcli.cli.progress import watched
from xentcli.errors import NoVerdict
from xentcli.options import Option

__all__ = ["check"]

_LIMITS = {
    "max": Option("Limits", "Require METRIC to be at most X.", "METRIC=X", multiple=True),
    "min": Option("Limits", "Require METRIC to be at least X.", "METRIC=X", multiple=True),
}


@click.command(
    cls=Command,
    short_help="Check metrics against limits (for CI).",
    params=parameters("check", _LIMITS | THREADS | OUTPUT),
    examples=(
        ("in CI: exit 1 when a limit fails, 0 when all pass", "xent check preds.csv labels.csv --max cost=0.5"),
        ("several limits", "xent check preds.csv labels.csv --max cost=0.5 --min accuracy=0.9"),
        ("the verdict for a program", "xent check preds.csv labels.csv --max cost=0.5 --format json"),
    ),
)
def check(preds_file: str, labels_file: str | None, **options: Any) -> None:
    """Check metrics against limits: exit 0 if all pass, 1 if one fails, 5 if there is no verdict.

    Comparison is exact; an infinite value never passes. Bad data are exit 3, files that
    cannot be read exit 4: never 1.
    """
    from xentcli.analysis.check import check as run
    from xentcli.analysis.check import parse_limit

    inputs = (preds_file, labels_of(labels_file, options["labels"]))
    settings = settings_of(options)
    output = Output(options, (*inputs, *settings.files_named()))
    limits = [parse_limit(text, bound) for bound in ("max", "min") for text in options[bound]]
    with output.examples() as sink, watched() as progress:
        beside: dict[str, Any] = {
            "metrics_needed": output.metrics_needed,
            "threads": options["threads"],
            "progress": progress,
        }
        result = run(*inputs, settings, limits=limits, sink=sink, **beside)
    try:
        output.write(result)
    except NoVerdict as undefined:
        # A failed limit takes precedence over an undefined figure.
        if result.exit_code != 1:
            raise
        say_error(undefined)
    click.get_current_context().exit(result.exit_code)
