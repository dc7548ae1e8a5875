"""Time xent against the scripts that people write, whole processes, in one sitting.

    python benchmarks/run.py [--rounds 3] [--write docs]

The data are made in a temporary folder. Runs are interleaved, A B C A B C; a row of the
table gives the median wall time, the peak memory (resident, and what its child processes
have for themselves), and xent's ratio to each of the others, the median of the ratios of
the rounds. Contestants whose packages
are not installed are left out; answers that differ are marked. The floor is NumPy alone:
the time to read the same bytes and take one np.exp (logits) or one sum (probabilities).
A second table gives what slices, worst rows and losses of each row cost beside a plain score.

With --write the table and a picture of time and memory go into a folder.
"""

from __future__ import annotations

import contextlib
import importlib.util
import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from page import arguments, publish, versions

PAGE = "benchmarks.md"
LOAD_CSV = """
q = {read}(sys.argv[1]).to_numpy(); y = {read}(sys.argv[2])["label"].to_numpy()"""
LOAD_NPY = """
q = np.load(sys.argv[1]); y = np.load(sys.argv[2])"""
PICK = """
print(-np.log(q[np.arange(len(y)), y].astype(float)).mean())"""
LSE = """
z = q.astype(float); m = z.max(1)
print((np.log(np.exp(z - m[:, None]).sum(1)) + m - z[np.arange(len(y)), y]).mean())"""
SKLEARN = """
from sklearn.metrics import log_loss
print(log_loss(y, q, labels=range(q.shape[1])))"""
TORCH = """
import torch
print(torch.nn.functional.{loss}(torch.from_numpy(q).float(){log}, torch.from_numpy(y)).item())"""
FLOOR = """
total = 0.0
with open(sys.argv[1], "rb") as file:
    file.seek(128)
    buffer = bytearray(1 << 20); block = np.empty(1 << 18)
    while count := file.readinto(buffer):
        some = block[: count // 4]
        np.copyto(some, np.frombuffer(buffer, "<f4", count // 4))
        total += float({work})
print("nan")"""


@dataclass(frozen=True)
class Case:
    """A file of predictions, and what is in it."""

    form: str
    kind: str
    rows: int
    classes: int
    decimals: int | None = None

    @property
    def title(self) -> str:
        """What the table calls it."""
        form = self.form.upper() + ("" if self.decimals is None else f" of %.{self.decimals}f")
        return f"{self.kind}, {form}, {self.rows:,} x {self.classes:,}"

    def files(self, folder: Path) -> list[str]:
        """The paths of predictions and labels."""
        stem = folder / f"{self.kind}-{self.rows}-{self.classes}-{self.decimals}"
        return [f"{stem}.{self.form}", f"{stem}.y.{self.form}"]


