"""The number as another tool computes it: scikit-learn's own, and the vectors of the others."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sklearn
from safetensors.numpy import save_file
from sklearn.metrics import log_loss

from xentcli import score
from xentcli.errors import DataError, UsageError
from xentcli.scoring.compat import COMPAT

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 4, 400)
SPARSE = RNG.dirichlet(np.full(4, 0.05), 400)


@pytest.mark.parametrize(("dtype", "tolerance"), [("f8", 1e-13), (">f8", 1e-13), ("f4", 1e-6)])
@pytest.mark.parametrize("weighted", [False, True])
def test_sklearn_is_what_scikit_learn_says(dtype: str, tolerance: float, weighted: bool, tmp_path: Path) -> None:
    q = SPARSE.astype(dtype)
    weight = RNG.uniform(0, 2, 400) if weighted else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want = log_loss(Y, q, labels=range(4), sample_weight=weight)
    np.save(tmp_path / "q.npy", q)
    options: dict[str, Any] = {"compat": "sklearn"}
    if weight is not None:
        np.save(tmp_path / "w.npy", weight)
        options["weights"] = f"@{tmp_path}/w.npy"
    report = score(tmp_path / "q.npy", Y, **options)
    assert report.cost == pytest.approx(want, rel=tolerance)
    assert report.clip is not None and report.clip.eps == np.finfo(q.dtype).eps
    assert report.compat is not None and report.compat.startswith("scikit-learn")
    assert report.options["clip"].by == "compat" and report.options["compat"].by == "flag"


def test_sklearn_of_one_column_is_what_scikit_learn_says() -> None:
    q, y = np.array([0.0, 0.7, 0.6, 0.2, 0.3]), [1, 1, 1, 0, 0]
    assert score(q, y, compat="sklearn").cost == pytest.approx(log_loss(y, q), rel=1e-14)


def test_yardstick_gives_its_published_figure(goldens: Path) -> None:
    path = goldens / "yardstick" / "hpc_cv.csv"
    options: dict[str, Any] = {"label": "obs", "preds": "VF,F,M,L", "compat": "yardstick"}
    assert score(path, **options).cost == pytest.approx(0.8021367509, abs=5e-11)
    assert score(path, **options, weights="weight").cost == pytest.approx(0.8002778369, abs=5e-11)
    folds = score(path, **options, by="Resample").by
    assert [part.group["Resample"] for part in folds] == [f"Fold{i:02}" for i in range(1, 11)]


def test_kaggle_divides_by_the_row_sum_and_clips_at_1e_15() -> None:
    q = np.array([[0.2, 0.3], [0.0, 2.0]])
    report = score(q, [1, 0], compat="kaggle")
    assert report.cost == pytest.approx((-math.log(0.6) - math.log(1e-15)) / 2, rel=1e-14)
    assert score([0.0, 0.5], [1, 1], compat="kaggle").cost == pytest.approx((math.log(2) - math.log(1e-15)) / 2)


def test_xgboost_clips_at_1e_16() -> None:
    assert score(np.array([[0.0, 1.0]]), [0], compat="xgboost").cost == pytest.approx(-math.log(1e-16), rel=1e-7)


# What Booster.predict of XGBoost 3.2.0 returns, and what its evaluation then prints.
XGBOOST: list[tuple[list[Any], list[int], float]] = [
    (
        ["4.1399378e-08", "0.9999999", "0.9998766", "0.047425874", "0.62245935", "1.0", "2.0611537e-09"],
        [0, 1, 0, 1, 1, 0, 0],
        7.05203647698674896,
    ),
    (
        ["4.1399378e-08", "0.9999999", "1.12535155e-07", "3.0590223e-07", "0.99999964", "1.0", "2.0611537e-09"],
        [0, 1, 0, 0, 1, 1, 0],
        1.3623920430e-07,
    ),
    (
        [
            ["0.99999976", "1.1253515e-07", "1.1253515e-07"],
            ["3.0590195e-07", "0.9999988", "8.3152776e-07"],
            ["8.3152804e-07", "4.1399343e-08", "0.99999917"],
        ],
        [0, 1, 2],
        7.5499251769e-07,
    ),
]


@pytest.mark.parametrize("form", ["csv", "jsonl", "f8", "f4"])
@pytest.mark.parametrize(("q", "labels", "want"), XGBOOST)
def test_xgboost_is_what_xgboost_says(q: list[Any], labels: list[int], want: float, form: str, tmp_path: Path) -> None:
    data: Any = np.array(q, dtype=form if form.startswith("f") else "f8")
    if form == "csv":
        data = tmp_path / "p.csv"
        data.write_text("".join(",".join(row if isinstance(row, list) else [row]) + "\n" for row in q))
    elif form == "jsonl":
        data = tmp_path / "p.jsonl"
        rows = (", ".join(row if isinstance(row, list) else [row]) for row in q)
        data.write_text("".join(f'{{"p": [{row}]}}\n' for row in rows))
    options: dict[str, Any] = {"no_header": "predictions"} if form == "csv" else {}
    assert score(data, labels, compat="xgboost", **options).cost == pytest.approx(want, rel=1e-6)


@pytest.mark.parametrize("scale", [1.0, 0.01])
@pytest.mark.parametrize("columns", [1, 3])
def test_xgboost_reads_every_number_as_float32_whatever_the_file_holds(
    columns: int, scale: float, tmp_path: Path
) -> None:
    q = 1 - 10.0 ** -RNG.uniform(6, 9, 200)
    q[:100] = (1 - q)[:100] if columns == 1 else q[:100]
    table = np.stack([q, (1 - q) / 2, (1 - q) / 2], axis=1) if columns == 3 else q[:, None]
    labels = (q > 0.5).astype(int) if columns == 1 else np.zeros(200, dtype=int)
    if columns == 1:
        labels[::7] = 1 - labels[::7]
    given = table / scale
    text = tmp_path / "p.csv"
    text.write_text("".join(",".join(map(repr, row)) + "\n" for row in given.tolist()))
    for data in (text, given, given.astype("f4")):
        held = given if isinstance(data, Path) else data.astype("f8")
        single = (held * scale).astype("f4")
        if columns == 1:
            single = np.concatenate([np.float32(1) - single, single], axis=1)
        chosen = np.maximum(single[np.arange(200), labels], np.float32(1e-16))
        want = -np.log(chosen).astype("f8").mean()
        report = score(data, labels, compat="xgboost", scale=scale, no_header="predictions")
        assert report.cost == pytest.approx(want, rel=1e-6)
    exact = score(text, labels, clip=1e-16, scale=scale, no_header="predictions").cost
    assert exact != pytest.approx(want, rel=1e-6)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_sklearn_subtracts_in_the_dtype_of_the_file(dtype: str, tmp_path: Path) -> None:
    q = (10.0 ** -RNG.uniform(5 if dtype == "f4" else 14, 17, 300)).astype(dtype)
    labels = np.zeros(300, dtype=int)
    labels[0], q[0] = 1, 1
    np.save(tmp_path / "q.npy", q)
    want = log_loss(labels, q)
    assert score(tmp_path / "q.npy", labels, compat="sklearn").cost == pytest.approx(want, rel=1e-6, abs=0)
    assert score(tmp_path / "q.npy", labels, clip=float(np.finfo(dtype).eps)).cost != pytest.approx(
        want, rel=1e-6, abs=0
    )


def test_the_dtype_of_a_data_frame_is_that_of_the_columns_of_predictions() -> None:
    frame = pd.DataFrame(SPARSE.astype("f4"), columns=list("0123"))
    want = log_loss(Y, frame.to_numpy(), labels=range(4))
    report = score(frame.assign(y=Y), compat="sklearn", label="y")
    assert report.clip is not None and report.clip.eps == np.finfo("f4").eps
    assert report.cost == pytest.approx(want, rel=1e-6)
    wide = frame.assign(**{"0": frame["0"].astype("f8")})
    mixed = score(wide, Y, compat="sklearn")
    assert mixed.clip is not None and mixed.clip.eps == np.finfo("f8").eps


def halves(folder: Path, kind: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Numbers of two bytes, in all that can hold them."""
    array = (SPARSE if kind == "probs" else np.log(SPARSE + 0.01)).astype("f2")
    yield array, {}
    np.save(folder / "h.npy", array)
    yield folder / "h.npy", {}
    (folder / "shards").mkdir()
    np.save(folder / "shards/0.npy", array)
    yield folder / "shards", {}
    np.savez(folder / "h.npz", p=array, y=Y)
    yield folder / "h.npz", {"preds": "p"}
    np.save(folder / "b.npy", array.astype(ml_dtypes.bfloat16))
    yield folder / "b.npy", {"dtype": "bfloat16"}
    save_file({"p": array.astype(ml_dtypes.bfloat16), "q": array.astype("f4")}, folder / "b.safetensors")
    yield folder / "b.safetensors", {"preds": "p"}
    pq.write_table(pa.table({str(c): array[:, c] for c in range(4)}), folder / "h.parquet")
    yield folder / "h.parquet", {}


