"""A stream is scored in memory that does not grow with its rows; a file larger than the address space is scored too."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from tests.laws import LONG

CLASSES = 10
BLOCK = 20_000

# What the copies of a process have for themselves, in KiB.
PRIVATE = """
def private(process):
    total = 0
    try:
        for child in open(f"/proc/{process}/task/{process}/children").read().split():
            lines = open(f"/proc/{child}/smaps_rollup").readlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Private"))
    except OSError:
        pass
    return total
"""
# A small process starts xent, because a process begins with the peak of the one that started it.
DRIVER = f"""
import json, os, subprocess, sys
{PRIVATE}
head, block, times, *command = sys.argv[1:]
process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
most = 0
with process.stdin:
    for path in (head, *[block] * int(times)):
        with open(path, "rb") as file:
            process.stdin.write(file.read())
        most = max(most, private(process.pid))
report = process.stdout.read().decode()
_, status, usage = os.wait4(process.pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), usage.ru_maxrss + most, report]))
"""
LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))
os.execv(sys.argv[1], sys.argv[1:])
"""


def npy_head(descr: str, shape: tuple[int, ...]) -> bytes:
    """What stands before the numbers of an array."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue()


def write_block(folder: Path, form: str) -> None:
    """Predictions and labels of BLOCK rows, as text or as the bytes of an array."""
    random = np.random.default_rng(0)
    predictions = random.dirichlet(np.ones(CLASSES), BLOCK)
    text = "\n".join(",".join(map(repr, row)) for row in predictions.tolist()) + "\n"
    data = text.encode() if form.startswith("csv") else predictions.tobytes()
    (folder / "block").write_bytes(gzip.compress(data, 1) if form.endswith(".gz") else data)
    labels = random.integers(0, CLASSES, BLOCK)
    (folder / "labels").write_text("\n".join(map(str, labels.tolist())) + "\n")


def peak(folder: Path, form: str, times: int, *options: str) -> float:
    """The peak of resident memory, in MiB, of scoring a pipe of `times` blocks."""
    head = npy_head("<f8", (times * BLOCK, CLASSES)) if form.startswith("npy") else b""
    (folder / "head").write_bytes(gzip.compress(head, 1) if form.endswith(".gz") else head)
    (folder / "labels.csv").write_text("label\n" + times * (folder / "labels").read_text())
    command = [sys.executable, "-m", "xentcli", "score", "-", str(folder / "labels.csv"), "--format", "json", *options]
    driver = [sys.executable, "-c", DRIVER, str(folder / "head"), str(folder / "block"), str(times)]
    done = subprocess.run([*driver, *command], capture_output=True, check=True, timeout=300)
    code, kibibytes, report = json.loads(done.stdout)
    assert code == 0, done.stderr.decode()
    assert json.loads(report)["examples"]["scored"] == times * BLOCK
    return float(kibibytes) / 1024


@pytest.mark.parametrize("form", ["csv", "csv.gz", "npy", "npy.gz"])
def test_ten_times_the_rows_of_a_stream_need_hardly_more_memory(form: str, tmp_path: Path) -> None:
    """Four times, but with `nox -s long`."""
    write_block(tmp_path, form)
    # Fewer blocks do not yet fill what is read ahead.
    few = 12 if form.startswith("csv") else 40
    many = few * (10 if LONG else 4)
    # How much of what several threads need falls together is chance: more often in a longer run.
    peaks = {times: peak(tmp_path, form, times, "--threads", "1") for times in (few, many)}
    assert peaks[many] < 1.1 * peaks[few], peaks
    assert peak(tmp_path, form, few * (4 if LONG else 1), "--threads", "2") < 120


MEASURED = f"""
import os, subprocess, sys, time
{PRIVATE}
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
most = 0
while not os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
    most = max(most, private(process.pid))
    time.sleep(0.005)
_, status, usage = os.wait4(process.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss + most)
"""


def measured(folder: Path, *args: str) -> float:
    """The peak of resident memory, in MiB, of a score in a folder."""
    command = [sys.executable, "-c", MEASURED, sys.executable, "-m", "xentcli", "score", *args, "-q"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=300)
    code, kibibytes = map(int, done.stdout.split())
    assert code == 0, done.stderr.decode()
    return kibibytes / 1024


def test_many_rows_of_few_columns_need_little_memory_too(tmp_path: Path) -> None:
    rows = 3_000_000
    for name, descr, shape in (("z.npy", "<f4", (rows, 2)), ("y.npy", "|u1", (rows,))):
        with open(tmp_path / name, "wb") as file:
            file.write(npy_head(descr, shape))
            file.truncate(file.tell() + int(np.prod(shape)) * int(descr[-1]))
    assert measured(tmp_path, "z.npy", "y.npy", "--kind", "logits", "--threads", "2") < 100


@pytest.mark.parametrize("compression", ["none", "snappy"])
def test_a_row_group_of_parquet_is_read_in_batches(compression: str, tmp_path: Path) -> None:
    peaks = {}
    for rows in (500_000, 3_500_000):
        random = np.random.default_rng(0)
        a = random.random(rows)
        table = pa.table({"a": a, "b": 1 - a, "y": random.integers(0, 2, rows, dtype="i1")})
        parquet.write_table(table, tmp_path / "p.parquet", row_group_size=rows, compression=compression)
        peaks[rows] = measured(tmp_path, "p.parquet", "--preds", "a,b", "--label", "y", "--threads", "1")
    assert peaks[3_500_000] < 1.2 * peaks[500_000], peaks


def test_a_command_reads_parquet_without_an_allocator_that_keeps_what_is_freed() -> None:
    code = "from xentcli.cli.process import prepare as f; f(); import pyarrow as p; print(p.default_memory_pool().backend_name)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "system\n"


def test_a_file_larger_than_the_address_space_is_scored(tmp_path: Path) -> None:
    """600 MB of zero logits in a sparse file, with an address space of 512 MiB."""
    rows, classes = 150_000, 1000
    for name, descr, shape in (("z.npy", "<f4", (rows, classes)), ("y.npy", "<i8", (rows,))):
        with open(tmp_path / name, "wb") as file:
            file.write(npy_head(descr, shape))
            file.truncate(file.tell() + int(np.prod(shape)) * int(descr[-1]))
    command = [sys.executable, "-m", "xentcli", "score", "z.npy", "y.npy", "--kind", "logits", "-q"]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *command], cwd=tmp_path, capture_output=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr.decode()
    assert float(done.stdout) == pytest.approx(np.log(classes), rel=1e-14)


def test_a_report_of_ten_times_the_rows_is_as_large_and_needs_as_much_memory(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    sizes, peaks = [], []
    for rows in (2_500, 25_000):
        q = random.random((rows, 1000), dtype=np.float32)
        np.save(tmp_path / "q.npy", (q / q.sum(axis=1, keepdims=True)).astype(np.float16))
        groups = {"label": random.integers(1000, size=rows), "site": random.integers(200, size=rows)}
        parquet.write_table(pa.table(groups), tmp_path / "y.parquet")
        more = ("--by", "site", "--by-class", "--worst", "10", "--threads", "1", "-o", "report.html")
        peaks.append(measured(tmp_path, "q.npy", "y.parquet", *more))
        sizes.append((tmp_path / "report.html").stat().st_size)
    # The file of the longer run has 50 MB.
    assert peaks[1] < peaks[0] + 20, peaks
    assert max(sizes) < 3e6 and sizes[1] < 1.2 * sizes[0], sizes
