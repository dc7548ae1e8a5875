"""KINDS: what files of predictions hold, and the rules that their rows must keep. Plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xentcli.records import record

if TYPE_CHECKING:
    from xentcli.arrays import Array, Floats

__all__ = ["KINDS", "Kind", "Rules"]


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
        Kind("true-probs", "probabilities of the truth", "only the probability of what was true", False),
        Kind("true-logprobs", "log-probabilities of the truth", "only its natural logarithm", False),
        Kind("losses", "losses", "losses in nats, as --per-example writes them", False),
    )
}


@record(frozen=True)
class Rules:
    """What a row of predictions must be, and what is done to it before it is checked.

    precision is the dtype in which the tool of --compat subtracts a probability from 1, None
    without it; single says that it reads all predictions as float32.
    """

    kind: str = "probs"
    tolerance: float = 0.001
    scale: float = 1.0
    renormalize: bool = False
    multilabel: bool = False
    precision: str | None = None
    single: bool = False

    def scaled(self, predictions: Array) -> Array:
        """Return predictions (n, k) as they are to be checked: as they are, or f8[n, k] times the scale."""
        return predictions if self.scale == 1.0 else predictions.astype("f8", copy=False) * self.scale

    @property
    def reducible(self) -> bool:
        """Whether rows that are as they should be can be told by the five numbers of `Reduced`."""
        return self.kind in ("probs", "logits") and not (self.multilabel or self.renormalize or self.single)

    def as_read(self, predictions: Floats) -> Floats:
        """Return checked predictions as the tool of --compat reads them."""
        return predictions.astype("f4").astype("f8") if self.single else predictions
