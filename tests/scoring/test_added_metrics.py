"""One row in METRICS is a metric: two are added from outside, and every form of output has their values."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner
from scipy.special import softmax

from tests.conftest import Write
from xentcli.cli import main
from xentcli.scoring.batch import Batch
from xentcli.scoring.checks import checked
from xentcli.scoring.losses import Workings
from xentcli.scoring.metrics import METRICS, Metric
from xentcli.scoring.recipe import Recipe

Floats = npt.NDArray[np.float64]
ROWS, CLASSES = 40, 4


def margin(work: Workings) -> Floats:
    """f8[n]: the largest probability less the second largest, of whole rows."""
    highest = np.sort(work.probabilities, axis=1)
    return highest[:, -1] - highest[:, -2]


def surprise(work: Workings) -> Floats:
    """f8[n]: -ln of the probability of the predicted class, by the reduced rows."""
    return 0.0 - np.log(work.confidence)


def of_rows(q: Floats) -> dict[str, Floats]:
    """The same two, by other means."""
    return {"margin": -np.diff(np.partition(q, -2)[:, -2:][:, ::-1])[:, 0], "surprise": -np.log(q.max(axis=1))}


ADDED = {
    "margin": Metric("margin", "mean margin", "largest less second largest", per_example=margin, unit="share"),
    "surprise": Metric(
        "surprise", "surprise", "-ln q of the predicted class", per_example=surprise, reduced=True, unit="loss"
    ),
}
DATA: dict[str, tuple[str, ...]] = {
    "plain": (),
    "smoothed": ("--label-smoothing", "0.1"),
    "weighted": ("--weights", "@w.csv:w"),
    "weighted by class": ("--class-weight", "c1=3", "--class-weight", "c2=0.5"),
    "clipped": ("--clip", "0.2"),
    "in bits": ("--base", "2"),
    "logits": ("--kind", "logits"),
    "logits, smoothed": ("--kind", "logits", "--label-smoothing", "0.1"),
    "multilabel": ("--multilabel",),
    "multilabel, weighted": ("--multilabel", "--weights", "@w.csv:w"),
    "soft": (),
    "float32": (),
}


@pytest.fixture(params=DATA)
def case(request: pytest.FixtureRequest, write: Write, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The arguments of a score, and the value of each added metric."""
    monkeypatch.chdir(tmp_path)
    name, random = request.param, np.random.default_rng(3)
    z, y, w = random.normal(size=(ROWS, CLASSES)) * 2, random.integers(0, CLASSES, ROWS), random.random(ROWS) + 0.5
    q = softmax(z, axis=1)
    header = ",".join(f"c{c}" for c in range(CLASSES)) + "\n"
    table = z if "logits" in name else q
    preds = write("p.csv", header + "".join(",".join(map(repr, row)) + "\n" for row in table.tolist()))
    labels = write("y.csv", "label\n" + "".join(f"c{c}\n" for c in y.tolist()))
    write("w.csv", "w\n" + "".join(f"{value!r}\n" for value in w.tolist()))
    if "multilabel" in name or name == "soft":
        target = random.integers(0, 2, (ROWS, CLASSES)) if "multilabel" in name else softmax(-z, axis=1)
        labels = write("y.csv", header + "".join(",".join(map(repr, row)) + "\n" for row in target.tolist()))
    if name == "float32":
        q = q.astype("f4").astype("f8")
        preds = tmp_path / "p.npy"
        np.save(preds, q.astype("f4"))
        labels = write("y.csv", "label\n" + "".join(f"{c}\n" for c in y.tolist()))
    values = of_rows(q)
    if "multilabel" in name:
        columns = of_rows(np.stack([1 - q.ravel(), q.ravel()], axis=1))
        values = {metric: value.reshape(q.shape).mean(axis=1) for metric, value in columns.items()}
    weight = w if "weighted" in name and "class" not in name else np.ones(ROWS)
    weight = np.array([1, 3, 0.5, 1])[y] if name == "weighted by class" else weight
    unit = {"margin": 1.0, "surprise": math.log(2) if name == "in bits" else 1.0}
    want = {metric: float(np.average(value, weights=weight)) / unit[metric] for metric, value in values.items()}
    return [str(preds), str(labels), *DATA[name]], want


def add(monkeypatch: pytest.MonkeyPatch, *, usual: bool) -> None:
    from xentcli.records import replace

    for name, metric in ADDED.items():
        monkeypatch.setitem(METRICS, name, replace(metric, usual=usual))


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.stdout


