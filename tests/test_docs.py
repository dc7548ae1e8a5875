"""README and docs: every command they show prints what they show; the two first commands of the README are whole."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [README, *(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md")))]
SHOWN = sorted({shown for page in PAGES for shown in re.findall(r"```text\n\$ (.*?)\n(.*?)```", page, re.DOTALL)})
LINES = README.splitlines()


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[command[:60] for command, _ in SHOWN])
def test_a_command_of_the_readme_prints_what_the_readme_shows(command: str, output: str, tmp_path: Path) -> None:
    (tmp_path / "xent").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m xentcli "$@"\n')
    (tmp_path / "xent").chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout == output
    assert done.returncode == 0


@pytest.mark.parametrize("words", [("pip install", "xent score"), ("pip install", "pytest")])
def test_the_first_line_with_both_words_is_one_command(words: tuple[str, str]) -> None:
    line = next(line for line in LINES if all(word in line for word in words))
    assert line.startswith("python3 -m venv .venv && ")
    assert shutil.which("sh")
    assert subprocess.run(["sh", "-n", "-c", line], check=False).returncode == 0


def test_ci_runs_the_command_of_the_readme_and_no_other() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "grep -m 1 'pip install.*pytest' README.md" in script
    assert not re.search(r"^[^#\n]*-m pytest", script, re.MULTILINE)


def test_the_first_example_names_files_that_are_there() -> None:
    line = next(line for line in LINES if "pip install" in line and "xent score" in line)
    named = re.findall(r"sample_data/\S+", line)
    assert named
    assert all((ROOT / name).is_file() for name in named)


def test_every_exit_code_is_in_the_readme() -> None:
    for code in ("| 0 |", "| 1 |", "| 2 |", "| 3 |", "| 4 |", "| 5 |", "| 70 |", "| 130, 141, 143 |"):
        assert code in README


def test_mutation_selects_files_that_are_there() -> None:
    """A pattern that matches nothing would leave a part of the arithmetic unchanged without a word."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
    for pattern in (*settings["only_mutate"], *settings["pytest_add_cli_args_test_selection"]):
        assert list(ROOT.glob(pattern)), pattern


def test_every_extra_is_imported_by_the_package() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    code = "".join(path.read_text() for path in (ROOT / "xentcli").rglob("*.py"))
    named = {name for name in extras if name not in ("test", "lint", "all")}
    assert named == set(re.findall(r'needed\("[\w.]+", "(\w+)"\)', code))
    assert extras["all"] == [f"xentcli[{','.join(sorted(named))}]"]
