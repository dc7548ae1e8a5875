"""From rows of options to click parameters, and from parsed options to Settings."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import click

from xentcli.cli.command import SectionedOption
from xentcli.engine import ENGINES
from xentcli.errors import UsageError, shown
from xentcli.options import Option, options_of, spelled
from xentcli.records import replace
from xentcli.settings import Settings

__all__ = [
    "THREADS",
    "again",
    "given_on_command_line",
    "labels_of",
    "offered_files",
    "parameters",
    "rows_of",
    "settings_of",
]

_OF_ONE_COMMAND = ("Example", "Models", "Limits", "Calibration")
"""Sections of what one command is for: --help shows all of their options."""
SECTIONS = (*_OF_ONE_COMMAND, "Columns", "Files", "Loss", "Slices", "Speed", "Output")
"""The sections of the help, in order."""
THREADS = {
    "threads": Option("Speed", "Worker count [default: one per CPU, at most 16].", "N", hint="int | None"),
    "engine": Option("Speed", "Where rows are scored [default: local].", choices=ENGINES),
    "scheduler": Option("Speed", "Dask scheduler: address, or its JSON file.", "ADDRESS|FILE"),
}
_LABELS_FILE = Option("Columns", "File with the labels, in place of LABELS.", "FILE", before="id", needs=("files",))
_TYPES = {"int": int, "float": float}


def parameters(
    command: str,
    own: Mapping[str, Option],
    *,
    predictions: bool = True,
    settings: Any = Settings,
    files: Sequence[click.Parameter] = (),
    labels: bool = True,
) -> list[click.Parameter]:
    """Return the parameters of a command: its files, the fields of `settings` that it takes, and its own.

    Without `files` they are PREDS, which must be given with `predictions`, and LABELS; without `labels` there is
    no --labels.
    """
    preds = "PREDS" if predictions else "[PREDS]"
    files = files or [
        click.Argument(["preds_file"], metavar=preds, required=predictions, shell_complete=offered_files),
        click.Argument(["labels_file"], metavar="[LABELS]", required=False, shell_complete=offered_files),
    ]
    return [*files, *(_parameter(name, row) for name, row in rows_of(command, own, settings, labels=labels).items())]


def rows_of(
    command: str, own: Mapping[str, Option], settings: Any = Settings, *, labels: bool = True
) -> dict[str, Option]:
    """Return the rows of the options of a command by name, in the order of the help."""
    rows = {name: row for name, row in options_of(settings).items() if command in row.commands}
    names = list(rows)
    # Other commands take LABELS as an argument.
    own = {"labels": replace(_LABELS_FILE, usual=command == "compare"), **own} if labels else own
    for name, row in own.items():
        names.insert(names.index(row.before) if row.before in names else len(names), name)
    rows.update(own)
    return {name: rows[name] for name in sorted(names, key=lambda name: SECTIONS.index(rows[name].section))}


def _parameter(name: str, row: Option) -> click.Option:
    kind = row.hint.split(" | ")[0]
    more: dict[str, Any] = {"multiple": row.multiple, "shell_complete": _offered(name, row.metavar or "")}
    if kind == "bool":
        more["is_flag"] = True
    else:
        more["type"] = click.Choice(row.choices) if row.choices else _TYPES.get(kind, str)
    if row.default is not None:
        more["default"] = row.default
    if row.bare is not None:
        more |= {"is_flag": False, "flag_value": row.bare}
    if row.action is not None:
        more |= {"is_eager": True, "expose_value": False, "callback": _instead(row)}
    spellings = [row.short] * bool(row.short) + [spelled(name), name]
    return SectionedOption(
        spellings,
        section=row.section,
        usual=row.usual or row.section in _OF_ONE_COMMAND,
        metavar=row.metavar or None,
        help=row.help_with_default,
        **more,
    )


def _instead(row: Option) -> Any:
    """Return the callback that runs the action of an option and exits."""

    def callback(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value and row.action is not None:
            row.action(ctx)
            ctx.exit()

    return callback


def settings_of(options: Mapping[str, Any], settings: Any = Settings) -> Settings:
    """Return the Settings of parsed options."""
    made: Settings = settings(**{name: options[name] for name in options_of(settings) if name in options})
    return made


def labels_of(labels: str | None, option: str | None) -> str | None:
    """Return the file of the labels, from the argument or from --labels.

    Raises UsageError if both are given.
    """
    if labels is not None and option is not None:
        raise UsageError(f"the labels are given twice: {shown(labels)} and --labels {shown(option)}")
    return labels if option is None else option


def given_on_command_line(name: str) -> bool:
    """Whether an option of the current command was given."""
    return click.get_current_context().get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def again(command: str, *, without: tuple[str, ...] = ()) -> str:
    """Return the command line that calls this or another command with the same files and options.

    Options of the output, and those named in `without`, are left out. Where standard input was read, the
    line begins with a pipe.
    """
    ctx = click.get_current_context()
    words, pipe = ["xent", command], ""
    for parameter in ctx.command.params:
        name = parameter.name or ""
        value = ctx.params.get(name)
        if not given_on_command_line(name) or name in without or getattr(parameter, "section", "") == "Output":
            continue
        each = value if isinstance(value, tuple) else (value,)
        if isinstance(parameter, click.Argument):
            # Click takes a file whose name begins with a dash for an option.
            words += [f"./{item}" if str(item).startswith("-") and item != "-" else str(item) for item in each]
            pipe = "... | " if value == "-" else pipe
        elif value is True:
            words.append(parameter.opts[-1])
        else:
            for item in each:
                words += [parameter.opts[-1], str(item)]
    return pipe + shlex.join(words)


def offered_files(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[Any]:
    """Offer files."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def _offered(name: str, metavar: str) -> Any:
    """Return what click calls for the values of an option: metrics or files; None for others."""
    if metavar.startswith("METRIC") or name in ("metrics", "get"):
        return _metrics
    return offered_files if metavar.endswith("FILE") else None


def _metrics(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[Any]:
    """Offer metrics: METRIC=X up to the equals sign; of names with commas the last is completed."""
    from click.shell_completion import CompletionItem

    from xentcli.scoring.metrics import METRICS

    before, comma, last = incomplete.rpartition(",")
    after = "=" if isinstance(parameter, click.Option) and "=" in (parameter.metavar or "") else ""
    found = [(f"{before}{comma}{name}{after}", row.about) for name, row in METRICS.items() if name.startswith(last)]
    return [CompletionItem(name, help=about) for name, about in found]
