"""The house: imports run one way, and importing the library stays cheap."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "xentcli"
# A module may import modules of its own row and of rows before it, never of a later row.
LEVELS = [
    {"arrays", "errors", "records", "signals", "student", "twins", "version", "compat", "extras", "typed", "attempts"},
    {"atomic", "kinds", "metrics", "rows"},
    {"report", "exact", "reduction"},
    {"batch", "checks"},
    {"losses", "readers", "settings"},
    {"sums", "pairing"},
    {"tallies"},
    {"scores", "grouped"},
    {"slices", "bases", "symptoms", "helpers"},
    {"reordering", "diagnosis"},
    {"engine", "scorer", "summary"},
    {"shifts"},
    {"evaluation", "explanation", "causes"},
    {"gates"},
    {"writers"},
    {"cli"},
]
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def level(module: str) -> int:
    return next(index for index, names in enumerate(LEVELS) if module in names)


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[str]:
    """Every module of the package that a file imports, at its top or within a function."""
    known = {name_of(other) for other in MODULES}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if full in known or node.module in known:
                    yield full if full in known else str(node.module)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_never_run_to_a_later_layer(path: Path) -> None:
    name = name_of(path)
    if name in ("xentcli", "xentcli.__main__"):
        return
    own = level(name.split(".")[1])
    wrong = [other for other in imports(path) if other != "xentcli" and level(other.split(".")[1]) > own]
    assert not wrong


def test_no_circle_of_modules() -> None:
    graph = {name_of(path): {other for other in imports(path) if other != "xentcli"} for path in MODULES}
    graph.pop("xentcli")
    while graph:
        free = {name for name, needs in graph.items() if not (needs - {name}) & set(graph)}
        assert free, f"a circle among {sorted(graph)}"
        for name in free:
            del graph[name]


def test_every_module_has_a_layer() -> None:
    tops = {name_of(path).split(".")[1] for path in MODULES if name_of(path) != "xentcli"} - {"__main__"}
    assert tops == set().union(*LEVELS)


def test_importing_the_library_loads_nothing_heavy() -> None:
    code = "import sys, xentcli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"click", "rich", "pandas", "pyarrow", "dask", "numpy"}


def imported_packages(folder: Path) -> set[str]:
    """The packages other than those of Python and our own that the files of a folder import."""
    found = set()
    for path in folder.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        # Such a file says itself which missing types it can do without.
        for node in [] if "# mypy: " in text else ast.walk(ast.parse(text)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {name.partition(".")[0] for name in names}
    return found - sys.stdlib_module_names - {"xentcli", "tests", "sample_data", "benchmarks"}


def test_the_lint_extra_has_the_types_of_all_that_mypy_reads() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extra = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["lint"]]
    installed = {re.split("[><=;]", requirement)[0] for requirement in extra}
    mypy = project["tool"]["mypy"]
    ignored = {name.removesuffix(".*") for rule in mypy["overrides"] for name in rule["module"]}
    for folder in mypy["files"]:
        for package in imported_packages(ROOT / folder) - ignored:
            name = {"markdown_it": "markdown-it-py"}.get(package, package)
            assert {name, f"{name}-stubs", f"types-{name}"} & installed, f"{package}, of {folder}"
