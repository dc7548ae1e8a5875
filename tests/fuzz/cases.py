"""Random small inputs of `xent score`: the values, the files that hold them, and the command line."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.oracle import ALONE, Problem, Side, class_names, numbered_otherwise, stripped

COLUMN = {
    "label": "truth",
    "weight": "w",
    "by": "site",
    "by2": "sex",
    "cluster": "patient",
    "bytes": "len",
    "id": "id",
    "note": "note",
}
"""The name of the column of a role; "note" has no role and nothing uses it."""
OPTION = {"weight": "--weights", "cluster": "--cluster", "bytes": "--bytes", "id": "--id"}
TEXT = ("csv", "tsv", "semicolon", "csv.gz")
NAMED = (*TEXT, "jsonl", "npz", "parquet", "arrow")
WORDS = ("cat", "dog", "emu", "x y", "é", "NA", "null", "True", "False", "B", "b", "none", "fox-1", "a.b")
Random = random.Random


@dataclass
class Layout:
    """How a side is stored; q_names and the like are in the Spec."""

    format: str = "csv"
    header: bool = True
    list_column: bool = False
    dtype: str = "f8"
    fortran: bool = False
    order: list[str] = field(default_factory=list)
    line_end: str = "\n"
    label_type: str = "text"
    by_name: bool = True

    @property
    def named(self) -> bool:
        """Whether each prediction has a column with a name."""
        return not self.list_column and self.format != "npy" and (self.header or self.format not in TEXT)


@dataclass
class Spec:
    """A command line: what it is about, how the files are laid out, and what else is asked for."""

    problem: Problem
    preds: Layout
    labels: Layout | None
    q_names: list[str]
    target_names: list[str]
    choose: str = "none"
    choose_label: bool = True
    flags: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    doubt: bool = False
    """Whether the contract leaves it open to score or to refuse: then both are right."""


# Numbers.


def _cast(values: Any, dtype: str) -> Any:
    with np.errstate(all="ignore"):
        return np.asarray(values, dtype=np.float64).astype(dtype).astype(np.float64)


def _decimals(row: Sequence[float], places: int) -> list[float]:
    """Round to so many decimals that add up to 1 as decimals do."""
    units = [round(x * 10**places) for x in row]
    units[units.index(max(units))] += 10**places - sum(units)
    return [float(f"{u / 10**places:.{places}f}") for u in units]


def _distribution(r: Random, width: int, style: str) -> list[float]:
    if style == "hard":
        hit = r.randrange(width)
        return [float(i == hit) for i in range(width)]
    if style == "equal" and width in (2, 4):
        return [1.0 / width] * width
    spread = r.choice([0.2, 1.0, 5.0])
    raw = [r.gammavariate(spread, 1) + 1e-300 for _ in range(width)]
    q = [x / sum(raw) for x in raw]
    if style == "dyadic":
        units = [int(x * 64) for x in q]
        units[r.randrange(width)] += 64 - sum(units)
        return [u / 64 for u in units]
    if style in ("2", "3", "6"):
        return _decimals(q, int(style))
    if style == "tiny":
        hit = r.randrange(width)
        small = r.choice([1e-300, 5e-324, 1e-20, 1e-12])
        return [1.0 - 1e-12 * (small == 1e-12) if i == hit else small / (width - 1) for i in range(width)]
    return q


STYLES = ("float", "float", "2", "3", "6", "dyadic", "equal", "hard", "tiny", "rough")


def _probabilities(r: Random, width: int, n: int) -> list[list[float]]:
    style = r.choice(STYLES)
    rows = [_distribution(r, width, style) for _ in range(n)]
    if style == "rough" and r.random() < 0.5:
        # Rounded one by one: sums are off by some last decimals, within the tolerance or not.
        places = r.choice([3, 4, 5])
        rows = [[float(f"{x:.{places}f}") for x in row] for row in rows]
    return rows


def _logits(r: Random, width: int, n: int) -> list[list[float]]:
    size = r.choice([0.5, 1.0, 3.0, 30.0, 800.0, 1e5])
    rows = [[r.gauss(0, size) for _ in range(width)] for _ in range(n)]
    if r.random() < 0.4:
        rows = [[float(f"{x:.2g}") for x in row] for row in rows]
    if r.random() < 0.2:
        rows = [[float(round(x)) for x in row] for row in rows]
    if r.random() < 0.1 and width > 1:
        rows = [[-math.inf if i == width - 1 and r.random() < 0.3 else x for i, x in enumerate(row)] for row in rows]
    return rows


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


def _values(r: Random, kind: str, width: int, n: int, many: bool) -> list[list[float]]:
    """Return the predictions of n rows."""
    if kind == "logits":
        return _logits(r, width, n)
    if kind == "losses":
        return [[r.choice([r.expovariate(1), r.expovariate(1), 0.0, 2.5])] for _ in range(n)]
    apart = many or width == 1
    q = [[_one(r) for _ in range(width)] for _ in range(n)] if apart else _probabilities(r, width, n)
    return [[_log(x) for x in row] for row in q] if "logprobs" in kind else q


def _one(r: Random) -> float:
    if r.random() < 0.06:
        return r.choice([0.0, 1.0, 0.5, 1e-300, 1 - 2**-53])
    return r.choice([r.random(), round(r.random(), 2), r.random() ** 4])


# Names and labels.


def _names(r: Random, width: int) -> list[str]:
    style = r.randrange(9)
    if style == 0:
        return [str(i) for i in range(width)]
    if style == 1:
        return [str(i + 1) for i in range(width)]
    if style == 2:
        return [str(x) for x in sorted(r.sample(range(30), width))]
    if style == 3:
        begin = r.choice([0, 0, 1, 9])
        return [f"{r_prefix}{i + begin}" for r_prefix in [r.choice(["class_", "p", "proba_"])] for i in range(width)]
    if style == 4:
        return [f"p.{word}" for word in r.sample(WORDS, width)]
    if style == 5:
        return [f"P (x={word})" for word in r.sample(WORDS, width)]
    return r.sample(WORDS, width)


def _spelling(r: Random, names: list[str] | None, width: int) -> tuple[list[str], int | None]:
    """Return how a label of each class is written, and --index-base."""
    forms = ["index", "index", "base0", "base1", "float"] + (["name"] * 6 + ["less"] * 4 if names else [])
    form = r.choice(forms)
    if form == "name" and names:
        return names, None
    if form == "less" and names:
        prefix, suffix = r.choice(stripped(names))
        return [name[len(prefix) : len(name) - len(suffix)] for name in names], None
    first = 1 if form == "base1" else 0
    return [f"{i + first}.0" if form == "float" else str(i + first) for i in range(width)], (
        first if form.startswith("base") else None
    )


def _truth(r: Random, row: Sequence[float], kind: str) -> int:
    """Draw a class, mostly the one that the row favours."""
    if r.random() < 0.3:
        return r.randrange(len(row))
    return max(range(len(row)), key=lambda i: (row[i], r.random()))


def _soft(r: Random, width: int) -> list[float]:
    return _distribution(r, width, r.choice(["2", "3", "dyadic", "hard", "hard"]))


# A case.


class Maker:
    """One random command line."""

    def __init__(self, r: Random) -> None:
        self.r = r
        self.many = False
        self.doubt = False
        self.options: dict[str, Any] = {}
        self.columns: dict[str, list[Any]] = {}
        self.target_names: list[str] = []
        self.label_type = "text"

    def chance(self, share: float) -> bool:
        return self.r.random() < share

    def make(self) -> Spec:
        r = self.r
        self.kind = r.choice(
            ["probs", "probs", "probs", "logits", "logits", "logprobs", "true-probs", "true-logprobs", "losses"]
        )
        self.shape()
        self.n = r.choice([1, 2, 3, 4, 6, 9, 14, 25, 40]) if not self.chance(0.01) else 0
        self.layout()
        rows = _values(r, self.kind, self.width, self.n, self.many)
        self.columns["q"] = [[float(x) for x in _cast(row, self.preds.dtype)] for row in rows]
        if self.kind not in ALONE:
            self.targets()
        self.extras()
        self.choices()
        spec = self.split()
        self.finish(spec)
        if self.chance(0.15):
            poison(r, spec)
        return spec

    def shape(self) -> None:
        """Choose how many columns there are and what they stand for."""
        r = self.r
        if self.kind in ALONE or self.chance(0.15):
            self.width = 1
        elif self.chance(0.12) and self.kind != "logprobs":
            self.many, self.width = True, r.randrange(2, 5)
            self.options["multilabel"] = True
        else:
            self.width = r.choice([2, 2, 3, 3, 4, 6])

    def layout(self) -> None:
        """Choose formats, names, and how numbers are stored."""
        r = self.r
        self.single = self.kind in ALONE or self.chance(0.35)
        formats = [*TEXT, *TEXT, "jsonl", "npz", "parquet", "arrow"] + (
            [] if self.single and self.kind not in ALONE else ["npy", "npy", "safetensors"]
        )
        self.preds = Layout(format=r.choice(formats))
        where = self.preds
        where.list_column = where.format == "safetensors" or (
            where.format in ("npz", "jsonl", "parquet", "arrow") and self.width > 1 and self.chance(0.5)
        )
        where.header = not (where.format in TEXT and self.chance(0.2))
        where.line_end = r.choice(["\n", "\n", "\r\n"])
        if where.format in ("npy", "npz", "safetensors", "parquet", "arrow"):
            where.dtype = r.choice(["f8", "f8", "f8", "f4", "f4"] + (["f2"] if where.format != "arrow" else []))
            if self.kind == "logits" and self.chance(0.1):
                where.dtype = r.choice(["i1", "i4", "i8"])
            if where.format == "npy" and self.chance(0.2):
                where.dtype = ">" + where.dtype
            where.fortran = where.format == "npy" and self.chance(0.3)
        self.q_names = _names(r, self.width) if self.width > 1 else ["p"]
        self.names: list[str] | None = list(self.q_names) if where.named and self.width > 1 else None
        if self.width > 1 and not self.many and self.chance(0.1):
            self.names = r.sample([word for word in WORDS if word not in ("x y",)], self.width)
            self.options["classes"] = list(self.names)

    def targets(self) -> None:
        """Choose the labels of the rows."""
        r, q = self.r, self.columns["q"]
        if self.many:
            self.columns["target"] = [[float(self.chance(0.5)) for _ in range(self.width)] for _ in range(self.n)]
            if self.chance(0.1):
                self.columns["target"] = [
                    [r.choice([0.0, 1.0, 0.5, 0.25]) for _ in range(self.width)] for _ in range(self.n)
                ]
        elif self.width == 1:
            self.binary()
            return
        elif self.chance(0.25):
            hard = self.chance(0.4)
            self.columns["target"] = [
                _distribution(r, self.width, "hard") if hard else _soft(r, self.width) for _ in range(self.n)
            ]
        else:
            spelling, base = _spelling(r, self.names, self.width)
            if base is not None:
                self.options["index_base"] = base
            self.columns["label"] = [spelling[_truth(r, row, self.kind)] for row in q]
            self.ignore(spelling)
            return
        self.name_targets()

    def name_targets(self) -> None:
        """Name the target columns: as the classes, with a prefix, in another order, or otherwise."""
        r = self.r
        base = self.names or [str(i) for i in range(self.width)]
        style = r.randrange(4)
        if style == 3:
            self.target_names = [f"is{i}" for i in range(self.width)]
            return
        prefix = "" if style == 0 and not self.single else "t_"
        self.target_names = [prefix + name for name in base]
        if style == 2:
            r.shuffle(self.target_names)

    def binary(self) -> None:
        """Labels of one column of predictions."""
        r = self.r
        style = r.choice(["01", "01", "01.0", "soft", "text", "text"])
        pair = {"01": ["0", "1"], "01.0": ["0.0", "1.0"], "soft": ["0", "0.5", "1", "0.25"]}.get(style)
        if pair is None:
            pair = r.sample(["spam", "ham", "yes", "no", "NA"], 2)
            self.options["positive"] = pair[1]
        self.columns["label"] = [r.choice(pair) for _ in range(self.n)]
        if style != "soft":
            self.ignore(pair)

    def ignore(self, spelling: list[str]) -> None:
        """Have some rows ignored by their label."""
        r = self.r
        if not self.chance(0.12):
            return
        whole = all(re.fullmatch("[0-9]+", text) for text in spelling)
        text = r.choice(["-100", "-1"] if whole else ["unknown", "-100", "?"])
        self.options["ignore_label"] = text
        self.columns["label"] = [text if self.chance(0.3) else label for label in self.columns["label"]]

    def extras(self) -> None:
        """Add weights, groups, clusters, bytes and ids."""
        r, n = self.r, self.n
        if self.chance(0.3):
            weights = r.choice(
                [[1.0, 2.0, 3.0], [0.5, 0.25, 1.5], [0.0, 1.0, 1.0, 0.3], [0.1, 0.7, 1e-3, 12.25], [1e9, 1e-9]]
            )
            self.columns["weight"] = [r.choice(weights) for _ in range(n)]
        if self.chance(0.25):
            pool = r.choice([["x", "y"], ["x", "y", "z", "é"], ["1", "2", "10"], [f"g{i}" for i in range(8)]])
            self.columns["by"] = [r.choice(pool) for _ in range(n)]
            if self.chance(0.3):
                self.columns["by2"] = [r.choice("fm") for _ in range(n)]
        if self.chance(0.15):
            self.columns["cluster"] = [f"c{r.randrange(1 + n // 2)}" for _ in range(n)]
        if self.chance(0.1):
            self.columns["bytes"] = [float(r.randrange(1, 30)) for _ in range(n)]
        elif self.chance(0.05):
            self.options["bytes"] = r.choice([1, 17, 1000])
        if self.chance(0.2):
            ids = r.sample(range(1000), n)
            self.columns["id"] = [str(x) if self.chance(1.0) and n % 2 else f"r{x}" for x in ids]
        self.garbage()

    def garbage(self) -> None:
        """What a row of weight 0 holds is not looked at."""
        for i, weight in enumerate(self.columns.get("weight", [])):
            if weight == 0 and self.chance(0.3) and self.preds.dtype[-2:] in ("f8", "f4"):
                self.columns["q"][i] = [self.r.choice([math.nan, 7.0]) for _ in range(self.width)]

    def choices(self) -> None:
        """Choose options of the loss and of the report."""
        r, options = self.r, self.options
        if self.chance(0.15):
            options["clip"] = r.choice([1e-15, 1e-6, 0.01, 0.1, 2**-20])
        if self.kind not in ALONE and not self.many and self.chance(0.12):
            options["label_smoothing"] = r.choice([0.1, 0.25, 0.5, 0.0, 1.0, 1e-3])
        if self.kind not in ALONE and not self.many and self.n and self.chance(0.15):
            self.class_weight()
        if self.kind == "probs" and self.width > 1 and not self.many and self.chance(0.1):
            options["renormalize"] = True
            for row in self.columns["q"]:
                factor = r.choice([1, 2, 100])
                row[:] = [float(x) for x in _cast([x * factor for x in row], self.preds.dtype)]
        elif self.chance(0.06) and self.preds.dtype[-2:] == "f8":
            self.scale()
        if self.chance(0.1):
            options["sum_tolerance"] = r.choice([0.01, 0.1, 1e-6, 0.0, 1e-12])
        if self.chance(0.15):
            options["base"] = r.choice(["2", "10", "e"])
        if self.chance(0.15):
            options["confidence"] = r.choice([0.5, 0.9, 0.99, 0.999, 0.6827])

    def scale(self) -> None:
        factor = self.r.choice([0.01, 0.5, 100.0, 1.0])
        self.options["scale"] = factor
        if self.kind in ("probs", "true-probs", "logprobs", "true-logprobs"):
            self.columns["q"] = [[x / factor for x in row] for row in self.columns["q"]]

    def class_weight(self) -> None:
        problem = Problem(self.kind, Side(self.columns), None, self.width, self.names, options=self.options)
        names = class_names(problem)
        chosen = self.r.sample(names, self.r.randrange(1, len(names) + 1))
        if all(name and "=" not in name for name in chosen) and len(set(names)) == len(names):
            self.options["class_weight"] = {name: self.r.choice([2.0, 0.5, 3.0, 10.0]) for name in chosen}

    def split(self) -> Spec:
        """Divide the columns among the files."""
        preds, labels = {"q": self.columns.pop("q")}, {}
        bare = self.preds.format in ("npy", "safetensors") or not self.preds.header
        if bare and self.kind in ALONE:
            for role in ("label", "weight", "by", "by2", "cluster", "bytes", "id"):
                self.columns.pop(role, None)
        for role, values in self.columns.items():
            if self.single or (role not in ("label", "target", "id") and not bare and self.chance(0.4)):
                preds[role] = values
            else:
                labels[role] = values
        if "id" in labels:
            preds["id"] = labels["id"]
            if bare:
                del preds["id"], labels["id"]
        if self.single and self.preds.format in TEXT and not self.preds.header and len(preds) > 1:
            self.preds.header = True
            self.names = self.names or (list(self.q_names) if self.width > 1 else None)
            if "classes" not in self.options and self.names != self.q_names and self.width > 1:
                self.names = list(self.q_names)
        problem = Problem(
            self.kind,
            Side(preds),
            None if self.single else Side(labels),
            self.width,
            self.names,
            self.target_names or None,
            self.options,
        )
        spec = Spec(problem, self.preds, None, self.q_names, self.target_names)
        if not self.single:
            spec.labels = self.label_layout(labels)
            if "id" in preds:
                self.reorder(problem)
        return spec

    def reorder(self, problem: Problem) -> None:
        """Put the labels into another order; with --subset some have no prediction."""
        assert problem.labels is not None
        order = list(range(problem.labels.count))
        self.r.shuffle(order)
        problem.labels.columns = {role: [v[i] for i in order] for role, v in problem.labels.columns.items()}
        if self.chance(0.2) and problem.preds.count > 1:
            self.options["subset"] = True
            keep = max(1, self.r.randrange(problem.preds.count))
            problem.preds.columns = {role: v[:keep] for role, v in problem.preds.columns.items()}

    def label_layout(self, labels: dict[str, list[Any]]) -> Layout:
        r = self.r
        where = Layout(format=r.choice([*TEXT, *TEXT, "jsonl", "npz", "parquet", "arrow", "npy"]))
        if where.format == "npy" and (len(labels) > 1 or ("label" in labels and not _whole(labels["label"]))):
            where.format = "csv"
        where.header = not (where.format in TEXT and len(labels) == 1 and self.chance(0.3))
        where.list_column = (
            "target" in labels and where.format in ("npz", "parquet", "arrow", "jsonl") and self.chance(0.4)
        )
        where.fortran = where.format == "npy" and self.chance(0.3)
        where.line_end = r.choice(["\n", "\n", "\r\n"])
        return where

    def finish(self, spec: Spec) -> None:
        """Decide on flags, and whether the contract leaves it open what is due."""
        r = self.r
        spec.preds.order = _order(r, spec.problem.preds)
        if spec.labels is not None and spec.problem.labels is not None:
            spec.labels.order = _order(r, spec.problem.labels)
            if not spec.labels.named:
                spec.problem.target_names = None
            spec.labels.label_type = _label_type(r, spec.labels, spec.problem.labels)
            spec.choose_label = self.chance(0.4) or len(spec.problem.labels.columns) > 1
        else:
            spec.preds.label_type = _label_type(r, spec.preds, spec.problem.preds)
            if not spec.preds.named:
                spec.problem.target_names = None if spec.preds.list_column else spec.problem.target_names
        spec.choose = r.choice(["none", "names", "numbers"])
        if (
            self.chance(0.06)
            and spec.preds.format not in ("npy", "safetensors")
            and spec.choose != "none"
            and spec.preds.header
        ):
            spec.problem.preds.columns["note"] = [r.choice(["ok", "bad"]) for _ in range(spec.problem.preds.count)]
            spec.preds.order.append("note")
        if spec.choose == "none" and not _obvious(spec):
            spec.choose = "names"
        if self.kind not in ALONE and not self.many and self.chance(0.4) and "target" not in self.columns:
            spec.extra.append("--by-class")
        if self.chance(0.2):
            spec.extra += ["--worst", str(r.choice([1, 2, 5]))]
        _no_infinite_json(spec)
        spec.flags = header_flags(spec)


def _no_infinite_json(spec: Spec) -> None:
    """JSON has no infinity and no NaN."""
    if spec.preds.format == "jsonl" and not all(
        math.isfinite(x) for row in spec.problem.preds.columns["q"] for x in row
    ):
        spec.preds.format = "arrow"


def _whole(texts: Sequence[str]) -> bool:
    return all(re.fullmatch(r"-?(0|[1-9][0-9]{0,8})(\.0)?", text) for text in texts)


def _order(r: Random, side: Side) -> list[str]:
    roles = list(side.columns)
    r.shuffle(roles)
    return roles


def _label_type(r: Random, layout: Layout, side: Side) -> str:
    """Return how labels are stored: as text, or as numbers where they are such."""
    labels = side.columns.get("label", [])
    if layout.format == "npy" or (labels and _whole(labels) and layout.format not in TEXT and r.random() < 0.7):
        return r.choice(["i8", "i4", "f8"]) if layout.format != "jsonl" else "i8"
    return "text"


def _obvious(spec: Spec) -> bool:
    """Whether the contract finds the predictions without --preds."""
    problem = spec.problem
    if spec.preds.list_column or "note" in problem.preds.columns:
        return False
    if problem.kind in ALONE or problem.width == 1:
        return True
    if "multilabel" in problem.options or "renormalize" in problem.options:
        return False
    if problem.kind != "logits" or spec.preds.format == "npy":
        return True
    if "classes" in problem.options or not problem.has("label") or not spec.preds.named:
        return False
    labels = problem.preds.columns.get("label") or (problem.labels.columns["label"] if problem.labels else [])
    return set(labels) == set(spec.q_names) and problem.options.get("index_base") is None


# Headers.

_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*|\s*[-+]?(nan|inf|infinity)\s*", re.IGNORECASE)


def numeric(text: str) -> bool:
    """Whether a field could be a number."""
    return _NUMBER.fullmatch(text) is not None


def header_flags(spec: Spec) -> list[str]:
    """Return --header and --no-header where the first line is not plainly one or the other."""
    flags = []
    for name, side, layout in (
        ("predictions", spec.problem.preds, spec.preds),
        ("labels", spec.problem.labels, spec.labels),
    ):
        if side is None or layout is None or layout.format not in TEXT:
            continue
        flag = f"--{'header' if layout.header else 'no-header'}={name}"
        lines = table_lines(spec, side, layout)
        first = lines[0] if lines else []
        if layout.header:
            classes = class_names(spec.problem) if spec.problem.kind not in ALONE else []
            clear = not any(numeric(field) for field in first) and not (len(first) == 1 and first[0] in classes)
        else:
            clear = (
                all(numeric(field) for field in first) and bool(lines) and not all(_WHOLE.fullmatch(f) for f in first)
            )
        if not clear:
            flags.append(flag)
    return flags


_WHOLE = re.compile(r"[0-9]+(\.0)?")


# Files.


def fields(spec: Spec, side: Side, layout: Layout) -> list[tuple[str, str, list[Any]]]:
    """Return the columns of a file: name, what they hold (number, text, vector), values."""
    found: list[tuple[str, str, list[Any]]] = []
    for role in [*layout.order, *(role for role in side.columns if role not in layout.order)]:
        if role not in side.columns:
            continue
        values = side.columns[role]
        if role in ("q", "target"):
            names = spec.q_names if role == "q" else spec.target_names
            if layout.list_column or layout.format == "npy":
                found.append(("scores" if role == "q" else "dist", "vector", values))
            else:
                found += [(name, "number", [row[i] for row in values]) for i, name in enumerate(names)]
        elif role == "label" and layout.label_type != "text":
            found.append((COLUMN[role], layout.label_type, [int(float(text)) for text in values]))
        else:
            found.append((COLUMN[role], "number" if role in ("weight", "bytes") else "text", values))
    return found


def _text(value: Any) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def table_lines(spec: Spec, side: Side, layout: Layout) -> list[list[str]]:
    """Return the fields of a text file, line by line."""
    columns = fields(spec, side, layout)
    lines = [[name for name, _, _ in columns]] if layout.header else []
    return lines + [[_text(values[i]) for _, _, values in columns] for i in range(side.count)]


def _write_text(path: Path, spec: Spec, side: Side, layout: Layout) -> None:
    out = io.StringIO()
    delimiter = {"tsv": "\t", "semicolon": ";"}.get(layout.format, ",")
    csv.writer(out, delimiter=delimiter, lineterminator=layout.line_end).writerows(table_lines(spec, side, layout))
    raw = out.getvalue().encode()
    path.write_bytes(gzip.compress(raw, 1, mtime=0) if layout.format == "csv.gz" else raw)


def _write_jsonl(path: Path, columns: list[tuple[str, str, list[Any]]], count: int) -> None:
    path.write_text("".join(json.dumps({name: values[i] for name, _, values in columns}) + "\n" for i in range(count)))


def _array(kind: str, values: list[Any], layout: Layout, width: int) -> Any:
    if kind == "text":
        return np.array(values, dtype=str)
    if kind == "vector":
        array = np.array(values, dtype=np.float64).reshape(len(values), width)
        array = array.astype(layout.dtype)
        return np.asfortranarray(array) if layout.fortran else array
    return np.array(values, dtype=layout.dtype if kind == "number" else kind)


def _arrow_table(spec: Spec, columns: list[tuple[str, str, list[Any]]], layout: Layout) -> Any:
    import pyarrow as pa

    arrays = []
    for name, kind, values in columns:
        if kind == "vector":
            flat = pa.array(np.array(values, dtype=_plain(layout, name, spec).dtype).reshape(-1))
            offsets = pa.array(np.arange(len(values) + 1) * spec.problem.width, pa.int32())
            arrays.append(pa.ListArray.from_arrays(offsets, flat))
        elif kind == "text":
            arrays.append(pa.array(values, pa.string()))
        else:
            dtype = layout.dtype if kind == "number" and name in spec.q_names else ("f8" if kind == "number" else kind)
            arrays.append(pa.array(np.array(values).astype(dtype)))
    return pa.table(arrays, names=[name for name, _, _ in columns])


EXTENSION = {"semicolon": "csv"}


def write(folder: Path, spec: Spec) -> None:
    """Write the files of a case."""
    for stem, side, layout in (("p", spec.problem.preds, spec.preds), ("y", spec.problem.labels, spec.labels)):
        if side is not None and layout is not None:
            _write_side(folder / f"{stem}.{EXTENSION.get(layout.format, layout.format)}", spec, side, layout)


def _write_side(path: Path, spec: Spec, side: Side, layout: Layout) -> None:
    columns = fields(spec, side, layout)
    width = spec.problem.width
    if layout.format in TEXT:
        _write_text(path, spec, side, layout)
    elif layout.format == "jsonl":
        _write_jsonl(path, columns, side.count)
    elif layout.format == "npy":
        array = _array(columns[0][1], columns[0][2], layout, width)
        np.save(path, array[:, 0] if array.ndim == 2 and width == 1 else array)
    elif layout.format == "npz":
        plain = {name: _array(kind, values, _plain(layout, name, spec), width) for name, kind, values in columns}
        (np.savez if len(columns) % 2 else np.savez_compressed)(path, **plain)
    elif layout.format == "safetensors":
        from safetensors.numpy import save_file

        plain = {name: np.ascontiguousarray(_array(kind, values, layout, width)) for name, kind, values in columns}
        save_file(plain, path)
    elif layout.format == "parquet":
        import pyarrow.parquet

        pyarrow.parquet.write_table(_arrow_table(spec, columns, layout), path, row_group_size=7)
    else:
        import pyarrow.feather

        pyarrow.feather.write_feather(_arrow_table(spec, columns, layout), path, compression="uncompressed")


def _plain(layout: Layout, name: str, spec: Spec) -> Layout:
    """Only predictions are stored as the layout's dtype."""
    return layout if name in (*spec.q_names, "scores") else Layout(format=layout.format)


