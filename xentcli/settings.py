"""What a user can set, checked once: the same for the library and every command."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xentcli.batch import KINDS, Rules
from xentcli.errors import UsageError, shown
from xentcli.readers import check_format
from xentcli.readers.csv import check_delimiter
from xentcli.readers.numerals import number, whole_or_text
from xentcli.report import UNITS, Setting

__all__ = ["SIDES", "Settings"]

SIDES = ("predictions", "labels", "both")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How two files are read, matched and scored. Every field has its option's name.

    Attributes
    ----------
    kind
        What the predictions hold, a name in ``batch.KINDS``.
    preds, label, id, weights
        The columns of each role: names, globs, ``first:last``, ``#1``, joined by commas
        or as a list; ``@FILE:COLUMN`` takes a column from that file.
    classes
        The class names in the order of the columns, or ``@FILE``.
    positive
        The label that one column of predictions is about.
    index_base
        0 or 1: labels are positions counted from there.
    align
        "position" aligns by position even where row names say otherwise.
    header, no_header
        For which side a first line that could be either is a header, or data.
    delimiter
        The one character that separates fields.
    input_format
        A name in READERS, or ``predictions=NAME`` and ``labels=NAME``.
    sum_tolerance
        tau: how far a row sum may be from 1.
    scale
        What every prediction is multiplied by before it is checked.
    renormalize
        Divide each row by its sum before it is checked.
    clip
        EPS: the q of a loss is taken as min(max(q, EPS), 1 - EPS).
    class_weight
        W by class: ``{"cat": 2.0}``, or texts ``cat=2``; 1 for classes that are not named.
    label_smoothing
        E: the target of a loss is (1 - E) y + E / K.
    ignore_label
        Rows with one of these labels are counted and left out.
    base
        "e", "2" or "10": nats, bits or bans.
    confidence
        The level of the interval.

    Raises
    ------
    UsageError
        For values that make no sense whatever the files hold.
    """

    kind: str = "probs"
    preds: str | Sequence[str] | None = None
    label: str | Sequence[str] | None = None
    id: str | None = None
    weights: str | None = None
    classes: str | Sequence[str] | None = None
    positive: str | None = None
    index_base: int | None = None
    align: str | None = None
    header: str | None = None
    no_header: str | None = None
    delimiter: str | None = None
    input_format: str | Sequence[str] | None = None
    sum_tolerance: float = 0.001
    scale: float = 1.0
    renormalize: bool = False
    clip: float | None = None
    class_weight: Mapping[str, float] | Sequence[str] | None = None
    label_smoothing: float = 0.0
    ignore_label: str | Sequence[str] | None = None
    base: str = "e"
    confidence: float = 0.95

    def __post_init__(self) -> None:
        """Check what can be checked before a file is opened."""
        _choice("kind", self.kind, tuple(KINDS))
        _choice("base", str(self.base), tuple(UNITS))
        for name in ("header", "no_header"):
            if getattr(self, name) is not None:
                _choice(name, getattr(self, name), SIDES)
        if self.align not in (None, "position"):
            raise UsageError(f"--align is position, not {shown(self.align)}")
        if self.index_base not in (None, 0, 1):
            raise UsageError(f"--index-base is 0 or 1, not {self.index_base}")
        if self.delimiter is not None:
            object.__setattr__(self, "delimiter", check_delimiter(self.delimiter))
        for side in SIDES[:2]:
            check_format(self.format_of(side))
        _positive_number("--scale", self.scale)
        if not (math.isfinite(self.sum_tolerance) and self.sum_tolerance >= 0):
            raise UsageError(f"--sum-tolerance is a number from 0 up, not {self.sum_tolerance}")
        if not 0 < self.confidence < 1:
            raise UsageError(
                f"--confidence is between 0 and 1, not {self.confidence:g}", advice="for 95 %: --confidence 0.95"
            )
        if self.clip is not None and not 0 < self.clip < 0.5:
            raise UsageError(f"--clip is between 0 and 0.5, not {self.clip:g}")
        if not 0 <= self.label_smoothing < 1:
            raise UsageError(f"--label-smoothing is from 0 to below 1, not {self.label_smoothing:g}")
        self._check_together()

    def _check_together(self) -> None:
        if self.renormalize and self.kind != "probs":
            raise UsageError("--renormalize divides probabilities by their sum; it goes with --kind probs")
        if not KINDS[self.kind].labelled:
            for name in ("label", "classes", "positive", "index_base", "class_weight", "label_smoothing"):
                if getattr(self, name) not in (None, 0.0, ()):
                    raise UsageError(
                        f"--{name.replace('_', '-')} has no use: --kind {self.kind} needs no labels and no classes"
                    )
        if self.label_smoothing and 0 in self.class_weights.values():
            raise UsageError(
                "--class-weight 0 with --label-smoothing leaves a loss without a weight",
                advice="--ignore-label NAME leaves the rows of a class out",
            )
        if self.positive is not None and self.classes is not None:
            raise UsageError("--positive and --classes both name the classes; one of them is enough")
        if self.positive is not None and self.index_base is not None:
            raise UsageError("--positive takes labels by name and --index-base by position; choose one")
        if self.id is not None and self.align is not None:
            raise UsageError("--id and --align position contradict each other")
        if {self.header, self.no_header} in ({"both"}, {"labels"}, {"predictions"}) or (
            self.header and self.no_header and "both" in (self.header, self.no_header)
        ):
            raise UsageError("--header and --no-header name the same file")

    @property
    def class_weights(self) -> dict[str, float]:
        """The class weights that were given, by name.

        Raises
        ------
        UsageError
            For a weight that is no finite number from 0 up, or a name given twice.
        """
        given = self.class_weight or {}
        if isinstance(given, Mapping):
            pairs: list[tuple[str, float | None]] = [(str(name), float(weight)) for name, weight in given.items()]
        else:
            cut = [text.rpartition("=") for text in ([given] if isinstance(given, str) else given)]
            pairs = [(name, number(weight)) for name, _, weight in cut]
        weights: dict[str, float] = {}
        for name, weight in pairs:
            if not name or name in weights or weight is None or not 0 <= weight < math.inf:
                raise UsageError(
                    f"--class-weight {shown(name)} is given twice"
                    if name in weights
                    else "--class-weight takes NAME=W with a finite number W from 0 up",
                    advice="--class-weight cat=2.5",
                )
            weights[name] = weight
        return weights

    @property
    def ignored(self) -> frozenset[str]:
        """The labels whose rows are left out, whole numbers without a point."""
        given = [self.ignore_label] if isinstance(self.ignore_label, str | int) else self.ignore_label or ()
        return frozenset(whole_or_text(str(label)) for label in given)

    @property
    def rules(self) -> Rules:
        """What a row of predictions must be."""
        return Rules(self.kind, self.sum_tolerance, self.scale, self.renormalize)

    @property
    def unit(self) -> str:
        """The unit that losses are shown in."""
        return UNITS[str(self.base)]

    @property
    def nats_per_unit(self) -> float:
        """What a loss in nats is divided by."""
        return 1.0 if str(self.base) == "e" else math.log(float(self.base))

    def header_of(self, side: str) -> bool | None:
        """Say whether the first line of a side was said to be a header; None if nothing was said."""
        for value, answer in ((self.header, True), (self.no_header, False)):
            if value in (side, "both"):
                return answer
        return None

    def format_of(self, side: str) -> str | None:
        """Return the input format that was named for a side.

        Raises
        ------
        UsageError
            For a side that is neither predictions nor labels.
        """
        given = [self.input_format] if isinstance(self.input_format, str) else self.input_format or ()
        found = None
        for item in given:
            name, equals, value = item.partition("=")
            if equals and name not in SIDES:
                raise UsageError(f"--input-format names predictions or labels, not {shown(name)}")
            if not equals or name in (side, "both"):
                found = value if equals else item
        return found

    def changed(self) -> dict[str, Setting]:
        """Return what differs from the default, for the report."""
        return {
            field.name: Setting(_plain(getattr(self, field.name)))
            for field in dataclasses.fields(self)
            if getattr(self, field.name) not in (field.default, ())
        }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value


def _choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"--{name.replace('_', '-')} is one of {', '.join(choices)}, not {shown(value)}")


def _positive_number(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{name} is a number above 0, not {value}")
