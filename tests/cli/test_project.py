"""[tool.xent] of pyproject.toml: a check of it is the command line that it stands for; what is wrong is named."""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest

from tests.conftest import Call, Done, Run, Write
from xentcli.cli import main
from xentcli.cli.check import _KEYS
from xentcli.cli.project import OF_A_RUN, project_of, schema
from xentcli.errors import UsageError
from xentcli.options import spelled

PREDS = "cat,dog,emu\n0.7,0.2,0.1\n0.1,0.8,0.1\n0.2,0.3,0.5\n"
PASS = '[tool.xent.checks.good]\npredictions = "preds.csv"\nlabels = "labels.csv"\nmax = { cost = 1 }\n'
FAIL = PASS.replace("good", "bad").replace("cost = 1", "cost = 0.5")
GONE = PASS.replace("good", "gone").replace("preds.csv", "gone.csv")
BROKEN = PASS.replace("good", "broken").replace("preds.csv", "broken.csv")
EMPTY = PASS.replace("good", "empty").replace("preds.csv", "empty.csv").replace("labels.csv", "none.csv")


@pytest.fixture(autouse=True)
def files(write: Write) -> None:
    write("preds.csv", PREDS)
    write("labels.csv", "truth\ncat\ndog\ncat\n")
    write("broken.csv", PREDS.replace("0.8", "x"))
    write("empty.csv", "cat,dog,emu\n")
    write("none.csv", "truth\n")


def of(done: Done) -> Any:
    return json.loads(done.out)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("max = { cost = 0.35 }", "--max cost=0.35"),
        ("max = 'cost=0.35'\nmin = ['accuracy=0.5', 'cost=0.1']", "--max cost=0.35 --min accuracy=0.5 --min cost=0.1"),
        ("max = { cost = 1 }\nkind = 'probs'\nby-class = true\nworst = 2\nclip = 0.01", "--max cost=1 --by-class --worst 2 --clip 0.01 --kind probs"),
        ("max = { cost = 1 }\nclass-weight = { cat = 2, dog = 0.5 }", "--max cost=1 --class-weight cat=2 --class-weight dog=0.5"),
        ("max = { cost = 1 }\nbase = 2\nindex-base = 0\nlabels = 'positions.csv'", "--max cost=1 --base 2 --index-base 0"),
        ("max = { cost = 1 }\nheader = true", "--max cost=1 --header"),
        ("max = { cost = 1 }\npreds = ['cat', 'dog', 'emu']\nsubset = false", "--max cost=1 --preds cat,dog,emu"),
        ("max = { cost = 1 }\nsum-tolerance = 1e-7\nignore-label = ['emu', -1]", "--max cost=1 --sum-tolerance 1e-7 --ignore-label emu --ignore-label -1"),
    ],
)  # fmt: skip
def test_a_check_is_the_command_line_that_it_stands_for(call: Call, write: Write, table: str, words: str) -> None:
    write("positions.csv", "truth\n0\n1\n0\n")
    labels = "" if "labels" in table else "labels = 'labels.csv'\n"
    write("pyproject.toml", f"[tool.xent.checks.x]\npredictions = 'preds.csv'\n{labels}{table}\n")
    given = "positions.csv" if "positions" in table else "labels.csv"
    alone = call("check", "preds.csv", given, *words.split(), "--format", "json")
    named = of(call("check", "--format", "json"))
    assert named["exit_code"] == named["checks"][0]["exit_code"] == alone.code
    assert named["checks"][0]["report"] == of(alone)


CODES = {0: PASS, 1: FAIL, 3: BROKEN, 4: GONE, 5: EMPTY}


def test_the_exit_code_of_several_is_4_before_3_before_1_before_5(xent: Run, write: Write) -> None:
    order = [4, 3, 1, 5, 0]
    for codes in ((0, 1, 3, 4, 5), (0, 5, 1, 3), (5, 1, 0), (0, 5), (0,)):
        write("pyproject.toml", "".join(CODES[code] for code in codes))
        done = xent("check")
        assert done.returncode == min(codes, key=order.index), done.stdout
        for code in codes:
            name = tomllib.loads(CODES[code])["tool"]["xent"]["checks"].popitem()[0]
            assert f"[{name}]" in done.stdout
        assert f"exit {done.returncode}." in done.stdout.splitlines()[-1]
        assert done.stderr == ""


