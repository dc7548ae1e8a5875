"""The page of an explanation in a browser: what is dragged and typed there shows what xentcli says of these numbers."""

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
from xentcli.settings import Settings
from xentcli.writers import content
from xentcli.writers.figures import fixed
from xentcli.writers.safe import terminal

Open = Callable[..., Page]
EXAMPLE = (0.1, 0.5, 0.1, 0.1, 0.2)
LISTS = {name: f'[data-list="{name}"]' for name in ("probabilities", "logits", "targets")}
SIZES = [(400, "light"), (400, "dark"), (1200, "light"), (1200, "dark")]


def page_of(values: Any = EXAMPLE, label: Any = 0, *, target: Any = None, settings: Settings | None = None) -> bytes:
    """The page of an example, as xentcli writes it."""
    truth = None if label is None or target is not None else str(label)
    return content(explain_values(values, label=truth, target=target, settings=settings or Settings()), "html")


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open the page of an example; it may ask for nothing but itself, and the console stays empty."""
    faults: list[str] = []
    contexts = []

    def open_page(*example: Any, target: Any = None, settings: Any = None, **how: Any) -> Page:
        (tmp_path / "page.html").write_bytes(page_of(*example, target=target, settings=settings))
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


# The page after a change is the page that xentcli writes of these numbers.

DIFFERENCES = """(written) => {
  const wanted = new DOMParser().parseFromString(written, "text/html");
  const both = (selector) => [document, wanted].map((page) => [...page.querySelectorAll(selector)]);
  const pairs = (selector, of) => {
    const [here, there] = both(selector).map((found) => found.filter((part) => !part.closest("[hidden]")).map(of));
    return here.length === there.length ? here.map((text, i) => [selector, text, there[i]]) : [[selector, here, there]];
  };
  const place = (bar) => ["width", "cx", "cy"].map((name) => Number(bar.getAttribute(name) || 0).toFixed(1)).join(" ");
  return [
    ...pairs("[data-out]", (cell) => `${cell.dataset.out} = ${cell.textContent}`),
    ...pairs("[data-command]", (code) => code.textContent),
    ...pairs("[data-for]:not([data-for=given], [data-for=changed])", (part) => part.dataset.for),
    ...pairs("[data-row]", (row) => row.className),
    ...pairs("[data-bar], #point", place),
  ].filter(([, here, there]) => here !== there);
}"""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_DIGITS = ("xent ", "python3 ", "printf ", "y ", "log ", "term ", "sum ")
"""How texts begin that may have other digits of the same numbers."""


def same(here: Any, there: Any) -> bool:
    """Whether two texts differ only in how many digits of the same numbers they have.

    JavaScript writes 0.00001 where Python writes 1e-05; of a soft target xentcli shows as many decimals as make the
    sum hold as printed; sums of equal numbers may differ in the last of 16 digits.
    """
    if not (isinstance(here, str) and isinstance(there, str) and here.startswith(_DIGITS)):
        return False
    one, other = (np.array(_NUMBER.findall(text), dtype=float) for text in (here, there))
    rounded = 1.1e-5 if " = " in here else 0
    close = len(one) == len(other) and np.allclose(one, other, rtol=1e-9, atol=rounded)
    return close and _NUMBER.sub("#", here) == _NUMBER.sub("#", there)


def shows(page: Page, *example: Any, **how: Any) -> None:
    """Assert that a page shows what the page of an example shows."""
    found = page.evaluate(DIFFERENCES, page_of(*example, **how).decode())
    assert [difference for difference in found if not same(*difference[1:])] == []


def shown(page: Page, name: str = "loss") -> list[str]:
    return page.locator(f'[data-out="{name}"]').all_text_contents()


def typed(page: Page, box: str, text: str) -> None:
    """Type as a person does: click into the box, replace what is there, go on with Tab."""
    page.locator(box).focus()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)
    page.keyboard.press("Tab")


def dragged(page: Page, index: int, to: float, through: float | None = None) -> None:
    """Press the thumb of a slider, move the pointer to a value, by way of another one, and let go."""
    slider = page.locator(f'[data-slide="{index}"]')
    box = slider.bounding_box()
    assert box is not None
    thumb, height = 16, box["y"] + box["height"] / 2

    def at(value: float) -> float:
        return box["x"] + thumb / 2 + value * (box["width"] - thumb)

    page.mouse.move(at(float(slider.input_value())), height)
    page.mouse.down()
    for value in (to,) if through is None else (through, to):
        page.mouse.move(at(value), height)
    page.mouse.up()


def text_of(values: np.ndarray) -> str:
    return ",".join(map(repr, values.tolist()))


def numbers_of(page: Page, option: str = "probs") -> list[float]:
    """The numbers of the command that the page shows."""
    line = page.locator("#command").inner_text()
    return [float(text) for text in re.findall(rf"--{option} (\S+)", line)[0].split(",")]


@pytest.mark.parametrize("base", ["e", "2", "10"])
def test_a_hundred_distributions_that_sliders_are_dragged_to_show_what_xentcli_says(opened: Open, base: str) -> None:
    settings, random = Settings(base=base), np.random.default_rng(1)
    page, label = opened(settings=settings), 0
    for number in range(35):
        to, moved = float(random.random() ** (1, 4)[number % 2]), int(random.integers(5))
        dragged(page, moved, to, through=float(random.integers(2)))
        q = numbers_of(page)
        assert abs(q[moved] - to) < 0.01
        assert math.fsum(q) == pytest.approx(1, abs=1e-12)
        if number % 3 == 0:
            label = int(random.integers(5))
            page.locator(f'[name=truth][value="{label}"]').focus()
            page.keyboard.press("Space")
        shows(page, q, label, settings=settings)


@pytest.mark.parametrize("base", ["e", "2", "10"])
def test_a_hundred_distributions_that_are_typed_show_what_xentcli_says(opened: Open, base: str) -> None:
    settings, random = Settings(base=base), np.random.default_rng(2)
    page = opened(settings=settings)
    for number in range(35):
        q, y = random.dirichlet(np.full(5, (0.05, 1.0, 20.0)[number % 3])), random.dirichlet(np.ones(5))
        typed(page, LISTS["probabilities"], text_of(q))
        if number % 2:
            typed(page, LISTS["targets"], text_of(y))
            shows(page, q.tolist(), target=y.tolist(), settings=settings)
        else:
            page.locator(f'[name=truth][value="{number % 5}"]').check()
            shows(page, q.tolist(), number % 5, settings=settings)


def test_logits_typed_on_any_page_show_the_softmax_also_where_it_underflows(opened: Open) -> None:
    settings, random = Settings(kind="logits"), np.random.default_rng(3)
    for page in (opened([0.2, 0.3, 0.5], 2), opened([2.0, -1.0, 0.5], 2, settings=settings)):
        for number in range(15):
            z, label = random.normal(0, (1, 30, 2000)[number % 3], 3), number % 3
            typed(page, LISTS["logits"], text_of(z))
            page.locator(f'[name=truth][value="{label}"]').check()
            shows(page, z.tolist(), label, settings=settings)
            assert page.get_by_role("heading", name="From logits to probabilities").is_visible()
        typed(page, LISTS["logits"], "-inf,0,0")
        page.locator('[name=truth][value="0"]').check()
        shows(page, [-math.inf, 0.0, 0.0], 0, settings=settings)
        typed(page, LISTS["probabilities"], "0.2,0.3,0.5")
        shows(page, [0.2, 0.3, 0.5], 0)
        assert page.get_by_role("heading", name="From logits to probabilities").is_hidden()


def test_clipped_numbers_and_a_thousand_classes_can_be_moved(opened: Open) -> None:
    settings = Settings(clip=0.15)
    page = opened([0.7, 0.2, 0.1], 2, settings=settings)
    for to in (0.0, 0.1, 0.5, 0.95, 1.0):
        dragged(page, 2, to)
        shows(page, numbers_of(page), 2, settings=settings)
    typed(page, LISTS["logits"], "1,2,-30")
    shows(page, [1.0, 2.0, -30.0], 2, settings=Settings(clip=0.15, kind="logits"))
    random = np.random.default_rng(4)
    q, sure = random.dirichlet(np.full(1000, 0.1)), np.full(1000, 1e-5)
    sure[7] = 1 - 999e-5
    for values in (q, sure):
        page = opened(values.tolist(), 7)
        assert page.locator(LISTS["probabilities"]).count() == 0
        for to in (0.3, 0.9):
            dragged(page, 7, to)
            now = np.array(numbers_of(page))
            assert abs(now[7] - to) < 0.01 and len(now) == 1000
            others = np.delete(values, 7)
            assert np.delete(now, 7) == pytest.approx((1 - now[7]) * others / others.sum(), rel=1e-9)
            assert set(shown(page)) == {
                fixed(explain_values(now.tolist(), label="7", target=None, settings=Settings()).loss, 6)
            }


@pytest.mark.parametrize(
    ("values", "settings", "reason"),
    [
        ([0.7, 0.2, 0.1], Settings(temperature=2), "--temperature changes them"),
        (np.full(3000, 1 / 3000).tolist(), Settings(), "3,000 classes"),
    ],
)
def test_a_page_that_cannot_be_changed_says_why(opened: Open, values: Any, settings: Settings, reason: str) -> None:
    page = opened(values, 2, settings=settings)
    assert reason in page.get_by_text("The numbers cannot be changed on this page").inner_text()
    assert page.locator("form").count() == 0


def test_a_slider_moved_to_its_end_and_back_keeps_the_proportions_and_a_button_the_numbers_as_given(
    opened: Open,
) -> None:
    page = opened(target=(0.25, 0.75, 0, 0, 0))
    before = page.locator("main").inner_text()
    dragged(page, 0, 0.2, through=1.0)
    q = np.array(numbers_of(page))
    assert q[1:] / q[2] == pytest.approx(np.array(EXAMPLE[1:]) / 0.1), "the others keep their proportions"
    assert page.locator("main").inner_text() != before
    page.get_by_role("button", name="as given").click()
    page.wait_for_function(
        "document.querySelector('#again').closest('form') && !document.querySelector('#command').innerText.includes('0.2,')"
    )
    assert page.locator("main").inner_text() == before


def test_the_keyboard_moves_all_that_depends_on_a_slider(opened: Open, call: Call) -> None:
    page = opened()
    slider = page.get_by_role("slider").nth(0)
    slider.focus()
    for _ in range(7):
        slider.press("ArrowRight")
    q = numbers_of(page)
    assert q[0] == 0.107
    shows(page, q, 0)
    assert call(*page.locator("#command").inner_text().split()[1:], "--format", "csv").code == 0
    typed(page, '[data-type="0"]', "0")
    assert set(shown(page)) == {"inf"}
    page.locator('[name=truth][value="1"]').focus()
    page.keyboard.press("Space")
    assert page.locator("tr.truth").first.locator("th").inner_text() == "1"


@pytest.mark.parametrize(
    ("box", "text", "reason"),
    [
        (LISTS["probabilities"], "0.1,0.2", "5 probabilities"),
        (LISTS["probabilities"], "0.5,0.5,0.5,0,0", "sum to 1.5"),
        (LISTS["probabilities"], "2,-1,0,0,0", "from 0 to 1"),
        (LISTS["targets"], "1,x,0,0,0", "5 targets"),
        (LISTS["logits"], "1,2", "5 logits"),
        (LISTS["logits"], "1,2,3,4,inf", "5 logits"),
        (LISTS["logits"], "-inf,-inf,-inf,-inf,-inf", "5 logits"),
        ('[data-type="1"]', "1.5", "from 0 to 1"),
    ],
)
def test_what_is_no_distribution_is_refused_and_changes_nothing(opened: Open, box: str, text: str, reason: str) -> None:
    page = opened()
    typed(page, box, text)
    assert reason in page.get_by_role("alert").inner_text()
    shows(page)
    typed(page, LISTS["probabilities"], "0.2,0.2,0.2,0.2,0.2")
    assert page.get_by_role("alert").inner_text() == ""


# Without script, without styles, in any size.


def numbers_there(page: Page, example: Any) -> None:
    """Assert that the text of a page has the numbers of an explanation as the terminal shows them."""
    text = page.locator("main").inner_text()
    found = {f"{example.loss_in_unit:.6f}", *(f"{term.q:.6g}" for term in example.terms)}
    unit = example.loss / example.loss_in_unit
    found |= {fixed(term.ln_q / unit, 4 if example.truth is not None else 6) for term in example.terms}
    found |= {fixed(term.exponential, 6) for term in example.terms if term.exponential is not None}
    found |= {f"{example.target_entropy / unit:.6f}"} if example.target_entropy is not None else set()
    assert [number for number in sorted(found) if number not in text] == []


@pytest.mark.parametrize(
    ("values", "label", "target", "settings"),
    [
        (EXAMPLE, "0", None, Settings()),
        ((2.0, -1.0, 0.5), "2", None, Settings(kind="logits", base="2")),
        ((0.5, 0.25, 0.25), None, (0.5, 0.5, 0), Settings()),
        ((0.7, 0.2, 0.1), "2", None, Settings(clip=0.15)),
        ((0.7, 0.2, 0.1), "2", None, Settings(temperature=2)),
    ],
)
def test_a_server_that_forbids_script_and_styles_leaves_all_numbers(
    browser: Browser, values: Any, label: Any, target: Any, settings: Settings
) -> None:
    page, example = browser.new_page(), explain_values(values, label=label, target=target, settings=settings)
    policy = {"Content-Security-Policy": "sandbox; default-src 'none'", "Content-Type": "text/html"}
    page.route("**", lambda route: route.fulfill(body=content(example, "html"), headers=policy))
    page.goto("http://ci.example/page.html")
    assert page.evaluate("getComputedStyle(document.querySelector('.r')).textAlign") != "right", "there are no styles"
    assert page.locator("form").count() == 0 or page.locator("form").is_hidden(), "there is no script"
    numbers_there(page, example)
    page.close()


def test_without_script_all_numbers_are_there(opened: Open) -> None:
    page = opened(java_script_enabled=False)
    text = page.locator("body").inner_text()
    for number in ("2.302585", "-2.3026", "1.609438", "0.693147", "1.033698", "0.9"):
        assert number in text
    assert page.locator("#play").is_hidden()
    assert page.locator("#point").get_attribute("cx") == "40.0"


def sound(page: Page) -> None:
    """Assert that a page fits its window and that axe finds nothing serious."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    found = Axe().run(page).response["violations"]
    assert [fault["id"] for fault in found if fault["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_the_page_fits_its_window_and_is_accessible(opened: Open, width: int, scheme: Any) -> None:
    page = opened(viewport={"width": width, "height": 900}, color_scheme=scheme)
    typed(page, LISTS["logits"], "1,2,3,4,5")
    typed(page, LISTS["targets"], "7")
    sound(page)
    typed(page, LISTS["targets"], "0.5,0.5,0,0,0")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 900})
    assert page.locator("#play").is_hidden()
    assert page.evaluate("[...document.querySelectorAll('main *')].every((e) => e.scrollWidth <= window.innerWidth)")


def test_long_class_names_fit_a_phone(opened: Open) -> None:
    names = [f"class {number} {'n' * 50}" for number in range(5)]
    sound(opened(EXAMPLE, names[1], settings=Settings(classes=names), viewport={"width": 400, "height": 900}))


def test_class_names_stay_text(opened: Open) -> None:
    names = [
        "<img src=x onerror=alert(1)>",
        "</script><script>alert(2)</script>",
        "{{ 7 * 7 }}",
        "a\u202eb\x1b[31m",
        "&amp;",
    ]
    page = opened(EXAMPLE, names[1], settings=Settings(classes=names))
    heads = page.locator('h2:text("The prediction") ~ div').first.locator("tbody th").all_text_contents()
    assert heads == [terminal(name) for name in names]
    page.locator('[name=truth][value="3"]').check()
    assert shown(page, "name") == [terminal(names[3])]
    assert page.locator("img").count() == 0
