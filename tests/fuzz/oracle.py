"""What a score must be: exact doubles and 60 digits, written from the contract, without any code of xentcli.

``solve`` takes the values that the files hold and the options, and returns the exit codes that
are allowed and, where the input can be scored, every figure with the error that it may have.
A double's error is counted in units of its last place: each loss may be 4 of them off (and a
logit's exponent is rounded once more), sums are correctly rounded, each division rounds once.
"""

from __future__ import annotations

import itertools
import math
import os.path
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import mpmath
from scipy import stats

MP = mpmath.MPContext()
MP.dps = 60
EPS = MP.mpf(2) ** -52
INF = MP.inf
SMALLEST = MP.mpf(2) ** -1073
"""What rounding may do to the smallest doubles."""
LARGEST = MP.mpf(1.7976931348623157e308)
LEAST = MP.mpf(2) ** -1000
"""Sums of losses below that may be 0 in doubles."""

ALONE = ("true-probs", "true-logprobs", "losses")

Number = Any
"""An mpf of MP; mpmath has no types."""


class Refusal(Exception):
    """The input cannot be scored; any of the codes is right."""

    def __init__(self, why: str, *codes: int) -> None:
        super().__init__(why)
        self.codes = frozenset(codes or (3,))


@dataclass
class Side:
    """One file: columns by role, each a list with one entry a row.

    q and target hold a list of doubles a row; label, by, by2, cluster and id texts; weight and
    bytes doubles.
    """

    columns: dict[str, list[Any]]

    @property
    def count(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def row(self, index: int) -> dict[str, Any]:
        return {role: values[index] for role, values in self.columns.items()}


@dataclass
class Problem:
    """What is to be scored: both files' values, and the options by their names.

    names are the classes in the order of the columns, None where the file has none; target_names
    likewise of the target columns.
    """

    kind: str
    preds: Side
    labels: Side | None
    width: int
    names: list[str] | None = None
    target_names: list[str] | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def has(self, role: str) -> bool:
        return role in self.preds.columns or (self.labels is not None and role in self.labels.columns)


@dataclass
class Value:
    """A figure and by how much it may be off."""

    value: Number
    tolerance: Number

    def holds(self, got: float) -> bool:
        """Whether a double is this figure; NaN is one that doubles do not define."""
        if MP.isnan(self.value):
            return True
        if not math.isfinite(got) or not MP.isfinite(self.value):
            return bool(got == float(self.value))
        rounding = abs(self.value) * EPS + MP.mpf(2) ** -1070
        return bool(abs(MP.mpf(got) - self.value) <= self.tolerance + rounding)


Figure = Value | None


@dataclass
class Row:
    """A scored row: a and b of the cost, what a may be off, and what the other figures need."""

    number: int
    a: Number
    b: Number
    off: Number
    weight: Number
    hard: int | None = None
    correct: Number | None = None
    brier: Number = 0
    entropy: Number = 0
    clipped: bool | None = False
    a_without: Number = 0
    off_without: Number = 0
    y: list[list[Number]] = field(default_factory=list)
    group: tuple[str, ...] = ()
    cluster: str = ""
    bytes: Number = 0
    deviation: Number | None = None
    terms: list[tuple[Number, Number, Number]] = field(default_factory=list)
    """Of each class its part of b and of a, and how far that of a may be off."""

    @property
    def loss(self) -> Value:
        return Value(self.a / self.b, self.off / self.b + abs(self.a / self.b) * EPS)


@dataclass
class Slice:
    """The figures of a group or class."""

    examples: int
    cost: Figure
    share: Figure
    standard_error: Figure = None
    interval: tuple[Value, Value] | None = None
    accuracy: Figure = None


@dataclass
class Figures:
    """Everything of a report that the contract defines; None is null, a name that is missing is not defined."""

    plain: dict[str, Figure]
    interval: tuple[Value, Value] | None
    examples: dict[str, int]
    infinite_rows: list[int]
    infinite_rest: Figure
    clip: dict[str, Figure] | None
    clip_count: int | None
    by: dict[tuple[str, ...], Slice]
    by_class: dict[str, Slice] | None
    counts: list[int] | None
    unit: Number
    """Of the losses that the report shows, in nats."""
    losses: list[tuple[int, Value, Value] | None]
    """Of each row of the predictions the number, loss and weight; None where it is not scored."""


@dataclass
class Expected:
    """The exit codes that are allowed; with 0 among them the figures."""

    codes: frozenset[int]
    why: str = ""
    figures: Figures | None = None


def solve(problem: Problem) -> Expected:
    """Return what xent score must do with a problem."""
    try:
        _check_options(problem)
        rows = _aligned(problem)
        figures = _figures(problem, rows)
    except Refusal as refusal:
        return Expected(refusal.codes, str(refusal))
    return Expected(frozenset([0]), "", figures)


# Options: what makes no sense whatever the files hold.


def _check_options(problem: Problem) -> None:
    options = problem.options
    _within(options, "confidence", lambda x: 0 < x < 1)
    _within(options, "label_smoothing", lambda x: 0 <= x <= 1)
    _within(options, "clip", lambda x: 0 < x < 0.5)
    _within(options, "sum_tolerance", lambda x: 0 <= x < math.inf)
    if any(not (0 <= w < math.inf) for w in options.get("class_weight", {}).values()):
        raise Refusal("a class weight", 2)
    if "clip" in options and "compat" in options:
        raise Refusal("--clip with --compat", 2)
    if options.get("subset") and "id" not in problem.preds.columns:
        raise Refusal("--subset without --id", 2)


def _within(options: dict[str, Any], name: str, holds: Callable[[float], bool]) -> None:
    if name in options and not holds(options[name]):
        raise Refusal(f"--{name} {options[name]}", 2)


# Alignment.


def _aligned(problem: Problem) -> list[dict[str, Any]]:
    """Return the rows in the order of the predictions, each with the columns of both files."""
    preds, labels = problem.preds, problem.labels
    if preds.count == 0 and (labels is None or labels.count == 0):
        raise Refusal("no rows", 5)
    if preds.count == 0 or (labels is not None and labels.count == 0):
        # With --subset no row is in both, whichever file is empty.
        raise Refusal("no rows in one file", *((3, 5) if problem.options.get("subset") else (3,)))
    if labels is None:
        if len(set(preds.columns.get("id", []))) < len(preds.columns.get("id", [])):
            raise Refusal("an id twice", 0, 3, 5)
        return [preds.row(i) for i in range(preds.count)]
    if "id" in preds.columns and "id" in labels.columns:
        return _joined(problem, preds, labels)
    if preds.count != labels.count:
        raise Refusal("row counts differ")
    return [preds.row(i) | labels.row(i) for i in range(preds.count)]


def _joined(problem: Problem, preds: Side, labels: Side) -> list[dict[str, Any]]:
    left, right = preds.columns["id"], labels.columns["id"]
    if len(set(left)) < len(left) or len(set(right)) < len(right):
        raise Refusal("an id twice")
    subset = problem.options.get("subset", False)
    if set(left) != set(right) and not subset:
        raise Refusal("an id that only one file has")
    where = {key: i for i, key in enumerate(right)}
    if not set(left) & set(right):
        raise Refusal("nothing in common")
    rows = [preds.row(i) | labels.row(where.get(key, 0)) for i, key in enumerate(left)]
    return [row | {"unmatched": key not in where} for row, key in zip(rows, left, strict=True)]


# Labels.

_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]*))(?:\.0)?")


