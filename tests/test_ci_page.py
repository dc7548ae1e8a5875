"""docs/ci.md and action/: the worked example from green to red to green, and every snippet, run as far as a machine can."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from threadpoolctl import threadpool_limits

from tests.conftest import ROOT, posix_only
from tests.pages import blocks, commands, masked

PAGE = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
NAMED = {block.name: block.text for block in blocks(PAGE) if block.name}
CONSOLES = [block.text for block in blocks(PAGE) if block.language == "console"]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action/action.yml").read_text(encoding="utf-8"))
SHIMS = {
    "xent": f'exec "{sys.executable}" -m xentcli "$@"',
    "python": f"""[ "$2" != pip ] || exec pip "$@"
[ "$2" != venv ] || {{ mkdir -p "$3/bin" && echo > "$3/bin/activate"; exit; }}
[ "$1" = train.py ] || exec "{sys.executable}" "$@"
cp "$KEPT/strength-$2"/* .""",
    # These need a network: what they are asked for is kept.
    "pip": 'echo "$@" >> pip.log',
    "gh": 'echo "$@" >> gh.log; [ "$2" != --paginate ] || cat comments',
}
pytestmark = posix_only


class Machine:
    """A folder with the files of the page, and the commands that its snippets call."""

    def __init__(self, folder: Path, kept: Path) -> None:
        self.folder = folder
        binaries = folder / "bin"
        binaries.mkdir()
        for name, script in SHIMS.items():
            (binaries / name).write_text(f"#!/bin/sh\n{script}\n")
            (binaries / name).chmod(0o755)
        for name in ("train.py", "pyproject.toml", "test_model.py", "Makefile", ".taplo.toml"):
            (folder / name).write_text(NAMED[name])
        path = f"{binaries}{os.pathsep}{os.environ['PATH']}"
        plain = {name: text for name, text in os.environ.items() if not name.startswith("GITHUB_")}
        self.env = {**plain, "PATH": path, "KEPT": str(kept), "OMP_NUM_THREADS": "1"}

    def run(self, command: str, env: Mapping[str, str] | None = None, shell: str = "sh") -> tuple[int, str, str]:
        """Run a line as a CI server does: it ends with the first command that fails."""
        line = [shell, "-ec", command] if shell == "sh" else ["bash", "-eo", "pipefail", "-c", command]
        both = {**self.env, **(env or {})}
        done = subprocess.run(line, cwd=self.folder, env=both, capture_output=True, text=True, check=False, timeout=120)
        return done.returncode, done.stdout, done.stderr

    def act(self, env: Mapping[str, str] | None = None, **given: str) -> tuple[int, dict[str, str]]:
        """Run the steps of action.yml with inputs; return the exit code and the outputs."""
        inputs = {name: given.get(name, str(row.get("default", ""))) for name, row in ACTION["inputs"].items()}
        output = self.folder / "github-output"
        output.write_text("")
        code = 0
        for step in ACTION["runs"]["steps"]:
            if step.get("if") == "inputs.package != ''" and not inputs["package"]:
                continue
            wanted = {name: expression(text, inputs) for name, text in step["env"].items()}
            code, _, _ = self.run(step["run"], {**wanted, "GITHUB_OUTPUT": str(output), **(env or {})}, step["shell"])
            if code:
                break
        return code, dict(line.split("=", 1) for line in output.read_text().splitlines())


def expression(text: str, inputs: Mapping[str, str]) -> str:
    """The value of an expression of GitHub that is an input."""
    found = re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", text)
    assert found is not None, text
    return inputs[found[1]]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What train.py writes for each strength that is asked for: it is run once, in this process."""
    folder = tmp_path_factory.mktemp("kept")
    code = compile(NAMED["train.py"], "train.py", "exec")
    for strength in {"", *re.findall(r"python train\.py ([\d.]+)", PAGE), "0.1"}:
        (folder / f"strength-{strength}").mkdir()
        with pytest.MonkeyPatch.context() as patch, threadpool_limits(1):
            patch.chdir(folder / f"strength-{strength}")
            patch.setattr(sys, "argv", ["train.py", *strength.split()])
            exec(code, {"__name__": "__main__"})
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, kept: Path) -> Machine:
    """A machine with a baseline, and the model that it is of."""
    machine = Machine(tmp_path_factory.mktemp("ci"), kept)
    (command,) = (
        line
        for text in CONSOLES
        for line in text.splitlines()
        if line.endswith("--write-baseline main.npz") and line[:1] == "$"
    )
    for line in ("python train.py", command.removeprefix("$ ")):
        assert machine.run(line)[0] == 0
    return machine


@pytest.fixture
def machine(trained: Machine, tmp_path: Path, kept: Path) -> Machine:
    """A copy of it, with nothing that a run leaves."""
    fresh = Machine(tmp_path, kept)
    for name in ("preds.csv", "labels.csv", "main.npz"):
        shutil.copy(trained.folder / name, tmp_path)
    return fresh


def figures(text: str) -> list[float]:
    return [float(value) for value in re.findall(r"^(?:pass|FAIL) +\w+ +([\d.]+)", text, re.MULTILINE)]


def test_the_worked_example_goes_from_green_to_red_to_green(tmp_path: Path, kept: Path) -> None:
    machine = Machine(tmp_path, kept)
    codes = []
    for command, output in (each for text in CONSOLES for each in commands(text)):
        code, out, err = machine.run(command)
        assert err == ""
        # The digits depend on the version of scikit-learn.
        assert masked(out) == masked(output), command
        assert figures(out) == pytest.approx(figures(output), rel=0.01)
        stated = re.search(r"exit (\d)\.\n\Z", output)
        assert code == (int(stated[1]) if stated else 0)
        codes += [code] if command == "xent check" else []
    assert codes == [1, 0]
    assert len(CONSOLES) == 5


def test_the_schema_of_the_page_takes_its_table(machine: Machine) -> None:
    rule = tomllib.loads(NAMED[".taplo.toml"])["rule"][0]
    assert machine.run(f"xent check --toml-schema > {rule['schema']['path']}")[0] == 0
    made = yaml.safe_load((machine.folder / rule["schema"]["path"]).read_text())
    # Taplo applies the schema of a rule to the whole file, even where the rule has keys.
    assert rule.keys() == {"include", "schema"}
    others = '[project]\nname = "model"\n[tool.ruff]\nline-length = 100\n'
    file: Any = tomllib.loads(others + NAMED["pyproject.toml"])
    jsonschema.validate(file, made)
    jsonschema.validate(tomllib.loads(others), made)
    file["tool"]["xent"]["checks"]["digits"]["nonsense"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(file, made)


def test_pytest(machine: Machine) -> None:
    run = "python -m pytest -p no:cacheprovider test_model.py"
    # Other plugins would take half of the time.
    plain = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    assert machine.run(run, plain)[0] == 0
    machine.run("python train.py 0.1")
    code, out, _ = machine.run(run, {**plain, "CI": "true"})
    assert code == 1
    assert re.search(r"E +\+ FAIL +cost +0\.20", out)


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed; gh has its own")
def test_github(machine: Machine) -> None:
    workflow = yaml.safe_load(NAMED[".github/workflows/model.yml"])
    assert workflow[True] == "pull_request"  # YAML 1.1 reads the key `on` so
    steps = workflow["jobs"]["check"]["steps"]
    for comments in ("", "12\n345\n"):
        (machine.folder / "comments").write_text(comments)
        for step in steps:
            if "run" in step:
                assert machine.run(step["run"], {"PR": "7"} if "env" in step else {}, "bash")[0] == 0
            elif step["uses"].startswith("./"):
                assert machine.act(**step.get("with", {})) == (0, {"exit-code": "0"})
    listed, made, again, changed = (machine.folder / "gh.log").read_text().splitlines()
    assert listed == again and listed.startswith("api --paginate repos/{owner}/{repo}/issues/7/comments --jq ")
    assert made == "pr comment 7 --body-file comment.md"
    assert changed.endswith("--method PATCH repos/{owner}/{repo}/issues/comments/345 --field body=@comment.md")
    marker, page = (machine.folder / "comment.md").read_text().split("\n", 1)
    assert f'startswith("{marker}")' in listed and re.fullmatch("<!-- .* -->", marker)
    assert page == (machine.folder / "xent.md").read_text()
    assert "install --quiet xentcli" in (machine.folder / "pip.log").read_text()
    for name in steps[-1]["with"]["path"].split():
        assert (machine.folder / name).is_file()
    bot, other = ({"login": "github-actions[bot]"}, {"login": "mallory"})
    bodies = [(bot, "a talk"), (bot, f"{marker}\nold"), (other, f"{marker}\nold"), (bot, f"see {marker}")]
    thread = json.dumps([{"id": number, "user": user, "body": body} for number, (user, body) in enumerate(bodies)])
    jq = listed.partition("--jq ")[2]
    assert subprocess.run(["jq", jq], input=thread, capture_output=True, text=True, check=True).stdout == "1\n"
    line = re.search(r"`run: pip install xentcli && (rm .*?)`", PAGE)
    assert line is not None
    assert machine.run(line[1])[0] == 0


def test_the_action_is_red_where_the_check_is_and_says_why(machine: Machine) -> None:
    machine.run("python train.py 0.1")
    summary = machine.folder / "summary.md"
    github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    assert machine.act(github) == (1, {"exit-code": "1"})
    assert "| FAIL | cost |" in summary.read_text()
    assert "| FAIL | cost |" in (machine.folder / "xent.md").read_text()
    assert machine.act(github, checks="nope") == (2, {"exit-code": "2"})
    # An older page would pass for the result of this run.
    assert "nope" in (machine.folder / "xent.md").read_text()
    (machine.folder / "preds.csv").unlink()
    assert machine.act(github, annotations="false", junit="", markdown="") == (4, {"exit-code": "4"})
    assert machine.act(github, arguments="nope.csv\n--max=cost=1", package="")[0] == 4


def test_no_input_of_the_action_is_read_as_a_command(machine: Machine) -> None:
    (machine.folder / "bin/xent").write_text('#!/bin/sh\nprintf "%s\\n" "$@" > words.log\n')
    hostile = ["a b", "$(touch owned)", "`touch owned`", "; touch owned", "'\"", "*", "--x=\\n", "${HOME}"]
    assert machine.act(arguments="\n".join(hostile) + "\r\n\n", checks="one\ntwo\n", junit="j;x", markdown="$(m)") == (
        0,
        {"exit-code": "0"},
    )
    words = (machine.folder / "words.log").read_text().splitlines()
    assert words == ["check", *hostile, "one", "two", "--junit=j;x", "--output=markdown:$(m)"]
    assert not (machine.folder / "owned").exists()


def test_the_action_describes_its_inputs_and_uses_each() -> None:
    used = {found for step in ACTION["runs"]["steps"] for found in re.findall(r"inputs\.([\w-]+)", str(step))}
    assert used == ACTION["inputs"].keys()
    assert all(row["description"] and isinstance(row["default"], str) for row in ACTION["inputs"].values())
    assert not any("${{" in step["run"] for step in ACTION["runs"]["steps"])


def test_gitlab(machine: Machine) -> None:
    job = yaml.safe_load(NAMED[".gitlab-ci.yml"])["model"]
    for line in job["script"]:
        assert machine.run(line)[0] == 0, line
    assert (machine.folder / job["artifacts"]["reports"]["junit"]).is_file()


def test_jenkins(machine: Machine) -> None:
    text = NAMED["Jenkinsfile"]
    (script,) = re.findall(r"sh '''\n(.*?)'''", text, re.DOTALL)
    assert text.count("{") == text.count("}")
    assert machine.run(script)[0] == 0
    # The user of a container may write to no other place.
    before, _, _ = script.partition("pip install")
    assert ". .venv/bin/activate\n" in before and (machine.folder / ".venv/bin/activate").is_file()
    (report,) = re.findall(r"junit '(.*?)'", text)
    assert (machine.folder / report).is_file()
    machine.run("python train.py 0.1")
    assert machine.run(script.replace("train.py", "train.py 0.1"))[0] == 1


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make(machine: Machine) -> None:
    code, out, err = machine.run("make check")
    assert (code, err) == (0, "")
    assert "1 check of pyproject.toml: 1 passed" in out
    machine.run("python train.py 0.1")
    assert machine.run("make check")[0] != 0


def test_dvc(machine: Machine) -> None:
    for stage in yaml.safe_load(NAMED["dvc.yaml"])["stages"].values():
        assert machine.run(stage["cmd"])[0] == 0
        names = [*stage["deps"], *(name for out in stage["outs"] for name in ([out] if isinstance(out, str) else out))]
        assert all((machine.folder / name).is_file() for name in names)


def test_our_own_workflow_runs_lint_and_tests_on_three_systems_and_four_pythons() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    matrix = jobs["test"]["strategy"]["matrix"]
    assert matrix["os"] == ["ubuntu-latest", "macos-latest", "windows-latest"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    lines = [step["run"] for step in jobs["lint"]["steps"] if "run" in step]
    nox = (ROOT / "noxfile.py").read_text(encoding="utf-8").partition("def lint(")[2].partition("\n\n\n")[0]
    assert [line.split() for line in lines[1:]] == [
        re.findall(r'"(.*?)"', run) for run in re.findall(r"run\((.*)\)", nox)
    ]
    assert [step["uses"] for step in jobs["action"]["steps"]][-1] == "./action"
    words = jobs["action"]["steps"][-1]["with"]["arguments"].split()
    assert all((ROOT / word).is_file() for word in words if not word.startswith("-"))
    assert (
        subprocess.run(
            [sys.executable, "-m", "xentcli", "check", *words], cwd=ROOT, capture_output=True, check=False
        ).returncode
        == 0
    )
