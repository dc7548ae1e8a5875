"""Settings: one row for each option of how files are read, matched and scored."""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from xentcli.errors import UsageError, shown
from xentcli.options import Option, number_that, option, options_of, spelled
from xentcli.readers import READERS, check_format
from xentcli.readers.limits import DEFAULT, Limits
from xentcli.records import record, replace
from xentcli.scoring.compat import COMPAT
from xentcli.scoring.kinds import KINDS, Rules
from xentcli.scoring.metrics import Metric, find

if TYPE_CHECKING:
    import numpy as np

    from xentcli.report.documents import Setting

__all__ = ["OPTIONS", "SIDES", "Settings"]

SIDES = ("predictions", "labels", "both")

_LABELS, _FILES = ("labels",), ("files",)
_ONE_PROBLEM = ("labels", "one problem")
_COSTS = ("score", "check")
_columns, _files, _loss = (partial(option, section) for section in ("Columns", "Files", "Loss"))
_slices, _output = (partial(option, section, commands=_COSTS) for section in ("Slices", "Output"))
_at_least_1 = number_that("at least 1", lambda number: number >= 1)


def _one_character(_: str, text: str) -> str:
    from xentcli.readers.text.csv import check_delimiter

    return check_delimiter(text)


def _bytes(spelling: str, value: Any) -> Any:
    from xentcli.columns.numerals import number

    total = number(str(value))
    if total is not None and not 0 < total < math.inf:
        raise UsageError(f"{spelling} is a number above 0, or a column, not {value}")
    return value


