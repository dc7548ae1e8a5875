"""What the page of an explanation needs beside the lines that the screen has."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from xentcli.records import cached_property
from xentcli.report.document import BASES
from xentcli.report.explanation import ClassTerm, Explanation
from xentcli.writers.figures import fixed, short
from xentcli.writers.remarks import DEFAULT_TOLERANCE
from xentcli.writers.steps import GIVEN, LOSS_PLACES, Steps

__all__ = ["Lesson"]

_OTHERS = (0.9, 0.5)
"""The probabilities of the true class in the two further predictions that are averaged with this one."""
_HALVED = (0.5, 0.25, 0.125)
"""Probabilities of the true class whose losses are computed beside that of the point on the curve."""
_LOGS = {"nats": "math.log", "bits": "math.log2", "bans": "math.log10"}
_WIDTH, _HEIGHT, _LEAST_AXIS = 400.0, 220.0, 5.0
"""The curve in points, and the loss, in its unit, at the end of its axis where none is larger."""
_TOO_LARGE = 1e300
"""A loss that no axis reaches."""
_CURVE = [(place / 80) ** 3 for place in range(81)]
"""The q of the points of the curve: most are where it is steep."""
_MOST_MOVED = 2000
"""Classes that a slider moves at once."""


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
        """Whether the softmax made the probabilities."""
        return self.example.logsumexp is not None

    @property
    def several(self) -> bool:
        """Whether there is a distribution over classes."""
        return len(self.example.terms) > 1

    @property
    def given(self) -> tuple[str, str]:
        """The letter and the name of what --temperature divides."""
        return GIVEN[self.example.kind]

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The cells of the classes that are shown, by name, and the lengths of their bars from 0 to 100."""
        return [self._row(index, self.example.terms[index]) for index in self.steps.shown]

    @property
    def left(self) -> int:
        """How many classes are not shown."""
        return len(self.example.terms) - len(self.rows)

    def _row(self, index: int, term: ClassTerm) -> dict[str, Any]:
        cells = self.steps.cells(term)
        # Terms and sum have the digits of the loss.
        cells[-2:] = (fixed(value / self._nats, LOSS_PLACES) for value in (term.ln_q, term.term))
        scores = {"given": term.given, "score": term.score, "exponential": term.exponential}
        return {
            "index": index,
            "name": term.name,
            "y": cells[1],
            "q": short(term.q),
            "clipped": "" if term.clipped is None else short(term.clipped),
            "log_q": cells[-2],
            "term": cells[-1] if term.term else "0",
            "bar": min(max(100 * term.q, 0.0), 100.0),
            "true": self.hard and bool(term.y),
            "split": "" if self._split is None else short(self._split[index]),
            **{name: "" if score is None else fixed(score, LOSS_PLACES) for name, score in scores.items()},
        }

    @property
    def sum(self) -> str:
        """The sum of the terms."""
        return fixed(0.0 - self._loss, LOSS_PLACES) if self._loss else "0"

    @property
    def total(self) -> str:
        """The sum of the exponentials of the softmax."""
        return fixed(math.fsum(term.exponential or 0.0 for term in self.example.terms), LOSS_PLACES)

    @property
    def loss(self) -> str:
        """The loss with six decimals."""
        return fixed(self._loss, LOSS_PLACES)

    @property
    def _loss(self) -> float:
        return self.example.loss / self._nats + 0.0

    @property
    def formula(self) -> list[str]:
        """The loss in one line, of logits too by the probability that the softmax gave; then what is said of it."""
        lines, truth = self.steps.formula(), self._truth
        if not self.hard or (self.from_logits and truth.clipped in (None, truth.q)):
            inside = f" = -{self.log}({self.steps.probability})" if self.hard and self.steps.probability else ""
            lines[0] = f"loss = -sum{inside} = {self.loss} {self.unit}"
        return lines

    @property
    def q(self) -> str:
        """The probability whose logarithm is the loss, after --clip."""
        return short(self.steps.q)

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
    def power(self) -> str:
        """The base of the logarithm."""
        return BASES[self.unit]

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
        return fixed(math.fsum(self._losses) / len(self._losses) / self._nats, LOSS_PLACES)

    @property
    def _losses(self) -> list[float]:
        return [self.example.loss, *(-math.log(q) for q in _OTHERS)]

    # Other probabilities with the same loss.

    @cached_property
    def _split(self) -> list[float] | None:
        """Probabilities of the same loss, all of the rest on the least likely other class; None if there are none."""
        q, truth = [term.q for term in self.example.terms], self.example.truth_index
        if truth is None or len(q) < 3 or q[truth] >= 1 or (q[truth] <= 0 and math.isfinite(self.example.loss)):
            return None
        least = min((c for c in range(len(q)) if c != truth), key=lambda c: q[c])
        return [q[c] if c == truth else round(1 - q[truth], 12) if c == least else 0.0 for c in range(len(q))]

    @property
    def splits(self) -> bool:
        """Whether other probabilities with the same loss are shown."""
        return self._split is not None

    # The commands that compute the figures of the page.

    @property
    def templates(self) -> dict[str, str]:
        """The commands by the figure that they compute; what changes with the numbers is a name in braces."""
        log, python = _LOGS[self.unit], 'python3 -c "import math; {}"'.format
        explain = f"xent explain {{numbers}} {{target}}{self._options}{{more}}"
        score = "printf '%s\\n' loss {} | xent score - --kind losses{}".format
        losses = f"[print(q, 0 - {log}(q)) for q in ({{}})]".format
        return {
            "command": explain,
            "bars": f"{explain} --format csv",
            "curve": python(losses("{points}")),
            "halving": python(f"print({log}(2))"),
            "split": f"xent explain --probs {{split}} {{target}}{self._options}{self._tolerance}",
            "uniform": python(f"print({log}({len(self.example.terms)}))"),
            "perplexity": score("{nats}", " --get perplexity"),
            "entropy": f"xent explain --probs {{y}} --target {{y}}{self._base}{self._tolerance}",
            "others": python(losses(_joined(_OTHERS))),
            "average": score("{losses}", f"{self._base} --quiet"),
        }

    @cached_property
    def commands(self) -> dict[str, str]:
        """The commands with the numbers of the example; empty where none computes the figure."""
        example = self.example
        blanks = {
            "numbers": self._numbers,
            "target": f"--label {example.truth_index}" if self.hard else f"--target {self._targets}",
            "more": self._more,
            "points": _joined(q for q in (self.steps.q, *_HALVED) if q > 0),
            "split": _joined(self._split or ()),
            "nats": repr(example.loss),
            "y": self._targets,
            "losses": " ".join(map(repr, self._losses)),
        }
        found = {name: line.format_map(blanks) for name, line in self.templates.items()}
        made = example.command or (found["command"] if self._numbers else "")
        there = {"curve": self.hard, "split": self.splits, "entropy": not self.hard}
        found |= {"command": made, "bars": f"{made} --format csv" if made else ""}
        return {name: line if there.get(name, True) else "" for name, line in found.items()}

    @property
    def _targets(self) -> str:
        return _joined(term.y for term in self.example.terms)

    @property
    def _numbers(self) -> str:
        """The numbers of the example in place of files; empty where no option takes them."""
        kind, tempered = self.example.kind, self.example.temperature != 1
        given = [
            term.given if tempered else term.q if term.score is None else term.score for term in self.example.terms
        ]
        return f"--{kind} {_joined(given)}" if kind in GIVEN else ""

    @property
    def _more(self) -> str:
        temperature = self.example.temperature
        tolerance = "" if self.example.kind == "logits" else self._tolerance
        return tolerance if temperature == 1 else f"{tolerance} --temperature {temperature!r}"

    @property
    def _base(self) -> str:
        return "" if self.unit == "nats" else f" --base {BASES[self.unit]}"

    @property
    def _options(self) -> str:
        return self._base + ("" if self.example.clip is None else f" --clip {self.example.clip!r}")

    @property
    def _tolerance(self) -> str:
        """--sum-tolerance where the sum of q or y needs it."""
        terms = self.example.terms
        excess = max(abs(math.fsum(values) - 1) for values in ([t.q for t in terms], [t.y for t in terms]))
        return f" --sum-tolerance {math.ceil(1e4 * excess + 1) / 1e4:g}" if excess > DEFAULT_TOLERANCE else ""

    # The curve of -log q.

    @cached_property
    def axis(self) -> float:
        """The loss at the end of the axis: 5, 10, 20, 50, 100 and so on; 5 also where the loss is infinite."""
        end, steps = _LEAST_AXIS, itertools.cycle([2.0, 2.0, 2.5])
        while end < self._loss < _TOO_LARGE:
            end *= next(steps)
        return end

    @property
    def curve(self) -> str:
        """The points of the curve, for a polyline."""
        least = math.exp(-self.axis * self._nats)
        shown = (max(q, least) for q in _CURVE)
        points = (self._at(q, -math.log(q) / self._nats if q else math.inf) for q in shown)
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)

    @property
    def point(self) -> tuple[float, float]:
        """Where this prediction is on the curve."""
        x, y = self._at(self.steps.q, self._loss)
        return round(x, 1), round(y, 1)

    def _at(self, q: float, loss: float) -> tuple[float, float]:
        return _WIDTH * min(q, 1.0), _HEIGHT * (1 - min(loss, self.axis) / self.axis)

    @property
    def ticks(self) -> Sequence[tuple[float, str]]:
        """The heights of the losses that are marked, and their texts."""
        return [(round(_HEIGHT * (1 - part / 5), 1), f"{self.axis * part / 5:.6g}") for part in range(6)]

    # What the script needs.

    @property
    def unplayable(self) -> str:
        """Why the numbers cannot be changed on the page; empty where they can."""
        if not self.several:
            return "only the number of the true class is known"
        if self.example.temperature != 1:
            return "--temperature changes them before the softmax"
        if len(self.example.terms) > _MOST_MOVED:
            return f"there are {len(self.example.terms):,} classes, too many to move at once"
        return ""

    @property
    def constants(self) -> str:
        """What the script needs beside the result, as JSON."""
        values = {
            "nats": self._nats,
            "log": self.log,
            "tolerance": self._tolerance,
            "halved": _HALVED,
            "others": [-math.log(q) for q in _OTHERS],
            "width": _WIDTH,
            "height": _HEIGHT,
            "curve": _CURVE,
            "commands": self.templates,
        }
        return json.dumps(values)


def _joined(values: Iterable[float | None]) -> str:
    return ",".join(repr(value).removesuffix(".0") for value in values)
