"""Time `xent compare` and `xent calibration` against plain scores of the same files, whole processes, in turn.

    python benchmarks/models.py [--rounds 3] [--write docs]

Two files of 2,000,000 x 100 probabilities (NPY, float32), whose labels follow the first; and 200 submissions of
20,000 x 10 (CSV) beside one file of labels. A row of the table gives the median wall and processor seconds, and each
divided by that of one score of one of the files, the median of the ratios of the rounds. On a machine that does other
work only the processor seconds tell something.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from page import arguments, load, publish, versions

PAGE = "benchmarks-models.md"
ROWS, CLASSES = 2_000_000, 100
SUBMISSIONS, SHORT, FEW = 200, 20_000, 10


def drawn(random: Any, rows: int, classes: int) -> Any:
    """Probabilities of a model that is sure of most rows, f4[rows, classes]."""
    values = np.exp(2 * random.standard_normal((rows, classes), dtype=np.float32))
    values /= values.sum(axis=1, keepdims=True)
    return values


def make(folder: Path) -> None:
    """Write the files."""
    random = np.random.default_rng(0)
    for name in ("old", "new"):
        file = np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.float32, (ROWS, CLASSES))
        for start in range(0, ROWS, 100_000):
            file[start : start + 100_000] = drawn(random, 100_000, CLASSES)
        del file
    np.save(folder / "labels.npy", random.integers(0, CLASSES, ROWS))
    (folder / "subs").mkdir()
    labels = random.integers(0, FEW, SHORT)
    (folder / "labels.csv").write_text("label\n" + "\n".join(map(str, labels.tolist())) + "\n")
    header = ",".join(map(str, range(FEW)))
    for number in range(SUBMISSIONS):
        np.savetxt(
            folder / "subs" / f"{number}.csv", drawn(random, SHORT, FEW), "%.6g", ",", header=header, comments=""
        )


COMMANDS: dict[str, dict[str, list[str]]] = {
    f"{ROWS:,} x {CLASSES}, NPY": {
        "score": ["score", "old.npy", "labels.npy"],
        "compare --fit none": ["compare", "old.npy", "new.npy", "--labels", "labels.npy", "--fit", "none"],
        "compare": ["compare", "old.npy", "new.npy", "--labels", "labels.npy"],
        "calibration": ["calibration", "old.npy", "labels.npy"],
    },
    f"{SUBMISSIONS} files of {SHORT:,} x {FEW}, CSV": {
        "score of one": ["score", "subs/0.csv", "labels.csv", "--sum-tolerance", "1e-3"],
        "compare": ["compare", "subs/*.csv", "--labels", "labels.csv"],
    },
}


def timed(command: list[str], folder: Path) -> tuple[float, float]:
    """Run a command: wall seconds, and those of all processors."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "xentcli", *command, "--format", "json"],
        stdout=subprocess.DEVNULL,
        cwd=folder,
        check=True,
    )
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def table(folder: Path, rounds: int) -> str:
    """Return the times as Markdown."""
    lines = ["| files | command | seconds | times a score | of processors | times a score |"]
    lines.append("| --- | --- | ---: | ---: | ---: | ---: |")
    for title, commands in COMMANDS.items():
        runs: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                runs[name].append(timed(command, folder))
        scores = next(iter(runs.values()))
        for name, seen in runs.items():
            wall, work = (statistics.median(one[i] for one in seen) for i in (0, 1))
            pairs = list(zip(seen, scores, strict=True))
            slower, more = (statistics.median(one[i] / plain[i] for one, plain in pairs) for i in (0, 1))
            lines.append(f"| {title} | {name} | {wall:.2f} | {slower:.2f} | {work:.2f} | {more:.2f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Make the files, time the commands, print the table."""
    parser = arguments(__doc__, PAGE)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        make(Path(name))
        made = f"{os.cpu_count()} processors, {versions()}; medians of {given.rounds} rounds{load()}, "
        made += time.strftime("%Y-%m-%d")
        text = table(Path(name), given.rounds)
    publish(PAGE, __file__, "What a comparison and a fit cost", made, text, given.write)


if __name__ == "__main__":
    main()
