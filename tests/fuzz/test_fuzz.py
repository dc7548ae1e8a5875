"""A short run of the fuzzer; the longer one is in its first lines."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.faults import environment, needed
from tests.fuzz.readers import FORMATS, check, seeds
from tests.laws import LONG

# So many runs rather than seconds: whether a commit passes does not depend on the machine's speed.
RUNS = 20_000 if LONG else 1000


def test_what_the_fuzzer_starts_with_holds(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    seeds(corpus)
    found = sorted(corpus.iterdir())
    assert len(found) > 200
    assert {FORMATS[path.read_bytes()[0]] for path in found} == set(FORMATS)
    for path in found:
        check(path.read_bytes(), tmp_path)


def test_a_short_run_finds_nothing(tmp_path: Path) -> None:
    if sys.version_info >= (3, 14) or sys.platform != "linux":
        pytest.skip("atheris has no wheel for this platform")
    needed("atheris", importlib.util.find_spec("atheris") is not None)
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.readers",
        f"-runs={RUNS}",
        "-seed=1",
        "-max_len=700",
        "-timeout=20",
    ]
    env = {**environment(), "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"Done {RUNS} runs" in done.stderr, done.stderr[-500:]
    assert not [name for name in os.listdir(tmp_path) if name.startswith(("crash", "oom", "timeout"))]
