"""Measure the HTML report of many rows, classes and groups: its size, the memory and the time that it takes.

    python benchmarks/report.py [--rows 10000000] [--write docs]

The predictions are 100 files of probabilities (NPY, float16, 1,000 classes) of 1/100 of the rows each, which are one
file under 100 names (hard links), so that 20 GB are read from 200 MB of disk. Every file has labels and groups of its
own. Peak memory is that of the process and what its workers have for themselves, read every 20 ms. The runs with fewer
rows show what grows with the rows.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from page import arguments, load, publish, versions

PAGE = "benchmarks-report.md"
SHARDS, CLASSES, GROUPS = 100, 1000, 200
SHOWN = ("--by", "group", "--by-class", "--worst", "10")
_BLOCK = 10_000


def make(folder: Path, rows: int) -> None:
    """Write the files: the model is right on most rows, and each file of labels differs from it in rows of its own."""
    random = np.random.default_rng(0)
    each = rows // SHARDS
    (folder / "preds").mkdir(parents=True)
    (folder / "labels").mkdir()
    first = folder / "preds" / "part-00.npy"
    file = np.lib.format.open_memmap(first, "w+", np.float16, (each, CLASSES))
    drawn = random.integers(0, CLASSES, each)
    for start in range(0, each, _BLOCK):
        logits = random.standard_normal((min(_BLOCK, each - start), CLASSES), dtype=np.float32)
        logits[np.arange(len(logits)), drawn[start : start + _BLOCK]] += 7
        values = np.exp(logits)
        file[start : start + _BLOCK] = values / values.sum(axis=1, keepdims=True)
    del file
    for shard in range(SHARDS):
        if shard:
            os.link(first, folder / "preds" / f"part-{shard:02d}.npy")
        other = random.random(each) < 0.2
        labels = np.where(other, random.integers(0, CLASSES, each), drawn)
        groups = np.char.add("site-", random.integers(0, GROUPS, each).astype(str))
        table = pd.DataFrame({"label": labels, "group": groups})
        table.to_parquet(folder / "labels" / f"part-{shard:02d}.parquet")


def _private(process: int) -> int:
    """What the workers of a process have for themselves, in KiB."""
    total = 0
    try:
        for child in Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8").split():
            text = Path(f"/proc/{child}/smaps_rollup").read_text(encoding="utf-8")
            total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private"))
    except OSError:
        pass
    return total


def measured(folder: Path, *args: str) -> dict[str, Any]:
    """Score the files of a folder into a report; its size, the peak of memory, and the time."""
    command = [sys.executable, "-m", "xentcli", "score", "preds", "labels", *SHOWN, "-o", "report.html", *args]
    start, most = time.perf_counter(), 0
    with subprocess.Popen([*command, "-q"], cwd=folder, stdout=subprocess.PIPE) as process:
        while process.poll() is None:
            text = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            peak = re.search(r"VmHWM:\s+(\d+)", text)
            most = max(most, (int(peak[1]) if peak else 0) + _private(process.pid))
            time.sleep(0.02)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    return {
        "size": (folder / "report.html").stat().st_size,
        "peak": most / 1024,
        "seconds": time.perf_counter() - start,
    }


def table(rows: int) -> str:
    """The table, in Markdown."""
    lines = [
        "| rows | report, MB | peak memory, MB | seconds |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for count in (rows // 100, rows // 10, rows):
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), count)
            found = measured(Path(folder))
        lines.append(f"| {count:,} | {found['size'] / 1e6:.2f} | {found['peak']:.0f} | {found['seconds']:.0f} |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table, and write it where that is asked for."""
    parser = arguments(__doc__, PAGE)
    parser.add_argument("--rows", type=int, default=10_000_000)
    given = parser.parse_args()
    made = f"{os.cpu_count()} processors, {versions()}{load()}, {time.strftime('%Y-%m-%d')}"
    text = f"`xent score preds labels {' '.join(SHOWN)} -o report.html`: {CLASSES:,} classes, {GROUPS} groups, "
    text += f"{SHARDS} files of float16 probabilities. Other work on the machine adds to the seconds.\n\n"
    text += table(given.rows)
    publish(PAGE, __file__, "What a report of many rows takes", made, text, given.write)


if __name__ == "__main__":
    main()
