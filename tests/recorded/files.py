"""The files that the recorded command lines read, the same bytes in every run."""

from __future__ import annotations

import contextlib
import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
from safetensors.numpy import save_file

from tests.conftest import ROOT
from xentcli import score

__all__ = ["make"]

ROWS = 240
CLASSES = ("cat", "dog", "emu")


def make(folder: Path) -> None:
    """Write all files into an empty folder."""
    for source in sorted((ROOT / "sample_data").iterdir()):
        if source.suffix in (".csv", ".npy"):
            shutil.copyfile(source, folder / source.name)
    _tables(folder)
    _arrays(folder)
    _shards(folder)
    _faulty(folder)


def _model() -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    generator = np.random.default_rng(20261129)
    truth = generator.choice(3, ROWS, p=(0.5, 0.3, 0.2))
    logits = generator.normal(size=(ROWS, 3)).round(4)
    logits[np.arange(ROWS), truth] += 1.5
    return logits.round(4), truth, generator


def _softmax(z: np.ndarray) -> np.ndarray:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    result: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return result


def _tables(folder: Path) -> None:
    logits, truth, generator = _model()
    q = _softmax(logits).round(9)
    frame = pd.DataFrame(q, columns=list(CLASSES))
    frame.to_csv(folder / "preds.csv", index=False)
    labels = pd.DataFrame({"truth": [CLASSES[t] for t in truth]})
    labels.to_csv(folder / "labels.csv", index=False)
    beside = pd.DataFrame({
        "image": [f"im{row:04d}" for row in range(ROWS)],
        "truth": labels["truth"],
        "site": generator.choice(["north", "south", "[east]"], ROWS),
        "day": generator.integers(1, 4, ROWS),
        "patient": generator.integers(0, 40, ROWS),
        "w": generator.integers(0, 4, ROWS) / 2,
        "size": generator.integers(10, 90, ROWS),
    })  # fmt: skip
    full = pd.concat([beside, frame], axis=1)
    full.to_csv(folder / "full.csv", index=False)
    full.to_csv(folder / "full.tsv", index=False, sep="\t")
    full.to_parquet(folder / "full.parquet", index=False)
    feather.write_feather(pa.Table.from_pandas(full, preserve_index=False), folder / "full.feather")
    (folder / "full.csv.gz").write_bytes(gzip.compress((folder / "full.csv").read_bytes(), mtime=0))
    full.to_csv(folder / "comma.csv", index=False, sep=";", decimal=",")
    full[["image", *CLASSES]].sample(frac=1, random_state=1).to_csv(folder / "id_preds.csv", index=False)
    beside.to_csv(folder / "id_labels.csv", index=False)
    beside.iloc[: ROWS - 9].to_csv(folder / "id_few.csv", index=False)
    pd.DataFrame(logits, columns=list(CLASSES)).to_csv(folder / "logits.csv", index=False)
    pd.DataFrame(100 * q, columns=list(CLASSES)).to_csv(folder / "percent.csv", index=False)
    pd.DataFrame(q.round(2), columns=list(CLASSES)).to_csv(folder / "rounded.csv", index=False)
    (0.9 * frame + 0.1 / 3).round(9).to_csv(folder / "other.csv", index=False)
    frame.set_axis([f"p_{name}" for name in CLASSES], axis=1).to_csv(folder / "prefixed.csv", index=False)
    frame.to_csv(folder / "bare.csv", index=False, header=False)
    pd.Series(truth).to_csv(folder / "bare_labels.csv", index=False, header=False)
    pd.Series(truth + 1, name="truth").to_csv(folder / "from_one.csv", index=False)
    soft = (0.8 * np.eye(3)[truth] + 0.2 / 3).round(6)
    pd.DataFrame(soft, columns=list(CLASSES)).to_csv(folder / "soft.csv", index=False)
    pd.DataFrame(np.eye(3, dtype=int)[truth], columns=list(CLASSES)).to_csv(folder / "one_hot.csv", index=False)
    many = pd.DataFrame({"x": q[:, 0], "y": q[:, 1], "z": q[:, 2]})
    many.to_csv(folder / "multi.csv", index=False)
    pd.DataFrame((generator.random((ROWS, 3)) < q).astype(int), columns=list("xyz")).to_csv(
        folder / "multi_labels.csv", index=False
    )
    pd.DataFrame({"q": q[:, 0], "y": (truth == 0).astype(int), "who": np.where(truth == 0, "spam", "ham")}).to_csv(
        folder / "binary.csv", index=False
    )
    of_truth = q[np.arange(ROWS), truth]
    pd.DataFrame({"q": of_truth}).to_csv(folder / "true.csv", index=False)
    pd.DataFrame({"l": np.log(of_truth).round(12)}).to_csv(folder / "true_logs.csv", index=False)
    pd.DataFrame({"loss": (-np.log(of_truth)).round(12), "weight": beside["w"]}).to_csv(
        folder / "losses.csv", index=False
    )
    rows = [
        {"probs": dict(zip(CLASSES, row, strict=True)), "truth": CLASSES[t]}
        for row, t in zip(q.tolist(), truth, strict=True)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "rows.vw").write_text(
        "".join(" ".join(f"{c + 1}:{v!r}" for c, v in enumerate(row)) + "\n" for row in q.tolist())
    )


