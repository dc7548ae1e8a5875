"""What rows are reduced to: the same numbers whether or not an array may be overwritten meanwhile, and it is restored."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xentcli
from tests.laws import settings
from xentcli.readers.memory import MemorySource
from xentcli.scoring.reduction import Reduced

NUMBERS = ("predicted", "label", "top", "sums", "squares")


@settings(deadline=None, max_examples=60)
@given(
    kind=st.sampled_from(["probs", "logits"]),
    dtype=st.sampled_from(["f8", "f4", "f2"]),
    classes=st.integers(2, 40),
    rows=st.integers(1, 9),
    seed=st.integers(0, 2**32 - 1),
)
def test_an_array_that_may_be_written_is_as_before_and_gives_the_same_bits(
    kind: str, dtype: str, classes: int, rows: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    numbers = random.dirichlet(np.ones(classes), rows).astype(dtype)
    labels = random.integers(0, classes, rows)
    writeable, fixed = numbers.copy(), numbers.copy()
    fixed.flags.writeable = False
    found, expected = Reduced.of(kind, writeable, labels), Reduced.of(kind, fixed, labels)
    for name in NUMBERS:
        assert getattr(found, name).tobytes() == getattr(expected, name).tobytes()
    assert writeable.tobytes() == numbers.tobytes()
    for row, (values, label) in enumerate(zip(numbers.astype("f8").tolist(), labels.tolist(), strict=True)):
        others = [v for place, v in enumerate(values) if place != label]
        others = others if kind == "probs" else [math.exp(v) for v in others]
        assert found.squares[row] == pytest.approx(math.fsum(v * v for v in others), rel=1e-13)


def test_an_array_of_the_caller_is_never_written_not_even_meanwhile() -> None:
    array = np.full((3, 30), 1 / 30)
    (part,) = MemorySource("array", (), 3, array).parts()
    assert part.array is not None and np.shares_memory(part.array, array)
    with pytest.raises(ValueError, match="read-only"):
        part.array[0, 0] = 1.0
    assert xentcli.score(array, [0, 1, 2]).cost == pytest.approx(math.log(30), rel=1e-15)
    assert array.flags.writeable and (array == 1 / 30).all()
