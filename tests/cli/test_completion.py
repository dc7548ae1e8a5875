"""Completion: what the shell asks the real command, and where it is installed."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import XENT, Call, posix_only
from xentcli.scoring.metrics import METRICS


def offered(*words: str) -> list[str]:
    """What the command offers bash for the last word."""
    environment = {
        **os.environ,
        "_XENT_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("xent", *words)),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run(XENT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_commands_options_files_and_metrics_are_offered() -> None:
    assert offered("cal") == ["plain,calibration"]
    assert offered("score", "--temp") == ["plain,--temperature"]
    assert offered("score", "dig") == offered("check", "dig") == offered("compare", "dig") == ["file,dig"]
    assert offered("score", "a.csv", "--labels", "y") == ["file,y"]
    assert offered("score", "a.csv", "--kind", "lo") == ["plain,logits", "plain,logprobs", "plain,losses"]
    assert offered("check", "a.csv", "--max", "co") == ["plain,cost="]
    assert offered("score", "a.csv", "--metrics", "cost,bri")[0] == "plain,cost,brier"
    assert {line.removeprefix("plain,") for line in offered("score", "a.csv", "--get", "")} == set(METRICS)


@posix_only
@pytest.mark.parametrize(("words", "found"), [("--max accu", "nospace accuracy="), ("--ki", " --kind")])
def test_bash_adds_no_blank_after_a_metric_whose_limit_follows(
    words: str, found: str, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    xent = tmp_path / "xent"
    xent.write_text(f'#!/bin/sh\nexec {shlex.join(XENT)} "$@"\n')
    xent.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    # compopt works only while a word is completed: this one notes what it is asked for.
    lines = [
        *("compopt() { noted=$2; }", call("completion", "bash").out),
        *(f"COMP_WORDS=(xent check {words})", "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))"),
        *("_xent_completion xent", 'echo "$noted ${COMPREPLY[*]}"'),
    ]
    done = subprocess.run(["bash", "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == found.strip()


@posix_only
def test_zsh_adds_none_either(call: Call) -> None:
    script = call("completion", "zsh").out
    assert script.count("blank") == 3 and '-U "${blank[@]}"' in script


@posix_only
@pytest.mark.parametrize(
    ("shell", "path"),
    [
        ("bash", ".local/share/bash-completion/completions/xent"),
        ("zsh", ".local/share/zsh/site-functions/_xent"),
        ("fish", ".config/fish/completions/xent.fish"),
    ],
)
def test_one_command_installs_it_where_the_shell_looks(
    shell: str, path: str, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    printed = call("completion")
    done = call("completion", "--install")
    assert (printed.code, done.code) == (0, 0)
    assert str(tmp_path / path) in done.out
    assert (tmp_path / path).read_text().strip() == printed.out.strip()
    if shutil.which(shell):
        subprocess.run([shell, "-n", str(tmp_path / path)], check=True)


def test_another_shell_and_a_folder_that_cannot_be_made_are_refused(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    done = call("completion")
    assert done.code == 2
    assert "bash, zsh, fish" in done.err
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    done = call("completion", "bash", "--install")
    assert done.code == 4
    assert "cannot be written" in done.err
