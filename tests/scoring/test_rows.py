"""Sums over rows: right, and the same bits wherever a row lies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import XENT, cpu_features
from xentcli.scoring import rows as rows_
from xentcli.scoring.rows import FEW, column_sums, columns_of, first_largest, row_dots, row_sums

SIZES = [1, 2, 7, 8, 9, FEW, FEW + 1, 100, 1023, 1024, 1025, 8192, 8193, 20_001]


@pytest.fixture(params=[True, False], ids=["BLAS", "no BLAS"])
def steady(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of summing, on any machine that has both."""
    if request.param and not rows_._steady():
        pytest.skip("the dot product of this BLAS depends on where a vector lies")
    monkeypatch.setattr(rows_, "_steady", lambda: request.param)


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize("columns", SIZES)
def test_sums_and_products_are_right_to_a_few_units(columns: int) -> None:
    import math

    x = np.random.default_rng(columns).random((3, columns))
    y = np.random.default_rng(columns + 1).random((3, columns))
    for row in range(3):
        total, product = math.fsum(x[row]), math.fsum((x[row] * y[row]).tolist())
        assert abs(row_sums(x)[row] - total) <= 4 * np.spacing(total)
        assert abs(row_dots(x, y)[row] - product) <= 4 * np.spacing(product)


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize("columns", SIZES)
def test_the_bits_of_a_row_do_not_depend_on_where_it_lies(columns: int) -> None:
    row = np.random.default_rng(columns).standard_normal(columns)
    room = np.zeros(columns * 5 + 16)
    found = set()
    for at in (0, 1, 2, 3, 5, 8, columns, 2 * columns + 1):
        for count in (1, 2, 3):
            block = room[at : at + count * columns].reshape(count, columns)
            for place in range(count):
                block[:] = 1.0
                block[place] = row
                found.add((row_sums(block)[place], row_dots(block, block)[place]))
    assert len(found) == 1


@pytest.mark.parametrize("columns", [1, 2, 3, 10, FEW, 255])
def test_columns_are_summed_as_rows_and_the_largest_is_what_argmax_says(columns: int) -> None:
    random = np.random.default_rng(columns)
    x = random.integers(-3, 4, (1000, columns)) / 2.0
    x[random.random(x.shape) < 0.1] = -np.inf
    x[:50] = -0.0
    for rows in (500, 1000):
        found = np.empty(rows, dtype=np.int64)
        first_largest(columns_of(x[:rows]), found)
        assert (found == x[:rows].argmax(axis=1)).all()
    for size in (1, 7, 1000):
        cut = [column_sums(columns_of(x[at : at + size])) for at in range(0, 1000, size)]
        assert np.concatenate(cut).tobytes() == column_sums(columns_of(x)).tobytes()
    if columns <= FEW:
        assert column_sums(columns_of(x)).tobytes() == row_sums(x).tobytes()


@pytest.mark.usefixtures("steady")
def test_a_place_for_the_sums_may_be_given() -> None:
    x, out = np.arange(6.0).reshape(2, 3), np.empty(2)
    assert row_sums(x, out) is out and out.tolist() == [3.0, 12.0]
    assert row_dots(x, x, out) is out and out.tolist() == [5.0, 50.0]


# OPENBLAS_CORETYPE makes OpenBLAS use the instructions of this processor, and dies of SIGILL where they are missing.
CORES = {"Prescott": "SSE3", "Nehalem": "SSE42", "Haswell": "FMA3", "SkylakeX": "AVX512_SKX"}


@pytest.mark.parametrize("core", [*CORES, None])
def test_whatever_processor_blas_takes_it_for_blocks_change_no_bit(core: str | None, tmp_path: Path) -> None:
    """The dot product of the first of these depends on where a vector lies."""
    if core is not None and CORES[core] not in cpu_features():
        pytest.skip(f"this processor has no {CORES[core]}, which OpenBLAS needs for {core}")
    random = np.random.default_rng(3)
    np.save(tmp_path / "z.npy", random.standard_normal((120, 33)) * 3)
    np.save(tmp_path / "y.npy", random.integers(0, 33, 120))
    code = (
        "import json, sys, xentcli\n"
        "found = [xentcli.score(sys.argv[1], sys.argv[2], kind='logits', block_bytes=n).to_dict() for n in (1, 5000)]\n"
        "print(json.dumps(found))"
    )
    env = {**os.environ, **({} if core is None else {"OPENBLAS_CORETYPE": core})}
    command = [sys.executable, "-c", code, str(tmp_path / "z.npy"), str(tmp_path / "y.npy")]
    done = subprocess.run(command, capture_output=True, env=env, check=True, text=True)
    one, other = json.loads(done.stdout)
    assert one == other


def test_halves_are_scored_as_the_doubles_that_they_are(tmp_path: Path) -> None:
    """Ties, subnormals, zeros of both signs, masks, and halves whose exponentials leave the doubles."""
    random = np.random.default_rng(8)
    z = (random.standard_normal((4000, 9)) * random.choice([1e-4, 1, 30, 400], (4000, 1))).astype(np.float16)
    z[random.random(z.shape) < 0.2] = 0.0
    z[random.random(z.shape) < 0.1] = -0.0
    z[random.random(z.shape) < 0.1] = -np.inf
    z[:, 0] = np.where(np.isneginf(z).all(axis=1), 1.0, z[:, 0])
    np.save(tmp_path / "y.npy", random.integers(0, 9, 4000))
    reports = []
    for dtype in (np.float16, np.float64):
        np.save(tmp_path / "z.npy", z.astype(dtype))
        files = [str(tmp_path / "z.npy"), str(tmp_path / "y.npy")]
        command = [*XENT, "score", *files, "--kind", "logits", "--by-class", "--worst", "50", "--format", "json"]
        reports.append(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))
    assert reports[0] == reports[1]
