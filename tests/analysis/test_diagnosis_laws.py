"""What a diagnosis says would be is what is found with the input corrected; honest models raise no alarm; none costs a result."""

from __future__ import annotations

import functools
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

import xentcli.analysis.causes
import xentcli.analysis.findings
import xentcli.analysis.reordering
import xentcli.analysis.shifts
import xentcli.tallies.confusion
import xentcli.tallies.looks
from tests.conftest import Run, Write, csv
from tests.laws import some_of
from xentcli import attempts, score
from xentcli.analysis.causes import causes
from xentcli.analysis.reordering import better_order
from xentcli.errors import DataError, FileError, NoVerdict, Warning
from xentcli.report.causes import Causes
from xentcli.report.report import Report
from xentcli.tallies.confusion import Pairs, counted

Array = npt.NDArray[Any]
N = 300


def softmax(z: Array) -> Array:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def model(classes: int, seed: int = 0, rows: int = N, strength: float = 5.0) -> tuple[Array, Array]:
    """Logits that mostly have the label as the largest, and the labels."""
    random = np.random.default_rng(seed)
    y = random.integers(0, classes, rows)
    return random.normal(size=(rows, classes)) + strength * np.eye(classes)[y], y


def as_kind(z: Array, kind: str) -> Array:
    """Logits as a kind; "hard" and "zeros" are probabilities with an infinite cost."""
    q = softmax(z)
    if kind == "hard":
        return np.asarray(np.eye(z.shape[1])[q.argmax(axis=1)])
    if kind == "zeros":
        few = np.where(q < 0.005, 0.0, q)
        return np.asarray(few / few.sum(axis=1, keepdims=True))
    return np.asarray({"logits": z, "logprobs": np.log(q), "probs": q}[kind])


def of_kind(name: str) -> str:
    return name if name in ("logits", "logprobs") else "probs"


EVERY_KIND = ["probs", "logits", "logprobs", "hard", "zeros"]
every_kind = pytest.mark.parametrize("name", EVERY_KIND)


def told(report: Report, code: str) -> Warning:
    found = [warning for warning in report.warnings if warning.code == code]
    assert len(found) == 1, [warning.code for warning in report.warnings]
    return found[0]


def codes(*files: Any, **options: Any) -> list[str]:
    return [warning.code for warning in score(*files, **options).warnings]


def shares(message: str) -> list[float]:
    """The percentages of a message, as shares."""
    return [float(number) / 100 for number in re.findall(r"([\d.]+) %", message)]


# Columns in another order

SWAPPED = {2: [1, 0], 3: [0, 2, 1], 10: [0, 1, 2, 4, 3, 5, 6, 7, 8, 9], 40: [*range(38), 39, 38]}
"""By the number of classes, two columns that are exchanged."""


@every_kind
@pytest.mark.parametrize("classes", SWAPPED)
def test_two_columns_of_any_number_are_seen_and_both_accuracies_are_right(classes: int, name: str) -> None:
    z, y = model(classes, rows=40 * classes)
    right, wrong = as_kind(z, name), as_kind(z[:, SWAPPED[classes]], name)
    warning = told(score(wrong, y, kind=of_kind(name)), "columns-permuted")  # type: ignore[arg-type]
    want = [float((q.argmax(axis=1) == y).mean()) for q in (right, wrong)]
    assert shares(warning.message) == pytest.approx(want, abs=0.0006)
    assert "columns-permuted" not in codes(right, y, kind=of_kind(name))


OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "smoothing": {"label_smoothing": 0.1},
    "clip": {"clip": 1e-9},
    "ignored": {"ignore_label": "0", "index_base": 0},
    "renormalized": {"renormalize": True},
    "scaled": {"scale": 1.0},
    "class weights": {"class_weight": {"1": 5.0, "3": 0.25}},
    "bits": {"base": "2"},
}


