"""Command: a click command whose help has sections and examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from xentcli.cli.process import prepare
from xentcli.errors import UsageError, shown

__all__ = ["Command", "SectionedOption", "refuse_more", "write_examples", "write_exit_codes"]

_ALL = "xentcli.help_all"
"""Set in the meta data of a context whose help shows every option."""
EXIT_CODES = (
    "scored, or every limit passed",
    "a limit of check failed",
    "wrong usage",
    "the data cannot be scored",
    "a file cannot be read or written",
    "no verdict, such as no rows",
)


class SectionedOption(click.Option):
    """An option that stands in a named section of the help, which --help shows or --help-all alone."""

    def __init__(self, *args: Any, section: str, usual: bool = True, **kwargs: Any) -> None:
        self.section = section
        self.usual = usual
        super().__init__(*args, **kwargs)


class Command(click.Command):
    """A command whose help has its options in sections, and its examples at the end."""

    def __init__(self, *args: Any, examples: tuple[tuple[str, str], ...] = (), **kwargs: Any) -> None:
        self.examples = examples
        super().__init__(*args, **kwargs)
        self.allow_extra_args = True
        if not all(getattr(parameter, "usual", True) for parameter in self.params):
            self.params.append(_help_all())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; too many arguments are most likely an unquoted glob."""
        self._refuse_repeated(ctx, args)
        left = super().parse_args(ctx, args)
        if not ctx.resilient_parsing:
            refuse_more(ctx.info_name, left)
        return left

    def _refuse_repeated(self, ctx: click.Context, args: list[str]) -> None:
        """Raise UsageError where an option of one value is given twice; click would take the last."""
        if ctx.resilient_parsing:
            return
        _, _, given = self.make_parser(ctx).parse_args(list(args))
        for parameter in {id(parameter): parameter for parameter in given}.values():
            one_value = isinstance(parameter, click.Option) and not parameter.multiple and not parameter.is_bool_flag
            if one_value and given.count(parameter) > 1:
                raise UsageError(f"{parameter.opts[0]} is given twice; it takes one value")

    def invoke(self, ctx: click.Context) -> Any:
        """Run, in a process set up for large arrays."""
        prepare()
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, section by section, then the examples; all options with --help-all."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            # The text above the options describes the arguments.
            wanted = _ALL in ctx.meta or getattr(parameter, "usual", True)
            if wanted and record is not None and isinstance(parameter, click.Option):
                sections.setdefault(getattr(parameter, "section", "Other"), []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records, col_max=min(26, formatter.width // 2))
        write_examples(formatter, self.examples)
        if self.examples and self.name != "completion":
            write_exit_codes(formatter)


def _help_all() -> click.Option:
    """Return the option that shows the help with every option."""

    def show(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            ctx.meta[_ALL] = True
            click.echo(ctx.get_help(), color=ctx.color)
            ctx.exit()

    return click.Option(
        ["--help-all"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Show every option and exit.",
    )


def refuse_more(command: str | None, words: Sequence[str]) -> None:
    """Raise UsageError for arguments beyond those that a command takes."""
    if words:
        plural, more = "s" * (len(words) > 1), ", ..." * (len(words) > 1)
        raise UsageError(
            f"{len(words):,} unexpected argument{plural}: {shown(words[0])}{more}",
            advice=f"several files: quote the glob, as in xent {command} 'preds-*.csv' 'labels-*.csv'",
        )


def write_examples(formatter: click.HelpFormatter, examples: tuple[tuple[str, str], ...]) -> None:
    """Write commands, each beside its purpose or below it; no line is wrapped, so that it can be copied."""
    longest = max((len(command) for _, command in examples), default=0)
    beside = [f"  {command:{longest}}  # {what}\n" for what, command in examples]
    if any(len(line) - 1 > formatter.width for line in beside):
        beside = [f"  # {what}\n  {command}\n" for what, command in examples]
    if examples:
        with formatter.section("Examples"):
            formatter.write("".join(beside))


def write_exit_codes(formatter: click.HelpFormatter) -> None:
    """Write what the exit codes mean, in two columns where there is room."""
    cells = [f"  {code}  {meaning}" for code, meaning in enumerate(EXIT_CODES)]
    beside = [f"{left:36}{right}" for left, right in zip(cells[:3], cells[3:], strict=True)]
    lines = beside if max(map(len, beside)) <= formatter.width else cells
    with formatter.section("Exit codes"):
        formatter.write("".join(f"{line}\n" for line in lines))
