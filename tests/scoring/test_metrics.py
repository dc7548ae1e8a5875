"""The table of metrics: one row must be enough, so every row must be right."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

import xentcli
from xentcli.errors import UsageError
from xentcli.records import replace
from xentcli.scoring import measures
from xentcli.scoring.batch import Batch
from xentcli.scoring.losses import Workings
from xentcli.scoring.metrics import METRICS, Metric, find
from xentcli.scoring.recipe import Recipe

EVERY = list(METRICS.values())
SYNONYMS = {"log_loss": "cost", "nll": "cost", "cross_entropy": "cost", "ppl": "perplexity"}


SCORED = xentcli.score([[0.75, 0.25], [0.5, 0.5]], [0, 1], metrics_needed=[*METRICS])


@pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.name)
def test_every_report_has_every_metric_by_name_and_as_an_attribute(metric: Metric) -> None:
    assert METRICS[metric.name] is metric
    assert metric.name in SCORED.metrics
    assert getattr(SCORED, metric.name) == SCORED.value(metric.name) == SCORED.to_dict()[metric.name]
    assert metric.per_example or metric.derive or metric.tally
    assert not metric.always or SCORED.value(metric.name) is not None


def test_a_metric_that_was_left_out_is_undefined_and_another_name_is_no_attribute() -> None:
    metrics = {name: value for name, value in SCORED.metrics.items() if name != "accuracy"}
    report = replace(SCORED, metrics=metrics)
    assert report.accuracy is report.value("accuracy") is report.to_dict()["accuracy"] is None
    assert list(report.to_dict()) == [*SCORED.to_dict()]
    assert not hasattr(report, "accurracy")
    assert copy.deepcopy(report) == pickle.loads(pickle.dumps(report)) == report


@pytest.mark.parametrize("metric", [m for m in EVERY if m.per_example], ids=lambda metric: metric.name)
def test_every_per_example_names_a_function_that_gives_one_double_for_each_row(metric: Metric) -> None:
    assert metric.per_example in measures.__all__
    batch = Batch(Recipe(), np.array([[0.5, 0.5], [0.25, 0.75]]), np.array([0, 1]), None, np.array([1, 2]))
    values = getattr(measures, metric.per_example)(Workings(replace(batch, reference=batch)))
    assert values.dtype == np.float64
    assert values.shape == (2,)


def test_names_and_synonyms_name_one_metric_each() -> None:
    names = [name for metric in EVERY for name in (metric.name, *metric.synonyms)]
    assert len(names) == len(set(names))


def test_names_are_written_as_find_looks_for_them() -> None:
    for metric in EVERY:
        for name in (metric.name, *metric.synonyms):
            assert name == name.strip().lower().replace("-", "_")


def test_every_row_says_what_it_is() -> None:
    for metric in EVERY:
        assert metric.title.strip()
        assert metric.about.strip()
        assert metric.better in ("lower", "higher", "none")
        assert metric.unit in ("loss", "share", "number")


def test_the_promised_metrics_and_their_directions_are_there() -> None:
    better = {metric.name: metric.better for metric in EVERY}
    for name in ("cost", "perplexity", "nce", "brier", "kl", "standard_error"):
        assert better[name] == "lower"
    assert better["accuracy"] == better["skill"] == "higher"
    assert better["prior"] == better["target_entropy"] == "none"


def test_units_follow_from_the_definitions() -> None:
    for name in ("cost", "standard_error", "total", "prior", "target_entropy", "kl"):
        assert METRICS[name].unit == "loss"
    for name in ("perplexity", "nce", "brier", "weight_sum"):
        assert METRICS[name].unit == "number"
    assert METRICS["accuracy"].unit == METRICS["skill"].unit == "share"


def test_accuracy_alone_of_the_first_metrics_needs_hard_labels_and_the_cost_needs_none() -> None:
    assert METRICS["accuracy"].hard
    for name in ("cost", "brier", "prior", "kl", "target_entropy"):
        assert not METRICS[name].hard
    for name in ("cost", "standard_error", "total", "weight_sum", "perplexity"):
        assert not METRICS[name].labelled
    for name in ("accuracy", "brier", "prior", "skill", "nce", "target_entropy", "kl"):
        assert METRICS[name].labelled


@pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.name)
def test_a_metric_is_found_by_name_with_hyphens_in_any_case(metric: Metric) -> None:
    for name in (metric.name, *metric.synonyms):
        for written in (name, name.replace("_", "-"), name.upper(), f" {name.title()} "):
            assert find(written) is metric


def test_a_metric_is_found_by_its_synonym() -> None:
    for synonym, name in SYNONYMS.items():
        assert find(synonym) is METRICS[name]
    assert find("Log-Loss").name == "cost"


@pytest.mark.parametrize("name", ["", "loss", "costs", "accuracy_", "f1", "__class__", "\x1b[31mcost"])
def test_an_unknown_metric_is_a_usage_error_that_lists_all(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        find(name)
    assert caught.value.exit_code == 2
    assert "\x1b" not in str(caught.value)
    for metric in METRICS:
        assert metric in "\n".join(caught.value.advice)


def test_importing_the_table_imports_no_numpy() -> None:
    code = "import sys, xentcli.scoring.metrics; print(sorted({'numpy', 'pandas', 'rich', 'click'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
