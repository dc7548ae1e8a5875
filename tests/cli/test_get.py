"""--get, -o and --append: figures by name or path, one a line, and results that are written where they are asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Call, Write

PREDS = "cat,dog\n0.75,0.25\n0.5,0.5\n0.25,0.75\n"
LABELS = "label\ncat\ndog\ncat\n"


@pytest.fixture
def files(write: Write) -> tuple[str, str]:
    return write("p.csv", PREDS), write("l.csv", LABELS)


def test_figures_stand_one_a_line_in_the_order_asked(call: Call, files: tuple[str, str]) -> None:
    report = json.loads(call("score", *files, "--format", "json").out)
    done = call("score", *files, "--get", "acc,cost", "--get", "error,interval.low,inputs.1.rows,classes,kind")
    assert done.code == 0
    accuracy, cost, error, low, rows, classes, kind = done.out.splitlines()
    assert (float(accuracy), float(cost)) == (report["accuracy"], report["cost"])
    assert float(error) == 2 / 3
    assert float(low) == report["interval"]["low"]
    assert (rows, classes, kind) == ("3", '["cat", "dog"]', "probs")
    assert call("score", *files, "--get", "kind", "--format", "json").out == '"probs"\n'


def test_halved_brier_of_one_column_is_the_mean_square(call: Call, write: Write) -> None:
    q, y = (0.75, 0.5, 0.125), (1, 0, 1)
    preds, labels = write("q.csv", "q\n0.75\n0.5\n0.125\n"), write("y.csv", "y\n1\n0\n1\n")
    done = call("score", preds, labels, "--get", "brier_halved")
    assert float(done.out) == pytest.approx(sum((a - b) ** 2 for a, b in zip(q, y, strict=True)) / 3, rel=1e-15)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("interval.lo", ["interval has no lo", "level, low, high"]),
        ("intervl.low", ["the report has no intervl"]),
        ("inputs.path", ["inputs has no path", "a number, from 0"]),
        ("inputs.2.path", ["inputs has 2 items"]),
        ("cost.low", ["cost has no low"]),
        ("verdict", ["this report has no verdict"]),
        ("by_class", ["there is no by_class: it was not asked for", "give --by-class\n"]),
        ("worst.0.loss", ["there is no worst: it was not asked for", "give --worst N\n"]),
        ("costs", ["there is no metric 'costs'"]),
        ("", ["there is no metric ''"]),
        ("cost,", ["there is no metric ''"]),
    ],
)
def test_a_path_that_no_report_has_is_refused_with_what_there_is(
    call: Call, files: tuple[str, str], path: str, words: list[str]
) -> None:
    done = call("score", *files, "--get", path)
    assert (done.code, done.out) == (2, "")
    assert all(word in done.err for word in words)


def test_an_undefined_figure_is_no_verdict_and_prints_nothing(call: Call, files: tuple[str, str]) -> None:
    done = call("score", *files, "--get", "cost,kl")
    assert (done.code, done.out) == (5, "")


def test_a_result_is_appended_and_the_file_keeps_what_it_had(call: Call, files: tuple[str, str]) -> None:
    page = call("score", *files, "--format", "markdown").out
    Path("summary").write_text("# before\n\n", encoding="utf-8")
    for _ in range(2):
        assert call("score", *files, "-q", "--append", "markdown:summary", "--append", "log.jsonl").code == 0
    assert Path("summary").read_text(encoding="utf-8") == "# before\n\n" + 2 * f"{page}\n"
    lines = [json.loads(line) for line in Path("log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["metric"] for line in lines].count("cost") == 2


def test_a_named_form_goes_to_a_file_of_any_name_and_to_stdout(call: Call, files: tuple[str, str]) -> None:
    shown = call("score", *files, "--format", "json").out
    assert call("score", *files, "-o", "json:report", "-q").code == 0
    assert Path("report").read_text(encoding="utf-8") == shown
    assert call("score", *files, "-o", "json:-").out == shown
    assert call("score", *files, "-o", "-").out == call("score", *files).out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-q", "-o", "-"], ["--quiet", "-o -"]),
        (["--get", "cost", "-o", "-"], ["--get", "-o -"]),
        (["--per-example", "-", "-o", "json:-"], ["--per-example -", "-o -"]),
        (["-o", "-", "-o", "json:-"], ["-o -"]),
        (["-o", "json:-", "--format", "csv"], ["-o json:-", "--format csv"]),
        (["-o", "parquet:-"], ["parquet"]),
        (["-o", "page"], ["page", "markdown:FILE"]),
        (["--append", "-"], ["--append"]),
        (["--append", "r.json"], ["json", "markdown"]),
        (["--append", "r.svg"], ["--append 'r.svg'", "unknown extension"]),
        (["--append", "csv:r"], ["csv", "markdown"]),
        (["--append", "r.md", "-o", "r.md"], ["r.md", "written twice"]),
        (["--append", "markdown:l.csv"], ["l.csv", "is an input"]),
    ],
)
def test_two_results_in_one_place_and_forms_that_make_no_file_are_refused(
    call: Call, files: tuple[str, str], options: list[str], words: list[str]
) -> None:
    done = call("score", *files, *options)
    assert (done.code, done.out) == (2, "")
    assert all(word in done.err for word in words)


HIDDEN = (
    "--metrics accuracy --confidence 0.8",
    "--metrics accuracy --cluster site",
    "--metrics brier --bytes 80",
    "--metrics brier --bytes 80 --format markdown",
    "--by site --bytes 80 --format csv",
    "--by-class --cluster site --format csv",
    "--worst 1 --confidence 0.8 --format jsonl",
    "--per-example - --base 2",
)


@pytest.fixture
def sites(write: Write) -> tuple[str, ...]:
    labels = write("s.csv", "label,site\ncat,n\ndog,s\ncat,n\n")
    return write("p.csv", PREDS), labels, "--label", "label"


@pytest.mark.parametrize("words", HIDDEN)
def test_an_option_that_no_figure_shows_is_refused_and_json_shows_it(
    call: Call, sites: tuple[str, ...], words: str
) -> None:
    refused = call("score", *sites, *words.split())
    assert refused.code == 2
    assert "changes nothing that" in refused.err
    assert call("score", *sites, *words.split(), "-o", "r.json").code == 0


@pytest.mark.parametrize(
    "words",
    [
        "--metrics standard_error --cluster site",
        "--metrics cost --confidence 0.8 --format markdown",
        "--by site --cluster site --format csv",
        "--cluster site --format csv",
        "--metrics bits_per_byte --bytes 80 --format csv",
    ],
)
def test_an_option_that_some_figure_shows_is_taken(call: Call, sites: tuple[str, ...], words: str) -> None:
    assert call("score", *sites, *words.split()).code == 0
