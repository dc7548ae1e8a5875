"""`xent score`."""

from __future__ import annotations

from typing import Any

import click

from xentcli.cli.command import Command
from xentcli.cli.options import THREADS, labels_of, parameters, settings_of
from xentcli.cli.output import OUTPUT, STATE, Output
from xentcli.cli.progress import watched

__all__ = ["score"]


@click.command(
    cls=Command,
    params=parameters("score", THREADS | OUTPUT | STATE),
    examples=(
        ("probabilities in one file, labels in another", "xent score preds.csv labels.csv"),
        ("predictions and labels in one file", "xent score run.csv --label truth --preds cat,dog,emu"),
        ("logits of a network, and integer labels", "xent score logits.npy labels.npy --kind logits"),
        ("only the number, for a script", "xent score preds.csv labels.csv --quiet"),
        ("predictions and labels in many files each", "xent score 'preds-*.parquet' 'labels-*.parquet'"),
        ("rows in another order", "xent score preds.csv labels.csv --id image"),
        ("where the cost comes from", "xent score preds.csv labels.csv --by-class --worst 10"),
        ("a part, for xent merge", "xent score 'preds-*.parquet' 'labels-*.parquet' --shard 1/2 --state 1.json"),
        ("the loss of every row", "xent score preds.csv labels.csv --per-example losses.csv"),
    ),
)
def score(preds_file: str, labels_file: str | None, **options: Any) -> None:
    """Score predictions against labels: cross-entropy, interval, perplexity, accuracy, Brier.

    PREDS and LABELS are files: CSV, NPY, NPZ, Parquet, JSON Lines and others, text also
    compressed; or each a folder or a quoted glob of such files; at a URL too (s3://, https://).
    One of them may be - for standard input. Without LABELS the labels are a column of PREDS.
    """
    from xentcli.analysis.score import score as run

    inputs = (preds_file, labels_of(labels_file, options["labels"]))
    settings = settings_of(options)
    output = Output(options, (*inputs, *settings.files_named()))
    with output.examples(settings.metrics_of_rows) as sink, watched(options) as progress:
        beside: dict[str, Any] = {
            "metrics_needed": output.metrics_needed,
            "details": output.details,
            "threads": options["threads"],
            "progress": progress,
            "state": output.state,
        }
        report = run(*inputs, settings, sink=sink, **beside)
    output.write(report)
