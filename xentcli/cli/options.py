"""Options that commands share, in the groups that their help shows."""

from __future__ import annotations

import contextlib
import fnmatch
import math
import os
import shlex
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from xentcli.cli.process import check_memory, keep_freed_memory
from xentcli.errors import FileError, Place, UsageError, shown
from xentcli.readers import READERS
from xentcli.readers.limits import DEFAULT
from xentcli.scoring.compat import COMPAT
from xentcli.scoring.kinds import KINDS
from xentcli.scoring.metrics import METRICS, top
from xentcli.writers import format_of, text_formats

__all__ = [
    "Command",
    "Output",
    "again",
    "base_option",
    "cost_options",
    "example_options",
    "input_options",
    "loss_options",
    "output_options",
    "section",
    "slice_options",
    "speed_options",
]

F = TypeVar("F", bound=Callable[..., Any])


class Option(click.Option):
    """An option that stands in a named section of the help."""

    def __init__(self, *args: Any, section: str = "Options", **kwargs: Any) -> None:
        self.section = section
        super().__init__(*args, **kwargs)


class Command(click.Command):
    """A command whose help has its options in sections, and its examples at the end."""

    def __init__(self, *args: Any, examples: tuple[tuple[str, str], ...] = (), **kwargs: Any) -> None:
        self.examples = examples
        super().__init__(*args, **kwargs)
        self.allow_extra_args = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; too many files are most likely a glob that the shell has spread out."""
        self._refuse_repeated(ctx, args)
        left = super().parse_args(ctx, args)
        if left and not ctx.resilient_parsing:
            raise UsageError(
                f"{len(left):,} more file{'s' * (len(left) > 1)} than PREDS and LABELS: {shown(left[0])}"
                + ", ..." * (len(left) > 1),
                advice=f"several files: quote the glob, as in xent {ctx.info_name} 'preds-*.csv' 'labels-*.csv'",
            )
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
        """Run, with the process set up for arrays that come and go."""
        check_memory()
        keep_freed_memory()
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, section by section, then the examples."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            # What an argument is, the text above the options says.
            if record is not None and isinstance(parameter, click.Option):
                sections.setdefault(getattr(parameter, "section", "Other"), []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records, col_max=26)
        write_examples(formatter, self.examples)


def write_examples(formatter: click.HelpFormatter, examples: tuple[tuple[str, str], ...]) -> None:
    """Write commands, each under what it is for; no line is wrapped, so that it can be copied."""
    if examples:
        with formatter.section("Examples"):
            for what, command in examples:
                formatter.write(f"  # {what}\n  {command}\n")


def section(title: str, *declared: tuple[tuple[str, ...], dict[str, Any]]) -> Callable[[F], F]:
    """Make a decorator that adds options to a command, in this order, under a title."""

    def decorate(function: F) -> F:
        for names, attributes in reversed(declared):
            function = click.option(*names, cls=Option, section=title, **attributes)(function)
        return function

    return decorate


def _option(*names: str, **attributes: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    return names, attributes


def _limit(name: str, metavar: str, help: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    default = getattr(DEFAULT, name.removeprefix("--max-"))
    return _option(name, type=int, default=default, metavar=metavar, help=help)


_SIDES = click.Choice(["predictions", "labels", "both"])

_columns = section(
    "Columns",
    _option("--preds", metavar="COLUMNS", help="The predictions: names, globs, first:last or #1, ..."),
    _option("--label", metavar="COLUMNS", help="The label, or one target column for each class."),
    _option("--labels", "labels_option", metavar="FILE", help="The file of the labels, in place of LABELS."),
    _option("--id", metavar="COLUMN", help="Match the rows of both files by this column."),
    _option("--subset", is_flag=True, help="With --id: labels may be there that have no prediction."),
    _option("--weights", metavar="COLUMN", help="How much each row counts."),
    _option("--classes", metavar="NAMES", help="Class names in column order, or @FILE, one a line."),
    _option("--positive", metavar="NAME", help="The label that one column of predictions is about."),
    _option("--class-axis", type=int, metavar="N", help="Axis of the classes in an array, from 0 [default: last]."),
    _option("--multilabel", is_flag=True, help="Each column is a yes or no of its own."),
    _option("--index-base", type=click.Choice(["0", "1"]), help="Labels are positions counted from 0 or 1."),
    _option("--bytes", metavar="COLUMN|N", help="Bytes per row (weighted) or in total, for bits per byte."),
    _option("--align", type=click.Choice(["position"]), help="Match by position whatever row names say."),
)
_files = section(
    "Files",
    _option(
        "--input-format",
        multiple=True,
        metavar=f"[{'|'.join(READERS)}]",
        help="For both, or predictions=, labels=, FILE=FORMAT.",
    ),
    _option("--dtype", type=click.Choice(["bfloat16"]), help="What two-byte numbers of an NPY file are."),
    _option("--delimiter", metavar="CHAR", help="What separates fields: , ; tab space or another."),
    _option("--decimal", type=click.Choice([".", ","]), default=".", help="What stands before decimals; else a point."),
    _option(
        "--header",
        type=_SIDES,
        is_flag=False,
        flag_value="both",
        help="The first line is a header; of both, if bare.",
    ),
    _option("--no-header", type=_SIDES, is_flag=False, flag_value="both", help="The first line is data."),
    _limit("--max-columns", "N", "Columns of a file at most; else 1,000,000."),
    _limit("--max-field", "N", "Characters of a field at most; else 1,048,576."),
    _limit("--max-inflated", "BYTES", "Bytes that data inflate to at most; else 64 GiB."),
    _limit("--max-batch", "BYTES", "Largest Arrow record batch [default: 1 GiB]."),
)
_speed = section(
    "Speed",
    _option(
        "--threads",
        type=click.IntRange(min=1),
        metavar="N",
        help="Worker count [default: one per CPU, at most 16].",
    ),
)
_loss = section(
    "Loss",
    _option(
        "--kind", type=click.Choice(list(KINDS)), default="probs", show_default=True, help="What the predictions are."
    ),
    _option("--clip", type=float, metavar="EPS", help="Keep q in [EPS, 1-EPS]; reported."),
    _option("--class-weight", multiple=True, metavar="NAME=W", help="How much a class counts in the cost; else 1."),
    _option(
        "--label-smoothing",
        type=float,
        default=0.0,
        metavar="E",
        help="Spread E of each target over all classes.",
    ),
    _option("--ignore-label", multiple=True, metavar="LABEL", help="Leave rows with this label out; counted."),
    _option("--compat", type=click.Choice(list(COMPAT)), help="The number as this tool computes it."),
    _option("--renormalize", is_flag=True, help="Divide each row by its sum first; reported."),
    _option("--scale", type=float, default=1.0, metavar="X", help="Multiply predictions first: 0.01 for percent."),
    _option(
        "--sum-tolerance",
        type=float,
        default=0.001,
        show_default=True,
        metavar="TAU",
        help="How far a row sum may be off.",
    ),
)
_base = _option(
    "--base", type=click.Choice(["2", "e", "10"]), default="e", show_default=True, help="Losses in bits, nats or bans."
)
_confidence = _option(
    "--confidence", type=float, default=0.95, show_default=True, metavar="LEVEL", help="The level of the interval."
)
_slices = section(
    "Slices",
    _option("--by", multiple=True, metavar="COLUMN", help="The cost by the values of a column; A,B crosses two."),
    _option("--by-class", is_flag=True, help="The cost by true class."),
    _option("--worst", type=int, default=0, metavar="N", help="The N rows of the largest loss."),
    _option("--show", multiple=True, metavar="COLUMN", help="A column to show beside the worst rows."),
    _option("--cluster", metavar="COLUMN", help="Rows of one value are not independent."),
    _option(
        "--max-groups", type=int, default=10_000, show_default=True, metavar="N", help="How many groups there may be."
    ),
)
_output = section(
    "Output",
    _option(
        "--format",
        "format_",
        type=click.Choice(text_formats()),
        default="table",
        show_default=True,
        help="What is printed.",
    ),
    _option(
        "-o", "--output", "outputs", multiple=True, metavar="FILE", help="Write the report here too: .json, .csv, ..."
    ),
    _option("--quiet", "-q", is_flag=True, help="Print the cost alone."),
    _option(
        "--list-metrics",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=lambda ctx, parameter, value: _list_metrics(ctx) if value else None,
        help="Show what each figure is, and exit.",
    ),
    _option("--hash", is_flag=True, help="Put the SHA-256 of every input into the report."),
    _option("--metrics", metavar="NAMES", help="Show these figures: cost,brier,top3."),
    _option("--get", metavar="METRIC", help="Print one figure alone: accuracy, top3, ..."),
    _option("--per-example", metavar="FILE", help="Losses by row: .csv, .npy, .jsonl, .parquet, -"),
)


def _list_metrics(ctx: click.Context) -> None:
    """Print the table of metrics."""
    formatter = ctx.make_formatter()
    rows = []
    for metric in (*METRICS.values(), top(3)):
        better = {"none": ""}.get(metric.better, f"; {metric.better} is better")
        rows.append((", ".join((metric.name, *metric.synonyms)), f"{metric.about}{better}"))
    formatter.write_dl(rows, col_max=40)
    click.echo(formatter.getvalue(), nl=False)
    ctx.exit()


def input_options(function: F) -> F:
    """Add the options that say what the files hold."""
    return _columns(_files(function))


def loss_options(function: F) -> F:
    """Add the options of the loss of one example."""
    return _loss(function)


def speed_options(function: F) -> F:
    """Add the option of how a command may use the machine."""
    return _speed(function)


def slice_options(function: F) -> F:
    """Add the options that say where a cost comes from."""
    return _slices(function)


def base_option(function: F) -> F:
    """Add the unit of a loss."""
    return section("Loss", _base)(function)


def cost_options(function: F) -> F:
    """Add the options of a loss and of its mean."""
    return _loss(section("Loss", _base, _confidence)(function))


def output_options(function: F) -> F:
    """Add the options of a report's output."""
    return _output(function)


