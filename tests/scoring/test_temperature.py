"""--temperature: softmax(z / T), or softmax(ln q / T), against SciPy and 50-digit arithmetic."""

from __future__ import annotations

import json
import math
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_expit, log_softmax, logit

from tests.conftest import Call, Write
from tests.laws import settings
from xentcli import explain, score
from xentcli.report.per_example import PerExample

laws = settings(deadline=None, max_examples=50)
KINDS = ("probs", "logits", "logprobs")
shapes = st.tuples(st.integers(1, 12), st.integers(2, 30), st.integers(0, 2**32))
temperatures = st.sampled_from([0.05, 0.271, 0.5, 1.0, 3.0, 40.0])


def example(rows: int, classes: int, seed: int) -> tuple[Any, Any]:
    """Logits, and labels drawn from their softmax."""
    random = np.random.default_rng(seed)
    z = random.normal(0, 3, (rows, classes))
    return z, random.integers(0, classes, rows)


def as_kind(kind: Any, z: Any) -> Any:
    return {"logits": z, "logprobs": log_softmax(z, axis=1), "probs": np.exp(log_softmax(z, axis=1))}[kind]


def losses(predictions: Any, labels: Any, **options: Any) -> Any:
    found: list[PerExample] = []
    score(predictions, labels, sink=found.append, **options)
    return np.concatenate([block.loss for block in found])


@laws
@given(shapes, temperatures, st.sampled_from(KINDS))
def test_losses_are_those_of_the_softmax_at_that_temperature(
    shape: tuple[int, int, int], temperature: float, kind: str
) -> None:
    z, y = example(*shape)
    expected = -log_softmax(z / temperature, axis=1)[np.arange(len(y)), y]
    # A logarithm of a probability is off by 1e-16 of itself, which T = 0.05 makes 20 times that.
    slack = 1e-14 * (1 + np.abs(z).max() / temperature)
    assert losses(as_kind(kind, z), y, kind=kind, temperature=temperature) == pytest.approx(expected, abs=slack)


@laws
@given(shapes, temperatures, st.sampled_from(KINDS))
def test_soft_targets_and_weights_are_those_of_the_softmax_too(
    shape: tuple[int, int, int], temperature: float, kind: str
) -> None:
    z, _ = example(*shape)
    soft = np.exp(log_softmax(z[:, ::-1], axis=1))
    expected = -(soft * log_softmax(z / temperature, axis=1)).sum(axis=1).mean()
    cost = score(as_kind(kind, z), soft, kind=kind, temperature=temperature).cost  # type: ignore[arg-type]
    assert cost == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("q", ["1e-12", "0.3", "0.999999999999"])
