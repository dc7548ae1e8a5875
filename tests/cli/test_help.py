"""Help that helps: it fits, it is complete, and its examples run as they stand."""

from __future__ import annotations

import dataclasses
import itertools
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest

import xentcli
from tests.cli.test_screens import on_terminal
from tests.conftest import Run, csv, posix_only
from tests.pages import needs_shell
from xentcli.cli import main
from xentcli.cli.command import Command
from xentcli.cli.options import parameters, settings_of
from xentcli.errors import UsageError
from xentcli.options import number_that, option
from xentcli.records import record
from xentcli.scoring.kinds import KINDS
from xentcli.settings import OPTIONS, Settings

COMMANDS = ("score", "explain", "compare", "calibration", "check", "merge")
SECTIONS = {
    "score": ["Columns", "Files", "Loss", "Output", "Examples"],
    "explain": ["Example", "Columns", "Files", "Loss", "Output", "Examples"],
    "compare": ["Models", "Columns", "Files", "Loss", "Output", "Examples"],
    "calibration": ["Calibration", "Columns", "Files", "Loss", "Slices", "Output", "Examples"],
    "check": ["Limits", "Columns", "Files", "Loss", "Output", "Examples"],
    "merge": ["Output", "Examples"],
}


@pytest.fixture(autouse=True)
def _old_signal_handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def help_of(*command: str) -> str:
    """The help with every option."""
    context = click.Context(main, info_name="xent")
    found: click.Command = main
    for name in command:
        child = main.get_command(context, name)
        assert child is not None
        context = click.Context(child, info_name=name, parent=context, **main.context_settings)
        found = child
    if not command:
        context = click.Context(main, info_name="xent", **main.context_settings)
    context.meta["xentcli.help_all"] = True
    return found.get_help(context)


def examples(text: str) -> list[str]:
    """The commands of the section of examples."""
    section = text.partition("Examples:\n")[2].partition("\n\n")[0]
    return [line.partition("  # ")[0].strip() for line in section.splitlines() if not line.strip().startswith("#")]


ALL = [help_of(), *(help_of(name) for name in COMMANDS)]


def test_help_is_printed_with_0(xent: Run) -> None:
    for args in (("--help",), ("score", "--help"), ("explain", "-h"), ("compare", "--help"), ("check", "--help")):
        done = xent(*args)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("Usage: xent ")


@pytest.mark.parametrize("columns", ["40", "80", "250"])
def test_no_line_is_longer_than_100_columns(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for text in (help_of(), *(help_of(name) for name in COMMANDS)):
        assert max(len(line) for line in text.splitlines()) <= 100


@pytest.mark.parametrize("command", COMMANDS)
def test_options_stand_in_sections_and_examples_come_last(command: str) -> None:
    titles = re.findall(r"^([A-Z][a-z]+):$", help_of(command), flags=re.MULTILINE)
    assert [title for title in titles if title in SECTIONS[command]] == SECTIONS[command]
    assert titles[-1] == "Examples"


def test_the_first_section_is_the_one_that_matters() -> None:
    for command in COMMANDS:
        first = re.search(r"^([A-Z][a-z]+):$", help_of(command), flags=re.MULTILINE)
        assert first is not None
        assert first[1] != "Other"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_line_of_the_help_says_what_the_thing_is_for(command: str) -> None:
    for line in help_of(command).splitlines():
        assert line.strip() not in ("PREDS", "LABELS", "[PREDS]", "[LABELS]"), f"{line!r} says nothing"
    context = click.Context(main.commands[command])
    for parameter in main.commands[command].get_params(context):
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_told_in_one_line(command: str) -> None:
    """Of 80 columns; a long list of choices has a line of its own before."""
    lines = help_of(command).partition("Examples:")[0].splitlines()
    start = next(index for index, line in enumerate(lines) if line.endswith(":") and not line.startswith(" "))
    options = [line for line in lines[start:] if line.startswith("  ")]
    for before, line in itertools.pairwise(options):
        if not line.strip().startswith("-"):
            assert before.strip().startswith("-") and "  " not in before.strip(), line


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "merge"])
def test_the_short_help_has_the_usual_options_and_names_the_way_to_the_rest(command: str, xent: Run) -> None:
    short, everything = xent(command, "--help").stdout, xent(command, "--help-all").stdout
    assert everything.rstrip("\n") == help_of(command)
    option = re.compile(r"^  (?:-\w, )?(--[\w-]+)", flags=re.MULTILINE)
    usual, every = (option.findall(text.partition("Examples:")[0]) for text in (short, everything))
    assert [name for name in every if name in usual] == usual
    assert "--help-all" in usual
    # Those of one command alone come on top of the usual dozen, --help-all and the file of the labels.
    own = sum(
        getattr(p, "section", "") in ("Example", "Models", "Limits", "Calibration")
        for p in main.commands[command].params
    )
    assert len(usual) - own <= 14 < len(every)
    assert short.partition("Examples:")[2] == everything.partition("Examples:")[2]