CASES = (
    *(Case("csv", "probs", rows, 10) for rows in (10, 10_000, 100_000, 1_000_000)),
    Case("csv", "probs", 1_000_000, 10, decimals=6),
    Case("csv", "logits", 200_000, 10),
    Case("npy", "probs", 200_000, 100),
    Case("npy", "logits", 2_000_000, 10),
    *(Case("npy", "logits", 20_000_000 // classes, classes) for classes in (2, 100, 1_000, 10_000)),
    Case("npy", "logits", 2_000, 100_000),
)


SLICED = Case("csv", "probs", 1_000_000, 10)
GROUPS = (4, 1_000, 5_000, 10_000)
SLICES: dict[str, list[str]] = {
    "a plain score": [],
    "--by-class": ["--by-class"],
    "--worst 20": ["--worst", "20"],
    **{f"--by, {count:,} groups": ["--by", f"g{count}"] for count in GROUPS},
    "--cluster, 10,000 clusters": ["--cluster", "g10000"],
    "--per-example FILE.npy": ["--per-example", "losses.npy"],
    "--per-example FILE.csv": ["--per-example", "losses.csv"],
}


def make(case: Case, folder: Path) -> None:
    """Write a model that is right more often than not."""
    import numpy as np

    rng = np.random.default_rng(0)
    labels = rng.integers(0, case.classes, case.rows)
    values = rng.standard_normal((case.rows, case.classes), dtype=np.float32) * 2
    values[np.arange(case.rows), labels] += 3
    if case.kind == "probs":
        values = np.exp(values)
        values /= values.sum(1, keepdims=True)
    path, truth = case.files(folder)
    if case.form == "npy":
        np.save(path, values)
        np.save(truth, labels)
        return
    with open(path, "w", encoding="utf-8") as file:
        file.write(",".join(f"c{i}" for i in range(case.classes)) + "\n")
        write = repr if case.decimals is None else f"{{:.{case.decimals}f}}".format
        file.writelines(",".join(map(write, row)) + "\n" for row in values.astype(float).tolist())
    Path(truth).write_text("label\n" + "\n".join(map(str, labels.tolist())) + "\n", encoding="utf-8")


def contestants(case: Case, folder: Path) -> dict[str, list[str]]:
    """The commands, by name, of what is installed."""
    files = case.files(folder)
    xent = [sys.executable, "-m", "xentcli", "score", *files, "--kind", case.kind, "--format", "json"]
    found = {"xent": [*xent, *(["--preds", f"c0:c{case.classes - 1}"] if case.form == "csv" else [])]}

    def script(name: str, body: str, *needs: str) -> None:
        if all(importlib.util.find_spec(need) for need in needs):
            found[name] = [sys.executable, "-W", "ignore", "-c", f"import sys, numpy as np{body}", *files]

    score = PICK if case.kind == "probs" else LSE
    if case.form == "csv":
        for library, read in (("pandas", "pd.read_csv"), ("polars", "pl.read_csv")):
            alias = read.partition(".")[0]
            script(library, f"\nimport {library} as {alias}{LOAD_CSV.format(read=read)}{score}", library)
    else:
        script("numpy", LOAD_NPY + score)
        work = "np.add.reduce(np.exp(some, out=some))" if case.kind == "logits" else "np.add.reduce(some)"
        script("floor", FLOOR.format(work=work))
        loss, log = ("cross_entropy", "") if case.kind == "logits" else ("nll_loss", ".log()")
        script("torch", LOAD_NPY + TORCH.format(loss=loss, log=log), "torch")
    if case.kind == "probs":
        load = LOAD_NPY if case.form == "npy" else f"\nimport pandas as pd{LOAD_CSV.format(read='pd.read_csv')}"
        script("scikit-learn", load + SKLEARN, "sklearn", "pandas")
    return found


def private(process: int) -> float:
    """The MiB that the children of a process have for themselves alone, where the system tells."""
    total = 0
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8").split():
            lines = Path(f"/proc/{child}/smaps_rollup").read_text(encoding="utf-8").splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Private"))
    return total / 1024


def of_children(command: list[str], folder: Path | None = None) -> float:
    """Run a command: the most MiB that its children had for themselves."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder or tempfile.gettempdir())
    most = 0.0
    while process.poll() is None:
        most = max(most, private(process.pid))
        time.sleep(0.005)
    return most


def timed(command: list[str], folder: Path | None = None) -> tuple[float, float, float]:
    """Run a command: wall seconds, peak resident MiB of its first process, the cost it printed."""
    start = time.perf_counter()
    # Elsewhere, so that what is installed is run, not what stands here.
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder or tempfile.gettempdir())
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"failed: {command}")
    wall = time.perf_counter() - start
    if printed.startswith("{"):
        import json

        return wall, usage.ru_maxrss / 1024, float(json.loads(printed)["cost"])
    return wall, usage.ru_maxrss / 1024, float(printed.split()[-1])


def make_groups(folder: Path) -> None:
    """Write labels with a column of names for each number of groups."""
    import numpy as np

    make(SLICED, folder)
    path = Path(SLICED.files(folder)[1])
    labels = path.read_text(encoding="utf-8").split()
    rng = np.random.default_rng(1)
    columns = [[f"user-{n}" for n in rng.integers(0, count, SLICED.rows).tolist()] for count in GROUPS]
    rows = zip(labels, *([f"g{count}", *names] for count, names in zip(GROUPS, columns, strict=True)), strict=True)
    path.write_text("".join(",".join(row) + "\n" for row in rows), encoding="utf-8")


def slices(folder: Path, rounds: int) -> str:
    """Return what slices cost as Markdown; all read the same files, in turn."""
    in_a_process(make_groups, folder)
    xent = [sys.executable, "-m", "xentcli", "score", *SLICED.files(folder), "--label", "label", "--format", "json"]
    commands = {name: [*xent, *options] for name, options in SLICES.items()}
    runs: dict[str, list[float]] = {name: [] for name in commands}
    memory = {name: of_children(command, folder) + timed(command, folder)[1] for name, command in commands.items()}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(timed(command, folder)[0])
    lines = [f"| {SLICED.title} | seconds | MiB | times a plain score |", "| --- | ---: | ---: | ---: |"]
    for name, seconds in runs.items():
        ratio = statistics.median(one / plain for one, plain in zip(seconds, runs["a plain score"], strict=True))
        lines.append(f"| {name} | {statistics.median(seconds):.3f} | {memory[name]:.0f} | {ratio:.2f} |")
    return "\n".join(lines) + "\n"


def in_a_process(function: Callable[..., None], *arguments: object) -> None:
    """Call a function in a process of its own, whose memory is given back."""
    child = multiprocessing.get_context("spawn").Process(target=function, args=arguments)
    child.start()
    child.join()


@dataclass(frozen=True)
class Result:
    """The medians of one contestant in one case; ratio is xent's time to its time."""

    case: Case
    name: str
    seconds: float
    memory: float
    ratio: float
    differs: bool


def race(case: Case, folder: Path, rounds: int) -> list[Result]:
    """Run the contestants in turn, after one round that is not counted."""
    in_a_process(make, case, folder)
    commands = contestants(case, folder)
    children = {name: of_children(command) for name, command in commands.items()}
    runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(timed(command))
    answer = runs["xent"][0][2]
    results = []
    for name, seen in runs.items():
        seconds, memory = (statistics.median(one[i] for one in seen) for i in (0, 1))
        ratio = statistics.median(x[0] / one[0] for x, one in zip(runs["xent"], seen, strict=True))
        differs = name != "floor" and not abs(seen[0][2] - answer) <= 1e-6 * max(1.0, abs(answer))
        results.append(Result(case, name, seconds, memory + children[name], ratio, differs))
    for path in case.files(folder):
        os.unlink(path)
    return results


def machine() -> str:
    """Describe what it ran on."""
    processor = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), processor)
    return f"{processor}, {os.cpu_count()} processors, {platform.system()}, {versions()}"


