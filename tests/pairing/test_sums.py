"""Sums weighted by the counts that they were summed over: a warning where the names say so, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import xentcli


@pytest.mark.parametrize(
    ("name", "count", "kind", "warned"),
    [
        ("sum_logprob", "n_tokens", "true-logprobs", True),
        ("logprob_sum", "num_tokens", "true-logprobs", True),
        ("total_loss", "token_count", "losses", True),
        ("loglikelihood", "tokens", "true-logprobs", True),
        ("logprob", "n_tokens", "true-logprobs", False),
        ("mean_loss", "n_tokens", "losses", False),
        ("loss_per_token", "n_tokens", "losses", False),
        ("sum_logprob", "weight", "true-logprobs", False),
        ("sum_logprob", "n_patients", "true-logprobs", False),
        ("sum_p", "n_tokens", "true-probs", False),
    ],
)
def test_sums_weighted_by_counts_of_tokens(name: str, count: str, kind: Any, warned: bool, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    sign = "-" if kind == "true-logprobs" else ""
    path.write_text(f"{name},{count}\n{sign}0.75,2\n{sign}0.5,4\n")
    report = xentcli.score(path, kind=kind, preds=name, weights=count)
    assert [warning.code for warning in report.warnings if warning.code == "weighted-sum"] == ["weighted-sum"] * warned
    alone = xentcli.score(path, kind=kind, preds=name)
    assert all(warning.code != "weighted-sum" for warning in alone.warnings)
