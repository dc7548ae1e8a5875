"""The checks of pyproject.toml that a command line names, and the run of them."""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from xentcli.cli.failures import annotate, reported, write_junit
from xentcli.cli.job import Job
from xentcli.cli.options import THREADS
from xentcli.cli.output import Output
from xentcli.cli.process import error_of, say_error
from xentcli.cli.progress import computed
from xentcli.cli.project import Project, in_toml, project_of
from xentcli.errors import UsageError, XentError, shown
from xentcli.options import Option, spelled
from xentcli.records import replace
from xentcli.report.check import CheckReport
from xentcli.report.checks import Checks, NamedCheck

__all__ = ["named", "run_named"]


def named(words: Sequence[str], keys: Mapping[str, Option], beside: Sequence[str]) -> Project | None:
    """Return the project whose checks the words name, all of them where there are none; None for files.

    `keys` are the options that a check may have; those given that only files take are `beside`. They mean files,
    so that pyproject.toml changes the meaning of no such command.

    Raises UsageError for words that are neither files nor checks, or both, and for a file that is not as it must be.
    """
    if words and beside:
        _check_beside(words, keys, beside[0])
        return None
    if any(word == "-" or os.path.dirname(word) for word in words):
        return None
    project = _project(keys)
    if project is None and not words:
        raise UsageError(
            "no files, and no [tool.xent] in a pyproject.toml here or above",
            advice="xent check preds.csv labels.csv --max cost=0.5",
        )
    if project is None:
        return None
    if beside:
        raise UsageError(f"{spelled(beside[0])} needs files; the checks of {project.path} have their options there")
    _check_names(words, project)
    return project if all(word in project.checks for word in words) else None


def _project(keys: Mapping[str, Option]) -> Project | None:
    """Return the project of the working directory; None where that was removed."""
    try:
        here = Path.cwd()
    except FileNotFoundError:
        return None
    return project_of(keys, here)


def _check_beside(words: Sequence[str], keys: Mapping[str, Option], option: str) -> None:
    """Refuse an option of files beside the name of a check, where there is no file of that name."""
    if glob.glob(words[0]) or words[0] == "-":
        return
    # Without the file the command fails anyway, and not because of pyproject.toml.
    project = None
    with contextlib.suppress(XentError):
        project = _project(keys)
    if project is not None and words[0] in project.checks:
        raise UsageError(f"{spelled(option)} is for files; {shown(words[0])} is a check of {project.path}")


def _check_names(words: Sequence[str], project: Project) -> None:
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


def run_named(project: Project, words: Sequence[str], options: Mapping[str, Any]) -> None:
    """Run the checks that words name, or all, write what all of them found, and exit with the code of all."""
    with reported(words, options), contextlib.chdir(project.folder):
        jobs = _jobs(project, words or list(project.checks), options)
    output = Output(options, [str(project.folder / path) for job in jobs.values() for path in job.files])
    with contextlib.chdir(project.folder), computed(options):
        jobs = {name: job._replace(details=frozenset(output.details)) for name, job in jobs.items()}
        outcomes = [NamedCheck.of(name, _outcome(job, project)) for name, job in jobs.items()]
    document = Checks.of(outcomes, project.path)
    write_junit(document, output)
    output.write(document)
    annotate(document, output)
    if output.format != "table":
        for outcome in outcomes:
            if outcome.error is not None:
                say_error(XentError(f"{outcome.name}: {outcome.error.message}", advice=outcome.error.advice))
    click.get_current_context().exit(document.exit_code)


def _jobs(project: Project, names: Sequence[str], options: Mapping[str, Any]) -> dict[str, Job]:
    """Return checks of a project by name; none writes what another reads or writes."""
    jobs: dict[str, Job] = {}
    given = {option: options[option] for option in THREADS if options[option] is not None}
    for name in names:
        if name not in jobs:
            with _named(project, name):
                job = _job_of(project.checks[name])
                jobs[name] = job._replace(speed=job.speed | given)
    inputs = [path for job in jobs.values() for path in job.files]
    written: list[str] = []
    for name, job in jobs.items():
        with _named(project, name):
            job.output.check_targets(inputs, written)
        written += job.output.targets
    return jobs


def _job_of(arguments: Sequence[str]) -> Job:
    """Return the check of the arguments of a command line."""
    outer = click.get_current_context()
    with outer.command.make_context("check", list(arguments), parent=outer.parent) as ctx:
        return Job.of(ctx.params["preds_file"], ctx.params["labels_file"], ctx.params)


@contextlib.contextmanager
def _named(project: Project, name: str) -> Iterator[None]:
    """Name the table of a check in usage errors."""
    try:
        yield
    except click.UsageError as error:
        raise UsageError(error.format_message(), place=project.place(name)) from None
    except UsageError as error:
        raise UsageError(error.headline, place=project.place(name), advice=_for_table(error, project)) from None


def _outcome(job: Job, project: Project) -> CheckReport | XentError:
    """Run a check; return its report, with its files written, or the error that it ended with."""
    try:
        with job.context.scope(cleanup=False):
            result = job.run()
        job.output.write_files(result)
        return replace(result, commands={what: project.from_here(line) for what, line in result.commands.items()})
    except BrokenPipeError:
        raise
    except Exception as error:
        known = error_of(error)
        if known is None:
            raise
        return type(known)(known.message, place=known.place, advice=_for_table(known, project))


def _for_table(error: XentError, project: Project) -> tuple[str, ...]:
    """The advice of an error, for the table of a check."""
    return tuple(project.from_here(in_toml(line, project.keys)) for line in error.advice)
