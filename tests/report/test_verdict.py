"""assert check(...).verdict == "pass": pytest shows the screen; in all else a verdict is its word."""

from __future__ import annotations

import copy
import json
import os
import pickle
from pathlib import Path

import pytest

import xentcli
from tests.conftest import started

DATA = ([[0.7, 0.3], [0.4, 0.6]], [0, 0])
TEST = """
import xentcli

def test_the_model():
    assert xentcli.check([[0.7, 0.3], [0.4, 0.6]], [0, 0], max={"cost": 0.5}, min={"accuracy": 0.5}).verdict == "pass"
"""


@pytest.mark.parametrize(("most", "passes"), [(1.0, True), (0.1, False)])
def test_a_check_is_true_where_it_passes(most: float, passes: bool) -> None:
    found = xentcli.check(*DATA, max={"cost": most})
    assert bool(found) is (found.exit_code == 0) is passes


@pytest.mark.parametrize("options", [(), ("-v",), ("-vv",)])
@pytest.mark.parametrize("server", [True, False])
def test_pytest_shows_the_screen(tmp_path: Path, server: bool, options: tuple[str, ...]) -> None:
    (tmp_path / "test_model.py").write_text(TEST)
    env = {name: value for name, value in os.environ.items() if name not in ("CI", "BUILD_NUMBER", "PYTEST_ADDOPTS")}
    # Other plugins would take most of the time.
    env |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **({"CI": "true"} if server else {})}
    args = ["-p", "no:cacheprovider", *options, "test_model.py"]
    ended = f"import os, sys, pytest; code = pytest.main({args}); sys.stdout.flush(); os._exit(code)"
    done = started([], tmp_path, env, before=ended)
    assert done.returncode == 1
    screen = str(xentcli.check(*DATA, max={"cost": 0.5}, min={"accuracy": 0.5})).splitlines()
    shown = [line.removeprefix("E").strip().removeprefix("+").strip() for line in done.stdout.decode().splitlines()]
    # Without -vv and out of CI pytest shows the first lines alone.
    for line in screen if server or "-vv" in options else screen[:2]:
        assert line.strip() in shown, done.stdout


def test_a_verdict_is_its_word() -> None:
    report = xentcli.check(*DATA, max={"cost": 0.5})
    verdict = report.verdict
    assert (verdict, hash(verdict), repr(verdict), f"{verdict}") == ("fail", hash("fail"), "'fail'", "fail")
    assert json.dumps(verdict) == '"fail"'
    assert {"fail": 1}[verdict] == 1
    assert (verdict[0], verdict[-1], verdict[1:3], verdict[:]) == ("f", "l", "ai", "fail")
    for other in (copy.deepcopy(report), pickle.loads(pickle.dumps(report))):
        assert other == report
        assert other.verdict.splitlines() == verdict.splitlines() == ["fail", *str(report).splitlines()]
