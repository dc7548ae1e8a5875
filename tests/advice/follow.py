"""Follow advice to the letter: apply its option, run its command or its line of Python, as a user would who reads it."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import pandas
import pytest

from tests.conftest import Call
from xentcli.cli import main

__all__ = ["Case", "Followed", "follow"]

Content = str | bytes | np.ndarray[Any, Any] | Callable[[Path], object]


class Case(NamedTuple):
    """An input that provokes advice, the lines that are followed one after the other, and the answer.

    Attributes
    ----------
    args
        The command; `score` where it names none.
    files
        What is in the folder: text, bytes, an array, or a function that writes the file.
    lines
        A piece of each line of advice that is followed: one, and at most two next steps.
    cost
        The right cost at the end; None for a command that need only succeed.
    fill
        What stands for the placeholders of the lines: {"NAME,...": "a,b"}.
    leave
        Arguments that the line says to leave out.
    """

    args: str
    files: Mapping[str, Content]
    lines: tuple[str, ...]
    cost: float | None
    fill: Mapping[str, str] = {}
    leave: tuple[str, ...] = ()


class Followed(NamedTuple):
    """The lines that were followed, the exit code and what was printed at the end."""

    lines: tuple[str, ...]
    code: int | str | None
    out: str
    err: str


_SHELL = re.compile(r"^(?:.*: )?((?:grep|sed|head|tail|jq|iconv|python3|gzip|bzip2|xz|zstd|tr|awk) .*)$")
_PYTHON = re.compile(r"\b(?:numpy|pandas|pyarrow|frame|array|tensor)\.")
_COMMAND = re.compile(
    r"\bxent ((?:score|check|explain|compare) .*?)(?:,? (?:shows the cost of each|with the same options, writes .*)|\))?$"
)
_OPTION = re.compile(r"(?<![\w-])--[a-z]")


def follow(case: Case, folder: Path, call: Call) -> Followed:
    """Run a case in an empty folder and follow its lines; what was there before stays as it was."""
    for name, content in case.files.items():
        _write(folder / name, content)
    args = shlex.split(case.args)
    args = args if args[0] in main.commands else ["score", *args]
    done = call(*_asking(args, case))
    lines = []
    for wanted in case.lines:
        found = [line.strip() for line in (done.err + done.out).splitlines() if wanted in line]
        assert found, f"{wanted!r} is not in the advice:\n{done.err}{done.out}"
        lines.append(found[0])
        for argument in case.leave:
            args.remove(argument)
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        args = _applied(found[0], wanted, args, case, folder)
        assert all(path.read_bytes() == content for path, content in before.items()), "a file that was there changed"
        done = call(*_asking(args, case))
    return Followed(tuple(lines), done.code, done.out, done.err)


def _asking(args: list[str], case: Case) -> list[str]:
    # Slices are refused where nothing shows them.
    shown = ["-o", "shown.json"] if {"--by", "--by-class", "--worst", "--reference"} & {*args} else []
    return [*args, "-q", *shown] if args[0] == "score" else args


def _write(path: Path, content: Content) -> None:
    if isinstance(content, str | bytes):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    elif isinstance(content, np.ndarray):
        np.save(path, content)
    else:
        content(path)


def _applied(line: str, wanted: str, args: list[str], case: Case, folder: Path) -> list[str]:
    """The next command, once the line is followed."""
    for placeholder, value in case.fill.items():
        line, wanted = line.replace(placeholder, value), wanted.replace(placeholder, value)
    command = _COMMAND.search(line)
    if command is not None:
        return shlex.split(command[1])
    if (shell := _SHELL.match(line)) is not None:
        args = _with_new_file(args, folder, lambda: _in_shell(shell[1], folder), line)
        _, then, options = line.rpartition("then --")
        # Who has named the labels, or has them in another file, does not need the option that names them.
        return _with_options(args, f"--{options}") if then and not re.search(r"\bNAME\b", options) else args
    code, option = _PYTHON.search(line), _OPTION.search(line)
    if code is not None and (option is None or "then --" in line):
        run = _balanced(line[code.start() :])
        args = _with_new_file(args, folder, lambda: exec(run, _names(args)), line)
        return args if option is None else _with_options(args, line[option.start() :])
    begin = line.find(wanted)
    option = _OPTION.search(line, max(begin, 0)) or _OPTION.search(line)
    if option is None or re.search("(without|leave) $", line[: option.start()]):
        return args
    return _with_options(args, line[option.start() :])


def _in_shell(command: str, folder: Path) -> None:
    if (words := _python(command)) is not None:
        _in_python(*words, folder)
        return
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    subprocess.run(["bash", "-ec", command], cwd=folder, check=True, env={**os.environ, "PATH": path}, timeout=60)


def _python(command: str) -> tuple[str, list[str], dict[str, str]] | None:
    """The code, arguments and files by < and > of a line that does no more than start Python; None for any other."""
    if re.search("[$`]", re.sub("""'[^']*'|"[^"$`]*\"""", "", command)):
        return None
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words, files = list(lexer), dict[str, str]()
    while words[-2:-1] in (["<"], [">"]):
        files[words[-2]] = words[-1]
        del words[-2:]
    return (words[2], words[3:], files) if words[:2] == ["python3", "-c"] and not {*words} & {*"<>|&;"} else None


