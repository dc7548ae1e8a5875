"""The text and table cells of one explained example, shared by the screen and the Markdown page.

Every printed equation holds for the printed numbers: a reader who repeats it with a
calculator gets the digits that are shown. Where six digits are too few for that, more are
printed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from xentcli.records import cached_property
from xentcli.report.document import BASES
from xentcli.report.explanation import ClassTerm, Explanation
from xentcli.writers.figures import fixed, short

__all__ = ["GIVEN", "LOSS_PLACES", "Steps"]

T = TypeVar("T")
MOST_CLASSES = 12
LOSS_PLACES = 6
MOST_PLACES = 12
MOST_FIXED = 1e9
_LOGARITHMS = {"nats": "ln", "bits": "log2", "bans": "log10"}
GIVEN = {"probs": ("p", "probabilities"), "logits": ("z", "logits"), "logprobs": ("l", "log-probabilities")}
"""The letter and the name of what a file has, before --temperature."""


class Logits(NamedTuple):
    """The numbers of the softmax lines, with as many digits as their equations need."""

    largest: str
    total: str
    logsumexp: str
    truth: str


class Terms(NamedTuple):
    """Digits of the column y; decimals of the columns log q and y x log q, and of their sum."""

    target: int
    log: int
    term: int
    total: int


class Steps:
    """The page of one Explanation; losses and logarithms are in its unit.

    >>> from xentcli.analysis.explain import explain
    >>> Steps(explain([[0.1, 0.5, 0.1, 0.1, 0.2]], [0], row=1, base="2")).formula()[0]
    'loss = -sum = -log2(0.1) = 3.321928 bits'
    """

    def __init__(self, example: Explanation) -> None:
        self.example = example
        self.unit = example.unit
        self.log = _LOGARITHMS[self.unit]
        self._nats = 1.0 if self.unit == "nats" else math.log(float(BASES[self.unit]))

    def _in_unit(self, nats: float) -> float:
        return nats / self._nats

    @cached_property
    def shown(self) -> list[int]:
        """All classes by their positions, or the target and the most likely ones where there are too many to read."""
        terms = self.example.terms
        if len(terms) <= MOST_CLASSES:
            return list(range(len(terms)))
        order = sorted(range(len(terms)), key=lambda c: (terms[c].y == 0, -terms[c].q))
        return sorted(order[: MOST_CLASSES - 2])

    @property
    def spread(self) -> int:
        """How many classes have a part of the truth."""
        return sum(term.y != 0 for term in self.example.terms)

    @property
    def source(self) -> str:
        """Which row of a file it is; empty where it was given by options."""
        example = self.example
        if example.row is None or not example.inputs:
            return ""
        known = f", id {example.id}" if example.id is not None else ""
        return f"Row {example.row:,} of {example.inputs[0].path}{known}."

    def title(self) -> str:
        """Return which example it is, and its true class."""
        example, parts = self.example, [self.source] * bool(self.source)
        if example.truth is None:
            parts.append(f"The target is spread over {self.spread} of {len(example.terms)} classes.")
        elif len(example.terms) > 1:
            assert example.truth_index is not None
            place = _ordinal(example.truth_index + 1)
            parts.append(f"The true class is {example.truth}, the {place} of {len(example.terms):,}.")
        return " ".join(parts) or "One example."

    # From logits to log-probabilities.

    @cached_property
    def _logits(self) -> Logits:
        example, largest, logsumexp = self.example, self.example.largest, self.example.logsumexp
        assert largest is not None and logsumexp is not None
        total = math.fsum(term.exponential or 0.0 for term in example.terms)
        score = example.terms[example.truth_index or 0].score
        assert score is not None

        def texts(places: int) -> Logits:
            finer = [_trimmed(value, places + 1) for value in (largest, total, score)]
            return Logits(finer[0], finer[1], _decimals(logsumexp, places), finer[2])

        def agree(places: int) -> bool:
            shown = [float(text) for text in texts(places)]
            again = shown[0] + math.log(shown[1])
            shows = example.truth is None or self._shows_loss(shown[2] - shown[3])
            return _decimals(again, places) == _decimals(logsumexp, places) and shows

        return texts(_first(range(LOSS_PLACES, MOST_PLACES + 1), agree, LOSS_PLACES))

    def _shows_loss(self, nats: float) -> bool:
        """Whether a loss computed from printed numbers is printed as the loss is."""
        return fixed(self._in_unit(nats) + 0.0, self._places) == self._loss

    def softmax_lines(self) -> list[str]:
        """Return the log-sum-exp steps from logits to log-probabilities; empty for other kinds."""
        if self.example.logsumexp is None:
            return []
        largest, total, logsumexp, _ = self._logits
        divided = "" if self.unit == "nats" else f"    {self.log} q = ln q / ln {BASES[self.unit]}"
        z = self._score
        lines = [
            *self._temperature_lines(),
            f"Softmax makes them probabilities: q = exp({z}) / sum of exp({z}).",
            f"Computed after subtracting the maximum, {largest}, so that nothing overflows:",
            f"    logsumexp({z}) = {largest} + ln(sum of exp({z} - {_bracketed(largest)}))",
            f"                 = {largest} + ln({total}) = {logsumexp}",
            f"    ln q = {z} - logsumexp({z})",
            divided,
        ]
        if self.example.temperature == 1:
            lines[:1] = [f"The model gave logits z. {lines[0]}"]
        return list(filter(None, lines))

    @property
    def _score(self) -> str:
        """The letter of what the softmax takes: the logits z, or u after --temperature."""
        return "z" if self.example.temperature == 1 else "u"

    def _temperature_lines(self) -> list[str]:
        """Return how --temperature makes the scores u of what the file has."""
        if self.example.temperature == 1:
            return []
        letter, noun = GIVEN[self.example.kind]
        score = f"ln {letter}" if self.example.kind == "probs" else letter
        divided = f"u = {score} / {repr(self.example.temperature).removesuffix('.0')}"
        return [f"The model gave {noun} {letter}. --temperature divides {score} first: {divided}."]

    # The table of classes.

    @cached_property
    def _decimals(self) -> Terms:
        """The fewest decimals with which products and sum hold as printed; fixed where one term is the sum."""
        if self.example.truth is not None:
            return Terms(6, 4, 4, 4)

        def agree(places: Terms) -> bool:
            shown = [self._term(term, places) for term in self.example.terms]
            factors = ((_target(term.y, places), self._log_q(term, places)) for term in self.example.terms)
            products = (self._term_of(_read(y) * _read(log), places) for y, log in factors)
            terms = math.fsum(map(_read, shown))
            return list(products) == shown and _rounded(terms, places.total) == self._sum(places)

        return _first((Terms(p + 4, p + 1, p, 4) for p in range(5, MOST_PLACES)), agree, Terms(9, 6, 5, 4))

    def header(self) -> list[str]:
        """Return the names of the columns, the last one for remarks."""
        given = [] if self.example.temperature == 1 else [GIVEN[self.example.kind][0]]
        z = self._score
        first = ["truth y"] if self.example.logsumexp is None else ["y", *given, z, f"exp({z}-max)"]
        clipped = ["clipped q"] if self.example.clip is not None else []
        return ["class", *first, "model q", *clipped, f"{self.log} q", f"y x {self.log} q", ""]

    def cells(self, term: ClassTerm) -> list[str]:
        """Return the cells of a class, without the remark."""
        scores = [] if self.example.logsumexp is None else [term.score, term.exponential]
        middle = [fixed(value, 4) for value in ([] if term.given is None else [term.given]) + scores]
        clipped = [short(term.clipped)] if term.clipped is not None else []
        places = self._decimals
        return [
            term.name,
            _target(term.y, places),
            *middle,
            short(term.q),
            *clipped,
            self._log_q(term, places),
            self._term(term, places),
        ]

    def sum_cells(self) -> list[str]:
        """Return the cells of the sum below all classes."""
        return ["", *[""] * (len(self.header()) - 4), "sum", self._sum(self._decimals)]

    def _log_q(self, term: ClassTerm, places: Terms) -> str:
        return _rounded(self._in_unit(term.ln_q), places.log)

    def _term(self, term: ClassTerm, places: Terms) -> str:
        return self._term_of(self._in_unit(term.term), places)

    def _term_of(self, value: float, places: Terms) -> str:
        return "0" if value == 0 or math.isnan(value) else _rounded(value, places.term)

    def _sum(self, places: Terms) -> str:
        total = self._in_unit(math.fsum(term.term for term in self.example.terms))
        return _rounded(total, places.total) if total else "0"

    # The loss and its meaning.

    @cached_property
    def _places(self) -> int:
        """Decimals of the loss: six, or as many as make loss = entropy + divergence hold as printed."""
        if self.example.target_entropy is None or not math.isfinite(self.example.loss):
            return LOSS_PLACES
        loss, entropy = self._in_unit(self.example.loss), self._in_unit(self.example.target_entropy)

        def agree(places: int) -> bool:
            parts = (round(entropy, places), round(loss - entropy, places))
            return round(math.fsum(parts), places) == round(loss, places)

        return _first(range(LOSS_PLACES, MOST_PLACES + 1), agree, LOSS_PLACES)

    @cached_property
    def _loss(self) -> str:
        return fixed(self._in_unit(self.example.loss) + 0.0, self._places)

    def formula(self) -> list[str]:
        """Return the loss in one line, in nats too for another unit, and the value with the decimal logarithm."""
        lines = [f"loss = {line}" for line in self._formula()]
        if self.unit != "nats":
            lines.append(f"     = {fixed(self.example.loss, LOSS_PLACES)} nats, divided by ln {BASES[self.unit]}")
        elif (remark := self._other_logarithm) is not None:
            lines.append(remark)
        return lines

    def _formula(self) -> Iterator[str]:
        example, loss = self.example, f"{self._loss} {self.unit}"
        term = None if example.truth_index is None else example.terms[example.truth_index]
        # The numbers of the file are the ln q of the loss.
        as_logarithms = example.kind in ("logprobs", "true-logprobs") and example.logsumexp is None
        if example.kind == "losses":
            yield f"{loss}, as the file has it" if self.unit == "nats" else loss
        elif term is None or (as_logarithms and term.clipped in (None, term.q)):
            yield f"-sum = {loss}"
        elif term.clipped is not None and term.clipped != term.q:
            yield f"-sum = -{self.log}({self._probability}) = {loss}, with q = {short(term.q)} clipped"
        elif example.logsumexp is not None:
            yield self._logit_formula(loss)
        else:
            yield f"-sum = -{self.log}({self._probability}) = {loss}"

    def _logit_formula(self, loss: str) -> str:
        """Logsumexp less the true logit; where digits cancel, the logarithm of the sum of exponentials."""
        example, shown = self.example, self._logits
        assert example.truth_index is not None
        by = "" if self.unit == "nats" else f" / ln {BASES[self.unit]}"
        if (
            self._shows_loss(float(shown.logsumexp) - float(shown.truth))
            or example.terms[example.truth_index].shifted != 0
        ):
            difference = f"{shown.logsumexp} - {_bracketed(shown.truth)}"
            z = self._score
            what = f"logsumexp({z}) - {z} of the true class"
            if by:
                return f"-sum = ({what}){by} = ({difference}){by} = {loss}"
            return f"-sum = {what} = {difference} = {loss}"
        others = math.fsum(t.exponential or 0.0 for c, t in enumerate(example.terms) if c != example.truth_index)
        digits = (f"{others:.{digits}g}" for digits in range(6, 18))
        rest = _first(digits, lambda text: self._shows_loss(math.log1p(float(text))), f"{others:.6g}")
        return f"-sum = ln(sum of exp({self._score}-max)){by} = ln(1 + {rest}){by} = {loss}"

    @property
    def q(self) -> float:
        """The q of the loss, after --clip."""
        term = self.example.terms[self.example.truth_index or 0]
        return max(term.q if term.clipped is None else term.clipped, 0.0)

    @cached_property
    def probability(self) -> str:
        """That q, with as many digits as give the loss that is printed; empty where it underflows."""
        texts = (f"{self.q:.{digits}g}" for digits in range(6, 18))
        return _first(texts, lambda text: self._shows_loss(-math.log(float(text)) if float(text) else math.inf), "")

    @property
    def _probability(self) -> str:
        return self.probability or short(self.q)

    @property
    def _other_logarithm(self) -> str | None:
        example = self.example
        if example.truth_index is None or example.kind not in ("probs", "true-probs") or example.clip is not None:
            return None
        if example.logsumexp is not None:
            return None
        q = example.terms[example.truth_index].q
        if not 0 < q < 1:
            return None
        other = short(float(f"{-math.log10(float(self._probability)):.6g}"))
        return f'       (ln is the natural logarithm; a calculator\'s "log" would give {other})'

    def sentences(self) -> list[str]:
        """Return the meaning of the loss in words."""
        sentences = self._soft_sentences() if self.example.truth is None else self._hard_sentences()
        return [*sentences, "Over many examples, average their losses: that is the cost."]

    def _hard_sentences(self) -> Iterator[str]:
        example = self.example
        term = example.terms[example.truth_index or 0]
        if term.q < 0:
            yield f"q = {short(term.q)} is below 0 by less than --sum-tolerance: it counts as 0."
        if math.isinf(example.loss):
            yield "The model gave the true class probability 0: the loss is infinite, and so is any average with it."
        else:
            yield f"The model gave the true class {self._chance(term.q)}."
        if len(example.terms) > 1:
            yield f"{self._guess()}: this prediction is {self.verdict()}."
        if example.other_split is not None:
            split = ", ".join(short(q) for q in example.other_split)
            rest = "probability" if term.q <= 0 else f"other {short(round(1 - term.q, 12))}"
            yield f"However the {rest} is split, the loss is the same:"
            yield f"       {split}  ->  {self._loss}"

    def _soft_sentences(self) -> Iterator[str]:
        if self.example.target_entropy is not None:
            entropy = self._in_unit(self.example.target_entropy)
            rest = fixed(self._in_unit(self.example.loss) - entropy, self._places)
            yield f"A perfect prediction would equal the target and cost its entropy, {fixed(entropy, self._places)}."
            yield f"The rest, {rest}, is the Kullback-Leibler divergence of the model from the target."
        yield f"{self._guess()}."

    def _guess(self) -> str:
        classes = len(self.example.terms)
        cost = fixed(self._in_unit(self.example.uniform), 4)
        return f"Guessing all {classes:,} equally costs {self.log} {classes} = {cost}"

    def verdict(self) -> str:
        """Return how the loss compares with that of predicting all classes equally."""
        if math.isclose(self.example.loss, self.example.uniform, rel_tol=1e-12):
            return "no better and no worse"
        return "worse" if self.example.loss > self.example.uniform else "better"

    def _chance(self, q: float) -> str:
        if q > 0.5:
            # With as many decimals as tell it from 1.
            texts = (f"{100 * q:.{places}f} %" for places in range(1, 15))
            shown = _first(texts, lambda text: q >= 1 or not text.startswith("100"), "almost 100 %")
            return f"a probability of {shown} (perplexity {self._perplexity})"
        if q > 0:
            return f"probability 1/{short(float(f'{1 / q:.4g}'))} (perplexity {self._perplexity})"
        # q underflows, but its logarithm does not.
        power = self.example.loss / math.log(10)
        return "probability 0" if self.example.clip else f"probability 1/10^{short(float(f'{power:.4g}'))}"

    @property
    def _perplexity(self) -> str:
        return short(float(f"{self.example.perplexity:.4g}"))


def _first(candidates: Iterable[T], holds: Callable[[T], bool], default: T) -> T:
    """The first candidate for which a condition holds."""
    return next(filter(holds, candidates), default)


def _rounded(value: float, places: int) -> str:
    """A number with `places` decimals, or significant digits where decimals would show 0."""
    return f"{value:.{places}g}" if 0 < abs(value) < 10.0 ** (1 - places) else fixed(value, places)


def _target(y: float, places: Terms) -> str:
    return f"{y:.{places.target}g}"


def _read(text: str) -> float:
    return float(text.replace(",", ""))


def _decimals(value: float, places: int) -> str:
    return f"{value:.{places}f}" if abs(value) < MOST_FIXED else f"{value:.17g}"


def _trimmed(value: float, places: int) -> str:
    """A number with at most `places` decimals, without trailing zeros."""
    if 0 < abs(value) < 10.0**-places:
        return f"{value:.17g}"
    text = _decimals(value, places)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _bracketed(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"
