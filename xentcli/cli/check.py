"""`xent check`."""

from __future__ import annotations

from typing import Any

import click

from xentcli.cli.options import (
    Command,
    Output,
    cost_options,
    input_options,
    labels_of,
    output_options,
    section,
    settings_of,
    slice_options,
    speed_options,
)
from xentcli.cli.process import say_error
from xentcli.cli.progress import watched
from xentcli.errors import NoVerdict

__all__ = ["check"]

_limits = section(
    "Limits",
    (("--max", "at_most"), {"multiple": True, "metavar": "METRIC=X", "help": "The metric must be X or less."}),
    (("--min", "at_least"), {"multiple": True, "metavar": "METRIC=X", "help": "The metric must be X or more."}),
)


@click.command(
    cls=Command,
    short_help="Hold metrics to limits, for CI.",
    examples=(
        ("in CI: exit 1 when a limit fails, 0 when all hold", "xent check preds.csv labels.csv --max cost=0.5"),
        ("several limits", "xent check preds.csv labels.csv --max cost=0.5 --min accuracy=0.9"),
        ("the verdict for a program", "xent check preds.csv labels.csv --max cost=0.5 --format json"),
    ),
)
@click.argument("preds_file", metavar="PREDS")
@click.argument("labels_file", metavar="[LABELS]", required=False)
@_limits
@input_options
@cost_options
@slice_options
@speed_options
@output_options
def check(
    preds_file: str,
    labels_file: str | None,
    at_most: tuple[str, ...],
    at_least: tuple[str, ...],
    **options: Any,
) -> None:
    """Hold metrics to limits: exit 0 if all hold, 1 if one fails, 5 if there is no verdict.

    Comparison is exact; an infinite value never passes. Bad data are exit 3, files that
    cannot be read exit 4: never 1.
    """
    from xentcli.analysis.check import check as run
    from xentcli.analysis.check import parse_limit

    threads = options.pop("threads")
    labels = labels_of(labels_file, options)
    settings = settings_of(options)
    output = Output(options, (preds_file, labels, *settings.files_named()))
    limits = [*(parse_limit(text, "max") for text in at_most), *(parse_limit(text, "min") for text in at_least)]
    with output.examples() as sink, watched() as progress:
        result = run(
            preds_file,
            labels,
            settings,
            limits=limits,
            sink=sink,
            metrics_needed=output.metrics_needed,
            threads=threads,
            progress=progress,
        )
    try:
        output.write(result)
    except NoVerdict as undefined:
        # A limit that failed comes before a figure that there is not.
        if result.exit_code != 1:
            raise
        say_error(undefined)
    click.get_current_context().exit(result.exit_code)
