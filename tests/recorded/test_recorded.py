"""The recorded command lines cover every option, and can be recorded and compared."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import pytest

from tests.recorded.__main__ import differences, ran
from tests.recorded.commands import COMMANDS
from tests.recorded.files import make
from xentcli.cli import main


def test_every_option_of_every_command_is_recorded() -> None:
    words: dict[str, set[str]] = {name: set() for name in main.list_commands(click.Context(main))}
    for line in COMMANDS:
        command, *rest = shlex.split(line) or [""]
        if command in words:
            words[command] |= {word.split("=")[0] for word in rest}
    # What an option does is the same in each command that has it.
    seen = set().union(*words.values())
    missing = [
        option.opts[0]
        for name in words
        for option in main.commands[name].params
        if isinstance(option, click.Option) and not seen & {*option.opts, *option.secondary_opts}
    ]
    assert not missing
    assert len(COMMANDS) >= 200


@pytest.mark.parametrize("line", ["score preds.csv labels.csv -o r.json", "score full.csv --label truth"])
def test_a_command_line_gives_the_same_record_twice(line: str, tmp_path: Path) -> None:
    for name in ("files", "one", "other"):
        (tmp_path / name).mkdir()
    make(tmp_path / "files")
    for name in ("one", "other"):
        (tmp_path / name / "001.txt").write_text(ran(line, tmp_path / "files"))
    assert differences(tmp_path / "one", tmp_path / "other") == []
    (tmp_path / "other" / "001.txt").write_text("$ xent other\nexit 0\n")
    assert differences(tmp_path / "one", tmp_path / "other")[0] == f"$ xent {line}"
