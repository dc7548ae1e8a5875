"""The reference in docs/reference, made from the tables of the package.

python -m tests.reference        writes docs/reference/*.md
"""

from __future__ import annotations

import importlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

import xentcli
from tests.conftest import ROOT
from xentcli import errors
from xentcli.cli import main
from xentcli.cli.command import Command
from xentcli.cli.options import SECTIONS
from xentcli.readers import READERS
from xentcli.scoring.compat import COMPAT
from xentcli.scoring.kinds import KINDS
from xentcli.scoring.metrics import METRICS, Metric, top
from xentcli.settings import OPTIONS
from xentcli.writers import WRITERS
from xentcli.writers.pictures import DRAWINGS

FOLDER = ROOT / "docs" / "reference"
DOCUMENTS = ("report", "checks", "explanation", "causes", "comparison", "calibration")
MADE = "This page is made by `python -m tests.reference`, and a test holds it to the tables that it is made of."
OF_FILES = ("score", "explain", "compare", "calibration", "check")
"""The commands that read predictions."""
EXIT_CODES = (
    ("0", "scored, or every limit of `check` passed, and the output reached its destination"),
    ("1", "a limit of `check` failed, and nothing else"),
    ("2", "options that make no sense, or a missing extra"),
    ("3", "the data cannot be scored, or not without an option that the message names"),
    ("4", "a file cannot be read or written, or a limit of size was reached"),
    ("5", "no verdict: no rows, no weight, an undefined metric, inconclusive under `--strict`"),
    ("70", "an internal error; the message asks for a report"),
    ("130, 141, 143", "interrupted; the reader of the output went away; terminated (129 by the end of the terminal)"),
)


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table."""
    yield f"| {' | '.join(names)} |"
    yield f"|{' --- |' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def code(text: str) -> str:
    return f"`{text}`" if text else ""


def context() -> click.Context:
    return click.Context(main, info_name="xent", **main.context_settings)


def options_of(command: click.Command) -> list[click.Option]:
    """The options of a command."""
    return [one for one in command.get_params(click.Context(command)) if isinstance(one, click.Option)]


def spelled(option: click.Option) -> str:
    return max(option.opts, key=len)


def commands() -> Iterator[str]:
    """How each command is called, its options by name, and its examples."""
    yield f"# Commands\n\n{MADE} [Options](options.md) says what each option does.\n"
    yield "`--help` after a command shows the usual options in a terminal, `--help-all` every one. `xent --version` prints the"
    yield "versions of xent, Python and NumPy.\n"
    for name in main.list_commands(context()):
        command = main.commands[name]
        assert isinstance(command, Command)
        yield f"## xent {name}\n"
        usage = command.get_usage(click.Context(command, info_name=name, parent=context()))
        yield f"```text\n{usage}\n```\n"
        yield paragraphs(inspect.cleandoc(command.help or command.short_help or ""))
        by_section: dict[str, list[str]] = {}
        for option in options_of(command):
            by_section.setdefault(getattr(option, "section", "Other"), []).append(code(spelled(option)))
        yield from table(("section", "options"), ((title, ", ".join(names)) for title, names in by_section.items()))
        yield from table(("to", "command"), ((what, code(example)) for what, example in command.examples))
    yield "## Exit codes\n"
    yield from table(("exit code", "meaning"), EXIT_CODES)
    yield "Of several checks the exit code is the first of 2, 4, 3, 1, 5 that one of them has.\n"


def paragraphs(text: str) -> str:
    """Paragraphs of help, a line each."""
    return "\n\n".join(" ".join(part.split()) for part in text.replace("\b", "").split("\n\n")) + "\n"


def options() -> Iterator[str]:
    """Every option of every command, once."""
    found: dict[str, dict[str, click.Option]] = {}
    for name in main.list_commands(context()):
        for option in options_of(main.commands[name]):
            found.setdefault(spelled(option), {})[name] = option
    yield f"# Options\n\n{MADE}\n"
    yield "Options of the sections Columns, Files, Loss and Slices are keyword arguments of [the library](library.md) too, with `_` for"
    yield '`-`: `--class-weight cat=2` is `class_weight={"cat": 2}`. In `pyproject.toml` they are keys of a check: [A gate in CI](../ci.md).\n'
    yield "Commands: *all* are score, explain, compare, calibration and check. COLUMN is the name of a column, `#1` for the first, or `@FILE:COLUMN` for one of another file. COLUMNS are several, with commas"
    yield "between them, globs, or `first:last`.\n"
    titles = [*SECTIONS, "Other"]
    for title in titles:
        rows = [row(spelling, by) for spelling, by in found.items() if section_of(by) == title]
        if rows:
            yield f"## {title}\n"
            yield from table(("option", "what it does", "default", "commands"), rows)


def section_of(by: Mapping[str, click.Option]) -> str:
    return str(getattr(next(iter(by.values())), "section", "Other"))


def row(spelling: str, by: Mapping[str, click.Option]) -> tuple[str, str, str, str]:
    """The row of an option that some commands have, by the command."""
    texts: dict[str, list[str]] = {}
    for name, option in by.items():
        says = escaped(re.sub(r" ?\[default: .*?\]", "", option.help or ""))
        if isinstance(option.type, click.Choice):
            says += f" One of {', '.join(code(str(choice)) for choice in option.type.choices)}."
        texts.setdefault(says, []).append(name)
    first, *others = texts.items()
    says = " ".join([first[0], *(f"With {' and '.join(names)}: {text}" for text, names in others)])
    option = next(iter(by.values()))
    # click keeps the spellings of --help of the context that asked for it first.
    spellings = main.context_settings["help_option_names"] if spelling == "--help" else option.opts
    words = ", ".join(sorted((opt for opt in spellings if opt.startswith("-")), key=len))
    if option.metavar and not option.is_flag:
        formats = option.metavar.startswith("[npy")
        words += " FORMAT" if formats else f" {option.metavar}"
        says += f" One of {', '.join(map(code, READERS))}." * formats
    more = [name for name in by if name not in OF_FILES]
    where = ", ".join(["all", *more] if set(OF_FILES) <= set(by) else by)
    return code(words), says + " May be repeated." * option.multiple, default_of(option), where


def default_of(option: click.Option) -> str:
    """The default of an option, as its help has it or as click has it."""
    described = re.search(r"\[default: (.*?)\]", option.help or "")
    if described:
        return described[1]
    default = option.default
    return f"{default:g}" if isinstance(default, int | float) and not isinstance(default, bool) else ""


def escaped(text: str) -> str:
    return re.sub(r"(?<![`\w-])--[a-z][\w-]*", r"`\g<0>`", text.replace("<", "&lt;").replace("*", r"\*"))


def metrics() -> Iterator[str]:
    """Every metric."""
    yield f"# Metrics\n\n{MADE}\n"
    yield "Each name can be used in `--metrics`, `--get` and limits of `xent check`, in any case and with `-` for `_`; the first one"
    yield 'is its name in JSON and in the library. Figures marked "unit" follow `--base`. Those marked "asked" are computed only'
    yield "where an option names them. `xent score --list-metrics` prints the names.\n"
    rows = []
    for metric in (*METRICS.values(), top(3)):
        marks = [name for name, holds in (("unit", metric.unit == "loss"), ("asked", not metric.usual)) if holds]
        undefined = (("kinds without labels", metric.labelled), ("soft targets", metric.hard))
        null = [words for words, holds in undefined if holds]
        names = ", ".join(map(code, (metric.name, *metric.synonyms)))
        rows.append((names, about(metric), metric.better.replace("none", ""), ", ".join(null), ", ".join(marks)))
    yield from table(("metric", "what it is", "better", "null for", "marks"), rows)
    yield "`top3` stands for any top-k accuracy: `top1`, `top5`, `top100`.\n"


def about(metric: Metric) -> str:
    """What a metric is: its line, and its formula where that has more words."""
    formula = metric.description.removesuffix(", in unit")
    if metric.about in formula:
        return escaped(formula)
    more = set(re.findall(r"\w+", formula.replace("_", " "))) - set(re.findall(r"\w+", metric.about))
    return escaped(f"{metric.about} ({formula})" if more else metric.about)


def json_fields() -> Iterator[str]:
    """Every field of every document."""
    yield f"# JSON fields\n\n{MADE}\n"
    yield "`--format json` and `-o FILE.json` print these documents; `to_dict()` of a result of the library returns the same. A *number*"
    yield 'may be one of the strings `"inf"`, `"-inf"` and `"nan"`, since JSON has no such numbers; a *finite number* is never one.'
    yield '`xentcli.schema("report")` returns the JSON Schema of a document, by the names in the headings.\n'
    shown: set[str] = {"number"}
    for name in DOCUMENTS:
        schema = xentcli.schema(name)
        yield f"## {name}\n"
        yield schema["description"].partition(". There is")[0] + ".\n"
        yield from fields(schema["properties"])
        for pattern, value in schema.get("patternProperties", {}).items():
            yield f"Fields that match `{pattern}`: {type_of(value)}, {value['description']}.\n"
        for part, record in schema["$defs"].items():
            if part not in shown:
                shown.add(part)
                yield f"### {part}\n"
                yield from fields(record["properties"])


def fields(properties: Mapping[str, Any]) -> Iterator[str]:
    rows = ((code(name), type_of(value), escaped(value.get("description", ""))) for name, value in properties.items())
    return table(("field", "type", "meaning"), rows)


def type_of(schema: Mapping[str, Any]) -> str:
    """A type of JSON Schema in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return "number" if name == "number" else f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(type_of(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(code(str(one)) for one in schema["enum"])
    if "const" in schema:
        return code(str(schema["const"]))
    kind = str(schema.get("type", "any value"))
    if kind == "array":
        return f"list of {type_of(schema['items'])}"
    if kind == "object":
        return f"object: {type_of(schema['additionalProperties'])} by name"
    return {"number": "finite number", "string": "text", "boolean": "true or false"}.get(kind, kind)


def formats() -> Iterator[str]:
    """What is read and written."""
    yield f"# Formats, kinds, tools\n\n{MADE}\n"
    yield "## Input formats\n"
    yield "The format of a file is found by its first bytes, then by its extension, then by its content; `--input-format NAME` decides. Text"
    yield "may be compressed by gzip, bzip2, xz or zstd (extra `arrow`). `FILE#PART` reads one sheet of a workbook (`run.xlsx#preds`),"
    yield "or the codes of a file with value labels (`p.sav#codes`): without it the labels stand for the codes, where each has one.\n"
    rows = []
    for name, reader in READERS.items():
        takes = [words for words, holds in (
            ("`--delimiter`, `--decimal`", reader.delimited), ("`--dtype`", reader.typed), ("`FILE#PART`", reader.parted)
        ) if holds]  # fmt: skip
        module = importlib.import_module(reader.opener.partition(":")[0])
        rows.append((code(name), reader.about, endings(reader.extensions), extra_of(module), ", ".join(takes)))
    yield from table(("name", "what it is", "extensions", "extra", "takes"), rows)
    yield "## Output formats\n"
    yield "`--format NAME` prints, `-o FILE` writes by the extension, `-o NAME:FILE` by the name.\n"
    written = []
    for name, writer in WRITERS.items():
        notes = [words for words, holds in (
            ("a file only", writer.binary), ("`--append`", writer.appended is not None), ("one table", writer.one_table)
        ) if holds]  # fmt: skip
        module = importlib.import_module(writer.module)
        written.append((code(name), writer.about, endings(writer.extensions), extra_of(module), ", ".join(notes)))
    yield from table(("name", "what it is", "extensions", "extra", "notes"), written)
    yield "## Drawings\n"
    yield "`--plot NAME.svg`, `.png` or `.pdf` draws (extra `plot`); `--plot NAME=FILE` where the file has another name.\n"
    drawings = ((code(name), drawing.about, ", ".join(drawing.commands)) for name, drawing in DRAWINGS.items())
    yield from table(("name", "what it shows", "commands"), drawings)
    yield "## Kinds of predictions\n"
    kinds = ((code(kind.name), kind.about, "yes" if kind.labelled else "no") for kind in KINDS.values())
    yield from table(("`--kind`", "what the file holds", "labels"), kinds)
    yield "## Values of other tools\n"
    tools = (
        (code(name), tool.title, ", ".join(map(code, tool.kinds)), clip_of(tool), "yes" if tool.renormalize else "no")
        for name, tool in COMPAT.items()
    )
    yield from table(("`--compat`", "reproduces", "kinds", "clips q at", "renormalises"), tools)


def endings(extensions: Sequence[str]) -> str:
    return ", ".join(map(code, extensions))


def extra_of(module: Any) -> str:
    """The extra that a module asks for."""
    found = re.findall(r'needed\("[\w.]+", "(\w+)"\)', inspect.getsource(module))
    return ", ".join(map(code, dict.fromkeys(found)))


def clip_of(tool: Any) -> str:
    return (
        "" if tool.clip is None else "the epsilon of the file's dtype" if tool.clip == "dtype" else f"{tool.clip:.3g}"
    )


def library() -> Iterator[str]:
    """Every function of the library."""
    yield f"# Library\n\n{MADE}\n"
    yield "Each function does what the command of its name does. `options` are [the options](options.md) of the sections Columns, Files,"
    yield "Loss and Slices with `_` for `-`; editors, `help()` and mypy see each with its type. Results have the [fields of their"
    yield "JSON](json.md) as attributes, `to_dict()`, `to_frame()`, and `print` shows the screen of the command.\n"
    for name in sorted(name for name in xentcli.__all__ if not name.startswith("_")):
        function = getattr(xentcli, name)
        yield f"## xentcli.{name}\n"
        yield f"```text\n{signature(name, function)}\n```\n"
        yield from sections(name, inspect.cleandoc(function.__doc__))
    yield "## Errors\n"
    yield "They are in `xentcli.errors`. `str` of one is the message that the command prints; `advice` are its last lines.\n"
    found = [errors.XentError, *(one for one in vars(errors).values() if is_error(one))]
    rows = ((code(one.__name__), code(one.__base__.__name__), str(one.exit_code), summary(one)) for one in found)
    yield from table(("error", "kind of", "exit code", "when"), rows)


def is_error(one: Any) -> bool:
    return isinstance(one, type) and issubclass(one, errors.XentError) and one is not errors.XentError


def summary(one: type) -> str:
    """The first line of a docstring."""
    return plain(inspect.cleandoc(one.__doc__ or "").partition("\n")[0])


def signature(name: str, function: Callable[..., Any]) -> str:
    """The signature of a function, its options as one word."""
    parameters = inspect.signature(function).parameters.values()
    own = [one for one in parameters if one.name not in OPTIONS]
    words, starred = [], False
    for one in own:
        if one.kind is one.KEYWORD_ONLY and not starred:
            words.append("*")
            starred = True
        words.append(one.name if one.default is one.empty else f"{one.name}={one.default!r}")
    words += ["**options"] * any(one.name in OPTIONS for one in parameters)
    whole = f"xentcli.{name}({', '.join(words)})"
    return (
        whole
        if len(whole) <= 100
        else f"xentcli.{name}(\n{textwrap.fill(', '.join(words), 96, initial_indent='    ', subsequent_indent='    ')}\n)"
    )


def sections(name: str, docstring: str) -> Iterator[str]:
    """A docstring of numpydoc as Markdown."""
    text, _, example = docstring.partition("\n>>> ")
    before, *parts = re.split(r"^(\w+)\n-{4,}\n", text + "\n", flags=re.MULTILINE)
    yield plain(before).strip() + "\n"
    for title, body in zip(parts[::2], parts[1::2], strict=True):
        if body.strip() and title != "Examples":
            yield f"**{title}**\n"
            yield from entries(body)
    yield f"```python\n>>> from xentcli import {name}\n>>> {example.strip()}\n```\n"


def entries(body: str) -> Iterator[str]:
    """The entries of a section: names, and what is indented below them; or a paragraph."""
    lines = body.rstrip().splitlines()
    if not any(line.startswith(" ") for line in lines):
        yield plain(body).strip() + "\n"
        return
    for line in lines:
        yield f"  {plain(line.strip())}" if line.startswith(" ") else f"- {', '.join(map(code, line.split(', ')))}:"
    yield ""


def plain(text: str) -> str:
    """Text of a docstring as Markdown."""
    return re.sub(r"``(.+?)``|`([^`]+)`", lambda found: code(found[1] or found[2]), text)


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "commands.md": commands,
    "options.md": options,
    "metrics.md": metrics,
    "json.md": json_fields,
    "formats.md": formats,
    "library.md": library,
}


def page(name: str) -> str:
    """The text of a page."""
    return "\n".join(PAGES[name]()).rstrip("\n") + "\n"


def write(folder: Path = FOLDER) -> None:
    """Write every page."""
    folder.mkdir(exist_ok=True)
    for name in PAGES:
        (folder / name).write_text(page(name), encoding="utf-8")


if __name__ == "__main__":
    write()
