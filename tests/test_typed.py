"""Options and data of library calls: NumPy scalars are the numbers they hold, and nonsense is refused with a reason."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import xentcli
from xentcli.errors import UsageError, XentError
from xentcli.settings import OPTIONS, Settings
from xentcli.writers.json import render

FRAME = pd.DataFrame(
    {
        "0": [0.7, 0.2, 0.9],
        "1": [0.3, 0.8, 0.1],
        "y": [0, 1, 0],
        "w": [1, 2, 3],
        "g": ["u", "u", "v"],
        "n": [3, 4, 5],
        "s": [1, 0, 1],
        "t": [0, 1, 0],
    }
)
EXAMPLES: dict[str, tuple[Any, dict[str, Any]]] = {
    "kind": ("probs", {}),
    "preds": ("0,1", {}),
    "label": ("y", {}),
    "id": ("n", {}),
    "weights": ("w", {}),
    "subset": (True, {"id": "n"}),
    "classes": ("0,1", {}),
    "positive": ("1", {"preds": "1"}),
    "multilabel": (True, {"preds": "0,1", "label": "s,t"}),
    "index_base": (0, {}),
    "votes": (True, {"preds": "0,1", "label": "s,t"}),
    "reference": ({"0": 0.25, "1": 0.75}, {}),
    "align": ("position", {}),
    "header": ("both", {}),
    "no_header": ("both", {}),
    "delimiter": (";", {}),
    "decimal": (".", {}),
    "no_quotes": ("both", {}),
    "dtype": ("bfloat16", {}),
    "class_axis": (1, {}),
    "shift_labels": (True, {}),
    "input_format": ("csv", {}),
    "sum_tolerance": (0.25, {}),
    "scale": (1.0, {}),
    "temperature": (1.0, {}),
    "renormalize": (True, {}),
    "clip": (0.25, {}),
    "class_weight": ({"0": 2.0}, {}),
    "label_smoothing": (0.25, {}),
    "ignore_label": (-100, {}),
    "skip_missing": (True, {}),
    "compat": ("sklearn", {}),
    "by": ("g", {}),
    "by_class": (True, {}),
    "cluster": ("g", {}),
    "worst": (2, {}),
    "worst_by": ("kl", {"worst": 1}),
    "show": ("g", {"worst": 1}),
    "max_groups": (2, {"by": "g"}),
    "max_columns": (10, {}),
    "max_field": (100, {}),
    "max_inflated": (1000, {}),
    "max_batch": (1000, {}),
    "shard": ("1/2", {}),
    "hash": (True, {}),
    "bytes": (12, {}),
    "metrics": ("cost", {}),
    "row_metrics": ("kl", {}),
    "base": (2, {}),
    "confidence": (0.5, {}),
}
"""A value of every option, and the options without which it has no meaning."""
FIELDS = list(OPTIONS)
SCALARS = {bool: np.bool_, str: np.str_, int: np.int64, float: np.float64}


def numpy_forms(value: Any) -> list[Any]:
    """The value as a NumPy scalar and as an array of no dimension."""
    if isinstance(value, dict):
        return [{np.str_(key): np.float32(item) for key, item in value.items()}]
    scalar = SCALARS[type(value)](value)
    forms = [scalar, np.array(value)]
    return forms + ([np.float32(value)] if isinstance(value, float) else [])


def figures(settings: Settings) -> dict[str, Any]:
    about_files = {"header", "no_header", "delimiter", "dtype", "input_format", "class_axis", "id", "subset", "align"}
    # Columns of --per-example are in no report.
    about_files |= {"shift_labels", "no_quotes", "row_metrics"}
    if any(name in settings.changed() for name in about_files):
        return {}
    labelled = {"preds": "0,1", "label": "y"} if settings.preds is None else {}
    given = {name: getattr(settings, name) for name in settings.changed()}
    found: dict[str, Any] = json.loads(render(xentcli.score(FRAME, **{"label": "y", **labelled, **given})))
    return found


@pytest.mark.parametrize("name", FIELDS)
def test_an_option_given_as_a_numpy_scalar_is_the_python_value_that_it_is(name: str) -> None:
    value, others = EXAMPLES[name]
    plain = Settings(**others, **{name: value})
    for form in numpy_forms(value):
        given = Settings(**others, **{name: form})
        assert type(getattr(given, name)) is type(getattr(plain, name))
        assert given == plain
        assert given.changed() == plain.changed()
        assert figures(given) == figures(plain)


@pytest.mark.parametrize("name", [name for name in FIELDS if "Sequence" in OPTIONS[name].hint])
def test_a_list_may_be_an_array_of_texts(name: str) -> None:
    value, others = EXAMPLES[name]
    if name == "class_weight":
        value = "0=2"
    items = [part.strip() for part in str(value).split(",")]
    given: list[dict[str, Any]] = [{**others, name: np.array(items)}, {**others, name: items}]
    assert [getattr(Settings(**options), name) for options in given] == [tuple(items)] * 2


NONSENSE = [object(), b"x", 1j, {"a": 1}, {1, 2}, [[1.5]], [None], np.datetime64("2020-01-01"), lambda: 1, float, 2.5]


def fits(name: str, value: Any) -> bool:
    hint = OPTIONS[name].hint
    number = isinstance(value, float) and ("float" in hint or name in ("bytes", "ignore_label"))
    data = bool(OPTIONS[name].data) and isinstance(value, list)
    return number or data or (isinstance(value, dict) and "Mapping" in hint)


PAIRS = [(name, value) for name in FIELDS for value in NONSENSE if not fits(name, value)]


@pytest.mark.parametrize(("name", "value"), PAIRS, ids=range(len(PAIRS)))
def test_an_option_of_another_type_is_refused_by_name(name: str, value: Any) -> None:
    others = {key: item for key, item in EXAMPLES[name][1].items() if key != name}
    with pytest.raises(UsageError) as caught:
        Settings(**others, **{name: value})
    assert name in str(caught.value).replace("-", "_")


@pytest.mark.parametrize("weight", ["heavy", None, True, -1, np.nan, np.inf, [1]])
def test_a_class_weight_that_is_no_weight_is_refused(weight: Any) -> None:
    with pytest.raises(UsageError, match=r"class[_-]weight"):
        xentcli.score(FRAME, label="y", preds="0,1", class_weight={"0": weight})


@pytest.mark.parametrize("name", ["threads", "block_bytes"])
def test_numbers_of_threads_and_bytes_are_whole_and_positive(name: str) -> None:
    options: dict[str, Any] = {"label": "y", "preds": "0,1"}
    good = xentcli.score(FRAME, **{**options, name: np.int64(1)})
    assert good.cost == xentcli.score(FRAME, **options).cost
    for value in (0, -1, 1.5, "two", True, [1]):
        with pytest.raises(UsageError, match=name):
            xentcli.score(FRAME, **{**options, name: value})


def test_limits_and_rows_may_be_numpy_scalars() -> None:
    most: Any = {"cost": np.float64(0.5)}
    least: Any = {"accuracy": np.float32(0.5)}
    check = xentcli.check(FRAME, label="y", preds="0,1", max=most, min=least)
    assert check.verdict == "pass"
    assert [type(one.limit) for one in check.checks] == [float, float]
    assert xentcli.explain(FRAME, None, np.int64(2), label="y", preds="0,1").row == 2  # type: ignore[call-overload]
    wrong: list[Any] = [{"cost": "low"}, {"cost": None}, 5, {"cost": True}]
    for limits in wrong:
        with pytest.raises(UsageError, match="max"):
            xentcli.check(FRAME, label="y", preds="0,1", max=limits)


class Stubborn:
    def __array__(self, *args: Any, **options: Any) -> Any:
        raise RuntimeError("no array")


DATA = [None, 5, True, object(), {}, {"a": 1}, b"abc", "", [], [[]], [None], [[None]], np.array(None), np.array("x")]
DATA += [iter([1]), Stubborn(), np.zeros((2, 2), complex), np.zeros((2, 2), "M8[s]"), np.zeros((2, 2), [("a", "f8")])]
DATA += [float, "a\0b", np.zeros(0), np.zeros((2, 0)), pd.DataFrame(), [[10**400, 1]], {0, 1}]


@pytest.mark.parametrize("data", DATA, ids=range(len(DATA)))
def test_what_is_no_data_is_refused_with_a_reason(data: Any) -> None:
    good = np.array([[0.5, 0.5], [0.25, 0.75]])
    for given in ((data,), (data, np.array([0, 1])), (good, data)):
        with pytest.raises(XentError) as caught:
            xentcli.score(*given)
        assert caught.value.exit_code in (2, 3, 4, 5)


def test_no_predictions_at_all_are_a_usage_error() -> None:
    for call in (xentcli.score, xentcli.explain):
        with pytest.raises(UsageError, match="no predictions"):
            call(None)
    with pytest.raises(UsageError, match="no predictions"):
        xentcli.check(None, max={"cost": 1.0})


def test_settings_that_are_none_are_refused() -> None:
    wrong: list[Any] = [5, {}, "kind"]
    for value in wrong:
        with pytest.raises(UsageError, match="settings is a Settings"):
            xentcli.score(FRAME, None, value)
