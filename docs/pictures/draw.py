"""The pictures of cross-entropy.md, drawn from what xent computes: python docs/pictures/draw.py [FOLDER]."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path

import xentcli

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ANIMALS = ("cat", "dog", "emu", "fox", "owl")
FIRST, SECOND = (0.1, 0.5, 0.1, 0.1, 0.2), (0.1, 0.6, 0.1, 0.1, 0.1)
INK, FAINT, BLUE, ORANGE = "#222222", "#b0b0b0", "#0072b2", "#d55e00"
"""Blue and vermilion of Okabe and Ito, which colour-blind readers tell apart, and of different lightness."""


class Picture:
    """An SVG with a white ground, so that it can be read on a dark page too."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
            ' role="img" font-family="sans-serif" font-size="14">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        ]

    def text(self, x: float, y: float, words: str, anchor: str = "start", fill: str = INK, weight: str = "") -> None:
        """Write words."""
        bold = f' font-weight="{weight}"' * bool(weight)
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}"{bold}'
            f' stroke="#ffffff" stroke-width="6" paint-order="stroke">{escape(words)}</text>'
        )

    def bar(self, x: float, y: float, width: float, height: float, fill: str) -> None:
        """Draw a bar."""
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>')

    def line(self, points: Iterable[tuple[float, float]], stroke: str = INK, width: float = 1, dash: str = "") -> None:
        """Draw a line through points."""
        through = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dashed = f' stroke-dasharray="{dash}"' * bool(dash)
        self.parts.append(
            f'<polyline points="{through}" fill="none" stroke="{stroke}" stroke-width="{width}"{dashed}/>'
        )

    def dot(self, x: float, y: float, fill: str) -> None:
        """Draw a dot."""
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{fill}"/>')

    def bars(
        self,
        left: float,
        title: str,
        names: Sequence[str],
        values: Sequence[float],
        true: str = "",
        scale: float = 150,
        shown: Callable[[float], str] = "{:g}".format,
    ) -> None:
        """Draw a bar for each name, below a title; that of the true class is orange, and bold."""
        self.text(left, 24, title, weight="bold")
        zero = left + 36 + scale * max(0.0, -min(values)) / max(map(abs, values), default=1) * 0.5
        unit = scale / max(1.0, *map(abs, values)) * (1 if min(values) >= 0 else 0.6)
        for place, (name, value) in enumerate(zip(names, values, strict=True)):
            y = 38 + 26 * place
            bold = "bold" if name == true else ""
            self.text(left, y + 15, name, weight=bold)
            self.bar(zero + min(0.0, value) * unit, y, max(abs(value) * unit, 1), 20, ORANGE if name == true else BLUE)
            self.text(zero + max(0.0, value) * unit + 6, y + 15, shown(value), weight=bold)

    def save(self, folder: Path, name: str) -> None:
        """Write the file."""
        (folder / name).write_text("\n".join([*self.parts, "</svg>"]) + "\n", encoding="utf-8")


