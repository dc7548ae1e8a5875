"""Random small inputs of `xent score`: values, labels, options, and how the files hold them."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.fuzz.files import TEXT, Layout, Spec, header_flags
from tests.fuzz.oracle import ALONE, Problem, Side, class_names, stripped

WORDS = ("cat", "dog", "emu", "x y", "é", "NA", "null", "True", "False", "B", "b", "none", "fox-1", "a.b")
Random = random.Random


# Numbers.


def _cast(values: Any, dtype: str) -> Any:
    with np.errstate(all="ignore"):
        return np.asarray(values, dtype=np.float64).astype(dtype).astype(np.float64)


def _decimals(row: Sequence[float], places: int) -> list[float]:
    """Round to a number of decimals, so that the decimals sum to 1."""
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
        some = r.choice([[0.0, 2.5], [0.0, 2.5], [math.inf], [1e300, 1e-300]])
        return [[r.choice([r.expovariate(1), r.expovariate(1), *some])] for _ in range(n)]
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
        self.skip_losses()
        self.skip_predictions()
        self.choices()
        spec = self.split()
        self.finish(spec)
        if self.chance(0.15):
            poison(r, spec)
            _no_infinite_json(spec)
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
        self.surface(where)
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
                [
                    [1.0, 2.0, 3.0],
                    [0.5, 0.25, 1.5],
                    [0.0, 1.0, 1.0, 0.3],
                    [0.1, 0.7, 1e-3, 12.25],
                    [1e9, 1e-9],
                    [1e200, 1e-200],
                ]
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

    def skip_losses(self) -> None:
        """Losses that are NaN, and --ignore-label nan."""
        if self.kind == "losses" and self.chance(0.15):
            self.options["ignore_label"] = "nan"
            for row in self.columns["q"]:
                row[0] = math.nan if self.chance(0.3) else row[0]

    def skip_predictions(self) -> None:
        """Predictions that are NaN, and --skip-missing."""
        if self.kind == "losses" or self.preds.dtype[-2:] not in ("f8", "f4") or not self.chance(0.08):
            return
        self.options["skip_missing"] = True
        rows = self.columns["q"]
        # A column without any number is no prediction unless --preds names it: one row is whole.
        whole = self.r.randrange(max(1, len(rows)))
        for i, row in enumerate(rows):
            if i != whole and self.chance(0.3):
                row[self.r.randrange(len(row))] = math.nan

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
        if self.chance(0.1) and self.kind != "logits":
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
        """Put the labels into another order; with --subset some rows of either side have no partner."""
        assert problem.labels is not None
        order = list(range(problem.labels.count))
        self.r.shuffle(order)
        problem.labels.columns = {role: [v[i] for i in order] for role, v in problem.labels.columns.items()}
        if self.chance(0.2) and problem.preds.count > 1:
            self.options["subset"] = True
            keep = max(1, self.r.randrange(problem.preds.count))
            problem.preds.columns = {role: v[:keep] for role, v in problem.preds.columns.items()}
            most = max(1, problem.labels.count - self.r.randrange(3))
            problem.labels.columns = {role: v[:most] for role, v in problem.labels.columns.items()}

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
        self.surface(where)
        return where

    def surface(self, where: Layout) -> None:
        """Choose what a file may look like without meaning anything else."""
        where.line_end = self.r.choice(["\n", "\n", "\r\n"])
        quirks = ("bom", "open", "blank", "spaces", "quotes") if where.format in TEXT else ("whole", "dictionary")
        where.quirks = frozenset(name for name in quirks if self.chance(0.1 if where.format in TEXT else 0.4))

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
        spec.choose = r.choice(["none", "names", "numbers", "range"])
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
            # Smoothed soft targets have no costs by class, and the labels may be soft.
            spec.doubt = "label_smoothing" in self.options
        if self.chance(0.2):
            spec.extra += ["--worst", str(r.choice([1, 2, 5]))]
        _no_infinite_json(spec)
        self.arrange(spec)
        spec.flags = header_flags(spec)
        if spec.flags and self.chance(0.15):
            spec.flags, spec.doubt = [], True

    def arrange(self, spec: Spec) -> None:
        """Divide files into parts, take a column from a third file, the classes from a file, give arrays more axes."""
        r, problem = self.r, spec.problem
        apart = "id" in problem.preds.columns
        if self.n > 4 and not apart and self.chance(0.12):
            spec.preds.shards = r.choice([2, 3])
            if spec.labels is not None:
                spec.labels.shards = spec.preds.shards
        elif not apart and self.chance(0.2):
            held = [role for role in ("weight", "cluster", "bytes") if problem.has(role)]
            spec.third = r.choice(held) if held else ""
        spec.class_file = "classes" in self.options and self.chance(0.5)
        # Of names of which some are columns and some are not the others are refused, whatever the labels are.
        given = self.options.get("classes", ())
        spec.doubt |= spec.preds.named and bool({*given} & {*spec.q_names})
        if spec.preds.named and sorted(given) == sorted(spec.q_names):
            # A schema of the columns, in any order.
            problem.names = list(spec.q_names)
        if spec.preds.format == "npy" and spec.preds.shards == 1 and self.n > 3 and self.chance(0.3):
            self.axes(spec)

    def axes(self, spec: Spec) -> None:
        """Predictions of more dimensions, and labels of the same, less that of the classes."""
        inner = next((i for i in (2, 3, 5) if self.n % i == 0 and i != self.width), None)
        labels = spec.labels
        if inner is None or self.n // inner == self.width or self.many:
            return
        if self.kind not in ALONE:
            if (
                self.width == 1
                or labels is None
                or labels.format != "npy"
                or "label" not in (spec.problem.labels or Side({})).columns
            ):
                return
            labels.shape = (self.n // inner, inner)
        spec.preds.shape = (self.n // inner, inner)
        if self.width > 1 and self.chance(0.4):
            spec.preds.class_axis = self.r.choice([1, 2])


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
    if problem.kind in ALONE:
        return True
    if problem.width == 1:
        return problem.kind != "logits" or len(problem.preds.columns) == 1 + ("label" in problem.preds.columns)
    if "multilabel" in problem.options or "renormalize" in problem.options:
        return False
    if problem.kind != "logits" or spec.preds.format == "npy":
        return True
    if len(problem.preds.columns) > 1 + ("label" in problem.preds.columns):
        return False
    if "classes" in problem.options or not problem.has("label") or not spec.preds.named:
        return False
    sides = [side for side in (problem.preds, problem.labels) if side is not None]
    if any(weight == 0 for side in sides for weight in side.columns.get("weight", [])):
        # The label of a row of weight 0 names no class.
        return False
    labels = next((side.columns["label"] for side in sides if side.columns.get("label")), [])
    return set(labels) == set(spec.q_names) and problem.options.get("index_base") is None


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
    # An array of more dimensions has no row less.
    if len(sides) == 2 and not spec.preds.shape:
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


# Cases that are left out: the contract can be read in two ways there.

LEFT_OUT: dict[str, Callable[[Spec], bool]] = {}


def left_out(spec: Spec) -> bool:
    """Whether a case is left out."""
    return any(holds(spec) for holds in LEFT_OUT.values())
