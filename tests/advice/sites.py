"""Where the package gives advice: every text outside a message that has an option, a command or a line of code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import xentcli

__all__ = ["Site", "sites"]

PACKAGE = Path(xentcli.__file__).parent
FOLLOWED = re.compile(
    r"(?<![\w-])--[a-z][a-z-]+"
    r"|\bxent (score|check|explain|compare|calibration|merge)\b"
    r"|\b(numpy|pandas|pyarrow|json|frame|array|tensor|scipy)\.\w+"
    r"|\b(python3?|sed|grep|jq|iconv|head|tail|tr|awk|pip|ulimit|unzip|gunzip|gzip|tar) "
)
"""What can be followed to the letter: an option, a command of xent, a line of Python, a command of the shell."""
_OTHERS = (
    "cli/options.py",
    "settings/",
    "options.py",
    "typed.py",
    "cli/__init__.py",
    "__main__.py",
    "scoring/compat.py",
    "scoring/kinds.py",
    "scoring/metrics.py",
    "report/json_schema.py",
    "writers/",
    "cli/check.py",
    "cli/score.py",
)
"""Tables of options with their help texts and examples, which other tests hold; figures and remarks on them."""
_MESSAGES = frozenset({"message", "what", "why", "note", "said", "help"})


class Site(NamedTuple):
    """A text of advice: where it stands, and the pattern of the lines that it gives."""

    file: str
    line: int
    text: str
    pattern: re.Pattern[str]

    def __str__(self) -> str:
        """Return the place and the text."""
        return f"{self.file}:{self.line}: {self.text}"


def sites() -> list[Site]:
    """Return all sites in the package."""
    found: list[Site] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(_OTHERS):
            found += _in_module(ast.parse(path.read_text()), name)
    return found


def _in_module(tree: ast.Module, name: str) -> Iterator[Site]:
    nodes = [*ast.walk(tree)]
    skipped = {id(node) for part in _not_advice(nodes) for node in ast.walk(part)}
    inside = {id(value) for node in nodes if isinstance(node, ast.JoinedStr) for value in node.values}
    for node in nodes:
        if id(node) in skipped or id(node) in inside:
            continue
        text = _template(node)
        if text is not None and not re.fullmatch("--[a-z-]+", text) and FOLLOWED.search(text.replace("\0", "X")):
            # A file that is there is not written onto: another name stands in its place.
            parts = [re.sub(r"'\w+\\\.\w+'|\\{path!r\\}", "'.*'", re.escape(part)) for part in text.split("\0")]
            pattern = re.compile(".*".join(parts))
            yield Site(name, node.lineno, text.replace("\0", "{}"), pattern)  # type: ignore[attr-defined]


def _template(node: ast.AST) -> str | None:
    """A text literal with NUL for each placeholder of an f-string; None if the node is not a text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(v.value if isinstance(v, ast.Constant) else "\0" for v in node.values)  # type: ignore[misc]
    return None


def _not_advice(nodes: list[ast.AST]) -> Iterator[ast.AST]:
    """Docstrings, the messages of errors and warnings, and what is compared or looked up."""
    for node in nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node
        elif isinstance(node, ast.Call) and _name(node.func).endswith(
            ("Error", "NoVerdict", "RuleError", "Rule", "_unfit")
        ):
            yield from node.args
        elif isinstance(node, ast.Call) and _name(node.func) == "Warning":
            yield from node.args[:2]
        elif isinstance(node, ast.Call) and _name(node.func) in ("Option", "needed", "_expected"):
            yield node
        elif isinstance(node, ast.keyword) and node.arg == "examples":
            yield node.value
        elif isinstance(node, ast.Compare):
            yield node
        elif isinstance(node, ast.Assign) and any(_name(target) in _MESSAGES for target in node.targets):
            yield node.value
        elif isinstance(node, ast.Call) and _name(node.func) in ("compile", "endswith", "startswith", "removeprefix"):
            yield from node.args


def _name(node: ast.AST) -> str:
    return getattr(node, "id", getattr(node, "attr", ""))