def settings_of(options: dict[str, Any]) -> Any:
    """Make Settings of what click parsed; what is left in `options` is the command's own."""
    from xentcli.settings import Settings

    names = (
        "kind",
        "preds",
        "label",
        "id",
        "weights",
        "classes",
        "positive",
        "class_axis",
        "multilabel",
        "align",
        "header",
        "no_header",
        "sum_tolerance",
        "scale",
        "renormalize",
        "clip",
        "base",
        "confidence",
        "delimiter",
        "decimal",
        "dtype",
        "subset",
        "class_weight",
        "label_smoothing",
        "ignore_label",
        "compat",
        "by",
        "by_class",
        "worst",
        "show",
        "cluster",
        "max_groups",
        "max_columns",
        "max_field",
        "max_inflated",
        "max_batch",
        "hash",
        "bytes",
        "metrics",
    )
    given = {name: options.pop(name) for name in names if name in options}
    base, formats = options.pop("index_base"), options.pop("input_format")
    return Settings(
        **given,
        index_base=None if base is None else int(base),
        input_format=formats or None,
    )


def labels_of(labels: str | None, options: dict[str, Any]) -> str | None:
    """The file of the labels, as argument or option.

    Raises
    ------
    UsageError
        When both are given.
    """
    given: str | None = options.pop("labels_option")
    if labels is not None and given is not None:
        raise UsageError(f"the labels are given twice: {shown(labels)} and --labels {shown(given)}")
    return labels if given is None else given


