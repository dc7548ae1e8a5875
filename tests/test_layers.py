"""The house: imports run one way, and importing the library stays cheap."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "xentcli"
GROUND = {
    "arrays",
    "atomic",
    "attempts",
    "errors",
    "extras",
    "given",
    "heap",
    "options",
    "records",
    "signals",
    "typed",
    "urls",
    "version",
}
"""The modules that stand beside the rooms; they import each other alone."""
ROOMS: dict[str, set[str]] = {
    "columns": set(),
    "readers": {"columns"},
    "scoring": set(),
    "report": {"columns", "scoring"},
    "settings": {"columns", "readers", "scoring", "report"},
    "pairing": {"columns", "readers", "scoring", "settings"},
    "tallies": {"columns", "scoring"},
    "engine": {"columns", "readers", "scoring", "report", "pairing", "tallies"},
    "analysis": {"columns", "readers", "scoring", "report", "settings", "pairing", "tallies", "engine"},
    "writers": {"scoring", "report"},
    "cli": {"columns", "readers", "scoring", "report", "settings", "engine", "analysis", "writers"},
}
"""The rooms that each room may import, beside itself and the ground."""
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def room_of(module: str) -> str:
    """The room of a module by its full name; that of the ground is empty."""
    name = module.split(".")[1]
    return "" if name in GROUND else name


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


KNOWN = {name_of(path) for path in MODULES}


@functools.cache
def import_statements(path: Path) -> list[ast.Import | ast.ImportFrom]:
    """The imports of a file, at its top or within a function."""
    found: list[ast.Import | ast.ImportFrom] = []
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.append(node)
        # Expressions, most of a tree, have none.
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(node, block, ())
    return found


def imports(path: Path) -> Iterator[str]:
    """Every module of the package that a file imports."""
    for node in import_statements(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in KNOWN)
            continue
        assert node.level == 0, f"{path}: a relative import"
        for alias in node.names:
            full = f"{node.module}.{alias.name}"
            if full in KNOWN or node.module in KNOWN:
                yield full if full in KNOWN else str(node.module)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_the_rooms_before_its_own_alone(path: Path) -> None:
    name = name_of(path)
    if name in ("xentcli", "xentcli.__main__"):
        return
    own = room_of(name)
    allowed = {"", own} | (ROOMS[own] if own else set())
    assert not [other for other in imports(path) if other != "xentcli" and room_of(other) not in allowed]


def test_no_circle_of_modules() -> None:
    graph = {name_of(path): {other for other in imports(path) if other != "xentcli"} for path in MODULES}
    graph.pop("xentcli")
    while graph:
        free = {name for name, needs in graph.items() if not (needs - {name}) & set(graph)}
        assert free, f"a circle among {sorted(graph)}"
        for name in free:
            del graph[name]


def test_every_module_has_a_room() -> None:
    tops = {name_of(path).split(".")[1] for path in MODULES if name_of(path) != "xentcli"} - {"__main__"}
    assert tops == GROUND | ROOMS.keys()


def test_the_rooms_stand_in_a_row() -> None:
    assert all(ROOMS[room] <= set(list(ROOMS)[:place]) for place, room in enumerate(ROOMS))


def test_importing_the_library_loads_nothing_heavy() -> None:
    code = "import sys, xentcli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"click", "rich", "pandas", "pyarrow", "dask", "numpy"}


def imported_packages(folder: Path) -> set[str]:
    """The packages other than those of Python and our own that the files of a folder import."""
    found = set()
    for path in folder.rglob("*.py"):
        # Such a file says itself which missing types it can do without.
        for node in [] if "# mypy: " in path.read_text(encoding="utf-8") else import_statements(path):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            found |= {name.partition(".")[0] for name in names}
    beside = {path.stem for path in folder.glob("*.py")}
    return found - beside - sys.stdlib_module_names - {"xentcli", "tests", "sample_data", "benchmarks"}


def test_the_test_extra_has_all_that_tests_import() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    installed = {re.split(r"[\[><=;]", requirement)[0] for requirement in extra}
    called = {"yaml": "pyyaml", "sklearn": "scikit-learn", "markdown_it": "markdown-it-py"}
    names = {called.get(name, name.replace("_", "-")) for name in imported_packages(ROOT / "tests")}
    # Tests with torch are skipped where it is not installed: it is too large to ask for.
    needed = names - {"torch"}
    assert needed <= installed


def test_the_lint_extra_has_the_types_of_all_that_mypy_reads() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extra = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["lint"]]
    installed = {re.split("[><=;]", requirement)[0] for requirement in extra}
    mypy = project["tool"]["mypy"]
    ignored = {name.removesuffix(".*") for rule in mypy["overrides"] for name in rule["module"]}
    for folder in mypy["files"]:
        for package in imported_packages(ROOT / folder) - ignored:
            name = {"markdown_it": "markdown-it-py", "yaml": "PyYAML"}.get(package, package)
            assert {name, f"{name}-stubs", f"types-{name}"} & installed, f"{package}, of {folder}"


def test_documents_find_their_writers_by_name_and_nothing_else_goes_round_the_layers() -> None:
    by_name = {name_of(path) for path in MODULES if 'import_module(f"xentcli.' in path.read_text(encoding="utf-8")}
    assert by_name == {"xentcli.report.document", "xentcli.writers.table", "xentcli.cli"}
