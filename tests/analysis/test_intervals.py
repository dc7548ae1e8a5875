"""An interval of the cost never reaches below 0, and says from how few rows or clusters it is."""

from __future__ import annotations

import csv as csv_text
import io
import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.conftest import Run, Write
from tests.laws import settings
from xentcli import calibration, compare, score
from xentcli.report.parts import Interval
from xentcli.report.report import Report
from xentcli.writers import rendered

modest = settings(deadline=None, max_examples=50)
NATS = {"e": 1.0, "2": math.log(2), "10": math.log(10)}


def frame_of(seed: int, rows: int) -> pd.DataFrame:
    """Losses of rows, most of them small and some large, with weights, groups and clusters."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "loss": rng.exponential(10.0 ** rng.uniform(-3, 2, rows)),
            "w": rng.choice([0.5, 1.0, 4.0], rows),
            "g": rng.choice(["u", "v", "x"], rows),
            "c": rng.integers(0, max(2, rows // 2), rows).astype(str),
        }
    )


def wanted(frame: pd.DataFrame, weighted: bool, level: float, by: str | None = None) -> tuple[float, float, int]:
    """Both ends in nats by Student's quantile of SciPy, and how many rows or clusters there are."""
    w = frame.w if weighted else pd.Series(1.0, frame.index)
    cost = float((w * frame.loss).sum() / w.sum())
    residuals = w * (frame.loss - cost)
    if by is not None:
        residuals = residuals.groupby(frame[by]).sum()
    n = len(residuals)
    error = math.sqrt(n / (n - 1) * float((residuals**2).sum())) / float(w.sum())
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * error
    return max(0.0, cost - half), cost + half, n


def same(interval: Interval | None, expected: tuple[float, float, int], unit: float, noun: str) -> None:
    low, high, count = expected
    assert interval is not None
    assert interval.low >= 0
    assert (interval.low, interval.high) == pytest.approx((low / unit, high / unit), rel=1e-7, abs=1e-9 * high)
    assert interval.note == (f"only {count} {noun}" if count < 10 else "")


@modest
@given(
    st.integers(0, 2**32 - 1),
    st.integers(2, 40),
    st.booleans(),
    st.sampled_from(["e", "2", "10"]),
    st.sampled_from([0.5, 0.95, 0.999]),
)
def test_the_ends_are_those_of_student_or_0_in_every_unit_and_group(
    seed: int, rows: int, weighted: bool, base: str, level: float
) -> None:
    frame = frame_of(seed, rows)
    options: dict[str, Any] = {"kind": "losses", "preds": "loss", "base": base, "confidence": level}
    options |= {"weights": "w"} if weighted else {}
    report = score(frame, by="g", **options)
    same(report.interval, wanted(frame, weighted, level), NATS[base], "rows")
    for part in report.by:
        some = frame[frame.g == part.group["g"]]
        if len(some) > 1:
            same(part.interval, wanted(some, weighted, level), NATS[base], "rows")
        else:
            assert part.interval is None
    if frame.c.nunique() > 1:
        clustered = score(frame, cluster="c", **options)
        same(clustered.interval, wanted(frame, weighted, level, "c"), NATS[base], "clusters")


@pytest.mark.parametrize("count", [2, 9, 10, 11])
@pytest.mark.parametrize("clustered", [False, True])
def test_fewer_than_ten_rows_or_clusters_say_so(count: int, clustered: bool) -> None:
    frame = pd.DataFrame({"loss": np.arange(2.0 * count) % 7, "c": np.arange(2 * count) % count})
    frame = frame if clustered else frame[:count]
    report = score(frame, kind="losses", preds="loss", cluster="c" if clustered else None)
    assert report.interval is not None
    assert report.interval.note == (f"only {count} {'clusters' if clustered else 'rows'}" if count < 10 else "")


def test_rows_of_weight_0_do_not_make_up_the_ten() -> None:
    frame = pd.DataFrame({"loss": np.arange(12.0), "w": [1.0] * 9 + [0.0] * 3})
    report = score(frame, kind="losses", preds="loss", weights="w")
    assert report.interval is not None and report.interval.note == "only 9 rows"


def test_a_cost_below_0_within_the_tolerance_stays_inside_its_interval() -> None:
    report = score([1.0005, 1.0006, 1.0005], kind="true-probs")
    assert report.interval is not None
    assert report.cost < 0
    assert report.interval.low <= report.cost <= report.interval.high


