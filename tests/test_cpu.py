"""Each loss is within 4 units in the last place whatever instructions the processor has."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import XENT, cpu_dispatch
from xentcli.arrays import Floats


def losses(folder: Path, kind: str, disabled: list[str]) -> Floats:
    target = folder / f"{kind}-{len(disabled)}.npy"
    files = [str(folder / f"{kind}.npy"), str(folder / "y.npy")]
    command = [*XENT, "score", *files, "--kind", kind, "--quiet", "--per-example", str(target)]
    env = {**os.environ, "NPY_DISABLE_CPU_FEATURES": ",".join(disabled)}
    done = subprocess.run(command, capture_output=True, env=env, check=False)
    assert done.returncode == 0 and b"Warning" not in done.stderr, done
    found: Floats = np.load(target)
    return found


@pytest.mark.parametrize("kind", ["probs", "logits", "logprobs"])
def test_losses_differ_by_at_most_4_ulp_between_instruction_sets(kind: str, tmp_path: Path) -> None:
    known = cpu_dispatch()
    if not known:
        pytest.skip("NumPy has one set of instructions for this processor")
    random = np.random.default_rng(5)
    logits = random.normal(0, 4, (4000, 7)) * np.repeat([1.0, 30.0, 1e-3, 200.0], 1000)[:, None]
    top = logits.max(axis=1, keepdims=True)
    logprobs = logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
    np.save(tmp_path / f"{kind}.npy", {"probs": np.exp(logprobs), "logits": logits, "logprobs": logprobs}[kind])
    np.save(tmp_path / "y.npy", random.integers(0, 7, len(logits)))
    want = losses(tmp_path, kind, [])
    assert np.isfinite(want).any()
    for count in range(1, len(known) + 1):
        found = losses(tmp_path, kind, known[-count:])
        finite = np.isfinite(want)
        assert np.array_equal(finite, np.isfinite(found))
        units = np.abs(found[finite] - want[finite]) / np.spacing(want[finite])
        assert units.max() <= 4, (known[-count:], units.max())