# The command line.


def command(spec: Spec) -> list[str]:
    """Return the arguments after `xent score`."""
    problem = spec.problem
    args = [f"p.{EXTENSION.get(spec.preds.format, spec.preds.format)}"]
    if spec.labels is not None:
        args.append(f"y.{EXTENSION.get(spec.labels.format, spec.labels.format)}")
    if problem.kind != "probs":
        args += ["--kind", problem.kind]
    args += _chosen_predictions(spec) + _chosen_label(spec) + _chosen_roles(spec) + _chosen_options(problem)
    return [*args, *spec.flags, *spec.extra]


def _reference(spec: Spec, layout: Layout, side: Side, role: str) -> str:
    """Return a COLUMNS argument for the columns of a role."""
    names = [name for name, _, _ in fields(spec, side, layout)]
    mine = {"q": spec.q_names, "target": spec.target_names}.get(role, [COLUMN.get(role, "")])
    if layout.list_column and role in ("q", "target"):
        mine = ["scores" if role == "q" else "dist"]
    if layout.format == "npy" or (layout.format in TEXT and not layout.header):
        first = 1 if layout.format == "npy" else names.index(mine[0]) + 1
        return f"#{first}:#{first + len(mine) - 1}" if len(mine) > 1 else f"#{first}"
    if spec.choose == "numbers" and len(mine) > 1 and layout.format in TEXT:
        first = names.index(mine[0]) + 1
        return f"#{first}:#{first + len(mine) - 1}"
    return ",".join(mine)


