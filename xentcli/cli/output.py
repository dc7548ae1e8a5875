"""Output: the destinations of a report, checked before anything is read."""

from __future__ import annotations

import contextlib
import fnmatch
import os
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from xentcli.cli.get import Asked, asked
from xentcli.cli.options import given_on_command_line
from xentcli.cli.seen import check_seen
from xentcli.cli.targets import Picture, Target
from xentcli.errors import FileError, Place, UsageError, shown
from xentcli.options import Option
from xentcli.readers import file_id
from xentcli.records import record
from xentcli.report.details import COMPARED, DETAILS
from xentcli.scoring.metrics import METRICS, Metric, top
from xentcli.urls import check_here
from xentcli.writers import text_formats

__all__ = ["OUTPUT", "STATE", "Output"]


def _list_metrics(ctx: click.Context) -> None:
    """Print the table of metrics."""
    formatter = ctx.make_formatter()
    rows = []
    for metric in (*METRICS.values(), top(3)):
        better = {"none": ""}.get(metric.better, f"; {metric.better} is better")
        rows.append((", ".join((metric.name, *metric.synonyms)), f"{metric.about}{better}"))
    formatter.write_dl(rows, col_max=26)
    click.echo(formatter.getvalue(), nl=False)


OUTPUT = {
    "format": Option(
        "Output", "Output format.", default="table", choices=tuple(text_formats()), before="hash",
        usual=True,
    ),
    "output": Option(
        "Output", "Also write the result: r.json, markdown:FILE.", "[FORMAT:]FILE", multiple=True, short="-o",
        before="hash", usual=True,
    ),
    "append": Option(
        "Output", "Append the result to a file, a CI summary.", "[FORMAT:]FILE", multiple=True, before="hash"
    ),
    "quiet": Option("Output", "Print only the cost.", hint="bool", short="-q", before="hash", usual=True),
    "list_metrics": Option("Output", "List the metrics and exit.", hint="bool", before="hash", action=_list_metrics),
    "get": Option("Output", "Print only these figures: accuracy,interval.low.", "NAMES", multiple=True),
    "per_example": Option("Output", "Losses by row: .csv, .npy, .jsonl, .parquet, -", "FILE", usual=True),
    "plot": Option(
        "Output", "Draw: losses.svg, reliability.png, KIND=FILE.", "[KIND=]FILE", multiple=True, before="hash"
    ),
}  # fmt: skip
STATE = {"state": Option("Output", "Write the exact sums of the run, for xent merge.", "FILE")}


