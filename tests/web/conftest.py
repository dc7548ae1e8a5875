"""A browser: Debian's chromium, headless, and what every page looks like in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium where it is installed; in CI it must be."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        assert not os.environ.get("XENT_CI"), "CI installs chromium"
        pytest.skip("no chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def _window(browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """One page for all tests, since a context takes longer than most of them, and what went wrong on it."""
    page, faults = browser.new_page(), []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.on("request", lambda request: faults.append(request.url) if "page.html" not in request.url else None)
    yield page, faults
    page.close()


@pytest.fixture
def window(_window: tuple[Page, list[str]]) -> Iterator[Page]:
    """A page of 1,200 pixels in light colours; it may ask for page.html alone, and the console stays empty."""
    page, faults = _window
    faults.clear()
    seen(page, 1200, "light")
    yield page
    assert faults == []


def seen(page: Page, width: int, scheme: Any, media: Any = "screen") -> None:
    """Have a page as wide, in the light or dark scheme, on a screen or in print; paper is 700 pixels wide."""
    page.emulate_media(media=media, color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})


CUT = """[...document.querySelectorAll("main *:not(svg *)")].filter((part) => {
  const [box, scroller] = [part.getBoundingClientRect(), part.parentElement.closest(".scrolls")];
  const wider = !part.matches("input, .scrolls") && part.clientWidth && part.scrollWidth > part.clientWidth + 1;
  return (!scroller || part.matches("caption span")) && box.width && (box.right > window.innerWidth || box.left < 0 || wider);
}).map((part) => `${part.tagName} ${part.className} ${part.textContent.slice(0, 60)}`)"""
"""What is wider than the window or than its place, but for what is scrolled; the captions of that count too."""
SPLIT = """[...document.querySelectorAll("td")].filter((cell) => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  const lines = new Set([...range.getClientRects()].map((box) => box.top));
  return cell.textContent.length <= 16 && lines.size > 1;
}).map((cell) => cell.textContent)"""
"""The short cells, such as 0.20-0.27 and epoch-1, that stand on two lines."""
SIZES = [(400, "light", "screen"), (1200, "light", "screen"), (1200, "dark", "screen"), (400, "dark", "screen")]
"""Windows of a phone and a desk; the one before the last has the colours of both."""
PAPER = (700, "dark", "print")
"""The width of A4 between its margins; print is light whatever the screen is."""


def looked_at(page: Page, accessible: bool = True) -> None:
    """Assert that nothing is cut in any window and on paper, and that axe finds nothing serious.

    Axe takes seconds, and colours move nothing: a page that is made like others is seen in light colours alone.
    """
    for width, scheme, media in (*SIZES, PAPER) if accessible else (*SIZES[:2], PAPER):
        seen(page, width, scheme, media)
        assert page.evaluate(f"[{CUT}, {SPLIT}]") == [[], []], (width, scheme, media)
        if accessible and (width, scheme) == (400, "light"):
            sound(page)
        if accessible and (width, scheme) == (1200, "dark"):
            sound(page, ["color-contrast"])


def sound(page: Page, rules: Sequence[str] = ()) -> None:
    """Assert that axe finds nothing serious, by some rules or all."""
    only: dict[str, Any] = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
    found = Axe().run(page, options={"resultTypes": ["violations"], **only}).response["violations"]
    assert [fault["id"] for fault in found if fault["impact"] in ("serious", "critical")] == []


def served(page: Page, body: bytes) -> None:
    """Have a page from a server whose policy forbids script and styles, as Jenkins does."""
    policy = {"Content-Security-Policy": "sandbox; default-src 'none'"}
    page.unroute("**")
    page.route("**", lambda route: route.fulfill(body=body, headers=policy, content_type="text/html"))
    page.goto("http://ci.example/page.html")
