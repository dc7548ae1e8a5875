"""The same bits of a report, however its files are read and by however many threads."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import Run
from xentcli import score
from xentcli.errors import DataError
from xentcli.readers import npy
from xentcli.readers.text import csv as csv_reader
from xentcli.report.report import Report
from xentcli.scoring.recipe import Recipe

ROWS = 1_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Probabilities as text and as an array, labels and weights beside them, plain and compressed."""
    where = tmp_path_factory.mktemp("bits")
    random = np.random.default_rng(11)
    q = random.dirichlet(np.full(7, 0.2), ROWS)
    labels, weights = random.integers(0, 7, ROWS), random.choice([0.0, 1.0, 0.3, 2.5], ROWS)
    q[np.arange(ROWS), labels] += 1e-9
    q /= q.sum(axis=1, keepdims=True)
    text = "a,b,c,d,e,f,g\n" + "".join(",".join(map(repr, row)) + "\n" for row in q.tolist())
    (where / "q.csv").write_text(text)
    (where / "q.csv.gz").write_bytes(gzip.compress(text.encode(), 1))
    np.save(where / "q.npy", q)
    rows = zip(labels.tolist(), weights.tolist(), random.integers(0, 40, ROWS).tolist(), strict=True)
    (where / "y.csv").write_text("truth,w,site\n" + "".join(f"{y},{w!r},s{g}\n" for y, w, g in rows))
    return where


OPTIONS: dict[str, Any] = {
    "label": "truth",
    "weights": "w",
    "index_base": 0,
    "by": "site",
    "worst": 5,
    "by_class": True,
}


def figures(report: Report | dict[str, Any]) -> str:
    plain = report if isinstance(report, dict) else report.to_dict()
    left = {name: plain[name] for name in plain if name not in ("inputs", "options", "classes")}
    for part in left["by_class"]:
        del part["class"]
    for row in left["worst"]:
        del row["label"], row["predicted"]
    return json.dumps(left, sort_keys=True)


@pytest.fixture(scope="module")
def expected(folder: Path) -> str:
    return figures(score(folder / "q.csv", folder / "y.csv", threads=1, block_bytes=1 << 30, **OPTIONS))


@pytest.mark.parametrize("threads", [1, 2, 8])
@pytest.mark.parametrize("block", [5_000, 50_000, None])
@pytest.mark.parametrize("name", ["q.csv", "q.csv.gz", "q.npy"])
def test_threads_blocks_and_forms_change_no_bit(
    name: str, block: int | None, threads: int, folder: Path, expected: str
) -> None:
    report = score(folder / name, folder / "y.csv", threads=threads, block_bytes=block, **OPTIONS)
    assert figures(report) == expected


def test_a_row_at_a_time_changes_no_bit(folder: Path, tmp_path: Path) -> None:
    few = "".join((folder / "q.csv").read_text().splitlines(keepends=True)[:151])
    labels = "".join((folder / "y.csv").read_text().splitlines(keepends=True)[:151])
    (tmp_path / "q.csv").write_text(few)
    (tmp_path / "y.csv").write_text(labels)
    reports = [score(tmp_path / "q.csv", tmp_path / "y.csv", block_bytes=size, **OPTIONS) for size in (1, 1 << 30)]
    assert figures(reports[0]) == figures(reports[1])


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"label_smoothing": 0.1},
        {"class_weight": {"0": 2.0, "3": 0.5}},
        {"kind": "logits", "compat": "torch", "class_weight": {"0": 2.0, "3": 0.5}},
        {"clip": 1e-3, "worst": 4},
    ],
)
def test_one_hot_rows_among_soft_ones_change_no_bit_whatever_block_they_are_in(
    more: dict[str, Any], folder: Path
) -> None:
    """A block of one-hot rows alone is scored by class, one with a soft row as distributions."""
    q = np.load(folder / "q.npy")[:200]
    targets = np.eye(7)[np.arange(200) % 7]
    targets[100:104] = q[:4]
    reports = [score(q, targets, block_bytes=size, threads=2, **more) for size in (1, 3_000, 1 << 30)]
    assert len({figures(report) for report in reports}) == 1
    only_hard = [score(q[:100], labels, **more) for labels in (targets[:100], np.arange(100) % 7)]
    if "compat" not in more:
        assert only_hard[0].cost == only_hard[1].cost


def test_the_careful_reader_alone_gives_the_same_bits(
    folder: Path, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_reader, "LEAST_FAST", 1 << 60)
    assert figures(score(folder / "q.csv", folder / "y.csv", **OPTIONS)) == expected


