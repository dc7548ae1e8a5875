"""Missing labels and predictions: what is left out changes a score as if it were not in the files."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import Call, Write
from tests.laws import some_of
from xentcli import score
from xentcli.errors import DataError

RNG = np.random.default_rng(5)
N = 40
Q = RNG.dirichlet(np.ones(3), N)
Y = RNG.integers(0, 3, N)
W = RNG.random(N) + 0.5
GAPS = np.zeros((N, 3), dtype=bool)
GAPS[[3, 7, 8, 20], [0, 2, 1, 1]] = True
SAME = ("cost", "standard_error", "accuracy", "brier", "prior", "perplexity", "weight_sum")
MISSING = ["", "NaN", "nan", "NA", "N/A", "null", "None", "-", ".", "<NA>", " na "]


def as_csv(path: Path, frame: pd.DataFrame) -> str:
    frame.to_csv(path.with_suffix(".csv"), index=False, na_rep="NA")
    return str(path.with_suffix(".csv"))


def as_parquet(path: Path, frame: pd.DataFrame) -> str:
    frame.to_parquet(path.with_suffix(".parquet"), index=False)
    return str(path.with_suffix(".parquet"))


def as_jsonl(path: Path, frame: pd.DataFrame) -> str:
    frame.to_json(path.with_suffix(".jsonl"), orient="records", lines=True, double_precision=15)
    return str(path.with_suffix(".jsonl"))


def as_npy(path: Path, frame: pd.DataFrame) -> str:
    np.save(path.with_suffix(".npy"), frame.to_numpy())
    return str(path.with_suffix(".npy"))


FORMS: list[Callable[[Path, pd.DataFrame], str]] = [as_csv, as_parquet, as_jsonl, as_npy]


@pytest.mark.parametrize(("form", "kind", "block_bytes"), some_of(FORMS, ["probs", "logits", "logprobs"], [64, None]))
def test_rows_without_a_prediction_are_as_if_they_were_not_there(
    form: Callable[[Path, pd.DataFrame], str], kind: str, block_bytes: int | None, tmp_path: Path
) -> None:
    numbers = Q.round(6) if kind == "probs" else np.log(Q).round(6)
    tolerance: dict[str, Any] = {"kind": kind, "preds": "#1:#3"} | ({} if kind == "logits" else {"sum_tolerance": 1e-4})
    kept = ~GAPS.any(axis=1)
    labels, holes = Y, pd.DataFrame(np.where(GAPS, np.nan, numbers), columns=list("abc"))
    with pytest.raises(DataError, match="--skip-missing leaves them out"):
        score(form(tmp_path / "p", holes), labels, block_bytes=block_bytes, **tolerance)
    whole = score(form(tmp_path / "p", holes), labels, skip_missing=True, block_bytes=block_bytes, **tolerance)
    cut = score(form(tmp_path / "q", holes.iloc[np.flatnonzero(kept)]), labels[kept], **tolerance)
    assert [whole.value(name) for name in SAME] == [cut.value(name) for name in SAME]
    assert (whole.examples.missing, whole.examples.scored, whole.examples.read) == (4, N - 4, N)
    assert "missing-predictions" in [warning.code for warning in whole.warnings]


def test_skip_missing_with_ids_weights_groups_and_ignored_labels(write: Write) -> None:
    cells = [["" if gap else f"{q:.6f}" for q, gap in zip(*row, strict=True)] for row in zip(Q, GAPS, strict=True)]
    preds = "id,a,b,c,g\n" + "".join(f"r{i},{','.join(row)},{'xy'[i % 2]}\n" for i, row in enumerate(cells))
    names = ["abc"[y] if i not in (3, 11) else "NA" for i, y in enumerate(Y)]
    labels = "id,truth,w\n" + "".join(f"r{i},{names[i]},{W[i]}\n" for i in reversed(range(N)))
    options: dict[str, Any] = {"id": "id", "label": "truth", "weights": "w", "by": "g", "sum_tolerance": 1e-4}
    whole = score(write("p.csv", preds), write("y.csv", labels), skip_missing=True, ignore_label="missing", **options)
    kept = [i for i in range(N) if not GAPS[i].any() and i != 11]
    lines = preds.splitlines(), labels.splitlines()
    preds = "\n".join([lines[0][0], *(lines[0][i + 1] for i in kept)])
    labels = "\n".join([lines[1][0], *(lines[1][N - i] for i in kept)])
    cut = score(write("p2.csv", preds + "\n"), write("y2.csv", labels + "\n"), **options)
    assert [whole.value(name) for name in SAME] == [cut.value(name) for name in SAME]
    assert whole.by == cut.by
    assert (whole.examples.ignored, whole.examples.missing) == (2, 3)


@pytest.mark.parametrize("spelling", MISSING)
def test_every_spelling_of_a_missing_label_is_skipped_and_its_refusal_names_an_option_that_works(
    spelling: str, call: Call, write: Write
) -> None:
    preds = write("p.csv", "a,b\n0.25,0.75\n0.5,0.5\n0.125,0.875\n")
    for name, texts in {"y.csv": ("b", "a"), "z.csv": ("1", "0")}.items():
        write(name, f"y,more\n{texts[0]},1\n{spelling},1\n{texts[1]},1\n")
        want = -(math.log(0.75) + math.log(0.125)) / 2
        for option in (["--ignore-label", "missing"], None):
            given = ["score", preds, name, "--label", "y", "-q"]
            if option is None:
                refused = call(*given)
                assert refused.code == 3
                advice = next(line for line in refused.err.splitlines() if "--ignore-label" in line)
                words = shlex.split(advice[advice.index("--ignore-label") :])
                option = words[:2]
            done = call(*given, *option)
            assert done.code == 0, done.err
            assert float(done.out) == pytest.approx(want, rel=1e-15)


def test_nan_in_any_case_and_missing_numbers_are_labels_to_skip(write: Write) -> None:
    q, want = Q[:3], score(Q[:2], Y[:2]).cost
    assert score(q, np.array([*Y[:2], np.nan]), ignore_label="missing").cost == want
    assert score(q, np.array([*Y[:2], np.nan]), ignore_label="nan").cost == want
    for text in ("NaN", "NAN", "nan"):
        assert score(q, write("y.csv", f"y\n{Y[0]}\n{Y[1]}\n{text}\n"), ignore_label="nan").cost == want
    lists = write("p.jsonl", '{"q": [0.25, 0.75]}\n{"q": null}\n{"q": [0.5, null]}\n')
    assert score(lists, [1, 0, 0], skip_missing=True).cost == -math.log(0.75)
    parquet = write("y.parquet", b"")
    pd.DataFrame({"y": ["b", None]}).to_parquet(parquet)
    for nulls in (parquet, write("l.jsonl", '{"y": "b"}\n{"y": null}\n'), write("y.csv", "y\nb\nNA\n")):
        found = score([[0.25, 0.75], [0.5, 0.5]], nulls, classes="a,b", ignore_label="missing")
        assert found.cost == -math.log(0.75)


def multi(seed: int) -> tuple[Any, Any, Any]:
    random = np.random.default_rng(seed)
    q = random.random((12, 3))
    y = (random.random((12, 3)) < q).astype(float)
    y[random.random((12, 3)) < 0.3] = np.nan
    y[0] = np.nan
    return q, y, random.random(12) + 0.5


@pytest.mark.parametrize(("seed", "weighted", "block_bytes"), some_of(range(4), [False, True], [24, None]))
def test_the_cost_is_the_mean_of_the_cells_that_are_there(seed: int, weighted: bool, block_bytes: int | None) -> None:
    q, y, weight = multi(seed)
    labels = np.column_stack([y, weight])
    given: dict[str, Any] = {"label": "#1:#3", "weights": "#4"} if weighted else {}
    report = score(q, labels if weighted else y, multilabel=True, ignore_label="nan", by_class=True,
                   block_bytes=block_bytes, **given)  # fmt: skip
    there = ~np.isnan(y)
    rows = there.any(axis=1)
    w = weight if weighted else np.ones(12)
    each = np.where(there, -(y * np.log(q) + (1 - y) * np.log1p(-q)), 0)

    def mean(cells: Any) -> float:
        return float((w * cells.sum(axis=1)).sum() / (w[:, None] * there).sum())

    assert report.cost == pytest.approx(mean(each), rel=1e-14)
    assert report.brier == pytest.approx(mean(np.where(there, 2 * (q - y) ** 2, 0)), rel=1e-13)
    assert report.accuracy == pytest.approx(mean(there & ((q > 0.5) == (y == 1))), rel=1e-13)
    share = np.where(there, w[:, None], 0)
    best = (share * np.nan_to_num(y)).sum(axis=0) / share.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        constant = -np.nan_to_num(y * np.log(best)) - np.nan_to_num((1 - y) * np.log1p(-best))
    assert report.prior == pytest.approx(mean(np.where(there, constant, 0)), rel=1e-12)
    assert report.examples.ignored == (~rows).sum()
    assert report.examples.ignored_cells == (~there[rows]).sum()
    assert sum(part.share or 0 for part in report.by_class) == pytest.approx(1, rel=1e-14)
    for row in np.flatnonzero(rows).tolist():
        alone = score(q[row : row + 1, there[row]], y[row : row + 1, there[row]], multilabel=True)
        one = score(q[row : row + 1], y[row : row + 1], multilabel=True, ignore_label="nan")
        assert one.cost == pytest.approx(alone.cost, rel=1e-15)


def test_cells_that_are_written_as_missing(write: Write) -> None:
    # Rows with two cells and with one: the mean of three cells.
    labels = write("y.csv", "a,b,c\n1,NA,0\n,1,-\n")
    report = score(
        [[0.5, 0.25, 0.5], [0.25, 0.25, 0.5]], labels, label="a,b,c", multilabel=True, ignore_label="missing"
    )
    assert report.cost == pytest.approx((2 * math.log(2) + math.log(4)) / 3, rel=1e-15)
    complete = score([[0.5, 0.25, 0.5]] * 3, np.eye(3), multilabel=True)
    asked = score([[0.5, 0.25, 0.5]] * 3, np.eye(3), multilabel=True, ignore_label="nan")
    assert (asked.cost, asked.weight_sum) == (complete.cost, 3.0)
    with pytest.raises(DataError, match="--ignore-label missing"):
        score([[0.5, 0.25, 0.5], [0.25, 0.25, 0.5]], labels, label="a,b,c", multilabel=True)


NEAR = [
    ("No,Yes", ["no", "yes"], "upper and lower case"),
    ("No,Yes", [" No", "Yes"], "blanks around it"),
    ("For\u00eat,Eau", ["Fore\u0302t", "Eau"], "Unicode normalisation"),
    ("1,2", ["01", "02"], "leading zeros"),
    ("cat,dog", ["cat.jpg", "dog.jpg"], "the file extension"),
    ("cat,dog", ["'cat'", "dog"], "quotes around it"),
    ("<=50K,>50K", [" <=50K.", " >50K."], "blanks around it and a full stop at its end"),
]


@pytest.mark.parametrize(("classes", "labels", "differ"), NEAR)
def test_a_near_miss_of_a_label_is_told_with_what_makes_it_fit(
    classes: str, labels: list[str], differ: str, call: Call, tmp_path: Path
) -> None:
    (tmp_path / "p.csv").write_text(f"{classes}\n0.25,0.75\n0.875,0.125\n0.5,0.5\n", encoding="utf-8")
    (tmp_path / "y.csv").write_text(f"y\n{labels[1]}\n{labels[0]}\n{labels[1]}\n", encoding="utf-8")
    refused = call("score", "p.csv", "y.csv")
    assert refused.code == 3 and f"they differ by {differ}" in refused.err, refused.err
    lines = [line.strip() for line in refused.err.splitlines()]
    given, options = ["p.csv", "y.csv"], []
    for line in lines:
        if line.startswith("--classes"):
            options = shlex.split(line)[:2]
        elif line.startswith("python3"):
            exec(compile(shlex.split(line, comments=True)[2], line, "exec"), {})
            given[1] = line.rpartition("# writes ")[2].partition(",")[0]
    done = call("score", *given, *options, "-q")
    assert done.code == 0, done.err
    assert float(done.out) == score([[0.25, 0.75], [0.875, 0.125], [0.5, 0.5]], [1, 0, 1]).cost


def test_a_class_without_a_column_names_the_rows_that_would_be_skipped(call: Call, write: Write) -> None:
    preds = write("p.csv", "a,b\n" + "0.25,0.75\n" * 5)
    labels = write("y.csv", "y\na\nb\nzebra\nb\nzebra\n")
    refused = call("score", preds, labels)
    assert refused.code == 3 and "--ignore-label zebra skips 2 of 5 rows looked at" in refused.err
    assert call("score", preds, labels, "--ignore-label", "zebra", "-q").code == 0
