"""The command line: ``main`` is the click group and the entry point."""

from __future__ import annotations

import importlib
import os
import shlex
import sys
from collections import UserDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

import click

from xentcli.cli.command import write_examples, write_exit_codes
from xentcli.cli.process import ReaderGone, run
from xentcli.signals import is_profiled
from xentcli.urls import hidden
from xentcli.version import __version__

__all__ = ["main"]

_EXAMPLES = (
    ("cost of predictions", "xent score preds.csv labels.csv"),
    ("the same, from logits", "xent score logits.npy labels.npy --kind logits"),
    ("one loss, step by step", "xent explain --probs 0.1,0.5,0.1,0.1,0.2 --label 0"),
    ("is the new one better?", "xent compare old.csv new.csv --labels labels.csv"),
    ("in CI: exit 1 if above", "xent check preds.csv labels.csv --max cost=0.5"),
)


class Commands(UserDict[str, click.Command]):
    """Commands by name, each a module here, imported on first use; `purposes` are their short helps by name."""

    def __init__(self, purposes: Mapping[str, str]) -> None:
        unread: Any = None
        super().__init__(dict.fromkeys(purposes, unread))
        self.purposes = purposes

    def __getitem__(self, name: str) -> click.Command:
        """Import and return a command."""
        if super().__getitem__(name) is None:
            self.data[name] = getattr(importlib.import_module(f"xentcli.cli.{name}"), name)
            self.data[name].short_help = self.purposes[name]
        return super().__getitem__(name)


class Main(click.Group):
    """The group: examples first, commands in the order of use, exit codes of xent."""

    def main(self, args: Any = None, prog_name: str | None = None, *rest: Any, **extra: Any) -> NoReturn:
        """Run a command and exit; without `args` as the main program."""
        extra["standalone_mode"] = False
        base = super().main
        alone = args is None and not is_profiled()
        run(lambda: base(args, prog_name or "xent", *rest, **extra), alone=alone)

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> click.Context:
        """Parse; click must not handle a closed pipe, and nothing shows the password of a URL."""
        # click wraps help at 50 columns or more, so that a narrower terminal would break every line.
        if (columns := _columns()) < _LEAST_WIDTH:
            extra.setdefault("terminal_width", max(columns - 2, 20))
        try:
            return super().make_context(info_name, list(_without_secrets(args)), *rest, **extra)
        except BrokenPipeError:
            raise ReaderGone from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run; click must not handle a closed pipe."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise ReaderGone from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for a file name suggest `xent score`."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-") and (os.path.exists(name) or "." in name):
            ctx.fail(f"Did you mean: xent score {shlex.join(args)}?")
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples before the commands: a screen of 24 lines has it all."""
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        write_examples(formatter, _EXAMPLES)
        self.format_options(ctx, formatter)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return the words of the usage; the few options of the group are among them."""
        return [*(f"[{parameter.opts[-1]}]" for parameter in self.get_params(ctx)), "COMMAND ..."]

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands in the order of use."""
        return list(self.commands)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, and the exit codes."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))
        write_exit_codes(formatter)


def _versions(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    """Print the versions that a report of a fault needs."""
    if value:
        from importlib.metadata import version

        click.echo(f"xent {__version__}, Python {sys.version.partition(' ')[0]}, NumPy {version('numpy')}")
        ctx.exit()


def _columns() -> int:
    """Return the width of the terminal, or what COLUMNS says; a pipe is wide enough, and waits for no import."""
    if not (os.environ.get("COLUMNS") or os.isatty(1)):
        return _LEAST_WIDTH
    import shutil

    return shutil.get_terminal_size().columns


_LEAST_WIDTH = 52
_CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_COMMANDS = {
    "score": "Score predictions against labels.",
    "explain": "Show why a cost is high, or how one loss is calculated.",
    "compare": "Compare models on the same rows.",
    "calibration": "Compare confidence with accuracy; fit a temperature.",
    "check": "Check metrics against limits (for CI).",
    "merge": "Merge the states of runs over parts of the rows.",
    "completion": "Print or install completion for a shell.",
}
"""The commands in the order of use, each with its short help, which needs no import of the command."""


def _without_secrets(args: Sequence[str]) -> Iterator[str]:
    """Yield the words of a command line with what is secret in URLs put away; labels and names stay what they are."""
    if not any("://" in word for word in args):
        yield from args
        return
    from xentcli.options import spelled
    from xentcli.settings import OPTIONS

    rows = {spelled(name): row for name, row in OPTIONS.items()}
    before = ""
    for word in args:
        option, equals, value = word.partition("=") if word.startswith("--") else (before, "", word)
        shown = rows[option].without_secrets(value) if option in rows else hidden(value)
        yield f"{option}={shown}" if equals else word if word.startswith("--") else shown
        before = word


@click.group(cls=Main, commands=Commands(_COMMANDS), context_settings=_CONTEXT)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_versions,
    help="Show the versions of xent, Python and NumPy.",
)
def main() -> None:
    """The cross-entropy loss of a file of predictions: exact, checked, explained."""