FEEDS: dict[str, Callable[[Path], bytes]] = {
    "text": lambda folder: (folder / "q.csv").read_bytes(),
    "compressed text": lambda folder: (folder / "q.csv.gz").read_bytes(),
    "an array": lambda folder: (folder / "q.npy").read_bytes(),
}


@pytest.mark.parametrize("feed", FEEDS.values(), ids=FEEDS)
@pytest.mark.parametrize("threads", ["1", "8"])
def test_a_pipe_changes_no_bit(
    feed: Callable[[Path], bytes], threads: str, folder: Path, expected: str, xent: Run
) -> None:
    options = ("--label", "truth", "--weights", "w", "--index-base", "0", "--by", "site", "--worst", "5", "--by-class")
    done = xent("score", "-", folder / "y.csv", *options, "--threads", threads, "--format", "json", input=feed(folder))
    assert figures(json.loads(done.stdout)) == expected


def mixed(kind: str, random: np.random.Generator, rows: int) -> tuple[Any, Any, Any]:
    """Rows, some of them odd: not numbers with weight 0, ignored, extreme, masked, certain."""
    z = random.standard_normal((rows, 4)) * random.choice([1, 1, 1, 300], (rows, 1))
    y, w = random.integers(0, 4, rows), random.choice([0.0, 1.0, 2.5], rows)
    if kind == "logits":
        z[random.random((rows, 4)) < 0.05] = -np.inf
        z[:, 3] = np.where(np.isneginf(z).all(axis=1), 0.0, z[:, 3])
    else:
        z = np.exp(np.minimum(z, 5))
        z[random.random(rows) < 0.05] = [0, 0, 0, 1]
        z /= z.sum(axis=1, keepdims=True)
    z[(w == 0) & (random.random(rows) < 0.3)] = np.nan
    y[random.random(rows) < 0.1] = -100
    return z, y, w


@pytest.mark.parametrize("kind", ["probs", "logits"])
@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("piece", [1, 9, 32, 1 << 19])
@pytest.mark.parametrize("seed", [0, 1])
def test_rows_reduced_piece_by_piece_give_the_bits_of_whole_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, dtype: str, piece: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    z, y, w = mixed(kind, random, 300)
    np.save(tmp_path / "q.npy", z.astype(dtype))
    keys = random.integers(0, 9, 300)
    rows = "".join(f"{a},{b!r},s{c}\n" for a, b, c in zip(y.tolist(), w.tolist(), keys.tolist(), strict=True))
    (tmp_path / "y.csv").write_text("label,w,site\n" + rows)
    options: dict[str, Any] = {"kind": kind, "weights": "w", "by": "site", "worst": 4, "by_class": True}
    options |= {"ignore_label": ("-100",), "clip": 1e-6 if seed else None, "sum_tolerance": 1e-3}

    def found() -> tuple[str, list[Any]]:
        examples: list[Any] = []
        paths = str(tmp_path / "q.npy"), str(tmp_path / "y.csv")
        report = score(*paths, sink=lambda e: examples.extend([e.loss.tolist(), e.probability.tolist()]), **options)
        return json.dumps(report.to_dict(), sort_keys=True), [repr(v) for part in examples for v in part]

    monkeypatch.setattr(Recipe, "reducible", False)
    whole = found()
    monkeypatch.undo()
    monkeypatch.setattr(npy, "PIECE_NUMBERS", piece)
    reduced = found()
    assert reduced[0] == whole[0] and sorted(reduced[1]) == sorted(whole[1])


@pytest.mark.parametrize("missing", [[3], [0, 299], [100, 101, 250]])
def test_a_missing_id_in_any_piece_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: list[int]) -> None:
    random = np.random.default_rng(2)
    q = random.dirichlet(np.ones(3), 300)
    rows = [f"{'gone' if i in missing else i}," + ",".join(map(repr, row)) for i, row in enumerate(q.tolist())]
    (tmp_path / "q.csv").write_text("id,a,b,c\n" + "\n".join(rows) + "\n")
    labels = random.choice(["a", "b", "c"], 300).tolist()
    (tmp_path / "y.csv").write_text("id,label\n" + "".join(f"{i},{label}\n" for i, label in enumerate(labels)))
    monkeypatch.setattr(csv_reader, "PIECE_BYTES", 1000)
    monkeypatch.setattr(csv_reader, "LEAST_FAST", 1)
    with pytest.raises(DataError, match="not in"):
        score(str(tmp_path / "q.csv"), str(tmp_path / "y.csv"), id="id", worst=3, by_class=True)
