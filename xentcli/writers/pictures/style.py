"""What all drawings share: sizes, fonts, colours, and text of files made harmless.

The colours are those of Okabe and Ito, which people with any kind of colour vision tell apart; beside them hatches and
markers tell the same in grey.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from rich.cells import cell_len, set_cell_size

from xentcli.errors import UsageError
from xentcli.report.document import Document
from xentcli.report.report import Report
from xentcli.writers.safe import terminal

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "INK",
    "ORANGE",
    "RED",
    "STYLE",
    "WIDTH",
    "cut",
    "cut_apart",
    "infinite_bar",
    "log_ticks",
    "nothing",
    "page_of",
    "report_of",
    "room_of",
]

INK, GREY = "#000000", "#808080"
"""INK becomes the colour of the text around it on a page."""
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
WIDTH = 5.0
"""Inches: a column and a half of a paper."""
_LONGEST = 24
STYLE: dict[str, Any] = {
    "figure.figsize": (WIDTH, 3.2),
    "figure.dpi": 200,
    "savefig.dpi": 200,
    "figure.constrained_layout.use": True,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.unicode_minus": False,
    "axes.formatter.useoffset": False,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.title_fontsize": 8,
    "legend.frameon": False,
    "hatch.linewidth": 0.6,
    "lines.linewidth": 1.2,
    "lines.markersize": 5,
    # Text of a file is no formula: in mathtext $ would begin one.
    "text.parse_math": False,
    "text.usetex": False,
    # Text stays text, which can be searched, read aloud and edited.
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}


def page_of(width: float = WIDTH, height: float = 3.2) -> Any:
    """Return an empty Figure of a size in inches."""
    return Figure(figsize=(width, height))


def report_of(document: Document) -> Report:
    """Return the score that a document is, or has."""
    report = getattr(document, "report", document)
    assert isinstance(report, Report)
    return report


def nothing(name: str, reason: str, advice: str = "") -> UsageError:
    """Return the error of a document that has nothing to draw; what was not asked for, can be."""
    asked = ("details=[...] asks for it in Python", "for xent merge: --plot, or -o FILE.html, beside each --state")
    return UsageError(f"{name} cannot be drawn: {reason}", advice=asked if reason.endswith("not asked for") else advice)


def cut(text: str, longest: int = _LONGEST) -> str:
    r"""Return a text of a file for a drawing: without controls, and of a wider one than there is room for both ends.

    >>> cut("a\x1b[31m"), cut("checkpoint-12", 9), cut("大きな犬と小さな猫", 9)
    ('a\\x1b[31m', 'checkp…12', '大きな…猫')
    """
    shown, end = terminal(text), (longest - 1) // 3
    if cell_len(shown) <= longest:
        return shown
    head, tail = set_cell_size(shown, longest - 1 - end), set_cell_size(shown[::-1], end)[::-1]
    return f"{head}…{tail}"


def cut_apart(names: Sequence[str], longest: int = _LONGEST) -> list[str]:
    """Return names cut so that those that differ still do: without what all have in common, or numbered.

    >>> cut_apart(["run-of-a-long-name-1-at-lr-0.1", "run-of-a-long-name-12-at-lr-0.1"], 16)
    ['…1…', '…12…']
    >>> cut_apart(["a", "b"]), cut_apart(["same", "same"])
    (['a', 'b'], ['same', 'same'])
    """
    found, different = [cut(name, longest) for name in names], len({*names})
    if len({*found}) == different:
        return found
    head, tail = (len(os.path.commonprefix([*each])) for each in (names, [name[::-1] for name in names]))
    while head and names[0][head - 1].isdigit():
        head -= 1
    while tail and names[0][-tail].isdigit():
        tail -= 1
    tail = min(tail, min(map(len, names)) - head)
    found = [f"{'…' * bool(head)}{name[head : len(name) - tail]}{'…' * bool(tail)}" for name in names]
    found = [cut(name, longest) for name in found]
    if len({*found}) == different:
        return found
    return [f"{place}: {cut(name, max(longest - 5, 6))}" for place, name in enumerate(names, start=1)]


def room_of(names: Sequence[str], size: float = 7) -> float:
    """Return the inches that the widest of some names takes, at a font size in points."""
    return max(map(cell_len, names), default=0) * 0.62 * size / 72


def infinite_bar(axes: Any, place: float, height: float, width: float, text: str) -> None:
    """Draw the bar of infinite losses, which a text above it shows where it is low."""
    axes.bar(place, height, 0.9 * width, color=RED, edgecolor=INK, hatch="xxxx", linewidth=0.6)
    axes.annotate(text, (place, height), (0, 2), textcoords="offset points", ha="center", fontsize=7)


def log_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Return round numbers from `low` to `high` for a logarithmic axis, at most about eight, each with its text.

    >>> log_ticks(0.5, 20.0)
    [(0.5, '0.5'), (1.0, '1'), (2.0, '2'), (5.0, '5'), (10.0, '10'), (20.0, '20')]
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1, 2, 5) if math.log10(high) - math.log10(low) < 2.5 else (1,)
    found = [float(f"{step}e{power}") for power in range(first, last + 1) for step in steps]
    found = [value for value in found if low * 0.999 <= value <= high * 1.001]
    return [(value, f"{value:g}") for value in found[:: max(1, -(-len(found) // 8))]]
