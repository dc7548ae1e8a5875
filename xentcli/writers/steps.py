"""The words and cells of an explanation, the same for a screen and for a page."""

from __future__ import annotations

import math
from collections.abc import Iterator

from xentcli.report import ClassTerm, Explanation
from xentcli.writers.figures import fixed, percent, short

__all__ = ["chosen_terms", "formula", "header", "sentences", "softmax_lines", "sum_cells", "term_cells", "title"]

MOST_CLASSES = 12


def title(told: Explanation) -> str:
    """Which example it is, and what was true."""
    parts = []
    if told.row is not None and told.inputs:
        parts.append(
            f"Row {told.row:,} of {told.inputs[0].path}" + (f", id {told.id}" if told.id is not None else "") + "."
        )
    if told.truth is None:
        parts.append(
            f"The target is spread over {sum(term.y != 0 for term in told.terms)} of {len(told.terms)} classes."
        )
    elif len(told.terms) > 1:
        assert told.truth_index is not None
        parts.append(f"The truth is class {told.truth}, the {_ordinal(told.truth_index + 1)} of {len(told.terms):,}.")
    return " ".join(parts) or "One example."


def softmax_lines(told: Explanation) -> list[str]:
    """How logits become probabilities, by way of log-sum-exp."""
    assert told.largest is not None and told.logsumexp is not None
    total = math.fsum(term.exponential or 0.0 for term in told.terms)
    return [
        "The model gave logits z. Softmax makes them probabilities: q = exp(z) / sum of exp(z).",
        f"Computed with the largest, {short(told.largest)}, taken off, so that nothing overflows:",
        f"    logsumexp(z) = {short(told.largest)} + ln(sum of exp(z - {short(told.largest)})) "
        f"= {short(told.largest)} + ln({short(total)}) = {fixed(told.logsumexp, 6)}",
        "    ln q = z - logsumexp(z)",
    ]


def chosen_terms(told: Explanation) -> list[ClassTerm]:
    """All classes, or the truth and the likeliest where there are too many to read."""
    if len(told.terms) <= MOST_CLASSES:
        return list(told.terms)
    order = sorted(range(len(told.terms)), key=lambda c: (told.terms[c].y == 0, -told.terms[c].q))
    return [told.terms[c] for c in sorted(order[: MOST_CLASSES - 2])]


def header(told: Explanation) -> list[str]:
    """The names of the columns."""
    first = ["y", "z", "exp(z-max)"] if told.kind == "logits" else ["truth y"]
    clipped = ["clipped q"] if told.clip is not None else []
    return ["class", *first, "model q", *clipped, "ln q", "y x ln q", ""]


def term_cells(told: Explanation, term: ClassTerm) -> list[str]:
    """The cells of a class."""
    middle = [fixed(term.score, 4), fixed(term.exponential, 4)] if told.kind == "logits" else []
    clipped = [short(term.clipped)] if term.clipped is not None else []
    return [term.name, short(term.y), *middle, short(term.q), *clipped, fixed(term.ln_q, 4), _term(term)]


def _term(term: ClassTerm) -> str:
    return "0" if term.term == 0 else fixed(term.term, 4)


def sum_cells(told: Explanation) -> list[str]:
    """The cells of the line below all classes."""
    return ["", *[""] * (len(header(told)) - 4), "sum", fixed(math.fsum(term.term for term in told.terms), 4)]


def formula(told: Explanation) -> list[str]:
    """The loss in one line, and the trap of the other logarithm; its other unit where one was asked for."""
    lines = _formula(told)
    if told.loss_in_unit is not None and told.unit != "nats":
        base = {"bits": "2", "bans": "10"}[told.unit]
        lines.append(f"     = {fixed(told.loss_in_unit, 6)} {told.unit} (nats divided by ln {base})")
    return lines


def _formula(told: Explanation) -> list[str]:
    loss = fixed(told.loss, 6)
    if told.kind == "losses":
        return [f"loss = {loss} nats, as the file has it"]
    if told.truth is None:
        return [f"loss = -sum = {loss} nats"]
    term = told.terms[told.truth_index or 0]
    changed = term.clipped is not None and term.clipped != term.q
    if changed:
        return [f"loss = -sum = -ln({short(term.clipped or 0)}) = {loss} nats, with q = {short(term.q)} clipped"]
    if told.logsumexp is not None and term.score is not None:
        difference = f"{fixed(told.logsumexp, 6)} - {_bracketed(term.score)}"
        return [f"loss = -sum = logsumexp(z) - z of the truth = {difference} = {loss} nats"]
    if told.kind in ("logprobs", "true-logprobs"):
        return [f"loss = -sum = {loss} nats"]
    result = [f"loss = -sum = -ln({short(term.q)}) = {loss} nats"]
    if 0 < term.q < 1:
        other = short(float(f"{-math.log10(term.q):.6g}"))
        result.append(f'       (ln is the natural logarithm; a calculator\'s "log" would give {other})')
    return result


def sentences(told: Explanation) -> list[str]:
    """What the loss means."""
    return list(_soft_sentences(told) if told.truth is None else _hard_sentences(told))


def _hard_sentences(told: Explanation) -> Iterator[str]:
    term = told.terms[told.truth_index or 0]
    classes = len(told.terms)
    if math.isinf(told.loss):
        yield "The model gave the truth no chance at all: the loss is infinite, and so is any average with it."
    else:
        yield f"The model gave the truth {_chance(term.q, told)}."
    if classes > 1:
        verdict = (
            "no better and no worse"
            if math.isclose(told.loss, told.uniform, rel_tol=1e-12)
            else "worse"
            if told.loss > told.uniform
            else "better"
        )
        guess = f"Guessing all {classes:,} equally costs ln {classes} = {fixed(told.uniform, 4)}"
        yield f"{guess}: this prediction is {verdict}."
    if told.other_split is not None:
        split = ", ".join(short(q) for q in told.other_split)
        yield f"However the other {short(round(1 - term.q, 12))} is split, the loss is the same:"
        yield f"       {split}  ->  {fixed(told.loss, 6)}"
    yield "Over many examples, average their losses: that is the cost."


def _soft_sentences(told: Explanation) -> Iterator[str]:
    if told.target_entropy is not None:
        kl = told.loss - told.target_entropy
        yield f"A perfect prediction would equal the target and cost its entropy, {fixed(told.target_entropy, 6)}."
        yield f"The rest, {fixed(kl, 6)}, is the Kullback-Leibler divergence of the model from the target."
    yield f"Guessing all {len(told.terms):,} equally costs ln {len(told.terms)} = {fixed(told.uniform, 4)}."
    yield "Over many examples, average their losses: that is the cost."


def _chance(q: float, told: Explanation) -> str:
    if q > 0.5:
        return f"a chance of {percent(q)} ({_perplexity(told)})"
    odds = 1 / q if q else math.inf
    if math.isinf(odds):
        # Too small for a double, but not for its logarithm.
        return "no chance" if told.clip else f"1 chance in 10^{told.loss / math.log(10):,.0f}"
    if odds < 1e9 and (odds >= 20 or round(odds, 2) == round(odds)):
        return f"1 chance in {odds:,.0f} ({_perplexity(told)})"
    return f"1 chance in {short(float(f'{odds:.3g}'))} ({_perplexity(told)})"


def _perplexity(told: Explanation) -> str:
    return f"perplexity {short(float(f'{told.perplexity:.4g}'))}"


def _bracketed(value: float) -> str:
    return f"({short(value)})" if value < 0 else short(value)


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"
