"""Draw data of known calibration many times, and count how often the intervals of `xent calibration` hold the truth.

    python benchmarks/coverage.py [--draws 10000] [--write docs]

Each draw has 1,000 rows of five classes (two classes for slope and intercept): independent, or 100 clusters of ten
rows that share half of their luck. Labels follow the probabilities of a model; what is scored is that model itself, or
it after its logits were multiplied by 1.5 (overconfident) or by 0.6 (underconfident). The true gap, cost and gain are
those of 2,000,000 rows. Rates are given with their simulation error, two standard errors of a share.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from page import arguments, publish, versions

import xentcli
from xentcli.analysis.student import two_sided_quantile

PAGE = "coverage.md"
ROWS, CLUSTER, MANY, BINS = 1000, 10, 2_000_000, 15
AT_ONCE, CHECKED = 50, 3
"""Draws that are made together, and how many of the first xent must find the same of."""
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


def shown(z: Any, y: Any, draws: int, clustered: bool) -> dict[str, tuple[Any, Any]]:
    """Of many draws: cost, gap and gain with half of their intervals; the ECE with its floor, and its 95 %."""
    rows = np.arange(len(y))
    before, q = losses(z, y, np.ones(draws))
    top = q.argmax(axis=1)
    confidence, right = q[rows, top], top == y
    beta = np.ones(draws)
    for _ in range(6):
        _, p = losses(z, y, beta)
        mean = (p * z).sum(axis=1)
        slope = (mean - z[rows, y]).reshape(draws, -1).mean(axis=1)
        beta = beta * np.exp(-slope / (beta * ((p * z * z).sum(axis=1) - mean**2).reshape(draws, -1).mean(axis=1)))
    of_rows = {"cost": before, "gap": confidence - right, "gain": before - losses(z, y, beta)[0]}
    found = {name: spread(values.reshape(draws, -1), clustered) for name, values in of_rows.items()}
    places = np.repeat(np.arange(draws), ROWS) * BINS + np.ceil(confidence * BINS).astype(int) - 1
    sums = [
        np.bincount(places, values, draws * BINS).reshape(draws, BINS)
        for values in (confidence - right, confidence * (1 - confidence))
    ]
    floor = np.sqrt(2 / np.pi * sums[1]).sum(axis=1) / ROWS
    limit = floor + 1.6448536269514722 * np.sqrt((1 - 2 / np.pi) * sums[1].sum(axis=1)) / ROWS
    return found | {"ece": (np.abs(sums[0]).sum(axis=1) / ROWS, floor), "limit": (limit, limit)}


def losses(z: Any, y: Any, beta: Any) -> tuple[Any, Any]:
    """The loss of each row and its probabilities, its logits times the beta of its draw."""
    scaled = z * np.repeat(beta, ROWS)[:, None]
    scaled -= scaled.max(axis=1, keepdims=True)
    powers = np.exp(scaled)
    total = powers.sum(axis=1, keepdims=True)
    return np.log(total[:, 0]) - scaled[np.arange(len(y)), y], powers / total


def spread(values: Any, clustered: bool) -> tuple[Any, Any]:
    """The mean of each draw of f8[draws, ROWS], and half of its 95 % interval."""
    mean = values.mean(axis=1)
    apart = values - mean[:, None]
    apart = apart.reshape(len(values), -1, CLUSTER).sum(axis=2) if clustered else apart
    units = apart.shape[1]
    return mean, two_sided_quantile(0.95, units - 1) * np.sqrt(units / (units - 1) * (apart**2).sum(axis=1)) / ROWS


def check(z: Any, y: Any, clustered: bool, found: dict[str, tuple[Any, Any]]) -> None:
    """Fail where xent finds something else for the first draws."""
    for draw in range(CHECKED):
        rows = slice(draw * ROWS, (draw + 1) * ROWS)
        report = report_of(z[rows], y[rows], clustered)
        intervals = {"cost": report.report.interval, "gap": report.gap_interval, "gain": report.fit.interval}
        for name, interval in intervals.items():
            middle, half = (part[draw] for part in found[name])
            assert np.allclose([interval.low, interval.high], [middle - half, middle + half], rtol=1e-7, atol=1e-12)
        if not clustered:
            of_xent = [report.ece, report.ece_floor, report.ece_floor_95]
            assert np.allclose(of_xent, [found["ece"][0][draw], found["ece"][1][draw], found["limit"][0][draw]])


def rates(draws: int) -> Iterator[tuple[str, str, str, float, float]]:
    """Yield what was drawn, the figure, what is counted, how often it was so, and how often it should be."""
    for clustered in (False, True):
        for name, sharpness in SHARPNESS.items():
            true, random = truth(sharpness, 5), np.random.default_rng(1)
            held: dict[str, list[Any]] = {"cost": [], "gap": [], "gain": [], "above": [], "ece": [], "floor": []}
            for start in range(0, draws, AT_ONCE):
                some = min(AT_ONCE, draws - start)
                z, y = drawn(random, some * ROWS, 5, clustered)
                found = shown(sharpness * z, y, some, clustered)
                if not start:
                    check(sharpness * z, y, clustered, found)
                for figure, value in true.items():
                    middle, half = found[figure]
                    held[figure].append(abs(middle - value) <= half)
                held["ece"].append(found["ece"][0])
                held["floor"].append(found["ece"][1])
                held["above"].append(found["ece"][0] > found["limit"][0])
            what = f"{name}, {'clusters' if clustered else 'rows'}"
            mean = {figure: float(np.concatenate(values).mean()) for figure, values in held.items()}
            for figure in ("cost", "gap", *(("gain",) if name != "calibrated" else ())):
                yield what, figure, "interval holds the truth", mean[figure], 0.95
            if name == "calibrated" and not clustered:
                yield what, "ECE", "above ece_floor_95", mean["above"], 0.05
                yield what, "ECE", "mean over mean ece_floor", mean["ece"] / mean["floor"], 1.0


def lines(draws: int) -> Iterator[str]:
    """Yield the table, and what it says."""
    yield "| drawn | figure | what is counted | rate | should be |"
    yield "| --- | --- | --- | ---: | ---: |"
    for what, figure, counted, rate, wanted in rates(draws):
        error = "" if wanted == 1.0 else f" ± {2 * math.sqrt(max(rate * (1 - rate), 1e-9) / draws):.3f}"
        yield f"| {what} | {figure} | {counted} | {rate:.3f}{error} | {wanted:g} |"
    yield ""
    yield "The gap of a calibrated model is 0: where its interval holds 0, the verdict is neither."
    yield "The 95 % of the ECE floor takes a sum over few bins as normal: it is exceeded a little more often."
    yield "A gain and its standard error rise together: more intervals lie below the true gain than above it."
    yield "The best temperature of a calibrated model is 1: what a fit gains there is chance alone, about 1/(2n)"
    yield "nats, and the true gain of 0 is the least that there is: no rate is given for it."
    yield "The three models see the same draws, so that their rates move together."


def main() -> None:
    """Draw, count and print."""
    parser = arguments(__doc__, PAGE)
    parser.add_argument("--draws", type=int, default=10_000)
    given = parser.parse_args()
    made = f"{given.draws:,} draws of {ROWS:,} rows each, {versions()}"
    publish(PAGE, __file__, "Coverage", made, "\n".join(lines(given.draws)) + "\n", given.write)


if __name__ == "__main__":
    main()
