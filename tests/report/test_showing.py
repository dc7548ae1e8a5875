"""Results that show themselves: str, repr, HTML, metrics by name, and frames."""

from __future__ import annotations

import html.parser
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

import xentcli
from tests.conftest import Call
from xentcli.errors import NotComputedError, UsageError
from xentcli.report.document import Document, plain
from xentcli.report.report import Report
from xentcli.writers import markdown

RNG = np.random.default_rng(0)
Q = RNG.dirichlet([3, 1, 1], 60)
FRAME = pd.DataFrame(Q, columns=["a", "<b>", "c|d"]).assign(
    truth=RNG.choice(["a", "<b>", "c|d"], 60), site=RNG.choice(["x", "y & z"], 60)
)
COLUMNS: dict[str, Any] = {"preds": ["a", "<b>", "c|d"], "label": "truth"}
SLICED = xentcli.score(FRAME, **COLUMNS, by="site", by_class=True, worst=2, show="site")
OTHER = FRAME.assign(a=FRAME["<b>"], **{"<b>": FRAME["a"]})
DOCUMENTS: dict[str, Document] = {
    "score": SLICED,
    "check": xentcli.check(FRAME, **COLUMNS, by="site", max={"cost": 1}),
    "compare": xentcli.compare({"old": FRAME, "<new>": OTHER}, **COLUMNS, by="site", worst=2),
    "calibration": xentcli.calibration(FRAME, **COLUMNS, by="site"),
    "causes": xentcli.explain(FRAME, **COLUMNS),
    "explain": xentcli.explain(FRAME, row=2, **COLUMNS),
}
OPTIONS = ["--preds", "a,<b>,c|d", "--label", "truth"]


class Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_repr_is_one_short_line_of_its_own(name: str) -> None:
    line = repr(DOCUMENTS[name])
    assert line.isprintable()
    assert line.startswith(f"<{type(DOCUMENTS[name]).__name__}: ")
    assert line.endswith(">")
    assert len(line) < 120


def test_groups_and_classes_have_a_table_each_without_empty_cells_and_a_warning_is_one_sentence() -> None:
    by_two = xentcli.score(FRAME.assign(half=["1", "2"] * 30), **COLUMNS, by=["site", "half"], by_class=True)
    text = markdown.render(by_two)
    tables = [part.splitlines() for part in text.split("\n\n") if part.startswith("| ")]
    assert [table[0].split(" | ")[0] for table in tables[1:]] == ["| site", "| half", "| class"]
    assert all("|  |" not in line for table in tables[1:] for line in table)
    (warning,) = by_two.warnings
    assert f"{warning.message}; {warning.advice}" in text


@pytest.mark.parametrize("name", DOCUMENTS)
def test_html_is_closed_escaped_and_leaves_colours_to_the_notebook(name: str) -> None:
    tags = Tags()
    text = DOCUMENTS[name]._repr_html_()
    tags.feed(text)
    assert not tags.open
    assert {"div", "p", "table"} <= tags.seen <= {"div", "p", "b", "br", "table", "thead", "tbody", "tr", "th", "td"}
    assert "color" not in text
    assert "background" not in text


def test_html_has_names_of_files_as_text() -> None:
    tags = Tags()
    tags.feed(SLICED._repr_html_())
    assert {"<b>", "y & z"} <= set(tags.texts)


def test_html_of_many_groups_is_cut() -> None:
    many = xentcli.score(FRAME.assign(site=range(60)), **COLUMNS, by="site")._repr_html_()
    assert "and 10 more" in many


SCREENS: dict[str, tuple[str, list[str], Any]] = {
    "score": (
        "score",
        ["preds.csv", *OPTIONS, "--by", "site"],
        lambda: xentcli.score("preds.csv", **COLUMNS, by="site"),
    ),
    "check": (
        "check",
        ["preds.csv", *OPTIONS, "--max", "cost=9"],
        lambda: xentcli.check("preds.csv", **COLUMNS, max={"cost": 9}),
    ),
    "compare": (
        "compare",
        ["preds.csv", "other.csv", *OPTIONS],
        lambda: xentcli.compare(["preds.csv", "other.csv"], **COLUMNS),
    ),
    "calibration": (
        "calibration",
        ["preds.csv", *OPTIONS, "--fit", "none"],
        lambda: xentcli.calibration("preds.csv", **COLUMNS, fit="none"),
    ),
    "explain": (
        "explain",
        ["preds.csv", *OPTIONS, "--row", "2"],
        lambda: xentcli.explain("preds.csv", row=2, **COLUMNS),
    ),
}


