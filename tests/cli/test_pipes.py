"""Pipelines: what stands on stdout, what on stderr, and `-` as a file."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import XENT, Run, Write

PREDS = "cat,dog,emu\n0.7,0.2,0.1\n0.1,0.8,0.1\n0.2,0.3,0.5\n"
LABELS = "truth\ncat\ndog\ncat\n"
COST = math.fsum(-math.log(q) for q in (0.7, 0.8, 0.2)) / 3


@pytest.fixture(autouse=True)
def files(write: Write) -> None:
    write("preds.csv", PREDS)
    write("labels.csv", LABELS)
    write("zero.csv", "cat,dog,emu\n0,0.9,0.1\n0.1,0.8,0.1\n0.2,0.3,0.5\n")


def the_only_line(done: subprocess.CompletedProcess[str], stderr: str = "") -> str:
    assert (done.returncode, done.stderr) == (0, stderr)
    assert done.stdout.count("\n") == 1
    assert done.stdout.endswith("\n")
    return done.stdout[:-1]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_cat_into_quiet_prints_the_number_alone(tmp_path: Path) -> None:
    script = 'set -o pipefail; cat preds.csv | "$@"'
    command = ["bash", "-c", script, "bash", *XENT, "score", "-", "labels.csv", "--quiet"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, text=True)
    assert float(the_only_line(done)) == pytest.approx(COST, rel=1e-15)


def test_predictions_and_labels_may_each_come_from_stdin(xent: Run) -> None:
    from_files = the_only_line(xent("score", "preds.csv", "labels.csv", "-q"))
    assert the_only_line(xent("score", "-", "labels.csv", "-q", input=PREDS)) == from_files
    assert the_only_line(xent("score", "preds.csv", "-", "-q", input=LABELS)) == from_files
    assert the_only_line(xent("score", "preds.csv", "--labels", "-", "-q", input=LABELS)) == from_files


def test_the_number_is_the_whole_double(xent: Run) -> None:
    report = json.loads(xent("score", "preds.csv", "labels.csv", "--format", "json").stdout)
    assert the_only_line(xent("score", "preds.csv", "labels.csv", "--quiet")) == repr(report["cost"])
    for metric in ("accuracy", "perplexity", "brier", "prior"):
        assert the_only_line(xent("score", "preds.csv", "labels.csv", "--get", metric)) == repr(report[metric])


def test_get_takes_synonyms(xent: Run) -> None:
    assert the_only_line(xent("score", "preds.csv", "labels.csv", "--get", "ppl")) == repr(math.exp(COST))


def test_binary_arrays_and_compressed_text_come_from_stdin_too(xent: Run, write: Write) -> None:
    import gzip

    buffer = io.BytesIO()
    np.save(buffer, np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.3, 0.5]]))
    write("index.csv", "truth\n0\n1\n0\n")
    expected = the_only_line(xent("score", "preds.csv", "labels.csv", "-q"))
    assert the_only_line(xent("score", "-", "index.csv", "-q", input=buffer.getvalue())) == expected
    assert the_only_line(xent("score", "-", "labels.csv", "-q", input=gzip.compress(PREDS.encode()))) == expected


@pytest.mark.parametrize(
    "args", [("score", "-", "-"), ("score", "-", "--labels", "-"), ("explain", "-", "-", "--row", "1")]
)
def test_stdin_cannot_be_both(xent: Run, args: tuple[str, ...]) -> None:
    done = xent(*args, input=PREDS)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "predictions and labels are the same stream" in done.stderr


def test_messages_call_stdin_by_its_name(xent: Run) -> None:
    done = xent("score", "-", "labels.csv", input=PREDS.replace("0.8", "zero.8"))
    assert done.returncode == 3
    assert "standard input, row 2 (line 3), column dog: 'zero.8' is not a number" in done.stderr


def test_json_on_stdout_is_json_and_nothing_else(xent: Run) -> None:
    for command in (("score",), ("check", "--max", "cost=1"), ("explain", "--row", "2")):
        done = xent(command[0], "preds.csv", "labels.csv", *command[1:], "--format", "json")
        assert (done.returncode, done.stderr) == (0, "")
        document = json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"bare {name}"))
        assert document["schema_version"] == 1
        assert done.stdout.isascii()


def test_infinity_in_json_is_a_string(xent: Run) -> None:
    done = xent("score", "zero.csv", "labels.csv", "--format", "json")
    document = json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"bare {name}"))
    assert (done.returncode, done.stderr) == (0, "")
    assert document["cost"] == document["perplexity"] == "inf"
    assert [warning["code"] for warning in document["warnings"]] == ["infinite"]


def test_a_warning_goes_to_stderr_where_stdout_has_but_a_figure(xent: Run) -> None:
    for option in (("--quiet",), ("--get", "accuracy")):
        done = xent("score", "zero.csv", "labels.csv", *option)
        assert done.returncode == 0
        assert done.stdout in ("inf\n", "0.3333333333333333\n")
        assert done.stderr.startswith("xent: warning: ")
        assert "row 1" in done.stderr
        assert "--clip" in done.stderr


def test_a_warning_is_not_lost_where_stdout_has_the_rows(xent: Run) -> None:
    done = xent("score", "zero.csv", "labels.csv", "--per-example", "-")
    assert done.returncode == 0
    assert done.stdout.startswith("row,")
    assert "warning" in done.stderr


def test_per_example_to_stdout_is_csv_and_nothing_else(xent: Run, tmp_path: Path) -> None:
    plain = xent("score", "preds.csv", "labels.csv", "--per-example", "-")
    assert (plain.returncode, plain.stderr) == (0, "")
    rows = list(csv.DictReader(io.StringIO(plain.stdout)))
    assert [row["label"] for row in rows] == ["cat", "dog", "cat"]
    assert [float(row["loss"]) for row in rows] == [-math.log(q) for q in (0.7, 0.8, 0.2)]
    filed = xent("score", "preds.csv", "labels.csv", "--per-example", "-", "-o", "report.json", "--format", "csv")
    assert filed.stdout == plain.stdout
    assert json.loads((tmp_path / "report.json").read_text())["examples"]["scored"] == 3


def test_per_example_to_stdout_as_json_lines(xent: Run, tmp_path: Path) -> None:
    piped = xent("score", "preds.csv", "labels.csv", "--per-example", "-", "--format", "jsonl")
    assert (piped.returncode, piped.stderr) == (0, "")
    assert xent("score", "preds.csv", "labels.csv", "--per-example", "rows.jsonl").returncode == 0
    assert (tmp_path / "rows.jsonl").read_text() == piped.stdout
    (tmp_path / "log").write_text("kept\n")
    with (tmp_path / "log").open("a") as log:
        subprocess.run([*XENT, "score", "preds.csv", "labels.csv", "--per-example", "-"], cwd=tmp_path, stdout=log)
    assert (tmp_path / "log").read_text().startswith("kept\nrow,")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--per-example", "-", "--format", "json"), "--per-example - writes csv or jsonl"),
        (("--per-example", "-", "--format", "table"), "--per-example - writes csv or jsonl"),
        (("--per-example", "-", "--quiet"), "--quiet and --per-example -"),
        (("--per-example", "-", "--get", "accuracy"), "--get and --per-example -"),
        (("--quiet", "--format", "csv"), "--quiet prints one number"),
        (("--get", "accuracy", "--format", "markdown"), "--get prints one number"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_two_things_for_standard_output_are_refused(xent: Run, args: tuple[str, ...], message: str) -> None:
    done = xent("score", "preds.csv", "labels.csv", *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


@pytest.mark.parametrize("file", ["preds.csv", "zero.csv"])
def test_a_figure_alone_as_json_is_json(xent: Run, file: str) -> None:
    report = json.loads(xent("score", file, "labels.csv", "--format", "json").stdout)
    for option, metric in (
        (("--quiet",), "cost"),
        (("--get", "accuracy"), "accuracy"),
        (("--get", "ppl"), "perplexity"),
    ):
        done = xent("score", file, "labels.csv", *option, "--format", "json")
        assert json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"bare {name}")) == report[metric]


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_a_refused_input_leaves_standard_output_empty(xent: Run, write: Write, format: str) -> None:
    write("bad.csv", "cat,dog,emu\n0.7,0.2,0.9\n0.1,0.8,0.1\n0.2,0.3,0.5\n")
    done = xent("score", "bad.csv", "labels.csv", "--per-example", "-", "--format", format)
    assert (done.returncode, done.stdout) == (3, "")


def test_the_same_rows_go_to_a_file_and_to_stdout(xent: Run, tmp_path: Path) -> None:
    piped = xent("score", "-", "labels.csv", "--per-example", "-", input=PREDS).stdout
    assert xent("score", "preds.csv", "labels.csv", "--per-example", "losses.csv").returncode == 0
    assert (tmp_path / "losses.csv").read_text() == piped


def test_losses_of_one_run_are_the_input_of_the_next(xent: Run, tmp_path: Path) -> None:
    cost = the_only_line(xent("score", "preds.csv", "labels.csv", "-q", "--per-example", "losses.csv"))
    rows = (tmp_path / "losses.csv").read_text()
    assert the_only_line(xent("score", "-", "--kind", "losses", "-q", input=rows)) == cost
    xent("score", "preds.csv", "labels.csv", "--per-example", "losses.npy")
    assert the_only_line(xent("score", "losses.npy", "--kind", "losses", "-q")) == cost


def test_o_may_be_repeated_and_leaves_stdout_as_it_was(xent: Run, tmp_path: Path) -> None:
    plain = xent("score", "preds.csv", "labels.csv")
    filed = xent("score", "preds.csv", "labels.csv", "-o", "a.json", "--output", "b.md", "-o", "c.TXT")
    assert (filed.returncode, filed.stdout, filed.stderr) == (0, plain.stdout, "")
    assert json.loads((tmp_path / "a.json").read_text())["cost"] == pytest.approx(COST, rel=1e-15)
    assert "| cross-entropy |" in (tmp_path / "b.md").read_text()
    assert (tmp_path / "c.TXT").read_text() == plain.stdout


def test_files_are_the_same_whatever_is_printed(xent: Run, tmp_path: Path) -> None:
    printed = xent("score", "preds.csv", "labels.csv", "--format", "json").stdout
    xent("score", "preds.csv", "labels.csv", "--quiet", "-o", "a.json")
    assert (tmp_path / "a.json").read_text() == printed


def test_check_in_a_pipe_prints_the_verdict_on_stdout(xent: Run) -> None:
    done = xent("check", "-", "labels.csv", "--max", "cost=0.5", input=PREDS)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("FAIL")


def test_environment_variables_do_not_change_a_score(xent: Run) -> None:
    plain = xent("score", "preds.csv", "labels.csv").stdout
    loud = {"XENT_QUIET": "1", "XENT_SCORE_BASE": "2", "XENT_BASE": "2", "XENT_KIND": "logits", "FORCE_COLOR": "1"}
    assert xent("score", "preds.csv", "labels.csv", env={**loud, "COLUMNS": "30"}).stdout == plain
