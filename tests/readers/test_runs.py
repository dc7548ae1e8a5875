"""Row groups and record batches that are read on from where the last part ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xentcli.errors import DataError
from xentcli.readers.runs import RUN_BYTES, Batches, Run, runs_of


class Numbers(Batches):
    """A file of groups of the numbers from 0 on, which counts how often it is opened."""

    def __init__(self, groups: list[int], batch: int, said: int | None = None) -> None:
        super().__init__("numbers")
        self.groups, self.batch, self.opened = groups, batch, 0
        self.said = sum(groups) if said is None else said

    def batches(self, groups: range, rows: int, names: tuple[str, ...] | None) -> Iterator[Any]:
        self.opened += 1
        first = sum(self.groups[: groups.start])
        last = first + sum(self.groups[index] for index in groups)
        for start in range(first, last, self.batch):
            yield pa.record_batch({"n": pa.array(range(start, min(start + self.batch, last)))})


@given(
    groups=st.lists(st.integers(0, 9), max_size=6),
    sizes=st.lists(st.sampled_from([0, RUN_BYTES // 3, RUN_BYTES]), min_size=6, max_size=6),
    batch=st.integers(1, 7),
    data=st.data(),
)
def test_any_parts_in_any_order_have_their_rows(groups: list[int], sizes: list[int], batch: int, data: Any) -> None:
    file, before = Numbers(groups, batch), 0
    runs = list(runs_of(file, list(zip(groups, sizes, strict=False))))
    assert sum(run.rows for run in runs) == sum(groups)
    for run in runs:
        assert run.rows
        for _ in range(4):
            first = data.draw(st.integers(0, run.rows - 1))
            rows = data.draw(st.integers(1, run.rows - first))
            assert run.read(first, rows, None)["n"].to_pylist() == list(range(before + first, before + first + rows))
        before += run.rows


def test_parts_in_order_open_the_file_once() -> None:
    file = Numbers([10, 10], 4)
    (run,) = runs_of(file, [(10, 1), (10, 1)])
    for first in range(0, 20, 3):
        run.read(first, min(3, 20 - first), None)
    assert file.opened == 1


@pytest.mark.parametrize(("said", "text"), [(9, "more rows than the 9"), (11, "fewer rows than the 11")])
def test_a_run_of_another_length_is_damaged(said: int, text: str) -> None:
    run = Run(Numbers([10], 4), range(1), said, 1)
    with pytest.raises(DataError, match=text):
        run.read(0, said, None)