@record(frozen=True, kw_only=True)
class Settings:
    """How two files are read, matched and scored: a field for each option, with its row of the table of options.

    The options of the commands, the checks of types and values, and the options in a report are
    made from these rows, in this order. ``xent score --help`` shows what each does.

    Raises
    ------
    UsageError
        For values that make no sense whatever the files hold.

    >>> Settings(clip=0.6)
    Traceback (most recent call last):
    xentcli.errors.UsageError: --clip is between 0 and 0.5, not 0.6
    """

    kind: str = _loss("What the predictions are.", default="probs", choices=tuple(KINDS), show_default=True)
    preds: str | Sequence[str] | None = _columns(
        "The predictions: names, globs, first:last or #1, ...", "COLUMNS", needs=_FILES, numbers="names"
    )
    label: str | Sequence[str] | None = _columns(
        "The label, or one target column for each class.", "COLUMNS", needs=_LABELS, numbers="names"
    )
    id: str | None = _columns("Match the rows of both files by this column.", "COLUMN", needs=_FILES, numbers="names")
    subset: bool = _columns("With --id: labels may be there that have no prediction.", default=False)
    weights: str | None = _columns("How much each row counts.", "COLUMN", needs=_FILES, numbers="names")
    classes: str | Sequence[str] | None = _columns(
        "Class names in column order, or @FILE, one a line.", "NAMES", needs=_LABELS, numbers="names"
    )
    positive: str | None = _columns(
        "The label that one column of predictions is about.", "NAME", needs=_ONE_PROBLEM, numbers="names"
    )
    class_axis: int | None = _columns("Axis of the classes in an array, from 0 [default: last].", "N", needs=_LABELS)
    multilabel: bool = _columns("Each column is a yes or no of its own.", default=False, needs=_LABELS)
    index_base: int | None = _columns("Labels are positions counted from 0 or 1.", choices=(0, 1), needs=_ONE_PROBLEM)
    bytes: str | int | None = _columns(
        "Bytes per row (weighted) or in total, for bits per byte.", "COLUMN|N", numbers="kept", check=_bytes
    )
    align: str | None = _columns("Match by position whatever row names say.", choices=("position",), needs=_FILES)

    input_format: str | Sequence[str] | None = _files(
        "For both, or predictions=, labels=, FILE=FORMAT.", f"[{'|'.join(READERS)}]", multiple=True, needs=_FILES
    )
    dtype: str | None = _files("What two-byte numbers of an NPY file are.", choices=("bfloat16",), needs=_FILES)
    delimiter: str | None = _files(
        "What separates fields: , ; tab space or another.", "CHAR", check=_one_character, needs=_FILES
    )
    decimal: str = _files("What stands before decimals; else a point.", default=".", choices=(".", ","))
    header: str | None = _files(
        "The first line is a header; of both, if bare.", choices=SIDES, bare="both", needs=_FILES
    )
    no_header: str | None = _files("The first line is data.", choices=SIDES, bare="both", needs=_FILES)
    max_columns: int = _files("Columns of a file at most; else 1,000,000.", "N", DEFAULT.columns, check=_at_least_1)
    max_field: int = _files("Characters of a field at most; else 1,048,576.", "N", DEFAULT.field, check=_at_least_1)
    max_inflated: int = _files(
        "Bytes that data inflate to at most; else 64 GiB.", "BYTES", DEFAULT.inflated, check=_at_least_1
    )
    max_batch: int = _files("Largest Arrow record batch [default: 1 GiB].", "BYTES", DEFAULT.batch, check=_at_least_1)

    clip: float | None = _loss(
        "Keep q in [EPS, 1-EPS]; reported.", "EPS", check=number_that("between 0 and 0.5", lambda eps: 0 < eps < 0.5)
    )
    class_weight: Mapping[str, float] | str | Sequence[str] | None = _loss(
        "How much a class counts in the cost; else 1.", "NAME=W", multiple=True, needs=_ONE_PROBLEM
    )
    label_smoothing: float = _loss(
        "Spread E of each target over all classes.",
        "E",
        0.0,
        check=number_that("from 0 to 1", lambda e: 0 <= e <= 1),
        needs=_ONE_PROBLEM,
    )
    ignore_label: str | Sequence[str] | None = _loss(
        "Leave rows with this label out; counted.", "LABEL", multiple=True, numbers="kept"
    )
    compat: str | None = _loss("The number as this tool computes it.", choices=tuple(COMPAT), needs=("one problem",))
    renormalize: bool = _loss("Divide each row by its sum first; reported.", default=False, needs=("one problem",))
    scale: float = _loss(
        "Multiply predictions first: 0.01 for percent.",
        "X",
        1.0,
        check=number_that("a number above 0", lambda x: 0 < x < math.inf),
    )
    sum_tolerance: float = _loss(
        "How far a row sum may be off.",
        "TAU",
        0.001,
        show_default=True,
        check=number_that("a number from 0 up", lambda tau: 0 <= tau < math.inf),
    )
    base: str = _loss(
        "Losses in bits, nats or bans.", default="e", choices=("2", "e", "10"), show_default=True, numbers="kept"
    )
    confidence: float = _loss(
        "The level of the interval.",
        "LEVEL",
        0.95,
        show_default=True,
        check=number_that("between 0 and 1", lambda level: 0 < level < 1, "for 95 %: --confidence 0.95"),
        commands=_COSTS,
    )

    by: str | Sequence[str] = _slices(
        "The cost by the values of a column; A,B crosses two.", "COLUMN", (), multiple=True, numbers="names"
    )
    by_class: bool = _slices("The cost by true class.", default=False, needs=_LABELS)
    worst: int = _slices(
        "The N rows of the largest loss.", "N", 0, check=number_that("at least 0", lambda number: number >= 0)
    )
    show: str | Sequence[str] = _slices(
        "A column to show beside the worst rows.", "COLUMN", (), multiple=True, numbers="names"
    )
    cluster: str | None = _slices("Rows of one value are not independent.", "COLUMN", numbers="names")
    max_groups: int = _slices("How many groups there may be.", "N", 10_000, show_default=True, check=_at_least_1)

    hash: bool = _output("Put the SHA-256 of every input into the report.", default=False)
    metrics: str | Sequence[str] | None = _output("Show these figures: cost,brier,top3.", "NAMES", numbers="names")

    set_by_compat: ClassVar[tuple[str, ...]] = ("clip", "renormalize")

    @property
    def rows(self) -> dict[str, Option]:
        """The rows of the fields, by name."""
        cls: Any = type(self)
        return options_of(cls)

    def __post_init__(self) -> None:
        """Check what can be checked before a file is opened."""
        for name, row in self.rows.items():
            object.__setattr__(self, name, row.checked(name, getattr(self, name)))
        self._check_lists()
        self._check_kind()
        self._check_together()
        if self.multilabel:
            self._check_multilabel()
        if self.compat is not None:
            self._check_compat(self.compat)

    def _set_and_needing(self, need: str) -> str | None:
        """Return the spelling of an option that is set and needs something; None where there is none."""
        found = (name for name, row in self.rows.items() if need in row.needs and row.is_set(getattr(self, name)))
        return next(map(spelled, found), None)

    def _check_lists(self) -> None:
        """Check the options that name several things."""
        formats = self.input_format
        given = [formats] if isinstance(formats, str) else formats or ()
        for name, items in (
            ("input-format", [item.rpartition("=")[0] or "both" for item in given]),
            ("by", self.slices),
            ("metrics", [metric.name for metric in self.shown_metrics]),
        ):
            twice = next((item for index, item in enumerate(items) if item in items[:index]), None)
            if twice is not None:
                raise UsageError(f"--{name} names {shown(twice)} twice")
        for side in (*SIDES[:2], *self.files_named()):
            check_format(self.format_of(side))

    def _check_kind(self) -> None:
        """Refuse what goes with another kind of predictions."""
        if self.renormalize and self.kind != "probs":
            raise UsageError("--renormalize divides probabilities by their sum; it goes with --kind probs")
        if KINDS[self.kind].labelled:
            return
        for metric in self.shown_metrics:
            if metric.labelled:
                raise UsageError(f"--kind {self.kind} has no {metric.name}: there are no labels")
        if (given := self._set_and_needing("labels")) is not None:
            raise UsageError(f"{given} has no use: --kind {self.kind} needs no labels and no classes")

    def _check_together(self) -> None:
        """Refuse options that contradict each other."""
        if self.decimal == self.delimiter:
            raise UsageError(f"--decimal and --delimiter are both {shown(self.decimal)}")
        if self.show and not self.worst:
            raise UsageError("--show names columns for --worst N")
        if self.positive is not None and self.classes is not None:
            raise UsageError("--positive and --classes both name the classes; one of them is enough")
        if self.positive is not None and self.index_base is not None:
            raise UsageError("--positive takes labels by name and --index-base by position; choose one")
        if self.subset and self.id is None:
            raise UsageError("--subset allows labels without a prediction; it goes with --id COLUMN")
        if self.id is not None and self.align is not None:
            raise UsageError("--id and --align position contradict each other")
        if (
            self.header
            and self.no_header
            and (self.header == self.no_header or "both" in (self.header, self.no_header))
        ):
            raise UsageError("--header and --no-header name the same file")

    def _check_multilabel(self) -> None:
        """Refuse what takes a row as one problem of K classes."""
        if (given := self._set_and_needing("one problem")) is not None:
            raise UsageError(f"{given} does not go with --multilabel, whose columns are apart")
        top = next((metric for metric in self.shown_metrics if metric.argument is not None), None)
        if top is not None:
            raise UsageError(f"--multilabel has no {top.name}: each column has two classes")

    def _check_compat(self, name: str) -> None:
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
        import numpy as np

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
        from xentcli.columns.numerals import number

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
        from xentcli.columns.numerals import number

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
        from xentcli.columns.numerals import whole_or_text

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
        from xentcli.report.documents import UNITS

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
        from xentcli.report.documents import Setting

        values = [(name, row, getattr(self, name)) for name, row in self.rows.items()]
        return {name: Setting(_plain(value), self._by(name)) for name, row, value in values if row.is_set(value)}

    def _by(self, name: str) -> str:
        """Who set an option."""
        return "compat" if self.compat is not None and name in self.set_by_compat else "flag"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value


OPTIONS = options_of(cast("Any", Settings))
"""The rows of Settings, by name."""
