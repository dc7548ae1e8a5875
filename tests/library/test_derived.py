"""A report whose figures are derived when first read has the values of the call, and holds no input."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pandas as pd
import pytest

import xentcli
from xentcli.errors import NoVerdict
from xentcli.report.report import Report

ROWS, CLASSES = 200, 4


def arrays(seed: int = 0, rows: int = ROWS) -> tuple[Any, Any]:
    """Predictions f8[rows, CLASSES] and labels at random, with which all diagnoses run."""
    random = np.random.default_rng(seed)
    return random.dirichlet(np.ones(CLASSES), rows), random.integers(0, CLASSES, rows)


def scored(**options: Any) -> Report:
    return xentcli.score(*arrays(), **options)


@pytest.mark.parametrize("rows", [ROWS, 20_000])
def test_what_is_read_later_is_that_of_the_call(rows: int) -> None:
    q, y = arrays(rows=rows)
    at_once, later = xentcli.score(q, y), xentcli.score(q, y)
    known = at_once.to_dict()
    q[:] = 1 / CLASSES
    y[:] = 0
    assert later.to_dict() == known
    assert [warning["code"] for warning in known["warnings"]] == ["worse-than-prior"]


@pytest.mark.parametrize("read", [lambda report: None, lambda report: report.cost, lambda report: report.to_dict()])
def test_a_copy_is_equal_whatever_was_read_before(read: Any) -> None:
    made: Any
    for made in (copy.copy, copy.deepcopy, lambda report: pickle.loads(pickle.dumps(report))):
        report = scored()
        read(report)
        assert made(report) == report == scored()
    assert b"tallies" not in pickle.dumps(scored())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weights": np.linspace(1, 2, ROWS)},
        {"by": {"site": np.arange(ROWS) % 3}},
        {"cluster": np.arange(ROWS) % 50},
        {"class_weight": {"1": 2.0}},
        {"worst": 3, "details": ["confusion", "by_class", "losses", "reliability"]},
        {"reference": np.full((ROWS, CLASSES), 1 / CLASSES)},
    ],
    ids=lambda options: "+".join(options) or "none",
)
def test_a_report_holds_no_input(options: dict[str, Any]) -> None:
    held = [np.array(each) for each in arrays()]
    given: dict[str, Any] = {
        name: np.array(value) if isinstance(value, np.ndarray) else value for name, value in options.items()
    }
    watched = [weakref.ref(each) for each in (*held, *given.values()) if isinstance(each, np.ndarray)]
    report = xentcli.score(held[0], held[1], **given)
    held.clear()
    given.clear()
    gc.collect()
    assert [of() for of in watched] == [None] * len(watched)
    assert report.to_dict() == scored(**options).to_dict()


def test_a_report_of_frames_with_ids_holds_no_input() -> None:
    q, y = arrays()
    frame = pd.DataFrame(q, index=range(1000, 1000 + ROWS))
    labels = pd.Series(y, index=frame.index)[::-1]
    watched = weakref.ref(frame), weakref.ref(labels)
    report = xentcli.score(frame, labels)
    del frame, labels
    gc.collect()
    assert [of() for of in watched] == [None, None]
    assert report.alignment == "id"


def test_an_error_is_raised_by_the_call() -> None:
    with pytest.raises(NoVerdict):
        xentcli.score(*arrays(), weights=np.zeros(ROWS))


def test_what_a_report_has_not_is_no_attribute() -> None:
    assert not hasattr(scored(), "costs")
    assert not hasattr(scored(), "top3")
    assert scored(metrics_needed=["top3"]).top3 == scored(metrics_needed=["top3"])["top3"]


def test_a_notebook_completes_fields_and_metrics_that_were_not_read() -> None:
    assert {"cost", "accuracy", "warnings", "by_class", "to_frame"} <= {*dir(scored())}


def test_a_figure_alone_is_that_of_all() -> None:
    known = dict(scored(cluster=np.arange(ROWS) % 7, details=["reliability"], metrics_needed=["ece"]).metrics)
    for name, value in known.items():
        report = scored(cluster=np.arange(ROWS) % 7, details=["reliability"], metrics_needed=["ece"])
        assert (getattr(report, name), report.value("top7")) == (value, None)
        report = scored(metrics_needed="ece")
        assert report.value(name) == dict(scored(metrics_needed=["ece"]).metrics)[name]


def test_the_rows_that_a_later_diagnosis_looks_at_are_those_of_the_call() -> None:
    y = np.random.default_rng(0).integers(0, CLASSES, ROWS)
    q = 0.9 * np.eye(CLASSES)[y] + 0.1 / CLASSES
    report, label = xentcli.score(q, labels := np.roll(y, 1)), weakref.ref(labels)
    q[:], labels[:] = 1 / CLASSES, 0
    del labels
    gc.collect()
    assert label() is None
    assert "shifted" in [warning.code for warning in report.warnings]
