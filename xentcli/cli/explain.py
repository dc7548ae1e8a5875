"""`xent explain`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from xentcli.cli.command import Command
from xentcli.cli.options import again, given_on_command_line, labels_of, parameters, rows_of, settings_of
from xentcli.cli.output import OUTPUT, Output
from xentcli.errors import UsageError, shown
from xentcli.options import Option, spelled
from xentcli.records import replace

__all__ = ["explain"]

_LITERALS = {
    "probs": Option("Example", "Probabilities of one example, instead of a file.", "Q,..."),
    "logits": Option("Example", "Logits of one example, instead of a file.", "Z,..."),
    "logprobs": Option("Example", "Log-probabilities of one example, instead of a file.", "L,..."),
}
_OWN = {
    **_LITERALS,
    "target": Option("Example", "Target: one number per class; or --label N.", "Y,..."),
    "row": Option("Example", "Row of the file, counted from 1.", "N", hint="int | None", needs=("files",)),
    "by": Option(
        "Example", "Look for causes by this column (without --row).", "COLUMN", multiple=True, needs=("files",)
    ),
    **{name: OUTPUT[name] for name in ("format", "output", "append")},
}


@click.command(
    cls=Command,
    params=parameters("explain", _OWN, predictions=False),
    examples=(
        ("one example by hand", "xent explain --probs 0.1,0.5,0.1,0.1,0.2 --label 0"),
        ("logits, through the softmax", "xent explain --logits 2.0,-1.0,0.5 --label 2"),
        ("a soft target", "xent explain --probs 0.7,0.2,0.1 --target 0.8,0.1,0.1"),
        ("a row of a file", "xent explain preds.csv labels.csv --row 17"),
        ("why is my cost so high?", "xent explain preds.csv labels.csv"),
    ),
)
def explain(preds_file: str | None, labels_file: str | None, **options: Any) -> None:
    """Show why a cost is high, or step by step how one loss is calculated."""
    inputs = (preds_file, labels_of(labels_file, options["labels"]))
    output = Output(options, inputs)
    literals = [kind for kind in _LITERALS if options[kind] is not None]
    if len(literals) != 1 if preds_file is None else literals or options["target"] is not None:
        raise UsageError(
            "give one example by --probs, --logits or --logprobs, with --label or --target, or files: PREDS LABELS",
            advice="xent explain --probs 0.1,0.5,0.1,0.1,0.2 --label 0",
        )
    if preds_file is None:
        result: Any = replace(_of_literal(literals[0], options), command=again("explain"))
    else:
        from xentcli.analysis.explain import explain as run

        result = run(*inputs, options["row"], settings_of(options))
        causes = options["row"] is None
        result = replace(result, command=again("score", without=("by",)) if causes else again("explain"))
    output.write(result)


def _of_literal(kind: str, options: Mapping[str, Any]) -> Any:
    """Explain an example given by its numbers; refuse options that are about files."""
    if given_on_command_line("kind") and options["kind"] != kind:
        raise UsageError(f"--{kind} and --kind {options['kind']} contradict each other")
    for name, row in rows_of("explain", _OWN).items():
        if "files" in row.needs and row.is_set(options[name]):
            raise UsageError(f"{spelled(name)} applies to files; --{kind} gives one example")
    from xentcli.analysis.explain import explain_values

    target = options["target"]
    return explain_values(
        _numbers(f"--{kind}", options[kind]),
        label=options["label"],
        target=None if target is None else _numbers("--target", target),
        settings=_settings_of_literal(kind, options),
    )


def _settings_of_literal(kind: str, options: Mapping[str, Any]) -> Any:
    """The Settings of an example given by its numbers; errors name the option that gives them, which is the kind."""
    try:
        return settings_of({**options, "kind": kind, "label": None})
    except UsageError as error:
        raise UsageError(error.message.replace("--kind ", "--"), advice=error.advice) from None


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