def _chosen_predictions(spec: Spec) -> list[str]:
    if spec.choose == "none" or spec.preds.format == "npy":
        return []
    return ["--preds", _reference(spec, spec.preds, spec.problem.preds, "q")]


def _chosen_label(spec: Spec) -> list[str]:
    problem = spec.problem
    if problem.kind in ALONE or not spec.choose_label:
        return []
    role = "target" if problem.has("target") else "label"
    if spec.labels is None:
        return ["--label", _reference(spec, spec.preds, problem.preds, role)]
    assert problem.labels is not None
    return [] if spec.labels.format == "npy" else ["--label", _reference(spec, spec.labels, problem.labels, role)]


def _chosen_roles(spec: Spec) -> list[str]:
    problem = spec.problem
    args = []
    for role, option in OPTION.items():
        if problem.has(role):
            args += [option, COLUMN[role]]
    if problem.has("by"):
        args += ["--by", COLUMN["by"] + ("," + COLUMN["by2"] if problem.has("by2") else "")]
    return args


def _chosen_options(problem: Problem) -> list[str]:
    args = []
    for name, value in problem.options.items():
        flag = f"--{name.replace('_', '-')}"
        if name == "class_weight":
            for one, weight in value.items():
                args += [flag, f"{one}={weight!r}"]
        elif value is True:
            args.append(flag)
        elif name == "classes":
            args += [flag, ",".join(value)]
        else:
            args.append(f"{flag}={value!r}" if isinstance(value, float) else f"{flag}={value}")
    return args