@posix_only
def test_the_help_of_the_group_fits_a_screen_and_a_narrow_terminal_breaks_no_line(tmp_path: Path) -> None:
    code, text = on_terminal(tmp_path, "--help", columns=80)
    lines = text.splitlines()
    assert code == 0 and len(lines) <= 24 and max(map(len, lines)) <= 80
    for name in ([], ["explain"], ["check"]):
        code, text = on_terminal(tmp_path, *name, "--help", columns=40)
        section = text[text.index("Examples:") :].partition("\n\n")[0]
        lines = text.replace(section, "").splitlines()
        # A list of choices has no blanks.
        assert code == 0 and [line for line in lines if len(line) > 40 and "|" not in line] == []


def test_the_group_shows_examples_then_the_commands_in_order_of_use() -> None:
    text = help_of()
    assert 5 <= len(examples(text)) <= 7
    assert text.index("Examples:") < text.index("Commands:")
    commands = text.partition("Commands:\n")[2].partition("\n\n")[0]
    assert re.findall(r"^  (\w+) ", commands, flags=re.MULTILINE) == [*COMMANDS, "completion"]
    assert examples(text)[0] == "xent score preds.csv labels.csv"


@pytest.mark.parametrize("text", ALL, ids=["xent", *COMMANDS])
def test_the_exit_codes_are_in_every_help(text: str) -> None:
    codes = text.partition("Exit codes:\n")[2]
    assert re.findall(r"(?:^|   )  ?(\d)  ", codes, flags=re.MULTILINE) == ["0", "3", "1", "4", "2", "5"]


def test_no_command_is_described_by_half_a_sentence() -> None:
    assert "..." not in help_of().partition("Commands:\n")[2].partition("\n\n")[0]


def options(command: str) -> dict[str, click.Option]:
    found = [parameter for parameter in main.commands[command].params if isinstance(parameter, click.Option)]
    return {str(option.name): option for option in found}


def test_score_takes_all_fields_of_settings() -> None:
    assert OPTIONS.keys() == {field.name for field in dataclasses.fields(Settings)} <= options("score").keys()


@pytest.mark.parametrize("command", COMMANDS)
def test_an_option_of_a_command_is_as_its_row_says(command: str) -> None:
    for name, parameter in options(command).items():
        row = OPTIONS.get(name)
        if row is not None and command in row.commands:
            assert parameter.opts == [f"--{name.replace('_', '-')}"]
            assert (parameter.help, parameter.multiple) == (row.help_with_default, row.multiple)
            assert getattr(parameter, "section", None) == row.section


def test_a_row_added_from_outside_is_an_option_of_the_command_the_library_and_the_report() -> None:
    @record(frozen=True, kw_only=True)
    class More(Settings):
        halving: float = option("Loss", "Halve X times.", "X", 1.5, check=number_that("above 1", lambda x: x > 1))

    command = Command("score", params=parameters("score", {}, settings=More))
    context = command.make_context("score", ["preds.csv", "--halving", "2.5"])
    context.meta["xentcli.help_all"] = True
    assert "--halving X                 Halve X times [default: 1.5].\n" in command.get_help(context)
    settings = settings_of(context.params, More)
    assert settings.changed()["halving"].value == 2.5
    assert More(halving=np.float32(3)).changed()["halving"].value == 3.0  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="--halving is above 1, not 1"):
        More(halving=1)
    with pytest.raises(UsageError, match="halving is a number, not 'x'"):
        More(halving="x")  # type: ignore[arg-type]


def test_defaults_of_options_are_those_of_settings() -> None:
    defaults = {field.name: field.default for field in dataclasses.fields(Settings)}
    given = main.commands["score"].make_context("score", ["preds.csv", "labels.csv"]).params
    for name in defaults.keys() & given.keys():
        assert given[name] == defaults[name] or given[name] in (None, (), False), name
    assert {given[name] for name in ("kind", "base", "confidence")} == {"probs", "e", 0.95}