@pytest.mark.parametrize("name", ["probs", "hard"])
@pytest.mark.parametrize("what", OPTIONS)
def test_the_advice_on_columns_leads_to_the_right_report_with_every_option(what: str, name: str) -> None:
    options = OPTIONS[what]
    z, y = model(6)
    order = [0, 2, 1, 5, 3, 4]
    right, wrong = as_kind(z, name), as_kind(z[:, order], name)
    warning = told(score(wrong, y, **options), "columns-permuted")
    preds = shlex.split(warning.advice)[-1]
    mended, want = score(wrong, y, preds=preds, **options), score(right, y, **options)
    assert (mended.cost, mended.accuracy) == pytest.approx((want.cost, want.accuracy), rel=1e-12)
    plain = options if what != "class weights" else {}
    figures = [score(q, y, **plain).accuracy for q in (right, wrong)]
    assert shares(warning.message) == pytest.approx(figures, abs=0.0006)
    assert ("(unweighted)" in warning.message) == (what == "class weights")


def test_accuracies_beside_weights_are_said_to_be_unweighted() -> None:
    z, y = model(4)
    frame = pd.DataFrame({"y": y, "w": np.where(y == 0, 9.0, 1.0)})
    wrong = softmax(z)[:, [1, 0, 2, 3]]
    warning = told(score(wrong, frame, label="y", weights="w"), "columns-permuted")
    assert "(unweighted)" in warning.message
    assert shares(warning.message) == pytest.approx([score(q, y).accuracy for q in (softmax(z), wrong)], abs=0.0006)


def layouts() -> Iterator[Any]:
    """Predictions with two columns exchanged, labels, and options, for every rule of the labels."""
    z, y = model(4)
    wrong, names = softmax(z)[:, [0, 2, 1, 3]], np.array(list("abcd"))
    yield pytest.param(wrong, y, {}, id="positions")
    yield pytest.param(wrong, y + 1, {"index_base": 1}, id="positions from 1")
    yield pytest.param(pd.DataFrame(wrong, columns=list("abcd")), y, {}, id="positions of named columns")
    yield pytest.param(wrong, names[y], {"classes": "a,b,c,d"}, id="names that an option gives")
    yield pytest.param(wrong, np.eye(4)[y], {}, id="one-hot")
    yield pytest.param(
        wrong, np.array(["it's", "b c", "$x", "d"])[y], {"classes": ["it's", "b c", "$x", "d"]}, id="odd names"
    )
    both = pd.DataFrame(wrong, columns=list("abcd")).assign(x=1.0, y=y)[["x", "a", "b", "c", "d", "y"]]
    yield pytest.param(both, None, {"preds": "a,b,c,d", "label": "y"}, id="one table")


@pytest.mark.parametrize(("preds", "labels", "options"), list(layouts()))
def test_the_advice_on_columns_is_right_for_every_rule_of_the_labels(
    preds: Any, labels: Any, options: dict[str, Any]
) -> None:
    z, y = model(4)
    warning = told(score(preds, labels, **options), "columns-permuted")
    option, value = shlex.split(warning.advice)[-2:]
    again = {**options, option.removeprefix("--"): value}
    assert score(preds, labels, **again).cost == pytest.approx(score(softmax(z), y).cost, rel=1e-12)


def test_the_advice_on_columns_is_right_for_an_archive(tmp_path: Any) -> None:
    z, y = model(4)
    np.savez(tmp_path / "run.npz", scores=np.ascontiguousarray(softmax(z)[:, [0, 2, 1, 3]]), truth=y)
    warning = told(score(tmp_path / "run.npz", preds="scores", label="truth"), "columns-permuted")
    preds = shlex.split(warning.advice)[-1]
    assert score(tmp_path / "run.npz", preds=preds, label="truth").cost == pytest.approx(score(softmax(z), y).cost)


def test_names_in_the_file_are_told_to_be_wrong() -> None:
    z, y = model(3)
    frame = pd.DataFrame(softmax(z)[:, [1, 0, 2]], columns=["p_cat", "p_dog", "p_emu"])
    warning = told(score(frame, np.array(["cat", "dog", "emu"])[y]), "columns-permuted")
    assert warning.advice == "are the columns misnamed? By the labels, column p_cat holds p_dog, p_dog holds p_cat"
    assert "--" not in warning.advice