@pytest.mark.parametrize("name", SCREENS)
def test_str_is_what_the_command_prints(name: str, call: Call) -> None:
    FRAME.to_csv("preds.csv", index=False)
    OTHER.to_csv("other.csv", index=False)
    command, arguments, of_library = SCREENS[name]
    assert f"{of_library()}\n" == call(command, *arguments).out


@pytest.mark.parametrize("synonym", ["cost", "log_loss", "log-loss", "NLL", "cross_entropy"])
def test_a_metric_by_any_of_its_names(synonym: str) -> None:
    assert SLICED[synonym] == SLICED.cost == pytest.approx(log_loss(FRAME.truth, Q[:, [1, 0, 2]]), rel=1e-12)


def test_every_result_takes_the_paths_of_its_json() -> None:
    compared = xentcli.compare({"a": FRAME, "b": FRAME}, **COLUMNS)
    checked = xentcli.check(FRAME, **COLUMNS, max={"cost": 9})
    calibrated = xentcli.calibration(FRAME, **COLUMNS, fit="none")
    for result in (compared, checked, calibrated):
        paths = {path: value for path, value in leaves(result.to_dict()) if ".value." not in path}
        unasked = {"by", "by_class", "worst", "decomposition"}
        assert {"unit", "examples.scored"} <= paths.keys()
        for path, value in paths.items():
            if path not in unasked:
                assert plain(result[path]) == value, path
                assert (path in result) == (value is not None)
    assert (checked["checks.0.limit"], checked["log_loss"]) == (9, checked.report.cost)
    assert calibrated["ece"] == calibrated.ece
    for result in (compared, checked, calibrated):
        for absent in ("nothing.0", "report"):
            with pytest.raises(UsageError):
                result[absent]
    with pytest.raises(UsageError, match="named by text"):
        compared[0]  # type: ignore[index]


def test_top_1_and_top_k_are_the_accuracy_and_1() -> None:
    computed = xentcli.score(FRAME, **COLUMNS, metrics_needed=["top1", "top2", "top3"])
    assert [SLICED["top1"], SLICED["top3"]] == [computed["top1"], computed["top3"]]
    assert computed["top2"] == computed.top2


def test_what_other_figures_say_to_the_last_bit_is_not_asked_for() -> None:
    random = np.random.default_rng(0)
    for rows in (7, 100, 333):
        q, y = random.dirichlet(np.ones(4), rows), random.integers(0, 4, rows)
        plain, asked = xentcli.score(q, y), xentcli.score(q, y, metrics="error,brier_halved")
        assert [plain[name] for name in ("error", "brier_halved")] == [asked.error, asked.brier_halved]
    with pytest.raises(KeyError):
        xentcli.score(q, y, weights=random.random(333))["error"]


@pytest.mark.parametrize("metric", ["top2", "ece", "gap", "temperature_gain"])
def test_a_metric_that_was_not_computed_names_what_computes_it(metric: str) -> None:
    with pytest.raises(NotComputedError, match=f'metrics_needed=\\["{metric}"\\]'):
        SLICED[metric]
    with pytest.raises(KeyError):
        SLICED[metric]
    assert metric not in SLICED
    assert xentcli.score(FRAME, **COLUMNS, metrics_needed=[metric]).metrics.keys() >= {metric}


