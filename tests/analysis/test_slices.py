"""Slices obey: a group has the figures of a score of its rows alone; classes make up the whole, soft targets too."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import Call, Write
from tests.laws import some_of
from xentcli import score
from xentcli.errors import UsageError
from xentcli.scoring.metrics import METRICS

RNG = np.random.default_rng(17)
N, NAMES = 60, ["cat", "dog", "emu"]
Q = RNG.dirichlet([1.0, 2.0, 1.5], N)
FRAME = pd.DataFrame(
    {
        **dict(zip(NAMES, Q.T, strict=True)),
        "y": RNG.choice(NAMES, N),
        "site": RNG.choice(["n", "s", "w"], N),
        "day": RNG.choice(["1", "2"], N),
        "ward": RNG.choice(list("abcdefg"), N),
        "w": RNG.integers(0, 4, N).astype(float),
        "size": RNG.integers(1, 9, N),
    }
)
SOFT = {f"t_{name}": part for name, part in zip(NAMES, RNG.dirichlet([1.0, 1.0, 1.0], N).T, strict=True)}
BY_NAME = [name for name, metric in METRICS.items() if not metric.tally and not metric.of_reference] + ["top2"]
"""Those of --reference have their tests in tests/analysis/test_reference.py."""
HARD: dict[str, Any] = {"preds": ",".join(NAMES), "label": "y"}


def _same(found: dict[str, float | None], report: Any, names: list[str]) -> None:
    for name in names:
        one, other = found[name], report.value(name)
        assert one == pytest.approx(other, rel=1e-12, abs=1e-15) if other is not None else one is None, name


@pytest.mark.parametrize(
    ("options", "soft"),
    some_of(
        [
            {},
            {"weights": "w"},
            {"bytes": "size", "weights": "w"},
            {"class_weight": {"cat": 2.5}},
            {"label_smoothing": 0.1},
            {"cluster": "ward"},
            {"cluster": "ward", "weights": "w"},
            {"base": "2", "clip": 0.2},
            {"temperature": 2.0},
        ],
        [False, True],
        of=2,
    ),
    ids=str,
)
def test_a_group_has_what_a_score_of_its_rows_alone_has(options: dict[str, Any], soft: bool) -> None:
    frame = FRAME.assign(**SOFT)
    given = {"preds": ",".join(NAMES), "label": ",".join(SOFT) if soft else "y", **options}
    names = [name for name in BY_NAME if name not in ("standard_error",)] if "w" in options else BY_NAME
    report = score(frame, **given, metrics=names, by=["site", "site,day"])
    assert len(report.by) == 3 + 6
    for part in report.by:
        rows = np.logical_and.reduce([frame[column] == value for column, value in part.group.items()])
        alone = score(frame[rows], **given, metrics=names)
        _same(dict(part.metrics), alone, names)
        assert part.standard_error == pytest.approx(alone.standard_error, rel=1e-12)
        assert part.interval is not None and alone.interval is not None
        found, wanted = ((end.low, end.high) for end in (part.interval, alone.interval))
        assert found == pytest.approx(wanted, rel=1e-12)
        assert part.interval.note == alone.interval.note


def test_groups_of_independent_columns_have_the_metrics_of_their_rows() -> None:
    y = (RNG.random((N, 3)) < Q).astype(int)
    frame = pd.DataFrame({**dict(zip(NAMES, Q.T, strict=True)), "site": FRAME["site"]})
    labels = pd.DataFrame(y, columns=NAMES)
    given: dict[str, Any] = {
        "multilabel": True,
        "metrics": ["skill", "prior", "accuracy", "brier_halved", "perplexity"],
    }
    report = score(frame, labels, by="site", by_class=True, **given)
    for part in report.by:
        rows = frame["site"] == part.group["site"]
        alone = score(frame[rows].drop(columns="site"), labels[rows], **given)
        _same(dict(part.metrics), alone, given["metrics"])
    for name, part_of in zip(NAMES, report.by_class, strict=True):
        _same(dict(part_of.metrics), score(frame[[name]], labels[name].to_numpy(), **given | {"multilabel": False}),
              given["metrics"])  # fmt: skip


def test_classes_have_the_metrics_of_their_rows() -> None:
    names = ["accuracy", "brier", "perplexity", "top2", "total", "prior", "skill"]
    report = score(FRAME, **HARD, by_class=True, metrics=names)
    for part in report.by_class:
        _same(dict(part.metrics), score(FRAME[FRAME["y"] == part.name], **HARD, metrics=names), names)


@pytest.mark.parametrize("options", [{}, {"weights": "w"}, {"class_weight": {"cat": 2.5}}, {"clip": 0.2}], ids=str)
def test_soft_targets_are_shared_among_the_classes(options: dict[str, Any]) -> None:
    frame = FRAME.assign(**SOFT)
    given: dict[str, Any] = {"preds": ",".join(NAMES), "label": ",".join(SOFT), "by_class": True, **options}
    report = score(frame, **given, metrics="kl")
    weight = np.asarray(frame["w"]) if "weights" in options else np.ones(N)
    assert math.fsum(part.share or 0 for part in report.by_class) == pytest.approx(1, rel=1e-12)
    for c, part in enumerate(report.by_class):
        factor = options.get("class_weight", {}).get(part.name, 1.0)
        mass = weight * factor * SOFT[f"t_{part.name}"]
        q = np.clip(Q[:, c], 0.2, 0.8) if "clip" in options else Q[:, c]
        assert part.mass == pytest.approx(math.fsum(mass), rel=1e-12)
        assert part.cost == pytest.approx(math.fsum(-mass * np.log(q)) / math.fsum(mass), rel=1e-12)
        assert part.accuracy is None
    if "class_weight" not in options:
        whole = math.fsum((part.metrics["kl"] or 0) * (part.mass or 0) for part in report.by_class)
        assert whole / math.fsum(weight) == pytest.approx(report.kl, rel=1e-9)


def test_one_hot_targets_have_the_slices_of_their_labels() -> None:
    hot = {f"t_{name}": (FRAME["y"] == name).astype(float) for name in NAMES}
    one = score(FRAME, **HARD, by_class=True)
    other = score(FRAME.assign(**hot), preds=",".join(NAMES), label=",".join(hot), by_class=True)
    assert one.by_class == other.by_class


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"metrics": "ece", "by": "site"}, ["--metrics ece", "--by", "xent calibration"]),
        ({"metrics": "temperature_gain", "by_class": True}, ["--metrics temperature_gain", "--by-class"]),
        ({"metrics": "bits_per_byte", "bytes": "100", "by": "site"}, ["--bytes 100", "--by", "--bytes COLUMN"]),
    ],
)
def test_a_metric_that_slices_cannot_have_is_refused(options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        score(FRAME, **HARD, **options)
    told = f"{caught.value} {' '.join(caught.value.advice)}"
    assert all(word in told for word in words)


@pytest.mark.parametrize("form", ["table", "json", "csv", "jsonl", "markdown"])
def test_every_form_has_every_metric_of_every_group(call: Call, write: Write, form: str) -> None:
    path = write("run.csv", FRAME.to_csv(index=False))
    names = ["perplexity", "skill", "brier", "accuracy"]
    done = call("score", path, "--label", "y", "--preds", "cat,dog,emu", "--by", "site", "--metrics", ",".join(names),
                "--format", form)  # fmt: skip
    assert done.code == 0
    report = score(FRAME, **HARD, by="site", metrics=names)
    exact, many = form not in ("table", "markdown"), form == "table"
    for part, name in itertools.product(report.by, names):
        value = part.metrics[name]
        assert value is not None
        # On a terminal digits follow the standard error of each figure.
        shown = json.dumps(value) if exact else f"{value:.{4 if many and name != 'perplexity' else 3}f}"
        assert shown in done.out


CHECKED = ("check", "--max", "cost=9")


@pytest.fixture
def run(write: Write) -> list[str]:
    return [write("run.csv", FRAME.to_csv(index=False)), "--label", "y", "--preds", "cat,dog,emu"]


@pytest.mark.parametrize("form", ["table", "json", "csv", "jsonl", "markdown"])
def test_every_form_has_the_worst_rows(call: Call, run: list[str], form: str) -> None:
    worst = score(FRAME, **HARD, worst=3).worst
    done = call("score", *run, "--worst", "3", "--format", form)
    for row in worst:
        loss = {"table": f"{row.loss:.4f}", "markdown": f"{row.loss:.3f}"}.get(form, repr(row.loss))
        assert loss in done.out and str(row.row) in done.out


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "markdown"])
def test_check_has_the_groups_and_metrics_beside_the_limits(call: Call, run: list[str], form: str) -> None:
    done = call(*CHECKED, *run, "--by", "site", "--metrics", "perplexity", "--worst", "1", "--format", form)
    assert done.code == 0
    report = score(FRAME, **HARD, by="site", metrics="perplexity", worst=1)
    places = 3 if form in ("table", "markdown") else 17
    values = [part.metrics["perplexity"] for part in report.by]
    assert all((f"{value:.3f}" if places == 3 else repr(value)) in done.out for value in values if value)
    assert f"{report.worst[0].loss:.3f}"[:-1] in done.out


@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        (("score",), ["--by", "site", "--worst", "2"], ["--by", "--worst"]),
        (("score",), ["--metrics", "cost", "--worst", "2"], ["--metrics", "--worst"]),
        (CHECKED, ["--by", "site"], ["the limits", "--by"]),
        (CHECKED, ["--metrics", "brier"], ["the limits", "--metrics"]),
        (("calibration",), ["--by", "site", "--decompose"], ["--by", "--decompose"]),
    ],
)
def test_two_tables_in_a_form_for_one_are_refused_before_anything_is_read(
    call: Call, run: list[str], command: tuple[str, ...], options: list[str], words: list[str]
) -> None:
    for form in (["--format", "csv"], ["-o", "r.csv"], ["-o", "r.parquet"]):
        done = call(*command, "missing.csv", *run[1:], *options, *form)
        assert (done.code, done.out) == (2, "")
        assert all(word in done.err for word in words)
