"""What a user can set, checked once: the same for the library and every command."""

from __future__ import annotations

import copy
import dataclasses
import math
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from xentcli.columns.numerals import number, whole_or_text
from xentcli.errors import UsageError, shown
from xentcli.readers import check_format
from xentcli.readers.limits import DEFAULT, Limits
from xentcli.readers.text.csv import check_delimiter
from xentcli.records import record, replace
from xentcli.report.document import UNITS, Setting
from xentcli.scoring.compat import COMPAT
from xentcli.scoring.kinds import KINDS, Rules
from xentcli.scoring.metrics import Metric, find
from xentcli.typed import typed

__all__ = ["SIDES", "Settings"]

SIDES = ("predictions", "labels", "both")
_NAMES = ("preds", "label", "id", "weights", "classes", "positive", "by", "show", "cluster", "metrics")
_NUMBERS = ("base", "bytes", "ignore_label")
_LIMITS = ("max_groups", "max_columns", "max_field", "max_inflated", "max_batch")
_ABOUT_LABELS = (
    "label", "classes", "positive", "index_base", "class_weight", "label_smoothing", "by_class", "multilabel",
    "class_axis",
)  # fmt: skip


@record(frozen=True, kw_only=True)
class Settings:
    """How two files are read, matched and scored. Every field has its option's name.

    Attributes
    ----------
    kind
        What the predictions hold, a name in ``batch.KINDS``.
    preds, label, id, weights
        The columns of each role: names, globs, ``first:last``, ``#1``, joined by commas
        or as a list; ``@FILE:COLUMN`` takes a column from that file.
    subset
        With `id`, labels that have no prediction are counted, not refused.
    classes
        The class names in the order of the columns, or ``@FILE``.
    positive
        The label that one column of predictions is about.
    class_axis
        The axis of the classes in an array, counted from 0, or from -1 at the end; by default the last
        one, and 1 in arrays of three dimensions and more under `compat` "torch".
    multilabel
        Each of K columns is a binary problem of its own; losses are means over the columns.
    index_base
        0 or 1: labels are positions counted from there.
    align
        "position" aligns by position even where row names say otherwise.
    header, no_header
        For which side a first line that could be either is a header, or data.
    dtype
        "bfloat16": what the two bytes of each number of an NPY file are.
    delimiter
        The one character that separates fields.
    decimal
        "." or ",": what stands before the decimals of a number in text.
    input_format
        A name in READERS, or ``predictions=NAME``, ``labels=NAME`` and ``FILE=NAME`` for a further file.
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
    compat
        A name in ``compat.COMPAT``: the clip, renormalisation and denominator of that tool.
    by
        Columns to slice by, each by itself; ``a,b`` crosses two.
    by_class
        Slice by the true class.
    cluster
        The column whose rows of one value are not independent of each other.
    worst, show
        How many of the worst rows are kept, and the columns shown beside them.
    max_groups
        How many groups a slice, and how many clusters there may be.
    max_columns, max_field, max_inflated, max_batch
        How many columns a file may have, how many characters a field of text, how many
        bytes compressed data may inflate to, and how many a record batch of an Arrow file has.
    hash
        Take the SHA-256 of every input.
    bytes
        A column with the bytes of each row's text, multiplied by the row's weight as its loss is; or
        their number in total, taken as it is.
    metrics
        The figures that tables show, in this order; top3 is a top-k accuracy.
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
    subset: bool = False
    classes: str | Sequence[str] | None = None
    positive: str | None = None
    class_axis: int | None = None
    multilabel: bool = False
    index_base: int | None = None
    align: str | None = None
    header: str | None = None
    no_header: str | None = None
    delimiter: str | None = None
    decimal: str = "."
    dtype: str | None = None
    input_format: str | Sequence[str] | None = None
    sum_tolerance: float = 0.001
    scale: float = 1.0
    renormalize: bool = False
    clip: float | None = None
    class_weight: Mapping[str, float] | str | Sequence[str] | None = None
    label_smoothing: float = 0.0
    ignore_label: str | Sequence[str] | None = None
    compat: str | None = None
    by: str | Sequence[str] = ()
    by_class: bool = False
    cluster: str | None = None
    worst: int = 0
    show: str | Sequence[str] = ()
    max_groups: int = 10_000
    max_columns: int = DEFAULT.columns
    max_field: int = DEFAULT.field
    max_inflated: int = DEFAULT.inflated
    max_batch: int = DEFAULT.batch
    hash: bool = False
    bytes: str | int | None = None
    metrics: str | Sequence[str] | None = None
    base: str = "e"
    confidence: float = 0.95

    set_by_compat: ClassVar[tuple[str, ...]] = ("clip", "renormalize")

    def __post_init__(self) -> None:
        """Check what can be checked before a file is opened."""
        self._check_types()
        _choice("kind", self.kind, tuple(KINDS))
        _choice("base", str(self.base), tuple(UNITS))
        if self.dtype is not None:
            _choice("dtype", self.dtype, ("bfloat16",))
        for name in ("header", "no_header"):
            if getattr(self, name) is not None:
                _choice(name, getattr(self, name), SIDES)
        if self.align not in (None, "position"):
            raise UsageError(f"--align is position, not {shown(self.align)}")
        if self.index_base not in (None, 0, 1):
            raise UsageError(f"--index-base is 0 or 1, not {self.index_base}")
        if self.delimiter is not None:
            object.__setattr__(self, "delimiter", check_delimiter(self.delimiter))
        _choice("decimal", self.decimal, (".", ","))
        if self.decimal == self.delimiter:
            raise UsageError(f"--decimal and --delimiter are both {shown(self.decimal)}")
        formats = self.input_format
        given = [formats] if isinstance(formats, str) else formats or ()
        for name, items in (
            ("input-format", [item.rpartition("=")[0] or "both" for item in given]),
            ("by", self.slices),
            ("metrics", [metric.name for metric in self.shown_metrics]),
        ):
            _once(name, items)
        for side in (*SIDES[:2], *self.files_named()):
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
        if not 0 <= self.label_smoothing <= 1:
            raise UsageError(f"--label-smoothing is from 0 to 1, not {self.label_smoothing:g}")
        for name, least in (("worst", 0), *((name, 1) for name in _LIMITS)):
            if getattr(self, name) < least:
                raise UsageError(f"--{name.replace('_', '-')} is at least {least}, not {getattr(self, name)}")
        if self.bytes_in_all is not None and not 0 < self.bytes_in_all < math.inf:
            raise UsageError(f"--bytes is a number above 0, or a column, not {self.bytes}")
        if self.show and not self.worst:
            raise UsageError("--show names columns for --worst N")
        for metric in self.shown_metrics:
            if metric.labelled and not KINDS[self.kind].labelled:
                raise UsageError(f"--kind {self.kind} has no {metric.name}: there are no labels")
        self._check_together()

    def _check_types(self) -> None:
        """Take plain values from NumPy scalars and arrays, as a library call may have them; refuse other types."""
        for name, hint in type(self).__annotations__.items():
            if not hint.startswith("ClassVar"):
                value = typed(name, getattr(self, name), hint, named=name in _NAMES, numbers=name in _NUMBERS)
                object.__setattr__(self, name, value)

    def _given(self, name: str) -> bool:
        """Say whether an option differs from its default."""
        value = getattr(self, name)
        return value != getattr(type(self), name) and value not in ((), {})

    def _check_together(self) -> None:
        if self.renormalize and self.kind != "probs":
            raise UsageError("--renormalize divides probabilities by their sum; it goes with --kind probs")
        if not KINDS[self.kind].labelled:
            for name in _ABOUT_LABELS:
                if self._given(name):
                    raise UsageError(
                        f"--{name.replace('_', '-')} has no use: --kind {self.kind} needs no labels and no classes"
                    )
        if self.multilabel:
            self._check_multilabel()
        if self.compat is not None:
            self._check_compat(self.compat)
        if self.positive is not None and self.classes is not None:
            raise UsageError("--positive and --classes both name the classes; one of them is enough")
        if self.positive is not None and self.index_base is not None:
            raise UsageError("--positive takes labels by name and --index-base by position; choose one")
        if self.subset and self.id is None:
            raise UsageError("--subset allows labels without a prediction; it goes with --id COLUMN")
        if self.id is not None and self.align is not None:
            raise UsageError("--id and --align position contradict each other")
        if {self.header, self.no_header} in ({"both"}, {"labels"}, {"predictions"}) or (
            self.header and self.no_header and "both" in (self.header, self.no_header)
        ):
            raise UsageError("--header and --no-header name the same file")

    def _check_multilabel(self) -> None:
        """Refuse what takes a row as one problem of K classes."""
        for name in ("positive", "index_base", "class_weight", "label_smoothing", "renormalize", "compat"):
            if self._given(name):
                raise UsageError(f"--{name.replace('_', '-')} does not go with --multilabel, whose columns are apart")
        top = next((metric for metric in self.shown_metrics if metric.argument is not None), None)
        if top is not None:
            raise UsageError(f"--multilabel has no {top.name}: each column has two classes")

    def _check_compat(self, name: str) -> None:
        _choice("compat", name, tuple(COMPAT))
        tool = COMPAT[name]
        if self.kind not in tool.kinds:
            raise UsageError(f"--compat {name} takes --kind {' or '.join(tool.kinds)}, not {self.kind}")
        if self.clip is not None or self.renormalize:
            raise UsageError(f"--compat {name} says itself whether to clip and to divide by row sums")

    def as_compat(self, dtype: np.dtype[Any], columns: int, class_axis: int | None = None) -> Settings:
        """Return the settings with what the tool of --compat does, for predictions of so many columns.

        `dtype` is that of the predictions, float64 for text; `class_axis` the axis that was taken
        of an array where there was a choice.
        """
        if self.compat is None:
            return self
        tool = COMPAT[self.compat]
        resolved = copy.copy(self)
        object.__setattr__(resolved, "clip", float(np.finfo(dtype).eps) if tool.clip == "dtype" else tool.clip)
        object.__setattr__(resolved, "renormalize", tool.renormalize and columns > 1)
        if self.class_axis is None and tool.class_axis is not None:
            object.__setattr__(resolved, "class_axis", class_axis)
            object.__setattr__(resolved, "set_by_compat", (*self.set_by_compat, "class_axis"))
        precision = dtype.str[1:] if tool.precision == "dtype" else tool.precision
        # Numbers of 2 and 4 bytes are float32 already, unless they are multiplied.
        single = precision == "f4" and (dtype.itemsize > 4 or self.scale != 1.0)
        object.__setattr__(resolved, "rules", replace(resolved._rules(), precision=precision, single=single))
        return resolved

    @classmethod
    def chosen(cls, settings: Settings | None, options: Mapping[str, Any]) -> Settings:
        """Return the settings of a library call, which takes either Settings or single options.

        Raises
        ------
        UsageError
            When both are given, or what is given is no Settings.
        """
        if settings is None:
            return cls(**options)
        if not isinstance(settings, Settings):
            raise UsageError(f"settings is a Settings, not {shown(settings)}", advice="score(preds, labels, kind=...)")
        if options:
            raise UsageError("give settings or single options, not both")
        return settings

    @property
    def divides_by_rows(self) -> bool:
        """Whether class weights leave the denominator as it is where targets are distributions."""
        return self.compat is not None and COMPAT[self.compat].per_row

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
            pairs: list[tuple[str, float | None]] = list(given.items())
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
    def slices(self) -> tuple[str, ...]:
        """What to slice by, one for each --by."""
        return (self.by,) if isinstance(self.by, str) else tuple(self.by)

    def files_named(self) -> list[str]:
        """Return the files that options name."""
        classes = [self.classes[1:]] if isinstance(self.classes, str) and self.classes.startswith("@") else []
        return [*classes, *self.further_files(())]

    def further_files(self, known: Sequence[str]) -> list[str]:
        """Return the files that ``@FILE:COLUMN`` and ``@FILE`` name, less those already known, once each."""
        specs = [self.label, self.weights, self.cluster, self.bytes, self.preds]
        specs += [item for spec in (*self.slices, *self.shown_columns) for item in (spec, *spec.split(","))]
        found: dict[str, None] = {}
        for spec in specs:
            if not isinstance(spec, str) or not spec.startswith("@"):
                continue
            paths = [spec[1:], *(spec[1:index] for index, letter in enumerate(spec) if letter == ":")]
            if any(path in known for path in paths):
                continue
            there = next((path for path in paths if os.path.exists(path)), None)
            if there is not None:
                found[there] = None
        return list(found)

    @property
    def shown_columns(self) -> tuple[str, ...]:
        """The columns beside the worst rows."""
        return (self.show,) if isinstance(self.show, str) else tuple(self.show)

    @property
    def bytes_in_all(self) -> float | None:
        """The bytes of all text, where --bytes is a number."""
        return None if self.bytes is None else number(str(self.bytes))

    @property
    def shown_metrics(self) -> tuple[Metric, ...]:
        """The metrics that were chosen; none for the usual ones.

        Raises
        ------
        UsageError
            For a name that is no metric.
        """
        given = self.metrics.split(",") if isinstance(self.metrics, str) else self.metrics or ()
        return tuple(find(name) for name in given)

    @property
    def ignored(self) -> frozenset[str]:
        """The labels whose rows are left out, whole numbers without a point."""
        several = isinstance(self.ignore_label, Sequence) and not isinstance(self.ignore_label, str)
        given: Any = self.ignore_label if several else () if self.ignore_label is None else [self.ignore_label]
        return frozenset(whole_or_text(str(label)) for label in given)

    @cached_property
    def rules(self) -> Rules:
        """What a row of predictions must be."""
        return self._rules()

    def _rules(self) -> Rules:
        return Rules(self.kind, self.sum_tolerance, self.scale, self.renormalize, self.multilabel)

    @property
    def limits(self) -> Limits:
        """How large an input may be."""
        return Limits(self.max_columns, self.max_field, self.max_inflated, self.max_batch)

    @property
    def unit(self) -> str:
        """The unit that losses are shown in."""
        return UNITS[str(self.base)]

    @property
    def nats_per_unit(self) -> float:
        """What a loss in nats is divided by."""
        return 1.0 if str(self.base) == "e" else math.log(float(self.base))

    def in_unit(self, nats: float) -> str:
        """Return a loss in nats as messages have it: in the unit of the report, which it names.

        >>> Settings(base=2).in_unit(0.6931471805599453)
        '1 bits'
        """
        return f"{nats / self.nats_per_unit:.4g} {self.unit}"

    def header_of(self, side: str) -> bool | None:
        """Say whether the first line of a side was said to be a header; None if nothing was said."""
        for value, answer in ((self.header, True), (self.no_header, False)):
            if value in (side, "both"):
                return answer
        return None

    def format_of(self, side: str) -> str | None:
        """Return the input format that was named for a side, or for a file that another option names.

        Raises
        ------
        UsageError
            For what is neither a side nor such a file.
        """
        given = [self.input_format] if isinstance(self.input_format, str) else self.input_format or ()
        found = None
        for item in given:
            name, equals, value = item.partition("=")
            if equals and name not in SIDES and name not in self.files_named():
                raise UsageError(f"--input-format names predictions, labels or a further file, not {shown(name)}")
            if name == side or (side in SIDES and (not equals or name == "both")):
                found = value if equals else item
        return found

    def changed(self) -> dict[str, Setting]:
        """Return what differs from the default, for the report."""
        return {
            field.name: Setting(_plain(getattr(self, field.name)), self._by(field.name))
            for field in dataclasses.fields(self)
            if getattr(self, field.name) not in (field.default, ())
        }

    def _by(self, name: str) -> str:
        """Who set an option."""
        return "compat" if self.compat is not None and name in self.set_by_compat else "flag"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value


def _once(name: str, items: Sequence[str]) -> None:
    twice = next((item for index, item in enumerate(items) if item in items[:index]), None)
    if twice is not None:
        raise UsageError(f"--{name} names {shown(twice)} twice")


def _choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"--{name.replace('_', '-')} is one of {', '.join(choices)}, not {shown(value)}")


def _positive_number(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{name} is a number above 0, not {value}")
