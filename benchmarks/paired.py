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
from xentcli.columns.keys import coded
from xentcli.tallies.exact import Among
from xentcli.tallies.groups import Groups
from xentcli.tallies.moments import GroupMeans
from xentcli.tallies.paired import Paired

POPULATION, CLASSES = 5_000, 4


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


def coverage(population: Population, draws: int, rows: int, a_cluster: int, seed: int) -> float:
    """Return the share of 95 % intervals that hold the true change."""
    generator = np.random.default_rng(seed)
    held = 0
    for _ in range(draws):
        losses, clusters = population.drawn(generator, rows, a_cluster)
        interval = compared(losses, clusters if a_cluster > 1 else None).interval(0.95, 1.0)
        assert interval is not None
        held += interval.low <= population.change <= interval.high
    return held / draws


def detected(draws: int, rows: int, seed: int) -> float:
    """Return how often a true change of the detectable size is found at the level of 95 %."""
    generator = np.random.default_rng(seed)
    population = Population(generator, scale=1.0, gain=0.0)
    errors = [compared(population.drawn(generator, rows, 1)[0], None).detectable(0.95) for _ in range(200)]
    wanted = float(np.mean([error for error in errors if error is not None]))
    found = 0
    for _ in range(draws):
        (old, new), _ = population.drawn(generator, rows, 1)
        p = compared([old, new - population.change + wanted], None).p_value
        found += p is not None and p < 0.05
    return found / draws


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=20_000)
    draws = parser.parse_args().draws
    print("| predictions | rows | rows a cluster | intervals that hold the true change |\n| --- | ---: | ---: | ---: |")
    for name, scale in (("calibrated", 1.0), ("overconfident", 2.5)):
        population = Population(np.random.default_rng(1), scale=scale, gain=0.5)
        for rows, a_cluster in ((100, 1), (500, 1), (2_000, 1), (500, 5), (2_000, 10)):
            share = coverage(population, draws, rows, a_cluster, seed=rows + a_cluster)
            print(f"| {name} | {rows:,} | {a_cluster} | {100 * share:.1f} % |", flush=True)
    print("\n| rows | the detectable change is found |\n| ---: | ---: |")
    for rows in (100, 500, 2_000):
        print(f"| {rows:,} | {100 * detected(draws, rows, seed=rows):.1f} % |", flush=True)
    print(
        f"\n{draws:,} draws each; by chance alone a share of 95 % is off by {196 * (0.95 * 0.05 / draws) ** 0.5:.1f} %."
    )


if __name__ == "__main__":
    main()
