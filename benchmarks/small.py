"""Time calls of the library with arrays, beside scikit-learn and the line of NumPy that checks nothing, in one process.

    python benchmarks/small.py [--seconds 5] [--write docs]

The labels are drawn from the probabilities, as of a calibrated model, and at random, where all diagnoses run. Calls
take turns, A B C A B C, for some seconds a case; a row gives the least and the median time of a call, and xent's least
time over that of each of the others: other work on the machine adds to the medians.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from page import arguments, publish, versions
from sklearn.metrics import log_loss

import xentcli

PAGE = "benchmarks-small.md"
SIZES = ((100, 10), (10_000, 10), (1_000_000, 10))


def data(rows: int, classes: int, *, fitting: bool) -> tuple[Any, Any]:
    """Probabilities f8[rows, classes], and labels."""
    random = np.random.default_rng(0)
    q = random.dirichlet(np.ones(classes), rows)
    drawn = (q.cumsum(axis=1) > random.random((rows, 1))).argmax(axis=1)
    return q, drawn if fitting else random.integers(0, classes, rows)


def contestants(q: Any, y: Any) -> dict[str, Callable[[], float]]:
    """What is timed: each returns the mean loss."""
    rows, classes = np.arange(len(y)), np.arange(q.shape[1])
    return {
        "xentcli.score": lambda: xentcli.score(q, y).cost,
        "sklearn log_loss": lambda: float(log_loss(y, q, labels=classes)),
        "NumPy, unchecked": lambda: float(-np.log(q[rows, y]).mean()),
    }


def timed(calls: dict[str, Callable[[], float]], seconds: float) -> dict[str, list[float]]:
    """The milliseconds of every call, in turns; all calls agree."""
    values = [call() for call in calls.values()]
    if not np.allclose(values, values[0], rtol=1e-9):
        raise SystemExit(f"the answers differ: {values}")
    found: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(found["xentcli.score"]) < 3:
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            found[name].append(1e3 * (time.perf_counter() - start))
    return found


def table(seconds: float) -> str:
    """The table, in Markdown."""
    lines = [
        "| rows x classes, labels | call | least, ms | median, ms | xent to it |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for rows, classes in SIZES:
        for fitting in (True, False):
            times = timed(contestants(*data(rows, classes, fitting=fitting)), seconds)
            for name, each in times.items():
                ratio = min(times["xentcli.score"]) / min(each)
                case = f"{rows:,} x {classes}, {'drawn' if fitting else 'random'}"
                shown = "" if name == "xentcli.score" else f"{ratio:.2f}"
                lines.append(f"| {case} | {name} | {min(each):.3f} | {statistics.median(each):.3f} | {shown} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table, and write it where that is asked for."""
    parser = arguments(__doc__, PAGE)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each case is timed")
    given = parser.parse_args()
    made = f"{platform.machine()}, {platform.system()}, {versions()}"
    publish(PAGE, __file__, "Calls of the library", made, table(given.seconds), given.write)


if __name__ == "__main__":
    main()
