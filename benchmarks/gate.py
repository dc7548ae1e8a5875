"""False alarms and power of the gate: the paired one of `xent check` beside gates that compare two means.

    python benchmarks/gate.py [--draws 2000] [--write docs]

A population of 20,000 inputs has known probabilities of ten classes. The old model and the new one, trained anew, have
errors of their own in their logits, which correlate by 0.9; those of the new one are scaled until its true cost is that
of the old one, or 1, 2 or 5 % more. Rows are drawn with labels, and each gate is asked:

- paired: the whole interval of new - old is above 0 (`--max-regression cost=0`), or that of new - 1.02 old (`cost=2%`);
- two intervals: new - old is above 1.96 times the root of the sum of both squared errors;
- two means: new is above old, as a comparison of printed costs has it.

Rates are given with their simulation error, two standard errors of a share. --write puts the table into checking.md.
"""

from __future__ import annotations

import argparse
import math
import platform
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from xentcli.analysis.limits import parse_regression
from xentcli.analysis.verdicts import paired_outcome
from xentcli.arrays import Floats
from xentcli.tallies.joint import Joint

POPULATION, CLASSES, ALIKE = 20_000, 10, 0.9
ROWS, CHANGES = (500, 2_000, 10_000), (0.0, 0.01, 0.02, 0.05)
RULES = (parse_regression("cost=0"), parse_regression("cost=2%"))
BEGIN, END = "<!-- the table of benchmarks/gate.py -->", "<!-- its end -->"


def softmax(z: Floats) -> Floats:
    """Return the probabilities of logits, f8[n, k]."""
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    result: Floats = powers / powers.sum(axis=1, keepdims=True)
    return result


class Population:
    """Inputs with true probabilities, and the losses of both models for every class, f8[n, k]."""

    def __init__(self, generator: np.random.Generator, change: float) -> None:
        self.logits = 2.5 * generator.normal(size=(POPULATION, CLASSES))
        self.truth = softmax(self.logits)
        first, own = generator.normal(size=(2, POPULATION, CLASSES))
        self.old = -np.log(softmax(self.logits + first))
        error = ALIKE * first + math.sqrt(1 - ALIKE**2) * own
        low, high = 0.5, 2.0
        for _ in range(40):
            size = (low + high) / 2
            self.new = -np.log(softmax(self.logits + size * error))
            low, high = (size, high) if self.cost(self.new) < (1 + change) * self.cost(self.old) else (low, size)
        self.below = self.truth.cumsum(axis=1)

    def cost(self, loss: Floats) -> float:
        """Return the true cost."""
        return float((self.truth * loss).sum() / POPULATION)

    def drawn(self, generator: np.random.Generator, rows: int) -> tuple[Floats, Floats]:
        """Return the losses of both models on rows that are drawn, f8[n] each."""
        inputs = generator.integers(0, POPULATION, rows)
        label = (generator.random((rows, 1)) > self.below[inputs]).sum(axis=1).clip(0, CLASSES - 1)
        return self.old[inputs, label], self.new[inputs, label]


def answers(old: Floats, new: Floats) -> list[bool]:
    """Return what each gate says: four times whether it fails, then whether --strict passes."""
    joint = Joint.of(old, new, None)
    separate = 1.96 * math.sqrt((old.var(ddof=1) + new.var(ddof=1)) / len(old))
    change = new.mean() - old.mean()
    none, some = (paired_outcome(joint, rule, 0.95).verdict == "fail" for rule in RULES)
    strict = paired_outcome(joint, RULES[1], 0.95, strict=True).verdict == "pass"
    return [none, some, change > separate, change > 0, strict]


def table(draws: int) -> Iterator[str]:
    """Yield the lines of the table."""
    yield f"{draws:,} draws for each line, Python {platform.python_version()}, NumPy {np.__version__}; made by"
    yield "`python benchmarks/gate.py --write docs`, whose first lines say what is drawn."
    yield ""
    yield "| rows | true change | paired, `cost=0` | paired, `cost=2%` | two intervals | two means |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: |"
    strict: list[str] = []
    for rows in ROWS:
        for change in CHANGES:
            population, generator = Population(np.random.default_rng(1), change), np.random.default_rng(2)
            rates = np.mean([answers(*population.drawn(generator, rows)) for _ in range(draws)], axis=0)
            cells = [f"{rate:.3f} ± {2 * math.sqrt(rate * (1 - rate) / draws):.3f}" for rate in rates]
            yield f"| {rows:,} | {100 * change:+.0f} % | {' | '.join(cells[:4])} |".replace("+0 %", "0 %")
            strict.append(f"{rates[4]:.3f}" if change in (0.0, 0.05) else "")
    passes = [cell for cell in strict if cell]
    yield ""
    yield "`--strict` with `cost=2%` passes an unchanged model in"
    yield f"{', '.join(passes[::2])} of the draws of {', '.join(f'{rows:,}' for rows in ROWS)} rows, one that is 5 %"
    yield f"worse in {', '.join(passes[1::2])}; the rest is inconclusive or fails."


def main() -> None:
    """Draw, count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--write", type=Path, help="the folder of checking.md")
    options = parser.parse_args()
    text = "\n".join(table(options.draws)) + "\n"
    print(text, end="")
    if options.write is not None:
        page = options.write / "checking.md"
        between = re.compile(f"(?<={re.escape(BEGIN)}\n).*(?={re.escape(END)})", re.DOTALL)
        old = page.read_text(encoding="utf-8")
        page.write_text(between.sub(lambda _: f"\n{text}\n", old), encoding="utf-8")


if __name__ == "__main__":
    main()
