"""No input opens a socket, starts a process, unpickles or writes a file: an audit hook watches all of the table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.inputs.table import ROWS

WRITING = {"-o", "--per-example"}
CHILD = """
import contextlib, io, json, os, pathlib, sys
sys.path.insert(0, sys.argv[1])
from tests.inputs.table import ROWS
from tests.inputs.test_audit import WRITING
from tests.inputs.test_table import put
from xentcli.cli import main
import xentcli.analysis.score, xentcli.writers.table, xentcli.writers.per_example, xentcli.readers.arrow, pyarrow.parquet

found, watching = [], False
FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "pickle.find_class",
             "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod", "os.link", "os.symlink", "shutil.",
             "ctypes.dlopen", "ftplib.", "urllib.", "http.", "smtplib.", "webbrowser.", "marshal.loads")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

def hook(event, args):
    if not watching:
        return
    if event == "open" and isinstance(args[2], int) and args[2] & WRITES and args[0] != os.devnull:
        found.append([event, str(args[0])])
    elif event.startswith(FORBIDDEN):
        # The settings of malloc are made through ctypes; modules that are imported late are unmarshalled.
        if not (event == "ctypes.dlopen" and args[0] is None) and event != "marshal.loads":
            found.append([event, repr(args)[:200]])

sys.addaudithook(hook)
codes = {}
for number, row in enumerate(ROWS):
    if row.stdin is not None or WRITING & {*row.words}:
        continue
    folder = pathlib.Path(sys.argv[2], str(number))
    folder.mkdir()
    put(row, folder)
    os.chdir(folder)
    before, watching = len(found), True
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            main(["score", *row.words, *(() if row.code else ("--quiet",))])
        except SystemExit as end:
            codes[row.what] = end.code
    watching = False
    if len(found) > before:
        found[-1].append(row.what)
os.chdir("/")
print(json.dumps({"found": found, "codes": codes}))
"""


def test_no_input_does_anything_but_be_read(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(ROOT), str(tmp_path)],
        capture_output=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["found"] == []
    # It was the table that ran.
    watched = {row.what: row.code for row in ROWS if row.stdin is None and not WRITING & {*row.words}}
    assert result["codes"] == watched


def test_the_hook_sees_what_it_looks_for(tmp_path: Path) -> None:
    broken = CHILD.replace('main(["score"', 'open("x", "w").close(); main(["score"').replace("(ROWS)", "(ROWS[:20])")
    done = subprocess.run(
        [sys.executable, "-c", broken, str(ROOT), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert any(event == "open" for event, *_ in json.loads(done.stdout.splitlines()[-1])["found"])
