"""The page of an explanation in a browser: what is typed and dragged there costs what xentcli says."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.conftest import Call
from xentcli.analysis.explain import explain_values
from xentcli.report.explanation import Explanation
from xentcli.settings import Settings
from xentcli.writers import content
from xentcli.writers.figures import fixed
from xentcli.writers.safe import terminal

Open = Callable[..., Page]
EXAMPLE = (0.1, 0.5, 0.1, 0.1, 0.2)


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open the page of an example; it may ask for nothing but itself, and the console stays empty."""
    faults: list[str] = []
    contexts = []

    def open_page(
        values: Any = EXAMPLE, label: Any = 0, *, target: Any = None, settings: Any = None, **how: Any
    ) -> Page:
        truth = None if label is None else str(label)
        example = explain_values(values, label=truth, target=target, settings=settings or Settings())
        (tmp_path / "page.html").write_bytes(content(example, "html"))
        contexts.append(browser.new_context(**how))
        page = contexts[-1].new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        page.on("request", lambda request: faults.append(request.url) if "page.html" not in request.url else None)
        page.goto((tmp_path / "page.html").as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def explained(values: list[float], label: int | None, target: list[float] | None, settings: Settings) -> Explanation:
    return explain_values(values, label=None if label is None else str(label), target=target, settings=settings)


def shown(page: Page, name: str = "loss") -> list[str]:
    return page.locator(f'[data-out="{name}"]').all_text_contents()


def typed(page: Page, box: str, text: str) -> None:
    page.locator(box).fill(text)
    page.locator(box).press("Tab")


def text_of(values: np.ndarray) -> str:
    return ",".join(map(repr, values.tolist()))


TYPE = """(rows) => rows.map((boxes) => {
  for (const [box, text] of boxes) {
    const input = document.querySelector(box);
    input.value = text;
    if (input.type === "radio") input.checked = true;
    input.dispatchEvent(new Event("change"));
  }
  const out = (name) => [...document.querySelectorAll(`[data-out="${name}"]`)].map((cell) => cell.textContent);
  return {loss: [...new Set(out("loss"))], average: out("average"), entropy: out("entropy")};
})"""


@pytest.mark.parametrize("base", ["e", "2", "10"])
def test_hundreds_of_distributions_cost_on_the_page_what_xentcli_says(opened: Open, base: str) -> None:
    settings, unit = Settings(base=base), 1.0 if base == "e" else math.log(float(base))
    random = np.random.default_rng(1)
    rows: list[list[tuple[str, str]]] = []
    wanted = []
    for number in range(200):
        q, y = random.dirichlet(np.full(5, (0.05, 1.0, 20.0)[number % 3])), random.dirichlet(np.ones(5))
        label = int(random.integers(5)) if number % 2 else None
        truth = ("#soft", text_of(y)) if label is None else (f'[name=truth][value="{label}"]', str(label))
        rows.append([("#all", text_of(q)), truth])
        wanted.append(explained(q.tolist(), label, y.tolist() if label is None else None, settings))
    for found, example in zip(opened(settings=settings).evaluate(TYPE, rows), wanted, strict=True):
        assert found["loss"] == [fixed(example.loss_in_unit, 6)]
        average = math.fsum([example.loss, -math.log(0.9), -math.log(0.5)]) / 3
        assert found["average"] == [fixed(average / unit, 6)]
        if example.target_entropy is not None:
            assert found["entropy"] == [fixed(example.target_entropy / unit, 6)]


def test_logits_cost_what_xentcli_says_also_where_the_softmax_underflows(opened: Open) -> None:
    settings, random = Settings(kind="logits"), np.random.default_rng(3)
    rows, wanted = [], []
    for number in range(200):
        z, label = random.normal(0, (1, 30, 2000)[number % 3], 3), int(random.integers(3))
        rows.append([("#logits", text_of(z)), (f'[name=truth][value="{label}"]', str(label))])
        wanted.append(explained(z.tolist(), label, None, settings))
    found = opened([2.0, -1.0, 0.5], 2, settings=settings).evaluate(TYPE, rows)
    assert [one["loss"] for one in found] == [[fixed(example.loss, 6)] for example in wanted]


def test_what_is_typed_by_hand_is_taken(opened: Open) -> None:
    page = opened()
    typed(page, "#all", "0.7,0.1,0.1,0.05,0.05")
    assert set(shown(page)) == {"0.356675"}
    typed(page, "#soft", "0.5,0.5,0,0,0")
    assert set(shown(page)) == {"1.329630"}
    assert shown(page, "entropy") == ["0.693147"]
    typed(page, "#logits", "0,0,0,0,0")
    assert set(shown(page)) == {"1.609438"}


def test_a_slider_moves_all_that_depends_on_it_and_the_command_says_what_it_costs(opened: Open, call: Call) -> None:
    page = opened()
    slider = page.get_by_role("slider").nth(0)
    slider.focus()
    before = page.locator("#point").get_attribute("cx")
    for _ in range(7):
        slider.press("ArrowRight")
    box = slider.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2)
    numbers, label = re.findall(r"--probs (\S+) --label (\d)", page.locator("#command").inner_text())[0]
    q = [float(text) for text in numbers.split(",")]
    assert q[0] > 0.7
    assert math.fsum(q) == pytest.approx(1, abs=1e-12)
    assert np.array(q[1:]) / q[2] == pytest.approx(np.array(EXAMPLE[1:]) / 0.1), "the others keep their proportions"
    assert set(shown(page)) == {fixed(-math.log(q[0]), 6)}
    assert call("explain", "--probs", numbers, "--label", label, "--format", "csv").code == 0
    assert page.locator("#point").get_attribute("cx") != before
    assert float(page.locator('[data-bar="0"]').get_attribute("width") or 0) == 200 * q[0]
    assert shown(page, "verdict") == ["better than guessing"]
    typed(page, '[data-type="0"]', "0")
    assert set(shown(page)) == {"inf"}
    page.locator('[name=truth][value="1"]').focus()
    page.keyboard.press("Space")
    assert page.locator("tr.truth").first.locator("th").inner_text() == "1"


