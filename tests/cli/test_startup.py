"""What a command imports: nothing that it does not need, so that it starts at once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import xentcli
from tests.conftest import Write
from xentcli.cli import main

HEAVY = {
    "click",
    "rich",
    "numpy",
    "pandas",
    "pyarrow",
    "dask",
    "distributed",
    "tornado",
    "scipy",
    "matplotlib",
    "jinja2",
}


def imported(folder: Path, *command: str) -> set[str]:
    """The modules that a Python command imports, by Python's own log, and the packages that they are in."""
    # Without an environment of its own it had COLUMNS, which readline sets behind Python's back.
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command],
        cwd=folder, env=environment, capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
    names = re.findall(r"^import time:.*\| +(\S+)$", done.stderr, flags=re.MULTILINE)
    return {*names, *(name.partition(".")[0] for name in names)}


@pytest.fixture(autouse=True)
def files(write: Write) -> None:
    write("x.csv", "cat,dog\n0.7,0.3\n0.4,0.6\n")
    write("y.csv", "truth\ncat\ndog\n")
    np.save(write("x.npy", ""), np.array([[0.7, 0.3]]))
    np.save(write("y.npy", ""), np.array([0]))
    xentcli.score(np.array([[0.7, 0.3]]), np.array([0]), state=write("s.json", ""))


def test_the_library_is_light_to_import(tmp_path: Path) -> None:
    found = imported(tmp_path, "-c", "import xentcli; xentcli.__version__")
    assert "xentcli" in found
    assert not found & HEAVY


@pytest.mark.parametrize(
    ("args", "allowed"),
    [
        (("--help",), {"click"}),
        (("--version",), {"click"}),
        (("score", "--help"), {"click"}),
        (("score", "x.csv", "y.csv", "--quiet"), {"click", "numpy"}),
        (("score", "x.csv", "y.csv", "--get", "accuracy"), {"click", "numpy"}),
        (("score", "x.csv", "y.csv", "--format", "json"), {"click", "numpy"}),
        (("score", "x.csv", "y.csv", "--per-example", "-"), {"click", "numpy"}),
        (("check", "x.csv", "y.csv", "--max", "cost=1", "-q"), {"click", "numpy"}),
        (("score", "x.csv", "y.csv"), {"click", "numpy", "rich"}),
        (("score", "x.npy", "y.npy", "--quiet"), {"click", "numpy"}),
        (("merge", "s.json", "--quiet"), {"click", "numpy"}),
        (("merge", "s.json", "--format", "json"), {"click", "numpy"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_command_imports_no_more_than_it_needs(tmp_path: Path, args: tuple[str, ...], allowed: set[str]) -> None:
    found = imported(tmp_path, "-m", "xentcli", *args)
    assert "click" in found
    assert found & HEAVY <= allowed
    # They are for the workers of another machine.
    assert not found & {"xentcli.engine.cluster", "xentcli.engine.connect", "xentcli.engine.travel"}
    # A fifth of the time of a small score; np.unique imports it.
    assert "numpy.ma" not in found
    others = {f"xentcli.cli.{name}" for name in main.commands} - {f"xentcli.cli.{args[0]}"}
    assert args == ("--help",) or not found & others
    if args[0] == "merge":
        # A state says what was read: nothing is opened, paired or scored again.
        opening = {
            "xentcli.readers.npy",
            "xentcli.readers.arrow",
            "xentcli.readers.text.fields",
            "xentcli.readers.objects",
        }
        assert not found & opening
    # What writes is needed only where something is written.
    writing = {"xentcli.atomic", "xentcli.writers.per_example"}
    assert "--per-example" in args or "rich" in allowed or not found & writing


@pytest.mark.parametrize(
    ("args", "most"),
    [
        (("--help",), 16),
        (("score", "x.csv", "y.csv"), 143),
        (("score", "x.npy", "y.npy"), 138),
        (("check", "x.csv", "y.csv", "--max", "cost=1"), 175),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_command_imports_few_modules_of_ours(tmp_path: Path, args: tuple[str, ...], most: int) -> None:
    # Each takes as long as scoring some thousand rows; what only a refusal needs, the function that refuses imports.
    every = imported(tmp_path, "-m", "xentcli", *args)
    found = {name for name in every if name.startswith("xentcli.")}
    assert len(found) <= most, sorted(found)
    assert "xentcli.pairing.suggest" not in found
    # A pipe has no width that a table must fit; each of these takes as long as ten modules of ours.
    assert args[0] != "score" or not every & {"json", "rich.console", "shutil"}


def test_a_usage_error_is_told_without_numpy(tmp_path: Path) -> None:
    code = "import sys, xentcli.cli as c\ntry: c.main(['score', 'x.csv', '--nonsense'])\nexcept SystemExit: pass"
    assert not imported(tmp_path, "-c", code) & {"numpy", "pandas", "rich"}


def test_xentcli_knows_no_names_but_its_own() -> None:
    import xentcli

    assert callable(xentcli.score)
    assert callable(xentcli.explain)
    assert callable(xentcli.check)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = xentcli.nonsense  # type: ignore[attr-defined]
    assert set(xentcli.__all__) >= {"__version__", "check", "explain", "score"}
