"""`xent check`."""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from xentcli.cli.ci import CI, annotate, write_junit
from xentcli.cli.command import Command, refuse_more
from xentcli.cli.gate import LIMITS, check_baseline, commands_after, rules_of
from xentcli.cli.options import THREADS, given_on_command_line, labels_of, parameters, rows_of, settings_of
from xentcli.cli.output import OUTPUT, Output
from xentcli.cli.process import emit, error_of, say_error
from xentcli.cli.progress import watched
from xentcli.cli.project import Project, project_of, schema
from xentcli.errors import NoVerdict, UsageError, XentError, shown
from xentcli.options import Option, spelled
from xentcli.records import replace
from xentcli.report.check import CheckReport
from xentcli.report.checks import Checks, NamedCheck
from xentcli.settings import Settings

__all__ = ["check"]


def _print_schema(ctx: click.Context) -> None:
    import json

    click.echo(json.dumps(schema(_KEYS), indent=2))


_OWN = {
    **CI,
    "toml_schema": Option(
        "Output", "Print the JSON Schema of [tool.xent] and exit.", hint="bool", before="get", action=_print_schema
    ),
}
_ROWS = rows_of("check", LIMITS | THREADS | OUTPUT | _OWN)
_OF_RUN = ("format", "output", "append", "threads", *CI)
"""Options that named checks of pyproject.toml take on the command line."""
_NO_KEYS = ("format", "quiet", "get", "write_baseline", *CI)
_KEYS = {name: row for name, row in _ROWS.items() if name not in _NO_KEYS and row.action is None}
"""Options that a check of pyproject.toml may have: a baseline that each run wrote would follow every regression."""
_FILES = (
    click.Argument(["preds_file"], metavar="[PREDS", required=False),
    click.Argument(["labels_file"], metavar="[LABELS]] |", required=False),
    click.Argument(["more"], metavar="[NAME]...", nargs=-1),
)


class _Job(NamedTuple):
    """A check, ready to run."""

    inputs: tuple[str, str | None]
    settings: Settings
    rules: dict[str, Any]
    output: Output
    threads: int | None
    context: click.Context

    @property
    def files(self) -> list[str]:
        """The input files."""
        found = (*self.inputs, self.rules["baseline"], *self.settings.files_named())
        return [path for path in found if path is not None]

    @classmethod
    def of(cls, preds_file: str, labels_file: str | None, options: dict[str, Any]) -> _Job:
        """Return the check of parsed options; raises UsageError before anything is read."""
        inputs = (preds_file, labels_of(labels_file, options["labels"]))
        settings = settings_of(options)
        output = Output(options, (*inputs, options["baseline"], *settings.files_named()))
        return cls(inputs, settings, rules_of(options), output, options["threads"], click.get_current_context())

    def run(self) -> CheckReport:
        """Return the verdict, with the commands that follow a failure."""
        from xentcli.analysis.check import check as run

        check_baseline(self.rules["baseline"])
        with self.output.examples() as sink, watched() as progress:
            beside: dict[str, Any] = {
                "metrics_needed": self.output.metrics_needed,
                "threads": self.threads,
                "progress": progress,
            }
            result = run(*self.inputs, self.settings, sink=sink, **(self.rules | beside))
        return replace(result, commands=dict(commands_after(self.rules["baseline"]))) if result.exit_code else result


@click.command(
    cls=Command,
    short_help="Check metrics against limits (for CI).",
    params=parameters("check", LIMITS | THREADS | OUTPUT | _OWN, files=_FILES),
    examples=(
        ("in CI: exit 1 when a limit fails, 0 when all pass", "xent check preds.csv labels.csv --max cost=0.5"),
        ("several limits", "xent check preds.csv labels.csv --max cost=0.5 --min accuracy=0.9"),
        ("keep this run to compare with", "xent check old.csv labels.csv --write-baseline main.npz"),
        (
            "is the new model worse, by more than 2 % and chance?",
            "xent check new.csv labels.csv --baseline main.npz --max-regression cost=2%",
        ),
        ("each site", "xent check run.csv --label truth --by site --max-each cost=0.9 --min-rows 5"),
        ("the verdict for a program", "xent check preds.csv labels.csv --max cost=0.5 --format json"),
        ("every check of pyproject.toml", "xent check"),
    ),
)
def check(preds_file: str | None, labels_file: str | None, more: tuple[str, ...], **options: Any) -> None:
    """Check metrics against limits: exit 0 if all pass, 1 if one fails, 5 if there is no verdict.

    Comparison is exact; an infinite value never passes. Bad data are exit 3, files that
    cannot be read exit 4: never 1. Without files, or with NAMEs, the checks of [tool.xent]
    in pyproject.toml run, and all that fails is shown.
    """
    words = [word for word in (preds_file, labels_file, *more) if word is not None]
    project = _project_of(words)
    if project is not None:
        _run_project(project, words or list(project.checks), options)
        return
    assert preds_file is not None
    refuse_more("check", list(more))
    _run_files(_Job.of(preds_file, labels_file, options))


