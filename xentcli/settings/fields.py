"""Fields: one row for each option of how files are read, matched and scored."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from xentcli.errors import UsageError, shown
from xentcli.given import Given
from xentcli.options import Option, items, number_that, option, options_of, spelled
from xentcli.readers import READERS, exists
from xentcli.readers.limits import DEFAULT, Limits
from xentcli.records import cached_property, record
from xentcli.scoring.compat import COMPAT
from xentcli.scoring.kinds import KINDS
from xentcli.scoring.metrics import METRICS, Metric, find, with_those_beside
from xentcli.urls import is_url

__all__ = ["SIDES", "Fields"]

SIDES = ("predictions", "labels", "both")

_LABELS, _FILES, _ONE_PROBLEM = ("labels",), ("files",), ("labels", "one problem")
_COSTS = ("score", "check")
_ALL_COSTS = (*_COSTS, "compare")
_INTERVALS = (*_ALL_COSTS, "calibration")
_columns, _files, _loss = (partial(option, section) for section in ("Columns", "Files", "Loss"))
_slices = partial(option, "Slices", commands=_ALL_COSTS)
_output = partial(option, "Output", commands=_COSTS)
_above_0 = number_that("a number above 0", lambda x: 0 < x < math.inf)
_from_0 = number_that("a number from 0 up", lambda x: 0 <= x < math.inf)
_at_least_0 = number_that("at least 0", lambda n: n >= 0)
_at_least_1 = number_that("at least 1", lambda n: n >= 1)


def _shard(spelling: str, value: str) -> str:
    index, slash, count = value.partition("/")
    if not (slash and index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise UsageError(f"{spelling} is I/N with I from 1 to N, not {shown(value)}", advice="--shard 3/8")
    return f"{int(index)}/{int(count)}"


_share = number_that("from 0 to 1", lambda x: 0 <= x <= 1)
_below_half = number_that("between 0 and 0.5", lambda x: 0 < x < 0.5)
_level = number_that("between 0 and 1", lambda x: 0 < x < 1, "for 95 %: --confidence 0.95")


def _by_file(spelling: str, value: str | tuple[str, ...], one: Callable[[str, str], str]) -> Any:
    """Return what an option gives for all files or for some (NAME=VALUE), each value checked by `one`."""
    made = []
    for item in items(value):
        name, said = _for_file(item)
        made.append(one(spelling, said) if name is None else f"{name}={one(spelling, said)}")
    return made[0] if isinstance(value, str) else tuple(made)


def _at_url(text: str) -> str | None:
    """Return the URL of what names one, or one and a column of it after a colon; None where it begins with no URL.

    >>> _at_url("https://host:8080/p.csv"), _at_url("p.csv:weight")
    ('https://host:8080/p.csv', None)
    """
    if not is_url(text):
        return None
    ends = [found.start() for found in _COLON.finditer(text, text.index("://") + 3)]
    return next((text[:end] for end in ends if exists(text[:end])), text)


_COLON = re.compile(r"(?<!:):(?!:|//|\d+/)")
"""A colon that may stand before a column, and not before a port, a path or the next link of a chain."""


def _for_file(item: str) -> tuple[str | None, str]:
    """Split NAME=VALUE; the name is None where there is a value alone, which may be an equals sign.

    >>> _for_file("labels=,"), _for_file(","), _for_file("labels==")
    (('labels', ','), (None, ','), ('labels', '='))
    """
    if len(item) < 2 or "=" not in item:
        return None, item
    cut = item.rindex("=", 0, None if "=" not in item[:-1] else len(item) - 1)
    return item[:cut], item[cut + 1 :]


def _delimiter(_: str, text: str) -> str:
    from xentcli.readers.text.csv import check_delimiter

    return check_delimiter(text)


def _separator(spelling: str, text: str) -> str:
    if text not in (".", ","):
        raise UsageError(f"{spelling} is . or ,, not {shown(text)}")
    return text


def _some_columns(spelling: str, value: Any) -> Any:
    if value == ():
        raise UsageError(f"{spelling} is the name of a column, or several; the list is empty")
    return value


def _column_or_total(spelling: str, value: Any) -> Any:
    from xentcli.columns.numerals import number

    total = number(str(value))
    if total is not None and not 0 < total < math.inf:
        raise UsageError(f"{spelling} is a number above 0, or a column, not {value}")
    return value


@record(frozen=True, kw_only=True)
class Fields:
    """A field for each option, with its row; and their values in the types that the other rooms need."""

    kind: str = _loss("Kind of predictions.", "", "probs", choices=tuple(KINDS), usual=True)
    preds: str | Sequence[str] | None = _columns(
        "Prediction columns: names, globs, first:last or #1, ...",
        "COLUMNS",
        check=_some_columns,
        needs=_FILES,
        numbers="names",
        usual=True,
    )
    label: str | Sequence[str] | None = _columns(
        "Label column, or one target column per class.",
        "COLUMNS",
        check=_some_columns,
        needs=_LABELS,
        numbers="names",
        data="labels",
        usual=True,
    )
    id: str | None = _columns(
        "Match the rows of both files by this column.",
        "COLUMN",
        needs=_FILES,
        numbers="names",
        data="ids",
        usual=True,
    )
    subset: bool = _columns("Score the rows that both files have (with --id).", default=False, needs=_FILES)
    weights: str | None = _columns(
        "Column of row weights [default: all 1].", "COLUMN", needs=_FILES, numbers="names", data="one", usual=True
    )
    classes: str | Sequence[str] | None = _columns(
        "Class names in column order, or @FILE, one per line.", "NAMES", needs=_LABELS, numbers="names"
    )
    positive: str | None = _columns(
        "The positive class of a single probability column.", "NAME", needs=_ONE_PROBLEM, numbers="names"
    )
    class_axis: int | None = _columns(
        "Axis of the classes in an array, from 0 [default: last].", "N", needs=(*_LABELS, *_FILES)
    )
    shift_labels: bool = _columns("Next token: position t has the label of t + 1.", default=False, needs=_ONE_PROBLEM)
    multilabel: bool = _columns(
        "Independent yes/no per column (multi-label).", default=False, needs=(*_LABELS, *_FILES)
    )
    votes: bool = _columns("Target columns are counts; divide by their sum.", default=False, needs=_ONE_PROBLEM)
    index_base: int | None = _columns("Read labels as positions from 0 or 1.", choices=(0, 1), needs=_ONE_PROBLEM)
    bytes: str | int | None = _columns(
        "Bytes per row (weighted) or in total, for bits per byte.",
        "COLUMN|N",
        numbers="kept",
        data="one",
        check=_column_or_total,
        needs=_FILES,
        commands=("score", "explain", "check"),
    )
    reference: Mapping[str, float] | str | Sequence[str] | None = _columns(
        "Forecast to compare with, or NAME=SHARE,...",
        "NAMES",
        needs=_LABELS,
        numbers="names",
        data="forecast",
        commands=_COSTS,
    )
    align: str | None = _columns(
        "Match rows by position even if row names differ.", choices=("position",), needs=_FILES
    )

    input_format: str | Sequence[str] | None = _files(
        "Format, or predictions=, labels=, FILE=FORMAT.", f"[{'|'.join(READERS)}]", multiple=True, needs=_FILES
    )
    dtype: str | None = _files("Read 2-byte NPY values as bfloat16.", choices=("bfloat16",), needs=_FILES)
    delimiter: str | Sequence[str] | None = _files(
        "Field separator: , ; tab space [default: auto].",
        "[FILE=]CHAR",
        multiple=True,
        check=partial(_by_file, one=_delimiter),
        needs=_FILES,
    )
    decimal: str | Sequence[str] | None = _files(
        "Decimal separator: . or , [default: .].",
        "[FILE=]CHAR",
        multiple=True,
        check=partial(_by_file, one=_separator),
        needs=_FILES,
    )
    no_quotes: str | None = _files(
        "Quotes are ordinary characters [no value: both].", choices=SIDES, bare="both", needs=_FILES
    )
    header: str | None = _files("First line is a header [no value: both].", choices=SIDES, bare="both", needs=_FILES)
    no_header: str | None = _files("First line is data [no value: both].", choices=SIDES, bare="both", needs=_FILES)
    max_columns: int = _files("Most columns of a file.", "N", DEFAULT.columns, check=_at_least_1, needs=_FILES)
    max_field: int = _files("Longest field, characters.", "N", DEFAULT.field, check=_at_least_1, needs=_FILES)
    max_inflated: int = _files(
        "Largest decompressed size [default: 64 GiB].", "BYTES", DEFAULT.inflated, check=_at_least_1, needs=_FILES
    )
    max_batch: int = _files(
        "Largest Arrow batch or JSON [default: 1 GiB].", "BYTES", DEFAULT.batch, check=_at_least_1, needs=_FILES
    )

    clip: float | None = _loss("Clip q to [EPS, 1-EPS]; reported.", "EPS", check=_below_half)
    class_weight: Mapping[str, float] | str | Sequence[str] | Sequence[float] | None = _loss(
        "Weight of a class, or balanced [default: 1].", "NAME=W", multiple=True, needs=(*_LABELS, *_FILES)
    )
    label_smoothing: float = _loss(
        "Spread E of each target over all classes.", "E", 0.0, check=_share, needs=(*_ONE_PROBLEM, *_FILES)
    )
    ignore_label: str | Sequence[str] | None = _loss(
        "Skip rows with this label (missing: NA, empty).", "LABEL", multiple=True, numbers="kept", needs=_FILES
    )
    skip_missing: bool = _loss("Skip rows with no prediction or NaN; counted.", default=False, needs=_FILES)
    compat: str | None = _loss(
        "Reproduce this tool's value.",
        choices=tuple(COMPAT),
        needs=("one problem",),
        commands=(*_ALL_COSTS, "explain"),
    )
    sum_tolerance: float = _loss("Tolerance of row sums around 1.", "TAU", 0.001, check=_from_0, needs=("sums",))
    renormalize: bool = _loss("Divide each row by its sum first; reported.", default=False, needs=("one problem",))
    scale: float = _loss("Multiply predictions first: 0.01 for percent.", "X", 1.0, check=_above_0)
    temperature: float = _loss(
        "Divide logits, or ln q, by T, then softmax.", "T", 1.0, check=_above_0, needs=("labels",)
    )
    base: str = _loss("Unit of losses: bits, nats or bans.", "", "e", choices=("2", "e", "10"), numbers="kept")
    confidence: float = _loss("Level of the interval.", "LEVEL", 0.95, check=_level, commands=_INTERVALS)

    by: str | Sequence[str] = _slices(
        "Cost by the values of a column; A,B crosses two.",
        "COLUMN",
        (),
        multiple=True,
        numbers="names",
        data="several",
        commands=_INTERVALS,
        usual=True,
    )
    by_class: bool = _slices("Cost by true class.", default=False, needs=_LABELS, usual=True)
    worst: int = _slices("Show the N rows of largest loss (compare: change).", "N", 0, check=_at_least_0, usual=True)
    worst_by: str = _slices(
        "Rank by loss, or KL (for soft labels).",
        "",
        "loss",
        choices=("loss", "kl"),
        commands=_COSTS,
        needs=_LABELS,
    )
    show: str | Sequence[str] = _slices(
        "Show this column beside the worst rows.",
        "COLUMN",
        (),
        multiple=True,
        numbers="names",
        data="several",
        commands=_COSTS,
    )
    cluster: str | None = _slices(
        "Rows sharing a value are correlated.", "COLUMN", numbers="names", data="one", commands=_INTERVALS
    )
    max_groups: int = _slices(
        "Most groups or clusters.", "N", 10_000, check=_at_least_1, commands=(*_INTERVALS, "explain"), needs=_FILES
    )

    shard: str | None = option(
        "Speed",
        "Score only the I-th of N parts of the rows.",
        "I/N",
        check=_shard,
        commands=("score", "compare", "calibration"),
    )
    hash: bool = _output(
        "Add the SHA-256 of every input to the report.", default=False, commands=(*_COSTS, "calibration")
    )
    metrics: str | Sequence[str] | None = option(
        "Output", "Show these metrics: cost,brier,top3.", "NAMES", numbers="names", commands=_ALL_COSTS
    )

    row_metrics: str | Sequence[str] | None = option(
        "Output", "Add columns to --per-example: kl,brier,top3.", "NAMES", numbers="names", commands=("score",)
    )

    @property
    def rows(self) -> dict[str, Option]:
        """The rows of the fields, by name."""
        cls: Any = type(self)
        return options_of(cls)

    def set_and_needing(self, need: str) -> str | None:
        """Return the first option that is set and has this need (Option.needs), as it is typed; None without one."""
        found = (name for name, row in self.rows.items() if need in row.needs and row.is_set(getattr(self, name)))
        return next(map(spelled, found), None)

    @property
    def balanced(self) -> bool:
        """Whether each class has the weight n / (K n_c) of the n rows that are scored, n_c of them of the class."""
        return items(self.class_weight) == ("balanced",)

    @property
    def has_class_weights(self) -> bool:
        """Whether --class-weight is given in any form."""
        return bool(self.class_weight)

    @property
    def ordered_class_weights(self) -> tuple[float, ...]:
        """The class weights that are given in the order of the columns; empty for others."""
        given = items(self.class_weight)
        return given if given and not isinstance(given[0], str | Mapping) else ()

    @property
    def class_weights(self) -> dict[str, float]:
        """The class weights by name; 1 for other classes.

        Raises UsageError for a weight that is not a finite number from 0 up, or a name given twice.
        """
        from xentcli.columns.numerals import number

        given = self.class_weight
        texts = () if isinstance(given, Mapping) or self.balanced or self.ordered_class_weights else items(given)
        pairs = [(name, number(weight)) for name, _, weight in (text.rpartition("=") for text in texts)]
        pairs += given.items() if isinstance(given, Mapping) else ()
        weights: dict[str, float] = {}
        for name, weight in pairs:
            if not name or name in weights or weight is None or not 0 <= weight < math.inf:
                raise UsageError(
                    f"--class-weight {shown(name)} is given twice"
                    if name in weights
                    else "--class-weight takes NAME=W with a finite number W from 0 up, or balanced alone",
                    advice="--class-weight cat=2.5",
                )
            weights[name] = weight
        return weights

    @cached_property
    def reference_shares(self) -> dict[str, float] | None:
        """The constant probability of each class that --reference gives as NAME=SHARE; None where it names columns."""
        from xentcli.columns.numerals import number

        given = self.reference
        if isinstance(given, Mapping):
            return dict(given)
        texts = given.split(",") if isinstance(given, str) and not given.startswith("@") else items(given)
        pairs = [(name.strip(), number(share)) for name, _, share in (str(text).rpartition("=") for text in texts)]
        shares = {name: share for name, share in pairs if name and share is not None}
        complete = bool(pairs) and all(name and share is not None for name, share in pairs)
        if complete and len(shares) < len(pairs):
            twice = next(name for place, (name, _) in enumerate(pairs) if name in dict(pairs[:place]))
            raise UsageError(f"--reference gives {shown(twice)} two shares")
        return shares if complete else None

    @cached_property
    def slices(self) -> tuple[str, ...]:
        """The columns of each --by."""
        return items(self.by)

    def files_named(self) -> list[str]:
        """Return the files that options name: @FILE and @FILE:COLUMN."""
        classes = [self.classes[1:]] if isinstance(self.classes, str) and self.classes.startswith("@") else []
        return [*classes, *self.further_files(())]

    @cached_property
    def _with_files(self) -> list[str]:
        """The columns that begin with @, not data."""
        specs = [self.label, self.weights, self.cluster, self.bytes, self.preds, self.reference]
        specs += [item for spec in (*self.slices, *self.shown_columns) for item in (spec, *spec.split(","))]
        return [spec for spec in specs if isinstance(spec, str) and not isinstance(spec, Given) and spec[:1] == "@"]

    def further_files(self, known: Sequence[str]) -> list[str]:
        """Return the files of ``@FILE:COLUMN`` and ``@FILE`` that are not `known`, once each."""
        found: dict[str, None] = {}
        for spec in self._with_files:
            paths = [spec[1:], *(spec[1:index] for index, letter in enumerate(spec) if letter == ":")]
            if any(path in known for path in paths):
                continue
            there = _at_url(spec[1:]) or next((path for path in paths if os.path.exists(path)), None)
            if there is not None:
                found[there] = None
        return list(found)

    @cached_property
    def given(self) -> list[Given]:
        """The data that were given in place of columns, beside the labels."""
        specs = (self.weights, self.cluster, self.bytes, self.reference, *self.slices, *self.shown_columns)
        return [spec for spec in specs if isinstance(spec, Given)]

    @cached_property
    def shown_columns(self) -> tuple[str, ...]:
        """The columns beside the worst rows."""
        return items(self.show)

    @cached_property
    def bytes_in_all(self) -> float | None:
        """The bytes of all text in total; None if --bytes names a column."""
        from xentcli.columns.numerals import number

        return None if self.bytes is None else number(str(self.bytes))

    @cached_property
    def named_metrics(self) -> tuple[Metric, ...]:
        """The metrics of --metrics; empty for the default ones.

        Raises UsageError for an unknown metric.
        """
        given = self.metrics.split(",") if isinstance(self.metrics, str) else items(self.metrics)
        return tuple(map(find, given))

    @cached_property
    def metrics_of_rows(self) -> tuple[Metric, ...]:
        """The metrics of --row-metrics.

        Raises UsageError for an unknown metric, or one that single rows do not have.
        """
        given = self.row_metrics.split(",") if isinstance(self.row_metrics, str) else items(self.row_metrics)
        found = tuple(map(find, given))
        odd = next((metric.name for metric in found if not metric.has_rows), None)
        if odd is not None:
            rows = ", ".join(metric.name for metric in METRICS.values() if metric.has_rows)
            what = "it is the column loss" if odd == "cost" else "it is a figure of all rows"
            raise UsageError(f"--row-metrics {odd}: {what}", advice=f"rows have {rows}, top3 (any top-k)")
        return found

    @cached_property
    def shown_metrics(self) -> tuple[Metric, ...]:
        """The metrics of --metrics, each with those that are never shown apart from it."""
        return with_those_beside(self.named_metrics)

    @cached_property
    def ignored(self) -> frozenset[str]:
        """The labels whose rows are skipped; whole numbers without a decimal point, others with one.

        The number NaN stands for a missing value too, the text only for itself.
        """
        from xentcli.columns.numerals import in_points, whole_or_text

        labels = (whole_or_text(in_points(str(label), self.decimal_of_any)) for label in items(self.ignore_label))
        return frozenset("nan" if label.lower() == "nan" else label for label in labels)

    @cached_property
    def limits(self) -> Limits:
        """The size limits of an input."""
        return Limits(self.max_columns, self.max_field, self.max_inflated, self.max_batch)

    @property
    def unit(self) -> str:
        """The unit in which losses are shown."""
        from xentcli.report.document import UNITS

        return UNITS[str(self.base)]

    @cached_property
    def nats_per_unit(self) -> float:
        """The divisor of losses in nats."""
        return 1.0 if str(self.base) == "e" else math.log(float(self.base))

    def nats_per(self, metric: Metric) -> float:
        """Return the divisor of a metric in nats; 1 if it is not a loss."""
        return self.nats_per_unit if metric.unit == "loss" else 1.0

    def in_unit(self, nats: float) -> str:
        """Return a loss in nats for a message: in the unit of the report, with its name.

        >>> Fields(base=2).in_unit(0.6931471805599453)
        '1 bits'
        """
        return f"{nats / self.nats_per_unit:.4g} {self.unit}"

    def header_of(self, side: str) -> bool | None:
        """Whether the first line of a side is a header, by --header and --no-header; None without them."""
        for value, answer in ((self.header, True), (self.no_header, False)):
            if value in (side, "both"):
                return answer
        return None

    def has_quotes(self, side: str) -> bool:
        """Whether fields of a side or a further file may be in quotes; --no-quotes without a value is for all."""
        return self.no_quotes not in (side, "both")

    def format_of(self, side: str) -> str | None:
        """Return the format that --input-format gives for a side, or for a file that another option names.

        Raises UsageError for another name.
        """
        return self._of("input_format", side)[0]

    def decimal_of(self, side: str) -> tuple[str, bool]:
        """Return the decimal separator of a side or further file, and whether --decimal names this file."""
        found, by_name = self._of("decimal", side)
        return found or ".", by_name

    def delimiter_of(self, side: str) -> str | None:
        """Return what --delimiter gives for a side or further file; None where it is detected."""
        return self._of("delimiter", side)[0]

    def about_text(self) -> Iterator[tuple[str, str]]:
        """Yield each option about delimited text that is given, and what it is given for: a side, a file, or both."""
        for name in ("delimiter", "decimal"):
            yield from ((name, _for_file(item)[0] or "both") for item in items(getattr(self, name)))
        for name in ("no_quotes", "header", "no_header"):
            yield from ((name, side) for side in items(getattr(self, name)))

    @cached_property
    def decimal_of_any(self) -> str:
        """The decimal comma if any file has it: labels and names are then compared with a point."""
        return "," if any(_for_file(item)[1] == "," for item in items(self.decimal)) else "."

    def _of(self, option: str, side: str) -> tuple[str | None, bool]:
        """Return what an option gives for a side or a further file, and whether it names it.

        Raises UsageError for the name of no file.
        """
        for_all = None
        # Further files may come from another tool; only the decimal separator (a locale) is shared.
        further = side not in SIDES and option != "decimal"
        for name, value in map(_for_file, items(getattr(self, option))):
            if name is not None and name not in SIDES and name not in self.files_named():
                message = f"{spelled(option)} names predictions, labels or a further file, not {shown(name)}"
                raise UsageError(message)
            if name == side:
                return value, True
            if name == "both" or (name is None and not further):
                for_all = value
        return for_all, False
