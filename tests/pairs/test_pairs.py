"""Of all pairs of options the second changes the result of the first, or both are refused by name: nothing is dropped.

The rows are those of table.py: an option without one fails the first test. By default a sample of the pairs runs,
seven times as many with `nox -s long`; XENT_ALL_PAIRS=1 runs all of them.
"""

from __future__ import annotations

import itertools
import os
import random
import shlex
import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
import pytest

from tests.laws import LONG
from tests.pairs.table import ALONE, EXCUSED, HARMLESS, INPUTS, PLAIN, ROWS, command_of, make
from xentcli.cli import main

COMMANDS = ("score", "check", "compare", "calibration", "explain")
WRITTEN = ("format", "output", "append", "quiet", "get", "per_example", "state", "write_baseline", "junit")
"""Options about where the result goes; all others are seen in the JSON of the report."""
SHARE = 1.0 if os.environ.get("XENT_ALL_PAIRS") else 0.1 if LONG else 0.015
Result = tuple[object, str, str, tuple[tuple[str, bytes], ...]]


def options_of(command: str) -> dict[str, click.Option]:
    found = main.get_command(click.Context(main), command)
    assert found is not None
    return {str(p.name): p for p in found.params if isinstance(p, click.Option)}


class Runs:
    """Runs commands in one folder, each once, and keeps what they print and write."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.inputs = {path.name for path in folder.iterdir()}
        self.known: dict[tuple[str, ...], Result] = {}

    def __call__(self, words: tuple[str, ...]) -> Result:
        if words not in self.known:
            self.known[words] = self._run(words)
        return self.known[words]

    def _run(self, words: tuple[str, ...]) -> Result:
        with pytest.raises(SystemExit) as end:
            main(list(words))
        out, err = self.capsys.readouterr()
        made = [path for path in sorted(self.folder.iterdir()) if path.name not in self.inputs]
        # A baseline has its date.
        files = tuple((p.name, b"" if p.suffix == ".npz" else p.read_bytes()) for p in made)
        for path in made:
            path.unlink()
        return end.value.code, _without_options(out), err, files


def _without_options(report: str) -> str:
    """The JSON of a report without what was asked for; other text as it is."""
    head, found, _ = report.partition('\n  "options": {')
    return head + report[report.index("\n  },", len(head)) :] if found and "\n  }," in report[len(head) :] else report


@pytest.fixture
def runs(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    make(tmp_path)
    monkeypatch.chdir(tmp_path)
    handler = signal.getsignal(signal.SIGTERM)
    yield Runs(tmp_path, capsys)
    signal.signal(signal.SIGTERM, handler)


def words_of(command: str, input: str, *names: str) -> tuple[str, ...]:
    shown = () if set(names) & set(WRITTEN) else ("--format", "json")
    words = [word for name in names for word in shlex.split(ROWS[name].words)]
    if command == "compare":
        # Each command has drawings of its own.
        words = ["curve.svg" if word == "losses.svg" else word for word in words]
    return (*command_of(command, input), *words, *shown)


def test_every_option_has_a_row_and_an_input() -> None:
    every = {name for command in COMMANDS for name in options_of(command)}
    assert every - ROWS.keys() - HARMLESS.keys() == set()
    assert (ROWS.keys() | HARMLESS.keys()) - every == set()
    assert {row.input for row in ROWS.values()} <= INPUTS.keys()


@pytest.mark.parametrize("command", COMMANDS)
def test_each_option_alone_changes_the_result(command: str, runs: Runs) -> None:
    dropped = []
    for name in options_of(command).keys() & ROWS.keys():
        row = ROWS[name]
        written = name in WRITTEN
        without = (*command_of(command, row.input), *(() if written else ("--format", "json")))
        if runs(without) == runs(words_of(command, row.input, name)):
            dropped.append(name)
    assert sorted(dropped) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_an_option_that_needs_another_is_refused_without_it(command: str, runs: Runs) -> None:
    """Those whose row has another option, or whose input is one of another option, are run alone, on the plain input."""
    accepted, options = [], options_of(command)
    for name in options.keys() & ROWS.keys():
        row, plain = ROWS[name], PLAIN.get(ROWS[name].input, ROWS[name].input)
        own = own_words(row.words, options[name].opts)
        if (own == shlex.split(row.words) and plain == row.input) or not INPUTS[plain][0] or (command, name) in ALONE:
            continue
        without = (*command_of(command, plain), "--format", "json")
        if runs((*without, *own))[0] != 2 and runs((*without, *own)) == runs(without):
            accepted.append(name)
    assert sorted(accepted) == []


def own_words(words: str, spellings: Sequence[str]) -> list[str]:
    """The words of one option among those of several."""
    found = shlex.split(words)
    place = next(index for index, word in enumerate(found) if word.partition("=")[0] in spellings)
    after = itertools.takewhile(lambda word: not word.startswith("--"), found[place + 1 :])
    return [found[place], *after]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_second_option_changes_the_result_or_both_are_named(command: str, runs: Runs) -> None:
    names = sorted(options_of(command).keys() & ROWS.keys())
    dropped = []
    pairs = list(itertools.permutations(names, 2))
    for first, second in random.Random(17).sample(pairs, int(SHARE * len(pairs))):
        if (first, second) not in EXCUSED and (fault := fault_of(command, first, second, runs)) is not None:
            dropped.append(f"{first} {second}: {fault}")
    assert not dropped, "\n".join(dropped)


def fault_of(command: str, first: str, second: str, runs: Runs) -> str | None:
    """What is wrong with a second option beside a first, on the input on which the second alone changes something.

    A first that takes the place of files, as an example given by its numbers does, is its own input.
    """
    if set(ROWS[first].words.split()) & set(ROWS[second].words.split()) or second in ROWS[first].words:
        return None
    own = ROWS[first].input
    input = ROWS[second].input if INPUTS[own][0] else own
    one = list(words_of(command, input, first))
    both = words_of(command, input, first, second)
    shown = ("--format", "json")
    # What is seen of the first must be seen in the same form.
    if second in WRITTEN and first not in WRITTEN:
        one = one[: -len(shown)]
    before, after = runs(tuple(one)), runs(both)
    if after[0] == 2:
        options = options_of(command)
        unnamed = [name for name in (first, second) if not _named(name, options, after[2])]
        # A message of the first alone is about the input, which is that of the second; one of the second may be about
        # the option with which it goes, which only its own input has.
        about_input = before[0] == 2 or (input == own and ROWS[second].input in PLAIN and second not in unnamed)
        return None if not unnamed or about_input else f"exit 2 does not name {unnamed}: {after[2]}"
    succeeded = before[0] in (0, 1) and after[0] in (0, 1)
    return "dropped" if succeeded and before == after else None


def _named(name: str, options: Mapping[str, click.Option], message: str) -> bool:
    """Whether a message names an option, or another of the words of its row, with which it goes."""
    own = ROWS[name].words.split()
    return any(spelling in message for spelling in (*options[name].opts, *(word for word in own if word[:2] == "--")))
