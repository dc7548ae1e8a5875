"""Results as one HTML file that needs no network: a report to look at, and the explanation that can be played with.

The policy of a page allows its own style sheet, and of the explanation its own script, by their hashes; nothing else
is loaded or run. Without both the page is complete: headings, tables with all numbers, then pictures.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import Any

from xentcli.extras import needed
from xentcli.report.document import Document
from xentcli.report.explanation import Explanation
from xentcli.version import __version__
from xentcli.writers import json as json_writer
from xentcli.writers.pages import Grid, page
from xentcli.writers.safe import terminal
from xentcli.writers.web.explanation import Lesson

__all__ = ["render"]

_TITLES = {
    "report": "Cross-entropy report",
    "comparison": "Comparison of models",
    "calibration": "Calibration report",
    "check": "Check of a model",
    "checks": "Checks of models",
    "causes": "Why the cost is high",
    "explanation": "How the cross-entropy loss of one prediction is calculated",
}


def render(document: Document, width: int | None = None, color: bool = False) -> str:
    """Return the page of a document.

    Raises
    ------
    UsageError
        Where Jinja is not installed.
    """
    explained = isinstance(document, Explanation)
    style, script = _text("page.css"), _text("explain.js") if explained else ""
    values: dict[str, Any] = {
        "title": _TITLES[document.NAME],
        "style": style,
        "script": script,
        "policy": _policy(style, script),
        "version": __version__,
        "json": _data(json_writer.render(document)),
        "parts": page(document),
        "tables": document.tables(),
        "is_table": lambda part: isinstance(part, Grid),
    }
    if isinstance(document, Explanation):
        lesson = Lesson(document)
        values |= {"lesson": lesson, "state": _data(lesson.state)}
    name = "explanation.html.j2" if explained else "report.html.j2"
    text: str = _environment().get_template(name).render(values)
    return text


@lru_cache(maxsize=1)
def _environment() -> Any:
    """The templates, which escape all values."""
    jinja2 = needed("jinja2", "report")
    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(_text),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: terminal(value) if type(value) is str else value,
    )
    made.filters["full"] = _full
    return made


def _text(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _full(value: object) -> str:
    """A number with all its digits, or a text."""
    return "" if value is None else str(value)


def _data(text: str) -> Any:
    """JSON that no HTML parser takes for markup."""
    markup = needed("markupsafe", "report").Markup
    return markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def _policy(style: str, script: str) -> str:
    """The content security policy: nothing but the style sheet and the script, by their hashes."""
    allowed = "; ".join(f"{what}-src '{_hash(text)}'" for what, text in (("style", style), ("script", script)) if text)
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