class Output:
    """The destinations of a report: stdout and files.

    Parameters
    ----------
    options
        The parsed options; all but --format and --output are optional.
    inputs
        The input files; None entries are ignored.
    """

    def __init__(self, options: Mapping[str, Any], inputs: Sequence[str | None]) -> None:
        self.format: str = options["format"]
        targets = [Target.of(given) for given in options["output"]]
        targets += [Target.of(given, appended=True) for given in options["append"]]
        self.files = [target for target in targets if target.path != "-"]
        command = click.get_current_context().info_name or ""
        self._all_details = COMPARED if command == "compare" else DETAILS
        self.pictures = [Picture.of(given, command, options) for given in options.get("plot") or ()]
        self.quiet: bool = options.get("quiet", False)
        self.get = asked(options.get("get") or ())
        self.per_example: str | None = options.get("per_example")
        self._on_cluster = options.get("engine") == "dask" or options.get("scheduler") is not None
        self.junit: str | None = options.get("junit")
        if self.junit == "-":
            raise UsageError("--junit writes a file, not standard output")
        self.annotates = not options.get("no_annotations", False)
        self.written: str | None = options.get("write_baseline")
        self.state: str | None = options.get("state")
        if self.state == "-":
            raise UsageError("--state writes a file, not standard output")
        self._check_stdout([target for target in targets if target.path == "-"])
        check_seen(options, self._forms(), self.get, self._drawn())
        self.metrics_needed = [figure.metric for figure in self.get if figure.metric]
        if self.per_example is not None:
            from xentcli.writers.per_example import check_path

            check_path(self.per_example, more=bool(options.get("row_metrics")))
        self.check_targets([path for path in inputs if path is not None])

    @property
    def targets(self) -> list[str]:
        """The files to write."""
        further = (self.per_example, self.written, self.junit, self.state)
        written = [*(target.path for target in self.files), *(picture.path for picture in self.pictures)]
        return [*written, *(path for path in further if path and path != "-")]

    @property
    def details(self) -> set[str]:
        """What a result must have beside its figures: what is drawn, and all that a page shows."""
        if any(target.format == "html" for target in self.files) or self.format == "html":
            return {*self._all_details}
        return {picture.drawing.detail for picture in self.pictures} - {""}

    def check_targets(self, inputs: Sequence[str], others: Sequence[str] = ()) -> None:
        """Refuse a target that cannot be written, is an input, or is written twice, by the `others` too."""
        targets = [*others, *self.targets]
        if len(targets) == len(others):
            return
        # Each path is looked up once: on the disk of a server a look takes a millisecond.
        read, written = ([_Where.of(path) for path in paths] for paths in (inputs, targets))
        for index, where in enumerate(written[len(others) :], len(others)):
            path = where.path
            check_here(path)
            if _is_stdout(path):
                raise UsageError(
                    f"{shown(path)} is standard output, where the report is written",
                    advice="-o json:- writes another form there; all else needs a file of its own",
                )
            if where.is_among(read):
                raise UsageError(f"{shown(path)} is an input; it would be overwritten")
            if any(_is_in(path, given) for given in read):
                raise UsageError(f"{shown(path)} is, or would become, one of the files that are read")
            if where.is_among(written[:index]):
                raise UsageError(f"{shown(path)} is written twice")
            try:
                os.stat(os.path.join(os.path.dirname(where.real or path), ""))
            except OSError as error:
                raise FileError(f"cannot be written: {error.strerror}", place=Place(path)) from None

    @property
    def _alone(self) -> str:
        """The option by which standard output has figures alone; empty without one."""
        return "--quiet" if self.quiet else "--get" if self.get else ""

    def _check_stdout(self, also: list[Target]) -> None:
        """Refuse two results on stdout, or a format that it cannot have; `also` are those of ``-o -``."""
        if self.quiet and self.get:
            raise UsageError("--quiet prints the cost and --get another figure; choose one")
        alone, per_example = self._alone, self.per_example == "-"
        format_given = given_on_command_line("format")
        if also:
            other = "--per-example -" if per_example else alone
            if other or len(also) > 1:
                raise UsageError(f"{other or '-o -'} and -o - both write to standard output")
            if also[0].format and format_given and also[0].format != self.format:
                raise UsageError(
                    f"-o {also[0].format}:- and --format {self.format} name two formats for standard output"
                )
            self.format = also[0].format or self.format
        if per_example and alone:
            raise UsageError(
                f"{alone} and --per-example - both write to standard output", advice="--per-example FILE writes a file"
            )
        if per_example and format_given and self.format not in ("csv", "jsonl"):
            raise UsageError(
                f"--per-example - writes csv or jsonl, not {self.format}",
                advice="the report goes to a file: -o FILE",
            )
        if alone and format_given and self.format not in ("table", "json"):
            raise UsageError(
                f"{alone} prints one number, and --format {self.format} a table; choose one",
                advice=f"{alone} --format json prints the number as JSON",
            )

    def _forms(self) -> dict[str, str]:
        """The forms in which the result is written, each with the words that ask for it."""
        forms = {target.format or self.format: f"{target.format} of -o" for target in self.files}
        alone = self._alone or ("--per-example -" if self.per_example == "-" else "")
        return forms | ({"": alone} if alone else {self.format: f"--format {self.format}"})

    def _drawn(self) -> set[str]:
        """The names in JSON of what drawings show."""
        return {name for picture in self.pictures for name in picture.drawing.shows}

    def examples(self, more: Sequence[Metric] = ()) -> contextlib.AbstractContextManager[Any]:
        """Give the sink of the losses per row, with the values of `more` metrics; None without --per-example."""
        if self.per_example is None:
            return contextlib.nullcontext()
        names = [metric.name for metric in more]
        if self._on_cluster and self.per_example != "-":
            from xentcli.writers.per_example import parts_sink

            return parts_sink(self.per_example, names)
        from xentcli.writers.per_example import per_example_sink

        return per_example_sink(self.per_example, "jsonl" if self.format == "jsonl" else "csv", names)

    def write(self, document: Any) -> None:
        """Write the files, then stdout."""
        from xentcli.cli.process import emit
        from xentcli.writers import rendered

        self.write_files(document)
        report = getattr(document, "report", document)
        if self.per_example == "-":
            _warn(report)
            return
        if self.quiet or self.get:
            figures = self.get or (Asked("cost"),)
            emit("".join(f"{figure.of(document, self.format)}\n" for figure in figures))
            _warn(report)
            return
        width, color = _terminal_of(sys.stdout)
        emit(rendered(document, self.format, width=width, color=color))
        if self.format in ("csv", "jsonl") or not document.SHOWS_WARNINGS:
            _warn(report)

    def write_files(self, document: Any) -> None:
        """Write the files of --plot, -o and --append; where one cannot be drawn, none is written."""
        # A check that could not run has nothing to draw.
        pictures = () if document.NAME == "checks" else self.pictures
        drawn = [(picture.path, picture.drawn(document)) for picture in pictures]
        for path, made in drawn:
            from xentcli.atomic import write_bytes

            write_bytes(path, made)
        for target in self.files:
            target.write(document)


