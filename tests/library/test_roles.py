"""Data in place of columns: weights, groups, clusters, labels and bytes as arrays, lists, dicts and frames."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import xentcli
from tests.conftest import Call
from tests.library import CLASSES, NAMES, PROBS, SITES, TRUTH, WEIGHTS, file_report
from xentcli.errors import DataError, UsageError
from xentcli.settings import Settings

FRAME = pd.DataFrame(PROBS, columns=list(CLASSES))


@pytest.mark.parametrize(
    ("weights", "by"),
    [
        (WEIGHTS, {"site": SITES}),
        (WEIGHTS.tolist(), pd.Series(SITES, name="site")),
        (pd.Series(WEIGHTS), [pd.Series(SITES, name="site", dtype="category")]),
        ({"weight": WEIGHTS}, pd.DataFrame({"site": SITES})),
        (tuple(WEIGHTS), {"site": np.array(SITES)}),
        (pd.DataFrame({"w": WEIGHTS}), {"site": np.array(SITES, dtype=object)}),
    ],
    ids=["array", "list", "series", "dict", "tuple", "frame"],
)
def test_data_give_the_bits_of_the_same_columns_of_a_file(tmp_path: Path, weights: Any, by: Any) -> None:
    wanted = file_report(tmp_path, weights="weight", by="site", cluster="site")
    found = xentcli.score(FRAME, NAMES, weights=weights, by=by, cluster=np.array(SITES))
    assert found.cost.hex() == wanted.cost.hex()
    assert (found.interval, found.by) == (wanted.interval, wanted.by)


def test_bytes_are_those_of_each_row() -> None:
    wanted = xentcli.score(FRAME.assign(size=7), NAMES, bytes="size").bits_per_byte
    assert xentcli.score(FRAME, NAMES, bytes=[7] * len(FRAME)).bits_per_byte == wanted


def test_groups_without_a_name_have_that_of_the_option() -> None:
    assert {tuple(group.group) for group in xentcli.score(PROBS, TRUTH, by=SITES).by} == {("by",)}
    found = xentcli.score(PROBS, TRUTH, by=[np.array(SITES), pd.Series(TRUTH, name="truth")])
    assert {tuple(group.group) for group in found.by} == {("by",), ("truth",)}


def test_lists_and_arrays_of_texts_that_differ_are_names_of_columns() -> None:
    frame = FRAME.assign(site=SITES, truth=TRUTH)
    for by in (["site", "truth"], np.array(["site", "truth"]), frame.columns[3:]):
        found = xentcli.score(frame, NAMES, by=by, preds="cat:emu")
        assert {tuple(group.group) for group in found.by} == {("site",), ("truth",)}


def test_an_option_that_is_repeated_on_the_command_line_names_columns(call: Call) -> None:
    FRAME.assign(site=SITES, truth=NAMES).to_csv("p.csv", index=False)
    done = call("score", "p.csv", "--label", "truth", "--by", "site", "--by", "site")
    assert (done.code, "--by names 'site' twice" in done.err) == (2, True)


def test_every_function_takes_data() -> None:
    by = {"site": SITES}
    changes = xentcli.compare({"old": PROBS, "new": PROBS[:, ::-1]}, TRUTH, by=by, weights=WEIGHTS).by
    assert [change.group for change in changes] == [{"site": "north"}, {"site": "south"}]
    assert {tuple(group.group) for group in xentcli.calibration(PROBS, TRUTH, by=by).by} == {("site",)}
    assert xentcli.score(PROBS, label=TRUTH).cost == xentcli.score(PROBS, TRUTH).cost
    assert xentcli.compare({"old": PROBS, "new": PROBS}, label=TRUTH).models[0].cost == xentcli.score(PROBS, TRUTH).cost


def test_weights_have_the_shape_of_the_examples() -> None:
    losses, mask = PROBS.reshape(12, 15), (PROBS.reshape(12, 15) > 0.3).astype(float)
    assert xentcli.score(losses, kind="losses", weights=mask).cost == pytest.approx((losses * mask).sum() / mask.sum())
    cube, truth, weights = PROBS.reshape(6, 10, 3), TRUTH.reshape(6, 10), WEIGHTS.reshape(6, 10)
    wanted = xentcli.score(PROBS, TRUTH, weights=WEIGHTS, by=SITES)
    found = xentcli.score(cube, truth, weights=weights, by=np.array(SITES).reshape(6, 10))
    assert (found.cost.hex(), found.by) == (wanted.cost.hex(), wanted.by)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"weights": WEIGHTS[:5]}, DataError, "the row counts differ: predictions has 60 and weights has 5"),
        ({"by": {"site": SITES[:5]}}, DataError, "the row counts differ: predictions has 60 and by['site'] has 5"),
        ({"weights": np.ones((60, 2))}, DataError, "--weights takes one column, not 2: #1, #2"),
        ({"weights": {"a": WEIGHTS, "b": WEIGHTS}}, UsageError, "weights takes one column, not 2: a, b"),
        ({"weights": SITES}, DataError, "an array of text where numbers are expected (the weights)"),
        ({"weights": -WEIGHTS}, DataError, "weight -"),
        ({"by": {"site": "north"}}, UsageError, "by['site'] is a column or data for each row, not 'north'"),
        ({"label": TRUTH}, UsageError, "labels are given twice: as an argument and as label="),
        ({"cluster": object()}, UsageError, "cluster is a column or data for each row, not"),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, dict) else None,
)
def test_data_that_do_not_fit_are_refused(options: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as refused:
        xentcli.score(PROBS, TRUTH, **options)
    assert str(refused.value).partition(": ")[2].startswith(message) or str(refused.value).startswith(message)


def test_settings_pickle_without_the_data() -> None:
    options: dict[str, Any] = {"weights": np.ones(100_000), "by": {"site": SITES}}
    settings = Settings(**options)
    assert len(pickle.dumps(settings)) < 5000
    assert pickle.loads(pickle.dumps(settings)).weights == "@weights"
