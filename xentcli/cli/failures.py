"""The verdict of `xent check`, or its error, in every form: files, JUnit XML, annotations and a summary on GitHub."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from xentcli.cli.command import Command
from xentcli.cli.options import settings_of
from xentcli.cli.output import Output
from xentcli.cli.process import emit, error_of, say, say_error
from xentcli.errors import NoVerdict, UsageError, XentError
from xentcli.options import Option
from xentcli.report.check import CheckReport
from xentcli.report.checks import Checks, NamedCheck

__all__ = ["CI", "GateCommand", "annotate", "conclude", "reported", "write_junit"]

CI = {
    "junit": Option("Output", "Write JUnit XML, a test case per limit.", "FILE", before="hash"),
    "no_annotations": Option("Output", "Write no annotations and no summary on GitHub.", hint="bool", before="hash"),
}


class GateCommand(Command):
    """A command that reports what is wrong with its own options too."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the options; where one is wrong, still find out where the result is to be written."""
        given = list(args)
        try:
            return super().make_context(info_name, args, parent, **extra)
        except (click.UsageError, UsageError) as error:
            # A check of pyproject.toml is parsed within a command, which reports it.
            if parent is not None and not extra and click.get_current_context(silent=True) is parent:
                extra = {"resilient_parsing": True, "ignore_unknown_options": True}
                with super().make_context(info_name, given, parent, **extra) as ctx:
                    named = (ctx.params[name] for name in ("preds_file", "labels_file"))
                    words = [word for word in named if word is not None]
                    _report(error, words or ["command line"], ctx.params, _output_of(words, ctx.params, files=False))
            raise


@contextlib.contextmanager
def reported(
    words: Sequence[str], options: Mapping[str, Any], output: Output | None = None, *, files: bool = False
) -> Iterator[None]:
    """Report an error, and raise it.

    `words` are the arguments, `output` is what the `options` ask for (None where it is not known yet), and `files` is
    whether the words are the files that are read.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except Exception as error:
        _report(error, words, options, output or _output_of(words, options, files))
        raise


def conclude(result: CheckReport, name: str, output: Output) -> None:
    """Write the verdict on what `name` says, and exit with its code."""
    checks = Checks.of([NamedCheck.of(name, result)])
    write_junit(checks, output)
    try:
        output.write(result)
    except NoVerdict as undefined:
        # A failed limit takes precedence over an undefined figure.
        if result.exit_code != 1:
            raise
        say_error(undefined)
    annotate(checks, output)
    click.get_current_context().exit(result.exit_code)


def _report(error: Exception, words: Sequence[str], options: Mapping[str, Any], output: Output | None) -> None:
    known = UsageError(error.format_message()) if isinstance(error, click.UsageError) else error_of(error)
    if known is None:
        return
    checks = Checks.of([NamedCheck.of(words[0] if words else "pyproject.toml", known)])
    if output is not None:
        write_junit(checks, output)
        output.write_files(checks)
        annotate(checks, output)
    form = options["format"] if output is None else output.format
    alone = options["quiet"] or options["get"] or options.get("per_example") == "-"
    if form in ("json", "markdown") and not alone:
        from xentcli.writers import rendered

        emit(rendered(checks, form))


def _output_of(words: Sequence[str], options: Mapping[str, Any], files: bool) -> Output | None:
    """Return the output that options ask for; None where they make no sense themselves."""
    with contextlib.suppress(XentError):
        if files:
            return Output(
                options, (*words, options["labels"], options["baseline"], *settings_of(options).files_named())
            )
    with contextlib.suppress(XentError):
        output = Output(options, words)
        # Not all inputs are known: a file that exists may be one of them.
        output.files = [target for target in output.files if not os.path.lexists(target.path)]
        output.junit = None if output.junit and os.path.lexists(output.junit) else output.junit
        return output
    return None


def write_junit(result: Checks, output: Output) -> None:
    """Write the file of --junit; raises FileError when it cannot be written."""
    if output.junit is not None:
        from xentcli.atomic import write_bytes
        from xentcli.writers import junit

        write_bytes(output.junit, junit.render(result))


def annotate(result: Checks, output: Output) -> None:
    """Under GITHUB_ACTIONS annotate each failure on stderr, and append to the summary of the step.

    Raises FileError if the summary cannot be written.
    """
    if not output.annotates or os.environ.get("GITHUB_ACTIONS") != "true":
        return
    from xentcli.atomic import append_bytes
    from xentcli.writers.github import LARGEST, commands, summary

    for line in commands(result):
        say(line)
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        # Other commands of the step may have written to it.
        size = os.path.getsize(path) if os.path.exists(path) else 0
        append_bytes(path, summary(result, LARGEST - size))
