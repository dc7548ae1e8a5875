"""Files as other tools write them give their cost at the first command, or at the second, which the first one names."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest

from tests.advice.follow import Case, follow
from tests.cases.table import CASES, Try
from tests.conftest import Call

HERE = Path(__file__).parent


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.folder}: {case.args}")
def test_a_file_of_another_tool_gives_its_cost_at_the_first_command_or_the_second(
    case: Try, tmp_path: Path, call: Call
) -> None:
    shutil.copytree(HERE / case.folder, tmp_path, dirs_exist_ok=True)
    first = call("score", *shlex.split(case.args), "-q")
    assert (first.code == 0) >= (not case.line), first.err
    lines = () if first.code == 0 else (case.line,)
    done = follow(Case(case.args, {}, lines, case.cost, dict(case.fill)), tmp_path, call)
    if case.cost is None:
        # The truth, or a class, is not in the files: no number, and a line that says so.
        assert first.code == 3
    else:
        assert done.code == 0, done.err
        assert float(done.out) == pytest.approx(case.cost, rel=1e-12)


def test_every_folder_is_in_the_table() -> None:
    folders = {path.name for path in HERE.iterdir() if path.is_dir() and path.name[0] != "_"}
    assert folders == {case.folder for case in CASES}