def test_a_usage_error_comes_before_all_and_nothing_runs(xent: Run, write: Write) -> None:
    write("pyproject.toml", "".join(CODES.values()) + TABLE + "clips = 1\n")
    done = xent("check")
    assert (done.returncode, done.stdout) == (2, "")


def test_names_choose_checks_in_their_order_and_once(call: Call, write: Write) -> None:
    write("pyproject.toml", PASS + FAIL + GONE)
    found = of(call("check", "gone", "good", "gone", "--format", "json"))
    assert [check["name"] for check in found["checks"]] == ["gone", "good"]
    assert [check["verdict"] for check in found["checks"]] == ["error", "pass"]
    assert call("check", "bad", "good").code == 1
    assert call("check", "good").code == 0


def test_paths_are_relative_to_the_nearest_file_that_has_the_table(
    call: Call, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("pyproject.toml", PASS + "output = 'report.json'\n")
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    monkeypatch.chdir(deep)
    done = call("check", "-o", "all.json")
    assert done.code == 0
    assert "1 check of ../../pyproject.toml: 1 passed" in done.out
    assert json.loads((deep / "all.json").read_text())["file"] == "../../pyproject.toml"
    assert json.loads((tmp_path / "report.json").read_text())["verdict"] == "pass"
    assert Path.cwd() == deep


def test_a_command_that_is_advised_runs_where_it_was_advised(
    call: Call, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        "pyproject.toml",
        PASS.replace("cost = 1", "cost = 0.75")
        + "baseline = 'main.npz'\nmax-regression = { cost = 0 }\nstrict = true\n",
    )
    below = tmp_path / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    done = call("check")
    assert done.code == 4
    making = next(line.strip() for line in done.out.splitlines() if line.strip().startswith("cd "))
    cd, line = making.split(" && ")
    assert cd == "cd .."
    monkeypatch.chdir(below / cd.split()[1])
    assert call(*shlex.split(line)[1:]).code == 0
    monkeypatch.chdir(below)
    assert call("check").code == 0
    write("preds.csv", PREDS.replace("0.7,0.2", "0.6,0.3"))
    done = call("check")
    assert done.code == 1
    assert re.search(r"next +cd \.\. && xent explain preds.csv --labels labels.csv\n", done.out)
    assert re.search(r"accept +cd \.\. && xent check preds.csv .*--write-baseline main.npz\n", done.out)


def test_threads_are_for_all(call: Call, write: Write) -> None:
    write("pyproject.toml", PASS)
    done = call("check", "--threads", "0")
    assert (done.code, "threads is at least 1, not 0" in done.out) == (2, True)
    assert call("check", "--threads", "2").code == 0


def test_a_name_that_is_a_file_too_is_refused_and_its_path_is_the_file(call: Call, write: Write) -> None:
    write("pyproject.toml", PASS)
    write("good", PREDS)
    done = call("check", "good")
    assert done.code == 2
    assert done.err == (
        "xent: 'good' is a check of pyproject.toml and a file\n      ./good is the file; the check needs another name\n"
    )
    assert call("check", "./good", "labels.csv", "--max", "cost=1").code == 0
    # Limits are for files: the file means what it meant before there was a check of its name.
    assert call("check", "good", "labels.csv", "--max", "cost=1").code == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("godo",), "'godo' is not a file, nor a check of pyproject.toml\n      checks: 'good'"),
        (("good", "godo"), "'godo' is not a file, nor a check of pyproject.toml"),
        (("good", "preds.csv"), "'preds.csv' is not a file, nor a check of pyproject.toml"),
        (("--max", "cost=1"), "--max needs files; the checks of pyproject.toml have their options there"),
        (("--quiet",), "--quiet needs files"),
        (("good", "--write-baseline", "b.npz"), "--write-baseline is for files; 'good' is a check of pyproject.toml"),
        (("a.csv", "b.csv", "c.csv", "--max", "cost=1"), "1 unexpected argument: 'c.csv'"),
        (("preds.csv", "labels.csv"), "nothing to check"),
    ],
)
def test_what_is_neither_is_refused(call: Call, write: Write, args: tuple[str, ...], said: str) -> None:
    write("pyproject.toml", PASS)
    done = call("check", *args)
    assert done.code == 2
    assert f"xent: {said}" in done.err


