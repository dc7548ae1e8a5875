"""Limits on merged states: the verdict, and the exit code, of one check of all rows."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xentcli
from tests.conftest import Call, csv
from xentcli.errors import DataError, UsageError

merge: Any = xentcli.merge
check: Any = xentcli.check

Q = np.random.default_rng(2).dirichlet(np.ones(3), 60)
Y = np.random.default_rng(5).integers(0, 3, 60)
SITES = ["north", "south", "east"] * 20
PARTS = [slice(0, 13), slice(13, 20), slice(20, 60)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def states(command: Any, **options: Any) -> list[str]:
    paths = []
    for number, part in enumerate(PARTS):
        paths.append(f"{number}.json")
        command(Q[part], Y[part], by={"site": SITES[part]}, state=paths[-1], **options)
    return paths[::-1]


def verdict(result: Any) -> dict[str, Any]:
    """The document of a check but for the inputs, options and what explains a failure, which takes the rows."""
    found = dict(result.to_dict())
    for name in ("inputs", "options", "reasons"):
        found.pop(name)
    return found


LIMITS: dict[str, dict[str, Any]] = {
    "held": {"max": {"cost": 9.0}},
    "failed": {"max": {"cost": 0.2}, "min": {"accuracy": 0.1}},
    "each": {"max_each": {"cost": 1.4, "cost@n*": 0.1}, "min_each": {"accuracy": 0.2}, "min_rows": 3},
    "a metric": {"max": {"ece": 0.001}, "fail_on_warning": "all"},
    "no verdict": {"max": {"temperature_gain": 1.0}},
}


@pytest.mark.parametrize("case", LIMITS)
def test_states_of_checks_give_the_verdict_of_one(case: str) -> None:
    rules = LIMITS[case]
    whole = check(Q, Y, by={"site": SITES}, **rules)
    merged = merge(states(check, **rules))
    if case == "no verdict":
        # A fit takes the files.
        assert (merged.verdict, merged.exit_code) == ("no_verdict", 5)
        assert "states have none" in merged.checks[0].reason
        return
    assert verdict(merged) == verdict(whole)
    merge(["0.json", "1.json"], state="first.json")
    assert verdict(merge(["2.json", "first.json"])) == verdict(whole)


@pytest.mark.parametrize("case", ["held", "failed", "each"])
def test_limits_that_are_given_to_the_merge_hold_for_scores(case: str) -> None:
    rules = LIMITS[case]
    paths = states(xentcli.score, metrics="cost,accuracy", metrics_needed=["brier"])
    whole = check(Q, Y, by={"site": SITES}, metrics="cost,accuracy", metrics_needed=["brier"], **rules)
    assert verdict(merge(paths, **rules)) == verdict(whole)


def test_limits_of_the_runs_and_of_the_merge_are_both_held() -> None:
    paths = states(check, max={"cost": 9.0})
    assert [c.name for c in merge(paths, min={"accuracy": 0.99}).checks] == ["max cost", "min accuracy"]
    assert merge(paths, min={"accuracy": 0.99}).verdict == "fail"
    assert merge(paths, max={"cost": 9.0}).checks == merge(paths).checks


def test_what_cannot_be_held_is_refused() -> None:
    check(Q[:30], Y[:30], max={"cost": 9.0}, state="a.json")
    check(Q[30:], Y[30:], max={"cost": 8.0}, state="b.json")
    with pytest.raises(DataError, match=r"other limits: --max cost=8, and --max cost=9 in a\.json"):
        merge(["a.json", "b.json"])
    xentcli.score(Q, Y, state="s.json")
    with pytest.raises(DataError, match=r"xent score, and xent check in a\.json"):
        merge(["a.json", "s.json"])
    with pytest.raises(DataError, match="--max ece: the runs that were merged did not compute it"):
        merge(["s.json"], max={"ece": 1.0})
    with pytest.raises(UsageError, match="--by COLUMN"):
        merge(["s.json"], max_each={"cost": 1.0})
    xentcli.score(Q, Y, by={"site": SITES}, state="g.json")
    with pytest.raises(DataError, match="--min-each accuracy"):
        merge(["g.json"], min_each={"accuracy": 0.1})
    xentcli.calibration(Q, Y, fit="none", state="c.json")
    with pytest.raises(DataError, match="not of xent calibration"):
        merge(["c.json"], max={"cost": 1.0})
    check(Q, Y, write_baseline="old.npz")
    with pytest.raises(UsageError, match="--state has sums, and --max-regression pairs rows"):
        check(Q, Y, baseline="old.npz", max_regression={"cost": 0.1}, state="r.json")
    assert not Path("r.json").exists()


def test_the_last_job_of_a_matrix_gates(call: Call) -> None:
    Path("q.csv").write_text(csv(Q.tolist(), ["0", "1", "2"]), encoding="utf-8")
    Path("y.csv").write_text(csv([[int(y)] for y in Y], ["truth"]), encoding="utf-8")
    for index in "123":
        assert call("score", "q.csv", "y.csv", "--shard", f"{index}/3", "--state", f"s{index}.json").code == 0
    done = call("merge", "s?.json", "--max", "cost=0.3", "--junit", "j.xml", "--format", "json")
    assert done.code == 1
    shown = " ".join(call("merge", "s?.json", "--max", "cost=0.3").out.split())
    assert "The limit failed: exit 1. States have no rows: xent check with the same limits on the files shows" in shown
    assert ET.parse("j.xml").getroot().attrib["failures"] == "1"
    done = call("merge", "s?.json", "--max", "cost=9", "--min", "accuracy=0.01", "-o", "v.json")
    assert done.code == 0
    assert "Both limits passed. Inputs were read" in done.out
    Path("s2.json").unlink()
    done = call("merge", "s?.json", "--max", "cost=9", "--junit", "j.xml")
    assert done.code == 3
    assert ET.parse("j.xml").getroot().attrib["errors"] == "1"
    assert call("merge", "s1.json", "--junit", "k.xml").code in (2, 3)
    assert call("check", "q.csv", "y.csv", "--max", "cost=0.1", "--state", "c.json").code == 1
    assert call("merge", "c.json").code == 1