def lower_ends(report: Report, form: str) -> list[float]:
    """The lower end of the cost and of each group, as an output form has them."""
    text = rendered(report, form)
    if form == "json":
        told = json.loads(text)
        return [part["interval"]["low"] for part in (told, *told["by"])]
    if form == "jsonl":
        return [json.loads(line)["low"] for line in text.splitlines()]
    if form == "csv":
        return [float(row["low"]) for row in csv_text.DictReader(io.StringIO(text))]
    words = text.replace("|", " ").split()
    return [float(words[index - 1]) for index, word in enumerate(words) if word == "to"]


@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown", "jsonl"])
@pytest.mark.parametrize("base", ["e", "2", "10"])
def test_no_output_form_shows_a_lower_end_below_0(form: str, base: Any) -> None:
    frame = pd.DataFrame({"loss": [0.1, 1.6, 0.01, 0.2, 3.0], "g": list("uuvvv")})
    report = score(frame, kind="losses", preds="loss", by="g", base=base)
    ends = lower_ends(report, form)
    assert ends and ends == [0.0] * len(ends)


def test_the_screen_and_markdown_say_how_few_beside_the_interval(xent: Run, write: Write) -> None:
    write("l.csv", "loss,g\n0.1,u\n1.6,u\n0.5,v\n0.2,v\n0.3,v\n")
    command = ("score", "l.csv", "--kind", "losses", "--preds", "loss", "--by", "g")
    shown = xent(*command).stdout
    assert "(only 5 rows)" in shown.split("\n\n")[1].splitlines()[0]
    groups = {line.split()[0]: line for line in shown.split("\n\n")[2].splitlines()}
    assert "  0.000 to 10.380 (only 2 rows)" in groups["u"] and "(only 3 rows)" in groups["v"]
    assert "(only 5 rows) | nats" in xent(*command, "--format", "markdown").stdout
    clustered = xent("score", "l.csv", "--kind", "losses", "--preds", "loss", "--cluster", "g").stdout
    assert "(only 2 clusters)" in clustered
    told = json.loads(xent(*command, "--format", "json").stdout)
    assert [part["interval"]["note"] for part in (told, *told["by"])] == ["only 5 rows", "only 2 rows", "only 3 rows"]


# Groups u and v are of one cluster each, x of one row; z has an infinite loss where it is wanted.
SPARSE = pd.DataFrame(
    {
        "no": [0.8, 0.4, 0.9, 0.7, 0.3, 0.6, 0.55],
        "yes": [0.2, 0.6, 0.1, 0.3, 0.7, 0.4, 0.45],
        "y": ["no", "no", "no", "yes", "yes", "no", "yes"],
        "g": ["u", "u", "v", "v", "x", "z", "z"],
        "c": [1, 1, 2, 2, 3, 4, 5],
    }
)
CERTAIN = SPARSE.assign(no=[*SPARSE["no"][:5], 0.0, 0.55], yes=[*SPARSE["yes"][:5], 1.0, 0.45])


@pytest.mark.parametrize("cluster", [None, "c"])
@pytest.mark.parametrize("frame", [SPARSE, CERTAIN], ids=["finite", "infinite"])
def test_a_part_without_an_interval_has_the_reason(frame: pd.DataFrame, cluster: str | None) -> None:
    options: dict[str, Any] = {"label": "y", "preds": "no,yes", "by": "g", "cluster": cluster}
    other = frame.assign(no=0.5, yes=0.5)
    cost = score(frame, **options)
    change = compare({"a": frame, "b": other}, **options, by_class=True)
    gap = calibration(frame, **options, fit=None)
    lonely = "one row has no standard error" if cluster is None else "one cluster has no standard error"
    dependent = "rows of a cluster are not independent"
    lone = dict.fromkeys("uvxz", lonely) | {"z": None} | ({"u": None, "v": None} if cluster is None else {})
    infinite = frame is CERTAIN
    assert {part.group["g"]: part.undefined.get("interval") for part in cost.by} == {
        **lone,
        "z": "the cost is infinite" if infinite else None,
    }
    for part in change.by:
        wanted = lone[part.group["g"]] or ("a loss is infinite" if infinite and part.group["g"] == "z" else None)
        assert part.undefined.get("standard_error") == (dependent if cluster else wanted)
    for group in gap.by:
        assert group.undefined.get("interval") == (dependent if cluster else lone[group.group["g"]])
    for document in (cost, change, gap):
        shown = " ".join(rendered(document, "table").split())
        plain = json.loads(rendered(document, "json"))
        for one in [*plain["by"], *(plain["by_class"] if document is change else [])]:
            null = {name for name in ("standard_error", "interval") if name in one and one[name] is None}
            assert null == {*one["undefined"]} - {"ece_floor", "ece_floor_95"}
            assert all(one["undefined"][name] in shown for name in null)
