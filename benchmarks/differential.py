"""Hold the fast reader of text against float(), value by value, as many as you like.

    python benchmarks/differential.py [--values 10000000] [--seed 0]

Decimals of every kind that programs write, and of kinds that are hard: near-ties,
subnormals, the extremes, more digits than an integer of 64 bits has. Prints how many
were compared, how many of them the fast reader left to float() itself, and every value
that differs; exits 1 if one does.
"""

from __future__ import annotations

import argparse
import decimal
import math
import random
from collections.abc import Callable

import numpy as np

from xentcli.readers.text.delimited import Dialect
from xentcli.readers.text.fields import fields_of

BLOCK = 20_000


def near_tie(rng: random.Random) -> str:
    """The middle of two neighbouring doubles, as an integer with a point somewhere, or a little beside."""
    value = (rng.getrandbits(53) | 1 << 52) << rng.randint(1, 8) | 1 << rng.randint(0, 7)
    text = str(value + rng.choice((-1, 0, 0, 1)))
    cut = rng.randint(1, len(text))
    return f"{text[:cut]}.{text[cut:]}"


def beside_a_tie(rng: random.Random) -> str:
    """The middle of two neighbouring doubles below 10,000, cut to a number of places."""
    value = rng.random() * 10.0 ** rng.randint(-6, 4)
    middle = (decimal.Decimal(value) + decimal.Decimal(math.nextafter(value, math.inf))) / 2
    places = decimal.Decimal(1).scaleb(-rng.choice((16, 18, 20, 21, 22)))
    return f"{middle.quantize(places, rng.choice((decimal.ROUND_DOWN, decimal.ROUND_UP))):f}"


def zeros(rng: random.Random) -> str:
    """Digits among many zeros."""
    text = "0" * rng.randint(0, 25) + str(rng.getrandbits(rng.randint(1, 60))) + "0" * rng.randint(0, 9)
    cut = rng.randint(0, len(text))
    return f"{text[:cut]}.{text[cut:]}"


KINDS: tuple[Callable[[random.Random], str], ...] = (
    lambda rng: repr(rng.random()),
    lambda rng: repr(rng.random() ** 12),
    lambda rng: repr(rng.gauss(0, 10)),
    lambda rng: f"{rng.random():.6f}",
    lambda rng: f"{rng.gauss(0, 3):.18e}",
    lambda rng: f"{rng.random():.{rng.randint(1, 30)}f}",
    lambda rng: str(np.float32(rng.random())),
    lambda rng: repr(math.ldexp(rng.random(), rng.randint(-1080, 1023))),
    lambda rng: str(rng.getrandbits(rng.randint(1, 70))),
    near_tie,
    beside_a_tie,
    zeros,
)


def main() -> None:
    """Compare block by block."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--values", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    decimal.getcontext().prec = 800
    compared = wrong = 0
    while compared < given.values:
        make = KINDS[compared // BLOCK % len(KINDS)]
        texts = [make(rng) for _ in range(BLOCK)]
        fields = fields_of(("\n".join(texts) + "\n").encode(), Dialect(), 1)
        found = None if fields is None else fields.numbers(slice(0, 1))
        if found is None:
            raise SystemExit(f"a block was declined: {texts[0]}, ...")
        expected = np.array(list(map(float, texts)))
        for row in np.flatnonzero(found[0].ravel().view(np.int64) != expected.view(np.int64)).tolist():
            print(f"{texts[row]} is {expected[row]!r}, and was read as {found[0].ravel()[row]!r}")
            wrong += 1
        compared += BLOCK
    print(f"{compared:,} values compared, {wrong:,} differ")
    raise SystemExit(wrong > 0)


if __name__ == "__main__":
    main()
