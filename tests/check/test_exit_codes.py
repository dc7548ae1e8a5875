"""The exit codes of the real process, each by its own cause; 1 is a failed limit, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import XENT, Run, Write
from tests.faults import environment

GOOD = "cat,dog\n0.9,0.1\n0.2,0.8\n0.7,0.3\n"
WORSE = "cat,dog\n0.6,0.4\n0.1,0.9\n0.7,0.3\n"
LABELS = "truth\ncat\ndog\ncat\n"
FILES = ("good.csv", "labels.csv")
WORSE_FILES = ("worse.csv", "labels.csv")
PAIRED = ("--baseline", "main.npz", "--max-regression", "cost=1%")

CAUSES: list[tuple[int, tuple[str, ...], str]] = [
    (0, (*FILES, "--max", "cost=1"), ""),
    (0, (*FILES, *PAIRED), ""),
    (0, (*FILES, "--write-baseline", "new.npz"), ""),
    (0, (*FILES, "--fail-on-warning", "all"), ""),
    (1, (*FILES, "--max", "cost=0.1"), ""),
    (1, (*FILES, "--min", "accuracy=1", "--max", "kl=1", "--max", "ppl=1"), ""),
    (1, ("zero.csv", "labels.csv", "--max", "cost=1e308"), ""),
    (1, ("site.csv", "--label", "t", "--by", "site", "--max-each", "cost=0.2"), ""),
    (1, ("zero.csv", "labels.csv", "--fail-on-warning", "infinite"), ""),
    (1, ("many.csv", "many-labels.csv", "--baseline", "many.npz", "--max-regression", "cost=1%"), ""),
    (2, FILES, "nothing to check"),
    (2, (*FILES, "--baseline", "main.npz"), "nothing to check"),
    (2, (*FILES, "--max", "f1=1"), "there is no metric 'f1'"),
    (2, (*FILES, "--max-regression", "ppl=2%", "--baseline", "main.npz"), "not a mean over rows"),
    (2, (*FILES, "--fail-on-warning", "shifty"), "did you mean shifted?"),
    (2, (*FILES, *PAIRED, "--write-baseline", "main.npz"), "is an input"),
    (2, (*FILES, "--baseline", "good.csv", "--max-regression", "cost=0"), "is the file of the predictions"),
    (2, (*FILES, "--max", "cost=1", "--frobnicate"), "No such option"),
    (3, ("bad.csv", "labels.csv", "--max", "cost=0.1"), "row 2"),
    (3, ("shuffled.csv", "--label", "t", "--baseline", "site.npz", "--max-regression", "cost=0"), "its labels are not"),
    (3, (*FILES, "--baseline", "no-losses.csv", "--max-regression", "cost=0"), "no-losses.csv: there are no rows"),
    (3, (*FILES, "--baseline", "spoiled.json", "--max-regression", "cost=0"), "not a report"),
    (3, (*FILES, "--baseline", "many.npz", "--max-regression", "cost=0"), "it has 200 rows, and the run 3"),
    (4, ("nowhere.csv", "labels.csv", "--max", "cost=0.1"), "cannot be read"),
    (4, (*FILES, "--baseline", "none.npz", "--max-regression", "cost=0"), "there is no baseline yet"),
    (4, (*FILES, "--write-baseline", "no/such/folder/b.npz"), "cannot be written"),
    (4, (*FILES, "--max", "cost=0.1", "-o", "no/such/folder/r.json"), "cannot be written"),
    (5, (*FILES, "--max", "kl=1"), ""),
    (5, ("site.csv", "--label", "t", "--by", "site", "--max-each", "cost@west=9"), ""),
    (5, ("site.csv", "--label", "t", "--by", "site", "--max-each", "cost=9", "--min-rows", "9"), ""),
    (5, (*WORSE_FILES, *PAIRED, "--strict"), ""),
    (5, ("empty.csv", "none.csv", "--max", "cost=0.1"), "there are no rows"),
    (5, ("one.csv", "one-label.csv", "--baseline", "same.csv", "--max-regression", "cost=0"), ""),
]


@pytest.fixture
def files(write: Write, xent: Run, tmp_path: Path) -> None:
    write("good.csv", GOOD)
    write("worse.csv", WORSE)
    write("labels.csv", LABELS)
    write("zero.csv", GOOD.replace("0.9,0.1", "0,1"))
    write("bad.csv", GOOD.replace("0.2,0.8", "0.2,x"))
    write("empty.csv", "cat,dog\n")
    write("none.csv", "truth\n")
    write("no-losses.csv", "loss,weight\n")
    write("one.csv", "cat,dog\n0.9,0.1\n")
    write("same.csv", "cat,dog\n0.9,0.1\n")
    write("one-label.csv", "truth\ncat\n")
    assert xent("score", *FILES, "-o", "good.json").returncode == 0
    report = json.loads((tmp_path / "good.json").read_text())
    write("spoiled.json", json.dumps({**report, "cost": "abc"}))
    write("site.csv", "cat,dog,site,t\n0.9,0.1,n,cat\n0.2,0.8,s,dog\n0.7,0.3,s,cat\n")
    write("shuffled.csv", "cat,dog,site,t\n0.9,0.1,n,cat\n0.2,0.8,s,cat\n0.7,0.3,s,dog\n")
    write("many-old.csv", "cat,dog\n" + "0.9,0.1\n" * 100 + "0.8,0.2\n" * 100)
    write("many.csv", "cat,dog\n" + "0.8,0.2\n" * 100 + "0.7,0.3\n" * 100)
    write("many-labels.csv", "truth\n" + "cat\n" * 200)
    for name, rest in (("many-old", ("many-labels.csv",)), ("good", ("labels.csv",)), ("site", ("--label", "t"))):
        kept = {"many-old": "many", "good": "main"}.get(name, name)
        assert xent("check", f"{name}.csv", *rest, "--write-baseline", f"{kept}.npz").returncode == 0


def test_each_code_by_its_own_cause(files: None, xent: Run) -> None:
    for code, words, message in CAUSES:
        done = xent("check", *words)
        assert done.returncode == code, (words, done)
        assert message in done.stderr, (words, done)
        assert bool(done.stdout) == (code in (0, 1, 5) and not message), (words, done)
        if code not in (1, 5):
            assert "FAIL" not in done.stdout
    assert {code for code, _, _ in CAUSES} == set(range(6))


def test_an_incomplete_installation_is_no_failed_limit(files: None, tmp_path: Path) -> None:
    code = "import sys; sys.modules['click'] = None; from xentcli.__main__ import start; start()"
    done = subprocess.run(
        [sys.executable, "-c", code, "check", *FILES, "--max", "cost=0.1"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 70
    assert done.stderr.startswith(b"xent: the installation is incomplete: ") and b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_an_output_that_cannot_be_written_is_no_failed_limit(files: None, tmp_path: Path) -> None:
    for target in ("/dev/full",):
        with open(target, "w", encoding="utf-8") as full:
            done = subprocess.run(
                [*XENT, "check", *FILES, "--max", "cost=0.1"],
                cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, env=environment(), check=False,
            )  # fmt: skip
        assert done.returncode == 4, done


def test_a_reader_that_went_away_is_no_failed_limit(files: None, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [*XENT, "check", *FILES, "--max", "cost=0.1"]
    done = subprocess.run(command, cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, env=environment(), check=False)
    os.close(writing)
    assert done.returncode == 141, done


def test_the_verdict_in_json_is_that_of_the_code(files: None, xent: Run) -> None:
    verdicts = {0: {"pass"}, 1: {"fail"}, 5: {"inconclusive", "no_verdict"}}
    for code, words, message in CAUSES[::3]:
        if code in verdicts and not message:
            done = xent("check", *words, "--format", "json")
            assert done.returncode == code
            assert json.loads(done.stdout)["verdict"] in verdicts[code]
