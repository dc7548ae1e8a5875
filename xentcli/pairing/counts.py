"""Advice on row counts that differ, given only if a first line shows that following it makes them agree."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from xentcli.columns.numerals import is_number
from xentcli.errors import DataError, Place
from xentcli.options import items
from xentcli.pairing.headers import WHOLE, heads_of, is_row, is_unlike_the_next, line_of, named_columns
from xentcli.pairing.matchers import Matcher, accepts
from xentcli.readers.source import Selection, Source, files_in, has_first_line
from xentcli.readers.text.faults import Written, above, below
from xentcli.records import record
from xentcli.settings import Settings

__all__ = ["Counted", "counts_advice", "models_advice", "title_or_footer"]


@record(frozen=True, eq=False)
class Counted:
    """A source with its number of rows and the columns loaded; `name` is predictions, labels or further."""

    name: str
    source: Source
    selection: Selection
    rows: int

    @property
    def has_more_columns(self) -> bool:
        """Whether it has a column without a role, which could be an id."""
        roles = ("preds", "label", "weights", "bytes", "reference")
        used = {column for role in roles if role in self.selection for column in self.selection[role].columns}
        return self.source.tabular and len(used) < self.source.width


def _names_advice(predictions: Source, other: Source, settings: Settings) -> tuple[str, ...]:
    """Advice where values given for each row are names of columns of the predictions."""
    data = next((given.data for given in settings.given if given.path == other.path), None)
    if not isinstance(data, list | tuple) or not all(isinstance(n, str) and n in predictions.names for n in data):
        return ()
    names = list(dict.fromkeys(data))
    return (
        f"{other.path}={(names[0] if len(names) == 1 else names)!r} names columns; this list has a value for each row",
    )


def counts_advice(predictions: Counted, other: Counted, settings: Settings, matcher: Matcher | None) -> tuple[str, ...]:
    """Return advice that may make the row counts of two sources agree.

    A first line is mentioned only if reading it the other way makes the row counts agree and is plausible: a header
    that could be a row, or a row that could be a header and is unlike the others.
    """
    if "memory" in (predictions.source.format, other.source.format):
        return _names_advice(predictions.source, other.source, settings)
    files = heads_of(predictions.source)
    if files > 1 and heads_of(other.source) == 1 and predictions.rows in (files * other.rows, files * (other.rows + 1)):
        return (models_advice(predictions.source, other.source, settings),)
    longer, shorter = (predictions, other) if predictions.rows > other.rows else (other, predictions)
    advice = []
    if longer.rows - heads_of(longer.source) == shorter.rows and _could_be_header(longer, settings):
        advice.append(_question(longer, settings, header=True))
    if shorter.rows + heads_of(shorter.source) == longer.rows and _could_be_row(shorter, settings, matcher):
        advice.append(_question(shorter, settings, header=False))
    if advice:
        return tuple(advice)
    if predictions.has_more_columns and other.has_more_columns:
        return ("rows that are not in the same order or not all there: --id COLUMN matches them by id",)
    return ("a header or a title, a footer, or a row that only one of them has?",)


def models_advice(predictions: Source, labels: Source, settings: Settings) -> str:
    """Return the command that compares the files of a pattern as models, each with all rows."""
    columns = [(name, getattr(settings, name)) for name in ("id", "label")]
    options = [part for name, value in columns if value for part in (f"--{name}", ",".join(items(value)))]
    command = shlex.join(["xent", "compare", "--models", predictions.path, "--labels", labels.path, *options])
    return f"predictions of {len(files_in(predictions)):,} models, all rows in each file? {command}"


@contextlib.contextmanager
def title_or_footer(labels: Source, predictions: Source, first_is_label: bool) -> Iterator[None]:
    """Add to the error of a label the command that skips its line, if it is the first or last and one row too many.

    Raises
    ------
    DataError
        The error of the label.
    """
    try:
        yield
    except DataError as raised:
        # An error that blames the predictions has that of the label as its cause.
        error = raised.__cause__ if isinstance(raised.__cause__, DataError) else raised
        advice = _skipping(error.place, labels, predictions, first_is_label) if labels is not predictions else ""
        if not advice:
            raise
        raise type(error)(error.message, place=error.place, advice=advice) from None


def _skipping(place: Place | None, labels: Source, predictions: Source, first_is_label: bool) -> str:
    """The command that skips the line of a label; empty if it is neither title nor footer."""
    if place is None or place.path != labels.path or not (place.row and place.line):
        return ""
    if not has_first_line(labels) or files_in(labels) or not (labels.repeatable and predictions.repeatable):
        return ""
    rows, before, written = labels.lines() - bool(labels.header), place.line - 1, Written(labels.path)
    too_many = rows - predictions.lines() + bool(predictions.header) * heads_of(predictions)
    if place.row == 1 and labels.header and too_many == 1:
        return above(before, written)
    if place.row == rows and too_many == (not (labels.header and first_is_label)):
        return below(before, written)
    return ""


def _question(side: Counted, settings: Settings, *, header: bool) -> str:
    """Ask whether a first line is a header or data, with the options that say so."""
    assert has_first_line(side.source)
    each = "" if heads_of(side.source) == 1 else "each file of "
    what = "a header" if header else "data"
    line = line_of(side.source.first_fields)
    return f"is the first line of {each}{side.source.path}, {line}, {what}? {_options(settings, side.name, header)}"


def _options(settings: Settings, name: str, header: bool) -> str:
    """The options that say what a first line is, including those already given for the other file."""
    said = {side: settings.header_of(side) for side in ("predictions", "labels")}
    given, wanted = _spelled(said), _spelled({**said, name: header})
    return f"{wanted} in place of {given}" if given else wanted


def _spelled(said: dict[str, bool | None]) -> str:
    options = []
    for option, value in (("--header", True), ("--no-header", False)):
        sides = [side for side, answer in said.items() if answer is value]
        options += [f"{option} {'both' if len(sides) > 1 else sides[0]}"] if sides else []
    return " ".join(options)


def _could_be_row(side: Counted, settings: Settings, matcher: Matcher | None) -> bool:
    """Whether a line that was read as a header could be a row, judged by the columns with a role."""
    source = side.source
    if side.name == "further" or not (source.header and has_first_line(source)):
        return False
    fields = source.first_in_points
    if named_columns(settings, side.name, getattr(matcher, "classes", ())) & set(fields):
        # Without a header, an option would name a column that does not exist.
        return False
    cells = {role: [fields[column] for column in pick.columns] for role, pick in side.selection.items()}
    return (
        ("preds" not in cells or is_row(cells["preds"], settings))
        and ("label" not in cells or matcher is None or _fits(cells["label"], settings, matcher))
        and all(is_number(text) for role in ("weights", "bytes") for text in cells.get(role, ()))
    )


def _fits(cells: Sequence[str], settings: Settings, matcher: Matcher) -> bool:
    """Whether the rule of the labels accepts these cells, or they are the other class with --positive."""
    values: Any = list(cells) if len(cells) == 1 else np.array([[float(x) if is_number(x) else np.nan for x in cells]])
    other = settings.positive is not None and f"not {settings.positive}" in getattr(matcher, "classes", ())
    return accepts(matcher, values) or (other and not is_number(cells[0]))


def _could_be_header(side: Counted, settings: Settings) -> bool:
    """Whether a line that was read as data could be a header: names, or whole numbers above other numbers."""
    source = side.source
    if side.name == "further" or source.header is not False or not has_first_line(source):
        return False
    fields = source.first_in_points
    if len(set(fields)) < len(fields) or not all(WHOLE.fullmatch(text) or not is_number(text) for text in fields):
        return False
    numbers = [side.selection[role].columns for role in ("preds", "weights", "bytes") if role in side.selection]
    texts = any(not is_number(fields[column]) for columns in numbers for column in columns)
    return texts or is_unlike_the_next(source)