def test_metrics_that_cannot_be_are_refused_with_the_reason() -> None:
    with pytest.raises(UsageError, match="there is no metric"):
        SLICED["f1"]
    with pytest.raises(UsageError, match="no labels"):
        xentcli.score([0.5, 1.0], kind="losses")["top2"]
    with pytest.raises(UsageError, match="two classes"):
        xentcli.score([[0.5, 0.5]], [[1, 0]], multilabel=True)["top2"]
    assert SLICED["kl"] is None


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a document in JSON, by its path; not below a name with a point."""
    items = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    yield from ((path, value),) if path else ()
    for name, item in items:
        if "." not in str(name):
            yield from leaves(item, f"{path}.{name}" if path else str(name))


def test_a_report_takes_every_path_that_get_takes() -> None:
    # The value of an option is one value, whatever it is.
    paths = {path: value for path, value in leaves(SLICED.to_dict()) if ".value." not in path}
    assert {"interval.low", "inputs.0.rows", "by.1.group.site", "by_class.0.class", "worst.1.loss"} <= paths.keys()
    for path, value in paths.items():
        assert plain(SLICED[path]) == value, path
        assert (path in SLICED) == (value is not None)
    assert xentcli.score([[0.5, 0.5]], [0])["interval.low"] is None
    with pytest.raises(UsageError, match=r"no interval\.lo\n  interval has level, low"):
        SLICED["interval.lo"]
    plain_report = xentcli.score([[0.5, 0.5]], [0])
    asked = {"by": "by=COLUMN", "by_class": "by_class=True", "worst.0.loss": "worst=N"}
    for path, option in asked.items():
        with pytest.raises(UsageError, match=f"it was not asked for\n  give {option}"):
            plain_report[path]
        assert path not in plain_report
    for path in ("by.2.cost", "by.site"):
        with pytest.raises(UsageError, match="by has 2 items, from 0"):
            SLICED[path]


def test_a_report_is_a_dict_of_its_metrics() -> None:
    assert dict(SLICED) == dict(SLICED.metrics)
    assert "log_loss" in SLICED
    assert "kl" not in SLICED
    assert 0 not in SLICED


def test_frames_of_slices_have_the_values_of_the_records() -> None:
    by, classes, worst = (SLICED.frame(name) for name in ("by", "by_class", "worst"))
    assert by["site"].tolist() == ["x", "y & z"]
    assert by["cost"].tolist() == [part.cost for part in SLICED.by]
    assert by["low"].tolist() == [part.interval and part.interval.low for part in SLICED.by]
    assert classes["class"].tolist() == ["a", "<b>", "c|d"]
    assert worst["loss"].tolist() == [row.loss for row in SLICED.worst]
    assert worst["site"].tolist() == [row.shown["site"] for row in SLICED.worst]


def test_a_group_of_the_name_of_a_figure_is_in_brackets() -> None:
    report = xentcli.score(FRAME.rename(columns={"site": "cost"}), **COLUMNS, by="cost")
    assert {"[cost]", "cost"} <= set(report.frame("by").columns)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_frame_has_a_row_for_each_record(name: str) -> None:
    document: Any = DOCUMENTS[name]
    names = document._frames()
    assert names
    for field in names:
        records = getattr(document, field, None) or getattr(getattr(document, "report", None), field, ())
        if records:
            assert len(document.frame(field)) == len(records)


@pytest.mark.parametrize(("name", "asked"), [("by", "by=COLUMN"), ("by_class", "by_class=True"), ("worst", "worst=N")])
def test_a_frame_that_was_not_asked_for_names_the_option(name: str, asked: str) -> None:
    with pytest.raises(UsageError, match=asked):
        xentcli.score(FRAME, **COLUMNS).frame(name)


def test_another_frame_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="frames: inputs, by_class, by, worst"):
        SLICED.frame("groups")


def test_to_frame_has_the_interval_and_the_classes() -> None:
    frame = SLICED.to_frame()
    assert SLICED.interval is not None
    ends = [SLICED.cost, SLICED.interval.low, SLICED.interval.high]
    assert frame[["value", "low", "high"]].iloc[0].to_list() == ends
    assert frame[frame["class"].isna()].index.to_list() == list(SLICED)
    for part in SLICED.by_class:
        of_class = frame[frame["class"] == part.name].value
        assert (of_class["cost"], of_class["accuracy"]) == (part.cost, part.accuracy)
    assert list(xentcli.score(FRAME, **COLUMNS).to_frame().columns) == ["value", "unit", "low", "high"]


@pytest.mark.parametrize(
    ("name", "index", "cells"),
    [
        ("check", "name", {("max cost", "verdict"): "fail", ("max cost", "value"): SLICED.cost}),
        ("compare", "model", {("old", "cost"): SLICED.cost, ("<new>", "cost_verdict"): "no difference"}),
        ("calibration", "metric", {("cost", "value"): SLICED.cost, ("accuracy", "value"): SLICED.accuracy}),
        ("causes", "cause", {}),
        ("explain", "class", {("c|d", "y"): 1.0}),
    ],
)
def test_the_frame_of_every_document_has_its_main_table(
    name: str, index: str, cells: dict[tuple[str, str], object]
) -> None:
    frame = DOCUMENTS[name].to_frame()
    assert frame.index.name == index
    assert {cell: frame.loc[cell] for cell in cells} == cells
    texts = ("group", "reason", "refused", "verdict", "unit", "metric", "name", "message", "more")
    assert all(frame[column].dtype.kind in "fi" for column in frame if not str(column).endswith(texts))


def test_the_frame_of_a_calibration_has_the_intervals() -> None:
    found: Any = DOCUMENTS["calibration"]
    frame = found.to_frame()
    assert frame.loc["gap", ["low", "high"]].to_list() == [found.gap_interval.low, found.gap_interval.high]
    assert frame.loc["cost", ["low", "high"]].to_list() == [found.report.interval.low, found.report.interval.high]


def test_a_report_pickles_as_it_did() -> None:
    again: Report = pickle.loads(pickle.dumps(SLICED))
    assert again == SLICED
    assert str(again) == str(SLICED)


def test_the_schema_is_there_at_once() -> None:
    assert xentcli.schema() == xentcli.schema("report")
    with pytest.raises(UsageError, match="explanation"):
        xentcli.schema("screen")
