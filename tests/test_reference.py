"""docs/reference is what the tables say; every command, option, metric, format and function is in it."""

from __future__ import annotations

import re

import pytest

import xentcli
from tests.reference import FOLDER, PAGES, options_of, spelled
from xentcli.cli import main
from xentcli.errors import WARNINGS
from xentcli.readers import READERS
from xentcli.scoring.metrics import METRICS
from xentcli.settings import OPTIONS
from xentcli.writers import WRITERS
from xentcli.writers.pictures import DRAWINGS


def kept(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def test_there_is_no_other_page() -> None:
    """tests/test_settings.py holds each page to its tables."""
    assert {path.name for path in FOLDER.iterdir()} == PAGES.keys()


def test_every_command_is_documented() -> None:
    assert re.findall(r"^## xent (\w+)$", kept("commands.md"), re.MULTILINE) == list(main.commands)


def test_every_option_stands_once() -> None:
    found = re.findall(r"^\| `(?:-\w, )?(--[\w-]+)", kept("options.md"), re.MULTILINE)
    there = {spelled(option) for command in main.commands.values() for option in options_of(command)}
    assert sorted(found) == sorted(there)
    assert {f"--{name.replace('_', '-')}" for name in OPTIONS} <= there
    for name, command in main.commands.items():
        listed = kept("commands.md").partition(f"## xent {name}\n")[2].partition("\n## ")[0].partition("| to |")[0]
        assert sorted(re.findall(r"`(--[\w-]+)`", listed)) == sorted(map(spelled, options_of(command)))


@pytest.mark.parametrize(
    ("name", "rows"),
    [("metrics.md", METRICS), ("formats.md", READERS), ("formats.md", WRITERS), ("formats.md", DRAWINGS)],
)
def test_every_row_of_a_table_is_documented(name: str, rows: dict[str, object]) -> None:
    assert rows.keys() <= set(re.findall(r"^\| `(\w+)`", kept(name), re.MULTILINE))


def test_every_function_and_every_field_is_documented() -> None:
    named = re.findall(r"^## xentcli\.(\w+)$", kept("library.md"), re.MULTILINE)
    assert named == sorted(name for name in xentcli.__all__ if not name.startswith("_"))
    fields = set(re.findall(r"^\| `(\w+)` \|", kept("json.md"), re.MULTILINE))
    for document in ("report", "checks", "explanation", "causes", "comparison", "calibration"):
        schema = xentcli.schema(document)
        parts = [schema, *(part for part in schema["$defs"].values() if "properties" in part)]
        assert {name for part in parts for name in part["properties"]} <= fields


def test_every_field_of_json_has_a_meaning() -> None:
    assert not re.findall(r"^\| `\w+` \|.*\|  \|$", kept("json.md"), re.MULTILINE)


def test_every_warning_is_explained() -> None:
    text = (FOLDER.parent / "semantics.md").read_text(encoding="utf-8").partition("## Warnings")[2]
    assert re.findall(r"^\| `([\w-]+)`", text, re.MULTILINE) == list(WARNINGS)