@pytest.mark.parametrize("labels", ["numbers", "names", "given"])
@pytest.mark.parametrize("hard", [False, True])
def test_one_column_of_the_other_class_is_seen_and_the_advice_is_right(hard: bool, labels: str) -> None:
    z, y = model(2, strength=4.0)
    q = as_kind(z, "hard" if hard else "probs")[:, 0]
    truth = y if labels == "numbers" else np.array(["no", "yes"])[y]
    options: dict[str, dict[str, Any]] = {"numbers": {}, "names": {"positive": "yes"}, "given": {"classes": "no,yes"}}
    warning = told(score(q, truth, **options[labels]), "columns-permuted")
    option, value = shlex.split(warning.advice)[-2:]
    again: dict[str, Any] = {option.removeprefix("--"): value}
    mended = score(q, truth, **again)
    assert shares(warning.message) == pytest.approx([mended.accuracy, 1 - (mended.accuracy or 0)], abs=0.0006)
    assert mended.accuracy is not None and mended.accuracy > 0.9


@pytest.mark.parametrize(
    "options", [{}, {"class_weight": {"0": 4.0, "1": 0.5}}, {"label_smoothing": 0.2}, {"clip": 0.01}]
)
@pytest.mark.parametrize("form", ["positions", "one-hot"])
def test_the_share_of_the_cost_that_another_order_saves_is_found_by_scoring_in_it(form: str, options: Any) -> None:
    z, y = model(4)
    labels = y if form == "positions" else np.eye(4)[y]
    order = [3, 1, 2, 0]
    found = causes(softmax(z)[:, order], labels, **options).causes[0]
    right, wrong = score(softmax(z), labels, **options).cost, score(softmax(z)[:, order], labels, **options).cost
    assert found.code == "columns-permuted"
    assert found.share == pytest.approx(1 - right / wrong)


# Rows that are one apart


def shifted_inputs(layout: str, name: str, seed: int = 3) -> tuple[Array, Array, dict[str, Any]]:
    """Good predictions, their labels and the options they need."""
    random = np.random.default_rng(seed)
    if layout == "multilabel":
        y = (random.random((N, 3)) < [0.5, 0.3, 0.6]).astype(float)
        z = 4.0 * (2 * y - 1) + random.normal(size=y.shape)
        q = 1 / (1 + np.exp(-z))
        given = {"logits": z, "logprobs": np.log(q), "probs": q, "hard": (z > 0).astype(float)}
        given["zeros"] = np.where(q < 0.05, 0.0, np.where(q > 0.95, 1.0, q))
        return given[name], y, {"multilabel": True, "kind": of_kind(name)}
    if layout == "column":
        y = random.integers(0, 2, N)
        z = 4.0 * (2 * y - 1) + random.normal(size=N)
        q = 1 / (1 + np.exp(-z))
        given = {"logits": z, "logprobs": np.log(q), "probs": q, "hard": (z > 0).astype(float)}
        given["zeros"] = np.where(q < 0.05, 0.0, np.where(q > 0.95, 1.0, q))
        return given[name], y, {"kind": of_kind(name)}
    z, y = model(5, seed)
    return as_kind(z, name), np.eye(5)[y] if layout == "one-hot" else y, {"kind": of_kind(name)}


LAYOUTS = ["positions", "one-hot", "column", "multilabel"]


