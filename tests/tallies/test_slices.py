"""Where a cost comes from: groups, classes, the worst rows; clusters; further files."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import top_k_accuracy_score

from tests.conftest import Write, csv
from xentcli import check, score
from xentcli.errors import DataError, FileError, UsageError
from xentcli.report.report import Report
from xentcli.tallies.exact import Among
from xentcli.tallies.moments import GroupMoments, Moments

RNG = np.random.default_rng(5)
N = 300
Q = RNG.dirichlet(np.ones(4) * 0.6, N)
Y = RNG.integers(0, 4, N)
FRAME = pd.DataFrame(Q, columns=list("abcd")).assign(
    truth=[list("abcd")[y] for y in Y],
    site=RNG.choice(["north", "south", "east"], N),
    day=RNG.choice(["1", "2"], N),
    w=RNG.choice([0.0, 1.0, 2.5], N),
    note=[f"n{i}" for i in range(N)],
)
PREDS: dict[str, Any] = {"preds": list("abcd"), "label": "truth"}


def rows_of(frame: pd.DataFrame, **options: Any) -> Report:
    return score(frame, **PREDS, **options)


@functools.cache
def rows_alone(weights: str | None, **values: str) -> Report:
    """The report of the rows that have these values, whatever the blocks of the report by group were."""
    some = FRAME
    for name, value in values.items():
        some = some[some[name] == value]
    return rows_of(some, weights=weights)


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("block_bytes", [100, 900, 1 << 20])
def test_a_group_costs_what_its_rows_cost_alone(weights: str | None, block_bytes: int) -> None:
    report = rows_of(FRAME, weights=weights, by=["site", "site,day"], by_class=True, block_bytes=block_bytes)
    assert len(report.by) == 3 + 6
    for part in report.by:
        alone = rows_alone(weights, **part.group)
        assert (part.examples, part.cost) == (alone.examples.scored, alone.cost)
        assert (part.standard_error, part.interval) == (alone.standard_error, alone.interval)
        assert part.share == pytest.approx(alone.total / report.total, rel=1e-12)
    for one in report.by_class:
        alone = rows_alone(weights, truth=one.name)
        assert (one.examples, one.cost, one.accuracy) == (alone.examples.scored, alone.cost, alone.accuracy)
    assert math.fsum(one.share or 0 for one in report.by_class) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("block_bytes", [1, 1000])
def test_blocks_and_threads_change_no_bit_of_a_slice(block_bytes: int, threads: int) -> None:
    options: dict[str, Any] = {"by": "site,day", "by_class": True, "cluster": "note", "worst": 7, "weights": "w"}
    whole = rows_of(FRAME, **options)
    assert rows_of(FRAME, **options, block_bytes=block_bytes, threads=threads).to_dict() == whole.to_dict()


def test_an_infinite_row_is_infinite_in_its_group_alone() -> None:
    frame = FRAME.copy()
    frame.loc[3, list("abcd")] = [float(name != frame.truth[3]) / 3 for name in "abcd"]
    report = rows_of(frame, by="site", by_class=True)
    infinite = [part for part in report.by if math.isinf(part.cost)]
    assert [part.group["site"] for part in infinite] == [frame.site[3]]
    assert infinite[0].standard_error is None
    assert all(part.share is None for part in report.by)


def test_the_worst_rows_come_first_and_ties_in_the_order_of_the_file() -> None:
    report = rows_of(FRAME, worst=5, show=["note", "site"], id="note")
    loss = -np.log(Q[np.arange(N), Y])
    order = np.lexsort((np.arange(N), -loss))[:5]
    assert [row.row for row in report.worst] == (order + 1).tolist()
    for row, index in zip(report.worst, order.tolist(), strict=True):
        assert row.loss == pytest.approx(loss[index], rel=1e-15)
        assert (row.id, row.label, row.probability) == (f"n{index}", "abcd"[Y[index]], Q[index, Y[index]])
        assert (row.predicted, row.predicted_probability) == ("abcd"[Q[index].argmax()], Q[index].max())
        assert row.shown == {"note": f"n{index}", "site": FRAME.site[index]}
    ties = score(np.full((9, 2), 0.5), [0] * 9, worst=4, block_bytes=16)
    assert [row.row for row in ties.worst] == [1, 2, 3, 4]
    assert [row.loss for row in score([0.3, 0.9, 0.1], kind="losses", worst=2).worst] == [0.9, 0.3]


def cluster_error(loss: np.ndarray[Any, Any], weight: np.ndarray[Any, Any], names: pd.Series[str]) -> float:
    mean = (weight * loss).sum() / weight.sum()
    residuals = pd.Series(weight * (loss - mean)).groupby(names.to_numpy()).sum()
    count = len(residuals)
    return float(math.sqrt(count / (count - 1) * (residuals**2).sum()) / weight.sum())


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("column", ["site", "day", "note"])
def test_a_cluster_is_one_observation(column: str, weights: str | None) -> None:
    report = rows_of(FRAME, cluster=column, weights=weights)
    weight = np.ones(N) if weights is None else FRAME.w.to_numpy()
    kept = weight > 0
    loss = -np.log(Q[np.arange(N), Y])
    assert report.standard_error == pytest.approx(
        cluster_error(loss[kept], weight[kept], FRAME[column][kept]), rel=1e-12
    )
    assert report.clusters == FRAME[column][kept].nunique()
    assert report.cost == rows_of(FRAME, weights=weights).cost
    if column == "note":
        assert report.standard_error == rows_of(FRAME, weights=weights).standard_error
    one = rows_of(FRAME.assign(k="x"), cluster="k")
    assert (one.standard_error, one.interval) == (None, None)
    assert one.undefined["interval"] == "one cluster has no standard error"


def test_more_groups_than_allowed_are_a_limit_that_names_its_option() -> None:
    for options in ({"by": "note"}, {"cluster": "note"}):
        with pytest.raises(FileError) as caught:
            rows_of(FRAME, **options, max_groups=10)
        assert "--max-groups" in str(caught.value)
        assert len(rows_of(FRAME, **options, max_groups=N).by) in (0, N)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 9])
def test_top_k_is_that_of_scikit_learn(k: int) -> None:
    report = score(Q, Y, metrics=f"cost,top{k}")
    if k < 4:
        assert report.value(f"top{k}") == pytest.approx(top_k_accuracy_score(Y, Q, k=k, labels=range(4)), rel=1e-15)
    else:
        assert report.value(f"top{k}") == 1
    assert [metric.name for metric, _ in report.figures()] == ["cost", f"top{k}"]
    assert score(Q, Y, metrics="top1").value("top1") == report.accuracy
    assert report.to_dict()[f"top{k}"] == report.value(f"top{k}")


def test_top_k_can_be_held_to_a_limit() -> None:
    assert check(Q, Y, min={"top2": 0.1}).verdict == "pass"
    assert check(Q, Y, min={"top2": 1.1}).verdict == "fail"
    with pytest.raises(UsageError, match="no metric 'top0'"):
        score(Q, Y, metrics="top0")


def test_bits_per_byte_by_a_number_or_a_column(write: Write) -> None:
    path = write("lm.csv", "logprob,chars\n-1,4\n-2,3\n-0.5,5\n")
    want = 3.5 / math.log(2) / 12
    for given in ("chars", "12", 12):
        report = score(path, kind="true-logprobs", preds="logprob", bytes=given)
        assert report.bits_per_byte == pytest.approx(want, rel=1e-15)
    assert score(path, kind="true-logprobs", preds="logprob").bits_per_byte is None
    for bad in ("0", "-1"):
        with pytest.raises(UsageError):
            score(path, kind="true-logprobs", preds="logprob", bytes=bad)
    with pytest.raises(DataError, match="not a number of bytes"):
        score(write("bad.csv", "logprob,chars\n-1,-4\n"), kind="true-logprobs", preds="logprob", bytes="chars")


@pytest.mark.parametrize("header", [True, False])
def test_weights_groups_and_labels_may_stand_in_a_third_file(header: bool, tmp_path: Path, write: Write) -> None:
    np.save(tmp_path / "p.npy", Q)
    np.save(tmp_path / "y.npy", Y)
    np.save(tmp_path / "w.npy", FRAME.w.to_numpy())
    sites = write("s.csv", csv([[site] for site in FRAME.site], ["site"] if header else None))
    more = write("m.csv", csv(FRAME[["day", "w"]].to_numpy().tolist(), ["day", "w"]))
    want = rows_of(FRAME, weights="w", by="site")
    spec = f"@{sites}:{'site' if header else '#1'}"
    if header:
        report = score(tmp_path / "p.npy", tmp_path / "y.npy", weights=f"@{more}:w", by=spec)
        assert [(p.examples, p.cost) for p in report.by] == [(p.examples, p.cost) for p in want.by]
        assert [given.rows for given in report.inputs] == [N] * 4
    assert score(tmp_path / "p.npy", tmp_path / "y.npy", weights=f"@{tmp_path}/w.npy").cost == want.cost
    assert score(tmp_path / "p.npy", label=f"@{tmp_path}/y.npy").cost == rows_of(FRAME).cost


def test_a_third_file_is_joined_by_id_as_the_others_are(write: Write) -> None:
    some = FRAME[["note", *"abcd"]]
    labels, weights = FRAME[["note", "truth"]].iloc[::-1], FRAME[["note", "w", "site"]].sample(frac=1, random_state=1)
    paths = [write(f"{i}.csv", table.to_csv(index=False)) for i, table in enumerate((some, labels, weights))]
    report = score(paths[0], paths[1], id="note", weights=f"@{paths[2]}:w", by=f"@{paths[2]}:site")
    want = rows_of(FRAME, weights="w", by="site")
    assert (report.cost, report.by) == (want.cost, want.by)
    short = write("short.csv", weights.iloc[1:].to_csv(index=False))
    with pytest.raises(DataError, match="1 id is not in"):
        score(paths[0], paths[1], id="note", weights=f"@{short}:w")


def test_a_third_file_of_another_length_is_refused(write: Write) -> None:
    weights = write("w.csv", "w\n1\n2\n")
    with pytest.raises(DataError, match="row counts differ"):
        rows_of(FRAME, weights=f"@{weights}:w")


@pytest.mark.parametrize(
    "options", [{"worst": -1}, {"max_groups": 0}, {"show": ["site"]}, {"metrics": "cost,cow"}], ids=str
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        rows_of(FRAME, **options)
    for labelled in ({"by_class": True}, {"metrics": "accuracy"}):
        with pytest.raises(UsageError):
            score([0.5], kind="losses", **labelled)


def test_labels_without_a_prediction_are_counted_where_that_is_allowed(write: Write) -> None:
    some = write("p.csv", FRAME[["note", *"abcd"]].iloc[10:60].to_csv(index=False))
    labels = write("y.csv", FRAME[["note", "truth"]].to_csv(index=False))
    with pytest.raises(DataError) as caught:
        score(some, labels, id="note")
    assert "--subset" in str(caught.value)
    report = score(some, labels, id="note", subset=True)
    assert report.cost == rows_of(FRAME.iloc[10:60]).cost
    assert (report.labels_unused, report.examples.read) == (N - 50, 50)
    with pytest.raises(DataError, match="are not in"):
        score(some, write("z.csv", "note,truth\nn11,a\n"), id="note")
    assert score(some, write("z.csv", "note,truth\nn11,a\n"), id="note", subset=True).examples.scored == 1
    with pytest.raises(UsageError, match="--id"):
        score(Q, Y, subset=True)


@pytest.mark.parametrize("power", [0, -450, 450])
@pytest.mark.parametrize("odd", [True, False])
@pytest.mark.parametrize("weights", [None, "w"])
def test_each_of_many_groups_is_tallied_as_if_it_stood_alone(weights: str | None, odd: bool, power: int) -> None:
    random = np.random.default_rng(4)
    loss, codes = random.random(1000) * 2.0**power, random.integers(0, 180, 1000)
    if odd:
        loss[[7, 8, 800]] = np.inf, np.nan, -np.inf
    weight = random.choice([0.5, 1.0], 1000) if weights else None
    halves = [slice(0, 400), slice(400, None)]
    tallies = [
        GroupMoments.of(loss[h], None if weight is None else weight[h], among=Among(codes[h], 180)) for h in halves
    ]
    found = GroupMoments.joined(tallies, [np.arange(180)] * 2, 180)
    for group, moments in enumerate(found):
        rows = codes == group
        alone = Moments.of(loss[rows], None if weight is None else weight[rows])
        assert repr(moments) == repr(alone)
