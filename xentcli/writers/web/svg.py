"""A drawing within a page: an SVG of matplotlib without what a strict policy forbids, in the colours of the page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

from xentcli.extras import needed
from xentcli.records import record
from xentcli.writers.pictures.style import INK

__all__ = ["Inline", "inline"]

_SVG, _LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_POINTER = re.compile(r"#(\w+)")
_LARGE = 450.0
"""Points: drawings that are wider have small text."""


@record(frozen=True)
class Inline:
    """A drawing within a page: its markup, what it shows, and whether its text is too small for a narrow window."""

    markup: Any
    title: str
    large: bool


def inline(svg: bytes, name: str, title: str) -> Inline:
    """Return an SVG file that matplotlib wrote as a drawing within a page.

    Styles become attributes, which the policy allows; ids are those that something points to, with `name` before
    them, since a page has several drawings; ink is the colour of the text.
    """
    # matplotlib wrote it just now: it holds no attack on a parser.
    root = ET.fromstring(svg)  # noqa: S314
    values = (value for element in root.iter() for value in element.attrib.values())
    pointed = {target for value in values for target in _POINTER.findall(value)}
    made = _copy(root, name, pointed)
    size = root.attrib["viewBox"].split()[2:]
    large = float(size[0]) > _LARGE
    kept = {"viewBox": root.attrib["viewBox"], "width": size[0], "height": size[1]}
    kept["class"] = "drawing large" if large else "drawing"
    made.attrib = {**kept, "role": "img", "aria-label": title, "stroke-linejoin": "round", "stroke-linecap": "butt"}
    markup = needed("markupsafe", "report").Markup
    return Inline(markup(ET.tostring(made, encoding="unicode")), title, large)


def _copy(element: ET.Element, name: str, pointed: set[str]) -> ET.Element:
    made = ET.Element(element.tag.removeprefix(_SVG), _attributes(element, name, pointed))
    made.text = element.text if element.tag == f"{_SVG}text" else None
    for child in element:
        if child.tag in (f"{_SVG}metadata", f"{_SVG}style") or not child.tag.startswith(_SVG):
            continue
        copied = _copy(child, name, pointed)
        if copied.tag == "g" and not copied.attrib:
            made.extend(copied)
        elif copied.tag not in ("g", "defs") or len(copied):
            made.append(copied)
    return made


def _attributes(element: ET.Element, name: str, pointed: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in element.attrib.items():
        if key == "style":
            for part in value.split(";"):
                property_, _, said = part.partition(":")
                found[property_.strip()] = said.strip()
        elif key != "id" or value in pointed:
            found["href" if key == _LINK else key] = value
    found = {key: _value(key, value, name) for key, value in found.items() if key != "font-family"}
    if element.tag == f"{_SVG}text":
        found.setdefault("fill", "currentColor")
    return found


def _value(key: str, value: str, name: str) -> str:
    if key == "id":
        return f"{name}-{value}"
    if value == INK:
        return "currentColor"
    value = _POINTER.sub(rf"#{name}-\1", value) if key in ("href", "clip-path") or value.startswith("url(") else value
    return _NUMBER.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), value).replace("\n", "")