@pytest.mark.parametrize(
    ("layout", "where", "name", "block_bytes"), some_of(LAYOUTS, ["before", "after"], EVERY_KIND, [64, None])
)
def test_every_figure_of_rows_one_apart_is_found_with_the_rows_put_right(
    layout: str, where: str, name: str, block_bytes: int | None
) -> None:
    q, y, options = shifted_inputs(layout, name)
    if block_bytes:
        # Of several columns each row is a block then.
        q, y = q[:60], y[:60]
    # The row before (after) has the label of each row.
    wrong = np.roll(q, 1 if where == "before" else -1, axis=0)
    found = score(wrong, y, block_bytes=block_bytes, **options)
    warning = told(found, "shifted")
    assert f"the row {where} it" in warning.message
    moved, labels = (wrong[1:], y[:-1]) if where == "before" else (wrong[:-1], y[1:])
    mended = score(moved, labels, **options)
    numbers = [
        float(number.replace(",", "")) for number in re.findall(r"(?<![\w.])[\d][\d.,e+-]*\d|\d", warning.message)
    ]
    if np.isfinite(found.cost):
        assert numbers == pytest.approx([mended.cost, found.cost], rel=1e-3)
    else:
        want = [100 * (mended.accuracy or 0), 100 * (found.accuracy or 0), mended.infinite.count, found.infinite.count]
        assert numbers == pytest.approx(want, abs=0.06)
    assert "shifted" not in codes(q, y, **options)


@pytest.mark.parametrize("options", [{"clip": 1e-6}, {"base": "2"}, {"renormalize": True}, {"scale": 1.0}])
@pytest.mark.parametrize("name", ["probs", "hard"])
def test_rows_one_apart_are_seen_beside_options(options: dict[str, Any], name: str) -> None:
    q, y, more = shifted_inputs("positions", name)
    wrong = np.roll(q, 1, axis=0)
    warning = told(score(wrong, y, **options, **more), "shifted")
    mended = score(wrong[1:], y[:-1], **options, **more)
    first = re.search(r"([\d.]+) (nats|bits|%)", warning.message)
    assert first is not None
    want = mended.cost if first[2] == mended.unit else 100 * (mended.accuracy or 0)
    assert float(first[1]) == pytest.approx(want, rel=1e-3)


@pytest.mark.parametrize("name", ["probs", "hard"])
def test_beside_ignored_rows_the_figures_are_of_the_rows_whose_neighbour_counts(name: str) -> None:
    q, y, options = shifted_inputs("positions", name)
    wrong, labels = np.roll(q, 1, axis=0), y.copy()
    labels[::7] = -100
    wrong[::7] = np.nan
    warning = told(score(wrong, labels, ignore_label=-100, **options), "shifted")
    pairs = np.flatnonzero((labels[:-1] >= 0) & (labels[1:] >= 0))
    mended, here = (
        score(wrong[pairs + 1], labels[pairs], **options),
        score(wrong[pairs + 1], labels[pairs + 1], **options),
    )
    assert warning.message.endswith(f"(over {len(pairs)} rows)")
    if name == "probs":
        assert f"{mended.cost:.4g} nats, not {here.cost:.4g}" in warning.message
    else:
        assert f"{mended.infinite.count} rows, not {here.infinite.count}" in warning.message


def test_of_a_long_file_the_first_rows_are_compared_with_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xentcli.analysis.shifts.ENOUGH", 100)
    q, y, _ = shifted_inputs("positions", "probs")
    first, last = np.argsort(y[:100]), 100 + np.random.default_rng(1).permutation(N - 100)
    # Sorted rows that are right, then rows in no order: the label of the row before fits the first ones nearly as well.
    mixed = np.concatenate([q[first], q[last]])
    found = codes(mixed, np.concatenate([y[first], y[100:]]), block_bytes=800)
    assert "worse-than-prior" in found and "shifted" not in found
    wrong = np.roll(q, 1, axis=0)
    warning = told(score(wrong, y, block_bytes=800), "shifted")
    rows = int(warning.message.partition("(over ")[2].split()[0])
    assert rows < N - 1
    assert f"{score(wrong[1 : rows + 1], y[:rows]).cost:.4g} nats" in warning.message


def costly() -> dict[str, tuple[Any, Any]]:
    """Inputs with a warning that names costs, and beside them an infinite loss or none."""
    q, y, _ = shifted_inputs("positions", "probs")
    zeros = np.roll(q, 1, axis=0)
    zeros[4] = np.eye(q.shape[1])[(y[4] + 1) % q.shape[1]]
    order = np.random.default_rng(2).permutation(N)
    named = pd.DataFrame(np.roll(q, 1, axis=1), columns=list("abcde"))
    return {
        "shifted": (np.roll(q, 1, axis=0), y),
        "no order": (q[order], y),
        "no order, infinite": (zeros[order], y),
        "from 1": (q[:, : q.shape[1]], np.where(y < 3, y + 1, 1)),
        "columns": (named, np.array(list("abcde"))[y]),
    }


