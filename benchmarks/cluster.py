"""What a cluster of Dask costs: two workers against two local processes, and memory by the number of shards.

    python benchmarks/cluster.py FOLDER [--rounds N] [--shards N --megabytes M]

Starts a scheduler and two workers on this machine, writes shards of predictions into FOLDER, and prints tables.
Times are those of whole commands, client included, in turns; processor time is that of all processes, as the machine
may do other things. Needs the extra `dask`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

TICKS = os.sysconf("SC_CLK_TCK")


class Cluster(NamedTuple):
    """Its scheduler file and processes, the scheduler first."""

    file: Path
    processes: list[subprocess.Popen[bytes]]

    def seconds(self) -> float:
        """Processor time of all so far."""
        return sum(map(_seconds, (process.pid for process in self.processes)))

    def peaks(self) -> list[int]:
        """The peak of the memory of each, in MiB."""
        return [_peak(process.pid) for process in self.processes]


def _seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    return sum(map(int, fields[11:13])) / TICKS


def _peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) >> 10


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Start a scheduler and two workers, and end them."""
    file = folder / "scheduler.json"
    file.unlink(missing_ok=True)
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    dask = [sys.executable, "-m", "dask"]
    where = ["--scheduler-file", str(file), "--no-dashboard"]
    found = [subprocess.Popen([*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *where], **quiet)]
    try:
        while not file.exists():
            time.sleep(0.1)
        found += [
            subprocess.Popen([*dask, "worker", "--nthreads", "1", "--no-nanny", *where], **quiet) for _ in range(2)
        ]
        time.sleep(10)
        yield Cluster(file, found)
    finally:
        for process in found[::-1]:
            process.kill()
            process.wait()


def shards(folder: Path, count: int, megabytes: float, form: str) -> Path:
    """Write shards of probabilities of 10 classes and their labels, unless they are there.

    In a process of its own: the peak of a command counts from that of the process that starts it.
    """
    place = folder / f"{form}-{count}-{megabytes:g}"
    process = multiprocessing.get_context("spawn").Process(target=_write, args=(place, count, megabytes, form))
    process.start()
    process.join()
    assert not process.exitcode
    return place


def _write(place: Path, count: int, megabytes: float, form: str) -> None:
    rows = max(10, int(megabytes * 1e6 / 80))
    for side in ("p", "y"):
        (place / side).mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for shard in range(count):
        if (place / f"y/{shard}.{form}").exists():
            continue
        q, y = random.dirichlet(np.ones(10), rows), random.integers(0, 10, rows)
        if form == "npy":
            np.save(place / f"p/{shard}.npy", q)
            np.save(place / f"y/{shard}.npy", y)
            continue
        import pandas as pd

        names = [f"c{column}" for column in range(10)]
        pd.DataFrame(q, columns=names).to_parquet(place / f"p/{shard}.parquet")
        pd.DataFrame({"y": np.array(names)[y]}).to_parquet(place / f"y/{shard}.parquet")


def run(place: Path, where: Sequence[str], there: Cluster | None = None) -> tuple[float, float, int]:
    """Return the seconds of a run, the processor time of all processes, and the peak of the command in MiB."""
    before, start = there.seconds() if there else 0.0, time.perf_counter()
    command = [sys.executable, "-m", "xentcli", "score", str(place / "p"), str(place / "y"), "-q", *where]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, command
    seconds = time.perf_counter() - start
    more = there.seconds() - before if there else 0.0
    return seconds, used.ru_utime + used.ru_stime + more, used.ru_maxrss >> 10


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--shards", type=int, default=16)
    parser.add_argument("--megabytes", type=float, default=100)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    print("| input | local: s | processor s | Dask: s | processor s | time | client, scheduler, workers MiB |")
    print("|---|---|---|---|---|---|---|")
    for form in ("npy", "parquet"):
        place = shards(args.folder, args.shards, args.megabytes, form)
        with cluster(args.folder) as there:
            local, dask = [], []
            for _ in range(args.rounds):
                local.append(run(place, ["--threads", "2"]))
                dask.append(run(place, ["--scheduler", str(there.file)], there))
            ratio = statistics.median(b[0] / a[0] for a, b in zip(local, dask, strict=True))
            times = [
                f"{statistics.median(one[place] for one in each):.1f}" for each in (local, dask) for place in (0, 1)
            ]
            peaks = ", ".join(map(str, [dask[-1][2], *there.peaks()]))
            what = f"{args.shards} shards of {args.megabytes:g} MB, {form}"
            print(f"| {what} | {' | '.join(times)} | {ratio:.2f} | {peaks} |", flush=True)
    print("\n| shards of 1,000 rows | s | client MiB | scheduler | workers |\n|---|---|---|---|---|")
    for count in (100, 1_000, 10_000):
        place = shards(args.folder, count, 0.08, "npy")
        with cluster(args.folder) as there:
            seconds, _, client = run(place, ["--scheduler", str(there.file)], there)
            scheduler, *workers = there.peaks()
            print(
                f"| {count:,} | {seconds:.1f} | {client} | {scheduler} | {', '.join(map(str, workers))} |", flush=True
            )


if __name__ == "__main__":
    main()
