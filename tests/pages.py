"""Pages of the documentation as sessions: what their blocks write, run and show.

In the text of a page, in order,

    ```python train.py      a block with a file name is written into the folder of the page
    ```console              every line that begins with $ is run by sh; what follows is what it prints
    ```python               with >>> it is an interactive session, run by doctest
    <!-- run: COMMAND -->   is run and not shown
    <!-- digits vary: REASON -->  before a block: numbers are compared to 2 %, as versions of other tools differ
    <!-- not run: REASON -->      before a block: it needs a tool or data that tests lack

Every page has a folder of its own, with a copy of sample_data in it. A command that fails ends with [exit code N].

python -m tests.pages docs/PAGE.md ...    runs pages, and writes what their commands print into them
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import pytest

from tests.conftest import ROOT

__all__ = ["DOCS", "Block", "Session", "blocks", "commands", "masked", "needs_shell", "numbers", "prose"]

DOCS = ROOT / "docs"
_BLOCK = re.compile(
    r"^<!-- (?P<remark>run|not run|digits vary): (?P<said>[^>]*?) -->$"
    r"|^```(?P<language>[\w-]*)(?: (?P<name>\S+))?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_NUMBER = r"[-+]?\d[\d,.]*(?:e[-+]?\d+)?(?:-\d+-\d+)?"


class Block(NamedTuple):
    """A fenced block of a page, with the remark before it and where its text begins; or a command that is not shown."""

    language: str
    name: str
    text: str
    remark: str = ""
    start: int | None = None


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page, in order."""
    remark = ""
    for found in _BLOCK.finditer(page):
        if found["remark"] == "run":
            yield Block("run", "", found["said"])
        elif found["remark"]:
            remark = found["remark"]
            assert len(found["said"]) > 10, f"a reason says more than {found['said']!r}"
        else:
            yield Block(found["language"], found["name"] or "", found["text"], remark, found.start("text"))
            remark = ""


def prose(page: str) -> str:
    """The text of a page without its blocks and remarks."""
    return re.sub(r"<!--.*?-->", "", _BLOCK.sub("", page), flags=re.DOTALL)


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Every command of a console, lines that end with a backslash joined, and what it prints."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, output = re.fullmatch(r"((?:[^\n]*\\\n)*[^\n]*)\n(.*)", part, re.DOTALL).groups()  # type: ignore[union-attr]
        yield command, output


def masked(text: str) -> str:
    """A text with a mark for each number and each bar, and one blank for several."""
    return re.sub(r" +", " ", re.sub(rf"{_NUMBER}|=[=|]*", "#", text))


def numbers(text: str) -> list[float]:
    """The numbers of a text."""
    return [float(found.replace(",", "")) for found in re.findall(r"[-+]?\d+(?:,\d{3})*(?:\.\d+)?", text)]


def needs_shell(command: str) -> bool:
    """Whether a line is more than one call of xent."""
    return command[:5] != "xent " or bool(re.search(r"[|&;<>$`\\*?~\n]", re.sub(r"'[^'\n]*'", "", command)))


class Session:
    """A folder in which the blocks of a page are run, one after the other."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder = folder
        binaries.mkdir(exist_ok=True)
        for name, words in (("xent", '-m xentcli "$@"'), ("python", '"$@"')):
            (binaries / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words}\n')
            (binaries / name).chmod(0o755)
        shutil.copytree(ROOT / "sample_data", folder / "sample_data")
        plain = {name: text for name, text in os.environ.items() if not name.startswith("GITHUB_")}
        self.env = {**plain, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
        self.names: dict[str, object] = {}

    def run(self, block: Block, update: bool = False) -> str:
        """Write or run a block, and compare what it prints with what it shows; return its text, or with `update`
        the text that would be right."""
        if block.remark == "not run":
            return block.text
        if block.name:
            path = self.folder / block.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language == "run":
            assert not self.shell(block.text), block.text
        elif block.language == "console":
            shown = list(commands(block.text))
            assert shown, f"no command in {block.text!r}"
            printed = [self.shell(command) for command, _ in shown]
            if update:
                return "".join(f"$ {command}\n{output}" for (command, _), output in zip(shown, printed, strict=True))
            for (command, output), now in zip(shown, printed, strict=True):
                self.compare(command, now, output, close=block.remark == "digits vary")
        elif block.language == "python":
            assert ">>> " in block.text, f"neither a file nor a session:\n{block.text}"
            said = self.interactive(block.text)
            assert not said or update, said
            print(said, end="", file=sys.stderr)
        return block.text

    def shell(self, command: str) -> str:
        """Run a command; return what it prints, and its exit code where it is not 0."""
        # A process for each would take most of the time of these tests.
        code, printed = self._process(command) if needs_shell(command) else self._here(command)
        return printed + (f"[exit code {code}]\n" if code else "")

    def _process(self, command: str) -> tuple[object, str]:
        into: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.folder, env=self.env, text=True, check=False, timeout=120, **into
        )
        return done.returncode, done.stdout

    def _here(self, command: str) -> tuple[object, str]:
        from xentcli.cli import main

        printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        handler = signal.getsignal(signal.SIGTERM)
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.chdir(self.folder))
            stack.enter_context(mock.patch.dict(os.environ, self.env, clear=True))
            stack.enter_context(contextlib.redirect_stdout(printed))
            stack.enter_context(contextlib.redirect_stderr(printed))
            end = stack.enter_context(pytest.raises(SystemExit))
            main(shlex.split(command)[1:])
        signal.signal(signal.SIGTERM, handler)
        return end.value.code, printed.buffer.getvalue().decode()

    @staticmethod
    def compare(command: str, printed: str, shown: str, close: bool) -> None:
        """Compare what a command printed with what the page shows."""
        if not close:
            assert printed == shown, command
            return
        assert masked(printed) == masked(shown), command
        assert numbers(printed) == pytest.approx(numbers(shown), rel=0.02), command

    def interactive(self, text: str) -> str:
        """Run an interactive session of Python, in the folder and with the names of those before; return what differs."""
        test = doctest.DocTestParser().get_doctest(text + "\n", self.names, "page", None, 0)
        test.globs = self.names
        said: list[str] = []
        with contextlib.chdir(self.folder):
            doctest.DocTestRunner(verbose=False).run(test, out=said.append, clear_globs=False)
        return "".join(said)


def updated(page: str, folder: Path) -> str:
    """Return a page with what its commands print now."""
    session = Session(folder, folder.parent / "bin")
    parts, at = [], 0
    for block in blocks(page):
        right = session.run(block, update=True)
        if block.start is not None:
            parts += [page[at : block.start], right]
            at = block.start + len(block.text)
    return "".join([*parts, page[at:]])


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as temporary:
            (Path(temporary) / "page").mkdir()
            text = updated(Path(name).read_text(encoding="utf-8"), Path(temporary) / "page")
        Path(name).write_text(text, encoding="utf-8")