UNITS = {"e": ("nats", 1.0), "2": ("bits", np.log(2)), "10": ("bans", np.log(10))}


@pytest.mark.parametrize("base", ["2", "10"])
@pytest.mark.parametrize("what", costly())
def test_every_cost_that_a_warning_or_cause_names_is_in_the_unit_of_the_report(what: str, base: Any) -> None:
    q, y = costly()[what]
    unit, nats = UNITS[base]
    for run in (score, causes):
        here, there = run(q, y), run(q, y, base=base)
        texts = [list(sayings(report)) for report in (here, there)]
        assert len(texts[0]) == len(texts[1])
        for text, other in zip(*texts, strict=True):
            assert not re.search(r"\bnats\b", other)
            costs = [re.findall(rf"(\d[\d.e+-]*) {name}\b", one) for name, one in (("nats", text), (unit, other))]
            assert [float(c) for c in costs[1]] == pytest.approx([float(c) / nats for c in costs[0]], rel=2e-3)
    assert what == "columns" or any("nats" in warning.message for warning in score(q, y).warnings)


def sayings(report: Report | Causes) -> Iterator[str]:
    """The texts of a report that may name costs."""
    found = report.warnings if isinstance(report, Report) else report.causes
    for each in found:
        yield from (value for value in vars(each).values() if isinstance(value, str))


def test_a_column_that_is_always_wrong_is_no_shift() -> None:
    q = np.tile([0.999, 0.5], (30, 1))
    y = np.column_stack([np.zeros(30), np.arange(30) % 2])
    assert codes(q, y, multilabel=True) == ["worse-than-prior"]


