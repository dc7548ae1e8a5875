"""Drawings: their figures are those of the JSON, their text is text, and they are refused before anything is read."""

from __future__ import annotations

import math
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xentcli
from tests.conftest import Call, Write
from xentcli.errors import UsageError
from xentcli.report.details import DETAILS
from xentcli.writers.pictures import DRAWINGS, FORMATS, drawn, figure

Q = np.random.default_rng(1).dirichlet(np.full(4, 0.3), 3000)
Y = np.array([np.random.default_rng(row).choice(4, p=q) for row, q in enumerate(Q)])
LOSS = -np.log(Q[np.arange(3000), Y])
SCORE = xentcli.score(Q, Y, details=DETAILS)
MAGIC = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}


def bars(axes: Any) -> list[tuple[float, float, float]]:
    """Where each bar begins, its width and its height."""
    return [(bar.get_x(), bar.get_width(), bar.get_height()) for bar in axes.containers[0]]


def texts(made: Any) -> list[str]:
    import matplotlib.text

    return [text.get_text() for text in made.findobj(matplotlib.text.Text)]


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
    above, _ = figure(report, "losses").axes
    infinite = sum(map(math.isinf, losses))
    assert sum(height for container in above.containers for height in (bar.get_height() for bar in container)) == len(
        losses
    )
    assert ("inf" in texts(figure(report, "losses"))) == bool(infinite)
    assert all(drawn(report, "losses", form).startswith(MAGIC[form]) for form in FORMATS)


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
        (("score", "p.csv", "y.csv", "--plot", "curve.svg"), ["score has no such drawing", "xent compare can"]),
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


def test_every_drawing_is_of_some_command_and_its_detail_can_be_asked_for() -> None:
    for drawing in DRAWINGS.values():
        assert {*drawing.commands} <= {"score", "check", "calibration", "compare"}
        assert drawing.detail in ("", *DETAILS)
