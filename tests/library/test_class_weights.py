"""Class weights as dict, series, array and "balanced", against scikit-learn."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

import xentcli
from tests.conftest import Call, Run
from tests.library import CLASSES, NAMES, PROBS, ROWS, SITES, TRUTH, WEIGHTS
from tests.library.test_tensors import OnlyDlpack
from xentcli.errors import DataError, UsageError

P = pd.DataFrame(PROBS, columns=list(CLASSES))
BALANCED = dict(zip(CLASSES, compute_class_weight("balanced", classes=np.array(CLASSES), y=NAMES), strict=True))


@pytest.mark.parametrize(
    "given",
    [
        {"cat": 2, "emu": np.float32(0.5)},
        pd.Series({"cat": 2.0, "dog": 1.0, "emu": 0.5}),
        np.array([2, 1, 0.5]),
        [2.0, 1.0, 0.5],
        (2, 1, 0.5),
        OnlyDlpack(np.array([2, 1, 0.5])),
        ["cat=2", "emu=0.5"],
    ],
    ids=["dict", "series", "array", "list", "tuple", "dlpack", "texts"],
)
def test_weights_in_any_form_give_the_same_bits(given: Any) -> None:
    wanted = log_loss(TRUTH, PROBS, sample_weight=np.array([2, 1, 0.5])[TRUTH])
    found = xentcli.score(P, NAMES, class_weight=given)
    assert found.cost == pytest.approx(wanted, rel=1e-14)
    assert found.cost.hex() == xentcli.score(PROBS, TRUTH, class_weight={0: 2, 2: 0.5}).cost.hex()


def test_balanced_is_that_of_scikit_learn() -> None:
    wanted = log_loss(NAMES, PROBS, sample_weight=compute_sample_weight("balanced", NAMES))
    found = xentcli.score(P, NAMES, class_weight="balanced")
    assert found.cost == pytest.approx(wanted, rel=1e-14)
    assert found.cost.hex() == xentcli.score(P, NAMES, class_weight=BALANCED).cost.hex()
    assert found.standard_error == xentcli.score(P, NAMES, class_weight=BALANCED).standard_error


def test_balanced_has_a_mean_of_the_costs_of_the_classes() -> None:
    each = xentcli.score(P, NAMES, by_class=True).by_class
    found = xentcli.score(P, NAMES, class_weight="balanced")
    assert found.cost == pytest.approx(np.mean([group.cost for group in each]), rel=1e-14)


def _kept(mask: Any) -> dict[str, float]:
    counts = Counter(np.array(NAMES)[mask].tolist())
    return {name: sum(counts.values()) / (len(counts) * count) for name, count in counts.items()}


@pytest.mark.parametrize("case", ["weights", "ignored", "missing", "subset", "shuffled", "absent", "one-hot", "binary"])
def test_the_rows_that_are_scored_are_counted(case: str) -> None:
    rows = np.arange(ROWS)
    indexed, labels = P.set_axis(rows + 100), pd.Series(NAMES, index=rows + 100)
    options: dict[str, Any] = {}
    preds: Any = P
    given: Any = NAMES
    wanted: Any = _kept(rows >= 0)
    if case == "weights":
        options, wanted = {"weights": (rows % 4) * WEIGHTS}, _kept(rows % 4 > 0)
    elif case == "ignored":
        options, wanted = {"ignore_label": "cat"}, _kept(np.array(NAMES) != "cat")
    elif case == "missing":
        preds = P.mask(pd.DataFrame(dict.fromkeys(CLASSES, rows < 9)))
        options, wanted = {"skip_missing": True}, _kept(rows >= 9)
    elif case == "subset":
        preds, given, wanted = indexed.iloc[:25], labels, _kept(rows < 25)
        options = {"id": "index", "subset": True}
    elif case == "shuffled":
        preds, given = indexed, labels.iloc[::-1]
    elif case == "absent":
        preds, given, wanted = P.assign(fox=0.0), NAMES, _kept(rows >= 0)
    elif case == "one-hot":
        given = pd.get_dummies(pd.Series(NAMES)).astype(int)
    else:
        preds, given = P["cat"], [int(name == "cat") for name in NAMES]
        wanted = dict(zip("01", compute_class_weight("balanced", classes=np.array([0, 1]), y=given), strict=True))
    found = xentcli.score(preds, given, class_weight="balanced", **options)
    assert found.cost.hex() == xentcli.score(preds, given, class_weight=wanted, **options).cost.hex()


def test_every_command_takes_balanced(tmp_path: Path, call: Call) -> None:
    P.to_csv(tmp_path / "p.csv", index=False)
    pd.DataFrame({"label": NAMES, "site": SITES}).to_csv(tmp_path / "l.csv", index=False)
    files = ["p.csv", "l.csv", "--label", "label", "--class-weight", "balanced"]
    wanted = xentcli.score(P, NAMES, class_weight=BALANCED, by=SITES)
    done = call("score", *files, "--by", "site", "--get", "cost,by")
    assert done.code == 0 and float(done.out.partition("\n")[0]) == pytest.approx(wanted.cost, rel=1e-15)
    assert "class weights balanced (--class-weight)" in call("score", *files).out
    assert call("check", *files, "--max", f"cost={wanted.cost!r}").code == 0
    for option in ("--class-weight", "cat=2"), ("--class-weight", "balanced"):
        assert call("score", *files, *option).code == 2
    change = xentcli.compare({"old": P, "new": P[list(CLASSES[::-1])]}, NAMES, class_weight="balanced")
    assert change.models[0].cost == wanted.cost


def test_a_stream_is_refused(tmp_path: Path, xent: Run) -> None:
    pd.Series(NAMES, name="label").to_csv(tmp_path / "l.csv", index=False)
    done = xent("score", "-", "l.csv", "--class-weight", "balanced", input=P.to_csv(index=False))
    assert (done.returncode, "a stream is read once" in done.stderr) == (3, True)


@pytest.mark.parametrize(
    ("given", "labels", "kind", "message"),
    [
        ([1.0, 2.0], NAMES, DataError, "2 class weights of 3 classes"),
        ([1.0, 2.0, -1.0], NAMES, DataError, "a class weight is a finite number from 0 up"),
        ([1.0, 2.0, np.nan], NAMES, DataError, "a class weight is a finite number from 0 up"),
        ({"cow": 1.0}, NAMES, DataError, "--class-weight 'cow' is not a class"),
        ({"cat": "heavy"}, NAMES, UsageError, "class_weight is a number, not 'heavy'"),
        ({"cat": -1}, NAMES, UsageError, "--class-weight takes NAME=W"),
        ("heavy", NAMES, UsageError, "--class-weight takes NAME=W"),
        (["balanced", "cat=2"], NAMES, UsageError, "--class-weight takes NAME=W"),
        (object(), NAMES, UsageError, "class_weight is a dict of numbers or text or"),
        ("balanced", P, DataError, "--class-weight balanced counts labels, and here a target is shared"),
    ],
    ids=range(10),
)
def test_what_is_no_class_weight_is_refused(given: Any, labels: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as refused:
        xentcli.score(P, labels, class_weight=given)
    assert str(refused.value).startswith(message)