@pytest.mark.parametrize("usual", [True, False], ids=["usual", "asked-for"])
def test_added_metrics_are_right_in_every_form(case: Any, usual: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, usual=usual)
    arguments, want = case
    asked = () if usual else ("--metrics", "cost,margin,surprise")
    near: Callable[[float], Any] = lambda value: pytest.approx(value, rel=1e-12)  # noqa: E731
    report = json.loads(run("score", *arguments, *asked, "--format", "json"))
    assert {name: report[name] for name in want} == {name: near(value) for name, value in want.items()}
    rows = csv.DictReader(io.StringIO(run("score", *arguments, *asked, "--format", "csv")))
    found = {row["metric"]: row["value"] for row in rows if row["metric"] in want}
    assert {name: float(value) for name, value in found.items()} == {name: near(want[name]) for name in want}
    table = run("score", *arguments, "--metrics", "margin,surprise")
    for name, value in want.items():
        shown = re.search(rf"^{ADDED[name].title}\s+(\d+(?:\.(\d*))?)", table, re.MULTILINE)
        assert shown is not None and abs(float(shown[1]) - value) <= 10 ** -len(shown[2] or "")
        assert float(run("score", *arguments, "--get", name)) == near(value)
        checked = json.loads(run("check", *arguments, "--max", f"{name}={value + 0.01!r}", "--format", "json"))
        assert checked["verdict"] == "pass" and checked["checks"][0]["value"] == near(value)
        run("check", *arguments, "--max", f"{name}={value - 0.01!r}", code=1)


def test_only_what_is_asked_for_is_computed(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def counted(work: Workings) -> Floats:
        calls.append(len(work.batch.rows))
        return work.confidence

    monkeypatch.setitem(METRICS, "counted", Metric("counted", "counted", "x", per_example=counted, usual=False))
    files = [str(write("p.csv", "a,b\n0.25,0.75\n0.5,0.5\n")), str(write("y.csv", "label\na\nb\n"))]
    assert "counted" not in json.loads(run("score", *files, "--format", "json"))
    assert not calls
    assert float(run("score", *files, "--get", "counted")) == 0.625
    assert calls == [2]


def test_a_metric_without_labels_and_one_of_the_totals(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    longest = Metric("squared", "squared", "x", per_example=lambda work: work.loss**2, labelled=False, usual=False)
    twice = Metric("twice", "twice", "x", derive=lambda totals: 2 * totals.cost, unit="loss", usual=False)
    for metric in (longest, twice):
        monkeypatch.setitem(METRICS, metric.name, metric)
    options = (str(write("l.csv", "loss,w\n1,1\n3,3\n")), "--kind", "losses", "--preds", "loss", "--weights", "w")
    assert float(run("score", *options, "--get", "squared")) == 7
    assert float(run("score", *options, "--get", "twice")) == 5
    assert float(run("score", *options, "--get", "twice", "--base", "2")) == pytest.approx(5 / math.log(2))
    assert "twice" not in json.loads(run("score", *options, "--format", "json"))


@pytest.mark.parametrize("kind", ["probs", "logits"])
def test_joined_rows_have_the_figures_of_their_parts_and_raise_where_predictions_are_needed(kind: str) -> None:
    random = np.random.default_rng(5)
    q = softmax(random.normal(size=(ROWS, CLASSES)), axis=1)
    y, w = random.integers(0, CLASSES, ROWS), random.random(ROWS) + 0.5

    def batch_of(rows: slice, weight: Floats | None) -> Batch:
        values = q[rows] if kind == "probs" else np.log(q[rows])
        numbers = np.arange(1, ROWS + 1)[rows]
        return checked(
            values,
            y[rows],
            weight,
            recipe=Recipe(kind),
            rows=numbers,
            where=lambda *_: pytest.fail("no row is at fault"),
        )

    parts = [batch_of(slice(0, 9), None), batch_of(slice(9, ROWS), w[9:])]
    joined, parts_of = Workings(Batch.joined(parts)), [Workings(part) for part in parts]
    for name in ("loss", "truth", "confidence", "predicted", "index"):
        assert getattr(joined, name).tolist() == [value for part in parts_of for value in getattr(part, name).tolist()]
    assert joined.batch.weight is not None and joined.batch.weight.tolist() == [*[1.0] * 9, *w[9:]]
    assert joined.batch.deviation == max((p.deviation for p in parts if p.deviation is not None), default=None)
    with pytest.raises(RuntimeError, match="needs the predictions"):
        margin(joined)
    with pytest.raises(RuntimeError, match="needs the predictions"):
        margin(joined.of_rows(np.arange(3)))
