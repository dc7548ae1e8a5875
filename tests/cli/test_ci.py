"""What a CI server reads: JUnit XML, annotations and the step summary of GitHub, whatever the names in the files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import junitparser
import pytest
import xmlschema

from tests.conftest import ROOT, Call, Run, Write
from xentcli.cli.failures import CI
from xentcli.writers import github

SCHEMA = xmlschema.XMLSchema(ROOT / "tests/cli/junit.xsd")
PREDS = "cat,dog,emu\n0.7,0.2,0.1\n0.1,0.8,0.1\n0.2,0.3,0.5\n"
GOOD = '[tool.xent.checks.good]\npredictions = "preds.csv"\nlabels = "labels.csv"\nmax = { cost = 1 }\n'
BAD = GOOD.replace("good", "bad").replace("cost = 1", "cost = 0.5, brier = 0.1") + "min = { accuracy = 0.5 }\n"
GONE = GOOD.replace("good", "gone").replace("preds.csv", "gone.csv")
UNDEFINED = GOOD.replace("good", "undefined").replace("cost", "kl")
HOSTILE = [
    "\x1b[31mred", "::error::x", "##[error]y", "a%0Ab%25", "a,b:c", "]]>", "<script>alert(1)</script>", "&lt;", "\x00\x0b\x85",
    "\ufffe\uffff", "\u202eleft", "|a|b|", "[link](https://x.example)", "https://y.example", "@everyone", "#1", "```\n# x",
    "a\r\n::stop-commands::z", "'\"`", "漢字 é",
]  # fmt: skip


@pytest.fixture(autouse=True)
def files(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    write("preds.csv", PREDS)
    write("labels.csv", "truth\ncat\ndog\ncat\n")


@pytest.fixture
def github_job(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A step of a job; returns the file of its summary."""
    path = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


def suites(path: str = "junit.xml") -> dict[str, Any]:
    """The suites of a file that is valid, as junitparser reads them."""
    SCHEMA.validate(path)
    return {suite.name: suite for suite in junitparser.JUnitXml.fromfile(path)}


def results(suite: Any) -> list[tuple[str, str]]:
    return [(case.name, type(case.result[0]).__name__ if case.result else "Passed") for case in suite]


def test_a_limit_is_a_case_and_what_could_not_run_is_an_error(call: Call, write: Write) -> None:
    write("pyproject.toml", GOOD + BAD + GONE + UNDEFINED)
    assert call("check", "--junit", "junit.xml").code == 4
    found = suites()
    assert {name: results(suite) for name, suite in found.items()} == {
        "good": [("max cost", "Passed")],
        "bad": [("max cost", "Failure"), ("max brier", "Failure"), ("min accuracy", "Passed")],
        "gone": [("run", "Error")],
        "undefined": [("max kl", "Error")],
    }
    counts = {name: (suite.tests, suite.failures, suite.errors, suite.skipped) for name, suite in found.items()}
    assert counts == {"good": (1, 0, 0, 0), "bad": (3, 2, 0, 0), "gone": (1, 0, 1, 0), "undefined": (1, 0, 1, 0)}
    whole = junitparser.JUnitXml.fromfile("junit.xml")
    assert (whole.tests, whole.failures, whole.errors) == (6, 2, 2)
    failure = next(iter(found["bad"])).result[0]
    assert failure.message == "cost 0.730, at most 0.500, over by 0.230"
    assert failure.text.splitlines()[0] == failure.message


def test_a_group_that_is_too_small_is_skipped(call: Call, write: Write) -> None:
    write("groups.csv", "cat,dog,site,truth\n0.7,0.3,n,cat\n0.4,0.6,n,cat\n0.1,0.9,s,dog\n")
    args = (
        "groups.csv",
        "--label",
        "truth",
        "--preds",
        "cat,dog",
        "--by",
        "site",
        "--max-each",
        "cost=0.5",
        "--min-rows",
        "2",
    )
    done = call("check", *args, "--junit", "junit.xml")
    assert done.code == 1
    assert [outcome for _, outcome in results(suites()["groups.csv"])] == ["Failure", "Skipped"]


