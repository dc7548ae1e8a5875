"""Coverage of the intervals of `xent compare`: a simulation whose true change is known.

    python benchmarks/paired.py [--draws 20000]

A population of 5,000 inputs has known class probabilities and the predictions of two models; the true change of cost
is a sum over it. Rows are drawn from it with labels, and compared as `xent compare` does. Printed are the share of
intervals that hold the true change, and how often a change of the detectable size is found. The table of
docs/comparing.md is made by this script.
"""

from __future__ import annotations

import argparse

import numpy as np

from xentcli.analysis.pairs import Difference
from xentcli.analysis.student import normal_quantile, two_sided_quantile
from xentcli.columns.keys import coded
from xentcli.tallies.exact import Among
from xentcli.tallies.groups import Groups
from xentcli.tallies.moments import GroupMeans
from xentcli.tallies.paired import Paired

POPULATION, CLASSES = 5_000, 4
LEVEL = 0.95
AT_ONCE, CHECKED = 200, 5
"""Draws that are made together, and how many of the first are compared by xent too."""


def softmax(z: np.ndarray) -> np.ndarray:
    """Return the probabilities of logits, f8[n, k]."""
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    result: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return result


class Population:
    """Inputs with true class probabilities and two models' predictions, the second by `gain` nearer to the truth."""

    def __init__(self, generator: np.random.Generator, *, scale: float, gain: float) -> None:
        true = 1.5 * generator.normal(size=(POPULATION, CLASSES))
        noise, other = (generator.normal(size=true.shape) for _ in range(2))
        self.truth = softmax(true)
        self.models = [softmax(scale * (true + noise)), softmax(scale * (true + (1 - gain) * noise + 0.3 * other))]
        losses = [-np.log(q) for q in self.models]
        self.change = float((self.truth * (losses[1] - losses[0])).sum(axis=1).mean())

    def drawn(self, generator: np.random.Generator, rows: int, a_cluster: int) -> tuple[list[np.ndarray], np.ndarray]:
        """Return the losses of both models on rows that are drawn, and their clusters, all of one input."""
        inputs = np.repeat(generator.integers(0, POPULATION, rows // a_cluster), a_cluster)
        at = self.truth[inputs].cumsum(axis=1)
        label = (generator.random((len(inputs), 1)) > at).sum(axis=1).clip(0, CLASSES - 1)
        clusters = np.arange(len(inputs)) // a_cluster
        return [-np.log(q[inputs, label]) for q in self.models], clusters


def compared(losses: list[np.ndarray], clusters: np.ndarray | None) -> Difference:
    """Return the difference of two models on some rows."""
    if clusters is None:
        return Difference(Paired.of(losses[0], losses[1], None))
    names, codes = coded(clusters)
    change = GroupMeans.of(losses[1] - losses[0], None, among=Among(codes, len(names)))
    return Difference(Paired.of(losses[0], losses[1], None), Groups.of(names, change=change))


def changes(
    population: Population, draws: int, rows: int, a_cluster: int, seed: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the change and the standard error of each draw, f8[draws], and Student's quantile.

    They are found for many draws at once; the first draws are compared by xent too, which must find the same.
    """
    generator, units = np.random.default_rng(seed), rows // a_cluster
    quantile = two_sided_quantile(LEVEL, units - 1)
    found, errors = [], []
    for start in range(0, draws, AT_ONCE):
        some = min(AT_ONCE, draws - start)
        losses, clusters = population.drawn(generator, some * rows, a_cluster)
        d = (losses[1] - losses[0]).reshape(some, rows)
        change = d.mean(axis=1)
        apart = (d - change[:, None]).reshape(some, units, a_cluster).sum(axis=2)
        error = np.sqrt(units / (units - 1) * (apart**2).sum(axis=1)) / rows
        for one in range(CHECKED if start == 0 else 0):
            part = slice(one * rows, (one + 1) * rows)
            interval = compared([a[part] for a in losses], clusters[part] if a_cluster > 1 else None).interval(LEVEL, 1)
            assert interval is not None
            ends = change[one] - quantile * error[one], change[one] + quantile * error[one]
            assert np.allclose([interval.low, interval.high], ends, rtol=1e-9)
        found.append(change)
        errors.append(error)
    return np.concatenate(found), np.concatenate(errors), quantile


def coverage(population: Population, draws: int, rows: int, a_cluster: int, seed: int) -> tuple[float, float]:
    """Return the shares of 95 % intervals that lie below and above the true change."""
    change, error, quantile = changes(population, draws, rows, a_cluster, seed)
    apart = (change - population.change) / error
    return float((apart < -quantile).mean()), float((apart > quantile).mean())


def detected(draws: int, rows: int, seed: int) -> float:
    """Return how often a true change of the detectable size, better or worse, is found at the level of 95 %."""
    population = Population(np.random.default_rng(seed), scale=1.0, gain=0.0)
    change, error, quantile = changes(population, draws, rows, 1, seed)
    wanted = (normal_quantile((1 + LEVEL) / 2) + normal_quantile(0.8)) * error.mean()
    apart = change - population.change
    return float(np.mean([np.abs(apart + sign * wanted) > quantile * error for sign in (-1, 1)]))


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=20_000)
    draws = parser.parse_args().draws
    print("| predictions | rows | rows a cluster | intervals that hold the true change | all below it | all above it |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, scale in (("calibrated", 1.0), ("overconfident", 2.5)):
        population = Population(np.random.default_rng(1), scale=scale, gain=0.5)
        for rows, a_cluster in ((100, 1), (500, 1), (2_000, 1), (500, 5), (2_000, 10), (2_000, 5), (10_000, 10)):
            below, above = coverage(population, draws, rows, a_cluster, seed=rows + a_cluster)
            shares = " | ".join(f"{100 * share:.1f} %" for share in (1 - below - above, below, above))
            print(f"| {name} | {rows:,} | {a_cluster} | {shares} |", flush=True)
    print("\n| rows | the detectable change is found |\n| ---: | ---: |")
    for rows in (100, 500, 2_000):
        print(f"| {rows:,} | {100 * detected(draws, rows, seed=rows):.1f} % |", flush=True)
    for share in (0.95, 0.8):
        error = 200 * (share * (1 - share) / draws) ** 0.5
        print(f"\n{draws:,} draws: by chance alone a share of {100 * share:g} % is off by {error:.1f} %.")


if __name__ == "__main__":
    main()
