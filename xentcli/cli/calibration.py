"""`xent calibration`."""

from __future__ import annotations

from typing import Any

import click

from xentcli.cli.command import Command
from xentcli.cli.options import THREADS, again, labels_of, parameters, settings_of
from xentcli.cli.output import OUTPUT, STATE, Output
from xentcli.cli.progress import watched
from xentcli.options import Option
from xentcli.records import replace

__all__ = ["calibration"]

_OWN = {
    "bins": Option("Calibration", "Bins of the confidence.", "N", hint="int", default=15),
    "fit": Option(
        "Calibration",
        "What to fit [default: logit if two classes].",
        choices=("none", "temperature", "logit"),
    ),
    "decompose": Option("Calibration", "Split the score into three parts (needs SciPy).", hint="bool", default=False),
    **{name: OUTPUT[name] for name in ("format", "output", "append", "plot")},
}


@click.command(
    cls=Command,
    params=parameters("calibration", _OWN | THREADS | STATE),
    examples=(
        ("are the probabilities any good?", "xent calibration preds.csv labels.csv"),
        ("logits of a network", "xent calibration logits.npy labels.npy --kind logits"),
        ("predictions and labels in one file", "xent calibration run.csv --label truth --preds cat,dog,emu"),
        ("one pass, for a stream", "cat preds.csv | xent calibration - labels.csv --fit none"),
        (
            "the score split: miscalibration, discrimination, uncertainty",
            "xent calibration preds.csv labels.csv --decompose",
        ),
    ),
)
def calibration(preds_file: str, labels_file: str | None, **options: Any) -> None:
    """Compare how sure predictions are with how often they are right, and fit a temperature.

    The fit reads the files up to six times; --fit none reads them once.
    """
    from xentcli.analysis.calibration import calibration as run

    inputs = (preds_file, labels_of(labels_file, options["labels"]))
    settings = settings_of(options)
    output = Output(options, (*inputs, *settings.files_named()))
    own: dict[str, Any] = {name: options[name] for name in ("bins", "fit", "decompose", "threads")}
    with watched(options) as progress:
        report = run(*inputs, settings, details=output.details, progress=progress, state=output.state, **own)
    command = again("score", without=("bins", "fit", "decompose", "temperature"))
    output.write(replace(report, command=command))
