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
from xentcli.records import replace
from xentcli.report.checks import Checks
from xentcli.report.comparison import Comparison
from xentcli.report.document import Document, Table
from xentcli.report.explanation import Explanation
from xentcli.report.report import Report
from xentcli.version import __version__
from xentcli.writers import json as json_writer
from xentcli.writers.grid import Grid
from xentcli.writers.safe import terminal
from xentcli.writers.web.explanation import Lesson
from xentcli.writers.web.sections import sections
from xentcli.writers.web.tables import digits, is_long, is_whole, shape

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

    Raises UsageError if Jinja is not installed.
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
        "sections": [] if explained else sections(document),
        "tables": [digits(table) for table in _tables(document)],
        "is_table": lambda part: isinstance(part, Grid),
    }
    if isinstance(document, Explanation):
        lesson = Lesson(document)
        values |= {"lesson": lesson, "constants": _data(lesson.constants)}
    name = "explanation.html.j2" if explained else "report.html.j2"
    text: str = _environment().get_template(name).render(values)
    return text


def _tables(document: Document) -> list[Table]:
    """Every table of a document, and of the details of its score or comparison; of several checks those of each."""
    if isinstance(document, Checks):
        reports = [(check.name, check.report) for check in document.checks if check.report is not None]
        each = [replace(table, title=f"{name}: {table.title}") for name, one in reports for table in _tables(one)]
        return [*document.tables(), *each]
    tables, report = list(document.tables()), getattr(document, "report", document)
    if isinstance(report, Report) and report.details is not None:
        there = {"classes": report.by_class, "worst rows": report.worst}
        more = report.details.tables(report.unit, report.classes)
        for table in more:
            asked = there.get(table.title, ())
            if len(asked) < len(table.rows):
                title = f"{table.title}: the first {len(table.rows)}" if asked else table.title
                tables.append(replace(table, title=title))
    if isinstance(report, Comparison) and report.details is not None:
        tables += report.details.tables(report.unit)
    return tables


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
    made.filters["shape"] = shape
    made.tests |= {"whole": is_whole, "long": is_long}
    return made


def _text(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


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