def _normalized(labels: Sequence[str]) -> list[str]:
    """If all labels are N or N.0, read them as N."""
    matches = [_WHOLE.fullmatch(text) for text in labels]
    return [match[1] for match in matches if match] if all(matches) else list(labels)


def stripped(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return all pairs of a common prefix and a common suffix of names, the empty ones too."""
    head = os.path.commonprefix(list(names))
    tail = os.path.commonprefix([name[::-1] for name in names])[::-1]
    least = min(map(len, names))
    pairs = [(head[:i], tail[len(tail) - j :]) for i in range(len(head) + 1) for j in range(len(tail) + 1)]
    return [(prefix, suffix) for prefix, suffix in pairs if len(prefix) + len(suffix) <= least]


def _less(name: str, pair: tuple[str, str]) -> str:
    return name[len(pair[0]) : len(name) - len(pair[1])]


def match(labels: Sequence[str], names: Sequence[str] | None, width: int, base: int | None) -> list[int]:
    """Return the class of each label by the rules of section 4."""
    labels = _normalized(labels)
    if "" in labels:
        raise Refusal("an empty label")
    if names is not None and base is None:
        found = _by_name(labels, names)
        if found is not None:
            return found
    if not all(re.fullmatch(r"-?[0-9]+", text) and str(int(text)) == text for text in labels):
        raise Refusal("a label that is not a class")
    if names is not None and base is None and numbered_otherwise(names):
        raise Refusal("classes are numbers, labels are others")
    numbers = [int(text) - (base or 0) for text in labels]
    if any(not 0 <= number < width for number in numbers):
        raise Refusal("a label out of range")
    return numbers


def _by_name(labels: Sequence[str], names: Sequence[str]) -> list[int] | None:
    if set(labels) <= set(names):
        return [names.index(text) for text in labels]
    found = []
    for pair in stripped(names):
        short = _cut(names, pair)
        if set(labels) <= set(short):
            found.append([short.index(text) for text in labels])
    if any(one != found[0] for one in found):
        raise Refusal("two ways to match")
    return found[0] if found else None


def numbered_otherwise(names: Sequence[str]) -> bool:
    """Whether class names, less prefix and suffix, are whole numbers but not 0..K-1."""
    for pair in stripped(names):
        short = _cut(names, pair)
        if all(re.fullmatch(r"-?[0-9]+", text) for text in short):
            return sorted(map(int, short)) != list(range(len(names)))
    return False


def _cut(names: Sequence[str], pair: tuple[str, str]) -> list[str]:
    return [_less(name, pair) for name in names]


def _pairs(names: Sequence[str], others: Sequence[str]) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    return [(mine, other) for mine in stripped(names) for other in stripped(others)]


def target_order(target_names: Sequence[str] | None, names: Sequence[str] | None, width: int) -> list[int]:
    """Return which target column belongs to each class."""
    by_position = list(range(width))
    if target_names is None or names is None:
        return by_position
    for mine, other in _pairs(names, target_names):
        short, wanted = _cut(target_names, other), _cut(names, mine)
        if set(short) == set(wanted):
            return [short.index(name) for name in wanted]
    if set(names) & set(target_names):
        raise Refusal("some target columns have the name of a class")
    if any(set(_cut(names, mine)) & set(_cut(target_names, other)) for mine, other in _pairs(names, target_names)):
        raise Refusal("some target columns have the name of a class, less a prefix", 0, 3)
    return by_position


# Values of a row: the loss of each class.


@dataclass
class Term:
    """A class in a row: its loss, how far that may be off, and its probability."""

    loss: Number
    off: Number
    q: Number

    def clipped(self, eps: Number) -> Term:
        """Take q as min(max(q, eps), 1 - eps)."""
        high, low = -MP.log1p(-eps), -MP.log(eps)
        loss = min(max(self.loss, high), low)
        # 1 - eps is a double too.
        off = min(self.off, EPS * 8 * abs(loss)) + EPS if loss != self.loss else self.off
        return Term(loss, off, self.q)


@dataclass
class Scored:
    """What a row's predictions are: binary problems side by side, or one of K classes; ties to the first."""

    parts: list[list[Term]]
    deviation: Number | None = None


def _log(x: Number) -> Number:
    return MP.log(x) if x > 0 else -INF


def _exact(x: float) -> Number:
    return MP.mpf(x)


def _read(problem: Problem, row: dict[str, Any]) -> Scored:
    """Return the terms of a row, refused where the contract's last column does not hold."""
    options = problem.options
    scale = options.get("scale")
    values = [_exact(x) for x in row["q"]]
    if any(MP.isnan(x) for x in values):
        raise Refusal("NaN")
    fuzz = EPS if scale is not None else MP.mpf(0)
    if scale is not None:
        values = [x * _exact(scale) for x in values]
    if options.get("multilabel"):
        return Scored([_binary(problem, x, fuzz) for x in values])
    if problem.width == 1:
        return Scored([_binary(problem, values[0], fuzz)])
    return {"probs": _probs, "logits": _logits, "logprobs": _logprobs}[problem.kind](problem, values, fuzz)


def _tau(problem: Problem) -> Number:
    return _exact(problem.options.get("sum_tolerance", 0.001))


def _must(holds: bool, why: str, near: bool = False) -> None:
    """Refuse; where rounding may decide, either answer is right."""
    if near:
        raise Refusal(f"{why}, or not, by rounding", 0, 3, 5)
    if not holds:
        raise Refusal(why)


def _bounded(low: Number, x: Number, high: Number, why: str, fuzz: Number) -> None:
    near = any(MP.isfinite(end) and x != end and abs(x - end) <= 64 * EPS + fuzz for end in (low, high))
    _must(low <= x <= high, why, near)


def _probs(problem: Problem, values: list[Number], fuzz: Number) -> Scored:
    tau = _tau(problem)
    if not all(MP.isfinite(x) for x in values):
        raise Refusal("not a probability")
    if problem.options.get("renormalize"):
        return _renormalized(values, tau, fuzz + EPS * (len(values) + 2))
    for x in values:
        _bounded(-tau, x, 1 + tau, "not in [0, 1]", fuzz)
    deviation = abs(MP.fsum(values) - 1)
    _bounded(-INF, deviation, tau, "a row sum", fuzz)
    return Scored([[_of_probability(x, fuzz) for x in values]], deviation)


def _renormalized(values: list[Number], tau: Number, fuzz: Number) -> Scored:
    """Divide by the sum, then look at the range; the deviation is that of the sum."""
    whole = MP.fsum(values)
    _must(whole > 0, "a row sum that is not positive")
    values = [x / whole for x in values]
    for x in values:
        _bounded(-tau, x, 1 + tau, "not in [0, 1]", fuzz)
    return Scored([[_of_probability(x, fuzz) for x in values]], abs(whole - 1))


def _of_probability(x: Number, fuzz: Number) -> Term:
    q = max(x, MP.mpf(0))
    loss = -_log(q)
    return Term(loss, 4 * EPS * abs(loss) + 2 * fuzz if MP.isfinite(loss) else MP.mpf(0), q)


def _binary(problem: Problem, x: Number, fuzz: Number) -> list[Term]:
    """Return the terms of class 0 and class 1 of one column."""
    if problem.kind == "probs":
        if not MP.isfinite(x):
            raise Refusal("not a probability")
        _bounded(-_tau(problem), x, 1 + _tau(problem), "not in [0, 1]", fuzz)
        first, second = _of_probability(1 - x, MP.mpf(0)), _of_probability(x, fuzz)
        if x < 1:
            # 60 digits are too few for 1 - 1e-300.
            first.loss = -MP.log1p(-x)
            first.off = 4 * EPS * abs(first.loss)
        # The rounding of x counts for more in a small 1 - x.
        first.off += fuzz * x / (1 - x) if x < 1 else 0
        return [first, second]
    if problem.kind == "logits":
        if x == INF:
            raise Refusal("an infinite logit", 0, 3)
        if x == -INF:
            raise Refusal("a logit of -inf in one column", 0, 3)
        return _softmax([MP.mpf(0), x], fuzz)
    _must(x <= _tau(problem), "a log-probability above 0", 0 < abs(x - _tau(problem)) < EPS)
    # Of a small exp(x) 60 digits are too few for 1 - exp(x).
    other = -MP.log1p(-MP.exp(x)) if x < -1 else -_log(max(-MP.expm1(x), MP.mpf(0)))
    off = 8 * EPS * (abs(other) + 1) if MP.isfinite(other) else MP.mpf(0)
    return [Term(other, off, max(-MP.expm1(x), MP.mpf(0))), Term(-x, 4 * EPS * abs(x), MP.exp(x))]


def _softmax(z: list[Number], fuzz: Number) -> list[Term]:
    top = max(z)
    powers = [MP.exp(x - top) for x in z]
    whole = MP.fsum(powers)
    if len(z) > 1:
        # What rounding the differences, and the scale, makes of the logarithm.
        spread = MP.fsum(
            p * (abs(x - top) + (abs(x) + abs(top) if fuzz else 0)) for p, x in zip(powers, z, strict=True) if p
        )
    terms = []
    for i, x in enumerate(z):
        others = MP.fsum(p for j, p in enumerate(powers) if j != i)
        loss = INF if x == -INF else (MP.log1p(others) if x == top else top - x + MP.log(whole))
        off = 4 * EPS * loss + 2 * EPS * spread + (fuzz * (abs(x) + abs(top)) * 2 if fuzz else 0)
        terms.append(Term(loss, off if MP.isfinite(loss) else MP.mpf(0), powers[i] / whole))
    return terms


def _logits(problem: Problem, z: list[Number], fuzz: Number) -> Scored:
    if any(x == INF for x in z) or all(x == -INF for x in z):
        raise Refusal("an infinite logit")
    return Scored([_softmax(z, fuzz)])


def _logprobs(problem: Problem, values: list[Number], fuzz: Number) -> Scored:
    tau = _tau(problem)
    for x in values:
        _bounded(-INF, x, tau, "a log-probability above 0", fuzz)
    whole = MP.fsum(MP.exp(x) for x in values)
    deviation = abs(_log(whole))
    _bounded(-INF, deviation, tau, "a row sum", fuzz)
    off = [4 * EPS * abs(x) + fuzz * abs(x) if MP.isfinite(x) else MP.mpf(0) for x in values]
    return Scored([[Term(-x, o, MP.exp(x)) for x, o in zip(values, off, strict=True)]], deviation)


def _alone(problem: Problem, row: dict[str, Any]) -> Term:
    """Return the one term of a kind without labels."""
    x, scale = _exact(row["q"][0]), problem.options.get("scale")
    fuzz = EPS if scale is not None else MP.mpf(0)
    x = x if scale is None else x * _exact(scale)
    if MP.isnan(x):
        raise Refusal("NaN")
    if problem.kind == "true-probs":
        _bounded(MP.mpf(0), x, 1 + _tau(problem), "not in [0, 1]", fuzz)
        return _of_probability(x, fuzz)
    if problem.kind == "true-logprobs":
        _bounded(-INF, x, _tau(problem), "a log-probability above 0", fuzz)
        return Term(-x, (4 * EPS + fuzz) * abs(x) if MP.isfinite(x) else MP.mpf(0), MP.exp(x))
    _must(x >= 0, "a loss below 0")
    return Term(x, fuzz * x if MP.isfinite(x) else MP.mpf(0), MP.exp(-x))


# Targets of a row.


@dataclass
class Target:
    """y over the classes of each part; hard is its class where it is one."""

    parts: list[list[Number]]
    hard: int | None


def _targets(problem: Problem, rows: list[dict[str, Any]], ignored: list[bool]) -> list[Target | None]:
    """Return the target of each row, None where it is ignored."""
    if problem.kind in ALONE:
        return [None] * len(rows)
    if problem.options.get("multilabel"):
        order = target_order(problem.target_names, problem.names, problem.width)
        return [_many(problem, [row["target"][i] for i in order]) for row in rows]
    if problem.width == 1:
        return _two(problem, rows, ignored)
    if problem.has("target"):
        order = target_order(problem.target_names, problem.names, problem.width)
        return [_distribution(problem, [_exact(row["target"][i]) for i in order], row) for row in rows]
    return _matched(problem, rows, ignored)


def _matched(problem: Problem, rows: list[dict[str, Any]], ignored: list[bool]) -> list[Target | None]:
    """Match the labels; those of rows of weight 0 are not checked, but may be what decides."""

    def classes(kept: list[int]) -> dict[int, int]:
        labels = [rows[i]["label"] for i in kept]
        base = problem.options.get("index_base")
        return dict(zip(kept, match(labels, problem.names, problem.width, base) if kept else (), strict=True))

    every = [i for i, out in enumerate(ignored) if not out]
    counted = [i for i in every if rows[i].get("weight") != 0]
    found = classes(counted)
    if len(counted) < len(every):
        try:
            same = {i: c for i, c in classes(every).items() if i in found} == found
        except Refusal:
            same = False
        if not same:
            raise Refusal("a label of weight 0 that does not match", 0, 3, 5)
    return [_one_hot(found[i], problem.width) if i in found else None for i in range(len(rows))]


def _one_hot(index: int, width: int) -> Target:
    return Target([[MP.mpf(i == index) for i in range(width)]], index)


def _distribution(problem: Problem, y: list[Number], row: dict[str, Any]) -> Target:
    if row.get("weight") == 0 and any(MP.isnan(x) for x in y):
        raise Refusal("NaN in a target of weight 0", 0, 3, 5)
    tau = _tau(problem)
    for x in y:
        _must(bool(MP.isfinite(x)), "a target that is not finite")
        _bounded(MP.mpf(0), x, 1 + tau, "a target not in [0, 1]", MP.mpf(0))
    _bounded(-INF, abs(MP.fsum(y) - 1), tau, "the sum of a target", MP.mpf(0))
    ones = [i for i, x in enumerate(y) if x == 1]
    hard = ones[0] if len(ones) == 1 and all(x in (0, 1) for x in y) else None
    return Target([y], hard)


def _many(problem: Problem, y: list[float]) -> Target:
    for x in y:
        _must(0 <= x <= 1, "a target not in [0, 1]")
    return Target([[1 - _exact(x), _exact(x)] for x in y], None)


def _two(problem: Problem, rows: list[dict[str, Any]], ignored: list[bool]) -> list[Target | None]:
    """Labels of one column: 0 and 1 or a share between, or two texts."""
    kept = [row for row, out in zip(rows, ignored, strict=True) if not out]
    labels = [row["label"] for row in kept]
    positive = problem.options.get("positive")
    if positive is None:
        # Labels of weight 0 are not checked.
        unchecked = [row.get("weight") == 0 for row in kept]
        shares = [MP.mpf(0) if skip else _share(text) for text, skip in zip(labels, unchecked, strict=True)]
        _may_be_checked([text for text, row in zip(labels, kept, strict=True) if row.get("missing")])
    else:
        labels = _normalized(labels)
        counted = [t for t, row in zip(labels, kept, strict=True) if row.get("weight") != 0]
        if len({*labels, positive}) > 2:
            raise Refusal("a third label", *([3] if len({*counted, positive}) > 2 else [0, 3, 5]))
        shares = [MP.mpf(text == positive) for text in labels]
        if "class_weight" in problem.options and {*labels} - {positive} != {*counted} - {positive}:
            raise Refusal("the other class is named by rows of weight 0 alone", 0, 3, 5)
    found = iter(shares)
    out: list[Target | None] = []
    for skip in ignored:
        y = None if skip else next(found)
        out.append(None if y is None else Target([[1 - y, y]], int(y) if y in (0, 1) else None))
    return out


def _may_be_checked(labels: list[str]) -> None:
    """The label of a row without a prediction may be one of those that tell what labels are: amounts, for one."""
    for text in labels:
        try:
            _share(text)
        except Refusal:
            raise Refusal("a label without a prediction that is none", 0, 3, 5) from None


def _share(text: str) -> Number:
    try:
        y = MP.mpf(float(text))
    except ValueError:
        raise Refusal("a text without --positive") from None
    if not 0 <= y <= 1:
        raise Refusal("a label that is not 0 or 1")
    return y


# Rows.


def _figures(problem: Problem, rows: list[dict[str, Any]]) -> Figures:
    options = problem.options
    unmatched = [row.get("unmatched", False) for row in rows]
    for row in itertools.compress(rows, [not out for out in unmatched]):
        _must(0 <= row.get("weight", 1.0) < math.inf, "a weight")
        _must(0 <= row.get("bytes", 1.0) < math.inf, "bytes")
    ignored = [label and not out for label, out in zip(_ignored(problem, rows), unmatched, strict=True)]
    skipped = [label or out for label, out in zip(ignored, unmatched, strict=True)]
    missing = [_is_missing(problem, row) and not out for row, out in zip(rows, skipped, strict=True)]
    # The label of a row without a prediction is not checked either, but may be what decides.
    unchecked = [row | {"weight": 0.0, "missing": True} if out else row for row, out in zip(rows, missing, strict=True)]
    targets = _targets(problem, unchecked, skipped)
    weights = _class_weights(problem)
    scored: list[Row] = []
    zero = 0
    for i, row in enumerate(rows):
        if skipped[i] or missing[i]:
            continue
        if row.get("weight", 1.0) == 0:
            zero += 1
            continue
        scored.append(_row(problem, i + 1, row, targets[i], weights))
    if not scored or sum(row.b for row in scored) == 0:
        raise Refusal("nothing is scored", 5)
    examples = {"read": len(rows), "scored": len(scored), "ignored": sum(ignored), "zero_weight": zero}
    examples |= {"unmatched": sum(unmatched), "missing": sum(missing), "ignored_cells": 0}
    return _report(problem, scored, examples, options)


def _is_missing(problem: Problem, row: dict[str, Any]) -> bool:
    return bool(problem.options.get("skip_missing")) and any(map(math.isnan, row["q"]))


def _ignored(problem: Problem, rows: list[dict[str, Any]]) -> list[bool]:
    text = problem.options.get("ignore_label")
    if text is None:
        return [False] * len(rows)
    if problem.kind == "losses":
        return [math.isnan(row["q"][0]) for row in rows]
    wanted = _normalized([text])[0]
    return [row["label"] == text or _normalized([row["label"]])[0] == wanted for row in rows]


def class_names(problem: Problem) -> list[str]:
    """Return the names by which the report and the options know the classes."""
    if problem.width == 1:
        positive = problem.options.get("positive")
        if positive is None:
            return ["0", "1"]
        side = problem.labels if problem.labels and "label" in problem.labels.columns else problem.preds
        ignore = problem.options.get("ignore_label")
        others = [t for t in _normalized(side.columns["label"]) if t not in (positive, ignore)]
        return [others[0] if others else f"not {positive}", positive]
    return problem.names or [str(i) for i in range(problem.width)]


def _class_weights(problem: Problem) -> list[Number] | None:
    given = problem.options.get("class_weight")
    if not given:
        return None
    names = class_names(problem)
    for name in given:
        if name not in names:
            raise Refusal("the weight of a class that is not there", 2, 3)
    return [_exact(given.get(name, 1.0)) for name in names]


def _row(
    problem: Problem, number: int, row: dict[str, Any], target: Target | None, weights: list[Number] | None
) -> Row:
    w = _exact(row.get("weight", 1.0))
    extra = {
        "group": tuple(row[role] for role in ("by", "by2") if role in row),
        "cluster": row.get("cluster", ""),
        "bytes": _exact(row.get("bytes", 0.0)),
    }
    eps = problem.options.get("clip")
    if target is None:
        term = _alone(problem, row)
        cut = term if eps is None else term.clipped(_exact(eps))
        return Row(
            number,
            w * cut.loss,
            w,
            w * cut.off,
            w,
            clipped=eps is not None and _changed(term, eps),
            a_without=w * term.loss,
            off_without=w * term.off,
            **extra,
        )
    scored = _read(problem, row)
    smooth = problem.options.get("label_smoothing", 0.0)
    y = [[(1 - _exact(smooth)) * v + _exact(smooth) / len(part) for v in part] for part in target.parts]
    cut_parts = [[t if eps is None else t.clipped(_exact(eps)) for t in part] for part in scored.parts]
    a, off = _cost(y, cut_parts, weights)
    without, off_without = _cost(y, scored.parts, weights)
    b = MP.mpf(1) if weights is None else MP.fsum(W * v for W, v in zip(weights, target.parts[0], strict=True))
    changed: bool | None = None
    if eps is None or (target.hard is not None and not smooth):
        changed = eps is not None and _changed(scored.parts[0][target.hard or 0], eps)
    return Row(
        number,
        w * a,
        w * b,
        w * off,
        w,
        hard=target.hard,
        correct=_correct(problem, scored, target),
        brier=_mean(_brier(part, t) for part, t in zip(scored.parts, target.parts, strict=True)),
        entropy=_mean(MP.fsum(-v * _log(v) for v in part if v > 0) for part in target.parts),
        clipped=changed,
        a_without=w * without,
        off_without=w * off_without,
        deviation=scored.deviation,
        y=target.parts,
        terms=_terms(w, target.parts[0], cut_parts[0], weights),
        **extra,
    )


def _terms(
    w: Number, y: list[Number], terms: list[Term], weights: list[Number] | None
) -> list[tuple[Number, Number, Number]]:
    masses = [w * v * (1 if weights is None else weights[c]) for c, v in enumerate(y)]
    return [
        (b, b * term.loss, b * term.off + 2 * EPS * abs(b * term.loss))
        if b and MP.isfinite(term.loss)
        else (b, INF if b else MP.mpf(0), MP.mpf(0))
        for b, term in zip(masses, terms, strict=True)
    ]


def _mean(values: Iterable[Number]) -> Number:
    found = list(values)
    return MP.fsum(found) / len(found)


def _changed(term: Term, eps: float) -> bool | None:
    """Whether --clip changes it; None where rounding decides."""
    high, low = -MP.log1p(-_exact(eps)), -MP.log(_exact(eps))
    if any(abs(end - term.loss) <= 4 * term.off + 4 * EPS * (1 + end) for end in (high, low)):
        return None
    return not high <= term.loss <= low


def _cost(y: list[list[Number]], parts: list[list[Term]], weights: list[Number] | None) -> tuple[Number, Number]:
    """Return the loss of a row, class weights in it, and how far it may be off."""
    losses, offs = [], []
    for shares, terms in zip(y, parts, strict=True):
        for c, (share, term) in enumerate(zip(shares, terms, strict=True)):
            W = share if weights is None else share * weights[c]
            if W != 0:
                losses.append(W * term.loss)
                offs.append(W * term.off + (2 * EPS * abs(W * term.loss) if MP.isfinite(term.loss) and W != 1 else 0))
    if any(x == INF for x in losses):
        return INF, MP.mpf(0)
    return MP.fsum(losses) / len(parts), MP.fsum(offs) / len(parts) + EPS * MP.fsum(map(abs, losses)) * (
        len(losses) > 1
    )


def _correct(problem: Problem, scored: Scored, target: Target) -> Number | None:
    """Return whether the largest q is the truth's, a mean over columns; None for a soft target."""
    right = []
    for terms, y in zip(scored.parts, target.parts, strict=True):
        if not all(v in (0, 1) for v in y):
            return None
        order = [-t.loss if problem.kind != "probs" else t.q for t in terms]
        close = [
            x for x in order if x != max(order) and MP.isfinite(x) and abs(x - max(order)) <= 64 * EPS * (1 + abs(x))
        ]
        if close:
            return MP.nan
        right.append(MP.mpf(y[order.index(max(order))] == 1))
    return _mean(right)


def _brier(terms: list[Term], y: list[Number]) -> Number:
    return MP.fsum((t.q - v) ** 2 for t, v in zip(terms, y, strict=True))


# Sums.


def _report(problem: Problem, rows: list[Row], examples: dict[str, int], options: dict[str, Any]) -> Figures:
    unit = {"2": MP.log(2), "10": MP.log(10)}.get(options.get("base", "e"), MP.mpf(1))
    infinite = [row.number for row in rows if row.a == INF]
    cost = _quotient(rows, unit)
    finite = [row for row in rows if row.a != INF]
    plain: dict[str, Figure] = {
        "cost": cost,
        "total": _sum_a(rows, unit),
        "weight_sum": Value(
            MP.fsum(row.b for row in rows),
            _off(MP.fsum(row.b for row in rows), 2 if options.get("class_weight") else 1),
        ),
        "perplexity": _perplexity(cost, unit),
        "bits_per_byte": _bits_per_byte(problem, rows),
    }
    error = _standard_error(rows, unit, problem.has("cluster"))
    plain["standard_error"] = error
    plain |= _of_labels(problem, rows, cost, unit)
    deviations = [row.deviation for row in rows if row.deviation is not None]
    if deviations:
        plain["largest_deviation"] = Value(max(deviations), 64 * EPS * (1 + max(deviations)))
    level = options.get("confidence", 0.95)
    return Figures(
        plain=plain,
        interval=_interval(cost, error, rows, problem.has("cluster"), level),
        examples=examples,
        infinite_rows=infinite,
        infinite_rest=_quotient(finite, unit) if finite and MP.fsum(r.b for r in finite) > 0 else None,
        clip=_clip(rows, unit) if "clip" in options else None,
        clip_count=_clip_count(rows) if "clip" in options else None,
        by=_groups(problem, rows, unit, level),
        by_class=_classes(problem, rows, unit),
        counts=_counts(problem, rows),
        unit=unit,
        losses=_losses(rows, examples["read"]),
    )


def _losses(rows: list[Row], count: int) -> list[tuple[int, Value, Value] | None]:
    found: list[tuple[int, Value, Value] | None] = [None] * count
    for row in rows:
        if row.b > 0:
            found[row.number - 1] = (row.number, row.loss, Value(row.b, _off(row.b, 2)))
    return found


def _off(value: Number, ulps: int) -> Number:
    return ulps * EPS * abs(value) if MP.isfinite(value) else MP.mpf(0)


def _sum_a(rows: list[Row], unit: Number) -> Value:
    total = MP.fsum(row.a for row in rows) / unit
    if not MP.isfinite(total):
        return Value(total, MP.mpf(0))
    return Value(total, MP.fsum(row.off + SMALLEST * max(row.weight, 1) for row in rows) / unit + _off(total, 3))


def _quotient(rows: list[Row], unit: Number) -> Value:
    total, weight = _sum_a(rows, unit), MP.fsum(row.b for row in rows)
    if not MP.isfinite(total.value):
        return total
    return Value(total.value / weight, total.tolerance / weight + _off(total.value / weight, 3))


def _perplexity(cost: Value, unit: Number) -> Value:
    value = MP.exp(cost.value * unit)
    if value > LARGEST:
        return Value(INF, MP.mpf(0))
    return Value(value, value * (cost.tolerance * unit + EPS * (4 + abs(cost.value * unit))))


def _bits_per_byte(problem: Problem, rows: list[Row]) -> Figure:
    given = problem.options.get("bytes")
    if given is None and not problem.has("bytes"):
        return None
    size = _exact(given) if given is not None else MP.fsum(row.b * row.bytes for row in rows)
    if size == 0:
        return None
    total = _sum_a(rows, MP.log(2))
    return Value(total.value / size, total.tolerance / size + _off(total.value / size, 4))


def _standard_error(rows: list[Row], unit: Number, clusters: bool) -> Figure:
    """sqrt(n/(n-1) sum r^2) / sum b with r = a - m b, by cluster with sums of r."""
    rows = [row for row in rows if row.b > 0]
    if any(row.a == INF for row in rows) or not rows:
        return None
    weight = MP.fsum(row.b for row in rows)
    mean = MP.fsum(row.a for row in rows) / weight
    off = _quotient(rows, MP.mpf(1)).tolerance
    residuals: dict[Any, list[Number]] = {}
    for row in rows:
        found = residuals.setdefault(row.cluster if clusters else row.number, [MP.mpf(0), MP.mpf(0)])
        found[0] += row.a - mean * row.b
        found[1] += row.off + off * row.b + EPS * (abs(row.a) + abs(mean) * row.b)
    n = len(residuals)
    if n < 2:
        return None
    factor = MP.sqrt(MP.mpf(n) / (n - 1)) / weight / unit
    error = factor * MP.sqrt(MP.fsum(r * r for r, _ in residuals.values()))
    most = factor * MP.sqrt(MP.fsum(o * o for _, o in residuals.values()))
    return Value(error, most + _off(error, 8))


@lru_cache(maxsize=4096)
def _quantile(level: float, degrees: int) -> Number:
    return MP.mpf(float(stats.t.ppf(0.5 + level / 2, degrees))) if degrees > 2 else _few(level, degrees)


def _few(level: float, degrees: int) -> Number:
    """Student's quantile in closed form: of 1 and of 2 degrees."""
    p = MP.mpf(level)
    if degrees == 1:
        return MP.tan(MP.pi * p / 2)
    return p * MP.sqrt(2 / (1 - p * p))


def _interval(cost: Value, error: Figure, rows: list[Row], clusters: bool, level: float) -> tuple[Value, Value] | None:
    """Student's interval of a cost, its lower end 0 or more."""
    if error is None:
        return None
    rows = [row for row in rows if row.b > 0]
    t = _quantile(level, len({row.cluster if clusters else row.number for row in rows}) - 1)
    half = t * error.value
    off = cost.tolerance + t * error.tolerance + half * MP.mpf(2) ** -36 + _off(cost.value, 4)
    return Value(max(cost.value - half, MP.mpf(0)), off), Value(cost.value + half, off)


def _weighted(rows: list[Row], of: Callable[[Row], Number]) -> Value:
    value = MP.fsum(row.b * of(row) for row in rows) / MP.fsum(row.b for row in rows)
    return Value(value, _off(value, 16) + 16 * EPS)


def _of_labels(problem: Problem, rows: list[Row], cost: Value, unit: Number) -> dict[str, Figure]:
    """Return the figures that need labels; null for the kinds that have none."""
    names = ("prior", "skill", "nce", "accuracy", "brier", "target_entropy", "kl")
    if problem.kind in ALONE:
        return dict.fromkeys(names)
    found: dict[str, Figure] = {}
    found["brier"] = _weighted(rows, lambda row: row.brier)
    if all(row.correct is not None for row in rows):
        accuracy = _weighted(rows, lambda row: row.correct)
        if not MP.isnan(accuracy.value):
            found["accuracy"] = accuracy
    else:
        found["accuracy"] = None
    found |= _entropy(problem, rows, cost, unit)
    return found | _prior(problem, rows, cost, unit)


def _entropy(problem: Problem, rows: list[Row], cost: Value, unit: Number) -> dict[str, Figure]:
    options = problem.options
    soft = any(row.correct is None for row in rows)
    if not soft or options.get("class_weight") or options.get("label_smoothing"):
        return {"target_entropy": None, "kl": None}
    entropy = _weighted(rows, lambda row: row.entropy / unit)
    kl = Value(cost.value - entropy.value, cost.tolerance + entropy.tolerance) if MP.isfinite(cost.value) else cost
    return {"target_entropy": entropy, "kl": kl}


def _prior(problem: Problem, rows: list[Row], cost: Value, unit: Number) -> dict[str, Figure]:
    """The best constant prediction has the shares W_c sum_i w_i y_ic; its cost, a mean over columns."""
    if problem.options.get("label_smoothing"):
        return {"prior": None, "skill": None, "nce": None}
    weights = _class_weights(problem)
    whole, value = MP.fsum(row.b for row in rows), MP.mpf(0)
    count = len(rows[0].y)
    for j in range(count):
        shares = [
            (MP.mpf(1) if weights is None else weights[c]) * MP.fsum(row.weight * row.y[j][c] for row in rows)
            for c in range(len(rows[0].y[j]))
        ]
        value -= MP.fsum(s * MP.log(s / MP.fsum(shares)) for s in shares if s > 0) / whole / count / unit
    prior = Value(value, 16 * EPS * (value + 1))
    if value == 0:
        return {"prior": prior, "skill": None, "nce": None}
    if value < LEAST:
        return {"prior": prior}
    ratio = cost.value / value
    if not MP.isfinite(ratio):
        return {"prior": prior, "skill": Value(-ratio, MP.mpf(0)), "nce": Value(ratio, MP.mpf(0))}
    off = cost.tolerance / value + abs(ratio) * (prior.tolerance / value + 4 * EPS)
    return {"prior": prior, "skill": Value(1 - ratio, off + 4 * EPS), "nce": Value(ratio, off)}


def _clip(rows: list[Row], unit: Number) -> dict[str, Figure]:
    without = [replace(row, a=row.a_without, off=row.off_without) for row in rows]
    total = _sum_a(rows, unit)
    found: dict[str, Figure] = {"cost_without": _quotient(without, unit)}
    if all(row.clipped is not None for row in rows) and MP.isfinite(total.value) and total.value > 0:
        share = MP.fsum(row.a for row in rows if row.clipped) / unit / total.value
        found["share"] = Value(share, total.tolerance / total.value * 2 + _off(share, 4))
    return found


def _clip_count(rows: list[Row]) -> int | None:
    return None if any(row.clipped is None for row in rows) else sum(bool(row.clipped) for row in rows)


def _slice(part: list[Row], whole: Value, unit: Number, clusters: bool, level: float) -> Slice:
    cost, total = _quotient(part, unit), _sum_a(part, unit)
    share = None
    if 0 < whole.value <= max(LEAST, whole.tolerance):
        share = Value(MP.nan, INF)
    elif MP.isfinite(whole.value) and whole.value > 0:
        value = total.value / whole.value
        share = Value(value, (total.tolerance + abs(value) * whole.tolerance) / whole.value + _off(value, 4))
    error = _standard_error(part, unit, clusters)
    return Slice(len(part), cost, share, error, _interval(cost, error, part, clusters, level))


def _groups(problem: Problem, rows: list[Row], unit: Number, level: float) -> dict[tuple[str, ...], Slice]:
    if not problem.has("by"):
        return {}
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    whole = _sum_a(rows, unit)
    return {key: _slice(part, whole, unit, problem.has("cluster"), level) for key, part in groups.items()}


def _classes(problem: Problem, rows: list[Row], unit: Number) -> dict[str, Slice] | None:
    """Return the cost of each class that has rows, of soft targets by their terms; None for columns of their own."""
    soft = any(row.hard is None for row in rows)
    if problem.kind in ALONE or (soft and problem.options.get("multilabel")):
        return None
    whole, found = _sum_a(rows, unit), {}
    for c, name in enumerate(class_names(problem)):
        if soft:
            part = [
                replace(row, b=row.terms[c][0], a=row.terms[c][1], off=row.terms[c][2])
                for row in rows
                if row.y[0][c] > 0
            ]
        else:
            part = [row for row in rows if row.hard == c]
        if part and MP.fsum(row.b for row in part) > 0:
            found[name] = _slice(part, whole, unit, False, 0.95)
            if not soft and all(row.correct is not None and not MP.isnan(row.correct) for row in part):
                found[name].accuracy = _weighted(part, lambda row: row.correct)
    return found


def _counts(problem: Problem, rows: list[Row]) -> list[int] | None:
    if problem.options.get("multilabel"):
        hard = all(v in (0, 1) for row in rows for part in row.y for v in part)
        return [sum(int(row.y[j][1]) for row in rows) for j in range(problem.width)] if hard else None
    if any(row.hard is None for row in rows):
        return None
    return [sum(row.hard == c for row in rows) for c in range(max(problem.width, 2))]
