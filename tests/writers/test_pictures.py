"""Drawings: their figures are those of the JSON, their text is text, and they are refused before anything is read."""

from __future__ import annotations

import itertools
import math
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xentcli
from tests.conftest import Call, Write
from tests.laws import LONG, some_of
from xentcli.errors import UsageError
from xentcli.report.details import COMPARED as OF_COMPARISON
from xentcli.report.details import DETAILS
from xentcli.writers import content
from xentcli.writers.pictures import DRAWINGS, FORMATS, drawn, figure

Q = np.random.default_rng(1).dirichlet(np.full(4, 0.3), 3000)
Y = np.array([np.random.default_rng(row).choice(4, p=q) for row, q in enumerate(Q)])
LOSS = -np.log(Q[np.arange(3000), Y])
SITES: dict[str, Any] = {
    "by": [{"site": [f"site {row % 3}" for row in range(3000)]}, {"day": ["ab"[row % 2] for row in range(3000)]}]
}
SCORE = xentcli.score(Q, Y, details=DETAILS, **SITES)
MODELS = {"a": Q, "b": 0.8 * Q + 0.05, "c": 0.5 * Q + 0.125}
COMPARED = xentcli.compare(MODELS, Y, details=OF_COMPARISON)
DOCUMENTS = {
    "score": SCORE,
    "check": xentcli.check(Q, Y, max={"cost": 1.0}, details=DETAILS, **SITES),
    "calibration": xentcli.calibration(Q, Y, details=DETAILS, fit="none", **SITES),
    "compare": COMPARED,
}
PAIRS = [(command, name) for name, drawing in DRAWINGS.items() for command in drawing.commands if command != "merge"]
HOSTILE = ["$x^2$ & $y$", "</text><script>alert(1)</script>", "a\x1b[31m\u202e", "]]>--><!--", "z" * 300]
MAGIC = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}


def bars(axes: Any) -> list[tuple[float, float, float]]:
    """Where each bar begins, its width and its height."""
    return [(bar.get_x(), bar.get_width(), bar.get_height()) for bar in axes.containers[0]]


def texts(made: Any) -> list[str]:
    import matplotlib.text

    return [text.get_text() for text in made.findobj(matplotlib.text.Text)]


def words_of(svg: bytes) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_losses_are_counted_exactly_and_add_up_to_the_cost() -> None:
    assert SCORE.details is not None
    found = SCORE.details.losses
    assert found is not None and found.tail_from is not None
    edges = [(part.low, part.high) for part in found.bins]
    counts = [int(np.count_nonzero((low <= LOSS) & (high > LOSS))) for low, high in edges]
    assert [part.rows for part in found.bins] == counts
    assert sum(counts) == 3000
    sums = [math.fsum(LOSS[(low <= LOSS) & (high > LOSS)]) / math.fsum(LOSS) for low, high in edges]
    assert [part.share for part in found.bins] == pytest.approx(sums, rel=1e-12)
    assert found.median == pytest.approx(np.median(LOSS), rel=1 / 32)
    worst = LOSS[found.tail_from <= LOSS]
    assert found.tail_rows == len(worst) >= 30
    assert found.tail_share == pytest.approx(math.fsum(worst) / math.fsum(LOSS), rel=1e-12)
    assert len(LOSS[found.tail_from * (1 + 1 / 16) <= LOSS]) < 30


def test_the_median_of_steps_is_shown_with_two_digits_and_its_bound_not_as_if_it_were_exact() -> None:
    report = xentcli.score([0.1, 0.5, 2.0], kind="losses", details=DETAILS)
    assert "median about 0.51 nats (within 3 %, before rounding)" in texts(figure(report, "losses"))
    assert (
        ">about 0.51</td>" in (page := content(report, "html").decode())
        and "less (within 3 %, before rounding)" in page
    )