@pytest.mark.parametrize(
    ("box", "text", "reason"),
    [
        ("#all", "0.1,0.2", "5 probabilities"),
        ("#all", "0.5,0.5,0.5,0,0", "sum to 1.5"),
        ("#all", "2,-1,0,0,0", "from 0 to 1"),
        ("#soft", "1,x,0,0,0", "5 targets"),
        ("#logits", "1,2", "5 logits"),
        ('[data-type="1"]', "1.5", "from 0 to 1"),
    ],
)
def test_what_is_no_distribution_is_refused_and_changes_nothing(opened: Open, box: str, text: str, reason: str) -> None:
    page = opened()
    page.locator(box).fill("7")
    typed(page, box, text)
    assert reason in page.get_by_role("alert").inner_text()
    assert set(shown(page)) == {"2.302585"}


def test_without_script_and_style_all_numbers_are_there(opened: Open) -> None:
    page = opened(java_script_enabled=False)
    text = page.locator("body").inner_text()
    for number in ("2.302585", "-2.3026", "1.609438", "0.693147", "1.033698", "0.6"):
        assert number in text
    assert page.locator("#play").is_hidden()
    assert page.locator("#point").get_attribute("cx") == "40.0"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1200])
def test_the_page_fits_its_window_and_is_accessible(opened: Open, width: int, scheme: Any) -> None:
    page = opened(viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    found = Axe().run(page).response["violations"]
    assert [fault["id"] for fault in found if fault["impact"] in ("serious", "critical")] == []
    page.emulate_media(media="print")
    assert page.locator("#play").is_hidden()


def test_class_names_stay_text(opened: Open, browser: Browser, tmp_path: Path) -> None:
    names = [
        "<img src=x onerror=alert(1)>",
        "</script><script>alert(2)</script>",
        "{{ 7 * 7 }}",
        "a\u202eb\x1b[31m",
        "&amp;",
    ]
    page = opened(settings=Settings(classes=names), label=names[1])
    heads = page.locator("main tbody th").all_text_contents()
    assert heads[:5] == [terminal(name) for name in names]
    assert page.locator("img").count() == 0