def test_what_is_inconclusive_is_an_error(call: Call, write: Write) -> None:
    assert call("check", "preds.csv", "labels.csv", "--write-baseline", "main.npz").code == 0
    write("preds.csv", PREDS.replace("0.7,0.2", "0.69,0.21"))
    write("pyproject.toml", GOOD + "baseline = 'main.npz'\nstrict = true\nmax-regression = { cost = '1%' }\n")
    done = call("check", "--junit", "junit.xml", "--format", "json")
    assert (done.code, json.loads(done.out)["verdict"]) == (5, "inconclusive")
    assert [outcome for _, outcome in results(suites()["good"])] == ["Passed", "Error"]


@pytest.mark.parametrize(
    ("args", "code", "kind"),
    [
        (("preds.csv", "labels.csv", "--max", "cost=1"), 0, "Passed"),
        (("preds.csv", "labels.csv", "--max", "cost=0.1"), 1, "Failure"),
        (("preds.csv", "labels.csv", "--max", "cost=1", "--quiet"), 0, "Passed"),
        (("preds.csv", "labels.csv", "--max", "kl=1"), 5, "Error"),
        (("empty.csv", "none.csv", "--max", "cost=1"), 5, "Error"),
        (("broken.csv", "labels.csv", "--max", "cost=1"), 3, "Error"),
        (("gone.csv", "labels.csv", "--max", "cost=1"), 4, "Error"),
        (("preds.csv", "labels.csv", "--baseline", "gone.npz", "--max-regression", "cost=1%"), 4, "Error"),
    ],
)
def test_one_check_of_the_command_line(xent: Run, write: Write, args: tuple[str, ...], code: int, kind: str) -> None:
    write("empty.csv", "cat,dog,emu\n")
    write("none.csv", "truth\n")
    path = write("junit.xml", "an old one")
    write("broken.csv", PREDS.replace("0.8", "x"))
    done = xent("check", *args, "--junit", "junit.xml", env={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": ""})
    assert done.returncode == code
    (suite,) = suites(path).values()
    assert suite.name == args[0]
    assert [outcome for _, outcome in results(suite)] == [kind]
    commands = [line for line in done.stderr.splitlines() if line.startswith("::")]
    assert len(commands) == (kind != "Passed")
    assert all(command.startswith(f"::error title=xent check {args[0]}::") for command in commands)


def test_junit_is_written_onto_no_input_nor_nowhere(call: Call) -> None:
    assert call("check", "preds.csv", "labels.csv", "--max", "cost=1", "--junit", "preds.csv").code == 2
    assert call("check", "preds.csv", "labels.csv", "--max", "cost=1", "--junit", "no/where.xml").code == 4
    assert Path("preds.csv").read_text(encoding="utf-8") == PREDS


def test_an_error_is_json_where_json_was_asked_for(call: Call) -> None:
    done = call("check", "gone.csv", "labels.csv", "--max", "cost=1", "--format", "json")
    assert done.code == 4
    document = json.loads(done.out)
    assert (document["verdict"], document["exit_code"]) == ("error", 4)
    assert document["checks"][0]["error"]["message"] == "gone.csv: cannot be read: No such file or directory"
    assert done.err == "xent: gone.csv: cannot be read: No such file or directory\n"
    done = call("check", "gone.csv", "labels.csv", "--max", "cost=1", "--format", "markdown")
    assert "**error** gone.csv: cannot be read: No such file or directory" in done.out
    for more in (("--quiet",), ("--format", "csv"), ("--format", "json", "--quiet")):
        assert call("check", "gone.csv", "labels.csv", "--max", "cost=1", *more).out == ""


FILES = ("preds.csv", "labels.csv")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((*FILES, "--max", "f1=1"), "there is no metric 'f1'"),
        ((*FILES, "--max", "cost=much"), "--max cost: 'much' is not a finite number"),
        ((*FILES,), "nothing to check"),
        ((*FILES, "--max", "cost=1", "--frobnicate"), "No such option '--frobnicate'."),
        ((*FILES, "--max", "cost=1", "--clip", "much"), "Invalid value for '--clip': 'much'"),
        ((*FILES, "more.csv", "--max", "cost=1"), "1 unexpected argument"),
        (("--max",), "Option '--max' requires an argument."),
        (("gone.csv", "labels.csv", "--max", "cost=1"), "gone.csv: cannot be read"),
        ((), "[tool.xent.checks.bad]: there is no metric 'costs'"),
        (("nope",), "'nope' is not a file, nor a check"),
    ],
)
def test_an_error_is_in_every_output_that_was_asked_for(
    words: tuple[str, ...], says: str, call: Call, write: Write, github_job: Path
) -> None:
    write("pyproject.toml", BAD.replace("{ cost", "{ costs"))
    outputs = ("--format", "json", "-o", "r.json", "-o", "r.md", "--junit", "junit.xml")
    done = call("check", *outputs, *words)
    document = json.loads(done.out)
    assert done.code == document["exit_code"] == document["checks"][0]["exit_code"] in (2, 4)
    assert says in document["checks"][0]["error"]["message"]
    assert Path("r.json").read_text(encoding="utf-8") == done.out
    assert Path("r.md").read_text(encoding="utf-8").startswith("**error** 1 check: 1 could not run")
    assert [results(suite) for suite in suites().values()] == [[("run", "Error")]]
    assert [line[:21] for line in done.err.splitlines() if "::" in line] == ["::error title=xent ch"]
    assert says in done.err.split("xent: ")[1]
    assert github_job.read_text(encoding="utf-8").startswith("\n\n### xent check\n")
    assert call("check", "--format", "markdown", *words).out.startswith("**error** 1 check")