# What makes a case impossible.


def _poison_value(r: Random, spec: Spec) -> None:
    rows = [row for row in spec.problem.preds.columns["q"] if row]
    if rows and spec.preds.dtype[-2:] in ("f8", "f4"):
        row = r.choice(rows)
        row[r.randrange(len(row))] = r.choice([math.nan, math.inf, -0.25, 1.5, 40.0, -math.inf])


def _poison_label(r: Random, spec: Spec) -> None:
    for side in (spec.problem.preds, spec.problem.labels):
        if side is not None and side.columns.get("label"):
            layout = spec.preds if side is spec.problem.preds else spec.labels
            assert layout is not None
            numbers = layout.label_type != "text"
            side.columns["label"][r.randrange(side.count)] = r.choice(
                ["99", "-1"] if numbers else ["99", "zebra", "-1", "1.5"]
            )


def _poison_weight(r: Random, spec: Spec) -> None:
    for side in (spec.problem.preds, spec.problem.labels):
        if side is not None and side.columns.get("weight"):
            if r.random() < 0.4:
                side.columns["weight"] = [0.0] * side.count
            else:
                side.columns["weight"][r.randrange(side.count)] = r.choice([-1.0, math.nan, math.inf])


def _poison_rows(r: Random, spec: Spec) -> None:
    """Leave a row out of one side: counts differ, or an id is missing."""
    sides = [side for side in (spec.problem.preds, spec.problem.labels) if side is not None and side.count]
    if len(sides) == 2:
        for values in r.choice(sides).columns.values():
            values.pop()