@pytest.mark.parametrize(("tool", "kind"), [("sklearn", "probs"), ("torch", "logits")])
def test_two_byte_floats_are_refused_where_the_tool_computes_in_them(tool: Any, kind: Any, tmp_path: Path) -> None:
    for data, options in halves(tmp_path, kind):
        with pytest.raises(DataError, match="computes 16-bit floats in 16-bit arithmetic") as caught:
            score(data, Y, kind=kind, compat=tool, **options)
        assert "astype('float32')" in caught.value.advice[1]
    sums: dict[str, Any] = {"sum_tolerance": 0.1} if kind == "probs" else {}
    beside = score(tmp_path / "b.safetensors", Y, kind=kind, compat=tool, preds="q", renormalize=False, **sums)
    assert beside.compat is not None


def test_two_byte_floats_are_float32_for_xgboost() -> None:
    q = SPARSE.astype("f2")
    chosen = np.maximum(q[np.arange(400), Y].astype("f4"), np.float32(1e-16))
    report = score(q, Y, compat="xgboost", sum_tolerance=0.01)
    assert report.cost == pytest.approx(-np.log(chosen).astype("f8").mean(), rel=1e-6)


def test_the_title_names_the_scikit_learn_that_is_installed() -> None:
    version = ".".join(sklearn.__version__.split(".")[:2])
    assert COMPAT["sklearn"].title.startswith(f"scikit-learn {version},")