def _run_files(job: _Job) -> None:
    """Run the check of files, write what it found, and exit with its code."""
    name = job.inputs[0]
    try:
        result = job.run()
    except BrokenPipeError:
        raise
    except Exception as error:
        if (known := error_of(error)) is not None:
            _report_error(Checks.of([NamedCheck.of(name, known)]), job.output)
        raise
    checks = Checks.of([NamedCheck.of(name, result)])
    write_junit(checks, job.output)
    try:
        job.output.write(result)
    except NoVerdict as undefined:
        # A failed limit takes precedence over an undefined figure.
        if result.exit_code != 1:
            raise
        say_error(undefined)
    annotate(checks, job.output)
    click.get_current_context().exit(result.exit_code)


def _report_error(checks: Checks, output: Output) -> None:
    """Report that a check could not run, where the output is for a program or a page; stderr has it too."""
    write_junit(checks, output)
    if output.format in ("json", "markdown") and output.prints_document:
        from xentcli.writers import rendered

        emit(rendered(checks, output.format))
    annotate(checks, output)


def _project_of(words: list[str]) -> Project | None:
    """Return the project whose checks the words name, all of them where there are none; None for files.

    Options that only files take mean files, so that pyproject.toml changes the meaning of no such command.
    """
    beside = [name for name in _ROWS if name not in _OF_RUN and given_on_command_line(name)]
    if words and beside:
        _check_beside(words, beside[0])
        return None
    if any(word == "-" or os.path.dirname(word) for word in words):
        return None
    project = project_of(_KEYS, Path.cwd())
    if project is None and not words:
        raise UsageError(
            "no files, and no [tool.xent] in a pyproject.toml here or above",
            advice="xent check preds.csv labels.csv --max cost=0.5",
        )
    if project is None:
        return None
    if beside:
        raise UsageError(f"{spelled(beside[0])} without files; those of {project.path} have their options there")
    _check_names(words, project)
    return project if all(word in project.checks for word in words) else None


def _check_beside(words: list[str], option: str) -> None:
    """Refuse an option of files beside the name of a check, where there is no file of that name."""
    if glob.glob(words[0]) or words[0] == "-":
        return
    # Without the file the command fails anyway; what is wrong with pyproject.toml is not why.
    project = None
    with contextlib.suppress(XentError):
        project = project_of(_KEYS, Path.cwd())
    if project is not None and words[0] in project.checks:
        raise UsageError(f"{spelled(option)} is for files; {shown(words[0])} is a check of {project.path}")


def _check_names(words: list[str], project: Project) -> None:
    """Refuse a word that is a check and a file, or neither, and checks beside files."""
    names = ", ".join(shown(name) for name in project.checks)
    for word in words:
        if word in project.checks and os.path.lexists(word):
            raise UsageError(
                f"{shown(word)} is a check of {project.path} and a file",
                advice=f"./{word} is the file; the check needs another name",
            )
        if word not in project.checks and (words[0] in project.checks or not glob.glob(word)):
            raise UsageError(f"{shown(word)} is not a file, nor a check of {project.path}", advice=f"checks: {names}")


def _run_project(project: Project, names: Sequence[str], options: dict[str, Any]) -> None:
    """Run checks, write what all of them found, and exit with the code of the first kind of failure."""
    with contextlib.chdir(project.folder):
        jobs = _jobs(project, names)
    output = Output(options, [str(project.folder / path) for job in jobs.values() for path in job.files])
    with contextlib.chdir(project.folder):
        outcomes = [NamedCheck.of(name, _outcome(job)) for name, job in jobs.items()]
    document = Checks.of(outcomes, project.path)
    write_junit(document, output)
    output.write(document)
    annotate(document, output)
    if output.format != "table":
        for outcome in outcomes:
            if outcome.error is not None:
                say_error(XentError(f"{outcome.name}: {outcome.error.message}", advice=outcome.error.advice))
    click.get_current_context().exit(document.exit_code)


def _jobs(project: Project, names: Sequence[str]) -> dict[str, _Job]:
    """Return checks of a project by name; none writes what another reads or writes."""
    jobs: dict[str, _Job] = {}
    for name in names:
        if name not in jobs:
            with _named(project, name):
                jobs[name] = _job_of(project.checks[name])
    inputs = [path for job in jobs.values() for path in job.files]
    written: list[str] = []
    for name, job in jobs.items():
        with _named(project, name):
            job.output.check_targets(inputs, written)
        written += job.output.targets
    return jobs


def _job_of(arguments: Sequence[str]) -> _Job:
    """Return the check of the arguments of a command line."""
    outer = click.get_current_context()
    with outer.command.make_context("check", list(arguments), parent=outer.parent) as ctx:
        return _Job.of(ctx.params["preds_file"], ctx.params["labels_file"], ctx.params)


@contextlib.contextmanager
def _named(project: Project, name: str) -> Iterator[None]:
    """Name the table of a check in usage errors."""
    try:
        yield
    except click.UsageError as error:
        raise UsageError(error.format_message(), place=project.place(name)) from None
    except UsageError as error:
        raise UsageError(error.headline, place=project.place(name), advice=error.advice) from None


def _outcome(job: _Job) -> CheckReport | XentError:
    """Run a check; return its report, with its files written, or the error that it ended with."""
    try:
        with job.context.scope(cleanup=False):
            result = job.run()
        job.output.write_files(result)
        return result
    except BrokenPipeError:
        raise
    except Exception as error:
        known = error_of(error)
        if known is None:
            raise
        return known
