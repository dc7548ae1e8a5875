"""One row for each option: words that use it, and an input on which it changes the result. A new option needs a row."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow.feather as feather

__all__ = ["ALONE", "EXCUSED", "HARMLESS", "INPUTS", "PLAIN", "ROWS", "Row", "command_of", "make"]

N, NAMES = 24, ["cat", "dog", "emu"]


class Row(NamedTuple):
    """The words of an option, and the name of an input of INPUTS on which they change the result."""

    words: str
    input: str = "full"


_PREDS = "--preds cat,dog,emu"
INPUTS = {
    "full": ("full.csv", "", f"--label y {_PREDS}"),
    "by": ("full.csv", "", f"--label y {_PREDS} --by site"),
    "worst": ("full.csv", "", f"--label y {_PREDS} --worst 2"),
    "soft": ("preds.csv", "votes.csv", "--votes --worst 5"),
    "rows": ("full.csv", "", f"--label y {_PREDS} --per-example l.csv"),
    "two": ("preds.csv", "labels.csv", ""),
    "alone": ("preds.csv", "", ""),
    "gaps": ("holes.csv", "labels.csv", "--skip-missing"),
    "choose": ("full.csv", "", "--label bit"),
    "labels": ("preds.csv", "more.csv", ""),
    "ids": ("ids.csv", "id_labels.csv", "--label y"),
    "few": ("ids.csv", "id_few.csv", "--label y --id id"),
    "index": ("index.csv", "index_labels.csv", ""),
    "array": ("p.npy", "labels.csv", ""),
    "bare": ("bare.csv", "numbers.npy", ""),
    "from one": ("p.npy", "from_one.npy", ""),
    "spam": ("spam.csv", "", "--preds q --label who"),
    "cube": ("cube.npy", "square.npy", "--kind logits"),
    "words": ("text.npy", "text_labels.npy", "--kind logits"),
    "multi": ("multi.csv", "multi_labels.csv", ""),
    "votes": ("preds.csv", "votes.csv", ""),
    "lines": ("lines.csv", "", f"--label y {_PREDS}"),
    "half": ("half.npy", "numbers.npy", "--kind logits"),
    "comma": ("comma.csv", "", f"--label y {_PREDS}"),
    "quotes": ("quotes.csv", "", f"--label y {_PREDS}"),
    "packed": ("packed.csv.gz", "", f"--label y {_PREDS}"),
    "arrow": ("arrow.feather", "", f"--label y {_PREDS}"),
    "logits": ("logits.npy", "numbers.npy", ""),
    "holes": ("holes.csv", "labels.csv", ""),
    "zero": ("zero.csv", "labels.csv", ""),
    "off": ("off.csv", "labels.csv", ""),
    "percent": ("percent.csv", "labels.csv", ""),
    "binary": ("binary.csv", "", "--preds q --label bit"),
    "none": ("", "", ""),
}
"""Predictions, labels (empty where they are in the first file), and further words, by name."""

PLAIN = {"by": "full", "worst": "full", "rows": "full", "soft": "votes", "few": "ids"}
"""Inputs with another option, and each the same without it."""

ROWS = {
    "preds": Row("--preds q", "choose"),
    "label": Row("--label y", "labels"),
    "labels": Row("--labels labels.csv", "alone"),
    "id": Row("--id id", "ids"),
    "subset": Row("--subset", "few"),
    "weights": Row("--weights w"),
    "classes": Row("--classes cat,dog,emu", "array"),
    "positive": Row("--positive spam", "spam"),
    "class_axis": Row("--class-axis 1", "cube"),
    "shift_labels": Row("--shift-labels", "words"),
    "multilabel": Row("--multilabel", "multi"),
    "votes": Row("--votes", "votes"),
    "index_base": Row("--index-base 1", "from one"),
    "bytes": Row("--bytes size"),
    "reference": Row("--reference cat=0.5,dog=0.3,emu=0.2"),
    "align": Row("--align position", "index"),
    "input_format": Row("--input-format jsonl", "lines"),
    "dtype": Row("--dtype bfloat16", "half"),
    "delimiter": Row("--delimiter ;"),
    "decimal": Row("--decimal ,", "comma"),
    "no_quotes": Row("--no-quotes", "quotes"),
    "header": Row("--header predictions", "bare"),
    "no_header": Row("--no-header"),
    "max_columns": Row("--max-columns 2"),
    "max_field": Row("--max-field 2"),
    "max_inflated": Row("--max-inflated 10", "packed"),
    "max_batch": Row("--max-batch 10", "arrow"),
    "kind": Row("--kind logits", "logits"),
    "clip": Row("--clip 0.3"),
    "class_weight": Row("--class-weight cat=2"),
    "label_smoothing": Row("--label-smoothing 0.1"),
    "ignore_label": Row("--ignore-label dog"),
    "skip_missing": Row("--skip-missing", "holes"),
    "compat": Row("--compat kaggle", "zero"),
    "sum_tolerance": Row("--sum-tolerance 0.05", "off"),
    "renormalize": Row("--renormalize", "off"),
    "scale": Row("--scale 0.01", "percent"),
    "temperature": Row("--temperature 2"),
    "base": Row("--base 2"),
    "confidence": Row("--confidence 0.5"),
    "by": Row("--by site"),
    "by_class": Row("--by-class"),
    "worst": Row("--worst 2"),
    "worst_by": Row("--worst-by kl", "soft"),
    "show": Row("--show site", "worst"),
    "cluster": Row("--cluster ward"),
    "max_groups": Row("--max-groups 1", "by"),
    "format": Row("--format csv"),
    "output": Row("-o r.json"),
    "append": Row("--append a.jsonl"),
    "quiet": Row("--quiet"),
    "hash": Row("--hash"),
    "metrics": Row("--metrics error,top2"),
    "get": Row("--get cost"),
    "per_example": Row("--per-example l.csv"),
    "plot": Row("--plot losses.svg"),
    "shard": Row("--shard 2/3"),
    "state": Row("--state s.json"),
    "row_metrics": Row("--row-metrics brier,kl", "rows"),
    # of one command
    "max": Row("--max brier=0"),
    "min": Row("--min accuracy=1"),
    "max_each": Row("--max-each brier=0", "by"),
    "min_each": Row("--min-each accuracy=1", "by"),
    "min_rows": Row("--max-each cost=9 --min-rows 9", "by"),
    "baseline": Row("--baseline low.npy --max-regression cost=0.1"),
    "max_regression": Row("--baseline low.npy --max-regression cost=0.1"),
    "strict": Row("--baseline old.npy --max-regression cost=0.01 --strict"),
    "fail_on_warning": Row("--fail-on-warning all", "gaps"),
    "write_baseline": Row("--write-baseline base.npz"),
    "junit": Row("--junit r.xml"),
    "models": Row("--models *full.csv --label y --preds cat,dog,emu", "none"),
    "each": Row("--each cat,dog --label y --positive cat", "none"),
    "model": Row("--model site --id rank --label y --preds cat,dog,emu", "none"),
    "fit": Row("--fit none"),
    "bins": Row("--bins 3"),
    "decompose": Row("--decompose"),
    "probs": Row("--probs 0.2,0.8 --label 0", "none"),
    "logits": Row("--logits 0.2,0.8 --label 0", "none"),
    "logprobs": Row("--logprobs=-0.105360516,-2.302585093 --label 0", "none"),
    "target": Row("--probs 0.2,0.8 --target 0.4,0.6", "none"),
    "row": Row("--row 3"),
}

HARMLESS = {
    "engine": "changes no bit of any result, which tests/engine/test_cluster.py holds",
    "scheduler": "changes no bit of any result, which tests/engine/test_cluster.py holds",
    "threads": "changes no bit of any result, which tests/engine/test_bits.py holds",
    "list_metrics": "prints a table and exits",
    "help_all": "prints the help and exits",
    "toml_schema": "prints a schema and exits",
    "no_annotations": "is about the log of a CI run, which no test is",
}
"""Options without a row, and why."""

ALONE = {
    ("explain", "max_groups"): "explain looks for groups itself",
}
"""Options of commands that change nothing on a plain input and are not refused, and why."""

EXCUSED = {
    (first, "sum_tolerance"): "rows are divided by their sum; it still bounds how far q may be outside of [0, 1]"
    for first in ("renormalize", "compat")
} | {
    **{
        (first, "dtype"): "numbers of two bytes are in NPY files, which are refused as no text"
        for first in ("decimal", "delimiter", "header", "no_header", "no_quotes")
    },
    **{
        ("models", second): "these files have nothing that it is about: quotes, gaps, decimal commas, other sums"
        for second in ("align", "decimal", "header", "max_batch", "max_inflated", "no_quotes", "skip_missing")
    },
    ("models", "sum_tolerance"): "the rows of these files sum to 1",
    **{
        (first, second): "the numbers of the example sum to 1"
        for first in ("probs", "logprobs", "target")
        for second in ("sum_tolerance", "renormalize")
    },
    ("logits", "kind"): "the numbers are logits already",
    ("row", "weights"): "one row has the loss that it has; the column is no prediction then",
    ("row", "align"): "one row is compared with no other row name",
    ("kind", "by"): "explain looks for causes among the groups, and may find none",
    ("quiet", "strict"): "the exit code is that of a limit that passes",
    ("get", "strict"): "the exit code is that of a limit that passes",
    ("state", "strict"): "the regression that it is about is what is refused",
    ("state", "baseline"): "the regression that it is about is what is refused",
    ("model", "align"): "rows of one file have no other file's row names",
}
"""Pairs of which the second changes nothing on its input, and why."""


def command_of(command: str, input: str) -> list[str]:
    """Return the words of a command for an input; compare takes the same predictions of another model too."""
    preds, labels, more = INPUTS[input]
    words = [command, *([preds] if preds else [])]
    if command == "compare" and preds:
        words += [f"b_{preds}"]
    if labels:
        words += ["--labels", labels]
    if command == "check":
        words += ["--max", "cost=9"]
    return [*words, *more.split()]


def make(folder: Path) -> None:
    """Write all files of INPUTS."""
    generator = np.random.default_rng(7)
    truth = generator.choice(3, N, p=(0.5, 0.3, 0.2))
    for before in ("", "b_"):
        _predictions(folder, before, generator, truth)
    pd.DataFrame({"y": [NAMES[t] for t in truth]}).to_csv(folder / "labels.csv", index=False)
    frame = pd.DataFrame({"y": [NAMES[t] for t in truth], "z": [NAMES[2 - t] for t in truth]})
    frame.to_csv(folder / "more.csv", index=False)
    beside = pd.DataFrame({"id": [f"r{i}" for i in range(N)], "y": [NAMES[t] for t in truth]})
    beside[::-1].to_csv(folder / "id_labels.csv", index=False)
    beside[::-2].to_csv(folder / "id_few.csv", index=False)
    pd.DataFrame({"y": beside["y"].to_numpy()}, index=[f"s{i}" for i in range(N)]).to_csv(folder / "index_labels.csv")
    np.save(folder / "numbers.npy", truth)
    np.save(folder / "from_one.npy", truth + 1)
    np.save(folder / "square.npy", truth.reshape(8, 3))
    np.save(folder / "text_labels.npy", truth.reshape(4, 6))
    pd.DataFrame((generator.random((N, 3)) < 0.5).astype(int), columns=NAMES).to_csv(
        folder / "multi_labels.csv", index=False
    )
    pd.DataFrame(generator.integers(1, 5, (N, 3)), columns=NAMES).to_csv(folder / "votes.csv", index=False)
    np.save(folder / "old.npy", generator.gamma(2.0, 0.5, N))
    np.save(folder / "low.npy", np.full(N, 0.01))


def _predictions(folder: Path, before: str, generator: np.random.Generator, truth: np.ndarray) -> None:
    """Write the predictions of one model in every layout."""
    q = np.array(
        [generator.dirichlet([2.0 + 2 * (t == 0), 1.5 + 2 * (t == 1), 1.0 + 2 * (t == 2)]) for t in truth]
    ).round(6)
    q[:, 2] = (1 - q[:, 0] - q[:, 1]).round(6)
    preds = pd.DataFrame(q, columns=NAMES)
    rows = np.arange(N)
    frame = preds.assign(
        y=[NAMES[t] for t in truth], bit=(truth == 0).astype(int), q=q[:, 0], site=np.array(["n", "s", "w"])[rows % 3],
        ward=np.array(list("abcdefgh"))[rows // 3], w=1.0 + rows % 2, size=1 + rows % 5, rank=rows // 3,
    )  # fmt: skip

    def table(name: str, data: pd.DataFrame, **how: object) -> None:
        data.to_csv(folder / f"{before}{name}", index=False, **how)  # type: ignore[call-overload]

    table("full.csv", frame)
    table("preds.csv", preds)
    table("bare.csv", preds, header=False)
    table("ids.csv", preds.assign(id=[f"r{i}" for i in rows]))
    preds.to_csv(folder / f"{before}index.csv")
    table("spam.csv", pd.DataFrame({"q": q[:, 0], "who": np.where(truth == 0, "spam", "ham")}))
    table("binary.csv", pd.DataFrame({"q": q[:, 0], "bit": (truth == 0).astype(int)}))
    table("multi.csv", pd.DataFrame(generator.random((N, 3)).round(6), columns=NAMES))
    table("comma.csv", frame, sep=";", decimal=",")
    table("quotes.csv", frame.assign(note='"'), quoting=3, sep="\t")
    table("percent.csv", preds * 100)
    table("off.csv", preds.assign(emu=preds["emu"] + 0.02))
    zero = q.copy()
    zero[3] = np.where(np.arange(3) == truth[3], 0.0, 0.5)
    table("zero.csv", pd.DataFrame(zero, columns=NAMES))
    holes = preds.astype(object)
    holes.iloc[4] = ""
    table("holes.csv", holes)
    frame.to_json(folder / f"{before}lines.csv", orient="records", lines=True)
    (folder / f"{before}packed.csv.gz").write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    feather.write_feather(frame, folder / f"{before}arrow.feather")
    z = generator.normal(size=(N, 3)).astype("f4")
    np.save(folder / f"{before}p.npy", q)
    np.save(folder / f"{before}logits.npy", z)
    np.save(folder / f"{before}half.npy", (z.view("u4") >> 16).astype("u2").view("V2"))
    np.save(folder / f"{before}cube.npy", generator.normal(size=(8, 3, 3)))
    np.save(folder / f"{before}text.npy", generator.normal(size=(4, 6, 3)))