def test_an_error_is_written_to_nothing_that_may_be_an_input(call: Call, write: Write) -> None:
    write("names.md", "cat\ndog\nemu\n")
    write("weights.csv", "1\n1\n1\n")
    write("pyproject.toml", GOOD.replace("= 1", "= much"))
    for words in ((*FILES, "--maximum", "1", "--classes", "@names.md"), ("good",)):
        done = call("check", *words, "-o", "names.md", "-o", "new.md", "--junit", "weights.csv", "--format", "json")
        assert done.code == 2 and json.loads(done.out)["verdict"] == "error"
        assert Path("new.md").exists()
        Path("new.md").unlink()
    assert call("check", *FILES, "--max", "f1=1", "--classes", "@names.md", "-o", "names.md").code == 2
    assert Path("names.md").read_text(encoding="utf-8") == "cat\ndog\nemu\n"
    assert Path("weights.csv").read_text(encoding="utf-8") == "1\n1\n1\n"


def test_a_job_of_github_is_annotated_and_summed_up(call: Call, write: Write, github_job: Path) -> None:
    write("pyproject.toml", GOOD + BAD + GONE + UNDEFINED)
    write("summary.md", "# Another command\n")
    done = call("check")
    assert done.err.splitlines() == [
        "::error title=xent check bad::cost 0.730, at most 0.500, over by 0.230",
        f"::error title=xent check bad::{re.search('brier .*', done.err)[0]}",  # type: ignore[index]
        "::error title=xent check gone::gone.csv: cannot be read: No such file or directory",
        f"::error title=xent check undefined::{re.search('kl .*', done.err)[0]}",  # type: ignore[index]
    ]
    assert "::" not in done.out
    text = github_job.read_text(encoding="utf-8")
    assert text.startswith("# Another command\n\n\n### xent check\n\n**error** 4 checks of pyproject.toml: 1 failed")
    # What failed comes first.
    assert [text.index(f"**{name}**\n") for name in ("bad", "gone", "undefined", "good")] == sorted(
        text.index(f"**{name}**\n") for name in ("bad", "gone", "undefined", "good")
    )
    assert call("check", "good").err == ""


