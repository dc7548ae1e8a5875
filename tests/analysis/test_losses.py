"""losses(): a loss for every row, in the order of the predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import xentcli
from xentcli.errors import UsageError

RNG = np.random.default_rng(1)
Q = RNG.dirichlet([2, 1, 1], 500)
Y = RNG.integers(0, 3, 500)


def test_every_row_has_the_logarithm_of_its_probability() -> None:
    found = xentcli.losses(Q, Y)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, -np.log(Q[np.arange(500), Y]), rtol=1e-12)


def test_the_cost_is_their_mean_in_any_unit() -> None:
    for base in ("e", "2", "10"):
        found = xentcli.losses(Q, Y, base=base)
        assert found.mean() == pytest.approx(xentcli.score(Q, Y, base=base).cost, rel=1e-12)


def test_pandas_objects_give_a_series_with_their_index() -> None:
    frame = pd.DataFrame(Q, index=[f"r{i}" for i in range(500)])
    found = xentcli.losses(frame, Y)
    assert isinstance(found, pd.Series)
    assert found.index.equals(frame.index)
    assert found.name == "loss"
    np.testing.assert_array_equal(found.to_numpy(), xentcli.losses(Q, Y))


def test_rows_that_are_not_scored_are_nan_at_their_places() -> None:
    labels, weights = Y.copy(), np.ones(500)
    labels[3], weights[5] = -100, 0
    frame = pd.DataFrame(Q, columns=["0", "1", "2"]).assign(y=labels, w=weights)
    found = xentcli.losses(frame, label="y", preds="0,1,2", weights="w", ignore_label=-100)
    assert np.flatnonzero(np.isnan(found)).tolist() == [3, 5]
    kept = ~np.isnan(found)
    np.testing.assert_array_equal(found[kept], xentcli.losses(Q, Y)[kept])


def test_a_late_label_that_breaks_the_rule_gives_no_row_twice() -> None:
    labels = np.array(["0"] * 200_000 + ["1"], dtype=object)
    q = np.tile([0.25, 0.75], (200_001, 1))
    assert len(xentcli.losses(q, labels)) == 200_001


@pytest.mark.parametrize(
    "option",
    [{"by": "g"}, {"by_class": True}, {"worst": 2}, {"cluster": "g"}, {"metrics": "cost"}, {"confidence": 0.9}],
)
def test_what_changes_no_loss_is_refused(option: Any) -> None:
    with pytest.raises(UsageError, match="does not go with losses"):
        xentcli.losses(Q, Y, **option)