def test_what_the_largest_differences_contribute_is_in_the_unit_and_their_size_a_lower_bound() -> None:
    two = xentcli.compare({"a": Q, "b": 0.8 * Q + 0.05}, Y, details=OF_COMPARISON)
    assert two.details is not None
    (one,) = two.details.differences
    drawn = next(text for text in texts(figure(two, "differences")) if text.startswith("largest 1 %"))
    tail = f"{one.tail_rows} rows of at least ±{one.tail_from:.4g}"
    assert drawn == f"largest 1 %: {tail}, contributing {one.tail_contribution:+.4g} nats"
    page = content(two, "html").decode()
    assert "their contribution to the mean, nats" in page and "size of each, at least" in page
    assert "share of the mean" not in page and "smallest of these" not in page


def test_the_bars_of_losses_are_the_bins_of_the_json() -> None:
    above, below = figure(SCORE, "losses").axes
    found = SCORE.to_dict()["details"]["losses"]["bins"]
    assert [height for _, _, height in bars(above)] == [part["rows"] for part in found]
    assert [height for _, _, height in bars(below)] == [part["share"] for part in found]
    for (x, width, _), part in zip(bars(above)[1:], found[1:], strict=True):
        assert 2**x == pytest.approx(part["low"]) and 2 ** (x + width) == pytest.approx(part["high"])


@pytest.mark.parametrize(
    "losses",
    [[0.0, 0.0], [math.inf, math.inf], [math.inf, 1.0, 0.0], [1e308, 1e-300], [0.5], [5e-324, 1e5, math.inf]],
    ids=str,
)
def test_extreme_losses_are_drawn(losses: list[float]) -> None:
    report = xentcli.score(losses, kind="losses", details=["losses"])
    made = figure(report, "losses")
    above, _ = made.axes
    infinite = sum(map(math.isinf, losses))
    assert sum(height for container in above.containers for height in (bar.get_height() for bar in container)) == len(
        losses
    )
    assert ("inf" in texts(made)) == bool(infinite)
    assert drawn(report, "losses", "svg")


def test_the_command_draws_what_the_stem_or_the_kind_names_twice_the_same(
    call: Call, write: Write, tmp_path: Path
) -> None:
    write("p.csv", "a,b\n0.7,0.3\n0.4,0.6\n")
    write("y.csv", "truth\na\nb\n")
    done = call("score", "p.csv", "y.csv", "--plot", "losses.svg", "--plot", "losses=other.png", "-q")
    assert (done.code, done.err) == (0, "")
    first = (tmp_path / "losses.svg").read_bytes()
    assert ET.fromstring(first).tag.endswith("svg")
    assert (tmp_path / "other.png").read_bytes().startswith(MAGIC["png"])
    assert call("score", "p.csv", "y.csv", "--plot", "losses.svg", "-q").code == 0
    assert (tmp_path / "losses.svg").read_bytes() == first


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("score", "p.csv", "y.csv", "--plot", "losses.gif"), [".svg, .png, .pdf"]),
        (("score", "p.csv", "y.csv", "--plot", "losses"), [".svg, .png, .pdf"]),
        (("score", "p.csv", "y.csv", "--plot", "loss.svg"), ["'loss' is not a drawing", "KIND=FILE", "losses"]),
        (("score", "p.csv", "y.csv", "--plot", "roc=r.svg"), [": 'roc' is not a drawing"]),
        (("score", "p.csv", "y.csv", "--plot", "curve.svg"), ["score has no such drawing", "drawn by xent compare"]),
        (("compare", "p.csv", "p.csv", "--plot", "losses.svg"), ["xent score", "xent calibration"]),
        (("score", "p.csv", "y.csv", "--plot", "groups.svg"), ["needs --by"]),
        (("score", "p.csv", "--kind", "losses", "--plot", "classes.svg"), ["--kind losses has no labels"]),
        (("score", "p.csv", "y.csv", "--plot", "losses=p.csv"), ["unknown extension"]),
        (("score", "losses.svg", "y.csv", "--plot", "losses.svg"), ["is an input"]),
        (("score", "p.csv", "y.csv", "--plot", "losses.svg", "-o", "markdown:losses.svg"), ["written twice"]),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_anything_is_read(
    call: Call, args: tuple[str, ...], words: list[str]
) -> None:
    done = call(*args)
    assert done.code == 2
    assert all(word in done.err for word in words), done.err