class Output:
    """Where a report goes: what of it to stdout, and which files."""

    def __init__(self, options: dict[str, Any], inputs: tuple[str | None, ...]) -> None:
        self.format: str = options.pop("format_")
        source = click.get_current_context().get_parameter_source("format_")
        self._format_given = source is not click.core.ParameterSource.DEFAULT
        self.files: tuple[str, ...] = options.pop("outputs")
        self.quiet: bool = options.pop("quiet", False)
        self.get: str | None = options.pop("get", None)
        self.per_example: str | None = options.pop("per_example", None)
        self._check(tuple(path for path in inputs if path is not None))

    def _check(self, inputs: tuple[str, ...]) -> None:
        """Refuse, before anything is read, what could not be written or would destroy an input."""
        from xentcli.scoring.metrics import find

        if self.quiet and self.get:
            raise UsageError("--quiet prints the cost and --get another figure; choose one")
        self._check_stdout()
        if self.get is not None:
            self.get = find(self.get).name
        self.metrics_needed = [self.get] if self.get is not None else []
        targets = list(self.files)
        if self.per_example is not None:
            from xentcli.writers.per_example import check_path

            check_path(self.per_example)
            targets += [] if self.per_example == "-" else [self.per_example]
        for path in self.files:
            format_of(path)
        for index, path in enumerate(targets):
            if any(_same(path, given) for given in inputs):
                raise UsageError(f"{shown(path)} is an input; it would be overwritten")
            if any(_among(path, given) for given in inputs if given != "-"):
                raise UsageError(f"{shown(path)} is, or would become, one of the files that are read")
            if any(_same(path, other) for other in targets[:index]):
                raise UsageError(f"{shown(path)} is written twice")
            try:
                os.stat(os.path.join(os.path.dirname(os.path.realpath(path)), ""))
            except OSError as error:
                raise FileError(f"cannot be written: {error.strerror}", place=Place(path)) from None

    def _check_stdout(self) -> None:
        """Refuse options that ask for two things on standard output, or for a form that it cannot have."""
        alone = "--quiet" if self.quiet else "--get" if self.get else None
        if self.per_example == "-" and alone:
            raise UsageError(
                f"{alone} and --per-example - both write to standard output", advice="--per-example FILE writes a file"
            )
        if self.per_example == "-" and self._format_given and self.format not in ("csv", "jsonl"):
            raise UsageError(
                f"--per-example - writes csv or jsonl, not {self.format}",
                advice="the report goes to a file: -o FILE",
            )
        if alone and self._format_given and self.format not in ("table", "json"):
            raise UsageError(
                f"{alone} prints one number, and --format {self.format} a table; choose one",
                advice=f"{alone} --format json prints the number as JSON",
            )

    def examples(self) -> contextlib.AbstractContextManager[Any]:
        """Give what writes the losses of a block of rows, None where nobody asked."""
        if self.per_example is None:
            return contextlib.nullcontext()
        from xentcli.writers.per_example import per_example_sink

        return per_example_sink(self.per_example, "jsonl" if self.format == "jsonl" else "csv")

    def write(self, document: Any) -> None:
        """Write the files, then stdout."""
        from xentcli.cli.process import emit
        from xentcli.writers import content, rendered

        if self.files:
            from xentcli.atomic import write_bytes

            for path in self.files:
                write_bytes(path, content(document, format_of(path)))
        report = getattr(document, "report", document)
        if self.per_example == "-":
            _warn(report)
            return
        if self.quiet or self.get:
            emit(f"{_figure(report, self.get or 'cost', self.format)}\n")
            _warn(report)
            return
        width, color = terminal_of(sys.stdout)
        emit(rendered(document, self.format, width=width, color=color))
        if self.format in ("csv", "jsonl") or hasattr(document, "terms"):
            # These forms, and an explained row, have no place for warnings.
            _warn(report)


