"""KINDS: what files of predictions hold. Plain data."""

from __future__ import annotations

from xentcli.records import record

__all__ = ["KINDS", "Kind"]


@record(frozen=True)
class Kind:
    """What a file of predictions holds."""

    name: str
    noun: str
    about: str
    labelled: bool


KINDS = {
    kind.name: kind
    for kind in (
        Kind("probs", "probabilities", "a probability for each class", True),
        Kind("logits", "logits", "a score for each class, before the softmax", True),
        Kind("logprobs", "log-probabilities", "the natural logarithm of each class's probability", True),
        Kind("true-probs", "probabilities of the true class", "only the probability of what was true", False),
        Kind("true-logprobs", "log-probabilities of the true class", "only its natural logarithm", False),
        Kind("losses", "losses", "losses in nats, as --per-example writes them", False),
    )
}