@pytest.mark.parametrize("order", ["sorted", "runs"])
def test_rows_in_order_of_their_labels_are_no_shift(order: str) -> None:
    z, y = model(4, strength=3.0)
    by = np.argsort(y, kind="stable") if order == "sorted" else np.argsort(y[np.arange(N) // 10 * 10], kind="stable")
    q = as_kind(z, "zeros")[by]
    assert set(codes(q, y[by])) <= {"infinite"}


# Predicted classes in place of probabilities


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("options", [{}, {"clip": 1e-15}])
def test_predicted_classes_are_seen(layout: str, options: dict[str, Any]) -> None:
    q, y, more = shifted_inputs(layout, "hard")
    q[5] = 1 - q[5] if layout in ("column", "multilabel") else np.roll(q[5], 1)
    assert codes(q, y, **options, **more)[0] == "hard-predictions"
    soft = q.copy()
    soft[-1] = 0.5 if q.ndim == 1 else 1 / q.shape[1]
    assert "hard-predictions" not in codes(soft, y, **options, **more), "one row that is not"


@pytest.mark.parametrize("kind", ["true-probs", "true-logprobs", "logprobs"])
def test_certain_predictions_are_seen_in_every_kind(kind: str) -> None:
    certain, even = (0.0, 0.5) if kind == "true-probs" else (-np.inf, np.log(0.5))
    one = 1.0 if kind == "true-probs" else 0.0
    if kind == "logprobs":
        q = np.where(np.eye(2)[np.arange(40) % 2] == 1, 0.0, -np.inf)
        assert "hard-predictions" in codes(q, np.r_[1, 1, np.arange(2, 40) % 2], kind=kind)
        return
    values = np.array([one] * 20 + [certain])
    assert codes(values, kind=kind) == ["hard-predictions", "infinite"]
    assert codes(np.append(values, even), kind=kind) == ["infinite"]


def test_predicted_classes_that_are_all_right_have_a_cost_of_0() -> None:
    assert codes(np.eye(3)[np.arange(40) % 3], np.arange(40) % 3) == []


def test_predicted_classes_are_seen_in_a_few_rows() -> None:
    y = np.array([0, 1, 2, 1, 0, 2])
    for wrong in (np.roll(y, 1), np.roll(y, -1), 2 - y, [0, 1, 2, 1, 0, 0]):
        assert codes(np.eye(3)[wrong], y) == ["hard-predictions", "infinite"]
    assert codes(np.array([[1.0, 0.0], [0.25, 0.75]]), [1, 1]) == ["infinite"]


# An infinite cost


def thirty(classes: int, seed: int) -> tuple[Array, Array]:
    """Predicted classes of 30 rows that are all right, as probabilities, and the labels."""
    y = np.random.default_rng(seed).permutation(np.arange(30) % classes)
    return np.eye(classes)[y], y


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("classes", [2, 3])
def test_thirty_predicted_classes_show_columns_that_are_exchanged(classes: int, seed: int) -> None:
    q, y = thirty(classes, seed)
    if classes == 2:
        q[:3] = 1 - q[:3]
    assert "columns-permuted" in codes(q[:, [1, 0, *range(2, classes)]], y)
    assert "columns-permuted" not in codes(q, y)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("classes", [2, 3])
def test_thirty_predicted_classes_show_that_rows_are_one_apart(classes: int, where: str, seed: int) -> None:
    q, y = thirty(classes, seed)
    warning = told(score(np.roll(q, 1 if where == "before" else -1, axis=0), y), "shifted")
    assert f"the row {where} it, the accuracy would be 100.0 %" in warning.message


def test_rows_in_no_order_are_seen_beside_an_infinite_cost() -> None:
    random = np.random.default_rng(2)
    for name in ("hard", "zeros"):
        q, y, options = shifted_inputs("positions", name)
        assert "worse-than-prior" in codes(random.permutation(q), y, **options)
        assert "worse-than-prior" not in codes(q, y, **options)


def test_the_advice_to_clip_comes_after_what_explains_the_infinite_cost() -> None:
    q, y, options = shifted_inputs("positions", "zeros")
    found = codes(np.roll(q, 1, axis=0), y, **options)
    assert found[-1] == "infinite" and "shifted" in found


# No alarm for honest models


def honest(random: np.random.Generator) -> tuple[Array, Array, int]:
    """Labels and predicted classes of a model of any strength, number of classes, balance and bias."""
    classes, rows = int(random.choice([2, 3, 5, 10, 50, 200])), int(random.choice([30, 100, 1000, 10_000]))
    weights = random.gamma(random.choice([0.3, 1.0, 100.0]), size=classes) + 1e-9
    y = random.choice(classes, rows, p=weights / weights.sum())
    z = random.normal(size=(rows, classes))
    z[np.arange(rows), y] += random.choice([0.0, 0.1, 0.5, 1.0, 4.0]) * random.uniform(0.2, 1.5, classes)[y]
    match random.integers(4):
        case 0:  # trained on other frequencies
            z += random.normal(size=classes) * 3
        case 1:  # heeds the frequencies
            z += np.log(weights / weights.sum())
        case 2:  # never predicts one class
            z[:, random.integers(classes)] -= 20
    return y, z.argmax(axis=1), classes


@pytest.mark.parametrize("seed", some_of(range(6)))
def test_no_columns_are_exchanged_in_honest_models(seed: int) -> None:
    random = np.random.default_rng(seed)
    for _ in range(100):
        y, predicted, classes = honest(random)
        codes_, counts = counted(y * classes + predicted)
        pairs = Pairs(*np.divmod(codes_, classes), counts)
        assert better_order(pairs, classes) is None


@pytest.mark.parametrize("seed", some_of(range(4)))
def test_honest_models_raise_no_alarm_of_columns_or_rows(seed: int) -> None:
    random = np.random.default_rng(seed)
    for _ in range(25):
        classes, rows = int(random.choice([2, 3, 10])), int(random.choice([30, 100, 500]))
        y = random.integers(0, classes, rows)
        if random.random() < 0.5:
            y = np.sort(y)
        strength = random.choice([0.3, 1.0, 3.0])
        z = strength * (random.normal(size=(rows, classes)) + strength * np.eye(classes)[y])
        name = str(random.choice(EVERY_KIND))
        found = set(codes(as_kind(z, name), y, kind=of_kind(name)))
        assert not found & {"columns-permuted", "shifted", "softmax-twice"}


def test_thousand_classes_that_nothing_predicts_are_looked_through_quickly() -> None:
    random = np.random.default_rng(1)
    codes_, counts = counted(random.integers(0, 1000, 400_000) * 1000 + random.integers(0, 1000, 400_000))
    assert better_order(Pairs(*np.divmod(codes_, 1000), counts), 1000) is None


def test_a_cycle_of_columns_is_taken_apart_from_the_others() -> None:
    y = np.repeat(np.arange(8), 20)
    stands_for = np.array([0, 2, 3, 1, 4, 6, 5, 7])
    predicted = np.argsort(stands_for)[y]
    codes_, counts = counted(y * 8 + predicted)
    assert better_order(Pairs(*np.divmod(codes_, 8), counts), 8) == stands_for.tolist()


# Every kind, with weights and --multilabel, whatever the block size


@pytest.mark.parametrize(
    ("kind", "clip", "block_bytes"), some_of(["probs", "logits", "logprobs"], [None, 0.01], [1, 40, None])
)
def test_a_block_without_weight_changes_nothing(kind: str, clip: float | None, block_bytes: int | None) -> None:
    random = np.random.default_rng(4)
    z = random.normal(size=(40, 2))
    q = 1 / (1 + np.exp(-z))
    given = {"probs": q, "logits": z, "logprobs": np.log(q)}[kind]
    frame = pd.DataFrame(given, columns=["x", "y"]).assign(w=np.r_[np.zeros(15), np.ones(10), np.zeros(15)])
    labels = pd.DataFrame((random.random((40, 2)) < q).astype(int), columns=["t", "u"])
    options: dict[str, Any] = {"kind": kind, "clip": clip, "preds": "x,y", "weights": "w", "multilabel": True}
    found = score(frame, labels, block_bytes=block_bytes, by_class=True, worst=2, **options)
    want = score(frame[15:25].reset_index(drop=True), labels[15:25].reset_index(drop=True), by_class=True, **options)
    for figure in ("cost", "standard_error", "brier", "accuracy", "prior"):
        assert found.value(figure) == want.value(figure)
    assert found.by_class == want.by_class
    with pytest.raises(NoVerdict):
        score(frame[:15], labels[:15], block_bytes=block_bytes, **options)


@pytest.mark.parametrize("size", [354.0, 800.0, 1e308])
def test_columns_of_large_logits_are_scored_and_compared(size: float) -> None:
    z = np.tile([size, 1.0], (40, 1))
    y = np.column_stack([np.zeros(40), np.arange(40) % 2])
    report = score(z, y, multilabel=True, kind="logits")
    want = (size + np.logaddexp(0, 1.0) - 0.5) / 2
    assert report.cost == pytest.approx(want, rel=1e-12)
    assert "shifted" not in [warning.code for warning in report.warnings]


def test_logits_of_columns_that_look_like_probabilities_have_no_sum() -> None:
    random = np.random.default_rng(1)
    q = random.uniform(0, 1, (60, 3))
    y = (random.random((60, 3)) < q).astype(int)
    found = score(q, 1 - y, kind="logits", multilabel=True)
    assert told(found, "probabilities-as-logits").message == "every logit lies from 0 to 1, as probabilities do"
    assert "probabilities-as-logits" not in codes(0.9 * y, y, kind="logits", multilabel=True), (
        "healthy ones may be small"
    )


def test_soft_targets_have_no_comparison_of_rows_in_any_layout() -> None:
    for layout in ("column", "multilabel"):
        q, y, options = shifted_inputs(layout, "probs")
        soft = np.clip(y, 0.05, 0.95)
        assert not {"shifted", "worse-than-prior"} & set(codes(np.roll(q, 1, axis=0), soft, **options))


# A diagnosis never costs a result

PARTS = [
    (xentcli.tallies.looks, "_hard"),
    (xentcli.tallies.looks, "_probable"),
    (xentcli.tallies.looks, "_twice"),
    (xentcli.tallies.confusion, "counted"),
    (xentcli.tallies.confusion.Confusion, "merge"),
    (xentcli.analysis.reordering, "better_order"),
    (xentcli.analysis.findings, "percent"),
    (xentcli.analysis.shifts, "shift_warning"),
]
parts = pytest.mark.parametrize(("place", "name"), PARTS, ids=[name for _, name in PARTS])


def fails(*args: Any, **options: Any) -> Any:
    raise ZeroDivisionError("a defect")


@functools.cache
def whole_of(layout: str, block_bytes: int | None) -> Report:
    """The report with all diagnoses."""
    q, y, options = shifted_inputs(layout, "zeros")
    found = score(np.roll(q, 1, axis=0), y, block_bytes=block_bytes, **options)
    # They are made when they are first asked for.
    assert found.warnings
    return found


@parts
@pytest.mark.parametrize("layout", ["positions", "multilabel"])
@pytest.mark.parametrize("block_bytes", [400, None])
def test_a_diagnosis_that_fails_is_left_out(
    place: Any, name: str, layout: str, block_bytes: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    q, y, options = shifted_inputs(layout, "zeros")
    wrong = np.roll(q, 1, axis=0)
    whole = whole_of(layout, block_bytes)
    before = [(one.code, one.message) for one in whole.warnings]
    monkeypatch.setattr(place, name, fails)
    monkeypatch.setattr(attempts, "STRICT", False)
    found = score(wrong, y, block_bytes=block_bytes, **options)
    # Without the warning of a shift another one asks for the order of the rows.
    after = [(one.code, one.message) for one in found.warnings]
    assert [one for one in before if one in after] == after
    assert without_warnings(found) == without_warnings(whole)


def without_warnings(report: Report) -> dict[str, Any]:
    return {name: value for name, value in report.to_dict().items() if name != "warnings"}


@parts
def test_in_the_suite_a_diagnosis_that_fails_is_an_error(
    place: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, name, fails)
    q, y, options = shifted_inputs("positions", "hard" if name != "_probable" else "logits")
    with pytest.raises(ZeroDivisionError):
        _ = score(np.roll(q, 1, axis=0), y, block_bytes=400, **options).warnings


@pytest.mark.parametrize("error", [FileError("gone"), OSError("gone"), MemoryError()])
def test_a_file_that_is_gone_and_a_lack_of_memory_are_no_defects(error: Exception) -> None:
    def raises() -> int:
        raise error

    assert attempts.attempted(raises, 3) == 3
    with pytest.raises(DataError):
        attempts.attempted(lambda: score([[2.0]], [0]), None)


def test_what_another_order_saves_is_left_out_where_it_cannot_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    z, y = model(4)
    monkeypatch.setattr(xentcli.analysis.causes, "better_order", fails)
    monkeypatch.setattr(attempts, "STRICT", False)
    first = causes(softmax(z)[:, [1, 0, 2, 3]], y).causes[0]
    assert (first.code, first.share) == ("columns-permuted", None)


def test_the_command_ends_well_where_a_diagnosis_fails(tmp_path: Any, write: Write, xent: Run) -> None:
    z, y = model(3)
    write("p.csv", csv(softmax(np.roll(z, 1, axis=0)).tolist(), ["a", "b", "c"]))
    write("l.csv", csv([[label] for label in y.tolist()], ["y"]))
    script = (
        "import xentcli.analysis.shifts as e; from xentcli.cli import main\n"
        "def fails(case): raise ZeroDivisionError\n"
        "e.shift_warning = fails; main()"
    )
    command = ["score", "p.csv", "l.csv", "--format", "json"]
    done = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, cwd=tmp_path, check=False)
    whole = json.loads(xent(*command).stdout)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [warning["code"] for warning in json.loads(done.stdout)["warnings"]] == ["worse-than-prior"]
    assert [warning["code"] for warning in whole["warnings"]] == ["worse-than-prior", "shifted"]
    assert json.loads(done.stdout)["cost"] == whole["cost"]
