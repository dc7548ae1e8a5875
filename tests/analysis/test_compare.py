"""compare: paired changes against SciPy's, laws, and what is refused."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
import scipy.special
import scipy.stats
from hypothesis import example, given
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.laws import settings
from xentcli import calibration, compare, score
from xentcli.analysis.model_names import models_of, names_of
from xentcli.analysis.pairs import holm
from xentcli.analysis.student import two_sided_p
from xentcli.errors import DataError, NoVerdict, UsageError
from xentcli.report.comparison import Comparison, DivergentRows
from xentcli.report.per_example import PerExample
from xentcli.tallies.paired import Paired
from xentcli.writers import rendered

SAMPLES = ROOT / "sample_data"
FOREST, LOGISTIC, LABELS = (str(SAMPLES / f"digits_{name}.csv") for name in ("forest", "logistic", "labels"))


def distributions(rows: int, classes: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(classes), rows)


def labels_of(rows: int, classes: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed + 1000).integers(0, classes, rows)


def losses(q: np.ndarray, y: np.ndarray) -> np.ndarray:
    found: np.ndarray = -np.log(q[np.arange(len(y)), y])
    return found


def test_the_change_is_that_of_a_paired_t_test() -> None:
    a, b, y = distributions(500, 4, 1), distributions(500, 4, 2), labels_of(500, 4, 1)
    result = compare({"a": a, "b": b}, y)
    for metric, one, two in (
        ("cost", losses(a, y), losses(b, y)),
        ("brier", *(((q - np.eye(4)[y]) ** 2).sum(axis=1) for q in (a, b))),
        ("accuracy", *((q.argmax(axis=1) == y).astype(float) for q in (a, b))),
    ):
        pair = result.pair("b", metric)
        test = scipy.stats.ttest_rel(two, one)
        low, high = test.confidence_interval(0.95)
        assert pair is not None and pair.interval is not None
        assert pair.change == pytest.approx((two - one).mean(), rel=1e-12)
        assert (pair.interval.low, pair.interval.high) == pytest.approx((low, high), rel=1e-9)
        assert pair.p_value == pytest.approx(test.pvalue, rel=1e-7)
        sign = 1 if metric == "accuracy" else -1
        assert pair.wins == int((sign * (two - one) > 0).sum())
        assert pair.wins + pair.losses + pair.ties == 500


def test_weights_change_the_mean_and_its_error_as_repeated_rows_would_the_mean() -> None:
    a, b, y = distributions(60, 3, 3), distributions(60, 3, 4), labels_of(60, 3, 3)
    w = np.random.default_rng(5).integers(1, 4, 60)
    import pandas as pd

    frames = {n: pd.DataFrame(q, columns=["0", "1", "2"]).assign(w=w, y=y) for n, q in (("a", a), ("b", b))}
    pair = compare(frames, None, weights="w", label="y", preds="0:2").pair("b", "cost")
    d = losses(b, y) - losses(a, y)
    mean = (w * d).sum() / w.sum()
    error = math.sqrt(60 / 59 * ((w * (d - mean)) ** 2).sum()) / w.sum()
    assert pair is not None
    assert (pair.change, pair.standard_error) == pytest.approx((mean, error), rel=1e-12)
    repeated = compare({n: np.repeat(q, w, axis=0) for n, q in (("a", a), ("b", b))}, np.repeat(y, w)).pair("b", "cost")
    assert repeated is not None and repeated.change == pytest.approx(pair.change, rel=1e-13)


def test_clusters_widen_the_error() -> None:
    a, b, y = distributions(90, 3, 6), distributions(90, 3, 7), labels_of(90, 3, 6)
    import pandas as pd

    sites = np.arange(90) % 30
    frame = pd.DataFrame({"y": y, "site": sites})
    pair = compare({"a": a, "b": b}, frame, label="y", cluster="site").pair("b", "cost")
    d = losses(b, y) - losses(a, y)
    sums = np.array([(d - d.mean())[sites == site].sum() for site in range(30)])
    assert pair is not None
    assert pair.standard_error == pytest.approx(math.sqrt(30 / 29 * (sums**2).sum()) / 90, rel=1e-12)
    degrees = pair.interval
    assert degrees is not None
    half = scipy.stats.t.ppf(0.975, 29) * pair.standard_error
    assert degrees.high == pytest.approx(d.mean() + half, rel=1e-9)


@settings(max_examples=40, least=8, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(2, 4), st.booleans())
def test_the_laws_of_a_comparison(seed: int, rows: int, classes: int, hopeless: bool) -> None:
    a, b, y = distributions(rows, classes, seed), distributions(rows, classes, seed + 1), labels_of(rows, classes, seed)
    if hopeless:
        b[0] = np.eye(classes)[(y[0] + 1) % classes]
    forth, back = compare({"a": a, "b": b}, y, by_class=True), compare({"b": b, "a": a}, y)
    for one, two in zip(forth.pairs, back.pairs, strict=True):
        assert one.change == (None if two.change is None else -two.change)
        assert (one.wins, one.losses, one.ties) == (two.losses, two.wins, two.ties)
        assert one.standard_error == two.standard_error
    for pair in compare({"a": a, "again": a.copy()}, y).pairs:
        assert (pair.change, pair.ties, pair.verdict) == (0.0, rows, "no difference")
    change = forth.pairs[0].change
    if change and math.isfinite(change):
        assert sum(part.share or 0 for part in forth.by_class) == pytest.approx(1, rel=1e-9)
        assert sum(part.examples for part in forth.by_class) == rows
    order = np.random.default_rng(seed).permutation(rows)
    shuffled = compare({"a": a[order], "b": b[order]}, y[order])
    strip = [(p.change, p.standard_error, p.p_value, p.wins) for p in forth.pairs]
    assert strip == [(p.change, p.standard_error, p.p_value, p.wins) for p in shuffled.pairs]


def test_the_costs_are_those_of_score_in_every_bit() -> None:
    result = compare([FOREST, LOGISTIC], LABELS)
    for model, path in zip(result.models, (FOREST, LOGISTIC), strict=True):
        report = score(path, LABELS)
        assert (model.cost, model.brier, model.accuracy) == (report.cost, report.brier, report.accuracy)


def test_the_calibrated_cost_is_that_of_score_at_the_temperature_in_every_bit() -> None:
    result = compare([FOREST, LOGISTIC], LABELS)
    for model, path in zip(result.models, (FOREST, LOGISTIC), strict=True):
        assert model.temperature is not None
        assert model.calibrated_cost == score(path, LABELS, temperature=model.temperature).cost
        assert model.temperature == calibration(path, LABELS).fit.temperature  # type: ignore[union-attr]
    assert result.metrics[:2] == ("cost", "calibrated_cost")
    before, after = (result.pair("logistic", metric) for metric in ("cost", "calibrated_cost"))
    assert before is not None and after is not None
    assert (before.verdict, after.verdict) == ("better", "worse")
    assert any("order turns" in note for note in result.notes)
    assert compare([FOREST, LOGISTIC], LABELS, fit="none").metrics == ("cost", "brier", "accuracy")


@pytest.mark.parametrize("factor", [0.5, 2.0, 3.0, 10.0])
@pytest.mark.parametrize("seed", range(5))
def test_logits_times_a_factor_are_the_same_model_once_calibrated(seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 5, 400)
    z = rng.normal(size=(400, 5)) + 2 * np.eye(5)[y]
    for other in (z * factor, (z * factor).astype("f4")):
        result = compare({"a": z, "b": other}, y, kind="logits")
        after = result.pair("b", "calibrated_cost")
        assert after is not None
        assert after.verdict == "no difference", after
        assert not any("order turns" in note for note in result.notes)


@pytest.mark.parametrize(
    "options",
    [{"ignore_label": "0"}, {"by_class": True}, {"worst": 2}, {"label_smoothing": 0.1}, {"class_weight": {"0": 2}},
     {"compat": "torch"}, {"metrics": "brier"}, {"clip": 0.1}, {"fit": "temperature"}],
    ids=str,
)  # fmt: skip
def test_without_labels_options_of_labels_are_refused(options: dict[str, Any]) -> None:
    models = {"old": np.log(distributions(20, 3, 1)), "new": np.log(distributions(20, 3, 2))}
    with pytest.raises(UsageError, match=r"without labels|needs labels|takes --kind"):
        compare(models, kind="logits", **options)


def test_a_fit_that_cannot_be_is_refused_or_its_absence_explained() -> None:
    rows = {"old": np.array([0.5, 1.0]), "new": np.array([0.25, 1.0])}
    assert compare(rows, kind="losses").notes == (
        "calibrated is left out: --kind losses holds no distribution over classes",
    )
    with pytest.raises(UsageError, match="--fit temperature cannot be: --kind losses"):
        compare(rows, kind="losses", fit="temperature")
    with pytest.raises(UsageError, match=r"--fit temperature cannot be: .*--model"):
        compare(["long.csv"], None, model="who", id="q", label="y", fit="temperature")


def test_the_screen_says_which_options_change_the_loss() -> None:
    options: dict[str, Any] = {"temperature": 2, "clip": 0.01, "class_weight": {"0": 2}, "fit": "none"}
    for form in ("table", "markdown"):
        shown = rendered(compare([FOREST, LOGISTIC], LABELS, **options), form)
        for option in ("--temperature", "--clip", "--class-weight"):
            assert f"({option})" in shown


def test_the_mean_is_contradicted_only_where_one_model_wins_more_rows() -> None:
    y = np.array([0, 0, 0, 0])
    old = np.array([[q, 1 - q] for q in (0.5, 0.5, 0.5, 0.5)])
    equal = np.array([[q, 1 - q] for q in (0.9, 0.9, 0.4, 0.4)])
    fewer = np.array([[q, 1 - q] for q in (0.99, 0.49, 0.49, 0.5)])
    assert not any("on more rows" in note for note in compare({"old": old, "new": equal}, y, fit="none").notes)
    (note,) = (n for n in compare({"old": old, "new": fewer}, y, fit="none").notes if "on more rows" in n)
    assert note == "old has the smaller loss on more rows, but the larger mean"


def test_without_a_temperature_the_reason_is_said() -> None:
    y = labels_of(30, 3, 5)
    hopeless = np.eye(3)[(y + 1) % 3]
    result = compare({"a": distributions(30, 3, 5), "b": hopeless}, y)
    assert "calibrated_cost" not in result.metrics
    assert any("calibrated is left out: b: " in note and "--clip" in note for note in result.notes)
    with pytest.raises(UsageError, match="--fit is temperature or none"):
        compare([FOREST, LOGISTIC], LABELS, fit="isotonic")


@pytest.mark.parametrize("kind", ["probs", "logits", "logprobs"])
def test_without_labels_the_divergences_are_scipys(kind: Any, tmp_path: Path) -> None:
    z, other = (np.random.default_rng(seed).normal(size=(300, 4)) for seed in (1, 2))
    p, q = (scipy.special.softmax(each, axis=1) for each in (z, other))
    values = {"probs": (p, q), "logits": (z, other), "logprobs": (np.log(p), np.log(q))}[kind]
    forward, backward = scipy.special.rel_entr(p, q).sum(axis=1), scipy.special.rel_entr(q, p).sum(axis=1)
    np.save(tmp_path / "old.npy", values[0])
    lines = [",".join(map(repr, row)) for row in values[1].tolist()]
    (tmp_path / "new.csv").write_text("a,b,c,d\n" + "\n".join(lines) + "\n")
    for models in ({"old": values[0], "new": values[1]}, [str(tmp_path / "old.npy"), str(tmp_path / "new.csv")]):
        (found,) = compare(models, kind=kind).kl
        assert (found.forward, found.backward) == pytest.approx((forward.mean(), backward.mean()), rel=1e-12)
        assert found.same_top == (p.argmax(axis=1) == q.argmax(axis=1)).mean()
        low, high = scipy.stats.t.interval(0.95, 299, forward.mean(), scipy.stats.sem(forward))
        assert found.forward_interval is not None
        assert (found.forward_interval.low, found.forward_interval.high) == pytest.approx((low, high), rel=1e-9)
    (same,) = compare({"old": values[0], "again": values[0].copy()}, kind=kind).kl
    assert (same.forward, same.backward, same.same_top) == (0, 0, 1)
    with pytest.raises(DataError, match="fewer rows"):
        compare({"old": values[0], "new": values[1][:-1]}, kind=kind)
    with pytest.raises(DataError, match="3 classes, and predictions has 4"):
        compare({"old": p, "new": scipy.special.softmax(other[:, :3], axis=1)})
    with pytest.raises(UsageError, match="--id needs labels"):
        compare({"old": p, "new": q}, id="x")


def test_rows_beyond_the_memory_go_to_a_file_and_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = compare([FOREST, LOGISTIC], LABELS, by_class=True, worst=3).to_dict()
    monkeypatch.setattr("xentcli.analysis.row_store.RowStore.__init__.__defaults__", (1000,))
    monkeypatch.setattr("xentcli.analysis.pairs._AT_ONCE", 100)
    assert compare([FOREST, LOGISTIC], LABELS, by_class=True, worst=3).to_dict() == whole


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"fit": "temperature"},
        {"id": "id"},
        {"id": "id", "subset": True, "by": "site", "cluster": "site", "worst": 3},
    ],
    ids=lambda options: "-".join(options) or "plain",
)
def test_small_files_side_by_side_give_what_they_give_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    y, random = labels_of(40, 3, 1), np.random.default_rng(2)
    counts = {"first": 40, "second": 40, "third": 40, "short": 30, "long": 95, "odd": 40, "last": 40}
    for place, (name, rows) in enumerate(counts.items()):
        order = random.permutation(rows) if "id" in options and place else np.arange(rows)
        q = distributions(rows, 3, place)
        q[7, 0] += name == "odd"
        table = pd.DataFrame(q, columns=["0", "1", "2"]).assign(id=np.arange(rows), y=np.resize(y, rows))
        table.assign(site=table["id"] % 6).iloc[order].to_csv(tmp_path / f"{name}.csv", index=False)
    paths = [str(tmp_path / f"{name}.csv") for name in counts]
    settings: dict[str, Any] = {"label": "y", "preds": "0,1,2", **options}
    seen: list[tuple[int, float | None]] = []
    monkeypatch.setattr("xentcli.analysis.model_rows._FEW", 40)
    beside = compare(paths, threads=2, progress=lambda rows, share: seen.append((rows, share)), **settings)
    assert "odd" in [refused.name for refused in beside.refused]
    assert ("short" in [refused.name for refused in beside.refused]) == ("subset" not in options)
    assert seen.count((40, 1.0)) == 3
    alone = compare(paths, threads=1, **settings).to_dict()
    monkeypatch.setattr("xentcli.analysis.model_rows._FEW", -1)
    assert beside.to_dict() == alone == compare(paths, **settings).to_dict()


def test_infinite_losses_are_counted_where_they_cancel() -> None:
    y = np.array([0, 0, 0])
    a = np.array([[0.0, 1.0], [0.5, 0.5], [0.5, 0.5]])
    both = compare({"a": a, "b": a.copy()}, y).pairs[0]
    assert (both.change, both.infinite, both.verdict) == (None, 1, "no difference")
    each_way = compare({"a": a, "b": a[::-1]}, y).pairs[0]
    assert (each_way.change, each_way.infinite, each_way.verdict) == (None, 0, "no difference")
    one_way = compare({"a": a[1:], "b": a[:2]}, y[:2]).pairs[0]
    assert (one_way.change, one_way.verdict, one_way.interval) == (math.inf, "worse", None)


def test_ids_bring_rows_together_in_any_order(tmp_path: Path) -> None:
    a, b, y = distributions(50, 3, 8), distributions(50, 3, 9), labels_of(50, 3, 8)
    order = np.random.default_rng(1).permutation(50)
    paths = []
    for name, q, rows in (("a", a, np.arange(50)), ("b", b, order)):
        lines = ["id,0,1,2", *(f"r{i},{','.join(map(repr, q[i].tolist()))}" for i in rows)]
        paths.append(str(tmp_path / f"{name}.csv"))
        Path(paths[-1]).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "y.csv").write_text("id,y\n" + "".join(f"r{i},{y[i]}\n" for i in range(50)))
    by_id = compare(paths, str(tmp_path / "y.csv"), id="id", worst=2)
    plain = compare({"a": a, "b": b}, y, worst=2)
    assert [p.change for p in by_id.pairs] == [p.change for p in plain.pairs]
    assert [row.row for row in by_id.worst] == [row.row for row in plain.worst]
    assert [row.id for row in by_id.worst] == [f"r{row.row - 1}" for row in by_id.worst]


def test_files_with_other_labels_weights_or_rows_are_refused(tmp_path: Path) -> None:
    def file(name: str, text: str) -> str:
        (tmp_path / name).write_text("y,w,0,1\n" + text)
        return str(tmp_path / name)

    old = file("old.csv", "0,1,.5,.5\n1,1,.5,.5\n")
    more: dict[str, Any] = {"label": "y", "weights": "w", "preds": "0,1"}
    with pytest.raises(DataError, match=r"row 2: its label is '0', and '1' in .*old.csv"):
        compare([old, file("labels.csv", "0,1,.5,.5\n0,1,.5,.5\n")], **more)
    with pytest.raises(DataError, match=r"row 1: its weight is 2, and 1 in"):
        compare([old, file("weights.csv", "0,2,.5,.5\n1,1,.5,.5\n")], **more)
    with pytest.raises(DataError, match=r"3 rows, and .*old.csv has 2"):
        compare([old, file("long.csv", "0,1,.5,.5\n1,1,.5,.5\n1,1,.5,.5\n")], **more)
    with pytest.raises(UsageError, match="nothing to compare"):
        compare([old], **more)
    with pytest.raises(UsageError, match="not a mean over rows"):
        compare([old, old + "x"], metrics="perplexity", **more)
    with pytest.raises(UsageError, match="compare kl: its change is that of the cost"):
        compare([old, old + "x"], metrics="kl", **more)
    with pytest.raises(NoVerdict):
        compare([file("none.csv", "0,0,.5,.5\n"), file("none2.csv", "0,0,.5,.5\n")], **more)


def test_of_three_files_one_that_cannot_be_scored_is_refused_alone(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("0,1,2,3,4,5,6,7,8,9\n" + ".3,.1,.1,.1,.1,.1,.1,.1,.1,nan\n" * 1797)
    result = compare([FOREST, LOGISTIC, str(tmp_path / "bad.csv")], LABELS)
    assert [model.name for model in result.models] == ["digits_forest", "digits_logistic"]
    assert [(r.name, r.exit_code) for r in result.refused] == [("bad", 3)]
    assert "nan" in result.refused[0].reason


def test_of_several_models_those_not_told_from_the_best_are_marked() -> None:
    y = labels_of(400, 3, 20)
    good = 0.7 * np.eye(3)[y] + 0.3 * distributions(400, 3, 20)
    similar = 0.7 * np.eye(3)[y] + 0.3 * distributions(400, 3, 21)
    models = {"bad": distributions(400, 3, 22), "good": good, "similar": similar}
    result = compare(models, y)
    assert result.best is not None and {result.best.name, *result.best.ties} == {"good", "similar"}
    assert result.best.pairs == 3
    p_values = [result.pairs[0].p_value, result.pairs[1].p_value]
    assert [result.pairs[0].p_adjusted, result.pairs[1].p_adjusted] == holm(p_values)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_closed_test_of_bonferroni(p_values: list[float]) -> None:
    """A hypothesis is as sure as the least sure of all sets that it is in, each by the Bonferroni of its smallest p."""
    places = range(len(p_values))
    sets = [some for size in places for some in itertools.combinations(places, size + 1)]
    sure = {some: min(1.0, len(some) * min(p_values[place] for place in some)) for some in sets}
    closed = [max(p for some, p in sure.items() if place in some) for place in places]
    assert holm(p_values) == pytest.approx(closed, rel=1e-12)
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02], rel=1e-12)


@example(2.1771161142911048e-161, 192)
@example(1e200, 3)
@given(st.floats(-40, 40), st.integers(1, 10**6))
def test_the_p_of_student_is_scipys(t: float, degrees: int) -> None:
    assert two_sided_p(t, degrees) == pytest.approx(2 * scipy.stats.t.sf(abs(t), degrees), rel=1e-7, abs=1e-300)


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5), st.floats(0.1, 3)), min_size=2, max_size=20), st.data())
def test_paired_tallies_merge_in_any_order_and_travel_as_text(rows: list[Any], data: st.DataObject) -> None:
    old, new, weight = (np.array(column) for column in zip(*rows, strict=True))
    cut = data.draw(st.integers(0, len(rows)))
    parts = [Paired.of(old[:cut], new[:cut], weight[:cut]), Paired.of(old[cut:], new[cut:], weight[cut:])]
    whole = Paired.of(old, new, weight)
    assert parts[0].merge(parts[1]) == parts[1].merge(parts[0]) == whole.merge(Paired.empty()) == whole
    assert Paired.from_plain(json.loads(json.dumps(whole.to_plain()))) == whole


def test_parts_have_the_costs_of_both_models_and_stand_beside_each_model() -> None:
    a, b, y = distributions(200, 3, 1), distributions(200, 3, 2), labels_of(200, 3, 1)
    usage = np.where(np.arange(200) % 3, "Private", "Public")
    tables = [{"0": q[:, 0], "1": q[:, 1], "2": q[:, 2], "y": y, "Usage": usage} for q in (a, b, a)]
    models = {name: pd.DataFrame(table) for name, table in zip("abc", tables, strict=True)}
    result = compare(models, preds=["0", "1", "2"], label="y", by="Usage", by_class=True, base="2")
    bits = {name: losses(q, y) / math.log(2) for name, q in (("a", a), ("b", b))}
    for part in result.by[:2]:
        here = usage == part.group["Usage"]
        assert (part.reference_cost, part.cost) == pytest.approx((bits["a"][here].mean(), bits["b"][here].mean()))
    for name, one in zip("012", result.by_class[:3], strict=True):
        assert one.name == name
        assert one.cost == pytest.approx(bits["b"][y == int(name)].mean())
    rows = list(csv.DictReader(io.StringIO(rendered(result, "csv"))))
    for name in ("a", "b"):
        (row,) = (row for row in rows if row["model"] == name)
        assert float(row["cost[Usage=Public]"]) == pytest.approx(bits[name][usage == "Public"].mean())


def test_where_files_differ_in_rows_no_temperatures_are_compared() -> None:
    a, b, y = distributions(60, 3, 1), distributions(60, 3, 2), labels_of(60, 3, 1)
    b[7] = np.nan
    result = compare({"a": a, "b": b}, y, skip_missing=True)
    assert result.examples.scored == 59 and "calibrated_cost" not in result.metrics
    assert any(note.startswith("calibrated is left out: ") and "differ in rows" in note for note in result.notes)
    assert [model.temperature for model in result.models] == [None, None]


def test_rows_of_infinite_divergence_are_named() -> None:
    p, q = np.full((300, 2), 0.5), np.full((300, 2), 0.5)
    p[[9, 205]], q[40] = [1.0, 0.0], [0.0, 1.0]
    result = compare({"p": p, "q": q})
    (found,) = result.kl
    assert (found.forward, found.backward) == (math.inf, math.inf)
    assert found.infinite == DivergentRows(3, (10, 41, 206))
    assert "10, 41, 206" in rendered(result, "table")


def test_names_are_short_and_distinct() -> None:
    assert list(names_of(["a/p.csv.gz", "a/q.csv.gz"])) == ["p", "q"]
    assert list(names_of(["p.csv", "p.npy"])) == ["p.csv", "p.npy"]
    assert list(names_of(["run_1.csv", "run_2.csv"])) == ["run_1", "run_2"]
    assert list(names_of(["p.csv", "p (2).csv", "p.csv"])) == ["p", "p (2)", "p (3)"]
    with pytest.raises(UsageError, match="can be read only once"):
        names_of(["-", "-"])


def test_one_file_given_twice_differs_from_itself_by_nothing() -> None:
    result = compare([FOREST, LOGISTIC, FOREST], LABELS)
    assert [model.name for model in result.models] == ["forest", "logistic", "forest (2)"]
    assert [w.message for w in result.warnings if w.code == "same-file"] == ["forest (2) and forest are the same file"]
    for metric in result.metrics:
        pair = result.pair("forest (2)", metric)
        assert pair is not None and pair.interval is not None
        assert (pair.change, pair.standard_error, pair.interval.low, pair.interval.high) == (0, 0, 0, 0)
        assert (pair.p_value, pair.verdict, pair.ties) == (1, "no difference", 1797)


def test_a_glob_beside_files_does_not_repeat_them(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.csv").touch()
    assert [Path(path).stem for path in models_of([str(tmp_path / "b.csv")], str(tmp_path / "*.csv"))] == [*"bac"]


def test_equal_warnings_of_many_models_are_one() -> None:
    y, q = labels_of(150, 3, 5), distributions(150, 3, 5)
    models = {f"m{i}": 0.9 * q + 0.1 * distributions(150, 3, i) for i in range(30)}
    for i in range(1, 25):
        models[f"m{i}"][7], models[f"m{i}"][7, y[7]] = 0.5, 1e-300
    (found,) = [w.message for w in compare(models, y, fit="none").warnings if w.message.endswith(": row 8")]
    assert found.startswith("24 of 30 models (m1, m2, m3, ...): one row makes up to ")
    looks = [w.message for w in compare(models, y, kind="logits", fit="none").warnings if w.code != "one-row"]
    assert len(looks) == 1 and looks[0].startswith("all 30 models: "), looks


def test_an_interval_of_a_share_is_within_what_a_share_can_change() -> None:
    a, b, y = [[0.4, 0.6]] * 3, [[0.6, 0.4]] * 2 + [[0.4, 0.6]], [0, 0, 0]
    pair, back = (compare(both, y).pair("new", "accuracy") for both in ({"old": a, "new": b}, {"old": b, "new": a}))
    assert pair is not None and pair.interval is not None and back is not None and back.interval is not None
    assert pair.interval.high == 1 and -1 < pair.interval.low < 0
    assert (back.interval.low, back.interval.high) == (-1, -pair.interval.low)


def test_models_in_one_file_are_compared_on_the_rows_that_all_have(tmp_path: Path) -> None:
    q, y = np.random.default_rng(3).uniform(0.01, 0.99, (40, 3)), labels_of(40, 2, 3)
    names = ("a", "b", "c")
    wide = tmp_path / "wide.csv"
    wide.write_text("y,a,b,c\n" + "".join(f"{y[i]},{','.join(map(repr, q[i].tolist()))}\n" for i in range(40)))
    lines = [
        f"q{i},{name},{float(q[i, k])!r},{y[i]}"
        for i in range(40)
        for k, name in enumerate(names)
        if (i, name) != (7, "b")
    ]
    order = np.random.default_rng(4).permutation(len(lines) - 1) + 1
    long = tmp_path / "long.csv"
    long.write_text("question,who,p,y\n" + "\n".join([lines[0], *(lines[i] for i in order)]) + "\n")
    kept = np.arange(40) != 7
    separate = compare({name: q[kept, k] for k, name in enumerate(names)}, y[kept])
    by_column = compare([str(wide)], None, each=names, label="y")
    by_row = compare([str(long)], None, model="who", id="question", label="y", preds="p", worst=1)
    assert [m.name for m in by_row.models] == list(
        dict.fromkeys(line.split(",")[1] for line in [lines[0], *(lines[i] for i in order)])
    )
    changes = {(p.reference, p.model, p.metric): p.change for p in separate.pairs}
    for pair in by_row.pairs:
        if pair.reference == "a":
            assert pair.change == changes[pair.reference, pair.model, pair.metric]
    assert by_row.examples.scored == 39 and "compared on the 39 rows" in by_row.notes[0]
    assert by_row.worst[0].id is not None and by_row.worst[0].id.startswith("q")
    whole = compare({name: q[:, k] for k, name in enumerate(names)}, y)
    assert [p.change for p in by_column.pairs] == [p.change for p in whole.pairs]
    long.write_text("question,who,p,y\nq1,a,.5,1\nq1,b,.5,1\nq1,a,.5,1\n")
    with pytest.raises(DataError, match=r"a has two rows with id 'q1'"):
        compare([str(long)], None, model="who", id="question", label="y", preds="p")


@pytest.mark.parametrize(
    ("paths", "options", "message"),
    [
        (["p.csv"], {"each": ["a"]}, "names one model"),
        (["p.csv"], {"each": ["a", "b"], "model": "who"}, "choose one"),
        (["p.csv", "q.csv"], {"each": ["a", "b"]}, "models that are in one file"),
        (["p.csv"], {"model": "who"}, "needs --id"),
        (["p.csv"], {"each": ["a", "b"], "preds": "a"}, "both name columns"),
    ],
)
def test_options_of_models_in_one_file_that_make_no_sense(
    paths: list[str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        compare(paths, None, **options)


def test_losses_written_by_score_are_compared_without_labels(tmp_path: Path) -> None:
    paths = []
    for name, path in (("f", FOREST), ("l", LOGISTIC)):
        blocks: list[PerExample] = []
        score(path, LABELS, sink=blocks.append)
        paths.append(str(tmp_path / f"{name}.npy"))
        np.save(paths[-1], np.concatenate([block.loss for block in blocks]))
    result = compare(paths, kind="losses")
    assert result.pairs[0].change == compare([FOREST, LOGISTIC], LABELS).pairs[0].change
    assert result.metrics == ("cost",)


def test_the_document_follows_its_schema() -> None:
    from xentcli.report import json_schema

    result = compare([FOREST, LOGISTIC], LABELS, by_class=True, worst=2)
    jsonschema.validate(result.to_dict(), json_schema.of(Comparison.NAME))


def test_a_tool_that_has_no_temperature_is_compared_without_one() -> None:
    a, b = np.array([[0.75, 0.25], [0.5, 0.5]]), np.array([[0.5, 0.5], [0.25, 0.75]])
    result = compare({"a": a, "b": b}, [0, 1], compat="sklearn")
    assert {pair.metric for pair in result.pairs} == {"cost", "brier", "accuracy"}
    assert any("--compat sklearn has no temperature" in note for note in result.notes)
    with pytest.raises(UsageError, match="--compat sklearn has no temperature"):
        compare({"a": a, "b": b}, [0, 1], compat="sklearn", fit="temperature")


def test_groups_and_classes_have_every_metric_that_is_asked_for() -> None:
    a, b, y = distributions(300, 3, 1), distributions(300, 3, 2), labels_of(300, 3, 1)
    site, weights = np.array(["n", "s", "w"])[np.arange(300) % 3], np.arange(300) % 4 + 1.0
    options: dict[str, Any] = {"metrics": ["accuracy", "brier", "top2"], "weights": weights}
    result = compare({"a": a, "b": b}, y, by={"site": site}, by_class=True, **options)
    rows = [(part, site == part.group["site"]) for part in result.by]
    rows += [(part, y == int(part.name)) for part in result.by_class]  # type: ignore[misc]
    assert len(rows) == 6
    for part, some in rows:
        alone = compare({"a": a[some], "b": b[some]}, y[some], **options | {"weights": weights[some]})
        for metric in ("accuracy", "brier", "top2"):
            pair = alone.pair("b", metric)
            assert pair is not None
            found = [part.metrics[f"{metric}_{name}"] for name in ("change", "standard_error")]
            assert found == pytest.approx([pair.change, pair.standard_error], rel=1e-12)
            figures = [part.metrics[f"reference_{metric}"], part.metrics[metric]]
            assert figures == pytest.approx([model.value(metric) for model in alone.models], rel=1e-12)
    models = next(table for table in result.tables() if table.title == "models").records()
    assert models[1]["top2[site=n]"] == next(p.metrics["top2"] for p in result.by if p.group["site"] == "n")
    assert "change" in rendered(result, "table")
    assert compare({"a": a, "b": b}, y, by={"site": site}).by[0].metrics == {}


def test_the_table_of_models_has_the_interval_of_each_change() -> None:
    models, y = {name: distributions(60, 3, ord(name)) for name in "abc"}, labels_of(60, 3, 1)
    for count in (2, 3):
        result = compare(dict(itertools.islice(models.items(), count)), y)
        first, *others = next(table for table in result.tables() if table.title == "models").records()
        assert first["cost_change"] is None and first["cost_change_low"] is None and first["cost_change_high"] is None
        for row in others:
            for metric in result.metrics:
                pair = result.pair(row["model"], metric)
                assert pair is not None and pair.interval is not None
                ends = (row[f"{metric}_change_low"], row[f"{metric}_change"], row[f"{metric}_change_high"])
                assert ends == (pair.interval.low, pair.change, pair.interval.high)
