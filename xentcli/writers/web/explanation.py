"""What the page of an explanation needs beside the lines that the screen has."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Sequence

from xentcli.records import cached_property, record
from xentcli.report.document import BASES
from xentcli.report.explanation import ClassTerm, Explanation
from xentcli.writers.figures import fixed, short
from xentcli.writers.steps import LOSS_PLACES, Steps

__all__ = ["Lesson"]

_OTHERS = (0.9, 0.5)
"""The probabilities of the true class in the two further predictions that are averaged with this one."""
_LOGS = {"nats": "math.log", "bits": "math.log2", "bans": "math.log10"}
_WIDTH, _HEIGHT, _MOST = 400.0, 220.0, 5.0
"""The curve in points, and the largest loss in nats that it shows."""


@record(frozen=True)
class Row:
    """A class of the page: texts of its cells, and the length of its bar from 0 to 100."""

    name: str
    y: str
    q: str
    log_q: str
    term: str
    bar: float
    true: bool
    score: str
    exponential: str


class Lesson:
    """The parts of the page of one Explanation; losses are in its unit."""

    def __init__(self, example: Explanation) -> None:
        self.example, self.steps = example, Steps(example)
        self.unit, self.log = example.unit, self.steps.log
        self._nats = 1.0 if self.unit == "nats" else math.log(float(BASES[self.unit]))

    @property
    def hard(self) -> bool:
        """Whether one class is true."""
        return self.example.truth is not None

    @property
    def from_logits(self) -> bool:
        """Whether the model gave logits."""
        return self.example.logsumexp is not None

    @property
    def several(self) -> bool:
        """Whether there is a distribution over classes."""
        return len(self.example.terms) > 1

    @cached_property
    def rows(self) -> list[Row]:
        """The classes that are shown."""
        return [self._row(term) for term in self.steps.classes]

    @property
    def left(self) -> int:
        """How many classes are not shown."""
        return len(self.example.terms) - len(self.rows)

    def _row(self, term: ClassTerm) -> Row:
        cells = self.steps.cells(term)
        score, exponential = ("" if v is None else fixed(v, 4) for v in (term.score, term.exponential))
        bar, true = min(max(100 * term.q, 0.0), 100.0), self.hard and bool(term.y)
        return Row(term.name, cells[1], short(term.q), cells[-2], cells[-1], bar, true, score, exponential)

    @property
    def sum(self) -> str:
        """The sum of the terms."""
        return self.steps.sum_cells()[-1]

    @property
    def loss(self) -> str:
        """The loss with six decimals."""
        return fixed(self._loss, LOSS_PLACES)

    @property
    def _loss(self) -> float:
        return self.example.loss / self._nats + 0.0

    @property
    def q_of_truth(self) -> str:
        """The probability of the true class."""
        return short(self._truth.q)

    @property
    def _truth(self) -> ClassTerm:
        return self.example.terms[self.example.truth_index or 0]

    @property
    def uniform(self) -> str:
        """The loss of predicting all classes equally."""
        return fixed(self.example.uniform / self._nats, LOSS_PLACES)

    @property
    def verdict(self) -> str:
        """How the prediction compares with guessing."""
        return f"{self.steps.verdict()} than guessing"

    @property
    def power(self) -> str:
        """The base of the logarithm."""
        return BASES[self.unit]

    @property
    def perplexity(self) -> str:
        """The number of equally likely classes whose choice has the same loss."""
        return short(float(f"{self.example.perplexity:.6g}"))

    @property
    def entropy(self) -> str:
        """The entropy of the target."""
        return fixed(self._entropy, LOSS_PLACES)

    @property
    def divergence(self) -> str:
        """The loss above the entropy of the target."""
        return fixed(self._loss - self._entropy, LOSS_PLACES)

    @property
    def _entropy(self) -> float:
        return (self.example.target_entropy or 0.0) / self._nats

    @property
    def halving(self) -> str:
        """What the loss grows by where q is halved."""
        return fixed(math.log(2) / self._nats, LOSS_PLACES)

    @cached_property
    def averaged(self) -> list[tuple[str, str]]:
        """The probability of the true class and the loss, of this prediction and two more."""
        first = self.q_of_truth if self.hard else "(above)"
        return [(first, self.loss), *((short(q), fixed(-math.log(q) / self._nats, LOSS_PLACES)) for q in _OTHERS)]

    @property
    def average(self) -> str:
        """The mean of these losses."""
        losses = [self._loss, *(-math.log(q) / self._nats for q in _OTHERS)]
        return fixed(math.fsum(losses) / len(losses), LOSS_PLACES)

    @property
    def command(self) -> str:
        """The command that makes this explanation again."""
        base = "" if self.unit == "nats" else f" --base {BASES[self.unit]}"
        if self.example.inputs:
            files = " ".join(shlex.quote(file.path) for file in self.example.inputs)
            return f"xent explain {files} --row {self.example.row}{base}"
        return f"xent explain --{self.example.kind} {self._numbers()} {self._target()}{base}"

    def _numbers(self) -> str:
        given = [term.q if term.score is None else term.score for term in self.example.terms]
        return ",".join(repr(value).removesuffix(".0") for value in given)

    def _target(self) -> str:
        if self.hard:
            return f"--label {self.example.truth_index}"
        return "--target " + ",".join(repr(term.y).removesuffix(".0") for term in self.example.terms)

    @property
    def python(self) -> str:
        """The line of Python that computes the loss from the probability of the true class."""
        return f'python3 -c "import math; print(-{_LOGS[self.unit]}({self._truth.q!r}))"'

    # The curve of -log q.

    @property
    def curve(self) -> str:
        """The points of the curve, for a polyline."""
        steps = [math.exp(-_MOST) ** (1 - i / 80) for i in range(81)]
        return " ".join(f"{_WIDTH * q:.1f},{self._height(-math.log(q)):.1f}" for q in steps)

    @property
    def point(self) -> tuple[float, float]:
        """Where this prediction is on the curve."""
        q = min(max(self._truth.q, 0.0), 1.0)
        return round(_WIDTH * q, 1), round(self._height(min(self.example.loss, _MOST)), 1)

    def _height(self, nats: float) -> float:
        return _HEIGHT * (1 - nats / _MOST)

    @property
    def ticks(self) -> Sequence[tuple[float, str]]:
        """The heights of the losses that are marked, and their texts."""
        return [(round(self._height(nats), 1), fixed(nats / self._nats, 2)) for nats in range(int(_MOST) + 1)]

    @property
    def playable(self) -> bool:
        """Whether the numbers can be changed: a distribution of few classes, as it is scored."""
        plain = self.example.kind in ("probs", "logits", "logprobs") and self.example.clip is None
        return self.several and not self.left and plain and self.example.temperature == 1

    @property
    def state(self) -> str:
        """What the script begins with, as JSON."""
        terms = self.example.terms
        finite = [0.0 if term.score is None or not math.isfinite(term.score) else term.score for term in terms]
        values = {
            "q": [term.q for term in terms],
            "y": [term.y for term in terms],
            "z": finite if self.from_logits else None,
            "nats": self._nats,
            "unit": self.unit,
            "log": self.log,
            "base": BASES[self.unit],
            "python": _LOGS[self.unit],
            "others": _OTHERS,
            "curve": [_WIDTH, _HEIGHT, _MOST],
        }
        return json.dumps(values)
