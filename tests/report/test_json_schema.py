"""The JSON Schema: made from the types of the documents, it accepts every real document and refuses wrong ones."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from jsonschema import Draft202012Validator

import xentcli
from tests.laws import some_of
from xentcli.errors import FileError
from xentcli.records import record
from xentcli.report import json_schema, schema
from xentcli.report.checks import Checks, NamedCheck
from xentcli.report.document import Document
from xentcli.scoring.metrics import METRICS, Metric
from xentcli.writers.json import render

FRAME = pd.DataFrame(
    {"a": [0.7, 0.1, 0.2, 0.0], "b": [0.3, 0.9, 0.8, 1.0], "y": list("abaa"), "site": list("nsns"), "n": [3, 2, 5, 4]}
)
COLUMNS: dict[str, Any] = {"preds": "a,b", "label": "y"}
DOCUMENTS: dict[str, Document] = {
    "a score": xentcli.score(FRAME, **COLUMNS),
    "all that a score may hold": xentcli.score(
        FRAME, **COLUMNS, by="site", by_class=True, worst=2, show="n", bytes="n", cluster="site", clip=0.01, base="2"
    ),
    "chosen metrics": xentcli.score(FRAME, **COLUMNS, metrics="top3,kl,accuracy"),
    "soft targets": xentcli.score([[0.5, 0.5], [0.25, 0.75]], [[0.5, 0.5], [0.1, 0.9]]),
    "losses": xentcli.score([0.5, 0.25], kind="losses"),
    "a check": xentcli.check(FRAME, **COLUMNS, max={"cost": 1.0, "kl": 1.0}, min={"accuracy": 0.5}),
    "checks": Checks.of(
        [
            NamedCheck.of("good", xentcli.check(FRAME, **COLUMNS, max={"cost": 1.0})),
            NamedCheck.of("gone", FileError("cannot be read", advice="a line")),
        ],
        "pyproject.toml",
    ),
    "a row": xentcli.explain(FRAME, row=1, **COLUMNS),
    "a row of logits": xentcli.explain([[2.0, -1.0, 0.5]], [2], row=1, kind="logits", base="10"),
    "a row of a soft target": xentcli.explain([[0.5, 0.5]], [[0.25, 0.75]], row=1, clip=0.01),
    "causes": xentcli.explain(FRAME, **COLUMNS),
    "a calibration": xentcli.calibration(FRAME, **COLUMNS, by="site", decompose=True),
    "a calibration of soft targets": xentcli.calibration([[0.5, 0.5], [0.25, 0.75]], [[0.5, 0.5], [0.1, 0.9]]),
}


def parsed(document: Document) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(render(document))
    return loaded


def validator(document: Document) -> Draft202012Validator:
    return of_name("report" if document.NAME == "check" else document.NAME)


@functools.cache
def of_name(name: str) -> Draft202012Validator:
    made = schema(name)
    Draft202012Validator.check_schema(made)
    return Draft202012Validator(made)


def wrong(document: Any) -> Iterator[tuple[str, Any]]:
    """Every document with one thing wrong: a name left out, one too many, or a value of another type."""
    if isinstance(document, list):
        for place, value in enumerate(document):
            for what, changed in wrong(value):
                yield f"{place} {what}", [*document[:place], changed, *document[place + 1 :]]
    elif isinstance(document, dict):
        for name, value in document.items():
            yield f"no {name}", {other: document[other] for other in document if other != name}
            yield f"{name} of another type", {**document, name: {"nonsense": [1]}}
            for what, changed in wrong(value):
                yield f"{name} {what}", {**document, name: changed}
        yield "a name too many", {**document, "nonsense": [1]}


FREE = ("options", "undefined", "group", "shown", "ece_by_class")
"""Objects whose names are those of the data or of what was set; what is in them is tested apart."""


@pytest.mark.parametrize("what", DOCUMENTS)
def test_a_document_is_as_the_schema_says_and_every_wrong_one_is_refused(what: str) -> None:
    document, made = parsed(DOCUMENTS[what]), validator(DOCUMENTS[what])
    made.validate(document)
    accepted = [
        change
        for change, changed in some_of([*wrong(document)])
        if change != "no top3" and not set(change.split()) & {*FREE} and made.is_valid(changed)
    ]
    assert accepted == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("options", {"clip": {"value": 1}}),
        ("options", {"clip": {"value": 1, "by": "config"}}),
        ("undefined", {"kl": None}),
        ("by", [{"group": {"site": 1}}]),
        ("clusters", 0),
        ("schema_version", 2),
        ("unit", "shannons"),
        ("kind", "percent"),
        ("alignment", "name"),
        ("inputs", []),
        ("cost", None),
        ("cost", "Infinity"),
        ("accuracy", "nan"),
        ("top0", 0.5),
        ("verdict", "pass"),
        ("checks", []),
    ],
)
def test_a_value_that_no_report_has_is_refused(name: str, value: object) -> None:
    document = DOCUMENTS["all that a score may hold"]
    assert not validator(document).is_valid({**parsed(document), name: value})


def test_every_metric_is_described_and_a_new_one_needs_no_more_than_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, "spread", Metric("spread", "spread", "p90 - p10 of the loss"))
    made = schema()
    assert {name for name, metric in METRICS.items() if metric.usual} <= {*made["required"]}
    for metric in METRICS.values():
        assert made["properties"][metric.name]["description"] == (metric.description or metric.about)
    assert made["properties"]["spread"]["description"] == "p90 - p10 of the loss"


def test_every_common_description_is_that_of_a_field() -> None:
    """A description that every class overrides would never be shown."""
    shown = {
        (name, described.get("description"))
        for document in json_schema._COMMANDS
        for made in (schema(document), *schema(document)["$defs"].values())
        for name, described in made.get("properties", {}).items()
    }
    assert json_schema._COMMON.items() <= shown


def test_a_record_is_described_by_its_annotations_and_its_docstring() -> None:
    @record(frozen=True)
    class Thing:
        """A thing.

        Attributes
        ----------
        size
            in metres;
            None where it has none
        """

        size: float | None
        colour: str

    assert json_schema._object(Thing, {"number": {}})["properties"] == {
        "size": {
            "anyOf": [{"$ref": "#/$defs/number"}, {"type": "null"}],
            "description": "in metres; null where it has none",
        },
        "colour": {"type": "string"},
    }
