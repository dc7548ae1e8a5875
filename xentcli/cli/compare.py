"""`xent compare`."""

from __future__ import annotations

from typing import Any

import click

from xentcli.cli.command import Command
from xentcli.cli.options import THREADS, offered_files, parameters, settings_of
from xentcli.cli.output import OUTPUT, STATE, Output
from xentcli.cli.progress import watched
from xentcli.options import Option
from xentcli.records import replace

__all__ = ["compare"]

_MODELS = {
    "models": Option("Models", "Compare the files of this folder or quoted glob.", "GLOB"),
    "each": Option("Models", "Columns of one file, a model each: ecmwf,gfs.", "COLUMNS", multiple=True),
    "model": Option("Models", "Column of one file that names the model of a row.", "COLUMN"),
    "fit": Option("Models", "Compare also at each model's best temperature.", choices=("temperature", "none")),
}
_PLOT = replace(OUTPUT["plot"], help="Draw: differences.svg, curve.png, KIND=FILE.")
_FILES = [click.Argument(["files"], metavar="OLD NEW [MORE ...]", nargs=-1, shell_complete=offered_files)]


@click.command(
    cls=Command,
    params=parameters(
        "compare",
        _MODELS | THREADS | STATE | {name: OUTPUT[name] for name in ("format", "output", "append")} | {"plot": _PLOT},
        files=_FILES,
    ),
    examples=(
        ("is the new model better?", "xent compare old.csv new.csv --labels labels.csv"),
        (
            "the labels are a column of each file",
            "xent compare old-run.csv new-run.csv --label truth --preds cat,dog,emu",
        ),
        ("every checkpoint against the first", "xent compare 'epoch-*.npy' --labels labels.npy --kind logits"),
        ("where the change comes from", "xent compare old.csv new.csv --labels labels.csv --by-class --worst 10"),
        ("a leaderboard for a spreadsheet", "xent compare 'subs/*.csv' --labels labels.csv --id image -o board.csv"),
    ),
)
def compare(files: tuple[str, ...], labels: str | None, **options: Any) -> None:
    """Compare models on the same rows, and say whether the change of cost is larger than chance.

    OLD is the reference; each further file is a model that is compared with it, row by row.
    One quoted glob gives all files, in natural order. Exit 0 whichever is better.
    """
    from xentcli.analysis.compare import compare as run
    from xentcli.analysis.model_names import models_of

    paths, each = models_of(files, options["models"]), options["each"]
    # A single --each lists columns separated by commas; of several, each names one column.
    each = each[0].split(",") if len(each) == 1 else list(each)
    settings = settings_of(options)
    output = Output(options, (*paths, labels, *settings.files_named()))
    with watched(options) as progress:
        given = {name: options[name] for name in ("model", "fit", "state", "threads")} | {"details": output.details}
        result = run(paths, labels, settings, each=each, **given, progress=progress)
    output.write(result)
