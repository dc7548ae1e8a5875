"""Time xent against the scripts that people write, whole processes, in one sitting.

    python benchmarks/run.py [--rows 200000] [--rounds 3]

The data are made in a temporary folder. Runs are interleaved, A B A B; a line gives the
median wall time and the peak resident memory. Answers that differ are reported.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PANDAS = """
import sys, numpy as np, pandas as pd
q = pd.read_csv(sys.argv[1]).to_numpy(); y = pd.read_csv(sys.argv[2])["label"].to_numpy()
print(-np.log(q[np.arange(len(y)), y]).mean())"""
NUMPY = """
import sys, numpy as np
z = np.load(sys.argv[1]).astype(float); y = np.load(sys.argv[2]); m = z.max(1)
print((np.log(np.exp(z - m[:, None]).sum(1)) + m - z[np.arange(len(y)), y]).mean())"""


def make(folder: Path, rows: int, classes: int) -> None:
    """Write the same model's probabilities as CSV and its logits as NPY."""
    import numpy as np

    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, rows)
    logits = rng.standard_normal((rows, classes)) * 2
    logits[np.arange(rows), labels] += 3
    np.save(folder / "z.npy", logits.astype(np.float32))
    np.save(folder / "y.npy", labels)
    q = np.exp(logits)
    q /= q.sum(1, keepdims=True)
    with open(folder / "q.csv", "w", encoding="utf-8") as file:
        file.write(",".join(f"c{i}" for i in range(classes)) + "\n")
        file.writelines(",".join(map(repr, row)) + "\n" for row in q.tolist())
    (folder / "y.csv").write_text("label\n" + "\n".join(map(str, labels.tolist())) + "\n", encoding="utf-8")


def timed(command: list[str]) -> tuple[float, float, float]:
    """Run a command: wall seconds, peak resident MiB, the number it printed."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"failed: {command}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024, float(printed)


def race(title: str, contestants: dict[str, list[str]], rounds: int) -> None:
    """Run the contestants in turn and print a line for each."""
    runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, command in contestants.items():
            runs[name].append(timed(command))
    answer = runs["xent"][0][2]
    print(title)
    for name, results in runs.items():
        seconds, memory = (statistics.median(result[i] for result in results) for i in (0, 1))
        wrong = "" if abs(results[0][2] - answer) <= 1e-9 * max(1.0, abs(answer)) else f"   DIFFERS: {results[0][2]!r}"
        print(f"  {name:16} {seconds:8.3f} s {memory:7.0f} MiB{wrong}")


def main() -> None:
    """Make the data, run the races."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    xent = [sys.executable, "-m", "xentcli", "score"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # A child's peak counts its parent's at the fork, so that this process stays small.
        child = multiprocessing.get_context("spawn").Process(target=make, args=(folder, given.rows, given.classes))
        child.start()
        child.join()
        csv, npy = [f"{name}/q.csv", f"{name}/y.csv"], [f"{name}/z.npy", f"{name}/y.npy"]
        columns = ["--preds", f"c0:c{given.classes - 1}", "--quiet"]
        shape = f"{given.rows:,} x {given.classes}"
        race(
            f"probabilities, CSV, {shape}",
            {"xent": [*xent, *csv, *columns], "pandas + NumPy": [sys.executable, "-c", PANDAS, *csv]},
            given.rounds,
        )
        race(
            f"logits, NPY float32, {shape}",
            {"xent": [*xent, *npy, "--kind", "logits", "--quiet"], "NumPy": [sys.executable, "-c", NUMPY, *npy]},
            given.rounds,
        )


if __name__ == "__main__":
    main()
