"""JSON: the names of the contract, every bit of every number, and the schema that describes it."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

import xentcli
from xentcli.analysis.explain import explain_values
from xentcli.errors import NoVerdict
from xentcli.report import schema
from xentcli.report.report import Report
from xentcli.settings import Settings
from xentcli.writers import rendered
from xentcli.writers.json import render

NAMES = {
    "schema_version": None,
    "xent_version": None,
    "cost": None,
    "unit": None,
    "total": None,
    "weight_sum": None,
    "examples": {"read", "scored", "ignored", "zero_weight"},
    "kind": None,
    "classes": None,
    "labels": {"matched", "columns", "counts"},
    "standard_error": None,
    "interval": {"level", "low", "high"},
    "perplexity": None,
    "prior": None,
    "skill": None,
    "nce": None,
    "accuracy": None,
    "brier": None,
    "target_entropy": None,
    "kl": None,
    "infinite": {"count", "rows", "cost_of_the_rest"},
    "clip": {"eps", "count", "share", "cost_without"},
    "row_sum": {"largest_deviation"},
    "inputs": {"path", "format", "rows", "sha256"},
    "options": None,
    "warnings": {"code", "message", "advice"},
}
PREDS, LABELS = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.0, 0.5, 0.5]], [0, 1, 0]


def reports() -> dict[str, Report]:
    return {
        "plain": xentcli.score(PREDS[:2], LABELS[:2]),
        "infinite": xentcli.score(PREDS, LABELS),
        "clipped": xentcli.score(PREDS, LABELS, clip=1e-15, base="2", confidence=0.9),
        "all infinite": xentcli.score(PREDS[2:], LABELS[2:]),
        "one row": xentcli.score(PREDS[:1], LABELS[:1]),
        "perfect": xentcli.score([[1.0, 0.0], [0.0, 1.0]], [0, 1]),
        "logits": xentcli.score([[2.0, -1.0], [0.5, -math.inf]], [0, 0], kind="logits"),
        "probabilities as logits": xentcli.score(PREDS, LABELS, kind="logits"),
        "logprobs": xentcli.score(np.log([[0.5, 0.5], [0.25, 0.75]]), [0, 1], kind="logprobs"),
        "soft": xentcli.score([[0.5, 0.5], [0.25, 0.75]], [[0.5, 0.5], [0.1, 0.9]]),
        "binary": xentcli.score(np.array([0.25, 0.75, 0.5]), np.array([0, 1, 1])),
        "true-probs": xentcli.score([0.5, 0.25], kind="true-probs"),
        "true-logprobs": xentcli.score([-0.5, -1000.0], kind="true-logprobs"),
        "losses": xentcli.score([0.5, math.inf], kind="losses"),
        "renormalized": xentcli.score([[2.0, 2.0], [1.0, 3.0]], [0, 1], renormalize=True),
        "huge": xentcli.score([1e308, 1e308, 1e308], kind="losses"),
    }


REPORTS = reports()


def parsed(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(text, parse_constant=lambda name: pytest.fail(f"bare {name}"))
    return loaded


@pytest.mark.parametrize("kind", REPORTS)
def test_every_name_of_the_contract_is_there(kind: str) -> None:
    document = parsed(render(REPORTS[kind]))
    assert NAMES.keys() <= document.keys()
    for name, inner in NAMES.items():
        values = document[name] if isinstance(document[name], list) else [document[name]]
        for value in values:
            assert inner is None or value is None or inner <= value.keys(), name


def test_every_inner_name_is_seen_in_some_report() -> None:
    for name, inner in NAMES.items():
        if inner is not None:
            assert any(parsed(render(report))[name] for report in REPORTS.values()), name


def test_names_without_a_value_are_null_and_not_left_out() -> None:
    document = parsed(render(REPORTS["true-probs"]))
    for name in ("accuracy", "brier", "prior", "skill", "nce", "target_entropy", "kl", "clip"):
        assert document[name] is None
    assert document["labels"]["matched"] == "none"
    assert document["classes"] == []
    infinite = parsed(render(REPORTS["infinite"]))
    assert infinite["standard_error"] is infinite["interval"] is None


def test_the_words_are_those_of_the_contract() -> None:
    matched = {parsed(render(report))["labels"]["matched"] for report in REPORTS.values()}
    assert matched <= {"name", "prefix", "index", "distribution", "binary", "multilabel", "none"}
    assert {"index", "distribution", "binary", "none"} <= matched
    assert {parsed(render(report))["unit"] for report in REPORTS.values()} == {"nats", "bits"}
    assert parsed(render(REPORTS["plain"]))["schema_version"] == 1
    assert parsed(render(REPORTS["plain"]))["xent_version"] == xentcli.__version__


@pytest.mark.parametrize("kind", REPORTS)
def test_read_is_scored_and_ignored_and_zero_weight(kind: str) -> None:
    examples = parsed(render(REPORTS[kind]))["examples"]
    assert examples["read"] == examples["scored"] + examples["ignored"] + examples["zero_weight"]


def test_options_say_what_was_set_and_by_whom() -> None:
    options = parsed(render(REPORTS["clipped"]))["options"]
    assert options == {
        "clip": {"value": 1e-15, "by": "flag"},
        "base": {"value": "2", "by": "flag"},
        "confidence": {"value": 0.9, "by": "flag"},
    }
    assert parsed(render(REPORTS["plain"]))["options"] == {}


def test_infinities_and_nan_are_words() -> None:
    document = parsed(render(REPORTS["infinite"]))
    assert document["cost"] == document["perplexity"] == document["total"] == "inf"
    assert document["skill"] == "-inf"
    assert document["infinite"] == {
        "count": 1,
        "rows": [3],
        "cost_of_the_rest": REPORTS["infinite"].infinite.cost_of_the_rest,
    }
    broken = dataclasses.replace(REPORTS["plain"], metrics={**REPORTS["plain"].metrics, "cost": math.nan})
    assert parsed(render(broken))["cost"] == "nan"


def test_nothing_is_left_of_an_average_of_infinities_but_null() -> None:
    assert parsed(render(REPORTS["all infinite"]))["infinite"] == {"count": 1, "rows": [1], "cost_of_the_rest": None}


@pytest.mark.parametrize("kind", REPORTS)
def test_numbers_come_back_to_the_last_bit(kind: str) -> None:
    report, document = REPORTS[kind], parsed(render(REPORTS[kind]))
    numbers = {name: value for name, value in report.metrics.items() if value is not None and math.isfinite(value)}
    assert "weight_sum" in numbers
    for name, value in numbers.items():
        assert document[name] == value
        assert float(document[name]).hex() == value.hex()


@pytest.mark.parametrize("kind", REPORTS)
def test_a_report_is_plain_values_all_the_way_down(kind: str) -> None:
    def check(value: object) -> None:
        assert type(value) in (dict, list, str, int, float, bool, type(None)), type(value)
        for inner in (
            [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()
        ):
            check(inner)

    check(REPORTS[kind].to_dict())


def test_the_text_is_ascii_and_ends_with_a_line_end() -> None:
    report = xentcli.score([[0.5, 0.5]], ["é\u202e"], classes=["é\u202e", "\x1b[31m"])
    text = render(report)
    assert text.isascii()
    assert all(c.isprintable() or c == "\n" for c in text)
    assert text.endswith("}\n")
    assert parsed(text)["classes"] == ["é\u202e", "\x1b[31m"]
    assert rendered(report, "json", width=20, color=True) == text


def test_a_check_adds_its_verdict_to_the_report() -> None:
    result = xentcli.check(PREDS, LABELS, max={"cost": 1.0, "kl": 1.0}, min={"accuracy": 0.5})
    document = parsed(render(result))
    assert NAMES.keys() <= document.keys()
    assert document["verdict"] == "fail"
    assert {"name", "metric", "group", "value", "limit", "margin", "verdict"} <= document["checks"][0].keys()
    assert [check["value"] for check in document["checks"]] == ["inf", None, REPORTS["infinite"].accuracy]
    assert document["checks"][0]["margin"] == "-inf"
    assert {
        name: value for name, value in document.items() if name not in ("verdict", "checks", "baseline", "reasons")
    } == parsed(render(result.report))


# The schema.


def validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("kind", REPORTS)
def test_a_report_is_as_the_schema_says(kind: str) -> None:
    validator().validate(parsed(render(REPORTS[kind])))


def test_a_check_is_as_the_schema_says() -> None:
    for limits in ({"cost": 9.0}, {"cost": 0.1}, {"kl": 1.0}):
        validator().validate(parsed(render(xentcli.check(PREDS[:2], LABELS[:2], max=limits))))
    validator().validate(parsed(render(xentcli.check(PREDS, LABELS, max={"cost": 0.1}))))


def test_every_name_of_the_contract_stands_in_the_schema_and_is_required() -> None:
    text = json.dumps(schema())
    for name, inner in NAMES.items():
        for word in (name, *(inner or ())):
            assert f'"{word}"' in text, word
    for name in NAMES:
        document = copy.deepcopy(parsed(render(REPORTS["plain"])))
        del document[name]
        assert not validator().is_valid(document), name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cost", None),
        ("cost", "Infinity"),
        ("cost", "0.5"),
        ("unit", "shannons"),
        ("kind", "percent"),
        ("classes", "cat"),
        ("examples", {"read": 1}),
        ("examples", {"read": -1, "scored": 0, "ignored": 0, "zero_weight": 0}),
        ("labels", {"matched": "guess", "columns": [], "counts": None}),
        ("interval", [0, 1]),
        ("accuracy", "high"),
        ("warnings", ["careful"]),
        ("schema_version", 2),
    ],
)
def test_the_schema_refuses_what_is_not_a_report(name: str, value: object) -> None:
    document = {**parsed(render(REPORTS["plain"])), name: value}
    with pytest.raises(ValidationError):
        validator().validate(document)


def test_an_explanation_is_json_too() -> None:
    told = explain_values([0.0, 1.0], label="0", target=None, settings=Settings())
    document = parsed(render(told))
    assert document["loss"] == "inf"
    assert document["schema_version"] == 1


def test_no_rows_is_no_report() -> None:
    with pytest.raises(NoVerdict):
        xentcli.score(np.empty((0, 2)), np.empty(0, dtype=np.int64))