def test_a_check_that_cannot_run_draws_nothing_and_a_failed_one_does(call: Call, write: Write, tmp_path: Path) -> None:
    write("p.csv", "a,b\n0.7,0.3\n0.4,0.6\n")
    write("y.csv", "truth\na\nb\n")
    drawing = ("--max", "cost=0.1", "--plot", "losses.svg")
    done = call("check", "nowhere.csv", "y.csv", *drawing)
    assert (done.code, (tmp_path / "losses.svg").exists()) == (4, False)
    assert call("check", "p.csv", "y.csv", *drawing).code == 1
    assert (tmp_path / "losses.svg").exists()


def test_merged_states_are_drawn_as_one_run(call: Call, write: Write, tmp_path: Path) -> None:
    rows = [f"{q[0]},{1 - q[0]},{'ab'[int(q[0] < 0.4)]},{row % 2}" for row, q in enumerate(Q[:40])]
    for name, some in (("all.csv", rows), ("one.csv", rows[:25]), ("two.csv", rows[25:])):
        write(name, "\n".join(["a,b,y,site", *some, ""]))
    for name in ("all", "one", "two"):
        beside = (
            "--label",
            "y",
            "--preds",
            "a,b",
            "--by",
            "site",
            "--plot",
            f"losses={name}.svg",
            "--plot",
            f"groups=g-{name}.svg",
        )
        assert call("score", f"{name}.csv", *beside, "--state", f"{name}.json").code == 0
    done = call("merge", "one.json", "two.json", "--plot", "losses=both.svg", "--plot", "groups=g-both.svg")
    assert (done.code, done.err) == (0, "")
    for one, other in (("both.svg", "all.svg"), ("g-both.svg", "g-all.svg")):
        assert (tmp_path / one).read_bytes() == (tmp_path / other).read_bytes()
    done = call("merge", "one.json", "two.json", "--plot", "classes.svg")
    assert done.code == 2
    assert "were not asked for" in done.err and "beside each --state" in done.err


