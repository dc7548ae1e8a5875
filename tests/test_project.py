"""The files around the code say what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import xentcli
from tests.conftest import ROOT
from xentcli.settings import OPTIONS

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


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.stem
)
def test_issue_templates_are_forms(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= form.keys()
    ids = [item["id"] for item in form["body"]]
    assert len(set(ids)) == len(ids)