def test_no_files_and_no_table_is_2(call: Call, write: Write) -> None:
    for text in (None, "[project]\nname = 'x'\n", "tool = 3\n"):
        if text is not None:
            write("pyproject.toml", text)
        done = call("check")
        assert (done.code, done.err.splitlines()[0]) == (
            2,
            "xent: no files, and no [tool.xent] in a pyproject.toml here or above",
        )


TABLE = "[tool.xent.checks.x]\npredictions = 'preds.csv'\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.xent]\n", "pyproject.toml, [tool.xent]: has no check\n      a table [tool.xent.checks.NAME] is one"),
        ("[tool.xent]\ncheck = 1\n", "pyproject.toml, [tool.xent]: unknown key 'check'\n      the nearest is checks"),
        ("[tool]\nxent = 1\n", "pyproject.toml, [tool.xent]: tool.xent is a table, not 1"),
        ("[tool.xent]\nchecks = []\n", "pyproject.toml, [tool.xent]: checks is a table, not an array"),
        ("[tool.xent.checks]\nx = 'y'\n", "pyproject.toml, [tool.xent]: checks.x is a table, not 'y'"),
        ("[tool.xent.checks.x]\n", "[tool.xent.checks.x]: predictions is missing"),
        (TABLE + "by_class = true\n", "pyproject.toml, [tool.xent.checks.x]: unknown key 'by_class'\n      the nearest is by-class"),
        (TABLE + "sum-tolerence = 1\n", "unknown key 'sum-tolerence'\n      the nearest is sum-tolerance"),
        (TABLE + "quiet = true\n", "quiet belongs on the command line, not in a check\n      xent check --quiet ..."),
        (TABLE + "write_baseline = 'b.npz'\n", "write_baseline belongs on the command line, not in a check"),
        (TABLE + "max-regression = { ppl = '2%' }\n", "a limit on the figure itself: max = { perplexity = X }"),
        (TABLE + "by-class = 1\n", "by-class is true or false, not 1"),
        (TABLE + "worst = 2.5\n", "worst is a whole number, not 2.5"),
        (TABLE + "worst = true\n", "worst is a whole number, not true"),
        (TABLE + "clip = '0.1'\n", "clip is a number, not '0.1'"),
        (TABLE + "label = { a = 1 }\n", "not a table"),
        (TABLE + "label = 1979-05-27\n", "label is a text or a whole number or an array of texts, not 1979-05-27"),
        (TABLE + "max = 0.5\n", "max is a text or an array of texts or a table, not 0.5"),
        (TABLE + "max = { cost = true }\n", "max.cost is a text or a number, not true"),
        (TABLE + "max = { cost = inf }\n", "[tool.xent.checks.x]: --max cost: 'inf' is not a finite number"),
        (TABLE + "max = { costs = 1 }\n", "[tool.xent.checks.x]: there is no metric 'costs'"),
        (TABLE + "kind = 'prob'\n", "[tool.xent.checks.x]: Invalid value for '--kind': 'prob' is not one of"),
        (TABLE + "clip = 0.6\n", "[tool.xent.checks.x]: --clip is between 0 and 0.5, not 0.6"),
        (TABLE + "preds = ['a,b']\n", "preds: 'a,b' has a comma, which separates names here"),
        (TABLE + "header = false\n", "header is"),
        (TABLE + "output = 'preds.csv'\n", "[tool.xent.checks.x]: 'preds.csv' is an input; it would be overwritten"),
        ("[tool.xent.checks.x]\npredictions = '-'\n", "predictions is a file here, not - for a stream"),
        (TABLE + "output = ['json:-']\n", "output is a file here, not - for a stream"),
        (TABLE + "per-example = '-'\n", "per-example is a file here, not - for a stream"),
        ("[tool.xent.checks.x]\npredictions = ['a', 'b']\n", "predictions is a text, not an array"),
        ("[tool.xent.checks.'']\n", "'' cannot name a check: on a command line it would be an option"),
        ("[tool.xent.checks.-x]\n", "'-x' cannot name a check: on a command line it would be an option"),
        ("[tool.xent\n", "pyproject.toml: is not TOML: "),
        ("a = " + "[" * 3000, "pyproject.toml: is not TOML: "),
        ("a = '\x1b[2J'\n", "pyproject.toml: is not TOML: "),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_file_is_2_and_names_it(call: Call, write: Write, text: str, said: str) -> None:
    write("pyproject.toml", text)
    for args in ((), ("x",)):
        done = call("check", *args)
        assert done.code == 2, done
        assert said in done.err
        assert "pyproject.toml" in done.err
        assert "\x1b" not in done.err