def test_the_kinds_that_the_help_lists_are_those_there_are() -> None:
    for name in KINDS:
        assert re.search(rf"[\[|]{name}[\]|]", help_of("score"))


def test_the_version_is_printed(xent: Run) -> None:
    versions = f"xent {xentcli.__version__}, Python {platform.python_version()}, NumPy {np.__version__}\n"
    assert xent("--version").stdout == versions


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the examples name, and the command itself on the PATH."""
    folder = tmp_path_factory.mktemp("examples")
    generator = np.random.default_rng(7)
    names, index = ("cat", "dog", "emu"), generator.integers(0, 3, 20)
    probabilities = np.full((20, 3), 0.05)
    probabilities[np.arange(20), index] = 0.9
    rows, truth = probabilities.tolist(), [names[i] for i in index]
    images = [f"img{i}" for i in range(20)]
    (folder / "plain").mkdir()
    (folder / "ids").mkdir()
    (folder / "bin").mkdir()
    (folder / "plain/preds.csv").write_text(csv(rows, names))
    (folder / "plain/labels.csv").write_text(csv([[label] for label in truth], ["truth"]))
    run = [[*r, truth[i], "ns"[i % 2]] for i, r in enumerate(rows)]
    (folder / "plain/run.csv").write_text(csv(run, [*names, "truth", "site"]))
    np.save(folder / "plain/logits.npy", np.log(probabilities) + 3)
    np.save(folder / "plain/labels.npy", index)
    for part in (slice(0, 12), slice(12, 20)):
        frame = pd.DataFrame(rows[part], columns=list(names))
        frame.to_parquet(folder / f"plain/preds-{part.start}.parquet")
        pd.DataFrame({"truth": truth[part]}).to_parquet(folder / f"plain/labels-{part.start}.parquet")
    with_ids = list(zip(images, rows, truth, strict=True))
    (folder / "ids/preds.csv").write_text(csv([[i, *r] for i, r, _ in with_ids], ["image", *names]))
    (folder / "ids/labels.csv").write_text(csv([[i, t] for i, _, t in with_ids[::-1]], ["image", "truth"]))
    for name in ("old", "new"):
        shutil.copy(folder / "plain/preds.csv", folder / f"plain/{name}.csv")
        shutil.copy(folder / "plain/run.csv", folder / f"plain/{name}-run.csv")
    old, labels, baseline = (str(folder / "plain" / name) for name in ("old.csv", "labels.csv", "main.npz"))
    xentcli.check(old, labels, write_baseline=baseline)
    for epoch in (2, 10):
        np.save(folder / f"plain/epoch-{epoch}.npy", np.log(probabilities) + 3)
    for day, part in (("monday", slice(0, 12)), ("tuesday", slice(12, 20))):
        xentcli.score(probabilities[part], index[part], state=folder / f"plain/{day}.json")
    for name, day in (("all", "monday"), ("today", "tuesday"), ("state-1", "monday"), ("state-2", "tuesday")):
        shutil.copy(folder / f"plain/{day}.json", folder / f"plain/{name}.json")
    table = '[tool.xent.checks.main]\npredictions = "preds.csv"\nlabels = "labels.csv"\nmax = { cost = 5 }\n'
    (folder / "plain/pyproject.toml").write_text(table)
    (folder / "ids/subs").mkdir()
    for name in ("a", "b", "c"):
        shutil.copy(folder / "ids/preds.csv", folder / f"ids/subs/{name}.csv")
    shim = folder / "bin/xent"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m xentcli "$@"\n')
    shim.chmod(0o755)
    return folder


@pytest.fixture
def playground(files: Path, tmp_path: Path) -> Path:
    """A copy of them."""
    return shutil.copytree(files, tmp_path / "playground")


@posix_only
@pytest.mark.parametrize("command", sorted({command for text in ALL for command in examples(text)}))
def test_an_example_runs_as_it_stands(command: str, playground: Path, xent: Run) -> None:
    folder = playground / ("ids" if "--id image" in command else "plain")
    if not needs_shell(command):
        _, *words = shlex.split(command)
        forked = xent(*words, cwd=folder)
        assert (forked.returncode, forked.stderr) == (0, "")
        assert forked.stdout
        return
    path = f"{playground / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")
    assert done.stdout


def test_every_command_has_examples_that_use_it() -> None:
    for name, text in zip(COMMANDS, ALL[1:], strict=True):
        assert len(examples(text)) >= 3
        assert all(f"xent {name} " in f"{command} " for command in examples(text))