def _in_python(code: str, args: list[str], files: Mapping[str, str], folder: Path) -> None:
    """Run a line of Python as the shell would, but in this process: half the time of a new one is to import pandas."""
    with pytest.MonkeyPatch.context() as patch, open(folder / files.get("<", os.devnull), "rb") as given:
        stdout = io.TextIOWrapper(io.BytesIO(), "utf-8")
        patch.setattr(sys, "stdin", io.TextIOWrapper(given, "utf-8"))
        patch.setattr(sys, "stdout", stdout)
        patch.setattr(sys, "argv", ["-c", *args])
        patch.chdir(folder)
        exec(code, {})
        stdout.flush()
        if ">" in files:
            Path(files[">"]).write_bytes(stdout.buffer.getvalue())


def _with_new_file(args: list[str], folder: Path, run: Callable[[], object], line: str) -> list[str]:
    """Run it, and put the file that it wrote in the place of the one that it is about."""
    before = {path.name for path in folder.iterdir()}
    run()
    new = [path.name for path in folder.iterdir() if path.name not in before]
    assert len(new) == 1, f"{line!r} wrote {new}"
    files = [argument for argument in args if argument in before]
    named = [name for name in files if re.search(rf"(?<![\w.-]){re.escape(name)}", line)] or files
    return [new[0] if argument == named[0] else argument for argument in args]


def _balanced(code: str) -> str:
    """The beginning of a line up to where its last parenthesis closes."""
    depth, last = 0, 0
    for index, letter in enumerate(code):
        depth += (letter in "([") - (letter in ")]")
        if letter in ")]" and depth == 0:
            last = index + 1
            if code[last : last + 1] != ".":
                break
    return code[:last]


def _names(args: list[str]) -> dict[str, Any]:
    """What a line of Python finds: the modules, and the array or frame of the first file."""
    import pickle

    import pyarrow
    import pyarrow.feather  # noqa: F401 - the lines of advice use them
    import pyarrow.parquet  # noqa: F401

    names: dict[str, Any] = {"numpy": np, "pandas": pandas, "pyarrow": pyarrow, "pickle": pickle}
    for file in args[1:]:
        with contextlib.suppress(Exception):
            if ".npy" in file:
                with gzip.open(file) if file.endswith(".gz") else open(file, "rb") as opened:
                    names.setdefault("array", np.load(opened, allow_pickle=True))
            else:
                names.setdefault("frame", pandas.read_csv(file) if ".csv" in file else pandas.read_parquet(file))
                names.setdefault("array", names["frame"].to_numpy())
    return names


def _value(word: str) -> str:
    """A value without the punctuation of the sentence that it stands in."""
    bare = word.rstrip(":;?,)") or word
    return word if bare.count("(") else bare


def _with_options(args: list[str], text: str) -> list[str]:
    """The command with the options at the beginning of a text, in place of those that it had."""
    command = main.commands[args[0]]
    known = {name: p for p in command.params if isinstance(p, click.Option) for name in p.opts}
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    while words and words[0].rstrip(":;,.?)").startswith("--"):
        name = words.pop(0).rstrip(":;,.?)")
        option = known[name]
        bare = option.is_flag or (
            option._flag_needs_value and not (words and words[0] in ("predictions", "labels", "both"))
        )
        value = [] if bare else [_value(words.pop(0))]
        if name in args and not option.multiple:
            place = args.index(name)
            del args[place : place + (1 if option.is_flag else 2)]
        args = [*args, name, *value]
    return args
