"""`xent explain`."""

from __future__ import annotations

from typing import Any

import click

from xentcli.cli.options import (
    Command,
    Output,
    again,
    base_option,
    example_options,
    input_options,
    labels_of,
    loss_options,
    section,
    settings_of,
)
from xentcli.errors import UsageError, shown
from xentcli.writers import text_formats

__all__ = ["explain"]

_ABOUT_FILES = ("preds", "id", "weights", "align", "header", "no_header", "delimiter", "input_format", "dtype")

_output = section(
    "Output",
    (
        ("--format", "format_"),
        {"type": click.Choice(text_formats()), "default": "table", "show_default": True, "help": "What is printed."},
    ),
    (
        ("-o", "--output", "outputs"),
        {"multiple": True, "metavar": "FILE", "help": "Write it here too, by its extension."},
    ),
)


@click.command(
    cls=Command,
    short_help="Show why a cost is high, or step by step how one loss comes about.",
    examples=(
        ("one example by hand", "xent explain --probs 0.1,0.5,0.1,0.1,0.2 --label 0"),
        ("logits, by way of the softmax", "xent explain --logits 2.0,-1.0,0.5 --label 2"),
        ("a soft target", "xent explain --probs 0.7,0.2,0.1 --target 0.8,0.1,0.1"),
        ("a row of a file", "xent explain preds.csv labels.csv --row 17"),
        ("why is my cost so high?", "xent explain preds.csv labels.csv"),
    ),
)
@click.argument("preds_file", metavar="[PREDS]", required=False)
@click.argument("labels_file", metavar="[LABELS]", required=False)
@example_options
@input_options
@loss_options
@base_option
@_output
def explain(
    preds_file: str | None,
    labels_file: str | None,
    probs: str | None,
    logits: str | None,
    logprobs: str | None,
    target: str | None,
    row: int | None,
    **options: Any,
) -> None:
    """Show why a cost is high, or step by step how the loss of one example comes about."""
    labels = labels_of(labels_file, options)
    output = Output(options, (preds_file, labels))
    by = options.pop("by")
    if by and (preds_file is None or row is not None):
        raise UsageError("--by is about the cost of a file; one example has no groups")
    literals = {"probs": probs, "logits": logits, "logprobs": logprobs}
    given = {kind: values for kind, values in literals.items() if values is not None}
    if len(given) != 1 if preds_file is None else given or target is not None:
        raise UsageError(
            "one example is given by --probs, --logits or --logprobs; or give files: PREDS LABELS",
            advice="xent explain --probs 0.1,0.5,0.1,0.1,0.2 --label 0",
        )
    if preds_file is None:
        kind, values = given.popitem()
        _check_literal(kind, row, options)
        label = options.pop("label")
        from xentcli.analysis.explain import explain_values

        told: Any = explain_values(
            _numbers(f"--{kind}", values),
            label=label,
            target=None if target is None else _numbers("--target", target),
            settings=settings_of({**options, "label": None}),
        )
    elif row is None:
        from xentcli.analysis.causes import causes
        from xentcli.records import replace

        command = again("score", without=("by",))
        told = replace(causes(preds_file, labels, settings_of({**options, "by": by})), command=command)
    else:
        from xentcli.analysis.explain import explain as run

        told = run(preds_file, labels, row, settings_of(options))
    output.write(told)


def _check_literal(kind: str, row: int | None, options: dict[str, Any]) -> None:
    """Set the kind of an example that is given by its numbers; refuse options that are about files."""
    chosen = click.get_current_context().get_parameter_source("kind") is not click.core.ParameterSource.DEFAULT
    if chosen and options["kind"] != kind:
        raise UsageError(f"--{kind} and --kind {options['kind']} contradict each other")
    options["kind"] = kind
    given = {**{name: options[name] for name in _ABOUT_FILES}, "row": row}
    for name, value in given.items():
        if value not in (None, ()):
            raise UsageError(f"--{name.replace('_', '-')} is about files, and --{kind} gives one example by itself")


def _numbers(option: str, text: str) -> list[float]:
    """Read numbers joined by commas; also a list as Python or NumPy prints it, in brackets."""
    from xentcli.columns.numerals import number

    inner = text.strip()
    bracketed = (inner[:1], inner[-1:]) in (("[", "]"), ("(", ")"))
    if bracketed:
        inner = inner[1:-1].strip().removesuffix(",")
    values = []
    for item in inner.split(None if bracketed and "," not in inner else ",") or [inner]:
        value = number(item.strip())
        if value is None:
            raise UsageError(f"{option}: {shown(item)} is not a number", advice="numbers joined by commas: 0.1,0.9")
        values.append(value)
    return values