def test_annotations_and_summary_can_be_left_out_and_belong_to_github_alone(
    call: Call, write: Write, github_job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("pyproject.toml", BAD)
    assert call("check", "--no-annotations").err == ""
    monkeypatch.setenv("GITHUB_ACTIONS", "")
    assert call("check").err == ""
    assert not github_job.exists()


def test_a_summary_that_cannot_be_written_is_4_with_the_result_on_stdout(call: Call, write: Write, monkeypatch: pytest.MonkeyPatch, github_job: Path) -> None:  # fmt: skip
    write("pyproject.toml", GOOD)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(github_job.parent))
    done = call("check")
    assert (done.code, "1 passed" in done.out) == (4, True)
    assert "cannot be written: Is a directory" in done.err


def test_a_summary_over_1_mib_is_cut_with_the_failures_first(
    call: Call, write: Write, github_job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert github.LARGEST == 1 << 20
    monkeypatch.setattr(github, "LARGEST", 1 << 17)
    limits = json.dumps([f"cost=1.{number:05}" for number in range(4000)])
    write("pyproject.toml", GOOD.replace("{ cost = 1 }", limits) + BAD)
    assert call("check", "--format", "csv").code == 1
    whole = github_job.stat().st_size
    assert github.LARGEST - 200 < whole <= github.LARGEST
    text = github_job.read_text(encoding="utf-8")
    assert text.index("over by 0.230") < text.index("at most 1.00001") < text.index("at most 1.00999")
    assert "at most 1.03999" not in text
    assert text.endswith("|\n\n(The summary is cut; the log has all.)\n")
    # A second command of the step has no room left.
    assert call("check", "bad").code == 1
    assert github_job.stat().st_size == whole


def test_no_name_is_more_than_text(call: Call, write: Write, github_job: Path) -> None:
    import csv
    import io

    buffer = io.StringIO()
    writer = csv.writer(buffer)
    classes = [name.replace("\x00", "") for name in HOSTILE]
    writer.writerow([*classes, "truth", "site"])
    for index in range(len(classes)):
        row = [0.5 / (len(classes) - 1)] * len(classes)
        row[index] = 0.5
        writer.writerow([*row, classes[index - 1], classes[index]])
    write("hostile.csv", buffer.getvalue())
    name = json.dumps("".join(HOSTILE[:3]) + "|@all\n<b>")
    table = f"[tool.xent.checks.{name}]\npredictions = 'hostile.csv'\nlabel = 'truth'\nby = 'site'\nby-class = true\n"
    write("pyproject.toml", table + "max-each = { cost = 0.1 }\nmax = { cost = 0.1 }\n")
    for form in ("table", "json", "markdown", "csv", "jsonl"):
        github_job.unlink(missing_ok=True)
        done = call("check", "--format", form, "--junit", "junit.xml", "-o", "r.json", "-o", "r.md", "-o", "r.csv")
        assert done.code == 1, done.err
        for line in done.err.splitlines():
            assert re.fullmatch(r"::error title=xent check [^:,]*::cost .*", line), line
            assert line.isprintable()
        assert len(done.err.splitlines()) == len(classes) + 1
        assert not re.search(r"^\s*::|##\[", done.out, re.MULTILINE)
        assert all(line.isprintable() for line in done.out.splitlines())
        (suite,) = suites().values()
        assert suite.failures == len(classes) + 1
        text = github_job.read_text(encoding="utf-8")
        assert not re.search(r"(?<!\\)<(?!!-- -->)|@\w|https:/|(?<!\\)\[link|#1", text)
        assert all(line.isprintable() for line in text.splitlines())


def test_what_ci_takes_is_for_a_run_and_no_key_of_a_check(call: Call, write: Write) -> None:
    for option in CI:
        value = "true" if CI[option].hint == "bool" else "'x.xml'"
        write("pyproject.toml", f"{GOOD}{option.replace('_', '-')} = {value}\n")
        assert call("check").code == 2