def test_without_matplotlib_the_command_names_the_extra(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    done = call("score", "p.csv", "y.csv", "--plot", "losses.svg")
    assert done.code == 2
    assert "pip install 'xentcli[plot]'" in done.err


def test_what_was_not_asked_for_is_not_drawn() -> None:
    with pytest.raises(UsageError, match="was not asked for"):
        figure(xentcli.score(Q, Y), "losses")
    with pytest.raises(UsageError, match="no details 'bars'"):
        xentcli.score(Q, Y, details=["bars"])


@pytest.mark.parametrize(("command", "name"), PAIRS)
def test_each_drawing_is_written_in_each_format_the_same_each_time(command: str, name: str) -> None:
    first = command == DRAWINGS[name].commands[0]
    # Matplotlib writes all formats of one figure, and a PDF takes a second.
    forms = FORMATS if first and (LONG or list(DRAWINGS).index(name) % 3 == 0) else ("svg",)
    made = {form: drawn(DOCUMENTS[command], name, form) for form in forms}
    assert all(made[form].startswith(MAGIC[form]) for form in forms)
    if first or LONG:
        assert drawn(DOCUMENTS[command], name, "svg") == made["svg"]
    shown = [text for text in words_of(made["svg"]) if text]
    assert len(shown) > 5 and not any("$" in text or "math" in text for text in shown)


def test_pdf_and_png_have_no_date() -> None:
    assert all(drawn(COMPARED, "changes", form) == drawn(COMPARED, "changes", form) for form in ("pdf", "png"))
    assert b"CreationDate" not in drawn(COMPARED, "changes", "pdf")


def test_reliability_is_the_bins_of_the_json() -> None:
    for document, bins in (
        (SCORE, SCORE.to_dict()["details"]["reliability"]),
        (DOCUMENTS["calibration"], DOCUMENTS["calibration"].to_dict()["bins"]),
    ):
        above, below = figure(document, "reliability").axes
        line = next(line for line in above.lines if line.get_label() == "rows of the bin")
        assert list(line.get_xdata()) == [part["confidence"] for part in bins]
        assert list(line.get_ydata()) == [part["accuracy"] for part in bins]
        assert [height for _, _, height in bars(below)] == [part["rows"] for part in bins]
        ends = [(line.get_ydata()[0], line.get_ydata()[1]) for line in above.lines if line.get_alpha()]
        assert ends == [(part["interval"]["low"], part["interval"]["high"]) for part in bins]


def test_classes_and_groups_are_the_slices_of_the_json_the_largest_share_first() -> None:
    found = SCORE.to_dict()
    parts = [("class", found["details"]["by_class"])]
    parts += [(column, [part for part in found["by"] if column in part["group"]]) for column in ("site", "day")]
    axes = [*figure(SCORE, "classes").axes, *figure(SCORE, "groups").axes]
    for each, (column, slices) in zip(axes, parts, strict=True):
        ordered = sorted(slices, key=lambda part: -part["share"])
        assert [bar.get_width() for bar in each.containers[0]] == [part["share"] for part in ordered]
        names = [part["class"] if column == "class" else part["group"][column] for part in ordered]
        assert [tick.get_text() for tick in each.get_yticklabels()] == names
        assert list(each.lines[0].get_xdata()) == pytest.approx([part["examples"] / 3000 for part in ordered])
        assert [note.get_text() for note in each.texts] == [f"{part['cost']:.4g}" for part in ordered]


def test_the_confusion_is_that_of_the_json() -> None:
    counts = np.array(SCORE.to_dict()["details"]["confusion"])
    expected = np.zeros((4, 4), dtype=int)
    np.add.at(expected, (Y, Q.argmax(axis=1)), 1)
    assert (counts == expected).all()
    shown = {note.get_position(): int(note.get_text()) for note in figure(SCORE, "confusion").axes[0].texts}
    assert shown == {(p, t): counts[t, p] for t in range(4) for p in range(4) if counts[t, p]}


def test_changes_and_the_curve_are_the_pairs_of_the_json() -> None:
    found = COMPARED.to_dict()
    pairs = [pair for pair in found["pairs"] if pair["metric"] == "cost"]
    axes = figure(COMPARED, "changes").axes[0]
    marks = [(x, line.get_label()) for line in axes.lines if line.get_marker() in "v^o" for x in line.get_xdata()]
    assert sorted(marks) == sorted((pair["change"], pair["verdict"]) for pair in pairs)
    ends = {tuple(line.get_xdata()) for line in axes.lines if line.get_linewidth() == 1.6}
    assert ends == {(pair["interval"]["low"], pair["interval"]["high"]) for pair in pairs}
    axes = figure(COMPARED, "curve").axes[0]
    assert list(axes.lines[0].get_ydata()) == [model["cost"] for model in found["models"]]
    first = found["models"][0]["cost"]
    ends = {tuple(line.get_ydata()) for line in axes.lines if line.get_alpha()}
    assert ends == {(first + pair["interval"]["low"], first + pair["interval"]["high"]) for pair in pairs}


@pytest.mark.parametrize(
    ("names", "joined"),
    [
        (["forest", "logistic", "boosting"], []),
        (["epoch-2", "epoch-10", "epoch-100"], [[0, 1, 2]]),
        (["epoch-10", "epoch-2", "other-3"], []),
        (["base", "a-1", "a-2", "b-1", "b-02", "b-2"], [[1, 2], [3, 4]]),
        (["run 1, step 9", "run 1, step 10", "run 2, step 1"], [[0, 1, 2]]),
        (["1" * 5000, "2" * 5000], [[0, 1]]),
    ],
)
def test_a_line_joins_the_costs_of_checkpoints_alone(names: list[str], joined: list[list[int]]) -> None:
    models = dict(zip(names, itertools.cycle(MODELS.values())))
    axes = figure(xentcli.compare(models, Y, fit="none"), "curve").axes[0]
    assert [
        list(line.get_xdata()) for line in axes.lines if line.get_linewidth() == 1.2 and line.get_linestyle() == "-"
    ] == joined
    assert list(axes.lines[0].get_xdata()) == [*range(len(names))]


@pytest.mark.parametrize("scale", [1.0, 1e-9, 30.0], ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_differences_of_the_rows_are_counted_exactly_and_add_up_to_the_change(scale: float, weighted: bool) -> None:
    random = np.random.default_rng(3)
    old = random.exponential(scale, 5000)
    new = np.where(random.random(5000) < 0.1, old, old * random.exponential(1.0, 5000))
    new[3], old[4], new[5], old[5] = math.inf, math.inf, math.inf, math.inf
    weights = random.integers(0, 3, 5000).astype(float) if weighted else np.ones(5000)
    weights[3:6] = 1
    rows = {name: {"loss": losses, "weight": weights} for name, losses in (("a", old), ("b", new))}
    result = xentcli.compare(rows, kind="losses", weights="weight", details=OF_COMPARISON)
    assert result.details is not None
    (found,) = result.details.differences
    with np.errstate(invalid="ignore"):
        change = new - old
    kept = np.isfinite(change) & (weights > 0)
    change, weights, mass = change[kept], weights[kept], math.fsum(weights) - 1
    inside = [
        (change > part.low) & (change < part.high)
        if part.low < 0 < part.high
        else (change >= part.low) & (change < part.high)
        if part.low > 0
        else (change > part.low) & (change <= part.high)
        for part in found.bins
    ]
    assert [part.rows for part in found.bins] == [int(some.sum()) for some in inside]
    assert sum(part.rows for part in found.bins) == len(change)
    sums = [math.fsum((change * weights)[some]) / mass for some in inside]
    assert [part.contribution for part in found.bins] == pytest.approx(sums, rel=1e-12, abs=1e-30)
    assert len(found.bins) <= 2 * 40 + 1
    assert (found.reference_infinite, found.model_infinite) == (1, 1)
    assert found.median == pytest.approx(np.median(change), rel=1 / 16, abs=scale / 500)
    assert found.tail_from is not None
    tail = np.abs(change) >= found.tail_from
    assert found.tail_rows == tail.sum() >= 0.01 * len(change)
    assert found.tail_contribution == pytest.approx(math.fsum((change * weights)[tail]) / mass, rel=1e-12)


def test_differences_of_equal_and_of_hardly_different_models_are_drawn() -> None:
    for other in (Q, Q * (1 - 1e-9) + 1e-9 / 4):
        result = xentcli.compare({"a": Q, "b": other}, Y, details=OF_COMPARISON)
        assert result.details is not None
        bins = result.details.differences[0].bins
        above, below = figure(result, "differences").axes
        assert [height for _, _, height in bars(above)] == [part.rows for part in bins]
        assert [height for _, _, height in bars(below)] == [part.contribution for part in bins]
        assert sum(part.contribution for part in bins) == pytest.approx(result.pairs[0].change, rel=1e-9)
    assert len(bins) > 10, "bins are as small as the differences"
    with pytest.raises(UsageError, match="not asked for"):
        figure(xentcli.compare({"a": Q, "b": Q}, Y), "differences")


def test_a_state_has_no_differences_of_rows_which_other_runs_may_lack(call: Call, write: Write, tmp_path: Path) -> None:
    for name, q in (("old", "0.7,0.3\n0.4,0.6\n0.8,0.2\n"), ("new", "0.6,0.4\n0.3,0.7\n0.9,0.1\n")):
        write(f"{name}.csv", f"a,b\n{q}")
    write("y.csv", "truth\na\nb\na\n")
    compared = ("compare", "old.csv", "new.csv", "--labels", "y.csv", "--fit", "none", "--state")
    assert call(*compared, "1.json", "--plot", "differences.svg").code == 0
    assert call(*compared, "2.json").code == 0
    merged = [call("merge", f"{run}.json", "--format", "json").out for run in (1, 2)]
    assert merged[0] == merged[1] and "details" not in merged[0]


@pytest.mark.parametrize(("least", "most"), some_of(np.geomspace(1e-3, 1e-2, 8).tolist(), [0.3, 2.5, 6.0]))
def test_texts_of_the_axis_of_differences_stand_apart(least: float, most: float) -> None:
    sizes = np.geomspace(least, most, 40)
    losses = {"a": np.full(80, 7.0), "b": 7.0 + np.concatenate([sizes, -sizes])}
    made = figure(xentcli.compare(losses, kind="losses", details=OF_COMPARISON), "differences")
    made.canvas.draw()
    boxes = [label.get_window_extent() for label in made.axes[-1].get_xticklabels()]
    assert len(boxes) >= 3
    assert all(one.x1 + 2 < two.x0 for one, two in itertools.pairwise(boxes))


def test_of_many_models_the_first_have_room_and_infinite_rows_a_number() -> None:
    zeros = Q.copy()
    zeros[:7] = np.eye(4)[(Y[:7] + 1) % 4]
    many = {f"m{number}": zeros for number in range(9)}
    made = figure(xentcli.compare({"first": Q, **many}, Y, details=OF_COMPARISON), "differences")
    assert len(made.axes) == 6
    assert "loss minus that of first, nats; 3 more models" in texts(made)
    assert {"m0: mean +inf nats", "7", "inf"} <= set(texts(made))


def test_names_of_files_are_text_and_cut() -> None:
    q, y = np.random.default_rng(0).dirichlet(np.ones(5), 80), [HOSTILE[row % 5] for row in range(80)]
    report = xentcli.score(q, y, classes=HOSTILE, details=DETAILS, by={"$g$": y})
    models = xentcli.compare(dict(zip(HOSTILE, [q] * 5, strict=True)), y, classes=HOSTILE, details=OF_COMPARISON)
    for document, name in ((report, "classes"), (report, "confusion"), (report, "groups"), (models, "curve")):
        svg = drawn(document, name, "svg")
        shown = words_of(svg)
        assert "$x^2$ & $y$" in shown
        assert any(text.startswith("</text><sc") for text in shown)
        assert not any("\x1b" in text or "\u202e" in text or len(text) > 130 for text in shown)
        assert b"<script" not in svg
    confusion = figure(report, "confusion")
    confusion.draw_without_rendering()
    assert confusion.texts[0].get_window_extent().x1 <= confusion.bbox.x1
    assert any("change from $x^2$ & $y$" in text for text in texts(figure(models, "changes")))
    assert "a\\x1b[31m\\u202e: mean 0 nats" in texts(figure(models, "differences"))


def test_one_class_a_thousand_classes_and_infinite_losses_are_drawn_or_refused_with_the_reason() -> None:
    one = xentcli.score([[1.0], [1.0]], [0, 0], details=DETAILS)
    for name in ("losses", "classes", "reliability", "confusion"):
        assert drawn(one, name, "svg")
    q = np.random.default_rng(0).dirichlet(np.ones(1000), 2000)
    many = xentcli.score(q, np.arange(2000) % 1000, details=DETAILS)
    labels = [tick.get_text() for tick in figure(many, "classes").axes[0].get_yticklabels()]
    assert len(labels) == 26 and labels[-1] == "(975 others)"
    # A bar of all others would leave no room for those of single classes.
    axes = figure(many, "classes").axes[0]
    assert axes.get_xlim()[1] < 0.02 and any("% of the rows" in text for text in texts(axes.figure))
    assert len([tick for tick in figure(one, "losses").axes[1].get_xticklabels() if tick.get_text()]) >= 1
    equal = xentcli.score([[0.5, 0.5]] * 5, [1] * 5, details=DETAILS)
    assert len([tick for tick in figure(equal, "losses").axes[1].get_xticklabels() if tick.get_text()]) == 2
    with pytest.raises(UsageError, match=r"1,000 classes; it is drawn for up to 30"):
        figure(many, "confusion")
    infinite = xentcli.score([[1.0, 0.0], [0.5, 0.5]], [1, 0], details=DETAILS)
    assert infinite.cost == math.inf
    assert {"inf", "0.6931"} <= set(texts(figure(infinite, "classes")))
    assert "inf" in texts(figure(infinite, "losses"))
    soft = xentcli.score([[0.5, 0.5]], [[0.5, 0.5]], details=DETAILS)
    with pytest.raises(UsageError, match="soft"):
        figure(soft, "reliability")
    with pytest.raises(UsageError, match="one label each"):
        figure(soft, "confusion")
    assert drawn(soft, "classes", "png")
    for name in ("curve", "changes", "differences"):
        with pytest.raises(UsageError, match=f"{name} cannot be drawn: .* no labels"):
            figure(xentcli.compare({"a": q, "b": q}), name)


def test_no_pyplot_and_no_setting_of_the_user_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib

    before = drawn(SCORE, "losses", "svg")
    monkeypatch.setitem(matplotlib.rcParams, "font.size", 30)
    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "path")
    assert drawn(SCORE, "losses", "svg") == before
    assert matplotlib.rcParams["font.size"] == 30
    assert "matplotlib.pyplot" not in sys.modules


def test_every_drawing_is_of_some_command_and_its_detail_can_be_asked_for() -> None:
    for drawing in DRAWINGS.values():
        assert {*drawing.commands} <= {"score", "check", "calibration", "merge", "compare"}
        assert drawing.detail in ("", *(OF_COMPARISON if drawing.commands == ("compare",) else DETAILS))


def ticks(document: Any, name: str, axis: str) -> list[str]:
    made = figure(document, name)
    return [label.get_text() for label in getattr(made.axes[0], f"get_{axis}ticklabels")()]


@pytest.mark.filterwarnings("ignore:Glyph")
def test_long_names_leave_the_cells_of_a_confusion_their_size() -> None:
    sizes = []
    for names in (["a", "b", "c"], [f"{letter * 60}" for letter in "abc"], ["猫" * 40, "犬" * 40, "鳥" * 40]):
        made = figure(xentcli.score(np.eye(3), [0, 1, 2], classes=",".join(names), details=["confusion"]), "confusion")
        made.draw_without_rendering()
        box = made.axes[0].get_window_extent()
        sizes.append(min(box.width, box.height) / made.dpi / 3)
    assert min(sizes) > 0.9 * sizes[0] > 0.3, "inches of a cell"


def test_names_that_differ_where_they_are_cut_still_differ() -> None:
    names = [f"class number {place} of a name that is rather long for a drawing" for place in range(12)]
    q, y = np.full((24, 12), 1 / 12), [names[row % 12] for row in range(24)]
    report = xentcli.score(q, y, classes=names, by_class=True, details=["confusion"])
    models = xentcli.compare(dict(zip(names, [Q, *[0.9 * Q + 0.025] * 11], strict=True)), Y, fit="none")
    for document, name, axis in (
        (report, "confusion", "x"),
        (report, "confusion", "y"),
        (report, "classes", "y"),
        (models, "changes", "y"),
        (models, "curve", "x"),
    ):
        found = ticks(document, name, axis)
        assert len({*found}) == len(found) >= 11, found
    numbered = ticks(models, "curve", "x")
    assert numbered[1] == "…1…" and numbered[11] == "…11…"


def test_bars_without_an_end_have_no_numbers_below() -> None:
    report = xentcli.score([[1.0, 0.0], [0.0, 1.0]], [1, 0], by_class=True, details=["by_class"])
    assert ticks(report, "classes", "x") == []