def _arrays(folder: Path) -> None:
    logits, truth, generator = _model()
    q = _softmax(logits)
    np.save(folder / "preds.npy", q)
    np.save(folder / "labels.npy", truth)
    np.save(folder / "logits.npy", logits.astype(np.float32))
    np.save(folder / "half.npy", logits.astype(np.float16))
    np.save(folder / "fortran.npy", np.asfortranarray(logits))
    np.save(folder / "cube.npy", logits.reshape(12, 20, 3))
    np.save(folder / "square.npy", truth.reshape(12, 20))
    np.save(folder / "logprobs.npy", np.log(q))
    np.save(folder / "bytes16.npy", (logits.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16).view("V2"))
    np.savez(folder / "run.npz", scores=logits, truth=truth, w=generator.integers(1, 4, ROWS))
    save_file({"scores": logits, "truth": truth}, folder / "run.safetensors")


def _shards(folder: Path) -> None:
    for side in ("preds", "labels"):
        lines = (folder / f"{side}.csv").read_text().splitlines(keepends=True)
        (folder / f"{side}_parts").mkdir()
        for part in range(3):
            rows = lines[1 + 80 * part : 81 + 80 * part]
            (folder / f"{side}_parts" / f"part-{part + 9}.csv").write_text(lines[0] + "".join(rows))
    table = parquet.read_table(folder / "full.parquet")
    for part in range(2):
        parquet.write_table(table.slice(120 * part, 120), folder / f"full-{part}.parquet")
    with contextlib.chdir(folder):
        for part in (1, 2):
            score("preds_parts", "labels_parts", by_class=True, worst=2, shard=f"{part}/2", state=f"state-{part}.json")


def _faulty(folder: Path) -> None:
    preds = (folder / "preds.csv").read_text().splitlines(keepends=True)
    labels = (folder / "labels.csv").read_text().splitlines(keepends=True)
    put = {
        "zero.csv": [preds[0], "0,0.9,0.1\n", *preds[2:]],
        "short.csv": labels[:-3],
        "unknown.csv": [*labels[:50], "cow\n", *labels[51:]],
        "ragged.csv": [*preds[:30], "0.5,0.5\n", *preds[31:]],
        "text.csv": [*preds[:30], "0.5,x,0.5\n", *preds[31:]],
        "shifted.csv": [labels[0], labels[-1], *labels[1:-1]],
        "gaps.csv": [*labels[:20], "NA\n", *labels[21:]],
        "names.txt": [f"{name}\n" for name in CLASSES],
    }
    for name, lines in put.items():
        (folder / name).write_text("".join(lines))
    (folder / "empty.csv").write_text("")