@pytest.mark.parametrize("temperature", ["0.25", "3"])
def test_one_column_is_the_sigmoid_of_its_logit_over_t(q: str, temperature: str) -> None:
    value = float(q)
    with mpmath.workdps(50):
        odds = (mpmath.mpf(value) / (1 - mpmath.mpf(value))) ** (1 / mpmath.mpf(float(temperature)))
        wanted = [float(mpmath.log(1 + odds)), float(mpmath.log(1 + 1 / odds))]
    for kind, column in (("probs", value), ("logits", logit(value)), ("logprobs", math.log(value))):
        found = losses([[column]] * 2, [0, 1], kind=kind, temperature=float(temperature))
        # Beside a q near 1 a logit, or a logarithm, has few digits of 1 - q.
        assert found == pytest.approx(wanted, rel=1e-13 if kind == "probs" else 1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_each_column_of_multilabel_is_a_sigmoid_of_its_own(kind: Any) -> None:
    z = np.random.default_rng(5).normal(0, 2, (40, 3))
    y = (np.random.default_rng(6).random((40, 3)) < 0.4).astype(float)
    given_ = {"logits": z, "probs": np.exp(log_expit(z)), "logprobs": log_expit(z)}[kind]
    expected = -(y * log_expit(z / 0.5) + (1 - y) * log_expit(-z / 0.5)).mean()
    assert score(given_, y, kind=kind, multilabel=True, temperature=0.5).cost == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_temperature_of_1_changes_no_bit(kind: str) -> None:
    z, y = example(50, 4, 3)
    plain, at_one = (losses(as_kind(kind, z), y, kind=kind, **more) for more in ({}, {"temperature": 1.0}))
    assert plain.tobytes() == at_one.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_the_predicted_classes_stay_and_confidence_falls_as_t_rises(kind: Any) -> None:
    z, y = example(200, 5, 4)
    reports = [score(as_kind(kind, z), y, kind=kind, temperature=t) for t in (0.1, 1.0, 10.0)]
    assert len({report.accuracy for report in reports}) == 1
    # At a high temperature all classes are alike.
    assert score(as_kind(kind, z), y, kind=kind, temperature=1e9).cost == pytest.approx(math.log(5), rel=1e-6)


def test_a_probability_of_0_stays_0_and_clipping_comes_after() -> None:
    q, y = [[0.0, 0.5, 0.5], [0.25, 0.75, 0.0]], [0, 1]
    assert math.isinf(score(q, y, temperature=2.0).cost)
    clipped = score(q, y, temperature=2.0, clip=1e-3)
    second = math.log(1 + math.sqrt(1 / 3))
    assert clipped.cost == pytest.approx((-math.log(1e-3) + second) / 2, rel=1e-14)
    assert clipped.clip is not None and clipped.clip.count == 1


def test_logits_that_t_takes_beyond_the_doubles_are_no_error() -> None:
    assert losses([[1e300, 0.0], [1e300, 1e300]], [0, 1], kind="logits", temperature=1e-20).tolist() == [
        0.0,
        pytest.approx(math.log(2)),
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("more", [{"class_weight": {"0": 3.0}}, {"label_smoothing": 0.1}])
def test_class_weights_and_smoothing_apply_to_what_the_softmax_gives(kind: Any, more: dict[str, Any]) -> None:
    z, y = example(60, 3, 9)
    at_t = score(as_kind(kind, z), y, kind=kind, temperature=0.4, **more)
    assert at_t.cost == pytest.approx(score(z / 0.4, y, kind="logits", **more).cost, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_steps_show_what_is_divided_and_end_in_the_same_loss(kind: Any) -> None:
    z, y = example(3, 3, 1)
    values = as_kind(kind, z)
    steps = explain(values, y, row=2, kind=kind, temperature=0.5)
    assert steps.loss == losses(values, y, kind=kind, temperature=0.5)[1]
    assert (steps.kind, steps.temperature) == (kind, 0.5)
    given_ = np.array([term.given for term in steps.terms])
    assert given_.tobytes() == values[1].tobytes()
    scores = np.array([term.score for term in steps.terms])
    assert scores == pytest.approx((np.log(given_) if kind == "probs" else given_) / 0.5, rel=1e-15)


def test_the_steps_read_as_equations(call: Call) -> None:
    shown = call("explain", "--probs", "0.1,0.9", "--label", "0", "--temperature", "0.5").out
    assert "u = ln p / 0.5" in shown and "logsumexp(u)" in shown
    shown = call("explain", "--logits", "2,1", "--label", "0", "--temperature", "4").out
    assert "The model gave logits z. --temperature divides z first: u = z / 4." in shown
    assert "--temperature" not in call("explain", "--logits", "2,1", "--label", "0", "--temperature", "1").out


def test_check_holds_limits_to_what_it_gives(call: Call, write: Write) -> None:
    files = write("p.csv", "a,b\n0.6,0.4\n0.3,0.7\n"), write("y.csv", "y\na\nb\n")
    plain, cooled = (score(*files, temperature=t).cost for t in (1.0, 0.5))
    limit = f"cost={(plain + cooled) / 2}"
    assert call("check", *files, "--max", limit).code == 1
    done = call("check", *files, "--max", limit, "--temperature", "0.5", "--format", "json")
    assert done.code == 0
    assert json.loads(done.out)["options"]["temperature"] == {"value": 0.5, "by": "flag"}
