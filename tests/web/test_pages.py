"""Pages of all documents as files: what they allow, what they hold, and that text of a file stays text."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Page

import xentcli
from tests.conftest import Call, Write
from tests.laws import LONG
from tests.web.conftest import PAPER, SPLIT, looked_at, seen, served, sound
from xentcli.report.details import COMPARED, DETAILS
from xentcli.writers import content, web
from xentcli.writers.pictures import DRAWINGS
from xentcli.writers.safe import terminal
from xentcli.writers.web import tables

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
    shown: dict[str, Any] = {"details": DETAILS, **groups}
    return {
        "score": xentcli.score(old, y, by_class=True, worst=3, **shown),
        "compare": xentcli.compare({HOSTILE[0]: old, HOSTILE[1]: new}, y, by_class=True, details=COMPARED),
        "calibration": xentcli.calibration(old, y, **shown),
        "check": xentcli.check(old, y, max={"cost": 0.1}, **shown),
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
def documents() -> dict[str, Any]:
    return made()


@pytest.fixture(scope="module")
def written(documents: dict[str, Any]) -> dict[str, bytes]:
    return {name: content(document, "html") for name, document in documents.items()}


@pytest.fixture(scope="module")
def pages(written: dict[str, bytes]) -> dict[str, Parsed]:
    return {name: Parsed(page.decode()) for name, page in written.items()}


@EACH
def test_a_page_holds_the_json_and_every_number_of_it_that_tables_have(
    documents: dict[str, Any], pages: dict[str, Parsed], name: str
) -> None:
    document = documents[name]
    held = next(json.loads(data) for _, a, data in pages[name].raw if a.get("id") == "result")
    assert held == json.loads(json.dumps(document.to_dict()))
    texts = set(pages[name].texts)
    if name != "explain":
        for table in document.tables():
            assert {str(cell) for row in table.rows for cell in row if isinstance(cell, float)} <= texts
    if name in ("score", "check", "calibration"):
        details = held["details"]
        numbers = [part[key] for part in details["losses"]["bins"] for key in ("low", "high", "rows", "share")]
        numbers += [part["cost"] for part in details["by_class"]] + [part["loss"] for part in details["worst"]]
        numbers += [count for row in details["confusion"] for count in row]
        numbers += [part[key] for part in details["reliability"] for key in ("confidence", "accuracy", "rows")]
        assert {str(number) for number in numbers} <= texts
    if name == "compare":
        bins = held["details"]["differences"][0]["bins"]
        assert {str(part[key]) for part in bins for key in part} <= texts


OF_A_SCORE = ["Losses", "Reliability", "Classes", "Groups", "Worst rows", "Confusion"]
SECTIONS = {
    "score": ["Cost", "What was scored", *OF_A_SCORE],
    "check": ["Verdict", "What was scored", "Figures", *OF_A_SCORE],
    "calibration": ["Calibration", "What was scored", *OF_A_SCORE],
    "compare": ["Result", "What was scored", "Differences of the rows", "Cost from model to model"],
}
DRAWN = {name: [drawing for drawing, row in DRAWINGS.items() if name in row.commands] for name in SECTIONS}


@pytest.mark.parametrize("name", SECTIONS)
def test_a_report_has_its_sections_each_with_captioned_tables_and_drawings_that_the_policy_allows(
    written: dict[str, bytes], name: str
) -> None:
    text = written[name].decode()
    assert re.findall("<h2>(.*?)</h2>", text) == [*SECTIONS[name], "All numbers"]
    assert len(re.findall("<table[ >]", text)) == text.count("<caption>") >= 4
    labels = re.findall('<svg [^>]*aria-label="([^"]*)"', text)
    assert sorted(labels) == sorted(DRAWINGS[drawing].about for drawing in DRAWN[name])
    assert not re.search(r"<[^>]* style=|<style[^>]*>(?!:root)", text)
    ids = re.findall(r' id="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="|url\()#([^")]*)', text)) <= set(ids)


DRAWINGS_FIT = """[...document.querySelectorAll("svg.drawing")].map((svg) => svg.getBoundingClientRect().width)"""
SCROLLED = """[...document.querySelectorAll(".scrolls")].filter((part) =>
  part.scrollWidth > part.clientWidth + 1 && !part.querySelector(".many, .large")).map((part) => part.ariaLabel)"""
"""What is scrolled beside confusions and large drawings."""


@pytest.mark.parametrize("name", SECTIONS)
def test_a_report_is_whole_and_accessible_on_a_phone_a_desk_and_paper(
    written: dict[str, bytes], name: str, window: Page, tmp_path: Path
) -> None:
    opened(window, written[name], tmp_path)
    # Tables and drawings of all are made by the same code: axe, which takes seconds, looks at those that have most.
    looked_at(window, accessible=name in (("compare", "check") if LONG else ("check",)))
    for width, media in ((400, "screen"), (PAPER[0], "print")):
        seen(window, width, "light", media)
        assert window.evaluate(SCROLLED) == []
        boxes = window.evaluate(DRAWINGS_FIT)
        assert len(boxes) == len(DRAWN[name]) and all(200 < box <= width for box in boxes)
    text = window.locator("main").inner_text()
    assert terminal(HOSTILE[0]) in text
    assert not any(letter in text for letter in "\x1b\u202e")
    assert window.locator("img").count() == 0 and "49" not in window.title()


def ugly() -> Iterator[Any]:
    """Documents of two rows, one column, infinite losses, losses alone, and names of 60 letters without a blank."""
    random, names = np.random.default_rng(1), [letter * 60 for letter in "abc"]
    spaced = [f"{name[:8]} {name[:20]} {name[:30]}" for name in names]
    q, y = random.dirichlet(np.ones(3), 60), random.integers(3, size=60)
    models = {name: random.dirichlet(np.ones(3), 60) for name in names}
    yield xentcli.compare(models, y, by={names[0]: y}, by_class=True, worst=5, details=COMPARED)
    named: dict[str, Any] = {"classes": spaced, "by": {names[0]: [spaced[label] for label in y]}}
    yield xentcli.score(q, [spaced[label] for label in y], **named, details=DETAILS)
    yield xentcli.explain(q, [names[label] for label in y], classes=names, by={names[0]: y})
    yield xentcli.check([[0.7, 0.3], [1.0, 0.0]], [0, 1], max={"cost": 0.1}, details=DETAILS)
    yield xentcli.compare({"a": [[1.0, 0.0]] * 2, "b": [[1.0, 0.0], [0.4, 0.6]]}, [1, 0], details=COMPARED)
    yield xentcli.calibration(np.full(5, 0.5), [0, 1, 1, 0, 0], details=DETAILS)
    yield xentcli.score([0.5, 0.25, np.inf], kind="losses", details=DETAILS)


def test_the_reports_of_ugly_inputs_are_whole(window: Page, tmp_path: Path) -> None:
    for document in ugly():
        opened(window, content(document, "html"), tmp_path)
        looked_at(window, accessible=False)
        narrow = (
            "[...document.querySelectorAll('td.w')].filter((cell) => 0 < cell.offsetWidth && cell.offsetWidth < 90)"
        )
        assert window.evaluate(f"{narrow}.length") == 0, "no name stands in a column of three letters"


def test_the_leaderboard_of_a_page_has_the_first_models_and_says_how_many_more(window: Page, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    models = {f"model-{number}": random.dirichlet(np.ones(3), 60) for number in range(60)}
    result = xentcli.compare(models, random.integers(3, size=60), fit="none")
    opened(window, content(result, "html"), tmp_path)
    first = window.locator("section").first
    assert first.locator("table").first.locator("tbody tr").count() == 51
    assert "(10 more)" in first.inner_text()
    smallest = min(result.models, key=lambda model: model.cost or 0).name
    assert first.locator("tbody tr").first.inner_text().startswith(smallest)


def opened(page: Page, written: bytes, folder: Path) -> None:
    (folder / "page.html").write_bytes(written)
    page.goto((folder / "page.html").as_uri())


def test_a_server_that_forbids_styles_leaves_all_numbers_of_a_report(
    documents: dict[str, Any], written: dict[str, bytes], browser: Browser
) -> None:
    page = browser.new_page()
    for name in SECTIONS:
        served(page, written[name])
        assert page.evaluate("getComputedStyle(document.querySelector('h1')).fontFamily") != "system-ui, sans-serif"
        texts = set(page.locator("main").inner_text().split())
        numbers = {
            str(cell)
            for table in documents[name].tables()
            for row in table.rows
            for cell in row
            if isinstance(cell, float)
        }
        assert len(numbers) > 10 and numbers - texts == set()
    page.close()


@EACH
def test_text_of_a_file_stays_text(pages: dict[str, Parsed], name: str) -> None:
    assert terminal(HOSTILE[0]) in "".join(pages[name].texts)
    assert not any("\x1b" in part or "\u202e" in part for part in pages[name].texts)


@pytest.mark.parametrize("labelled", [True, False])
def test_the_page_of_a_comparison_says_what_was_scored_and_how_it_was_matched(
    labelled: bool, call: Call, write: Write, tmp_path: Path
) -> None:
    for name, q in (("old", 0.7), ("new", 0.6)):
        write(f"{name}.csv", f"id,a,b,y,note\n1,{q},{1 - q},a,x\n2,0.4,0.6,b,x\n3,0.2,0.8,b,y\n")
    matched = ("--label", "y", "--id", "id", "--temperature", "2") if labelled else ()
    assert call("compare", "old.csv", "new.csv", "--preds", "a,b", *matched, "-o", "page.html").code == 0
    page = (tmp_path / "page.html").read_text()
    section = page.partition("<h2>What was scored</h2>")[2].partition("</table>")[0]
    found = [re.findall("<td[^>]*>(.*?)</td>", row) for row in section.split("<tr>")[2:]]
    assert [" ".join(row) for row in found] == [
        "compared 3 of 3 rows, 2 classes, probabilities",
        "reference old: old.csv, 3 rows",
        "others new: new.csv, 3 rows",
        *["labels column y, matched to the columns by name"] * labelled,
        *["loss ln q divided by 2, then softmax (--temperature)"] * labelled,
        f"rows matched by {'id' if labelled else 'position'}",
        "unused note   (--by or --weights would use them)" if labelled else "unused id, y, note",
    ]


def test_tables_of_one_page_have_captions_of_their_own_and_no_empty_column() -> None:
    weighted: dict[str, Any] = {"weights": [2.0, 1.0, 3.0, 1.0]}
    q = [[0.7, 0.3], [0.4, 0.6], [0.8, 0.2], [0.6, 0.4]]
    page = content(xentcli.score(q, [0, 1, 1, 0], worst=2, details=DETAILS, **weighted), "html").decode()
    captions = re.findall(r"<caption>(?:<span>)?(.*?)(?:</span>)?</caption>", page)
    assert "worst rows: the first 4" in captions and len(set(captions)) == len(captions)
    assert "interval" not in page.partition("Bins of the confidence")[2].partition("</thead>")[0]


def test_a_thousand_classes_and_two_hundred_groups_are_less_than_3_mb() -> None:
    random = np.random.default_rng(0)
    q, y = random.dirichlet(np.full(1000, 0.1), 4000), random.integers(1000, size=4000)
    names = [f"class of a long name {number}" for number in range(1000)]
    sites: dict[str, Any] = {"by": {"site": y % 200}}
    report = xentcli.score(q, [names[label] for label in y], classes=names, details=DETAILS, **sites)
    assert len(report.by) == 200 and report.details is not None and len(report.details.by_class) > 900
    page = content(report, "html").decode()
    assert len(page) < 3 * 2**20 / 2
    assert "(150 more)" in page and re.search(r"\(9\d\d more\)", page)


def test_the_confusion_of_thirty_long_names_fits_paper_and_that_of_more_says_why_it_is_not_there(
    window: Page, tmp_path: Path
) -> None:
    random, written = np.random.default_rng(0), {}
    for count in (30, 31):
        names = [f"class {number} {'n' * 50}" for number in range(count)]
        q, y = random.dirichlet(np.full(count, 0.2), 30000), random.integers(count, size=30000)
        report = xentcli.score(q, [names[label] for label in y], classes=names, details=["confusion"])
        written[count] = content(report, "html")
    more = written[31].decode()
    assert "Left out: there are 31 classes" in more and 'aria-label="true against' not in more
    opened(window, written[30], tmp_path)
    looked_at(window, accessible=False)
    seen(window, 400, "light")
    sound(window, ["scrollable-region-focusable"])
    drawn = window.locator("svg.large").bounding_box()
    assert drawn is not None and drawn["width"] > 700, "its text is read by scrolling"
    seen(window, *PAPER)
    assert window.evaluate(SCROLLED) == []
    split = SPLIT.replace('"td"', '".many td:not(:first-child)"')
    assert window.evaluate(split) == []


def test_a_longer_table_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch, documents: dict[str, Any]) -> None:
    monkeypatch.setattr(tables, "MOST_ROWS", 3)
    assert (
        "2 more rows of this table are left out here; the JSON has them."
        in content(documents["score"], "html").decode()
    )


def test_without_matplotlib_a_page_has_its_tables_and_says_what_adds_drawings(
    monkeypatch: pytest.MonkeyPatch, documents: dict[str, Any]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for name in SECTIONS:
        page = content(documents[name], "html").decode()
        assert "<svg" not in page
        assert page.count("pip install") == 1 and "xentcli[plot]" in page


def test_the_command_computes_what_the_page_shows(call: Call, write: Write, tmp_path: Any) -> None:
    write("p.csv", "a,b\n0.7,0.3\n0.4,0.6\n")
    write("y.csv", "truth\na\nb\n")
    for command in (("check", "--max", "cost=1"), ("calibration",)):
        assert call(command[0], "p.csv", "y.csv", *command[1:], "-o", "report.html").code == 0
        assert (tmp_path / "report.html").read_text().count("<svg") >= 3
    call("score", "p.csv", "y.csv", "-o", "a.json", "-q")
    call("score", "p.csv", "y.csv", "-o", "b.json", "-o", "report.html", "-q")
    assert (tmp_path / "report.html").read_text().count("<svg") >= 3
    plain, detailed = (json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json"))
    assert detailed.pop("details")["confusion"] == [[1, 0], [0, 1]]
    assert detailed == plain


def test_the_page_of_named_checks_has_for_each_what_the_page_of_one_has(
    call: Call, write: Write, tmp_path: Path, window: Page
) -> None:
    write("p.csv", "a,b\n0.7,0.3\n0.4,0.6\n")
    write("y.csv", "truth\na\nb\n")
    table = '[tool.xent.checks."{}"]\npredictions = "{}"\nlabels = "y.csv"\nmax = ["cost=0.4"]\n'
    names = {HOSTILE[0]: "p.csv", "b": "p.csv", "lost": "none.csv"}
    write("pyproject.toml", "".join(table.format(name, path) for name, path in names.items()))
    assert call("check", "-o", "all.html", "-o", "all.json").code == 4
    assert call("check", "p.csv", "y.csv", "--max", "cost=0.4", "-o", "one.html").code == 1
    one, every = ((tmp_path / f"{name}.html").read_text() for name in ("one", "all"))
    heads = re.findall("<h2>(.*?)</h2>", one)[1:-1]
    assert re.findall("<h3>(.*?)</h3>", every) == 2 * heads
    assert len(re.findall("<h2>", every)) == 5
    assert every.count("<svg") == 2 * one.count("<svg") > 0
    ids = re.findall(r' id="([^"]*)"', every)
    assert len(ids) == len(set(ids)) and set(re.findall(r'(?:href="|url\()#([^")]*)', every)) <= set(ids)
    texts = set(Parsed(every).texts)
    for check in json.loads((tmp_path / "all.json").read_text())["checks"][:2]:
        details = check["report"]["details"]
        assert {str(part[key]) for part in details["losses"]["bins"] for key in part} <= texts
    assert any("1 could not run" in text for text in texts)
    opened(window, every.encode(), tmp_path)
    looked_at(window, accessible=False)
    assert window.locator("img").count() == 0


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