def test_torch_divides_the_loss_of_distributions_by_the_rows() -> None:
    z, weights = np.array([[2.3, 2.1, 4.5], [4.2, 3.2, 5.1]]), {"0": 25, "1": 25, "2": 100}
    one_hot = np.eye(3)[[1, 2]]
    options: dict[str, Any] = {"kind": "logits", "class_weight": weights}
    assert score(z, [1, 2], **options, compat="torch").cost == pytest.approx(0.870484, abs=5e-7)
    told = score(z, one_hot, **options, compat="torch")
    assert told.cost == pytest.approx(54.40522, abs=5e-6)
    assert told.compat is not None and "number of rows" in told.compat
    assert score(z, one_hot, **options).cost == pytest.approx(0.870484, abs=5e-7)


def test_every_tool_is_held_to_values() -> None:
    """Every row of COMPAT has a value here that the tool itself computed."""
    tried = set(re.findall(r"""compat(?:=|": )"(\w+)\"""", Path(__file__).read_text(encoding="utf-8")))
    assert tried >= COMPAT.keys()


@pytest.mark.parametrize("name", COMPAT)
def test_an_explicit_clip_contradicts_every_tool(name: Any) -> None:
    kind = COMPAT[name].kinds[0]
    with pytest.raises(UsageError, match=f"--compat {name}"):
        score([[0.5, 0.5]], [0], kind=kind, compat=name, clip=1e-9)  # type: ignore[arg-type]
    for other in {"probs", "logits", "losses"} - set(COMPAT[name].kinds):
        with pytest.raises(UsageError, match="takes --kind"):
            score([[0.5, 0.5]], kind=other, compat=name)  # type: ignore[arg-type]


def test_a_tool_that_is_not_known_is_refused() -> None:
    with pytest.raises(UsageError, match="--compat is one of"):
        score([[0.5, 0.5]], [0], compat="keras")  # type: ignore[arg-type]
