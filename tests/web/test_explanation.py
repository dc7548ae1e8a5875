"""The page of an explanation in a browser: what is dragged and typed there shows what xentcli says of these numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import Call
from tests.laws import LONG
from tests.web.conftest import looked_at, seen, served
from xentcli.analysis.explain import explain_values
from xentcli.settings import Settings
from xentcli.writers import content
from xentcli.writers.figures import fixed
from xentcli.writers.safe import terminal

Open = Callable[..., Page]
ROUNDS = 35 if LONG else 12
"""How many examples are shown one after the other on one page; each kind of them comes twice at least."""
EXAMPLE = (0.1, 0.5, 0.1, 0.1, 0.2)
LISTS = {name: f'[data-input="{name}"]' for name in ("probabilities", "logits", "targets")}
BOX = '[type=text][data-input="q {}"]'


def page_of(values: Any = EXAMPLE, label: Any = 0, *, target: Any = None, settings: Settings | None = None) -> bytes:
    """The page of an example, as xentcli writes it."""
    truth = None if label is None or target is not None else str(label)
    return content(explain_values(values, label=truth, target=target, settings=settings or Settings()), "html")


@pytest.fixture
def opened(window: Page, tmp_path: Path) -> Open:
    """Open the page of an example, light and 1,200 pixels wide where nothing else is asked."""

    def open_page(*example: Any, target: Any = None, settings: Any = None, width: int = 1200) -> Page:
        (tmp_path / "page.html").write_bytes(page_of(*example, target=target, settings=settings))
        seen(window, width, "light")
        window.goto((tmp_path / "page.html").as_uri())
        return window

    return open_page


# The page after a change is the page that xentcli writes of these numbers, but that the softmax may stand elsewhere.

DIFFERENCES = """(written) => {
  const wanted = new DOMParser().parseFromString(written, "text/html");
  const both = (selector) => [document, wanted].map((page) => [...page.querySelectorAll(selector)]);
  const key = (part) => JSON.stringify({...part.dataset});
  const seen = (found) => found.filter((part) => !part.closest("[hidden]")).sort((a, b) => key(a).localeCompare(key(b)));
  const pairs = (selector, of) => {
    const [here, there] = both(selector).map((found) => seen(found).map(of));
    return here.length === there.length ? here.map((text, i) => [selector, text, there[i]]) : [[selector, here, there]];
  };
  const place = (bar) => ["width", "cx", "cy"].map((name) => Number(bar.getAttribute(name) || 0).toFixed(1)).join(" ");
  return [
    ...pairs("[data-out]", (cell) => `${cell.dataset.out} = ${cell.textContent}`),
    ...pairs("[data-command]", (code) => code.textContent),
    ...pairs("[data-for]:not([data-for=given], [data-for=changed])", (part) => part.dataset.for),
    ...pairs("[data-row]", (row) => row.className),
    ...pairs("[data-bar], #point", place),
    ...pairs("#curve", (line) => `points ${line.getAttribute("points").replaceAll(",", " ")}`),
  ].filter(([, here, there]) => here !== there);
}"""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_DIGITS = ("xent ", "python3 ", "printf ", "points ", "y ", "log ", "term ", "sum ")
"""How texts begin that may have other digits of the same numbers."""


def same(here: Any, there: Any) -> bool:
    """Whether two texts differ only in how many digits of the same numbers they have.

    JavaScript writes 0.00001 where Python writes 1e-05; of a soft target xentcli shows as many decimals as make the
    sum hold as printed; sums of equal numbers may differ in the last of 16 digits.
    """
    if not (isinstance(here, str) and isinstance(there, str) and here.startswith(_DIGITS)):
        return False
    one, other = (np.array(_NUMBER.findall(text), dtype=float) for text in (here, there))
    rounded = 0.051 if here.startswith("points") else 1.1e-5 if " = " in here else 0
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
    slider = page.locator(f'[type=range][data-input="q {index}"]')
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
def test_distributions_that_sliders_are_dragged_to_show_what_xentcli_says(opened: Open, base: str) -> None:
    settings, random = Settings(base=base), np.random.default_rng(1)
    page, label = opened(settings=settings), 0
    for number in range(ROUNDS):
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
def test_distributions_that_are_typed_show_what_xentcli_says(opened: Open, base: str) -> None:
    settings, random = Settings(base=base), np.random.default_rng(2)
    page = opened(settings=settings)
    for number in range(ROUNDS):
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
    for values, of in (([0.2, 0.3, 0.5], Settings()), ([2.0, -1.0, 0.5], settings)):
        page = opened(values, 2, settings=of)
        for number in range(ROUNDS // 2):
            z, label = random.normal(0, (1, 30, 2000)[number % 3], 3), number % 3
            typed(page, LISTS["logits"], text_of(z))
            page.locator(f'[name=truth][value="{label}"]').check()
            shows(page, z.tolist(), label, settings=settings)
            assert page.get_by_text("Softmax: q is exp(z - largest)").is_visible()
        typed(page, LISTS["logits"], "-inf,0,0")
        page.locator('[name=truth][value="0"]').check()
        shows(page, [-math.inf, 0.0, 0.0], 0, settings=settings)
        typed(page, LISTS["probabilities"], "0.2,0.3,0.5")
        shows(page, [0.2, 0.3, 0.5], 0)
        assert page.get_by_text("Softmax: q is exp(z - largest)").is_hidden()


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
    typed(page, '[type=text][data-input="q 0"]', "0")
    assert set(shown(page)) == {"inf"}
    page.locator('[name=truth][value="1"]').focus()
    page.keyboard.press("Space")
    assert page.locator("tr.truth").first.locator("th").inner_text() == "1"


REFUSED = [
    (LISTS["probabilities"], "0.1,0.2", "5 probabilities"),
    (LISTS["probabilities"], "50%,10%,10%,10%,20%", "numbers such as 0.5"),
    (LISTS["probabilities"], "0.5,0.5,0.5,0,0", "sum to 1.5"),
    (LISTS["probabilities"], "2,-1,0,0,0", "from 0 to 1"),
    (LISTS["targets"], "1,x,0,0,0", "5 targets"),
    (LISTS["logits"], "1,2", "5 logits"),
    (LISTS["logits"], "1,2,3,4,inf", "5 logits"),
    (LISTS["logits"], "-inf,-inf,-inf,-inf,-inf", "5 logits"),
    (BOX.format(1), "1.5", "from 0 to 1"),
    (BOX.format(1), "", "from 0 to 1"),
    (BOX.format(1), "0,5", "from 0 to 1"),
]
"""What is typed into which box, and a part of why it is refused."""


def test_what_is_no_distribution_is_refused_and_changes_nothing(opened: Open) -> None:
    page = opened()
    for box, text, reason in REFUSED:
        typed(page, box, text)
        assert [reason in line for line in page.get_by_role("alert").all_inner_texts() if line] == [True]
        assert page.locator(box).input_value() == text
        shows(page)
    typed(page, LISTS["probabilities"], "0.2,0.2,0.2,0.2,0.2")
    assert page.get_by_role("alert").all_inner_texts() == ["", "", ""]


def test_numbers_act_while_they_are_typed_and_half_a_number_changes_nothing(opened: Open) -> None:
    page = opened()

    def follows(box: str, steps: dict[str, str]) -> None:
        """Press keys one by one; the loss of the page, and what is typed, after each."""
        page.locator(box).focus()
        page.keyboard.press("Control+A")
        typed = ""
        for key, loss in steps.items():
            page.keyboard.press(key[0])
            typed = "" if key == "Backspace" else typed + key[0]
            assert (shown(page)[0], page.locator(box).input_value()) == (loss, typed), key
            assert page.get_by_role("alert").all_inner_texts() == ["", "", ""]

    same = "2.302585"
    follows(BOX.format(0), {"1": "0.000000", "e": "0.000000", "-": "0.000000", "1 again": same})
    follows(BOX.format(0), {"0": "inf", ".": "inf", "2": "1.609438", "5": "1.386294", "x": "1.386294"})
    page.keyboard.press("Tab")
    assert shown(page)[0] == same, "0.25x is no number, and the numbers before are there again"
    follows(BOX.format(0), {"0": "inf", ".": "inf", "5": "0.693147"})
    page.keyboard.press("Tab")
    shows(page, numbers_of(page), 0)
    follows(LISTS["logits"], {"0": "0.693147", ",": "0.693147"})
    page.locator(LISTS["logits"]).fill("0,0,0,0,-")
    assert shown(page)[0] == "0.693147"
    page.locator(LISTS["logits"]).fill("0,0,0,0,0")
    assert shown(page)[0] == "1.609438"
    page.locator(LISTS["targets"]).fill("0.5,0.5,0,0,0")
    shows(page, [0.0] * 5, target=[0.5, 0.5, 0, 0, 0], settings=Settings(kind="logits"))


def test_the_axis_of_the_curve_ends_above_the_loss(opened: Open) -> None:
    page = opened()
    for logits, end in (
        ("0,5,0,0,0", 10),
        ("0,40,0,0,0", 50),
        ("0,3e9,0,0,0", 5e9),
        ("1,0,0,0,0", 5),
        ("0,1e308,0,0,0", 5),
    ):
        typed(page, LISTS["logits"], logits)
        assert float(shown(page, "tick 5")[0]) == end
        assert (float(page.locator("#point").get_attribute("cy") or "nan") == 0) == (logits == "0,1e308,0,0,0")
        shows(page, [float(z) for z in logits.split(",")], 0, settings=Settings(kind="logits"))


# Without script, without styles, in any size.


def numbers_there(page: Page, example: Any) -> None:
    """Assert that the text of a page has the numbers of an explanation as the terminal shows them."""
    text = page.locator("main").inner_text()
    found = {f"{example.loss_in_unit:.6f}", *(f"{term.q:.6g}" for term in example.terms)}
    unit = example.loss / example.loss_in_unit
    found |= {fixed(term.ln_q / unit, 6) for term in example.terms}
    found |= {fixed(term.exponential, 6) for term in example.terms if term.exponential is not None}
    found |= {f"{example.target_entropy / unit:.6f}"} if example.target_entropy is not None else set()
    assert [number for number in sorted(found) if number not in text] == []


ALONE = [
    (EXAMPLE, "0", None, Settings()),
    ((2.0, -1.0, 0.5), "2", None, Settings(kind="logits", base="2")),
    ((0.5, 0.25, 0.25), None, (0.5, 0.5, 0), Settings()),
    ((0.7, 0.2, 0.1), "2", None, Settings(clip=0.15)),
    ((0.7, 0.2, 0.1), "2", None, Settings(temperature=2)),
]
"""Examples whose pages are read without script and styles."""


def test_a_server_that_forbids_script_and_styles_leaves_all_numbers(browser: Browser) -> None:
    page = browser.new_page()
    for values, label, target, settings in ALONE:
        example = explain_values(values, label=label, target=target, settings=settings)
        served(page, content(example, "html"))
        styled = "getComputedStyle(document.querySelector('.r')).textAlign"
        assert page.evaluate(styled) != "right", "there are no styles"
        assert not any(form.is_visible() for form in page.locator("form").all()), "there is no script"
        numbers_there(page, example)
    page.close()


def test_without_script_all_numbers_are_there(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_bytes(page_of())
    page = browser.new_page(java_script_enabled=False)
    page.goto((tmp_path / "page.html").as_uri())
    text = page.locator("body").inner_text()
    for number in ("2.302585", "-2.302585", "1.609438", "0.693147", "1.033698", "0.9"):
        assert number in text
    assert page.locator("#play").is_hidden()
    assert page.locator("#point").get_attribute("cx") == "40.0"
    page.close()


WIDEST = [
    ((0.123456789, 0.2, 0.676543211), 0, None, Settings(classes=[f"class {n} {'n' * 50}" for n in range(3)])),
    ((0.123456789, 1e-7, 0.876543111), None, (0.123456789, 0.876543211, 0), Settings(clip=0.15)),
    ((123.456789, -123.456789, 0.5), 1, None, Settings(kind="logits")),
]
"""Examples whose numbers and names need much room."""


def test_the_page_is_whole_and_accessible_on_a_phone_a_desk_and_paper(opened: Open) -> None:
    for number, (values, label, target, settings) in enumerate(WIDEST):
        page = opened(values, label, target=target, settings=settings)
        typed(page, LISTS["targets"], "7")
        looked_at(page, accessible=not number)
        boxes = page.locator(BOX.format(0)).evaluate("(box) => [box.scrollWidth, box.clientWidth]")
        assert boxes[0] <= boxes[1], "a box shows all digits"
        assert page.locator("#play").is_hidden(), "paper has no forms"
    unchanged: list[tuple[list[float], Settings]] = [
        ([1e-3] * 1000, Settings()),
        ([0.7, 0.2, 0.1], Settings(temperature=2.5, clip=0.01)),
    ]
    for given, options in unchanged:
        looked_at(opened(given, 2, settings=options), accessible=False)


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
