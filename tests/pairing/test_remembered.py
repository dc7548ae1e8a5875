"""A plan that is remembered is the plan that would be made, and only calls that it fits have it."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest

import xentcli
from xentcli.errors import DataError, XentError
from xentcli.pairing import remembered

Q = np.random.default_rng(0).dirichlet(np.ones(3), 60)
Y = np.arange(60) % 3


@pytest.fixture(autouse=True)
def _none() -> None:
    remembered._plans.clear()


def told(*inputs: Any, **options: Any) -> Any:
    """The report, or the error."""
    try:
        return xentcli.score(*inputs, **options).to_dict()
    except XentError as error:
        return str(error)


CALLS: list[tuple[Any, Any, dict[str, Any]]] = [
    (Q, Y, {}),
    (Q, Y, {"label_smoothing": 0.1}),
    (Q, Y, {"ignore_label": 0}),
    (Q, Y, {"class_weight": "balanced"}),
    (Q, Y, {"classes": "a,b,c"}),
    (Q, Y, {"index_base": 1}),
    (Q, Y, {"shard": "1/2"}),
    (Q, Y, {"weights": np.arange(60)}),
    (Q, Y, {"by": {"half": Y}}),
    (Q, Y, {"sum_tolerance": 0.1}),
    (Q, Y, {"kind": "logits"}),
    (Q.astype("f4"), Y, {}),
    (Q.astype("f4"), Y, {"compat": "sklearn"}),
    (Q[:50], Y[:50], {}),
    (Q[:50], Y, {}),
    (Q, Y + 1, {}),
    (Q, np.where(Y, Y, 1), {}),
    (Q, np.where(Y, Y, -1), {}),
    # Labels counted from 1: only a plan made for such labels warns about them.
    (0.9 * np.eye(3)[Y % 2] + 0.1 / 3, Y % 2 + 1, {}),
    (Q, Y.astype("u1"), {}),
    (Q, Y.astype(float), {}),
    (Q, np.where(Y, Y, 1).astype(float), {}),
    (Q, np.where(Y, Y, -0.0), {}),
    (Q, np.where(Y, Y, 0.5), {}),
    (Q, np.where(Y, Y, np.nan), {}),
    (Q, np.where(Y, Y, np.nan), {"ignore_label": "nan"}),
    (Q, np.where(Y, Y, 1), {"index_base": 1}),
    (Q, np.where(Y, Y, 1), {"index_base": 0}),
    (Q, Y > 0, {}),
    (Q, Y[:, None], {}),
    (Q, Y.astype(str), {}),
    (Q[:, :2], Y, {"sum_tolerance": 1}),
    (Q.tolist(), Y.tolist(), {}),
    (Q.reshape(20, 3, 3), Y.reshape(20, 3), {}),
    (pd.DataFrame(Q, columns=["0", "1", "2"]), Y, {}),
    (pd.DataFrame(Q, index=range(5, 65)), pd.Series(Y, range(5, 65)), {}),
    (Q, pd.Series(Y, name="y"), {}),
    (np.full((60, 3), 2.0), Y, {}),
    (Q[:0], Y[:0], {}),
]


def test_a_call_has_its_own_plan_whatever_was_called_before() -> None:
    alone = []
    for q, y, options in CALLS:
        remembered._plans.clear()
        alone.append(told(q, y, **options))
    remembered._plans.clear()
    for _ in range(2):
        assert [told(q, y, **options) for q, y, options in CALLS] == alone
    assert remembered._plans


def test_whole_numbers_of_any_type_share_no_plan_but_have_one() -> None:
    for labels in (Y, Y.astype(float), np.where(Y, Y, 1), np.where(Y, Y, 1).astype(float)):
        xentcli.score(Q, labels)
    assert len(remembered._plans) == 4


def test_plans_are_few_and_hold_no_data() -> None:
    for count in range(40):
        xentcli.score(Q, Y, confidence=0.5 + count / 100)
        xentcli.score(Q, Y, weights=np.arange(60))
    assert 0 < len(remembered._plans) <= 16
    assert all(not plan.settings.given for plan in remembered._plans.values())


@pytest.mark.parametrize("label", [math.inf, -math.inf, math.nan, 1e300, 0.5])
def test_a_float_that_is_no_class_is_refused_without_a_warning_of_numpy(label: float) -> None:
    with pytest.raises(DataError, match="is not a class"):
        xentcli.score(Q, np.where(np.arange(len(Y)) == 1, label, Y))


def test_a_row_that_is_refused_is_refused_again() -> None:
    for _ in range(2):
        assert xentcli.score(Q, Y).cost == xentcli.score(Q, Y).cost
        with pytest.raises(DataError, match="the row sums to"):
            xentcli.score(np.full((60, 3), 0.5), Y)


def test_threads_share_plans() -> None:
    sizes: list[tuple[int, Any]] = [(size, kind) for size in range(10, 60) for kind in ("probs", "logits")] * 3
    alone = [xentcli.score(Q[:size], Y[:size], kind=kind).cost for size, kind in sizes]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda each: xentcli.score(Q[: each[0]], Y[: each[0]], kind=each[1]).cost, sizes))
    assert found == alone