def table(results: list[Result]) -> str:
    """Return the results as Markdown."""
    lines = ["| case | contestant | seconds | MiB | time of xent to it |", "| --- | --- | ---: | ---: | ---: |"]
    for result in results:
        mark = " (another answer)" if result.differs else ""
        ratio = "" if result.name == "xent" else f"{result.ratio:.2f}"
        lines.append(
            f"| {result.case.title} | {result.name}{mark} | {result.seconds:.3f} | {result.memory:.0f} | {ratio} |"
        )
    return "\n".join(lines) + "\n"


def picture(results: list[Result], path: Path) -> None:
    """Draw time and memory against rows (CSV of 10 classes) and against classes (NPY of 20 million logits)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    rows = [r for r in results if r.case.form == "csv" and r.case.kind == "probs" and r.case.decimals is None]
    classes = [r for r in results if r.case.form == "npy" and r.case.rows * r.case.classes == 20_000_000]
    axes = figure.subplots(2, 2)
    for across, (some, what) in enumerate(((rows, "rows"), (classes, "classes"))):
        for down, unit in enumerate(("seconds", "memory")):
            axis = axes[down][across]
            for name in dict.fromkeys(r.name for r in some if r.case.kind == some[0].case.kind or what == "classes"):
                mine = sorted((getattr(r.case, what), getattr(r, unit)) for r in some if r.name == name)
                axis.plot(*zip(*mine, strict=True), marker="o", label=name, linewidth=2.5 if name == "xent" else 1)
            axis.set(xscale="log", yscale="log", xlabel=what, ylabel="MiB" if down else "seconds")
            axis.legend(fontsize="small")
    figure.savefig(path)


def main() -> None:
    """Make the data, run the races, print the table."""
    parser = arguments(__doc__, f"{PAGE} and benchmarks.svg")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--most-rows", type=int, default=20_000_000, help="leave out cases of more rows")
    given = parser.parse_args()
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as name:
        for case in CASES:
            if case.rows <= given.most_rows:
                results += race(case, Path(name), given.rounds)
                print(table(results[-len(contestants(case, Path(name))) :]), flush=True)
        beside = slices(Path(name), given.rounds) if SLICED.rows <= given.most_rows else ""
    made = f"{machine()}; medians of {given.rounds} rounds, {time.strftime('%Y-%m-%d')}"
    text = f"![Time and memory](benchmarks.svg)\n\n{table(results)}\n{beside}"
    publish(PAGE, __file__, "Benchmarks", made, text, given.write)
    if given.write is not None:
        picture(results, given.write / "benchmarks.svg")


if __name__ == "__main__":
    main()