def _warn(report: Any) -> None:
    """Write the warnings to stderr."""
    from xentcli.cli.process import say
    from xentcli.writers.safe import terminal

    for warning in getattr(report, "warnings", ()):
        say(
            f"xent: warning: {terminal(warning.message)}" + (f" ({terminal(warning.advice)})" if warning.advice else "")
        )


def _terminal_of(stream: Any) -> tuple[int | None, bool]:
    """The width of a terminal and whether it shows colours; (None, False) for a pipe or file."""
    if not stream.isatty():
        return None, False
    import shutil

    color = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return max(shutil.get_terminal_size().columns, 20), color


@record(frozen=True)
class _Where:
    """Where a path leads."""

    path: str
    file: tuple[int | str, int] | None
    """The device and the number of the file; None where there is none."""
    real: str | None
    """The path without links; None for standard input, and for a relative path where the working directory is gone."""
    is_folder: bool

    @classmethod
    def of(cls, path: str) -> _Where:
        """Look a path up."""
        real = None
        with contextlib.suppress(FileNotFoundError):
            real = None if path == "-" else os.path.realpath(path)
        return cls(path, file_id(path), real, os.path.isdir(path))

    def is_among(self, others: Iterable[_Where]) -> bool:
        """Whether one of the others is the same file, existing or not."""
        return any(
            (self.file is not None and self.file == other.file) or (self.real is not None and self.real == other.real)
            for other in others
        )


def _is_in(path: str, given: _Where) -> bool:
    """Whether a path is in an input folder or matches an input glob."""
    if given.path == "-":
        return False
    if given.is_folder and _Where.of(os.path.dirname(path) or ".").is_among([given]):
        return True
    # Without a working directory no relative path is an input.
    with contextlib.suppress(FileNotFoundError):
        return fnmatch.fnmatch(os.path.abspath(path), os.path.abspath(given.path))
    return False


def _is_stdout(path: str) -> bool:
    """Whether a path leads to the file or the pipe that is standard output."""
    with contextlib.suppress(OSError, ValueError):
        found, ours = os.stat(path), os.fstat(1)
        return os.path.samestat(found, ours) and not stat.S_ISCHR(found.st_mode)
    return False