def _poison_id(r: Random, spec: Spec) -> None:
    for side in (spec.problem.preds, spec.problem.labels):
        if side is not None and side.count > 1 and "id" in side.columns and r.random() < 0.6:
            side.columns["id"] = [*side.columns["id"][:-1], r.choice([side.columns["id"][0], "r5000"])]


def _poison_option(r: Random, spec: Spec) -> None:
    name, value = r.choice(
        [
            ("confidence", 1.5),
            ("confidence", 0.0),
            ("label_smoothing", 1.5),
            ("clip", 0.0),
            ("clip", 0.7),
            ("sum_tolerance", -1.0),
        ]
    )
    spec.problem.options[name] = value


POISONS: tuple[Callable[[Random, Spec], None], ...] = (
    _poison_value, _poison_value, _poison_label, _poison_label, _poison_weight, _poison_rows, _poison_rows, _poison_id, _poison_option,
)  # fmt: skip


def poison(r: Random, spec: Spec) -> None:
    """Make one thing wrong, if the case has such a thing."""
    r.choice(POISONS)(r, spec)


def make(seed: str) -> Spec:
    """Return the case of a seed."""
    return Maker(random.Random(seed)).make()


# What is mended elsewhere and not here yet. A case of which one of these is true is left out;
# each entry goes when its mending is merged, and then the name PENDING with all that uses it.