@pytest.mark.skipif(os.name == "nt", reason="a working directory cannot be removed")
def test_a_working_directory_that_was_removed_has_no_checks(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    done = call("check")
    assert (done.code, done.err.splitlines()[0]) == (
        2,
        "xent: no files, and no [tool.xent] in a pyproject.toml here or above",
    )


def test_an_error_in_any_table_is_found_before_anything_runs(call: Call, write: Write) -> None:
    write("pyproject.toml", PASS + "output = 'report.json'\n" + TABLE + "clips = 0.1\n")
    assert call("check", "good").code == 2
    assert not Path("report.json").exists()


def test_all_wrong_tables_are_told_at_once(call: Call, write: Write) -> None:
    write("pyproject.toml", PASS + FAIL.replace("labels =", "lables =") + GONE.replace("{ cost = 1 }", "3"))
    done = call("check")
    assert done.code == 2
    assert "2 checks cannot be read" in done.err
    assert "[tool.xent.checks.bad]: unknown key 'lables'; the nearest is labels\n" in done.err
    assert "[tool.xent.checks.gone]: max is a text or an array of texts or a table, not 3\n" in done.err


def test_bytes_that_are_not_utf_8_are_2_and_what_cannot_be_read_is_not_1(call: Call, write: Write) -> None:
    write("pyproject.toml", b"[tool.xent.checks.\xff]\n")
    done = call("check")
    assert (done.code, done.err) == (2, "xent: pyproject.toml: is not UTF-8, as TOML must be\n")


def test_two_checks_do_not_write_what_another_reads(call: Call, write: Write) -> None:
    other = PASS.replace("good", "other").replace("preds.csv", "copy.csv")
    write("copy.csv", PREDS)
    write("pyproject.toml", PASS + "output = 'copy.csv'\n" + other)
    done = call("check")
    assert done.code == 2
    assert "'copy.csv' is an input; it would be overwritten" in done.err
    assert Path("copy.csv").read_text(encoding="utf-8") == PREDS
    write("pyproject.toml", PASS + "output = 'one.csv'\n" + other + "per-example = './one.csv'\n")
    done = call("check")
    assert (done.code, done.err) == (
        2,
        "xent: pyproject.toml, [tool.xent.checks.other]: './one.csv' is written twice\n",
    )
    assert not Path("one.csv").exists()


def test_the_output_of_all_is_no_input(call: Call, write: Write) -> None:
    write("pyproject.toml", PASS)
    assert call("check", "-o", "labels.csv").code == 2
    assert call("check", "-o", "all.md", "-o", "all.csv", "-o", "all.jsonl", "-o", "all.txt").code == 0
    assert Path("all.csv").read_text(encoding="utf-8").splitlines()[1].startswith("good,max cost,cost,")


@pytest.mark.parametrize(
    ("keys", "advice"),
    [
        ("", "max = { cost = 0.5 } or min = { accuracy = 0.9 } sets a limit"),
        ("max-each = { cost = 1 }\n", 'by = "COLUMN" names them'),
        ('max-regression = { cost = "2%" }\n', 'baseline = "FILE"'),
        ("strict = true\nmax = { cost = 1 }\n", 'max-regression = { cost = "2%" }, strict = true'),
        ("min-rows = 2\nmax = { cost = 1 }\n", 'by = "COLUMN", max-each = { cost = 0.5 }'),
        ('baseline = "none.npz"\nmax-regression = { cost = 0 }\n', "--write-baseline none.npz"),
    ],
)
def test_advice_is_for_the_table(keys: str, advice: str, call: Call, write: Write) -> None:
    write("pyproject.toml", TABLE + keys)
    error = of(call("check", "--format", "json"))["checks"][0]["error"]
    assert any(advice in line for line in error["advice"]), error
    for line in advice.removesuffix(" sets a limit").replace(" or ", ", ").split(", "):
        if "xent" not in error["advice"][0] and not line.endswith("names them"):
            assert tomllib.loads(line).keys() <= {spelled(name)[2:] for name in _KEYS}


def test_errors_are_json_and_on_stderr_too(call: Call, write: Write) -> None:
    write("pyproject.toml", GONE + EMPTY)
    done = call("check", "--format", "json")
    assert done.code == 4
    gone, empty = of(done)["checks"]
    assert gone["error"] == {"message": "gone.csv: cannot be read: No such file or directory", "advice": []}
    assert (gone["verdict"], gone["exit_code"], gone["report"]) == ("error", 4, None)
    assert (empty["verdict"], empty["exit_code"]) == ("no_verdict", 5)
    assert "xent: gone: gone.csv: cannot be read: No such file or directory" in done.err
    table = call("check", "--format", "csv")
    assert table.out.splitlines()[1].startswith("gone,")
    assert table.out.splitlines()[1].endswith(",gone.csv: cannot be read: No such file or directory")


VALUES = ["true", "1", "0.5", "'x'", "['x']", "[1]", "{ a = 1 }", "{ a = 'x' }", "{ a = true }", "1979-05-27", "[[]]"]


@functools.cache
def of_project() -> jsonschema.Draft7Validator:
    made = schema(_KEYS)
    jsonschema.Draft7Validator.check_schema(made)
    return jsonschema.Draft7Validator(made)


@pytest.mark.parametrize("key", sorted(_KEYS))
def test_the_schema_takes_what_the_reader_takes(key: str, tmp_path: Path) -> None:
    validator = of_project()
    option = key.replace("_", "-")
    taken = set()
    for value in VALUES:
        text = f"{TABLE}{option} = {value}\n"
        (tmp_path / "pyproject.toml").write_text(text)
        try:
            read = project_of(_KEYS, tmp_path) is not None
        except UsageError:
            read = False
        valid = validator.is_valid(tomllib.loads(text))
        # A text that is not among the choices is refused later, by the command.
        assert read or not valid, value
        assert valid or not read or _KEYS[key].choices, value
        taken |= {value} if read else set()
    assert taken
    assert len(taken) < len(VALUES)


def test_every_choice_is_in_the_schema() -> None:
    table = schema(_KEYS)["properties"]["tool"]["properties"]["xent"]
    properties = table["properties"]["checks"]["additionalProperties"]["properties"]
    for name, row in _KEYS.items():
        for choice, one in itertools.product(row.choices, (properties[name.replace("_", "-")],)):
            jsonschema.validate(choice, one)
        if row.choices:
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate("nonsense", properties[name.replace("_", "-")])


def test_every_option_of_the_command_is_a_key_or_of_the_run() -> None:
    options = {p.name for p in main.commands["check"].params if isinstance(p, click.Option)}
    assert options - _KEYS.keys() == {*OF_A_RUN, "help_all", "list_metrics", "toml_schema"}


def test_the_schema_is_printed(call: Call) -> None:
    done = call("check", "--toml-schema")
    assert done.code == 0
    assert of(done) == schema(_KEYS)
