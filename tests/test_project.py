"""The files around the code say what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import xentcli
from tests.conftest import LINUX, POSIX, ROOT
from xentcli.settings import OPTIONS

LACKING = re.compile(
    r"os\.(mkfifo|fork|geteuid|pipe)\b|preexec_fn|shell=True|\[\"(ba)?sh\"|/dev/(full|stdin)|/proc/"
    r"|import (fcntl|pty|pwd|resource|termios)\b|signal\.SIG(HUP|KILL|PIPE|USR1)|\"fork\""
)
"""What Windows lacks."""
GUARDS = re.compile(r"posix_only|hasattr\(os, |sys\.platform|os\.name|importorskip\(\"resource")
LINKED = re.compile(r"`((?:xentcli|tests)/[\w/.]*)`")


def test_the_citation_has_the_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == xentcli.__version__
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md"])
def test_what_is_named_is_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for path in LINKED.findall(text):
        assert (ROOT / path).exists(), path
    for table, module in re.findall(r"`([A-Z]+)`, `(xentcli/[\w/]+\.py)`", text):
        assert f"{table}" in (ROOT / module).read_text(encoding="utf-8"), table
    for option in re.findall(r"`(--[\w-]+)`", text):
        assert option.removeprefix("--").replace("-", "_") in OPTIONS, option


def test_what_windows_lacks_is_guarded_in_every_test_that_runs_there() -> None:
    left = {path for glob in (*POSIX, *LINUX) for path in (ROOT / "tests").glob(glob)}
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("test_*.py")
        if path not in left and path != Path(__file__) and LACKING.search(text := path.read_text(encoding="utf-8"))
        if not GUARDS.search(text)
    }
    assert not found


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.stem
)
def test_issue_templates_are_forms(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= form.keys()
    ids = [item["id"] for item in form["body"]]
    assert len(set(ids)) == len(ids)
