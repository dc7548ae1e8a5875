"""Draw data of known calibration many times, and count how often the intervals of `xent calibration` hold the truth.

    python benchmarks/coverage.py [--draws 2000] [--write docs]

Each draw has 1,000 rows of five classes (two classes for slope and intercept): independent, or 100 clusters of ten
rows that share half of their luck. Labels follow the probabilities of a model; what is scored is that model itself, or
it after its logits were multiplied by 1.5 (overconfident) or by 0.6 (underconfident). The true gap, cost and gain are
those of 2,000,000 rows. Rates are given with their simulation error, two standard errors of a share.
"""

from __future__ import annotations

import argparse
import math
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import xentcli

ROWS, CLUSTER, MANY = 1000, 10, 2_000_000
SHARPNESS = {"calibrated": 1.0, "overconfident": 1.5, "underconfident": 0.6}


def drawn(random: Any, rows: int, classes: int, clustered: bool) -> tuple[Any, Any]:
    """Logits of a model, and labels that follow its softmax; rows of a cluster share half of their luck."""
    luck, own = np.repeat(random.random(rows // CLUSTER), CLUSTER), random.random(rows)
    shared = clustered & (random.random(rows) < 0.5)
    z = random.normal(0, 1.5, (rows, classes))
    q = softmax(z)
    place = np.where(shared, luck, own)[:, None]
    return z, np.minimum((q.cumsum(axis=1) < place).sum(axis=1), classes - 1)


def softmax(z: Any) -> Any:
    """Return the probabilities of logits."""
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def truth(sharpness: float, classes: int) -> dict[str, float]:
    """The gap, the cost and what the best temperature gains, of many rows whose probabilities are known exactly."""
    z, _ = drawn(np.random.default_rng(0), MANY, classes, False)
    real, given = softmax(z), softmax(sharpness * z)
    top = given.argmax(axis=1)[:, None]
    gap = np.take_along_axis(given, top, 1) - np.take_along_axis(real, top, 1)
    cost, best = (-(real * np.log(q)).sum(axis=1).mean() for q in (given, real))
    return {"gap": float(gap.mean()), "cost": float(cost), "gain": float(cost - best)}


def report_of(z: Any, y: Any, clustered: bool) -> Any:
    """Return the calibration of a draw."""
    table = {str(c): column for c, column in enumerate(z.T)} | {"y": y}
    columns = [str(c) for c in range(z.shape[1])]
    options: dict[str, Any] = {"kind": "logits", "preds": columns, "label": "y", "threads": 1}
    if clustered:
        import pandas as pd

        table["cluster"] = np.arange(len(y)) // CLUSTER
        return xentcli.calibration(pd.DataFrame(table), cluster="cluster", fit="temperature", **options)
    return xentcli.calibration(z, y, kind="logits", threads=1, fit="temperature")


def rates(draws: int) -> Iterator[tuple[str, str, str, float, float]]:
    """Yield what was drawn, the figure, what is counted, how often it was so, and how often it should be."""
    for clustered in (False, True):
        for name, sharpness in SHARPNESS.items():
            true, random = truth(sharpness, 5), np.random.default_rng(1)
            held: dict[str, list[bool]] = {"cost": [], "gap": [], "gain": [], "above": []}
            errors, floors, words = [], [], []
            for _ in range(draws):
                z, y = drawn(random, ROWS, 5, clustered)
                report = report_of(sharpness * z, y, clustered)
                intervals = {"cost": report.report.interval, "gap": report.gap_interval, "gain": report.fit.interval}
                for figure, interval in intervals.items():
                    held[figure].append(interval.low <= true[figure] <= interval.high)
                words.append(report.verdict == {"calibrated": "neither"}.get(name, name))
                if report.ece_floor is not None:
                    errors.append(report.ece)
                    floors.append(report.ece_floor)
                    held["above"].append(report.ece > report.ece_floor_95)
            what = f"{name}, {'clusters' if clustered else 'rows'}"
            for figure in ("cost", "gap", *(("gain",) if name != "calibrated" else ())):
                yield what, figure, "interval holds the truth", float(np.mean(held[figure])), 0.95
            if name == "calibrated":
                yield what, "gap", "verdict is neither", float(np.mean(words)), 0.95
                if errors:
                    yield what, "ECE", "above ece_floor_95", float(np.mean(held["above"])), 0.05
                    yield what, "ECE", "mean over mean ece_floor", float(np.mean(errors) / np.mean(floors)), 1.0


def lines(draws: int) -> Iterator[str]:
    """Yield the page."""
    yield "# Coverage"
    yield ""
    yield f"{draws:,} draws of {ROWS:,} rows each, Python {platform.python_version()}, NumPy {np.__version__}."
    yield "Made by `python benchmarks/coverage.py --write docs`, whose first lines say what is drawn."
    yield ""
    yield "| drawn | figure | what is counted | rate | should be |"
    yield "| --- | --- | --- | ---: | ---: |"
    for what, figure, counted, rate, wanted in rates(draws):
        error = "" if wanted == 1.0 else f" ± {2 * math.sqrt(max(rate * (1 - rate), 1e-9) / draws):.3f}"
        yield f"| {what} | {figure} | {counted} | {rate:.3f}{error} | {wanted:g} |"
    yield ""
    yield "The best temperature of a calibrated model is 1: what a fit gains there is chance alone, about 1/(2n)"
    yield "nats, and the true gain of 0 is the least that there is: no rate is given for it."
    yield "The three models see the same draws, so that their rates move together."


def main() -> None:
    """Draw, count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--write", type=Path, help="a folder for coverage.md")
    options = parser.parse_args()
    text = "\n".join(lines(options.draws)) + "\n"
    print(text, end="")
    if options.write is not None:
        (options.write / "coverage.md").write_text(text)


if __name__ == "__main__":
    main()
