"""A stream is scored in memory that does not grow with its rows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has another unit elsewhere")

CLASSES = 10

# A small process starts xent, because a process begins with the peak of the one that started it.
DRIVER = """
import json, os, shutil, subprocess, sys
source, *command = sys.argv[1:]
process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
with open(source, "rb") as file, process.stdin:
    shutil.copyfileobj(file, process.stdin)
report = process.stdout.read().decode()
_, status, usage = os.wait4(process.pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), usage.ru_maxrss, report]))
"""


def write_inputs(folder: Path, rows: int, form: str) -> tuple[Path, Path]:
    """Predictions that hardly repeat, and labels with a header."""
    import gzip

    import numpy as np

    random = np.random.default_rng(rows)
    predictions = random.dirichlet(np.ones(CLASSES), rows)
    path = folder / f"preds-{rows}"
    if form == "csv":
        text = "\n".join(",".join(map(repr, row)) for row in predictions.tolist())
        path.write_text(text + "\n")
    else:
        with gzip.open(path, "wb", compresslevel=1) as file:
            np.lib.format.write_array(file, predictions)
    labels = folder / f"labels-{rows}.csv"
    labels.write_text("label\n" + "\n".join(map(str, random.integers(0, CLASSES, rows).tolist())) + "\n")
    return path, labels


def peak(preds: Path, labels: Path, rows: int) -> int:
    """The peak of resident memory, in KiB, of scoring a pipe."""
    command = [sys.executable, "-m", "xentcli", "score", "-", str(labels), "--format", "json"]
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(preds), *command], capture_output=True, check=True, timeout=300
    )
    code, kibibytes, report = json.loads(done.stdout)
    assert code == 0, done.stderr.decode()
    assert json.loads(report)["examples"]["scored"] == rows
    return int(kibibytes)


@pytest.mark.parametrize("form", ["csv", "npy.gz"])
def test_ten_times_the_rows_of_a_stream_need_hardly_more_memory(form: str, tmp_path: Path) -> None:
    peaks = {}
    for rows in (30_000, 300_000):
        preds, labels = write_inputs(tmp_path, rows, form)
        peaks[rows] = peak(preds, labels, rows)
    assert peaks[300_000] < 1.15 * peaks[30_000], peaks
