"""Pages of all documents as files: what they allow, what they hold, and that text of a file stays text."""

from __future__ import annotations

import json
import sys
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser

import xentcli
from tests.conftest import Call, Write
from xentcli.writers import content, web
from xentcli.writers.safe import terminal

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "{{ 7 * 7 }}",
    "a\u202eb\x1b[31m",
    "&amp;",
]

EACH = pytest.mark.parametrize("name", ["score", "compare", "calibration", "check", "explain"])


def made() -> dict[str, Any]:
    """A document of each command whose classes and groups have hostile names."""
    random = np.random.default_rng(0)
    old, new = (pd.DataFrame(random.dirichlet(np.ones(5), 60), columns=HOSTILE) for _ in range(2))
    y = [HOSTILE[label] for label in random.integers(5, size=60)]
    groups: dict[str, Any] = {"by": {"site": [HOSTILE[i % 5] for i in range(60)]}}
    return {
        "score": xentcli.score(old, y, by_class=True, worst=3, **groups),
        "compare": xentcli.compare({HOSTILE[0]: old, HOSTILE[1]: new}, y, by_class=True),
        "calibration": xentcli.calibration(old, y, **groups),
        "check": xentcli.check(old, y, max={"cost": 0.1}, by_class=True),
        "explain": xentcli.explain(old, y, row=3),
    }


class Parsed(HTMLParser):
    """The tags, attributes and texts of a page, and what its scripts and styles hold."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.raw: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        tag, attributes = self.tags[-1] if self.tags else ("", {})
        if tag in ("script", "style") and data.strip():
            self.raw.append((tag, attributes, data))
        else:
            self.texts.append(data)


@pytest.fixture(scope="module")
def pages() -> dict[str, Parsed]:
    return {name: Parsed(content(document, "html").decode()) for name, document in made().items()}


@EACH
def test_a_page_holds_the_json_and_every_number_of_it_that_tables_have(pages: dict[str, Parsed], name: str) -> None:
    document = made()[name]
    held = next(json.loads(data) for _, a, data in pages[name].raw if a.get("id") == "result")
    assert held == json.loads(json.dumps(document.to_dict()))
    if name != "explain":
        texts = set(pages[name].texts)
        for table in document.tables():
            assert {str(cell) for row in table.rows for cell in row if isinstance(cell, float)} <= texts


@EACH
def test_text_of_a_file_stays_text(pages: dict[str, Parsed], name: str, browser: Browser, tmp_path: Any) -> None:
    text = "".join(pages[name].texts)
    assert terminal(HOSTILE[0]) in text
    assert not any("\x1b" in part or "\u202e" in part for part in pages[name].texts)
    (tmp_path / "page.html").write_bytes(content(made()[name], "html"))
    page, faults = browser.new_page(), []
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.on("console", lambda message: faults.append(message.text))
    page.goto((tmp_path / "page.html").as_uri())
    assert page.locator("img").count() == 0
    assert "49" not in page.title() and faults == []
    page.close()


def test_the_extension_asks_for_a_page_and_the_command_says_what_it_needs(
    call: Call, write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    write("p.csv", "a,b\n0.7,0.3\n0.4,0.6\n")
    write("y.csv", "truth\na\nb\n")
    assert call("score", "p.csv", "y.csv", "-o", "report.html", "-q").code == 0
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")
    monkeypatch.setitem(sys.modules, "jinja2", None)
    web._environment.cache_clear()
    done = call("score", "p.csv", "y.csv", "-o", "other.html")
    assert done.code == 2
    assert "pip install 'xentcli[report]'" in done.err
    assert not (tmp_path / "other.html").exists()