def _figure(report: Any, metric: str, format: str) -> str:
    """One figure in full precision; as JSON an infinite one is a text."""
    from xentcli.errors import NoVerdict

    value = report.value(metric)
    if value is None:
        raise NoVerdict(f"{metric} is undefined: {report.undefined.get(metric, 'not for these data')}")
    return f'"{value}"' if format == "json" and not math.isfinite(value) else repr(value)


def _warn(report: Any) -> None:
    """Write the warnings to stderr where the output has no place for them."""
    from xentcli.cli.process import say
    from xentcli.writers.safe import terminal

    for warning in getattr(report, "warnings", ()):
        say(
            f"xent: warning: {terminal(warning.message)}" + (f" ({terminal(warning.advice)})" if warning.advice else "")
        )


def terminal_of(stream: Any) -> tuple[int | None, bool]:
    """The width of a terminal and whether it takes colours; (None, False) for a pipe or file."""
    if not stream.isatty():
        return None, False
    import shutil

    color = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return max(shutil.get_terminal_size().columns, 20), color


def _among(path: str, given: str) -> bool:
    """Whether a path is an input, or one of the files that a folder or glob stands for."""
    in_folder = os.path.isdir(given) and _same(os.path.dirname(path) or ".", given)
    # Without a working directory no relative path is an input.
    with contextlib.suppress(FileNotFoundError):
        return in_folder or fnmatch.fnmatch(os.path.abspath(path), os.path.abspath(given))
    return in_folder


def again(command: str, *, without: tuple[str, ...] = ()) -> str:
    """Return the command line as another command would be called with the same files and options.

    Options of the output, and those named in `without`, are left out.
    """
    ctx = click.get_current_context()
    words = ["xent", command]
    for parameter in ctx.command.params:
        value = ctx.params.get(parameter.name or "")
        given = ctx.get_parameter_source(parameter.name or "") is click.core.ParameterSource.COMMANDLINE
        if not given or parameter.name in without or getattr(parameter, "section", "") == "Output":
            continue
        if isinstance(parameter, click.Argument):
            words.append(str(value))
        elif parameter.is_flag and value is True:  # type: ignore[attr-defined]
            words.append(parameter.opts[-1])
        else:
            for item in value if isinstance(value, tuple) else (value,):
                words += [parameter.opts[-1], str(item)]
    return shlex.join(words)


def _same(one: str, other: str) -> bool:
    """Whether two paths are one file, by whatever names; ``-`` is what standard input comes from."""
    try:
        if other == "-":
            return sys.stdin is not None and os.path.samestat(os.stat(one), os.fstat(sys.stdin.fileno()))
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        with contextlib.suppress(FileNotFoundError):
            return other != "-" and os.path.realpath(one) == os.path.realpath(other)
        return False


def example_options(function: F) -> F:
    """Add the options of `explain` that give one example literally, or choose one."""
    return section(
        "Example",
        _option("--probs", metavar="Q,...", help="Probabilities of one example, in place of a file."),
        _option("--logits", metavar="Z,...", help="Logits of one example, in place of a file."),
        _option("--logprobs", metavar="L,...", help="Log-probabilities of one example, in place of a file."),
        _option("--target", metavar="Y,...", help="Its target: a number for each class. Or --label N."),
        _option("--row", type=int, metavar="N", help="Which row of the file, counted from 1."),
        _option("--by", multiple=True, metavar="COLUMN", help="Without --row: look for causes by this column."),
    )(function)