INTERVAL_BELOW_0 = False
"""Whether the lower end of an interval is compared."""

PENDING: dict[str, Callable[[Spec], bool]] = {
    "--label-smoothing 1": lambda spec: spec.problem.options.get("label_smoothing") == 1,
    "labels that are numbers, class names that are others": lambda spec: _numbers_for_others(spec.problem),
    "--multilabel and weights of 0, or the warning of shifted rows": lambda spec: (
        "multilabel" in spec.problem.options and (spec.problem.has("weight") or spec.problem.preds.count >= 30)
    ),
    "the prior of soft targets and class weights": lambda spec: (
        "class_weight" in spec.problem.options and (spec.problem.has("target") or spec.problem.width == 1)
    ),
    "labels less a prefix and a suffix": lambda spec: _both_ends(spec.problem),
    "losses below 0": lambda spec: (
        spec.problem.kind == "losses" and any(row[0] < 0 for row in spec.problem.preds.columns["q"])
    ),
    "a name of --preds or --label that both files have": lambda spec: (
        spec.labels is not None and not set(spec.q_names).isdisjoint(spec.target_names)
    ),
}


def _numbers_for_others(problem: Problem) -> bool:
    return problem.names is not None and numbered_otherwise(problem.names) and problem.has("label")


def pending(spec: Spec) -> bool:
    """Whether a case is about what is not mended here yet."""
    return any(holds(spec) for holds in PENDING.values())


def _both_ends(problem: Problem) -> bool:
    names = problem.names or [""]
    return problem.has("label") and any(prefix and suffix for prefix, suffix in stripped(names))