class Axes:
    """A frame in a picture, from data to pixels."""

    def __init__(
        self, picture: Picture, x: tuple[float, float], y: tuple[float, float], names: tuple[str, str], left: float = 60
    ) -> None:
        self.picture, self.x, self.y, self.left = picture, x, y, left
        self.width, self.height, self.top = 380, 240, 40
        bottom = self.top + self.height
        picture.line([(left, self.top), (left, bottom), (left + self.width, bottom)])
        picture.text(left + self.width, bottom + 40, names[0], "end")
        picture.text(left - 40, 20, names[1])

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the pixel of a point."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return self.left + self.width * across, self.top + self.height * (1 - up)

    def ticks(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        """Write numbers at the axes."""
        for x in xs:
            where, bottom = self.at(x, self.y[0])
            self.picture.line([(where, bottom), (where, bottom + 4)])
            self.picture.text(where, bottom + 19, f"{x:g}", "middle")
        for y in ys:
            left, where = self.at(self.x[0], y)
            self.picture.line([(left - 4, where), (left, where)])
            self.picture.text(left - 8, where + 5, f"{y:g}", "end")

    def curve(self, of: Callable[[float], float], low: float, high: float, stroke: str, dash: str = "") -> None:
        """Draw a function."""
        steps = [low + (high - low) * step / 200 for step in range(201)]
        self.picture.line((self.at(x, of(x)) for x in steps), stroke, 2.5, dash)


def loss(q: float) -> float:
    """Return the loss of a probability at the truth, as xent computes it."""
    return float(xentcli.score([q], kind="true-probs").cost)


def loss_axes(picture: Picture, x: str, y: str = "") -> Axes:
    """Draw the loss of every probability, and return its axes."""
    axes = Axes(picture, (0, 1), (0, 5), (x, y))
    axes.ticks((0, 0.25, 0.5, 0.75, 1), (0, 1, 2, 3, 4, 5))
    axes.curve(lambda q: -math.log(q), math.exp(-5), 1, BLUE)
    return axes


def distribution(folder: Path) -> None:
    """Draw the prediction and its target."""
    picture = Picture(560, 180, "What the model says, and what is true: 1 for cat, 0 for the others")
    picture.bars(12, "the model says", ANIMALS, FIRST, "cat")
    picture.bars(312, "what is true (the target)", ANIMALS, (1, 0, 0, 0, 0), "cat")
    picture.save(folder, "target.svg")


def curve(folder: Path) -> None:
    """Draw the loss of every probability at the truth."""
    picture = Picture(500, 326, "The loss -ln q falls from infinity at q = 0 to 0 at q = 1")
    axes = loss_axes(picture, "q, the probability of what was true", "loss, -ln q")
    for q in (0.01, 0.1, 0.5, 0.9):
        x, y = axes.at(q, loss(q))
        picture.dot(x, y, ORANGE)
        picture.text(
            *((x + 9, y - 6) if q < 0.8 else (x + 20, y - 14)),
            f"q = {q:g}: loss {loss(q):.3f}",
            "start" if q < 0.8 else "middle",
        )
    picture.save(folder, "curve.svg")


def rest(folder: Path) -> None:
    """Draw two predictions of the same loss."""
    picture = Picture(560, 180, "Two predictions that give cat 0.1 have the same loss")
    for left, prediction in ((12, FIRST), (312, SECOND)):
        steps = xentcli.explain([prediction], [0], row=1)
        picture.bars(left, f"loss {steps.loss:.6f}", ANIMALS, prediction, "cat")
    picture.save(folder, "rest.svg")


def soft(folder: Path) -> None:
    """Draw a one-hot and a soft target."""
    picture = Picture(560, 128, "A one-hot target has a single 1; a soft target shares it")
    picture.bars(12, "one-hot target", ("cat", "dog", "emu"), (1, 0, 0), "cat")
    picture.bars(312, "soft target", ("cat", "dog", "emu"), (0.8, 0.1, 0.1), "cat")
    picture.save(folder, "soft.svg")


def softmax(folder: Path) -> None:
    """Draw logits, their exponentials and the probabilities."""
    logits = (2.0, -1.0, 0.5)
    names = ("cat", "dog", "emu")
    steps = xentcli.explain([logits], [2], row=1, kind="logits")
    picture = Picture(760, 128, "Softmax: from logits to their exponentials to probabilities")
    picture.bars(12, "logits z", names, logits, "emu", 90)
    picture.bars(262, "exp(z)", names, [math.exp(z) for z in logits], "emu", 120, "{:.3f}".format)
    picture.bars(512, "each divided by their sum", names, [term.q for term in steps.terms], "emu", 140, "{:.3f}".format)
    picture.save(folder, "softmax.svg")


def cost(folder: Path) -> None:
    """Draw the losses of four photographs and their mean."""
    probabilities = (0.1, 0.8, 0.9, 0.5)
    picture = Picture(560, 164, "Four losses, and the cost, which is their mean")
    names = tuple(f"{row}" for row in range(1, 5))
    losses = [loss(q) for q in probabilities]
    mean = xentcli.score(probabilities, kind="true-probs").cost
    x = 12 + 36 + 380 / max(losses) * mean
    picture.line([(x, 34), (x, 140)], ORANGE, 2, "5 4")
    picture.bars(12, "losses of rows 1 to 4", names, losses, scale=380, shown="{:.3f}".format)
    picture.text(x, 158, f"cost = their mean = {mean:.3f}", "middle", ORANGE, "bold")
    picture.save(folder, "cost.svg")


def honest(folder: Path) -> None:
    """Draw the mean loss of each forecast where it rains on 7 days of 10."""
    picture = Picture(500, 326, "Where it rains on 7 days of 10, the forecast 0.7 has the least cost")
    axes = Axes(picture, (0, 1), (0.4, 1.4), ("the forecast: probability of rain", "cost"))
    axes.ticks((0, 0.25, 0.5, 0.7, 1), (0.4, 0.6, 0.8, 1.0, 1.2, 1.4))
    axes.curve(lambda q: -0.7 * math.log(q) - 0.3 * math.log(1 - q), 0.155, 0.986, BLUE)
    least = xentcli.score([[0.7, 0.3]], [[0.7, 0.3]]).cost
    x, y = axes.at(0.7, least)
    picture.dot(x, y, ORANGE)
    picture.text(x, y + 24, f"0.7: {least:.3f}, the least", "middle")
    picture.save(folder, "honest.svg")


def brier(folder: Path) -> None:
    """Draw the loss beside the Brier score of two classes."""
    picture = Picture(500, 326, "Near q = 0 the loss has no bound, the Brier score ends at 2")
    axes = loss_axes(picture, "q, the probability of what was true (of two classes)")
    axes.curve(lambda q: 2 * (1 - q) ** 2, 0, 1, ORANGE, "7 4")
    picture.text(*axes.at(0.06, 3.3), "loss, -ln q", fill=BLUE, weight="bold")
    picture.text(*axes.at(0.5, 1.1), "Brier score, 2 (1 - q)²", fill=ORANGE, weight="bold")
    picture.save(folder, "brier.svg")


def calibration(folder: Path) -> None:
    """Draw how often the forest is right beside what it says, before and after its temperature."""
    predictions, labels = (ROOT / "sample_data" / name for name in ("digits_forest.csv", "digits_labels.csv"))
    before = xentcli.calibration(predictions, labels)
    after = xentcli.calibration(predictions, labels, temperature=0.271, fit="none")
    picture = Picture(
        500, 326, "A forest that is more often right than it says; after its temperature it is about as sure as right"
    )
    axes = Axes(picture, (0, 1), (0, 1), ("how sure the model is", "how often it is right"))
    axes.ticks((0, 0.25, 0.5, 0.75, 1), (0, 0.25, 0.5, 0.75, 1))
    picture.line([axes.at(0, 0), axes.at(1, 1)], FAINT, 2, "5 4")
    for report, color in ((before, BLUE), (after, ORANGE)):
        points = [(part.confidence, part.accuracy) for part in report.bins if part.rows >= 10]
        for x, y in points:
            picture.dot(*axes.at(x, y), color)
        picture.line((axes.at(x, y) for x, y in points), color, 1.5)
    picture.text(*axes.at(0.28, 0.93), "the model", "end", BLUE, "bold")
    picture.text(*axes.at(0.62, 0.42), "after its temperature", fill=ORANGE, weight="bold")
    picture.save(folder, "calibration.svg")


PICTURES = (distribution, curve, rest, soft, softmax, cost, honest, brier, calibration)

if __name__ == "__main__":
    for draw in PICTURES:
        draw(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
