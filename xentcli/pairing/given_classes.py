"""What options say of the classes: their names, also in a file, and their weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xentcli.arrays import Floats
from xentcli.columns.column import texts_of
from xentcli.columns.numerals import localized, whole_or_text
from xentcli.errors import DataError, FileError, Place, UsageError, shown
from xentcli.pairing.columns import listed
from xentcli.readers import open_small
from xentcli.readers.source import Pick, Source, has_first_line
from xentcli.readers.stream import STDIN
from xentcli.settings import Settings

__all__ = ["class_weights", "given_classes"]


def given_classes(settings: Settings) -> tuple[str, ...] | None:
    """Return the names of --classes; for @FILE those in its only column.

    Raises UsageError or DataError or FileError for a name that is empty or given twice, and for a file that is not one
    column of names.
    """
    given = settings.classes
    if given is None:
        return None
    if isinstance(given, str) and given.startswith("@"):
        return _names_in(given[1:], settings)
    names = tuple(name.strip() for name in (given.split(",") if isinstance(given, str) else given))
    twice = _repeated(names)
    if twice is not None:
        raise UsageError(f"--classes names {shown(names[twice])} twice")
    if "" in names or not names:
        raise UsageError("--classes has an empty name")
    return names


def _names_in(path: str, settings: Settings) -> tuple[str, ...]:
    """Read a file of class names, one a row, by the reader of its format."""
    if path == STDIN:
        raise UsageError("--classes @- is not supported: only PREDS or LABELS can be standard input")
    source = _one_column(path, settings)
    if has_first_line(source) and source.width:
        source = source.with_header(False)
    names: list[str] = []
    places: list[Place] = []
    for part in source.parts() if source.width else ():
        rows = part.load({"label": Pick((0,), "text")})
        names += texts_of(rows.values["label"])
        places += [rows.place("label", row) for row in range(rows.count)]
        if len(names) > settings.max_columns:
            message = f"more than {settings.max_columns:,} class names"
            raise FileError(message, place=Place(path), advice="--max-columns N allows more")
    if "" in names or not names:
        place = places[names.index("")] if names else Place(path)
        raise DataError("a class name is expected on every line", place=place)
    twice = _repeated(names)
    if twice is not None:
        raise DataError(f"class name {shown(names[twice])} appears twice", place=places[twice])
    return tuple(names)


def _one_column(path: str, settings: Settings) -> Source:
    """Open a file of class names; a row of several fields is refused."""
    quoted = "--classes @FILE reads one name a line; a name with a comma, semicolon or tab must be in double quotes"
    try:
        source = open_small(
            path, format=settings.format_of(path), quotes=settings.has_quotes(path), limits=settings.limits
        )
    except DataError as error:
        # No option gives the delimiter of this file.
        advice = tuple(quoted if "--delimiter" in line else line for line in error.advice)
        raise DataError(error.message, place=error.place, advice=advice) from None
    if source.width > 1:
        line = 1 if has_first_line(source) else None
        message = f"{source.width:,} columns where one column of class names was expected"
        raise DataError(message, place=Place(path, line=line), advice=quoted)
    return source


def _repeated(names: Sequence[str]) -> int | None:
    """Return the index of the first repeated name; None if all differ."""
    first: dict[str, int] = {}
    return next((index for index, name in enumerate(names) if first.setdefault(name, index) != index), None)


def class_weights(settings: Settings, classes: Sequence[str]) -> Floats | None:
    """The weight of each class, f8[K]; None where all are 1.

    Raises DataError for a name that is not a class.
    """
    if settings.ordered_class_weights:
        return _in_order(settings.ordered_class_weights, classes)
    if not settings.has_class_weights or not settings.class_weights:
        return None
    given = {_class_called(name, classes, settings.decimal_of_any): w for name, w in settings.class_weights.items()}
    unknown = next((name for name in given if name not in classes), None)
    if unknown is not None:
        raise DataError(f"--class-weight {shown(unknown)} is not a class", advice=f"classes: {listed(tuple(classes))}")
    weights = np.array([given.get(name, 1.0) for name in classes])
    return None if (weights == 1).all() else weights


def _in_order(given: Sequence[float], classes: Sequence[str]) -> Floats:
    """The weights of classes in the order of the columns."""
    weights = np.array(given)
    if len(weights) != len(classes):
        raise DataError(
            f"{len(weights)} class weights of {len(classes)} classes", advice=f"classes: {listed(tuple(classes))}"
        )
    if not ((weights >= 0) & (weights < np.inf)).all():
        raise DataError("a class weight is a finite number from 0 up")
    return weights


def _class_called(name: str, classes: Sequence[str], decimal: str) -> str:
    """The class that an option names; N also matches N.0, and 1.5 the name 1,5 in a file with decimal commas."""
    return next((text for text in (name, localized(name, decimal)) if text in classes), whole_or_text(name))
